//! A call that blocks holds up everyone; `spawn_blocking` moves it out of the way.
//!
//! There is one thread to poll all tasks. While one of them is inside `thread::sleep` (or reads a
//! file, or computes for a second), no other is polled, and no timer fires. The cure is not a
//! faster call but another thread: `spawn_blocking` runs the closure there, and its handle is
//! awaited like any other.
//!
//! Predict before you run: in v1, when do the three guests have their coffee?
//!
//! Run: `cargo run --example 46_blocks_everyone`. Next: `47_thread_sends`.

mod support;

use handspun::task::{JoinHandle, spawn_blocking};
use std::thread;
use std::time::Duration;

/// Blocks the thread that calls it.
fn grind() {
    thread::sleep(Duration::from_millis(20));
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

fn main() {
    support::no_arguments();

    println!("v1 blocks");
    handspun::block_on(async { morning(handspun::spawn(baker_v1())).await });

    println!("v2 spawns a blocking closure");
    handspun::block_on(async { morning(handspun::spawn(baker_v2())).await });
}
