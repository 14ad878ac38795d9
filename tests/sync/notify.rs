//! `Notify`: who is notified by which call, in which order; what is stored, and what is passed on
//! when a waiter is dropped.

use crate::auto_traits::{about, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::hostile::{Call, acts_on, hostile_waker, panic_quietly};
use crate::programs::random_programs;
use crate::support::{
    CountingWaker, History, Wakes, caught, panic_silently, panics, paused, poll_once, poll_with,
};
use crate::sync::{
    Notify,
    futures::{Notified, OwnedNotified},
};
use crate::watchdog::watched;
use handspun::task::yield_now;
use handspun::{block_on, spawn};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Poll, Waker};
use std::thread;

type Waiter<'a> = Pin<Box<Notified<'a>>>;

/// Whether a notification is stored. It is taken.
fn takes_a_notification(notify: &Notify) -> bool {
    poll_once(notify.notified()).is_ready()
}

/// Waiters that have been polled, one after the other.
fn wait<'a, const N: usize>(wakes: &Wakes, notify: &'a Notify) -> [Waiter<'a>; N] {
    std::array::from_fn(|number| {
        let mut waiter = Box::pin(notify.notified());
        assert!(poll_with(&mut waiter, &wakes.waker(number)).is_pending());
        waiter
    })
}

// What is stored.

#[test]
fn a_notification_that_finds_nobody_is_stored() {
    let notify = Notify::new();
    assert!(!takes_a_notification(&notify));
    notify.notify_one();
    assert!(takes_a_notification(&notify));
    assert!(!takes_a_notification(&notify));
    notify.notify_last();
    assert!(takes_a_notification(&notify));
    assert!(!takes_a_notification(&notify));
}

#[test]
fn one_notification_is_stored_at_most() {
    let notify = Notify::default();
    for _ in 0..3 {
        notify.notify_one();
        notify.notify_last();
    }
    assert!(takes_a_notification(&notify));
    assert!(!takes_a_notification(&notify));
}

#[test]
fn whoever_is_polled_first_takes_what_is_stored() {
    let notify = Notify::new();
    let [mut first, mut second] = [(); 2].map(|()| Box::pin(notify.notified()));
    // Both were made before, but that is not waiting.
    notify.notify_one();
    assert!(poll_once(&mut second).is_ready());
    assert!(!poll_once(&mut first).is_ready());
}

#[test]
fn notifying_all_stores_nothing() {
    let notify = Notify::new();
    notify.notify_waiters();
    assert!(!takes_a_notification(&notify));
}

#[test]
fn a_notify_may_be_a_static() {
    static NOTIFY: Notify = Notify::const_new();
    NOTIFY.notify_one();
    block_on(NOTIFY.notified());
    assert!(format!("{NOTIFY:?}").starts_with("Notify"));
}

// Who is notified.

#[test]
fn the_first_to_wait_is_the_first_to_be_notified() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let waiters: [_; 3] = wait(&wakes, &notify);
    for number in 0..3 {
        notify.notify_one();
        assert_eq!(wakes.take(), [number]);
    }
    assert_eq!(waiters.map(|mut waiter| poll_once(&mut waiter).is_ready()), [true; 3]);
    assert!(!takes_a_notification(&notify));
}

#[test]
fn the_last_to_wait_can_be_notified_first() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let mut waiters: [_; 4] = wait(&wakes, &notify);
    notify.notify_last();
    notify.notify_one();
    notify.notify_last();
    assert_eq!(wakes.take(), [3, 0, 2]);
    assert_eq!(
        waiters.each_mut().map(|waiter| poll_once(waiter).is_ready()),
        [true, false, true, true]
    );
}

#[test]
fn tasks_are_notified_in_the_order_in_which_they_waited() {
    let history = History::new();
    paused(async {
        let notify = Arc::new(Notify::new());
        let tasks = ["a", "b", "c"].map(|name| {
            let (notify, history) = (notify.clone(), history.clone());
            spawn(async move {
                notify.notified().await;
                history.push(format_args!("{name}: notified"));
            })
        });
        yield_now().await;
        history.push("one");
        notify.notify_one();
        yield_now().await;
        history.push("all");
        notify.notify_waiters();
        for task in tasks {
            task.await.unwrap();
        }
    });
    history.expect(["one", "a: notified", "all", "b: notified", "c: notified"]);
}

