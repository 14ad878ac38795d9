//! Graceful shutdown: three workers, a token, and a deadline for the farewell.
//!
//! The token asks them to stop; each finishes the piece that it is at, and says goodbye, which may
//! take a while. The set waits for all of them. And because a worker may hang, the wait has a
//! timeout: what is not gone by then is aborted.
//!
//! Predict before you run: who finishes its piece, who says goodbye, who is aborted?
//!
//! Run: `cargo run --example 51_shutdown`, and with `-- --real` to wait. Next:
//! `52_supervisor`.

mod support;

use handspun::executor::Executor;
use handspun::sync::CancellationToken;
use handspun::task::JoinSet;
use handspun::time::{Duration, Instant, sleep, timeout};
use support::say;

async fn worker(start: Instant, name: &'static str, farewell: u64, token: CancellationToken) {
    let mut pieces = 0;
    while !token.is_cancelled() {
        // A piece is finished once it is begun: the token is not looked at in here.
        sleep(Duration::from_millis(100)).await;
        pieces += 1;
        // Between two pieces there is nothing to lose.
        token.run_until_cancelled(sleep(Duration::from_millis(50))).await;
    }
    say(start, format_args!("{name}: stops after {pieces} pieces"));
    sleep(Duration::from_millis(farewell)).await;
    say(start, format_args!("{name}: goodbye"));
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let start = Instant::now();
        let token = CancellationToken::new();
        let mut workers = JoinSet::new();
        for (name, farewell) in [("a", 0), ("b", 200), ("c", 60_000)] {
            let worker = worker(start, name, farewell, token.clone());
            workers.build_task().name(name).spawn(worker);
        }
        sleep(Duration::from_millis(170)).await;

        say(start, "root: asks them to stop");
        token.cancel();
        let all_gone = async { while workers.join_next().await.is_some() {} };
        match timeout(Duration::from_secs(1), all_gone).await {
            Ok(()) => say(start, "root: all gone"),
            Err(_elapsed) => {
                say(start, format_args!("root: aborts {} that hangs", workers.len()));
                workers.shutdown().await;
            }
        }
        say(start, "root: the end");
    });
}
