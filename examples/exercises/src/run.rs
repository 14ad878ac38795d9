//! A run of an answer on handspun's executor, and questions that a check has about it.
//!
//! The clock is paused, all is recorded, and a stall is a panic. What a case gives to
//! [`Case::block_on`] or [`spawn`] is *watched*: its polls are counted, so that a run that goes on
//! for ever comes to an end, and the trace is put aside now and then, so that there is something to
//! show of a poll that never returns.
//!
//! Next: `examples/exercises/src/hand.rs`.

use crate::check::{Case, Mistake, SEEN, Wrong, lock};
use handspun::executor::{Builder, Executor};
use handspun::task::{Builder as TaskBuilder, Id, JoinHandle};
use handspun::trace::{Event, Outcome, Trace};
use std::cell::Cell;
use std::collections::HashMap;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

/// So many polls of what is watched are more than any case needs.
pub const MOST_POLLS: usize = 20_000;

/// So many events of a run are kept.
const EVENTS: usize = 200_000;

/// The trace is put aside in each of so many polls, then in each 1,000th.
const ASIDE: usize = 100;

/// What ends a run that would go on for ever. It is nobody's panic, so no hook hears of it.
pub(crate) struct NeverEnds;

/// A poll that has happened.
#[derive(Clone, Copy, Debug)]
pub struct PollOf {
    /// Whose.
    pub task: Id,
    /// The record with which it began.
    pub began: usize,
    /// The record with which it ended, if it has.
    pub ended: Option<usize>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

impl PollOf {
    /// The last record in it, or the one with which it began if it has not ended.
    pub fn last(&self) -> usize {
        self.ended.map_or(self.began, |ended| ended - 1)
    }
}

impl Case {
    /// Runs `root` on an executor that is recorded, with a paused clock, until it is ready. A run
    /// that stalls or panics ends the case.
    #[track_caller]
    pub fn block_on<F: Future>(&self, root: F) -> F::Output {
        self.block_on_with(Executor::builder().start_paused(true).panic_on_stall(true), root)
    }

    /// The same on an executor of other settings, for a clock that runs.
    #[track_caller]
    pub fn block_on_with<F: Future>(&self, builder: Builder, root: F) -> F::Output {
        SEEN.set(Some(self.seen.clone()));
        POLLS.set(0);
        let executor = builder.seed(1).record(EVENTS).build();
        let running = Running {
            case: self,
            executor: Some(executor),
        };
        running.executor().block_on(watched(pin!(root)))
    }

    /// The trace of the last [`block_on`](Case::block_on).
    pub fn trace(&self) -> Trace {
        lock(&self.seen).trace.clone().unwrap_or_default()
    }

    /// The polls of all tasks of the last run, in order.
    pub fn polls(&self) -> Vec<PollOf> {
        polls(&self.trace())
    }

    /// The polls of the tasks of this name; `"root"` is the future given to `block_on`.
    pub fn polls_of(&self, name: &str) -> Vec<PollOf> {
        let trace = self.trace();
        let names = names(&trace);
        let mut polls = polls(&trace);
        polls.retain(|poll| names.get(&poll.task).is_some_and(|called| called == name));
        polls
    }

    /// The task of this name was polled so often. `mistakes`: what it most likely is if it was
    /// polled less often than that, and, if there is a second one, more often.
    pub fn expect_polls(&self, name: &str, expected: usize, mistakes: &[Mistake]) {
        let polls = self.polls_of(name);
        let count = polls.len();
        if count == expected {
            return;
        }
        let of_whom = if name == "root" { String::new() } else { format!(" of {name}") };
        let mut wrong = Wrong::new(counted(expected, "poll") + &of_whom, count);
        wrong = match polls.get(expected) {
            Some(first) => {
                wrong.at(first.began, "one poll too many").looks_like(mistakes.get(1).copied())
            }
            None => wrong.looks_like(mistakes.first().copied()),
        };
        if let (true, Some(last)) = (count < expected, polls.last()) {
            let what =
                if last.outcome == Some(Outcome::Ready) { "ready already" } else { "the last" };
            wrong = wrong.at(last.began, format!("{what}, in poll {count}"));
        }
        self.is_wrong(wrong);
    }

