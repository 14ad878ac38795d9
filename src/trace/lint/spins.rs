//! `self-wake-spin`: a task that wakes itself, and does nothing else.
//!
//! A *spin* is a run of polls of one task, each of which was pending, and in each of which the task
//! woke itself and did nothing more that the trace shows. Nor did anybody else wake it.
//!
//! A task that works in many parts, and yields between them, looks the same. What tells it apart:
//! its polls take time; or, where the clock stands, it goes on to something else though nothing has
//! happened since its last poll that could have ended a wait.
//!
//! Next: `trace/lint/polls.rs`.

use super::found::{Find, Found, LintKind};
use super::view::{Check, View};
use crate::name::Id;
use crate::trace::event::{Cause, Event, Outcome, Record};
use std::collections::BTreeMap;
use std::mem::take;
use std::time::Duration;

/// So many polls are a spin.
const MANY_POLLS: u32 = 100;
/// Polls that take as long as this on average are work.
const WORK: Duration = Duration::from_micros(10);

#[derive(Default)]
pub(super) struct Spins {
    found: Found,
    /// Those that go on.
    spins: BTreeMap<Id, Spin>,
    /// In the poll that is going on, the task has woken itself.
    woke_itself: bool,
    /// And it did more than that.
    did_more: bool,
    /// Nothing has happened between the task's last poll and this one.
    undisturbed: bool,
}

struct Spin {
    began: Duration,
    polls: u32,
    /// The time that its polls took.
    took: Duration,
    /// The end of the last: the record, and its time.
    last: (usize, Duration),
}

impl Check for Spins {
    fn see(&mut self, view: &View, record: &Record) {
        match record.event {
            Event::PollBegun { task } => {
                let last = self.spins.get(&task).map(|spin| (spin.last.0 + 1, spin.last.1));
                self.undisturbed = last == Some((view.nth, record.at));
                self.woke_itself = false;
                self.did_more = false;
            }
            Event::PollEnded {
                task,
                outcome,
                blocked,
                ..
            } => {
                let spins = self.woke_itself && !self.did_more && blocked.is_none();
                match outcome {
                    Outcome::Pending if spins => self.go_on(view, task, record.at),
                    _ if self.undisturbed => drop(self.spins.remove(&task)),
                    _ => self.stop(view, task),
                }
            }
            Event::Woken { task, by, .. } if by == Cause::Task(task) && view.is_polling(task) => {
                self.woke_itself = true;
            }
            Event::Woken { task, .. } | Event::Dropped { task, .. } => {
                self.did_more = true;
                self.stop(view, task);
            }
            _ => self.did_more = true,
        }
    }

    fn end(&mut self, view: &View) -> Vec<(LintKind, Found)> {
        for task in self.spins.keys().copied().collect::<Vec<_>>() {
            self.stop(view, task);
        }
        vec![(LintKind::SelfWakeSpin, take(&mut self.found))]
    }
}

impl Spins {
    fn go_on(&mut self, view: &View, task: Id, at: Duration) {
        let began = view.poll.map_or(at, |poll| poll.at);
        let spin = self.spins.entry(task).or_insert(Spin {
            began,
            polls: 0,
            took: Duration::ZERO,
            last: (0, at),
        });
        spin.polls += 1;
        spin.took += at.saturating_sub(began);
        spin.last = (view.nth, at);
    }

    /// A spin is over, if there was one.
    fn stop(&mut self, view: &View, task: Id) {
        let (Some(spin), Some(state)) = (self.spins.remove(&task), view.state.task(task)) else {
            return;
        };
        let polls = spin.polls;
        if polls < MANY_POLLS || spin.took >= WORK * polls {
            return;
        }
        let find = Find::new(task, state.place, spin.began).weighing(u128::from(polls));
        self.found.add(find, || {
            format!(
                "{} woke itself in {polls} polls in a row and did nothing else in them: a busy \
                 loop. Let what it waits for wake it: a channel, a `Notify`, a timer.",
                view.introduce(task),
            )
        });
    }
}
