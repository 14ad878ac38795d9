//! Closures that block, on threads of their own.
//!
//! One call that blocks holds up every task of the executor: there is only one thread to poll them.
//! [`spawn_blocking`] moves the call to another thread and waits for the answer like for any wake.
//!
//! ```text
//!   executor's thread                          a thread of the pool
//!   ─────────────────                          ────────────────────
//!   spawn_blocking(f) ── job (Waiting f) ────► takes f, the job is Running
//!   task "answer" is polled:                      │ f() …
//!     not over: leaves its waker                  ▼
//!     … other tasks are polled …               the job is Over(result)
//!   is polled again  ◄── letter, bell ──────── wakes
//!   takes the result, ready
//! ```
//!
//! The handle is the one that every task has, because the answer is awaited by a task like any
//! other. Its [gate](AbortGate) says that it cannot be aborted once the closure has begun: nothing
//! can stop a thread from outside.
//!
//! The threads belong to the process, not to an executor. A new one starts when there are more jobs
//! than idle threads, and one that has been idle for ten seconds ends.

use super::cell::AbortGate;
use super::{Builder, JoinHandle};
use crate::executor::scheduler::{Scheduler, try_current};
use crate::panics::{Payload, catch, contain, lock};
use std::collections::VecDeque;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// How many closures can run at a time; more wait in line. As many as tokio's default, and for its
/// reason: closures that wait for one another must not run out of threads too soon.
const MAX_THREADS: usize = 512;
/// How long a thread waits for its next closure.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Runs a closure that blocks (reads a file, computes for long) on another thread, and gives its
/// result to whoever awaits the handle.
///
/// A panic of the closure is a [`JoinError`](super::JoinError). [Aborting](JoinHandle::abort) the
/// task before the closure has begun prevents it from running; after that, an abort does nothing.
/// If the executor is dropped first, a closure that has begun runs to its end (unless the process
/// ends) and its result is dropped; one that has not never runs.
///
/// A [paused](crate::time::pause) clock does not jump while a closure is out.
///
/// At most 512 closures run at a time; the others wait for a thread in the order of their spawning.
///
/// ```
/// handspun::block_on(async {
///     let text = handspun::task::spawn_blocking(|| std::fs::read_to_string("Cargo.toml"));
///     assert!(text.await.unwrap().is_ok());
/// });
/// ```
///
/// # Panics
/// If no executor runs on this thread, or if the operating system refuses the first thread.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    spawn_wrapped(f, |answer| answer, None, Location::caller())
}

impl Builder {
    /// Runs a closure that blocks on another thread, as [`spawn_blocking`] does. The name is that
    /// of the task which waits for it.
    ///
    /// # Panics
    /// If no executor runs on this thread, or if the operating system refuses the first thread.
    #[track_caller]
    pub fn spawn_blocking<F, R>(self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        spawn_wrapped(f, |answer| answer, self.name.as_deref(), Location::caller())
    }
}

/// The same, for a function of this crate that was called at `place`.
#[cfg_attr(not(unix), allow(dead_code, reason = "those are the sockets'"))]
pub(crate) fn spawn_for<F, R>(f: F, name: &str, place: &'static Location<'static>) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    spawn_wrapped(f, |answer| answer, Some(name), place)
}

/// The same; the task polls what `wrap` makes of the closure's answer.
#[track_caller]
pub(super) fn spawn_wrapped<F, R, W>(
    f: F,
    wrap: impl FnOnce(Answer<R>) -> W,
    name: Option<&str>,
    place: &'static Location<'static>,
) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
    W: Future<Output = R> + 'static,
{
    if try_current(Scheduler::begin_blocking).is_none() {
        panic!(
            "spawn_blocking was called where no executor is running: call it inside a future that \
             `handspun::block_on` runs"
        );
    }
    let job = Arc::new(Job(Mutex::new(Parts {
        closure: Some(Box::new(f)),
        result: None,
        joiner: None,
        wanted: true,
    })));
    let answer = Answer { job: job.clone() };
    // First the thread, then the task: if there is no thread to be had, dropping the answer undoes
    // all that has been done.
    POOL.submit(job.clone());
    super::spawn_gated(wrap(answer), job, name, place)
}

/// A closure and its result, between the executor's thread and one of the pool.
///
/// Closure, result and waker are the user's, and run code of the user's when they are dropped: they
/// are taken out under the lock and dropped after it.
struct Job<R>(Mutex<Parts<R>>);

