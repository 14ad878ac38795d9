//! A future that is ready, and that nobody polls.
//!
//! A future moves only while it is polled. One that has begun, and is then put aside while its task
//! awaits something else, stands still: its deadline may have passed, its turn may have come, and
//! it does not know. v1 begins a request, lends it to a `select!`, and then waits for a coffee
//! before it awaits the request again. The answer is there after 200 ms; nobody looks before 1 s.
//! (If the request had held a lock meanwhile, nobody else could have had it.)
//!
//! v2 gives the request a task of its own: the executor polls it, whatever we are doing.
//!
//! Predict before you run: when does the request say that it has its answer, in each of the two?
//!
//! Run: `cargo run --example 33_nobody_polls`, and with `-- --real` to wait. Next: `34_hog`.

mod support;

use handspun::executor::Executor;
use handspun::time::{Duration, Instant, sleep};
use std::future::Future;
use std::pin::{Pin, pin};
use support::say;

async fn request(start: Instant) -> u32 {
    say(start, "request: sent");
    sleep(Duration::from_millis(200)).await;
    say(start, "request: has its answer");
    42
}

/// Awaits the request for 100 ms, then a coffee, then the request again.
async fn impatient(start: Instant, mut request: Pin<&mut impl Future<Output = u32>>) {
    handspun::select! {
        answer = &mut request => return say(start, format_args!("we: {answer}, at once")),
        () = sleep(Duration::from_millis(100)) => say(start, "we: coffee first"),
    }
    sleep(Duration::from_millis(900)).await;
    say(start, "we: back");
    let answer = request.await;
    say(start, format_args!("we: {answer}"));
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        println!("v1: a future that we poll, when we do");
        let start = Instant::now();
        impatient(start, pin!(request(start))).await;

        println!("v2: a task");
        let start = Instant::now();
        let task = handspun::spawn(request(start));
        impatient(start, pin!(async { task.await.unwrap() })).await;
    });
}
