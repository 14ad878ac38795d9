//! The face of a channel with room for so many values: see `sync/mpsc/mod.rs`.

use super::error::{SendError, TryRecvError, TrySendError};
use super::{Channel, Outlet, State};
use crate::panics::contain;
use crate::sync::Semaphore;
use crate::thread;
use std::fmt;
use std::iter::FusedIterator;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Makes a channel with room for `capacity` values.
///
/// ```
/// use handspun::sync::mpsc;
///
/// handspun::block_on(async {
///     let (sender, mut receiver) = mpsc::channel(2);
///     handspun::spawn(async move {
///         for number in 1..=5 {
///             // Waits while two of them have not been received.
///             sender.send(number).await.unwrap();
///         }
///     });
///     let mut sum = 0;
///     while let Some(number) = receiver.recv().await {
///         sum += number;
///     }
///     assert_eq!(sum, 15);
/// });
/// ```
///
/// # Panics
/// If `capacity` is 0, or more than [`Semaphore::MAX_PERMITS`].
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        (1..=Semaphore::MAX_PERMITS).contains(&capacity),
        "an mpsc channel must have room for 1 to `Semaphore::MAX_PERMITS` values, not for \
         {capacity}. For the least, use 1"
    );
    let channel = Arc::new(Channel::new(capacity));
    let receiver = Receiver(Outlet::new(channel.clone()));
    (Sender { channel }, receiver)
}

/// Sends values to the [`Receiver`]. Made by [`channel`]; a clone is one more sender of the same
/// channel.
///
/// The receiver is told that the channel has ended when the last sender is dropped. So a sender
/// that is kept, also by the receiver's own task, keeps it waiting. (If a program stands still,
/// [`panic_on_stall`](crate::executor::Builder::panic_on_stall) tells who waits for what.)
///
/// ```
/// # use handspun::sync::mpsc;
/// handspun::block_on(async {
///     let (sender, mut receiver) = mpsc::channel(1);
///     for name in ["a", "b"] {
///         let sender = sender.clone();
///         handspun::spawn(async move { sender.send(name).await });
///     }
///     drop(sender); // or the third `recv` would never be ready
///     assert_eq!(receiver.recv().await, Some("a"));
///     assert_eq!(receiver.recv().await, Some("b"));
///     assert_eq!(receiver.recv().await, None);
/// });
/// ```
pub struct Sender<T> {
    pub(super) channel: Arc<Channel<T>>,
}

