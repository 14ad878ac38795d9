//! The book cannot lie: what a page quotes, prints, draws or links to is compared with what it is.
//!
//! A comment above a block says where the block comes from:
//!
//! ```text
//! <!-- quote: src/waker.rs: fn clone -->       the item of that file that begins so
//! <!-- quote: src/waker.rs: fn a … fn b -->    from the line that begins so to that one
//! <!-- output: example 34 v2 -->               what `cargo run -- example 34 v2` prints
//! <!-- output: example 34: v1 … v2 -->         of that, from the line that begins so to that one
//! <!-- output: example 49, times aside -->     the same, on the real clock: but for `seconds`
//! <!-- output: the program above, lines joined -->   what the last block of Rust prints
//! <!-- same: example 1: example 1 v1 -->       two calls print the same
//! <!-- change: examples/34_hog.rs -->          a change of that file, for the reader to make
//! <!-- output: example 34 v2, changed -->      with all changes of the section, it prints this
//! <!-- output: example 5, changed, hangs -->   what it prints, and then it does not end
//! <!-- error: example 2, changed -->           it fails, and says this
//! <!-- error: check, changed -->               it does not compile, and the compiler says this
//! <!-- figure: example 22 v2 -->               the image below is what `--trace svg` draws
//! <!-- unchecked: a drawing -->                nobody compares it, and this is why
//! ```
//!
//! A quote that is marked `text` is a picture in the comment at the head of a file.
//!
//! After a change that was meant, `HANDSPUN_BLESS=1 cargo test --test book` writes blocks and
//! figures anew (build the examples first: `cargo build --examples`); read the difference.
//!
//! That the code of the pages compiles and does what it says is tested too, but not here: each page
//! is included in `src/book.rs`, and its Rust is a doctest. `tests/book/page.rs` reads a page,
//! `tests/book/misread.rs` finds what is not written as that reads it, the rest is here.

#[path = "book/changed.rs"]
mod changed;
#[path = "book/lint_page.rs"]
mod lint_page;
#[path = "book/misread.rs"]
mod misread;
#[path = "book/page.rs"]
mod page;
#[path = "support/examples.rs"]
mod programs;

use changed::Changed;
use page::{Block, Page, pages};
use programs::{Folder, ROOT, command, examples, is_blessing, output, stderr, stdout};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

// Blocks that come from elsewhere.

#[test]
fn a_quote_is_what_its_source_says() {
    compare("quote", |_, source, block| {
        let (file, part) = source.split_once(": ").ok_or("say `FILE: FIRST LINE`")?;
        let text = fs::read_to_string(Path::new(ROOT).join(file))
            .map_err(|error| format!("{file}: {error}"))?;
        match block.info.as_str() {
            "rust,ignore" => page::part(&text, part),
            "text" => page::picture(&without_comment_signs(&text), part),
            _ => Err("the block below must be marked ```rust,ignore or ```text".to_string()),
        }
    });
}

/// What the comment at the head of a file says.
fn without_comment_signs(text: &str) -> String {
    let head = text.lines().map_while(|line| line.strip_prefix("//!"));
    head.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_output_is_what_its_example_prints() {
    compare("output", |page, source, block| {
        if block.info != "text" {
            return Err("the block below must be marked ```text".to_string());
        }
        let (call, part) = match source.split_once(": ") {
            Some((call, part)) => (call, Some(part)),
            None => (source, None),
        };
        let of = |printed: &str| match part {
            Some(part) => page::part(printed, part),
            None => Ok(printed.to_string()),
        };
        match call.split_once(", ").unwrap_or((call, "")) {
            (call, "") => of(&stdout(&call_example(call, &[])?)),
            (call, "times aside") => on_the_real_clock(call, of, &block.text),
            ("the program above", "lines joined") => {
                let program = changed::program(&page.program_above(block.line)?)?;
                let printed = stdout(&output(&mut Command::new(program))?);
                match printed.trim_end() == block.text.replace('\n', " ") {
                    true => Ok(block.text.clone()),
                    false => Ok(printed),
                }
            }
            (call, "changed") => of(&stdout(&output(&mut call_changed(page, block, call)?)?)),
            (call, "changed, hangs") => {
                of(&until_it_hangs(&mut call_changed(page, block, call)?, block)?)
            }
            (_, how) => Err(format!("`{how}` is no way to call an example")),
        }
    });
}

/// Real times are others each time, and what they let come first. The page has one that there is.
fn on_the_real_clock(
    call: &str,
    of: impl Fn(&str) -> Result<String, String>,
    expected: &str,
) -> Result<String, String> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let begun = Instant::now();
    loop {
        let printed = of(&stdout(&call_example(call, &[])?))?;
        if timeless(&printed) == timeless(expected) {
            return Ok(expected.to_string());
        }
        if begun.elapsed() > PATIENCE {
            return Ok(printed);
        }
    }
}

