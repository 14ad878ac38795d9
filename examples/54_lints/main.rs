//! Five mistakes that every async program makes once, and the lint that names each.
//!
//! A lint sees the events of a run and nothing else. It says what went wrong, in which task and at
//! which line, and where to read about it. The programs are in `mistakes.rs`.
//!
//! Predict before you run: which of these programs would you have found by looking at its output?
//! (None of them prints anything.)
//!
//! Run: `cargo run --example 54_lints`, with `-- v2` for one of them. Next: `55_port`.

mod mistakes;
#[path = "../support/mod.rs"]
mod support;

use handspun::executor::Executor;
use handspun::task::Builder;
use handspun::time::{Duration, sleep};
use mistakes::{v1, v2, v3, v4, v5};
use std::future::Future;
use std::pin::Pin;

type Program = fn() -> Pin<Box<dyn Future<Output = ()>>>;

/// Runs a program for ten virtual seconds, and prints what the lints say of it.
fn show(program: Program) {
    let executor = Executor::builder().start_paused(true).record(100_000).build();
    executor.block_on(async {
        Builder::new().name("program").spawn(program());
        sleep(Duration::from_secs(10)).await;
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
