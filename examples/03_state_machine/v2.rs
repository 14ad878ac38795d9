//! v2 keeps from one poll to the next what the body still needs: it has a variant for each place at
//! which it can stand. The `async fn` does the same.
//!
//! (This one is `Unpin`, since it holds no references into itself. The compiler's may.)

use crate::later::{Later, later};
use crate::trace::trace;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pub enum ByHand {
    Unpolled,
    AtFirstAwait { awaited: Later },
    AtSecondAwait { left: i32, awaited: Later },
    Returned,
}

impl Future for ByHand {
    type Output = i32;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<i32> {
        // Until something is pending (then `ready!` returns), or the end is reached.
        loop {
            match &mut *self {
                ByHand::Unpolled => {
                    trace("begins");
                    let awaited = later(40);
                    *self = ByHand::AtFirstAwait { awaited };
                }
                ByHand::AtFirstAwait { awaited } => {
                    let left = ready!(Pin::new(awaited).poll(cx));
                    trace(format!("has {left}"));
                    let awaited = later(2);
                    *self = ByHand::AtSecondAwait { left, awaited };
                }
                ByHand::AtSecondAwait { left, awaited } => {
                    let right = ready!(Pin::new(awaited).poll(cx));
                    trace(format!("has {right}"));
                    let sum = *left + right;
                    *self = ByHand::Returned;
                    return Poll::Ready(sum);
                }
                ByHand::Returned => panic!("polled after it was ready"),
            }
        }
    }
}
