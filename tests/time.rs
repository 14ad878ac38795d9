//! Promise 5, and what `handspun::time` says of itself.
//!
//! Nearly all of it runs on the paused clock, where a history of (virtual time, event) is exact: a
//! timer that came a microsecond early or late would be another history. The few tests on the
//! running clock say only "never early", since nobody can promise "at most".

#[path = "support/programs.rs"]
mod programs;
mod support;

use handspun::executor::Executor;
use handspun::spawn;
use handspun::task::{JoinHandle, yield_now};
use handspun::time::{
    self, Duration, Instant, Interval, MissedTickBehavior, Sleep, Timeout, error::Elapsed,
    interval, interval_at, sleep, sleep_until, timeout, timeout_at,
};
use programs::random_programs;
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant as StdInstant;
use support::{CountingWaker, History, Wakes, caught, paused, poll_once, poll_with};

const HOUR: Duration = secs(3600);

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

const fn nanos(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

/// A history whose lines begin with the time since it was made.
#[derive(Clone)]
struct Timeline {
    history: History,
    start: Instant,
}

impl Timeline {
    fn new() -> Timeline {
        Timeline {
            history: History::new(),
            start: Instant::now(),
        }
    }

    fn note(&self, event: impl Display) {
        self.history.push(format_args!("{:?} {event}", self.start.elapsed()));
    }

    /// Spawns a task that sleeps and notes when it woke.
    fn spawn_sleeper(&self, name: &str, duration: Duration) -> JoinHandle<()> {
        let (timeline, name) = (self.clone(), name.to_string());
        spawn(async move {
            sleep(duration).await;
            timeline.note(name);
        })
    }

    #[track_caller]
    fn expect<const N: usize>(&self, expected: [&str; N]) {
        self.history.expect(expected);
    }
}

/// A sleep that one task waits for and another one resets.
#[derive(Clone)]
struct SharedSleep(Rc<RefCell<Sleep>>);

impl SharedSleep {
    fn new(duration: Duration) -> SharedSleep {
        SharedSleep(Rc::new(RefCell::new(sleep(duration))))
    }

    fn reset(&self, deadline: Instant) {
        Pin::new(&mut *self.0.borrow_mut()).reset(deadline);
    }

    /// Notes each poll.
    async fn wait(self, timeline: Timeline) {
        poll_fn(|cx| {
            let poll = Pin::new(&mut *self.0.borrow_mut()).poll(cx);
            timeline.note(if poll.is_ready() { "ready" } else { "pending" });
            poll
        })
        .await;
    }
}

fn paused_executor() -> Executor {
    Executor::builder().start_paused(true).panic_on_stall(true).build()
}

/// How far the clock goes before nothing can ever happen any more.
fn time_until_the_stall(executor: &Executor, future: impl Future<Output = ()>) -> Duration {
    let passed = Cell::new(None);
    let root = async {
        let _note_at_the_end = NoteElapsed(&passed, Instant::now());
        future.await;
        pending::<()>().await;
    };
    let message = caught(|| executor.block_on(root)).unwrap_err();
    assert!(message.starts_with("the executor has stalled"), "{message}");
    passed.get().unwrap()
}

struct NoteElapsed<'a>(&'a Cell<Option<Duration>>, Instant);

impl Drop for NoteElapsed<'_> {
    fn drop(&mut self) {
        self.0.set(Some(self.1.elapsed()));
    }
}

async fn join_all(handles: Vec<JoinHandle<()>>) {
    for handle in handles {
        handle.await.unwrap();
    }
}

// The order of sleeps.

#[test]
fn sleeps_end_in_the_order_of_their_deadlines() {
    paused(async {
        let timeline = Timeline::new();
        let lengths = [
            ("c", millis(30)),
            ("a", millis(10)),
            ("d", HOUR),
            ("b", micros(10_001)),
        ];
        join_all(lengths.map(|(name, length)| timeline.spawn_sleeper(name, length)).into()).await;
        timeline.expect(["10ms a", "10.001ms b", "30ms c", "3600s d"]);
    });
}

#[test]
fn sleeps_with_equal_deadlines_end_in_the_order_in_which_they_were_armed() {
    paused(async {
        let timeline = Timeline::new();
        let tasks = [("made first", 2), ("made second", 1), ("made third", 0)];
        let tasks = tasks.map(|(name, yields)| {
            let (timeline, sleep) = (timeline.clone(), sleep(secs(1)));
            spawn(async move {
                for _ in 0..yields {
                    yield_now().await;
                }
                timeline.note(format_args!("{name} arms"));
                sleep.await;
                timeline.note(format_args!("{name} wakes"));
            })
        });
        join_all(tasks.into()).await;
        timeline.expect([
            "0ns made third arms",
            "0ns made second arms",
            "0ns made first arms",
            "1s made third wakes",
            "1s made second wakes",
            "1s made first wakes",
        ]);
    });
}

#[test]
fn of_equal_deadlines_the_one_that_was_armed_long_before_comes_first() {
    paused(async {
        let timeline = Timeline::new();
        let deadline = timeline.start + secs(1);
        let mut tasks = Vec::new();
        for lead in [secs(1), millis(500), millis(1), micros(70), micros(3)] {
            sleep_until(deadline - lead).await;
            let timeline = timeline.clone();
            tasks.push(spawn(async move {
                sleep_until(deadline).await;
                timeline.note(format_args!("armed {lead:?} before"));
            }));
            yield_now().await;
        }
        join_all(tasks).await;
        timeline.expect([
            "1s armed 1s before",
            "1s armed 500ms before",
            "1s armed 1ms before",
            "1s armed 70µs before",
            "1s armed 3µs before",
        ]);
    });
}

