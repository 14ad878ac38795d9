//! What the basic operations cost, in polls, wakes and bytes.
//!
//! Nanoseconds depend on the machine: `cargo bench` has them, and the last column names the row.
//! What does not depend on it is how often somebody is polled and woken for one operation, and how
//! large the parts are. Each line is the difference of two recorded runs, one of which does it
//! once more.
//!
//! Predict before you run: how many polls does it take to spawn a task and await its handle?
//!
//! Run: `cargo run --example 56_costs`. Next: `57_sender_never_dropped`.

mod support;

use handspun::executor::Executor;
use handspun::sync::{Mutex, mpsc, oneshot};
use handspun::task::{JoinHandle, yield_now};
use handspun::time::{Duration, Sleep, sleep, timeout};
use handspun::trace::Event;
use std::future::ready;
use std::rc::Rc;
use std::task::Waker;

/// Polls, wakes and timers that were armed, in a run that does this so often.
fn counts(times: u32, operation: impl AsyncFn()) -> [usize; 3] {
    let executor = Executor::builder().start_paused(true).record(10_000).build();
    executor.block_on(async {
        for _ in 0..times {
            operation().await;
        }
    });
    let trace = executor.into_trace();
    let count = |is_it: fn(&Event) -> bool| {
        trace.records().iter().filter(|record| is_it(&record.event)).count()
    };
    [
        count(|event| matches!(event, Event::PollBegun { .. })),
        count(|event| matches!(event, Event::Woken { .. })),
        count(|event| matches!(event, Event::TimerArmed { .. })),
    ]
}

fn line(what: &str, row: &str, operation: impl AsyncFn()) {
    let [once, twice] = [1, 2].map(|times| counts(times, &operation));
    let [polls, wakes, timers] = [0, 1, 2].map(|kind| twice[kind] - once[kind]);
    println!("{what:<34}{polls:>6}{wakes:>7}{timers:>8}   {row}");
}

/// A value goes to a task that waits for it.
async fn send_to_waiting() {
    let (sender, receiver) = oneshot::channel();
    let task = handspun::spawn(receiver);
    yield_now().await; // it waits now
    sender.send(()).unwrap();
    task.await.unwrap().unwrap();
}

/// A lock goes to a task that waits for it.
async fn hand_over() {
    let lock = Rc::new(Mutex::new(()));
    let guard = lock.lock().await;
    let theirs = lock.clone();
    let task = handspun::spawn(async move { drop(theirs.lock().await) });
    yield_now().await; // it waits now
    drop(guard);
    task.await.unwrap();
}

fn main() {
    support::no_arguments();
    let second = Duration::from_secs(1);

    println!("for one more                       polls  wakes  timers   row of `cargo bench`");
    line("await of what is ready", "", async || ready(()).await);
    line("yield", "yield_root", async || yield_now().await);
    line("spawn, and await the handle", "spawn_join", async || {
        handspun::spawn(async {}).await.unwrap();
    });
    line("sleep", "", async || sleep(second).await);
    line("timeout that is not needed", "timer_timeout", async || {
        timeout(second, yield_now()).await.unwrap();
    });
    line("value through a free channel", "mpsc_unb", async || {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        sender.send(()).unwrap();
        receiver.recv().await.unwrap();
    });
    line("value to a task that waits", "oneshot", send_to_waiting);
    line("lock that is free", "mutex_free", async || {
        drop(Mutex::new(()).lock().await);
    });
    line("lock to a task that waits", "mutex", hand_over);

    println!();
    println!(
        "bytes of a Waker {}, of a JoinHandle {}, of a Sleep {}",
        size_of::<Waker>(),
        size_of::<JoinHandle<()>>(),
        size_of::<Sleep>()
    );
}
