// Exercise 12, wrong: a tick fires, and then what begins at it cascades.

use std::array;
use std::mem;

/// Slots of a level.
const SLOTS: u64 = 64;

/// Ticks that level 1 spans: from one multiple of this to the next is a round.
const ROUND: u64 = SLOTS * SLOTS;

/// Entries that each wait for a tick, and come out when the present has reached it.
///
/// At any time the place of an entry follows from the present and its deadline alone, by `slot`. So
/// entries with equal deadlines lie in the same slot, and they stay in the order of arming.
pub struct Wheel<T> {
    /// The present. All that was due up to here has fired.
    now: u64,
    /// What is due within this slot of level 1. Here a slot is a tick.
    level_0: [Vec<Entry<T>>; SLOTS as usize],
    /// What is due within this round. Here a slot is 64 ticks.
    level_1: [Vec<Entry<T>>; SLOTS as usize],
    /// What is due in a later round.
    far: Vec<Entry<T>>,
    /// How many entries there have been.
    count: u64,
    moves: usize,
}

struct Entry<T> {
    key: Key,
    value: T,
}

/// Which entry. Its slot can be computed from the deadline, wherever it has gone meanwhile.
#[derive(Clone, Copy, PartialEq)]
pub struct Key {
    deadline: u64,
    number: u64,
}

impl<T> Wheel<T> {
    /// A wheel that stands at tick 0.
    pub fn new() -> Wheel<T> {
        Wheel {
            now: 0,
            level_0: array::from_fn(|_| Vec::new()),
            level_1: array::from_fn(|_| Vec::new()),
            far: Vec::new(),
            count: 0,
            moves: 0,
        }
    }

    /// Puts an entry on the wheel. One that is due already fires on the next tick.
    pub fn arm(&mut self, deadline: u64, value: T) -> Key {
        self.count += 1;
        let key = Key {
            deadline: deadline.max(self.now + 1),
            number: self.count,
        };
        self.put(Entry { key, value });
        key
    }

    /// Takes an entry off the wheel. `None` if it is not there any more.
    pub fn disarm(&mut self, key: Key) -> Option<T> {
        let slot = self.slot(key.deadline);
        let place = slot.iter().position(|entry| entry.key == key)?;
        // Not `swap_remove`: the others stay in order.
        Some(slot.remove(place).value)
    }

    /// Moves the present to tick `now`, and takes out all that is due, in the order of deadlines,
    /// and of arming where deadlines are equal. A tick that is over changes nothing.
    pub fn advance(&mut self, now: u64) -> Vec<T> {
        let mut fired = Vec::new();
        while self.now < now {
            self.now += 1;
            let due = mem::take(&mut self.level_0[(self.now % SLOTS) as usize]);
            fired.extend(due.into_iter().map(|entry| entry.value));
            self.cascade();
        }
        fired
    }

    /// How often an entry has been put into a slot.
    pub fn moves(&self) -> usize {
        self.moves
    }

    /// Where a slot of level 1 or a round begins, what is due in it is put anew.
    fn cascade(&mut self) {
        if self.now.is_multiple_of(ROUND) {
            let far = mem::take(&mut self.far);
            far.into_iter().for_each(|entry| self.put(entry));
        }
        if self.now.is_multiple_of(SLOTS) {
            let slot = mem::take(&mut self.level_1[(self.now / SLOTS % SLOTS) as usize]);
            slot.into_iter().for_each(|entry| self.put(entry));
        }
    }

    fn put(&mut self, entry: Entry<T>) {
        self.moves += 1;
        self.slot(entry.key.deadline).push(entry);
    }

    /// Where an entry with this deadline is, now. What decides is the highest digit, to the base
    /// 64, in which the deadline differs from the present, and not how far away it is.
    fn slot(&mut self, deadline: u64) -> &mut Vec<Entry<T>> {
        let differs = self.now ^ deadline;
        if differs < SLOTS {
            &mut self.level_0[(deadline % SLOTS) as usize]
        } else if differs < ROUND {
            &mut self.level_1[(deadline / SLOTS % SLOTS) as usize]
        } else {
            &mut self.far
        }
    }
}
