//! What a family of tokens keeps: never more than its living tokens and waiters need.

use super::*;
use proptest::prelude::*;

/// How many nodes and wakers there are in a token's family.
fn size(token: &CancellationToken) -> (usize, usize) {
    token.family.look(|family| (family.nodes.len(), family.wakers.len()))
}

fn poll<T: Future + Unpin>(future: &mut T) -> bool {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn children_and_waiters_that_come_and_go_leave_nothing() {
    let token = CancellationToken::new();
    for _ in 0..1_000_000 {
        let child = token.child_token();
        assert!(!poll(&mut child.cancelled_owned()));
    }
    assert_eq!(size(&token), (1, 0));
}

#[test]
fn a_chain_whose_upper_tokens_are_dropped_is_one_node() {
    let mut token = CancellationToken::new();
    for _ in 0..1_000 {
        token = token.child_token();
        assert_eq!(size(&token), (1, 0));
    }
    assert!(!token.is_cancelled());
}

#[test]
fn a_node_without_tokens_stays_while_it_joins_two() {
    let root = CancellationToken::new();
    let middle = root.child_token();
    let [a, b, c] = [(); 3].map(|()| middle.child_token());
    drop(middle);
    assert_eq!(size(&root), (5, 0));
    drop(a);
    assert_eq!(size(&root), (4, 0));
    drop(b);
    assert_eq!(size(&root), (2, 0));
    root.cancel();
    assert!(c.is_cancelled());
    assert_eq!(size(&root), (0, 0));
}

#[test]
fn cancelling_a_child_prunes_the_parent_that_nobody_holds() {
    let root = CancellationToken::new();
    let middle = root.child_token();
    let [a, b] = [(); 2].map(|()| middle.child_token());
    drop(middle);
    a.cancel();
    assert_eq!(size(&root), (2, 0));
    root.cancel();
    assert!(b.is_cancelled());
}

#[test]
fn a_waiter_that_was_forgotten_goes_with_the_last_token() {
    let token = CancellationToken::new();
    let waiter = token.child_token();
    let mut forgotten = waiter.cancelled();
    assert!(!poll(&mut forgotten));
    mem::forget(forgotten);
    assert_eq!(size(&token), (2, 1));
    drop(waiter);
    assert_eq!(size(&token), (1, 0));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Child(usize),
    Clone(usize),
    Drop(usize),
    Cancel(usize),
    Wait(usize),
    Forgo(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..1000_usize;
    prop_oneof![
        4 => any().prop_map(Step::Child),
        1 => any().prop_map(Step::Clone),
        4 => any().prop_map(Step::Drop),
        1 => any().prop_map(Step::Cancel),
        2 => any().prop_map(Step::Wait),
        1 => any().prop_map(Step::Forgo),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn there_are_at_most_twice_as_many_nodes_as_tokens(
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let root = CancellationToken::new();
        let mut tokens = vec![root.clone()];
        let mut waits = Vec::new();
        for step in steps {
            match step {
                Step::Child(n) => tokens.push(tokens[n % tokens.len()].child_token()),
                Step::Clone(n) => tokens.push(tokens[n % tokens.len()].clone()),
                Step::Drop(n) if tokens.len() > 1 => {
                    tokens.swap_remove(n % tokens.len());
                }
                Step::Cancel(n) => tokens[n % tokens.len()].cancel(),
                Step::Wait(n) => {
                    let mut wait = tokens[n % tokens.len()].clone().cancelled_owned();
                    let _done = poll(&mut wait);
                    waits.push(wait);
                }
                Step::Forgo(n) if !waits.is_empty() => {
                    drop(waits.swap_remove(n % waits.len()));
                }
                Step::Drop(_) | Step::Forgo(_) => {}
            }
            waits.retain_mut(|wait| !poll(wait));
            let (nodes, wakers) = size(&root);
            prop_assert!(nodes < 2 * (1 + tokens.len() + waits.len()));
            prop_assert_eq!(wakers, waits.len());
        }
        drop((tokens, waits));
        let expected = if root.is_cancelled() { 0 } else { 1 };
        prop_assert_eq!(size(&root), (expected, 0));
    }
}