#[test]
fn a_sleep_of_nothing_is_ready_at_the_first_poll() {
    paused(async {
        let timeline = Timeline::new();
        let (counter, waker) = CountingWaker::new();
        assert!(poll_with(&mut sleep(Duration::ZERO), &waker).is_ready());
        assert_eq!(counter.wakes(), 0);
        assert_eq!(timeline.start.elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_sleep_until_the_past_is_ready_at_the_first_poll() {
    paused(async {
        let start = Instant::now();
        sleep(HOUR).await;
        for deadline in [start - secs(1), start, start + secs(5), start + HOUR] {
            assert!(poll_once(sleep_until(deadline)).is_ready());
        }
        assert_eq!(start.elapsed(), HOUR);
    });
}

#[test]
fn a_sleep_counts_from_the_call_and_not_from_the_first_poll() {
    paused(async {
        let start = Instant::now();
        let early = sleep(secs(3));
        sleep(secs(2)).await;
        early.await;
        assert_eq!(start.elapsed(), secs(3));
    });
}

#[test]
fn a_sleeping_task_is_polled_to_arm_and_to_end_and_not_between() {
    paused(async {
        let timeline = Timeline::new();
        let task = spawn(SharedSleep::new(secs(10)).wait(timeline.clone()));
        sleep(secs(5)).await;
        timeline.expect(["0ns pending"]);
        task.await.unwrap();
        timeline.expect(["10s ready"]);
    });
}

#[test]
fn a_deadline_between_two_microseconds_is_rounded_up() {
    paused(async {
        let start = Instant::now();
        for (length, end) in [(1, 1), (999, 2), (1_000, 3), (1_001, 5), (2_999, 8)] {
            sleep(nanos(length)).await;
            assert_eq!(start.elapsed(), micros(end), "after {length} ns");
        }
    });
}

#[test]
fn timers_of_every_length_from_a_microsecond_to_half_a_million_years_end_exactly() {
    paused(async {
        let timeline = Timeline::new();
        let mut lengths: Vec<u64> = (0..60).map(|bits| 1 << bits).collect();
        lengths.extend((1..=10).flat_map(|level| [(1 << (6 * level)) - 1, (1 << (6 * level)) + 1]));
        lengths.push(micros_in_years(500_000));
        let tasks: Vec<_> = lengths
            .iter()
            .rev()
            .map(|&length| timeline.spawn_sleeper("", micros(length)))
            .collect();
        join_all(tasks).await;
        lengths.sort_unstable();
        lengths.dedup();
        let mut woken = timeline.history.take();
        woken.dedup();
        let expected: Vec<_> =
            lengths.iter().map(|&length| format!("{:?} ", micros(length))).collect();
        assert_eq!(woken, expected);
    });
}

fn micros_in_years(years: u64) -> u64 {
    years * 365 * 86_400 * 1_000_000
}

#[test]
fn a_sleep_too_long_for_the_clock_never_ends_and_disturbs_nobody() {
    let lengths = [
        Duration::MAX,
        secs(u64::MAX),
        secs(u64::MAX / 2),
        secs(u64::MAX / 4),
        secs(u64::MAX / 1_000_000 + 1),
    ];
    for length in lengths {
        paused(async {
            let start = Instant::now();
            let (counter, waker) = CountingWaker::new();
            let mut forever = sleep(length);
            assert!(poll_with(&mut forever, &waker).is_pending());
            sleep(secs(1_000_000 * 86_400)).await;
            assert_eq!(start.elapsed(), secs(1_000_000 * 86_400));
            assert!(forever.deadline() > Instant::now() && !forever.is_elapsed());
            assert!(poll_with(&mut forever, &waker).is_pending());
            assert_eq!(counter.wakes(), 0);
        });
        let passed = time_until_the_stall(&paused_executor(), async { sleep(length).await });
        assert_eq!(passed, Duration::ZERO);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..random_programs() })]

    /// The model: of all that sleep, the next to wake is the one with the least deadline, rounded
    /// up to a microsecond, and of equals the one that was armed first.
    #[test]
    fn any_set_of_sleeps_ends_as_a_sorted_list_says(
        tasks in prop::collection::vec(prop::collection::vec(any_length(), 0..4), 1..30)
    ) {
        let woken = paused(async {
            let start = Instant::now();
            let woken = Rc::new(RefCell::new(Vec::new()));
            let handles = tasks.iter().cloned().enumerate().map(|(task, lengths)| {
                let woken = woken.clone();
                spawn(async move {
                    for length in lengths {
                        sleep(length).await;
                        woken.borrow_mut().push((start.elapsed(), task));
                    }
                })
            });
            join_all(handles.collect()).await;
            woken.take()
        });

        let mut model = SleepModel::default();
        for (task, lengths) in tasks.iter().enumerate() {
            model.go_on(Duration::ZERO, task, lengths);
        }
        while let Some((now, task, lengths)) = model.next() {
            model.woken.push((now, task));
            model.go_on(now, task, lengths);
        }
        prop_assert_eq!(woken, model.woken);
    }
}

#[derive(Default)]
struct SleepModel<'a> {
    /// Deadline, task, and what it sleeps after that; in the order of arming.
    armed: Vec<(Duration, usize, &'a [Duration])>,
    woken: Vec<(Duration, usize)>,
}

impl<'a> SleepModel<'a> {
    /// The task is polled: sleeps of nothing end at once, the first that does not is armed.
    fn go_on(&mut self, now: Duration, task: usize, lengths: &'a [Duration]) {
        if let [length, rest @ ..] = lengths {
            if length.is_zero() {
                self.woken.push((now, task));
                self.go_on(now, task, rest);
            } else {
                self.armed.push((rounded_up(now + *length), task, rest));
            }
        }
    }

    fn next(&mut self) -> Option<(Duration, usize, &'a [Duration])> {
        // `min_by_key` gives the first of equals.
        let next = (0..self.armed.len()).min_by_key(|&place| self.armed[place].0)?;
        Some(self.armed.remove(next))
    }
}

/// Of any magnitude, from nothing to a hundred years, and often the same.
fn any_length() -> impl Strategy<Value = Duration> {
    let random = (any::<u64>(), 2..64_u32).prop_map(|(nanos, shift)| nanos >> shift);
    prop_oneof![random, 0..4_u64, (0..4_u64).prop_map(|n| n * 1_000)].prop_map(nanos)
}

fn rounded_up(length: Duration) -> Duration {
    micros(length.as_nanos().div_ceil(1_000) as u64)
}

// One sleep: polled, reset, dropped.

#[test]
fn a_sleep_may_be_polled_again_after_it_was_ready() {
    paused(async {
        let (counter, waker) = CountingWaker::new();
        let mut sleep = sleep(secs(1));
        (&mut sleep).await;
        for _ in 0..3 {
            assert!(poll_with(&mut sleep, &waker).is_ready());
            assert!(sleep.is_elapsed());
        }
        time::sleep(secs(1)).await;
        assert_eq!(counter.wakes(), 0);
    });
}

#[test]
fn a_sleep_reset_before_its_first_poll_has_the_new_deadline() {
    paused(async {
        let start = Instant::now();
        for (deadline, end) in [(secs(3), 3), (secs(20), 20), (secs(1), 20)] {
            let mut sleep = sleep(secs(10));
            Pin::new(&mut sleep).reset(start + deadline);
            assert_eq!(sleep.deadline(), start + deadline);
            sleep.await;
            assert_eq!(start.elapsed(), secs(end));
        }
    });
}

#[test]
fn a_sleep_reset_while_a_task_waits_ends_at_the_new_deadline() {
    for (deadline, end) in [(secs(5), "5s ready"), (secs(20), "20s ready")] {
        paused(async {
            let timeline = Timeline::new();
            let sleep = SharedSleep::new(secs(10));
            let task = spawn(sleep.clone().wait(timeline.clone()));
            time::sleep(secs(2)).await;
            sleep.reset(timeline.start + deadline);
            task.await.unwrap();
            timeline.expect(["0ns pending", end]);
        });
    }
}

#[test]
fn a_sleep_reset_to_its_own_deadline_comes_after_its_equals() {
    paused(async {
        let timeline = Timeline::new();
        let first = SharedSleep::new(secs(1));
        let task = spawn(first.clone().wait(timeline.clone()));
        let other = timeline.spawn_sleeper("other", secs(1));
        yield_now().await;
        first.reset(timeline.start + secs(1));
        join_all(vec![task, other]).await;
        timeline.expect(["0ns pending", "1s other", "1s ready"]);
    });
}

#[test]
fn a_sleep_reset_after_it_was_ready_sleeps_again() {
    paused(async {
        let start = Instant::now();
        let mut sleep = sleep(secs(1));
        (&mut sleep).await;
        Pin::new(&mut sleep).reset(start + secs(5));
        assert!(!sleep.is_elapsed());
        (&mut sleep).await;
        assert_eq!(start.elapsed(), secs(5));
        Pin::new(&mut sleep).reset(start + secs(2));
        sleep.await;
        assert_eq!(start.elapsed(), secs(5));
    });
}

#[test]
fn a_sleep_reset_between_its_firing_and_its_poll_is_not_early() {
    paused(async {
        let timeline = Timeline::new();
        let shared = SharedSleep::new(secs(1));
        let resetter = spawn({
            let (shared, timeline) = (shared.clone(), timeline.clone());
            async move {
                sleep(secs(1)).await;
                timeline.note("reset");
                shared.reset(timeline.start + secs(3));
            }
        });
        let waiter = spawn(shared.wait(timeline.clone()));
        join_all(vec![resetter, waiter]).await;
        timeline.expect(["0ns pending", "1s reset", "1s pending", "3s ready"]);
    });
}

#[test]
fn only_the_last_waker_is_woken() {
    paused(async {
        let (first, first_waker) = CountingWaker::new();
        let (second, second_waker) = CountingWaker::new();
        let mut shared = sleep(secs(1));
        for waker in [&second_waker, &first_waker, &second_waker, &second_waker] {
            assert!(poll_with(&mut shared, waker).is_pending());
        }
        sleep(secs(2)).await;
        assert_eq!((first.wakes(), second.wakes()), (0, 1));
    });
}

#[test]
fn a_task_that_takes_a_sleep_over_is_woken_and_the_one_before_is_not() {
    paused(async {
        let timeline = Timeline::new();
        let sleep = SharedSleep::new(secs(1));
        let before = spawn(sleep.clone().wait(timeline.clone()));
        yield_now().await;
        let after = spawn(sleep.wait(timeline.clone()));
        after.await.unwrap();
        timeline.expect(["0ns pending", "0ns pending", "1s ready"]);
        assert!(!before.is_finished());
    });
}

#[test]
fn the_clock_does_not_jump_to_the_deadline_of_a_sleep_that_was_dropped() {
    let passed = time_until_the_stall(&paused_executor(), async {
        let mut dropped = sleep(HOUR);
        assert!(poll_once(&mut dropped).is_pending());
        sleep(secs(1)).await;
        drop(dropped);
    });
    assert_eq!(passed, secs(1));
}

#[test]
fn the_waker_of_a_sleep_that_was_dropped_is_not_woken() {
    paused(async {
        let (counter, waker) = CountingWaker::new();
        let mut sleeps: Vec<_> = (1..10).map(|length| sleep(secs(length))).collect();
        for sleep in &mut sleeps {
            assert!(poll_with(sleep, &waker).is_pending());
        }
        for place in [8, 4, 0] {
            drop(sleeps.remove(place));
        }
        sleep(secs(10)).await;
        assert_eq!(counter.wakes(), 6);
        drop(sleeps);
        sleep(secs(10)).await;
        assert_eq!(counter.wakes(), 6);
    });
}

#[test]
fn a_million_timers_made_and_dropped_leave_nothing_behind() {
    paused(async {
        let start = Instant::now();
        let (counter, waker) = CountingWaker::new();
        for round in 0..1_000_000 {
            let mut sleep = sleep(micros(1 + (round * 7919) % 10_000_000));
            assert!(poll_with(&mut sleep, &waker).is_pending());
        }
        sleep(HOUR).await;
        assert_eq!(start.elapsed(), HOUR);
        assert_eq!(counter.wakes(), 0);
    });
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Makes a sleep, dropping the one before, and polls it.
    Arm(Duration),
    Reset(Duration),
    Drop,
    Poll,
    /// Time goes on for all.
    Advance(Duration),
}

fn any_step() -> impl Strategy<Value = Step> {
    let length = || any_length().prop_map(|length| rounded_up(length).max(micros(1)));
    prop_oneof![
        3 => length().prop_map(Step::Arm),
        2 => length().prop_map(Step::Reset),
        1 => Just(Step::Drop),
        1 => Just(Step::Poll),
        2 => length().prop_map(Step::Advance),
    ]
}

/// What a sleep ought to be.
#[derive(Clone, Copy)]
struct ModelSleep {
    deadline: Duration,
    /// When it was armed, as a number in order; `None` if it has fired or was not polled since.
    armed: Option<usize>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..random_programs() })]

    #[test]
    fn any_history_of_one_wheel_wakes_as_a_sorted_list_says(
        steps in prop::collection::vec((0..8_usize, any_step()), 1..60)
    ) {
        paused(async {
            let start = Instant::now();
            let wakes = Wakes::default();
            let wakers: Vec<Waker> = (0..8).map(|place| wakes.waker(place)).collect();
            let mut sleeps: [Option<Sleep>; 8] = [const { None }; 8];
            let mut model: [Option<ModelSleep>; 8] = [None; 8];
            for (number, (place, step)) in steps.into_iter().enumerate() {
                let now = start.elapsed();
                let waker = &wakers[place];
                match (step, &mut sleeps[place], &mut model[place]) {
                    (Step::Arm(length), real, model) => {
                        assert!(poll_with(real.insert(sleep(length)), waker).is_pending());
                        *model = Some(ModelSleep { deadline: now + length, armed: Some(number) });
                    }
                    (Step::Drop, real, model) => (*real, *model) = (None, None),
                    (Step::Reset(length), Some(real), Some(model)) => {
                        Pin::new(real).reset(start + now + length);
                        model.deadline = now + length;
                        model.armed = model.armed.map(|_| number);
                    }
                    (Step::Poll, Some(real), Some(model)) => {
                        let due = model.deadline <= now;
                        assert_eq!(poll_with(real, waker).is_ready(), due);
                        if !due {
                            model.armed = model.armed.or(Some(number));
                        }
                    }
                    (Step::Advance(length), ..) => {
                        time::advance(length).await;
                        let expected = fire(&mut model, start.elapsed());
                        assert_eq!(wakes.take(), expected);
                    }
                    _ => {}
                }
            }
        });
    }
}

