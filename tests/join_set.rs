//! `JoinSet`: results in the order in which members are finished, each exactly once, at a cost that
//! does not depend on how many members there are; and what happens when members, wakers and
//! executors do their worst.

#[path = "support/hostile.rs"]
mod hostile;
#[path = "support/programs.rs"]
mod programs;
mod support;

use handspun::executor::Executor;
use handspun::task::{self, AbortHandle, JoinError, JoinSet, yield_now};
use handspun::time::{Duration, Instant, sleep, timeout};
use handspun::{block_on, spawn};
use hostile::{Call, Dropping, hostile_waker, on_a_small_stack, quietly};
use programs::random_programs;
use proptest::prelude::*;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, pending, poll_fn, ready};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use support::{CountingWaker, History, WakerSlot, caught, panic_silently, paused};

const MS: Duration = Duration::from_millis(1);

/// What came out of a set, in words.
fn told<T: std::fmt::Display>(result: Option<Result<T, JoinError>>) -> String {
    match result {
        None => "empty".to_string(),
        Some(Ok(value)) => format!("ok {value}"),
        Some(Err(error)) if error.is_cancelled() => "cancelled".to_string(),
        Some(Err(error)) => format!("panicked: {error}"),
    }
}

fn poll_next<T>(set: &mut JoinSet<T>, waker: &Waker) -> Poll<Option<Result<T, JoinError>>> {
    set.poll_join_next(&mut Context::from_waker(waker))
}

// The order of the results.

#[test]
fn results_come_in_the_order_in_which_the_members_are_finished() {
    let history = History::new();
    paused(async {
        let start = Instant::now();
        let mut set = JoinSet::new();
        for ms in [30, 10, 20, 10] {
            set.spawn(async move {
                sleep(MS * ms).await;
                ms
            });
        }
        assert_eq!(set.len(), 4);
        while let Some(result) = set.join_next().await {
            history.push(format_args!("{:?}: {}", start.elapsed(), result.unwrap()));
        }
        assert!(set.is_empty());
    });
    history.expect(["10ms: 10", "10ms: 10", "20ms: 20", "30ms: 30"]);
}

#[test]
fn members_take_turns_with_who_awaits_them() {
    let history = History::new();
    paused(async {
        let mut set = JoinSet::new();
        set.spawn(history.probe("a", 2));
        set.spawn(history.probe("b", 0));
        set.spawn(history.probe("c", 1));
        loop {
            let result = poll_fn(|cx| {
                history.push("root: poll");
                set.poll_join_next(cx)
            });
            if result.await.is_none() {
                break;
            }
            history.push("root: result");
        }
    });
    history.expect([
        "root: poll",
        "a: poll",
        "b: poll",
        "b: drop",
        "c: poll",
        "a: poll",
        "root: poll",
        "root: result",
        "root: poll",
        "c: poll",
        "c: drop",
        "a: poll",
        "a: drop",
        "root: poll",
        "root: result",
        "root: poll",
        "root: result",
        "root: poll",
    ]);
}

#[test]
fn an_empty_set_says_so_at_once_and_can_be_filled_again() {
    paused(async {
        let mut set = JoinSet::default();
        assert!(set.join_next().await.is_none());
        assert!(set.try_join_next().is_none());
        for n in 0..3 {
            set.spawn(async move { n });
            assert_eq!(set.join_next().await.unwrap().unwrap(), n);
            assert!(set.join_next().await.is_none());
        }
        assert_eq!(format!("{set:?}"), "JoinSet { len: 0 }");
    });
}

#[test]
fn trying_does_not_wait() {
    paused(async {
        let mut set = JoinSet::new();
        set.spawn(async { 1 });
        set.spawn(async {
            yield_now().await;
            2
        });
        assert!(set.try_join_next().is_none());
        yield_now().await;
        assert_eq!(set.try_join_next().unwrap().unwrap(), 1);
        assert!(set.try_join_next().is_none());
        yield_now().await;
        assert_eq!(set.len(), 1);
        assert_eq!(set.try_join_next().unwrap().unwrap(), 2);
        assert!(set.is_empty());
    });
}

