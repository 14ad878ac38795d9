//! Whom does an answer wake? A future written by hand, and what it does with the waker of a poll.
//!
//! An oracle (`oracle.rs`) knows the answer after 10 ms. It puts it into a place that it shares
//! with the future `Answer`, and wakes the waker that it finds there. Who puts one there is the
//! future, and each version does it otherwise:
//!
//! - v1 keeps none. Nobody can wake the task, and the executor says so.
//! - v2 keeps that of the first poll. Then the future moves to another task: the root polls it for
//!   a millisecond, and spawns it when it has lost patience. The waker is still that of the root.
//! - v3 keeps that of the latest poll, and clones it only if it is not the same.
//! - v4 keeps none, as v1, but the task does something else as well, and is woken for that.
//! - v5 is the life of a waker, counted: no executor, and each step by hand.
//!
//! Predict before you run: who is polled in v2 when the answer has come? And in v4, when is the
//! answer seen?
//!
//! Run: `cargo run --example 06_waker`, and with `-- v2` only the second. Begin with `v1.rs`.
//! Next: `08_lost_wakeup`.

mod oracle;
#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;
mod v3;
mod v4;
mod v5;

use handspun::executor::Executor;
use std::future::Future;

fn main() {
    let asked_for = support::stages(5);

    if asked_for(1) {
        println!("v1: keeps no waker");
        println!("{}", support::stall_report(|| run(v1::program())));
    }
    if asked_for(2) {
        println!("v2: keeps the waker of the first poll, and moves");
        println!("{}", support::stall_report(|| run(v2::program())));
    }
    if asked_for(3) {
        println!("v3: keeps the waker of the latest poll, and moves");
        run(v3::program());
    }
    if asked_for(4) {
        println!("v4: keeps no waker, and has company");
        run(v4::program());
    }
    if asked_for(5) {
        v5::life_of_a_waker();
    }
}

fn run(program: impl Future<Output = ()>) {
    let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
    executor.block_on(program);
}
