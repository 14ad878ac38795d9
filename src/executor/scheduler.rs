//! The scheduler: what state each task is in, and who is next.
//!
//! A task is in one of four states. Each arrow is one function of this file:
//!
//! ```text
//!         spawn (1)
//!             │
//!             ▼          begin_poll (3)
//!   ┌────────────────┐ ────────────────► ┌───────────┐ ── finish (5) ──► gone
//!   │     queued     │                   │  polling  │                    ▲
//!   └────────────────┘ ◄───────────┐     └───────────┘                    │
//!         ▲             end_poll   │       │      │ wake (2)              │
//!         │ wake (2)       (4)     │       │      ▼                       │
//!   ┌────────────────┐             │       │  ┌───────────┐               │
//!   │      idle      │ ◄───────────┼───────┘  │ polling,  │               │
//!   └────────────────┘             │ end_poll │ and woken │ ── finish (5) ┘
//!                                  │   (4)    └───────────┘
//!                                  └────────────────┘
//! ```
//!
//! 1. [`spawn`](Scheduler::spawn): a new task is runnable at once.
//! 2. [`wake`]: an idle task joins the run queue; one that is being polled will join it when the
//!    poll ends; one that is in the queue stays where it is (*Queued Once*).
//! 3. [`begin_poll`](Scheduler::begin_poll): the first of the queue is handed to the loop, so that
//!    the scheduler is free while user code runs.
//! 4. [`end_poll`](Scheduler::end_poll): it was pending. Back into the queue if it was woken
//!    meanwhile, else it waits.
//! 5. [`finish`](Scheduler::finish): it is over. The slot is a hole, its name is stale.
//!
//! The root takes the same way in a slot that is never empty: `spawn_root` and `finish_root` are
//! its (1) and (5). When the executor shuts down, `take` leads from every state to *gone*.
//!
//! An aborted task goes the usual way: its flag is set, it is woken, and its next poll drops the
//! future instead of polling it.
//!
//! *No Borrow Across User Code*: the scheduler lies in a `RefCell`, and whoever needs it borrows it
//! for the length of one method or one closure. In there nothing of the user's may be polled,
//! dropped or woken, and no waker be cloned: such code may come back here (a destructor that
//! spawns, a waker that wakes) and would find the cell borrowed. What it must drop or wake, a
//! method returns.
//!
//! Left out: loops, parking and futures. This is data and its transitions; `executor/mod.rs` turns
//! the crank. Next: `waker.rs`, the way from a future back to [`wake`].

use super::recorder::Recorder;
use super::rules::{self, Rule, is_broken};
use super::timers::{Elsewhere, TimerName, Timers};
use crate::mailbox::{self, Letter, Mailbox, Registration};
use crate::name::{Id, MAX_TASKS, Name};
use crate::net::reactor::{self, Direction, EntryName, Reactor};
use crate::random::Random;
use crate::slab::{Key, Slab};
use crate::thread;
use crate::time::clock::{Clock, Instant};
use crate::time::wheel::Fired;
use crate::trace::event::{Cause, Effect, Outcome};
use crate::waits::{self, Note};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::mem::ManuallyDrop;
use std::num::NonZeroU64;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A spawned future as the executor sees it: something to poll until it is over, or to drop.
///
/// Neither method unwinds, whatever the future, its destructor or its wakers do: *a panic stays in
/// its task* (promise 7).
pub(crate) trait Task {
    /// Polls the future once, or drops it if the task has been aborted. Ready: the task is over.
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()>;
    /// Drops the future where it stands.
    fn cancel(&self);
    /// How it ended, or is to end: aborted, pending if nothing is decided yet.
    fn outcome(&self) -> Outcome;
}

