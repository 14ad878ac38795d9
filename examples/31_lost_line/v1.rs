//! v1 keeps what it has read of a line in a local variable, so it is lost with the future.
//! Next: `v2.rs`.

use crate::pieces::pieces;
use crate::support::say;
use handspun::sync::mpsc::Receiver;
use handspun::time::{Instant, Interval};

/// The next line, or `None` at the end. Not cancel safe.
pub async fn read_line(pieces: &mut Receiver<&'static str>) -> Option<String> {
    let mut line = String::new();
    while !line.ends_with('\n') {
        line.push_str(pieces.recv().await?);
    }
    Some(line)
}

pub async fn run(start: Instant, mut ticks: Interval) {
    let mut pieces = pieces();
    loop {
        handspun::select! {
            line = read_line(&mut pieces) => match line {
                Some(line) => say(start, format_args!("line {line:?}")),
                None => return,
            },
            _ = ticks.tick() => say(start, "tick"),
        }
    }
}
