//! v3 keeps a *flag* of its own, parks only while it is not set, and sets it before it unparks. So
//! nobody can take a wake from it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Flag {
    woken: AtomicBool,
    thread: Thread,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        // No `store`: of two wakes the poll would see only what was written before the second.
        // (`Release` shows it what was written before, to the `Acquire` below.)
        self.woken.swap(true, Ordering::Release);
        self.thread.unpark();
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let flag = Arc::new(Flag {
        woken: AtomicBool::new(false),
        thread: thread::current(),
    });
    let waker = Waker::from(flag.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        // The flag decides. The token only ends the sleep, and may come for any reason.
        while !flag.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}
