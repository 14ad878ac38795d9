//! The executor: it polls what was woken, and sleeps when nothing was.
//!
//! One *turn* of its loop:
//!
//! ```text
//!        ┌──────────────────────────────────────────────────────────────────────────────┐
//!        ▼                                                                              │
//!   accept letters ──► fire timers ──► look at sockets ──► poll what is runnable now, ──┤
//!   (wakes from        (that are       (if any is waited   once each, in order; every   │
//!   other threads)      due)            for, and it is     64 polls the steps before    │
//!                                       time to)                 │                      │
//!                                                                ▼ nothing was runnable │
//!                                                              rest ────────────────────┘
//!                                                              (sleep until a deadline, the
//!                                                              bell or a socket; or set a
//!                                                              paused clock forward)
//! ```
//!
//! A turn's length is fixed when it begins: a task that is woken meanwhile waits for the next turn.
//! So a task that always wakes itself gets one poll a turn, like every other, and none that
//! returns from its polls can starve another, a timer, a thread or a socket (promise 4).
//!
//! The future given to `block_on`, the *root*, is polled like any task, but it stays on the stack
//! of `block_on`: it may borrow from its surroundings, where a spawned future must own what it
//! uses.
//!
//! The scheduler is borrowed to be asked who is next, and given back before that task is polled or
//! dropped: its code may spawn, wake, abort and drop what it likes (*No Borrow Across User Code*).
//!
//! Left out: any idea of what a task returns. The executor knows `scheduler::Task`, which
//! is polled until it is over; `task/cell.rs` is next, and makes one of a future.

pub(crate) mod holders;
mod recorder;
mod rules;
pub(crate) mod scheduler;
mod stall;
pub(crate) mod timers;
pub(crate) mod watch;

use crate::panics::{contain, contain_each};
use crate::random::Random;
use crate::time::clock::Clock;
use crate::time::wheel::Fired;
use crate::trace::event::Trace;
use crate::trace::output::{self, Format, Output};
use crate::waker::waker;
use recorder::{FOR_A_REPORT, Recorder};
use rules::{Rule, is_broken};
use scheduler::{Birth, Polled, Rest, Scheduler, Shared};
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Letters and timers are looked at between turns, and after this many polls of a long turn: some
/// microseconds of work, so that with a million runnable tasks a timer is not late by a second.
const POLLS_BETWEEN_LOOKS: usize = 64;

/// Runs a future to its end on this thread, together with all tasks that it spawns.
///
/// Returns as soon as `future` is ready; what it spawned and is not finished by then is dropped
/// before this returns, in the order in which it was spawned. To keep tasks from one `block_on` to
/// the next, make an [`Executor`]. If a program stands still, an executor with
/// [`panic_on_stall`](Builder::panic_on_stall) says who waits for what.
///
/// ```
/// let sum = handspun::block_on(async {
///     let two = handspun::spawn(async { 2 });
///     let three = handspun::spawn(async { 3 });
///     two.await.unwrap() + three.await.unwrap()
/// });
/// assert_eq!(sum, 5);
/// ```
///
/// # Panics
/// With the panic of `future`, after all tasks have been dropped. If an executor is running on this
/// thread already: inside of it, `.await` the future or [`spawn`](crate::spawn) it. And if there
/// are 16,384 executors in the process, or threads that have run one.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    Executor::new().block_on(future)
}

/// A single-threaded executor: a set of tasks, a clock, timers.
///
/// It keeps its unfinished tasks from one [`block_on`](Executor::block_on) to the next. Dropping it
/// drops them, in the order in which they were spawned, and then what their destructors have
/// spawned, until nothing is left. It stays on the thread on which it was made.
///
/// ```
/// use handspun::executor::Executor;
///
/// let executor = Executor::new();
/// let handle = executor.spawn(async { "made before anything ran" });
/// assert!(!handle.is_finished()); // lazy: nothing runs outside of block_on
/// assert_eq!(executor.block_on(handle).unwrap(), "made before anything ran");
/// ```
///
/// It cannot be sent to another thread:
///
/// ```compile_fail,E0277
/// let executor = handspun::executor::Executor::new();
/// std::thread::spawn(move || drop(executor));
/// ```
pub struct Executor {
    scheduler: Shared,
}

