//! [`join()`]: wait for two futures at the same time.
//!
//! Its poll polls whichever of the two is not done yet. That is all: there is no thread, no task
//! and no queue in it. Both see the same waker, the one of the task that awaits them; a wake for
//! one polls both.
//!
//! What is done is kept in the place of the future that made it (`pin.rs`, `MaybeDone`), until the
//! other is done too. So joining costs a word or two beyond the futures themselves.
//!
//! Next: `future/join_all.rs`, where polling everyone for one wake would be too much.

use crate::pin::{MaybeDone, project};
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Waits for both, at the same time.
///
/// Each poll polls `a` first, then `b`, unless they are done.
///
/// ```
/// use handspun::time::{Duration, Instant, sleep};
///
/// handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
///     let start = Instant::now();
///     let second = Duration::from_secs(1);
///     handspun::future::join(sleep(second), sleep(second * 2)).await;
///     assert_eq!(start.elapsed(), second * 2); // not 3
/// });
/// ```
///
/// # Cancel safety
/// As safe as both futures: dropping this drops them, and the output of the one that is done.
pub fn join<A: IntoFuture, B: IntoFuture>(a: A, b: B) -> Join<A::IntoFuture, B::IntoFuture> {
    Join {
        a: MaybeDone::Pending(a.into_future()),
        b: MaybeDone::Pending(b.into_future()),
    }
}

/// Two futures, to be ready when both are. Made by [`join()`].
///
/// ```
/// use handspun::future::{Join, join};
/// use std::future::{Ready, ready};
///
/// let both: Join<Ready<u8>, Ready<char>> = join(ready(1), ready('a'));
/// assert_eq!(handspun::block_on(both), (1, 'a'));
/// ```
///
/// # Panics
/// If polled after it was ready. If a future panics, so does the poll; whoever catches that and
/// polls again goes on with all that are not done.
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[derive(Debug)]
pub struct Join<A: Future, B: Future> {
    a: MaybeDone<A>,
    b: MaybeDone<B>,
}

project!(Join<A: Future, B: Future> => JoinParts { pin a: MaybeDone<A>, pin b: MaybeDone<B> });

impl<A: Future, B: Future> Future for Join<A, B> {
    type Output = (A::Output, B::Output);

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let JoinParts { mut a, mut b } = self.project();
        let done = a.as_mut().poll_done(cx) & b.as_mut().poll_done(cx);
        if !done {
            return Poll::Pending;
        }
        Poll::Ready((a.output(), b.output()))
    }
}

/// Waits for all three, at the same time. More: [`join!`](crate::join).
///
/// ```
/// use handspun::future::join3;
/// assert_eq!(handspun::block_on(join3(async { 1 }, async { 2 }, async { 3 })), (1, 2, 3));
/// ```
///
/// # Cancel safety
/// As safe as the three futures: dropping this drops them, and the outputs of those that are done.
pub fn join3<A, B, C>(a: A, b: B, c: C) -> Join3<A::IntoFuture, B::IntoFuture, C::IntoFuture>
where
    A: IntoFuture,
    B: IntoFuture,
    C: IntoFuture,
{
    Join3 {
        a: MaybeDone::Pending(a.into_future()),
        b: MaybeDone::Pending(b.into_future()),
        c: MaybeDone::Pending(c.into_future()),
    }
}

/// Three futures, to be ready when all are. Made by [`join3`].
///
/// ```
/// use handspun::future::{Join3, join3};
/// use std::future::{Ready, ready};
///
/// let all: Join3<Ready<u8>, Ready<char>, Ready<bool>> = join3(ready(1), ready('a'), ready(true));
/// assert_eq!(handspun::block_on(all), (1, 'a', true));
/// ```
///
/// # Panics
/// As [`Join`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[derive(Debug)]
pub struct Join3<A: Future, B: Future, C: Future> {
    a: MaybeDone<A>,
    b: MaybeDone<B>,
    c: MaybeDone<C>,
}

project!(Join3<A: Future, B: Future, C: Future> => Join3Parts {
    pin a: MaybeDone<A>, pin b: MaybeDone<B>, pin c: MaybeDone<C>
});

impl<A: Future, B: Future, C: Future> Future for Join3<A, B, C> {
    type Output = (A::Output, B::Output, C::Output);

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Join3Parts {
            mut a,
            mut b,
            mut c,
        } = self.project();
        let done = a.as_mut().poll_done(cx) & b.as_mut().poll_done(cx) & c.as_mut().poll_done(cx);
        if !done {
            return Poll::Pending;
        }
        Poll::Ready((a.output(), b.output(), c.output()))
    }
}

/// Waits for both, at the same time, or for the first error.
///
/// On an error no future is polled any more, and both are dropped before this is ready.
///
/// ```
/// use handspun::future::try_join;
///
/// let both = handspun::block_on(try_join(async { Ok(1) }, async { Err::<i32, _>("no") }));
/// assert_eq!(both, Err("no"));
/// ```
///
/// # Cancel safety
/// As safe as both futures: dropping this drops them, and the output of the one that is done. Mind
/// that an error cancels the other as well.
pub fn try_join<A, B, T, U, E>(a: A, b: B) -> TryJoin<A::IntoFuture, B::IntoFuture>
where
    A: IntoFuture<Output = Result<T, E>>,
    B: IntoFuture<Output = Result<U, E>>,
{
    TryJoin {
        a: MaybeDone::Pending(a.into_future()),
        b: MaybeDone::Pending(b.into_future()),
    }
}

/// Two futures, to be ready when both are `Ok`, or one is `Err`. Made by [`try_join()`].
///
/// ```
/// use handspun::future::{TryJoin, try_join};
/// use std::future::{Ready, ready};
///
/// type Checked = Ready<Result<u8, &'static str>>;
/// let both: TryJoin<Checked, Checked> = try_join(ready(Ok(1)), ready(Ok(2)));
/// assert_eq!(handspun::block_on(both), Ok((1, 2)));
/// ```
///
/// # Panics
/// As [`Join`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[derive(Debug)]
pub struct TryJoin<A: Future, B: Future> {
    a: MaybeDone<A>,
    b: MaybeDone<B>,
}

project!(TryJoin<A: Future, B: Future> => TryJoinParts {
    pin a: MaybeDone<A>, pin b: MaybeDone<B>
});

impl<A, B, T, U, E> Future for TryJoin<A, B>
where
    A: Future<Output = Result<T, E>>,
    B: Future<Output = Result<U, E>>,
{
    type Output = Result<(T, U), E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let TryJoinParts { mut a, mut b } = self.project();
        let mut done = a.as_mut().poll_done(cx);
        if !a.failed() {
            done &= b.as_mut().poll_done(cx);
        }
        if let Some(error) = a.as_mut().error().or_else(|| b.as_mut().error()) {
            a.set(MaybeDone::Taken);
            b.set(MaybeDone::Taken);
            return Poll::Ready(Err(error));
        }
        if !done {
            return Poll::Pending;
        }
        match (a.output(), b.output()) {
            (Ok(a), Ok(b)) => Poll::Ready(Ok((a, b))),
            _ => unreachable!("neither has failed"),
        }
    }
}
