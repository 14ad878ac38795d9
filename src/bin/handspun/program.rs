//! Programs that are waited for without blocking.
//!
//! What a program writes is read on threads of their own, by `spawn_blocking`: a read of a pipe
//! comes back when there is something, or when nobody is left who could write. Whether the program
//! is over nobody tells us (the standard library can wait for it, or look), so an `interval` looks.

use handspun::task::{JoinHandle, spawn_blocking};
use handspun::time::{Duration, interval};
use std::io::{self, Read};
use std::process::{Child, Command, Output, Stdio};

const LOOK: Duration = Duration::from_millis(10);

/// What becomes of a program if the future that waits for it is dropped.
#[derive(Clone, Copy, PartialEq)]
pub enum WhenDropped {
    /// For one that may be ended anywhere.
    Kill,
    /// For one that has files to finish.
    LeaveAlone,
}

struct Running {
    child: Child,
    when_dropped: WhenDropped,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.when_dropped == WhenDropped::Kill {
            // As a rule it has ended by itself, and then there is nobody to be killed.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Runs a program to its end, and gives what it has written into pipes, if it was given any. It
/// reads nothing: the keys are for the companion.
pub async fn run(command: &mut Command, when_dropped: WhenDropped) -> io::Result<Output> {
    let child = command.stdin(Stdio::null()).spawn()?;
    let mut running = Running {
        child,
        when_dropped,
    };
    let stdout = read(running.child.stdout.take());
    let stderr = read(running.child.stderr.take());
    let (stdout, stderr) = (text(stdout).await, text(stderr).await);

    let mut look = interval(LOOK);
    loop {
        look.tick().await;
        if let Some(status) = running.child.try_wait()? {
            return Ok(Output {
                status,
                stdout,
                stderr,
            });
        }
    }
}

/// Reads a pipe to its end, beginning now.
fn read(pipe: Option<impl Read + Send + 'static>) -> Option<JoinHandle<Vec<u8>>> {
    let mut pipe = pipe?;
    Some(spawn_blocking(move || {
        let mut text = Vec::new();
        // What could be read is all that there is.
        let _ = pipe.read_to_end(&mut text);
        text
    }))
}

async fn text(reading: Option<JoinHandle<Vec<u8>>>) -> Vec<u8> {
    match reading {
        Some(reading) => reading.await.unwrap_or_default(),
        None => Vec::new(),
    }
}
