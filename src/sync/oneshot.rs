//! A channel for one value: an answer, from one task or thread to another.
//!
//! [`channel`] makes its two ends. Sending uses the [`Sender`] up. The [`Receiver`] *is* the future
//! of the value: whoever has it awaits it. And either may go without a value, of which the other is
//! told: the receiver gets an error, and the sender can wait for it ([`Sender::closed`]), to leave
//! off work that nobody wants any more.
//!
//! ```text
//!                ┌──── one allocation, one lock ────┐
//!   Sender ────► │  value: None      is_over: false │ ◄──── Receiver
//!     │          │  seat of the one who sends       │           │
//!     └─ waits ─►│  seat of the one who receives    │◄─ waits ──┘
//!                └──────────────────────────────────┘
//! ```
//!
//! There is one of each, so nobody stands in line: a seat for each end is enough. And both ends
//! share one flag, `is_over`: no value will be put in from now on. The sender raises it when it has
//! sent or is dropped, the receiver when it is closed or dropped. Who raised it need not be
//! written down. A sender that still can ask did not; and a receiver looks for the value first, so
//! that what was sent before the end is received after it.
//!
//! A value that was sent and is never received belongs to the receiver. Its destructor takes the
//! value out, and drops it when the lock is free: that may do anything.
//!
//! Why not the obvious way? A channel for many values with room for one would do, but must count
//! its senders, its room and its values. Here each end does one thing, once, with the lock taken
//! once; and not even that by a receiver whose sender has let go of the channel already.
//!
//! Next: `sync/mpsc/mod.rs`.

use super::guarded::{Guarded, Wakers};
use super::wait_queue::{Seat, Sitting};
use crate::panics::contain;
use crate::thread;
use error::{RecvError, TryRecvError};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Makes a channel for one value.
///
/// ```
/// use handspun::sync::oneshot;
///
/// handspun::block_on(async {
///     let (sender, receiver) = oneshot::channel();
///     handspun::spawn(async move {
///         sender.send(7).unwrap();
///     });
///     assert_eq!(receiver.await, Ok(7));
/// });
/// ```
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Guarded::new(State {
        value: None,
        is_over: false,
        sender: Seat::new("the closing of the oneshot channel"),
        receiver: Seat::new("the value of the oneshot channel"),
    }));
    let sender = Sender {
        channel: Some(channel.clone()),
        sitting: Sitting::default(),
    };
    let receiver = Receiver {
        channel: Some(channel),
        sitting: Sitting::default(),
    };
    (sender, receiver)
}

/// Sends one value. Made by [`channel`].
///
/// Sending never waits. If the sender is dropped instead, the receiver gets an error.
///
/// ```
/// use handspun::sync::oneshot;
///
/// handspun::block_on(async {
///     let (mut sender, receiver) = oneshot::channel::<u32>();
///     handspun::spawn(async move { drop(receiver) });
///     sender.closed().await;
///     assert_eq!(sender.send(7), Err(7));
/// });
/// ```
pub struct Sender<T> {
    /// `None` after it has sent.
    channel: Option<Arc<Guarded<State<T>>>>,
    sitting: Sitting,
}

impl<T> Sender<T> {
    /// Sends the value. It is received also if the receiver is closed later; but that this was
    /// successful does not mean that it will be: the receiver may be dropped before.
    ///
    /// # Errors
    /// If the receiver has been closed or dropped, the value comes back.
    pub fn send(mut self, value: T) -> Result<(), T> {
        let channel = self.channel.take().expect(ONCE);
        let sitting = &mut self.sitting;
        channel.with(|state, wakers| {
            let closed = state.is_over;
            state.end_sending(sitting, wakers);
            if closed {
                return Err(value);
            }
            state.value = Some(value);
            Ok(())
        })
    }

