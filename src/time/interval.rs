//! [`interval`]: the same again, every so often.
//!
//! An interval is a `Sleep` that is reset after each tick. The question is to what. Between two
//! ticks the program may be busy for longer than a period; then a tick is late, and the next ones
//! are behind the plan. [`MissedTickBehavior`] says how to go on:
//!
//! | with a period of 1 s, busy from 1 s to 3.3 s | ticks at |
//! |---|---|
//! | the plan | 0, 1, 2, 3, 4, 5 |
//! | `Burst`: makes up for what was missed | 0, 1, 3.3, 3.3, 4, 5 |
//! | `Delay`: goes on a period after the late tick | 0, 1, 3.3, 4.3, 5.3 |
//! | `Skip`: leaves out what was missed | 0, 1, 3.3, 4, 5 |
//!
//! The names, and the rule that a tick up to 5 ms late counts as on time, are tokio's
//! (`time/interval.rs`).

use super::{Instant, Sleep, sleep_until};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// How late a tick may be before the next one is planned by [`MissedTickBehavior`].
const GRACE: Duration = Duration::from_millis(5);

/// Ticks at once, and then every `period`.
///
/// ```
/// use handspun::time::{self, Duration, Instant};
///
/// handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
///     let start = Instant::now();
///     let mut interval = time::interval(Duration::from_secs(2));
///     for expected in [0, 2, 4] {
///         interval.tick().await;
///         assert_eq!(start.elapsed().as_secs(), expected);
///     }
/// });
/// ```
///
/// # Panics
/// If `period` is zero.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks at `start`, and then every `period`.
///
/// ```
/// use handspun::time::{self, Duration, Instant};
///
/// handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
///     let start = Instant::now();
///     let second = Duration::from_secs(1);
///     let mut interval = time::interval_at(start + second * 5, second);
///     assert_eq!(interval.tick().await, start + second * 5);
/// });
/// ```
///
/// # Panics
/// If `period` is zero.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval's period must be longer than zero");
    Interval {
        sleep: sleep_until(start),
        period,
        missed_tick_behavior: MissedTickBehavior::default(),
    }
}

/// When to tick next after a tick that came more than 5 ms late.
///
/// ```
/// use handspun::time::{self, Duration, Instant, MissedTickBehavior};
///
/// handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
///     let start = Instant::now();
///     let mut interval = time::interval(Duration::from_secs(1));
///     interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
///     interval.tick().await;
///     time::advance(Duration::from_millis(2300)).await; // busy
///     interval.tick().await; // at once: the tick of 1 s, late
///     interval.tick().await; // leaves out that of 2 s
///     assert_eq!(start.elapsed(), Duration::from_secs(3));
/// });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MissedTickBehavior {
    /// As planned from the beginning: what was missed is made up for, one tick after the other
    /// without a wait, until the plan is caught up with.
    #[default]
    Burst,
    /// A period after the late tick: the whole plan moves.
    Delay,
    /// At the next point of the plan that lies ahead: what was missed is left out.
    Skip,
}

impl MissedTickBehavior {
    fn next(self, planned: Instant, now: Instant, period: Duration) -> Instant {
        match self {
            MissedTickBehavior::Burst => planned.far_add(period),
            MissedTickBehavior::Delay => now.far_add(period),
            MissedTickBehavior::Skip => {
                let late = now.duration_since(planned);
                let into_the_period = late.as_nanos() % period.as_nanos();
                // Less than a period, which is a `Duration`: so this fits.
                let nanos_per_second = 1_000_000_000;
                let secs = (into_the_period / nanos_per_second) as u64;
                let nanos = (into_the_period % nanos_per_second) as u32;
                now.far_add(period - Duration::new(secs, nanos))
            }
        }
    }
}

/// Ticks again and again. Made by [`interval()`] and [`interval_at`].
///
/// ```
/// use handspun::time::{self, Duration, Instant};
///
/// handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
///     let start = Instant::now();
///     let mut interval = time::interval(Duration::from_secs(2));
///     interval.tick().await; // at once
///     interval.reset_after(Duration::from_secs(5));
///     interval.tick().await;
///     assert_eq!(start.elapsed(), Duration::from_secs(5));
/// });
/// ```
#[must_use = "an interval does nothing until its `tick` is awaited"]
#[derive(Debug)]
pub struct Interval {
    sleep: Sleep,
    period: Duration,
    missed_tick_behavior: MissedTickBehavior,
}

impl Interval {
    /// Waits for the next tick, and gives the instant for which it was planned.
    ///
    /// # Panics
    /// If polled where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe: a tick that was not waited for to the end is still to come.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// As [`tick`](Interval::tick), for a future written by hand.
    ///
    /// # Panics
    /// If called where no executor of this crate is running.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(Pin::new(&mut self.sleep).poll(cx));
        let planned = self.sleep.deadline();
        let now = Instant::now();
        let behavior = if now > planned.far_add(GRACE) {
            self.missed_tick_behavior
        } else {
            MissedTickBehavior::Burst
        };
        self.tick_next_at(behavior.next(planned, now, self.period));
        Poll::Ready(planned)
    }

    /// The next tick comes a period from now.
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// The next tick comes at once.
    pub fn reset_immediately(&mut self) {
        self.tick_next_at(Instant::now());
    }

    /// The next tick comes after this long.
    pub fn reset_after(&mut self, after: Duration) {
        self.tick_next_at(Instant::now().far_add(after));
    }

    /// The next tick comes at this instant.
    pub fn reset_at(&mut self, deadline: Instant) {
        self.tick_next_at(deadline);
    }

    /// From tick to tick.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// How late ticks are made up for. Default: [`Burst`](MissedTickBehavior::Burst).
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed_tick_behavior
    }

    /// Sets how late ticks are made up for, from the next late one on.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed_tick_behavior = behavior;
    }

    fn tick_next_at(&mut self, deadline: Instant) {
        Pin::new(&mut self.sleep).reset(deadline);
    }
}
