//! A parker: what a `block_on` sleeps in, and what ends the sleep.
//!
//! Polling is the same in all versions of this `block_on`. They differ in the object that it sleeps
//! in, and in how many of these there are:
//!
//! - v1 is a bare `thread::park`, and trusts the thread's parking token. There is one token for the
//!   whole thread, and whoever parks takes it.
//! - v2 has a flag of its own beside it, one for the thread. Only who lowers the flag was woken.
//! - v3 needs neither token nor thread: the flag is behind a mutex, with a condition variable to
//!   wait for it. Nobody else can touch that. There is still one for the thread.
//! - v4 is v3 once more, but each call of `block_on` has a parker of its own.
//!
//! Three futures try them. Each is woken during its first poll, and ready in its second. The first
//! does nothing else; the second parks, as code inside of it may; the third calls `block_on`.
//!
//! A sleep that nobody can end any more is given up after a while. How long that is changes nothing
//! of what is printed.
//!
//! Predict before you run: which of the twelve fields say "for ever"?
//!
//! Run: `cargo run --example 09_parker`. Next: `10_run_queue`.

mod support;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// After so long a sleep is given up that nobody can end.
const PATIENCE: Duration = Duration::from_millis(50);
/// For a sleep that somebody ends.
const NO_LIMIT: Duration = Duration::MAX;

/// The sleep was given up.
struct ForEver;

trait Parker: Send + Sync {
    /// Ends the sleep, or the next one if there is none.
    fn unpark(&self);
    /// Sleeps until it is ended. (A parker for use would have no `patience`.)
    fn park(&self, patience: Duration) -> Result<(), ForEver>;
}

// v1: the token of the thread, and nothing else.

struct Token(Thread);

impl Parker for Token {
    fn unpark(&self) {
        self.0.unpark();
    }

    fn park(&self, patience: Duration) -> Result<(), ForEver> {
        park_thread(patience)
    }
}

fn park_thread(patience: Duration) -> Result<(), ForEver> {
    let start = Instant::now();
    thread::park_timeout(patience);
    if start.elapsed() < patience { Ok(()) } else { Err(ForEver) }
}

// v2: a flag, and the token to end the sleep.

struct Flag {
    is_up: AtomicBool,
    thread: Thread,
}

impl Parker for Flag {
    fn unpark(&self) {
        // No `store`: of two wakes the poll would see only what was written before the second.
        self.is_up.swap(true, Ordering::Release);
        self.thread.unpark();
    }

    fn park(&self, patience: Duration) -> Result<(), ForEver> {
        while !self.is_up.swap(false, Ordering::Acquire) {
            park_thread(patience)?;
        }
        Ok(())
    }
}

// v3 and v4: a flag behind a mutex, and a condition variable to end the sleep.

#[derive(Default)]
struct Locked {
    is_up: Mutex<bool>,
    raised: Condvar,
}

impl Parker for Locked {
    fn unpark(&self) {
        *self.is_up.lock().unwrap() = true;
        self.raised.notify_one();
    }

    fn park(&self, patience: Duration) -> Result<(), ForEver> {
        let is_up = self.is_up.lock().unwrap();
        // Gives the mutex back while it sleeps: nothing can fall between the look and the sleep.
        let waited = self.raised.wait_timeout_while(is_up, patience, |is_up| !*is_up);
        let (mut is_up, _) = waited.unwrap();
        match std::mem::replace(&mut *is_up, false) {
            true => Ok(()),
            false => Err(ForEver),
        }
    }
}

// What is the same for all.

struct Unpark(Arc<dyn Parker>);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(
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

/// Woken during its first poll, in which it also does what is asked for. Ready in the second, with
/// the number of polls.
fn woken_while_it<D: FnMut()>(mut does: D) -> impl Future<Output = u32> {
    let mut polls = 0;
    poll_fn(move |cx| {
        polls += 1;
        if polls == 2 {
            return Poll::Ready(polls);
        }
        cx.waker().wake_by_ref();
        does();
        Poll::Pending
    })
}

/// Takes the parking token if there is one, as a `park` in a lock or a channel may.
fn take_the_token() {
    thread::park_timeout(Duration::ZERO);
}

/// `parker` gives each call of `block_on` its parker.
fn measure(version: &str, parker: impl Fn() -> Arc<dyn Parker>) {
    let nothing = block_on(parker(), NO_LIMIT, woken_while_it(|| {}));
    let parks = block_on(parker(), PATIENCE, woken_while_it(take_the_token));
    let inner = || block_on(parker(), NO_LIMIT, woken_while_it(|| {}));
    let blocks = block_on(parker(), PATIENCE, woken_while_it(|| drop(inner())));
    print!("{version:<38}");
    for end in [nothing, parks, blocks] {
        match end {
            Ok(polls) => print!("{:>15}", format!("{polls} polls")),
            Err(ForEver) => print!("{:>15}", "for ever"),
        }
    }
    println!();
}

fn main() {
    let asked_for = support::stages_without_executor(4);
    let thread = thread::current();
    println!("{:<38}{:>15}{:>15}{:>15}", "the future", "does nothing", "parks", "blocks on");
    if asked_for(1) {
        let token = Arc::new(Token(thread.clone()));
        measure("v1 the token", || token.clone());
    }
    if asked_for(2) {
        let is_up = AtomicBool::new(false);
        let flag = Arc::new(Flag { is_up, thread });
        measure("v2 a flag, one for the thread", || flag.clone());
    }
    if asked_for(3) {
        let locked = Arc::new(Locked::default());
        measure("v3 a condvar, one for the thread", || locked.clone());
    }
    if asked_for(4) {
        measure("v4 a condvar, one for each block_on", || Arc::new(Locked::default()));
    }
}
