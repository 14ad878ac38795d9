//! Checks an answer: cargo builds the check, and then it is run.
//!
//! The check is a program of its own, and what it prints is for the learner as it is: it is run
//! with our stdout. Of what cargo prints only the errors are shown, the first ones first: an answer
//! that is half done has warnings enough. The build of one check takes a fraction of a second, if
//! the library is built; if it takes long, that is said.
//!
//! If a check is not awaited to its end, because the answer was saved once more, cargo is left to
//! finish (the next one waits for it), and the check is ended.

use crate::Error;
use crate::cargo;
use crate::exercise::Exercise;
use crate::lesson;
use crate::pager;
use crate::print;
use crate::program::{self, WhenDropped};
use crate::progress::{self, Progress};
use handspun::select;
use handspun::time::{Duration, sleep};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Command, Output, Stdio};

/// After so long it is said that it is still being built.
const PATIENCE: Duration = Duration::from_secs(3);

/// So many errors of the compiler are shown.
const ERRORS: usize = 3;

/// What cargo says if it wants to have something from the network, and there is none.
const NO_NETWORK: [&str; 4] = [
    "failed to download",
    "failed to get `",
    "failed to fetch",
    "network failure",
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Solved,
    NotSolved,
    DoesNotCompile,
}

/// Checks it, and shows how that went; with `html`, the run that failed is drawn into that file.
pub async fn check(exercise: Exercise, html: Option<PathBuf>) -> Result<Verdict, Error> {
    let (pair, built) = build(&exercise).await?;
    let program = match built {
        Ok(program) => program,
        Err(complaints) => {
            let errors = errors(&complaints, ERRORS);
            print(&lesson::does_not_compile(&exercise, &errors))?;
            return Ok(Verdict::DoesNotCompile);
        }
    };
    let mut command = Command::new(&program);
    if let Some(html) = html {
        command.args(["--html".into(), OsString::from(html)]);
    }
    let output = run(&mut command).await?;
    if !has_told(&output) {
        print(&lesson::broke_off(&exercise, output.status))?;
    }
    Ok(verdict(&exercise, pair, &output))
}

/// Checks it, and gives the line that says how it went.
pub async fn check_in_short(exercise: &Exercise) -> Result<(Verdict, String), Error> {
    let (pair, built) = build(exercise).await?;
    let (verdict, page) = match built {
        Err(_) => (Verdict::DoesNotCompile, lesson::does_not_compile(exercise, "")),
        Ok(program) => {
            let mut command = Command::new(&program);
            let output = run(command.stdout(Stdio::piped()).stderr(Stdio::null())).await?;
            let page = match has_told(&output) {
                true => String::from_utf8_lossy(&output.stdout).into_owned(),
                false => lesson::broke_off(exercise, output.status),
            };
            (verdict(exercise, pair, &output), page)
        }
    };
    // What the answer prints comes before it.
    let begin = page.find(&exercise.title()).unwrap_or(page.len());
    let lines: Vec<&str> = page[begin..].lines().take_while(|line| !line.is_empty()).collect();
    Ok((verdict, lines.join(" ")))
}

/// Sees to it that what is built is what is there, and gives the hash of that. A check begins with
/// it; who wants to see each change of the file does it before.
pub fn prepare(exercise: &Exercise) -> Result<String, Error> {
    exercise.open()?;
    if Progress::load().is_changed(exercise) {
        if !exercise.is_fresh() {
            exercise.touch();
        }
        Progress::set_checked(exercise);
    }
    Ok(progress::pair_of(exercise))
}

/// Whether the check came to its end. If it did not, as when a stack overflows, it told nothing.
fn has_told(output: &Output) -> bool {
    matches!(output.status.code(), Some(0 | 1))
}

fn verdict(exercise: &Exercise, pair: String, output: &Output) -> Verdict {
    match output.status.success() {
        true => {
            Progress::set_solved(exercise, pair);
            Verdict::Solved
        }
        false => Verdict::NotSolved,
    }
}

async fn run(command: &mut Command) -> Result<Output, Error> {
    let ran = program::run(command, WhenDropped::Kill).await;
    ran.map_err(|error| {
        Error::Missing(format!("cannot run {}: {error}", command.get_program().display()))
    })
}

// The build.

/// The program, or what the compiler complained of.
type Built = Result<PathBuf, String>;

