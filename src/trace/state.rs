//! The replay: what the state of everything was after each event.
//!
//! A [`State`] takes the events of a trace one by one and does with each what the executor did:
//! the same run queue, the same states of tasks, the same timers. Nothing has to be asked of the
//! executor, so it works as well years later, forwards from any beginning, and in another language
//! (the player does the same in its page). `executor/scheduler_tests.rs` plays random programs and
//! compares the two at each step.
//!
//! The recorder uses it too. It has room for so many events; for each new one it forgets the oldest
//! and lets a `State` take it. So what it forgets is not lost but summed up, and a trace begins
//! with that sum: [`State::to_records`].
//!
//! Next: `trace/layout.rs`.

use super::event::{Awaited, Cause, Effect, Event, Outcome, Phase, Place, Record, TaskState};
use crate::name::Id;
use std::collections::BTreeMap;
use std::time::Duration;

/// The state of an executor at one point of its run.
///
/// ```
/// use handspun::executor::Executor;
/// use handspun::trace::State;
///
/// let executor = Executor::builder().start_paused(true).record(1_000).build();
/// executor.block_on(async {
///     handspun::spawn(async {});
///     handspun::task::yield_now().await;
/// });
/// // What the run queue looked like after each event:
/// let mut state = State::default();
/// let mut longest = 0;
/// for record in executor.into_trace().records() {
///     state.take(record);
///     longest = longest.max(state.queue().count());
/// }
/// assert_eq!(longest, 2); // the task, and behind it the root, which has yielded
/// ```
#[derive(Clone, Debug, Default)]
pub struct State {
    now: Duration,
    /// By the order in which they have joined it: a task that is dropped may stand anywhere.
    queue: BTreeMap<u64, Id>,
    /// Where each of them stands.
    places: BTreeMap<Id, u64>,
    tasks: BTreeMap<Id, TaskState>,
    timers: BTreeMap<u64, TimerState>,
    waits: BTreeMap<u64, WaitState>,
}

/// A timer: a `Sleep` that is not dropped yet.
#[derive(Clone, PartialEq, Debug)]
pub struct TimerState {
    /// When it is to be ready.
    pub deadline: Duration,
    /// Where it was made, when, and by whom, if the trace tells.
    pub made: Option<(Place, Duration, Cause)>,
    /// Since when it is on the wheel. `None`: it is not. Either nobody has polled it yet, or it has
    /// fired.
    pub armed: Option<Duration>,
    /// If it is on the wheel: which task polled it last, and will be woken.
    pub wakes: Option<Id>,
}

impl TimerState {
    fn disarm(&mut self) {
        self.armed = None;
        self.wakes = None;
    }
}

/// A wait that goes on.
#[derive(Clone, PartialEq, Debug)]
pub struct WaitState {
    /// Who waits.
    pub task: Id,
    /// For what.
    pub awaited: Awaited,
    /// Since when.
    pub since: Duration,
}

impl State {
    /// Goes on to after this record.
    pub fn take(&mut self, record: &Record) {
        self.now = record.at;
        match &record.event {
            Event::Spawned {
                task,
                name,
                place,
                size,
                by,
            } => {
                let state = TaskState {
                    name: name.clone(),
                    place,
                    size: *size,
                    by: *by,
                    phase: Phase::Queued,
                    since: record.at,
                    polls: 0,
                    wakers: 0,
                };
                self.insert(*task, state);
            }
            Event::Known { task, state } => self.insert(*task, (**state).clone()),
            Event::PollBegun { task } => {
                self.enter(*task, Phase::Polling);
                if let Some(state) = self.tasks.get_mut(task) {
                    state.polls = state.polls.saturating_add(1);
                }
            }
            Event::PollEnded {
                task,
                outcome,
                wakers,
                ..
            } => {
                let state = self.tasks.get_mut(task);
                let phase = state.map(|state| {
                    state.wakers = *wakers;
                    state.phase
                });
                match (outcome, phase) {
                    (Outcome::Pending, Some(Phase::PollingAndWoken)) => {
                        self.enter(*task, Phase::Queued);
                    }
                    (Outcome::Pending, _) => self.enter(*task, Phase::Idle),
                    _ => self.remove(*task),
                }
            }
            Event::Woken { task, effect, .. } => match effect {
                Effect::Queued => self.enter(*task, Phase::Queued),
                Effect::Noted => self.enter(*task, Phase::PollingAndWoken),
                Effect::Coalesced | Effect::Stale => {}
            },
            Event::Dropped { task, .. } => self.remove(*task),
            Event::TimerMade {
                timer,
                deadline,
                place,
                by,
            } => {
                let state = self.timer(*timer, *deadline);
                state.made = Some((*place, record.at, *by));
            }
            Event::TimerArmed {
                timer,
                deadline,
                wakes,
            } => {
                let state = self.timer(*timer, *deadline);
                state.armed.get_or_insert(record.at);
                state.wakes = *wakes;
            }
            Event::TimerReset { timer, deadline } => self.timer(*timer, *deadline).disarm(),
            Event::TimerFired { timer } | Event::TimerDue { timer } => {
                self.timers.entry(*timer).and_modify(TimerState::disarm);
            }
            Event::TimerDropped { timer } => drop(self.timers.remove(timer)),
            Event::WaitBegun {
                wait,
                task,
                awaited,
            } => {
                let state = WaitState {
                    task: *task,
                    awaited: *awaited,
                    since: record.at,
                };
                self.waits.insert(*wait, state);
            }
            Event::WaitEnded { wait } => drop(self.waits.remove(wait)),
            Event::Forgotten { task, .. } => {
                self.tasks.entry(*task).and_modify(|state| state.wakers = 0);
            }
            Event::AbortAsked { .. }
            | Event::Parked { .. }
            | Event::Unparked
            | Event::ClockSet
            | Event::Mark { .. }
            | Event::Value { .. } => {}
        }
    }

