// Exercise 08, wrong: who is over ends it for all.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

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

/// A task's place in the queue: its waker, too. Each task has one of its own, so it tells who was
/// pushed also when the slot has another tenant.
struct Push {
    slot: usize,
    queue: Queue,
    /// Up: it is in the queue, and to push it again would say nothing new.
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
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
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
                return; // Woken in its last poll, and over.
            };
            // Before the poll: a wake that comes during the poll is one that must count. And no
            // `store`: the poll must see what was written before a wake that found the flag up.
            push.queued.swap(false, Ordering::AcqRel);
            let waker = Waker::from(push);
            if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                *slot = None;
            }
        }
    }

    /// How long the queue is.
    pub fn queued(&self) -> usize {
        self.queue.lock().unwrap().len()
    }

    /// A function of its own: in the head of a `while let` the lock would be held during the poll.
    fn pop(&self) -> Option<Arc<Push>> {
        self.queue.lock().unwrap().pop_front()
    }
}
