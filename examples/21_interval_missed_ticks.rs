//! An interval whose program is late: three ways to go on.
//!
//! Every period a tick; but after tick 1 the program is busy, from 1 until 3.3, and misses ticks 2
//! and 3. What then? v1, `Burst`, makes up for what was missed, without a wait. v2, `Delay`, goes
//! on a period after the late tick, and stays behind for good. v3, `Skip`, leaves out what was
//! missed, and is back on plan.
//!
//! Times are in periods: of a second here, of a tenth of a second with `--real`.
//!
//! Predict before you run: how many ticks does each of them give between 3 and 4?
//!
//! Run: `cargo run --example 21_interval_missed_ticks`, and with `-- v3` for one of them. Next:
//! `22_serial_vs_join`.

mod support;

use handspun::executor::Executor;
use handspun::time::{self, Duration, Instant, MissedTickBehavior};

/// Until period 6: the ticks' times, each as it was seen.
async fn ticks(behavior: MissedTickBehavior, period: Duration, real: bool) -> Vec<f64> {
    let start = Instant::now();
    let mut interval = time::interval(period);
    interval.set_missed_tick_behavior(behavior);
    let mut ticks = Vec::new();
    loop {
        interval.tick().await;
        let periods = start.elapsed().as_secs_f64() / period.as_secs_f64();
        // The next tenth below: a real clock is a little late.
        let periods = (periods * 10.0).floor() / 10.0;
        if periods > 6.0 {
            return ticks;
        }
        ticks.push(periods);
        if ticks.len() == 2 {
            be_busy(period.mul_f64(2.3), real).await;
        }
    }
}

/// Work, during which the clock goes on and nobody awaits the interval.
async fn be_busy(duration: Duration, real: bool) {
    if real {
        std::thread::sleep(duration);
    } else {
        time::advance(duration).await;
    }
}

const COLUMNS_PER_PERIOD: f64 = 10.0;

/// Ticks as a line: each time stands where it belongs, in tenths of a period.
fn draw(ticks: &[f64]) -> String {
    let mut line = String::new();
    let mut rest = ticks;
    while let [first, ..] = rest {
        let same = rest.iter().take_while(|tick| *tick == first).count();
        let column = (first * COLUMNS_PER_PERIOD).round() as usize;
        let times = if same > 1 { format!(" x{same}") } else { String::new() };
        line = format!("{line:<column$}{first}{times}");
        rest = &rest[same..];
    }
    line
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    let period = Duration::from_millis(if real { 100 } else { 1000 });

    println!("plan       {}", draw(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    println!("busy       {:>33}", "=".repeat(23));
    use MissedTickBehavior::{Burst, Delay, Skip};
    for (stage, behavior) in (1..).zip([Burst, Delay, Skip]) {
        if !asked_for(stage) {
            continue;
        }
        let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
        let ticks = executor.block_on(ticks(behavior, period, real));
        println!("v{stage} {:<8}{}", format!("{behavior:?}"), draw(&ticks));
    }
}
