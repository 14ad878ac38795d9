//! The line in which tasks wait: for a permit, for room, for news.
//!
//! Every channel and every lock is some data, and a list of those who wait for it to change. This
//! is the list. A future that cannot go on *joins* the line, with its waker and what it wants, and
//! keeps a [`Ticket`]. Whoever changes the data *calls* the first in line: writes down what became
//! of the wait, the *outcome*, and takes the waker, to wake it when the lock is free. The future is
//! polled, shows its ticket, and finds the outcome.
//!
//! ```text
//!   line     ┌─────────┐   ┌─────────┐   ┌─────────┐
//!   first ─► │ wants 2 │ ◄─┤ wants 1 │ ◄─┤ wants 1 │ ◄─ last: who joins stands here
//!            │ waker a │   │ waker b │   │ waker c │
//!            └─────────┘   └─────────┘   └─────────┘
//!   called   ┌─────────────────┐
//!            │ outcome: granted│ ◄─ its future has not seen it yet, but holds the ticket
//!            └─────────────────┘
//! ```
//!
//! The line is a `list.rs` by index, so joining, calling the first and leaving from the middle
//! cost the same however long it is.
//!
//! A future may be dropped at any moment, and the dangerous one is between the call and the poll:
//! what it was given is its own, and it will never use it. So its destructor *leaves*, learns what
//! the outcome was, and passes on what it was given (*Give Back What You Were Given*). That is why
//! the outcome is written down. The obvious way, "whoever is not in the line any more has been
//! granted", is wrong as soon as there is a second reason to be gone: a semaphore that is closed
//! would then make permits from nothing.
//!
//! Where the news is for everybody, nothing is given and nothing need be passed on: [`find`] is the
//! whole of it, a future that looks, waits in line, and looks again whenever it is called.
//!
//! [`Seat`] is the same for one: where there is only one who can wait, the receiver of a channel,
//! no list is needed, and no outcome, since he looks at the data again.
//!
//! All but [`find`] runs under the lock of `guarded.rs`. It also tells `waits.rs` what a task waits
//! for. Next: `sync/permits.rs`, the first that is built on it.

use super::guarded::{Guarded, Wakers};
use crate::list::{List, Nodes};
use crate::slab::Key;
use crate::waits::{Awaited, Mark};
use std::future::Future;
use std::mem;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Those who wait, in the order in which they came: each wants a `W`, and is told an `O`.
pub(super) struct WaitQueue<W, O> {
    waiters: Nodes<Waiter<W, O>>,
    line: List,
    awaited: Awaited,
}

/// It is in the line, or it has been called: never both.
enum Waiter<W, O> {
    Waiting { waker: Option<Waker>, wants: W },
    Called(O),
}

/// What a future that waits, or may have to, holds in its hand. It must go back to its queue,
/// through [`outcome`](WaitQueue::outcome) or [`leave`](WaitQueue::leave).
#[derive(Default)]
pub(super) struct Ticket {
    place: Option<Key>,
    mark: Mark,
}

/// Where a future stood that has left.
pub(super) enum Left<W, O> {
    /// Not in this queue.
    Nowhere,
    /// In line, and wanted this.
    Waiting(W),
    /// It had been called, and has not seen this.
    Called(O),
}

impl Ticket {
    /// Whether it is not a place in a queue: the future has not begun to wait, or is done with it.
    #[inline]
    pub(super) fn is_blank(&self) -> bool {
        self.place.is_none()
    }
}

impl<W, O> WaitQueue<W, O> {
    /// An empty queue. The caller of the function that calls this is said to have made what is
    /// waited for.
    #[track_caller]
    pub(super) const fn new(what: &'static str) -> WaitQueue<W, O> {
        WaitQueue {
            waiters: Nodes::numbered_from(NonZeroU64::MIN),
            line: List::EMPTY,
            awaited: Awaited::new(what),
        }
    }

