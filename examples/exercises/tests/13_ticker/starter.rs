// Exercise 13: ticks every so often, and three ways to go on when one was late. The task is in
// README.md.

use handspun::time::{Duration, Instant, MissedTickBehavior, sleep_until};

/// A tick that is so late, or less, is on time.
const GRACE: Duration = Duration::from_millis(5);

/// Ticks at once, and then every `period`.
pub struct Ticker {
    period: Duration,
    behavior: MissedTickBehavior,
    // What must it remember from tick to tick?
}

impl Ticker {
    /// A ticker whose first tick is planned for now.
    pub fn new(period: Duration, behavior: MissedTickBehavior) -> Ticker {
        todo!("`new`: plan the first tick")
    }

    /// Waits for the next tick, and gives the instant for which it was planned.
    pub async fn tick(&mut self) -> Instant {
        todo!("`tick`: wait for the tick that is planned, and plan the next one")
    }
}
