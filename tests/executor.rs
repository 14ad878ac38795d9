//! The executor's promises: what it polls, when, in which order, and what it drops at the end.
//!
//! The sections follow the promises of `lib.rs` by their numbers. What a handle can do with a task
//! is in `task.rs`, timers are in `time.rs`.

mod support;

use handspun::executor::Executor;
use handspun::task::{self, yield_now};
use handspun::time::{self, Duration, Instant};
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use support::{CountingWaker, History, WakerSlot, caught, panic_silently, paused};

const SECOND: Duration = Duration::from_secs(1);

/// A paused executor that panics when it stalls.
fn paused_executor() -> Executor {
    Executor::builder().start_paused(true).panic_on_stall(true).build()
}

/// Wakes on another thread, which has done it when this returns.
fn wake_on_another_thread(waker: Waker) {
    thread::spawn(|| waker.wake()).join().unwrap();
}

/// Lets every runnable task have this many turns.
async fn turns(count: usize) {
    for _ in 0..count {
        yield_now().await;
    }
}

// Promise 1: lazy.

#[test]
fn a_future_does_nothing_before_it_is_polled() {
    let history = History::new();
    let executor = Executor::new();
    executor.spawn(history.probe("task", 0));
    let root = history.probe("root", 0);
    history.push("nothing so far");
    executor.block_on(root);
    history.expect([
        "nothing so far",
        "task: poll",
        "task: drop",
        "root: poll",
        "root: drop",
    ]);
}

#[test]
fn spawn_returns_before_the_task_is_polled() {
    let history = History::new();
    paused(async {
        handspun::spawn(history.probe("task", 0));
        history.push("root: has spawned");
        yield_now().await;
        history.push("root: goes on");
    });
    history.expect([
        "root: has spawned",
        "task: poll",
        "task: drop",
        "root: goes on",
    ]);
}

#[test]
fn a_task_that_is_never_polled_is_only_dropped() {
    let history = History::new();
    paused(async {
        handspun::spawn(history.probe("task", 0));
    });
    history.expect(["task: drop"]);
}

// Promise 2: woken means polled.

#[test]
fn many_wakes_become_one_poll() {
    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        handspun::spawn(history.parked("task", &slot));
        yield_now().await;
        history.push("root: wakes it three times");
        slot.wake();
        slot.waker().wake_by_ref();
        slot.wake();
        turns(3).await;
        history.push("root: is over");
    });
    history.expect([
        "task: poll",
        "root: wakes it three times",
        "task: poll",
        "root: is over",
        "task: drop",
    ]);
}

#[test]
fn a_task_that_is_not_woken_is_not_polled() {
    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        handspun::spawn(history.parked("task", &slot));
        turns(5).await;
        history.push("root: is over");
    });
    history.expect(["task: poll", "root: is over", "task: drop"]);
}

#[test]
fn wakes_during_the_poll_give_exactly_one_more() {
    let history = History::new();
    paused(async {
        let line = history.clone();
        let mut polls = 0;
        handspun::spawn(poll_fn(move |cx| {
            polls += 1;
            line.push(format_args!("task: poll {polls}"));
            if polls == 1 {
                cx.waker().wake_by_ref();
                let clone = cx.waker().clone();
                clone.wake();
                wake_on_another_thread(cx.waker().clone());
            }
            Poll::<()>::Pending
        }));
        turns(5).await;
    });
    let polls = history.take();
    // The two wakes at home are one. The one from the thread is a letter, which is read after the
    // poll, when the task is in the queue already: again the same one.
    assert_eq!(polls, ["task: poll 1", "task: poll 2"]);
}

#[test]
fn wakes_by_several_tasks_before_its_turn_become_one_poll() {
    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        handspun::spawn(history.parked("task", &slot));
        yield_now().await;
        for waker in ["first", "second"] {
            let (line, slot) = (history.clone(), slot.clone());
            handspun::spawn(async move {
                line.push(format_args!("{waker}: wakes it"));
                slot.wake();
            });
        }
        turns(4).await;
        history.push("root: is over");
    });
    // The second finds it in the queue already.
    history.expect([
        "task: poll",
        "first: wakes it",
        "second: wakes it",
        "task: poll",
        "root: is over",
        "task: drop",
    ]);
}

#[test]
fn a_wake_from_another_thread_ends_the_sleep_of_an_idle_executor() {
    let history = History::new();
    let (sender, receiver) = mpsc::channel::<Waker>();
    let is_set = Arc::new(AtomicBool::new(false));
    let set = is_set.clone();
    let thread = thread::spawn(move || {
        let waker = receiver.recv().unwrap();
        set.store(true, Ordering::SeqCst);
        waker.wake();
    });
    let mut sender = Some(sender);
    handspun::block_on(poll_fn(|cx| {
        history.push("root: poll");
        if let Some(sender) = sender.take() {
            sender.send(cx.waker().clone()).unwrap();
            return Poll::Pending;
        }
        assert!(is_set.load(Ordering::SeqCst), "polled without a wake");
        Poll::Ready(())
    }));
    thread.join().unwrap();
    history.expect(["root: poll", "root: poll"]);
}

