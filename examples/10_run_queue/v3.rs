//! v3 is v2, and does not push a task that is in the queue already: each has a flag that says so.
//! `diff v2.rs v3.rs` shows what that takes.

use crate::Task;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

type Queue = Arc<Mutex<VecDeque<usize>>>;

struct Push {
    task: usize,
    queued: AtomicBool,
    queue: Queue,
}

impl Wake for Push {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.queue.lock().unwrap().push_back(self.task);
        }
    }
}

pub fn run(futures: Vec<Task>) {
    let queue = Queue::default();
    let mut tasks = Vec::new();
    for (task, future) in futures.into_iter().enumerate() {
        let push = Push {
            task,
            queued: AtomicBool::new(true),
            queue: queue.clone(),
        };
        tasks.push(Some((future, Arc::new(push))));
        queue.lock().unwrap().push_back(task);
    }
    let pop = || queue.lock().unwrap().pop_front();
    while let Some(task) = pop() {
        let Some((future, push)) = &mut tasks[task] else {
            continue; // woken, and over since
        };
        // Before the poll, not after it: a wake that comes during the poll must count. And no
        // `store`: the poll must see what was written before a wake that found the flag up.
        push.queued.swap(false, Ordering::AcqRel);
        let waker = Waker::from(push.clone());
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            tasks[task] = None;
        }
    }
}
