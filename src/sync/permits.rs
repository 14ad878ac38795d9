//! Permits, and a line of those who wait for some: the lock behind the locks.
//!
//! A `Mutex` has one permit, an `RwLock` as many as there may be readers, of a channel's permits
//! each stands for a free place, and a `Semaphore` has nothing else. All of them keep the permits
//! together with what they guard, behind one lock, so that a permit and what it permits are taken
//! in one step. So [`Permits`] are plain data, and [`acquire`] is the future that waits for some.
//!
//! # Strictly first come, first served
//!
//! Whoever finds enough permits takes them. Whoever does not, takes what there is, and waits at the
//! end of the line for the rest. Permits that come back go to the first in line, until it has all
//! that it wants; then it is called, and the next gets what is left. Hence *nothing is free while
//! somebody waits*. That one invariant is the fairness: a big request is not starved by small ones
//! that keep coming, since there is nothing for them to take.
//!
//! ```text
//!   5 permits come back     first wants 4, lacks 3       next wants 6
//!            │                        │                       │
//!            └────────── 3 ──────────►│ called    ──── 2 ────►│ lacks 4        free: 0
//! ```
//!
//! The price: permits that lie with the first in line are of no use to anybody meanwhile, and a
//! request that asks for more than there will ever be holds up the rest for ever.
//!
//! A permit that was given to a future that is dropped before it sees it goes back, and on to the
//! next (*Give Back What You Were Given*).
//!
//! # The lane
//!
//! A semaphore is mostly asked when it has permits left, and then there is nobody to call, and no
//! need for a lock: one number is enough, and a number can be atomic. So while nobody waits, its
//! free permits lie in a [`Lane`] beside the lock. Whoever takes the lock to work on the permits
//! shuts the lane first, which is to take them out of it and leave a sign, and opens it again when
//! nobody waits. So there are not two truths: behind the lock there is always the whole of it. (The
//! others have no use for a lane: what their permits guard lies behind the lock anyway.)
//!
//! Next: `sync/semaphore.rs`, the face of this.

use super::guarded::{Guarded, Wakers};
use super::wait_queue::{Left, Ticket, WaitQueue};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// So many can be free at a time.
pub(super) const MAX_PERMITS: usize = usize::MAX >> 3;

/// Permits, and who waits for some: plain data, to lie behind the lock of whatever they guard.
pub(super) struct Permits {
    /// None while somebody waits.
    free: usize,
    is_closed: bool,
    line: WaitQueue<Request, Result<(), AcquireError>>,
}

struct Request {
    permits: usize,
    /// How many of them it has not got yet. At least one while it waits.
    lacks: usize,
}

impl Permits {
    /// So many permits, [`MAX_PERMITS`] at most.
    #[track_caller]
    pub(super) const fn new(free: usize, what: &'static str) -> Permits {
        Permits {
            free,
            is_closed: false,
            line: WaitQueue::new(what),
        }
    }

    #[inline]
    pub(super) fn free(&self) -> usize {
        self.free
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Takes `n`, all or none. Nobody is overtaken: while somebody waits, nothing is free.
    #[inline]
    pub(super) fn try_take(&mut self, n: usize) -> Result<(), TryAcquireError> {
        if self.is_closed {
            return Err(TryAcquireError::Closed);
        }
        self.free = self.free.checked_sub(n).ok_or(TryAcquireError::NoPermits)?;
        Ok(())
    }

    /// Takes as many as are free, up to `n`, also when it is closed.
    pub(super) fn take_up_to(&mut self, n: usize) -> usize {
        let taken = n.min(self.free);
        self.free -= taken;
        taken
    }

    /// `n` more, first for those who wait. `false`, and nothing changes, if there would be too
    /// many.
    #[inline]
    pub(super) fn give(&mut self, n: usize, wakers: &mut Wakers) -> bool {
        if n > MAX_PERMITS - self.free {
            return false;
        }
        self.free += if self.line.is_empty() { n } else { self.give_in_line(n, wakers) };
        true
    }

    /// Gives `n` to those who wait, as far as they want them. Returns what is left.
    fn give_in_line(&mut self, mut n: usize, wakers: &mut Wakers) -> usize {
        while n > 0
            && let Some(first) = self.line.first()
        {
            let given = n.min(first.lacks);
            first.lacks -= given;
            n -= given;
            if first.lacks == 0 {
                self.line.call_first(Ok(()), wakers);
            }
        }
        n
    }

    /// Nobody gets any from now on. What those had got who still wait is free again.
    pub(super) fn close(&mut self, wakers: &mut Wakers) {
        self.is_closed = true;
        while let Some(request) = self.line.call_first(Err(AcquireError(())), wakers) {
            self.free += request.permits - request.lacks;
        }
    }

    /// Ready when the `n` permits have been taken, or never will be.
    #[inline]
    fn poll_take(
        &mut self,
        n: usize,
        ticket: &mut Ticket,
        wakers: &mut Wakers,
    ) -> Poll<Result<(), AcquireError>> {
        let mut lacks = n;
        if ticket.is_blank() {
            match self.try_take(n) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(TryAcquireError::Closed) => return Poll::Ready(Err(AcquireError(()))),
                Err(TryAcquireError::NoPermits) => lacks -= self.take_up_to(n),
            }
        } else if let Some(outcome) = self.line.outcome(ticket) {
            if self.is_closed && outcome.is_ok() {
                // Too late: whoever has not seen its permits when they are closed gets none.
                self.give(n, wakers);
                return Poll::Ready(Err(AcquireError(())));
            }
            return Poll::Ready(outcome);
        }
        self.line.wait(ticket, Request { permits: n, lacks }, wakers);
        Poll::Pending
    }

