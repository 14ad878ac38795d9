//! A channel for something of which only the latest value counts: settings, a state, progress. See
//! [`channel`].
//!
//! Senders put a new value in place of the old one. Receivers look at it where it lies, whenever
//! they like, or wait until it is another than the one they saw last. Whoever seldom looks misses
//! values, but never the last one.
//!
//! Values have no identity that could be compared, so the channel counts them: each change is a
//! *version*, and a [`Receiver`] is the channel and the version that it has *seen*.
//!
//! ```text
//!               ┌─ Channel ────────────────────────────┐
//!   Sender ───► │ RwLock:   the value, and its version │ ◄─── Receiver, has seen 8
//!   Sender ───► │ Guarded:  the last version, 8;       │ ◄─── Receiver, has seen 5: it has changed
//!               │           how many of each there     │
//!               │           are, and who waits         │
//!               └──────────────────────────────────────┘
//! ```
//!
//! A [`Ref`] is a look at the value, and the value must hold still meanwhile: it is a read guard.
//! Hence the second lock, the only one in `sync` under which code of the user's runs. Who only
//! looks takes this one, who only waits the other, and who sends takes both, this one first; and
//! lets both go before anybody is woken.
//!
//! # A thread that would wait for itself
//!
//! Sending waits until the last `Ref` is dropped. If the sending thread itself has it, in a
//! variable or in another task of the same executor, that is for ever. Such a hang is hard to find,
//! so each thread notes which values it has locked. Whoever would have to wait looks there first,
//! and panics instead. It costs nothing but the note, since a lock that is free is not waited for.
//!
//! Why not the obvious way? A receiver with a slot of its own, which each send fills, would need no
//! versions. But then each send would clone the value for each receiver, and drop as many.
//!
//! Next: `sync/broadcast.rs`, for those who want every value.

use super::guarded::Guarded;
use super::wait_queue::{WaitQueue, find};
use crate::panics::contain;
use error::{RecvError, SendError};
use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::ops::Deref;
use std::panic::Location;
use std::ptr;
use std::sync::{
    Arc, LockResult, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
    TryLockResult,
};

/// Makes a channel with a first value, which the receiver is taken to have seen.
///
/// ```
/// use handspun::sync::watch;
///
/// handspun::block_on(async {
///     let (sender, mut receiver) = watch::channel("starting");
///     handspun::spawn(async move {
///         sender.send("ready").unwrap();
///     });
///     while receiver.changed().await.is_ok() {
///         println!("{}", *receiver.borrow_and_update());
///     }
///     assert_eq!(*receiver.borrow(), "ready");
/// });
/// ```
#[track_caller]
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(init);
    let receiver = sender.subscribe();
    (sender, receiver)
}

/// Changes the value. Made by [`channel`], or without a receiver by [`new`](Sender::new).
///
/// Clones send to the same channel. The receivers are told when the last one is gone.
///
/// ```
/// use handspun::sync::watch;
///
/// let done = watch::Sender::new(0);
/// let receiver = done.subscribe();
/// done.send_modify(|done| *done += 1);
/// assert_eq!(*receiver.borrow(), 1);
/// ```
pub struct Sender<T> {
    channel: Arc<Channel<T>>,
}

impl<T> Sender<T> {
    /// A channel with a first value, and without receivers so far.
    #[track_caller]
    pub fn new(init: T) -> Sender<T> {
        let channel = Channel {
            current: RwLock::new(Current {
                value: init,
                version: 0,
            }),
            state: Guarded::new(State {
                version: 0,
                senders: 1,
                receivers: 0,
                awaiting_change: WaitQueue::new("a change of the watch channel"),
                awaiting_end: WaitQueue::new("the closing of the watch channel"),
            }),
        };
        Sender {
            channel: Arc::new(channel),
        }
    }

