//! `Mutex`: who has the lock and who is next, and that it is free whenever nobody has it.
#![allow(
    clippy::arc_with_non_send_sync,
    reason = "owned guards want an `Arc`, also of values that stay on their thread"
)]

use crate::auto_traits::{Neither, SendOnly, SyncOnly, about, about_future, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::hostile::{Call, Dropping, acts_on, hostile_waker, quietly};
use crate::programs::random_programs;
use crate::support::{
    CountingWaker, History, Wakes, caught, panic_silently, paused, poll_once, poll_with,
};
use crate::sync::{Mutex, MutexGuard, OwnedMutexGuard, TryLockError};
use crate::watchdog::watched;
use handspun::task::{spawn_blocking, yield_now};
use handspun::time::{Duration, Instant, sleep, timeout};
use handspun::{block_on, spawn};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Barrier, Weak};
use std::task::Poll;
use std::{mem, thread};

const MS: Duration = Duration::from_millis(1);

// Who has the lock.

#[test]
fn one_at_a_time_reaches_the_value() {
    paused(async {
        let mutex = Arc::new(Mutex::new(1));
        let mut guard: MutexGuard<'_, i32> = mutex.lock().await;
        assert_eq!(*guard, 1);
        *guard += 1;
        let error: TryLockError = mutex.try_lock().unwrap_err();
        assert_eq!(error.to_string(), "it is locked, or others wait for it");
        assert!(mutex.clone().try_lock_owned().is_err());
        drop(guard);
        let mut guard: OwnedMutexGuard<i32> = mutex.clone().lock_owned().await;
        assert_eq!(*guard, 2);
        *guard += 1;
        assert!(mutex.try_lock().is_err());
        drop(guard);
        let mut guard = mutex.try_lock().unwrap();
        assert_eq!(*guard, 3);
        *guard += 1;
        drop(guard);
        let guard = mutex.clone().try_lock_owned().unwrap();
        assert_eq!(*guard, 4);
        let error: Box<dyn std::error::Error> = Box::new(mutex.try_lock().unwrap_err());
        assert_eq!(error.to_string(), "it is locked, or others wait for it");
    });
}

