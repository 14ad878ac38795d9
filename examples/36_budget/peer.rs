//! The peer of a drain: a task that looks in whenever it is its turn, and sees how far the drain
//! has come meanwhile.

use handspun::executor::Executor;
use handspun::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use handspun::task::{Builder, yield_now};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;

/// What has been done so far, for all to see.
#[derive(Default)]
pub struct Progress {
    pub drained: Cell<u32>,
    is_done: Cell<bool>,
    polls: Cell<u32>,
}

/// Runs a drain of a thousand items beside the peer, and prints a line about the two.
pub fn run_beside<D: Future<Output = ()> + 'static>(
    version: &str,
    drain: impl FnOnce(UnboundedReceiver<u32>, Rc<Progress>) -> D,
) {
    let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
    executor.block_on(async {
        let (sender, source) = unbounded_channel();
        (1..=1000).for_each(|item| sender.send(item).expect("it will be drained"));
        drop(sender);

        let progress = Rc::new(Progress::default());
        let drain = watched(drain(source, progress.clone()), progress.clone());
        let peer = Builder::new().name("peer").spawn(peer(progress.clone()));
        Builder::new().name("drain").spawn(drain);
        let (looks, most) = peer.await.unwrap();
        println!("{version:<19}{:>5}{looks:>20}{most:>22}", progress.polls.get());
    });
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
