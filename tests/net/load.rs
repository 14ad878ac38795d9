//! Sockets under load: many at once, slow ones, broken ones; and the bell, when threads wake tasks
//! all the time. Clients are threads with std's sockets, or none of ours would be the peer.

use crate::limits::in_child;
use crate::watchdog::watched;
use handspun::executor::Executor;
use handspun::net::{TcpListener, TcpStream};
use handspun::sync::{mpsc, oneshot};
use handspun::task::{Id, yield_now};
use handspun::time::{Duration, sleep};
use handspun::trace::{self, Cause, Event};
use handspun::{block_on, join, select, spawn};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::hint::spin_loop;
use std::io::{ErrorKind, Read, Write};
use std::net;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc as threads;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread::{self, JoinHandle};

/// Both ends of a connection, of which one is handspun's.
fn pair() -> (TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (TcpStream::from_std(listener.accept().unwrap().0).unwrap(), client)
}

/// Sends back what comes, until nothing does. Returns how much that was.
async fn echo(mut stream: TcpStream) -> usize {
    let mut buffer = [0; 1024];
    let mut echoed = 0;
    while let read @ 1.. = stream.read(&mut buffer).await.unwrap() {
        stream.write_all(&buffer[..read]).await.unwrap();
        echoed += read;
    }
    echoed
}

/// Numbers that look random, the same in each run.
struct Random(u64);

impl Random {
    /// Below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// With other numbers.
    fn another(&mut self) -> Random {
        Random(self.below(u64::MAX) | 1)
    }

    /// So many bytes of which no stretch is like another.
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count / 8).flat_map(|_| self.below(u64::MAX).to_le_bytes()).collect()
    }
}

// Many, slow, broken.

#[test]
fn a_thousand_connections_that_are_open_at_once_are_all_served() {
    const CLIENTS: u64 = 4;
    const CONNECTIONS: u64 = 250;
    const ROUNDS: u64 = 3;
    const ALL: usize = (CLIENTS * CONNECTIONS) as usize;
    let name = "load::a_thousand_connections_that_are_open_at_once_are_all_served";
    in_child(name, 2 * ALL + 200, || {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let in_line = Arc::new(AtomicUsize::new(0));
        let client = |client: u64| {
            let in_line = in_line.clone();
            thread::spawn(move || {
                let connect = |_| {
                    // The system turns away who comes when the line is long, for some seconds.
                    while in_line.load(SeqCst) > 50 {
                        thread::yield_now();
                    }
                    in_line.fetch_add(1, SeqCst);
                    net::TcpStream::connect(address).unwrap()
                };
                let mut connections: Vec<_> = (0..CONNECTIONS).map(connect).collect();
                for round in 0..ROUNDS {
                    let message =
                        |nth: u64| ((client * CONNECTIONS + nth) << 8 | round).to_le_bytes();
                    for (nth, connection) in (0..).zip(&mut connections) {
                        connection.write_all(&message(nth)).unwrap();
                    }
                    for (nth, connection) in (0..).zip(&mut connections) {
                        let mut answer = [0; 8];
                        connection.read_exact(&mut answer).unwrap();
                        assert_eq!(answer, message(nth));
                    }
                }
            })
        };
        let clients: Vec<JoinHandle<()>> = (0..CLIENTS).map(client).collect();
        let echoed = block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            let mut accepted = Vec::new();
            while accepted.len() < ALL {
                accepted.push(listener.accept().await.unwrap().0);
                in_line.fetch_sub(1, SeqCst);
            }
            // All are connected. Not one has been served yet.
            let servers: Vec<_> = accepted.into_iter().map(|stream| spawn(echo(stream))).collect();
            let mut echoed = Vec::new();
            for server in servers {
                echoed.push(server.await.unwrap());
            }
            echoed
        });
        assert_eq!(echoed, [8 * ROUNDS as usize; ALL]);
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
}

