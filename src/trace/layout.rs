//! Where everything stands in a drawing: the layout that the text timeline and the figure share.
//!
//! A timeline with seconds across would be of no use here. On a paused clock whole programs happen
//! at one time, and on a real one a poll takes a microsecond and a wait a second. So the horizontal
//! axis is the *order* in which things happened, one step of it is a [`Column`], and the time is
//! only written above. As there is one thread, this loses nothing: two things never happened at the
//! same time.
//!
//! ```text
//!   column    0   1   2   3   4   5
//!   time      0               0.3      ┌ arrow: in column 4 its timer wakes `db`
//!            ┌───┬───┬───┬───┬─▼─┬───┐
//!   root     │ P │ - │ - │ - │ - │ - │   columns 0, 1, 2, 5: somebody is polled
//!            ├───┼───┼───┼───┼───┼───┤   column 3: a rest, time passes
//!   db       │ q │ P │ - │ - │ q │ P │   column 4: something happens that is no poll
//!            ├───┼───┼───┼───┼───┼───┤
//!   cache    │ q │ q │ P │ - │ - │ - │   q queued   P polled   - waiting
//!            └───┴───┴───┴───┴───┴───┘
//! ```
//!
//! Each task has a [`Lane`], and a lane is a row of [`Span`]s: columns next to each other in which
//! the task does the same thing. They do not overlap. What goes from lane to lane is an [`Arrow`].
//!
//! It is computed once, in a number of steps that grows with the number of events and no faster:
//! what a task waits for is not copied into its spans but numbered.
//!
//! Next: `trace/text.rs`, which draws it with characters.

use super::event::{
    Awaited, Cause, Effect, Event, Outcome, Phase, Place, Record, TaskState, Trace,
};
use super::state::State;
use crate::name::Id;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::discriminant;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// A whole run, laid out.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// The steps of the run, from left to right.
    pub(crate) columns: Vec<Column>,
    /// One for each task, in the order of their ids: the root is the first.
    pub(crate) lanes: Vec<Lane>,
    /// What was done to tasks, in order.
    pub(crate) arrows: Vec<Arrow>,
    /// What tasks waited for, in the order in which it began.
    pub(crate) waits: Vec<Wait>,
    /// What the program said, in order.
    pub(crate) marks: Vec<Mark>,
    /// Whether the clock was paused: then time passes only where it is set forward.
    pub(crate) paused: bool,
}

/// A step of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Column {
    /// When it began.
    pub(crate) at: Duration,
    /// What it is.
    pub(crate) step: Step,
}

/// What a step of a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// A poll of the task in this lane. `None`: of one that the trace does not know.
    Poll(Option<usize>),
    /// Something that happens in no poll: timers fire, other threads wake, tasks are dropped. All
    /// that happens between two polls, without a rest, is in one column.
    Between,
    /// Nothing is runnable: the thread sleeps, or a paused clock is set forward. It lasts until the
    /// time of the next column.
    Rest,
}

/// A task, and what it did.
#[derive(Debug)]
pub(crate) struct Lane {
    /// Which task.
    pub(crate) task: Id,
    /// The name that was given to it.
    pub(crate) name: Option<Arc<str>>,
    /// Where it was spawned.
    pub(crate) place: Place,
    /// From left to right, each not empty. There are gaps only in the lane of the root, between one
    /// `block_on` and the next.
    pub(crate) spans: Vec<Span>,
    /// The columns from which on nobody has a waker of it, until it is polled again, if ever.
    lost: Vec<usize>,
}

/// Columns in which a task does one thing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub(crate) columns: Range<usize>,
    pub(crate) does: Does,
}

/// What a task does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Does {
    /// It stands in the run queue. The first of these columns is the one in which it was spawned or
    /// woken. (If it has woken itself, the one after its poll.)
    Queued,
    /// It is polled, in one column. `None`: the trace ends before the poll does.
    Polled(Option<Outcome>),
    /// It waits to be woken.
    Waiting {
        /// For what: the number of the oldest of its [`waits`](Layout::waits), one for a timer only
        /// if there is nothing else. `None`: the trace does not tell.
        wait: Option<usize>,
        /// For how many things besides.
        others: usize,
    },
    /// It is dropped, in one column.
    Dropped,
}

