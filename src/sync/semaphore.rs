//! [`Semaphore`]: a number of permits, and a line of those who wait for some.
//!
//! It is the lock behind the locks: a `Mutex` has one permit, an `RwLock` as many as there may be
//! readers, and of a channel's permits each stands for a free place. They keep the permits together
//! with what the permits guard, behind one lock; so the permits are plain data, [`Permits`], and
//! [`Semaphore`] is no more than these alone in a cell.
//!
//! # Strictly first come, first served
//!
//! Whoever finds enough permits and nobody waiting takes them. Whoever does not, takes what there
//! is, and waits at the end of the line for the rest. Permits that come back go to the first in
//! line, until it has all that it wants; then it is called, and the next gets what is left. Hence
//! *nothing is free while somebody waits*. That one invariant is the fairness: a big request is not
//! starved by small ones that keep coming, since there is nothing for them to take.
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
//! need for a lock: one number is enough, and a number can be atomic. So while nobody waits, the
//! free permits lie in a [`Lane`] beside the lock. Whoever does take the lock shuts the lane first,
//! which is to take the permits out of it and leave a sign, and opens it again when nobody waits.
//! Nothing else is a second way to do the same: behind the lock there is always the whole truth.
//!
//! Next: `sync/mutex.rs`.

use super::guarded::{Guarded, Wakers};
use super::wait_queue::{Left, Ticket, WaitQueue};
use crate::thread;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// Permits that tasks acquire, and wait for when there are none.
///
/// A permit is given back when it is dropped. Who waits is served strictly in the order of arrival,
/// also when a later request could be met at once: no request is starved, however big.
///
/// ```
/// use handspun::sync::Semaphore;
/// use handspun::task::JoinSet;
/// use handspun::time::{Duration, Instant, sleep};
/// use std::sync::Arc;
///
/// // Six jobs of one second, three at a time.
/// let executor = handspun::executor::Executor::builder().start_paused(true).build();
/// executor.block_on(async {
///     let start = Instant::now();
///     let semaphore = Arc::new(Semaphore::new(3));
///     let mut jobs = JoinSet::new();
///     for _ in 0..6 {
///         let semaphore = semaphore.clone();
///         jobs.spawn(async move {
///             let _permit = semaphore.acquire().await.unwrap();
///             sleep(Duration::from_secs(1)).await;
///         });
///     }
///     jobs.join_all().await;
///     assert_eq!(start.elapsed(), Duration::from_secs(2));
/// });
/// ```
pub struct Semaphore {
    lane: Lane,
    permits: Guarded<Permits>,
}

impl Semaphore {
    /// How many permits a semaphore can hold: `usize::MAX >> 3`.
    pub const MAX_PERMITS: usize = usize::MAX >> 3;

    /// A semaphore with this many permits.
    ///
    /// # Panics
    /// If that is more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    #[track_caller]
    pub const fn new(permits: usize) -> Semaphore {
        assert!(
            permits <= Semaphore::MAX_PERMITS,
            "a semaphore can hold `Semaphore::MAX_PERMITS` permits, not more"
        );
        Semaphore {
            lane: Lane(AtomicUsize::new(permits)),
            permits: Guarded::new(Permits::new(0, "a permit of the semaphore")),
        }
    }

    /// The same as [`new`](Semaphore::new), which is `const` too.
    ///
    /// # Panics
    /// If that is more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    #[track_caller]
    pub const fn const_new(permits: usize) -> Semaphore {
        Semaphore::new(permits)
    }

    /// How many permits can be had at once. None while somebody waits.
    pub fn available_permits(&self) -> usize {
        self.lane.free().unwrap_or_else(|| self.with(|permits, _| permits.free()))
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// If the semaphore is closed, before or meanwhile.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on what it had been
    /// given. Who asks again stands at the end.
    pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.acquire_many(1).await
    }