#[test]
fn notifying_all_reaches_all_who_wait_in_order() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let waiters: [_; 100] = wait(&wakes, &notify);
    notify.notify_waiters();
    assert_eq!(wakes.take(), (0..100).collect::<Vec<_>>());
    assert_eq!(waiters.map(|mut waiter| poll_once(&mut waiter).is_ready()), [true; 100]);
    notify.notify_waiters();
    assert_eq!(wakes.take(), []);
}

#[test]
fn notifying_all_reaches_a_future_that_was_never_polled() {
    let notify = Arc::new(Notify::new());
    let mut before = Box::pin(notify.notified());
    let mut owned = Box::pin(notify.clone().notified_owned());
    notify.notify_waiters();
    let mut after = Box::pin(notify.notified());
    assert!(poll_once(&mut before).is_ready() && poll_once(&mut owned).is_ready());
    assert!(!poll_once(&mut after).is_ready());
}

#[test]
fn a_future_that_all_were_notified_with_leaves_what_is_stored() {
    let notify = Notify::new();
    let mut made = Box::pin(notify.notified());
    notify.notify_one();
    notify.notify_waiters();
    assert!(poll_once(&mut made).is_ready());
    assert!(takes_a_notification(&notify));
    assert!(!takes_a_notification(&notify));
}

#[test]
fn a_future_stays_ready_and_takes_no_second_notification() {
    let notify = Notify::new();
    let mut waiter = Box::pin(notify.notified());
    notify.notify_one();
    assert!(poll_once(&mut waiter).is_ready());
    notify.notify_one();
    assert!(poll_once(&mut waiter).is_ready() && waiter.as_mut().enable());
    assert!(takes_a_notification(&notify));
}

#[test]
fn the_last_waker_is_woken_in_the_first_place_in_the_queue() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let mut waiters: [_; 2] = wait(&wakes, &notify);
    assert!(poll_with(&mut waiters[0], &wakes.waker(7)).is_pending());
    notify.notify_one();
    assert_eq!(wakes.take(), [7]);
}

#[test]
fn an_owned_future_waits_in_the_same_queue() {
    let history = History::new();
    paused(async {
        let notify = Arc::new(Notify::new());
        let owned: OwnedNotified = notify.clone().notified_owned();
        let task = spawn(owned);
        yield_now().await;
        let mut borrowed = Box::pin(notify.notified());
        assert!(!poll_once(&mut borrowed).is_ready());
        notify.notify_one();
        task.await.unwrap();
        assert!(!poll_once(&mut borrowed).is_ready());
        notify.notify_one();
        borrowed.await;
        assert_eq!(Arc::strong_count(&notify), 1);
        history.push("end");
    });
    history.expect(["end"]);
}

// Waiting without being polled.

#[test]
fn a_future_that_is_enabled_waits() {
    let notify = Arc::new(Notify::new());
    let mut enabled = Box::pin(notify.notified());
    let mut owned = Box::pin(notify.clone().notified_owned());
    assert!(!enabled.as_mut().enable() && !owned.as_mut().enable());
    let mut made = Box::pin(notify.notified());
    notify.notify_one();
    notify.notify_one();
    assert!(!poll_once(&mut made).is_ready(), "nothing was stored");
    assert!(enabled.as_mut().enable() && owned.as_mut().enable());
    assert!(poll_once(&mut enabled).is_ready() && poll_once(&mut owned).is_ready());
}

#[test]
fn enabling_takes_what_is_stored() {
    let notify = Notify::new();
    notify.notify_one();
    let mut waiter = Box::pin(notify.notified());
    assert!(waiter.as_mut().enable());
    assert!(!takes_a_notification(&notify));
    assert!(poll_once(&mut waiter).is_ready());
}

#[test]
fn enabling_again_keeps_the_waker_and_the_place() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let mut waiters: [_; 2] = wait(&wakes, &notify);
    assert!(!waiters[0].as_mut().enable());
    notify.notify_one();
    assert_eq!(wakes.take(), [0]);
    assert!(waiters[0].as_mut().enable() && !waiters[1].as_mut().enable());
}

#[test]
fn a_future_that_is_enabled_can_be_polled_later() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let mut waiter = Box::pin(notify.notified());
    assert!(!waiter.as_mut().enable());
    assert!(poll_with(&mut waiter, &wakes.waker(5)).is_pending());
    notify.notify_waiters();
    assert_eq!(wakes.take(), [5]);
    assert!(waiter.as_mut().enable());
}

// What is passed on.

