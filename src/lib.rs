//! A single-threaded async executor, spun by hand on `std` alone, and made to be read.
//!
//! ```
//! use handspun::time::{Duration, sleep};
//!
//! let answer = handspun::block_on(async {
//!     let slow = handspun::spawn(async {
//!         sleep(Duration::from_millis(2)).await;
//!         40
//!     });
//!     let quick = handspun::spawn(async { 2 });
//!     slow.await.unwrap() + quick.await.unwrap()
//! });
//! assert_eq!(answer, 42);
//! ```
//!
//! [`block_on`] and [`spawn`] are where to begin; [`join!`] and [`select!`] wait for several
//! things; [`sync`] has channels and locks, [`net`] sockets; [`task`], [`time`] and [`future`] have
//! the rest, and [`executor`] the settings. Names and semantics are tokio's. And [`trace`] shows
//! how it runs.
//!
//! # Ten promises
//!
//! 1. **Lazy.** Nothing inside a future runs before its first poll.
//! 2. **Woken means polled.** After a wake a task that is alive is polled at least once more. Many
//!    wakes may become one poll.
//! 3. **One poller.** A task is polled only on its executor's thread, never inside its own poll,
//!    and never after it returned `Ready`.
//! 4. **Fair.** One turn polls every task that was runnable when the turn began, once, in the
//!    order in which they became runnable. A task that is woken during a turn waits for the next.
//!    Between turns, and at least every 64 polls, timers that are due fire and wakes from other
//!    threads are taken in; after 64 polls, or up to 512 if so many sockets are waited for, these
//!    are looked at. So no task that returns from its polls can starve another, a timer, a thread,
//!    or a socket.
//! 5. **Time.** A timer never fires early. Timers fire in the order of their deadlines, which count
//!    in microseconds, and equal deadlines in the order in which they were armed.
//! 6. **Drop is cancel.** A future that is dropped stops where it was, and its destructors run.
//!    `abort` drops the task's future before it is polled again. Dropping a `JoinHandle` detaches;
//!    dropping a `JoinSet` aborts.
//! 7. **A panic stays in its task** and comes out of its `JoinHandle`. A panic of the root future
//!    comes out of `block_on`, after every other task has been dropped. (Where panics unwind, that
//!    is; with `panic = "abort"` there is nothing to contain.)
//! 8. **The root decides.** `block_on` returns when its future is ready. What the function
//!    [`block_on`] leaves unfinished is dropped before it returns; an
//!    [`Executor`](executor::Executor) keeps it for its next `block_on`, and drops it when it is
//!    dropped itself. A blocking closure that runs is not waited for.
//! 9. **Replay.** On a paused clock and without threads, the same program with the same seed does
//!    the same things in the same order: it gives the same [`trace`], byte for byte.
//! 10. **Wakers are free.** A waker may be cloned, sent, called and dropped on any thread, at any
//!     time, also after its task or its executor is gone. It touches no freed memory, because it
//!     owns none.
//!
//! The tests that hold them: `tests/executor.rs` and `tests/task.rs` (1 to 4 and 6 to 10, by
//! number), `tests/time.rs` (5), `tests/blocking.rs`, `tests/threads.rs` (2 and 10 from other
//! threads), `tests/hostile.rs` (all of them under attack), `tests/future.rs`, `tests/macros.rs`,
//! `tests/join_set.rs`, `tests/cancellation_token.rs`, `tests/sync/` (channels and locks),
//! `tests/waits.rs` (what a stall report says), `tests/net/` (sockets; 2, 4 and 6 where they are
//! concerned), `tests/servers.rs` and `tests/http.rs` (servers), `tests/trace/` (recordings and
//! drawings),
//! `tests/player.rs` (the player, in a browser), and `tests/model.rs`, which compares random
//! programs with a model of a page.
//!
//! # The map
//!
//! A file imports only from those above it; `tests/tidy.rs` checks that. The *core walk*, in bold,
//! is seventeen hundred lines of code and half as many of comments: read it from `slab.rs` down,
//! and you know how an executor works. Each file's introduction names the next.
//!
//! | file | what it is |
//! |---|---|
//! | `panics.rs`, `pin.rs`, `random.rs` | contained panics; pin projections; random numbers |
//! | `thread.rs` | a thread that waits for a future |
//! | **`slab.rs`** | slots that are used again, and keys that cannot be mistaken |
//! | `future/join.rs`, `future/join_all.rs`, `future/race.rs` | futures made of futures |
//! | `macros.rs`, `macros/branches.rs` | [`join!`], [`try_join!`], [`select!`] |
//! | `list.rs`, `time/wheel.rs` | linked lists by index; the timing wheel on top of them |
//! | **`name.rs`** | the name of a task: all that a waker carries |
//! | `waits.rs` | what each task waits for, told to who listens |
//! | `trace/event.rs`, `trace/state.rs` | what can happen in a run; the replay of it |
//! | the rest of `trace/` | drawings and lints: they see events, and nothing else |
//! | `sync/guarded.rs`, `sync/wait_queue.rs` | the cell of channels and locks; the line to wait |
//! | `sync/permits.rs` | permits, and who waits for some |
//! | the rest of `sync/` | channels and locks, each a page on top of those three |
//! | **`mailbox.rs`** | where wakes from other threads land, and the bell that ends a sleep |
//! | `time/clock.rs`, `executor/timers.rs` | what time it is; timers, by clock and wheel |
//! | `net/sys.rs`, `net/bell.rs` | `poll(2)`; what ends a sleep in it |
//! | `net/reactor.rs` | who waits for which socket |
//! | `executor/recorder.rs`, `executor/holders.rs` | the last events of a run; counted wakers |
//! | `executor/stall.rs` | hangs reported |
//! | **`executor/scheduler.rs`** | the states of a task, a function for each arrow |
//! | `executor/watch.rs` | what each arrow tells the recorder |
//! | **`waker.rs`** | from a name to a [`Waker`](std::task::Waker) |
//! | **`executor/mod.rs`** | [`block_on`], and the loop |
//! | `task/error.rs` | why a task has no result |
//! | **`task/cell.rs`** | a task's memory: the future, then its result |
//! | **`task/join.rs`** | [`JoinHandle`](task::JoinHandle): what a spawner keeps of a task |
//! | **`task/mod.rs`** | [`spawn`], where the pieces come together |
//! | `task/blocking.rs`, `task/join_set.rs` | closures that block, on threads; sets of tasks |
//! | `time/sleep.rs`, `time/timeout.rs`, `time/interval.rs` | futures that know the time |
//! | `time/send_timeout.rs` | a channel and the clock, together |
//! | `time/mod.rs` | the clock in your own hands |
//! | `net/socket.rs` | try, and if it would block, wait: the loop around every operation |
//! | the rest of `net/` | sockets as one knows them, and names of hosts |
//!
//! # Rules that the code cites by name
//!
//! - *No Borrow Across User Code*: while a future is polled or dropped, or a waker is cloned,
//!   called or dropped, nothing of the executor's is borrowed: that code may come back at any
//!   moment.
//! - *Queued Once*: a task is in the run queue at most once, however often it was woken.
//! - *Wake After Release*: wakers are gathered under a lock, and called when it is free again.
//! - *Give Back What You Were Given*: a future that is dropped after it was given something, and
//!   has not seen it, passes it on.
//! - *Stale Names Are Harmless*: a name or key whose owner is gone is looked up and not found.
//! - *One Event Per Transition*: each arrow of the scheduler's diagram records exactly one event,
//!   in the function that is the arrow.
//!
//! And by absence: the executor never imports `task`; `future`, the macros and `sync` never import
//! the executor; drawings see events only; nothing but `time/clock.rs` reads the real clock;
//! `unsafe` is only in `waker.rs`, `task/cell.rs`, `pin.rs` and `net/sys.rs`.

#[cfg(doctest)]
mod book;
pub mod executor;
pub mod future;
mod list;
#[doc(hidden)]
pub mod macros;
mod mailbox;
mod name;
pub mod net;
mod panics;
mod pin;
mod random;
mod slab;
pub mod sync;
pub mod task;
mod thread;
pub mod time;
pub mod trace;
mod waits;
mod waker;

pub use executor::block_on;
pub use task::spawn;
