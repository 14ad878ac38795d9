//! A channel from many senders to one receiver: a queue, and two places to wait.
//!
//! ```text
//!   Sender ──┐           ┌─ State, behind one lock ─────────────────┐
//!   Sender ──┼──────────►│ queue     [ value │ value ]              │ ──────► Receiver
//!   Sender ──┘           │ places    free: 0   line: sender, sender │
//!                        │ receiver  (a seat)                       │
//!                        └──────────────────────────────────────────┘
//! ```
//!
//! A bounded channel has as many *places* as its capacity. They are the permits of `semaphore.rs`:
//! a sender takes one and puts its value into the queue, the receiver takes a value out and gives
//! the place back, to the sender who has waited longest. So a fast producer is slowed down to the
//! pace of its consumer (*back-pressure*), and nothing else is needed for it. Somebody may also
//! take a place first and fill it later: that is a [`Permit`].
//!
//! An unbounded channel is one with more places than memory.
//!
//! A channel ends from both sides. When the last sender is dropped, the receiver gets what is in
//! the queue, and then `None`. When the receiver closes or is dropped, no places are given out any
//! more; values for which one was taken before still arrive at a receiver that has only closed. How
//! does it know that none are on their way? All its places are free.
//!
//! Why not the obvious way? A lock-free queue, as tokio has, lets senders on many threads push at
//! the same moment. It is some hundred lines of `unsafe`, and with one thread, or with a few that
//! now and then send, a `VecDeque` behind a lock is quicker.
//!
//! The rest of this folder is the face: `bounded.rs`, `permit.rs`, `unbounded.rs`, `error.rs`.
//! Next: `watch.rs`.

mod bounded;
pub mod error;
mod permit;
mod unbounded;

pub use bounded::{Receiver, Sender, WeakSender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use unbounded::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};

use super::guarded::{Guarded, Wakers};
use super::semaphore::{HasPermits, Permits, acquire};
use super::wait_queue::{Seat, Sitting, Ticket, WaitQueue};
use error::{SendError, TryRecvError, TrySendError};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::task::{Context, Poll};

/// What senders and receiver share.
struct Channel<T> {
    state: Guarded<State<T>>,
    capacity: usize,
}

struct State<T> {
    queue: VecDeque<T>,
    /// Each value in the queue has taken one, and each that is on its way. Closed when the receiver
    /// has closed, or is gone.
    places: Permits,
    receiver: Seat,
    receiver_is_gone: bool,
    /// Those who wait for the receiver to close.
    closing: WaitQueue<(), ()>,
    /// The channel ends when there are none. Weak ones do not count.
    senders: usize,
    weak_senders: usize,
}

impl<T> Channel<T> {
    #[track_caller]
    fn new(capacity: usize) -> Channel<T> {
        Channel {
            state: Guarded::new(State {
                queue: VecDeque::new(),
                places: Permits::new(capacity, "room in the mpsc channel"),
                receiver: Seat::new("a message of the mpsc channel"),
                receiver_is_gone: false,
                closing: WaitQueue::new("the receiver of the mpsc channel to close"),
                senders: 1,
                weak_senders: 0,
            }),
            capacity,
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

    /// Waits for `n` places.
    async fn reserve(&self, n: usize) -> Result<(), SendError<()>> {
        if n > self.capacity {
            return Err(SendError(()));
        }
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
        let mut waiting = AwaitClosing {
            channel: self,
            ticket: Ticket::default(),
        };
        poll_fn(|cx| waiting.poll(cx)).await
    }

    fn is_closed(&self) -> bool {
        self.state.look(|state| state.places.is_closed())
    }

    fn free_places(&self) -> usize {
        self.state.look(|state| state.places.free())
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

    // For the receiver.

    /// Ready when `take` finds something, or will never find anything again.
    #[inline]
    fn poll_recv<R>(
        &self,
        sitting: &mut Sitting,
        cx: &mut Context<'_>,
        take: impl FnOnce(&mut State<T>, &mut Wakers) -> Option<R>,
    ) -> Poll<Option<R>> {
        self.state.poll(cx, |state, wakers| {
            let taken = take(state, wakers);
            if taken.is_none() && !state.is_over(self.capacity) {
                state.receiver.wait(sitting, wakers);
                return Poll::Pending;
            }
            state.receiver.leave(sitting, wakers);
            Poll::Ready(taken)
        })
    }

    fn try_recv(&self) -> Result<T, TryRecvError> {
        self.state.with(|state, wakers| match state.take(wakers) {
            Some(value) => Ok(value),
            None if state.is_over(self.capacity) => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        })
    }

    /// The receiver does not wait any more.
    fn leave(&self, sitting: &mut Sitting) {
        if sitting.is_sitting() {
            self.state.with(|state, wakers| state.receiver.leave(sitting, wakers));
        }
    }

    /// No more places for anybody.
    fn close(&self) {
        self.state.with(|state, wakers| state.close(wakers));
    }

    fn drop_receiver(&self) {
        // Dropped after the lock is let go.
        let _unreceived = self.state.with(|state, wakers| {
            state.close(wakers);
            state.receiver_is_gone = true;
            let unreceived = mem::take(&mut state.queue);
            state.places.give(unreceived.len(), wakers);
            unreceived
        });
    }

    fn is_ended(&self) -> bool {
        self.state.look(|state| state.places.is_closed() || state.senders == 0)
    }

    fn len(&self) -> usize {
        self.state.look(|state| state.queue.len())
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

    /// Whether nothing can come any more, once the queue is empty.
    #[inline]
    fn is_over(&self, capacity: usize) -> bool {
        self.senders == 0 || self.places.is_closed() && self.places.free() == capacity
    }

    fn close(&mut self, wakers: &mut Wakers) {
        self.places.close(wakers);
        self.closing.call_all(wakers);
    }
}

impl<T> HasPermits for State<T> {
    #[inline]
    fn permits(&mut self) -> &mut Permits {
        &mut self.places
    }

    /// That may have been the last value on its way.
    fn given_back(&mut self, wakers: &mut Wakers) {
        if self.places.is_closed() {
            self.receiver.call(wakers);
        }
    }
}

struct AwaitClosing<'a, T> {
    channel: &'a Channel<T>,
    ticket: Ticket,
}

impl<T> AwaitClosing<'_, T> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.channel.state.poll(cx, |state, wakers| {
            if state.places.is_closed() {
                return Poll::Ready(());
            }
            state.closing.wait(&mut self.ticket, (), wakers);
            Poll::Pending
        })
    }
}

impl<T> Drop for AwaitClosing<'_, T> {
    fn drop(&mut self) {
        if !self.ticket.is_blank() {
            self.channel.state.with(|state, wakers| state.closing.leave(&mut self.ticket, wakers));
        }
    }
}
