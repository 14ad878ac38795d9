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
//! # Which one?
//!
//! - A request and its reply: an [`mpsc`] channel, and in each request a [`oneshot`] for the reply.
//! - Work that somebody must do: [`mpsc`]. News that everybody must hear: [`broadcast`]. A state,
//!   of which only the latest counts: [`watch`].
//! - A value that several use: if no await lies between locking and unlocking, a `RefCell` in an
//!   `Rc` on one thread, and a [`std::sync::Mutex`] on several. If one does, a [`Mutex`].
//! - So many at a time: [`Semaphore`]. So many a second: the same, with permits that are
//!   [forgotten](SemaphorePermit::forget) when they are used, and
//!   [added](Semaphore::add_permits) again by a task with an [interval](crate::time::interval).
//!
//! # How it is made
//!
//! Everything here is thread-safe, and knows [`std::task`] and nothing of the executor: it would
//! work on any. Each is plain data behind a lock, with places to wait. Three pages are common to
//! most of them: the cell with the lock, and the rules that make it harmless, is `guarded.rs`; the
//! line to wait in is `wait_queue.rs`; what the locks and the bounded channel are made of is
//! `permits.rs`. With these, each of the rest can be read by itself.

mod barrier;
pub mod broadcast;
mod cancellation_token;
mod guarded;
pub mod mpsc;
mod mutex;
mod notify;
mod once_cell;
pub mod oneshot;
mod permits;
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
pub use permits::{AcquireError, TryAcquireError};
pub use rwlock::{
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Futures with names, to be kept in structs.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}
