// Exercise 15, wrong: a task for each job, and `k` permits for them.

use handspun::sync::Semaphore;
use handspun::task::JoinSet;
use std::future::Future;
use std::panic::resume_unwind;
use std::rc::Rc;

/// Runs the jobs as tasks, at most `k` at once, and gives their outputs.
pub async fn at_most<J, T, E>(k: usize, jobs: impl IntoIterator<Item = J>) -> Result<Vec<T>, E>
where
    J: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
{
    let permits = Rc::new(Semaphore::new(k));
    let mut set = JoinSet::new();
    for job in jobs {
        let permits = permits.clone();
        set.spawn(async move {
            let _permit = permits.acquire().await;
            job.await
        });
    }
    let mut outputs = Vec::new();
    while let Some(result) = set.join_next().await {
        match result.unwrap_or_else(|error| resume_unwind(error.into_panic())) {
            Ok(output) => outputs.push(output),
            Err(error) => {
                set.shutdown().await;
                return Err(error);
            }
        }
    }
    Ok(outputs)
}
