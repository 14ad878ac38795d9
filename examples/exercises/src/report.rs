//! What is told of a case that does not hold: first the mistake, last the panic.
//!
//! The drawing is handspun's text timeline. What went wrong is written below its column, as a mark
//! is: so it is put into the trace as one, at the record with which it began. Of a long run only
//! what is near it is drawn.

use crate::check::{End, Mistake, Seen, Wrong};
use crate::run::{MOST_POLLS, PollOf, counted, names, polls};
use handspun::trace::{Cause, Event, Format, LintKind, Outcome, Record, State, Trace};
use std::env;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _, stdout};
use std::time::Duration;

/// The drawing has so many columns.
const WIDTH: usize = 80;

/// A run of more polls than this is not drawn as a whole, but so many before the one that is marked
/// and after it.
const WHOLE: usize = 50;
const BEFORE: usize = 30;
const AFTER: usize = 10;

/// Of a run without tasks so many steps are shown.
const MOST_STEPS: usize = 20;

/// How the mark begins that says where it went wrong.
const HERE: &str = "HERE:";

const BY_HAND: &str = "\n Drawn as the check has seen it.";
const BY_HAND_AND_WOKEN: &str = " Who is woken ought to be in the run queue.";

/// How a case ended.
pub(crate) enum Ending {
    Holds,
    /// What is not written, and where.
    NotWritten(String, String),
    DoesNotHold(Failure),
}

pub(crate) struct Failure {
    pub(crate) wrong: Wrong,
    /// What panicked first, if anything did, and where.
    pub(crate) panic: Option<(String, String)>,
    pub(crate) hangs: bool,
}

/// A case, and how it went.
pub(crate) struct Report {
    pub(crate) id: &'static str,
    /// Which of how many.
    pub(crate) case: (usize, usize),
    pub(crate) sentence: &'static str,
    pub(crate) trace: Option<Trace>,
    /// Whether that was written by the check, and not by an executor.
    pub(crate) by_hand: bool,
    /// What is shown where there is no trace.
    pub(crate) story: Option<String>,
    pub(crate) ending: Ending,
}

impl Ending {
    pub(crate) fn of(end: End, seen: &Seen, trace: Option<&Trace>) -> Ending {
        let panic = seen.panics().first().cloned();
        if let Some((message, place)) = &panic
            && let Some(todo) = message.strip_prefix("not yet implemented")
        {
            let todo = todo.strip_prefix(": ").unwrap_or("the rest");
            return Ending::NotWritten(todo.to_string(), place.clone());
        }
        let wrong = if seen.never_ends {
            never_ends(trace, seen.if_it_never_ends)
        } else {
            match end {
                Ok(()) => return Ending::Holds,
                Err(payload) => match payload.downcast::<Wrong>() {
                    Ok(wrong) => *wrong,
                    Err(_) if has_stalled(seen) => stalls(trace, seen.if_it_stalls),
                    Err(_) => panics(trace, panic.as_ref(), seen.if_it_panics),
                },
            }
        };
        Ending::DoesNotHold(Failure {
            wrong,
            panic,
            hangs: false,
        })
    }

    pub(crate) fn hangs(seen: &Seen, trace: Option<&Trace>, limit: Duration) -> Ending {
        let got = format!("none in {} s", limit.as_secs_f64());
        let mut wrong = Wrong::new("an end", got).looks_like(seen.if_it_hangs);
        let poll = trace.and_then(|trace| polls(trace).pop());
        if let Some(poll) = poll.filter(|poll| poll.ended.is_none()) {
            wrong = wrong.at(poll.began, "it does not come back from this poll");
        } else if let Some(last) = trace.and_then(last_event) {
            wrong = wrong.at(last, "the last that was seen of it");
        }
        Ending::DoesNotHold(Failure {
            wrong,
            panic: seen.panics().first().cloned(),
            hangs: true,
        })
    }
}

fn has_stalled(seen: &Seen) -> bool {
    seen.panics().iter().any(|(message, _)| message.starts_with("the executor has stalled"))
}

fn never_ends(trace: Option<&Trace>, mistake: Option<Mistake>) -> Wrong {
    let wrong = Wrong::new("an end", format!("{} polls without one", with_commas(MOST_POLLS)));
    let wrong = wrong.looks_like(mistake);
    match trace.and_then(|trace| polls(trace).pop()) {
        Some(last) => wrong.at(last.began, "and so on"),
        None => wrong,
    }
}

