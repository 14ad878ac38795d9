//! The servers among the examples, as processes, with clients that are std's sockets.
//!
//! They need the built examples: see `tests/examples.rs`. A client's read fails after a minute, so
//! no test hangs; nothing else depends on how fast anything is.
#![cfg(unix)]

use std::env;
use std::env::consts::EXE_SUFFIX;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

#[path = "support/watchdog.rs"]
mod watchdog;

use watchdog::watched;

const ECHOES: [&str; 3] = ["48_echo_spin", "49_echo_reactor", "50_clients_and_timers"];

// The echo servers.

#[test]
fn an_echo_server_serves_many_clients_at_once() {
    for example in ECHOES {
        watched(|| {
            let server = Server::start(example, &[]);
            let mut clients: Vec<Client> = (0..50).map(|_| server.client()).collect();
            for (number, client) in clients.iter_mut().enumerate() {
                client.says(&format!("client {number}"));
            }
            // Who spoke first is heard last.
            for (number, client) in clients.iter_mut().enumerate().rev() {
                assert_eq!(client.hears(), format!("client {number}"), "{example}");
            }
            assert!(server.close().success(), "{example}");
        });
    }
}

#[test]
fn what_is_larger_than_every_buffer_comes_back_whole() {
    const SIZE: usize = 16 << 20;
    for example in ECHOES {
        watched(|| {
            let server = Server::start(example, &[]);
            let Client { stream, mut lines } = server.client();
            let bytes: Vec<u8> = (0..SIZE).map(|at| (at % 251) as u8).collect();
            let mut back = Vec::new();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    (&stream).write_all(&bytes).unwrap();
                    stream.shutdown(Shutdown::Write).unwrap();
                });
                lines.read_to_end(&mut back).unwrap();
            });
            assert!(back == bytes, "{example}");
            assert!(server.close().success());
        });
    }
}

#[test]
fn an_echo_server_outlives_clients_that_go_without_a_word() {
    for example in ECHOES {
        watched(|| {
            let server = Server::start(example, &[]);
            let mut witness = server.client();
            for _ in 0..20 {
                server.client().resets();
            }
            assert_eq!(witness.asks("still there?"), "still there?", "{example}");
            assert_eq!(server.client().asks("and you?"), "and you?", "{example}");
            assert!(server.close().success(), "{example}");
        });
    }
}

// The chat.

#[test]
fn those_in_a_room_hear_one_another_and_nobody_else() {
    watched(|| {
        let server = Server::start(CHAT, &[]);
        let [mut ann, mut bob, mut cy, mut dan] = ["ann", "bob", "cy", "dan"].map(|name| {
            let mut guest = server.guest(name);
            assert_eq!(
                guest.asks(&format!("/join room-of-{name}")),
                format!("* in room-of-{name}: {name}")
            );
            guest
        });
        assert_eq!(bob.asks("/join room-of-ann"), "* in room-of-ann: ann, bob");
        assert_eq!(dan.asks("/join room-of-cy"), "* in room-of-cy: cy, dan");
        assert_eq!(ann.hears(), "* bob is here");
        assert_eq!(cy.hears(), "* dan is here");
        ann.says("to bob");
        cy.says("to dan");
        bob.says("to ann");
        dan.says("to cy");
        assert_eq!(ann.hears(), "bob: to ann");
        assert_eq!(bob.hears(), "ann: to bob");
        assert_eq!(cy.hears(), "dan: to cy");
        assert_eq!(dan.hears(), "cy: to dan");
        // Whoever goes over is heard of in both rooms.
        assert_eq!(bob.asks("/join room-of-cy"), "* in room-of-cy: bob, cy, dan");
        assert_eq!(ann.hears(), "* bob has left");
        assert_eq!([cy.hears(), dan.hears()], ["* bob is here", "* bob is here"]);
        assert_eq!(ann.asks("/who"), "* in room-of-ann: ann");
        assert_eq!(bob.asks("/quit"), "* goodbye");
        bob.hears_the_end();
        assert_eq!(dan.hears(), "* bob has left");
        assert!(server.close().success());
    });
}

