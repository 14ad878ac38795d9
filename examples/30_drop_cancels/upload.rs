//! v6 does to an upload what v2 does to a save: it aborts one task. Two more are in a set that this
//! one holds, and the drop of the set aborts them.

use crate::MOMENT;
use crate::lock_file::LockFile;
use crate::support::say;
use handspun::task::{Builder, JoinSet};
use handspun::time::{Instant, sleep};

async fn upload(start: Instant) {
    let _lock_file = LockFile::new(start, "upload");
    let mut parts = JoinSet::new();
    for name in ["part 1", "part 2"] {
        let part = async move {
            let _lock_file = LockFile::new(start, name);
            sleep(3 * MOMENT).await;
        };
        parts.build_task().name(name).spawn(part);
    }
    parts.join_all().await;
}

pub async fn v6(start: Instant) {
    let task = Builder::new().name("upload").spawn(upload(start));
    sleep(MOMENT).await;
    task.abort();
    say(start, "root: has aborted it");
    assert!(task.await.unwrap_err().is_cancelled());
    say(start, "root: knows that it has stopped");
}
