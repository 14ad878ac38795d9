//! The branches of one `join!`, `try_join!` or `select!`, as one value, and how they are polled.
//!
//! The branches are of any number, and each has a type of its own. So the value is a chain,
//! `And<And<And<NoBranches, A>, B>, C>`, and whatever is done to it is done by recursion over its
//! type, which ends at [`NoBranches`].
//!
//! A branch has a number, which is how many stand before it. To poll number two is to walk down the
//! type to the `And` that has two before it. The compiler sees the whole chain and makes a jump of
//! the walk. A poll of the whole takes the numbers from some first one to the last, and then from
//! zero on, once round.
//!
//! Which one is first, an [`Order`] says.
//!
//! Why not the obvious way, a pinned local for each future and one closure that polls them? The
//! closure would hold a reference to each, a word a branch; each use of the macro would be compiled
//! from scratch; and the reader would meet all of this as text that a macro pastes.

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
    pub fn yet() -> NoBranches<E> {
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
    pub fn from_first() -> Rotating {
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
    (first..first + count).map(move |n| if n < count { n } else { n - count })
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
#[diagnostic::on_unimplemented(
    message = "a branch of this `select!` is not a future that can be polled",
    note = "each branch is `pattern = future => handler`",
    note = "a future that is lent by `&mut` must be pinned first: `pin!(future);`"
)]
pub trait SelectBranches {
    const COUNT: u32;
    /// `Either<Either<Infallible, A>, B>`: the last is `Right`, the one before it `Left(Right)`.
    type Output;

    /// Polls the branch with this number. `None`: its output did not match, and was dropped.
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
    M: Fn(F::Output) -> Option<F::Output>,
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
        let BranchParts { future, matches } = last.project();
        let output = ready!(future.poll(cx));
        Poll::Ready(matches(output).map(Either::Right))
    }
}

/// One branch of a `select!`.
pub struct Branch<F, M> {
    future: F,
    /// Whether an output matches the branch's pattern.
    matches: M,
}

project!(Branch<F, M> => BranchParts { pin future: F; matches: M });

/// Which branches may be polled: a bit for each, the first branch's the lowest. A bool in each
/// branch would be a word in each, for its alignment.
pub struct Enabled {
    bits: u64,
    count: u32,
}

impl Enabled {
    pub fn none() -> Enabled {
        Enabled { bits: 0, count: 0 }
    }

    /// The next branch may be polled if `guard` is true.
    #[inline]
    pub fn and(self, guard: bool) -> Enabled {
        Enabled {
            bits: self.bits | u64::from(guard) << self.count,
            count: self.count + 1,
        }
    }
}

/// Waits for the first branch whose output matches. `None`: all are disabled.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Select<O, B> {
    order: O,
    enabled: u64,
    branches: B,
}

project!(Select<O, B> => SelectParts { pin branches: B; order: O, enabled: u64 });

#[inline]
pub fn select<O: Order, B: SelectBranches>(
    order: O,
    enabled: Enabled,
    branches: B,
) -> Select<O, B> {
    const { assert!(B::COUNT <= u64::BITS, "a `select!` has at most 64 branches") };
    Select {
        order,
        enabled: enabled.bits,
        branches,
    }
}

impl<O: Order, B: SelectBranches> Future for Select<O, B> {
    type Output = Option<B::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let SelectParts {
            mut branches,
            order,
            enabled,
        } = self.project();
        for number in round(order.first(B::COUNT), B::COUNT) {
            if *enabled & (1 << number) == 0 {
                continue;
            }
            match branches.as_mut().poll_one(number, cx) {
                Poll::Pending => {}
                Poll::Ready(None) => *enabled &= !(1 << number),
                winner => return winner,
            }
        }
        if *enabled == 0 { Poll::Ready(None) } else { Poll::Pending }
    }
}

/// A branch of `select!`.
#[inline]
pub fn or<B, F, M>(before: B, future: F, matches: M) -> And<B, Branch<F::IntoFuture, M>>
where
    B: SelectBranches,
    F: IntoFuture,
    M: Fn(F::Output) -> Option<F::Output>,
{
    let future = future.into_future();
    let last = Branch { future, matches };
    And { before, last }
}

/// What a `select!` without `else` does that has no branch left.
#[cold]
#[track_caller]
pub fn all_disabled() -> ! {
    panic!("all branches of this `select!` are disabled, and it has no `else` branch")
}

/// What is left of a `match` for patterns that the output can match or not: the winner's has.
#[cold]
pub fn has_matched() -> ! {
    unreachable!("the pattern of a `select!` did not match twice")
}
