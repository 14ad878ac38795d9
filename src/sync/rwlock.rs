//! [`RwLock`]: a value for many readers at a time, or for one writer, also across their awaits.
//!
//! It has as many permits as there may be readers. A reader takes one, a writer all. The line of
//! `permits.rs` does the rest: a writer that waits keeps each permit that comes back, so readers
//! who come later stand behind it, and no stream of readers can keep it out.
//!
//! The value lies behind the same lock as the permits, in an [`Arc`]. A reader takes a clone along;
//! a writer takes the `Arc` itself, which is the only one then. Say five may read:
//!
//! ```text
//!   two readers: free 3, value ■ ─► ■ ■          a writer: free 0, value ──► ■
//! ```
//!
//! So no guard needs a lock to get at the value. And as in `mutex.rs` it is checked that whoever
//! writes is alone: [`Arc::get_mut`] counts the clones, and no safe code can write without it.
//! A reader therefore drops its clone *before* it gives back its permit, which may be the last that
//! a writer waits for.
//!
//! That is the price, on top of what `mutex.rs` names: each `*guard = …` costs two steps at a
//! counter, some nanoseconds. Who writes often takes `let value = &mut *guard` once. And since each
//! clone may be used on its own thread, a lock can only be sent to another thread if its value can
//! also be shared: tokio's need not.
//!
//! Is it worth it? Where no await lies between, no two readers meet on one thread, and a `RefCell`
//! does. It is for readers who await with the value in hand.
//!
//! Next: `sync/notify.rs`.

use super::guarded::{Guarded, Wakers};
use super::mutex::TryLockError;
use super::permits::{HasPermits, Permits, acquire};
use crate::thread;
use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

/// A value that many tasks can read at a time, or one can write, also across awaits.
///
/// Who waits is served strictly in the order of arrival, readers and writers in one line. Hence a
/// task that has a guard must not wait for another of the same lock: if a writer stands between
/// them, both wait for ever.
///
/// A guard that is dropped by a panic unlocks like any other; nothing is poisoned.
///
/// ```
/// use handspun::sync::RwLock;
///
/// handspun::block_on(async {
///     let config = RwLock::new("old");
///     let read = async || {
///         let config = config.read().await;
///         handspun::task::yield_now().await;
///         *config
///     };
///     assert_eq!(handspun::join!(read(), read()), ("old", "old")); // both at a time
///     *config.write().await = "new";
///     assert_eq!(read().await, "new");
/// });
/// ```
pub struct RwLock<T> {
    state: Guarded<State<T>>,
    max_readers: u32,
}

/// How many readers there can be.
const MOST_READERS: u32 = u32::MAX >> 3;

impl<T> RwLock<T> {
    /// A lock that nobody has, for up to `u32::MAX >> 3` readers.
    #[track_caller]
    pub fn new(value: T) -> RwLock<T> {
        RwLock::with_max_readers(value, MOST_READERS)
    }

    /// A lock that nobody has, for up to `max_readers` at a time; more have to wait.
    ///
    /// # Panics
    /// If `max_readers` is zero, or more than `u32::MAX >> 3`.
    #[track_caller]
    pub fn with_max_readers(value: T, max_readers: u32) -> RwLock<T> {
        assert!(
            max_readers > 0,
            "a lock that nobody may read is of no use: allow one reader or more"
        );
        assert!(
            max_readers <= MOST_READERS,
            "{max_readers} readers are more than there can be: {MOST_READERS}"
        );
        RwLock {
            state: Guarded::new(State {
                permits: Permits::new(max_readers as usize, "the read-write lock"),
                value: Some(Arc::new(value)),
            }),
            max_readers,
        }
    }

