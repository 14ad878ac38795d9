//! The slab against a map from index to number and value, under random inserts and removes with
//! live keys and stale ones.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug)]
enum Op {
    Insert,
    /// With any key that was ever given out, counted from the latest: many are stale.
    Remove(usize),
    Write(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => Just(Op::Insert),
        4 => (0..20usize).prop_map(Op::Remove),
        2 => (0..20usize).prop_map(Op::Write),
    ]
}

/// A slab, and what it must look like.
struct Model {
    slab: Slab<usize>,
    first: NonZeroU64,
    full: BTreeMap<u32, (NonZeroU64, usize)>,
    /// All that were ever given out.
    keys: Vec<Key>,
    peak: usize,
}

impl Model {
    fn numbered_from(first: NonZeroU64) -> Model {
        Model {
            slab: Slab::numbered_from(first),
            first,
            full: BTreeMap::new(),
            keys: Vec::new(),
            peak: 0,
        }
    }

    fn apply(&mut self, op: Op, value: usize) {
        match op {
            Op::Insert => self.insert(value),
            Op::Remove(nth) => {
                let Some(key) = self.key(nth) else { return };
                let expected = self.expected(key);
                if expected.is_some() {
                    self.full.remove(&key.index);
                }
                assert_eq!(self.slab.remove(key), expected);
            }
            Op::Write(nth) => {
                let Some(key) = self.key(nth) else { return };
                assert_eq!(self.slab.get_mut(key).copied(), self.expected(key));
                if let Some(content) = self.slab.get_mut(key) {
                    *content = value;
                    self.full.insert(key.index, (key.number, value));
                }
            }
        }
    }

    fn insert(&mut self, value: usize) {
        let number = self.first.checked_add(self.keys.len() as u64).unwrap();
        assert_eq!(self.slab.next_number(), number);
        let key = self.slab.insert(value);
        assert_eq!(key.number, number, "numbers count up and are never used again");
        let previous = self.full.insert(key.index, (number, value));
        assert_eq!(previous, None, "the slot was taken");
        self.peak = self.peak.max(self.full.len());
        self.keys.push(key);
    }

    fn key(&self, nth_latest: usize) -> Option<Key> {
        self.keys.iter().rev().nth(nth_latest).copied()
    }

    fn expected(&self, key: Key) -> Option<usize> {
        let &(number, value) = self.full.get(&key.index)?;
        (number == key.number).then_some(value)
    }

    /// Compares all that can be asked.
    fn check(&mut self) {
        assert_eq!(self.slab.len(), self.full.len());
        for &key in &self.keys {
            assert_eq!(self.slab.get(key).copied(), self.expected(key));
        }
        let slots = self.peak as u32;
        for index in 0..slots + 2 {
            let expected = self.full.get(&index).copied();
            let at = self.slab.at(index).map(|(number, &value)| (number, value));
            assert_eq!(at, expected);
            let at = self.slab.at_mut(index).map(|(number, &mut value)| (number, value));
            assert_eq!(at, expected);
        }
        let everything = self.slab.iter().map(|(key, &value)| (key.index, (key.number, value)));
        assert!(everything.eq(self.full.clone()));
        assert_eq!(self.slab.slots.len(), self.peak, "holes are filled before the slab grows");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_slab_is_a_map_whose_keys_are_never_mistaken(
        first in prop_oneof![Just(1), 1..u64::MAX / 2],
        ops in prop::collection::vec(op(), 0..100),
    ) {
        let mut model = Model::numbered_from(NonZeroU64::new(first).unwrap());
        for (value, op) in ops.into_iter().enumerate() {
            model.apply(op, value);
            model.check();
        }
    }
}

fn empty<T>() -> Slab<T> {
    Slab::numbered_from(NonZeroU64::MIN)
}

#[test]
fn a_key_finds_its_value_until_it_is_removed() {
    let mut slab = empty();
    let key = slab.insert("a");
    assert_eq!(slab.get(key), Some(&"a"));
    *slab.get_mut(key).unwrap() = "b";
    assert_eq!(slab.remove(key), Some("b"));
    assert_eq!(slab.get(key), None);
    assert_eq!(slab.get_mut(key), None);
    assert_eq!(slab.remove(key), None);
    assert_eq!(slab.len(), 0);
}

#[test]
fn a_stale_key_does_not_find_what_lives_there_now() {
    let mut slab = empty();
    let old = slab.insert("old");
    slab.remove(old);
    let new = slab.insert("new");
    assert_eq!(new.index, old.index);
    assert_eq!(slab.get(old), None);
    assert_eq!(slab.get_mut(old), None);
    assert_eq!(slab.remove(old), None);
    assert_eq!(slab.remove(new), Some("new"));
}

#[test]
fn the_hole_that_was_left_last_is_filled_first() {
    let mut slab = empty();
    let keys = ["a", "b", "c", "d"].map(|value| slab.insert(value));
    slab.remove(keys[2]);
    slab.remove(keys[0]);
    let indexes = ["e", "f", "g"].map(|value| slab.insert(value).index);
    assert_eq!(indexes, [0, 2, 4]);
    let values: Vec<_> = slab.iter().map(|(key, &value)| (key.number.get(), value)).collect();
    assert_eq!(values, [(5, "e"), (2, "b"), (6, "f"), (4, "d"), (7, "g")]);
}

#[test]
fn numbers_go_on_where_an_earlier_slab_stopped() {
    let mut earlier = empty();
    let stale = earlier.insert("earlier");
    let mut later = Slab::numbered_from(earlier.next_number());
    let key = later.insert("later");
    assert_eq!((key.index, key.number.get()), (0, 2));
    assert_eq!(later.get(stale), None);
}

#[test]
fn there_is_nothing_beyond_the_last_slot() {
    let mut slab = empty();
    let key = slab.insert("only");
    assert_eq!(slab.at(key.index), Some((key.number, &"only")));
    for index in [1, u32::MAX] {
        assert_eq!(slab.at(index), None);
        assert_eq!(slab.at_mut(index), None);
        assert_eq!(slab.get(Key { index, ..key }), None);
    }
}
