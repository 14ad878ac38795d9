//! The reactor: where wakes come from when it is a socket.
//!
//! A future that wants to read tries to. If there is nothing, it leaves its waker here, under the
//! number of its file descriptor and a direction, and is pending. When the executor has nothing to
//! poll it asks the system which of those that are waited for are ready (`sys.rs`), and sleeps in
//! that call. What was ready is taken off the list and woken, and tries again.
//!
//! ```text
//!              row 0       row 1       row 2
//!            ┌───────────┬───────────┬───────────┬ ─ ─ ─ ─ ─ ┐
//!   asked    │ 5: read   │ 9: read   │ 8: write  │ 4: bell   │ ──► poll(2), which sleeps
//!            ├───────────┼───────────┼───────────┼ ─ ─ ─ ─ ─ ┘
//!   rows     │ read: A,B │ read: C   │ read: -   │
//!            │ write: -  │ write: -  │ write: D  │               row_of: 5 ─► 0, 9 ─► 1, 8 ─► 2
//!            └───────────┴───────────┴───────────┘
//! ```
//!
//! An entry is there only while a future waits, and says *once*: whoever was woken and has still
//! not got what he wanted comes again. So nothing needs to be registered when a socket is made and
//! nothing taken away when it is closed; a number that is used again has no past (but for futures
//! that were leaked, and wake somebody for nothing). And `poll(2)`
//! tells what *is* so, not what has changed, so that a wake cannot fall between the try and the
//! wait: what came in between is found by the next look.
//!
//! A file descriptor has one row, however many wait for it: the system refuses arrays with more
//! elements than a process may have files. The bell (`bell.rs`) is put behind them for each look:
//! the system prepares its sleep element by element, up to the first that is ready, and the bell is
//! seldom that.
//!
//! It is data, like `executor/timers.rs`, which has the same shape: a future has the *name* of its
//! entry, which may be stale, and may belong to another executor, to which a letter is sent then.
//! What is to be woken or dropped is returned (*No Borrow Across User Code*).
//!
//! Left out: sockets. This knows their numbers only. Next: `net/socket.rs`, how a future uses this.

use super::bell::Bell;
use super::sys::{self, PollFd};
use crate::list::{List, Nodes};
use crate::mailbox::{self, Letter};
use crate::slab::Key;
use std::io;
use std::mem::{replace, take};
use std::num::NonZeroU64;
use std::ops::RangeInclusive;
use std::task::{Poll, Waker};
use std::time::Duration;

/// What to wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// Something to read: bytes, a connection, an end, an error.
    Read,
    /// Room to write, or an error.
    Write,
}

/// The sockets for which the futures of one executor wait.
pub(crate) struct Reactor {
    executor: u16,
    /// Of the first entry. Those of earlier executors with this one's number had lower ones.
    first_number: NonZeroU64,
    /// Made when a future first waits for a socket.
    table: Option<Box<Table>>,
}

struct Table {
    bell: Bell,
    /// What the system is asked, by rows.
    asked: Vec<PollFd>,
    /// Who waits for it, by rows.
    rows: Vec<Row>,
    /// The row of a file descriptor, or [`NO_ROW`] if nobody waits for it.
    row_of: Vec<u32>,
    entries: Nodes<Entry>,
    /// Room for those who are to be woken, kept from one look to the next.
    ready: Vec<Waker>,
    /// How many polls of tasks may go by before the next look.
    polls_left: usize,
}

/// Who waits for a file descriptor: somebody does, else there is no row.
struct Row {
    fd: usize,
    read: List,
    write: List,
}

const NO_ROW: u32 = u32::MAX;

struct Entry {
    fd: usize,
    direction: Direction,
    waker: Waker,
}

/// Which entry of which executor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntryName {
    executor: u16,
    key: Key,
}

/// The entry is not one of this executor's.
pub(crate) struct Elsewhere;

/// A look is a call to the system, and takes the longer the more wait. So while there are tasks to
/// poll it is made after as many polls as there are file descriptors to look at, but no less and no
/// more than this: then it adds some 0.1 µs to the time of a poll, or a little more if there are
/// thousands.
const POLLS_BETWEEN_LOOKS: RangeInclusive<usize> = 64..=512;

/// As often the loop looks outside, at the least: see `executor/mod.rs`.
const POLLS_OF_A_STRETCH: usize = 64;