/// Settings of an [`Executor`] that is to be made.
///
/// ```
/// use handspun::executor::Executor;
///
/// let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
/// # drop(executor);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder makes an executor when `build` is called"]
pub struct Builder {
    start_paused: bool,
    panic_on_stall: bool,
    random: Random,
    /// How many events are kept.
    record: Option<usize>,
    output: Option<Output>,
}

impl Builder {
    /// The settings of [`Executor::new`]: a running clock, no panic on a stall, and a random seed.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Whether the clock is [paused](crate::time::pause) from the beginning. Default: `false`.
    pub fn start_paused(mut self, start_paused: bool) -> Builder {
        self.start_paused = start_paused;
        self
    }

    /// Whether the executor panics, with a report of every waiting task, when nothing can ever wake
    /// a task again: none is runnable, no timer is armed, no [socket](crate::net) is waited for, no
    /// [blocking closure](crate::task::spawn_blocking) is out. Default: `false`, and it sleeps
    /// until another thread wakes a task.
    ///
    /// Leave it off where threads of your own hold wakers: the executor cannot know of them, and
    /// takes the wait for a hang.
    pub fn panic_on_stall(mut self, panic_on_stall: bool) -> Builder {
        self.panic_on_stall = panic_on_stall;
        self
    }

    /// Where the executor's random numbers begin: with the same seed, a program that is otherwise
    /// repeatable takes the same branches of its [`select!`](crate::select)s. Default: another
    /// seed for each executor.
    pub fn seed(mut self, seed: u64) -> Builder {
        self.random = Random::seeded(seed);
        self
    }

    /// Whether the run is recorded: the last `capacity` events are kept, for
    /// [`Executor::trace`](Executor::trace). Default: it is not.
    ///
    /// At least one is. An event takes 72 bytes and a tenth of a microsecond. Of
    /// events that were dropped for want of room, what they left behind is kept.
    pub fn record(mut self, capacity: usize) -> Builder {
        self.record = Some(capacity);
        self
    }

    /// Records the run, and has it drawn into a file when the executor is dropped. (A message on
    /// stderr says so, or why it could not be.) Of more than 100,000 events the last are kept,
    /// unless [`record`](Builder::record) says otherwise.
    ///
    /// ```no_run
    /// use handspun::executor::Executor;
    /// use handspun::trace::Format;
    ///
    /// let executor = Executor::builder().trace_to(Format::Html, "run.html").build();
    /// executor.block_on(async { /* … */ });
    /// ```
    ///
    /// Without a change of the program the environment does the same:
    /// `HANDSPUN_TRACE=html:run.html` ([`trace`](crate::trace) has the details). If both are there,
    /// this one counts.
    pub fn trace_to(mut self, format: Format, file: impl Into<PathBuf>) -> Builder {
        self.output = Some(Output::to_file(format, file.into()));
        self
    }

    /// Makes the executor, for this thread.
    ///
    /// # Panics
    /// If there are 16,384 executors in the process, or threads that have run one.
    pub fn build(self) -> Executor {
        let clock = if self.start_paused { Clock::paused() } else { Clock::real() };
        let output = self.output.or_else(output::asked_for);
        let for_output = output.is_some().then_some(output::CAPACITY);
        let for_report = self.panic_on_stall.then_some(FOR_A_REPORT);
        let capacity = self.record.or(for_output).or(for_report);
        let recorder = capacity.map(|capacity| Recorder::new(&clock, capacity, output));
        let recorder = recorder.map(Box::new);
        let scheduler = Scheduler::new(clock, self.panic_on_stall, self.random, recorder);
        Executor {
            scheduler: Rc::new(RefCell::new(scheduler)),
        }
    }
}

impl Executor {
    /// An executor with a running clock, for this thread.
    ///
    /// # Panics
    /// If there are 16,384 executors in the process, or threads that have run one.
    pub fn new() -> Executor {
        Builder::new().build()
    }

