//! The player: one page that plays a recorded run, forwards and backwards.
//!
//! The page is whole in itself. It is opened from the disk, asks no network for anything, and holds
//! the run as JSON; its script replays the events as [`State`](super::State) does, draws them, and
//! says at each what happened and why. The script is in `src/trace/player/`, made to be read like
//! the rest, and shipped without its comments:
//!
//! ```text
//!   Trace ──► JSON ──► replay.js     the state after each event; there and back
//!                      causes.js     which event brought about which; turns
//!                      lives.js      what each task did from when to when
//!                      history.js    these two in one walk, and marks and values
//!                      words.js      what happened and why, in a sentence
//!                      wheel.js      where each timer is on the wheel
//!                      axes.js       where on the canvas an event is, and a task
//!                      lanes.js      the drawing
//!                      elements.js   how the page is changed
//!                      panels.js     run queue, tasks, timers, lines, marks
//!                      player.js     the cursor
//!                      controls.js   buttons, keys, fingers
//! ```
//!
//! Here the trace becomes JSON. An event is an array: a word, and what there is to know. Most of
//! them happen at the same time as the one before, so a time is only written where it changes, as a
//! bare number of nanoseconds before the first event that has it. Names, places and texts are
//! numbers in a table of strings. The tour begins with:
//!
//! ```text
//!   0, ["spawn",0,null,0,184,"outside"], ["poll",0], ["spawn",1,1,2,88,0], …
//! ```
//!
//! What a user calls a task may be anything. It stands in the page as a JSON string in which
//! nothing is left that could end a `<script>` (`trace/json.rs`), and the script puts it into the
//! page as text, never as HTML.
//!
//! Next: `trace/chrome.rs`; or, to see the replay once more in another language,
//! `src/trace/player/replay.js`.

use super::event::{
    Awaited, Cause, Effect, Event, Outcome, Phase, Place, Record, TaskState, Trace,
};
use super::json;
use super::lint::Lint;
use std::collections::HashMap;
use std::fmt::{self, Display, Write};
use std::time::Duration;

/// The page, with a hole for each of the others: `{{style}}`, `{{trace}}`, `{{script}}`.
const PAGE: &str = include_str!("player/player.html");

const STYLE: &str = include_str!("player/player.css");

const SCRIPTS: [&str; 12] = [
    include_str!("player/replay.js"),
    include_str!("player/causes.js"),
    include_str!("player/lives.js"),
    include_str!("player/history.js"),
    include_str!("player/words.js"),
    include_str!("player/wheel.js"),
    include_str!("player/axes.js"),
    include_str!("player/lanes.js"),
    include_str!("player/elements.js"),
    include_str!("player/panels.js"),
    include_str!("player/player.js"),
    include_str!("player/controls.js"),
];

/// The largest integer up to which JavaScript's numbers are exact.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

impl Trace {
    /// A page that plays the run: a debugger with rewind, to be written to a file and opened in a
    /// browser. It needs nothing but itself.
    ///
    /// The same trace gives the same bytes. A hundred thousand events take some megabytes.
    ///
    /// ```
    /// use handspun::executor::Executor;
    /// use handspun::time::{Duration, sleep};
    ///
    /// let executor = Executor::builder().start_paused(true).record(1_000).build();
    /// executor.block_on(sleep(Duration::from_millis(300)));
    /// let page = executor.into_trace().to_html();
    /// assert!(page.starts_with("<!doctype html>"));
    /// ```
    pub fn to_html(&self) -> String {
        let mut page = String::new();
        let mut pieces = PAGE.split("{{");
        page.push_str(pieces.next().expect("a split gives at least one"));
        for piece in pieces {
            let (hole, text) = piece.split_once("}}").expect("a hole that is opened is closed");
            match hole {
                "style" => push_code(&mut page, STYLE),
                "trace" => Writer::default().write(&mut page, self),
                "script" => SCRIPTS.iter().for_each(|script| push_code(&mut page, script)),
                _ => unreachable!("there is no {hole}"),
            }
            page.push_str(text);
        }
        page
    }
}

