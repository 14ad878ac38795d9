//! v5 polls the future of v3 by hand, with a waker that counts. After each step it prints how many
//! wakers there are, and how often one was called.

use crate::oracle::Shared;
use crate::v3::Answer;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Wake, Waker};

/// What a waker may be made of: here, something that counts.
#[derive(Default)]
struct Counter {
    wakes: AtomicU32,
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }
}

pub fn life_of_a_waker() {
    let counter = Arc::new(Counter::default());
    let tell = |step: &str| {
        let wakers = Arc::strong_count(&counter) - 1; // one is the counter's own
        let wakes = counter.wakes.load(Ordering::Relaxed);
        println!("  {step:<48}{wakers:>6}{wakes:>7}");
    };
    println!("v5: the life of a waker                           wakers  wakes");

    let waker = Waker::from(counter.clone());
    tell("made");
    let mut cx = Context::from_waker(&waker);
    let shared = Rc::<Shared>::default();
    let mut answer = Answer {
        shared: shared.clone(),
    };
    assert!(Pin::new(&mut answer).poll(&mut cx).is_pending());
    tell("lent to a poll, which keeps a clone");
    assert!(Pin::new(&mut answer).poll(&mut cx).is_pending());
    tell("lent again: the clone will_wake the same, stays");

    let kept = shared.waker.take().expect("it was kept");
    kept.wake_by_ref();
    tell("wake_by_ref: the clone is still there");
    kept.wake();
    tell("wake: the clone is used up");
    waker.wake_by_ref();
    tell("wake_by_ref: nobody need be waiting");

    assert!(Pin::new(&mut answer).poll(&mut cx).is_pending());
    tell("lent to a poll, which keeps a clone");
    let other = Waker::from(Arc::new(Counter::default()));
    assert!(Pin::new(&mut answer).poll(&mut Context::from_waker(&other)).is_pending());
    tell("a poll with another waker: the clone is replaced");
    drop(waker);
    tell("drop");
}