#[test]
fn a_wake_between_two_block_ons_is_not_lost() {
    let history = History::new();
    let slot = WakerSlot::new();
    let executor = paused_executor();
    executor.spawn(history.parked("at home", &slot));
    let far_slot = WakerSlot::new();
    executor.spawn(history.parked("from a thread", &far_slot));
    executor.block_on(yield_now());
    history.push("between");
    slot.wake();
    wake_on_another_thread(far_slot.waker());
    executor.block_on(turns(2));
    history.expect([
        "at home: poll",
        "from a thread: poll",
        "between",
        "at home: poll",
        "from a thread: poll",
    ]);
}

// Promise 3: one poller.

#[test]
fn a_task_is_polled_on_the_thread_of_its_executor_whoever_wakes_it() {
    let here = thread::current().id();
    let slot = WakerSlot::new();
    let polls = Rc::new(RefCell::new(Vec::new()));
    paused(async {
        let (left, seen) = (slot.clone(), polls.clone());
        handspun::spawn(poll_fn(move |cx| {
            left.put(cx.waker());
            seen.borrow_mut().push(thread::current().id());
            Poll::<()>::Pending
        }));
        yield_now().await;
        wake_on_another_thread(slot.waker());
        // One turn in which the letter is read, one in which the task is polled.
        turns(2).await;
    });
    assert_eq!(*polls.borrow(), [here, here]);
}

#[test]
fn a_task_is_never_polled_inside_its_own_poll() {
    let history = History::new();
    paused(async {
        let line = history.clone();
        let mut polls = 0;
        let task = handspun::spawn(poll_fn(move |cx| {
            line.push("task: in");
            cx.waker().wake_by_ref();
            wake_on_another_thread(cx.waker().clone());
            handspun::spawn(line.probe("child", 0));
            let other = Executor::new();
            other.spawn(line.probe("other's", 0));
            drop(other);
            line.push("task: out");
            polls += 1;
            if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
        }));
        task.await.unwrap();
        history.push("root: is over");
    });
    history.expect([
        "task: in",
        "other's: drop",
        "task: out",
        "child: poll",
        "child: drop",
        "task: in",
        "other's: drop",
        "task: out",
        "child: poll",
        "child: drop",
        "root: is over",
    ]);
}

#[test]
fn a_finished_task_is_not_polled_again() {
    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        let (line, left) = (history.clone(), slot.clone());
        let task = handspun::spawn(poll_fn(move |cx| {
            line.push("task: poll");
            left.put(cx.waker());
            cx.waker().wake_by_ref();
            Poll::Ready(())
        }));
        yield_now().await;
        slot.wake();
        task.abort();
        wake_on_another_thread(slot.waker());
        turns(3).await;
        assert!(task.await.is_ok());
    });
    history.expect(["task: poll"]);
}

// Promise 4: fair.

#[test]
fn a_turn_polls_each_runnable_task_once_in_order() {
    let history = History::new();
    paused(async {
        handspun::spawn(history.probe("a", 2));
        handspun::spawn(history.probe("b", 1));
        handspun::spawn(history.probe("c", 2));
        for turn in 1..=3 {
            history.push(format_args!("root: turn {turn}"));
            yield_now().await;
        }
    });
    history.expect([
        "root: turn 1",
        "a: poll",
        "b: poll",
        "c: poll",
        "root: turn 2",
        "a: poll",
        "b: poll",
        "b: drop",
        "c: poll",
        "root: turn 3",
        "a: poll",
        "a: drop",
        "c: poll",
        "c: drop",
    ]);
}

#[test]
fn a_task_that_is_woken_during_a_turn_waits_for_the_next() {
    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        handspun::spawn(history.parked("sleeper", &slot));
        yield_now().await;
        history.push("root: a turn");
        handspun::spawn(history.probe("before", 0));
        let line = history.clone();
        handspun::spawn(async move {
            line.push("waker: wakes the sleeper");
            slot.wake();
        });
        handspun::spawn(history.probe("after", 0));
        yield_now().await;
        history.push("root: the next turn");
        yield_now().await;
    });
    history.expect([
        "sleeper: poll",
        "root: a turn",
        "before: poll",
        "before: drop",
        "waker: wakes the sleeper",
        "after: poll",
        "after: drop",
        "root: the next turn",
        "sleeper: poll",
        "sleeper: drop",
    ]);
}

#[test]
fn a_task_that_is_spawned_during_a_turn_waits_for_the_next() {
    let history = History::new();
    paused(async {
        let line = history.clone();
        handspun::spawn(async move {
            handspun::spawn(line.probe("child", 0));
            line.push("parent: is over");
        });
        handspun::spawn(history.probe("neighbour", 0));
        yield_now().await;
        history.push("root: the next turn");
        yield_now().await;
    });
    history.expect([
        "parent: is over",
        "neighbour: poll",
        "neighbour: drop",
        "root: the next turn",
        "child: poll",
        "child: drop",
    ]);
}

