//! All of them at once, and in odd places: executors on several threads that share everything, at
//! random, with cancels; loops of `select!`; waits that move, or are forgotten; threads that end.

use crate::support::{caught, paused, poll_once};
use crate::sync::{
    Barrier, Mutex, Notify, OnceCell, OwnedSemaphorePermit, RwLock, Semaphore, broadcast, mpsc,
    oneshot, watch,
};
use crate::watchdog::watched;
use handspun::executor::Executor;
use handspun::task::{JoinSet, yield_now};
use handspun::time::{Duration, timeout};
use handspun::{block_on, select, spawn};
use std::any::Any;
use std::cell::RefCell;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::{mem, thread};

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// Polls a future once, in the task that awaits this.
async fn poll_in_task<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// Polls a future so many times, and lets others run in between. If it is still pending, drops it.
async fn polled<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

/// Runs as many tasks on each of three threads, each thread with an executor. A task is told its
/// number.
fn on_three_threads<F: Future<Output = ()> + 'static>(
    tasks: usize,
    task: impl Fn(usize) -> F + Clone + Send + 'static,
) {
    let threads: Vec<_> = (0..3)
        .map(|nth| {
            let task = task.clone();
            thread::spawn(move || {
                block_on(async {
                    let mut set = JoinSet::new();
                    for number in nth * tasks..(nth + 1) * tasks {
                        set.spawn(task(number));
                    }
                    set.join_all().await;
                });
            })
        })
        .collect();
    watched(|| threads.into_iter().for_each(|thread| thread.join().unwrap()));
}

// Many threads.

/// One of the threads that use a semaphore in every way at once.
struct Player {
    semaphore: Arc<Semaphore>,
    numbers: Numbers,
    held: Vec<OwnedSemaphorePermit>,
    waits: Vec<Wait>,
    /// How many permits it has added, less those that it has taken away.
    added: isize,
}

type Wait = Pin<Box<dyn Future<Output = OwnedSemaphorePermit>>>;

impl Player {
    fn step(&mut self) {
        match self.numbers.below(12) {
            0 | 1 => {
                let wanted = self.numbers.below(4) as u32;
                self.held.extend(self.semaphore.clone().try_acquire_many_owned(wanted));
            }
            2 | 3 => {
                let wait = self.semaphore.clone().acquire_many_owned(self.numbers.below(5) as u32);
                self.look(Box::pin(async { wait.await.unwrap() }));
            }
            4 | 5 if !self.waits.is_empty() => {
                let nth = self.numbers.below(self.waits.len());
                let wait = self.waits.swap_remove(nth);
                self.look(wait);
            }
            6 if !self.waits.is_empty() => {
                let nth = self.numbers.below(self.waits.len());
                drop(self.waits.swap_remove(nth));
            }
            7 | 8 if !self.held.is_empty() => {
                let nth = self.numbers.below(self.held.len());
                drop(self.held.swap_remove(nth));
            }
            9 => {
                let added = self.numbers.below(3);
                self.semaphore.add_permits(added);
                self.added += added as isize;
            }
            10 => {
                let wanted = self.numbers.below(3);
                self.added -= self.semaphore.forget_permits(wanted) as isize;
                if let (Some(permit), 0) = (self.held.pop(), wanted) {
                    self.added -= permit.num_permits() as isize;
                    permit.forget();
                }
            }
            _ => {
                if let Some(mut permit) = self.held.pop() {
                    let part = permit.split(1);
                    permit.merge(self.semaphore.clone().try_acquire_many_owned(0).unwrap());
                    self.held.extend(part);
                    self.held.push(permit);
                }
            }
        }
        if self.waits.len() > 8 || self.held.len() > 8 {
            self.waits.clear();
            self.held.clear();
        }
    }

    fn look(&mut self, mut wait: Wait) {
        match poll_once(&mut wait) {
            Poll::Ready(permit) => self.held.push(permit),
            Poll::Pending => self.waits.push(wait),
        }
    }
}