#[test]
fn the_lock_goes_to_those_who_wait_in_the_order_in_which_they_came() {
    let history = History::new();
    paused(async {
        let start = Instant::now();
        let mutex = Arc::new(Mutex::new(String::new()));
        let tasks = ["a", "b", "c", "d"].map(|name| {
            let (mutex, history) = (mutex.clone(), history.clone());
            spawn(async move {
                let mut guard = mutex.lock().await;
                guard.push_str(name);
                history.push(format_args!("{name}: {guard} at {:?}", start.elapsed()));
                sleep(MS).await;
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
        history.push(format_args!("root: {}", mutex.try_lock().unwrap()));
    });
    history.expect([
        "a: a at 0ns",
        "b: ab at 1ms",
        "c: abc at 2ms",
        "d: abcd at 3ms",
        "root: abcd",
    ]);
}

#[test]
fn a_lock_that_was_handed_on_is_not_free() {
    let wakes = Wakes::default();
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut next = pin!(mutex.lock());
    assert!(poll_with(&mut next, &wakes.waker(0)).is_pending());
    assert_eq!(wakes.take(), []);
    drop(guard);
    assert_eq!(wakes.take(), [0]);
    // It is the next one's, although that has not looked yet.
    assert!(mutex.try_lock().is_err());
    let mut late = pin!(mutex.lock());
    assert!(poll_with(&mut late, &wakes.waker(1)).is_pending());
    let Poll::Ready(guard) = poll_once(&mut next) else {
        panic!("it has been woken");
    };
    assert_eq!(wakes.take(), []);
    drop(guard);
    assert_eq!(wakes.take(), [1]);
    assert!(poll_once(&mut late).is_ready());
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn a_place_in_the_queue_is_taken_by_the_first_poll() {
    let wakes = Wakes::default();
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut made_first = pin!(mutex.lock());
    let mut polled_first = pin!(mutex.lock());
    assert!(poll_with(&mut polled_first, &wakes.waker(0)).is_pending());
    assert!(poll_with(&mut made_first, &wakes.waker(1)).is_pending());
    // Polling again changes the waker, not the place.
    assert!(poll_with(&mut polled_first, &wakes.waker(2)).is_pending());
    drop(guard);
    assert_eq!(wakes.take(), [2]);
    assert!(poll_with(&mut made_first, &wakes.waker(3)).is_pending());
    // The guard is dropped as soon as it has been seen.
    assert!(poll_with(&mut polled_first, &wakes.waker(4)).is_ready());
    assert_eq!(wakes.take(), [3]);
}

#[test]
fn whoever_leaves_the_queue_hands_on_what_it_was_given() {
    let wakes = Wakes::default();
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let [mut given, mut leaves, mut next] = [(); 3].map(|()| Box::pin(mutex.lock()));
    assert!(poll_with(&mut given, &wakes.waker(0)).is_pending());
    assert!(poll_with(&mut leaves, &wakes.waker(1)).is_pending());
    assert!(poll_with(&mut next, &wakes.waker(2)).is_pending());
    drop(leaves);
    assert_eq!(wakes.take(), []);
    drop(guard);
    assert_eq!(wakes.take(), [0]);
    drop(given);
    assert_eq!(wakes.take(), [2]);
    assert!(mutex.try_lock().is_err());
    drop(next);
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn a_timeout_leaves_the_queue_as_it_was() {
    paused(async {
        let mutex = Arc::new(Mutex::new(0));
        let guard = mutex.lock().await;
        assert!(timeout(MS, mutex.lock()).await.is_err());
        let waiting = spawn(mutex.clone().lock_owned());
        assert!(timeout(MS, mutex.lock()).await.is_err());
        drop(guard);
        *waiting.await.unwrap() += 1;
        assert_eq!(*timeout(MS, mutex.lock()).await.unwrap(), 1);
    });
}

#[test]
fn a_future_that_was_ready_is_not_polled_again() {
    let mutex = Mutex::new(());
    let mut lock = pin!(mutex.lock());
    assert!(poll_once(&mut lock).is_ready());
    caught(|| poll_once(&mut lock).is_ready()).unwrap_err();
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn a_task_that_ends_in_any_way_unlocks() {
    let history = History::new();
    paused(async {
        let mutex = Arc::new(Mutex::new(0));
        let task = |name: &'static str, ends: fn()| {
            let (mutex, history) = (mutex.clone(), history.clone());
            spawn(async move {
                let mut guard = mutex.lock().await;
                *guard += 1;
                history.push(format_args!("{name}: {guard}"));
                ends();
                pending::<()>().await
            })
        };
        let panics = task("panics", || panic_silently("a task"));
        let aborted = task("aborted", || {});
        let waits = task("waits", || {});
        let last = task("last", || {});
        assert!(panics.await.unwrap_err().is_panic());
        waits.abort();
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        yield_now().await;
        last.abort();
        assert!(last.await.unwrap_err().is_cancelled());
        history.push(format_args!("root: {}", mutex.try_lock().unwrap()));
        let guard = mutex.clone().try_lock_owned().unwrap();
        let panics = spawn(async move {
            let _guard = guard;
            panic_silently("a task")
        });
        assert!(panics.await.unwrap_err().is_panic());
        assert!(mutex.try_lock().is_ok());
    });
    history.expect(["panics: 1", "aborted: 2", "last: 3", "root: 3"]);
}

#[test]
fn a_guard_that_is_forgotten_locks_for_ever() {
    let mutex = Mutex::new(1);
    mem::forget(mutex.try_lock().unwrap());
    assert!(mutex.try_lock().is_err());
    let mut lock = Box::pin(mutex.lock());
    assert!(poll_once(&mut lock).is_pending());
    drop(lock);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
}

#[test]
fn the_waker_of_the_last_poll_is_the_one_that_is_woken() {
    let [(first, first_waker), (second, second_waker)] = [(); 2].map(|()| CountingWaker::new());
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut lock = pin!(mutex.lock());
    assert!(poll_with(&mut lock, &first_waker).is_pending());
    assert!(poll_with(&mut lock, &second_waker).is_pending());
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (2, 3));
    drop(guard);
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
    assert_eq!(Arc::strong_count(&second), 2, "a waker that was called is gone");
}

#[test]
fn cost_is_linear_in_the_number_of_waiters() {
    const MANY: usize = 100_000;
    let (counter, waker) = CountingWaker::new();
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut waiting: Vec<_> = (0..MANY).map(|_| Box::pin(mutex.lock())).collect();
    for lock in &mut waiting {
        assert!(poll_with(lock, &waker).is_pending());
    }
    // Every other one leaves, from the middle of the queue.
    let mut nth = 0;
    waiting.retain(|_| {
        nth += 1;
        nth % 2 == 0
    });
    drop(guard);
    for lock in &mut waiting {
        assert!(poll_with(lock, &waker).is_ready());
    }
    assert_eq!(counter.wakes(), MANY / 2);
}

// The value.

#[test]
fn a_value_goes_in_and_comes_out() {
    let mut mutex: Mutex<String> = Mutex::from("a".to_string());
    mutex.get_mut().push('b');
    block_on(mutex.lock()).push('c');
    assert_eq!(mutex.into_inner(), "abc");
    assert_eq!(Mutex::<u8>::default().into_inner(), 0);
}

#[test]
fn a_value_that_is_locked_for_ever_does_not_come_out() {
    let mut mutex = Mutex::new(1);
    mem::forget(mutex.try_lock().unwrap());
    caught(|| *mutex.get_mut()).unwrap_err();
    caught(|| mutex.into_inner()).unwrap_err();
}

#[test]
fn a_value_stays_where_it_is() {
    let mutex = Mutex::new([0_u8; 100]);
    let address = |guard: MutexGuard<'_, [u8; 100]>| guard.as_ptr();
    assert_eq!(address(mutex.try_lock().unwrap()), address(mutex.try_lock().unwrap()));
}

#[test]
fn a_value_is_dropped_with_its_lock() {
    let history = History::new();
    let mutex = Arc::new(Mutex::new(history.on_drop("value")));
    let guard = mutex.clone().try_lock_owned().unwrap();
    drop(mutex);
    history.push("mutex");
    drop(guard);
    history.push("guard");
    drop(Mutex::new(history.on_drop("another")));
    let _kept = Mutex::new(history.on_drop("kept")).into_inner();
    history.expect(["mutex", "value", "guard", "another"]);
}

#[test]
fn guards_know_their_mutex() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = mutex.try_lock().unwrap();
    let from_guard: &Mutex<()> = MutexGuard::mutex(&guard);
    assert!(std::ptr::eq(from_guard, &*mutex));
    drop(guard);
    assert!(from_guard.try_lock().is_ok(), "it outlives the guard");
    let waiting = mutex.clone().lock_owned();
    assert_eq!(Arc::strong_count(&mutex), 2);
    let guard = block_on(waiting);
    assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &mutex));
    assert_eq!(Arc::strong_count(&mutex), 2);
    drop(guard);
    assert_eq!(Arc::strong_count(&mutex), 1);
}

#[test]
fn a_mutex_shows_its_value_unless_it_is_locked() {
    let mutex = Arc::new(Mutex::new("a"));
    assert_eq!(format!("{mutex:?}"), "Mutex { data: \"a\" }");
    let guard = mutex.try_lock().unwrap();
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
    assert_eq!(format!("{guard:?} {guard}"), "\"a\" a");
    drop(guard);
    let guard = mutex.clone().try_lock_owned().unwrap();
    assert_eq!(format!("{guard:?} {guard}"), "\"a\" a");
}

// Threads that block.

#[test]
fn a_thread_may_block_for_the_lock() {
    watched(|| {
        let mutex = Arc::new(Mutex::new(0));
        *mutex.blocking_lock() += 1;
        *mutex.clone().blocking_lock_owned() += 1;
        let guard = mutex.try_lock().unwrap();
        let threads = [(); 2].map(|()| {
            let mutex = mutex.clone();
            thread::spawn(move || {
                *mutex.blocking_lock() += 1;
                *mutex.blocking_lock_owned() += 1;
            })
        });
        drop(guard);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*mutex.try_lock().unwrap(), 6);
    });
}

#[test]
fn a_blocking_closure_may_block_for_the_lock() {
    watched(|| {
        block_on(async {
            let mutex = Arc::new(Mutex::new(0));
            let mut guard = mutex.lock().await;
            let blocking = mutex.clone();
            let closure = spawn_blocking(move || *blocking.blocking_lock());
            yield_now().await;
            *guard = 1;
            drop(guard);
            assert_eq!(closure.await.unwrap(), 1);
        });
    });
}

#[test]
fn a_task_may_not_block_for_the_lock() {
    let mutex = Arc::new(Mutex::new(()));
    let messages = block_on(async {
        [
            caught(|| drop(mutex.blocking_lock())).unwrap_err(),
            caught(|| drop(mutex.clone().blocking_lock_owned())).unwrap_err(),
        ]
    });
    for message in messages {
        assert!(message.contains("await"), "{message}");
    }
    assert!(mutex.try_lock().is_ok());
}

// Cancelled at every await.

type Way = fn(Arc<Mutex<u32>>) -> Pin<Box<dyn Future<Output = ()>>>;

/// Every future there is. Each counts the locks in the value, and then unlocks.
const WAYS: [Way; 2] = [
    |mutex| Box::pin(async move { *mutex.lock().await += 1 }),
    |mutex| Box::pin(async move { *mutex.lock_owned().await += 1 }),
];

#[test]
fn a_lock_that_is_cancelled_is_free_for_the_next() {
    for way in WAYS {
        let polls = cancel_at_every_await(async || {
            let mutex = Arc::new(Mutex::new(0));
            let others = [Duration::ZERO, Duration::ZERO, MS / 2, MS / 2].map(|begin| {
                let mutex = mutex.clone();
                spawn(async move {
                    sleep(begin).await;
                    let mut guard = mutex.lock().await;
                    *guard += 10;
                    sleep(MS).await;
                })
            });
            yield_now().await;
            (way(mutex.clone()), async move |output: Option<()>| {
                for other in others {
                    other.await.unwrap();
                }
                assert_eq!(*mutex.lock().await, 40 + u32::from(output.is_some()));
                assert_eq!(Arc::strong_count(&mutex), 1);
            })
        });
        assert_eq!(polls, 2, "woken when it has the lock, and not before");
    }
}

// Random programs, against a model.

/// Futures are called by their places, modulo how many there are; without any, a step does nothing.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Makes a future.
    Make,
    /// Makes one and polls it.
    Lock,
    /// Polls a future, with a waker that has the number of this step.
    Poll(usize),
    /// Drops a future.
    Cancel(usize),
    TryLock,
    /// Drops the guard.
    Unlock,
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..100_usize;
    prop_oneof![
        1 => Just(Step::Make),
        6 => Just(Step::Lock),
        6 => any().prop_map(Step::Poll),
        3 => any().prop_map(Step::Cancel),
        2 => Just(Step::TryLock),
        6 => Just(Step::Unlock),
    ]
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 0..80)) {
        prop_assert_eq!(on_the_mutex(&steps), on_the_model(&steps));
    }
}

