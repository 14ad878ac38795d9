//! Dropping is cancelling: one guard, and four ways to stop what holds it.
//!
//! A future that is dropped stops at the await where it stands, and everything that it holds is
//! dropped with it. So a guard is the place for cleaning up: its destructor runs when the work is
//! done, and also when it is aborted, timed out, or has lost a race. Nobody has to remember it.
//!
//! (What a destructor cannot do is `.await`. To say goodbye with a wait, see `51_shutdown`.)
//!
//! Predict before you run: which of the four says "saved"?
//!
//! Run: `cargo run --example 30_drop_cancels`, and with `-- --real` to wait. Next: `32_token_tree`.

mod support;

use handspun::executor::Executor;
use handspun::time::{Duration, Instant, sleep, timeout};
use support::say;

/// A file that is there as long as the work goes on.
struct LockFile(Instant);

impl LockFile {
    fn new(start: Instant) -> LockFile {
        say(start, "lock file: made");
        LockFile(start)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        say(self.0, "lock file: removed");
    }
}

async fn save(start: Instant) {
    let _lock_file = LockFile::new(start);
    sleep(Duration::from_millis(300)).await;
    say(start, "saved");
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let moment = Duration::from_millis(100);

        println!("awaited");
        save(Instant::now()).await;

        println!("aborted");
        let task = handspun::spawn(save(Instant::now()));
        sleep(moment).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());

        println!("timed out");
        assert!(timeout(moment, save(Instant::now())).await.is_err());

        println!("lost a race");
        handspun::select! {
            () = save(Instant::now()) => {}
            () = sleep(moment) => {}
        }
    });
}
