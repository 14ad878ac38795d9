// Exercise 19, wrong: who finds it empty fills it.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

thread_local! {
    /// What is left to who is being polled, and of how many. `None`: it has no budget.
    static BUDGET: Cell<Option<(u32, u32)>> = const { Cell::new(None) };
}

pub async fn with_budget<F: Future>(size: u32, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut own = Some((size, size));
    poll_fn(|cx| {
        let before = BUDGET.replace(own);
        let poll = future.as_mut().poll(cx);
        own = BUDGET.replace(before);
        poll
    })
    .await
}

pub async fn step() {
    poll_fn(|cx| match BUDGET.get() {
        Some((0, size)) => {
            BUDGET.set(Some((size, size)));
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        budget => {
            BUDGET.set(budget.map(|(left, size)| (left - 1, size)));
            Poll::Ready(())
        }
    })
    .await
}