/// All that belongs to one executor.
pub(crate) struct Scheduler {
    /// This executor's number in the registry of mailboxes.
    executor: u16,
    mailbox: Arc<Mailbox>,
    /// The number of the root, the first task. Ids, as they are printed, count from it.
    first_number: NonZeroU64,
    /// The first is the root, which is always there.
    tasks: Slab<TaskSlot>,
    /// Slots of the tasks that are to be polled, in the order in which they became runnable. A task
    /// is in it once, or it is `idle`, or it is the one that is being polled.
    runnable: VecDeque<u32>,
    /// The slot of the task that is being polled. When none is, that of the root, who has no id, so
    /// that whoever asks in between is told that there is no task.
    polling: u32,
    pub(crate) timers: Timers,
    reactor: Reactor,
    /// Closures that run on other threads, or wait to, and whose end will wake a task.
    blocking_out: usize,
    panic_on_stall: bool,
    /// For who watches, if anybody does: `watch.rs`.
    pub(super) recorder: Option<Box<Recorder>>,
    /// While this executor runs it is lent to the thread, and the thread's own lies here.
    random: Random,
}

struct TaskSlot {
    /// `None` for the root, whose future is on the stack of `block_on`.
    task: Option<Rc<dyn Task>>,
    /// Whether it waits to be woken: it is neither in the run queue nor being polled.
    idle: bool,
}

/// The root's slot: the first insert of every slab of tasks.
const ROOT: u32 = 0;

/// A task that is to be polled.
pub(super) struct Polled {
    pub(super) name: Name,
    pub(super) is_watched: bool,
    /// `None`: it is the root.
    pub(super) task: Option<Rc<dyn Task>>,
}

/// Where an executor has to look between turns.
pub(super) struct News {
    pub(super) letters_or_timers: bool,
    pub(super) sockets: bool,
}

/// What an executor does that has nothing to poll.
pub(super) enum Rest {
    /// A thread has rung, or a paused clock has been set forward.
    LookAgain,
    /// Sleep until the bell or a socket, or as long as this.
    Sleep(Option<Duration>),
    /// There is no timer, no socket and no closure on another thread, and `panic_on_stall` is set.
    Stalled,
}

/// A scheduler, for its executor, and for the thread while that is running.
pub(super) type Shared = Rc<RefCell<Scheduler>>;

thread_local! {
    /// The scheduler of the executor that runs on this thread. `ManuallyDrop` so that the cell has
    /// no destructor, which makes each look at it cheaper: who enters also leaves.
    static CURRENT: RefCell<Option<ManuallyDrop<Shared>>> = const { RefCell::new(None) };

    /// The task that is being polled on this thread.
    static POLLING: Polling = const {
        Polling { name: Cell::new(None), woken: Cell::new(false), tries_left: Cell::new(0) }
    };
}

/// A task that wakes itself while it is polled only has to leave a note. That is the most frequent
/// of all wakes (`yield_now`, and every combinator that polls on), so it has a cell of its own.
struct Polling {
    name: Cell<Option<Name>>,
    /// Whether it has been woken since the poll began.
    woken: Cell<bool>,
    /// How often it may still try sockets in this poll.
    tries_left: Cell<u8>,
}

/// How often a task may try sockets in one poll.
const TRIES: u8 = 32;

/// Makes `scheduler` the running one, or none. Returns the one that was.
///
/// If it is watched, it hears from here on of what its tasks wait for.
#[inline]
pub(super) fn set_current(scheduler: Option<Shared>) -> Option<Shared> {
    thread::set_runs_executor(scheduler.is_some());
    let is_watched = scheduler.as_ref().is_some_and(|scheduler| scheduler.borrow().is_watched());
    let previous = CURRENT.replace(scheduler.map(ManuallyDrop::new));
    match is_watched {
        false => waits::tell(None),
        true => listen(),
    }
    previous.map(ManuallyDrop::into_inner)
}

/// Calls `f` with the running executor's scheduler. `None` if none runs on this thread.
#[inline]
pub(crate) fn try_current<R>(f: impl FnOnce(&mut Scheduler) -> R) -> Option<R> {
    // If it is not called it is dropped after the borrow, and what it holds: wakers, futures.
    let mut f = Some(f);
    CURRENT.with_borrow(|current| {
        let scheduler = current.as_ref()?;
        f.take().map(|f| f(&mut scheduler.borrow_mut()))
    })
}

