//! Five mistakes that every async program makes once, and the lint that names each.
//!
//! A lint sees the events of a run and nothing else. It says what went wrong, in which task and at
//! which line, and where to read about it.
//!
//! Predict before you run: which of these programs would you have found by looking at its output?
//! (None of them prints anything.)
//!
//! Run: `cargo run --example 54_lints`, with `-- v2` for one of them. Next: `55_port`.

mod support;

use handspun::executor::Executor;
use handspun::sync::Mutex;
use handspun::task::{Builder, yield_now};
use handspun::time::{Duration, sleep};
use handspun::trace;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

const SECOND: Duration = Duration::from_secs(1);

async fn v1() {
    let wakes = Rc::new(Cell::new(false));
    let later = wakes.clone();
    handspun::spawn(async move {
        sleep(SECOND).await;
        later.set(true);
    });
    poll_fn(move |_cx| if wakes.get() { Poll::Ready(()) } else { Poll::Pending }).await;
}

async fn v2() {
    let done = Rc::new(Cell::new(false));
    let later = done.clone();
    handspun::spawn(async move {
        for part in 0..1_000 {
            trace::value("done", part); // that is work, and no spin
            yield_now().await;
        }
        later.set(true);
    });
    while !done.get() {
        yield_now().await;
    }
}

async fn v3() {
    let _soon = sleep(SECOND);
}

async fn v4() {
    let large = [0_u8; 20_000];
    let task = handspun::spawn(async move {
        yield_now().await;
        large.len()
    });
    task.await.unwrap();
}

async fn v5() {
    let lock = Rc::new(Mutex::new(0));
    let ours = lock.clone();
    let slow = handspun::spawn(async move {
        let _guard = ours.lock().await;
        sleep(SECOND).await;
    });
    yield_now().await;
    *lock.lock().await += 1;
    slow.await.unwrap();
}

/// Runs a program for ten virtual seconds, and prints what the lints say of it.
fn show(program: Program) {
    let executor = Executor::builder().start_paused(true).record(100_000).build();
    executor.block_on(async {
        Builder::new().name("program").spawn(program());
        sleep(10 * SECOND).await;
    });
    for lint in executor.into_trace().lints() {
        println!("{}", wrapped(&lint.to_string()));
    }
}

/// In lines of at most 100 characters, of which the first two are empty.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::from(" ")];
    for word in text.split(' ') {
        if lines[lines.len() - 1].len() + 1 + word.len() > 100 {
            lines.push(String::from(" "));
        }
        lines.last_mut().unwrap().extend([" ", word]);
    }
    lines.join("\n")
}

type Program = fn() -> Pin<Box<dyn Future<Output = ()>>>;

fn main() {
    let asked_for = support::stages(5);
    let programs: [(&str, Program); 5] = [
        ("v1: a future that is pending, and keeps no waker", || Box::pin(v1())),
        ("v2: waiting by asking again and again", || Box::pin(v2())),
        ("v3: a sleep that nobody awaits", || Box::pin(v3())),
        ("v4: a task that is large", || Box::pin(v4())),
        ("v5: a lock that is held while its holder waits for something else", || Box::pin(v5())),
    ];
    for (stage, (what, program)) in (1..).zip(programs) {
        if asked_for(stage) {
            println!("{what}");
            show(program);
        }
    }
}
