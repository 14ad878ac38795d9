//! Who woke whom, in sentences.
//!
//! A drawing shows that a task is woken, and in whose poll. Why there was somebody to wake is
//! easier said: what it waited for, where that was made, which timer it was. Each wake is a
//! sentence, and so is what ends a task in another way than by being ready. Sentences that follow
//! each other and differ only in the task are one, or a crowd would be tedious.
//!
//! Next: `trace/svg.rs`.

use crate::trace::event::{Awaited, Cause, Effect, Outcome};
use crate::trace::layout::{Arrow, Does, Kind, Layout, Thing};
use std::collections::HashSet;
use std::time::Duration;

/// The last sentences, `most` of them, each with its time, which is printed by `print`.
pub(super) fn sentences(
    layout: &Layout,
    print: &dyn Fn(Duration) -> String,
    labels: &[String],
    most: usize,
) -> Vec<(String, String)> {
    let teller = Teller {
        layout,
        print,
        labels,
    };
    let mut told: Vec<(String, Sentence)> = Vec::new();
    for &(at, deed) in teller.deeds().iter().rev() {
        let (time, sentence) = (print(at), teller.sentence(deed));
        let is_full = told.len() == most;
        match told.last_mut() {
            Some((later, next)) if *later == time && next.says_the_same_as(&sentence) => {
                next.lanes.extend(sentence.lanes);
            }
            _ if is_full => break,
            _ => told.push((time, sentence)),
        }
    }
    let printed = told.into_iter().rev();
    printed.map(|(time, sentence)| (time, sentence.print(labels))).collect()
}

/// Something that was done to a task.
#[derive(Clone, Copy)]
enum Deed {
    /// The number of an arrow.
    Arrow(usize),
    /// The lane of the task.
    Panics(usize),
    /// The lane of the task.
    IsDropped(usize),
}

struct Teller<'a> {
    layout: &'a Layout,
    print: &'a dyn Fn(Duration) -> String,
    labels: &'a [String],
}

