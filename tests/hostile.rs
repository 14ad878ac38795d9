//! User code that does its worst from inside the executor: *No Borrow Across User Code*, attacked.
//!
//! User code runs in polls, in destructors (of futures, outputs, panic payloads, wakers) and in a
//! waker's clone and wake. The first test does every hostile act at every such spot, and each time
//! the executor must go on. The others look at single spots closely, and at depth and number.

#[path = "support/hostile.rs"]
mod hostile;
#[path = "support/programs.rs"]
mod programs;
mod support;

use handspun::block_on;
use handspun::executor::Executor;
use handspun::spawn;
use handspun::task::{AbortHandle, JoinHandle, spawn_blocking, yield_now};
use handspun::time::{Duration, Instant, Sleep, interval, sleep, timeout};
use hostile::{
    Call, Dropping, hostile_payload, hostile_waker, on_a_small_stack, panic_quietly, quietly,
};
use programs::random_programs;
use proptest::prelude::*;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use support::{CountingWaker, History, paused, poll_once, poll_with};

const MS: Duration = Duration::from_millis(1);

fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(f))
}

// Every act at every spot.

#[derive(Clone, Copy, PartialEq, Debug)]
enum Act {
    Spawn,
    SpawnBlocking,
    WakeOwn,
    WakeBystander,
    AbortOwn,
    AbortVictimTwice,
    AbortFinished,
    DropOwnHandle,
    DropVictimsHandle,
    DropFinishedHandle,
    MakeAndDropTimer,
    DropTimer,
    ResetTimer,
    AskTheTime,
    MakeAndDropExecutor,
    DropExecutor,
    BlockOn,
    Panic,
}

const ACTS: [Act; 18] = [
    Act::Spawn,
    Act::SpawnBlocking,
    Act::WakeOwn,
    Act::WakeBystander,
    Act::AbortOwn,
    Act::AbortVictimTwice,
    Act::AbortFinished,
    Act::DropOwnHandle,
    Act::DropVictimsHandle,
    Act::DropFinishedHandle,
    Act::MakeAndDropTimer,
    Act::DropTimer,
    Act::ResetTimer,
    Act::AskTheTime,
    Act::MakeAndDropExecutor,
    Act::DropExecutor,
    Act::BlockOn,
    Act::Panic,
];

/// What is within an act's reach.
#[derive(Default)]
struct Yard {
    /// The task whose code acts.
    own: RefCell<Option<JoinHandle<Box<dyn Any>>>>,
    own_waker: RefCell<Option<Waker>>,
    /// Waits to be woken.
    bystander: RefCell<Option<Waker>>,
    /// Waits for ever.
    victim: RefCell<Option<JoinHandle<()>>>,
    /// Over; its output is unread.
    finished: RefCell<Option<JoinHandle<Box<dyn Any>>>>,
    /// Armed, with the bystander's waker.
    timer: RefCell<Option<Sleep>>,
    /// Has a task that has been polled and waits for ever.
    executor: RefCell<Option<Executor>>,
    acted: Cell<usize>,
    /// Things that exist.
    alive: Rc<Cell<usize>>,
}

impl Yard {
    /// Counts as alive until it is dropped.
    fn guard(&self) -> Box<dyn Any> {
        let alive = self.alive.clone();
        alive.set(alive.get() + 1);
        Box::new(Dropping(move || alive.set(alive.get() - 1)))
    }

