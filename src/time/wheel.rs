//! The hierarchical timing wheel: a million timers, and arming one takes as few steps as for ten.
//!
//! A sorted structure (a heap, a tree) compares deadlines on every insert, and nearly all that work
//! is thrown away: most timers are timeouts, and most timeouts are dropped before they fire. A
//! wheel sorts only roughly, and only sorts finer what has come close.
//!
//! Time is counted in *ticks* of one microsecond. Read a deadline as digits to the base 64. The
//! highest digit in which it differs from the present tick says how far away it is: that is its
//! *level*. The digit itself is its *slot* on that level.
//!
//! ```text
//!   level   one slot spans   the level spans          present tick   …  0  12  40  63
//!     0     1 µs             64 µs                    deadline       …  0  13   5  20
//!     1     64 µs            4 ms                                          ▲
//!     2     4 ms             262 ms                   highest digit that differs: level 2
//!     3     262 ms           17 s                     its value there: slot 13
//!     4     17 s             18 min
//!     …                                               When the present reaches slot 13 of level 2,
//!    10     36,559 years     all of u64               its entries *cascade*: each goes on to a
//!                                                     lower level, by the same rule.
//! ```
//!
//! Three things follow from the rule, and nothing else has to be remembered:
//!
//! - An entry's slot lies *ahead* of the present on its level, never behind: no wrap-around.
//! - What is on a lower level comes before all that is on a higher one. So the lowest level that is
//!   not empty, and its first slot that is not empty (two bitmaps, two trailing zeros), hold the
//!   entry that is due next.
//! - Where an entry is can be computed from its deadline at any time. It need not be stored.
//!
//! Eleven levels of six bits cover every `u64`, so there is no "too far away". An entry cascades at
//! most ten times in its life, and most are gone before the first. Arm, disarm: constant time.
//!
//! The scheme is George Varghese and Tony Lauck's (*Hashed and Hierarchical Timing Wheels*, 1987);
//! level by exclusive-or and the bitmap are as in tokio's `runtime/time/wheel`.
//!
//! Left out: clocks and wakers. The wheel knows ticks and keys; `T` is whatever wants to be handed
//! back. Next: `time/clock.rs` says what a tick is in real life.

use crate::list::{List, Nodes};
use crate::slab::Key;
use std::num::NonZeroU64;

const BITS_PER_LEVEL: u32 = 6;
const SLOTS_PER_LEVEL: usize = 1 << BITS_PER_LEVEL;
const LEVELS: usize = u64::BITS.div_ceil(BITS_PER_LEVEL) as usize;

/// Entries that each wait for a tick, and come out when it has passed.
pub(crate) struct Wheel<T> {
    entries: Nodes<Entry<T>>,
    levels: [Level; LEVELS],
    /// Bit `n` says that level `n` is not empty.
    occupied_levels: u16,
    /// Everything due up to this tick has fired; every entry's deadline lies after it.
    elapsed: u64,
}

struct Entry<T> {
    deadline: u64,
    value: T,
}

struct Level {
    slots: [Slot; SLOTS_PER_LEVEL],
    /// Bit `n` says that slot `n` is not empty.
    occupied: u64,
}

struct Slot {
    entries: List,
    /// No deadline in this slot is earlier. It may be too low (it is not raised when the earliest
    /// entry is disarmed, which would mean a search), and then the executor wakes once for nothing.
    earliest: u64,
}

/// An entry that has come out of the wheel because its deadline has passed.
pub(crate) struct Fired<T> {
    /// Ticks.
    deadline: u64,
    /// Breaks ties: among equal deadlines the one armed first has the lower number.
    pub(crate) number: NonZeroU64,
    pub(crate) value: T,
}

impl<T> Wheel<T> {
    /// A wheel that stands at tick 0; its first entry gets the number `first`.
    pub(crate) fn numbered_from(first: NonZeroU64) -> Self {
        Wheel {
            entries: Nodes::numbered_from(first),
            levels: [const { Level::EMPTY }; LEVELS],
            occupied_levels: 0,
            elapsed: 0,
        }
    }

    /// Whether an entry with this deadline would have fired already.
    pub(crate) fn is_due(&self, deadline: u64) -> bool {
        deadline <= self.elapsed
    }

    /// Puts an entry on the wheel. One that is due already fires on the next tick.
    pub(crate) fn arm(&mut self, deadline: u64, value: T) -> Key {
        // Every entry lies ahead of the present: `place` depends on it.
        let deadline = deadline.max(self.elapsed.saturating_add(1));
        let key = self.entries.insert(Entry { deadline, value });
        self.link(key, deadline);
        key
    }

    /// Takes an entry off the wheel before it fires. `None` if it is not there any more.
    pub(crate) fn disarm(&mut self, key: Key) -> Option<T> {
        let deadline = self.entries.get(key)?.deadline;
        let (level, slot) = self.place(deadline);
        self.levels[level].slots[slot].entries.unlink(&mut self.entries, key);
        self.note_if_empty(level, slot);
        self.entries.remove(key).map(|entry| entry.value)
    }

