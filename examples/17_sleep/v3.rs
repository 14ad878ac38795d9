//! v3 leaves it to handspun: the executor has a wheel, and sleeps until its first deadline. A
//! dropped sleep leaves nothing there.

use crate::sleepers;
use crate::support::say;
use handspun::executor::Executor;
use handspun::time::{self, Duration, Instant};

async fn sleep(duration: Duration) {
    time::sleep(duration).await
}

pub fn run(real: bool) {
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let beginning = Instant::now();
        let report = move |millis| say(beginning, format_args!("{millis} ms are over"));
        for sleeper in sleepers::start(sleep, report) {
            sleeper.await.unwrap();
        }
    });
}
