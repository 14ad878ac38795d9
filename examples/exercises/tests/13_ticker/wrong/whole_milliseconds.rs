// Exercise 13, wrong: it counts by whole milliseconds, and the plan need not.

use handspun::time::{Duration, Instant, MissedTickBehavior, sleep_until};

/// A tick that is so late, or less, is on time.
const GRACE: Duration = Duration::from_millis(5);

/// Ticks at once, and then every `period`.
pub struct Ticker {
    /// For when the next tick is planned. It may lie in the past: then it has been missed.
    next: Instant,
    period: Duration,
    behavior: MissedTickBehavior,
}

impl Ticker {
    /// A ticker whose first tick is planned for now.
    pub fn new(period: Duration, behavior: MissedTickBehavior) -> Ticker {
        Ticker {
            next: Instant::now(),
            period,
            behavior,
        }
    }

    /// Waits for the next tick, and gives the instant for which it was planned.
    pub async fn tick(&mut self) -> Instant {
        let planned = self.next;
        sleep_until(planned).await;
        // After the wait, not before: if it is given up, this tick has not been.
        self.next = self.after(planned, Instant::now());
        planned
    }

    /// The tick that follows the one that was planned for `planned`, and has come at `now`.
    fn after(&self, planned: Instant, now: Instant) -> Instant {
        let late = now.duration_since(planned);
        if late <= GRACE {
            return planned + self.period;
        }
        match self.behavior {
            MissedTickBehavior::Burst => planned + self.period,
            MissedTickBehavior::Delay => now + self.period,
            // The first point of the plan after `now`. If `now` is one itself, it is this tick's.
            MissedTickBehavior::Skip => now + self.period - remainder(late, self.period),
        }
    }
}

/// What is left of `late` when all whole periods are taken away.
fn remainder(late: Duration, period: Duration) -> Duration {
    let millis = late.as_millis() % period.as_millis();
    Duration::from_millis(millis.try_into().expect("a period of less than 584 million years"))
}
