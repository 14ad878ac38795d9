//! What can happen in a run, and the list of what did.
//!
//! A recorded run is nothing but a list of events with their times: a [`Trace`]. Everything else
//! about it is computed. `state.rs` replays the events and knows after each who is in the run queue
//! and who waits; the drawings and the lints see events only, never the executor. So a picture
//! cannot show what did not happen, and whoever wants another picture writes a function of a
//! [`Trace`].
//!
//! ```text
//!   scheduler, timers, wait queues ──► recorder ──► Trace ──► layout ──► text, svg
//!   (one event per transition)         (a ring)       ├─────────────────► html, chrome
//!                                                     └──► lints
//! ```
//!
//! Next: `trace/state.rs`, the replay.

use crate::name::Id;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// A place in the source.
pub type Place = &'static Location<'static>;

/// Something that happened, and when.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// The executor's time, since it was made. On a paused clock it stands still between the jumps.
    pub at: Duration,
    /// What happened.
    pub event: Event,
}

/// What can happen in a run: one event for each transition of a task, a timer, a wait, the
/// executor.
///
/// Tasks are called by their [`Id`]s, 0 is the root. Timers, waits and lines have numbers that
/// count from 1 and are not used again.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Event {
    // Tasks.
    /// A new task, runnable: it is the last of the run queue.
    Spawned {
        /// Which.
        task: Id,
        /// The name that [`task::Builder`](crate::task::Builder) gave it.
        name: Option<Arc<str>>,
        /// Where it was spawned.
        place: Place,
        /// The size of its future, in bytes.
        size: usize,
        /// Who spawned it.
        by: Cause,
    },
    /// A task that is older than what is left of the recording. A trace of which events were
    /// dropped begins with these.
    Known {
        /// Which.
        task: Id,
        /// Its state.
        state: Box<TaskState>,
    },
    /// The first of the run queue is polled.
    PollBegun {
        /// Which.
        task: Id,
    },
    /// Its poll has come to an end.
    PollEnded {
        /// Which.
        task: Id,
        /// With what result.
        outcome: Outcome,
        /// How many wakers of the task exist now. Nobody can wake one that is pending and has none.
        wakers: usize,
        /// How long the poll took, if that was 10 ms or more. On a paused clock a poll takes no
        /// time, so that the same run gives the same trace.
        blocked: Option<Duration>,
    },
    /// A waker was called.
    Woken {
        /// Whose.
        task: Id,
        /// Who called it.
        by: Cause,
        /// What that changed.
        effect: Effect,
    },
    /// The last waker of a task that waits was dropped: nobody can wake it any more. (Not told
    /// where another thread drops it.)
    Forgotten {
        /// Which.
        task: Id,
        /// Who dropped it.
        by: Cause,
    },
    /// Somebody asked for the task to be dropped. That happens in its next poll. (Not told where
    /// the executor is not running: then it is a wake by [another thread](Cause::Thread).)
    AbortAsked {
        /// Which.
        task: Id,
        /// Who asked.
        by: Cause,
    },
    /// The executor ends, or the root has panicked, or the executor has stalled, which drops the
    /// root too: the task's future is dropped unfinished.
    Dropped {
        /// Which.
        task: Id,
        /// Whether somebody had asked for that: it had no time left to be polled.
        aborted: bool,
    },

    // Timers.
    /// A [`Sleep`](crate::time::Sleep) was made. It is not on the wheel before it is polled.
    TimerMade {
        /// Its number.
        timer: u64,
        /// When it is to be ready, as time since the executor was made.
        deadline: Duration,
        /// Where it was made.
        place: Place,
        /// Who made it.
        by: Cause,
    },
    /// It was polled before its deadline, and is on the wheel. (Told again when another task polls
    /// it: that is the one that it will wake then.)
    TimerArmed {
        /// Which.
        timer: u64,
        /// When it is to be ready, as time since the executor was made.
        deadline: Duration,
        /// The task that polled it. It is the one that will be woken, unless it has passed a waker
        /// of another down. `None`: it was not polled by a task.
        wakes: Option<Id>,
    },
    /// Its deadline has passed: it is off the wheel, and its waker is called.
    TimerFired {
        /// Which.
        timer: u64,
    },
    /// It was polled when its deadline had passed, and it had not been on the wheel: there is
    /// nothing to wait for.
    TimerDue {
        /// Which.
        timer: u64,
    },
    /// It has another deadline, and is off the wheel. (If somebody waits for it, it is armed again
    /// at once.)
    TimerReset {
        /// Which.
        timer: u64,
        /// When it is to be ready, as time since the executor was made.
        deadline: Duration,
    },
    /// It was dropped, or was polled or reset where this executor does not run and is not its
    /// timer any more. If it was on the wheel, it was disarmed.
    TimerDropped {
        /// Which.
        timer: u64,
    },

    // Waits.
    /// A task waits for something that is no timer.
    WaitBegun {
        /// The wait's number.
        wait: u64,
        /// Who waits.
        task: Id,
        /// For what.
        awaited: Awaited,
    },
    /// It has got it, or has given up.
    WaitEnded {
        /// Which.
        wait: u64,
    },

    // The executor.
    /// Nothing is runnable: the thread sleeps.
    Parked {
        /// When it means to wake, as time since the executor was made. `None`: not before somebody
        /// wakes it.
        until: Option<Duration>,
    },
    /// It does not any more.
    Unparked,
    /// Nothing was runnable, or [`advance`](crate::time::advance) was called: the paused clock was
    /// set forward to this record's time.
    ClockSet,

    // What the program says.
    /// See [`mark`](crate::trace::mark).
    Mark {
        /// Who said it.
        by: Cause,
        /// What.
        text: Arc<str>,
    },
    /// See [`value`](crate::trace::value).
    Value {
        /// What has this value.
        name: Arc<str>,
        /// From now on.
        value: i64,
    },
}

