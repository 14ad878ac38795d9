//! A parker: what a `block_on` sleeps in, and what ends the sleep.
//!
//! Polling is the same in all versions of this `block_on` (`block_on.rs`). They differ in the
//! object that it sleeps in, and in how many of these there are:
//!
//! - v1 is a bare `thread::park`, and trusts the thread's parking token. There is one token for the
//!   whole thread, and whoever parks takes it.
//! - v2 has a flag of its own beside it, one for the thread. Only who lowers the flag was woken.
//! - v3 needs neither token nor thread: the flag is behind a mutex, with a condition variable to
//!   wait for it. Nobody else can touch that. There is still one for the thread.
//! - v4 is v3 once more, but each call of `block_on` has a parker of its own.
//!
//! Three futures try them (`trial.rs`). Each is woken during its first poll, and ready in its
//! second. The first does nothing else; the second parks, as code inside of it may; the third calls
//! `block_on`.
//!
//! A sleep that nobody can end any more is given up after a while. How long that is changes nothing
//! of what is printed.
//!
//! Predict before you run: which of the twelve fields say "for ever"?
//!
//! Run: `cargo run --example 09_parker`. Begin with `block_on.rs`. Next: `10_run_queue`.

mod block_on;
#[path = "../support/mod.rs"]
mod support;
mod trial;
mod v1;
mod v2;
mod v3;

use std::sync::Arc;
use std::thread;
use trial::measure;
use v1::Token;
use v2::Flag;
use v3::Locked;

fn main() {
    let asked_for = support::stages_without_executor(4);
    let thread = thread::current();
    println!("{:<38}{:>15}{:>15}{:>15}", "the future", "does nothing", "parks", "blocks on");
    if asked_for(1) {
        let token = Arc::new(Token(thread.clone()));
        measure("v1 the token", || token.clone());
    }
    if asked_for(2) {
        let flag = Arc::new(Flag::beside(Token(thread)));
        measure("v2 a flag, one for the thread", || flag.clone());
    }
    if asked_for(3) {
        let locked = Arc::new(Locked::default());
        measure("v3 a condvar, one for the thread", || locked.clone());
    }
    if asked_for(4) {
        measure("v4 a condvar, one for each block_on", || Arc::new(Locked::default()));
    }
}
