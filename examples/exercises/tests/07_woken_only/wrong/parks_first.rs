// Exercise 07, wrong: it looks whether somebody is left when it has polled.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

pub type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What the thread sleeps in: that of exercise 06, or another.
pub trait Parker: Send + Sync {
    /// Sleeps until `unpark` is called, or not at all if it was called since the last sleep. It may
    /// also return for nothing.
    fn park(&self);
    /// Ends the sleep, or the next one if there is none.
    fn unpark(&self);
}

/// The numbers of those who are to be polled.
type Queue = Arc<Mutex<VecDeque<usize>>>;

/// The waker of a task.
struct Push {
    task: usize,
    queue: Queue,
    parker: Arc<dyn Parker>,
}

impl Wake for Push {
    fn wake(self: Arc<Self>) {
        // In this order: who wakes up looks into the queue, and must find the task there.
        self.queue.lock().unwrap().push_back(self.task);
        self.parker.unpark();
    }
}

/// Polls all tasks once, and then who was woken, until all are over.
pub fn run(tasks: Vec<Task>, parker: Arc<dyn Parker>) {
    let mut left = tasks.len();
    let queue = Queue::new(Mutex::new((0..left).collect()));
    let waker = |task| {
        Waker::from(Arc::new(Push {
            task,
            queue: queue.clone(),
            parker: parker.clone(),
        }))
    };
    let mut tasks: Vec<Option<(Task, Waker)>> =
        tasks.into_iter().enumerate().map(|(task, future)| Some((future, waker(task)))).collect();
    loop {
        let task = next(&queue, &*parker);
        let Some((future, waker)) = &mut tasks[task] else {
            continue; // Woken, and over since.
        };
        if future.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
            tasks[task] = None;
            left -= 1;
            if left == 0 {
                return;
            }
        }
    }
}

/// The first in the queue. As long as there is none, sleeps.
fn next(queue: &Queue, parker: &dyn Parker) -> usize {
    loop {
        // A statement of its own: in the head of a loop the lock would be held during the sleep.
        let first = queue.lock().unwrap().pop_front();
        match first {
            Some(task) => return task,
            // A wake that comes between the look and this has unparked already.
            None => parker.park(),
        }
    }
}
