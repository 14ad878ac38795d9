//! Who runs when: the executor goes in turns.
//!
//! One turn polls every task that was runnable when it began, once, in the order in which they
//! became runnable. Who is woken or spawned during a turn waits for the next. (Promise 4 of
//! `src/lib.rs`.)
//!
//! v1 has tasks that yield between two letters that they write (`writers.rs`): each wakes itself,
//! and goes to the end of the queue. In v2 the root yields, too. It was first in the queue, so it
//! begins each turn, and prints what was written in the turn before. In v3 three tasks ring for one
//! that waits, in each of three turns, and it writes a `w` whenever it is polled.
//!
//! Predict before you run: `b` writes twice, and spawns `d` with its second. What is the whole line
//! of v1? And how often does v3 write `w`?
//!
//! Run: `cargo run --example 12_turns`, and with `-- v3` only the third. Begin with `writers.rs`.
//! Next: `13_join_handle`.

#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;
mod v3;
mod writers;

use handspun::executor::Executor;
use handspun::task::{Builder, JoinHandle};
use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

/// What the tasks write on.
type Page = Rc<RefCell<String>>;

fn spawn(name: &str, future: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
    Builder::new().name(name).spawn(future)
}

fn main() {
    let asked_for = support::stages(3);
    if asked_for(1) {
        println!("v1 in which order");
        run(v1::root(Page::default()));
    }
    if asked_for(2) {
        println!("v2 turn by turn");
        run(v2::root(Page::default()));
    }
    if asked_for(3) {
        println!("v3 three rings for one");
        run(v3::root(Page::default()));
    }
}

fn run(root: impl Future<Output = ()>) {
    Executor::builder().start_paused(true).panic_on_stall(true).build().block_on(root);
}
