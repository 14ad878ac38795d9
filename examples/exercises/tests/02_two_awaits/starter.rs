// Exercise 02: what the compiler makes of `total`, by hand. The task is in README.md.
//
// This is what it must do, poll by poll:
//
//     async fn total(first: u32) -> u32 {
//         trace("begins");
//         let left = later(first).await;
//         trace(format!("has {left}"));
//         if left == 0 {
//             return 0;
//         }
//         let mut sum = left;
//         for nth in 1..=3 {
//             sum += later(left + nth).await;
//             trace(format!("has {sum}"));
//         }
//         sum
//     }
//
// `later(n)` makes a future that is ready with n after a while, and may be moved. `trace` writes
// down what is done. The check has both.

use crate::{Later, later, trace};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A variant for each place where `total` can stand, with what it must remember there.
pub enum ByHand {
    Unpolled { first: u32 },
    // Where else does it stand, and what does it need when it goes on from there?
}

/// A call: the arguments, and nothing else.
pub fn total(first: u32) -> ByHand {
    ByHand::Unpolled { first }
}

impl Future for ByHand {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        todo!("`poll` of ByHand: from the place where it stands, to the next one")
    }
}
