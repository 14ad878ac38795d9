//! Many tasks on one thread, in three versions: whom does the executor poll?
//!
//! v1 polls every task, round after round. v2 polls who was woken: a waker is the number of its
//! task and a queue to push it to. v3 does not push a task that is in the queue already.
//!
//! The work (`work.rs`): ten reporters report to a collector, which waits until it has all of their
//! reports, ten each; a hundred listeners wait for the collector. Each version is complete, in a
//! file of its own, and has the same work.
//!
//! Predict before you run: how often does v2 poll the collector, and how often does v3?
//!
//! Run: `cargo run --example 10_run_queue`, and with `-- v2` only the second. Begin with `v1.rs`.
//! Next: `12_turns`.

#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;
mod v3;
mod work;

use std::future::Future;
use std::pin::Pin;

type Task = Pin<Box<dyn Future<Output = ()>>>;
type Version = fn(Vec<Task>);

fn main() {
    let asked_for = support::stages_without_executor(3);
    let versions: [(&str, Version); 3] = [
        ("v1 polls every task", v1::run),
        ("v2 polls who was woken", v2::run),
        ("v3 … and only once", v3::run),
    ];
    println!("polls of                  10 reporters   1 collector   100 listeners");
    for (stage, (version, run)) in (1..).zip(versions) {
        if asked_for(stage) {
            let [reporters, collector, listeners] = work::polls_when_run_by(run);
            println!("{version:<26}{reporters:>12}{collector:>14}{listeners:>16}");
        }
    }
}
