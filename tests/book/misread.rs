//! What the tests of the book would overlook in a page, since it is not written as they read it.
//!
//! A misspelled comment is a block that nobody compares, and a link in another notation one that
//! nobody follows. So there is one way to write each, and this file finds the others.

use crate::page::Page;

/// What comments there are, and what that begins with which stands below one.
const COMMENTS: [(&str, &str); 7] = [
    ("quote", "```"),
    ("output", "```"),
    ("change", "```diff"),
    ("error", "```text"),
    ("unchecked", "```"),
    ("figure", "!["),
    ("same", ""),
];

/// How blocks can be marked, and one of which comments must stand above. Where none need, rustdoc
/// tests the block, or it holds commands.
const MARKS: [(&str, &[&str]); 8] = [
    ("rust", &[]),
    ("rust,no_run", &[]),
    ("rust,compile_fail", &[]),
    ("rust,should_panic", &[]),
    ("rust,ignore", &["quote"]),
    ("text", &["output", "error", "quote", "unchecked"]),
    ("diff", &["change"]),
    ("sh", &[]),
];

/// Lines, and what is wrong with them.
pub fn misread(page: &Page) -> Vec<(usize, String)> {
    let mut found = fences(page);
    for (line, text, is_block) in page.numbered() {
        let code = text.trim_start();
        if is_block && (code == "#" || code.starts_with("# ")) {
            let wrong = "rustdoc hides this line, and a code host shows it: write it without `# `";
            found.push((line, wrong.to_string()));
        }
        if !is_block {
            let wrong = comment(page, line, text).or_else(|| image(page, line, text));
            found.extend(wrong.or_else(|| code_by_indentation(text)).map(|wrong| (line, wrong)));
        }
    }
    for (line, piece, is_code) in page.pieces() {
        if !is_code {
            found.extend(link(piece).map(|wrong| (line, wrong)));
        }
    }
    found
}

fn fences(page: &Page) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut begun = None;
    for (line, text, _) in page.numbered() {
        let bare = text.trim_start_matches([' ', '\t', '>', '-', '*']);
        match begun {
            Some(_) if text == "```" => begun = None,
            Some(_) if text.starts_with("```") => {
                found.push((line, "the block above has no end".to_string()));
            }
            None if text.starts_with("```") => {
                begun = Some(line);
                found.extend(mark(page, line, &text[3..]).map(|wrong| (line, wrong)));
            }
            None if bare.starts_with("```") || bare.starts_with("~~~") => {
                found.push((line, "a block begins with ```, in the first column".to_string()));
            }
            _ => {}
        }
    }
    found.extend(begun.map(|line| (line, "the block has no end".to_string())));
    found
}

/// What is wrong with the mark of a block, or with the lack of a comment above it.
fn mark(page: &Page, line: usize, mark: &str) -> Option<String> {
    // The number of the error that is meant may follow.
    let bare = mark.split_once(",E").map_or(mark, |(bare, _)| bare);
    let Some((_, comments)) = MARKS.iter().find(|(known, _)| *known == bare) else {
        let known = MARKS.map(|(mark, _)| mark).join(", ");
        return Some(format!("a block is marked as one of {known}, and not \"{mark}\""));
    };
    let above = page.above(line).and_then(kind);
    let is_there = comments.is_empty() || above.is_some_and(|kind| comments.contains(&kind));
    (!is_there).then(|| {
        let comments = comments.join(": …, ");
        format!("nobody tests this block: write one of <!-- {comments}: … --> above it")
    })
}

/// The kind of the comment that is this line.
fn kind(text: &str) -> Option<&'static str> {
    let inside = text.strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    let (kind, words) = inside.split_once(": ")?;
    let (known, _) = COMMENTS.iter().find(|(known, _)| *known == kind)?;
    (!words.trim().is_empty() && !words.contains("-->")).then_some(known)
}

fn comment(page: &Page, line: usize, text: &str) -> Option<String> {
    if !text.contains("<!--") && !text.contains("-->") {
        return None;
    }
    let Some(kind) = kind(text) else {
        let kinds = COMMENTS.map(|(kind, _)| kind).join(", ");
        return Some(format!("a comment is a line <!-- KIND: … -->, its kind one of {kinds}"));
    };
    let (_, begin) = COMMENTS.iter().find(|(known, _)| *known == kind)?;
    let is_there = page.below(line).is_some_and(|(_, below)| below.starts_with(begin));
    (!is_there).then(|| format!("what this speaks of does not stand below: {begin}"))
}

fn image(page: &Page, line: usize, text: &str) -> Option<String> {
    let is_drawn = text.starts_with("![") && page.above(line).and_then(kind) == Some("figure");
    (text.contains("![") && !is_drawn)
        .then(|| "an image stands below a <!-- figure: … -->, in the first column".to_string())
}

fn code_by_indentation(text: &str) -> Option<String> {
    let is_code = text.starts_with("    ") || text.starts_with('\t');
    is_code.then(|| "code stands between fences, and nothing else so far to the right".to_string())
}

/// What is wrong with the links in a piece of text, which may show only a part of one.
fn link(text: &str) -> Option<String> {
    let is_other = text.starts_with('[') && text.contains("]:")
        || text.ends_with("](")
        || ["][", "]()", "href=", "src="].iter().any(|sign| text.contains(sign));
    if is_other {
        return Some("a link is written [text](target), and its target in one line".to_string());
    }
    let links = text
        .match_indices("](")
        .map(|(at, _)| text[..at].rsplit('[').next().zip(text.get(at + 2..)));
    let astray = |(title, target): (&str, &str)| {
        let number: u32 = title.to_lowercase().strip_prefix("chapter ")?.parse().ok()?;
        let is_it = target.trim_start_matches("../").starts_with(&format!("{number:02}-"));
        (!is_it).then(|| format!("this leads to another chapter than {number}"))
    };
    links.flatten().find_map(astray)
}
