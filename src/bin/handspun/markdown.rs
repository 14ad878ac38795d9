//! Markdown, printed: a page of the book as lines for a terminal.
//!
//! Two steps. `blocks` takes the page apart by its lines: headings, paragraphs, code, lists,
//! tables. What encloses others (an item of a list, a quotation, an answer) is freed of its
//! indentation and taken apart by the same function. Then `Printer` sets each block in the width
//! that is left for it; the text inside is read in `inline.rs`.
//!
//! It reads what a code host reads, and shows what that shows, with two differences. Links say what
//! to type to follow them. And of the questions at the end of a chapter only the questions are
//! shown, until somebody asks for the answers.

use crate::inline;
use crate::letters::{Line, Style, hanging, letters, painted, spaces, wrapped};
use crate::table::{Cell, Table};

/// How a page is printed.
pub struct Setting<'a> {
    pub width: usize,
    /// Whether styles are escape codes; else they are the marks that Markdown has for them.
    pub styled: bool,
    /// Whether questions are shown with their answers.
    pub answers: bool,
    pub how_to_see_answers: &'a str,
    /// Where the target of a link leads, in words; `None` if it needs none.
    pub follow: &'a dyn Fn(&str) -> Option<String>,
}

/// Code is indented by so much, and not changed otherwise.
const CODE: usize = 4;

pub fn render(text: &str, setting: &Setting) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut printer = Printer {
        setting,
        questions: 0,
    };
    let lines = printer.all(&blocks(&lines), setting.width, false);
    lines.iter().map(|line| painted(line) + "\n").collect()
}

/// What a page begins with, below its title, if that is in italics: the question that it answers.
pub fn question(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks = blocks(&lines).into_iter();
    match (blocks.next()?, blocks.next()?) {
        (Block::Heading(1, _), Block::Paragraph(text)) => {
            let inside = text.strip_prefix('*')?.strip_suffix('*')?;
            (!inside.starts_with('*')).then(|| inside.to_string())
        }
        _ => None,
    }
}

enum Block {
    /// The level, and the text.
    Heading(usize, String),
    Paragraph(String),
    Code(Vec<String>),
    List(List),
    Quotation(Vec<Block>),
    /// The cells of its rows, and for each column whether it is aligned to the right.
    Table(Vec<Vec<String>>, Vec<bool>),
    /// A question, and its answer.
    Question(String, Vec<Block>),
    Rule,
}

struct List {
    /// The mark or number of each item, and what is in it.
    items: Vec<(String, Vec<Block>)>,
    /// Whether there are no blank lines in it.
    is_tight: bool,
}

// From lines to blocks.

fn blocks(lines: &[&str]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let rest = &lines[at..];
        let (block, used) = blank(rest)
            .or_else(|| comment(rest))
            .or_else(|| some(code(rest)))
            .or_else(|| some(heading(rest)))
            .or_else(|| some(rule(rest)))
            .or_else(|| some(details(rest)))
            .or_else(|| some(table(rest)))
            .or_else(|| some(quotation(rest)))
            .or_else(|| some(list(rest)))
            .unwrap_or_else(|| paragraph(rest));
        blocks.extend(block);
        at += used;
    }
    blocks
}

/// A block, or nothing to show; and how many lines it takes.
type Read = (Option<Block>, usize);

fn some(read: Option<(Block, usize)>) -> Option<Read> {
    read.map(|(block, used)| (Some(block), used))
}

fn blank(lines: &[&str]) -> Option<Read> {
    is_blank(lines[0]).then_some((None, 1))
}

fn comment(lines: &[&str]) -> Option<Read> {
    let begins = lines[0].trim_start().starts_with("<!--");
    let end = lines.iter().position(|line| line.contains("-->"));
    let last = end.filter(|&end| begins && lines[end].trim_end().ends_with("-->"))?;
    Some((None, last + 1))
}

