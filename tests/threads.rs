//! Threads that wake: no wake is lost, whenever it falls, and a waker is harmless wherever it ends.
//!
//! A lost wake shows as a test that never ends, so a watchdog ends the process instead.

#[path = "support/hostile.rs"]
mod hostile;
mod support;
#[path = "support/watchdog.rs"]
mod watchdog;

use handspun::executor::Executor;
use handspun::task::yield_now;
use handspun::time::{Duration, Instant, Sleep, sleep};
use handspun::{block_on, spawn};
use hostile::Dropping;
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use support::{CountingWaker, caught, paused};
use watchdog::watched;

const MS: Duration = Duration::from_millis(1);

/// A count that a task waits for, and the task's waker.
#[derive(Default)]
struct Bell {
    count: AtomicUsize,
    waker: Mutex<Option<Waker>>,
}

impl Bell {
    fn ring(&self) {
        self.count.fetch_add(1, SeqCst);
        let waker = self.waker.lock().unwrap().clone();
        waker.into_iter().for_each(Waker::wake);
    }

    /// Ready when it has rung `count` times.
    fn rung(&self, count: usize) -> impl Future<Output = ()> {
        poll_fn(move |cx| {
            // The waker first: a ring that comes in between finds it.
            *self.waker.lock().unwrap() = Some(cx.waker().clone());
            if self.count.load(SeqCst) >= count { Poll::Ready(()) } else { Poll::Pending }
        })
    }
}

