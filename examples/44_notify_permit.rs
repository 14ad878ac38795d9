//! `Notify`: wakes one who waits, or leaves a permit for the next who will.
//!
//! So a `notify_one` that comes before the wait is not lost. But what it leaves is a permit, not a
//! count: two such calls leave no more than one. It says "look again", never "one more".
//!
//! `notify_waiters` leaves nothing: whoever comes later waits for the next. But it counts a wait
//! from where the future was *made*, not from its first poll. That is how to miss nothing: make the
//! future, then look whether there is anything to wait for, and then await it. The other way round,
//! what comes between looking and waiting is lost. (Something can come between them from another
//! thread, or if there is an await.)
//!
//! Predict before you run: in each line two wait, one after the other. Which of the ten are woken?
//!
//! Run: `cargo run --example 44_notify_permit`, and with `-- --real` to wait. Next:
//! `45_deadlock_report`.

mod support;

use handspun::executor::Executor;
use handspun::sync::Notify;
use handspun::time::{Duration, timeout};
use std::future::Future;

/// Waits for `a`, and then for `b`, but for a second at most.
async fn wait(before: &str, a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    let limit = Duration::from_secs(1);
    let end = |woken| if woken { "is woken" } else { "waits for ever" };
    let a = end(timeout(limit, a).await.is_ok());
    let b = end(timeout(limit, b).await.is_ok());
    println!("{before:<40} a {a:<16} b {b}");
}

fn main() {
    let real = support::wants_real_clock();
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        let notify = Notify::new();
        notify.notify_one();
        wait("notify_one, then they wait", notify.notified(), notify.notified()).await;

        let notify = Notify::new();
        notify.notify_one();
        notify.notify_one();
        wait("notify_one twice, then they wait", notify.notified(), notify.notified()).await;

        let notify = Notify::new();
        notify.notify_waiters();
        wait("notify_waiters, then they wait", notify.notified(), notify.notified()).await;

        let notify = Notify::new();
        let (a, b) = (notify.notified(), notify.notified());
        notify.notify_waiters();
        wait("futures made, notify_waiters, they wait", a, b).await;

        let notify = Notify::new();
        let (a, b) = (notify.notified(), notify.notified());
        notify.notify_one();
        wait("futures made, notify_one, they wait", a, b).await;
    });
}
