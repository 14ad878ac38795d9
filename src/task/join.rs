//! What a spawner keeps of a task: handles to await it, to abort it, to ask after it.
//!
//! | to do this | call or drop | then |
//! |---|---|---|
//! | wait for the result | `handle.await` | `Ok(value)`, or a [`JoinError`] |
//! | let it run alone | `drop(handle)` | it is *detached*: it goes on, its result is dropped |
//! | stop it | `handle.abort()` | its future is dropped before it is polled again |
//!
//! Aborting sets a flag in the task's cell and wakes the task; the rest happens when the executor
//! comes to it. So a task may abort itself, or one that is being polled further up the stack, and
//! no destructor runs in the middle of the caller's work.
//!
//! Next: `task/mod.rs`, where `spawn` puts the pieces together.

use super::JoinError;
use super::cell::{Abort, Join};
use crate::executor::scheduler::Spawned;
use crate::executor::watch;
use crate::name::{Id, Name};
use crate::waits;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Awaits a spawned task and gives what it returned.
///
/// Dropping the handle *detaches* the task: it goes on running, and its result is dropped when it
/// is there. To stop it, [`abort`](JoinHandle::abort) it.
///
/// The result is an error if the task panicked or was aborted, or if its executor was dropped
/// before it was finished. Unlike tokio's, the handle stays on the executor's thread (it is not
/// `Send`).
///
/// ```
/// handspun::block_on(async {
///     let handle = handspun::spawn(async { 6 * 7 });
///     assert_eq!(handle.await.unwrap(), 42);
/// });
/// ```
///
/// # Panics
/// If polled again after it has given its result.
///
/// # Cancel safety
/// Awaiting `&mut handle` is cancel safe: if the wait is dropped, the task and its result are not
/// affected, and the handle can be awaited again.
pub struct JoinHandle<T> {
    task: Rc<dyn Join<T>>,
    name: Name,
    id: Id,
}

impl<T> JoinHandle<T> {
    pub(super) fn new(task: Rc<dyn Join<T>>, spawned: Spawned) -> Self {
        JoinHandle {
            task,
            name: spawned.name,
            id: spawned.id,
        }
    }

    /// Stops the task: its future is dropped, with all that it holds, before it is polled again.
    ///
    /// This returns at once; the future is dropped in the task's next turn, and awaiting the handle
    /// waits for that. A task that is over is not affected. Neither is a
    /// [blocking closure](super::spawn_blocking) that has begun to run: nothing can stop it.
    pub fn abort(&self) {
        abort(&*self.task, self.name);
    }

    /// A handle that can abort the task, and nothing else, and may outlive this one.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle {
            task: self.task.clone(),
            name: self.name,
            id: self.id,
        }
    }

    /// Whether the task is over: returned, panicked, or dropped after an abort. It may still be
    /// `false` right after [`abort`](JoinHandle::abort).
    pub fn is_finished(&self) -> bool {
        self.task.is_over()
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.id
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = self.task.poll_join(self.id, cx);
        match poll.is_pending() {
            true => waits::waits_for_task(self.id),
            false => waits::waits_for_task_no_more(self.id),
        }
        poll
    }
}

// What a panic may leave behind in a task comes out as a `JoinError`, or is gone with the task.
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}
impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        waits::waits_for_task_no_more(self.id);
        if self.task.detach() {
            drop_result(self.task.clone());
        }
    }
}

/// Aborts a task without waiting for it. Made by [`JoinHandle::abort_handle`].
///
/// ```
/// handspun::block_on(async {
///     let handle = handspun::spawn(std::future::pending::<()>());
///     let stop = handle.abort_handle();
///     handspun::spawn(async move { stop.abort() });
///     assert!(handle.await.unwrap_err().is_cancelled());
/// });
/// ```
#[derive(Clone)]
pub struct AbortHandle {
    task: Rc<dyn Abort>,
    name: Name,
    id: Id,
}

impl AbortHandle {
    /// Stops the task, as [`JoinHandle::abort`] does.
    pub fn abort(&self) {
        abort(&*self.task, self.name);
    }

    /// Whether the task is over, as [`JoinHandle::is_finished`] says it.
    pub fn is_finished(&self) -> bool {
        self.task.is_over()
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.id
    }
}

fn abort<A: Abort + ?Sized>(task: &A, name: Name) {
    if !task.is_over() {
        task.ask_abort();
        watch::wake_to_abort(name);
    }
}

thread_local! {
    /// Results to be dropped after the one that is being dropped; `None` when none is. It is empty
    /// whenever nobody drops a result, so it needs no destructor, and without one it is still there
    /// for destructors that run while the thread ends.
    static LATER: RefCell<Option<ManuallyDrop<Results>>> = const { RefCell::new(None) };
}

type Results = Vec<Rc<dyn Abort>>;

/// Drops the result of a finished task that nobody has awaited.
///
/// The result may hold the handle of another finished task, whose result holds another, a hundred
/// thousand deep. Dropping one inside the other would overflow the stack, so the inner ones wait in
/// a list until the outer one is done.
fn drop_result(task: Rc<dyn Abort>) {
    let outermost = LATER.with_borrow_mut(|later| {
        let outermost = later.is_none();
        later.get_or_insert_default().push(task);
        outermost
    });
    if outermost {
        let next = || LATER.with_borrow_mut(|later| later.as_mut().and_then(|later| later.pop()));
        while let Some(task) = next() {
            task.drop_result();
        }
        LATER.take().map(ManuallyDrop::into_inner);
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").field("id", &self.id).finish_non_exhaustive()
    }
}
