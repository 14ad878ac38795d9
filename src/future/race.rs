//! [`race()`]: whichever of two is ready first.
//!
//! The loser is dropped as soon as there is a winner. Being dropped is how it is cancelled: it
//! stops at the await where it stood, and its destructors run. When both are ready in the same poll
//! the first one wins; [`select!`](crate::select) can begin with a random one instead.
//!
//! Next: `macros.rs`.

use crate::pin::project;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Waits for one of two futures, and drops the other.
///
/// `a` is polled first; if it is ready, `b` is not polled. The winner's future is dropped, then the
/// loser's, and then the race is ready.
///
/// ```
/// use handspun::future::{Either, race};
/// use handspun::time::{Duration, sleep};
///
/// let winner = handspun::block_on(race(sleep(Duration::from_secs(9)), async { "quick" }));
/// assert_eq!(winner, Either::Right("quick"));
/// ```
///
/// # Cancel safety
/// As safe as both futures: dropping the race drops them. Mind that the loser of a race that is
/// awaited to its end is cancelled as well.
pub fn race<A: IntoFuture, B: IntoFuture>(a: A, b: B) -> Race<A::IntoFuture, B::IntoFuture> {
    Race {
        a: Some(a.into_future()),
        b: Some(b.into_future()),
    }
}

/// Two futures, of which the first that is ready wins. Made by [`race`].
///
/// ```
/// use handspun::future::{Either, Race, race};
/// use std::future::{Pending, Ready, pending, ready};
///
/// let one_sided: Race<Pending<()>, Ready<u8>> = race(pending(), ready(7));
/// assert_eq!(handspun::block_on(one_sided), Either::Right(7));
/// ```
///
/// # Panics
/// If polled after it was ready.
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[derive(Debug)]
pub struct Race<A, B> {
    /// Both are `None` when the race is over.
    a: Option<A>,
    b: Option<B>,
}

project!(Race<A, B> => RaceParts { pin a: Option<A>, pin b: Option<B> });

impl<A: Future, B: Future> Future for Race<A, B> {
    type Output = Either<A::Output, B::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let RaceParts { mut a, mut b } = self.project();
        let (Some(first), Some(second)) = (a.as_mut().as_pin_mut(), b.as_mut().as_pin_mut()) else {
            panic!("a race was polled after it was ready");
        };
        if let Poll::Ready(output) = first.poll(cx) {
            a.set(None);
            b.set(None);
            return Poll::Ready(Either::Left(output));
        }
        if let Poll::Ready(output) = second.poll(cx) {
            b.set(None);
            a.set(None);
            return Poll::Ready(Either::Right(output));
        }
        Poll::Pending
    }
}

/// One of two. What [`race`] gives.
///
/// ```
/// use handspun::future::Either;
///
/// let either: Either<u32, u32> = Either::Right(7);
/// assert_eq!(either.into_inner(), 7);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Either<A, B> {
    /// The first.
    Left(A),
    /// The second.
    Right(B),
}

impl<T> Either<T, T> {
    /// What is in it, whichever it is.
    ///
    /// ```
    /// use handspun::future::race;
    ///
    /// let same_type = handspun::block_on(race(async { "a" }, async { "b" }));
    /// assert_eq!(same_type.into_inner(), "a");
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Either::Left(inner) | Either::Right(inner) => inner,
        }
    }
}
