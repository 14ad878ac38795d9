//! The bell by which other threads end a sleep in `poll(2)`.
//!
//! An executor without sockets sleeps in `park`, and is woken by `unpark`. One that sleeps in
//! `poll(2)` does not hear that: it hears file descriptors. So it has one of its own among those
//! that it asks for, one end of a pair of connected sockets. Who wants to wake it writes a byte
//! into the other end.
//!
//! ```text
//!   another thread                                        the executor
//!   ──────────────                                        ────────────
//!   letter into the mailbox
//!   if it sleeps: one byte ──► [ sockets ] ──► readable: poll(2) returns
//!                                               silences it: reads the byte
//!                                               reads its letters
//! ```
//!
//! When to ring is not decided here but by the mailbox, with the same three states that guard
//! `park` (`mailbox.rs`, where they are called a bell too: this one is its sound). It calls a
//! waker, which is made here.
//!
//! Next: `net/reactor.rs`.

#[cfg(unix)]
pub(crate) use unix::Bell;

#[cfg(unix)]
mod unix {
    use std::io::{self, Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::task::{Wake, Waker};

    /// The end that is listened to, and the other one.
    pub(crate) struct Bell {
        listens: UnixStream,
        rope: Arc<Rope>,
    }

    /// The end that is pulled.
    struct Rope(UnixStream);

    impl Bell {
        pub(crate) fn new() -> io::Result<Bell> {
            let (listens, rope) = UnixStream::pair()?;
            listens.set_nonblocking(true)?;
            rope.set_nonblocking(true)?;
            Ok(Bell {
                listens,
                rope: Arc::new(Rope(rope)),
            })
        }

        /// What `poll(2)` is to be asked for.
        pub(crate) fn fd(&self) -> usize {
            self.listens.as_raw_fd() as usize
        }

        /// Waking it rings the bell.
        pub(crate) fn waker(&self) -> Waker {
            Waker::from(self.rope.clone())
        }

        /// It has been heard.
        pub(crate) fn silence(&self) {
            // The mailbox rings once for a sleep. What is left, should there ever be so much,
            // makes the next sleep a short one.
            let _ = (&self.listens).read(&mut [0; 64]);
        }
    }

    impl Wake for Rope {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }

        fn wake_by_ref(self: &Arc<Self>) {
            // If there is no room for one more, those before it have not been heard yet.
            let _ = (&self.0).write(&[1]);
        }
    }
}

/// Where there is no `poll(2)`, there is no bell, and so no reactor.
#[cfg(not(unix))]
pub(crate) enum Bell {}

#[cfg(not(unix))]
impl Bell {
    pub(crate) fn new() -> std::io::Result<Bell> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn fd(&self) -> usize {
        match *self {}
    }

    pub(crate) fn waker(&self) -> std::task::Waker {
        match *self {}
    }

    pub(crate) fn silence(&self) {
        match *self {}
    }
}
