// Exercise 01: `Countdown(n)` is pending n times, and then ready.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What is left to count, which each poll finds as the last one left it.
pub struct Countdown(pub u32);

impl Future for Countdown {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        // Nobody else would call it: there is no news to wait for, only the next poll.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
