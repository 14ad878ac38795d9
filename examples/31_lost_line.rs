//! Half a line is lost, and nobody was told: what *cancel safe* means.
//!
//! Lines come in pieces, as from a socket, 100 ms apart; somebody else wants a word every 250 ms.
//! So we `select!` between the next line and the next tick, in a loop. The future of the line loses
//! now and then, and is dropped.
//!
//! v1 keeps what it has read of a line in a local variable. A local lives in the future, and is
//! dropped with it: what it had taken off the channel is gone. v2 keeps it in the reader, which
//! outlives the future: the next call goes on where the last one stopped. v3 is for a reader that
//! you cannot change: it is v1's, in a task of its own, which nobody drops in the middle. What is
//! selected is then the `recv` of a channel, and that loses nothing.
//!
//! Predict before you run: which of the three lines arrive whole in v1?
//!
//! Run: `cargo run --example 31_lost_line`, with `-- v2` for one of them, and with `-- --real` to
//! wait. Next: `32_token_tree`.

mod support;

use handspun::executor::Executor;
use handspun::sync::mpsc::{self, Receiver};
use handspun::task::Builder;
use handspun::time::{Duration, Instant, Interval, interval_at, sleep};
use std::mem;
use support::say;

const PIECES: [&str; 6] = ["tea ", "for two\n", "no ", "sugar\n", "more ", "milk\n"];

/// Writes a piece every 100 ms.
fn pieces() -> Receiver<&'static str> {
    let (writer, reader) = mpsc::channel(1);
    Builder::new().name("writer").spawn(async move {
        for piece in PIECES {
            sleep(Duration::from_millis(100)).await;
            writer.send(piece).await.expect("somebody reads");
        }
    });
    reader
}

/// The next line, or `None` at the end. Not cancel safe.
async fn read_line_v1(pieces: &mut Receiver<&'static str>) -> Option<String> {
    let mut line = String::new();
    while !line.ends_with('\n') {
        line.push_str(pieces.recv().await?);
    }
    Some(line)
}

struct LineReader {
    pieces: Receiver<&'static str>,
    /// What has come of a line that is not whole yet.
    begun: String,
}

impl LineReader {
    /// The next line, or `None` at the end. Cancel safe: what has been read waits in `begun`.
    async fn read_line_v2(&mut self) -> Option<String> {
        while !self.begun.ends_with('\n') {
            self.begun.push_str(self.pieces.recv().await?);
        }
        Some(mem::take(&mut self.begun))
    }
}

async fn v1(start: Instant, mut ticks: Interval) {
    let mut pieces = pieces();
    loop {
        handspun::select! {
            line = read_line_v1(&mut pieces) => match line {
                Some(line) => say(start, format_args!("line {line:?}")),
                None => return,
            },
            _ = ticks.tick() => say(start, "tick"),
        }
    }
}

async fn v2(start: Instant, mut ticks: Interval) {
    let mut reader = LineReader {
        pieces: pieces(),
        begun: String::new(),
    };
    loop {
        handspun::select! {
            line = reader.read_line_v2() => match line {
                Some(line) => say(start, format_args!("line {line:?}")),
                None => return,
            },
            _ = ticks.tick() => say(start, "tick"),
        }
    }
}

async fn v3(start: Instant, mut ticks: Interval) {
    let mut pieces = pieces();
    let (sender, mut lines) = mpsc::channel(1);
    Builder::new().name("reader").spawn(async move {
        while let Some(line) = read_line_v1(&mut pieces).await {
            sender.send(line).await.expect("somebody reads");
        }
    });
    loop {
        handspun::select! {
            line = lines.recv() => match line {
                Some(line) => say(start, format_args!("line {line:?}")),
                None => return,
            },
            _ = ticks.tick() => say(start, "tick"),
        }
    }
}

/// A tick every 250 ms, the first of them in 130 ms: never together with a piece.
fn ticks(start: Instant) -> Interval {
    interval_at(start + Duration::from_millis(130), Duration::from_millis(250))
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    let versions = [
        "v1: what was read is in the future",
        "v2: what was read is in the reader",
        "v3: the reader has a task of its own",
    ];
    for (stage, version) in (1..).zip(versions).filter(|(stage, _)| asked_for(*stage)) {
        println!("{version}");
        let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
        executor.block_on(async {
            let start = Instant::now();
            match stage {
                1 => v1(start, ticks(start)).await,
                2 => v2(start, ticks(start)).await,
                _ => v3(start, ticks(start)).await,
            }
        });
    }
}
