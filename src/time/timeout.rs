//! [`timeout`]: a future, or so much time, whichever comes first.
//!
//! It polls the future, and if that is pending, the sleep. The future comes first, so that one that
//! is ready in time is never refused, even if the deadline passed while it waited for its poll.
//! When the time is up the `Timeout` is ready, and whoever awaits it drops it, and with it the
//! future: there is nothing more to cancelling.
//!
//! It costs the future's size and 32 bytes. Next: `time/interval.rs`.

use super::{Instant, Sleep, sleep_until};
use crate::pin::project;
use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Gives `future` this much time from now on; after that, [`Elapsed`].
///
/// The future is polled first, also with a duration of zero: one that is ready at once is in time.
/// When the time is up, the future is dropped together with the [`Timeout`]. A future that never
/// returns from its poll cannot be timed out.
///
/// ```
/// use handspun::time::{self, Duration};
///
/// handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
///     let second = Duration::from_secs(1);
///     assert_eq!(time::timeout(second, async { 7 }).await, Ok(7));
///     assert!(time::timeout(second, std::future::pending::<()>()).await.is_err());
/// });
/// ```
///
/// # Cancel safety
/// As safe as `future`: dropping the timeout drops it.
#[track_caller]
#[inline]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    timeout_at(Instant::now().far_add(duration), future)
}

/// Gives `future` time until `deadline`; after that, [`Elapsed`].
///
/// ```
/// use handspun::time::{self, Duration, Instant};
///
/// handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
///     // One deadline for two things, one after the other.
///     let deadline = Instant::now() + Duration::from_secs(3);
///     let sleep = || time::sleep(Duration::from_secs(2));
///     assert!(time::timeout_at(deadline, sleep()).await.is_ok());
///     assert!(time::timeout_at(deadline, sleep()).await.is_err());
/// });
/// ```
///
/// # Cancel safety
/// As safe as `future`: dropping the timeout drops it.
#[track_caller]
#[inline]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: future.into_future(),
        sleep: sleep_until(deadline),
    }
}

/// A future with a deadline. Made by [`timeout()`] and [`timeout_at`].
///
/// ```
/// use handspun::time::{Duration, timeout};
///
/// let limited = timeout(Duration::from_secs(1), std::future::ready("in time"));
/// assert_eq!(handspun::block_on(limited.into_inner()), "in time"); // no limit any more
/// ```
///
/// # Panics
/// If it is pending where no executor of this crate is running.
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[derive(Debug)]
pub struct Timeout<F> {
    future: F,
    sleep: Sleep,
}

project!(Timeout<F> => Parts { pin future: F; sleep: Sleep });

impl<F> Timeout<F> {
    /// The future inside.
    pub fn get_ref(&self) -> &F {
        &self.future
    }

    /// The future inside.
    pub fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }

    /// The future inside, without the deadline.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let parts = self.project();
        if let Poll::Ready(output) = parts.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(parts.sleep).poll(cx).map(|()| Err(Elapsed(())))
    }
}

/// The time given to [`timeout()`] was up before the future was ready.
///
/// ```
/// use handspun::time::{Duration, error::Elapsed, timeout};
///
/// async fn answer() -> Result<u32, Elapsed> {
///     Ok(timeout(Duration::from_millis(1), std::future::pending::<u32>()).await?)
/// }
/// assert_eq!(handspun::block_on(answer()).unwrap_err().to_string(), "the deadline has passed");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, elapsed)
    }
}