#[test]
fn tasks_are_polled_in_the_order_in_which_they_were_woken() {
    let history = History::new();
    let [a, b, c] = [(); 3].map(|()| WakerSlot::new());
    paused(async {
        handspun::spawn(history.parked("a", &a));
        handspun::spawn(history.parked("b", &b));
        handspun::spawn(history.parked("c", &c));
        yield_now().await;
        history.push("root: wakes c, a, b, and c again");
        c.wake();
        a.wake();
        b.wake();
        c.wake();
        yield_now().await;
        history.push("root: is over");
    });
    history.expect([
        "a: poll",
        "b: poll",
        "c: poll",
        "root: wakes c, a, b, and c again",
        "c: poll",
        "a: poll",
        "b: poll",
        "root: is over",
        "a: drop",
        "b: drop",
        "c: drop",
    ]);
}

#[test]
fn the_root_has_its_turn_like_any_task() {
    let history = History::new();
    let executor = paused_executor();
    executor.spawn(history.probe("a", 2));
    executor.spawn(history.probe("b", 2));
    executor.block_on(history.probe("root", 2));
    history.expect([
        "a: poll",
        "b: poll",
        "root: poll",
        "a: poll",
        "b: poll",
        "root: poll",
        "a: poll",
        "a: drop",
        "b: poll",
        "b: drop",
        "root: poll",
        "root: drop",
    ]);
}

#[test]
fn a_task_that_never_waits_starves_neither_a_task_nor_a_timer_nor_a_thread() {
    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        handspun::spawn(history.parked("thread's", &slot));
        let line = history.clone();
        handspun::spawn(async move {
            time::sleep(SECOND).await;
            line.push("timer's: ready");
        });
        yield_now().await;
        handspun::spawn(history.probe("spinner", usize::MAX));
        handspun::spawn(history.probe("task", 1));
        yield_now().await;
        history.push("root: a thread wakes");
        wake_on_another_thread(slot.waker());
        turns(2).await;
        history.push("root: a second passes");
        time::advance(SECOND).await;
    });
    history.expect([
        "thread's: poll",
        "spinner: poll",
        "task: poll",
        "root: a thread wakes",
        "spinner: poll",
        "task: poll",
        "task: drop",
        // The letter was read when the turn had begun, so it comes in at the end of the next.
        "thread's: poll",
        "spinner: poll",
        "root: a second passes",
        "spinner: poll",
        "timer's: ready",
        "spinner: poll",
        "thread's: drop",
        "spinner: drop",
    ]);
}

const LONG_TURN: usize = 200;

/// The order of a turn of 200 tasks in which `target` is polled as well. Something that wakes it
/// `happens` in the turn before, while task number `at` is polled.
///
/// Each of the 200 wakes itself in that turn, and so becomes runnable again when it is polled: the
/// place of the target among them tells when its wake was taken in.
fn long_turn(
    history: &History,
    at: usize,
    target: impl Future<Output = ()> + 'static,
    happens: impl FnOnce() + 'static,
) -> Vec<String> {
    paused(async {
        handspun::spawn(target);
        yield_now().await;
        history.take();
        let mut happens = Some(happens);
        for number in 0..LONG_TURN {
            let happens = if number == at { happens.take() } else { None };
            let line = history.clone();
            handspun::spawn(async move {
                happens.into_iter().for_each(|happens| happens());
                yield_now().await;
                line.push(number);
            });
        }
        turns(2).await;
        history.take()
    })
}

/// The numbers of all 200, with `line` after the first `polls` of them.
fn in_turn_after(polls: usize, line: &str) -> Vec<String> {
    let numbers = |range: std::ops::Range<usize>| range.map(|number| number.to_string());
    numbers(0..polls).chain([line.to_string()]).chain(numbers(polls..LONG_TURN)).collect()
}

#[test]
fn a_wake_from_another_thread_is_taken_in_within_64_polls() {
    for (at, taken_in_after) in [(0, 64), (10, 64), (63, 64), (64, 128), (191, 192)] {
        let history = History::new();
        let slot = WakerSlot::new();
        let target = history.parked("target: poll", &slot);
        let order = long_turn(&history, at, target, move || wake_on_another_thread(slot.waker()));
        assert_eq!(order, in_turn_after(taken_in_after, "target: poll: poll"), "woken at {at}");
    }
}

