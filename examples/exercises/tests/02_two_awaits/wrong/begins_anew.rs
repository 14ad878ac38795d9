// Exercise 02, wrong: each poll runs the body from the top.

use crate::{later, trace};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

pub enum ByHand {
    Unpolled { first: u32 },
}

/// A call: the arguments, and nothing else.
pub fn total(first: u32) -> ByHand {
    ByHand::Unpolled { first }
}

impl Future for ByHand {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        let ByHand::Unpolled { first } = *self;
        trace("begins");
        let left = ready!(pin!(later(first)).poll(cx));
        trace(format!("has {left}"));
        if left == 0 {
            return Poll::Ready(0);
        }
        let mut sum = left;
        for nth in 1..=3 {
            sum += ready!(pin!(later(left + nth)).poll(cx));
            trace(format!("has {sum}"));
        }
        Poll::Ready(sum)
    }
}
