//! Sockets in recordings: what is told of them, and what each drawing makes of it.
//!
//! All sockets are of this machine, and the other side of each is one of std's, in the same task:
//! so what happens does not depend on who is faster. On a clock that runs, an executor with nothing
//! to poll goes to sleep before it looks at its sockets; ready or not, the list of events is the
//! same.

use crate::support::caught;
use crate::watchdog::watched;
use crate::words::words;
use handspun::executor::Executor;
use handspun::net::{TcpListener, TcpStream, UdpSocket};
use handspun::sync::{Mutex, Notify};
use handspun::task::yield_now;
use handspun::time::{Duration, sleep};
use handspun::trace::{Cause, Event, LintKind, Trace};
use std::future::{Future, pending, poll_fn};
use std::io::{Read, Write};
use std::net;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

const MS: Duration = Duration::from_millis(1);
const LOCALHOST: &str = "127.0.0.1:0";

/// Waits for a socket, which is ready as soon as this does.
pub async fn wait_for_one() {
    let socket = UdpSocket::bind(LOCALHOST).await.unwrap();
    let mut byte = [0];
    let mut received = pin!(socket.recv(&mut byte));
    begin(received.as_mut()).await;
    socket.try_send_to(b"!", socket.local_addr().unwrap()).unwrap();
    received.await.unwrap();
}

/// A run on a clock that runs.
fn run(root: impl Future<Output = ()>) -> Trace {
    let executor = Executor::builder().record(100_000).build();
    watched(|| executor.block_on(root));
    executor.into_trace()
}

fn run_paused(root: impl Future<Output = ()>) -> Trace {
    let executor = Executor::builder().start_paused(true).record(100_000).build();
    watched(|| executor.block_on(root));
    executor.into_trace()
}

/// Begins to wait for something.
async fn begin<F: Future>(mut future: Pin<&mut F>) {
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// The two ends of a connection. The other one is std's.
fn connected() -> (TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind(LOCALHOST).unwrap();
    let other = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    (TcpStream::from_std(stream).unwrap(), other)
}

/// Accepts a connection, reads from it and writes to it, each once, and has to wait for the first
/// two.
async fn one_of_each() {
    let listener = TcpListener::bind(LOCALHOST).await.unwrap();
    let mut accepted = pin!(listener.accept());
    begin(accepted.as_mut()).await;
    let mut other = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut stream, _) = accepted.await.unwrap();

    let mut bytes = [0; 10];
    {
        let mut read = pin!(stream.read(&mut bytes));
        begin(read.as_mut()).await;
        other.write_all(b"ping").unwrap();
        assert_eq!(read.await.unwrap(), 4);
    }
    assert_eq!(stream.write(b"pong").await.unwrap(), 4);
}

// What is recorded.

#[test]
fn a_wait_for_a_socket_is_told_with_its_wake_and_a_write_that_need_not_wait_not_at_all() {
    let trace = run(one_of_each());
    let told: Vec<String> = trace.records().iter().map(|record| words(&record.event)).collect();
    let expected = [
        "spawn root, by outside",
        "poll root",
        "wait 1: root for a connection to the TCP listener, line 1",
        "root is Pending, wakers 1",
        "parked",
        "unparked",
        "wake root, by socket: Queued",
        "poll root",
        "wait 1: over",
        "wait 2: root for bytes of the TCP stream, line 2",
        "root is Pending, wakers 1",
        "parked",
        "unparked",
        "wake root, by socket: Queued",
        "poll root",
        "wait 2: over",
        "root is Ready, wakers 0",
    ];
    assert_eq!(told, expected);
}

/// Waits for a notification and for a socket, and says what there is to be told of it.
fn told_of<T>(socket: impl Future<Output = T>) -> String {
    let trace = run(async {
        let notify = Notify::new();
        let mut notified = pin!(notify.notified());
        begin(notified.as_mut()).await;
        socket.await;
    });
    assert_eq!(trace.lints(), []);
    let text = trace.text().width(200).to_string();
    let told = text.lines().find_map(|line| line.split_once("a socket wakes root, which waited"));
    told.unwrap_or_else(|| panic!("{text}")).1.split(" (made at").next().unwrap().to_string()
}