/// All that a mutex knows, and its futures.
#[derive(Default)]
struct Model {
    lock: ModelLock,
    /// The numbers of the futures that wait, in the order in which they came.
    queue: VecDeque<usize>,
    futures: Vec<ModelFuture>,
    /// The steps that have had the lock.
    value: Vec<usize>,
    history: History,
}

#[derive(Default, PartialEq)]
enum ModelLock {
    #[default]
    Free,
    /// Handed on to this future, which has not been polled since.
    Given(usize),
    Held,
}

struct ModelFuture {
    /// The step that made it.
    number: usize,
    /// The step that polled it last.
    waker: Option<usize>,
}

impl Model {
    fn play(&mut self, number: usize, step: Step) {
        let futures = self.futures.len();
        match step {
            Step::Make => self.make(number),
            Step::Lock => {
                self.make(number);
                self.poll(number, futures);
            }
            Step::Poll(n) if futures > 0 => self.poll(number, n % futures),
            Step::Cancel(n) if futures > 0 => {
                let cancelled = self.futures.remove(n % futures).number;
                self.queue.retain(|&waiting| waiting != cancelled);
                if self.lock == ModelLock::Given(cancelled) {
                    self.unlock();
                }
            }
            Step::TryLock if self.lock == ModelLock::Free => self.hold(number),
            Step::Unlock if self.lock == ModelLock::Held => self.unlock(),
            _ => {}
        }
        match self.lock {
            ModelLock::Free => self.history.push(format_args!("free: {:?}", self.value)),
            _ => self.history.push("locked"),
        }
    }