#[test]
fn a_result_can_come_with_the_id_of_its_task() {
    paused(async {
        let mut set = JoinSet::new();
        let quick = set.spawn(async { task::id() });
        let stopped = set.spawn(pending());
        let (id, told) = set.join_next_with_id().await.unwrap().unwrap();
        assert_eq!((id, told), (quick.id(), quick.id()));
        stopped.abort();
        yield_now().await;
        let error = set.try_join_next_with_id().unwrap().unwrap_err();
        assert_eq!(error.id(), stopped.id());
        let waker = Waker::noop();
        let next = set.poll_join_next_with_id(&mut Context::from_waker(waker));
        assert!(matches!(next, Poll::Ready(None)));
    });
}

#[test]
fn panics_and_aborts_are_results_too() {
    let history = History::new();
    paused(async {
        let mut set = JoinSet::new();
        set.spawn(async { panic_silently("oh") });
        let stopped = set.spawn(async {
            sleep(MS).await;
            1
        });
        set.spawn(async {
            sleep(MS).await;
            2
        });
        stopped.abort();
        assert!(!stopped.is_finished());
        for _ in 0..4 {
            history.push(told(set.join_next().await));
        }
        assert!(stopped.is_finished());
    });
    history.expect([
        "panicked: task 1 panicked with message \"oh\"",
        "cancelled",
        "ok 2",
        "empty",
    ]);
}

#[test]
fn blocking_members_are_finished_like_others() {
    let (release, released) = mpsc::channel();
    block_on(async {
        let mut set = JoinSet::new();
        set.spawn_blocking(move || {
            released.recv().unwrap();
            1
        });
        set.spawn_blocking(|| 2);
        assert_eq!(set.join_next().await.unwrap().unwrap(), 2);
        release.send(()).unwrap();
        assert_eq!(set.join_next().await.unwrap().unwrap(), 1);
        set.spawn_blocking(|| panic_silently("oh"));
        assert!(set.join_next().await.unwrap().unwrap_err().is_panic());
        let stopped = set.spawn_blocking(|| 3);
        stopped.abort();
        // It may have begun; it is finished in any case.
        let _one_or_the_other = set.join_next().await.unwrap();
        assert!(set.is_empty());
    });
}

// All at once.

#[test]
fn join_all_gives_the_outputs_in_the_order_in_which_they_came() {
    let outputs = paused(async {
        let mut set: JoinSet<_> = [3, 1, 2].map(after).into_iter().collect();
        set.extend([5, 4].map(after));
        set.join_all().await
    });
    assert_eq!(outputs, [1, 2, 3, 4, 5]);

    async fn after(ms: u32) -> u32 {
        sleep(MS * ms).await;
        ms
    }
}

#[test]
fn join_all_panics_with_the_first_panic_and_aborts_the_others() {
    let history = History::new();
    let executor = Executor::builder().start_paused(true).build();
    let message = caught(|| {
        executor.block_on(async {
            let mut set = JoinSet::new();
            set.spawn(history.parked("a", &WakerSlot::new()));
            set.spawn(async {
                sleep(MS).await;
                panic_silently("the first")
            });
            set.spawn(history.probe("c", 0));
            let joined = spawn(set.join_all());
            let error = joined.await.unwrap_err();
            history.push("root: joined");
            yield_now().await;
            history.push("root: end");
            std::panic::resume_unwind(error.into_panic())
        })
    });
    assert_eq!(message.unwrap_err(), "the first");
    history.expect([
        "a: poll",
        "c: poll",
        "c: drop",
        "a: drop",
        "root: joined",
        "root: end",
    ]);
}

#[test]
fn join_all_panics_when_a_member_was_aborted() {
    let message = caught(|| {
        paused(async {
            let mut set = JoinSet::new();
            set.spawn(pending::<()>()).abort();
            set.join_all().await
        })
    });
    assert_eq!(message.unwrap_err(), "task 1 was cancelled");
}

