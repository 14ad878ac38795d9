// Exercise 19, wrong: it yields, and then goes on without taking one.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;

thread_local! {
    /// What is left to who is being polled. `None`: it has no budget, and may take as it likes.
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// In each poll of this, `future` may make so many steps, in all its parts together.
pub async fn with_budget<F: Future>(size: u32, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _until_the_end_of_this_poll = Filled::with(size);
        future.as_mut().poll(cx)
    })
    .await
}

/// A step of who is being polled. If its budget is used up, it is pending until the next poll.
pub async fn step() {
    match LEFT.get() {
        Some(0) => handspun::task::yield_now().await,
        left => LEFT.set(left.map(|left| left - 1)),
    }
}

/// The counter is filled, and when this is dropped it is as it was: in the poll of the next task,
/// in the rest of a poll around this one, and after a panic.
struct Filled {
    before: Option<u32>,
}

impl Filled {
    fn with(size: u32) -> Filled {
        let before = LEFT.replace(Some(size));
        Filled { before }
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        LEFT.set(self.before);
    }
}
