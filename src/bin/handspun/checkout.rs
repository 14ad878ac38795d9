//! What there is in the checkout: the examples, and the source in reading order.
//!
//! Each of these files says in its first sentence what it is, and that sentence is all that is
//! shown of it. Which pages there are in the book is not known here, but in `book.rs`.

use crate::Error;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A part of the source that is read in one go.
pub struct Walk {
    pub title: &'static str,
    /// Paths in `src`, in order.
    pub files: &'static [&'static str],
}

#[rustfmt::skip]
pub const WALKS: [Walk; 8] = [
    Walk {
        title: "The core",
        files: &[
            "lib.rs", "slab.rs", "name.rs", "mailbox.rs", "executor/scheduler.rs", "waker.rs",
            "executor/mod.rs", "task/cell.rs", "task/join.rs", "task/mod.rs",
        ],
    },
    Walk {
        title: "Time",
        files: &[
            "list.rs", "time/wheel.rs", "time/clock.rs", "executor/timers.rs", "time/sleep.rs",
            "time/timeout.rs", "time/interval.rs",
        ],
    },
    Walk {
        title: "Together",
        files: &[
            "future/join.rs", "future/join_all.rs", "future/race.rs", "macros.rs",
            "macros/branches.rs",
        ],
    },
    Walk {
        title: "Sets of tasks",
        files: &["task/join_set.rs"],
    },
    Walk {
        title: "Channels and locks",
        files: &[
            "waits.rs", "thread.rs", "sync/guarded.rs", "sync/wait_queue.rs", "sync/permits.rs",
            "sync/semaphore.rs", "sync/mutex.rs", "sync/rwlock.rs", "sync/notify.rs",
            "sync/barrier.rs", "sync/once_cell.rs", "sync/oneshot.rs", "sync/mpsc/mod.rs",
            "sync/watch.rs", "sync/broadcast.rs", "sync/cancellation_token.rs",
        ],
    },
    Walk {
        title: "Threads for what blocks",
        files: &["task/blocking.rs"],
    },
    Walk {
        title: "The outside world",
        files: &[
            "net/sys.rs", "net/bell.rs", "net/reactor.rs", "net/socket.rs", "net/lookup.rs",
            "net/tcp/stream.rs", "net/tcp/split.rs", "net/tcp/listener.rs", "net/udp.rs",
        ],
    },
    Walk {
        title: "See it run",
        files: &[
            "executor/recorder.rs", "executor/watch.rs", "trace/event.rs", "trace/state.rs",
            "trace/layout.rs", "trace/text.rs", "trace/svg.rs", "trace/html.rs",
            "trace/chrome.rs", "trace/lint.rs", "trace/output.rs",
        ],
    },
];

/// The root of the checkout: the one in which `cargo run` was called, else that in which this
/// program was built.
pub fn root() -> PathBuf {
    let called_in = env::var_os("CARGO_MANIFEST_DIR");
    called_in.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// Where cargo puts what it builds, unless it is told by a file of its own. What we write ourselves
/// goes there too: it can be deleted, and git does not see it.
pub fn target() -> PathBuf {
    let names = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];
    let told = names.into_iter().find_map(env::var_os).filter(|folder| !folder.is_empty());
    told.map_or_else(|| root().join("target"), PathBuf::from)
}

/// A path as one types it here, from the folder in which we are, if that is in the checkout.
pub fn shown(path: &Path) -> String {
    let here = env::current_dir().ok();
    let from_here = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    from_here.unwrap_or_else(|| path.to_path_buf()).display().to_string()
}

/// Puts a file there, as a whole: whoever reads it sees all of it or what was there before, also if
/// this program is ended in the middle.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let written = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&unfinished);
        Error::Missing(format!("cannot write {}: {error}", path.display()))
    })
}

/// The names of all examples, sorted: their files without `.rs`, and the folders of those that are
/// several files.
pub fn examples() -> Result<Vec<String>, Error> {
    let folder = root().join("examples");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
        let path = entry.map_err(|error| unreadable(&folder, &error))?.path();
        let is_file = path.extension().is_some_and(|extension| extension == "rs");
        if is_file || path.join("main.rs").is_file() {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// The first sentence of an example.
pub fn summary_of_example(name: &str) -> Result<String, Error> {
    let folder = root().join("examples");
    let several = folder.join(name).join("main.rs");
    match several.is_file() {
        true => summary(&several),
        false => summary(&folder.join(format!("{name}.rs"))),
    }
}

/// The first sentence of a file of the source.
pub fn summary_of_source(file: &str) -> Result<String, Error> {
    summary(&root().join("src").join(file))
}

/// The text of a file, by its path from the root.
pub fn text(path: &str) -> Result<String, Error> {
    text_of(&root().join(path))
}

pub fn text_of(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn summary(path: &Path) -> Result<String, Error> {
    let text = text_of(path)?;
    let header = text.lines().map_while(|line| line.strip_prefix("//! "));
    let paragraph = header.collect::<Vec<_>>().join(" ");
    let sentence = match paragraph.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => paragraph,
    };
    // Links and emphasis are for rustdoc.
    Ok(sentence.replace("[`", "`").replace("`]", "`").replace('*', ""))
}

pub fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Missing(format!(
        "cannot read {}: {error}. If the checkout has moved, call `cargo run` in it",
        path.display()
    ))
}