    fn make(&mut self, number: usize) {
        self.futures.push(ModelFuture {
            number,
            waker: None,
        });
    }

    fn poll(&mut self, step: usize, place: usize) {
        let number = self.futures[place].number;
        let is_first_poll = self.futures[place].waker.replace(step).is_none();
        if [ModelLock::Free, ModelLock::Given(number)].contains(&self.lock) {
            self.futures.remove(place);
            self.history.push(format_args!("{number}: ready"));
            return self.hold(step);
        }
        if is_first_poll {
            self.queue.push_back(number);
        }
        self.history.push(format_args!("{number}: pending"));
    }

    fn hold(&mut self, step: usize) {
        self.lock = ModelLock::Held;
        self.value.push(step);
    }

    fn unlock(&mut self) {
        self.lock = ModelLock::Free;
        if let Some(next) = self.queue.pop_front() {
            self.lock = ModelLock::Given(next);
            let woken = self.futures.iter().find(|future| future.number == next).unwrap();
            self.history.push(format_args!("waker {}: woken", woken.waker.unwrap()));
        }
    }
}

fn on_the_model(steps: &[Step]) -> Vec<String> {
    let mut model = Model::default();
    for (number, &step) in steps.iter().enumerate() {
        model.play(number, step);
    }
    model.history.push(format_args!("in the end: {:?}", model.value));
    model.history.take()
}

