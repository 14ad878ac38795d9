//! A task that never waits holds up all the others; `yield_now` lets them have a turn.
//!
//! v1 works in one piece. v2 has an `.await` after each piece, but of something that is ready: that
//! is no place to stop, the poll goes on. v3 yields: it is pending, and wakes itself.
//!
//! The heart yields after each beat, so it is a good neighbour; but whether it gets to beat at all
//! while the hog works is up to the hog.
//!
//! Predict before you run: does v2 help?
//!
//! Run: `cargo run --example 34_hog`, one version with `-- v1`, and with `-- v1 --trace html` to
//! see it. Next: `35_yield_now`.

mod support;

use handspun::executor::Executor;
use handspun::task::{Builder, yield_now};
use handspun::trace;
use std::future::ready;

#[derive(Clone, Copy)]
enum Between {
    Nothing,
    AwaitReady,
    Yield,
}

async fn hog(between: Between) {
    for piece in 1..=3 {
        print!("  hog {piece}");
        trace::mark(&format!("piece {piece}"));
        match between {
            Between::Nothing => {}
            Between::AwaitReady => ready(()).await,
            Between::Yield => yield_now().await,
        }
    }
}

async fn heart() {
    for beat in 1..=3 {
        print!("  beat {beat}");
        trace::mark(&format!("beat {beat}"));
        yield_now().await;
    }
}

fn main() {
    let asked_for = support::stages(3);
    let versions = [
        ("v1 works in one piece", Between::Nothing),
        ("v2 awaits what is ready", Between::AwaitReady),
        ("v3 yields", Between::Yield),
    ];
    for (stage, (version, between)) in (1..).zip(versions) {
        if !asked_for(stage) {
            continue;
        }
        print!("{version:<24}");
        let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
        executor.block_on(async {
            let hog = Builder::new().name("hog").spawn(hog(between));
            let heart = Builder::new().name("heart").spawn(heart());
            hog.await.unwrap();
            heart.await.unwrap();
            println!();
        });
    }
}
