//! A task gives its value to whoever awaits its handle: at once, later, or never.
//!
//! `spawn` does not wait. The task runs on its own, whether somebody awaits the handle or not; the
//! value waits in the task until it is asked for. Dropping the handle *detaches* the task: it goes
//! on, and nobody gets the value.
//!
//! Predict before you run: `quick` is awaited last. When does it finish, and when is its value
//! there?
//!
//! Run: `cargo run --example 13_join_handle`, and with `-- --real` to wait. Next:
//! `14_panic_is_contained`.

mod support;

use handspun::executor::Executor;
use handspun::time::{Duration, Instant, sleep};
use support::say;

async fn work(start: Instant, name: &'static str, millis: u64) -> u64 {
    say(start, format_args!("{name}: begins"));
    sleep(Duration::from_millis(millis)).await;
    say(start, format_args!("{name}: ends"));
    millis
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let start = Instant::now();
        let quick = handspun::spawn(work(start, "quick", 100));
        let slow = handspun::spawn(work(start, "slow", 300));
        drop(handspun::spawn(work(start, "detached", 200)));
        say(start, "root: has spawned three");

        let value = slow.await.unwrap();
        say(start, format_args!("root: slow gave {value}"));
        say(start, format_args!("root: is quick finished? {}", quick.is_finished()));
        let value = quick.await.unwrap();
        say(start, format_args!("root: quick gave {value}"));
    });
}