fn code(lines: &[&str]) -> Option<(Block, usize)> {
    let fence = fence(lines[0])?;
    let indent = indent(lines[0]);
    let closes = |line: &&str| {
        let rest = line.trim().strip_prefix(fence);
        rest.is_some_and(|rest| rest.chars().all(|sign| sign == '`'))
    };
    let inside = &lines[1..];
    let end = inside.iter().position(closes).unwrap_or(inside.len());
    let code = inside[..end].iter().map(|line| line[indent.min(self::indent(line))..].to_string());
    let used = (end + 2).min(lines.len());
    Some((Block::Code(code.collect()), used))
}

/// The backticks with which a block of code begins.
fn fence(line: &str) -> Option<&str> {
    let line = line.trim();
    let info = line.trim_start_matches('`');
    let fence = &line[..line.len() - info.len()];
    (fence.len() >= 3 && !info.contains('`')).then_some(fence)
}

fn heading(lines: &[&str]) -> Option<(Block, usize)> {
    let text = lines[0].trim_start_matches('#');
    let level = lines[0].len() - text.len();
    let text = text.strip_prefix(' ').filter(|_| (1..=6).contains(&level))?;
    Some((Block::Heading(level, text.trim().to_string()), 1))
}

fn rule(lines: &[&str]) -> Option<(Block, usize)> {
    let line = lines[0].replace(' ', "");
    let is_rule = ['-', '*', '_'].iter().any(|sign| line.chars().all(|other| other == *sign));
    (is_rule && line.len() >= 3).then_some((Block::Rule, 1))
}

/// Something that is opened by a click, as the answer to a question is.
fn details(lines: &[&str]) -> Option<(Block, usize)> {
    if !lines[0].trim_start().starts_with("<details") {
        return None;
    }
    let end = lines.iter().position(|line| line.contains("</details>"));
    let used = end.map_or(lines.len(), |end| end + 1);
    let text = lines[..used].join("\n");
    let text = text.trim_end().trim_end_matches("</details>");
    let text = text.split_once('>').map_or(text, |(_, inside)| inside);
    let (question, answer) = text.split_once("</summary>").unwrap_or(("", text));
    let question = question.trim().trim_start_matches("<summary>");
    let answer: Vec<&str> = answer.lines().collect();
    Some((Block::Question(question.replace('\n', " "), blocks(&answer)), used))
}

fn table(lines: &[&str]) -> Option<(Block, usize)> {
    let is_rule = |line: &&&str| line.contains('-') && line.chars().all(|c| "|-: ".contains(c));
    let rule = lines.get(1).filter(|line| line.contains('|')).filter(is_rule)?;
    let to_the_right: Vec<bool> =
        cells(rule).iter().map(|cell| cell.ends_with(':') && !cell.starts_with(':')).collect();
    let head = cells(lines[0]);
    if !lines[0].contains('|') || head.len() != to_the_right.len() {
        return None;
    }
    let body = lines[2..].iter().take_while(|line| line.contains('|'));
    let mut rows: Vec<Vec<String>> = body.map(|line| cells(line)).collect();
    rows.insert(0, head);
    let used = rows.len() + 1;
    for row in &mut rows {
        row.resize(to_the_right.len(), String::new());
    }
    Some((Block::Table(rows, to_the_right), used))
}

/// The cells of a row. A `|` inside of one is written `\|`, in code too.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let mut cells = vec![String::new()];
    let mut before = ' ';
    for sign in line.chars() {
        let cell = cells.last_mut().expect("it begins with one");
        match (before, sign) {
            ('\\', '|') => {
                cell.pop();
                cell.push('|');
            }
            (_, '|') => cells.push(String::new()),
            _ => cell.push(sign),
        }
        before = sign;
    }
    if line.ends_with('|') {
        cells.pop();
    }
    cells.iter().map(|cell| cell.trim().to_string()).collect()
}

fn quotation(lines: &[&str]) -> Option<(Block, usize)> {
    let inside = lines.iter().map_while(|line| line.trim_start().strip_prefix('>'));
    let inside: Vec<&str> = inside.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    (!inside.is_empty()).then(|| (Block::Quotation(blocks(&inside)), inside.len()))
}

