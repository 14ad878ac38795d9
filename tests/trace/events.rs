//! What is recorded, and what is not: the whole list of events of small programs, one line each.
//!
//! (That the events are enough to replay a run is tested where the scheduler can be looked at:
//! `src/executor/scheduler_tests.rs`.)

use crate::support::{History, caught, panic_silently, poll_with};
use crate::words::{expect, expect_of, id, line, words};
use handspun::executor::{Builder, Executor};
use handspun::sync::{Mutex, mpsc};
use handspun::task::{self, AbortHandle, JoinHandle, JoinSet, yield_now};
use handspun::time::{Duration, Instant, Sleep, advance, resume, sleep, sleep_until, timeout};
use handspun::trace::{self, Awaited, Event, Record, State, Trace};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

const MS: Duration = Duration::from_millis(1);

fn recorder() -> Executor {
    Executor::builder().start_paused(true).record(100_000).build()
}

fn run(root: impl Future<Output = ()>) -> Trace {
    let executor = recorder();
    executor.block_on(root);
    executor.into_trace()
}

fn after(trace: &Trace) -> State {
    let mut state = State::default();
    trace.records().iter().for_each(|record| state.take(record));
    state
}

async fn poll_once<F: Future + Unpin>(future: &mut F) {
    poll_fn(|cx| {
        let _ = Pin::new(&mut *future).poll(cx);
        Poll::Ready(())
    })
    .await;
}

// Parts of programs.

/// Where a task leaves its waker.
type Slot = Rc<Cell<Option<Waker>>>;

/// Pending once; leaves the waker in the slot.
async fn park(slot: &Slot) {
    let mut was_polled = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut was_polled, true) {
            return Poll::Ready(());
        }
        drop(slot.replace(Some(cx.waker().clone())));
        Poll::Pending
    })
    .await;
}

