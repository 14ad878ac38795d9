// Exercise 11, wrong: what is dropped removes its deadline, with all who wait for it.

use handspun::time::{Duration, Instant};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// All timers that are armed. A clone is the same one.
#[derive(Clone, Default)]
pub struct Timers(Rc<RefCell<Armed>>);

#[derive(Default)]
struct Armed {
    wakers: BTreeMap<Instant, Vec<(u64, Waker)>>,
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
        Sleep {
            timers: self.clone(),
            key: (Instant::now() + duration, armed.count),
        }
    }

    /// When to look again: the executor sleeps until then, and calls `fire`.
    pub fn next_deadline(&self) -> Option<Instant> {
        let armed = self.0.borrow();
        armed.wakers.first_key_value().map(|(deadline, _)| *deadline)
    }

    /// Wakes everyone whose deadline has come, in order.
    pub fn fire(&self) {
        let now = Instant::now();
        while let Some(waker) = self.take_due(now) {
            waker.wake();
        }
    }

    /// How many timers are armed.
    pub fn armed(&self) -> usize {
        self.0.borrow().wakers.values().map(Vec::len).sum()
    }

    fn take_due(&self, now: Instant) -> Option<Waker> {
        let mut armed = self.0.borrow_mut();
        let mut first = armed.wakers.first_entry().filter(|first| *first.key() <= now)?;
        let waker = Some(first.get_mut().remove(0).1);
        if first.get().is_empty() {
            first.remove();
        }
        waker
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
        let (deadline, number) = self.key;
        let mut armed = self.timers.0.borrow_mut();
        let equals = armed.wakers.entry(deadline).or_default();
        equals.retain(|(other, _)| *other != number);
        equals.push((number, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.timers.0.borrow_mut().wakers.remove(&self.key.0);
    }
}
