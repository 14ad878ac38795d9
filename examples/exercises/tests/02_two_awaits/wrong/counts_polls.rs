// Exercise 02, wrong: the second poll must be ready, it thinks.

use crate::{Later, later, trace};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

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
        {
            match &mut *self {
                ByHand::Unpolled { first } => {
                    trace("begins");
                    let mut awaited = later(*first);
                    let _pending = Pin::new(&mut awaited).poll(cx);
                    *self = ByHand::AtFirstAwait { awaited };
                    return Poll::Pending;
                }
                ByHand::AtFirstAwait { awaited } => {
                    let Poll::Ready(left) = Pin::new(awaited).poll(cx) else {
                        unreachable!("this is the second poll");
                    };
                    trace(format!("has {left}"));
                    if left == 0 {
                        *self = ByHand::Returned;
                        return Poll::Ready(0);
                    }
                    let nth = 1;
                    let mut awaited = later(left + nth);
                    let _pending = Pin::new(&mut awaited).poll(cx);
                    *self = ByHand::AtSecondAwait {
                        left,
                        sum: left,
                        nth,
                        awaited,
                    };
                    return Poll::Pending;
                }
                ByHand::AtSecondAwait {
                    left,
                    sum,
                    nth,
                    awaited,
                } => {
                    let Poll::Ready(right) = Pin::new(&mut *awaited).poll(cx) else {
                        unreachable!("this is the second poll, too");
                    };
                    *sum += right;
                    trace(format!("has {sum}"));
                    if *nth == 3 {
                        let sum = *sum;
                        *self = ByHand::Returned;
                        return Poll::Ready(sum);
                    }
                    *nth += 1;
                    *awaited = later(*left + *nth);
                    let _pending = Pin::new(awaited).poll(cx);
                    return Poll::Pending;
                }
                ByHand::Returned => panic!("`total` was polled after it was ready"),
            }
        }
    }
}
