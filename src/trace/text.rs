//! The text timeline: a run drawn with characters, for a terminal, a log, a book.
//!
//! ```text
//!  4 tasks, 9 polls, 5 wakes, 1.000 s on a paused clock
//!
//!  seconds  0.000  0.200  0.300  1.000
//!  root     █─────────────────────▲◆
//!  db       +█────────────T◆
//!  cache    +·█────T◆
//!  server   +··█───────────▼█────T◆
//!
//!  █ polled   ◆ polled, and ready   ─ waits   · in the run queue   + spawned
//!  T woken by a timer   ▲▼ woken by the task that is polled in the same column
//! ```
//!
//! (And `S`: by a socket, `@`: by another thread, `w`: by code outside of every poll.)
//!
//! A row for each task, a cell for each column of the layout: `trace/layout.rs` says what a column
//! is. A column is only drawn wider where two times above it would collide. What does not fit the
//! width goes on in a further *band* with times of its own. Of a long run the first bands are drawn
//! and the last ones, of many tasks those that do something in the band. So no drawing is longer
//! than someone would read, and each says what it has left out.
//!
//! Below it stands in sentences who woke whom (`trace/text/story.rs`).
//!
//! Left out: how long a poll took, and the curves of [`value`](super::value).
//!
//! Next: `trace/svg.rs`, the same as a figure.

mod story;

use super::event::{Cause, Effect, Outcome, Trace};
use super::layout::{Arrow, Column, Does, Kind, Layout, Step, printable, shortened};
use crate::name::Id;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::iter::repeat;
use std::mem::take;
use std::ops::Range;
use std::time::Duration;

/// A drawing of a run in text. [`Trace::text`] makes it, and it is written like any other text:
/// `println!("{}", trace.text())`.
///
/// ```
/// use handspun::executor::Executor;
/// use handspun::time::{Duration, sleep};
///
/// let executor = Executor::builder().start_paused(true).record(1_000).build();
/// executor.block_on(async {
///     let task = handspun::spawn(sleep(Duration::from_millis(300)));
///     task.await.unwrap();
/// });
/// let text = executor.into_trace().text().width(60).to_string();
/// assert!(text.contains("
///  seconds  0.000  0.300
///  root     █───────▲◆
///  task 1   +█─────T◆
/// "));
/// ```
#[derive(Clone, Debug)]
pub struct Text<'a> {
    trace: &'a Trace,
    width: usize,
    color: bool,
}

impl Trace {
    /// Draws the run in text, 80 columns wide.
    pub fn text(&self) -> Text<'_> {
        Text {
            trace: self,
            width: 80,
            color: false,
        }
    }
}

impl Text<'_> {
    /// At most so many columns wide, 40 or more: what is less is taken for 40. (Characters are
    /// counted. One that a terminal draws two columns wide, in the name of a task, moves what comes
    /// after it.)
    pub fn width(mut self, columns: usize) -> Self {
        self.width = columns.max(NARROWEST);
        self
    }

    /// With colors, for a terminal that understands the escape sequences of ANSI. Whether this is
    /// one is for the caller to know: unless it is asked for, there are none.
    pub fn color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }
}

const NARROWEST: usize = 40;

/// How many lines of bands are drawn; when there are more, half of them from the beginning and half
/// of them from the end.
const LINES: usize = 80;
/// How many tasks are drawn in a band. When there are more, it is only the first of those that do
/// something, and not that many: nobody reads the drawing of a crowd for the single task.
const ROWS: usize = 32;
const FEWER_ROWS: usize = 16;
/// How many lines the marks of a band may take.
const MARK_ROWS: usize = 8;
/// How many sentences are told.
const SENTENCES: usize = 30;

/// What stands in a cell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Glyph {
    Polled,
    Ready,
    Panicked,
    Dropped,
    Waits,
    WaitsInVain,
    Queued,
    Spawned,
    WokenByTimer,
    WokenBySocket,
    WokenFromAbove,
    WokenFromBelow,
    WokenByThread,
    WokenByOther,
}

