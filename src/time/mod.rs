//! Time: sleeping, deadlines, ticking, and a clock that can stand still.
//!
//! | call | to |
//! |---|---|
//! | [`sleep()`], [`sleep_until`] | wait |
//! | [`timeout()`], [`timeout_at`] | give a future so much time and no more |
//! | [`interval()`], [`interval_at`] | do something again and again |
//! | [`pause`], [`advance`], [`resume`] | take the clock into your own hands |
//! | [`Instant`] | ask what time it is |
//!
//! Promise 5: a timer never fires early; timers fire in the order of their deadlines (rounded up to
//! microseconds), and equal deadlines in the order in which they were armed. Any [`Duration`] is
//! legal, up to [`Duration::MAX`], and so is a deadline in the past.
//!
//! `clock.rs` says what time it is, `wheel.rs` keeps the timers, `sleep.rs` makes futures of them;
//! `timeout.rs` and `interval.rs` stand on `sleep.rs`.

pub(crate) mod clock;
mod interval;
mod send_timeout;
mod sleep;
mod timeout;
pub(crate) mod wheel;

pub use clock::Instant;
pub use interval::{Interval, MissedTickBehavior, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use std::time::Duration;
pub use timeout::{Timeout, timeout, timeout_at};

use crate::executor::scheduler::{Scheduler, try_current};
use crate::task::yield_now;

/// What can go wrong with time.
pub mod error {
    pub use super::timeout::Elapsed;
}

impl Instant {
    /// The present: on the clock of the executor that runs on this thread, or on the real one where
    /// none does. (So in a [`spawn_blocking`](crate::task::spawn_blocking) closure it is the real
    /// one, also while the executor's clock is paused.)
    pub fn now() -> Instant {
        try_current(|scheduler| scheduler.timers.clock.now()).unwrap_or_else(Instant::real_now)
    }

    /// How long ago this was, by [`Instant::now`]. Zero if it lies ahead.
    pub fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(*self)
    }
}

/// Stops the clock of the running executor.
///
/// From here on time stands still while anything can run. When nothing can, it jumps to the next
/// deadline: sleeping takes no time, and the order of events stays what it was.
///
/// Deadlines count in microseconds from when this executor's clock was first used for a timer, so a
/// sleep that is not a whole number of them from there ends up to a microsecond late.
///
/// It also jumps while a thread of your own is about to send something: of threads it knows only
/// those of [`spawn_blocking`](crate::task::spawn_blocking), and waits for them. And it jumps while
/// a [socket](crate::net) is waited for that is not ready yet: a timeout around a read may fire at
/// once.
///
/// Only [`Instant`] and timers of this module follow; [`std::time::Instant`] is not affected. To
/// begin with a clock that stands, see
/// [`start_paused`](crate::executor::Builder::start_paused).
///
/// ```
/// use handspun::time::{self, Duration, Instant};
///
/// handspun::block_on(async {
///     time::pause();
///     let start = Instant::now();
///     time::sleep(Duration::from_secs(86_400)).await;
///     assert_eq!(start.elapsed(), Duration::from_secs(86_400));
/// });
/// ```
///
/// # Panics
/// If the clock is paused already, or no executor runs on this thread.
#[track_caller]
pub fn pause() {
    let was_paused = with_executor("pause", |scheduler| {
        let was_paused = scheduler.timers.clock.is_paused();
        scheduler.timers.clock.pause();
        was_paused
    });
    assert!(!was_paused, "time::pause was called, but the clock is paused already");
}

/// Lets a paused clock run on from where it stands.
///
/// # Panics
/// If the clock is not paused, or no executor runs on this thread.
#[track_caller]
pub fn resume() {
    let was_paused = with_executor("resume", |scheduler| {
        let was_paused = scheduler.timers.clock.is_paused();
        scheduler.timers.clock.resume();
        was_paused
    });
    assert!(was_paused, "time::resume was called, but the clock is not paused");
}

/// Sets a paused clock forward.
///
/// When this is ready, every timer that has come due on the way has fired, and the tasks that it
/// woke have been polled once. (All of them fire at once, in the order of their deadlines. To see
/// what happens in between, [`sleep()`] instead: the clock then stops at each deadline.)
///
/// ```
/// use handspun::time::{self, Duration, Instant};
///
/// handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
///     let task = handspun::spawn(time::sleep(Duration::from_secs(60)));
///     handspun::task::yield_now().await; // the task has begun to sleep
///     time::advance(Duration::from_secs(60)).await;
///     assert!(task.is_finished());
/// });
/// ```
///
/// A clock can be set forward by 584,542 years, from when its executor first used it. Set further
/// than that, it stands still, and no sleep ends any more.
///
/// # Panics
/// If the clock is not paused, or no executor runs on this thread.
///
/// # Cancel safety
/// The clock is set when this is first polled. Dropped after that, it does not go back.
pub async fn advance(duration: Duration) {
    let was_paused = with_executor("advance", |scheduler| {
        let to = scheduler.timers.clock.now().far_add(duration);
        scheduler.set_clock_forward(to);
        scheduler.timers.clock.is_paused()
    });
    assert!(was_paused, "time::advance was called, but the clock is not paused: call time::pause");
    // Timers fire before the next turn. The tasks that they wake come after this one in that turn,
    // so it is the turn after it that finds them polled.
    yield_now().await;
    yield_now().await;
}

#[track_caller]
fn with_executor<R>(verb: &str, f: impl FnOnce(&mut Scheduler) -> R) -> R {
    match try_current(f) {
        Some(result) => result,
        None => panic!(
            "time::{verb} was called where no executor is running: call it inside a future that \
             `block_on` runs"
        ),
    }
}