    /// The time of the last record.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// The run queue, the task that is polled next first.
    pub fn queue(&self) -> impl ExactSizeIterator<Item = Id> {
        self.queue.values().copied()
    }

    /// All tasks that are alive, in the order in which they were spawned; the root first.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = (Id, &TaskState)> {
        self.tasks.iter().map(|(task, state)| (*task, state))
    }

    /// One task, if it is alive.
    pub fn task(&self, task: Id) -> Option<&TaskState> {
        self.tasks.get(&task)
    }

    /// All timers, by their numbers.
    pub fn timers(&self) -> impl ExactSizeIterator<Item = (u64, &TimerState)> {
        self.timers.iter().map(|(timer, state)| (*timer, state))
    }

    /// All waits, in the order in which they have begun.
    pub fn waits(&self) -> impl ExactSizeIterator<Item = (u64, &WaitState)> {
        self.waits.iter().map(|(wait, state)| (*wait, state))
    }

    /// Records that lead to this state from nothing: for each task a [`Known`](Event::Known), those
    /// in the run queue first, and for timers and waits the events that still matter.
    pub fn to_records(&self) -> Vec<Record> {
        let queued = self.queue.values().map(|task| (task, &self.tasks[task]));
        let others = self.tasks.iter().filter(|(_, state)| state.phase != Phase::Queued);
        let known = queued.chain(others).map(|(&task, state)| Record {
            at: state.since,
            event: Event::Known {
                task,
                state: Box::new(state.clone()),
            },
        });
        let timers = self.timers.iter().flat_map(|(&timer, state)| {
            let deadline = state.deadline;
            let made = state.made.map(|(place, at, by)| Record {
                at,
                event: Event::TimerMade {
                    timer,
                    deadline,
                    place,
                    by,
                },
            });
            let armed = state.armed.map(|at| Record {
                at,
                event: Event::TimerArmed {
                    timer,
                    deadline,
                    wakes: state.wakes,
                },
            });
            // Nobody saw it being made, and it is off the wheel: this alone says that it is there.
            let other = (made.is_none() && armed.is_none()).then_some(Record {
                at: self.now,
                event: Event::TimerReset { timer, deadline },
            });
            made.into_iter().chain(armed).chain(other)
        });
        let waits = self.waits.iter().map(|(&wait, state)| Record {
            at: state.since,
            event: Event::WaitBegun {
                wait,
                task: state.task,
                awaited: state.awaited,
            },
        });
        known.chain(timers).chain(waits).collect()
    }

    fn insert(&mut self, task: Id, state: TaskState) {
        self.remove(task);
        if state.phase == Phase::Queued {
            self.enqueue(task);
        }
        self.tasks.insert(task, state);
    }

    /// A task is in the queue if and only if that is its phase, also if the records are of
    /// somebody's own making and say what cannot be.
    fn enter(&mut self, task: Id, phase: Phase) {
        let Some(state) = self.tasks.get_mut(&task) else {
            return;
        };
        state.since = self.now;
        let before = std::mem::replace(&mut state.phase, phase);
        match (before == Phase::Queued, phase == Phase::Queued) {
            (false, true) => self.enqueue(task),
            (true, false) => self.dequeue(task),
            _ => {}
        }
    }

    fn remove(&mut self, task: Id) {
        let state = self.tasks.remove(&task);
        if state.is_some_and(|state| state.phase == Phase::Queued) {
            self.dequeue(task);
        }
    }

    fn enqueue(&mut self, task: Id) {
        let place = self.queue.last_key_value().map_or(0, |(last, _)| last + 1);
        self.queue.insert(place, task);
        self.places.insert(task, place);
    }

    fn dequeue(&mut self, task: Id) {
        let place = self.places.remove(&task);
        place.and_then(|place| self.queue.remove(&place));
    }

    fn timer(&mut self, timer: u64, deadline: Duration) -> &mut TimerState {
        let state = self.timers.entry(timer).or_insert(TimerState {
            deadline,
            made: None,
            armed: None,
            wakes: None,
        });
        state.deadline = deadline;
        state
    }
}
