//! One client's reader: the task that does what the client says.
//!
//! ```text
//!   socket ──► lines ──► reader ──► its room (broadcast) ──► the writers of the others
//!                          │
//!                          │ answers, ears (mpsc, 8 places)
//!                          ▼
//!   its room ──► ear ──► writer ──► socket
//! ```
//!
//! If the client does not read, the writer waits, and then two things happen. The room goes on
//! without it: it lags. And as soon as eight answers wait, the reader waits too: it reads no more,
//! and so the client can send no more. Each of the queues has an end.
//!
//! Either task may be the first to go. If the reader does, the writer writes what is left and goes;
//! if the writer does, the reader sees its queue closed.

use crate::lines::{Heard, Lines};
use crate::rooms::{Chat, Member};
use crate::writer::ToWriter;
use handspun::sync::{CancellationToken, mpsc};
use handspun::task::yield_now;
use handspun::time::{Duration, timeout};
use std::rc::Rc;

/// How long a client may take to close its side after our goodbye.
const LINGER: Duration = Duration::from_millis(500);

/// Where everybody begins.
const LOBBY: &str = "lobby";
const HELP: &str = "/join ROOM, /who, /quit, or say something";

/// Why a client goes.
pub enum End {
    Quits,
    /// It has closed its side.
    Leaves,
    Sleeps,
    ServerCloses,
    /// Nothing can be said to it any more.
    IsGone,
}

pub struct Reader {
    pub chat: Rc<Chat>,
    pub lines: Lines,
    pub answers: mpsc::Sender<ToWriter>,
    /// After so long without a line the client is warned, and after as long again it must go.
    pub idle: Duration,
    pub closes: CancellationToken,
}

impl Reader {
    pub async fn run(mut self) {
        let goodbye = match self.converse().await {
            End::Quits => "* goodbye\n",
            End::Leaves => "* you leave without a word\n",
            End::Sleeps => "* you are asleep: goodbye\n",
            End::ServerCloses => "* the chat closes: goodbye\n",
            End::IsGone => return,
        };
        let _ = self.answers.send(ToWriter::Goodbye(goodbye)).await;
        drop(self.answers);
        // A socket that is closed with something unread in it is reset, and a reset overtakes what
        // is on its way. So we read on until the client has closed, too.
        let _ = timeout(LINGER, self.lines.discard()).await;
    }

    /// From the greeting to the end. (Here the member is dropped, and the others are told.)
    async fn converse(&mut self) -> End {
        match self.try_converse().await {
            Ok(end) | Err(end) => end,
        }
    }

    async fn try_converse(&mut self) -> Result<End, End> {
        self.answer("* welcome: what is your name?").await?;
        let member = self.let_in().await?;
        self.answer(&format!("* hello: {HELP}")).await?;
        self.answer(&format!("* {}", member.who())).await?;
        loop {
            let line = self.hear().await?;
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("", _) => {}
                ("/quit", _) => return Ok(End::Quits),
                ("/who", _) => self.answer(&format!("* {}", member.who())).await?,
                ("/join", room) => self.join(&member, room.trim()).await?,
                (word, _) if word.starts_with('/') => self.answer(&format!("! {HELP}")).await?,
                _ => member.say(&line),
            }
        }
    }

    /// Asks until there is a name that will do.
    async fn let_in(&mut self) -> Result<Member, End> {
        loop {
            let name = self.hear().await?;
            match self.chat.enter(&name, LOBBY) {
                Ok((member, ear)) => {
                    self.send(ToWriter::Listen(ear)).await?;
                    return Ok(member);
                }
                Err(why) => self.answer(&format!("! {why}")).await?,
            }
        }
    }

    async fn join(&mut self, member: &Member, room: &str) -> Result<(), End> {
        match member.join(room) {
            Ok(ear) => {
                self.send(ToWriter::Listen(ear)).await?;
                self.answer(&format!("* {}", member.who())).await
            }
            Err(why) => self.answer(&format!("! {why}")).await,
        }
    }

    /// The next line that is fit to be heard.
    async fn hear(&mut self) -> Result<String, End> {
        let mut warned = false;
        loop {
            // One line a turn: then the writers keep up with somebody who pastes a thousand.
            yield_now().await;
            let heard = handspun::select! {
                biased;
                () = self.closes.cancelled() => return Err(End::ServerCloses),
                () = self.answers.closed() => return Err(End::IsGone),
                heard = timeout(self.idle, self.lines.next()) => heard,
            };
            match heard {
                Ok(Ok(Heard::Line(line))) => return Ok(line),
                Ok(Ok(Heard::Refused(why))) => self.answer(&format!("! {why}")).await?,
                Ok(Ok(Heard::End)) => return Err(End::Leaves),
                Ok(Err(_reset)) => return Err(End::IsGone),
                Err(_elapsed) if warned => return Err(End::Sleeps),
                Err(_elapsed) => {
                    warned = true;
                    self.answer("* are you still there?").await?;
                }
            }
        }
    }

    async fn answer(&self, line: &str) -> Result<(), End> {
        self.send(ToWriter::Answer(format!("{line}\n"))).await
    }

    async fn send(&self, message: ToWriter) -> Result<(), End> {
        self.answers.send(message).await.map_err(|_closed| End::IsGone)
    }
}
