//! `RwLock`: who reads together, that a writer is alone and is not starved, what a downgrade
//! lets in.
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
use crate::sync::{
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
    TryLockError,
};
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

/// What is free: `"write"`, only `"read"`, or `"nothing"`.
fn free<T>(lock: &RwLock<T>) -> &'static str {
    match (lock.try_write().is_ok(), lock.try_read().is_ok()) {
        (true, _) => "write",
        (false, true) => "read",
        (false, false) => "nothing",
    }
}

// Who reads and who writes.

#[test]
fn readers_share_the_value_and_a_writer_is_alone() {
    paused(async {
        let lock = Arc::new(RwLock::new(1));
        let first: RwLockReadGuard<'_, i32> = lock.read().await;
        let second: OwnedRwLockReadGuard<i32> = lock.clone().read_owned().await;
        let third = lock.try_read().unwrap();
        let fourth = lock.clone().try_read_owned().unwrap();
        assert_eq!([*first, *second, *third, *fourth], [1; 4]);
        assert!(lock.try_write().is_err() && lock.clone().try_write_owned().is_err());
        drop((first, second, third));
        assert_eq!(free(&lock), "read");
        drop(fourth);
        let mut guard: RwLockWriteGuard<'_, i32> = lock.write().await;
        *guard += 1;
        assert_eq!(free(&lock), "nothing");
        assert!(lock.clone().try_read_owned().is_err() && lock.clone().try_write_owned().is_err());
        drop(guard);
        let mut guard: OwnedRwLockWriteGuard<i32> = lock.clone().write_owned().await;
        *guard += 1;
        assert_eq!((free(&lock), *guard), ("nothing", 3));
        drop(guard);
        *lock.try_write().unwrap() += 1;
        *lock.clone().try_write_owned().unwrap() += 1;
        assert_eq!(*lock.read().await, 5);
        assert_eq!(free(&lock), "write");
    });
}

#[test]
fn errors_say_what_is_the_matter() {
    let lock = RwLock::new(());
    let _guard = lock.try_write().unwrap();
    let error: TryLockError = lock.try_read().unwrap_err();
    assert_eq!(error.to_string(), "it is locked, or others wait for it");
    let error: Box<dyn std::error::Error> = Box::new(lock.try_write().unwrap_err());
    assert_eq!(error.to_string(), "it is locked, or others wait for it");
}

/// A task that begins after some milliseconds to wait for the lock, and holds it for ten.
struct Visitor<'a> {
    lock: &'a Arc<RwLock<String>>,
    history: &'a History,
    start: Instant,
}

impl Visitor<'_> {
    fn reader(&self, name: &'static str, begin: u32) -> handspun::task::JoinHandle<()> {
        let (lock, history, start) = (self.lock.clone(), self.history.clone(), self.start);
        spawn(async move {
            sleep(MS * begin).await;
            let guard = lock.read().await;
            history.push(format_args!("{name}: reads {guard:?} at {:?}", start.elapsed()));
            sleep(MS * 10).await;
        })
    }

    fn writer(&self, name: &'static str, begin: u32) -> handspun::task::JoinHandle<()> {
        let (lock, history, start) = (self.lock.clone(), self.history.clone(), self.start);
        spawn(async move {
            sleep(MS * begin).await;
            let mut guard = lock.write().await;
            guard.push_str(name);
            history.push(format_args!("{name}: writes {guard:?} at {:?}", start.elapsed()));
            sleep(MS * 10).await;
        })
    }
}

#[test]
fn the_lock_goes_to_those_who_wait_in_the_order_in_which_they_came() {
    let history = History::new();
    paused(async {
        let lock = Arc::new(RwLock::new(String::new()));
        let visitor = Visitor {
            lock: &lock,
            history: &history,
            start: Instant::now(),
        };
        let tasks = [
            visitor.reader("a", 0),
            visitor.reader("b", 5),
            visitor.writer("c", 6),
            // It could read with the first two, but then the writer would wait for it too.
            visitor.reader("d", 7),
            visitor.reader("e", 8),
            visitor.writer("f", 9),
            visitor.writer("g", 10),
            visitor.reader("h", 11),
        ];
        for task in tasks {
            task.await.unwrap();
        }
    });
    history.expect([
        "a: reads \"\" at 0ns",
        "b: reads \"\" at 5ms",
        "c: writes \"c\" at 15ms",
        "d: reads \"c\" at 25ms",
        "e: reads \"c\" at 25ms",
        "f: writes \"cf\" at 35ms",
        "g: writes \"cfg\" at 45ms",
        "h: reads \"cfg\" at 55ms",
    ]);
}

#[test]
fn readers_that_come_and_go_do_not_starve_a_writer() {
    let history = History::new();
    paused(async {
        let lock = Arc::new(RwLock::new(String::new()));
        let visitor = Visitor {
            lock: &lock,
            history: &history,
            start: Instant::now(),
        };
        // Whenever one leaves there are others.
        let readers: Vec<_> = (0..10).map(|n| visitor.reader("reader", 6 * n)).collect();
        visitor.writer("writer", 7).await.unwrap();
        history.push("root: the writer is done");
        for reader in readers {
            reader.await.unwrap();
        }
    });
    assert_eq!(history.take().iter().position(|line| line.starts_with("writer")), Some(2));
}

#[test]
fn those_who_wait_are_let_in_together_where_they_can() {
    let wakes = Wakes::default();
    let lock = RwLock::new(());
    let writing = lock.try_write().unwrap();
    let mut reads = [(); 4].map(|()| Box::pin(lock.read()));
    let mut writes = [(); 2].map(|()| Box::pin(lock.write()));
    let [first, second, third, fourth] = &mut reads;
    let [writes_first, writes_second] = &mut writes;
    assert!(poll_with(first, &wakes.waker(0)).is_pending());
    assert!(poll_with(second, &wakes.waker(1)).is_pending());
    assert!(poll_with(writes_first, &wakes.waker(2)).is_pending());
    assert!(poll_with(third, &wakes.waker(3)).is_pending());
    assert!(poll_with(writes_second, &wakes.waker(4)).is_pending());
    assert!(poll_with(fourth, &wakes.waker(5)).is_pending());
    drop(writing);
    assert_eq!(wakes.take(), [0, 1]);
    assert_eq!(free(&lock), "nothing", "a writer waits");
    let Poll::Ready(guard) = poll_once(second) else {
        panic!("it has been woken");
    };
    drop(guard);
    assert_eq!(wakes.take(), [], "the first has not looked yet, but it reads");
    assert!(poll_once(first).is_ready());
    assert_eq!(wakes.take(), [2]);
    assert!(poll_once(writes_first).is_ready());
    assert_eq!(wakes.take(), [3]);
    assert!(poll_once(third).is_ready());
    assert_eq!(wakes.take(), [4]);
    assert!(poll_once(writes_second).is_ready());
    assert_eq!(wakes.take(), [5]);
    assert_eq!(free(&lock), "read");
    assert!(poll_once(fourth).is_ready());
    assert_eq!(free(&lock), "write");
}

