//! Why a future must stay where it was polled: it may hold a reference into itself.
//!
//! An `async fn` that has a local, and a reference to it, and awaits while it has both, keeps both
//! in its future: a value that points into itself. If it were moved, the reference would go on
//! pointing to where the local was.
//!
//! v1 shows what that means, without a future and without danger: a struct that has the address of
//! its own field (which is only looked at, never followed), in two copies that change places. v2
//! polls a future that is pinned, and so cannot be moved. v3 has two of those change places after
//! all, or so it seems: what moves is the `Pin`.
//!
//! Predict before you run: in v1, how far from its own field does each of the two point then?
//!
//! Run: `cargo run --example 04_self_reference`, and with `-- v1` only the first. Begin with
//! `v1.rs`. Next: `05_block_on`.

#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;
mod v3;

fn main() {
    let asked_for = support::stages_without_executor(3);
    let stages: [(&str, fn()); 3] = [
        ("v1 a struct that points into itself, moved", v1::run),
        ("v2 a future that points into itself, pinned", v2::run),
        ("v3 two such futures in boxes, swapped", v3::run),
    ];
    for (stage, (title, run)) in (1..).zip(stages) {
        if asked_for(stage) {
            println!("{title}");
            run();
        }
    }
}
