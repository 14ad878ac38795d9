//! A page on a terminal: through a pager, in its width, in colour if that is wanted.
//!
//! The pager is what `PAGER` says (nothing, or `cat`, means none), else `less`, if there is one. It
//! is told to show escape codes as what they mean, and to leave at once if one screen is enough.
//! Where stdout is no terminal, the page is written there.
//!
//! On unix the pager takes the place of this program, instead of being started by it. Ctrl-C goes
//! to all programs that are in the foreground: a pager goes on then, but we would end, the shell
//! would believe that all is over, and two programs would read the same keys. So nobody is left who
//! could write the page into a pipe, and it comes from a file, which has lost its name before it is
//! read.

use std::env;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Seek, Write};
#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::process::{self, Command, Stdio};

const WIDEST: usize = 80;
const NARROWEST: usize = 40;

/// How many columns a page has: what `COLUMNS` says, else what the terminal has. More than 80 are
/// harder to read.
pub fn width() -> usize {
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.or_else(ask_terminal).unwrap_or(WIDEST).clamp(NARROWEST, WIDEST)
}

/// The standard library cannot ask a terminal, `stty` can.
fn ask_terminal() -> Option<usize> {
    let terminal = io::stdout().is_terminal().then(|| File::open("/dev/tty"))?.ok()?;
    let stty = Command::new("stty").arg("size").stdin(terminal).stderr(Stdio::null()).output();
    let size = String::from_utf8(stty.ok()?.stdout).ok()?;
    // A terminal that does not know has 0.
    size.split_whitespace().nth(1)?.parse().ok().filter(|&columns| columns > 0)
}

pub fn in_colour() -> bool {
    io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

pub fn show(text: &str) -> io::Result<()> {
    let pager = pager().filter(|_| io::stdout().is_terminal());
    let is_shown = pager.is_some_and(|mut pager| match nameless_file(text) {
        Ok(file) => was_run(pager.stdin(file)),
        Err(_) => false,
    });
    match is_shown {
        true => Ok(()),
        false => io::stdout().write_all(text.as_bytes()),
    }
}

fn pager() -> Option<Command> {
    let chosen = env::var("PAGER").unwrap_or_else(|_| "less -FR".to_string());
    let mut words = chosen.split_whitespace();
    let program = words.next().filter(|program| *program != "cat")?;
    let mut command = Command::new(program);
    command.args(words);
    // `PAGER=less` is common, and means the same.
    if env::var_os("LESS").is_none() {
        command.env("LESS", "FR");
    }
    Some(command)
}

/// A file with this text, to be read from its beginning.
fn nameless_file(text: &str) -> io::Result<File> {
    let path = env::temp_dir().join(format!("handspun-{}.txt", process::id()));
    let mut file = File::create_new(&path)?;
    // Where an open file must have a name, it keeps it.
    let _ = fs::remove_file(&path);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

/// Whether there is such a program. If there is, this does not return.
#[cfg(unix)]
fn was_run(program: &mut Command) -> bool {
    let _why_it_was_not = program.exec();
    false
}

#[cfg(not(unix))]
fn was_run(program: &mut Command) -> bool {
    program.status().is_ok()
}
