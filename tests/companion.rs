//! The companion, as one meets it in a terminal: what it prints, what it refuses, what it runs.
//!
//! Example by example it says what the files say, so nothing of that is repeated here; but nothing
//! may be missing. What it says of exercises, and to those who have begun with them, is in
//! `tests/exercises.rs`; so what a newcomer sees is asked for here by its name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What the tour prints as an example; its last line is about its own argument.
const TOUR: &str = include_str!("examples/00_tour.txt");

// Pages.

#[test]
fn a_newcomer_sees_the_tour_and_what_to_do_next_on_one_screen() {
    let page = page(&["welcome"]);
    let mut rest = page.as_str();
    let parts = [
        "handspun is a single-threaded async executor",
        &tour_lines(),
        "`cargo run -- tour --real`",
        "cargo run -- example 0 --trace html",
        "Next, one of these:\n",
        "cargo run -- read 0 ",
        "cargo run -- ex 1 ",
        "cargo run -- list ",
        "cargo run -- read source ",
    ];
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("{part:?} is not there, or not in its place, in\n{page}");
        };
        rest = after;
    }
    assert!(page.lines().count() <= 32, "{page}");
}

#[test]
fn the_same_is_printed_each_time_with_and_without_no_color() {
    let first = page(&["welcome"]);
    let second = output(companion(&["welcome"]).env("NO_COLOR", "1"));
    assert_eq!(stdout(&second), first);
    assert!(!first.contains('\x1b'), "{first}");
}

#[test]
fn the_tour_is_the_example() {
    let page = page(&["tour"]);
    assert!(page.starts_with(&tour_lines()), "{page}");
}

#[test]
fn a_real_tour_tells_the_same_in_real_time() {
    let page = page(&["tour", "--real"]);
    let events = |text: &str| {
        let lines = text.lines().filter_map(|line| Some(line.split_once(" s  ")?.1.to_string()));
        lines.collect::<Vec<_>>()
    };
    assert_eq!(events(&page), events(&tour_lines()));
}

#[test]
fn the_list_has_every_example_with_a_summary() {
    let list = page(&["list"]);
    let listed = list.lines().filter_map(|line| {
        let (name, summary) = line.strip_prefix("  ")?.split_once("  ")?;
        let listed = name.starts_with(|c: char| c.is_ascii_digit())
            && !name.contains(' ')
            && !summary.trim().is_empty();
        listed.then(|| name.to_string())
    });
    assert_eq!(listed.collect::<BTreeSet<_>>(), examples());
}

#[test]
fn each_file_of_the_reading_order_exists_and_names_the_next() {
    let page = page(&["read", "source"]);
    let mut parts: Vec<Vec<&str>> = Vec::new();
    for line in page.lines() {
        if line.ends_with(':') {
            parts.push(Vec::new());
        } else if let Some(rest) = line.strip_prefix("  src/") {
            let file = rest.split(' ').next().unwrap();
            parts.last_mut().expect("a title above the files").push(file);
        }
    }
    assert_eq!(parts[0].remove(0), "lib.rs"); // It is about all files.
    for part in parts {
        for file in &part {
            assert!(Path::new(ROOT).join("src").join(file).is_file(), "{file}");
        }
        for pair in part.windows(2) {
            let source = fs::read_to_string(Path::new(ROOT).join("src").join(pair[0])).unwrap();
            let mut header = source.lines().take_while(|line| line.starts_with("//!"));
            let next = format!("`{}`", pair[1]);
            assert!(header.any(|line| line.contains(&next)), "{} does not name {next}", pair[0]);
        }
    }
}

#[test]
fn a_summary_is_the_first_sentence_as_plain_text() {
    let words = |page: String| page.split_whitespace().collect::<Vec<_>>().join(" ");
    let list = words(page(&["list"]));
    for summary in [
        "01_lazy Nothing happens until it is polled.",
        "08_lost_wakeup How a wake is lost: the order of check, store and park.",
        "28_timeout `timeout`: a future, or so much time.",
    ] {
        assert!(list.contains(summary), "{list}");
    }
    assert!(!list.contains("Three things that it does"), "{list}"); // The second of 28_timeout.
    let read = words(page(&["read", "source"]));
    assert!(read.contains("src/time/sleep.rs `Sleep`: the future that"), "{read}");
    assert!(!read.contains("]("), "{read}");
}

