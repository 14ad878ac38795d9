//! A task that never waits holds up all the others; `yield_now` lets them have a turn.
//!
//! v1 works in one piece. v2 has an `.await` after each piece, but of something that is ready: that
//! is no place to stop, the poll just goes on. v3 yields: it is pending, and wakes itself.
//!
//! Predict before you run: does v2 help?
//!
//! Run: `cargo run --example 34_hog`. Next: `38_oneshot`.

mod support;

use handspun::task::yield_now;
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
        yield_now().await;
    }
}

fn main() {
    support::no_arguments();
    let versions = [
        ("v1 works in one piece", Between::Nothing),
        ("v2 awaits what is ready", Between::AwaitReady),
        ("v3 yields", Between::Yield),
    ];
    for (version, between) in versions {
        print!("{version:<24}");
        handspun::block_on(async {
            let hog = handspun::spawn(hog(between));
            let heart = handspun::spawn(heart());
            hog.await.unwrap();
            heart.await.unwrap();
            println!();
        });
    }
}
