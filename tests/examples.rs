//! Each example prints what `tests/examples/` says it prints, byte for byte.
//!
//! They run on the paused clock, so their output is exact. After a change that was meant,
//! `HANDSPUN_BLESS=1 cargo test --test examples` writes what they print now; read the difference.
//!
//! Cargo builds the examples before it runs any test. If only this file is asked for, it does not:
//! then `cargo build --examples` comes first.

#[path = "support/examples.rs"]
mod programs;

use programs::{
    Folder, ROOT, command, examples, expectation, is_blessing, names, output_within, run, stderr,
    stdout,
};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// What an example is called with, to print what is expected of it. Most need nothing.
fn arguments(example: &str) -> &'static [&'static str] {
    match example {
        // The order of several files is that in which their threads finish.
        "60_count_files" => &["LICENSE-MIT"],
        _ => &[],
    }
}

#[test]
fn each_example_prints_what_is_expected() {
    let mut differences = String::new();
    for example in examples() {
        let output = run(&example, arguments(&example));
        let printed = stdout(&output);
        if !output.status.success() {
            differences += &format!("{example} failed after\n{printed}{}\n", stderr(&output));
            continue;
        }
        let expectation = expectation(&example);
        if is_blessing() {
            fs::write(&expectation, printed).expect("the expectation can be written");
            continue;
        }
        let expected = fs::read_to_string(&expectation).unwrap_or_default();
        if printed != expected {
            differences += &format!("{example} printed\n{printed}instead of\n{expected}\n");
        }
    }
    assert!(differences.is_empty(), "{differences}Was it meant? See the top of {}.", file!());
}

#[cfg(unix)]
#[test]
fn a_program_that_hangs_is_told() {
    let told = output_within(Duration::ZERO, Command::new("sleep").arg("60"));
    assert!(told.unwrap_err().starts_with("\"sleep\" has not ended in 0ns. "));
}

#[test]
fn each_expectation_belongs_to_an_example() {
    if is_blessing() {
        return; // They are being written.
    }
    let expectations = names(&Path::new(ROOT).join("tests/examples"), "txt");
    assert_eq!(expectations, examples());
}

#[test]
fn an_unknown_argument_is_one_line_and_exit_code_2() {
    for example in examples() {
        let output = run(&example, &["--nonsense"]);
        assert_eq!(output.status.code(), Some(2), "{example}");
        assert_eq!(stdout(&output), "", "{example}");
        let complaint = stderr(&output);
        assert_eq!(complaint.lines().count(), 1, "{example} said:\n{complaint}");
        assert!(complaint.contains("\"--nonsense\""), "{example} said:\n{complaint}");
    }
}

// Drawings: `--trace`, and what stands behind it, `HANDSPUN_TRACE`.

/// Examples that are about executors of their own.
const WITHOUT_EXECUTOR: [&str; 7] = [
    "02_poll_once",
    "03_state_machine",
    "04_self_reference",
    "05_block_on",
    "08_lost_wakeup",
    "09_parker",
    "10_run_queue",
];

#[test]
fn every_example_draws_its_run_and_prints_what_it_always_prints() {
    let folder = Folder::new("drawings");
    for example in examples() {
        let file = folder.path(&format!("{example}.html"));
        let mut with_trace = arguments(&example).to_vec();
        with_trace.extend(["--trace", "html", &file]);
        let output = run(&example, &with_trace);
        if WITHOUT_EXECUTOR.contains(&example.as_str()) {
            assert_eq!(output.status.code(), Some(2), "{example}");
            assert!(stderr(&output).starts_with("there is nothing to draw"), "{example}");
            continue;
        }
        assert_eq!(output.status.code(), Some(0), "{example}: {}", stderr(&output));
        let expected = fs::read_to_string(expectation(&example)).unwrap();
        assert_eq!(stdout(&output), expected, "{example}");
        let said = format!("handspun: the run is drawn in {file} (open it in a browser)\n");
        assert!(stderr(&output).contains(&said), "{example} said {}", stderr(&output));
        assert!(fs::read_to_string(&file).unwrap().starts_with("<!doctype html>"), "{example}");
    }
}

#[test]
fn an_example_without_our_executor_has_no_rule_of_it_to_break() {
    for example in WITHOUT_EXECUTOR {
        let output = command(example).env("HANDSPUN_BREAK", "lifo").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{example}");
        assert_eq!(stdout(&output), "", "{example}");
        assert!(stderr(&output).starts_with("there is no rule to break"), "{example}");
    }
}

