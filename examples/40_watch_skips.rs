//! `watch`: the latest value, and none of those before it.
//!
//! A watch channel is no queue. It holds one value, and each receiver remembers which version of it
//! it has seen. One that is slow finds the newest, and never hears of those in between; but the
//! last one it does see, even if the sender is gone by then.
//!
//! So what goes into it should be a *state*, of which nobody wants any but the newest. v1 sends
//! *events*, payments, and has the display add them up: what it skips is missing for ever. v2 adds
//! them up first, and sends the total.
//!
//! Predict before you run: payments of 1, 2, 4 and 8, one each 100 ms, and 250 ms to draw a number.
//! What does the display show in the end?
//!
//! Run: `cargo run --example 40_watch_skips`, one version of it with `-- v1`, and with `-- --real`
//! to wait. Next: `41_broadcast_lag`.

mod support;

use handspun::executor::Executor;
use handspun::sync::watch;
use handspun::time::{Duration, Instant, sleep};
use support::say;

async fn till(start: Instant, value: watch::Sender<u32>, pay: fn(&mut u32, u32)) {
    for payment in [1, 2, 4, 8] {
        sleep(Duration::from_millis(100)).await;
        value.send_modify(|value| pay(value, payment));
        say(start, format_args!("till: {payment} is paid, sends {}", *value.borrow()));
    }
}

async fn display(start: Instant, mut value: watch::Receiver<u32>, show: fn(&mut u32, u32)) {
    let mut shown = 0;
    while value.changed().await.is_ok() {
        // Borrowed in this line only, never across an await: `send` needs it too.
        show(&mut shown, *value.borrow_and_update());
        sleep(Duration::from_millis(250)).await;
        say(start, format_args!("                          display: {shown}"));
    }
    say(start, "                          display: the till is closed");
}

fn add(sum: &mut u32, value: u32) {
    *sum += value;
}

fn replace(old: &mut u32, value: u32) {
    *old = value;
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(2);
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        if asked_for(1) {
            println!("v1: sends each payment, the display adds");
            let start = Instant::now();
            let (sender, receiver) = watch::channel(0);
            handspun::spawn(till(start, sender, replace));
            display(start, receiver, add).await;
        }
        if asked_for(2) {
            println!("v2: adds, and sends the total");
            let start = Instant::now();
            let (sender, receiver) = watch::channel(0);
            handspun::spawn(till(start, sender, add));
            display(start, receiver, replace).await;
        }
    });
}
