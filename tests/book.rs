//! The book cannot lie: what a page quotes, prints, draws or links to is compared with what it is.
//!
//! A comment above a block says where the block comes from:
//!
//! ```text
//! <!-- quote: src/waker.rs: fn clone -->       the item of that file that begins so
//! <!-- quote: src/waker.rs: fn a … fn b -->    from the line that begins so to that one
//! <!-- output: example 34 v2 -->               what `cargo run -- example 34 v2` prints
//! <!-- output: example 34: v1 … v2 -->         of that, from the line that begins so to that one
//! <!-- figure: example 22 v2 -->               the image below is what `--trace svg` draws
//! ```
//!
//! After a change that was meant, `HANDSPUN_BLESS=1 cargo test --test book` writes blocks and
//! figures anew (build the examples first: `cargo build --examples`); read the difference.
//!
//! That the code of the pages compiles and does what it says is tested too, but not here: each page
//! is included in `src/book.rs`, and its Rust is a doctest. `tests/book/page.rs` reads a page, the
//! rest is here.

#[path = "book/page.rs"]
mod page;
#[path = "support/examples.rs"]
mod programs;

use page::{Block, Page, pages};
use programs::{Folder, ROOT, command, examples, is_blessing, names, stderr};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};

// Blocks that come from elsewhere.

#[test]
fn a_quote_is_what_its_source_says() {
    compare("quote", |source, block| {
        let (file, part) = source.split_once(": ").ok_or("say `FILE: FIRST LINE`")?;
        let text = fs::read_to_string(Path::new(ROOT).join(file))
            .map_err(|error| format!("{file}: {error}"))?;
        if block.info != "rust,ignore" {
            return Err("the block below must be marked ```rust,ignore".to_string());
        }
        page::part(&text, part)
    });
}

#[test]
fn an_output_is_what_its_example_prints() {
    compare("output", |source, block| {
        if block.info != "text" {
            return Err("the block below must be marked ```text".to_string());
        }
        let (call, part) = match source.split_once(": ") {
            Some((call, part)) => (call, Some(part)),
            None => (source, None),
        };
        let output = call_example(call, &[])?;
        let printed = String::from_utf8(output.stdout).expect("examples print UTF-8");
        match part {
            Some(part) => page::part(&printed, part),
            None => Ok(printed),
        }
    });
}

#[test]
fn a_figure_is_the_recording_of_its_example() {
    let folder = Folder::new("book-figures");
    let mut used = BTreeSet::new();
    let mut breaches = Vec::new();
    for page in pages() {
        for (line, directive) in page.directives("figure") {
            let Some(file) = page.image_below(line) else {
                breaches.push(format!("{}:{line}: there is no image below", page.path));
                continue;
            };
            let drawn = folder.path("figure.svg");
            match call_example(directive, &["--trace", "svg", &drawn]) {
                Err(error) => breaches.push(format!("{}:{line}: {error}", page.path)),
                Ok(_) => {
                    let figure = Path::new(ROOT).join("docs/figures").join(&file);
                    if is_blessing() {
                        fs::copy(&drawn, &figure).expect("the figure can be written");
                    } else if fs::read(&drawn).ok() != fs::read(&figure).ok() {
                        breaches.push(format!("{}:{line}: is drawn otherwise now", page.path));
                    }
                }
            }
            used.insert(file);
        }
    }
    for name in names(&Path::new(ROOT).join("docs/figures"), "svg") {
        if !used.contains(&format!("{name}.svg")) {
            breaches.push(format!("docs/figures/{name}.svg:1: is the figure of no page"));
        }
    }
    assert_true_to_life(breaches);
}

/// Compares the blocks below comments of this kind with what `made` makes of the comment, or has
/// them written anew.
fn compare(kind: &str, made: impl Fn(&str, &Block) -> Result<String, String>) {
    static ONE_AFTER_THE_OTHER: Mutex<()> = Mutex::new(());
    let _writing = ONE_AFTER_THE_OTHER.lock();
    let mut breaches = Vec::new();
    for mut page in pages() {
        let mut rewritten = Vec::new();
        for (line, directive) in page.directives(kind) {
            let Some(block) = page.block_below(line) else {
                breaches.push(format!("{}:{line}: there is no block below", page.path));
                continue;
            };
            match made(directive, &block) {
                Err(error) => breaches.push(format!("{}:{line}: {error}", page.path)),
                Ok(text) if text.trim_end() == block.text.trim_end() => {}
                Ok(text) if is_blessing() => rewritten.push((block, text)),
                Ok(text) => breaches.push(format!(
                    "{}:{line}: the page says\n{}\nbut it is\n{text}",
                    page.path, block.text
                )),
            }
        }
        if !rewritten.is_empty() {
            page.rewrite(rewritten);
        }
    }
    assert_true_to_life(breaches);
}

