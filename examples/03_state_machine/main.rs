//! What the compiler makes of an `async fn`: an enum, with a variant for each place to stand.
//!
//! `by_compiler`, below, is the `async fn`. v1 is its body in a `poll` that runs it from the top,
//! each time. It keeps nothing from one poll to the next, so it never gets past its first await.
//! What it would have to keep is where it stands, the future that it waits for, and the locals that
//! it still needs.
//!
//! v2 keeps them. It is the enum that one would write in place of the `async fn`. The two do the
//! same in every poll; the trace shows both, side by side.
//!
//! Each version is in a file of its own. They await what is in `later.rs`, and tell `trace.rs` what
//! they do.
//!
//! Predict before you run: which variant has to keep `left`, and which does not have it yet?
//!
//! Run: `cargo run --example 03_state_machine`, and with `-- v1` only the first. Begin with
//! `v1.rs`. Next: `04_self_reference`.

mod later;
#[path = "../support/mod.rs"]
mod support;
mod trace;
mod v1;
mod v2;

use later::later;
use trace::{trace, traced};
use v1::Forgetful;
use v2::ByHand;

async fn by_compiler() -> i32 {
    trace("begins");
    let left = later(40).await;
    trace(format!("has {left}"));
    let right = later(2).await;
    trace(format!("has {right}"));
    left + right
}

fn main() {
    let asked_for = support::stages_without_executor(2);
    if asked_for(1) {
        println!("v1 begins anew in each poll");
        println!("{}", traced(Forgetful, 3).join("\n"));
        println!("… and so on, for ever");
    }
    if asked_for(2) {
        println!("v2 goes on where it stood");
        println!("{:<16}enum", "async fn");
        let (left, right) = (traced(by_compiler(), 10), traced(ByHand::Unpolled, 10));
        for line in 0..left.len().max(right.len()) {
            let [left, right] = [&left, &right].map(|column| column.get(line).map_or("", |l| l));
            println!("{left:<16}{right}");
        }
    }
}
