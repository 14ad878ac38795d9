//! Tasks and their handles: results, panics, aborts, ids, names.
//!
//! Promises 6 and 7 as a spawner sees them; in which order tasks are polled is in `executor.rs`.

mod support;

use handspun::executor::Executor;
use handspun::task::{self, AbortHandle, Id, JoinError, JoinHandle, yield_now};
use handspun::time::{self, Duration};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::future::{Future, pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use support::{
    CountingWaker, History, WakerSlot, caught, panic_silently, paused, poll_once, poll_with,
};

/// Its destructor panics.
struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic_silently("the destructor's");
    }
}

// The value.

#[test]
fn a_handle_that_is_awaited_before_the_task_is_over_waits_for_it() {
    let history = History::new();
    paused(async {
        let line = history.clone();
        let task = handspun::spawn(async move {
            line.probe("task", 1).await;
            "the value"
        });
        assert!(!task.is_finished());
        history.push(format_args!("root: {}", task.await.unwrap()));
    });
    history.expect(["task: poll", "task: poll", "task: drop", "root: the value"]);
}

#[test]
fn a_handle_that_is_awaited_afterwards_is_ready_at_once() {
    let history = History::new();
    paused(async {
        let task = handspun::spawn(async { "the value" });
        yield_now().await;
        assert!(task.is_finished());
        handspun::spawn(history.probe("no turn for this one", 0));
        assert_eq!(task.await.unwrap(), "the value");
        history.push("root: is over");
    });
    history.expect(["root: is over", "no turn for this one: drop"]);
}

#[test]
fn the_future_is_dropped_before_its_awaiter_is_polled() {
    let history = History::new();
    paused(async {
        handspun::spawn(history.probe("task", 0)).await.unwrap();
        history.push("root: has the value");
    });
    history.expect(["task: poll", "task: drop", "root: has the value"]);
}

#[test]
fn a_wait_that_is_dropped_affects_neither_the_task_nor_its_value() {
    paused(async {
        let mut task = handspun::spawn(async {
            time::sleep(Duration::from_secs(5)).await;
            "the value"
        });
        for _ in 0..4 {
            assert!(time::timeout(Duration::from_secs(1), &mut task).await.is_err());
        }
        assert_eq!(task.await.unwrap(), "the value");
    });
}

#[test]
fn only_the_task_that_has_polled_the_handle_last_is_woken() {
    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        let left = slot.clone();
        let mut is_over = false;
        let task = handspun::spawn(poll_fn(move |cx| {
            left.put(cx.waker());
            if std::mem::replace(&mut is_over, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }));
        let shared = Rc::new(RefCell::new(task));
        for name in ["first", "second"] {
            let (line, task) = (history.clone(), shared.clone());
            handspun::spawn(poll_fn(move |cx| {
                let poll = Pin::new(&mut *task.borrow_mut()).poll(cx);
                line.push(format_args!("{name}: {poll:?}"));
                poll.map(|result| result.unwrap())
            }));
        }
        yield_now().await;
        slot.wake();
        for _ in 0..4 {
            yield_now().await;
        }
    });
    history.expect(["first: Pending", "second: Pending", "second: Ready(Ok(()))"]);
}

#[test]
fn a_handle_keeps_one_waker_and_drops_the_one_it_replaces() {
    paused(async {
        let (first, first_waker) = CountingWaker::new();
        let (second, second_waker) = CountingWaker::new();
        let mut task = handspun::spawn(async {});
        assert!(poll_with(&mut task, &first_waker).is_pending());
        assert!(poll_with(&mut task, &second_waker).is_pending());
        drop((first_waker, second_waker));
        assert_eq!(std::sync::Arc::strong_count(&first), 1);
        assert_eq!(std::sync::Arc::strong_count(&second), 2);
        yield_now().await;
        assert_eq!((first.wakes(), second.wakes()), (0, 1));
        assert_eq!(std::sync::Arc::strong_count(&second), 1);
    });
}

#[test]
fn a_dropped_handle_lets_go_of_its_waker() {
    paused(async {
        let (counter, waker) = CountingWaker::new();
        let mut task = handspun::spawn(yield_now());
        assert!(poll_with(&mut task, &waker).is_pending());
        drop((waker, task));
        assert_eq!(std::sync::Arc::strong_count(&counter), 1);
        yield_now().await;
        yield_now().await;
        assert_eq!(counter.wakes(), 0);
    });
}

