//! What both versions await: a number that is not there on the first poll, and is on the second.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Later {
    number: i32,
    polled: bool,
}

pub fn later(number: i32) -> Later {
    let polled = false;
    Later { number, polled }
}

impl Future for Later {
    type Output = i32;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<i32> {
        if self.polled {
            return Poll::Ready(self.number);
        }
        self.polled = true;
        Poll::Pending
    }
}