/// Whom the model wakes by `now`, in order.
fn fire(model: &mut [Option<ModelSleep>], now: Duration) -> Vec<usize> {
    let mut fired = Vec::new();
    for (place, sleep) in model.iter_mut().enumerate() {
        if let Some(sleep) = sleep
            && sleep.deadline <= now
            && let Some(armed) = sleep.armed.take()
        {
            fired.push((sleep.deadline, armed, place));
        }
    }
    fired.sort_unstable();
    fired.into_iter().map(|(.., place)| place).collect()
}

// Sleeps that travel.

#[test]
fn sleeps_timeouts_and_intervals_may_be_sent_and_moved() {
    fn check<T: Send + Sync + Unpin>() {}
    check::<Sleep>();
    check::<Timeout<std::future::Ready<()>>>();
    check::<Interval>();
    check::<Instant>();
    check::<Elapsed>();
}

/// A sleep on the wheel of an executor that is not running any more.
fn armed_on(executor: &Executor, duration: Duration) -> Sleep {
    let mut armed = None;
    executor.block_on(async {
        let armed = armed.insert(sleep(duration));
        assert!(poll_once(armed).is_pending());
    });
    armed.unwrap()
}

#[test]
fn a_sleep_carried_to_another_executor_goes_on_there_and_leaves_the_first_one() {
    let first = paused_executor();
    let mut carried = armed_on(&first, HOUR);
    paused(async {
        (&mut carried).await;
        assert!(carried.is_elapsed());
    });
    assert_eq!(time_until_the_stall(&first, ready(())), Duration::ZERO);
}