impl Reactor {
    pub(crate) fn new(executor: u16, first_number: NonZeroU64) -> Reactor {
        Reactor {
            executor,
            first_number,
            table: None,
        }
    }

    // For a future.

    /// Whether there is a bell.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.table.is_some()
    }

    /// Before the first [`poll`](Reactor::poll). Returns the bell that from now on ends a sleep.
    pub(crate) fn open(&mut self) -> io::Result<Waker> {
        let table = Table::new(self.first_number)?;
        let bell = table.bell.waker();
        self.table = Some(Box::new(table));
        Ok(bell)
    }

    /// Ready if the entry has been woken, else there is one that will wake `waker`. Also returns
    /// the waker that is not needed, for the caller to drop.
    pub(crate) fn poll(
        &mut self,
        fd: usize,
        direction: Direction,
        entry: &mut Option<EntryName>,
        waker: Waker,
    ) -> (Poll<()>, Option<Waker>) {
        let table = self.table.as_mut().expect("a reactor is opened before it is polled");
        if let Some(own) = entry.filter(|entry| entry.executor == self.executor) {
            let Some(waiting) = table.entries.get_mut(own.key) else {
                *entry = None;
                return (Poll::Ready(()), Some(waker));
            };
            let is_known = waiting.waker.will_wake(&waker);
            let unneeded = if is_known { waker } else { replace(&mut waiting.waker, waker) };
            return (Poll::Pending, Some(unneeded));
        }
        let entered = EntryName {
            executor: self.executor,
            key: table.enter(fd, direction, waker),
        };
        if let Some(left_behind) = entry.replace(entered) {
            left_behind.release();
        }
        (Poll::Pending, None)
    }

    /// Takes an entry off the list. Returns its waker, if it has not been woken, for the caller to
    /// drop.
    pub(crate) fn leave(&mut self, entry: EntryName) -> Result<Option<Waker>, Elsewhere> {
        match entry.executor == self.executor {
            true => Ok(self.release(entry.key)),
            false => Err(Elsewhere),
        }
    }

    // For the loop.

    /// Takes an entry off the list that was asked for by letter: its future has gone, or waits
    /// elsewhere. Returns its waker. (It is woken, to be on the safe side.)
    pub(crate) fn release(&mut self, key: Key) -> Option<Waker> {
        self.table.as_mut()?.leave(key)
    }

    /// Whether anybody waits for a socket.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.table.as_ref().is_some_and(|table| table.entries.len() > 0)
    }

    /// Whether to look now, if so many polls of tasks come before one can look again.
    pub(crate) fn is_due(&self, polls: usize) -> bool {
        let is_due = |table: &Table| table.polls_left < stretch(polls) && table.entries.len() > 0;
        self.table.as_deref().is_some_and(is_due)
    }

    /// So many polls of tasks come before one can look again.
    pub(crate) fn count_polls(&mut self, polls: usize) {
        if let Some(table) = &mut self.table {
            table.polls_left = table.polls_left.saturating_sub(stretch(polls));
        }
    }

    /// Looks at the sockets: sleeps until one is ready, the bell rings, or the time is up. Returns
    /// whom to wake. The reactor must be open.
    pub(crate) fn look(&mut self, limit: Option<Duration>) -> Vec<Waker> {
        self.table.as_mut().expect("a reactor is opened before it looks").look(limit)
    }

    /// Takes the room back in which a look returned those who were to be woken.
    pub(crate) fn keep_room(&mut self, room: Vec<Waker>) {
        if let Some(table) = &mut self.table {
            table.ready = room;
        }
    }

    /// The executor ends. Returns whom to wake: a future may outlive it, and will then look for
    /// another.
    pub(crate) fn end(&mut self) -> Vec<Waker> {
        let Some(mut table) = self.table.take() else {
            return Vec::new();
        };
        self.first_number = table.entries.next_number();
        while let Some(last) = table.rows.len().checked_sub(1) {
            table.take(last, true, true);
        }
        table.ready
    }

    /// The number that the next entry will get.
    pub(crate) fn next_number(&self) -> NonZeroU64 {
        self.table.as_ref().map_or(self.first_number, |table| table.entries.next_number())
    }
}