/// Pending once; leaves no waker.
async fn wait_for_a_poll() {
    let mut was_polled = false;
    poll_fn(|_| match std::mem::replace(&mut was_polled, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

async fn own_waker() -> Waker {
    poll_fn(|cx| Poll::Ready(cx.waker().clone())).await
}

/// Calls a closure when it is dropped.
struct AtDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A task that is pending for ever, and does something when it is dropped.
fn spawn_at_drop(act: impl FnMut() + 'static) -> JoinHandle<()> {
    let guard = AtDrop(act);
    handspun::spawn(async move {
        let _guard = guard;
        pending().await
    })
}

// Tasks.

#[test]
fn a_task_is_told_from_its_spawn_to_its_end() {
    let trace = run(async {
        let task = task::Builder::new().name("greeter").spawn(yield_now());
        task.await.unwrap();
    });
    expect(
        &trace,
        [
            "0.000 spawn root, by outside",
            "0.000 poll root",
            "0.000 spawn 1 \"greeter\", by root",
            "0.000 wait 1: root for 1",
            "0.000 root is Pending, wakers 1",
            "0.000 poll 1",
            "0.000 wake 1, by 1: Noted",
            "0.000 1 is Pending, wakers 0",
            "0.000 poll 1",
            "0.000 wake root, by 1: Queued",
            "0.000 1 is Ready, wakers 0",
            "0.000 poll root",
            "0.000 wait 1: over",
            "0.000 root is Ready, wakers 0",
        ],
    );
}

#[test]
fn a_wake_is_told_with_what_it_changes() {
    let trace = run(async {
        let slot = Slot::default();
        let own = slot.clone();
        handspun::spawn(async move { park(&own).await });
        yield_now().await;
        let waker = slot.take().unwrap();
        waker.wake_by_ref();
        waker.wake_by_ref();
        let own = own_waker().await;
        own.wake_by_ref();
        own.wake_by_ref();
        yield_now().await;
        waker.wake();
    });
    expect(
        &trace,
        [
            "0.000 spawn root, by outside",
            "0.000 poll root",
            "0.000 spawn 1, by root",
            "0.000 wake root, by root: Noted",
            "0.000 root is Pending, wakers 0",
            "0.000 poll 1",
            "0.000 1 is Pending, wakers 1",
            "0.000 poll root",
            "0.000 wake 1, by root: Queued",
            "0.000 wake 1, by root: Coalesced",
            "0.000 wake root, by root: Noted",
            "0.000 wake root, by root: Coalesced",
            "0.000 wake root, by root: Coalesced",
            "0.000 root is Pending, wakers 1",
            "0.000 poll 1",
            "0.000 1 is Ready, wakers 1",
            "0.000 poll root",
            "0.000 wake 1, by root: Stale",
            "0.000 root is Ready, wakers 0",
        ],
    );
}

#[test]
fn wakes_that_come_from_elsewhere_are_told_when_the_executor_hears_of_them() {
    let executor = recorder();
    let slot = Slot::default();
    let own = slot.clone();
    let task = executor.spawn(async move {
        park(&own).await;
        park(&own).await;
    });
    executor.block_on(async {
        let waker = own_waker().await;
        thread::spawn(move || waker.wake()).join().unwrap();
        wait_for_a_poll().await; // the thread has woken this task already
    });
    slot.take().unwrap().wake(); // outside
    executor.block_on(yield_now());
    drop(task);
    expect(
        &executor.into_trace(),
        [
            "0.000 spawn 1, by outside",
            "0.000 spawn root, by outside",
            "0.000 poll 1",
            "0.000 1 is Pending, wakers 1",
            "0.000 poll root",
            "0.000 root is Pending, wakers 0",
            "0.000 wake root, by thread: Queued",
            "0.000 poll root",
            "0.000 root is Ready, wakers 0",
            "0.000 spawn root, by outside",
            "0.000 wake 1, by thread: Queued",
            "0.000 poll root",
            "0.000 wake root, by root: Noted",
            "0.000 root is Pending, wakers 0",
            "0.000 poll 1",
            "0.000 1 is Pending, wakers 1",
            "0.000 poll root",
            "0.000 root is Ready, wakers 0",
            "0.000 drop 1",
        ],
    );
}

#[test]
fn what_destructors_do_is_told_as_theirs() {
    let slot = Slot::default();
    let (own, dropped) = (slot.clone(), slot.clone());
    let trace = run(async move {
        spawn_at_drop(move || {
            dropped.take().unwrap().wake();
            trace::mark("in a destructor");
            handspun::spawn(pending::<()>());
        });
        handspun::spawn(async move { park(&own).await });
        yield_now().await;
    });
    expect(
        &trace,
        [
            "0.000 spawn root, by outside",
            "0.000 poll root",
            "0.000 spawn 1, by root",
            "0.000 spawn 2, by root",
            "0.000 wake root, by root: Noted",
            "0.000 root is Pending, wakers 0",
            "0.000 poll 1",
            "0.000 1 is Pending, wakers 0",
            "0.000 poll 2",
            "0.000 2 is Pending, wakers 1",
            "0.000 poll root",
            "0.000 root is Ready, wakers 0",
            "0.000 drop 1",
            "0.000 wake 2, by drop of 1: Queued",
            "0.000 mark \"in a destructor\", by drop of 1",
            "0.000 spawn 3, by drop of 1",
            "0.000 drop 2",
            "0.000 drop 3",
        ],
    );
}

#[test]
fn the_wakers_of_a_task_are_counted_when_its_poll_ends() {
    let trace = run(async {
        let kept = vec![own_waker().await; 3];
        yield_now().await;
        drop(kept);
        yield_now().await;
        let waker = own_waker().await;
        thread::spawn(move || drop(waker)).join().unwrap();
        yield_now().await;
    });
    expect_of(
        &trace,
        &["wakers"],
        [
            "0.000 root is Pending, wakers 3",
            "0.000 root is Pending, wakers 0",
            "0.000 root is Pending, wakers 0",
            "0.000 root is Ready, wakers 0",
        ],
    );
}

#[test]
fn a_task_is_forgotten_when_it_waits_and_its_last_waker_is_dropped() {
    let slots: [Slot; 4] = Default::default();
    let [first, second, third, fourth] = slots.clone();
    let trace = run(async move {
        for slot in slots {
            handspun::spawn(async move { park(&slot).await });
        }
        yield_now().await;
        let waker = first.take().unwrap();
        drop(waker.clone()); // not the last
        drop(waker);
        let waker = second.take().unwrap();
        waker.wake_by_ref();
        drop(waker); // it does not wait any more
        let waker = third.take().unwrap();
        thread::spawn(move || drop(waker)).join().unwrap(); // nobody sees it
        assert!(!after(&trace::current().unwrap()).tasks().last().unwrap().1.is_lost());
        spawn_at_drop(move || drop(fourth.take()));
        yield_now().await;
    });
    expect_of(&trace, &["forget"], ["0.000 forget 1, by root"]);

    let slot = Slot::default();
    let own = slot.clone();
    let trace = run(async move {
        spawn_at_drop(move || drop(slot.take()));
        handspun::spawn(async move { park(&own).await });
        yield_now().await;
    });
    let end = [
        "0.000 drop 1",
        "0.000 forget 2, by drop of 1",
        "0.000 drop 2",
    ];
    expect_of(&trace, &["forget", "drop"], end);
}

#[test]
fn a_task_that_waits_and_has_no_waker_is_lost() {
    let trace = run(async {
        let slot = Slot::default();
        let own = slot.clone();
        handspun::spawn(async move { park(&own).await });
        yield_now().await;
        let is_lost = || after(&trace::current().unwrap()).tasks().nth(1).unwrap().1.is_lost();
        assert!(!is_lost());
        drop(slot.take());
        assert!(is_lost());
    });
    assert_eq!(after(&trace).tasks().len(), 0);
}

#[test]
fn an_abort_is_told_when_it_is_asked_for_and_when_it_is_done() {
    let trace = run(async {
        let task = handspun::spawn(async {
            sleep(MS).await;
        });
        yield_now().await;
        task.abort();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    });
    expect(
        &trace,
        [
            "0.000 spawn root, by outside",
            "0.000 poll root",
            "0.000 spawn 1, by root",
            "0.000 wake root, by root: Noted",
            "0.000 root is Pending, wakers 0",
            "0.000 poll 1",
            "0.000 timer 1: made for 0.001, by 1",
            "0.000 timer 1: armed for 0.001, wakes 1",
            "0.000 1 is Pending, wakers 1",
            "0.000 poll root",
            "0.000 abort 1, by root",
            "0.000 wake 1, by root: Queued",
            "0.000 abort 1, by root",
            "0.000 wake 1, by root: Coalesced",
            "0.000 wait 1: root for 1",
            "0.000 root is Pending, wakers 1",
            "0.000 poll 1",
            "0.000 timer 1: dropped",
            "0.000 wake root, by 1: Queued",
            "0.000 1 is Aborted, wakers 0",
            "0.000 poll root",
            "0.000 wait 1: over",
            "0.000 root is Ready, wakers 0",
        ],
    );
}

#[test]
fn a_task_may_abort_itself_and_one_that_is_over_is_not_aborted() {
    let trace = run(async {
        let handle = Rc::new(RefCell::new(None::<AbortHandle>));
        let own = handle.clone();
        let task = handspun::spawn(async move {
            let own = own.take().unwrap();
            own.abort();
            yield_now().await;
        });
        handle.replace(Some(task.abort_handle()));
        let (over, abort) = (handspun::spawn(async {}), task.abort_handle());
        drop(task.await);
        over.abort();
        abort.abort();
    });
    expect_of(
        &trace,
        &["abort", " 1 is", "wake 1"],
        [
            "0.000 abort 1, by 1",
            "0.000 wake 1, by 1: Noted",
            "0.000 wake 1, by 1: Coalesced",
            "0.000 1 is Pending, wakers 0",
            "0.000 1 is Aborted, wakers 0",
        ],
    );
}

#[test]
fn a_task_that_is_aborted_may_be_dropped_before_it_is_polled() {
    let trace = run(async {
        handspun::spawn(async {});
        handspun::spawn(pending::<()>()).abort();
    });
    let end = ["0.000 drop 1", "0.000 drop 2, aborted"];
    expect_of(&trace, &["drop"], end);
}

#[test]
fn a_panic_is_told_wherever_it_happens_in_a_task() {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic_silently("in a destructor");
        }
    }
    impl Future for PanicsWhenDropped {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }
    }
    let trace = run(async {
        handspun::spawn(async { panic_silently("in its poll") });
        handspun::spawn(PanicsWhenDropped);
        let aborted = handspun::spawn(async {
            let _panics = PanicsWhenDropped;
            pending::<()>().await;
        });
        yield_now().await;
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_panic());
        handspun::spawn(PanicsWhenDropped);
    });
    expect_of(
        &trace,
        &["Panicked", "drop"],
        [
            "0.000 1 is Panicked, wakers 0",
            "0.000 2 is Panicked, wakers 0",
            "0.000 3 is Panicked, wakers 0",
            "0.000 drop 4",
        ],
    );
}

