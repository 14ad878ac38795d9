//! From a task's name to a [`Waker`].
//!
//! A [`Waker`] is two words: one of data, and a pointer to a table of four functions. For a
//! future it is an object with one button; what the button does is up to the executor. Ours:
//!
//! | function | what it does |
//! |---|---|
//! | `clone` | copies the word |
//! | `wake`, `wake_by_ref` | look the name up and queue its task |
//! | `drop` | nothing |
//!
//! The data word is not a pointer to anything, it is the task's [`Name`]. So a waker owns nothing,
//! may be cloned, sent, called and dropped on any thread and at any time, also after its task or
//! its executor is gone, and can touch no freed memory (promise 10).
//!
//! There is a second table, for an executor that is watched. Its functions do the same, and tell:
//! who woke whom, and how many wakers of a task there are.
//!
//! Why not the obvious way? `Arc<impl Wake>` makes a waker without a line of `unsafe`, and is what
//! `examples/05_block_on/` does. But then every clone and drop of a waker is an atomic increment
//! or decrement, every wake ends in a lock, and each task needs one more allocation to count in.
//!
//! Next: `executor/mod.rs`, which hands these wakers to the tasks it polls.
#![allow(unsafe_code)]

use crate::executor::{holders, scheduler, watch};
use crate::name::Name;
use std::mem::ManuallyDrop;
use std::ptr;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// A waker for the task with this name.
///
/// `ManuallyDrop`, since dropping it would be a call through the table for nothing. (And the one
/// that a task is polled with does not count as one that somebody has.)
#[inline]
pub(crate) fn waker(name: Name, is_watched: bool) -> ManuallyDrop<Waker> {
    let table = if is_watched { &WATCHED } else { &TABLE };
    // SAFETY: a `Waker` asks that the functions of the table treat the data as `wake`, `clone`
    // and `drop` should, on any thread. Ours never dereference the data: to them it is a number,
    // and every number is a name, of a task that exists or of none. A number may be copied, sent
    // and forgotten freely.
    ManuallyDrop::new(unsafe { Waker::new(ptr::without_provenance(name.to_word()), table) })
}

static TABLE: RawWakerVTable = RawWakerVTable::new(copy_name, wake_name, wake_name, forget_name);

fn copy_name(data: *const ()) -> RawWaker {
    RawWaker::new(data, &TABLE)
}

fn wake_name(data: *const ()) {
    scheduler::wake(name(data));
}

fn forget_name(_data: *const ()) {}

/// For an executor that is watched. The same, and tells.
static WATCHED: RawWakerVTable = RawWakerVTable::new(
    |data| {
        holders::add(name(data));
        RawWaker::new(data, &WATCHED)
    },
    |data| {
        watch::wake(name(data));
        drop_watched(data);
    },
    |data| watch::wake(name(data)),
    drop_watched,
);

fn drop_watched(data: *const ()) {
    if holders::remove(name(data)) {
        watch::forget(name(data));
    }
}

fn name(data: *const ()) -> Name {
    Name::from_word(data.addr())
}