    /// What an entry will hand back when it fires. `None` if it is not on the wheel any more.
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    /// The tick at which to look again: that of the earliest deadline, or a little before it if an
    /// entry that was still earlier has been disarmed. `None` if the wheel is empty.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let (level, slot) = self.first_occupied()?;
        Some(self.levels[level].slots[slot].earliest)
    }

    /// Moves the present to tick `now` and takes out all that is due, in the order of deadlines,
    /// and of arming where deadlines are equal.
    ///
    /// A `now` before the present changes nothing.
    pub(crate) fn advance(&mut self, now: u64) -> Vec<Fired<T>> {
        let mut fired = Vec::new();
        while let Some((level, slot)) = self.first_occupied() {
            let start = first_tick(self.elapsed, level, slot);
            if start > now {
                break;
            }
            self.elapsed = start;
            self.empty_slot(level, slot, now, &mut fired);
        }
        self.elapsed = self.elapsed.max(now);
        fired.sort_unstable_by_key(|fired| (fired.deadline, fired.number));
        fired
    }

    /// Every entry's deadline and number, and what it will hand back.
    #[cfg(test)]
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, NonZeroU64, &T)> {
        self.entries.iter().map(|(key, entry)| (entry.deadline, key.number, &entry.value))
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The number that the next entry will get.
    pub(crate) fn next_number(&self) -> NonZeroU64 {
        self.entries.next_number()
    }

    /// The present has reached a slot: what is due by `now` fires, the rest cascades.
    fn empty_slot(&mut self, level: usize, slot: usize, now: u64, fired: &mut Vec<Fired<T>>) {
        let mut list = std::mem::replace(&mut self.levels[level].slots[slot].entries, List::EMPTY);
        self.note_if_empty(level, slot);
        while let Some(key) = list.pop_front(&mut self.entries) {
            let deadline = self.entries.get(key).expect("a listed entry").deadline;
            if deadline > now {
                self.link(key, deadline);
                continue;
            }
            let entry = self.entries.remove(key).expect("a listed entry");
            fired.push(Fired {
                deadline,
                number: key.number,
                value: entry.value,
            });
        }
    }

    fn link(&mut self, key: Key, deadline: u64) {
        let (level, slot) = self.place(deadline);
        self.occupied_levels |= 1 << level;
        let level = &mut self.levels[level];
        let was_empty = level.occupied & (1 << slot) == 0;
        level.occupied |= 1 << slot;
        let slot = &mut level.slots[slot];
        slot.earliest = if was_empty { deadline } else { slot.earliest.min(deadline) };
        slot.entries.push_back(&mut self.entries, key);
    }

    fn note_if_empty(&mut self, level_index: usize, slot: usize) {
        let level = &mut self.levels[level_index];
        if level.slots[slot].entries.is_empty() {
            level.occupied &= !(1 << slot);
            if level.occupied == 0 {
                self.occupied_levels &= !(1 << level_index);
            }
        }
    }

    fn place(&self, deadline: u64) -> (usize, usize) {
        let level = level_of(self.elapsed, deadline);
        (level, slot_of(deadline, level))
    }

    fn first_occupied(&self) -> Option<(usize, usize)> {
        if self.occupied_levels == 0 {
            return None;
        }
        let level = self.occupied_levels.trailing_zeros() as usize;
        Some((level, self.levels[level].occupied.trailing_zeros() as usize))
    }
}

/// The level of the highest digit in which the two differ.
fn level_of(elapsed: u64, deadline: u64) -> usize {
    // `| 1` so that equal ticks, which differ nowhere, count as level 0.
    let highest_bit = ((elapsed ^ deadline) | 1).ilog2();
    (highest_bit / BITS_PER_LEVEL) as usize
}

/// The digit of `deadline` on `level`.
fn slot_of(deadline: u64, level: usize) -> usize {
    (deadline >> (level as u32 * BITS_PER_LEVEL)) as usize % SLOTS_PER_LEVEL
}

/// The first tick of a slot ahead of `elapsed`: its higher digits, then `slot`, then zeros.
fn first_tick(elapsed: u64, level: usize, slot: usize) -> u64 {
    let digit = level as u32 * BITS_PER_LEVEL;
    let above = elapsed.checked_shr(digit + BITS_PER_LEVEL).unwrap_or(0);
    let above = above.checked_shl(digit + BITS_PER_LEVEL).unwrap_or(0);
    above | (slot as u64) << digit
}

impl Level {
    const EMPTY: Level = Level {
        slots: [const {
            Slot {
                entries: List::EMPTY,
                earliest: 0,
            }
        }; SLOTS_PER_LEVEL],
        occupied: 0,
    };
}

#[cfg(test)]
#[path = "wheel_tests.rs"]
mod tests;
