//! What there is to do: ten tasks report, one collects, and a hundred wait for it. Each counts how
//! often its kind is polled.

use crate::{Task, Version};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

const REPORTERS: u32 = 10;
const REPORTS_EACH: u32 = 10;
const LISTENERS: u32 = 100;

/// How often reporters, collector and listeners are polled.
pub fn polls_when_run_by(run: Version) -> [u32; 3] {
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
    [0, 1, 2].map(|kind| polls[kind].get())
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
