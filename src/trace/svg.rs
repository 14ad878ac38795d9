//! The figure: a recorded run as one SVG, for the page of a book.
//!
//! ```text
//!              0 s               ┊300 ms         the time, after each rest
//!   root     ▐█▌─────────────────┊────────       ▐█▌ polled   ─── waits   ▒▒▒ in the run queue
//!             ┆                  ┊
//!   db        ▼▒▒▒▒▒▐█▌──────────┊─▼▒▒▐✓▌        ▐✓▌ polled, and ready
//!                                ┊ │
//!   timers           ●───────────┊─◆             ● armed   ◆ fires: the arrow is a wake
//! ```
//!
//! What stands in which lane and column is known from `layout.rs`. Here a run that is too long for
//! the width of the page is broken into *strips*, like music (`svg/strip.rs`), made of a few shapes
//! (`svg/shapes.rs`), and below is said in words what they mean. A wake takes no time, so its arrow
//! goes straight up or down, and no arrow ever crosses a break.
//!
//! The file needs no other: no script, no font, no reference. It has colours for light and for dark
//! pages, and a paper of its own, so that it can be read on one that has not said what it is. Who
//! cannot tell the colours apart can tell the shapes. It has no ids, so many of them fit on one
//! page; and all coordinates are whole numbers, so the same trace gives the same bytes.
//!
//! Left out: values over time, and what comes after the first hundred columns.
//!
//! Next: `trace/html.rs`, where a run of any length can be stepped through.

mod shapes;
mod strip;

use super::event::Trace;
use super::layout::{Column, Layout, Mark, Step, printable, shortened, wrapped};
use shapes::{
    BOX, Ink, MARGIN, TITLE, WIDTH, badge, counted, escaped, letters, name_width, rectangle,
    text_width, time,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;
use strip::{Strip, is_there, tenths};

/// How much of a run is shown: so many columns, and so many of the things that the program said.
const MAX_COLUMNS: usize = 100;
const MAX_MARKS: usize = 20;

/// Below the strips: from one line to the next, from one entry of a list to the next (four in a
/// line, or three), and from its sign to its text.
const LINE: i32 = 27;
const ENTRY: i32 = 170;
const WIDE_ENTRY: i32 = 226;
const TEXT: i32 = 32;
/// The width of a column in which somebody is polled: at least, and at most.
const STEPS: (i32, i32) = (22, 50);
/// A name in front of a lane has at most so many letters.
const LABEL: usize = 14;

/// Light by itself, and dark for who prefers that. A page may contain the figure, and has classes
/// of its own: these begin with `hs-`.
const STYLE: &str = include_str!("svg/style.css");

impl Trace {
    /// The run as a figure: an SVG, 700 pixels wide, that shrinks with its page, light or dark.
    ///
    /// It shows who was polled when, who woke whom, and who waited for what, and explains its
    /// signs. It is meant for the page of a book: some ten tasks, a hundred polls. Of a longer run
    /// it shows the beginning, and says so. The same trace gives the same bytes.
    ///
    /// ```
    /// use handspun::executor::Executor;
    ///
    /// let executor = Executor::builder().start_paused(true).record(1_000).build();
    /// executor.block_on(async {
    ///     handspun::spawn(async {}).await.unwrap();
    /// });
    /// let figure = executor.into_trace().to_svg();
    /// assert!(figure.starts_with("<svg "));
    /// assert!(figure.contains("task 1 wakes root"));
    /// ```
    pub fn to_svg(&self) -> String {
        let layout = Layout::new(self);
        let labels = layout.labels(LABEL);
        let figure = Figure {
            trace: self,
            layout: &layout,
            labels: &labels,
            columns: layout.columns.len().min(MAX_COLUMNS),
            hidden_lanes: BTreeSet::new(),
            hidden_timers: BTreeSet::new(),
            ink: Ink::default(),
            y: MARGIN / 2,
        };
        figure.draw()
    }
}

struct Figure<'a> {
    trace: &'a Trace,
    layout: &'a Layout,
    /// What the lanes are called.
    labels: &'a [String],
    /// How many columns are shown.
    columns: usize,
    /// What stands in them but is not shown: lanes, and timers, by their numbers among the waits.
    hidden_lanes: BTreeSet<usize>,
    hidden_timers: BTreeSet<usize>,
    ink: Ink,
    /// What is above has been drawn.
    y: i32,
}

