//! Exercise 24: the check.
//!
//! Sockets are the system's, so the clock runs. The client and the answer are two tasks, and all
//! that they do to one another goes through the system, on this machine. How much a connection
//! holds is the system's affair, too: the client writes until no more goes in.

#[cfg(unix)]
handspun_exercises::answer!("HANDSPUN_ANSWER_24");

#[cfg(unix)]
mod cases {
    use crate::answer::echo;
    use handspun::executor::Executor;
    use handspun::net::TcpStream;
    use handspun::task::JoinHandle;
    use handspun::time::{sleep, timeout};
    use handspun::trace::{self, Cause, Event, Record};
    use handspun_exercises::{Case, Check, Mistake, PollOf, Wrong, spawn};
    use std::cell::Cell;
    use std::future::Future;
    use std::io::{self, ErrorKind};
    use std::net;
    use std::pin::Pin;
    use std::process::ExitCode;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    const LOOPS_IN_A_POLL: Mistake = Mistake {
        name: "loops_in_a_poll",
        says: "it would block, and is tried again in the same poll; nobody else is polled, not \
               the client either",
    };
    const WOULD_BLOCK_IS_AN_ERROR: Mistake = Mistake {
        name: "would_block_is_an_error",
        says: "`WouldBlock` means \"not now\", and is returned to the caller as if it were an end",
    };
    const SPINS: Mistake = Mistake {
        name: "spins",
        says: "it would block, so it lets others run and tries again; leave the waker with the \
               reactor",
    };
    const NAPS: Mistake = Mistake {
        name: "naps",
        says: "it would block, so it sleeps for a while and tries again; a socket tells when it \
               is ready",
    };
    const WAITS_FOR_THE_END: Mistake = Mistake {
        name: "waits_for_the_end",
        says: "it reads until the client is done, and the client waits for what it has said",
    };
    const END_NOT_SEEN: Mistake = Mistake {
        name: "end_not_seen",
        says: "`try_read` gives 0 for ever when the client has shut down; that is the end",
    };
    const LAST_BYTES_LOST: Mistake = Mistake {
        name: "last_bytes_lost",
        says: "it ends when the client does, and has not sent back all that it had",
    };
    const NO_BACKPRESSURE: Mistake = Mistake {
        name: "no_backpressure",
        says: "it reads on while nothing goes out, and keeps it all; a client that never reads \
               takes all the memory there is",
    };
    const WAITS_FOR_READABLE: Mistake = Mistake {
        name: "waits_for_readable",
        says: "there is no room to write, and it waits for something to read: there is, at once, \
               and still no room",
    };
    const WAITS_FOR_WRITABLE: Mistake = Mistake {
        name: "waits_for_writable",
        says: "it has nothing to write, and waits for room: there is, at once, and still nothing \
               to read",
    };
    const IGNORES_A_SHORT_WRITE: Mistake = Mistake {
        name: "ignores_a_short_write",
        says: "`try_write` says how much it has written; the rest, and no more than that, is \
               still to go",
    };
    const LEFT_TO_A_TASK: Mistake = Mistake {
        name: "left_to_a_task",
        says: "a task of its own has the stream, and goes on when the future is dropped",
    };
    const ERRORS_ARE_WAITS: Mistake = Mistake {
        name: "errors_are_waits",
        says: "each error is taken for `WouldBlock`; one that stays makes the socket ready, always",
    };

    pub fn run() -> ExitCode {
        Check::new("24_echo")
            .case("it waits while the client says nothing, and then says the same", silence)
            .case("it ends when the client has shut down, and nothing is lost", ends)
            .case("it waits while the client does not read, and every byte comes back", full)
            .case("a client that breaks off is an error, and not an end as usual", gone)
            .case("when the future is dropped, the connection is closed", dropped)
            .run()
    }

    /// How long nothing happens.
    const SILENCE: Duration = Duration::from_millis(100);

    /// How long is waited for what comes at once if it comes.
    const FOR_AN_ANSWER: Duration = Duration::from_secs(2);

    /// So many polls in a silence need no reason: what the last words have stirred up.
    const FEW: usize = 2;

    /// After so many polls without a word of the client the answer is not polled any more: what is
    /// wrong is plain, and the drawing long.
    const PLENTY: usize = 1_000;

    /// More than the sockets between two tasks hold.
    const TOO_MUCH: usize = 64 << 20;

