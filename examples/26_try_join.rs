//! `try_join!` fails fast: the first error ends the wait, and drops the others.
//!
//! `join!` waits for all, and gives you a `Result` for each: good when each result counts.
//! `try_join!` gives one `Result` for all: when one has failed nobody wants the others any more,
//! and they are dropped on the spot, before you get the error.
//!
//! Predict before you run: does `upload` reach its end in both?
//!
//! Run: `cargo run --example 26_try_join`, and with `-- --real` to wait. Next: `27_select`.

mod support;

use handspun::executor::Executor;
use handspun::time::{Duration, Instant, sleep};
use support::say;

/// Says when it is dropped.
struct Connection(Instant);

impl Drop for Connection {
    fn drop(&mut self) {
        say(self.0, "upload: its connection is closed");
    }
}

async fn upload(start: Instant) -> Result<u32, &'static str> {
    let _connection = Connection(start);
    sleep(Duration::from_millis(300)).await;
    say(start, "upload: done");
    Ok(1)
}

async fn check(start: Instant) -> Result<u32, &'static str> {
    sleep(Duration::from_millis(100)).await;
    say(start, "check: no");
    Err("the file is not valid")
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        println!("join!");
        let start = Instant::now();
        let both = handspun::join!(upload(start), check(start));
        say(start, format_args!("root: {both:?}"));

        println!("try_join!");
        let start = Instant::now();
        let both = handspun::try_join!(upload(start), check(start));
        say(start, format_args!("root: {both:?}"));
    });
}
