// Exercise 03, wrong: it looks first, and then polls.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Polls a child that is not ready yet, and drops the one that is, where it lies. Whether it is
/// ready now. An output that is there already stays.
fn poll_child<F: Future>(
    mut child: Pin<&mut Option<F>>,
    output: &mut Option<F::Output>,
    cx: &mut Context<'_>,
) -> bool {
    let Some(future) = child.as_mut().as_pin_mut() else {
        return true;
    };
    let Poll::Ready(ready) = future.poll(cx) else {
        return false;
    };
    *output = Some(ready);
    child.set(None);
    true
}

/// The outputs of two that are ready. Once.
fn take<A, B>(a: &mut Option<A>, b: &mut Option<B>) -> (A, B) {
    let both = a.take().zip(b.take());
    both.expect("a join was polled after it was ready")
}

// Step 1.

/// Two futures in boxes, which may be moved, as all that is in here.
pub struct Boxed<A: Future, B: Future> {
    a: Option<Pin<Box<A>>>,
    b: Option<Pin<Box<B>>>,
    a_output: Option<A::Output>,
    b_output: Option<B::Output>,
}

/// Waits for both, at the same time.
pub fn boxed<A: Future, B: Future>(a: A, b: B) -> Boxed<A, B> {
    Boxed {
        a: Some(Box::pin(a)),
        b: Some(Box::pin(b)),
        a_output: None,
        b_output: None,
    }
}

impl<A: Future, B: Future> Future for Boxed<A, B>
where
    A::Output: Unpin,
    B::Output: Unpin,
{
    type Output = (A::Output, B::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.a.is_none() && this.b.is_none() {
            return Poll::Ready(take(&mut this.a_output, &mut this.b_output));
        }
        poll_child(Pin::new(&mut this.a), &mut this.a_output, cx);
        poll_child(Pin::new(&mut this.b), &mut this.b_output, cx);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

// Step 2.

/// Two futures, which stay where they are as long as this does.
pub struct Join2<A: Future, B: Future> {
    a: Option<A>,
    b: Option<B>,
    a_output: Option<A::Output>,
    b_output: Option<B::Output>,
}

/// The fields of a pinned [`Join2`]: the children are pinned, the outputs are not.
struct Parts<'pin, A: Future, B: Future> {
    a: Pin<&'pin mut Option<A>>,
    b: Pin<&'pin mut Option<B>>,
    a_output: &'pin mut Option<A::Output>,
    b_output: &'pin mut Option<B::Output>,
}

/// Waits for both, at the same time.
pub fn join2<A: Future, B: Future>(a: A, b: B) -> Join2<A, B> {
    Join2 {
        a: Some(a),
        b: Some(b),
        a_output: None,
        b_output: None,
    }
}

impl<A: Future, B: Future> Join2<A, B> {
    fn project(self: Pin<&mut Self>) -> Parts<'_, A, B> {
        // SAFETY: 1. The children leave only by `set`, which drops them where they lie. 2. This is
        // the only way to them, and gives out a `Pin`. 3. Nobody writes `impl Unpin` for it: the
        // compiler does, if the children are. 4. It has no destructor of its own.
        let whole = unsafe { self.get_unchecked_mut() };
        Parts {
            // SAFETY: the same.
            a: unsafe { Pin::new_unchecked(&mut whole.a) },
            // SAFETY: the same.
            b: unsafe { Pin::new_unchecked(&mut whole.b) },
            a_output: &mut whole.a_output,
            b_output: &mut whole.b_output,
        }
    }
}

impl<A: Future, B: Future> Future for Join2<A, B> {
    type Output = (A::Output, B::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Parts {
            a,
            b,
            a_output,
            b_output,
        } = self.project();
        if a.is_none() && b.is_none() {
            return Poll::Ready(take(a_output, b_output));
        }
        poll_child(a, a_output, cx);
        poll_child(b, b_output, cx);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
