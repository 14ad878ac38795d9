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
//! Predict before you run: when does the request say that it has its answer, in v1 and in v2?
//!
//! Run: `cargo run --example 33_nobody_polls`, with `-- v3` for one of them, and with `-- --real`
//! to wait. Next: `34_hog`.

mod support;

use handspun::executor::Executor;
use handspun::sync::Mutex;
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use support::say;

const MOMENT: Duration = Duration::from_millis(100);

async fn request(start: Instant) -> u32 {
    say(start, "request: sent");
    sleep(2 * MOMENT).await;
    say(start, "request: has its answer");
    42
}

/// Awaits the request for 100 ms, then a coffee, then the request again.
async fn impatient(start: Instant, mut request: Pin<&mut impl Future<Output = u32>>) {
    handspun::select! {
        answer = &mut request => return say(start, format_args!("we: {answer}, at once")),
        () = sleep(MOMENT) => say(start, "we: coffee first"),
    }
    sleep(9 * MOMENT).await;
    say(start, "we: back");
    let answer = request.await;
    say(start, format_args!("we: {answer}"));
}

async fn v1(start: Instant) {
    impatient(start, pin!(request(start))).await;
}

async fn v2(start: Instant) {
    let task = handspun::spawn(request(start));
    impatient(start, pin!(async { task.await.unwrap() })).await;
}

/// Takes 200 ms, and needs the lock for that.
async fn save(start: Instant, name: &'static str, lock: Rc<Mutex<()>>) -> u32 {
    let _guard = lock.lock().await;
    say(start, format_args!("{name}: has the lock"));
    sleep(2 * MOMENT).await;
    say(start, format_args!("{name}: saved"));
    42
}

fn spawn_neighbour(start: Instant, lock: &Rc<Mutex<()>>) {
    Builder::new().name("neighbour").spawn(save(start, "neighbour", lock.clone()));
}

async fn v3(start: Instant) {
    let lock = Rc::new(Mutex::new(()));
    spawn_neighbour(start, &lock); // whose first turn comes when we wait: too late for the lock
    impatient(start, pin!(save(start, "our save", lock))).await;
    sleep(3 * MOMENT).await;
}

async fn v4(start: Instant) {
    let lock = Rc::new(Mutex::new(()));
    spawn_neighbour(start, &lock);
    sleep(MOMENT).await;
    let mut our_save = pin!(save(start, "our save", lock.clone()));
    handspun::select! {
        _ = &mut our_save => {}
        () = sleep(MOMENT / 2) => write_note(start, &lock).await,
    }
}

async fn v5(start: Instant) {
    let lock = Rc::new(Mutex::new(()));
    spawn_neighbour(start, &lock);
    sleep(MOMENT).await;
    handspun::select! {
        _ = save(start, "our save", lock.clone()) => {}
        () = sleep(MOMENT / 2) => write_note(start, &lock).await,
    }
}

async fn write_note(start: Instant, lock: &Mutex<()>) {
    say(start, "we: that takes too long, we write a note instead");
    let _guard = lock.lock().await;
    say(start, "we: noted");
}

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