/// Calls an example as a page writes it: `example 34 v2`, `example 34 --break lifo`.
fn call_example(call: &str, more: &[&str]) -> Result<Output, String> {
    let mut words = call.split_whitespace();
    let number = match (words.next(), words.next()) {
        (Some("example"), Some(number)) => number,
        _ => return Err(format!("`{call}`: say `example NUMBER`, and its arguments")),
    };
    let name = by_number(number).ok_or_else(|| format!("there is no example {number}"))?;
    let mut arguments: Vec<&str> = words.collect();
    let mut program = command(&name);
    if let Some(at) = arguments.iter().position(|word| *word == "--break") {
        if at + 1 >= arguments.len() {
            return Err("`--break` needs a rule".to_string());
        }
        let rule = arguments.drain(at..at + 2).nth(1).expect("the word behind it");
        program = Command::new(breakable(&name));
        program.current_dir(ROOT).env("HANDSPUN_BREAK", rule);
    }
    let output = program.args(arguments).args(more).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{:?}: {error}", program.get_program()))?;
    match output.status.success() {
        true => Ok(output),
        false => Err(format!("`{call}` failed: {}", stderr(&output))),
    }
}

/// The example with this number.
fn by_number(number: &str) -> Option<String> {
    let number: u32 = number.parse().ok()?;
    let is_it = |name: &String| name.split('_').next().and_then(|n| n.parse().ok()) == Some(number);
    examples().into_iter().find(is_it)
}

/// The path of an example in which rules can be broken. All that pages break are built at once.
fn breakable(example: &str) -> String {
    static TARGET: OnceLock<String> = OnceLock::new();
    let target = TARGET.get_or_init(|| {
        let target = format!("{ROOT}/target/breakable");
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args([
            "build",
            "--quiet",
            "--features",
            "breakable",
            "--target-dir",
            &target,
        ]);
        for name in broken_examples() {
            build.args(["--example", &name]);
        }
        let built = build.current_dir(ROOT).output().expect("cargo can be called");
        assert!(built.status.success(), "{}", stderr(&built));
        target
    });
    format!("{target}/debug/examples/{example}{}", env::consts::EXE_SUFFIX)
}

/// The examples that some page calls with `--break`.
fn broken_examples() -> BTreeSet<String> {
    let mut broken = BTreeSet::new();
    for page in pages() {
        let text = page.text();
        let calls = text.lines().filter(|line| line.contains(" --break "));
        let numbers = calls.filter_map(|line| line.split("example ").nth(1)?.split(' ').next());
        broken.extend(numbers.filter_map(by_number));
    }
    broken
}

// What leads somewhere.

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let headings: BTreeMap<&str, BTreeSet<String>> =
        pages.iter().map(|page| (page.path.as_str(), page.anchors())).collect();
    let mut breaches = Vec::new();
    for page in &pages {
        for (line, target) in page.links() {
            let (path, anchor) = match target.split_once('#') {
                Some((path, anchor)) => (path, Some(anchor)),
                None => (target, None),
            };
            let file = if path.is_empty() { page.path.clone() } else { page.resolve(path) };
            let there = Path::new(ROOT).join(&file).exists();
            let anchored = match anchor {
                Some(anchor) => headings.get(file.as_str()).is_some_and(|all| all.contains(anchor)),
                None => true,
            };
            if !there || !anchored {
                breaches.push(format!("{}:{line}: {target} leads nowhere", page.path));
            }
        }
    }
    assert_true_to_life(breaches);
}

#[test]
fn every_number_of_an_example_a_chapter_or_a_promise_is_one_of_them() {
    let promises = count_of_promises();
    let chapters = chapters().len() as u32;
    let is_example = |n: u32| by_number(&n.to_string()).is_some();
    let mut breaches = Vec::new();
    for page in pages() {
        for (kind, is_one) in [
            ("example", &is_example as &dyn Fn(u32) -> bool),
            ("promise", &|n| (1..=promises).contains(&n)),
            ("chapter", &|n| n < chapters),
            ("read", &|n| n < chapters),
        ] {
            for (line, number) in page.numbers_after(kind) {
                if !is_one(number) {
                    breaches.push(format!("{}:{line}: there is no {kind} {number}", page.path));
                }
            }
        }
    }
    assert_true_to_life(breaches);
}

/// How many promises `src/lib.rs` makes.
fn count_of_promises() -> u32 {
    let text = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).unwrap();
    let promise = |n: &u32| text.contains(&format!("\n//! {n}. **"));
    (1..).take_while(promise).last().expect("there are promises")
}

// What every page must have.

