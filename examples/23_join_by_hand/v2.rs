//! v2 is v1 with `&&` in place of `&`: `b` is not polled before `a` is done. `diff v1.rs v2.rs`
//! shows how small a mistake that is.

use crate::child::Child;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Join<A: Future, B: Future> {
    a: Child<A>,
    b: Child<B>,
}

pub fn join<A: Future, B: Future>(a: A, b: B) -> Join<A, B> {
    Join {
        a: Child::new("a", a),
        b: Child::new("b", b),
    }
}

impl<A: Future, B: Future> Future for Join<A, B>
where
    A::Output: Unpin,
    B::Output: Unpin,
{
    type Output = (A::Output, B::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        println!("join is polled");
        let Join { a, b } = self.get_mut();
        let done = a.poll_done(cx) && b.poll_done(cx);
        if !done {
            return Poll::Pending;
        }
        Poll::Ready((a.output(), b.output()))
    }
}