    /// Puts `value` in place of the one that is there, which is dropped, and wakes the receivers
    /// that wait for a change.
    ///
    /// If other threads have a [`Ref`] of the value, this thread waits until they have dropped it.
    ///
    /// # Errors
    /// If there are no receivers, the value comes back, and the old one stays. The other functions
    /// that send do not mind.
    ///
    /// # Panics
    /// If this thread has a `Ref` of the value: it would wait for itself.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        let old = self.send_replace(value);
        // Its destructor is no affair of the one who sends.
        contain(|| drop(old));
        Ok(())
    }

    /// Changes the value where it lies, and wakes the receivers that wait for a change.
    ///
    /// If other threads have a [`Ref`] of the value, this thread waits until they have dropped it.
    ///
    /// # Panics
    /// If `modify` panics: what it has done so far is done, but nobody is woken, and the value does
    /// not count as changed. If this thread has a `Ref` of the value, or `modify` uses the value of
    /// this channel by another way: it would wait for itself.
    #[track_caller]
    pub fn send_modify<F: FnOnce(&mut T)>(&self, modify: F) {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Changes the value where it lies, if `modify` likes, and wakes the receivers that wait for a
    /// change if it returns `true`. Returns what it returned.
    ///
    /// If other threads have a [`Ref`] of the value, this thread waits until they have dropped it.
    ///
    /// ```
    /// use handspun::sync::watch;
    ///
    /// let (highest, receiver) = watch::channel(5);
    /// let report = |new: u32| {
    ///     highest.send_if_modified(|highest| {
    ///         let is_higher = new > *highest;
    ///         *highest = new.max(*highest);
    ///         is_higher
    ///     })
    /// };
    /// assert!(!report(3));
    /// assert!(!receiver.has_changed().unwrap());
    /// assert!(report(8));
    /// assert!(receiver.has_changed().unwrap());
    /// ```
    ///
    /// # Panics
    /// If `modify` panics: what it has done so far is done, but nobody is woken, and the value does
    /// not count as changed. If this thread has a `Ref` of the value, or `modify` uses the value of
    /// this channel by another way: it would wait for itself.
    #[track_caller]
    pub fn send_if_modified<F: FnOnce(&mut T) -> bool>(&self, modify: F) -> bool {
        let mut current = self.channel.write();
        if !modify(&mut current.guard.value) {
            return false;
        }
        current.guard.version += 1;
        self.channel.state.with(|state, wakers| {
            state.version = current.guard.version;
            state.awaiting_change.call_all((), wakers);
            // Whoever is woken shall find the value free.
            drop(current);
        });
        true
    }

    /// Puts `value` in place of the one that is there, which is returned, and wakes the receivers
    /// that wait for a change.
    ///
    /// If other threads have a [`Ref`] of the value, this thread waits until they have dropped it.
    ///
    /// # Panics
    /// If this thread has a `Ref` of the value: it would wait for itself.
    #[track_caller]
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|current| mem::swap(current, &mut value));
        value
    }

    /// Looks at the value.
    ///
    /// If another thread is about to change it, this thread waits for that.
    ///
    /// # Panics
    /// If this thread would wait for itself: in a closure that changes the value, or if it has a
    /// [`Ref`] of it for which the other thread waits.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref {
            current: self.channel.read(Location::caller()),
            has_changed: false,
        }
    }

    /// Whether there are no receivers. There may be some later:
    /// [`subscribe`](Sender::subscribe).
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until there are no receivers.
    ///
    /// If there are new ones by the time the task is polled, it goes on waiting.
    ///
    /// ```
    /// use handspun::sync::watch;
    ///
    /// handspun::block_on(async {
    ///     let (sender, receiver) = watch::channel(0);
    ///     handspun::spawn(async move { drop(receiver) });
    ///     sender.closed().await;
    ///     assert!(sender.send(1).is_err());
    /// });
    /// ```
    ///
    /// # Cancel safety
    /// Cancel safe. Dropping the future takes its waker back.
    pub async fn closed(&self) {
        let nobody = |state: &mut State| (state.receivers == 0).then_some(());
        find(&self.channel.state, |state| &mut state.awaiting_end, nobody).await;
    }

    /// One more receiver, which is taken to have seen the value that is there.
    pub fn subscribe(&self) -> Receiver<T> {
        let version = self.channel.state.look(|state| {
            state.receivers += 1;
            state.version
        });
        Receiver {
            channel: self.channel.clone(),
            seen: Some(version),
        }
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.channel.state.look(|state| state.receivers)
    }

    /// How many senders there are.
    pub fn sender_count(&self) -> usize {
        self.channel.state.look(|state| state.senders)
    }

    /// Whether both send to the same channel.
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        Arc::ptr_eq(&self.channel, &other.channel)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.channel.state.look(|state| state.senders += 1);
        Sender {
            channel: self.channel.clone(),
        }
    }
}