#[test]
fn a_timer_that_is_due_fires_within_64_polls() {
    for (at, fires_after) in [(0, 64), (10, 64), (63, 64), (64, 128), (191, 192)] {
        let history = History::new();
        let line = history.clone();
        let target = async move {
            time::sleep(SECOND).await;
            line.push("target: the second is over");
        };
        let a_second_passes = || {
            // The first poll sets the clock; the rest of `advance` would only wait for the tasks.
            let advance = pin!(time::advance(SECOND));
            assert!(advance.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        };
        let order = long_turn(&history, at, target, a_second_passes);
        assert_eq!(order, in_turn_after(fires_after, "target: the second is over"), "due at {at}");
    }
}

#[test]
fn a_timer_fires_in_the_middle_of_a_long_turn_on_the_real_clock() {
    handspun::block_on(async {
        let timer = handspun::spawn(time::sleep(Duration::from_millis(1)));
        yield_now().await;
        // Half a turn's polls: the timer comes due in the first, and is looked at after the 64th.
        for number in 0..LONG_TURN {
            handspun::spawn(async move {
                if number == 0 {
                    thread::sleep(Duration::from_millis(2));
                }
                yield_now().await;
            });
        }
        turns(2).await;
        assert!(timer.is_finished());
    });
}

#[test]
fn a_timer_waits_for_the_rest_of_the_turn_and_for_all_who_are_queued() {
    const MS: Duration = Duration::from_millis(1);
    let (late, waited_for) = paused(async {
        let polls = Rc::new(Cell::new(0));
        let so_far = polls.clone();
        let due = Instant::now() + Duration::from_micros(1);
        let timer = handspun::spawn(async move {
            time::sleep_until(due).await;
            (due.elapsed(), so_far.get())
        });
        yield_now().await;
        // Ten who work for a millisecond in each poll. The timer comes due in the first poll.
        for _busy in 0..10 {
            let polls = polls.clone();
            handspun::spawn(async move {
                loop {
                    let work = pin!(time::advance(MS));
                    assert!(work.poll(&mut Context::from_waker(Waker::noop())).is_pending());
                    polls.update(|polls| polls + 1);
                    yield_now().await;
                }
            });
        }
        timer.await.unwrap()
    });
    assert_eq!((late, waited_for), (20 * MS - Duration::from_micros(1), 20));
}

// Promise 6: drop is cancel. (Aborting and detaching: see task.rs.)

#[test]
fn a_dropped_future_stops_where_it_was_and_its_destructors_run() {
    let history = History::new();
    paused(async {
        let line = history.clone();
        let task = handspun::spawn(async move {
            let _outer = line.on_drop("outer: drop");
            line.push("task: before");
            {
                let _inner = line.on_drop("inner: drop");
                pending::<()>().await;
            }
            line.push("task: never comes here");
        });
        yield_now().await;
        task.abort();
        history.push("root: has aborted");
        assert!(task.await.unwrap_err().is_cancelled());
    });
    history.expect([
        "task: before",
        "root: has aborted",
        "inner: drop",
        "outer: drop",
    ]);
}

// Promise 7: a panic stays in its task; a panic of the root comes out of block_on. (Panics of
// tasks: see task.rs.)

#[test]
fn a_panic_of_the_root_comes_out_after_every_other_task_has_been_dropped() {
    let history = History::new();
    let executor = paused_executor();
    let panicked = caught(|| {
        executor.block_on(async {
            let _root = history.on_drop("root: drop");
            handspun::spawn(history.parked("a", &WakerSlot::new()));
            handspun::spawn(history.probe("b", 9));
            yield_now().await;
            handspun::spawn(history.probe("never polled", 0));
            panic_silently("the root's")
        })
    });
    history.push("block_on is over");
    assert_eq!(panicked, Err::<(), _>("the root's".to_string()));
    history.expect([
        "a: poll",
        "b: poll",
        "root: drop",
        "a: drop",
        "b: drop",
        "never polled: drop",
        "block_on is over",
    ]);

    // The executor is as good as new.
    executor.block_on(async {
        handspun::spawn(history.probe("another", 1)).await.unwrap();
        time::sleep(SECOND).await;
        history.push("root: is over");
    });
    history.expect([
        "another: poll",
        "another: poll",
        "another: drop",
        "root: is over",
    ]);
}

#[test]
fn a_panic_of_the_one_shot_block_ons_root_comes_out_in_the_same_order() {
    let history = History::new();
    let panicked = caught(|| {
        handspun::block_on(async {
            let _root = history.on_drop("root: drop");
            handspun::spawn(history.probe("task", 0));
            panic_silently("the root's")
        })
    });
    history.push("block_on is over");
    assert_eq!(panicked, Err::<(), _>("the root's".to_string()));
    history.expect(["root: drop", "task: drop", "block_on is over"]);
}

#[test]
fn a_panic_of_a_roots_destructor_comes_out_after_every_other_task_has_been_dropped() {
    let history = History::new();
    let executor = paused_executor();
    let panicked = caught(|| {
        executor.spawn(history.probe("task", 9));
        let bomb = PanicsOnDrop(history.clone(), "root");
        executor.block_on(poll_fn(move |_| {
            let _held_after_it_is_ready = &bomb;
            Poll::Ready(())
        }));
    });
    assert_eq!(panicked, Err("root: the destructor's".to_string()));
    history.expect(["task: poll", "root: drop", "task: drop"]);
}

/// Its destructor panics.
struct PanicsOnDrop(History, &'static str);

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        self.0.push(format_args!("{}: drop", self.1));
        panic!("{}: the destructor's", self.1);
    }
}

#[test]
fn a_panic_of_a_destructor_costs_no_other_task_its_own() {
    let history = History::new();
    let executor = Executor::new();
    for name in ["a", "b", "c"] {
        let bomb = PanicsOnDrop(history.clone(), name);
        executor.spawn(async move {
            let _bomb = bomb;
            pending::<()>().await
        });
    }
    executor.block_on(yield_now());
    assert_eq!(caught(|| drop(executor)), Ok(()));
    history.expect(["a: drop", "b: drop", "c: drop"]);
}