impl Glyph {
    fn char(self) -> char {
        match self {
            Glyph::Polled => '█',
            Glyph::Ready => '◆',
            Glyph::Panicked => '✗',
            Glyph::Dropped => '○',
            Glyph::Waits => '─',
            Glyph::WaitsInVain => '╌',
            Glyph::Queued => '·',
            Glyph::Spawned => '+',
            Glyph::WokenByTimer => 'T',
            Glyph::WokenBySocket => 'S',
            Glyph::WokenFromAbove => '▼',
            Glyph::WokenFromBelow => '▲',
            Glyph::WokenByThread => '@',
            Glyph::WokenByOther => 'w',
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Glyph::Polled => "polled",
            Glyph::Ready => "polled, and ready",
            Glyph::Panicked => "panicked",
            Glyph::Dropped => "dropped unfinished",
            Glyph::Waits => "waits",
            Glyph::WaitsInVain => "waits, and nobody has its waker",
            Glyph::Queued => "in the run queue",
            Glyph::Spawned => "spawned",
            Glyph::WokenByTimer => "woken by a timer",
            Glyph::WokenBySocket => "woken by a socket",
            Glyph::WokenFromAbove | Glyph::WokenFromBelow => {
                "woken by the task that is polled in the same column"
            }
            Glyph::WokenByThread => "woken by another thread",
            Glyph::WokenByOther => "woken by code outside of every poll",
        }
    }

    /// The number that ANSI gives to its color.
    fn color(self) -> &'static str {
        match self {
            Glyph::Polled => "1",
            Glyph::Ready => "1;32",
            Glyph::Panicked => "1;31",
            Glyph::Dropped | Glyph::WaitsInVain => "33",
            Glyph::Waits => "2",
            Glyph::Queued | Glyph::Spawned => "36",
            _ => "1;35",
        }
    }
}

/// A character, and its color by ANSI's number, if it has one.
type Ink = (char, &'static str);

const BOLD: &str = "1";
const DIM: &str = "2";

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layout = Layout::new(self.trace);
        let mut sheet = Sheet::new(self.trace, &layout, self.width);
        match self.trace.dropped() {
            0 => {}
            1 => sheet.write("1 earlier event was dropped."),
            n => sheet.write(&format!("{n} earlier events were dropped.")),
        }
        sheet.write(&summary(self.trace, &layout));
        if !layout.columns.is_empty() {
            let columns: Vec<usize> = (0..layout.columns.len()).collect();
            sheet.draw(&columns);
            sheet.write("");
            sheet.explain();
            sheet.write("A column is a step of the run. The time is written where it changes.");
            sheet.tell();
        }
        f.write_str(&sheet.print(self.color))
    }
}

/// Draws the end of a run, for the report of a stall: the rows of these tasks, and of the columns
/// in which something happens to them the last that fit in `width`. No line of it is empty.
pub(crate) fn end_of(trace: &Trace, tasks: &[Id], width: usize) -> String {
    let layout = Layout::new(trace);
    let mut sheet = Sheet::new(trace, &layout, width.max(NARROWEST));
    let lanes = layout.lanes.iter().enumerate().filter(|(_, lane)| tasks.contains(&lane.task));
    let lanes: Vec<usize> = lanes.map(|(number, _)| number).collect();
    sheet.draw_end(&lanes);
    sheet.print(false)
}

fn summary(trace: &Trace, layout: &Layout) -> String {
    if layout.columns.is_empty() {
        return "The trace is empty: nothing was polled.".into();
    }
    let is_wake = |arrow: &&Arrow| matches!(arrow.kind, Kind::Wake(Effect::Queued | Effect::Noted));
    format!(
        "{}, {}, {}, {} s{}",
        counted(layout.lanes.len(), "task"),
        counted(polls(layout, 0..layout.columns.len()), "poll"),
        counted(layout.arrows.iter().filter(is_wake).count(), "wake"),
        Times::of(trace, layout).print(trace.end()),
        if trace.is_paused() { " on a paused clock" } else { "" },
    )
}

fn polls(layout: &Layout, columns: Range<usize>) -> usize {
    let is_poll = |column: &&Column| matches!(column.step, Step::Poll(_));
    layout.columns[columns].iter().filter(is_poll).count()
}