type Guard = OwnedMutexGuard<Vec<usize>>;
type Lock = Pin<Box<dyn Future<Output = Guard>>>;

/// The same with a mutex, and wakers that are numbered by the steps.
struct World {
    mutex: Arc<Mutex<Vec<usize>>>,
    futures: Vec<(usize, Lock)>,
    guard: Option<Guard>,
    wakes: Wakes,
    history: History,
}

impl World {
    fn play(&mut self, number: usize, step: Step) {
        let futures = self.futures.len();
        match step {
            Step::Make => self.make(number),
            Step::Lock => {
                self.make(number);
                self.poll(number, futures);
            }
            Step::Poll(n) if futures > 0 => self.poll(number, n % futures),
            Step::Cancel(n) if futures > 0 => drop(self.futures.remove(n % futures)),
            Step::TryLock => {
                if let Ok(guard) = self.mutex.clone().try_lock_owned() {
                    self.hold(number, guard);
                }
            }
            Step::Unlock => drop(self.guard.take()),
            _ => {}
        }
        for waker in self.wakes.take() {
            self.history.push(format_args!("waker {waker}: woken"));
        }
        match self.mutex.try_lock() {
            Ok(value) => self.history.push(format_args!("free: {value:?}")),
            Err(_) => self.history.push("locked"),
        }
    }

    fn make(&mut self, number: usize) {
        self.futures.push((number, Box::pin(self.mutex.clone().lock_owned())));
    }

    fn poll(&mut self, step: usize, place: usize) {
        let (number, future) = &mut self.futures[place];
        let number = *number;
        match poll_with(future, &self.wakes.waker(step)) {
            Poll::Pending => self.history.push(format_args!("{number}: pending")),
            Poll::Ready(guard) => {
                drop(self.futures.remove(place));
                self.history.push(format_args!("{number}: ready"));
                self.hold(step, guard);
            }
        }
    }

    fn hold(&mut self, step: usize, mut guard: Guard) {
        guard.push(step);
        assert!(self.guard.replace(guard).is_none(), "one at a time");
    }
}

fn on_the_mutex(steps: &[Step]) -> Vec<String> {
    let mutex = Arc::new(Mutex::new(Vec::new()));
    let wakes = Wakes::default();
    let history = History::new();
    let mut world = World {
        mutex: mutex.clone(),
        futures: Vec::new(),
        guard: None,
        wakes: wakes.clone(),
        history: history.clone(),
    };
    for (number, &step) in steps.iter().enumerate() {
        world.play(number, step);
    }
    drop(world);
    history.push(format_args!("in the end: {:?}", mutex.try_lock().unwrap()));
    assert_eq!(wakes.alive(), 0, "a waker was left somewhere");
    history.take()
}

