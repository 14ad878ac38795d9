// Exercise 19: a budget for a whole task. The task is in README.md.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

thread_local! {
    /// What is left to who is being polled. (And if that one has no budget? Give it another type.)
    static LEFT: Cell<u32> = const { Cell::new(0) };
}

/// In each poll of this, `future` may make so many steps, in all its parts together.
pub async fn with_budget<F: Future>(size: u32, future: F) -> F::Output {
    todo!("`with_budget`: a poll of `future` with a full counter")
}

/// A step of who is being polled. If its budget is used up, it is pending until the next poll.
pub async fn step() {
    todo!("`step`: take one of the counter, or give way")
}
