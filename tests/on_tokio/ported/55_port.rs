//! Example 55, ported to tokio by hand, as chapter 18 tells it. Nothing of handspun is in here.
//!
//! Run, in this folder: `cargo run --example 55_ported`, and with `-- --real` to wait.

use std::fmt::Display;
use std::rc::Rc;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

struct Job {
    millis: u64,
    answer: oneshot::Sender<&'static str>,
}

type Jobs = Rc<Mutex<mpsc::Receiver<Job>>>;

/// Works until there are no more jobs, or it is told to stop.
async fn work(jobs: Jobs, stop: CancellationToken) -> u32 {
    let mut done = 0;
    loop {
        let job = tokio::select! {
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
        workers.spawn_local(work(jobs.clone(), stop.clone()));
    }
    let mut answers = JoinSet::new();
    for millis in [10, 20, 30, 40, 50] {
        let (answer, answered) = oneshot::channel();
        let job = Job { millis, answer };
        assert!(sender.send(job).await.is_ok(), "the receiver is there");
        say(start, format_args!("{millis} ms: accepted"));
        answers.spawn_local(async move { (millis, answered.await) });
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
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(!real).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, program);
}

/// As in the `support` of the examples.
fn say(start: Instant, line: impl Display) {
    println!("{:7.3} s  {line}", start.elapsed().as_secs_f64());
}

fn main() {
    on(std::env::args().any(|argument| argument == "--real"), program());
}