#[test]
fn a_drawing_is_called_as_the_example_unless_it_is_given_a_name() {
    let folder = Folder::new("names");
    let drawn = |trace: &[&str]| {
        let mut command = command("39_mpsc_backpressure");
        let output = command.current_dir(&folder.0).arg("--trace").args(trace).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        output
    };
    for (format, file, beginning) in [
        ("html", "39_mpsc_backpressure.html", "<!doctype html>"),
        ("svg", "39_mpsc_backpressure.svg", "<svg "),
        ("chrome", "39_mpsc_backpressure.json", "{"),
    ] {
        assert!(stderr(&drawn(&[format])).contains(file));
        assert!(fs::read_to_string(folder.0.join(file)).unwrap().starts_with(beginning));
    }
    drawn(&["svg", "own.svg"]);
    let named = fs::read(folder.0.join("own.svg")).unwrap();
    assert!(named == fs::read(folder.0.join("39_mpsc_backpressure.svg")).unwrap());
    // Text comes on stdout, after the lines of the example.
    let output = drawn(&["text"]);
    let lines = fs::read_to_string(expectation("39_mpsc_backpressure")).unwrap();
    assert_eq!(stderr(&output), "");
    assert!(stdout(&output).starts_with(&lines));
    assert!(stdout(&output).contains("Who woke whom:"));
    drawn(&["text", "own.txt"]);
    let text = fs::read_to_string(folder.0.join("own.txt")).unwrap();
    assert_eq!(stdout(&output), format!("{lines}{text}"));
}

#[test]
fn other_arguments_may_stand_before_and_behind() {
    let folder = Folder::new("arguments");
    let file = folder.path("run.svg");
    for arguments in [
        ["--trace", "svg", &file, "--nonsense"],
        ["--nonsense", "--trace", "svg", &file],
    ] {
        let output = run("39_mpsc_backpressure", &arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("\"--nonsense\""), "{}", stderr(&output));
    }
    // A stage is no name for a file, wherever it stands.
    let drawn = |name: &str, arguments: &[&str]| {
        let mut command = command("39_mpsc_backpressure");
        let output = command.current_dir(&folder.0).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        (stdout(&output), fs::read(folder.0.join(name)).expect(name))
    };
    let first = drawn("first.svg", &["v2", "--trace", "svg", "first.svg"]);
    assert!(first == drawn("last.svg", &["--trace", "svg", "last.svg", "v2"]));
    assert!(first == drawn("39_mpsc_backpressure.svg", &["--trace", "svg", "v2"]));
    assert!(!folder.0.join("v2").exists());
    // Behind `--` it is a path like any other.
    let output = run("60_count_files", &["--", "--trace"]);
    assert!(stderr(&output).starts_with("60_count_files: --trace: "), "{}", stderr(&output));
}