    /// A future that wanted `n` is dropped: what it was given goes to the next.
    fn leave(&mut self, n: usize, ticket: &mut Ticket, wakers: &mut Wakers) {
        let given = match self.line.leave(ticket, wakers) {
            Left::Waiting(request) => request.permits - request.lacks,
            Left::Called(Ok(())) => n,
            Left::Called(Err(_)) | Left::Nowhere => 0,
        };
        self.give(given, wakers);
    }
}

/// Data that has permits in it.
pub(super) trait HasPermits {
    fn permits(&mut self) -> &mut Permits;
    /// Called when permits have been given back unused: by a future that was dropped or refused, or
    /// by whoever had them.
    fn given_back(&mut self, _wakers: &mut Wakers) {}
}

impl HasPermits for Permits {
    #[inline]
    fn permits(&mut self) -> &mut Permits {
        self
    }
}

/// Waits for `n` permits of `state`. As soon as they are taken, and before the lock is let go,
/// `taken` is called, to do what they permit.
///
/// # Cancel safety
/// Cancel safe: dropping the future gives up the place in line, and passes on what it had been
/// given. `taken` has then not been called.
pub(super) fn acquire<S: HasPermits, R, F>(
    state: &Guarded<S>,
    n: usize,
    taken: F,
) -> Acquire<'_, S, F>
where
    F: FnOnce(&mut S, &mut Wakers) -> R + Unpin,
{
    Acquire {
        lane: None,
        state,
        n,
        ticket: Ticket::default(),
        taken: Some(taken),
    }
}

/// A wait for permits. Made by [`acquire`].
pub(super) struct Acquire<'a, S: HasPermits, F> {
    lane: Option<&'a Lane>,
    state: &'a Guarded<S>,
    n: usize,
    ticket: Ticket,
    taken: Option<F>,
}

impl<'a, S: HasPermits, F> Acquire<'a, S, F> {
    /// The permits have a lane, which is to be shut at each step.
    pub(super) fn beside(mut self, lane: &'a Lane) -> Self {
        self.lane = Some(lane);
        self
    }
}

impl<S: HasPermits, R, F> Future for Acquire<'_, S, F>
where
    F: FnOnce(&mut S, &mut Wakers) -> R + Unpin,
{
    type Output = Result<R, AcquireError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.state.poll(cx, |state, wakers| {
            let poll = shut_for(this.lane, state.permits(), |permits| {
                permits.poll_take(this.n, &mut this.ticket, wakers)
            });
            if let Poll::Ready(Err(_)) = poll {
                state.given_back(wakers);
            }
            poll.map_ok(|()| {
                let taken = this.taken.take().expect("permits are granted once");
                taken(state, wakers)
            })
        })
    }
}

impl<S: HasPermits, F> Drop for Acquire<'_, S, F> {
    #[inline]
    fn drop(&mut self) {
        if !self.ticket.is_blank() {
            self.state.with(|state, wakers| {
                shut_for(self.lane, state.permits(), |permits| {
                    permits.leave(self.n, &mut self.ticket, wakers);
                });
                state.given_back(wakers);
            });
        }
    }
}

/// The free permits of a semaphore for which nobody waits, and which is not closed: there to be
/// taken without the lock. Otherwise [`SHUT`](Lane::SHUT).
///
/// Only who holds the lock shuts and opens it, and no other step begins or ends at `SHUT`. Each
/// step that gives is a release and each that takes an acquire, so whoever takes a permit sees what
/// was done by the one who gave it.
pub(super) struct Lane(AtomicUsize);