#[test]
fn a_sleep_dropped_in_another_executor_leaves_the_first_one() {
    let first = paused_executor();
    let carried = armed_on(&first, HOUR);
    paused(async { drop(carried) });
    assert_eq!(time_until_the_stall(&first, ready(())), Duration::ZERO);
}

#[test]
fn a_sleep_that_outlives_its_executor_is_not_early_in_the_next_one() {
    let mut old = armed_on(&paused_executor(), HOUR);
    paused(async {
        // Armed first, so that it lies where the old one lay on the wheel that is gone.
        let (counter, waker) = CountingWaker::new();
        let mut new = sleep(secs(60));
        assert!(poll_with(&mut new, &waker).is_pending());
        let (old_counter, old_waker) = CountingWaker::new();
        assert!(poll_with(&mut old, &old_waker).is_pending());
        sleep(secs(61)).await;
        assert_eq!((counter.wakes(), old_counter.wakes()), (1, 0));
        (&mut old).await;
        let late = Instant::now() - old.deadline();
        assert!(old.is_elapsed() && late < micros(1), "{late:?}");
    });
}

#[test]
fn a_sleep_that_outlives_its_executor_disarms_nothing_in_the_next_one() {
    let first = paused_executor();
    let (dropped, mut reset) = (armed_on(&first, HOUR), armed_on(&first, HOUR));
    drop(first);
    paused(async {
        let start = Instant::now();
        let (counter, waker) = CountingWaker::new();
        let mut new = [sleep(secs(1)), sleep(secs(2))];
        for new in &mut new {
            assert!(poll_with(new, &waker).is_pending());
        }
        drop(dropped);
        Pin::new(&mut reset).reset(start + secs(5));
        sleep(secs(3)).await;
        assert_eq!(counter.wakes(), 2);
        reset.await;
        assert_eq!(start.elapsed(), secs(5));
    });
}

#[test]
fn a_sleep_dropped_on_another_thread_leaves_the_wheel() {
    let passed = time_until_the_stall(&paused_executor(), async {
        let mut dropped = sleep(HOUR);
        assert!(poll_once(&mut dropped).is_pending());
        thread::spawn(move || drop(dropped)).join().unwrap();
    });
    assert_eq!(passed, Duration::ZERO);
}

#[test]
fn a_sleep_reset_on_another_thread_ends_at_the_new_deadline() {
    for (deadline, end) in [
        (secs(5), "5s ready"),
        (secs(20), "20s ready"),
        (secs(1), "2s ready"),
    ] {
        paused(async {
            let timeline = Timeline::new();
            let shared = Arc::new(Mutex::new(sleep(secs(10))));
            let waiter = spawn({
                let (shared, timeline) = (shared.clone(), timeline.clone());
                async move {
                    poll_fn(|cx| poll_with(&mut *shared.lock().unwrap(), cx.waker())).await;
                    timeline.note("ready");
                }
            });
            sleep(secs(2)).await;
            let deadline = timeline.start + deadline;
            let reset = move || Pin::new(&mut *shared.lock().unwrap()).reset(deadline);
            thread::spawn(reset).join().unwrap();
            waiter.await.unwrap();
            timeline.expect([end]);
        });
    }
}