#[test]
fn a_writer_that_leaves_the_queue_lets_the_readers_in() {
    let wakes = Wakes::default();
    let lock = RwLock::new(());
    let reading = lock.try_read().unwrap();
    let mut write = Box::pin(lock.write());
    let mut reads = [(); 2].map(|()| Box::pin(lock.read()));
    assert!(poll_with(&mut write, &wakes.waker(0)).is_pending());
    for (number, read) in reads.iter_mut().enumerate() {
        assert!(poll_with(read, &wakes.waker(number + 1)).is_pending());
    }
    assert_eq!(free(&lock), "nothing");
    drop(write);
    assert_eq!(wakes.take(), [1, 2]);
    assert_eq!(free(&lock), "read");
    // One that was let in and leaves without having seen it.
    let mut write = Box::pin(lock.write());
    assert!(poll_with(&mut write, &wakes.waker(3)).is_pending());
    drop(reads);
    assert_eq!(wakes.take(), []);
    drop(reading);
    assert_eq!(wakes.take(), [3]);
    assert_eq!(free(&lock), "nothing");
    drop(write);
    assert_eq!(free(&lock), "write");
}

#[test]
fn a_place_in_the_queue_is_taken_by_the_first_poll() {
    let wakes = Wakes::default();
    let lock = RwLock::new(());
    let reading = lock.try_read().unwrap();
    let mut made_first = pin!(lock.read());
    let mut polled_first = pin!(lock.write());
    assert!(poll_with(&mut polled_first, &wakes.waker(0)).is_pending());
    assert!(poll_with(&mut made_first, &wakes.waker(1)).is_pending());
    // Polling again changes the waker, not the place.
    assert!(poll_with(&mut polled_first, &wakes.waker(2)).is_pending());
    drop(reading);
    assert_eq!(wakes.take(), [2]);
    assert!(poll_with(&mut made_first, &wakes.waker(3)).is_pending());
    // The guard is dropped as soon as it has been seen.
    assert!(poll_with(&mut polled_first, &wakes.waker(4)).is_ready());
    assert_eq!(wakes.take(), [3]);
}

#[test]
fn a_timeout_leaves_the_queue_as_it_was() {
    paused(async {
        let lock = Arc::new(RwLock::new(0));
        let reading = lock.read().await;
        assert!(timeout(MS, lock.write()).await.is_err());
        assert!(timeout(MS, lock.read()).await.is_ok());
        let writes = spawn(lock.clone().write_owned());
        yield_now().await;
        assert!(timeout(MS, lock.read()).await.is_err());
        drop(reading);
        *writes.await.unwrap() += 1;
        assert_eq!(*timeout(MS, lock.read()).await.unwrap(), 1);
    });
}

#[test]
fn a_future_that_was_ready_is_not_polled_again() {
    let lock = RwLock::new(());
    let mut read = pin!(lock.read());
    assert!(poll_once(&mut read).is_ready());
    caught(|| poll_once(&mut read).is_ready()).unwrap_err();
    let mut write = pin!(lock.write());
    assert!(poll_once(&mut write).is_ready());
    caught(|| poll_once(&mut write).is_ready()).unwrap_err();
    assert_eq!(free(&lock), "write");
}

async fn panics_with<G>(_guard: G) {
    panic_silently("a task")
}

#[test]
fn a_task_that_ends_in_any_way_unlocks() {
    paused(async {
        let lock = Arc::new(RwLock::new(0));
        let panics = spawn({
            let lock = lock.clone();
            async move {
                *lock.write().await += 1;
                let _guard = lock.write().await;
                panic_silently("a task")
            }
        });
        assert!(panics.await.unwrap_err().is_panic());
        let aborted = spawn({
            let lock = lock.clone();
            async move {
                let _guard = lock.read().await;
                pending::<()>().await
            }
        });
        let waits = spawn(lock.clone().write_owned());
        yield_now().await;
        assert_eq!(free(&lock), "nothing");
        waits.abort();
        assert!(waits.await.is_err_and(|error| error.is_cancelled()));
        assert_eq!(free(&lock), "read");
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        assert_eq!(lock.try_write().map(|value| *value).unwrap(), 1);
        let reading = lock.clone().try_read_owned().unwrap();
        assert!(spawn(panics_with(reading)).await.unwrap_err().is_panic());
        let writing = lock.clone().try_write_owned().unwrap();
        assert!(spawn(panics_with(writing)).await.unwrap_err().is_panic());
        assert_eq!(free(&lock), "write");
    });
}

#[test]
fn the_waker_of_the_last_poll_is_the_one_that_is_woken() {
    let [(first, first_waker), (second, second_waker)] = [(); 2].map(|()| CountingWaker::new());
    let lock = RwLock::new(());
    let writing = lock.try_write().unwrap();
    let mut read = pin!(lock.read());
    assert!(poll_with(&mut read, &first_waker).is_pending());
    assert!(poll_with(&mut read, &second_waker).is_pending());
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (2, 3));
    drop(writing);
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
    assert_eq!(Arc::strong_count(&second), 2, "a waker that was called is gone");
}

#[test]
fn cost_is_linear_in_the_number_of_waiters() {
    const MANY: usize = 100_000;
    let (counter, waker) = CountingWaker::new();
    let lock = RwLock::new(());
    let writing = lock.try_write().unwrap();
    let mut waiting: Vec<_> = (0..MANY).map(|_| Box::pin(lock.read())).collect();
    for read in &mut waiting {
        assert!(poll_with(read, &waker).is_pending());
    }
    // Every other one leaves, from the middle of the queue.
    let mut nth = 0;
    waiting.retain(|_| {
        nth += 1;
        nth % 2 == 0
    });
    drop(writing);
    assert_eq!(counter.wakes(), MANY / 2);
    for read in &mut waiting {
        assert!(poll_with(read, &waker).is_ready());
    }
    assert_eq!(free(&lock), "write");
}

