//! How sockets share a thread with tasks, timers and other threads: in which executor they wait,
//! what ends a sleep, what a paused clock and a stall report make of them, how soon a ready one is
//! noticed (in polls), and that nothing happens when nothing happens.

use crate::hostile::{Call, hostile_waker};
use crate::support::{
    CountingWaker, History, assert_nobody_waits, bytes, caught, fill, listener, pair,
    pair_with_std, panics, poll_here, poll_once, poll_with, reporting, run, std_pair, udp,
};
use crate::watchdog::watched;
use handspun::executor::Executor;
use handspun::net::{TcpListener, TcpStream, UdpSocket};
use handspun::sync::{mpsc, oneshot};
use handspun::task::{JoinHandle, spawn_blocking, yield_now};
use handspun::time::{Duration, Instant, Sleep, sleep, timeout};
use handspun::trace::{self, Awaited, Cause, Event, Record};
use handspun::{block_on, join, select, spawn};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::mem;
use std::net;
use std::os::fd::AsRawFd;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// A future that waits for a byte, and owns its stream.
type Reading = Pin<Box<dyn Future<Output = io::Result<usize>>>>;

fn reading(mut stream: TcpStream) -> Reading {
    Box::pin(async move { stream.read(&mut [0]).await })
}

/// A future that waits for a byte in `executor`, and whose byte can be sent from outside.
fn pending_in(executor: &Executor) -> (Reading, net::TcpStream) {
    let (here, there) = pair_with_std();
    let mut reading = reading(here);
    executor.block_on(async { assert!(poll_here(reading.as_mut()).await.is_pending()) });
    (reading, there)
}

// Where a socket waits.

#[test]
fn a_socket_is_made_in_one_executor_and_used_in_the_next() {
    watched(|| {
        let listener = block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = block_on(TcpStream::connect(address)).unwrap();
        let (mut server, _) = block_on(listener.accept()).unwrap();
        block_on(client.write_all(b"abc")).unwrap();
        let mut buffer = [0; 3];
        // It waits in each of them.
        block_on(async {
            server.read_exact(&mut buffer).await.unwrap();
            let mut read = pin!(server.read(&mut buffer));
            assert!(poll_here(read.as_mut()).await.is_pending());
        });
        block_on(async {
            let ends = spawn(async move { client.shutdown().await });
            assert_eq!(server.read(&mut buffer).await.unwrap(), 0);
            ends.await.unwrap().unwrap();
        });
    });
}

#[test]
fn sockets_go_to_other_threads_and_wait_there() {
    watched(|| {
        let (mut here, mut there) = pair();
        let (listener, address) = listener();
        let (receiver, receives_at) = udp();
        block_on(async {
            // They have all waited here once.
            let (mut one, mut two) = ([0], [0]);
            assert!(poll_here(pin!(there.read(&mut one))).await.is_pending());
            assert!(poll_here(pin!(listener.accept())).await.is_pending());
            assert!(poll_here(pin!(receiver.recv(&mut two))).await.is_pending());
        });
        let thread = thread::spawn(move || {
            block_on(async {
                let (mut one, mut two) = ([0], [0]);
                let (read, accepted, received) =
                    join!(there.read(&mut one), listener.accept(), receiver.recv(&mut two));
                (read.unwrap(), accepted.unwrap().1, received.unwrap())
            })
        });
        let client = net::TcpStream::connect(address).unwrap();
        let sender = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.send_to(b"x", receives_at).unwrap();
        block_on(here.write_all(b"x")).unwrap();
        assert_eq!(thread.join().unwrap(), (1, client.local_addr().unwrap(), 1));
    });
}

#[test]
fn whoever_is_dropped_outside_of_every_executor_does_not_wait_any_more() {
    watched(|| {
        let executor = reporting();
        let (here, _there) = pair();
        let mut byte = [0];
        let mut peek = Box::pin(here.peek(&mut byte));
        executor.block_on(async { assert!(poll_here(peek.as_mut()).await.is_pending()) });
        drop(peek);
        assert_nobody_waits(&executor);
    });
}

#[test]
fn whoever_is_dropped_in_another_executor_does_not_wait_any_more() {
    watched(|| {
        let (executor, other) = (reporting(), reporting());
        let (here, _there) = pair();
        let mut byte = [0];
        let mut peek = Box::pin(here.peek(&mut byte));
        executor.block_on(async { assert!(poll_here(peek.as_mut()).await.is_pending()) });
        other.block_on(async move { drop(peek) });
        assert_nobody_waits(&executor);
        assert_nobody_waits(&other);
    });
}