struct Parts<R> {
    /// Taken by whoever comes first: the thread that runs it, or the abort that prevents it.
    closure: Option<Box<dyn FnOnce() -> R + Send>>,
    result: Option<Result<R, Payload>>,
    /// Whom to wake when the result is there.
    joiner: Option<Waker>,
    /// Whether anybody waits for the result. If not, the thread that made it drops it.
    wanted: bool,
}

impl<R> Job<R> {
    /// Makes sure that the closure does not begin any more. `false` if it has begun.
    fn prevent(&self) -> bool {
        let closure = lock(&self.0).closure.take();
        let prevented = closure.is_some();
        contain(|| drop(closure));
        prevented
    }
}

/// The gate of a blocking task.
impl<R> AbortGate for Arc<Job<R>> {
    fn may_abort(&self) -> bool {
        self.prevent()
    }
}

/// Ready with the closure's result. While it lives, the executor knows that a closure is out.
pub(super) struct Answer<R> {
    job: Arc<Job<R>>,
}

impl<R> Future for Answer<R> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        // The waker goes in before the question, under one lock: the result cannot fall between.
        let joiner = cx.waker().clone();
        let mut parts = lock(&self.job.0);
        let _dropped_after_the_lock = parts.joiner.replace(joiner);
        let result = parts.result.take();
        drop(parts);
        match result {
            None => Poll::Pending,
            Some(Ok(value)) => Poll::Ready(value),
            // The panic goes on here, in the task, whose cell makes a `JoinError` of it.
            Some(Err(payload)) => std::panic::resume_unwind(payload),
        }
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        self.job.prevent();
        let mut parts = lock(&self.job.0);
        parts.wanted = false;
        let left = (parts.result.take(), parts.joiner.take());
        drop(parts);
        contain(|| drop(left));
        try_current(Scheduler::end_blocking);
    }
}

/// A job as the threads see it.
trait Run: Send + Sync {
    /// Runs the closure, unless it was prevented. Does not unwind.
    fn run(&self);
}

impl<R: Send> Run for Job<R> {
    fn run(&self) {
        let Some(closure) = lock(&self.0).closure.take() else {
            return;
        };
        let result = catch(closure);
        let mut parts = lock(&self.0);
        if !parts.wanted {
            drop(parts);
            return contain(|| drop(result));
        }
        parts.result = Some(result);
        let joiner = parts.joiner.take();
        drop(parts);
        contain(|| joiner.into_iter().for_each(Waker::wake));
    }
}

/// The threads of the process that run closures.
struct Pool {
    state: Mutex<PoolState>,
    /// Tells idle threads of a job.
    submitted: Condvar,
}

struct PoolState {
    line: VecDeque<Arc<dyn Run>>,
    threads: usize,
    /// Threads that wait for a job.
    idle: usize,
}

static POOL: Pool = Pool {
    state: Mutex::new(PoolState {
        line: VecDeque::new(),
        threads: 0,
        idle: 0,
    }),
    submitted: Condvar::new(),
};

impl Pool {
    #[track_caller]
    fn submit(&'static self, job: Arc<dyn Run>) {
        let mut state = lock(&self.state);
        state.line.push_back(job);
        if state.line.len() <= state.idle {
            self.submitted.notify_one();
            return;
        }
        if state.threads == MAX_THREADS {
            return;
        }
        // Started under the lock, and counted when it has been: nobody may rely on a thread that
        // then cannot be had. The new thread begins by waiting for the lock.
        let thread = thread::Builder::new().name("handspun-blocking".to_string());
        match thread.spawn(|| self.work()) {
            Ok(_detached) => state.threads += 1,
            // There are others, and the job waits for one of them.
            Err(_) if state.threads > 0 => {}
            Err(error) => {
                state.line.pop_back();
                drop(state);
                panic!("spawn_blocking could not start a thread: {error}");
            }
        }
    }

    /// The life of a thread: job after job, until none comes for a while.
    fn work(&self) {
        let mut state = lock(&self.state);
        loop {
            while let Some(job) = state.line.pop_front() {
                drop(state);
                job.run();
                drop(job);
                state = lock(&self.state);
            }
            state.idle += 1;
            let none = |state: &mut PoolState| state.line.is_empty();
            let waited = self.submitted.wait_timeout_while(state, KEEP_ALIVE, none);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.idle -= 1;
            if state.line.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}