#[test]
fn abort_all_leaves_results_to_be_taken() {
    let history = History::new();
    paused(async {
        let mut set = JoinSet::new();
        for name in ["a", "b", "c"] {
            let parked = history.parked(name, &WakerSlot::new());
            set.spawn(async {
                parked.await;
                0
            });
        }
        set.spawn(async { 1 });
        yield_now().await;
        set.abort_all();
        history.push("abort_all");
        assert_eq!(set.len(), 4);
        while !set.is_empty() {
            history.push(told(set.join_next().await));
        }
    });
    history.expect([
        "a: poll",
        "b: poll",
        "c: poll",
        "abort_all",
        "ok 1",
        "a: drop",
        "b: drop",
        "c: drop",
        "cancelled",
        "cancelled",
        "cancelled",
    ]);
}

#[test]
fn shutdown_returns_when_every_member_has_been_dropped() {
    let history = History::new();
    paused(async {
        let mut set = JoinSet::new();
        set.spawn(history.parked("a", &WakerSlot::new()));
        set.spawn(history.probe("b", 0));
        set.spawn(async { panic_silently("ignored") });
        yield_now().await;
        // Not polled yet when it is aborted.
        set.spawn(history.probe("never", 0));
        set.shutdown().await;
        history.push(format_args!("{} left", set.len()));
    });
    // The one that was runnable already comes first.
    history.expect([
        "a: poll",
        "b: poll",
        "b: drop",
        "never: drop",
        "a: drop",
        "0 left",
    ]);
}

#[test]
fn shutdown_drops_results_that_panic_when_they_are_dropped() {
    paused(async {
        let mut set = JoinSet::new();
        for _ in 0..2 {
            set.spawn(async { Dropping(|| panic_silently("a result's destructor")) });
        }
        yield_now().await;
        set.shutdown().await;
        assert!(set.is_empty());
    });
}

#[test]
fn dropping_the_set_aborts_its_members_in_the_order_in_which_they_were_spawned() {
    let history = History::new();
    paused(async {
        let mut set = JoinSet::new();
        // The third takes the place that the second leaves, before the first.
        let second = set.spawn(history.parked("gone", &WakerSlot::new()));
        set.spawn(history.parked("a", &WakerSlot::new()));
        second.abort();
        set.join_next().await;
        set.spawn(history.parked("b", &WakerSlot::new()));
        yield_now().await;
        drop(set);
        history.push("set: dropped");
        yield_now().await;
    });
    history.expect([
        "gone: drop",
        "a: poll",
        "b: poll",
        "set: dropped",
        "a: drop",
        "b: drop",
    ]);
}

#[test]
fn dropping_the_set_drops_results_that_nobody_has_taken() {
    let history = History::new();
    paused(async {
        let mut set = JoinSet::new();
        for name in ["a", "b"] {
            let output = history.on_drop(name);
            set.spawn(async { output });
        }
        yield_now().await;
        history.push("finished");
        drop(set);
        history.push("set: dropped");
    });
    history.expect(["finished", "a", "b", "set: dropped"]);
}

#[test]
fn detached_members_go_on_alone() {
    let history = History::new();
    paused(async {
        let mut set = JoinSet::new();
        set.spawn(history.probe("a", 2));
        set.detach_all();
        assert!(set.is_empty());
        assert!(set.join_next().await.is_none());
        // A newcomer does not take their results for its own.
        set.spawn(history.probe("b", 0));
        set.join_next().await.unwrap().unwrap();
        history.push(format_args!("{} left", set.len()));
        drop(set);
        yield_now().await;
    });
    history.expect([
        "a: poll", "b: poll", "b: drop", "a: poll", "0 left", "a: poll", "a: drop",
    ]);
}

// Who waits.

