//! [`Notify`]: tells tasks that something has happened, and not what.
//!
//! It is what you build your own channels and locks with: the data is yours, behind a lock of
//! yours, and this is how those who wait for a change of it learn of one. Whoever is told looks at
//! the data again.
//!
//! | | somebody waits | nobody waits |
//! |---|---|---|
//! | `notify_one` | the first in line is notified | a permit is kept, one at most |
//! | `notify_last` | the last in line is notified | the same |
//! | `notify_waiters` | all are notified | nothing is kept |
//!
//! What makes it hard is the moment between *looking* at the data and *waiting*: a change that
//! happens then must not be missed. For one who waits the permit does it: it is still there when he
//! begins to wait. For many it cannot, since there is only one. They make the future first, then
//! look, and then wait. So the future must be able to hear before it is polled, in two ways:
//!
//! - `notify_waiters` reaches every future that *exists*, polled or not. No list of them is needed:
//!   the calls are counted, and a future remembers the count it was made at. If it has changed, it
//!   was called.
//! - `notify_one` reaches only those in line. [`enable`](Notified::enable) joins the line without a
//!   poll, and so without a waker. Who is called there finds that out at the poll that follows.
//!
//! A future may be notified and dropped before it is polled again. Had it been the one that
//! `notify_one` picked, the news would die with it, while others wait for it. So it passes it on,
//! to the first or the last, as it was sent (*Give Back What You Were Given*). What all were told
//! need not be passed on: there is nobody who does not know.
//!
//! Next: `sync/barrier.rs`.

use super::guarded::{Guarded, Wakers};
use super::wait_queue::{Left, Ticket, WaitQueue};
use std::fmt;
use std::future::Future;
use std::mem;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// Tells tasks that something has happened.
///
/// It carries no data. A task that is notified looks for itself what there is to do.
///
/// ```
/// use handspun::sync::Notify;
/// use std::cell::RefCell;
///
/// /// A channel for any number of senders and receivers.
/// #[derive(Default)]
/// struct Channel {
///     messages: RefCell<Vec<u32>>,
///     sent: Notify,
/// }
///
/// impl Channel {
///     fn send(&self, message: u32) {
///         self.messages.borrow_mut().push(message);
///         self.sent.notify_one();
///     }
///
///     async fn receive(&self) -> u32 {
///         loop {
///             let mut sent = std::pin::pin!(self.sent.notified());
///             // From here on a call of `notify_one` is not missed.
///             sent.as_mut().enable();
///             if let Some(message) = self.messages.borrow_mut().pop() {
///                 return message;
///             }
///             sent.await;
///         }
///     }
/// }
///
/// handspun::block_on(async {
///     let channel = Channel::default();
///     let (a, b, ()) = handspun::join!(channel.receive(), channel.receive(), async {
///         channel.send(1);
///         channel.send(2);
///     });
///     assert_eq!(a + b, 3);
/// });
/// ```
pub struct Notify {
    /// How often all were notified. Changed under the lock, but read without it by a future that is
    /// made: to make one costs next to nothing.
    calls_to_all: AtomicUsize,
    state: Guarded<State>,
}

impl Notify {
    /// Without a permit, and nobody waits.
    #[track_caller]
    pub const fn new() -> Notify {
        Notify {
            calls_to_all: AtomicUsize::new(0),
            state: Guarded::new(State {
                has_permit: false,
                line: WaitQueue::new("a notification of the `Notify`"),
            }),
        }
    }

    /// The same as [`new`](Notify::new), which is `const` too.
    #[track_caller]
    pub const fn const_new() -> Notify {
        Notify::new()
    }

    /// Waits for a notification.
    ///
    /// If there is a permit, the first poll takes it, and need not wait. Otherwise the future joins
    /// the line then, or when it is [enabled](Notified::enable) before.
    /// [`notify_waiters`](Notify::notify_waiters) reaches it from now on, polled or not.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and if
    /// [`notify_one`](Notify::notify_one) or [`notify_last`](Notify::notify_last) had picked it,
    /// another is notified for it. Who asks again stands at the end.
    pub fn notified(&self) -> Notified<'_> {
        Notified(Wait::new(self))
    }

    /// The same as [`notified`](Notify::notified), with a future that owns the `Notify`: it can be
    /// spawned.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and if
    /// [`notify_one`](Notify::notify_one) or [`notify_last`](Notify::notify_last) had picked it,
    /// another is notified for it. Who asks again stands at the end.
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        OwnedNotified(Wait::new(self))
    }

    /// Notifies the first in line. If nobody waits, a permit is kept for the next who would.
    ///
    /// There is one permit at most, however often this is called.
    pub fn notify_one(&self) {
        self.state.with(State::notify_one);
    }

    /// Notifies the last in line. If nobody waits, a permit is kept for the next who would.
    ///
    /// There is one permit at most, however often this is called.
    pub fn notify_last(&self) {
        self.state.with(State::notify_last);
    }

    /// Notifies all who wait, in the order in which they came, and all futures that have been made
    /// and not been polled.
    ///
    /// No permit is left for those who come later, and a permit that is there stays.
    pub fn notify_waiters(&self) {
        self.state.with(|state, wakers| {
            // Whoever makes a future after it has seen this must see what was done before it.
            self.calls_to_all.fetch_add(1, Ordering::Release);
            state.line.call_all(Notification::All, wakers);
        });
    }

    #[inline]
    fn calls_to_all(&self) -> usize {
        self.calls_to_all.load(Ordering::Acquire)
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Notify {
        Notify::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_permit = self.state.look(|state| state.has_permit);
        f.debug_struct("Notify").field("has_permit", &has_permit).finish_non_exhaustive()
    }
}

