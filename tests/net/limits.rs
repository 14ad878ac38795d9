//! Sockets at the limits of the system: when a process may open no more files, when signals come
//! all the time; and that nothing is left open.
//!
//! Files are counted and limited by process. So tests that do either run in a process of their own:
//! [`in_child`] starts this program again, for the one test, under a limit.

use crate::signal::interrupt;
use crate::watchdog::watched;
use handspun::executor::Executor;
use handspun::net::{TcpListener, TcpStream, UdpSocket};
use handspun::sync::mpsc;
use handspun::task::{spawn_blocking, yield_now};
use handspun::time::{Duration, Instant, sleep, sleep_until};
use handspun::trace::{Event, Trace};
use handspun::{block_on, join, spawn};
use std::cell::Cell;
use std::env;
use std::fs::{self, File};
use std::future::{Future, poll_fn};
use std::hint::spin_loop;
use std::io::{Read, Write};
use std::net;
use std::os::fd::AsRawFd;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc as threads;
use std::task::Poll;
use std::thread;

const MS: Duration = Duration::from_millis(1);

/// The error of a process that has as many files open as it may. It has this number everywhere.
const EMFILE: i32 = 24;

/// Runs the body of a test in a process of its own, which may have so many files open. `test` is
/// the test's full name.
pub fn in_child(test: &str, files: usize, body: impl FnOnce()) {
    const MARK: &str = "HANDSPUN_TEST_IS_CHILD";
    const NOT_ALLOWED: i32 = 77;
    if env::var_os(MARK).is_some() {
        return watched(body);
    }
    let program = env::current_exe().expect("the path of this program");
    let script = format!("ulimit -n {files} || exit {NOT_ALLOWED}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(program).args(["--exact", test, "--nocapture"]);
    let output = shell.env(MARK, "1").stdin(Stdio::null()).output().expect("a shell");
    if output.status.code() == Some(NOT_ALLOWED) {
        return eprintln!("{test}: skipped: a process may not have {files} files open here");
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{}: {said}", output.status);
}

/// Opens files until no more can be opened.
fn all_that_can_be_opened() -> Vec<File> {
    let mut files = Vec::new();
    loop {
        match File::open("/dev/null") {
            Ok(file) => files.push(file),
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(EMFILE));
                return files;
            }
        }
    }
}

/// How many files this process has open.
fn open_files() -> usize {
    // One is the directory itself, while it is read.
    fs::read_dir("/dev/fd").expect("a directory of open files").count() - 1
}

/// Both ends of a connection.
fn pair() -> (net::TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().unwrap().0, client)
}

/// The same, of which one is handspun's.
fn half_async_pair() -> (TcpStream, net::TcpStream) {
    let (server, client) = pair();
    (TcpStream::from_std(server).unwrap(), client)
}

/// Sends back what comes, until nothing does.
async fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 64];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        stream.write_all(&buffer[..read]).await.unwrap();
    }
}

#[track_caller]
fn assert_echoes(client: &mut net::TcpStream, byte: u8) {
    let mut answer = [0];
    client.write_all(&[byte]).unwrap();
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [byte]);
}

async fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = pin!(future);
    poll_fn(move |cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// How many events of a trace are like this.
fn count(trace: &Trace, is_one: impl Fn(&Event) -> bool) -> usize {
    assert_eq!(trace.dropped(), 0);
    trace.records().iter().filter(|record| is_one(&record.event)).count()
}

// No more files.

#[test]
fn a_server_with_too_many_connections_serves_those_it_has_and_later_the_others() {
    let name = "limits::\
        a_server_with_too_many_connections_serves_those_it_has_and_later_the_others";
    in_child(name, 40, || {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            // All are connected, as far as they can tell: there are too few files to accept them.
            let connections = all_that_can_be_opened().len() * 2 / 3;
            let connect = |_| net::TcpStream::connect(address).unwrap();
            let mut clients: Vec<net::TcpStream> = (0..connections).map(connect).collect();
            let (tell, told) = threads::channel();
            let client = thread::spawn(move || {
                let mut served = 0;
                while served < connections {
                    // The server can accept no more. It serves those that it has, and these go.
                    let accepted: usize = told.recv().unwrap();
                    for mut client in clients.drain(..accepted - served) {
                        assert_echoes(&mut client, b'x');
                    }
                    served = accepted;
                }
            });
            let (mut accepted, mut told, mut refusals) = (0, 0, 0);
            while accepted < connections {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        accepted += 1;
                        spawn(echo(stream));
                    }
                    Err(error) => {
                        assert_eq!(error.raw_os_error(), Some(EMFILE));
                        refusals += 1;
                        if accepted > told {
                            told = accepted;
                            tell.send(told).unwrap();
                        }
                        sleep(MS).await;
                    }
                }
            }
            assert!(refusals > 0 && told > 0);
            tell.send(accepted).unwrap();
            spawn_blocking(|| client.join().unwrap()).await.unwrap();
        });
    });
}