#[test]
fn a_wait_that_is_dropped_takes_no_member_with_it() {
    paused(async {
        let mut set = JoinSet::new();
        set.spawn(async {
            sleep(MS * 3).await;
            1
        });
        assert!(timeout(MS, set.join_next()).await.is_err());
        assert!(timeout(MS, set.join_next()).await.is_err());
        assert_eq!(set.len(), 1);
        assert_eq!(timeout(MS * 2, set.join_next()).await.unwrap().unwrap().unwrap(), 1);
        assert!(timeout(MS, set.shutdown()).await.is_ok());
    });
}

#[test]
fn a_set_can_be_awaited_by_another_task_than_filled_it() {
    let sum = paused(async {
        let set = spawn(async {
            let mut set = JoinSet::new();
            for n in 1..=3 {
                set.spawn(async move {
                    sleep(MS * n).await;
                    n
                });
            }
            assert_eq!(set.join_next().await.unwrap().unwrap(), 1);
            set
        });
        let mut set = set.await.unwrap();
        let second = set.join_next().await.unwrap().unwrap();
        let last = spawn(async move { set.join_next().await.unwrap().unwrap() });
        second * 10 + last.await.unwrap()
    });
    assert_eq!(sum, 23);
}

#[test]
fn the_waker_of_the_latest_poll_is_woken_and_only_once() {
    let (early, early_waker) = CountingWaker::new();
    let (late, late_waker) = CountingWaker::new();
    paused(async {
        let mut set = JoinSet::new();
        for _ in 0..3 {
            set.spawn(yield_now());
        }
        assert!(poll_next(&mut set, &early_waker).is_pending());
        assert!(poll_next(&mut set, &late_waker).is_pending());
        assert!(poll_next(&mut set, &late_waker).is_pending());
        yield_now().await;
        yield_now().await;
        assert_eq!((early.wakes(), late.wakes()), (0, 1));
        for _ in 0..3 {
            assert!(poll_next(&mut set, &early_waker).is_ready());
        }
        assert_eq!((early.wakes(), late.wakes()), (0, 1));
    });
    drop((early_waker, late_waker));
    // The set keeps no waker that it does not need.
    assert_eq!((std::sync::Arc::strong_count(&early), std::sync::Arc::strong_count(&late)), (1, 1));
}