/// Those of `items`, which are in the order of their columns, that are in one of these.
fn within<'a, T>(items: &'a [T], column: impl Fn(&T) -> usize, columns: &Range<usize>) -> &'a [T] {
    let from = items.partition_point(|item| column(item) < columns.start);
    let to = items.partition_point(|item| column(item) < columns.end);
    &items[from..to]
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// How times are printed: all in the same way, as exactly as this run needs it.
struct Times {
    in_ms: bool,
    paused: bool,
}

impl Times {
    fn of(trace: &Trace, layout: &Layout) -> Times {
        let paused = trace.is_paused();
        let is_whole = |column: &Column| column.at.subsec_micros().is_multiple_of(1_000);
        let is_long = !paused && trace.end() >= Duration::from_millis(100);
        let in_ms = is_long || layout.columns.iter().all(is_whole);
        Times { in_ms, paused }
    }

    fn print(&self, time: Duration) -> String {
        match self.in_ms {
            true => format!("{}.{:03}", time.as_secs(), time.subsec_millis()),
            false => format!("{}.{:06}", time.as_secs(), time.subsec_micros()),
        }
    }
}

/// The sheet of paper, and what is drawn on it.
struct Sheet<'a> {
    layout: &'a Layout,
    times: Times,
    labels: Vec<String>,
    width: usize,
    label_width: usize,
    lines: Vec<Vec<Ink>>,
    /// What must be explained.
    used: BTreeSet<Glyph>,
}

/// Columns that stand side by side.
struct Band {
    cells: Vec<Cell>,
    /// The times above them.
    times: Vec<(usize, String)>,
}

/// A column in a band.
#[derive(Clone, Copy)]
struct Cell {
    column: usize,
    x: usize,
    width: usize,
}

