//! The root decides: `block_on` returns when its own future is ready, whatever the others do.
//!
//! `handspun::block_on` makes an executor for the one call. What is not finished by then is
//! dropped, in the middle of whatever it was doing: who spawns and does not await takes a risk. An
//! `Executor` of one's own keeps its tasks, and goes on with them in its next `block_on`.
//!
//! Predict before you run: how far does `counter` get in each of the two?
//!
//! Run: `cargo run --example 16_main_ends`. Next: `17_sleep`.

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
    for number in 1..=9 {
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

fn main() {
    support::no_arguments();

    println!("handspun::block_on");
    handspun::block_on(async {
        handspun::spawn(counter());
        yield_twice().await;
    });

    println!("an Executor, called twice");
    let executor = Executor::new();
    executor.spawn(counter());
    executor.block_on(yield_twice());
    println!("  main: in between, nothing runs");
    executor.block_on(yield_twice());

    println!("… and dropped");
    drop(executor);
}
