// Exercise 15, wrong: each job is awaited before the next one is spawned.

use handspun::task::spawn;
use std::future::Future;
use std::panic::resume_unwind;

/// Runs the jobs as tasks, at most `k` at once, and gives their outputs.
pub async fn at_most<J, T, E>(k: usize, jobs: impl IntoIterator<Item = J>) -> Result<Vec<T>, E>
where
    J: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
{
    let mut outputs = Vec::new();
    for job in jobs {
        match spawn(job).await.unwrap_or_else(|error| resume_unwind(error.into_panic())) {
            Ok(output) => outputs.push(output),
            Err(error) => return Err(error),
        }
    }
    assert!(k > 0);
    Ok(outputs)
}
