//! [`Sleep`]: the future that is ready at a certain time.
//!
//! It is a deadline, and the name of a timer on the wheel. Polled before its deadline, it arms the
//! timer with a clone of the waker; dropped, it disarms it. The wheel does the rest: when the
//! deadline has passed it gives the waker back, the executor wakes it, and the next poll finds the
//! deadline due.
//!
//! It is the deadline that decides, not the timer: a `Sleep` is ready when its executor has last
//! looked at the clock past its deadline, and whatever may have happened to the timer meanwhile (it
//! fired, it belongs to an executor that is gone, the future was carried to another thread), a poll
//! that comes early arms it anew. So it cannot be ready early, and cannot wait for a timer that is
//! not there.
//!
//! Nothing points into a `Sleep`, so it may be moved at any time (it is `Unpin`, where tokio's is
//! not).
//!
//! Next: `time/timeout.rs`.

use super::Instant;
use crate::executor::scheduler::try_current;
use crate::executor::timers::{Elsewhere, TimerName};
use crate::waits;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Waits until `duration` has passed since this was called (not since it was first polled).
///
/// The resolution is a microsecond, rounded up: a sleep never ends early. How late it ends depends
/// on how soon the thread is woken, and on how long other tasks' polls take.
///
/// Any duration is legal. A sleep that would end more than 584,542 years after its executor first
/// used its clock never ends.
///
/// ```
/// use handspun::time::{sleep, Duration};
///
/// handspun::block_on(async {
///     sleep(Duration::from_millis(1)).await;
/// });
/// ```
///
/// # Cancel safety
/// Cancel safe. A `Sleep` that is dropped takes its timer off the wheel at once (or, dropped where
/// its executor is not running, when that next runs).
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(Instant::now().far_add(duration))
}

/// Waits until `deadline`. If that has passed already, this is ready at its first poll on a paused
/// clock, and in the next turn at the latest on a running one, which is read once a turn.
///
/// ```
/// use handspun::time::{Duration, Instant, sleep_until};
///
/// handspun::block_on(async {
///     let deadline = Instant::now() + Duration::from_millis(1);
///     sleep_until(deadline).await;
///     assert!(Instant::now() >= deadline);
/// });
/// ```
///
/// # Cancel safety
/// Cancel safe. A `Sleep` that is dropped takes its timer off the wheel at once (or, dropped where
/// its executor is not running, when that next runs).
#[track_caller]
#[inline]
pub fn sleep_until(deadline: Instant) -> Sleep {
    let timer = match waits::are_told() {
        false => None,
        true => {
            let place = Location::caller();
            try_current(|scheduler| scheduler.make_timer(deadline, place)).flatten()
        }
    };
    Sleep { deadline, timer }
}

/// A future that is ready at its deadline. Made by [`sleep`] and [`sleep_until`].
///
/// It may be polled again after it was ready: it stays ready until it is
/// [reset](Sleep::reset) to a deadline that lies ahead.
///
/// ```
/// use handspun::time::{self, Duration, Instant};
/// use std::pin::pin;
///
/// handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
///     let start = Instant::now();
///     let mut sleep = pin!(time::sleep(Duration::from_secs(1)));
///     sleep.as_mut().reset(start + Duration::from_secs(3));
///     sleep.as_mut().await;
///     assert_eq!(start.elapsed(), Duration::from_secs(3));
///     assert!(sleep.is_elapsed());
/// });
/// ```
///
/// # Panics
/// If polled where no executor of this crate is running.
///
/// # Cancel safety
/// Cancel safe. A `Sleep` that is dropped takes its timer off the wheel at once (or, dropped where
/// its executor is not running, when that next runs).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Sleep {
    deadline: Instant,
    /// The timer that was last armed. It may have fired since. (To an executor that is watched, it
    /// has a name before it is armed.)
    timer: Option<TimerName>,
}

impl Sleep {
    /// When this is ready.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the deadline has passed, by [`Instant::now`].
    pub fn is_elapsed(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Changes the deadline, to an earlier or a later one. Who waits for this goes on waiting.
    ///
    /// (It takes `Pin<&mut Self>` because tokio's does. `Pin::new(&mut sleep).reset(..)` will do.)
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.get_mut();
        this.deadline = deadline;
        let Some(timer) = this.timer.take() else {
            return;
        };
        match try_current(|scheduler| scheduler.reset_timer(timer, deadline)) {
            Some(Ok((timer, waker))) => {
                this.timer = timer;
                // Whoever waits shall look again, and poll.
                waker.into_iter().for_each(Waker::wake);
            }
            Some(Err(Elsewhere)) | None => timer.release(),
        }
    }
}

impl Future for Sleep {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Sleep { deadline, timer } = self.get_mut();
        // Cloned before the scheduler is borrowed, and dropped after: both are somebody else's
        // code.
        let waker = cx.waker().clone();
        match try_current(|scheduler| scheduler.poll_timer(*deadline, timer, waker)) {
            Some((poll, _unneeded_waker)) => poll,
            None => panic!(
                "a handspun timer was polled where no executor is running: await it inside a \
                 future that `handspun::block_on` runs"
            ),
        }
    }
}

impl Drop for Sleep {
    #[inline]
    fn drop(&mut self) {
        let Some(timer) = self.timer else {
            return;
        };
        match try_current(|scheduler| scheduler.drop_timer(timer)) {
            // Dropped here, after the borrow.
            Some(Ok(_waker)) => {}
            Some(Err(Elsewhere)) | None => timer.release(),
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}