#[test]
fn a_pending_read_goes_on_in_another_executor_and_waits_there_alone() {
    watched(|| {
        let (executor, other) = (reporting(), reporting());
        let (mut reading, mut there) = pending_in(&executor);
        other.block_on(async { assert!(poll_here(reading.as_mut()).await.is_pending()) });
        assert_nobody_waits(&executor);
        other.block_on(async {
            spawn(async move { there.write_all(b"x").unwrap() });
            assert_eq!(reading.await.unwrap(), 1);
        });
        assert_nobody_waits(&other);
    });
}

#[test]
fn a_pending_read_whose_executor_ends_is_woken_and_goes_on_in_the_next() {
    watched(|| {
        let executor = Executor::new();
        let (mut reading, mut there) = pending_in(&executor);
        let (woken, waker) = CountingWaker::new();
        executor.block_on(async { assert!(poll_with(&mut reading, &waker).is_pending()) });
        assert_eq!(woken.wakes(), 0);
        drop(executor);
        assert_eq!(woken.wakes(), 1);
        // Twice, since the first of them has the number of the one that has ended.
        for next in [reporting(), reporting()] {
            next.block_on(async { assert!(poll_here(reading.as_mut()).await.is_pending()) });
        }
        there.write_all(b"x").unwrap();
        assert_eq!(block_on(reading).unwrap(), 1);
    });
}

#[test]
fn a_task_that_waits_in_one_block_on_goes_on_in_the_next() {
    watched(|| {
        let executor = Executor::new();
        let (here, mut there) = pair_with_std();
        let task = executor.spawn(reading(here));
        executor.block_on(yield_now());
        there.write_all(b"x").unwrap();
        assert_eq!(executor.block_on(task).unwrap().unwrap(), 1);
    });
}

#[test]
fn an_executor_that_is_dropped_drops_those_who_wait_for_sockets() {
    watched(|| {
        let executor = Executor::new();
        let (here, mut there) = pair_with_std();
        executor.spawn(reading(here));
        executor.block_on(yield_now());
        drop(executor);
        assert_eq!(there.read(&mut [0]).unwrap(), 0, "its stream is closed");
    });
}

// Numbers that are used again.

#[test]
fn a_wait_that_was_leaked_does_not_disturb_the_next_socket_of_the_same_number() {
    run(async {
        let mut numbers_used_again = 0;
        for _ in 0..100 {
            let (mut here, _there) = pair_with_std();
            let number = here.as_raw_fd();
            {
                let mut buffer = [0];
                let mut read = Box::pin(here.read(&mut buffer));
                assert!(poll_here(read.as_mut()).await.is_pending());
                mem::forget(read);
            }
            drop(here);
            let (mut here, mut there) = pair_with_std();
            numbers_used_again += usize::from(here.as_raw_fd() == number);
            let mut buffer = [0; 10];
            {
                let mut read = pin!(here.read(&mut buffer));
                assert!(poll_here(read.as_mut()).await.is_pending());
                yield_now().await;
                there.write_all(b"abc").unwrap();
                assert_eq!(read.await.unwrap(), 3);
            }
            here.write_all(&buffer[..3]).await.unwrap();
            there.read_exact(&mut buffer[..3]).unwrap();
            drop(there);
            assert_eq!(here.read(&mut buffer).await.unwrap(), 0);
        }
        // Other tests open sockets meanwhile.
        assert!(numbers_used_again > 0);
    });
}

#[test]
fn sockets_that_come_and_go_under_the_same_numbers_while_others_wait() {
    run(async {
        let (listener, address) = listener();
        let (idle, _its_peer) = pair_with_std();
        let waits = spawn(reading(idle));
        let clients = thread::spawn(move || {
            for number in 0..300u16 {
                let mut client = net::TcpStream::connect(address).unwrap();
                client.write_all(&number.to_be_bytes()).unwrap();
                let mut echo = [0; 2];
                client.read_exact(&mut echo).unwrap();
                assert_eq!(u16::from_be_bytes(echo), number);
            }
        });
        for nth in 0..300u16 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let server = async move {
                let mut number = [0; 2];
                stream.read_exact(&mut number).await.unwrap();
                assert_eq!(u16::from_be_bytes(number), nth);
                stream.write_all(&number).await.unwrap();
            };
            // Here, or in a task that ends a little later.
            if nth % 2 == 0 { server.await } else { drop(spawn(server)) }
        }
        let clients = spawn_blocking(move || clients.join().unwrap());
        clients.await.unwrap();
        assert!(!waits.is_finished());
    });
}

// What ends a sleep.

