//! UDP: [`UdpSocket`].
//!
//! Each method is one of std's, on a socket that does not block, in the loop of `net/socket.rs`.
//! One socket has many peers, and several tasks may use it at once: they share it by reference,
//! and there are no halves.

use super::ToSocketAddrs;
use super::lookup::addresses;
use super::reactor::Direction;
use super::socket::Socket;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;

/// Sends and receives datagrams.
///
/// ```
/// use handspun::net::UdpSocket;
///
/// # fn main() -> std::io::Result<()> {
/// handspun::block_on(async {
///     let here = UdpSocket::bind("127.0.0.1:0").await?; // any free port
///     let there = UdpSocket::bind("127.0.0.1:0").await?;
///     here.send_to(b"hello", there.local_addr()?).await?;
///     let mut buffer = [0; 100];
///     let (length, from) = there.recv_from(&mut buffer).await?;
///     assert_eq!(&buffer[..length], b"hello");
///     assert_eq!(from, here.local_addr()?);
///     Ok(())
/// })
/// # }
/// ```
pub struct UdpSocket {
    socket: Socket<net::UdpSocket>,
}

impl UdpSocket {
    /// A socket at an address; at the first that will do, if it is a name that has several. Port 0
    /// is any free one.
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
    pub fn bind<A: ToSocketAddrs>(address: A) -> impl Future<Output = io::Result<UdpSocket>> {
        let place = Location::caller();
        async move {
            let socket = net::UdpSocket::bind(&addresses(address, place).await?[..])?;
            UdpSocket::new(socket, place)
        }
    }

    /// Chooses one peer: for [`send`](UdpSocket::send) and [`recv`](UdpSocket::recv). Datagrams of
    /// others are not received any more. Nothing is sent by this.
    ///
    /// # Errors
    /// If there is no way to the address, or a name cannot be resolved.
    ///
    /// # Panics
    /// If a name has to be looked up and no executor runs on this thread.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn connect<A: ToSocketAddrs>(&self, address: A) -> io::Result<()> {
        let addresses = addresses(address, self.socket.made_at()).await?;
        self.socket.get().connect(&addresses[..])
    }

    /// Sends a datagram to the peer that was chosen by [`connect`](UdpSocket::connect). Returns its
    /// length.
    ///
    /// # Errors
    /// If no peer was chosen, if the datagram is too long, and if an earlier one found nobody.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe: if this is dropped, nothing was sent.
    pub async fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.socket.when_ready(Direction::Write, |socket| socket.send(datagram)).await
    }

    /// Sends a datagram to an address; to the first, if it is a name that has several. Returns its
    /// length.
    ///
    /// # Errors
    /// If the datagram is too long, if there is no way to the address, or if a name cannot be
    /// resolved.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe: if this is dropped, nothing was sent.
    pub async fn send_to<A: ToSocketAddrs>(
        &self,
        datagram: &[u8],
        address: A,
    ) -> io::Result<usize> {
        let addresses = addresses(address, self.socket.made_at()).await?;
        let Some(&address) = addresses.first() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no addresses to send to"));
        };
        self.socket.when_ready(Direction::Write, |socket| socket.send_to(datagram, address)).await
    }

    /// Receives a datagram of the peer that was chosen by [`connect`](UdpSocket::connect), or of
    /// anybody. Returns its length. What `buffer` has no room for is lost.
    ///
    /// # Errors
    /// If an earlier datagram found nobody.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe: if this is dropped, nothing was received.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.when_ready(Direction::Read, |socket| socket.recv(buffer)).await
    }

    /// Receives a datagram. Returns its length, and who has sent it. What `buffer` has no room for
    /// is lost.
    ///
    /// # Errors
    /// If an earlier datagram found nobody, on some systems.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe: if this is dropped, nothing was received.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.when_ready(Direction::Read, |socket| socket.recv_from(buffer)).await
    }

    /// Receives like [`recv_from`](UdpSocket::recv_from), and leaves the datagram there to be
    /// received again.
    ///
    /// # Errors
    /// Those of [`recv_from`](UdpSocket::recv_from).
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.when_ready(Direction::Read, |socket| socket.peek_from(buffer)).await
    }

    /// Waits until there is a datagram, or an error has happened. It may be wrong: then
    /// [`try_recv`](UdpSocket::try_recv) says `WouldBlock`, and this waits when it is called again.
    ///
    /// # Errors
    /// If the executor can get no file descriptors for its own use.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.ready(Direction::Read).await
    }

    /// Waits until there is room to send, or an error has happened. It may be wrong: then
    /// [`try_send`](UdpSocket::try_send) says `WouldBlock`, and this waits when it is called again.
    ///
    /// # Errors
    /// If the executor can get no file descriptors for its own use.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.ready(Direction::Write).await
    }

    /// [`send`](UdpSocket::send), if there is room now.
    ///
    /// # Errors
    /// `WouldBlock` if there is none, and those of [`send`](UdpSocket::send).
    pub fn try_send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.socket.now(Direction::Write, |socket| socket.send(datagram))
    }

    /// [`send_to`](UdpSocket::send_to), if there is room now.
    ///
    /// # Errors
    /// `WouldBlock` if there is none, and those of [`send_to`](UdpSocket::send_to).
    pub fn try_send_to(&self, datagram: &[u8], address: SocketAddr) -> io::Result<usize> {
        self.socket.now(Direction::Write, |socket| socket.send_to(datagram, address))
    }

    /// [`recv`](UdpSocket::recv), if there is a datagram now.
    ///
    /// # Errors
    /// `WouldBlock` if there is none, and those of [`recv`](UdpSocket::recv).
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.now(Direction::Read, |socket| socket.recv(buffer))
    }

    /// [`recv_from`](UdpSocket::recv_from), if there is a datagram now.
    ///
    /// # Errors
    /// `WouldBlock` if there is none, and those of [`recv_from`](UdpSocket::recv_from).
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.now(Direction::Read, |socket| socket.recv_from(buffer))
    }

    /// Whether this may send to everybody in its network. Default: it may not.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.socket.get().set_broadcast(on)
    }

    /// The address of this socket.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get().local_addr()
    }

    /// The address of the peer that was chosen by [`connect`](UdpSocket::connect).
    ///
    /// # Errors
    /// If none was.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get().peer_addr()
    }

    /// Of a socket of std's.
    ///
    /// # Errors
    /// If it cannot be made not to block.
    #[track_caller]
    pub fn from_std(socket: net::UdpSocket) -> io::Result<UdpSocket> {
        UdpSocket::new(socket, Location::caller())
    }

    /// As a socket of std's, which does not block: see
    /// [`set_nonblocking`](net::UdpSocket::set_nonblocking).
    ///
    /// # Errors
    /// None; tokio's may fail.
    pub fn into_std(self) -> io::Result<net::UdpSocket> {
        Ok(self.socket.into_inner())
    }

    fn new(socket: net::UdpSocket, made_at: &'static Location<'static>) -> io::Result<UdpSocket> {
        socket.set_nonblocking(true)?;
        let (datagram, room) = ("a datagram of the UDP socket", "room in the UDP socket");
        Ok(UdpSocket {
            socket: Socket::new(socket, datagram, room, made_at),
        })
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.get().as_fd()
    }
}

impl AsRawFd for UdpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.get().as_raw_fd()
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}
