//! A channel in which every receiver gets every value: see [`channel`].
//!
//! The values lie in one row, in the order in which they were sent, and each receiver stands
//! somewhere along it: at the value that it gets next. To receive is to go one step. A value is
//! needed as long as somebody stands at it, or before it; so the oldest one is dropped as soon as
//! nobody stands there.
//!
//! ```text
//!   position       7       8       9       10: so many were sent
//!              ┌───────┬───────┬───────┐
//!   kept       │   g   │   h   │   i   │ ◄─ the next value goes here
//!              └───────┴───────┴───────┘
//!   standing       1       0       2       3 have received all of them
//! ```
//!
//! A receiver knows its own position. The row only knows how many stand where, and so nothing costs
//! more when there are many: a step moves one from one number to the next, and a receiver that is
//! dropped is taken off its number, together with the values that only it had held up.
//!
//! A sender never waits. When the row is full, the oldest value gives way, and those who stood
//! there stand at the one after it. By its own position each of them learns, when it looks, how
//! many it has missed: it has *lagged*, and goes on with the oldest value that is left.
//!
//! Every receiver but the last gets a clone, and to clone is the user's code: it must not run under
//! the lock. So a value that several are to get lies in an `Arc`, and a receiver takes that along.
//! The last one takes the value itself. A value that was sent to one receiver only is never cloned,
//! and needs no `Arc`. (tokio clones under a lock, and so needs only `Send` of a value that goes to
//! other threads; this needs `Sync` too.)
//!
//! Why not the obvious way, a queue for each receiver? To send would be to clone for all of them,
//! also for those who will never look, and one that sleeps would hold up a queue full of values
//! that everybody else has long dropped.
//!
//! Next: `sync/cancellation_token.rs`.

use super::guarded::{Guarded, Wakers};
use super::wait_queue::{WaitQueue, find};
use crate::panics::{contain, contain_each};
use crate::thread;
use error::{RecvError, SendError, TryRecvError};
use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::Arc;

/// A channel that keeps up to `capacity` values, rounded up to a power of two.
///
/// Each value that is sent is received by all [`Receiver`]s that there are at that moment, and is
/// dropped when the last of them has it. More of them come by [`subscribe`](Sender::subscribe),
/// more senders by [`clone`](Clone::clone).
///
/// Sending never waits: a receiver that is more than the capacity behind misses the oldest values,
/// and is told so.
///
/// The last receiver of a value gets the value itself, the others get clones of it, which two of
/// them on two threads may make at the same moment. So the channel's ends can go to other threads
/// if `T` is `Send` and `Sync`.
///
/// ```
/// use handspun::sync::broadcast::{self, error::RecvError};
///
/// handspun::block_on(async {
///     let (sender, mut first) = broadcast::channel(2);
///     let mut second = sender.subscribe();
///     sender.send("a").unwrap();
///     sender.send("b").unwrap();
///     assert_eq!(first.recv().await, Ok("a"));
///     sender.send("c").unwrap();
///     drop(sender);
///     // The second one has not looked in time.
///     assert_eq!(second.recv().await, Err(RecvError::Lagged(1)));
///     for mut receiver in [first, second] {
///         assert_eq!(receiver.recv().await, Ok("b"));
///         assert_eq!(receiver.recv().await, Ok("c"));
///         assert_eq!(receiver.recv().await, Err(RecvError::Closed));
///     }
/// });
/// ```
///
/// # Panics
/// If `capacity` is 0, or more than `usize::MAX / 2`.
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(capacity);
    let receiver = sender.subscribe();
    (sender, receiver)
}

