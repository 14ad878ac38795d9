//! The server: it accepts clients, and when it is told to close it waits for them, not for long.

use crate::lines::Lines;
use crate::reader::Reader;
use crate::rooms::Chat;
use crate::writer::Writer;
use handspun::net::{TcpListener, TcpStream};
use handspun::sync::{CancellationToken, mpsc};
use handspun::task::{JoinError, JoinSet};
use handspun::time::{Duration, sleep, timeout};
use std::fmt::Display;
use std::io::{self, Write};
use std::rc::Rc;

const MOST_CLIENTS: usize = 1000;
/// How many answers wait for a client that is slow to read them.
const ANSWERS: usize = 8;
/// How long clients have to go once the server closes.
const GRACE: Duration = Duration::from_secs(1);

pub struct Server {
    pub chat: Rc<Chat>,
    pub idle: Duration,
    pub closes: CancellationToken,
}

impl Server {
    pub fn new(idle: Duration, closes: CancellationToken) -> Server {
        Server {
            chat: Rc::new(Chat::new(closes.clone())),
            idle,
            closes,
        }
    }

    /// Until the token is cancelled, and the clients have gone.
    pub async fn run(self, listener: TcpListener) {
        // Two for each client.
        let mut tasks = JoinSet::new();
        loop {
            handspun::select! {
                biased;
                () = self.closes.cancelled() => break,
                Some(end) = tasks.join_next() => report(end),
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if tasks.len() < 2 * MOST_CLIENTS => {
                        self.welcome(stream, &mut tasks);
                    }
                    Ok((stream, _)) => drop(stream.try_write(b"* we are full\n")),
                    Err(error) => {
                        // Of one connection; or we have too many files open, and the next try
                        // fails at once again.
                        complain(format_args!("cannot accept a connection: {error}"));
                        sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
        drop(listener);
        let all_gone = async {
            while let Some(end) = tasks.join_next().await {
                report(end);
            }
        };
        if timeout(GRACE, all_gone).await.is_err() {
            tasks.shutdown().await;
        }
    }

    fn welcome(&self, stream: TcpStream, tasks: &mut JoinSet<()>) {
        // Lines are short and few: each shall go at once. If it cannot be set, they are late.
        let _ = stream.set_nodelay(true);
        let (read, socket) = stream.into_split();
        let (answers, from_reader) = mpsc::channel(ANSWERS);
        let reader = Reader {
            chat: self.chat.clone(),
            lines: Lines::new(read),
            answers,
            idle: self.idle,
            closes: self.closes.clone(),
        };
        tasks.spawn(reader.run());
        let writer = Writer {
            socket,
            from_reader,
            ear: None,
        };
        tasks.spawn(writer.run());
    }
}

fn report(end: Result<(), JoinError>) {
    if let Err(error) = end {
        complain(format_args!("a client's task ended badly: {error}"));
    }
}

/// Not `eprintln!`, which panics when nobody reads any more what it prints: the chat goes on.
fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
