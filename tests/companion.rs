//! The companion, as one meets it in a terminal: what it prints, what it refuses, what it runs.
//!
//! Example by example it says what the files say, so nothing of that is repeated here; but nothing
//! may be missing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What the tour prints as an example; its last line is about its own argument.
const TOUR: &str = include_str!("examples/00_tour.txt");

// Pages.

#[test]
fn a_newcomer_sees_the_tour_the_examples_the_source_and_what_to_do_next() {
    let page = page(&[]);
    let mut rest = page.as_str();
    let parts = [
        "handspun is a single-threaded async executor",
        &tour_lines(),
        "`cargo run -- tour --real`",
        "  00_tour, 01_lazy, ",
        "63_http_files\n",
        "lib, slab, name, mailbox, executor/scheduler, waker, ",
        "list, time/wheel, time/clock, executor/timers, time/sleep, time/timeout,",
        "task/blocking",
        "Next:\n",
    ];
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("{part:?} is not there, or not in its place, in\n{page}");
        };
        rest = after;
    }
    let next: Vec<&str> = rest.lines().filter(|line| line.contains("cargo run -- ")).collect();
    assert_eq!(next.len(), 3, "{page}");
}

#[test]
fn the_same_is_printed_each_time_with_and_without_no_color() {
    let first = page(&[]);
    let second = output(companion(&[]).env("NO_COLOR", "1"));
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

    let welcome = page(&[]);
    for example in examples() {
        assert!(welcome.contains(&example), "{example} is not in\n{welcome}");
    }
}

#[test]
fn each_file_of_the_reading_order_exists_and_names_the_next() {
    let page = page(&["read"]);
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
    let read = words(page(&["read"]));
    assert!(read.contains("src/time/sleep.rs `Sleep`: the future that"), "{read}");
}

#[test]
fn no_page_is_wider_than_80_columns() {
    for arguments in [
        &[][..],
        &["tour"],
        &["tour", "--real"],
        &["list"],
        &["read"],
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
    for arguments in [&[][..], &["list"], &["read"]] {
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
    for command in ["tour", "list", "example", "read", "help", "--version"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
    }
    assert_eq!(page(&["--help"]), help);
    assert_eq!(page(&["-h"]), help);
    assert_eq!(page(&["--version"]), concat!("handspun ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(page(&["-V"]), page(&["--version"]));
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
    for command in ["list", "read", "help", "--help", "-h", "--version", "-V"] {
        refused(&[command, "all"], &format!("`{command}` takes no argument"));
    }
}

// Examples. A program in the place of cargo shows what cargo would be asked to do.

#[cfg(unix)]
#[test]
fn an_example_is_found_by_number_by_name_by_part_of_it_and_by_path() {
    for word in ["1", "01", "01_lazy", "lazy", "examples/01_lazy.rs", "laz"] {
        let output = output(companion(&["example", word]).env("CARGO", "echo"));
        let asked = format!(
            "run --quiet --manifest-path {} --example 01_lazy --\n",
            Path::new(ROOT).join("Cargo.toml").display()
        );
        assert_eq!(stdout(&output), asked, "{word}");
        assert_eq!(output.status.code(), Some(0));
    }
}

#[cfg(unix)]
#[test]
fn what_follows_the_example_is_passed_on() {
    let arguments = ["example", "17", "--real", "--", "--help", "a b"];
    let output = output(companion(&arguments).env("CARGO", "echo"));
    assert!(stdout(&output).ends_with(" --example 17_sleep -- --real -- --help a b\n"));
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
    let elsewhere = output(companion(&[]).current_dir(std::env::temp_dir()));
    assert_eq!(stdout(&elsewhere), page(&[]));
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_failure() {
    for arguments in [&[][..], &["tour"], &["list"], &["read"], &["help"]] {
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
    for arguments in [&[][..], &["tour"], &["list"]] {
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

fn companion(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handspun"));
    command.args(arguments);
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
