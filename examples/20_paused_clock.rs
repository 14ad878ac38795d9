//! The paused clock: ten minutes that take no time, and are exact.
//!
//! It stands while anything can run. When every task waits it jumps to the next deadline, and to
//! that one only, so everything happens in the order in which it would have happened. `advance` is
//! the other way: it moves the clock past all deadlines on its way, and they fire together
//! afterwards.
//!
//! Predict before you run: in the last part, what time do `a` and `b` see?
//!
//! Run: `cargo run --example 20_paused_clock`. Next: `21_interval_missed_ticks`.

mod support;

use handspun::executor::Executor;
use handspun::task::yield_now;
use handspun::time::{self, Duration, Instant, sleep};
use support::say;

async fn alarm(start: Instant, name: &'static str, seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
    say(start, format_args!("{name}: its {seconds} s are over"));
}

fn main() {
    support::no_arguments();
    let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
    executor.block_on(async {
        println!("it jumps from deadline to deadline");
        let start = Instant::now();
        let tea = handspun::spawn(alarm(start, "tea", 600));
        handspun::spawn(alarm(start, "egg", 300));
        tea.await.unwrap();

        println!("it stands while anything can run");
        let start = Instant::now();
        let toast = handspun::spawn(alarm(start, "toast", 90));
        for _ in 0..1000 {
            yield_now().await;
        }
        say(start, "root: has yielded a thousand times");
        toast.await.unwrap();
        say(start, "root: has waited");

        println!("advance moves it past several deadlines at once");
        let start = Instant::now();
        handspun::spawn(alarm(start, "b", 2));
        handspun::spawn(alarm(start, "a", 1));
        yield_now().await; // both have begun to sleep
        time::advance(Duration::from_secs(10)).await;
        say(start, "root: has advanced by 10 s");
    });
}
