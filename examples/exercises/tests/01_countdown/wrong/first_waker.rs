// Exercise 01, wrong: it wakes who polled it first.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

pub struct Counting {
    left: u32,
    waker: Option<Waker>,
}

#[expect(non_snake_case, reason = "the check makes a `Countdown(n)`")]
pub fn Countdown(n: u32) -> Counting {
    let waker = None;
    Counting { left: n, waker }
}

impl Future for Counting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.left == 0 {
            return Poll::Ready(());
        }
        self.left -= 1;
        let waker = self.waker.get_or_insert_with(|| cx.waker().clone());
        waker.wake_by_ref();
        Poll::Pending
    }
}