/// The running executor is watched: it hears what is said to it, and looks for what it has missed.
#[cold]
fn listen() {
    waits::tell(Some(hear_of_wait));
    try_current(Scheduler::tell_wake_from_elsewhere);
}

/// A future of the running executor waits for something, or does not any more.
fn hear_of_wait(note: Note<'_>) {
    try_current(|scheduler| scheduler.tell_wait(note));
}

/// (2) Wakes a task, wherever its executor is. Any thread may call this, at any time.
///
/// The shortest way is for the task that is being polled: a note. The short way is for a task of
/// the executor that runs on this thread: a look-up and a push, no lock and no atomic operation.
/// All else takes the long way through the mailbox, which is also right when the executor is on
/// this thread but not running, or gone.
#[inline]
pub(crate) fn wake(name: Name) {
    let wakes_itself = POLLING.with(|polling| {
        let wakes_itself = polling.name.get() == Some(name);
        polling.woken.set(polling.woken.get() | wakes_itself);
        wakes_itself
    });
    if !wakes_itself && try_current(|scheduler| scheduler.wake(name)) != Some(true) {
        mailbox::deliver(name.executor(), Letter::Wake(name));
    }
}

/// Whether the task that is being polled may try a socket once more, or shall wait, so that others
/// have their turns. Counts the try.
#[cfg_attr(not(unix), allow(dead_code, reason = "there are no sockets"))]
pub(crate) fn may_try() -> bool {
    POLLING.with(|polling| {
        let left = polling.tries_left.get().checked_sub(1);
        polling.tries_left.set(left.unwrap_or(0));
        left.is_some() || polling.name.get().is_none()
    })
}

impl Scheduler {
    pub(super) fn new(
        clock: Clock,
        panic_on_stall: bool,
        random: Random,
        recorder: Option<Box<Recorder>>,
    ) -> Scheduler {
        let registration = Registration::acquire();
        let mut tasks = Slab::numbered_from(registration.next_number);
        tasks.insert(TaskSlot {
            task: None,
            idle: true,
        });
        Scheduler {
            executor: registration.executor,
            mailbox: registration.mailbox,
            first_number: registration.next_number,
            tasks,
            runnable: VecDeque::new(),
            polling: ROOT,
            timers: Timers::new(registration.executor, registration.next_number, clock),
            reactor: Reactor::new(registration.executor, registration.next_number),
            blocking_out: 0,
            panic_on_stall,
            recorder,
            random,
        }
    }

    /// Gives number and mailbox back. All tasks must have been dropped. Returns the timers that are
    /// left, and who still waits for sockets, for the caller to wake.
    #[inline]
    pub(super) fn end(&mut self) -> (Vec<Fired<Waker>>, Vec<Waker>) {
        let registration = Registration {
            executor: self.executor,
            mailbox: self.mailbox.clone(),
            next_number: self
                .tasks
                .next_number()
                .max(self.timers.next_number())
                .max(self.reactor.next_number()),
        };
        registration.release();
        if self.reactor.is_open() {
            // Before it is closed: who rings late shall find none.
            self.mailbox.forget_bell();
        }
        (self.timers.end(), self.reactor.end())
    }

    // The arrows.

    /// (1) A new task, runnable at once. `None` if there are too many.
    pub(crate) fn spawn(&mut self, task: Rc<dyn Task>, birth: Birth<'_>) -> Option<Spawned> {
        if self.tasks.len() == MAX_TASKS {
            return None;
        }
        let slot = TaskSlot {
            task: Some(task),
            idle: false,
        };
        let key = self.tasks.insert(slot);
        self.runnable.push_back(key.index);
        let id = self.id(key);
        if self.is_watched() {
            self.tell_spawn(id, birth);
        }
        Some(Spawned {
            name: self.name(key),
            id,
        })
    }