#[test]
fn no_page_is_wider_than_80_columns() {
    for arguments in [
        &["welcome"][..],
        &["tour"],
        &["tour", "--real"],
        &["list"],
        &["read"],
        &["read", "source"],
        &["help"],
    ] {
        for line in page(arguments).lines() {
            assert!(line.chars().count() <= 80, "{arguments:?}: {line}");
            assert_eq!(line.trim_end(), line, "{arguments:?}");
        }
    }
}

#[test]
fn every_path_that_a_page_names_exists() {
    let mut named = 0;
    for arguments in [&["welcome"][..], &["list"], &["read", "source"]] {
        let page = page(arguments);
        let words = page.split(|c: char| c.is_whitespace() || "()`,".contains(c));
        let paths = words.filter(|word| word.contains('/') && word.contains('.'));
        for path in paths.map(|path| path.trim_end_matches(['.', ':'])) {
            assert!(Path::new(ROOT).join(path).is_file(), "{path}");
            named += 1;
        }
    }
    assert!(named > 10, "{named}");
}

#[test]
fn help_and_version_have_three_and_two_names() {
    let help = page(&["help"]);
    for command in [
        "tour",
        "list",
        "example",
        "read",
        "exercises",
        "ex",
        "check",
        "hint",
        "solution",
        "reset",
        "trace",
        "welcome",
        "help",
        "--version",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
    }
    assert_eq!(page(&["--help"]), help);
    assert_eq!(page(&["-h"]), help);
    assert_eq!(page(&["--version"]), concat!("handspun ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(page(&["-V"]), page(&["--version"]));
}

// The book.

#[test]
fn the_book_is_listed_in_the_order_of_the_summary_with_titles_and_questions() {
    let shelf = Shelf::new("listed");
    let expected = "
   0  Ten minutes            What will I be able to see?
   4  Wakers                 How does it learn when to poll; how is a wake lost?
  10  Stopping

Coming from:

  from/javascript            From JavaScript: Where is the `Promise`?

Appendices:

  glossary                   Glossary

";
    let list = shelf.page(&["read"]);
    assert!(list.contains(expected), "{list}");
    assert!(list.contains("`cargo run -- read 4`") && list.contains("`cargo run -- read source`"));
}

#[test]
fn a_page_is_found_by_number_by_name_by_part_of_it_and_by_path() {
    let shelf = Shelf::new("found");
    let chapter = [
        "4",
        "04",
        "04-wakers",
        "wakers",
        "wak",
        "WAKERS",
        "04-wakers.md",
    ];
    let paths = [
        "docs/04-wakers.md",
        "./docs/04-wakers.md",
        "docs/04-wakers.md#lost",
    ];
    for word in chapter.into_iter().chain(paths) {
        assert!(shelf.page(&["read", word]).starts_with("4. Wakers\n"), "{word}");
    }
    for word in [
        "javascript",
        "from/javascript",
        "java",
        "docs/from/javascript.md",
        "from/",
    ] {
        assert!(shelf.page(&["read", word]).starts_with("From JavaScript\n"), "{word}");
    }
    assert_eq!(page(&["read", "SOURCE"]), page(&["read", "source"]));
    // A number is a chapter's and nothing else: 10 begins with 1.
    shelf.refused(&["read", "1"], "no page `1`: `cargo run -- read` shows those that there are");
}

#[test]
fn an_unknown_page_is_one_line_with_the_nearest_known_one() {
    let shelf = Shelf::new("unknown");
    shelf.refused(&["read", "wakres"], "no page `wakres`: did you mean `04-wakers`?");
    shelf.refused(&["read", "glosary"], "no page `glosary`: did you mean `glossary`?");
    shelf.refused(&["read", "javscript"], "no page `javscript`: did you mean `from/javascript`?");
    shelf.refused(&["read", "sorce"], "no page `sorce`: did you mean `source`?");
    let complaint = "no page `qqqqqqq`: `cargo run -- read` shows those that there are";
    shelf.refused(&["read", "qqqqqqq"], complaint);
    shelf.refused(&["read", ""], "no page ``: `cargo run -- read` shows those that there are");
    let complaint = "`m` may be 00-ten-minutes, 10-stopping-mid-way: which one?";
    shelf.refused(&["read", "m"], complaint);
    let complaint = "`read` takes the name of a page, and `--answers`, or nothing";
    shelf.refused(&["read", "4", "5"], complaint);
    shelf.refused(&["read", "--answers"], complaint);
    shelf.refused(&["read", "4", "--answer"], complaint);
}

#[test]
fn a_chapter_leads_to_the_next_page_and_other_pages_do_not() {
    let shelf = Shelf::new("next");
    let last_line = |page: &str| shelf.page(&["read", page]).lines().last().unwrap().to_string();
    assert_eq!(last_line("4"), "Next: `cargo run -- read 10` (Stopping)");
    assert_eq!(last_line("10"), "Next: `cargo run -- read from/javascript` (From JavaScript)");
    assert_eq!(last_line("javascript"), "One more paragraph.");
    // This one says so itself.
    let page = shelf.page(&["read", "0"]);
    assert!(page.ends_with("ninechars\n\nNext: the wakers (read 4).\n"), "{page}");
}

#[test]
fn links_tell_what_to_type_and_images_where_they_are() {
    let shelf = Shelf::new("links");
    assert!(shelf.page(&["read", "4"]).contains(
        "See the tour (read 0), JavaScript (read from/javascript), a place\n\
         (src/waker.rs), `src/waker.rs`, here, and std (https://doc.rust-lang.org/std).\n\
         \n\
         [figure: A wake, drawn: docs/figures/wake.svg]\n"
    ));
    assert!(shelf.page(&["read", "java"]).contains("from Wakers (read 4) on."));
}

#[test]
fn answers_are_shown_to_those_who_ask_for_them() {
    let shelf = Shelf::new("answers");
    let page = shelf.page(&["read", "4"]);
    assert!(
        page.contains("\n1. Who wakes?\n2. And who is `woken`?\n\nThe answers: `cargo run -- ")
    );
    assert!(page.contains("`cargo run -- read 4 --answers`\n"), "{page}");
    assert!(!page.contains("Whoever"), "{page}");
    for arguments in [["read", "4", "--answers"], ["read", "--answers", "4"]] {
        let page = shelf.page(&arguments);
        assert!(page.contains("1. Who wakes?\n\n   Whoever has the waker.\n\n2. And"), "{page}");
        assert!(!page.contains("The answers"), "{page}");
    }
}

#[test]
fn a_page_is_as_wide_as_columns_says_from_40_to_80() {
    let shelf = Shelf::new("wide");
    let widest = |columns: &str| {
        let output = output(shelf.command(&["read", "0"]).env("COLUMNS", columns));
        stdout(&output).lines().map(|line| line.chars().count()).max().unwrap()
    };
    // Its words have nine letters, and a space each.
    for (columns, width) in [
        ("200", 79),
        ("80", 79),
        ("62", 59),
        ("40", 39),
        ("7", 39),
        ("x", 79),
    ] {
        assert_eq!(widest(columns), width, "{columns}");
    }
}

#[test]
fn a_book_that_is_not_there_is_one_line() {
    let empty = Shelf::new("empty");
    fs::remove_file(empty.root.join("docs/SUMMARY.md")).unwrap();
    let output = output(&mut empty.command(&["read"]));
    let complaint = stderr(&output);
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.starts_with("handspun: cannot read "), "{complaint}");
    assert!(complaint.ends_with("If the checkout has moved, call `cargo run` in it\n"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn each_file_in_docs_is_a_page_and_each_page_a_file() {
    let summary = fs::read_to_string(Path::new(ROOT).join("docs/SUMMARY.md")).unwrap();
    let linked = summary.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(')'));
    let linked: BTreeSet<String> = linked.map(str::to_string).collect();
    let files: BTreeSet<String> = docs().into_iter().filter(|file| file != "SUMMARY.md").collect();
    assert_eq!(linked, files);
}

#[test]
fn no_page_of_the_book_is_too_wide_or_loses_a_word() {
    for file in docs().into_iter().filter(|file| file != "SUMMARY.md") {
        let source = fs::read_to_string(Path::new(ROOT).join("docs").join(&file)).unwrap();
        for columns in [80, 40] {
            let mut command = companion(&["read", &file, "--answers"]);
            let output = output(command.env("COLUMNS", columns.to_string()));
            assert_eq!(stderr(&output), "", "{file}");
            let page = stdout(&output);
            let (code, text) = code_and_text(&source);
            for line in page.lines() {
                let is_code = code.iter().any(|code| line.ends_with(code.trim_end()));
                assert!(line.chars().count() <= columns || is_code, "{file}: {line}");
                assert!(!line.contains('\x1b'), "{file}: {line}");
            }
            for line in code {
                let is_there = page.lines().any(|shown| shown.ends_with(line.trim_end()));
                assert!(is_there, "{file}: {line:?} is lost");
            }
            if columns == 80 {
                let mut shown = BTreeMap::new();
                count(&page, |word| *shown.entry(word.to_string()).or_insert(0) += 1);
                count(&text, |word| {
                    let left = shown.get_mut(word).filter(|left| **left > 0);
                    *left.unwrap_or_else(|| panic!("{file}: {word:?} is lost")) -= 1;
                });
            }
        }
    }
}

// On a terminal. (`script` is a program that makes one.)

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_a_page_has_colour_and_goes_through_the_pager() {
    let shelf = Shelf::new("terminal");
    let pager = |pager: &str, no_color: &str| {
        let program = format!("{} read 4", env!("CARGO_BIN_EXE_handspun"));
        let mut command = Command::new("script");
        command.args(["-qec", &program, "/dev/null"]).env("CARGO_MANIFEST_DIR", &shelf.root);
        command.env("PAGER", pager).env("NO_COLOR", no_color).env_remove("LESS");
        command.stdin(Stdio::null()).output().ok().map(|output| {
            assert_eq!(output.status.code(), Some(0), "{pager}");
            stdout(&output).replace('\r', "")
        })
    };
    let Some(direct) = pager("cat", "") else {
        return; // There is no `script` here.
    };
    let title = "\x1b[1;4m4. Wakers\x1b[0m\n";
    assert!(direct.starts_with(title), "{direct}");
    for none in ["", "/nowhere/pager", "cat -u"] {
        assert_eq!(pager(none, "").unwrap(), direct, "{none}");
    }
    assert_eq!(pager("head -n 1", "").unwrap(), title);
    assert_eq!(pager("true", "").unwrap(), "");
    assert_eq!(pager("printenv LESS", "").unwrap(), "FR\n");
    assert!(!pager("cat", "1").unwrap().contains('\x1b'));
}

#[cfg(target_os = "linux")]
#[test]
fn a_page_is_no_wider_than_the_terminal() {
    let shelf = Shelf::new("narrow");
    // A line is of words of nine letters. A terminal of 0 columns does not know.
    for (terminal, columns, widest) in [
        (49, "", 49),
        (48, "", 39),
        (0, "", 79),
        (200, "", 79),
        (49, "60", 59),
    ] {
        let companion = env!("CARGO_BIN_EXE_handspun");
        let program = format!("stty cols {terminal} && {companion} read 0");
        let mut command = Command::new("script");
        command.args(["-qec", &program, "/dev/null"]).env("CARGO_MANIFEST_DIR", &shelf.root);
        command.env("PAGER", "cat").env("NO_COLOR", "1").env("COLUMNS", columns);
        let Ok(output) = command.stdin(Stdio::null()).output() else {
            return; // There is no `script` here.
        };
        let page = stdout(&output);
        let longest = page.lines().map(|line| line.trim_end().chars().count()).max();
        assert_eq!(longest, Some(widest), "{terminal} {columns:?}");
    }
}

// Mistakes.

#[test]
fn an_unknown_word_is_one_line_with_the_nearest_known_one() {
    refused(&["lsit"], "no command `lsit`: did you mean `cargo run -- list`?");
    refused(&["exmaple", "1"], "no command `exmaple`: did you mean `cargo run -- example WHICH`?");
    refused(&["--halp"], "no command `--halp`: did you mean `cargo run -- --help`?");
    refused(&["qqqqqqqq"], "no command `qqqqqqqq`: `cargo run -- help` shows those that there are");
    refused(&[""], "no command ``: `cargo run -- help` shows those that there are");
}

#[test]
fn an_example_in_the_place_of_a_command_is_recognised() {
    refused(&["17"], "no command `17`: did you mean `cargo run -- example 17_sleep`?");
    refused(&["wheel"], "no command `wheel`: did you mean `cargo run -- example 19_timer_wheel`?");
}

#[test]
fn an_unknown_example_is_one_line_with_the_nearest_known_one() {
    refused(&["example", "timr_weel"], "no example `timr_weel`: did you mean `19_timer_wheel`?");
    refused(&["example", "abrot"], "no example `abrot`: did you mean `15_abort`?");
    refused(&["example", "17_sleeep"], "no example `17_sleeep`: did you mean `17_sleep`?");
    refused(
        &["example", "999"],
        "no example `999`: `cargo run -- list` shows those that there are",
    );
    refused(&["example"], "which example? `cargo run -- list` shows them");
}

#[test]
fn a_word_that_is_part_of_several_examples_is_one_line_that_lists_them() {
    let names = examples().into_iter().filter(|name| name.contains("block"));
    let several: Vec<String> = names.collect();
    assert!(several.len() > 1, "{several:?}");
    let complaint = format!("`block` may be {}: which one?", several.join(", "));
    refused(&["example", "block"], &complaint);
}

#[test]
fn an_argument_too_many_is_one_line() {
    refused(&["tour", "--reel"], "`tour` takes `--real`, or nothing");
    refused(&["tour", "--real", "--real"], "`tour` takes `--real`, or nothing");
    for command in [
        "list",
        "exercises",
        "welcome",
        "help",
        "--help",
        "-h",
        "--version",
        "-V",
    ] {
        refused(&[command, "all"], &format!("`{command}` takes no argument"));
    }
}

// Examples. A program in the place of cargo shows what cargo would be asked to do.

#[cfg(unix)]
#[test]
fn an_example_is_found_by_number_by_name_by_part_of_it_and_by_path() {
    for (words, example) in [
        (&["1", "01", "01_lazy", "lazy", "examples/01_lazy.rs", "laz"][..], "01_lazy"),
        (
            &[
                "10",
                "examples/10_run_queue/",
                "examples/10_run_queue/v2.rs",
            ],
            "10_run_queue",
        ),
    ] {
        for word in words {
            let output = output(companion(&["example", word]).env("CARGO", "echo"));
            let asked = format!(
                "run --manifest-path {} --quiet --example {example} --\n",
                Path::new(ROOT).join("Cargo.toml").display()
            );
            assert_eq!(stdout(&output), asked, "{word}");
            assert_eq!(output.status.code(), Some(0));
        }
    }
}

#[cfg(unix)]
#[test]
fn what_follows_the_example_is_passed_on() {
    let arguments = ["example", "17", "--real", "--", "--help", "a b", "--break"];
    let output = output(companion(&arguments).env("CARGO", "echo"));
    assert!(stdout(&output).ends_with(" --example 17_sleep -- --real -- --help a b --break\n"));
}

#[cfg(unix)]
#[test]
fn a_rule_to_break_is_not_for_the_example_and_what_is_around_it_is() {
    let arguments = ["example", "17", "v3", "--break", "lifo", "--real"];
    let output = output(companion(&arguments).env("CARGO", "echo"));
    let asked = stdout(&output);
    assert!(asked.contains(" --features breakable "), "{asked}");
    assert!(asked.ends_with(" --example 17_sleep -- v3 --real\n"), "{asked}");
}

#[test]
fn a_rule_can_be_broken_and_one_that_is_none_is_one_line() {
    let page = page(&["example", "0", "--break", "lifo"]);
    assert!(page.starts_with("  0.000 s  server: waiting"), "{page}");
    for wrong in [
        &["--break"][..],
        &["--break", "fifo"],
        &["--break", "lifo:7"],
    ] {
        let complaint = "break which rule? `--break` takes one of lifo, no-dedup, \
                         late-timers, spurious, shuffle (or shuffle:7, with a seed)";
        refused(&[&["example", "0"], wrong].concat(), complaint);
    }
}

#[test]
fn the_rules_that_help_names_are_those_that_the_executor_knows() {
    let rules = fs::read_to_string(Path::new(ROOT).join("src/executor/rules.rs")).unwrap();
    let known =
        rules.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" => "));
    let known: Vec<&str> = known.map(|(name, _)| name).collect();
    assert_eq!(known, ["lifo", "no-dedup", "late-timers", "spurious", "shuffle"]);
    let help = page(&["help"]);
    for name in known {
        assert!(help.contains(name), "{name}");
        // The message of the test above, and the table at the head of the file.
        assert!(rules.contains(&format!("//! | `{name}` |")), "{name}");
        let refusal = stderr(&output(&mut companion(&["example", "0", "--break"])));
        assert!(refusal.contains(name), "{name}");
    }
}

#[test]
fn an_example_runs_through_cargo_and_its_exit_code_is_passed_on() {
    let output = output(&mut companion(&["example", "lazy", "--nonsense"]));
    assert_eq!(stdout(&output), "");
    let complaint = stderr(&output);
    assert!(complaint.contains("unknown argument \"--nonsense\""), "{complaint}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn without_cargo_it_says_so() {
    let output = output(companion(&["example", "1"]).env("CARGO", "/nowhere/cargo"));
    assert_eq!(stdout(&output), "");
    let complaint = stderr(&output);
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.starts_with("handspun: cannot start /nowhere/cargo: "), "{complaint}");
    assert!(complaint.ends_with("Is cargo in your PATH?\n"), "{complaint}");
    assert_eq!(output.status.code(), Some(1));
}

// Surroundings.

#[test]
fn it_works_in_any_folder() {
    let elsewhere = output(companion(&["welcome"]).current_dir(std::env::temp_dir()));
    assert_eq!(stdout(&elsewhere), page(&["welcome"]));
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_failure() {
    for arguments in [
        &["welcome"][..],
        &["tour"],
        &["list"],
        &["read"],
        &["read", "lints"],
        &["help"],
    ] {
        let mut child =
            companion(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(stderr(&output), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    for arguments in [&["welcome"][..], &["tour"], &["list"]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let child = companion(arguments).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let complaint = stderr(&output);
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(complaint.starts_with("handspun: cannot write: "), "{complaint}");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
}

// The tests' vocabulary.

/// A checkout with nothing in it but a small book.
struct Shelf {
    root: PathBuf,
}

impl Shelf {
    fn new(name: &str) -> Shelf {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shelf").join(name);
        fs::create_dir_all(root.join("docs/from")).unwrap();
        let many_words = "ninechars ".repeat(40);
        let question = "*What will I be able to see?*";
        let next = "Next: [the\nwakers](04-wakers.md).";
        let tour = format!("# 0. Ten minutes\n\n{question}\n\n{many_words}\n\n{next}\n");
        let files = [
            ("SUMMARY.md", SHELF_SUMMARY),
            ("00-ten-minutes.md", &tour),
            ("04-wakers.md", SHELF_CHAPTER),
            ("10-stopping-mid-way.md", "# 10. Stopping\n\nNo question.\n"),
            ("from/javascript.md", SHELF_FROM),
            ("glossary.md", "# Glossary\n\n**Task**: a future that was spawned.\n"),
        ];
        for (file, text) in files {
            fs::write(root.join("docs").join(file), text).unwrap();
        }
        Shelf { root }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = companion(arguments);
        command.env("CARGO_MANIFEST_DIR", &self.root);
        command
    }

    #[track_caller]
    fn page(&self, arguments: &[&str]) -> String {
        let output = output(&mut self.command(arguments));
        assert_eq!(stderr(&output), "");
        assert_eq!(output.status.code(), Some(0));
        stdout(&output)
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], complaint: &str) {
        let output = output(&mut self.command(arguments));
        assert_eq!(stderr(&output), format!("handspun: {complaint}\n"));
        assert_eq!(output.status.code(), Some(2));
    }
}

const SHELF_SUMMARY: &str = "\
# Summary

- [0. Ten minutes](00-ten-minutes.md)
  - [4. Wakers](04-wakers.md)
- [10. Stopping](10-stopping-mid-way.md)

# Coming from

- [From JavaScript](./from/javascript.md)

# Appendices

- [Glossary](glossary.md)
";

const SHELF_CHAPTER: &str = "\
# 4. Wakers

*How does it learn when to poll; how
is a wake lost?*

See [the tour](00-ten-minutes.md#x), [JavaScript](from/javascript.md), [a place](../src/waker.rs),
[`src/waker.rs`](../src/waker.rs#L10), [here](#here), and [std](https://doc.rust-lang.org/std).

![A wake, drawn](figures/wake.svg)

<details><summary>Who wakes?</summary>
Whoever has the waker.
</details>

<details><summary>And who is
<code>woken</code>?</summary>

Whoever made it.

</details>
";

const SHELF_FROM: &str = "\
# From JavaScript

*Where is the `Promise`?*

Read from [Wakers](../04-wakers.md) on.

One more paragraph.
";

/// All files in the folder of the book, by their path in it.
fn docs() -> BTreeSet<String> {
    let folder = Path::new(ROOT).join("docs");
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.clone()];
    while let Some(folder_of_these) = folders.pop() {
        for entry in fs::read_dir(folder_of_these).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let path = path.strip_prefix(&folder).unwrap();
                files.insert(path.to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    files
}

/// The lines of a page that are in blocks of code and not hidden, and the rest without comments,
/// tags and targets of links.
fn code_and_text(source: &str) -> (Vec<&str>, String) {
    let mut code = Vec::new();
    let mut text = String::new();
    let mut fence: Option<&str> = None;
    for line in source.lines() {
        match (line.trim().strip_prefix("```"), fence) {
            (Some(info), None) => fence = Some(info),
            (Some(_), Some(_)) => fence = None,
            (None, Some(info)) => {
                let hidden = line.trim() == "#" || line.trim().starts_with("# ");
                if !(info.starts_with("rust") && hidden) {
                    code.push(line.trim());
                }
            }
            (None, None) => text += &format!("{line}\n"),
        }
    }
    for (from, to) in [("<!--", "-->"), ("](", ")")] {
        while let Some((before, rest)) = text.split_once(from) {
            let after = rest.split_once(to).map_or("", |(_, after)| after);
            text = format!("{before} {after}");
        }
    }
    for tag in ["details", "summary", "code", "br"] {
        text = text.replace(&format!("<{tag}>"), " ").replace(&format!("</{tag}>"), " ");
    }
    for entity in ["&lt;", "&gt;", "&amp;", "&quot;", "&nbsp;"] {
        text = text.replace(entity, " ");
    }
    (code, text)
}

fn count(text: &str, word: impl FnMut(&str)) {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).for_each(word);
}

fn companion(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handspun"));
    command.args(arguments).env_remove("COLUMNS");
    command
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().expect("the companion can be run")
}

/// What a command prints that is carried out.
#[track_caller]
fn page(arguments: &[&str]) -> String {
    let output = output(&mut companion(arguments));
    assert_eq!(stderr(&output), "");
    assert_eq!(output.status.code(), Some(0));
    stdout(&output)
}

#[track_caller]
fn refused(arguments: &[&str], complaint: &str) {
    let output = output(&mut companion(arguments));
    assert_eq!(stderr(&output), format!("handspun: {complaint}\n"));
    assert_eq!(stdout(&output), "");
    assert_eq!(output.status.code(), Some(2));
}

/// The names of all programs in the folder of the examples.
fn examples() -> BTreeSet<String> {
    let folder = Path::new(ROOT).join("examples");
    let entries = fs::read_dir(&folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_program =
        |name: &String| name.ends_with(".rs") || folder.join(name).join("main.rs").is_file();
    let programs = names.filter(is_program);
    programs.map(|name| name.strip_suffix(".rs").unwrap_or(&name).to_string()).collect()
}

fn tour_lines() -> String {
    let lines = TOUR.lines().filter(|line| line.contains(" s  "));
    lines.map(|line| format!("{line}\n")).collect()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("pages are UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
