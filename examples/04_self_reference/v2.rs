//! v2 polls an `async fn` that keeps a local and a reference to it, as the struct of v1 does. It is
//! pinned, so in each poll the local lies where it was. Next: `v3.rs`.

use handspun::task::yield_now;
use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::ptr;
use std::task::{Context, Waker};

/// In each poll it tells where its local lies.
pub async fn sum(address: &Cell<usize>) -> u32 {
    let numbers = [1, 2, 3, 4, 5, 6];
    let reference = &numbers; // … into the future that this will be a part of
    for _ in 0..2 {
        address.set(ptr::from_ref(reference).addr());
        yield_now().await;
    }
    address.set(ptr::from_ref(reference).addr());
    reference.iter().sum()
}

pub fn run() {
    let address = Cell::new(0);
    let mut future = pin!(sum(&address));
    for what in ["poll 1", "poll 2", "poll 3"] {
        poll_and_look(what, future.as_mut(), &address);
    }
}

/// Polls, and tells whether the local still lies where it was `before`, if it was anywhere.
pub fn poll_and_look(
    what: &str,
    future: Pin<&mut impl Future<Output = u32>>,
    address: &Cell<usize>,
) {
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
