// Exercise 15: all jobs, at most `k` of them at once. The task is in README.md.

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
    todo!("`at_most`: a JoinSet that never has more than `k` members")
}