/// A task that waits for a socket for ever, so that the executor sleeps in poll(2).
fn sleep_in_poll() -> net::TcpStream {
    let (here, there) = pair_with_std();
    spawn(reading(here));
    there
}

#[test]
fn threads_wake_tasks_through_channels_while_the_executor_waits_for_sockets() {
    run(async {
        let _idle = sleep_in_poll();
        let (to_thread, mut from_here) = mpsc::channel::<u32>(1);
        let (to_here, mut from_thread) = mpsc::channel::<u32>(1);
        let thread = thread::spawn(move || {
            while let Some(ball) = from_here.blocking_recv() {
                to_here.blocking_send(ball + 1).unwrap();
            }
        });
        for round in 0..2_000 {
            to_thread.send(round).await.unwrap();
            assert_eq!(from_thread.recv().await, Some(round + 1));
        }
        drop(to_thread);
        thread.join().unwrap();
    });
}

#[test]
fn blocking_closures_end_while_the_executor_waits_for_sockets() {
    run(async {
        let _idle = sleep_in_poll();
        for round in 0..500 {
            assert_eq!(spawn_blocking(move || round).await.unwrap(), round);
        }
    });
}

#[test]
fn raw_wakes_of_other_threads_end_the_sleep() {
    run(async {
        let _idle = sleep_in_poll();
        for _ in 0..500 {
            let slot: Arc<Mutex<(bool, Option<Waker>)>> = Arc::default();
            let thread_slot = slot.clone();
            let thread = thread::spawn(move || {
                let mut slot = thread_slot.lock().unwrap();
                slot.0 = true;
                slot.1.take().into_iter().for_each(Waker::wake);
            });
            poll_fn(|cx| {
                let mut slot = slot.lock().unwrap();
                slot.1 = Some(cx.waker().clone());
                if slot.0 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            thread.join().unwrap();
        }
    });
}

#[test]
fn the_first_wait_for_a_socket_moves_the_bell_and_no_wake_is_lost() {
    // Before it the executor sleeps in park, from then on in poll(2).
    for _ in 0..200 {
        run(async {
            let (sender, receiver) = oneshot::channel();
            let thread = thread::spawn(move || sender.send(1).unwrap());
            let _idle = sleep_in_poll();
            assert_eq!(receiver.await, Ok(1));
            thread.join().unwrap();
        });
    }
}

#[test]
fn an_executor_without_sockets_that_follows_one_with_sockets_is_woken_too() {
    for _ in 0..100 {
        run(async { drop(sleep_in_poll()) });
        run(async {
            let (sender, receiver) = oneshot::channel();
            let thread = thread::spawn(move || sender.send(1).unwrap());
            assert_eq!(receiver.await, Ok(1));
            thread.join().unwrap();
        });
    }
}

#[test]
fn a_socket_a_timer_and_a_thread_end_the_same_sleep() {
    run(async {
        let (mut here, mut there) = pair_with_std();
        let (ask, asked) = std::sync::mpsc::channel::<oneshot::Sender<u8>>();
        let thread = thread::spawn(move || {
            for answer in asked {
                answer.send(1).unwrap();
                there.write_all(b"x").unwrap();
            }
        });
        for _ in 0..300 {
            let (answer, answered) = oneshot::channel();
            ask.send(answer).unwrap();
            let mut buffer = [0; 10];
            let (read, sent, ()) = join!(here.read(&mut buffer), answered, sleep(MS / 10));
            assert_eq!((read.unwrap(), sent), (1, Ok(1)));
        }
        drop(ask);
        thread.join().unwrap();
    });
}

/// A timer that is far off as yet, and a task that waits for it. What is reset in one poll is armed
/// at one time, however long that poll takes.
fn timer(then: impl FnOnce() + 'static) -> (Rc<RefCell<Sleep>>, JoinHandle<()>) {
    let timer = Rc::new(RefCell::new(sleep(HOUR)));
    let awaited = timer.clone();
    let task = spawn(async move {
        poll_fn(|cx| Pin::new(&mut *awaited.borrow_mut()).poll(cx)).await;
        assert!(Instant::now() >= awaited.borrow().deadline(), "never early");
        then();
    });
    (timer, task)
}

fn reset(timer: &RefCell<Sleep>, deadline: Instant) {
    Pin::new(&mut *timer.borrow_mut()).reset(deadline);
}

#[test]
fn all_that_happened_during_one_poll_is_seen_after_it() {
    run(async {
        let history = History::new();
        let (here, mut there) = pair_with_std();
        let (sender, receiver) = oneshot::channel();
        let say = |what: &'static str| {
            let history = history.clone();
            move || history.push(what)
        };
        let (socket, thread) = (say("socket"), say("thread"));
        let (timer, timer_task) = timer(say("timer"));
        let tasks = [
            spawn(async move { reading(here).await.map(|_| socket()).unwrap() }),
            timer_task,
            spawn(async move {
                receiver.await.unwrap();
                thread();
            }),
        ];
        yield_now().await;
        // No look in between: this poll blocks.
        there.write_all(b"x").unwrap();
        thread::spawn(move || sender.send(()).unwrap()).join().unwrap();
        let deadline = Instant::now() + MS;
        reset(&timer, deadline);
        while Instant::now() < deadline {
            thread::yield_now();
        }
        for task in tasks {
            task.await.unwrap();
        }
        // Letters, timers, and sockets when there is nothing else to do.
        history.expect(["thread", "timer", "socket"]);
    });
}

// Timers.

#[test]
fn timers_fire_in_their_order_and_never_early_beside_sockets() {
    run(async {
        let _idle = sleep_in_poll();
        let (mut here, mut there) = pair();
        // Sockets are busy all the time.
        spawn(async move {
            let mut buffer = [0; 10];
            while let Ok(read @ 1..) = there.read(&mut buffer).await {
                there.write_all(&buffer[..read]).await.unwrap();
            }
        });
        let traffic = spawn(async move {
            loop {
                here.write_all(b"x").await.unwrap();
                here.read_exact(&mut [0]).await.unwrap();
                sleep(MS / 4).await;
            }
        });
        let fired = Rc::new(RefCell::new(Vec::new()));
        let (timers, tasks): (Vec<_>, Vec<_>) = (1..=30)
            .map(|after| {
                let fired = fired.clone();
                timer(move || fired.borrow_mut().push(after))
            })
            .unzip();
        yield_now().await;
        let start = Instant::now();
        for nth in (0..30).map(|nth| nth * 7 % 30) {
            reset(&timers[nth], start + (nth as u32 + 1) * MS);
        }
        for task in tasks {
            task.await.unwrap();
        }
        traffic.abort();
        assert_eq!(fired.take(), Vec::from_iter(1..=30));
    });
}

#[test]
fn a_timer_ends_a_wait_for_a_socket() {
    run(async {
        let (mut here, mut there) = pair_with_std();
        for _ in 0..20 {
            assert!(timeout(MS, here.read(&mut [0])).await.is_err());
        }
        there.write_all(b"x").unwrap();
        assert_eq!(timeout(HOUR, here.read(&mut [0])).await.unwrap().unwrap(), 1);
    });
}

fn paused() -> Executor {
    Executor::builder().start_paused(true).build()
}

#[test]
fn a_paused_clock_sees_ready_sockets_before_it_jumps() {
    watched(|| {
        paused().block_on(async {
            let start = Instant::now();
            let (here, mut there) = pair_with_std();
            there.write_all(b"x").unwrap();
            // Without a timer there is nothing to jump to.
            here.readable().await.unwrap();
            for _ in 0..10 {
                timeout(MS, here.readable()).await.expect("it is ready").unwrap();
            }
            assert_eq!(start.elapsed(), Duration::ZERO);
        });
    });
}

#[test]
fn a_paused_clock_does_not_wait_for_sockets_that_are_not_ready() {
    watched(|| {
        paused().block_on(async {
            let start = Instant::now();
            let (mut here, mut there) = pair_with_std();
            assert!(timeout(HOUR, here.read(&mut [0])).await.is_err());
            assert_eq!(start.elapsed(), HOUR);
            there.write_all(b"x").unwrap();
            here.readable().await.unwrap();
            assert_eq!(here.read(&mut [0]).await.unwrap(), 1);
            assert_eq!(start.elapsed(), HOUR);
        });
    });
}

#[test]
fn a_paused_clock_without_timers_waits_for_sockets() {
    watched(|| {
        paused().block_on(async {
            let (mut here, mut there) = pair_with_std();
            let writes = thread::spawn(move || there.write_all(b"x").unwrap());
            assert_eq!(here.read(&mut [0]).await.unwrap(), 1);
            writes.join().unwrap();
        });
    });
}

// Stalls.

#[test]
fn while_a_socket_is_waited_for_nothing_has_stalled() {
    watched(|| {
        let executor = reporting();
        executor.block_on(async {
            let (here, mut there) = pair_with_std();
            there.write_all(b"x").unwrap();
            here.readable().await.unwrap();
            let (listener, address) = listener();
            let connects = thread::spawn(move || net::TcpStream::connect(address).unwrap());
            listener.accept().await.unwrap();
            connects.join().unwrap();
        });
        assert_nobody_waits(&executor);
    });
}

#[test]
fn when_the_last_socket_is_not_waited_for_any_more_what_is_left_has_stalled() {
    watched(|| {
        let (mut here, mut there) = pair_with_std();
        let stall = caught(|| {
            reporting().block_on(async {
                let reads = spawn(async move { here.read(&mut [0]).await });
                spawn(async move {
                    yield_now().await;
                    there.write_all(b"x").unwrap();
                    // The peer is kept, and its task waits for nobody.
                    std::future::pending::<()>().await;
                    drop(there);
                });
                reads.await.unwrap().unwrap();
                std::future::pending::<()>().await
            })
        });
        let stall = stall.unwrap_err();
        assert!(stall.starts_with("the executor has stalled"), "{stall}");
        assert!(!stall.contains("\n    waits for"), "{stall}");
    });
}

// How soon.

/// How many polls go by until a socket that has become ready is noticed, while so many tasks yield
/// all the time, the root besides, and so many others wait for sockets that are always ready.
/// `after` so many turns it becomes ready, be it right after a look or long after.
fn polls_until_noticed(yielding: usize, waiting: usize, after: usize) -> usize {
    watched(|| {
        let executor = Executor::builder().record(100_000).build();
        executor.block_on(async {
            let (here, mut there) = pair_with_std();
            let reads = spawn(reading(here));
            for _ in 0..yielding {
                spawn(async {
                    loop {
                        yield_now().await;
                    }
                });
            }
            yield_now().await; // `reads` waits
            let (ready, _its_peer) = pair();
            let ready = Rc::new(ready);
            for _ in 0..waiting {
                let ready = ready.clone();
                spawn(async move { while ready.writable().await.is_ok() {} });
            }
            for _ in 0..after {
                yield_now().await;
            }
            there.write_all(b"x").unwrap();
            trace::mark("it is ready");
            while !reads.is_finished() {
                yield_now().await;
            }
            trace::mark("over");
            // The first who was spawned.
            assert_eq!(reads.id().to_string(), "1");
        });
        let trace = executor.trace();
        let until_over = between(trace.records(), "it is ready", "over").into_iter();
        let is_noticed = |event: &&Event| {
            let &&Event::Woken { task, by, .. } = event else {
                return false;
            };
            by == Cause::Socket && task.to_string() == "1"
        };
        let until_noticed = until_over.take_while(|event| !is_noticed(event));
        until_noticed.filter(|event| matches!(event, Event::PollBegun { .. })).count()
    })
}

#[test]
fn while_tasks_are_busy_a_ready_socket_is_noticed_within_64_polls() {
    for yielding in [0, 1, 5, 31, 62, 63, 64, 1_000] {
        for after in [0, 1, 2, 30, 63] {
            let polls = polls_until_noticed(yielding, 0, after);
            assert!(polls <= 64, "{yielding} busy tasks, {after} turns: {polls} polls");
        }
    }
}

#[test]
fn those_whom_a_look_wakes_do_not_delay_the_next() {
    for waiting in [1, 5, 31, 62, 63, 64, 300] {
        for after in [0, 1, 2, 30] {
            let polls = polls_until_noticed(0, waiting, after);
            // All of them, `reads`, and the root, which is polled in between.
            assert!(
                polls <= 64.max(waiting + 2),
                "{waiting} busy tasks, {after} turns: {polls} polls"
            );
        }
    }
}

const READS: usize = 1_000;

/// The longest time, in operations, for which another task was not polled that is always runnable.
async fn longest(mut operation: impl AsyncFnMut()) -> usize {
    let polls = Rc::new(Cell::new(0));
    let counted = polls.clone();
    let other = spawn(async move {
        loop {
            counted.set(counted.get() + 1);
            yield_now().await;
        }
    });
    yield_now().await;
    let (mut seen, mut since, mut longest) = (polls.get(), 0, 0);
    for _ in 0..READS {
        operation().await;
        if polls.get() == seen {
            since += 1;
        } else {
            (seen, since) = (polls.get(), 1);
        }
        longest = longest.max(since);
    }
    other.abort();
    longest
}

#[test]
fn sockets_that_are_used_by_one_task_share_its_tries() {
    run(async {
        let ((mut a, mut to_a), (mut b, mut to_b)) = (pair_with_std(), pair_with_std());
        to_a.write_all(&bytes(READS)).unwrap();
        to_b.write_all(&bytes(READS)).unwrap();
        let either = longest(async || {
            let (mut from_a, mut from_b) = ([0], [0]);
            let read = select! {
                biased;
                read = a.read(&mut from_a) => read,
                read = b.read(&mut from_b) => read,
            };
            assert_eq!(read.unwrap(), 1);
        });
        assert_eq!(either.await, 32);
    });
}

#[test]
fn a_peer_that_is_always_faster_lets_others_run_after_32_tries() {
    run(async {
        let (mut here, mut there) = pair_with_std();
        there.write_all(&bytes(READS + 1)).unwrap();
        here.readable().await.unwrap();
        let reads = longest(async || assert_eq!(here.read(&mut [0]).await.unwrap(), 1));
        assert_eq!(reads.await, 32, "reads");
        assert_eq!(here.peek(&mut [0; 10]).await.unwrap(), 1, "the byte that is left");
        let peeks = longest(async || assert_eq!(here.peek(&mut [0]).await.unwrap(), 1));
        assert_eq!(peeks.await, 32, "peeks");
        assert_eq!(longest(async || here.write_all(b"x").await.unwrap()).await, 32, "writes");
        let (socket, address) = udp();
        let sends = longest(async || assert_eq!(socket.send_to(b"x", address).await.unwrap(), 1));
        assert_eq!(sends.await, 32, "datagrams");
    });
}

#[test]
fn a_wait_that_is_given_up_again_and_again_does_not_give_the_other_direction_more_tries() {
    const WRITES: usize = 1_000;
    run(async {
        let (mut here, _there) = pair_with_std();
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        spawn(async move {
            loop {
                counted.set(counted.get() + 1);
                yield_now().await;
            }
        });
        let (mut read, mut write) = here.split();
        let mut byte = [0];
        for _ in 0..WRITES {
            select! {
                read = read.read(&mut byte) => panic!("nothing was sent: {read:?}"),
                written = write.write(b"x") => assert_eq!(written.unwrap(), 1),
            }
        }
        assert!(polls.get() >= WRITES / 32 - 1, "{} polls of the other task", polls.get());
    });
}

#[test]
fn one_read_that_takes_many_tries_lets_others_run_too() {
    run(async {
        let (mut here, mut there) = pair();
        let all = bytes(5_000_000);
        let writes = spawn(async move { there.write_all(&all).await });
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        spawn(async move {
            loop {
                counted.set(counted.get() + 1);
                yield_now().await;
            }
        });
        // In pieces of 8,192 bytes.
        let mut got = Vec::new();
        here.read_to_end(&mut got).await.unwrap();
        writes.await.unwrap().unwrap();
        assert!(polls.get() >= got.len() / 8_192 / 32, "{}", polls.get());
    });
}

// What it costs.

/// The events between two marks.
#[track_caller]
fn between<'a>(records: &'a [Record], first: &str, last: &str) -> Vec<&'a Event> {
    let place_of = |name: &str| {
        let is_it =
            |record: &Record| matches!(&record.event, Event::Mark { text, .. } if &**text == name);
        records.iter().position(is_it).expect("a mark that was recorded")
    };
    let between = &records[place_of(first) + 1..place_of(last)];
    between.iter().map(|record| &record.event).collect()
}

