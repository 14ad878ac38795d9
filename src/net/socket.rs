//! A socket that is waited for: try, and if it would block, wait until it is ready.
//!
//! Every operation of `net` that may have to wait (but for `connect`) is a closure on a socket of
//! std's that does not block, and one loop around it, here:
//!
//! ```text
//!              ┌────────────────────────────────────────────────────┐
//!              ▼                                                    │
//!   used up? ──── no ────► try ──► done: the future is ready        │
//!        │                  └────► would block: it is used up ──────┤
//!       yes                                                         │
//!        └──► an entry in the reactor; pending … woken ─────────────┘
//! ```
//!
//! Two more things mark a socket as used up. A read that filled only a part of its buffer has
//! emptied it, most likely, and one that follows a write waits for an answer, which cannot be there
//! yet. Such a read need not try first: it asks the reactor at once, which saves a call to the
//! system. (If there is something after all, the reactor's look finds it.)
//!
//! A socket that is always ready, because the other side is faster, would never let its task be
//! pending, and no other task run. So the sockets that a task uses are tried 32 times in one poll
//! of it, all together. After that they wait for the reactor although they need not.
//!
//! Next: `net/lookup.rs`.

use super::reactor::{Direction, Elsewhere, EntryName};
use super::sys::{self, PollFd};
use crate::executor::scheduler::{may_try, try_current};
use crate::waits::{Awaited, Mark};
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::AsRawFd;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A socket of std's, which does not block.
pub(super) struct Socket<S> {
    inner: S,
    reading: Side,
    writing: Side,
}

/// One direction of a socket.
struct Side {
    awaited: Awaited,
    /// Whether a try would be in vain, most likely: the reactor is to be asked first.
    is_used_up: Cell<bool>,
}

impl<S: AsRawFd> Socket<S> {
    /// `inner` must not block. `readable` and `writable` say for what one waits, in words.
    pub(super) fn new(
        inner: S,
        readable: &'static str,
        writable: &'static str,
        made_at: &'static Location<'static>,
    ) -> Socket<S> {
        let side = |what| Side {
            awaited: Awaited { what, made_at },
            is_used_up: Cell::new(false),
        };
        Socket {
            inner,
            reading: side(readable),
            writing: side(writable),
        }
    }

    pub(super) fn get(&self) -> &S {
        &self.inner
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    /// Where it was made.
    pub(super) fn made_at(&self) -> &'static Location<'static> {
        self.reading.awaited.made_at
    }

    /// Ready when `operation` does not block any more.
    pub(super) fn when_ready<T, F>(&self, direction: Direction, operation: F) -> Operation<'_, S, F>
    where
        F: FnMut(&S) -> io::Result<T> + Unpin,
    {
        Operation {
            socket: self,
            operation,
            readiness: Readiness::new(direction),
        }
    }

    /// Ready when the socket is. This always asks the system: a guess that is wrong would be all
    /// that the caller gets.
    pub(super) async fn ready(&self, direction: Direction) -> io::Result<()> {
        let (read, write) = (direction == Direction::Read, direction == Direction::Write);
        let look = |inner: &S| {
            let mut asked = [PollFd::asking(inner.as_raw_fd() as usize, read, write)];
            match sys::poll(&mut asked, Some(Duration::ZERO))? {
                0 => Err(io::ErrorKind::WouldBlock.into()),
                _ => Ok(()),
            }
        };
        self.when_ready(direction, look).await
    }

    /// Does it now. An error says if it would block, and then [`ready`](Socket::ready) waits.
    pub(super) fn now<T>(
        &self,
        direction: Direction,
        operation: impl FnOnce(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        let done = operation(&self.inner);
        if done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            self.note_used_up(direction);
        }
        done
    }
}

impl<S> Socket<S> {
    /// The next operation would block, most likely.
    pub(super) fn note_used_up(&self, direction: Direction) {
        self.side(direction).is_used_up.set(true);
    }

    fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Read => &self.reading,
            Direction::Write => &self.writing,
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Socket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// An operation on a socket, until it does not block any more.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub(super) struct Operation<'a, S, F> {
    socket: &'a Socket<S>,
    operation: F,
    readiness: Readiness,
}

impl<S, T, F> Future for Operation<'_, S, F>
where
    S: AsRawFd,
    F: FnMut(&S) -> io::Result<T> + Unpin,
{
    type Output = io::Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let Operation {
            socket,
            operation,
            readiness,
        } = self.get_mut();
        let side = socket.side(readiness.direction);
        loop {
            if side.is_used_up.get() || !may_try() {
                match readiness.poll(socket.inner.as_raw_fd(), &side.awaited, cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Ready(Ok(())) => side.is_used_up.set(false),
                }
            }
            match operation(&socket.inner) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    side.is_used_up.set(true)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }
}

impl<S, F> Drop for Operation<'_, S, F> {
    /// Given up while it waited. The next one must try first again: in a loop that gives up each
    /// time (a `select!` of which another branch is ready) no look would ever find an entry.
    fn drop(&mut self) {
        if self.readiness.entry.is_some() {
            self.socket.side(self.readiness.direction).is_used_up.set(false);
        }
    }
}

/// A wait for a socket: its entry in the reactor, from the first poll on.
struct Readiness {
    direction: Direction,
    entry: Option<EntryName>,
    mark: Mark,
}

impl Readiness {
    fn new(direction: Direction) -> Readiness {
        Readiness {
            direction,
            entry: None,
            mark: Mark::default(),
        }
    }

    /// Ready when the reactor has found the socket ready, once.
    fn poll(&mut self, fd: i32, awaited: &Awaited, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Cloned before the scheduler is borrowed, and dropped after: both are somebody else's
        // code.
        let waker = cx.waker().clone();
        let (fd, direction) = (fd as usize, self.direction);
        let entry = &mut self.entry;
        let answer = try_current(|scheduler| scheduler.poll_socket(fd, direction, entry, waker));
        let Some((poll, _unneeded_waker)) = answer else {
            panic!(
                "a handspun socket was polled where no executor is running: await it inside a \
                 future that `handspun::block_on` runs"
            );
        };
        match poll {
            Poll::Pending => self.mark.waits(awaited),
            Poll::Ready(_) => self.mark.ends(),
        }
        poll
    }
}

impl Drop for Readiness {
    fn drop(&mut self) {
        self.mark.ends();
        let Some(entry) = self.entry else {
            return;
        };
        match try_current(|scheduler| scheduler.leave_socket(entry)) {
            // Dropped here, after the borrow.
            Some(Ok(_waker)) => {}
            Some(Err(Elsewhere)) | None => entry.release(),
        }
    }
}
