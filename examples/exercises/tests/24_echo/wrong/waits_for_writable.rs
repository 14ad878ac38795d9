// Exercise 24, wrong: it waits for whichever comes first, of use or not.

use handspun::net::TcpStream;
use std::io::{self, ErrorKind};

/// Sends back what comes, until the client has shut down its side. Returns how many bytes that
/// were.
pub async fn echo(stream: TcpStream) -> io::Result<usize> {
    let mut buffer = [0; 4096];
    let (mut begin, mut end, mut echoed) = (0, 0, 0);
    loop {
        if begin == end {
            begin = 0;
            end = match stream.try_read(&mut buffer) {
                Ok(0) => return Ok(echoed),
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                done => done?,
            };
        }
        if begin < end {
            match stream.try_write(&buffer[begin..end]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => {
                    let written = done?;
                    begin += written;
                    echoed += written;
                }
            }
        }
        handspun::select! {
            readable = stream.readable() => readable?,
            writable = stream.writable() => writable?,
        }
    }
}
