//! What v2 and v3 supervise: a station, which owns the sensors and the store, begins a sensor anew,
//! and at last takes all of them down in order.

use crate::support::say;
use crate::workers::{sensor, store};
use handspun::sync::{CancellationToken, mpsc};
use handspun::task::{Id, JoinError, JoinSet};
use handspun::time::{Duration, Instant, sleep, timeout};
use std::collections::HashMap;

/// How long those who are asked to stop may take.
const GRACE: Duration = Duration::from_secs(1);

/// Who owns this owns all tasks: dropped, it takes them along.
pub struct Station {
    pub start: Instant,
    stop: CancellationToken,
    sensors: JoinSet<()>,
    names: HashMap<Id, &'static str>,
    readings: mpsc::Sender<&'static str>,
    store: JoinSet<()>,
}

impl Station {
    pub fn open(start: Instant) -> Station {
        let (readings, to_store) = mpsc::channel(8);
        let mut station = Station {
            start,
            stop: CancellationToken::new(),
            sensors: JoinSet::new(),
            names: HashMap::new(),
            readings,
            store: JoinSet::new(),
        };
        station.store.build_task().name("store").spawn(store(start, to_store));
        station.begin("north", Duration::ZERO);
        station.begin("south", Duration::ZERO);
        station
    }

    /// It is the new task that waits: the supervisor sees to the others meanwhile.
    pub fn begin(&mut self, name: &'static str, pause: Duration) {
        let sensor = sensor(self.start, name, self.readings.clone(), self.stop.clone());
        let begins = async move {
            if !pause.is_zero() {
                sleep(pause).await;
            }
            sensor.await;
        };
        let task = self.sensors.build_task().name(name).spawn(begins);
        self.names.insert(task.id(), name);
    }

    /// The next sensor that panics. None if all have come to an end.
    pub async fn next_panic(&mut self) -> Option<(&'static str, JoinError)> {
        loop {
            if let Err(error) = self.sensors.join_next().await? {
                let name = self.names.remove(&error.id());
                return Some((name.expect("each sensor has a name"), error));
            }
        }
    }

    /// Who sends goes first. Then the store sees the end of its channel, and finishes.
    pub async fn take_down(mut self) {
        self.stop.cancel();
        all_gone(self.start, &mut self.sensors).await;
        drop(self.readings);
        all_gone(self.start, &mut self.store).await;
    }
}

/// Waits for tasks that have been asked to stop, but not for ever.
async fn all_gone(start: Instant, tasks: &mut JoinSet<()>) {
    let drained = async {
        while let Some(end) = tasks.join_next().await {
            if let Err(error) = end {
                say(start, format_args!("supervisor: {error}"));
            }
        }
    };
    if timeout(GRACE, drained).await.is_err() {
        say(start, format_args!("supervisor: aborts {} that does not stop", tasks.len()));
        tasks.shutdown().await;
    }
}
