//! A channel from many senders to one receiver: see [`channel`] and [`unbounded_channel`].
//!
//! It is a queue, and two places to wait.
//!
//! ```text
//!   Sender ──┐           ┌─ State, behind one lock ─────────────────┐
//!   Sender ──┼──────────►│ queue     [ value │ value ]              │ ──────► Receiver
//!   Sender ──┘           │ places    free: 0   line: sender, sender │
//!                        │ receiver  a seat                         │
//!                        └──────────────────────────────────────────┘
//! ```
//!
//! A bounded channel has as many *places* as its capacity. They are the permits of
//! `sync/permits.rs`: a sender takes one and puts its value into the queue, the receiver takes a
//! value out and gives the place back, to the sender who has waited longest. So a fast producer is
//! slowed down to the pace of its consumer (*back-pressure*), and nothing else is needed for it.
//! Somebody may also take a place first and fill it later: that is a [`Permit`].
//!
//! An unbounded channel is one with more places than memory. Nobody waits for one, so its receiver
//! need not give them back one by one: it takes all that is in the queue at once, and hands it out
//! without the lock.
//!
//! A channel ends from both sides. When the last sender is dropped, the receiver gets what is in
//! the queue, and then `None`. When the receiver closes or is dropped, no places are given out any
//! more; values for which one was taken before still arrive at a receiver that has only closed. How
//! does it know that none are on their way? All its places are free. (There is a third place to
//! wait, for senders that want to know when the receiver closes.)
//!
//! Why not the obvious way? A lock-free queue, as tokio has, lets senders on many threads push at
//! the same moment. It is some hundred lines of `unsafe`, and with one thread, or with a few that
//! now and then send, a `VecDeque` behind a lock is quicker.
//!
//! The rest of this folder is the face: `bounded.rs`, `unbounded.rs`, `error.rs`. Next:
//! `sync/watch.rs`.

mod bounded;
pub mod error;
mod unbounded;

pub use bounded::{OwnedPermit, Permit, PermitIterator, Receiver, Sender, WeakSender, channel};
pub use unbounded::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};

use super::guarded::{Guarded, Wakers};
use super::permits::{HasPermits, Permits, acquire};
use super::wait_queue::{Seat, Sitting, WaitQueue, find};
use crate::panics::contain_each;
use error::{SendError, TryRecvError, TrySendError};
use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// How many values an empty queue of an unbounded channel may have room for.
const KEPT_ROOM: usize = 1024;

/// What senders and receiver share.
struct Channel<T> {
    state: Guarded<State<T>>,
}

struct State<T> {
    capacity: usize,
    queue: VecDeque<T>,
    /// Each value in the queue has taken one, and each that is on its way. Closed when the receiver
    /// has closed, or is gone.
    places: Permits,
    receiver: Seat,
    receiver_is_gone: bool,
    /// Those who wait for the receiver to close.
    awaiting_end: WaitQueue<(), ()>,
    /// The channel ends when there are none. Weak ones do not count.
    senders: usize,
    weak_senders: usize,
}

impl<T> Channel<T> {
    #[track_caller]
    fn new(capacity: usize) -> Channel<T> {
        Channel {
            state: Guarded::new(State {
                capacity,
                queue: VecDeque::new(),
                places: Permits::new(capacity, "room in the mpsc channel"),
                receiver: Seat::new("a value of the mpsc channel"),
                receiver_is_gone: false,
                awaiting_end: WaitQueue::new("the receiver of the mpsc channel to close"),
                senders: 1,
                weak_senders: 0,
            }),
        }
    }

    // For senders.

    /// Waits for a place and puts `value` there.
    async fn send(&self, value: T) -> Result<(), SendError<T>> {
        // Taken out under the lock, as soon as there is a place; what was not is returned.
        let mut unsent = Some(value);
        let put = |state: &mut State<T>, wakers: &mut Wakers| {
            unsent = unsent.take().and_then(|value| state.put(value, wakers));
        };
        // Refused or not: if there is something left, it was not sent.
        let _ = acquire(&self.state, 1, put).await;
        unsent.map_or(Ok(()), |value| Err(SendError(value)))
    }

    fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.state.with(|state, wakers| match state.places.try_take(1) {
            Ok(()) => match state.put(value, wakers) {
                None => Ok(()),
                Some(value) => Err(TrySendError::Closed(value)),
            },
            Err(refused) => Err(TrySendError::new(refused, value)),
        })
    }

    /// Waits for `n` places: for ever, if there are not as many.
    async fn reserve(&self, n: usize) -> Result<(), SendError<()>> {
        acquire(&self.state, n, |_, _| ()).await.map_err(|_| SendError(()))
    }

    fn try_reserve(&self, n: usize) -> Result<(), TrySendError<()>> {
        self.state
            .look(|state| state.places.try_take(n))
            .map_err(|refused| TrySendError::new(refused, ()))
    }

    /// Fills a place that was taken before. Returns the value if nobody will ever receive it.
    fn fill(&self, value: T) -> Option<T> {
        self.state.with(|state, wakers| state.put(value, wakers))
    }

    /// Gives back places that were taken and not filled.
    fn give_back(&self, n: usize) {
        self.state.with(|state, wakers| {
            state.places.give(n, wakers);
            state.given_back(wakers);
        });
    }

    /// Waits until the receiver closes.
    async fn closed(&self) {
        let closed = |state: &mut State<T>| state.places.is_closed().then_some(());
        find(&self.state, |state| &mut state.awaiting_end, closed).await;
    }

    fn is_closed(&self) -> bool {
        self.state.look(|state| state.places.is_closed())
    }

    fn free_places(&self) -> usize {
        self.state.look(|state| state.places.free())
    }

    fn capacity(&self) -> usize {
        self.state.look(|state| state.capacity)
    }

    fn counts(&self) -> (usize, usize) {
        self.state.look(|state| (state.senders, state.weak_senders))
    }

    fn add_sender(&self) {
        self.state.look(|state| state.senders += 1);
    }

    /// One more, if the channel has not ended.
    fn try_add_sender(&self) -> bool {
        self.state.look(|state| {
            state.senders += usize::from(state.senders > 0);
            state.senders > 0
        })
    }

    fn drop_sender(&self) {
        self.state.with(|state, wakers| {
            state.senders -= 1;
            if state.senders == 0 {
                state.receiver.call(wakers);
            }
        });
    }

    fn add_weak_sender(&self) {
        self.state.look(|state| state.weak_senders += 1);
    }

    fn drop_weak_sender(&self) {
        self.state.look(|state| state.weak_senders -= 1);
    }

    fn is_ended(&self) -> bool {
        self.state.look(|state| state.places.is_closed() || state.senders == 0)
    }

    fn len(&self) -> usize {
        self.state.look(|state| state.queue.len())
    }
}

/// The end at which values come out. Dropping it closes the channel.
///
/// What comes out at a time differs: one value, so many, or, for the unbounded channel, all that
/// are there. So its functions are given a closure that takes it.
struct Outlet<T> {
    channel: Arc<Channel<T>>,
    sitting: Sitting,
}

impl<T> Outlet<T> {
    fn new(channel: Arc<Channel<T>>) -> Outlet<T> {
        Outlet {
            channel,
            sitting: Sitting::default(),
        }
    }

    /// Waits until `take` finds something, or will never find anything again.
    fn recv<R, F>(&mut self, take: F) -> Recv<'_, T, F>
    where
        F: FnMut(&mut State<T>, &mut Wakers) -> Option<R> + Unpin,
    {
        Recv { outlet: self, take }
    }

    #[inline]
    fn poll_recv<R>(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(&mut State<T>, &mut Wakers) -> Option<R>,
    ) -> Poll<Option<R>> {
        self.channel.state.poll(cx, |state, wakers| {
            let taken = take(state, wakers);
            if taken.is_none() && !state.is_over() {
                state.receiver.wait(&mut self.sitting, wakers);
                return Poll::Pending;
            }
            state.receiver.leave(&mut self.sitting, wakers);
            Poll::Ready(taken)
        })
    }

    /// What `take` finds now.
    fn try_recv<R>(
        &mut self,
        take: impl FnOnce(&mut State<T>, &mut Wakers) -> Option<R>,
    ) -> Result<R, TryRecvError> {
        self.channel.state.with(|state, wakers| match take(state, wakers) {
            None if !state.is_over() => Err(TryRecvError::Empty),
            taken => {
                self.sitting.end();
                taken.ok_or(TryRecvError::Disconnected)
            }
        })
    }