/// Something that is done to a task.
#[derive(Debug)]
pub(crate) struct Arrow {
    /// In which column.
    pub(crate) column: usize,
    /// When.
    pub(crate) at: Duration,
    /// By whom.
    pub(crate) by: Cause,
    /// By whom, if it was a task or the destructor of one: its lane.
    pub(crate) from: Option<usize>,
    /// By whom, if it was a timer: its number among the [`waits`](Layout::waits).
    pub(crate) timer: Option<usize>,
    /// To whom: the lane. `None`: to one that was over before the trace begins.
    pub(crate) to: Option<usize>,
    /// For what that one waited. Of several things it is the one whose wait ends first in the poll
    /// that follows. (If a branch loses there for another reason, it may be that one's: the trace
    /// does not tell.) If none does, or another wake came meanwhile, it is the one of the span that
    /// ends here, or if a socket does it, the oldest wait for one. `None`: for nothing, or the
    /// trace does not tell.
    pub(crate) awaited: Option<usize>,
    /// What.
    pub(crate) kind: Kind,
}

/// What is done to a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// It is spawned.
    Spawn,
    /// It is woken.
    Wake(Effect),
    /// It is to be aborted. A wake follows.
    Abort,
    /// Its last waker is dropped.
    Forget,
}

/// Something that a task waits for, from the poll that began to.
#[derive(Debug)]
pub(crate) struct Wait {
    /// Who waits. `None`: a timer that wakes no task of this executor.
    pub(crate) lane: Option<usize>,
    /// For what.
    pub(crate) thing: Thing,
    /// Since when.
    pub(crate) since: Duration,
    /// From the column in which it begins to before the one in which it ends. (One that goes on to
    /// the end of the trace ends after the last column.)
    pub(crate) columns: Range<usize>,
}

/// What a task waits for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Thing {
    /// A timer that is armed.
    Timer {
        /// Its number.
        timer: u64,
        /// When it is to be ready.
        deadline: Duration,
        /// Where it was made.
        place: Option<Place>,
        /// Whether it has fired in the end, and was not disarmed.
        fired: bool,
    },
    /// A thing of `sync`, a socket, or the end of a task.
    Other(Awaited),
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Mark {
    /// In which column.
    pub(crate) column: usize,
    /// Whose words they are: the lane. `None`: no task's.
    pub(crate) lane: Option<usize>,
    /// The words.
    pub(crate) text: Arc<str>,
}

impl Thing {
    fn is_timer(&self) -> bool {
        matches!(self, Thing::Timer { .. })
    }
}

impl Layout {
    /// Lays out a run.
    pub(crate) fn new(trace: &Trace) -> Layout {
        let mut builder = Builder::new(trace);
        for record in trace.records() {
            builder.take(record);
        }
        builder.finish()
    }

    /// What to call the lanes, in their order: given names are cut to `width` characters. Tasks
    /// that would be called the same are told apart by their ids.
    pub(crate) fn labels(&self, width: usize) -> Vec<String> {
        let cut = |lane: &Lane, width| match lane.given_name() {
            Some(name) => shortened(&name, width),
            None => lane.full_name(),
        };
        let names: Vec<String> = self.lanes.iter().map(|lane| cut(lane, width)).collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for name in &names {
            *counts.entry(name).or_default() += 1;
        }
        let label = |(lane, name): (&Lane, &String)| {
            if lane.task.is_root() || counts[name.as_str()] == 1 {
                return name.clone();
            }
            let id = format!(" #{}", lane.task);
            cut(lane, width.saturating_sub(id.len()).max(1)) + &id
        };
        self.lanes.iter().zip(&names).map(label).collect()
    }
}

