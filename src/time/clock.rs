//! What time it is: the real clock, or one that stands still until it is moved.
//!
//! A program that waits is awkward to show and slow to test. On a *paused* clock nobody waits:
//! whenever nothing can run, the executor sets the clock forward to the next deadline. The order of
//! events is what it would have been, to the microsecond, and an hour takes no time.
//!
//! Each executor has a clock of its own, since [`pause`](crate::time::pause) in one test must not
//! stop another's. Timers count in ticks of a microsecond from the clock's *origin*: the moment at
//! which a timer first asked it, or for a clock that was made to stand, that at which it was made.
//! A deadline is rounded up to ticks and the present down, so that a timer never fires early.
//!
//! No other file of the crate reads the real clock.
//!
//! Next: `executor/timers.rs`.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::{Duration, Instant as StdInstant};

/// A point in time, on the clock of the executor that is running.
///
/// Like [`std::time::Instant`], but [`now`](Instant::now) asks the executor's clock, which
/// [`pause`](crate::time::pause) can stop. Resolution: nanoseconds, as the real clock has them.
///
/// ```
/// use handspun::time::{self, Duration, Instant};
///
/// handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
///     let before = Instant::now();
///     time::sleep(Duration::from_secs(3600)).await; // takes no time
///     assert_eq!(before.elapsed(), Duration::from_secs(3600));
/// });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    std: StdInstant,
}

impl Instant {
    /// The same point in time as one of the standard library's.
    pub fn from_std(std: StdInstant) -> Instant {
        Instant { std }
    }

    /// The same point in time for the standard library.
    pub fn into_std(self) -> StdInstant {
        self.std
    }

    /// From `earlier` to this. Zero if `earlier` is the later of the two.
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// From `earlier` to this. Zero if `earlier` is the later of the two.
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// From `earlier` to this. `None` if `earlier` is the later of the two.
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.std.checked_duration_since(earlier.std)
    }

    /// This plus `duration`. `None` if the platform has no such instant.
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_add(duration).map(Instant::from_std)
    }

    /// This minus `duration`. `None` if the platform has no such instant.
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_sub(duration).map(Instant::from_std)
    }

    /// This plus `duration`, or an instant so far ahead that no executor will see it.
    pub(crate) fn far_add(self, duration: Duration) -> Instant {
        self.checked_add(duration).unwrap_or_else(|| self.far_future())
    }

    /// The platform does not say what its last instant is, so try: the furthest power of two.
    fn far_future(self) -> Instant {
        (0..u64::BITS)
            .find_map(|shift| self.checked_add(Duration::from_secs(u64::MAX >> shift)))
            .unwrap_or(self)
    }

    pub(crate) fn real_now() -> Instant {
        Instant::from_std(StdInstant::now())
    }
}

/// How one executor tells the time.
pub(crate) struct Clock {
    pace: Pace,
    /// Tick 0. Set when the first timer asks, since reading the clock is not free and most
    /// executors in a test never need it.
    origin: Option<Instant>,
}

enum Pace {
    /// As the real clock. The pace of an executor that never paused.
    Real,
    /// Stands at this instant.
    Paused(Instant),
    /// Ran on from `virtually` when the real clock showed `really`.
    Resumed { virtually: Instant, really: Instant },
}

impl Clock {
    /// A clock at the pace of the real one.
    pub(crate) fn real() -> Clock {
        Clock {
            pace: Pace::Real,
            origin: None,
        }
    }

    /// A clock that stands.
    pub(crate) fn paused() -> Clock {
        let now = Instant::real_now();
        Clock {
            pace: Pace::Paused(now),
            origin: Some(now),
        }
    }

    /// The present on this clock.
    pub(crate) fn now(&self) -> Instant {
        match self.pace {
            Pace::Real => Instant::real_now(),
            Pace::Paused(instant) => instant,
            Pace::Resumed { virtually, really } => {
                virtually.far_add(Instant::real_now().duration_since(really))
            }
        }
    }

    /// Whether the clock stands.
    pub(crate) fn is_paused(&self) -> bool {
        matches!(self.pace, Pace::Paused(_))
    }

    /// Whether the clock stands, at or past this deadline. (One that runs is not read for this: the
    /// executor reads it once a turn, for all timers.)
    pub(crate) fn stands_past(&self, deadline: Instant) -> bool {
        matches!(self.pace, Pace::Paused(now) if deadline <= now)
    }

    /// Stops the clock, if it is not stopped already.
    pub(crate) fn pause(&mut self) {
        self.pace = Pace::Paused(self.now());
    }

    /// Lets the clock run on from where it stands, if it does.
    pub(crate) fn resume(&mut self) {
        if let Pace::Paused(virtually) = self.pace {
            let really = Instant::real_now();
            self.pace = Pace::Resumed { virtually, really };
        }
    }

    /// Sets a clock that stands forward to an instant; one that runs, or is past it, stays.
    pub(crate) fn set_forward(&mut self, to: Instant) {
        if let Pace::Paused(instant) = &mut self.pace {
            *instant = to.max(*instant);
        }
    }

    /// The present in whole ticks since the origin, rounded down.
    pub(crate) fn now_ticks(&mut self) -> u64 {
        let now = self.now();
        let since_origin = now.duration_since(self.origin(now));
        ticks(since_origin.as_secs(), since_origin.subsec_micros()).min(NEVER - 1)
    }

    /// A deadline in whole ticks since the origin, rounded up; [`NEVER`] if that is out of range.
    pub(crate) fn deadline_ticks(&mut self, deadline: Instant) -> u64 {
        // An origin that is taken from a deadline would lie in the future; the present does not.
        let origin = match self.origin {
            Some(origin) => origin,
            None => {
                let now = self.now();
                self.origin(now)
            }
        };
        let since_origin = deadline.duration_since(origin);
        ticks(since_origin.as_secs(), since_origin.subsec_nanos().div_ceil(NANOS_PER_TICK))
    }

    /// The first instant that falls into a tick.
    pub(crate) fn instant_of(&self, ticks: u64) -> Instant {
        let origin = self.origin.expect("somebody counted ticks, so there is an origin");
        origin.far_add(Duration::from_micros(ticks))
    }

    /// Tick 0, if anybody has counted ticks yet.
    pub(crate) fn tick_0(&self) -> Option<Instant> {
        self.origin
    }

    fn origin(&mut self, now: Instant) -> Instant {
        *self.origin.get_or_insert(now)
    }
}

const NANOS_PER_TICK: u32 = 1_000;
const TICKS_PER_SECOND: u64 = 1_000_000;

/// The last tick, 584,542 years after the origin. A clock that is set forward stops short of it,
/// and what is armed for it never fires.
pub(crate) const NEVER: u64 = u64::MAX;

fn ticks(seconds: u64, ticks: u32) -> u64 {
    seconds.saturating_mul(TICKS_PER_SECOND).saturating_add(u64::from(ticks))
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std.fmt(f)
    }
}

impl From<StdInstant> for Instant {
    fn from(std: StdInstant) -> Instant {
        Instant::from_std(std)
    }
}

impl From<Instant> for StdInstant {
    fn from(instant: Instant) -> StdInstant {
        instant.into_std()
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    /// # Panics
    /// If the platform has no such instant; [`checked_add`](Instant::checked_add) asks.
    fn add(self, duration: Duration) -> Instant {
        Instant::from_std(self.std + duration)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.duration_since(earlier)
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    /// # Panics
    /// If the platform has no such instant; [`checked_sub`](Instant::checked_sub) asks.
    fn sub(self, duration: Duration) -> Instant {
        Instant::from_std(self.std - duration)
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
