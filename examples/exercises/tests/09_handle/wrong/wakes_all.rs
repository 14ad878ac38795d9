// Exercise 09, wrong: all wakers are kept, and called.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// The end of a task, for whoever waits for it. To drop it is to let the task go on alone.
pub struct Handle<T> {
    end: Rc<End<T>>,
}

/// What a task and its handle share. The task comes to its end, and the handle is polled: either
/// may be first, and leaves here what the other one needs.
struct End<T> {
    output: Cell<Option<T>>,
    /// Who has polled the handle.
    joiners: RefCell<Vec<Waker>>,
}

impl<T> Future for Handle<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if let Some(output) = self.end.output.take() {
            return Poll::Ready(output);
        }
        self.end.joiners.borrow_mut().push(cx.waker().clone());
        Poll::Pending
    }
}

impl<T> End<T> {
    /// The task is over.
    fn reach(&self, output: T) {
        self.output.set(Some(output));
        for joiner in self.joiners.take() {
            joiner.wake();
        }
    }
}

impl Executor {
    /// A new task, at the end of the queue, and a handle for its output.
    pub fn spawn<F>(&mut self, future: F) -> Handle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let end = Rc::new(End {
            output: Cell::new(None),
            joiners: RefCell::default(),
        });
        let handle = Handle { end: end.clone() };
        self.add(async move { end.reach(future.await) });
        handle
    }
}

// What follows is the executor of exercise 08. Its tasks return nothing.

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
    /// A new task, at the end of the queue. It takes the first slot that is free.
    fn add(&mut self, future: impl Future<Output = ()> + 'static) {
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
        push.wake();
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
