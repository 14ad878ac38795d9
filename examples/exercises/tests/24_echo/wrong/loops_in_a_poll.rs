// Exercise 24, wrong: it tries until it works.

use handspun::net::TcpStream;
use std::io::{self, ErrorKind};

/// Sends back what comes, until the client has shut down its side. Returns how many bytes that
/// were.
pub async fn echo(stream: TcpStream) -> io::Result<usize> {
    let mut buffer = [0; 4096];
    let mut echoed = 0;
    loop {
        let read = read_some(&stream, &mut buffer).await?;
        if read == 0 {
            return Ok(echoed);
        }
        // Nothing more is read before this is away. So a client that does not read is held up, by
        // its own full sockets, and not kept in memory.
        write_all(&stream, &buffer[..read]).await?;
        echoed += read;
    }
}

/// Reads what there is, one byte at least. 0: there will be none any more.
async fn read_some(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.try_read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

async fn write_all(stream: &TcpStream, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match stream.try_write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            // As much as there was room for.
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
