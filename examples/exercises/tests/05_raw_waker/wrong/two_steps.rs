// Exercise 05, wrong: to add one takes two steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{RawWaker, RawWakerVTable, Waker};

/// A waker that adds one to the counter with each wake, and keeps the counter alive.
///
/// One Count Each: a waker that is not used up owns one strong count of the `Arc`.
pub fn counting_waker(counter: Arc<AtomicU32>) -> Waker {
    let data = Arc::into_raw(counter).cast();
    // SAFETY: an `Arc<AtomicU32>` may be sent, shared and dropped on any thread, and the functions
    // of the table keep One Count Each: so the counter is there as long as any waker is.
    unsafe { Waker::new(data, &TABLE) }
}

/// A `static`, and so the same table for all: `will_wake` compares addresses.
static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// One waker more: one count more.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker that is cloned owns a count, so the counter is there.
    unsafe { Arc::increment_strong_count(data.cast::<AtomicU32>()) };
    RawWaker::new(data, &TABLE)
}

/// The waker is used up: nobody will drop it after this, so the count is given back here.
unsafe fn wake(data: *const ()) {
    // SAFETY: the count of this waker becomes that of this `Arc`.
    let counter = unsafe { Arc::from_raw(data.cast::<AtomicU32>()) };
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// The waker is borrowed, and its count stays where it is.
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker owns a count, so the counter is there as long as it is borrowed.
    let counter = unsafe { &*data.cast::<AtomicU32>() };
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// One waker less.
unsafe fn drop_waker(data: *const ()) {
    // SAFETY: the count of this waker becomes that of this `Arc`.
    drop(unsafe { Arc::from_raw(data.cast::<AtomicU32>()) });
}
