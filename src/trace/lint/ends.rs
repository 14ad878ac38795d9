//! `lost-wake` and `dropped-unfinished`: how tasks end that do not finish.
//!
//! A task is *hopeless* if it waits to be woken and nobody has its waker: when its poll ended there
//! was none, or the last one was dropped since.
//!
//! One thing may save it. A wake from another thread is told when it is taken in, not when it is
//! made: a task that looks hopeless may have been woken already. So it is only lost if the executor
//! has looked for such wakes since. It does that at the beginning of each turn, before it fires
//! timers. Where a turn begins no event tells; but a task that joins the run queue is not polled in
//! the same turn, so if one has joined and was polled, it has looked between.
//!
//! Next: `trace/lint/spins.rs`.

use super::found::{Find, Found, LintKind};
use super::view::{Check, View, time};
use crate::name::Id;
use crate::trace::event::{Effect, Event, Outcome, Phase, Record, TaskState};
use std::collections::BTreeMap;
use std::mem::take;
use std::time::Duration;

#[derive(Default)]
pub(super) struct Ends {
    lost: Found,
    dropped: Found,
    hopeless: BTreeMap<Id, Hopeless>,
    /// With which record the tasks of the run queue have joined it.
    queued: BTreeMap<Id, usize>,
    /// The executor has looked for wakes from other threads since this record.
    looked: usize,
    /// The root has panicked, or the executor has stalled: that other tasks are dropped is not
    /// their own mistake.
    root_failed: bool,
}

struct Hopeless {
    /// Since this record.
    nth: usize,
    at: Duration,
    /// Who dropped the last waker, if there was one.
    forgotten_by: Option<String>,
}

impl Check for Ends {
    fn see(&mut self, view: &View, record: &Record) {
        match record.event {
            Event::Spawned { task, .. } => {
                self.queued.insert(task, view.nth);
                self.hopeless.remove(&task);
                self.root_failed &= !task.is_root();
            }
            Event::PollBegun { task } => {
                self.looked = self.looked.max(self.queued.remove(&task).unwrap_or(0));
                self.hopeless.remove(&task);
            }
            Event::PollEnded {
                task,
                outcome: Outcome::Pending,
                wakers,
                ..
            } => match view.phase(task) {
                Some(Phase::PollingAndWoken) => drop(self.queued.insert(task, view.nth)),
                Some(Phase::Polling) if wakers == 0 => self.despair(view, task, record.at, None),
                _ => {}
            },
            Event::PollEnded { task, outcome, .. } => {
                self.root_failed |= task.is_root() && outcome == Outcome::Panicked;
            }
            Event::Woken { task, effect, .. } if effect != Effect::Stale => {
                self.hopeless.remove(&task);
                if effect == Effect::Queued {
                    self.queued.insert(task, view.nth);
                }
            }
            // What is forgotten outside of every poll is forgotten because everything ends.
            Event::Forgotten { task, by }
                if view.poll.is_some() && view.phase(task) == Some(Phase::Idle) =>
            {
                self.despair(view, task, record.at, Some(view.culprit(by)));
            }
            Event::Dropped { task, aborted } => {
                if task.is_root() {
                    self.root_failed = true;
                    self.looked = view.nth;
                }
                self.see_dropped(view, task, aborted, record.at);
            }
            _ => {}
        }
    }

    fn end(&mut self, view: &View) -> Vec<(LintKind, Found)> {
        for task in self.hopeless.keys().copied().collect::<Vec<_>>() {
            self.tell_lost(view, task);
        }
        vec![
            (LintKind::LostWake, take(&mut self.lost)),
            (LintKind::DroppedUnfinished, take(&mut self.dropped)),
        ]
    }
}

impl Ends {
    fn despair(&mut self, view: &View, task: Id, at: Duration, forgotten_by: Option<String>) {
        let hopeless = Hopeless {
            nth: view.nth,
            at,
            forgotten_by,
        };
        self.hopeless.insert(task, hopeless);
    }

    fn see_dropped(&mut self, view: &View, task: Id, aborted: bool, at: Duration) {
        let was_lost = self.tell_lost(view, task);
        self.hopeless.remove(&task);
        let Some(state) = view.state.task(task) else {
            return;
        };
        if !was_lost && !aborted && !self.root_failed {
            self.dropped.add(Find::new(task, state.place, at), || {
                format!(
                    "{} was dropped unfinished when the executor ended: it {}. Await its handle \
                     before the root is ready, or abort it when it is not needed any more.",
                    view.introduce(task),
                    doing(view, task, state),
                )
            });
        }
    }

    /// Tells of a task that it is lost, if that is sure.
    fn tell_lost(&mut self, view: &View, task: Id) -> bool {
        let hopeless = self.hopeless.get(&task).filter(|hopeless| hopeless.nth < self.looked);
        let (Some(hopeless), Some(state)) = (hopeless, view.state.task(task)) else {
            return false;
        };
        let (who, at) = (view.introduce(task), time(hopeless.at));
        self.lost.add(Find::new(task, state.place, hopeless.at), || match &hopeless.forgotten_by {
            None => format!(
                "{who} can never go on: when its poll at {at} ended, nobody had kept its waker. \
                 Whatever is pending must first leave a clone of the waker where the news will \
                 come from. (It is all right if it awaits `std::future::pending`.)"
            ),
            Some(by) => format!(
                "{who} can never go on: at {at} {by} dropped its last waker, and had not called \
                 it. Whoever holds a waker must call it, also when there will be no news."
            ),
        });
        true
    }
}

/// What a task did when it was dropped.
fn doing(view: &View, task: Id, state: &TaskState) -> String {
    let mut waits = view.state.waits().filter(|(_, wait)| wait.task == task);
    let mut timers = view.state.timers().map(|(_, timer)| timer);
    match state.phase {
        Phase::Queued if state.polls == 0 => "had not been polled once".to_string(),
        Phase::Queued => "was in the run queue".to_string(),
        _ => match waits.next() {
            Some((_, wait)) => format!("was waiting for {}", wait.awaited),
            None if timers.any(|timer| timer.armed.is_some() && timer.wakes == Some(task)) => {
                "was waiting for a timer".to_string()
            }
            None => "was waiting to be woken".to_string(),
        },
    }
}