// Downgrading.

#[test]
fn a_downgrade_lets_the_readers_in_and_no_writer() {
    let wakes = Wakes::default();
    let lock = Arc::new(RwLock::new(0));
    let mut writing = lock.try_write().unwrap();
    let mut reads = [(); 3].map(|()| Box::pin(lock.read()));
    let mut write = Box::pin(lock.write());
    assert!(poll_with(&mut reads[0], &wakes.waker(0)).is_pending());
    assert!(poll_with(&mut reads[1], &wakes.waker(1)).is_pending());
    assert!(poll_with(&mut write, &wakes.waker(2)).is_pending());
    assert!(poll_with(&mut reads[2], &wakes.waker(3)).is_pending());
    *writing = 1;
    let reading: RwLockReadGuard<'_, i32> = writing.downgrade();
    assert_eq!(wakes.take(), [0, 1]);
    let Poll::Ready(guard) = poll_once(&mut reads[0]) else {
        panic!("it has been woken");
    };
    assert_eq!((*reading, *guard), (1, 1));
    assert_eq!(free(&lock), "nothing", "a writer waits");
    assert!(poll_once(&mut reads[1]).is_ready());
    drop(reading);
    assert_eq!(wakes.take(), []);
    drop(guard);
    assert_eq!(wakes.take(), [2]);
    drop(write);
    assert_eq!(wakes.take(), [3]);
}

#[test]
fn an_owned_guard_can_be_downgraded_too() {
    let wakes = Wakes::default();
    let lock = Arc::new(RwLock::new(0));
    let mut writing = lock.clone().try_write_owned().unwrap();
    let mut read = pin!(lock.read());
    assert!(poll_with(&mut read, &wakes.waker(0)).is_pending());
    *writing = 1;
    let reading: OwnedRwLockReadGuard<i32> = writing.downgrade();
    assert_eq!(wakes.take(), [0]);
    assert_eq!(Arc::strong_count(&lock), 2);
    assert_eq!((*reading, free(&lock)), (1, "read"));
    assert!(poll_once(&mut read).is_ready());
    drop(reading);
    assert_eq!((Arc::strong_count(&lock), free(&lock)), (1, "write"));
}

#[test]
fn nobody_writes_during_a_downgrade() {
    let lock = RwLock::new(());
    let reading = lock.try_write().unwrap().downgrade();
    assert_eq!(free(&lock), "read");
    drop(reading);
    assert_eq!(free(&lock), "write");
    // With a writer at the head of the queue nobody is let in.
    let wakes = Wakes::default();
    let writing = lock.try_write().unwrap();
    let (mut write, mut read) = (Box::pin(lock.write()), Box::pin(lock.read()));
    assert!(poll_with(&mut write, &wakes.waker(0)).is_pending());
    assert!(poll_with(&mut read, &wakes.waker(1)).is_pending());
    let reading = writing.downgrade();
    assert_eq!((wakes.take(), free(&lock)), (vec![], "nothing"));
    drop(reading);
    assert_eq!(wakes.take(), [0]);
}

// So many readers and no more.

#[test]
fn readers_may_be_limited() {
    let wakes = Wakes::default();
    let lock = Arc::new(RwLock::with_max_readers((), 2));
    let first = lock.try_read().unwrap();
    let second = lock.clone().try_read_owned().unwrap();
    assert!(lock.try_read().is_err() && lock.clone().try_read_owned().is_err());
    let mut third = pin!(lock.read());
    let mut write = pin!(lock.write());
    assert!(poll_with(&mut third, &wakes.waker(0)).is_pending());
    assert!(poll_with(&mut write, &wakes.waker(1)).is_pending());
    drop(first);
    assert_eq!(wakes.take(), [0]);
    let Poll::Ready(third) = poll_once(&mut third) else {
        panic!("it has been woken");
    };
    drop((second, third));
    assert_eq!(wakes.take(), [1]);
    let Poll::Ready(writing) = poll_once(&mut write) else {
        panic!("it has been woken");
    };
    assert_eq!(free(&lock), "nothing");
    // After a downgrade there is room for one more.
    let mut reads = [(); 2].map(|()| Box::pin(lock.read()));
    for (number, read) in reads.iter_mut().enumerate() {
        assert!(poll_with(read, &wakes.waker(number)).is_pending());
    }
    let reading = writing.downgrade();
    assert_eq!(wakes.take(), [0]);
    drop(reading);
    assert_eq!(wakes.take(), [1]);
}

#[test]
fn a_single_reader_is_as_alone_as_a_writer() {
    let lock = RwLock::with_max_readers(0, 1);
    let reading = lock.try_read().unwrap();
    assert_eq!(free(&lock), "nothing");
    drop(reading);
    let reading = lock.try_write().unwrap().downgrade();
    assert_eq!(free(&lock), "nothing");
    drop(reading);
    assert_eq!(free(&lock), "write");
}

#[test]
fn the_limit_has_limits() {
    const MAX: u32 = u32::MAX >> 3;
    caught(|| RwLock::with_max_readers((), 0).into_inner()).unwrap_err();
    caught(|| RwLock::with_max_readers((), MAX + 1).into_inner()).unwrap_err();
    assert_eq!(free(&RwLock::with_max_readers((), MAX)), "write");
}

// The value.

#[test]
fn a_value_goes_in_and_comes_out() {
    let mut lock: RwLock<String> = RwLock::from("a".to_string());
    lock.get_mut().push('b');
    block_on(lock.write()).push('c');
    assert_eq!(block_on(lock.read()).len(), 3);
    assert_eq!(lock.into_inner(), "abc");
    assert_eq!(RwLock::<u8>::default().into_inner(), 0);
}

#[test]
fn a_value_stays_where_it_is() {
    let lock = RwLock::new([0_u8; 100]);
    let writing = lock.try_write().unwrap();
    let address = writing.as_ptr();
    let reading = writing.downgrade();
    assert_eq!(reading.as_ptr(), address);
    assert_eq!(lock.try_read().unwrap().as_ptr(), address);
    drop(reading);
    assert_eq!(lock.try_write().unwrap().as_ptr(), address);
}

