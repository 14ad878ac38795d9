//! What goes to stdout and stderr. Nobody need be there to read it.

use crate::count::Counts;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

/// One line, in one write. The path goes out as it is, also if it is not UTF-8.
pub fn print(counts: Counts, path: &Path) -> io::Result<()> {
    let Counts {
        lines,
        words,
        bytes,
    } = counts;
    let mut line = format!("{lines:>7} {words:>7} {bytes:>9} ").into_bytes();
    line.extend(path.as_os_str().as_encoded_bytes());
    line.push(b'\n');
    io::stdout().write_all(&line)
}

/// Not `eprintln!`, which panics if stderr is closed.
pub fn complain(message: impl Display) {
    let _ = writeln!(io::stderr(), "60_count_files: {message}");
}

/// A reader that has seen enough and closes the pipe (`| head -1`) is no failure.
pub fn end_of_output(result: io::Result<()>) -> ExitCode {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            complain(format_args!("cannot write to stdout: {error}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
