//! `OnceCell`: who initializes it, who waits meanwhile, and who takes over when an attempt ends
//! without a value.

use crate::auto_traits::{Neither, SendOnly, about, about_value, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::hostile::{Call, Dropping, acts_on, hostile_waker, panic_quietly};
use crate::programs::random_programs;
use crate::support::{
    CountingWaker, History, Wakes, caught, panic_silently, panics, paused, poll_once, poll_with,
};
use crate::sync::{OnceCell, SetError};
use crate::watchdog::watched;
use handspun::task::yield_now;
use handspun::time::{Duration, sleep};
use handspun::{block_on, spawn};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::thread;

const MS: Duration = Duration::from_millis(1);

/// A wait for the value that must not make one.
fn only_waits(cell: &OnceCell<u32>) -> Pin<Box<impl Future<Output = u32>>> {
    Box::pin(async { *cell.get_or_init(|| async { panic!("a second attempt") }).await })
}

// A value, or none.

#[test]
fn a_cell_is_empty_until_it_is_initialized() {
    let mut cell = OnceCell::new();
    assert!(!cell.initialized());
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_mut(), None);
    let first = block_on(cell.get_or_init(|| ready(1)));
    assert_eq!(first, &1);
    // The same value, in the same place.
    assert!(std::ptr::eq(first, cell.get().unwrap()));
    assert!(cell.initialized());
    assert_eq!(block_on(only_waits(&cell)), 1);
    *cell.get_mut().unwrap() += 1;
    assert_eq!(cell.get(), Some(&2));
}

#[test]
fn a_cell_can_be_set_once() {
    let cell = OnceCell::new();
    assert_eq!(cell.set(1), Ok(()));
    let error = cell.set(2).unwrap_err();
    assert_eq!(error, SetError::AlreadyInitializedError(2));
    assert!(error.is_already_init_err() && !error.is_initializing_err());
    assert_eq!(error.to_string(), "the once cell has a value already");
    assert_eq!(cell.get(), Some(&1));
    assert_eq!(block_on(only_waits(&cell)), 1);
}

#[test]
fn a_cell_cannot_be_set_while_it_is_initialized() {
    let cell = OnceCell::new();
    let mut attempt = Box::pin(cell.get_or_init(pending));
    assert!(poll_once(&mut attempt).is_pending());
    let error = cell.set(1).unwrap_err();
    assert_eq!(error, SetError::InitializingError(1));
    assert!(error.is_initializing_err() && !error.is_already_init_err());
    assert_eq!(error.to_string(), "the value of the once cell is being made");
    assert_eq!(cell.get(), None);
    drop(attempt);
    assert_eq!(cell.set(2), Ok(()));
}

#[test]
fn an_attempt_can_look_at_its_cell_and_finds_it_empty() {
    let cell = OnceCell::new();
    let value = block_on(cell.get_or_init(async || {
        assert!(!cell.initialized() && cell.get().is_none());
        assert_eq!(cell.set(1), Err(SetError::InitializingError(1)));
        2
    }));
    assert_eq!(*value, 2);
}

#[test]
fn a_value_can_be_taken_out_and_another_put_in() {
    let mut cell = OnceCell::new();
    assert_eq!(cell.take(), None);
    for round in 0..3 {
        assert_eq!(*block_on(cell.get_or_init(|| ready(round))), round);
        assert_eq!(cell.take(), Some(round));
        assert!(!cell.initialized() && cell.get().is_none());
    }
    assert_eq!(cell.set(7), Ok(()));
    assert_eq!(cell.into_inner(), Some(7));
    assert_eq!(OnceCell::<u32>::new().into_inner(), None);
    // Also after an attempt that was given up.
    let mut cell = OnceCell::new();
    let mut attempt = Box::pin(cell.get_or_init(pending));
    assert!(poll_once(&mut attempt).is_pending());
    drop(attempt);
    assert_eq!(cell.take(), None::<u32>);
}

