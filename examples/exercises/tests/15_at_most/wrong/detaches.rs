// Exercise 15, wrong: the jobs are tasks that nobody owns, and report by a channel.

use handspun::sync::mpsc::{UnboundedSender, unbounded_channel};
use handspun::task::{Id, JoinHandle, id, spawn};
use std::collections::HashMap;
use std::future::Future;
use std::panic::resume_unwind;

/// Runs the jobs as tasks, at most `k` at once, and gives their outputs.
pub async fn at_most<J, T, E>(k: usize, jobs: impl IntoIterator<Item = J>) -> Result<Vec<T>, E>
where
    J: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
{
    let mut jobs = jobs.into_iter().fuse();
    let mut running: HashMap<Id, JoinHandle<Result<T, E>>> = HashMap::new();
    let (report, mut reports) = unbounded_channel();
    let mut outputs = Vec::new();
    loop {
        while running.len() < k
            && let Some(job) = jobs.next()
        {
            let report = Report(report.clone());
            let handle = spawn(async move {
                let _report = report;
                job.await
            });
            running.insert(handle.id(), handle);
        }
        if running.is_empty() {
            return Ok(outputs);
        }
        let id = reports.recv().await.expect("there is one sender here");
        let handle = running.remove(&id).expect("each reports once");
        match handle.await.unwrap_or_else(|error| resume_unwind(error.into_panic())) {
            Ok(output) => outputs.push(output),
            Err(error) => {
                running.values().for_each(JoinHandle::abort);
                for (_, handle) in running {
                    let _ = handle.await;
                }
                return Err(error);
            }
        }
    }
}

/// Says that its task is over.
struct Report(UnboundedSender<Id>);

impl Drop for Report {
    fn drop(&mut self) {
        let _ = self.0.send(id());
    }
}
