// Exercise 11: many sleeps, and one map that knows who is next. The task is in README.md.

use handspun::time::{Duration, Instant};
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// All timers that are armed. A clone is the same one.
#[derive(Clone, Default)]
pub struct Timers(Rc<RefCell<Armed>>);

#[derive(Default)]
struct Armed {
    // Whom to wake, and when. Who is first must be found without a search.
}

impl Timers {
    /// A future that is ready when `duration` is over, counted from now.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        todo!("`sleep`: fix the deadline")
    }

    /// When to look again: the executor sleeps until then, and calls `fire`.
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!("`next_deadline`: the earliest of those that are armed")
    }

    /// Wakes everyone whose deadline has come, in order.
    pub fn fire(&self) {
        todo!("`fire`: take out who is due, and wake")
    }

    /// How many timers are armed.
    pub fn armed(&self) -> usize {
        todo!("`armed`: how many timers are armed")
    }
}

/// Made by [`Timers::sleep`].
pub struct Sleep {
    timers: Timers,
    // What must it know to find its timer again?
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        todo!("`poll` of Sleep: ready at the deadline, until then a timer must be armed")
    }
}

// What happens to its timer when a `Sleep` is dropped?
