// Exercise 15, wrong: nobody looks at `k`.

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
    assert!(k > 0);
    let mut set: JoinSet<_> = jobs.into_iter().collect();
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
