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

use super::timers::Timers;
use crate::mailbox::{self, Letter, Mailbox, Registration};
use crate::name::{Id, MAX_TASKS, Name};
use crate::random::Random;
use crate::slab::{Key, Slab};
use crate::thread;
use crate::time::clock::Clock;
use crate::time::wheel::Fired;
use crate::waits::{self, Awaited, Waits};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
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
    /// The task that awaits the end of this one, for a report.
    fn joiner(&self) -> Option<Name>;
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
    /// Names that were given to tasks, by the task's number. Few tasks have one.
    task_names: BTreeMap<NonZeroU64, Box<str>>,
    pub(crate) timers: Timers,
    /// Closures that run on other threads, or wait to, and whose end will wake a task.
    blocking_out: usize,
    panic_on_stall: bool,
    /// What the tasks wait for: kept only if a stall is to be reported.
    waits: Waits,
    /// While this executor runs it is lent to the thread, and the thread's own lies here.
    random: Random,
}

struct TaskSlot {
    /// `None` for the root, whose future is on the stack of `block_on`.
    task: Option<Rc<dyn Task>>,
    spawned_at: &'static Location<'static>,
    polls: u32,
    /// Whether it waits to be woken: it is neither in the run queue nor being polled.
    idle: bool,
}

/// The root's slot: the first insert of every slab of tasks.
const ROOT: u32 = 0;

/// A task that is to be polled.
pub(super) struct Polled {
    pub(super) name: Name,
    /// `None`: it is the root.
    pub(super) task: Option<Rc<dyn Task>>,
}

/// What an executor does that has nothing to poll.
pub(super) enum Rest {
    /// A thread has rung, or a paused clock has been set forward.
    LookAgain,
    /// Sleep until the bell, or as long as this.
    Sleep(Option<Duration>),
    /// There is no timer, no closure on another thread, and `panic_on_stall` is set.
    Stalled,
}

/// A scheduler, for its executor, and for the thread while that is running.
pub(super) type Shared = Rc<RefCell<Scheduler>>;

thread_local! {
    /// The scheduler of the executor that runs on this thread. `ManuallyDrop` so that the cell has
    /// no destructor, which makes each look at it cheaper: who enters also leaves.
    static CURRENT: RefCell<Option<ManuallyDrop<Shared>>> = const { RefCell::new(None) };

    /// The task that is being polled on this thread.
    static POLLING: Polling = const { Polling { name: Cell::new(None), woken: Cell::new(false) } };
}

/// A task that wakes itself while it is polled only has to leave a note. That is the most frequent
/// of all wakes (`yield_now`, and every combinator that polls on), so it has a cell of its own.
struct Polling {
    name: Cell<Option<Name>>,
    /// Whether it has been woken since the poll began.
    woken: Cell<bool>,
}

/// Makes `scheduler` the running one, or none. Returns the one that was.
///
/// What its tasks wait for is written down from here on, if somebody may ask.
#[inline]
pub(super) fn set_current(scheduler: Option<Shared>) -> Option<Shared> {
    thread::set_runs_executor(scheduler.is_some());
    waits::keep(scheduler.as_ref().is_some_and(|scheduler| scheduler.borrow().panic_on_stall));
    let previous = CURRENT.replace(scheduler.map(ManuallyDrop::new));
    previous.map(ManuallyDrop::into_inner)
}