    /// The settings of an executor, to be changed and [built](Builder::build).
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Runs a future to its end on this thread, together with all tasks of this executor.
    ///
    /// Returns as soon as `future` is ready; tasks that are not finished by then stay, and go on
    /// with the next `block_on`.
    ///
    /// # Panics
    /// With the panic of `future`, after all tasks of this executor have been dropped. And if an
    /// executor is running on this thread already: inside of it, `.await` the future or
    /// [`spawn`](crate::spawn) it.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let previous = scheduler::set_current(Some(self.scheduler.clone()));
        if previous.is_some() {
            scheduler::set_current(previous);
            panic!(
                "block_on was called inside an executor: it would hold up every task of this \
                 thread. `.await` the future here, or give it to `handspun::spawn`"
            );
        }
        let mut running = Running {
            scheduler: &self.scheduler,
            panicked: true,
        };
        let birth = Birth {
            place: Location::caller(),
            name: None,
            size: size_of::<F>(),
        };
        self.scheduler.borrow_mut().spawn_root(birth);
        let output = run(&self.scheduler, pin!(future));
        running.panicked = false;
        output
    }

    /// The run so far. (Of an executor that is not [recorded](Builder::record), but would [report a
    /// stall](Builder::panic_on_stall): the last thousand events.)
    ///
    /// # Panics
    /// If it is neither.
    pub fn trace(&self) -> Trace {
        let trace = self.scheduler.borrow().trace();
        trace.expect(NOT_RECORDED)
    }

    /// Drops all tasks, and gives the whole run, with their end.
    ///
    /// # Panics
    /// If [`trace`](Executor::trace) does.
    pub fn into_trace(self) -> Trace {
        self.drop_tasks();
        self.trace()
    }

    /// Drops every task that is left. Their destructors run inside their executor, also when it is
    /// dropped inside another.
    fn drop_tasks(&self) {
        let previous = scheduler::set_current(Some(self.scheduler.clone()));
        self.scheduler.borrow_mut().swap_random();
        drop_tasks(&self.scheduler);
        self.scheduler.borrow_mut().swap_random();
        scheduler::set_current(previous);
    }

    /// Calls `f` with this executor's scheduler, running or not.
    pub(crate) fn scheduler<R>(&self, f: impl FnOnce(&mut Scheduler) -> R) -> R {
        f(&mut self.scheduler.borrow_mut())
    }
}

/// A `block_on`, from its beginning to its end, in whichever way it ends.
struct Running<'a> {
    scheduler: &'a RefCell<Scheduler>,
    /// Until the root is ready: what ends a `block_on` before that is a panic.
    panicked: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.panicked {
            self.scheduler.borrow_mut().tell_root_is_over(true);
            drop_tasks(self.scheduler);
        }
        self.scheduler.borrow_mut().finish_root(self.panicked);
        scheduler::set_current(None);
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.drop_tasks();
        let output = self.scheduler.borrow_mut().take_output();
        if let Some((output, trace)) = output {
            contain(|| output.write(&trace));
        }
        let (timers, sockets) = self.scheduler.borrow_mut().end();
        contain_each(timers, |timer| timer.value.wake());
        if !sockets.is_empty() {
            contain_each(sockets, Waker::wake);
        }
    }
}

/// The loop: turn after turn, until the root is ready.
fn run<F: Future>(scheduler: &RefCell<Scheduler>, mut root: Pin<&mut F>) -> F::Output {
    loop {
        look_outside(scheduler, None);
        let turn = begin_turn(scheduler);
        for nth in 0..turn {
            if nth > 0 && nth % POLLS_BETWEEN_LOOKS == 0 {
                look_outside(scheduler, Some(turn - nth));
            }
            if let Poll::Ready(output) = poll_next(scheduler, root.as_mut()) {
                return output;
            }
        }
        if turn == 0 {
            rest(scheduler);
        }
    }
}

/// How many tasks this turn will poll: those that are runnable now.
#[inline]
fn begin_turn(scheduler: &RefCell<Scheduler>) -> usize {
    if is_broken(Rule::OnlyWhoWasWoken) || is_broken(Rule::InOrderOfWakes) {
        scheduler.borrow_mut().disturb_turn();
    }
    scheduler.borrow().runnable_count()
}

/// Polls the first task of the run queue. Ready when that was the root, and it is ready.
#[inline]
fn poll_next<F: Future>(scheduler: &RefCell<Scheduler>, root: Pin<&mut F>) -> Poll<F::Output> {
    let Some(Polled {
        name,
        is_watched,
        task,
    }) = scheduler.borrow_mut().begin_poll()
    else {
        return Poll::Pending;
    };
    let waker = waker(name, is_watched);
    let mut cx = Context::from_waker(&waker);
    let Some(task) = task else {
        // It is the root.
        let output = root.poll(&mut cx);
        if output.is_pending() {
            scheduler.borrow_mut().end_poll();
        }
        return output;
    };
    if task.poll(&mut cx).is_pending() {
        scheduler.borrow_mut().end_poll();
    } else {
        let _dropped_after_the_borrow = scheduler.borrow_mut().finish();
    }
    Poll::Pending
}

