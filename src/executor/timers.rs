//! One executor's clock and wheel, and what a `Sleep` may ask of them.
//!
//! The wheel keeps wakers by ticks, the clock knows what a tick is; together they wake somebody at
//! an [`Instant`]. This is data, like the scheduler, of which it is a part: no method calls, clones
//! or drops a waker, what is to be woken or dropped is returned (*No Borrow Across User Code*).
//!
//! A `Sleep` holds the *name* of its timer, as a waker holds the name of its task: it can be looked
//! up, and may be stale. A `Sleep` may also be polled, reset or dropped where another executor runs
//! than the one on whose wheel its timer is. Then a letter goes to that one (`Letter::Release`): it
//! takes the timer off and wakes whoever waits for it, to look again.
//!
//! Next: `time/sleep.rs`.

use crate::mailbox::{self, Letter};
use crate::slab::Key;
use crate::time::clock::{Clock, Instant, NEVER};
use crate::time::wheel::{Fired, Wheel};
use std::mem::replace;
use std::num::NonZeroU64;
use std::task::{Poll, Waker};

/// The timers of one executor.
pub(crate) struct Timers {
    executor: u16,
    /// The first timer's number. Timers of earlier executors with this one's number had lower ones.
    first_number: NonZeroU64,
    pub(crate) clock: Clock,
    /// Made when a `Sleep` is first polled: 11 KiB, which an executor without timers need not pay.
    wheel: Option<Box<Wheel<Waker>>>,
}

/// Which timer of which executor. Unlike a task's name it has all 64 bits of the number: a `Sleep`
/// that took another's timer for its own would wait for the wrong time.
///
/// (A [`Key`] and a number of an executor, but in 16 bytes, where a `Key` inside would make it 24:
/// each `Sleep` has one.)
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct TimerName {
    number: NonZeroU64,
    index: u32,
    executor: u16,
}

/// No slot of a slab has this index.
const NOWHERE: u32 = u32::MAX;

/// The timer is not one of this executor's.
pub(crate) struct Elsewhere;

impl Timers {
    pub(super) fn new(executor: u16, first_number: NonZeroU64, clock: Clock) -> Timers {
        Timers {
            executor,
            first_number,
            clock,
            wheel: None,
        }
    }

    // For a `Sleep`.

    /// Ready if the deadline is due. Until then there is a timer that will wake `waker`. Also
    /// returns the waker that is not needed, for the caller to drop.
    #[inline]
    pub(crate) fn poll(
        &mut self,
        deadline: Instant,
        timer: &mut Option<TimerName>,
        waker: Waker,
    ) -> (Poll<()>, Option<Waker>) {
        if let Some(armed) = timer.and_then(|timer| self.waker(timer)) {
            let unneeded = if armed.will_wake(&waker) { waker } else { replace(armed, waker) };
            return (Poll::Pending, Some(unneeded));
        }
        let ticks = self.clock.deadline_ticks(deadline);
        let first = self.first_number;
        let wheel = self.wheel.get_or_insert_with(|| Box::new(Wheel::numbered_from(first)));
        if wheel.is_due(ticks) || self.clock.stands_past(deadline) {
            return (Poll::Ready(()), Some(waker));
        }
        let armed = TimerName::new(self.executor, wheel.arm(ticks, waker));
        if let Some(left_behind) = timer.replace(armed)
            && left_behind.executor != self.executor
        {
            left_behind.release();
        }
        (Poll::Pending, None)
    }

    /// Gives a timer another deadline, and perhaps another name. If there is nothing to wait for,
    /// it has none: because it has fired, or because the new deadline is due, and then returns whom
    /// to wake.
    pub(crate) fn reset(
        &mut self,
        timer: TimerName,
        deadline: Instant,
    ) -> Result<(Option<TimerName>, Option<Waker>), Elsewhere> {
        let Some(waker) = self.disarm(timer)? else {
            return Ok((None, None));
        };
        let ticks = self.clock.deadline_ticks(deadline);
        Ok(match &mut self.wheel {
            Some(wheel) if !wheel.is_due(ticks) && !self.clock.stands_past(deadline) => {
                (Some(TimerName::new(self.executor, wheel.arm(ticks, waker))), None)
            }
            _ => (None, Some(waker)),
        })
    }

    /// Takes a timer off the wheel. Returns its waker, if it has not fired, for the caller to drop.
    #[inline]
    pub(crate) fn disarm(&mut self, timer: TimerName) -> Result<Option<Waker>, Elsewhere> {
        match timer.executor == self.executor {
            true => Ok(self.release(timer.key())),
            false => Err(Elsewhere),
        }
    }

    // For the loop.

    /// Takes a timer off the wheel that was asked for by letter. Returns whom to wake.
    #[inline]
    pub(super) fn release(&mut self, key: Key) -> Option<Waker> {
        self.wheel.as_mut()?.disarm(key)
    }

    /// Whether there is any timer.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.wheel.as_ref().is_some_and(|wheel| wheel.len() > 0)
    }

    #[cfg(test)]
    pub(super) fn wheel(&self) -> Option<&Wheel<Waker>> {
        self.wheel.as_deref()
    }

    /// Takes the timers that are due off the wheel, for the caller to wake.
    pub(super) fn due(&mut self) -> Vec<Fired<Waker>> {
        match &mut self.wheel {
            Some(wheel) if wheel.len() > 0 => wheel.advance(self.clock.now_ticks()),
            _ => Vec::new(),
        }
    }

    /// When to look again. `None` if no timer will ever fire.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let ticks = self.wheel.as_ref()?.next_deadline().filter(|&ticks| ticks != NEVER)?;
        Some(self.clock.instant_of(ticks))
    }

    /// The executor ends. Takes all timers off the wheel, for the caller to wake: a `Sleep` may
    /// outlive its executor, and will then look for another.
    pub(super) fn end(&mut self) -> Vec<Fired<Waker>> {
        self.wheel.as_mut().map(|wheel| wheel.advance(NEVER)).unwrap_or_default()
    }

    /// The number that the next timer will get.
    pub(super) fn next_number(&self) -> NonZeroU64 {
        self.wheel.as_ref().map_or(self.first_number, |wheel| wheel.next_number())
    }

    /// Whom a timer will wake; `None` if it has fired, was disarmed, or is another executor's.
    #[inline]
    fn waker(&mut self, timer: TimerName) -> Option<&mut Waker> {
        if timer.executor != self.executor {
            return None;
        }
        self.wheel.as_mut()?.get_mut(timer.key())
    }
}

impl TimerName {
    pub(super) fn new(executor: u16, key: Key) -> TimerName {
        TimerName {
            number: key.number,
            index: key.index,
            executor,
        }
    }

    /// For a timer that is on no wheel, in an executor that is watched: it has a number, by which
    /// it is known, and is not found.
    pub(super) fn unarmed(executor: u16, number: NonZeroU64) -> TimerName {
        TimerName {
            number,
            index: NOWHERE,
            executor,
        }
    }

    pub(super) fn is_unarmed(self) -> bool {
        self.index == NOWHERE
    }

    pub(super) fn number(self) -> NonZeroU64 {
        self.number
    }

    pub(super) fn executor(self) -> u16 {
        self.executor
    }

    fn key(self) -> Key {
        Key {
            index: self.index,
            number: self.number,
        }
    }

    /// Has the executor that this timer belongs to take it off the wheel, when it next runs.
    pub(crate) fn release(self) {
        mailbox::deliver(self.executor, Letter::Release(self.key()));
    }
}