/// The lanes of a drawing without its times, and without the room that these take.
fn timeless(drawing: &str) -> Vec<String> {
    let lanes = drawing.trim_end().lines().filter(|line| !line.starts_with("seconds"));
    let squeezed = |lane: &str| {
        let marks: Vec<&str> = lane.split([' ', '─']).filter(|mark| !mark.is_empty()).collect();
        marks.join(" ")
    };
    lanes.map(squeezed).collect()
}

#[test]
fn what_a_page_calls_an_error_is_said_by_what_it_is_of() {
    compare("error", |page, source, block| {
        let call = source.strip_suffix(", changed").ok_or("say `…, changed`")?;
        let failed = match call {
            "check" => changed(page, block)?.check(),
            _ => output(&mut call_changed(page, block, call)?)?,
        };
        if failed.status.success() {
            return Err("it does not fail".to_string());
        }
        if block.text.split_whitespace().count() < 3 {
            return Err(format!("say which words of this matter:\n{}", stderr(&failed)));
        }
        // The page may break a long line.
        let joined = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = stderr(&failed);
        match joined(&said).contains(&joined(&block.text)) {
            true => Ok(block.text.clone()),
            false => Err(format!("the page says\n{}\nbut it says\n{said}", block.text)),
        }
    });
}

#[test]
fn each_change_stands_above_what_comes_of_it() {
    let mut breaches = Vec::new();
    for page in pages() {
        let results = [page.directives("output"), page.directives("error")].concat();
        let spans = page.spans();
        for (line, file) in page.directives("change") {
            let section = page.section(line);
            let mut told = spans.iter().filter(|(at, _)| section.contains(at));
            if !told.any(|(_, span)| file.ends_with(span.as_str()) && span.ends_with(".rs")) {
                breaches.push(format!("{}:{line}: no word on where {file} is", page.path));
            }
            let is_of_it =
                |(at, what): &(usize, &str)| section.contains(at) && what.contains(", changed");
            if !results.iter().any(is_of_it) {
                breaches.push(format!("{}:{line}: nothing is made with this change", page.path));
            }
        }
    }
    assert_true_to_life(breaches);
}

/// rustdoc sees that it does not compile, and only a nightly one why.
#[test]
fn what_is_not_to_compile_fails_with_the_error_that_its_block_names() {
    let mut breaches = Vec::new();
    for page in pages() {
        for (line, info) in page.fences() {
            let Some((_, code)) = info.split_once("compile_fail") else {
                continue;
            };
            let block = page.block_below(line - 1).expect("the fence is there");
            let Some(code) = code.strip_prefix(',') else {
                // Then it is a lint, and lints are capped here. rustdoc sees that it is denied.
                if !block.text.contains("#![deny(") {
                    breaches.push(format!("{}:{line}: say which error, as in `,E0277`", page.path));
                }
                continue;
            };
            match changed::program(&block.text) {
                Err(said) if said.contains(&format!("error[{code}]")) => {}
                Err(said) => {
                    breaches.push(format!("{}:{line}: not {code}, but\n{said}", page.path));
                }
                Ok(_) => breaches.push(format!("{}:{line}: it compiles", page.path)),
            }
        }
    }
    assert_true_to_life(breaches);
}

#[test]
fn what_a_page_calls_the_same_is_the_same() {
    let mut breaches = Vec::new();
    for page in pages() {
        for (line, directive) in page.directives("same") {
            let printed = |call: &str| Ok::<_, String>(stdout(&call_example(call, &[])?));
            let compared = match directive.split_once(": ") {
                Some((one, other)) if one == other => Err("name two calls that differ".to_string()),
                Some((one, other)) => printed(one).and_then(|one| Ok((one, printed(other)?))),
                None => Err("say `ONE CALL: THE OTHER`".to_string()),
            };
            match compared {
                Err(error) => breaches.push(format!("{}:{line}: {error}", page.path)),
                Ok((one, other)) if one == other => {}
                Ok((one, other)) => {
                    breaches.push(format!(
                        "{}:{line}: {directive}: one prints\n{one}\nthe other\n{other}",
                        page.path
                    ));
                }
            }
        }
    }
    assert_true_to_life(breaches);
}