/// The last one closes the channel; its value stays.
impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.channel.state.with(|state, wakers| {
            state.senders -= 1;
            if state.senders == 0 {
                state.awaiting_change.call_all((), wakers);
            }
        });
    }
}

impl<T: Default> Default for Sender<T> {
    #[track_caller]
    fn default() -> Sender<T> {
        Sender::new(T::default())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// Looks at the value, and waits for another. Made by [`channel`] and [`Sender::subscribe`].
///
/// A clone has seen what the original had seen at the time, and goes on by itself.
///
/// ```
/// use handspun::sync::watch;
///
/// let (sender, mut receiver) = watch::channel(1);
/// let mut other = receiver.clone();
/// sender.send(2).unwrap();
/// assert_eq!(*receiver.borrow_and_update(), 2);
/// assert!(!receiver.has_changed().unwrap());
/// assert!(other.has_changed().unwrap());
/// # other.mark_unchanged();
/// ```
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
    /// The version that it has seen. `None`, which is none, if it has been told to forget that.
    seen: Option<u64>,
}

impl<T> Receiver<T> {
    /// Looks at the value. If it has not been seen before, it still counts as not seen: in a loop
    /// with [`changed`](Receiver::changed), use
    /// [`borrow_and_update`](Receiver::borrow_and_update).
    ///
    /// If another thread is about to change it, this thread waits for that.
    ///
    /// # Panics
    /// If this thread would wait for itself: in a closure that changes the value, or if it has a
    /// [`Ref`] of it for which the other thread waits.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        let mut seen = self.seen;
        self.channel.see(&mut seen, Location::caller())
    }