/// Who did it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The task that was being polled; 0 is the root.
    Task(Id),
    /// The timer that fired.
    Timer(u64),
    /// Another thread, or code that ran where the executor was not running.
    Thread,
    /// A socket that is ready for what the task waits for. Which one it is, a wake does not tell:
    /// the task tries again, and the wait that ends then was the one.
    Socket,
    /// The destructor of a task that was dropped unfinished.
    Drop(Id),
    /// Code outside of every task: before `block_on`, or after it.
    Outside,
}

/// A task that is alive.
#[derive(Clone, PartialEq, Debug)]
pub struct TaskState {
    /// The name that was given to it.
    pub name: Option<Arc<str>>,
    /// Where it was spawned.
    pub place: Place,
    /// The size of its future, in bytes.
    pub size: usize,
    /// Who spawned it.
    pub by: Cause,
    /// What it does.
    pub phase: Phase,
    /// Since when.
    pub since: Duration,
    /// How often it has been polled.
    pub polls: u32,
    /// How many wakers of it there were when its last poll ended; 0 also when the last of them was
    /// dropped since.
    pub wakers: usize,
}

impl TaskState {
    /// Whether it waits, and nobody has a waker of it: it can never be woken.
    pub fn is_lost(&self) -> bool {
        self.phase == Phase::Idle && self.polls > 0 && self.wakers == 0
    }
}

/// What a task does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// In the run queue.
    Queued,
    /// Being polled.
    Polling,
    /// Being polled, and woken meanwhile: it will be queued again.
    PollingAndWoken,
    /// Waiting to be woken.
    Idle,
}

/// How a poll ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The task goes on, now or when it is woken.
    Pending,
    /// It is over.
    Ready,
    /// It is over: it, or its destructor, has panicked.
    Panicked,
    /// It had been aborted: instead of being polled, its future was dropped.
    Aborted,
}

/// What a wake has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// The task waited, and has joined the run queue.
    Queued,
    /// The task is being polled, and will join the run queue when the poll ends.
    Noted,
    /// Nothing: it is in the run queue, or will be, for an earlier wake. One poll answers both.
    Coalesced,
    /// Nothing: the task is over.
    Stale,
}