#[test]
fn a_panic_of_the_root_is_told_before_the_others_are_dropped() {
    let executor = recorder();
    let root = async {
        let waker = own_waker().await;
        spawn_at_drop(move || waker.wake_by_ref());
        spawn_at_drop(|| ());
        yield_now().await;
        panic_silently("expected")
    };
    caught(|| executor.block_on(root)).unwrap_err();
    executor.block_on(async {});
    expect(
        &executor.into_trace(),
        [
            "0.000 spawn root, by outside",
            "0.000 poll root",
            "0.000 spawn 1, by root",
            "0.000 spawn 2, by root",
            "0.000 wake root, by root: Noted",
            "0.000 root is Pending, wakers 1",
            "0.000 poll 1",
            "0.000 1 is Pending, wakers 0",
            "0.000 poll 2",
            "0.000 2 is Pending, wakers 0",
            "0.000 poll root",
            "0.000 root is Panicked, wakers 1",
            "0.000 drop 1",
            "0.000 wake root, by drop of 1: Stale",
            "0.000 drop 2",
            "0.000 spawn root, by outside",
            "0.000 poll root",
            "0.000 root is Ready, wakers 0",
        ],
    );
}

#[test]
fn in_a_stall_the_root_is_dropped_first() {
    let builder = Executor::builder().start_paused(true).panic_on_stall(true);
    let executor = builder.record(100).build();
    let slot = Slot::default();
    let root = async {
        let _last = AtDrop(|| trace::mark("the root is dropped"));
        let waker = own_waker().await;
        spawn_at_drop(move || waker.wake_by_ref());
        park(&slot).await;
    };
    caught(|| executor.block_on(root)).unwrap_err();
    expect_of(
        &executor.into_trace(),
        &["drop", "wake"],
        [
            "0.000 root is Pending, wakers 2",
            "0.000 1 is Pending, wakers 0",
            "0.000 drop root",
            "0.000 mark \"the root is dropped\", by drop of root",
            "0.000 drop 1",
            "0.000 wake root, by drop of 1: Stale",
        ],
    );
}

#[test]
fn tasks_that_are_left_go_on_with_the_next_root() {
    let executor = recorder();
    executor.block_on(async {
        handspun::spawn(async {
            yield_now().await;
            yield_now().await;
        });
        yield_now().await;
    });
    let between = executor.trace();
    executor.block_on(yield_now());
    let all = executor.into_trace();
    assert_eq!(between.records(), &all.records()[..between.records().len()]);
    expect(
        &all,
        [
            "0.000 spawn root, by outside",
            "0.000 poll root",
            "0.000 spawn 1, by root",
            "0.000 wake root, by root: Noted",
            "0.000 root is Pending, wakers 0",
            "0.000 poll 1",
            "0.000 wake 1, by 1: Noted",
            "0.000 1 is Pending, wakers 0",
            "0.000 poll root",
            "0.000 root is Ready, wakers 0",
            "0.000 spawn root, by outside",
            "0.000 poll 1",
            "0.000 wake 1, by 1: Noted",
            "0.000 1 is Pending, wakers 0",
            "0.000 poll root",
            "0.000 wake root, by root: Noted",
            "0.000 root is Pending, wakers 0",
            "0.000 poll 1",
            "0.000 1 is Ready, wakers 0",
            "0.000 poll root",
            "0.000 root is Ready, wakers 0",
        ],
    );
}

#[cfg(target_pointer_width = "64")]
#[test]
fn an_event_takes_as_many_bytes_as_the_documentation_says() {
    assert_eq!(size_of::<handspun::trace::Record>(), 72);
}

#[test]
fn a_birth_has_a_place_a_name_and_a_size() {
    let first = line!() + 4;
    let root = async {
        let future = pending::<[u64; 9]>();
        let size = size_of_val(&future);
        handspun::spawn(future);
        let future = async move { [size; 100].len() };
        let larger = size_of_val(&future);
        task::Builder::new().name("").spawn(future);
        JoinSet::new().spawn(ready(1));
        [size, larger]
    };
    let executor = recorder();
    let [size, larger] = executor.block_on(root);
    let line = line!() + 1;
    executor.spawn(ready(2));
    let births = executor.into_trace();
    let births = births.records().iter().filter_map(|record| match &record.event {
        Event::Spawned {
            task,
            name,
            place,
            size,
            ..
        } => {
            assert!(place.file().ends_with("events.rs"));
            Some((id(*task), name.clone(), place.line(), *size))
        }
        _ => None,
    });
    let births: Vec<_> = births.collect();
    assert_eq!(births[1], ("1".to_string(), None, first, size));
    assert_eq!(births[2], ("2".to_string(), Some("".into()), first + 3, larger));
    assert_eq!((births[3].2, births[4].2), (first + 4, line));
    assert_eq!((&*births[0].0, &births[0].1, births[0].2), ("root", &None, first + 8));
}

#[test]
fn a_poll_that_takes_long_is_told_of_unless_the_clock_stands() {
    let blocked = |start_paused| {
        let builder = Executor::builder().start_paused(start_paused);
        let executor = builder.record(100).build();
        executor.block_on(async {
            yield_now().await;
            thread::sleep(12 * MS);
        });
        let trace = executor.into_trace();
        let blocked = trace.records().iter().filter_map(|record| match record.event {
            Event::PollEnded { blocked, .. } => Some(blocked),
            _ => None,
        });
        blocked.collect::<Vec<Option<Duration>>>()
    };
    assert!(blocked(false)[1].unwrap() >= 12 * MS);
    assert_eq!(blocked(true), [None, None]);
}

// Timers.

#[test]
fn a_sleep_is_told_from_its_making_to_its_end() {
    let trace = run(async {
        sleep(300 * MS).await;
    });
    expect(
        &trace,
        [
            "0.000 spawn root, by outside",
            "0.000 poll root",
            "0.000 timer 1: made for 0.300, by root",
            "0.000 timer 1: armed for 0.300, wakes root",
            "0.000 root is Pending, wakers 1",
            "0.300 clock set",
            "0.300 timer 1: fires",
            "0.300 wake root, by timer 1: Queued",
            "0.300 poll root",
            "0.300 timer 1: dropped",
            "0.300 root is Ready, wakers 0",
        ],
    );
    assert_eq!(trace.end(), 300 * MS);
}

