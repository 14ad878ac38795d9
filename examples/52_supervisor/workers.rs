//! The workers: sensors, of which the one called `north` has a loose cable, and a store for what
//! they measure. They know of no supervisor.

use crate::support::say;
use handspun::sync::{CancellationToken, mpsc};
use handspun::time::{Duration, Instant, sleep};

/// Whether something comes through the cable of a sensor, so long after the start.
fn is_connected(name: &str, millis: u128) -> bool {
    name == "south" || !matches!(millis, 1_000..1_100 | 3_000..)
}

/// Measures once a second, until it is asked to stop.
pub async fn sensor(
    start: Instant,
    name: &'static str,
    readings: mpsc::Sender<&'static str>,
    stop: CancellationToken,
) {
    let mut measured = 0;
    while !stop.is_cancelled() {
        assert!(is_connected(name, start.elapsed().as_millis()), "no answer");
        if measured == 0 {
            say(start, format_args!("{name}: connected"));
        }
        if readings.send(name).await.is_err() {
            return; // Nobody collects them any more.
        }
        measured += 1;
        stop.run_until_cancelled(sleep(Duration::from_secs(1))).await;
    }
    say(start, format_args!("{name}: stops after reading {measured}"));
}

/// Collects readings until nobody can send any more, and writes them down.
pub async fn store(start: Instant, mut readings: mpsc::Receiver<&'static str>) {
    let mut collected = Vec::new();
    while let Some(reading) = readings.recv().await {
        collected.push(reading);
    }
    sleep(Duration::from_millis(200)).await;
    say(start, format_args!("store: {} readings written", collected.len()));
}