/// Sends values to all receivers.
///
/// When the last sender is dropped, the receivers get what is left, and then learn that the channel
/// is closed.
///
/// ```
/// use handspun::sync::broadcast::Sender;
///
/// let sender = Sender::new(16);
/// // There is nobody to receive it.
/// assert_eq!(sender.send(1).unwrap_err().0, 1);
/// let mut receivers = [sender.subscribe(), sender.subscribe()];
/// assert_eq!(sender.send(2).unwrap(), 2);
/// assert_eq!(receivers.each_mut().map(|receiver| receiver.try_recv()), [Ok(2), Ok(2)]);
/// ```
pub struct Sender<T> {
    row: Arc<Guarded<Row<T>>>,
}

impl<T> Sender<T> {
    /// A channel, as [`channel`] makes it, that nobody receives from yet.
    ///
    /// # Panics
    /// If `capacity` is 0, or more than `usize::MAX / 2`.
    #[track_caller]
    pub fn new(capacity: usize) -> Sender<T> {
        Sender {
            row: Arc::new(Guarded::new(Row::new(capacity))),
        }
    }

    /// Sends a value to all receivers. Returns how many they are.
    ///
    /// Whether they will receive it is another question: they may be dropped, or lag.
    ///
    /// # Errors
    /// If there is no receiver: then the value comes back. There may be one later.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let (receivers, missed) = self.row.with(|row, wakers| row.send(value, wakers))?;
        // Its destructor is no affair of the one who sends.
        contain(|| drop(missed));
        Ok(receivers)
    }

    /// One receiver more. It gets the values that are sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(&self.row)
    }

    /// A sender that does not keep the channel open.
    #[must_use = "it changes nothing about this sender"]
    pub fn downgrade(&self) -> WeakSender<T> {
        self.row.look(|row| row.weak_senders += 1);
        WeakSender {
            row: self.row.clone(),
        }
    }

    /// How many values are kept: those that some receiver has still to get.
    pub fn len(&self) -> usize {
        self.row.look(|row| row.kept.len())
    }

    /// Whether all receivers have got all values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.row.look(|row| row.receivers)
    }

    /// Whether both are senders of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.row, &other.row)
    }

    /// Waits until there is no receiver. If one has come again before this is polled, it waits on.
    ///
    /// # Cancel safety
    /// Cancel safe. Dropping the future takes its waker back.
    pub async fn closed(&self) {
        let nobody = |row: &mut Row<T>| (row.receivers == 0).then_some(());
        find(&self.row, |row| &mut row.awaiting_end, nobody).await;
    }

    /// How many senders there are.
    pub fn strong_count(&self) -> usize {
        self.row.look(|row| row.senders)
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.row.look(|row| row.weak_senders)
    }
}

/// One sender more, of the same channel.
impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.row.look(|row| row.senders += 1);
        Sender {
            row: self.row.clone(),
        }
    }
}

/// The last one closes the channel.
impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.row.with(|row, wakers| {
            row.senders -= 1;
            if row.senders == 0 {
                row.awaiting_value.call_all((), wakers);
            }
        });
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// A sender that does not keep the channel open: it has to be [upgraded](WeakSender::upgrade) to
/// send something.
///
/// ```
/// let (sender, _receiver) = handspun::sync::broadcast::channel(16);
/// let weak = sender.downgrade();
/// weak.upgrade().unwrap().send(1).unwrap();
/// drop(sender);
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakSender<T> {
    row: Arc<Guarded<Row<T>>>,
}

impl<T> WeakSender<T> {
    /// A sender, unless all have been dropped: what is closed stays so.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let is_open = self.row.look(|row| {
            let is_open = row.senders > 0;
            row.senders += usize::from(is_open);
            is_open
        });
        is_open.then(|| Sender {
            row: self.row.clone(),
        })
    }

    /// How many senders there are that keep the channel open.
    pub fn strong_count(&self) -> usize {
        self.row.look(|row| row.senders)
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.row.look(|row| row.weak_senders)
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> WeakSender<T> {
        self.row.look(|row| row.weak_senders += 1);
        WeakSender {
            row: self.row.clone(),
        }
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        self.row.look(|row| row.weak_senders -= 1);
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish_non_exhaustive()
    }
}