// The worst that wakers and values can do.

#[test]
fn a_waker_may_come_back_while_it_is_called() {
    for on in [Call::Clone, Call::Wake, Call::Drop] {
        let wakes = Wakes::default();
        let mutex = Arc::new(Mutex::new(0));
        // A panic inside of a waker goes no further, so what became of each call is kept.
        let calls = Rc::new(RefCell::new(Vec::new()));
        let waker = || {
            let (mutex, calls) = (mutex.clone(), calls.clone());
            hostile_waker(move |call| {
                if call == on {
                    let outcome = caught(|| {
                        assert!(mutex.try_lock().is_err());
                        let mut lock = Box::pin(mutex.clone().lock_owned());
                        assert!(poll_once(&mut lock).is_pending());
                        assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
                    });
                    calls.borrow_mut().push(outcome);
                }
            })
        };
        let guard = mutex.try_lock().unwrap();
        let mut lock = Box::pin(mutex.lock());
        let mut next = Box::pin(mutex.lock());
        // One is replaced, and one is woken; one leaves with its future.
        assert!(poll_with(&mut lock, &waker()).is_pending());
        assert!(poll_with(&mut lock, &waker()).is_pending());
        assert!(poll_with(&mut next, &wakes.waker(0)).is_pending());
        let mut leaves = Box::pin(mutex.lock());
        assert!(poll_with(&mut leaves, &waker()).is_pending());
        drop(leaves);
        drop(guard);
        let Poll::Ready(guard) = poll_once(&mut lock) else {
            panic!("it has been woken");
        };
        assert_eq!(wakes.take(), []);
        drop(guard);
        assert_eq!(wakes.take(), [0]);
        assert_ne!(calls.borrow().len(), 0);
        assert!(calls.borrow().iter().all(Result::is_ok), "{calls:?}");
        drop(next);
        assert!(mutex.try_lock().is_ok());
    }
}

#[test]
fn a_lock_may_be_used_inside_of_the_wake_that_tells_of_it() {
    let mutex = Arc::new(Mutex::new(vec!["root"]));
    let guard = mutex.try_lock().unwrap();
    let waiting = Rc::new(RefCell::new(Some(Box::pin(mutex.clone().lock_owned()))));
    let woken = waiting.clone();
    let uses = hostile_waker(move |call| {
        if call == Call::Wake {
            let mut lock = woken.take().expect("woken once");
            let Poll::Ready(mut guard) = poll_once(&mut lock) else {
                panic!("it has been woken");
            };
            guard.push("waker");
        }
    });
    assert!(poll_with(waiting.borrow_mut().as_mut().unwrap(), &uses).is_pending());
    drop(guard);
    assert_eq!(*mutex.try_lock().unwrap(), ["root", "waker"]);
}

#[test]
fn a_waker_may_drop_the_other_waiters() {
    let (counter, waker) = CountingWaker::new();
    let mutex = Arc::new(Mutex::new(()));
    let guard = mutex.try_lock().unwrap();
    let others: Rc<RefCell<Vec<_>>> = Rc::default();
    let dropped = others.clone();
    let mut first = Box::pin(mutex.lock());
    let drops_all = hostile_waker(move |call| {
        if call == Call::Wake {
            let others = dropped.take();
            drop(others);
        }
    });
    assert!(poll_with(&mut first, &drops_all).is_pending());
    for _ in 0..3 {
        let mut other = Box::pin(mutex.clone().lock_owned());
        assert!(poll_with(&mut other, &waker).is_pending());
        others.borrow_mut().push(other);
    }
    drop(guard);
    assert!(others.borrow().is_empty());
    assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (0, 2));
    assert!(poll_once(&mut first).is_ready());
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn a_waker_may_hold_the_guard_that_its_waiter_waits_for() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = RefCell::new(Some(mutex.clone().try_lock_owned().unwrap()));
    let waker = hostile_waker(move |call| {
        if call == Call::Drop {
            drop(guard.take());
        }
    });
    let mut lock = Box::pin(mutex.lock());
    assert!(poll_with(&mut lock, &waker).is_pending());
    mem::forget(waker);
    drop(lock);
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn a_waker_that_panics_costs_nobody_the_lock() {
    for on in [Call::Clone, Call::Wake, Call::Drop] {
        quietly(|| {
            let wakes = Wakes::default();
            let mutex = Mutex::new(());
            let guard = mutex.try_lock().unwrap();
            let broken = acts_on(on, || ());
            let mut lock = Box::pin(mutex.lock());
            let is_cloned = caught(|| assert!(poll_with(&mut lock, &broken).is_pending())).is_ok();
            assert_eq!(is_cloned, on != Call::Clone);
            mem::forget(broken);
            let mut next = Box::pin(mutex.lock());
            assert!(poll_with(&mut next, &wakes.waker(0)).is_pending());
            // Out in the middle of a panic: a second one would end the process.
            let message = caught(move || {
                let _guard = guard;
                panic_silently("on the way out")
            });
            assert_eq!(message, Err::<(), _>("on the way out".to_string()));
            let message = caught(move || {
                let _lock = lock;
                panic_silently("on the way out")
            });
            assert_eq!(message, Err::<(), _>("on the way out".to_string()));
            assert_eq!(wakes.take(), [0]);
            drop(next);
            assert!(mutex.try_lock().is_ok());
        });
    }
}

