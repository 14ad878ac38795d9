//! The page of the lints: each section begins with a program of which its lint is told.

use crate::changed;
use crate::programs::{ROOT, output, stderr, stdout};
use handspun::trace::LintKind;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Some are about real time. On a busy machine too much of it may go by.
const TRIES: usize = 10;

#[test]
fn each_lint_is_told_of_the_program_in_its_section() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/lints.md")).unwrap();
    for kind in LintKind::ALL {
        let (_, section) = page.split_once(&format!("\n## {kind}\n")).unwrap();
        let section = section.split("\n## ").next().unwrap_or_default();
        let (_, block) = section.split_once("```rust\n").unwrap();
        let (source, _) = block.split_once("\n```").unwrap();
        let program = changed::program(source).unwrap_or_else(|error| panic!("{kind}: {error}"));
        let mut command = Command::new(program);
        command.env("HANDSPUN_TRACE", "text:-");
        let is_told = |_| {
            let run = output(&mut command).unwrap();
            assert!(run.status.success(), "{kind}: {}", stderr(&run));
            stdout(&run).contains(&kind.page())
        };
        assert!((0..TRIES).any(is_told), "{kind} is not told");
    }
}
