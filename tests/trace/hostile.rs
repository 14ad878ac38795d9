//! Traces that no run could leave behind, and runs that mean harm: each drawing must be made of
//! the one, and the other must be told as it was.

use crate::watchdog::watched;
use handspun::executor::Executor;
use handspun::sync::Notify;
use handspun::task::{Id, yield_now};
use handspun::time::{Duration, Sleep, sleep};
use handspun::trace::{
    Awaited, Cause, Effect, Event, Format, Outcome, Phase, Place, Record, State, TaskState, Trace,
};
use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{Location, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::task::Poll;

/// Numbers out of a seed.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }

    fn maybe<T>(&mut self, thing: T) -> Option<T> {
        (self.below(2) == 0).then_some(thing)
    }
}

/// The root, and some thousand tasks.
fn ids() -> &'static [Id] {
    static IDS: OnceLock<Vec<Id>> = OnceLock::new();
    IDS.get_or_init(|| {
        let executor = Executor::builder().record(10_000).build();
        executor.block_on(async {});
        (0..3_000).for_each(|_| drop(executor.spawn(async {})));
        let trace = executor.trace();
        let spawned = trace.records().iter().filter_map(|record| match record.event {
            Event::Spawned { task, .. } => Some(task),
            _ => None,
        });
        spawned.collect()
    })
}

/// What odd records are made of.
struct Oddities {
    dice: Dice,
    tasks: usize,
    numbers: u64,
    extreme: bool,
}

#[track_caller]
fn here() -> Place {
    Location::caller()
}

impl Oddities {
    fn new(seed: u64) -> Oddities {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..5 {
            dice.next();
        }
        let tasks = dice.one_of(&[1, 2, 5, 5, 40, 3_000]);
        let numbers = dice.one_of(&[1, 3, 50]);
        let extreme = dice.below(3) == 0;
        Oddities {
            dice,
            tasks,
            numbers,
            extreme,
        }
    }

    fn id(&mut self) -> Id {
        ids()[self.dice.below(self.tasks as u64) as usize]
    }

    fn number(&mut self) -> u64 {
        match self.extreme && self.dice.below(9) == 0 {
            true => self.dice.one_of(&[0, u64::MAX, u64::MAX - 1, 1 << 53]),
            false => self.dice.below(self.numbers),
        }
    }

    fn time(&mut self, nth: usize) -> Duration {
        match self.extreme && self.dice.below(5) == 0 {
            true => self.dice.one_of(&[
                Duration::MAX,
                Duration::ZERO,
                Duration::from_nanos(1),
                Duration::from_nanos(u64::MAX),
                Duration::from_micros(u64::MAX),
                Duration::from_secs(u64::MAX),
                Duration::from_secs(u64::MAX / 2),
            ]),
            false => Duration::from_micros(nth as u64 * 300 + self.dice.below(100_000)),
        }
    }

    fn text(&mut self) -> Arc<str> {
        let huge = if self.extreme {
            "wide ｗｉｄｅ 🦀 ".repeat(3_000)
        } else {
            String::new()
        };
        let texts = [
            "",
            " ",
            "a",
            "worker",
            "</script><script>alert(1)</script>",
            "<!-- <b> &amp; \" ' \\ ]]>",
            "\0\u{1}\u{7f}\u{85}\u{fffe}\u{ffff}\u{200e}\u{202e}\u{2028}\u{feff}",
            "\n\r\t\u{1b}[31m",
            "e\u{301}\u{301}\u{301}\u{301}",
            "👨\u{200d}👩\u{200d}👧",
            "一二三四五六七八九十",
            &huge,
        ];
        self.dice.one_of(&texts).into()
    }

    fn cause(&mut self) -> Cause {
        match self.dice.below(7) {
            0 => Cause::Timer(self.number()),
            1 => Cause::Thread,
            2 => Cause::Drop(self.id()),
            3 => Cause::Outside,
            4 => Cause::Socket,
            _ => Cause::Task(self.id()),
        }
    }

