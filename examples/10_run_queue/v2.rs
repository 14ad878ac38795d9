//! v2 polls who was woken: a waker is the number of a task, and a queue to push it to. A task that
//! is woken twice before its turn is in the queue twice. Next: `v3.rs`.

use crate::Task;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

type Queue = Arc<Mutex<VecDeque<usize>>>;

struct Push {
    task: usize,
    queue: Queue,
}

impl Wake for Push {
    fn wake(self: Arc<Self>) {
        self.queue.lock().unwrap().push_back(self.task);
    }
}

pub fn run(futures: Vec<Task>) {
    let queue = Queue::default();
    let mut tasks = Vec::new();
    for (task, future) in futures.into_iter().enumerate() {
        let push = Push {
            task,
            queue: queue.clone(),
        };
        tasks.push(Some((future, Waker::from(Arc::new(push)))));
        queue.lock().unwrap().push_back(task);
    }
    let pop = || queue.lock().unwrap().pop_front();
    while let Some(task) = pop() {
        let Some((future, waker)) = &mut tasks[task] else {
            continue; // woken, and over since
        };
        if future.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
            tasks[task] = None;
        }
    }
}
