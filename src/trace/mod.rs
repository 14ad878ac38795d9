//! See it run: a recording of a run, four drawings of it, and lints that name mistakes.
//!
//! Who polls whom, who wakes whom, and why does this task stand still? An executor knows. If it is
//! asked to, it writes down each transition of each task, timer and wait: that list is a [`Trace`].
//! All else is made from it.
//!
//! # To get one
//!
//! Without a change of the program, from outside:
//!
//! ```sh
//! HANDSPUN_TRACE=html:run.html my-program   # a page that plays the run, for any browser
//! HANDSPUN_TRACE=text my-program            # a timeline, on stderr (`text:-`: on stdout)
//! HANDSPUN_TRACE=svg:run.svg my-program     # a figure
//! HANDSPUN_TRACE=chrome:run.json my-program # for ui.perfetto.dev
//! ```
//!
//! The variable is read once, when the first executor is made. Without a file name the drawing is
//! called as the program. Each executor of the process is drawn when it is dropped, the second into
//! `run-2.html`, and so on, at most a hundred. A bad value, or a file that cannot be written, is a
//! line on stderr and nothing more. (A process that is killed, or calls [`std::process::exit`],
//! draws nothing.)
//!
//! With a line in the program:
//!
//! ```
//! use handspun::executor::Executor;
//! use handspun::trace::Format;
//!
//! # let dir = std::env::temp_dir().join(format!("handspun-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir).unwrap();
//! # let file = dir.join("run.html");
//! let executor = Executor::builder().trace_to(Format::Html, &file).build();
//! executor.block_on(async { /* … */ });
//! drop(executor); // the drawing is made here
//! # assert!(file.exists());
//! # std::fs::remove_dir_all(&dir).unwrap();
//! ```
//!
//! Or as data, for a test, or for a drawing of your own:
//!
//! ```
//! use handspun::executor::Executor;
//! use handspun::time::{Duration, sleep};
//! use handspun::trace::Event;
//!
//! let executor = Executor::builder().start_paused(true).record(10_000).build();
//! executor.block_on(async { sleep(Duration::from_secs(1)).await });
//! let trace = executor.into_trace();
//! let polls = trace.records().iter().filter(|r| matches!(r.event, Event::PollBegun { .. }));
//! assert_eq!(polls.count(), 2);
//! println!("{}", trace.text());
//! ```
//!
//! # What it costs
//!
//! Off, which is the default: a look at one word for each transition, and nothing for a wake. On: a
//! tenth of a microsecond and 72 bytes for each event. The memory is bounded: of more
//! events than there is room for, the last are kept, and of the others what they left behind.
//!
//! # What is recorded
//!
//! - **Tasks**: spawned, poll begun, poll ended, woken (by whom, and what that changed), abort
//!   asked for, dropped; the last waker of one dropped.
//! - **Timers**: made, armed, fired, reset, dropped.
//! - **Waits**: begun and ended; for what, and where that was made; for the end of another task.
//! - **The executor**: asleep, awake, a paused clock set forward.
//! - **The program**: [`mark`], [`value`].
//!
//! Times are the executor's own, from when it was made: on a paused clock they are exact, and the
//! same program gives the same trace, byte for byte (promise 9).
//!
//! How to read the drawings: `docs/trace.md`. What the lints find: `docs/lints.md`.

mod chrome;
pub(crate) mod event;
mod html;
mod json;
mod layout;
mod lint;
pub(crate) mod output;
pub(crate) mod state;
mod svg;
pub(crate) mod text;

pub use event::{Awaited, Cause, Effect, Event, Outcome, Phase, Place, Record, TaskState, Trace};
pub use lint::{Lint, LintKind};
pub use output::{Format, UnknownFormat};
pub use state::{State, TimerState, WaitState};
pub use text::Text;

use crate::executor::scheduler::try_current;

/// Writes `text` into the recorded run, at this point of it.
///
/// If the executor that runs on this thread is not [recorded](crate::executor::Builder::record),
/// or none runs here, it does nothing. (To put a text together is not free; who does so in a busy
/// place asks [`is_recorded`] first.)
///
/// ```
/// use handspun::executor::Executor;
/// use handspun::trace::{self, Event};
///
/// let executor = Executor::builder().record(1_000).build();
/// executor.block_on(async { trace::mark("half of it is done") });
/// let trace = executor.into_trace();
/// let marks = trace.records().iter().filter(|r| matches!(r.event, Event::Mark { .. }));
/// assert_eq!(marks.count(), 1);
/// ```
pub fn mark(text: &str) {
    try_current(|scheduler| scheduler.mark(text));
}

/// Writes into the recorded run that something has this value from now on: the length of a queue,
/// a number of connections. Where a drawing has curves, this is one.
///
/// A number that does not fit an `i64` is written as the largest that does. Where nothing is
/// recorded, this does nothing.
///
/// ```
/// use handspun::executor::Executor;
/// use handspun::trace;
///
/// let executor = Executor::builder().record(1_000).build();
/// executor.block_on(async {
///     let queue = vec!["one", "two"];
///     trace::value("queue", queue.len());
/// });
/// ```
pub fn value(name: &str, value: impl TryInto<i64>) {
    let value = value.try_into().unwrap_or(i64::MAX);
    try_current(|scheduler| scheduler.value(name, value));
}

/// Whether the executor that runs on this thread is recorded. (One that
/// [would report a stall](crate::executor::Builder::panic_on_stall) is: its last events are kept.)
pub fn is_recorded() -> bool {
    try_current(|scheduler| scheduler.is_watched()).unwrap_or(false)
}

/// The run so far of the executor that runs on this thread, if it is
/// [recorded](crate::executor::Builder::record).
pub fn current() -> Option<Trace> {
    try_current(|scheduler| scheduler.trace()).flatten()
}
