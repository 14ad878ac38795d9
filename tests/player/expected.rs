//! What the player must say, computed here from the same events.

use crate::json::Json;
use handspun::task::Id;
use handspun::trace::{Awaited, Event, Outcome, Phase, State, Trace};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// The state before the first event and after each, in words: two that differ are read side by
/// side.
pub fn states(trace: &Trace) -> Vec<String> {
    let names = names(trace);
    let mut state = State::default();
    let mut states = vec![in_words(&state, &names)];
    for record in trace.records() {
        state.take(record);
        states.push(in_words(&state, &names));
    }
    states
}

/// What the player shows each task as: of several with the same name each has its id behind it.
pub fn names(trace: &Trace) -> BTreeMap<Id, String> {
    let mut given = BTreeMap::new();
    for record in trace.records() {
        match &record.event {
            Event::Spawned { task, name, .. } => given.insert(*task, name.clone()),
            Event::Known { task, state } => given.insert(*task, state.name.clone()),
            _ => None,
        };
    }
    let is_shared = |name| given.values().filter(|other| **other == name).count() > 1;
    let shown = given.iter().map(|(&task, name)| {
        let shown = match name {
            _ if number(task) == 0 => "root".to_string(),
            None => format!("task {task}"),
            Some(name) if is_shared(Some(name.clone())) => format!("{name} ({task})"),
            Some(name) => name.to_string(),
        };
        (task, shown)
    });
    shown.collect()
}

pub fn number(task: Id) -> u64 {
    task.to_string().parse().expect("a task's id is a number")
}

fn in_words(state: &State, names: &BTreeMap<Id, String>) -> String {
    let mut words = format!("at {}", state.now().as_nanos() as f64);
    let queue: Vec<u64> = state.queue().map(number).collect();
    write!(words, "\nqueue {queue:?}").unwrap();
    for (task, told) in state.tasks() {
        let phase = match told.phase {
            Phase::Queued => "queued",
            Phase::Polling => "polling",
            Phase::PollingAndWoken => "woken",
            Phase::Idle => "idle",
        };
        let lost = if told.is_lost() { ", lost" } else { "" };
        write!(words, "\ntask {task} {} {phase} {}{lost}", names[&task], told.polls).unwrap();
    }
    for (timer, told) in state.timers() {
        let armed = told.armed.map(|at| at.as_nanos() as f64);
        write!(words, "\ntimer {timer} {} {armed:?}", told.deadline.as_nanos() as f64).unwrap();
    }
    let mut lines: Vec<(u64, &str, Vec<u64>)> = Vec::new();
    for (_, wait) in state.waits() {
        if let Awaited::Thing { what, line, .. } = wait.awaited {
            match lines.iter_mut().find(|(other, ..)| *other == line) {
                Some((.., waiting)) => waiting.push(number(wait.task)),
                None => lines.push((line, what, vec![number(wait.task)])),
            }
        }
    }
    for (_, what, waiting) in lines {
        write!(words, "\nline {what} {waiting:?}").unwrap();
    }
    words
}

/// What `player.state()` says, in the same words.
pub fn state_of_player(told: &Json) -> String {
    let ids = |list: &Json| list.list().iter().map(Json::count).collect::<Vec<u64>>();
    let mut words = format!("at {}", told.get("time").number());
    write!(words, "\nqueue {:?}", ids(told.get("queue"))).unwrap();
    for task in told.get("tasks").list() {
        let (id, name) = (task.get("id").count(), task.get("name").text());
        let (phase, polls) = (task.get("phase").text(), task.get("polls").count());
        let lost = if task.get("lost").bool() { ", lost" } else { "" };
        write!(words, "\ntask {id} {name} {phase} {polls}{lost}").unwrap();
    }
    for timer in told.get("timers").list() {
        let armed = timer.get("armed");
        let armed = (!armed.is_null()).then(|| armed.number());
        let (number, deadline) = (timer.get("timer").count(), timer.get("deadline").number());
        write!(words, "\ntimer {number} {deadline} {armed:?}").unwrap();
    }
    for line in told.get("lines").list() {
        let (what, waiting) = (line.get("what").text(), ids(line.get("waiting")));
        write!(words, "\nline {what} {waiting:?}").unwrap();
    }
    words
}

/// Where a step by a poll stops: after each event that begins one.
pub fn polls(trace: &Trace) -> Vec<usize> {
    let numbered = (1..).zip(trace.records());
    let polls = numbered.filter(|(_, record)| matches!(record.event, Event::PollBegun { .. }));
    polls.map(|(index, _)| index).collect()
}

/// Where a step by a turn stops: after the event that begins its first poll. A turn polls as many
/// tasks as are in the run queue when it begins, unless the root ends it.
pub fn turns(trace: &Trace) -> Vec<usize> {
    let mut turns = Vec::new();
    let (mut state, mut left) = (State::default(), 0);
    for (index, record) in (1..).zip(trace.records()) {
        match &record.event {
            Event::PollBegun { .. } => {
                if left == 0 {
                    left = state.queue().count();
                    turns.push(index);
                }
                left -= 1;
            }
            Event::PollEnded { task, outcome, .. }
                if number(*task) == 0 && *outcome != Outcome::Pending =>
            {
                left = 0;
            }
            _ => {}
        }
        state.take(record);
    }
    turns
}

/// Level and slot of a deadline: where, to the base 64, it differs from the present. In ticks of a
/// microsecond, the present rounded down and the deadline up; `time/wheel.rs` has the reasons.
pub fn place_on_wheel(now: Duration, deadline: Duration) -> (u32, u64) {
    let present = now.as_micros() as u64;
    let deadline = deadline.as_nanos().div_ceil(1_000).try_into().unwrap_or(u64::MAX);
    let level = (present ^ deadline).max(1).ilog2() / 6;
    (level, deadline >> (6 * level) & 63)
}
