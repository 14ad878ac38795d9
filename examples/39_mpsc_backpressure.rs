//! `mpsc`: many producers, one consumer, and who waits for whom.
//!
//! v1 is a channel without bounds. Sending never waits, so nothing slows down a producer that is
//! quicker than its consumer: what it is ahead by lies in the queue, and in memory. v2 has room for
//! two. The third `send` waits until the consumer has made room, and so the producer goes at the
//! consumer's pace: that is *back-pressure*. v3 has three producers. Those who wait for room wait
//! in line, so that none of them is left out.
//!
//! Each time the channel ends by itself: when all senders are dropped and the queue is empty,
//! `recv` gives `None`. (And if one of them is kept? See `57_sender_never_dropped`.)
//!
//! Predict before you run: in v1 and in v2, when is the oven done, and how many loaves lie in the
//! queue when the first one has been packed?
//!
//! Run: `cargo run --example 39_mpsc_backpressure`, one version of it with `-- v1`, and with
//! `-- --real` to wait. Next: `40_watch_skips`.

mod support;

use handspun::executor::Executor;
use handspun::sync::mpsc;
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep};
use handspun::trace;
use support::say;

async fn oven_v1(start: Instant, belt: mpsc::UnboundedSender<String>) {
    for loaf in 1..=5 {
        belt.send(format!("rye {loaf}")).expect("the packer packs them all");
    }
    say(start, "rye oven: done");
}

async fn oven_v2(start: Instant, name: &str, loaves: u32, belt: mpsc::Sender<String>) {
    for loaf in 1..=loaves {
        belt.send(format!("{name} {loaf}")).await.expect("the packer packs them all");
    }
    say(start, format_args!("{name} oven: done"));
}

/// Takes 100 ms to pack a loaf, and looks then how many there are in the queue.
async fn pack(start: Instant, loaf: String, queue: impl Fn() -> usize) {
    sleep(Duration::from_millis(100)).await;
    trace::mark(&format!("{} in the queue", queue()));
    say(start, format_args!("packer: {loaf:<8} (and {} in the queue)", queue()));
}

/// For people who look at a drawing of the run: a name for the task of an oven.
fn oven(name: &str) -> Builder {
    Builder::new().name(format!("{name} oven"))
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        if asked_for(1) {
            println!("v1: no bound");
            let start = Instant::now();
            let (sender, mut belt) = mpsc::unbounded_channel();
            oven("rye").spawn(oven_v1(start, sender));
            while let Some(loaf) = belt.recv().await {
                pack(start, loaf, || belt.len()).await;
            }
        }
        if asked_for(2) {
            println!("v2: room for two");
            let start = Instant::now();
            let (sender, mut belt) = mpsc::channel(2);
            oven("rye").spawn(oven_v2(start, "rye", 5, sender));
            while let Some(loaf) = belt.recv().await {
                pack(start, loaf, || belt.len()).await;
            }
        }
        if asked_for(3) {
            println!("v3: room for two, and three ovens");
            let start = Instant::now();
            let (sender, mut belt) = mpsc::channel(2);
            for name in ["rye", "oats", "spelt"] {
                oven(name).spawn(oven_v2(start, name, 2, sender.clone()));
            }
            drop(sender);
            while let Some(loaf) = belt.recv().await {
                pack(start, loaf, || belt.len()).await;
            }
        }
    });
}
