//! The one question that handspun asks the operating system: which of these sockets are ready?
//!
//! `poll(2)` is handed an array. Each element names a file descriptor and what to look for: bytes
//! to read, room to write. The call sleeps until there is something or the time is up, and writes
//! what it found into the elements.
//!
//! ```text
//!            ┌──────────┬──────────┬──────────┬──────────┐
//!   fd       │        5 │        9 │        8 │        4 │
//!   events   │ read     │ read     │    write │ read     │   what to look for
//!   revents  │          │ read     │          │          │   what was found: the call fills it in
//!            └──────────┴──────────┴──────────┴──────────┘
//! ```
//!
//! It reads the whole array each time, so a call costs as much as there are sockets. Its
//! successors (epoll, kqueue) keep the array inside the kernel and give back only what is ready;
//! but they are different on each system, and are half a dozen functions where this is one.
//!
//! This is all of `net` that is `unsafe`. Next: `net/bell.rs`, which ends that sleep.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_short};
use std::io;
use std::time::Duration;

/// One element of the array: what to look for, and then what was found. C's `struct pollfd`.
#[repr(C)]
pub(super) struct PollFd {
    fd: c_int,
    events: c_short,
    revents: c_short,
}

/// `POLLIN`, `POLLOUT`, and the three that are found unasked: `POLLERR`, `POLLHUP`, `POLLNVAL`.
const CONSTANTS: (c_short, c_short, c_short) = if cfg!(target_os = "aix") {
    (0x01, 0x02, 0x4000 | 0x2000 | c_short::MIN)
} else if cfg!(target_os = "haiku") {
    (0x01, 0x02, 0x04 | 0x80 | 0x1000)
} else if cfg!(target_os = "nto") {
    (0x05, 0x02, 0x20 | 0x40 | 0x1000)
} else {
    // On all others: Linux, Android, the BSDs, Apple's systems, illumos, Solaris.
    (0x01, 0x04, 0x08 | 0x10 | 0x20)
};

const POLLIN: c_short = CONSTANTS.0;
const POLLOUT: c_short = CONSTANTS.1;
/// Something is wrong. Who waits for either direction shall look, and will see what.
const WRONG: c_short = CONSTANTS.2;

/// C's `nfds_t`.
#[cfg(any(
    target_os = "linux",
    target_os = "fuchsia",
    target_os = "haiku",
    target_os = "illumos",
    target_os = "redox",
    target_os = "solaris"
))]
type Len = std::ffi::c_ulong;
#[cfg(not(any(
    target_os = "linux",
    target_os = "fuchsia",
    target_os = "haiku",
    target_os = "illumos",
    target_os = "redox",
    target_os = "solaris"
)))]
type Len = std::ffi::c_uint;

impl PollFd {
    /// What to ask of a file descriptor.
    pub(super) fn asking(fd: usize, read: bool, write: bool) -> PollFd {
        PollFd {
            fd: fd as c_int,
            events: if read { POLLIN } else { 0 } | if write { POLLOUT } else { 0 },
            revents: 0,
        }
    }

    /// Whether the last [`poll`] has found anything here.
    pub(super) fn has_news(&self) -> bool {
        self.revents != 0
    }

    /// Whether there may be something to read, or an error that a read would report.
    pub(super) fn may_read(&self) -> bool {
        self.revents & (POLLIN | WRONG) != 0
    }

    /// Whether there may be room to write, or an error that a write would report.
    pub(super) fn may_write(&self) -> bool {
        self.revents & (POLLOUT | WRONG) != 0
    }
}

/// Sleeps until one of these is ready, or for `limit` at most if there is one. Returns how many
/// are. Also returns, with 0, when a signal comes.
///
/// # Errors
/// If the system has no memory, or if there are more elements than the process may have files
/// (`RLIMIT_NOFILE`, which may have been lowered).
#[cfg(unix)]
pub(super) fn poll(asked: &mut [PollFd], limit: Option<Duration>) -> io::Result<usize> {
    // SAFETY: pointer and length are those of one slice, which is borrowed for the length of the
    // call, and a `PollFd` is laid out like C's `struct pollfd`. The call writes nothing but the
    // fields `revents`, where any value is legal. A file descriptor that is not open is no error
    // but an answer.
    let found = unsafe { imp::poll_for(asked.as_mut_ptr(), asked.len(), limit) };
    usize::try_from(found).or_else(|_below_zero| match io::Error::last_os_error() {
        error if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        error => Err(error),
    })
}

/// `ppoll`, which is on the same page of the manual, counts in nanoseconds.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use super::{Len, PollFd};
    use std::ffi::{c_int, c_long, c_void};
    use std::ptr;
    use std::time::Duration;

    /// C's `struct timespec`, on a system with words of 64 bits.
    #[repr(C)]
    struct Timespec {
        seconds: c_long,
        nanos: c_long,
    }

    unsafe extern "C" {
        fn ppoll(fds: *mut PollFd, len: Len, limit: *const Timespec, mask: *const c_void) -> c_int;
    }

    /// # Safety
    /// `fds` must be valid for reads and writes of `len` elements.
    pub(super) unsafe fn poll_for(fds: *mut PollFd, len: usize, limit: Option<Duration>) -> c_int {
        let limit = limit.map(|limit| Timespec {
            seconds: c_long::try_from(limit.as_secs()).unwrap_or(c_long::MAX),
            nanos: c_long::from(limit.subsec_nanos()),
        });
        let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: for the array, see above. `limit` points to a local variable, or is null: no
        // limit. The null behind it leaves the signals as they are.
        unsafe { ppoll(fds, len as Len, limit, ptr::null()) }
    }
}

/// Elsewhere the limit counts in milliseconds. It is rounded up: no timer fires early.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod imp {
    use super::{Len, PollFd};
    use std::ffi::c_int;
    use std::time::Duration;

    unsafe extern "C" {
        fn poll(fds: *mut PollFd, len: Len, limit: c_int) -> c_int;
    }

    /// # Safety
    /// `fds` must be valid for reads and writes of `len` elements.
    pub(super) unsafe fn poll_for(fds: *mut PollFd, len: usize, limit: Option<Duration>) -> c_int {
        let millis = |limit: Duration| limit.as_micros().div_ceil(1_000).try_into();
        let limit = limit.map_or(-1, |limit| millis(limit).unwrap_or(c_int::MAX));
        // SAFETY: for the array, see above. A limit below zero is none.
        unsafe { poll(fds, len as Len, limit) }
    }
}

/// There is no bell either, so there is nothing to ask for.
#[cfg(not(unix))]
pub(super) fn poll(_asked: &mut [PollFd], _limit: Option<Duration>) -> io::Result<usize> {
    unreachable!("a reactor begins with a bell")
}
