//! v1 spawns the store and the sensors, and drops their handles: nobody looks. Next: `v2.rs`.

use crate::support::say;
use crate::workers::{sensor, store};
use handspun::sync::{CancellationToken, mpsc};
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep};

pub async fn nobody_looks(start: Instant) {
    let (readings, to_store) = mpsc::channel(8);
    Builder::new().name("store").spawn(store(start, to_store));
    for name in ["north", "south"] {
        let sensor = sensor(start, name, readings.clone(), CancellationToken::new());
        Builder::new().name(name).spawn(sensor);
    }
    sleep(Duration::from_millis(4_500)).await;
    say(start, "root: all is well");
}