    // For those who wait.

    /// Joins the end of the line, unless the ticket is a place in it already: then the waker is
    /// renewed, and what is wanted stays as it was. Not for a ticket that has been called.
    ///
    /// Who joins outside of a poll (`Notified::enable`) has no waker yet. It can be called all the
    /// same, and finds that out when it is polled.
    #[inline]
    pub(super) fn wait(&mut self, ticket: &mut Ticket, wants: W, wakers: &mut Wakers) {
        ticket.mark.waits(&self.awaited);
        match ticket.place.and_then(|key| self.waiters.get_mut(key)) {
            Some(Waiter::Waiting { waker, .. }) => return wakers.keep(waker),
            Some(Waiter::Called(_)) => unreachable!("the outcome was not asked for"),
            None => {}
        }
        let mut waker = None;
        wakers.keep(&mut waker);
        let key = self.waiters.insert(Waiter::Waiting { waker, wants });
        self.line.push_back(&mut self.waiters, key);
        ticket.place = Some(key);
    }

    /// What became of the wait; `None` while nothing did. Once it is told, the ticket is blank.
    #[inline]
    pub(super) fn outcome(&mut self, ticket: &mut Ticket) -> Option<O> {
        let key = ticket.place?;
        match self.waiters.get(key) {
            Some(Waiter::Called(_)) => {}
            _ => return None,
        }
        match self.give_up(ticket) {
            Some(Waiter::Called(outcome)) => Some(outcome),
            _ => unreachable!("it was called a moment ago"),
        }
    }

    /// Leaves, from wherever in the line. Tells what the future was given, for the caller to pass
    /// on. For destructors, and for waits that are over for another reason.
    pub(super) fn leave(&mut self, ticket: &mut Ticket, wakers: &mut Wakers) -> Left<W, O> {
        if let Some(key) = ticket.place
            && let Some(Waiter::Waiting { .. }) = self.waiters.get(key)
        {
            self.line.unlink(&mut self.waiters, key);
        }
        match self.give_up(ticket) {
            Some(Waiter::Waiting { waker, wants }) => {
                wakers.discard(waker);
                Left::Waiting(wants)
            }
            Some(Waiter::Called(outcome)) => Left::Called(outcome),
            None => Left::Nowhere,
        }
    }

    #[inline]
    fn give_up(&mut self, ticket: &mut Ticket) -> Option<Waiter<W, O>> {
        ticket.mark.ends();
        self.waiters.remove(ticket.place.take()?)
    }

    // For those who change what is waited for.

    /// Whether nobody waits. (Those who were called do not wait.)
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// What the first in line wants.
    #[inline]
    pub(super) fn first(&mut self) -> Option<&mut W> {
        match self.waiters.get_mut(self.line.first(&self.waiters)?) {
            Some(Waiter::Waiting { wants, .. }) => Some(wants),
            _ => None,
        }
    }

    /// Takes the first out of the line and tells it the outcome; it will be woken. Returns what it
    /// wanted, or `None` if nobody waits.
    #[inline]
    pub(super) fn call_first(&mut self, outcome: O, wakers: &mut Wakers) -> Option<W> {
        let key = self.line.pop_front(&mut self.waiters)?;
        Some(self.call(key, outcome, wakers))
    }

    /// The same with the last.
    pub(super) fn call_last(&mut self, outcome: O, wakers: &mut Wakers) -> Option<W> {
        let key = self.line.pop_back(&mut self.waiters)?;
        Some(self.call(key, outcome, wakers))
    }

    #[inline]
    fn call(&mut self, key: Key, outcome: O, wakers: &mut Wakers) -> W {
        let waiter = self.waiters.get_mut(key).expect("the line leads to waiters");
        match mem::replace(waiter, Waiter::Called(outcome)) {
            Waiter::Waiting { waker, wants } => {
                if let Some(waker) = waker {
                    wakers.add(waker);
                }
                wants
            }
            Waiter::Called(_) => unreachable!("whoever has been called is not in the line"),
        }
    }
}

