//! The Chrome trace: a run for programs that zoom, search and measure as no drawing of ours could.
//!
//! They are Perfetto (<https://ui.perfetto.dev>) and `chrome://tracing`.
//! The format is a JSON object with a list of small events, each with a phase (`ph`), a time in
//! microseconds (`ts`) and a track (`tid`):
//!
//! | in the run | in the picture | `ph` |
//! |---|---|---|
//! | a task; the executor | a track, called by the task's number | `M` |
//! | a poll; the thread sleeps | a slice on the track | `B`, `E` |
//! | a wake that leads to a poll | an arrow, from inside one slice to inside another | `s`, `f` |
//! | a wait; a timer on the wheel | a slice beside the track: it outlives the poll | `b`, `e` |
//! | a spawn, an abort, a drop, a mark, any other wake | an instant on a track | `i` |
//! | a value | a curve | `C` |
//!
//! An arrow must begin and end inside of a slice. Who wakes without being polled (a timer, a
//! socket, another thread) gets a short slice on the executor's track for it.
//!
//! # Time
//!
//! No two events have the same time here, and no slice is without a width. Where the clock runs,
//! times are real, and an event that would come out at the same nanosecond as the one before it is
//! put a nanosecond behind it. On a paused clock nearly everything happens at the same instant:
//! there each event is put a microsecond behind the one before it, or at its own time if that is
//! later. So the order is true, and the widths mean nothing; the true time is in each event's `at`.
//!
//! A track that has the number of its process comes first, so both numbers are the executor's: the
//! one after that of the last task.
//!
//! Left out: the run queue, and what is computed of a run, like lints.
//!
//! Next: `trace/lint.rs`.

use super::event::{Awaited, Cause, Effect, Event, Outcome, Phase, Place, Record, Trace};
use super::json;
use crate::name::Id;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write};
use std::sync::Arc;
use std::time::Duration;

impl Trace {
    /// The run in Chrome's trace event format: a JSON text, to be written into a file and opened
    /// with <https://ui.perfetto.dev> (which keeps it in the browser) or `chrome://tracing`.
    ///
    /// Times are in microseconds. On a [paused](Trace::is_paused) clock they are spread, so that
    /// what happened at the same instant can be told apart: the order is true, the widths are not.
    ///
    /// ```
    /// use handspun::executor::Executor;
    ///
    /// let executor = Executor::builder().start_paused(true).record(1_000).build();
    /// executor.block_on(handspun::task::yield_now());
    /// let json = executor.into_trace().to_chrome_json();
    /// assert!(json.starts_with(r#"{"displayTimeUnit":"ns","traceEvents":["#));
    /// ```
    pub fn to_chrome_json(&self) -> String {
        let mut drawing = Drawing::new(self);
        for (record, leads) in self.records.iter().zip(leads_to_a_poll(&self.records)) {
            drawing.draw(record, leads);
        }
        drawing.close_all();
        drawing.into_json(self)
    }
}

/// On a paused clock, how far apart events are at least. Nanoseconds.
const PAUSED_STEP: u128 = 1_000;

/// Of a long name, so much stands where it is repeated. The name of its track is the whole.
const SHORT: usize = 40;

/// Where an event is drawn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Track {
    Executor,
    Task(Id),
}

struct Drawing {
    /// The events so far, with a comma before each but the first.
    events: String,
    /// Those that have an event.
    tracks: BTreeSet<Track>,
    /// The number of the executor's track, and of the process.
    executor: u64,
    is_paused: bool,
    /// The time of the record that is drawn.
    at: Duration,
    /// The earliest time that the next event can have, in nanoseconds.
    next: u128,
    /// The tasks so far, those that are over too.
    tasks: BTreeMap<Id, Born>,
    /// Whose slice is open.
    polling: Option<Id>,
    is_parked: bool,
    /// The arrows that end in the next poll of these tasks.
    arrows: BTreeMap<Id, u64>,
    arrow_count: u64,
    /// The slices that are open beside the tracks.
    lines: BTreeMap<Line, Beside>,
    line_count: u64,
    /// Where timers were made.
    timers: BTreeMap<u64, Place>,
}