impl Lane {
    /// What to call it: printable, but as long as it is, and another may be called the same.
    pub(crate) fn full_name(&self) -> String {
        match self.given_name() {
            _ if self.task.is_root() => "root".into(),
            Some(name) => name,
            None => format!("task {}", self.task),
        }
    }

    /// The name that was given to it, unless there is nothing to see of it.
    fn given_name(&self) -> Option<String> {
        self.name.as_deref().map(printable).filter(|name| !name.trim().is_empty())
    }

    /// The first column in which it is there.
    pub(crate) fn begin(&self) -> usize {
        self.spans.first().map_or(0, |span| span.columns.start)
    }

    /// The column after the last in which it is there.
    pub(crate) fn end(&self) -> usize {
        self.spans.last().map_or(0, |span| span.columns.end)
    }

    /// What it does in this column. `None`: it is not there yet, or not any more.
    pub(crate) fn at(&self, column: usize) -> Option<&Span> {
        let after = self.spans.partition_point(|span| span.columns.start <= column);
        let span = &self.spans[after.checked_sub(1)?];
        span.columns.contains(&column).then_some(span)
    }

    /// Whether it waits in this column and nobody has a waker of it: it will not be woken.
    pub(crate) fn is_lost(&self, column: usize) -> bool {
        let after = self.lost.partition_point(|lost| *lost <= column);
        let waits = self.at(column).filter(|span| matches!(span.does, Does::Waiting { .. }));
        waits.is_some_and(|span| self.lost[..after].last() >= Some(&span.columns.start))
    }

    /// What it does in these columns, in order.
    pub(crate) fn within(&self, columns: Range<usize>) -> impl Iterator<Item = &Span> {
        let first = self.spans.partition_point(|span| span.columns.end <= columns.start);
        self.spans[first..].iter().take_while(move |span| span.columns.start < columns.end)
    }
}

/// `text` with nothing in it that would move the cursor: a replacement character stands for each
/// control character, for what cannot be seen, and for what changes the direction of writing.
pub(crate) fn printable(text: &str) -> String {
    let replace = |char| if is_harmful(char) { char::REPLACEMENT_CHARACTER } else { char };
    text.chars().map(replace).collect()
}

fn is_harmful(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(char, '\u{fff9}'..='\u{fffb}')
}

/// `text` in lines of at most `width` characters. A word that fits in none stays whole: it is the
/// name of a file, which somebody may want to click.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push('\n');
            used = 0;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines += word;
        used += length;
    }
    lines
}

/// `text` in at most `width` characters; an ellipsis stands for what is missing.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    if text.chars().nth(width).is_none() {
        return text.into();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept.trim_end().to_string() + "…"
}

/// A layout that grows by one record after the other.
struct Builder {
    layout: Layout,
    state: State,
    /// The time of the latest record.
    latest: Duration,
    open: Open,
    /// The lane of each task.
    lanes: HashMap<Id, usize>,
    /// For each lane what it does now, and since which column.
    current: Vec<Option<(Does, usize)>>,
    /// For each lane the numbers of the waits that go on. Those for timers come last.
    waiting: Vec<BTreeSet<(bool, usize)>>,
    /// Where each timer was made.
    made: HashMap<u64, Place>,
    /// The number that the last wait for a timer has among all waits.
    timers: HashMap<u64, usize>,
    /// The same of each other wait that goes on.
    waits: HashMap<u64, usize>,
    /// For each lane the wake that its next poll answers, and how many waits there were by then.
    answered: Vec<Option<(usize, usize)>>,
}

/// Where what happens now belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// To the last column, which is a poll.
    Poll,
    /// To the last column, which is none.
    Between,
    /// To the next column.
    No,
}