/// Accepts letters, fires timers and looks at sockets, if there are any. So many polls are left of
/// this turn, or a turn is about to begin.
#[inline]
fn look_outside(scheduler: &RefCell<Scheduler>, left: Option<usize>) {
    let news = scheduler.borrow().news();
    if news.letters_or_timers {
        take_in(scheduler);
    }
    if news.sockets {
        look_at_sockets(scheduler, left);
    }
}

fn take_in(scheduler: &RefCell<Scheduler>) {
    let released = scheduler.borrow_mut().accept_letters();
    if !released.is_empty() {
        contain_each(released, Waker::wake);
    }
    let fired = scheduler.borrow_mut().timers.due();
    if !fired.is_empty() {
        fire(scheduler, fired);
    }
}

/// Wakes whom timers were to wake, in the order in which they were due.
#[inline(never)]
fn fire(scheduler: &RefCell<Scheduler>, fired: Vec<Fired<Waker>>) {
    contain_each(fired, |fired| {
        scheduler.borrow_mut().begin_fire(&fired);
        fired.value.wake();
    });
    scheduler.borrow_mut().forget_cause();
}

/// Looks at the sockets, if that is due.
#[inline(never)]
fn look_at_sockets(scheduler: &RefCell<Scheduler>, left: Option<usize>) {
    let polls_ahead = || left.unwrap_or_else(|| scheduler.borrow().runnable_count());
    let polls = polls_ahead();
    if scheduler.borrow().must_look_at_sockets(polls) {
        let ready = scheduler.borrow_mut().look_at_sockets();
        wake_ready(scheduler, ready);
    }
    // Anew: who was woken by this look may be among those that are polled next.
    let polls = polls_ahead();
    scheduler.borrow_mut().count_polls(polls);
}

/// Wakes those whose sockets are ready.
#[inline(never)]
fn wake_ready(scheduler: &RefCell<Scheduler>, mut ready: Vec<Waker>) {
    // There is nobody to wake, and no room to be given back.
    if ready.capacity() == 0 {
        return;
    }
    scheduler.borrow_mut().begin_wake_by_socket();
    contain_each(ready.drain(..), Waker::wake);
    scheduler.borrow_mut().end_wake_by_socket(ready);
}

/// Nothing is runnable: sleeps, or moves a paused clock, until something may be.
fn rest(scheduler: &RefCell<Scheduler>) {
    let rest = scheduler.borrow_mut().rest();
    match rest {
        Rest::LookAgain => {}
        Rest::Sleep(limit) => {
            scheduler.borrow_mut().park(limit);
            let ready = scheduler.borrow_mut().sleep(limit);
            scheduler.borrow_mut().unpark();
            wake_ready(scheduler, ready);
        }
        Rest::Stalled => {
            let trace = scheduler.borrow().trace();
            scheduler.borrow_mut().tell_drop_root();
            panic!("{}", stall::report(&trace.expect("an executor that reports is watched")));
        }
    }
}

/// Drops every task, in the order in which they were spawned, and then those that were spawned by
/// the destructors of the others. The executor must be the running one.
fn drop_tasks(scheduler: &RefCell<Scheduler>) {
    while scheduler.borrow().has_tasks() {
        let tasks = scheduler.borrow().all_tasks();
        for key in tasks {
            let task = scheduler.borrow_mut().take(key);
            if let Some(task) = task {
                task.cancel();
                scheduler.borrow_mut().tell_is_dropped(key);
            }
        }
    }
    scheduler.borrow_mut().clear_run_queue();
}

const NOT_RECORDED: &str =
    "this executor is not recorded: build it with `Executor::builder().record(100_000)`";

// A panic leaves no task behind that saw it: see promise 7.
impl UnwindSafe for Executor {}
impl RefUnwindSafe for Executor {}

impl Default for Executor {
    fn default() -> Executor {
        Executor::new()
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").finish_non_exhaustive()
    }
}
