//! The face of a channel without bounds: a bounded one with more room than memory, whose senders
//! never wait.

use super::bounded::{Sender, WeakSender};
use super::error::{SendError, TryRecvError};
use super::{Channel, Outlet, State};
use crate::panics::contain_each;
use crate::sync::Semaphore;
use crate::sync::guarded::{Guarded, Wakers};
use crate::thread;
use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Makes a channel with room for any number of values.
///
/// A receiver that is slower than its senders lets it grow until memory is full: where that can
/// happen, take a bounded [`channel`](super::channel).
///
/// ```
/// use handspun::sync::mpsc;
///
/// handspun::block_on(async {
///     let (sender, mut receiver) = mpsc::unbounded_channel();
///     sender.send("no await here").unwrap();
///     drop(sender);
///     assert_eq!(receiver.recv().await, Some("no await here"));
///     assert_eq!(receiver.recv().await, None);
/// });
/// ```
#[track_caller]
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let channel = Arc::new(Channel::new(Semaphore::MAX_PERMITS));
    let receiver = UnboundedReceiver {
        batch: Guarded::new(VecDeque::new()),
        outlet: Outlet::new(channel.clone()),
    };
    (UnboundedSender(Sender { channel }), receiver)
}

/// Sends values to the [`UnboundedReceiver`]. Made by [`unbounded_channel`]; a clone is one more
/// sender of the same channel.
///
/// The receiver is told that the channel has ended when the last sender is dropped.
///
/// ```
/// # use handspun::sync::mpsc;
/// let (sender, mut receiver) = mpsc::unbounded_channel();
/// std::thread::spawn(move || sender.send("from a thread").unwrap());
/// assert_eq!(handspun::block_on(receiver.recv()), Some("from a thread"));
/// ```
pub struct UnboundedSender<T>(Sender<T>);

impl<T> UnboundedSender<T> {
    /// Sends a value, at once.
    ///
    /// # Errors
    /// If the receiver has closed, or is gone. The value comes back.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        // It cannot be full: it has more places than there are bytes for values.
        self.0.try_send(value).map_err(|error| SendError(error.into_inner()))
    }

    /// Waits until the receiver closes, or is dropped: nobody wants what could be sent.
    ///
    /// # Cancel safety
    /// Cancel safe. Dropping the future takes its waker back.
    pub async fn closed(&self) {
        self.0.closed().await;
    }

    /// Whether the receiver has closed, or is gone.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Whether both send to the same receiver.
    pub fn same_channel(&self, other: &UnboundedSender<T>) -> bool {
        self.0.same_channel(&other.0)
    }

    /// A sender that does not keep the channel from ending, and cannot send before it is
    /// [upgraded](WeakUnboundedSender::upgrade).
    #[must_use = "it changes nothing about this sender"]
    pub fn downgrade(&self) -> WeakUnboundedSender<T> {
        WeakUnboundedSender(self.0.downgrade())
    }

    /// How many senders there are, without the weak ones.
    pub fn strong_count(&self) -> usize {
        self.0.strong_count()
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.0.weak_count()
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> UnboundedSender<T> {
        UnboundedSender(self.0.clone())
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedSender").finish_non_exhaustive()
    }
}

/// A sender that does not keep the channel from ending. Made by [`UnboundedSender::downgrade`].
///
/// ```
/// # use handspun::sync::mpsc;
/// let (sender, _receiver) = mpsc::unbounded_channel::<u8>();
/// let weak = sender.downgrade();
/// assert_eq!((weak.strong_count(), weak.weak_count()), (1, 1));
/// drop(sender);
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakUnboundedSender<T>(WeakSender<T>);

impl<T> WeakUnboundedSender<T> {
    /// A sender that can send, if there is still another.
    pub fn upgrade(&self) -> Option<UnboundedSender<T>> {
        self.0.upgrade().map(UnboundedSender)
    }

    /// How many senders there are, without the weak ones.
    pub fn strong_count(&self) -> usize {
        self.0.strong_count()
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.0.weak_count()
    }
}

impl<T> Clone for WeakUnboundedSender<T> {
    fn clone(&self) -> WeakUnboundedSender<T> {
        WeakUnboundedSender(self.0.clone())
    }
}

impl<T> fmt::Debug for WeakUnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakUnboundedSender").finish_non_exhaustive()
    }
}