#[test]
fn a_notified_waiter_that_is_dropped_passes_it_on_to_the_next() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let [first, second, mut third] = wait(&wakes, &notify);
    notify.notify_one();
    drop(first);
    drop(second);
    assert_eq!(wakes.take(), [0, 1, 2]);
    assert!(poll_once(&mut third).is_ready());
    drop(third);
    assert!(!takes_a_notification(&notify), "it was received");
}

#[test]
fn what_was_meant_for_the_last_is_passed_on_to_the_last() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let [mut first, second, third] = wait(&wakes, &notify);
    notify.notify_last();
    drop(third);
    drop(second);
    assert_eq!(wakes.take(), [2, 1, 0]);
    assert!(poll_once(&mut first).is_ready());
}

#[test]
fn what_nobody_waits_for_is_stored_again() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let [only] = wait(&wakes, &notify);
    notify.notify_one();
    drop(only);
    assert!(takes_a_notification(&notify));
    assert!(!takes_a_notification(&notify));
}

#[test]
fn what_all_were_notified_of_is_not_passed_on() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let [first, second] = wait(&wakes, &notify);
    notify.notify_waiters();
    let [mut late] = wait(&wakes, &notify);
    drop(first);
    drop(second);
    assert_eq!(wakes.take(), [0, 1]);
    assert!(!poll_once(&mut late).is_ready() && !takes_a_notification(&notify));
}

#[test]
fn what_one_was_notified_of_survives_that_all_are_notified() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let [first, mut second] = wait(&wakes, &notify);
    notify.notify_one();
    notify.notify_waiters();
    assert_eq!(wakes.take(), [0, 1]);
    drop(first);
    assert!(poll_once(&mut second).is_ready());
    assert!(takes_a_notification(&notify));
}

#[test]
fn a_waiter_that_leaves_is_passed_over() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let [first, second, mut third] = wait(&wakes, &notify);
    drop(second);
    drop(first);
    notify.notify_one();
    assert_eq!(wakes.take(), [2]);
    assert!(poll_once(&mut third).is_ready());
}

#[test]
fn a_wait_that_is_dropped_takes_its_waker_back() {
    let (counter, waker) = CountingWaker::new();
    let notify = Notify::new();
    for notified in [false, true] {
        let mut waiter = Box::pin(notify.notified());
        assert!(poll_with(&mut waiter, &waker).is_pending());
        assert!(poll_with(&mut waiter, &waker).is_pending());
        assert_eq!(Arc::strong_count(&counter), 3);
        if notified {
            notify.notify_one();
        }
        drop(waiter);
        assert_eq!(Arc::strong_count(&counter), 2);
        assert_eq!(counter.wakes(), usize::from(notified));
    }
}

#[test]
fn cost_is_linear_in_the_number_of_waiters() {
    const MANY: usize = 50_000;
    let (counter, waker) = CountingWaker::new();
    let notify = Notify::new();
    let mut waiters: Vec<_> = (0..MANY).map(|_| Box::pin(notify.notified())).collect();
    for waiter in &mut waiters {
        assert!(poll_with(waiter, &waker).is_pending());
    }
    // Every other one leaves, from the middle of the queue.
    let mut nth = 0;
    waiters.retain(|_| {
        nth += 1;
        nth % 2 == 0
    });
    for _ in 0..MANY / 4 {
        notify.notify_one();
    }
    assert_eq!(counter.wakes(), MANY / 4);
    notify.notify_waiters();
    assert_eq!(counter.wakes(), MANY / 2);
    assert!(waiters.iter_mut().all(|waiter| poll_once(waiter).is_ready()));
}

// Cancelled at every await.

#[test]
fn a_cancelled_waiter_loses_no_notification() {
    let polls = cancel_at_every_await(async || {
        let notify = Arc::new(Notify::new());
        let (waiting, notifies) = (notify.clone(), notify.clone());
        spawn(async move { notifies.notify_one() });
        let waiter = async move { waiting.notified().await };
        (waiter, async move |output: Option<()>| {
            if output.is_none() {
                notify.notified().await;
            }
            assert!(!takes_a_notification(&notify));
            yield_now().await;
            assert_eq!(Arc::strong_count(&notify), 1);
        })
    });
    assert_eq!(polls, 2);
}