#[test]
fn an_executor_that_gets_no_bell_says_so_and_gets_one_later() {
    in_child("limits::an_executor_that_gets_no_bell_says_so_and_gets_one_later", 40, || {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut stream, mut client) = half_async_pair();
        let udp = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let before = open_files();
        let mut files = all_that_can_be_opened();
        block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            let udp = UdpSocket::from_std(udp).unwrap();
            let mut buffer = [0; 8];
            // A bell takes two. With only one, that one is given back.
            for _ in 0..2 {
                let refused = [
                    stream.read(&mut buffer).await.err(),
                    stream.readable().await.err(),
                    listener.accept().await.err(),
                    udp.recv_from(&mut buffer).await.err(),
                ];
                for error in refused {
                    assert_eq!(error.expect("no bell").raw_os_error(), Some(EMFILE));
                }
                files.pop();
            }
            // What need not wait needs no bell.
            files = all_that_can_be_opened();
            stream.write_all(b"x").await.unwrap();
            client.read_exact(&mut [0]).unwrap();
            files.clear();
            assert_eq!(open_files(), before);
            let task = spawn(async move {
                stream.read(&mut buffer).await.map(|read| buffer[..read].to_vec())
            });
            yield_now().await;
            assert_eq!(open_files(), before + 2);
            // From another thread, so that it is a sleep that ends.
            thread::spawn(move || client.write_all(b"later").unwrap());
            assert_eq!(task.await.unwrap().unwrap(), b"later");
        });
        assert!(open_files() < before + 2);
    });
}

#[test]
fn a_socket_may_have_the_highest_number_that_there_is() {
    const FILES: usize = 40;
    in_child("limits::a_socket_may_have_the_highest_number_that_there_is", FILES, || {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (first, _its_client) = half_async_pair();
        block_on(async move {
            assert!(poll_once(first.peek(&mut [0])).await.is_pending()); // now there is a bell
            let mut files = all_that_can_be_opened();
            files.pop();
            let (stream, _) = listener.accept().unwrap();
            assert_eq!(stream.as_raw_fd() as usize, FILES - 1);
            let server = spawn(echo(TcpStream::from_std(stream).unwrap()));
            let thread = thread::spawn(move || assert_echoes(&mut client, b'x'));
            server.await.unwrap();
            thread.join().unwrap();
        });
    });
}

#[test]
fn more_may_wait_than_a_process_may_have_files() {
    const FILES: usize = 40;
    const PAIRS: usize = 10;
    const READERS: usize = 9;
    in_child("limits::more_may_wait_than_a_process_may_have_files", FILES, || {
        let executor = Executor::builder().start_paused(true).build();
        executor.block_on(async {
            let (woken, all_wait) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(true)));
            let mut tasks = Vec::new();
            let mut clients = Vec::new();
            for _ in 0..PAIRS {
                let (stream, client) = half_async_pair();
                let stream = Rc::new(stream);
                for _ in 0..READERS {
                    let (stream, woken) = (stream.clone(), woken.clone());
                    tasks.push(spawn(async move {
                        stream.peek(&mut [0]).await.unwrap();
                        woken.set(woken.get() + 1);
                    }));
                }
                let all_wait = all_wait.clone();
                tasks.push(spawn(async move {
                    // What is on its way when there is no more room makes some when it arrives.
                    while all_wait.get() {
                        while stream.try_write(&[0; 1 << 16]).is_ok() {}
                        stream.writable().await.unwrap();
                    }
                }));
                clients.push(client);
            }
            // A paused clock goes on when there is nothing else to do: so all wait.
            sleep(MS).await;
            assert_eq!((tasks.len() > 2 * FILES, woken.get()), (true, 0));
            all_wait.set(false);
            for client in &mut clients {
                client.write_all(b"x").unwrap();
                client.set_nonblocking(true).unwrap();
                while let Ok(1..) = client.read(&mut [0; 1 << 16]) {}
            }
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(woken.get(), PAIRS * READERS);
        });
    });
}

