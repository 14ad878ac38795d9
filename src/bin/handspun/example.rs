//! Runs an example by its number, its name or a part of its name.
//!
//! Cargo does the work, so that an example that was just edited is built first. What is typed after
//! the example is for the example, and its exit code is ours. Only `--break RULE` is for us: then
//! it is built with a feature that lets it leave out one rule of the executor, and beside the
//! others, so that it is never mistaken for one of them.

use crate::Error;
use crate::cargo;
use crate::checkout;
use crate::spelling;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

/// The rules that can be broken, as `src/executor/rules.rs` has them.
const RULES: [&str; 5] = ["lifo", "no-dedup", "late-timers", "spurious", "shuffle"];

pub fn run(arguments: &[OsString]) -> Result<ExitCode, Error> {
    let Some((wanted, arguments)) = arguments.split_first() else {
        return Err(Error::Usage("which example? `cargo run -- list` shows them".to_string()));
    };
    let name = find(wanted)?;
    // Who knows cargo puts `--` before what is for the example.
    let arguments = arguments.strip_prefix(&["--".into()]).unwrap_or(arguments);
    let (rule, arguments) = split_off_rule(arguments)?;

    let mut command = cargo::command("run");
    // On a terminal cargo says what it builds: the first example takes a while.
    if !io::stderr().is_terminal() {
        command.arg("--quiet");
    }
    if let Some(rule) = rule {
        let target = checkout::target().join("breakable");
        command.args(["--features", "breakable", "--target-dir"]).arg(target);
        command.env("HANDSPUN_BREAK", rule);
        // It is built a second time, for this. Without what a debugger wants that takes half as
        // long. (The tests of the book build the same.)
        command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0");
    }
    command.args(["--example", &name, "--"]).args(arguments);
    let status = command.status().map_err(|error| cargo::missing(&command, &error))?;
    // There is no code when a signal ended it.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The rule to break, if any, and the arguments that are for the example.
fn split_off_rule(arguments: &[OsString]) -> Result<(Option<String>, Vec<OsString>), Error> {
    let mut rest = arguments.to_vec();
    let ours = rest.iter().take_while(|argument| *argument != "--");
    let Some(at) = ours.into_iter().position(|argument| argument == "--break") else {
        return Ok((None, rest));
    };
    let rule = rest.drain(at..).nth(1).map(|rule| rule.to_string_lossy().into_owned());
    rest.extend(arguments.iter().skip(at + 2).cloned());
    let known = |rule: &String| match rule.split_once(':') {
        Some((name, seed)) => name == "shuffle" && seed.parse::<u64>().is_ok(),
        None => RULES.contains(&rule.as_str()),
    };
    match rule.filter(known) {
        Some(rule) => Ok((Some(rule), rest)),
        None => Err(Error::Usage(format!(
            "break which rule? `--break` takes one of {} (or shuffle:7, with a seed)",
            RULES.join(", ")
        ))),
    }
}

/// The example that `word` comes closest to, if it comes close to any.
pub fn guess(word: &str) -> Option<String> {
    spelling::guess(word, &checkout::examples().ok()?)
}

fn find(wanted: &OsStr) -> Result<String, Error> {
    // A path is fine: `examples/01_lazy.rs` is what a shell completes. So is that of one file of an
    // example that has several.
    let names = checkout::examples()?;
    let parts = Path::new(wanted).iter().rev().map(|part| part.to_string_lossy());
    let mut words = parts.map(|part| part.strip_suffix(".rs").unwrap_or(&part).to_string());
    let last = words.clone().next().unwrap_or_default();
    let word = words.find(|word| names.contains(word)).unwrap_or(last);
    spelling::find("example", "list", &word, &names)
}