impl Builder {
    fn new(trace: &Trace) -> Builder {
        let mut tasks = BTreeMap::new();
        for record in trace.records() {
            let (task, name, place) = match &record.event {
                Event::Spawned {
                    task, name, place, ..
                } => (task, name, place),
                Event::Known { task, state } => (task, &state.name, &state.place),
                _ => continue,
            };
            tasks.entry(*task).or_insert((name, *place));
        }
        let lanes: Vec<Lane> = tasks
            .into_iter()
            .map(|(task, (name, place))| Lane {
                task,
                name: name.clone(),
                place,
                spans: Vec::new(),
                lost: Vec::new(),
            })
            .collect();
        Builder {
            lanes: lanes.iter().enumerate().map(|(lane, row)| (row.task, lane)).collect(),
            current: vec![None; lanes.len()],
            waiting: vec![BTreeSet::new(); lanes.len()],
            answered: vec![None; lanes.len()],
            layout: Layout {
                lanes,
                paused: trace.is_paused(),
                ..Layout::default()
            },
            state: State::default(),
            latest: Duration::ZERO,
            open: Open::No,
            made: HashMap::new(),
            timers: HashMap::new(),
            waits: HashMap::new(),
        }
    }

    fn take(&mut self, record: &Record) {
        let before = self.latest;
        self.latest = before.max(record.at);
        self.state.take(record);
        let at = record.at;
        match &record.event {
            Event::Spawned { task, by, .. } => {
                if task.is_root() {
                    self.close(); // What happened before belongs to the `block_on` before.
                }
                self.arrow(at, *by, *task, Kind::Spawn);
                self.follow(*task);
            }
            Event::Known { task, state } => {
                if matches!(state.phase, Phase::Polling | Phase::PollingAndWoken) {
                    self.begin_poll(at, *task);
                }
                self.follow(*task);
                self.look_for_wakers(*task);
            }
            Event::PollBegun { task } => {
                self.begin_poll(at, *task);
                self.follow(*task);
            }
            Event::PollEnded { task, outcome, .. } => {
                self.open = Open::No;
                self.end_poll(*task, *outcome);
                self.lane(*task).map(|lane| self.answered[lane].take());
                self.follow(*task);
                self.look_for_wakers(*task);
            }
            Event::Woken { task, by, effect } => {
                self.arrow(at, *by, *task, Kind::Wake(*effect));
                self.follow(*task);
            }
            Event::Forgotten { task, by } => {
                self.arrow(at, *by, *task, Kind::Forget);
                self.look_for_wakers(*task);
            }
            Event::AbortAsked { task, by } => self.arrow(at, *by, *task, Kind::Abort),
            Event::Dropped { task, .. } => {
                self.between(at);
                self.drop_task(*task);
            }
            Event::TimerMade { timer, place, .. } => drop(self.made.insert(*timer, place)),
            Event::TimerArmed {
                timer,
                deadline,
                wakes,
            } => {
                let thing = Thing::Timer {
                    timer: *timer,
                    deadline: *deadline,
                    place: self.made.get(timer).copied(),
                    fired: false,
                };
                let lane = wakes.and_then(|task| self.lane(task));
                let wait = self.begin_wait(at, lane, thing);
                self.timers.insert(*timer, wait);
            }
            Event::TimerFired { timer } => {
                self.between(at);
                self.end_timer(*timer, true);
            }
            Event::TimerDue { timer }
            | Event::TimerReset { timer, .. }
            | Event::TimerDropped { timer } => self.end_timer(*timer, false),
            Event::WaitBegun {
                wait,
                task,
                awaited,
            } => {
                let number = self.begin_wait(at, self.lane(*task), Thing::Other(*awaited));
                self.waits.insert(*wait, number);
            }
            Event::WaitEnded { wait } => {
                if let Some(number) = self.waits.remove(wait) {
                    self.answer(number);
                    self.end_wait(number);
                }
            }
            Event::Parked { .. } | Event::ClockSet => self.rest(before),
            Event::Mark { by, text } => {
                let mark = Mark {
                    column: self.between(at),
                    lane: self.lane_of(*by),
                    text: text.clone(),
                };
                self.layout.marks.push(mark);
            }
            Event::Value { .. } | Event::Unparked => {}
        }
    }

