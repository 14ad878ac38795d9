//! What a future has done, line by line, and what each poll of it has returned.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

thread_local! {
    static TRACE: RefCell<Vec<String>> = RefCell::default();
}

pub fn trace(line: impl Into<String>) {
    TRACE.with_borrow_mut(|lines| lines.push(line.into()));
}

/// Polls to the end, or this often. Returns the trace, in which every poll has left what it
/// returned.
pub fn traced(future: impl Future<Output = i32>, polls: usize) -> Vec<String> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        let poll = future.as_mut().poll(&mut cx);
        trace(format!("  {poll:?}"));
        if poll.is_ready() {
            break;
        }
    }
    TRACE.take()
}