impl<T> Sender<T> {
    /// Waits for room, and sends a value. Senders are served in the order in which they came.
    ///
    /// # Errors
    /// If the receiver has closed, or is gone, before or meanwhile. The value comes back.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, the value was not sent, and is dropped with it;
    /// its place in line is given up. To keep the value, [`reserve`](Sender::reserve) first.
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.channel.send(value).await
    }

    /// Sends a value if there is room at once.
    ///
    /// # Errors
    /// If there is none, or others wait for it; if the receiver has closed, or is gone. The value
    /// comes back.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.channel.try_send(value)
    }

    /// Waits for room, and sends a value, on a thread that runs no executor.
    ///
    /// ```
    /// # use handspun::sync::mpsc;
    /// let (sender, mut receiver) = mpsc::channel(1);
    /// let thread = std::thread::spawn(move || {
    ///     for number in [1, 2, 3] {
    ///         sender.blocking_send(number).unwrap();
    ///     }
    /// });
    /// handspun::block_on(async {
    ///     let mut sum = 0;
    ///     while let Some(number) = receiver.recv().await {
    ///         sum += number;
    ///     }
    ///     assert_eq!(sum, 6);
    /// });
    /// thread.join().unwrap();
    /// ```
    ///
    /// # Errors
    /// If the receiver has closed, or is gone, before or meanwhile. The value comes back.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        thread::block_on("blocking_send", "send(value).await", self.send(value))
    }

    /// Waits for room for one value, and keeps it until the permit is used or dropped.
    ///
    /// ```
    /// # use handspun::sync::mpsc;
    /// handspun::block_on(async {
    ///     let (sender, mut receiver) = mpsc::channel(1);
    ///     let permit = sender.reserve().await.unwrap();
    ///     assert!(sender.try_send("no room").is_err());
    ///     permit.send("made when there was room for it");
    ///     assert!(receiver.recv().await.is_some());
    /// });
    /// ```
    ///
    /// # Errors
    /// If the receiver has closed, or is gone, before or meanwhile.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on the room that it
    /// had been given.
    pub async fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
        self.channel.reserve(1).await?;
        Ok(Permit::new(&self.channel))
    }

    /// Waits for room for `n` values at once.
    ///
    /// # Errors
    /// If the receiver has closed, or is gone, before or meanwhile; or at once if the channel will
    /// never have as much room.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in line, and passes on the room that it
    /// had been given.
    pub async fn reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, SendError<()>> {
        if n > self.max_capacity() {
            return Err(SendError(()));
        }
        self.channel.reserve(n).await?;
        Ok(PermitIterator::new(&self.channel, n))
    }

    /// Waits for room for one value; the permit owns the sender, and gives it back when it is used.
    ///
    /// # Errors
    /// If the receiver has closed, or is gone, before or meanwhile. The sender is dropped.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, the sender is dropped with it; room that it had
    /// been given is passed on.
    pub async fn reserve_owned(self) -> Result<OwnedPermit<T>, SendError<()>> {
        self.channel.reserve(1).await?;
        Ok(OwnedPermit::new(self))
    }

    /// Reserves room for one value if there is some at once.
    ///
    /// # Errors
    /// If there is none, or others wait for it; if the receiver has closed, or is gone.
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.channel.try_reserve(1)?;
        Ok(Permit::new(&self.channel))
    }

    /// Reserves room for `n` values if there is as much at once.
    ///
    /// # Errors
    /// If there is not, or others wait for it; if the receiver has closed, or is gone.
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        self.channel.try_reserve(n)?;
        Ok(PermitIterator::new(&self.channel, n))
    }

    /// Reserves room for one value if there is some at once; the permit owns the sender.
    ///
    /// # Errors
    /// If there is none, or others wait for it; if the receiver has closed, or is gone. The sender
    /// comes back.
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Sender<T>>> {
        match self.channel.try_reserve(1) {
            Ok(()) => Ok(OwnedPermit::new(self)),
            Err(TrySendError::Full(())) => Err(TrySendError::Full(self)),
            Err(TrySendError::Closed(())) => Err(TrySendError::Closed(self)),
        }
    }

    /// Waits until the receiver closes, or is dropped: nobody wants what could be sent.
    ///
    /// # Cancel safety
    /// Cancel safe. Dropping the future takes its waker back.
    pub async fn closed(&self) {
        self.channel.closed().await;
    }

    /// Whether the receiver has closed, or is gone.
    pub fn is_closed(&self) -> bool {
        self.channel.is_closed()
    }

    /// Whether both send to the same receiver.
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        Arc::ptr_eq(&self.channel, &other.channel)
    }

    /// How many values can be sent at once. None while somebody waits.
    pub fn capacity(&self) -> usize {
        self.channel.free_places()
    }

    /// How many values there is room for when the channel is empty: what [`channel`] was told.
    pub fn max_capacity(&self) -> usize {
        self.channel.capacity()
    }

    /// A sender that does not keep the channel from ending, and cannot send before it is
    /// [upgraded](WeakSender::upgrade).
    #[must_use = "it changes nothing about this sender"]
    pub fn downgrade(&self) -> WeakSender<T> {
        self.channel.add_weak_sender();
        WeakSender {
            channel: self.channel.clone(),
        }
    }

    /// How many senders there are, without the weak ones.
    pub fn strong_count(&self) -> usize {
        self.channel.counts().0
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.channel.counts().1
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.channel.add_sender();
        Sender {
            channel: self.channel.clone(),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.channel.drop_sender();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// A sender that does not keep the channel from ending. Made by [`Sender::downgrade`].
///
/// ```
/// # use handspun::sync::mpsc;
/// let (sender, _receiver) = mpsc::channel::<u8>(1);
/// let weak = sender.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(sender);
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakSender<T> {
    channel: Arc<Channel<T>>,
}

impl<T> WeakSender<T> {
    /// A sender that can send, if there is still another.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.channel.try_add_sender().then(|| Sender {
            channel: self.channel.clone(),
        })
    }

    /// How many senders there are, without the weak ones.
    pub fn strong_count(&self) -> usize {
        self.channel.counts().0
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.channel.counts().1
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> WeakSender<T> {
        self.channel.add_weak_sender();
        WeakSender {
            channel: self.channel.clone(),
        }
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        self.channel.drop_weak_sender();
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish_non_exhaustive()
    }
}

