// Exercise 15, wrong: `k` jobs, and when all of them are done, the next `k`.

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
        for job in jobs.by_ref().take(k) {
            set.spawn(job);
        }
        if set.is_empty() {
            return Ok(outputs);
        }
        while let Some(result) = set.join_next().await {
            match result.unwrap_or_else(|error| resume_unwind(error.into_panic())) {
                Ok(output) => outputs.push(output),
                Err(error) => {
                    set.shutdown().await;
                    return Err(error);
                }
            }
        }
    }
}
