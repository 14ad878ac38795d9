//! Lines of text from a socket, whatever comes: nothing is believed that the other side sends.
//!
//! A line ends with a newline, has a length at most, is UTF-8, and has no control characters, which
//! would be commands to the terminals of those who read it. So much is kept of a line and no more:
//! of one that never ends the rest is thrown away as it comes.

use handspun::net::tcp::OwnedReadHalf;
use std::io;
use std::mem::{replace, take};

/// In bytes.
pub const LONGEST: usize = 1024;

pub struct Lines {
    stream: OwnedReadHalf,
    /// What has come of the next lines.
    buffer: Vec<u8>,
    /// So much of it holds no newline.
    searched: usize,
    /// The line is too long: what is left of it is not kept.
    skips: bool,
}

pub enum Heard {
    Line(String),
    /// And why.
    Refused(&'static str),
    /// The other side will say no more. (What it said last had no newline, and is lost.)
    End,
}

impl Lines {
    pub fn new(stream: OwnedReadHalf) -> Lines {
        Lines {
            stream,
            buffer: Vec::new(),
            searched: 0,
            skips: false,
        }
    }

    /// Cancel safe: whatever has come is in here, and not in the future.
    pub async fn next(&mut self) -> io::Result<Heard> {
        loop {
            while let Some(line) = self.take_line() {
                if !take(&mut self.skips) {
                    return Ok(text(line));
                }
            }
            if self.buffer.len() > LONGEST {
                self.buffer.clear();
                self.searched = 0;
                if !replace(&mut self.skips, true) {
                    return Ok(TOO_LONG);
                }
            }
            let mut block = [0; 1024];
            match self.stream.read(&mut block).await? {
                0 => return Ok(Heard::End),
                read => self.buffer.extend_from_slice(&block[..read]),
            }
        }
    }

    /// Without its newline, if there is a whole one.
    fn take_line(&mut self) -> Option<Vec<u8>> {
        let newline = self.buffer[self.searched..].iter().position(|&byte| byte == b'\n');
        let Some(at) = newline else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = replace(&mut self.searched, 0) + at;
        let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
        line.pop();
        Some(line)
    }

    /// Reads on, and throws it away, until the other side says no more.
    pub async fn discard(&mut self) {
        let mut block = [0; 1024];
        while let Ok(1..) = self.stream.read(&mut block).await {}
    }
}

const TOO_LONG: Heard = Heard::Refused("that line is too long");

fn text(line: Vec<u8>) -> Heard {
    if line.len() > LONGEST {
        return TOO_LONG;
    }
    let Ok(text) = String::from_utf8(line) else {
        return Heard::Refused("that is not UTF-8");
    };
    // `telnet` ends its lines with `\r\n`.
    let text = text.trim();
    match text.contains(char::is_control) {
        true => Heard::Refused("no control characters, please"),
        false => Heard::Line(text.to_string()),
    }
}
