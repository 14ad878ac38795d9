//! The oracle, which answers after 10 ms, and what the task does that has asked.

use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep};
use handspun::trace;
use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::task::Waker;

/// What an `Answer` and its oracle share.
#[derive(Default)]
pub struct Shared {
    pub answer: Cell<Option<u32>>,
    pub waker: Cell<Option<Waker>>,
}

/// Asks an oracle.
pub fn ask() -> Rc<Shared> {
    let shared = Rc::<Shared>::default();
    Builder::new().name("oracle").spawn(oracle(shared.clone()));
    shared
}

async fn oracle(shared: Rc<Shared>) {
    sleep(Duration::from_millis(10)).await;
    trace::mark("answers");
    shared.answer.set(Some(42));
    if let Some(waker) = shared.waker.take() {
        waker.wake();
    }
}

pub async fn see(answer: impl Future<Output = u32>, start: Instant) {
    let answer = answer.await;
    trace::mark("sees it");
    println!("  {answer}, seen after {:?}", start.elapsed());
}
