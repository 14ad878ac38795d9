//! What each task waits for, for those who ask.
//!
//! A hang is best explained by what everybody waits for. But a channel knows nothing of executors,
//! and the executor nothing of channels. So they meet here, in a diary that lies on the thread: a
//! future that is polled and has to wait writes down what for, and that it is over when it is; the
//! executor reads that after each poll, and then knows whose it was. Each wait has a number, its
//! [`Mark`], so that it can begin in one task and end in another. (One that ends on another thread
//! is told until its task is over: that diary is not this executor's.)
//!
//! Only an executor that would [report a stall](crate::executor::Builder::panic_on_stall) asks for
//! a diary. Where none is kept, an entry costs one look at a flag.
//!
//! Next: `thread.rs`. (Most entries are written by `sync/wait_queue.rs`.)

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::mem;
use std::num::NonZeroU64;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// The number by which the diary knows a wait; 0 while it does not.
#[derive(Default)]
pub(crate) struct Mark(u64);

/// What the diary says of a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    /// It has begun since the diary was last read.
    Begun(Awaited),
    /// It goes on, in the task that was polled.
    GoesOn(Awaited),
    Over,
}

static NEXT_MARK: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// Apart from the entries, so that the look that everybody takes is as cheap as can be.
    static IS_KEPT: Cell<bool> = const { Cell::new(false) };
    /// One for each mark that anything is to be said of.
    static ENTRIES: RefCell<BTreeMap<u64, Entry>> = const { RefCell::new(BTreeMap::new()) };
}

impl Mark {
    /// The task that is being polled waits for this. To be called in each poll that is pending.
    #[inline]
    pub(crate) fn waits(&mut self, awaited: &Awaited) {
        if IS_KEPT.get() {
            self.write(*awaited);
        }
    }

    #[cold]
    fn write(&mut self, awaited: Awaited) {
        edit(|entries| {
            if self.0 == 0 {
                self.0 = NEXT_MARK.fetch_add(1, Ordering::Relaxed);
                entries.insert(self.0, Entry::Begun(awaited));
            }
            entries.entry(self.0).or_insert(Entry::GoesOn(awaited));
        });
    }

    /// That wait is over: the future has what it waited for, or has given up.
    #[inline]
    pub(crate) fn ends(&mut self) {
        if self.0 != 0 {
            self.cross_out();
        }
    }

    #[cold]
    fn cross_out(&mut self) {
        let mark = mem::take(&mut self.0);
        edit(|entries| match entries.remove(&mark) {
            // Nobody has read of it: nothing is left to say.
            Some(Entry::Begun(_)) => {}
            _ => drop(entries.insert(mark, Entry::Over)),
        });
    }
}

fn edit(change: impl FnOnce(&mut BTreeMap<u64, Entry>)) {
    // While the thread ends there may be no diary any more, and nobody to read it.
    let _ = ENTRIES.try_with(|entries| change(&mut entries.borrow_mut()));
}

/// From here on a diary is kept on this thread, or is not.
#[inline]
pub(crate) fn keep(is_kept: bool) {
    IS_KEPT.set(is_kept);
}

/// All entries since the last time.
pub(crate) fn read() -> BTreeMap<u64, Entry> {
    ENTRIES.try_with(RefCell::take).unwrap_or_default()
}

/// What the tasks of an executor wait for, as far as the diary tells.
#[derive(Default)]
pub(crate) struct Waits {
    /// By the mark: for what, and the number of the task that was last polled for it.
    by_mark: HashMap<u64, (Awaited, NonZeroU64)>,
}

impl Waits {
    /// Reads the diary: this task was polled since the last time.
    pub(crate) fn read(&mut self, task: NonZeroU64) {
        for (mark, entry) in read() {
            match entry {
                Entry::Begun(awaited) | Entry::GoesOn(awaited) => {
                    self.by_mark.insert(mark, (awaited, task));
                }
                Entry::Over => drop(self.by_mark.remove(&mark)),
            }
        }
    }

    /// What this task waited for does not count any more. For the root: the next has its number.
    pub(crate) fn forget(&mut self, task: NonZeroU64) {
        self.by_mark.retain(|_, (_, waiting)| *waiting != task);
    }

    /// What each task waits for, and by how many waits.
    pub(crate) fn by_task(&self) -> BTreeMap<NonZeroU64, BTreeMap<Awaited, usize>> {
        let mut by_task: BTreeMap<_, BTreeMap<_, usize>> = BTreeMap::new();
        for (awaited, task) in self.by_mark.values() {
            *by_task.entry(*task).or_default().entry(*awaited).or_default() += 1;
        }
        by_task
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_diary_does_not_grow_with_waits_that_begin_and_end_between_two_looks() {
        keep(true);
        let mut lasting = Mark::default();
        let awaited = Awaited::new("a value");
        lasting.waits(&awaited);
        for _ in 0..100 {
            let mut short = Mark::default();
            short.waits(&awaited);
            short.waits(&awaited);
            short.ends();
            short.ends();
        }
        assert_eq!(Vec::from_iter(read().values()), [&Entry::Begun(awaited)]);
        lasting.waits(&awaited);
        assert_eq!(Vec::from_iter(read().values()), [&Entry::GoesOn(awaited)]);
        lasting.waits(&awaited);
        lasting.ends();
        assert_eq!(Vec::from_iter(read().values()), [&Entry::Over]);
        keep(false);
    }

    #[test]
    fn a_wait_that_ends_where_no_diary_is_kept_is_over_for_who_reads_next() {
        keep(true);
        let mut mark = Mark::default();
        mark.waits(&Awaited::new("a value"));
        assert_eq!(read().len(), 1);
        keep(false);
        mark.ends();
        assert_eq!(Vec::from_iter(read().values()), [&Entry::Over]);
    }

    #[test]
    fn without_a_diary_a_wait_has_no_mark() {
        let mut mark = Mark::default();
        mark.waits(&Awaited::new("a value"));
        mark.ends();
        assert_eq!((mark.0, read().len()), (0, 0));
    }
}
