//! v1 keeps no waker. So its task is polled once, and nothing can wake it. Next: `v2.rs`.

use crate::oracle::{Shared, ask, see};
use handspun::task::Builder;
use handspun::time::Instant;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

pub struct Answer {
    pub shared: Rc<Shared>,
}

impl Future for Answer {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<u32> {
        if let Some(answer) = self.shared.answer.get() {
            return Poll::Ready(answer);
        }
        Poll::Pending
    }
}

/// The future stays in one task.
pub async fn program() {
    let start = Instant::now();
    let answer = Answer { shared: ask() };
    let asker = Builder::new().name("asker").spawn(see(answer, start));
    asker.await.unwrap();
}
