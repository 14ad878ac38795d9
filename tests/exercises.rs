//! The companion as somebody meets it who does the exercises.
//!
//! Most of these tests are about a made-up checkout with three exercises, which are built in no
//! time: their checks stand on nothing. The last are about a copy of the real ones, as far as they
//! and the companion must agree. Nobody's answers are touched.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, SystemTime};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A test that waits for so long has failed.
const LONG: Duration = Duration::from_secs(120);

const RIGHT: &str = "pub fn answer() -> u32 {\n    42\n}\n";
const WRONG: &str = "pub fn answer() -> u32 {\n    41\n}\n";

// To begin, and to go on.

#[test]
fn a_newcomer_sees_the_welcome_and_the_way_to_the_first_exercise() {
    let course = Course::new("newcomer");
    let page = course.page(&[]);
    assert_eq!(page, course.page(&["welcome"]));
    assert!(page.contains("handspun is a single-threaded async executor"), "{page}");
    assert!(page.contains("\n  cargo run -- ex 1 "), "{page}");
    // Looking around leaves nothing behind.
    assert!(!course.answer("01_one").exists() && !course.root.join("target").exists());
}

#[test]
fn to_open_an_exercise_shows_its_task_and_where_to_write_and_it_is_red() {
    let course = Course::new("opens");
    let (page, code) = course.run(&["ex", "1", "--once"]);
    let expected = "
01 One  ★  10 minutes
[------------------------] 0/3

Write `answer`, which is 42. See the page (read 1), and the next (ex 02).

It is a function.

  write   examples/exercises/tests/01_one/answer.rs:3
  read    examples/exercises/tests/01_one/README.md
  before  cargo run -- read 1

checking...
01 one: not written yet
";
    assert_eq!((page.as_str(), code), (expected, 1));
    // Nor does it watch where nobody could end it.
    let unattended = output(course.command(&["ex", "1"]).stdin(Stdio::null()));
    assert_eq!(split(&unattended), (page, code));
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_an_exercise_is_watched_unless_once_is_asked_for() {
    let course = Course::new("attended");
    for (arguments, code) in [("ex 1", 0), ("ex 1 > /dev/null", 0), ("ex 1 --once", 1)] {
        let program = format!("{} {arguments}", env!("CARGO_BIN_EXE_handspun"));
        let mut script = course.with_surroundings(Command::new("script"));
        script.args(["-qec", &program, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let Ok(mut script) = script.spawn() else {
            return; // There is no `script` here.
        };
        // Who watches ends by that, and well. The starter is red.
        script.stdin.as_mut().unwrap().write_all(b"q\n").unwrap();
        assert_eq!(script.wait().unwrap().code(), Some(code), "{arguments}");
    }
}

#[test]
fn to_open_one_gives_each_exercise_a_starter_and_takes_no_answer_away() {
    let course = Course::new("starters");
    course.write("02_two", WRONG);
    course.run(&["ex", "1", "--once"]);
    for exercise in ["01_one", "08_far_away"] {
        let starter = fs::read(course.folder(exercise).join("starter.rs")).unwrap();
        assert_eq!(fs::read(course.answer(exercise)).unwrap(), starter);
    }
    assert_eq!(fs::read_to_string(course.answer("02_two")).unwrap(), WRONG);
}

#[test]
fn of_a_long_task_no_more_than_eight_lines_are_shown() {
    let course = Course::new("long");
    let page = course.run(&["ex", "8", "--once"]).0;
    let task = page.split_once("0/3\n\n").unwrap().1.split_once("\n\n  write").unwrap().0;
    assert_eq!(task, "The first paragraph.\n\nThe second paragraph.\n(There is more of it.)");
}

#[test]
fn who_comes_back_sees_what_is_not_solved_yet() {
    let course = Course::new("returns");
    course.run(&["ex", "1", "--once"]);
    // A copy of the starter is no beginning.
    assert_eq!(course.page(&[]), course.page(&["welcome"]));
    course.write("01_one", WRONG);
    let page = course.page(&[]);
    assert!(page.starts_with("\n01 One  ★  10 minutes\n"), "{page}");
    assert!(page.contains("/01_one/answer.rs:1\n"), "{page}");
    assert!(page.ends_with("`cargo run -- ex 01` checks it each time you save.\n"), "{page}");
    course.write("01_one", RIGHT);
    assert_eq!(course.run(&["check"]).1, 0);
    assert!(course.page(&[]).contains("\n02 Two  ★★  1 hour\n[########----------------] 1/3\n"));
    // The one that was opened last comes first, until it is solved.
    course.run(&["ex", "far", "--once"]);
    assert!(course.page(&[]).contains("\n08 Far Away "));
    course.write("08_far_away", RIGHT);
    assert_eq!(course.run(&["check"]).1, 0);
    assert!(course.page(&[]).contains("\n02 Two "));
}

#[test]
fn when_all_are_solved_it_says_so_and_where_to_go_from_there() {
    let course = Course::new("ending");
    for exercise in ["01_one", "02_two", "08_far_away"] {
        course.write(exercise, RIGHT);
    }
    course.run(&["solution", "2", "--give-up"]);
    let (page, code) = course.run(&["check", "all"]);
    let lines = "01 one: solved\n02 two: solved\n08 far_away: solved\n";
    assert_eq!((page, code), (format!("{lines}[########################] 3/3\n"), 0));
    let page = course.page(&[]);
    for part in [
        "All 3 exercises are solved.\n",
        "\n  A Chat Server\n  A Port\n",
        "\n  cargo run -- read capstones\n",
        "\n  cargo run -- read 18\n",
    ] {
        assert!(page.contains(part), "{part:?} is not in\n{page}");
    }
}

#[test]
fn an_exercise_is_found_by_number_by_name_by_part_of_it_and_by_path() {
    let course = Course::new("found");
    for word in [
        "8",
        "08",
        "08_far_away",
        "far_away",
        "far",
        "away",
        "08_f",
        "examples/exercises/tests/08_far_away/answer.rs",
        "./tests/08_far_away/",
    ] {
        let page = course.page(&["hint", word, "1"]);
        assert!(page.starts_with("\n08 Far Away, hint 1 of 3:\n"), "{word}: {page}");
    }
    course.refused(&["ex", "farr"], "no exercise `farr`: did you mean `08_far_away`?");
    let complaint = "no exercise `3`: `cargo run -- exercises` shows those that there are";
    course.refused(&["check", "3"], complaint);
    let several = "`` may be 01_one, 02_two, 08_far_away: which one?";
    course.refused(&["hint", ""], several);
    course.refused(&["twoo"], "no command `twoo`: did you mean `cargo run -- ex 02_two`?");
    course.refused(&["ex", "1", "2"], "`ex` takes an exercise, `--once` or `--watch`, or nothing");
    course.refused(&["exercises", "1"], "`exercises` takes no argument");
}

// Checks.

#[test]
fn an_answer_is_solved_as_long_as_it_is_the_one_that_has_passed() {
    let course = Course::new("solved");
    course.write("01_one", RIGHT);
    // Nobody has checked it.
    assert_eq!(course.state("01 One"), "begun");
    let (page, code) = course.run(&["check", "1"]);
    assert_eq!(page, "01 one: solved\nthe solution: cargo run -- solution 01\n");
    assert_eq!((code, course.state("01 One").as_str()), (0, "solved"));
    course.write("01_one", WRONG);
    assert_eq!(course.state("01 One"), "begun");
    course.write("01_one", RIGHT);
    assert_eq!(course.state("01 One"), "solved");
    // It has not passed this check.
    let check = course.folder("01_one").join("main.rs");
    let text = fs::read_to_string(&check).unwrap();
    fs::write(&check, text.replace("42", "43")).unwrap();
    assert_eq!(course.state("01 One"), "begun");
    assert_eq!(course.run(&["check", "1"]), ("01 one: not solved\n\n42, and not 43\n".into(), 1));
}

#[test]
fn what_is_saved_while_another_answer_passes_is_not_solved_by_that() {
    let course = Course::new("saved");
    course.write("01_one", &saving(&course, WRONG));
    assert_eq!(course.run(&["check", "1"]).1, 0);
    assert_eq!(course.state("01 One"), "begun");
}

/// A right answer that saves another one while it is checked.
fn saving(course: &Course, other: &str) -> String {
    let save = format!("std::fs::write({:?}, {other:?}).unwrap();", course.answer("01_one"));
    RIGHT.replace("42", &format!("{save}\n    42"))
}

#[cfg(unix)]
#[test]
fn what_is_saved_while_it_is_built_is_built_once_more() {
    let course = Course::new("built");
    course.write("01_one", WRONG);
    let save = format!("printf %s '{RIGHT}' > {:?}", course.answer("01_one"));
    let mut check =
        course.with_cargo(&format!("{save}\nexec \"$REAL_CARGO\" \"$@\""), &["check", "1"]);
    assert_eq!(output(&mut check).status.code(), Some(0));
    assert_eq!(course.state("01 One"), "solved");
    course.write("01_one", WRONG);
    assert_eq!(course.state("01 One"), "begun");
}

#[test]
fn progress_that_is_lost_comes_back_with_a_check_of_all() {
    let course = Course::new("lost");
    course.write("01_one", RIGHT);
    course.write("08_far_away", RIGHT);
    course.write("02_two", "pub fn answer() -> u32 {");
    let expected = "01 one: solved\n02 two: does not compile yet\n08 far_away: solved\n\
                    [################--------] 2/3\n";
    assert_eq!(course.run(&["check", "all"]), (expected.to_string(), 1));
    fs::remove_dir_all(course.root.join("target/handspun")).unwrap();
    assert_eq!(course.state("08 Far Away"), "begun");
    assert_eq!(course.run(&["check", "all"]), (expected.to_string(), 1));
    assert_eq!(course.state("08 Far Away"), "solved");
}

#[test]
fn what_the_compiler_says_begins_with_the_first_error_and_has_no_warnings() {
    let course = Course::new("errors");
    let errors = (0..5).map(|nth| format!("    let _: u8 = \"{nth}\";\n")).collect::<String>();
    let text = format!("use std::fmt;\n\npub fn answer() -> u32 {{\n{errors}    42\n}}\n");
    course.write("01_one", &text);
    let (page, code) = course.run(&["check", "1"]);
    assert_eq!(code, 1);
    let beginning = "01 one: does not compile yet\n\nerror[E0308]: mismatched types\n";
    assert!(page.starts_with(beginning), "{page}");
    assert!(page.contains("examples/exercises/tests/01_one/answer.rs:4:"), "{page}");
    assert_eq!(page.matches("error").count(), 3, "{page}");
    assert!(page.ends_with("\nErrors that are not shown: 2.\n\na hint: cargo run -- hint 01\n"));
    for noise in [
        "warning",
        "unused",
        "Compiling",
        "could not compile",
        "--explain",
    ] {
        assert!(!page.contains(noise), "{noise}: {page}");
    }
}

#[test]
fn an_answer_that_was_put_back_is_checked_as_it_is_however_old_it_is() {
    let course = Course::new("old");
    course.write("01_one", RIGHT);
    assert_eq!(course.run(&["check", "1"]).1, 0);
    course.write("01_one", WRONG);
    let file = File::options().append(true).open(course.answer("01_one")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    assert_eq!(course.run(&["check", "1"]).1, 1);
}

#[test]
fn an_empty_answer_is_one_that_does_not_compile() {
    let course = Course::new("empty");
    course.write("01_one", "");
    let (page, code) = course.run(&["check", "1"]);
    assert!(page.starts_with("01 one: does not compile yet\n\nerror"), "{page}");
    assert_eq!(code, 1);
}

#[test]
fn what_an_answer_prints_is_seen() {
    let course = Course::new("prints");
    course.write("01_one", "pub fn answer() -> u32 {\n    dbg!(40) + 2\n}\n");
    let output = course.output(&["check", "1"]);
    assert!(stderr(&output).contains("] 40 = 40\n"), "{}", stderr(&output));
}

#[test]
fn a_check_of_all_has_one_line_for_each_whatever_an_answer_prints_or_does() {
    let course = Course::new("lines");
    let prints = "pub fn answer() -> u32 {\n    print!(\"40\\n2\");\n    42\n}\n";
    course.write("01_one", prints);
    course.write("02_two", "pub fn answer() -> u32 {\n    std::process::abort()\n}\n");
    let (page, _) = course.run(&["check", "all"]);
    let lines: Vec<&str> = page.lines().take(3).collect();
    assert_eq!(lines[..2], ["01 one: solved", "02 two: not solved"], "{page}");
    assert!(lines[2].starts_with('['), "{page}");

    let (page, _) = course.run(&["check", "2"]);
    let beginning = "02 two: not solved\n\nThe answer has ended its check: ";
    assert!(page.starts_with(beginning), "{page}");
}

#[test]
fn without_cargo_it_says_so() {
    let course = Course::new("cargo");
    let mut command = course.command(&["check", "1"]);
    let output = output(command.env("CARGO", "/nowhere/cargo"));
    let complaint = stderr(&output);
    assert!(complaint.starts_with("handspun: cannot start /nowhere/cargo: "), "{complaint}");
    assert_eq!(output.status.code(), Some(1));
}

#[cfg(unix)]
#[test]
fn without_a_network_cargo_is_called_once_more_offline() {
    let course = Course::new("offline");
    course.write("01_one", RIGHT);
    let script = r#"case " $* " in
        *" --offline "*) exec "$REAL_CARGO" "$@" ;;
    esac
    echo 'error: failed to download' >&2
    exit 101"#;
    let output = output(&mut course.with_cargo(script, &["check", "1"]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

// Hints, solutions, resets, drawings.

#[test]
fn each_hint_is_asked_for() {
    let course = Course::new("hints");
    let hint = |arguments: &[&str]| course.page(arguments);
    let first = "\n01 One, hint 1 of 3:\n\nIt is even.\n\nThe next one: cargo run -- hint 01\n";
    assert_eq!(hint(&["hint", "1"]), first);
    assert!(hint(&["hint", "1"]).contains("hint 2 of 3:\n\nIt is 6 times 7.\n"));
    let last = hint(&["hint", "1"]);
    assert!(last.contains("hint 3 of 3:\n\n    ## no heading\n    42\n"), "{last}");
    assert!(last.ends_with("the last one: cargo run -- solution 01 --give-up\n"), "{last}");
    assert_eq!(hint(&["hint", "1"]), first);
    assert!(hint(&["hint", "1", "3"]).contains("hint 3 of 3"));
    // Each has its own, and without a name it is that of the exercise one is at.
    assert!(hint(&["hint", "2"]).contains("02 Two, hint 1 of 3"));
    course.run(&["ex", "8", "--once"]);
    assert!(hint(&["hint"]).contains("08 Far Away, hint 1 of 3"));
    course.refused(&["hint", "1", "4"], "exercise 01 has 3 hints: there is no hint 4");
    course.refused(&["hint", "1", "0"], "a hint is called by its number: 1, 2 or 3");
}

#[test]
fn a_solution_is_for_those_who_have_one_or_give_up() {
    let course = Course::new("solutions");
    course.write("01_one", WRONG);
    let output = course.output(&["solution", "1"]);
    let complaint = "handspun: exercise 01 is not solved: `cargo run -- hint 01` helps, and \
                     `cargo run -- solution 01 --give-up` shows the solution\n";
    assert_eq!((stderr(&output).as_str(), output.status.code()), (complaint, Some(1)));
    let solution = "examples/exercises/tests/01_one/solution.rs:1\n\n\
                    // A solution.\npub fn answer() -> u32 {\n    42\n}\n\nNow you know it.\n";
    // Nobody has checked it yet, but it is right.
    course.write("01_one", RIGHT);
    assert_eq!(course.page(&["solution", "1"]), solution);
    assert_eq!(course.state("01 One"), "solved");
    course.write("01_one", WRONG);
    assert_eq!(course.page(&["solution", "1", "--give-up"]), solution);
    assert_eq!(course.state("01 One"), "begun");
    course.write("01_one", RIGHT);
    assert_eq!(course.state("01 One"), "solved, after a look at the solution");
    assert_eq!(course.page(&["solution", "1"]), solution);
}

#[test]
fn a_reset_asks_and_keeps_what_was_written() {
    let course = Course::new("reset");
    let answer = course.answer("01_one");
    let old = course.folder("01_one").join("answer.rs.old");
    let starter = fs::read_to_string(course.folder("01_one").join("starter.rs")).unwrap();
    course.write("01_one", WRONG);
    for refusal in ["n\n", "\n", ""] {
        let (page, code) = course.told(&["reset", "1"], refusal);
        assert!(page.ends_with("(y/n)\nNothing is changed.\n"), "{page}");
        assert_eq!((code, fs::read_to_string(&answer).unwrap().as_str()), (1, WRONG));
    }
    assert_eq!(course.told(&["reset", "1"], "y\n").1, 0);
    assert_eq!(fs::read_to_string(&answer).unwrap(), starter);
    assert_eq!(fs::read_to_string(&old).unwrap(), WRONG);
    // What is kept is not replaced by a starter.
    let page = course.page(&["reset", "1", "--yes"]);
    let said = "examples/exercises/tests/01_one/answer.rs is the starter already.\n";
    assert_eq!(page, said);
    assert_eq!(fs::read_to_string(&old).unwrap(), WRONG);
    course.write("01_one", RIGHT);
    assert!(course.page(&["reset", "1", "--yes"]).ends_with("answer.rs.old is kept.\n"));
    assert_eq!(fs::read_to_string(&old).unwrap(), RIGHT);
    course.refused(&["reset"], "`reset` takes an exercise, and `--yes`");
}

#[test]
fn a_run_is_drawn_into_a_file_that_is_named() {
    let course = Course::new("trace");
    course.write("01_one", WRONG);
    let (page, code) = course.run(&["trace", "1"]);
    assert!(page.ends_with("\nthe run: target/handspun/01_one.html\n"), "{page}");
    assert_eq!(code, 1);
    let drawing = course.root.join("target/handspun/01_one.html");
    assert_eq!(fs::read_to_string(drawing).unwrap(), "41");
    // The old one is no drawing of this run.
    course.run(&["reset", "1", "--yes"]);
    let (page, _) = course.run(&["trace", "1"]);
    assert!(page.ends_with("\nNothing has run yet that could be drawn.\n"), "{page}");
}

#[cfg(unix)]
#[test]
fn what_is_no_exercise_but_an_example_is_drawn_too() {
    let course = Course::new("example");
    for word in ["17", "17_sleep", "sleep"] {
        let output = output(course.command(&["trace", word]).env("CARGO", "echo"));
        assert!(stdout(&output).ends_with(" --example 17_sleep -- --trace html\n"), "{word}");
    }
    course.refused(&["trace", "twoo"], "no exercise `twoo`: did you mean `02_two`?");
}

// To watch.

#[test]
fn each_save_is_checked_and_the_next_comes_when_it_is_asked_for() {
    let course = Course::new("watch");
    let mut watch = course.watch(&["1"]);
    watch.until("checking...");
    watch.until("01 one: not written yet");
    course.write("01_one", WRONG);
    watch.until("checking...");
    watch.until("01 one: not solved");
    course.write("01_one", RIGHT);
    watch.until("01 one: solved");
    watch.until("[########----------------] 1/3");
    watch.until("Now you know it.");
    watch.until("  examples/exercises/tests/01_one/solution.rs:1");
    watch.until("The next is 02 Two: n and Enter.");
    // It is still the first that is watched.
    course.write("01_one", WRONG);
    watch.until("01 one: not solved");
    course.write("01_one", RIGHT);
    watch.until("01 one: solved");
    // All else that there is to say has been said.
    let keys = "Each save is checked. Keys, with Enter: h hint, n next, q quit, ? all of them.";
    assert_eq!(watch.until(keys), "\n");
    watch.press("n");
    watch.until("02 Two  ★★  1 hour");
    watch.until("02 two: not written yet");
    watch.press("q");
    assert_eq!(watch.code(), Some(0));
}

#[test]
fn each_key_does_what_it_says() {
    let course = Course::new("keys");
    let mut watch = course.watch(&["1"]);
    watch.until("01 one: not written yet");
    for (key, answer) in [
        ("h", "01 One, hint 1 of 3:"),
        ("H", "01 One, hint 2 of 3:"),
        ("r", "## What must hold"),
        ("l", "  08 Far Away                     ★★★   2 hours"),
        ("c", "01 one: not written yet"),
        ("t", "Nothing has run yet that could be drawn."),
        ("?", "  q  quit (your answer is saved where you saved it, and nowhere else)"),
        ("x", "  q  quit (your answer is saved where you saved it, and nowhere else)"),
        ("n", "02 two: not written yet"),
        ("n", "08 far_away: not written yet"),
        ("n", "01 one: not written yet"),
    ] {
        watch.press(key);
        // Not told apart on a terminal that has no colours.
        watch.until(answer.trim_start_matches("## "));
    }
    course.write("01_one", WRONG);
    watch.until("01 one: not solved");
    watch.press("t");
    watch.until("the run: target/handspun/01_one.html");
    watch.press("q");
    assert_eq!(watch.code(), Some(0));
}

#[test]
fn when_the_last_is_solved_it_says_that_this_is_the_end() {
    let course = Course::new("last");
    course.write("01_one", RIGHT);
    course.write("02_two", RIGHT);
    course.run(&["check", "all"]);
    let mut watch = course.watch(&[]);
    watch.until("08 Far Away  ★★★  2 hours");
    course.write("08_far_away", RIGHT);
    watch.until("08 far_away: solved");
    watch.until("All 3 exercises are solved.");
    watch.press("n");
    watch.until("All 3 exercises are solved.");
    watch.press("q");
    assert_eq!(watch.code(), Some(0));
}

#[test]
fn it_goes_on_watching_when_stdin_is_closed() {
    let course = Course::new("closed");
    let mut watch = course.watch(&["1"]);
    drop(watch.keys.take());
    watch.until("01 one: not written yet");
    course.write("01_one", RIGHT);
    watch.until("01 one: solved");
}

#[test]
fn a_save_that_changes_nothing_is_checked_too() {
    let course = Course::new("same");
    course.write("01_one", WRONG);
    let mut watch = course.watch(&["1"]);
    watch.until("01 one: not solved");
    course.write("01_one", WRONG);
    watch.until("01 one: not solved");
}

#[test]
fn what_is_saved_during_a_check_that_passes_is_what_counts() {
    let course = Course::new("during");
    let mut watch = course.watch(&["1"]);
    watch.until("01 one: not written yet");
    course.write("01_one", &saving(&course, RIGHT));
    watch.until("01 one: solved");
    watch.until("[########----------------] 1/3");
}

#[test]
fn an_answer_that_is_gone_is_waited_for() {
    let course = Course::new("gone");
    let mut watch = course.watch(&["1"]);
    watch.until("01 one: not written yet");
    fs::remove_file(course.answer("01_one")).unwrap();
    watch.until("starter once more.");
    assert!(!course.answer("01_one").exists());
    course.write("01_one", RIGHT);
    watch.until("01 one: solved");
    // And once more.
    fs::remove_file(course.answer("01_one")).unwrap();
    watch.until("starter once more.");
}

/// It is not back before this test is over, and tells who has to be ended.
const STAYS: &str = "pub fn answer() -> u32 {
    std::fs::write(\"running.txt\", std::process::id().to_string()).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(600));
    42
}
";

#[cfg(target_os = "linux")]
#[test]
fn a_save_during_a_check_ends_it_and_begins_anew() {
    let course = Course::new("anew");
    course.write("01_one", STAYS);
    let mut watch = course.watch(&["1"]);
    let process = course.running();
    course.write("01_one", RIGHT);
    watch.until("01 one: solved");
    assert!(!process.exists(), "it runs on");
}

#[cfg(target_os = "linux")]
#[test]
fn who_quits_during_a_check_ends_it() {
    let course = Course::new("quits");
    course.write("01_one", STAYS);
    let mut watch = course.watch(&["1"]);
    let process = course.running();
    watch.press("q");
    assert_eq!(watch.code(), Some(0));
    assert!(!process.exists(), "it runs on");
}

#[cfg(target_os = "linux")]
const SIGINT: u32 = 2;

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_the_check_and_leaves_nothing_unfinished() {
    // Who is started in the background of a script ignores it, and so does all that it starts.
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    if u64::from_str_radix(ignored.trim(), 16).unwrap() & (1 << (SIGINT - 1)) != 0 {
        return;
    }
    let course = Course::new("ctrl_c");
    course.write("01_one", STAYS);
    let mut watch = course.watch(&["1"]);
    let process = course.running();
    // A terminal sends it to all programs in the foreground.
    let group = format!("-{}", watch.child.id());
    let sent = Command::new("kill").args(["-INT", "--", &group]).status().unwrap();
    assert!(sent.success());
    assert_eq!(watch.code(), None, "a signal has ended it");
    wait_until("the check ends", || !process.exists());
    let files = fs::read_dir(course.folder("01_one")).unwrap().flatten();
    let names: Vec<_> = files.map(|file| file.file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.ends_with(".new")), "{names:?}");
    assert_eq!(fs::read_to_string(course.answer("01_one")).unwrap(), STAYS);
}

// Surroundings.

#[test]
fn what_cargo_builds_and_what_we_remember_go_where_cargo_is_told() {
    let course = Course::new("target");
    course.write("01_one", RIGHT);
    let elsewhere = course.root.join("elsewhere");
    let mut command = course.command(&["check", "1"]);
    let output = output(command.env("CARGO_TARGET_DIR", &elsewhere));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(elsewhere.join("debug").is_dir() && elsewhere.join("handspun").is_dir());
    assert!(!course.root.join("target").exists());
}

#[test]
fn cargo_may_be_told_to_be_quiet_or_verbose() {
    let course = Course::new("verbose");
    course.write("01_one", RIGHT);
    for setting in ["CARGO_TERM_QUIET", "CARGO_TERM_VERBOSE"] {
        let output = output(course.command(&["check", "1"]).env(setting, "true"));
        assert_eq!(output.status.code(), Some(0), "{setting}: {}", stderr(&output));
    }
}

#[test]
fn it_works_in_any_folder_and_names_files_from_there() {
    let course = Course::new("folder");
    let folder = course.folder("01_one");
    let (page, _) = split(&output(course.command(&["ex", "1", "--once"]).current_dir(folder)));
    assert!(page.contains("\n  write   answer.rs:3\n  read    README.md\n"), "{page}");
    assert!(page.ends_with("01 one: not written yet\n"), "{page}");
    let mut command = course.command(&["ex", "1", "--once"]);
    let (page, _) = split(&output(command.current_dir(course.root.join("docs"))));
    let path = course.answer("01_one").display().to_string();
    assert!(page.contains(&format!("\n  write   {path}:3\n")), "{page}");
}

#[test]
fn what_cannot_be_written_is_named() {
    let course = Course::new("read_only");
    // Who runs this test may be allowed to write everywhere. But not over a folder.
    fs::create_dir(course.folder("01_one").join("answer.rs.new")).unwrap();
    let complaint = stderr(&course.output(&["ex", "1", "--once"]));
    assert!(complaint.starts_with("handspun: cannot write "), "{complaint}");
    assert!(complaint.contains("answer.rs: "), "{complaint}");
    // Another one can be done.
    course.write("02_two", RIGHT);
    assert_eq!(course.run(&["check", "2"]).1, 0);
}

#[test]
fn without_a_place_for_its_memory_it_says_so_once_and_works() {
    let course = Course::new("no_memory");
    course.write("01_one", RIGHT);
    fs::create_dir(course.root.join("target")).unwrap();
    fs::write(course.root.join("target/handspun"), "").unwrap();
    let output = course.output(&["check", "1"]);
    assert!(stdout(&output).starts_with("01 one: solved\n"), "{}", stdout(&output));
    let complaint = stderr(&output);
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.starts_with("handspun: cannot write "), "{complaint}");
    assert!(complaint.ends_with("(so your progress is not remembered)\n"), "{complaint}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn no_line_is_wider_than_80_columns_or_has_colours_where_nobody_sees_them() {
    let course = Course::new("wide");
    let mut pages = vec![
        course.run(&["ex", "1", "--once"]).0,
        course.page(&["exercises"]),
    ];
    pages.push(course.page(&["hint", "8", "3"]));
    pages.push(course.page(&["solution", "8", "--give-up"]));
    course.write("01_one", RIGHT);
    pages.push(course.run(&["check", "1"]).0);
    pages.push(course.page(&[]));
    for line in pages.iter().flat_map(|page| page.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
        assert_eq!(line, line.trim_end());
        assert!(!line.contains('\x1b'), "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_there_are_colours_unless_they_are_refused() {
    let course = Course::new("colours");
    course.write("01_one", "pub fn answer() -> u32 {");
    let page = |no_color: &str| {
        let program = format!("{} check 1", env!("CARGO_BIN_EXE_handspun"));
        let mut command = course.with_surroundings(Command::new("script"));
        command.args(["-qec", &program, "/dev/null"]).env("NO_COLOR", no_color);
        command.stdin(Stdio::null()).output().ok().map(|output| stdout(&output))
    };
    let Some(page_in_colour) = page("") else {
        return; // There is no `script` here.
    };
    let title = "01 one: \x1b[1;31mdoes not compile yet\x1b[0m";
    assert!(page_in_colour.starts_with(title), "{page_in_colour}");
    // The compiler's too.
    assert!(page_in_colour.matches('\x1b').count() > 4, "{page_in_colour}");
    let plain = page("1").unwrap();
    assert!(plain.contains("does not compile yet") && !plain.contains('\x1b'), "{plain}");
}

// The real ones.

/// The companion and a check agree on where files are, on what an exit code means, and on `--html`.
#[test]
fn the_first_of_the_real_exercises_is_red_and_then_green() {
    let course = Course::real("real");
    let (page, code) = course.run(&["ex", "1", "--once"]);
    assert!(page.contains("\n01 Countdown  ★  10 minutes\n"), "{page}");
    // In between it may say that it is still building.
    let (_, checked) = page.split_once("\nchecking...\n").unwrap();
    assert!(checked.contains("01 countdown: not written yet: "), "{page}");
    assert_eq!(code, 1);
    let solution = course.folder("01_countdown").join("solution.rs");
    course.write("01_countdown", &fs::read_to_string(solution).unwrap());
    let (page, code) = course.run(&["trace", "1"]);
    assert!(page.starts_with("01 countdown: solved"), "{page}");
    assert!(page.ends_with("\nthe run: target/handspun/01_countdown.html\n"), "{page}");
    assert_eq!((code, course.state("01 Countdown").as_str()), (0, "solved"));
    a_check_that_cargo_runs_by_itself_says_that_it_checks_nothing(&course);
}

/// (A part of the test above: what that has built need not be built again.)
fn a_check_that_cargo_runs_by_itself_says_that_it_checks_nothing(course: &Course) {
    let mut cargo = course.with_surroundings(Command::new(env!("CARGO")));
    cargo.args([
        "test",
        "--quiet",
        "-p",
        "handspun-exercises",
        "--test",
        "01_countdown",
    ]);
    let said = "01_countdown: not checked: `cargo run -- check 01_countdown` does that\n";
    assert_eq!(split(&output(&mut cargo)), (said.to_string(), 0));
}

/// In the folder of the exercises `cargo run` is about another package.
#[test]
fn cargo_run_starts_the_companion_in_the_folder_of_an_exercise_too() {
    let main = fs::read_to_string(Path::new(ROOT).join("examples/exercises/src/main.rs")).unwrap();
    let course = Course::new("elsewhere");
    course.file("examples/exercises/src/main.rs", &main);
    let companion = "[package]\nname = \"handspun\"\nedition = \"2024\"\n[workspace]\n\
                     members = [\"examples/exercises\"]\n";
    course.file("Cargo.toml", companion);
    let prints = "fn main() {\n    println!(\"{:?}\", std::env::args().nth(1));\n    \
                  std::process::exit(7);\n}\n";
    course.file("src/main.rs", prints);
    let mut cargo = course.with_surroundings(Command::new(env!("CARGO")));
    cargo.args(["run", "--quiet", "hint"]).current_dir(course.folder("01_one"));
    assert_eq!(split(&output(&mut cargo)), ("Some(\"hint\")\n".to_string(), 7));
}

/// What a README has is found in all of the real ones.
#[test]
fn each_of_the_real_exercises_has_a_title_stars_a_time_a_task_and_three_hints() {
    let course = Course::real("readmes");
    let list = course.page(&["exercises"]);
    let rows: Vec<&str> = list.lines().filter(|line| line.contains('★')).collect();
    let folders = fs::read_dir(course.root.join(TESTS)).unwrap().flatten();
    assert_eq!(rows.len(), folders.filter(|folder| folder.path().is_dir()).count(), "{list}");
    for row in rows {
        assert!(row.ends_with(" min"), "{row}");
        let number = row.split_whitespace().next().unwrap();
        for level in ["1", "2", "3"] {
            let hint = course.page(&["hint", number, level]);
            assert!(hint.contains(&format!(", hint {level} of 3:\n\n")), "{hint}");
        }
    }
}

// The tests' vocabulary.

const TESTS: &str = "examples/exercises/tests";

/// A checkout with exercises in it, and nobody's answers.
struct Course {
    root: PathBuf,
}

impl Course {
    fn new(name: &str) -> Course {
        let course = Course::empty(name);
        course.file(
            "Cargo.toml",
            "[workspace]\nmembers = [\"examples/exercises\"]\nresolver = \"3\"\n",
        );
        course.file("docs/SUMMARY.md", "# Summary\n\n- [1. A page](01-page.md)\n");
        course.file("docs/01-page.md", "# 1. A page\n");
        course.file("examples/17_sleep.rs", "//! Sleeps.\n");
        let capstones =
            "# Capstones\n\n## A Chat Server\n\nIt chats.\n\n## A Port\n\nIt does not.\n";
        course.file("docs/capstones.md", capstones);
        course.file("examples/exercises/src/lib.rs", "//! Nothing.\n");
        let mut manifest =
            "[package]\nname = \"handspun-exercises\"\nedition = \"2024\"\n".to_string();
        manifest += "[features]\nanswers = []\n";
        for (name, title, facts, task) in [
            ("01_one", "01 One", "★ · 10 minutes · chapter 1, [A page](../x.md)", ONE),
            ("02_two", "02 Two", "★★ · 1 hour · chapter 1, [A page](../x.md)", "It is two.\n"),
            ("08_far_away", "08 Far Away", "★★★ · 2 hours", LONG_TASK),
        ] {
            manifest += &format!("[[test]]\nname = \"{name}\"\nharness = false\n");
            let file =
                |file: &str, text: &str| course.file(&format!("{TESTS}/{name}/{file}"), text);
            file("README.md", &format!("# {title}\n\n{facts}\n\n{task}\n{SECTIONS}"));
            file("starter.rs", "// The starter.\npub fn answer() -> u32 {\n    todo!()\n}\n");
            file("solution.rs", &format!("// A solution.\n{RIGHT}"));
            file("main.rs", &CHECK.replace("NAME", &name.replacen('_', " ", 1)));
        }
        course.file("examples/exercises/Cargo.toml", &manifest);
        course
    }

    /// A copy of those that there are.
    fn real(name: &str) -> Course {
        let course = Course::empty(name);
        for path in [
            "Cargo.toml",
            "Cargo.lock",
            "src",
            "docs",
            "examples",
            "tests",
        ] {
            copy(&Path::new(ROOT).join(path), &course.root.join(path));
        }
        course
    }

    fn empty(name: &str) -> Course {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("courses").join(name);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let root = root.canonicalize().unwrap();
        Course { root }
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn folder(&self, exercise: &str) -> PathBuf {
        self.root.join(TESTS).join(exercise)
    }

    fn answer(&self, exercise: &str) -> PathBuf {
        self.folder(exercise).join("answer.rs")
    }

    /// Saves an answer, as an editor does.
    fn write(&self, exercise: &str, text: &str) {
        let new = self.folder(exercise).join("saving.tmp");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.answer(exercise)).unwrap();
    }

    fn with_surroundings(&self, mut command: Command) -> Command {
        command.current_dir(&self.root).env("CARGO_MANIFEST_DIR", &self.root);
        command.env("CARGO_NET_OFFLINE", "true").env_remove("NO_COLOR").env_remove("COLUMNS");
        command.env_remove("CARGO_TARGET_DIR").env_remove("CARGO_BUILD_TARGET_DIR");
        // What is built here is run once.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0");
        command
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handspun"));
        command.args(arguments);
        self.with_surroundings(command)
    }

    /// A command that calls this script in the place of cargo.
    #[cfg(unix)]
    fn with_cargo(&self, script: &str, arguments: &[&str]) -> Command {
        let file = self.root.join("cargo.sh");
        // Written by another program: what is open for writing here could not be started.
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod +x \"$0\"",
        ]);
        assert!(shell.arg(&file).arg(script).status().unwrap().success());
        let mut command = self.command(arguments);
        command.env("CARGO", file).env("REAL_CARGO", env!("CARGO"));
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        output(&mut self.command(arguments))
    }

    /// What a command prints, and its exit code.
    fn run(&self, arguments: &[&str]) -> (String, i32) {
        split(&self.output(arguments))
    }

    /// What a command prints that is carried out.
    #[track_caller]
    fn page(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert_eq!((stderr(&output).as_str(), output.status.code()), ("", Some(0)));
        stdout(&output)
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], complaint: &str) {
        let output = self.output(arguments);
        assert_eq!(stderr(&output), format!("handspun: {complaint}\n"));
        assert_eq!((stdout(&output).as_str(), output.status.code()), ("", Some(2)));
    }

    /// The same as `run` for a command that reads this.
    fn told(&self, arguments: &[&str], words: &str) -> (String, i32) {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(words.as_bytes()).unwrap();
        split(&child.wait_with_output().unwrap())
    }

    /// What the list says of the exercise with this title.
    fn state(&self, title: &str) -> String {
        let list = self.page(&["exercises"]);
        let row = list.lines().find_map(|line| line.trim_start().strip_prefix(title));
        let row = row.unwrap_or_else(|| panic!("{title} is not in\n{list}"));
        row.trim().splitn(4, "  ").last().unwrap().trim().rsplit("  ").next().unwrap().to_string()
    }

    fn watch(&self, arguments: &[&str]) -> Watch {
        let mut command = self.command(&["ex", "--watch"]);
        command.args(arguments);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let keys = child.stdin.take();
        Watch { child, keys, lines }
    }

    /// A file that is there as long as the check runs that does not come back.
    fn running(&self) -> PathBuf {
        let file = self.root.join("running.txt");
        wait_until("it runs", || fs::read_to_string(&file).is_ok_and(|id| !id.is_empty()));
        let process = Path::new("/proc").join(fs::read_to_string(&file).unwrap());
        assert!(process.exists());
        process
    }
}

/// A companion that watches.
struct Watch {
    child: Child,
    keys: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Watch {
    fn press(&mut self, key: &str) {
        let keys = self.keys.as_mut().unwrap();
        writeln!(keys, "{key}").unwrap();
    }

    /// Reads up to this line, and returns what comes before it.
    #[track_caller]
    fn until(&mut self, wanted: &str) -> String {
        let mut seen = String::new();
        loop {
            match self.lines.recv_timeout(LONG) {
                Ok(line) if line == wanted => return seen,
                Ok(line) => seen += &format!("{line}\n"),
                Err(error) => panic!("no {wanted:?}: {error}, after\n{seen}"),
            }
        }
    }

    fn code(&mut self) -> Option<i32> {
        let begin = SystemTime::now();
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status.code(),
                None => assert!(begin.elapsed().unwrap() < LONG, "it does not end"),
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const ONE: &str = "Write `answer`, which is 42. See [the page](../../../../docs/01-page.md), and
[the next](../02_two/README.md).

It is a function.
";

const LONG_TASK: &str = "The first paragraph.

The second paragraph.

- 1
- 2
- 3
- 4
- 5
";

const SECTIONS: &str = "## What must hold

- It is 42.

## Predict

What is it?

## Hint 1

It is even.

## Hint 2

It is 6 times 7.

## Hint 3

```text
## no heading
42
```

## Afterwards

Now you know it.
";

const CHECK: &str = r#"//! A check.

mod answer;

use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    let Ok(got) = std::panic::catch_unwind(answer::answer) else {
        println!("NAME: not written yet");
        return ExitCode::FAILURE;
    };
    let html = std::env::args().skip_while(|argument| argument != "--html").nth(1);
    let code = match got {
        42 => {
            println!("NAME: solved");
            ExitCode::SUCCESS
        }
        _ => {
            println!("NAME: not solved\n\n{got}, and not 42");
            ExitCode::FAILURE
        }
    };
    if let Some(html) = html {
        std::fs::write(&html, got.to_string()).unwrap();
        println!("\nthe run: {html}");
    }
    code
}
"#;

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().expect("the companion can be run")
}

fn split(output: &Output) -> (String, i32) {
    (stdout(output), output.status.code().expect("no signal has ended it"))
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("pages are UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begin = SystemTime::now();
    while !is_so() {
        assert!(begin.elapsed().unwrap() < LONG, "waiting until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Copies a file, or a folder with all that is in it but the answers.
fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let is_ours = !name.to_string_lossy().starts_with("answer") && name != "target";
        if is_ours {
            copy(&entry.path(), &to.join(name));
        }
    }
}