#[test]
#[should_panic(expected = "a JoinHandle was polled after it had given its result")]
fn a_handle_that_is_polled_after_its_result_panics() {
    paused(async {
        let mut task = handspun::spawn(async {});
        assert!((&mut task).await.is_ok());
        let _ = task.await;
    });
}

#[test]
fn a_handle_may_be_awaited_in_another_executor() {
    let theirs = Executor::new();
    let mut task = theirs.spawn(async { "the value" });
    paused(async { assert!(poll_once(&mut task).is_pending()) });
    theirs.block_on(yield_now());
    assert_eq!(paused(task).unwrap(), "the value");
}

#[test]
fn a_future_need_not_be_send() {
    let shared = Rc::new(Cell::new(1));
    paused(async {
        let theirs = shared.clone();
        let task = handspun::spawn(async move {
            theirs.set(theirs.get() + 1);
            yield_now().await;
            theirs.set(theirs.get() * 10);
            theirs
        });
        assert!(Rc::ptr_eq(&task.await.unwrap(), &shared));
    });
    assert_eq!(shared.get(), 20);
}

#[test]
fn yield_now_goes_behind_all_that_is_runnable() {
    let history = History::new();
    paused(async {
        for name in ["a", "b", "c"] {
            let line = history.clone();
            handspun::spawn(async move {
                for step in 1..=2 {
                    line.push(format_args!("{name}{step}"));
                    yield_now().await;
                }
            });
        }
        for _ in 0..3 {
            history.push("root");
            yield_now().await;
        }
    });
    history.expect(["root", "a1", "b1", "c1", "root", "a2", "b2", "c2", "root"]);
}

// Promise 6: abort() drops the task's future before it is polled again.

#[test]
fn an_idle_task_that_is_aborted_is_dropped_in_its_next_turn() {
    let history = History::new();
    paused(async {
        let task = handspun::spawn(history.parked("task", &WakerSlot::new()));
        handspun::spawn(history.probe("neighbour", 1));
        yield_now().await;
        task.abort();
        history.push(format_args!("root: has aborted, finished: {}", task.is_finished()));
        let error = task.await.unwrap_err();
        history.push(format_args!("root: {error}"));
    });
    history.expect([
        "task: poll",
        "neighbour: poll",
        "root: has aborted, finished: false",
        "neighbour: poll",
        "neighbour: drop",
        "task: drop",
        "root: task 1 was cancelled",
    ]);
}

#[test]
fn a_task_that_is_aborted_before_its_first_poll_is_never_polled() {
    let history = History::new();
    paused(async {
        let task = handspun::spawn(history.probe("task", 0));
        handspun::spawn(history.probe("neighbour", 0));
        task.abort();
        history.push("root: has aborted");
        assert!(task.await.unwrap_err().is_cancelled());
        history.push("root: is over");
    });
    history.expect([
        "root: has aborted",
        "task: drop",
        "neighbour: poll",
        "neighbour: drop",
        "root: is over",
    ]);
}

#[test]
fn a_task_that_is_woken_and_then_aborted_is_not_polled_again() {
    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        let task = handspun::spawn(history.parked("task", &slot));
        yield_now().await;
        slot.wake();
        task.abort();
        slot.wake();
        assert!(task.await.unwrap_err().is_cancelled());
    });
    history.expect(["task: poll", "task: drop"]);
}

#[test]
fn a_task_may_abort_itself_and_runs_on_until_it_waits() {
    let history = History::new();
    paused(async {
        let own = Rc::new(RefCell::new(None::<AbortHandle>));
        let (line, theirs) = (history.clone(), own.clone());
        let task = handspun::spawn(async move {
            let _line = line.on_drop("task: drop");
            theirs.take().unwrap().abort();
            line.push("task: has aborted itself");
            yield_now().await;
            line.push("task: never comes here");
        });
        own.replace(Some(task.abort_handle()));
        assert!(task.await.unwrap_err().is_cancelled());
    });
    history.expect(["task: has aborted itself", "task: drop"]);
}

