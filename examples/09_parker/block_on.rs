//! What is the same in all versions: a `block_on`, and what it asks of the parker that it is given.
//! Next: `v1.rs`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

pub trait Parker: Send + Sync {
    /// Ends the sleep, or the next one if there is none.
    fn unpark(&self);
    /// Sleeps until it is ended. (A parker for use would have no `patience`.)
    fn park(&self, patience: Duration) -> Result<(), ForEver>;
}

/// The sleep was given up.
pub struct ForEver;

struct Unpark(Arc<dyn Parker>);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub fn block_on<F: Future>(
    parker: Arc<dyn Parker>,
    patience: Duration,
    future: F,
) -> Result<F::Output, ForEver> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(parker.clone())));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Ok(output);
        }
        parker.park(patience)?;
    }
}
