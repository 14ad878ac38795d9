//! `Semaphore`: who gets permits and in which order, what is counted, whom closing refuses.

use crate::auto_traits::{about, about_future, about_value, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::hostile::{Call, acts_on, hostile_waker, quietly};
use crate::programs::random_programs;
use crate::support::{
    CountingWaker, History, Wakes, caught, panic_silently, paused, poll_once, poll_with,
};
use crate::sync::{
    AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError,
};
use crate::watchdog::watched;
use handspun::task::{spawn_blocking, yield_now};
use handspun::time::{Duration, Instant, sleep, timeout};
use handspun::{block_on, spawn};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::{mem, thread};

const MS: Duration = Duration::from_millis(1);

// Who gets permits.

#[test]
fn permits_are_taken_and_come_back() {
    paused(async {
        let semaphore = Arc::new(Semaphore::new(10));
        let one = semaphore.acquire().await.unwrap();
        let two = semaphore.acquire_many(2).await.unwrap();
        let owned = semaphore.clone().acquire_owned().await.unwrap();
        let four_owned = semaphore.clone().acquire_many_owned(4).await.unwrap();
        assert_eq!((one.num_permits(), two.num_permits()), (1, 2));
        assert_eq!((owned.num_permits(), four_owned.num_permits()), (1, 4));
        assert_eq!(semaphore.available_permits(), 2);
        drop((one, owned));
        assert_eq!(semaphore.available_permits(), 4);
        drop((two, four_owned));
        assert_eq!(semaphore.available_permits(), 10);
        semaphore.add_permits(5);
        assert_eq!(semaphore.available_permits(), 15);
    });
}

#[test]
fn a_semaphore_may_be_a_static() {
    static SEMAPHORE: Semaphore = Semaphore::const_new(1);
    let permit: SemaphorePermit<'static> = SEMAPHORE.try_acquire().unwrap();
    assert_eq!(SEMAPHORE.available_permits(), 0);
    drop(permit);
    assert_eq!(SEMAPHORE.available_permits(), 1);
}

#[test]
fn trying_takes_permits_or_tells_why_not() {
    let semaphore = Arc::new(Semaphore::new(6));
    let one: SemaphorePermit<'_> = semaphore.try_acquire().unwrap();
    let two = semaphore.try_acquire_many(2).unwrap();
    let owned: OwnedSemaphorePermit = semaphore.clone().try_acquire_owned().unwrap();
    let two_owned = semaphore.clone().try_acquire_many_owned(2).unwrap();
    assert_eq!(semaphore.available_permits(), 0);
    let refusals = || {
        [
            semaphore.try_acquire().unwrap_err(),
            semaphore.try_acquire_many(2).unwrap_err(),
            semaphore.clone().try_acquire_owned().unwrap_err(),
            semaphore.clone().try_acquire_many_owned(2).unwrap_err(),
        ]
    };
    assert_eq!(refusals(), [const { TryAcquireError::NoPermits }; 4]);
    // All or nothing: what is there is not taken if it is too little.
    drop(one);
    assert_eq!(semaphore.try_acquire_many(2).unwrap_err(), TryAcquireError::NoPermits);
    assert_eq!(semaphore.available_permits(), 1);
    drop((two, owned, two_owned));
    semaphore.close();
    assert_eq!(refusals(), [const { TryAcquireError::Closed }; 4]);
    assert_eq!(semaphore.available_permits(), 6);
}

#[test]
fn errors_say_what_is_the_matter() {
    let semaphore = Semaphore::new(0);
    assert_eq!(semaphore.try_acquire().unwrap_err().to_string(), "no permits are available");
    semaphore.close();
    assert_eq!(semaphore.try_acquire().unwrap_err().to_string(), "the semaphore is closed");
    let error: AcquireError = block_on(semaphore.acquire()).unwrap_err();
    let error: Box<dyn std::error::Error> = Box::new(error);
    assert_eq!(error.to_string(), "the semaphore is closed");
}

#[test]
fn permits_go_to_those_who_wait_in_the_order_in_which_they_came() {
    let history = History::new();
    paused(async {
        let start = Instant::now();
        let semaphore = Arc::new(Semaphore::new(2));
        let tasks = ["a", "b", "c", "d", "e"].map(|name| {
            let (semaphore, history) = (semaphore.clone(), history.clone());
            spawn(async move {
                let _permit = semaphore.acquire().await.unwrap();
                history.push(format_args!("{name}: {:?}", start.elapsed()));
                sleep(MS).await;
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
        history.push(format_args!("{} available", semaphore.available_permits()));
    });
    history.expect([
        "a: 0ns",
        "b: 0ns",
        "c: 1ms",
        "d: 1ms",
        "e: 2ms",
        "2 available",
    ]);
}

#[test]
fn a_big_request_at_the_head_takes_permits_as_they_come() {
    let wakes = Wakes::default();
    let semaphore = Semaphore::new(1);
    let mut big = pin!(semaphore.acquire_many(4));
    let mut small = pin!(semaphore.acquire());
    let mut last = pin!(semaphore.acquire_many(2));
    assert!(poll_with(&mut big, &wakes.waker(0)).is_pending());
    assert_eq!(semaphore.available_permits(), 0, "it has taken what was there");
    assert!(poll_with(&mut small, &wakes.waker(1)).is_pending());
    assert!(poll_with(&mut last, &wakes.waker(2)).is_pending());
    for _ in 0..2 {
        semaphore.add_permits(1);
        assert_eq!(wakes.take(), [], "it would have been enough for the small one");
        assert_eq!(semaphore.available_permits(), 0);
        assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    }
    semaphore.add_permits(3);
    assert_eq!(wakes.take(), [0, 1]);
    semaphore.add_permits(3);
    assert_eq!(wakes.take(), [2]);
    assert_eq!(semaphore.available_permits(), 2);
    // Whoever looks first: what was given to each is its own.
    let permits_of = |poll| match poll {
        Poll::Ready(Ok(permit)) => SemaphorePermit::num_permits(&permit),
        _ => 0,
    };
    assert_eq!(permits_of(poll_once(&mut last)), 2);
    assert_eq!(permits_of(poll_once(&mut big)), 4);
    assert_eq!(permits_of(poll_once(&mut small)), 1);
    assert_eq!(semaphore.available_permits(), 9);
    assert_eq!(wakes.take(), []);
}

#[test]
fn small_requests_do_not_starve_a_big_one() {
    let history = History::new();
    paused(async {
        let semaphore = Arc::new(Semaphore::new(3));
        let start = Instant::now();
        let worker = |name: &'static str, permits, begin: u32, holds: u32| {
            let (semaphore, history) = (semaphore.clone(), history.clone());
            spawn(async move {
                sleep(MS * begin).await;
                let _permit = semaphore.acquire_many(permits).await.unwrap();
                history.push(format_args!("{name}: {:?}", start.elapsed()));
                sleep(MS * holds).await;
            })
        };
        let workers = [
            worker("small 1", 1, 0, 10),
            worker("small 2", 1, 0, 20),
            worker("big", 3, 1, 5),
            // A permit is free, and after 10 ms a second one: both are the big one's.
            worker("small 3", 1, 2, 1),
            worker("small 4", 1, 11, 1),
        ];
        for worker in workers {
            worker.await.unwrap();
        }
    });
    history.expect([
        "small 1: 0ns",
        "small 2: 0ns",
        "big: 20ms",
        "small 3: 25ms",
        "small 4: 25ms",
    ]);
}

#[test]
fn a_place_in_the_queue_is_taken_by_the_first_poll() {
    let wakes = Wakes::default();
    let semaphore = Semaphore::new(0);
    let mut made_first = pin!(semaphore.acquire());
    let mut polled_first = pin!(semaphore.acquire());
    assert!(poll_with(&mut polled_first, &wakes.waker(0)).is_pending());
    assert!(poll_with(&mut made_first, &wakes.waker(1)).is_pending());
    // Polling again changes the waker, not the place.
    assert!(poll_with(&mut polled_first, &wakes.waker(2)).is_pending());
    semaphore.add_permits(1);
    assert_eq!(wakes.take(), [2]);
    assert!(poll_with(&mut made_first, &wakes.waker(3)).is_pending());
    // The permit is dropped as soon as it has been seen.
    assert!(poll_with(&mut polled_first, &wakes.waker(4)).is_ready());
    assert_eq!(wakes.take(), [3]);
}

#[test]
fn permits_that_a_waiter_leaves_behind_go_to_the_next() {
    let wakes = Wakes::default();
    let semaphore = Semaphore::new(2);
    let mut big = Box::pin(semaphore.acquire_many(5));
    let mut next = Box::pin(semaphore.acquire());
    let mut last = Box::pin(semaphore.acquire_many(2));
    assert!(poll_with(&mut big, &wakes.waker(0)).is_pending());
    assert!(poll_with(&mut next, &wakes.waker(1)).is_pending());
    assert!(poll_with(&mut last, &wakes.waker(2)).is_pending());
    // Of the two permits that it has, the next takes one, and the last keeps the other.
    drop(big);
    assert_eq!(wakes.take(), [1]);
    assert_eq!(semaphore.available_permits(), 0);
    // This one was given a permit, and has not seen it.
    drop(next);
    assert_eq!(wakes.take(), [2]);
    assert_eq!(semaphore.available_permits(), 0);
    drop(last);
    assert_eq!(wakes.take(), []);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn no_permits_at_all_are_always_there() {
    let semaphore = Semaphore::new(0);
    let mut waiting = pin!(semaphore.acquire());
    assert!(poll_once(&mut waiting).is_pending());
    assert_eq!(block_on(semaphore.acquire_many(0)).unwrap().num_permits(), 0);
    assert_eq!(semaphore.try_acquire_many(0).unwrap().num_permits(), 0);
    semaphore.add_permits(0);
    assert!(poll_once(&mut waiting).is_pending());
    semaphore.close();
    assert!(block_on(semaphore.acquire_many(0)).is_err());
    assert_eq!(semaphore.try_acquire_many(0).unwrap_err(), TryAcquireError::Closed);
}

#[test]
fn a_timeout_leaves_the_queue_as_it_was() {
    paused(async {
        let semaphore = Arc::new(Semaphore::new(1));
        let held = semaphore.acquire().await.unwrap();
        assert!(timeout(MS, semaphore.acquire()).await.is_err());
        let other = semaphore.clone();
        let waiting = spawn(async move { other.acquire().await.unwrap().num_permits() });
        assert!(timeout(MS, semaphore.acquire_many(2)).await.is_err());
        drop(held);
        assert_eq!(waiting.await.unwrap(), 1);
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn an_owned_permit_keeps_the_semaphore() {
    let semaphore = Arc::new(Semaphore::new(3));
    let waiting = semaphore.clone().acquire_owned();
    assert_eq!(Arc::strong_count(&semaphore), 2);
    let mut permit = block_on(waiting).unwrap();
    assert_eq!(Arc::strong_count(&semaphore), 2);
    permit.merge(semaphore.clone().try_acquire_owned().unwrap());
    assert_eq!(Arc::strong_count(&semaphore), 2);
    let split = permit.split(1).unwrap();
    assert_eq!(Arc::strong_count(&semaphore), 3);
    split.forget();
    assert_eq!(Arc::strong_count(&semaphore), 2);
    permit.forget();
    assert_eq!(Arc::strong_count(&semaphore), 1);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn a_future_that_was_ready_is_not_polled_again() {
    let semaphore = Semaphore::new(2);
    let mut acquire = pin!(semaphore.acquire());
    assert!(poll_once(&mut acquire).is_ready());
    caught(|| poll_once(&mut acquire).is_ready()).unwrap_err();
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn a_task_that_ends_in_any_way_gives_its_permits_back() {
    paused(async {
        let semaphore = Arc::new(Semaphore::new(3));
        let permit = semaphore.clone().acquire_owned().await.unwrap();
        let panics = spawn(async move {
            let _permit = permit;
            panic_silently("a task")
        });
        let permit = semaphore.clone().acquire_owned().await.unwrap();
        let never_ends = spawn(async move {
            let _permit = permit;
            pending::<()>().await
        });
        let all = semaphore.clone();
        let waits = spawn(async move { all.acquire_many(3).await.unwrap().num_permits() });
        yield_now().await;
        // It has the third one, and the panic's.
        waits.abort();
        assert!(waits.await.unwrap_err().is_cancelled());
        assert!(panics.await.unwrap_err().is_panic());
        assert_eq!(semaphore.available_permits(), 2);
        never_ends.abort();
        assert!(never_ends.await.unwrap_err().is_cancelled());
        assert_eq!(semaphore.available_permits(), 3);
    });
}

#[test]
fn the_waker_of_the_last_poll_is_the_one_that_is_woken() {
    let [(first, first_waker), (second, second_waker)] = [(); 2].map(|()| CountingWaker::new());
    let semaphore = Semaphore::new(0);
    let mut waiting = pin!(semaphore.acquire());
    assert!(poll_with(&mut waiting, &first_waker).is_pending());
    assert!(poll_with(&mut waiting, &first_waker).is_pending());
    assert_eq!(Arc::strong_count(&first), 3);
    assert!(poll_with(&mut waiting, &second_waker).is_pending());
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (2, 3));
    semaphore.add_permits(1);
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
    assert_eq!(Arc::strong_count(&second), 2, "a waker that was called is gone");
}

#[test]
fn no_waker_is_left_behind() {
    let (counter, waker) = CountingWaker::new();
    let semaphore = Semaphore::new(0);
    let mut waiting = [(); 3].map(|()| Some(Box::pin(semaphore.acquire())));
    for waiting in waiting.iter_mut().flatten() {
        assert!(poll_with(waiting, &waker).is_pending());
    }
    assert_eq!(Arc::strong_count(&counter), 5);
    waiting[1] = None;
    assert_eq!(Arc::strong_count(&counter), 4);
    semaphore.add_permits(1);
    assert_eq!((Arc::strong_count(&counter), counter.wakes()), (3, 1));
    semaphore.close();
    assert_eq!((Arc::strong_count(&counter), counter.wakes()), (2, 2));
}

#[test]
fn cost_is_linear_in_the_number_of_waiters() {
    const MANY: usize = 100_000;
    let (counter, waker) = CountingWaker::new();
    let semaphore = Semaphore::new(0);
    let mut waiting: Vec<_> = (0..MANY).map(|_| Box::pin(semaphore.acquire())).collect();
    for waiting in &mut waiting {
        assert!(poll_with(waiting, &waker).is_pending());
    }
    // Every other one leaves, from the middle of the queue.
    let mut nth = 0;
    waiting.retain(|_| {
        nth += 1;
        nth % 2 == 0
    });
    semaphore.add_permits(MANY / 4);
    assert_eq!(counter.wakes(), MANY / 4);
    semaphore.close();
    assert_eq!(counter.wakes(), MANY / 2);
}

// What closing does.

#[test]
fn closing_refuses_all_who_wait_and_all_who_come() {
    let history = History::new();
    paused(async {
        let semaphore = Arc::new(Semaphore::new(2));
        let held = semaphore.acquire().await.unwrap();
        for (name, permits) in [("a", 2), ("b", 1), ("c", 1)] {
            let (semaphore, history) = (semaphore.clone(), history.clone());
            spawn(async move {
                let refused = semaphore.acquire_many(permits).await.is_err();
                history.push(format_args!("{name}: refused {refused}"));
            });
        }
        yield_now().await;
        assert!(!semaphore.is_closed());
        semaphore.close();
        history.push("closed");
        assert!(semaphore.is_closed());
        yield_now().await;
        history.push(format_args!("available: {}", semaphore.available_permits()));
        drop(held);
        history.push(format_args!("available: {}", semaphore.available_permits()));
        let refused = semaphore.acquire().await.is_err();
        history.push(format_args!("late: refused {refused}"));
    });
    history.expect([
        "closed",
        "a: refused true",
        "b: refused true",
        "c: refused true",
        "available: 1",
        "available: 2",
        "late: refused true",
    ]);
}

#[test]
fn permits_of_a_closed_semaphore_are_still_counted() {
    let semaphore = Semaphore::new(1);
    semaphore.close();
    semaphore.close();
    semaphore.add_permits(2);
    assert_eq!(semaphore.available_permits(), 3);
    assert_eq!(semaphore.forget_permits(2), 2);
    assert_eq!(semaphore.available_permits(), 1);
    assert!(semaphore.is_closed());
}

#[test]
fn closing_refuses_also_who_has_not_seen_its_permits() {
    let wakes = Wakes::default();
    let semaphore = Semaphore::new(0);
    let mut looks = Box::pin(semaphore.acquire_many(2));
    let mut leaves = Box::pin(semaphore.acquire_many(3));
    let mut unpolled = Box::pin(semaphore.acquire());
    assert!(poll_with(&mut looks, &wakes.waker(0)).is_pending());
    assert!(poll_with(&mut leaves, &wakes.waker(1)).is_pending());
    semaphore.add_permits(5);
    assert_eq!(wakes.take(), [0, 1]);
    semaphore.close();
    assert_eq!(wakes.take(), [], "they have been woken before");
    assert!(matches!(poll_once(&mut looks), Poll::Ready(Err(_))));
    assert_eq!(semaphore.available_permits(), 2);
    drop(leaves);
    assert_eq!(semaphore.available_permits(), 5);
    assert!(matches!(poll_once(&mut unpolled), Poll::Ready(Err(_))));
    drop((looks, unpolled));
    assert_eq!(semaphore.available_permits(), 5);
}

#[test]
fn closing_wakes_in_the_order_in_which_they_came() {
    let wakes = Wakes::default();
    let semaphore = Semaphore::new(3);
    let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(semaphore.acquire_many(4))).collect();
    for (number, waiting) in waiting.iter_mut().enumerate() {
        assert!(poll_with(waiting, &wakes.waker(number)).is_pending());
    }
    drop(waiting.remove(50));
    semaphore.close();
    let woken: Vec<usize> = (0..100).filter(|&number| number != 50).collect();
    assert_eq!(wakes.take(), woken);
    semaphore.close();
    assert_eq!(wakes.take(), []);
    for waiting in &mut waiting {
        assert!(matches!(poll_once(waiting), Poll::Ready(Err(_))));
    }
    assert_eq!(semaphore.available_permits(), 3);
}

// Permits that are forgotten, split and merged.

#[test]
fn a_permit_that_is_forgotten_does_not_come_back() {
    let semaphore = Arc::new(Semaphore::new(5));
    semaphore.try_acquire_many(2).unwrap().forget();
    assert_eq!(semaphore.available_permits(), 3);
    semaphore.clone().try_acquire_many_owned(2).unwrap().forget();
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn only_permits_that_are_available_can_be_forgotten() {
    let wakes = Wakes::default();
    let semaphore = Semaphore::new(5);
    let held = semaphore.try_acquire_many(2).unwrap();
    assert_eq!(semaphore.forget_permits(0), 0);
    assert_eq!(semaphore.forget_permits(2), 2);
    assert_eq!(semaphore.available_permits(), 1);
    let mut waiting = pin!(semaphore.acquire_many(2));
    assert!(poll_with(&mut waiting, &wakes.waker(0)).is_pending());
    assert_eq!(semaphore.forget_permits(5), 0, "one is the waiter's, and two are held");
    drop(held);
    assert_eq!(wakes.take(), [0]);
    assert_eq!(semaphore.forget_permits(usize::MAX), 1);
    assert!(poll_once(&mut waiting).is_ready());
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn permits_can_be_split_and_merged() {
    let semaphore = Semaphore::new(7);
    let mut all = semaphore.try_acquire_many(7).unwrap();
    assert!(all.split(8).is_none());
    let none = all.split(0).unwrap();
    let mut three = all.split(3).unwrap();
    let rest = all.split(4).unwrap();
    let counts = [&all, &none, &three, &rest].map(SemaphorePermit::num_permits);
    assert_eq!(counts, [0, 0, 3, 4]);
    assert!(std::ptr::eq(rest.semaphore(), &semaphore));
    three.merge(none);
    drop(rest);
    assert_eq!(semaphore.available_permits(), 4);
    three.merge(semaphore.try_acquire_many(2).unwrap());
    assert_eq!((three.num_permits(), semaphore.available_permits()), (5, 2));
    drop((all, three));
    assert_eq!(semaphore.available_permits(), 7);
}

#[test]
fn owned_permits_can_be_split_and_merged() {
    let semaphore = Arc::new(Semaphore::new(7));
    let mut all = semaphore.clone().try_acquire_many_owned(7).unwrap();
    assert!(all.split(8).is_none());
    let none = all.split(0).unwrap();
    let mut three = all.split(3).unwrap();
    let rest = all.split(4).unwrap();
    let counts = [&all, &none, &three, &rest].map(OwnedSemaphorePermit::num_permits);
    assert_eq!(counts, [0, 0, 3, 4]);
    assert!(Arc::ptr_eq(rest.semaphore(), &semaphore));
    three.merge(none);
    drop(rest);
    assert_eq!(semaphore.available_permits(), 4);
    three.merge(semaphore.clone().try_acquire_many_owned(2).unwrap());
    assert_eq!((three.num_permits(), semaphore.available_permits()), (5, 2));
    drop((all, three));
    assert_eq!(semaphore.available_permits(), 7);
}

#[test]
fn permits_of_different_semaphores_are_not_merged() {
    let [one, other] = [2, 3].map(|permits| Arc::new(Semaphore::new(permits)));
    let available = || (one.available_permits(), other.available_permits());
    let mut permit = one.try_acquire().unwrap();
    caught(|| permit.merge(other.try_acquire().unwrap())).unwrap_err();
    assert_eq!(available(), (1, 3), "what was not merged has come back");
    drop(permit);
    let mut permit = one.clone().try_acquire_owned().unwrap();
    caught(|| permit.merge(other.clone().try_acquire_owned().unwrap())).unwrap_err();
    assert_eq!(available(), (1, 3));
    drop(permit);
    assert_eq!(available(), (2, 3));
}

#[test]
fn there_is_a_largest_number_of_permits() {
    const MAX: usize = Semaphore::MAX_PERMITS;
    assert_eq!(MAX, usize::MAX >> 3);
    let semaphore = Semaphore::new(0);
    semaphore.add_permits(MAX);
    assert_eq!(semaphore.available_permits(), MAX);
    caught(|| semaphore.add_permits(1)).unwrap_err();
    assert_eq!(semaphore.available_permits(), MAX, "it is not changed");
    let full = Semaphore::new(MAX);
    let permit = full.try_acquire_many(u32::MAX).unwrap();
    assert_eq!(permit.num_permits(), u32::MAX as usize);
    drop(permit);
    assert_eq!(full.available_permits(), MAX);
    caught(|| Semaphore::new(MAX + 1).available_permits()).unwrap_err();
}

#[test]
fn more_permits_can_be_merged_than_can_be_acquired_at_once() {
    const MANY: usize = u32::MAX as usize;
    let semaphore = Arc::new(Semaphore::new(2 * MANY));
    let mut permits = semaphore.try_acquire_many(u32::MAX).unwrap();
    permits.merge(semaphore.try_acquire_many(u32::MAX).unwrap());
    assert_eq!((permits.num_permits(), semaphore.available_permits()), (2 * MANY, 0));
    let split = permits.split(MANY + 1).unwrap();
    assert_eq!((permits.num_permits(), split.num_permits()), (MANY - 1, MANY + 1));
    drop((permits, split));
    let mut permits = semaphore.clone().try_acquire_many_owned(u32::MAX).unwrap();
    permits.merge(semaphore.clone().try_acquire_many_owned(u32::MAX).unwrap());
    assert_eq!(permits.split(MANY + 1).unwrap().num_permits(), MANY + 1);
    drop(permits);
    assert_eq!(semaphore.available_permits(), 2 * MANY);
}

// Threads that block.

#[test]
fn a_thread_may_block_for_permits() {
    watched(|| {
        let semaphore = Arc::new(Semaphore::new(9));
        let permits = [
            semaphore.blocking_acquire().unwrap().num_permits(),
            semaphore.blocking_acquire_many(2).unwrap().num_permits(),
            semaphore.clone().blocking_acquire_owned().unwrap().num_permits(),
            semaphore.clone().blocking_acquire_many_owned(5).unwrap().num_permits(),
        ];
        assert_eq!(permits, [1, 2, 1, 5]);
        let held = semaphore.try_acquire_many(8).unwrap();
        let threads = [2, 3, 4].map(|permits| {
            let semaphore = semaphore.clone();
            thread::spawn(move || semaphore.blocking_acquire_many(permits).unwrap().num_permits())
        });
        drop(held);
        assert_eq!(threads.map(|thread| thread.join().unwrap()), [2, 3, 4]);
        assert_eq!(semaphore.available_permits(), 9);
    });
}

#[test]
fn a_thread_that_blocks_is_refused_when_the_semaphore_is_closed() {
    watched(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let waiting = semaphore.clone();
        let thread = thread::spawn(move || waiting.blocking_acquire_owned().is_err());
        semaphore.close();
        assert!(thread.join().unwrap());
        assert!(semaphore.blocking_acquire().is_err());
        assert!(semaphore.blocking_acquire_many(2).is_err());
        assert!(semaphore.clone().blocking_acquire_owned().is_err());
        assert!(semaphore.clone().blocking_acquire_many_owned(2).is_err());
    });
}

#[test]
fn a_blocking_closure_may_block_for_permits() {
    watched(|| {
        block_on(async {
            let semaphore = Arc::new(Semaphore::new(1));
            let held = semaphore.acquire().await.unwrap();
            let blocking = semaphore.clone();
            let closure = spawn_blocking(move || blocking.blocking_acquire().is_ok());
            yield_now().await;
            drop(held);
            assert!(closure.await.unwrap());
        });
    });
}

#[test]
fn a_task_may_not_block_for_permits() {
    let semaphore = Arc::new(Semaphore::new(4));
    let messages = block_on(async {
        [
            caught(|| semaphore.blocking_acquire().is_ok()).unwrap_err(),
            caught(|| semaphore.blocking_acquire_many(2).is_ok()).unwrap_err(),
            caught(|| semaphore.clone().blocking_acquire_owned().is_ok()).unwrap_err(),
            caught(|| semaphore.clone().blocking_acquire_many_owned(2).is_ok()).unwrap_err(),
        ]
    });
    for message in messages {
        assert!(message.contains("await"), "{message}");
    }
    assert_eq!(semaphore.available_permits(), 4);
    // When the executor is gone the thread may block again.
    caught(|| block_on(async { panic_silently("a root") })).unwrap_err();
    assert!(semaphore.blocking_acquire_many(4).is_ok());
}

// Cancelled at every await.

type Way = fn(Arc<Semaphore>) -> Pin<Box<dyn Future<Output = Result<usize, AcquireError>>>>;

/// Every future there is, each ready with the number of its permits, which it then gives back.
const WAYS: [Way; 4] = [
    |semaphore| Box::pin(async move { Ok(semaphore.acquire().await?.num_permits()) }),
    |semaphore| Box::pin(async move { Ok(semaphore.acquire_many(2).await?.num_permits()) }),
    |semaphore| Box::pin(async move { Ok(semaphore.acquire_owned().await?.num_permits()) }),
    |semaphore| Box::pin(async move { Ok(semaphore.acquire_many_owned(3).await?.num_permits()) }),
];

/// Gives permits back, one a millisecond.
async fn give_back(mut permits: OwnedSemaphorePermit) {
    while permits.num_permits() > 0 {
        sleep(MS).await;
        drop(permits.split(1));
    }
}

/// Takes permits, when `begin` has passed, and holds them for a millisecond.
async fn borrow(semaphore: Arc<Semaphore>, permits: u32, begin: Duration) {
    sleep(begin).await;
    let _permits = semaphore.acquire_many(permits).await.unwrap();
    sleep(MS).await;
}

#[test]
fn a_request_that_is_cancelled_loses_no_permit() {
    for (way, permits) in WAYS.iter().zip([1, 2, 1, 3]) {
        let polls = cancel_at_every_await(async || {
            let semaphore = Arc::new(Semaphore::new(3));
            spawn(give_back(semaphore.clone().acquire_many_owned(3).await.unwrap()));
            let others = [
                spawn(borrow(semaphore.clone(), 1, Duration::ZERO)),
                spawn(borrow(semaphore.clone(), 2, MS / 2)),
                spawn(borrow(semaphore.clone(), 1, MS / 2)),
            ];
            yield_now().await;
            (way(semaphore.clone()), async move |output: Option<Result<usize, _>>| {
                if let Some(output) = output {
                    assert_eq!(output.unwrap(), permits);
                }
                for other in others {
                    other.await.unwrap();
                }
                let all = semaphore.acquire_many(3).await.unwrap();
                assert_eq!(semaphore.available_permits(), 0, "none was made from nothing");
                drop(all);
                yield_now().await;
                assert_eq!(Arc::strong_count(&semaphore), 1);
            })
        });
        assert_eq!(polls, 2, "woken when it has all, and not before");
    }
}

#[test]
fn a_request_that_is_refused_and_cancelled_loses_no_permit() {
    for way in WAYS {
        let polls = cancel_at_every_await(async || {
            let semaphore = Arc::new(Semaphore::new(3));
            let held = semaphore.clone().acquire_many_owned(3).await.unwrap();
            let other = semaphore.clone();
            let closing = spawn(async move {
                // It is given all that it wants, or a part, and refused before it has seen it.
                other.add_permits(1);
                other.close();
                sleep(MS).await;
                drop(held);
            });
            (way(semaphore.clone()), async move |output: Option<Result<usize, _>>| {
                assert!(output.is_none_or(|output| output.is_err()));
                closing.await.unwrap();
                assert_eq!(semaphore.available_permits(), 4);
                assert_eq!(Arc::strong_count(&semaphore), 1);
            })
        });
        assert_eq!(polls, 2);
    }
}

// Random programs, against a model.

/// Futures and permits are called by their places, modulo how many there are; without any, a step
/// does nothing.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Makes a future that wants so many permits.
    Make(u32),
    /// Makes one and polls it.
    Acquire(u32),
    /// Polls a future, with a waker that has the number of this step.
    Poll(usize),
    /// Drops a future.
    Cancel(usize),
    TryAcquire(u32),
    /// Drops permits.
    Release(usize),
    Forget(usize),
    Split(usize, usize),
    Merge(usize, usize),
    AddPermits(usize),
    ForgetPermits(usize),
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..100_usize;
    prop_oneof![
        4 => (0..5_u32).prop_map(Step::Make),
        24 => (0..7_u32).prop_map(Step::Acquire),
        24 => any().prop_map(Step::Poll),
        12 => any().prop_map(Step::Cancel),
        8 => (0..5_u32).prop_map(Step::TryAcquire),
        16 => any().prop_map(Step::Release),
        2 => any().prop_map(Step::Forget),
        4 => (any(), 0..4_usize).prop_map(|(place, permits)| Step::Split(place, permits)),
        4 => (any(), any()).prop_map(|(into, from)| Step::Merge(into, from)),
        12 => (0..5_usize).prop_map(Step::AddPermits),
        2 => (0..5_usize).prop_map(Step::ForgetPermits),
        1 => Just(Step::Close),
    ]
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn it_does_what_the_model_does(
        permits in 0..6_usize,
        steps in prop::collection::vec(step(), 0..80),
    ) {
        prop_assert_eq!(on_the_semaphore(permits, &steps), on_the_model(permits, &steps));
    }
}

/// All that a semaphore knows, its futures and its permits.
struct Model {
    available: usize,
    closed: bool,
    /// The numbers of the futures that wait, in the order in which they came.
    queue: VecDeque<usize>,
    futures: Vec<ModelFuture>,
    held: Vec<usize>,
    history: History,
}

struct ModelFuture {
    /// The step that made it.
    number: usize,
    wants: usize,
    /// How many permits it has been given so far.
    has: usize,
    /// The step that polled it last.
    waker: Option<usize>,
}

impl Model {
    fn play(&mut self, number: usize, step: Step) {
        let (futures, held) = (self.futures.len(), self.held.len());
        match step {
            Step::Make(wants) => self.make(number, wants),
            Step::Acquire(wants) => {
                self.make(number, wants);
                self.poll(number, futures);
            }
            Step::Poll(n) if futures > 0 => self.poll(number, n % futures),
            Step::Cancel(n) if futures > 0 => {
                let cancelled = self.futures.remove(n % futures);
                self.queue.retain(|&waiting| waiting != cancelled.number);
                self.release(cancelled.has);
            }
            Step::TryAcquire(_) if self.closed => self.history.push("closed"),
            Step::TryAcquire(wants) if wants as usize > self.available => {
                self.history.push("no permits")
            }
            Step::TryAcquire(wants) => {
                self.available -= wants as usize;
                self.held.push(wants as usize);
            }
            Step::Release(n) if held > 0 => {
                let released = self.held.remove(n % held);
                self.release(released);
            }
            Step::Forget(n) if held > 0 => drop(self.held.remove(n % held)),
            Step::Split(n, split) if held > 0 && split <= self.held[n % held] => {
                self.held[n % held] -= split;
                self.held.push(split);
            }
            Step::Merge(into, from) if held > 1 => {
                let merged = self.held.remove(from % held);
                self.held[into % (held - 1)] += merged;
            }
            Step::AddPermits(added) => self.release(added),
            Step::ForgetPermits(most) => {
                let forgotten = most.min(self.available);
                self.available -= forgotten;
                self.history.push(format_args!("forgotten: {forgotten}"));
            }
            Step::Close => {
                self.closed = true;
                while let Some(waiting) = self.queue.pop_front() {
                    self.available += mem::take(&mut self.future(waiting).has);
                    self.wake(waiting);
                }
            }
            _ => {}
        }
        self.history.push(format_args!("available {}, held {:?}", self.available, self.held));
    }

    fn make(&mut self, number: usize, wants: u32) {
        let wants = wants as usize;
        self.futures.push(ModelFuture {
            number,
            wants,
            has: 0,
            waker: None,
        });
    }

    fn poll(&mut self, step: usize, place: usize) {
        let future = &mut self.futures[place];
        let number = future.number;
        let is_first_poll = future.waker.replace(step).is_none();
        if self.closed {
            let refused = self.futures.remove(place);
            self.release(refused.has);
            return self.history.push(format_args!("{number}: refused"));
        }
        if is_first_poll {
            future.has = future.wants.min(self.available);
            self.available -= future.has;
        }
        if future.has == future.wants {
            self.held.push(future.has);
            self.futures.remove(place);
            return self.history.push(format_args!("{number}: ready"));
        }
        if is_first_poll {
            self.queue.push_back(number);
        }
        self.history.push(format_args!("{number}: pending"));
    }

    /// Permits for those who wait, one after the other; the rest is available.
    fn release(&mut self, mut released: usize) {
        while let Some(&first) = self.queue.front() {
            let future = self.future(first);
            let given = released.min(future.wants - future.has);
            future.has += given;
            released -= given;
            if future.has < future.wants {
                return;
            }
            self.queue.pop_front();
            self.wake(first);
        }
        self.available += released;
    }

    fn wake(&mut self, number: usize) {
        let waker = self.future(number).waker.unwrap();
        self.history.push(format_args!("waker {waker}: woken"));
    }

    fn future(&mut self, number: usize) -> &mut ModelFuture {
        self.futures.iter_mut().find(|future| future.number == number).unwrap()
    }
}

fn on_the_model(permits: usize, steps: &[Step]) -> Vec<String> {
    let mut model = Model {
        available: permits,
        closed: false,
        queue: VecDeque::new(),
        futures: Vec::new(),
        held: Vec::new(),
        history: History::new(),
    };
    for (number, &step) in steps.iter().enumerate() {
        model.play(number, step);
    }
    let given: usize = model.futures.iter().map(|future| future.has).sum();
    let held: usize = model.held.iter().sum();
    model.history.push(format_args!("in the end: {}", model.available + given + held));
    model.history.take()
}

type Acquire = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>>>>;

/// The same with a semaphore, and wakers that are numbered by the steps.
struct World {
    semaphore: Arc<Semaphore>,
    futures: Vec<(usize, Acquire)>,
    held: Vec<OwnedSemaphorePermit>,
    wakes: Wakes,
    history: History,
}

impl World {
    fn play(&mut self, number: usize, step: Step) {
        let (futures, held) = (self.futures.len(), self.held.len());
        match step {
            Step::Make(wants) => self.make(number, wants),
            Step::Acquire(wants) => {
                self.make(number, wants);
                self.poll(number, futures);
            }
            Step::Poll(n) if futures > 0 => self.poll(number, n % futures),
            Step::Cancel(n) if futures > 0 => drop(self.futures.remove(n % futures)),
            Step::TryAcquire(wants) => match self.semaphore.clone().try_acquire_many_owned(wants) {
                Ok(permits) => self.held.push(permits),
                Err(TryAcquireError::Closed) => self.history.push("closed"),
                Err(TryAcquireError::NoPermits) => self.history.push("no permits"),
            },
            Step::Release(n) if held > 0 => drop(self.held.remove(n % held)),
            Step::Forget(n) if held > 0 => self.held.remove(n % held).forget(),
            Step::Split(n, split) if held > 0 => {
                let split = self.held[n % held].split(split);
                self.held.extend(split);
            }
            Step::Merge(into, from) if held > 1 => {
                let merged = self.held.remove(from % held);
                self.held[into % (held - 1)].merge(merged);
            }
            Step::AddPermits(added) => self.semaphore.add_permits(added),
            Step::ForgetPermits(most) => {
                let forgotten = self.semaphore.forget_permits(most);
                self.history.push(format_args!("forgotten: {forgotten}"));
            }
            Step::Close => self.semaphore.close(),
            _ => {}
        }
        for waker in self.wakes.take() {
            self.history.push(format_args!("waker {waker}: woken"));
        }
        let held: Vec<_> = self.held.iter().map(OwnedSemaphorePermit::num_permits).collect();
        let available = self.semaphore.available_permits();
        self.history.push(format_args!("available {available}, held {held:?}"));
    }

    fn make(&mut self, number: usize, wants: u32) {
        let acquire = self.semaphore.clone().acquire_many_owned(wants);
        self.futures.push((number, Box::pin(acquire)));
    }

    fn poll(&mut self, step: usize, place: usize) {
        let (number, future) = &mut self.futures[place];
        let number = *number;
        match poll_with(future, &self.wakes.waker(step)) {
            Poll::Pending => return self.history.push(format_args!("{number}: pending")),
            Poll::Ready(Err(_)) => self.history.push(format_args!("{number}: refused")),
            Poll::Ready(Ok(permits)) => {
                self.history.push(format_args!("{number}: ready"));
                self.held.push(permits);
            }
        }
        drop(self.futures.remove(place));
    }
}

fn on_the_semaphore(permits: usize, steps: &[Step]) -> Vec<String> {
    let semaphore = Arc::new(Semaphore::new(permits));
    let wakes = Wakes::default();
    let history = History::new();
    let mut world = World {
        semaphore: semaphore.clone(),
        futures: Vec::new(),
        held: Vec::new(),
        wakes: wakes.clone(),
        history: history.clone(),
    };
    for (number, &step) in steps.iter().enumerate() {
        world.play(number, step);
    }
    drop(world);
    history.push(format_args!("in the end: {}", semaphore.available_permits()));
    assert_eq!(wakes.alive(), 0, "a waker was left somewhere");
    history.take()
}

// The worst that wakers can do.

#[test]
fn a_waker_may_come_back_while_it_is_woken() {
    let wakes = Wakes::default();
    let semaphore = Arc::new(Semaphore::new(0));
    // A panic inside of a waker goes no further, so what became of each call is kept.
    let calls = Rc::new(RefCell::new(Vec::new()));
    let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(semaphore.acquire())).collect();
    for (number, waiting) in waiting.iter_mut().enumerate() {
        let (own, calls) = (semaphore.clone(), calls.clone());
        let hostile = hostile_waker(move |call| {
            if call == Call::Wake {
                let outcome = caught(|| {
                    // One waiter more is woken, inside of this wake.
                    own.add_permits(1);
                    assert_eq!(own.try_acquire_many(50).unwrap_err(), TryAcquireError::NoPermits);
                });
                calls.borrow_mut().push(outcome);
            }
        });
        let waker = if number % 2 == 0 { hostile } else { wakes.waker(number) };
        assert!(poll_with(waiting, &waker).is_pending());
    }
    semaphore.add_permits(50);
    assert_eq!((calls.take(), wakes.take().len()), (vec![Ok(()); 50], 50));
    for waiting in &mut waiting {
        let Poll::Ready(Ok(permit)) = poll_once(waiting) else {
            panic!("all have been woken");
        };
        permit.forget();
    }
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn permits_may_be_taken_inside_of_the_wake_that_tells_of_them() {
    let semaphore = Arc::new(Semaphore::new(0));
    let acquire = Box::pin(semaphore.clone().acquire_many_owned(2));
    let waiting = Rc::new(RefCell::new(Some(acquire)));
    let taken = Rc::new(RefCell::new(None));
    let (woken, takes) = (waiting.clone(), taken.clone());
    let waker = hostile_waker(move |call| {
        if call == Call::Wake {
            let mut acquire = woken.take().expect("woken once");
            takes.replace(Some(poll_once(&mut acquire)));
        }
    });
    assert!(poll_with(waiting.borrow_mut().as_mut().unwrap(), &waker).is_pending());
    semaphore.add_permits(3);
    assert_eq!(semaphore.available_permits(), 1);
    assert!(matches!(taken.take(), Some(Poll::Ready(Ok(_)))));
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn a_waker_may_come_back_while_it_is_cloned_or_dropped() {
    for on in [Call::Clone, Call::Drop] {
        let semaphore = Arc::new(Semaphore::new(1));
        let calls = Rc::new(RefCell::new(Vec::new()));
        let waker = || {
            let (semaphore, calls) = (semaphore.clone(), calls.clone());
            hostile_waker(move |call| {
                if call == on {
                    let outcome = caught(|| {
                        let mut waiting = Box::pin(semaphore.clone().acquire_many_owned(1_000));
                        let _closed = poll_once(&mut waiting);
                        drop(semaphore.try_acquire());
                        drop(waiting);
                    });
                    calls.borrow_mut().push(outcome);
                }
            })
        };
        let mut waiting = Box::pin(semaphore.acquire_many(3));
        // One is kept, replaced, and woken.
        assert!(poll_with(&mut waiting, &waker()).is_pending());
        assert!(poll_with(&mut waiting, &waker()).is_pending());
        semaphore.add_permits(2);
        let Poll::Ready(Ok(permits)) = poll_with(&mut waiting, &waker()) else {
            panic!("all three are there");
        };
        // One leaves with its future, and one is woken by closing.
        for closes in [false, true] {
            let mut waiting = Box::pin(semaphore.acquire());
            assert!(poll_with(&mut waiting, &waker()).is_pending());
            if closes {
                semaphore.close();
            }
        }
        drop(permits);
        assert_eq!(semaphore.available_permits(), 3);
        assert_ne!(calls.borrow().len(), 0);
        assert!(calls.borrow().iter().all(Result::is_ok), "{calls:?}");
    }
}

#[test]
fn a_waker_may_drop_the_other_waiters_and_the_semaphore() {
    let (counter, waker) = CountingWaker::new();
    let semaphore = Arc::new(Semaphore::new(0));
    let waiting: Rc<RefCell<Vec<_>>> = Rc::default();
    let owner = RefCell::new(Some(semaphore.clone()));
    let others = waiting.clone();
    let mut first = Box::pin(semaphore.clone().acquire_owned());
    let drops_all = hostile_waker(move |call| {
        if call == Call::Wake {
            let others = others.take();
            drop(others);
            drop(owner.take());
        }
    });
    assert!(poll_with(&mut first, &drops_all).is_pending());
    for _ in 0..3 {
        let mut other = Box::pin(semaphore.clone().acquire_owned());
        assert!(poll_with(&mut other, &waker).is_pending());
        waiting.borrow_mut().push(other);
    }
    semaphore.add_permits(2);
    // The second one was for a waiter that is gone.
    assert_eq!(semaphore.available_permits(), 1);
    assert_eq!(Arc::strong_count(&semaphore), 2);
    drop(semaphore);
    assert_eq!(block_on(first).unwrap().semaphore().available_permits(), 1);
    assert_eq!(Arc::strong_count(&counter), 2);
}

#[test]
fn a_waker_may_hold_the_permit_that_its_waiter_waits_for() {
    let semaphore = Arc::new(Semaphore::new(1));
    let permit = RefCell::new(Some(semaphore.clone().try_acquire_owned().unwrap()));
    let waker = hostile_waker(move |call| {
        if call == Call::Drop {
            drop(permit.take());
        }
    });
    let mut waiting = Box::pin(semaphore.acquire());
    assert!(poll_with(&mut waiting, &waker).is_pending());
    mem::forget(waker);
    drop(waiting);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn a_waker_that_panics_costs_nobody_a_wake() {
    quietly(|| {
        let wakes = Wakes::default();
        let semaphore = Semaphore::new(0);
        let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(semaphore.acquire())).collect();
        for (number, waiting) in waiting.iter_mut().enumerate() {
            let waker =
                if number % 2 == 0 { acts_on(Call::Wake, || ()) } else { wakes.waker(number) };
            assert!(poll_with(waiting, &waker).is_pending());
        }
        semaphore.add_permits(60);
        let woken: Vec<usize> = (1..60).step_by(2).collect();
        assert_eq!(wakes.take(), woken);
        semaphore.close();
        let woken: Vec<usize> = (61..100).step_by(2).collect();
        assert_eq!(wakes.take(), woken);
        drop(waiting);
        assert_eq!(semaphore.available_permits(), 60);
    });
}

#[test]
fn a_waker_that_panics_costs_no_permit() {
    quietly(|| {
        let semaphore = Semaphore::new(1);
        let mut waiting = Box::pin(semaphore.acquire_many(2));
        let waker = acts_on(Call::Clone, || ());
        caught(|| poll_with(&mut waiting, &waker).is_ready()).unwrap_err();
        drop(waiting);
        assert_eq!(semaphore.available_permits(), 1);
        // Dropped while a panic unwinds: a second one would end the process.
        let held = semaphore.try_acquire().unwrap();
        let mut waiting = Box::pin(semaphore.acquire());
        let waker = acts_on(Call::Drop, || ());
        assert!(poll_with(&mut waiting, &waker).is_pending());
        mem::forget(waker);
        let message = caught(move || {
            let _waiting = waiting;
            panic_silently("on the way out")
        });
        assert_eq!(message, Err::<(), _>("on the way out".to_string()));
        drop(held);
        assert_eq!(semaphore.available_permits(), 1);
    });
}

// Threads.

#[test]
fn a_permit_may_be_dropped_on_another_thread() {
    watched(|| {
        for _ in 0..50 {
            let semaphore = Arc::new(Semaphore::new(1));
            let permit = semaphore.clone().try_acquire_owned().unwrap();
            let thread = thread::spawn(move || drop(permit));
            assert!(block_on(semaphore.acquire()).is_ok());
            thread.join().unwrap();
        }
    });
}

#[test]
fn threads_share_permits_and_lose_none() {
    const THREADS: usize = 4;
    const TASKS: usize = 3;
    const PERMITS: usize = 5;
    /// A task of one of the threads.
    async fn work(semaphore: Arc<Semaphore>, in_use: Arc<AtomicUsize>, task: usize) {
        for round in 0..200 {
            let wants = 1 + (round + task) % PERMITS;
            let mut acquire = Box::pin(semaphore.acquire_many(wants as u32));
            // Some leave the queue, and with it what they were given.
            if round % 3 == 0 {
                let _given = poll_once(&mut acquire);
                yield_now().await;
                continue;
            }
            // Some take what others cannot have meanwhile, and wake nobody.
            if round % 5 == 0 {
                drop(semaphore.try_acquire_many(wants as u32));
                semaphore.add_permits(semaphore.forget_permits(wants));
            }
            let permits = acquire.await.unwrap();
            assert!(in_use.fetch_add(wants, SeqCst) + wants <= PERMITS);
            yield_now().await;
            in_use.fetch_sub(wants, SeqCst);
            drop(permits);
        }
    }
    watched(|| {
        let semaphore = Arc::new(Semaphore::new(PERMITS));
        let in_use = Arc::new(AtomicUsize::new(0));
        let start = Arc::new(Barrier::new(THREADS));
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (semaphore, in_use) = (semaphore.clone(), in_use.clone());
                let start = start.clone();
                thread::spawn(move || {
                    start.wait();
                    block_on(async {
                        let task = |task| work(semaphore.clone(), in_use.clone(), thread + task);
                        let tasks: Vec<_> = (0..TASKS).map(|n| spawn(task(n))).collect();
                        for task in tasks {
                            task.await.unwrap();
                        }
                    });
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(semaphore.available_permits(), PERMITS);
    });
}

#[test]
fn closing_refuses_the_waiters_of_all_threads() {
    const THREADS: usize = 4;
    watched(|| {
        for _ in 0..50 {
            let semaphore = Arc::new(Semaphore::new(1));
            let start = Arc::new(Barrier::new(THREADS + 1));
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (semaphore, start) = (semaphore.clone(), start.clone());
                    thread::spawn(move || {
                        start.wait();
                        while block_on(semaphore.acquire()).is_ok() {}
                        assert!(semaphore.is_closed());
                    })
                })
                .collect();
            start.wait();
            semaphore.close();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(semaphore.available_permits(), 1);
        }
    });
}

// Thread safety.

#[test]
fn everything_is_thread_safe() {
    assert_thread_safety! {
        about::<Semaphore>() => (true, true),
        about::<SemaphorePermit<'_>>() => (true, true),
        about::<OwnedSemaphorePermit>() => (true, true),
        about::<AcquireError>() => (true, true),
        about::<TryAcquireError>() => (true, true),
        about_future(Semaphore::acquire) => (true, true),
        about_value(Semaphore::new(1).acquire_many(1)) => (true, true),
        about_future(Semaphore::acquire_owned) => (true, true),
        about_value(Arc::new(Semaphore::new(1)).acquire_many_owned(1)) => (true, true),
    }
    fn is_unpin<T: Unpin>() {}
    is_unpin::<Semaphore>();
    is_unpin::<SemaphorePermit<'_>>();
    is_unpin::<OwnedSemaphorePermit>();
    is_unpin::<AcquireError>();
    is_unpin::<TryAcquireError>();
}
