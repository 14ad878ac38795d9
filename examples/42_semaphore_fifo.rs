//! `Semaphore`: at most so many at a time, and everyone in turn.
//!
//! Twenty jobs of 100 ms share five permits: each acquires one, and gives it back by dropping it.
//! The second part is about turns. Small jobs keep coming, each needs one permit of two, and a big
//! job needs both. v1 looks whether there are enough, and if not, looks again a little later: there
//! is always a small job that is quicker. v2 is `acquire_many`. It waits in line, and those who
//! come later wait behind it, *even if a permit is free*: to keep that one for the big job is the
//! only way in which it ever gets two.
//!
//! Predict before you run: small jobs of 100 ms come at 0, 60, 120, .. 360 ms, the big one comes at
//! 32 ms. When does it begin, in v1 and in v2? And when, in v2, the small one of 60 ms?
//!
//! Run: `cargo run --example 42_semaphore_fifo`, and with `-- --real` to wait. Next:
//! `43_mutex_across_await`.

mod support;

use handspun::executor::Executor;
use handspun::future::join_all;
use handspun::sync::{Semaphore, SemaphorePermit};
use handspun::time::{Duration, Instant, sleep};
use std::cell::Cell;
use support::say;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn twenty_jobs(start: Instant) {
    let semaphore = Semaphore::new(5);
    let (running, most) = (Cell::new(0), Cell::new(0));
    let job = async |_number| {
        let _permit = semaphore.acquire().await.expect("nobody closes it");
        running.update(|running| running + 1);
        most.set(most.get().max(running.get()));
        sleep(millis(100)).await;
        running.update(|running| running - 1);
    };
    join_all((1..=20).map(job)).await;
    say(start, format_args!("all done, {} at a time", most.get()));
}

async fn acquire_v1(semaphore: &Semaphore, permits: u32) -> SemaphorePermit<'_> {
    loop {
        match semaphore.try_acquire_many(permits) {
            Ok(permit) => return permit,
            Err(_none) => sleep(millis(5)).await,
        }
    }
}

async fn acquire_v2(semaphore: &Semaphore, permits: u32) -> SemaphorePermit<'_> {
    semaphore.acquire_many(permits).await.expect("nobody closes it")
}

async fn big_among_small(start: Instant, in_line: bool) {
    let semaphore = Semaphore::new(2);
    let job = async |(arrival, permits)| {
        sleep(millis(arrival)).await;
        let _permit = match in_line {
            false => acquire_v1(&semaphore, permits).await,
            true => acquire_v2(&semaphore, permits).await,
        };
        let job = if permits == 1 { "small" } else { "BIG" };
        say(start, format_args!("{job} job of {arrival} ms begins"));
        sleep(millis(100)).await;
    };
    let small = [0, 60, 120, 180, 240, 300, 360].map(|arrival| (arrival, 1));
    join_all(small.into_iter().chain([(32, 2)]).map(job)).await;
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        println!("twenty jobs, five permits");
        twenty_jobs(Instant::now()).await;
        println!("v1: looks, and looks again");
        big_among_small(Instant::now(), false).await;
        println!("v2: waits in line");
        big_among_small(Instant::now(), true).await;
    });
}
