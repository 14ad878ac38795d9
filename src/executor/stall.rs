//! What an executor says when nothing can ever happen any more.
//!
//! A future that returns `Pending` and leaves its waker with nobody is never polled again, and the
//! usual sign of it is a program that stands still and says nothing. An executor on one thread can
//! do better: if no task is runnable, no timer is armed and no closure is out on another thread,
//! then nobody is left who could wake anything, but for threads that it does not know of. With
//! [`panic_on_stall`](crate::executor::Builder::panic_on_stall) it says so, and names those who
//! wait, and what for: things of `sync` by what they are and where they were made (`waits.rs`), and
//! tasks whose handles they await (or have awaited and kept).

use super::scheduler::Waiting;
use std::fmt::Write;

/// The report, one line for each task, the root first, and below it one for each of its waits.
pub(super) fn report(waiting: Vec<Waiting>) -> String {
    let mut report = String::from(
        "the executor has stalled: nothing is runnable, and no timer and no blocking closure is \
         left that could wake a task.\nWaiting:\n",
    );
    for task in waiting {
        let times = if task.polls == 1 { "time" } else { "times" };
        let who = match (task.id.is_root(), &task.name) {
            (true, _) => "the root future, given to block_on".to_string(),
            (false, Some(name)) => format!("task {} \"{name}\", spawned", task.id),
            (false, None) => format!("task {}, spawned", task.id),
        };
        let at = task.spawned_at;
        let polls = task.polls;
        writeln!(report, "  {who} at {at}, polled {polls} {times}").expect("a string takes all");
        let things = task.awaits.iter().map(|(awaited, waits)| match waits {
            1 => awaited.to_string(),
            waits => format!("{awaited} ({waits} times)"),
        });
        let tasks = task.awaits_tasks.iter().map(|id| format!("the end of task {id}"));
        for awaited in things.chain(tasks) {
            writeln!(report, "    waits for {awaited}").expect("a string takes all");
        }
    }
    report.push_str(
        "Each of them returned Pending and was not woken since: its waker was dropped, or lies \
         with what it waits for.\nWho still has the sender, the guard or the permit? One on this \
         list, maybe the same one, maybe in a future that it does not poll any more.\n(If a thread \
         of your own has it, leave `panic_on_stall` off: the executor does not know of it.)",
    );
    report
}