#[test]
fn a_value_is_dropped_with_its_lock() {
    let history = History::new();
    let new = |name: &str| Arc::new(RwLock::new(history.on_drop(name)));
    let lock = new("written");
    let guard = lock.clone().try_write_owned().unwrap();
    drop(lock);
    history.push("lock");
    drop(guard);
    history.push("guard");
    let lock = new("read");
    let guards = [(); 2].map(|()| lock.clone().try_read_owned().unwrap());
    drop(lock);
    for guard in guards {
        drop(guard);
        history.push("guard");
    }
    let _kept = RwLock::new(history.on_drop("kept")).into_inner();
    history.expect(["lock", "written", "guard", "guard", "read", "guard"]);
}

#[test]
fn owned_guards_know_their_lock() {
    let lock = Arc::new(RwLock::new(()));
    let [reads, reads_too] = [(); 2].map(|()| lock.clone().read_owned());
    let writes = lock.clone().write_owned();
    assert_eq!(Arc::strong_count(&lock), 4);
    let reading = block_on(reads);
    assert!(Arc::ptr_eq(OwnedRwLockReadGuard::rwlock(&reading), &lock));
    drop((reading, reads_too));
    let writing = block_on(writes);
    assert!(Arc::ptr_eq(OwnedRwLockWriteGuard::rwlock(&writing), &lock));
    assert_eq!(Arc::strong_count(&lock), 2);
    drop(writing);
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn a_lock_shows_its_value_unless_it_is_written() {
    let lock = Arc::new(RwLock::new("a"));
    assert_eq!(format!("{lock:?}"), "RwLock { data: \"a\" }");
    let guard = lock.try_read().unwrap();
    assert_eq!(format!("{lock:?}"), "RwLock { data: \"a\" }");
    assert_eq!(format!("{guard:?} {guard}"), "\"a\" a");
    drop(guard);
    let guard = lock.clone().try_read_owned().unwrap();
    assert_eq!(format!("{guard:?} {guard}"), "\"a\" a");
    drop(guard);
    let guard = lock.try_write().unwrap();
    assert_eq!(format!("{lock:?}"), "RwLock { data: <locked> }");
    assert_eq!(format!("{guard:?} {guard}"), "\"a\" a");
    drop(guard);
    let guard = lock.clone().try_write_owned().unwrap();
    assert_eq!(format!("{guard:?} {guard}"), "\"a\" a");
}

#[test]
fn a_guard_that_is_forgotten_reads_or_writes_for_ever() {
    let lock = RwLock::new(());
    mem::forget(lock.try_read().unwrap());
    assert_eq!(free(&lock), "read");
    let lock = RwLock::new(());
    mem::forget(lock.try_write().unwrap());
    assert_eq!(free(&lock), "nothing");
}

#[test]
fn a_value_that_is_locked_for_ever_does_not_come_out() {
    let forget_read = |lock: &RwLock<u8>| mem::forget(lock.try_read().unwrap());
    let forget_write = |lock: &RwLock<u8>| mem::forget(lock.try_write().unwrap());
    for forget in [forget_read, forget_write] {
        let mut lock = RwLock::new(1);
        forget(&lock);
        caught(|| *lock.get_mut()).unwrap_err();
        caught(|| lock.into_inner()).unwrap_err();
    }
}

// Threads that block.

#[test]
fn a_thread_may_block_for_the_lock() {
    watched(|| {
        let lock = Arc::new(RwLock::new(0));
        *lock.blocking_write() += 1;
        assert_eq!(*lock.blocking_read(), 1);
        let mut writing = lock.try_write().unwrap();
        let readers = [(); 2].map(|()| {
            let lock = lock.clone();
            thread::spawn(move || *lock.blocking_read())
        });
        *writing = 2;
        drop(writing);
        assert_eq!(readers.map(|reader| reader.join().unwrap()), [2, 2]);
        let reading = lock.try_read().unwrap();
        let written = lock.clone();
        let writer = thread::spawn(move || *written.blocking_write() = 3);
        assert_eq!(*reading, 2);
        drop(reading);
        writer.join().unwrap();
        assert_eq!(*lock.try_read().unwrap(), 3);
    });
}

#[test]
fn a_blocking_closure_may_block_for_the_lock() {
    watched(|| {
        block_on(async {
            let lock = Arc::new(RwLock::new(0));
            let mut writing = lock.write().await;
            let blocking = lock.clone();
            let closure = spawn_blocking(move || *blocking.blocking_read());
            yield_now().await;
            *writing = 1;
            drop(writing);
            assert_eq!(closure.await.unwrap(), 1);
        });
    });
}

#[test]
fn a_task_may_not_block_for_the_lock() {
    let lock = RwLock::new(());
    let messages = block_on(async {
        [
            caught(|| drop(lock.blocking_read())).unwrap_err(),
            caught(|| drop(lock.blocking_write())).unwrap_err(),
        ]
    });
    for message in messages {
        assert!(message.contains("await"), "{message}");
    }
    assert_eq!(free(&lock), "write");
}

// Cancelled at every await.

type Way = fn(Arc<RwLock<u32>>) -> Pin<Box<dyn Future<Output = ()>>>;

/// Every future there is; those that write count it in the value.
const READS: [Way; 2] = [
    |lock| Box::pin(async move { drop(lock.read().await) }),
    |lock| Box::pin(async move { drop(lock.read_owned().await) }),
];
const WRITES: [Way; 3] = [
    |lock| Box::pin(async move { *lock.write().await += 1 }),
    |lock| Box::pin(async move { *lock.write_owned().await += 1 }),
    |lock| {
        Box::pin(async move {
            let mut guard = lock.write().await;
            *guard += 1;
            let _reading = guard.downgrade();
            yield_now().await;
        })
    },
];

#[test]
fn a_lock_that_is_cancelled_is_free_for_the_next() {
    let worlds = [(2, 2), (100, 2), (2, 2), (100, 2), (3, 3)];
    for (way, (max_readers, polls)) in READS.iter().chain(&WRITES).zip(worlds) {
        let polled = cancel_at_every_await(async || {
            let lock = Arc::new(RwLock::with_max_readers(0, max_readers));
            let reader = |begin| {
                let lock = lock.clone();
                spawn(async move {
                    sleep(begin).await;
                    let _guard = lock.read().await;
                    sleep(MS).await;
                })
            };
            let writer = |begin| {
                let lock = lock.clone();
                spawn(async move {
                    sleep(begin).await;
                    let mut guard = lock.write().await;
                    sleep(MS).await;
                    *guard += 10;
                })
            };
            let others = [
                reader(Duration::ZERO),
                reader(Duration::ZERO),
                writer(Duration::ZERO),
                // Behind the one that is cancelled.
                reader(MS / 2),
                writer(MS / 2),
                reader(MS / 2),
            ];
            yield_now().await;
            (way(lock.clone()), async move |_output: Option<()>| {
                for other in others {
                    other.await.unwrap();
                }
                assert!((20..=21).contains(&*lock.write().await));
                assert_eq!(free(&lock), "write");
                assert_eq!(Arc::strong_count(&lock), 1);
            })
        });
        assert_eq!(polled, polls, "woken when it has the lock, and not before");
    }
}

// Random programs, against a model.

/// Futures and guards are called by their places, modulo how many there are; without any, a step
/// does nothing.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Makes a future.
    Make(Mode),
    /// Makes one and polls it.
    Lock(Mode),
    /// Polls a future, with a waker that has the number of this step.
    Poll(usize),
    /// Drops a future.
    Cancel(usize),
    TryLock(Mode),
    /// Drops a guard.
    Unlock(usize),
    /// Downgrades a guard, if it writes.
    Downgrade(usize),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Mode {
    Read,
    Write,
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..100_usize;
    let mode = || prop_oneof![3 => Just(Mode::Read), 2 => Just(Mode::Write)];
    prop_oneof![
        1 => mode().prop_map(Step::Make),
        6 => mode().prop_map(Step::Lock),
        6 => any().prop_map(Step::Poll),
        3 => any().prop_map(Step::Cancel),
        2 => mode().prop_map(Step::TryLock),
        5 => any().prop_map(Step::Unlock),
        2 => any().prop_map(Step::Downgrade),
    ]
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn it_does_what_the_model_does(
        max_readers in prop_oneof![1..5_u32, Just(1_000)],
        steps in prop::collection::vec(step(), 0..80),
    ) {
        prop_assert_eq!(on_the_lock(max_readers, &steps), on_the_model(max_readers, &steps));
    }
}

/// All that a lock knows, its futures and its guards.
struct Model {
    max_readers: u32,
    /// How many guards read, or will when their futures look.
    readers: u32,
    /// Whether a guard writes, or will when its future looks.
    writing: bool,
    /// The numbers of the futures that wait, in the order in which they came.
    queue: VecDeque<usize>,
    futures: Vec<ModelFuture>,
    guards: Vec<Mode>,
    /// The steps that began to write.
    value: Vec<usize>,
    history: History,
}

struct ModelFuture {
    /// The step that made it.
    number: usize,
    mode: Mode,
    /// Whether the lock was given to it while it waited.
    given: bool,
    /// The step that polled it last.
    waker: Option<usize>,
}

impl Model {
    fn play(&mut self, number: usize, step: Step) {
        let (futures, guards) = (self.futures.len(), self.guards.len());
        match step {
            Step::Make(mode) => self.make(number, mode),
            Step::Lock(mode) => {
                self.make(number, mode);
                self.poll(number, futures);
            }
            Step::Poll(n) if futures > 0 => self.poll(number, n % futures),
            Step::Cancel(n) if futures > 0 => {
                let cancelled = self.futures.remove(n % futures);
                self.queue.retain(|&waiting| waiting != cancelled.number);
                if cancelled.given {
                    self.leave(cancelled.mode);
                }
                self.let_in();
            }
            Step::TryLock(mode) if self.is_free(mode) => {
                self.enter(mode);
                self.hold(number, mode);
            }
            Step::Unlock(n) if guards > 0 => {
                let mode = self.guards.remove(n % guards);
                self.leave(mode);
                self.let_in();
            }
            Step::Downgrade(n) if guards > 0 && self.guards[n % guards] == Mode::Write => {
                self.guards[n % guards] = Mode::Read;
                self.leave(Mode::Write);
                self.enter(Mode::Read);
                self.let_in();
            }
            _ => {}
        }
        let free = match (self.is_free(Mode::Write), self.is_free(Mode::Read)) {
            (true, _) => "write",
            (false, true) => "read",
            (false, false) => "nothing",
        };
        self.history.push(format_args!("{:?}, free: {free}", self.guards));
    }

    fn make(&mut self, number: usize, mode: Mode) {
        self.futures.push(ModelFuture {
            number,
            mode,
            given: false,
            waker: None,
        });
    }

    fn poll(&mut self, step: usize, place: usize) {
        let ModelFuture {
            number,
            mode,
            given,
            ..
        } = self.futures[place];
        let is_first_poll = self.futures[place].waker.replace(step).is_none();
        if given || self.is_free(mode) {
            self.futures.remove(place);
            if !given {
                self.enter(mode);
            }
            self.hold(step, mode);
            return self.history.push(format_args!("{number}: {mode:?} {:?}", self.value));
        }
        if is_first_poll {
            self.queue.push_back(number);
        }
        self.history.push(format_args!("{number}: pending"));
    }

    /// For somebody who has not waited.
    fn is_free(&self, mode: Mode) -> bool {
        self.queue.is_empty() && self.has_room(mode)
    }

    fn has_room(&self, mode: Mode) -> bool {
        match mode {
            Mode::Read => !self.writing && self.readers < self.max_readers,
            Mode::Write => !self.writing && self.readers == 0,
        }
    }

    fn enter(&mut self, mode: Mode) {
        match mode {
            Mode::Read => self.readers += 1,
            Mode::Write => self.writing = true,
        }
    }

    fn leave(&mut self, mode: Mode) {
        match mode {
            Mode::Read => self.readers -= 1,
            Mode::Write => self.writing = false,
        }
    }

    fn hold(&mut self, step: usize, mode: Mode) {
        self.guards.push(mode);
        if mode == Mode::Write {
            self.value.push(step);
        }
    }

    /// Those who wait, one after the other, as long as there is room for the next.
    fn let_in(&mut self) {
        while let Some(&next) = self.queue.front() {
            let place = self.futures.iter().position(|future| future.number == next).unwrap();
            let mode = self.futures[place].mode;
            if !self.has_room(mode) {
                return;
            }
            self.queue.pop_front();
            self.enter(mode);
            self.futures[place].given = true;
            let waker = self.futures[place].waker.unwrap();
            self.history.push(format_args!("waker {waker}: woken"));
        }
    }
}

fn on_the_model(max_readers: u32, steps: &[Step]) -> Vec<String> {
    let mut model = Model {
        max_readers,
        readers: 0,
        writing: false,
        queue: VecDeque::new(),
        futures: Vec::new(),
        guards: Vec::new(),
        value: Vec::new(),
        history: History::new(),
    };
    for (number, &step) in steps.iter().enumerate() {
        model.play(number, step);
    }
    model.history.push(format_args!("in the end: {:?}", model.value));
    model.history.take()
}

/// The same with a lock, and wakers that are numbered by the steps.
struct World {
    lock: Arc<RwLock<Vec<usize>>>,
    futures: Vec<(usize, Lock)>,
    guards: Vec<Guard>,
    wakes: Wakes,
    history: History,
}

type Lock = Pin<Box<dyn Future<Output = Guard>>>;

enum Guard {
    Read(OwnedRwLockReadGuard<Vec<usize>>),
    Write(OwnedRwLockWriteGuard<Vec<usize>>),
}

impl Guard {
    fn mode(&self) -> Mode {
        match self {
            Guard::Read(_) => Mode::Read,
            Guard::Write(_) => Mode::Write,
        }
    }

    fn value(&self) -> &Vec<usize> {
        match self {
            Guard::Read(guard) => guard,
            Guard::Write(guard) => guard,
        }
    }

    fn downgrade(self) -> Guard {
        match self {
            Guard::Read(guard) => Guard::Read(guard),
            Guard::Write(guard) => Guard::Read(guard.downgrade()),
        }
    }
}

impl World {
    fn play(&mut self, number: usize, step: Step) {
        let (futures, guards) = (self.futures.len(), self.guards.len());
        match step {
            Step::Make(mode) => self.make(number, mode),
            Step::Lock(mode) => {
                self.make(number, mode);
                self.poll(number, futures);
            }
            Step::Poll(n) if futures > 0 => self.poll(number, n % futures),
            Step::Cancel(n) if futures > 0 => drop(self.futures.remove(n % futures)),
            Step::TryLock(mode) => {
                let lock = self.lock.clone();
                let guard = match mode {
                    Mode::Read => lock.try_read_owned().map(Guard::Read),
                    Mode::Write => lock.try_write_owned().map(Guard::Write),
                };
                if let Ok(guard) = guard {
                    self.hold(number, guard);
                }
            }
            Step::Unlock(n) if guards > 0 => drop(self.guards.remove(n % guards)),
            Step::Downgrade(n) if guards > 0 => {
                let guard = self.guards.remove(n % guards);
                self.guards.insert(n % guards, guard.downgrade());
            }
            _ => {}
        }
        for waker in self.wakes.take() {
            self.history.push(format_args!("waker {waker}: woken"));
        }
        let modes: Vec<Mode> = self.guards.iter().map(Guard::mode).collect();
        self.history.push(format_args!("{modes:?}, free: {}", free(&self.lock)));
    }

    fn make(&mut self, number: usize, mode: Mode) {
        let lock = self.lock.clone();
        let future: Lock = match mode {
            Mode::Read => Box::pin(async { Guard::Read(lock.read_owned().await) }),
            Mode::Write => Box::pin(async { Guard::Write(lock.write_owned().await) }),
        };
        self.futures.push((number, future));
    }

    fn poll(&mut self, step: usize, place: usize) {
        let (number, future) = &mut self.futures[place];
        let number = *number;
        match poll_with(future, &self.wakes.waker(step)) {
            Poll::Pending => self.history.push(format_args!("{number}: pending")),
            Poll::Ready(guard) => {
                drop(self.futures.remove(place));
                let mode = guard.mode();
                let value = self.hold(step, guard);
                self.history.push(format_args!("{number}: {mode:?} {value:?}"));
            }
        }
    }

    /// Returns what the guard sees.
    fn hold(&mut self, step: usize, mut guard: Guard) -> Vec<usize> {
        if let Guard::Write(guard) = &mut guard {
            guard.push(step);
        }
        let value = guard.value().clone();
        self.guards.push(guard);
        value
    }
}

fn on_the_lock(max_readers: u32, steps: &[Step]) -> Vec<String> {
    let lock = Arc::new(RwLock::with_max_readers(Vec::new(), max_readers));
    let wakes = Wakes::default();
    let history = History::new();
    let mut world = World {
        lock: lock.clone(),
        futures: Vec::new(),
        guards: Vec::new(),
        wakes: wakes.clone(),
        history: history.clone(),
    };
    for (number, &step) in steps.iter().enumerate() {
        world.play(number, step);
    }
    drop(world);
    history.push(format_args!("in the end: {:?}", lock.try_write().unwrap()));
    assert_eq!(wakes.alive(), 0, "a waker was left somewhere");
    history.take()
}

// The worst that wakers and values can do.

#[test]
fn a_waker_may_come_back_while_it_is_called() {
    for on in [Call::Clone, Call::Wake, Call::Drop] {
        let wakes = Wakes::default();
        let lock = Arc::new(RwLock::new(0));
        // A panic inside of a waker goes no further, so what became of each call is kept.
        let calls = Rc::new(RefCell::new(Vec::new()));
        let waker = || {
            let (lock, calls) = (lock.clone(), calls.clone());
            hostile_waker(move |call| {
                if call == on {
                    let outcome = caught(|| {
                        assert_ne!(free(&lock), "write");
                        let mut write = Box::pin(lock.clone().write_owned());
                        assert!(poll_once(&mut write).is_pending());
                        let mut read = Box::pin(lock.clone().read_owned());
                        assert!(poll_once(&mut read).is_pending());
                        drop(write);
                    });
                    calls.borrow_mut().push(outcome);
                }
            })
        };
        let writing = lock.try_write().unwrap();
        let mut reads = [(); 2].map(|()| Box::pin(lock.read()));
        let mut next = Box::pin(lock.write());
        // One is replaced, and two are woken; one leaves with its future.
        assert!(poll_with(&mut reads[0], &waker()).is_pending());
        assert!(poll_with(&mut reads[0], &waker()).is_pending());
        assert!(poll_with(&mut reads[1], &waker()).is_pending());
        assert!(poll_with(&mut next, &wakes.waker(0)).is_pending());
        let mut leaves = Box::pin(lock.write());
        assert!(poll_with(&mut leaves, &waker()).is_pending());
        drop(leaves);
        let reading = writing.downgrade();
        for read in &mut reads {
            assert!(poll_once(read).is_ready());
        }
        assert_eq!(wakes.take(), []);
        drop(reading);
        assert_eq!(wakes.take(), [0]);
        assert_ne!(calls.borrow().len(), 0);
        assert!(calls.borrow().iter().all(Result::is_ok), "{calls:?}");
        drop(next);
        assert_eq!(free(&lock), "write");
    }
}

#[test]
fn a_lock_may_be_used_inside_of_the_wake_that_tells_of_it() {
    /// Has a writer wait, and write inside of the wake that `unlock` leads to.
    fn writes_when(lock: &Arc<RwLock<Vec<&'static str>>>, unlock: impl FnOnce()) {
        let waiting = Rc::new(RefCell::new(Some(Box::pin(lock.clone().write_owned()))));
        let woken = waiting.clone();
        let writes = hostile_waker(move |call| {
            if call == Call::Wake {
                let mut write = woken.take().expect("woken once");
                let Poll::Ready(mut guard) = poll_once(&mut write) else {
                    panic!("it has been woken");
                };
                guard.push("written");
                assert_eq!(*guard.downgrade(), ["written"]);
            }
        });
        assert!(poll_with(waiting.borrow_mut().as_mut().unwrap(), &writes).is_pending());
        unlock();
        assert_eq!(mem::take(&mut *lock.try_write().unwrap()), ["written"]);
    }
    let lock = Arc::new(RwLock::default());
    let guard = lock.try_read().unwrap();
    writes_when(&lock, || drop(guard));
    let guard = lock.clone().try_read_owned().unwrap();
    writes_when(&lock, || drop(guard));
    let guard = lock.try_write().unwrap();
    writes_when(&lock, || drop(guard));
    let guard = lock.clone().try_write_owned().unwrap();
    writes_when(&lock, || drop(guard));
    let guard = lock.try_write().unwrap();
    writes_when(&lock, || drop(guard.downgrade()));
    let guard = lock.clone().try_write_owned().unwrap();
    writes_when(&lock, || drop(guard.downgrade()));
}

#[test]
fn a_waker_may_drop_the_other_waiters() {
    let (counter, waker) = CountingWaker::new();
    let lock = Arc::new(RwLock::new(()));
    let writing = lock.try_write().unwrap();
    let others: Rc<RefCell<Vec<_>>> = Rc::default();
    let dropped = others.clone();
    let mut first = Box::pin(lock.read());
    let drops_all = hostile_waker(move |call| {
        if call == Call::Wake {
            let others = dropped.take();
            drop(others);
        }
    });
    assert!(poll_with(&mut first, &drops_all).is_pending());
    for _ in 0..3 {
        let mut other = Box::pin(lock.clone().read_owned());
        assert!(poll_with(&mut other, &waker).is_pending());
        others.borrow_mut().push(other);
    }
    let reading = writing.downgrade();
    assert!(others.borrow().is_empty());
    // Their wakers had been gathered: a wake too many does no harm.
    assert_eq!(Arc::strong_count(&counter), 2);
    assert!(poll_once(&mut first).is_ready());
    drop(reading);
    assert_eq!(free(&lock), "write");
}

#[test]
fn a_waker_may_hold_the_guard_that_its_waiter_waits_for() {
    let lock = Arc::new(RwLock::new(()));
    let guard = RefCell::new(Some(lock.clone().try_read_owned().unwrap()));
    let waker = hostile_waker(move |call| {
        if call == Call::Drop {
            drop(guard.take());
        }
    });
    let mut write = Box::pin(lock.write());
    assert!(poll_with(&mut write, &waker).is_pending());
    mem::forget(waker);
    drop(write);
    assert_eq!(free(&lock), "write");
}

#[test]
fn a_waker_that_panics_costs_nobody_the_lock() {
    for on in [Call::Clone, Call::Wake, Call::Drop] {
        quietly(|| {
            let wakes = Wakes::default();
            let lock = RwLock::new(());
            let writing = lock.try_write().unwrap();
            let broken = acts_on(on, || ());
            let mut read = Box::pin(lock.read());
            let is_cloned = caught(|| assert!(poll_with(&mut read, &broken).is_pending())).is_ok();
            assert_eq!(is_cloned, on != Call::Clone);
            mem::forget(broken);
            let mut next = [(); 2].map(|()| Box::pin(lock.read()));
            for (number, read) in next.iter_mut().enumerate() {
                assert!(poll_with(read, &wakes.waker(number)).is_pending());
            }
            // Out in the middle of a panic: a second one would end the process.
            let message = caught(move || {
                let _writing = writing;
                panic_silently("on the way out")
            });
            assert_eq!(message, Err::<(), _>("on the way out".to_string()));
            assert_eq!(wakes.take(), [0, 1]);
            let message = caught(move || {
                let _read = read;
                panic_silently("on the way out")
            });
            assert_eq!(message, Err::<(), _>("on the way out".to_string()));
            assert_eq!(free(&lock), "read");
            drop(next);
            assert_eq!(free(&lock), "write");
        });
    }
}

/// A value that calls a closure when it is dropped.
type Acting = Option<Dropping<Box<dyn Fn()>>>;

#[test]
fn a_value_may_come_back_while_it_is_dropped() {
    let history = History::new();
    let new = |name: &'static str, lock: &Weak<RwLock<Acting>>| {
        let (history, lock) = (history.clone(), lock.clone());
        let acts: Box<dyn Fn()> = Box::new(move || match lock.upgrade() {
            None => history.push(format_args!("{name}: its lock is gone")),
            Some(lock) => {
                let mut write = Box::pin(lock.clone().write_owned());
                let is_locked = poll_once(&mut write).is_pending();
                history.push(format_args!("{name}: locked {is_locked}"));
            }
        });
        Some(Dropping(acts))
    };
    let lock = Arc::new_cyclic(|lock| RwLock::new(new("first", lock)));
    let weak = Arc::downgrade(&lock);
    let mut writing = lock.try_write().unwrap();
    *writing = new("second", &weak);
    let second = writing.take();
    let reading = writing.downgrade();
    drop(second);
    drop(reading);
    *lock.try_write().unwrap() = new("third", &weak);
    let reading = lock.clone().try_read_owned().unwrap();
    drop(lock);
    history.push("root: unlocks");
    // The guard has the last reference.
    drop(reading);
    history.expect([
        "first: locked true",
        "second: locked true",
        "root: unlocks",
        "third: its lock is gone",
    ]);
}