    /// (2) The task shall be polled at least once more. A stale name is ignored. `false`: the name
    /// is another executor's.
    fn wake(&mut self, name: Name) -> bool {
        if name.executor() != self.executor {
            return false;
        }
        if let Some((number, slot)) = self.tasks.at_mut(name.index())
            && name.fits(number)
            && (slot.idle || is_broken(Rule::QueuedOnce))
        {
            slot.idle = false;
            self.runnable.push_back(name.index());
        }
        true
    }

    /// (3) The first of the run queue is going to be polled.
    #[inline(always)]
    pub(super) fn begin_poll(&mut self) -> Option<Polled> {
        let index = self.next_runnable()?;
        let (number, slot) = self.tasks.at_mut(index).expect("a queued task has a slot");
        let task = slot.task.clone();
        let key = Key { index, number };
        let name = self.name(key);
        self.polling = index;
        let is_watched = self.is_watched();
        if is_watched {
            self.tell_begin_poll(name);
        }
        POLLING.with(|polling| {
            polling.name.set(Some(name));
            polling.woken.set(false);
            polling.tries_left.set(TRIES);
        });
        Some(Polled {
            name,
            is_watched,
            task,
        })
    }

    /// Takes the next one out of the run queue.
    #[inline(always)]
    fn next_runnable(&mut self) -> Option<u32> {
        let index = match is_broken(Rule::FirstInFirstOut) {
            false => self.runnable.pop_front()?,
            true => self.runnable.pop_back()?,
        };
        // One that was queued twice may be over since its first poll.
        let is_gone = is_broken(Rule::QueuedOnce) && self.tasks.at(index).is_none();
        (!is_gone).then_some(index)
    }

    /// (4) The poll was pending: back into the queue if the task was woken meanwhile, else it
    /// waits.
    #[inline]
    pub(super) fn end_poll(&mut self) {
        let index = std::mem::replace(&mut self.polling, ROOT);
        let woken = POLLING.with(|polling| {
            polling.name.set(None);
            polling.woken.get()
        });
        if woken {
            self.runnable.push_back(index);
        } else {
            self.tasks.at_mut(index).expect("a polled task keeps its slot").1.idle = true;
        }
        if self.is_watched() {
            self.tell_end_poll(self.name_at(index), Outcome::Pending);
        }
    }

    /// (5) The task is over. Returns what the slab held of it, for the caller to drop.
    #[inline]
    pub(super) fn finish(&mut self) -> Option<Rc<dyn Task>> {
        let index = std::mem::replace(&mut self.polling, ROOT);
        POLLING.with(|polling| polling.name.set(None));
        let (number, slot) = self.tasks.at(index).expect("a polled task keeps its slot");
        if self.is_watched() {
            let outcome = slot.task.as_ref().expect("the root does not end here").outcome();
            self.tell_end_poll(self.name_at(index), outcome);
        }
        self.tasks.remove(Key { index, number })?.task
    }

    /// Takes a task out that is not over, for the caller to cancel.
    pub(super) fn take(&mut self, key: Key) -> Option<Rc<dyn Task>> {
        let task = self.tasks.remove(key)?.task;
        if self.is_watched() {
            let is_aborted = |task: &Rc<dyn Task>| task.outcome() == Outcome::Aborted;
            self.tell_drop(self.id(key), task.as_ref().is_some_and(is_aborted));
        }
        task
    }

    /// The root has its turn like any task; a new root is runnable at once.
    #[inline]
    pub(super) fn spawn_root(&mut self, birth: Birth<'_>) {
        self.swap_random();
        let (_, root) = self.tasks.at_mut(ROOT).expect("the root's slot is never empty");
        if root.idle {
            root.idle = false;
            self.runnable.push_back(ROOT);
        }
        if self.is_watched() {
            self.tell_spawn(self.root_id(), birth);
        }
    }

