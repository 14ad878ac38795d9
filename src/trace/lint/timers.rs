//! `unpolled-timer`: a timer that does nothing, since nobody polls it.
//!
//! A timer is *wasted* if nobody polls it, and its deadline passes while it lives; or it is dropped
//! in the very poll that made it, or in one of another task. (One that is dropped by its maker, in
//! a later poll and before its deadline, may have been on its way: a `select!` or a timeout has
//! dropped what would have awaited it.)
//!
//! It is told of a place where timers were wasted, and none was ever polled. If events were dropped
//! it is not told, since they may have been those of the polls.
//!
//! Next: `trace/lint/locks.rs`.

use super::found::{Find, Found, LintKind};
use super::view::{Check, Poll, View, time};
use crate::trace::event::{Event, Place, Record};
use std::collections::BTreeMap;
use std::mem::take;
use std::path::Path;
use std::time::Duration;

#[derive(Default)]
pub(super) struct Timers {
    /// Those that nobody has polled yet.
    unpolled: BTreeMap<u64, Unpolled>,
    places: BTreeMap<Place, TimersOfPlace>,
}

struct Unpolled {
    place: Place,
    made: Duration,
    deadline: Duration,
    /// The poll that made it.
    by: Poll,
}

#[derive(Default)]
struct TimersOfPlace {
    any_is_polled: bool,
    wasted: usize,
    /// Of the first that was wasted: with which record, and what is told.
    first: Option<(usize, Find, String)>,
}

impl Check for Timers {
    fn see(&mut self, view: &View, record: &Record) {
        match record.event {
            Event::TimerMade {
                timer,
                deadline,
                place,
                ..
            } if !is_in_send_timeout(place) => {
                let unpolled = view.poll.map(|by| Unpolled {
                    place,
                    made: record.at,
                    deadline,
                    by,
                });
                self.unpolled.extend(unpolled.map(|unpolled| (timer, unpolled)));
            }
            Event::TimerReset { timer, deadline } => {
                self.unpolled.entry(timer).and_modify(|timer| timer.deadline = deadline);
            }
            Event::TimerArmed { timer, .. } | Event::TimerDue { timer } => {
                if let Some(timer) = self.unpolled.remove(&timer) {
                    self.places.entry(timer.place).or_default().any_is_polled = true;
                }
            }
            Event::TimerDropped { timer } => {
                if let Some(timer) = self.unpolled.remove(&timer) {
                    self.see_dropped(view, &timer, record.at);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, view: &View) -> Vec<(LintKind, Found)> {
        for timer in take(&mut self.unpolled).values() {
            if timer.was_due(view.state.now()) {
                self.waste(view, timer, true);
            }
        }
        let places = take(&mut self.places).into_values();
        let silent = places.filter(|place| view.is_complete && !place.any_is_polled);
        let mut told: Vec<(usize, Find, String)> = silent
            .filter_map(|TimersOfPlace { first, wasted, .. }| {
                let (nth, find, sentence) = first?;
                let count = wasted;
                Some((nth, Find { count, ..find }, sentence))
            })
            .collect();
        told.sort_by_key(|(nth, ..)| *nth);
        let mut found = Found::default();
        told.into_iter().for_each(|(_, find, sentence)| found.add(find, || sentence));
        vec![(LintKind::UnpolledTimer, found)]
    }
}

impl Timers {
    fn see_dropped(&mut self, view: &View, timer: &Unpolled, now: Duration) {
        let in_its_poll = timer.is_in_its_poll(view);
        if !in_its_poll && timer.was_due(now) {
            self.waste(view, timer, true);
        } else if in_its_poll || view.poll.is_some_and(|poll| poll.task != timer.by.task) {
            self.waste(view, timer, false);
        }
    }

    fn waste(&mut self, view: &View, timer: &Unpolled, was_due: bool) {
        let place = timer.place;
        let of_place = self.places.entry(place).or_default();
        of_place.wasted += 1;
        if of_place.first.is_some() {
            return;
        }
        let find = Find::new(timer.by.task, place, timer.made);
        let (who, deadline) = (view.label(timer.by.task), time(timer.deadline));
        let sentence = match was_due {
            true => format!(
                "The timer that {who} made at {place} was due at {deadline}, and nobody had \
                 polled it: a sleep does nothing before it is awaited."
            ),
            false => format!(
                "The timer that {who} made at {place} was dropped, and nobody had polled it: a \
                 sleep does nothing before it is awaited. (It is all right in a `timeout` or \
                 `select!` that was ready at once.)"
            ),
        };
        of_place.first = Some((view.nth, find, sentence));
    }
}

impl Unpolled {
    /// Its deadline has passed while it lived.
    fn was_due(&self, now: Duration) -> bool {
        self.made < self.deadline && self.deadline <= now
    }

    /// The poll that made it goes on.
    fn is_in_its_poll(&self, view: &View) -> bool {
        view.poll.is_some_and(|poll| poll.nth == self.by.nth)
    }
}

/// Whether a timer was made by `Sender::send_timeout`, and not by the program.
fn is_in_send_timeout(place: Place) -> bool {
    let src = Path::new(file!()).ancestors().nth(3).unwrap_or(Path::new(""));
    src.join("time").join("send_timeout.rs") == Path::new(place.file())
}