impl<'a> Figure<'a> {
    fn draw(mut self) -> String {
        self.draw_strips();
        self.draw_marks();
        self.draw_legend();
        let remarks = self.remarks();
        self.draw_remarks(&remarks);

        let names = self.names();
        let title = escaped(&format!("A recorded run: {names}"));
        let description = escaped(&[&[self.description(&names)], &remarks[..]].concat().join(" "));
        let (height, page) = (self.y, self.ink.page);
        let paper = rectangle("paper", 1, 1, WIDTH - 2, height - 2, 8);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"hs-run\" role=\"img\" \
             viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
             style=\"max-width:100%;height:auto\">\n\
             <title>{title}</title>\n<desc>{description}</desc>\n\
             <style>\n{STYLE}</style>\n{paper}\n{page}</svg>\n"
        )
    }

    /// The lanes that are shown.
    fn lanes(&self) -> impl Iterator<Item = usize> {
        let lanes = self.layout.lanes.iter().enumerate();
        let there = lanes.filter(|(_, lane)| is_there(lane, &(0..self.columns)));
        there.map(|(lane, _)| lane).filter(|lane| !self.hidden_lanes.contains(lane))
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.lanes().map(|lane| self.labels[lane].as_str()).collect();
        names.join(", ")
    }

    // The strips.

    fn draw_strips(&mut self) {
        let widest = self.lanes().map(|lane| name_width(&self.labels[lane])).max().unwrap_or(0);
        let left = MARGIN + widest.max(name_width("outside")) + 8;
        let (strips, step) = self.break_up(WIDTH - MARGIN - left);
        for columns in strips {
            let strip = Strip::new(self.layout, self.labels, columns, (left, self.y), step);
            strip.draw(&mut self.ink);
            self.draw_badges(&strip);
            self.y = strip.bottom + MARGIN;
            self.hidden_lanes.extend(&strip.hidden_lanes);
            self.hidden_timers.extend(&strip.hidden_timers);
        }
    }

    /// Which columns stand in which strip, all strips about as long; and how wide a poll is then.
    fn break_up(&self, room: i32) -> (Vec<Range<usize>>, i32) {
        let (narrowest, widest) = STEPS;
        let tenths = |column: usize| tenths(self.layout.columns[column].step);
        let total: i32 = (0..self.columns).map(tenths).sum();
        let most = room * 10 / narrowest;
        let each = total / ((total + most - 1) / most).max(1);
        let (mut strips, mut start, mut length, mut longest) = (Vec::new(), 0, 0, 1);
        for column in 0..self.columns {
            length += tenths(column);
            longest = longest.max(length);
            if length >= each || column + 1 == self.columns {
                strips.push(start..column + 1);
                (start, length) = (column + 1, 0);
            }
        }
        (strips, (room * 10 / longest).min(widest))
    }

    // What the program said: numbers in the lanes, and the words below the strips.

    /// The marks that are shown, with their numbers.
    fn marks(&self) -> impl Iterator<Item = (usize, &'a Mark)> + use<'a> {
        (1..=MAX_MARKS).zip(self.all_marks())
    }

    fn all_marks(&self) -> impl Iterator<Item = &'a Mark> + use<'a> {
        let columns = self.columns;
        self.layout.marks.iter().take_while(move |mark| mark.column < columns)
    }

    /// What is said at the same place has one badge.
    fn draw_badges(&mut self, strip: &Strip) {
        let mut badges: BTreeMap<(i32, i32), Vec<(usize, &Mark)>> = BTreeMap::new();
        for (number, mark) in self.marks() {
            if strip.columns.contains(&mark.column) {
                let lane = mark.lane.and_then(|lane| strip.lanes.get(&lane));
                let y = lane.map_or(strip.top, |lane| lane - BOX - 2);
                let x = strip.inside(mark.column).start + 4;
                badges.entry((x, y)).or_default().push((number, mark));
            }
        }
        for ((x, y), marks) in badges {
            let words: Vec<&str> = marks.iter().map(|(_, mark)| mark.text.as_ref()).collect();
            let title = shortened(&words.join("; "), TITLE);
            let numbers = (marks[0].0, marks[marks.len() - 1].0);
            self.ink.add_titled(&title, &badge(x, y, numbers));
        }
    }

    /// In one column, or in two or four if the texts are short enough.
    fn draw_marks(&mut self) {
        let texts: Vec<String> = self.marks().map(|(_, mark)| printable(&mark.text)).collect();
        let widest = texts.iter().map(|text| TEXT + text_width(text)).max().unwrap_or(0);
        let entry = [ENTRY, 2 * ENTRY].into_iter().find(|width| *width > widest);
        let entry = entry.unwrap_or(4 * ENTRY);
        let mut x = WIDTH;
        for (number, text) in (1..).zip(&texts) {
            self.next_entry(&mut x, entry);
            let text = shortened(text, letters(entry - TEXT));
            self.ink.add(&badge(x + 13, self.y - 5, (number, number)));
            self.ink.add_text(x + TEXT, self.y, &text);
            x += entry;
        }
        if !texts.is_empty() {
            self.y += MARGIN;
        }
    }

    /// Begins a new line if the next entry of a list has no room in this one.
    fn next_entry(&mut self, x: &mut i32, width: i32) {
        if *x + width > WIDTH {
            self.y += LINE;
            *x = MARGIN;
        }
    }

    // What is said in words.

    fn draw_legend(&mut self) {
        let signs = self.ink.signs.clone();
        let widest = signs.iter().map(|sign| TEXT + text_width(sign.words())).max().unwrap_or(0);
        let entry = if widest < ENTRY { ENTRY } else { WIDE_ENTRY };
        let mut x = WIDTH;
        for sign in signs {
            self.next_entry(&mut x, entry);
            self.ink.add(&sign.sample(x, self.y - 5));
            self.ink.add_text(x + TEXT, self.y, sign.words());
            x += entry;
        }
    }

    fn draw_remarks(&mut self, remarks: &[String]) {
        for remark in remarks {
            for line in wrapped(remark, letters(WIDTH - 2 * MARGIN)).lines() {
                self.y += LINE;
                self.ink.add_text(MARGIN, self.y, line);
            }
        }
        self.y += MARGIN + 2;
    }

    /// What the figure does not show.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.columns == 0 {
            remarks.push("Nothing happened.".into());
        }
        match self.trace.dropped() {
            0 => {}
            1 => remarks.push("1 earlier event was dropped.".into()),
            dropped => remarks.push(format!("{dropped} earlier events were dropped.")),
        }
        let hidden = [
            (self.layout.columns.len() - self.columns, "later step"),
            (self.hidden_lanes.len(), "task"),
            (self.hidden_timers.len(), "timer"),
            (self.all_marks().skip(MAX_MARKS).count(), "mark"),
        ];
        let hidden = hidden.into_iter().filter(|(number, _)| *number > 0);
        let hidden: Vec<String> = hidden.map(|(number, what)| counted(number, what)).collect();
        if !hidden.is_empty() {
            let hidden = hidden.join(", ");
            remarks.push(format!("Not shown, for want of room: {hidden}. The player shows all."));
        }
        remarks
    }

    /// What the figure shows, for who does not see it.
    fn description(&self, names: &str) -> String {
        let columns = &self.layout.columns[..self.columns];
        let polled = columns.iter().filter_map(|column| match column.step {
            Step::Poll(Some(lane)) if !self.hidden_lanes.contains(&lane) => Some(lane),
            _ => None,
        });
        let polled: Vec<&str> = polled.map(|lane| self.labels[lane].as_str()).collect();
        let time_of = |column: Option<&Column>| time(column.map_or(Duration::ZERO, |it| it.at));
        format!(
            "What one thread did from {} to {}: {} ({names}), and {}, in this order: {}.",
            time_of(columns.first()),
            time_of(columns.last()),
            counted(self.lanes().count(), "task"),
            counted(polled.len(), "poll"),
            polled.join(", "),
        )
    }
}