#[test]
fn cost_is_linear_in_the_number_of_members() {
    const MANY: usize = 100_000;
    let polls_of_members = Rc::new(Cell::new(0));
    let polls_of_root = Cell::new(0);
    paused(async {
        let mut set = JoinSet::new();
        for n in 0..MANY {
            let (polls, mut left) = (polls_of_members.clone(), 1 + n % 2);
            set.spawn(poll_fn(move |cx| {
                polls.set(polls.get() + 1);
                left -= 1;
                if left == 0 {
                    return Poll::Ready(n);
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            }));
        }
        let mut all = pin!(set.join_all());
        let counted = poll_fn(|cx| {
            polls_of_root.set(polls_of_root.get() + 1);
            all.as_mut().poll(cx)
        });
        let finished = counted.await;
        let expected = (0..MANY).step_by(2).chain((1..MANY).step_by(2));
        assert!(finished.into_iter().eq(expected));
    });
    assert_eq!(polls_of_members.get(), MANY + MANY / 2);
    // One for each turn in which anybody was finished, and the first.
    assert_eq!(polls_of_root.get(), 3);
}

// Where tasks come from.

#[test]
fn a_stall_names_the_line_that_spawned_the_member() {
    let mut lines = Vec::new();
    let report = caught(|| {
        paused(async {
            let mut set = JoinSet::new();
            lines.push(line!() + 1);
            set.spawn(pending::<()>());
            lines.push(line!() + 1);
            set.build_task().name("named").spawn(pending());
            lines.push(line!() + 1);
            set.extend([pending()]);
            set.join_next().await
        })
    });
    let report = report.unwrap_err();
    let file = Location::caller().file();
    for (task, line) in ["task 1,", "task 2 \"named\",", "task 3,"].iter().zip(lines) {
        let expected = format!("{task} spawned at {file}:{line}:");
        assert!(report.contains(&expected), "{expected} is not in {report}");
    }
}

#[test]
fn spawning_where_no_executor_runs_panics_and_leaves_the_set_as_it_was() {
    let history = History::new();
    let mut set = JoinSet::new();
    for _ in 0..3 {
        let probe = history.probe("never", 0);
        let message = caught(|| set.spawn(probe)).unwrap_err();
        assert!(message.starts_with("spawn was called where no executor is running"));
        let message = caught(|| set.spawn_blocking(|| ())).unwrap_err();
        assert!(message.starts_with("spawn_blocking was called where no executor is running"));
        assert!(set.is_empty());
        assert!(set.try_join_next().is_none());
        history.expect(["never: drop"]);
    }
    block_on(async {
        set.spawn(async {});
        assert_eq!(set.len(), 1);
        set.join_next().await.unwrap().unwrap();
        assert!(set.join_next().await.is_none());
    });
}

#[test]
fn a_set_outlives_its_executor() {
    let history = History::new();
    let mut set = JoinSet::new();
    let executor = Executor::new();
    executor.block_on(async {
        set.spawn(history.parked("a", &WakerSlot::new()));
        set.spawn(history.probe("b", 0));
        yield_now().await;
    });
    drop(executor);
    history.push("executor: dropped");
    block_on(async {
        // Members of two executors in one set.
        set.spawn(history.probe("c", 0));
        while !set.is_empty() {
            history.push(told(set.join_next().await.map(|result| result.map(|()| 0))));
        }
    });
    history.expect([
        "a: poll",
        "b: poll",
        "b: drop",
        "a: drop",
        "executor: dropped",
        "ok 0",
        "cancelled",
        "c: poll",
        "c: drop",
        "ok 0",
    ]);
}

#[test]
fn a_set_that_belongs_to_a_task_is_dropped_with_the_executor() {
    let history = History::new();
    let executor = Executor::new();
    executor.block_on(async {
        let mut set = JoinSet::new();
        set.spawn(history.parked("member", &WakerSlot::new()));
        let guard = history.on_drop("owner: drop");
        spawn(async move {
            let _guard = guard;
            set.join_next().await;
        });
        yield_now().await;
    });
    drop(executor);
    history.expect(["member: poll", "member: drop", "owner: drop"]);
}

// The worst that members and wakers can do.

#[test]
fn a_member_may_abort_itself() {
    paused(async {
        let mut set = JoinSet::new();
        let own = Rc::new(RefCell::new(None::<AbortHandle>));
        let handle = own.clone();
        let stop = set.spawn(async move {
            handle.borrow().as_ref().unwrap().abort();
            yield_now().await;
            unreachable!("an aborted task is not polled again");
        });
        own.replace(Some(stop));
        assert_eq!(told::<u8>(set.join_next().await), "cancelled");
    });
}

#[test]
fn a_member_may_drop_the_set_that_it_belongs_to() {
    let history = History::new();
    paused(async {
        let mut filled = JoinSet::new();
        let set = Rc::new(RefCell::new(None));
        let (own, guard) = (set.clone(), history.on_drop("first: drop"));
        filled.spawn(async move {
            let _guard = guard;
            drop(own.take());
            yield_now().await;
            unreachable!("an aborted task is not polled again");
        });
        filled.spawn(history.probe("second", 0));
        set.replace(Some(filled));
        for _ in 0..3 {
            yield_now().await;
        }
        assert!(set.borrow().is_none());
    });
    history.expect(["second: drop", "first: drop"]);
}

#[test]
fn a_member_may_drop_the_set_while_it_is_dropped_itself() {
    paused(async {
        let set = Rc::new(RefCell::new(Some(JoinSet::new())));
        let own = set.clone();
        let drops_the_set = Dropping(move || drop(own.take()));
        let stop = set.borrow_mut().as_mut().unwrap().spawn(async move {
            let _drops_the_set = drops_the_set;
            pending::<()>().await
        });
        yield_now().await;
        stop.abort();
        yield_now().await;
        assert!(stop.is_finished() && set.borrow().is_none());
    });
}

#[test]
fn a_member_that_panics_when_it_is_dropped_is_finished() {
    let history = History::new();
    paused(async {
        let mut set = JoinSet::new();
        let owned = Dropping(|| panic_silently("a destructor"));
        set.spawn(async move {
            let _owned = owned;
            1
        });
        history.push(told(set.join_next().await));
        let owned = Dropping(|| panic_silently("a destructor"));
        let stopped = set.spawn(async move {
            let _owned = owned;
            pending().await
        });
        yield_now().await;
        stopped.abort();
        history.push(told(set.join_next().await));
    });
    history.expect([
        "panicked: task 1 panicked with message \"a destructor\"",
        "panicked: task 2 panicked with message \"a destructor\"",
    ]);
}

#[test]
fn a_waker_that_panics_does_no_harm() {
    quietly(|| {
        paused(async {
            let mut set = JoinSet::new();
            let waker = hostile_waker(|call| {
                if call == Call::Wake {
                    panic_silently("a waker");
                }
            });
            set.spawn(ready(1));
            assert!(poll_next(&mut set, &waker).is_pending());
            yield_now().await;
            assert_eq!(set.join_next().await.unwrap().unwrap(), 1);
        });
    });
}

#[test]
fn a_member_is_gone_when_the_set_is_told_of_it() {
    let history = History::new();
    paused(async {
        let mut set = JoinSet::new();
        let lines = history.clone();
        let waker = hostile_waker(move |call| {
            if call == Call::Wake {
                lines.push("wake");
            }
        });
        set.spawn(history.probe("a", 0));
        assert!(poll_next(&mut set, &waker).is_pending());
        yield_now().await;
    });
    history.expect(["a: poll", "a: drop", "wake"]);
}

/// A set that a waker can reach.
type Reachable<T> = Rc<RefCell<JoinSet<T>>>;

#[test]
fn a_waker_that_polls_the_set_while_it_is_woken_is_woken_again() {
    let history = History::new();
    paused(async {
        let set: Reachable<u8> = Reachable::default();
        let (counter, counting) = CountingWaker::new();
        let (reached, lines) = (set.clone(), history.clone());
        let reenters = hostile_waker(move |call| {
            if call == Call::Wake {
                // The member's future is gone, and its output is not there yet.
                let mut set = reached.borrow_mut();
                lines.push(format_args!("try: {}", set.try_join_next().is_some()));
                let poll = poll_next(&mut set, &counting);
                lines.push(format_args!("poll: {}", poll.is_ready()));
            }
        });
        set.borrow_mut().spawn(ready(1));
        assert!(poll_next(&mut set.borrow_mut(), &reenters).is_pending());
        yield_now().await;
        history.push(format_args!("{} wake", counter.wakes()));
        history.push(told(set.borrow_mut().try_join_next()));
        // The waker's action has the set.
        drop(set.take());
    });
    history.expect(["try: false", "poll: false", "1 wake", "ok 1"]);
}

#[test]
fn a_waker_whose_clone_ends_a_member_does_not_make_the_set_miss_it() {
    let executor = Executor::new();
    let mut set = JoinSet::new();
    executor.block_on(async {
        set.spawn(pending::<()>());
        yield_now().await;
    });
    let executor = RefCell::new(Some(executor));
    let executor: &'static RefCell<_> = Box::leak(Box::new(executor));
    let waker = hostile_waker(move |call| {
        if call == Call::Clone {
            drop(executor.take());
        }
    });
    let Poll::Ready(result) = poll_next(&mut set, &waker) else {
        panic!("the member was dropped with its executor");
    };
    assert!(result.unwrap().unwrap_err().is_cancelled());
}

#[test]
fn deep_chains_of_sets_are_dropped() {
    const DEEP: usize = 20_000;
    on_a_small_stack(|| {
        // Results that nobody takes, each of which is a set with one more.
        let executor = Executor::new();
        let mut first: JoinSet<Box<dyn Any>> = JoinSet::new();
        executor.block_on(async {
            for _ in 0..DEEP {
                let next = std::mem::take(&mut first);
                first.spawn(async move { Box::new(next) as Box<dyn Any> });
            }
            yield_now().await;
            assert_eq!(first.len(), 1);
            drop(first);
        });
    });
    on_a_small_stack(|| {
        // Members that wait, each for a set of its own.
        let executor = Executor::new();
        let mut first = JoinSet::new();
        executor.block_on(async {
            for _ in 0..DEEP {
                let mut next = std::mem::take(&mut first);
                first.spawn(async move {
                    next.join_next().await;
                });
            }
            yield_now().await;
        });
        drop(first);
        drop(executor);
    });
}

// Random programs.

#[derive(Clone, Copy, Debug)]
enum End {
    Return,
    Panic,
    /// Waits for ever.
    Park,
}

/// What the root does, one step after the other. Then it ends, and drops the set.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A member that yields so many times before its end.
    Spawn(usize, End),
    Abort(usize),
    AbortAll,
    DetachAll,
    /// Drops the set and takes a new one.
    Replace,
    Try,
    Join,
    Yield,
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![3 => Just(End::Return), 1 => Just(End::Panic), 1 => Just(End::Park)];
    prop_oneof![
        6 => (0..4_usize, end).prop_map(|(yields, end)| Step::Spawn(yields, end)),
        2 => (0..8_usize).prop_map(Step::Abort),
        1 => Just(Step::AbortAll),
        1 => Just(Step::DetachAll),
        1 => Just(Step::Replace),
        3 => Just(Step::Try),
        4 => Just(Step::Join),
        3 => Just(Step::Yield),
    ]
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn a_set_does_what_the_model_does(program in prop::collection::vec(step(), 0..30)) {
        prop_assert_eq!(on_handspun(&program), Model::default().run(&program));
    }
}

