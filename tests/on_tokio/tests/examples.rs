//! Handspun's examples on tokio: which of them print the same, byte for byte.
//!
//! They are compiled as they are, against a crate of that name which is tokio (`src/lib.rs`). Run
//! with `cargo test` in this folder. What differs is listed here, and explained in
//! `docs/porting-to-tokio.md`; everything else must be the same.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// They print something else.
const DIFFERENT: &[&str] = &[
    "01_lazy",
    "12_turns",
    "14_panic_is_contained",
    "16_main_ends",
    "20_paused_clock",
    "24_join_all",
    "27_select",
    "28_timeout",
    "34_hog",
    "35_yield_now",
    "36_budget",
    "37_lifo_vs_fifo",
    "38_oneshot",
    "52_supervisor",
];

/// They end in a stall report, and hang on tokio.
const HANG: &[&str] = &[
    "06_waker",
    "13_join_handle",
    "33_nobody_polls",
    "45_deadlock_report",
    "48_echo_spin",
    "57_sender_never_dropped",
];

/// They do not compile: they need a trait of tokio's in scope, or recordings.
const CANNOT: &[&str] = &[
    "49_echo_reactor",
    "50_clients_and_timers",
    "53_trace_tour",
    "54_lints",
    "56_costs",
    "62_chat",
    "63_http_files",
];

#[test]
fn examples_print_the_same_on_tokio() {
    let mut differences = String::new();
    for name in examples() {
        if [HANG, CANNOT].concat().contains(&name.as_str()) {
            continue;
        }
        let mut command = Command::new(program(&name));
        if name == "60_count_files" {
            command.arg("LICENSE-MIT");
        }
        let output = command.current_dir(root()).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let expected = fs::read(root().join(format!("tests/examples/{name}.txt"))).unwrap();
        match (output.stdout == expected, DIFFERENT.contains(&name.as_str())) {
            (false, false) => {
                let printed = String::from_utf8_lossy(&output.stdout);
                differences += &format!("{name} prints on tokio\n{printed}\n");
            }
            (true, true) => differences += &format!("{name} is listed, and prints the same\n"),
            _ => {}
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// `ported/55_port.rs` is for whoever wants to see what a port is, and uses tokio by its name.
#[test]
fn the_port_of_chapter_18_prints_the_same() {
    let output = Command::new(program("55_ported")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed, text("tests/examples/55_port.txt"));
}

/// Chapter 18 says what was done to it, and that this is all.
#[test]
fn the_port_of_chapter_18_is_what_comes_of_its_four_steps() {
    let example = code("examples/55_port.rs");
    let ported = code("tests/on_tokio/ported/55_port.rs");
    let renamed = example.replace("handspun::", "tokio::").replace(".spawn(", ".spawn_local(");
    let without = |text: &str, other: &str| -> Vec<String> {
        let others: BTreeSet<&str> = other.lines().collect();
        let lines = text.lines().filter(|line| !others.contains(line));
        lines.map(|line| line.trim().to_string()).collect()
    };
    assert_eq!(
        without(&renamed, &ported),
        [
            "mod support;",
            "use tokio::executor::Executor;",
            "use tokio::sync::{CancellationToken, Mutex, mpsc, oneshot};",
            "use support::say;",
            "Executor::builder().start_paused(!real).build().block_on(program);",
            "on(support::wants_real_clock(), program());",
        ]
    );
    assert_eq!(
        without(&ported, &renamed),
        [
            "use std::fmt::Display;",
            "use tokio::sync::{Mutex, mpsc, oneshot};",
            "use tokio_util::sync::CancellationToken;",
            "let mut builder = tokio::runtime::Builder::new_current_thread();",
            "let runtime = builder.enable_all().start_paused(!real).build().unwrap();",
            "tokio::task::LocalSet::new().block_on(&runtime, program);",
            "/// As in the `support` of the examples.",
            "fn say(start: Instant, line: impl Display) {",
            "println!(\"{:7.3} s  {line}\", start.elapsed().as_secs_f64());",
            "on(std::env::args().any(|argument| argument == \"--real\"), program());",
        ]
    );
}

/// A file without its head.
fn code(file: &str) -> String {
    let lines = text(file);
    let lines = lines.lines().filter(|line| !line.starts_with("//!"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn each_example_is_tried_or_listed() {
    let manifest = text("tests/on_tokio/Cargo.toml");
    for name in examples() {
        let is_tried = manifest.contains(&format!("\nname = \"{name}\"\n"));
        let cannot = CANNOT.contains(&name.as_str());
        assert!(is_tried || cannot, "{name} is neither in tests/on_tokio/Cargo.toml nor listed");
        assert!(!is_tried || !cannot, "{name} is tried, and listed as one that cannot be");
    }
}

#[test]
fn what_differs_is_explained() {
    let page = text("docs/porting-to-tokio.md");
    for name in [DIFFERENT, HANG, CANNOT].concat() {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
    let rows = page.lines().filter(|line| {
        line.strip_prefix("| `")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    assert_eq!(rows.count(), [DIFFERENT, HANG, CANNOT].concat().len());
}

/// A file of the repository.
fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn examples() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("examples")).unwrap().flatten();
    let numbered = |name: &String| name.starts_with(|c: char| c.is_ascii_digit());
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(numbered).map(|name| name.trim_end_matches(".rs").to_string()).collect()
}

fn program(example: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    profile.join("examples").join(format!("{example}{}", env::consts::EXE_SUFFIX))
}
