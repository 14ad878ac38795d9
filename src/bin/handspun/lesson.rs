//! What is said about exercises: plain text, at most 80 columns wide.
//!
//! The words of an exercise are those of its README, printed as the pages of the book are.

use crate::Error;
use crate::book::Book;
use crate::checkout;
use crate::exercise::{self, Exercise, Readme};
use crate::markdown::{self, Setting};
use crate::pager;
use crate::progress::{Progress, State};
use std::fmt::Write as _;
use std::process::ExitStatus;

/// So many lines of a task are shown before it is asked for.
const TASK: usize = 8;

/// How many signs a bar has.
const BAR: usize = 24;

const CAPSTONES: &str = "docs/capstones.md";

pub const STILL_BUILDING: &str = "\
still building: the first check builds the library too, and cargo waits for any
other cargo, as that of an editor\n";

pub const CHECKING: &str = "\nchecking...\n";

pub const NOTHING_TO_DRAW: &str = "\nNothing has run yet that could be drawn.\n";

pub const GONE: &str = "
The answer is gone. Save it again; or `q`, and `cargo run -- ex` copies the
starter once more.
";

pub const KEYS: &str = "\
Each save is checked. Keys, with Enter: h hint, n next, q quit, ? all of them.
";

/// What stands in the place of a check where nobody waits for one.
pub const RED_IS_EXPECTED: &str = "\nRed is expected until it is written.\n";

pub const ALL_KEYS: &str = "
Keys, each with Enter:

  h  a hint; once more, the next one
  r  read: all of the task, without the hints
  c  check, though nothing was saved
  t  draw the run that the check looks at, for a browser
  n  the next exercise that is not solved
  l  list all exercises
  q  quit (your answer is saved where you saved it, and nowhere else)
";

/// An exercise as one meets it: its task, and where to write.
pub fn task(exercise: &Exercise, progress: &Progress) -> Result<String, Error> {
    let readme = exercise.readme()?;
    let mut page = format!("\n{}\n", heading(&readme));
    page += &format!("{}\n\n", bar(progress)?);
    let task = rendered(exercise, &readme.task);
    page += &beginning(&task);
    let read = checkout::shown(&exercise.file("README.md"));
    let _ = write!(page, "\n  write   {}\n  read    {read}\n", exercise.place());
    if let Some(chapter) = &readme.chapter {
        let _ = writeln!(page, "  before  cargo run -- read {chapter}");
    }
    if progress.state(exercise).is_solved() {
        page += "\nIt is solved.\n";
    }
    Ok(page)
}

/// `08 Queued Once  ★★★  60 minutes`
fn heading(readme: &Readme) -> String {
    let heading = format!("{}  {}  {}", bold(&readme.title), readme.stars, readme.time);
    heading.trim_end().to_string()
}

/// As much of a task as is shown at once: whole paragraphs, if the first is not too long itself.
fn beginning(task: &str) -> String {
    let lines: Vec<&str> = task.trim().lines().collect();
    if lines.len() <= TASK {
        return lines.join("\n") + "\n";
    }
    let is_end = |&end: &usize| lines[end].is_empty();
    let end = (1..TASK).rev().find(is_end).unwrap_or(TASK - 1);
    lines[..end].join("\n") + "\n(There is more of it.)\n"
}

/// All of the task, without the hints.
pub fn whole_task(exercise: &Exercise) -> Result<String, Error> {
    let readme = exercise.readme()?;
    let text = format!("# {}\n\n{}", readme.title, readme.before_the_hints());
    Ok(format!("\n{}", rendered(exercise, &text)))
}

/// How many are solved, of how many.
pub fn bar(progress: &Progress) -> Result<String, Error> {
    let all = exercise::all()?;
    let solved = progress.solved(&all);
    let full = solved * BAR / all.len().max(1);
    Ok(format!("[{}{}] {solved}/{}", "#".repeat(full), "-".repeat(BAR - full), all.len()))
}

/// A hint, and how to get the next one.
pub fn hint(exercise: &Exercise, level: usize, in_watch: bool) -> Result<String, Error> {
    let readme = exercise.readme()?;
    let hints = readme.hints();
    let number = exercise.number();
    let text = hints.get(level - 1).ok_or_else(|| {
        let count = hints.len();
        Error::Usage(format!("exercise {number} has {count} hints: there is no hint {level}"))
    })?;
    let mut page = format!("\n{}, hint {level} of {}:\n\n", readme.title, hints.len());
    page += rendered(exercise, text).trim_matches('\n');
    page += &match (level < hints.len(), in_watch) {
        (true, true) => "\n\nThe next one: h and Enter.\n".to_string(),
        (true, false) => format!("\n\nThe next one: cargo run -- hint {number}\n"),
        (false, _) => {
            format!("\n\nThat was the last one: cargo run -- solution {number} --give-up\n")
        }
    };
    Ok(page)
}

