//! Why nothing was sent, or received.

use crate::sync::TryAcquireError;
use std::error::Error;
use std::fmt;

/// The receiver has closed, or is gone. The value comes back.
///
/// ```
/// # use handspun::sync::mpsc;
/// let (sender, receiver) = mpsc::unbounded_channel();
/// drop(receiver);
/// assert_eq!(sender.send("lost?").unwrap_err().0, "lost?");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

// Without the value, so that it need not be `Debug`.
impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the channel is closed")
    }
}

impl<T> Error for SendError<T> {}

/// Why nothing was sent at once. The value comes back.
///
/// ```
/// # use handspun::sync::mpsc::{self, error::TrySendError};
/// let (sender, receiver) = mpsc::channel(1);
/// assert_eq!(sender.try_send("a"), Ok(()));
/// assert_eq!(sender.try_send("b"), Err(TrySendError::Full("b")));
/// drop(receiver);
/// assert_eq!(sender.try_send("c"), Err(TrySendError::Closed("c")));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// There is no room, or others wait for it.
    Full(T),
    /// The receiver has closed, or is gone.
    Closed(T),
}

impl<T> TrySendError<T> {
    pub(super) fn new(refused: TryAcquireError, value: T) -> TrySendError<T> {
        match refused {
            TryAcquireError::NoPermits => TrySendError::Full(value),
            TryAcquireError::Closed => TrySendError::Closed(value),
        }
    }

    /// What was not sent.
    pub fn into_inner(self) -> T {
        match self {
            TrySendError::Full(value) | TrySendError::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "Full(..)",
            TrySendError::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "the channel is full",
            TrySendError::Closed(_) => "the channel is closed",
        })
    }
}

impl<T> Error for TrySendError<T> {}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(error: SendError<T>) -> TrySendError<T> {
        TrySendError::Closed(error.0)
    }
}

/// Why nothing was sent in time. The value comes back.
///
/// ```
/// # use handspun::sync::mpsc::{self, error::SendTimeoutError};
/// # use handspun::time::Duration;
/// let executor = handspun::executor::Executor::builder().start_paused(true).build();
/// executor.block_on(async {
///     let (sender, _receiver) = mpsc::channel(1);
///     let second = Duration::from_secs(1);
///     assert_eq!(sender.send_timeout("a", second).await, Ok(()));
///     assert_eq!(sender.send_timeout("b", second).await, Err(SendTimeoutError::Timeout("b")));
/// });
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendTimeoutError<T> {
    /// There was no room all that time.
    Timeout(T),
    /// The receiver has closed, or is gone.
    Closed(T),
}

impl<T> SendTimeoutError<T> {
    /// What was not sent.
    pub fn into_inner(self) -> T {
        match self {
            SendTimeoutError::Timeout(value) | SendTimeoutError::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendTimeoutError::Timeout(_) => "Timeout(..)",
            SendTimeoutError::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendTimeoutError::Timeout(_) => "the channel was full for all that time",
            SendTimeoutError::Closed(_) => "the channel is closed",
        })
    }
}

impl<T> Error for SendTimeoutError<T> {}

/// Why nothing was received at once.
///
/// ```
/// # use handspun::sync::mpsc::{self, error::TryRecvError};
/// let (sender, mut receiver) = mpsc::channel(1);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
/// sender.try_send("last").unwrap();
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Ok("last"));
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TryRecvError {
    /// Nothing is there yet.
    Empty,
    /// Nothing is there, and nothing will come.
    Disconnected,
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryRecvError::Empty => "the channel is empty",
            TryRecvError::Disconnected => "the channel is empty, and has ended",
        })
    }
}

impl Error for TryRecvError {}
