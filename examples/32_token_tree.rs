//! A tree of cancellation tokens: who stops whom.
//!
//! A token is a flag that can be waited for. Clones share the flag. A child token has one of its
//! own and hears its parent's: cancelling the parent cancels all children, cancelling a child is
//! the child's own affair. And it only asks: whoever holds a token decides where to look at it, and
//! what to do then.
//!
//! Predict before you run: `b` is cancelled at 100 ms, the parent at 200 ms. Who stops when?
//!
//! Run: `cargo run --example 32_token_tree`, and with `-- --real` to wait. Next:
//! `33_nobody_polls`.

mod support;

use handspun::executor::Executor;
use handspun::sync::CancellationToken;
use handspun::time::{Duration, Instant, sleep};
use support::say;

async fn work(start: Instant, name: &str, token: CancellationToken) {
    let all_of_it = sleep(Duration::from_secs(3600));
    match token.run_until_cancelled(all_of_it).await {
        Some(()) => say(start, format_args!("{name}: finished")),
        None => say(start, format_args!("{name}: cancelled")),
    }
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let start = Instant::now();
        let parent = CancellationToken::new();
        let (a, b) = (parent.child_token(), parent.child_token());
        let tasks = [
            handspun::spawn(work(start, "a", a.clone())),
            handspun::spawn(work(start, "a's child", a.child_token())),
            handspun::spawn(work(start, "b", b.clone())),
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
        let late = parent.child_token();
        say(start, format_args!("root: and a child that comes late? {}", late.is_cancelled()));
    });
}