// Signals.

#[test]
fn a_signal_ends_no_wait_and_loses_none() {
    const ROUNDS: usize = 100;
    const SIGNALS: usize = 10;
    watched(|| {
        let (server, mut client) = pair();
        let (answer, answers) = threads::channel();
        let executor = thread::spawn(move || {
            let executor = Executor::builder().record(100_000).build();
            let mut server = TcpStream::from_std(server).unwrap();
            let reader = executor.block_on(async {
                let begun = answer.clone();
                let reader = spawn(async move {
                    let mut byte = [0; 2];
                    while server.read(&mut byte).await.unwrap() > 0 {
                        answer.send(byte[0]).unwrap();
                    }
                });
                yield_now().await; // it waits
                begun.send(0).unwrap();
                let id = reader.id();
                reader.await.unwrap();
                id
            });
            (executor.into_trace(), reader)
        });
        assert_eq!(answers.recv(), Ok(0));
        for round in 1..=ROUNDS {
            (0..SIGNALS).for_each(|_| interrupt(&executor));
            client.write_all(&[round as u8]).unwrap();
            assert_eq!(answers.recv(), Ok(round as u8));
        }
        drop(client);
        let (trace, reader) = executor.join().unwrap();
        let is_poll = |event: &Event| matches!(event, Event::PollBegun { task } if *task == reader);
        // The first, one for each byte, and one for the end.
        assert_eq!(count(&trace, is_poll), 1 + ROUNDS + 1);
        let sleeps = count(&trace, |event| matches!(event, Event::Parked { .. }));
        assert!(sleeps > ROUNDS + 1, "no signal came in a sleep");
    });
}

#[test]
fn a_signal_makes_no_timer_early_and_no_socket_deaf() {
    const ROUNDS: usize = 200;
    const SIGNALS: usize = 5;
    watched(|| {
        let (server, mut client) = pair();
        let executor = thread::spawn(|| {
            block_on(async {
                let server = spawn(echo(TcpStream::from_std(server).unwrap()));
                let mut sleeps = 0;
                while !server.is_finished() || sleeps == 0 {
                    let deadline = Instant::now() + 2 * MS;
                    sleep_until(deadline).await;
                    assert!(Instant::now() >= deadline);
                    sleeps += 1;
                }
            });
        });
        for round in 0..ROUNDS {
            (0..SIGNALS).for_each(|_| interrupt(&executor));
            assert_echoes(&mut client, round as u8);
        }
        drop(client);
        executor.join().unwrap();
    });
}

// What is left open.

/// Runs `body` in a process of its own, and compares the open files before and after.
fn leaves_nothing_open(test: &str, body: impl FnOnce()) {
    in_child(&format!("limits::{test}"), 250, || {
        let before = open_files();
        body();
        // A thread that connects may still be at it.
        let mut patience = 1_000;
        while open_files() > before && patience > 0 {
            patience -= 1;
            thread::sleep(5 * MS);
        }
        assert_eq!(open_files(), before);
    });
}

#[test]
fn connections_and_executors_leave_nothing_open() {
    leaves_nothing_open("connections_and_executors_leave_nothing_open", || {
        let executor = Executor::new();
        for _ in 0..2 {
            executor.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                for _ in 0..20 {
                    let (accepted, connected) =
                        join!(listener.accept(), TcpStream::connect(address));
                    let (read, mut write) = connected.unwrap().into_split();
                    write.write_all(b"x").await.unwrap();
                    spawn(echo(accepted.unwrap().0));
                    drop((read, write));
                }
                UdpSocket::bind("127.0.0.1:0").await.unwrap();
            });
        }
    });
}

