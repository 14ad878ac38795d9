//! Futures that own what they borrow, and give it back when they are gone.
//!
//! `receiver.recv()` borrows the receiver for as long as it lives. A test that drops it at any
//! moment, and then asks the receiver what it has seen, needs a future that stands on its own:
//!
//! ```text
//!   let home = home(receiver);
//!   let mut lent = Lent::from(&home);
//!   let wait = async move { lent.recv().await };
//!   drop(wait);                                  // ready or not
//!   let receiver = home.take().unwrap();
//! ```
#![allow(dead_code, reason = "each test file uses a part")]

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// Where something is while no future has it.
pub type Home<T> = Rc<Cell<Option<T>>>;

pub fn home<T>(it: T) -> Home<T> {
    Rc::new(Cell::new(Some(it)))
}

/// What a future has. It comes home when the future is gone.
pub struct Lent<T> {
    it: Option<T>,
    home: Home<T>,
}

impl<T> Lent<T> {
    /// Takes what is at home. If nothing is, the first use panics.
    pub fn from(home: &Home<T>) -> Lent<T> {
        Lent {
            it: home.take(),
            home: home.clone(),
        }
    }
}

impl<T> Deref for Lent<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.it.as_ref().expect("it was at home")
    }
}

impl<T> DerefMut for Lent<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.it.as_mut().expect("it was at home")
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        self.home.set(self.it.take());
    }
}