    /// Waits for `n` permits, all of them in one.
    ///
    /// # Errors
    /// If the semaphore is closed, before or meanwhile.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on what it had been
    /// given. Who asks again stands at the end.
    pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.wait_for(n).await?;
        Ok(SemaphorePermit {
            semaphore: self,
            permits: n as usize,
        })
    }

    /// Takes a permit if it can be had at once.
    ///
    /// # Errors
    /// If there is none, or others wait for it, or the semaphore is closed.
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits if they can be had at once.
    ///
    /// # Errors
    /// If there are not as many, or others wait for them, or the semaphore is closed.
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_take(n)?;
        Ok(SemaphorePermit {
            semaphore: self,
            permits: n as usize,
        })
    }

    /// Waits for a permit on a thread that runs no executor.
    ///
    /// # Errors
    /// If the semaphore is closed, before or meanwhile.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        thread::block_on("blocking_acquire", "acquire().await", self.acquire())
    }

    /// Waits for `n` permits on a thread that runs no executor.
    ///
    /// # Errors
    /// If the semaphore is closed, before or meanwhile.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        thread::block_on("blocking_acquire_many", "acquire_many(n).await", self.acquire_many(n))
    }

    /// Waits for a permit that owns the semaphore: it can be moved into a task.
    ///
    /// # Errors
    /// If the semaphore is closed, before or meanwhile.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on what it had been
    /// given. Who asks again stands at the end.
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.acquire_many_owned(1).await
    }

    /// Waits for `n` permits, all of them in one that owns the semaphore.
    ///
    /// # Errors
    /// If the semaphore is closed, before or meanwhile.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on what it had been
    /// given. Who asks again stands at the end.
    pub async fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.wait_for(n).await?;
        Ok(OwnedSemaphorePermit {
            semaphore: self,
            permits: n as usize,
        })
    }

    /// Takes a permit that owns the semaphore, if it can be had at once.
    ///
    /// # Errors
    /// If there is none, or others wait for it, or the semaphore is closed.
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// Takes `n` permits, in one that owns the semaphore, if they can be had at once.
    ///
    /// # Errors
    /// If there are not as many, or others wait for them, or the semaphore is closed.
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_take(n)?;
        Ok(OwnedSemaphorePermit {
            semaphore: self,
            permits: n as usize,
        })
    }

    /// Waits for a permit that owns the semaphore, on a thread that runs no executor.
    ///
    /// # Errors
    /// If the semaphore is closed, before or meanwhile.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        let acquired = self.acquire_owned();
        thread::block_on("blocking_acquire_owned", "acquire_owned().await", acquired)
    }

    /// Waits for `n` permits in one that owns the semaphore, on a thread that runs no executor.
    ///
    /// # Errors
    /// If the semaphore is closed, before or meanwhile.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        let acquired = self.acquire_many_owned(n);
        thread::block_on("blocking_acquire_many_owned", "acquire_many_owned(n).await", acquired)
    }

    /// Adds `n` permits, which go to those who wait first.
    ///
    /// # Panics
    /// If there would be more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS) then.
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        assert!(
            self.give(n),
            "{n} more permits would be more than a semaphore can hold: {}",
            Semaphore::MAX_PERMITS
        );
    }

    /// Takes up to `n` free permits away for good. Returns how many that were.
    pub fn forget_permits(&self, n: usize) -> usize {
        self.with(|permits, _| permits.take_up_to(n))
    }

    /// From now on nobody gets a permit; who waits is told so. Permits that are out stay valid.
    pub fn close(&self) {
        self.with(|permits, wakers| permits.close(wakers));
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.permits.look(|permits| permits.is_closed())
    }

    // The two ways: by the lane if it is open, else by the lock.

    async fn wait_for(&self, n: u32) -> Result<(), AcquireError> {
        match self.lane.try_take(n as usize) {
            Some(Ok(())) => Ok(()),
            _ => {
                let mut acquire = acquire(&self.permits, n as usize, |_, _| ());
                acquire.lane = Some(&self.lane);
                acquire.await
            }
        }
    }

    fn try_take(&self, n: u32) -> Result<(), TryAcquireError> {
        let taken = self.lane.try_take(n as usize);
        taken.unwrap_or_else(|| self.with(|permits, _| permits.try_take(n as usize)))
    }

    /// `false`, and nothing changes, if there would be too many.
    fn give(&self, n: usize) -> bool {
        // None is left of a permit that was forgotten, or is part of another now.
        n == 0 || self.lane.try_give(n) || self.with(|permits, wakers| permits.give(n, wakers))
    }

    fn with<R>(&self, f: impl FnOnce(&mut Permits, &mut Wakers) -> R) -> R {
        self.permits.with(|permits, wakers| {
            shut_for(Some(&self.lane), permits, |permits| f(permits, wakers))
        })
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (free, closed) = self.with(|permits, _| (permits.free(), permits.is_closed()));
        f.debug_struct("Semaphore").field("permits", &free).field("closed", &closed).finish()
    }
}

/// Permits of a semaphore, until it is dropped.
///
/// ```
/// let semaphore = handspun::sync::Semaphore::new(5);
/// let mut four = semaphore.try_acquire_many(4).unwrap();
/// drop(four.split(3));
/// assert_eq!((four.num_permits(), semaphore.available_permits()), (1, 4));
/// ```
#[must_use = "a permit that is dropped at once is given back at once"]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

