//! v1 to v5 have the same `save`: awaited to its end (v1), dropped while it waits (v2 to v4), in a
//! task whose handle is dropped (v5). Next: `upload.rs`.

use crate::MOMENT;
use crate::lock_file::LockFile;
use crate::support::say;
use handspun::time::{Instant, sleep, timeout};

async fn save(start: Instant) {
    let _lock_file = LockFile::new(start, "save");
    sleep(3 * MOMENT).await;
    say(start, "save: saved");
}

pub async fn v1(start: Instant) {
    save(start).await;
}

pub async fn v2(start: Instant) {
    let task = handspun::spawn(save(start));
    sleep(MOMENT).await;
    task.abort();
    say(start, "root: has aborted it");
    assert!(task.await.unwrap_err().is_cancelled());
    say(start, "root: knows that it has stopped");
}

pub async fn v3(start: Instant) {
    assert!(timeout(MOMENT, save(start)).await.is_err());
    say(start, "root: has given up");
}

pub async fn v4(start: Instant) {
    handspun::select! {
        () = save(start) => {}
        () = sleep(MOMENT) => say(start, "root: has given up"),
    }
}

pub async fn v5(start: Instant) {
    let task = handspun::spawn(save(start));
    assert!(timeout(MOMENT, task).await.is_err());
    say(start, "root: has given up");
    sleep(3 * MOMENT).await;
}
