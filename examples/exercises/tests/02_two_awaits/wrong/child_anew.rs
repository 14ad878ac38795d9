// Exercise 02, wrong: the place is kept, and what it waits for there is not.

use crate::{later, trace};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

pub enum ByHand {
    Unpolled { first: u32 },
    AtFirstAwait { first: u32 },
    AtSecondAwait { left: u32, sum: u32, nth: u32 },
    Returned,
}

/// A call: the arguments, and nothing else.
pub fn total(first: u32) -> ByHand {
    ByHand::Unpolled { first }
}

impl Future for ByHand {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        loop {
            match &mut *self {
                ByHand::Unpolled { first } => {
                    trace("begins");
                    let first = *first;
                    *self = ByHand::AtFirstAwait { first };
                }
                ByHand::AtFirstAwait { first } => {
                    let left = ready!(pin!(later(*first)).poll(cx));
                    trace(format!("has {left}"));
                    if left == 0 {
                        *self = ByHand::Returned;
                        return Poll::Ready(0);
                    }
                    *self = ByHand::AtSecondAwait {
                        left,
                        sum: left,
                        nth: 1,
                    };
                }
                ByHand::AtSecondAwait { left, sum, nth } => {
                    *sum += ready!(pin!(later(*left + *nth)).poll(cx));
                    trace(format!("has {sum}"));
                    if *nth == 3 {
                        let sum = *sum;
                        *self = ByHand::Returned;
                        return Poll::Ready(sum);
                    }
                    *nth += 1;
                }
                ByHand::Returned => panic!("`total` was polled after it was ready"),
            }
        }
    }
}