#[test]
fn connections_that_are_idle_cost_no_polls_and_no_turns() {
    watched(|| {
        let executor = Executor::builder().record(10_000).build();
        executor.block_on(async {
            let (listener, address) = listener();
            let accepted = Rc::new(Cell::new(0));
            let counted = accepted.clone();
            spawn(async move {
                loop {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    counted.set(counted.get() + 1);
                    spawn(async move { stream.read_to_end(&mut Vec::new()).await });
                }
            });
            let _idle: Vec<_> = (0..10).map(|_| net::TcpStream::connect(address)).collect();
            while accepted.get() < 10 {
                yield_now().await;
            }
            // Now everybody has time to begin waiting.
            for _ in 0..3 {
                yield_now().await;
            }
            trace::mark("idle");
            sleep(50 * MS).await;
            trace::mark("over");
        });
        let trace = executor.trace();
        let idle = between(trace.records(), "idle", "over");
        let count = |is: fn(&Event) -> bool| idle.iter().filter(|event| is(event)).count();
        assert_eq!(count(|event| matches!(event, Event::Parked { .. })), 1, "{idle:#?}");
        assert_eq!(count(|event| matches!(event, Event::Unparked)), 1);
        assert_eq!(count(|event| matches!(event, Event::PollBegun { .. })), 1, "the root's");
        assert_eq!(count(|event| matches!(event, Event::Woken { .. })), 1, "by its timer");
    });
}