impl<'a> Sheet<'a> {
    fn new(trace: &Trace, layout: &'a Layout, width: usize) -> Sheet<'a> {
        let labels = layout.labels((width / 5).clamp(8, 24));
        let longest = labels.iter().map(|label| label.chars().count()).max();
        Sheet {
            layout,
            times: Times::of(trace, layout),
            width,
            label_width: longest.unwrap_or(0).max("seconds".len()),
            labels,
            lines: Vec::new(),
            used: BTreeSet::new(),
        }
    }

    /// How many cells there are beside the labels.
    fn room(&self) -> usize {
        self.width - self.label_width - 3
    }

    // Bands.

    /// Draws these columns, in as many bands as they need, or as many as someone would read.
    fn draw(&mut self, columns: &[usize]) {
        let bands = self.bands(columns);
        let (mut begin, mut end) = (0, bands.len());
        let mut first = Vec::new();
        let mut last: Vec<Vec<Vec<Ink>>> = Vec::new();
        let mut lines = 0;
        while begin < end && (begin == 0 || lines < LINES / 2) {
            let drawn = self.draw_band(&bands[begin]);
            lines += drawn.len();
            first.extend(drawn);
            begin += 1;
        }
        lines = 0;
        while begin < end && (last.is_empty() || lines < LINES / 2) {
            end -= 1;
            last.push(self.draw_band(&bands[end]));
            lines += last.last().map_or(0, Vec::len);
        }
        self.lines.append(&mut first);
        if begin < end {
            let from = bands[begin].cells[0].column;
            let to = bands[end].cells[0].column;
            let polls = counted(polls(self.layout, from..to), "poll");
            self.lines.push(Vec::new());
            self.write(&format!("… {polls} left out here. The HTML player shows all."));
        }
        self.lines.extend(last.into_iter().rev().flatten());
    }

    /// Draws the rows of these lanes, and the last columns that fit.
    fn draw_end(&mut self, lanes: &[usize]) {
        let mut columns = BTreeSet::new();
        for &lane in lanes {
            columns.extend(self.layout.lanes[lane].spans.iter().map(|span| span.columns.start));
        }
        let rests = self.layout.columns.iter().enumerate();
        columns.extend(rests.filter(|(_, column)| column.step == Step::Rest).map(|(rest, _)| rest));
        let mut columns: Vec<usize> = columns.into_iter().collect();
        // Of several rests without anything between them, one is enough.
        let is_rest = |column: usize| self.layout.columns[column].step == Step::Rest;
        columns.dedup_by(|after, before| is_rest(*after) && is_rest(*before));
        let mut first = columns.len().saturating_sub(self.room());
        let band = loop {
            let band = self.band(&columns[first..]);
            if first + band.cells.len() == columns.len() {
                break band;
            }
            first += 1;
        };
        let mut rows = vec![self.time_row(&band)];
        rows.extend(self.rows(&band, lanes));
        rows.extend(self.mark_rows(&band));
        self.lines = rows;
        self.explain();
    }

    fn bands(&self, columns: &[usize]) -> Vec<Band> {
        let mut bands = Vec::new();
        let mut left = columns;
        while !left.is_empty() {
            let band = self.band(left);
            left = &left[band.cells.len()..];
            bands.push(band);
        }
        bands
    }

    /// As many of these columns as fit, at least one.
    fn band(&self, columns: &[usize]) -> Band {
        let mut band = Band {
            cells: Vec::new(),
            times: Vec::new(),
        };
        // Where the next time may stand.
        let mut free = 0;
        for &column in columns {
            let last = band.cells.last_mut();
            let mut x = last.as_ref().map_or(0, |cell| cell.x + cell.width);
            if last.as_ref().is_none_or(|cell| self.jumps(cell.column, column)) {
                let time = self.times.print(self.layout.columns[column].at);
                let there = x.max(free);
                if let Some(cell) = last {
                    if there + time.len() > self.room() {
                        break;
                    }
                    cell.width += there - x;
                }
                x = there;
                free = x + time.len() + 2;
                band.times.push((x, time));
            }
            if x >= self.room() {
                break;
            }
            let width = 1;
            band.cells.push(Cell { column, x, width });
        }
        band
    }

    /// Whether the time of this column must be told, after that of another.
    fn jumps(&self, before: usize, column: usize) -> bool {
        let (before, column) = (self.layout.columns[before], self.layout.columns[column]);
        let is_long = || column.at.saturating_sub(before.at) >= Duration::from_millis(10);
        self.times.print(before.at) != self.times.print(column.at)
            && (self.times.paused || before.step == Step::Rest || is_long())
    }

    fn draw_band(&mut self, band: &Band) -> Vec<Vec<Ink>> {
        let columns = band.columns();
        let rows = Rows::of(self.layout, &columns);
        let mut lines = vec![Vec::new(), self.time_row(band)];
        lines.extend(self.rows(band, &rows.shown));
        for hidden in rows.hidden() {
            lines.push(format!(" {hidden}").chars().map(|char| (char, DIM)).collect());
        }
        lines.extend(self.mark_rows(band));
        lines
    }

    fn time_row(&self, band: &Band) -> Vec<Ink> {
        let mut row = String::new();
        for (x, time) in &band.times {
            row += &" ".repeat(x - row.len());
            row += time;
        }
        self.line("seconds", DIM, row.chars().map(|char| (char, "")).collect())
    }

    fn line(&self, label: &str, color: &'static str, mut row: Vec<Ink>) -> Vec<Ink> {
        let label = format!(" {label:<width$}  ", width = self.label_width);
        row.splice(0..0, label.chars().map(|char| (char, color)));
        row
    }

    // Rows.

    /// The rows of these lanes.
    fn rows(&mut self, band: &Band, lanes: &[usize]) -> Vec<Vec<Ink>> {
        let woken = self.woken(&band.columns());
        let mut rows = Vec::new();
        for &lane in lanes {
            let mut row = Vec::new();
            for cell in &band.cells {
                let [left, rest, right] = self.glyphs(lane, cell.column, &woken);
                let mut glyphs = vec![rest; cell.width];
                if left.is_some() {
                    glyphs[0] = left;
                }
                if right.is_some() {
                    glyphs[cell.width - 1] = right;
                }
                self.used.extend(glyphs.iter().flatten());
                row.extend(glyphs.iter().map(|glyph| match glyph {
                    Some(glyph) => (glyph.char(), glyph.color()),
                    None => (' ', ""),
                }));
            }
            rows.push(self.line(&self.labels[lane], BOLD, row));
        }
        rows
    }

    /// What stands at the left end of a cell, in the rest of it, and at its right end.
    fn glyphs(
        &self,
        lane: usize,
        column: usize,
        woken: &HashMap<(usize, usize), Glyph>,
    ) -> [Option<Glyph>; 3] {
        let Some(span) = self.layout.lanes[lane].at(column) else {
            return [None; 3];
        };
        match span.does {
            Does::Waiting { .. } if self.layout.lanes[lane].is_lost(column) => {
                [None, Some(Glyph::WaitsInVain), None]
            }
            Does::Waiting { .. } => [None, Some(Glyph::Waits), None],
            Does::Queued => {
                let begins = span.columns.start == column;
                let cause = woken.get(&(lane, column)).filter(|_| begins).copied();
                [cause, Some(Glyph::Queued), None]
            }
            Does::Polled(outcome) => {
                let end = match outcome {
                    None | Some(Outcome::Pending) => None,
                    Some(Outcome::Ready) => Some(Glyph::Ready),
                    Some(Outcome::Panicked) => Some(Glyph::Panicked),
                    Some(Outcome::Aborted) => Some(Glyph::Dropped),
                };
                [None, Some(Glyph::Polled), end]
            }
            Does::Dropped => [Some(Glyph::Dropped), None, None],
        }
    }

    /// In which of these columns which lane is woken or spawned, and by whom.
    fn woken(&self, columns: &Range<usize>) -> HashMap<(usize, usize), Glyph> {
        let arrows = within(&self.layout.arrows, |arrow| arrow.column, columns).iter();
        let glyphs = arrows.filter_map(|arrow| {
            let to = arrow.to?;
            let glyph = match (arrow.kind, arrow.by) {
                (Kind::Spawn, _) if self.layout.lanes[to].task.is_root() => return None,
                (Kind::Spawn, _) => Glyph::Spawned,
                (Kind::Wake(Effect::Queued), Cause::Timer(_)) => Glyph::WokenByTimer,
                (Kind::Wake(Effect::Queued), Cause::Socket) => Glyph::WokenBySocket,
                (Kind::Wake(Effect::Queued), Cause::Thread) => Glyph::WokenByThread,
                (Kind::Wake(Effect::Queued), Cause::Task(_)) => match arrow.from {
                    Some(from) if from < to => Glyph::WokenFromAbove,
                    Some(_) => Glyph::WokenFromBelow,
                    None => Glyph::WokenByOther,
                },
                (Kind::Wake(Effect::Queued), Cause::Drop(_) | Cause::Outside) => {
                    Glyph::WokenByOther
                }
                _ => return None,
            };
            Some(((to, arrow.column), glyph))
        });
        glyphs.collect()
    }

    // Marks.

    /// The texts of the marks, each below its column.
    fn mark_rows(&self, band: &Band) -> Vec<Vec<Ink>> {
        let room = self.room();
        let mut rows: Vec<String> = Vec::new();
        let mut left_out = 0;
        let columns = band.columns();
        for mark in within(&self.layout.marks, |mark| mark.column, &columns) {
            let Some(x) = band.x(mark.column) else {
                continue;
            };
            let text = printable(&mark.text);
            let width = text.chars().count();
            // To the right of its column, or else to the left.
            let (from, text) = if x + 1 + width > room && (width <= x || x > room / 2) {
                let text = shortened(&text, x);
                (x - text.chars().count(), text + "┘")
            } else {
                (x, format!("└{}", shortened(&text, room - x - 1)))
            };
            match rows.iter().position(|row| row.chars().count() < from) {
                Some(row) => {
                    let gap = from - rows[row].chars().count();
                    rows[row] += &(" ".repeat(gap) + &text);
                }
                None if rows.len() == MARK_ROWS => left_out += 1,
                None => rows.push(" ".repeat(from) + &text),
            }
        }
        if left_out > 0 {
            rows.push(format!("… and {}", counted(left_out, "more mark")));
        }
        let labels = ["marks"].into_iter().chain(repeat(""));
        let lines = rows.iter().zip(labels).map(|(row, label)| {
            self.line(label, DIM, row.chars().map(|char| (char, "")).collect())
        });
        lines.collect()
    }

    // What stands below.

    /// Explains the characters that were used.
    fn explain(&mut self) {
        let mut entries: Vec<String> = Vec::new();
        for glyph in &self.used {
            let entry = format!("{} {}", glyph.char(), glyph.meaning());
            match entries.last_mut() {
                Some(last) if last.ends_with(glyph.meaning()) => {
                    *last = format!("{}{last}", glyph.char());
                }
                _ => entries.push(entry),
            }
        }
        let mut line = String::new();
        for entry in entries {
            let is_full = line.chars().count() + 3 + entry.chars().count() > self.width - 1;
            if is_full && !line.is_empty() {
                self.write(&take(&mut line));
            }
            line += if line.is_empty() { "" } else { "   " };
            line += &entry;
        }
        self.write(&line);
    }

    /// Tells in sentences who woke whom: all of it, or the end.
    fn tell(&mut self) {
        // No line ends in the middle of a name.
        let labels: Vec<String> =
            self.labels.iter().map(|label| label.replace(' ', "\u{a0}")).collect();
        let print = |time| self.times.print(time);
        let mut sentences = story::sentences(self.layout, &print, &labels, SENTENCES + 1);
        let is_cut = sentences.len() > SENTENCES;
        if is_cut {
            sentences.remove(0);
        }
        let Some(width) = sentences.iter().map(|(time, _)| time.len()).max() else {
            return;
        };
        self.write("");
        self.write(if is_cut { "Who woke whom towards the end:" } else { "Who woke whom:" });
        for (time, sentence) in sentences {
            self.write_hanging(&format!("{time:>width$} s  "), &sentence);
        }
    }

    // Lines of words.

    fn write(&mut self, text: &str) {
        self.write_hanging("", text);
    }

    /// Writes `text` in as many lines as it needs, the first of them after `head`. A no-break space
    /// is a space at which no line ends.
    fn write_hanging(&mut self, head: &str, text: &str) {
        let indent = " ".repeat(1 + head.chars().count());
        let mut line = format!(" {head}");
        let mut is_empty = true;
        for word in text.split(' ') {
            let mut word: Vec<char> = word.chars().collect();
            loop {
                let room = self.width.saturating_sub(line.chars().count() + usize::from(!is_empty));
                if word.len() <= room {
                    break;
                }
                // A word that fits in no line is cut.
                if is_empty {
                    line.extend(word.drain(..room.max(1)));
                }
                self.push_line(&line);
                line = indent.clone();
                is_empty = true;
            }
            line += if is_empty { "" } else { " " };
            line.extend(word);
            is_empty = false;
        }
        self.push_line(&line);
    }

    fn push_line(&mut self, line: &str) {
        self.lines.push(line.replace('\u{a0}', " ").chars().map(|char| (char, "")).collect());
    }

    fn print(&self, color: bool) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let used = line.iter().rposition(|(char, _)| *char != ' ').map_or(0, |last| last + 1);
            let mut now = "";
            for &(char, ink) in line[..used].iter().take(self.width) {
                if color && ink != now && char != ' ' {
                    if !now.is_empty() {
                        text += "\u{1b}[0m";
                    }
                    if !ink.is_empty() {
                        text += &format!("\u{1b}[{ink}m");
                    }
                    now = ink;
                }
                text.push(char);
            }
            if !now.is_empty() {
                text += "\u{1b}[0m";
            }
            text.push('\n');
        }
        text
    }
}

