//! Signals: a thread is interrupted in the middle of what it does, a sleep in the system too.
//!
//! Left out: everything that a signal may mean. The handler here counts.
#![allow(unsafe_code, reason = "std knows nothing of signals")]

use std::ffi::c_int;
use std::os::unix::thread::{JoinHandleExt, RawPthread};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};

/// `SIGALRM`: the same number everywhere, and nobody else's, as long as nobody calls `alarm`.
const SIGNAL: c_int = 14;

static HANDLED: AtomicUsize = AtomicUsize::new(0);

type Handler = extern "C" fn(c_int);

unsafe extern "C" {
    /// Returns what handled this signal before: a number like any other, to us.
    fn signal(number: c_int, handler: Handler) -> usize;
    fn pthread_kill(thread: RawPthread, number: c_int) -> c_int;
}

/// Runs on the interrupted thread, at any moment, so it may do next to nothing. An atomic it may.
extern "C" fn count(_number: c_int) {
    HANDLED.fetch_add(1, SeqCst);
}

/// Interrupts a thread that has not ended, and waits until it has noticed.
pub fn interrupt<T>(thread: &JoinHandle<T>) {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        // SAFETY: the handler has the type that C's has, and does only what one may do in the
        // middle of anything. It is there before the first signal, which would end the process.
        let previous = unsafe { signal(SIGNAL, count) };
        assert_ne!(previous, usize::MAX, "no handler could be installed");
    });
    let before = HANDLED.load(SeqCst);
    // SAFETY: a thread's name is good until the thread is joined or detached. Both take the handle
    // away from its owner, and it is borrowed here.
    let error = unsafe { pthread_kill(thread.as_pthread_t(), SIGNAL) };
    assert_eq!(error, 0, "the thread cannot be interrupted");
    while HANDLED.load(SeqCst) == before {
        thread::yield_now();
    }
}
