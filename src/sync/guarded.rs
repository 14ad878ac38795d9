//! The cell in which the state of each channel and lock lies, and the wakers that leave it.
//!
//! Any thread may use a channel or a lock, so its state is behind a mutex. Two rules make that
//! harmless, and as far as wakers go this cell keeps them for all files of `sync`:
//!
//! - A lock is held for a few instructions, and *no code of the user's runs under it*: no waker is
//!   cloned, called or dropped, no value is cloned or dropped. Such code may come back to the same
//!   channel, and would wait for itself.
//! - *Wake After Release*: who is to be woken is gathered under the lock, in [`Wakers`], and woken
//!   when it is free.
//!
//! ```text
//!   clone the waker ─► lock ─► change the state, ─► unlock ─► wake whom ─► drop the waker,
//!   of this poll               gather wakers                  it was for   if not needed
//! ```
//!
//! So a closure that is given to [`with`](Guarded::with) or [`poll`](Guarded::poll) works on plain
//! data. What belongs to the user and has to be dropped, it returns.
//!
//! Why not the obvious way? On one thread a `RefCell` would do, for a fraction of the price. But
//! then no thread could hold the other end of a channel, and tokio's signatures, which let guards
//! and futures be `Send`, would not hold. What the mutex costs is in `docs/design.md`, measured by
//! putting a `RefCell` into this one file.
//!
//! Next: `sync/wait_queue.rs`, the line in which they stand who are woken.

use crate::panics::{contain, contain_each, lock};
use std::mem::{self, ManuallyDrop};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};

/// State that several tasks or threads share.
pub(super) struct Guarded<S>(Mutex<S>);

impl<S> Guarded<S> {
    pub(super) const fn new(state: S) -> Guarded<S> {
        Guarded(Mutex::new(state))
    }

    /// Looks at the state, or changes it in a way of which nobody need be told.
    #[inline]
    pub(super) fn look<R>(&self, f: impl FnOnce(&mut S) -> R) -> R {
        f(&mut lock(&self.0))
    }

    /// Changes the state, and then wakes those whom `f` has gathered.
    #[inline]
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut S, &mut Wakers) -> R) -> R {
        let mut wakers = Wakers::NONE;
        let result = f(&mut lock(&self.0), &mut wakers);
        wakers.settle();
        result
    }

    /// The same in a poll: the waker of the one who polls is at hand, should he have to wait.
    #[inline]
    pub(super) fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        f: impl FnOnce(&mut S, &mut Wakers) -> R,
    ) -> R {
        let mut wakers = Wakers::NONE;
        wakers.spare = Some(cx.waker().clone());
        let result = f(&mut lock(&self.0), &mut wakers);
        wakers.settle();
        result
    }

    /// The same as [`with`](Guarded::with), but without the lock, for one who has the cell alone.
    #[inline]
    pub(super) fn alone<R>(&mut self, f: impl FnOnce(&mut S, &mut Wakers) -> R) -> R {
        let mut wakers = Wakers::NONE;
        let result = f(self.get_mut(), &mut wakers);
        wakers.settle();
        result
    }

    /// The state, if nobody else can be using it.
    pub(super) fn get_mut(&mut self) -> &mut S {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, from a cell that is not needed any more.
    pub(super) fn into_inner(self) -> S {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has to happen to wakers as soon as the lock is free.
///
/// Most changes wake one waiter or none: that one needs no allocation.
pub(super) struct Wakers {
    /// In a poll, the waker of the one who polls; when a queue has taken it, the one that it had
    /// before, if any. To be dropped.
    spare: Option<Waker>,
    /// One that was left in a queue by a future that waits no more. To be dropped.
    discarded: Option<Waker>,
    /// To be woken, and then all the others.
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl Wakers {
    const NONE: Wakers = Wakers {
        spare: None,
        discarded: None,
        first: None,
        others: Vec::new(),
    };

    /// This one is to be woken, after those that were added before.
    #[inline]
    pub(super) fn add(&mut self, waker: Waker) {
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.others.push(waker),
        }
    }

    /// Puts the waker of the one who polls into `place`, where one of an earlier poll may lie.
    /// Outside of a poll `place` stays as it is.
    #[inline]
    pub(super) fn keep(&mut self, place: &mut Option<Waker>) {
        match (&*place, &self.spare) {
            (_, None) => {}
            (Some(kept), Some(spare)) if kept.will_wake(spare) => {}
            _ => mem::swap(place, &mut self.spare),
        }
    }

    /// This one, of a future that does not wait any more, is to be dropped. One at a time.
    #[inline]
    pub(super) fn discard(&mut self, waker: Option<Waker>) {
        debug_assert!(self.discarded.is_none(), "a future waits in one place at a time");
        self.discarded = waker;
    }

    /// Must be called when the lock is free. A panic of a waker's ends here: it shall cost nobody
    /// else a wake, nor the caller what it has just been given.
    #[inline(always)]
    fn settle(self) {
        // Every message comes by here, and mostly there is nothing to do. So each field is looked
        // at once, and not once more by a destructor.
        let mut wakers = ManuallyDrop::new(self);
        if let Some(first) = wakers.first.take() {
            contain(|| first.wake());
        }
        if !wakers.others.is_empty() {
            contain_each(mem::take(&mut wakers.others), Waker::wake);
        }
        if let Some(spare) = wakers.spare.take() {
            contain(|| drop(spare));
        }
        if let Some(discarded) = wakers.discarded.take() {
            contain(|| drop(discarded));
        }
    }
}

#[cfg(test)]
#[path = "guarded_tests.rs"]
mod tests;
