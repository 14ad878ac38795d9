//! The branches of one `join!`, `try_join!` or `select!`, as one value, and how they are polled.
//!
//! The branches are of any number, and each has a type of its own. So the value is a chain,
//! `And<And<And<NoBranches, A>, B>, C>`, and whatever is done to all branches is done by recursion
//! over its type: first to those before, then to the last. It ends at [`NoBranches`]. The compiler
//! knows the whole chain, and makes straight code of it.
//!
//! A branch has a number, which is how many stand before it. A poll of the whole begins at some
//! branch and goes round once. That is two walks along the chain, each of which leaves out the
//! numbers of the other:
//!
//! ```text
//!   first = 2:      0   1   2   3   4
//!   walk 2..5               ├───────►
//!   walk 0..2       ├───────►
//! ```
//!
//! Which one is first, an [`Order`] says.
//!
//! Why not the obvious way, a pinned local for each future and one closure that polls them? The
//! closure would hold a reference to each, eight bytes a branch; each use of the macro would be
//! compiled from scratch; and the reader would meet all of this as text that a macro pastes.

use crate::future::Either;
use crate::pin::{MaybeDone, project};
use crate::random;
use std::convert::Infallible;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The beginning of a chain. The branches to come may fail with `E`.
pub struct NoBranches<E = Infallible>(PhantomData<E>);

impl<E> NoBranches<E> {
    pub fn new() -> NoBranches<E> {
        NoBranches(PhantomData)
    }
}

/// A chain with one more branch at its end. Dropped in this order, as the fields are.
pub struct And<B, L> {
    before: B,
    last: L,
}

project!(And<B, L> => AndParts { pin before: B, pin last: L });

// Order.

/// Which branch is polled first. Those after it follow, then those before it.
pub trait Order {
    fn first(&mut self, count: u32) -> u32;
}

/// Always the first.
pub struct Biased;

impl Order for Biased {
    #[inline]
    fn first(&mut self, _: u32) -> u32 {
        0
    }
}

/// The first, then the second, and so on: each poll of the whole begins one further.
pub struct Rotating {
    next: u32,
}

impl Rotating {
    pub fn new() -> Rotating {
        Rotating { next: 0 }
    }
}

impl Order for Rotating {
    #[inline]
    fn first(&mut self, count: u32) -> u32 {
        let first = self.next;
        self.next = if first + 1 < count { first + 1 } else { 0 };
        first
    }
}

/// Any, by the running executor's generator.
pub struct Shuffled;

impl Order for Shuffled {
    #[inline]
    fn first(&mut self, count: u32) -> u32 {
        random::below(count)
    }
}

/// The numbers of all branches, from `first` to the last, and then those before it.
#[inline]
fn round(first: u32, count: u32) -> impl Iterator<Item = u32> {
    (first..count).chain(0..first)
}

// Join.

/// Branches of which all are waited for, or the first error.
pub trait JoinBranches {
    const COUNT: u32;
    type Error;
    /// `(((), A), B)`, which the macro makes into `(A, B)`.
    type Outputs;

    /// Polls the branch with this number, unless it is done. Ready when it is done, or at its
    /// error.
    fn poll_one(
        self: Pin<&mut Self>,
        number: u32,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Self::Error>>;

    /// The outputs, when all are done. Once.
    fn outputs(self: Pin<&mut Self>) -> Self::Outputs;
}

impl<E> JoinBranches for NoBranches<E> {
    const COUNT: u32 = 0;
    type Error = E;
    type Outputs = ();

    #[inline]
    fn poll_one(self: Pin<&mut Self>, _: u32, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn outputs(self: Pin<&mut Self>) {}
}

impl<B, F, T> JoinBranches for And<B, MaybeDone<F>>
where
    B: JoinBranches,
    F: Future<Output = Result<T, B::Error>>,
{
    const COUNT: u32 = B::COUNT + 1;
    type Error = B::Error;
    type Outputs = (B::Outputs, T);

    #[inline]
    fn poll_one(
        self: Pin<&mut Self>,
        number: u32,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), B::Error>> {
        let AndParts { before, mut last } = self.project();
        if number != B::COUNT {
            return before.poll_one(number, cx);
        }
        if !last.as_mut().poll_done(cx) {
            return Poll::Pending;
        }
        Poll::Ready(last.error().map_or(Ok(()), Err))
    }

    #[inline]
    fn outputs(self: Pin<&mut Self>) -> Self::Outputs {
        let AndParts { before, last } = self.project();
        let Ok(output) = last.output() else {
            unreachable!("an error has ended the whole");
        };
        (before.outputs(), output)
    }
}

/// Waits for all branches, or for the first error.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Join<O, B> {
    order: O,
    branches: B,
}

project!(Join<O, B> => JoinParts { pin branches: B; order: O });

#[inline]
pub fn join<O: Order, B: JoinBranches>(order: O, branches: B) -> Join<O, B> {
    Join { order, branches }
}

impl<O: Order, B: JoinBranches> Future for Join<O, B> {
    type Output = Result<B::Outputs, B::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let JoinParts {
            mut branches,
            order,
        } = self.project();
        let mut pending = false;
        for number in round(order.first(B::COUNT), B::COUNT) {
            pending |= branches.as_mut().poll_one(number, cx)?.is_pending();
        }
        if pending {
            return Poll::Pending;
        }
        Poll::Ready(Ok(branches.outputs()))
    }
}

