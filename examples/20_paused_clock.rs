//! The paused clock: ten minutes that take no time, and are exact.
//!
//! v1: when every task waits the clock jumps to the next deadline, and to that one only, so
//! everything happens in the order in which it would have happened. v2: while anything can run, it
//! stands.
//!
//! `advance` is the other way to move it: past all deadlines on its way, which fire together
//! afterwards. v3 calls it too early, before the sleep that it was meant for has begun. v4 calls it
//! in time.
//!
//! v5: an answer from a thread of your own. The executor does not know of that thread, so every
//! task waits, so the clock jumps. Of the threads of `spawn_blocking` it knows.
//!
//! Predict before you run: in v3, what does the root see of `a`? In v4, what time do `a` and `b`
//! see? And in v5, which of the two answers is in time?
//!
//! Run: `cargo run --example 20_paused_clock`, and with `-- v1` for one part only. Next:
//! `21_interval_missed_ticks`.

mod support;

use handspun::executor::Executor;
use handspun::sync::oneshot;
use handspun::task::{Builder, JoinHandle, spawn_blocking, yield_now};
use handspun::time::{self, Duration, Instant, sleep, timeout};
use std::future::Future;
use support::say;

fn alarm(start: Instant, name: &'static str, seconds: u64) -> JoinHandle<()> {
    Builder::new().name(name).spawn(async move {
        sleep(Duration::from_secs(seconds)).await;
        say(start, format_args!("{name}: its {seconds} s are over"));
    })
}

async fn v1_jumps() {
    let start = Instant::now();
    let tea = alarm(start, "tea", 600);
    alarm(start, "egg", 300);
    tea.await.unwrap();
}

async fn v2_stands() {
    let start = Instant::now();
    let toast = alarm(start, "toast", 90);
    for _ in 0..1000 {
        yield_now().await;
    }
    say(start, "root: has yielded a thousand times");
    toast.await.unwrap();
    say(start, "root: has waited");
}

async fn v3_advances_too_early() {
    let start = Instant::now();
    let a = alarm(start, "a", 1);
    time::advance(Duration::from_secs(10)).await;
    say(start, format_args!("root: has advanced by 10 s, is a over? {}", a.is_finished()));
    a.await.unwrap();
}

async fn v4_advances_in_time() {
    let start = Instant::now();
    let b = alarm(start, "b", 2);
    let a = alarm(start, "a", 1);
    yield_now().await; // both have begun to sleep
    time::advance(Duration::from_secs(10)).await;
    say(start, "root: has advanced by 10 s");
    a.await.unwrap();
    b.await.unwrap();
}

/// Work that takes half a second, by the real clock and on a real thread.
fn work() -> &'static str {
    std::thread::sleep(Duration::from_millis(500));
    "the answer"
}

async fn v5_waits_for_threads() {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || sender.send(work()));
    wait_five_seconds_for("a thread of your own", receiver).await;
    wait_five_seconds_for("spawn_blocking", spawn_blocking(work)).await;
}

async fn wait_five_seconds_for(whose: &str, answer: impl Future) {
    let start = Instant::now();
    let in_time = timeout(Duration::from_secs(5), answer).await.is_ok();
    say(start, format_args!("{whose}: {}", if in_time { "in time" } else { "too late" }));
}

fn run(asked_for: bool, title: &str, root: impl Future<Output = ()>) {
    if asked_for {
        println!("{title}");
        Executor::builder().start_paused(true).panic_on_stall(true).build().block_on(root);
    }
}

fn main() {
    let asked_for = support::stages(5);
    run(asked_for(1), "v1: it jumps from deadline to deadline", v1_jumps());
    run(asked_for(2), "v2: it stands while anything can run", v2_stands());
    run(asked_for(3), "v3: advance, too early", v3_advances_too_early());
    run(asked_for(4), "v4: advance, past several deadlines at once", v4_advances_in_time());
    run(
        asked_for(5),
        "v5: threads that take half a second, and five seconds of patience",
        v5_waits_for_threads(),
    );
}
