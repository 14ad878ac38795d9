//! Tasks: futures that the executor owns and polls on its own.
//!
//! | call | to |
//! |---|---|
//! | [`spawn`] | give a future to the executor |
//! | [`Builder`] | the same, with a name for the reports |
//! | [`JoinSet`] | spawn many, and take their results as they come |
//! | [`spawn_blocking`] | run a closure that blocks on a thread of its own |
//! | [`yield_now`] | let every other runnable task have a turn |
//! | [`id`], [`try_id`] | ask which task this is |
//!
//! `cell.rs` is a task's memory, `join.rs` what its spawner keeps of it, `error.rs` why a task may
//! have no result. [`spawn`] makes a cell and gives one side of it to the scheduler, the other to
//! the caller.
//!
//! This ends the core walk: you know how an executor works. From here the road forks to time, which
//! begins with `list.rs`, and to threads (`blocking.rs`).

pub(crate) mod blocking;
mod cell;
mod error;
mod join;
pub mod join_set;

pub use crate::name::Id;
pub use blocking::spawn_blocking;
pub use error::JoinError;
pub use join::{AbortHandle, JoinHandle};
pub use join_set::JoinSet;

use crate::executor::Executor;
use crate::executor::scheduler::{Birth, try_current};
use crate::name::MAX_TASKS;
use cell::{AbortGate, Always, TaskCell};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Gives a future to the running executor, which polls it on this thread, in turn with its others.
///
/// The future is not polled before this returns. It need not be `Send`, since it never leaves the
/// thread; it must be `'static`, since it may outlive the caller.
///
/// ```
/// use std::rc::Rc;
///
/// handspun::block_on(async {
///     let shared = Rc::new(5);
///     let ours = shared.clone();
///     let handle = handspun::spawn(async move { *ours + 1 });
///     assert_eq!(handle.await.unwrap(), *shared + 1);
/// });
/// ```
///
/// # Panics
/// If no executor runs on this thread ([`Executor::spawn`] needs none), or it has 268 million
/// tasks.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_gated(future, Always, None, Location::caller())
}

impl Executor {
    /// Gives a future to this executor, whether it is running or not. It is polled in
    /// [`block_on`](Executor::block_on), not before.
    ///
    /// # Panics
    /// If the executor has 268 million tasks.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let cell = Rc::new(TaskCell::new(future, Always));
        let birth = birth::<F>(None, Location::caller());
        let spawned = self.scheduler(|scheduler| scheduler.spawn(cell.clone(), birth));
        JoinHandle::new(cell, spawned.unwrap_or_else(|| too_many_tasks()))
    }
}

/// Settings of a task that is to be spawned.
///
/// ```
/// handspun::block_on(async {
///     let handle = handspun::task::Builder::new().name("greeter").spawn(async { "hello" });
///     assert_eq!(handle.await.unwrap(), "hello");
/// });
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder spawns a task when `spawn` is called"]
pub struct Builder {
    name: Option<Box<str>>,
}

impl Builder {
    /// The settings of [`spawn`](fn@spawn): no name.
    pub fn new() -> Builder {
        Builder { name: None }
    }

    /// A name for people: reports call the task by it. It need not be unique.
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = Some(name.into().into_boxed_str());
        self
    }

    /// Spawns the task, as [`spawn`](fn@spawn) does.
    ///
    /// # Panics
    /// If no executor runs on this thread, or it has 268 million tasks.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn_gated(future, Always, self.name.as_deref(), Location::caller())
    }
}

/// Spawns a task that can only be aborted while `gate` allows it. For people it was spawned at
/// `place`.
#[track_caller]
fn spawn_gated<F, G>(
    future: F,
    gate: G,
    name: Option<&str>,
    place: &'static Location<'static>,
) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
    G: AbortGate + 'static,
{
    let cell = Rc::new(TaskCell::new(future, gate));
    let birth = birth::<F>(name, place);
    match try_current(|scheduler| scheduler.spawn(cell.clone(), birth)) {
        Some(spawned) => JoinHandle::new(cell, spawned.unwrap_or_else(|| too_many_tasks())),
        None => panic!(
            "spawn was called where no executor is running: call it inside a future that \
             `handspun::block_on` runs, or use `Executor::spawn`"
        ),
    }
}

fn birth<'a, F>(name: Option<&'a str>, place: &'static Location<'static>) -> Birth<'a> {
    Birth {
        place,
        name,
        size: size_of::<F>(),
    }
}

#[cold]
#[track_caller]
fn too_many_tasks() -> ! {
    panic!("an executor holds at most {MAX_TASKS} tasks, and this one does already")
}

/// Goes to the end of the run queue: every task that is runnable now is polled before this one goes
/// on.
///
/// For a task that works for long without waiting: nothing else runs on its thread meanwhile.
///
/// ```
/// handspun::block_on(async {
///     for _chunk in 0..3 {
///         // … a millisecond of work …
///         handspun::task::yield_now().await;
///     }
/// });
/// ```
///
/// # Cancel safety
/// Cancel safe: it holds nothing.
pub fn yield_now() -> impl Future<Output = ()> + Send + Sync + Unpin {
    YieldNow { yielded: false }
}

struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The id of the task that calls this.
///
/// # Panics
/// If it is not called inside a task. The future given to `block_on` is not one.
#[track_caller]
pub fn id() -> Id {
    try_id().expect("task::id() was called outside of a task: only a spawned future has an id")
}

/// The id of the task that calls this, or `None` outside of a task.
pub fn try_id() -> Option<Id> {
    try_current(|scheduler| scheduler.polling_id()).flatten()
}
