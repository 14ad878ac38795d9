// Exercise 11, wrong: `sleep` arms a timer, with a waker that wakes nobody.

use handspun::time::{Duration, Instant};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// All timers that are armed. A clone is the same one.
#[derive(Clone, Default)]
pub struct Timers(Rc<RefCell<Armed>>);

#[derive(Default)]
struct Armed {
    /// The earliest first. Each sleep has a key of its own, however many have its deadline.
    wakers: BTreeMap<Key, Waker>,
    /// How many sleeps there have been.
    count: u64,
}

/// A deadline; and the number of the sleep, lower for who came first.
type Key = (Instant, u64);

impl Timers {
    /// A future that is ready when `duration` is over, counted from now.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        let mut armed = self.0.borrow_mut();
        armed.count += 1;
        let key = (Instant::now() + duration, armed.count);
        armed.wakers.insert(key, Waker::noop().clone());
        Sleep {
            timers: self.clone(),
            key,
        }
    }

    /// When to look again: the executor sleeps until then, and calls `fire`.
    pub fn next_deadline(&self) -> Option<Instant> {
        let armed = self.0.borrow();
        armed.wakers.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Wakes everyone whose deadline has come, in order.
    pub fn fire(&self) {
        for waker in self.take_due(Instant::now()).into_values() {
            waker.wake();
        }
    }

    /// How many timers are armed.
    pub fn armed(&self) -> usize {
        self.0.borrow().wakers.len()
    }

    /// A function of its own: to wake is to call somebody else's code, so the map must not be
    /// borrowed then.
    fn take_due(&self, now: Instant) -> BTreeMap<Key, Waker> {
        let mut armed = self.0.borrow_mut();
        let later = armed.wakers.split_off(&(now, u64::MAX));
        mem::replace(&mut armed.wakers, later)
    }
}

/// Made by [`Timers::sleep`].
pub struct Sleep {
    timers: Timers,
    key: Key,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // The deadline decides. That it is polled again says nothing: anybody may have woken it.
        if Instant::now() >= self.key.0 {
            return Poll::Ready(());
        }
        // Arms it, or puts the waker of this poll in place of that of the last one.
        let waker = cx.waker().clone();
        let _last = self.timers.0.borrow_mut().wakers.insert(self.key, waker);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // Not there if it has fired, or was never armed.
        let _waker = self.timers.0.borrow_mut().wakers.remove(&self.key);
    }
}
