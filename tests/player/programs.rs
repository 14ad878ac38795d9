//! The runs that the player has to play: small programs that together make every kind of event.

use handspun::executor::Executor;
use handspun::future::join_all;
use handspun::select;
use handspun::spawn;
use handspun::sync::{Mutex, Notify, Semaphore, broadcast, mpsc, oneshot, watch};
use handspun::task::{Builder, JoinSet, id, spawn_blocking, yield_now};
use handspun::time::{Duration, interval, sleep, timeout};
use handspun::trace::{Record, Trace, mark, value};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

const MS: Duration = Duration::from_millis(1);

/// All of them that are of a size to be looked at event by event.
pub fn all() -> Vec<(&'static str, Trace)> {
    vec![
        ("tour", tour()),
        ("channels", channels()),
        ("lines", lines()),
        ("timers", timers()),
        ("aborts", aborts()),
        ("panics", panics()),
        ("root panics", root_panics()),
        ("two block_ons", two_block_ons()),
        ("threads", threads()),
        ("sockets", sockets()),
        ("forgotten", forgotten()),
        ("forgotten long ago", forgotten_long_ago()),
        ("one event kept", dropped(1)),
        ("40 events kept", dropped(40)),
        ("lines with holes", with_holes(lines(), 2)),
        ("timers with holes", with_holes(timers(), 3)),
        ("aborts with holes", with_holes(aborts(), 4)),
        ("empty", Trace::default()),
    ]
}

fn recorded(capacity: usize) -> Executor {
    Executor::builder().start_paused(true).seed(1).record(capacity).build()
}

/// The whole run of one root.
fn run(root: impl Future) -> Trace {
    let executor = recorded(1_000_000);
    executor.block_on(root);
    executor.into_trace()
}

fn named<F: Future<Output: 'static> + 'static>(name: &str, future: F) {
    Builder::new().name(name).spawn(future);
}

/// The tour of the examples.
pub fn tour() -> Trace {
    run(async {
        let db = Builder::new().name("db").spawn(sleep(300 * MS));
        let cache = Builder::new().name("cache").spawn(sleep(200 * MS));
        let server = Builder::new().name("server").spawn(async move {
            db.await.unwrap();
            cache.await.unwrap();
            mark("open");
            sleep(700 * MS).await;
        });
        server.await.unwrap();
    })
}

pub fn channels() -> Trace {
    run(async {
        let (sender, mut receiver) = mpsc::channel(2);
        for producer in ["fast", "slow", "fast"] {
            let sender = sender.clone();
            named(producer, async move {
                for number in 0..2 {
                    let pause = if producer == "slow" { 7 * MS } else { MS };
                    sleep(pause).await;
                    sender.send(number).await.unwrap();
                }
            });
        }
        drop(sender);
        let (state, mut changes) = watch::channel(0);
        let (news, mut listener) = broadcast::channel(4);
        let (answer, question) = oneshot::channel();
        named("watcher", async move { while changes.changed().await.is_ok() {} });
        named("listener", async move { while listener.recv().await.is_ok() {} });
        named("asker", async move { question.await.unwrap() });
        let mut received = 0;
        while let Some(number) = receiver.recv().await {
            sleep(2 * MS).await;
            received += 1;
            value("received", received);
            state.send_replace(number);
            news.send(number).unwrap();
        }
        answer.send(()).unwrap();
        yield_now().await;
    })
}

pub fn lines() -> Trace {
    run(async {
        let mutex = Rc::new(Mutex::new(0));
        let permits = Arc::new(Semaphore::new(2));
        let bell = Rc::new(Notify::new());
        let workers = (0..6).map(|number| {
            let (mutex, permits, bell) = (mutex.clone(), permits.clone(), bell.clone());
            Builder::new().name(format!("worker {number}")).spawn(async move {
                let permit = permits.acquire_many(1 + number % 2).await.unwrap();
                let mut shared = mutex.lock().await;
                sleep(3 * MS).await;
                *shared += 1;
                drop((shared, permit));
                let _ = timeout((number + 1) * MS, bell.notified()).await;
            })
        });
        let workers: Vec<_> = workers.collect();
        sleep(4 * MS).await;
        bell.notify_one();
        sleep(20 * MS).await;
        bell.notify_waiters();
        join_all(workers).await;
    })
}

pub fn timers() -> Trace {
    run(async {
        let mut ticks = interval(10 * MS);
        let mut last = pin!(sleep(35 * MS));
        let unpolled = sleep(MS);
        let never = Builder::new().name("never").spawn(sleep(Duration::MAX));
        let due = sleep(Duration::ZERO);
        loop {
            select! {
                _ = ticks.tick() => yield_now().await,
                () = &mut last => break,
            }
        }
        last.as_mut().reset(handspun::time::Instant::now() + 5 * MS);
        last.as_mut().await;
        due.await;
        // Put off while it is on the wheel, and dropped while it is.
        let mut again = Box::pin(sleep(8 * MS));
        assert!(timeout(MS, &mut again).await.is_err());
        again.as_mut().reset(handspun::time::Instant::now() + 50 * MS);
        assert!(timeout(MS, &mut again).await.is_err());
        drop((again, unpolled));
        handspun::time::advance(MS / 2).await;
        never.abort();
    })
}