/// A copy with all the changes of the section in which this block stands.
fn changed(page: &Page, block: &Block) -> Result<Changed, String> {
    let section = page.section(block.line);
    let mut changes = page.directives("change");
    changes.retain(|(line, _)| section.contains(line));
    if changes.is_empty() {
        return Err("there is no change in this section".to_string());
    }
    let name = page.path.replace('/', "-");
    let mut changed = Changed::nothing(&format!("{name}-{}", block.line));
    for (line, file) in changes {
        let diff = page.block_below(line).ok_or("there is no block below the change")?;
        let made = changed.apply(file, &diff.text);
        made.map_err(|wrong| format!("the change in line {line} cannot be made: {wrong}"))?;
    }
    Ok(changed)
}

/// An example with the changes around this block, to be called so.
fn call_changed(page: &Page, block: &Block, call: &str) -> Result<Command, String> {
    let mut words = call.split_whitespace().skip(1);
    let example = words.next().and_then(by_number);
    let example = example.ok_or_else(|| format!("`{call}`: say `example NUMBER`"))?;
    let mut program = Command::new(changed(page, block)?.build(&example)?);
    program.current_dir(ROOT).args(words).env("RUST_BACKTRACE", "0");
    Ok(program)
}

/// What a program prints that does not end.
fn until_it_hangs(program: &mut Command, block: &Block) -> Result<String, String> {
    /// So long it prints no more, when it has printed what it should.
    const SILENCE: Duration = Duration::from_millis(500);
    /// In bytes. It prints for ever.
    const LONG: usize = 100_000;
    let mut child = program.stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let (sender, lines) = channel();
    let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    thread::spawn(move || stdout.lines().try_for_each(|line| sender.send(line).map_err(drop)));
    let mut printed = String::new();
    let mut missing = block.text.lines().count();
    loop {
        let patience = if missing == 0 { SILENCE } else { 20 * SILENCE };
        match lines.recv_timeout(patience) {
            Ok(Ok(line)) if printed.len() < LONG => printed += &format!("{line}\n"),
            Ok(_) | Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => {
                let _ = child.wait();
                return Err(format!("it has ended after\n{printed}"));
            }
        }
        missing = missing.saturating_sub(1);
    }
    let _ = child.kill();
    let _ = child.wait();
    Ok(printed)
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
                        breaches.push(format!(
                            "{}:{line}: docs/figures/{file} is not what `{directive}` draws",
                            page.path
                        ));
                    }
                }
            }
            used.insert(file);
        }
    }
    for entry in fs::read_dir(Path::new(ROOT).join("docs/figures")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !used.contains(&name) {
            breaches.push(format!("docs/figures/{name}:1: is the figure of no page"));
        }
    }
    assert_true_to_life(breaches);
}

/// Compares the blocks below comments of this kind with what `made` makes of the comment, or has
/// them written anew.
fn compare(kind: &str, made: impl Fn(&Page, &str, &Block) -> Result<String, String>) {
    static ONE_AFTER_THE_OTHER: Mutex<()> = Mutex::new(());
    let _writing = is_blessing().then(|| ONE_AFTER_THE_OTHER.lock());
    let mut breaches = Vec::new();
    for mut page in pages() {
        let mut rewritten = Vec::new();
        for (line, directive) in page.directives(kind) {
            let Some(block) = page.block_below(line) else {
                breaches.push(format!("{}:{line}: there is no block below", page.path));
                continue;
            };
            match made(&page, directive, &block) {
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
    let output = output(program.args(arguments).args(more))?;
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
        // As the companion builds it, for `--break`.
        build.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0");
        let built = build.current_dir(ROOT).output().expect("cargo can be called");
        assert!(built.status.success(), "{}", stderr(&built));
        target
    });
    format!("{target}/debug/examples/{example}{}", env::consts::EXE_SUFFIX)
}

#[test]
fn a_rule_that_is_none_ends_the_program_and_is_named() {
    for (rule, said) in [
        (OsString::from("fifo"), "HANDSPUN_BREAK=fifo breaks no rule"),
        (OsString::from("lifo:7"), "HANDSPUN_BREAK=lifo:7 breaks no rule"),
        (not_utf_8(), "breaks no rule"),
    ] {
        let mut program = Command::new(breakable("34_hog"));
        let output = program.env("HANDSPUN_BREAK", &rule).output().unwrap();
        assert!(!output.status.success(), "{rule:?}");
        assert!(stderr(&output).contains(said), "{rule:?}: {}", stderr(&output));
    }
    // Empty is as good as not set.
    let output = Command::new(breakable("34_hog")).env("HANDSPUN_BREAK", "").output().unwrap();
    assert!(output.stdout == fs::read(programs::expectation("34_hog")).unwrap());
}

#[cfg(unix)]
fn not_utf_8() -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(vec![0xff])
}

