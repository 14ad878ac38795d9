//! [`TcpStream`]: bytes to and fro.
//!
//! Each method is one of std's, on a socket that does not block, in the loop of `net/socket.rs`.
//!
//! Left out: everything that is not waiting. There are no buffers in here, no framing, no timeouts:
//! put [`time::timeout`](crate::time::timeout) around what shall not take for ever.
//!
//! Next: `net/tcp/split.rs`, where one reads while another writes.

use crate::net::lookup::{ToSocketAddrs, addresses, blocking};
use crate::net::reactor::Direction;
use crate::net::socket::Socket;
use std::fmt;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{self, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;

/// A connection.
///
/// Dropping it closes it. To read and write at the same time, [`split`](TcpStream::split) it. It
/// may go to another thread, and be used in the executor there; it is not for two threads at once.
///
/// ```
/// use handspun::net::{TcpListener, TcpStream};
///
/// # fn main() -> std::io::Result<()> {
/// handspun::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let mut client = TcpStream::connect(listener.local_addr()?).await?;
///     let (mut server, _peer) = listener.accept().await?;
///
///     client.write_all(b"over there").await?;
///     client.shutdown().await?;
///     let mut text = Vec::new();
///     server.read_to_end(&mut text).await?;
///     assert_eq!(text, b"over there");
///     Ok(())
/// })
/// # }
/// ```
pub struct TcpStream {
    socket: Socket<net::TcpStream>,
}

impl TcpStream {
    /// Connects to an address; if it is a name that has several, to the first that answers.
    ///
    /// The connection is made by [`spawn_blocking`](crate::task::spawn_blocking), since std has no
    /// way to begin one without waiting for it. So a [paused](crate::time::pause) clock does not
    /// jump meanwhile.
    ///
    /// # Errors
    /// If nobody listens there, or there is no way to there, or a name cannot be resolved.
    ///
    /// # Panics
    /// If no executor runs on this thread.
    ///
    /// # Cancel safety
    /// Cancel safe. An attempt that has begun goes on, on its thread, and what comes of it is
    /// closed.
    #[track_caller]
    pub fn connect<A: ToSocketAddrs>(address: A) -> impl Future<Output = io::Result<TcpStream>> {
        let place = Location::caller();
        async move {
            let addresses = addresses(address, place).await?;
            let stream =
                blocking("connect", place, move || net::TcpStream::connect(&addresses[..]));
            TcpStream::new(stream.await?, place)
        }
    }

    /// Waits until there is something, and reads it, at most as much as `buffer` has room for.
    /// Returns how much; 0 if the peer has [shut down](TcpStream::shutdown) its side, or if
    /// `buffer` is empty.
    ///
    /// # Errors
    /// If the connection was reset, for one.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe: if this is dropped, nothing was read.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_some(buffer).await
    }

    /// Reads until `buffer` is full. Returns its length.
    ///
    /// # Errors
    /// `UnexpectedEof` if the peer shuts down its side before, and those of
    /// [`read`](TcpStream::read). What had been read by then is in the buffer.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Not cancel safe: what was read is in the buffer, and how much it is is lost.
    pub async fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_full(buffer).await
    }

    /// Reads until the peer shuts down its side, and appends what comes to `bytes`. Returns how
    /// much that was.
    ///
    /// # Errors
    /// Those of [`read`](TcpStream::read). What had been read by then is in `bytes`.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Not cancel safe, but nothing is lost: what was read is in `bytes`.
    pub async fn read_to_end(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        self.read_rest(bytes).await
    }

    /// Reads like [`read`](TcpStream::read), and leaves it there to be read again.
    ///
    /// # Errors
    /// Those of [`read`](TcpStream::read).
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.socket.when_ready(Direction::Read, |stream| stream.peek(buffer)).await
    }

    /// Writes as much of `buffer` as there is room for. Returns how much.
    ///
    /// What was written is on its way, and need not have arrived.
    ///
    /// # Errors
    /// If the connection was reset, or the peer does not read any more.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Cancel safe: if this is dropped, nothing was written.
    pub async fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.write_some(buffer).await
    }

    /// Writes all of `buffer`.
    ///
    /// # Errors
    /// Those of [`write`](TcpStream::write). Some of it may have been written by then.
    ///
    /// # Panics
    /// If it has to wait where no executor of this crate is running.
    ///
    /// # Cancel safety
    /// Not cancel safe: if this is dropped, a part may have been written, and nobody knows how
    /// much.
    pub async fn write_all(&mut self, buffer: &[u8]) -> io::Result<()> {
        self.write_full(buffer).await
    }

    /// Says to the peer that no more will be written: its reads return 0 when they have all. This
    /// side can still read. If the connection is gone there is nobody to tell, which is no error.
    ///
    /// # Errors
    /// If the system refuses for any other reason.
    ///
    /// # Cancel safety
    /// Cancel safe: it never waits.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        self.shut(Shutdown::Write)
    }

    /// Waits until there is something to read, or the peer has shut down its side, or an error has
    /// happened. It may be wrong: then [`try_read`](TcpStream::try_read) says `WouldBlock`, and
    /// this waits when it is called again.
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

    /// Waits until there is room to write, or an error has happened. It may be wrong: then
    /// [`try_write`](TcpStream::try_write) says `WouldBlock`, and this waits when it is called
    /// again.
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

    /// Reads what there is now.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing, and those of [`read`](TcpStream::read).
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.now(Direction::Read, |mut stream| stream.read(buffer))
    }

    /// Writes as much of `buffer` as there is room for now.
    ///
    /// # Errors
    /// `WouldBlock` if there is none, and those of [`write`](TcpStream::write).
    pub fn try_write(&self, buffer: &[u8]) -> io::Result<usize> {
        self.socket.now(Direction::Write, |mut stream| stream.write(buffer))
    }

    /// Whether small writes are sent at once.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket.get().nodelay()
    }

    /// Whether small writes are to be sent at once, and not gathered into larger ones (Nagle's
    /// algorithm). Default: `false`.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.get().set_nodelay(nodelay)
    }

    /// The address at this end.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get().local_addr()
    }

    /// The address at the other end.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get().peer_addr()
    }

    /// The error that has happened since the last call, if any.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.get().take_error()
    }

    /// Of a stream of std's.
    ///
    /// # Errors
    /// If it cannot be made not to block.
    #[track_caller]
    pub fn from_std(stream: net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::new(stream, Location::caller())
    }

    /// As a stream of std's, which does not block: see
    /// [`set_nonblocking`](net::TcpStream::set_nonblocking).
    ///
    /// # Errors
    /// None; tokio's may fail.
    pub fn into_std(self) -> io::Result<net::TcpStream> {
        Ok(self.socket.into_inner())
    }

    pub(super) fn new(
        stream: net::TcpStream,
        made_at: &'static Location<'static>,
    ) -> io::Result<TcpStream> {
        stream.set_nonblocking(true)?;
        let (bytes, room) = ("bytes of the TCP stream", "room in the TCP stream");
        Ok(TcpStream {
            socket: Socket::new(stream, bytes, room, made_at),
        })
    }

    // The same for the stream and for its halves, of which two may be in use at a time.

    pub(super) async fn read_some(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            // The system would say that it has to wait for a byte, even so.
            return Ok(0);
        }
        let room = buffer.len();
        let read =
            self.socket.when_ready(Direction::Read, |mut stream| stream.read(buffer)).await?;
        if 0 < read && read < room {
            self.socket.note_used_up(Direction::Read);
        }
        Ok(read)
    }

    pub(super) async fn read_full(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_some(&mut buffer[filled..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => filled += read,
            }
        }
        Ok(filled)
    }

    pub(super) async fn read_rest(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let before = bytes.len();
        loop {
            // Within one try: if this is dropped while it waits, there is nothing in `bytes` that
            // was not read.
            let append = |mut stream: &net::TcpStream| {
                let end = bytes.len();
                bytes.resize(end + 8192, 0);
                let read = stream.read(&mut bytes[end..]);
                bytes.truncate(end + *read.as_ref().unwrap_or(&0));
                read
            };
            match self.socket.when_ready(Direction::Read, append).await? {
                0 => return Ok(bytes.len() - before),
                1..8192 => self.socket.note_used_up(Direction::Read),
                _ => {}
            }
        }
    }

    pub(super) async fn write_some(&self, buffer: &[u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let write = |mut stream: &net::TcpStream| stream.write(buffer);
        let written = self.socket.when_ready(Direction::Write, write).await?;
        if 0 < written && written < buffer.len() {
            self.socket.note_used_up(Direction::Write);
        }
        // What comes next is the answer, most likely, and cannot be there yet.
        self.socket.note_used_up(Direction::Read);
        Ok(written)
    }

    pub(super) async fn write_full(&self, mut buffer: &[u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.write_some(buffer).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => buffer = &buffer[written..],
            }
        }
        Ok(())
    }

    pub(super) fn shut(&self, how: Shutdown) -> io::Result<()> {
        match self.socket.get().shutdown(how) {
            // After a reset there is nobody to tell.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            shut => shut,
        }
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.get().as_fd()
    }
}

impl AsRawFd for TcpStream {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.get().as_raw_fd()
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}
