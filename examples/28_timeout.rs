//! `timeout`: a future, or so much time. Three things that it does, and one that it cannot.
//!
//! A timeout polls the future first, and then the sleep. So a future that is ready is never
//! refused, even with no time at all. When the time is up the future is dropped, and with it what
//! it holds. And since it needs a poll to look at the clock, it cannot stop a future that does not
//! return from its poll: cancelling is for those who await.
//!
//! Predict before you run: which of the five are in time?
//!
//! Run: `cargo run --example 28_timeout`, and with `-- --real` to wait. Next: `29_select_loop`.

mod support;

use handspun::executor::Executor;
use handspun::task::yield_now;
use handspun::time::error::Elapsed;
use handspun::time::{self, Duration, Instant, sleep, timeout};
use std::thread;
use support::say;

/// Says when it is dropped.
struct Request(Instant);

impl Drop for Request {
    fn drop(&mut self) {
        say(self.0, "request: dropped");
    }
}

async fn request(start: Instant, millis: u64) -> &'static str {
    let _request = Request(start);
    sleep(Duration::from_millis(millis)).await;
    "answer"
}

/// Twenty milliseconds of work that takes real time, on whatever clock.
async fn work(yields: bool) -> &'static str {
    for _ in 0..20 {
        thread::sleep(Duration::from_millis(1));
        if yields {
            yield_now().await;
        }
    }
    "done"
}

fn end(result: Result<&str, Elapsed>) -> String {
    match result {
        Ok(value) => format!("in time: {value}"),
        Err(error) => format!("timed out: {error}"),
    }
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let limit = Duration::from_millis(300);
        println!("300 ms for a request of 200 ms");
        let start = Instant::now();
        say(start, end(timeout(limit, request(start, 200)).await));

        println!("300 ms for a request of 400 ms");
        let start = Instant::now();
        say(start, end(timeout(limit, request(start, 400)).await));

        println!("0 ms for what is ready");
        let start = Instant::now();
        say(start, end(timeout(Duration::ZERO, async { "answer" }).await));

        // What follows takes real time, which is never the same twice: it is not printed.
        if !real {
            time::resume();
        }
        let limit = Duration::from_millis(2);
        println!("2 ms for 20 ms of work that never yields");
        println!("           {}", end(timeout(limit, work(false)).await));
        println!("2 ms for 20 ms of work that yields");
        println!("           {}", end(timeout(limit, work(true)).await));
    });
}