    /// Waits until the receiver is closed or dropped: nobody wants the value any more.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn closed(&mut self) {
        let closing = Closing(self);
        poll_fn(|cx| closing.0.poll_closed(cx)).await;
    }

    /// Whether the receiver has been closed or dropped.
    pub fn is_closed(&self) -> bool {
        self.channel.as_ref().expect(ONCE).look(|state| state.is_over)
    }

    /// The poll of [`closed`](Sender::closed), for futures that are written by hand. Pending, it
    /// keeps the waker, in place of the one of the poll before.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let sitting = &mut self.sitting;
        self.channel.as_ref().expect(ONCE).poll(cx, |state, wakers| {
            if state.is_over {
                state.sender.leave(sitting, wakers);
                return Poll::Ready(());
            }
            state.sender.wait(sitting, wakers);
            Poll::Pending
        })
    }
}

const ONCE: &str = "a sender is gone when it has sent";

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.with(|state, wakers| state.end_sending(&mut self.sitting, wakers));
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("is_closed", &self.is_closed()).finish()
    }
}

/// A sender that waits, until this is dropped.
struct Closing<'a, T>(&'a mut Sender<T>);

impl<T> Drop for Closing<'_, T> {
    fn drop(&mut self) {
        self.0.sitting.end();
    }
}

/// Receives one value, and is the future of it. Made by [`channel`].
///
/// To stop waiting and ask again later, await `&mut receiver`: for instance in a branch of
/// [`select!`](crate::select).
///
/// ```
/// use handspun::sync::oneshot;
///
/// handspun::block_on(async {
///     let (sender, receiver) = oneshot::channel::<u32>();
///     drop(sender);
///     assert!(receiver.await.is_err());
/// });
/// ```
///
/// # Panics
/// If polled after it has given its result, as a future or by [`try_recv`](Receiver::try_recv).
///
/// # Cancel safety
/// Cancel safe if `&mut receiver` is awaited: the value is still to be had. Dropping the receiver
/// closes the channel, and drops a value that is in it.
#[must_use = "a receiver that is dropped at once closes the channel at once"]
pub struct Receiver<T> {
    /// `None` after it has given its result.
    channel: Option<Arc<Guarded<State<T>>>>,
    sitting: Sitting,
}

impl<T> Receiver<T> {
    /// Nothing can be sent from now on, and the sender is told so. A value that has been sent
    /// already can still be received.
    ///
    /// ```
    /// use handspun::sync::oneshot;
    ///
    /// let (sender, mut receiver) = oneshot::channel();
    /// sender.send("in time").unwrap();
    /// receiver.close();
    /// assert_eq!(receiver.try_recv(), Ok("in time"));
    /// ```
    pub fn close(&mut self) {
        if let Some(channel) = &self.channel {
            channel.with(|state, wakers| state.end_receiving(&mut self.sitting, wakers));
        }
    }

    /// Whether it has given its result, a value or an error, and must not be polled any more.
    pub fn is_terminated(&self) -> bool {
        self.channel.is_none()
    }

    /// Whether there is no value in the channel, be it that there will be one, or not, or that it
    /// has been received.
    pub fn is_empty(&self) -> bool {
        match &self.channel {
            Some(channel) => channel.look(|state| state.value.is_none()),
            None => true,
        }
    }

    /// Takes the value if it is there.
    ///
    /// # Errors
    /// If it has not been sent yet, or will never be. The second error is a result, as the value
    /// is: the receiver must not be polled after it.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let channel = self.channel.as_ref().ok_or(TryRecvError::Closed)?;
        let result = channel.with(|state, wakers| state.receive(&mut self.sitting, wakers));
        if !matches!(result, Err(TryRecvError::Empty)) {
            self.channel = None;
        }
        result
    }

    /// Waits for the value on a thread that runs no executor.
    ///
    /// # Errors
    /// If there is none and never will be.
    ///
    /// # Panics
    /// If called inside an executor.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        thread::block_on("blocking_recv", "receiver.await", self)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some(mut channel) = this.take_alone() {
            let result = channel.alone(|state, wakers| state.receive(&mut this.sitting, wakers));
            return Poll::Ready(result.map_err(|_| RecvError(())));
        }
        let Some(channel) = &this.channel else {
            panic!(
                "a oneshot receiver was polled after it had given its result. In a `select!` in a \
                 loop, give the branch a condition: `value = &mut receiver, if \
                 !receiver.is_terminated() => ..`"
            );
        };
        let poll = channel.poll(cx, |state, wakers| {
            match state.receive(&mut this.sitting, wakers) {
                Ok(value) => return Poll::Ready(Ok(value)),
                Err(TryRecvError::Closed) => return Poll::Ready(Err(RecvError(()))),
                Err(TryRecvError::Empty) => {}
            }
            state.receiver.wait(&mut this.sitting, wakers);
            Poll::Pending
        });
        if poll.is_ready() {
            this.channel = None;
        }
        poll
    }
}

