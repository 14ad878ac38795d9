//! One client's writer: the task that tells the client what it is to hear.
//!
//! It listens to two, to the client's reader and to the room, and writes one line at a time.

use crate::ear::Ear;
use handspun::net::tcp::OwnedWriteHalf;
use handspun::sync::mpsc;
use handspun::time::{Duration, timeout};
use std::future::pending;
use std::io;
use std::iter;
use std::rc::Rc;

/// How long a client may take for a line before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// From the reader to the writer.
pub enum ToWriter {
    Answer(String),
    /// From now on, listen to this room.
    Listen(Ear),
    /// The last one.
    Goodbye(&'static str),
}

pub struct Writer {
    pub socket: OwnedWriteHalf,
    pub from_reader: mpsc::Receiver<ToWriter>,
    /// The room, for somebody who is in one.
    pub ear: Option<Ear>,
}

impl Writer {
    /// Until the reader has said goodbye, or the client takes nothing any more. Then the socket is
    /// dropped, and the client sees the end.
    pub async fn run(mut self) {
        while let Some(line) = self.next().await {
            let written = self.write(&line).await;
            if written.is_err() {
                return;
            }
        }
    }

    async fn next(&mut self) -> Option<Rc<str>> {
        loop {
            let message = handspun::select! {
                message = self.from_reader.recv() => message?,
                line = hear(&mut self.ear) => return Some(line),
            };
            match message {
                ToWriter::Answer(line) => return Some(line.into()),
                ToWriter::Listen(ear) => self.ear = Some(ear),
                ToWriter::Goodbye(line) => {
                    self.from_reader.close();
                    // What was said before that comes before that.
                    let unheard = iter::from_fn(|| self.ear.as_mut()?.try_next());
                    let rest = unheard.collect::<Vec<_>>().concat() + line;
                    self.ear = None;
                    return Some(rest.into());
                }
            }
        }
    }

    async fn write(&mut self, line: &str) -> io::Result<()> {
        timeout(PATIENCE, self.socket.write_all(line.as_bytes())).await?
    }
}

async fn hear(ear: &mut Option<Ear>) -> Rc<str> {
    match ear {
        Some(ear) => ear.next().await,
        None => pending().await,
    }
}
