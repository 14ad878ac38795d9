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

#[test]
fn each_example_is_tried_or_listed() {
    let manifest = fs::read_to_string(root().join("tests/on_tokio/Cargo.toml")).unwrap();
    for name in examples() {
        let is_tried = manifest.contains(&format!("\nname = \"{name}\"\n"));
        let cannot = CANNOT.contains(&name.as_str());
        assert!(is_tried || cannot, "{name} is neither in tests/on_tokio/Cargo.toml nor listed");
        assert!(!is_tried || !cannot, "{name} is tried, and listed as one that cannot be");
    }
}

#[test]
fn what_differs_is_explained() {
    let page = fs::read_to_string(root().join("docs/porting-to-tokio.md")).unwrap();
    for name in [DIFFERENT, HANG, CANNOT].concat() {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
    let rows = page.lines().filter(|line| {
        line.strip_prefix("| `")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    assert_eq!(rows.count(), [DIFFERENT, HANG, CANNOT].concat().len());
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
