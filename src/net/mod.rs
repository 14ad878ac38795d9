//! Sockets.
//!
//! ```no_run
//! use handspun::net::TcpListener;
//!
//! # fn main() -> std::io::Result<()> {
//! handspun::block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:7000").await?;
//!     loop {
//!         let (mut stream, _peer) = listener.accept().await?;
//!         handspun::spawn(async move {
//!             let mut buffer = [0; 1024];
//!             while let Ok(read @ 1..) = stream.read(&mut buffer).await {
//!                 if stream.write_all(&buffer[..read]).await.is_err() {
//!                     break;
//!                 }
//!             }
//!         });
//!     }
//! })
//! # }
//! ```
//!
//! Names and semantics are those of `tokio::net`; what there are the methods of `AsyncReadExt` and
//! `AsyncWriteExt` are the sockets' own methods here. A socket waits in whichever executor it is
//! polled: it may be made in one, and used in another, on another thread too.
//!
//! While there are tasks to poll, sockets are looked at after every 64 polls (or up to 512, if so
//! many are waited for); when there are none, the thread sleeps until a socket is ready, or a timer
//! is due, or a thread wakes a task. And after 32 tries of its sockets in one poll a task is
//! pending once, though they be ready: so one that is busy with a fast peer does not starve the
//! others. A [paused](crate::time::pause) clock does not wait for sockets: if none is ready when
//! there is nothing else to do, it jumps to the next timer.
//!
//! There are no buffers and no framing. (How lines are read, safely: `examples/62_chat/lines.rs`.)
//!
//! The first wait for a socket takes two file descriptors, with which an executor can be woken
//! while it waits. If there are none left, that operation fails, and a later one tries again.
//!
//! This module needs a unix system: it stands on `poll(2)`. On others it is empty.
//!
//! The map: `sys.rs` asks the system which sockets are ready, `bell.rs` ends its sleep,
//! `reactor.rs` knows who waits for which, `socket.rs` is the loop around every operation, and
//! the others are sockets as one knows them.
#![cfg_attr(
    not(unix),
    allow(dead_code, reason = "nobody can use a reactor where there is none")
)]

mod bell;
pub(crate) mod reactor;
mod sys;

#[cfg(unix)]
mod lookup;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
pub mod tcp;
#[cfg(unix)]
mod udp;

#[cfg(unix)]
pub use lookup::{ToSocketAddrs, lookup_host};
#[cfg(unix)]
pub use tcp::{TcpListener, TcpStream};
#[cfg(unix)]
pub use udp::UdpSocket;
