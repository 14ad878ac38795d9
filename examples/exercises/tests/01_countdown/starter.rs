// Exercise 01: `Countdown(n)` is pending n times, and then ready. The task is in README.md.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Countdown(pub u32);

impl Future for Countdown {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        todo!("`poll` of Countdown: n times Pending, then Ready")
    }
}