#[test]
fn a_thousand_executors_one_after_another_open_no_more_than_one() {
    leaves_nothing_open("a_thousand_executors_one_after_another_open_no_more_than_one", || {
        let (server, mut client) = pair();
        let before = open_files();
        for round in 0..1_000 {
            client.write_all(b"x").unwrap();
            let mut stream = TcpStream::from_std(server.try_clone().unwrap()).unwrap();
            let stream = block_on(async move {
                stream.read(&mut [0; 2]).await.unwrap();
                assert!(poll_once(stream.read(&mut [0])).await.is_pending());
                // The stream itself, and the two ends of a bell.
                assert_eq!(open_files(), before + 3, "in round {round}");
                stream
            });
            drop(stream);
            assert_eq!(open_files(), before, "after round {round}");
        }
    });
}

#[test]
fn an_executor_without_sockets_opens_nothing() {
    leaves_nothing_open("an_executor_without_sockets_opens_nothing", || {
        let before = open_files();
        let executor = Executor::new();
        executor.block_on(async {
            let (sender, mut receiver) = mpsc::unbounded_channel();
            thread::spawn(move || sender.send(1).unwrap());
            assert_eq!(receiver.recv().await, Some(1));
            spawn(sleep(MS)).await.unwrap();
            spawn_blocking(|| ()).await.unwrap();
            assert_eq!(open_files(), before);
        });
        assert_eq!(open_files(), before);
    });
}

#[test]
fn a_cancelled_connect_or_accept_leaves_nothing_open() {
    leaves_nothing_open("a_cancelled_connect_or_accept_leaves_nothing_open", || {
        let line = net::TcpListener::bind("127.0.0.1:0").unwrap();
        line.set_nonblocking(true).unwrap();
        let address = line.local_addr().unwrap();
        for nth in 0..300 {
            // A connect is cancelled before it begins, in the middle, or afterwards.
            let a_moment = || (0..10 * nth).for_each(|_| spin_loop());
            block_on(async {
                let nobody_comes = TcpListener::bind("127.0.0.1:0").await.unwrap();
                assert!(poll_once(nobody_comes.accept()).await.is_pending());
                let task = spawn(async move { TcpStream::connect(address).await });
                yield_now().await;
                a_moment();
                task.abort();
                assert!(task.await.unwrap_err().is_cancelled());
                // And here with its executor.
                assert!(poll_once(TcpStream::connect(address)).await.is_pending());
                a_moment();
            });
            while line.accept().is_ok() {}
        }
    });
}

#[test]
fn a_task_that_panics_leaves_nothing_open() {
    leaves_nothing_open("a_task_that_panics_leaves_nothing_open", || {
        block_on(async {
            for _ in 0..20 {
                let (mut stream, mut client) = half_async_pair();
                let task = spawn(async move {
                    stream.read(&mut [0]).await.unwrap();
                    // Resuming prints nothing.
                    std::panic::resume_unwind(Box::new("as expected"));
                });
                yield_now().await;
                client.write_all(b"x").unwrap();
                assert!(task.await.unwrap_err().is_panic());
                // The peer sees the end.
                assert_eq!(client.read(&mut [0]).unwrap(), 0);
            }
        });
    });
}

#[test]
fn an_executor_that_ends_in_the_middle_leaves_nothing_open() {
    leaves_nothing_open("an_executor_that_ends_in_the_middle_leaves_nothing_open", || {
        for _ in 0..20 {
            let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
            let pairs: Vec<_> = (0..5).map(|_| half_async_pair()).collect();
            let executor = Executor::new();
            let clients: Vec<_> = executor.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                spawn(async move { listener.accept().await.map(drop) });
                let serve = |(server, client)| {
                    spawn(echo(server));
                    client
                };
                let clients = pairs.into_iter().map(serve).collect();
                yield_now().await; // all wait
                clients
            });
            drop(executor);
            for mut client in clients {
                assert_eq!(client.read(&mut [0]).unwrap(), 0);
            }
        }
    });
}