fn list(lines: &[&str]) -> Option<(Block, usize)> {
    let mut items = Vec::new();
    let mut is_tight = true;
    let mut at = 0;
    while let Some(mark) = lines.get(at).and_then(|line| mark(line)) {
        let (inside, used) = item(&lines[at..], mark.inside);
        is_tight &= !inside.contains(&"");
        items.push((mark.text.to_string(), blocks(&inside)));
        let end = at + used;
        let blanks = lines[end..].iter().take_while(|line| is_blank(line)).count();
        at = end + blanks;
        let goes_on = lines.get(at).is_some_and(|line| self::mark(line).is_some());
        is_tight &= !goes_on || blanks == 0;
    }
    (!items.is_empty()).then_some((Block::List(List { items, is_tight }), at))
}

/// How an item of a list begins.
struct Mark<'a> {
    text: &'a str,
    /// How far what is in the item is indented.
    inside: usize,
}

fn mark(line: &str) -> Option<Mark<'_>> {
    let indent = indent(line);
    let text = &line[indent..];
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let length = match digits {
        0 => text.starts_with(['-', '*', '+']).then_some(1)?,
        _ => text[digits..].starts_with(['.', ')']).then_some(digits + 1)?,
    };
    let (text, after) = text.split_at(length);
    let inside = indent + length + self::indent(after);
    after.starts_with(' ').then_some(Mark { text, inside })
}

/// The lines of the first item, without their indentation; and how many there are.
fn item<'a>(lines: &[&'a str], indentation: usize) -> (Vec<&'a str>, usize) {
    let mut inside = vec![&lines[0][indentation.min(lines[0].len())..]];
    for (at, line) in lines.iter().enumerate().skip(1) {
        let next = lines[at..].iter().find(|line| !is_blank(line));
        let belongs = next.is_some_and(|next| indent(next) >= indentation);
        let is_text = !is_blank(line) && mark(line).is_none() && !interrupts(line);
        let goes_on = is_text && !is_blank(inside[at - 1]);
        match (belongs, goes_on) {
            (true, _) => inside.push(if is_blank(line) { "" } else { &line[indentation..] }),
            (false, true) => inside.push(line.trim_start()),
            (false, false) => break,
        }
    }
    let used = inside.len();
    (inside, used)
}

fn paragraph(lines: &[&str]) -> Read {
    let rest = lines[1..].iter();
    let used = 1 + rest.take_while(|line| !is_blank(line) && !interrupts(line)).count();
    let text: Vec<&str> = lines[..used].iter().map(|line| line.trim()).collect();
    (Some(Block::Paragraph(text.join(" "))), used)
}

/// Whether something begins with this line although there is no blank one above it.
fn interrupts(line: &str) -> bool {
    let begun = line.trim_start();
    let is_item = mark(line).is_some_and(|mark| mark.text.len() == 1 || mark.text == "1.");
    is_item
        || ["<!--", "<details", "</details", ">", "|"].iter().any(|mark| begun.starts_with(mark))
        || fence(line).is_some()
        || heading(&[line]).is_some()
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

// From blocks to lines.

struct Printer<'a> {
    setting: &'a Setting<'a>,
    /// How many there were so far: they are numbered through.
    questions: usize,
}

