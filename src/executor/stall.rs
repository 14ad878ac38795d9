//! What an executor says when nothing can ever happen any more.
//!
//! A future that returns `Pending` and leaves its waker with nobody is never polled again, and the
//! usual sign of it is a program that stands still and says nothing. An executor on one thread can
//! do better: if no task is runnable, no timer is armed and no closure is out on another thread,
//! then nobody is left who could wake anything, but for threads that it does not know of. With
//! [`panic_on_stall`](crate::executor::Builder::panic_on_stall) it says so, and names those who
//! wait, and what for.
//!
//! The report is made of the trace, as any drawing: for such an executor the last events are kept.

use crate::name::Id;
use crate::trace::event::{Awaited, TaskState, Trace};
use crate::trace::state::State;
use crate::trace::text;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The drawing has no more rows than this: the first of those that wait.
const MOST: usize = 20;
/// How many columns it has at most.
const WIDTH: usize = 80;

/// The report: each task, the root first, with a line for each of its waits; then a drawing of what
/// they did last.
pub(super) fn report(trace: &Trace) -> String {
    let mut state = State::default();
    trace.records().iter().for_each(|record| state.take(record));
    let waits = waits(&state);
    let mut report = String::from(
        "the executor has stalled: nothing is runnable, and no timer, no socket and no \
         blocking closure is left that could wake a task.\nWaiting:\n",
    );
    for (id, task) in state.tasks() {
        writeln!(report, "  {}", who(id, task)).expect("a string takes all");
        for (awaited, count) in waits.get(&id).into_iter().flatten() {
            let times = if *count == 1 { String::new() } else { format!(" ({count} times)") };
            writeln!(report, "    waits for {awaited}{times}").expect("a string takes all");
        }
        if task.is_lost() {
            report.push_str("    nobody has a waker of it: it can never be woken\n");
        }
    }
    let stuck: Vec<Id> = state.tasks().map(|(id, _)| id).take(MOST).collect();
    report.push_str("What they did last:\n");
    report.push_str(&text::end_of(trace, &stuck, WIDTH));
    report.push_str(
        "Each of them returned Pending and was not woken since: its waker was dropped, or lies \
         with what it waits for.\nWho still has the sender, the guard or the permit? One on this \
         list, maybe the same one, maybe in a future that it does not poll any more.\n(If a thread \
         of your own has it, leave `panic_on_stall` off: the executor does not know of it.)",
    );
    report
}

fn who(id: Id, task: &TaskState) -> String {
    let who = match (id.is_root(), &task.name) {
        (true, _) => "the root future, given to block_on".to_string(),
        (false, Some(name)) => format!("task {id} \"{name}\", spawned"),
        (false, None) => format!("task {id}, spawned"),
    };
    let times = if task.polls == 1 { "time" } else { "times" };
    format!("{who} at {}, polled {} {times}", task.place, task.polls)
}

/// What each task waits for, and by how many waits: things first, then tasks.
fn waits(state: &State) -> BTreeMap<Id, Vec<(Awaited, usize)>> {
    let mut waits: BTreeMap<Id, Vec<(Awaited, usize)>> = BTreeMap::new();
    for (_, wait) in state.waits() {
        let of_task = waits.entry(wait.task).or_default();
        match of_task.iter_mut().find(|(awaited, _)| *awaited == wait.awaited) {
            Some((_, count)) => *count += 1,
            None => of_task.push((wait.awaited, 1)),
        }
    }
    for of_task in waits.values_mut() {
        of_task.sort_by_key(|(awaited, _)| match awaited {
            Awaited::Task(task) => Some(*task),
            _ => None,
        });
    }
    waits
}
