// Exercise 01, wrong: it wakes, and waits in `poll` until it is polled.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Countdown(pub u32);

impl Future for Countdown {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        while self.0 > 0 {
            cx.waker().wake_by_ref();
            std::thread::yield_now();
        }
        Poll::Ready(())
    }
}