#[test]
fn a_byte_costs_one_wake_and_one_poll() {
    watched(|| {
        let executor = Executor::builder().record(10_000).build();
        let (here, mut there) = pair_with_std();
        executor.block_on(async {
            let reads = spawn(reading(here));
            yield_now().await;
            trace::mark("write");
            there.write_all(b"x").unwrap();
            reads.await.unwrap().unwrap();
            trace::mark("over");
        });
        let trace = executor.trace();
        let told = between(trace.records(), "write", "over").into_iter().filter_map(|event| {
            Some(match event {
                Event::Woken { task, by, .. } => format!("{} wakes {task}", by),
                Event::PollBegun { task } => format!("{task} is polled"),
                Event::Parked { .. } => "sleeps".to_string(),
                _ => return None,
            })
        });
        let expected = [
            "sleeps",
            "a socket wakes 1",
            "1 is polled",
            "task 1 wakes 0",
            "0 is polled",
        ];
        assert_eq!(Vec::from_iter(told), expected);
    });
}

// What is told.

#[test]
fn what_is_awaited_is_told_with_the_place_where_it_was_made() {
    /// Polls it once in a recorded executor, and compares what it waits for.
    #[track_caller]
    fn awaits<F: Future<Output: std::fmt::Debug>>(future: F, what: &str, line: u32) {
        let executor = Executor::builder().record(100).build();
        let mut future = Box::pin(future);
        executor.block_on(async { assert!(poll_here(future.as_mut()).await.is_pending()) });
        executor.block_on(async { drop(future) });
        let trace = executor.trace();
        let begun: Vec<_> = trace
            .records()
            .iter()
            .filter_map(|record| match &record.event {
                Event::WaitBegun {
                    awaited: Awaited::Thing { what, place, .. },
                    ..
                } => Some((*what, place.file(), place.line())),
                _ => None,
            })
            .collect();
        assert_eq!(begun, [(what, file!(), line)]);
    }
    watched(|| {
        let (here, _there) = std_pair();
        let (mut stream, made) = (TcpStream::from_std(here).unwrap(), line!());
        awaits(stream.read(&mut [0]), "bytes of the TCP stream", made);
        block_on(fill(&stream));
        awaits(stream.write_all(b"x"), "room in the TCP stream", made);
        let (listener, made) = (block_on(TcpListener::bind("127.0.0.1:0")).unwrap(), line!());
        awaits(listener.accept(), "a connection to the TCP listener", made);
        let address = listener.local_addr().unwrap();
        let (stream, made) = (block_on(TcpStream::connect(address)).unwrap(), line!());
        awaits(stream.peek(&mut [0]), "bytes of the TCP stream", made);
        let (accepted, made) = (block_on(listener.accept()).unwrap().0, line!());
        awaits(accepted.peek(&mut [0]), "bytes of the TCP stream", made);
        let (socket, made) = (block_on(UdpSocket::bind("127.0.0.1:0")).unwrap(), line!());
        awaits(socket.recv(&mut [0]), "a datagram of the UDP socket", made);
        // Sending never waits, but that it must let others run now and then.
        let often = async {
            for _ in 0..33 {
                socket.writable().await.unwrap();
            }
        };
        awaits(often, "room in the UDP socket", made);
    });
}

