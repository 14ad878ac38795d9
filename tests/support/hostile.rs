//! Futures, outputs, panic payloads and wakers that do something when they are dropped, cloned or
//! woken.
//!
//! A waker and a payload must be `Send`, and what the tests want to do from inside them is mostly
//! not: so both carry the number of an *action*, which stays on its thread, in a table. Those few
//! that are `Send` are in a table of all threads, and numbered from [`EVERYWHERE`] on.
#![allow(dead_code, reason = "each test file uses a part")]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io::{Write, stderr};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::rc::Rc;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::task::{RawWaker, RawWakerVTable, Waker};
use std::{process, ptr, thread};

/// What a hostile waker lives to see.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Call {
    Clone,
    Wake,
    Drop,
}

type Action = Rc<dyn Fn(Call)>;
type ActionOfAll = Arc<dyn Fn(Call) + Send + Sync>;

thread_local! {
    static ACTIONS: RefCell<Vec<Action>> = const { RefCell::new(Vec::new()) };
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static OF_ALL_THREADS: Mutex<Vec<ActionOfAll>> = Mutex::new(Vec::new());

/// The number of the first action of all threads.
const EVERYWHERE: usize = 1 << 31;

/// The action's number on this thread. It stays in the table until the thread ends.
fn enlist(action: impl Fn(Call) + 'static) -> usize {
    ACTIONS.with_borrow_mut(|actions| {
        actions.push(Rc::new(action));
        actions.len() - 1
    })
}

/// Does nothing on another thread than the action's, if it is one that stays on its thread.
fn act(number: usize, call: Call) {
    if let Some(nth) = number.checked_sub(EVERYWHERE) {
        let action = OF_ALL_THREADS.lock().unwrap_or_else(PoisonError::into_inner)[nth].clone();
        return action(call);
    }
    let action = ACTIONS.try_with(|actions| actions.borrow().get(number).cloned());
    if let Some(action) = action.ok().flatten() {
        action(call);
    }
}

/// A waker that calls `action` whenever it is cloned, woken or dropped, on this thread. Being woken
/// by value counts as a wake only.
pub fn hostile_waker(action: impl Fn(Call) + 'static) -> Waker {
    numbered_waker(enlist(action))
}

/// The same, on whichever thread that happens.
pub fn hostile_everywhere(action: impl Fn(Call) + Send + Sync + 'static) -> Waker {
    let mut actions = OF_ALL_THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    actions.push(Arc::new(action));
    numbered_waker(EVERYWHERE + actions.len() - 1)
}

#[allow(
    unsafe_code,
    reason = "the clone of a safe waker, `Arc<impl Wake>`, cannot be seen"
)]
fn numbered_waker(number: usize) -> Waker {
    fn word(number: usize) -> *const () {
        ptr::without_provenance(number)
    }
    static TABLE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            act(data.addr(), Call::Clone);
            RawWaker::new(data, &TABLE)
        },
        |data| act(data.addr(), Call::Wake),
        |data| act(data.addr(), Call::Wake),
        |data| act(data.addr(), Call::Drop),
    );
    // SAFETY: the data is a number and never dereferenced; on any thread, every number is an action
    // or none.
    unsafe { Waker::from_raw(RawWaker::new(word(number), &TABLE)) }
}

/// A waker that does `act` when it sees `call`, and then panics.
///
/// That panic is caught by someone. One of `act` itself, an assertion that fails in it, would be
/// taken for it and seen by nobody; so it ends the process.
pub fn acts_on(call: Call, act: impl Fn() + 'static) -> Waker {
    hostile_waker(move |seen| {
        if seen != call {
            return;
        }
        if let Err(payload) = catch_unwind(AssertUnwindSafe(&act)) {
            let message = payload.downcast_ref::<String>().map(String::as_str);
            let message = message.or(payload.downcast_ref::<&str>().copied()).unwrap_or("a panic");
            let test = thread::current();
            let test = test.name().unwrap_or("a test");
            // Not `eprintln!`: what a test prints is kept until it is over.
            let _ = writeln!(stderr(), "{test}: in a waker: {message}");
            process::abort();
        }
        panic_quietly();
    })
}

/// A panic payload that calls `action` when it is dropped.
pub fn hostile_payload(action: impl Fn() + 'static) -> Box<dyn Any + Send> {
    struct Payload(usize);
    impl Drop for Payload {
        fn drop(&mut self) {
            act(self.0, Call::Drop);
        }
    }
    Box::new(Payload(enlist(move |_| action())))
}

/// Calls a closure when it is dropped.
pub struct Dropping<F: Fn()>(pub F);

impl<F: Fn()> Drop for Dropping<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Panics, past the hook, so that a thousand of them print nothing.
pub fn panic_quietly() -> ! {
    resume_unwind(Box::new("hostile"))
}

/// Calls `f`; the panics of this thread meanwhile print nothing.
pub fn quietly<R>(f: impl FnOnce() -> R) -> R {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |info| {
            if !QUIET.get() {
                loud(info);
            }
        }));
    });
    let was_quiet = QUIET.replace(true);
    let _restore = Dropping(move || QUIET.set(was_quiet));
    f()
}

/// Runs `f` on a thread whose stack holds some thousand frames: a recursion over 100,000 tasks
/// ends the process.
pub fn on_a_small_stack(f: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(512 * 1024).spawn(f);
    thread.expect("a thread").join().expect("no panic");
}
