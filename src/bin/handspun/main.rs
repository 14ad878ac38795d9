//! The companion: what `cargo run` starts, to show people around.
//!
//! ```text
//!   main.rs        the commands, and what becomes of their errors
//!   page.rs        what it says itself, 80 columns wide
//!   checkout.rs    what that tells of: the examples, and the source in reading order
//!   example.rs     finds an example by what somebody typed, and has cargo run it
//!   cargo.rs       how cargo is called
//!
//!   learn.rs       the commands for exercises
//!   exercise.rs    what there is of them, and what their pages say
//!   progress.rs    which are solved
//!   check.rs       has cargo build a check, and runs it
//!   program.rs     waits for programs
//!   watch.rs       waits for keys, for changes of a file, and for checks: all at once
//!   lesson.rs      what is said about exercises
//!
//!   read.rs        shows a page of the book
//!   book.rs        finds that page
//!   markdown.rs    takes Markdown apart into blocks, and prints them
//!   inline.rs      the same for the text of a block: from Markdown to words
//!   table.rs       tables, which are the hard part
//!   letters.rs     words to lines, and lines to what a terminal understands
//!   pager.rs       shows a long text on a terminal
//!   spelling.rs    what somebody may have meant
//! ```
//!
//! Nothing about an example or a file of the source is written down here twice: names and summaries
//! are read from the checkout when they are shown, so they are what they are today. And the tour is
//! not told but run: it is the example itself.
//!
//! It is a program on handspun itself, as far as it waits for more than one thing: `watch.rs` is an
//! example like those in `examples`.
//!
//! Only `print`, the pager and the checks write to stdout. An error ends the program: quietly when
//! the reader has seen enough, as in `cargo run | head -1`, else with a complaint.

mod book;
mod cargo;
mod check;
mod checkout;
mod example;
mod exercise;
mod inline;
mod learn;
mod lesson;
mod letters;
mod markdown;
#[cfg(test)]
#[path = "markdown_tests.rs"]
mod markdown_tests;
mod page;
mod pager;
mod program;
mod progress;
mod read;
mod spelling;
mod table;
#[allow(
    dead_code,
    reason = "an example is a program: its `main` is not called here"
)]
#[path = "../../../examples/00_tour.rs"]
mod tour;
mod watch;

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

const COMMANDS: [&str; 16] = [
    "tour",
    "list",
    "example",
    "read",
    "exercises",
    "ex",
    "exercise",
    "check",
    "hint",
    "solution",
    "reset",
    "trace",
    "welcome",
    "help",
    "--help",
    "--version",
];

/// Those that take no argument.
const ALONE: [&str; 8] = [
    "list",
    "exercises",
    "welcome",
    "help",
    "--help",
    "-h",
    "--version",
    "-V",
];

/// Why a command was not carried out.
enum Error {
    /// It was not understood.
    Usage(String),
    /// The checkout is not there any more, or cargo is not.
    Missing(String),
    /// Stdout could not be written.
    Output(io::Error),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Output(error)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(Error::Usage(message)) => {
            complain(&message);
            ExitCode::from(2)
        }
        Err(Error::Missing(message)) => {
            complain(&message);
            ExitCode::FAILURE
        }
        Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Error::Output(error)) => {
            complain(&format!("cannot write: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[OsString]) -> Result<ExitCode, Error> {
    let Some((command, arguments)) = arguments.split_first() else {
        return match learn::go_on()? {
            Some(code) => Ok(code),
            None => welcome(),
        };
    };
    if !arguments.is_empty() && ALONE.iter().any(|alone| command == alone) {
        return Err(Error::Usage(format!("`{}` takes no argument", command.display())));
    }
    let page = match command.to_str() {
        Some("tour") => return tour(arguments),
        Some("example") => return example::run(arguments),
        Some("read") => return read::run(arguments),
        Some("ex" | "exercise") => return learn::open(arguments),
        Some("check") => return learn::check(arguments),
        Some("hint") => return learn::hint(arguments),
        Some("solution") => return learn::solution(arguments),
        Some("reset") => return learn::reset(arguments),
        Some("trace") => return learn::trace(arguments),
        Some("exercises") => learn::list()?,
        Some("list") => page::list()?,
        Some("welcome") => return welcome(),
        Some("help" | "--help" | "-h") => page::HELP.to_string(),
        Some("--version" | "-V") => page::VERSION.to_string(),
        _ => return Err(unknown(&command.to_string_lossy())),
    };
    print(&page)?;
    Ok(ExitCode::SUCCESS)
}

/// What a newcomer sees.
fn welcome() -> Result<ExitCode, Error> {
    print(page::WELCOME)?;
    print_tour(false);
    print(page::AFTER_THE_TOUR)?;
    print(page::NEXT)?;
    Ok(ExitCode::SUCCESS)
}

fn tour(arguments: &[OsString]) -> Result<ExitCode, Error> {
    let (real, afterwards) = match arguments {
        [] => (false, page::AFTER_THE_TOUR),
        [option] if option == "--real" => (true, page::AFTER_THE_REAL_TOUR),
        _ => return Err(Error::Usage("`tour` takes `--real`, or nothing".to_string())),
    };
    print_tour(real);
    print(afterwards)?;
    Ok(ExitCode::SUCCESS)
}

fn print_tour(real: bool) {
    tour::tour(real, |time, line| {
        // A task has nobody to give the error to. What is printed after the tour meets it again.
        let _ = print(&format!("{:7.3} s  {line}\n", time.as_secs_f64()));
    });
}

/// The error for a word that is no command. It may be meant for an example.
fn unknown(word: &str) -> Error {
    let meant = match spelling::nearest(word, COMMANDS) {
        Some(command @ ("example" | "trace")) => Some(format!("{command} WHICH")),
        Some(command) => Some(command.to_string()),
        None => example::guess(word)
            .map(|name| format!("example {name}"))
            .or_else(|| exercise::guess(word).map(|name| format!("ex {name}"))),
    };
    Error::Usage(match meant {
        Some(meant) => format!("no command `{word}`: did you mean `cargo run -- {meant}`?"),
        None => format!("no command `{word}`: `cargo run -- help` shows those that there are"),
    })
}

fn print(text: &str) -> io::Result<()> {
    io::stdout().write_all(text.as_bytes())
}

/// One line on stderr. If that is closed, there is nobody left to tell.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "handspun: {message}");
}