/// Sends bytes through buffers of 1 KiB, both ways at once, and compares all of them.
fn exchange(bytes: usize) {
    watched(|| {
        let (there, back) = (Random(1).bytes(bytes), Random(2).bytes(bytes));
        let (mut server, client) = pair();
        let (expected, sent) = (there.clone(), back.clone());
        let mut sends = client.try_clone().unwrap();
        let sender = thread::spawn(move || {
            sent.chunks(1024).for_each(|chunk| sends.write_all(chunk).unwrap());
            sends.shutdown(net::Shutdown::Write).unwrap();
        });
        let receiver = thread::spawn(move || {
            let mut received = Vec::new();
            let mut client = client;
            client.read_to_end(&mut received).unwrap();
            assert!(received == expected);
        });
        block_on(async {
            let (mut read, mut write) = server.split();
            let reads = async {
                let (mut received, mut buffer) = (Vec::new(), [0; 1024]);
                while let read @ 1.. = read.read(&mut buffer).await.unwrap() {
                    received.extend_from_slice(&buffer[..read]);
                }
                assert!(received == back);
            };
            let writes = async {
                for chunk in there.chunks(1024) {
                    write.write_all(chunk).await.unwrap();
                }
                write.shutdown().await.unwrap();
            };
            join!(reads, writes);
        });
        sender.join().unwrap();
        receiver.join().unwrap();
    });
}

/// Reads and writes as it comes, and gives up one half of what it has begun.
async fn exchange_by_fits(mut stream: TcpStream, sent: Vec<u8>, expected: Vec<u8>, seed: u64) {
    let mut random = Random(seed);
    let (mut read, mut write) = stream.split();
    let (mut unsent, mut received, mut buffer) = (&sent[..], Vec::new(), [0; 4096]);
    let mut ended = false;
    while !(ended && unsent.is_empty()) {
        let room = 1 + random.below(4096) as usize;
        select! {
            count = read.read(&mut buffer[..room]), if !ended => match count.unwrap() {
                0 => ended = true,
                count => received.extend_from_slice(&buffer[..count]),
            },
            count = write.write(unsent), if !unsent.is_empty() => {
                unsent = &unsent[count.unwrap()..];
                if unsent.is_empty() {
                    write.shutdown().await.unwrap();
                }
            }
            () = yield_now(), if random.below(2) == 0 => {}
        }
    }
    assert!(received == expected);
}

/// The same, by a thread with std's socket.
fn exchange_in_turn(client: net::TcpStream, sent: Vec<u8>, expected: Vec<u8>) {
    let mut received = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            (&client).write_all(&sent).unwrap();
            client.shutdown(net::Shutdown::Write).unwrap();
        });
        (&client).read_to_end(&mut received).unwrap();
    });
    assert!(received == expected);
}