#[test]
fn destructors_may_panic_while_the_roots_panic_is_on_its_way() {
    let history = History::new();
    let panicked = caught(|| {
        handspun::block_on(async {
            for name in ["a", "b"] {
                let bomb = PanicsOnDrop(history.clone(), name);
                handspun::spawn(async move { drop(bomb) });
            }
            panic_silently("the root's")
        })
    });
    assert_eq!(panicked, Err::<(), _>("the root's".to_string()));
    history.expect(["a: drop", "b: drop"]);
}

// Promise 8: root decides.

#[test]
fn block_on_returns_when_the_root_is_ready_and_drops_the_rest_before() {
    let history = History::new();
    handspun::block_on(async {
        handspun::spawn(history.parked("idle", &WakerSlot::new()));
        handspun::spawn(history.probe("runnable", 9));
        yield_now().await;
        handspun::spawn(history.probe("never polled", 0));
        history.push("root: is over");
    });
    history.push("block_on is over");
    history.expect([
        "idle: poll",
        "runnable: poll",
        "root: is over",
        "idle: drop",
        "runnable: drop",
        "never polled: drop",
        "block_on is over",
    ]);
}

#[test]
fn block_on_does_not_finish_the_turn_in_which_the_root_is_ready() {
    let history = History::new();
    let slot = WakerSlot::new();
    let executor = paused_executor();
    executor.block_on(async {
        let (line, root) = (history.clone(), slot.clone());
        handspun::spawn(async move {
            line.push("task: wakes the root, and spawns");
            root.wake();
            handspun::spawn(line.probe("behind the root", 0));
        });
        let mut is_first = true;
        poll_fn(|cx| {
            history.push("root: poll");
            slot.put(cx.waker());
            let is_over = !std::mem::take(&mut is_first);
            if is_over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    });
    history.push("block_on is over");
    executor.block_on(yield_now());
    history.expect([
        "root: poll",
        "task: wakes the root, and spawns",
        "root: poll",
        "block_on is over",
        "behind the root: poll",
        "behind the root: drop",
    ]);
}

#[test]
fn what_is_left_is_dropped_in_the_order_of_spawning_whatever_its_slots() {
    let history = History::new();
    handspun::block_on(async {
        let first = handspun::spawn(async {});
        let second = handspun::spawn(async {});
        handspun::spawn(history.parked("a", &WakerSlot::new()));
        first.await.unwrap();
        second.await.unwrap();
        // These two find the slots of the first two free.
        handspun::spawn(history.parked("b", &WakerSlot::new()));
        handspun::spawn(history.parked("c", &WakerSlot::new()));
        handspun::spawn(history.parked("d", &WakerSlot::new()));
    });
    history.expect(["a: poll", "a: drop", "b: drop", "c: drop", "d: drop"]);
}

#[test]
fn an_executor_keeps_its_tasks_from_one_block_on_to_the_next() {
    let history = History::new();
    let slot = WakerSlot::new();
    let executor = paused_executor();
    executor.spawn(history.parked("a", &slot));
    executor.block_on(async {
        handspun::spawn(history.probe("b", 2));
        yield_now().await;
    });
    history.push("between");
    executor.spawn(history.probe("c", 0));
    executor.block_on(async {
        history.push("root: wakes a");
        slot.wake();
        yield_now().await;
    });
    history.push("the executor is dropped");
    drop(executor);
    history.push("it is gone");
    history.expect([
        "a: poll",
        "b: poll",
        "between",
        "b: poll",
        "c: poll",
        "c: drop",
        "root: wakes a",
        "b: poll",
        "b: drop",
        "a: poll",
        "the executor is dropped",
        "a: drop",
        "it is gone",
    ]);
}

#[test]
fn timers_keep_running_from_one_block_on_to_the_next() {
    let history = History::new();
    let executor = paused_executor();
    let line = history.clone();
    let sleeper = executor.spawn(async move {
        time::sleep(3 * SECOND).await;
        line.push("sleeper: ready");
    });
    executor.block_on(async { time::sleep(2 * SECOND).await });
    history.push("two seconds later");
    executor.block_on(async {
        let start = Instant::now();
        sleeper.await.unwrap();
        assert_eq!(start.elapsed(), SECOND);
    });
    history.expect(["two seconds later", "sleeper: ready"]);
}

#[test]
fn an_executor_that_never_ran_drops_its_tasks_when_it_is_dropped() {
    let history = History::new();
    let executor = Executor::new();
    executor.spawn(history.probe("a", 0));
    executor.spawn(history.probe("b", 0));
    drop(executor);
    history.expect(["a: drop", "b: drop"]);
}

#[test]
fn what_a_destructor_wakes_or_aborts_at_shutdown_is_not_polled_any_more() {
    struct Meddler(History, WakerSlot, Option<task::AbortHandle>);

    impl Drop for Meddler {
        fn drop(&mut self) {
            self.0.push("meddler: drop");
            self.1.wake();
            self.2.take().unwrap().abort();
        }
    }

    let history = History::new();
    let slot = WakerSlot::new();
    let meddler = Rc::new(RefCell::new(Some(Meddler(history.clone(), slot.clone(), None))));
    handspun::block_on(async {
        let holder = meddler.clone();
        handspun::spawn(async move {
            let _meddler = holder.take();
            pending::<()>().await
        });
        let other = handspun::spawn(history.parked("other", &slot));
        meddler.borrow_mut().as_mut().unwrap().2 = Some(other.abort_handle());
        yield_now().await;
    });
    history.expect(["other: poll", "meddler: drop", "other: drop"]);
}

#[test]
fn the_root_may_borrow_from_the_stack() {
    let mut numbers = vec![1, 2];
    let length = handspun::block_on(async {
        numbers.push(3);
        yield_now().await;
        numbers.len()
    });
    assert_eq!(numbers[..length], [1, 2, 3]);
}

// Promise 9: replay.

#[test]
fn the_same_program_gives_the_same_history() {
    fn program() -> Vec<String> {
        let history = History::new();
        paused(async {
            let start = Instant::now();
            let mut tasks = Vec::new();
            for number in 0..20_u32 {
                let line = history.clone();
                tasks.push(handspun::spawn(async move {
                    let _line = line.on_drop(format_args!("{number}: drop"));
                    for lap in 0..number % 4 {
                        time::sleep(SECOND * (number * 7 % 5)).await;
                        line.push(format_args!("{number}: lap {lap} at {:?}", start.elapsed()));
                        yield_now().await;
                    }
                    if number % 6 == 5 {
                        panic_silently("six");
                    }
                }));
            }
            for aborted in tasks.iter().step_by(3) {
                yield_now().await;
                aborted.abort();
            }
            for task in tasks {
                history.push(format_args!("{:?} at {:?}", task.await, start.elapsed()));
            }
        });
        history.take()
    }

    let first = program();
    assert!(first.len() > 50);
    assert_eq!(program(), first);
    // Also on a thread that has had no executor before.
    assert_eq!(thread::spawn(program).join().unwrap(), first);
}

// Promise 10: wakers are free.

#[test]
fn a_waker_whose_task_is_gone_wakes_nobody_not_even_the_next_in_its_slot() {
    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        let gone = handspun::spawn(history.parked("gone", &slot));
        yield_now().await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        handspun::spawn(history.parked("next", &WakerSlot::new()));
        yield_now().await;
        history.push("root: calls the stale waker");
        slot.wake();
        wake_on_another_thread(slot.waker());
        turns(3).await;
        history.push("root: is over");
    });
    history.expect([
        "gone: poll",
        "gone: drop",
        "next: poll",
        "root: calls the stale waker",
        "root: is over",
        "next: drop",
    ]);
}