/// What a slice beside the tracks is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    Timer(u64),
    Wait(u64),
}

struct Beside {
    number: u64,
    track: Track,
    name: String,
}

struct Born {
    name: Option<Arc<str>>,
    place: Place,
}

impl Drawing {
    fn new(trace: &Trace) -> Drawing {
        let tasks = trace.records.iter().filter_map(|record| task_of(&record.event));
        let mut drawing = Drawing {
            events: String::new(),
            tracks: BTreeSet::from([Track::Executor]),
            executor: tasks.max().map_or(1, |last| number(last) + 1),
            is_paused: trace.paused,
            at: trace.records.first().map_or(Duration::ZERO, |record| record.at),
            next: 0,
            tasks: BTreeMap::new(),
            polling: None,
            is_parked: false,
            arrows: BTreeMap::new(),
            arrow_count: 0,
            lines: BTreeMap::new(),
            line_count: 0,
            timers: BTreeMap::new(),
        };
        if trace.dropped > 0 {
            let dropped = format!("{} earlier events were dropped", trace.dropped);
            drawing.instant(Track::Executor, &dropped, Args::default());
        }
        drawing
    }

    /// Draws one record. `leads`: it is a wake that leads to a poll.
    fn draw(&mut self, record: &Record, leads: bool) {
        self.at = record.at;
        match &record.event {
            Event::Spawned {
                task,
                name,
                place,
                size,
                by,
            } => {
                self.know(*task, name, place);
                let args = Args::default().text("by", by).text("place", place);
                self.instant(Track::Task(*task), "spawned", args.number("size", *size as u128));
            }
            Event::Known { task, state } => {
                self.know(*task, &state.name, state.place);
                if matches!(state.phase, Phase::Polling | Phase::PollingAndWoken) {
                    self.begin_poll(*task);
                }
            }
            Event::PollBegun { task } => self.begin_poll(*task),
            Event::PollEnded {
                task,
                outcome,
                wakers,
                blocked,
            } if self.polling == Some(*task) => {
                let args = Args::default().text("outcome", ending(*outcome));
                let args = args.number("wakers", *wakers as u128);
                self.end_poll(match blocked {
                    Some(blocked) => args.text("blocked for", format_args!("{blocked:?}")),
                    None => args,
                });
            }
            Event::PollEnded { .. } => {}
            Event::Woken { task, by, effect } => self.wake(*task, *by, *effect, leads),
            Event::Forgotten { task, by } => {
                let args = Args::default().text("by", by);
                self.instant(Track::Task(*task), "last waker dropped", args);
            }
            Event::AbortAsked { task, by } => {
                self.instant(Track::Task(*task), "abort asked", Args::default().text("by", by));
            }
            Event::Dropped { task, .. } => {
                if self.polling == Some(*task) {
                    self.end_poll(Args::default());
                }
                self.instant(Track::Task(*task), "dropped unfinished", Args::default());
            }

            Event::TimerMade { timer, place, .. } => drop(self.timers.insert(*timer, place)),
            Event::TimerArmed {
                timer,
                deadline,
                wakes,
            } => {
                let name = match wakes {
                    Some(task) => format!("{} waits for a timer", self.label(*task)),
                    None => "a timer".to_string(),
                };
                let mut args = Args::default().number("timer", u128::from(*timer));
                args = args.text("deadline", format_args!("{deadline:?}"));
                if let Some(place) = self.timers.get(timer) {
                    args = args.text("place", place);
                }
                let track = wakes.map_or(Track::Executor, Track::Task);
                self.begin_line(Line::Timer(*timer), track, name, args);
            }
            Event::TimerFired { timer } => self.end_line(Line::Timer(*timer), "fired"),
            Event::TimerDue { timer } => self.end_line(Line::Timer(*timer), "due"),
            Event::TimerReset { timer, .. } => self.end_line(Line::Timer(*timer), "reset"),
            Event::TimerDropped { timer } => {
                self.end_line(Line::Timer(*timer), "dropped");
                self.timers.remove(timer);
            }

            Event::WaitBegun {
                wait,
                task,
                awaited,
            } => {
                let (what, args) = match awaited {
                    Awaited::Thing { what, place, line } => {
                        let args = Args::default().text("made at", place);
                        (what.to_string(), args.number("line", u128::from(*line)))
                    }
                    Awaited::Task(other) => {
                        (format!("the end of {}", self.label(*other)), Args::default())
                    }
                };
                let name = format!("{} waits for {what}", self.label(*task));
                self.begin_line(Line::Wait(*wait), Track::Task(*task), name, args);
            }
            Event::WaitEnded { wait } => self.end_line(Line::Wait(*wait), "over"),

            Event::Parked { until } => {
                self.end_park();
                let args = match until {
                    Some(until) => Args::default().text("until", format_args!("{until:?}")),
                    None => Args::default().text("until", "somebody wakes it"),
                };
                self.begin(Track::Executor, "parked", args);
                self.is_parked = true;
            }
            Event::Unparked => self.end_park(),
            Event::ClockSet => {
                let name = format!("the clock is set to {:?}", record.at);
                self.instant(Track::Executor, &name, Args::default());
            }

            Event::Mark { by, text } => {
                self.instant(self.track_of(*by), text, Args::default().text("by", by));
            }
            Event::Value { name, value } => {
                let args = Args::default().number("value", *value);
                self.write("C", "value", name, Track::Executor, "", args);
            }
        }
    }

