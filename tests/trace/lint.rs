//! The lints: for each the wrong program that it finds, and beside it the right ones that look most
//! like it, of which it says nothing.

use crate::chrome::{play, programs};
use handspun::executor::Executor;
use handspun::sync::{Mutex, Notify, RwLock, mpsc};
use handspun::task::{Builder, Id, yield_now};
use handspun::time::{Duration, Sleep, advance, interval, sleep, timeout};
use handspun::trace::{Event, Lint, LintKind, Place, Record, Trace, mark, value};
use handspun::{join, select};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::path::Path;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

const MS: Duration = Duration::from_millis(1);

// The vocabulary of the tests.

/// A run on a paused clock, to the end.
fn run(root: impl Future<Output = ()>) -> Trace {
    let executor = Executor::builder().start_paused(true).record(1_000_000).build();
    executor.block_on(root);
    executor.into_trace()
}

/// The trace with its records changed; they are numbered.
fn changed(trace: Trace, mut change: impl FnMut(usize, &mut Record)) -> Trace {
    let mut records = trace.records().to_vec();
    records.iter_mut().enumerate().for_each(|(nth, record)| change(nth, record));
    Trace::from_records(records)
}

/// What the trace is found guilty of.
fn kinds(trace: &Trace) -> Vec<LintKind> {
    trace.lints().iter().map(|lint| lint.kind).collect()
}

/// The only lint of a trace; it is of this kind, about the task with this number and the line of
/// this file. Its text leads to its page.
#[track_caller]
fn only(trace: &Trace, kind: LintKind, task: u64, line: u32) -> Lint {
    let lints = trace.lints();
    assert_eq!(lints.len(), 1, "{lints:#?}");
    let lint = lints[0].clone();
    assert_eq!(lint.kind, kind, "{lint}");
    assert_eq!(lint.task.unwrap().to_string(), task.to_string(), "{lint}");
    assert_eq!(lint.place.unwrap().file(), file!(), "{lint}");
    assert_eq!(lint.place.unwrap().line(), line, "{lint}");
    let text = lint.to_string();
    assert!(text.ends_with(&format!(" See docs/lints.md#{}", kind.name())), "{text}");
    assert!(text.contains(&lint.place.unwrap().to_string()), "{text}");
    lint
}

#[track_caller]
fn says(lint: &Lint, words: &str) {
    assert!(lint.sentence().contains(words), "{lint}");
}

#[track_caller]
fn nothing(trace: &Trace) {
    assert_eq!(trace.lints(), []);
}

/// Whether a lint of this kind is told.
fn tells(trace: &Trace, kind: LintKind) -> bool {
    kinds(trace).contains(&kind)
}

/// Pending for ever, and tells nobody.
async fn forgetful() {
    poll_fn(|_| Poll::Pending).await
}

type Slot = Rc<RefCell<Option<Waker>>>;