#[test]
fn a_cell_can_be_made_with_a_value() {
    static EMPTY: OnceCell<u32> = OnceCell::const_new();
    static FULL: OnceCell<u32> = OnceCell::const_new_with(3);
    assert_eq!(*block_on(EMPTY.get_or_init(|| ready(2))), 2);
    assert_eq!(block_on(only_waits(&FULL)), 3);
    for full in [OnceCell::from(4), OnceCell::new_with(Some(4))] {
        assert_eq!((full.initialized(), full.get()), (true, Some(&4)));
        assert_eq!(full.set(5), Err(SetError::AlreadyInitializedError(5)));
        assert_eq!(block_on(only_waits(&full)), 4);
    }
    for empty in [OnceCell::default(), OnceCell::new_with(None)] {
        assert_eq!((empty.initialized(), empty.get()), (false, None));
        assert_eq!(empty.set(5), Ok(()));
    }
}

#[test]
fn cells_are_cloned_compared_and_shown_by_their_value() {
    fn is_eq<T: Eq>(_: &T) {}
    let cell = OnceCell::new();
    is_eq(&cell);
    let clone = cell.clone();
    assert_eq!(cell, clone);
    cell.set(1).unwrap();
    assert_ne!(cell, clone);
    assert_eq!(clone.get(), None);
    assert_eq!(cell, cell.clone());
    assert_eq!(cell, OnceCell::from(1));
    assert_ne!(cell, OnceCell::from(2));
    assert_eq!(format!("{cell:?}"), "OnceCell { value: Some(1) }");
    assert_eq!(format!("{clone:?}"), "OnceCell { value: None }");
}

#[test]
fn a_value_is_dropped_with_its_cell_once() {
    let history = History::new();
    let cell = OnceCell::from(history.on_drop("dropped"));
    drop(cell);
    history.expect(["dropped"]);
    let mut cell = OnceCell::from(history.on_drop("taken"));
    let taken = cell.take();
    drop(cell);
    history.expect([]);
    drop(taken);
    history.expect(["taken"]);
    let cell = OnceCell::from(history.on_drop("first"));
    drop(cell.set(history.on_drop("refused")));
    history.expect(["refused"]);
    drop(cell.into_inner());
    history.expect(["first"]);
}

// Who initializes it.

