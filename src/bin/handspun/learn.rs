//! The commands for exercises.
//!
//! Each of them reads what there is, does one thing, and ends; only `ex` stays, in `watch.rs`.
//! Without a name they are about the exercise that was opened last, or the next that is not solved.

use crate::Error;
use crate::check::{self, Verdict};
use crate::checkout;
use crate::example;
use crate::exercise::{self, Exercise};
use crate::lesson;
use crate::pager;
use crate::print;
use crate::progress::{self, Progress, State};
use crate::spelling;
use crate::watch;
use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

/// What somebody sees who comes back; `None` if this is a newcomer.
pub fn go_on() -> Result<Option<ExitCode>, Error> {
    let Ok(all) = exercise::all() else {
        return Ok(None);
    };
    let progress = Progress::load();
    if all.iter().all(|exercise| progress.state(exercise) == State::Open) {
        return Ok(None);
    }
    let Some(exercise) = progress.current(&all) else {
        print(&lesson::ending()?)?;
        return Ok(Some(ExitCode::SUCCESS));
    };
    if io::stdout().is_terminal() {
        return watch::watch(exercise.clone()).map(Some);
    }
    // Nobody is there to write. What watches is asked for by its name.
    print(&lesson::task(exercise, &progress)?)?;
    print(lesson::RED_IS_EXPECTED)?;
    print(&format!("`cargo run -- ex {}` checks it each time you save.\n", exercise.number()))?;
    Ok(Some(ExitCode::SUCCESS))
}

pub fn list() -> Result<String, Error> {
    lesson::list()
}

pub fn open(arguments: &[OsString]) -> Result<ExitCode, Error> {
    let (words, once) = split_off("--once", &words(arguments));
    let (words, watches) = split_off("--watch", &words);
    let exercise = match &words[..] {
        [] => current()?,
        [wanted] => exercise::find(wanted)?,
        _ => return Err(usage("`ex` takes an exercise, `--once` or `--watch`, or nothing")),
    };
    exercise.open()?;
    // Without a terminal nobody is there who could end it.
    let is_attended = io::stdin().is_terminal() || io::stdout().is_terminal();
    if watches || is_attended && !once {
        return watch::watch(exercise);
    }
    Progress::set_opened(&exercise);
    print(&lesson::task(&exercise, &Progress::load())?)?;
    print(lesson::CHECKING)?;
    check_once(&exercise)
}

pub fn check(arguments: &[OsString]) -> Result<ExitCode, Error> {
    match &words(arguments)[..] {
        [] => check_once(&current()?),
        [all] if all == "all" => check_all(),
        [wanted] => check_once(&exercise::find(wanted)?),
        _ => Err(usage("`check` takes an exercise, or `all`, or nothing")),
    }
}

fn check_once(exercise: &Exercise) -> Result<ExitCode, Error> {
    let verdict = handspun::block_on(check::check(exercise.clone(), None))?;
    if verdict == Verdict::Solved {
        print(&format!("the solution: cargo run -- solution {}\n", exercise.number()))?;
    }
    Ok(code(verdict == Verdict::Solved))
}

/// A line for each that is begun, and the sum.
fn check_all() -> Result<ExitCode, Error> {
    let all = exercise::all()?;
    handspun::block_on(async {
        for exercise in all.iter().filter(|exercise| exercise.is_begun()) {
            let (_, line) = check::check_in_short(exercise).await?;
            print(&format!("{line}\n"))?;
        }
        Ok::<(), Error>(())
    })?;
    let progress = Progress::load();
    print(&format!("{}\n", lesson::bar(&progress)?))?;
    Ok(code(progress.solved(&all) == all.len()))
}

pub fn hint(arguments: &[OsString]) -> Result<ExitCode, Error> {
    let words = words(arguments);
    let (exercise, level) = match &words[..] {
        [] => (current()?, None),
        [wanted] => (exercise::find(wanted)?, None),
        [wanted, level] => (exercise::find(wanted)?, Some(level)),
        _ => return Err(usage("`hint` takes an exercise, and the number of a hint, or nothing")),
    };
    let level = match level.map(|level| level.parse()) {
        None => None,
        Some(Ok(level)) if level > 0 => Some(level),
        Some(_) => return Err(usage("a hint is called by its number: 1, 2 or 3")),
    };
    print(&next_hint(&exercise, level, false)?)?;
    Ok(ExitCode::SUCCESS)
}

/// This hint, or the one after the last that was shown. After the last of all comes the first.
pub fn next_hint(
    exercise: &Exercise,
    level: Option<usize>,
    in_watch: bool,
) -> Result<String, Error> {
    let count = exercise.readme()?.hints().len().max(1);
    let level = level.unwrap_or_else(|| Progress::load().hint(exercise) % count + 1);
    let page = lesson::hint(exercise, level, in_watch)?;
    Progress::set_hint(exercise, level);
    Ok(page)
}