#[test]
fn timers_that_are_due_fire_one_after_the_other() {
    let trace = run(async {
        let tasks = [2, 1, 2].map(|time| handspun::spawn(async move { sleep(time * MS).await }));
        yield_now().await;
        advance(5 * MS).await;
        for task in tasks {
            assert!(task.is_finished());
        }
    });
    expect_of(
        &trace,
        &["clock", "fires", "by timer"],
        [
            "0.005 clock set",
            "0.005 timer 2: fires",
            "0.005 wake 2, by timer 2: Queued",
            "0.005 timer 1: fires",
            "0.005 wake 1, by timer 1: Queued",
            "0.005 timer 3: fires",
            "0.005 wake 3, by timer 3: Queued",
        ],
    );
}

#[test]
fn a_timer_may_be_due_when_it_is_first_polled_or_never_be_polled() {
    let trace = run(async {
        let late = sleep(MS);
        drop(sleep(7 * MS));
        sleep(Duration::ZERO).await;
        advance(2 * MS).await;
        late.await;
    });
    expect_of(
        &trace,
        &["timer"],
        [
            "0.000 timer 1: made for 0.001, by root",
            "0.000 timer 2: made for 0.007, by root",
            "0.000 timer 2: dropped",
            "0.000 timer 3: made for 0.000, by root",
            "0.000 timer 3: due",
            "0.000 timer 3: dropped",
            "0.002 timer 1: due",
            "0.002 timer 1: dropped",
        ],
    );
}

#[test]
fn a_timer_that_is_reset_is_the_same_timer() {
    let trace = run(async {
        let mut sleep = sleep(MS);
        let reset = |sleep: &mut Sleep, time| Pin::new(sleep).reset(Instant::now() + time);
        reset(&mut sleep, 2 * MS); // before its first poll
        poll_once(&mut sleep).await;
        reset(&mut sleep, 3 * MS); // on the wheel
        (&mut sleep).await;
        reset(&mut sleep, MS); // after it has fired
        poll_once(&mut sleep).await;
        reset(&mut sleep, Duration::ZERO); // on the wheel, to the present
        sleep.await;
    });
    expect_of(
        &trace,
        &["timer"],
        [
            "0.000 timer 1: made for 0.001, by root",
            "0.000 timer 1: reset to 0.002",
            "0.000 timer 1: armed for 0.002, wakes root",
            "0.000 timer 1: reset to 0.003",
            "0.000 timer 1: armed for 0.003, wakes root",
            "0.003 timer 1: fires",
            "0.003 wake root, by timer 1: Queued",
            "0.003 timer 1: reset to 0.004",
            "0.003 timer 1: armed for 0.004, wakes root",
            "0.003 timer 1: reset to 0.003",
            "0.003 timer 1: due",
            "0.003 timer 1: dropped",
        ],
    );
}

#[test]
fn a_timeout_is_one_timer_whoever_is_first() {
    let trace = run(async {
        timeout(3 * MS, sleep(MS)).await.unwrap();
        timeout(3 * MS, sleep(9 * MS)).await.unwrap_err();
        timeout(3 * MS, async {}).await.unwrap();
    });
    expect_of(
        &trace,
        &["timer"],
        [
            "0.000 timer 1: made for 0.001, by root",
            "0.000 timer 2: made for 0.003, by root",
            "0.000 timer 1: armed for 0.001, wakes root",
            "0.000 timer 2: armed for 0.003, wakes root",
            "0.001 timer 1: fires",
            "0.001 wake root, by timer 1: Queued",
            "0.001 timer 1: dropped",
            "0.001 timer 2: dropped",
            "0.001 timer 3: made for 0.010, by root",
            "0.001 timer 4: made for 0.004, by root",
            "0.001 timer 3: armed for 0.010, wakes root",
            "0.001 timer 4: armed for 0.004, wakes root",
            "0.004 timer 4: fires",
            "0.004 wake root, by timer 4: Queued",
            "0.004 timer 3: dropped",
            "0.004 timer 4: dropped",
            "0.004 timer 5: made for 0.007, by root",
            "0.004 timer 5: dropped",
        ],
    );
}

#[test]
fn a_timer_wakes_the_task_that_has_polled_it_last() {
    let trace = run(async {
        let mut sleep = sleep(5 * MS);
        poll_once(&mut sleep).await;
        poll_once(&mut sleep).await; // by the same task: nothing new
        handspun::spawn(sleep).await.unwrap();
    });
    expect_of(
        &trace,
        &["timer"],
        [
            "0.000 timer 1: made for 0.005, by root",
            "0.000 timer 1: armed for 0.005, wakes root",
            "0.000 timer 1: armed for 0.005, wakes 1",
            "0.005 timer 1: fires",
            "0.005 wake 1, by timer 1: Queued",
            "0.005 timer 1: dropped",
        ],
    );
}

#[test]
fn a_timer_that_is_dropped_by_the_waker_of_another_does_not_fire() {
    struct Drops(std::sync::Mutex<Option<Sleep>>);
    impl Wake for Drops {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap().take());
        }
    }
    let trace = run(async {
        let drops = Arc::new(Drops(std::sync::Mutex::default()));
        let (mut first, mut second) = (sleep(MS), sleep(MS));
        assert!(poll_with(&mut first, &Waker::from(drops.clone())).is_pending());
        poll_once(&mut second).await;
        *drops.0.lock().unwrap() = Some(second);
        wait_for_a_poll().await;
    });
    expect_of(
        &trace,
        &["timer", "wake root"],
        [
            "0.000 timer 1: made for 0.001, by root",
            "0.000 timer 2: made for 0.001, by root",
            "0.000 timer 1: armed for 0.001, wakes root",
            "0.000 timer 2: armed for 0.001, wakes root",
            "0.001 timer 1: fires",
            "0.001 timer 2: dropped",
            // Its waker had been taken off the wheel with the other.
            "0.001 wake root, by outside: Queued",
            "0.001 timer 1: dropped",
        ],
    );
}

// Waits.

