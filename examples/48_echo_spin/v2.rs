//! v2 is v1, and wakes itself: it is polled again in the next turn, tries again, and again. It
//! works, and it spins. `diff v1.rs v2.rs` shows the step: it uses its waker.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::task::Poll;

/// Tries each time it is polled, until the socket does not say `WouldBlock`.
async fn wait<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    poll_fn(|cx| match operation() {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            cx.waker().wake_by_ref(); // the only one who would
            Poll::Pending
        }
        done => Poll::Ready(done),
    })
    .await
}

/// The `listener` must not block; what it accepts does not either.
pub async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (stream, _peer) = wait(|| listener.accept()).await?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Sends back what comes, to the end.
pub async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let read = wait(|| stream.read(&mut buffer)).await?;
        if read == 0 {
            return Ok(());
        }
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            let written = wait(|| stream.write(rest)).await?;
            rest = &rest[written..];
        }
    }
}
