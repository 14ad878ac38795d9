// Exercise 07, wrong: all tasks have one waker.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

pub type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What the thread sleeps in: that of exercise 06, or another.
pub trait Parker: Send + Sync {
    /// Sleeps until `unpark` is called, or not at all if it was called since the last sleep. It may
    /// also return for nothing.
    fn park(&self);
    /// Ends the sleep, or the next one if there is none.
    fn unpark(&self);
}

/// The waker of all tasks.
struct Raise {
    is_up: AtomicBool,
    parker: Arc<dyn Parker>,
}

impl Wake for Raise {
    fn wake(self: Arc<Self>) {
        self.is_up.swap(true, Ordering::Release);
        self.parker.unpark();
    }
}

/// Polls all tasks once, and then who was woken, until all are over.
pub fn run(mut tasks: Vec<Task>, parker: Arc<dyn Parker>) {
    let raise = Arc::new(Raise {
        is_up: AtomicBool::new(true),
        parker: parker.clone(),
    });
    let waker = Waker::from(raise.clone());
    let mut cx = Context::from_waker(&waker);
    while !tasks.is_empty() {
        while !raise.is_up.swap(false, Ordering::Acquire) {
            parker.park();
        }
        tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
    }
}
