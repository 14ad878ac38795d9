//! What is recorded, and what is not: one event for each transition, in a list that may be odd.

use handspun::executor::Executor;
use handspun::sync::Notify;
use handspun::task::Id;
use handspun::time::{Duration, Sleep, advance, interval, resume, sleep};
use handspun::trace::{
    Awaited, Cause, Effect, Event, Format, Outcome, Phase, Record, State, TaskState, Trace,
};
use proptest::prelude::*;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
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

fn count(trace: &Trace, is: impl Fn(&Event) -> bool) -> usize {
    trace.records().iter().filter(|record| is(&record.event)).count()
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

#[test]
fn a_clock_that_runs_is_not_said_to_be_set() {
    let trace = run(async {
        resume();
        let task = handspun::spawn(advance(MS));
        assert!(task.await.is_err()); // it panics: the clock is not paused
    });
    assert_eq!(count(&trace, |event| matches!(event, Event::ClockSet)), 0);
}

#[test]
fn a_trace_says_when_the_wheel_began_to_turn() {
    assert_eq!(run(sleep(MS)).wheel_origin(), Some(Duration::ZERO));
    let running = |root: Pin<Box<dyn Future<Output = ()>>>| {
        let executor = Executor::builder().record(100).build();
        executor.block_on(root);
        executor.into_trace()
    };
    assert_eq!(running(Box::pin(async {})).wheel_origin(), None);
    let trace = running(Box::pin(async {
        poll_once(&mut sleep(MS)).await;
        poll_once(&mut sleep(MS)).await;
    }));
    let at = |is: fn(&Event) -> bool| {
        trace.records().iter().find(|record| is(&record.event)).unwrap().at
    };
    let made = at(|event| matches!(event, Event::TimerMade { .. }));
    let armed = at(|event| matches!(event, Event::TimerArmed { .. }));
    let origin = trace.wheel_origin().unwrap();
    assert!(made <= origin && origin <= armed, "{made:?} {origin:?} {armed:?}");
}

#[test]
fn an_interval_is_the_same_timer_from_its_making_on() {
    let trace = run(async {
        let mut ticks = interval(10 * MS);
        ticks.tick().await;
        poll_once(&mut pin!(ticks.tick())).await;
        ticks.reset_immediately(); // while it is armed
        ticks.tick().await;
        ticks.tick().await;
    });
    assert_eq!(count(&trace, |event| matches!(event, Event::TimerDropped { .. })), 1);
    let known = |event: &Event| matches!(event, Event::TimerArmed { timer: 2.., .. });
    assert_eq!(count(&trace, known), 0, "{:#?}", trace.records());
}

#[test]
fn a_timer_is_due_once_however_often_it_is_polled() {
    let trace = run(async {
        let mut sleep = sleep(Duration::ZERO);
        poll_once(&mut sleep).await;
        poll_once(&mut sleep).await;
    });
    assert_eq!(count(&trace, |event| matches!(event, Event::TimerDue { .. })), 1);
}

/// The first timer of its executor, on the wheel.
async fn armed() -> Sleep {
    let mut sleep = sleep(MS);
    poll_once(&mut sleep).await;
    sleep
}

#[test]
fn a_timer_that_is_dropped_where_another_executor_runs_is_not_taken_for_one_of_its_own() {
    let (here, there) = (recorder(), recorder());
    let (guest, own) = (there.block_on(armed()), here.block_on(armed()));
    here.block_on(async { drop(guest) });
    let dropped = |event: &Event| matches!(event, Event::TimerDropped { .. });
    assert_eq!(count(&here.trace(), dropped), 0);
    there.block_on(async {}); // reads its letters
    assert_eq!(count(&there.into_trace(), dropped), 1);
    drop(own);
}

#[test]
fn a_wait_that_ends_on_another_thread_is_over_with_its_task() {
    let executor = recorder();
    let notify = Arc::new(Notify::new());
    executor.block_on(async {
        for _ in 0..3 {
            let notify = notify.clone();
            let task = handspun::spawn(async move {
                let mut notified = Box::pin(notify.notified_owned());
                poll_once(&mut notified).await;
                thread::spawn(move || drop(notified)).join().unwrap();
            });
            task.await.unwrap();
        }
        assert_eq!(after(&handspun::trace::current().unwrap()).waits().len(), 0);
    });
}

#[test]
fn the_root_is_called_the_root_also_where_it_is_dropped() {
    let root = Executor::new();
    let trace = run(async {});
    drop(root);
    let Event::Spawned { task, .. } = trace.records()[0].event else {
        panic!()
    };
    assert_eq!(Cause::Drop(task).to_string(), "the destructor of the root");
}

#[test]
fn a_task_that_was_spawned_before_the_run_is_drawn_as_spawned() {
    let executor = Executor::builder().start_paused(true).record(1_000).build();
    executor.spawn(async {});
    executor.spawn(async {});
    executor.block_on(async {});
    let text = executor.into_trace().text().to_string();
    assert!(text.contains("task 2   +"), "{text}");
}

// Traces of one's own making.

/// Some numbers are tasks, some are times, and some are both.
fn any_event() -> impl Strategy<Value = (u8, u8, u8, u64, bool)> {
    (0..24_u8, 0..4_u8, 0..4_u8, prop_oneof![0..50_u64, Just(u64::MAX)], any::<bool>())
}

fn ids() -> Vec<Id> {
    let executor = Executor::new();
    let mut ids: Vec<Id> = (0..3).map(|_| executor.spawn(async {}).id()).collect();
    let recorded = run(async {});
    if let Event::Spawned { task, .. } = recorded.records()[0].event {
        ids.push(task);
    }
    ids
}

fn event(ids: &[Id], (kind, a, b, number, yes): (u8, u8, u8, u64, bool)) -> Event {
    let (task, other) = (ids[usize::from(a)], ids[usize::from(b)]);
    let place = Location::caller();
    let time = match number {
        u64::MAX => Duration::MAX,
        number => Duration::from_millis(number),
    };
    let by = match b {
        0 => Cause::Task(other),
        1 => Cause::Timer(number),
        2 => Cause::Drop(other),
        _ if yes => Cause::Socket,
        _ => Cause::Thread,
    };
    let phase = [
        Phase::Queued,
        Phase::Polling,
        Phase::PollingAndWoken,
        Phase::Idle,
    ];
    let outcome = [
        Outcome::Pending,
        Outcome::Ready,
        Outcome::Panicked,
        Outcome::Aborted,
    ];
    let effect = [
        Effect::Queued,
        Effect::Noted,
        Effect::Coalesced,
        Effect::Stale,
    ];
    let text: Arc<str> = "odd".into();
    match kind {
        0 | 1 => Event::Spawned {
            task,
            name: yes.then_some(text),
            place,
            size: usize::MAX,
            by,
        },
        2 | 3 => {
            let state = TaskState {
                name: yes.then_some(text),
                place,
                size: 0,
                by,
                phase: phase[usize::from(b)],
                since: time,
                polls: u32::MAX,
                wakers: usize::MAX,
            };
            Event::Known {
                task,
                state: Box::new(state),
            }
        }
        4 | 5 => Event::PollBegun { task },
        6 | 7 => Event::PollEnded {
            task,
            outcome: outcome[usize::from(b)],
            wakers: number as usize,
            blocked: yes.then_some(time),
        },
        8 | 9 => Event::Woken {
            task,
            by,
            effect: effect[usize::from(b)],
        },
        10 => Event::Forgotten { task, by },
        11 => Event::AbortAsked { task, by },
        12 => Event::Dropped {
            task,
            aborted: false,
        },
        13 => Event::TimerMade {
            timer: number,
            deadline: time,
            place,
            by,
        },
        14 => Event::TimerArmed {
            timer: number,
            deadline: time,
            wakes: yes.then_some(task),
        },
        15 => Event::TimerFired { timer: number },
        16 => Event::TimerDue { timer: number },
        17 => Event::TimerReset {
            timer: number,
            deadline: time,
        },
        18 => Event::TimerDropped { timer: number },
        19 => Event::WaitBegun {
            wait: number,
            task,
            awaited: match yes {
                true => Awaited::Task(other),
                false => Awaited::Thing {
                    what: ["the mutex", "room in the UDP socket"][usize::from(b % 2)],
                    place,
                    line: number,
                },
            },
        },
        20 => Event::WaitEnded { wait: number },
        21 => Event::Parked {
            until: yes.then_some(time),
        },
        22 => Event::Unparked,
        _ => Event::ClockSet,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_whatever_a_trace_says(
        events in prop::collection::vec((any_event(), any_event()), 0..80),
    ) {
        let ids = ids();
        // Not in order, and up to the end of all time.
        let records = events.into_iter().map(|(what, when)| Record {
            at: if when.3 == u64::MAX { Duration::MAX } else { Duration::from_millis(when.3) },
            event: event(&ids, what),
        });
        let trace = Trace::from_records(records.collect());
        for format in [Format::Text, Format::Svg, Format::Html, Format::Chrome] {
            trace.draw(format);
        }
        let state = after(&trace);
        let again = after(&Trace::from_records(state.to_records()));
        prop_assert!(again.tasks().eq(state.tasks()));
        prop_assert!(again.timers().eq(state.timers()));
    }
}