#[test]
fn a_wait_ends_when_it_is_served_or_given_up() {
    watched(|| {
        let executor = Executor::builder().record(1_000).build();
        executor.block_on(async {
            let (mut here, mut there) = pair_with_std();
            assert!(timeout(MS, here.read(&mut [0])).await.is_err());
            let mut buffer = [0];
            let mut read = pin!(here.read(&mut buffer));
            assert!(poll_here(read.as_mut()).await.is_pending());
            there.write_all(b"x").unwrap();
            read.await.unwrap();
        });
        let trace = executor.trace();
        let waits: Vec<_> = trace
            .records()
            .iter()
            .filter_map(|record| match record.event {
                Event::WaitBegun { wait, .. } => Some((wait, "begins")),
                Event::WaitEnded { wait } => Some((wait, "ends")),
                Event::Woken {
                    by: Cause::Socket, ..
                } => Some((0, "a socket wakes")),
                _ => None,
            })
            .collect();
        let expected = [
            (1, "begins"),
            (1, "ends"),
            (2, "begins"),
            (0, "a socket wakes"),
            (2, "ends"),
        ];
        assert_eq!(waits, expected);
    });
}

// Wakers and wrong use.

/// Waits for a byte of a peer that says nothing.
fn never_ready() -> (Reading, TcpStream) {
    let (here, there) = pair();
    (reading(here), there)
}

