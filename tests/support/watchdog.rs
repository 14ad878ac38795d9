//! A watchdog for tests with threads: a wake that was lost shows as a test that never ends.
#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{Write, stderr};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use std::{process, thread};

/// Many times what the slowest of these tests needs on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// Calls `f`; if it is not done after a minute, ends the process, with the name of the test.
pub fn watched<R>(f: impl FnOnce() -> R) -> R {
    let name = thread::current().name().unwrap_or("a test").to_string();
    // Nothing is sent: it is over when the sender goes, after a panic too.
    let (_running, over) = channel::<()>();
    thread::spawn(move || {
        if over.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
            // Not `eprintln!`: what a test prints is kept until it is over.
            let _ = writeln!(stderr(), "{name}: still waiting after a minute: a wake was lost");
            process::abort();
        }
    });
    f()
}