#[test]
fn a_name_is_free_again_when_its_owner_has_gone() {
    watched(|| {
        let server = Server::start(CHAT, &[]);
        let mut ann = server.guest("ann");
        let mut other = server.client();
        assert_eq!(other.hears(), WELCOME);
        assert_eq!(other.asks("ann"), "! that name is taken");
        let bob = server.guest("bob");
        assert_eq!(ann.hears(), "* bob is here");
        bob.resets();
        assert_eq!(ann.hears(), "* bob has left");
        assert_eq!(other.asks("bob"), HELLO);
        assert_eq!(other.hears(), "* in lobby: ann, bob");
        assert!(server.close().success());
    });
}

#[test]
fn who_pastes_a_thousand_lines_makes_nobody_miss_one() {
    watched(|| {
        let server = Server::start(CHAT, &[]);
        let (mut ann, mut bob) = (server.guest("ann"), server.guest("bob"));
        let lines: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        ann.says(&lines.join("\n"));
        for line in lines {
            assert_eq!(bob.hears(), format!("ann: {line}"));
        }
        assert!(server.close().success());
    });
}

/// Ann talks until Bob, who does not read, must have missed something: until she has said more than
/// all buffers on the way can hold. Cy hears every word, and each before the next is said.
#[test]
fn a_slow_client_is_told_what_it_missed_and_holds_up_nobody() {
    const SAID: usize = 24_000;
    watched(|| {
        let server = Server::start(CHAT, &[]);
        let [mut ann, mut bob, mut cy] = ["ann", "bob", "cy"].map(|name| server.guest(name));
        assert_eq!(
            [bob.hears(), ann.hears(), ann.hears()],
            ["* cy is here", "* bob is here", "* cy is here"]
        );
        let padding = "la ".repeat(330);
        // A few at a time, no more than a room keeps.
        for batch in 0..SAID / 8 {
            let numbers = batch * 8..batch * 8 + 8;
            let lines = numbers.clone().map(|number| format!("{number} {padding}"));
            ann.says(&lines.collect::<Vec<_>>().join("\n"));
            for number in numbers {
                assert!(cy.hears().starts_with(&format!("ann: {number} ")));
            }
        }
        // What Bob hears now is in order, and nothing is lost without a word.
        let (mut next, mut gaps) = (0, 0);
        while next < SAID {
            let line = bob.hears();
            if let Some(missed) = line.strip_prefix("* you were too slow, and missed ") {
                next += missed.parse::<usize>().unwrap();
                gaps += 1;
            } else {
                assert!(line.starts_with(&format!("ann: {next} ")), "{line}");
                next += 1;
            }
        }
        assert!(gaps > 0);
        ann.says("welcome back");
        assert_eq!(bob.hears(), "ann: welcome back");
        assert!(server.close().success());
    });
}

#[test]
fn a_client_that_asks_and_does_not_read_can_ask_no_more_after_a_while() {
    watched(|| {
        let server = Server::start(CHAT, &[]);
        let (_crowd, deaf) = server.crowd_and_one_with_full_buffers();
        let mut bob = server.guest("bob");
        drop(deaf);
        assert_eq!(bob.hears(), "* deaf has left");
        assert!(server.close().success());
    });
}

#[test]
fn a_client_that_is_silent_is_warned_and_then_closed() {
    watched(|| {
        let server = Server::start(CHAT, &["--idle-ms", "50"]);
        let mut nameless = server.client();
        assert_eq!(nameless.hears(), WELCOME);
        // Bytes without an end are no sign of life.
        nameless.stream.write_all(b"an").unwrap();
        assert_eq!(nameless.hears(), "* are you still there?");
        nameless.stream.write_all(b"n").unwrap();
        assert_eq!(nameless.hears(), "* you are asleep: goodbye");
        nameless.hears_the_end();
        assert!(server.close().success());
    });
}