impl Teller<'_> {
    /// What was done to tasks, in order.
    fn deeds(&self) -> Vec<(Duration, Deed)> {
        let arrows = self.layout.arrows.iter().enumerate();
        let arrows = arrows.filter(|(number, _)| self.is_told(*number));
        let mut deeds: Vec<(usize, Duration, Deed)> =
            arrows.map(|(number, arrow)| (arrow.column, arrow.at, Deed::Arrow(number))).collect();
        for (lane, row) in self.layout.lanes.iter().enumerate() {
            for span in &row.spans {
                let deed = match span.does {
                    Does::Polled(Some(Outcome::Panicked)) => Deed::Panics(lane),
                    Does::Dropped => Deed::IsDropped(lane),
                    _ => continue,
                };
                let column = span.columns.start;
                deeds.push((column, self.layout.columns[column].at, deed));
            }
        }
        deeds.sort_by_key(|(column, ..)| *column);
        // A panic comes at the end of its poll, and so not before what happened in it.
        let mut now = Duration::ZERO;
        let in_time = deeds.into_iter().map(|(_, at, deed)| {
            now = now.max(at);
            (now, deed)
        });
        in_time.collect()
    }

    fn is_told(&self, arrow: usize) -> bool {
        let before = arrow.checked_sub(1).map(|before| &self.layout.arrows[before]);
        let arrow = &self.layout.arrows[arrow];
        let is_told = match arrow.kind {
            // An abort wakes. That is told once.
            Kind::Wake(Effect::Queued | Effect::Noted) => {
                before.is_none_or(|before| before.kind != Kind::Abort || before.to != arrow.to)
            }
            Kind::Abort | Kind::Forget => true,
            Kind::Wake(Effect::Coalesced | Effect::Stale) | Kind::Spawn => false,
        };
        is_told && arrow.to.is_some()
    }

    fn sentence(&self, deed: Deed) -> Sentence {
        let arrow = match deed {
            Deed::Panics(lane) => return Sentence::new(lane, ["", " panics"], ["", " panic"]),
            Deed::IsDropped(lane) => {
                let (is, are) = (" is dropped unfinished", " are dropped unfinished");
                return Sentence::new(lane, ["", is], ["", are]);
            }
            Deed::Arrow(number) => &self.layout.arrows[number],
        };
        let to = arrow.to.expect("what is told is done to a task");
        if let Some(timer) = arrow.timer {
            let which = self.which_timer(timer);
            let (one, many) = (format!("a timer {which} wakes "), format!("timers {which} wake "));
            return Sentence::new(to, [&one, ""], [&many, ""]);
        }
        let by = match (arrow.by, arrow.from) {
            (Cause::Task(_), Some(from)) => self.labels[from].clone(),
            (Cause::Drop(_), Some(from)) => format!("the destructor of {}", self.labels[from]),
            (by, _) => by.to_string(),
        };
        match arrow.kind {
            Kind::Abort => {
                let aborts = format!("{by} aborts ");
                Sentence::new(to, [&aborts, ""], [&aborts, ""])
            }
            Kind::Forget => {
                let one = format!("{by} drops the last waker of ");
                let many = format!("{by} drops the last wakers of ");
                let (it, them) =
                    (": nobody can wake it any more", ": nobody can wake them any more");
                Sentence::new(to, [&one, it], [&many, them])
            }
            _ if arrow.from == Some(to) => {
                Sentence::new(to, ["", " wakes itself"], ["", " wake themselves"])
            }
            _ => {
                let (wakes, reason) = (format!("{by} wakes "), self.reason(arrow));
                Sentence::new(to, [&wakes, &reason], [&wakes, &reason])
            }
        }
    }

    /// Where it was made, and since when it is armed.
    fn which_timer(&self, number: usize) -> String {
        let wait = &self.layout.waits[number];
        let made = match wait.thing {
            Thing::Timer {
                place: Some(place), ..
            } => format!("{place}, "),
            _ => String::new(),
        };
        format!("({made}armed at\u{a0}{}\u{a0}s)", (self.print)(wait.since))
    }

    /// For what it has waited that is woken.
    fn reason(&self, arrow: &Arrow) -> String {
        let awaited = arrow.awaited.map(|wait| self.layout.waits[wait].thing);
        match awaited {
            Some(Thing::Other(Awaited::Task(task))) => {
                let other = self.layout.lanes.binary_search_by_key(&task, |lane| lane.task);
                let other = other.map_or(format!("task {task}"), |lane| self.labels[lane].clone());
                format!(", which waited for the end of {other}")
            }
            Some(Thing::Other(Awaited::Thing { what, place, .. })) => {
                format!(", which waited for {what} (made at {place})")
            }
            Some(Thing::Timer { .. }) | None => String::new(),
        }
    }
}

/// A sentence, of one task or of several.
struct Sentence {
    /// Of whom, the last first. One may be there several times.
    lanes: Vec<usize>,
    /// What comes before a single name, and after it.
    one: [String; 2],
    /// What comes before several, and after them.
    many: [String; 2],
}

impl Sentence {
    fn new(lane: usize, one: [&str; 2], many: [&str; 2]) -> Sentence {
        Sentence {
            lanes: vec![lane],
            one: one.map(String::from),
            many: many.map(String::from),
        }
    }

    fn says_the_same_as(&self, other: &Sentence) -> bool {
        self.one == other.one
    }

    fn print(&self, labels: &[String]) -> String {
        let mut seen = HashSet::new();
        let lanes = self.lanes.iter().rev().filter(|lane| seen.insert(**lane));
        let names: Vec<&str> = lanes.map(|lane| labels[*lane].as_str()).collect();
        let names = match &names[..] {
            [name] => {
                let times = match self.lanes.len() {
                    1 => String::new(),
                    n => format!(", {n} times"),
                };
                return format!("{}{name}{}{times}", self.one[0], self.one[1]);
            }
            [first, second, third, _, _, ..] => {
                format!("{first}, {second}, {third} and {} more", names.len() - 3)
            }
            [some @ .., last] => format!("{} and {last}", some.join(", ")),
            [] => String::new(),
        };
        format!("{}{names}{}", self.many[0], self.many[1])
    }
}
