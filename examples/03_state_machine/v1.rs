//! v1 takes the body of `by_compiler` as it is, and returns where something is pending. Then its
//! locals are gone, and the next poll begins at the top. Next: `v2.rs`.

use crate::later::later;
use crate::trace::trace;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

/// Forgets all that it had, at each `Pending`.
pub struct Forgetful;

impl Future for Forgetful {
    type Output = i32;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<i32> {
        trace("begins");
        let left = ready!(pin!(later(40)).poll(cx));
        trace(format!("has {left}"));
        let right = ready!(pin!(later(2)).poll(cx));
        trace(format!("has {right}"));
        Poll::Ready(left + right)
    }
}