#[test]
fn a_drawing_that_there_is_not_is_one_line_and_exit_code_2() {
    for wrong in [
        &["--trace"][..],
        &["--trace", "png"],
        &["--trace", "HTML", "run.html"],
    ] {
        let output = run("39_mpsc_backpressure", wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert_eq!(stdout(&output), "", "{wrong:?}");
        assert_eq!(stderr(&output).lines().count(), 1, "{wrong:?}");
        assert!(stderr(&output).contains("text, svg, html and chrome are"), "{wrong:?}");
    }
}

/// Runs an example in this folder with `HANDSPUN_TRACE` set.
fn run_traced(folder: &Folder, example: &str, value: &str) -> Output {
    let mut command = command(example);
    command.current_dir(&folder.0).env("HANDSPUN_TRACE", value).output().unwrap()
}

#[test]
fn the_environment_draws_any_program() {
    let folder = Folder::new("environment");
    let output = run_traced(&folder, "39_mpsc_backpressure", "svg:run.svg");
    assert_eq!(stdout(&output), fs::read_to_string(expectation("39_mpsc_backpressure")).unwrap());
    assert_eq!(stderr(&output), "handspun: the run is drawn in run.svg (open it in a browser)\n");
    assert!(fs::read_to_string(folder.0.join("run.svg")).unwrap().starts_with("<svg "));

    // Text goes to stderr, where it is in nobody's way.
    let output = run_traced(&folder, "39_mpsc_backpressure", "text");
    assert_eq!(stdout(&output), fs::read_to_string(expectation("39_mpsc_backpressure")).unwrap());
    assert!(stderr(&output).contains("Who woke whom:"));
    assert!(stderr(&output).lines().all(|line| line.chars().count() <= 100));
    assert!(!stderr(&output).contains('\x1b'));
}

#[test]
fn what_the_lints_find_keeps_to_the_width_of_the_text() {
    let folder = Folder::new("width");
    let text = stderr(&run_traced(&folder, "16_main_ends", "text")).to_string();
    assert!(text.contains("dropped unfinished when the executor ended"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn each_executor_of_a_program_has_a_drawing_of_its_own() {
    let folder = Folder::new("several");
    // It calls `block_on` three times.
    run_traced(&folder, "01_lazy", "svg:run.svg");
    let drawn = names(&folder.0, "svg");
    assert_eq!(Vec::from_iter(drawn), ["run", "run-2", "run-3"]);
}

#[test]
fn what_is_wrong_with_the_variable_or_the_file_is_one_line_and_changes_nothing() {
    let folder = Folder::new("wrong");
    let expected = fs::read_to_string(expectation("39_mpsc_backpressure")).unwrap();
    for (value, complaint) in [
        ("png:run.png", "HANDSPUN_TRACE is ignored: no drawing is called \"png\""),
        ("html run.html", "HANDSPUN_TRACE is ignored: no drawing is called \"html run.html\""),
        (":run.html", "HANDSPUN_TRACE is ignored: no drawing is called \"\""),
        ("html:not/there.html", "cannot draw the run in not/there.html: "),
        ("svg:.", "cannot draw the run in .: "),
    ] {
        let output = run_traced(&folder, "39_mpsc_backpressure", value);
        assert_eq!(output.status.code(), Some(0), "{value}");
        assert_eq!(stdout(&output), expected, "{value}");
        assert_eq!(stderr(&output).lines().count(), 1, "{value}: {}", stderr(&output));
        assert!(stderr(&output).starts_with(&format!("handspun: {complaint}")), "{value}");
    }
    // Said once, not for each executor.
    let output = run_traced(&folder, "01_lazy", "png");
    assert_eq!(stderr(&output).lines().count(), 1);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
    // Empty is as good as not set.
    assert_eq!(stderr(&run_traced(&folder, "39_mpsc_backpressure", "")), "");
}

// 60_count_files

#[test]
fn lines_words_and_bytes_are_counted() {
    let folder = Folder::new("good");
    let text = folder.file("text", b"one two\n three\tfour\x0bfive \n");
    let bytes = folder.file("bytes", b"\xff\xfe \x80\n\n");
    let empty = folder.file("empty", b"");
    let unended = folder.file("unended", b"no newline at the end");
    let long = folder.file("long", &b"across blocks ".repeat(100_000));
    let output = run("60_count_files", &[&text, &bytes, &empty, &unended, &long]);
    let mut lines: Vec<String> = stdout(&output).lines().map(squeeze).collect();
    assert_eq!(lines.pop().unwrap(), "4 200012 1400053 total");
    lines.sort_unstable();
    let mut expected = [
        format!("2 5 26 {text}"),
        format!("2 2 6 {bytes}"),
        format!("0 0 0 {empty}"),
        format!("0 5 21 {unended}"),
        format!("0 200000 1400000 {long}"),
    ];
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert_eq!(stderr(&output), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_file_that_cannot_be_counted_is_named_and_the_others_are_counted() {
    let folder = Folder::new("mixture");
    let good = folder.file("good", b"a b\n");
    let missing = folder.path("missing");
    let directory = folder.path("");
    let output = run("60_count_files", &[&missing, &good, &directory]);
    let lines: Vec<String> = stdout(&output).lines().map(squeeze).collect();
    assert_eq!(lines, [format!("1 2 4 {good}"), "1 2 4 total".to_string()]);
    let complaints = stderr(&output);
    assert_eq!(complaints.lines().count(), 2, "{complaints}");
    for path in [missing, directory] {
        assert!(complaints.contains(&format!("60_count_files: {path}: ")), "{complaints}");
    }
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_hundred_files_go_through_eight_workers() {
    let folder = Folder::new("hundred");
    let paths: Vec<String> = (0..100).map(|n| folder.file(&n.to_string(), b"x\n")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let output = run("60_count_files", &paths);
    let printed = stdout(&output);
    assert_eq!(printed.lines().count(), 101);
    assert_eq!(squeeze(printed.lines().last().unwrap()), "100 100 200 total");
}

#[cfg(unix)]
#[test]
fn a_file_that_takes_too_long_is_given_up() {
    // It never ends.
    let output = run("60_count_files", &["--timeout-ms", "20", "/dev/zero"]);
    let complaint = "60_count_files: /dev/zero: not counted within 20 ms\n";
    assert_eq!(stderr(&output), complaint);
    assert_eq!(squeeze(&stdout(&output)), "0 0 0 total");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn without_a_path_the_files_under_src_are_counted() {
    let folder = Folder::new("default");
    let mut command = command("60_count_files");
    let output = command.current_dir(&folder.0).output().unwrap();
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).starts_with("60_count_files: cannot list the files under ./src: "));
    assert_eq!(output.status.code(), Some(1));

    fs::create_dir_all(folder.0.join("src/deeper")).unwrap();
    folder.file("src/deeper/a", b"1\n");
    folder.file("src/b", b"1 2\n");
    let output = command.output().unwrap();
    let printed = stdout(&output);
    assert_eq!(printed.lines().count(), 3);
    assert_eq!(squeeze(printed.lines().last().unwrap()), "2 3 6 total");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn help_and_mistakes_in_the_arguments() {
    let output = run("60_count_files", &["--help"]);
    assert!(stdout(&output).contains("usage:"));
    assert_eq!(output.status.code(), Some(0));

    for wrong in [
        &["--timeout-ms"][..],
        &["--timeout-ms", "-1"],
        &["--timeout-ms", "soon"],
    ] {
        let output = run("60_count_files", wrong);
        assert!(stderr(&output).contains("--timeout-ms needs a number"), "{wrong:?}");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }

    // After `--`, a path may look like an option.
    let output = run("60_count_files", &["--", "--help"]);
    assert!(stderr(&output).starts_with("60_count_files: --help: "));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_failure() {
    let folder = Folder::new("pipe");
    let path = folder.file("file", b"x\n");
    let mut child = command("60_count_files")
        .args(vec![path; 1000])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(stderr(&output), "");
    assert_eq!(output.status.code(), Some(0));
}

/// A line with single spaces between its columns.
fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
