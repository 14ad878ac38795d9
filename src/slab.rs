//! Slots that are used again, and keys that cannot be mistaken.
//!
//! An executor keeps things that come and go a million times: tasks, timers. A [`Slab`]
//! is a vector with holes. Inserting fills a hole, removing leaves one, and nothing ever moves to
//! another index, so an index is an address.
//!
//! An address that is used again is dangerous: somebody may still hold the index of what lived
//! there before. So every insert gets the next *number*, which is never given out twice, and a
//! [`Key`] is the index together with the number. A key whose number is not the one in the slot is
//! stale, and a stale key is simply not found (*Stale Names Are Harmless*).
//!
//! ```text
//!   index      0          1          2          3
//!          ┌──────────┬──────────┬──────────┬──────────┐
//!   slots  │ no. 1  A │ hole ──┐ │ no. 7  D │ hole, end│     Key { index: 1, number: 2 }
//!          └──────────┴────────┼─┴──────────┴──────────┘     was B's: not found any more
//!                        ▲     └───────────────▲
//!                  first hole
//! ```
//!
//! Left out: shrinking. A slab keeps the room it has once needed.
//!
//! Next in the core walk: `name.rs`, where a key becomes something a waker can carry.

use std::num::NonZeroU64;

/// Where something lives in a [`Slab`], and which one it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Key {
    /// The slot. Used again after a remove.
    pub(crate) index: u32,
    /// The how-many-th insert this was. Never used again.
    pub(crate) number: NonZeroU64,
}

/// A growable set of slots, each found by its [`Key`] in constant time.
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// The hole to fill first, or [`NO_HOLE`].
    first_hole: u32,
    next_number: NonZeroU64,
    len: usize,
}

struct Slot<T> {
    /// The number of the last insert here. A hole keeps it; harmless, since a look-up also asks
    /// whether the slot is full.
    number: NonZeroU64,
    content: Content<T>,
}

enum Content<T> {
    Full(T),
    Hole { next: u32 },
}

const NO_HOLE: u32 = u32::MAX;

impl<T> Slab<T> {
    /// An empty slab whose first insert gets the number `first`.
    ///
    /// A slab that stands in the place of an earlier one goes on where that one stopped, so that
    /// keys which outlived it are stale here too. (`mailbox.rs` says when that happens.)
    pub(crate) const fn numbered_from(first: NonZeroU64) -> Self {
        Slab {
            slots: Vec::new(),
            first_hole: NO_HOLE,
            next_number: first,
            len: 0,
        }
    }

    /// Puts `value` into the first hole, or into a new slot at the end.
    pub(crate) fn insert(&mut self, value: T) -> Key {
        let number = self.next_number;
        self.next_number = number.checked_add(1).expect("2^64 inserts take centuries");
        self.len += 1;
        let full = Slot {
            number,
            content: Content::Full(value),
        };
        let Some(hole) = self.slots.get_mut(self.first_hole as usize) else {
            let index = u32::try_from(self.slots.len()).ok().filter(|&index| index != NO_HOLE);
            let index = index.expect("a slab holds fewer than 2^32 things");
            if self.slots.len() == self.slots.capacity() {
                // A quarter more, where `push` would double: the room that is left over counts for
                // every idle task.
                self.slots.reserve_exact(self.slots.len() / 4 + 4);
            }
            self.slots.push(full);
            return Key { index, number };
        };
        let index = self.first_hole;
        match hole.content {
            Content::Hole { next } => self.first_hole = next,
            Content::Full(_) => unreachable!("the list of holes led to a full slot"),
        }
        *hole = full;
        Key { index, number }
    }

    /// Takes out what `key` names and leaves a hole, or `None` if the key is stale.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let slot =
            self.slots.get_mut(key.index as usize).filter(|slot| slot.number == key.number)?;
        let hole = Content::Hole {
            next: self.first_hole,
        };
        match std::mem::replace(&mut slot.content, hole) {
            Content::Full(value) => {
                self.first_hole = key.index;
                self.len -= 1;
                Some(value)
            }
            hole => {
                slot.content = hole;
                None
            }
        }
    }

    /// What `key` names, or `None` if the key is stale.
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        match self.slots.get(key.index as usize) {
            Some(slot) if slot.number == key.number => slot.value(),
            _ => None,
        }
    }

    /// What `key` names, or `None` if the key is stale.
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.slots.get_mut(key.index as usize) {
            Some(slot) if slot.number == key.number => slot.value_mut(),
            _ => None,
        }
    }

    /// What lives at `index`, together with its number, or `None` if that is a hole. For those who
    /// know that what they look for is still there: the run queue, the links of a list.
    pub(crate) fn at(&self, index: u32) -> Option<(NonZeroU64, &T)> {
        let slot = self.slots.get(index as usize)?;
        Some((slot.number, slot.value()?))
    }

    /// What lives at `index`, together with its number, or `None` if that is a hole.
    pub(crate) fn at_mut(&mut self, index: u32) -> Option<(NonZeroU64, &mut T)> {
        let slot = self.slots.get_mut(index as usize)?;
        Some((slot.number, slot.value_mut()?))
    }

    /// Everything in the slab, in the order of the slots (not of the inserts).
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let key = Key {
                index: index as u32,
                number: slot.number,
            };
            Some((key, slot.value()?))
        })
    }

    /// How many things are in the slab.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The number that the next insert will get.
    pub(crate) fn next_number(&self) -> NonZeroU64 {
        self.next_number
    }
}

impl<T> Slot<T> {
    fn value(&self) -> Option<&T> {
        match &self.content {
            Content::Full(value) => Some(value),
            Content::Hole { .. } => None,
        }
    }

    fn value_mut(&mut self) -> Option<&mut T> {
        match &mut self.content {
            Content::Full(value) => Some(value),
            Content::Hole { .. } => None,
        }
    }
}

#[cfg(test)]
#[path = "slab_tests.rs"]
mod tests;
