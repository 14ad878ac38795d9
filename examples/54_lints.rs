//! Five mistakes that every async program makes once, and the lint that names each.
//!
//! A lint sees the events of a run and nothing else. It says what went wrong, in which task and at
//! which line, and where to read about it.
//!
//! Predict before you run: which of these programs would you have found by looking at its output?
//! (None of them prints anything.)
//!
//! Run: `cargo run --example 54_lints`.

mod support;

use handspun::executor::Executor;
use handspun::sync::Mutex;
use handspun::task::{Builder, yield_now};
use handspun::time::{Duration, sleep};
use handspun::trace::LintKind;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

const SECOND: Duration = Duration::from_secs(1);

/// Runs a program for ten virtual seconds, and prints what the lints say of it.
fn show(what: &str, program: impl Future<Output = ()> + 'static) {
    println!("{what}");
    let executor = Executor::builder().start_paused(true).record(100_000).build();
    executor.block_on(async {
        Builder::new().name("program").spawn(program);
        sleep(10 * SECOND).await;
    });
    for lint in executor.into_trace().lints() {
        // None of these programs blocks its thread. But a busy machine may make any poll long.
        if !matches!(lint.kind, LintKind::BlockedExecutor | LintKind::NeverYielded) {
            println!("  {lint}");
        }
    }
}

fn main() {
    support::no_arguments();

    show("A future that is pending, and keeps no waker:", async {
        let wakes = Rc::new(Cell::new(false));
        let later = wakes.clone();
        handspun::spawn(async move {
            sleep(SECOND).await;
            later.set(true);
        });
        poll_fn(move |_cx| if wakes.get() { Poll::Ready(()) } else { Poll::Pending }).await;
    });

    show("Waiting by asking again and again:", async {
        let done = Rc::new(Cell::new(false));
        let later = done.clone();
        handspun::spawn(async move {
            for _round in 0..1_000 {
                yield_now().await;
            }
            later.set(true);
        });
        while !done.get() {
            yield_now().await;
        }
    });

    show("A sleep that nobody awaits:", async {
        let _soon = sleep(SECOND);
    });

    show("A task that is large:", async {
        let large = [0_u8; 20_000];
        let task = handspun::spawn(async move {
            yield_now().await;
            large.len()
        });
        task.await.unwrap();
    });

    show("A lock that is held while its holder waits for something else:", async {
        let lock = Rc::new(Mutex::new(0));
        let ours = lock.clone();
        let slow = handspun::spawn(async move {
            let _guard = ours.lock().await;
            sleep(SECOND).await;
        });
        yield_now().await;
        *lock.lock().await += 1;
        slow.await.unwrap();
    });
}
