// Exercise 13, wrong: it leaves out what is late, and only then waits.

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
        let now = Instant::now();
        if now > self.next + GRACE {
            match self.behavior {
                MissedTickBehavior::Burst => {}
                MissedTickBehavior::Delay => self.next = now,
                MissedTickBehavior::Skip => {
                    while self.next < now {
                        self.next += self.period;
                    }
                }
            }
        }
        let planned = self.next;
        sleep_until(planned).await;
        self.next = planned + self.period;
        planned
    }
}
