//! An executor that is watched: what each transition tells the recorder.
//!
//! An executor is watched if it is recorded, or would report a stall. Its scheduler has a recorder
//! then, and each arrow has one line, `if self.is_watched() { self.tell_…() }`. What it tells is
//! here, out of the way of those who read how an executor works. To one that nobody watches, a
//! transition costs a look at one word, and a wake not even that: a watched executor gives out
//! wakers with functions of their own (`waker.rs`).
//!
//! *One Event Per Transition*: each arrow of the scheduler's diagram records exactly one event, in
//! the function that is the arrow, so that the events alone are enough to replay the run
//! (`trace/state.rs`).
//!
//! Nothing here may change what the executor does. Next: `trace/event.rs`.

use super::holders;
use super::recorder::Recorder;
use super::scheduler::{self, Birth, Scheduler, try_current};
use super::timers::{Elsewhere, TimerName};
use crate::name::{Id, Name};
use crate::slab::Key;
use crate::time::clock::Instant;
use crate::trace::event::{Cause, Effect, Event, Outcome, Place, Trace};
use crate::trace::output::Output;
use crate::waits::Note;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// What a waker of a watched executor does: it tells, and wakes.
pub(crate) fn wake(name: Name) {
    tell(name, |scheduler| scheduler.tell_wake(name, scheduler.cause()));
    scheduler::wake(name);
}

/// Wakes a task that is to be aborted.
pub(crate) fn wake_to_abort(name: Name) {
    tell(name, |scheduler| scheduler.tell_abort(name));
    scheduler::wake(name);
}

/// The last waker of a task was dropped.
pub(crate) fn forget(name: Name) {
    tell(name, |scheduler| scheduler.tell_forgotten(name));
}

/// Tells the executor that runs on this thread, if it is that of the task, and watched.
fn tell(name: Name, what: impl FnOnce(&mut Scheduler)) {
    try_current(|scheduler| {
        if scheduler.is_watched() && scheduler.executor() == name.executor() {
            what(scheduler);
        }
    });
}

