//! `join` by hand: a future that holds two futures, and polls both.
//!
//! There is no more to it. Its poll polls whoever is not done; when both are done, so is it. What
//! is done is kept, and its future dropped (assigning to the `Option` does that). A future that is
//! done must not be polled again: hence the `Option`.
//!
//! The children are boxed here, so that they can be pinned without a word of `unsafe`.
//! `src/future/join.rs` keeps them in place.
//!
//! Look at the polls of v1: whoever of the two was woken, both are polled. They share one waker,
//! that of the task, and it does not say for whom it was called. With two that is nothing; with a
//! thousand see `24_join_all`.
//!
//! v2 has `&&` in place of `&`, and that is one letter too many: `&&` does not look at its second
//! half while the first is false.
//!
//! Predict before you run: how often is each of the two polled in v1? And when does `b` begin in
//! v2?
//!
//! Run: `cargo run --example 23_join_by_hand`, and with `-- v2` for one version only. Next:
//! `24_join_all`.

mod support;

use handspun::task::yield_now;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

struct Join<A: Future, B: Future> {
    a: Option<Pin<Box<A>>>,
    b: Option<Pin<Box<B>>>,
    outputs: (Option<A::Output>, Option<B::Output>),
    one_by_one: bool,
}

/// v1.
fn join<A: Future, B: Future>(a: A, b: B) -> Join<A, B> {
    Join {
        a: Some(Box::pin(a)),
        b: Some(Box::pin(b)),
        outputs: (None, None),
        one_by_one: false,
    }
}

/// v2.
fn join_one_by_one<A: Future, B: Future>(a: A, b: B) -> Join<A, B> {
    Join {
        one_by_one: true,
        ..join(a, b)
    }
}

/// Polls a future that may be done. If it becomes so, drops it and keeps its output. Whether it is
/// done now.
fn poll_child<F: Future>(
    name: &str,
    child: &mut Option<Pin<Box<F>>>,
    output: &mut Option<F::Output>,
    cx: &mut Context<'_>,
) -> bool {
    let Some(future) = child else {
        return true;
    };
    println!("  polls {name}");
    let Poll::Ready(ready) = future.as_mut().poll(cx) else {
        return false;
    };
    println!("  {name} is done");
    *output = Some(ready);
    *child = None;
    true
}

impl<A: Future, B: Future> Future for Join<A, B>
where
    A::Output: Unpin,
    B::Output: Unpin,
{
    type Output = (A::Output, B::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        println!("join is polled");
        let Join {
            a,
            b,
            outputs: (a_out, b_out),
            one_by_one,
        } = self.get_mut();
        let done = match one_by_one {
            false => poll_child("a", a, a_out, cx) & poll_child("b", b, b_out, cx),
            true => poll_child("a", a, a_out, cx) && poll_child("b", b, b_out, cx),
        };
        if !done {
            return Poll::Pending;
        }
        let (a, b) = (a_out.take(), b_out.take());
        Poll::Ready((a.expect("a is done"), b.expect("b is done")))
    }
}

async fn count(yields: u32) -> u32 {
    for _ in 0..yields {
        yield_now().await;
    }
    yields
}

fn main() {
    let asked_for = support::stages(2);
    if asked_for(1) {
        println!("v1: polls both");
        println!("{:?}", handspun::block_on(join(count(1), count(3))));
    }
    if asked_for(2) {
        println!("v2: polls the second when the first is done");
        println!("{:?}", handspun::block_on(join_one_by_one(count(1), count(3))));
    }
}
