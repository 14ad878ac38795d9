//! `Semaphore`: at most so many at a time, and everyone in turn.
//!
//! Small jobs keep coming, each needs one permit of two, and a big job needs both. v1 looks whether
//! there are enough, and if not, looks again a little later: there is always a small job that is
//! quicker. v2 is `acquire_many`. It waits in line, and those who come later wait behind it, *even
//! if a permit is free*: to keep that one for the big job is the only way in which it ever gets
//! two. In v3 the big job waits in line as well, but for 50 ms at the most.
//!
//! Predict before you run: small jobs of 100 ms come at 0, 60 and 120 ms, the big one comes at 32
//! ms. When does it begin, in v1 and in v2? And when does `small 60`, in each of the three?
//!
//! Run: `cargo run --example 42_semaphore_fifo`, with `-- v2` for one version, and with `-- --real`
//! to wait. Next: `43_mutex_across_await`.

mod support;

use handspun::executor::Executor;
use handspun::sync::{Semaphore, SemaphorePermit};
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep, timeout};
use std::rc::Rc;
use support::say;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn acquire_v1(semaphore: &Semaphore, permits: u32) -> Option<SemaphorePermit<'_>> {
    loop {
        match semaphore.try_acquire_many(permits) {
            Ok(permit) => return Some(permit),
            Err(_too_few) => sleep(millis(5)).await,
        }
    }
}

async fn acquire_v2(semaphore: &Semaphore, permits: u32) -> Option<SemaphorePermit<'_>> {
    semaphore.acquire_many(permits).await.ok()
}

async fn acquire_v3(semaphore: &Semaphore, permits: u32) -> Option<SemaphorePermit<'_>> {
    let patience = if permits == 1 { Duration::MAX } else { millis(50) };
    timeout(patience, semaphore.acquire_many(permits)).await.ok()?.ok()
}

async fn big_among_small(stage: usize) {
    let start = Instant::now();
    let semaphore = Rc::new(Semaphore::new(2));
    let jobs = [
        ("small", 0, 1),
        ("BIG", 32, 2),
        ("small", 60, 1),
        ("small", 120, 1),
    ];
    let jobs = jobs.map(|(kind, arrival, permits)| {
        let job = format!("{kind} {arrival}");
        let semaphore = semaphore.clone();
        Builder::new().name(job.clone()).spawn(async move {
            sleep(millis(arrival)).await;
            let permit = match stage {
                1 => acquire_v1(&semaphore, permits).await,
                2 => acquire_v2(&semaphore, permits).await,
                _ => acquire_v3(&semaphore, permits).await,
            };
            if permit.is_none() {
                return say(start, format_args!("{job} gives up"));
            }
            say(start, format_args!("{job} begins"));
            sleep(millis(100)).await;
        })
    });
    for job in jobs {
        job.await.unwrap();
    }
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    let versions = [
        "v1: looks, and looks again",
        "v2: waits in line",
        "v3: the big one gives up",
    ];
    for (stage, version) in (1..).zip(versions) {
        if !asked_for(stage) {
            continue;
        }
        println!("{version}");
        let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
        executor.block_on(big_among_small(stage));
    }
}
