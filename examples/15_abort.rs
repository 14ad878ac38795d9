//! Stopping a task: `abort`, and when the destructors run.
//!
//! `abort` only asks, and returns at once. In the task's next turn its future is dropped instead of
//! polled: the task stops at the await where it stood, and everything that it held is dropped. Who
//! awaits the handle waits for that, and gets an error that says so.
//!
//! A task that is over is not affected: what it returned is still there. That is v2.
//!
//! Predict before you run: which is printed first, "has asked" or "dropped"?
//!
//! Run: `cargo run --example 15_abort`, with `-- v2` only the second, and with `-- --real` to wait.
//! Next: `16_main_ends`.

mod support;

use handspun::executor::Executor;
use handspun::task::{Builder, JoinHandle};
use handspun::time::{Duration, Instant, sleep};
use support::say;

/// Says when it is dropped.
struct File(Instant);

impl Drop for File {
    fn drop(&mut self) {
        say(self.0, "copy: its file is dropped");
    }
}

async fn copy(start: Instant) -> &'static str {
    let _file = File(start);
    for block in 1..=3 {
        say(start, format_args!("copy: block {block}"));
        sleep(Duration::from_millis(100)).await;
    }
    say(start, "copy: all there");
    "3 blocks"
}

fn spawn_copy(start: Instant) -> JoinHandle<&'static str> {
    Builder::new().name("copy").spawn(copy(start))
}

async fn in_the_middle() {
    let start = Instant::now();
    let task = spawn_copy(start);
    sleep(Duration::from_millis(150)).await;
    task.abort();
    say(start, format_args!("root: has asked; is it over? {}", task.is_finished()));
    let error = task.await.unwrap_err();
    say(start, format_args!("root: {error}"));
}

async fn when_it_was_over() {
    let start = Instant::now();
    let task = spawn_copy(start);
    sleep(Duration::from_millis(400)).await;
    task.abort();
    say(start, format_args!("root: it gave {:?} all the same", task.await.unwrap()));
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(2);
    let executor = || Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    if asked_for(1) {
        println!("v1 aborted in the middle");
        executor().block_on(in_the_middle());
    }
    if asked_for(2) {
        println!("v2 aborted when it was over");
        executor().block_on(when_it_was_over());
    }
}