impl<T> Receiver<T> {
    /// The channel, if the sender has let go of it: then there is a result, and what nobody else
    /// can lock need not be locked. So it is with most channels when the value is received.
    #[inline]
    fn take_alone(&mut self) -> Option<Guarded<State<T>>> {
        // This is the last, and nobody can make another of it: so it stays the last. What the
        // sender has done before it let go, `into_inner` makes sure to see.
        let channel = self.channel.take_if(|channel| Arc::strong_count(channel) == 1)?;
        Arc::into_inner(channel)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            let unwanted = channel.with(|state, wakers| {
                state.end_receiving(&mut self.sitting, wakers);
                state.value.take()
            });
            contain(|| drop(unwanted));
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("is_terminated", &self.is_terminated())
            .field("is_empty", &self.is_empty())
            .finish()
    }
}

/// Why there is no value.
pub mod error {
    use std::error::Error;
    use std::fmt;

    /// There is no value, and there will be none: the sender has been dropped, or the receiver
    /// closed.
    #[derive(Clone, PartialEq, Eq, Debug)]
    pub struct RecvError(pub(super) ());

    impl fmt::Display for RecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the channel is closed, and no value was sent")
        }
    }

    impl Error for RecvError {}

    /// Why there is no value at once.
    ///
    /// ```
    /// use handspun::sync::oneshot::{self, error::TryRecvError};
    ///
    /// let (sender, mut receiver) = oneshot::channel::<u32>();
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// drop(sender);
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    #[derive(Clone, PartialEq, Eq, Debug)]
    pub enum TryRecvError {
        /// None has been sent yet.
        Empty,
        /// There will be none: the sender has been dropped, or the receiver closed, or the value
        /// has been received.
        Closed,
    }

    impl fmt::Display for TryRecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(match self {
                TryRecvError::Empty => "no value has been sent yet",
                TryRecvError::Closed => "the channel is closed, and there is no value",
            })
        }
    }

    impl Error for TryRecvError {}
}

/// What the two ends share.
struct State<T> {
    value: Option<T>,
    /// No value will be put in from now on.
    is_over: bool,
    sender: Seat,
    receiver: Seat,
}

impl<T> State<T> {
    /// The sender goes.
    #[inline]
    fn end_sending(&mut self, sitting: &mut Sitting, wakers: &mut Wakers) {
        self.is_over = true;
        self.sender.leave(sitting, wakers);
        self.receiver.call(wakers);
    }

    /// The receiver is closed: it has nothing to wait for any more.
    #[inline]
    fn end_receiving(&mut self, sitting: &mut Sitting, wakers: &mut Wakers) {
        self.is_over = true;
        self.receiver.leave(sitting, wakers);
        self.sender.call(wakers);
    }

    /// The result, if there is one yet: the value or `Closed`.
    #[inline]
    fn receive(&mut self, sitting: &mut Sitting, wakers: &mut Wakers) -> Result<T, TryRecvError> {
        let result = match self.value.take() {
            Some(value) => Ok(value),
            None if self.is_over => Err(TryRecvError::Closed),
            None => return Err(TryRecvError::Empty),
        };
        self.receiver.leave(sitting, wakers);
        result
    }
}
