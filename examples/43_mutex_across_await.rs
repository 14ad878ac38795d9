//! Who needs a mutex on one thread? Whoever awaits between reading and writing.
//!
//! Ten clerks each add 1 to the same number, and each needs 10 ms to think. v1 keeps the number in
//! a `Cell`. That there is only one thread does not help: while one clerk thinks the others run,
//! all of them read the same old number, and nine additions are lost. v2 holds a `Mutex` while it
//! thinks: the next one reads when this one has written. It is right, and slow, for they think one
//! after the other. v3 thinks first. Then there is no await between reading and writing, so nobody
//! can come in between, and a `Cell` is enough.
//!
//! (A `std::sync::Mutex` would not do in v2. It blocks the thread: the second clerk would wait,
//! inside of its poll, for a guard that only the first can drop; and nobody polls the first.)
//!
//! Predict before you run: at what number does each version arrive, and when?
//!
//! Run: `cargo run --example 43_mutex_across_await`, and with `-- --real` to wait. Next:
//! `44_notify_permit`.

mod support;

use handspun::executor::Executor;
use handspun::future::join_all;
use handspun::sync::Mutex;
use handspun::time::{Duration, Instant, sleep};
use std::cell::Cell;
use support::say;

async fn think() {
    sleep(Duration::from_millis(10)).await;
}

async fn add_v1(number: &Cell<u32>) {
    let read = number.get();
    think().await;
    number.set(read + 1);
}

async fn add_v2(number: &Mutex<u32>) {
    let mut number = number.lock().await;
    let read = *number;
    think().await;
    *number = read + 1;
}

async fn add_v3(number: &Cell<u32>) {
    think().await;
    let read = number.get();
    number.set(read + 1);
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        println!("v1: a Cell, and an await between reading and writing");
        let start = Instant::now();
        let number = Cell::new(0);
        join_all((0..10).map(|_| add_v1(&number))).await;
        say(start, number.get());

        println!("v2: a Mutex, held across the await");
        let start = Instant::now();
        let number = Mutex::new(0);
        join_all((0..10).map(|_| add_v2(&number))).await;
        say(start, number.into_inner());

        println!("v3: a Cell, and the await before it");
        let start = Instant::now();
        let number = Cell::new(0);
        join_all((0..10).map(|_| add_v3(&number))).await;
        say(start, number.get());
    });
}
