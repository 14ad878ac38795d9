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
//! Run: `cargo run --example 04_self_reference`. Next: `05_block_on`.

mod support;

use handspun::task::yield_now;
use std::array;
use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::ptr;
use std::task::{Context, Waker};

/// v1: what a future would look like that has `numbers`, and a reference to them.
struct Summing {
    numbers: [u32; 6],
    /// Where they lie. A number, so that nobody can follow it.
    reference: usize,
}

impl Summing {
    fn begin(&mut self) {
        self.reference = ptr::from_ref(&self.numbers).addr();
    }

    /// How many bytes there are from its own field to what it points to.
    fn is_off_by(&self) -> isize {
        self.reference.wrapping_sub(ptr::from_ref(&self.numbers).addr()).cast_signed()
    }
}

fn a_struct_moves() {
    let mut both: [_; 2] = array::from_fn(|_| Summing {
        numbers: [1, 2, 3, 4, 5, 6],
        reference: 0,
    });
    both.iter_mut().for_each(Summing::begin);
    let [a, b] = both.each_ref().map(Summing::is_off_by);
    println!("  begun:   a is off by {a:>3} bytes, b by {b:>3}");
    both.swap(0, 1); // moves them: now it is b, a
    let [b, a] = both.each_ref().map(Summing::is_off_by);
    println!("  swapped: a is off by {a:>3} bytes, b by {b:>3}");
    println!("  (each is {} bytes long: they point into each other)", size_of::<Summing>());
}

/// v2 and v3: the same as an `async fn`. In each poll it tells where its local lies.
async fn sum(address: &Cell<usize>) -> u32 {
    let numbers = [1, 2, 3, 4, 5, 6];
    let reference = &numbers; // … into the future that this will be a part of
    for _ in 0..2 {
        address.set(ptr::from_ref(reference).addr());
        yield_now().await;
    }
    address.set(ptr::from_ref(reference).addr());
    reference.iter().sum()
}

/// Polls, and tells whether the local still lies where it was `before`, if it was anywhere.
fn poll_and_look(what: &str, future: Pin<&mut impl Future<Output = u32>>, address: &Cell<usize>) {
    let here = ptr::from_ref(&*future).addr();
    let inside = here..here + size_of_val(&*future);
    let before = address.get();
    let poll = future.poll(&mut Context::from_waker(Waker::noop()));
    let poll = format!("{poll:?}");
    let inside = inside.contains(&address.get());
    print!("  {what}: {poll:<9}  the local is inside of the future: {inside}");
    match before {
        0 => println!(),
        _ => println!(", where it was: {}", before == address.get()),
    }
}

fn a_future_is_pinned() {
    let address = Cell::new(0);
    let mut future = pin!(sum(&address));
    for what in ["poll 1", "poll 2", "poll 3"] {
        poll_and_look(what, future.as_mut(), &address);
    }
}

fn a_pin_moves() {
    let (a, b) = (Cell::new(0), Cell::new(0));
    let mut both = [Box::pin(sum(&a)), Box::pin(sum(&b))];
    poll_and_look("a", both[0].as_mut(), &a);
    poll_and_look("b", both[1].as_mut(), &b);
    both.swap(0, 1);
    println!("  swapped");
    poll_and_look("a", both[1].as_mut(), &a);
    poll_and_look("b", both[0].as_mut(), &b);
}

fn main() {
    let asked_for = support::stages_without_executor(3);
    let stages: [(&str, fn()); 3] = [
        ("v1 a struct that points into itself, moved", a_struct_moves),
        ("v2 a future that points into itself, pinned", a_future_is_pinned),
        ("v3 two such futures in boxes, swapped", a_pin_moves),
    ];
    for (stage, (title, run)) in (1..).zip(stages) {
        if asked_for(stage) {
            println!("{title}");
            run();
        }
    }
}