#[test]
fn a_million_wakes_from_four_threads_reach_four_executors() {
    const TASKS: usize = 4;
    const WAKES: usize = 1_000_000;
    const WAKES_OF_A_TASK: usize = WAKES / (4 * TASKS);
    watched(|| {
        let bells: Vec<Vec<Arc<Bell>>> =
            (0..4).map(|_| (0..TASKS).map(|_| Arc::new(Bell::default())).collect()).collect();
        let start = Arc::new(Barrier::new(8));
        let mut threads = Vec::new();
        for bells in bells.clone() {
            let start = start.clone();
            threads.push(thread::spawn(move || {
                start.wait();
                block_on(async {
                    let wait = |bell: Arc<Bell>| async move { bell.rung(WAKES_OF_A_TASK).await };
                    let tasks: Vec<_> = bells.into_iter().map(|bell| spawn(wait(bell))).collect();
                    for task in tasks {
                        task.await.unwrap();
                    }
                });
            }));
        }
        for thread_number in 0..4 {
            let (bells, start) = (bells.concat(), start.clone());
            threads.push(thread::spawn(move || {
                start.wait();
                // Each begins elsewhere, so that no two go in step.
                for wake in 0..WAKES / 4 {
                    bells[(wake + 4 * thread_number) % bells.len()].ring();
                }
            }));
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(bells.concat().iter().all(|bell| bell.count.load(SeqCst) == WAKES_OF_A_TASK));
    });
}

/// So many threads play ping-pong, each with a task of its own on one executor. Nobody but the
/// ball wakes a task, so a wake that is lost ends the game.
fn ping_pong(players: usize, rounds: usize) {
    watched(|| {
        let polls = Rc::new(Cell::new(0));
        let mut threads = Vec::new();
        let executor = Executor::new();
        let mut tasks = Vec::new();
        for _ in 0..players {
            let (bell, answered) = (Arc::new(Bell::default()), Arc::new(AtomicUsize::new(0)));
            let (ringing, answer) = (bell.clone(), answered.clone());
            threads.push(thread::spawn(move || {
                for round in 0..rounds {
                    ringing.ring();
                    let mut looks = 0;
                    while answered.load(SeqCst) <= round {
                        looks += 1;
                        if looks % 5_000 == 0 {
                            thread::yield_now()
                        } else {
                            std::hint::spin_loop()
                        }
                    }
                }
            }));
            let counted = polls.clone();
            tasks.push(executor.spawn(async move {
                for round in 1..=rounds {
                    let mut rung = Box::pin(bell.rung(round));
                    poll_fn(|cx| {
                        counted.set(counted.get() + 1);
                        rung.as_mut().poll(cx)
                    })
                    .await;
                    answer.store(round, SeqCst);
                    // The next ball is on its way. It finds the executor here, or about to look for
                    // letters, or about to sleep, or asleep.
                    for step in 0..round % 300 {
                        std::hint::black_box(step);
                    }
                }
            }));
        }
        tasks.into_iter().for_each(|task| executor.block_on(task).unwrap());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let (polls, least) = (polls.get(), players * rounds);
        assert!((least..=2 * least).contains(&polls), "{polls} polls for {least} wakes");
    });
}

#[test]
fn a_wake_between_the_look_and_the_sleep_is_not_lost() {
    ping_pong(1, 20_000);
}

#[test]
fn a_wake_while_letters_are_read_is_not_lost() {
    ping_pong(2, 10_000);
}

#[test]
fn executors_on_two_threads_wake_each_other() {
    const ROUNDS: usize = 5_000;
    watched(|| {
        let bells = [Arc::new(Bell::default()), Arc::new(Bell::default())];
        let player = |mine: Arc<Bell>, theirs: Arc<Bell>| {
            move || {
                block_on(async {
                    let game = spawn(async move {
                        for round in 1..=ROUNDS {
                            theirs.ring();
                            mine.rung(round).await;
                        }
                    });
                    game.await.unwrap();
                })
            }
        };
        let other = thread::spawn(player(bells[1].clone(), bells[0].clone()));
        player(bells[0].clone(), bells[1].clone())();
        other.join().unwrap();
    });
}

#[test]
fn parking_tokens_of_others_neither_lose_a_wake_nor_make_one() {
    const ROUNDS: usize = 300;
    watched(|| {
        let (bell, over) = (Arc::new(Bell::default()), Arc::new(AtomicBool::new(false)));
        let (executors_thread, stop) = (thread::current(), over.clone());
        let disturber = thread::spawn(move || {
            while !stop.load(SeqCst) {
                executors_thread.unpark();
                thread::yield_now();
            }
        });
        let ringing = bell.clone();
        let (go, gone) = mpsc::channel();
        let ringer = thread::spawn(move || gone.iter().for_each(|()| ringing.ring()));
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        block_on(async {
            let task = spawn(async move {
                for round in 1..=ROUNDS {
                    go.send(()).unwrap();
                    let mut rung = Box::pin(bell.rung(round));
                    poll_fn(|cx| {
                        counted.set(counted.get() + 1);
                        let poll = rung.as_mut().poll(cx);
                        // Takes a token that may be the wake's, and leaves one that is nobody's.
                        thread::park_timeout(MS / 100);
                        thread::current().unpark();
                        poll
                    })
                    .await;
                }
            });
            task.await.unwrap();
        });
        over.store(true, SeqCst);
        disturber.join().unwrap();
        ringer.join().unwrap();
        let polls = polls.get();
        assert!((ROUNDS..=2 * ROUNDS).contains(&polls), "one poll for a wake, not {polls}");
    });
}

#[test]
fn a_wake_between_two_block_ons_is_kept() {
    watched(|| {
        let executor = Executor::new();
        let bell = Arc::new(Bell::default());
        let polls = Rc::new(Cell::new(0));
        let (waited, counted) = (bell.clone(), polls.clone());
        let handle = executor.spawn(async move {
            let mut rung = Box::pin(waited.rung(3));
            poll_fn(|cx| {
                counted.set(counted.get() + 1);
                rung.as_mut().poll(cx)
            })
            .await;
        });
        for round in 1..=2 {
            executor.block_on(yield_now());
            assert_eq!(polls.get(), round);
            let bell = bell.clone();
            thread::spawn(move || bell.ring()).join().unwrap();
        }
        executor.block_on(yield_now());
        assert_eq!(polls.get(), 3);
        thread::spawn(move || bell.ring());
        executor.block_on(handle).unwrap();
        assert_eq!(polls.get(), 4);
    });
}

#[test]
fn wakers_end_on_other_threads_after_task_and_executor() {
    let wakers: Rc<RefCell<Vec<Waker>>> = Rc::default();
    let store = wakers.clone();
    let collect = move || {
        let store = store.clone();
        poll_fn(move |cx| {
            store.borrow_mut().push(cx.waker().clone());
            Poll::Ready(())
        })
    };
    let executor = Executor::new();
    executor.block_on(async {
        for _ in 0..100 {
            spawn(collect()).await.unwrap();
        }
        collect().await;
    });
    // The tasks are over, and their slots belong to others.
    let polls = Rc::new(Cell::new(0));
    for _ in 0..100 {
        let polls = polls.clone();
        executor.spawn(poll_fn(move |_| {
            polls.set(polls.get() + 1);
            Poll::<()>::Pending
        }));
    }
    let use_up = |wakers: Vec<Waker>| {
        let threads = (0..4).map(|_| {
            let wakers = wakers.clone();
            thread::spawn(move || {
                wakers.iter().for_each(Waker::wake_by_ref);
                wakers.clone().into_iter().for_each(Waker::wake);
            })
        });
        threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    };
    use_up(wakers.borrow().clone());
    executor.block_on(yield_now());
    assert_eq!(polls.get(), 100, "a stale waker wakes nobody");
    drop(executor);
    use_up(wakers.borrow().clone());
    let next = Executor::new();
    let again = polls.clone();
    next.spawn(poll_fn(move |_| {
        again.set(again.get() + 1);
        Poll::<()>::Pending
    }));
    next.block_on(yield_now());
    assert_eq!(polls.get(), 101);
    use_up(wakers.take());
    next.block_on(yield_now());
    assert_eq!(polls.get(), 101, "nor in the next executor");
}

#[test]
fn wakers_are_called_while_their_executor_ends() {
    const EXECUTORS: usize = 300;
    let (send, receive) = mpsc::channel::<Waker>();
    let thread = thread::spawn(move || {
        for waker in receive {
            for _ in 0..20 {
                waker.wake_by_ref();
            }
        }
    });
    for _ in 0..EXECUTORS {
        let polls = Rc::new(Cell::new(0));
        let (counted, send) = (polls.clone(), send.clone());
        block_on(async move {
            let task = poll_fn(move |cx| {
                send.send(cx.waker().clone()).unwrap();
                counted.set(counted.get() + 1);
                Poll::<()>::Pending
            });
            spawn(task);
            yield_now().await;
        });
        // Wakes for this task may make it polled again, and those for an earlier one must not.
        assert!((1..=2).contains(&polls.get()));
    }
    drop(send);
    thread.join().unwrap();
}

#[test]
fn a_thread_that_ends_wakes_from_its_thread_local() {
    thread_local! {
        static LAST: RefCell<Option<Box<dyn std::any::Any>>> = const { RefCell::new(None) };
    }
    watched(|| {
        let bell = Arc::new(Bell::default());
        let ringing = bell.clone();
        let thread = thread::spawn(move || {
            LAST.set(Some(Box::new(Dropping(move || ringing.ring()))));
        });
        block_on(bell.rung(1));
        thread.join().unwrap();
    });
}

// Sleeps that travel.

/// A `Sleep` that waits on this executor's wheel, for the task whose waker this is.
fn armed(duration: Duration, waker: &Waker) -> Sleep {
    let mut sleep = sleep(duration);
    let mut cx = std::task::Context::from_waker(waker);
    assert!(Pin::new(&mut sleep).poll(&mut cx).is_pending());
    sleep
}

#[test]
fn a_sleep_dropped_on_another_thread_leaves_the_wheel() {
    let (counter, waker) = CountingWaker::new();
    let run = || {
        paused(async {
            let start = Instant::now();
            let hours = |hours: u32| armed(hours * 3_600_000 * MS, &waker);
            let sleeps: Vec<Sleep> = (1..=1_000).map(hours).collect();
            thread::spawn(move || drop(sleeps)).join().unwrap();
            sleep(MS).await;
            assert_eq!(start.elapsed(), MS);
            assert_eq!(counter.wakes(), 1_000, "whoever waited is told to look again");
            pending::<()>().await
        })
    };
    let message = caught(run).unwrap_err();
    assert!(message.starts_with("the executor has stalled"), "{message}");
}

#[test]
fn a_sleep_reset_on_another_thread_wakes_who_waits_for_it() {
    watched(|| {
        let start = Instant::now();
        let travels = Arc::new(Mutex::new(None::<Sleep>));
        let travelled = travels.clone();
        block_on(async move {
            let waits = spawn(poll_fn(move |cx| {
                let mut place = travels.lock().unwrap();
                let sleep = place.get_or_insert_with(|| sleep(3_600_000 * MS));
                Pin::new(sleep).poll(cx)
            }));
            yield_now().await;
            thread::spawn(move || {
                let mut place = travelled.lock().unwrap();
                Pin::new(place.as_mut().expect("armed")).reset(start + 2 * MS);
            });
            waits.await.unwrap();
        });
        assert!(start.elapsed() >= 2 * MS);
    });
}

#[test]
fn a_sleep_goes_on_on_another_threads_executor() {
    // Long enough to be armed before it is over, on a busy machine too.
    const DURATION: Duration = Duration::from_millis(100);
    watched(|| {
        let (counter, waker) = CountingWaker::new();
        block_on(async {
            let start = Instant::now();
            let sleep = armed(DURATION, &waker);
            let other = thread::spawn(move || {
                let executor = Executor::new();
                let handle = executor.spawn(sleep);
                executor.block_on(handle).unwrap();
            });
            other.join().unwrap();
            assert!(start.elapsed() >= DURATION);
            yield_now().await;
        });
        assert_eq!(counter.wakes(), 1, "the timer it left behind was taken off or has fired");
    });
}