    /// The root is ready, or has panicked. Its slot waits for the next root.
    #[inline]
    pub(super) fn finish_root(&mut self, panicked: bool) {
        self.swap_random();
        if self.is_watched() && !panicked {
            self.tell_root_is_over(false);
        }
        if POLLING.with(|polling| polling.name.take()).is_some() {
            self.polling = ROOT;
            let (_, root) = self.tasks.at_mut(ROOT).expect("the root's slot is never empty");
            root.idle = true;
        }
    }

    // Letters.

    /// Does what other threads have asked for. Returns wakers for the caller to wake.
    pub(super) fn accept_letters(&mut self) -> Vec<Waker> {
        let mut released = Vec::new();
        if self.mailbox.has_rung() {
            for letter in self.mailbox.empty() {
                match letter {
                    Letter::Wake(name) => {
                        if self.is_watched() && name.executor() == self.executor {
                            self.tell_wake(name, Cause::Thread);
                        }
                        self.wake(name);
                    }
                    Letter::Release(key) => {
                        if self.is_watched() {
                            self.tell_drop_timer(TimerName::new(self.executor, key));
                        }
                        released.extend(self.timers.release(key));
                    }
                    Letter::Leave(key) => released.extend(self.reactor.release(key)),
                }
            }
        }
        released
    }

    // Turns and rest.

    /// Where there may be something new.
    #[inline]
    pub(super) fn news(&self) -> News {
        let listens = !is_broken(Rule::LookBetweenTurns) || self.runnable.is_empty();
        News {
            letters_or_timers: listens && (self.mailbox.has_rung() || self.timers.any()),
            sockets: self.reactor.is_open(),
        }
    }

    /// Whether it is time to look at the sockets, before so many polls.
    pub(super) fn must_look_at_sockets(&self, polls: usize) -> bool {
        // A paused clock jumps when there is nothing else to do. First there is a look.
        let jumps = self.runnable.is_empty() && self.timers.clock.is_paused();
        self.reactor.is_due(polls) || jumps && self.reactor.any()
    }

    /// So many polls lie ahead until that is asked again.
    pub(super) fn count_polls(&mut self, polls: usize) {
        self.reactor.count_polls(polls);
    }

    /// A turn begins, under rules that are broken.
    pub(super) fn disturb_turn(&mut self) {
        if is_broken(Rule::OnlyWhoWasWoken) && !self.runnable.is_empty() {
            self.wake_everybody();
        }
        if is_broken(Rule::InOrderOfWakes) {
            rules::shuffle(self.runnable.make_contiguous());
        }
    }

    fn wake_everybody(&mut self) {
        let idle = self.tasks.iter().filter(|(_, slot)| slot.idle);
        let names: Vec<Name> = idle.map(|(key, _)| self.name(key)).collect();
        for name in names {
            if self.is_watched() {
                self.tell_wake(name, Cause::Outside);
            }
            self.wake(name);
        }
    }

    /// How many tasks are runnable: the length of a turn that begins now.
    #[inline]
    pub(super) fn runnable_count(&self) -> usize {
        self.runnable.len()
    }

    /// What to do when nothing is runnable. Sets a paused clock forward.
    pub(super) fn rest(&mut self) -> Rest {
        if self.mailbox.has_rung() {
            return Rest::LookAgain;
        }
        let deadline = self.timers.next_deadline();
        let clock = &self.timers.clock;
        match deadline {
            Some(deadline) if clock.is_paused() && self.blocking_out == 0 => {
                self.set_clock_forward(deadline);
                Rest::LookAgain
            }
            Some(deadline) if !clock.is_paused() => {
                Rest::Sleep(Some(deadline.duration_since(clock.now())))
            }
            None if self.panic_on_stall && self.blocking_out == 0 && !self.reactor.any() => {
                Rest::Stalled
            }
            _ => Rest::Sleep(None),
        }
    }

    /// Sets a paused clock forward. One that runs stays as it is.
    pub(crate) fn set_clock_forward(&mut self, to: Instant) {
        self.timers.clock.set_forward(to);
        if self.is_watched() && self.timers.clock.is_paused() {
            self.tell_clock_set();
        }
    }