    /// Looks at the value, which has been seen then.
    ///
    /// If another thread is about to change it, this thread waits for that.
    ///
    /// # Panics
    /// If this thread would wait for itself: in a closure that changes the value, or if it has a
    /// [`Ref`] of it for which the other thread waits.
    #[track_caller]
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        self.channel.see(&mut self.seen, Location::caller())
    }

    /// Whether the value is another than the one that was seen last.
    ///
    /// # Errors
    /// If all senders are gone, also if there is a value that has not been seen.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        self.channel.state.look(|state| match state.senders {
            0 => Err(RecvError(())),
            _ => Ok(state.has_changed(self.seen)),
        })
    }

    /// Whether all senders are gone. The value stays.
    pub fn is_closed(&self) -> bool {
        self.channel.state.look(|state| state.senders == 0)
    }

    /// From now on the value counts as not seen, as if it had changed.
    pub fn mark_changed(&mut self) {
        self.seen = None;
    }

    /// From now on the value counts as seen.
    pub fn mark_unchanged(&mut self) {
        self.seen = Some(self.channel.state.look(|state| state.version));
    }

    /// Waits until the value is another than the one that was seen last. The new one has been seen
    /// then.
    ///
    /// # Errors
    /// If all senders are gone, and their last value has been seen. From then on it is ready at
    /// once, each time: a loop must end there, or it never lets anybody else run.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped before it is ready, nothing counts as seen by it.
    pub async fn changed(&mut self) -> Result<(), RecvError> {
        changed(&self.channel.state, &mut self.seen).await
    }

    /// Waits for a value of which `f` says `true`, beginning with the one that is there. All values
    /// that `f` was asked about have been seen then. The last one is held still while `f` runs, as
    /// by a [`Ref`].
    ///
    /// If another thread is about to change the value, this thread waits for that.
    ///
    /// ```
    /// use handspun::sync::watch;
    ///
    /// handspun::block_on(async {
    ///     let (progress, mut receiver) = watch::channel(0);
    ///     handspun::spawn(async move {
    ///         for percent in 1..=100 {
    ///             progress.send_replace(percent);
    ///             handspun::task::yield_now().await;
    ///         }
    ///     });
    ///     assert_eq!(*receiver.wait_for(|percent| *percent >= 50).await.unwrap(), 50);
    /// });
    /// ```
    ///
    /// # Errors
    /// If all senders are gone, and their last value is not one.
    ///
    /// # Panics
    /// If `f` panics; or if this thread would wait for itself: if `f` sends to this channel, or if
    /// this thread has a [`Ref`] of the value for which another thread waits.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped before it is ready, `f` has said `false` of all values
    /// that count as seen by it.
    #[track_caller]
    pub fn wait_for(
        &mut self,
        mut f: impl FnMut(&T) -> bool,
    ) -> impl Future<Output = Result<Ref<'_, T>, RecvError>> {
        // Not an `async fn`: that would not know its caller, whom a note names.
        let at = Location::caller();
        let Receiver { channel, seen } = self;
        async move {
            loop {
                {
                    let value = channel.see(seen, at);
                    if f(&value) {
                        return Ok(value);
                    }
                }
                changed(&channel.state, seen).await?;
            }
        }
    }

    /// Whether both receive from the same channel.
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        Arc::ptr_eq(&self.channel, &other.channel)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        self.channel.state.look(|state| state.receivers += 1);
        Receiver {
            channel: self.channel.clone(),
            seen: self.seen,
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.channel.state.with(|state, wakers| {
            state.receivers -= 1;
            if state.receivers == 0 {
                state.awaiting_end.call_all((), wakers);
            }
        });
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// The value of a channel, which does not change until this is dropped.
///
/// Drop it soon, and before the next `.await`: other threads that send wait for it, and this thread
/// panics if it sends. Clone the value if you need it for longer, in a statement of its own: in
/// `sender.send(*receiver.borrow() + 1)` the `Ref` lives until the semicolon. And never
/// `mem::forget` one.
///
/// ```
/// use handspun::sync::watch;
///
/// let (sender, receiver) = watch::channel(String::from("old"));
/// let copy = receiver.borrow().clone(); // the `Ref` is dropped at the semicolon
/// sender.send(copy + "er").unwrap();
/// assert_eq!(*receiver.borrow(), "older");
/// ```
pub struct Ref<'a, T> {
    current: Locked<RwLockReadGuard<'a, Current<T>>>,
    has_changed: bool,
}

impl<T> Ref<'_, T> {
    /// Whether the receiver had not seen this value when it made this. `false` if it was made by a
    /// sender.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.current.guard.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ref")
            .field("value", &**self)
            .field("has_changed", &self.has_changed)
            .finish()
    }
}

/// Why there was nobody to send to, or will be nothing to receive.
pub mod error {
    use std::error::Error;
    use std::fmt;

    /// There are no receivers. The value has not been sent: here it is.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct SendError<T>(pub T);

    impl<T> fmt::Debug for SendError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("SendError").finish_non_exhaustive()
        }
    }

    impl<T> fmt::Display for SendError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the channel has no receivers")
        }
    }

    impl<T> Error for SendError<T> {}

    /// All senders are gone: the value will not change any more.
    #[derive(Clone, Debug)]
    pub struct RecvError(pub(super) ());

    impl fmt::Display for RecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the channel is closed: all senders are gone")
        }
    }

    impl Error for RecvError {}
}

struct Channel<T> {
    /// Locked before the state, never after it.
    current: RwLock<Current<T>>,
    state: Guarded<State>,
}

struct Current<T> {
    value: T,
    version: u64,
}

