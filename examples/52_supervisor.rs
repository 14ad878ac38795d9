//! A supervisor: it owns its workers, restarts one that panics, and knows when to give up.
//!
//! Two sensors measure once a second, and a store collects what they send. The cable of `north` is
//! loose: nothing comes through for a moment at 1 s, and nothing at all from 3 s on. A sensor that
//! gets no answer panics. (The messages of these panics, which would go to stderr, are left out.)
//!
//! v1 spawns the three and drops their handles: nobody looks. v2 looks, and restarts a sensor at
//! once, for ever (after a hundred times the demonstration is over). v3 waits before a restart,
//! each time twice as long, and gives up when three within two seconds have not helped. Then the
//! tree is taken down in order: first who sends, then who collects.
//!
//! Left out: a store that fails. Who would notice? That is the exercise of chapter 16.
//!
//! Predict before you run: what does v1 say of the panic, and what becomes of its readings? How
//! much time passes while v2 restarts a hundred times? And when does v3 give up?
//!
//! Run: `cargo run --example 52_supervisor`, one version with `-- v3`, and with `-- --real` to
//! wait. Next: `53_trace_tour`.

mod support;

use handspun::executor::Executor;
use handspun::sync::{CancellationToken, mpsc};
use handspun::task::{Builder, Id, JoinError, JoinSet};
use handspun::time::{Duration, Instant, sleep, timeout};
use std::collections::HashMap;
use std::panic;
use support::say;

const MOST_RESTARTS: usize = 3;
/// A restart that is longer ago than this has helped.
const WINDOW: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How long those who are asked to stop may take.
const GRACE: Duration = Duration::from_secs(1);

// The workers.

/// Whether something comes through the cable of a sensor, so long after the start.
fn is_connected(name: &str, millis: u128) -> bool {
    name == "south" || !matches!(millis, 1_000..1_100 | 3_000..)
}

/// Measures once a second, until it is asked to stop.
async fn sensor(
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
async fn store(start: Instant, mut readings: mpsc::Receiver<&'static str>) {
    let mut collected = Vec::new();
    while let Some(reading) = readings.recv().await {
        collected.push(reading);
    }
    sleep(Duration::from_millis(200)).await;
    say(start, format_args!("store: {} readings written", collected.len()));
}

// v1

async fn nobody_looks(start: Instant) {
    let (readings, to_store) = mpsc::channel(8);
    Builder::new().name("store").spawn(store(start, to_store));
    for name in ["north", "south"] {
        let sensor = sensor(start, name, readings.clone(), CancellationToken::new());
        Builder::new().name(name).spawn(sensor);
    }
    sleep(Duration::from_millis(4_500)).await;
    say(start, "root: all is well");
}

// v2

async fn restart_at_once(mut station: Station) {
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

// v3

/// Returns why it has given up; or nothing, if all sensors have come to an end by themselves.
async fn supervise(mut station: Station) -> Result<(), String> {
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

// What v2 and v3 supervise.

/// Who owns this owns all tasks: dropped, it takes them along.
struct Station {
    start: Instant,
    stop: CancellationToken,
    sensors: JoinSet<()>,
    names: HashMap<Id, &'static str>,
    readings: mpsc::Sender<&'static str>,
    store: JoinSet<()>,
}

impl Station {
    fn open(start: Instant) -> Station {
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
    fn begin(&mut self, name: &'static str, pause: Duration) {
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
    async fn next_panic(&mut self) -> Option<(&'static str, JoinError)> {
        loop {
            if let Err(error) = self.sensors.join_next().await? {
                let name = self.names.remove(&error.id());
                return Some((name.expect("each sensor has a name"), error));
            }
        }
    }

    /// Who sends goes first. Then the store sees the end of its channel, and finishes.
    async fn take_down(mut self) {
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

async fn run(stage: usize) {
    let start = Instant::now();
    match stage {
        1 => nobody_looks(start).await,
        2 => restart_at_once(Station::open(start)).await,
        _ => match supervise(Station::open(start)).await {
            Ok(()) => say(start, "root: all is well"),
            Err(why) => say(start, format_args!("root: closed, as {why}")),
        },
    }
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    panic::set_hook(Box::new(|_| {}));
    let versions = [
        "v1 nobody looks",
        "v2 restarts at once, for ever",
        "v3 waits, and gives up",
    ];
    for (stage, version) in (1..).zip(versions) {
        if asked_for(stage) {
            println!("{version}");
            let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
            executor.block_on(run(stage));
        }
    }
}
