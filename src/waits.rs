//! Who waits for what, told to those who ask.
//!
//! A hang is best explained by what everybody waits for, and a picture of a run wants to show it.
//! But a channel knows nothing of executors, and the executor nothing of channels. So there is a
//! place on each thread for a *listener*, a plain function. A future that is polled and has to wait
//! tells it what for, and that it is over when it is. An executor that is [recorded], or would
//! [report a stall], listens while it runs, and knows whose wait it is: that of the task that it is
//! polling.
//!
//! Each wait has a number, its [`Mark`], so that it can begin in one task and end in another. (One
//! that ends on another thread, or when another executor listens next, is told until its task is
//! over.)
//!
//! Where nobody listens, telling costs one look at a word. Next: `thread.rs`. (Most is told by
//! `sync/wait_queue.rs`.)
//!
//! [recorded]: crate::executor::Builder::record
//! [report a stall]: crate::executor::Builder::panic_on_stall

use crate::name::Id;
use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Which wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Wait {
    /// The one with this mark.
    Marked(u64),
    /// The one for the end of this task: a task has one handle.
    ForTask(Id),
}

/// What a listener is told.
#[derive(Debug)]
pub(crate) enum Note<'a> {
    /// In the poll that is going on, this wait has begun, or goes on. `None`: it is for a task.
    Waits(Wait, Option<&'a Awaited>),
    /// It has got what it waited for, or has given up.
    Over(Wait),
}

/// What is told to. It is called in the middle of the code that waits or wakes, maybe under a lock
/// of `sync`: it must call none of the user's code, and nothing of `sync`.
pub(crate) type Listener = fn(Note<'_>);

thread_local! {
    static LISTENER: Cell<Option<Listener>> = const { Cell::new(None) };
    /// Waits that ended when nobody listened, for who listens next. Only a wait that somebody was
    /// told of comes here.
    static ENDED: RefCell<Vec<Wait>> = const { RefCell::new(Vec::new()) };
}

/// From here on this is told on this thread, or nobody is.
#[inline]
pub(crate) fn tell(listener: Option<Listener>) {
    LISTENER.set(listener);
    if let Some(listener) = listener {
        // While the thread ends, the list may be gone.
        let ended = ENDED.try_with(RefCell::take).unwrap_or_default();
        ended.into_iter().for_each(|wait| listener(Note::Over(wait)));
    }
}

/// Whether anybody listens on this thread.
#[inline]
pub(crate) fn are_told() -> bool {
    LISTENER.get().is_some()
}

/// The number by which a wait is known; 0 while it is not.
#[derive(Default)]
pub(crate) struct Mark(u64);

static NEXT_MARK: AtomicU64 = AtomicU64::new(1);

impl Mark {
    /// The task that is being polled waits for this. To be called in each poll that is pending.
    ///
    /// Two waits are in the same line if they are for the same `awaited`, at the same address.
    #[inline]
    pub(crate) fn waits(&mut self, awaited: &Awaited) {
        if let Some(listener) = LISTENER.get() {
            self.write(listener, awaited);
        }
    }

    #[cold]
    fn write(&mut self, listener: Listener, awaited: &Awaited) {
        if self.0 == 0 {
            self.0 = NEXT_MARK.fetch_add(1, Ordering::Relaxed);
        }
        listener(Note::Waits(Wait::Marked(self.0), Some(awaited)));
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
        let wait = Wait::Marked(std::mem::take(&mut self.0));
        match LISTENER.get() {
            Some(listener) => listener(Note::Over(wait)),
            None => drop(ENDED.try_with(|ended| keep(&mut ended.borrow_mut(), wait))),
        }
    }
}

/// How many ended waits a thread keeps. It may be one on which nobody ever listens again.
const MOST: usize = 1_000;

/// One too many is told as going on until its task is over.
fn keep(ended: &mut Vec<Wait>, wait: Wait) {
    if ended.len() < MOST {
        ended.push(wait);
    }
}

/// The task that is being polled waits for the end of this one.
#[inline]
pub(crate) fn waits_for_task(task: Id) {
    if let Some(listener) = LISTENER.get() {
        listener(Note::Waits(Wait::ForTask(task), None));
    }
}

/// Nobody waits for the end of this task any more.
#[inline]
pub(crate) fn waits_for_task_no_more(task: Id) {
    if let Some(listener) = LISTENER.get() {
        listener(Note::Over(Wait::ForTask(task)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    thread_local!(static HEARD: RefCell<Vec<(Wait, bool)>> = RefCell::default());

    fn listen(note: Note<'_>) {
        HEARD.with_borrow_mut(|heard| match note {
            Note::Waits(wait, _) => heard.push((wait, true)),
            Note::Over(wait) => heard.push((wait, false)),
        });
    }

    #[test]
    fn a_listener_is_told_of_each_wait_by_its_mark() {
        let awaited = Awaited::new("a value");
        let (mut a, mut b) = (Mark::default(), Mark::default());
        tell(Some(listen));
        a.waits(&awaited);
        b.waits(&awaited);
        let (first, second) = (Wait::Marked(a.0), Wait::Marked(b.0));
        a.waits(&awaited);
        a.ends();
        a.ends();
        a.waits(&awaited);
        let third = Wait::Marked(a.0);
        tell(None);
        let heard = [
            (first, true),
            (second, true),
            (first, true),
            (first, false),
            (third, true),
        ];
        assert_eq!(HEARD.take(), heard);
        assert!(first != second && second != third && first != third);
    }

    #[test]
    fn a_wait_that_ends_where_nobody_listens_is_told_to_who_listens_next() {
        tell(Some(listen));
        let mut mark = Mark::default();
        mark.waits(&Awaited::new("a value"));
        let wait = Wait::Marked(mark.0);
        tell(None);
        mark.ends();
        assert_eq!(HEARD.take(), [(wait, true)]);
        tell(Some(listen));
        assert_eq!(HEARD.take(), [(wait, false)]);
        tell(None);
        tell(Some(listen));
        assert_eq!(HEARD.take(), []);
        tell(None);
    }

    #[test]
    fn a_thread_on_which_nobody_listens_keeps_no_more_than_a_thousand_ended_waits() {
        tell(Some(listen));
        let mut marks: Vec<Mark> = (0..2_000).map(|_| Mark::default()).collect();
        marks.iter_mut().for_each(|mark| mark.waits(&Awaited::new("a value")));
        tell(None);
        marks.iter_mut().for_each(Mark::ends);
        assert_eq!(ENDED.with_borrow(Vec::len), MOST);
        tell(Some(listen));
        assert_eq!(HEARD.take().len(), 2_000 + MOST);
        tell(None);
    }

    #[test]
    fn where_nobody_listens_a_wait_has_no_mark() {
        let mut mark = Mark::default();
        mark.waits(&Awaited::new("a value"));
        waits_for_task(Id::new(0, 1));
        mark.ends();
        assert_eq!((mark.0, HEARD.take().len()), (0, 0));
    }
}
