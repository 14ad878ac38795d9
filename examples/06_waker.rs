//! Whom does an answer wake? A future written by hand, and what it does with the waker of a poll.
//!
//! An oracle knows the answer after 10 ms. It puts it into a place that it shares with the future
//! `Answer`, and wakes the waker that it finds there. Who puts one there is the future, and each
//! version does it otherwise:
//!
//! - v1 keeps none. Nobody can wake the task, and the executor says so.
//! - v2 keeps that of the first poll. Then the future moves to another task: the root polls it for
//!   a millisecond, and spawns it when it has lost patience. The waker is still that of the root.
//! - v3 keeps that of the latest poll, and clones it only if it is not the same.
//! - v4 keeps none, as v1, but the task does something else as well, and is woken for that.
//! - v5 is the life of a waker, counted: no executor, and each step by hand.
//!
//! Predict before you run: who is polled in v2 when the answer has come? And in v4, when is the
//! answer seen?
//!
//! Run: `cargo run --example 06_waker`. Next: `08_lost_wakeup`.

mod support;

use handspun::executor::Executor;
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep, timeout};
use handspun::trace;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// What an `Answer` and its oracle share.
#[derive(Default)]
struct Shared {
    answer: Cell<Option<u32>>,
    waker: Cell<Option<Waker>>,
}

#[derive(Clone, Copy)]
enum Keep {
    Nothing,
    First,
    Latest,
}

struct Answer {
    shared: Rc<Shared>,
    keep: Keep,
}

impl Future for Answer {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        if let Some(answer) = self.shared.answer.get() {
            return Poll::Ready(answer);
        }
        let kept = self.shared.waker.take();
        let waker = match (self.keep, kept) {
            (Keep::Nothing, _) => None,
            (Keep::First, Some(first)) => Some(first),
            (Keep::Latest, Some(same)) if same.will_wake(cx.waker()) => Some(same),
            _ => Some(cx.waker().clone()),
        };
        self.shared.waker.set(waker);
        Poll::Pending
    }
}

async fn oracle(shared: Rc<Shared>) {
    sleep(Duration::from_millis(10)).await;
    trace::mark("answers");
    shared.answer.set(Some(42));
    if let Some(waker) = shared.waker.take() {
        waker.wake();
    }
}

/// Asks the oracle.
fn ask(keep: Keep) -> Answer {
    let shared = Rc::<Shared>::default();
    Builder::new().name("oracle").spawn(oracle(shared.clone()));
    Answer { shared, keep }
}

fn run(program: impl Future<Output = ()>) {
    let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
    executor.block_on(program);
}

/// The future stays in one task.
async fn stays(keep: Keep) {
    let answer = ask(keep);
    let asker = Builder::new().name("asker").spawn(see(answer, Instant::now()));
    asker.await.unwrap();
}

/// The future is polled by the root first, then by a task of its own.
async fn moves(keep: Keep) {
    let start = Instant::now();
    let mut answer = ask(keep);
    let patience = Duration::from_millis(1);
    let lost_patience = timeout(patience, &mut answer).await.is_err();
    assert!(lost_patience);
    let asker = Builder::new().name("asker").spawn(see(answer, start));
    asker.await.unwrap();
}

/// The future shares its task with something that is woken every 250 ms.
async fn has_company(keep: Keep) {
    let start = Instant::now();
    let answer = ask(keep);
    let ticks = async {
        for _ in 0..4 {
            sleep(Duration::from_millis(250)).await;
        }
    };
    let both = async move { handspun::join!(see(answer, start), ticks) };
    Builder::new().name("asker").spawn(both).await.unwrap();
}

async fn see(answer: Answer, start: Instant) {
    let answer = answer.await;
    trace::mark("sees it");
    println!("  {answer}, seen after {:?}", start.elapsed());
}

/// What a waker may be made of: here, something that counts.
#[derive(Default)]
struct Counter {
    wakes: AtomicU32,
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }
}

fn life_of_a_waker() {
    let counter = Arc::new(Counter::default());
    let tell = |step: &str| {
        let wakers = Arc::strong_count(&counter) - 1; // one is the counter's own
        let wakes = counter.wakes.load(Ordering::Relaxed);
        println!("  {step:<48}{wakers:>6}{wakes:>7}");
    };
    println!("v5: the life of a waker                           wakers  wakes");

    let waker = Waker::from(counter.clone());
    tell("made");
    let mut cx = Context::from_waker(&waker);
    let (shared, keep) = (Rc::<Shared>::default(), Keep::Latest);
    let mut answer = Answer {
        shared: shared.clone(),
        keep,
    };
    assert!(Pin::new(&mut answer).poll(&mut cx).is_pending());
    tell("lent to a poll, which keeps a clone");
    assert!(Pin::new(&mut answer).poll(&mut cx).is_pending());
    tell("lent again: the clone will_wake the same, stays");

    let kept = shared.waker.take().expect("it was kept");
    kept.wake_by_ref();
    tell("wake_by_ref: the clone is still there");
    kept.wake();
    tell("wake: the clone is used up");
    waker.wake_by_ref();
    tell("wake_by_ref: nobody need be waiting");

    assert!(Pin::new(&mut answer).poll(&mut cx).is_pending());
    tell("lent to a poll, which keeps a clone");
    let other = Waker::from(Arc::new(Counter::default()));
    assert!(Pin::new(&mut answer).poll(&mut Context::from_waker(&other)).is_pending());
    tell("a poll with another waker: the clone is replaced");
    drop(waker);
    tell("drop");
}

fn main() {
    let asked_for = support::stages(5);

    if asked_for(1) {
        println!("v1: keeps no waker");
        println!("{}", support::stall_report(|| run(stays(Keep::Nothing))));
    }
    if asked_for(2) {
        println!("v2: keeps the waker of the first poll, and moves");
        println!("{}", support::stall_report(|| run(moves(Keep::First))));
    }
    if asked_for(3) {
        println!("v3: keeps the waker of the latest poll, and moves");
        run(moves(Keep::Latest));
    }
    if asked_for(4) {
        println!("v4: keeps no waker, and has company");
        run(has_company(Keep::Nothing));
    }
    if asked_for(5) {
        life_of_a_waker();
    }
}
