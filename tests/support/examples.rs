//! The examples as programs: which there are, and how to run one.
//!
//! Cargo builds the examples before it runs any test. If only one file of tests is asked for, it
//! does not: then `cargo build --examples` comes first.
#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeSet;
use std::env;
use std::env::consts::EXE_SUFFIX;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Far longer than any example takes.
const LONGEST: Duration = Duration::from_secs(60);

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Whether what is compared shall be written instead.
pub fn is_blessing() -> bool {
    env::var_os("HANDSPUN_BLESS").is_some()
}

/// The names of all examples, sorted: each is a file, or a folder with a `main.rs`.
pub fn examples() -> BTreeSet<String> {
    let folder = Path::new(ROOT).join("examples");
    let mut examples = names(&folder, "rs");
    let entries = fs::read_dir(&folder).expect("the folder is there").flatten();
    let folders = entries.filter(|entry| entry.path().join("main.rs").exists());
    examples.extend(folders.map(|entry| entry.file_name().into_string().unwrap()));
    examples
}

/// The files of a folder with this extension, without it.
pub fn names(folder: &Path, extension: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let files = paths.filter(|path| path.extension() == Some(OsStr::new(extension)));
    files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_string()).collect()
}

/// Where it stands what an example prints.
pub fn expectation(example: &str) -> PathBuf {
    Path::new(ROOT).join("tests/examples").join(format!("{example}.txt"))
}

/// Runs an example to its end, in the root folder of the crate.
pub fn run(example: &str, arguments: &[&str]) -> Output {
    let mut command = command(example);
    output(command.args(arguments)).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// What a command prints until its end, which must come: an example that was changed, and not built
/// again, may well be one that hangs.
pub fn output(command: &mut Command) -> Result<Output, String> {
    output_within(LONGEST, command)
}

pub fn output_within(limit: Duration, command: &mut Command) -> Result<Output, String> {
    let program = format!("{:?}", command.get_program());
    let wrong = |error: io::Error| format!("{program}: {error}");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(wrong)?;
    let stdout = read(child.stdout.take().expect("it is piped"));
    let stderr = read(child.stderr.take().expect("it is piped"));
    let (Ok(stdout), Ok(stderr)) = (stdout.recv_timeout(limit), stderr.recv_timeout(limit)) else {
        let _ = child.kill();
        return Err(format!(
            "{program} has not ended in {limit:?}. If it was changed, \
             `cargo build --examples` builds it as it is now"
        ));
    };
    let status = child.wait().map_err(wrong)?;
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

/// All that comes out of a pipe, when it is closed.
fn read(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, text) = channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        pipe.read_to_end(&mut text).expect("a pipe can be read");
        let _ = sender.send(text);
    });
    text
}

/// A test is `target/debug/deps/…`; an example is `target/debug/examples/…`.
pub fn command(example: &str) -> Command {
    let test = env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("a folder above `deps`");
    let program = profile.join("examples").join(format!("{example}{EXE_SUFFIX}"));
    assert!(
        program.exists(),
        "{} is not there: run `cargo build --examples` first, or all tests with `cargo test`",
        program.display()
    );
    let mut command = Command::new(program);
    command.current_dir(ROOT);
    command
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("examples print UTF-8")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder for files, removed when dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let name = format!("handspun-examples-{}-{name}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a temporary folder with a UTF-8 name").to_string()
    }

    pub fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