    /// Waits until the value can be read.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on what it had been
    /// given. Who asks again stands at the end.
    pub async fn read(&self) -> RwLockReadGuard<'_, T> {
        let value = acquire(&self.state, 1, State::share).await;
        RwLockReadGuard {
            lock: self,
            value: value.expect(NEVER_CLOSED),
        }
    }

    /// Waits until the value can be written.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on what it had been
    /// given. Who asks again stands at the end.
    pub async fn write(&self) -> RwLockWriteGuard<'_, T> {
        let value = acquire(&self.state, self.max_readers as usize, State::take).await;
        RwLockWriteGuard {
            lock: self,
            value: value.expect(NEVER_CLOSED),
        }
    }

    /// Takes the value to read it, if that is possible at once.
    ///
    /// # Errors
    /// If a writer has it, or waits for it, or there are as many readers as there may be.
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        let value = self.try_acquire(1, State::share)?;
        Ok(RwLockReadGuard { lock: self, value })
    }

    /// Takes the value to write it, if that is possible at once.
    ///
    /// # Errors
    /// If anybody has it, or waits for it.
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        let value = self.try_acquire(self.max_readers, State::take)?;
        Ok(RwLockWriteGuard { lock: self, value })
    }

    /// Waits until the value can be read, on a thread that runs no executor.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        thread::block_on("blocking_read", "read().await", self.read())
    }

    /// Waits until the value can be written, on a thread that runs no executor.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        thread::block_on("blocking_write", "write().await", self.write())
    }

    /// Waits until the value can be read; the guard owns the lock: it can be moved into a task.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on what it had been
    /// given. Who asks again stands at the end.
    pub async fn read_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        let value = acquire(&self.state, 1, State::share).await;
        OwnedRwLockReadGuard {
            lock: self,
            value: value.expect(NEVER_CLOSED),
        }
    }

    /// Waits until the value can be written; the guard owns the lock: it can be moved into a task.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on what it had been
    /// given. Who asks again stands at the end.
    pub async fn write_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        let value = acquire(&self.state, self.max_readers as usize, State::take).await;
        OwnedRwLockWriteGuard {
            lock: self,
            value: value.expect(NEVER_CLOSED),
        }
    }

    /// Takes the value to read it, in a guard that owns the lock, if that is possible at once.
    ///
    /// # Errors
    /// If a writer has it, or waits for it, or there are as many readers as there may be.
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        let value = self.try_acquire(1, State::share)?;
        Ok(OwnedRwLockReadGuard { lock: self, value })
    }

    /// Takes the value to write it, in a guard that owns the lock, if that is possible at once.
    ///
    /// # Errors
    /// If anybody has it, or waits for it.
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        let value = self.try_acquire(self.max_readers, State::take)?;
        Ok(OwnedRwLockWriteGuard { lock: self, value })
    }

    /// The value, without locking: nobody else can be using the lock.
    ///
    /// # Panics
    /// If a guard was leaked, by [`mem::forget`](std::mem::forget) or the like: it has the value.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        self.state.get_mut().value.as_mut().and_then(Arc::get_mut).expect(LEAKED)
    }

    /// The value, from a lock that is not needed any more.
    ///
    /// # Panics
    /// If a guard was leaked, by [`mem::forget`](std::mem::forget) or the like: it has the value.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.state.into_inner().value.and_then(Arc::into_inner).expect(LEAKED)
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

/// Prints the value, which cannot be written meanwhile, or `<locked>`.
impl<T: fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printed = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(value) => printed.field("data", &&*value),
            Err(_) => printed.field("data", &format_args!("<locked>")),
        };
        printed.finish()
    }
}

/// As a [`RefCell`] is: there is no poison, so who catches a panic may find a value half changed.
impl<T> UnwindSafe for RwLock<T> where RefCell<T>: UnwindSafe {}
impl<T> RefUnwindSafe for RwLock<T> where RefCell<T>: RefUnwindSafe {}

/// The value of a lock, to read, until it is dropped.
///
/// ```
/// let lock = handspun::sync::RwLock::with_max_readers(7, 2);
/// let (one, two) = (lock.try_read().unwrap(), lock.try_read().unwrap());
/// assert_eq!(*one, *two);
/// assert!(lock.try_read().is_err());
/// ```
#[must_use = "a guard that is dropped at once unlocks at once"]
pub struct RwLockReadGuard<'a, T> {
    lock: &'a RwLock<T>,
    /// There until this is dropped.
    value: Option<Arc<T>>,
}

impl<T> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(HELD)
    }
}

impl<T> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.end_read(self.value.take());
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// As a `&T` is.
impl<T: RefUnwindSafe> UnwindSafe for RwLockReadGuard<'_, T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for RwLockReadGuard<'_, T> {}

/// The value of a lock, to write, until it is dropped.
///
/// Each mutable access looks whether the guard is alone, which takes some nanoseconds. Who makes
/// many takes `let value = &mut *guard` once.
///
/// ```
/// let lock = handspun::sync::RwLock::new(1);
/// let mut writer = lock.try_write().unwrap();
/// *writer += 1;
/// let reader = writer.downgrade();
/// assert_eq!((*reader, *lock.try_read().unwrap()), (2, 2));
/// ```
#[must_use = "a guard that is dropped at once unlocks at once"]
pub struct RwLockWriteGuard<'a, T> {
    lock: &'a RwLock<T>,
    /// There until this is dropped or downgraded.
    value: Option<Arc<T>>,
}

impl<'a, T> RwLockWriteGuard<'a, T> {
    /// Goes on as a reader, in one step: nobody writes in between. Readers who wait may come in,
    /// up to the first writer in line.
    pub fn downgrade(mut self) -> RwLockReadGuard<'a, T> {
        let value = self.value.take().expect(HELD);
        self.lock.end_write(value.clone(), self.lock.max_readers - 1);
        RwLockReadGuard {
            lock: self.lock,
            value: Some(value),
        }
    }
}

impl<T> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(HELD)
    }
}

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().and_then(Arc::get_mut).expect(ALONE)
    }
}

impl<T> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            self.lock.end_write(value, self.lock.max_readers);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// As a `&mut T` is.
impl<T: RefUnwindSafe> RefUnwindSafe for RwLockWriteGuard<'_, T> {}

