// Exercise 15, wrong: one more is spawned when `k` run.

use handspun::task::JoinSet;
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
    let mut set = JoinSet::new();
    let mut outputs = Vec::new();
    loop {
        while set.len() <= k
            && let Some(job) = jobs.next()
        {
            set.spawn(job);
        }
        let Some(result) = set.join_next().await else {
            return Ok(outputs);
        };
        match result.unwrap_or_else(|error| resume_unwind(error.into_panic())) {
            Ok(output) => outputs.push(output),
            Err(error) => {
                set.shutdown().await;
                return Err(error);
            }
        }
    }
}
