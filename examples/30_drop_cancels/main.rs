//! Dropping is cancelling: one guard, and four ways to stop what holds it. One of them does not.
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
//! v1 to v5 are in `save.rs`, v6 in `upload.rs`, and the guard of both in `lock_file.rs`.
//!
//! Predict before you run: which of v1 to v5 say "saved"?
//!
//! Run: `cargo run --example 30_drop_cancels`, with `-- v6` for one of them, and with `-- --real`
//! to wait. Begin with `save.rs`. Next: `31_lost_line`.

mod lock_file;
mod save;
#[path = "../support/mod.rs"]
mod support;
mod upload;

use handspun::executor::Executor;
use handspun::time::{Duration, Instant};
use save::{v1, v2, v3, v4, v5};
use upload::v6;

const MOMENT: Duration = Duration::from_millis(100);

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
