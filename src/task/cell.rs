//! A task's memory: one allocation for the future, then for what it has become.
//!
//! `spawn` puts the future into a [`TaskCell`] behind an `Rc`, whose owners see it from two sides:
//!
//! ```text
//!   scheduler ── Rc<dyn Task> ────┐      ┌──────────────────────┐
//!     poll it, cancel it          ├────► │ TaskCell             │
//!   JoinHandle ── Rc<dyn Join<T>> ┘      │   stage:  Running(F) │ ──► Finished(T), Panicked(..),
//!     is it over? the result? abort!     │   joiner: who awaits │     or Gone
//!                                        └──────────────────────┘
//! ```
//!
//! So the scheduler knows nothing of `T`, and the handle nothing of the future's type. Future and
//! result share their memory, since a task never has both.
//!
//! The future is *pinned*: from its first poll on it may hold references into itself, and must not
//! move until it is dropped. It never does: it lies in the `Rc`, is polled there, and is dropped
//! there. That is all the `unsafe` line below relies on.
//!
//! Why not the obvious way? An `async` block around the future that catches the panic and sends the
//! result is three lines of safe code. It stores the future twice, once as what the block has
//! captured and once as what it awaits, and needs a second allocation for the result.
//!
//! Next: `task/join.rs`, the other side.
#![allow(unsafe_code)]

use super::JoinError;
use crate::executor::scheduler::Task;
use crate::name::Id;
use crate::panics::{Payload, catch, contain};
use crate::trace::event::Outcome;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

/// A spawned future, or what became of it.
pub(super) struct TaskCell<F: Future, G> {
    /// Borrowed while the future is polled or dropped, and the user's code runs. So nobody else may
    /// look in here before `progress` says that the task is over.
    stage: RefCell<Stage<F>>,
    /// Who awaits the handle.
    joiner: Cell<Option<Waker>>,
    progress: Cell<Progress>,
    /// How it ended.
    outcome: Cell<Outcome>,
    aborted: Cell<bool>,
    /// The handle has been dropped: nobody will ask for the result.
    detached: Cell<bool>,
    /// For `spawn_blocking`: whether the task can still be aborted.
    gate: G,
}

enum Stage<F: Future> {
    Running(F),
    /// `None`: the output has been taken. (Taken out of here, and not together with the stage,
    /// which is as large as the future.)
    Finished(Option<F::Output>),
    Panicked(Option<Payload>),
    /// Dropped before it was ready.
    Gone,
}

#[derive(Clone, Copy, PartialEq)]
enum Progress {
    Running,
    Over,
    /// Over, and the result has been taken.
    Taken,
}

/// Decides whether an abort that was asked for still takes place. (There for `spawn_blocking`.)
pub(super) trait AbortGate {
    /// Called when the task is next polled. `false`: it is too late, go on as if nothing was asked.
    fn may_abort(&self) -> bool;
}

/// The gate of every task that is just a future: it can be dropped at any time.
pub(super) struct Always;

impl AbortGate for Always {
    fn may_abort(&self) -> bool {
        true
    }
}

/// A task as its handles see it.
pub(super) trait Join<T>: Task + Abort {
    /// The result, once; until then `cx` will be woken. `id` is the task's, for an error.
    ///
    /// # Panics
    /// If the result has been taken.
    fn poll_join(&self, id: Id, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>>;
    /// Nobody will ask for the result. Whether it is there, waiting to be dropped.
    fn detach(&self) -> bool;
}

/// A task as those see it who do not know its result's type.
pub(super) trait Abort {
    /// Asks for the abort; the task must be woken then.
    fn ask_abort(&self);
    /// Whether the task is over.
    fn is_over(&self) -> bool;
    /// Drops a result that nobody wants. A panic of its destructor ends here.
    fn drop_result(&self);
}

impl<F: Future, G: AbortGate> TaskCell<F, G> {
    pub(super) fn new(future: F, gate: G) -> Self {
        TaskCell {
            stage: RefCell::new(Stage::Running(future)),
            joiner: Cell::new(None),
            progress: Cell::new(Progress::Running),
            outcome: Cell::new(Outcome::Pending),
            aborted: Cell::new(false),
            detached: Cell::new(false),
            gate,
        }
    }