fn stalls(trace: Option<&Trace>, mistake: Option<Mistake>) -> Wrong {
    let wrong = |got: &str| Wrong::new("an end", got).looks_like(mistake);
    let Some(trace) = trace else {
        return wrong("a stall");
    };
    let lost = trace.lints().into_iter().find(|lint| lint.kind == LintKind::LostWake);
    let lost = lost.and_then(|lint| lint.task);
    let of_lost = |poll: &&PollOf| match lost {
        Some(lost) => poll.task == lost,
        None => poll.task.to_string() == "0",
    };
    let polls = polls(trace);
    let Some(last) = polls.iter().rev().find(of_lost) else {
        return wrong("a stall");
    };
    let names = names(trace);
    let name = &names[&last.task];
    // Its waker may have been kept, and dropped later on.
    let dropped = trace.records()[last.began..].iter().position(
        |record| matches!(record.event, Event::Forgotten { task, .. } if task == last.task),
    );
    let here = dropped.map_or(last.last(), |nth| last.began + nth);
    match lost {
        Some(_) => wrong(&format!("a stall: {name} is Pending, and nobody has its waker"))
            .at(here, "Pending, and nobody has its waker"),
        None => wrong(&format!("a stall: {name} waits for ever")).at(last.began, "waits for ever"),
    }
}

fn panics(
    trace: Option<&Trace>,
    panic: Option<&(String, String)>,
    mistake: Option<Mistake>,
) -> Wrong {
    let message = panic.map_or("it has no words", |(message, _)| message.as_str());
    let first = message.lines().next().unwrap_or_default();
    let wrong = Wrong::new("an end", format!("a panic: {first}")).looks_like(mistake);
    let polls = trace.map(polls).unwrap_or_default();
    let first = polls.iter().find(|poll| matches!(poll.outcome, None | Some(Outcome::Panicked)));
    let last = trace.and_then(last_event);
    match (first, last) {
        (Some(poll), _) => wrong.at(poll.last(), "panics"),
        // Not in a poll: the executor, if the answer is one.
        (None, Some(last)) => wrong.at(last, "panics after this"),
        (None, None) => wrong,
    }
}

/// The last that happened, before the rest with which a run by hand ends.
fn last_event(trace: &Trace) -> Option<usize> {
    trace.records().iter().rposition(|record| !matches!(record.event, Event::Parked { .. }))
}

impl Report {
    /// That of the program.
    pub(crate) fn code(&self) -> u8 {
        u8::from(!matches!(self.ending, Ending::Holds))
    }

    pub(crate) fn hangs(&self) -> bool {
        matches!(&self.ending, Ending::DoesNotHold(failure) if failure.hangs)
    }

    /// "01 countdown"
    fn title(&self) -> String {
        self.id.replacen('_', " ", 1)
    }

    fn number(&self) -> &str {
        self.id.split('_').next().unwrap_or_default()
    }

    pub(crate) fn print(&self) {
        say(&self.text(Ink::asked_for()));
    }

    pub(crate) fn text(&self, ink: Ink) -> String {
        let title = self.title();
        match &self.ending {
            Ending::Holds => {
                let cases = self.case.1;
                format!("{title}: {} ({})\n", ink.good("solved"), counted(cases, "case"))
            }
            Ending::NotWritten(what, place) => {
                let verdict = "not written yet";
                let first = wrapped(&format!("{title}: {verdict}: {what}"));
                format!(
                    "{}\n\n{}\na hint: cargo run -- hint {}\n",
                    first.replacen(verdict, &ink.bad(verdict), 1),
                    wrapped(&format!("Red is expected now. Write it at {place}")),
                    self.number(),
                )
            }
            Ending::DoesNotHold(failure) => self.failure(failure, ink),
        }
    }

    fn failure(&self, failure: &Failure, ink: Ink) -> String {
        let (nth, count) = self.case;
        let wrong = &failure.wrong;
        let mut text = format!("{}: {}\n\n", self.title(), ink.bad("not solved"));
        let sentence = format!(
            "{}: expected {}, got {}. (Case {nth} of {count}.)",
            capital(self.sentence),
            wrong.expected,
            wrong.got
        );
        text += &format!("{}\n", ink.bold(&wrapped(&sentence)));
        if let Some(Mistake { name, says }) = wrong.mistake {
            text += &wrapped(&format!("This looks like `{name}`: {says}."));
            text.push('\n');
        }
        if let Some(story) = &self.story {
            text += &format!("\n{}\n", story.replace(HERE, &ink.bad(HERE)));
        }
        if let Some(trace) = &self.trace
            && self.by_hand
            && !trace.records().iter().any(|record| matches!(record.event, Event::Spawned { .. }))
        {
            text += &steps(&marked(trace, wrong.at.as_ref()), ink);
        } else if let Some(trace) = &self.trace
            && !trace.records().is_empty()
        {
            text += &format!("\n{}", draw(trace, wrong.at.as_ref(), ink));
            if self.by_hand {
                text += BY_HAND;
                if trace.records().iter().any(|record| matches!(record.event, Event::Woken { .. }))
                {
                    text += BY_HAND_AND_WOKEN;
                }
                text += "\n";
            }
            if let Some(lint) = lint(trace) {
                text += &format!("\n{}\n", wrapped(&format!("A lint: {lint}")));
            }
        }
        text += &format!("\na hint: cargo run -- hint {}\n", self.number());
        if let Some((message, place)) = &failure.panic {
            // The report of a stall ends with a drawing; there is one above.
            let message = message.split("\nWhat they did last:").next().unwrap_or_default();
            text += &format!("\nThe panic, at {place}:\n{message}\n");
        }
        text
    }