struct Scripted {
    history: History,
    number: usize,
    yields: usize,
    end: End,
}

impl Future for Scripted {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        self.history.push(format_args!("{}: poll", self.number));
        if self.yields > 0 {
            self.yields -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.end {
            End::Return => Poll::Ready(self.number),
            End::Panic => panic_silently("a member"),
            End::Park => Poll::Pending,
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.history.push(format_args!("{}: drop", self.number));
    }
}

fn on_handspun(program: &[Step]) -> Vec<String> {
    let history = History::new();
    let _stalled = caught(|| paused(play(program, &history)));
    history.take()
}

async fn play(program: &[Step], history: &History) {
    let mut set = JoinSet::new();
    let mut spawned = Vec::new();
    for step in program {
        match *step {
            Step::Spawn(yields, end) => {
                let member = Scripted {
                    history: history.clone(),
                    number: spawned.len(),
                    yields,
                    end,
                };
                spawned.push(set.spawn(member));
            }
            Step::Abort(number) => {
                spawned.get(number).into_iter().for_each(AbortHandle::abort);
            }
            Step::AbortAll => set.abort_all(),
            Step::DetachAll => set.detach_all(),
            Step::Replace => set = JoinSet::new(),
            Step::Try => history.push(format_args!("try: {}", told(set.try_join_next()))),
            Step::Join => {
                let next = poll_fn(|cx| {
                    history.push("root: poll");
                    set.poll_join_next(cx)
                });
                history.push(format_args!("join: {}", told(next.await)));
            }
            Step::Yield => {
                yield_now().await;
                continue;
            }
        }
        history.push(format_args!("{} members", set.len()));
    }
}

/// All that a set and its executor know.
#[derive(Default)]
struct Model {
    history: Vec<String>,
    members: Vec<ModelMember>,
    /// Whom to poll, in order; `None` is the root.
    queue: VecDeque<Option<usize>>,
    /// In the set, and finished.
    finished: VecDeque<usize>,
    root_waits: bool,
}

struct ModelMember {
    yields: usize,
    end: End,
    idle: bool,
    aborted: bool,
    in_set: bool,
    over: Option<&'static str>,
}

impl Model {
    fn run(mut self, program: &[Step]) -> Vec<String> {
        let mut steps = program.iter().copied().peekable();
        self.queue.push_back(None);
        while let Some(next) = self.queue.pop_front() {
            match next {
                Some(member) => self.poll_member(member),
                None if self.poll_root(&mut steps) => break,
                None => {}
            }
        }
        // The root has ended or stalled. The executor drops who is left.
        for number in 0..self.members.len() {
            if self.members[number].over.is_none() {
                self.end_member(number, "cancelled");
            }
        }
        self.history
    }

