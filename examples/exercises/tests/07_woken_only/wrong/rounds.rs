// Exercise 07, wrong: version 1 of the chapter.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

pub type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What the thread sleeps in: that of exercise 06, or another.
pub trait Parker: Send + Sync {
    /// Sleeps until `unpark` is called, or not at all if it was called since the last sleep. It may
    /// also return for nothing.
    fn park(&self);
    /// Ends the sleep, or the next one if there is none.
    fn unpark(&self);
}

/// Polls all tasks once, and then who was woken, until all are over.
pub fn run(mut tasks: Vec<Task>, _parker: Arc<dyn Parker>) {
    let mut cx = Context::from_waker(Waker::noop());
    while !tasks.is_empty() {
        tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
    }
}
