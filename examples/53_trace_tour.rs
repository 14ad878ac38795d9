//! A run that draws itself: marks, a value, and the timeline as text.
//!
//! Two producers fill a queue of three places, a consumer empties it more slowly than they can.
//! Look for the moment at which the queue is full: from then on each `send` waits, and it is the
//! consumer who wakes them, one by one.
//!
//! Predict before you run: who is polled first after the queue was full for the first time?
//!
//! Run: `cargo run --example 53_trace_tour`, and to step through the run, forwards and backwards,
//! `cargo run --example 53_trace_tour -- --trace html`.

mod support;

use handspun::executor::Executor;
use handspun::sync::mpsc;
use handspun::task::Builder;
use handspun::time::{Duration, sleep};
use handspun::trace;

const PLACES: usize = 3;

async fn produce(queue: mpsc::Sender<u32>, first: u32) {
    for number in first..first + 3 {
        if queue.capacity() == 0 {
            trace::mark("full");
        }
        queue.send(number).await.expect("the consumer is there");
        trace::value("queue", PLACES - queue.capacity());
    }
}

async fn consume(mut queue: mpsc::Receiver<u32>) {
    while let Some(_number) = queue.recv().await {
        trace::value("queue", queue.len());
        sleep(Duration::from_millis(10)).await;
    }
}

fn main() {
    support::no_arguments();
    let executor =
        Executor::builder().start_paused(true).panic_on_stall(true).record(10_000).build();
    executor.block_on(async {
        let (sender, receiver) = mpsc::channel(PLACES);
        let consumer = Builder::new().name("consumer").spawn(consume(receiver));
        Builder::new().name("odd").spawn(produce(sender.clone(), 1));
        Builder::new().name("even").spawn(produce(sender, 2));
        consumer.await.unwrap();
    });

    let trace = executor.trace();
    print!("{}", trace.text());
    println!("\n{} events in {:?} of virtual time", trace.records().len(), trace.end());
}