/// Room for one value. Made by [`Sender::reserve`]; dropping it gives the room back.
///
/// ```
/// # use handspun::sync::mpsc;
/// let (sender, mut receiver) = mpsc::channel(1);
/// sender.try_reserve().unwrap().send("a");
/// assert_eq!(receiver.try_recv(), Ok("a"));
/// drop(sender.try_reserve().unwrap());
/// assert_eq!(sender.capacity(), 1);
/// ```
#[must_use = "a permit that is dropped at once gives its room back at once"]
pub struct Permit<'a, T> {
    channel: &'a Channel<T>,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(channel: &'a Channel<T>) -> Permit<'a, T> {
        Permit { channel }
    }

    /// Sends a value, at once. If the receiver was dropped in the meantime, so is the value.
    pub fn send(self, value: T) {
        let unsent = self.send_or_return(value);
        // Its destructor is no affair of the one who sends.
        contain(|| drop(unsent));
    }

    /// Sends a value, or returns it if the receiver was dropped.
    pub(crate) fn send_or_return(self, value: T) -> Option<T> {
        let unsent = self.channel.fill(value);
        mem::forget(self);
        unsent
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.channel.give_back(1);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// Room for so many values, one [`Permit`] after the other. Made by [`Sender::reserve_many`];
/// dropping it gives back the rest.
///
/// ```
/// # use handspun::sync::mpsc;
/// let (sender, receiver) = mpsc::channel(3);
/// let permits = sender.try_reserve_many(3).unwrap();
/// for (permit, value) in permits.zip(["a", "b"]) {
///     permit.send(value);
/// }
/// assert_eq!((receiver.len(), sender.capacity()), (2, 1));
/// ```
#[must_use = "permits that are dropped at once give their room back at once"]
pub struct PermitIterator<'a, T> {
    channel: &'a Channel<T>,
    left: usize,
}

impl<'a, T> PermitIterator<'a, T> {
    pub(super) fn new(channel: &'a Channel<T>, left: usize) -> PermitIterator<'a, T> {
        PermitIterator { channel, left }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.left = self.left.checked_sub(1)?;
        Some(Permit::new(self.channel))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> Drop for PermitIterator<'_, T> {
    fn drop(&mut self) {
        if self.left > 0 {
            self.channel.give_back(self.left);
        }
    }
}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitIterator").field("left", &self.left).finish_non_exhaustive()
    }
}

/// Room for one value, together with the sender. Made by [`Sender::reserve_owned`]; dropping it
/// gives the room back and drops the sender.
///
/// ```
/// # use handspun::sync::mpsc;
/// handspun::block_on(async {
///     let (sender, mut receiver) = mpsc::channel(1);
///     let permit = sender.reserve_owned().await.unwrap();
///     let sender = permit.send("a");
///     assert_eq!(receiver.recv().await, Some("a"));
///     assert_eq!(sender.capacity(), 1);
/// });
/// ```
#[must_use = "a permit that is dropped at once gives its room back at once"]
pub struct OwnedPermit<T> {
    /// `None` only while it is being used up.
    sender: Option<Sender<T>>,
}

impl<T> OwnedPermit<T> {
    pub(super) fn new(sender: Sender<T>) -> OwnedPermit<T> {
        OwnedPermit {
            sender: Some(sender),
        }
    }

    /// Sends a value, at once, and gives the sender back. If the receiver was dropped in the
    /// meantime, so is the value.
    pub fn send(mut self, value: T) -> Sender<T> {
        let sender = self.sender.take().expect("a permit is used once");
        let unsent = sender.channel.fill(value);
        // Its destructor is no affair of the one who sends.
        contain(|| drop(unsent));
        sender
    }

    /// Gives the room back, and the sender.
    pub fn release(mut self) -> Sender<T> {
        let sender = self.sender.take().expect("a permit is used once");
        sender.channel.give_back(1);
        sender
    }