/// Without comments and indentation, which are for who reads the source.
fn push_code(page: &mut String, code: &str) {
    let lines = code.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    for line in lines.filter(|line| !line.is_empty()) {
        let (line, _comment) = line.split_once(" // ").unwrap_or((line, ""));
        page.push_str(line);
        page.push('\n');
    }
}

/// Writes a trace as JSON.
#[derive(Default)]
struct Writer {
    /// The events, with commas.
    events: String,
    /// Every string that occurs, and its number in the table.
    strings: HashMap<String, usize>,
    /// The table: the strings in the order of their numbers, with commas.
    table: String,
    /// The time that was written last.
    at: Option<Duration>,
}

impl Writer {
    fn write(mut self, page: &mut String, trace: &Trace) {
        trace.records().iter().for_each(|record| self.record(record));
        let lints: Vec<String> = trace.lints().iter().map(|lint| self.lint(lint)).collect();
        let (paused, dropped, lints) = (trace.is_paused(), trace.dropped(), lints.join(","));
        let origin = OrNull(trace.wheel_origin().map(|origin| origin.as_nanos()));
        let Writer { events, table, .. } = &self;
        write!(
            page,
            "{{\"paused\":{paused},\"dropped\":{dropped},\"origin\":{origin},\n\
             \"strings\":[{table}],\n\
             \"events\":[{events}],\n\"lints\":[{lints}]}}",
        )
        .expect(TAKES_ALL);
    }