#[test]
fn a_waker_whose_executor_is_gone_wakes_nobody_not_even_in_the_next_executor() {
    let history = History::new();
    let slot = WakerSlot::new();
    let executor = paused_executor();
    executor.spawn(history.parked("gone", &slot));
    executor.block_on(yield_now());
    drop(executor);
    slot.wake();

    let executor = paused_executor();
    executor.spawn(history.parked("next", &WakerSlot::new()));
    slot.wake();
    executor.block_on(async {
        yield_now().await;
        history.push("root: calls the stale waker");
        slot.wake();
        wake_on_another_thread(slot.waker());
        turns(3).await;
        history.push("root: is over");
    });
    drop(executor);
    slot.wake();
    history.expect([
        "gone: poll",
        "gone: drop",
        "next: poll",
        "root: calls the stale waker",
        "root: is over",
        "next: drop",
    ]);
}

#[test]
fn a_waker_may_outlive_the_thread_of_its_executor() {
    let waker = thread::spawn(|| handspun::block_on(poll_fn(|cx| Poll::Ready(cx.waker().clone()))));
    let waker = waker.join().unwrap();
    waker.wake_by_ref();
    let clone = waker.clone();
    thread::spawn(move || clone.wake()).join().unwrap();
}

#[test]
fn a_waker_may_be_called_while_its_thread_ends() {
    struct WakesOnDrop(Waker);

    impl Drop for WakesOnDrop {
        fn drop(&mut self) {
            self.0.wake_by_ref();
            let _clone = self.0.clone();
        }
    }

    thread_local!(static LAST: RefCell<Option<WakesOnDrop>> = const { RefCell::new(None) });
    let thread = thread::spawn(|| {
        LAST.with(|_| ());
        let waker = handspun::block_on(poll_fn(|cx| Poll::Ready(cx.waker().clone())));
        LAST.set(Some(WakesOnDrop(waker)));
    });
    thread.join().unwrap();
}

#[test]
fn a_waker_may_be_called_by_a_destructor_that_the_executor_runs() {
    struct WakesOnDrop(WakerSlot);

    impl Drop for WakesOnDrop {
        fn drop(&mut self) {
            self.0.wake();
        }
    }

    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        handspun::spawn(history.parked("other", &slot));
        let wakes = WakesOnDrop(slot);
        let task = handspun::spawn(async move {
            let _wakes = wakes;
            pending::<()>().await
        });
        yield_now().await;
        task.abort();
        turns(2).await;
        history.push("root: is over");
    });
    history.expect(["other: poll", "other: poll", "root: is over", "other: drop"]);
}

