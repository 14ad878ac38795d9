//! The house rules, as tests: they read the source tree as text and name file and line of each
//! breach.
//!
//! The rule that matters most is the first. `LAYERS` is the map of the crate: a file knows of what
//! stands before it in the table and of nothing else, so there are no circles, and to understand a
//! file nobody needs one that comes after it.
//!
//! `tidy/rust.rs` reads the code, the rest here is words.

#[path = "tidy/rust.rs"]
mod rust;

use rust::{Import, imports, in_name, module, resolve, tokens};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// All files of `src`, by rows. A file imports only from the rows above its own, and in its own row
/// from those before it.
#[rustfmt::skip]
const LAYERS: &[&[&str]] = &[
    &[
        "panics.rs", "pin.rs", "random.rs", "thread.rs", "slab.rs", "list.rs", "name.rs",
        "waits.rs", "time/wheel.rs",
    ],
    &[
        "trace/event.rs", "trace/state.rs", "trace/layout.rs", "trace/text/story.rs",
        "trace/text.rs", "trace/svg/shapes.rs", "trace/svg/strip.rs", "trace/svg.rs",
        "trace/json.rs", "trace/chrome.rs", "trace/lint/found.rs", "trace/lint/view.rs",
        "trace/lint/ends.rs", "trace/lint/spins.rs", "trace/lint/polls.rs",
        "trace/lint/timers.rs", "trace/lint/locks.rs", "trace/lint.rs", "trace/html.rs",
        "trace/output.rs",
    ],
    &["future/join.rs", "future/join_all.rs", "future/race.rs", "future/mod.rs"],
    &[
        "sync/guarded.rs", "sync/wait_queue.rs", "sync/permits.rs", "sync/semaphore.rs",
        "sync/mutex.rs", "sync/rwlock.rs", "sync/notify.rs", "sync/barrier.rs", "sync/once_cell.rs",
        "sync/oneshot.rs", "sync/mpsc/error.rs", "sync/mpsc/mod.rs", "sync/mpsc/bounded.rs",
        "sync/mpsc/unbounded.rs", "sync/watch.rs", "sync/broadcast.rs",
        "sync/cancellation_token.rs", "sync/mod.rs",
    ],
    &["macros/branches.rs", "macros.rs"],
    &["mailbox.rs", "time/clock.rs"],
    &[
        "net/sys.rs", "net/bell.rs", "net/reactor.rs", "executor/timers.rs",
        "executor/recorder.rs", "executor/holders.rs", "executor/stall.rs", "executor/rules.rs",
    ],
    &["executor/scheduler.rs", "executor/watch.rs"],
    &["waker.rs"],
    &["executor/mod.rs"],
    &[
        "task/error.rs", "task/cell.rs", "task/join.rs", "task/mod.rs", "task/blocking.rs",
        "task/join_set.rs",
    ],
    &[
        "time/sleep.rs", "time/timeout.rs", "time/interval.rs", "time/send_timeout.rs",
        "time/mod.rs",
    ],
    &[
        "net/socket.rs", "net/lookup.rs", "net/tcp/stream.rs", "net/tcp/split.rs",
        "net/tcp/listener.rs", "net/tcp/mod.rs", "net/udp.rs", "net/mod.rs",
    ],
    &["trace/mod.rs"],
    &["book.rs", "lib.rs"],
];

/// The order in which the files are read: the header of each names the next one.
#[rustfmt::skip]
const WALKS: &[&[&str]] = &[
    &[
        "slab.rs", "name.rs", "mailbox.rs", "executor/scheduler.rs", "waker.rs", "executor/mod.rs",
        "task/cell.rs", "task/join.rs", "task/mod.rs",
    ],
    &[
        "list.rs", "time/wheel.rs", "time/clock.rs", "executor/timers.rs", "time/sleep.rs",
        "time/timeout.rs", "time/interval.rs",
    ],
    &["future/join.rs", "future/join_all.rs", "future/race.rs", "macros.rs"],
    &[
        "waits.rs", "thread.rs", "sync/guarded.rs", "sync/wait_queue.rs", "sync/permits.rs",
        "sync/semaphore.rs", "sync/mutex.rs", "sync/rwlock.rs", "sync/notify.rs",
        "sync/barrier.rs", "sync/once_cell.rs", "sync/oneshot.rs", "sync/mpsc/mod.rs",
        "sync/watch.rs", "sync/broadcast.rs", "sync/cancellation_token.rs",
    ],
    &[
        "net/sys.rs", "net/bell.rs", "net/reactor.rs", "net/socket.rs", "net/lookup.rs",
        "net/tcp/stream.rs", "net/tcp/split.rs", "net/tcp/listener.rs", "net/udp.rs",
    ],
    &[
        "executor/recorder.rs", "executor/watch.rs", "trace/event.rs", "trace/state.rs",
        "trace/layout.rs", "trace/text.rs", "trace/svg.rs", "trace/html.rs", "trace/chrome.rs",
        "trace/lint.rs", "trace/output.rs",
    ],
];