    fn size(&mut self) -> usize {
        self.dice.one_of(&[0, 1, 100, 20_000, usize::MAX])
    }

    fn count(&mut self) -> usize {
        self.dice.one_of(&[0, 0, 1, 2, usize::MAX])
    }

    fn outcome(&mut self) -> Outcome {
        let all = [
            Outcome::Pending,
            Outcome::Ready,
            Outcome::Panicked,
            Outcome::Aborted,
        ];
        match self.dice.below(2) {
            0 => Outcome::Pending,
            _ => self.dice.one_of(&all),
        }
    }

    fn event(&mut self, nth: usize) -> Event {
        let task = self.id();
        let (timer, wait) = (self.number(), self.number());
        match self.dice.below(26) {
            0 | 1 => Event::Spawned {
                task,
                name: name_of(task),
                place: here(),
                size: self.size(),
                by: self.cause(),
            },
            2 => {
                let phases = [
                    Phase::Queued,
                    Phase::Polling,
                    Phase::PollingAndWoken,
                    Phase::Idle,
                ];
                let state = TaskState {
                    name: name_of(task),
                    place: here(),
                    size: self.size(),
                    by: self.cause(),
                    phase: self.dice.one_of(&phases),
                    since: self.time(nth),
                    polls: self.dice.one_of(&[0, 1, u32::MAX]),
                    wakers: self.count(),
                };
                Event::Known {
                    task,
                    state: Box::new(state),
                }
            }
            3..7 => Event::PollBegun { task },
            7..10 => {
                let blocked = self.time(nth);
                Event::PollEnded {
                    task,
                    outcome: self.outcome(),
                    wakers: self.count(),
                    blocked: self.dice.maybe(blocked),
                }
            }
            10..13 => Event::Woken {
                task,
                by: self.cause(),
                effect: self.dice.one_of(&[
                    Effect::Queued,
                    Effect::Queued,
                    Effect::Noted,
                    Effect::Coalesced,
                    Effect::Stale,
                ]),
            },
            13 => Event::Forgotten {
                task,
                by: self.cause(),
            },
            14 => Event::AbortAsked {
                task,
                by: self.cause(),
            },
            15 => Event::Dropped {
                task,
                aborted: false,
            },
            16 => Event::TimerMade {
                timer,
                deadline: self.time(nth),
                place: here(),
                by: self.cause(),
            },
            17 => Event::TimerArmed {
                timer,
                deadline: self.time(nth),
                wakes: self.dice.maybe(task),
            },
            18 => Event::TimerReset {
                timer,
                deadline: self.time(nth),
            },
            19 => match self.dice.below(3) {
                0 => Event::TimerFired { timer },
                1 => Event::TimerDue { timer },
                _ => Event::TimerDropped { timer },
            },
            20 | 21 => {
                let thing = Awaited::Thing {
                    what: self.dice.one_of(&[
                        "",
                        "the mutex",
                        "a permit of the semaphore",
                        "bytes of the TCP stream",
                    ]),
                    place: here(),
                    line: self.number(),
                };
                let of_task = Awaited::Task(self.id());
                Event::WaitBegun {
                    wait,
                    task,
                    awaited: self.dice.one_of(&[thing, of_task]),
                }
            }
            22 => Event::WaitEnded { wait },
            23 => {
                let until = self.time(nth);
                let parked = Event::Parked {
                    until: self.dice.maybe(until),
                };
                self.dice.one_of(&[parked, Event::Unparked, Event::ClockSet])
            }
            24 => Event::Mark {
                by: self.cause(),
                text: self.text(),
            },
            _ => Event::Value {
                name: self.text(),
                value: self.dice.one_of(&[0, 1, -1, i64::MIN, i64::MAX, 1 << 53]),
            },
        }
    }

    fn trace(&mut self, most: u64) -> Trace {
        let count = self.dice.below(most) as usize;
        let records = (0..count).map(|nth| Record {
            at: self.time(nth),
            event: self.event(nth),
        });
        Trace::from_records(records.collect())
    }
}