    fn push(&mut self, line: impl Into<String>) {
        self.history.push(line.into());
    }

    /// `true`: the root has ended.
    fn poll_root(&mut self, steps: &mut std::iter::Peekable<impl Iterator<Item = Step>>) -> bool {
        while let Some(&step) = steps.peek() {
            match step {
                Step::Spawn(yields, end) => {
                    self.queue.push_back(Some(self.members.len()));
                    self.members.push(ModelMember {
                        yields,
                        end,
                        idle: false,
                        aborted: false,
                        in_set: true,
                        over: None,
                    });
                }
                Step::Abort(number) => self.abort(number),
                Step::AbortAll => self.abort_all(),
                Step::DetachAll => self.forget_set(),
                Step::Replace => {
                    self.abort_all();
                    self.forget_set();
                }
                Step::Try => {
                    let next = self.take_finished().unwrap_or("empty".to_string());
                    self.push(format!("try: {next}"));
                }
                Step::Join => {
                    self.push("root: poll");
                    let next = match self.take_finished() {
                        Some(next) => next,
                        None if self.len() == 0 => "empty".to_string(),
                        None => {
                            self.root_waits = true;
                            return false;
                        }
                    };
                    self.push(format!("join: {next}"));
                }
                Step::Yield => {
                    steps.next();
                    self.queue.push_back(None);
                    return false;
                }
            }
            steps.next();
            self.push(format!("{} members", self.len()));
        }
        true
    }

