//! Who runs when: the executor goes in turns.
//!
//! One turn polls every task that was runnable when it began, once, in the order in which they
//! became runnable. Who is woken or spawned during a turn waits for the next. (Promise 4 of
//! `src/lib.rs`.)
//!
//! v1 has tasks that yield between two letters that they write: each wakes itself, and goes to the
//! end of the queue. In v2 the root yields, too. It was first in the queue, so it begins each turn,
//! and prints what was written in the turn before. In v3 three tasks ring for one that waits, in
//! each of three turns, and it writes a `w` whenever it is polled.
//!
//! Predict before you run: `b` writes twice, and spawns `d` with its second. What is the whole line
//! of v1? And how often does v3 write `w`?
//!
//! Run: `cargo run --example 12_turns`, and with `-- v3` only the third. Next: `13_join_handle`.

mod support;

use handspun::executor::Executor;
use handspun::task::{Builder, JoinHandle, yield_now};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

type Page = Rc<RefCell<String>>;

fn spawn(name: &str, future: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
    Builder::new().name(name).spawn(future)
}

async fn write(page: Page, letter: &str, times: usize) {
    for time in 1..=times {
        page.borrow_mut().push_str(letter);
        if time < times {
            yield_now().await;
        }
    }
}

fn spawn_writers(page: &Page) -> [JoinHandle<()>; 3] {
    let b = {
        let page = page.clone();
        async move {
            write(page.clone(), " b", 2).await;
            spawn("d", write(page, " d", 3)).await.unwrap();
        }
    };
    [
        spawn("a", write(page.clone(), " a", 4)),
        spawn("b", b),
        spawn("c", write(page.clone(), " c", 3)),
    ]
}

async fn in_which_order(page: Page) {
    for writer in spawn_writers(&page) {
        writer.await.unwrap();
    }
    println!(" {}", page.take());
}

async fn turn_by_turn(page: Page) {
    spawn_writers(&page);
    print_turns(page).await;
}

async fn print_turns(page: Page) {
    for turn in 1.. {
        yield_now().await; // the others have their turn
        let written = page.take();
        if written.is_empty() {
            break;
        }
        println!("  turn {turn}:{written}");
    }
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

async fn woken_thrice(page: Page) {
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

fn main() {
    let asked_for = support::stages(3);
    if asked_for(1) {
        println!("v1 in which order");
        run(in_which_order(Page::default()));
    }
    if asked_for(2) {
        println!("v2 turn by turn");
        run(turn_by_turn(Page::default()));
    }
    if asked_for(3) {
        println!("v3 three rings for one");
        run(woken_thrice(Page::default()));
    }
}

fn run(root: impl Future<Output = ()>) {
    Executor::builder().start_paused(true).panic_on_stall(true).build().block_on(root);
}