/// Some tasks have none; a task has one for life.
fn name_of(task: Id) -> Option<Arc<str>> {
    let number: u64 = task.to_string().parse().unwrap();
    let names = [
        "",
        "worker",
        "</script><b> &amp; \" ' \\ ]]>",
        "\0\u{85}\u{fffe}\u{202e}\n\u{1b}[31m",
        "一二三 🦀",
    ];
    names.get(number as usize % 7).map(|name| Arc::from(*name))
}

/// Makes every drawing of a trace, and checks each.
fn draw(trace: &Trace, width: usize) {
    let text = trace.text().width(width).to_string();
    let colored = trace.text().width(width).color(true).to_string();
    assert!(colored.len() >= text.len());
    let svg = trace.to_svg();
    crate::svg::parse(&svg).unwrap_or_else(|complaint| panic!("{complaint}"));
    crate::chrome::picture(trace);
    let html = trace.to_html();
    assert_eq!(html.matches("</script").count(), 2);
    for lint in trace.lints() {
        assert!(!lint.to_string().contains('\n'));
    }
    trace.draw(Format::Text);
    let mut state = State::default();
    for record in trace.records() {
        state.take(record);
    }
    let again = state.to_records();
    let mut same = State::default();
    again.iter().for_each(|record| same.take(record));
    assert!(state.queue().eq(same.queue()));
    assert!(state.tasks().eq(same.tasks()));
    assert!(state.waits().eq(same.waits()));
}

#[test]
fn every_drawing_is_made_of_any_records() {
    for seed in 0..100 {
        let mut odd = Oddities::new(seed);
        let most = odd.dice.one_of(&[3, 10, 60, 400]);
        let trace = odd.trace(most);
        let width = 1 + odd.dice.below(300) as usize;
        if catch_unwind(|| draw(&trace, width)).is_err() {
            panic!("seed {seed}, {} records, width {width}", trace.records().len());
        }
    }
}

#[test]
fn a_state_takes_a_long_queue_from_either_end() {
    // If it went along the queue, it would need minutes.
    watched(|| {
        const LONG: usize = 100_000;
        let executor = recorded(LONG);
        (0..LONG).for_each(|_| drop(executor.spawn(async {})));
        let spawned = executor.trace();
        let mut state = State::default();
        spawned.records().iter().for_each(|record| state.take(record));
        assert_eq!(state.queue().count(), LONG);
        for (nth, record) in spawned.records().iter().rev().enumerate() {
            let Event::Spawned { task, .. } = record.event else {
                panic!("{record:?}");
            };
            let event = match nth % 2 {
                0 => Event::Dropped {
                    task,
                    aborted: false,
                },
                _ => Event::PollBegun { task },
            };
            state.take(&Record {
                at: record.at,
                event,
            });
        }
        assert_eq!(state.queue().count(), 0);
    });
}

// To be recorded changes nothing.

#[test]
fn what_is_due_at_once_is_so_also_when_it_is_recorded() {
    let executor = Executor::builder().record(1_000).build();
    executor.block_on(async {
        let mut sleep = sleep(Duration::ZERO);
        let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut sleep).poll(cx))).await;
        assert!(polled.is_ready());
    });
}

// Runs that leave something behind.

fn recorded(capacity: usize) -> Executor {
    Executor::builder().start_paused(true).record(capacity).build()
}

#[test]
fn a_task_of_which_only_a_timer_is_left_has_a_track_of_its_own() {
    let executor = recorded(1);
    let kept: Rc<RefCell<Vec<Sleep>>> = Rc::default();
    let keeps = kept.clone();
    drop(executor.spawn(async move {
        let mut sleep = sleep(Duration::from_secs(1));
        assert!(poll_fn(|cx| Poll::Ready(Pin::new(&mut sleep).poll(cx).is_pending())).await);
        keeps.borrow_mut().push(sleep);
    }));
    executor.block_on(yield_now());
    crate::chrome::picture(&executor.trace());
    kept.take();
}