#[test]
fn a_cancelled_waiter_passes_its_notification_to_a_task() {
    let polls = cancel_at_every_await(async || {
        let notify = Arc::new(Notify::new());
        let waiter = notify.clone().notified_owned();
        let (waits, notifies) = (notify.clone(), notify.clone());
        let other = spawn(async move {
            yield_now().await;
            waits.notified().await;
        });
        spawn(async move {
            yield_now().await;
            yield_now().await;
            notifies.notify_one();
        });
        (waiter, async move |output: Option<()>| {
            if output.is_some() {
                notify.notify_one();
            }
            other.await.unwrap();
            assert!(!takes_a_notification(&notify));
        })
    });
    assert_eq!(polls, 2);
}

#[test]
fn a_cancelled_waiter_passes_on_nothing_that_was_for_all() {
    let polls = cancel_at_every_await(async || {
        let notify = Arc::new(Notify::new());
        let waiter = notify.clone().notified_owned();
        let notifies = notify.clone();
        spawn(async move { notifies.notify_waiters() });
        (waiter, async move |_| {
            yield_now().await;
            assert!(!takes_a_notification(&notify));
            assert_eq!(Arc::strong_count(&notify), 1);
        })
    });
    assert_eq!(polls, 2);
}

#[test]
fn a_cancelled_waiter_of_a_loop_loses_nothing() {
    // The loop that the documentation of `enable` is for.
    struct Channel(RefCell<VecDeque<u32>>, Notify);
    async fn receive(channel: Rc<Channel>) -> u32 {
        let mut notified = pin!(channel.1.notified());
        loop {
            notified.as_mut().enable();
            if let Some(value) = channel.0.borrow_mut().pop_front() {
                return value;
            }
            notified.as_mut().await;
            notified.set(channel.1.notified());
        }
    }
    let polls = cancel_at_every_await(async || {
        let channel = Rc::new(Channel(RefCell::default(), Notify::new()));
        let sends = channel.clone();
        spawn(async move {
            // The second comes before anybody has seen the first.
            for value in [1, 2] {
                sends.0.borrow_mut().push_back(value);
                sends.1.notify_one();
            }
        });
        let mut left = vec![1, 2];
        (receive(channel.clone()), async move |output: Option<u32>| {
            let mut received: Vec<u32> = output.into_iter().collect();
            while received.len() < 2 {
                received.push(receive(channel.clone()).await);
            }
            left.retain(|value| !received.contains(value));
            assert_eq!(left, []);
        })
    });
    assert_eq!(polls, 2);
}

// Random programs, against a model.

#[derive(Clone, Copy, Debug)]
enum Step {
    One,
    Last,
    All,
    New,
    NewOwned,
    Poll(usize),
    Enable(usize),
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..100_usize;
    prop_oneof![
        3 => Just(Step::One),
        3 => Just(Step::Last),
        2 => Just(Step::All),
        5 => Just(Step::New),
        3 => Just(Step::NewOwned),
        12 => any().prop_map(Step::Poll),
        2 => any().prop_map(Step::Enable),
        5 => any().prop_map(Step::Drop),
    ]
}

/// How somebody was notified.
#[derive(Clone, Copy, PartialEq)]
enum How {
    First,
    Last,
    All,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Waits,
    Notified(How),
    Over,
}

/// A waiter, and the waker that it left, if any.
struct ModelWaiter {
    state: State,
    waker: Option<usize>,
}

#[derive(Default)]
struct Model {
    stored: bool,
    waiters: Vec<ModelWaiter>,
    /// Those who wait, by number.
    queue: VecDeque<usize>,
    /// The wakers that have been woken in this step.
    woken: Vec<usize>,
}

impl Model {
    fn notify(&mut self, how: How) {
        let next = match how {
            How::First => self.queue.pop_front(),
            _ => self.queue.pop_back(),
        };
        match next {
            Some(waiter) => self.tell(waiter, how),
            None => self.stored = true,
        }
    }

    fn tell(&mut self, waiter: usize, how: How) {
        let waiter = &mut self.waiters[waiter];
        waiter.state = State::Notified(how);
        self.woken.extend(waiter.waker.take());
    }

    fn notify_all(&mut self) {
        while let Some(waiter) = self.queue.pop_front() {
            self.tell(waiter, How::All);
        }
        for waiter in &mut self.waiters {
            if waiter.state == State::New {
                waiter.state = State::Notified(How::All);
            }
        }
    }