/// What is built is what is there in the end. Its hash comes with it.
async fn build(exercise: &Exercise) -> Result<(String, Built), Error> {
    loop {
        let pair = prepare(exercise)?;
        let built = build_once(exercise).await?;
        // If it was saved meanwhile, nobody knows which of the two was built.
        if pair == progress::pair_of(exercise) {
            return Ok((pair, built));
        }
    }
}

async fn build_once(exercise: &Exercise) -> Result<Built, Error> {
    let mut output = cargo(exercise, &[]).await?;
    let says = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints = says(&output);
    let is_offline = NO_NETWORK.iter().any(|words| complaints.contains(words));
    if !output.status.success() && is_offline {
        output = cargo(exercise, &["--offline"]).await?;
    }
    let said = says(&output);
    match (output.status.success(), program_in(&said)) {
        (false, _) if said.contains("could not compile") => Ok(Err(said)),
        (false, _) => Err(Error::Missing(format!("cargo cannot build the check:\n{said}"))),
        (true, Some(program)) => Ok(Ok(program)),
        (true, None) => Err(Error::Missing(format!(
            "cargo has built a check, but does not say where it is:\n{said}"
        ))),
    }
}

async fn cargo(exercise: &Exercise, options: &[&str]) -> Result<Output, Error> {
    let mut command = cargo::command("test");
    command.args([
        "--package",
        "handspun-exercises",
        "--features",
        "answers",
        "--test",
        &exercise.name,
        "--no-run",
    ]);
    command.args([
        "--color",
        if pager::in_colour() { "always" } else { "never" },
    ]);
    // Else it does not say where the program is, or says it otherwise.
    command.env("CARGO_TERM_QUIET", "false").env("CARGO_TERM_VERBOSE", "false");
    command.args(options).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = {
        let mut building = pin!(program::run(&mut command, WhenDropped::LeaveAlone));
        select! {
            output = &mut building => output,
            () = sleep(PATIENCE) => {
                print(lesson::STILL_BUILDING)?;
                building.await
            }
        }
    };
    output.map_err(|error| cargo::missing(&command, &error))
}

/// The program in what cargo says: `  Executable tests/01_countdown/main.rs (target/debug/..)`.
fn program_in(said: &str) -> Option<PathBuf> {
    let plain = without_colour(said);
    let line = plain.lines().rev().find(|line| line.trim_start().starts_with("Executable "))?;
    let (_, path) = line.trim_end().strip_suffix(')')?.split_once(" (")?;
    Some(Path::new(path).to_path_buf())
}

/// The first errors in what cargo says.
fn errors(said: &str, most: usize) -> String {
    let mut blocks: Vec<String> = Vec::new();
    for line in said.lines() {
        if begins_a_block(&without_colour(line)) || blocks.is_empty() {
            blocks.push(String::new());
        }
        if let Some(block) = blocks.last_mut() {
            *block += line;
            block.push('\n');
        }
    }
    let is = |block: &String, words: &[&str]| {
        let plain = without_colour(block);
        words.iter().any(|word| plain.starts_with(word))
    };
    blocks.retain(|block| is(block, &["error"]));
    // That is the sum of the others.
    if blocks.len() > 1 {
        blocks.retain(|block| !is(block, &["error: could not compile", "error: aborting"]));
    }
    let mut text: String =
        blocks.iter().take(most).map(|block| format!("{}\n\n", block.trim_end())).collect();
    match blocks.len().saturating_sub(most) {
        0 => {}
        more => text += &format!("Errors that are not shown: {more}.\n\n"),
    }
    text
}

/// Whether something new begins: a diagnosis, or a line of cargo's own.
fn begins_a_block(line: &str) -> bool {
    let of_cargo = [
        "Compiling",
        "Finished",
        "Executable",
        "Blocking",
        "Updating",
        "Downloading",
    ];
    let first = line.split_whitespace().next().unwrap_or_default();
    let is_diagnosis = ["error", "warning"].iter().any(|word| {
        let rest = line.strip_prefix(word);
        rest.is_some_and(|rest| rest.starts_with([':', '[']))
    });
    let is_advice = ["For more information", "Some errors have"];
    is_diagnosis
        || of_cargo.contains(&first)
        || is_advice.iter().any(|words| line.starts_with(words))
}

/// The text without escape codes.
fn without_colour(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_string();
    let rest = parts.map(|part| part.split_once('m').map_or("", |(_, rest)| rest));
    rest.fold(first, |plain, part| plain + part)
}
