//! A call that blocks holds up everyone; `spawn_blocking` moves it out of the way.
//!
//! There is one thread to poll all tasks. While one of them is inside `thread::sleep` (or reads a
//! file, or computes for a second), no other is polled, and no timer fires. That is v1. The cure is
//! not a faster call but another thread: `spawn_blocking` runs the closure there, and its handle is
//! awaited like any other. That is v2.
//!
//! In v3 the baker waits for a second at the most, and the clock is paused. Grinding takes 50 ms on
//! a real clock. Everybody in the executor waits meanwhile, and a paused clock jumps to the next
//! deadline when everybody waits. But it does not while a closure is out on a thread.
//!
//! Predict before you run: in v1, when do the three guests have their coffee? And in v3, does the
//! baker give up?
//!
//! Run: `cargo run --example 46_blocks_everyone`, with `-- v2` for one version. Next:
//! `47_thread_sends`.

mod support;

use handspun::executor::Executor;
use handspun::task::{Builder, JoinHandle, spawn_blocking};
use handspun::time::{Instant, sleep, timeout};
use std::thread;
use std::time::Duration;
use support::say;

/// Blocks the thread that calls it.
fn grind() {
    thread::sleep(Duration::from_millis(50));
}

async fn baker_v1() {
    println!("  baker: grinds the flour");
    grind();
    println!("  baker: bread is ready");
}

async fn baker_v2() {
    println!("  baker: sends for the miller");
    spawn_blocking(grind).await.unwrap();
    println!("  baker: bread is ready");
}

async fn guest(name: &'static str) {
    println!("  {name}: has a coffee");
}

async fn morning(baker: JoinHandle<()>) {
    let guests = ["Ada", "Grace", "Barbara"].map(|name| handspun::spawn(guest(name)));
    baker.await.unwrap();
    for guest in guests {
        guest.await.unwrap();
    }
}

async fn baker_v3(start: Instant) {
    let miller = Builder::new().name("miller").spawn_blocking(grind);
    match timeout(Duration::from_secs(1), miller).await {
        Ok(_ground) => say(start, "baker: bread is ready"),
        Err(_elapsed) => say(start, "baker: gives up"),
    }
}

async fn kettle(start: Instant) {
    sleep(Duration::from_secs(3)).await;
    say(start, "kettle: water is hot");
}

fn main() {
    let asked_for = support::stages(3);
    if asked_for(1) {
        println!("v1 blocks");
        handspun::block_on(async { morning(handspun::spawn(baker_v1())).await });
    }
    if asked_for(2) {
        println!("v2 spawns a blocking closure");
        handspun::block_on(async { morning(handspun::spawn(baker_v2())).await });
    }
    if asked_for(3) {
        println!("v3 does so on a paused clock");
        let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
        executor.block_on(async {
            let start = Instant::now();
            let baker = Builder::new().name("baker").spawn(baker_v3(start));
            let kettle = Builder::new().name("kettle").spawn(kettle(start));
            baker.await.unwrap();
            kettle.await.unwrap();
        });
    }
}