#[test]
fn a_sleep_made_on_one_thread_ends_on_another() {
    let sleep = sleep(HOUR);
    let deadline = sleep.deadline();
    thread::spawn(move || {
        paused(async {
            sleep.await;
            assert!(Instant::now() >= deadline);
        });
    })
    .join()
    .unwrap();
}

#[test]
fn what_waits_for_time_panics_where_no_executor_is_running() {
    fn message<F: Future>(future: F) -> String {
        let future = pin!(future);
        caught(|| drop(future.poll(&mut Context::from_waker(Waker::noop())))).unwrap_err()
    }
    let expected = "a handspun timer was polled where no executor is running";
    let past = Instant::now();
    assert!(message(sleep(HOUR)).starts_with(expected));
    assert!(message(sleep_until(past)).starts_with(expected));
    assert!(message(timeout(HOUR, pending::<()>())).starts_with(expected));
    assert!(message(interval(HOUR).tick()).starts_with(expected));
    assert_eq!(poll_once(timeout(HOUR, ready(1))), Poll::Ready(Ok(1)));
}

// Timeouts.

#[test]
fn a_future_that_is_ready_at_once_is_in_time_with_no_time_at_all() {
    paused(async {
        let past = Instant::now();
        sleep(secs(1)).await;
        assert_eq!(timeout(Duration::ZERO, ready(1)).await, Ok(1));
        assert_eq!(timeout_at(past, ready(2)).await, Ok(2));
        assert!(timeout(Duration::ZERO, pending::<()>()).await.is_err());
        assert!(timeout_at(past, pending::<()>()).await.is_err());
        assert_eq!(past.elapsed(), secs(1));
    });
}

#[test]
fn the_loser_is_dropped_before_the_timeout_gives_its_answer() {
    paused(async {
        let timeline = Timeline::new();
        let loser = async {
            let _dropped = timeline.history.on_drop("loser dropped");
            sleep(secs(8)).await;
            timeline.note("loser woke");
        };
        let answer = timeout(secs(5), loser).await;
        timeline.note(format_args!("{answer:?}"));
        sleep(secs(5)).await;
        timeline.expect(["loser dropped", "5s Err(Elapsed(()))"]);
    });
}

#[test]
fn a_timeout_polls_its_future_before_it_looks_at_the_clock() {
    paused(async {
        let history = History::new();
        assert_eq!(timeout(Duration::ZERO, history.probe("ready in time", 0)).await, Ok(()));
        assert!(timeout(Duration::ZERO, history.probe("too slow", 1)).await.is_err());
        history.expect([
            "ready in time: poll",
            "ready in time: drop",
            "too slow: poll",
            "too slow: drop",
        ]);
    });
}

#[test]
fn a_future_that_is_ready_at_its_poll_is_in_time_even_if_the_deadline_has_passed() {
    paused(async {
        let at_once = timeout(secs(1), sleep(secs(1))).await;
        assert_eq!(at_once, Ok(()));
        let both_due = spawn(timeout(secs(1), sleep(secs(3))));
        yield_now().await;
        time::advance(secs(5)).await;
        assert_eq!(both_due.await.unwrap(), Ok(()));
    });
}

#[test]
fn a_timeout_that_was_not_needed_leaves_no_timer() {
    let passed = time_until_the_stall(&paused_executor(), async {
        assert_eq!(timeout(HOUR, sleep(secs(1))).await, Ok(()));
    });
    assert_eq!(passed, secs(1));
}

#[test]
fn of_nested_timeouts_the_shorter_one_decides_and_of_equal_ones_the_inner() {
    paused(async {
        let nested = |outer, inner| timeout(secs(outer), timeout(secs(inner), pending::<()>()));
        assert!(matches!(nested(1, 2).await, Err(_outer)));
        assert!(matches!(nested(2, 1).await, Ok(Err(_inner))));
        assert!(matches!(nested(1, 1).await, Ok(Err(_inner))));
    });
}

#[test]
fn a_timeout_without_an_end_is_none() {
    paused(async {
        let start = Instant::now();
        let slow = async {
            sleep(HOUR).await;
            "slow"
        };
        assert_eq!(timeout(Duration::MAX, slow).await, Ok("slow"));
        assert_eq!(start.elapsed(), HOUR);
    });
}

#[test]
fn a_timeout_gives_its_future_back() {
    let mut timeout = timeout(HOUR, ready(7));
    assert_eq!(format!("{:?}", timeout.get_ref()), format!("{:?}", ready(7)));
    *timeout.get_mut() = ready(8);
    assert_eq!(poll_once(timeout.into_inner()), Poll::Ready(8));
}

#[test]
fn a_timeout_costs_32_bytes() {
    async fn holds(bytes: [u8; 1000]) -> [u8; 1000] {
        yield_now().await;
        bytes
    }
    for future in [size_of_val(&holds([0; 1000])), 0].map(|_| holds([0; 1000])) {
        let alone = size_of_val(&future);
        assert!(size_of_val(&timeout(HOUR, future)) <= alone.next_multiple_of(8) + 32);
    }
    assert!(size_of_val(&timeout(HOUR, ready(()))) <= 8 + 32);
}

#[test]
fn elapsed_says_so_and_becomes_an_io_error() {
    let elapsed = paused(timeout(secs(1), pending::<()>())).unwrap_err();
    assert_eq!(elapsed.to_string(), "the deadline has passed");
    let error = std::io::Error::from(elapsed);
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "the deadline has passed");
    assert_eq!(error.get_ref().unwrap().downcast_ref(), Some(&elapsed));
}

// Intervals.

#[test]
fn an_interval_ticks_at_once_and_then_every_period() {
    paused(async {
        let timeline = Timeline::new();
        let mut interval = interval(secs(2));
        assert_eq!(interval.period(), secs(2));
        for _ in 0..4 {
            tick(&mut interval, &timeline).await;
        }
        timeline.expect(["0ns for 0ns", "2s for 2s", "4s for 4s", "6s for 6s"]);
    });
}

/// Notes when the tick came, and for when it was planned.
async fn tick(interval: &mut Interval, timeline: &Timeline) {
    let planned = interval.tick().await;
    timeline.note(format_args!("for {:?}", planned - timeline.start));
}