impl Scheduler {
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.recorder.is_some()
    }

    fn record(&mut self, event: Event) {
        if let Some(recorder) = &mut self.recorder {
            recorder.record(&self.timers.clock, event);
        }
    }

    fn recorder(&mut self) -> &mut Recorder {
        self.recorder.as_mut().expect("only a watched executor tells")
    }

    /// Who does what is being done.
    fn cause(&self) -> Cause {
        self.recorder.as_ref().map_or(Cause::Outside, |recorder| recorder.cause)
    }

    // Tasks.

    #[cold]
    pub(super) fn tell_spawn(&mut self, task: Id, birth: Birth<'_>) {
        self.recorder().has_root |= task.is_root();
        let Birth { place, name, size } = birth;
        let (name, by) = (name.map(Arc::from), self.cause());
        self.record(Event::Spawned {
            task,
            name,
            place,
            size,
            by,
        });
    }

    #[cold]
    pub(super) fn tell_begin_poll(&mut self, name: Name) {
        let task = self.id_of(name);
        self.record(Event::PollBegun { task });
        self.recorder().begin_poll(task, name);
    }

    #[cold]
    pub(super) fn tell_end_poll(&mut self, name: Name, outcome: Outcome) {
        let task = self.id_of(name);
        let wakers = holders::count(name);
        let clock = &self.timers.clock;
        let blocked = self.recorder.as_mut().and_then(|recorder| recorder.end_poll(clock));
        self.record(Event::PollEnded {
            task,
            outcome,
            wakers,
            blocked,
        });
        if outcome != Outcome::Pending {
            self.end_waits_of(task);
        }
    }

    /// The root is ready, or has panicked.
    #[cold]
    pub(super) fn tell_root_is_over(&mut self, panicked: bool) {
        if self.recorder.as_ref().is_some_and(|recorder| recorder.has_root) {
            let outcome = if panicked { Outcome::Panicked } else { Outcome::Ready };
            self.tell_end_poll(self.root_name(), outcome);
            self.recorder().has_root = false;
        }
        self.forget_cause();
    }

    /// The executor has stalled, and drops the root.
    #[cold]
    pub(super) fn tell_drop_root(&mut self) {
        self.tell_drop(self.root_id(), false);
        self.recorder().has_root = false;
    }

    fn end_waits_of(&mut self, task: Id) {
        if let Some(recorder) = &mut self.recorder {
            recorder.end_waits_of(&self.timers.clock, task);
        }
    }

    /// Somebody is going to wake a task, or a letter does.
    #[cold]
    pub(super) fn tell_wake(&mut self, name: Name, by: Cause) {
        if let Some(task) = self.own_id(name) {
            let effect = self.effect_of(name, task);
            if effect == Effect::Noted {
                self.recorder().unwoken = None;
            }
            self.record(Event::Woken { task, by, effect });
        }
    }

    /// This is the running executor again. If another one was dropped in the middle of a poll, its
    /// destructors may have woken the task that is being polled, which this one did not see.
    #[cold]
    pub(super) fn tell_wake_from_elsewhere(&mut self) {
        if let Some(name) = self.recorder().unwoken
            && self.effect_of_wake(name) == Effect::Coalesced
        {
            let (task, by) = (self.id_of(name), self.cause());
            self.record(Event::Woken {
                task,
                by,
                effect: Effect::Noted,
            });
            self.recorder().unwoken = None;
        }
    }

    /// A wake that asks for an abort.
    #[cold]
    fn tell_abort(&mut self, name: Name) {
        let by = self.cause();
        if let Some(task) = self.own_id(name) {
            self.record(Event::AbortAsked { task, by });
            self.tell_wake(name, by);
        }
    }

    #[cold]
    fn tell_forgotten(&mut self, name: Name) {
        if let Some(task) = self.own_id(name)
            && self.effect_of(name, task) == Effect::Queued
        {
            let by = self.cause();
            self.record(Event::Forgotten { task, by });
        }
    }

    /// The id of the task with this name, unless it was one of an earlier executor's, which had the
    /// same number. (Such a name is too low for a task of this one.)
    fn own_id(&self, name: Name) -> Option<Id> {
        let task = self.id_of(name);
        (!task.is_root() || name == self.root_name()).then_some(task)
    }

    /// What a wake would change now. The root's slot is there also when no root is.
    fn effect_of(&mut self, name: Name, task: Id) -> Effect {
        match task.is_root() && !self.recorder().has_root {
            true => Effect::Stale,
            false => self.effect_of_wake(name),
        }
    }

    /// A task's future is going to be dropped, unfinished.
    #[cold]
    pub(super) fn tell_drop(&mut self, task: Id, aborted: bool) {
        self.record(Event::Dropped { task, aborted });
        self.recorder().cause = Cause::Drop(task);
    }

    /// That future has been dropped.
    #[inline]
    pub(super) fn tell_is_dropped(&mut self, key: Key) {
        self.end_waits_of(self.id(key));
        self.forget_cause();
    }

    /// What has caused what happened is over: what happens now has no cause in here.
    #[inline]
    pub(super) fn forget_cause(&mut self) {
        if let Some(recorder) = &mut self.recorder
            && let Cause::Drop(task) = std::mem::replace(&mut recorder.cause, Cause::Outside)
        {
            recorder.end_waits_of(&self.timers.clock, task);
        }
    }

    #[cold]
    pub(super) fn tell_wait(&mut self, note: Note<'_>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.note(&self.timers.clock, note);
        }
    }

    // Timers.

    /// A name for a timer that is on no wheel: it says which one it is when it comes to be armed,
    /// and as long as it has not, it is looked up like a stale one, and not found.
    #[cold]
    pub(crate) fn make_timer(&mut self, deadline: Instant, place: Place) -> Option<TimerName> {
        let by = self.cause();
        let recorder = self.recorder.as_mut()?;
        let timer = recorder.number_timer();
        let number = recorder.keep_unarmed(timer);
        let deadline = recorder.time(deadline);
        self.record(Event::TimerMade {
            timer: timer.get(),
            deadline,
            place,
            by,
        });
        Some(TimerName::unarmed(self.executor(), number))
    }

    /// A `Sleep` was polled, which knew its timer by one name before and by another after it.
    #[cold]
    pub(super) fn tell_poll_timer(
        &mut self,
        before: Option<TimerName>,
        after: Option<TimerName>,
        deadline: Instant,
        answer: Poll<()>,
    ) {
        let wakes = match self.cause() {
            Cause::Task(task) => Some(task),
            _ => None,
        };
        match after {
            Some(armed) if before != after => {
                let executor = self.executor();
                let recorder = self.recorder();
                let known = before.filter(|before| before.executor() == executor);
                let known = known.and_then(|before| recorder.take_timer(before));
                let number = known.map_or_else(|| recorder.number_timer(), |(number, _)| number);
                self.tell_arm(armed, number, deadline, wakes);
            }
            Some(armed) if answer.is_pending() => {
                // It was on the wheel already. Another task may poll it now.
                if let Some((number, woke)) = self.recorder().timer(armed.number())
                    && woke != wakes
                {
                    self.tell_arm(armed, number, deadline, wakes);
                }
            }
            Some(unarmed) if answer.is_ready() => {
                if let Some(number) = self.recorder().find_due(unarmed) {
                    self.record(Event::TimerDue {
                        timer: number.get(),
                    });
                }
            }
            _ => {}
        }
    }

    #[cold]
    pub(super) fn reset_watched_timer(
        &mut self,
        timer: TimerName,
        deadline: Instant,
    ) -> Result<(Option<TimerName>, Option<Waker>), Elsewhere> {
        let (armed, waker) = self.timers.reset(timer, deadline)?;
        let Some((number, wakes)) = self.recorder().take_timer(timer) else {
            return Ok((armed, waker));
        };
        let time = self.recorder().time(deadline);
        self.record(Event::TimerReset {
            timer: number.get(),
            deadline: time,
        });
        let name = match armed {
            Some(armed) => {
                self.tell_arm(armed, number, deadline, wakes);
                armed
            }
            None => {
                let number = self.recorder().keep_unarmed(number);
                TimerName::unarmed(self.executor(), number)
            }
        };
        Ok((Some(name), waker))
    }

    fn tell_arm(
        &mut self,
        armed: TimerName,
        number: NonZeroU64,
        deadline: Instant,
        wakes: Option<Id>,
    ) {
        let recorder = self.recorder();
        recorder.keep_timer(armed, number, wakes);
        let deadline = recorder.time(deadline);
        self.record(Event::TimerArmed {
            timer: number.get(),
            deadline,
            wakes,
        });
    }

    /// A timer is going to wake somebody. `entry` is its number on the wheel.
    #[cold]
    pub(super) fn tell_fire(&mut self, entry: NonZeroU64) {
        let cause = match self.recorder().timer(entry) {
            Some((timer, _)) => {
                self.record(Event::TimerFired { timer: timer.get() });
                Cause::Timer(timer.get())
            }
            // Its `Sleep` was dropped or reset by the waker of one that was due at the same time.
            None => Cause::Outside,
        };
        self.recorder().cause = cause;
    }

    /// Sockets that are ready are going to wake those who wait for them.
    #[cold]
    pub(super) fn tell_wake_by_socket(&mut self) {
        self.recorder().cause = Cause::Socket;
    }

    /// A `Sleep` is dropped, or was elsewhere. Its timer may be another executor's.
    #[cold]
    pub(super) fn tell_drop_timer(&mut self, timer: TimerName) {
        if timer.executor() == self.executor()
            && let Some((number, _)) = self.recorder().take_timer(timer)
        {
            self.record(Event::TimerDropped {
                timer: number.get(),
            });
        }
    }

    // The executor.

    /// The thread is going to sleep, for as long as this.
    pub(super) fn park(&mut self, limit: Option<Duration>) {
        let clock = &self.timers.clock;
        if let Some(recorder) = &mut self.recorder {
            let until = limit.map(|limit| recorder.time(clock.now()).saturating_add(limit));
            recorder.record(clock, Event::Parked { until });
        }
    }

    pub(super) fn unpark(&mut self) {
        self.record(Event::Unparked);
    }

    #[cold]
    pub(super) fn tell_clock_set(&mut self) {
        self.record(Event::ClockSet);
    }

    // What the program says.

    pub(crate) fn mark(&mut self, text: &str) {
        if self.is_watched() {
            let event = Event::Mark {
                by: self.cause(),
                text: text.into(),
            };
            self.record(event);
        }
    }

    pub(crate) fn value(&mut self, name: &str, value: i64) {
        if self.is_watched() {
            self.record(Event::Value {
                name: name.into(),
                value,
            });
        }
    }

    /// Where the trace is to go, and the trace. Once.
    pub(super) fn take_output(&mut self) -> Option<(Output, Trace)> {
        let output = self.recorder.as_mut()?.output.take()?;
        Some((output, self.trace()?))
    }

    /// What has been recorded so far. `None` if nobody watches.
    pub(crate) fn trace(&self) -> Option<Trace> {
        let recorder = self.recorder.as_ref()?;
        Some(recorder.trace(&self.timers.clock))
    }
}
