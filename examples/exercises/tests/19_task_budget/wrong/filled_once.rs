// Exercise 19, wrong: the counter is filled before the first poll.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::task::Poll;

thread_local! {
    /// What is left to who is being polled. `None`: it has no budget, and may take as it likes.
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// In each poll of this, `future` may make so many steps, in all its parts together.
pub async fn with_budget<F: Future>(size: u32, future: F) -> F::Output {
    let before = LEFT.replace(Some(size));
    let output = future.await;
    LEFT.set(before);
    output
}

/// A step of who is being polled. If its budget is used up, it is pending until the next poll.
pub async fn step() {
    poll_fn(|cx| match LEFT.get() {
        Some(0) => {
            // Nothing is to happen first, so nobody else would call it.
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        left => {
            LEFT.set(left.map(|left| left - 1));
            Poll::Ready(())
        }
    })
    .await
}
