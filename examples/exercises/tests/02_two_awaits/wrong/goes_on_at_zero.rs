// Exercise 02, wrong: it has no second way out.

use crate::{Later, later, trace};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A variant for each place where `total` can stand, with what it must remember there.
pub enum ByHand {
    Unpolled {
        first: u32,
    },
    AtFirstAwait {
        awaited: Later,
    },
    AtSecondAwait {
        left: u32,
        sum: u32,
        nth: u32,
        awaited: Later,
    },
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
                    let awaited = later(*first);
                    *self = ByHand::AtFirstAwait { awaited };
                }
                ByHand::AtFirstAwait { awaited } => {
                    let left = ready!(Pin::new(awaited).poll(cx));
                    trace(format!("has {left}"));
                    let nth = 1;
                    *self = ByHand::AtSecondAwait {
                        left,
                        sum: left,
                        nth,
                        awaited: later(left + nth),
                    };
                }
                ByHand::AtSecondAwait {
                    left,
                    sum,
                    nth,
                    awaited,
                } => {
                    *sum += ready!(Pin::new(&mut *awaited).poll(cx));
                    trace(format!("has {sum}"));
                    if *nth == 3 {
                        let sum = *sum;
                        *self = ByHand::Returned;
                        return Poll::Ready(sum);
                    }
                    *nth += 1;
                    *awaited = later(*left + *nth);
                }
                ByHand::Returned => panic!("`total` was polled after it was ready"),
            }
        }
    }
}
