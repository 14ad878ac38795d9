//! v2 keeps the waker of the first poll, which is enough while the future stays where it is. Here
//! it moves from the root to a task of its own. Next: `v3.rs`.

use crate::oracle::{Shared, ask, see};
use handspun::task::Builder;
use handspun::time::{Duration, Instant, timeout};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

pub struct Answer {
    pub shared: Rc<Shared>,
}

impl Future for Answer {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        if let Some(answer) = self.shared.answer.get() {
            return Poll::Ready(answer);
        }
        let waker = match self.shared.waker.take() {
            Some(first) => first,
            None => cx.waker().clone(),
        };
        self.shared.waker.set(Some(waker));
        Poll::Pending
    }
}

/// The future is polled by the root first, then by a task of its own.
pub async fn program() {
    let start = Instant::now();
    let mut answer = Answer { shared: ask() };
    let patience = Duration::from_millis(1);
    let lost_patience = timeout(patience, &mut answer).await.is_err();
    assert!(lost_patience);
    let asker = Builder::new().name("asker").spawn(see(answer, start));
    asker.await.unwrap();
}
