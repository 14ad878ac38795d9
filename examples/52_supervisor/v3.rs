//! v3 is v2 with a pause before each restart, which grows, and with a limit. It takes the station
//! down, whether it gives up or all sensors have come to an end.

use crate::station::Station;
use crate::support::say;
use handspun::time::{Duration, Instant};

const MOST_RESTARTS: usize = 3;
/// A restart that is longer ago than this has helped.
const WINDOW: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Returns why it has given up; or nothing, if all sensors have come to an end by themselves.
pub async fn supervise(mut station: Station) -> Result<(), String> {
    let mut restarts = Vec::new();
    let mut end = Ok(());
    while let Some((name, error)) = station.next_panic().await {
        let now = Instant::now();
        restarts.retain(|restart| now - *restart < WINDOW);
        if restarts.len() == MOST_RESTARTS {
            end = Err(format!("{name} cannot be helped: {error}"));
            break;
        }
        let pause = FIRST_PAUSE * (1 << restarts.len());
        restarts.push(now);
        say(station.start, format_args!("supervisor: {name} panicked, restart in {pause:?}"));
        station.begin(name, pause);
    }
    station.take_down().await;
    end
}
