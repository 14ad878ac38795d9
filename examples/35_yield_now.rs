//! `yield_now` by hand, and how often to yield: a long job beside a heart that shall beat.
//!
//! The job has a hundred parts. Nine take a millisecond each and the tenth eleven, and so on, so it
//! is 200 ms of work in all. The heart beats each 15 ms: a timer wakes it, and then it waits for
//! its turn, that is, for the end of the poll of the job.
//!
//! v1 works in one piece. v2 yields after each part, v3 after ten, and v4 looks at the clock, and
//! yields as soon as it has worked for 5 ms. In all of them the job does the same work and ends at
//! the same time. What differs is how often it is polled, which is the price, and by how much the
//! latest of the beats is late, which is what the price is paid for.
//!
//! (Nothing takes time on a paused clock, so `work` sets it forward, in the middle of a poll. To
//! everybody else that is the same as if the job had computed for as long.)
//!
//! Predict before you run: how late is the latest beat in v1, in v2, in v3?
//!
//! Run: `cargo run --example 35_yield_now`, and one version with `-- v1`. Next: `36_budget`.

mod support;

use handspun::executor::Executor;
use handspun::task::Builder;
use handspun::time::{self, Duration, Instant, interval_at};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// What `handspun::task::yield_now()` makes.
struct YieldNow {
    yielded: bool,
}

fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref(); // before it is pending: nobody else will
        Poll::Pending
    }
}

/// Whether to yield: after so many parts in all, and so long after the last yield.
type IsEnough = fn(u32, Duration) -> bool;

const PARTS: u32 = 100;

/// Does the parts. Returns in how many polls.
async fn job(is_enough: IsEnough) -> u32 {
    let mut polls = 1;
    let mut begun = Instant::now();
    for part in 1..=PARTS {
        work(if part % 10 == 0 { 11 } else { 1 });
        if part < PARTS && is_enough(part, begun.elapsed()) {
            yield_now().await;
            polls += 1;
            begun = Instant::now();
        }
    }
    polls
}

/// As if the caller had computed for so long.
fn work(millis: u64) {
    let advance = pin!(time::advance(Duration::from_millis(millis)));
    // Its first poll sets the clock. The rest would wait for those whom that wakes.
    assert!(advance.poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

/// Beats 13 times. Returns by how much the latest beat was late.
async fn heart(start: Instant) -> Duration {
    let pause = Duration::from_millis(15);
    let mut beats = interval_at(start + pause, pause);
    let mut latest = Duration::ZERO;
    for _beat in 1..=13 {
        let due = beats.tick().await;
        latest = latest.max(due.elapsed());
    }
    latest
}

fn main() {
    let asked_for = support::stages(4);
    let versions: [(&str, IsEnough); 4] = [
        ("v1 in one piece", |_, _| false),
        ("v2 yields after each part", |_, _| true),
        ("v3 yields after ten parts", |parts, _| parts % 10 == 0),
        ("v4 yields after 5 ms", |_, time| time >= Duration::from_millis(5)),
    ];
    println!("{:<27}polls   latest beat late by", "");
    for (stage, (version, is_enough)) in (1..).zip(versions) {
        if !asked_for(stage) {
            continue;
        }
        let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
        let (polls, latest) = executor.block_on(async {
            let heart = Builder::new().name("heart").spawn(heart(Instant::now()));
            let job = Builder::new().name("job").spawn(job(is_enough));
            (job.await.unwrap(), heart.await.unwrap())
        });
        println!("{version:<27}{polls:>5}{:>17} ms", latest.as_millis());
    }
}
