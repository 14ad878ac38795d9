//! A set of tasks: out to many, back in the order in which they finish.
//!
//! A `JoinSet` owns the tasks that are spawned into it. `join_next` gives the next one that is
//! over, whichever it is, with its value or its error. Dropping the set aborts what is left in it:
//! nothing goes on behind the back of whoever spawned it.
//!
//! At most three are out at a time here: a new one is sent when one has come back.
//!
//! Predict before you run: in which order do they come back? And what becomes of the one that is
//! still out when the root has had enough?
//!
//! Run: `cargo run --example 25_join_set`, and with `-- --real` to wait. Next: `26_try_join`.

mod support;

use handspun::executor::Executor;
use handspun::task::JoinSet;
use handspun::time::{Duration, Instant, sleep};
use support::say;

/// Says when it is dropped in the middle.
struct OnTheWay(Instant, u32);

impl Drop for OnTheWay {
    fn drop(&mut self) {
        say(self.0, format_args!("parcel {}: stopped on its way", self.1));
    }
}

async fn deliver(start: Instant, parcel: u32, millis: u64) -> u32 {
    let on_the_way = OnTheWay(start, parcel);
    sleep(Duration::from_millis(millis)).await;
    if parcel == 3 {
        panic!("parcel 3 is lost");
    }
    std::mem::forget(on_the_way);
    parcel
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let start = Instant::now();
        let mut parcels = (1..).zip([300, 100, 200, 400, 100, 900]);
        let mut set = JoinSet::new();
        loop {
            while set.len() < 3
                && let Some((parcel, millis)) = parcels.next()
            {
                let name = format!("parcel {parcel}");
                set.build_task().name(name).spawn(deliver(start, parcel, millis));
                say(start, format_args!("parcel {parcel}: sent"));
            }
            match set.join_next().await {
                Some(Ok(parcel)) => say(start, format_args!("parcel {parcel}: delivered")),
                Some(Err(error)) => say(start, error),
                None => break,
            }
            if start.elapsed() >= Duration::from_millis(500) {
                say(start, "root: enough for today");
                break;
            }
        }
        drop(set);
        sleep(Duration::from_secs(1)).await;
        say(start, "root: goes home");
    });
}
