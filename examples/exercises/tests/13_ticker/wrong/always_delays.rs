// Exercise 13, wrong: the next tick comes a period after this one.

use handspun::time::{Duration, Instant, MissedTickBehavior, sleep_until};

/// Ticks at once, and then every `period`.
pub struct Ticker {
    /// For when the next tick is planned. It may lie in the past: then it has been missed.
    next: Instant,
    period: Duration,
}

impl Ticker {
    /// A ticker whose first tick is planned for now.
    pub fn new(period: Duration, _behavior: MissedTickBehavior) -> Ticker {
        Ticker {
            next: Instant::now(),
            period,
        }
    }

    /// Waits for the next tick, and gives the instant for which it was planned.
    pub async fn tick(&mut self) -> Instant {
        let planned = self.next;
        sleep_until(planned).await;
        self.next = Instant::now() + self.period;
        planned
    }
}
