//! Many tasks on one thread, in three versions: whom does the executor poll?
//!
//! v1 polls every task, round after round. v2 polls who was woken: a waker is the number of its
//! task and a queue to push it to. v3 does not push a task that is in the queue already.
//!
//! The work: ten reporters report to a collector, which waits until it has all of their reports,
//! ten each; a hundred listeners wait for the collector. Each version is complete, and has the same
//! work.
//!
//! Predict before you run: how often does v2 poll the collector, and how often does v3?
//!
//! Run: `cargo run --example 10_run_queue`, and with `-- v2` only the second. Next: `12_turns`.

mod support;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

type Task = Pin<Box<dyn Future<Output = ()>>>;

mod v1 {
    use super::*;

    pub fn run(mut tasks: Vec<Task>) {
        let mut cx = Context::from_waker(Waker::noop());
        while !tasks.is_empty() {
            tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
        }
    }
}

mod v2 {
    use super::*;

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
}

mod v3 {
    use super::*;

    type Queue = Arc<Mutex<VecDeque<usize>>>;

    struct PushOnce {
        task: usize,
        queued: AtomicBool,
        queue: Queue,
    }

    impl Wake for PushOnce {
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
            let push = PushOnce {
                task,
                queued: AtomicBool::new(true),
                queue: queue.clone(),
            };
            tasks.push(Some((future, Arc::new(push))));
            queue.lock().unwrap().push_back(task);
        }
        let next = || queue.lock().unwrap().pop_front();
        while let Some(task) = next() {
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
}

/// A number that tasks can wait for. Each change wakes all who do.
#[derive(Default)]
struct Count {
    count: Cell<u32>,
    waiters: RefCell<Vec<Waker>>,
}

impl Count {
    fn add_one(&self) {
        self.count.set(self.count.get() + 1);
        self.waiters.borrow().iter().for_each(Waker::wake_by_ref);
    }

    async fn reaches(&self, goal: u32, polls: &Cell<u32>) {
        poll_fn(|cx| {
            polls.set(polls.get() + 1);
            if self.count.get() >= goal {
                return Poll::Ready(());
            }
            let mut waiters = self.waiters.borrow_mut();
            if !waiters.iter().any(|waiter| waiter.will_wake(cx.waker())) {
                waiters.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

type Version = fn(Vec<Task>);

const REPORTERS: u32 = 10;
const REPORTS_EACH: u32 = 10;
const LISTENERS: u32 = 100;

fn main() {
    let asked_for = support::stages_without_executor(3);
    let versions: [(&str, Version); 3] = [
        ("v1 polls every task", v1::run),
        ("v2 polls who was woken", v2::run),
        ("v3 … and only once", v3::run),
    ];
    println!("polls of                  10 reporters   1 collector   100 listeners");
    for (stage, (version, run)) in (1..).zip(versions) {
        if asked_for(stage) {
            measure(version, run);
        }
    }
}

fn measure(version: &str, run: Version) {
    let polls: Rc<[Cell<u32>; 3]> = Rc::default();
    let reports = Rc::new(Count::default());
    let finished = Rc::new(Count::default());
    let mut tasks: Vec<Task> = Vec::new();
    for _ in 0..LISTENERS {
        let (polls, finished) = (polls.clone(), finished.clone());
        tasks.push(Box::pin(async move { finished.reaches(1, &polls[2]).await }));
    }
    let (collectors_polls, all) = (polls.clone(), reports.clone());
    tasks.push(Box::pin(async move {
        all.reaches(REPORTERS * REPORTS_EACH, &collectors_polls[1]).await;
        finished.add_one();
    }));
    for _ in 0..REPORTERS {
        let (polls, reports) = (polls.clone(), reports.clone());
        tasks.push(Box::pin(async move {
            for _ in 0..REPORTS_EACH {
                polls[0].set(polls[0].get() + 1);
                reports.add_one();
                yield_now().await;
            }
            polls[0].set(polls[0].get() + 1);
        }));
    }
    run(tasks);
    let [reporters, collector, listeners] = [0, 1, 2].map(|kind| polls[kind].get());
    println!("{version:<26}{reporters:>12}{collector:>14}{listeners:>16}");
}