#[test]
fn a_value_may_panic_while_it_is_dropped() {
    let new = || {
        let acts: Box<dyn Fn()> = Box::new(|| panic_silently("a value"));
        Arc::new(RwLock::new(Some(Dropping(acts))))
    };
    let lock = new();
    let result = caught(|| *lock.try_write().unwrap() = None);
    assert_eq!(result, Err("a value".to_string()));
    assert!(lock.try_write().unwrap().is_none());
    // Dropped with the lock, and with the last guard.
    assert_eq!(caught(|| drop(new())), Err("a value".to_string()));
    let guard = new().try_read_owned().unwrap();
    assert_eq!(caught(|| drop(guard)), Err("a value".to_string()));
    let guard = new().try_write_owned().unwrap();
    assert_eq!(caught(|| drop(guard)), Err("a value".to_string()));
}

#[test]
fn a_value_may_come_back_while_it_is_shown() {
    struct Nosy(Weak<RwLock<Nosy>>);
    impl fmt::Debug for Nosy {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "in {:?}", self.0.upgrade().unwrap())
        }
    }
    // To be shown, it is read. With a second reader this would go on for ever.
    let lock = Arc::new_cyclic(|lock| RwLock::with_max_readers(Nosy(lock.clone()), 1));
    assert_eq!(format!("{lock:?}"), "RwLock { data: in RwLock { data: <locked> } }");
    assert_eq!(free(&lock), "write");
}