    fn record(&mut self, record: &Record) {
        if self.at != Some(record.at) {
            self.at = Some(record.at);
            self.push(&record.at.as_nanos());
        }
        self.event(&record.event);
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Spawned {
                task,
                name,
                place,
                size,
                by,
            } => {
                let (name, place) = (OrNull(self.name(name.as_deref())), self.place(place));
                self.item("spawn", &[task, &name, &place, size, &Doer(*by)]);
            }
            Event::Known { task, state } => {
                let TaskState {
                    name,
                    place,
                    size,
                    by,
                    phase,
                    since,
                    polls,
                    wakers,
                } = &**state;
                let (name, place) = (OrNull(self.name(name.as_deref())), self.place(place));
                let (by, phase, since) = (Doer(*by), Quoted(phase_word(*phase)), since.as_nanos());
                let parts: [&dyn Display; 9] = [
                    task, &name, &place, size, &by, &phase, &since, polls, wakers,
                ];
                self.item("known", &parts);
            }
            Event::PollBegun { task } => self.item("poll", &[task]),
            Event::PollEnded {
                task,
                outcome,
                wakers,
                blocked,
            } => {
                let blocked = OrNull(blocked.map(|blocked| blocked.as_nanos()));
                self.item("end", &[task, &Quoted(outcome_word(*outcome)), wakers, &blocked]);
            }
            Event::Woken { task, by, effect } => {
                self.item("wake", &[task, &Doer(*by), &Quoted(effect_word(*effect))]);
            }
            Event::Forgotten { task, by } => self.item("forgotten", &[task, &Doer(*by)]),
            Event::AbortAsked { task, by } => self.item("abort", &[task, &Doer(*by)]),
            Event::Dropped { task, .. } => self.item("dropped", &[task]),
            Event::TimerMade {
                timer,
                deadline,
                place,
                by,
            } => {
                let place = self.place(place);
                self.item("timer", &[timer, &deadline.as_nanos(), &place, &Doer(*by)]);
            }
            Event::TimerArmed {
                timer,
                deadline,
                wakes,
            } => self.item("arm", &[timer, &deadline.as_nanos(), &OrNull(*wakes)]),
            Event::TimerFired { timer } => self.item("fire", &[timer]),
            Event::TimerDue { timer } => self.item("due", &[timer]),
            Event::TimerReset { timer, deadline } => {
                self.item("reset", &[timer, &deadline.as_nanos()]);
            }
            Event::TimerDropped { timer } => self.item("gone", &[timer]),
            Event::WaitBegun {
                wait,
                task,
                awaited: Awaited::Thing { what, place, line },
            } => {
                let (what, place) = (self.string(what), self.place(place));
                self.item("wait", &[wait, task, &what, &place, line]);
            }
            Event::WaitBegun {
                wait,
                task,
                awaited: Awaited::Task(other),
            } => self.item("join", &[wait, task, other]),
            Event::WaitEnded { wait } => self.item("over", &[wait]),
            Event::Parked { until } => {
                self.item("park", &[&OrNull(until.map(|until| until.as_nanos()))]);
            }
            Event::Unparked => self.item("unpark", &[]),
            Event::ClockSet => self.item("clock", &[]),
            Event::Mark { by, text } => {
                let text = self.string(text);
                self.item("mark", &[&Doer(*by), &text]);
            }
            Event::Value { name, value } => {
                let name = self.string(name);
                // JavaScript would round it: as text it is as it was.
                match value.unsigned_abs() > MAX_SAFE_INTEGER {
                    true => self.item("value", &[&name, &Quoted(&value.to_string())]),
                    false => self.item("value", &[&name, value]),
                }
            }
        }
    }

    fn item(&mut self, word: &str, parts: &[&dyn Display]) {
        let parts: String = parts.iter().map(|part| format!(",{part}")).collect();
        self.push(&format_args!("[\"{word}\"{parts}]"));
    }

    fn push(&mut self, item: &dyn Display) {
        let comma = if self.events.is_empty() { "" } else { ",\n" };
        write!(self.events, "{comma}{item}").expect(TAKES_ALL);
    }

    fn lint(&mut self, lint: &Lint) -> String {
        let (kind, sentence) = (self.string(lint.kind.name()), self.string(lint.sentence()));
        format!("[{kind},{sentence},{},{}]", OrNull(lint.task), lint.at.as_nanos())
    }

    // The table of strings.

    fn name(&mut self, name: Option<&str>) -> Option<usize> {
        name.map(|name| self.string(name))
    }

    fn place(&mut self, place: Place) -> usize {
        self.string(&place.to_string())
    }

    fn string(&mut self, text: &str) -> usize {
        if let Some(number) = self.strings.get(text) {
            return *number;
        }
        let number = self.strings.len();
        if number > 0 {
            self.table.push(',');
        }
        json::string(&mut self.table, text);
        self.strings.insert(text.to_string(), number);
        number
    }
}

/// A word that needs no escapes.
struct Quoted<'a>(&'a str);

struct OrNull<T>(Option<T>);

/// Who did it: the number of a task, or a word.
struct Doer(Cause);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

impl<T: Display> Display for OrNull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("null"),
        }
    }
}

impl Display for Doer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Cause::Task(task) => task.fmt(f),
            Cause::Timer(timer) => write!(f, "[\"timer\",{timer}]"),
            Cause::Drop(task) => write!(f, "[\"drop\",{task}]"),
            Cause::Thread => f.write_str("\"thread\""),
            Cause::Socket => f.write_str("\"socket\""),
            Cause::Outside => f.write_str("\"outside\""),
        }
    }
}

fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Queued => "queued",
        Phase::Polling => "polling",
        Phase::PollingAndWoken => "woken",
        Phase::Idle => "idle",
    }
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pending => "pending",
        Outcome::Ready => "ready",
        Outcome::Panicked => "panicked",
        Outcome::Aborted => "aborted",
    }
}

fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Queued => "queued",
        Effect::Noted => "noted",
        Effect::Coalesced => "coalesced",
        Effect::Stale => "stale",
    }
}

const TAKES_ALL: &str = "a string takes all";
