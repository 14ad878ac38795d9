// Exercise 11, wrong: a place is used again, and who had it before does not know.

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
    /// A place for each timer. That of one that is gone is empty, and used again.
    places: Vec<Option<Timer>>,
    count: u64,
}

struct Timer {
    /// A deadline; and the number of the sleep, lower for who came first.
    key: (Instant, u64),
    waker: Waker,
}

impl Timers {
    /// A future that is ready when `duration` is over, counted from now.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        let mut armed = self.0.borrow_mut();
        armed.count += 1;
        Sleep {
            timers: self.clone(),
            key: (Instant::now() + duration, armed.count),
            place: None,
        }
    }

    /// When to look again: the executor sleeps until then, and calls `fire`.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.0.borrow().places.iter().flatten().map(|timer| timer.key.0).min()
    }

    /// Wakes everyone whose deadline has come, in order.
    pub fn fire(&self) {
        for timer in self.take_due(Instant::now()) {
            timer.waker.wake();
        }
    }

    /// How many timers are armed.
    pub fn armed(&self) -> usize {
        self.0.borrow().places.iter().flatten().count()
    }

    fn take_due(&self, now: Instant) -> Vec<Timer> {
        let mut armed = self.0.borrow_mut();
        let places = armed.places.iter_mut();
        let due = places.filter_map(|place| place.take_if(|timer| timer.key.0 <= now));
        let mut due: Vec<Timer> = due.collect();
        due.sort_by_key(|timer| timer.key);
        due
    }
}

/// Made by [`Timers::sleep`].
pub struct Sleep {
    timers: Timers,
    key: (Instant, u64),
    place: Option<usize>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let key = self.key;
        if Instant::now() >= key.0 {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let timers = self.timers.clone();
        let places = &mut timers.0.borrow_mut().places;
        let place = *self.place.get_or_insert_with(|| {
            places.iter().position(Option::is_none).unwrap_or_else(|| {
                places.push(None);
                places.len() - 1
            })
        });
        let _last = places[place].replace(Timer { key, waker });
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let _timer = self.timers.0.borrow_mut().places[place].take();
        }
    }
}
