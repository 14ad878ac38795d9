//! [`Mutex`]: a value for one task at a time, also across its awaits.
//!
//! It is needed less often than one thinks. A task lets others run only where it awaits, so the
//! question is what lies between locking and unlocking:
//!
//! | between them | use |
//! |---|---|
//! | no await, one thread | `Cell` or `RefCell`, in an `Rc`: nobody else runs meanwhile |
//! | no await, many threads | [`std::sync::Mutex`]: who has to wait blocks, but only briefly |
//! | an await | this one: who has to wait lets other tasks run |
//!
//! A std guard that is held across an await is a trap: the next task that locks stops the thread,
//! and on it the very task that would unlock, for ever. (A `RefCell` panics there.) What does need
//! to be held across awaits is rarely plain data. It is a connection, say, on which a request must
//! have its answer before the next one is sent.
//!
//! # The guard has the value
//!
//! A mutex is one permit of `permits.rs`, and the value in a box, behind one lock. Who takes the
//! permit takes the box along, in the same step. So the guard needs no lock to read and to write.
//! When it is dropped it gives back both:
//!
//! ```text
//!   unlocked: free 1, value ■          locked: free 0, value ──────► ■ of the guard
//! ```
//!
//! Why not the obvious way? In std and in tokio the value stays where it is, in an `UnsafeCell`,
//! and the guard points to it: the compiler is told that nobody else has it, and cannot check. Here
//! it checks. That costs an allocation for each mutex, and hence a `const` constructor (a static
//! mutex lies in a `LazyLock`); contents must be `Sized`, a guard cannot be mapped to a part of its
//! value, and one that is leaked keeps the value.
//!
//! There is no poison: a guard that is dropped by a panic gives the value back as it is, as in
//! tokio. Poison would not be enough here. A guard that is held across awaits is also dropped by a
//! cancel, so whoever changes a value in several steps must think of the half-way anyway.
//!
//! Next: `sync/rwlock.rs`.

use super::guarded::{Guarded, Wakers};
use super::permits::{HasPermits, Permits, acquire};
use crate::thread;
use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

/// A value that one task at a time can use, for as long as it likes, also across awaits.
///
/// Who waits is served strictly in the order of arrival. A task that has a guard and waits for
/// another of the same mutex waits for ever. If no await lies between locking and unlocking, a
/// [`std::sync::Mutex`] is better, and on one thread a [`RefCell`].
///
/// A guard that is dropped by a panic unlocks like any other; nothing is poisoned.
///
/// ```
/// use handspun::sync::Mutex;
/// use handspun::task::JoinSet;
/// use handspun::time::{Duration, sleep};
/// use std::sync::Arc;
///
/// let executor = handspun::executor::Executor::builder().start_paused(true).build();
/// executor.block_on(async {
///     let connection = Arc::new(Mutex::new(Vec::new()));
///     let mut clients = JoinSet::new();
///     for name in ["a", "b"] {
///         let connection = connection.clone();
///         clients.spawn(async move {
///             let mut connection = connection.lock().await;
///             connection.push(format!("{name} asks"));
///             sleep(Duration::from_secs(1)).await;
///             connection.push(format!("{name} is answered"));
///         });
///     }
///     clients.join_all().await;
///     let said = connection.lock().await;
///     assert_eq!(*said, ["a asks", "a is answered", "b asks", "b is answered"]);
/// });
/// ```
pub struct Mutex<T> {
    state: Guarded<State<T>>,
}

impl<T> Mutex<T> {
    /// A mutex that is not locked.
    #[track_caller]
    pub fn new(value: T) -> Mutex<T> {
        Mutex {
            state: Guarded::new(State {
                permits: Permits::new(1, "the mutex"),
                value: Some(Box::new(value)),
            }),
        }
    }

    /// Waits until the value can be had, and takes it.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on what it had been
    /// given. Who asks again stands at the end.
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        let value = acquire(&self.state, 1, State::take).await;
        MutexGuard {
            mutex: self,
            value: value.expect(NEVER_CLOSED),
        }
    }

    /// Takes the value if it can be had at once.
    ///
    /// # Errors
    /// If somebody has it, or waits for it.
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let value = self.try_take()?;
        Ok(MutexGuard { mutex: self, value })
    }

    /// Waits for the value on a thread that runs no executor.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        thread::block_on("blocking_lock", "lock().await", self.lock())
    }

    /// Waits for the value; the guard owns the mutex: it can be moved into a task.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on what it had been
    /// given. Who asks again stands at the end.
    pub async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        let value = acquire(&self.state, 1, State::take).await;
        OwnedMutexGuard {
            mutex: self,
            value: value.expect(NEVER_CLOSED),
        }
    }

    /// Takes the value, in a guard that owns the mutex, if it can be had at once.
    ///
    /// # Errors
    /// If somebody has it, or waits for it.
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let value = self.try_take()?;
        Ok(OwnedMutexGuard { mutex: self, value })
    }

    /// Waits for the value, in a guard that owns the mutex, on a thread that runs no executor.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        thread::block_on("blocking_lock_owned", "lock_owned().await", self.lock_owned())
    }

    /// The value, without locking: nobody else can be using the mutex.
    ///
    /// # Panics
    /// If a guard was leaked, by [`mem::forget`](std::mem::forget) or the like: it has the value.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        self.state.get_mut().value.as_mut().expect(LEAKED)
    }

    /// The value, from a mutex that is not needed any more.
    ///
    /// # Panics
    /// If a guard was leaked, by [`mem::forget`](std::mem::forget) or the like: it has the value.
    #[track_caller]
    pub fn into_inner(self) -> T {
        *self.state.into_inner().value.expect(LEAKED)
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

/// Prints the value, which is locked meanwhile, or `<locked>`.
impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printed = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(value) => printed.field("data", &&*value),
            Err(_) => printed.field("data", &format_args!("<locked>")),
        };
        printed.finish()
    }
}

