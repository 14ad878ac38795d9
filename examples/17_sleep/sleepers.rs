//! What there is to do, with any `sleep`: three tasks sleep, and a fourth sleep is dropped after
//! its first poll. Next: `v1.rs`.

use handspun::task::{Builder, JoinHandle};
use handspun::time::Duration;
use std::future::Future;
use std::task::{Context, Waker};

/// Starts the three; each calls `report` when it is over.
pub fn start<S: Future<Output = ()> + 'static>(
    sleep: fn(Duration) -> S,
    report: impl Fn(u64) + Copy + 'static,
) -> [JoinHandle<()>; 3] {
    let mut hour = Box::pin(sleep(Duration::from_secs(3600)));
    let _ = hour.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    drop(hour);
    [30, 10, 20].map(|millis| {
        Builder::new().name(format!("{millis} ms")).spawn(async move {
            sleep(Duration::from_millis(millis)).await;
            report(millis);
        })
    })
}
