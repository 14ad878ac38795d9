//! Who waits how long: one histogram, to be drawn with a fair run queue and with an unfair one.
//!
//! Six tasks do the same: eight pieces of work, and they yield after each. Each task notes, for
//! each of its polls, how many polls of others it has waited for. Nobody's work is done by this
//! program; the notes are all that it is for.
//!
//! handspun polls in the order in which tasks became runnable: first in, first out. With
//! `--break lifo` it takes the last one first, as a stack would. The work is the same, and both end
//! after as many polls. Compare the worst wait, and then, before you decide which is better, the
//! average.
//!
//! Predict before you run: how long does `a`, who was spawned first, wait for its first poll with
//! `--break lifo`?
//!
//! Run: `cargo run --example 37_lifo_vs_fifo`; and the other way,
//! `cargo run -- example 37 --break lifo`. Next: `38_oneshot`.

mod support;

use handspun::executor::Executor;
use handspun::task::{Builder, yield_now};
use std::cell::Cell;
use std::rc::Rc;

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const PIECES: usize = 8;

/// The columns of the histogram: waits of up to so many polls.
const UP_TO: [u32; 4] = [0, 5, 20, 40];

/// Returns for how many polls of others it has waited, for each piece.
async fn work(polls: Rc<Cell<u32>>) -> [u32; PIECES] {
    let mut runnable_since = 0;
    let mut waits = [0; PIECES];
    for wait in &mut waits {
        *wait = polls.get() - runnable_since;
        polls.update(|polls| polls + 1);
        runnable_since = polls.get();
        yield_now().await;
    }
    waits
}

/// A row of the histogram: a mark for each wait, in the column of its length.
fn row(waits: &[u32]) -> String {
    let mut row = String::new();
    let mut from = 0;
    for up_to in UP_TO {
        let count = waits.iter().filter(|wait| (from..=up_to).contains(*wait)).count();
        row += &format!("{:<9}", "#".repeat(count));
        from = up_to + 1;
    }
    row.trim_end().to_string()
}

fn main() {
    support::no_arguments();
    let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
    executor.block_on(async {
        let polls = Rc::new(Cell::new(0));
        let tasks = NAMES.map(|name| Builder::new().name(name).spawn(work(polls.clone())));
        println!("waited for   0        1-5      6-20     21-40    polls of others");
        let mut all = Vec::new();
        for (name, task) in NAMES.into_iter().zip(tasks) {
            let waits = task.await.unwrap();
            println!("task {name}       {}", row(&waits));
            all.extend(waits);
        }
        let (worst, sum) = (all.iter().max().unwrap(), all.iter().sum::<u32>());
        println!("worst {worst}, on average {:.1}", f64::from(sum) / all.len() as f64);
    });
}
