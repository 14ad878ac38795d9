//! The two halves of a [`TcpStream`]: one reads while the other writes.
//!
//! A half has the methods of the stream for its direction. Of its own it has only what happens when
//! the owned one to write to is dropped.
//!
//! Next: `net/tcp/listener.rs`.

use super::stream::TcpStream;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;

/// The half of a stream to read from, for as long as the stream is borrowed. Made by
/// [`split`](TcpStream::split).
///
/// ```
/// # use handspun::net::{TcpListener, TcpStream};
/// # fn main() -> std::io::Result<()> {
/// # handspun::block_on(async {
/// # let listener = TcpListener::bind("127.0.0.1:0").await?;
/// # let mut stream = TcpStream::connect(listener.local_addr()?).await?;
/// # let (mut peer, _) = listener.accept().await?;
/// # peer.write_all(b"reply").await?;
/// // `stream` is connected to somebody who replies.
/// let (mut read, mut write) = stream.split();
/// let mut reply = [0; 5];
/// handspun::try_join!(write.write_all(b"question"), read.read_exact(&mut reply))?;
/// assert_eq!(&reply, b"reply");
/// # Ok(()) }) }
/// ```
#[derive(Debug)]
pub struct ReadHalf<'a> {
    stream: &'a TcpStream,
}

/// The half of a stream to write to, for as long as the stream is borrowed. Made by
/// [`split`](TcpStream::split), which has an example.
#[derive(Debug)]
pub struct WriteHalf<'a> {
    stream: &'a TcpStream,
}

/// The half of a stream to read from. Made by [`into_split`](TcpStream::into_split).
///
/// ```
/// # use handspun::net::{TcpListener, TcpStream};
/// # fn main() -> std::io::Result<()> {
/// # handspun::block_on(async {
/// # let listener = TcpListener::bind("127.0.0.1:0").await?;
/// # let stream = TcpStream::connect(listener.local_addr()?).await?;
/// # let (peer, _) = listener.accept().await?;
/// # handspun::spawn(async move {
/// #     let (mut read, mut write) = peer.into_split();
/// #     let mut bytes = Vec::new();
/// #     read.read_to_end(&mut bytes).await.unwrap();
/// #     write.write_all(&bytes).await.unwrap();
/// # });
/// // `stream` is connected to somebody who sends everything back.
/// let (mut read, mut write) = stream.into_split();
/// handspun::spawn(async move {
///     write.write_all(b"to and fro").await
///     // Here `write` is dropped: the peer learns that there is no more to come.
/// });
/// let mut reply = Vec::new();
/// read.read_to_end(&mut reply).await?;
/// assert_eq!(reply, b"to and fro");
/// # Ok(()) }) }
/// ```
#[derive(Debug)]
pub struct OwnedReadHalf {
    stream: Rc<TcpStream>,
}

/// The half of a stream to write to. Made by [`into_split`](TcpStream::into_split), which has an
/// example. Dropped, it [shuts down](TcpStream::shutdown) its side.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: Rc<TcpStream>,
    shuts_down: bool,
}

impl TcpStream {
    /// Divides the stream into one half to read from and one to write to, which borrow it: for two
    /// futures in one task.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf { stream: self }, WriteHalf { stream: self })
    }

    /// Divides the stream into two halves that own it together: for two tasks. When the one to
    /// write to is dropped, it [shuts down](TcpStream::shutdown) its side.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let stream = Rc::new(self);
        let read = OwnedReadHalf {
            stream: stream.clone(),
        };
        let write = OwnedWriteHalf {
            stream,
            shuts_down: true,
        };
        (read, write)
    }
}