    fn commit(&self, act: Act) {
        self.acted.set(self.acted.get() + 1);
        match act {
            Act::Spawn => {
                let guard = self.guard();
                spawn(async move { drop(guard) });
            }
            Act::SpawnBlocking => drop(spawn_blocking(|| ())),
            Act::WakeOwn => self.own_waker.borrow().iter().for_each(Waker::wake_by_ref),
            Act::WakeBystander => self.bystander.borrow().iter().for_each(Waker::wake_by_ref),
            Act::AbortOwn => self.own.borrow().iter().for_each(JoinHandle::abort),
            Act::AbortVictimTwice => {
                self.victim.borrow().iter().for_each(JoinHandle::abort);
                self.victim.borrow().iter().for_each(JoinHandle::abort);
            }
            Act::AbortFinished => self.finished.borrow().iter().for_each(JoinHandle::abort),
            Act::DropOwnHandle => drop(self.own.take()),
            Act::DropVictimsHandle => drop(self.victim.take()),
            Act::DropFinishedHandle => drop(self.finished.take()),
            Act::MakeAndDropTimer => {
                assert!(poll_once(sleep(MS)).is_pending());
            }
            Act::DropTimer => drop(self.timer.take()),
            Act::ResetTimer => {
                if let Some(timer) = &mut *self.timer.borrow_mut() {
                    Pin::new(timer).reset(Instant::now() + 3 * MS);
                }
            }
            Act::AskTheTime => assert!(Instant::now().elapsed() < MS),
            Act::MakeAndDropExecutor => {
                let guard = self.guard();
                Executor::new().spawn(async move { drop(guard) });
            }
            Act::DropExecutor => drop(self.executor.take()),
            Act::BlockOn => quietly(|| block_on(async {})),
            Act::Panic => panic_quietly(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Spot {
    Poll,
    DropOfFinished,
    DropOfPanicked,
    DropOfAborted,
    DropWithExecutor,
    DropInUnwindingOfRoot,
    DropOfDetachedOutput,
    DropOfUnreadOutput,
    DropOfDetachedPayload,
    DropOfUnreadPayload,
    WakerOf(Target, Call),
    WakerDisarmed(Target),
}

/// What is polled with a hostile waker.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Target {
    JoinHandle,
    Sleep,
    Timeout,
    Interval,
}

const TARGETS: [Target; 4] = [
    Target::JoinHandle,
    Target::Sleep,
    Target::Timeout,
    Target::Interval,
];

impl Target {
    /// Pending for a millisecond.
    fn make(self) -> Pin<Box<dyn Future<Output = ()>>> {
        match self {
            Target::JoinHandle => {
                let mut handle = spawn(sleep(MS));
                Box::pin(poll_fn(move |cx| Pin::new(&mut handle).poll(cx).map(drop)))
            }
            Target::Sleep => Box::pin(sleep(MS)),
            Target::Timeout => {
                let mut timeout = Box::pin(timeout(MS, pending::<()>()));
                Box::pin(poll_fn(move |cx| timeout.as_mut().poll(cx).map(drop)))
            }
            Target::Interval => {
                let mut interval = interval(MS);
                assert!(interval.poll_tick(&mut Context::from_waker(Waker::noop())).is_ready());
                Box::pin(poll_fn(move |cx| interval.poll_tick(cx).map(drop)))
            }
        }
    }
}

fn spots() -> Vec<Spot> {
    let mut spots = vec![
        Spot::Poll,
        Spot::DropOfFinished,
        Spot::DropOfPanicked,
        Spot::DropOfAborted,
        Spot::DropWithExecutor,
        Spot::DropInUnwindingOfRoot,
        Spot::DropOfDetachedOutput,
        Spot::DropOfUnreadOutput,
        Spot::DropOfDetachedPayload,
        Spot::DropOfUnreadPayload,
    ];
    for target in TARGETS {
        spots.extend([Call::Clone, Call::Wake, Call::Drop].map(|call| Spot::WakerOf(target, call)));
        if target != Target::JoinHandle {
            spots.push(Spot::WakerDisarmed(target));
        }
    }
    spots
}

/// The future that acts at a spot.
fn hostile_future(spot: Spot, act: Rc<dyn Fn()>) -> Pin<Box<dyn Future<Output = Box<dyn Any>>>> {
    let nothing = || Box::new(()) as Box<dyn Any>;
    let dropping = |act: &Rc<dyn Fn()>| {
        let act = act.clone();
        Dropping(move || act())
    };
    match spot {
        Spot::Poll => Box::pin(async move {
            act();
            nothing()
        }),
        Spot::DropOfFinished => {
            let dropped = dropping(&act);
            // Captured and not moved to the body: dropped with the future, after it was ready.
            Box::pin(poll_fn(move |_| {
                let _captured = &dropped;
                Poll::Ready(nothing())
            }))
        }
        Spot::DropOfPanicked => {
            let dropped = dropping(&act);
            Box::pin(poll_fn(move |_| {
                let _captured = &dropped;
                panic_quietly()
            }))
        }
        Spot::DropOfAborted | Spot::DropWithExecutor | Spot::DropInUnwindingOfRoot => {
            let dropped = dropping(&act);
            Box::pin(async move {
                let _dropped = dropped;
                pending().await
            })
        }
        Spot::DropOfDetachedOutput | Spot::DropOfUnreadOutput => {
            let output = dropping(&act);
            Box::pin(async move { Box::new(output) as Box<dyn Any> })
        }
        Spot::DropOfDetachedPayload | Spot::DropOfUnreadPayload => {
            Box::pin(async move { resume_unwind(hostile_payload(move || act())) })
        }
        Spot::WakerOf(target, call) => Box::pin(async move {
            let armed = Rc::new(Cell::new(call == Call::Clone));
            let armed_too = armed.clone();
            let waker = hostile_waker(move |seen| {
                if seen == call && armed_too.replace(false) {
                    act();
                }
            });
            let mut target = target.make();
            assert!(poll_with(&mut target, &waker).is_pending());
            drop(waker);
            armed.set(call != Call::Clone);
            match call {
                Call::Drop => assert!(poll_once(&mut target).is_pending()),
                Call::Clone | Call::Wake => sleep(2 * MS).await,
            }
            nothing()
        }),
        Spot::WakerDisarmed(target) => Box::pin(async move {
            let armed = Rc::new(Cell::new(false));
            let armed_too = armed.clone();
            let waker = hostile_waker(move |seen| {
                if seen == Call::Drop && armed_too.replace(false) {
                    act();
                }
            });
            let mut target = target.make();
            assert!(poll_with(&mut target, &waker).is_pending());
            drop(waker);
            armed.set(true);
            drop(target);
            nothing()
        }),
    }
}

/// The root of one attack: builds the yard, lets the act happen, and sees the bystander through.
async fn attack(yard: Rc<Yard>, spot: Spot, act: Act) {
    let released = Rc::new(Cell::new(false));
    let (reach, gate, guard) = (yard.clone(), released.clone(), yard.guard());
    let bystander = spawn(async move {
        poll_fn(|cx| {
            reach.bystander.replace(Some(cx.waker().clone()));
            if gate.get() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        drop(guard);
        "untouched"
    });
    let guard = yard.guard();
    yard.victim.replace(Some(spawn(async move {
        let _guard = guard;
        pending().await
    })));
    let guard = yard.guard();
    yard.finished.replace(Some(spawn(async move { guard })));
    let guard = yard.guard();
    let other = Executor::new();
    other.spawn(async move {
        let _guard = guard;
        pending::<()>().await
    });
    yard.executor.replace(Some(other));
    yield_now().await;

    let mut timer = sleep(10 * MS);
    let waker = yard.bystander.borrow().clone().expect("the bystander was polled");
    assert!(poll_with(&mut timer, &waker).is_pending());
    yard.timer.replace(Some(timer));

    let reach = yard.clone();
    let mut future = hostile_future(spot, Rc::new(move || reach.commit(act)));
    let (reach, guard) = (yard.clone(), yard.guard());
    let own = spawn(poll_fn(move |cx| {
        let _captured = &guard;
        reach.own_waker.replace(Some(cx.waker().clone()));
        future.as_mut().poll(cx)
    }));
    if !matches!(spot, Spot::DropOfDetachedOutput | Spot::DropOfDetachedPayload) {
        yard.own.replace(Some(own));
    }
    yield_now().await;
    match spot {
        Spot::DropOfAborted => yard.own.borrow().iter().for_each(JoinHandle::abort),
        Spot::DropOfUnreadOutput | Spot::DropOfUnreadPayload => drop(yard.own.take()),
        _ => {}
    }
    sleep(20 * MS).await;
    if spot == Spot::DropInUnwindingOfRoot {
        panic_quietly();
    }
    released.set(true);
    yard.bystander.borrow().iter().for_each(Waker::wake_by_ref);
    assert_eq!(bystander.await.unwrap(), "untouched");
}

#[test]
fn every_act_at_every_spot_is_survived() {
    for spot in spots() {
        for act in ACTS {
            let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
            let yard = Rc::new(Yard::default());
            let root = catch(|| executor.block_on(attack(yard.clone(), spot, act)));
            assert_eq!(
                root.is_err(),
                spot == Spot::DropInUnwindingOfRoot,
                "{act:?} in {spot:?} came out of block_on"
            );
            // The executor is as good as new, or as it was.
            assert_eq!(executor.block_on(async { spawn(async { 7 }).await.unwrap() }), 7);
            drop(executor);
            assert_eq!(yard.acted.get(), 1, "{act:?} in {spot:?} took place");
            drop((yard.own.take(), yard.victim.take(), yard.finished.take()));
            drop((yard.timer.take(), yard.executor.take()));
            assert_eq!(yard.alive.get(), 0, "{act:?} in {spot:?} leaked");
        }
    }
}

// Panics out of destructors.

#[test]
fn a_payload_that_panics_when_dropped_ends_with_its_task() {
    paused(async {
        let payload = || hostile_payload(|| panic_quietly());
        let detached = payload();
        drop(spawn(async { resume_unwind(detached) }));
        let unread = payload();
        let handle = spawn(async { resume_unwind(unread) });
        yield_now().await;
        drop::<JoinHandle<()>>(handle);
        let read = payload();
        let handle: JoinHandle<()> = spawn(async { resume_unwind(read) });
        let error = handle.await.unwrap_err();
        assert!(error.is_panic());
        assert!(catch(|| drop(error)).is_err(), "who takes the payload has its destructor too");
        assert_eq!(spawn(async { "still here" }).await.unwrap(), "still here");
    });
}

#[test]
fn a_roots_payload_that_panics_when_dropped_comes_out_whole() {
    let history = History::new();
    let dropped = history.clone();
    let executor = Executor::new();
    executor.spawn(history.probe("task", 9));
    let payload = hostile_payload(move || {
        dropped.push("payload");
        panic_quietly()
    });
    let caught = catch(|| executor.block_on(async { resume_unwind(payload) })).unwrap_err();
    history.expect(["task: poll", "task: drop"]);
    assert!(catch(|| drop(caught)).is_err());
    history.expect(["payload"]);
    assert_eq!(executor.block_on(async { 1 }), 1);
}

#[test]
fn a_future_that_panics_when_dropped_after_ready_has_panicked() {
    paused(async {
        let history = History::new();
        let output = history.on_drop("output");
        let mut output = Some(output);
        let bomb = Dropping(|| panic_quietly());
        let handle = spawn(poll_fn(move |_| {
            let _captured = &bomb;
            Poll::Ready(output.take())
        }));
        assert!(handle.await.err().expect("no output").is_panic());
        history.expect(["output"]);
    });
}

#[test]
fn a_future_that_panics_when_aborted_has_panicked() {
    paused(async {
        let bomb = Dropping(|| panic_quietly());
        let handle = spawn(async move {
            let _bomb = bomb;
            pending::<()>().await
        });
        handle.abort();
        assert!(handle.await.unwrap_err().is_panic());
    });
}

#[test]
fn all_futures_panic_when_dropped_and_all_are_dropped() {
    let history = History::new();
    let executor = Executor::new();
    let mut handles = Vec::new();
    for name in ["a", "b", "c"] {
        let history = history.clone();
        let bomb = Dropping(move || {
            history.push(name);
            panic_quietly()
        });
        handles.push(executor.spawn(async move {
            let _bomb = bomb;
            pending::<()>().await
        }));
    }
    let root = catch(|| executor.block_on(async { panic_quietly() }));
    assert_eq!(root.unwrap_err().downcast_ref(), Some(&"hostile"));
    history.expect(["a", "b", "c"]);
    for handle in handles {
        assert!(executor.block_on(handle).unwrap_err().is_panic());
    }
}

#[test]
fn block_on_in_a_destructor_panics_with_advice_and_stays_in_the_task() {
    let executor = Executor::new();
    let bomb = Dropping(|| block_on(async {}));
    let handle = executor.spawn(async move {
        let _bomb = bomb;
        pending::<()>().await
    });
    quietly(|| drop(executor));
    let error = block_on(handle).unwrap_err();
    let payload = error.into_panic();
    let message = payload.downcast_ref::<&str>().expect("a message");
    assert!(message.starts_with("block_on was called inside an executor"), "{message}");
}

#[test]
fn what_a_destructor_spawns_in_an_executor_that_ends_is_dropped_too() {
    let history = History::new();
    let executor = Executor::new();
    let dropped = history.clone();
    let spawner = Dropping(move || {
        let late = dropped.probe("late", 0);
        let latest = Cell::new(Some(dropped.probe("latest", 0)));
        let spawner = Dropping(move || drop(latest.take().map(spawn)));
        drop(spawn(async move {
            late.await;
            drop(spawner);
        }));
        dropped.push("spawner: drop");
    });
    let handle = executor.spawn(async move { drop(spawner) });
    executor.spawn(history.probe("other", 0));
    drop(executor);
    assert!(block_on(handle).unwrap_err().is_cancelled());
    history.expect(["spawner: drop", "other: drop", "late: drop", "latest: drop"]);
}

// Handles.

#[test]
fn the_second_task_that_polls_a_handle_takes_the_place_of_the_first() {
    paused(async {
        let history = History::new();
        let handle = Rc::new(RefCell::new(spawn(sleep(5 * MS))));
        for name in ["first", "second"] {
            let (history, handle) = (history.clone(), handle.clone());
            spawn(poll_fn(move |cx| {
                history.push(format_args!("{name}: poll"));
                Pin::new(&mut *handle.borrow_mut()).poll(cx).map(drop)
            }));
        }
        sleep(20 * MS).await;
        history.expect(["first: poll", "second: poll", "second: poll"]);
    });
}

#[test]
fn a_task_may_own_and_await_itself() {
    paused(async {
        let own = Rc::new(RefCell::new(None::<JoinHandle<()>>));
        let reach = own.clone();
        let history = History::new();
        let dropped = history.on_drop("dropped");
        own.replace(Some(spawn(async move {
            let _dropped = dropped;
            let mut handle = reach.take().expect("put there before the first poll");
            let abort = handle.abort_handle();
            assert!(poll_fn(|cx| Poll::Ready(Pin::new(&mut handle).poll(cx).is_pending())).await);
            yield_now().await;
            abort.abort();
            handle.abort();
            handle.await.expect("no poll comes after the abort");
        })));
        for _turn in 0..3 {
            history.expect([]);
            yield_now().await;
        }
        history.expect(["dropped"]);
    });
}

#[test]
fn an_abort_in_the_last_poll_comes_too_late() {
    paused(async {
        let own = Rc::new(RefCell::new(None::<AbortHandle>));
        let reach = own.clone();
        let handle = spawn(async move {
            reach.borrow().iter().for_each(AbortHandle::abort);
            7
        });
        own.replace(Some(handle.abort_handle()));
        assert_eq!(handle.await.unwrap(), 7);
    });
}

#[test]
fn tasks_that_await_each_other_are_freed_with_their_executor() {
    type Slot = Rc<RefCell<Option<JoinHandle<()>>>>;
    let history = History::new();
    let executor = Executor::new();
    let slots: [Slot; 2] = Default::default();
    for (one, other) in [(0, 1), (1, 0)] {
        let (awaited, dropped) = (slots[other].clone(), history.on_drop(one));
        slots[one].replace(Some(executor.spawn(async move {
            let _dropped = dropped;
            let handle = awaited.take().expect("spawned before either is polled");
            let _ = handle.await;
        })));
    }
    executor.block_on(yield_now());
    history.expect([]);
    drop(executor);
    history.expect(["0", "1"]);
}

#[test]
fn a_joiner_whose_wake_drops_the_handle_drops_the_output() {
    paused(async {
        let history = History::new();
        let output = history.on_drop("output");
        let handle = Rc::new(RefCell::new(Some(spawn(async move { output }))));
        let (reach, woken) = (handle.clone(), history.clone());
        let waker = hostile_waker(move |call| {
            if call == Call::Wake {
                woken.push("wake");
                drop(reach.take());
            }
        });
        let mut polled = handle.take().expect("just put there");
        assert!(poll_with(&mut polled, &waker).is_pending());
        handle.replace(Some(polled));
        yield_now().await;
        history.expect(["wake", "output"]);
    });
}

// Executors within executors.

#[test]
fn an_executor_is_dropped_inside_a_task_of_another() {
    let history = History::new();
    let outer = Executor::builder().panic_on_stall(true).build();
    let inner = Executor::new();
    let (awaited, task) = (Rc::new(RefCell::new(None)), history.clone());
    let waker_of_outer = awaited.clone();
    let dropping = Dropping(move || {
        task.push("inner task dropped");
        waker_of_outer.take().into_iter().for_each(Waker::wake);
    });
    let handle = inner.spawn(async move {
        let _dropping = dropping;
        pending::<()>().await
    });
    outer.spawn(history.probe("outer task", 1));
    let told = history.clone();
    outer.block_on(async move {
        let waits = spawn(async move {
            let mut woken = false;
            poll_fn(|cx| {
                awaited.replace(Some(cx.waker().clone()));
                if std::mem::replace(&mut woken, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        });
        yield_now().await;
        drop(inner);
        told.push("inner dropped");
        assert!(handle.await.unwrap_err().is_cancelled());
        waits.await.unwrap();
        told.push("both are woken");
    });
    history.expect([
        "outer task: poll",
        "outer task: poll",
        "outer task: drop",
        "inner task dropped",
        "inner dropped",
        "both are woken",
    ]);
}

#[test]
fn a_destructor_in_another_executor_spawns_in_the_running_one() {
    let history = History::new();
    let running = Rc::new(Executor::new());
    let (reach, told) = (running.clone(), history.clone());
    running.block_on(async move {
        let other = Executor::new();
        let probe = told.probe("late", 0);
        let probe = Cell::new(Some(probe));
        let spawner = Dropping(move || drop(reach.spawn(probe.take().expect("dropped once"))));
        other.spawn(async move { drop(spawner) });
        drop(other);
        told.push("other dropped");
        yield_now().await;
    });
    history.expect(["other dropped", "late: poll", "late: drop"]);
}

#[test]
fn a_root_that_panics_when_dropped_after_ready_has_panicked() {
    let history = History::new();
    let executor = Executor::new();
    executor.spawn(history.probe("task", 9));
    let bomb = Dropping(|| panic_quietly());
    let mut output = Some(history.on_drop("output"));
    let root = catch(|| {
        executor.block_on(poll_fn(move |_| {
            let _captured = &bomb;
            Poll::Ready(output.take())
        }))
    });
    assert!(root.is_err());
    history.expect(["task: poll", "output", "task: drop"]);
    assert_eq!(executor.block_on(async { 1 }), 1);
}

#[test]
fn an_executor_is_captured_by_its_own_task() {
    let executor = Rc::new(Executor::new());
    let own = executor.clone();
    let handle = executor.spawn(async move {
        let child = own.spawn(async { 20 });
        child.await.unwrap() + 1
    });
    assert_eq!(executor.block_on(handle).unwrap(), 21);
    assert_eq!(Rc::strong_count(&executor), 1);

    // A panic of the root breaks the circle of one that never ends.
    let own = executor.clone();
    executor.spawn(async move {
        let _own = own;
        pending::<()>().await
    });
    assert!(catch(|| executor.block_on(async { panic_quietly() })).is_err());
    assert_eq!(Rc::strong_count(&executor), 1);
}

#[test]
fn wakers_of_dead_executors_poll_nobody() {
    const EXECUTORS: usize = 10_000;
    let mut wakers: Vec<Waker> = Vec::new();
    for number in 0..EXECUTORS {
        let executor = Executor::new();
        let polls = Rc::new(Cell::new(0));
        let (counter, stored) = (polls.clone(), Rc::new(RefCell::new(Vec::new())));
        let store = stored.clone();
        executor.spawn(poll_fn(move |cx| {
            counter.set(counter.get() + 1);
            store.borrow_mut().push(cx.waker().clone());
            Poll::<()>::Pending
        }));
        let roots = stored.clone();
        let mut root_polls = 0;
        let mut live = None;
        executor.block_on(poll_fn(|cx| {
            root_polls += 1;
            // The last ones, called in the middle of a poll, and some of the very old.
            let old = wakers.iter().rev().take(6).chain(wakers.iter().take(6));
            old.for_each(Waker::wake_by_ref);
            match root_polls {
                1 => roots.borrow_mut().push(cx.waker().clone()),
                2 => live = stored.borrow().first().cloned(),
                4 => return Poll::Ready(()),
                _ => {}
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        assert_eq!((root_polls, polls.get()), (4, 1), "in executor {number}");
        live.expect("the task was polled").wake();
        executor.block_on(async { yield_now().await });
        assert_eq!(polls.get(), 2, "in executor {number}");
        wakers.append(&mut stored.borrow_mut());
    }
    wakers.drain(..).for_each(Waker::wake);
}

// The end of a thread.

thread_local! {
    static KEPT: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what `f` makes in a thread-local until the thread is over.
fn at_the_end_of_a_thread(f: impl FnOnce() -> Box<dyn Any> + Send + 'static) {
    let kept = thread::spawn(|| KEPT.with_borrow_mut(|kept| kept.push(f())));
    kept.join().expect("no panic");
    // Another thread takes over what the first one has left.
    let next = thread::spawn(|| block_on(async { spawn(sleep(MS / 10)).await.is_ok() }));
    assert!(next.join().expect("no panic"));
}

#[test]
fn an_executor_may_end_with_its_thread() {
    let dropped = Arc::new(Mutex::new(Vec::new()));
    let seen = dropped.clone();
    at_the_end_of_a_thread(move || {
        let executor = Executor::new();
        for number in 0..3 {
            let seen = seen.clone();
            let dropping = Dropping(move || {
                drop(spawn(async {}));
                drop(sleep(MS));
                seen.lock().unwrap().push(number);
                panic_quietly()
            });
            executor.spawn(async move {
                let _dropping = dropping;
                sleep(Duration::MAX).await
            });
        }
        executor.block_on(yield_now());
        Box::new(executor)
    });
    assert_eq!(*dropped.lock().unwrap(), [0, 1, 2]);
}

#[test]
fn wakers_sleeps_and_handles_may_end_with_their_thread() {
    let dropped = Arc::new(Mutex::new(0));
    let seen = dropped.clone();
    at_the_end_of_a_thread(move || {
        let executor = Executor::new();
        let output = Dropping(move || *seen.lock().unwrap() += 1);
        let finished = executor.spawn(async move { output });
        let unfinished = executor.spawn(pending::<()>());
        let (sleep, waker) = executor.block_on(async {
            yield_now().await;
            let mut sleep = sleep(Duration::MAX);
            poll_fn(|cx| {
                assert!(Pin::new(&mut sleep).poll(cx).is_pending());
                Poll::Ready(cx.waker().clone())
            })
            .await
            .wake();
            poll_fn(|cx| Poll::Ready(cx.waker().clone())).await.wake();
            (sleep, poll_fn(|cx| Poll::Ready(cx.waker().clone())).await)
        });
        let wakes = waker.clone();
        let wake = Dropping(move || wakes.wake_by_ref());
        Box::new((wake, finished, unfinished, sleep, waker, executor))
    });
    assert_eq!(*dropped.lock().unwrap(), 1);
}

// Depth.

const DEEP: usize = 100_000;

/// A task's output that may be the handle of the next task.
type Link = Option<JoinHandle<Box<dyn Any>>>;

/// A chain of tasks, each of which owns the handle of the next. The first one's handle.
fn chain_of_owners(executor: &Executor) -> JoinHandle<Box<dyn Any>> {
    let mut first = executor.spawn(async { Box::new(()) as Box<dyn Any> });
    for _ in 1..DEEP {
        first = executor.spawn(async move {
            let _next = first;
            pending().await
        });
    }
    first
}

#[test]
fn a_deep_chain_of_owners_is_dropped_with_its_executor() {
    on_a_small_stack(|| {
        let executor = Executor::new();
        let first = chain_of_owners(&executor);
        executor.block_on(yield_now());
        drop(executor);
        assert!(first.is_finished());
    });
}

#[test]
fn a_deep_chain_of_owners_is_aborted_from_the_front() {
    on_a_small_stack(|| {
        let executor = Executor::new();
        let aborted = Rc::new(Cell::new(0));
        let mut next: Option<JoinHandle<()>> = None;
        for _ in 0..DEEP {
            let (owned, aborted) = (next.take(), aborted.clone());
            let aborts_next = Dropping(move || {
                aborted.set(aborted.get() + 1);
                owned.iter().for_each(JoinHandle::abort);
            });
            next = Some(executor.spawn(async move {
                let _aborts_next = aborts_next;
                pending().await
            }));
        }
        let first = next.expect("a chain");
        executor.block_on(async {
            yield_now().await;
            first.abort();
            assert!(first.await.unwrap_err().is_cancelled());
            while aborted.get() < DEEP {
                yield_now().await;
            }
        });
    });
}

#[test]
fn a_deep_chain_of_outputs_is_dropped_unread() {
    on_a_small_stack(|| {
        let executor = Executor::new();
        let mut first: Link = None;
        for _ in 0..DEEP {
            let next = first.take();
            first = Some(executor.spawn(async move { Box::new(next) as Box<dyn Any> }));
        }
        executor.block_on(yield_now());
        drop(first);
    });
}

#[test]
fn a_deep_chain_of_awaits_is_woken_from_the_back() {
    on_a_small_stack(|| {
        let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
        let mut first = executor.spawn(async {
            sleep(MS).await;
            1
        });
        for _ in 1..DEEP {
            first = executor.spawn(async move { first.await.unwrap() + 1 });
        }
        assert_eq!(executor.block_on(first).unwrap(), DEEP);
    });
}

// Number.

const MANY: usize = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };

#[test]
fn a_million_tasks_come_and_go() {
    let executor = Executor::new();
    let finished = Rc::new(Cell::new(0));
    for _ in 0..MANY {
        let finished = finished.clone();
        executor.spawn(async move { finished.set(finished.get() + 1) });
    }
    executor.block_on(yield_now());
    assert_eq!(finished.get(), MANY);
}

#[test]
fn a_million_timers_come_and_go() {
    paused(async {
        let start = Instant::now();
        let (counter, waker) = CountingWaker::new();
        for number in 0..MANY {
            let mut timer = sleep(Duration::from_micros(number as u64 * 7919 % 1_000_003 + 1));
            assert!(poll_with(&mut timer, &waker).is_pending());
        }
        sleep(2 * 1_000 * MS).await;
        assert_eq!(start.elapsed(), 2 * 1_000 * MS, "a dropped timer stops no clock");
        assert_eq!(counter.wakes(), 0);
    });
}

// Ends that meet.

thread_local! {
    /// An executor that a waker's destructor drops.
    static DOOMED: RefCell<Option<Executor>> = const { RefCell::new(None) };
}

/// A joiner's clone or drop is user code, and may end the very task that is asked about.
#[test]
fn a_task_that_ends_while_its_joiner_is_replaced_is_not_waited_for() {
    let doomed = Executor::new();
    let mut handle = doomed.spawn(pending::<()>());
    DOOMED.set(Some(doomed));
    paused(async {
        let last = Rc::new(Cell::new(false));
        let is_last = last.clone();
        let waker = hostile_waker(move |call| {
            if call == Call::Drop && is_last.get() {
                drop(DOOMED.take());
            }
        });
        assert!(poll_with(&mut handle, &waker).is_pending());
        drop(waker);
        last.set(true);
        assert!(handle.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn wakers_on_the_wheel_of_an_executor_that_ends_do_not_panic_out_of_it() {
    let (_sleeps, answer) = block_on(async {
        let sleeps = [(); 2].map(|()| {
            let waker = hostile_waker(|call| {
                if call != Call::Clone {
                    panic_quietly()
                }
            });
            let mut sleep = sleep(Duration::MAX);
            assert!(poll_with(&mut sleep, &waker).is_pending());
            std::mem::forget(waker);
            sleep
        });
        (sleeps, 7)
    });
    assert_eq!(answer, 7);
}

/// "Whatever may have happened to the timer meanwhile": who waits is told to look again.
#[test]
fn a_sleep_whose_executor_ends_wakes_who_waits_for_it() {
    let (counter, waker) = CountingWaker::new();
    let executor = Executor::new();
    let sleep = executor.block_on(async {
        let mut sleep = sleep(Duration::MAX);
        assert!(poll_with(&mut sleep, &waker).is_pending());
        Some(sleep)
    });
    drop(executor);
    assert_eq!(counter.wakes(), 1);
    drop(sleep);
}

/// If the executor ends before the closure does, the result goes down with the handle.
#[test]
fn a_late_result_of_a_blocking_closure_may_panic_when_dropped() {
    let (begin, begun) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let (dropped, is_dropped) = mpsc::channel();
    let (executor, second) = (Executor::new(), Executor::new());
    let late = executor.block_on(async {
        let closure = move || {
            let result = Dropping(move || {
                dropped.send(()).unwrap();
                panic_quietly()
            });
            begin.send(()).unwrap();
            ended.recv().unwrap();
            result
        };
        Some(spawn_blocking(closure))
    });
    begun.recv().unwrap();
    drop(executor);
    end.send(()).unwrap();
    is_dropped.recv().unwrap();
    let outer = second.spawn(async { late });
    second.block_on(yield_now());
    assert!(catch(|| drop(outer)).is_ok());
    // The list of results that wait to be dropped still works.
    let history = History::new();
    let output = history.on_drop("output");
    let handle = second.spawn(async { output });
    second.block_on(yield_now());
    drop(handle);
    history.expect(["output"]);
}

/// The list of results that wait to be dropped ends with its thread; the stack is small.
#[test]
fn a_deep_chain_of_outputs_is_dropped_at_the_end_of_a_thread() {
    on_a_small_stack(|| {
        KEPT.with_borrow_mut(Vec::clear);
        let executor = Executor::new();
        let first_use_of_the_list = executor.spawn(async {});
        executor.block_on(yield_now());
        drop(first_use_of_the_list);
        let mut first: Link = None;
        for _ in 0..DEEP {
            let next = first.take();
            first = Some(executor.spawn(async move { Box::new(next) as Box<dyn Any> }));
        }
        executor.block_on(yield_now());
        KEPT.with_borrow_mut(|kept| kept.push(Box::new(first)));
    });
}

#[test]
fn a_sleep_reset_to_the_present_takes_no_time() {
    paused(async {
        let start = Instant::now();
        let sleep = Rc::new(RefCell::new(sleep(10 * MS)));
        let waited = sleep.clone();
        let waits = spawn(poll_fn(move |cx| Pin::new(&mut *waited.borrow_mut()).poll(cx)));
        yield_now().await;
        Pin::new(&mut *sleep.borrow_mut()).reset(start);
        waits.await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

// Chance.

/// What a puppet does in a poll, in its destructor, or when one of its timers wakes.
#[derive(Clone, Debug)]
enum Deed {
    Wake(usize),
    Abort(usize),
    DropHandle(usize),
    Spawn,
    ArmTimer(u8),
    Yield,
    Return,
    Panic,
}

/// What a puppet does when: the first list in its first poll, and so on.
#[derive(Clone, Debug)]
struct Script {
    polls: Vec<Vec<Deed>>,
    drop: Vec<Deed>,
    wake: Vec<Deed>,
}

/// What the test knows of a puppet, and holds the executor to.
#[derive(Default)]
struct Record {
    handle: RefCell<Option<JoinHandle<()>>>,
    waker: RefCell<Option<Waker>>,
    polls: Cell<usize>,
    drops: Cell<usize>,
    /// It has been woken, and must be polled.
    owed: Cell<bool>,
    /// It must not be polled any more.
    aborted: Cell<bool>,
    over: Cell<bool>,
}

/// The puppets of one run.
struct Stage {
    records: Vec<Record>,
    scripts: Vec<Script>,
    children: Cell<usize>,
    children_dropped: Cell<usize>,
    violations: RefCell<Vec<String>>,
}

impl Stage {
    fn act(self: &Rc<Self>, deeds: &[Deed]) {
        for deed in deeds {
            match deed {
                Deed::Wake(index) => {
                    let record = &self.records[index % self.records.len()];
                    if let Some(waker) = &*record.waker.borrow() {
                        record.owed.set(true);
                        waker.wake_by_ref();
                    }
                }
                Deed::Abort(index) => {
                    let record = &self.records[index % self.records.len()];
                    if let Some(handle) = &*record.handle.borrow() {
                        record.aborted.set(true);
                        handle.abort();
                    }
                }
                Deed::DropHandle(index) => {
                    drop(self.records[index % self.records.len()].handle.take());
                }
                Deed::Spawn => {
                    self.children.set(self.children.get() + 1);
                    let stage = self.clone();
                    let dropped = Dropping(move || {
                        stage.children_dropped.set(stage.children_dropped.get() + 1);
                    });
                    spawn(async move { drop(dropped) });
                }
                Deed::Panic => panic_quietly(),
                Deed::ArmTimer(_) | Deed::Yield | Deed::Return => {}
            }
        }
    }
}

struct Puppet {
    stage: Rc<Stage>,
    index: usize,
    timers: Vec<Sleep>,
}

impl Future for Puppet {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (stage, index) = (self.stage.clone(), self.index);
        let record = &stage.records[index];
        if record.aborted.get() || record.over.get() {
            stage.violations.borrow_mut().push(format!("puppet {index} was polled after its end"));
        }
        record.owed.set(false);
        record.waker.replace(Some(cx.waker().clone()));
        let poll = record.polls.replace(record.polls.get() + 1);
        let Some(deeds) = stage.scripts[index].polls.get(poll) else {
            return Poll::Pending;
        };
        for deed in deeds {
            match deed {
                Deed::ArmTimer(ms) => {
                    let (actor, own) = (stage.clone(), cx.waker().clone());
                    let waker = hostile_waker(move |call| {
                        if call == Call::Wake {
                            actor.records[index].owed.set(true);
                            own.wake_by_ref();
                            actor.act(&actor.scripts[index].wake);
                        }
                    });
                    let mut timer = sleep(u32::from(*ms) * MS + MS);
                    assert!(poll_with(&mut timer, &waker).is_pending());
                    self.timers.push(timer);
                }
                Deed::Yield => {
                    record.owed.set(true);
                    cx.waker().wake_by_ref();
                }
                Deed::Return => {
                    record.over.set(true);
                    return Poll::Ready(());
                }
                Deed::Panic => {
                    record.over.set(true);
                    panic_quietly()
                }
                other => stage.act(std::slice::from_ref(other)),
            }
        }
        Poll::Pending
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        let record = &self.stage.records[self.index];
        record.over.set(true);
        record.drops.set(record.drops.get() + 1);
        self.stage.act(&self.stage.scripts[self.index].drop);
    }
}

fn deeds(most: usize) -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        4 => (0..8_usize).prop_map(Deed::Wake),
        2 => (0..8_usize).prop_map(Deed::Abort),
        1 => (0..8_usize).prop_map(Deed::DropHandle),
        2 => Just(Deed::Spawn),
        3 => (0..4_u8).prop_map(Deed::ArmTimer),
        2 => Just(Deed::Yield),
        1 => Just(Deed::Return),
        1 => Just(Deed::Panic),
    ];
    prop::collection::vec(deed, 0..most)
}

fn script() -> impl Strategy<Value = Script> {
    (prop::collection::vec(deeds(5), 0..5), deeds(4), deeds(4))
        .prop_map(|(polls, drop, wake)| Script { polls, drop, wake })
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn hostile_puppets_are_polled_when_woken_and_dropped_once(
        scripts in prop::collection::vec(script(), 1..7),
        root_panics: bool,
    ) {
        let stage = Rc::new(Stage {
            records: scripts.iter().map(|_| Record::default()).collect(),
            scripts,
            children: Cell::new(0),
            children_dropped: Cell::new(0),
            violations: RefCell::new(Vec::new()),
        });
        let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
        for (index, record) in stage.records.iter().enumerate() {
            let puppet = Puppet { stage: stage.clone(), index, timers: Vec::new() };
            record.owed.set(true);
            record.handle.replace(Some(executor.spawn(puppet)));
        }
        let (quiet, seen) = (Rc::new(Cell::new(false)), stage.clone());
        let calm = quiet.clone();
        let root = catch(|| executor.block_on(async move {
            // Everything has its time: nobody acts for longer than some milliseconds.
            sleep(1_000 * MS).await;
            for (index, record) in seen.records.iter().enumerate() {
                if record.owed.get() && !record.over.get() {
                    seen.violations.borrow_mut().push(format!("puppet {index} was not polled"));
                }
                if record.aborted.get() && !record.over.get() {
                    seen.violations.borrow_mut().push(format!("puppet {index} was not aborted"));
                }
            }
            calm.set(true);
            if root_panics {
                panic_quietly();
            }
        }));
        prop_assert!(quiet.get());
        prop_assert_eq!(root.is_err(), root_panics);
        drop(executor);
        prop_assert!(stage.violations.borrow().is_empty(), "{:?}", stage.violations.borrow());
        prop_assert!(stage.records.iter().all(|record| record.drops.get() == 1));
        prop_assert_eq!(stage.children.get(), stage.children_dropped.get());
    }
}

/// A waker that panics when it is dropped for good.
struct PanicsWhenDropped;

impl std::task::Wake for PanicsWhenDropped {
    fn wake(self: Arc<Self>) {}
}

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("a waker is dropped");
    }
}

#[test]
fn a_waker_that_panics_when_dropped_does_not_abort_a_process_that_unwinds() {
    let poll_and_panic = |future: Pin<Box<dyn Future<Output = ()>>>| {
        let panicked = catch(move || {
            let mut future = future;
            let waker = Waker::from(Arc::new(PanicsWhenDropped));
            assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            drop(waker); // the future has the last one
            panic!("by its user");
        });
        assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"by its user"));
    };
    quietly(|| {
        block_on(async {
            let all = handspun::future::join_all([pending::<()>()]);
            poll_and_panic(Box::pin(async { drop(all.await) }));

            let token = handspun::sync::CancellationToken::new();
            poll_and_panic(Box::pin(token.clone().cancelled_owned()));

            let mut set = handspun::task::JoinSet::new();
            set.spawn(pending::<()>());
            poll_and_panic(Box::pin(async move { drop(set.join_next().await) }));

            let task = spawn(pending::<()>());
            poll_and_panic(Box::pin(async { drop(task.await) }));
        });
    });
}
