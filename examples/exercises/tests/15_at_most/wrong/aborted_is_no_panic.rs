// Exercise 15, wrong: it waits until all are gone, and takes what they say for panics.

use handspun::task::JoinSet;
use std::future::Future;
use std::panic::resume_unwind;

/// Runs the jobs as tasks, at most `k` at once, and gives their outputs, in the order in which the
/// jobs end. At the first error it stops those that run, waits until they are gone, and gives that
/// error. The panic of a job goes on in whoever awaits this.
pub async fn at_most<J, T, E>(k: usize, jobs: impl IntoIterator<Item = J>) -> Result<Vec<T>, E>
where
    J: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
{
    assert!(k > 0, "without room for one job this would never end");
    // Fused: it is asked for more also after it had none.
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
        match result.unwrap_or_else(|error| resume_unwind(error.into_panic())) {
            Ok(output) => outputs.push(output),
            Err(error) => {
                set.abort_all();
                while let Some(result) = set.join_next().await {
                    let _late = result.unwrap_or_else(|error| resume_unwind(error.into_panic()));
                }
                return Err(error);
            }
        }
    }
}