// Threads.

#[test]
fn threads_read_together_and_take_turns_to_write() {
    const THREADS: usize = 4;
    const TASKS: usize = 3;
    const ROUNDS: usize = 150;
    /// Both are the number of writes, except while one is going on.
    type Pair = (usize, usize);
    /// A task of one of the threads.
    async fn work(lock: Arc<RwLock<Pair>>, task: usize) {
        for round in 0..ROUNDS {
            // Some leave the queue, and with it the lock if they have been given it.
            if round % 5 == task % 5 {
                let _given = poll_once(lock.write());
            }
            if round % 5 == 0 {
                let _given = poll_once(lock.read());
            }
            if round % 3 == 0 {
                let mut guard = lock.write().await;
                guard.0 += 1;
                yield_now().await;
                guard.1 += 1;
                let written = *guard;
                let guard = guard.downgrade();
                yield_now().await;
                assert_eq!(*guard, written);
            } else {
                let guard = lock.read().await;
                let (first, second) = *guard;
                assert_eq!(first, second);
                yield_now().await;
                assert_eq!(*guard, (first, first));
            }
        }
    }
    watched(|| {
        let lock = Arc::new(RwLock::with_max_readers((0, 0), 5));
        let start = Arc::new(Barrier::new(THREADS));
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (lock, start) = (lock.clone(), start.clone());
                thread::spawn(move || {
                    start.wait();
                    block_on(async {
                        let task = |n| work(lock.clone(), TASKS * thread + n);
                        let tasks: Vec<_> = (0..TASKS).map(|n| spawn(task(n))).collect();
                        for task in tasks {
                            task.await.unwrap();
                        }
                    });
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let writes = THREADS * TASKS * ROUNDS / 3;
        assert_eq!(*lock.try_write().unwrap(), (writes, writes));
    });
}

// Thread safety.

#[test]
fn thread_safety_depends_on_the_value() {
    assert_thread_safety! {
        about::<RwLock<u8>>() => (true, true),
        about::<RwLock<SendOnly>>() => (false, false),
        about::<RwLock<SyncOnly>>() => (false, false),
        about::<RwLock<Neither>>() => (false, false),
        about::<RwLockReadGuard<'_, u8>>() => (true, true),
        about::<RwLockReadGuard<'_, SendOnly>>() => (false, false),
        about::<RwLockReadGuard<'_, SyncOnly>>() => (false, false),
        about::<RwLockReadGuard<'_, Neither>>() => (false, false),
        about::<RwLockWriteGuard<'_, u8>>() => (true, true),
        about::<RwLockWriteGuard<'_, SendOnly>>() => (false, false),
        about::<RwLockWriteGuard<'_, SyncOnly>>() => (false, false),
        about::<RwLockWriteGuard<'_, Neither>>() => (false, false),
        about::<OwnedRwLockReadGuard<u8>>() => (true, true),
        about::<OwnedRwLockReadGuard<SendOnly>>() => (false, false),
        about::<OwnedRwLockReadGuard<SyncOnly>>() => (false, false),
        about::<OwnedRwLockReadGuard<Neither>>() => (false, false),
        about::<OwnedRwLockWriteGuard<u8>>() => (true, true),
        about::<OwnedRwLockWriteGuard<SendOnly>>() => (false, false),
        about::<OwnedRwLockWriteGuard<SyncOnly>>() => (false, false),
        about::<OwnedRwLockWriteGuard<Neither>>() => (false, false),
        about_future(RwLock::<u8>::read) => (true, true),
        about_future(RwLock::<SendOnly>::read) => (false, false),
        about_future(RwLock::<Neither>::read) => (false, false),
        about_future(RwLock::<u8>::write) => (true, true),
        about_future(RwLock::<SendOnly>::write) => (false, false),
        about_future(RwLock::<Neither>::write) => (false, false),
        about_future(RwLock::<u8>::read_owned) => (true, true),
        about_future(RwLock::<SendOnly>::read_owned) => (false, false),
        about_future(RwLock::<Neither>::read_owned) => (false, false),
        about_future(RwLock::<u8>::write_owned) => (true, true),
        about_future(RwLock::<SendOnly>::write_owned) => (false, false),
        about_future(RwLock::<Neither>::write_owned) => (false, false),
    }
    fn is_unpin<T: Unpin>() {}
    is_unpin::<RwLock<u8>>();
    is_unpin::<RwLockReadGuard<'_, u8>>();
    is_unpin::<RwLockWriteGuard<'_, u8>>();
    is_unpin::<OwnedRwLockReadGuard<u8>>();
    is_unpin::<OwnedRwLockWriteGuard<u8>>();
}
