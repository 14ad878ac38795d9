//! From a task's name to a [`Waker`], and back.
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
//! Why not the obvious way? `Arc<impl Wake>` makes a waker without a line of `unsafe`, and is what
//! `examples/05_block_on.rs` does. But then every clone and drop of a waker is an atomic increment
//! or decrement, every wake ends in a lock, and each task needs one more allocation to count in.
//!
//! Next: `executor/mod.rs`, which hands these wakers to the tasks it polls.
#![allow(unsafe_code)]

use crate::executor::scheduler;
use crate::name::Name;
use std::mem::ManuallyDrop;
use std::ptr;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// A waker for the task with this name.
///
/// `ManuallyDrop`, since dropping it would be a call through the table for nothing.
#[inline]
pub(crate) fn waker(name: Name) -> ManuallyDrop<Waker> {
    // SAFETY: `RawWaker` asks that the functions of the table treat the data as `wake`, `clone`
    // and `drop` should, on any thread. Ours never dereference the data: to them it is a number,
    // and every number is a name, of a task that exists or of none. A number may be copied, sent
    // and forgotten freely.
    ManuallyDrop::new(unsafe { Waker::from_raw(raw(name)) })
}

/// The name in a waker, if it is one of these.
pub(crate) fn name(waker: &Waker) -> Option<Name> {
    ptr::eq(waker.vtable(), &TABLE).then(|| Name::from_word(waker.data().addr()))
}

fn raw(name: Name) -> RawWaker {
    RawWaker::new(ptr::without_provenance(name.to_word()), &TABLE)
}

static TABLE: RawWakerVTable = RawWakerVTable::new(copy_name, wake_name, wake_name, forget_name);

fn copy_name(data: *const ()) -> RawWaker {
    RawWaker::new(data, &TABLE)
}

fn wake_name(data: *const ()) {
    scheduler::wake(Name::from_word(data.addr()));
}

fn forget_name(_data: *const ()) {}
