//! Changes that a page tells its reader to make, and what comes of them.
//!
//! A change is a block marked `diff`, below `<!-- change: FILE -->`: lines that stay begin with a
//! space, lines that go with `-`, lines that come with `+`. Indentation does not count. What stays
//! and what goes must be found in the file, once; a line `@@ fn name` says where to look. A block
//! of nothing but `+` is added at the end of the file.
//!
//! Handspun depends on nothing but `std`, so a changed copy of it is two calls of `rustc`. No file
//! of the checkout is touched: copies are made in `target/changed`, one folder for each block that
//! needs one. (So two runs of these tests at once would be in each other's way.)

use crate::programs::{ROOT, stderr};
use std::env::{self, consts::EXE_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

/// The folders of a copy. The exercises are no part of any change.
const COPIED: [&str; 2] = ["src", "examples"];

/// A checkout with changes in it.
pub struct Changed {
    folder: PathBuf,
    /// Whether one of them is of the library.
    of_library: bool,
}

impl Changed {
    /// `name` is that of the folder.
    pub fn nothing(name: &str) -> Changed {
        let folder = Path::new(ROOT).join("target/changed").join(name);
        let _ = fs::remove_dir_all(&folder);
        for copied in COPIED {
            copy(&Path::new(ROOT).join(copied), &folder.join(copied));
        }
        Changed {
            folder,
            of_library: false,
        }
    }

    pub fn apply(&mut self, file: &str, diff: &str) -> Result<(), String> {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        let text = apply(&text, diff).map_err(|wrong| format!("{file}: {wrong}"))?;
        fs::write(path, text).expect("a copy can be written");
        self.of_library |= file.starts_with("src/");
        Ok(())
    }

    /// What the compiler says of the library.
    pub fn check(&self) -> Output {
        library(&self.folder, "metadata", "libhandspun.rmeta")
    }

    /// The path of this example, built with the change.
    pub fn build(&self, example: &str) -> Result<PathBuf, String> {
        let library = match self.of_library {
            true => built_library(&self.folder)?,
            false => unchanged_library()?,
        };
        let file = format!("examples/{example}.rs");
        let several = format!("examples/{example}/main.rs");
        let is_file = self.folder.join(&file).exists();
        let program = self.folder.join(format!("{example}{EXE_SUFFIX}"));
        let mut rustc = rustc(&self.folder);
        rustc.arg(if is_file { file } else { several });
        rustc.arg("--extern").arg(format!("handspun={}", library.display()));
        succeeded(rustc.arg("-o").arg(&program).output().expect("rustc can be called"))?;
        Ok(program)
    }
}

fn rustc(folder: &Path) -> Command {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.current_dir(folder).args([
        "--edition",
        "2024",
        "--cap-lints",
        "allow",
        "-Cstrip=debuginfo",
    ]);
    rustc
}

/// Compiles the library of this copy to `emit`, and moves what comes of it into the copy. All of
/// them are compiled in one place, one after the other: so the compiler does anew only what is not
/// as it was in the one before.
fn library(folder: &Path, emit: &str, file: &str) -> Output {
    static PLACE: Mutex<()> = Mutex::new(());
    let _alone = PLACE.lock();
    let place = Path::new(ROOT).join("target/changed").join(emit);
    let _ = fs::remove_dir_all(place.join("src"));
    copy(&folder.join("src"), &place.join("src"));
    let mut rustc = rustc(&place);
    rustc.args(["src/lib.rs", "--crate-name=handspun", "--crate-type=rlib"]);
    rustc.args(["--emit", emit, "-C", "incremental=."]);
    let output = rustc.output().expect("rustc can be called");
    if output.status.success() {
        fs::rename(place.join(file), folder.join(file)).expect("it has been made");
    }
    output
}

fn built_library(folder: &Path) -> Result<PathBuf, String> {
    const FILE: &str = "libhandspun.rlib";
    succeeded(library(folder, "link", FILE))?;
    Ok(folder.join(FILE))
}

/// The path of a program of a page, built.
pub fn program(source: &str) -> Result<PathBuf, String> {
    static PROGRAMS: AtomicU32 = AtomicU32::new(0);
    let number = PROGRAMS.fetch_add(1, Ordering::Relaxed);
    let library = unchanged_library()?;
    let folder = Path::new(ROOT).join(format!("target/changed/program-{number}"));
    fs::create_dir_all(folder.join("src")).expect("a folder can be made");
    let whole = match source.contains("fn main()") {
        true => source.to_string(),
        // In the first line, so that the others keep their numbers.
        false => format!("fn main() {{ {source}\n}}"),
    };
    fs::write(folder.join("src/main.rs"), whole).expect("a program can be written");
    let program = folder.join(format!("program{EXE_SUFFIX}"));
    let mut rustc = rustc(&folder);
    rustc.args(["src/main.rs", "--extern"]).arg(format!("handspun={}", library.display()));
    succeeded(rustc.arg("-o").arg(&program).output().expect("rustc can be called"))?;
    Ok(program)
}

/// That of the checkout, built once.
fn unchanged_library() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let build = || {
        let folder = Path::new(ROOT).join("target/changed/nothing");
        let _ = fs::remove_dir_all(&folder);
        copy(&Path::new(ROOT).join("src"), &folder.join("src"));
        built_library(&folder)
    };
    BUILT.get_or_init(build).clone()
}

