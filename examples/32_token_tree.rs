//! A tree of cancellation tokens: who stops whom.
//!
//! A token is a flag that can be waited for. A child token has a flag of its own and hears its
//! parent's: cancelling the parent cancels all children, cancelling a child is the child's own
//! affair (v1). A clone is no child. It is the same token once more: v2 gives each task a clone,
//! and whoever cancels one has cancelled all. And a token only asks: whoever holds it decides where
//! to look at it, and what to do then.
//!
//! Predict before you run: `b` is cancelled at 100 ms, the parent at 200 ms. Who stops when?
//!
//! Run: `cargo run --example 32_token_tree`, with `-- v1` for one of them, and with `-- --real` to
//! wait. Next: `33_nobody_polls`.

mod support;

use handspun::executor::Executor;
use handspun::sync::CancellationToken;
use handspun::task::{Builder, JoinHandle};
use handspun::time::{Duration, Instant, sleep};
use support::say;

fn spawn_work(start: Instant, name: &'static str, token: &CancellationToken) -> JoinHandle<()> {
    let token = token.clone();
    Builder::new().name(name).spawn(async move {
        let all_of_it = sleep(Duration::from_secs(3600));
        match token.run_until_cancelled(all_of_it).await {
            Some(()) => say(start, format_args!("{name}: finished")),
            None => say(start, format_args!("{name}: cancelled")),
        }
    })
}

/// `below` makes the token of a task from that of the task above it.
async fn family(below: impl Fn(&CancellationToken) -> CancellationToken) {
    let start = Instant::now();
    let parent = CancellationToken::new();
    let (a, b) = (below(&parent), below(&parent));
    let tasks = [
        spawn_work(start, "a", &a),
        spawn_work(start, "a's child", &below(&a)),
        spawn_work(start, "b", &b),
    ];

    sleep(Duration::from_millis(100)).await;
    say(start, "root: cancels b");
    b.cancel();
    sleep(Duration::from_millis(100)).await;
    say(start, format_args!("root: is the parent cancelled? {}", parent.is_cancelled()));
    say(start, "root: cancels the parent");
    parent.cancel();
    for task in tasks {
        task.await.unwrap();
    }
    let late = below(&parent);
    say(start, format_args!("root: and one that comes late? {}", late.is_cancelled()));
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(2);
    let new = || Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    if asked_for(1) {
        println!("v1: children");
        new().block_on(family(CancellationToken::child_token));
    }
    if asked_for(2) {
        println!("v2: clones");
        new().block_on(family(CancellationToken::clone));
    }
}
