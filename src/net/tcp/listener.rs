//! [`TcpListener`]: where streams come from.
//!
//! Next: `net/udp.rs`.

use super::stream::TcpStream;
use crate::net::lookup::{ToSocketAddrs, addresses};
use crate::net::reactor::Direction;
use crate::net::socket::Socket;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;

/// Accepts connections.
///
/// ```
/// use handspun::net::{TcpListener, TcpStream};
///
/// # fn main() -> std::io::Result<()> {
/// handspun::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?; // any free port
///     let address = listener.local_addr()?;
///     let (accepted, connected) = handspun::join!(listener.accept(), TcpStream::connect(address));
///     let (stream, peer) = accepted?;
///     assert_eq!(peer, connected?.local_addr()?);
///     assert_eq!(stream.peer_addr()?, peer);
///     Ok(())
/// })
/// # }
/// ```
pub struct TcpListener {
    socket: Socket<net::TcpListener>,
}

impl TcpListener {
    /// Listens at an address; at the first that will do, if it is a name that has several. Port 0
    /// is any free one, and [`local_addr`](TcpListener::local_addr) tells which.
    ///
    /// As in tokio, an address may be used again right after its last listener is gone.
    ///
    /// # Errors
    /// If the address is in use or not this host's, or a name cannot be resolved.
    ///
    /// # Panics
    /// If a name has to be looked up and no executor runs on this thread.
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[track_caller]
    pub fn bind<A: ToSocketAddrs>(address: A) -> impl Future<Output = io::Result<TcpListener>> {
        let place = Location::caller();
        async move {
            let listener = net::TcpListener::bind(&addresses(address, place).await?[..])?;
            TcpListener::new(listener, place)
        }
    }

    /// Waits for a connection, and accepts it. Returns the stream, and the address of its peer.
    ///
    /// Several tasks may wait at once: each connection goes to one of them.
    ///
    /// # Errors
    /// A listener goes on after an error. Some are those of one connection, which was given up
    /// while it waited here. If the process has as many files open as it may (`EMFILE`), the
    /// connection goes on waiting, and the next call fails at once again: close something, or sleep
    /// for a moment, before you call this again.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe: if this is dropped, no connection was accepted.
    #[track_caller]
    pub fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> {
        let place = Location::caller();
        async move {
            let accepted = self.socket.when_ready(Direction::Read, net::TcpListener::accept);
            let (stream, peer) = accepted.await?;
            Ok((TcpStream::new(stream, place)?, peer))
        }
    }

    /// The address at which this listens.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get().local_addr()
    }

    /// Of a listener of std's.
    ///
    /// # Errors
    /// If it cannot be made not to block.
    #[track_caller]
    pub fn from_std(listener: net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::new(listener, Location::caller())
    }

    /// As a listener of std's, which does not block: see
    /// [`set_nonblocking`](net::TcpListener::set_nonblocking).
    ///
    /// # Errors
    /// None; tokio's may fail.
    pub fn into_std(self) -> io::Result<net::TcpListener> {
        Ok(self.socket.into_inner())
    }

    fn new(
        listener: net::TcpListener,
        made_at: &'static Location<'static>,
    ) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        let connection = "a connection to the TCP listener";
        let socket = Socket::new(listener, connection, connection, made_at);
        // The first accept waits before it tries. So the executor has its bell before a burst of
        // connections can take all the file descriptors that there are.
        socket.note_used_up(Direction::Read);
        Ok(TcpListener { socket })
    }
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.get().as_fd()
    }
}

impl AsRawFd for TcpListener {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.get().as_raw_fd()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}
