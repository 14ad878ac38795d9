//! Several lists over one set of nodes against as many `VecDeque`s, under random pushes, pops,
//! unlinks and moves. Both ends are asked for, and the links walked in both directions, after each
//! step.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

const LISTS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Op {
    Push { to: usize },
    PopFront { from: usize },
    PopBack { from: usize },
    Unlink { from: usize, at: usize },
    Move { from: usize, at: usize, to: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let (list, at) = (0..LISTS, 0..100usize);
    prop_oneof![
        4 => list.clone().prop_map(|to| Op::Push { to }),
        1 => list.clone().prop_map(|from| Op::PopFront { from }),
        1 => list.clone().prop_map(|from| Op::PopBack { from }),
        2 => (list.clone(), at.clone()).prop_map(|(from, at)| Op::Unlink { from, at }),
        3 => (list.clone(), at, list).prop_map(|(from, at, to)| Op::Move { from, at, to }),
    ]
}

/// Lists, and what must be in them.
struct Model {
    nodes: Nodes<usize>,
    lists: [List; LISTS],
    expected: [VecDeque<(Key, usize)>; LISTS],
}

impl Model {
    fn new() -> Model {
        Model {
            nodes: Nodes::numbered_from(NonZeroU64::MIN),
            lists: [List::EMPTY; LISTS],
            expected: Default::default(),
        }
    }

    fn apply(&mut self, op: Op, value: usize) {
        match op {
            Op::Push { to } => {
                let key = self.nodes.insert(value);
                self.lists[to].push_back(&mut self.nodes, key);
                self.expected[to].push_back((key, value));
            }
            Op::PopFront { from } => self.pop_front(from),
            Op::PopBack { from } => self.pop_back(from),
            Op::Unlink { from, at } => {
                let Some((key, value)) = self.unlink(from, at) else {
                    return;
                };
                assert_eq!(self.nodes.remove(key), Some(value));
            }
            Op::Move { from, at, to } => {
                let Some((key, value)) = self.unlink(from, at) else {
                    return;
                };
                self.lists[to].push_back(&mut self.nodes, key);
                self.expected[to].push_back((key, value));
            }
        }
    }

    fn pop_front(&mut self, from: usize) {
        let expected = self.expected[from].pop_front();
        let key = self.lists[from].pop_front(&mut self.nodes);
        self.remove(key, expected);
    }

    fn pop_back(&mut self, from: usize) {
        let expected = self.expected[from].pop_back();
        let key = self.lists[from].pop_back(&mut self.nodes);
        self.remove(key, expected);
    }

    fn remove(&mut self, popped: Option<Key>, expected: Option<(Key, usize)>) {
        assert_eq!(popped, expected.map(|(key, _)| key));
        if let Some((key, value)) = expected {
            assert_eq!(self.nodes.remove(key), Some(value));
        }
    }

    fn unlink(&mut self, from: usize, at: usize) -> Option<(Key, usize)> {
        let at = at.checked_rem(self.expected[from].len())?;
        let (key, value) = self.expected[from].remove(at)?;
        self.lists[from].unlink(&mut self.nodes, key);
        Some((key, value))
    }

    /// Compares the first nodes, and all links in both directions.
    fn check(&self) {
        for (list, expected) in self.lists.iter().zip(&self.expected) {
            let forwards: Vec<_> = expected.iter().map(|(key, _)| key.index).collect();
            let backwards: Vec<_> = forwards.iter().rev().copied().collect();
            assert_eq!(walk(&self.nodes, list.first, |node| node.next), forwards);
            assert_eq!(walk(&self.nodes, list.last, |node| node.prev), backwards);
            assert_eq!(list.is_empty(), expected.is_empty());
            assert_eq!(list.first(&self.nodes), expected.front().map(|&(key, _)| key));
            for &(key, value) in expected {
                assert_eq!(self.nodes.get(key), Some(&value));
            }
        }
        let listed: usize = self.expected.iter().map(VecDeque::len).sum();
        assert_eq!(self.nodes.len(), listed);
    }
}

/// The indexes of the nodes from one end of a list to the other.
fn walk<T>(nodes: &Nodes<T>, from: u32, step: impl Fn(&Node<T>) -> u32) -> Vec<u32> {
    let link = |index: u32| (index != NONE).then_some(index);
    let steps = std::iter::successors(link(from), |&index| {
        let (_, node) = nodes.slab.at(index).expect("a link led to a hole");
        link(step(node))
    });
    // One more than there can be, so that a ring is seen and not followed for ever.
    steps.take(nodes.len() + 1).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lists_are_queues_that_nodes_can_leave_from_the_middle(
        ops in prop::collection::vec(op(), 0..100),
    ) {
        let mut model = Model::new();
        for (value, op) in ops.into_iter().enumerate() {
            model.apply(op, value);
            model.check();
        }
        for list in 0..LISTS {
            // Once more than there are nodes: an empty list has no first one, and no last.
            for nth in 0..=model.expected[list].len() {
                match nth % 2 {
                    0 => model.pop_front(list),
                    _ => model.pop_back(list),
                }
            }
        }
        prop_assert_eq!(model.nodes.len(), 0);
        model.check();
    }
}

/// Nodes with these values, all in one list.
fn list_of<const N: usize>(values: [char; N]) -> (Nodes<char>, List, [Key; N]) {
    let mut nodes = Nodes::numbered_from(NonZeroU64::MIN);
    let mut list = List::EMPTY;
    let keys = values.map(|value| {
        let key = nodes.insert(value);
        list.push_back(&mut nodes, key);
        key
    });
    (nodes, list, keys)
}

fn pop_all(list: &mut List, nodes: &mut Nodes<char>) -> String {
    // One more than there can be, so that a ring is seen and not popped for ever.
    let most = nodes.len() + 1;
    let pop = || {
        let key = list.pop_front(nodes)?;
        nodes.get(key).copied()
    };
    std::iter::from_fn(pop).take(most).collect()
}

#[test]
fn what_was_pushed_first_is_popped_first() {
    let (mut nodes, mut list, keys) = list_of(['a', 'b', 'c']);
    assert_eq!(list.pop_front(&mut nodes), Some(keys[0]));
    assert_eq!(pop_all(&mut list, &mut nodes), "bc");
    assert!(list.is_empty());
    assert_eq!(list.pop_front(&mut nodes), None);
}

#[test]
fn what_was_pushed_last_can_be_popped_first() {
    let (mut nodes, mut list, keys) = list_of(['a', 'b', 'c']);
    assert_eq!(list.pop_back(&mut nodes), Some(keys[2]));
    assert_eq!(list.pop_back(&mut nodes), Some(keys[1]));
    assert_eq!(list.first(&nodes), Some(keys[0]));
    assert_eq!(list.pop_back(&mut nodes), Some(keys[0]));
    assert!(list.is_empty());
    assert_eq!(list.pop_back(&mut nodes), None);
    assert_eq!(list.first(&nodes), None);
}

#[test]
fn any_node_can_be_unlinked() {
    for (nth, rest) in ["bcd", "acd", "abd", "abc"].into_iter().enumerate() {
        let (mut nodes, mut list, keys) = list_of(['a', 'b', 'c', 'd']);
        list.unlink(&mut nodes, keys[nth]);
        assert_eq!(pop_all(&mut list, &mut nodes), rest);
    }
}

#[test]
fn unlinking_the_only_node_empties_the_list() {
    let (mut nodes, mut list, [key]) = list_of(['a']);
    list.unlink(&mut nodes, key);
    assert!(list.is_empty());
    list.push_back(&mut nodes, key);
    assert_eq!(pop_all(&mut list, &mut nodes), "a");
}

#[test]
fn a_node_outside_of_all_lists_keeps_its_value() {
    let (mut nodes, mut list, [_, b, _]) = list_of(['a', 'b', 'c']);
    list.unlink(&mut nodes, b);
    *nodes.get_mut(b).unwrap() = 'B';
    assert_eq!(nodes.len(), 3);
    assert_eq!(nodes.remove(b), Some('B'));
    assert_eq!(nodes.get(b), None);
    assert_eq!(pop_all(&mut list, &mut nodes), "ac");
}

#[test]
fn a_node_can_move_to_another_list() {
    let (mut nodes, mut left, [_, b, _]) = list_of(['a', 'b', 'c']);
    let mut right = List::EMPTY;
    let d = nodes.insert('d');
    right.push_back(&mut nodes, d);
    left.unlink(&mut nodes, b);
    right.push_back(&mut nodes, b);
    assert_eq!(pop_all(&mut left, &mut nodes), "ac");
    assert_eq!(pop_all(&mut right, &mut nodes), "db");
}
