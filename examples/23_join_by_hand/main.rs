//! `join` by hand: a future that holds two futures, and polls both.
//!
//! There is no more to it. Its poll polls whoever is not done; when both are done, so is it. What
//! is done is kept, and its future dropped (assigning to the `Option` in `child.rs` does that). A
//! future that is done must not be polled again: hence the `Option`.
//!
//! The children are boxed here, so that they can be pinned without a word of `unsafe`.
//! `src/future/join.rs` keeps them in place. (So a `Join` has outputs in it, and no futures: if
//! those may be moved, so may it, and `get_mut` may be called.)
//!
//! Look at the polls of v1: whoever of the two was woken, both are polled. They share one waker,
//! that of the task, and it does not say for whom it was called. With two that is nothing; with a
//! thousand see `24_join_all`.
//!
//! v2 has `&&` in place of `&`, and that is one letter too many: `&&` does not look at its second
//! half while the first is false.
//!
//! Predict before you run: how often is each of the two polled in v1? And when does `b` begin in
//! v2?
//!
//! Run: `cargo run --example 23_join_by_hand`, and with `-- v2` for one version only. Begin with
//! `v1.rs`. Next: `24_join_all`.

mod child;
#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;

use handspun::task::yield_now;

async fn count(yields: u32) -> u32 {
    for _ in 0..yields {
        yield_now().await;
    }
    yields
}

fn main() {
    let asked_for = support::stages(2);
    if asked_for(1) {
        println!("v1: polls both");
        println!("{:?}", handspun::block_on(v1::join(count(1), count(3))));
    }
    if asked_for(2) {
        println!("v2: polls the second when the first is done");
        println!("{:?}", handspun::block_on(v2::join(count(1), count(3))));
    }
}
