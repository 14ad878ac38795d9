//! v1 moves a struct that has the address of its own field. A move copies the bytes, so each of the
//! two that change places goes on pointing to where its field was. Next: `v2.rs`.

use std::array;
use std::ptr;

/// What a future would look like that has `numbers`, and a reference to them.
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

pub fn run() {
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
