//! v3 swaps two futures of v2 which have begun, in boxes. Each goes on as if nothing had happened:
//! what changes places is the two boxes, that is pointers, and the futures stay on the heap.

use crate::v2::{poll_and_look, sum};
use std::cell::Cell;

pub fn run() {
    let (a, b) = (Cell::new(0), Cell::new(0));
    let mut both = [Box::pin(sum(&a)), Box::pin(sum(&b))];
    poll_and_look("a", both[0].as_mut(), &a);
    poll_and_look("b", both[1].as_mut(), &b);
    both.swap(0, 1);
    println!("  swapped");
    poll_and_look("a", both[1].as_mut(), &a);
    poll_and_look("b", both[0].as_mut(), &b);
}
