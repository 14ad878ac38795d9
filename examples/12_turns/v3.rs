//! v3: three tasks wake one that waits, each once in a turn, for three turns. However often it was
//! woken, it is polled once in the next turn. The root prints the turns, as in v2.

use crate::v2::print_turns;
use crate::{Page, spawn};
use handspun::task::yield_now;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

pub async fn root(page: Page) {
    let rings = Rc::new(Rings::default());
    let (waits_for, at) = (rings.clone(), page.clone());
    spawn("waiter", async move { waits_for.reach(9, &at).await });
    for name in ["ringer 1", "ringer 2", "ringer 3"] {
        let (rings, page) = (rings.clone(), page.clone());
        spawn(name, async move {
            for _ in 0..3 {
                page.borrow_mut().push_str(" ring");
                rings.ring();
                yield_now().await;
            }
        });
    }
    print_turns(page).await;
}

/// A number that one task can wait for. Each change wakes it.
#[derive(Default)]
struct Rings {
    count: Cell<u32>,
    waiter: RefCell<Option<Waker>>,
}

impl Rings {
    fn ring(&self) {
        self.count.set(self.count.get() + 1);
        let waiter = self.waiter.borrow().clone();
        waiter.iter().for_each(Waker::wake_by_ref);
    }

    async fn reach(&self, goal: u32, page: &Page) {
        poll_fn(|cx| {
            page.borrow_mut().push_str(" w");
            if self.count.get() >= goal {
                return Poll::Ready(());
            }
            self.waiter.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await
    }
}
