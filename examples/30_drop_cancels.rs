//! Dropping is cancelling: one guard, and five ways to stop what holds it. One of them does not.
//!
//! A future that is dropped stops at the await where it stands, and everything that it holds is
//! dropped with it. So a guard is the place for cleaning up: its destructor runs when the work is
//! done (v1), and also when it is aborted (v2), timed out (v3), or has lost a race (v4). Nobody has
//! to remember it. But what is dropped must be the future. v5 gives a timeout the *handle* of a
//! task: the handle is dropped, and the task goes on.
//!
//! In v6 the future holds others, and they are tasks: an upload with a set of two parts. Aborting
//! the one drops the set, which aborts the two.
//!
//! (What a destructor cannot do is `.await`. To say goodbye with a wait, see `51_shutdown`.)
//!
//! Predict before you run: which of v1 to v5 say "saved"?
//!
//! Run: `cargo run --example 30_drop_cancels`, with `-- v6` for one of them, and with `-- --real`
//! to wait. Next: `31_lost_line`.

mod support;

use handspun::executor::Executor;
use handspun::task::{Builder, JoinSet};
use handspun::time::{Duration, Instant, sleep, timeout};
use support::say;

const MOMENT: Duration = Duration::from_millis(100);

/// A file that is there as long as the work goes on.
struct LockFile(Instant, &'static str);

impl LockFile {
    fn new(start: Instant, of: &'static str) -> LockFile {
        say(start, format_args!("{of}: lock file made"));
        LockFile(start, of)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        say(self.0, format_args!("{}: lock file removed", self.1));
    }
}

async fn save(start: Instant) {
    let _lock_file = LockFile::new(start, "save");
    sleep(3 * MOMENT).await;
    say(start, "save: saved");
}

async fn v1(start: Instant) {
    save(start).await;
}

async fn v2(start: Instant) {
    let task = handspun::spawn(save(start));
    sleep(MOMENT).await;
    task.abort();
    say(start, "root: has aborted it");
    assert!(task.await.unwrap_err().is_cancelled());
    say(start, "root: knows that it has stopped");
}

async fn v3(start: Instant) {
    assert!(timeout(MOMENT, save(start)).await.is_err());
    say(start, "root: has given up");
}

async fn v4(start: Instant) {
    handspun::select! {
        () = save(start) => {}
        () = sleep(MOMENT) => say(start, "root: has given up"),
    }
}

async fn v5(start: Instant) {
    let task = handspun::spawn(save(start));
    assert!(timeout(MOMENT, task).await.is_err());
    say(start, "root: has given up");
    sleep(3 * MOMENT).await;
}

async fn v6(start: Instant) {
    let task = Builder::new().name("upload").spawn(upload(start));
    sleep(MOMENT).await;
    task.abort();
    say(start, "root: has aborted it");
    assert!(task.await.unwrap_err().is_cancelled());
    say(start, "root: knows that it has stopped");
}

async fn upload(start: Instant) {
    let _lock_file = LockFile::new(start, "upload");
    let mut parts = JoinSet::new();
    for name in ["part 1", "part 2"] {
        let part = async move {
            let _lock_file = LockFile::new(start, name);
            sleep(3 * MOMENT).await;
        };
        parts.build_task().name(name).spawn(part);
    }
    parts.join_all().await;
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(6);
    let versions = [
        "v1: awaited",
        "v2: aborted",
        "v3: timed out",
        "v4: lost a race",
        "v5: its handle is dropped",
        "v6: aborted, and it has children",
    ];
    for (stage, version) in (1..).zip(versions).filter(|(stage, _)| asked_for(*stage)) {
        println!("{version}");
        let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
        executor.block_on(async {
            let start = Instant::now();
            match stage {
                1 => v1(start).await,
                2 => v2(start).await,
                3 => v3(start).await,
                4 => v4(start).await,
                5 => v5(start).await,
                _ => v6(start).await,
            }
        });
    }
}
