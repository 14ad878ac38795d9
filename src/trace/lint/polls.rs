//! `blocked-executor` and `never-yielded`, which are about polls that took long, and
//! `large-future`.
//!
//! What a long poll is, the recorder has decided: 10 ms, on a clock that runs.
//!
//! Next: `trace/lint/timers.rs`.

use super::found::{Find, Found, LintKind};
use super::view::{Check, View, capital, label};
use crate::trace::event::{Event, Outcome, Record};
use crate::trace::state::TimerState;
use std::mem::take;

/// `blocked-executor` and `never-yielded`. Of one poll only one of them is told.
#[derive(Default)]
pub(super) struct LongPolls {
    blocked: Found,
    never_yielded: Found,
}

impl Check for LongPolls {
    fn see(&mut self, view: &View, record: &Record) {
        let Event::PollEnded {
            task,
            outcome,
            blocked: Some(took),
            ..
        } = record.event
        else {
            return;
        };
        let (Some(poll), Some(state)) = (view.poll, view.state.task(task)) else {
            return;
        };
        // A panic takes time, to be printed. And where nobody else is, nobody is held up, unless a
        // timer was due meanwhile. (On a paused clock none is.)
        let is_late = |timer: &TimerState| timer.armed.is_some() && timer.deadline <= record.at;
        let is_alone =
            view.state.tasks().len() == 1 && !view.state.timers().any(|(_, timer)| is_late(timer));
        if outcome == Outcome::Panicked || is_alone {
            return;
        }
        let find = Find::new(task, state.place, poll.at).weighing(took.as_nanos());
        let took = took.as_millis();
        if outcome == Outcome::Ready && state.polls == 1 && poll.queued > 0 {
            let others = match poll.queued {
                1 => "another task was".to_string(),
                others => format!("{others} other tasks were"),
            };
            self.never_yielded.add(find, || {
                format!(
                    "{} had the thread for {took} ms, from its first poll to its end, while \
                     {others} in the run queue. {CURE}",
                    view.introduce(task)
                )
            });
        } else {
            self.blocked.add(find, || {
                format!(
                    "{} took {took} ms for one poll, and nothing else could run meanwhile. {CURE}",
                    view.introduce(task)
                )
            });
        }
    }

    fn end(&mut self, _: &View) -> Vec<(LintKind, Found)> {
        vec![
            (LintKind::BlockedExecutor, take(&mut self.blocked)),
            (LintKind::NeverYielded, take(&mut self.never_yielded)),
        ]
    }
}

const CURE: &str = "Give what blocks to `spawn_blocking`, and in a long computation await \
                    `yield_now()` now and then.";

/// A future of more bytes than this is large.
const LARGE: usize = 16 * 1024;

/// `large-future`. The root's is not told: it stays where it is, on the stack.
#[derive(Default)]
pub(super) struct Sizes {
    found: Found,
}

impl Check for Sizes {
    fn see(&mut self, _: &View, record: &Record) {
        let (task, name, place, size) = match &record.event {
            Event::Spawned {
                task,
                name,
                place,
                size,
                ..
            } => (*task, name, *place, *size),
            Event::Known { task, state } => (*task, &state.name, state.place, state.size),
            _ => return,
        };
        if size <= LARGE || task.is_root() {
            return;
        }
        let find = Find::new(task, place, record.at).weighing(size as u128);
        self.found.add(find, || {
            format!(
                "{}, spawned at {place}, is a future of {size} bytes. All that it keeps across an \
                 await is in there: put a large buffer into a `Vec`, and await a large future as \
                 `Box::pin(future).await`.",
                capital(&label(task, name.as_deref()))
            )
        });
    }

    fn end(&mut self, _: &View) -> Vec<(LintKind, Found)> {
        vec![(LintKind::LargeFuture, take(&mut self.found))]
    }
}