    /// No more places for anybody.
    fn close(&mut self) {
        self.channel.state.with(|state, wakers| state.close(wakers));
    }
}

impl<T> Drop for Outlet<T> {
    fn drop(&mut self) {
        let unreceived = self.channel.state.with(|state, wakers| {
            state.receiver.leave(&mut self.sitting, wakers);
            state.close(wakers);
            state.receiver_is_gone = true;
            let unreceived = mem::take(&mut state.queue);
            state.places.give(unreceived.len(), wakers);
            unreceived
        });
        contain_each(unreceived, drop);
    }
}

/// A wait for values. Made by [`Outlet::recv`].
struct Recv<'a, T, F> {
    outlet: &'a mut Outlet<T>,
    take: F,
}

impl<T, R, F> Future for Recv<'_, T, F>
where
    F: FnMut(&mut State<T>, &mut Wakers) -> Option<R> + Unpin,
{
    type Output = Option<R>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<R>> {
        let this = &mut *self;
        this.outlet.poll_recv(cx, &mut this.take)
    }
}

impl<T, F> Drop for Recv<'_, T, F> {
    #[inline]
    fn drop(&mut self) {
        self.outlet.sitting.end();
    }
}

impl<T> State<T> {
    /// Puts a value, for which a place has been taken, into the queue. If the receiver is gone, the
    /// place is free again, and the value comes back.
    #[inline]
    fn put(&mut self, value: T, wakers: &mut Wakers) -> Option<T> {
        if self.receiver_is_gone {
            self.places.give(1, wakers);
            return Some(value);
        }
        self.queue.push_back(value);
        self.receiver.call(wakers);
        None
    }

    /// Takes the first value out of the queue; its place is free again.
    #[inline]
    fn take(&mut self, wakers: &mut Wakers) -> Option<T> {
        let value = self.queue.pop_front()?;
        self.places.give(1, wakers);
        Some(value)
    }

    /// Takes up to `limit` values out of the queue, and appends them to `buffer`.
    fn take_many(
        &mut self,
        buffer: &mut Vec<T>,
        limit: usize,
        wakers: &mut Wakers,
    ) -> Option<usize> {
        let count = limit.min(self.queue.len());
        buffer.extend(self.queue.drain(..count));
        self.places.give(count, wakers);
        (count > 0).then_some(count)
    }

    /// The same, but first come those that were taken out before.
    fn take_many_after(
        &mut self,
        batch: &mut VecDeque<T>,
        buffer: &mut Vec<T>,
        limit: usize,
        wakers: &mut Wakers,
    ) -> Option<usize> {
        let older = limit.min(batch.len());
        buffer.extend(batch.drain(..older));
        let newer = self.take_many(buffer, limit - older, wakers).unwrap_or(0);
        for emptied in [batch, &mut self.queue] {
            if emptied.is_empty() {
                emptied.shrink_to(KEPT_ROOM);
            }
        }
        (older + newer > 0).then_some(older + newer)
    }

    /// Takes all values out of the queue, in exchange for an empty one.
    #[inline]
    fn take_all(&mut self, batch: &mut VecDeque<T>, wakers: &mut Wakers) -> Option<()> {
        // A buffer that has grown for a burst is not kept for ever.
        batch.shrink_to(KEPT_ROOM);
        mem::swap(&mut self.queue, batch);
        if batch.is_empty() {
            return None;
        }
        self.places.give(batch.len(), wakers);
        Some(())
    }

    /// Whether nothing can come any more, once the queue is empty.
    #[inline]
    fn is_over(&self) -> bool {
        self.senders == 0 || self.places.is_closed() && self.places.free() == self.capacity
    }

    fn close(&mut self, wakers: &mut Wakers) {
        self.places.close(wakers);
        self.awaiting_end.call_all((), wakers);
    }
}

impl<T> HasPermits for State<T> {
    #[inline]
    fn permits(&mut self) -> &mut Permits {
        &mut self.places
    }

    /// That may have been the last value on its way.
    fn given_back(&mut self, wakers: &mut Wakers) {
        if self.is_over() {
            self.receiver.call(wakers);
        }
    }
}
