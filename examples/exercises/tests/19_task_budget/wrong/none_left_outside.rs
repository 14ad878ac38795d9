// Exercise 19, wrong: a number alone cannot say that there is no budget.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(0) };
}

pub async fn with_budget<F: Future>(size: u32, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let before = LEFT.replace(size);
        let poll = future.as_mut().poll(cx);
        LEFT.set(before);
        poll
    })
    .await
}

pub async fn step() {
    poll_fn(|cx| {
        let Some(left) = LEFT.get().checked_sub(1) else {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        };
        LEFT.set(left);
        Poll::Ready(())
    })
    .await
}