/// Receives all values that are sent while it exists.
///
/// ```
/// use handspun::sync::broadcast;
///
/// handspun::block_on(async {
///     let (sender, receiver) = broadcast::channel(16);
///     let listeners: Vec<_> = (0..3)
///         .map(|_| {
///             let mut receiver = receiver.resubscribe();
///             handspun::spawn(async move { receiver.recv().await })
///         })
///         .collect();
///     sender.send(7).unwrap();
///     for listener in listeners {
///         assert_eq!(listener.await.unwrap(), Ok(7));
///     }
/// });
/// ```
pub struct Receiver<T> {
    row: Arc<Guarded<Row<T>>>,
    /// The position of the value that it gets next. In a row that has left it behind, it is counted
    /// with those who stand at the oldest value.
    next: u64,
}

impl<T> Receiver<T> {
    fn new(row: &Arc<Guarded<Row<T>>>) -> Receiver<T> {
        Receiver {
            next: row.look(|row| row.enter()),
            row: row.clone(),
        }
    }

    /// How many values have been sent that it has not got yet. If there are more than the channel
    /// keeps, it has lagged.
    pub fn len(&self) -> usize {
        let unseen = self.row.look(|row| row.sent - self.next);
        usize::try_from(unseen).unwrap_or(usize::MAX)
    }

    /// Whether it has got everything that was sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are receivers of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.row, &other.row)
    }

    /// How many senders there are.
    pub fn sender_strong_count(&self) -> usize {
        self.row.look(|row| row.senders)
    }

    /// How many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.row.look(|row| row.weak_senders)
    }

    /// Whether all senders are dropped. There may be values left.
    pub fn is_closed(&self) -> bool {
        self.row.look(|row| row.senders == 0)
    }
}

impl<T: Clone> Receiver<T> {
    /// One receiver more. It gets the values that are sent from now on, not those that this one has
    /// still to get.
    pub fn resubscribe(&self) -> Receiver<T> {
        Receiver::new(&self.row)
    }

    /// Waits for the next value.
    ///
    /// ```
    /// # use handspun::sync::broadcast::{self, error::RecvError};
    /// # handspun::block_on(async {
    /// # let (sender, mut receiver) = broadcast::channel(1);
    /// # (1..=3).for_each(|number| { sender.send(number).unwrap(); });
    /// # drop(sender);
    /// loop {
    ///     match receiver.recv().await {
    ///         Ok(value) => println!("{value}"),
    ///         Err(RecvError::Lagged(missed)) => println!("missed {missed}"),
    ///         Err(RecvError::Closed) => break,
    ///     }
    /// }
    /// # });
    /// ```
    ///
    /// # Errors
    /// [`Lagged`](RecvError::Lagged) if it has missed values: that is not the end, the next one
    /// that it gets is the oldest that is left. [`Closed`](RecvError::Closed) if there is no value
    /// left, and all senders are dropped; from then on it is ready at once, each time, and a loop
    /// must end there, or it never lets anybody else run.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future loses no value.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        let Receiver { row, next } = self;
        let look = |row: &mut Row<T>| row.receive(next);
        let value = find(row, |row| &mut row.awaiting_value, look).await?;
        Ok(value.into_own())
    }

    /// Takes the next value, if there is one.
    ///
    /// # Errors
    /// Those of [`recv`](Receiver::recv), and [`Empty`](TryRecvError::Empty) if it would have to
    /// wait.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.row.look(|row| row.receive(&mut self.next)) {
            Some(Ok(value)) => Ok(value.into_own()),
            Some(Err(RecvError::Closed)) => Err(TryRecvError::Closed),
            Some(Err(RecvError::Lagged(missed))) => Err(TryRecvError::Lagged(missed)),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Waits for the next value on a thread that runs no executor.
    ///
    /// # Errors
    /// Those of [`recv`](Receiver::recv).
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        thread::block_on("blocking_recv", "recv().await", self.recv())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let unneeded = self.row.with(|row, wakers| row.leave(self.next, wakers));
        contain_each(unneeded, drop);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// The values, and those who stand along them.
