//! `sleep`, in three versions: who wakes a task when its time has come?
//!
//! v1 starts a thread for each sleep: a sleep that nobody waits for any more keeps its thread to
//! the end. v2 keeps deadlines in a heap, and the executor sleeps until the first; but nothing can
//! be taken out of the middle of a heap. v3 is handspun's: a wheel, which forgets a dropped sleep
//! at once.
//!
//! The work (`sleepers.rs`): sleeps of 30, 10 and 20 ms, and one of an hour that is dropped after
//! its first poll. Each version is complete, in a file of its own: its `sleep`, and its run.
//!
//! Predict before you run: how many threads does v1 start, and what is left in v2's heap at the
//! end?
//!
//! Run: `cargo run --example 17_sleep`, with `-- v3` for one version only, and with `-- --real` for
//! v2 and v3 to wait as well (v1 always does). Begin with `sleepers.rs`. Next: `19_timer_wheel`.

mod sleepers;
#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;
mod v3;

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    if asked_for(1) {
        println!("v1: a thread for each sleep");
        v1::run();
    }
    if asked_for(2) {
        println!("v2: a heap");
        v2::run(real);
    }
    if asked_for(3) {
        println!("v3: handspun's wheel");
        v3::run(real);
    }
}