impl Lane {
    /// More than there can be.
    const SHUT: usize = usize::MAX;

    /// An open lane with so many permits, [`MAX_PERMITS`] at most.
    pub(super) const fn new(free: usize) -> Lane {
        Lane(AtomicUsize::new(free))
    }

    /// How many permits are free. `None`: it is shut.
    #[inline]
    pub(super) fn free(&self) -> Option<usize> {
        let free = self.0.load(Ordering::Acquire);
        (free != Lane::SHUT).then_some(free)
    }

    /// Takes `n`, all or none. `None`: it is shut.
    #[inline]
    pub(super) fn try_take(&self, n: usize) -> Option<Result<(), TryAcquireError>> {
        let mut free = self.free()?;
        loop {
            let Some(left) = free.checked_sub(n) else {
                return Some(Err(TryAcquireError::NoPermits));
            };
            free = match self.replace(free, left) {
                Ok(_) => return Some(Ok(())),
                Err(Lane::SHUT) => return None,
                Err(free) => free,
            };
        }
    }

    /// Puts `n` more there. `false`: it is shut, or they are too many.
    #[inline]
    pub(super) fn try_give(&self, n: usize) -> bool {
        let mut free = self.0.load(Ordering::Relaxed);
        while n <= MAX_PERMITS.saturating_sub(free) {
            match self.replace(free, free + n) {
                Ok(_) => return true,
                Err(current) => free = current,
            }
        }
        false
    }

    #[inline]
    fn replace(&self, free: usize, by: usize) -> Result<usize, usize> {
        self.0.compare_exchange_weak(free, by, Ordering::AcqRel, Ordering::Acquire)
    }

    /// Takes all that is free, and leaves the sign.
    #[inline]
    fn shut(&self, permits: &mut Permits) {
        // `Relaxed`: who shut it before held the lock too.
        if self.0.load(Ordering::Relaxed) != Lane::SHUT {
            permits.free += self.0.swap(Lane::SHUT, Ordering::AcqRel);
        }
    }

    /// Puts all that is free back, if the lane may be open.
    #[inline]
    fn open(&self, permits: &mut Permits) {
        if permits.line.is_empty() && !permits.is_closed {
            self.0.store(mem::take(&mut permits.free), Ordering::Release);
        }
    }
}

/// Shuts the lane, if there is one, while `f` works on the permits, all of which are behind the
/// lock then. The lock must be held. That makes shutting, working and opening one step for all who
/// take it.
#[inline]
pub(super) fn shut_for<R>(
    lane: Option<&Lane>,
    permits: &mut Permits,
    f: impl FnOnce(&mut Permits) -> R,
) -> R {
    if let Some(lane) = lane {
        lane.shut(permits);
    }
    let result = f(permits);
    if let Some(lane) = lane {
        lane.open(permits);
    }
    result
}

/// The semaphore has been closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AcquireError(());

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the semaphore is closed")
    }
}

impl Error for AcquireError {}

/// Why there is no permit at once.
///
/// ```
/// use handspun::sync::{Semaphore, TryAcquireError};
///
/// let semaphore = Semaphore::new(0);
/// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
/// semaphore.close();
/// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TryAcquireError {
    /// The semaphore has been closed.
    Closed,
    /// There are too few, or others wait for them.
    NoPermits,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryAcquireError::Closed => "the semaphore is closed",
            TryAcquireError::NoPermits => "no permits are available",
        })
    }
}

impl Error for TryAcquireError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::Waker;

    #[test]
    fn the_lane_is_shut_while_somebody_waits_and_opens_again() {
        let lane = Lane::new(1);
        let permits = Guarded::new(Permits::new(0, "a permit"));
        let give = |n| {
            permits.with(|permits, wakers| {
                shut_for(Some(&lane), permits, |permits| permits.give(n, wakers));
            });
        };
        give(1);
        assert_eq!(lane.free(), Some(2));
        {
            let mut wait = pin!(acquire(&permits, 3, |_, _| ()).beside(&lane));
            assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert_eq!(lane.free(), None);
            give(2);
            assert_eq!(lane.free(), Some(1));
        }
        assert_eq!(lane.free(), Some(4));
        permits.with(|permits, wakers| {
            shut_for(Some(&lane), permits, |permits| permits.close(wakers));
        });
        assert_eq!((lane.free(), permits.look(|permits| permits.free())), (None, 4));
    }
}