    /// These tasks were polled, in this order: names, the root's is `"root"`.
    pub fn expect_order(&self, expected: &[&str], mistake: impl Into<Option<Mistake>>) {
        let names = names(&self.trace());
        let polls = self.polls();
        let polls = polls.iter().map(|poll| (names[&poll.task].as_str(), poll.began));
        let (order, began): (Vec<&str>, Vec<usize>) = polls.unzip();
        if let Some(wrong) = wrong_order(&order, &began, expected) {
            self.is_wrong(wrong.looks_like(mistake));
        }
    }
}

/// The first difference between the order of the polls and the expected one, if there is any.
/// `began`: the records with which the polls began.
pub(crate) fn wrong_order(order: &[&str], began: &[usize], expected: &[&str]) -> Option<Wrong> {
    let longest = order.len().max(expected.len());
    let first = (0..longest).find(|&nth| order.get(nth) != expected.get(nth))?;
    let wrong = Wrong::new(format!("the order {}", order_of(expected)), order_of(order));
    Some(match (began.get(first), expected.get(first), began.last()) {
        (Some(&at), Some(other), _) => wrong.at(at, format!("it was {other}'s turn")),
        (Some(&at), None, _) => wrong.at(at, "one poll too many"),
        (None, Some(other), Some(&at)) => wrong.at(at, format!("after this it was {other}'s turn")),
        (None, ..) => wrong,
    })
}

/// "a b a b", or the beginning of it.
fn order_of(names: &[&str]) -> String {
    const MOST: usize = 24;
    let more = if names.len() > MOST { " …" } else { "" };
    match names.len() {
        0 => "no poll".to_string(),
        _ => format!("{}{more}", names[..names.len().min(MOST)].join(" ")),
    }
}

pub(crate) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// An executor that runs. Its trace is kept, in whichever way it ends.
struct Running<'a> {
    case: &'a Case,
    executor: Option<Executor>,
}

impl Running<'_> {
    fn executor(&self) -> &Executor {
        self.executor.as_ref().expect("it is there until the end")
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let trace = self.executor.take().map(Executor::into_trace);
        let mut seen = lock(&self.case.seen);
        // Of a run without an end, what was put aside before it was stopped is shown.
        if !seen.never_ends {
            seen.trace = trace;
        }
    }
}

/// Spawns a task that is watched, as tasks of a case should be: in the drawing it has this name.
#[track_caller]
pub fn spawn<F>(name: &str, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    TaskBuilder::new().name(name).spawn(Watched(Box::pin(future)))
}

fn watched<F: Future>(future: Pin<&mut F>) -> Watched<Pin<&mut F>> {
    Watched(future)
}

struct Watched<F>(F);

thread_local! {
    /// The polls of this run so far.
    static POLLS: Cell<usize> = const { Cell::new(0) };
}

impl<F: Future + Unpin> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let polls = POLLS.get() + 1;
        POLLS.set(polls);
        if polls < ASIDE || polls.is_multiple_of(1_000) {
            put_aside(false);
        }
        if polls > MOST_POLLS {
            put_aside(true);
            resume_unwind(Box::new(NeverEnds));
        }
        Pin::new(&mut self.0).poll(cx)
    }
}

fn put_aside(never_ends: bool) {
    let trace = handspun::trace::current();
    SEEN.with_borrow(|seen| {
        if let Some(seen) = seen {
            let mut seen = lock(seen);
            // It is the first poll too many that is shown. Others follow: of who waited for it.
            if seen.never_ends {
                return;
            }
            // What is over when this is called has left no executor to ask.
            seen.trace = trace.or(seen.trace.take());
            seen.never_ends |= never_ends;
        }
    });
}

// The trace.

/// All polls, in order.
pub(crate) fn polls(trace: &Trace) -> Vec<PollOf> {
    let mut polls: Vec<PollOf> = Vec::new();
    for (nth, record) in trace.records().iter().enumerate() {
        match record.event {
            Event::PollBegun { task } => polls.push(PollOf {
                task,
                began: nth,
                ended: None,
                outcome: None,
            }),
            Event::PollEnded { outcome, .. } => {
                if let Some(last) = polls.last_mut() {
                    last.ended = Some(nth);
                    last.outcome = Some(outcome);
                }
            }
            _ => {}
        }
    }
    polls
}

/// What the tasks are called in the drawing.
pub(crate) fn names(trace: &Trace) -> HashMap<Id, String> {
    let name_of = |task: &Id, name: &Option<Arc<str>>| match name {
        _ if task.to_string() == "0" => "root".to_string(),
        Some(name) => name.to_string(),
        None => format!("task {task}"),
    };
    let mut names = HashMap::new();
    for record in trace.records() {
        match &record.event {
            Event::Spawned { task, name, .. } => names.insert(*task, name_of(task, name)),
            Event::Known { task, state } => names.insert(*task, name_of(task, &state.name)),
            _ => None,
        };
    }
    names
}