#[test]
fn what_no_client_should_send_is_answered() {
    watched(|| {
        let server = Server::start(CHAT, &[]);
        let mut client = server.client();
        assert_eq!(client.hears(), WELCOME);
        let bad_name = "! a name has 1 to 16 letters and digits";
        for (sent, answer) in [
            (&b""[..], bad_name),
            (b"   ", bad_name),
            (b"two words", bad_name),
            (b"/who", bad_name),
            (b"seventeen-letters", bad_name),
            (b"\xff\xfb\x1f", "! that is not UTF-8"),
            (b"\xc3", "! that is not UTF-8"),
            (b"a\0b", "! no control characters, please"),
            (b"\x1b]0;title\x07", "! no control characters, please"),
            ("\u{9b}2J".as_bytes(), "! no control characters, please"),
            (&[b'a'; 1025], "! that line is too long"),
            (&[b'a'; 3000], "! that line is too long"),
            (&[b'\xff'; 100_000], "! that line is too long"),
        ] {
            client.stream.write_all(&[sent, b"\n"].concat()).unwrap();
            assert_eq!(client.hears(), answer, "{}", String::from_utf8_lossy(sent));
        }
        // `telnet`.
        assert_eq!(client.asks("mallory\r"), HELLO);
        assert_eq!(client.hears(), "* in lobby: mallory");
        let help = "! /join ROOM, /who, /quit, or say something";
        assert_eq!(client.asks("/nonsense"), help);
        assert_eq!(client.asks("/joinroom"), help);
        assert_eq!(client.asks("/join"), bad_name);
        assert_eq!(client.asks("/join a/b"), bad_name);
        assert_eq!(client.asks("/who"), "* in lobby: mallory");
        // The longest line that there may be, and nothing at all.
        let mut ann = server.guest("ann");
        client.says(&format!("\n\n{}", "é".repeat(512)));
        assert_eq!(ann.hears(), format!("mallory: {}", "é".repeat(512)));
        assert!(server.close().success());
    });
}

#[test]
fn a_line_that_never_ends_is_not_kept_and_holds_up_nobody() {
    watched(|| {
        let server = Server::start(CHAT, &[]);
        let mut mallory = server.guest("mallory");
        let mut ann = server.guest("ann");
        assert_eq!(mallory.hears(), "* ann is here");
        for _ in 0..64 {
            mallory.stream.write_all(&[b'x'; 1 << 20]).unwrap();
            assert_eq!(ann.asks("/who"), "* in lobby: ann, mallory");
        }
        // It is said once.
        assert_eq!(mallory.hears(), "! that line is too long");
        mallory.says("");
        assert_eq!(mallory.asks("/who"), "* in lobby: ann, mallory");
        let kilobytes = server.memory();
        assert!(kilobytes.is_none_or(|kilobytes| kilobytes < 32_000), "{kilobytes:?}");
        assert!(server.close().success());
    });
}

#[test]
fn clients_that_vanish_leave_nothing_behind() {
    watched(|| {
        let server = Server::start(CHAT, &[]);
        let mut ann = server.guest("ann");
        for round in 0..30 {
            // Before the name, in the middle of a line, after it, and with much unread.
            server.client().resets();
            let mut half = server.client();
            half.stream.write_all(b"half a na").unwrap();
            half.resets();
            let bob = server.guest("bob");
            assert_eq!(ann.hears(), "* bob is here", "{round}");
            bob.resets();
            assert_eq!(ann.hears(), "* bob has left", "{round}");
            let mut cy = server.guest("cy");
            assert_eq!(ann.hears(), "* cy is here", "{round}");
            cy.says(&"/who\n".repeat(100));
            cy.resets();
            assert_eq!(ann.hears(), "* cy has left", "{round}");
        }
        assert_eq!(ann.asks("/who"), "* in lobby: ann");
        assert!(server.close().success());
    });
}

#[test]
fn who_closes_its_side_first_still_hears_the_answers() {
    watched(|| {
        let server = Server::start(CHAT, &[]);
        let mut client = server.client();
        client.says("ann\n/who");
        client.stream.shutdown(Shutdown::Write).unwrap();
        for line in [WELCOME, HELLO, "* in lobby: ann", "* in lobby: ann"] {
            assert_eq!(client.hears(), line);
        }
        assert_eq!(client.hears(), "* you leave without a word");
        client.hears_the_end();
        assert!(server.close().success());
    });
}