#[test]
fn an_interval_may_begin_later_or_in_the_past() {
    paused(async {
        let timeline = Timeline::new();
        let mut later = interval_at(timeline.start + secs(5), secs(2));
        tick(&mut later, &timeline).await;
        tick(&mut later, &timeline).await;
        let mut past = interval_at(timeline.start + secs(3), secs(2));
        for _ in 0..4 {
            tick(&mut past, &timeline).await;
        }
        timeline.expect([
            "5s for 5s",
            "7s for 7s",
            "7s for 3s",
            "7s for 5s",
            "7s for 7s",
            "9s for 9s",
        ]);
    });
}

#[test]
fn an_interval_that_missed_ticks_goes_on_as_its_behavior_says() {
    use MissedTickBehavior::{Burst, Delay, Skip};
    assert_eq!(interval(HOUR).missed_tick_behavior(), Burst);
    // The picture of `time/interval.rs`: a tick is due each second, the program busy from 1 to 3.3.
    let table = [
        (
            Burst,
            [
                "3.3s for 2s",
                "3.3s for 3s",
                "4s for 4s",
                "5s for 5s",
                "6s for 6s",
            ],
        ),
        (
            Delay,
            [
                "3.3s for 2s",
                "4.3s for 4.3s",
                "5.3s for 5.3s",
                "6.3s for 6.3s",
                "7.3s for 7.3s",
            ],
        ),
        (
            Skip,
            [
                "3.3s for 2s",
                "4s for 4s",
                "5s for 5s",
                "6s for 6s",
                "7s for 7s",
            ],
        ),
    ];
    for (behavior, expected) in table {
        paused(async {
            let timeline = Timeline::new();
            let mut interval = interval(secs(1));
            interval.set_missed_tick_behavior(behavior);
            tick(&mut interval, &timeline).await;
            tick(&mut interval, &timeline).await;
            timeline.expect(["0ns for 0ns", "1s for 1s"]);
            time::advance(millis(2300)).await;
            for _ in expected {
                tick(&mut interval, &timeline).await;
            }
            timeline.expect(expected);
        });
    }
}

#[test]
fn a_tick_that_is_five_milliseconds_late_is_on_time() {
    use MissedTickBehavior::{Burst, Delay, Skip};
    let late = "1.005001s for 1s";
    let table = [
        (Burst, millis(5), ["1.005s for 1s", "2s for 2s"]),
        (Delay, millis(5), ["1.005s for 1s", "2s for 2s"]),
        (Skip, millis(5), ["1.005s for 1s", "2s for 2s"]),
        (Burst, micros(5_001), [late, "2s for 2s"]),
        (Delay, micros(5_001), [late, "2.005001s for 2.005001s"]),
        (Skip, micros(5_001), [late, "2s for 2s"]),
    ];
    for (behavior, lateness, expected) in table {
        paused(async {
            let timeline = Timeline::new();
            let mut interval = interval(secs(1));
            interval.set_missed_tick_behavior(behavior);
            interval.tick().await;
            time::advance(secs(1) + lateness).await;
            tick(&mut interval, &timeline).await;
            tick(&mut interval, &timeline).await;
            timeline.expect(expected);
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..random_programs() })]

    #[test]
    fn any_interval_ticks_as_its_plan_says(
        period in (1..50_000_u64).prop_map(micros),
        busy in prop::collection::vec(prop_oneof![Just(0), 0..200_000_u64], 1..30),
        behavior in prop_oneof![
            Just(MissedTickBehavior::Burst),
            Just(MissedTickBehavior::Delay),
            Just(MissedTickBehavior::Skip),
        ],
    ) {
        paused(async {
            let start = Instant::now();
            let mut interval = interval(period);
            interval.set_missed_tick_behavior(behavior);
            let mut planned = Duration::ZERO;
            let mut now = Duration::ZERO;
            for busy in busy.into_iter().map(micros) {
                time::advance(busy).await;
                let tick = interval.tick().await - start;
                now = planned.max(now + busy);
                assert_eq!((tick, start.elapsed()), (planned, now));
                let in_time = now - planned <= millis(5);
                planned = match behavior {
                    MissedTickBehavior::Delay if !in_time => now + period,
                    MissedTickBehavior::Skip if !in_time => {
                        (1..).map(|n| planned + period * n).find(|&next| next > now).unwrap()
                    }
                    _ => planned + period,
                };
            }
        });
    }
}

#[test]
fn an_interval_may_be_reset_to_any_time() {
    paused(async {
        let timeline = Timeline::new();
        let mut interval = interval(secs(10));
        tick(&mut interval, &timeline).await;
        sleep(secs(1)).await;
        interval.reset();
        tick(&mut interval, &timeline).await;
        sleep(secs(1)).await;
        interval.reset_immediately();
        tick(&mut interval, &timeline).await;
        interval.reset_after(secs(3));
        tick(&mut interval, &timeline).await;
        interval.reset_at(timeline.start + secs(50));
        tick(&mut interval, &timeline).await;
        tick(&mut interval, &timeline).await;
        timeline.expect([
            "0ns for 0ns",
            "11s for 11s",
            "12s for 12s",
            "15s for 15s",
            "50s for 50s",
            "60s for 60s",
        ]);
    });
}

#[test]
fn an_interval_without_a_period_panics() {
    let expected = "an interval's period must be longer than zero";
    assert_eq!(caught(|| drop(interval(Duration::ZERO))).unwrap_err(), expected);
    assert_eq!(caught(|| drop(interval_at(Instant::now(), Duration::ZERO))).unwrap_err(), expected);
}

#[test]
fn an_interval_with_the_longest_period_ticks_once() {
    paused(async {
        let mut interval = interval(Duration::MAX);
        interval.tick().await;
        assert!(timeout(HOUR, interval.tick()).await.is_err());
        interval.reset_after(Duration::MAX);
        assert!(timeout(HOUR, interval.tick()).await.is_err());
    });
}

#[test]
fn a_tick_that_was_given_up_is_still_to_come() {
    paused(async {
        let timeline = Timeline::new();
        let mut interval = interval(secs(5));
        for _ in 0..8 {
            match timeout(secs(2), tick(&mut interval, &timeline)).await {
                Ok(()) => {}
                Err(_) => timeline.note("gave up"),
            }
        }
        timeline.expect([
            "0ns for 0ns",
            "2s gave up",
            "4s gave up",
            "5s for 5s",
            "7s gave up",
            "9s gave up",
            "10s for 10s",
            "12s gave up",
        ]);
    });
}