struct State {
    /// The same as that of the value, for those who do not look at it. It changes while the value
    /// is locked for writing.
    version: u64,
    senders: usize,
    receivers: usize,
    /// Receivers that wait for another version, or for the last sender to go.
    awaiting_change: WaitQueue<(), ()>,
    /// Senders that wait for the last receiver to go.
    awaiting_end: WaitQueue<(), ()>,
}

impl State {
    fn has_changed(&self, seen: Option<u64>) -> bool {
        seen != Some(self.version)
    }
}

impl<T> Channel<T> {
    /// Looks at the value for one who has seen that version, and has seen this then.
    #[track_caller]
    fn see(&self, seen: &mut Option<u64>, at: &'static Location<'static>) -> Ref<'_, T> {
        let current = self.read(at);
        let version = Some(current.guard.version);
        Ref {
            current,
            has_changed: mem::replace(seen, version) != version,
        }
    }

    #[track_caller]
    fn read(&self, at: &'static Location<'static>) -> Locked<RwLockReadGuard<'_, Current<T>>> {
        self.locked(self.current.try_read(), RwLock::read, at)
    }

    #[track_caller]
    fn write(&self) -> Locked<RwLockWriteGuard<'_, Current<T>>> {
        self.locked(self.current.try_write(), RwLock::write, Location::caller())
    }

    /// The guard, if it could be had at once; if not, waits for it. Poison does not matter: the
    /// closures that may panic are the user's, as is the value.
    #[track_caller]
    fn locked<'a, G>(
        &'a self,
        at_once: TryLockResult<G>,
        wait: fn(&'a RwLock<Current<T>>) -> LockResult<G>,
        at: &'static Location<'static>,
    ) -> Locked<G> {
        let address = ptr::from_ref(self).addr();
        let guard = match at_once {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                if let Some(at) = Note::taken_at(address) {
                    panic!(
                        "this thread would wait for itself: it still has the value of this watch \
                         channel, by a `Ref`, or in a closure, from {at}. Drop the `Ref` first, \
                         also before an `.await`; if it has no name, copy the value out of it in a \
                         statement of its own"
                    );
                }
                wait(&self.current).unwrap_or_else(PoisonError::into_inner)
            }
        };
        Locked {
            guard,
            _note: Note::take(address, at),
        }
    }
}

async fn changed(state: &Guarded<State>, seen: &mut Option<u64>) -> Result<(), RecvError> {
    let news = |state: &mut State| {
        if state.has_changed(*seen) {
            *seen = Some(state.version);
            return Some(Ok(()));
        }
        (state.senders == 0).then_some(Err(RecvError(())))
    };
    find(state, |state| &mut state.awaiting_change, news).await
}

/// A guard of a channel's value, and the note of it. No guard goes to another thread, so the note
/// is crossed out where it was taken.
struct Locked<G> {
    guard: G,
    _note: Note,
}

/// A note that this thread has locked the value of the channel that lies at this address.
struct Note(usize);

thread_local! {
    /// A channel is in it as often as this thread has locked it, and where it did.
    static NOTES: RefCell<Vec<(usize, &'static Location<'static>)>> =
        const { RefCell::new(Vec::new()) };
}

impl Note {
    fn take(address: usize, at: &'static Location<'static>) -> Note {
        let note = (address, at);
        // While the thread ends there may be no notes any more, and it goes without.
        let _ = NOTES.try_with(|notes| notes.borrow_mut().push(note));
        Note(address)
    }

    #[cold]
    fn taken_at(address: usize) -> Option<&'static Location<'static>> {
        let find = |notes: &RefCell<Vec<(usize, _)>>| {
            let notes = notes.borrow();
            notes.iter().rfind(|note| note.0 == address).map(|note| note.1)
        };
        NOTES.try_with(find).ok().flatten()
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let _ = NOTES.try_with(|notes| {
            let mut notes = notes.borrow_mut();
            if let Some(last) = notes.iter().rposition(|note| note.0 == self.0) {
                notes.swap_remove(last);
            }
        });
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