    /// Whether it is ready.
    fn poll(&mut self, number: usize, waker: Option<usize>) -> bool {
        let waiter = &mut self.waiters[number];
        if waiter.state == State::New && !std::mem::take(&mut self.stored) {
            waiter.state = State::Waits;
            self.queue.push_back(number);
        }
        if waiter.state == State::Waits {
            waiter.waker = waker.or(waiter.waker);
            return false;
        }
        waiter.state = State::Over;
        true
    }

    fn drop(&mut self, number: usize) {
        self.queue.retain(|&waiting| waiting != number);
        let state = std::mem::replace(&mut self.waiters[number].state, State::Over);
        if let State::Notified(how @ (How::First | How::Last)) = state {
            self.notify(how);
        }
    }
}

/// A future that is notified, borrowed or owned.
enum Either<'a> {
    Borrowed(Waiter<'a>),
    Owned(Pin<Box<OwnedNotified>>),
}

impl Either<'_> {
    fn poll(&mut self, waker: &Waker) -> bool {
        match self {
            Either::Borrowed(waiter) => poll_with(waiter, waker).is_ready(),
            Either::Owned(waiter) => poll_with(waiter, waker).is_ready(),
        }
    }

    fn enable(&mut self) -> bool {
        match self {
            Either::Borrowed(waiter) => waiter.as_mut().enable(),
            Either::Owned(waiter) => waiter.as_mut().enable(),
        }
    }
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 0..80)) {
        let mut model = Model::default();
        let wakes = Wakes::default();
        let notify = Arc::new(Notify::new());
        // Those that exist, with their numbers in the model.
        let mut waiters: Vec<(usize, Either<'_>)> = Vec::new();
        for (time, step) in steps.into_iter().enumerate() {
            match step {
                Step::One => {
                    notify.notify_one();
                    model.notify(How::First);
                }
                Step::Last => {
                    notify.notify_last();
                    model.notify(How::Last);
                }
                Step::All => {
                    notify.notify_waiters();
                    model.notify_all();
                }
                Step::New | Step::NewOwned => {
                    let waiter = match step {
                        Step::New => Either::Borrowed(Box::pin(notify.notified())),
                        _ => Either::Owned(Box::pin(notify.clone().notified_owned())),
                    };
                    waiters.push((model.waiters.len(), waiter));
                    model.waiters.push(ModelWaiter { state: State::New, waker: None });
                }
                Step::Poll(n) | Step::Enable(n) | Step::Drop(n) if !waiters.is_empty() => {
                    let at = n % waiters.len();
                    let (number, waiter) = &mut waiters[at];
                    match step {
                        Step::Poll(_) => prop_assert_eq!(
                            waiter.poll(&wakes.waker(time)),
                            model.poll(*number, Some(time))
                        ),
                        Step::Enable(_) => {
                            prop_assert_eq!(waiter.enable(), model.poll(*number, None));
                        }
                        _ => {
                            model.drop(*number);
                            waiters.remove(at);
                        }
                    }
                }
                _ => {}
            }
            prop_assert_eq!(wakes.take(), std::mem::take(&mut model.woken));
        }
        while let Some((number, waiter)) = waiters.pop() {
            drop(waiter);
            model.drop(number);
        }
        prop_assert_eq!(wakes.take(), model.woken);
        prop_assert_eq!(takes_a_notification(&notify), model.stored);
        // No waker is left anywhere, and no owner.
        prop_assert_eq!(wakes.alive(), 0);
        prop_assert_eq!(Arc::strong_count(&notify), 1);
    }
}

// The worst that wakers can do.

/// Does everything that can be done to a `Notify`, and leaves it as it was but for those who wait.
fn do_all(notify: &Arc<Notify>) {
    let mut passing = Box::pin(notify.notified());
    let _ready = poll_once(&mut passing).is_ready();
    drop(passing);
    let mut owned = Box::pin(notify.clone().notified_owned());
    owned.as_mut().enable();
    notify.notify_waiters();
    notify.notify_one();
    notify.notify_last();
    assert!(takes_a_notification(notify));
}

/// A waker that does all of it, and then panics.
fn comes_back(notify: &Arc<Notify>, call: Call) -> Waker {
    let notify = notify.clone();
    acts_on(call, move || do_all(&notify))
}