/// The files, and the folders, that may contain `unsafe`. Outside of `src`: a counting allocator,
/// for the benchmark; a waker that sees its own clones, for the hostile tests; signals to a thread
/// whose handle is borrowed, so that it is neither joined nor detached, with a handler that only
/// counts; and the answers of the exercise in which a raw waker is written.
const UNSAFE: &[&str] = &[
    "src/waker.rs",
    "src/task/cell.rs",
    "src/pin.rs",
    "src/net/sys.rs",
    "tests/bench/alloc.rs",
    "tests/support/hostile.rs",
    "tests/support/signal.rs",
    "examples/exercises/tests/03_join2/solution.rs",
    "examples/exercises/tests/05_raw_waker/starter.rs",
    "examples/exercises/tests/05_raw_waker/solution.rs",
];

/// The only file of `src` that reads the real clock.
const CLOCK: &str = "src/time/clock.rs";

/// What promises work that is not done, or was left behind by it.
const UNFINISHED: &[&str] = &[
    "TODO",
    "FIXME",
    "XXX",
    "todo!",
    "unimplemented!",
    "dbg!",
    "<<<<<<<",
    ">>>>>>>",
];

const MAX_COLUMNS: usize = 100;

/// What may lie at the top, besides files whose name begins with a dot or with `LICENSE-`.
#[rustfmt::skip]
const TOP_LEVEL: &[&str] = &[
    "CHANGELOG.md", "Cargo.lock", "Cargo.toml", "README.md", "docs", "examples", "src", "target",
    "tests",
];

// The rules.

#[test]
fn a_file_imports_only_what_stands_before_it_in_the_layers() {
    let order: Vec<&str> = LAYERS.iter().copied().flatten().copied().collect();
    let place = |file: &str| order.iter().position(|&other| other == file);
    let files = library();
    let mut breaches = Vec::new();
    for &file in &order {
        if !files.contains_key(file) {
            breaches.push(format!("src/{file}:1: is in LAYERS but does not exist: take it out"));
        }
    }
    let modules: Vec<Vec<String>> = files.keys().map(|file| module(file)).collect();
    let imports_of = |source: &Source| imports(source.in_src(), &source.text, &modules);
    let all: BTreeMap<&str, Vec<Import>> =
        files.values().map(|source| (source.in_src(), imports_of(source))).collect();
    for (&file, imports) in &all {
        let Some(own) = place(file) else {
            breaches.push(format!("src/{file}:1: is not in LAYERS: give it a place there"));
            continue;
        };
        for import in imports {
            let Some(target) = resolve(&import.path, &all) else {
                continue;
            };
            // A module that shows its children's names to others does not use them.
            let shows = import.public && module(&target).starts_with(&module(file));
            if target != file && !shows && place(&target).is_some_and(|target| target > own) {
                breaches.push(format!(
                    "src/{file}:{}: `{}` is in src/{target}, which stands after this file in \
                     LAYERS: move the item down, or this use of it up",
                    import.line,
                    import.path.join("::"),
                ));
            }
        }
    }
    assert_tidy(breaches);
}

#[test]
fn unsafe_code_stays_in_the_files_that_are_allowed_it() {
    let mut breaches = Vec::new();
    for source in sources(&["src", "examples", "tests"], "rs") {
        if UNSAFE.contains(&source.path.as_str()) {
            continue;
        }
        for token in tokens(&source.text).iter().filter(|token| token.text == "unsafe") {
            breaches.push(format!(
                "{}:{}: unsafe code: do it safely, or with what is in {UNSAFE:?}",
                source.path, token.line
            ));
        }
    }
    assert_tidy(breaches);
}