    fn block_on<F: Future>(case: &Case, root: F) -> F::Output {
        case.may_take(FOR_AN_ANSWER + FOR_AN_ANSWER);
        POLLS.set(0);
        SPOKE_AT.set(0);
        case.block_on_with(Executor::builder(), root)
    }

    /// Two ends of a connection.
    fn connection() -> (TcpStream, TcpStream) {
        let ends = || -> io::Result<_> {
            let listener = net::TcpListener::bind("127.0.0.1:0")?;
            let client = net::TcpStream::connect(listener.local_addr()?)?;
            let (server, _address) = listener.accept()?;
            Ok((TcpStream::from_std(client)?, TcpStream::from_std(server)?))
        };
        ends().expect("a connection to this machine")
    }

    // The answer.

    thread_local! {
        /// The answer's polls since the client has done something.
        static POLLS: Cell<usize> = const { Cell::new(0) };
        /// With which record that was.
        static SPOKE_AT: Cell<usize> = const { Cell::new(0) };
    }

    struct Echo {
        answer: Pin<Box<dyn Future<Output = io::Result<usize>>>>,
        /// Kept when the answer is not polled any more: that nobody has it would be told as a lint.
        waker: Option<Waker>,
    }

    impl Future for Echo {
        type Output = io::Result<usize>;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
            POLLS.set(POLLS.get() + 1);
            if POLLS.get() > PLENTY {
                self.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            self.answer.as_mut().poll(cx)
        }
    }

    fn spawn_echo(server: TcpStream) -> JoinHandle<io::Result<usize>> {
        let answer = Box::pin(echo(server));
        let waker = None;
        spawn("echo", Echo { answer, waker })
    }

    // The client.

    /// The last record so far, in a run that goes on.
    fn now() -> usize {
        trace::current().map_or(0, |trace| trace.records().len().saturating_sub(1))
    }

    fn has_spoken() {
        POLLS.set(0);
        SPOKE_AT.set(now());
    }

    /// Nothing happens for a while. Returns with which record that begins.
    async fn silence_begins() -> usize {
        let begin = now();
        sleep(SILENCE).await;
        if POLLS.get() > PLENTY { SPOKE_AT.get() } else { begin }
    }

    /// What all clients say: a text that does not repeat itself in step with any buffer.
    fn text() -> Vec<u8> {
        (0..PERIOD * 400).map(|n| (n % PERIOD) as u8).collect()
    }

    const PERIOD: usize = 251;

    /// Writes until no more goes in. Returns how much that is.
    async fn fill(client: &TcpStream) -> usize {
        let text = text();
        let mut written = 0;
        while written < TOO_MUCH {
            match client.try_write(&text[written % PERIOD..]) {
                Ok(count) => {
                    written += count;
                    has_spoken();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !has_room(client).await {
                        break;
                    }
                }
                // The other end is gone: other cases say so.
                Err(_) => break,
            }
        }
        written
    }

    /// Waits for room until nothing has happened for a while. As long as the answer is polled there
    /// may be some yet, on a busy machine; but with one that is polled for ever patience ends.
    async fn has_room(client: &TcpStream) -> bool {
        let mut quiet = 0;
        for _ in 0..50 {
            let before = POLLS.get();
            if timeout(SILENCE / 10, client.writable()).await.is_ok() {
                return true;
            }
            quiet = if POLLS.get() == before { quiet + 1 } else { 0 };
            if quiet == 10 {
                break;
            }
        }
        false
    }

    /// What comes back.
    #[derive(Default)]
    struct Heard {
        bytes: usize,
        /// The number of the first byte that is not what it should be.
        wrong: Option<usize>,
        /// There is an end, or an error.
        is_over: bool,
        at: usize,
    }

    /// Reads so many bytes, or until there are no more, or none come for a while.
    async fn hear(client: &mut TcpStream, most: usize) -> Heard {
        let text = text();
        let mut heard = Heard::default();
        let mut buffer = vec![0; 64 << 10];
        while heard.bytes < most {
            let room = buffer.len().min(most - heard.bytes);
            let Ok(read) = timeout(FOR_AN_ANSWER, client.read(&mut buffer[..room])).await else {
                break;
            };
            let (Ok(count @ 1..), begin) = (read, heard.bytes % PERIOD) else {
                heard.is_over = true;
                break;
            };
            has_spoken();
            let (got, expected) = (&buffer[..count], &text[begin..begin + count]);
            if got != expected && heard.wrong.is_none() {
                let first = got.iter().zip(expected).position(|(got, expected)| got != expected);
                heard.wrong = first.map(|first| heard.bytes + first);
                heard.at = now();
            }
            heard.bytes += count;
        }
        if heard.wrong.is_none() {
            heard.at = now();
        }
        heard
    }