    /// Polls the future; if it is ready, puts its output in its place. May unwind, out of the
    /// future's poll or out of its destructor.
    fn poll_future(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut stage = self.stage.borrow_mut();
        let Stage::Running(future) = &mut *stage else {
            unreachable!("a task that is over is not polled");
        };
        // SAFETY: the future does not move until it is dropped. It was moved into the cell before
        // it was first polled; the cell lies in an `Rc` from which it is never taken out (`spawn`
        // hands out `Rc<dyn ..>` only, and those cannot be unwrapped); and the only ones to get at
        // `stage` are the functions of this file, which replace a `Running` as a whole, in place,
        // by assignment: that drops the future where it lies.
        let future = unsafe { Pin::new_unchecked(future) };
        let output = ready!(future.poll(cx));
        *stage = Stage::Finished(Some(output));
        Poll::Ready(())
    }

    /// Drops the future, or the output, where it lies. May unwind.
    fn clear(&self) {
        *self.stage.borrow_mut() = Stage::Gone;
    }

    /// The task is over, and `stage` says how it ended.
    fn end(&self, outcome: Outcome) {
        self.outcome.set(outcome);
        if self.detached.get() {
            contain(|| self.clear());
        }
        self.progress.set(Progress::Over);
        if let Some(joiner) = self.joiner.take() {
            contain(|| joiner.wake());
        }
    }
}

impl<F: Future, G: AbortGate> Task for TaskCell<F, G> {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.aborted.get() && self.gate.may_abort() {
            self.cancel();
            return Poll::Ready(());
        }
        match catch(|| self.poll_future(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(())) => self.end(Outcome::Ready),
            Err(payload) => {
                // What is left: the future, or, if it was its destructor that panicked, its output.
                contain(|| self.clear());
                *self.stage.borrow_mut() = Stage::Panicked(Some(payload));
                self.end(Outcome::Panicked);
            }
        }
        Poll::Ready(())
    }

    fn cancel(&self) {
        match catch(|| self.clear()) {
            Ok(()) => self.end(Outcome::Aborted),
            Err(payload) => {
                *self.stage.borrow_mut() = Stage::Panicked(Some(payload));
                self.end(Outcome::Panicked);
            }
        }
    }

    fn outcome(&self) -> Outcome {
        match self.outcome.get() {
            Outcome::Pending if self.aborted.get() => Outcome::Aborted,
            outcome => outcome,
        }
    }
}

impl<F: Future, G: AbortGate> Join<F::Output> for TaskCell<F, G> {
    fn poll_join(&self, id: Id, cx: &mut Context<'_>) -> Poll<Result<F::Output, JoinError>> {
        if self.progress.get() == Progress::Running {
            let joiner = self.joiner.take().filter(|joiner| joiner.will_wake(cx.waker()));
            self.joiner.set(Some(joiner.unwrap_or_else(|| cx.waker().clone())));
            // A waker's clone and drop are somebody else's code. They may have ended the task.
            if self.progress.get() == Progress::Running {
                return Poll::Pending;
            }
        }
        let progress = self.progress.replace(Progress::Taken);
        assert!(
            progress == Progress::Over,
            "a JoinHandle was polled after it had given its result"
        );
        Poll::Ready(match &mut *self.stage.borrow_mut() {
            Stage::Running(_) => unreachable!("a task that is over does not run"),
            Stage::Finished(output) => Ok(output.take().expect("taken once")),
            Stage::Panicked(payload) => {
                Err(JoinError::panicked(id, payload.take().expect("taken once")))
            }
            Stage::Gone => Err(JoinError::cancelled(id)),
        })
    }

    fn detach(&self) -> bool {
        self.detached.set(true);
        // Who awaited the handle does not any more.
        let joiner = self.joiner.take();
        contain(|| drop(joiner));
        self.progress.get() == Progress::Over
    }
}

impl<F: Future, G: AbortGate> Abort for TaskCell<F, G> {
    fn ask_abort(&self) {
        self.aborted.set(true);
    }

    fn is_over(&self) -> bool {
        self.progress.get() != Progress::Running
    }

    fn drop_result(&self) {
        contain(|| self.clear());
    }
}