struct Row<T> {
    /// The latest values. At the first one somebody stands: otherwise it would not be here.
    kept: VecDeque<Slot<T>>,
    capacity: usize,
    /// How many values were ever sent. The position of the next one.
    sent: u64,
    /// How many receivers have got all values. Together with those who stand at a value these are
    /// all.
    at_end: usize,
    receivers: usize,
    senders: usize,
    weak_senders: usize,
    /// Receivers.
    awaiting_value: WaitQueue<(), ()>,
    /// Senders that want to know when there are no receivers.
    awaiting_end: WaitQueue<(), ()>,
}

struct Slot<T> {
    value: Value<T>,
    /// How many receivers get it next.
    standing: usize,
}

impl<T> Row<T> {
    /// With one sender, and no receiver.
    ///
    /// # Panics
    /// If `capacity` is out of bounds.
    #[track_caller]
    fn new(capacity: usize) -> Row<T> {
        assert!(capacity > 0, "a broadcast channel needs room for at least one value");
        assert!(
            capacity <= usize::MAX / 2,
            "a broadcast channel has room for `usize::MAX / 2` values, not more"
        );
        Row {
            kept: VecDeque::new(),
            capacity: capacity.next_power_of_two(),
            sent: 0,
            at_end: 0,
            receivers: 0,
            senders: 1,
            weak_senders: 0,
            awaiting_value: WaitQueue::new("a value of the broadcast channel"),
            awaiting_end: WaitQueue::new("the broadcast channel to lose its receivers"),
        }
    }

    /// One receiver more, at the end. Returns its position.
    fn enter(&mut self) -> u64 {
        self.receivers += 1;
        self.at_end += 1;
        self.sent
    }

    /// One receiver less, who would have got the value at `next`. Returns what only it needed.
    fn leave(&mut self, next: u64, wakers: &mut Wakers) -> Vec<Slot<T>> {
        let place = next.saturating_sub(self.oldest()) as usize;
        *self.standing(place) -= 1;
        self.receivers -= 1;
        if self.receivers == 0 {
            self.awaiting_end.call_all((), wakers);
        }
        let unneeded = self.kept.iter().take_while(|slot| slot.standing == 0).count();
        self.kept.drain(..unneeded).collect()
    }

    /// Returns how many receivers there are, and the value that gives way, if one must.
    #[inline]
    fn send(
        &mut self,
        value: T,
        wakers: &mut Wakers,
    ) -> Result<(usize, Option<Value<T>>), SendError<T>> {
        if self.receivers == 0 {
            return Err(SendError(value));
        }
        let is_full = self.kept.len() == self.capacity;
        let missed = if is_full { self.kept.pop_front() } else { None };
        self.kept.push_back(Slot {
            value: Value::new(value, self.receivers),
            standing: mem::take(&mut self.at_end),
        });
        self.sent += 1;
        let missed = missed.map(|slot| {
            *self.standing(0) += slot.standing;
            slot.value
        });
        self.awaiting_value.call_all((), wakers);
        Ok((self.receivers, missed))
    }

    /// What the receiver gets who stands at `next`, and goes on. `None` if there is nothing yet.
    #[inline]
    fn receive(&mut self, next: &mut u64) -> Option<Result<Value<T>, RecvError>> {
        if *next == self.sent {
            return (self.senders == 0).then_some(Err(RecvError::Closed));
        }
        let oldest = self.oldest();
        if *next < oldest {
            let missed = oldest - mem::replace(next, oldest);
            return Some(Err(RecvError::Lagged(missed)));
        }
        let place = (*next - oldest) as usize;
        *next += 1;
        *self.standing(place + 1) += 1;
        let slot = &mut self.kept[place];
        slot.standing -= 1;
        let is_needed = place > 0 || slot.standing > 0;
        Some(Ok(if is_needed {
            slot.value.for_another()
        } else {
            self.kept.pop_front().expect("the first value is there").value.for_the_last()
        }))
    }

