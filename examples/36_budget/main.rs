//! A source that is always ready, and a budget, by hand: so many items, then somebody else's turn.
//!
//! A thousand values lie in a channel. `recv().await` finds one, and is ready; and the next, and
//! the next: there is an `.await` in the loop, but no poll of it is ever pending, so the whole
//! thousand are one poll of the task. The peer, which only wants to look in now and then, is not
//! polled before the last.
//!
//! v2 has a *budget*. Each item costs one unit, and when none is left the wait for the next item is
//! pending once, although it need not be. That is a combinator of a few lines, `Budget::spend`,
//! around whatever the loop awaits.
//!
//! Predict before you run: with a budget of 16, how often is the drain polled?
//!
//! Run: `cargo run --example 36_budget`, and one version with `-- v1`. Begin with `v1.rs`. Next:
//! `37_lifo_vs_fifo`.

mod peer;
#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;

use v2::Budget;

fn main() {
    let asked_for = support::stages(2);
    println!("{:<19}polls   turns of the peer   items between two", "");
    if asked_for(1) {
        peer::run_beside("v1 no budget", v1::drain);
    }
    if asked_for(2) {
        for size in [512, 128, 16] {
            let drain = |source, progress| v2::drain(source, progress, Budget::new(size));
            peer::run_beside(&format!("v2 budget of {size}"), drain);
        }
    }
}
