// Exercise 06: a parker with a flag, and a `block_on` that can be called in a `block_on`. The task
// is in README.md.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// What a thread sleeps in.
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
        todo!("`unpark`: raise the flag, and see to it that the thread looks")
    }

    /// Sleeps until `unpark` is called, or not at all if it was called since the last sleep.
    pub fn park(&self) {
        todo!("`park`: sleep until the flag is up, and lower it")
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.unpark();
    }
}

/// Polls the future when its waker was called, and sleeps in between.
pub fn block_on<F: Future>(future: F) -> F::Output {
    todo!("`block_on`: poll, and sleep in a parker. In whose?")
}
