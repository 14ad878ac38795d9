// Exercise 08: a run queue in which no task stands twice. The task is in README.md.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

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
    // What else must be known of a task, to push it only once?
}

type Queue = Arc<Mutex<VecDeque<Arc<Push>>>>;

impl Wake for Push {
    fn wake(self: Arc<Self>) {
        todo!("`wake`: push the task, unless it is in the queue")
    }
}

impl Executor {
    /// A new task, at the end of the queue. It takes the first slot that is free.
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
        todo!("`spawn`: find a slot, and push the task")
    }

    /// Polls the first of the queue, and goes on so until nobody is in it.
    pub fn run(&mut self) {
        todo!("`run`: pop, poll, and empty the slot of who is ready")
    }

    /// How long the queue is.
    pub fn queued(&self) -> usize {
        self.queue.lock().unwrap().len()
    }
}
