//! Where wakes from other threads land, and the bell that ends an executor's sleep.
//!
//! A waker may be called on any thread, but an executor's run queue belongs to one. So every
//! executor has a [`Mailbox`]: a list of letters behind a mutex, and a bell. Who writes from
//! outside puts a letter in and rings; the executor empties the box between turns, and sleeps only
//! while the bell is silent.
//!
//! The bell has three states, and one atomic word holds them. The danger is the wake that falls
//! between "I looked, no mail" and "I sleep":
//!
//! ```text
//!   executor: look ──────────────────► sleep (for ever)
//!   thread:          letter ─► asleep? no, so need not unpark
//! ```
//!
//! Both sides therefore change the state in one atomic step, and see what it was: whoever comes
//! second finds what the first has done. Either the executor finds `RUNG` where it wanted to put
//! `ASLEEP`, and does not sleep, or the thread finds `ASLEEP` where it puts `RUNG`, and unparks. It
//! is the state that decides, never the parking token alone: user code may park and unpark this
//! thread as it likes. (An executor that waits for sockets does not sleep in `park`, and what is
//! done for it instead of `unpark` is in `net/bell.rs`. All else stays as it is.)
//!
//! A waker only has a name, so there is a *registry*, one for the process, from an executor's
//! number to its mailbox. A thread's next executor takes over the mailbox of its last one, and goes
//! on counting where that one stopped: names of the earlier executor's tasks stay stale.
//!
//! Next: `executor/scheduler.rs`, what a name can do to a task.

use crate::name::{MAX_EXECUTORS, Name};
use crate::panics::lock;
use crate::slab::Key;
use std::cell::Cell;
use std::collections::HashSet;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::task::Waker;
use std::thread::Thread;
use std::time::Duration;

/// What another thread can want of an executor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Letter {
    /// Poll this task.
    Wake(Name),
    /// About timers, and to be skipped until `time/sleep.rs`: the `Sleep` that armed this one was
    /// dropped or reset elsewhere. Take the timer off the wheel, and wake whoever waits for it, to
    /// look again.
    Release(Key),
    /// The same for an entry of the reactor (`net/socket.rs`): who waited for a socket waits no
    /// more.
    Leave(Key),
}

/// Letters for one executor, from any thread.
pub(crate) struct Mailbox {
    /// `None` while no executor has this mailbox: what comes then is for one that has ended.
    letters: Mutex<Option<Vec<Letter>>>,
    bell: AtomicU8,
    /// The executor's thread: the one that sleeps.
    thread: Thread,
    /// What wakes it when it does not sleep in `park`: that of a reactor (`net/bell.rs`).
    bell_of_reactor: Mutex<Option<Waker>>,
}

/// The executor is awake and has read all its letters.
const SILENT: u8 = 0;
/// There is a letter, or was a moment ago.
const RUNG: u8 = 1;
/// The executor has read all its letters and sleeps, or is about to.
const ASLEEP: u8 = 2;

impl Mailbox {
    /// Puts a letter in and rings. Any thread may.
    fn deliver(&self, letter: Letter) {
        match &mut *self.letters() {
            None => return,
            Some(letters) if letters.last() == Some(&letter) => {}
            Some(letters) => {
                if letters.len() == letters.capacity() {
                    forget_repeats(letters);
                }
                letters.push(letter);
            }
        }
        // After the push: an executor that hears the bell must find the letter.
        if self.bell.swap(RUNG, Ordering::AcqRel) == ASLEEP {
            match &*lock(&self.bell_of_reactor) {
                None => self.thread.unpark(),
                Some(bell) => bell.wake_by_ref(),
            }
        }
    }

    /// From now on the executor sleeps where this wakes it.
    #[cfg_attr(not(unix), allow(dead_code, reason = "there is no reactor"))]
    pub(crate) fn set_bell(&self, bell: Waker) {
        *lock(&self.bell_of_reactor) = Some(bell);
    }

    /// It will not sleep any more.
    pub(crate) fn forget_bell(&self) {
        *lock(&self.bell_of_reactor) = None;
    }

    fn letters(&self) -> MutexGuard<'_, Option<Vec<Letter>>> {
        lock(&self.letters)
    }

    /// Whether there may be letters. One load, for each turn of the executor.
    #[inline]
    pub(crate) fn has_rung(&self) -> bool {
        self.bell.load(Ordering::Relaxed) == RUNG
    }

    /// All letters so far, in the order in which they came; silences the bell.
    pub(crate) fn empty(&self) -> Vec<Letter> {
        // Before the take: a letter that comes in between rings again.
        self.bell.swap(SILENT, Ordering::AcqRel);
        self.letters().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Calls `sleep`, unless the bell has rung. It may return when it likes, but must when the bell
    /// rings. Only the executor's own thread may call this.
    pub(crate) fn sleep_unless_rung<R>(&self, sleep: impl FnOnce() -> R) -> Option<R> {
        let before =
            self.bell.compare_exchange(SILENT, ASLEEP, Ordering::AcqRel, Ordering::Acquire);
        // It is `ASLEEP` already if the last sleep has panicked.
        if before == Err(RUNG) {
            return None;
        }
        let slept = sleep();
        // Still `ASLEEP` if it was not the bell that has ended the sleep.
        let _ = self.bell.compare_exchange(ASLEEP, SILENT, Ordering::AcqRel, Ordering::Acquire);
        Some(slept)
    }

    /// Sleeps in `park` until the bell rings, or for `limit` at most if there is one. May also
    /// return for no reason.
    pub(crate) fn park(&self, limit: Option<Duration>) {
        self.sleep_unless_rung(|| match limit {
            None => std::thread::park(),
            Some(limit) => std::thread::park_timeout(limit),
        });
    }
}