    // What must hold.

    /// From this record to the last of its silence nobody polls the answer for nothing.
    fn expect_silence(case: &Case, begin: usize, end: usize, if_by_socket: Mistake) {
        let is_in = |poll: &PollOf| poll.began > begin && poll.began < end;
        let polls: Vec<PollOf> = case.polls_of("echo").into_iter().filter(is_in).collect();
        let Some(needless) = polls.get(FEW) else {
            return;
        };
        let mistake = match woken_by(case, needless) {
            Some(Cause::Socket) => if_by_socket,
            Some(Cause::Timer(_)) => NAPS,
            _ => SPINS,
        };
        let got = if polls.len() < PLENTY - FEW {
            format!("{} polls", polls.len())
        } else {
            "a thousand polls".to_string()
        };
        let wrong = Wrong::new("no poll of echo while nothing happens", got).looks_like(mistake);
        case.is_wrong(wrong.at(needless.began, "nothing has happened"));
    }

    fn woken_by(case: &Case, poll: &PollOf) -> Option<Cause> {
        let trace = case.trace();
        trace.records()[..poll.began].iter().rev().find_map(|record| match record.event {
            Event::Woken { task, by, .. } if task == poll.task => Some(by),
            _ => None,
        })
    }

    fn expect_bytes(
        case: &Case,
        heard: &Heard,
        expected: usize,
        if_short: impl Into<Option<Mistake>>,
    ) {
        if let Some(wrong) = heard.wrong {
            let got = format!("another one in place {}", with_commas(wrong));
            let wrong = Wrong::new("every byte in its place", got);
            let wrong = wrong.looks_like(IGNORES_A_SHORT_WRITE);
            case.is_wrong(wrong.at(heard.at, "here the wrong one comes"));
        }
        if heard.bytes != expected {
            let got = with_commas(heard.bytes);
            let wrong = Wrong::new(format!("{} bytes", with_commas(expected)), got);
            case.is_wrong(wrong.looks_like(if_short).at(heard.at, "no more come"));
        }
    }

    fn with_commas(number: usize) -> String {
        let digits = number.to_string();
        let groups = digits.as_bytes().rchunks(3).rev();
        let groups: Vec<_> = groups.map(|group| String::from_utf8_lossy(group)).collect();
        groups.join(",")
    }

    /// It has ended in time, with this number.
    fn expect_end(case: &Case, outcome: Option<io::Result<usize>>, expected: usize) {
        let got = match outcome {
            Some(Ok(count)) if count == expected => return,
            Some(Ok(count)) => format!("{} bytes", with_commas(count)),
            Some(Err(error)) => format!("an error: {error}"),
            None => "no end".to_string(),
        };
        let expected = format!("an end after {} bytes", with_commas(expected));
        let mistake = (got == "no end").then_some(END_NOT_SEEN);
        let wrong = Wrong::new(expected, got).looks_like(mistake);
        case.is_wrong(wrong.at(last_poll(case), "its last poll"));
    }

    fn last_poll(case: &Case) -> usize {
        case.polls_of("echo").last().map_or(0, |poll| poll.began)
    }

    /// How the answer has ended, if it does so in time.
    async fn outcome(task: JoinHandle<io::Result<usize>>) -> Option<io::Result<usize>> {
        Some(timeout(FOR_AN_ANSWER, task).await.ok()?.expect("it does not panic"))
    }

    // The cases.

