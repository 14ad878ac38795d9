//! A strip of the figure: some columns of a run, and where everything stands in them.
//!
//! From above: the times; sockets and code outside of all tasks, if they wake anybody; the lanes;
//! the timers.
//! Left and right are columns, and within a column the arrows stand side by side, in their order.
//! Where an arrow puts a task into the run queue, the task's line ends and its bar begins.
//!
//! Next: `trace/svg.rs`, which puts strips below each other.

use super::shapes::{
    BAR, BOX, Ink, Sign, TITLE, WIDTH, arrow, bar, cut, escaped, letters, line, loop_arrow, path,
    poll_box, rectangle, ring, socket, time, time_width, timer,
};
use crate::name::Id;
use crate::trace::event::{Awaited, Cause, Effect, Outcome};
use crate::trace::layout::{Arrow, Does, Kind, Lane, Layout, Span, Step, Thing, Wait, shortened};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// How much fits: so many lanes, and so many rows of timers.
const MAX_LANES: usize = 12;
const MAX_ROWS: usize = 6;

/// From one lane to the next, and from one row of timers to the next.
const LANE: i32 = 40;
const ROW: i32 = 22;
/// Above the lanes, for the times.
const HEADER: i32 = 30;
/// Between a box and the border of its column.
const PAD: i32 = 3;
/// Between two arrows that stand side by side, if possible.
const MIN_GAP: i32 = 4;
/// Between a time and the edge of the paper.
const EDGE: i32 = 8;
/// Of a label for which there is no room, at least so many letters are shown, or nothing.
const MIN_LABEL: usize = 6;