    /// What the trace leaves open ends with it.
    fn close_all(&mut self) {
        if self.polling.is_some() {
            self.end_poll(Args::default().text("outcome", "the trace ends before"));
        }
        self.end_park();
        for line in self.lines.keys().copied().collect::<Vec<_>>() {
            self.end_line(line, "the trace ends before");
        }
    }

    fn into_json(self, trace: &Trace) -> String {
        let mut out = String::from("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
        let mut separator = "";
        let mut metadata = |track: u64, key: &str, args: Args| {
            out += separator;
            separator = ",";
            let (pid, args) = (self.executor, args.0);
            write!(
                out,
                "\n{{\"ph\":\"M\",\"pid\":{pid},\"tid\":{track},\"name\":\"{key}\",\
                 \"args\":{{{args}}}}}"
            )
            .expect("a string takes all");
        };
        metadata(self.executor, "process_name", Args::default().text("name", "handspun"));
        for (index, track) in self.tracks.iter().enumerate() {
            let name = match track {
                Track::Executor => "executor".to_string(),
                Track::Task(task) => self.name(*task),
            };
            let tid = self.number(*track);
            metadata(tid, "thread_name", Args::default().text("name", name));
            let index = Args::default().number("sort_index", index as u128);
            metadata(tid, "thread_sort_index", index);
        }
        let time = match self.is_paused {
            true => {
                "The clock was paused: events are put a microsecond apart or more, so that what \
                 happened at the same instant can be told apart. The order is true, the widths are \
                 not. The true time is in `at`."
            }
            false => "The clock was running: times are real.",
        };
        let about = Args::default().text("recorder", "handspun").text("time", time);
        let about = about.number("dropped events", u128::from(trace.dropped));
        write!(out, "{}\n],\"otherData\":{{{}}}}}\n", self.events, about.0)
            .expect("a string takes all");
        out
    }

    // Polls and wakes.

    fn begin_poll(&mut self, task: Id) {
        if self.polling.is_some() {
            self.end_poll(Args::default());
        }
        let place = self.tasks.get(&task).map(|born| born.place);
        let args = match place {
            Some(place) => Args::default().text("place", place),
            None => Args::default(),
        };
        self.begin(Track::Task(task), "poll", args);
        self.polling = Some(task);
        if let Some(arrow) = self.arrows.remove(&task) {
            self.arrow("f", Track::Task(task), arrow, ",\"bp\":\"e\"");
        }
    }

    fn end_poll(&mut self, args: Args) {
        if let Some(task) = self.polling.take() {
            self.end(Track::Task(task), "poll", args);
        }
    }

    fn wake(&mut self, task: Id, by: Cause, effect: Effect, leads: bool) {
        let woken = self.label(task);
        let args = Args::default().text("effect", change(effect));
        let track = self.track_of(by);
        if track != Track::Executor {
            match leads {
                true => self.begin_arrow(track, task),
                false => self.instant(track, &format!("wakes {woken}"), args),
            }
            return;
        }
        let name = format!("{by} wakes {woken}");
        self.begin(track, &name, args);
        if leads {
            self.begin_arrow(track, task);
        }
        self.end(track, &name, Args::default());
    }

    fn begin_arrow(&mut self, track: Track, to: Id) {
        self.arrow_count += 1;
        self.arrow("s", track, self.arrow_count, "");
        self.arrows.insert(to, self.arrow_count);
    }

    fn arrow(&mut self, phase: &str, track: Track, number: u64, more: &str) {
        let more = id(number) + more;
        self.write(phase, "wake", "wake", track, &more, Args::default());
    }

    fn end_park(&mut self) {
        if std::mem::take(&mut self.is_parked) {
            self.end(Track::Executor, "parked", Args::default());
        }
    }

    // Beside the tracks.

    fn begin_line(&mut self, line: Line, track: Track, name: String, args: Args) {
        self.end_line(line, "begun anew");
        self.line_count += 1;
        let number = self.line_count;
        let args = self.timed(args);
        self.write("b", line.category(), &name, track, &id(number), args);
        let beside = Beside {
            number,
            track,
            name,
        };
        self.lines.insert(line, beside);
    }

    fn end_line(&mut self, line: Line, how: &str) {
        if let Some(beside) = self.lines.remove(&line) {
            let (id, args) = (id(beside.number), Args::default().text("end", how));
            self.write("e", line.category(), &beside.name, beside.track, &id, args);
        }
    }

    // Names.

    fn know(&mut self, task: Id, name: &Option<Arc<str>>, place: Place) {
        let name = name.clone();
        self.tasks.insert(task, Born { name, place });
    }

    fn name(&self, task: Id) -> String {
        match self.tasks.get(&task).and_then(|born| born.name.as_ref()) {
            _ if task.is_root() => "root".to_string(),
            Some(name) => name.to_string(),
            None => format!("task {task}"),
        }
    }

    /// A name for the middle of a sentence, and not a long one.
    fn label(&self, task: Id) -> String {
        match self.tasks.get(&task).and_then(|born| born.name.as_ref()) {
            Some(name) if !task.is_root() => {
                let mut short: String = name.chars().take(SHORT).collect();
                if short.len() < name.len() {
                    short.push('…');
                }
                format!("{short} ({task})")
            }
            _ => self.name(task),
        }
    }

    /// The track of who does something: the task's if it is being polled.
    fn track_of(&self, cause: Cause) -> Track {
        match cause {
            Cause::Task(task) if self.polling == Some(task) => Track::Task(task),
            _ => Track::Executor,
        }
    }

    fn number(&self, track: Track) -> u64 {
        match track {
            Track::Executor => self.executor,
            Track::Task(task) => number(task),
        }
    }

    // Events.

    fn begin(&mut self, track: Track, name: &str, args: Args) {
        let args = self.timed(args);
        self.write("B", track.category(), name, track, "", args);
    }

    /// The viewer adds these arguments to those of the beginning.
    fn end(&mut self, track: Track, name: &str, args: Args) {
        self.write("E", track.category(), name, track, "", args);
    }

    fn instant(&mut self, track: Track, name: &str, args: Args) {
        let args = self.timed(args);
        self.write("i", track.category(), name, track, ",\"s\":\"t\"", args);
    }

    fn timed(&self, args: Args) -> Args {
        match self.is_paused {
            true => args.text("at", format_args!("{:?}", self.at)),
            false => args,
        }
    }

    fn write(
        &mut self,
        phase: &str,
        category: &str,
        name: &str,
        track: Track,
        more: &str,
        args: Args,
    ) {
        let time = self.at.as_nanos().max(self.next);
        self.next = time + if self.is_paused { PAUSED_STEP } else { 1 };
        let (micros, nanos) = (time / 1_000, time % 1_000);
        let (pid, tid) = (self.executor, self.number(track));
        self.tracks.insert(track);
        let out = &mut self.events;
        write!(
            out,
            ",\n{{\"ph\":\"{phase}\",\"ts\":{micros}.{nanos:03},\"pid\":{pid},\"tid\":{tid},\
             \"cat\":\"{category}\",\"name\":"
        )
        .expect("a string takes all");
        json::string(out, name);
        write!(out, "{more},\"args\":{{{}}}}}", args.0).expect("a string takes all");
    }
}

impl Track {
    fn category(self) -> &'static str {
        match self {
            Track::Executor => "executor",
            Track::Task(_) => "task",
        }
    }
}