/// What one can do with either half to read from.
macro_rules! read_half {
    ($half:ty) => {
        impl $half {
            /// [`TcpStream::read`]: the same, with the same errors, panics and cancel safety.
            pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.stream.read_some(buffer).await
            }

            /// [`TcpStream::read_exact`]: the same, and as little cancel safe.
            pub async fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.stream.read_full(buffer).await
            }

            /// [`TcpStream::read_to_end`]: the same, with the same errors, panics and cancel
            /// safety.
            pub async fn read_to_end(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
                self.stream.read_rest(bytes).await
            }

            /// [`TcpStream::peek`]: the same, with the same errors, panics and cancel safety.
            pub async fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.stream.peek(buffer).await
            }

            /// [`TcpStream::readable`]: the same, with the same errors, panics and cancel safety.
            pub async fn readable(&self) -> io::Result<()> {
                self.stream.readable().await
            }

            /// [`TcpStream::try_read`]: the same, with the same errors.
            pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
                self.stream.try_read(buffer)
            }
        }
    };
}

/// What one can do with either half to write to.
macro_rules! write_half {
    ($half:ty) => {
        impl $half {
            /// [`TcpStream::write`]: the same, with the same errors, panics and cancel safety.
            pub async fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
                self.stream.write_some(buffer).await
            }

            /// [`TcpStream::write_all`]: the same, and as little cancel safe.
            pub async fn write_all(&mut self, buffer: &[u8]) -> io::Result<()> {
                self.stream.write_full(buffer).await
            }

            /// [`TcpStream::shutdown`]: the same, with the same errors and cancel safety.
            pub async fn shutdown(&mut self) -> io::Result<()> {
                self.stream.shut(Shutdown::Write)
            }

            /// [`TcpStream::writable`]: the same, with the same errors, panics and cancel safety.
            pub async fn writable(&self) -> io::Result<()> {
                self.stream.writable().await
            }

            /// [`TcpStream::try_write`]: the same, with the same errors.
            pub fn try_write(&self, buffer: &[u8]) -> io::Result<usize> {
                self.stream.try_write(buffer)
            }
        }
    };
}

/// What one can do with every half.
macro_rules! half {
    ($($half:ty),*) => {$(
        impl $half {
            /// The address at this end. Errors: if the system cannot tell.
            pub fn local_addr(&self) -> io::Result<SocketAddr> {
                self.stream.local_addr()
            }

            /// The address at the other end. Errors: if the connection is gone.
            pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                self.stream.peer_addr()
            }
        }

        impl AsRef<TcpStream> for $half {
            fn as_ref(&self) -> &TcpStream {
                &self.stream
            }
        }
    )*};
}

read_half!(ReadHalf<'_>);
read_half!(OwnedReadHalf);
write_half!(WriteHalf<'_>);
write_half!(OwnedWriteHalf);
half!(ReadHalf<'_>, WriteHalf<'_>, OwnedReadHalf, OwnedWriteHalf);

impl OwnedReadHalf {
    /// Makes one stream of its two halves again.
    ///
    /// # Errors
    /// If they are not of the same stream; gives both back.
    pub fn reunite(self, write: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
        if !Rc::ptr_eq(&self.stream, &write.stream) {
            return Err(ReuniteError(self, write));
        }
        write.forget();
        Ok(Rc::into_inner(self.stream).expect("two halves make a whole"))
    }
}

impl OwnedWriteHalf {
    /// Makes one stream of its two halves again.
    ///
    /// # Errors
    /// If they are not of the same stream; gives both back.
    pub fn reunite(self, read: OwnedReadHalf) -> Result<TcpStream, ReuniteError> {
        read.reunite(self)
    }

    /// Drops this half, and does not shut down its side.
    pub fn forget(mut self) {
        self.shuts_down = false;
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.shuts_down {
            // If it fails there is nobody to tell: not the peer, and not who has dropped this.
            let _ = self.stream.shut(Shutdown::Write);
        }
    }
}

/// Two halves that are not of the same stream.
#[derive(Debug)]
pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

impl fmt::Display for ReuniteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the two halves are not of the same stream")
    }
}

impl Error for ReuniteError {}
