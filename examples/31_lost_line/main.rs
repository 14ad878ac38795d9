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
//! wait. Begin with `v1.rs`. Next: `32_token_tree`.

mod pieces;
#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;
mod v3;

use handspun::executor::Executor;
use handspun::time::{Duration, Instant, Interval, interval_at};

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
                1 => v1::run(start, ticks(start)).await,
                2 => v2::run(start, ticks(start)).await,
                _ => v3::run(start, ticks(start)).await,
            }
        });
    }
}

/// A tick every 250 ms, the first of them in 130 ms: never together with a piece.
fn ticks(start: Instant) -> Interval {
    interval_at(start + Duration::from_millis(130), Duration::from_millis(250))
}