/// What to say when a check has passed.
pub fn solved(exercise: &Exercise, progress: &Progress) -> Result<String, Error> {
    let mut page = format!("\n{}\n", bar(progress)?);
    page += &afterwards(exercise)?;
    let solution = checkout::shown(&exercise.file("solution.rs"));
    let _ = writeln!(page, "\nA solution, to compare it with yours:\n  {solution}:1");
    Ok(page)
}

pub fn afterwards(exercise: &Exercise) -> Result<String, Error> {
    Ok(match exercise.readme()?.section("Afterwards") {
        Some(notes) => format!("\n{}\n", rendered(exercise, notes).trim_matches('\n')),
        None => String::new(),
    })
}

pub fn next(exercise: &Exercise) -> Result<String, Error> {
    Ok(format!("\nThe next is {}: n and Enter.\n", exercise.readme()?.title))
}

pub fn does_not_compile(exercise: &Exercise, errors: &str) -> String {
    let (title, number) = (exercise.title(), exercise.number());
    format!(
        "{title}: {}\n\n{errors}a hint: cargo run -- hint {number}\n",
        red("does not compile yet")
    )
}

pub fn broke_off(exercise: &Exercise, status: ExitStatus) -> String {
    let (title, number) = (exercise.title(), exercise.number());
    format!(
        "{title}: {}\n\nThe answer has ended its check: {status}.\n\
         If a stack has overflowed: what calls itself, and never stops?\n\
         If there is `unsafe` in it: which pointer has another type, or was freed before?\n\n\
         a hint: cargo run -- hint {number}\n",
        red("not solved")
    )
}

pub fn list() -> Result<String, Error> {
    let all = exercise::all()?;
    let progress = Progress::load();
    let mut page =
        "The exercises: you write what is missing, and a check tells you how it runs.\n\n"
            .to_string();
    for exercise in &all {
        let readme = exercise.readme()?;
        let state = match progress.state(exercise) {
            State::Open => "",
            State::Begun => "begun",
            State::Solved => "solved",
            State::SolvedWithHelp => "solved, after a look at the solution",
        };
        let time = readme.time.replace("minutes", "min");
        let line = format!("  {:<31} {:<4} {time:>8}  {state}", readme.title, readme.stars);
        let _ = writeln!(page, "{}", line.trim_end());
    }
    let _ = write!(page, "\n{}\n\n`cargo run -- ex 1` opens the first.", bar(&progress)?);
    page += " A number, a name or a part of it will do.\n";
    Ok(page)
}

/// The end of all exercises.
pub fn ending() -> Result<String, Error> {
    let all = exercise::all()?;
    let progress = Progress::load();
    let helped = |exercise: &&Exercise| progress.state(exercise) == State::SolvedWithHelp;
    let helped = all.iter().filter(helped).count();
    let mut page = format!("\n{}\n\nAll {} exercises are solved", bar(&progress)?, all.len());
    page += &match helped {
        0 => ".\n".to_string(),
        helped => format!(" ({helped} after a look at the solution).\n"),
    };
    page += "
You have written what an executor is made of, and each part was watched while it
ran. What stands in src/ is the same with fewer gaps: `cargo run -- read source`.
";
    if let Ok(text) = checkout::text(CAPSTONES) {
        page += "\nNo check decides these, only you:\n\n";
        for title in text.lines().filter_map(|line| line.strip_prefix("## ")) {
            let _ = writeln!(page, "  {title}");
        }
        page += "\n  cargo run -- read capstones\n";
    }
    page += "
To take what you know to tokio, and to more than one thread:

  cargo run -- read 18
";
    Ok(page)
}

/// Markdown of an exercise, for a terminal.
fn rendered(exercise: &Exercise, text: &str) -> String {
    let book = Book::open().ok();
    let follow = |target: &str| {
        let words = book.as_ref()?.follow_from(&exercise.path("README.md"), target)?;
        Some(exercise::in_path(&words).map_or(words, |number| format!("ex {number}")))
    };
    let setting = Setting {
        width: pager::width(),
        styled: pager::in_colour(),
        answers: true,
        how_to_see_answers: "",
        follow: &follow,
    };
    markdown::render(text, &setting)
}

fn bold(text: &str) -> String {
    painted("1", text)
}

fn red(text: &str) -> String {
    painted("1;31", text)
}

fn painted(code: &str, text: &str) -> String {
    match pager::in_colour() {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_string(),
    }
}
