//! The recorder: keeps the last so many events of one executor.
//!
//! It is a ring. When it is full, the oldest event is taken by a [`State`], which sums up all that
//! is not kept: so the memory is bounded, and yet the trace begins with everything that is alive.
//!
//! What an event needs to know beyond its transition is kept here too: who causes it (the task that
//! is being polled, the timer that fires), and what timers, waits and lines are called. They have
//! numbers of their own, counted from 1 in the order in which they appear, so that the same program
//! gives the same trace (promise 9).
//!
//! An executor that nobody watches has none. Next: `executor/watch.rs`, which tells it.

use super::timers::TimerName;
use crate::name::{Id, Name};
use crate::time::clock::{Clock, Instant};
use crate::trace::event::{Awaited, Cause, Event, Record, Trace};
use crate::trace::output::Output;
use crate::trace::state::State;
use crate::waits::{self, Note, Wait};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::num::NonZeroU64;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many events are kept for the report of a stall, if no more are asked for.
pub(super) const FOR_A_REPORT: usize = 1_000;

/// A poll that takes as long as this in real time is told of: nothing else could run meanwhile.
const LONG: Duration = Duration::from_millis(10);

pub(crate) struct Recorder {
    /// When the executor was made. (On a paused clock that is tick 0 of its wheel. On a running one
    /// the first timer says when that is, recorded or not: it decides what is due at once. So it is
    /// asked of the clock when the trace is made.)
    start: Instant,
    capacity: usize,
    records: VecDeque<Record>,
    dropped: u64,
    /// The state before the first of `records`.
    before: State,
    /// Who causes what happens now.
    pub(super) cause: Cause,
    /// Whether there is a root that is not over.
    pub(super) has_root: bool,
    /// The task that is being polled, as long as nobody was told that it has been woken.
    pub(super) unwoken: Option<Name>,
    /// On the real clock: when the poll began that is going on, or was the last.
    poll_began: Instant,
    /// By the number of its entry on the wheel, also when it is off it again: the timer's number,
    /// and which task it wakes.
    timers: HashMap<NonZeroU64, (NonZeroU64, Option<Id>)>,
    /// By the number in its name: the number of a timer that is on no wheel, and whether it is
    /// known to be due.
    unarmed: HashMap<NonZeroU64, (NonZeroU64, bool)>,
    last_timer: u64,
    waits: HashMap<Wait, Waiting>,
    /// The same, by the task and the wait's number.
    waits_of: BTreeMap<(Id, u64), Wait>,
    last_wait: u64,
    /// By the address of what is waited for: the line, and how many stand in it.
    lines: HashMap<usize, (u64, usize)>,
    last_line: u64,
    /// Where the trace goes when the executor ends.
    pub(super) output: Option<Output>,
}

/// A wait that goes on.
struct Waiting {
    number: u64,
    task: Id,
    /// The address of what is waited for.
    line: Option<usize>,
}

impl Recorder {
    pub(super) fn new(clock: &Clock, capacity: usize, output: Option<Output>) -> Recorder {
        Recorder {
            start: clock.now(),
            capacity: capacity.max(1),
            records: VecDeque::new(),
            dropped: 0,
            before: State::default(),
            cause: Cause::Outside,
            has_root: false,
            unwoken: None,
            poll_began: Instant::real_now(),
            timers: HashMap::new(),
            unarmed: HashMap::new(),
            last_timer: 0,
            waits: HashMap::new(),
            waits_of: BTreeMap::new(),
            last_wait: 0,
            lines: HashMap::new(),
            last_line: 0,
            output,
        }
    }

    pub(super) fn record(&mut self, clock: &Clock, event: Event) {
        if self.records.len() == self.capacity
            && let Some(oldest) = self.records.pop_front()
        {
            self.before.take(&oldest);
            self.dropped += 1;
        }
        let at = self.time(clock.now());
        self.records.push_back(Record { at, event });
    }

    /// An instant as the trace counts time.
    pub(super) fn time(&self, instant: Instant) -> Duration {
        instant.duration_since(self.start)
    }

    /// What has been recorded so far.
    pub(super) fn trace(&self, clock: &Clock) -> Trace {
        let mut records = self.before.to_records();
        records.extend(self.records.iter().cloned());
        Trace {
            records,
            dropped: self.dropped,
            paused: clock.is_paused(),
            wheel_origin: clock.tick_0().map(|tick_0| self.time(tick_0)),
        }
    }

    /// How many events have been dropped, and those that are kept.
    #[cfg(test)]
    pub(super) fn ring(&self) -> (u64, &VecDeque<Record>) {
        (self.dropped, &self.records)
    }

    /// The waits that go on, by their numbers, and whose they are.
    #[cfg(test)]
    pub(super) fn going_waits(&self) -> Vec<(u64, Id)> {
        let mut waits: Vec<(u64, Id)> =
            self.waits.values().map(|waiting| (waiting.number, waiting.task)).collect();
        waits.sort_unstable();
        waits
    }

    // Polls.

    pub(super) fn begin_poll(&mut self, task: Id, name: Name) {
        self.cause = Cause::Task(task);
        self.unwoken = Some(name);
        self.poll_began = Instant::real_now();
    }

