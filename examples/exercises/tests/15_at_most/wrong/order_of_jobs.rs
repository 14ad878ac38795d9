// Exercise 15, wrong: handles, awaited in the order in which they were made.

use handspun::task::{JoinHandle, spawn};
use std::collections::VecDeque;
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
    let mut handles: VecDeque<JoinHandle<_>> = VecDeque::new();
    let mut outputs = Vec::new();
    loop {
        while handles.len() < k
            && let Some(job) = jobs.next()
        {
            handles.push_back(spawn(job));
        }
        let Some(first) = handles.pop_front() else {
            return Ok(outputs);
        };
        match first.await.unwrap_or_else(|error| resume_unwind(error.into_panic())) {
            Ok(output) => outputs.push(output),
            Err(error) => {
                handles.iter().for_each(JoinHandle::abort);
                for handle in handles {
                    let _ = handle.await;
                }
                return Err(error);
            }
        }
    }
}