/// Calls `f` with the running executor's scheduler. `None` if none runs on this thread.
#[inline]
pub(crate) fn try_current<R>(f: impl FnOnce(&mut Scheduler) -> R) -> Option<R> {
    CURRENT.with_borrow(|current| current.as_ref().map(|scheduler| f(&mut scheduler.borrow_mut())))
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

impl Scheduler {
    pub(super) fn new(clock: Clock, panic_on_stall: bool, random: Random) -> Scheduler {
        let registration = Registration::acquire();
        let mut tasks = Slab::numbered_from(registration.next_number);
        tasks.insert(TaskSlot {
            task: None,
            spawned_at: Location::caller(),
            polls: 0,
            idle: true,
        });
        Scheduler {
            executor: registration.executor,
            mailbox: registration.mailbox,
            first_number: registration.next_number,
            tasks,
            runnable: VecDeque::new(),
            polling: ROOT,
            task_names: BTreeMap::new(),
            timers: Timers::new(registration.executor, registration.next_number, clock),
            blocking_out: 0,
            panic_on_stall,
            waits: Waits::default(),
            random,
        }
    }

    /// Gives number and mailbox back. All tasks must have been dropped. Returns the timers that are
    /// left, for the caller to wake.
    pub(super) fn end(&mut self) -> Vec<Fired<Waker>> {
        let registration = Registration {
            executor: self.executor,
            mailbox: self.mailbox.clone(),
            next_number: self.tasks.next_number().max(self.timers.next_number()),
        };
        registration.release();
        self.timers.end()
    }

    // The arrows.

    /// (1) A new task, runnable at once. `None` if there are too many.
    pub(crate) fn spawn(
        &mut self,
        task: Rc<dyn Task>,
        at: &'static Location<'static>,
    ) -> Option<Spawned> {
        if self.tasks.len() == MAX_TASKS {
            return None;
        }
        let slot = TaskSlot {
            task: Some(task),
            spawned_at: at,
            polls: 0,
            idle: false,
        };
        let key = self.tasks.insert(slot);
        self.runnable.push_back(key.index);
        Some(Spawned {
            name: self.name(key),
            id: self.id(key),
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
            && slot.idle
        {
            slot.idle = false;
            self.runnable.push_back(name.index());
        }
        true
    }

    /// (3) The first of the run queue is going to be polled.
    #[inline]
    pub(super) fn begin_poll(&mut self) -> Option<Polled> {
        let index = self.runnable.pop_front()?;
        let (number, slot) = self.tasks.at_mut(index).expect("a queued task has a slot");
        slot.polls = slot.polls.saturating_add(1);
        let task = slot.task.clone();
        let name = self.name(Key { index, number });
        self.polling = index;
        POLLING.with(|polling| {
            polling.name.set(Some(name));
            polling.woken.set(false);
        });
        Some(Polled { name, task })
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
        if self.panic_on_stall {
            self.read_diary(index);
        }
        if woken {
            self.runnable.push_back(index);
        } else {
            self.tasks.at_mut(index).expect("a polled task keeps its slot").1.idle = true;
        }
    }

    /// (5) The task is over. Returns what the slab held of it, for the caller to drop.
    #[inline]
    pub(super) fn finish(&mut self) -> Option<Rc<dyn Task>> {
        let index = std::mem::replace(&mut self.polling, ROOT);
        POLLING.with(|polling| polling.name.set(None));
        if self.panic_on_stall {
            self.read_diary(index);
        }
        let (number, _) = self.tasks.at(index).expect("a polled task keeps its slot");
        self.take(Key { index, number })
    }

    /// Takes a task out for good, for the caller to cancel or drop.
    pub(super) fn take(&mut self, key: Key) -> Option<Rc<dyn Task>> {
        if !self.task_names.is_empty() {
            self.task_names.remove(&key.number);
        }
        self.tasks.remove(key)?.task
    }

    /// The root has its turn like any task; a new root is runnable at once.
    #[inline]
    pub(super) fn spawn_root(&mut self, spawned_at: &'static Location<'static>) {
        self.swap_random();
        let (_, root) = self.tasks.at_mut(ROOT).expect("the root's slot is never empty");
        root.spawned_at = spawned_at;
        root.polls = 0;
        if root.idle {
            root.idle = false;
            self.runnable.push_back(ROOT);
        }
    }

    /// The root is ready, or has panicked. Its slot waits for the next root.
    #[inline]
    pub(super) fn finish_root(&mut self) {
        self.swap_random();
        if POLLING.with(|polling| polling.name.take()).is_some() {
            self.polling = ROOT;
            let (_, root) = self.tasks.at_mut(ROOT).expect("the root's slot is never empty");
            root.idle = true;
        }
        if self.panic_on_stall {
            self.read_diary(ROOT);
            self.waits.forget(self.first_number);
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
                        self.wake(name);
                    }
                    Letter::Release(key) => released.extend(self.timers.release(key)),
                }
            }
        }
        released
    }

    // Turns and rest.

    /// Whether there may be letters to accept or timers to fire.
    #[inline]
    pub(super) fn has_news(&self) -> bool {
        self.mailbox.has_rung() || self.timers.any()
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
        let clock = &mut self.timers.clock;
        match deadline {
            Some(deadline) if clock.is_paused() && self.blocking_out == 0 => {
                clock.set_forward(deadline);
                Rest::LookAgain
            }
            Some(deadline) if !clock.is_paused() => {
                Rest::Sleep(Some(deadline.duration_since(clock.now())))
            }
            None if self.panic_on_stall && self.blocking_out == 0 => Rest::Stalled,
            _ => Rest::Sleep(None),
        }
    }

    /// The mailbox whose bell ends a sleep.
    pub(super) fn mailbox(&self) -> Arc<Mailbox> {
        self.mailbox.clone()
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

    // Names.

    fn name(&self, key: Key) -> Name {
        Name::new(self.executor, key)
    }

    fn id(&self, key: Key) -> Id {
        let first = self.first_number;
        Id::new(self.executor, key.number.get() - first.get())
    }

    /// Gives a task a name for people, to be used in reports.
    pub(crate) fn set_task_name(&mut self, name: Name, task_name: Box<str>) {
        if let Some((number, _)) = self.tasks.at(name.index()).filter(|at| name.fits(at.0)) {
            self.task_names.insert(number, task_name);
        }
    }

    /// The task that is being polled, unless it is the root.
    pub(crate) fn polling_id(&self) -> Option<Id> {
        let index = self.polling;
        let (number, _) = self.tasks.at(index).filter(|_| index != ROOT)?;
        Some(self.id(Key { index, number }))
    }

    /// Reads what was written in the poll that ends: waits that began or went on in this task, and
    /// waits that are over.
    #[cold]
    fn read_diary(&mut self, index: u32) {
        let (number, _) = self.tasks.at(index).expect("a polled task keeps its slot");
        self.waits.read(number);
    }

    /// Every task that waits, as the stall report tells of it.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let mut waits = self.waits.by_task();
        let mut joined: HashMap<Name, Vec<Id>> = HashMap::new();
        for (key, slot) in self.tasks.iter() {
            if let Some(joiner) = slot.task.as_ref().and_then(|task| task.joiner()) {
                joined.entry(joiner).or_default().push(self.id(key));
            }
        }
        let waiting = self.tasks.iter().map(|(key, slot)| {
            let mut awaits_tasks = joined.remove(&self.name(key)).unwrap_or_default();
            awaits_tasks.sort_unstable();
            Waiting {
                id: self.id(key),
                name: self.task_names.get(&key.number).map(|name| name.to_string()),
                spawned_at: slot.spawned_at,
                polls: slot.polls,
                awaits: waits.remove(&key.number).unwrap_or_default(),
                awaits_tasks,
            }
        });
        let mut waiting: Vec<Waiting> = waiting.collect();
        waiting.sort_unstable_by_key(|waiting| waiting.id);
        waiting
    }
}

/// What a new task is called, by the executor and by people.
pub(crate) struct Spawned {
    pub(crate) name: Name,
    pub(crate) id: Id,
}

/// A task in the stall report.
pub(super) struct Waiting {
    pub(super) id: Id,
    pub(super) name: Option<String>,
    pub(super) spawned_at: &'static Location<'static>,
    pub(super) polls: u32,
    /// What it waits for, and by how many waits.
    pub(super) awaits: BTreeMap<Awaited, usize>,
    pub(super) awaits_tasks: Vec<Id>,
}
