//! v2 looks, and restarts a sensor at once, for ever. (After a hundred times the demonstration is
//! over.) What it supervises is in `station.rs`. Next: `v3.rs`.

use crate::station::Station;
use crate::support::say;
use handspun::time::Duration;

pub async fn supervise(mut station: Station) {
    let mut restarts = 0;
    while let Some((name, _error)) = station.next_panic().await {
        station.begin(name, Duration::ZERO);
        restarts += 1;
        if restarts == 100 {
            say(station.start, format_args!("supervisor: {name} was restarted 100 times"));
            return;
        }
    }
}