fn succeeded(output: Output) -> Result<(), String> {
    match output.status.success() {
        true => Ok(()),
        false => Err(stderr(&output)),
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("an entry of it");
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if !path.is_dir() {
            fs::copy(path, to).expect("a file can be copied");
        } else if entry.file_name() != "exercises" {
            copy(&path, &to);
        }
    }
}

/// The text with this change in it.
fn apply(text: &str, diff: &str) -> Result<String, String> {
    if !diff.lines().any(|line| line.starts_with(['+', '-'])) {
        return Err("the change changes nothing".to_string());
    }
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    if diff.lines().all(|line| line.starts_with('+')) {
        lines.extend(diff.lines().map(|line| line[1..].to_string()));
        return Ok(lines.join("\n") + "\n");
    }
    let mut hunks: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in diff.lines() {
        match (line.strip_prefix("@@ "), hunks.last_mut()) {
            (Some(begin), _) => hunks.push((begin, Vec::new())),
            (None, Some((_, hunk))) => hunk.push(line),
            (None, None) => hunks.push(("", vec![line])),
        }
    }
    for (begin, hunk) in hunks {
        let is_old = |line: &&&str| !line.starts_with('+');
        let old: Vec<&str> = hunk.iter().filter(is_old).map(|line| content(line)).collect();
        let new: Vec<String> = hunk
            .iter()
            .filter(|line| !line.starts_with('-'))
            .map(|line| line.get(1..).unwrap_or_default().to_string())
            .collect();
        let from = lines.iter().position(|line| line.trim_start().starts_with(begin));
        let from = from.ok_or_else(|| format!("no line begins with `{begin}`"))?;
        if old.is_empty() {
            return Err("a change has a line that stays, or one that goes".to_string());
        }
        let indent = |line: &String| line.len() - line.trim_start().len();
        let ends = |line: &String| indent(line) == indent(&lines[from]) && line.contains('}');
        // What begins behind `@@` ends with a bracket in its own column.
        let end = match begin {
            "" => lines.len(),
            _ => (from + 1..lines.len()).find(|at| ends(&lines[*at])).unwrap_or(lines.len()),
        };
        let is_here = |at: &usize| {
            let here = lines[*at..].iter().map(|line| line.trim());
            here.take(old.len()).eq(old.iter().copied())
        };
        let mut places = (from..end).filter(is_here);
        let at = places.next().ok_or_else(|| format!("there is no\n{}", old.join("\n")))?;
        if places.next().is_some() {
            return Err(format!("is there more than once:\n{}", old.join("\n")));
        }
        lines.splice(at..at + old.len(), new);
    }
    Ok(lines.join("\n") + "\n")
}

/// A line of a change without its sign.
fn content(line: &str) -> &str {
    line.get(1..).unwrap_or_default().trim()
}
