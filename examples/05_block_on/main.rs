//! `block_on`, in three versions: who polls, and when?
//!
//! v1 *spins*, which keeps a processor at full speed. v2 *parks*, so it depends on being woken; and
//! a wake can be lost, since the parking token is not its own. v3 parks, and has a *flag* that is.
//! Each is complete, in a file of its own. `diff v1.rs v2.rs` shows what it takes to sleep, and
//! `diff v2.rs v3.rs` what it takes to lose no wake. What they wait for is in `futures.rs`, and
//! `patience.rs` ends a sleep that nobody else would.
//!
//! handspun's executor sleeps like v3: its flag is the bell in `src/mailbox.rs`.
//!
//! Predict before you run: how often does v2 poll a future whose answer comes from a thread? And
//! which version copes with a future that wakes nobody?
//!
//! Run: `cargo run --example 05_block_on`, and with `-- v2` only the second. Begin with `v1.rs`.
//! Next: `06_waker`.

mod futures;
mod patience;
#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;
mod v3;

use futures::{after_polls, from_a_thread, parks_itself};
use patience::with_patience;
use std::cell::Cell;

/// What is left to say of a sleep that nobody ends.
const FOR_EVER: &str = "  … and then it sleeps for ever";

fn main() {
    let asked_for = support::stages_without_executor(3);
    let polls = Cell::new(0);
    let report = |what, end| println!("  {what:<34}{:>8}{end}", polls.take());
    let or_for_ever = |end: Option<()>| if end.is_none() { FOR_EVER } else { "" };

    if asked_for(1) {
        println!("v1 spins                               polls");
        v1::block_on(after_polls(100_000, &polls));
        report("an answer that wakes nobody", "");
    }
    if asked_for(2) {
        println!("v2 parks                               polls");
        v2::block_on(from_a_thread(&polls));
        report("an answer from a thread", "");
        let end = v2::block_on(with_patience(after_polls(100_000, &polls)));
        report("an answer that wakes nobody", or_for_ever(end));
        let end = v2::block_on(with_patience(parks_itself(&polls)));
        report("a future that parks", or_for_ever(end));
    }
    if asked_for(3) {
        println!("v3 has a flag, and parks               polls");
        v3::block_on(from_a_thread(&polls));
        report("an answer from a thread", "");
        v3::block_on(parks_itself(&polls));
        report("a future that parks", "");
    }
}
