//! What the stall report says of those who wait: for what, made where, and whose wait it is.

mod support;

use handspun::executor::Executor;
use handspun::future::join_all;
use handspun::sync::{
    CancellationToken, Mutex, Notify, Semaphore, broadcast, mpsc, oneshot, watch,
};
use handspun::task::yield_now;
use handspun::time::{Duration, timeout};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use support::caught;

const MS: Duration = Duration::from_millis(1);

fn executor() -> Executor {
    Executor::builder().start_paused(true).panic_on_stall(true).build()
}

/// The lines of the report that say what is waited for, without the places, after the stall of
/// `root`.
fn waits_of<F: Future>(executor: &Executor, root: F) -> Vec<String> {
    let report = caught(|| drop(executor.block_on(root))).unwrap_err();
    let waits = report.lines().filter_map(|line| line.strip_prefix("    waits for "));
    waits.map(|line| line.split(", made at").next().unwrap().to_string()).collect()
}

#[track_caller]
fn expect<F: Future, const N: usize>(root: F, expected: [&str; N]) {
    assert_eq!(waits_of(&executor(), root), expected);
}

#[test]
fn everything_that_can_be_waited_for_is_told() {
    expect(async { Semaphore::new(0).acquire().await.map(drop) }, ["a permit of the semaphore"]);
    let twice = async {
        let mutex = Mutex::new(1);
        let _guard = mutex.lock().await;
        drop(mutex.lock().await);
    };
    expect(twice, ["the mutex"]);
    expect(async { Notify::new().notified().await }, ["a notification of the `Notify`"]);
    let token = CancellationToken::new();
    expect(token.cancelled(), ["the cancellation of the token"]);
    let (_kept, receiver) = oneshot::channel::<u8>();
    expect(receiver, ["the value of the oneshot channel"]);
    let (_kept, mut receiver) = mpsc::channel::<u8>(1);
    expect(receiver.recv(), ["a value of the mpsc channel"]);
    let (_kept, mut receiver) = watch::channel(1);
    expect(receiver.changed(), ["a change of the watch channel"]);
    let (_kept, mut receiver) = broadcast::channel::<u8>(1);
    expect(receiver.recv(), ["a value of the broadcast channel"]);
    expect(async { handspun::spawn(pending::<()>()).await }, ["the end of task 1"]);
    expect(pending::<()>(), []);
}

#[test]
fn a_wait_is_told_with_the_line_that_made_the_thing() {
    let line = line!() + 1;
    let semaphore = Semaphore::new(0);
    let report = caught(|| executor().block_on(semaphore.acquire()).map(drop)).unwrap_err();
    let wait = format!("waits for a permit of the semaphore, made at tests/waits.rs:{line}:21");
    assert!(report.contains(&wait), "{report}");
}

#[test]
fn what_was_waited_for_and_is_not_any_more_is_not_told() {
    let over = async {
        let semaphore = Semaphore::new(0);
        timeout(MS, semaphore.acquire()).await.unwrap_err();
        let (sender, mut receiver) = mpsc::channel(1);
        timeout(MS, receiver.recv()).await.unwrap_err();
        // A wait that was begun by a poll is over when something is taken, in whichever way.
        assert!(poll_fn(|cx| Poll::Ready(receiver.poll_recv(cx))).await.is_pending());
        sender.try_send(1).unwrap();
        receiver.try_recv().unwrap();
        assert!(poll_fn(|cx| Poll::Ready(receiver.poll_recv(cx))).await.is_pending());
        sender.try_send(2).unwrap();
        poll_fn(|cx| receiver.poll_recv(cx)).await.unwrap();
        // Or when the one who waits is gone.
        let (_kept, mut gone) = mpsc::channel::<u8>(1);
        assert!(poll_fn(|cx| Poll::Ready(gone.poll_recv(cx))).await.is_pending());
        drop(gone);
        let token = CancellationToken::new();
        timeout(MS, token.cancelled()).await.unwrap_err();
        let aborted = handspun::spawn(async move { semaphore.acquire().await.map(drop) });
        yield_now().await;
        aborted.abort();
        aborted.await.unwrap_err();
        pending::<()>().await
    };
    expect(over, []);
}