/// A value that calls a closure when it is dropped.
type Acting = Option<Dropping<Box<dyn Fn()>>>;

#[test]
fn a_value_may_come_back_while_it_is_dropped() {
    let history = History::new();
    let new = |name: &'static str, mutex: &Weak<Mutex<Acting>>| {
        let (history, mutex) = (history.clone(), mutex.clone());
        let acts: Box<dyn Fn()> = Box::new(move || match mutex.upgrade() {
            None => history.push(format_args!("{name}: its mutex is gone")),
            Some(mutex) => {
                let mut lock = Box::pin(mutex.clone().lock_owned());
                let is_locked = poll_once(&mut lock).is_pending();
                history.push(format_args!("{name}: locked {is_locked}, {mutex:?}"));
            }
        });
        Some(Dropping(acts))
    };
    let mutex = Arc::new_cyclic(|mutex| Mutex::new(new("first", mutex)));
    let weak = Arc::downgrade(&mutex);
    let mut guard = mutex.try_lock().unwrap();
    *guard = new("second", &weak);
    let second = guard.take();
    drop(guard);
    drop(second);
    *mutex.try_lock().unwrap() = new("third", &weak);
    let guard = mutex.clone().try_lock_owned().unwrap();
    drop(mutex);
    history.push("root: unlocks");
    // The guard has the last reference.
    drop(guard);
    history.expect([
        "first: locked true, Mutex { data: <locked> }",
        "second: locked false, Mutex { data: None }",
        "root: unlocks",
        "third: its mutex is gone",
    ]);
}

impl fmt::Debug for Dropping<Box<dyn Fn()>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dropping")
    }
}

#[test]
fn a_value_may_panic_while_it_is_dropped() {
    let acts: Box<dyn Fn()> = Box::new(|| panic_silently("a value"));
    let mutex = Mutex::new(Some(Dropping(acts)));
    let result = caught(|| *mutex.try_lock().unwrap() = None);
    assert_eq!(result, Err("a value".to_string()));
    assert!(mutex.try_lock().unwrap().is_none());
    // Dropped with the mutex, and with the last guard.
    let new = || {
        let acts: Box<dyn Fn()> = Box::new(|| panic_silently("a value"));
        Arc::new(Mutex::new(Dropping(acts)))
    };
    assert_eq!(caught(|| drop(new())), Err("a value".to_string()));
    let guard = new().try_lock_owned().unwrap();
    assert_eq!(caught(|| drop(guard)), Err("a value".to_string()));
}

#[test]
fn a_value_may_come_back_while_it_is_shown() {
    struct Nosy(Weak<Mutex<Nosy>>);
    impl fmt::Debug for Nosy {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "in {:?}", self.0.upgrade().unwrap())
        }
    }
    let mutex = Arc::new_cyclic(|mutex| Mutex::new(Nosy(mutex.clone())));
    assert_eq!(format!("{mutex:?}"), "Mutex { data: in Mutex { data: <locked> } }");
    assert!(mutex.try_lock().is_ok());
}

