// Exercise 12: a timing wheel of two levels, and a place for what is farther away. The task is in
// README.md.

use std::array;
use std::mem;

/// Slots of a level.
const SLOTS: u64 = 64;

/// Ticks that level 1 spans: from one multiple of this to the next is a round.
const ROUND: u64 = SLOTS * SLOTS;

/// Entries that each wait for a tick, and come out when the present has reached it.
pub struct Wheel<T> {
    /// The present. All that was due up to here has fired.
    now: u64,
    /// Here a slot is a tick.
    level_0: [Vec<Entry<T>>; SLOTS as usize],
    /// Here a slot is 64 ticks.
    level_1: [Vec<Entry<T>>; SLOTS as usize],
    /// What does not fit on level 1.
    far: Vec<Entry<T>>,
    moves: usize,
}

struct Entry<T> {
    deadline: u64,
    value: T,
}

/// Which entry.
#[derive(Clone, Copy)]
pub struct Key {
    // What must it know to find its entry, wherever that has gone meanwhile?
}

impl<T> Wheel<T> {
    /// A wheel that stands at tick 0.
    pub fn new() -> Wheel<T> {
        Wheel {
            now: 0,
            level_0: array::from_fn(|_| Vec::new()),
            level_1: array::from_fn(|_| Vec::new()),
            far: Vec::new(),
            moves: 0,
        }
    }

    /// Puts an entry on the wheel. One that is due already fires on the next tick.
    pub fn arm(&mut self, deadline: u64, value: T) -> Key {
        todo!("`arm`: put an entry into its slot, and give its key")
    }

    /// Takes an entry off the wheel. `None` if it is not there any more.
    pub fn disarm(&mut self, key: Key) -> Option<T> {
        todo!("`disarm`: find the entry, and take it out")
    }

    /// Moves the present to tick `now`, and takes out all that is due, in the order of deadlines,
    /// and of arming where deadlines are equal. A tick that is over changes nothing.
    pub fn advance(&mut self, now: u64) -> Vec<T> {
        todo!("`advance`: for each tick, cascade and fire")
    }

    /// How often an entry has been put into a slot.
    pub fn moves(&self) -> usize {
        self.moves
    }

    /// All go through here, when they are armed and when they cascade: it counts.
    fn put(&mut self, entry: Entry<T>) {
        self.moves += 1;
        todo!("`put`: which level, and which slot?")
    }
}