#[test]
fn no_permit_is_made_or_lost_whatever_threads_do_to_a_semaphore() {
    const FIRST: usize = 4;
    let semaphore = Arc::new(Semaphore::new(FIRST));
    let threads: Vec<_> = (1..=4)
        .map(|seed| {
            let semaphore = semaphore.clone();
            thread::spawn(move || {
                let mut player = Player {
                    semaphore,
                    numbers: Numbers(seed),
                    held: Vec::new(),
                    waits: Vec::new(),
                    added: 0,
                };
                (0..20_000).for_each(|_| player.step());
                player.added
            })
        })
        .collect();
    let added: isize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(semaphore.available_permits() as isize, FIRST as isize + added);
    let all = semaphore.available_permits() as u32;
    assert!(semaphore.try_acquire_many(all).is_ok());
}

#[test]
fn no_value_is_lost_or_doubled_whatever_senders_on_threads_give_up() {
    for seed in 1..=20 {
        let value = Arc::new(());
        let accepted = Arc::new(AtomicUsize::new(0));
        let (tx, mut rx) = mpsc::channel(1 + seed % 4);
        let receiving = thread::spawn(move || {
            let mut numbers = Numbers(seed as u64);
            let mut received = 0;
            block_on(async {
                while let Some(value) = rx.recv().await {
                    drop::<Arc<()>>(value);
                    received += 1;
                    if let Some(Some(_)) = polled(numbers.below(3), rx.recv()).await {
                        received += 1;
                    }
                    if seed % 3 == 0 && received > 100 {
                        rx.close();
                    }
                }
            });
            received
        });
        let weak = tx.downgrade();
        let sent = (value.clone(), accepted.clone());
        on_three_threads(3, move |number| {
            let ((value, accepted), tx) = (sent.clone(), tx.clone());
            async move {
                let mut numbers = Numbers((seed * 100 + number) as u64);
                for _ in 0..40 {
                    let times = numbers.below(4);
                    let was_sent = match numbers.below(5) {
                        0 => tx.send(value.clone()).await.is_ok(),
                        1 => matches!(polled(times, tx.send(value.clone())).await, Some(Ok(()))),
                        2 => tx.try_send(value.clone()).is_ok(),
                        3 => {
                            if let Some(Ok(permits)) = polled(times, tx.reserve_many(1)).await {
                                yield_now().await;
                                permits.take(times / 2).for_each(|it| it.send(value.clone()));
                            }
                            false
                        }
                        _ => {
                            let reserved = polled(times, tx.clone().reserve_owned()).await;
                            drop(reserved.map(|it| it.map(|it| it.release())));
                            false
                        }
                    };
                    accepted.fetch_add(usize::from(was_sent), SeqCst);
                }
            }
        });
        assert!(weak.upgrade().is_none());
        assert!(accepted.load(SeqCst) <= watched(|| receiving.join().unwrap()));
        assert_eq!(Arc::strong_count(&value), 1);
    }
}

#[test]
fn locks_and_cells_stay_whole_whatever_tasks_on_threads_give_up() {
    for seed in 1..=15 {
        let lock = Arc::new(RwLock::with_max_readers((0, 0), 1 + seed as u32 % 4));
        let mutex = Arc::new(Mutex::new(0));
        let cell = Arc::new(OnceCell::new());
        let made = Arc::new(AtomicUsize::new(0));
        let shared = (lock.clone(), mutex.clone(), cell.clone(), made.clone());
        on_three_threads(3, move |number| {
            let (lock, mutex, cell, made) = shared.clone();
            async move {
                let mut numbers = Numbers((seed * 100 + number) as u64);
                for nth in 0..40 {
                    let times = numbers.below(4);
                    match numbers.below(5) {
                        0 => {
                            let mut pair = lock.write().await;
                            pair.0 += 1;
                            yield_now().await;
                            pair.1 += 1;
                            let pair = pair.downgrade();
                            yield_now().await;
                            assert_eq!(pair.0, pair.1);
                        }
                        1 => {
                            if let Some(mut pair) = polled(times, lock.write()).await {
                                *pair = (pair.0 + 1, pair.1 + 1);
                            }
                        }
                        2 => {
                            if let Some(pair) = polled(times, lock.clone().read_owned()).await {
                                yield_now().await;
                                assert_eq!(pair.0, pair.1);
                            }
                        }
                        3 => {
                            if let Some(mut count) = polled(times, mutex.lock()).await {
                                *count += 1;
                                yield_now().await;
                                *count -= 1;
                            }
                        }
                        _ => {
                            let attempt = cell.get_or_try_init(|| async {
                                yield_now().await;
                                if nth < 30 || times == 0 {
                                    return Err(());
                                }
                                made.fetch_add(1, SeqCst);
                                Ok(())
                            });
                            polled(times, attempt).await;
                        }
                    }
                }
                cell.get_or_init(|| async {
                    made.fetch_add(1, SeqCst);
                })
                .await;
                assert_eq!(*mutex.lock().await, 0);
            }
        });
        assert_eq!(made.load(SeqCst), 1);
        let (first, second) = Arc::try_unwrap(lock).unwrap().into_inner();
        assert_eq!(first, second);
    }
}

