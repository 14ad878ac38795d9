//! `Barrier`: who waits for whom, who leads, and what a wait that was dropped leaves behind.

use crate::auto_traits::{about, about_future, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::hostile::{Call, acts_on, hostile_waker};
use crate::programs::random_programs;
use crate::support::{CountingWaker, History, Wakes, panics, paused, poll_once, poll_with};
use crate::sync::{Barrier, BarrierWaitResult};
use crate::watchdog::watched;
use handspun::task::yield_now;
use handspun::time::{Duration, sleep};
use handspun::{block_on, spawn};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::thread;

const MS: Duration = Duration::from_millis(1);

type Wait = Pin<Box<dyn Future<Output = bool>>>;

/// A wait that owns its barrier, and tells whether it leads.
fn wait(barrier: &Rc<Barrier>) -> Wait {
    let barrier = barrier.clone();
    Box::pin(async move { barrier.wait().await.is_leader() })
}

// Who waits for whom.

#[test]
fn all_wait_for_the_last_who_leads() {
    let history = History::new();
    paused(async {
        let barrier = Rc::new(Barrier::new(3));
        let tasks = [("a", 3), ("b", 1), ("c", 2)].map(|(name, delay)| {
            let (barrier, history) = (barrier.clone(), history.clone());
            spawn(async move {
                for round in 1..=2 {
                    sleep(MS * delay).await;
                    history.push(format_args!("{name}: comes {round}"));
                    let leads = barrier.wait().await.is_leader();
                    history.push(format_args!("{name}: goes {round}, leads: {leads}"));
                }
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    });
    history.expect([
        "b: comes 1",
        "c: comes 1",
        "a: comes 1",
        "a: goes 1, leads: true",
        "b: goes 1, leads: false",
        "c: goes 1, leads: false",
        "b: comes 2",
        "c: comes 2",
        "a: comes 2",
        "a: goes 2, leads: true",
        "b: goes 2, leads: false",
        "c: goes 2, leads: false",
    ]);
}

#[test]
fn a_wait_comes_when_it_is_first_polled() {
    let barrier = Rc::new(Barrier::new(2));
    let [mut first, mut second] = [(); 2].map(|()| wait(&barrier));
    for _ in 0..3 {
        // Polled again, it is still one.
        assert_eq!(poll_once(&mut first), Poll::Pending);
    }
    assert_eq!(poll_once(&mut second), Poll::Ready(true));
    assert_eq!(poll_once(&mut first), Poll::Ready(false));
}

#[test]
fn all_who_wait_are_woken_once_in_the_order_in_which_they_came() {
    let wakes = Wakes::default();
    let barrier = Rc::new(Barrier::new(100));
    let mut waits: Vec<_> = (0..99).map(|_| wait(&barrier)).collect();
    for (number, wait) in waits.iter_mut().enumerate() {
        // A waker that is replaced is not woken.
        assert_eq!(poll_with(wait, &wakes.waker(999)), Poll::Pending);
        assert_eq!(poll_with(wait, &wakes.waker(number)), Poll::Pending);
    }
    assert_eq!(wakes.take(), []);
    assert_eq!(poll_once(wait(&barrier)), Poll::Ready(true));
    assert_eq!(wakes.take(), (0..99).collect::<Vec<_>>());
    assert!(waits.iter_mut().all(|wait| poll_once(wait) == Poll::Ready(false)));
    assert_eq!(wakes.alive(), 0);
}

#[test]
fn the_next_round_may_begin_and_end_before_all_have_left() {
    let barrier = Rc::new(Barrier::new(2));
    let mut slow = wait(&barrier);
    assert_eq!(poll_once(&mut slow), Poll::Pending);
    assert_eq!(poll_once(wait(&barrier)), Poll::Ready(true));
    for _ in 0..3 {
        let mut next = wait(&barrier);
        assert_eq!(poll_once(&mut next), Poll::Pending);
        assert_eq!(poll_once(wait(&barrier)), Poll::Ready(true));
        assert_eq!(poll_once(&mut next), Poll::Ready(false));
    }
    let mut half = wait(&barrier);
    assert_eq!(poll_once(&mut half), Poll::Pending);
    assert_eq!(poll_once(&mut slow), Poll::Ready(false));
    assert_eq!(poll_once(&mut half), Poll::Pending);
}

#[test]
fn a_barrier_for_one_or_none_lets_everybody_pass_and_lead() {
    for n in [0, 1] {
        let barrier = Barrier::new(n);
        for _ in 0..3 {
            let result: BarrierWaitResult = block_on(barrier.wait());
            assert!(result.is_leader() && result.clone().is_leader());
        }
    }
}

#[test]
fn a_barrier_and_a_result_can_be_shown() {
    let barrier = Barrier::new(1);
    assert!(format!("{barrier:?}").starts_with("Barrier"));
    assert!(format!("{:?}", block_on(barrier.wait())).starts_with("BarrierWaitResult"));
}

// What a wait that was dropped leaves behind: it has come, and so it counts.

#[test]
fn a_wait_that_is_dropped_has_come_all_the_same() {
    let (counter, waker) = CountingWaker::new();
    let barrier = Rc::new(Barrier::new(3));
    drop(wait(&barrier));
    let mut dropped = wait(&barrier);
    assert_eq!(poll_with(&mut dropped, &waker), Poll::Pending);
    drop(dropped);
    assert_eq!(Arc::strong_count(&counter), 2, "its waker is gone");
    let mut second = wait(&barrier);
    assert_eq!(poll_once(&mut second), Poll::Pending);
    assert_eq!(poll_once(wait(&barrier)), Poll::Ready(true));
    assert_eq!(poll_once(&mut second), Poll::Ready(false));
    assert_eq!(counter.wakes(), 0);
}

#[test]
fn a_wait_that_is_dropped_after_the_last_came_leaves_nothing() {
    let barrier = Rc::new(Barrier::new(2));
    let mut dropped = wait(&barrier);
    assert_eq!(poll_once(&mut dropped), Poll::Pending);
    assert_eq!(poll_once(wait(&barrier)), Poll::Ready(true));
    drop(dropped);
    let mut first = wait(&barrier);
    assert_eq!(poll_once(&mut first), Poll::Pending);
    assert_eq!(poll_once(wait(&barrier)), Poll::Ready(true));
    assert_eq!(poll_once(&mut first), Poll::Ready(false));
}

// Cancelled at every await.

#[test]
fn a_cancelled_wait_counts_if_it_has_come() {
    let polls = cancel_at_every_await(async || {
        let barrier = Rc::new(Barrier::new(3));
        let others = [1, 2].map(|turns| {
            let barrier = barrier.clone();
            spawn(async move {
                for _ in 0..turns {
                    yield_now().await;
                }
                barrier.wait().await.is_leader()
            })
        });
        let has_come = Rc::new(Cell::new(false));
        let (waits, comes) = (barrier.clone(), has_come.clone());
        let future = async move {
            comes.set(true);
            waits.wait().await.is_leader()
        };
        (future, async move |output: Option<bool>| {
            let mut leads = usize::from(output == Some(true));
            if !has_come.get() {
                leads += usize::from(barrier.wait().await.is_leader());
            }
            for other in others {
                leads += usize::from(other.await.unwrap());
            }
            assert_eq!(leads, 1);
            // Nobody is left in it.
            let again = [(); 2].map(|()| spawn(wait(&barrier)));
            yield_now().await;
            assert!(again.iter().all(|task| !task.is_finished()));
            assert!(barrier.wait().await.is_leader());
            for task in again {
                assert!(!task.await.unwrap());
            }
            assert_eq!(Rc::strong_count(&barrier), 1);
        })
    });
    assert_eq!(polls, 2);
}

// Random programs, against a model.

#[derive(Clone, Copy, Debug)]
enum Step {
    New,
    Poll(usize),
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..100_usize;
    prop_oneof![
        4 => Just(Step::New),
        8 => any().prop_map(Step::Poll),
        1 => any().prop_map(Step::Drop),
    ]
}

/// A wait.
struct ModelWait {
    wait: Wait,
    /// The round that it came to.
    round: Option<usize>,
    /// When it came.
    since: usize,
    /// The waker that it left, unless it was woken.
    waker: Option<usize>,
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn it_does_what_the_model_does(
        n in 0..5_usize,
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let barrier = Rc::new(Barrier::new(n));
        let wakes = Wakes::default();
        let mut waits: Vec<ModelWait> = Vec::new();
        // The round that is open, and how many have come to it.
        let (mut open, mut came) = (0, 0);
        for (time, step) in steps.into_iter().enumerate() {
            let mut woken = Vec::new();
            match step {
                Step::New => {
                    let (wait, round, since, waker) = (wait(&barrier), None, 0, None);
                    waits.push(ModelWait { wait, round, since, waker });
                }
                Step::Poll(at) if !waits.is_empty() => {
                    let at = at % waits.len();
                    let mut leads = false;
                    if waits[at].round.is_none() {
                        (waits[at].round, waits[at].since) = (Some(open), time);
                        came += 1;
                        leads = came == n.max(1);
                    }
                    if leads {
                        (open, came) = (open + 1, 0);
                        let wake = |wait: &mut ModelWait| Some((wait.since, wait.waker.take()?));
                        woken.extend(waits.iter_mut().filter_map(wake));
                    }
                    let model = &mut waits[at];
                    let over = model.round != Some(open);
                    let polled = poll_with(&mut model.wait, &wakes.waker(time));
                    let expected = if over { Poll::Ready(leads) } else { Poll::Pending };
                    prop_assert_eq!(polled, expected);
                    model.waker = (!over).then_some(time);
                    if over {
                        waits.remove(at);
                    }
                }
                Step::Drop(at) if !waits.is_empty() => {
                    waits.remove(at % waits.len());
                }
                _ => {}
            }
            woken.sort_unstable();
            let woken: Vec<_> = woken.into_iter().map(|(_, waker)| waker).collect();
            prop_assert_eq!(wakes.take(), woken);
        }
        drop(waits);
        // No waker is left anywhere, and no owner.
        prop_assert_eq!(wakes.alive(), 0);
        prop_assert_eq!(Rc::strong_count(&barrier), 1);
    }
}

// The worst that wakers can do.

/// A waker that comes to the barrier, leaves it again, and panics.
fn comes_back(barrier: &Rc<Barrier>, call: Call) -> Waker {
    let barrier = barrier.clone();
    acts_on(call, move || assert_eq!(poll_once(wait(&barrier)), Poll::Pending))
}

#[test]
fn a_waker_may_come_back_while_it_is_woken_and_panic() {
    let wakes = Wakes::default();
    let barrier = Rc::new(Barrier::new(9));
    let mut waits: Vec<_> = (0..8).map(|_| wait(&barrier)).collect();
    for (number, wait) in waits.iter_mut().enumerate() {
        let hostile = number % 4 == 1;
        let waker = if hostile { comes_back(&barrier, Call::Wake) } else { wakes.waker(number) };
        assert_eq!(poll_with(wait, &waker), Poll::Pending);
    }
    let mut last = wait(&barrier);
    // The panics end where the wakers are called.
    assert_eq!(poll_once(&mut last), Poll::Ready(true));
    assert_eq!(wakes.take(), [0, 2, 3, 4, 6, 7]);
    assert!(waits.iter_mut().all(|wait| poll_once(wait) == Poll::Ready(false)));
    // Two have come to the next round.
    let mut waits: Vec<_> = (0..6).map(|_| wait(&barrier)).collect();
    assert!(waits.iter_mut().all(|wait| poll_once(wait).is_pending()));
    assert_eq!(poll_once(wait(&barrier)), Poll::Ready(true));
    assert!(waits.iter_mut().all(|wait| poll_once(wait) == Poll::Ready(false)));
}

#[test]
fn a_waker_may_come_back_while_it_is_cloned() {
    let barrier = Rc::new(Barrier::new(3));
    let waker = comes_back(&barrier, Call::Clone);
    let mut first = wait(&barrier);
    assert!(panics(|| poll_with(&mut first, &waker)));
    drop(first);
    // It has come by its waker, and whether also by itself is left open.
    let mut second = wait(&barrier);
    if poll_once(&mut second).is_pending() {
        assert_eq!(poll_once(wait(&barrier)), Poll::Ready(true));
        assert_eq!(poll_once(&mut second), Poll::Ready(false));
    }
}

#[test]
fn a_waker_may_come_back_while_it_is_dropped() {
    let barrier = Rc::new(Barrier::new(5));
    let waker = comes_back(&barrier, Call::Drop);
    let [mut first, mut second] = [(); 2].map(|()| wait(&barrier));
    assert_eq!(poll_with(&mut first, &waker), Poll::Pending);
    assert_eq!(poll_with(&mut second, &waker), Poll::Pending);
    // One is replaced, and one taken back: with each somebody comes.
    assert_eq!(poll_once(&mut first), Poll::Pending);
    drop(second);
    assert_eq!(poll_once(wait(&barrier)), Poll::Ready(true));
    assert_eq!(poll_once(&mut first), Poll::Ready(false));
    std::mem::forget(waker);
}

#[test]
fn a_waker_may_drop_the_other_waiters() {
    let barrier = Rc::new(Barrier::new(102));
    let others: Rc<RefCell<Vec<Wait>>> = Rc::default();
    let reached = others.clone();
    let drops_all = hostile_waker(move |call| {
        if call == Call::Wake {
            reached.take();
        }
    });
    let mut first = wait(&barrier);
    assert_eq!(poll_with(&mut first, &drops_all), Poll::Pending);
    for _ in 0..100 {
        let mut other = wait(&barrier);
        assert_eq!(poll_once(&mut other), Poll::Pending);
        others.borrow_mut().push(other);
    }
    assert_eq!(poll_once(wait(&barrier)), Poll::Ready(true));
    assert!(others.borrow().is_empty());
    assert_eq!(poll_once(&mut first), Poll::Ready(false));
}

// Threads.

#[test]
fn threads_go_through_rounds_together() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 500;
    watched(|| {
        let barrier = Arc::new(Barrier::new(THREADS));
        let steps = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (barrier, steps) = (barrier.clone(), steps.clone());
                thread::spawn(move || {
                    block_on(async {
                        let mut led = 0;
                        for round in 0..ROUNDS {
                            steps.fetch_add(1, Ordering::SeqCst);
                            led += usize::from(barrier.wait().await.is_leader());
                            let done = steps.load(Ordering::SeqCst);
                            assert_eq!(done, THREADS * (round + 1), "nobody has gone on");
                            // Until all have looked.
                            barrier.wait().await;
                        }
                        led
                    })
                })
            })
            .collect();
        let led: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(led, ROUNDS);
    });
}

// Thread safety.

#[test]
fn everything_is_thread_safe() {
    assert_thread_safety! {
        about::<Barrier>() => (true, true),
        about::<BarrierWaitResult>() => (true, true),
        about_future(Barrier::wait) => (true, true),
    }
}