#[cfg(not(unix))]
fn not_utf_8() -> OsString {
    OsString::from("?")
}

/// The examples that some page calls with `--break`.
fn broken_examples() -> BTreeSet<String> {
    let mut broken = BTreeSet::new();
    for page in pages() {
        let text = page.text();
        let calls = text.lines().filter(|line| line.contains(" --break "));
        let calls = calls.flat_map(|line| line.split("example ").skip(1));
        let numbers = calls.filter_map(|call| call.split([' ', '`']).next());
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
fn every_number_of_an_example_a_chapter_an_exercise_or_a_promise_is_one_of_them() {
    let promises = count_of_promises();
    let exercises = exercises();
    let chapters = chapters().len() as u32;
    let is_example = |n: u32| by_number(&n.to_string()).is_some();
    let mut breaches = Vec::new();
    for page in pages() {
        for (kind, is_one) in [
            ("example", &is_example as &dyn Fn(u32) -> bool),
            ("promise", &|n| (1..=promises).contains(&n)),
            ("chapter", &|n| n < chapters),
            ("exercise", &|n| exercises.contains(&n)),
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

/// The numbers of the exercises.
fn exercises() -> BTreeSet<u32> {
    let numbers = exercise_folders().into_iter();
    numbers.filter_map(|name| name.split('_').next()?.parse().ok()).collect()
}

fn exercise_folders() -> BTreeSet<String> {
    let entries = fs::read_dir(Path::new(ROOT).join("examples/exercises/tests")).unwrap().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn the_page_of_the_exercises_lists_them_all() {
    let file = Path::new(ROOT).join("docs/exercises.md");
    let page = fs::read_to_string(&file).unwrap();
    let mut rows = String::new();
    for Exercise {
        path,
        number,
        title,
        stars,
        minutes,
        chapter,
    } in described_exercises()
    {
        let of_chapter = chapter.trim_start_matches('0').split('-').next().unwrap();
        let chapter = format!("[{of_chapter}]({chapter})");
        rows += &format!("| {number} | [{title}](../{path}) | {stars} | {minutes} | {chapter} |\n");
    }
    let (before, rest) = page.split_once("|---|---|---|---|---|\n").unwrap();
    let (table, after) = rest.split_once("\n\n").unwrap();
    if is_blessing() {
        let page = format!("{before}|---|---|---|---|---|\n{rows}\n{after}");
        fs::write(file, page).unwrap();
        return;
    }
    assert_eq!(format!("{table}\n"), rows, "Was it meant? See the top of {}.", file!());
}

#[test]
fn each_exercise_stands_in_its_chapter_as_its_readme_has_it() {
    let mut breaches = Vec::new();
    for Exercise {
        number,
        title,
        stars,
        minutes,
        chapter,
        ..
    } in described_exercises()
    {
        let page = fs::read_to_string(Path::new(ROOT).join("docs").join(&chapter)).unwrap();
        let number = number.trim_start_matches('0');
        let head = format!("\n**Exercise {number}: {title}** ({stars}, {minutes} minutes).");
        if !page.contains(&head) {
            breaches.push(format!("docs/{chapter}: has no paragraph that begins with {head:?}"));
        }
    }
    assert_true_to_life(breaches);
}

/// What the README of an exercise says of it at its top.
struct Exercise {
    path: String,
    number: String,
    title: String,
    stars: String,
    minutes: String,
    /// A file in `docs`.
    chapter: String,
}

fn described_exercises() -> Vec<Exercise> {
    let described = |folder: String| {
        let path = format!("examples/exercises/tests/{folder}/README.md");
        let readme = fs::read_to_string(Path::new(ROOT).join(&path)).unwrap();
        let mut lines = readme.lines();
        let (number, title) = lines.next().unwrap()[2..].split_once(' ').unwrap();
        let facts: Vec<&str> = lines.nth(1).unwrap().split(" · ").collect();
        let [stars, minutes, chapter] = facts[..] else {
            panic!("{path}:3: say stars, minutes and chapter");
        };
        let chapter = chapter.split_once("docs/").unwrap().1.trim_end_matches(')');
        Exercise {
            number: number.to_string(),
            title: title.to_string(),
            stars: stars.to_string(),
            minutes: minutes.trim_end_matches(" minutes").to_string(),
            chapter: chapter.to_string(),
            path,
        }
    };
    exercise_folders().into_iter().map(described).collect()
}

#[test]
fn every_section_of_the_design_that_a_page_names_is_there() {
    let design = fs::read_to_string(Path::new(ROOT).join("docs/design.md")).unwrap();
    let mut breaches = Vec::new();
    for page in pages() {
        for (line, piece, _) in page.pieces() {
            for rest in piece.split('§').skip(1) {
                let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
                if !design.contains(&format!("\n## {number}. ")) {
                    breaches.push(format!("{}:{line}: there is no §{number}", page.path));
                }
            }
        }
    }
    assert_true_to_life(breaches);
}

/// Figures of speed stand in rows, as in `| \`yield_1\` | 15 | 0.07 |`, and in paragraphs that name
/// a row, or §14 of the design. What has two decimals or more is a ratio.
#[test]
fn every_figure_of_speed_is_that_of_the_benchmark_in_the_design() {
    let design = fs::read_to_string(Path::new(ROOT).join("docs/design.md")).unwrap();
    // In earlier sections there are earlier figures.
    let row = |name: &str| design.lines().rfind(|line| line.starts_with(&format!("| `{name}` |")));
    let functions = source_of(&["src"]);
    let is_function = |name: &str| functions.contains(&format!("fn {name}"));
    let mut breaches = Vec::new();
    for page in pages().iter().filter(|page| page.path != "docs/design.md") {
        for (line, text) in page.paragraphs() {
            let names: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
            let rows: Vec<&str> = names.iter().filter_map(|name| row(name)).collect();
            let is_row = text.starts_with("| `") && text.ends_with(" |") && {
                let figures = text.split(" | ").skip(2).collect::<String>();
                row(names[0]).is_some() || figures.contains(" ns")
            };
            let names_rows = ["§14", "row `", "rows `"].iter().any(|sign| text.contains(sign));
            if !is_row && !names_rows {
                continue;
            }
            let names = names.into_iter().filter(|name| is_identifier(name) && name.contains('_'));
            for name in names.filter(|name| row(name).is_none() && !is_function(name)) {
                breaches.push(format!("{}:{line}: there is no row {name}", page.path));
            }
            let words = text.split([' ', ',', '(', ')', ';', ':', '*']);
            let words = words.map(|word| word.trim_end_matches('.'));
            for ratio in words.filter(|word| is_ratio(word)) {
                if !rows.iter().any(|row| row.split(' ').any(|word| word == ratio)) {
                    breaches.push(format!("{}:{line}: no such row has {ratio}", page.path));
                }
            }
            for time in nanoseconds(&text) {
                if !rows.iter().any(|row| row.split(' ').any(|word| is_about(time, word))) {
                    breaches.push(format!("{}:{line}: no such row has {time} ns", page.path));
                }
            }
        }
    }
    assert_true_to_life(breaches);
}

fn is_identifier(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_ratio(word: &str) -> bool {
    let decimals = word.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    decimals >= 2 && word.parse::<f64>().is_ok()
}

/// The numbers that stand before `ns`.
fn nanoseconds(text: &str) -> Vec<f64> {
    let words: Vec<&str> = text.split([' ', '(', '*']).filter(|word| !word.is_empty()).collect();
    let times = words.windows(2).filter(|pair| pair[1].starts_with("ns"));
    times.filter_map(|pair| pair[0].replace(',', "").parse().ok()).collect()
}

/// A page may round.
fn is_about(time: f64, measured: &str) -> bool {
    measured
        .replace(',', "")
        .parse()
        .is_ok_and(|measured: f64| (time - measured).abs() <= measured / 20.0)
}

/// Names of so many words are those of tests.
const WORDS_OF_A_TEST: usize = 5;

#[test]
fn every_test_that_a_page_names_is_there() {
    let tests = source_of(&["src", "tests"]);
    let all = source_of(&["src", "tests", "examples"]);
    let mut breaches = Vec::new();
    for page in pages() {
        for (line, span) in page.spans() {
            let is_test = is_identifier(&span) && span.split('_').count() >= WORDS_OF_A_TEST;
            if is_test && !tests.contains(&format!("fn {span}(")) {
                breaches.push(format!("{}:{line}: there is no test `{span}`", page.path));
            }
            let is_name = span.strip_prefix("fn ").is_some_and(is_identifier);
            if is_name && !all.contains(&span) {
                breaches.push(format!("{}:{line}: there is no `{span}`", page.path));
            }
            if let Some(path) = span.strip_prefix("git checkout ")
                && !Path::new(ROOT).join(path).exists()
            {
                breaches.push(format!("{}:{line}: there is no {path}", page.path));
            }
        }
    }
    assert_true_to_life(breaches);
}

/// All the Rust in these folders.
fn source_of(folders: &[&str]) -> String {
    let mut source = String::new();
    let mut folders: Vec<_> = folders.iter().map(|folder| Path::new(ROOT).join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("an entry of it").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                source += &fs::read_to_string(path).expect("source is UTF-8");
            }
        }
    }
    source
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
    let is_tested = |path: &str| {
        let file = format!("\"{path}\",");
        doctests.lines().any(|line| line.ends_with(&file) && !line.trim().starts_with("//"))
    };
    let mut breaches = Vec::new();
    for page in pages() {
        let Some(path) = page.path.strip_prefix("docs/") else {
            continue;
        };
        if path == "SUMMARY.md" {
            continue;
        }
        if contents.matches(&format!("]({path})")).count() != 1 {
            breaches.push(format!("{}:1: is not in docs/SUMMARY.md, or not once", page.path));
        }
        if page.text().contains("\n```rust") && !is_tested(path) {
            breaches.push(format!("{}:1: is not in src/book.rs", page.path));
        }
        let title = page.line(1).trim_start_matches("# ").replace('`', "");
        if !contents.replace('`', "").contains(&format!("[{title}]({path})")) {
            breaches.push(format!("{}:1: is called otherwise in docs/SUMMARY.md", page.path));
        }
    }
    assert_true_to_life(breaches);
}

#[test]
fn the_contents_have_the_chapters_in_order() {
    let contents = fs::read_to_string(Path::new(ROOT).join("docs/SUMMARY.md")).unwrap();
    let listed: Vec<&str> = contents.lines().filter_map(|line| line.strip_prefix("- [")).collect();
    let listed: Vec<&str> =
        listed.into_iter().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect();
    for (number, page) in chapters().iter().enumerate() {
        let file = page.path.trim_start_matches("docs/");
        let title = page.line(1);
        assert!(file.starts_with(&format!("{number:02}-")), "{file} is not number {number}");
        assert!(title.starts_with(&format!("# {number}. ")), "{file} is called {title}");
        assert!(listed[number].contains(&format!("]({file})")), "{file} is not in its place");
    }
}

#[test]
fn every_page_is_written_as_these_tests_read_it() {
    let mut breaches = Vec::new();
    for page in pages() {
        let found = misread::misread(&page).into_iter();
        breaches.extend(found.map(|(line, wrong)| format!("{}:{line}: {wrong}", page.path)));
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
fn each_figure_of_a_chapter_has_a_caption_and_the_way_to_its_player() {
    let mut breaches = Vec::new();
    for page in chapters() {
        let text = page.text().replace('\n', " ");
        let paragraphs = page.paragraphs();
        for (line, example) in page.directives("figure") {
            let mut breach = |what: &str| breaches.push(format!("{}:{line}: {what}", page.path));
            let mut below = paragraphs.iter().filter(|(begin, _)| *begin > line);
            if below.nth(1).is_none_or(|(_, caption)| !caption.starts_with('*')) {
                breach("below a figure stands a caption, in italics");
            }
            // Another stage of the example may be the one that is played.
            let number = example.split(" v").next().unwrap_or_default();
            let command = format!("cargo run -- {number} ");
            let calls = text.split(&command).skip(1);
            let mut calls = calls.filter_map(|rest| rest.split('`').next());
            if !calls.any(|arguments| arguments.contains("--trace html")) {
                breach("nowhere on the page stands how to play the run");
            }
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
fn every_command_works() {
    let folder = Folder::new("book-commands");
    let rows = source_of(&["tests/bench"]);
    let mut seen = BTreeSet::new();
    let mut breaches = Vec::new();
    for page in pages() {
        let spans = page.spans();
        let in_text = spans.iter().filter(|(_, span)| span.starts_with("cargo run"));
        let in_text = in_text.map(|(line, span)| (*line, span.as_str()));
        for (line, text) in page.commands().into_iter().chain(in_text) {
            let text = text.split(" #").next().unwrap_or_default();
            for command in text.split(" && ").map(str::trim) {
                if seen.insert(command.to_string())
                    && let Err(error) = try_command(command, &folder, &rows)
                {
                    breaches.push(format!("{}:{line}: `{command}`: {error}", page.path));
                }
            }
        }
    }
    assert_true_to_life(breaches);
}

/// Runs a command of a page, if that is quick, else looks whether what it names is there.
fn try_command(command: &str, folder: &Folder, rows: &str) -> Result<(), String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let is_set = |word: &&str| word.contains('=') && word.starts_with(|c: char| c.is_uppercase());
    let set = words.iter().take_while(|word| is_set(word)).count();
    match words[set..] {
        ["cargo", "run", "--example", name, ref rest @ ..] => {
            if !examples().contains(name) {
                return Err(format!("there is no example {name}"));
            }
            let number = name.split('_').next().unwrap_or_default();
            let arguments = rest.strip_prefix(&["--"]).unwrap_or(rest);
            try_example(&[&["example", number], arguments].concat(), folder)
        }
        ["cargo", "run", "--", "example", ..] => try_example(&words[set + 3..], folder),
        [
            "cargo",
            "run",
            "--",
            "ex" | "exercise" | "check" | "hint" | "solution" | "reset" | "trace",
            ref rest @ ..,
        ] => {
            // They open what is the learner's. Is there such an exercise?
            let which = rest.first().copied().unwrap_or("all");
            let is_there = which == "all"
                || exercises().iter().any(|number| which.parse() == Ok(*number))
                || exercise_folders().iter().any(|folder| folder.contains(which));
            is_there.then_some(()).ok_or_else(|| format!("there is no exercise {which}"))
        }
        ["cargo", "run"] => try_companion(&[]),
        ["cargo", "run", "--", ref rest @ ..] => try_companion(rest),
        ["cargo", "test", ref rest @ ..] => {
            let asked = rest.windows(2).filter(|pair| pair[0] == "--test").map(|pair| pair[1]);
            let package =
                if rest.contains(&"handspun-exercises") { "examples/exercises" } else { "." };
            let tests = Path::new(ROOT).join(package).join("tests");
            let is_there = |test: &str| {
                tests.join(format!("{test}.rs")).exists()
                    || tests.join(test).join("main.rs").exists()
            };
            match asked.into_iter().find(|test| !is_there(test)) {
                Some(test) => Err(format!("there are no tests {test}")),
                None => Ok(()),
            }
        }
        ["cargo", "bench", ref rest @ ..] => {
            let asked = rest.iter().filter(|word| !word.starts_with('-'));
            match asked.into_iter().find(|word| !rows.contains(&format!("\"{word}"))) {
                Some(word) => Err(format!("no row begins with {word}")),
                None => Ok(()),
            }
        }
        ["cargo", "build" | "check" | "doc", ..] => Ok(()),
        ["cargo", ..] => Err("cargo is called otherwise than these tests know".to_string()),
        [program, ..] if program.contains('/') || program == "valgrind" => Ok(()),
        _ => Err("is no command that these tests know".to_string()),
    }
}

fn try_example(words: &[&str], folder: &Folder) -> Result<(), String> {
    // Servers serve until they are told to stop.
    if words.get(2) == Some(&"serve") {
        return Ok(());
    }
    let drawing = folder.path("drawing");
    let mut words: Vec<&str> = words.to_vec();
    // What a shell makes of it.
    if let Some(at) = words.iter().position(|word| *word == "*.md") {
        words.splice(at..=at, ["CHANGELOG.md", "README.md"]);
    }
    // Where it says no file, it would be drawn in the root.
    if let Some(at) = words.iter().position(|word| matches!(*word, "html" | "svg" | "chrome")) {
        words.insert(at + 1, &drawing);
    }
    call_example(&words.join(" "), &[]).map(drop)
}

fn try_companion(arguments: &[&str]) -> Result<(), String> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_handspun"));
    let output = output(program.args(arguments))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(stderr(&output)),
    }
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