impl Printer<'_> {
    fn all(&mut self, blocks: &[Block], width: usize, is_tight: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        for (index, block) in blocks.iter().enumerate() {
            let follows_question = index > 0 && self.is_bare_question(&blocks[index - 1]);
            if index > 0 && !is_tight && !(follows_question && self.is_bare_question(block)) {
                lines.push(Line::new());
            }
            lines.extend(self.one(block, width));
            let is_last = blocks.get(index + 1).is_none_or(|next| !self.is_bare_question(next));
            if self.is_bare_question(block) && is_last {
                lines.push(Line::new());
                let hint = format!("The answers: `{}`", self.setting.how_to_see_answers);
                lines.extend(self.text(&hint, Style::default(), width));
            }
        }
        lines
    }

    fn is_bare_question(&self, block: &Block) -> bool {
        matches!(block, Block::Question(..)) && !self.setting.answers
    }

    fn one(&mut self, block: &Block, width: usize) -> Vec<Line> {
        match block {
            Block::Heading(level, text) => self.heading(*level, text, width),
            Block::Paragraph(text) => self.text(text, Style::default(), width),
            Block::Code(code) => {
                let lines = code.iter().map(|line| letters(line, Style::default()));
                lines.map(|line| [spaces(CODE), line].concat()).collect()
            }
            Block::List(list) => self.list(list, width),
            Block::Quotation(blocks) => {
                let lines = self.all(blocks, width - 2, false);
                hanging(lines, "> ", "> ")
            }
            Block::Table(rows, to_the_right) => self.table(rows, to_the_right, width),
            Block::Question(question, answer) => self.question(question, answer, width),
            Block::Rule => vec![letters("* * *", Style::default())],
        }
    }

    fn text(&self, text: &str, style: Style, width: usize) -> Vec<Line> {
        wrapped(&inline::words(text, style, self.setting), width)
    }

    /// On a terminal a heading is bold; elsewhere it is underlined, or keeps its marks.
    fn heading(&self, level: usize, text: &str, width: usize) -> Vec<Line> {
        if self.setting.styled {
            let style = Style {
                bold: true,
                underlined: level == 1,
                italic: level > 2,
                ..Style::default()
            };
            return self.text(text, style, width);
        }
        let rule = match level {
            1 => "=",
            2 => "-",
            _ => {
                let marks = "#".repeat(level) + " ";
                let lines = self.text(text, Style::default(), width - marks.len());
                return hanging(lines, &marks, &" ".repeat(marks.len()));
            }
        };
        let mut lines = self.text(text, Style::default(), width);
        let widest = lines.iter().map(Vec::len).max().unwrap_or(0);
        lines.push(letters(&rule.repeat(widest), Style::default()));
        lines
    }

    fn list(&mut self, list: &List, width: usize) -> Vec<Line> {
        // So that the texts of all items are aligned, from 9. to 10. too.
        let widest = list.items.iter().map(|(mark, _)| mark.len()).max().unwrap_or(0) + 1;
        let mut lines = Vec::new();
        for (index, (mark, inside)) in list.items.iter().enumerate() {
            if index > 0 && !list.is_tight {
                lines.push(Line::new());
            }
            let inside = self.all(inside, width - widest, list.is_tight);
            lines.extend(hanging(inside, &format!("{mark:widest$}"), &" ".repeat(widest)));
        }
        lines
    }

    fn question(&mut self, question: &str, answer: &[Block], width: usize) -> Vec<Line> {
        self.questions += 1;
        let mark = format!("{}. ", self.questions);
        let inside = width - mark.len();
        let style = Style {
            bold: self.setting.styled && self.setting.answers,
            ..Style::default()
        };
        let mut lines = self.text(question, style, inside);
        if self.setting.answers {
            lines.push(Line::new());
            lines.extend(self.all(answer, inside, false));
        }
        hanging(lines, &mark, &" ".repeat(mark.len()))
    }

    fn table(&self, rows: &[Vec<String>], to_the_right: &[bool], width: usize) -> Vec<Line> {
        let bold = Style {
            bold: self.setting.styled,
            ..Style::default()
        };
        let row = |(index, row): (usize, &Vec<String>)| -> Vec<Cell> {
            let style = if index == 0 { bold } else { Style::default() };
            row.iter().map(|cell| inline::words(cell, style, self.setting)).collect()
        };
        let table = Table {
            rows: rows.iter().enumerate().map(row).collect(),
            to_the_right: to_the_right.to_vec(),
        };
        table.lines(width)
    }
}