#[test]
fn one_file_reads_the_real_clock() {
    let mut breaches = Vec::new();
    for source in sources(&["src"], "rs").iter().filter(|source| source.path != CLOCK) {
        for import in imports(source.in_src(), &source.text, &[]) {
            let path: Vec<&str> = import.path.iter().map(String::as_str).collect();
            // The whole module too: what is called through it is not seen.
            let reads = match path[..] {
                // The companion asks when a file was written.
                ["std", "time", "SystemTime"] => !source.path.starts_with("src/bin/"),
                ["std", "time"] => true,
                ["std", "time", item, ..] => matches!(item, "Instant" | "SystemTime" | "*"),
                _ => false,
            };
            if reads {
                breaches.push(format!(
                    "{}:{}: `{}`: only {CLOCK} reads the real clock: ask the executor's, \
                     `time::Instant`",
                    source.path,
                    import.line,
                    path.join("::"),
                ));
            }
        }
    }
    assert_tidy(breaches);
}

#[test]
fn nothing_is_left_unfinished() {
    let mut breaches = Vec::new();
    let dirs = ["src", "docs", "examples", "README.md"];
    for source in sources(&dirs, "rs").into_iter().chain(sources(&dirs, "md")) {
        for (line, text) in source.lines() {
            let unfinished = UNFINISHED.iter().filter(|word| has_word(text, word));
            // What a learner begins with is to be finished by the learner.
            let allowed = |word: &str| word == "todo!" && is_starter(&source.path);
            for word in unfinished.filter(|word| !allowed(word)) {
                breaches.push(format!("{}:{line}: `{word}`: do it, or drop it", source.path));
            }
        }
    }
    assert_tidy(breaches);
}

#[test]
fn every_rust_file_says_first_what_it_is() {
    let mut breaches = Vec::new();
    for source in sources(&["src", "examples", "tests"], "rs") {
        // What is included in another file cannot have a `//!`.
        let begin = if is_answer(&source.path) { "// " } else { "//! " };
        if !source.text.starts_with(begin) {
            breaches
                .push(format!("{}:1: begin with a `{begin}` that says what this is", source.path));
        }
    }
    assert_tidy(breaches);
}

#[test]
fn each_file_of_a_walk_names_the_next() {
    let files = library();
    let mut breaches = Vec::new();
    for (file, next) in WALKS.iter().flat_map(|walk| walk.iter().zip(&walk[1..])) {
        let header = match files.get(*file) {
            Some(source) => source.header(),
            None => String::new(),
        };
        let link = format!("`{next}`");
        let names = |paragraph: &str| {
            paragraph.contains(&link)
                && (has_word(paragraph, "Next") || has_word(paragraph, "next"))
        };
        if !header.split("\n\n").any(names) {
            breaches.push(format!(
                "src/{file}:1: the header does not lead on: end it with \"Next: {link}\""
            ));
        }
    }
    assert_tidy(breaches);
}

#[test]
fn the_core_walk_is_as_long_as_the_readme_says() {
    let files = library();
    let walk = ["lib.rs"].iter().chain(WALKS[0]);
    let lines = walk.flat_map(|file| files[*file].text.lines().map(str::trim));
    let lines = lines.filter(|line| !line.is_empty());
    let (comments, code): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with("//"));
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(
        "these ten files: seventeen hundred lines of code, and half as many of comments"
    ));
    assert_eq!(1 + WALKS[0].len(), 10);
    assert_eq!((code.len() + 50) / 100, 17, "{} lines of code", code.len());
    let tenths = (10 * comments.len() + code.len() / 2) / code.len();
    assert_eq!(tenths, 5, "{} lines of comments", comments.len());
}

#[test]
fn each_example_names_the_next() {
    let mut breaches = Vec::new();
    let is_example = |source: &Source| {
        let path = source.path.strip_prefix("examples/").unwrap_or_default();
        path.starts_with(|c: char| c.is_ascii_digit())
            && (path.matches('/').count() == 0 || path.ends_with("/main.rs"))
    };
    let examples: Vec<Source> =
        sources(&["examples"], "rs").into_iter().filter(is_example).collect();
    for pair in examples.windows(2) {
        let name = |source: &Source| {
            let path = source.path.trim_end_matches(".rs").trim_end_matches("/main");
            path.trim_start_matches("examples/").to_string()
        };
        let next = format!("Next: `{}`", name(&pair[1]));
        let header = pair[0].header().replace('\n', " ");
        if !header.contains(&next) {
            breaches.push(format!("{}:1: does not say \"{next}\"", pair[0].path));
        }
    }
    assert_tidy(breaches);
}

/// Lines of code: without those that are empty, or a comment.
const MAX_LINES_OF_AN_EXAMPLE: usize = 80;

