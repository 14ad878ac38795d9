//! What the tests of sockets share, besides what all tests share: connections that are there at
//! once, and ways to fill, to break and to look at them.

#[path = "../support/mod.rs"]
mod shared;

pub use shared::*;

use crate::watchdog::watched;
use handspun::block_on;
use handspun::executor::Executor;
use handspun::net::{TcpListener, TcpStream, UdpSocket};
use handspun::task::yield_now;
use std::future::{Future, pending, poll_fn};
use std::io::{self, ErrorKind};
use std::net;
use std::pin::Pin;
use std::task::Poll;

/// Runs a future under the watchdog: a wake that is lost ends the process.
pub fn run<F: Future>(future: F) -> F::Output {
    watched(|| block_on(future))
}

/// A connection between two sockets of std's, which block.
pub fn std_pair() -> (net::TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let here = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (there, _) = listener.accept().unwrap();
    (here, there)
}

/// A connection.
#[track_caller]
pub fn pair() -> (TcpStream, TcpStream) {
    let (here, there) = std_pair();
    (TcpStream::from_std(here).unwrap(), TcpStream::from_std(there).unwrap())
}

/// A connection whose other end blocks: for another thread, and for what shall have happened when
/// the call is over.
#[track_caller]
pub fn pair_with_std() -> (TcpStream, net::TcpStream) {
    let (here, there) = std_pair();
    (TcpStream::from_std(here).unwrap(), there)
}

/// A listener at any free port, and its address.
#[track_caller]
pub fn listener() -> (TcpListener, net::SocketAddr) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (TcpListener::from_std(listener).unwrap(), address)
}

/// A datagram socket at any free port, and its address.
#[track_caller]
pub fn udp() -> (UdpSocket, net::SocketAddr) {
    let socket = net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (UdpSocket::from_std(socket).unwrap(), address)
}

/// An address at which nobody listens.
pub fn nobodys_address() -> net::SocketAddr {
    net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Writes until there is no room left, and stays full. Returns how much.
pub async fn fill(stream: &TcpStream) -> usize {
    let mut written = 0;
    loop {
        match stream.try_write(&[0; 65_536]) {
            Ok(some) => written += some,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                // What is on its way to the peer may make room once more.
                if becomes_pending(stream.writable()).await {
                    return written;
                }
            }
        }
    }
}

/// Whether a future is still pending after the executor has looked at all sockets, and more than
/// once. It is dropped then.
async fn becomes_pending(future: impl Future) -> bool {
    let mut future = Box::pin(future);
    for _ in 0..300 {
        if poll_here(future.as_mut()).await.is_ready() {
            return false;
        }
        yield_now().await;
    }
    true
}

/// Polls a future once, with the waker of this task.
pub async fn poll_here<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// Closes a connection in such a way that its peer, `there`, is told of a reset: with a byte that
/// was not read.
pub fn reset(here: net::TcpStream, there: &TcpStream) {
    assert_eq!(there.try_write(&[0]).unwrap(), 1);
    assert_eq!(here.peek(&mut [0]).unwrap(), 1);
}

/// The kind of an error.
#[track_caller]
pub fn kind<T>(result: io::Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("there is no error"),
        Err(error) => error.kind(),
    }
}

/// An executor that panics if nothing is runnable and nobody is waited for.
pub fn reporting() -> Executor {
    Executor::builder().panic_on_stall(true).build()
}

/// That nobody waits for a socket: if anybody did, this would sleep until the watchdog barks.
#[track_caller]
pub fn assert_nobody_waits(executor: &Executor) {
    let stall = watched(|| caught(|| executor.block_on(pending::<()>()))).unwrap_err();
    assert!(stall.starts_with("the executor has stalled"), "{stall}");
}

/// So many bytes, of which no two stretches are alike.
pub fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at ^ (at >> 8) ^ (at >> 15)) as u8).collect()
}