pub fn aborts() -> Trace {
    run(async {
        let queued = Builder::new().name("queued").spawn(async {});
        queued.abort();
        let idle = Builder::new().name("idle").spawn(sleep(1_000 * MS));
        let (to_itself, handle) = oneshot::channel();
        let itself = Builder::new().name("itself").spawn(async move {
            let handle: handspun::task::AbortHandle = handle.await.unwrap();
            handle.abort();
            yield_now().await;
        });
        let _ = to_itself.send(itself.abort_handle());
        let mut set = JoinSet::new();
        for n in 0..3 {
            set.build_task().name(format!("of the set {n}")).spawn(sleep((n + 1) * MS));
        }
        set.join_next().await.unwrap().unwrap();
        drop(set);
        yield_now().await;
        idle.abort();
        idle.abort();
        for handle in [idle, itself] {
            assert!(handle.await.unwrap_err().is_cancelled());
        }
        named("left", pending::<()>());
        named("left in the queue", pending::<()>());
    })
}

fn panic_silently() -> ! {
    resume_unwind(Box::new("on purpose"))
}

/// Spawns a task when it is dropped, and panics.
struct Trap;

impl Drop for Trap {
    fn drop(&mut self) {
        named("spawned by a destructor", async {});
        panic_silently();
    }
}

pub fn panics() -> Trace {
    run(async {
        let at_once = Builder::new().name("at once").spawn(async { panic_silently() });
        let later = Builder::new().name("later").spawn(async {
            sleep(MS).await;
            panic_silently()
        });
        let destructor = Builder::new().name("destructor").spawn(async {
            let _trap = Trap;
            pending::<()>().await
        });
        assert!(at_once.await.unwrap_err().is_panic());
        assert!(later.await.unwrap_err().is_panic());
        destructor.abort();
        destructor.await.unwrap_err();
    })
}

fn root_panics() -> Trace {
    let executor = recorded(1_000);
    let root = async {
        for name in ["waiting", "queued"] {
            named(name, sleep(MS));
        }
        yield_now().await;
        named("not polled", async {});
        panic_silently()
    };
    catch_unwind(AssertUnwindSafe(|| executor.block_on(root))).unwrap_err();
    executor.block_on(sleep(MS));
    executor.into_trace()
}

pub fn two_block_ons() -> Trace {
    let executor = recorded(1_000);
    let before = executor.spawn(async { sleep(5 * MS).await });
    executor.block_on(async {
        for n in 0..3 {
            named("left over", async move {
                loop {
                    sleep((n + 2) * MS).await;
                }
            });
        }
        timeout(3 * MS, Notify::new().notified()).await.unwrap_err();
        spawn(async {});
    });
    executor.spawn(async { mark("between") });
    executor.block_on(async {
        before.await.unwrap();
        sleep(3 * MS).await;
    });
    executor.into_trace()
}

/// On the real clock, and with wakes from another thread: no two runs are the same.
pub fn threads() -> Trace {
    let executor = Executor::builder().record(1_000).build();
    executor.block_on(async {
        let blocking = (0..3).map(|n| spawn_blocking(move || std::thread::sleep(n * MS)));
        join_all(blocking).await;
        sleep(MS).await;
        std::thread::sleep(11 * MS);
    });
    executor.into_trace()
}

/// What is read and written here is this task's own: who is ready when does not depend on time.
#[cfg(unix)]
pub fn sockets() -> Trace {
    use handspun::net::{TcpStream, UdpSocket};
    use std::io::Write;
    use std::net;

    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut other = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    // On a clock that runs.
    let executor = Executor::builder().record(1_000).build();
    executor.block_on(async {
        let mut stream = TcpStream::from_std(stream).unwrap();
        let has_read = Rc::new(Notify::new());
        let tells = has_read.clone();
        let reader = Builder::new().name("reader").spawn(async move {
            stream.read(&mut [0; 10]).await.unwrap();
            tells.notify_one(); // and waits again before root hears of it
            let bell = Notify::new();
            select! {
                _ = stream.readable() => {}
                _ = bell.notified() => {}
            }
        });
        sleep(2 * MS).await;
        other.write_all(b"one").unwrap();
        has_read.notified().await;
        other.write_all(b"two").unwrap();
        reader.await.unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut bytes = [0; 10];
        let (_, sent) = handspun::join!(socket.recv(&mut bytes), async {
            socket.try_send_to(b"three", socket.local_addr().unwrap())
        });
        sent.unwrap();
    });
    executor.into_trace()
}

#[cfg(not(unix))]
pub fn sockets() -> Trace {
    Trace::default()
}

/// Two that are lost, and older than what was kept.
pub fn forgotten_long_ago() -> Trace {
    let executor = recorded(6);
    executor.block_on(async {
        named("nobody has its waker", pending::<()>());
        let kept = Rc::new(std::cell::RefCell::new(None));
        let keeps = kept.clone();
        named("its waker was dropped", async move {
            poll_fn(|cx| {
                *keeps.borrow_mut() = Some(cx.waker().clone());
                Poll::<()>::Pending
            })
            .await
        });
        yield_now().await;
        kept.take();
        for _ in 0..10 {
            yield_now().await;
        }
    });
    executor.trace()
}