#[test]
fn executors_on_several_threads_share_everything() {
    const ROUNDS: usize = 150;
    const TASKS: usize = 6;
    let mutex = Arc::new(Mutex::new(0));
    let semaphore = Arc::new(Semaphore::new(2));
    let notify = Arc::new(Notify::new());
    let barrier = Arc::new(Barrier::new(TASKS));
    let leaders = Arc::new(AtomicUsize::new(0));
    let (values, mut received) = mpsc::channel(3);
    let (changes, seen) = watch::channel(0);
    let news = broadcast::Sender::new(2 * TASKS);
    let counting = thread::spawn(move || {
        let mut sum = 0;
        while let Some(number) = received.blocking_recv() {
            sum += number;
        }
        sum
    });
    let shared = (mutex.clone(), semaphore.clone(), notify, barrier, leaders.clone());
    let channels = (values, changes, news);
    on_three_threads(TASKS / 3, move |_| {
        let (mutex, semaphore, notify, barrier, leaders) = shared.clone();
        let (values, changes, news) = channels.clone();
        let mut heard = news.subscribe();
        async move {
            // From here on all of them are subscribed.
            barrier.wait().await;
            for round in 0..ROUNDS {
                let mut count = mutex.lock().await;
                let before = *count;
                yield_now().await;
                *count = before + 1;
                drop(count);
                let permit = semaphore.acquire().await.unwrap();
                values.send(1).await.unwrap();
                drop(permit);
                changes.send_modify(|count| *count += 1);
                notify.notify_one();
                notify.notified().await;
                notify.notify_one();
                news.send(round).unwrap();
                for _ in 0..TASKS {
                    assert_eq!(heard.recv().await, Ok(round));
                }
                leaders.fetch_add(usize::from(barrier.wait().await.is_leader()), SeqCst);
            }
        }
    });
    assert_eq!(counting.join().unwrap(), TASKS * ROUNDS);
    assert_eq!(*mutex.blocking_lock(), TASKS * ROUNDS);
    assert_eq!(*seen.borrow(), TASKS * ROUNDS);
    assert_eq!((leaders.load(SeqCst), semaphore.available_permits()), (ROUNDS, 2));
}

// Cancels in a loop, and in any order.

#[test]
fn a_select_loop_loses_nothing_of_what_it_cancels() {
    const ROUNDS: usize = 10_000;
    for is_busy in [false, true] {
        paused(async {
            let (values, mut received) = mpsc::channel(4);
            let (batches, mut taken) = mpsc::unbounded_channel();
            let (news, mut heard) = broadcast::channel(ROUNDS);
            let (changes, mut seen) = watch::channel(0);
            let semaphore = Arc::new(Semaphore::new(0));
            let mutex = Arc::new(Mutex::new(0));
            let (permits, count) = (semaphore.clone(), mutex.clone());
            let producer = spawn(async move {
                for round in 0..ROUNDS {
                    values.send(round).await.unwrap();
                    batches.send(round).unwrap();
                    news.send(round).unwrap();
                    changes.send(round + 1).unwrap();
                    permits.add_permits(1);
                    let mut count = count.lock().await;
                    yield_now().await;
                    *count += 1;
                }
            });
            let mut got = [0; 5];
            let mut locked = 0;
            let mut busy = poll_fn(|_| if is_busy { Poll::Ready(()) } else { Poll::Pending });
            while got != [ROUNDS; 5] {
                // Where one branch is always ready, the others are cancelled in any state.
                select! {
                    value = received.recv(), if got[0] < ROUNDS => {
                        assert_eq!(value, Some(got[0]));
                        got[0] += 1;
                    }
                    value = taken.recv(), if got[1] < ROUNDS => {
                        assert_eq!(value, Some(got[1]));
                        got[1] += 1;
                    }
                    value = heard.recv(), if got[2] < ROUNDS => {
                        assert_eq!(value, Ok(got[2]));
                        got[2] += 1;
                    }
                    change = seen.changed(), if got[3] < ROUNDS => {
                        change.unwrap();
                        assert!(*seen.borrow_and_update() > got[3]);
                        got[3] = *seen.borrow();
                    }
                    permit = semaphore.acquire(), if got[4] < ROUNDS => {
                        permit.unwrap().forget();
                        got[4] += 1;
                    }
                    mut count = mutex.lock() => {
                        *count += 1;
                        locked += 1;
                        drop(count);
                        yield_now().await;
                    }
                    () = &mut busy => yield_now().await,
                }
            }
            producer.await.unwrap();
            assert_eq!(*mutex.lock().await, ROUNDS + locked);
            assert_eq!((received.recv().await, taken.recv().await), (None, None));
            assert_eq!(heard.recv().await, Err(broadcast::error::RecvError::Closed));
            assert!(seen.changed().await.is_err());
            assert_eq!(semaphore.available_permits(), 0);
        });
    }
}