#[test]
fn every_page_is_in_the_contents_and_its_code_is_tested() {
    let contents = fs::read_to_string(Path::new(ROOT).join("docs/SUMMARY.md")).unwrap();
    let doctests = fs::read_to_string(Path::new(ROOT).join("src/book.rs")).unwrap();
    let mut breaches = Vec::new();
    for page in pages() {
        let Some(path) = page.path.strip_prefix("docs/") else {
            continue;
        };
        if path == "SUMMARY.md" {
            continue;
        }
        if !contents.contains(&format!("]({path})")) {
            breaches.push(format!("{}:1: is not in docs/SUMMARY.md", page.path));
        }
        if page.text().contains("\n```rust") && !doctests.contains(&format!("\"{path}\"")) {
            breaches.push(format!("{}:1: is not in src/book.rs", page.path));
        }
        let title = page.line(1).trim_start_matches("# ").replace('`', "");
        if !contents.replace('`', "").contains(&format!("[{title}]({path})")) {
            breaches.push(format!("{}:1: is called otherwise in docs/SUMMARY.md", page.path));
        }
        for (line, info) in page.fences() {
            let is_quote = page.is_below_directive(line, "quote");
            if info.contains("ignore") && !is_quote {
                breaches.push(format!("{}:{line}: nobody tests this block", page.path));
            }
        }
    }
    assert_true_to_life(breaches);
}

/// What stands in each chapter, in this order, as headings or their beginnings.
const SECTIONS: [&str; 4] = [
    "## Break it",
    "## In tokio",
    "## Exercise",
    "## Did it stick?",
];

#[test]
fn every_chapter_has_its_parts() {
    let mut breaches = Vec::new();
    for page in chapters() {
        let mut breach = |what: &str| breaches.push(format!("{}:1: {what}", page.path));
        if !page.line(3).starts_with('*') {
            breach("begins with its question, in italics, in the third line");
        }
        let text = page.text();
        let mut sections = SECTIONS.iter().peekable();
        for heading in text.lines().filter(|line| line.starts_with("## ")) {
            sections.next_if(|section| heading.starts_with(**section));
        }
        if let Some(missing) = sections.next() {
            breach(&format!("\"{missing}\" is missing, or not in its place"));
        }
        let questions = text.matches("<details><summary>").count();
        if questions < 3 || questions != text.matches("</details>").count() {
            breach("asks fewer than three questions at its end, or an answer has no end");
        }
    }
    assert_true_to_life(breaches);
}

#[test]
fn every_example_belongs_to_a_page() {
    let mut mentioned = BTreeSet::new();
    for page in pages() {
        let numbers = page.numbers_after("example").into_iter().map(|(_, number)| number);
        mentioned.extend(numbers.filter_map(|number| by_number(&number.to_string())));
        let paths = examples().into_iter().filter(|name| page.text().contains(name.as_str()));
        mentioned.extend(paths);
    }
    let lost: Vec<String> = examples().difference(&mentioned).cloned().collect();
    assert!(lost.is_empty(), "no page speaks of {lost:?}");
}

#[test]
fn every_command_that_runs_an_example_works() {
    let mut seen = BTreeSet::new();
    let mut breaches = Vec::new();
    for page in pages() {
        for (line, text) in page.commands() {
            let call = match text.strip_prefix("cargo run -- example ") {
                Some(call) => format!("example {call}"),
                None => match text.strip_prefix("cargo run --example ") {
                    Some(call) => {
                        let number = call.split('_').next().unwrap_or_default();
                        let arguments = call.split_once(" -- ").map_or("", |(_, rest)| rest);
                        format!("example {number} {arguments}")
                    }
                    None => continue,
                },
            };
            let call = call.split(" #").next().unwrap_or_default().trim().to_string();
            // Servers serve until they are told to stop; drawings are tested by themselves.
            if call.contains(" serve") || call.contains("--trace") || call.contains("*.md") {
                continue;
            }
            if seen.insert(call.clone())
                && let Err(error) = call_example(&call, &[])
            {
                breaches.push(format!("{}:{line}: {error}", page.path));
            }
        }
    }
    assert_true_to_life(breaches);
}

/// The chapters, by their numbers.
fn chapters() -> Vec<Page> {
    let is_chapter = |page: &Page| {
        page.path.strip_prefix("docs/").is_some_and(|path| path.as_bytes()[0].is_ascii_digit())
    };
    pages().into_iter().filter(is_chapter).collect()
}

#[track_caller]
fn assert_true_to_life(breaches: Vec<String>) {
    assert!(
        breaches.is_empty(),
        "the book is not true:\n{}\nWas the change meant? See the top of {}.",
        breaches.join("\n"),
        file!()
    );
}
