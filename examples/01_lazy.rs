//! Nothing happens until it is polled.
//!
//! Calling an `async fn` runs none of its body. It gives a value, the *future*, which holds the
//! arguments and a note of how far it has come (not at all). It begins when somebody polls it:
//! `.await` does, and an executor to which it was spawned. Nothing else does, however long one
//! waits.
//!
//! The three versions call `greet` at the same moment, and then have something else to do for 300
//! milliseconds. v1 leaves it at the call, v2 awaits what it got afterwards, v3 spawns it at once.
//!
//! Predict before you run: at what time is "Ada: hello" said, in each of the three?
//!
//! Run: `cargo run --example 01_lazy`, and with `-- --real` to wait. Next: `02_poll_once`.

mod support;

use handspun::executor::Executor;
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep};
use support::say;

async fn greet(start: Instant, name: &str) {
    say(start, format_args!("{name}: hello"));
    sleep(Duration::from_millis(100)).await;
    say(start, format_args!("{name}: goodbye"));
}

async fn something_else(start: Instant) {
    sleep(Duration::from_millis(300)).await;
    say(start, "we: have done something else");
}

async fn v1() {
    let start = Instant::now();
    let ada = greet(start, "Ada");
    let size = size_of_val(&ada);
    say(start, format_args!("we: have called it, and got {size} bytes"));
    something_else(start).await;
    drop(ada);
}

async fn v2() {
    let start = Instant::now();
    let ada = greet(start, "Ada");
    let grace = greet(start, "Grace");
    say(start, "we: have called it twice");
    something_else(start).await;
    ada.await;
    grace.await;
    say(start, "we: have awaited both");
}

async fn v3() {
    let start = Instant::now();
    let ada = Builder::new().name("Ada").spawn(greet(start, "Ada"));
    let grace = Builder::new().name("Grace").spawn(greet(start, "Grace"));
    say(start, "we: have spawned it twice");
    something_else(start).await;
    ada.await.unwrap();
    grace.await.unwrap();
    say(start, "we: have awaited both");
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    let executor = || Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    if asked_for(1) {
        println!("v1 is called");
        executor().block_on(v1());
    }
    if asked_for(2) {
        println!("v2 is called, and awaited later");
        executor().block_on(v2());
    }
    if asked_for(3) {
        println!("v3 is spawned, and awaited later");
        executor().block_on(v3());
    }
}
