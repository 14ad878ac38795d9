//! The rows of `handspun::sync`: what channels and locks cost.
//!
//! A name that ends in `_free` means that nobody waits: one task does it all. In the other rows
//! tasks wait for one another, so that a wake-up is part of the operation, and the turn that
//! follows it. Where many tasks take part, the figure is for one of them, and so it tells whether
//! each costs more when there are more.

use crate::alloc;
use crate::rows::{bytes_each, in_task, ns_each, sum_below};
use handspun::sync::{
    Barrier, CancellationToken, Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast, mpsc,
    oneshot, watch,
};
use handspun::task::{JoinHandle, yield_now};
use handspun::{select, spawn};
use std::cell::Cell;
use std::future::{Future, poll_fn, ready};
use std::hint::black_box;
use std::pin::pin;
use std::rc::Rc;
use std::sync::mpsc::channel as std_channel;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Instant;

/// How many tasks want the same, where it is not the row that says it.
const TASKS: u64 = 100;

/// How many values an unbounded channel gets before the others have a turn.
const BURST: u64 = 256;

/// Spawns so many tasks, each of which is told its number.
fn spawn_all<F>(tasks: u64, task: impl Fn(u64) -> F) -> Vec<JoinHandle<u64>>
where
    F: Future<Output = u64> + 'static,
{
    (0..tasks).map(|number| spawn(task(number))).collect()
}

/// Waits for all of them: the sum of what they return.
async fn join_all(handles: Vec<JoinHandle<u64>>) -> u64 {
    let mut sum = 0;
    for handle in handles {
        sum += handle.await.unwrap();
    }
    sum
}

// mpsc.

pub fn pingpong_unb(n: u64) -> f64 {
    in_task(async move {
        let (ping, mut pings) = mpsc::unbounded_channel();
        let (pong, mut pongs) = mpsc::unbounded_channel();
        let start = Instant::now();
        let other = spawn(async move {
            while let Some(i) = pings.recv().await {
                pong.send(i + 1).unwrap();
            }
        });
        let mut sum = 0;
        for i in 0..n {
            ping.send(i).unwrap();
            sum += pongs.recv().await.unwrap();
        }
        drop(ping);
        other.await.unwrap();
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n + 1));
        figure
    })
}

pub fn pingpong_b1(n: u64) -> f64 {
    in_task(async move {
        let (ping, mut pings) = mpsc::channel(1);
        let (pong, mut pongs) = mpsc::channel(1);
        let start = Instant::now();
        let other = spawn(async move {
            while let Some(i) = pings.recv().await {
                pong.send(i + 1).await.unwrap();
            }
        });
        let mut sum = 0;
        for i in 0..n {
            ping.send(i).await.unwrap();
            sum += pongs.recv().await.unwrap();
        }
        drop(ping);
        other.await.unwrap();
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n + 1));
        figure
    })
}

