//! Cancelled at every await: a harness for whatever may be dropped before it is ready.
//!
//! A future that is dropped stops at the await where it stood, and there it must leave nothing
//! behind: no place in a queue, no permit that was granted to it and is now nobody's. Which await
//! this is, chance decides; a test must try them all. [`cancel_at_every_await`] does:
//!
//! ```text
//!   cancel_at_every_await(async || {
//!       // A fresh world; then the future to be cancelled in it, and what must hold afterwards.
//!       let semaphore = Rc::new(Semaphore::new(1));
//!       let held = semaphore.clone().acquire_owned().await;
//!       spawn(async move { sleep(MS).await; drop(held) });
//!       let waiter = semaphore.clone().acquire_owned();
//!       (waiter, async move |output| {
//!           drop(output);                              // `None` if the future was dropped
//!           semaphore.acquire().await;                 // so the permit was not lost: no stall
//!           assert_eq!(Rc::strong_count(&semaphore), 1); // and nothing was leaked
//!       })
//!   });
//! ```
//!
//! Each round plays in an executor of its own, on a paused clock that reports a stall, and so comes
//! out the same in every run. Tasks that the world has spawned go on while `check` awaits.
//!
//! There are two moments for the drop between one poll and the next. *After* the poll, the future
//! is still waiting. *In place of* the next, it was woken: what it waited for may have been given
//! to it, and it has not seen it. That is where permits are lost, so both are tried.
#![allow(dead_code, reason = "each test file uses a part")]

use crate::support::paused;
use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

/// A future that has not finished by then will not, at the harness's discretion.
const MOST_POLLS: usize = 10_000;

/// When a future is dropped. Polls count from 1.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Moment {
    /// When it is woken for this poll. For the first one: before it was ever polled.
    InPlaceOf(usize),
    /// When this poll has returned `Pending`.
    After(usize),
}

/// How a round went, so far.
#[derive(Clone, Copy)]
enum Progress {
    Polled(usize),
    Cancelled,
    Finished(usize),
}

/// Drops a future in place of its first poll, after its first poll, in place of its second, and so
/// on until it finishes by itself; returns in which poll that was.
///
/// `make` makes the future and its surroundings anew for each round. With the future it returns a
/// closure that is called when the future is gone, with its output if it finished, and checks that
/// nothing is leaked or lost.
///
/// # Panics
/// If anything in a round panics or stalls; the message begins with the moment of the drop.
#[track_caller]
pub fn cancel_at_every_await<F, C>(mut make: impl AsyncFnMut() -> (F, C)) -> usize
where
    F: Future,
    C: AsyncFnOnce(Option<F::Output>),
{
    for poll in 1..=MOST_POLLS {
        for moment in [Moment::InPlaceOf(poll), Moment::After(poll)] {
            let progress = Cell::new(Progress::Polled(0));
            let round = || paused(cancel(&mut make, moment, &progress));
            if let Err(payload) = catch_unwind(AssertUnwindSafe(round)) {
                panic!("{}: {}", progress.get().describe(moment), message(&*payload));
            }
            if let Progress::Finished(polls) = progress.get() {
                return polls;
            }
        }
    }
    panic!("the future has not finished by itself in {MOST_POLLS} polls");
}

/// One round.
async fn cancel<F, C>(
    make: &mut impl AsyncFnMut() -> (F, C),
    moment: Moment,
    progress: &Cell<Progress>,
) where
    F: Future,
    C: AsyncFnOnce(Option<F::Output>),
{
    let (future, check) = make().await;
    let mut future = Some(Box::pin(future));
    let mut polls = 0;
    let output = poll_fn(|cx| {
        if moment != Moment::InPlaceOf(polls + 1) {
            polls += 1;
            progress.set(Progress::Polled(polls));
            let alive = future.as_mut().expect("a future that was neither ready nor dropped");
            if let Poll::Ready(output) = alive.as_mut().poll(cx) {
                progress.set(Progress::Finished(polls));
                return Poll::Ready(Some(output));
            }
            if moment != Moment::After(polls) {
                return Poll::Pending;
            }
        }
        progress.set(Progress::Cancelled);
        future = None;
        Poll::Ready(None)
    });
    let output = output.await;
    drop(future);
    check(output).await;
}

impl Progress {
    fn describe(self, moment: Moment) -> String {
        match self {
            Progress::Polled(polls) => format!("not cancelled yet, polled {polls} times"),
            Progress::Cancelled => moment.to_string(),
            Progress::Finished(polls) => format!("finished in poll {polls}"),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::InPlaceOf(poll) => write!(f, "cancelled in place of poll {poll}"),
            Moment::After(poll) => write!(f, "cancelled after poll {poll}"),
        }
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<String>(), payload.downcast_ref::<&str>()) {
        (Some(message), _) => message,
        (_, Some(message)) => message,
        _ => "a panic without a message",
    }
}