    fn finish(mut self) -> Layout {
        if self.state.tasks().len() > 0 && self.state.queue().len() == 0 {
            self.rest(self.latest); // All wait, and that must be seen.
        } else if self.layout.columns.is_empty() && !self.layout.lanes.is_empty() {
            self.between(self.latest); // Nothing happened, but tasks are there.
        }
        self.open = Open::No;
        (0..self.current.len()).for_each(|lane| self.enter(lane, None));
        let end = self.here();
        self.layout.arrows.retain(|arrow| arrow.column < end);
        for wait in &mut self.layout.waits {
            wait.columns.end = wait.columns.end.min(end);
        }
        self.layout
    }

    // Columns.

    /// The column of what happens now. If none is open, it is the next.
    fn here(&self) -> usize {
        let columns = self.layout.columns.len();
        if self.open == Open::No { columns } else { columns - 1 }
    }

    fn begin_poll(&mut self, at: Duration, task: Id) {
        let step = Step::Poll(self.lane(task));
        self.layout.columns.push(Column { at, step });
        self.open = Open::Poll;
    }

    /// Something happens that must be seen. If it is not in a poll, it needs a column.
    fn between(&mut self, at: Duration) -> usize {
        if self.open == Open::No {
            let step = Step::Between;
            self.layout.columns.push(Column { at, step });
            self.open = Open::Between;
        }
        self.here()
    }

    /// What comes now does not belong to what came before, except in a poll.
    fn close(&mut self) {
        if self.open == Open::Between {
            self.open = Open::No;
        }
    }

    /// Time passes. If it is set forward in a poll, that is no rest.
    fn rest(&mut self, at: Duration) {
        self.close();
        let step = Step::Rest;
        let goes_on = self.layout.columns.last().is_some_and(|column| column.step == step);
        if self.open == Open::No && !goes_on {
            self.layout.columns.push(Column { at, step });
        }
    }

    // Lanes.

    fn lane(&self, task: Id) -> Option<usize> {
        self.lanes.get(&task).copied()
    }

    fn lane_of(&self, cause: Cause) -> Option<usize> {
        match cause {
            Cause::Task(task) | Cause::Drop(task) => self.lane(task),
            Cause::Timer(_) | Cause::Thread | Cause::Socket | Cause::Outside => None,
        }
    }

    /// Goes on in the task's lane with what the replay says that it does now.
    fn follow(&mut self, task: Id) {
        let Some(lane) = self.lane(task) else {
            return;
        };
        let does = self.state.task(task).map(|state| match state.phase {
            Phase::Queued => Does::Queued,
            Phase::Polling | Phase::PollingAndWoken => Does::Polled(None),
            Phase::Idle => self.waits(lane),
        });
        self.enter(lane, does);
    }

    fn look_for_wakers(&mut self, task: Id) {
        if let Some(lane) = self.lane(task)
            && self.state.task(task).is_some_and(TaskState::is_lost)
        {
            let here = self.here();
            self.layout.lanes[lane].lost.push(here);
        }
    }

    fn waits(&self, lane: usize) -> Does {
        Does::Waiting {
            wait: self.waiting[lane].first().map(|(_, wait)| *wait),
            others: self.waiting[lane].len().saturating_sub(1),
        }
    }

    fn enter(&mut self, lane: usize, does: Option<Does>) {
        let (here, row) = (self.here(), &mut self.layout.lanes[lane]);
        if let Some((before, since)) = self.current[lane] {
            if does.is_some_and(|does| discriminant(&does) == discriminant(&before)) {
                return;
            }
            if since < here {
                row.spans.push(Span {
                    columns: since..here,
                    does: before,
                });
            }
        }
        self.current[lane] = does.map(|does| (does, here.max(row.end())));
    }

    fn end_poll(&mut self, task: Id, outcome: Outcome) {
        if let Some(lane) = self.lane(task)
            && let Some((Does::Polled(end), _)) = &mut self.current[lane]
        {
            *end = Some(outcome);
        }
    }