/// Ready when it is notified. Made by [`Notify::notified`].
///
/// It may be polled again after that: it stays ready.
///
/// ```
/// use handspun::sync::Notify;
///
/// handspun::block_on(async {
///     let notify = Notify::new();
///     let (early, earlier) = (notify.notified(), notify.notified());
///     notify.notify_waiters();
///     early.await;
///     earlier.await;
/// });
/// ```
///
/// # Cancel safety
/// Cancel safe: dropping it gives up the place in line, and passes on a notification that was meant
/// for one.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Notified<'a>(Wait<&'a Notify>);

impl Notified<'_> {
    /// Joins the line now, not at the first poll, so that [`notify_one`](Notify::notify_one)
    /// reaches it from here on. Returns whether it has been notified.
    ///
    /// It is a poll without a waker: if there is a permit it is taken, and the waker of an earlier
    /// poll stays.
    pub fn enable(mut self: Pin<&mut Self>) -> bool {
        self.0.check(None)
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.0.check(Some(cx)) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl fmt::Debug for Notified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notified").finish_non_exhaustive()
    }
}

/// Ready when it is notified. Made by [`Notify::notified_owned`].
///
/// It may be polled again after that: it stays ready.
///
/// ```
/// use handspun::sync::Notify;
/// use std::sync::Arc;
///
/// handspun::block_on(async {
///     let notify = Arc::new(Notify::new());
///     let waiting = handspun::spawn(notify.clone().notified_owned());
///     notify.notify_waiters();
///     waiting.await.unwrap();
/// });
/// ```
///
/// # Cancel safety
/// Cancel safe: dropping it gives up the place in line, and passes on a notification that was meant
/// for one.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct OwnedNotified(Wait<Arc<Notify>>);

impl OwnedNotified {
    /// Joins the line now, not at the first poll, so that [`notify_one`](Notify::notify_one)
    /// reaches it from here on. Returns whether it has been notified.
    ///
    /// It is a poll without a waker: if there is a permit it is taken, and the waker of an earlier
    /// poll stays.
    pub fn enable(mut self: Pin<&mut Self>) -> bool {
        self.0.check(None)
    }
}

impl Future for OwnedNotified {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.0.check(Some(cx)) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl fmt::Debug for OwnedNotified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedNotified").finish_non_exhaustive()
    }
}

/// A wait for a `Notify`, borrowed or owned.
struct Wait<N: Deref<Target = Notify>> {
    notify: N,
    /// How often all had been notified when this was made.
    calls_before: usize,
    ticket: Ticket,
    is_notified: bool,
}

impl<N: Deref<Target = Notify>> Wait<N> {
    #[inline]
    fn new(notify: N) -> Wait<N> {
        Wait {
            calls_before: notify.calls_to_all(),
            notify,
            ticket: Ticket::default(),
            is_notified: false,
        }
    }

    /// Whether it has been notified. If not it is in line from now on, with the waker of this poll
    /// if it is one.
    #[inline]
    fn check(&mut self, cx: Option<&mut Context<'_>>) -> bool {
        if self.is_notified {
            return true;
        }
        let notify = &*self.notify;
        let step = |state: &mut State, wakers: &mut Wakers| {
            let is_notified = if self.ticket.is_blank() {
                // The permit comes second: who was notified with all the others does not need it.
                notify.calls_to_all() != self.calls_before || mem::take(&mut state.has_permit)
            } else {
                state.line.outcome(&mut self.ticket).is_some()
            };
            if !is_notified {
                state.line.wait(&mut self.ticket, (), wakers);
            }
            is_notified
        };
        self.is_notified = match cx {
            Some(cx) => notify.state.poll(cx, step),
            None => notify.state.with(step),
        };
        self.is_notified
    }
}

impl<N: Deref<Target = Notify>> Drop for Wait<N> {
    fn drop(&mut self) {
        if !self.ticket.is_blank() {
            self.notify.state.with(|state, wakers| state.leave(&mut self.ticket, wakers));
        }
    }
}

struct State {
    /// Never while somebody waits.
    has_permit: bool,
    line: WaitQueue<(), Notification>,
}

/// What one in the line is told: that it was notified, and how it came to be the one.
#[derive(Clone)]
enum Notification {
    /// As the first.
    One,
    /// As the last.
    Last,
    /// With all the others.
    All,
}

impl State {
    #[inline]
    fn notify_one(&mut self, wakers: &mut Wakers) {
        if self.line.call_first(Notification::One, wakers).is_none() {
            self.has_permit = true;
        }
    }

    #[inline]
    fn notify_last(&mut self, wakers: &mut Wakers) {
        if self.line.call_last(Notification::Last, wakers).is_none() {
            self.has_permit = true;
        }
    }

    /// A future is dropped: what it alone was told is told another.
    fn leave(&mut self, ticket: &mut Ticket, wakers: &mut Wakers) {
        match self.line.leave(ticket, wakers) {
            Left::Called(Notification::One) => self.notify_one(wakers),
            Left::Called(Notification::Last) => self.notify_last(wakers),
            Left::Called(Notification::All) | Left::Waiting(()) | Left::Nowhere => {}
        }
    }
}
