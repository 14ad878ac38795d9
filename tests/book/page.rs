//! A page of Markdown as the tests of the book see it: lines, blocks, comments, links, headings.
//!
//! No more of Markdown is understood than the pages use: fences of three backticks at the beginning
//! of a line, comments of one line, headings that begin with `#`, links in brackets. What is
//! written in another way would be overlooked: `misread.rs` finds it.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A page. Lines count from 1.
pub struct Page {
    /// From the root, with slashes.
    pub path: String,
    lines: Vec<String>,
}

/// A block between fences.
pub struct Block {
    /// What stands behind the first fence.
    pub info: String,
    pub text: String,
    /// The line of the first fence, and that of the last.
    pub line: usize,
    end: usize,
}

/// All pages, in the order of their paths: `README.md`, `CHANGELOG.md`, and what is in `docs`.
pub fn pages() -> Vec<Page> {
    let mut paths = vec!["CHANGELOG.md".to_string(), "README.md".to_string()];
    collect("docs", &mut paths);
    paths.sort();
    let read = |path: String| {
        let text = fs::read_to_string(Path::new(ROOT).join(&path)).expect("pages are UTF-8");
        let lines = text.lines().map(str::to_string).collect();
        Page { path, lines }
    };
    paths.into_iter().map(read).collect()
}

fn collect(folder: &str, paths: &mut Vec<String>) {
    for entry in fs::read_dir(Path::new(ROOT).join(folder)).expect("the folder is there") {
        let entry = entry.expect("an entry of it");
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&path, paths);
        } else if path.ends_with(".md") {
            paths.push(path);
        }
    }
}

impl Page {
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    pub fn line(&self, line: usize) -> &str {
        self.lines.get(line - 1).map_or("", String::as_str)
    }

