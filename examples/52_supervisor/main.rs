//! A supervisor: it owns its workers, restarts one that panics, and knows when to give up.
//!
//! Two sensors measure once a second, and a store collects what they send. The cable of `north` is
//! loose: nothing comes through for a moment at 1 s, and nothing at all from 3 s on. A sensor that
//! gets no answer panics. (The messages of these panics, which would go to stderr, are left out.)
//!
//! v1 spawns the three and drops their handles: nobody looks. v2 looks, and restarts a sensor at
//! once, for ever (after a hundred times the demonstration is over). v3 waits before a restart,
//! each time twice as long, and gives up when three within two seconds have not helped. Then the
//! tree is taken down in order: first who sends, then who collects.
//!
//! Left out: a store that fails. Who would notice? That is the exercise of chapter 16.
//!
//! Predict before you run: what does v1 say of the panic, and what becomes of its readings? How
//! much time passes while v2 restarts a hundred times? And when does v3 give up?
//!
//! Run: `cargo run --example 52_supervisor`, one version with `-- v3`, and with `-- --real` to
//! wait. Begin with `workers.rs` and `v1.rs`. Next: `53_trace_tour`.

mod station;
#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;
mod v3;
mod workers;

use handspun::executor::Executor;
use handspun::time::Instant;
use station::Station;
use std::panic;
use support::say;

async fn run(stage: usize) {
    let start = Instant::now();
    match stage {
        1 => v1::nobody_looks(start).await,
        2 => v2::supervise(Station::open(start)).await,
        _ => match v3::supervise(Station::open(start)).await {
            Ok(()) => say(start, "root: all is well"),
            Err(why) => say(start, format_args!("root: closed, as {why}")),
        },
    }
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    panic::set_hook(Box::new(|_| {}));
    let versions = [
        "v1 nobody looks",
        "v2 restarts at once, for ever",
        "v3 waits, and gives up",
    ];
    for (stage, version) in (1..).zip(versions) {
        if asked_for(stage) {
            println!("{version}");
            let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
            executor.block_on(run(stage));
        }
    }
}
