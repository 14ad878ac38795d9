//! v2 has the loop of v1, with a budget around what it awaits.

use crate::peer::Progress;
use handspun::sync::mpsc::UnboundedReceiver;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

/// So many items, until the others have had their turns.
pub struct Budget {
    size: u32,
    left: Cell<u32>,
}

impl Budget {
    pub fn new(size: u32) -> Budget {
        let left = Cell::new(size);
        Budget { size, left }
    }

    /// Waits for `future`, whose output costs a unit. If none is left, it is pending first.
    async fn spend<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let Some(left) = self.left.get().checked_sub(1) else {
                self.left.set(self.size);
                cx.waker().wake_by_ref();
                return Poll::Pending; // and `future` was not even asked
            };
            let poll = future.as_mut().poll(cx);
            if poll.is_ready() {
                self.left.set(left);
            }
            poll
        })
        .await
    }
}

pub async fn drain(mut source: UnboundedReceiver<u32>, progress: Rc<Progress>, budget: Budget) {
    while let Some(_item) = budget.spend(source.recv()).await {
        progress.drained.update(|drained| drained + 1);
    }
}
