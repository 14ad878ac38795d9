// Exercise 11, wrong: a map from deadlines to wakers.

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
    wakers: BTreeMap<Instant, Waker>,
}

impl Timers {
    /// A future that is ready when `duration` is over, counted from now.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        Sleep {
            timers: self.clone(),
            deadline: Instant::now() + duration,
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
        self.0.borrow().wakers.len()
    }

    fn take_due(&self, now: Instant) -> Option<Waker> {
        let mut armed = self.0.borrow_mut();
        let first = armed.wakers.first_entry().filter(|first| *first.key() <= now);
        first.map(|first| first.remove())
    }
}

/// Made by [`Timers::sleep`].
pub struct Sleep {
    timers: Timers,
    deadline: Instant,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // The deadline decides. That it is polled again says nothing: anybody may have woken it.
        if Instant::now() >= self.deadline {
            return Poll::Ready(());
        }
        // Arms it, or puts the waker of this poll in place of that of the last one.
        let waker = cx.waker().clone();
        let _last = self.timers.0.borrow_mut().wakers.insert(self.deadline, waker);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // Not there if it has fired, or was never armed.
        let _waker = self.timers.0.borrow_mut().wakers.remove(&self.deadline);
    }
}
