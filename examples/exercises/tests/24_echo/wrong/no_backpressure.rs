// Exercise 24, wrong: it reads on, whether or not there is room.

use handspun::net::TcpStream;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};

/// Sends back what comes, until the client has shut down its side. Returns how many bytes that
/// were.
pub async fn echo(stream: TcpStream) -> io::Result<usize> {
    let mut kept = VecDeque::new();
    let mut buffer = [0; 4096];
    let mut echoed = 0;
    let mut is_over = false;
    while !is_over || !kept.is_empty() {
        match stream.try_read(&mut buffer) {
            Ok(0) => is_over = true,
            Ok(read) => kept.extend(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let mut has_room = true;
        while let (true, false) = (has_room, kept.is_empty()) {
            match stream.try_write(kept.as_slices().0) {
                Ok(written) => {
                    echoed += written;
                    kept.drain(..written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => has_room = false,
                Err(error) => return Err(error),
            }
        }
        match is_over {
            true if kept.is_empty() => {}
            true => stream.writable().await?,
            false => stream.readable().await?,
        }
    }
    Ok(echoed)
}