    /// Each line with its number and whether it is code: a fence, or between two.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        let mut in_block = false;
        self.lines.iter().zip(1..).map(move |(text, line)| {
            let is_fence = text.starts_with("```");
            in_block ^= is_fence;
            (line, text.as_str(), in_block || is_fence)
        })
    }

    /// The comments `<!-- KIND: … -->`, with what stands in them.
    pub fn directives(&self, kind: &str) -> Vec<(usize, &str)> {
        let begin = format!("<!-- {kind}: ");
        let words = |text: &'_ str| text.strip_suffix(" -->").map(str::len);
        let all = self.numbered().filter_map(|(line, text, is_code)| {
            let rest = text.strip_prefix(&begin)?;
            (!is_code).then_some((line, &rest[..words(rest)?]))
        });
        all.collect()
    }

    /// The first line from `line + 1` on that is not empty.
    pub fn below(&self, line: usize) -> Option<(usize, &str)> {
        let rest = self.lines.iter().zip(1..).skip(line);
        let mut content = rest.filter(|(text, _)| !text.is_empty());
        content.next().map(|(text, line)| (line, text.as_str()))
    }

    /// The last line before `line` that is not empty.
    pub fn above(&self, line: usize) -> Option<&str> {
        self.lines[..line - 1].iter().rfind(|text| !text.is_empty()).map(String::as_str)
    }

    pub fn block_below(&self, line: usize) -> Option<Block> {
        let (line, fence) = self.below(line)?;
        let info = fence.strip_prefix("```")?.to_string();
        let length = self.lines[line..].iter().position(|text| text.starts_with("```"))?;
        let text = self.lines[line..line + length].join("\n");
        let end = line + length + 1;
        Some(Block {
            info,
            text,
            line,
            end,
        })
    }

    /// The lines from the heading above this line to the next.
    pub fn section(&self, line: usize) -> Range<usize> {
        let headings =
            self.numbered().filter(|(_, text, is_code)| !is_code && text.starts_with('#'));
        let headings: Vec<usize> = headings.map(|(line, ..)| line).collect();
        let next = headings.partition_point(|heading| *heading <= line);
        let begin = headings[..next].last().copied().unwrap_or(1);
        begin..headings.get(next).copied().unwrap_or(usize::MAX)
    }

    /// The last block of Rust before this line.
    pub fn program_above(&self, line: usize) -> Result<String, String> {
        let fences = self.fences();
        let above = fences.iter().rfind(|(fence, info)| *fence < line && *info == "rust");
        let (fence, _) = above.ok_or("there is no block of Rust above")?;
        let block = self.block_below(fence - 1).ok_or("the block above has no end")?;
        Ok(block.text)
    }

    /// The name of the file in `docs/figures` that is shown below this line.
    pub fn image_below(&self, line: usize) -> Option<String> {
        let (line, _) = self.below(line)?;
        // What is said of it may take several lines.
        let text = self.lines[line - 1..].iter().take_while(|text| !text.is_empty());
        let text = text.map(String::as_str).collect::<Vec<_>>().join(" ");
        let target = text.strip_prefix("![")?.split("](").nth(1)?;
        let file = target.split(')').next()?.rsplit_once("figures/")?.1;
        Some(file.to_string())
    }

    /// Where blocks begin, and what stands behind the fence.
    pub fn fences(&self) -> Vec<(usize, &str)> {
        let fences = self
            .lines
            .iter()
            .zip(1..)
            .filter_map(|(text, line)| text.strip_prefix("```").map(|info| (line, info)));
        fences.step_by(2).collect()
    }

    /// The lines of the blocks that are marked `sh`.
    pub fn commands(&self) -> Vec<(usize, &str)> {
        let blocks = self.fences().into_iter().filter(|(_, info)| *info == "sh");
        let commands = blocks.flat_map(|(fence, _)| {
            let lines = self.lines[fence..].iter().zip(fence + 1..);
            let lines = lines.take_while(|(text, _)| !text.starts_with("```"));
            lines.map(|(text, line)| (line, text.as_str()))
        });
        commands.collect()
    }

    /// The text without its blocks, in pieces: `(line, piece, is_code)`. Pieces are what stands
    /// between two backticks, or between a backtick and the end of a line.
    pub fn pieces(&self) -> Vec<(usize, &str, bool)> {
        let mut pieces = Vec::new();
        let mut in_span = false;
        for (line, text, is_block) in self.numbered() {
            if is_block || text.is_empty() {
                in_span = false;
                continue;
            }
            for (index, piece) in text.split('`').enumerate() {
                in_span ^= index > 0;
                pieces.push((line, piece, in_span));
            }
        }
        pieces
    }

    /// The text without its blocks, by paragraphs; each row of a table is one, too.
    pub fn paragraphs(&self) -> Vec<(usize, String)> {
        let mut paragraphs: Vec<(usize, String)> = Vec::new();
        let mut goes_on = false;
        for (line, text, is_block) in self.numbered() {
            let begins = text.starts_with('|') || text.starts_with("- ");
            match paragraphs.last_mut() {
                _ if text.is_empty() || is_block => goes_on = false,
                Some((_, paragraph)) if goes_on && !begins => *paragraph += &format!(" {text}"),
                _ => {
                    paragraphs.push((line, text.to_string()));
                    goes_on = true;
                }
            }
        }
        paragraphs
    }

    /// The code in the text, `like this`, also where the line ends inside of it.
    pub fn spans(&self) -> Vec<(usize, String)> {
        let mut spans: Vec<(usize, String)> = Vec::new();
        let mut goes_on = false;
        for (line, piece, is_code) in self.pieces() {
            match spans.last_mut() {
                Some((_, span)) if is_code && goes_on => *span += &format!(" {}", piece.trim()),
                _ if is_code => spans.push((line, piece.to_string())),
                _ => {}
            }
            goes_on = is_code;
        }
        spans
    }

    /// The targets of all links and images that do not lead out of the repository.
    pub fn links(&self) -> Vec<(usize, &str)> {
        let text = self.numbered().filter(|(_, _, is_code)| !is_code);
        let links = text.flat_map(|(line, text, _)| {
            let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            targets.map(move |target| (line, target))
        });
        links.filter(|(_, target)| !target.contains("://")).collect()
    }

    /// The path from the root of what a link on this page leads to.
    pub fn resolve(&self, target: &str) -> String {
        let mut parts: Vec<&str> = self.path.split('/').collect();
        parts.pop();
        for part in target.split('/') {
            match part {
                ".." => drop(parts.pop()),
                "." => {}
                part => parts.push(part),
            }
        }
        parts.join("/")
    }

    /// What a link can name on this page: its headings, as code hosts make anchors of them.
    pub fn anchors(&self) -> BTreeSet<String> {
        let text = self.numbered().filter(|(_, text, is_code)| !is_code && text.starts_with('#'));
        let mut anchors = BTreeSet::new();
        for (_, heading, _) in text {
            let title = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter_map(|c| match c {
                ' ' => Some('-'),
                '-' | '_' => Some(c),
                c => c.is_alphanumeric().then_some(c),
            });
            let anchor: String = kept.collect();
            let second =
                (1..).map(|n| format!("{anchor}-{n}")).find(|other| !anchors.contains(other));
            match anchors.contains(&anchor) {
                true => anchors.extend(second),
                false => drop(anchors.insert(anchor)),
            }
        }
        anchors
    }

    /// The numbers that follow this word, or its plural, in the whole page: `examples 48 and 49`.
    pub fn numbers_after(&self, word: &str) -> Vec<(usize, u32)> {
        let between = |c: char| c.is_whitespace() || "`()*[]{}–-".contains(c);
        let lines = self.lines.iter().zip(1..);
        let words =
            lines.flat_map(|(text, line)| text.split(between).map(move |word| (line, word)));
        let mut words = words.filter(|(_, word)| !word.is_empty()).peekable();
        let mut found = Vec::new();
        while let Some((_, next)) = words.next() {
            let next = next.to_lowercase();
            if next != word && next.strip_suffix('s') != Some(word) {
                continue;
            }
            while let Some((line, next)) = words.peek() {
                let number =
                    next.trim_end_matches([',', '.', ':', ';', '?', '|']).trim_end_matches("'s");
                match number.parse() {
                    Ok(number) => found.push((*line, number)),
                    Err(_) if matches!(number, "and" | "to" | "or") => {}
                    Err(_) => break,
                }
                words.next();
            }
        }
        found
    }

    /// Writes the page with these texts in place of those of the blocks.
    pub fn rewrite(&mut self, blocks: Vec<(Block, String)>) {
        for (block, text) in blocks.into_iter().rev() {
            let text = text.trim_end().lines().map(str::to_string);
            self.lines.splice(block.line..block.end - 1, text);
        }
        let path = Path::new(ROOT).join(&self.path);
        fs::write(path, self.text() + "\n").expect("the page can be written");
    }
}