    fn drop_task(&mut self, task: Id) {
        if let Some(lane) = self.lane(task)
            && self.current[lane].is_some()
        {
            self.enter(lane, Some(Does::Dropped));
            let here = self.here();
            if let Some((does, since)) = self.current[lane].take()
                && since == here
            {
                let columns = here..here + 1;
                self.layout.lanes[lane].spans.push(Span { columns, does });
            }
        }
    }

    // Arrows and waits.

    fn arrow(&mut self, at: Duration, by: Cause, to: Id, kind: Kind) {
        let timer = match by {
            Cause::Timer(timer) => self.timers.get(&timer).copied(),
            _ => None,
        };
        let column = match kind {
            Kind::Spawn => self.here(),
            _ => self.between(at),
        };
        let to = self.lane(to);
        if let (Some(lane), Kind::Wake(_)) = (to, kind) {
            let counts = (self.layout.arrows.len(), self.layout.waits.len());
            let is_alone = kind == Kind::Wake(Effect::Queued) && !matches!(by, Cause::Timer(_));
            self.answered[lane] = is_alone.then_some(counts);
        }
        let awaited = to.and_then(|lane| match self.current[lane]? {
            (Does::Waiting { wait, .. }, _) if by == Cause::Socket => {
                self.wait_for_a_socket(lane).or(wait)
            }
            (Does::Waiting { wait, .. }, _) => wait,
            _ => None,
        });
        self.layout.arrows.push(Arrow {
            column,
            at,
            by,
            from: self.lane_of(by),
            timer,
            to,
            awaited,
            kind,
        });
    }

    /// A wait ends. If no other has ended in this poll, of those that went on at the wake, the wake
    /// was for this.
    fn answer(&mut self, number: usize) {
        let Some(lane) = self.layout.waits[number].lane else {
            return;
        };
        let is_polled = matches!(self.current[lane], Some((Does::Polled(None), _)));
        if is_polled
            && let Some((wake, waits)) = self.answered[lane]
            && number < waits
        {
            self.answered[lane] = None;
            self.layout.arrows[wake].awaited = Some(number);
        }
    }

    /// The oldest of its waits that a socket can end.
    fn wait_for_a_socket(&self, lane: usize) -> Option<usize> {
        let mut waits = self.waiting[lane].iter().map(|(_, wait)| *wait);
        waits.find(|wait| match self.layout.waits[*wait].thing {
            Thing::Other(awaited) => awaited.is_of_a_socket(),
            Thing::Timer { .. } => false,
        })
    }

    fn begin_wait(&mut self, at: Duration, lane: Option<usize>, thing: Thing) -> usize {
        let number = self.layout.waits.len();
        self.layout.waits.push(Wait {
            lane,
            thing,
            since: at,
            columns: self.here()..usize::MAX,
        });
        if let Some(lane) = lane {
            self.waiting[lane].insert((thing.is_timer(), number));
            // It begins in a poll, or else the trace begins after it has.
            let does = self.waits(lane);
            if let Some((waits @ Does::Waiting { .. }, _)) = &mut self.current[lane] {
                *waits = does;
            }
        }
        number
    }

    fn end_wait(&mut self, number: usize) {
        let here = self.here();
        let wait = &mut self.layout.waits[number];
        wait.columns.end = wait.columns.end.min(here);
        if let Some(lane) = wait.lane {
            self.waiting[lane].remove(&(wait.thing.is_timer(), number));
        }
    }