    /// Sleeps until another thread rings, a socket is ready, or the time is up; not at all if the
    /// bell has rung already. Returns who waits for what is ready, for the caller to wake.
    pub(super) fn sleep(&mut self, limit: Option<Duration>) -> Vec<Waker> {
        if self.reactor.is_open() {
            let sleep = || self.reactor.look(limit);
            return self.mailbox.sleep_unless_rung(sleep).unwrap_or_default();
        }
        self.mailbox.park(limit);
        Vec::new()
    }

    /// Sockets that are ready are going to wake those who wait for them.
    pub(super) fn begin_wake_by_socket(&mut self) {
        if self.is_watched() {
            self.tell_wake_by_socket();
        }
    }

    /// They have. `room` is where they stood.
    pub(super) fn end_wake_by_socket(&mut self, room: Vec<Waker>) {
        self.reactor.keep_room(room);
        self.forget_cause();
    }

    /// Looks at the sockets. Returns who waits for what is ready, for the caller to wake.
    pub(super) fn look_at_sockets(&mut self) -> Vec<Waker> {
        self.reactor.look(Some(Duration::ZERO))
    }

    /// A closure is going to run on another thread: time does not jump, and nothing has stalled.
    pub(crate) fn begin_blocking(&mut self) {
        self.blocking_out += 1;
    }

    /// It has ended, or nobody waits for it any more.
    pub(crate) fn end_blocking(&mut self) {
        self.blocking_out -= 1;
    }

    /// Lends the generator of random numbers to the thread; the second time, takes it back.
    #[inline]
    pub(super) fn swap_random(&mut self) {
        self.random.swap_with_current();
    }

    // Shutdown.

    /// Whether there is any task but the root.
    pub(super) fn has_tasks(&self) -> bool {
        self.tasks.len() > 1
    }

    /// Every task, in the order in which they were spawned, for [`take`](Scheduler::take).
    pub(super) fn all_tasks(&self) -> Vec<Key> {
        let tasks = self.tasks.iter().filter(|(key, _)| key.index != ROOT);
        let mut keys: Vec<Key> = tasks.map(|(key, _)| key).collect();
        keys.sort_unstable_by_key(|key| key.number);
        keys
    }

    /// All tasks have been taken out. Forgets that they were runnable.
    pub(super) fn clear_run_queue(&mut self) {
        self.runnable.clear();
        let (_, root) = self.tasks.at_mut(ROOT).expect("the root's slot is never empty");
        root.idle = true;
    }

    // Timers, for a `Sleep`: see `timers.rs`.

    /// Ready if the deadline is due, else there is a timer that will wake `waker`.
    #[inline(always)]
    pub(crate) fn poll_timer(
        &mut self,
        deadline: Instant,
        timer: &mut Option<TimerName>,
        waker: Waker,
    ) -> (Poll<()>, Option<Waker>) {
        let before = *timer;
        let answer = self.timers.poll(deadline, timer, waker);
        if self.is_watched() {
            self.tell_poll_timer(before, *timer, deadline, answer.0);
        }
        answer
    }

    /// Gives a timer another deadline. Returns by which name it is known now, and whom to wake.
    pub(crate) fn reset_timer(
        &mut self,
        timer: TimerName,
        deadline: Instant,
    ) -> Result<(Option<TimerName>, Option<Waker>), Elsewhere> {
        match self.is_watched() {
            false => self.timers.reset(timer, deadline),
            true => self.reset_watched_timer(timer, deadline),
        }
    }

    /// Takes the timer of a `Sleep` that is gone off the wheel. Returns its waker, for the caller
    /// to drop.
    #[inline(always)]
    pub(crate) fn drop_timer(&mut self, timer: TimerName) -> Result<Option<Waker>, Elsewhere> {
        if self.is_watched() {
            self.tell_drop_timer(timer);
        }
        self.timers.disarm(timer)
    }

    /// A timer that was due is going to wake somebody.
    #[inline]
    pub(super) fn begin_fire(&mut self, fired: &Fired<Waker>) {
        if self.is_watched() {
            self.tell_fire(fired.number);
        }
    }

