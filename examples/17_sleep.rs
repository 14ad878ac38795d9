//! `sleep`, in three versions: who wakes a task when its time has come?
//!
//! v1 starts a thread for each sleep: a sleep that nobody waits for any more keeps its thread to
//! the end. v2 keeps deadlines in a heap, and the executor sleeps until the first; but nothing can
//! be taken out of the middle of a heap. v3 is handspun's: a wheel, which forgets a dropped sleep
//! at once.
//!
//! The work: sleeps of 30, 10 and 20 ms, and one of an hour that is dropped after its first poll.
//!
//! Predict before you run: how many threads does v1 start, and what is left in v2's heap at the
//! end?
//!
//! Run: `cargo run --example 17_sleep`, with `-- v3` for one version only, and with `-- --real` for
//! v2 and v3 to wait as well (v1 always does). Next: `19_timer_wheel`.

mod support;

use handspun::executor::Executor;
use handspun::task::{Builder, JoinHandle, yield_now};
use handspun::time::{self, Duration, Instant};
use std::future::{Future, poll_fn};
use std::task::{Context, Poll, Waker};
use support::say;

mod v1 {
    use super::*;
    use std::cell::Cell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    thread_local! {
        pub static THREADS: Cell<usize> = const { Cell::new(0) };
    }

    pub async fn sleep(duration: Duration) {
        let mut thread_is_up: Option<Arc<AtomicBool>> = None;
        poll_fn(|cx| {
            if let Some(up) = &thread_is_up {
                return if up.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending };
            }
            let (up, waker) = (Arc::new(AtomicBool::new(false)), cx.waker().clone());
            thread_is_up = Some(up.clone());
            THREADS.set(THREADS.get() + 1);
            std::thread::spawn(move || {
                std::thread::sleep(duration);
                up.store(true, Ordering::Release);
                waker.wake();
            });
            Poll::Pending
        })
        .await
    }
}

mod v2 {
    use super::*;
    use std::cell::RefCell;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

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

    pub async fn sleep(duration: Duration) {
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

    pub fn now() -> Duration {
        TIMERS.with_borrow(|timers| timers.now)
    }

    pub fn left_in_heap() -> usize {
        TIMERS.with_borrow(|timers| timers.heap.len())
    }

    /// What the executor does when nothing is runnable: sleeps until the first deadline, and wakes.
    pub fn rest(real: bool) {
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
}

mod v3 {
    use super::*;

    pub async fn sleep(duration: Duration) {
        time::sleep(duration).await
    }
}

/// Starts the three sleepers; each calls `report` when it is over. And drops the fourth sleep.
fn start<S: Future<Output = ()> + 'static>(
    sleep: fn(Duration) -> S,
    report: impl Fn(u64) + Copy + 'static,
) -> [JoinHandle<()>; 3] {
    let mut hour = Box::pin(sleep(Duration::from_secs(3600)));
    let _ = hour.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    drop(hour);
    [30, 10, 20].map(|millis| {
        Builder::new().name(format!("{millis} ms")).spawn(async move {
            sleep(Duration::from_millis(millis)).await;
            report(millis);
        })
    })
}

async fn all(sleepers: [JoinHandle<()>; 3]) {
    for sleeper in sleepers {
        sleeper.await.unwrap();
    }
}

fn run_v1() {
    println!("v1: a thread for each sleep");
    handspun::block_on(async { all(start(v1::sleep, |_| {})).await });
    println!("  threads started: {}", v1::THREADS.get());
}

fn run_v2(real: bool) {
    println!("v2: a heap");
    handspun::block_on(async {
        let report = |millis| println!("{:7.3} s  {millis} ms are over", v2::now().as_secs_f64());
        let sleepers = start(v2::sleep, report);
        loop {
            yield_now().await; // everyone who is runnable runs
            if sleepers.iter().all(JoinHandle::is_finished) {
                break;
            }
            v2::rest(real);
        }
    });
    println!("  left in the heap: {}", v2::left_in_heap());
}

fn run_v3(real: bool) {
    println!("v3: handspun's wheel");
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let beginning = Instant::now();
        let report = move |millis| say(beginning, format_args!("{millis} ms are over"));
        all(start(v3::sleep, report)).await;
    });
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    if asked_for(1) {
        run_v1();
    }
    if asked_for(2) {
        run_v2(real);
    }
    if asked_for(3) {
        run_v3(real);
    }
}
