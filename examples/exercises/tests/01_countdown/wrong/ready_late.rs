// Exercise 01, wrong: one is subtracted after it was found to be zero.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Countdown(pub u32);

impl Future for Countdown {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == u32::MAX {
            return Poll::Ready(());
        }
        self.0 = self.0.wrapping_sub(1);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