#[test]
fn the_goodbye_arrives_although_the_server_has_not_read_everything() {
    watched(|| {
        let server = Server::start(CHAT, &[]);
        for _ in 0..20 {
            let mut ann = server.guest("ann");
            ann.says(&format!("/quit\n{}", "unread\n".repeat(20_000)));
            assert_eq!(ann.hears(), "* goodbye");
            ann.hears_the_end();
        }
        assert!(server.close().success());
    });
}

#[test]
fn when_the_chat_closes_everybody_is_told_what_was_said_before_and_goodbye() {
    for order in ["quit\n", ""] {
        watched(|| {
            let mut server = Server::start(CHAT, &[]);
            let mut nameless = server.client();
            let mut guests: Vec<Client> =
                (0..20).map(|number| server.guest(&format!("guest{number}"))).collect();
            for (number, guest) in guests.iter_mut().enumerate() {
                (number + 1..20).for_each(|later| {
                    assert_eq!(guest.hears(), format!("* guest{later} is here"));
                });
            }
            guests[0].says("last words");
            assert_eq!(guests[1].hears(), "guest0: last words");
            let mut stdin = server.stdin.take().unwrap();
            stdin.write_all(order.as_bytes()).unwrap();
            // Dropped it is the end of the input; but the order is enough.
            let _open = (!order.is_empty()).then_some(stdin);
            assert_eq!(nameless.hears(), WELCOME);
            for guest in &mut guests[2..] {
                assert_eq!(guest.hears(), "guest0: last words");
            }
            for client in guests.iter_mut().chain([&mut nameless]) {
                assert_eq!(client.hears(), "* the chat closes: goodbye");
                client.hears_the_end();
            }
            assert!(server.close().success());
        });
    }
}

#[test]
fn a_client_that_does_not_read_cannot_keep_the_chat_open() {
    watched(|| {
        let server = Server::start(CHAT, &[]);
        let _open = server.crowd_and_one_with_full_buffers();
        assert!(server.close().success());
    });
}

#[test]
fn a_chat_whose_output_nobody_reads_stays_up_and_ends_when_it_is_told_to() {
    watched(|| {
        let mut few_files = Command::new("sh");
        few_files.args(["-c", "ulimit -n 16 && exec \"$@\"", "sh"]).arg(path(CHAT));
        few_files.stderr(Stdio::piped());
        let mut server = Server::start_by(few_files, &[]);
        drop((server.stdout.take(), server.child.stderr.take()));
        // Before the others: by now the executor has the files that it needs itself.
        let mut ann = server.guest("ann");
        // It cannot accept them all, and complains.
        let mut crowd: Vec<Client> = (0..20).map(|_| server.client()).collect();
        assert_eq!(crowd[0].hears(), WELCOME);
        assert_eq!(ann.asks("/who"), "* in lobby: ann");
        drop(crowd);
        assert_eq!(server.client().hears(), WELCOME);
        // The first line is answered.
        server.stdin.as_mut().unwrap().write_all(b"hello\nquit\n").unwrap();
        assert!(server.child.wait().unwrap().success());
    });
}

// Arguments.

#[test]
fn what_is_wrong_with_the_arguments_is_one_line_and_exit_code_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for example in ECHOES.into_iter().chain([CHAT]) {
        for wrong in [
            &["serve"][..],
            &["--serve"],
            &["serve", "nowhere"],
            &["serve", "127.0.0.1:65536"],
            &["serve", &taken],
            &["serve", "127.0.0.1:0", "more"],
            // Who serves shows no stage.
            &["serve", "127.0.0.1:0", "v1"],
            &["v1", "serve", "127.0.0.1:0"],
        ] {
            let output = command(example).args(wrong).stdin(Stdio::null()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{example} {wrong:?} said {said}");
            assert_eq!(said.lines().count(), 1, "{example} {wrong:?} said {said}");
            assert_eq!(output.stdout, b"", "{example} {wrong:?}");
        }
    }
    for wrong in [
        &["--idle-ms"][..],
        &["--idle-ms", "0"],
        &["--idle-ms", "soon"],
    ] {
        let output = command(CHAT).args(["serve", "127.0.0.1:0"]).args(wrong).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("--idle-ms needs a number"));
        assert_eq!(output.status.code(), Some(2));
    }
}