pub fn mpsc_free(n: u64) -> f64 {
    in_task(async move {
        let (sender, mut receiver) = mpsc::channel(64);
        let mut sum = 0;
        let start = Instant::now();
        for i in 0..n {
            sender.send(black_box(i)).await.unwrap();
            sum += receiver.recv().await.unwrap();
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

pub fn mpsc_unb(n: u64) -> f64 {
    in_task(async move {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let start = Instant::now();
        spawn(async move {
            for i in 0..n {
                sender.send(i).unwrap();
                if i % BURST == BURST - 1 {
                    yield_now().await;
                }
            }
        });
        let mut sum = 0;
        while let Some(i) = receiver.recv().await {
            sum += i;
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

pub fn mpsc_b64(n: u64) -> f64 {
    in_task(async move {
        let (sender, mut receiver) = mpsc::channel(64);
        let start = Instant::now();
        spawn(async move {
            for i in 0..n {
                sender.send(i).await.unwrap();
            }
        });
        let mut sum = 0;
        while let Some(i) = receiver.recv().await {
            sum += i;
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

pub fn mpsc_reserve(n: u64) -> f64 {
    in_task(async move {
        let (sender, mut receiver) = mpsc::channel(64);
        let start = Instant::now();
        spawn(async move {
            for i in 0..n {
                sender.reserve().await.unwrap().send(i);
            }
        });
        let mut sum = 0;
        while let Some(i) = receiver.recv().await {
            sum += i;
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

pub fn mpsc_many(n: u64) -> f64 {
    let each = n.div_ceil(TASKS);
    in_task(async move {
        let (sender, mut receiver) = mpsc::channel(64);
        let start = Instant::now();
        spawn_all(TASKS, |_| {
            let sender = sender.clone();
            async move {
                for i in 0..each {
                    sender.send(i).await.unwrap();
                }
                each
            }
        });
        drop(sender);
        let mut sum = 0;
        while let Some(i) = receiver.recv().await {
            sum += i;
        }
        let figure = ns_each(start, TASKS * each);
        assert_eq!(sum, TASKS * sum_below(each));
        figure
    })
}

/// A loop over two channels, as the tasks of a server have one.
pub fn select_loop(n: u64) -> f64 {
    in_task(async move {
        let (even, mut evens) = mpsc::unbounded_channel();
        let (odd, mut odds) = mpsc::unbounded_channel();
        let start = Instant::now();
        let producer = spawn(async move {
            for i in 0..n {
                let sender = if i % 2 == 0 { &even } else { &odd };
                sender.send(i).unwrap();
                if i % 64 == 63 {
                    yield_now().await;
                }
            }
            // Not dropped before the end: a channel that is over is always ready.
            (even, odd)
        });
        let mut sum = 0;
        for _ in 0..n {
            sum += select! {
                i = evens.recv() => i.unwrap(),
                i = odds.recv() => i.unwrap(),
            };
        }
        producer.await.unwrap();
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

/// As `cross_wake`, with the clock in the thread, but through a channel.
pub fn cross_chan(n: u64) -> f64 {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let (answer, answers) = std_channel();
    let thread = thread::spawn(move || {
        let start = Instant::now();
        for i in 0..n {
            sender.send(i).unwrap();
            assert_eq!(answers.recv(), Ok(i));
        }
        ns_each(start, n)
    });
    in_task(async move {
        while let Some(number) = receiver.recv().await {
            answer.send(number).unwrap();
        }
    });
    thread.join().unwrap()
}

// oneshot.

pub fn oneshot_free(n: u64) -> f64 {
    in_task(async move {
        let mut sum = 0;
        let start = Instant::now();
        for i in 0..n {
            let (sender, receiver) = oneshot::channel();
            sender.send(black_box(i)).unwrap();
            sum += receiver.await.unwrap();
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

/// A request on its way to the task that answers. It costs as little as can be: the row is about
/// the answer.
#[derive(Default)]
struct Request {
    sender: Cell<Option<oneshot::Sender<u64>>>,
    reader: Cell<Option<Waker>>,
}

impl Request {
    fn write(&self, sender: oneshot::Sender<u64>) {
        self.sender.set(Some(sender));
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    async fn read(&self) -> oneshot::Sender<u64> {
        poll_fn(|cx| match self.sender.take() {
            Some(sender) => Poll::Ready(sender),
            None => {
                self.reader.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }
}

pub fn oneshot(n: u64) -> f64 {
    in_task(async move {
        let request = Rc::new(Request::default());
        let requests = request.clone();
        let start = Instant::now();
        spawn(async move {
            for i in 0..n {
                requests.read().await.send(i).unwrap();
            }
        });
        let mut sum = 0;
        for _ in 0..n {
            let (sender, receiver) = oneshot::channel();
            request.write(sender);
            sum += receiver.await.unwrap();
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

// watch and broadcast.

pub fn watch_free(n: u64) -> f64 {
    in_task(async move {
        let (sender, mut receiver) = watch::channel(0);
        let mut sum = 0;
        let start = Instant::now();
        for i in 0..n {
            sender.send(black_box(i)).unwrap();
            receiver.changed().await.unwrap();
            sum += *receiver.borrow_and_update();
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

/// One value after another: all have seen it before the next is sent.
pub fn watch(receivers: u64, n: u64) -> f64 {
    let values = n.div_ceil(receivers);
    in_task(async move {
        let sender = watch::Sender::new(0);
        let start = Instant::now();
        let handles = spawn_all(receivers, |_| {
            let mut receiver = sender.subscribe();
            async move {
                let mut sum = 0;
                while receiver.changed().await.is_ok() {
                    sum += *receiver.borrow_and_update();
                }
                sum
            }
        });
        for i in 0..values {
            sender.send(i).unwrap();
            yield_now().await;
        }
        drop(sender);
        let sum = join_all(handles).await;
        let figure = ns_each(start, receivers * values);
        assert_eq!(sum, receivers * sum_below(values));
        figure
    })
}

pub fn broadcast_free(n: u64) -> f64 {
    in_task(async move {
        let (sender, mut receiver) = broadcast::channel(64);
        let mut sum = 0;
        let start = Instant::now();
        for i in 0..n {
            sender.send(black_box(i)).unwrap();
            sum += receiver.recv().await.unwrap();
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

/// One value after another: all have received it before the next is sent.
pub fn broadcast(receivers: u64, n: u64) -> f64 {
    let values = n.div_ceil(receivers);
    in_task(async move {
        let sender = broadcast::Sender::new(64);
        let start = Instant::now();
        let handles = spawn_all(receivers, |_| {
            let mut receiver = sender.subscribe();
            async move {
                let mut sum = 0;
                while let Ok(i) = receiver.recv().await {
                    sum += i;
                }
                sum
            }
        });
        for i in 0..values {
            sender.send(i).unwrap();
            yield_now().await;
        }
        drop(sender);
        let sum = join_all(handles).await;
        let figure = ns_each(start, receivers * values);
        assert_eq!(sum, receivers * sum_below(values));
        figure
    })
}

// Semaphore.

pub fn sem_free(n: u64) -> f64 {
    in_task(async move {
        let semaphore = Semaphore::new(10);
        let start = Instant::now();
        for _ in 0..n {
            drop(black_box(semaphore.acquire().await.unwrap()));
        }
        let figure = ns_each(start, n);
        assert_eq!(semaphore.available_permits(), 10);
        figure
    })
}

/// Ten permits, each held over a turn: all but ten tasks stand in line.
pub fn sem(tasks: u64, n: u64) -> f64 {
    let each = n.div_ceil(tasks);
    in_task(async move {
        let semaphore = Rc::new(Semaphore::new(10));
        let inside = Rc::new(Cell::new(0));
        let start = Instant::now();
        let handles = spawn_all(tasks, |_| {
            let (semaphore, inside) = (semaphore.clone(), inside.clone());
            async move {
                for _ in 0..each {
                    let permit = semaphore.acquire().await.unwrap();
                    inside.set(inside.get() + 1);
                    assert!(inside.get() <= 10);
                    yield_now().await;
                    inside.set(inside.get() - 1);
                    drop(permit);
                }
                each
            }
        });
        let sum = join_all(handles).await;
        let figure = ns_each(start, tasks * each);
        assert_eq!(sum, tasks * each);
        figure
    })
}

// Mutex and RwLock.

pub fn mutex_free(n: u64) -> f64 {
    in_task(async move {
        let mutex = Mutex::new(0);
        let start = Instant::now();
        for i in 0..n {
            *mutex.lock().await += black_box(i);
        }
        let figure = ns_each(start, n);
        assert_eq!(mutex.into_inner(), sum_below(n));
        figure
    })
}

pub fn mutex(n: u64) -> f64 {
    let each = n.div_ceil(TASKS);
    in_task(async move {
        let mutex = Rc::new(Mutex::new(0));
        let start = Instant::now();
        let handles = spawn_all(TASKS, |_| {
            let mutex = mutex.clone();
            async move {
                for _ in 0..each {
                    let mut count = mutex.lock().await;
                    let before = *count;
                    yield_now().await;
                    *count = before + 1;
                }
                each
            }
        });
        let sum = join_all(handles).await;
        let figure = ns_each(start, TASKS * each);
        assert_eq!(*mutex.lock().await, sum);
        figure
    })
}

pub fn rwlock_read_free(n: u64) -> f64 {
    in_task(async move {
        let lock = RwLock::new(1);
        let mut sum = 0;
        let start = Instant::now();
        for _ in 0..n {
            sum += *black_box(lock.read().await);
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, n);
        figure
    })
}

pub fn rwlock_write_free(n: u64) -> f64 {
    in_task(async move {
        let lock = RwLock::new(0);
        let start = Instant::now();
        for i in 0..n {
            *lock.write().await += black_box(i);
        }
        let figure = ns_each(start, n);
        assert_eq!(lock.into_inner(), sum_below(n));
        figure
    })
}

/// Each task writes every tenth time, and reads the other times.
pub fn rwlock(n: u64) -> f64 {
    let each = n.div_ceil(TASKS);
    in_task(async move {
        let lock = Rc::new(RwLock::new(0));
        let start = Instant::now();
        let handles = spawn_all(TASKS, |number| {
            let lock = lock.clone();
            async move {
                let mut writes = 0;
                for i in 0..each {
                    if (number + i) % 10 == 0 {
                        let mut count = lock.write().await;
                        let before = *count;
                        yield_now().await;
                        *count = before + 1;
                        writes += 1;
                    } else {
                        let count = lock.read().await;
                        let before = *count;
                        yield_now().await;
                        assert_eq!(*count, before);
                    }
                }
                writes
            }
        });
        let writes = join_all(handles).await;
        let figure = ns_each(start, TASKS * each);
        assert_eq!(*lock.read().await, writes);
        figure
    })
}

// Notify and Barrier.

pub fn notify_free(n: u64) -> f64 {
    in_task(async move {
        let notify = Notify::new();
        let start = Instant::now();
        for _ in 0..n {
            notify.notify_one();
            notify.notified().await;
        }
        ns_each(start, n)
    })
}

pub fn notify(n: u64) -> f64 {
    in_task(async move {
        let ping = Rc::new(Notify::new());
        let pong = Rc::new(Notify::new());
        let (pinged, ponged) = (ping.clone(), pong.clone());
        let start = Instant::now();
        let other = spawn(async move {
            let mut count = 0;
            for _ in 0..n {
                pinged.notified().await;
                count += 1;
                pong.notify_one();
            }
            count
        });
        for _ in 0..n {
            ping.notify_one();
            ponged.notified().await;
        }
        let count = other.await.unwrap();
        let figure = ns_each(start, n);
        assert_eq!(count, n);
        figure
    })
}

pub fn notify_waiters(n: u64) -> f64 {
    let rounds = n.div_ceil(TASKS);
    in_task(async move {
        let notify = Rc::new(Notify::new());
        let count = Rc::new(Cell::new(0));
        let handles = spawn_all(TASKS, |_| {
            let (notify, count) = (notify.clone(), count.clone());
            async move {
                for _ in 0..rounds {
                    notify.notified().await;
                    count.set(count.get() + 1);
                }
                rounds
            }
        });
        // Whoever does not wait yet is not notified.
        yield_now().await;
        let start = Instant::now();
        for _ in 0..rounds {
            notify.notify_waiters();
            yield_now().await;
        }
        let figure = ns_each(start, TASKS * rounds);
        assert_eq!(count.get(), join_all(handles).await);
        figure
    })
}

pub fn barrier(tasks: u64, n: u64) -> f64 {
    let rounds = n.div_ceil(tasks);
    in_task(async move {
        let barrier = Rc::new(Barrier::new(tasks as usize));
        let start = Instant::now();
        let handles = spawn_all(tasks, |_| {
            let barrier = barrier.clone();
            async move {
                let mut led = 0;
                for _ in 0..rounds {
                    led += u64::from(barrier.wait().await.is_leader());
                }
                led
            }
        });
        let led = join_all(handles).await;
        let figure = ns_each(start, tasks * rounds);
        assert_eq!(led, rounds);
        figure
    })
}

// OnceCell and CancellationToken.

pub fn once_cell_get(n: u64) -> f64 {
    in_task(async move {
        let cell = black_box(OnceCell::new_with(Some(1)));
        let mut sum = 0;
        let start = Instant::now();
        for i in 0..n {
            sum += *cell.get_or_init(|| ready(black_box(i))).await;
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, n);
        figure
    })
}

pub fn once_cell_init(n: u64) -> f64 {
    in_task(async move {
        let mut sum = 0;
        let start = Instant::now();
        for i in 0..n {
            let cell = OnceCell::new();
            sum += *cell.get_or_init(|| ready(black_box(i))).await;
        }
        let figure = ns_each(start, n);
        assert_eq!(sum, sum_below(n));
        figure
    })
}

/// The first makes the value, which takes a turn, and the others wait for it.
pub fn once_cell_wait(n: u64) -> f64 {
    let rounds = n.div_ceil(TASKS);
    in_task(async move {
        let mut sum = 0;
        let start = Instant::now();
        for _ in 0..rounds {
            let cell = Rc::new(OnceCell::new());
            let handles = spawn_all(TASKS, |number| {
                let cell = cell.clone();
                let make = async move || {
                    yield_now().await;
                    number + 1
                };
                async move { *cell.get_or_init(make).await }
            });
            sum += join_all(handles).await;
        }
        let figure = ns_each(start, TASKS * rounds);
        assert_eq!(sum, TASKS * rounds);
        figure
    })
}

pub fn token_free(n: u64) -> f64 {
    in_task(async move {
        let token = CancellationToken::new();
        let start = Instant::now();
        for _ in 0..n {
            let mut cancelled = pin!(token.cancelled());
            poll_fn(|cx| {
                assert!(cancelled.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
        }
        ns_each(start, n)
    })
}

pub fn token_cancel(n: u64) -> f64 {
    let rounds = n.div_ceil(TASKS);
    in_task(async move {
        let mut sum = 0;
        let start = Instant::now();
        for _ in 0..rounds {
            let token = CancellationToken::new();
            let handles = spawn_all(TASKS, |_| {
                let cancelled = token.clone().cancelled_owned();
                async move {
                    cancelled.await;
                    1
                }
            });
            yield_now().await;
            token.cancel();
            sum += join_all(handles).await;
        }
        let figure = ns_each(start, TASKS * rounds);
        assert_eq!(sum, TASKS * rounds);
        figure
    })
}

// Memory.

pub fn mem_waiter(n: u64) -> f64 {
    let semaphore = Rc::new(Semaphore::new(0));
    bytes_each(n, move |_| {
        let semaphore = semaphore.clone();
        async move { drop(semaphore.acquire().await) }
    })
}

pub fn mem_unb(n: u64) -> f64 {
    in_task(async move {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        spawn(async move {
            let mut i = 0;
            while sender.send(i).is_ok() {
                i += 1;
                if i % BURST == 0 {
                    yield_now().await;
                }
            }
        });
        growth(n, async || receiver.recv().await.unwrap()).await
    })
}

pub fn mem_b64(n: u64) -> f64 {
    in_task(async move {
        let (sender, mut receiver) = mpsc::channel(64);
        spawn(async move {
            let mut i = 0;
            while sender.send(i).await.is_ok() {
                i += 1;
            }
        });
        growth(n, async || receiver.recv().await.unwrap()).await
    })
}

/// How many more bytes are in use when `n` messages have followed the first ten thousand.
///
/// By then the queues have the room that they need, and whatever is added is lost memory. A few
/// bytes would be no harm, if a queue ever grew later than that.
async fn growth(n: u64, mut receive: impl AsyncFnMut() -> u64) -> f64 {
    const FIRST: u64 = 10_000;
    for i in 0..FIRST {
        assert_eq!(receive().await, i);
    }
    alloc::start();
    for i in FIRST..FIRST + n {
        assert_eq!(receive().await, i);
    }
    let bytes = alloc::stop();
    assert!(bytes.abs() < 1_000, "{n} messages left {bytes} bytes behind");
    bytes as f64
}
