//! Events in words: a line for each, so that a whole run can be written down and compared.

use handspun::task::Id;
use handspun::time::Duration;
use handspun::trace::{Awaited, Cause, Event, Record, Trace};

/// Compares the whole trace.
#[track_caller]
pub fn expect<const N: usize>(trace: &Trace, expected: [&str; N]) {
    assert_eq!(lines(trace), expected);
}

/// Compares those lines in which one of these words stands.
#[track_caller]
pub fn expect_of<const N: usize>(trace: &Trace, words: &[&str], expected: [&str; N]) {
    let has_word = |line: &String| words.iter().any(|word| line.contains(word));
    let lines: Vec<String> = lines(trace).into_iter().filter(has_word).collect();
    assert_eq!(lines, expected);
}

fn lines(trace: &Trace) -> Vec<String> {
    trace.records().iter().map(line).collect()
}

pub fn line(record: &Record) -> String {
    format!("{} {}", seconds(record.at), words(&record.event))
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

pub fn words(event: &Event) -> String {
    match event {
        Event::Spawned { task, name, by, .. } => {
            let name = name.as_ref().map(|name| format!(" {name:?}")).unwrap_or_default();
            format!("spawn {}{name}, by {}", id(*task), cause(*by))
        }
        Event::Known { task, state } => {
            let name = state.name.as_ref().map(|name| format!(" {name:?}")).unwrap_or_default();
            let (phase, polls, wakers) = (state.phase, state.polls, state.wakers);
            format!("known: {}{name}, {phase:?}, polls {polls}, wakers {wakers}", id(*task))
        }
        Event::PollBegun { task } => format!("poll {}", id(*task)),
        Event::PollEnded {
            task,
            outcome,
            wakers,
            ..
        } => format!("{} is {outcome:?}, wakers {wakers}", id(*task)),
        Event::Woken { task, by, effect } => {
            format!("wake {}, by {}: {effect:?}", id(*task), cause(*by))
        }
        Event::Forgotten { task, by } => format!("forget {}, by {}", id(*task), cause(*by)),
        Event::AbortAsked { task, by } => format!("abort {}, by {}", id(*task), cause(*by)),
        Event::Dropped {
            task,
            aborted: false,
        } => format!("drop {}", id(*task)),
        Event::Dropped {
            task,
            aborted: true,
        } => format!("drop {}, aborted", id(*task)),
        Event::TimerMade {
            timer,
            deadline,
            by,
            ..
        } => format!("timer {timer}: made for {}, by {}", seconds(*deadline), cause(*by)),
        Event::TimerArmed {
            timer,
            deadline,
            wakes,
        } => {
            let wakes = wakes.map_or_else(|| "nobody".to_string(), id);
            format!("timer {timer}: armed for {}, wakes {wakes}", seconds(*deadline))
        }
        Event::TimerFired { timer } => format!("timer {timer}: fires"),
        Event::TimerDue { timer } => format!("timer {timer}: due"),
        Event::TimerReset { timer, deadline } => {
            format!("timer {timer}: reset to {}", seconds(*deadline))
        }
        Event::TimerDropped { timer } => format!("timer {timer}: dropped"),
        Event::WaitBegun {
            wait,
            task,
            awaited,
        } => match awaited {
            Awaited::Thing { what, line, .. } => {
                format!("wait {wait}: {} for {what}, line {line}", id(*task))
            }
            Awaited::Task(other) => format!("wait {wait}: {} for {}", id(*task), id(*other)),
            other => format!("wait {wait}: {other:?}"),
        },
        Event::WaitEnded { wait } => format!("wait {wait}: over"),
        Event::Parked { until: None } => "parked".to_string(),
        Event::Parked { until: Some(until) } => format!("parked until {}", seconds(*until)),
        Event::Unparked => "unparked".to_string(),
        Event::ClockSet => "clock set".to_string(),
        Event::Mark { by, text } => format!("mark {text:?}, by {}", cause(*by)),
        Event::Value { name, value } => format!("{name:?} = {value}"),
        other => format!("{other:?}"),
    }
}

pub fn id(task: Id) -> String {
    match task.to_string().as_str() {
        "0" => "root".to_string(),
        number => number.to_string(),
    }
}

fn cause(by: Cause) -> String {
    match by {
        Cause::Task(task) => id(task),
        Cause::Timer(timer) => format!("timer {timer}"),
        Cause::Thread => "thread".to_string(),
        Cause::Socket => "socket".to_string(),
        Cause::Drop(task) => format!("drop of {}", id(task)),
        Cause::Outside => "outside".to_string(),
        other => format!("{other:?}"),
    }
}
