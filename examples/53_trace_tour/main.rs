//! A program with three mistakes, one after the other, and runs of it that draw themselves.
//!
//! A shop. Pages ask a clerk for the price, by a channel. The clerk looks it up in a list, which
//! has a lock, since once a day the price is renewed: the supplier takes 400 ms to tell the new
//! one. v1 is slow, v2 hangs, v3 does neither and forgets something. v4 is right.
//!
//! Find the causes in the drawings, not in the source. Begin at what is late, look who woke it, and
//! ask the same of that one. Where nobody is woken any more, look who waits for whom.
//!
//! Predict before you run: the pages ask at 100, 200 and 300 ms. How long does each wait for its
//! price, in v1?
//!
//! The shop is in `shop.rs`; what is here records its runs, and draws them.
//!
//! Run: `cargo run --example 53_trace_tour`, with `-- v1` for one of them, and to step through that
//! run, forwards and backwards, `cargo run --example 53_trace_tour -- v1 --trace html`. Next:
//! `54_lints`.

mod shop;
#[path = "../support/mod.rs"]
mod support;

use handspun::executor::Executor;
use handspun::trace::Format;

fn run(version: usize) {
    let executor =
        Executor::builder().start_paused(true).panic_on_stall(true).record(10_000).build();
    executor.block_on(shop::one_day(version));
    let trace = executor.into_trace();
    println!("\n{}", trace.draw(Format::Text)); // with what the lints say
}

fn main() {
    let asked_for = support::stages(4);
    let versions = [
        "v1: asks the supplier with the lock in its hand",
        "v2: asks the clerk with the lock in its hand",
        "v3: asks first, and locks then",
        "v4: the same, and the shop waits for it",
    ];
    for (version, what) in (1..).zip(versions).filter(|(version, _)| asked_for(*version)) {
        println!("{what}");
        match version {
            2 => println!("{}", support::stall_report(|| run(2))),
            _ => run(version),
        }
    }
}
