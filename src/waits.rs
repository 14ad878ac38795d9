//! What each task waits for, for those who ask.
//!
//! A hang is best explained by what everybody waits for. But a channel knows nothing of executors,
//! and the executor nothing of channels. So they meet here, in a diary that lies on the thread: who
//! joins a wait queue writes down what for, and that it is over when it is; the executor reads that
//! after each poll, and then knows whose it was.
//!
//! Only an executor that would [report a stall](crate::executor::Builder::panic_on_stall) asks for
//! a diary. Where none is kept, an entry costs one look at a flag.
//!
//! Next: `sync/wait_queue.rs`, which writes most of the entries.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;
use std::panic::Location;

/// Something to wait for: what, and where it was made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Awaited {
    pub(crate) what: &'static str,
    pub(crate) made_at: &'static Location<'static>,
}

impl Awaited {
    /// Something that is made by the caller of the function that calls this.
    #[track_caller]
    pub(crate) const fn new(what: &'static str) -> Awaited {
        Awaited {
            what,
            made_at: Location::caller(),
        }
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, made at {}", self.what, self.made_at)
    }
}

/// An entry of the diary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    Begins(Awaited),
    Ends(Awaited),
}

thread_local! {
    /// Apart from the entries, so that the look that everybody takes is as cheap as can be.
    static IS_KEPT: Cell<bool> = const { Cell::new(false) };
    static ENTRIES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// The task that is being polled begins to wait for something.
#[inline]
pub(crate) fn begins(awaited: Awaited) {
    if IS_KEPT.get() {
        write(Entry::Begins(awaited));
    }
}

/// The task that is being polled does not wait for that any more: it has it, or has given up.
#[inline]
pub(crate) fn ends(awaited: Awaited) {
    if IS_KEPT.get() {
        write(Entry::Ends(awaited));
    }
}

#[cold]
fn write(entry: Entry) {
    // While the thread ends there may be no diary any more, and nobody to read it.
    let _ = ENTRIES.try_with(|entries| entries.borrow_mut().push(entry));
}

/// From here on a diary is kept on this thread, or is not.
#[inline]
pub(crate) fn keep(is_kept: bool) {
    IS_KEPT.set(is_kept);
}

/// All entries since the last time, in order.
pub(crate) fn read() -> Vec<Entry> {
    ENTRIES.try_with(RefCell::take).unwrap_or_default()
}

/// What the tasks of an executor wait for, as far as the diary tells.
///
/// A future that begins to wait in one task and ends in another leaves its entry with the first.
#[derive(Default)]
pub(crate) struct Waits {
    /// By the task's number: how many of its waits are for what.
    of: BTreeMap<NonZeroU64, BTreeMap<Awaited, usize>>,
}

impl Waits {
    /// Reads the diary: all entries since the last time are this task's.
    pub(crate) fn read(&mut self, task: NonZeroU64) {
        for entry in read() {
            let waits = self.of.entry(task).or_default();
            match entry {
                Entry::Begins(awaited) => *waits.entry(awaited).or_default() += 1,
                Entry::Ends(awaited) => {
                    let left = waits.remove(&awaited).unwrap_or_default().saturating_sub(1);
                    if left > 0 {
                        waits.insert(awaited, left);
                    }
                }
            }
        }
    }

    /// The task is over.
    pub(crate) fn forget(&mut self, task: NonZeroU64) {
        self.of.remove(&task);
    }

    /// What a task waits for, and by how many waits.
    pub(crate) fn of(&self, task: NonZeroU64) -> Vec<(Awaited, usize)> {
        let waits = self.of.get(&task).into_iter().flatten();
        waits.map(|(awaited, count)| (*awaited, *count)).collect()
    }
}
