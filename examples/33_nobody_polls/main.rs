//! A future that is ready, and that nobody polls.
//!
//! A future moves only while it is polled. One that has begun, and is then put aside while its task
//! awaits something else, stands still: its deadline may have passed, its turn may have come, and
//! it does not know. v1 begins a request, lends it to a `select!`, and then waits for a coffee
//! before it awaits the request again. The answer is there after 200 ms; nobody looks before 1 s.
//! v2 gives the request a task of its own: the executor polls it, whatever we are doing.
//!
//! In v3 what is put aside has a lock, so a neighbour stands still too. In v4 it has only asked for
//! the lock. Its turn comes while nobody polls it, so the lock is given to a future that does not
//! know, and we wait for it, behind ourselves: for ever. v5 does not lend: who has lost is dropped,
//! and what it was given goes to the next.
//!
//! v1 and v2 are in `request.rs`, the others in `save.rs`.
//!
//! Predict before you run: when does the request say that it has its answer, in v1 and in v2?
//!
//! Run: `cargo run --example 33_nobody_polls`, with `-- v3` for one of them, and with `-- --real`
//! to wait. Begin with `request.rs`. Next: `34_hog`.

mod request;
mod save;
#[path = "../support/mod.rs"]
mod support;

use handspun::executor::Executor;
use handspun::time::{Duration, Instant};
use request::{v1, v2};
use save::{v3, v4, v5};

const MOMENT: Duration = Duration::from_millis(100);

fn main() {
    let (asked_for, real) = support::stages_and_clock(5);
    let run = |stage| {
        let executor = Executor::builder().start_paused(!real).panic_on_stall(true).seed(1).build();
        executor.block_on(async {
            let start = Instant::now();
            match stage {
                1 => v1(start).await,
                2 => v2(start).await,
                3 => v3(start).await,
                4 => v4(start).await,
                _ => v5(start).await,
            }
        });
    };
    let versions = [
        "v1: a future that we poll, when we do",
        "v2: a task",
        "v3: what we put aside has a lock",
        "v4: what we put aside is given a lock",
        "v5: what we put aside is dropped",
    ];
    for (stage, version) in (1..).zip(versions).filter(|(stage, _)| asked_for(*stage)) {
        println!("{version}");
        match stage {
            4 => println!("{}", support::stall_report(|| run(stage))),
            _ => run(stage),
        }
    }
}