/// The value of a lock, to read, until it is dropped; it keeps the lock alive.
///
/// ```
/// # use std::sync::Arc;
/// let lock = Arc::new(handspun::sync::RwLock::new(1));
/// let reader = lock.clone().try_read_owned().unwrap();
/// handspun::block_on(async {
///     let worker = handspun::spawn(async move { *reader });
///     *lock.write().await = 2;
///     assert_eq!(worker.await.unwrap(), 1);
/// });
/// ```
#[must_use = "a guard that is dropped at once unlocks at once"]
pub struct OwnedRwLockReadGuard<T> {
    lock: Arc<RwLock<T>>,
    /// There until this is dropped.
    value: Option<Arc<T>>,
}

impl<T> OwnedRwLockReadGuard<T> {
    /// The lock that is read. Not a method, since the value may have one of this name.
    pub fn rwlock(this: &OwnedRwLockReadGuard<T>) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T> Deref for OwnedRwLockReadGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(HELD)
    }
}

impl<T> Drop for OwnedRwLockReadGuard<T> {
    fn drop(&mut self) {
        self.lock.end_read(self.value.take());
    }
}

impl<T: fmt::Debug> fmt::Debug for OwnedRwLockReadGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: fmt::Display> fmt::Display for OwnedRwLockReadGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// The value of a lock, to write, until it is dropped; it keeps the lock alive.
///
/// ```
/// # use std::sync::Arc;
/// let lock = Arc::new(handspun::sync::RwLock::new(1));
/// let mut writer = lock.clone().try_write_owned().unwrap();
/// handspun::block_on(async {
///     let worker = handspun::spawn(async move { *writer += 1 });
///     assert_eq!(*lock.read().await, 2);
///     worker.await.unwrap();
/// });
/// ```
#[must_use = "a guard that is dropped at once unlocks at once"]
pub struct OwnedRwLockWriteGuard<T> {
    lock: Arc<RwLock<T>>,
    /// There until this is dropped or downgraded.
    value: Option<Arc<T>>,
}

impl<T> OwnedRwLockWriteGuard<T> {
    /// Goes on as a reader, in one step: nobody writes in between. Readers who wait may come in,
    /// up to the first writer in line.
    pub fn downgrade(mut self) -> OwnedRwLockReadGuard<T> {
        let value = self.value.take().expect(HELD);
        self.lock.end_write(value.clone(), self.lock.max_readers - 1);
        OwnedRwLockReadGuard {
            lock: self.lock.clone(),
            value: Some(value),
        }
    }

    /// The lock that is written. Not a method, since the value may have one of this name.
    pub fn rwlock(this: &OwnedRwLockWriteGuard<T>) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T> Deref for OwnedRwLockWriteGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(HELD)
    }
}

impl<T> DerefMut for OwnedRwLockWriteGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().and_then(Arc::get_mut).expect(ALONE)
    }
}

impl<T> Drop for OwnedRwLockWriteGuard<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            self.lock.end_write(value, self.lock.max_readers);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for OwnedRwLockWriteGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: fmt::Display> fmt::Display for OwnedRwLockWriteGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

struct State<T> {
    permits: Permits,
    /// There, unless a writer has taken all permits.
    value: Option<Arc<T>>,
}

impl<T> HasPermits for State<T> {
    fn permits(&mut self) -> &mut Permits {
        &mut self.permits
    }
}

impl<T> State<T> {
    /// For a reader, who has just taken a permit.
    fn share(&mut self, _: &mut Wakers) -> Option<Arc<T>> {
        self.value.clone()
    }

    /// For a writer, who has just taken all of them.
    fn take(&mut self, _: &mut Wakers) -> Option<Arc<T>> {
        self.value.take()
    }
}

impl<T> RwLock<T> {
    fn try_acquire<R>(
        &self,
        n: u32,
        taken: impl FnOnce(&mut State<T>, &mut Wakers) -> R,
    ) -> Result<R, TryLockError> {
        self.state.with(|state, wakers| {
            state.permits.try_take(n as usize).map_err(|_| TryLockError(()))?;
            Ok(taken(state, wakers))
        })
    }

    fn end_read(&self, value: Option<Arc<T>>) {
        // First this, since the writer who may be next must find itself alone. It is never the
        // last: as long as there are readers, the lock has the value too.
        drop(value);
        self.state.with(|state, wakers| state.permits.give(1, wakers));
    }

    /// Gives back the value, and `n` permits: all, or all but the one of a reader.
    fn end_write(&self, value: Arc<T>, n: u32) {
        self.state.with(|state, wakers| {
            state.value = Some(value);
            state.permits.give(n as usize, wakers);
        });
    }
}

const NEVER_CLOSED: &str = "the permits of a lock are never closed";
const HELD: &str = "a guard has the value until it is dropped";
const ALONE: &str = "a writer has the only `Arc`";
const LEAKED: &str = "a guard of this lock was leaked, and the value with it: drop guards, do not \
                      `mem::forget` them";
