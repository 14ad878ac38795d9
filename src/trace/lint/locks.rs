//! `lock-across-wait`: a task has a lock while it awaits something else, and another has to wait.
//!
//! Who has a lock is not told by any event, but it follows from some:
//!
//! - A lock that is let go of wakes the first in line. So if a task waits for nothing but a lock,
//!   is woken in the poll of another, and then has it, that other has let go of it.
//! - While somebody waits, nobody gets the lock who has not stood in line too. So if the other has
//!   not left the line in that very poll, it had the lock before: across an await.
//!
//! Next: `trace/output.rs`.

use super::found::{Find, Found, LintKind};
use super::view::{Check, View, capital};
use crate::name::Id;
use crate::trace::event::{Awaited, Cause, Effect, Event, Place, Record};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;
use std::time::Duration;

/// A lock that is waited for as long as this is held for long.
const LONG: Duration = Duration::from_millis(100);

/// What is waited for of a lock, in the words of `sync/mutex.rs` and `sync/rwlock.rs`.
const LOCKS: [&str; 2] = ["the mutex", "the read-write lock"];

#[derive(Default)]
pub(super) struct Locks {
    found: Found,
    waits: BTreeMap<u64, Waiting>,
    /// The numbers of the waits of each task.
    of_task: BTreeMap<Id, BTreeSet<u64>>,
    /// By line: the record with which a wait in it was last over.
    last_ended: BTreeMap<u64, usize>,
    aborted: BTreeSet<Id>,
    /// By the task that waits: who seems to have let go of the lock.
    releases: BTreeMap<Id, Release>,
}

struct Waiting {
    task: Id,
    since: Duration,
    /// `None`: for something else.
    lock: Option<Lock>,
}

#[derive(Clone, Copy)]
struct Lock {
    what: &'static str,
    place: Place,
    line: u64,
}

struct Release {
    by: Id,
    /// It may be over when this is told.
    label: String,
    wait: u64,
    lock: Lock,
    since: Duration,
    waited: Duration,
}

impl Check for Locks {
    fn see(&mut self, view: &View, record: &Record) {
        match record.event {
            Event::WaitBegun {
                wait,
                task,
                awaited,
            } => {
                let waiting = Waiting {
                    task,
                    since: record.at,
                    lock: Lock::of(&awaited),
                };
                self.waits.insert(wait, waiting);
                self.of_task.entry(task).or_default().insert(wait);
            }
            Event::WaitEnded { wait } => self.see_ended(view, wait),
            Event::Woken {
                task,
                by,
                effect: Effect::Queued,
            } => {
                self.releases.remove(&task);
                let release = self.release(view, task, by, record.at);
                self.releases.extend(release.map(|release| (task, release)));
            }
            // It may be this wake that ends the wait.
            Event::Woken { task, by, .. }
                if self.releases.get(&task).is_some_and(|known| by != Cause::Task(known.by)) =>
            {
                self.releases.remove(&task);
            }
            Event::AbortAsked { task, .. } => drop(self.aborted.insert(task)),
            _ => {}
        }
    }

    fn end(&mut self, _: &View) -> Vec<(LintKind, Found)> {
        vec![(LintKind::LockAcrossWait, take(&mut self.found))]
    }
}

impl Locks {
    /// A task is woken. What is known of it, if it looks like the end of a long wait for a lock
    /// that the task that is being polled has had across an await.
    fn release(&self, view: &View, woken: Id, by: Cause, at: Duration) -> Option<Release> {
        if self.aborted.contains(&woken) {
            return None;
        }
        let poll = view.poll.filter(|poll| by == Cause::Task(poll.task))?;
        let waits = self.of_task.get(&woken).filter(|waits| waits.len() == 1)?;
        let wait = *waits.first()?;
        let waiting = self.waits.get(&wait)?;
        let (lock, waited) = (waiting.lock?, at.saturating_sub(waiting.since));
        // It has got it only now, or a wait was given up that passes on what it had been given.
        let only_now = self.last_ended.get(&lock.line).is_some_and(|ended| *ended > poll.nth);
        // In its first poll it can only have brought along what somebody else had.
        let is_first_poll = view.state.task(poll.task)?.polls <= 1;
        let held_long = waited >= LONG && !only_now && !is_first_poll;
        held_long.then_some(Release {
            by: poll.task,
            label: view.label(poll.task),
            wait,
            lock,
            since: waiting.since,
            waited,
        })
    }

    fn see_ended(&mut self, view: &View, wait: u64) {
        let Some(Waiting { task, lock, .. }) = self.waits.remove(&wait) else {
            return;
        };
        if let Some(waits) = self.of_task.get_mut(&task) {
            waits.remove(&wait);
        }
        if let Some(lock) = lock {
            self.last_ended.insert(lock.line, view.nth);
        }
        let release = self.releases.remove(&task);
        if let Some(release) = release.filter(|release| release.wait == wait) {
            self.tell(view, task, &release);
        }
    }

    fn tell(&mut self, view: &View, waiter: Id, release: &Release) {
        let Lock { what, place, .. } = release.lock;
        let find = Find::new(release.by, place, release.since);
        self.found.add(find.weighing(release.waited.as_nanos()), || {
            format!(
                "{} had {what} that was made at {place} while it awaited something else, and {} \
                 had to wait {} ms for it. Drop the guard before the await, unless others must be \
                 kept out for so long.",
                capital(&release.label),
                view.label(waiter),
                release.waited.as_millis(),
            )
        });
    }
}

impl Lock {
    fn of(awaited: &Awaited) -> Option<Lock> {
        match *awaited {
            Awaited::Thing { what, place, line } if LOCKS.contains(&what) => {
                Some(Lock { what, place, line })
            }
            _ => None,
        }
    }
}