    /// The run as a page that plays it, for a browser.
    pub(crate) fn write_page(&self, file: Option<&str>) {
        let (Some(file), Some(trace)) = (file, &self.trace) else {
            return;
        };
        let marked = match &self.ending {
            Ending::DoesNotHold(failure) => marked(trace, failure.wrong.at.as_ref()),
            _ => trace.clone(),
        };
        match marked.write(Format::Html, file) {
            Ok(()) => say(&format!("\nthe run: {file}\n")),
            Err(error) => say(&format!("\ncannot write {file}: {error}\n")),
        }
    }
}

/// The mistake that the run itself shows, if it is one that could be why.
fn lint(trace: &Trace) -> Option<String> {
    let kinds = [
        LintKind::LostWake,
        LintKind::SelfWakeSpin,
        LintKind::LockAcrossWait,
    ];
    let lints = trace.lints();
    let of_kind = |kind: &LintKind| lints.iter().find(|lint| lint.kind == *kind);
    kinds.iter().find_map(of_kind).map(ToString::to_string)
}

// The drawing.

/// The run, and what is wrong as a mark in it.
fn marked(trace: &Trace, at: Option<&(usize, String)>) -> Trace {
    let mut records = trace.records().to_vec();
    if let Some((at, what)) = at {
        mark(&mut records, *at, what);
    }
    trace.with_records(records)
}

fn mark(records: &mut Vec<Record>, at: usize, what: &str) {
    let Some(record) = records.get(at) else {
        return;
    };
    let mark = Record {
        at: record.at,
        event: Event::Mark {
            by: Cause::Outside,
            text: format!("{HERE} {what}").into(),
        },
    };
    records.insert(at + 1, mark);
}

fn draw(trace: &Trace, at: Option<&(usize, String)>, ink: Ink) -> String {
    let polls = polls(trace);
    let of_mark = at.map_or(0, |(at, _)| polls.partition_point(|poll| poll.began < *at));
    let (from, to) = match polls.len() > WHOLE {
        true => (of_mark.saturating_sub(BEFORE), (of_mark + AFTER).min(polls.len())),
        false => (0, polls.len()),
    };
    let first = if from == 0 { 0 } else { polls[from].began };
    let end = polls.get(to).map_or(trace.records().len(), |poll| poll.began);

    let mut state = State::default();
    trace.records()[..first].iter().for_each(|record| state.take(record));
    let mut records = if from == 0 { Vec::new() } else { state.to_records() };
    let before = records.len();
    records.extend_from_slice(&trace.records()[first..end]);
    if let Some((at, what)) = at {
        mark(&mut records, before + at - first, what);
    }
    let drawing = trace.with_records(records).text().width(WIDTH).color(ink.0).to_string();
    let mut text = String::new();
    let left_out = [(from, "before"), (polls.len() - to, "after")];
    for (count, what) in left_out.into_iter().filter(|(count, _)| *count > 0) {
        let _ = writeln!(text, " ({} polls {what} these are left out.)", with_commas(count));
    }
    text + &drawing.replace(HERE, &ink.bad(HERE))
}

/// A run without a task is a list of what was marked. Of a long one the end is shown.
fn steps(trace: &Trace, ink: Ink) -> String {
    let steps: Vec<&str> = trace
        .records()
        .iter()
        .filter_map(|record| match &record.event {
            Event::Mark { text, .. } => Some(text.as_ref()),
            _ => None,
        })
        .collect();
    let mut text = String::new();
    if steps.is_empty() {
        return text;
    }
    let left_out = steps.len().saturating_sub(MOST_STEPS);
    if left_out > 0 {
        let _ = write!(text, "\n ({} steps before these are left out.)", with_commas(left_out));
    }
    for step in &steps[left_out..] {
        let _ = write!(text, "\n {step}");
    }
    text.push('\n');
    text.replace(HERE, &ink.bad(HERE))
}

// Words.

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars
        .next()
        .map_or(String::new(), |first| first.to_uppercase().to_string() + chars.as_str())
}

/// In lines of at most [`WIDTH`] characters.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > WIDTH {
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

/// 1,000,000
pub fn with_commas(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn say(text: &str) {
    // Who closes the pipe does not want to know.
    let _ = stdout().write_all(text.as_bytes());
}

/// Whether there are colors.
#[derive(Clone, Copy)]
pub(crate) struct Ink(pub(crate) bool);

impl Ink {
    fn asked_for() -> Ink {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Ink(stdout().is_terminal() && !refused)
    }

    fn paint(self, color: &str, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{color}m{text}\u{1b}[0m")
        } else {
            text.to_string()
        }
    }

    fn good(self, text: &str) -> String {
        self.paint("1;32", text)
    }

    fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        let numbers = [0, 999, 1_000, 20_000, 1_234_567].map(with_commas);
        assert_eq!(numbers, ["0", "999", "1,000", "20,000", "1,234,567"]);
    }
}
