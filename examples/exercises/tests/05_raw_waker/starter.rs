// Exercise 05: a raw waker over an `Arc`. The task is in README.md.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{RawWaker, RawWakerVTable, Waker};

/// A waker that adds one to the counter with each wake, and keeps the counter alive.
pub fn counting_waker(counter: Arc<AtomicU32>) -> Waker {
    // `Waker::new(data, &TABLE)` is unsafe. What does it rely on?
    todo!("`counting_waker`: from the Arc to a word, and then to a waker")
}

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

unsafe fn clone(data: *const ()) -> RawWaker {
    todo!("`clone`: one more waker of the same counter")
}

unsafe fn wake(data: *const ()) {
    todo!("`wake`: add one, and the waker is used up")
}

unsafe fn wake_by_ref(data: *const ()) {
    todo!("`wake_by_ref`: add one, and the waker is still there")
}

unsafe fn drop_waker(data: *const ()) {
    todo!("`drop_waker`: one waker less")
}
