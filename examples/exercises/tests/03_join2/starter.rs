// Exercise 03: two futures that wait side by side; first in boxes, then in place. The task is in
// README.md.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

// Step 1: without `unsafe`.

/// Two futures that may not be moved, in something that may.
pub struct Boxed<A: Future, B: Future> {
    // The two futures: what can it own of them, so that it may be moved itself?
    a_output: Option<A::Output>,
    b_output: Option<B::Output>,
}

/// Waits for both, at the same time.
pub fn boxed<A: Future, B: Future>(a: A, b: B) -> Boxed<A, B> {
    todo!("step 1, `boxed`: two children that were not polled")
}

impl<A: Future, B: Future> Future for Boxed<A, B>
where
    A::Output: Unpin,
    B::Output: Unpin,
{
    type Output = (A::Output, B::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        todo!("step 1, `poll` of Boxed: poll who is not ready; with both outputs it is Ready")
    }
}

// Step 2: without an allocation.

/// Two futures, which stay where they are as long as this does.
pub struct Join2<A: Future, B: Future> {
    // The two futures themselves.
    a_output: Option<A::Output>,
    b_output: Option<B::Output>,
}

/// Waits for both, at the same time.
pub fn join2<A: Future, B: Future>(a: A, b: B) -> Join2<A, B> {
    todo!("step 2, `join2`: two children that were not polled")
}

// A projection: from a pinned Join2 to its pinned children. It takes `unsafe`, and a comment that
// says why that is sound.

impl<A: Future, B: Future> Future for Join2<A, B> {
    type Output = (A::Output, B::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        todo!("step 2, `poll` of Join2: as that of Boxed, but the children stay where they are")
    }
}