    // Sockets, for `net/socket.rs`: see `net/reactor.rs`.

    /// Ready if the socket has been found ready since the entry was made, or if there can be none.
    /// Else there is an entry, which will wake `waker`. Returns the waker that is not needed.
    #[cfg_attr(not(unix), allow(dead_code, reason = "there are no sockets"))]
    pub(crate) fn poll_socket(
        &mut self,
        fd: usize,
        direction: Direction,
        entry: &mut Option<EntryName>,
        waker: Waker,
    ) -> (Poll<io::Result<()>>, Option<Waker>) {
        if !self.reactor.is_open() {
            match self.reactor.open() {
                Ok(bell) => self.mailbox.set_bell(bell),
                Err(error) => return (Poll::Ready(Err(error)), Some(waker)),
            }
        }
        let (poll, unneeded) = self.reactor.poll(fd, direction, entry, waker);
        (poll.map(Ok), unneeded)
    }

    /// Takes an entry off the list. Returns its waker, for the caller to drop.
    #[cfg_attr(not(unix), allow(dead_code, reason = "there are no sockets"))]
    pub(crate) fn leave_socket(
        &mut self,
        entry: EntryName,
    ) -> Result<Option<Waker>, reactor::Elsewhere> {
        self.reactor.leave(entry)
    }

    // Names.

    pub(super) fn executor(&self) -> u16 {
        self.executor
    }

    pub(super) fn root_id(&self) -> Id {
        Id::new(self.executor, 0)
    }

    pub(super) fn root_name(&self) -> Name {
        self.name_at(ROOT)
    }

    fn name_at(&self, index: u32) -> Name {
        let (number, _) = self.tasks.at(index).expect("somebody is there");
        self.name(Key { index, number })
    }

    /// The id of the task with this name, also if it is over.
    pub(super) fn id_of(&self, name: Name) -> Id {
        let index = name.index();
        match self.tasks.at(index).filter(|(number, _)| name.fits(*number)) {
            Some((number, _)) => self.id(Key { index, number }),
            None => {
                let number = name.latest_number(self.tasks.next_number());
                Id::new(self.executor, number.saturating_sub(self.first_number.get()))
            }
        }
    }

    /// What a wake would change now.
    pub(super) fn effect_of_wake(&self, name: Name) -> Effect {
        let slot = self.tasks.at(name.index()).filter(|(number, _)| name.fits(*number));
        let is_polled = || POLLING.with(|polling| polling.name.get() == Some(name));
        let is_woken = || POLLING.with(|polling| polling.woken.get());
        match slot {
            None => Effect::Stale,
            Some((_, slot)) if slot.idle => Effect::Queued,
            Some(_) if is_polled() && !is_woken() => Effect::Noted,
            Some(_) => Effect::Coalesced,
        }
    }

    fn name(&self, key: Key) -> Name {
        Name::new(self.executor, key)
    }

    pub(super) fn id(&self, key: Key) -> Id {
        let first = self.first_number;
        Id::new(self.executor, key.number.get() - first.get())
    }

    /// The task that is being polled, unless it is the root.
    pub(crate) fn polling_id(&self) -> Option<Id> {
        let index = self.polling;
        let (number, _) = self.tasks.at(index).filter(|_| index != ROOT)?;
        Some(self.id(Key { index, number }))
    }
}

/// What a new task is called, by the executor and by people.
pub(crate) struct Spawned {
    pub(crate) name: Name,
    pub(crate) id: Id,
}

/// What is told of a new task to those who watch.
#[derive(Clone, Copy)]
pub(crate) struct Birth<'a> {
    /// Where it was spawned.
    pub(crate) place: &'static Location<'static>,
    /// The name that it was given, for people.
    pub(crate) name: Option<&'a str>,
    /// The size of its future.
    pub(crate) size: usize,
}

#[cfg(test)]
#[path = "scheduler_tests.rs"]
mod tests;