impl Line {
    fn category(self) -> &'static str {
        match self {
            Line::Timer(_) => "timer",
            Line::Wait(_) => "wait",
        }
    }
}

/// What stands between the braces of a JSON object.
#[derive(Default)]
struct Args(String);

impl Args {
    fn key(&mut self, key: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        json::string(&mut self.0, key);
        self.0.push(':');
    }

    fn text(mut self, key: &str, text: impl Display) -> Args {
        self.key(key);
        json::string(&mut self.0, &text.to_string());
        self
    }

    fn number(mut self, key: &str, number: impl Display) -> Args {
        self.key(key);
        self.0 += &number.to_string();
        self
    }
}

/// For each record, whether it is a wake that leads to a poll: the last but one can tell.
fn leads_to_a_poll(records: &[Record]) -> Vec<bool> {
    let mut polled = BTreeSet::new();
    let mut leads = vec![false; records.len()];
    for (record, leads) in records.iter().zip(&mut leads).rev() {
        match &record.event {
            Event::PollBegun { task } => drop(polled.insert(*task)),
            Event::Woken {
                task,
                effect: Effect::Queued | Effect::Noted,
                ..
            } => *leads = polled.remove(task),
            Event::Spawned { task, .. } | Event::Dropped { task, .. } => drop(polled.remove(task)),
            _ => {}
        }
    }
    leads
}