#[test]
fn those_who_wait_for_a_thing_stand_in_its_line() {
    let made = line!() + 2;
    let trace = run(async {
        let mutex = Rc::new(Mutex::new(0));
        let other = Mutex::new(0);
        let _other = other.lock().await;
        let guard = mutex.lock().await;
        for _ in 0..2 {
            let mutex = mutex.clone();
            handspun::spawn(async move { drop(mutex.lock().await) });
        }
        yield_now().await;
        poll_once(&mut pin!(other.lock())).await;
        drop(guard);
        yield_now().await;
        yield_now().await;
    });
    expect_of(
        &trace,
        &["wait", " wake 1", " wake 2"],
        [
            "0.000 wait 1: 1 for the mutex, line 1",
            "0.000 wait 2: 2 for the mutex, line 1",
            "0.000 wait 3: root for the mutex, line 2",
            "0.000 wait 3: over",
            "0.000 wake 1, by root: Queued",
            "0.000 wait 1: over",
            "0.000 wake 2, by 1: Queued",
            "0.000 wait 2: over",
        ],
    );
    let places = trace.records().iter().filter_map(|record| match record.event {
        Event::WaitBegun {
            awaited: Awaited::Thing { place, .. },
            ..
        } => Some(place.line()),
        _ => None,
    });
    assert_eq!(places.collect::<Vec<u32>>(), [made, made, made + 1]);
}

#[test]
fn a_line_that_was_left_by_all_is_another_one_when_somebody_comes_again() {
    let trace = run(async {
        let (_sender, mut receiver) = mpsc::channel::<u8>(1);
        for _ in 0..2 {
            timeout(MS, receiver.recv()).await.unwrap_err();
        }
    });
    expect_of(
        &trace,
        &["wait"],
        [
            "0.000 wait 1: root for a value of the mpsc channel, line 1",
            "0.001 wait 1: over",
            "0.001 wait 2: root for a value of the mpsc channel, line 2",
            "0.002 wait 2: over",
        ],
    );
}

#[test]
fn a_wait_goes_on_with_the_future_that_waits() {
    let trace = run(async {
        let mutex = Arc::new(Mutex::new(0));
        let guard = mutex.clone().lock_owned().await;
        let mut lock = Box::pin(mutex.lock_owned());
        poll_once(&mut lock).await;
        poll_once(&mut lock).await;
        let task = handspun::spawn(lock); // now this one waits
        yield_now().await;
        let mut task = Box::pin(task);
        poll_once(&mut task).await;
        drop(guard);
        drop(task.await);
    });
    expect_of(
        &trace,
        &["wait"],
        [
            "0.000 wait 1: root for the mutex, line 1",
            "0.000 wait 1: over",
            "0.000 wait 2: 1 for the mutex, line 2",
            "0.000 wait 3: root for 1",
            "0.000 wait 2: over",
            "0.000 wait 3: over",
        ],
    );
}

#[test]
fn a_wait_is_over_when_its_future_is_dropped_or_its_task_is() {
    let executor = recorder();
    let mutex = Rc::new(Mutex::new(0));
    let held = mutex.try_lock().unwrap();
    executor.block_on(async {
        for _ in 0..2 {
            let mutex = mutex.clone();
            handspun::spawn(async move { drop(mutex.lock().await) });
        }
        let aborted = mutex.clone();
        let aborted = handspun::spawn(async move { drop(aborted.lock().await) });
        yield_now().await;
        aborted.abort();
        poll_once(&mut pin!(mutex.lock())).await;
        drop(aborted.await);
    });
    let trace = executor.into_trace();
    drop(held);
    expect_of(
        &trace,
        &["wait", "drop"],
        [
            "0.000 wait 1: 1 for the mutex, line 1",
            "0.000 wait 2: 2 for the mutex, line 1",
            "0.000 wait 3: 3 for the mutex, line 1",
            "0.000 wait 4: root for the mutex, line 1",
            "0.000 wait 4: over",
            "0.000 wait 5: root for 3",
            "0.000 wait 3: over",
            "0.000 wait 5: over",
            "0.000 drop 1",
            "0.000 wait 1: over",
            "0.000 drop 2",
            "0.000 wait 2: over",
        ],
    );
}

// The executor.

/// What happens on the real clock: the lines without their times, and parked as often as it may be.
fn without_times(trace: &Trace) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for record in trace.records() {
        let line = match &record.event {
            Event::Parked { until: Some(_) } => "parked for a while".to_string(),
            event => words(event),
        };
        let is_again = lines.len() > 1 && lines[lines.len() - 2] == line && line.contains("parked");
        match is_again {
            true if line == "unparked" => {}
            true => drop(lines.pop()),
            false => lines.push(line),
        }
    }
    lines
}

#[test]
fn on_the_real_clock_the_executor_is_parked_until_something_happens() {
    let began = Instant::now();
    let run = |pause| {
        let executor = Executor::builder().record(1_000).build();
        executor.block_on(async {
            let waker = own_waker().await;
            let thread = thread::spawn(move || {
                thread::sleep(pause);
                waker.wake();
            });
            wait_for_a_poll().await;
            thread.join().unwrap();
            poll_once(&mut Box::pin(sleep(Duration::from_secs(9)))).await;
            sleep(pause).await;
        });
        (pause, executor.into_trace())
    };
    let is_parked = |trace: &Trace| {
        let lines = without_times(trace);
        ["parked", "parked for a while"].iter().all(|line| lines.iter().any(|it| it == line))
    };
    // The pause may be over before the executor comes to be parked: then a longer one is tried.
    let mut runs = [10, 100, 1_000, 10_000].map(|pause| pause * MS).into_iter().map(run);
    let (pause, trace) = runs.find(|(_, trace)| is_parked(trace)).expect("it is parked");
    let timer = |nth| move |line: &String| !line.starts_with(&format!("timer {nth}"));
    let lines = without_times(&trace).into_iter().filter(timer(1)).filter(timer(2));
    let lines: Vec<String> = lines.collect();
    assert_eq!(
        lines,
        [
            "spawn root, by outside",
            "poll root",
            "root is Pending, wakers 1",
            "parked",
            "unparked",
            "wake root, by thread: Queued",
            "poll root",
            "root is Pending, wakers 1",
            "parked for a while",
            "unparked",
            "wake root, by timer 2: Queued",
            "poll root",
            "root is Ready, wakers 0",
        ]
    );
    let mut last = Duration::ZERO;
    let mut deadline = Duration::ZERO;
    for record in trace.records() {
        assert!(record.at >= last);
        last = record.at;
        match record.event {
            Event::TimerArmed { deadline: at, .. } => deadline = at,
            Event::TimerFired { .. } => assert!(record.at >= deadline),
            Event::Parked { until: Some(until) } => assert!(until >= deadline),
            _ => {}
        }
    }
    assert!(last >= 2 * pause && last <= began.elapsed());
    assert!(!trace.is_paused());
}

