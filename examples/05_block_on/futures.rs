//! What there is to wait for: three futures, which count how often they are polled.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;

/// Ready on the `n`th poll, and wakes nobody: an answer that takes as long as `n` polls.
pub fn after_polls(n: u32, polls: &Cell<u32>) -> impl Future<Output = ()> {
    poll_fn(move |_| {
        polls.set(polls.get() + 1);
        if polls.get() == n { Poll::Ready(()) } else { Poll::Pending }
    })
}

/// Pending on the first poll, which starts a thread that answers and wakes.
pub fn from_a_thread(polls: &Cell<u32>) -> impl Future<Output = ()> {
    let answered = Arc::new(AtomicBool::new(false));
    poll_fn(move |cx| {
        polls.set(polls.get() + 1);
        if answered.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        let (answered, waker) = (answered.clone(), cx.waker().clone());
        thread::spawn(move || {
            answered.store(true, Ordering::Release);
            waker.wake();
        });
        Poll::Pending
    })
}

/// Woken during its first poll, and then parks for reasons of its own, as a lock, a channel or a
/// `block_on` inside of it may do. That park returns at once: it takes the token of the wake.
pub fn parks_itself(polls: &Cell<u32>) -> impl Future<Output = ()> {
    poll_fn(|cx| {
        polls.set(polls.get() + 1);
        if polls.get() == 2 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        thread::park();
        Poll::Pending
    })
}
