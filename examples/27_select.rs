//! `select!`: whichever is first. By hand, in order, and at random.
//!
//! v1 is a `select` by hand: poll one, then the other, and return the first that is ready. v2 is
//! `select!` with `biased;`, which is the same: when both are ready, the first branch wins, each
//! time. That may be what you want (look for the signal to stop first), or may starve the second
//! branch for ever. v3 is `select!` as it is: it begins with a branch drawn by lot. The lots come
//! from the executor's seed, so that this example is the same each time.
//!
//! Predict before you run: two branches, both always ready, ten rounds. How often does b win in
//! each version?
//!
//! Run: `cargo run --example 27_select`, and with `-- v3` for one of them. Next: `28_timeout`.

mod support;

use handspun::executor::Executor;
use std::future::{Future, poll_fn, ready};
use std::pin::pin;
use std::task::Poll;

async fn select_v1<T>(a: impl Future<Output = T>, b: impl Future<Output = T>) -> T {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|cx| match a.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(output),
        Poll::Pending => b.as_mut().poll(cx),
    })
    .await
}

async fn select_v2(a: impl Future<Output = char>, b: impl Future<Output = char>) -> char {
    handspun::select! {
        biased;
        winner = a => winner,
        winner = b => winner,
    }
}

async fn select_v3(a: impl Future<Output = char>, b: impl Future<Output = char>) -> char {
    handspun::select! {
        winner = a => winner,
        winner = b => winner,
    }
}

async fn ten_rounds(stage: usize) {
    for _round in 0..10 {
        let (a, b) = (ready('a'), ready('b'));
        let winner = match stage {
            1 => select_v1(a, b).await,
            2 => select_v2(a, b).await,
            _ => select_v3(a, b).await,
        };
        print!("  {winner}");
    }
    println!();
}

fn main() {
    let asked_for = support::stages(3);
    for (stage, version) in (1..).zip(["v1 by hand  ", "v2 biased   ", "v3 at random"]) {
        if asked_for(stage) {
            print!("{version}");
            let executor = Executor::builder().start_paused(true).seed(3).build();
            executor.block_on(ten_rounds(stage));
        }
    }
}