fn forgotten() -> Trace {
    run(async {
        named("nobody has its waker", pending::<()>());
        let mut kept = None;
        let (sender, receiver) = oneshot::channel();
        named("its waker is dropped", async move {
            let mut sender = Some(sender);
            poll_fn(|cx| {
                if let Some(sender) = sender.take() {
                    sender.send(cx.waker().clone()).unwrap();
                }
                Poll::<()>::Pending
            })
            .await
        });
        let waker = receiver.await.unwrap();
        waker.wake_by_ref();
        waker.wake_by_ref();
        yield_now().await;
        kept.replace(waker);
        sleep(MS).await;
        drop(kept);
        // Woken while it is polled, twice; and when it is over.
        let own = poll_fn(|cx| {
            cx.waker().wake_by_ref();
            cx.waker().wake_by_ref();
            Poll::Ready(cx.waker().clone())
        });
        let waker = Builder::new().name("over").spawn(own).await.unwrap();
        waker.wake();
    })
}

/// The end of a long run, of which only so many events were kept.
pub fn dropped(capacity: usize) -> Trace {
    let executor = recorded(capacity);
    executor.block_on(async {
        let mutex = Rc::new(Mutex::new(()));
        for n in 0..4 {
            let mutex = mutex.clone();
            named(&format!("early {n}"), async move {
                loop {
                    let _guard = mutex.lock().await;
                    sleep(2 * MS).await;
                }
            });
        }
        for _ in 0..20 {
            sleep(MS).await;
            yield_now().await;
        }
    });
    executor.into_trace()
}

/// What never happened: a run from which every so-and-so-many-th event was taken out. The replay
/// makes of it what it can, and the player must make the same.
fn with_holes(trace: Trace, period: usize) -> Trace {
    let records = trace.records().iter().cloned().enumerate();
    let kept = records.filter(|(number, _)| number % period != period - 1);
    Trace::from_records(kept.map(|(_, record)| record).collect())
}

/// At least so many events of so many tasks.
pub fn big(tasks: u32, events: usize) -> Trace {
    let executor = recorded(2 * events);
    executor.block_on(async move {
        let (mutex, count) = (Rc::new(Mutex::new(())), Rc::new(std::cell::Cell::new(0)));
        let (sender, mut receiver) = mpsc::channel(8);
        for n in 0..tasks {
            let (mutex, count, sender) = (mutex.clone(), count.clone(), sender.clone());
            named(&format!("client {n}"), async move {
                loop {
                    sleep((1 + n % 17) * MS).await;
                    if n % 10 == 0 {
                        let _guard = mutex.lock().await;
                        yield_now().await;
                    }
                    sender.send(id()).await.unwrap();
                    count.set(count.get() + 1);
                    value("sent", count.get());
                }
            });
        }
        named("server", async move { while receiver.recv().await.is_some() {} });
        loop {
            sleep(MS).await;
            let so_far = handspun::trace::current().unwrap().records().len();
            if so_far >= events {
                break;
            }
            sleep(20 * MS).await;
        }
    });
    executor.into_trace()
}

/// A run of nothing but these names, in all places that take one.
pub fn names(names: &[String]) -> Trace {
    let names = names.to_vec();
    run(async move {
        for name in &names {
            named(name, sleep(MS));
            mark(name);
            value(name, 1);
        }
        sleep(2 * MS).await;
    })
}

/// What a user might call a task, and should not.
pub fn hostile_names() -> Vec<String> {
    let hostile = [
        "",
        " ",
        "'single' \"double\" `back` \\ ${pwned = 1}",
        "two\nlines\r\nor\tthree\u{2028}\u{2029}",
        "</script><script>window.pwned = 1</script>",
        "<!--<script>",
        "]]>--></style></title>",
        "<img src=x onerror='window.pwned = 1'>",
        "javascript:window.pwned=1",
        "&lt;b&gt;&amp;&#39;",
        "{{script}} {{style}} {{trace}}",
        "__proto__",
        "constructor",
        "toString",
        "crab 🦀 family 👨‍👩‍👧 déjà",
        "\u{202e}backwards\u{200f}",
        "e\u{301}\u{302}\u{303}\u{304}",
        "\u{0}\u{1}\u{7}\u{1b}[31mred\u{7f}\u{feff}",
    ];
    let long = ["x".repeat(10_000), "many words ".repeat(1_000)];
    hostile.into_iter().map(String::from).chain(long).collect()
}

/// How many records there are of each kind, by the name that `Debug` gives it: so that a test can
/// say that none is missing.
pub fn kinds(traces: &[(&'static str, Trace)]) -> std::collections::BTreeSet<String> {
    let records = traces.iter().flat_map(|(_, trace)| trace.records());
    records.map(kind).collect()
}

fn kind(record: &Record) -> String {
    let debug = format!("{:?}", record.event);
    debug.split([' ', '(', '{']).next().unwrap_or("").to_string()
}