// The tests' vocabulary.

const CHAT: &str = "62_chat";
const WELCOME: &str = "* welcome: what is your name?";
const HELLO: &str = "* hello: /join ROOM, /who, /quit, or say something";

/// The process of a server. Killed when dropped.
struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
    address: String,
}

impl Server {
    fn start(example: &str, options: &[&str]) -> Server {
        Server::start_by(command(example), options)
    }

    /// By a command, which may say something first.
    fn start_by(mut command: Command, options: &[&str]) -> Server {
        command.args(["serve", "127.0.0.1:0"]).args(options);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect(
            "the example is built: run `cargo build --examples` first, or all tests with \
             `cargo test`",
        );
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let place = line.strip_prefix("listening at ").and_then(|place| place.split(' ').next());
        let address = place.expect(&line).to_string();
        let stdin = child.stdin.take();
        Server {
            child,
            stdin,
            stdout: Some(stdout),
            address,
        }
    }

    fn client(&self) -> Client {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap());
        Client { stream, lines }
    }

    /// Somebody in the lobby of the chat.
    fn guest(&self, name: &str) -> Client {
        let mut client = self.client();
        assert_eq!(client.hears(), WELCOME);
        assert_eq!(client.asks(name), HELLO);
        assert!(client.hears().starts_with("* in lobby: "));
        client
    }

    /// Many in the lobby of the chat, and one who asks who they are, again and again, and does not
    /// read. Returns when the server does not read his questions any more: then there is no room
    /// for another one while it answers to somebody else some thousand times. (For each answer that
    /// it gives to somebody it reads one question of everybody, at least.)
    fn crowd_and_one_with_full_buffers(&self) -> (Vec<Client>, Client) {
        let crowd = (10..60).map(|number| self.guest(&format!("member-number-{number}"))).collect();
        let deaf = self.guest("deaf");
        let mut witness = self.guest("witness");
        assert_eq!(witness.asks("/join elsewhere"), "* in elsewhere: witness");
        deaf.stream.set_nonblocking(true).unwrap();
        let questions = format!("/who {}\n", "?".repeat(1000)).repeat(1000).into_bytes();
        // The next write begins where the last one ended.
        let (mut from, mut refused) = (0, 0);
        while refused < 3000 {
            match (&deaf.stream).write(&questions[from..]) {
                Ok(written) => (from, refused) = ((from + written) % questions.len(), 0),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    refused += 1;
                }
            }
            assert_eq!(witness.asks("/who"), "* in elsewhere: witness");
        }
        (crowd, deaf)
    }

    /// Resident memory in kilobytes, where the system tells.
    fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// Ends its input, and waits for its end.
    fn close(mut self) -> ExitStatus {
        drop(self.stdin.take());
        if let Some(stdout) = &mut self.stdout {
            io::copy(stdout, &mut io::sink()).unwrap();
        }
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Client {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Client {
    fn says(&mut self, line: &str) {
        self.stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    #[track_caller]
    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the connection ended after {line:?}");
        line.pop();
        line
    }

    #[track_caller]
    fn asks(&mut self, line: &str) -> String {
        self.says(line);
        self.hears()
    }

    #[track_caller]
    fn hears_the_end(&mut self) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }

    /// Closes with something unread, if there is any: the other side sees a reset.
    fn resets(self) {}
}

fn command(example: &str) -> Command {
    Command::new(path(example))
}

/// This test is `target/debug/deps/servers-…`; an example is `target/debug/examples/…`.
fn path(example: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("a folder above `deps`");
    profile.join("examples").join(format!("{example}{EXE_SUFFIX}"))
}