#[test]
fn wakers_that_use_the_executor_and_its_sockets_find_nothing_borrowed() {
    run(async {
        let acts = Rc::new(Cell::new(0));
        for seen in [Call::Clone, Call::Wake, Call::Drop] {
            let (mut here, mut there) = pair_with_std();
            let counted = acts.clone();
            let waker = || {
                let (other, counted) = (RefCell::new(Some(never_ready())), counted.clone());
                hostile_waker(move |call| {
                    if call == seen {
                        counted.set(counted.get() + 1);
                        spawn(async {});
                        // Enters, and leaves again.
                        if let Some((mut reading, _peer)) = other.take() {
                            assert!(poll_with(&mut reading, Waker::noop()).is_pending());
                        }
                    }
                })
            };
            let mut buffer = [0];
            {
                let mut read = Box::pin(here.read(&mut buffer));
                assert!(poll_with(&mut read, &waker()).is_pending());
                // Another waker: the first is dropped.
                assert!(poll_with(&mut read, &waker()).is_pending());
            }
            let mut read = Box::pin(here.read(&mut buffer));
            assert!(poll_with(&mut read, &waker()).is_pending());
            there.write_all(b"x").unwrap();
            while poll_with(&mut read, &waker()).is_pending() {
                yield_now().await;
            }
        }
        assert!(acts.get() >= 6);
    });
}

