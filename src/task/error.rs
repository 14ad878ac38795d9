//! [`JoinError`]: why a task has no result.

use crate::name::Id;
use crate::panics::{Payload, lock};
use std::any::Any;
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

/// Why a task has no result: it panicked, or it was dropped before it was finished.
///
/// ```
/// handspun::block_on(async {
///     let error = handspun::spawn(async { panic!("oh") }).await.unwrap_err();
///     assert!(error.is_panic());
///     assert_eq!(error.to_string(), "task 1 panicked with message \"oh\"");
/// });
/// ```
pub struct JoinError {
    id: Id,
    reason: Reason,
}

enum Reason {
    Cancelled,
    /// A payload need not be `Sync`; the mutex makes the error so, as errors ought to be.
    Panicked(Mutex<Payload>),
}

impl JoinError {
    pub(super) fn cancelled(id: Id) -> JoinError {
        JoinError {
            id,
            reason: Reason::Cancelled,
        }
    }

    pub(super) fn panicked(id: Id, payload: Payload) -> JoinError {
        JoinError {
            id,
            reason: Reason::Panicked(Mutex::new(payload)),
        }
    }

    /// Whether the task was aborted, or dropped with its executor.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.reason, Reason::Cancelled)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.reason, Reason::Panicked(_))
    }

    /// What the task panicked with, to be given to [`std::panic::resume_unwind`].
    ///
    /// # Panics
    /// If the task did not panic; [`try_into_panic`](JoinError::try_into_panic) asks first.
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        self.try_into_panic().expect("`into_panic` was called on the error of a cancelled task")
    }

    /// What the task panicked with, or the error itself if the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        match self.reason {
            Reason::Panicked(payload) => {
                Ok(payload.into_inner().unwrap_or_else(PoisonError::into_inner))
            }
            Reason::Cancelled => Err(self),
        }
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The message of the panic, if the payload is a string as `panic!` makes it.
    fn message(&self) -> Option<String> {
        let Reason::Panicked(payload) = &self.reason else {
            return None;
        };
        let payload = lock(payload);
        let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.reason, self.message()) {
            (Reason::Cancelled, _) => write!(f, "task {} was cancelled", self.id),
            (_, Some(text)) => write!(f, "task {} panicked with message {text:?}", self.id),
            (_, None) => write!(f, "task {} panicked", self.id),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.reason, self.message()) {
            (Reason::Cancelled, _) => write!(f, "JoinError::Cancelled({:?})", self.id),
            (_, Some(text)) => write!(f, "JoinError::Panic({:?}, {text:?}, ...)", self.id),
            (_, None) => write!(f, "JoinError::Panic({:?}, ...)", self.id),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(error.to_string())
    }
}