#[test]
fn what_tasks_that_are_over_wait_for_is_forgotten() {
    // The waits end on another thread, which tells nobody.
    let executor = recorded(1_000);
    let (sender, receiver) = std::sync::mpsc::channel();
    let notify = Arc::new(Notify::new());
    let dropper = std::thread::spawn(move || receiver.into_iter().for_each(drop));
    for _ in 0..2_000 {
        let (notify, sender) = (notify.clone(), sender.clone());
        drop(executor.spawn(async move {
            let mut wait = Box::pin(notify.notified_owned());
            assert!(poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx).is_pending())).await);
            sender.send(wait).unwrap();
        }));
        executor.block_on(yield_now());
    }
    drop(sender);
    dropper.join().unwrap();
    let trace = executor.trace();
    assert!(trace.records().len() < 1_010, "{}", trace.records().len());
}

#[test]
fn a_wait_that_outlives_its_task_ends_when_that_is_dropped() {
    let executor = recorded(1_000);
    let notify = Arc::new(Notify::new());
    let kept = Rc::new(RefCell::new(None));
    let keeps = kept.clone();
    drop(executor.spawn(async move {
        let mut wait = Box::pin(notify.notified_owned());
        assert!(poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx).is_pending())).await);
        *keeps.borrow_mut() = Some(wait);
        std::future::pending::<()>().await;
    }));
    executor.block_on(yield_now());
    let waits = |trace: Trace| {
        let mut state = State::default();
        trace.records().iter().for_each(|record| state.take(record));
        state.waits().count()
    };
    assert_eq!(waits(executor.trace()), 1);
    assert_eq!(waits(executor.into_trace()), 0);
    assert!(kept.take().is_some());
}

#[test]
fn a_recording_without_room_keeps_what_is_alive_and_the_last_event() {
    let executor = recorded(0);
    for _ in 0..100 {
        executor.block_on(yield_now());
    }
    let trace = executor.trace();
    // The root, in the middle of a poll, and the end of that.
    assert_eq!(trace.records().len(), 2, "{:?}", trace.records());
    assert!(trace.dropped() > 100);
}

#[test]
fn a_wait_that_is_handed_on_is_that_of_the_other_task() {
    let executor = recorded(1_000);
    let notify = Arc::new(Notify::new());
    let mut wait = Box::pin(notify.notified_owned());
    executor.block_on(async move {
        assert!(poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx).is_pending())).await);
        let other = handspun::spawn(wait);
        yield_now().await;
        let mut state = State::default();
        let trace = handspun::trace::current().unwrap();
        trace.records().iter().for_each(|record| state.take(record));
        let whose: Vec<Id> = state.waits().map(|(_, wait)| wait.task).collect();
        assert_eq!(whose, [other.id()]);
    });
}

#[test]
fn a_line_that_everybody_has_left_is_over() {
    let executor = recorded(1_000);
    let notify = Notify::new();
    executor.block_on(async {
        for _ in 0..2 {
            let mut wait = Box::pin(notify.notified());
            assert!(poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx).is_pending())).await);
        }
    });
    let trace = executor.into_trace();
    let lines = trace.records().iter().filter_map(|record| match record.event {
        Event::WaitBegun {
            awaited: Awaited::Thing { line, .. },
            ..
        } => Some(line),
        _ => None,
    });
    assert_eq!(lines.collect::<Vec<u64>>(), [1, 2]);
}

#[test]
fn a_timer_that_another_task_polls_is_armed_since_it_was_first() {
    let mut state = State::default();
    for (at, wakes) in [(1, ids()[1]), (2, ids()[2])] {
        let event = Event::TimerArmed {
            timer: 1,
            deadline: Duration::from_secs(9),
            wakes: Some(wakes),
        };
        let at = Duration::from_secs(at);
        state.take(&Record { at, event });
    }
    let (_, timer) = state.timers().next().unwrap();
    assert_eq!(timer.armed, Some(Duration::from_secs(1)));
    assert_eq!(timer.wakes, Some(ids()[2]));
}
