//! One after the other, or at the same time: three sleeps, awaited in four ways.
//!
//! `.await` waits. In a loop (v1) it waits three times, and the times add up. v2 makes the futures
//! before the loop, which changes nothing: a future does not begin before its first poll. v3,
//! `join!`, polls all three in one task, so they wait together, and the longest decides. v4 makes
//! each a task of its own: it begins without being awaited, and the loop over the handles takes as
//! long as `join!`.
//!
//! Look at who says "begins" when. None of this is parallel: there is one thread, and no two of
//! them ever run at the same time. It is their waiting that overlaps.
//!
//! Predict before you run: 300, 100 and 200 ms. How long does each of the four ways take?
//!
//! Run: `cargo run --example 22_serial_vs_join`, with `-- v3` for one way only, and with
//! `-- --real` to wait. Next: `23_join_by_hand`.

mod support;

use handspun::executor::Executor;
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep};
use handspun::trace;
use std::future::Future;
use support::say;

const PAGES: [(&str, u64); 3] = [("a", 300), ("b", 100), ("c", 200)];

async fn fetch(start: Instant, (name, millis): (&str, u64)) {
    say(start, format_args!("{name}: begins"));
    trace::mark(&format!("{name} begins"));
    sleep(Duration::from_millis(millis)).await;
    say(start, format_args!("{name}: done"));
    trace::mark(&format!("{name} is done"));
}

async fn v1_await_in_a_loop(start: Instant) {
    for page in PAGES {
        fetch(start, page).await;
    }
}

async fn v2_make_then_await(start: Instant) {
    let futures = PAGES.map(|page| fetch(start, page));
    for future in futures {
        future.await;
    }
}

async fn v3_join(start: Instant) {
    let [a, b, c] = PAGES;
    handspun::join!(fetch(start, a), fetch(start, b), fetch(start, c));
}

async fn v4_spawn(start: Instant) {
    let tasks = PAGES.map(|page| Builder::new().name(page.0).spawn(fetch(start, page)));
    say(start, "root: has spawned three");
    for task in tasks {
        task.await.unwrap();
    }
}

fn run<F: Future<Output = ()>>(title: &str, real: bool, way: fn(Instant) -> F) {
    println!("{title}");
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async { way(Instant::now()).await });
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(4);
    if asked_for(1) {
        run("v1: await in a loop: the sum", real, v1_await_in_a_loop);
    }
    if asked_for(2) {
        run("v2: made first, then awaited in a loop: the sum, still", real, v2_make_then_await);
    }
    if asked_for(3) {
        run("v3: join!: the longest", real, v3_join);
    }
    if asked_for(4) {
        run("v4: spawn, then await in a loop: the longest, too", real, v4_spawn);
    }
}
