//! A task gives its value to whoever awaits its handle: at once, later, or never.
//!
//! `spawn` does not wait. The task runs on its own, whether somebody awaits the handle or not; the
//! value waits in the task until it is asked for. Dropping the handle *detaches* the task: it goes
//! on, and nobody gets the value. That is v1.
//!
//! A handle is a future like any other, and may be polled by one task first, and then by another.
//! Whom shall the end of the task wake? In v2 the root waits for a while, and then gives the handle
//! to an heir. In v3 the handle is wrapped in a future that leaves its first waker with the task,
//! and no other.
//!
//! Predict before you run: in v1 `quick` is awaited last. When does it finish, and when is its
//! value there? And what becomes of v3?
//!
//! Run: `cargo run --example 13_join_handle`, with `-- v2` only the second, and with `-- --real` to
//! wait. Next: `14_panic_is_contained`.

mod support;

use handspun::executor::Executor;
use handspun::task::{Builder, JoinError, JoinHandle};
use handspun::time::{Duration, Instant, sleep, timeout};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use support::say;

fn spawn_work(start: Instant, name: &'static str, millis: u64) -> JoinHandle<u64> {
    Builder::new().name(name).spawn(async move {
        say(start, format_args!("{name}: begins"));
        sleep(Duration::from_millis(millis)).await;
        say(start, format_args!("{name}: ends"));
        millis
    })
}

async fn now_later_or_never() {
    let start = Instant::now();
    let quick = spawn_work(start, "quick", 100);
    let slow = spawn_work(start, "slow", 300);
    drop(spawn_work(start, "detached", 200));
    say(start, "root: has spawned three");

    let value = slow.await.unwrap();
    say(start, format_args!("root: slow gave {value}"));
    say(start, format_args!("root: is quick finished? {}", quick.is_finished()));
    let value = quick.await.unwrap();
    say(start, format_args!("root: quick gave {value}"));
}

/// The root of v2 and of v3, which differ in what the handle is wrapped in.
async fn hand_on<H>(wrap: impl FnOnce(JoinHandle<u64>) -> H)
where
    H: Future<Output = Result<u64, JoinError>> + Unpin + 'static,
{
    let start = Instant::now();
    let mut work = wrap(spawn_work(start, "work", 300));
    let result = timeout(Duration::from_millis(100), &mut work).await;
    assert!(result.is_err());
    say(start, "root: somebody else may wait for it");
    let heir = Builder::new().name("heir").spawn(async move {
        let value = work.await.unwrap();
        say(start, format_args!("heir: work gave {value}"));
    });
    heir.await.unwrap();
}

/// Leaves the waker of its first poll with the task, and never another.
struct KeepsFirst {
    handle: JoinHandle<u64>,
    first: Option<Waker>,
}

impl KeepsFirst {
    fn new(handle: JoinHandle<u64>) -> KeepsFirst {
        KeepsFirst {
            handle,
            first: None,
        }
    }
}

impl Future for KeepsFirst {
    type Output = Result<u64, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let first = this.first.get_or_insert_with(|| cx.waker().clone());
        Pin::new(&mut this.handle).poll(&mut Context::from_waker(first))
    }
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    let executor = || Executor::builder().start_paused(!real).panic_on_stall(true).build();
    if asked_for(1) {
        println!("v1 now, later, or never");
        executor().block_on(now_later_or_never());
    }
    if asked_for(2) {
        println!("v2 two tasks, one after the other");
        executor().block_on(hand_on(|handle| handle));
    }
    if asked_for(3) {
        println!("v3 … and only the first is woken");
        let program = || executor().block_on(hand_on(KeepsFirst::new));
        println!("{}", support::stall_report(program));
    }
}
