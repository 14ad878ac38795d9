//! Counts the lines, words and bytes of files, eight at a time: a small tool, on the real clock.
//!
//! Reading a file blocks, so it goes to a thread (`spawn_blocking`), and gets so much time and no
//! more (`timeout`). At most eight are read at once: eight worker tasks share a queue of paths, and
//! need no lock for it, being on one thread. A line is printed as soon as its file is counted.
//!
//! Predict before you run: are the lines in the order of the paths?
//!
//! Run: `cargo run --example 60_count_files` for the files under `src`; for others,
//! `cargo run --example 60_count_files -- Cargo.toml LICENSE-MIT`. Next: `62_chat`.

mod support;

use handspun::task::spawn_blocking;
use handspun::time::{Duration, timeout};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const HELP: &str = "\
Counts lines, words and bytes.

usage: 60_count_files [--timeout-ms N] [PATH]... [--trace FORMAT [FILE]]

Without a PATH it counts all files under ./src. Each file gets N milliseconds
(default: 5000).
";
const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    let options = match parse(support::arguments().into_iter()) {
        Ok(Some(options)) => options,
        Ok(None) => return end_of_output(io::stdout().write_all(HELP.as_bytes())),
        Err(message) => {
            complain(format_args!("{message} (see --help)"));
            return ExitCode::from(2);
        }
    };
    let paths = match options.paths {
        paths if paths.is_empty() => walk(Path::new("src")),
        paths => Ok(paths),
    };
    match paths {
        Ok(paths) => handspun::block_on(count_all(paths, options.limit)),
        Err(error) => {
            complain(format_args!("cannot list the files under ./src: {error}. Name some?"));
            ExitCode::FAILURE
        }
    }
}

async fn count_all(paths: Vec<PathBuf>, limit: Duration) -> ExitCode {
    let queue = Rc::new(RefCell::new(VecDeque::from(paths)));
    let workers: Vec<_> =
        (0..AT_ONCE).map(|_| handspun::spawn(work(queue.clone(), limit))).collect();
    let mut total = Counts::default();
    let mut failed = false;
    for worker in workers {
        match worker.await.expect("a worker does not panic") {
            Ok(done) => {
                total += done.counts;
                failed |= done.failed;
            }
            Err(error) => return end_of_output(Err(error)),
        }
    }
    match print(total, Path::new("total")) {
        Ok(()) if failed => ExitCode::FAILURE,
        result => end_of_output(result),
    }
}

/// What one worker has done.
#[derive(Default)]
struct Done {
    counts: Counts,
    /// A file could not be counted.
    failed: bool,
}

/// Counts file after file until the queue is empty. The error is that of stdout.
async fn work(queue: Rc<RefCell<VecDeque<PathBuf>>>, limit: Duration) -> io::Result<Done> {
    let mut done = Done::default();
    loop {
        // Not `while let`: the borrow would last through the body, and across its awaits.
        let Some(path) = queue.borrow_mut().pop_front() else {
            return Ok(done);
        };
        match count(&path, limit).await {
            Ok(counts) => {
                done.counts += counts;
                print(counts, &path)?;
            }
            Err(error) => {
                done.failed = true;
                complain(format_args!("{}: {error}", path.display()));
            }
        }
    }
}

/// Counts a file on another thread, for `limit` at most.
async fn count(path: &Path, limit: Duration) -> io::Result<Counts> {
    // A thread cannot be stopped from outside. But it can be asked to stop.
    let given_up = Arc::new(AtomicBool::new(false));
    let counting = spawn_blocking({
        let (path, given_up) = (path.to_path_buf(), given_up.clone());
        move || count_bytes(File::open(path)?, &given_up)
    });
    match timeout(limit, counting).await {
        Ok(joined) => joined.map_err(io::Error::other)?,
        Err(_elapsed) => {
            given_up.store(true, Ordering::Relaxed);
            let message = format!("not counted within {} ms", limit.as_millis());
            Err(io::Error::new(ErrorKind::TimedOut, message))
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.lines += other.lines;
        self.words += other.words;
        self.bytes += other.bytes;
    }
}

/// Blocks. Counts bytes, not characters: the file need not be text.
fn count_bytes(mut file: File, given_up: &AtomicBool) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let mut block = vec![0; 64 * 1024];
    let mut in_word = false;
    while !given_up.load(Ordering::Relaxed) {
        let length = match file.read(&mut block) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        counts.bytes += length as u64;
        for byte in &block[..length] {
            let space = matches!(byte, b' ' | b'\t'..=b'\r');
            counts.lines += u64::from(*byte == b'\n');
            counts.words += u64::from(!space && !in_word);
            in_word = !space;
        }
    }
    Ok(counts)
}

/// All files under a directory, sorted. Links are not followed.
fn walk(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

struct Options {
    limit: Duration,
    paths: Vec<PathBuf>,
}

/// `None`: help was asked for.
fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Option<Options>, String> {
    let mut limit = Duration::from_millis(5000);
    let mut paths = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--help" | "-h") => return Ok(None),
            Some("--timeout-ms") => {
                let number = arguments.next().ok_or("--timeout-ms needs a number")?;
                let millis = number.to_str().and_then(|number| number.parse().ok());
                let no_number = || format!("--timeout-ms needs a number, not {number:?}");
                limit = Duration::from_millis(millis.ok_or_else(no_number)?);
            }
            Some("--") => paths.extend(arguments.by_ref().map(PathBuf::from)),
            Some(option) if option.starts_with("--") => {
                return Err(format!("unknown option {option:?}"));
            }
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    Ok(Some(Options { limit, paths }))
}

/// One line, in one write. The path goes out as it is, also if it is not UTF-8.
fn print(counts: Counts, path: &Path) -> io::Result<()> {
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
fn complain(message: impl Display) {
    let _ = writeln!(io::stderr(), "60_count_files: {message}");
}

/// A reader that has seen enough and closes the pipe (`| head -1`) is no failure.
fn end_of_output(result: io::Result<()>) -> ExitCode {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            complain(format_args!("cannot write to stdout: {error}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
