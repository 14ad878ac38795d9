// Exercise 22: permits, and a line of those who wait for some. The task is in README.md.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Permits that tasks acquire. Who comes first is served first.
pub struct Semaphore {
    free: Cell<usize>,
    // Who waits, and for how many?
}

/// Permits. They go back when this is dropped.
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

/// There are too few permits, or others wait for them.
#[derive(Debug)]
pub struct NoPermits;

impl Semaphore {
    /// A semaphore with so many permits.
    pub fn new(permits: usize) -> Semaphore {
        Semaphore {
            free: Cell::new(permits),
        }
    }

    /// Waits for `n` permits, in line. It cannot fail: nobody closes this semaphore.
    pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, Infallible> {
        todo!("`acquire_many`: take `n` permits, or wait in line for them")
    }

    /// Takes `n` permits if they can be had at once.
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, NoPermits> {
        todo!("`try_acquire_many`: take `n` permits, and overtake nobody")
    }

    /// How many permits can be had at once.
    pub fn available_permits(&self) -> usize {
        self.free.get()
    }

    /// Gives `n` permits back.
    fn give(&self, n: usize) {
        todo!("`give`: who wants these, and who is to be woken?")
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        self.semaphore.give(self.permits);
    }
}