/// Pending until it is woken once; the waker lies in the slot.
async fn parked(slot: Slot) {
    let mut woken = false;
    poll_fn(move |cx| {
        slot.replace(Some(cx.waker().clone()));
        match std::mem::replace(&mut woken, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await
}

#[test]
fn each_kind_has_a_name_and_a_section_of_the_page() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lints.md");
    let page = fs::read_to_string(page).unwrap();
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let names: Vec<&str> = LintKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(sections, names);
    for kind in LintKind::ALL {
        assert_eq!(kind.page(), format!("docs/lints.md#{kind}"));
        assert!(kind.name().chars().all(|c| c.is_ascii_lowercase() || c == '-'));
    }
}

// lost-wake

#[test]
fn a_task_whose_waker_nobody_kept_is_lost() {
    let mut line = 0;
    let trace = run(async {
        sleep(3 * MS).await;
        line = line!() + 1;
        handspun::spawn(forgetful());
        sleep(5 * MS).await;
    });
    let lint = only(&trace, LintKind::LostWake, 1, line);
    assert_eq!((lint.at, lint.count), (3 * MS, 1));
    says(&lint, "Task 1, spawned at tests/trace/lint.rs:");
    says(&lint, "can never go on: when its poll at 0.003 s ended, nobody had kept its waker");
}

#[test]
fn a_task_whose_last_waker_was_dropped_is_lost_to_the_one_who_dropped_it() {
    let mut line = 0;
    let trace = run(async {
        let slot = Slot::default();
        line = line!() + 1;
        let lost = Builder::new().name("waits").spawn(parked(slot.clone()));
        let dropper = async move {
            sleep(2 * MS).await;
            slot.take();
        };
        Builder::new().name("dropper").spawn(dropper).await.unwrap();
        let _ = timeout(5 * MS, lost).await;
    });
    let lint = only(&trace, LintKind::LostWake, 1, line);
    assert_eq!(lint.at, 2 * MS);
    says(&lint, "Task 1 (\"waits\"), spawned at");
    says(&lint, "at 0.002 s task 2 (\"dropper\") dropped its last waker");
}

#[test]
fn a_task_is_lost_as_soon_as_no_thread_can_have_woken_it() {
    let trace = run(async {
        handspun::spawn(forgetful());
        yield_now().await;
        // It has been polled in this turn. That a thread has woken it would be heard in the next.
        assert!(!tells(&handspun::trace::current().unwrap(), LintKind::LostWake));
        yield_now().await;
        assert!(tells(&handspun::trace::current().unwrap(), LintKind::LostWake));
    });
    assert_eq!(kinds(&trace), [LintKind::LostWake]);
}

#[test]
fn a_stall_is_explained_by_the_one_that_is_lost() {
    let executor =
        Executor::builder().start_paused(true).panic_on_stall(true).record(1_000).build();
    let line = line!() + 1;
    let root = async { handspun::spawn(forgetful()).await.unwrap() };
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    catch_unwind(AssertUnwindSafe(|| executor.block_on(root))).unwrap_err();
    std::panic::set_hook(hook);
    let trace = executor.into_trace();
    only(&trace, LintKind::LostWake, 1, line);
}

#[test]
fn a_root_can_be_lost_too() {
    let taken = RefCell::new(None);
    run(async {
        let lost = async {
            sleep(MS).await;
            forgetful().await
        };
        let mut lost = pin!(lost);
        let look = async {
            sleep(9 * MS).await;
            *taken.borrow_mut() = handspun::trace::current();
        };
        // One of the two goes on, and the root with it.
        select! { _ = &mut lost => {}, _ = look => {} }
    });
    assert!(!tells(&taken.take().unwrap(), LintKind::LostWake));
    // And alone. Nobody can look but a thread.
    let executor =
        Executor::builder().start_paused(true).panic_on_stall(true).record(1_000).build();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let line = line!() + 1;
    catch_unwind(AssertUnwindSafe(|| executor.block_on(forgetful()))).unwrap_err();
    std::panic::set_hook(hook);
    let trace = executor.into_trace();
    let lint = only(&trace, LintKind::LostWake, 0, line);
    says(&lint, "The root, run at");
}

#[test]
fn a_task_whose_waker_somebody_has_is_not_lost() {
    let trace = run(async {
        let slot = Slot::default();
        handspun::spawn(parked(slot.clone()));
        sleep(MS).await;
        slot.borrow().clone().unwrap().wake();
        sleep(MS).await;
        // And one that has been forgotten after it was woken.
        handspun::spawn(parked(slot.clone()));
        sleep(MS).await;
        slot.take().unwrap().wake();
        sleep(MS).await;
    });
    nothing(&trace);
    let trace = run(async {
        let slot = Slot::default();
        handspun::spawn(parked(slot.clone()));
        sleep(MS).await;
        std::mem::forget(slot);
    });
    assert_eq!(kinds(&trace), [LintKind::DroppedUnfinished]);
}

#[test]
fn a_task_that_a_thread_has_woken_is_not_lost() {
    // The waker is gone before the poll ends, and the wake has not been taken in when the root is
    // ready.
    let trace = run(async {
        handspun::spawn(poll_fn(|cx| {
            let waker = cx.waker().clone();
            thread::spawn(move || waker.wake()).join().unwrap();
            Poll::<()>::Pending
        }));
        yield_now().await;
    });
    assert_eq!(kinds(&trace), [LintKind::DroppedUnfinished]);
}

#[test]
fn what_is_forgotten_when_everything_ends_is_not_lost() {
    // The first is dropped first, and with it the waker of the second.
    let trace = run(async {
        let (slot, notify) = (Slot::default(), Rc::new(Notify::new()));
        let (holder, never) = (slot.clone(), notify.clone());
        handspun::spawn(async move {
            never.notified().await;
            drop(holder);
        });
        handspun::spawn(parked_weakly(Rc::downgrade(&slot)));
        drop(slot);
        sleep(MS).await;
    });
    assert_eq!(kinds(&trace), [LintKind::DroppedUnfinished; 2]);
    // Or it is the root that had it.
    let trace = run(async {
        let slot = Slot::default();
        handspun::spawn(parked_weakly(Rc::downgrade(&slot)));
        sleep(MS).await;
    });
    assert_eq!(kinds(&trace), [LintKind::DroppedUnfinished]);
}

async fn parked_weakly(slot: std::rc::Weak<RefCell<Option<Waker>>>) {
    poll_fn(|cx| {
        let slot = slot.upgrade().expect("it is there");
        slot.replace(Some(cx.waker().clone()));
        Poll::<()>::Pending
    })
    .await
}

#[test]
fn a_task_that_is_aborted_is_not_lost() {
    let trace = run(async {
        let task = handspun::spawn(forgetful());
        sleep(MS).await;
        task.abort();
        task.await.unwrap_err();
        let task = handspun::spawn(forgetful());
        sleep(MS).await;
        task.abort();
    });
    nothing(&trace);
}

// self-wake-spin

/// A task that is pending so many times and wakes itself, beside a root that does something.
fn spinning(polls: usize, line: &Cell<u32>) -> Trace {
    run(async {
        line.set(line!() + 1);
        let spinner = handspun::spawn(async move {
            for _ in 0..polls {
                yield_now().await;
            }
        });
        for turn in 0..polls + 10 {
            value("turn", turn);
            yield_now().await;
        }
        spinner.await.unwrap();
    })
}

#[test]
fn a_task_that_wakes_itself_a_hundred_times_spins() {
    let line = Cell::new(0);
    let lint = only(&spinning(100, &line), LintKind::SelfWakeSpin, 1, line.get());
    says(&lint, "woke itself in 100 polls in a row");
    nothing(&spinning(99, &line));
}

#[test]
fn a_busy_loop_that_waits_for_another_task_spins() {
    let mut line = 0;
    let trace = run(async {
        let done = Rc::new(Cell::new(false));
        let flag = done.clone();
        line = line!() + 1;
        let spinner = handspun::spawn(async move {
            while !flag.get() {
                yield_now().await;
            }
        });
        for turn in 0..200 {
            value("turn", turn);
            yield_now().await;
        }
        done.set(true);
        spinner.await.unwrap();
    });
    only(&trace, LintKind::SelfWakeSpin, 1, line);
}

#[test]
fn a_spin_that_never_ends_is_told_when_the_trace_does() {
    let trace = run(async {
        for _ in 0..500 {
            yield_now().await;
        }
        // As if it had gone on for ever.
        let trace = handspun::trace::current().unwrap();
        assert_eq!(kinds(&trace), [LintKind::SelfWakeSpin]);
        says(&trace.lints()[0], "woke itself in 500 polls in a row");
    });
    nothing(&trace);
}

#[test]
fn work_in_many_parts_is_no_spin() {
    // Nobody else did anything while it worked: it did not wait for anybody.
    let trace = run(async {
        let worker = handspun::spawn(async {
            for _part in 0..1_000 {
                yield_now().await;
            }
        });
        worker.await.unwrap();
    });
    nothing(&trace);
    // It says what it does.
    let trace = run(async {
        let worker = async {
            for _part in 0..1_000 {
                mark("a part is done");
                yield_now().await;
            }
        };
        let worker = handspun::spawn(worker);
        for turn in 0..500 {
            value("turn", turn);
            yield_now().await;
        }
        worker.await.unwrap();
    });
    nothing(&trace);
    // Its parts take time.
    let line = Cell::new(0);
    assert!(tells(&spinning(150, &line), LintKind::SelfWakeSpin));
    let trace = with_long_polls(spinning(150, &line), &[(1, 75)]);
    assert!(!tells(&trace, LintKind::SelfWakeSpin));
    let at_a_pace = |micros: u32| {
        let retime = |nth, record: &mut Record| record.at = Duration::from_micros(1) * nth as u32;
        changed(spinning(300, &line), |nth, record| {
            retime(nth, record);
            record.at *= micros;
        })
    };
    nothing(&at_a_pace(5)); // A poll is three records.
    only(&at_a_pace(4), LintKind::SelfWakeSpin, 1, line.get());
}

#[test]
fn a_task_that_others_wake_does_not_spin() {
    let trace = run(async {
        let slot = Slot::default();
        let put = slot.clone();
        let task = handspun::spawn(async move {
            poll_fn(|cx| Poll::Ready(put.replace(Some(cx.waker().clone())))).await;
            for _ in 0..300 {
                yield_now().await;
            }
        });
        yield_now().await;
        for _ in 0..400 {
            slot.borrow().as_ref().unwrap().wake_by_ref();
            yield_now().await;
        }
        task.await.unwrap();
    });
    nothing(&trace);
}

// blocked-executor, never-yielded

/// The trace in which these polls (of which task, which one) took 34 ms.
fn with_long_polls(trace: Trace, long: &[(u64, usize)]) -> Trace {
    let mut polls: BTreeMap<Id, usize> = BTreeMap::new();
    changed(trace, |_, record| {
        if let Event::PollEnded { task, blocked, .. } = &mut record.event {
            let poll = polls.entry(*task).or_default();
            *poll += 1;
            let is_long = |(number, nth): &(u64, usize)| {
                number.to_string() == task.to_string() && nth == poll
            };
            if long.iter().any(is_long) {
                *blocked = Some(34 * MS);
            }
        }
    })
}

/// A task of two polls, and one of one poll, which are in the run queue together, and with others.
fn two_tasks(lines: &Cell<(u32, u32)>) -> Trace {
    run(async {
        lines.set((line!() + 1, line!() + 2));
        let two = handspun::spawn(yield_now());
        let one = handspun::spawn(async {});
        let beside = handspun::spawn(yield_now());
        two.await.unwrap();
        one.await.unwrap();
        beside.await.unwrap();
        // Now nobody else is in the queue.
        let other = handspun::spawn(sleep(9 * MS));
        sleep(MS).await;
        handspun::spawn(async {}).await.unwrap();
        other.await.unwrap();
    })
}

#[test]
fn a_poll_of_ten_milliseconds_blocks_the_executor() {
    let lines = Cell::default();
    for poll in [1, 2] {
        let trace = with_long_polls(two_tasks(&lines), &[(1, poll)]);
        let lint = only(&trace, LintKind::BlockedExecutor, 1, lines.get().0);
        says(&lint, "Task 1, spawned at");
        says(&lint, "took 34 ms for one poll, and nothing else could run meanwhile");
    }
    let trace = with_long_polls(two_tasks(&lines), &[(1, 1), (1, 2)]);
    let lint = only(&trace, LintKind::BlockedExecutor, 1, lines.get().0);
    says(&lint, "It happened once more in tasks spawned there.");
}

#[test]
fn a_task_whose_only_poll_was_long_never_yielded() {
    let lines = Cell::default();
    let trace = with_long_polls(two_tasks(&lines), &[(2, 1)]);
    let lint = only(&trace, LintKind::NeverYielded, 2, lines.get().1);
    says(
        &lint,
        "had the thread for 34 ms, from its first poll to its end, while 2 other tasks were",
    );
    // If nobody was in the queue it is just a long poll.
    let trace = with_long_polls(two_tasks(&lines), &[(5, 1)]);
    assert_eq!(kinds(&trace), [LintKind::BlockedExecutor]);
}

#[test]
fn a_poll_that_really_blocks_is_found() {
    let executor = Executor::builder().record(1_000).build();
    executor.block_on(async {
        let blocks = handspun::spawn(async { thread::sleep(30 * MS) });
        handspun::spawn(async {}).await.unwrap();
        blocks.await.unwrap();
    });
    assert!(tells(&executor.into_trace(), LintKind::NeverYielded));
}

#[test]
fn who_is_alone_holds_up_nobody() {
    let trace = with_long_polls(run(yield_now()), &[(0, 1), (0, 2)]);
    nothing(&trace);
    // Nor does a timer wait that is not due, as none is while a paused clock stands still.
    let beside_a_timer = async |blocks, timer| {
        join!(sleep(timer), async { thread::sleep(blocks) });
    };
    let long = [(0, 1), (0, 2)];
    nothing(&with_long_polls(run(beside_a_timer(Duration::ZERO, MS)), &long));
    // But one that is due is held up.
    let executor = Executor::builder().record(1_000).build();
    executor.block_on(beside_a_timer(30 * MS, 20 * MS));
    let lints = executor.into_trace().lints();
    assert_eq!(lints.len(), 1, "{lints:#?}");
    assert_eq!(lints[0].kind, LintKind::BlockedExecutor);
}

#[test]
fn of_a_root_that_blocks_again_it_is_not_said_that_it_was_spawned() {
    let trace = run(async {
        let other = handspun::spawn(sleep(MS));
        yield_now().await;
        other.await.unwrap();
    });
    let lints = with_long_polls(trace, &[(0, 1), (0, 2)]).lints();
    assert_eq!(lints.len(), 1, "{lints:#?}");
    assert!(lints[0].sentence().ends_with(" It happened once more."), "{}", lints[0]);
}

#[test]
fn to_print_a_panic_may_take_its_time() {
    let trace = run(async {
        let task = handspun::spawn(async { resume_unwind(Box::new("expected")) });
        task.await.unwrap_err();
    });
    nothing(&with_long_polls(trace, &[(1, 1)]));
}

// large-future

/// Ready at once, and as large as it is told.
struct Large<const SIZE: usize>([u8; SIZE]);

impl<const SIZE: usize> Future for Large<SIZE> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

#[test]
fn a_future_of_more_than_sixteen_kibibytes_is_large() {
    let mut line = 0;
    let trace = run(async {
        line = line!() + 1;
        let name = Builder::new().name("big").spawn(Large([0; 16_385]));
        name.await.unwrap();
    });
    let lint = only(&trace, LintKind::LargeFuture, 1, line);
    says(&lint, "Task 1 (\"big\"), spawned at");
    says(&lint, "is a future of 16385 bytes");
}

#[test]
fn a_future_in_a_box_is_not_large_nor_is_a_large_root() {
    nothing(&run(async {
        handspun::spawn(Large([0; 16_384])).await.unwrap();
        handspun::spawn(Box::pin(Large([0; 50_000]))).await.unwrap();
    }));
    nothing(&run(Large([0; 50_000])));
}

// dropped-unfinished

#[test]
fn a_task_that_nobody_waits_for_is_dropped_unfinished() {
    let mut line = 0;
    let trace = run(async {
        line = line!() + 1;
        Builder::new().name("writer").spawn(sleep(9 * MS));
        sleep(2 * MS).await;
    });
    let lint = only(&trace, LintKind::DroppedUnfinished, 1, line);
    assert_eq!(lint.at, 2 * MS);
    says(&lint, "Task 1 (\"writer\"), spawned at");
    says(&lint, "it was waiting for a timer.");
}

#[test]
fn many_tasks_of_one_place_are_one_lint() {
    let trace = run(async {
        let mutex = Arc::new(Mutex::new(0));
        let held = mutex.clone().lock_owned().await;
        for _ in 0..1_000 {
            let mutex = mutex.clone();
            handspun::spawn(async move { drop(mutex.lock().await) });
        }
        handspun::spawn(async {}).await.unwrap();
        handspun::spawn(async {});
        std::mem::forget(held);
    });
    let lints = trace.lints();
    assert_eq!(kinds(&trace), [LintKind::DroppedUnfinished; 2]);
    assert_eq!(lints[0].count, 1_000);
    says(&lints[0], "it was waiting for the mutex, made at tests/trace/lint.rs");
    says(&lints[0], "The same is true of 999 more tasks spawned there.");
    says(&lints[1], "it had not been polled once.");
}

#[test]
fn a_task_that_is_awaited_or_aborted_is_not_dropped_unfinished() {
    nothing(&run(async {
        let awaited = handspun::spawn(sleep(9 * MS));
        let aborted = handspun::spawn(sleep(9 * MS));
        awaited.await.unwrap();
        let late = handspun::spawn(sleep(9 * MS));
        yield_now().await;
        aborted.abort();
        late.abort();
    }));
}

#[test]
fn a_task_whose_abort_may_have_been_forgotten_is_not_dropped_unfinished() {
    let executor = Executor::builder().start_paused(true).record(8).build();
    executor.block_on(async {
        let task = handspun::spawn(sleep(9 * MS));
        yield_now().await;
        task.abort();
        (0..20).for_each(|_| mark("in one poll"));
    });
    assert!(!tells(&executor.into_trace(), LintKind::DroppedUnfinished));
}

#[test]
fn a_task_that_was_aborted_when_nothing_ran_was_meant_to_end() {
    let executor = Executor::builder().start_paused(true).record(1_000).build();
    let task = executor.spawn(sleep(MS));
    executor.block_on(yield_now());
    task.abort();
    let trace = executor.into_trace();
    assert!(!tells(&trace, LintKind::DroppedUnfinished));
    let is_drop = |record: &&Record| matches!(record.event, Event::Dropped { aborted: true, .. });
    assert_eq!(trace.records().iter().filter(is_drop).count(), 1);
}

#[test]
fn when_the_root_panics_the_others_are_not_to_blame() {
    let executor = Executor::builder().start_paused(true).record(1_000).build();
    let root = async {
        handspun::spawn(sleep(9 * MS));
        sleep(MS).await;
        resume_unwind(Box::new("expected"))
    };
    catch_unwind(AssertUnwindSafe(|| executor.block_on(root))).unwrap_err();
    nothing(&executor.trace());
    // The next root is another one.
    executor.block_on(async {
        handspun::spawn(sleep(9 * MS));
        sleep(MS).await;
    });
    assert_eq!(kinds(&executor.into_trace()), [LintKind::DroppedUnfinished]);
}

// unpolled-timer

#[test]
fn a_sleep_that_is_not_awaited_is_unpolled() {
    let mut line = 0;
    let trace = run(async {
        let task = async {
            for _ in 0..3 {
                line = line!() + 1;
                drop(sleep(MS));
            }
        };
        task.await;
    });
    let lint = only(&trace, LintKind::UnpolledTimer, 0, line);
    assert_eq!(lint.count, 3);
    says(&lint, "The timer that the root made at");
    says(&lint, "was dropped, and nobody had polled it");
    says(&lint, "It is all right in a `timeout`");
    says(&lint, "The same is true of 2 more timers made there.");
}

#[test]
fn timers_are_told_in_the_order_in_which_they_were_wasted() {
    let trace = run(async {
        for first in [false, true] {
            match first {
                true => drop(sleep(MS)),
                false => drop(sleep(2 * MS)),
            }
        }
    });
    let lints = trace.lints();
    assert_eq!(kinds(&trace), [LintKind::UnpolledTimer; 2]);
    assert!(lints[0].place > lints[1].place);
}

#[test]
#[expect(clippy::async_yields_async, reason = "it is the mistake")]
fn a_sleep_that_is_returned_instead_of_awaited_is_unpolled() {
    let mut line = 0;
    let trace = run(async {
        line = line!() + 1;
        let task = handspun::spawn(async { sleep(MS) });
        let _sleep: Sleep = task.await.unwrap();
    });
    only(&trace, LintKind::UnpolledTimer, 1, line);
}

#[test]
fn a_timer_whose_deadline_passes_while_nobody_polls_it_is_unpolled() {
    let mut line = 0;
    let trace = run(async {
        line = line!() + 1;
        let forgotten = sleep(2 * MS);
        sleep(5 * MS).await;
        drop(forgotten);
    });
    let lint = only(&trace, LintKind::UnpolledTimer, 0, line);
    says(&lint, "was due at 0.002 s, and nobody had polled it");
    // Also if it is never dropped.
    let trace = run(async {
        line = line!() + 1;
        std::mem::forget(sleep(2 * MS));
        sleep(5 * MS).await;
    });
    only(&trace, LintKind::UnpolledTimer, 0, line);
}

#[test]
fn a_timer_that_was_polled_at_least_once_at_its_place_is_right() {
    nothing(&run(async {
        // The limit is not looked at when the answer is there at once.
        for millis in 0..3 {
            let _ = timeout(2 * MS, sleep(MS * millis)).await;
        }
        let (sender, mut receiver) = mpsc::channel(1);
        for _ in 0..9 {
            sender.send(1).await.unwrap();
            select! {
                biased;
                _ = receiver.recv() => {}
                _ = limit() => {}
            }
        }
        limit().await;
    }));
    async fn limit() {
        sleep(MS).await;
    }
}

#[test]
fn a_timer_that_is_awaited_later_is_right() {
    nothing(&run(async {
        // At least so long.
        let least = sleep(MS);
        sleep(5 * MS).await;
        least.await;
        // Moved on before anybody polls it.
        let mut moved = pin!(sleep(MS));
        sleep(5 * MS).await;
        moved.as_mut().reset(handspun::time::Instant::now());
        moved.await;
        let mut put_off = pin!(sleep(MS));
        put_off.as_mut().reset(handspun::time::Instant::now() + 9 * MS);
        sleep(5 * MS).await;
        assert_eq!(kinds(&handspun::trace::current().unwrap()), []);
    }));
}

#[test]
fn a_timer_that_was_on_its_way_is_right() {
    nothing(&run(async {
        let work = async {
            let pause = sleep(9 * MS);
            pending::<()>().await;
            pause.await
        };
        let _ = timeout(5 * MS, work).await;
        // Its first tick is not waited for, nor is the executor's end.
        let _ticks = interval(MS);
        yield_now().await;
        advance(MS / 2).await;
        let task = handspun::spawn(async {
            let late = sleep(9 * MS);
            sleep(5 * MS).await;
            late.await;
        });
        sleep(MS).await;
        task.abort();
    }));
}

#[test]
fn the_timers_of_the_library_are_not_the_programs() {
    nothing(&run(async {
        let (sender, mut receiver) = mpsc::channel(1);
        sender.send_timeout(1, MS).await.unwrap();
        receiver.recv().await.unwrap();
    }));
}

#[test]
fn if_events_were_dropped_no_timer_is_said_to_be_unpolled() {
    let executor = Executor::builder().start_paused(true).record(12).build();
    executor.block_on(async {
        // The first times it is polled, which is forgotten.
        for turn in 0..20 {
            let _ = timeout(5 * MS, sleep(MS * u32::from(turn < 9))).await;
            yield_now().await;
        }
    });
    let trace = executor.into_trace();
    assert!(trace.dropped() > 0);
    assert!(!tells(&trace, LintKind::UnpolledTimer));
}

// lock-across-wait

/// Has the mutex for so long.
async fn hold(mutex: &Mutex<u32>, time: Duration) {
    let _guard = mutex.lock().await;
    sleep(time).await;
}

#[test]
fn a_lock_that_is_held_across_an_await_for_long_is_found() {
    let mut line = 0;
    let trace = run(async {
        line = line!() + 1;
        let mutex = Rc::new(Mutex::new(0));
        let (one, two) = (mutex.clone(), mutex.clone());
        let holder = async move { hold(&one, 250 * MS).await };
        let holder = Builder::new().name("holder").spawn(holder);
        let waiter = async move {
            sleep(10 * MS).await;
            *two.lock().await += 1;
        };
        Builder::new().name("waiter").spawn(waiter).await.unwrap();
        holder.await.unwrap();
    });
    let lint = only(&trace, LintKind::LockAcrossWait, 1, line);
    assert_eq!((lint.at, lint.count), (10 * MS, 1));
    says(&lint, "Task 1 (\"holder\") had the mutex that was made at");
    says(&lint, "and task 2 (\"waiter\") had to wait 240 ms for it");
}

#[test]
fn a_read_write_lock_is_a_lock_too() {
    let mut line = 0;
    let trace = run(async {
        line = line!() + 1;
        let lock = Rc::new(RwLock::new(0));
        for millis in [200, 300] {
            let lock = lock.clone();
            handspun::spawn(async move {
                let _read = lock.read().await;
                sleep(MS * millis).await;
            });
        }
        sleep(MS).await;
        let mut written = lock.write().await;
        *written += 1;
    });
    // The last of the two readers, whom the writer had to wait for.
    let lint = only(&trace, LintKind::LockAcrossWait, 2, line);
    says(&lint, "had the read-write lock");
    says(&lint, "and the root had to wait 299 ms");
}

#[test]
fn of_many_waits_for_a_lock_the_longest_is_told() {
    let trace = run(async {
        let mutex = Rc::new(Mutex::new(0));
        for _ in 0..4 {
            let mutex = mutex.clone();
            handspun::spawn(async move { hold(&mutex, 100 * MS).await });
        }
        sleep(MS).await;
        drop(mutex.lock().await);
    });
    let lints = trace.lints();
    assert_eq!(lints.len(), 1);
    assert_eq!(lints[0].count, 4);
    says(&lints[0], "Task 4 had");
    says(&lints[0], "and the root had to wait 399 ms");
    says(&lints[0], "It happened 3 more times with locks made there.");
}

#[test]
fn a_lock_that_is_held_for_less_than_a_tenth_of_a_second_is_right() {
    nothing(&run(async {
        let mutex = Rc::new(Mutex::new(0));
        let held = mutex.clone();
        let holder = handspun::spawn(async move { hold(&held, 100 * MS).await });
        sleep(MS).await;
        drop(mutex.lock().await);
        holder.await.unwrap();
    }));
}

#[test]
fn who_waits_in_line_and_lets_go_at_once_is_not_the_one_who_held() {
    // The second has it for no time at all; that the third waited is the first's doing, whom
    // nothing but the second's wait accuses.
    let trace = run(async {
        let mutex = Rc::new(Mutex::new(0));
        let (one, two) = (mutex.clone(), mutex.clone());
        handspun::spawn(async move { hold(&one, 200 * MS).await });
        let second = handspun::spawn(async move { drop(two.lock().await) });
        sleep(MS).await;
        drop(mutex.lock().await);
        second.await.unwrap();
    });
    let lints = trace.lints();
    assert_eq!(lints.len(), 1);
    assert_eq!((lints[0].count, lints[0].task.unwrap().to_string()), (1, "1".to_string()));
    says(&lints[0], "and task 2 had to wait 200 ms");
}

#[test]
fn who_passes_on_a_lock_that_it_never_had_did_not_hold_it() {
    // A thread holds it. The root gives up the place in line of a wait that has been called.
    let trace = run(async {
        let mutex = Arc::new(Mutex::new(0));
        let held = mutex.clone().lock_owned().await;
        let mut first = Box::pin(mutex.clone().lock_owned());
        assert!(poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await);
        let second = mutex.clone();
        let second = handspun::spawn(async move { drop(second.lock().await) });
        sleep(200 * MS).await;
        thread::spawn(move || drop(held)).join().unwrap();
        drop(first);
        second.await.unwrap();
    });
    nothing(&trace);
}

#[test]
fn a_wake_for_another_reason_accuses_nobody() {
    // The root wakes a task that waits for a lock and for something else; a thread has the lock.
    let trace = run(async {
        let mutex = Arc::new(Mutex::new(0));
        let held = mutex.clone().lock_owned().await;
        let held = thread::spawn(move || held).join().unwrap();
        let (sender, mut receiver) = mpsc::channel::<u8>(1);
        let (slot, notify) = (Slot::default(), Rc::new(Notify::new()));
        let (lock, put, never) = (mutex.clone(), slot.clone(), notify.clone());
        let for_a_message = handspun::spawn(async move {
            select! {
                _ = lock.lock() => unreachable!(),
                _ = receiver.recv() => {}
            }
        });
        let lock = mutex.clone();
        let by_hand = handspun::spawn(async move {
            select! {
                biased;
                _ = lock.lock() => unreachable!(),
                _ = never.notified() => unreachable!(),
                _ = parked(put) => {}
            }
        });
        sleep(200 * MS).await;
        sender.send(1).await.unwrap();
        slot.borrow().as_ref().unwrap().wake_by_ref();
        for_a_message.await.unwrap();
        by_hand.await.unwrap();
        // And one that goes on to wait for the lock, whatever else it has waited for meanwhile.
        let put = slot.clone();
        let task = handspun::spawn(async move {
            let other = async {
                parked(put).await;
                timeout(Duration::ZERO, notify.notified()).await.unwrap_err();
            };
            join!(other, async { drop(mutex.lock().await) });
        });
        sleep(200 * MS).await;
        slot.borrow().as_ref().unwrap().wake_by_ref();
        yield_now().await;
        thread::spawn(move || drop(held)).join().unwrap();
        task.await.unwrap();
    });
    nothing(&trace);
}

#[test]
fn who_has_woken_a_task_before_its_lock_was_let_go_of_is_not_accused() {
    let trace = run(async {
        let mutex = Arc::new(Mutex::new(0));
        let held = mutex.clone().lock_owned().await;
        let held = thread::spawn(move || held).join().unwrap();
        let slot = Slot::default();
        let put = slot.clone();
        let task = handspun::spawn(async move {
            join!(parked(put), async { drop(mutex.lock().await) });
        });
        sleep(200 * MS).await;
        slot.borrow().as_ref().unwrap().wake_by_ref();
        yield_now().await;
        thread::spawn(move || drop(held)).join().unwrap();
        task.await.unwrap();
    });
    nothing(&trace);
}

#[test]
fn of_two_who_may_have_let_go_of_a_lock_neither_is_accused() {
    // The root wakes the task, and then the holder does, for the lock.
    let trace = run(async {
        let (mutex, slot) = (Arc::new(Mutex::new(0)), Slot::default());
        let (held, put, go) = (mutex.clone(), slot.clone(), Rc::new(Notify::new()));
        let wait = go.clone();
        let holder = handspun::spawn(async move {
            let _guard = held.lock().await;
            wait.notified().await;
        });
        let task = handspun::spawn(async move {
            join!(parked(put), async { drop(mutex.lock().await) });
        });
        sleep(200 * MS).await;
        go.notify_one();
        slot.borrow().as_ref().unwrap().wake_by_ref();
        task.await.unwrap();
        holder.await.unwrap();
    });
    nothing(&trace);
}

#[test]
fn an_abort_is_no_release() {
    let trace = run(async {
        let mutex = Arc::new(Mutex::new(0));
        let held = mutex.clone().lock_owned().await;
        let held = thread::spawn(move || held).join().unwrap();
        let task = handspun::spawn(async move { drop(mutex.lock().await) });
        sleep(200 * MS).await;
        task.abort();
        task.await.unwrap_err();
        drop(held);
    });
    nothing(&trace);
}

#[test]
fn who_is_handed_a_guard_to_drop_it_did_not_hold_the_lock() {
    let trace = run(async {
        let mutex = Arc::new(Mutex::new(0));
        let held = mutex.clone().lock_owned().await;
        let task = handspun::spawn(async move { drop(mutex.lock().await) });
        sleep(200 * MS).await;
        handspun::spawn(async move { drop(held) });
        task.await.unwrap();
    });
    nothing(&trace);
}

#[test]
fn a_guard_that_is_dropped_before_the_await_is_right() {
    nothing(&run(async {
        let mutex = Rc::new(Mutex::new(0));
        let add = async |mutex: Rc<Mutex<u32>>| {
            for _ in 0..5 {
                *mutex.lock().await += 1;
                sleep(100 * MS).await;
            }
        };
        let other = handspun::spawn({
            let mutex = mutex.clone();
            async move { add(mutex).await }
        });
        add(mutex).await;
        other.await.unwrap();
    }));
}

// All of them.

#[test]
fn more_than_twenty_lints_of_a_kind_are_counted() {
    #[track_caller]
    fn here() -> Place {
        Location::caller()
    }
    #[rustfmt::skip]
    let places = [
        here(), here(), here(), here(), here(), here(), here(), here(), here(), here(), here(),
        here(), here(), here(), here(), here(), here(), here(), here(), here(), here(), here(),
    ];
    let trace = run(async {
        for _ in 0..3 * places.len() {
            handspun::spawn(sleep(MS));
        }
    });
    let mut spawned = 0;
    let trace = changed(trace, |_, record| {
        if let Event::Spawned { task, place, .. } = &mut record.event
            && task.to_string() != "0"
        {
            *place = places[spawned % places.len()];
            spawned += 1;
        }
    });
    let lints = trace.lints();
    assert_eq!(lints.len(), 21);
    assert!(lints[..20].iter().zip(places).all(|(lint, place)| lint.place == Some(place)));
    let rest = &lints[20];
    assert_eq!((rest.task, rest.place, rest.count), (None, None, 6));
    says(rest, "The same was found at 2 more places of the program.");
    assert_eq!(rest.kind, LintKind::DroppedUnfinished);
}

#[test]
fn a_hostile_name_stays_on_its_line() {
    let trace = run(async {
        for name in ["a\"\n\u{202e}b\u{1b}[31m", &"x".repeat(10_000), ""] {
            Builder::new().name(name).spawn(forgetful());
            sleep(MS).await;
        }
        let long = Builder::new().name("x".repeat(10_000));
        long.spawn(Large([0; 20_000])).await.unwrap();
    });
    let lints = trace.lints();
    assert_eq!(kinds(&trace), [LintKind::LostWake, LintKind::LargeFuture]);
    says(&lints[1], "xxx…\")");
    says(&lints[0], "Task 1 (\"a\\\"\\n\\u{202e}b\\u{1b}[31m\"), spawned at");
    assert!(lints.iter().all(|lint| lint.to_string().len() < 1_000));
}

#[test]
fn a_good_program_has_no_lints() {
    nothing(&run(async {
        let (sender, mut receiver) = mpsc::channel(4);
        let total = Rc::new(Mutex::new(0));
        let producer = handspun::spawn(async move {
            let mut ticks = interval(10 * MS);
            for number in 0..300 {
                ticks.tick().await;
                sender.send(number).await.unwrap();
            }
        });
        let sum = total.clone();
        let consumer = handspun::spawn(async move {
            while let Ok(Some(number)) = timeout(50 * MS, receiver.recv()).await {
                *sum.lock().await += number;
                yield_now().await;
            }
        });
        producer.await.unwrap();
        consumer.await.unwrap();
        assert_eq!(*total.lock().await, 44_850);
    }));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_runs_have_few_lints_and_each_can_be_read(
        program in programs(),
        paused: bool,
        room in prop_oneof![1..30_usize, Just(100_000)],
        cut in 0..200_usize,
    ) {
        let trace = play(&program, paused, room);
        // Any beginning and any end of a trace is one, if an odd one.
        let records = trace.records();
        let cut = cut.min(records.len());
        let odd = [&records[..cut], &records[cut..]].map(|part| Trace::from_records(part.to_vec()));
        for trace in odd.iter().chain([&trace]) {
            let lints = trace.lints();
            prop_assert!(lints.is_sorted_by_key(|lint| lint.kind));
            for kind in LintKind::ALL {
                prop_assert!(lints.iter().filter(|lint| lint.kind == *kind).count() <= 21);
            }
            for lint in lints {
                let text = lint.to_string();
                prop_assert!(text.ends_with(&kind_page(&lint)) && !text.contains('\n'), "{text}");
            }
        }
    }

    #[test]
    fn no_random_run_has_a_lost_wake_or_a_spin(program in programs(), paused: bool) {
        // These programs have none, and locks that are held for 40 ms.
        let trace = play(&program, paused, 100_000);
        prop_assert!(!tells(&trace, LintKind::SelfWakeSpin));
        prop_assert!(!tells(&trace, LintKind::LostWake));
        prop_assert!(!tells(&trace, LintKind::LargeFuture));
    }
}

fn kind_page(lint: &Lint) -> String {
    format!(" See docs/lints.md#{}", lint.kind)
}