impl<W, O: Clone> WaitQueue<W, O> {
    /// Calls everybody, in the order in which they came.
    pub(super) fn call_all(&mut self, outcome: O, wakers: &mut Wakers) {
        while self.call_first(outcome.clone(), wakers).is_some() {}
    }
}

/// Waits until `look` finds something in the state. It looks at once, and then whenever `line` is
/// called. For news that is for everybody: whoever hears it looks for itself, and there is nothing
/// to pass on.
pub(super) fn find<S, R, F>(state: &Guarded<S>, line: Line<S>, look: F) -> Find<'_, S, F>
where
    F: FnMut(&mut S) -> Option<R> + Unpin,
{
    Find {
        state,
        line,
        look,
        ticket: Ticket::default(),
    }
}

/// Where in a state those stand who wait for news.
pub(super) type Line<S> = fn(&mut S) -> &mut WaitQueue<(), ()>;

/// A wait for news. Made by [`find`].
pub(super) struct Find<'a, S, F> {
    state: &'a Guarded<S>,
    line: Line<S>,
    look: F,
    ticket: Ticket,
}

impl<S, R, F> Future for Find<'_, S, F>
where
    F: FnMut(&mut S) -> Option<R> + Unpin,
{
    type Output = R;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let this = &mut *self;
        this.state.poll(cx, |state, wakers| {
            let found = (this.look)(state);
            let line = (this.line)(state);
            if let Some(found) = found {
                line.leave(&mut this.ticket, wakers);
                return Poll::Ready(found);
            }
            // What it was called for may be over already: then it joins again, at the end.
            line.outcome(&mut this.ticket);
            line.wait(&mut this.ticket, (), wakers);
            Poll::Pending
        })
    }
}

impl<S, F> Drop for Find<'_, S, F> {
    #[inline]
    fn drop(&mut self) {
        if !self.ticket.is_blank() {
            self.state.with(|state, wakers| (self.line)(state).leave(&mut self.ticket, wakers));
        }
    }
}

/// A place for one who waits.
pub(super) struct Seat {
    waker: Option<Waker>,
    awaited: Awaited,
}

/// The wait of the one who may sit in a [`Seat`], from when it has begun to until it has got what
/// it waits for or given up. (That it has been called it will only learn when it looks.)
#[derive(Default)]
pub(super) struct Sitting(Mark);

impl Seat {
    /// An empty seat. The caller of the function that calls this is said to have made what is
    /// waited for.
    #[track_caller]
    pub(super) const fn new(what: &'static str) -> Seat {
        Seat {
            waker: None,
            awaited: Awaited::new(what),
        }
    }

    /// Waits to be called, with the waker of this poll.
    #[inline]
    pub(super) fn wait(&mut self, sitting: &mut Sitting, wakers: &mut Wakers) {
        wakers.keep(&mut self.waker);
        sitting.0.waits(&self.awaited);
    }

    /// Does not wait any more, and is not to be woken.
    #[inline]
    pub(super) fn leave(&mut self, sitting: &mut Sitting, wakers: &mut Wakers) {
        wakers.discard(self.waker.take());
        sitting.end();
    }

    /// Wakes the one who waits, if there is one.
    #[inline]
    pub(super) fn call(&mut self, wakers: &mut Wakers) {
        if let Some(waker) = self.waker.take() {
            wakers.add(waker);
        }
    }
}

impl Sitting {
    /// Does not wait any more, but its waker stays in the seat: it is one who sits there again and
    /// again, and a program may make a new future for each poll, and drop it between them. (That it
    /// waits is then not told.)
    #[inline]
    pub(super) fn end(&mut self) {
        self.0.ends();
    }
}

#[cfg(test)]
#[path = "wait_queue_tests.rs"]
mod tests;
