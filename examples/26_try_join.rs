//! `try_join!` fails fast: the first error ends the wait, and drops the others.
//!
//! `join!` (v1) waits for all, and gives you a `Result` for each: good when each result counts.
//! `try_join!` (v2) gives one `Result` for all: when one has failed nobody wants the others any
//! more, and they are dropped on the spot, before you get the error.
//!
//! What it drops is what it was given. In v3 that is handles of tasks, and to drop a handle is to
//! let its task go on alone. In v4 the tasks belong to a `JoinSet`: the `?` leaves the function, so
//! the set is dropped, and that aborts them.
//!
//! Predict before you run: in which of the four does `upload` reach its end?
//!
//! Run: `cargo run --example 26_try_join`, with `-- v2` for one of them, and with `-- --real` to
//! wait. Next: `27_select`.

mod support;

use handspun::executor::Executor;
use handspun::task::{JoinHandle, JoinSet};
use handspun::time::{Duration, Instant, sleep};
use handspun::{spawn, try_join};
use std::fmt::Debug;
use std::future::Future;
use support::say;

/// Says when it is dropped.
struct Connection(Instant);

impl Drop for Connection {
    fn drop(&mut self) {
        say(self.0, "upload: its connection is closed");
    }
}

type Checked = Result<u32, &'static str>;

async fn upload(start: Instant) -> Checked {
    let _connection = Connection(start);
    sleep(Duration::from_millis(300)).await;
    say(start, "upload: done");
    Ok(1)
}

async fn check(start: Instant) -> Checked {
    sleep(Duration::from_millis(100)).await;
    say(start, "check: no");
    Err("the file is not valid")
}

async fn v1_join(start: Instant) -> (Checked, Checked) {
    handspun::join!(upload(start), check(start))
}

async fn v2_try_join(start: Instant) -> Result<(u32, u32), &'static str> {
    try_join!(upload(start), check(start))
}

async fn v3_try_join_of_tasks(start: Instant) -> Result<(u32, u32), &'static str> {
    let (upload, check) = (spawn(upload(start)), spawn(check(start)));
    try_join!(output(upload), output(check))
}

/// What a task returns, if it does not panic.
async fn output(task: JoinHandle<Checked>) -> Checked {
    task.await.expect("it does not panic")
}

async fn v4_join_set(start: Instant) -> Checked {
    let mut set = JoinSet::new();
    set.spawn(upload(start));
    set.spawn(check(start));
    let mut sum = 0;
    while let Some(result) = set.join_next().await {
        sum += result.expect("it does not panic")?;
    }
    Ok(sum)
}

fn run<F: Future<Output: Debug>>(title: &str, real: bool, way: fn(Instant) -> F) {
    println!("{title}");
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let start = Instant::now();
        let answer = way(start).await;
        say(start, format_args!("root: {answer:?}"));
        sleep(Duration::from_secs(1)).await;
    });
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(4);
    if asked_for(1) {
        run("v1: join!", real, v1_join);
    }
    if asked_for(2) {
        run("v2: try_join!", real, v2_try_join);
    }
    if asked_for(3) {
        run("v3: try_join! of tasks", real, v3_try_join_of_tasks);
    }
    if asked_for(4) {
        run("v4: a JoinSet", real, v4_join_set);
    }
}