/// Programs of several hundred lines, to be read after the book. What all examples share.
const LONGER: [&str; 3] = ["62_chat/", "63_http_files/", "support/"];

#[test]
fn no_file_of_an_example_is_long() {
    let mut breaches = Vec::new();
    for source in sources(&["examples"], "rs") {
        let path = source.path.strip_prefix("examples/").unwrap_or_default();
        if path.starts_with("exercises/") || LONGER.iter().any(|longer| path.starts_with(longer)) {
            continue;
        }
        let is_code = |text: &str| !text.trim().is_empty() && !text.trim().starts_with("//");
        let lines = source.lines().filter(|(_, text)| is_code(text)).count();
        if lines > MAX_LINES_OF_AN_EXAMPLE {
            breaches.push(format!(
                "{}:1: {lines} lines of code: no file of an example has more than \
                 {MAX_LINES_OF_AN_EXAMPLE}, so split it, into a folder with a `main.rs`",
                source.path
            ));
        }
    }
    assert_tidy(breaches);
}

#[test]
fn no_line_is_too_long() {
    let mut breaches = Vec::new();
    for source in everything() {
        let markdown = source.path.ends_with(".md");
        for (line, text) in source.lines() {
            let columns = text.chars().count();
            // Rows of a table and links cannot be broken, nor can the facts about an exercise.
            let whole = markdown && text.trim_start().starts_with(['|', '[', '★']);
            if columns > MAX_COLUMNS && !whole {
                breaches.push(format!(
                    "{}:{line}: {columns} columns: break it at {MAX_COLUMNS}",
                    source.path
                ));
            }
        }
    }
    assert_tidy(breaches);
}

#[test]
fn there_is_no_dependency_but_proptest_in_tests() {
    let mut breaches = Vec::new();
    for source in sources(&["Cargo.toml", "examples"], "toml") {
        let mut section = String::new();
        for (line, text) in source.lines() {
            let text = text.split('#').next().unwrap_or("").trim();
            // `[dev-dependencies.name]` is the same as `name = ..` under `[dev-dependencies]`.
            let entry = match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
                Some(header) => {
                    section = header.to_string();
                    header.to_string()
                }
                None if section.ends_with("dependencies") => format!("{section}.{text}"),
                None => continue,
            };
            let Some((kind, dependency)) = entry.split_once("dependencies.") else {
                continue;
            };
            let name = dependency.split([' ', '=', '.']).next().unwrap_or("");
            let allowed = match kind {
                _ if name.is_empty() => true,
                "dev-" => name == "proptest" && source.path == "Cargo.toml",
                _ => name == "handspun" && source.path != "Cargo.toml",
            };
            if !allowed {
                breaches.push(format!(
                    "{}:{line}: `{name}`: the crate stands on std alone, its tests on proptest, \
                     the exercises on the crate: do without",
                    source.path
                ));
            }
        }
    }
    assert_tidy(breaches);
}

#[test]
fn the_top_level_holds_only_what_belongs_there() {
    let mut breaches = Vec::new();
    for entry in fs::read_dir(root()).expect("the crate's own directory") {
        let name = entry.expect("an entry of it").file_name().to_string_lossy().into_owned();
        let dotted = name.starts_with('.') || name.starts_with("LICENSE-");
        if !dotted && !is_drawing(&name) && !TOP_LEVEL.contains(&name.as_str()) {
            breaches.push(format!("{name}:1: does not belong at the top level: move it"));
        }
    }
    assert_tidy(breaches);
}

/// What an example with `--trace` leaves, which is in `.gitignore`.
fn is_drawing(name: &str) -> bool {
    let is_numbered = name.len() > 3 && name.as_bytes()[..2].iter().all(u8::is_ascii_digit);
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    is_numbered && matches!(extension, Some("html" | "json" | "svg"))
}

#[test]
fn every_path_that_the_text_names_exists() {
    let mut breaches = Vec::new();
    for source in everything() {
        let markdown = source.path.ends_with(".md");
        let mut in_code_block = false;
        for (line, text) in source.lines() {
            if !markdown && !text.trim_start().starts_with("//!") {
                continue;
            }
            in_code_block ^= text.trim_start().starts_with("```");
            let own = source.directory();
            let named = quoted(text).filter(|word| names_a_file(word, &source.path));
            let lost = named.filter(|path| !exists(path, &["", "src", own]));
            let dead =
                links(text).filter(|path| markdown && !in_code_block && !exists(path, &[own]));
            for path in lost.chain(dead) {
                breaches.push(format!(
                    "{}:{line}: `{path}` does not exist: name what does",
                    source.path
                ));
            }
        }
    }
    assert_tidy(breaches);
}