    /// Whether both are for the same receiver.
    pub fn same_channel(&self, other: &OwnedPermit<T>) -> bool {
        other.sender.as_ref().is_some_and(|other| self.same_channel_as_sender(other))
    }

    /// Whether this and `sender` are for the same receiver.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        let own = self.sender.as_ref();
        own.is_some_and(|own| Arc::ptr_eq(&own.channel, &sender.channel))
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(sender) = &self.sender {
            sender.channel.give_back(1);
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").finish_non_exhaustive()
    }
}

/// Receives the values of all [`Sender`]s, in the order in which they were sent. Made by
/// [`channel`].
///
/// Dropping it closes the channel, and drops what was not received.
///
/// ```
/// # use handspun::sync::mpsc;
/// handspun::block_on(async {
///     let (sender, mut receiver) = mpsc::channel(8);
///     for word in ["one", "two", "three"] {
///         sender.send(word).await.unwrap();
///     }
///     let mut words = Vec::new();
///     assert_eq!(receiver.recv_many(&mut words, 2).await, 2);
///     assert_eq!(words, ["one", "two"]);
/// });
/// ```
pub struct Receiver<T>(Outlet<T>);

impl<T> Receiver<T> {
    /// Waits for the next value. `None`: there will be none, since all senders are gone, or this
    /// receiver has [closed](Receiver::close) and nothing is left. From then on it is ready at
    /// once, each time: a loop must end there, or it never lets anybody else run.
    ///
    /// # Cancel safety
    /// Cancel safe: no value is lost. A future that is dropped has received nothing.
    pub async fn recv(&mut self) -> Option<T> {
        self.0.recv(State::take).await
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
        let received = self.0.recv(|state, wakers| state.take_many(buffer, limit, wakers));
        received.await.unwrap_or(0)
    }

    /// Takes a value if one is there.
    ///
    /// # Errors
    /// If there is none: whether there may be one later.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.0.try_recv(State::take)
    }

    /// Waits for the next value on a thread that runs no executor. `None`: there will be none.
    ///
    /// ```
    /// # use handspun::sync::mpsc;
    /// let (sender, mut receiver) = mpsc::channel(1);
    /// let thread = std::thread::spawn(move || receiver.blocking_recv());
    /// handspun::block_on(sender.send(7)).unwrap();
    /// assert_eq!(thread.join().unwrap(), Some(7));
    /// ```
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Option<T> {
        thread::block_on("blocking_recv", "recv().await", self.recv())
    }

    /// [`recv_many`](Receiver::recv_many) on a thread that runs no executor.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        let received = self.recv_many(buffer, limit);
        thread::block_on("blocking_recv_many", "recv_many(…).await", received)
    }

    /// Closes the channel: nobody can send any more, and those who wait for room are told so. What
    /// is in the channel, and what a [`Permit`] was given for, can still be received; after that
    /// [`recv`](Receiver::recv) is `None`.
    pub fn close(&mut self) {
        self.0.close();
    }

    /// Whether no new value will be sent: this has closed, or all senders are gone. There may still
    /// be some to receive.
    pub fn is_closed(&self) -> bool {
        self.0.channel.is_ended()
    }

    /// Whether nothing is there to receive.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values are there to receive.
    pub fn len(&self) -> usize {
        self.0.channel.len()
    }

    /// How many values can be sent at once. None while a sender waits.
    pub fn capacity(&self) -> usize {
        self.0.channel.free_places()
    }

    /// How many values there is room for when the channel is empty: what [`channel`] was told.
    pub fn max_capacity(&self) -> usize {
        self.0.channel.capacity()
    }

    /// [`recv`](Receiver::recv), for a future written by hand. If pending, the last waker that was
    /// passed will be woken.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(cx, State::take)
    }

    /// [`recv_many`](Receiver::recv_many), for a future written by hand. If pending, the last waker
    /// that was passed will be woken.
    pub fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        if limit == 0 {
            return Poll::Ready(0);
        }
        let received = self.0.poll_recv(cx, |state, wakers| state.take_many(buffer, limit, wakers));
        received.map(Option::unwrap_or_default)
    }

    /// How many senders there are, without the weak ones.
    pub fn sender_strong_count(&self) -> usize {
        self.0.channel.counts().0
    }

    /// How many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.0.channel.counts().1
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