#[test]
fn a_task_that_aborts_itself_and_does_not_wait_any_more_is_finished() {
    paused(async {
        let own = Rc::new(RefCell::new(None::<AbortHandle>));
        let theirs = own.clone();
        let task = handspun::spawn(async move {
            theirs.take().unwrap().abort();
            "the value"
        });
        own.replace(Some(task.abort_handle()));
        assert_eq!(task.await.unwrap(), "the value");
    });
}

#[test]
fn tasks_may_abort_each_other() {
    let history = History::new();
    paused(async {
        let second = Rc::new(RefCell::new(None::<AbortHandle>));
        let (line, theirs) = (history.clone(), second.clone());
        let first = handspun::spawn(async move {
            line.push("first: aborts the second");
            theirs.take().unwrap().abort();
            line.probe("first", 9).await;
        });
        let (line, abort_first) = (history.clone(), first.abort_handle());
        let guard = history.on_drop("second: drop");
        let task = handspun::spawn(async move {
            let _guard = guard;
            line.push("second: never comes here");
            abort_first.abort();
        });
        second.replace(Some(task.abort_handle()));
        assert!(task.await.unwrap_err().is_cancelled());
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
    });
    history.expect([
        "first: aborts the second",
        "first: poll",
        "second: drop",
        "first: poll",
        "first: drop",
    ]);
}

#[test]
fn aborting_a_finished_task_leaves_its_value() {
    paused(async {
        let task = handspun::spawn(async { "the value" });
        let abort = task.abort_handle();
        yield_now().await;
        task.abort();
        abort.abort();
        yield_now().await;
        assert_eq!(task.await.unwrap(), "the value");
        abort.abort();
    });
}

#[test]
fn aborting_twice_is_aborting_once() {
    let history = History::new();
    paused(async {
        let task = handspun::spawn(history.probe("task", 9));
        yield_now().await;
        task.abort();
        task.abort();
        yield_now().await;
        task.abort();
        assert!(task.is_finished());
        assert!(task.await.unwrap_err().is_cancelled());
    });
    history.expect(["task: poll", "task: drop"]);
}

#[test]
fn an_abort_handle_outlives_the_join_handle() {
    let history = History::new();
    paused(async {
        let task = handspun::spawn(history.parked("task", &WakerSlot::new()));
        let (abort, id) = (task.abort_handle(), task.id());
        let clone = abort.clone();
        drop(task);
        yield_now().await;
        assert!(!abort.is_finished());
        clone.abort();
        assert!(!abort.is_finished());
        yield_now().await;
        assert!(abort.is_finished() && clone.is_finished());
        assert_eq!((abort.id(), clone.id()), (id, id));
        history.push("root: is over");
    });
    history.expect(["task: poll", "task: drop", "root: is over"]);
}

#[test]
fn an_abort_handle_outlives_the_executor() {
    let executor = Executor::new();
    let task = executor.spawn(pending::<()>());
    let abort = task.abort_handle();
    executor.block_on(yield_now());
    assert!(!abort.is_finished());
    drop(executor);
    assert!(abort.is_finished());
    abort.abort();
}

#[test]
fn a_task_may_be_aborted_while_its_executor_does_not_run() {
    let history = History::new();
    let executor = Executor::new();
    let task = executor.spawn(history.parked("task", &WakerSlot::new()));
    executor.block_on(yield_now());
    task.abort();
    history.push("aborted");
    assert!(executor.block_on(task).unwrap_err().is_cancelled());
    history.expect(["task: poll", "aborted", "task: drop"]);
}

#[test]
fn a_destructor_that_panics_during_an_abort_is_the_tasks_panic() {
    paused(async {
        let bomb = PanicsOnDrop;
        let task = handspun::spawn(async move {
            let _bomb = bomb;
            pending::<()>().await
        });
        yield_now().await;
        task.abort();
        let error = task.await.unwrap_err();
        assert_eq!(error.to_string(), "task 1 panicked with message \"the destructor's\"");
    });
}

#[test]
fn a_destructor_of_an_aborted_task_may_spawn_and_wake() {
    struct SpawnsOnDrop(History, WakerSlot);

    impl Drop for SpawnsOnDrop {
        fn drop(&mut self) {
            handspun::spawn(self.0.probe("heir", 0));
            self.1.wake();
            self.0.push("aborted: drop");
        }
    }

    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        handspun::spawn(history.parked("other", &slot));
        yield_now().await;
        let guard = SpawnsOnDrop(history.clone(), slot);
        let task = handspun::spawn(async move {
            let _guard = guard;
            pending::<()>().await
        });
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        history.push("root: is over");
    });
    history.expect([
        "other: poll",
        "aborted: drop",
        "heir: poll",
        "heir: drop",
        "other: poll",
        "root: is over",
        "other: drop",
    ]);
}

