//! What the tests share: a history to compare with, futures that tell what happens to them, polls
//! by hand, wakers that count or write down their wakes.
//!
//! A test states a whole history, in order, not an end value: which task was polled when, what was
//! dropped when, what the clock said. `History` collects it, one line an event; `probe` makes
//! futures that write theirs into it.
#![allow(dead_code, reason = "each test file uses a part")]

use handspun::executor::Executor;
use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::future::Future;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::task::{Context, Poll, Wake, Waker};

/// Runs a future on a paused clock; a stall panics instead of hanging the test.
#[track_caller]
pub fn paused<F: Future>(future: F) -> F::Output {
    Executor::builder().start_paused(true).panic_on_stall(true).build().block_on(future)
}

/// Panics with `message`, and prints nothing: for a panic that the test expects.
pub fn panic_silently(message: &'static str) -> ! {
    // Resuming does not call the panic hook, which is what prints.
    panic::resume_unwind(Box::new(message))
}

/// Calls `f`. If it panics, returns the message instead of printing it.
pub fn caught<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    thread_local!(static SILENT: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !SILENT.get() {
                print(info);
            }
        }));
    });
    let before = SILENT.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    SILENT.set(before);
    result.map_err(|payload| match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast_ref::<&str>().expect("a message").to_string(),
    })
}

/// Whether `f` panics, with whatever payload.
pub fn panics<R>(f: impl FnOnce() -> R) -> bool {
    panic::catch_unwind(AssertUnwindSafe(f)).is_err()
}

/// Polls a future that may be moved, once.
pub fn poll_with<F: Future + Unpin + ?Sized>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Polls a future once, with a waker that does nothing.
pub fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    poll_with(&mut pin!(future), Waker::noop())
}

/// The output of a future that is ready at once.
#[track_caller]
pub fn now<F: Future>(future: F) -> F::Output {
    match poll_once(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it would wait"),
    }
}

/// Lines, in the order in which they were written. Clones write into the same history.
#[derive(Clone, Default)]
pub struct History(Rc<RefCell<Vec<String>>>);

impl History {
    pub fn new() -> History {
        History::default()
    }

    pub fn push(&self, line: impl Display) {
        self.0.borrow_mut().push(line.to_string());
    }

    /// Compares all lines so far, and forgets them.
    #[track_caller]
    pub fn expect<const N: usize>(&self, expected: [&str; N]) {
        assert_eq!(self.take(), expected);
    }

    /// All lines so far; they are forgotten.
    pub fn take(&self) -> Vec<String> {
        self.0.take()
    }

    /// Writes `line` when it is dropped.
    pub fn on_drop(&self, line: impl Display) -> OnDrop {
        OnDrop(self.clone(), line.to_string())
    }

    /// A future that is pending `pending` times, waking itself each time, and then ready. It writes
    /// `"{name}: poll"` for each poll and `"{name}: drop"` when it is dropped.
    pub fn probe(&self, name: &str, pending: usize) -> Probe {
        Probe {
            history: self.clone(),
            name: name.to_string(),
            pending,
        }
    }

    /// A future that is never ready. It leaves its waker in `slot` each time it is polled, and
    /// writes what a [`probe`](History::probe) writes.
    pub fn parked(&self, name: &str, slot: &WakerSlot) -> Parked {
        Parked {
            probe: self.probe(name, usize::MAX),
            slot: slot.clone(),
        }
    }
}

pub struct OnDrop(History, String);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.push(&self.1);
    }
}

/// Made by [`History::probe`].
pub struct Probe {
    history: History,
    name: String,
    pending: usize,
}

impl Future for Probe {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.history.push(format_args!("{}: poll", self.name));
        if self.pending == 0 {
            return Poll::Ready(());
        }
        self.pending -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.history.push(format_args!("{}: drop", self.name));
    }
}

/// Made by [`History::parked`].
pub struct Parked {
    probe: Probe,
    slot: WakerSlot,
}

impl Future for Parked {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.probe.history.push(format_args!("{}: poll", self.probe.name));
        self.slot.put(cx.waker());
        Poll::Pending
    }
}

/// Where a future leaves its waker, for others to call. Clones are the same slot.
#[derive(Clone, Default)]
pub struct WakerSlot(Rc<RefCell<Option<Waker>>>);

impl WakerSlot {
    pub fn new() -> WakerSlot {
        WakerSlot::default()
    }

    pub fn put(&self, waker: &Waker) {
        self.0.replace(Some(waker.clone()));
    }

    /// A clone of the waker that was put here last.
    pub fn waker(&self) -> Waker {
        self.0.borrow().clone().expect("a future has left its waker here")
    }

    /// Calls the waker that was put here last.
    pub fn wake(&self) {
        self.waker().wake();
    }
}

/// A waker that counts how often it was woken.
#[derive(Default)]
pub struct CountingWaker(AtomicUsize);

impl CountingWaker {
    pub fn new() -> (Arc<CountingWaker>, Waker) {
        let counter = Arc::new(CountingWaker::default());
        let waker = Waker::from(counter.clone());
        (counter, waker)
    }

    pub fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A list of wakes; its wakers have numbers, and write theirs into it. Clones are the same list.
#[derive(Clone, Default)]
pub struct Wakes(Arc<Mutex<Vec<usize>>>);

impl Wakes {
    pub fn waker(&self, number: usize) -> Waker {
        Arc::new(Numbered(number, self.clone())).into()
    }

    /// Who was woken, in order; it is forgotten.
    pub fn take(&self) -> Vec<usize> {
        mem::take(&mut self.0.lock().unwrap())
    }

    /// The same in the order of the numbers, for wakes whose own order is nobody's promise.
    pub fn take_sorted(&self) -> Vec<usize> {
        let mut wakes = self.take();
        wakes.sort_unstable();
        wakes
    }

    /// How many of the wakers are left; one and its clones count as one.
    pub fn alive(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

struct Numbered(usize, Wakes);

impl Wake for Numbered {
    fn wake(self: Arc<Self>) {
        self.1.0.lock().unwrap().push(self.0);
    }
}