/// Receives the values of all [`UnboundedSender`]s, in the order in which they were sent. Made by
/// [`unbounded_channel`].
///
/// Dropping it closes the channel, and drops what was not received.
///
/// ```
/// # use handspun::sync::mpsc;
/// let (sender, mut receiver) = mpsc::unbounded_channel();
/// sender.send(1).unwrap();
/// receiver.close();
/// assert!(sender.send(2).is_err());
/// assert_eq!(handspun::block_on(receiver.recv()), Some(1));
/// ```
pub struct UnboundedReceiver<T> {
    /// What was taken out of the queue, and has not been received: all of it older than what is
    /// there. Whoever receives has it alone, and does not lock it; in its cell it can be *seen*
    /// from several threads even if its values cannot.
    batch: Guarded<VecDeque<T>>,
    outlet: Outlet<T>,
}

impl<T> UnboundedReceiver<T> {
    /// Waits for the next value. `None`: there will be none, since all senders are gone, or this
    /// receiver has [closed](UnboundedReceiver::close) and nothing is left. From then on it is
    /// ready at once, each time: a loop must end there, or it never lets anybody else run.
    ///
    /// # Cancel safety
    /// Cancel safe: no value is lost. A future that is dropped has received nothing.
    pub async fn recv(&mut self) -> Option<T> {
        let batch = &mut self.batch;
        if batch.get_mut().is_empty() {
            self.outlet.recv(|state, wakers| state.take_all(batch.get_mut(), wakers)).await;
        }
        batch.get_mut().pop_front()
    }

    /// Waits for at least one value, and appends to `buffer` what is there then, up to `limit`
    /// values. Returns how many: 0 if the channel has ended, or `limit` is 0.
    ///
    /// # Cancel safety
    /// Cancel safe: no value is lost. A future that is dropped has appended nothing.
    pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        if limit == 0 {
            return 0;
        }
        let batch = self.batch.get_mut();
        let take = |state: &mut State<T>, wakers: &mut Wakers| {
            state.take_many_after(batch, buffer, limit, wakers)
        };
        self.outlet.recv(take).await.unwrap_or(0)
    }

    /// Takes a value if one is there.
    ///
    /// # Errors
    /// If there is none: whether there may be one later.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let batch = self.batch.get_mut();
        if batch.is_empty() {
            self.outlet.try_recv(|state, wakers| state.take_all(batch, wakers))?;
        }
        batch.pop_front().ok_or(TryRecvError::Empty)
    }

    /// Waits for the next value on a thread that runs no executor. `None`: there will be none.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Option<T> {
        thread::block_on("blocking_recv", "recv().await", self.recv())
    }

    /// [`recv_many`](UnboundedReceiver::recv_many) on a thread that runs no executor.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        let received = self.recv_many(buffer, limit);
        thread::block_on("blocking_recv_many", "recv_many(…).await", received)
    }

    /// Closes the channel: nobody can send any more. What is in the channel can still be received;
    /// after that [`recv`](UnboundedReceiver::recv) is `None`.
    pub fn close(&mut self) {
        self.outlet.close();
    }

    /// Whether no new value will be sent: this has closed, or all senders are gone. There may still
    /// be some to receive.
    pub fn is_closed(&self) -> bool {
        self.outlet.channel.is_ended()
    }

    /// Whether nothing is there to receive.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values are there to receive.
    pub fn len(&self) -> usize {
        self.batch.look(|batch| batch.len()) + self.outlet.channel.len()
    }

    /// [`recv`](UnboundedReceiver::recv), for a future written by hand. If pending, the last waker
    /// that was passed will be woken.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let batch = self.batch.get_mut();
        if batch.is_empty() {
            ready!(self.outlet.poll_recv(cx, |state, wakers| state.take_all(batch, wakers)));
        }
        Poll::Ready(batch.pop_front())
    }

    /// [`recv_many`](UnboundedReceiver::recv_many), for a future written by hand. If pending, the
    /// last waker that was passed will be woken.
    pub fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        if limit == 0 {
            return Poll::Ready(0);
        }
        let batch = self.batch.get_mut();
        let received = self
            .outlet
            .poll_recv(cx, |state, wakers| state.take_many_after(batch, buffer, limit, wakers));
        received.map(Option::unwrap_or_default)
    }

    /// How many senders there are, without the weak ones.
    pub fn sender_strong_count(&self) -> usize {
        self.outlet.channel.counts().0
    }

    /// How many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.outlet.channel.counts().1
    }
}

/// Not that of `T`: no value is pinned by its receiver.
impl<T> Unpin for UnboundedReceiver<T> {}

impl<T> Drop for UnboundedReceiver<T> {
    fn drop(&mut self) {
        // First this: what a destructor in the batch sends shall come back to it.
        self.close();
        contain_each(mem::take(self.batch.get_mut()), drop);
    }
}

impl<T> fmt::Debug for UnboundedReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedReceiver").finish_non_exhaustive()
    }
}