#[test]
fn what_a_socket_wakes_has_waited_for_it_and_not_for_something_else() {
    assert_eq!(told_of(wait_for_one()), " for a datagram of the UDP socket");

    let connection = async {
        let listener = TcpListener::bind(LOCALHOST).await.unwrap();
        let mut accepted = pin!(listener.accept());
        begin(accepted.as_mut()).await;
        let _other = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        accepted.await.unwrap();
    };
    assert_eq!(told_of(connection), " for a connection to the TCP listener");

    let (mut stream, mut other) = connected();
    let bytes = async {
        let mut byte = [0];
        let mut read = pin!(stream.read(&mut byte));
        begin(read.as_mut()).await;
        other.write_all(b"!").unwrap();
        read.await.unwrap();
    };
    assert_eq!(told_of(bytes), " for bytes of the TCP stream");

    let room = async {
        while stream.try_write(&[0; 100_000]).is_ok() {}
        other.set_nonblocking(true).unwrap();
        while other.read(&mut vec![0; 100_000]).is_ok() {}
        stream.writable().await.unwrap();
    };
    assert_eq!(told_of(room), " for room in the TCP stream");
}

// What is drawn: see also `text.rs`, `svg.rs`, `html.rs` and `chrome.rs`.

#[test]
fn the_timeline_has_a_sign_for_sockets() {
    let trace = run_paused(wait_for_one());
    let expected = "
 seconds  0.000
 root     █S◆

 █ polled   ◆ polled, and ready   S woken by a socket
";
    let text = trace.text().to_string();
    assert!(text.contains(expected), "{text}");
}

// What is found in it.

#[test]
fn to_be_woken_by_sockets_again_and_again_is_no_spin() {
    let trace = run_paused(async {
        for _ in 0..300 {
            wait_for_one().await;
        }
    });
    let woken =
        |by| move |event: &Event| matches!(event, Event::Woken { by: who, .. } if *who == by);
    assert_eq!(count(&trace, woken(Cause::Socket)), 300);
    assert_eq!(trace.lints(), []);
}

fn count(trace: &Trace, is: impl Fn(&Event) -> bool) -> usize {
    trace.records().iter().filter(|record| is(&record.event)).count()
}

#[test]
fn who_waits_for_a_socket_is_not_lost_but_may_be_left_over() {
    let trace = run(async {
        handspun::spawn(async {
            let listener = TcpListener::bind(LOCALHOST).await.unwrap();
            listener.accept().await.unwrap();
        });
        yield_now().await;
    });
    let lints = trace.lints();
    assert_eq!(lints.len(), 1, "{lints:?}");
    assert_eq!(lints[0].kind, LintKind::DroppedUnfinished);
    let why = "it was waiting for a connection to the TCP listener, made at tests/trace/sockets.rs";
    assert!(lints[0].sentence().contains(why), "{}", lints[0]);
}

#[test]
fn a_long_wait_for_a_socket_is_none_for_a_lock() {
    let trace = run_paused(async {
        let (mut stream, mut other) = connected();
        let lock = Rc::new(Mutex::new(()));
        let own = lock.clone();
        let reader = handspun::spawn(async move {
            stream.read(&mut [0; 10]).await.unwrap();
            let _guard = own.lock().await;
        });
        sleep(150 * MS).await;
        let _guard = lock.lock().await;
        yield_now().await;
        other.write_all(b"!").unwrap();
        drop(_guard);
        reader.await.unwrap();
    });
    assert_eq!(trace.lints(), []);
}

#[test]
fn an_executor_that_waits_for_a_socket_has_not_stalled() {
    let executor = Executor::builder().panic_on_stall(true).record(1_000).build();
    executor.block_on(one_of_each());
    // It did come to the point at which it asks itself.
    let trace = executor.trace();
    assert_eq!(count(&trace, |event| *event == Event::Parked { until: None }), 2);

    let stalled = caught(|| {
        executor.block_on(async {
            wait_for_one().await;
            pending::<()>().await;
        });
    });
    let report = stalled.unwrap_err();
    assert!(report.starts_with("the executor has stalled"), "{report}");
}