// Files.

struct Source {
    /// From the crate's root, with slashes.
    path: String,
    text: String,
}

impl Source {
    /// The path from `src`, for a file that is there.
    fn in_src(&self) -> &str {
        self.path.strip_prefix("src/").expect("a file of src")
    }

    fn directory(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(directory, _)| directory)
    }

    /// Each line with its number.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// The text of the `//!` lines.
    fn header(&self) -> String {
        let lines = self.text.lines().map_while(|line| line.strip_prefix("//!"));
        lines.map(str::trim).collect::<Vec<_>>().join("\n")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files with this extension under these places, in order.
fn sources(places: &[&str], extension: &str) -> Vec<Source> {
    let mut found = Vec::new();
    for place in places {
        collect(place, extension, &mut found);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(path: &str, extension: &str, found: &mut Vec<Source>) {
    let full = root().join(path);
    if full.is_dir() {
        for entry in fs::read_dir(&full).expect("a directory that is there") {
            let name = entry.expect("an entry of it").file_name();
            collect(&format!("{path}/{}", name.to_string_lossy()), extension, found);
        }
    } else if full.is_file()
        && !is_a_learners(path)
        && full.extension().is_some_and(|own| own == extension)
    {
        let text = fs::read_to_string(&full).expect("source files are UTF-8");
        let path = path.to_string();
        found.push(Source { path, text });
    }
}

/// The folders of the exercises, one each.
const EXERCISES: &str = "examples/exercises/tests/";

/// The part of a path that is inside the folder of an exercise.
fn in_exercise(path: &str) -> Option<&str> {
    let (_, inside) = path.strip_prefix(EXERCISES)?.split_once('/')?;
    Some(inside)
}

/// What a learner writes, or has kept. It is not ours.
fn is_a_learners(path: &str) -> bool {
    in_exercise(path).is_some_and(|inside| inside.starts_with("answer"))
}

/// What stands in for the answer of a learner. The rest belongs to the check.
fn is_answer(path: &str) -> bool {
    in_exercise(path).is_some_and(|inside| ["starter.rs", "solution.rs"].contains(&inside))
}

fn is_starter(path: &str) -> bool {
    in_exercise(path) == Some("starter.rs")
}

/// Every Rust file and every page of text.
fn everything() -> Vec<Source> {
    let mut all = sources(&["src", "examples", "tests"], "rs");
    all.extend(sources(
        &[
            "README.md",
            "CHANGELOG.md",
            "docs",
            "examples",
            "src",
            "tests",
        ],
        "md",
    ));
    all
}

/// The files of the library, by their path in `src`; neither programs nor tests.
fn library() -> BTreeMap<String, Source> {
    let mut library = BTreeMap::new();
    for source in sources(&["src"], "rs") {
        let file = source.in_src().to_string();
        if !file.starts_with("bin/") && !file.ends_with("_tests.rs") {
            library.insert(file, source);
        }
    }
    library
}

#[track_caller]
fn assert_tidy(breaches: Vec<String>) {
    assert!(breaches.is_empty(), "house rules are broken:\n{}", breaches.join("\n"));
}

// Words.

/// Whether `word` stands in the text by itself, not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let inside_a_name = |c: Option<char>| c.is_some_and(in_name);
        !inside_a_name(before) && (word.ends_with('!') || !inside_a_name(after))
    })
}

/// What stands between backticks in a line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The targets inside this repository of the links in a line of Markdown.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '#']).next());
    targets.filter(|path| !path.is_empty() && !path.contains(':'))
}

/// Whether a quoted word is meant as a file of this repository.
fn names_a_file(word: &str, in_file: &str) -> bool {
    let pattern = word.contains(|c: char| c.is_whitespace() || "*<>{}…".contains(c));
    let ours = ["src/", "examples/", "docs/", "tests/"].iter().any(|top| word.starts_with(top));
    let sibling = in_file.starts_with("src/") && word.ends_with(".rs");
    !pattern && !word.contains("...") && (ours || sibling)
}

/// Whether a path leads to something from one of these directories. An example may be called by its
/// name alone.
fn exists(path: &str, from: &[&str]) -> bool {
    from.iter().any(|directory| {
        let full = root().join(directory).join(path);
        full.exists() || Path::new(&format!("{}.rs", full.display())).exists()
    })
}
