// Exercise 24: an echo that waits for bytes, and for room. The task is in README.md.

use handspun::net::TcpStream;
use std::io::{self, ErrorKind};

/// Sends back what comes, until the client has shut down its side. Returns how many bytes that
/// were.
pub async fn echo(stream: TcpStream) -> io::Result<usize> {
    let mut buffer = [0; 4096];
    todo!("`echo`: what comes goes back; and if it would block?")
}
