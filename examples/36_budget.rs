//! A source that is always ready, and a budget, by hand: so many items, then somebody else's turn.
//!
//! A thousand values lie in a channel. `recv().await` finds one, and is ready; and the next, and
//! the next: there is an `.await` in the loop, but no poll of it is ever pending, so the whole
//! thousand are one poll of the task. The peer, which only wants to look in now and then, is not
//! polled before the last.
//!
//! v2 has a *budget*. Each item costs one unit, and when none is left the wait for the next item is
//! pending once, although it need not be. That is a combinator of a few lines, `Budget::spend`,
//! around whatever the loop awaits.
//!
//! Predict before you run: with a budget of 16, how often is the drain polled?
//!
//! Run: `cargo run --example 36_budget`, and one version with `-- v1`. Next: `37_lifo_vs_fifo`.

mod support;

use handspun::executor::Executor;
use handspun::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use handspun::task::{Builder, yield_now};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

/// So many items, until the others have had their turns.
struct Budget {
    size: u32,
    left: Cell<u32>,
}

impl Budget {
    fn new(size: u32) -> Budget {
        let left = Cell::new(size);
        Budget { size, left }
    }

    /// Waits for `future`, whose output costs a unit. If none is left, it is pending first.
    async fn spend<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let Some(left) = self.left.get().checked_sub(1) else {
                self.left.set(self.size);
                cx.waker().wake_by_ref();
                return Poll::Pending; // and `future` was not even asked
            };
            let poll = future.as_mut().poll(cx);
            if poll.is_ready() {
                self.left.set(left);
            }
            poll
        })
        .await
    }
}

/// What has been done so far, for all to see.
#[derive(Default)]
struct Progress {
    drained: Cell<u32>,
    is_done: Cell<bool>,
    polls: Cell<u32>,
}

async fn drain_v1(mut source: UnboundedReceiver<u32>, progress: Rc<Progress>) {
    while let Some(_item) = source.recv().await {
        progress.drained.update(|drained| drained + 1);
    }
}

async fn drain_v2(mut source: UnboundedReceiver<u32>, progress: Rc<Progress>, budget: Budget) {
    while let Some(_item) = budget.spend(source.recv()).await {
        progress.drained.update(|drained| drained + 1);
    }
}

/// Counts the polls of a drain, and says when it is over.
async fn watched(drain: impl Future<Output = ()>, progress: Rc<Progress>) {
    let mut drain = pin!(drain);
    poll_fn(|cx| {
        progress.polls.update(|polls| polls + 1);
        drain.as_mut().poll(cx)
    })
    .await;
    progress.is_done.set(true);
}

/// Looks in whenever it is its turn. Returns how often it did while the drain was not done, and how
/// many items were drained between two looks, at most.
async fn peer(progress: Rc<Progress>) -> (u32, u32) {
    let (mut looks, mut most, mut before) = (0, 0, 0);
    while !progress.is_done.get() {
        looks += 1;
        yield_now().await;
        let drained = progress.drained.get();
        most = most.max(drained - before);
        before = drained;
    }
    (looks, most)
}

fn run(version: &str, budget: Option<u32>) {
    let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
    executor.block_on(async {
        let (sender, source) = unbounded_channel();
        (1..=1000).for_each(|item| sender.send(item).expect("it will be drained"));
        drop(sender);

        let progress = Rc::new(Progress::default());
        let name = |name: &str| Builder::new().name(name);
        let peer = name("peer").spawn(peer(progress.clone()));
        let ours = progress.clone();
        match budget.map(Budget::new) {
            None => name("drain").spawn(watched(drain_v1(source, ours.clone()), ours)),
            Some(budget) => {
                name("drain").spawn(watched(drain_v2(source, ours.clone(), budget), ours))
            }
        };
        let (looks, most) = peer.await.unwrap();
        println!("{version:<19}{:>5}{looks:>20}{most:>22}", progress.polls.get());
    });
}

fn main() {
    let asked_for = support::stages(2);
    println!("{:<19}polls   turns of the peer   items between two", "");
    if asked_for(1) {
        run("v1 no budget", None);
    }
    if asked_for(2) {
        for size in [512, 128, 16] {
            run(&format!("v2 budget of {size}"), Some(size));
        }
    }
}
