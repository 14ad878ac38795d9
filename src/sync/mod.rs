//! How tasks and threads tell one another things.
//!
//! | type | to |
//! |---|---|
//! | [`CancellationToken`] | ask many tasks at once to stop |
//!
//! Everything here is thread-safe, and knows [`std::task`] and nothing of the executor: it would
//! work on any. The state of each lies behind a mutex, under which no code of the user's runs:
//! wakers are cloned before the lock is taken, gathered under it, and called or dropped after it
//! (*Wake After Release*). So a lock is held for a few instructions, and whatever a waker does, it
//! does not find one locked.

mod cancellation_token;
mod guarded;
pub mod mpsc;
mod semaphore;
mod wait_queue;

pub use cancellation_token::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};
pub use semaphore::{
    AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError,
};