    /// The position of the first value that is kept, or of the next to be sent.
    #[inline]
    fn oldest(&self) -> u64 {
        self.sent - self.kept.len() as u64
    }

    /// How many stand at a place in the row, or at its end.
    #[inline]
    fn standing(&mut self, place: usize) -> &mut usize {
        match self.kept.get_mut(place) {
            Some(slot) => &mut slot.standing,
            None => &mut self.at_end,
        }
    }
}

/// A value on its way to those who receive it.
enum Value<T> {
    ForOne(T),
    ForMany(Arc<T>),
}

impl<T> Value<T> {
    #[inline]
    fn new(value: T, receivers: usize) -> Value<T> {
        match receivers {
            1 => Value::ForOne(value),
            _ => Value::ForMany(Arc::new(value)),
        }
    }

    /// The same value, which others will receive too.
    #[inline]
    fn for_another(&self) -> Value<T> {
        match self {
            Value::ForOne(_) => unreachable!("the one who receives it takes it away"),
            Value::ForMany(value) => Value::ForMany(value.clone()),
        }
    }

    /// The same value, which nobody else will receive. But another may be about to clone it.
    #[inline]
    fn for_the_last(self) -> Value<T> {
        let value = match self {
            Value::ForOne(_) => return self,
            Value::ForMany(value) => value,
        };
        match Arc::try_unwrap(value) {
            Ok(value) => Value::ForOne(value),
            Err(value) => Value::ForMany(value),
        }
    }
}

impl<T: Clone> Value<T> {
    /// Must not be called under the lock: the value may have to be cloned.
    #[inline]
    fn into_own(self) -> T {
        match self {
            Value::ForOne(value) => value,
            Value::ForMany(value) => {
                let clone = T::clone(&value);
                // By now it may be the last one that holds the value.
                contain(|| drop(value));
                clone
            }
        }
    }
}

/// Why something was not sent, or not received.
pub mod error {
    use std::error::Error;
    use std::fmt;

    /// There is no receiver. The value comes back.
    #[derive(Debug)]
    pub struct SendError<T>(pub T);

    impl<T> fmt::Display for SendError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the channel has no receiver")
        }
    }

    impl<T: fmt::Debug> Error for SendError<T> {}

    /// Why [`recv`](super::Receiver::recv) has no value.
    #[derive(Clone, PartialEq, Eq, Debug)]
    pub enum RecvError {
        /// There is none left, and all senders are dropped.
        Closed,
        /// So many values were missed, since they had to give way to newer ones. The next one to be
        /// received is the oldest that is left.
        Lagged(u64),
    }

    impl fmt::Display for RecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                RecvError::Closed => f.write_str("the channel is closed"),
                RecvError::Lagged(missed) => write!(f, "the receiver has missed {missed} values"),
            }
        }
    }

    impl Error for RecvError {}

    /// Why [`try_recv`](super::Receiver::try_recv) has no value.
    #[derive(Clone, PartialEq, Eq, Debug)]
    pub enum TryRecvError {
        /// There is none now.
        Empty,
        /// There is none left, and all senders are dropped.
        Closed,
        /// So many values were missed, since they had to give way to newer ones. The next one to be
        /// received is the oldest that is left.
        Lagged(u64),
    }

    impl fmt::Display for TryRecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                TryRecvError::Empty => f.write_str("the channel has no value at the moment"),
                TryRecvError::Closed => f.write_str("the channel is closed"),
                TryRecvError::Lagged(missed) => {
                    write!(f, "the receiver has missed {missed} values")
                }
            }
        }
    }

    impl Error for TryRecvError {}
}

#[cfg(test)]
#[path = "broadcast_tests.rs"]
mod tests;