// Promise 6: dropping a handle detaches.

#[test]
fn a_task_without_a_handle_runs_on_and_its_value_is_dropped() {
    let history = History::new();
    paused(async {
        let line = history.clone();
        drop(handspun::spawn(async move {
            line.probe("task", 1).await;
            line.on_drop("value: drop")
        }));
        history.push("root: has dropped the handle");
        yield_now().await;
        yield_now().await;
        history.push("root: is over");
    });
    history.expect([
        "root: has dropped the handle",
        "task: poll",
        "task: poll",
        "task: drop",
        "value: drop",
        "root: is over",
    ]);
}

#[test]
fn a_value_that_nobody_has_taken_is_dropped_with_the_handle() {
    let history = History::new();
    paused(async {
        let value = history.on_drop("value: drop");
        let task = handspun::spawn(async { value });
        let abort = task.abort_handle();
        yield_now().await;
        assert!(task.is_finished());
        history.push("root: drops the handle");
        drop(task);
        history.push("root: is over");
        drop(abort);
    });
    history.expect(["root: drops the handle", "value: drop", "root: is over"]);
}

#[test]
fn a_value_waits_in_its_handle_beyond_the_executor() {
    let history = History::new();
    let executor = Executor::new();
    let value = history.on_drop("value: drop");
    let task = executor.spawn(async { value });
    executor.block_on(yield_now());
    drop(executor);
    history.push("the executor is gone");
    drop(paused(task).unwrap());
    history.expect(["the executor is gone", "value: drop"]);
}

#[test]
fn a_task_may_drop_its_own_handle() {
    let history = History::new();
    paused(async {
        let own = Rc::new(RefCell::new(None::<JoinHandle<_>>));
        let (line, theirs) = (history.clone(), own.clone());
        own.replace(Some(handspun::spawn(async move {
            drop(theirs.take());
            line.push("task: is detached");
            yield_now().await;
            line.on_drop("value: drop")
        })));
        yield_now().await;
        yield_now().await;
        history.push("root: is over");
    });
    history.expect(["task: is detached", "value: drop", "root: is over"]);
}

#[test]
fn a_panic_of_a_value_that_nobody_wants_spreads_to_nobody() {
    paused(async {
        let finished = handspun::spawn(async { PanicsOnDrop });
        drop(handspun::spawn(async { PanicsOnDrop }));
        yield_now().await;
        drop(finished);
    });
}

#[test]
fn values_inside_values_are_dropped_without_overflowing_the_stack() {
    struct Link(#[expect(dead_code, reason = "held to be dropped")] Option<JoinHandle<Link>>);

    paused(async {
        let mut last = None;
        for _ in 0..50_000 {
            let link = Link(last.take());
            last = Some(handspun::spawn(async { link }));
        }
        yield_now().await;
        assert!(last.as_ref().is_some_and(JoinHandle::is_finished));
    });
}

// Promise 7: a panic stays in its task, and comes out of its handle.

#[test]
fn a_panic_stays_in_its_task() {
    let history = History::new();
    paused(async {
        let line = history.clone();
        let task = handspun::spawn(async move {
            let _line = line.on_drop("task: drop");
            line.probe("task's", 1).await;
            panic_silently("oh");
        });
        let other = handspun::spawn(history.probe("other", 2));
        let error = task.await.unwrap_err();
        history.push(format_args!("root: {error}"));
        other.await.unwrap();
    });
    history.expect([
        "task's: poll",
        "other: poll",
        "task's: poll",
        "task's: drop",
        "task: drop",
        "other: poll",
        "root: task 1 panicked with message \"oh\"",
        "other: poll",
        "other: drop",
    ]);
}

#[test]
fn a_panic_without_a_handle_disappears() {
    let history = History::new();
    paused(async {
        drop(handspun::spawn(async { panic_silently("oh") }));
        handspun::spawn(history.probe("other", 0)).await.unwrap();
    });
    history.expect(["other: poll", "other: drop"]);
}

#[test]
fn a_panic_of_a_finished_futures_destructor_is_the_tasks_and_drops_the_value() {
    struct ReadyButPanicsOnDrop(History);

    impl Drop for ReadyButPanicsOnDrop {
        fn drop(&mut self) {
            panic_silently("the destructor's");
        }
    }

    impl Future for ReadyButPanicsOnDrop {
        type Output = support::OnDrop;

        fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
            Poll::Ready(self.0.on_drop("value: drop"))
        }
    }

    let history = History::new();
    paused(async {
        let task = handspun::spawn(ReadyButPanicsOnDrop(history.clone()));
        let error = task.await.map(|_| ()).unwrap_err();
        history.push(format_args!("root: {error}"));
    });
    history.expect([
        "value: drop",
        "root: task 1 panicked with message \"the destructor's\"",
    ]);
}

