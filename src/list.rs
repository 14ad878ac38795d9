//! Doubly linked lists without pointers: the links are indexes into one slab.
//!
//! Those who wait, for a time or for one another, stand in lists: join at the back, leave from the
//! front when it is their turn, and leave from the *middle* when their future is dropped, each in
//! constant time. The usual answer is an intrusive list, whose nodes live inside the futures and
//! point at each other: no allocation, but raw pointers into pinned memory and a page of rules.
//! Here the nodes live in a slab and name each other by index. Nothing can dangle and there is no
//! `unsafe`; the price is one index look-up a step, in memory that is packed closer than futures
//! are.
//!
//! ```text
//!   List { first: 2, last: 0 }
//!
//!   index     0             1             2             3
//!         ┌─────────────┬─────────────┬─────────────┬─────────────┐
//!   Nodes │ prev 3  next│ (in another │ prev    next│ prev 2  next│
//!         │         none│    list)    │ none      3 │           0 │
//!         └─────────────┴─────────────┴─────────────┴─────────────┘
//! ```
//!
//! Many lists share one [`Nodes`]; a node is in at most one of them at a time. A [`List`] is two
//! numbers, so a wheel can afford 704 of them.
//!
//! Next: `time/wheel.rs`, which has a list in each slot.

use crate::slab::{Key, Slab};
use std::num::NonZeroU64;

/// The nodes of any number of [`List`]s.
pub(crate) struct Nodes<T> {
    slab: Slab<Node<T>>,
}

struct Node<T> {
    prev: u32,
    next: u32,
    value: T,
}

/// The two ends of a list.
///
/// All verbs take the [`Nodes`] that the list lives in. To hand a list other nodes than its own is
/// a mistake of this crate's, not of its user's, and panics or mixes lists up.
pub(crate) struct List {
    first: u32,
    last: u32,
}

/// Stands where an index could: nothing before, nothing after, nothing in the list.
const NONE: u32 = u32::MAX;

impl<T> Nodes<T> {
    /// No nodes; the first to come gets the number `first`.
    pub(crate) const fn numbered_from(first: NonZeroU64) -> Self {
        Nodes {
            slab: Slab::numbered_from(first),
        }
    }

    /// A new node that is in no list yet.
    pub(crate) fn insert(&mut self, value: T) -> Key {
        self.slab.insert(Node {
            prev: NONE,
            next: NONE,
            value,
        })
    }

    /// Takes a node out of the slab. It must be in no list any more, or the list has a hole in it.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.slab.remove(key).map(|node| node.value)
    }

    /// The value of a node, whether it is in a list or not.
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        self.slab.get(key).map(|node| &node.value)
    }

    /// The value of a node, whether it is in a list or not.
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.slab.get_mut(key).map(|node| &mut node.value)
    }

    /// All nodes, in lists or not.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slab.iter().map(|(key, node)| (key, &node.value))
    }

    /// How many nodes there are, in lists or not.
    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    /// The number that the next node will get.
    pub(crate) fn next_number(&self) -> NonZeroU64 {
        self.slab.next_number()
    }

    /// The node that an end of a list names; `None` if the list is empty.
    fn key(&self, index: u32) -> Option<Key> {
        let (number, _) = self.slab.at(index)?;
        Some(Key { index, number })
    }

    fn node(&mut self, index: u32) -> &mut Node<T> {
        self.slab.at_mut(index).expect("a link led to a hole").1
    }
}

impl List {
    /// A list with nothing in it.
    pub(crate) const EMPTY: List = List {
        first: NONE,
        last: NONE,
    };

    /// Whether there is nothing in the list.
    pub(crate) fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// Puts a node, which is in no list, at the end of this one.
    pub(crate) fn push_back<T>(&mut self, nodes: &mut Nodes<T>, key: Key) {
        let last = std::mem::replace(&mut self.last, key.index);
        let node = nodes.node(key.index);
        node.prev = last;
        node.next = NONE;
        match last {
            NONE => self.first = key.index,
            last => nodes.node(last).next = key.index,
        }
    }

    /// The first node.
    pub(crate) fn first<T>(&self, nodes: &Nodes<T>) -> Option<Key> {
        nodes.key(self.first)
    }

    /// Takes the first node out of the list (but not out of the slab).
    pub(crate) fn pop_front<T>(&mut self, nodes: &mut Nodes<T>) -> Option<Key> {
        let key = nodes.key(self.first)?;
        self.unlink(nodes, key);
        Some(key)
    }

    /// Takes the last node out of the list (but not out of the slab).
    pub(crate) fn pop_back<T>(&mut self, nodes: &mut Nodes<T>) -> Option<Key> {
        let key = nodes.key(self.last)?;
        self.unlink(nodes, key);
        Some(key)
    }

    /// Takes a node out of the list that it is in, which must be this one; it stays in the slab.
    pub(crate) fn unlink<T>(&mut self, nodes: &mut Nodes<T>, key: Key) {
        let node = nodes.node(key.index);
        let prev = std::mem::replace(&mut node.prev, NONE);
        let next = std::mem::replace(&mut node.next, NONE);
        match prev {
            NONE => self.first = next,
            prev => nodes.node(prev).next = next,
        }
        match next {
            NONE => self.last = prev,
            next => nodes.node(next).prev = prev,
        }
    }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