/// Makes room for more letters, by leaving out repeated ones first.
///
/// Threads may wake the same few tasks a million times while the executor is busy, or not running.
/// One unread letter for each will do. So an unread box grows with the tasks, not with the wakes.
fn forget_repeats(letters: &mut Vec<Letter>) {
    let mut seen = HashSet::with_capacity(letters.len());
    letters.retain(|letter| seen.insert(*letter));
    // As much room again as is needed: the next look for repeats is that far away.
    letters.reserve(letters.len() + 4);
}

/// The mailboxes of all executors, by the executors' numbers. A thread that has run an executor
/// keeps one mailbox, for its next executor, until the thread ends.
static REGISTRY: RwLock<Vec<Entry>> = RwLock::new(Vec::new());

struct Entry {
    /// `None` if nobody has this executor number at the moment.
    mailbox: Option<Arc<Mailbox>>,
    /// Where the last owner stopped numbering its tasks and timers.
    next_number: NonZeroU64,
}

/// Puts a letter into the mailbox of an executor on whatever thread, if it still has one.
pub(crate) fn deliver(executor: u16, letter: Letter) {
    let registry = REGISTRY.read().unwrap_or_else(PoisonError::into_inner);
    let entry = registry.get(usize::from(executor));
    if let Some(mailbox) = entry.and_then(|entry| entry.mailbox.as_ref()) {
        mailbox.deliver(letter);
    }
}

/// An executor's number and its mailbox, from its making to its end.
pub(crate) struct Registration {
    pub(crate) executor: u16,
    pub(crate) mailbox: Arc<Mailbox>,
    /// Where to begin numbering tasks and timers; at the end, where to go on.
    pub(crate) next_number: NonZeroU64,
}

thread_local! {
    /// The registration of this thread's last executor, kept for the next one: making an executor
    /// then costs no lock. Gone from the registry when the thread ends.
    static SPARE: Spare = const { Spare(Cell::new(None)) };
}

struct Spare(Cell<Option<Registration>>);

impl Registration {
    /// A number and a mailbox for an executor on this thread.
    ///
    /// # Panics
    /// If 16,384 mailboxes are in use.
    pub(crate) fn acquire() -> Registration {
        let spare = SPARE.try_with(|spare| spare.0.take()).ok().flatten();
        let registration = spare.unwrap_or_else(Registration::new);
        *registration.mailbox.letters() = Some(Vec::new());
        registration
    }

    /// Gives number and mailbox back, for the next executor on this thread.
    pub(crate) fn release(self) {
        *self.mailbox.letters() = None;
        self.mailbox.bell.store(SILENT, Ordering::Release);
        let mut leftover = Some(self);
        // Fails while the thread ends: then nobody comes after us.
        let _ = SPARE.try_with(|spare| leftover = spare.0.replace(leftover.take()));
        if let Some(registration) = leftover {
            registration.unregister();
        }
    }

    fn new() -> Registration {
        let mailbox = Arc::new(Mailbox {
            letters: Mutex::new(None),
            bell: AtomicU8::new(SILENT),
            thread: std::thread::current(),
            bell_of_reactor: Mutex::new(None),
        });
        let mut registry = REGISTRY.write().unwrap_or_else(PoisonError::into_inner);
        let vacant = registry.iter().position(|entry| entry.mailbox.is_none());
        let executor = vacant.unwrap_or(registry.len());
        if executor == MAX_EXECUTORS {
            drop(registry);
            panic!(
                "{MAX_EXECUTORS} executors are alive already: drop some before you make another"
            );
        }
        if vacant.is_none() {
            registry.push(Entry {
                mailbox: None,
                next_number: NonZeroU64::MIN,
            });
        }
        let entry = &mut registry[executor];
        entry.mailbox = Some(mailbox.clone());
        Registration {
            executor: executor as u16,
            mailbox,
            next_number: entry.next_number,
        }
    }

    fn unregister(self) {
        let mut registry = REGISTRY.write().unwrap_or_else(PoisonError::into_inner);
        let entry = &mut registry[usize::from(self.executor)];
        entry.next_number = self.next_number;
        entry.mailbox = None;
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(registration) = self.0.take() {
            registration.unregister();
        }
    }
}

#[cfg(test)]
#[path = "mailbox_tests.rs"]
mod tests;