// Threads.

#[test]
fn a_guard_may_be_dropped_on_another_thread() {
    watched(|| {
        for _ in 0..50 {
            let mutex = Arc::new(Mutex::new(0));
            let mut guard = mutex.clone().try_lock_owned().unwrap();
            let thread = thread::spawn(move || {
                *guard = 1;
                drop(guard);
            });
            assert_eq!(*block_on(mutex.lock()), 1);
            thread.join().unwrap();
        }
    });
}

#[test]
fn threads_take_turns() {
    const THREADS: usize = 4;
    const TASKS: usize = 3;
    const ROUNDS: usize = 200;
    /// A task of one of the threads. Its locks are numbered in the value.
    async fn work(mutex: Arc<Mutex<Vec<(usize, usize)>>>, task: usize) {
        for round in 0..ROUNDS {
            // Some leave the queue, and with it the lock if they have been given it.
            if round % 3 == 0 {
                let _given = poll_once(mutex.lock());
            }
            let mut guard = mutex.lock().await;
            guard.push((task, round));
            let length = guard.len();
            yield_now().await;
            assert_eq!(guard.len(), length);
        }
    }
    watched(|| {
        let mutex = Arc::new(Mutex::new(Vec::new()));
        let start = Arc::new(Barrier::new(THREADS + 1));
        let mut threads = Vec::new();
        for thread in 0..THREADS {
            let (mutex, start) = (mutex.clone(), start.clone());
            threads.push(thread::spawn(move || {
                start.wait();
                block_on(async {
                    let task = |n| work(mutex.clone(), TASKS * thread + n);
                    let tasks: Vec<_> = (0..TASKS).map(|n| spawn(task(n))).collect();
                    for task in tasks {
                        task.await.unwrap();
                    }
                });
            }));
        }
        // One that blocks, among them.
        let (blocking, begin) = (mutex.clone(), start.clone());
        threads.push(thread::spawn(move || {
            begin.wait();
            for round in 0..ROUNDS {
                blocking.blocking_lock().push((THREADS * TASKS, round));
            }
        }));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let mut turns = mem::take(&mut *mutex.try_lock().unwrap());
        // A stable sort: what is left is the order in which each had its turns.
        turns.sort_by_key(|&(task, _)| task);
        let expected = (0..=THREADS * TASKS).flat_map(|task| (0..ROUNDS).map(move |n| (task, n)));
        assert_eq!(turns, expected.collect::<Vec<_>>());
    });
}

// Thread safety.

#[test]
fn thread_safety_depends_on_the_value() {
    assert_thread_safety! {
        about::<TryLockError>() => (true, true),
        about::<Mutex<u8>>() => (true, true),
        about::<Mutex<SendOnly>>() => (true, true),
        about::<Mutex<SyncOnly>>() => (false, false),
        about::<Mutex<Neither>>() => (false, false),
        about::<MutexGuard<'_, u8>>() => (true, true),
        about::<MutexGuard<'_, SendOnly>>() => (true, false),
        about::<MutexGuard<'_, SyncOnly>>() => (false, false),
        about::<MutexGuard<'_, Neither>>() => (false, false),
        about::<OwnedMutexGuard<u8>>() => (true, true),
        about::<OwnedMutexGuard<SendOnly>>() => (true, false),
        about::<OwnedMutexGuard<SyncOnly>>() => (false, false),
        about::<OwnedMutexGuard<Neither>>() => (false, false),
        about_future(Mutex::<u8>::lock) => (true, true),
        about_future(Mutex::<SendOnly>::lock) => (true, true),
        about_future(Mutex::<SyncOnly>::lock) => (false, false),
        about_future(Mutex::<Neither>::lock) => (false, false),
        about_future(Mutex::<u8>::lock_owned) => (true, true),
        about_future(Mutex::<SendOnly>::lock_owned) => (true, true),
        about_future(Mutex::<SyncOnly>::lock_owned) => (false, false),
        about_future(Mutex::<Neither>::lock_owned) => (false, false),
    }
    fn is_unpin<T: Unpin>() {}
    is_unpin::<Mutex<u8>>();
    is_unpin::<MutexGuard<'_, u8>>();
    is_unpin::<OwnedMutexGuard<u8>>();
}
