// Exercise 15, wrong: what is no output of a job is passed over.

use handspun::task::JoinSet;
use std::future::Future;

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
        while set.len() < k
            && let Some(job) = jobs.next()
        {
            set.spawn(job);
        }
        let Some(result) = set.join_next().await else {
            return Ok(outputs);
        };
        let Ok(result) = result else {
            continue;
        };
        match result {
            Ok(output) => outputs.push(output),
            Err(error) => {
                set.shutdown().await;
                return Err(error);
            }
        }
    }
}