/// As a [`RefCell`] is: there is no poison, so who catches a panic may find a value half changed.
impl<T> UnwindSafe for Mutex<T> where RefCell<T>: UnwindSafe {}
impl<T> RefUnwindSafe for Mutex<T> where RefCell<T>: RefUnwindSafe {}

/// The value of a mutex, until it is dropped.
///
/// ```
/// use handspun::sync::{Mutex, MutexGuard};
///
/// handspun::block_on(async {
///     let mutex = Mutex::new(1);
///     let mut guard = mutex.lock().await;
///     *guard += 1;
///     let same = MutexGuard::mutex(&guard);
///     drop(guard);
///     assert_eq!(*same.lock().await, 2);
/// });
/// ```
#[must_use = "a guard that is dropped at once unlocks at once"]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// There until this is dropped.
    value: Option<Box<T>>,
}

impl<'a, T> MutexGuard<'a, T> {
    /// The mutex that is locked. Not a method, since the value may have one of this name.
    pub fn mutex(this: &MutexGuard<'a, T>) -> &'a Mutex<T> {
        this.mutex
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(HELD)
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect(HELD)
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.mutex.give_back(self.value.take());
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// The value of a mutex, until it is dropped; it keeps the mutex alive.
///
/// ```
/// # use std::sync::Arc;
/// let mutex = Arc::new(handspun::sync::Mutex::new(1));
/// let mut guard = mutex.clone().try_lock_owned().unwrap();
/// handspun::block_on(async {
///     let worker = handspun::spawn(async move { *guard += 1 });
///     assert_eq!(*mutex.lock().await, 2);
///     worker.await.unwrap();
/// });
/// ```
#[must_use = "a guard that is dropped at once unlocks at once"]
pub struct OwnedMutexGuard<T> {
    mutex: Arc<Mutex<T>>,
    /// There until this is dropped.
    value: Option<Box<T>>,
}

impl<T> OwnedMutexGuard<T> {
    /// The mutex that is locked. Not a method, since the value may have one of this name.
    pub fn mutex(this: &OwnedMutexGuard<T>) -> &Arc<Mutex<T>> {
        &this.mutex
    }
}

impl<T> Deref for OwnedMutexGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(HELD)
    }
}

impl<T> DerefMut for OwnedMutexGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect(HELD)
    }
}

impl<T> Drop for OwnedMutexGuard<T> {
    fn drop(&mut self) {
        self.mutex.give_back(self.value.take());
    }
}

impl<T: fmt::Debug> fmt::Debug for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: fmt::Display> fmt::Display for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// The value cannot be had at once, of a [`Mutex`] or an [`RwLock`](super::RwLock).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TryLockError(pub(super) ());

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is locked, or others wait for it")
    }
}

impl Error for TryLockError {}

struct State<T> {
    permits: Permits,
    /// There, unless somebody has taken the permit.
    value: Option<Box<T>>,
}

impl<T> HasPermits for State<T> {
    fn permits(&mut self) -> &mut Permits {
        &mut self.permits
    }
}

impl<T> State<T> {
    /// For whoever has just taken the permit.
    fn take(&mut self, _: &mut Wakers) -> Option<Box<T>> {
        self.value.take()
    }
}

impl<T> Mutex<T> {
    fn try_take(&self) -> Result<Option<Box<T>>, TryLockError> {
        self.state.look(|state| {
            state.permits.try_take(1).map_err(|_| TryLockError(()))?;
            Ok(state.value.take())
        })
    }

    fn give_back(&self, value: Option<Box<T>>) {
        self.state.with(|state, wakers| {
            state.value = value;
            state.permits.give(1, wakers);
        });
    }
}

const NEVER_CLOSED: &str = "the permits of a mutex are never closed";
const HELD: &str = "a guard has the value until it is dropped";
const LEAKED: &str = "a guard of this mutex was leaked, and the value with it: drop guards, do not \
                      `mem::forget` them";