impl Table {
    fn new(first_number: NonZeroU64) -> io::Result<Table> {
        Ok(Table {
            bell: Bell::new()?,
            asked: Vec::new(),
            rows: Vec::new(),
            row_of: Vec::new(),
            entries: Nodes::numbered_from(first_number),
            ready: Vec::new(),
            // The rest of this turn's polls is not counted, so the first look is made early.
            polls_left: 1,
        })
    }

    fn enter(&mut self, fd: usize, direction: Direction, waker: Waker) -> Key {
        let key = self.entries.insert(Entry {
            fd,
            direction,
            waker,
        });
        let row = self.row(fd);
        self.rows[row].line(direction).push_back(&mut self.entries, key);
        self.ask(row);
        key
    }

    fn leave(&mut self, key: Key) -> Option<Waker> {
        let &Entry { fd, direction, .. } = self.entries.get(key)?;
        let row = self.row(fd);
        self.rows[row].line(direction).unlink(&mut self.entries, key);
        self.ask(row);
        self.entries.remove(key).map(|entry| entry.waker)
    }

    /// Asks the system, which sleeps until there is an answer, or for `limit`. Takes off the list
    /// those who wait for what is ready, and returns them.
    fn look(&mut self, limit: Option<Duration>) -> Vec<Waker> {
        self.polls_left =
            self.rows.len().clamp(*POLLS_BETWEEN_LOOKS.start(), *POLLS_BETWEEN_LOOKS.end());
        self.asked.push(PollFd::asking(self.bell.fd(), true, false));
        let found = sys::poll(&mut self.asked, limit);
        let bell = self.asked.pop();
        // None if the time is up, or a signal came.
        let mut unread = found.unwrap_or_else(|error| panic!("poll(2) failed: {error}"));
        if unread > 0 && bell.is_some_and(|bell| bell.has_news()) {
            self.bell.silence();
            unread -= 1;
        }
        let mut row = 0;
        while unread > 0 {
            let asked = &self.asked[row];
            if asked.has_news() {
                // After this another has taken its place, or it has no news any more.
                self.take(row, asked.may_read(), asked.may_write());
                unread -= 1;
            } else {
                row += 1;
            }
        }
        take(&mut self.ready)
    }

    /// Takes off the list those who wait in this row, in these directions.
    fn take(&mut self, row: usize, read: bool, write: bool) {
        for (direction, is_ready) in [(Direction::Read, read), (Direction::Write, write)] {
            let line = self.rows[row].line(direction);
            while is_ready && let Some(key) = line.pop_front(&mut self.entries) {
                self.ready.extend(self.entries.remove(key).map(|entry| entry.waker));
            }
        }
        self.ask(row);
    }

    /// The row of a file descriptor, which may be a new one.
    fn row(&mut self, fd: usize) -> usize {
        if fd >= self.row_of.len() {
            self.row_of.resize(fd + 1, NO_ROW);
        }
        if self.row_of[fd] == NO_ROW {
            self.row_of[fd] = self.rows.len() as u32;
            self.asked.push(PollFd::asking(fd, false, false));
            self.rows.push(Row {
                fd,
                read: List::EMPTY,
                write: List::EMPTY,
            });
        }
        self.row_of[fd] as usize
    }

    /// Has the system asked for what is waited for in this row. If it is nothing, the row goes, and
    /// the last one takes its place.
    fn ask(&mut self, row: usize) {
        let Row { fd, read, write } = &self.rows[row];
        let (fd, read, write) = (*fd, !read.is_empty(), !write.is_empty());
        if read || write {
            self.asked[row] = PollFd::asking(fd, read, write);
            return;
        }
        self.row_of[fd] = NO_ROW;
        self.asked.swap_remove(row);
        self.rows.swap_remove(row);
        if let Some(moved) = self.rows.get(row) {
            self.row_of[moved.fd] = row as u32;
        }
    }
}

/// How many of these polls come before the next look outside. (A turn in which nothing is polled
/// counts too: letters may make one after the other.)
fn stretch(polls: usize) -> usize {
    polls.clamp(1, POLLS_OF_A_STRETCH)
}

impl Row {
    fn line(&mut self, direction: Direction) -> &mut List {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }
}

impl EntryName {
    /// Has the executor that this entry belongs to take it off its list, when it next runs.
    pub(crate) fn release(self) {
        mailbox::deliver(self.executor, Letter::Leave(self.key));
    }
}

#[cfg(all(test, unix))]
#[path = "reactor_tests.rs"]
mod tests;