    fn end_timer(&mut self, timer: u64, fires: bool) {
        let Some(&number) = self.timers.get(&timer) else {
            return;
        };
        if let Thing::Timer { fired, .. } = &mut self.layout.waits[number].thing {
            *fired |= fires;
        }
        self.end_wait(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::Executor;
    use crate::sync::{Notify, oneshot};
    use crate::task::{self, Builder};
    use crate::time::sleep;
    use std::pin::pin;

    const MS: Duration = Duration::from_millis(1);

    fn layout(program: impl Future<Output = ()>) -> Layout {
        let executor = Executor::builder().start_paused(true).record(100_000).build();
        executor.block_on(program);
        Layout::new(&executor.into_trace())
    }

    /// The picture at the top of this file. R: it is polled and ready; D: it is dropped.
    fn pictures(layout: &Layout) -> Vec<String> {
        let letter = |does| match does {
            Does::Queued => 'q',
            Does::Polled(Some(Outcome::Pending)) => 'P',
            Does::Polled(Some(Outcome::Ready)) => 'R',
            Does::Polled(_) => '?',
            Does::Waiting { .. } => '-',
            Does::Dropped => 'D',
        };
        let columns = 0..layout.columns.len();
        let cell = |lane: &Lane, column| lane.at(column).map_or(' ', |span| letter(span.does));
        layout
            .lanes
            .iter()
            .map(|lane| columns.clone().map(|column| cell(lane, column)).collect())
            .collect()
    }

    #[test]
    fn each_task_does_one_thing_in_each_column() {
        let layout = layout(async {
            let db = task::spawn(async { sleep(300 * MS).await });
            task::spawn(async { sleep(700 * MS).await });
            db.await.unwrap();
        });
        let columns: Vec<(u128, Step)> =
            layout.columns.iter().map(|column| (column.at.as_millis(), column.step)).collect();
        let polled = |lane| Step::Poll(Some(lane));
        #[rustfmt::skip]
        assert_eq!(columns, [
            (0, polled(0)), (0, polled(1)), (0, polled(2)), (0, Step::Rest),
            (300, Step::Between), (300, polled(1)), (300, polled(0)), (300, Step::Between),
        ]);
        #[rustfmt::skip]
        assert_eq!(pictures(&layout), [
            "P----qR ",
            "qP--qR  ",
            "qqP----D",
        ]);
    }

    #[test]
    fn a_task_that_wakes_itself_is_queued_from_the_next_column_on() {
        let layout = layout(async {
            task::spawn(async { task::yield_now().await });
            task::yield_now().await;
            task::yield_now().await;
        });
        assert_eq!(pictures(&layout), ["PqPqR", "qPqR "]);
    }

    #[test]
    fn a_wait_names_one_of_the_things_that_are_waited_for_and_a_timer_last() {
        let layout = layout(async {
            let task = task::spawn(async { sleep(MS).await });
            let (slept, joined) = crate::join!(sleep(2 * MS), task);
            joined.unwrap();
            slept
        });
        let waits_for = |column| match layout.lanes[0].at(column).unwrap().does {
            Does::Waiting { wait, others } => (layout.waits[wait.unwrap()].thing, others),
            does => panic!("the root waits, and does not {does:?}"),
        };
        assert_eq!(waits_for(1), (Thing::Other(Awaited::Task(layout.lanes[1].task)), 1));
        let (thing, others) = waits_for(6);
        assert!(matches!(
            thing,
            Thing::Timer { timer: 1, deadline, fired: true, .. } if deadline == 2 * MS
        ));
        assert_eq!(others, 0);
    }

    /// What the wakes of the first task that is spawned are for: the numbers of its waits, in the
    /// order in which they began.
    fn reasons(program: impl Future<Output = ()>) -> Vec<Option<usize>> {
        let layout = layout(program);
        let of_it = |wait: &usize| layout.waits[*wait].lane == Some(1);
        let waits: Vec<usize> = (0..layout.waits.len()).filter(of_it).collect();
        let arrows = layout.arrows.iter().filter(|arrow| arrow.to == Some(1));
        let wakes = arrows.filter(|arrow| matches!(arrow.kind, Kind::Wake(_)));
        wakes.map(|wake| waits.iter().position(|wait| Some(*wait) == wake.awaited)).collect()
    }

    #[test]
    fn of_two_waits_a_wake_names_the_one_that_it_ends() {
        for ended in [0, 1] {
            let reasons = reasons(async move {
                let (first, mut of_first) = oneshot::channel();
                let (second, mut of_second) = oneshot::channel();
                let either = task::spawn(async move {
                    crate::select! { biased; _ = &mut of_first => 1, _ = &mut of_second => 2 }
                });
                task::yield_now().await;
                let mut senders = [Some(first), Some(second)];
                senders[ended].take().unwrap().send(()).unwrap();
                either.await.unwrap();
            });
            assert_eq!(reasons, [Some(ended)]);
        }
    }

    #[test]
    fn a_wait_that_begins_in_a_poll_is_not_what_its_wake_was_for() {
        let reasons = reasons(async {
            let (first, of_first) = oneshot::channel::<()>();
            let (second, mut of_second) = oneshot::channel();
            let task = task::spawn(async move {
                let never = Notify::new();
                // Begun in each poll, and given up in it.
                let fresh = std::future::poll_fn(|cx| pin!(never.notified()).poll(cx));
                crate::select! {
                    biased;
                    () = fresh => {}
                    _ = of_first => {}
                    _ = &mut of_second => {}
                }
            });
            task::yield_now().await;
            second.send(()).unwrap();
            task.await.unwrap();
            drop(first);
        });
        assert_eq!(reasons, [Some(2)]);
    }

    #[test]
    fn of_two_wakes_for_one_poll_none_is_told_what_it_has_ended() {
        let reasons = reasons(async {
            let (first, mut of_first) = oneshot::channel();
            let (second, mut of_second) = oneshot::channel();
            let task = task::spawn(async move {
                // Polled first is who is woken last.
                crate::select! { biased; _ = &mut of_second => {}, _ = &mut of_first => {} }
            });
            task::yield_now().await;
            first.send(()).unwrap();
            second.send(()).unwrap();
            task.await.unwrap();
        });
        // The oldest of its waits: what is said where the trace does not tell.
        assert_eq!(reasons, [Some(0), None]);
    }

    #[test]
    fn who_waits_in_the_end_is_seen_to_wait() {
        let executor = Executor::builder().start_paused(true).record(100_000).build();
        executor.block_on(async {
            task::spawn(std::future::pending::<()>());
            task::spawn(sleep(MS));
            task::yield_now().await;
        });
        let layout = Layout::new(&executor.trace());
        assert_eq!(pictures(&layout), ["PqqR ", "qP---", "qqP--"]);
        assert!(layout.lanes[1].is_lost(4) && layout.lanes[1].is_lost(2));
        assert!(!layout.lanes[1].is_lost(1) && !layout.lanes[2].is_lost(4));
    }

    #[test]
    fn spans_do_not_overlap_whatever_the_trace_says() {
        let task = crate::block_on(async { task::spawn(async {}).id() });
        let spawned = Event::Spawned {
            task,
            name: None,
            place: std::panic::Location::caller(),
            size: 0,
            by: Cause::Outside,
        };
        let dropped = Event::Dropped {
            task,
            aborted: false,
        };
        let begun = Event::PollBegun { task };
        let events = [
            &spawned, &begun, &dropped, &spawned, &dropped, &spawned, &begun, &dropped,
        ];
        let records = events.map(|event| Record {
            at: MS,
            event: event.clone(),
        });
        let layout = Layout::new(&Trace::from_records(records.into()));
        assert!(layout.lanes[0].spans.is_sorted_by(|a, b| a.columns.end <= b.columns.start));
        assert!(layout.lanes[0].spans.iter().all(|span| !span.columns.is_empty()));
    }

    #[test]
    fn what_would_be_called_the_same_is_told_apart() {
        let layout = layout(async {
            for name in [
                "root",
                "same",
                "same",
                "same beginning",
                "same begins",
                "a\u{202e}\n",
                "",
            ] {
                Builder::new().name(name).spawn(async {});
            }
        });
        #[rustfmt::skip]
        assert_eq!(layout.labels(6), [
            "root", "ro… #1", "sa… #2", "sa… #3", "sa… #4", "sa… #5", "a\u{fffd}\u{fffd}", "task 7",
        ]);
    }
}
