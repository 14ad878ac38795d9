//! v2 keeps what it has read of a line in the reader, and nobody drops that. In `diff v1.rs v2.rs`
//! the `select!` stays as it was, but for whose `read_line` it calls. Next: `v3.rs`.

use crate::pieces::pieces;
use crate::support::say;
use handspun::sync::mpsc::Receiver;
use handspun::time::{Instant, Interval};
use std::mem;

struct LineReader {
    pieces: Receiver<&'static str>,
    /// What has come of a line that is not whole yet.
    begun: String,
}

impl LineReader {
    /// The next line, or `None` at the end. Cancel safe: what has been read waits in `begun`.
    async fn read_line(&mut self) -> Option<String> {
        while !self.begun.ends_with('\n') {
            self.begun.push_str(self.pieces.recv().await?);
        }
        Some(mem::take(&mut self.begun))
    }
}

pub async fn run(start: Instant, mut ticks: Interval) {
    let mut reader = LineReader {
        pieces: pieces(),
        begun: String::new(),
    };
    loop {
        handspun::select! {
            line = reader.read_line() => match line {
                Some(line) => say(start, format_args!("line {line:?}")),
                None => return,
            },
            _ = ticks.tick() => say(start, "tick"),
        }
    }
}