#[test]
fn wakers_of_one_task_are_equal_and_those_of_two_are_not() {
    let (a, b) = (WakerSlot::new(), WakerSlot::new());
    let history = History::new();
    paused(async {
        handspun::spawn(history.parked("a", &a));
        handspun::spawn(history.parked("b", &b));
        yield_now().await;
        let before = a.waker();
        a.wake();
        yield_now().await;
        assert!(before.will_wake(&a.waker()));
        assert!(!before.will_wake(&b.waker()));
    });
}

// A stall is a diagnosis.

#[test]
fn a_stall_names_every_task_that_waits() {
    let executor = paused_executor();
    let line = line!();
    let report = caught(|| {
        executor.block_on(async {
            handspun::spawn(pending::<()>());
            task::Builder::new().name("reader").spawn(async {
                yield_now().await;
                pending::<()>().await
            });
            handspun::spawn(async {}).await.unwrap();
            handspun::spawn(pending::<()>());
            pending::<()>().await
        })
    });
    let [root, first, reader, last] = [2, 3, 4, 9].map(|below| line + below);
    let drawing = [
        " seconds  0.000",
        " root     █──▲·█╌╌",
        " task 1   +█╌╌╌╌╌╌",
        " reader   +·█·█╌╌╌",
        " task 4        +█╌",
        " █ polled   ─ waits   ╌ waits, and nobody has its waker   · in the run queue",
        " + spawned   ▲ woken by the task that is polled in the same column",
    ];
    let drawing = drawing.join("\n");
    let expected = format!(
        "the executor has stalled: nothing is runnable, and no timer, no socket and no \
         blocking closure is left that could wake a task.\n\
         Waiting:\n  \
           the root future, given to block_on at tests/executor.rs:{root}:18, polled 2 times\n    \
             nobody has a waker of it: it can never be woken\n  \
           task 1, spawned at tests/executor.rs:{first}:13, polled 1 time\n    \
             nobody has a waker of it: it can never be woken\n  \
           task 2 \"reader\", spawned at tests/executor.rs:{reader}:49, polled 2 times\n    \
             nobody has a waker of it: it can never be woken\n  \
           task 4, spawned at tests/executor.rs:{last}:13, polled 1 time\n    \
             nobody has a waker of it: it can never be woken\n\
         What they did last:\n\
         {drawing}\n\
         Each of them returned Pending and was not woken since: its waker was dropped, or lies \
         with what it waits for.\n\
         Who still has the sender, the guard or the permit? One on this list, maybe the same one, \
         maybe in a future that it does not poll any more.\n\
         (If a thread of your own has it, leave `panic_on_stall` off: the executor does not know \
         of it.)"
    );
    assert_eq!(report, Err(expected));
}

#[test]
fn a_stall_drops_every_task_and_leaves_the_executor_usable() {
    let history = History::new();
    let executor = paused_executor();
    let report = caught(|| {
        executor.block_on(async {
            let _root = history.on_drop("root: drop");
            handspun::spawn(history.parked("task", &WakerSlot::new()));
            pending::<()>().await
        })
    });
    assert!(report.unwrap_err().starts_with("the executor has stalled"));
    executor.block_on(history.probe("the next root", 1));
    history.expect([
        "task: poll",
        "root: drop",
        "task: drop",
        "the next root: poll",
        "the next root: poll",
        "the next root: drop",
    ]);
}

#[test]
fn waiting_for_a_timer_is_not_a_stall() {
    paused(async {
        handspun::spawn(pending::<()>());
        time::sleep(3600 * SECOND).await;
    });
}

#[test]
fn waiting_for_a_blocking_closure_is_not_a_stall_until_it_is_over() {
    let history = History::new();
    let report = caught(|| {
        paused(async {
            let closure = task::spawn_blocking(|| thread::sleep(Duration::from_millis(5)));
            closure.await.unwrap();
            history.push("root: the closure is over");
            pending::<()>().await
        })
    });
    history.expect(["root: the closure is over"]);
    assert!(report.unwrap_err().starts_with("the executor has stalled"));
}

// Executors among executors.

#[test]
fn two_executors_take_turns_on_one_thread() {
    let history = History::new();
    let slot = WakerSlot::new();
    let (a, b) = (paused_executor(), paused_executor());
    a.spawn(history.parked("a's", &slot));
    b.spawn(history.probe("b's", 1));
    a.block_on(yield_now());
    b.block_on(async {
        history.push("b's root: wakes a's task");
        slot.wake();
        turns(2).await;
    });
    history.push("a again");
    a.block_on(turns(2));
    drop(b);
    history.push("b is gone");
    drop(a);
    history.expect([
        "a's: poll",
        "b's: poll",
        "b's root: wakes a's task",
        "b's: poll",
        "b's: drop",
        "a again",
        "a's: poll",
        "b is gone",
        "a's: drop",
    ]);
}

