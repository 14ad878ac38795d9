//! Waiting for a thousand: the `join_all` that everybody writes first, and the one that is linear.
//!
//! v1 is `23_join_by_hand` with a `Vec`: a wake for one polls all that are left. With a thousand
//! children that are woken one after the other that is half a million polls.
//!
//! v2 is `future::join_all`. Each child has a waker of its own, which notes the child's number. A
//! wake for one polls that one.
//!
//! Predict before you run: by what does the number of polls grow when there are ten times as many
//! children?
//!
//! Run: `cargo run --example 24_join_all`, and with `-- v2` for one of them. Next: `25_join_set`.

mod support;

use handspun::executor::Executor;
use handspun::future::join_all;
use handspun::time::{Duration, sleep};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

type Child = Pin<Box<dyn Future<Output = ()>>>;

async fn join_all_v1(mut children: Vec<Child>) {
    poll_fn(|cx| {
        children.retain_mut(|child| child.as_mut().poll(cx).is_pending());
        if children.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await
}

async fn join_all_v2(children: Vec<Child>) {
    join_all(children).await;
}

/// Sleeps as many milliseconds as its number, and counts its polls.
async fn child(number: u64, polls: Rc<Cell<u64>>) {
    let mut sleep = pin!(sleep(Duration::from_millis(number)));
    poll_fn(|cx| {
        polls.set(polls.get() + 1);
        sleep.as_mut().poll(cx)
    })
    .await
}

fn polls<F: Future<Output = ()>>(count: u64, join_all: fn(Vec<Child>) -> F) -> u64 {
    let polls = Rc::new(Cell::new(0));
    let children = (1..=count).map(|number| Box::pin(child(number, polls.clone())) as Child);
    let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
    executor.block_on(join_all(children.collect()));
    polls.get()
}

fn main() {
    let asked_for = support::stages(2);
    let row = |children: &str, v1: &str, v2: &str| {
        print!("{children:>8}");
        for (stage, polls) in [(1, v1), (2, v2)] {
            if asked_for(stage) {
                print!(" {polls:>16}");
            }
        }
        println!();
    };
    row("children", "polls in v1", "polls in v2");
    for count in [10, 100, 1000] {
        let v1 = polls(count, join_all_v1).to_string();
        let v2 = polls(count, join_all_v2).to_string();
        row(&count.to_string(), &v1, &v2);
    }
}