#[test]
fn a_waker_may_come_back_while_it_is_woken_and_panic() {
    for all in [true, false] {
        let notify = Arc::new(Notify::new());
        let mut hostile = Box::pin(notify.notified());
        assert!(poll_with(&mut hostile, &comes_back(&notify, Call::Wake)).is_pending());
        let wakes = Wakes::default();
        let waiters: [_; 40] = wait(&wakes, &notify);
        // The panic ends where the waker is called.
        notify_with(&notify, all);
        assert_eq!(wakes.take(), (0..40).collect::<Vec<_>>());
        assert!(poll_once(&mut hostile).is_ready());
        assert_eq!(waiters.map(|mut waiter| poll_once(&mut waiter).is_ready()), [true; 40]);
        assert!(!takes_a_notification(&notify));
    }
}

fn notify_with(notify: &Notify, all: bool) {
    if all { notify.notify_waiters() } else { notify.notify_one() }
}

#[test]
fn a_waker_that_panics_costs_nobody_a_wake() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let broken = hostile_waker(|call| {
        if call == Call::Wake {
            panic_quietly();
        }
    });
    let mut waiters: Vec<_> = (0..100).map(|_| Box::pin(notify.notified())).collect();
    for (number, waiter) in waiters.iter_mut().enumerate() {
        let waker = if number % 2 == 0 { broken.clone() } else { wakes.waker(number) };
        assert!(poll_with(waiter, &waker).is_pending());
    }
    notify.notify_waiters();
    assert_eq!(wakes.take(), (0..100).filter(|n| n % 2 == 1).collect::<Vec<_>>());
    assert!(waiters.iter_mut().all(|waiter| poll_once(waiter).is_ready()));
}

#[test]
fn a_waker_may_come_back_while_it_is_cloned() {
    let notify = Arc::new(Notify::new());
    for polled_before in [false, true] {
        let mut waiter = Box::pin(notify.notified());
        if polled_before {
            assert!(!poll_once(&mut waiter).is_ready());
        }
        let waker = comes_back(&notify, Call::Clone);
        assert!(panics(|| poll_with(&mut waiter, &waker).is_ready()));
        // It was made before all were notified.
        assert!(poll_once(&mut waiter).is_ready());
    }
    assert!(!takes_a_notification(&notify));
}

#[test]
fn a_waker_may_come_back_while_it_is_dropped() {
    // By a poll with another waker, by being dropped while it waits, and when it was notified.
    let enders: [fn(&Notify, Waiter<'_>); 3] = [
        |_, mut waiter| {
            let _ready = poll_once(&mut waiter).is_ready();
        },
        |_, waiter| drop(waiter),
        |notify, mut waiter| {
            notify.notify_waiters();
            assert!(poll_once(&mut waiter).is_ready());
        },
    ];
    for end in enders {
        let notify = Arc::new(Notify::new());
        let wakes = Wakes::default();
        let mut waiter = Box::pin(notify.notified());
        let waker = comes_back(&notify, Call::Drop);
        assert!(poll_with(&mut waiter, &waker).is_pending());
        let [mut other] = wait(&wakes, &notify);
        end(&notify, waiter);
        notify.notify_waiters();
        assert_eq!(wakes.take(), [0]);
        assert!(poll_once(&mut other).is_ready() && !takes_a_notification(&notify));
        std::mem::forget(waker);
    }
}

#[test]
fn a_waker_may_drop_the_other_waiters() {
    for all in [true, false] {
        let notify = Arc::new(Notify::new());
        let others: Rc<RefCell<Vec<Pin<Box<OwnedNotified>>>>> = Rc::default();
        let reached = others.clone();
        let drops_all = hostile_waker(move |call| {
            if call == Call::Wake {
                reached.take();
            }
        });
        let mut first = Box::pin(notify.notified());
        assert!(poll_with(&mut first, &drops_all).is_pending());
        for _ in 0..100 {
            let mut other = Box::pin(notify.clone().notified_owned());
            assert!(!poll_once(&mut other).is_ready());
            others.borrow_mut().push(other);
        }
        notify_with(&notify, all);
        assert_eq!(others.borrow().len(), 0);
        assert!(poll_once(&mut first).is_ready() && !takes_a_notification(&notify));
    }
}

#[test]
fn a_chain_of_drops_passes_one_notification_to_the_end() {
    // Each waker drops its own waiter, which passes the notification on to the next.
    let notify = Arc::new(Notify::new());
    let chain: Rc<RefCell<VecDeque<Pin<Box<OwnedNotified>>>>> = Rc::default();
    for _ in 0..50 {
        let reached = chain.clone();
        let waker = hostile_waker(move |call| {
            if call == Call::Wake {
                let own = reached.borrow_mut().pop_front();
                drop(own);
            }
        });
        let mut waiter = Box::pin(notify.clone().notified_owned());
        assert!(poll_with(&mut waiter, &waker).is_pending());
        chain.borrow_mut().push_back(waiter);
    }
    notify.notify_one();
    assert_eq!(chain.borrow().len(), 0);
    assert!(takes_a_notification(&notify));
}

#[test]
fn a_waiter_that_is_dropped_in_a_panic_passes_it_on() {
    let (notify, wakes) = (Notify::new(), Wakes::default());
    let [first, mut second] = wait(&wakes, &notify);
    notify.notify_one();
    let panicked = caught(move || {
        let _dropped_by_the_panic = first;
        panic_silently("on the way out")
    });
    assert_eq!(panicked, Err::<(), _>("on the way out".to_string()));
    assert_eq!(wakes.take(), [0, 1]);
    assert!(poll_once(&mut second).is_ready());
}

// Threads.

#[test]
fn threads_play_ping_pong() {
    const ROUNDS: usize = 2_000;
    watched(|| {
        let bells = [Arc::new(Notify::new()), Arc::new(Notify::new())];
        let [ping, pong] = bells.clone();
        let other = thread::spawn(move || {
            block_on(async {
                for _ in 0..ROUNDS {
                    ping.notified().await;
                    pong.notify_one();
                }
            });
        });
        block_on(async {
            for _ in 0..ROUNDS {
                bells[0].notify_one();
                bells[1].notified().await;
            }
        });
        other.join().unwrap();
        assert!(!bells.iter().any(|bell| takes_a_notification(bell)));
    });
}

#[test]
fn notifying_all_reaches_every_thread() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 200;
    watched(|| {
        let notify = Arc::new(Notify::new());
        let start = Arc::new(Barrier::new(THREADS + 1));
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (notify, start) = (notify.clone(), start.clone());
                thread::spawn(move || {
                    for _ in 0..ROUNDS {
                        // Made before the other thread notifies, polled whenever.
                        let notified = notify.notified();
                        start.wait();
                        block_on(notified);
                        start.wait();
                    }
                })
            })
            .collect();
        for _ in 0..ROUNDS {
            start.wait();
            notify.notify_waiters();
            start.wait();
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(!takes_a_notification(&notify));
    });
}

