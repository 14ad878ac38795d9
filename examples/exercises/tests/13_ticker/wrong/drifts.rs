// Exercise 13, wrong: after each tick it waits for a period.

use handspun::time::{Duration, Instant, MissedTickBehavior, sleep};

pub struct Ticker {
    is_first: bool,
    period: Duration,
}

impl Ticker {
    pub fn new(period: Duration, _behavior: MissedTickBehavior) -> Ticker {
        Ticker {
            is_first: true,
            period,
        }
    }

    pub async fn tick(&mut self) -> Instant {
        if !self.is_first {
            sleep(self.period).await;
        }
        self.is_first = false;
        Instant::now()
    }
}
