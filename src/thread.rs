//! A thread that waits for a future, with no executor: the smallest `block_on`.
//!
//! Channels and locks have `blocking_…` functions for threads that run no executor. Each of them is
//! the async one, polled by a thread that parks between the polls. Its waker is a flag and a
//! thread: whoever wakes raises the flag first and then unparks, and the thread sleeps until it
//! finds the flag up. Without the flag a wake could be mistaken for another's: `unpark` leaves a
//! token, there is one for the whole thread, and any code may leave it or use it up.
//!
//! ```text
//!   thread:  poll ─► pending ─► flag up? ── no ──► park ─┐
//!              ▲                  │  ▲                    │
//!              └─── lower it ◄────┘  └────────────────────┘
//! ```
//!
//! On a thread that runs an executor this would stop all its tasks, also the one that is waited
//! for. So the executor leaves a note on its thread, and [`block_on`] panics where it finds one.
//!
//! Next: `sync/guarded.rs`.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

thread_local!(static RUNS_EXECUTOR: Cell<bool> = const { Cell::new(false) });

/// An executor begins to run on this thread, or ends.
#[inline]
pub(crate) fn set_runs_executor(runs: bool) {
    RUNS_EXECUTOR.set(runs);
}

/// Waits for a future on this thread.
///
/// # Panics
/// If an executor runs on it; the message names `function`, and what to call `instead` of it.
#[track_caller]
pub(crate) fn block_on<F: Future>(function: &str, instead: &str, future: F) -> F::Output {
    if RUNS_EXECUTOR.get() {
        panic!(
            "`{function}` was called inside an executor: it would hold up every task of this \
             thread. Use `{instead}` here, or call it in `handspun::task::spawn_blocking`"
        );
    }
    let mut future = pin!(future);
    let flag = Arc::new(Flag {
        is_up: AtomicBool::new(false),
        thread: thread::current(),
    });
    let waker = Waker::from(flag.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        while !flag.is_up.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

struct Flag {
    is_up: AtomicBool,
    thread: Thread,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // No `store`: of two wakes the poll would see only what was written before the second.
        self.is_up.swap(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::time::Duration;

    #[test]
    fn a_thread_polls_once_for_each_wake() {
        let mut polls = 0;
        let was_woken = Arc::new(AtomicBool::new(false));
        let counted = poll_fn(|cx| {
            polls += 1;
            // The first wake comes before the thread parks, the second while it is parked.
            match polls {
                1 => cx.waker().wake_by_ref(),
                2 => {
                    let (waker, wakes) = (cx.waker().clone(), was_woken.clone());
                    thread::spawn(move || {
                        thread::sleep(Duration::from_millis(5));
                        wakes.store(true, Ordering::Relaxed);
                        waker.wake();
                    });
                }
                _ if was_woken.load(Ordering::Relaxed) => return Poll::Ready(()),
                _ => {}
            }
            // Somebody else's token: no wake.
            thread::current().unpark();
            Poll::Pending
        });
        block_on("counted", "counted", counted);
        assert_eq!(polls, 3);
    }
}