#[test]
fn no_notification_is_lost_between_threads() {
    const THREADS: usize = 3;
    const VALUES: usize = 3_000;
    struct Channel(Mutex<VecDeque<usize>>, Notify);
    async fn receive(channel: &Channel) -> usize {
        let mut notified = pin!(channel.1.notified());
        loop {
            notified.as_mut().enable();
            if let Some(value) = channel.0.lock().unwrap().pop_front() {
                return value;
            }
            notified.as_mut().await;
            notified.set(channel.1.notified());
        }
    }
    watched(|| {
        let channel = Arc::new(Channel(Mutex::default(), Notify::new()));
        let consumers: Vec<_> = (0..THREADS)
            .map(|_| {
                let channel = channel.clone();
                let consume = async move {
                    let mut sum = 0;
                    for _ in 0..VALUES {
                        // One that gives up in between passes on what it was given.
                        {
                            let mut gives_up = Box::pin(receive(&channel));
                            match poll_once(&mut gives_up) {
                                Poll::Ready(value) => {
                                    sum += value;
                                    continue;
                                }
                                Poll::Pending => thread::yield_now(),
                            }
                        }
                        sum += receive(&channel).await;
                    }
                    sum
                };
                thread::spawn(|| block_on(consume))
            })
            .collect();
        let producers: Vec<_> = (0..THREADS)
            .map(|_| {
                let channel = channel.clone();
                thread::spawn(move || {
                    for value in 1..=VALUES {
                        channel.0.lock().unwrap().push_back(value);
                        channel.1.notify_one();
                    }
                })
            })
            .collect();
        producers.into_iter().for_each(|thread| thread.join().unwrap());
        let sum: usize = consumers.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(sum, THREADS * VALUES * (VALUES + 1) / 2);
    });
}

// Thread safety.

#[test]
fn everything_is_thread_safe() {
    assert_thread_safety! {
        about::<Notify>() => (true, true),
        about::<Notified<'_>>() => (true, true),
        about::<OwnedNotified>() => (true, true),
    }
    fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    is_unwind_safe::<Notify>();
}