/// What a task waits for, other than a timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Awaited {
    /// One of the things of [`sync`](crate::sync).
    Thing {
        /// In words: `"the mutex"`.
        what: &'static str,
        /// Where it was made.
        place: Place,
        /// The line that one stands in who waits for it. All who wait for the same thing at the
        /// same time have the same number.
        line: u64,
    },
    /// The end of a task, by its handle.
    Task(Id),
}

/// A recorded run: its events, in the order in which they happened.
///
/// ```
/// use handspun::executor::Executor;
/// use handspun::time::{Duration, sleep};
///
/// let executor = Executor::builder().start_paused(true).record(1_000).build();
/// executor.block_on(async { sleep(Duration::from_millis(300)).await });
/// let trace = executor.into_trace();
/// assert_eq!(trace.end(), Duration::from_millis(300));
/// println!("{}", trace.text());
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Trace {
    pub(crate) records: Vec<Record>,
    pub(crate) dropped: u64,
    pub(crate) paused: bool,
    pub(crate) wheel_origin: Option<Duration>,
}

impl Trace {
    /// A trace of one's own making, of records in the order of their times.
    pub fn from_records(records: Vec<Record>) -> Trace {
        Trace {
            records,
            ..Trace::default()
        }
    }

    /// The same run, with other records in the order of their times: with a mark of one's own among
    /// them, say. What else is known of the run stays.
    ///
    /// ```
    /// use handspun::executor::Executor;
    /// use handspun::time::{Duration, sleep};
    /// use handspun::trace::{Cause, Event, Record};
    ///
    /// let executor = Executor::builder().start_paused(true).record(1_000).build();
    /// executor.block_on(async { sleep(Duration::from_millis(300)).await });
    /// let trace = executor.into_trace();
    ///
    /// let mut records = trace.records().to_vec();
    /// let event = Event::Mark { by: Cause::Outside, text: "here it ends".into() };
    /// records.push(Record { at: trace.end(), event });
    /// let marked = trace.with_records(records);
    /// assert!(marked.is_paused());
    /// assert!(marked.text().to_string().contains("here it ends"));
    /// ```
    pub fn with_records(&self, records: Vec<Record>) -> Trace {
        Trace { records, ..*self }
    }

    /// What happened, in order. (What sums up events that were dropped comes first; its times are
    /// those at which it happened.)
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// How many events came before these and were not kept, for want of room. The tasks, timers
    /// and waits that they left behind are told at the beginning of [`records`](Trace::records).
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether the executor's clock was paused when the recording ended: then times are exact, and
    /// many events have the same.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// When tick 0 of the timing wheel was, as time since the executor was made: with that, the
    /// slot of a deadline can be computed (`time/wheel.rs`). On a clock that runs, it is when the
    /// first timer was polled. `None`: no timer was, or nobody says.
    pub fn wheel_origin(&self) -> Option<Duration> {
        self.wheel_origin
    }

    /// The time of the last event.
    pub fn end(&self) -> Duration {
        self.records.last().map_or(Duration::ZERO, |record| record.at)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Task(task) if task.is_root() => write!(f, "the root"),
            Cause::Task(task) => write!(f, "task {task}"),
            Cause::Timer(timer) => write!(f, "timer {timer}"),
            Cause::Thread => write!(f, "another thread"),
            Cause::Socket => write!(f, "a socket"),
            Cause::Drop(task) => write!(f, "the destructor of {}", Cause::Task(*task)),
            Cause::Outside => write!(f, "code outside of every task"),
        }
    }
}

/// How a wait for a socket ends, in the words of `net`: `"room in the TCP stream"`.
const SOCKETS: [&str; 3] = ["TCP stream", "TCP listener", "UDP socket"];

impl Awaited {
    /// Whether a socket that is ready can end this wait.
    pub(crate) fn is_of_a_socket(&self) -> bool {
        match self {
            Awaited::Thing { what, .. } => SOCKETS.iter().any(|socket| what.ends_with(socket)),
            Awaited::Task(_) => false,
        }
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Awaited::Thing { what, place, .. } => write!(f, "{what}, made at {place}"),
            Awaited::Task(task) => write!(f, "the end of task {task}"),
        }
    }
}