#[test]
fn an_interval_may_be_polled_by_hand() {
    paused(async {
        let start = Instant::now();
        let (counter, waker) = CountingWaker::new();
        let mut cx = Context::from_waker(&waker);
        let mut interval = interval(secs(1));
        assert_eq!(interval.poll_tick(&mut cx), Poll::Ready(start));
        assert_eq!(interval.poll_tick(&mut cx), Poll::Pending);
        assert_eq!(counter.wakes(), 0);
        sleep(secs(1)).await;
        assert_eq!(counter.wakes(), 1);
        assert_eq!(interval.poll_tick(&mut cx), Poll::Ready(start + secs(1)));
        assert_eq!(interval.poll_tick(&mut cx), Poll::Pending);
    });
}

// The clock that stands.

#[test]
fn a_paused_clock_stands_while_real_time_goes_by() {
    paused(async {
        let start = Instant::now();
        let really = StdInstant::now();
        while really.elapsed() < millis(2) {
            yield_now().await;
            assert_eq!(start.elapsed(), Duration::ZERO);
        }
    });
}

#[test]
fn the_clock_jumps_only_when_nothing_is_runnable() {
    paused(async {
        let timeline = Timeline::new();
        let sleeper = timeline.spawn_sleeper("sleeper", micros(1));
        let yielding = spawn({
            let timeline = timeline.clone();
            async move {
                for _ in 0..1000 {
                    yield_now().await;
                }
                timeline.note("yielded a thousand times");
            }
        });
        join_all(vec![sleeper, yielding]).await;
        timeline.expect(["0ns yielded a thousand times", "1µs sleeper"]);
    });
}

#[test]
fn advance_fires_what_is_due_in_order_and_the_woken_tasks_have_been_polled() {
    paused(async {
        let timeline = Timeline::new();
        let lengths = [("d", 3), ("b", 2), ("a", 1), ("c", 2), ("not yet", 4)];
        let sleepers = lengths.map(|(name, length)| timeline.spawn_sleeper(name, secs(length)));
        yield_now().await;
        time::advance(secs(3)).await;
        timeline.note("advanced");
        assert_eq!(
            sleepers.each_ref().map(JoinHandle::is_finished),
            [true, true, true, true, false]
        );
        join_all(sleepers.into()).await;
        timeline.expect(["3s a", "3s b", "3s c", "3s d", "3s advanced", "4s not yet"]);
    });
}

#[test]
fn advance_in_a_task_finds_hundreds_of_woken_tasks_polled() {
    paused(async {
        let tasks: Vec<_> = (0..300).map(|length| spawn(sleep(micros(length)))).collect();
        yield_now().await;
        let all_finished = spawn(async move {
            time::advance(secs(1)).await;
            tasks.iter().all(JoinHandle::is_finished)
        });
        assert!(all_finished.await.unwrap());
    });
}

#[test]
fn advance_fires_nothing_that_is_a_microsecond_away() {
    paused(async {
        let sleeper = spawn(sleep(secs(1)));
        yield_now().await;
        time::advance(secs(1) - micros(1)).await;
        assert!(!sleeper.is_finished());
        time::advance(micros(1)).await;
        assert!(sleeper.is_finished());
    });
}

