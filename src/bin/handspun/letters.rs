//! Letters with a style: how words become lines, and lines what a terminal understands.
//!
//! A style is no part of the text until the very end, when `painted` writes escape codes for it. So
//! all before that can count letters and cut anywhere, which is why a text here is a list of
//! letters and not a string.

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Style {
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underlined: bool,
    pub code: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Letter {
    pub sign: char,
    pub style: Style,
}

/// What stays together, if it can. It may have spaces in it, as a piece of code has.
pub type Word = Vec<Letter>;

pub type Line = Vec<Letter>;

const SPACE: Letter = Letter {
    sign: ' ',
    style: Style {
        bold: false,
        dim: false,
        italic: false,
        underlined: false,
        code: false,
    },
};

/// After these a name that is too long is broken.
const JOINTS: &str = "/:.,(_-=";

pub fn letters(text: &str, style: Style) -> Line {
    text.chars().map(|sign| Letter { sign, style }).collect()
}

pub fn spaces(count: usize) -> Line {
    vec![SPACE; count]
}

/// The words in as few lines as can be, none of which is wider than `width`.
pub fn wrapped(words: &[Word], width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = Line::new();
    for mut word in words.iter().flat_map(|word| unbroken(word, width)) {
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        while word.len() > width {
            let (first, rest) = word.split_at(cut(word, width));
            lines.push(first.to_vec());
            word = rest;
        }
        if let Some(last) = line.last() {
            line.push(between(*last, word[0]));
        }
        line.extend(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The words of a word: those between its spaces, if it is longer than half a line.
pub fn unbroken(word: &Word, width: usize) -> Vec<&[Letter]> {
    match word.len() > width / 2 {
        true => {
            let parts = word.split(|letter| letter.sign == ' ');
            parts.filter(|part| !part.is_empty()).collect()
        }
        false => vec![word],
    }
}

/// Where to break a word of which `width` letters fit: after the last joint, if it is not near the
/// beginning.
fn cut(word: &[Letter], width: usize) -> usize {
    let is_joint = |end: usize| {
        let (before, after) = (word[end - 1].sign, word[end].sign);
        JOINTS.contains(before) && !JOINTS.contains(after) && after != ')'
    };
    (width / 3 + 1..=width).rev().find(|&end| is_joint(end)).unwrap_or(width)
}

/// The space between two words: of their style, if they share it.
fn between(last: Letter, next: Letter) -> Letter {
    match last.style == next.style {
        true => Letter { sign: ' ', ..last },
        false => SPACE,
    }
}

/// The lines behind `first`, and from the second on behind `others`.
pub fn hanging(lines: Vec<Line>, first: &str, others: &str) -> Vec<Line> {
    let behind = |(index, line): (usize, Line)| {
        let before = if index == 0 { first } else { others };
        [letters(before, Style::default()), line].concat()
    };
    lines.into_iter().enumerate().map(behind).collect()
}

/// The line as text, with escape codes where the style is not the default.
pub fn painted(line: &[Letter]) -> String {
    let end = line.iter().rposition(|letter| letter.sign != ' ').map_or(0, |last| last + 1);
    let mut text = String::new();
    for run in line[..end].chunk_by(|one, other| one.style == other.style) {
        let codes = codes(run[0].style);
        if !codes.is_empty() {
            text += &format!("\x1b[{}m", codes.join(";"));
        }
        text.extend(run.iter().map(|letter| letter.sign));
        if !codes.is_empty() {
            text += "\x1b[0m";
        }
    }
    text
}

fn codes(style: Style) -> Vec<&'static str> {
    let all = [
        (style.bold, "1"),
        (style.dim, "2"),
        (style.italic, "3"),
        (style.underlined, "4"),
        (style.code, "36"),
    ];
    all.into_iter().filter(|(is_on, _)| *is_on).map(|(_, code)| code).collect()
}