pub(super) struct Strip<'a> {
    layout: &'a Layout,
    labels: &'a [String],
    pub(super) columns: Range<usize>,
    /// The left borders of the columns, and the right border of the last.
    borders: Vec<i32>,
    /// How high what is outside of all tasks stands, if it does anything.
    outside: Option<i32>,
    /// How high the lanes stand that are shown.
    pub(super) lanes: BTreeMap<usize, i32>,
    pub(super) hidden_lanes: Vec<usize>,
    /// How high the timers stand that are shown, by their numbers among the waits.
    timers: BTreeMap<usize, i32>,
    pub(super) hidden_timers: Vec<usize>,
    /// What is done to the lanes that are shown, and where.
    arrows: Vec<(i32, &'a Arrow)>,
    /// What puts a lane into the run queue, in a column, and where.
    hinges: HashMap<(usize, usize), (i32, &'a Arrow)>,
    /// Where the lanes begin.
    pub(super) top: i32,
    pub(super) bottom: i32,
}

impl<'a> Strip<'a> {
    /// A strip of these columns, with its left upper corner there. A poll is `step` pixels wide.
    pub(super) fn new(
        layout: &'a Layout,
        labels: &'a [String],
        columns: Range<usize>,
        (left, y): (i32, i32),
        step: i32,
    ) -> Strip<'a> {
        let mut borders = vec![left];
        for column in &layout.columns[columns.clone()] {
            let border = borders[borders.len() - 1];
            borders.push(border + step * tenths(column.step) / 10);
        }
        let mut strip = Strip {
            layout,
            labels,
            columns,
            borders,
            outside: None,
            lanes: BTreeMap::new(),
            hidden_lanes: Vec::new(),
            timers: BTreeMap::new(),
            hidden_timers: Vec::new(),
            arrows: Vec::new(),
            hinges: HashMap::new(),
            top: y + HEADER,
            bottom: y + HEADER,
        };
        strip.place_lanes();
        strip.place_timers();
        strip.place_arrows();
        strip
    }

    fn place_lanes(&mut self) {
        let lanes = self.layout.lanes.iter().enumerate();
        let mut there = lanes.filter(|(_, lane)| is_there(lane, &self.columns)).map(|(at, _)| at);
        let shown: Vec<usize> = there.by_ref().take(MAX_LANES).collect();
        self.hidden_lanes = there.collect();
        let is_shown = |arrow: &&Arrow| arrow.to.is_some_and(|lane| shown.contains(&lane));
        if self.arrows_within().filter(is_shown).any(is_from_outside) {
            self.outside = Some(self.bottom + ROW / 2);
            self.bottom += ROW + 4;
        }
        for lane in shown {
            self.lanes.insert(lane, self.bottom + LANE / 2);
            self.bottom += LANE;
        }
    }

    /// Each timer is in the first row that is free where it begins.
    fn place_timers(&mut self) {
        let mut free: Vec<usize> = Vec::new();
        for (number, wait) in self.timers_within() {
            if wait.lane.is_some_and(|lane| !self.lanes.contains_key(&lane)) {
                continue;
            }
            let row = free.iter().position(|end| *end < wait.columns.start).unwrap_or(free.len());
            if row == MAX_ROWS {
                self.hidden_timers.push(number);
                continue;
            }
            free.resize(free.len().max(row + 1), 0);
            free[row] = wait.columns.end;
            self.timers.insert(number, self.bottom + LANE / 2 + ROW * row as i32);
        }
        if !free.is_empty() {
            self.bottom += LANE / 2 + ROW * free.len() as i32 - ROW / 2;
        }
    }

    fn place_arrows(&mut self) {
        let mut columns: BTreeMap<usize, Vec<&Arrow>> = BTreeMap::new();
        for arrow in self.arrows_within() {
            let is_shown = arrow.to.is_some_and(|lane| self.lanes.contains_key(&lane));
            let column = columns.entry(arrow.column).or_default();
            // Who aborts wakes: that is one arrow.
            let is_said = column.last().is_some_and(|before| {
                before.kind == Kind::Abort && before.to == arrow.to && before.by == arrow.by
            });
            if is_shown && !is_said && !is_birth(arrow) {
                column.push(arrow);
            }
        }
        for (column, arrows) in columns {
            let Range { start, end } = self.inside(column);
            let slots = slots(&arrows, (end - start) / MIN_GAP);
            let parts = slots.last().map_or(1, |last| last + 2);
            for (arrow, slot) in arrows.into_iter().zip(slots) {
                let x = start + (end - start) * (slot + 1) / parts;
                self.arrows.push((x, arrow));
                if let (Some(lane), true) = (arrow.to, may_queue(arrow.kind)) {
                    self.hinges.entry((lane, column)).or_insert((x, arrow));
                }
            }
        }
    }

    fn arrows_within(&self) -> impl Iterator<Item = &'a Arrow> + use<'a> {
        let Range { start, end } = self.columns;
        let first = self.layout.arrows.partition_point(|arrow| arrow.column < start);
        self.layout.arrows[first..].iter().take_while(move |arrow| arrow.column < end)
    }

    fn timers_within(&self) -> impl Iterator<Item = (usize, &'a Wait)> + use<'a> {
        let Range { start, end } = self.columns;
        let begun = self.layout.waits.iter().take_while(move |wait| wait.columns.start < end);
        begun.enumerate().filter(move |(_, wait)| {
            let is_timer = matches!(wait.thing, Thing::Timer { .. });
            is_timer && !wait.columns.is_empty() && wait.columns.end >= start
        })
    }

    // Where.

    /// The left border of a column. What is in another strip is beyond the left or the right end.
    fn border(&self, column: usize) -> i32 {
        let column = column.clamp(self.columns.start, self.columns.end);
        self.borders[column - self.columns.start]
    }

    /// Where the box of a column stands.
    pub(super) fn inside(&self, column: usize) -> Range<i32> {
        self.border(column) + PAD..self.border(column + 1) - PAD
    }

    /// Where a lane begins to do what it does from this column on: at the arrow, if one is why.
    fn hinge(&self, lane: usize, column: usize) -> i32 {
        self.hinges.get(&(lane, column)).map_or_else(|| self.border(column), |(x, _)| *x)
    }

    /// What a lane does in this strip, and where.
    fn stretches(&self, lane: usize) -> Vec<(Range<i32>, Does)> {
        let mut stretches = Vec::new();
        let mut was_polled = false;
        for span in self.spans(lane) {
            let (start, end) = (span.columns.start, span.columns.end);
            if was_polled && let Some((x, arrow)) = self.hinges.get(&(lane, start)) {
                // It was woken in the column after its poll: that it waits has no span of its own.
                let waits = Does::Waiting {
                    wait: arrow.awaited,
                    others: 0,
                };
                stretches.push((self.border(start)..*x, waits));
            }
            stretches.push((self.hinge(lane, start)..self.hinge(lane, end), span.does));
            was_polled = matches!(span.does, Does::Polled(_));
        }
        stretches.retain(|(x, _)| !x.is_empty());
        stretches
    }

    /// What a lane does in this strip, beginning with what ends where the strip begins: it may
    /// reach into it, up to an arrow.
    fn spans(&self, lane: usize) -> impl Iterator<Item = &'a Span> + use<'a> {
        let Range { start, end } = self.columns;
        self.layout.lanes[lane].within(start.saturating_sub(1)..end)
    }

    /// From where a timer was armed to the arrow that it caused, or to where it was disarmed.
    fn timer_line(&self, number: usize) -> Range<i32> {
        let Range { start, end } = self.layout.waits[number].columns;
        let place = |column| match self.columns.contains(&column) {
            true => (self.border(column) + self.border(column + 1)) / 2,
            false => self.border(column),
        };
        let wake = self.arrows.iter().find(|(_, arrow)| arrow.timer == Some(number));
        place(start)..wake.map_or(place(end), |(x, _)| *x)
    }

    /// Where an arrow begins that leads to the height `y`.
    fn source(&self, arrow: &Arrow, y: i32) -> i32 {
        let lane = arrow.from.and_then(|lane| self.lanes.get(&lane));
        let timer = arrow.timer.and_then(|timer| self.timers.get(&timer));
        match (lane, timer, self.outside) {
            (Some(lane), ..) if *lane < y => lane + BOX,
            (Some(lane), ..) => lane - BOX,
            (_, Some(timer), _) => timer - 6,
            (_, _, Some(outside)) if is_from_outside(arrow) => outside + 4,
            // It is not shown.
            _ => y + LANE / 2 + 4,
        }
    }

    // The layers, from the bottom up.

    pub(super) fn draw(&self, ink: &mut Ink) {
        self.draw_names(ink);
        self.draw_times(ink);
        self.draw_spans(ink);
        self.draw_timers(ink);
        self.draw_arrows(ink);
        self.draw_polls(ink);
        self.draw_labels(ink);
    }

    fn draw_names(&self, ink: &mut Ink) {
        let x = self.borders[0] - 8;
        for (nth, (&lane, &y)) in self.lanes.iter().enumerate() {
            if nth % 2 == 0 {
                let stripe = rectangle("stripe", 6, y - LANE / 2, WIDTH - 12, LANE, 0);
                ink.add(&stripe);
            }
            let row = &self.layout.lanes[lane];
            let name = shortened(&row.full_name(), TITLE);
            let title = format!("{name}: task {}, spawned at {}", row.task, row.place);
            ink.add(&format!(
                "<text class=\"hs-name\" text-anchor=\"end\" x=\"{x}\" y=\"{}\"><title>{}</title>\
                 {}</text>",
                y + 5,
                escaped(&title),
                escaped(&self.labels[lane]),
            ));
        }
        let timers = self.timers.values().min().copied();
        for (y, text) in [(self.outside, "outside"), (timers, "timers")] {
            if let Some(y) = y {
                let y = y + 5;
                ink.add(&format!("<text text-anchor=\"end\" x=\"{x}\" y=\"{y}\">{text}</text>"));
            }
        }
    }

    /// The time where the strip begins, and where time has passed, if there is room to say it. It
    /// stands to the right of its tick; at the right edge, above it.
    fn draw_times(&self, ink: &mut Ink) {
        let mut free = 0;
        for column in self.columns.clone() {
            let is_later = self.is_later(column);
            if column != self.columns.start && !is_later {
                continue;
            }
            let (tick, y) = (self.border(column), self.top - 10);
            let text = time(self.layout.columns[column].at);
            let x = (tick + 4).min(WIDTH - EDGE - time_width(&text));
            let is_above = x <= tick;
            if is_later {
                let top = if is_above { y + 4 } else { y - 12 };
                ink.add(&path("tick", &format!("M{tick} {top}V{}", self.bottom)));
            }
            if free <= x {
                ink.add_text(x, y, &text);
                free = x + time_width(&text) + 4;
            }
        }
    }

    /// Whether the time of this column is news: it comes after a rest, or somebody has set a paused
    /// clock forward by hand. (A running one goes on in each column.)
    fn is_later(&self, column: usize) -> bool {
        let before = column.checked_sub(1).map(|before| self.layout.columns[before]);
        before.is_some_and(|before| {
            let is_set_forward = self.layout.paused && before.at < self.layout.columns[column].at;
            before.step == Step::Rest || is_set_forward
        })
    }

    fn draw_spans(&self, ink: &mut Ink) {
        for (&lane, &y) in &self.lanes {
            let name = &self.labels[lane];
            for (x, does) in self.stretches(lane) {
                match does {
                    Does::Queued => {
                        let title = format!("{name} is in the run queue");
                        ink.add_sign(Sign::Queued, &title, &bar(x, y));
                    }
                    Does::Waiting { wait, others } => {
                        let title = format!("{name} waits{}", self.for_what(wait, others));
                        ink.add_sign(Sign::Waiting, &title, &line("wait", x, y));
                    }
                    Does::Polled(_) | Does::Dropped => {}
                }
            }
        }
    }

    fn draw_timers(&self, ink: &mut Ink) {
        for (&number, &y) in &self.timers {
            let wait = &self.layout.waits[number];
            let sign = match wait.thing {
                Thing::Timer { fired: true, .. } => Sign::Fired,
                _ if wait.columns.end == self.layout.columns.len() => Sign::Armed,
                _ => Sign::Disarmed,
            };
            let begins = self.columns.contains(&wait.columns.start);
            let end = self.columns.contains(&wait.columns.end).then_some(sign);
            let shape = timer(self.timer_line(number), y, begins, end);
            ink.add_sign(sign, &self.in_full(&wait.thing), &shape);
        }
    }

    fn draw_arrows(&self, ink: &mut Ink) {
        for &(x, done) in &self.arrows {
            let Some(lane) = done.to else { continue };
            let (sign, y) = (sign_of(done), self.lanes[&lane]);
            let from = self.source(done, y);
            let to = if from < y { y - BAR - 1 } else { y + BAR + 1 };
            let shape = match sign {
                Sign::Forget => cut(x, y),
                _ if done.from == done.to => loop_arrow(sign, x, y),
                _ => arrow(sign, x, from, to),
            };
            let title = format!("{}, at {}", self.what_is_done(done, lane), time(done.at));
            ink.add_sign(sign, &title, &shape);
            if let (Some(y), true) = (self.outside, is_from_outside(done)) {
                let (sign, shape) = match done.by {
                    Cause::Socket => (Sign::Socket, socket(x, y)),
                    _ => (Sign::Outside, ring(x, y)),
                };
                ink.add_sign(sign, &done.by.to_string(), &shape);
            }
        }
    }

    fn draw_polls(&self, ink: &mut Ink) {
        for (&lane, &y) in &self.lanes {
            for span in self.spans(lane) {
                let column = span.columns.start;
                if let Some((sign, what)) = poll_sign(span.does)
                    && self.columns.contains(&column)
                {
                    let at = time(self.layout.columns[column].at);
                    let title = format!("{} {what}, at {at}", self.labels[lane]);
                    ink.add_sign(sign, &title, &poll_box(sign, self.inside(column), y));
                }
            }
        }
    }

    /// What is waited for, where there is room to say it.
    fn draw_labels(&self, ink: &mut Ink) {
        for (&lane, &y) in &self.lanes {
            for (x, does) in self.stretches(lane) {
                if let Does::Waiting {
                    wait: Some(wait),
                    others,
                } = does
                {
                    let more = if others == 0 { String::new() } else { format!(" +{others}") };
                    let words = self.in_words(&self.layout.waits[wait].thing);
                    draw_label(ink, x, y - 6, &words.map(|words| words + &more));
                }
            }
        }
        for (&number, &y) in &self.timers {
            if let Thing::Timer { timer, .. } = self.layout.waits[number].thing {
                let words = [format!("timer {timer}"), timer.to_string()];
                draw_label(ink, self.timer_line(number), y - 5, &words);
            }
        }
    }

    // The words.

    /// What is waited for, long and short.
    fn in_words(&self, thing: &Thing) -> [String; 2] {
        match thing {
            Thing::Timer { deadline, .. } => {
                let deadline = time(*deadline);
                [format!("until {deadline}"), deadline]
            }
            Thing::Other(Awaited::Task(task)) => {
                let name = self.name_of(*task);
                [format!("the end of {name}"), name]
            }
            Thing::Other(Awaited::Thing { what, .. }) => {
                // Of `the value of the oneshot channel`, the channel says most.
                let short = what.rsplit_once("the ").map_or(*what, |(_, thing)| thing);
                [what.to_string(), short.replace('`', "")]
            }
        }
    }

    /// What is waited for, and where it was made.
    fn in_full(&self, thing: &Thing) -> String {
        match thing {
            Thing::Timer {
                timer,
                deadline,
                place,
                ..
            } => {
                let made = place.map_or(String::new(), |place| format!(", made at {place}"));
                format!("timer {timer}, until {}{made}", time(*deadline))
            }
            Thing::Other(Awaited::Thing { what, place, .. }) => format!("{what}, made at {place}"),
            Thing::Other(Awaited::Task(task)) => format!("the end of {}", self.name_of(*task)),
        }
    }

    fn for_what(&self, wait: Option<usize>, others: usize) -> String {
        let Some(wait) = wait else {
            return String::new();
        };
        let thing = self.in_full(&self.layout.waits[wait].thing);
        match others {
            0 => format!(" for {thing}"),
            1 => format!(" for {thing}; and for something else"),
            _ => format!(" for {thing}; and for {others} other things"),
        }
    }

    fn name_of(&self, task: Id) -> String {
        let lane = self.layout.lanes.binary_search_by_key(&task, |lane| lane.task);
        lane.map_or_else(|_| format!("task {task}"), |lane| self.labels[lane].clone())
    }

    fn what_is_done(&self, arrow: &Arrow, to: usize) -> String {
        let to = &self.labels[to];
        let by = match (arrow.by, arrow.from) {
            (Cause::Drop(_), Some(lane)) => format!("the destructor of {}", self.labels[lane]),
            (_, Some(lane)) => self.labels[lane].clone(),
            (by, None) => by.to_string(),
        };
        match arrow.kind {
            Kind::Spawn => format!("{by} spawns {to}"),
            Kind::Abort => format!("{by} aborts {to}"),
            Kind::Forget => format!("{by} drops the last waker of {to}: nobody can wake it now"),
            Kind::Wake(Effect::Queued) => format!("{by} wakes {to}"),
            Kind::Wake(Effect::Noted) => format!("{by} wakes {to}, which is polled now, and again"),
            Kind::Wake(Effect::Coalesced) => format!("{by} wakes {to}, which is woken already"),
            Kind::Wake(Effect::Stale) => format!("{by} wakes {to}, which is over"),
        }
    }
}

/// Above a line: the first of these texts that fits, or as much of the last as does.
fn draw_label(ink: &mut Ink, x: Range<i32>, y: i32, texts: &[String; 2]) {
    let room = letters(x.end - x.start - 8);
    let fits = texts.iter().find(|text| text.chars().count() <= room);
    let text = match fits {
        Some(text) => text.clone(),
        None if room >= MIN_LABEL => shortened(&texts[1], room),
        None => return,
    };
    let (x, text) = (x.start + 6, escaped(&text));
    ink.add(&format!("<text class=\"hs-label\" x=\"{x}\" y=\"{y}\">{text}</text>"));
}

/// Where the arrows of one column stand, counted from 0. If they are too many to stand side by
/// side, those next to each other that come from one place and say the same share a line.
fn slots(arrows: &[&Arrow], most: i32) -> Vec<i32> {
    let is_crowded = arrows.len() as i32 > most;
    let source = |arrow: &Arrow| (arrow.kind, arrow.by);
    let mut slot = -1;
    let mut before = None;
    let place = |arrow: &&Arrow| {
        let shares = is_crowded && before.replace(source(arrow)) == Some(source(arrow));
        slot += i32::from(!shares);
        slot
    };
    arrows.iter().map(place).collect()
}

fn sign_of(arrow: &Arrow) -> Sign {
    match arrow.kind {
        Kind::Spawn => Sign::Spawn,
        Kind::Abort => Sign::Abort,
        Kind::Forget => Sign::Forget,
        Kind::Wake(Effect::Coalesced | Effect::Stale) => Sign::WakeInVain,
        Kind::Wake(Effect::Noted) if arrow.from == arrow.to => Sign::WakeOfItself,
        Kind::Wake(Effect::Noted | Effect::Queued) => Sign::Wake,
    }
}

/// The box for what a task does in one column, in signs and in words.
fn poll_sign(does: Does) -> Option<(Sign, &'static str)> {
    Some(match does {
        Does::Polled(Some(Outcome::Pending)) => (Sign::Pending, "is polled: pending"),
        Does::Polled(Some(Outcome::Ready)) => (Sign::Ready, "is polled: ready"),
        Does::Polled(Some(Outcome::Panicked)) => (Sign::Panicked, "is polled, and panics"),
        Does::Polled(Some(Outcome::Aborted)) => (Sign::Dropped, "was aborted, and is dropped"),
        Does::Polled(None) => (Sign::Polled, "is polled, and there the recording ends"),
        Does::Dropped => (Sign::Dropped, "is dropped unfinished"),
        Does::Queued | Does::Waiting { .. } => return None,
    })
}

/// Whether it begins with this that there is a task, and nobody else is there yet who did it.
fn is_birth(arrow: &Arrow) -> bool {
    arrow.kind == Kind::Spawn && arrow.from.is_none()
}

fn is_from_outside(arrow: &Arrow) -> bool {
    matches!(arrow.by, Cause::Thread | Cause::Socket | Cause::Outside) && !is_birth(arrow)
}

/// Whether this can put a task into the run queue that is not there yet, at once.
fn may_queue(kind: Kind) -> bool {
    matches!(kind, Kind::Spawn | Kind::Abort | Kind::Wake(Effect::Queued))
}

/// Whether a task is there in any of these columns.
pub(super) fn is_there(lane: &Lane, columns: &Range<usize>) -> bool {
    lane.begin() < columns.end && lane.end() > columns.start
}

/// The width of a column, in tenths of that of a poll.
pub(super) fn tenths(step: Step) -> i32 {
    match step {
        Step::Poll(_) => 10,
        Step::Between => 6,
        Step::Rest => 4,
    }
}
