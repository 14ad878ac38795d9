//! How tasks and threads tell one another things, and wait for one another.
//!
//! | type | to |
//! |---|---|
//! | [`Semaphore`] | let so many do something at a time, and the others wait in line |
//! | [`Mutex`] | use a value, one task at a time, also across awaits |
//! | [`RwLock`] | read a value, many tasks at a time, or write it, one at a time |
//! | [`Notify`] | tell one or all that something has happened |
//! | [`Barrier`] | let nobody go on until all have come |
//! | [`OnceCell`] | make a value once, when it is first needed |
//! | [`oneshot`] | send one value: an answer |
//! | [`mpsc`] | send values from many senders to one receiver, each once |
//! | [`watch`] | look at the latest value, and wait for another |
//! | [`broadcast`] | send values to all receivers, each to each |
//! | [`CancellationToken`] | ask many tasks at once to stop |
//!
//! Everything here is thread-safe, and knows [`std::task`] and nothing of the executor: it would
//! work on any. Each is some plain data and one or two places to wait, behind one lock. The lock is
//! in `guarded.rs`, with the rules that make it harmless; the place to wait is in `wait_queue.rs`;
//! and what most of the others are made of is in `semaphore.rs`. With these three pages each of the
//! rest can be read by itself.

mod barrier;
pub mod broadcast;
mod cancellation_token;
mod guarded;
pub mod mpsc;
mod mutex;
mod notify;
mod once_cell;
pub mod oneshot;
mod rwlock;
mod semaphore;
mod wait_queue;
pub mod watch;

pub use barrier::{Barrier, BarrierWaitResult};
pub use cancellation_token::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};
pub use mutex::{Mutex, MutexGuard, OwnedMutexGuard, TryLockError};
pub use notify::Notify;
pub use once_cell::{OnceCell, SetError};
pub use rwlock::{
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{
    AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError,
};

/// Futures with names, to be kept in structs.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}
