//! v2: a heap of deadlines, and one sleep for all. When nothing is runnable, the thread sleeps
//! until the first deadline, and wakes who waits for it. Next: `v3.rs`.

use crate::sleepers;
use handspun::task::{JoinHandle, yield_now};
use handspun::time::Duration;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// The heap holds deadlines, earliest first, each with the place of its waker. (Wakers have no
/// order, so they cannot be in the heap.)
#[derive(Default)]
struct Timers {
    now: Duration,
    heap: BinaryHeap<Reverse<(Duration, usize)>>,
    wakers: Vec<Waker>,
}

thread_local! {
    static TIMERS: RefCell<Timers> = RefCell::default();
}

async fn sleep(duration: Duration) {
    let deadline = now() + duration;
    poll_fn(|cx| {
        TIMERS.with_borrow_mut(|timers| {
            if timers.now >= deadline {
                return Poll::Ready(());
            }
            timers.heap.push(Reverse((deadline, timers.wakers.len())));
            timers.wakers.push(cx.waker().clone());
            Poll::Pending
        })
    })
    .await
}

fn now() -> Duration {
    TIMERS.with_borrow(|timers| timers.now)
}

/// What the executor does when nothing is runnable: sleeps until the first deadline, and wakes.
fn rest(real: bool) {
    let waker = TIMERS.with_borrow_mut(|timers| {
        let Reverse((deadline, place)) = timers.heap.pop().expect("who has had a turn sleeps");
        if real {
            std::thread::sleep(deadline - timers.now);
        }
        timers.now = deadline;
        timers.wakers[place].clone()
    });
    waker.wake();
}

/// The root plays the part of the executor.
pub fn run(real: bool) {
    handspun::block_on(async {
        let report = |millis| println!("{:7.3} s  {millis} ms are over", now().as_secs_f64());
        let sleepers = sleepers::start(sleep, report);
        loop {
            yield_now().await; // everyone who is runnable runs
            if sleepers.iter().all(JoinHandle::is_finished) {
                break;
            }
            rest(real);
        }
    });
    println!("  left in the heap: {}", TIMERS.with_borrow(|timers| timers.heap.len()));
}
