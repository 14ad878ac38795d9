//! `join` by hand: a future that holds two futures, and polls both.
//!
//! There is no more to it. Its poll polls whoever is not done; when both are done, so is it. What
//! is done is kept, and its future dropped (assigning to the `Option` does that). A future that is
//! done must not be polled again: hence the `Option`.
//!
//! The children are boxed here, so that they can be pinned without a word of `unsafe`.
//! `src/future/join.rs` keeps them in place.
//!
//! Look at the polls: whoever of the two was woken, both are polled. They share one waker, that of
//! the task, and it does not say for whom it was called. With two that is nothing; with a thousand
//! see `24_join_all`.
//!
//! Predict before you run: how often is each of the two polled?
//!
//! Run: `cargo run --example 23_join_by_hand`. Next: `24_join_all`.

mod support;

use handspun::task::yield_now;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

struct Join<A: Future, B: Future> {
    a: Option<Pin<Box<A>>>,
    b: Option<Pin<Box<B>>>,
    outputs: (Option<A::Output>, Option<B::Output>),
}

fn join<A: Future, B: Future>(a: A, b: B) -> Join<A, B> {
    Join {
        a: Some(Box::pin(a)),
        b: Some(Box::pin(b)),
        outputs: (None, None),
    }
}

/// Polls a future that may be done. If it becomes so, drops it and keeps its output.
fn poll_child<F: Future>(
    name: &str,
    child: &mut Option<Pin<Box<F>>>,
    output: &mut Option<F::Output>,
    cx: &mut Context<'_>,
) {
    if let Some(future) = child {
        println!("  polls {name}");
        if let Poll::Ready(ready) = future.as_mut().poll(cx) {
            println!("  {name} is done");
            *output = Some(ready);
            *child = None;
        }
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
        let Join { a, b, outputs } = self.get_mut();
        poll_child("a", a, &mut outputs.0, cx);
        poll_child("b", b, &mut outputs.1, cx);
        match outputs {
            (a @ Some(_), b @ Some(_)) => Poll::Ready((a.take().unwrap(), b.take().unwrap())),
            _ => Poll::Pending,
        }
    }
}

async fn count(yields: u32) -> u32 {
    for _ in 0..yields {
        yield_now().await;
    }
    yields
}

fn main() {
    support::no_arguments();
    let counts = handspun::block_on(join(count(1), count(3)));
    println!("{counts:?}");
}
