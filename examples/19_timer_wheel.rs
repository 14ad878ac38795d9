//! Where the timer wheel keeps a deadline, and how it comes closer.
//!
//! Count time in microseconds, and read a deadline as digits to the base 64. The highest digit in
//! which it differs from the present is its *level*, the digit itself its *slot*. When the present
//! reaches that slot, the entry *cascades*: it is placed again, by the same rule, on a lower level.
//! `level_of` and `slot_of` are those of `src/time/wheel.rs`.
//!
//! Predict before you run: a sleep of 10 ms begins on level 2. How often does it move?
//!
//! Run: `cargo run --example 19_timer_wheel`, and with `-- --real` to wait. Next:
//! `20_paused_clock`.

mod support;

use handspun::executor::Executor;
use handspun::time::{Duration, Instant, sleep};
use support::say;

const BITS_PER_LEVEL: u32 = 6;

/// The level of the highest digit in which the two differ.
fn level_of(now: u64, deadline: u64) -> u32 {
    ((now ^ deadline) | 1).ilog2() / BITS_PER_LEVEL
}

/// The digit of `deadline` on `level`.
fn slot_of(deadline: u64, level: u32) -> u64 {
    (deadline >> (level * BITS_PER_LEVEL)) % 64
}

/// The moment at which that slot begins: the digits above it, then the slot, then zeros.
fn slot_begins(deadline: u64, level: u32) -> u64 {
    let digits_below = level * BITS_PER_LEVEL;
    deadline >> digits_below << digits_below
}

fn digits(number: u64) -> String {
    [4, 3, 2, 1, 0].map(|level| format!("{:3}", slot_of(number, level))).concat()
}

fn row(what: &str, now: u64, deadline: u64) {
    let level = level_of(now, deadline);
    let slot = slot_of(deadline, level);
    println!("{what:>12}{}     {level}     {slot:2}", digits(deadline));
}

fn main() {
    let real = support::wants_real_clock();

    println!("Where a sleep is put that begins at 0:");
    println!("             base-64 digits  level  slot");
    row("20 us", 0, 20);
    row("1 ms", 0, 1_000);
    row("10 ms", 0, 10_000);
    row("1 s", 0, 1_000_000);
    row("1 minute", 0, 60_000_000);

    println!("The way of the one of 10 ms, as time goes by:");
    println!("             base-64 digits  level  slot");
    let deadline = 10_000;
    let mut now = 0;
    while now < deadline {
        let level = level_of(now, deadline);
        row(&format!("at {now} us"), now, deadline);
        now = slot_begins(deadline, level);
    }
    println!("{:>12}  it fires", format!("at {now} us"));

    println!("And in handspun:");
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let start = Instant::now();
        sleep(Duration::from_millis(10)).await;
        say(start, "a sleep of 10 ms is over");
    });
}
