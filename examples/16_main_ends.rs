//! The root decides: `block_on` returns when its own future is ready, whatever the others do.
//!
//! `handspun::block_on` makes an executor for the one call. What is not finished by then is
//! dropped, in the middle of whatever it was doing: who spawns and does not await takes a risk
//! (v1). To await the handle is the cure (v2). An `Executor` of one's own keeps its tasks, and goes
//! on with them in its next `block_on` (v3).
//!
//! Predict before you run: how far does `counter` get in each of the three?
//!
//! Run: `cargo run --example 16_main_ends`, and with `-- v1` only the first. Next: `17_sleep`.

mod support;

use handspun::executor::Executor;
use handspun::task::yield_now;

/// Says when it is dropped.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        println!("  counter: dropped");
    }
}

async fn counter() {
    let _guard = Guard;
    for number in 1..=7 {
        println!("  counter: {number}");
        yield_now().await;
    }
    println!("  counter: done");
}

async fn yield_twice() {
    yield_now().await;
    yield_now().await;
    println!("  root: ready");
}

fn spawn_and_leave() {
    handspun::block_on(async {
        handspun::spawn(counter());
        yield_twice().await;
    });
    println!("  main: goes on");
}

fn spawn_and_await() {
    handspun::block_on(async {
        let counter = handspun::spawn(counter());
        counter.await.unwrap();
        println!("  root: ready");
    });
    println!("  main: goes on");
}

fn block_on_twice() {
    let executor = Executor::new();
    executor.spawn(counter());
    executor.block_on(yield_twice());
    println!("  main: in between, nothing runs");
    executor.block_on(yield_twice());
    println!("  main: drops the executor");
    drop(executor);
}

fn main() {
    let asked_for = support::stages(3);
    if asked_for(1) {
        println!("v1 handspun::block_on");
        spawn_and_leave();
    }
    if asked_for(2) {
        println!("v2 … and the handle is awaited");
        spawn_and_await();
    }
    if asked_for(3) {
        println!("v3 an Executor, called twice");
        block_on_twice();
    }
}
