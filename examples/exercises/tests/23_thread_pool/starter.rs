// Exercise 23: closures that block, on a pool of threads. The task is in README.md.

use std::any::Any;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

/// What a closure returned, or what it panicked with.
type Result<R> = std::result::Result<R, Box<dyn Any + Send>>;

/// At most so many threads, which run closures.
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    most: usize,
    state: Mutex<State>,
    /// Tells idle threads that there is something in the line.
    submitted: Condvar,
}

struct State {
    line: VecDeque<Box<dyn FnOnce() + Send>>,
    threads: usize,
    /// Threads that wait for something in the line.
    idle: usize,
}

/// Between two threads: the one that runs the closure, and the one that waits for its result.
struct Job<R> {
    closure: Option<Box<dyn FnOnce() -> R + Send>>,
    result: Option<Result<R>>,
    // And who is to be told?
}

/// Ready with the closure's result. When it is dropped before the closure has begun, that never
/// runs.
pub struct Answer<R> {
    job: Arc<Mutex<Job<R>>>,
}

impl Pool {
    pub fn new(most: usize) -> Pool {
        let state = Mutex::new(State {
            line: VecDeque::new(),
            threads: 0,
            idle: 0,
        });
        let submitted = Condvar::new();
        Pool {
            shared: Arc::new(Shared {
                most,
                state,
                submitted,
            }),
        }
    }

    /// Runs a closure on a thread of the pool: an idle one, or a new one, or, if there are as many
    /// as there may be, the first that is done.
    pub fn spawn_blocking<F, R>(&self, f: F) -> Answer<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let job = Arc::new(Mutex::new(Job {
            closure: Some(Box::new(f) as Box<_>),
            result: None,
        }));
        let theirs = job.clone();
        self.submit(Box::new(move || run(&theirs)));
        Answer { job }
    }

    fn submit(&self, work: Box<dyn FnOnce() + Send>) {
        todo!("`submit`: put it into the line; who comes for it?")
    }
}

impl Shared {
    /// The life of a thread.
    fn work(&self) {
        todo!("`work`: one after the other, and sleep while there is none")
    }
}

/// Runs the closure of a job, on this thread, if it is still there. Does not panic.
fn run<R>(job: &Mutex<Job<R>>) {
    todo!("`run`: take the closure, call it, leave the result, tell who waits")
}

impl<R> Future for Answer<R> {
    type Output = Result<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R>> {
        todo!("`poll`: is the result there? If not, who is to be woken?")
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        // What if the closure has not begun?
    }
}
