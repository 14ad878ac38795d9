// Exercise 07: who is polled was woken, and when nobody is, the thread sleeps. The task is in
// README.md.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
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

/// The numbers of those who are to be polled.
type Queue = Arc<Mutex<VecDeque<usize>>>;

/// The waker of a task.
struct Push {
    task: usize,
    queue: Queue,
    parker: Arc<dyn Parker>,
}

impl Wake for Push {
    fn wake(self: Arc<Self>) {
        todo!("`wake`: say who, and see to it that somebody looks")
    }
}

/// Polls all tasks once, and then who was woken, until all are over.
pub fn run(mut tasks: Vec<Task>, parker: Arc<dyn Parker>) {
    // Version 1 of chapter 5:
    //
    //     let mut cx = Context::from_waker(Waker::noop());
    //     while !tasks.is_empty() {
    //         tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
    //     }
    todo!("`run`: poll who is in the queue, and sleep when nobody is")
}
