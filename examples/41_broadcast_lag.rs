//! `broadcast`: everyone hears everything, and whoever is too slow is told how much it missed.
//!
//! Each receiver has a place of its own in one queue of limited length. The sender waits for none
//! of them: when the queue is full the oldest value falls out, also for those who have not heard it
//! yet. What their next `recv` gives is an error, `Lagged`, which says how many they missed. After
//! that they go on with the oldest value that is left.
//!
//! v1 is the loop that everybody writes first: `while let Ok`. It takes that error for the end, and
//! stops listening; nobody notices. v2 looks which error it is.
//!
//! Predict before you run: there is room for two, one of six headlines comes each 100 ms, and the
//! slow reader needs 260 ms for each. Which does it read, in v1 and in v2?
//!
//! Run: `cargo run --example 41_broadcast_lag`, one version of it with `-- v1`, and with
//! `-- --real` to wait. Next: `42_semaphore_fifo`.

mod support;

use handspun::executor::Executor;
use handspun::sync::broadcast::{self, error::RecvError};
use handspun::time::{Duration, Instant, sleep};
use support::say;

async fn reader_v1(start: Instant, name: &str, pace: u64, mut news: broadcast::Receiver<u32>) {
    while let Ok(headline) = news.recv().await {
        sleep(Duration::from_millis(pace)).await;
        say(start, format_args!("{name}: {headline}"));
    }
    say(start, format_args!("{name}: the end"));
}

async fn reader_v2(start: Instant, name: &str, pace: u64, mut news: broadcast::Receiver<u32>) {
    loop {
        match news.recv().await {
            Ok(headline) => {
                sleep(Duration::from_millis(pace)).await;
                say(start, format_args!("{name}: {headline}"));
            }
            Err(RecvError::Lagged(missed)) => say(start, format_args!("{name}: missed {missed}")),
            Err(RecvError::Closed) => break,
        }
    }
    say(start, format_args!("{name}: the end"));
}

async fn send_headlines(news: broadcast::Sender<u32>) {
    for headline in 1..=6 {
        sleep(Duration::from_millis(100)).await;
        news.send(headline).expect("there is a reader");
    }
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(2);
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        if asked_for(1) {
            println!("v1: while let Ok");
            let start = Instant::now();
            let (sender, news) = broadcast::channel(2);
            let slow = reader_v1(start, "                slow", 260, news);
            let quick = reader_v1(start, "quick", 10, sender.subscribe());
            handspun::join!(send_headlines(sender), quick, slow);
        }
        if asked_for(2) {
            println!("v2: looks which error it is");
            let start = Instant::now();
            let (sender, news) = broadcast::channel(2);
            let slow = reader_v2(start, "                slow", 260, news);
            let quick = reader_v2(start, "quick", 10, sender.subscribe());
            handspun::join!(send_headlines(sender), quick, slow);
        }
    });
}