#[test]
fn a_waker_that_panics_keeps_nobody_else_from_being_woken() {
    run(async {
        let (here, mut there) = pair_with_std();
        let here = Rc::new(here);
        let (first, last) = (CountingWaker::new(), CountingWaker::new());
        let panicking = hostile_waker(|call| {
            if call == Call::Wake {
                crate::hostile::panic_quietly();
            }
        });
        assert!(here.try_read(&mut [0]).is_err()); // else there is nothing to wait for
        let mut waits: Vec<_> = (0..3).map(|_| Box::pin(here.readable())).collect();
        for (wait, waker) in waits.iter_mut().zip([&first.1, &panicking, &last.1]) {
            assert!(poll_with(wait, waker).is_pending());
        }
        there.write_all(b"x").unwrap();
        while first.0.wakes() + last.0.wakes() < 2 {
            yield_now().await;
        }
        for wait in waits {
            wait.await.unwrap();
        }
    });
}

#[test]
fn a_wait_where_no_executor_runs_panics() {
    #[track_caller]
    fn panics_outside<F: Future>(future: F) {
        let message = caught(|| poll_once(future).is_ready()).unwrap_err();
        let expected = "a handspun socket was polled where no executor is running: await it \
                        inside a future that `handspun::block_on` runs";
        assert_eq!(message, expected);
    }
    let (mut stream, _there) = pair();
    panics_outside(stream.read(&mut [0]));
    panics_outside(stream.read_exact(&mut [0]));
    panics_outside(stream.read_to_end(&mut Vec::new()));
    panics_outside(stream.peek(&mut [0]));
    panics_outside(async { stream.write_all(&bytes(20_000_000)).await });
    let (mut stream, _there) = pair();
    let (mut read, mut write) = stream.split();
    panics_outside(read.peek(&mut [0]));
    panics_outside(async { write.write_all(&bytes(20_000_000)).await });
    panics_outside(listener().0.accept());
    let (socket, _) = udp();
    panics_outside(socket.recv(&mut [0]));
    panics_outside(socket.recv_from(&mut [0]));
    panics_outside(socket.peek_from(&mut [0]));
}

#[test]
fn a_waker_that_is_dropped_where_no_executor_runs_may_run_one() {
    let ran = Rc::new(Cell::new(0));
    let counted = ran.clone();
    let waker = hostile_waker(move |call| {
        if call == Call::Drop {
            counted.set(counted.get() + block_on(async { 1 }));
        }
    });
    let (mut stream, _there) = pair();
    let message = caught(|| poll_with(&mut pin!(stream.read(&mut [0])), &waker).is_ready());
    assert!(message.unwrap_err().starts_with("a handspun socket was polled where no executor"));
    let message = caught(|| poll_with(&mut pin!(sleep(HOUR)), &waker).is_ready());
    assert!(message.unwrap_err().starts_with("a handspun timer was polled where no executor"));
    assert_eq!(ran.get(), 2, "the clones");
}

#[test]
fn a_wait_that_panicked_outside_goes_on_in_an_executor() {
    watched(|| {
        let (here, mut there) = pair_with_std();
        let mut byte = [0];
        assert!(panics(|| poll_with(&mut Box::pin(here.peek(&mut [0])), Waker::noop())));
        let mut peek = Box::pin(here.peek(&mut byte));
        let executor = Executor::new();
        executor.block_on(async { assert!(poll_here(peek.as_mut()).await.is_pending()) });
        there.write_all(b"x").unwrap();
        assert_eq!(executor.block_on(peek).unwrap(), 1);
    });
}