#[test]
fn the_first_makes_the_value_and_the_others_wait_for_it() {
    let history = History::new();
    paused(async {
        let cell = Rc::new(OnceCell::new());
        let tasks = ["a", "b", "c"].map(|name| {
            let (cell, history) = (cell.clone(), history.clone());
            spawn(async move {
                let make = async || {
                    history.push(format_args!("{name}: begins"));
                    sleep(MS).await;
                    name
                };
                let value = *cell.get_or_init(make).await;
                history.push(format_args!("{name}: has {value}"));
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    });
    history.expect(["a: begins", "a: has a", "b: has a", "c: has a"]);
}

#[test]
fn an_attempt_that_fails_is_followed_by_the_next_in_line() {
    let history = History::new();
    paused(async {
        let cell = Rc::new(OnceCell::new());
        let tasks = ["a", "b", "c", "d"].map(|name| {
            let (cell, history) = (cell.clone(), history.clone());
            spawn(async move {
                let make = async || {
                    history.push(format_args!("{name}: begins"));
                    sleep(MS).await;
                    if name < "c" { Err(format!("{name} failed")) } else { Ok(name) }
                };
                let result = cell.get_or_try_init(make).await;
                history.push(format_args!("{name}: {result:?}"));
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    });
    history.expect([
        "a: begins",
        "a: Err(\"a failed\")",
        "b: begins",
        "b: Err(\"b failed\")",
        "c: begins",
        "c: Ok(\"c\")",
        "d: Ok(\"c\")",
    ]);
}

#[test]
fn an_attempt_that_panics_is_followed_by_the_next_in_line() {
    let wakes = Wakes::default();
    let cell = OnceCell::new();
    // In the future, and in the closure that makes it.
    let mut in_future = Box::pin(cell.get_or_init(async || {
        yield_now().await;
        panic_silently("in the future")
    }));
    let make = || -> std::future::Ready<u32> { panic_silently("in the closure") };
    let mut in_closure = Box::pin(cell.get_or_init(make));
    let mut third = Box::pin(cell.get_or_init(|| ready(3)));
    block_on(async {
        assert!(poll_once(&mut in_future).is_pending());
        assert!(poll_with(&mut in_closure, &wakes.waker(1)).is_pending());
        assert!(poll_with(&mut third, &wakes.waker(2)).is_pending());
        let panicked = caught(|| poll_once(&mut in_future).is_ready());
        assert_eq!(panicked, Err("in the future".to_string()));
        drop(in_future);
        assert_eq!(wakes.take(), [1]);
        let panicked = caught(|| poll_once(&mut in_closure).is_ready());
        assert_eq!(panicked, Err("in the closure".to_string()));
        drop(in_closure);
        assert_eq!(wakes.take(), [2]);
        assert_eq!(poll_once(&mut third), Poll::Ready(&3));
    });
}

#[test]
fn an_attempt_that_is_given_up_is_followed_by_the_next_in_line() {
    let wakes = Wakes::default();
    let cell = OnceCell::new();
    let attempts = [(); 4].map(|()| Box::pin(cell.get_or_init(pending)));
    let [mut first, mut second, mut third, mut fourth] = attempts;
    let mut last = Box::pin(cell.get_or_init(|| ready(5)));
    for (number, attempt) in
        [&mut first, &mut second, &mut third, &mut fourth].into_iter().enumerate()
    {
        assert!(poll_with(attempt, &wakes.waker(number)).is_pending());
    }
    assert!(poll_with(&mut last, &wakes.waker(4)).is_pending());
    // One that only waits leaves no trace; one that is to go on passes that on.
    drop(third);
    assert_eq!(wakes.take(), []);
    drop(first);
    assert_eq!(wakes.take(), [1]);
    assert_eq!(cell.set(9), Err(SetError::InitializingError(9)));
    drop(second);
    assert_eq!(wakes.take(), [3]);
    assert!(poll_once(&mut fourth).is_pending());
    drop(fourth);
    assert_eq!(wakes.take(), [4]);
    assert_eq!(poll_once(&mut last), Poll::Ready(&5));
}

#[test]
fn all_who_wait_are_woken_once_in_the_order_in_which_they_came() {
    let wakes = Wakes::default();
    let cell = OnceCell::new();
    let made = Cell::new(None);
    let make = || poll_fn(|_| made.take().map_or(Poll::Pending, Poll::Ready));
    let mut attempt = Box::pin(cell.get_or_init(make));
    assert!(poll_once(&mut attempt).is_pending());
    let mut waits: Vec<_> = (0..100).map(|_| only_waits(&cell)).collect();
    for (number, wait) in waits.iter_mut().enumerate() {
        assert!(poll_with(wait, &wakes.waker(999)).is_pending());
        // A waker that is replaced keeps the place, and is not woken.
        assert!(poll_with(wait, &wakes.waker(number)).is_pending());
    }
    made.set(Some(7));
    assert_eq!(poll_once(&mut attempt), Poll::Ready(&7));
    assert_eq!(wakes.take(), (0..100).collect::<Vec<_>>());
    assert!(waits.iter_mut().all(|wait| poll_once(wait) == Poll::Ready(7)));
    assert_eq!(wakes.alive(), 0);
}

#[test]
fn a_wait_that_is_dropped_takes_its_waker_back() {
    let (counter, waker) = CountingWaker::new();
    let cell = OnceCell::new();
    let mut attempt = Box::pin(cell.get_or_init(pending));
    assert!(poll_once(&mut attempt).is_pending());
    let mut wait = only_waits(&cell);
    assert!(poll_with(&mut wait, &waker).is_pending());
    assert_eq!(Arc::strong_count(&counter), 3);
    drop(wait);
    assert_eq!(Arc::strong_count(&counter), 2);
    drop(attempt);
    assert_eq!(counter.wakes(), 0);
}

// Cancelled at every await.

#[test]
fn a_cancelled_attempt_leaves_the_cell_to_those_who_wait() {
    let polls = cancel_at_every_await(async || {
        let cell = Rc::new(OnceCell::new());
        let own = cell.clone();
        let attempt = async move {
            let make = async || {
                yield_now().await;
                sleep(MS).await;
                1
            };
            *own.get_or_init(make).await
        };
        let waiting = cell.clone();
        let task = spawn(async move {
            yield_now().await;
            *waiting.get_or_init(|| ready(2)).await
        });
        (attempt, async move |output: Option<u32>| {
            let value = *cell.get_or_init(|| ready(3)).await;
            assert_eq!(output.unwrap_or(value), value);
            assert_eq!(task.await.unwrap(), value);
            assert_eq!(Rc::strong_count(&cell), 1);
        })
    });
    assert_eq!(polls, 3);
}

#[test]
fn a_cancelled_wait_takes_the_turn_of_nobody() {
    let polls = cancel_at_every_await(async || {
        let cell = Rc::new(OnceCell::new());
        let own = cell.clone();
        let failing = spawn(async move {
            let fail = async || {
                sleep(MS).await;
                Err::<u32, &str>("no value")
            };
            own.get_or_try_init(fail).await.copied()
        });
        yield_now().await;
        let own = cell.clone();
        let wait = async move {
            let make = async || {
                yield_now().await;
                Ok::<_, Infallible>(1)
            };
            *own.get_or_try_init(make).await.unwrap()
        };
        (wait, async move |output: Option<u32>| {
            let value = *cell.get_or_init(|| ready(3)).await;
            assert_eq!(value, output.unwrap_or(3));
            assert_eq!(failing.await.unwrap(), Err("no value"));
            assert_eq!(Rc::strong_count(&cell), 1);
        })
    });
    assert_eq!(polls, 3);
}

// Random programs, against a model.

#[derive(Clone, Copy, Debug)]
enum Step {
    Begin,
    BeginTry,
    Poll(usize),
    /// Lets an attempt end when it is polled next.
    End(usize, Ending),
    Drop(usize),
    Set,
    Take,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Ending {
    Value,
    Error,
    Panic,
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..100_usize;
    let ending = prop_oneof![
        Just(Ending::Value),
        Just(Ending::Error),
        Just(Ending::Panic)
    ];
    prop_oneof![
        3 => Just(Step::Begin),
        3 => Just(Step::BeginTry),
        10 => any().prop_map(Step::Poll),
        3 => (any(), ending).prop_map(|(n, ending)| Step::End(n, ending)),
        3 => any().prop_map(Step::Drop),
        1 => Just(Step::Set),
        2 => Just(Step::Take),
    ]
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Waits,
    /// It may begin, and does not know yet.
    Granted,
    Begun,
}

/// Why there is no value.
#[derive(PartialEq, Debug)]
struct Failed;

/// A `get_or_try_init`, or a `get_or_init`, which may not fail and panics instead.
struct Attempt {
    number: usize,
    future: Pin<Box<dyn Future<Output = Result<usize, Failed>>>>,
    may_fail: bool,
    ending: Rc<Cell<Option<Ending>>>,
    state: State,
    /// The waker that it left, unless it was woken.
    waker: Option<usize>,
}

struct World {
    cell: Rc<OnceCell<usize>>,
    value: Option<usize>,
    /// Whether somebody initializes the cell, or may.
    taken: bool,
    attempts: Vec<Attempt>,
    /// Those who wait, by number, in the order in which they came.
    queue: VecDeque<usize>,
    /// How many have begun: in fact, and according to the model.
    begun: Rc<Cell<usize>>,
    model_begun: usize,
    /// The wakers to be woken in this step, in order.
    woken: Vec<usize>,
}

impl World {
    fn new() -> World {
        World {
            cell: Rc::default(),
            value: None,
            taken: false,
            attempts: Vec::new(),
            queue: VecDeque::new(),
            begun: Rc::default(),
            model_begun: 0,
            woken: Vec::new(),
        }
    }

    /// An attempt whose value is its number. It does nothing until it is told how to end.
    fn begin(&mut self, number: usize, may_fail: bool) {
        let ending = Rc::new(Cell::new(None));
        let (begun, told, cell) = (self.begun.clone(), ending.clone(), self.cell.clone());
        let make = async move || {
            begun.set(begun.get() + 1);
            match poll_fn(|_| told.take().map_or(Poll::Pending, Poll::Ready)).await {
                Ending::Value => Ok(number),
                Ending::Error => Err(Failed),
                Ending::Panic => panic_quietly(),
            }
        };
        let future: Pin<Box<dyn Future<Output = _>>> = if may_fail {
            Box::pin(async move { cell.get_or_try_init(make).await.copied() })
        } else {
            let make = async move || make().await.unwrap_or_else(|_| panic_quietly());
            Box::pin(async move { Ok(*cell.get_or_init(make).await) })
        };
        let (state, waker) = (State::New, None);
        self.attempts.push(Attempt {
            number,
            future,
            may_fail,
            ending,
            state,
            waker,
        });
    }

    /// Whoever is next may begin.
    fn pass_on(&mut self) {
        let next = self.queue.pop_front();
        self.taken = next.is_some();
        if let Some(next) = self.attempts.iter_mut().find(|attempt| Some(attempt.number) == next) {
            next.state = State::Granted;
            self.woken.extend(next.waker.take());
        }
    }

    /// What an attempt should say when it is polled; nothing if it should panic.
    fn poll(&mut self, at: usize, time: usize) -> Option<Poll<Result<usize, Failed>>> {
        let attempt = &mut self.attempts[at];
        if let Some(value) = self.value {
            return Some(Poll::Ready(Ok(value)));
        }
        match attempt.state {
            State::New if self.taken => {
                attempt.state = State::Waits;
                self.queue.push_back(attempt.number);
            }
            State::New | State::Granted => {
                attempt.state = State::Begun;
                self.taken = true;
                self.model_begun += 1;
            }
            State::Waits | State::Begun => {}
        }
        if attempt.state == State::Waits {
            attempt.waker = Some(time);
            return Some(Poll::Pending);
        }
        let outcome = match attempt.ending.get() {
            None => return Some(Poll::Pending),
            Some(Ending::Value) => {
                self.value = Some(attempt.number);
                self.taken = false;
                for number in self.queue.drain(..) {
                    let waits = self.attempts.iter_mut().find(|waits| waits.number == number);
                    self.woken.extend(waits.and_then(|waits| waits.waker.take()));
                }
                return Some(Poll::Ready(Ok(self.attempts[at].number)));
            }
            Some(Ending::Error) if attempt.may_fail => Some(Poll::Ready(Err(Failed))),
            Some(Ending::Error | Ending::Panic) => None,
        };
        self.pass_on();
        outcome
    }

    fn step(&mut self, step: Step, time: usize, wakes: &Wakes) {
        match step {
            Step::Begin => self.begin(time, false),
            Step::BeginTry => self.begin(time, true),
            Step::Poll(n) if !self.attempts.is_empty() => {
                let at = n % self.attempts.len();
                // First, because the poll takes the ending.
                let expected = self.poll(at, time);
                let future = &mut self.attempts[at].future;
                let poll = || poll_with(future, &wakes.waker(time));
                let outcome = catch_unwind(AssertUnwindSafe(poll)).ok();
                assert_eq!(outcome, expected);
                if outcome != Some(Poll::Pending) {
                    self.attempts.remove(at);
                }
            }
            Step::End(n, ending) if !self.attempts.is_empty() => {
                let at = n % self.attempts.len();
                self.attempts[at].ending.set(Some(ending));
            }
            Step::Drop(n) if !self.attempts.is_empty() => {
                let dropped = self.attempts.remove(n % self.attempts.len());
                self.queue.retain(|&number| number != dropped.number);
                if let State::Granted | State::Begun = dropped.state {
                    self.pass_on();
                }
            }
            Step::Set => {
                let expected = match self.value {
                    Some(_) => Err(SetError::AlreadyInitializedError(time)),
                    None if self.taken => Err(SetError::InitializingError(time)),
                    None => Ok(()),
                };
                assert_eq!(self.cell.set(time), expected);
                if expected.is_ok() {
                    self.value = Some(time);
                }
            }
            Step::Take => {
                // Unless there are attempts.
                if let Some(cell) = Rc::get_mut(&mut self.cell) {
                    assert_eq!(cell.take(), self.value.take());
                }
            }
            _ => {}
        }
    }

    fn check(&self) {
        assert_eq!(self.cell.get().copied(), self.value);
        assert_eq!(self.cell.initialized(), self.value.is_some());
        assert_eq!(self.begun.get(), self.model_begun);
    }
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 0..80)) {
        let wakes = Wakes::default();
        let mut world = World::new();
        for (time, step) in steps.into_iter().enumerate() {
            world.step(step, time, &wakes);
            prop_assert_eq!(wakes.take(), std::mem::take(&mut world.woken));
            world.check();
        }
        world.attempts.clear();
        prop_assert_eq!(Rc::strong_count(&world.cell), 1);
        // No waker is left anywhere.
        wakes.take();
        prop_assert_eq!(wakes.alive(), 0);
    }
}

// The worst that wakers, attempts and values can do.

/// A waker that looks at the cell, tries to set it and to wait for it, and panics.
fn comes_back(cell: &Rc<OnceCell<u32>>, call: Call) -> Waker {
    let cell = cell.clone();
    acts_on(call, move || {
        let is_empty = cell.get().is_none();
        assert_eq!(cell.initialized(), !is_empty);
        assert!(is_empty || cell.set(9).is_err());
        assert_eq!(poll_once(cell.get_or_init(pending)).is_pending(), is_empty);
    })
}

#[test]
fn a_waker_may_come_back_while_it_is_woken_and_panic() {
    let wakes = Wakes::default();
    let cell = Rc::new(OnceCell::new());
    let made = Cell::new(None);
    let make = || poll_fn(|_| made.take().map_or(Poll::Pending, Poll::Ready));
    let mut attempt = Box::pin(cell.get_or_init(make));
    assert!(poll_once(&mut attempt).is_pending());
    let mut waits: Vec<_> = (0..40).map(|_| only_waits(&cell)).collect();
    for (number, wait) in waits.iter_mut().enumerate() {
        let hostile = number % 4 == 1;
        let waker = if hostile { comes_back(&cell, Call::Wake) } else { wakes.waker(number) };
        assert!(poll_with(wait, &waker).is_pending());
    }
    made.set(Some(7));
    // The panics end where the wakers are called.
    assert_eq!(poll_once(&mut attempt), Poll::Ready(&7));
    assert_eq!(wakes.take(), (0..40).filter(|number| number % 4 != 1).collect::<Vec<_>>());
    assert!(waits.iter_mut().all(|wait| poll_once(wait) == Poll::Ready(7)));
    // When an attempt is given up, too.
    let cell = Rc::new(OnceCell::new());
    let mut attempt = Box::pin(cell.get_or_init(pending));
    assert!(poll_once(&mut attempt).is_pending());
    let mut next = Box::pin(cell.get_or_init(|| ready(3)));
    assert!(poll_with(&mut next, &comes_back(&cell, Call::Wake)).is_pending());
    drop(attempt);
    assert_eq!(poll_once(&mut next), Poll::Ready(&3));
}

#[test]
fn a_waker_may_come_back_while_it_is_cloned() {
    let cell = Rc::new(OnceCell::new());
    let mut attempt = Box::pin(cell.get_or_init(pending));
    assert!(poll_once(&mut attempt).is_pending());
    let mut wait = Box::pin(cell.get_or_init(|| ready(3)));
    let waker = comes_back(&cell, Call::Clone);
    assert!(panics(|| poll_with(&mut wait, &waker)));
    drop(attempt);
    drop(wait);
    assert_eq!(block_on(cell.get_or_init(|| ready(4))), &4);
}

#[test]
fn a_waker_may_come_back_while_it_is_dropped() {
    for replaced in [true, false] {
        let cell = Rc::new(OnceCell::new());
        let mut attempt = Box::pin(cell.get_or_init(pending));
        assert!(poll_once(&mut attempt).is_pending());
        let mut wait = Box::pin(cell.get_or_init(|| ready(3)));
        let waker = comes_back(&cell, Call::Drop);
        assert!(poll_with(&mut wait, &waker).is_pending());
        if replaced {
            assert!(poll_once(&mut wait).is_pending());
        }
        drop(wait);
        drop(attempt);
        assert_eq!(block_on(cell.get_or_init(|| ready(4))), &4);
        std::mem::forget(waker);
    }
}

#[test]
fn a_waker_may_drop_the_other_waiters() {
    type Attempt = Pin<Box<dyn Future<Output = ()>>>;
    let cell = Rc::new(OnceCell::new());
    let others: Rc<RefCell<Vec<Attempt>>> = Rc::default();
    let reached = others.clone();
    let drops_all = hostile_waker(move |call| {
        if call == Call::Wake {
            reached.take();
        }
    });
    let mut attempt = Box::pin(cell.get_or_init(pending));
    assert!(poll_once(&mut attempt).is_pending());
    let mut second = Box::pin(cell.get_or_init(|| ready(2)));
    assert!(poll_with(&mut second, &drops_all).is_pending());
    for _ in 0..100 {
        let own = cell.clone();
        let mut other: Attempt = Box::pin(async move {
            own.get_or_init(pending).await;
        });
        assert!(poll_once(&mut other).is_pending());
        others.borrow_mut().push(other);
    }
    drop(attempt);
    assert_eq!(others.borrow().len(), 0);
    assert_eq!(poll_once(&mut second), Poll::Ready(&2));
}

#[test]
fn an_attempt_may_come_back_while_it_is_dropped() {
    let history = History::new();
    let cell = Rc::new(OnceCell::new());
    let (own, written) = (cell.clone(), history.clone());
    let mut attempt = Box::pin(cell.get_or_init(async move || {
        let _guard = Dropping(move || written.push(format_args!("{:?}", own.set(1))));
        pending().await
    }));
    assert!(poll_once(&mut attempt).is_pending());
    drop(attempt);
    // It is over when all of it is gone.
    history.expect(["Err(InitializingError(1))"]);
    assert_eq!(cell.set(2), Ok(()));
}

#[test]
fn a_value_may_panic_while_it_is_dropped() {
    fn value() -> Dropping<fn()> {
        Dropping(|| panic_quietly())
    }
    let mut cell = OnceCell::from(value());
    assert!(panics(|| drop(cell.set(value()))) && cell.initialized());
    assert!(panics(|| drop(cell.take())) && !cell.initialized());
    assert!(cell.set(value()).is_ok());
    assert!(panics(move || drop(cell)));
}

// Threads.

#[test]
fn threads_initialize_a_cell_once() {
    const THREADS: usize = 4;
    watched(|| {
        for _ in 0..100 {
            let cell = Arc::new(OnceCell::new());
            let attempts = Arc::new(AtomicUsize::new(0));
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (cell, attempts) = (cell.clone(), attempts.clone());
                    thread::spawn(move || {
                        let make = async || {
                            attempts.fetch_add(1, Ordering::SeqCst);
                            yield_now().await;
                            thread
                        };
                        *block_on(cell.get_or_init(make))
                    })
                })
                .collect();
            let values: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            assert_eq!(values, [*cell.get().unwrap(); THREADS]);
            assert_eq!(attempts.load(Ordering::SeqCst), 1);
        }
    });
}

#[test]
fn threads_fail_one_after_the_other_until_one_does_not() {
    const THREADS: usize = 4;
    watched(|| {
        for _ in 0..100 {
            let cell = Arc::new(OnceCell::new());
            let attempts = Arc::new(AtomicUsize::new(0));
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (cell, attempts) = (cell.clone(), attempts.clone());
                    thread::spawn(move || {
                        let make = async || {
                            let before = attempts.fetch_add(1, Ordering::SeqCst);
                            yield_now().await;
                            if before < THREADS - 2 { Err(()) } else { Ok(before) }
                        };
                        block_on(cell.get_or_try_init(make)).copied()
                    })
                })
                .collect();
            let mut results: Vec<_> =
                threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            results.sort_unstable();
            assert_eq!(results, [Ok(2), Ok(2), Err(()), Err(())]);
            assert_eq!(attempts.load(Ordering::SeqCst), THREADS - 1);
        }
    });
}

// Thread safety.

#[test]
fn thread_safety_depends_on_the_value() {
    let cell = OnceCell::new();
    assert_thread_safety! {
        about::<OnceCell<u8>>() => (true, true),
        about::<OnceCell<SendOnly>>() => (true, false),
        about::<OnceCell<Neither>>() => (false, false),
        about_value(cell.get_or_init(|| ready(1))) => (true, true),
        about_value(cell.get_or_try_init(|| ready(Ok::<_, u8>(1)))) => (true, true),
    }
}