/// A part of a text, without its indentation: from the line that begins with `FIRST` (there must be
/// one such line) to the first after it that begins with `LAST`, for `FIRST … LAST`. Without a
/// `LAST`, to the line that ends what begins there: one with as much indentation and a closing
/// bracket, or the first itself if it ends a statement.
pub fn part(text: &str, which: &str) -> Result<String, String> {
    let (first, last) = match which.split_once(" … ") {
        Some((first, last)) => (first, Some(last)),
        None => (which, None),
    };
    let lines: Vec<&str> = text.lines().collect();
    let begins = |line: &&str, with: &str| line.trim_start().starts_with(with);
    let firsts: Vec<usize> = (0..lines.len()).filter(|at| begins(&lines[*at], first)).collect();
    let [from] = firsts[..] else {
        return Err(format!("{} lines begin with `{first}`, not one", firsts.len()));
    };
    let indent = lines[from].len() - lines[from].trim_start().len();
    let ends = |line: &&str| {
        let code = line.trim_start();
        // The end of a list of parameters ends nothing.
        let closes = code.starts_with(['}', ']']) || code.starts_with(')') && code.ends_with(';');
        line.len() - code.len() == indent && closes
    };
    let mut below = from + 1..lines.len();
    let to = match last {
        Some(last) => below.find(|at| begins(&lines[*at], last)),
        None if lines[from].ends_with([';', ',']) => Some(from),
        None => below.find(|at| ends(&lines[*at])),
    };
    let to = to.ok_or_else(|| format!("nothing ends what begins with `{first}`"))?;
    Ok(without_indentation(&lines[from..=to]))
}

/// The block of a text that begins with such a line, to its end.
pub fn picture(text: &str, first: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let blocks = lines.split(|line| line.trim_start().starts_with("```"));
    let is_it = |block: &&[&str]| block.first().is_some_and(|l| l.trim_start().starts_with(first));
    let mut pictures = blocks.filter(is_it);
    match (pictures.next(), pictures.next()) {
        (Some(picture), None) => Ok(without_indentation(picture)),
        _ => Err(format!("not one block begins with `{first}`")),
    }
}

fn without_indentation(lines: &[&str]) -> String {
    let full = lines.iter().filter(|line| !line.trim().is_empty());
    let indent = full.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let strip = |line: &&str| line.get(indent..).unwrap_or_default().to_string();
    lines.iter().map(strip).collect::<Vec<_>>().join("\n")
}