#[test]
fn a_join_error_says_what_has_happened() {
    paused(async {
        let text = handspun::spawn(async { panic_silently("a \"text\"") });
        let string = handspun::spawn(async { resume_unwind(Box::new(format!("number {}", 5))) });
        let number = handspun::spawn(async { resume_unwind(Box::new(5)) });
        let aborted = handspun::spawn(pending());
        aborted.abort();

        let mut displayed = Vec::new();
        let mut debugged = Vec::new();
        for task in [text, string, number, aborted] {
            let error = task.await.unwrap_err();
            assert_ne!(error.is_panic(), error.is_cancelled());
            displayed.push(error.to_string());
            debugged.push(format!("{error:?}"));
        }
        assert_eq!(
            displayed,
            [
                r#"task 1 panicked with message "a \"text\"""#,
                r#"task 2 panicked with message "number 5""#,
                "task 3 panicked",
                "task 4 was cancelled",
            ]
        );
        assert_eq!(
            debugged,
            [
                r#"JoinError::Panic(Id(1), "a \"text\"", ...)"#,
                r#"JoinError::Panic(Id(2), "number 5", ...)"#,
                "JoinError::Panic(Id(3), ...)",
                "JoinError::Cancelled(Id(4))",
            ]
        );
    });
}

#[test]
fn a_join_error_is_an_error_that_any_thread_may_have() {
    fn is_shared_error<E: std::error::Error + Send + Sync + 'static>() {}
    is_shared_error::<JoinError>();
}

#[test]
fn the_payload_of_a_panic_comes_out_whole() {
    paused(async {
        let task = handspun::spawn(async { resume_unwind(Box::new(vec![1, 2, 3])) });
        let payload = task.await.unwrap_err().into_panic();
        assert_eq!(*payload.downcast::<Vec<i32>>().unwrap(), [1, 2, 3]);
    });
}

#[test]
fn a_cancelled_task_has_no_payload() {
    paused(async {
        let task = handspun::spawn(pending::<()>());
        let id = task.id();
        task.abort();
        let error = task.await.unwrap_err().try_into_panic().unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(error.id(), id);
        let message = caught(|| error.into_panic()).unwrap_err();
        assert!(
            message.starts_with("`into_panic` was called on the error of a cancelled task"),
            "{message}"
        );
    });
}

// Shutdown, as a handle sees it.