#[test]
fn a_clock_that_is_set_is_told_with_the_time_to_which() {
    let trace = run(async {
        advance(2 * MS).await;
        advance(Duration::ZERO).await;
        sleep(3 * MS).await;
        resume();
        handspun::time::pause();
    });
    expect_of(&trace, &["clock"], ["0.002 clock set", "0.002 clock set", "0.005 clock set"]);
    assert!(trace.is_paused());
}

// What the program says.

#[test]
fn marks_and_values_are_told_where_they_are_made() {
    trace::mark("before");
    trace::value("before", 1);
    let trace = run(async {
        trace::mark("a \"mark\"");
        handspun::spawn(async { trace::mark("") });
        sleep(MS).await;
        trace::value("length", vec![0; 3].len());
        trace::value("length", -5);
        trace::value("length", u64::MAX);
        trace::value("length", i128::MIN);
        trace::value("length", 7_u8);
    });
    trace::mark("after");
    expect_of(
        &trace,
        &["mark", "="],
        [
            "0.000 mark \"a \\\"mark\\\"\", by root",
            "0.000 mark \"\", by 1",
            "0.001 \"length\" = 3",
            "0.001 \"length\" = -5",
            "0.001 \"length\" = 9223372036854775807",
            "0.001 \"length\" = 9223372036854775807",
            "0.001 \"length\" = 7",
        ],
    );
    // To an executor that nobody watches, and where none runs, they say nothing.
    handspun::block_on(async {
        trace::mark("unheard");
        trace::value("unheard", 1);
        assert!(!trace::is_recorded());
    });
}

// Who has the trace.

#[test]
fn the_trace_can_be_had_during_the_run_and_after_it() {
    assert!(trace::current().is_none() && !trace::is_recorded());
    let executor = recorder();
    let within = executor.block_on(async {
        yield_now().await;
        assert!(trace::is_recorded());
        trace::current().unwrap()
    });
    let between = executor.trace();
    assert!(trace::current().is_none() && !trace::is_recorded());
    assert_eq!(words(&within.records().last().unwrap().event), "poll root");
    assert_eq!(within.records(), &between.records()[..within.records().len()]);
    assert_eq!(within.records().len() + 1, between.records().len());
    assert_eq!(executor.into_trace(), between);
    handspun::block_on(async { assert!(trace::current().is_none()) });
}

#[test]
fn an_executor_that_is_not_recorded_has_no_trace() {
    let message = "this executor is not recorded: build it with \
                   `Executor::builder().record(100_000)`";
    let executor = Executor::new();
    assert_eq!(caught(|| executor.trace()).unwrap_err(), message);
    assert_eq!(caught(|| executor.into_trace()).unwrap_err(), message);
    // One that would report a stall keeps its last events for that.
    let executor = Executor::builder().panic_on_stall(true).build();
    executor.block_on(async {});
    assert_eq!(executor.into_trace().records().len(), 3);
}

// The ring.

/// A hundred tasks come and go, some stay.
async fn coming_and_going() {
    let mutex = Rc::new(Mutex::new(0));
    let _held = mutex.lock().await;
    let waiter = mutex.clone();
    task::Builder::new().name("waits").spawn(async move { drop(waiter.lock().await) });
    let sleeper = task::Builder::new().name("sleeps");
    sleeper.spawn(async { sleep(Duration::from_secs(3)).await });
    let _unpolled = sleep(Duration::from_secs(4));
    for _ in 0..100 {
        handspun::spawn(async { sleep(MS).await }).await.unwrap();
    }
    let last = task::Builder::new().name("queued");
    last.spawn(async {});
    trace::mark("here");
}

#[test]
fn a_full_ring_drops_the_oldest_and_says_how_many() {
    let all = {
        let executor = recorder();
        executor.block_on(coming_and_going());
        executor.trace()
    };
    assert_eq!(all.dropped(), 0);
    for capacity in [0, 1, 2, 10, 100, 10_000] {
        let executor = Executor::builder().start_paused(true).record(capacity).build();
        executor.block_on(coming_and_going());
        let trace = executor.trace();
        let kept = capacity.max(1).min(all.records().len());
        let dropped = all.records().len() - kept;
        assert_eq!(trace.dropped(), dropped as u64, "of a ring of {capacity}");
        let summary = &trace.records()[..trace.records().len() - kept];
        let latest = trace.records()[summary.len()..].iter().map(line);
        assert!(latest.eq(all.records()[dropped..].iter().map(line)));
        // What is alive, and no more: at most four tasks, as many timers, twice, and as many waits.
        assert!(summary.len() <= 16, "{summary:#?}");
        let lasts = |event: &Event| {
            matches!(
                event,
                Event::Known { .. }
                    | Event::TimerMade { .. }
                    | Event::TimerArmed { .. }
                    | Event::WaitBegun { .. }
            )
        };
        assert!(summary.iter().all(|record| lasts(&record.event)));
        let (some, all) = (after(&trace), after(&all));
        assert!(some.queue().eq(all.queue()) && some.tasks().eq(all.tasks()));
        assert!(some.timers().eq(all.timers()) && some.waits().eq(all.waits()));
    }
}

#[test]
fn what_is_alive_is_told_at_the_beginning_of_a_ring_that_was_full() {
    let executor = Executor::builder().start_paused(true).record(2).build();
    executor.block_on(coming_and_going());
    expect(
        &executor.trace(),
        [
            "0.100 known: 103 \"queued\", Queued, polls 0, wakers 0",
            "0.100 known: root, Polling, polls 101, wakers 1",
            "0.000 known: 1 \"waits\", Idle, polls 1, wakers 1",
            "0.000 known: 2 \"sleeps\", Idle, polls 1, wakers 1",
            "0.000 timer 2: made for 3.000, by 2",
            "0.000 timer 2: armed for 3.000, wakes 2",
            "0.000 wait 2: 1 for the mutex, line 1",
            "0.100 wake 1, by root: Queued", // the mutex is free
            "0.100 root is Ready, wakers 0",
        ],
    );
}

