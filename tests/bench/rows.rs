//! The measured code, a function for each row of the table: all but channels and locks.
//!
//! A function does so many operations and returns the figure for one. Unless its row is about the
//! start of an executor, the clock starts and stops inside a running task: that is where a program
//! spends its time, and what an executor costs to make and to drop is not in the figure.
//!
//! `black_box` keeps the compiler from seeing through a future and leaving the work out. What the
//! tasks have computed is checked, so that nothing is measured that has not been done.

use crate::alloc;
use handspun::executor::Executor;
use handspun::task::{JoinSet, yield_now};
use handspun::time::{Sleep, sleep, timeout};
use handspun::{block_on, future, select, spawn};
use std::cell::Cell;
use std::future::{Future, pending, poll_fn, ready};
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Runs a future as a task of a new executor.
pub fn in_task<T: 'static>(future: impl Future<Output = T> + 'static) -> T {
    block_on(async { spawn(future).await.expect("no row panics in its task") })
}

pub fn ns_each(start: Instant, operations: u64) -> f64 {
    start.elapsed().as_nanos() as f64 / operations as f64
}

// Tasks.

pub fn spawn_join(n: u64) -> f64 {
    in_task(async move {
        let mut handles = Vec::with_capacity(n as usize);
        let mut sum = 0;
        let start = Instant::now();
        for i in 0..n {
            handles.push(spawn(async move { black_box(i) }));
        }
        for handle in handles {
            sum += handle.await.unwrap();
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

pub fn spawn_one(n: u64) -> f64 {
    in_task(async move {
        let mut sum = 0;
        let start = Instant::now();
        for i in 0..n {
            sum += spawn(async move { black_box(i) }).await.unwrap();
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

pub fn spawn_detached(n: u64) -> f64 {
    in_task(async move {
        let sum = Rc::new(Cell::new(0));
        let start = Instant::now();
        for i in 0..n {
            let sum = sum.clone();
            spawn(async move { sum.set(sum.get() + i) });
        }
        // One turn polls them all.
        yield_now().await;
        let figure = ns_each(start, n);
        assert_eq!(sum.get(), sum_below(n));
        figure
    })
}

pub fn sum_below(n: u64) -> u64 {
    n * (n - 1) / 2
}

async fn yields(n: u64) -> f64 {
    let start = Instant::now();
    for _ in 0..n {
        yield_now().await;
    }
    ns_each(start, n)
}

pub fn yield_1(n: u64) -> f64 {
    in_task(yields(n))
}

pub fn yield_root(n: u64) -> f64 {
    block_on(yields(n))
}

/// The ring is full for most of it: that is the price of a program that runs for long.
pub fn yield_recorded(n: u64) -> f64 {
    let executor = Executor::builder().record(10_000).build();
    let figure = executor.block_on(async move { spawn(yields(n)).await.unwrap() });
    assert!(executor.into_trace().dropped() >= 3 * n - 10_000);
    figure
}

pub fn yield_1000(n: u64) -> f64 {
    const TASKS: u64 = 1_000;
    in_task(async move {
        let start = Instant::now();
        let task = || spawn(yields(n / TASKS));
        let tasks: Vec<_> = (0..TASKS).map(|_| task()).collect();
        for task in tasks {
            task.await.unwrap();
        }
        ns_each(start, n / TASKS * TASKS)
    })
}

pub fn yield_idle(n: u64) -> f64 {
    in_task(async move {
        for _ in 0..100_000 {
            spawn(pending::<()>());
        }
        yield_now().await;
        yields(n).await
    })
}

// Timers.

/// A task whose polls arm one timer after another never lets its executor go on, so it yields now
/// and then, as any real task does.
const YIELD_EVERY: u64 = 64;

/// The same sequence in every run (a linear congruential generator, its upper bits).
struct Random(u64);

impl Random {
    fn new() -> Random {
        Random(1)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        ((self.0 >> 32) * n) >> 32
    }

    /// Between a second and two minutes: a timeout that is not going to fire.
    fn long(&mut self) -> Duration {
        Duration::from_micros(1_000_000 + self.below(119_000_000))
    }
}

/// A timer that has been polled once, and so is on the wheel.
async fn armed(duration: Duration) -> Sleep {
    let mut sleep = sleep(duration);
    poll_fn(|cx| {
        assert!(Pin::new(&mut sleep).poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    sleep
}

pub fn timer_drop(n: u64) -> f64 {
    in_task(async move {
        let mut random = Random::new();
        let start = Instant::now();
        for i in 0..n {
            drop(armed(random.long()).await);
            if i % YIELD_EVERY == 0 {
                yield_now().await;
            }
        }
        ns_each(start, n)
    })
}

pub fn timer_churn(resident: u64, n: u64) -> f64 {
    in_task(async move {
        let mut random = Random::new();
        let mut timers = Vec::with_capacity(resident as usize);
        for _ in 0..resident {
            timers.push(Some(armed(random.long()).await));
        }
        let start = Instant::now();
        for i in 0..n {
            let timer = &mut timers[random.below(resident) as usize];
            *timer = None;
            *timer = Some(armed(random.long()).await);
            if i % YIELD_EVERY == 0 {
                yield_now().await;
            }
        }
        ns_each(start, n)
    })
}

pub fn timer_timeout(n: u64) -> f64 {
    in_task(async move {
        let mut random = Random::new();
        let start = Instant::now();
        for _ in 0..n {
            timeout(random.long(), yield_now()).await.unwrap();
        }
        ns_each(start, n)
    })
}

/// On a paused clock, where nobody waits: what is left is the work.
pub fn timer_many(n: u64) -> f64 {
    let executor = Executor::builder().start_paused(true).build();
    let root = executor.spawn(async move {
        let mut random = Random::new();
        let start = Instant::now();
        let mut task = || spawn(sleep(Duration::from_micros(random.below(50_000))));
        let tasks: Vec<_> = (0..n).map(|_| task()).collect();
        for task in tasks {
            task.await.unwrap();
        }
        ns_each(start, n)
    });
    executor.block_on(root).unwrap()
}

/// On the real clock: how long after its deadline the task is polled.
pub fn timer_late(n: u64) -> f64 {
    in_task(async move {
        let mut random = Random::new();
        let mut task = || spawn(lateness(Duration::from_micros(random.below(50_000))));
        let tasks: Vec<_> = (0..n).map(|_| task()).collect();
        let mut late = 0.0;
        for task in tasks {
            late += task.await.unwrap();
        }
        late / n as f64
    })
}

pub fn timer_busy(n: u64) -> f64 {
    in_task(async move {
        for _ in 0..4 {
            spawn(yields(u64::MAX));
        }
        let mut late = 0.0;
        for _ in 0..n {
            late += lateness(Duration::from_millis(1)).await;
        }
        late / n as f64
    })
}

/// By how many nanoseconds a sleep is longer than it was to be.
async fn lateness(duration: Duration) -> f64 {
    let start = Instant::now();
    sleep(duration).await;
    let late = start.elapsed().checked_sub(duration).expect("a timer never fires early");
    late.as_nanos() as f64
}

// Threads.

/// A number on its way from a thread to a task.
#[derive(Default)]
struct Letter {
    number: Option<u64>,
    reader: Option<Waker>,
}

impl Letter {
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<u64> {
        match self.number.take() {
            Some(number) => Poll::Ready(number),
            None => {
                self.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// The only row whose clock is on the other side: in the thread.
pub fn cross_wake(n: u64) -> f64 {
    let letter = Arc::new(Mutex::new(Letter::default()));
    let (answer, answers) = mpsc::channel();
    let written = letter.clone();
    let thread = thread::spawn(move || {
        let start = Instant::now();
        for i in 0..n {
            let mut letter = written.lock().unwrap();
            letter.number = Some(i);
            let reader = letter.reader.take();
            drop(letter);
            if let Some(reader) = reader {
                reader.wake();
            }
            assert_eq!(answers.recv(), Ok(i));
        }
        ns_each(start, n)
    });
    in_task(async move {
        for _ in 0..n {
            let number = poll_fn(|cx| letter.lock().unwrap().read(cx)).await;
            answer.send(number).unwrap();
        }
    });
    thread.join().unwrap()
}

// Combinators.

/// Children that wait to be woken, each of them once.
struct Children(Vec<Cell<Option<Waker>>>);

impl Children {
    /// Ready when it has been woken.
    async fn child(self: Rc<Self>, number: usize) {
        let mut polled = false;
        poll_fn(|cx| {
            if polled {
                return Poll::Ready(());
            }
            polled = true;
            self.0[number].set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await
    }

    /// Wakes all, in random order, and lets everybody have a turn after each.
    async fn wake_all(self: Rc<Self>) {
        let mut random = Random::new();
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, random.below(last as u64 + 1) as usize);
        }
        for number in order {
            self.0[number].take().expect("every child was polled").wake();
            yield_now().await;
        }
    }
}

/// `width` children under one `join_all`: a wake of one, with the poll of the whole that follows.
pub fn join_all(width: usize, n: u64) -> f64 {
    let rounds = n.div_ceil(width as u64);
    in_task(async move {
        let start = Instant::now();
        for _ in 0..rounds {
            let children = Rc::new(Children((0..width).map(|_| Cell::default()).collect()));
            let all = future::join_all((0..width).map(|number| children.clone().child(number)));
            let all = spawn(all);
            yield_now().await;
            children.wake_all().await;
            assert_eq!(all.await.unwrap().len(), width);
        }
        ns_each(start, rounds * width as u64)
    })
}

pub fn select_ready(n: u64) -> f64 {
    in_task(async move {
        let mut sum = 0;
        let start = Instant::now();
        for i in 0..n {
            let i = black_box(i);
            sum += select! {
                i = ready(i) => i,
                i = ready(i) => i,
            };
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

/// A set with so many members at a time: each is spawned, and taken out when it is finished.
pub fn join_set(members: u64, n: u64) -> f64 {
    let rounds = n.div_ceil(members);
    in_task(async move {
        let start = Instant::now();
        for _ in 0..rounds {
            let mut set = JoinSet::new();
            for i in 0..members {
                set.spawn(async move { black_box(i) });
            }
            let mut sum = 0;
            while let Some(result) = set.join_next().await {
                sum += result.unwrap();
            }
            assert_eq!(sum, sum_below(members));
        }
        ns_each(start, rounds * members)
    })
}

// The start of an executor.

pub fn blockon_ready(n: u64) -> f64 {
    let executor = Executor::new();
    let start = Instant::now();
    for i in 0..n {
        black_box(executor.block_on(async move { black_box(i) }));
    }
    ns_each(start, n)
}

pub fn blockon_fresh(n: u64) -> f64 {
    let start = Instant::now();
    for i in 0..n {
        black_box(block_on(async move { black_box(i) }));
    }
    ns_each(start, n)
}

// Memory.

pub fn mem_task(n: u64) -> f64 {
    bytes_each(n, |_| pending())
}

pub fn mem_sleep(n: u64) -> f64 {
    bytes_each(n, |i| sleep(Duration::from_secs(86_400 + i % 1_000)))
}

/// What tasks take that have been polled once and wait for `future`. Their handles are kept; the
/// room for these is not counted. Besides `future` a task holds a number and a pointer.
pub fn bytes_each<F>(n: u64, future: impl Fn(u64) -> F + Clone + 'static) -> f64
where
    F: Future<Output = ()> + 'static,
{
    in_task(async move {
        let started = Rc::new(Cell::new(0));
        let mut handles = Vec::with_capacity(n as usize);
        alloc::start();
        for i in 0..n {
            let (started, future) = (started.clone(), future.clone());
            handles.push(spawn(async move {
                started.set(started.get() + 1);
                future(i).await;
                black_box((i, started));
            }));
        }
        yield_now().await;
        let bytes = alloc::stop();
        assert_eq!(started.get(), n);
        bytes as f64 / n as f64
    })
}
