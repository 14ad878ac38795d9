//! Who needs a mutex on one thread? Whoever awaits between reading and writing.
//!
//! Ten clerks each add 1 to the same number, and each needs 10 ms to think. v1 keeps the number in
//! a `Cell`. That there is only one thread does not help: while one clerk thinks the others run,
//! all of them read the same old number, and nine additions are lost. v2 holds a `Mutex` while it
//! thinks: the next one reads when this one has written. It is right, and slow, for they think one
//! after the other. v3 thinks first. Then there is no await between reading and writing, so nobody
//! can come in between, and a `Cell` is enough.
//!
//! v4 is v2 with the `Mutex` of std. It blocks the thread: the second clerk waits, inside of its
//! poll, for a guard that only the first can drop, and nobody polls the first. So it runs on a
//! thread of its own, which is left standing there.
//!
//! Predict before you run: at what number does each version arrive, and when?
//!
//! Run: `cargo run --example 43_mutex_across_await`, with `-- v2` for one version, and with
//! `-- --real` to wait. Next: `44_notify_permit`.

mod support;

use handspun::executor::Executor;
use handspun::future::join_all;
use handspun::sync::Mutex;
use handspun::time::{Duration, Instant, sleep};
use std::cell::Cell;
use std::future::Future;
use std::sync::mpsc;
use std::thread;

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

#[expect(clippy::await_holding_lock, reason = "this is the mistake")]
async fn add_v4(number: &std::sync::Mutex<u32>) {
    let mut number = number.lock().unwrap();
    let read = *number;
    think().await;
    *number = read + 1;
}

/// Ten clerks, and when the last of them is done.
fn ten<F: Future<Output = ()>>(real: bool, clerk: impl Fn() -> F) -> Duration {
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let start = Instant::now();
        join_all((0..10).map(|_| clerk())).await;
        start.elapsed()
    })
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(4);
    let say = |time: Duration, number| println!("{:7.3} s  {number}", time.as_secs_f64());
    if asked_for(1) {
        println!("v1: a Cell, and an await between reading and writing");
        let number = Cell::new(0);
        say(ten(real, || add_v1(&number)), number.get());
    }
    if asked_for(2) {
        println!("v2: a Mutex, held across the await");
        let number = Mutex::new(0);
        say(ten(real, || add_v2(&number)), number.into_inner());
    }
    if asked_for(3) {
        println!("v3: a Cell, and the await before it");
        let number = Cell::new(0);
        say(ten(real, || add_v3(&number)), number.get());
    }
    if asked_for(4) {
        println!("v4: a Mutex of std, held across the await");
        let (done, is_done) = mpsc::channel();
        thread::spawn(move || {
            let number = std::sync::Mutex::new(0);
            let _ = done.send(ten(real, || add_v4(&number)));
        });
        match is_done.recv_timeout(Duration::from_millis(200)) {
            Ok(time) => say(time, 10),
            Err(_) => println!("  0.2 s have passed, and the thread stands still"),
        }
    }
}
