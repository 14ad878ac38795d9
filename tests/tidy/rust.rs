//! The part of `tidy` that reads Rust: which words of a file are code, and what it imports.
//!
//! It is no parser. It knows comments, literals, `use` trees, inline modules and paths, and follows
//! a re-export to the file that has the item. It sees neither methods nor what a macro writes.

use std::collections::BTreeMap;

pub struct Token<'a> {
    pub line: usize,
    pub text: &'a str,
}

/// A path that is used, or imported by a `use`.
pub struct Import {
    pub line: usize,
    /// Begins with `crate` or with the name of another crate (or of something in scope).
    pub path: Vec<String>,
    /// The name by which the file knows it from here on, if this is a `use`.
    pub name: Option<String>,
    /// A `pub use`.
    pub public: bool,
}

pub fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The words and marks of a Rust file without comments and literals; `::` is one mark.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(c) = rest.chars().next() {
        let length = literal_or_comment(rest);
        if length > 0 {
            line += rest[..length].matches('\n').count();
            rest = &rest[length..];
            continue;
        }
        let length = if in_name(c) {
            rest.find(|c| !in_name(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        if c == '\n' {
            line += 1;
        } else if !c.is_whitespace() {
            let text = &rest[..length];
            tokens.push(Token { line, text });
        }
        rest = &rest[length..];
    }
    tokens
}

/// How long the literal or comment is with which the text begins; 0 if it begins with none.
fn literal_or_comment(text: &str) -> usize {
    let up_to = |end: &str, from: usize| {
        text[from..].find(end).map_or(text.len(), |found| from + found + end.len())
    };
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        let (mut depth, mut at) = (1, 2);
        while depth > 0 && at < text.len() {
            match (text[at..].find("/*"), text[at..].find("*/")) {
                (Some(open), Some(close)) if open < close => {
                    (depth, at) = (depth + 1, at + open + 2)
                }
                (_, Some(close)) => (depth, at) = (depth - 1, at + close + 2),
                _ => at = text.len(),
            }
        }
        return at;
    }
    let raw = text.strip_prefix('b').unwrap_or(text);
    if let Some(raw) = raw.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let opened = text.len() - raw.len() + hashes + 1;
            return up_to(&format!("\"{}", "#".repeat(hashes)), opened);
        }
    }
    if text.starts_with('"') {
        return quoted_length(text, '"');
    }
    // `'a` is a lifetime unless a quote follows.
    let mut chars = text.chars();
    if chars.next() == Some('\'') && (chars.next() == Some('\\') || chars.next() == Some('\'')) {
        return quoted_length(text, '\'');
    }
    0
}

fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The module that a file of `src` is, from the crate's root.
pub fn module(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs");
    let names = path.split('/').filter(|&name| name != "mod" && name != "lib");
    names.map(str::to_string).collect()
}

/// The file of `src` that has the item, or `None` if it is another crate's.
pub fn resolve(path: &[String], files: &BTreeMap<&str, Vec<Import>>) -> Option<String> {
    let ("crate", rest) = (path.first()?.as_str(), &path[1..]) else {
        return None;
    };
    let file_of = |wanted: &[String]| files.keys().find(|file| module(file) == wanted).copied();
    let deepest = (0..=rest.len()).rev().find(|&n| file_of(&rest[..n]).is_some())?;
    let file = file_of(&rest[..deepest])?;
    let item = rest.get(deepest).filter(|item| *item != "*");
    // A name that the file has from elsewhere leads there.
    let from_elsewhere =
        |import: &&Import| item.is_some() && import.name.as_ref() == item && import.path != path;
    let followed = files[file].iter().find(from_elsewhere);
    followed.and_then(|import| resolve(&import.path, files)).or(Some(file.to_string()))
}

/// Every path in a file of `src` but those in its `mod tests`. `modules` are all there are.
pub fn imports(file: &str, text: &str, modules: &[Vec<String>]) -> Vec<Import> {
    let mut reader = PathReader {
        tokens: tokens(text),
        at: 0,
        modules,
        within: module(file),
        found: Vec::new(),
    };
    reader.read_block();
    reader.found
}

struct PathReader<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    modules: &'a [Vec<String>],
    /// The module that is being read.
    within: Vec<String>,
    found: Vec<Import>,
}

