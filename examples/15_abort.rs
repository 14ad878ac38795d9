//! Stopping a task: `abort`, and when the destructors run.
//!
//! `abort` only asks, and returns at once. In the task's next turn its future is dropped instead of
//! polled: the task stops at the await where it stood, and everything that it held is dropped. Who
//! awaits the handle waits for that, and gets an error that says so.
//!
//! A task that is over is not affected: what it returned is still there.
//!
//! Predict before you run: which is printed first, "has asked" or "dropped"?
//!
//! Run: `cargo run --example 15_abort`, and with `-- --real` to wait. Next: `16_main_ends`.

mod support;

use handspun::executor::Executor;
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

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        println!("aborted in the middle");
        let start = Instant::now();
        let task = handspun::spawn(copy(start));
        sleep(Duration::from_millis(150)).await;
        task.abort();
        say(start, format_args!("root: has asked; is it over? {}", task.is_finished()));
        let error = task.await.unwrap_err();
        say(start, format_args!("root: {error}"));

        println!("aborted when it was over");
        let start = Instant::now();
        let task = handspun::spawn(copy(start));
        sleep(Duration::from_millis(400)).await;
        task.abort();
        say(start, format_args!("root: it gave {:?} all the same", task.await.unwrap()));
    });
}
