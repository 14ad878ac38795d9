//! Where the timer wheel keeps a deadline, and how it comes closer.
//!
//! Count time in microseconds, and read a deadline as digits to the base 64. The highest digit in
//! which it differs from the present is its *level*, the digit itself its *slot*. When the present
//! is moved to that slot or past it, the entry *cascades*: it is placed again, by the same rule, on
//! a lower level. `level_of` and `slot_of` are those of `src/time/wheel.rs`.
//!
//! v1 places some sleeps. v2 follows one of them, as if somebody looked at the wheel in every
//! microsecond. But the present of a wheel is what the executor has last seen, and the executor
//! looks when the next timer is due. v3 runs that sleep beside two shorter ones, which make it
//! look, and counts how often it is moved then, and how often if it is alone.
//!
//! Predict before you run: a sleep of 10 ms begins on level 2. How often is it moved in v2? And how
//! often if it is alone?
//!
//! Run: `cargo run --example 19_timer_wheel`, with `-- v2` for one part only, and with `-- --real`
//! for v3 to wait. Next: `20_paused_clock`.

mod support;

use handspun::executor::Executor;
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep_until};
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

fn row(what: &str, now: u64, deadline: u64) {
    let digits = [4, 3, 2, 1, 0].map(|level| format!("{:3}", slot_of(deadline, level))).concat();
    let level = level_of(now, deadline);
    let slot = slot_of(deadline, level);
    println!("{what:>12}{digits}     {level}     {slot:2}");
}

/// Moves the present to each of these in turn, and counts how often the entry is placed anew.
fn moves(deadline: u64, looks: impl IntoIterator<Item = u64>) -> u32 {
    let (mut level, mut moves) = (level_of(0, deadline), 0);
    for now in looks {
        if now >= deadline {
            break; // it fires, from wherever it is
        }
        while slot_begins(deadline, level) <= now {
            level = level_of(slot_begins(deadline, level), deadline);
            moves += 1;
        }
    }
    moves
}

/// A sleep of 10 ms, and two that end before it: at their ends the executor looks at the wheel.
async fn beside_two_others(deadline: u64) {
    let start = Instant::now();
    let after = move |micros| start + Duration::from_micros(micros);
    let longest = Builder::new().name("10 ms").spawn(sleep_until(after(deadline)));
    for look in [4_000, 9_000] {
        sleep_until(after(look)).await;
        let level = level_of(look, deadline);
        say(start, format_args!("{} ms are over, that of 10 ms is on level {level}", look / 1_000));
    }
    longest.await.unwrap();
    say(start, "10 ms are over");
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    let deadline = 10_000;
    if asked_for(1) {
        println!("v1: where a sleep is put that begins at 0");
        println!("             base-64 digits  level  slot");
        row("20 us", 0, 20);
        row("1 ms", 0, 1_000);
        row("10 ms", 0, deadline);
        row("1 s", 0, 1_000_000);
        row("1 minute", 0, 60_000_000);
    }
    if asked_for(2) {
        println!("v2: the way of the one of 10 ms");
        println!("             base-64 digits  level  slot");
        let mut now = 0;
        while now < deadline {
            row(&format!("at {now} us"), now, deadline);
            now = slot_begins(deadline, level_of(now, deadline));
        }
        println!("{:>12}  it fires", format!("at {now} us"));
    }
    if asked_for(3) {
        println!("v3: in handspun, beside sleeps of 4 and 9 ms");
        let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
        executor.block_on(beside_two_others(deadline));
        println!("how often it is moved before it fires");
        println!("  looked at in every microsecond: {}", moves(deadline, 0..));
        println!("  looked at after 4 and 9 ms:     {}", moves(deadline, [4_000, 9_000]));
        println!("  alone:                          {}", moves(deadline, [deadline]));
    }
}