impl<'a> SemaphorePermit<'a> {
    /// Does not give it back, ever: the semaphore has that many permits less.
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Makes one of two.
    ///
    /// # Panics
    /// If they are permits of different semaphores.
    #[track_caller]
    pub fn merge(&mut self, mut other: SemaphorePermit<'a>) {
        assert!(
            std::ptr::eq(self.semaphore, other.semaphore),
            "permits of two different semaphores cannot be merged: keep both"
        );
        self.permits += mem::take(&mut other.permits);
    }

    /// Makes a permit of `n` of these permits, if there are as many.
    pub fn split(&mut self, n: usize) -> Option<SemaphorePermit<'a>> {
        self.permits = self.permits.checked_sub(n)?;
        Some(SemaphorePermit {
            semaphore: self.semaphore,
            permits: n,
        })
    }

    /// The semaphore that it goes back to.
    pub fn semaphore(&self) -> &Semaphore {
        self.semaphore
    }

    /// How many permits it stands for.
    pub fn num_permits(&self) -> usize {
        self.permits
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        self.semaphore.give(self.permits);
    }
}

/// Permits of a semaphore, until it is dropped; it keeps the semaphore alive.
///
/// ```
/// # use std::sync::Arc;
/// let semaphore = Arc::new(handspun::sync::Semaphore::new(1));
/// let permit = semaphore.clone().try_acquire_owned().unwrap();
/// handspun::block_on(async {
///     let worker = handspun::spawn(async move { drop(permit) });
///     semaphore.acquire().await.unwrap();
///     worker.await.unwrap();
/// });
/// ```
#[must_use = "a permit that is dropped at once is given back at once"]
#[derive(Debug)]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    permits: usize,
}

impl OwnedSemaphorePermit {
    /// Does not give it back, ever: the semaphore has that many permits less.
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Makes one of two.
    ///
    /// # Panics
    /// If they are permits of different semaphores.
    #[track_caller]
    pub fn merge(&mut self, mut other: OwnedSemaphorePermit) {
        assert!(
            Arc::ptr_eq(&self.semaphore, &other.semaphore),
            "permits of two different semaphores cannot be merged: keep both"
        );
        self.permits += mem::take(&mut other.permits);
    }

    /// Makes a permit of `n` of these permits, if there are as many.
    pub fn split(&mut self, n: usize) -> Option<OwnedSemaphorePermit> {
        self.permits = self.permits.checked_sub(n)?;
        Some(OwnedSemaphorePermit {
            semaphore: self.semaphore.clone(),
            permits: n,
        })
    }

    /// The semaphore that it goes back to.
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    /// How many permits it stands for.
    pub fn num_permits(&self) -> usize {
        self.permits
    }
}

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        self.semaphore.give(self.permits);
    }
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

/// The free permits of a semaphore for which nobody waits, and which is not closed: there to be
/// taken without the lock. Otherwise [`SHUT`](Lane::SHUT).
struct Lane(AtomicUsize);

impl Lane {
    /// More than any semaphore can hold.
    const SHUT: usize = usize::MAX;

    /// How many permits are free. `None`: it is shut.
    #[inline]
    fn free(&self) -> Option<usize> {
        let free = self.0.load(Ordering::Acquire);
        (free != Lane::SHUT).then_some(free)
    }

    /// Takes `n`, all or none. `None`: it is shut.
    #[inline]
    fn try_take(&self, n: usize) -> Option<Result<(), TryAcquireError>> {
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
    fn try_give(&self, n: usize) -> bool {
        let mut free = self.0.load(Ordering::Relaxed);
        while n <= Semaphore::MAX_PERMITS.saturating_sub(free) {
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
/// lock then. That must be held: so shutting, working and opening are one step for all who come
/// that way.
#[inline]
fn shut_for<R>(lane: Option<&Lane>, permits: &mut Permits, f: impl FnOnce(&mut Permits) -> R) -> R {
    if let Some(lane) = lane {
        lane.shut(permits);
    }
    let result = f(permits);
    if let Some(lane) = lane {
        lane.open(permits);
    }
    result
}

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
    /// So many permits, no more than a semaphore can hold.
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

    /// Takes `n`, all or none.
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
    pub(super) fn give(&mut self, mut n: usize, wakers: &mut Wakers) -> bool {
        if n > Semaphore::MAX_PERMITS - self.free {
            return false;
        }
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
        self.free += n;
        true
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
    /// Called when a future that waited for permits has given back what it got.
    fn given_back(&mut self, _wakers: &mut Wakers) {}
}

impl HasPermits for Permits {
    #[inline]
    fn permits(&mut self) -> &mut Permits {
        self
    }
}

/// Waits for `n` permits of `state`. As soon as they are taken, and before the lock is let go,
/// `taken` does what they are the permission for.
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