#[test]
fn many_waits_for_one_thing_are_one_line() {
    let many = async {
        let semaphore = Semaphore::new(0);
        let mut first = pin!(semaphore.acquire());
        assert!(poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx))).await.is_pending());
        drop(join_all((0..10_000).map(|_| semaphore.acquire())).await);
    };
    let report = caught(|| executor().block_on(many)).unwrap_err();
    assert_eq!(report.matches("waits for a permit").count(), 1);
    assert!(report.contains(" (10001 times)"), "{report}");
}

#[test]
fn the_waits_of_one_root_are_not_the_next_ones() {
    let executor = executor();
    let semaphore = Arc::new(Semaphore::new(0));
    let task = semaphore.clone();
    let first = async {
        handspun::spawn(async move { task.acquire().await.map(drop) });
        semaphore.acquire().await.map(drop)
    };
    let waits = ["a permit of the semaphore", "a permit of the semaphore"];
    assert_eq!(waits_of(&executor, first), waits);
    assert_eq!(waits_of(&executor, pending::<()>()), [""; 0]);
    // Also if the first was not polled when it ended, or ended well.
    executor.block_on(async { timeout(MS, semaphore.acquire()).await.unwrap_err() });
    assert_eq!(waits_of(&executor, pending::<()>()), [""; 0]);
    // Also if the wait goes on without it.
    let mut left = pin!(semaphore.acquire());
    assert!(executor.block_on(poll_fn(|cx| Poll::Ready(left.as_mut().poll(cx)))).is_pending());
    assert_eq!(waits_of(&executor, pending::<()>()), [""; 0]);
}

#[test]
fn an_executor_that_is_dropped_inside_another_takes_no_wait_along() {
    let semaphore = Arc::new(Semaphore::new(0));
    let (inner, inside) = (executor(), semaphore.clone());
    inner.spawn(async move { inside.acquire().await.map(drop) });
    inner.block_on(yield_now());
    let mut inner = Some(inner);
    let outer = async {
        let mut wait = pin!(semaphore.acquire());
        poll_fn(|cx| {
            let poll = wait.as_mut().poll(cx);
            drop(inner.take());
            poll.map(drop)
        })
        .await
    };
    expect(outer, ["a permit of the semaphore"]);
}

#[test]
fn a_wait_is_told_of_the_task_that_was_polled_for_it_last() {
    let notify = Arc::new(Notify::new());
    let moved = async {
        let mut notified = Box::pin(notify.clone().notified_owned());
        assert!(!notified.as_mut().enable());
        let task = handspun::spawn(notified);
        // And one that the root goes on to poll is the root's.
        let mut other = pin!(notify.notified());
        assert!(poll_fn(|cx| Poll::Ready(other.as_mut().poll(cx))).await.is_pending());
        task.await.unwrap();
    };
    let report = caught(|| executor().block_on(moved)).unwrap_err();
    let lines: Vec<&str> =
        report.lines().map(|line| line.split([',', '(']).next().unwrap()).collect();
    assert_eq!(
        lines[2..7],
        [
            "  the root future",
            "    waits for a notification of the `Notify`",
            "    waits for the end of task 1",
            "  task 1",
            "    waits for a notification of the `Notify`",
        ]
    );
}

#[test]
fn a_wait_that_ends_where_nobody_asks_is_over_all_the_same() {
    let executor = executor();
    let notify = Arc::new(Notify::new());
    let (give, mut take) = mpsc::unbounded_channel();
    executor.spawn(async move {
        let mut notified = Box::pin(notify.notified_owned());
        assert!(poll_fn(|cx| Poll::Ready(notified.as_mut().poll(cx))).await.is_pending());
        give.send(notified).unwrap();
        pending::<()>().await
    });
    let notified = executor.block_on(take.recv());
    drop(notified);
    assert_eq!(waits_of(&executor, pending::<()>()), [""; 0]);
}

#[test]
fn a_wait_is_over_when_nothing_can_come_any_more() {
    let over = async {
        let (sender, mut receiver) = mpsc::channel::<u8>(1);
        assert!(poll_fn(|cx| Poll::Ready(receiver.poll_recv(cx))).await.is_pending());
        drop(sender);
        receiver.try_recv().unwrap_err();
        pending::<()>().await
    };
    expect(over, []);
}