#[test]
fn a_long_line_is_left_in_any_order_in_linear_time() {
    const MANY: usize = 100_000;
    let semaphore = Semaphore::new(0);
    let mut waits: Vec<_> =
        (0..MANY).map(|nth| Box::pin(semaphore.acquire_many(1 + nth as u32 % 3))).collect();
    for wait in &mut waits {
        assert!(poll_once(wait).is_pending());
    }
    Numbers(1).shuffle(&mut waits);
    for (nth, wait) in waits.into_iter().enumerate() {
        // Some are called, or have a part of what they want, when they leave.
        semaphore.add_permits(nth % 2);
        drop(wait);
    }
    assert_eq!(semaphore.available_permits(), MANY / 2);

    let (sender, receiver) = broadcast::channel(8);
    let mut receivers: Vec<_> = (0..MANY / 10).map(|_| receiver.resubscribe()).collect();
    drop(receiver);
    (0..20).for_each(|number| assert_eq!(sender.send(number).unwrap(), MANY / 10));
    Numbers(2).shuffle(&mut receivers);
    let lagged = broadcast::error::TryRecvError::Lagged(12);
    for mut receiver in receivers {
        assert_eq!(receiver.try_recv(), Err(lagged.clone()));
        assert_eq!((sender.len(), receiver.try_recv()), (8, Ok(12)));
    }
    assert!(sender.is_empty());
}

// Odd places.

#[test]
fn a_wait_may_move_to_another_executor_and_to_another_thread() {
    let semaphore = Arc::new(Semaphore::new(0));
    let mut wait = Box::pin(semaphore.clone().acquire_many_owned(3));
    let mut next = Box::pin(semaphore.clone().acquire_owned());
    paused(async {
        assert!(poll_in_task(&mut wait).await.is_pending());
        assert!(poll_in_task(&mut next).await.is_pending());
    });
    semaphore.add_permits(1);
    let mut wait = paused(async {
        let moved = spawn(async {
            assert!(poll_in_task(&mut wait).await.is_pending());
            Some(wait)
        });
        moved.await.unwrap()
    })
    .unwrap();
    let (polled, was_polled) = std::sync::mpsc::channel();
    let thread = thread::spawn(move || {
        block_on(async {
            assert!(poll_in_task(&mut wait).await.is_pending());
            polled.send(()).unwrap();
            wait.await.unwrap().num_permits()
        })
    });
    was_polled.recv().unwrap();
    semaphore.add_permits(2);
    assert_eq!(watched(|| thread.join().unwrap()), 3);
    assert_eq!(paused(next).unwrap().num_permits(), 1);
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn a_wait_that_was_forgotten_is_no_concern_of_those_who_look_for_themselves() {
    async fn forget<F: Future>(future: F) {
        let mut future = Box::pin(future);
        assert!(poll_in_task(&mut future).await.is_pending());
        mem::forget(future);
    }
    paused(async {
        let (tx, mut rx) = mpsc::channel(1);
        forget(tx.closed()).await;
        forget(rx.recv()).await;
        tx.send(1).await.unwrap();
        assert_eq!(rx.recv().await, Some(1));

        let (tx, mut rx) = broadcast::channel(1);
        forget(rx.recv()).await;
        tx.send(2).unwrap();
        assert_eq!(rx.recv().await, Ok(2));

        let (tx, mut rx) = watch::channel(0);
        forget(rx.changed()).await;
        tx.send(3).unwrap();
        assert!(rx.changed().await.is_ok());

        let (mut tx, rx) = oneshot::channel();
        forget(tx.closed()).await;
        tx.send(4).unwrap();
        assert_eq!(rx.await, Ok(4));

        let notify = Notify::new();
        forget(notify.notified()).await;
        notify.notify_waiters();
        notify.notify_one();
        notify.notified().await;

        let cell = OnceCell::new();
        let mut attempt = Box::pin(cell.get_or_init(pending));
        assert!(poll_in_task(&mut attempt).await.is_pending());
        forget(cell.get_or_init(|| ready(5))).await;
        assert!(cell.set(6).unwrap_err().is_initializing_err());
    });
}

#[test]
fn a_channel_may_hold_its_own_senders() {
    const MANY: usize = 1000;
    let (tx, rx) = mpsc::unbounded_channel::<Box<dyn Any>>();
    for _ in 0..MANY {
        tx.send(Box::new(tx.clone())).unwrap();
    }
    let weak = tx.downgrade();
    drop(tx);
    assert_eq!(weak.strong_count(), MANY);
    drop(rx);
    assert_eq!(weak.strong_count(), 0);
}

/// Calls a closure when its thread ends.
struct AtTheEnd(Option<Box<dyn FnOnce()>>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|end| end());
    }
}