impl PathReader<'_> {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    /// Reads to the brace that closes the block, or to the end.
    fn read_block(&mut self) {
        while self.at < self.tokens.len() {
            match (self.peek(0), self.peek(1), self.peek(2)) {
                ("}", ..) => break,
                ("{", ..) => {
                    self.at += 1;
                    self.read_block();
                    continue;
                }
                ("mod", name, "{") => {
                    let (name, before) = (name.to_string(), self.found.len());
                    self.at += 3;
                    self.within.push(name.clone());
                    self.read_block();
                    self.within.pop();
                    if name == "tests" {
                        self.found.truncate(before);
                    }
                    continue;
                }
                ("use", next, _) if next != "<" => {
                    let public =
                        self.at > 0 && matches!(self.tokens[self.at - 1].text, "pub" | ")");
                    self.at += 1;
                    self.read_use(&[], public);
                    continue;
                }
                (name, "::", _) if name.starts_with(in_name) => {
                    self.read_path();
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.at += 1;
    }

    fn read_path(&mut self) {
        let line = self.tokens[self.at].line;
        let mut path = vec![self.peek(0).to_string()];
        self.at += 1;
        while self.peek(0) == "::" && self.peek(1).starts_with(in_name) {
            path.push(self.peek(1).to_string());
            self.at += 2;
        }
        // An exported macro stands at the crate's root wherever it was written.
        if self.peek(0) == "!" && self.peek(1) != "=" {
            return;
        }
        self.push(line, &path, None, false);
    }

    /// Reads one branch of a `use` tree, whose beginning is `stem`.
    fn read_use(&mut self, stem: &[String], public: bool) {
        let mut path = stem.to_vec();
        let line = self.tokens[self.at].line;
        loop {
            let token = self.peek(0).to_string();
            self.at += 1;
            match token.as_str() {
                "::" => {}
                "{" => {
                    while self.peek(0) != "}" {
                        self.read_use(&path, public);
                        if self.peek(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "as" => {
                    let name = self.peek(0).to_string();
                    self.at += 1;
                    return self.push(line, &path, Some(name), public);
                }
                "self" if !path.is_empty() => {}
                _ => path.push(token),
            }
            if matches!(self.peek(0), "," | "}" | ";" | "") {
                let name = path.last().cloned();
                return self.push(line, &path, name, public);
            }
        }
    }

    fn push(&mut self, line: usize, path: &[String], name: Option<String>, public: bool) {
        let here = || [&["crate".to_string()], &self.within[..]].concat();
        let first = path.first().map_or("", String::as_str);
        let child = [&self.within[..], &[first.to_string()]].concat();
        let full = match first {
            "self" => [&here()[..], &path[1..]].concat(),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                let mut above = here();
                above.truncate(above.len().saturating_sub(ups).max(1));
                [&above[..], &path[ups..]].concat()
            }
            _ if self.modules.contains(&child) => [&here()[..], path].concat(),
            _ => path.to_vec(),
        };
        self.found.push(Import {
            line,
            path: full,
            name,
            public,
        });
    }
}

// A reader that saw nothing would find every house tidy.

#[test]
fn the_reader_tells_code_from_words_about_it() {
    let text = r###"
        // unsafe in a comment /* not nested
        /* unsafe /* nested */ unsafe */
        let s = ("unsafe \" unsafe", r#"unsafe " unsafe"#, '"', '\'', b'"', "two
        lines");
        fn f<'a>(x: &'a str) { unsafe { g(x) } }
    "###;
    let tokens = tokens(text);
    let found: Vec<usize> =
        tokens.iter().filter(|token| token.text == "unsafe").map(|token| token.line).collect();
    assert_eq!(found, [6]);
}

#[test]
fn the_reader_finds_every_path() {
    let text = "
        mod b;
        pub use b::B;
        use crate::{a::{self, A as C}, x};
        use std::time::{Duration, Instant};
        fn f() { super::g(b::h(), ::std::mem::take(self::k)); self.l() } use crate::n;
        fn g() { crate::a_macro!(b::h() != b::i) }
        pub mod inner { use super::m; }
        mod tests { use super::*; }
    ";
    let paths = imports("a/mod.rs", text, &["a/mod.rs", "a/b.rs", "lib.rs"].map(module));
    let found: Vec<String> = paths
        .iter()
        .map(|import| format!("{}: {}", import.line, import.path.join("::")))
        .collect();
    assert_eq!(
        found,
        [
            "3: crate::a::b::B",
            "4: crate::a",
            "4: crate::a::A",
            "4: crate::x",
            "5: std::time::Duration",
            "5: std::time::Instant",
            "6: crate::g",
            "6: crate::a::b::h",
            "6: std::mem::take",
            "6: crate::a::k",
            "6: crate::n",
            "7: crate::a::b::h",
            "7: crate::a::b::i",
            "8: crate::a::m",
        ]
    );
}
