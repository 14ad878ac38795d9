// Exercise 23, wrong: the thread looks whether anybody wants it, and until then it lies there.

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
    /// Taken by whoever comes first: the thread that runs it, or the answer that is dropped.
    closure: Option<Box<dyn FnOnce() -> R + Send>>,
    result: Option<Result<R>>,
    is_wanted: bool,
    /// Whom to wake when the result is there.
    waker: Option<Waker>,
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
            is_wanted: true,
            waker: None,
        }));
        let theirs = job.clone();
        self.submit(Box::new(move || run(&theirs)));
        Answer { job }
    }

    fn submit(&self, work: Box<dyn FnOnce() + Send>) {
        let mut state = self.shared.state.lock().unwrap();
        state.line.push_back(work);
        // A thread that was told is idle until it runs: so many may be on their way already.
        if state.line.len() <= state.idle {
            self.shared.submitted.notify_one();
        } else if state.threads < self.shared.most {
            state.threads += 1;
            let shared = self.shared.clone();
            thread::spawn(move || shared.work());
        }
    }
}

impl Shared {
    /// The life of a thread.
    fn work(&self) {
        let mut state = self.state.lock().unwrap();
        loop {
            while let Some(work) = state.line.pop_front() {
                drop(state);
                // A result that nobody waits for is dropped in there, and its destructor may panic.
                let _ = catch_unwind(AssertUnwindSafe(work));
                state = self.state.lock().unwrap();
            }
            state.idle += 1;
            state = self.submitted.wait_while(state, |state| state.line.is_empty()).unwrap();
            state.idle -= 1;
        }
    }
}

/// Runs the closure of a job, on this thread, if it is still there. Does not panic.
fn run<R>(job: &Mutex<Job<R>>) {
    let Some(closure) = job.lock().unwrap().closure.take() else {
        return;
    };
    if !job.lock().unwrap().is_wanted {
        return;
    }
    let result = catch_unwind(AssertUnwindSafe(closure));
    let waker = {
        let mut job = job.lock().unwrap();
        job.result = Some(result);
        job.waker.take()
    };
    waker.into_iter().for_each(Waker::wake);
}

impl<R> Future for Answer<R> {
    type Output = Result<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R>> {
        let waker = cx.waker().clone();
        // The question and the waker under one lock: the result cannot come between the two.
        let mut job = self.job.lock().unwrap();
        if let Some(result) = job.result.take() {
            return Poll::Ready(result);
        }
        let _old = job.waker.replace(waker);
        drop(job);
        Poll::Pending
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        self.job.lock().unwrap().is_wanted = false;
    }
}
