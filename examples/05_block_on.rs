//! `block_on`, in three versions: who polls, and when?
//!
//! v1 *spins*: it polls again and again, and keeps a processor at full speed for it. v2 *parks*: it
//! sleeps until the waker unparks it, so it depends on that: of a future that wakes nobody it never
//! hears again. And it trusts the thread's parking token, which is not its own: code inside the
//! future may park as well, and take it. Then the wake is lost. v3 keeps a *flag* of its own, parks
//! only while it is not set, and sets it before it unparks.
//!
//! handspun's executor sleeps like v3: its flag is the bell in `src/mailbox.rs`.
//!
//! Predict before you run: how often does v2 poll a future whose answer comes from a thread? And
//! which version copes with a future that wakes nobody?
//!
//! Run: `cargo run --example 05_block_on`. Next: `06_waker`.

mod support;

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

mod v1 {
    use super::*;

    pub fn block_on<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
        }
    }
}

mod v2 {
    use super::*;

    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    /// `None`: it slept for longer than `patience`, where nobody was left to wake it.
    pub fn block_on<F: Future>(future: F, patience: Duration) -> Option<F::Output> {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut cx = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Some(output);
            }
            // Just `thread::park()`, if this example did not have to come to an end.
            let parked_at = Instant::now();
            thread::park_timeout(patience);
            if parked_at.elapsed() >= patience {
                return None;
            }
        }
    }
}

mod v3 {
    use super::*;

    struct Flag {
        woken: AtomicBool,
        thread: Thread,
    }

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            // No `store`: of two wakes the poll would see only what was written before the second.
            self.woken.swap(true, Ordering::Release);
            self.thread.unpark();
        }
    }

    pub fn block_on<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        let flag = Arc::new(Flag {
            woken: AtomicBool::new(false),
            thread: thread::current(),
        });
        let waker = Waker::from(flag.clone());
        let mut cx = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            // The flag decides. The token only ends the sleep, and may come for any reason.
            while !flag.woken.swap(false, Ordering::Acquire) {
                thread::park();
            }
        }
    }
}

/// Ready on the `n`th poll, and wakes nobody: an answer that takes as long as `n` polls.
fn after_polls(n: u32, polls: &Cell<u32>) -> impl Future<Output = ()> {
    poll_fn(move |_| {
        polls.set(polls.get() + 1);
        if polls.get() == n { Poll::Ready(()) } else { Poll::Pending }
    })
}

/// Pending on the first poll, which starts a thread that answers and wakes.
fn from_a_thread(polls: &Cell<u32>) -> impl Future<Output = ()> {
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
fn parks_itself(polls: &Cell<u32>) -> impl Future<Output = ()> {
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

/// What is left to say of a sleep that nobody ends.
const FOR_EVER: &str = "  … and then it sleeps for ever";
/// Nobody is left who could end it, so it does not matter how long that is.
const PATIENCE: Duration = Duration::from_millis(50);

fn main() {
    let asked_for = support::stages_without_executor(3);
    let polls = Cell::new(0);
    let report = |what, end| println!("  {what:<34}{:>8}{end}", polls.take());
    let or_for_ever = |end: Option<()>| if end.is_none() { FOR_EVER } else { "" };

    if asked_for(1) {
        println!("v1 spins                               polls");
        v1::block_on(after_polls(100_000, &polls));
        report("an answer that wakes nobody", "");
    }
    if asked_for(2) {
        println!("v2 parks                               polls");
        v2::block_on(from_a_thread(&polls), Duration::MAX);
        report("an answer from a thread", "");
        let end = v2::block_on(after_polls(100_000, &polls), PATIENCE);
        report("an answer that wakes nobody", or_for_ever(end));
        let end = v2::block_on(parks_itself(&polls), PATIENCE);
        report("a future that parks", or_for_ever(end));
    }
    if asked_for(3) {
        println!("v3 has a flag, and parks               polls");
        v3::block_on(from_a_thread(&polls));
        report("an answer from a thread", "");
        v3::block_on(parks_itself(&polls));
        report("a future that parks", "");
    }
}