/// Each future is polled a few times in one executor, and then goes on in another, while its entry
/// in the first may still be there.
#[test]
fn bytes_go_both_ways_at_once_in_one_executor_after_another() {
    const EACH: usize = 200_000;
    watched(|| {
        let mut random = Random(6);
        let (mut exchanges, mut clients) = (Vec::new(), Vec::new());
        for seed in 1..=8 {
            let (there, back) = (random.bytes(EACH), random.bytes(EACH));
            let (server, client) = pair();
            exchanges.push(Box::pin(exchange_by_fits(server, there.clone(), back.clone(), seed)));
            clients.push(thread::spawn(move || exchange_in_turn(client, back, there)));
        }
        let lasting = [Executor::new(), Executor::new()];
        while !exchanges.is_empty() {
            let ending = Executor::new();
            let executor = lasting.get(random.below(3) as usize).unwrap_or(&ending);
            let mut polls_left = random.below(8);
            executor.block_on(poll_fn(|cx| {
                exchanges.retain_mut(|exchange| exchange.as_mut().poll(cx).is_pending());
                if exchanges.is_empty() || polls_left == 0 {
                    return Poll::Ready(());
                }
                polls_left -= 1;
                Poll::Pending
            }));
        }
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
}

#[test]
fn bytes_go_both_ways_at_once_through_small_buffers() {
    exchange(64 << 10);
}

#[test]
fn bytes_go_both_ways_at_once_though_there_are_more_than_the_system_has_room_for() {
    exchange(16 << 20);
}

/// More than the system keeps for a reader that does not read.
const FLOOD: usize = 32 << 20;
const CHUNK: usize = 64 << 10;

/// Writes the flood, and counts the chunks that were taken.
async fn flood(mut stream: TcpStream, written: Rc<Cell<usize>>) -> Result<(), ErrorKind> {
    let chunk = Random(3).bytes(CHUNK);
    while written.get() < FLOOD / CHUNK {
        stream.write_all(&chunk).await.map_err(|error| error.kind())?;
        written.update(|written| written + 1);
    }
    Ok(())
}

fn reads_the_flood(mut client: net::TcpStream) {
    let (expected, mut chunk) = (Random(3).bytes(CHUNK), vec![0; CHUNK]);
    for _ in 0..FLOOD / CHUNK {
        client.read_exact(&mut chunk).unwrap();
        assert!(chunk == expected);
    }
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_client_that_does_not_read_holds_up_its_own_server_and_nobody_elses() {
    const OTHERS: usize = 3;
    const ROUNDS: usize = 100;
    watched(|| {
        // On a paused clock a sleep is over when there is nothing else to do: when all wait.
        let executor = Executor::builder().start_paused(true).build();
        executor.block_on(async {
            let written = Rc::new(Cell::new(0));
            let (stream, slow) = pair();
            let flooding = spawn(flood(stream, written.clone()));
            // What is on its way when there is no more room makes some when it arrives.
            let mut before = usize::MAX;
            while std::mem::replace(&mut before, written.get()) != written.get() {
                sleep(Duration::from_secs(1)).await;
            }
            // So this is all that will ever be in the air: the server waits with one chunk.
            assert!(0 < written.get() && written.get() < FLOOD / CHUNK);

            let mut servers = Vec::new();
            for _ in 0..OTHERS {
                let (stream, mut client) = pair();
                servers.push(spawn(echo(stream)));
                thread::spawn(move || {
                    for round in 0..ROUNDS {
                        let mut answer = [0];
                        client.write_all(&[round as u8]).unwrap();
                        client.read_exact(&mut answer).unwrap();
                        assert_eq!(answer, [round as u8]);
                    }
                });
            }
            for server in servers {
                assert_eq!(server.await.unwrap(), ROUNDS);
            }
            assert!(!flooding.is_finished() && written.get() < FLOOD / CHUNK);

            let reader = thread::spawn(|| reads_the_flood(slow));
            assert_eq!(flooding.await.unwrap(), Ok(()));
            reader.join().unwrap();
        });
    });
}

#[test]
fn a_reset_in_the_middle_of_a_transfer_leaves_the_others_alone() {
    const OTHERS: usize = 4;
    watched(|| {
        block_on(async {
            let started = || {
                let written = Rc::new(Cell::new(0));
                let (stream, client) = pair();
                (spawn(flood(stream, written.clone())), written, client)
            };
            let (mut transfers, mut halves, mut threads) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..OTHERS {
                let (transfer, written, client) = started();
                let (begin, begun) = threads::channel::<()>();
                threads.push(thread::spawn(move || {
                    let _it_is_time = begun.recv();
                    reads_the_flood(client);
                }));
                transfers.push(transfer);
                halves.push((written, begin));
            }
            let (broken, written, client) = started();
            while written.get() == 0 || halves.iter().any(|(written, _)| written.get() == 0) {
                yield_now().await;
            }
            // It has not read what has come: that resets the connection.
            drop(client);
            let error = broken.await.unwrap().unwrap_err();
            let is_reset = matches!(error, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
            assert!(is_reset, "{error:?}");
            assert!(transfers.iter().all(|transfer| !transfer.is_finished()));
            drop(halves);
            for transfer in transfers {
                assert_eq!(transfer.await.unwrap(), Ok(()));
            }
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
    });
}

// Idle.

#[test]
fn a_thousand_idle_connections_cost_nothing() {
    const CONNECTIONS: usize = 1_000;
    const WINDOWS: usize = 5;
    in_child("load::a_thousand_idle_connections_cost_nothing", 2 * CONNECTIONS + 200, || {
        let executor = Executor::builder().record(100_000).build();
        executor.block_on(async {
            let pairs: Vec<_> = (0..CONNECTIONS).map(|_| pair()).collect();
            let serve = |(stream, client)| {
                spawn(echo(stream));
                client
            };
            let _clients: Vec<net::TcpStream> = pairs.into_iter().map(serve).collect();
            yield_now().await; // all wait
            for _ in 0..WINDOWS {
                let (sender, receiver) = oneshot::channel();
                // Not a moment to wait for, but one to look at. However long it is, nothing happens
                // in it; and after it the bell has been heard, and is silent again.
                thread::spawn(|| {
                    thread::sleep(Duration::from_millis(10));
                    sender.send(()).unwrap();
                });
                trace::mark("idle");
                receiver.await.unwrap();
                trace::mark("busy");
            }
        });
        let trace = executor.trace();
        assert_eq!(trace.dropped(), 0);
        let mut idle = 0;
        let mut events = trace.records().iter().map(|record| &record.event);
        while events.any(|event| marks(event, "idle")) {
            let window = events.by_ref().take_while(|event| !marks(event, "busy"));
            let happened: Vec<&str> = window.map(in_a_word).collect();
            // If the thread was faster than the executor, there was nothing to sleep for.
            if happened.contains(&"parked") {
                assert_eq!(happened, IDLE);
                idle += 1;
            }
        }
        assert!(idle > 0);
    });
}

/// All that happens when the root waits for a thread, and a thousand tasks for their sockets.
const IDLE: [&str; 7] = [
    "the root waits",
    "its poll ends",
    "parked",
    "unparked",
    "woken by a thread",
    "the root is polled",
    "waits no more",
];

fn marks(event: &Event, word: &str) -> bool {
    matches!(event, Event::Mark { text, .. } if **text == *word)
}

fn in_a_word(event: &Event) -> &'static str {
    match event {
        Event::WaitBegun { task, .. } if is_root(task) => "the root waits",
        Event::PollEnded { task, .. } if is_root(task) => "its poll ends",
        Event::Parked { .. } => "parked",
        Event::Unparked => "unparked",
        Event::Woken {
            by: Cause::Thread, ..
        } => "woken by a thread",
        Event::PollBegun { task } if is_root(task) => "the root is polled",
        Event::WaitEnded { .. } => "waits no more",
        _ => "something else",
    }
}

fn is_root(task: &Id) -> bool {
    task.to_string() == "0"
}

// The bell.

/// How a thread asks a task something, and sees that it was answered.
struct Question {
    ask: Box<dyn FnMut() + Send>,
    answered: Arc<AtomicU64>,
}

/// Asks these so many times. Each is asked at a random moment after the last answer, or after the
/// last question; mostly at once, as the way from there to a sleep is short. A wake that is lost is
/// an answer that never comes.
fn ask(mut questions: Vec<Question>, mut random: Random, rounds: u64) {
    for round in 1..=rounds {
        for question in &mut questions {
            let shorter_than = 1 << random.below(10);
            (0..random.below(shorter_than)).for_each(|_| spin_loop());
            (question.ask)();
        }
        // Not a sleep: who is woken from one comes when the executor sleeps already.
        let is_open = |question: &Question| question.answered.load(SeqCst) < round;
        let mut looks = 0;
        while questions.iter().any(is_open) {
            looks += 1;
            if looks % 500 == 0 { thread::yield_now() } else { spin_loop() }
        }
    }
}

/// Works for a random number of polls: so an executor is busy at one wake, asleep at another.
async fn works(random: &mut Random) {
    for _ in 0..random.below(4) {
        yield_now().await;
    }
}

/// Asks through a channel. The task that answers calls `at` before, with the round.
fn by_channel(mut random: Random, at: impl Fn(u64) + 'static) -> Question {
    let answered = Arc::new(AtomicU64::new(0));
    let answers = answered.clone();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    spawn(async move {
        while receiver.recv().await.is_some() {
            works(&mut random).await;
            at(answers.load(SeqCst));
            answers.fetch_add(1, SeqCst);
        }
    });
    Question {
        ask: Box::new(move || sender.send(()).unwrap()),
        answered,
    }
}

/// The same through a waker alone.
fn by_waker(mut random: Random) -> Question {
    #[derive(Default)]
    struct Asked {
        count: AtomicU64,
        waker: Mutex<Option<Waker>>,
    }
    let answered = Arc::new(AtomicU64::new(0));
    let answers = answered.clone();
    let question = Arc::new(Asked::default());
    let task = question.clone();
    spawn(async move {
        loop {
            let asked = poll_fn(|cx| {
                // The waker first: a question that comes in between finds it.
                *task.waker.lock().unwrap() = Some(cx.waker().clone());
                let is_asked = task.count.load(SeqCst) > answers.load(SeqCst);
                if is_asked { Poll::Ready(()) } else { Poll::Pending }
            });
            asked.await;
            works(&mut random).await;
            answers.fetch_add(1, SeqCst);
        }
    });
    Question {
        ask: Box::new(move || {
            question.count.fetch_add(1, SeqCst);
            let waker = question.waker.lock().unwrap().clone();
            waker.into_iter().for_each(Waker::wake);
        }),
        answered,
    }
}

/// The same through a socket, so that a sleep is not always ended by the bell.
fn by_socket() -> Question {
    let answered = Arc::new(AtomicU64::new(0));
    let answers = answered.clone();
    let (mut stream, mut client) = pair();
    spawn(async move {
        while let Ok(1..) = stream.read(&mut [0; 2]).await {
            answers.fetch_add(1, SeqCst);
        }
    });
    Question {
        ask: Box::new(move || client.write_all(b"?").unwrap()),
        answered,
    }
}

/// Has each of these asked by a thread, until all are answered.
async fn all_ask(threads: Vec<Vec<Question>>, random: &mut Random, rounds: u64) {
    let (asks, mut asked) = mpsc::unbounded_channel::<()>();
    for questions in threads {
        let (asks, random) = (asks.clone(), random.another());
        thread::spawn(move || {
            ask(questions, random, rounds);
            drop(asks);
        });
    }
    drop(asks);
    assert_eq!(asked.recv().await, None);
}

#[test]
fn no_wake_is_lost_between_sleep_and_work_of_an_executor_with_sockets() {
    const ROUNDS: u64 = 20_000;
    watched(|| {
        let mut random = Random(10);
        block_on(async {
            let (quiet, _client) = pair();
            spawn(async move { quiet.peek(&mut [0]).await });
            // A thread alone: nobody else's wake makes good what was lost.
            let one = by_channel(random.another(), |_| ());
            all_ask(vec![vec![one]], &mut random, ROUNDS).await;
            let one = by_waker(random.another());
            all_ask(vec![vec![one]], &mut random, ROUNDS).await;
            let two = [by_waker(random.another()), by_waker(random.another())];
            all_ask(vec![Vec::from(two)], &mut random, ROUNDS).await;
            // Several: they find the executor in every state.
            let several = [
                by_channel(random.another(), |_| ()),
                by_channel(random.another(), |_| ()),
                by_waker(random.another()),
                by_waker(random.another()),
                by_socket(),
            ];
            let each_alone = several.into_iter().map(|question| vec![question]).collect();
            all_ask(each_alone, &mut random, ROUNDS / 4).await;
        });
    });
}

#[test]
fn no_wake_is_lost_when_an_executor_gets_its_first_socket() {
    const EXECUTORS: u64 = 1_500;
    const ROUNDS: u64 = 5;
    watched(|| {
        let mut random = Random(20);
        let (quiet, _client) = pair();
        let quiet = Rc::new(quiet);
        for _ in 0..EXECUTORS {
            block_on(async {
                let (quiet, first) = (quiet.clone(), random.below(ROUNDS));
                // From this round on it sleeps in poll(2), not in park.
                let opens = by_channel(random.another(), move |round| {
                    if round == first {
                        let quiet = quiet.clone();
                        spawn(async move { quiet.peek(&mut [0]).await });
                    }
                });
                let wakes = by_waker(random.another());
                all_ask(vec![vec![opens], vec![wakes]], &mut random, ROUNDS).await;
            });
        }
    });
}