impl Band {
    /// From its first column to its last.
    fn columns(&self) -> Range<usize> {
        match (self.cells.first(), self.cells.last()) {
            (Some(first), Some(last)) => first.column..last.column + 1,
            _ => 0..0,
        }
    }

    /// Where a column is drawn, if it is in this band.
    fn x(&self, column: usize) -> Option<usize> {
        let cell = self.cells.binary_search_by_key(&column, |cell| cell.column);
        cell.ok().map(|cell| self.cells[cell].x)
    }
}

/// Which lanes a band shows.
struct Rows {
    shown: Vec<usize>,
    /// How many that are polled, woken or over meanwhile are not shown.
    busy: usize,
    /// How many that wait all the time are not shown.
    waiting: usize,
    /// How many that stand in the run queue all the time are not shown.
    queued: usize,
}

impl Rows {
    fn of(layout: &Layout, columns: &Range<usize>) -> Rows {
        let is_alive = |lane: &usize| layout.lanes[*lane].within(columns.clone()).next().is_some();
        let mut rows = Rows {
            shown: (0..layout.lanes.len()).filter(is_alive).collect(),
            busy: 0,
            waiting: 0,
            queued: 0,
        };
        if rows.shown.len() <= ROWS {
            return rows;
        }
        rows.shown.retain(|&lane| {
            let mut spans = layout.lanes[lane].within(columns.clone());
            match (spans.next().map(|span| span.does), spans.next()) {
                (Some(Does::Waiting { .. }), None) => rows.waiting += 1,
                (Some(Does::Queued), None) => rows.queued += 1,
                _ => return true,
            }
            false
        });
        rows.busy = rows.shown.len().saturating_sub(FEWER_ROWS);
        rows.shown.truncate(FEWER_ROWS);
        rows
    }

