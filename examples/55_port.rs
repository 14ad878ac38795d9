//! A program that does not know on which of two runtimes it runs.
//!
//! Workers take jobs from a bounded channel; each job has a oneshot to answer on, and a time limit;
//! a token ends it all. Everything that it uses is called the same and does the same in tokio, so a
//! port changes names and writes the function `on` anew, which alone knows who runs the program.
//!
//! Predict before you run: three workers, five jobs of 10, 20, .. 50 ms, and a limit of 45 ms for
//! each. When is the last answer there?
//!
//! Run: `cargo run --example 55_port`, and with `-- --real` to wait. Next: `56_costs`.

mod support;

use handspun::executor::Executor;
use handspun::sync::{CancellationToken, Mutex, mpsc, oneshot};
use handspun::task::JoinSet;
use handspun::time::{Duration, Instant, sleep, timeout};
use std::rc::Rc;
use support::say;

struct Job {
    millis: u64,
    answer: oneshot::Sender<&'static str>,
}

type Jobs = Rc<Mutex<mpsc::Receiver<Job>>>;

/// Works until there are no more jobs, or it is told to stop.
async fn work(jobs: Jobs, stop: CancellationToken) -> u32 {
    let mut done = 0;
    loop {
        let job = handspun::select! {
            biased;
            () = stop.cancelled() => None,
            job = async { jobs.lock().await.recv().await } => job,
        };
        let Some(job) = job else {
            return done;
        };
        let work = sleep(Duration::from_millis(job.millis));
        let answer = match timeout(Duration::from_millis(45), work).await {
            Ok(()) => "done",
            Err(_) => "given up",
        };
        let _ = job.answer.send(answer);
        done += 1;
    }
}

async fn program() {
    let start = Instant::now();
    let (sender, receiver) = mpsc::channel(1);
    let jobs = Rc::new(Mutex::new(receiver));
    let stop = CancellationToken::new();
    let mut workers = JoinSet::new();
    for _ in 0..3 {
        workers.spawn(work(jobs.clone(), stop.clone()));
    }
    let mut answers = JoinSet::new();
    for millis in [10, 20, 30, 40, 50] {
        let (answer, answered) = oneshot::channel();
        let job = Job { millis, answer };
        assert!(sender.send(job).await.is_ok(), "the receiver is there");
        say(start, format_args!("{millis} ms: accepted"));
        answers.spawn(async move { (millis, answered.await) });
    }
    while let Some(answer) = answers.join_next().await {
        let (millis, answer) = answer.unwrap();
        say(start, format_args!("{millis} ms: {}", answer.unwrap_or("lost")));
    }
    stop.cancel();
    let mut done = workers.join_all().await;
    done.sort_unstable();
    println!("jobs by worker: {done:?}");
}

/// Who runs it. In tokio this is a `runtime::Builder` and a `LocalSet`.
fn on(real: bool, program: impl Future<Output = ()>) {
    Executor::builder().start_paused(!real).build().block_on(program);
}

fn main() {
    on(support::wants_real_clock(), program());
}