// Several executors.

#[test]
fn an_executor_inside_another_one_has_a_trace_of_its_own() {
    let inner_trace = Rc::new(Cell::new(None));
    let (kept, waker) = (inner_trace.clone(), Slot::default());
    let outer = run(async move {
        waker.set(Some(own_waker().await));
        let inner = recorder();
        inner.spawn(async { unreachable!("it is not polled") });
        let at_drop = AtDrop(move || {
            trace::mark("inner");
            handspun::spawn(async {});
            waker.take().unwrap().wake(); // of a task of the other one, which is being polled
            kept.set(trace::current());
        });
        inner.spawn(async move {
            let _at_drop = at_drop;
            pending::<()>().await
        });
        drop(inner);
        trace::mark("outer");
        wait_for_a_poll().await; // it is woken already
    });
    expect(
        &inner_trace.take().unwrap(),
        [
            "0.000 spawn 1, by outside",
            "0.000 spawn 2, by outside",
            "0.000 drop 1",
            "0.000 drop 2",
            "0.000 mark \"inner\", by drop of 2",
            "0.000 spawn 3, by drop of 2",
        ],
    );
    expect(
        &outer,
        [
            "0.000 spawn root, by outside",
            "0.000 poll root",
            "0.000 wake root, by root: Noted",
            "0.000 mark \"outer\", by root",
            "0.000 root is Pending, wakers 0",
            "0.000 poll root",
            "0.000 root is Ready, wakers 0",
        ],
    );
}

#[test]
fn wakes_between_executors_are_letters() {
    let (outer, inner) = (recorder(), recorder());
    let slot = Slot::default();
    let own = slot.clone();
    inner.spawn(async move { park(&own).await });
    inner.block_on(yield_now());
    outer.block_on(async { slot.take().unwrap().wake() });
    inner.block_on(yield_now());
    let of_task = ["wake 1", " 1 is"];
    expect_of(
        &inner.into_trace(),
        &of_task,
        [
            "0.000 1 is Pending, wakers 1",
            "0.000 wake 1, by thread: Queued",
            "0.000 1 is Ready, wakers 0",
        ],
    );
    expect_of(&outer.into_trace(), &of_task, []);
}

#[test]
fn wakers_of_an_earlier_executor_are_not_told() {
    let first = recorder();
    let (root, task) = first.block_on(async {
        let task = handspun::spawn(own_waker()).await.unwrap();
        (own_waker().await, task)
    });
    drop(first);
    let trace = run(async move {
        handspun::spawn(pending::<()>());
        yield_now().await;
        root.wake();
        task.wake_by_ref();
        drop(task);
    });
    expect_of(&trace, &["wake ", "forget"], ["0.000 wake root, by root: Noted"]);
}

#[test]
fn a_sleep_that_is_carried_to_another_executor_is_a_new_timer_there() {
    let (second, first) = (recorder(), recorder());
    let late = second.block_on(async { Instant::now() + Duration::from_secs(3600) });
    // One is on the wheel, one is not.
    let (mut armed, mut unarmed) = first.block_on(async {
        let mut armed = sleep_until(late);
        poll_once(&mut armed).await;
        (armed, sleep_until(late))
    });
    second.block_on(async {
        let mut own = sleep(7 * MS);
        poll_once(&mut own).await;
        poll_once(&mut armed).await;
        poll_once(&mut unarmed).await;
    });
    drop((armed, unarmed));
    for executor in [&first, &second] {
        executor.block_on(async {}); // it has letters to read
    }
    let words = ["dropped", "wake root"];
    expect_of(
        &first.into_trace(),
        &words,
        [
            "0.000 timer 1: dropped",
            "0.000 timer 2: dropped",
            // So that it looks again.
            "0.000 wake root, by outside: Coalesced",
        ],
    );
    expect_of(
        &second.into_trace(),
        &["timer", "wake root"],
        [
            "0.000 timer 1: made for 0.007, by root",
            "0.000 timer 1: armed for 0.007, wakes root",
            "0.000 timer 2: armed for 3600.000, wakes root",
            "0.000 timer 3: armed for 3600.000, wakes root",
            "0.000 timer 1: dropped",
            "0.000 timer 2: dropped",
            "0.000 timer 3: dropped",
            "0.000 wake root, by outside: Coalesced",
            "0.000 wake root, by outside: Coalesced",
        ],
    );
}

#[test]
fn a_sleep_of_an_earlier_executor_is_not_taken_for_one_with_its_number() {
    let first = recorder();
    let mut left = None;
    first.block_on(async { left = Some(sleep(MS)) });
    drop(first);
    let trace = run(async move {
        let own = sleep(2 * MS);
        drop(left);
        own.await;
    });
    expect_of(
        &trace,
        &["timer"],
        [
            "0.000 timer 1: made for 0.002, by root",
            "0.000 timer 1: armed for 0.002, wakes root",
            "0.002 timer 1: fires",
            "0.002 wake root, by timer 1: Queued",
            "0.002 timer 1: dropped",
        ],
    );
}

// The same program, the same trace; and nothing is different for being watched.

/// A program with something of everything.
async fn a_bit_of_everything() {
    let (sender, mut receiver) = mpsc::channel(2);
    let mutex = Rc::new(Mutex::new(0));
    for nth in 0..4_u32 {
        let (sender, mutex) = (sender.clone(), mutex.clone());
        task::Builder::new().name(format!("worker {nth}")).spawn(async move {
            sleep(nth % 3 * MS).await;
            let guard = mutex.lock().await;
            sleep(MS).await;
            drop(guard);
            sender.send(nth).await.unwrap();
            trace::value("sent", nth);
        });
    }
    drop(sender);
    handspun::spawn(async { panic_silently("expected") });
    let aborted = handspun::spawn(pending::<()>());
    handspun::spawn(pending::<()>());
    let mut is_open = true;
    while is_open {
        handspun::select! {
            value = receiver.recv() => is_open = value.is_some(),
            () = sleep(MS) => trace::mark("a millisecond"),
            () = sleep(MS) => trace::mark("another"), // at the same time: it is left to chance
        }
    }
    aborted.abort();
    timeout(3 * MS, pending::<()>()).await.unwrap_err();
}

