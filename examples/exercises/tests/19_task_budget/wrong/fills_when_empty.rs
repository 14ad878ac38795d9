// Exercise 19, wrong: a poll begins with what the last one has left.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

thread_local! {
    /// What is left to who is being polled. `None`: it has no budget, and may take as it likes.
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// In each poll of this, `future` may make so many steps, in all its parts together.
pub async fn with_budget<F: Future>(size: u32, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut own = size;
    poll_fn(|cx| {
        if own == 0 {
            own = size;
        }
        let before = LEFT.replace(Some(own));
        let poll = future.as_mut().poll(cx);
        own = LEFT.replace(before).unwrap_or(size);
        poll
    })
    .await
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
