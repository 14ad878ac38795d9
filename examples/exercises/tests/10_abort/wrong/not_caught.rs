// Exercise 10, wrong: nobody catches a panic.

use std::any::Any;
use std::cell::Cell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// The end of a task, for whoever waits for it. To drop it is to let the task go on alone.
pub struct Handle<T> {
    end: Rc<End<T>>,
    /// Wakes the task.
    task: Waker,
}

/// What a task and its handle share.
struct End<T> {
    result: Cell<Option<Result<T, JoinError>>>,
    /// Who has polled the handle last.
    joiner: Cell<Option<Waker>>,
    /// Somebody has asked for the task to end.
    aborted: Cell<bool>,
}

impl<T> Handle<T> {
    /// Asks the task to end. In its next turn its future is dropped, and not polled any more. If it
    /// is over, it stays as it is.
    pub fn abort(&self) {
        self.end.aborted.set(true);
        // Who waits for ever has no next turn.
        self.task.wake_by_ref();
    }
}

impl Executor {
    /// A new task, at the end of the queue, and a handle for its result.
    pub fn spawn<F>(&mut self, future: F) -> Handle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let end = Rc::new(End {
            result: Cell::new(None),
            joiner: Cell::new(None),
            aborted: Cell::new(false),
        });
        let ours = end.clone();
        let task = self.add(async move {
            let result = to_its_end(future, &ours.aborted).await;
            ours.reach(result);
        });
        Handle { end, task }
    }
}

/// Polls this future until it is over, in whichever way. It has been dropped when this is ready.
async fn to_its_end<F: Future>(future: F, aborted: &Cell<bool>) -> Result<F::Output, JoinError> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if aborted.get() {
            return Poll::Ready(Err(JoinError::Cancelled));
        }
        future.as_mut().poll(cx).map(Ok)
    })
    .await
}

// What follows is as it was in exercise 09, but for the result, and that `add` gives a waker.

/// Why a task has no output.
pub enum JoinError {
    Cancelled,
    Panic(Box<dyn Any + Send>),
}

impl JoinError {
    /// Whether the task was aborted.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, JoinError::Cancelled)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self, JoinError::Panic(_))
    }

    /// What the task panicked with.
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        match self {
            JoinError::Cancelled => panic!("the task did not panic"),
            JoinError::Panic(payload) => payload,
        }
    }
}

impl<T> Future for Handle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(result) = self.end.result.take() {
            return Poll::Ready(result);
        }
        self.end.joiner.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl<T> End<T> {
    /// The task is over.
    fn reach(&self, result: Result<T, JoinError>) {
        self.result.set(Some(result));
        if let Some(joiner) = self.joiner.take() {
            joiner.wake();
        }
    }
}

/// An executor that polls who is in its run queue, first in, first out.
#[derive(Default)]
pub struct Executor {
    /// A slot for each task. The slot of one that is over is empty, and used again.
    tasks: Vec<Option<Task>>,
    queue: Queue,
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    push: Arc<Push>,
}

/// A task's place in the queue: its waker, too.
struct Push {
    slot: usize,
    queue: Queue,
    /// Up: it is in the queue.
    queued: AtomicBool,
}

type Queue = Arc<Mutex<VecDeque<Arc<Push>>>>;

impl Wake for Push {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            let queue = self.queue.clone();
            queue.lock().unwrap().push_back(self);
        }
    }
}

impl Executor {
    /// A new task, at the end of the queue, and its waker. It takes the first slot that is free.
    fn add(&mut self, future: impl Future<Output = ()> + 'static) -> Waker {
        let free = self.tasks.iter().position(Option::is_none);
        let slot = free.unwrap_or_else(|| {
            self.tasks.push(None);
            self.tasks.len() - 1
        });
        let push = Arc::new(Push {
            slot,
            queue: self.queue.clone(),
            queued: AtomicBool::new(false),
        });
        self.tasks[slot] = Some(Task {
            future: Box::pin(future),
            push: push.clone(),
        });
        let waker = Waker::from(push);
        waker.wake_by_ref();
        waker
    }

    /// Polls the first of the queue, and goes on so until nobody is in it.
    pub fn run(&mut self) {
        while let Some(push) = self.pop() {
            let slot = &mut self.tasks[push.slot];
            let Some(task) = slot.as_mut().filter(|task| Arc::ptr_eq(&task.push, &push)) else {
                continue; // Woken in its last poll, and over.
            };
            push.queued.swap(false, Ordering::AcqRel);
            let waker = Waker::from(push);
            if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                *slot = None;
            }
        }
    }

    fn pop(&self) -> Option<Arc<Push>> {
        self.queue.lock().unwrap().pop_front()
    }
}
