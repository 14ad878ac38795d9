//! `timeout`: a future, or so much time. Three things that it does, and one that it cannot.
//!
//! A timeout polls the future first, and then the sleep. So a future that is ready is never
//! refused, even with no time at all (v3). When the time is up the future is dropped, and with it
//! what it holds (v2): here that is one end of a channel, so that the server at the other end
//! learns of it, and stops. And since a timeout needs a poll to look at the clock, it cannot stop a
//! future that does not return from its poll (v4): cancelling is for those who await (v5).
//!
//! Predict before you run: which of the five are in time?
//!
//! Run: `cargo run --example 28_timeout`, with `-- v2` for one of them, and with `-- --real` to
//! wait. Next: `29_select_loop`.

mod support;

use handspun::executor::Executor;
use handspun::sync::oneshot;
use handspun::task::{self, yield_now};
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

/// Asks a server that takes so long for its answer.
async fn request(start: Instant, millis: u64) -> &'static str {
    let _request = Request(start);
    let (reply, answer) = oneshot::channel();
    task::Builder::new().name("server").spawn(serve(start, millis, reply));
    answer.await.expect("a server replies")
}

/// Works, as long as somebody waits for the answer.
async fn serve(start: Instant, millis: u64, mut reply: oneshot::Sender<&'static str>) {
    handspun::select! {
        () = sleep(Duration::from_millis(millis)) => reply.send("answer").expect("they wait"),
        () = reply.closed() => say(start, "server: nobody waits any more"),
    }
}

async fn ask_with_300_ms(millis: u64) {
    println!("300 ms for a request of {millis} ms");
    let start = Instant::now();
    say(start, end(timeout(Duration::from_millis(300), request(start, millis)).await));
    yield_now().await; // the server's turn
}

async fn no_time_at_all() {
    println!("0 ms for what is ready");
    let start = Instant::now();
    say(start, end(timeout(Duration::ZERO, async { "answer" }).await));
}

/// What takes real time is never the same twice: the time is not printed.
async fn work_with_2_ms(yields: bool) {
    let yields_or_not = if yields { "yields" } else { "never yields" };
    println!("2 ms for 20 ms of work that {yields_or_not}");
    println!("           {}", end(timeout(Duration::from_millis(2), work(yields)).await));
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
    let (asked_for, real) = support::stages_and_clock(5);
    for stage in (1..=5).filter(|stage| asked_for(*stage)) {
        let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
        executor.block_on(async {
            if stage > 3 && !real {
                time::resume();
            }
            match stage {
                1 => ask_with_300_ms(200).await,
                2 => ask_with_300_ms(400).await,
                3 => no_time_at_all().await,
                4 => work_with_2_ms(false).await,
                _ => work_with_2_ms(true).await,
            }
        });
    }
}