#[test]
fn an_executor_may_spawn_onto_another_from_inside() {
    let history = History::new();
    let other = paused_executor();
    paused(async {
        other.spawn(history.probe("other's", 0));
        handspun::spawn(history.probe("ours", 0));
        turns(3).await;
        history.push("root: is over");
    });
    other.block_on(yield_now());
    history.expect([
        "ours: poll",
        "ours: drop",
        "root: is over",
        "other's: poll",
        "other's: drop",
    ]);
}

#[test]
fn a_running_executor_may_spawn_by_itself() {
    let history = History::new();
    let executor = paused_executor();
    executor.block_on(async {
        executor.spawn(history.probe("task", 0)).await.unwrap();
        history.push("root: is over");
    });
    history.expect(["task: poll", "task: drop", "root: is over"]);
}

#[test]
fn an_executor_may_be_dropped_inside_anothers_task() {
    let history = History::new();
    let inner = paused_executor();
    inner.spawn(history.parked("inner a", &WakerSlot::new()));
    inner.spawn(history.probe("inner b", 9));
    inner.block_on(yield_now());
    paused(async {
        let line = history.clone();
        let task = handspun::spawn(async move {
            let id = task::id();
            drop(inner);
            assert_eq!(task::id(), id);
            handspun::spawn(line.probe("outer child", 0)).await.unwrap();
            line.push("outer: is over");
        });
        task.await.unwrap();
    });
    history.expect([
        "inner a: poll",
        "inner b: poll",
        "inner b: poll",
        "inner a: drop",
        "inner b: drop",
        "outer child: poll",
        "outer child: drop",
        "outer: is over",
    ]);
}

#[test]
fn a_destructor_in_an_inner_executor_may_spawn_onto_the_outer_one() {
    struct SpawnsOnDrop(History, Rc<Executor>);

    impl Drop for SpawnsOnDrop {
        fn drop(&mut self) {
            self.0.push("inner: drop");
            self.1.spawn(self.0.probe("outer's", 0));
        }
    }

    let history = History::new();
    let (outer, inner) = (Rc::new(paused_executor()), paused_executor());
    let guard = SpawnsOnDrop(history.clone(), outer.clone());
    inner.spawn(async move { drop(guard) });
    outer.block_on(async {
        drop(inner);
        history.push("root: has dropped the inner one");
        yield_now().await;
    });
    history.expect([
        "inner: drop",
        "root: has dropped the inner one",
        "outer's: poll",
        "outer's: drop",
    ]);
}

#[test]
fn a_foreign_waker_in_a_timer_is_dropped_with_the_executor() {
    let (counter, waker) = CountingWaker::new();
    let executor = paused_executor();
    executor.spawn(async move {
        let mut sleep = pin!(time::sleep(SECOND));
        assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        pending::<()>().await
    });
    executor.block_on(yield_now());
    assert_eq!(Arc::strong_count(&counter), 2);
    drop(executor);
    assert_eq!(Arc::strong_count(&counter), 1);
    assert_eq!(counter.wakes(), 0);
}

// Calls in the wrong place say so.

#[test]
#[should_panic(
    expected = "block_on was called inside an executor: it would hold up every task of \
                           this thread. `.await` the future here, or give it to `handspun::spawn`"
)]
fn block_on_inside_block_on_panics() {
    handspun::block_on(async { handspun::block_on(async {}) });
}

#[test]
#[should_panic(expected = "block_on was called inside an executor")]
fn block_on_of_another_executor_inside_block_on_panics() {
    let other = Executor::new();
    handspun::block_on(async { other.block_on(async {}) });
}

#[test]
fn block_on_inside_a_task_panics_in_that_task() {
    let error = paused(async {
        let task = handspun::spawn(async { caught(|| handspun::block_on(async {})) });
        task.await.unwrap().unwrap_err()
    });
    assert!(error.starts_with("block_on was called inside an executor"));
}

#[test]
#[should_panic(
    expected = "spawn was called where no executor is running: call it inside a future \
                           that `handspun::block_on` runs, or use `Executor::spawn`"
)]
fn spawn_outside_of_an_executor_panics() {
    handspun::spawn(async {});
}

#[test]
#[should_panic(expected = "spawn was called where no executor is running")]
fn spawn_with_a_builder_outside_of_an_executor_panics() {
    task::Builder::new().spawn(async {});
}

#[test]
#[should_panic(expected = "spawn was called where no executor is running")]
fn spawn_after_block_on_panics() {
    handspun::block_on(async {});
    handspun::spawn(async {});
}

#[test]
#[should_panic(
    expected = "spawn_blocking was called where no executor is running: call it inside \
                           a future that `handspun::block_on` runs"
)]
fn spawn_blocking_outside_of_an_executor_panics() {
    task::spawn_blocking(|| ());
}

#[test]
#[should_panic(
    expected = "a handspun timer was polled where no executor is running: await it \
                           inside a future that `handspun::block_on` runs"
)]
fn a_timer_outside_of_an_executor_panics() {
    let sleep = pin!(time::sleep(SECOND));
    let _ = sleep.poll(&mut Context::from_waker(Waker::noop()));
}

#[test]
#[should_panic(
    expected = "time::pause was called where no executor is running: call it inside a \
                           future that `block_on` runs"
)]
fn pausing_the_clock_outside_of_an_executor_panics() {
    time::pause();
}
