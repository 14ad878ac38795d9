// Exercise 15, wrong: the panic of a job is one of its own.

use handspun::task::JoinSet;
use std::future::Future;

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
        // Nobody but `shutdown` aborts a member, so there is no other error of a task.
        match result.unwrap_or_else(|_| panic!("a job has failed")) {
            Ok(output) => outputs.push(output),
            Err(error) => {
                // To drop the set would abort them too, but they would be gone a turn later.
                set.shutdown().await;
                return Err(error);
            }
        }
    }
}
