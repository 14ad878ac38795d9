// Exercise 06, wrong: it looks at the flag, and does not lower it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// What a thread sleeps in. The flag says that the sleep is over; the token of the thread, which
/// anybody may leave and take, only ends it.
pub struct Parker {
    is_up: AtomicBool,
    thread: Thread,
}

impl Parker {
    /// Of the thread that calls this, which is the one that may park.
    pub fn new() -> Parker {
        Parker {
            is_up: AtomicBool::new(false),
            thread: thread::current(),
        }
    }

    /// Ends the sleep, or the next one if there is none.
    pub fn unpark(&self) {
        // In this order: who wakes up by the token must find the flag up. And no `store`: of two,
        // the `park` would see only what was written before the second.
        self.is_up.swap(true, Ordering::Release);
        self.thread.unpark();
    }

    /// Sleeps until `unpark` is called, or not at all if it was called since the last sleep.
    pub fn park(&self) {
        while !self.is_up.load(Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.unpark();
    }
}

/// Polls the future when its waker was called, and sleeps in between.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    // Of this call, not of the thread: who blocks on something in `poll` has a flag of its own.
    let parker = Arc::new(Parker::new());
    let waker = Waker::from(parker.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        parker.park();
    }
}
