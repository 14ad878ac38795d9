//! The text of a block: from Markdown to words.
//!
//! It is read from left to right, and at each place one question is asked: does something begin
//! here (code, a link, emphasis), and does it end? If both, it is written in its own way, its
//! inside mostly by the same rules; if not, what stands here is a letter as any other. This is less
//! than the standard of Markdown knows, and enough for a book that keeps to plain forms.
//!
//! What is code, or emphasised, has a style on a terminal. Elsewhere it keeps the marks that it has
//! in the source, which people read without a second thought.

use crate::letters::{Letter, Style, Word, letters};
use crate::markdown::Setting;

const ENTITIES: [(&str, char); 5] = [
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&quot;", '"'),
    ("&nbsp;", ' '),
    ("&amp;", '&'),
];

/// Tags that are not shown, though what they enclose is.
const TAGS: [&str; 10] = [
    "a", "br", "details", "div", "kbd", "p", "span", "sub", "summary", "sup",
];

pub fn words(text: &str, style: Style, setting: &Setting) -> Vec<Word> {
    let mut pen = Pen {
        setting,
        words: Vec::new(),
        word: Word::new(),
    };
    pen.write(text, style);
    pen.end_word();
    pen.words
}

struct Pen<'a> {
    setting: &'a Setting<'a>,
    words: Vec<Word>,
    word: Word,
}

impl Pen<'_> {
    fn write(&mut self, text: &str, style: Style) {
        let mut at = 0;
        while let Some(sign) = text[at..].chars().next() {
            let (before, rest) = text.split_at(at);
            let used = match sign {
                '\\' => self.escaped(rest, style),
                '`' => self.code(rest, style),
                '<' => self.tag(rest, style),
                '&' => self.entity(rest, style),
                '!' => self.image(rest, style),
                '[' => self.link(rest, style),
                '*' | '_' => self.emphasis(before.chars().next_back(), rest, style),
                _ => None,
            };
            at += used.unwrap_or_else(|| {
                self.letter(sign, style);
                sign.len_utf8()
            });
        }
    }

    fn letter(&mut self, sign: char, style: Style) {
        match sign.is_whitespace() {
            true => self.end_word(),
            false => self.word.push(Letter { sign, style }),
        }
    }

    /// Adds to the word what stays together although it may have spaces in it.
    fn together(&mut self, text: &str, style: Style) {
        self.word.extend(letters(text, style));
    }

    fn end_word(&mut self) {
        if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    // What may begin at the beginning of `text`. Each returns how much of it was read.

    fn escaped(&mut self, text: &str, style: Style) -> Option<usize> {
        let sign = text[1..].chars().next().filter(char::is_ascii_punctuation)?;
        self.letter(sign, style);
        Some(2)
    }

    fn code(&mut self, text: &str, style: Style) -> Option<usize> {
        let (code, used) = code_span(text)?;
        self.as_code(code, style);
        Some(used)
    }

    fn as_code(&mut self, code: &str, style: Style) {
        match self.setting.styled {
            true => {
                let code_style = Style {
                    code: true,
                    ..style
                };
                self.together(code, code_style);
            }
            // Code that has a backtick in it stands between two of them.
            false if code.contains('`') => self.together(&format!("`` {code} ``"), style),
            false => self.together(&format!("`{code}`"), style),
        }
    }

    fn entity(&mut self, text: &str, style: Style) -> Option<usize> {
        let (entity, sign) = ENTITIES.iter().find(|(entity, _)| text.starts_with(entity))?;
        self.letter(*sign, style);
        Some(entity.len())
    }

    fn tag(&mut self, text: &str, style: Style) -> Option<usize> {
        if let Some(comment) = text.strip_prefix("<!--") {
            return Some(4 + comment.find("-->")? + 3);
        }
        let end = text.find('>')?;
        let tag = &text[1..end];
        if tag == "code" {
            let code = &text[end + 1..][..text[end + 1..].find("</code>")?];
            self.as_code(&decoded(code), style);
            return Some(end + 1 + code.len() + "</code>".len());
        }
        let is_address = tag.contains("://") && !tag.contains(' ');
        if is_address {
            self.together(tag, style);
            return Some(end + 1);
        }
        let name = tag.trim_matches('/').split(' ').next().unwrap_or(tag);
        if name == "br" {
            self.end_word();
        }
        TAGS.contains(&name).then_some(end + 1)
    }

    fn image(&mut self, text: &str, style: Style) -> Option<usize> {
        let (caption, target, used) = bracketed(&text[1..])?;
        self.write("[figure: ", style);
        if !caption.is_empty() {
            self.write(caption, style);
            self.write(": ", style);
        }
        let place = (self.setting.follow)(target);
        self.together(place.as_deref().unwrap_or(target), style);
        self.letter(']', style);
        Some(1 + used)
    }

    fn link(&mut self, text: &str, style: Style) -> Option<usize> {
        let (label, target, used) = bracketed(text)?;
        self.write(label, style);
        let place = (self.setting.follow)(target);
        // A label that says where it leads needs no more.
        if let Some(place) = place.filter(|place| !label.replace('`', "").contains(place)) {
            self.end_word();
            let dim = self.setting.styled;
            self.together(&format!("({place})"), Style { dim, ..style });
        }
        Some(used)
    }

    fn emphasis(&mut self, before: Option<char>, text: &str, style: Style) -> Option<usize> {
        let in_word = before.is_some_and(char::is_alphanumeric);
        if text.starts_with('_') && in_word {
            return None;
        }
        let mark = ["**", "__", "*", "_"].into_iter().find(|mark| text.starts_with(mark))?;
        let inside = &text[mark.len()..];
        let inside = &inside[..closing(inside, mark)?];
        let stronger = match mark.len() {
            2 => Style {
                bold: true,
                ..style
            },
            _ => Style {
                italic: true,
                ..style
            },
        };
        match self.setting.styled {
            true => self.write(inside, stronger),
            false => {
                self.together(mark, style);
                self.write(inside, style);
                self.together(mark, style);
            }
        }
        Some(inside.len() + 2 * mark.len())
    }
}

