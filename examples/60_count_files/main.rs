//! Counts the lines, words and bytes of files, eight at a time: a small tool, on the real clock.
//!
//! Reading a file blocks, so it goes to a thread (`spawn_blocking`), and gets so much time and no
//! more (`timeout`). At most eight are read at once: eight worker tasks share a queue of paths, and
//! need no lock for it, being on one thread. A line is printed as soon as its file is counted.
//!
//! `workers.rs` has the tasks, `count.rs` what a thread does for them. `arguments.rs` reads what
//! was typed, `output.rs` prints. Begin with `workers.rs`.
//!
//! Predict before you run: are the lines in the order of the paths?
//!
//! Run: `cargo run --example 60_count_files` for the files under `src`; for others,
//! `cargo run --example 60_count_files -- Cargo.toml LICENSE-MIT`. Next: `62_chat`.

mod arguments;
mod count;
mod output;
#[path = "../support/mod.rs"]
mod support;
mod workers;

use arguments::HELP;
use output::{complain, end_of_output};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use workers::count_all;

fn main() -> ExitCode {
    let options = match arguments::parse(support::arguments().into_iter()) {
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
