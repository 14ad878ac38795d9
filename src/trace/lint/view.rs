//! What a check is shown: a record, and what was before it.
//!
//! Next: `trace/lint/ends.rs`, the first check.

use super::found::{Found, LintKind};
use crate::name::Id;
use crate::trace::event::{Cause, Event, Phase, Record, Trace};
use crate::trace::state::State;
use std::time::Duration;

/// So much of a task's name stands in a sentence.
const SHORT_NAME: usize = 40;

/// Finds one lint, or several that need the same knowledge.
pub(super) trait Check {
    /// Is shown a record, and what was before it.
    fn see(&mut self, view: &View, record: &Record);
    /// The trace is over. What was found?
    fn end(&mut self, view: &View) -> Vec<(LintKind, Found)>;
}

/// What was before a record.
pub(super) struct View {
    pub(super) state: State,
    /// The number of the record.
    pub(super) nth: usize,
    /// The poll that is going on.
    pub(super) poll: Option<Poll>,
    /// Nothing was dropped for want of room.
    pub(super) is_complete: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Poll {
    pub(super) task: Id,
    /// The number of the record with which it began, and its time.
    pub(super) nth: usize,
    pub(super) at: Duration,
    /// How many others were in the run queue then.
    pub(super) queued: usize,
}

impl View {
    pub(super) fn of(trace: &Trace) -> View {
        View {
            state: State::default(),
            nth: 0,
            poll: None,
            is_complete: trace.dropped == 0,
        }
    }

    /// Every check has seen this record: the next one comes.
    pub(super) fn take(&mut self, record: &Record) {
        self.state.take(record);
        match record.event {
            Event::PollBegun { task } => {
                self.poll = Some(Poll {
                    task,
                    nth: self.nth,
                    at: record.at,
                    queued: self.state.queue().len(),
                });
            }
            Event::PollEnded { .. } => self.poll = None,
            _ => {}
        }
        self.nth += 1;
    }

    pub(super) fn is_polling(&self, task: Id) -> bool {
        self.poll.is_some_and(|poll| poll.task == task)
    }

    pub(super) fn phase(&self, task: Id) -> Option<Phase> {
        self.state.task(task).map(|state| state.phase)
    }

    /// A task in the middle of a sentence.
    pub(super) fn label(&self, task: Id) -> String {
        label(task, self.state.task(task).and_then(|state| state.name.as_deref()))
    }

    /// Who did something, in the middle of a sentence.
    pub(super) fn culprit(&self, cause: Cause) -> String {
        match cause {
            Cause::Task(task) => self.label(task),
            other => other.to_string(),
        }
    }

    /// The beginning of a sentence about a task that is alive.
    pub(super) fn introduce(&self, task: Id) -> String {
        let came = if task.is_root() { "run" } else { "spawned" };
        match self.state.task(task) {
            Some(state) => capital(&format!("{}, {came} at {},", self.label(task), state.place)),
            None => capital(&self.label(task)),
        }
    }
}

/// A task in the middle of a sentence. A name may be anything, so it is quoted and cut.
pub(super) fn label(task: Id, name: Option<&str>) -> String {
    match name {
        _ if task.is_root() => "the root".to_string(),
        Some(name) => {
            let short: String = name.chars().take(SHORT_NAME).collect();
            let rest = if short.len() < name.len() { "…" } else { "" };
            format!("task {task} (\"{}{rest}\")", short.escape_debug())
        }
        None => format!("task {task}"),
    }
}

/// A time of the run: in milliseconds, or finer if that is needed.
pub(super) fn time(at: Duration) -> String {
    match at.subsec_nanos() % 1_000_000 {
        0 => format!("{:.3} s", at.as_secs_f64()),
        _ => format!("{:.6} s", at.as_secs_f64()),
    }
}

/// The beginning of a sentence.
pub(super) fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}
