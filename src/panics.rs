//! Panics that must not spread.
//!
//! The executor runs other people's code in places where a panic has nowhere to go: a waker among
//! many, the destructor of a result that nobody asked for. There the panic is *contained*: the
//! panic hook has printed it, and it ends here.
//!
//! A panic's payload is a value like any other, and its destructor may panic too. So a payload that
//! nobody wants is dropped with the same care, and what comes out of *that* is forgotten.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Calls `f`. If it panics, returns the payload.
#[inline]
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(f))
}

/// Calls `f`. If it panics, so be it.
#[inline]
pub(crate) fn contain(f: impl FnOnce()) {
    if let Err(payload) = catch(f)
        && let Err(payload) = catch(|| drop(payload))
    {
        std::mem::forget(payload);
    }
}

/// Calls `f` with each item, also with those that come after one that panics: a waker that is
/// broken shall not cost the next one its wake.
#[inline]
pub(crate) fn contain_each<T>(
    items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
    f: impl Fn(T),
) {
    let mut items = items.into_iter();
    while items.len() > 0 {
        contain(|| items.by_ref().for_each(&f));
    }
}

/// Locks a mutex. Whether a thread has panicked with it is of no interest: no code of the user's
/// runs under a mutex of this crate, so what it guards is whole.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