    fn poll_member(&mut self, number: usize) {
        if self.members[number].aborted {
            return self.end_member(number, "cancelled");
        }
        self.push(format!("{number}: poll"));
        let member = &mut self.members[number];
        if member.yields > 0 {
            member.yields -= 1;
            self.queue.push_back(Some(number));
            return;
        }
        match member.end {
            End::Return => self.end_member(number, "ok"),
            End::Panic => self.end_member(number, "panicked"),
            End::Park => member.idle = true,
        }
    }

    fn end_member(&mut self, number: usize, how: &'static str) {
        self.push(format!("{number}: drop"));
        self.members[number].over = Some(how);
        if self.members[number].in_set {
            self.finished.push_back(number);
            if std::mem::take(&mut self.root_waits) {
                self.queue.push_back(None);
            }
        }
    }

    fn take_finished(&mut self) -> Option<String> {
        let number = self.finished.pop_front()?;
        self.members[number].in_set = false;
        Some(match self.members[number].over? {
            "ok" => format!("ok {number}"),
            "panicked" => {
                let task = number + 1;
                format!("panicked: task {task} panicked with message \"a member\"")
            }
            how => how.to_string(),
        })
    }

    fn abort(&mut self, number: usize) {
        if let Some(member) = self.members.get_mut(number).filter(|member| member.over.is_none()) {
            member.aborted = true;
            if std::mem::take(&mut member.idle) {
                self.queue.push_back(Some(number));
            }
        }
    }

    fn abort_all(&mut self) {
        for number in 0..self.members.len() {
            if self.members[number].in_set {
                self.abort(number);
            }
        }
    }

    fn forget_set(&mut self) {
        self.members.iter_mut().for_each(|member| member.in_set = false);
        self.finished.clear();
    }

    fn len(&self) -> usize {
        self.members.iter().filter(|member| member.in_set).count()
    }
}
