//! A deadlock, and an executor that says so instead of standing still.
//!
//! Two tasks need the same two locks. In v1 one of them begins with the knife and the other with
//! the fork, and then each waits for what the other has. Nothing is runnable any more, and no timer
//! is armed: with `panic_on_stall` the executor notices, and says who waits, and for what. (It
//! tells the locks apart by the lines that made them: which is the fork?) v2 is the cure: all take
//! the locks in the same order. Whoever has the first lock then gets the second as well, for nobody
//! holds that one who does not hold the first.
//!
//! Predict before you run: how many are on the list of those who wait, and for what does each?
//!
//! Run: `cargo run --example 45_deadlock_report`, with `-- v1` for one version. Next:
//! `46_blocks_everyone`.

mod support;

use handspun::executor::Executor;
use handspun::sync::Mutex;
use handspun::task::{Builder, yield_now};
use std::rc::Rc;

/// What one eats with, by the name of who ate last.
type Tool = Mutex<&'static str>;

async fn dine(name: &'static str, one: Rc<Tool>, other: Rc<Tool>) {
    let mut one = one.lock().await;
    println!("  {name}: has the first");
    yield_now().await;
    let mut other = other.lock().await;
    println!("  {name}: has both, and eats");
    (*one, *other) = (name, name);
}

fn dinner(same_order: bool) {
    let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
    executor.block_on(async {
        let knife = Rc::new(Tool::new("nobody"));
        let fork = Rc::new(Tool::new("nobody"));
        let (ada, grace) = (Builder::new().name("Ada"), Builder::new().name("Grace"));
        let ada = ada.spawn(dine("Ada", knife.clone(), fork.clone()));
        let grace = match same_order {
            false => grace.spawn(dine("Grace", fork, knife)),
            true => grace.spawn(dine("Grace", knife, fork)),
        };
        ada.await.unwrap();
        grace.await.unwrap();
    });
}

fn main() {
    let asked_for = support::stages(2);
    if asked_for(1) {
        println!("v1: each begins with another lock");
        // That depends on the order of turns, which can be broken: `--break lifo`.
        println!("{}", support::stall_report(|| dinner(false)));
    }
    if asked_for(2) {
        println!("v2: all begin with the same lock");
        dinner(true);
    }
}
