//! What each task waits for, for those who ask.
//!
//! A hang is best explained by what everybody waits for. But a channel knows nothing of executors,
//! and the executor nothing of channels. So they meet here, in a diary that lies on the thread: who
//! joins a wait queue writes down what for, and that it is over when it is; the executor reads the
//! page after each poll, and then knows whose it was.
//!
//! Only an executor that would [report a stall](crate::executor::Builder::panic_on_stall) asks for
//! a diary. Where none is kept, a line costs one look at a flag.
//!
//! Next: `sync/wait_queue.rs`, which writes most of the lines.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;
use std::panic::Location;

/// Something to wait for: what, and where it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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

/// A line of the diary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Line {
    Begins(Awaited),
    Ends(Awaited),
}

thread_local! {
    /// Apart from the lines, so that the look that everybody takes is as cheap as can be.
    static IS_KEPT: Cell<bool> = const { Cell::new(false) };
    static LINES: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// The task that is being polled begins to wait for something.
#[inline]
pub(crate) fn begins(awaited: Awaited) {
    if IS_KEPT.get() {
        write(Line::Begins(awaited));
    }
}

/// The task that is being polled does not wait for that any more: it has it, or has given up.
#[inline]
pub(crate) fn ends(awaited: Awaited) {
    if IS_KEPT.get() {
        write(Line::Ends(awaited));
    }
}

#[cold]
fn write(line: Line) {
    // While the thread ends there may be no lines any more, and nobody to read them.
    let _ = LINES.try_with(|lines| lines.borrow_mut().push(line));
}

/// From here on a diary is kept on this thread, or is not.
#[inline]
pub(crate) fn keep(is_kept: bool) {
    IS_KEPT.set(is_kept);
}

/// All lines since the last time, in order.
pub(crate) fn read() -> Vec<Line> {
    LINES.try_with(RefCell::take).unwrap_or_default()
}

/// What the tasks of an executor wait for, as far as the diary tells.
///
/// A future that begins to wait in one task and ends in another leaves its entry with the first.
#[derive(Default)]
pub(crate) struct Waits {
    /// By the task's number.
    of: BTreeMap<NonZeroU64, Vec<Awaited>>,
}

impl Waits {
    /// Reads the diary: all lines since the last time are this task's.
    pub(crate) fn read(&mut self, task: NonZeroU64) {
        for line in read() {
            match line {
                Line::Begins(awaited) => self.of.entry(task).or_default().push(awaited),
                Line::Ends(awaited) => {
                    let waits = self.of.entry(task).or_default();
                    if let Some(place) = waits.iter().position(|wait| *wait == awaited) {
                        waits.remove(place);
                    }
                }
            }
        }
    }

    /// The task is over.
    pub(crate) fn forget(&mut self, task: NonZeroU64) {
        self.read(task);
        self.of.remove(&task);
    }

    /// What a task waits for, in the order in which it began to.
    pub(crate) fn of(&self, task: NonZeroU64) -> &[Awaited] {
        self.of.get(&task).map_or(&[], Vec::as_slice)
    }
}
