//! The tour: three tasks on one thread, and a second that takes no time.
//!
//! Look at the time in front of each line. `db` and `cache` wait at the same time, not one after
//! the other; `server` waits for both; and the second that all of it takes is a virtual one:
//! whenever every task waits, the executor sets the clock forward to the next deadline.
//!
//! Predict before you run: at what time does the server open?
//!
//! Run: `cargo run --example 00_tour`, and with `-- --real` to wait for it. Next: `01_lazy`.

mod support;

use handspun::executor::Executor;
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep};

/// Runs the three tasks. Each line goes to `say`, with the time at which it was said.
pub fn tour(real: bool, say: impl Fn(Duration, &str) + Copy + 'static) {
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async move {
        let start = Instant::now();
        let say = move |line| say(start.elapsed(), line);

        let db = Builder::new().name("db").spawn(async move {
            say("db: connecting");
            sleep(Duration::from_millis(300)).await;
            say("db: connected");
        });
        let cache = Builder::new().name("cache").spawn(async move {
            say("cache: warming up");
            sleep(Duration::from_millis(200)).await;
            say("cache: warm");
        });
        let server = Builder::new().name("server").spawn(async move {
            say("server: waiting for both");
            db.await.unwrap();
            cache.await.unwrap();
            say("server: open");
            sleep(Duration::from_millis(700)).await;
            say("server: closed");
        });
        server.await.unwrap();
    });
}

fn main() {
    let real = support::wants_real_clock();
    tour(real, |time, line| println!("{:7.3} s  {line}", time.as_secs_f64()));
    if !real {
        println!("That was a second of virtual time. For a real one: -- --real");
    }
}
