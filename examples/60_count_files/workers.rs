//! Eight tasks that share a queue of paths, and one that waits for them.

use crate::count::{Counts, count};
use crate::output::{complain, end_of_output, print};
use handspun::time::Duration;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

const AT_ONCE: usize = 8;

pub async fn count_all(paths: Vec<PathBuf>, limit: Duration) -> ExitCode {
    let queue = Rc::new(RefCell::new(VecDeque::from(paths)));
    let workers: Vec<_> =
        (0..AT_ONCE).map(|_| handspun::spawn(work(queue.clone(), limit))).collect();
    let mut total = Counts::default();
    let mut failed = false;
    for worker in workers {
        match worker.await.expect("a worker does not panic") {
            Ok(done) => {
                total += done.counts;
                failed |= done.failed;
            }
            Err(error) => return end_of_output(Err(error)),
        }
    }
    match print(total, Path::new("total")) {
        Ok(()) if failed => ExitCode::FAILURE,
        result => end_of_output(result),
    }
}

/// What one worker has done.
#[derive(Default)]
struct Done {
    counts: Counts,
    /// A file could not be counted.
    failed: bool,
}

/// Counts file after file until the queue is empty. The error is that of stdout.
async fn work(queue: Rc<RefCell<VecDeque<PathBuf>>>, limit: Duration) -> io::Result<Done> {
    let mut done = Done::default();
    loop {
        // Not `while let`: the borrow would last through the body, and across its awaits.
        let Some(path) = queue.borrow_mut().pop_front() else {
            return Ok(done);
        };
        match count(&path, limit).await {
            Ok(counts) => {
                done.counts += counts;
                print(counts, &path)?;
            }
            Err(error) => {
                done.failed = true;
                complain(format_args!("{}: {error}", path.display()));
            }
        }
    }
}