    /// How long the poll took, if it was long. On a clock that stands it took no time: what a busy
    /// machine does to it would make each trace another one (promise 9).
    pub(super) fn end_poll(&mut self, clock: &Clock) -> Option<Duration> {
        self.cause = Cause::Outside;
        self.unwoken = None;
        if clock.is_paused() {
            return None;
        }
        let took = Instant::real_now().duration_since(self.poll_began);
        (took >= LONG).then_some(took)
    }

    // Timers.

    /// A number for a timer.
    pub(super) fn number_timer(&mut self) -> NonZeroU64 {
        self.last_timer += 1;
        NonZeroU64::new(self.last_timer).expect("it was counted up from zero")
    }

    /// The name by which a timer is known from now on.
    pub(super) fn keep_timer(&mut self, armed: TimerName, number: NonZeroU64, wakes: Option<Id>) {
        self.timers.insert(armed.number(), (number, wakes));
    }

    /// A number for the name of a timer that is on no wheel. It is no other's, also not in an
    /// executor that comes later and has the same number: a `Sleep` may be carried there.
    pub(super) fn keep_unarmed(&mut self, timer: NonZeroU64) -> NonZeroU64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NonZeroU64::new(NEXT.fetch_add(1, Ordering::Relaxed));
        let number = number.expect("2^64 timers take centuries");
        self.unarmed.insert(number, (timer, false));
        number
    }

    /// A timer is due. Which one, if it is on no wheel, and nobody has said so before.
    pub(super) fn find_due(&mut self, timer: TimerName) -> Option<NonZeroU64> {
        let known = self.unarmed.get_mut(&timer.number()).filter(|_| timer.is_unarmed());
        let (number, is_due) = known?;
        (!std::mem::replace(is_due, true)).then_some(*number)
    }

    /// Whose entry on the wheel this is, or was, and which task it wakes.
    pub(super) fn timer(&self, entry: NonZeroU64) -> Option<(NonZeroU64, Option<Id>)> {
        self.timers.get(&entry).copied()
    }

    /// Which timer this is, and which task it wakes. Not known by this name any more.
    pub(super) fn take_timer(&mut self, timer: TimerName) -> Option<(NonZeroU64, Option<Id>)> {
        match timer.is_unarmed() {
            true => self.unarmed.remove(&timer.number()).map(|(number, _)| (number, None)),
            false => self.timers.remove(&timer.number()),
        }
    }

    // Waits.

    /// What a future says that waits, or does not any more.
    pub(super) fn note(&mut self, clock: &Clock, note: Note<'_>) {
        match note {
            Note::Waits(wait, awaited) => self.wait(clock, wait, awaited),
            Note::Over(wait) => self.end_wait(clock, wait),
        }
    }

    fn wait(&mut self, clock: &Clock, wait: Wait, awaited: Option<&waits::Awaited>) {
        // Who polls a future outside of every task is not one who could be told of.
        let Cause::Task(task) = self.cause else {
            return;
        };
        if self.waits.get(&wait).is_some_and(|waiting| waiting.task == task) {
            return;
        }
        // If it has begun in another task, it goes on in this one.
        self.end_wait(clock, wait);
        self.last_wait += 1;
        let number = self.last_wait;
        let line = awaited.map(|awaited| ptr::from_ref(awaited).addr());
        let awaited = match (awaited, line, wait) {
            (Some(thing), Some(address), _) => Awaited::Thing {
                what: thing.what,
                place: thing.made_at,
                line: self.join_line(address),
            },
            (_, _, Wait::ForTask(task)) => Awaited::Task(task),
            (_, _, Wait::Marked(_)) => unreachable!("a marked wait is for a thing"),
        };
        self.waits.insert(wait, Waiting { number, task, line });
        self.waits_of.insert((task, number), wait);
        self.record(
            clock,
            Event::WaitBegun {
                wait: number,
                task,
                awaited,
            },
        );
    }

    fn end_wait(&mut self, clock: &Clock, wait: Wait) {
        if let Some(waiting) = self.waits.remove(&wait) {
            self.waits_of.remove(&(waiting.task, waiting.number));
            waiting.line.into_iter().for_each(|address| self.leave_line(address));
            self.record(
                clock,
                Event::WaitEnded {
                    wait: waiting.number,
                },
            );
        }
    }

    /// The task is over. A future that it has polled and given away may still wait, but not for
    /// this task; and where it is dropped on another thread, that is not told here.
    pub(super) fn end_waits_of(&mut self, clock: &Clock, task: Id) {
        let left = self.waits_of.range((task, 0)..=(task, u64::MAX));
        let left: Vec<Wait> = left.map(|(_, wait)| *wait).collect();
        left.into_iter().for_each(|wait| self.end_wait(clock, wait));
    }

    /// An address says which line it is while anybody stands in it. Then it may be used again, by
    /// something else: so a line is over when the last has left it, and the next has a new number.
    fn join_line(&mut self, address: usize) -> u64 {
        let (line, waiting) = self.lines.entry(address).or_insert_with(|| {
            self.last_line += 1;
            (self.last_line, 0)
        });
        *waiting += 1;
        *line
    }

    fn leave_line(&mut self, address: usize) {
        if let Entry::Occupied(mut line) = self.lines.entry(address) {
            line.get_mut().1 -= 1;
            if line.get().1 == 0 {
                line.remove();
            }
        }
    }
}