/// The task on whose track an event may be drawn, if it may be on one. (A timer or a wait of a task
/// that is over may be all that a trace tells of it.)
fn task_of(event: &Event) -> Option<Id> {
    match event {
        Event::Spawned { task, .. }
        | Event::Known { task, .. }
        | Event::PollBegun { task }
        | Event::PollEnded { task, .. }
        | Event::Woken { task, .. }
        | Event::Forgotten { task, .. }
        | Event::AbortAsked { task, .. }
        | Event::Dropped { task, .. }
        | Event::WaitBegun { task, .. } => Some(*task),
        Event::TimerArmed { wakes, .. } => *wakes,
        _ => None,
    }
}

/// The field by which events of one arrow, or one slice beside the tracks, are known.
fn id(number: u64) -> String {
    format!(",\"id\":\"{number:#x}\"")
}

fn number(task: Id) -> u64 {
    task.to_string().parse().expect("an id is printed as its number")
}

fn ending(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pending => "pending",
        Outcome::Ready => "ready",
        Outcome::Panicked => "panicked",
        Outcome::Aborted => "aborted",
    }
}

fn change(effect: Effect) -> &'static str {
    match effect {
        Effect::Queued => "it joins the run queue",
        Effect::Noted => "it joins the run queue when its poll ends",
        Effect::Coalesced => "none: it is to be polled anyway",
        Effect::Stale => "none: it is over",
    }
}