pub fn solution(arguments: &[OsString]) -> Result<ExitCode, Error> {
    let (words, gives_up) = split_off("--give-up", &words(arguments));
    let exercise = match &words[..] {
        [] => current()?,
        [wanted] => exercise::find(wanted)?,
        _ => return Err(usage("`solution` takes an exercise, and `--give-up`, or nothing")),
    };
    if !is_solved(&exercise)? {
        let number = exercise.number();
        if !gives_up {
            return Err(Error::Missing(format!(
                "exercise {number} is not solved: `cargo run -- hint {number}` helps, and \
                 `cargo run -- solution {number} --give-up` shows the solution"
            )));
        }
        Progress::set_gave_up(&exercise);
    }
    let path = checkout::shown(&exercise.file("solution.rs"));
    let text = checkout::text(&exercise.path("solution.rs"))?;
    pager::show(&format!("{path}:1\n\n{text}{}", lesson::afterwards(&exercise)?))?;
    Ok(ExitCode::SUCCESS)
}

/// Whether it is. If nobody knows, the check is asked.
fn is_solved(exercise: &Exercise) -> Result<bool, Error> {
    match Progress::load().state(exercise) {
        State::Solved | State::SolvedWithHelp => Ok(true),
        State::Open => Ok(false),
        State::Begun => {
            let (verdict, _) = handspun::block_on(check::check_in_short(exercise))?;
            Ok(verdict == Verdict::Solved)
        }
    }
}

pub fn reset(arguments: &[OsString]) -> Result<ExitCode, Error> {
    let (words, is_sure) = split_off("--yes", &words(arguments));
    let exercise = match &words[..] {
        [wanted] => exercise::find(wanted)?,
        _ => return Err(usage("`reset` takes an exercise, and `--yes`")),
    };
    let answer = checkout::shown(&exercise.answer());
    if exercise.is_begun() && !is_sure {
        print(&format!("Back to the starter, and what is written goes to {answer}.old? (y/n)\n"))?;
        let mut reply = String::new();
        // Who cannot answer has not said yes.
        let _ = io::stdin().read_line(&mut reply);
        if !matches!(reply.trim(), "y" | "Y" | "yes") {
            print("Nothing is changed.\n")?;
            return Ok(ExitCode::FAILURE);
        }
    }
    match exercise.reset()? {
        Some(old) => print(&format!("{answer} is new; {} is kept.\n", checkout::shown(&old)))?,
        None => print(&format!("{answer} is the starter already.\n"))?,
    }
    Ok(ExitCode::SUCCESS)
}

pub fn trace(arguments: &[OsString]) -> Result<ExitCode, Error> {
    let words = words(arguments);
    let wanted = match &words[..] {
        [] => current()?.name,
        [wanted] => wanted.clone(),
        _ => return Err(usage("`trace` takes an exercise, or an example")),
    };
    match exercise::find(&wanted) {
        Ok(exercise) => trace_exercise(&exercise),
        // It may be an example. If it is none either, it was more likely meant for an exercise.
        Err(error) => match spelling::matching(&wanted, &checkout::examples()?)[..] {
            [] => Err(error),
            _ => example::run(&[wanted.into(), "--trace".into(), "html".into()]),
        },
    }
}

fn trace_exercise(exercise: &Exercise) -> Result<ExitCode, Error> {
    let html = progress::drawing_of(exercise)?;
    let verdict = handspun::block_on(check::check(exercise.clone(), Some(html.clone())))?;
    if verdict != Verdict::DoesNotCompile && fs::metadata(&html).is_err() {
        print(lesson::NOTHING_TO_DRAW)?;
    }
    Ok(code(verdict == Verdict::Solved))
}

// Words.

/// The exercise that was opened last, if it is not solved, or the next one.
fn current() -> Result<Exercise, Error> {
    let all = exercise::all()?;
    let progress = Progress::load();
    let current = progress.current(&all).or_else(|| progress.opened(&all)).or(all.last());
    current.cloned().ok_or_else(|| Error::Missing("there are no exercises here".to_string()))
}

fn words(arguments: &[OsString]) -> Vec<String> {
    arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// The words without this option, and whether it was there.
fn split_off(option: &str, words: &[String]) -> (Vec<String>, bool) {
    let others: Vec<String> = words.iter().filter(|word| *word != option).cloned().collect();
    let is_there = others.len() < words.len();
    (others, is_there)
}

fn usage(message: &str) -> Error {
    Error::Usage(message.to_string())
}

fn code(is_good: bool) -> ExitCode {
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