#[test]
fn advance_by_nothing_moves_no_clock() {
    paused(async {
        let start = Instant::now();
        time::advance(Duration::ZERO).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_dropped_advance_does_not_set_the_clock_back() {
    paused(async {
        let start = Instant::now();
        drop(time::advance(HOUR));
        assert_eq!(start.elapsed(), Duration::ZERO);
        let mut polled = Box::pin(time::advance(HOUR));
        assert!(poll_once(&mut polled).is_pending());
        drop(polled);
        assert_eq!(start.elapsed(), HOUR);
    });
}

#[test]
fn pause_stops_a_running_clock_and_the_timers_that_were_armed_on_it() {
    handspun::block_on(async {
        let start = Instant::now();
        let sleeper = spawn(sleep(HOUR));
        yield_now().await;
        time::pause();
        let paused_at = Instant::now();
        sleep(secs(60)).await;
        let slept = paused_at.elapsed();
        assert!(slept >= secs(60) && slept < secs(60) + micros(1), "{slept:?}");
        sleeper.await.unwrap();
        let elapsed = start.elapsed();
        assert!(elapsed >= HOUR && paused_at.elapsed() <= HOUR, "{elapsed:?}");
    });
}

#[test]
fn resume_goes_on_from_the_virtual_instant() {
    paused(async {
        let start = Instant::now();
        let armed_on_the_paused_clock = spawn(sleep(HOUR + millis(1)));
        sleep(HOUR).await;
        time::resume();
        let resumed = Instant::now();
        assert!(resumed - start >= HOUR);
        sleep(micros(100)).await;
        assert!(resumed.elapsed() >= micros(100));
        armed_on_the_paused_clock.await.unwrap();
        assert!(start.elapsed() >= HOUR + millis(1));
        time::pause();
        let paused = Instant::now();
        assert!(paused >= start + HOUR + millis(1));
        sleep(HOUR).await;
        assert!(paused.elapsed() >= HOUR && paused.elapsed() < HOUR + micros(1));
    });
}

#[test]
fn the_clock_is_only_paused_resumed_and_advanced_when_that_makes_sense() {
    let running = |f: fn()| caught(|| handspun::block_on(async { f() })).unwrap_err();
    let standing = |f: fn()| caught(|| paused(async { f() })).unwrap_err();
    assert_eq!(standing(time::pause), "time::pause was called, but the clock is paused already");
    assert_eq!(running(time::resume), "time::resume was called, but the clock is not paused");
    assert_eq!(
        caught(|| handspun::block_on(time::advance(secs(1)))).unwrap_err(),
        "time::advance was called, but the clock is not paused: call time::pause"
    );
}

#[test]
fn nobody_can_pause_resume_or_advance_where_no_executor_is_running() {
    let expected = |verb| {
        format!(
            "time::{verb} was called where no executor is running: call it inside a future that \
             `block_on` runs"
        )
    };
    assert_eq!(caught(time::pause).unwrap_err(), expected("pause"));
    assert_eq!(caught(time::resume).unwrap_err(), expected("resume"));
    let advance = || assert!(poll_once(time::advance(secs(1))).is_ready());
    assert_eq!(caught(advance).unwrap_err(), expected("advance"));
}

#[test]
fn each_executor_has_a_clock_of_its_own_that_goes_on_with_its_next_block_on() {
    let (first, second) = (paused_executor(), paused_executor());
    let now = |executor: &Executor| executor.block_on(async { Instant::now() });
    let starts = (now(&first), now(&second));
    first.block_on(async { sleep(HOUR).await });
    assert_eq!((now(&first) - starts.0, now(&second) - starts.1), (HOUR, Duration::ZERO));
    second.block_on(async { sleep(secs(1)).await });
    assert_eq!((now(&first) - starts.0, now(&second) - starts.1), (HOUR, secs(1)));
}

#[test]
fn a_sleeping_task_goes_on_with_the_next_block_on() {
    let executor = paused_executor();
    let (timeline, sleeper) = executor.block_on(async {
        let timeline = Timeline::new();
        let sleeper = timeline.spawn_sleeper("sleeper", secs(10));
        sleep(secs(4)).await;
        timeline.note("first root");
        (timeline, sleeper)
    });
    executor.block_on(sleeper).unwrap();
    timeline.history.expect(["4s first root", "10s sleeper"]);
}

// Instants.

#[test]
fn instants_add_subtract_and_compare() {
    let now = Instant::now();
    let later = now + secs(2);
    assert!(later > now);
    assert_eq!(later - now, secs(2));
    assert_eq!(later - secs(2), now);
    assert_eq!(now - later, Duration::ZERO);
    assert_eq!(later.duration_since(now), secs(2));
    assert_eq!(now.duration_since(later), Duration::ZERO);
    assert_eq!(now.saturating_duration_since(later), Duration::ZERO);
    assert_eq!(later.checked_duration_since(now), Some(secs(2)));
    assert_eq!(now.checked_duration_since(later), None);
    assert_eq!(now.checked_add(secs(2)), Some(later));
    assert_eq!(now.checked_add(Duration::MAX), None);
    assert_eq!(later.checked_sub(secs(2)), Some(now));
    assert_eq!(now.checked_sub(Duration::MAX), None);
    let mut moved = now;
    moved += secs(3);
    moved -= secs(1);
    assert_eq!(moved, later);
    assert_eq!(later.elapsed(), Duration::ZERO);
}

#[test]
fn instants_are_those_of_the_standard_library() {
    let before = StdInstant::now();
    let now = Instant::now();
    let after = StdInstant::now();
    assert!(before <= now.into_std() && now.into_std() <= after);
    assert_eq!(Instant::from_std(before), Instant::from(before));
    assert_eq!(StdInstant::from(now), now.into_std());
    assert_eq!(format!("{now:?}"), format!("{:?}", now.into_std()));
}

// The clock that runs. Nothing here says how late.

#[test]
fn no_sleep_on_a_running_clock_ends_early() {
    handspun::block_on(async {
        let lengths = [
            nanos(1),
            nanos(999),
            micros(1),
            micros(64),
            micros(800),
            millis(3),
        ];
        let sleepers = lengths.map(|length| {
            spawn(async move {
                let start = StdInstant::now();
                sleep(length).await;
                assert!(start.elapsed() >= length, "{:?} of {length:?}", start.elapsed());
            })
        });
        join_all(sleepers.into()).await;
    });
}

#[test]
fn a_sleep_until_the_past_is_ready_at_the_first_poll_of_a_fresh_executor() {
    handspun::block_on(async {
        let now = Instant::now();
        for deadline in [now - secs(1), now] {
            assert!(poll_once(sleep_until(deadline)).is_ready());
        }
    });
}

#[test]
fn sleeps_on_a_running_clock_end_in_order_while_others_yield() {
    handspun::block_on(async {
        // What is armed in one poll is armed at one time, which was read before.
        sleep(micros(1)).await;
        let (start, wakes) = (Instant::now(), Wakes::default());
        let _sleeps = [6, 2, 4].map(|length| {
            let mut sleep = sleep_until(start + millis(length));
            assert!(poll_with(&mut sleep, &wakes.waker(length as usize)).is_pending());
            sleep
        });
        let mut woken = Vec::new();
        while woken.len() < 3 {
            yield_now().await;
            woken.extend(wakes.take());
        }
        assert_eq!(woken, [2, 4, 6]);
    });
}

#[test]
fn a_timeout_on_a_running_clock_is_not_early() {
    handspun::block_on(async {
        let start = StdInstant::now();
        assert!(timeout(millis(1), pending::<()>()).await.is_err());
        assert!(start.elapsed() >= millis(1));
    });
}

#[test]
fn an_interval_on_a_running_clock_is_not_early() {
    handspun::block_on(async {
        let start = Instant::now();
        let mut interval = interval_at(start, micros(300));
        for count in 0..5 {
            assert_eq!(interval.tick().await, start + interval.period() * count);
            assert!(start.elapsed() >= interval.period() * count);
        }
    });
}

// What does not hold yet.

#[test]
fn a_sleep_reset_to_the_present_or_the_past_ends_at_once() {
    for deadline in [secs(1), secs(2)] {
        paused(async {
            let timeline = Timeline::new();
            let sleep = SharedSleep::new(secs(10));
            let task = spawn(sleep.clone().wait(timeline.clone()));
            time::sleep(secs(2)).await;
            sleep.reset(timeline.start + deadline);
            task.await.unwrap();
            timeline.expect(["0ns pending", "2s ready"]);
        });
    }
}

#[test]
fn a_sleep_until_the_past_is_ready_in_the_next_turn_on_a_running_clock() {
    handspun::block_on(async {
        let mut other = sleep(HOUR);
        assert!(poll_once(&mut other).is_pending());
        yield_now().await;
        let turn = Instant::now();
        while turn.elapsed() < micros(20) {}
        let mut past = sleep_until(turn + micros(10));
        assert!(past.is_elapsed());
        let _not_known_in_this_turn = poll_once(&mut past);
        yield_now().await;
        assert!(poll_once(&mut past).is_ready());
    });
}

#[test]
fn a_clock_can_be_advanced_by_half_a_million_years_and_no_further() {
    let year = secs(365 * 86_400);
    paused(async {
        time::advance(year * 500_000).await;
        let start = Instant::now();
        sleep(secs(1)).await;
        assert_eq!(start.elapsed(), secs(1));

        time::advance(Duration::MAX).await;
        let mut never = sleep(secs(1));
        assert!(poll_once(&mut never).is_pending());
        time::advance(year).await;
        assert!(poll_once(&mut never).is_pending());
    });
}