/// All that is recorded.
fn recorded(seed: u64) -> Vec<Record> {
    let executor = Executor::builder().start_paused(true).seed(seed).record(100_000).build();
    executor.block_on(a_bit_of_everything());
    executor.into_trace().records().to_vec()
}

#[test]
fn the_same_program_with_the_same_seed_gives_the_same_trace() {
    let first = recorded(7);
    assert!(first.len() > 100);
    run(coming_and_going());
    handspun::block_on(async { sleep(MS).await });
    assert_eq!(recorded(7), first);
    assert!((8..20).any(|seed| recorded(seed) != first));
    // The executors of other threads have other numbers, which an `Id` does not print.
    let print = |records: &[Record]| format!("{records:#?}");
    let first = print(&first);
    let others = [1, 2, 3].map(|nth| {
        thread::spawn(move || {
            let _others: Vec<Executor> = (0..nth).map(|_| recorder()).collect();
            print(&recorded(7))
        })
    });
    for other in others {
        assert!(other.join().unwrap() == first);
    }
}

/// What a task does, one step after the other.
#[derive(Clone, Debug)]
enum Step {
    Yield,
    /// Leaves its waker, and waits for a poll.
    Park,
    Sleep(u32),
    Spawn(Vec<Step>),
    Wake(usize),
    Abort(usize),
    Join(usize),
    Lock(u32),
    Timeout(u32, u32),
    /// Takes one of two branches, at random.
    Choose,
    Panic,
}

fn scripts() -> impl Strategy<Value = Vec<Step>> {
    let script = |step| prop::collection::vec(step, 0..6);
    let step = prop_oneof![
        2 => Just(Step::Yield),
        3 => Just(Step::Park),
        2 => (0..4_u32).prop_map(Step::Sleep),
        3 => (0..8_usize).prop_map(Step::Wake),
        1 => (0..8_usize).prop_map(Step::Abort),
        2 => (0..8_usize).prop_map(Step::Join),
        1 => (0..3_u32).prop_map(Step::Lock),
        1 => (0..4_u32, 0..4_u32).prop_map(|(limit, time)| Step::Timeout(limit, time)),
        2 => Just(Step::Choose),
        1 => Just(Step::Panic),
    ];
    let step = step.prop_recursive(2, 16, 5, move |step| {
        prop::collection::vec(step, 0..6).prop_map(Step::Spawn)
    });
    script(step)
}

/// What the tasks of a program share.
#[derive(Clone)]
struct World {
    start: Instant,
    history: History,
    spawned: Rc<Cell<usize>>,
    wakers: Rc<RefCell<BTreeMap<usize, Waker>>>,
    handles: Rc<RefCell<BTreeMap<usize, JoinHandle<()>>>>,
    abort_handles: Rc<RefCell<BTreeMap<usize, AbortHandle>>>,
    mutex: Rc<Mutex<()>>,
}

impl World {
    fn spawn(&self, script: Vec<Step>) {
        let task = self.spawned.get() + 1;
        self.spawned.set(task);
        let handle = handspun::spawn(self.clone().play(task, script));
        self.abort_handles.borrow_mut().insert(task, handle.abort_handle());
        self.handles.borrow_mut().insert(task, handle);
    }

    async fn play(self, task: usize, script: Vec<Step>) {
        let _drop = self.history.on_drop(format_args!("{task}: drop"));
        let mut steps = pin!(self.take(task, script));
        poll_fn(|cx| {
            let now = Instant::now().duration_since(self.start);
            self.history.push(format_args!("{task}: poll at {now:?}"));
            steps.as_mut().poll(cx)
        })
        .await;
    }

    async fn take(&self, task: usize, script: Vec<Step>) {
        for step in script {
            match step {
                Step::Yield => yield_now().await,
                Step::Park => {
                    let waker = own_waker().await;
                    let before = self.wakers.borrow_mut().insert(task, waker);
                    drop(before);
                    wait_for_a_poll().await;
                }
                Step::Sleep(time) => sleep(time * MS).await,
                Step::Spawn(script) => self.spawn(script),
                Step::Wake(task) => {
                    let waker = self.wakers.borrow().get(&task).cloned();
                    waker.into_iter().for_each(Waker::wake);
                }
                Step::Abort(task) => {
                    let handle = self.abort_handles.borrow().get(&task).cloned();
                    handle.into_iter().for_each(|handle| handle.abort());
                }
                Step::Join(other) => {
                    let handle = self.handles.borrow_mut().remove(&other);
                    if let Some(handle) = handle {
                        let end = handle.await.map_err(|error| error.to_string());
                        self.history.push(format_args!("{task}: joined {other}: {end:?}"));
                    }
                }
                Step::Lock(time) => {
                    let _guard = self.mutex.lock().await;
                    sleep(time * MS).await;
                }
                Step::Timeout(limit, time) => {
                    let end = timeout(limit * MS, sleep(time * MS)).await;
                    self.history.push(format_args!("{task}: {end:?}"));
                }
                Step::Choose => {
                    let choice = handspun::select! {
                        () = ready(()) => 1,
                        () = ready(()) => 2,
                    };
                    self.history.push(format_args!("{task}: {choice}"));
                }
                Step::Panic => panic_silently("expected"),
            }
        }
    }
}

/// Plays some scripts in each of several roots, and tells what happened.
fn history(builder: Builder, roots: &[Vec<Vec<Step>>]) -> Vec<String> {
    let executor = builder.start_paused(true).seed(7).build();
    let world = World {
        start: executor.block_on(async { Instant::now() }),
        history: History::new(),
        spawned: Rc::default(),
        wakers: Rc::default(),
        handles: Rc::default(),
        abort_handles: Rc::default(),
        mutex: Rc::default(),
    };
    for scripts in roots {
        executor.block_on(async {
            scripts.iter().for_each(|script| world.spawn(script.clone()));
            sleep(20 * MS).await;
            world.history.push("the root is over");
        });
    }
    drop(executor);
    world.history.take()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_program_does_the_same_whether_it_is_watched_or_not(
        roots in prop::collection::vec(prop::collection::vec(scripts(), 0..4), 1..3),
    ) {
        let unwatched = history(Executor::builder(), &roots);
        for capacity in [1, 10, 100_000] {
            prop_assert_eq!(&history(Executor::builder().record(capacity), &roots), &unwatched);
        }
        prop_assert_eq!(&history(Executor::builder().panic_on_stall(true), &roots), &unwatched);
    }
}