    fn silence(case: &Case) {
        case.if_it_hangs(LOOPS_IN_A_POLL);
        let (mut client, server) = connection();
        let (begin, end, early, heard) = block_on(case, async {
            let task = spawn_echo(server);
            let begin = silence_begins().await;
            let end = now();
            if task.is_finished() || POLLS.get() > FEW {
                let early = if task.is_finished() { outcome(task).await } else { None };
                return (begin, end, early, Heard::default());
            }
            let _written = client.try_write(&text()[..5]);
            has_spoken();
            (begin, end, None, hear(&mut client, 5).await)
        });
        if let Some(early) = early {
            let (got, mistake) = match early {
                Ok(_) => ("an end".to_string(), None),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ("the error `WouldBlock`".to_string(), Some(WOULD_BLOCK_IS_AN_ERROR))
                }
                Err(error) => (format!("an error: {error}"), None),
            };
            let wrong = Wrong::new("to wait for the client", got).looks_like(mistake);
            case.is_wrong(wrong.at(last_poll(case), "over already"));
        }
        expect_silence(case, begin, end, WAITS_FOR_WRITABLE);
        // Who was polled once has not seen what the client said.
        let has_read = case.polls_of("echo").len() > 1;
        expect_bytes(case, &heard, 5, has_read.then_some(WAITS_FOR_THE_END));
    }

    fn ends(case: &Case) {
        case.if_it_hangs(END_NOT_SEEN);
        const BYTES: usize = 10_000;
        let (mut client, server) = connection();
        let (heard, outcome) = block_on(case, async {
            let task = spawn_echo(server);
            let written = client.write_all(&text()[..BYTES]).await;
            written.expect("there is room for this");
            client.shutdown().await.expect("it is connected");
            has_spoken();
            let heard = hear(&mut client, BYTES).await;
            (heard, outcome(task).await)
        });
        expect_bytes(case, &heard, BYTES, LAST_BYTES_LOST);
        expect_end(case, outcome, BYTES);
    }

    fn full(case: &Case) {
        case.if_it_hangs(LOOPS_IN_A_POLL);
        let (mut client, server) = connection();
        let (written, begin, end, rest) = block_on(case, async {
            let task = spawn_echo(server);
            let written = fill(&client).await;
            let begin = silence_begins().await;
            let end = now();
            if written >= TOO_MUCH || POLLS.get() > PLENTY {
                return (written, begin, end, None);
            }
            client.shutdown().await.expect("it is connected");
            has_spoken();
            let heard = hear(&mut client, written).await;
            (written, begin, end, Some((heard, outcome(task).await)))
        });
        if written >= TOO_MUCH {
            let got = format!("one who takes {} MiB", TOO_MUCH >> 20);
            let wrong = Wrong::new("to be held up by one who does not read", got);
            case.is_wrong(wrong.looks_like(NO_BACKPRESSURE).at(end, "all this is kept"));
        }
        expect_silence(case, begin, end, WAITS_FOR_READABLE);
        if let Some((heard, outcome)) = rest {
            expect_bytes(case, &heard, written, IGNORES_A_SHORT_WRITE);
            expect_end(case, outcome, written);
        }
    }

    fn gone(case: &Case) {
        case.if_it_hangs(ERRORS_ARE_WAITS);
        let (client, server) = connection();
        let (broken, outcome) = block_on(case, async {
            let task = spawn_echo(server);
            fill(&client).await;
            // With what it has not read it is no end, but a reset.
            drop(client);
            has_spoken();
            (now(), outcome(task).await)
        });
        let got = match outcome {
            Some(Err(_)) => return,
            Some(Ok(_)) => "an end as if all were well",
            None => "none",
        };
        let mistake = (got == "none").then_some(ERRORS_ARE_WAITS);
        let wrong = Wrong::new("an error", got).looks_like(mistake);
        let next = case.polls_of("echo").into_iter().find(|poll| poll.began > broken);
        let next = next.map_or(broken, |poll| poll.began);
        case.is_wrong(wrong.at(next, "the client has broken off"));
    }

    fn dropped(case: &Case) {
        for is_full in [false, true] {
            let (mut client, server) = connection();
            let heard = block_on(case, async {
                let task = spawn_echo(server);
                let waits = if is_full { fill(&client).await } else { 0 };
                sleep(SILENCE / 10).await;
                task.abort();
                let _cancelled = task.await;
                hear(&mut client, waits.max(1)).await
            });
            if !heard.is_over {
                let got = "one that is open";
                // Besides the root and the answer.
                let trace = case.trace();
                let is_spawn = |record: &&Record| matches!(record.event, Event::Spawned { .. });
                let has_task = trace.records().iter().filter(is_spawn).count() > 2;
                let mistake = has_task.then_some(LEFT_TO_A_TASK);
                let wrong = Wrong::new("a closed connection", got).looks_like(mistake);
                case.is_wrong(wrong.at(last_poll(case), "the last poll before it was dropped"));
            }
        }
    }
}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    cases::run()
}

#[cfg(not(unix))]
fn main() {
    println!("24 echo: there are no sockets in handspun on this system");
}
