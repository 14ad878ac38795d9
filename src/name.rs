//! The name of a task: all that a waker carries, in one machine word.
//!
//! ```text
//!    63          50 49                 28 27                        0
//!   ┌──────────────┬─────────────────────┬───────────────────────────┐
//!   │   executor   │     generation      │           index           │
//!   │   14 bits    │       22 bits       │          28 bits          │
//!   └──────────────┴─────────────────────┴───────────────────────────┘
//!     16,384 in use  low bits of the        268 million tasks alive
//!     at a time      task's number          in one executor
//! ```
//!
//! A [`Waker`](std::task::Waker) holds one word of data. Most executors put a pointer there, to a
//! counted header of the task: then clone and drop must count, atomically, since a waker may go to
//! any thread, and the last waker keeps the memory of a finished task alive. Here the word is the
//! task's *name*. Copying a name is free, dropping it is nothing, and it cannot dangle, because it
//! does not point: whoever wakes looks the name up, and a name whose task is gone is not found
//! (*Stale Names Are Harmless*).
//!
//! The price: names wrap. A task's number has 64 bits and is never used again, its name keeps 22 of
//! them. If a stale waker is called when exactly 2^22 tasks (or a multiple) have been spawned since
//! its own, and the last of them is in the same slot, that stranger is polled once for nothing,
//! which every future must bear anyway. The word must have 64 bits: the assertion below makes
//! anything else a compile error.
//!
//! Next: `mailbox.rs`, where names land that come from other threads.

use crate::slab::Key;
use std::fmt;
use std::num::NonZeroU64;

const _: () = assert!(usize::BITS == 64, "handspun packs a task's name into 64 bits");

const INDEX_BITS: u32 = 28;
const GENERATION_BITS: u32 = 22;
const EXECUTOR_BITS: u32 = 64 - INDEX_BITS - GENERATION_BITS;

/// How many executors there may be at a time in one process. A thread that has run one counts as
/// one until it ends.
pub(crate) const MAX_EXECUTORS: usize = 1 << EXECUTOR_BITS;
/// How many tasks may be alive at a time in one executor.
pub(crate) const MAX_TASKS: usize = 1 << INDEX_BITS;

/// Which task of which executor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Name(u64);

impl Name {
    /// The name of the task at `key`; both numbers must be below their maximum.
    pub(crate) fn new(executor: u16, key: Key) -> Name {
        let generation = key.number.get() & ((1 << GENERATION_BITS) - 1);
        Name(
            u64::from(executor) << (GENERATION_BITS + INDEX_BITS)
                | generation << INDEX_BITS
                | u64::from(key.index),
        )
    }

    /// The executor's place in the registry.
    pub(crate) fn executor(self) -> u16 {
        (self.0 >> (GENERATION_BITS + INDEX_BITS)) as u16
    }

    /// The slot in that executor's slab of tasks.
    pub(crate) fn index(self) -> u32 {
        self.0 as u32 & ((1 << INDEX_BITS) - 1)
    }

    /// Whether this names the task with that number, as far as its 22 bits can tell.
    pub(crate) fn fits(self, number: NonZeroU64) -> bool {
        let differs = self.0 >> INDEX_BITS ^ number.get();
        differs & ((1 << GENERATION_BITS) - 1) == 0
    }

    /// The number of the task with this name, if it is the latest of all that fit: as long as not
    /// 2^22 tasks have been spawned since. `next` is the number that the next task will get.
    pub(crate) fn latest_number(self, next: NonZeroU64) -> u64 {
        let latest = next.get() - 1;
        let generation = self.0 >> INDEX_BITS;
        latest - (latest.wrapping_sub(generation) & ((1 << GENERATION_BITS) - 1))
    }

    /// The word that a waker carries.
    pub(crate) fn to_word(self) -> usize {
        self.0 as usize
    }

    /// The name in a word that [`to_word`](Name::to_word) made.
    pub(crate) fn from_word(word: usize) -> Name {
        Name(word as u64)
    }
}

/// Which task, for people.
///
/// An executor counts its tasks from 1 in the order in which they were spawned, and uses no number
/// again; 0 is the future given to `block_on`. Ids of tasks that are alive differ, also between
/// executors, while the number that is printed is the executor's own: the same program prints the
/// same numbers. When an executor has ended, the thread's next one begins again from 1.
///
/// ```
/// handspun::block_on(async {
///     let a = handspun::spawn(async { handspun::task::id() });
///     let b = handspun::spawn(async { handspun::task::id() });
///     assert_eq!(a.id().to_string(), "1");
///     assert_eq!(b.id(), b.await.unwrap());
///     assert_ne!(a.await.unwrap().to_string(), "2");
/// });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u64);

/// Where the executor's number begins in an [`Id`]; below it is the task's, which would take years
/// to outgrow its 50 bits.
const ID_EXECUTOR: u32 = u64::BITS - EXECUTOR_BITS;

impl Id {
    pub(crate) fn new(executor: u16, number: u64) -> Id {
        Id(u64::from(executor) << ID_EXECUTOR | number)
    }

    fn number(self) -> u64 {
        self.0 & ((1 << ID_EXECUTOR) - 1)
    }

    /// Whether this is the future given to `block_on`.
    pub(crate) fn is_root(self) -> bool {
        self.number() == 0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Id").field(&self.number()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_keeps_its_parts_through_a_word(
            executor in 0..MAX_EXECUTORS as u16,
            index in 0..MAX_TASKS as u32,
            number in 1..u64::MAX,
            bit in 0..GENERATION_BITS,
        ) {
            let number = NonZeroU64::new(number).unwrap();
            let name = Name::from_word(Name::new(executor, Key { index, number }).to_word());
            prop_assert_eq!(name.executor(), executor);
            prop_assert_eq!(name.index(), index);
            prop_assert!(name.fits(number));
            let other = NonZeroU64::new(number.get() ^ 1 << bit);
            prop_assert!(!other.is_some_and(|other| name.fits(other)));
        }
    }
}