thread_local!(static AT_THE_END: RefCell<Vec<AtTheEnd>> = const { RefCell::new(Vec::new()) });

#[test]
fn channels_and_locks_work_while_a_thread_ends() {
    /// Uses what this crate keeps for each thread.
    fn use_all() {
        paused(async {
            let (_tx, rx) = watch::channel(0);
            let _looking = rx.borrow();
            let semaphore = Semaphore::new(0);
            assert!(timeout(Duration::from_secs(1), semaphore.acquire()).await.is_err());
        });
    }
    // Thread-locals are destroyed in an order that depends on which of them was used first.
    for is_first in [false, true] {
        let (ended, end) = oneshot::channel();
        let at_the_end = move || {
            let (tx, rx) = watch::channel(0);
            tx.send(1).unwrap();
            assert_eq!(*rx.borrow(), 1);
            let mutex = Mutex::new(2);
            let locked = mutex.blocking_lock();
            let mut wait = Box::pin(mutex.lock());
            assert!(poll_once(&mut wait).is_pending());
            drop((locked, wait));
            ended.send(*mutex.blocking_lock()).unwrap();
        };
        thread::spawn(move || {
            if is_first {
                use_all();
            }
            let at_the_end = AtTheEnd(Some(Box::new(at_the_end)));
            AT_THE_END.with_borrow_mut(|list| list.push(at_the_end));
            use_all();
        })
        .join()
        .unwrap();
        assert_eq!(end.blocking_recv(), Ok(2));
    }
}

// Stalls.

#[test]
fn a_stall_report_tells_of_no_wait_that_was_given_up() {
    let semaphore = Arc::new(Semaphore::new(0));
    let barrier = Barrier::new(2);
    let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
    let wait = || {
        let semaphore = semaphore.clone();
        async move { semaphore.acquire().await.is_ok() }
    };
    let play = async {
        let aborted = spawn(wait());
        let panicking = spawn({
            let wait = wait();
            async {
                polled(1, wait).await;
                std::panic::resume_unwind(Box::new("a task"));
            }
        });
        let mut set = JoinSet::new();
        (0..3).for_each(|_| drop(set.spawn(wait())));
        assert!(timeout(Duration::from_secs(1), wait()).await.is_err());
        select! {
            _ = wait() => {}
            () = yield_now() => {}
        }
        aborted.abort();
        drop(set);
        assert!(aborted.await.unwrap_err().is_cancelled());
        assert!(panicking.await.unwrap_err().is_panic());
        barrier.wait().await;
    };
    let report = caught(|| executor.block_on(play)).unwrap_err();
    let waits: Vec<_> = report.lines().filter(|line| line.starts_with("    waits for")).collect();
    assert_eq!(waits.len(), 1, "{report}");
    assert!(waits[0].contains("the last to arrive at the barrier"), "{report}");
}