#[test]
fn a_task_that_is_dropped_with_its_executor_is_cancelled() {
    let executor = Executor::new();
    let idle = executor.spawn(pending::<()>());
    let never_polled = executor.spawn(async {
        yield_now().await;
        yield_now().await;
    });
    executor.block_on(yield_now());
    drop(executor);
    assert!(idle.is_finished() && never_polled.is_finished());
    paused(async {
        assert!(idle.await.unwrap_err().is_cancelled());
        assert!(never_polled.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_task_that_a_destructor_spawns_at_shutdown_is_cancelled() {
    struct SpawnsOnDrop(History, Rc<RefCell<Option<JoinHandle<()>>>>);

    impl Drop for SpawnsOnDrop {
        fn drop(&mut self) {
            self.0.push("task: drop, spawns");
            self.1.replace(Some(handspun::spawn(self.0.probe("late", 0))));
            self.0.push("task: has spawned");
        }
    }

    let history = History::new();
    let late = Rc::new(RefCell::new(None));
    let guard = SpawnsOnDrop(history.clone(), late.clone());
    handspun::block_on(async {
        handspun::spawn(async move {
            let _guard = guard;
            pending::<()>().await
        });
        handspun::spawn(history.probe("neighbour", 9));
    });
    history.expect([
        "task: drop, spawns",
        "task: has spawned",
        "neighbour: drop",
        "late: drop",
    ]);
    let late = late.take().unwrap();
    assert!(late.is_finished());
    assert!(paused(late).unwrap_err().is_cancelled());
}

// Ids and names.

#[test]
fn ids_count_the_tasks_of_an_executor_in_the_order_of_spawning() {
    paused(async {
        let mut said = Vec::new();
        for _ in 0..3 {
            // The slot is free again each time; the id is not.
            let task = handspun::spawn(async { task::id() });
            let id = task.id();
            assert_eq!(task.await.unwrap(), id);
            said.push(format!("{id} {id:?}"));
        }
        assert_eq!(said, ["1 Id(1)", "2 Id(2)", "3 Id(3)"]);
    });
}

#[test]
fn ids_of_all_tasks_that_are_alive_differ() {
    let executors = [Executor::new(), Executor::new(), Executor::new()];
    let mut ids = HashSet::<Id>::new();
    let mut printed = HashSet::new();
    for executor in executors.iter().cycle().take(30) {
        let id = executor.spawn(async {}).id();
        assert!(ids.insert(id));
        printed.insert(id.to_string());
    }
    assert_eq!((ids.len(), printed.len()), (30, 10));
}

#[test]
fn all_handles_of_a_task_know_its_id() {
    paused(async {
        let task = handspun::spawn(pending::<()>());
        let (id, abort) = (task.id(), task.abort_handle());
        assert_eq!(abort.id(), id);
        assert_eq!(format!("{task:?} {abort:?}"), {
            format!("JoinHandle {{ id: {id:?}, .. }} AbortHandle {{ id: {id:?}, .. }}")
        });
        abort.abort();
        assert_eq!(task.await.unwrap_err().id(), id);
    });
}

#[test]
fn only_a_task_has_an_id() {
    assert_eq!(task::try_id(), None);
    paused(async {
        assert_eq!(task::try_id(), None);
        let task = handspun::spawn(async { task::try_id() });
        let id = task.id();
        assert_eq!(task.await.unwrap(), Some(id));
        assert_eq!(task::try_id(), None);
    });
    let message = "task::id() was called outside of a task: only a spawned future has an id";
    assert_eq!(caught(task::id), Err(message.to_string()));
    assert_eq!(paused(async { caught(task::id) }), Err(message.to_string()));
}

/// The lines of the stall report that tell of spawned tasks.
fn stall_report(root: impl Future<Output = ()>) -> Vec<String> {
    let report = caught(|| paused(async { (root.await, pending::<()>().await) })).unwrap_err();
    let tasks = report.lines().filter(|line| line.starts_with("  task"));
    tasks.map(str::to_string).collect()
}

#[test]
fn a_task_is_reported_by_its_name() {
    let tasks = stall_report(async {
        task::Builder::new().name("reader").spawn(pending::<()>());
        task::Builder::new().name(String::from("reader")).spawn(pending::<()>());
        task::Builder::new().spawn(pending::<()>());
        let over = task::Builder::new().name("over").spawn(async {});
        over.await.unwrap();
        handspun::spawn(pending::<()>());
    });
    let names: Vec<&str> = tasks.iter().map(|task| task.split(',').next().unwrap()).collect();
    assert_eq!(
        names,
        [
            "  task 1 \"reader\"",
            "  task 2 \"reader\"",
            "  task 3",
            "  task 5"
        ]
    );
}

#[test]
fn a_task_is_reported_with_the_place_that_spawned_it() {
    #[track_caller]
    fn spawn_for_the_caller() {
        handspun::spawn(pending::<()>());
    }

    let line = line!();
    let tasks = stall_report(async {
        handspun::spawn(pending::<()>());
        task::spawn(pending::<()>());
        task::Builder::new().name("d").spawn(pending::<()>());
        spawn_for_the_caller();
    });
    for (task, below) in tasks.iter().zip(2..) {
        let place = format!("spawned at tests/task.rs:{}:", line + below);
        assert!(task.contains(&place), "{task} was not {place}");
    }
    assert_eq!(tasks.len(), 4);
}
