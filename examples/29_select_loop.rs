//! `select!` in a loop, and the bug of a fresh future each time round.
//!
//! A loser is dropped. In a loop that is the trap: v1 makes a new sleep each time round, so that a
//! deadline of 250 ms which loses to a tick every 100 ms begins from the start, and never comes. v2
//! makes the sleep once, outside of the loop, and lends it to `select!`: `&mut deadline` is what is
//! dropped each time round, and the sleep itself goes on.
//!
//! Predict before you run: after how many ticks does v1 stop?
//!
//! Run: `cargo run --example 29_select_loop`, with `-- v1` for one of them, and with `-- --real` to
//! wait. Next: `30_drop_cancels`.

mod support;

use handspun::executor::Executor;
use handspun::time::{self, Duration, Instant, Interval, sleep};
use std::pin::pin;
use support::say;

const LIMIT: Duration = Duration::from_millis(250);
const PATIENCE: u32 = 6;

async fn v1(start: Instant, mut ticks: Interval) {
    for tick in 1..=PATIENCE {
        handspun::select! {
            _ = sleep(LIMIT) => return say(start, "the deadline"),
            _ = ticks.tick() => say(start, format_args!("tick {tick}")),
        }
    }
    say(start, "… and so on, for ever");
}

async fn v2(start: Instant, mut ticks: Interval) {
    let mut deadline = pin!(sleep(LIMIT));
    for tick in 1..=PATIENCE {
        handspun::select! {
            _ = &mut deadline => return say(start, "the deadline"),
            _ = ticks.tick() => say(start, format_args!("tick {tick}")),
        }
    }
    say(start, "… and so on, for ever");
}

/// A tick every 100 ms, the first of them in 100 ms.
fn ticks(start: Instant) -> Interval {
    let period = Duration::from_millis(100);
    time::interval_at(start + period, period)
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(2);
    let new = || Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    if asked_for(1) {
        println!("v1: a fresh sleep each time round");
        new().block_on(async {
            let start = Instant::now();
            v1(start, ticks(start)).await;
        });
    }
    if asked_for(2) {
        println!("v2: one sleep, lent");
        new().block_on(async {
            let start = Instant::now();
            v2(start, ticks(start)).await;
        });
    }
}