    /// How many are not shown, in words.
    fn hidden(&self) -> impl Iterator<Item = String> {
        let kinds = [
            (self.busy, "that are polled or woken"),
            (self.waiting, "that wait"),
            (self.queued, "in the run queue"),
        ];
        let kinds = kinds.into_iter().filter(|(number, _)| *number > 0);
        kinds.map(|(number, what)| format!("… and {number} more {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::Executor;
    use crate::sync::Mutex;
    use crate::task::{self, Builder};
    use crate::time::sleep;
    use crate::trace::mark;
    use std::rc::Rc;

    /// Two tasks that wait for each other, with a crowd that has nothing to do with it.
    fn deadlock() -> (Trace, Vec<Id>) {
        let executor = Executor::builder().start_paused(true).record(100_000).build();
        let stuck = executor.block_on(async {
            task::spawn(async {
                for _ in 0..100 {
                    task::yield_now().await;
                    sleep(Duration::from_millis(1)).await;
                }
            });
            let left = Rc::new(Mutex::new(()));
            let right = Rc::new(Mutex::new(()));
            let spawn = |name, first: &Rc<Mutex<()>>, second: &Rc<Mutex<()>>| {
                let (first, second) = (first.clone(), second.clone());
                let task = Builder::new().name(name).spawn(async move {
                    let _first = first.lock().await;
                    sleep(Duration::from_millis(30)).await;
                    mark("and now the other");
                    let _second = second.lock().await;
                });
                task.id()
            };
            let stuck = vec![spawn("ann", &left, &right), spawn("bob", &right, &left)];
            sleep(Duration::from_millis(200)).await;
            stuck
        });
        (executor.trace(), stuck)
    }

    #[test]
    fn the_end_of_a_run_is_what_happened_to_those_who_are_asked_for() {
        let (trace, stuck) = deadlock();
        let expected = "
 seconds  0.000  0.030
 ann      +█─────T█───
 bob      +·█────T·█──
 marks            └and now the other
                   └and now the other
 █ polled   ─ waits   · in the run queue   + spawned   T woken by a timer
";
        assert_eq!(format!("\n{}", end_of(&trace, &stuck, 80)), expected);
    }

    #[test]
    fn the_end_of_a_run_is_its_last_columns_and_fits() {
        let (trace, stuck) = deadlock();
        for width in [0, 40, 60, 61, 62, 63, 200] {
            let tasks: Vec<Id> = Layout::new(&trace).lanes.iter().map(|lane| lane.task).collect();
            for tasks in [&tasks[..], &stuck, &[]] {
                let drawing = end_of(&trace, tasks, width);
                let longest = drawing.lines().map(|line| line.chars().count()).max();
                assert!(longest.is_none_or(|longest| longest <= width.max(40)), "{drawing}");
                assert_eq!(drawing.contains("◆"), tasks.len() > 2, "{drawing}");
            }
        }
    }
}
