//! [`Semaphore`]: so many may, the others wait in line.
//!
//! It is the permits of `sync/permits.rs`, and nothing that they guard: a cell with them alone, and
//! the lane beside it. This page is the face: permits that are given back when they are dropped,
//! with a borrow of the semaphore or a share in it, waited for by tasks or threads, or only if
//! they can be had at once.
//!
//! Next: `sync/mutex.rs`.

use super::guarded::{Guarded, Wakers};
use super::permits::{
    AcquireError, Lane, MAX_PERMITS, Permits, TryAcquireError, acquire, shut_for,
};
use crate::thread;
use std::fmt;
use std::mem;
use std::sync::Arc;

/// Permits that tasks acquire, and wait for when there are none.
///
/// A permit is given back when it is dropped: give it a name, for `let _ =` drops it at once.
///
/// Who waits is served strictly in the order of arrival, also when a later request could be met at
/// once: no request is starved, however big.
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
    pub const MAX_PERMITS: usize = MAX_PERMITS;

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
            lane: Lane::new(permits),
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
            _ => acquire(&self.permits, n as usize, |_, _| ()).beside(&self.lane).await,
        }
    }

    fn try_take(&self, n: u32) -> Result<(), TryAcquireError> {
        let taken = self.lane.try_take(n as usize);
        taken.unwrap_or_else(|| self.with(|permits, _| permits.try_take(n as usize)))
    }

    /// `false`, and nothing changes, if there would be too many.
    fn give(&self, n: usize) -> bool {
        // `n` is 0 for a permit that was forgotten or merged into another: nothing to do.
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
