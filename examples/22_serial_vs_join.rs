//! One after the other, or at the same time: three sleeps, awaited in three ways.
//!
//! `.await` waits. Three of them wait three times, and the times add up. `join!` polls all three
//! in one task, so they wait together, and the longest decides. `spawn` makes each a task of its
//! own: it begins without being awaited, and takes as long as `join!`.
//!
//! Look at who says "begins" when. None of this is parallel: there is one thread, and no two of
//! them ever run at the same time. It is their waiting that overlaps.
//!
//! Predict before you run: 300, 100 and 200 ms. How long does each of the three ways take?
//!
//! Run: `cargo run --example 22_serial_vs_join`, and with `-- --real` to wait. Next:
//! `23_join_by_hand`.

mod support;

use handspun::executor::Executor;
use handspun::time::{Duration, Instant, sleep};
use support::say;

async fn fetch(start: Instant, name: &str, millis: u64) {
    say(start, format_args!("{name}: begins"));
    sleep(Duration::from_millis(millis)).await;
    say(start, format_args!("{name}: done"));
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        println!("one after the other: the sum");
        let start = Instant::now();
        fetch(start, "a", 300).await;
        fetch(start, "b", 100).await;
        fetch(start, "c", 200).await;

        println!("join!: the longest");
        let start = Instant::now();
        handspun::join!(fetch(start, "a", 300), fetch(start, "b", 100), fetch(start, "c", 200));

        println!("spawn: the longest, too");
        let start = Instant::now();
        let a = handspun::spawn(fetch(start, "a", 300));
        let b = handspun::spawn(fetch(start, "b", 100));
        let c = handspun::spawn(fetch(start, "c", 200));
        say(start, "root: has spawned three");
        a.await.unwrap();
        b.await.unwrap();
        c.await.unwrap();
    });
}