/// A branch of `try_join!`.
#[inline]
pub fn and_try<B, F, T>(before: B, future: F) -> And<B, MaybeDone<F::IntoFuture>>
where
    B: JoinBranches,
    F: IntoFuture<Output = Result<T, B::Error>>,
{
    let last = MaybeDone::Pending(future.into_future());
    And { before, last }
}

/// A branch of `join!`, which is a `try_join!` of futures that cannot fail.
#[inline]
pub fn and<B, F>(before: B, future: F) -> And<B, MaybeDone<Unfailing<F::IntoFuture>>>
where
    B: JoinBranches<Error = Infallible>,
    F: IntoFuture,
{
    let future = future.into_future();
    and_try(before, Unfailing { future })
}

/// The future's output, as an `Ok`.
pub struct Unfailing<F> {
    future: F,
}

project!(Unfailing<F> => UnfailingParts { pin future: F });

impl<F: Future> Future for Unfailing<F> {
    type Output = Result<F::Output, Infallible>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(cx).map(Ok)
    }
}

// Select.

/// Branches of which the first output is waited for that its branch's pattern matches.
pub trait SelectBranches {
    const COUNT: u32;
    /// `Either<Either<Infallible, A>, B>`: the last is `Right`, the one before it `Left(Right)`.
    type Output;

    /// Polls the branch with this number. `None`: it is disabled.
    fn poll_one(
        self: Pin<&mut Self>,
        number: u32,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Self::Output>>;
}

impl SelectBranches for NoBranches {
    const COUNT: u32 = 0;
    type Output = Infallible;

    #[inline]
    fn poll_one(self: Pin<&mut Self>, _: u32, _: &mut Context<'_>) -> Poll<Option<Infallible>> {
        Poll::Ready(None)
    }
}

impl<B, F, M> SelectBranches for And<B, Branch<F, M>>
where
    B: SelectBranches,
    F: Future,
    M: Fn(&F::Output) -> bool,
{
    const COUNT: u32 = B::COUNT + 1;
    type Output = Either<B::Output, F::Output>;

    #[inline]
    fn poll_one(
        self: Pin<&mut Self>,
        number: u32,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Self::Output>> {
        let AndParts { before, last } = self.project();
        if number != B::COUNT {
            return before.poll_one(number, cx).map(|output| output.map(Either::Left));
        }
        last.poll_match(cx).map(|output| output.map(Either::Right))
    }
}

/// One branch of a `select!`.
pub struct Branch<F, M> {
    /// `None`: disabled. The guard was false, or the output did not match.
    future: Option<F>,
    /// Whether an output matches the branch's pattern.
    matches: M,
}

project!(Branch<F, M> => BranchParts { pin future: Option<F>; matches: M });

impl<F: Future, M: Fn(&F::Output) -> bool> Branch<F, M> {
    /// The output, if it matches; if not, it is dropped. `None`: the branch is disabled.
    #[inline]
    fn poll_match(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let BranchParts {
            mut future,
            matches,
        } = self.project();
        let Some(pending) = future.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let output = ready!(pending.poll(cx));
        future.set(None);
        Poll::Ready(Some(output).filter(matches))
    }
}

/// Waits for the first branch whose output matches. `None`: all are disabled.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Select<O, B> {
    order: O,
    branches: B,
}

project!(Select<O, B> => SelectParts { pin branches: B; order: O });

#[inline]
pub fn select<O: Order, B: SelectBranches>(order: O, branches: B) -> Select<O, B> {
    Select { order, branches }
}

impl<O: Order, B: SelectBranches> Future for Select<O, B> {
    type Output = Option<B::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let SelectParts {
            mut branches,
            order,
        } = self.project();
        let mut pending = false;
        for number in round(order.first(B::COUNT), B::COUNT) {
            match branches.as_mut().poll_one(number, cx) {
                Poll::Ready(None) => {}
                Poll::Pending => pending = true,
                winner => return winner,
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(None) }
    }
}

/// A branch of `select!`. A future whose guard is false is dropped.
#[inline]
pub fn or<B, F, M>(
    before: B,
    guard: bool,
    future: F,
    matches: M,
) -> And<B, Branch<F::IntoFuture, M>>
where
    B: SelectBranches,
    F: IntoFuture,
    M: Fn(&F::Output) -> bool,
{
    let future = guard.then(|| future.into_future());
    let last = Branch { future, matches };
    And { before, last }
}

/// What a `select!` without `else` does that has no branch left.
#[cold]
#[track_caller]
pub fn all_disabled() -> ! {
    panic!("all branches of this `select!` are disabled, and it has no `else` branch")
}