/// The code between as many backticks as `text` begins with, and where what follows begins.
fn code_span(text: &str) -> Option<(&str, usize)> {
    let ticks = &text[..text.len() - text.trim_start_matches('`').len()];
    let inside = &text[ticks.len()..];
    let mut from = 0;
    loop {
        let end = from + inside[from..].find(ticks)?;
        let after = inside[end..].trim_start_matches('`');
        let run = inside.len() - end - after.len();
        if run == ticks.len() {
            return Some((inside[..end].trim(), 2 * ticks.len() + end));
        }
        from = end + run;
    }
}

/// The parts of `[label](target)`, and where what follows begins. What comes after a space in the
/// target is a title, which is not shown.
fn bracketed(text: &str) -> Option<(&str, &str, usize)> {
    let label = enclosed(text, '[', ']')?;
    let after = label.len() + 2;
    let target = enclosed(&text[after..], '(', ')')?;
    let place = target.split(' ').next().unwrap_or(target);
    let place = place.trim_start_matches('<').trim_end_matches('>');
    Some((label, place, after + target.len() + 2))
}

/// What stands between the bracket with which `text` begins and the one that closes it.
fn enclosed(text: &str, open: char, close: char) -> Option<&str> {
    let inside = text.strip_prefix(open)?;
    let mut depth = 1;
    let mut at = 0;
    while let Some(sign) = inside[at..].chars().next() {
        if let Some(used) = opaque(&inside[at..]) {
            at += used;
            continue;
        }
        depth += usize::from(sign == open);
        depth -= usize::from(sign == close);
        if depth == 0 {
            return Some(&inside[..at]);
        }
        at += sign.len_utf8();
    }
    None
}

/// Where emphasis ends that `mark` has begun: at a mark that stands behind a word. A mark of two is
/// none of one.
fn closing(inside: &str, mark: &str) -> Option<usize> {
    let sign = mark.chars().next()?;
    if inside.starts_with(char::is_whitespace) {
        return None;
    }
    let mut at = 0;
    while at < inside.len() {
        let rest = &inside[at..];
        if let Some(used) = opaque(rest) {
            at += used;
            continue;
        }
        let run = rest.len() - rest.trim_start_matches(sign).len();
        let behind_a_word = at > 0 && !inside[..at].ends_with(char::is_whitespace);
        let before_a_word = rest[run..].starts_with(char::is_alphanumeric);
        let closes = (run == mark.len() || run == 3) && behind_a_word;
        if closes && !(sign == '_' && before_a_word) {
            // Of three in a row, the inner ones belong to what is inside.
            return Some(at + run - mark.len());
        }
        at += run.max(rest.chars().next().map_or(1, char::len_utf8));
    }
    None
}

/// How much of the beginning of `text` has no marks in it: what is code, or escaped.
fn opaque(text: &str) -> Option<usize> {
    match text.chars().next()? {
        '`' => code_span(text).map(|(_, used)| used),
        '\\' => text[1..].chars().next().map(|sign| 1 + sign.len_utf8()),
        _ => None,
    }
}

fn decoded(text: &str) -> String {
    let mut decoded = text.to_string();
    for (entity, sign) in ENTITIES {
        decoded = decoded.replace(entity, &sign.to_string());
    }
    decoded
}
