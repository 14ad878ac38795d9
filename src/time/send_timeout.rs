//! [`Sender::send_timeout`]: a channel and the clock, together.
//!
//! It stands here since channels know nothing of time: whatever is in `sync` would work on any
//! executor, and this would not. It is also how to give a time limit to anything that would lose a
//! value when it is dropped: wait for the *permission* under the limit, and give the value away
//! only then.

use super::timeout;
use crate::sync::mpsc::Sender;
use crate::sync::mpsc::error::SendTimeoutError;
use std::time::Duration;

impl<T> Sender<T> {
    /// Waits for room, but no longer than `limit`, and sends a value.
    ///
    /// # Errors
    /// If there was no room in time; if the receiver has closed, or is gone, before or meanwhile.
    /// The value comes back.
    ///
    /// # Panics
    /// If awaited outside of an executor: it needs its clock.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, the value was not sent, and is dropped with it.
    pub async fn send_timeout(&self, value: T, limit: Duration) -> Result<(), SendTimeoutError<T>> {
        match timeout(limit, self.reserve()).await {
            Ok(Ok(permit)) => permit
                .send_or_return(value)
                .map_or(Ok(()), |value| Err(SendTimeoutError::Closed(value))),
            Ok(Err(_)) => Err(SendTimeoutError::Closed(value)),
            Err(_) => Err(SendTimeoutError::Timeout(value)),
        }
    }
}
