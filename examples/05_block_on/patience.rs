//! Patience that comes to an end. With it, this example does, also where a version of `block_on`
//! sleeps for ever.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

/// For a future that nobody is left to wake.
const PATIENCE: Duration = Duration::from_millis(50);

/// The output, or nothing if the future is still pending after a while.
pub fn with_patience<T>(future: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
    let mut future = Box::pin(future);
    let is_over = Arc::new(AtomicBool::new(false));
    poll_fn(move |cx| {
        if is_over.load(Ordering::Acquire) {
            return Poll::Ready(None);
        }
        let poll = future.as_mut().poll(cx);
        if poll.is_pending() {
            // Begun after the poll, so that nothing in that can take the token of this wake.
            let (is_over, waker) = (is_over.clone(), cx.waker().clone());
            thread::spawn(move || {
                thread::sleep(PATIENCE);
                is_over.store(true, Ordering::Release);
                waker.wake();
            });
        }
        poll.map(Some)
    })
}
