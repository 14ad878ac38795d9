//! `CancellationToken`: who is cancelled with whom, who is woken and when, what is dropped; with
//! wakers that do their worst, at depth, and from other threads.

#[path = "support/hostile.rs"]
mod hostile;
#[path = "support/programs.rs"]
mod programs;
mod support;

use handspun::sync::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};
use handspun::task::yield_now;
use handspun::time::{Duration, Instant, sleep, timeout};
use handspun::{block_on, spawn};
use hostile::{Call, acts_on, hostile_waker, on_a_small_stack, quietly};
use programs::random_programs;
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn, ready};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;
use support::{
    CountingWaker, History, Wakes, caught, panic_silently, paused, poll_once, poll_with,
};

const MS: Duration = Duration::from_millis(1);

// Who is cancelled with whom.

#[test]
fn clones_are_one_token() {
    let token = CancellationToken::new();
    let clone = token.clone();
    assert_eq!(format!("{clone:?}"), "CancellationToken { is_cancelled: false }");
    drop(token.clone());
    assert!(!token.is_cancelled());
    clone.cancel();
    assert!(token.is_cancelled() && clone.is_cancelled() && clone.clone().is_cancelled());
    assert_eq!(format!("{token:?}"), "CancellationToken { is_cancelled: true }");
}

#[test]
fn a_parent_cancels_its_descendants_and_never_the_reverse() {
    let root = CancellationToken::default();
    let [left, right] = [root.child_token(), root.child_token()];
    let [belowleft, below_right] = [left.child_token(), right.child_token()];
    let state =
        || [&root, &left, &belowleft, &right, &below_right].map(CancellationToken::is_cancelled);
    belowleft.cancel();
    assert_eq!(state(), [false, false, true, false, false]);
    right.cancel();
    assert_eq!(state(), [false, false, true, true, true]);
    root.cancel();
    assert_eq!(state(), [true; 5]);
}

#[test]
fn what_descends_from_a_cancelled_token_is_cancelled() {
    let token = CancellationToken::new();
    token.cancel();
    let child = token.child_token();
    drop(token);
    assert!(child.is_cancelled() && child.child_token().is_cancelled());
    block_on(child.cancelled());
}

#[test]
fn cancellation_passes_through_tokens_that_were_dropped() {
    let root = CancellationToken::new();
    let middle = root.child_token();
    let [a, b] = [middle.child_token(), middle.child_token()];
    let below_b = b.child_token();
    drop((middle, b));
    root.cancel();
    assert!(a.is_cancelled() && below_b.is_cancelled());
}

#[test]
fn dropping_a_token_cancels_nothing() {
    let root = CancellationToken::new();
    let child = root.child_token();
    let below = child.child_token();
    drop(root);
    assert!(!child.is_cancelled());
    drop(child);
    assert!(!below.is_cancelled());
    below.cancel();
    assert!(below.is_cancelled());
}

// Who waits.

#[test]
fn waiting_ends_when_the_token_is_cancelled() {
    let history = History::new();
    paused(async {
        let start = Instant::now();
        let token = CancellationToken::new();
        for name in ["a", "b"] {
            let (stop, history) = (token.child_token(), history.clone());
            spawn(async move {
                stop.cancelled().await;
                history.push(format_args!("{name}: {:?}", start.elapsed()));
            });
        }
        let owned = spawn(token.clone().cancelled_owned());
        spawn(async move {
            sleep(MS * 5).await;
            token.cancel();
        });
        owned.await.unwrap();
        history.push("root: woken");
    });
    history.expect(["a: 5ms", "b: 5ms", "root: woken"]);
}

#[test]
fn waiters_are_woken_once_in_the_order_in_which_they_came() {
    let wakes = Wakes::default();
    let root = CancellationToken::new();
    let [a, b] = [root.child_token(), root.child_token()];
    let mut waits = [&b, &root, &a, &b, &a].map(CancellationToken::cancelled);
    let late = wakes.waker(9);
    for (number, wait) in waits.iter_mut().enumerate() {
        assert!(poll_with(wait, &wakes.waker(number)).is_pending());
    }
    // A waker that is replaced keeps its place; a waiter that has left has none.
    assert!(poll_with(&mut waits[1], &late).is_pending());
    let [first, second, left, fourth, fifth] = waits;
    drop(left);
    root.cancel();
    assert_eq!(wakes.take(), [0, 9, 3, 4]);
    root.cancel();
    a.cancel();
    assert_eq!(wakes.take(), []);
    for mut wait in [first, second, fourth, fifth] {
        assert!(poll_with(&mut wait, &late).is_ready());
        // It stays ready.
        assert!(poll_with(&mut wait, &late).is_ready());
    }
    assert_eq!(wakes.alive(), 1);
}

#[test]
fn every_token_is_cancelled_before_the_first_waiter_is_woken() {
    let root = CancellationToken::new();
    let children: Rc<Vec<_>> = Rc::new((0..10).map(|_| root.child_token()).collect());
    let seen = Rc::new(RefCell::new(Vec::new()));
    let mut waits: Vec<_> = children.iter().map(CancellationToken::cancelled).collect();
    for wait in &mut waits {
        let (children, seen) = (children.clone(), seen.clone());
        let waker = hostile_waker(move |call| {
            if call == Call::Wake {
                seen.borrow_mut().push(children.iter().all(CancellationToken::is_cancelled));
            }
        });
        assert!(poll_with(wait, &waker).is_pending());
    }
    root.cancel();
    assert_eq!(*seen.borrow(), [true; 10]);
}

#[test]
fn a_wait_that_is_dropped_takes_its_waker_back() {
    let (counter, waker) = CountingWaker::new();
    let token = CancellationToken::new();
    let mut wait = token.cancelled();
    assert!(poll_with(&mut wait, &waker).is_pending());
    assert!(poll_with(&mut wait, &waker).is_pending());
    assert_eq!(Arc::strong_count(&counter), 3);
    drop(wait);
    assert_eq!(Arc::strong_count(&counter), 2);
    token.cancel();
    assert_eq!(counter.wakes(), 0);
}

#[test]
fn cost_is_linear_in_the_number_of_waiters() {
    const MANY: usize = 100_000;
    let (counter, waker) = CountingWaker::new();
    let token = CancellationToken::new();
    let mut waits: Vec<_> = (0..MANY).map(|_| token.child_token().cancelled_owned()).collect();
    for wait in &mut waits {
        assert!(poll_with(wait, &waker).is_pending());
    }
    // Every other one leaves, from the middle of the lists.
    let mut nth = 0;
    waits.retain(|_| {
        nth += 1;
        nth % 2 == 0
    });
    token.cancel();
    assert_eq!(counter.wakes(), MANY / 2);
}

// A future, until it is cancelled.

#[test]
fn a_future_runs_until_it_is_ready() {
    let history = History::new();
    paused(async {
        let token = CancellationToken::new();
        let mut run = pin!(token.run_until_cancelled(history.probe("future", 1)));
        assert_eq!(run.as_mut().await, Some(()));
        // The future is gone although the wrapper is not.
        history.push("ready");
        token.cancel();
    });
    history.expect(["future: poll", "future: poll", "future: drop", "ready"]);
}

#[test]
fn a_future_is_dropped_before_its_cancellation_is_told() {
    let history = History::new();
    paused(async {
        let token = CancellationToken::new();
        let guard = history.on_drop("future: drop");
        let run = spawn(token.clone().run_until_cancelled_owned(async move {
            let _guard = guard;
            pending::<()>().await
        }));
        yield_now().await;
        token.cancel();
        history.push("cancelled");
        assert_eq!(run.await.unwrap(), None);
        history.push("root: end");
    });
    history.expect(["cancelled", "future: drop", "root: end"]);
}

#[test]
fn a_future_is_not_polled_when_its_token_is_cancelled_already() {
    let history = History::new();
    paused(async {
        let token = CancellationToken::new();
        let run = token.run_until_cancelled(history.probe("future", 0));
        token.cancel();
        assert_eq!(run.await, None);
    });
    history.expect(["future: drop"]);
}

#[test]
fn a_future_that_is_ready_when_it_is_cancelled_has_been_in_time() {
    paused(async {
        let token = CancellationToken::new();
        let finished = Cell::new(false);
        let future = poll_fn(|_| if finished.get() { Poll::Ready(7) } else { Poll::Pending });
        let mut run = pin!(token.run_until_cancelled(future));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(run.as_mut().poll(&mut cx).is_pending());
        finished.set(true);
        token.cancel();
        assert_eq!(run.as_mut().poll(&mut cx), Poll::Ready(Some(7)));
        // Also one that cancels the token itself.
        let token = CancellationToken::new();
        let own = token.clone();
        let run = token.run_until_cancelled(async move {
            yield_now().await;
            own.cancel();
            7
        });
        assert_eq!(run.await, Some(7));
    });
}

#[test]
fn running_a_future_leaves_no_waker_behind() {
    let (counter, waker) = CountingWaker::new();
    let token = CancellationToken::new();
    for _ in 0..3 {
        let mut run = pin!(token.run_until_cancelled(pending::<()>()));
        assert!(run.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(Arc::strong_count(&counter), 2);
}

#[test]
fn a_future_that_has_run_is_not_polled_again() {
    let token = CancellationToken::new();
    let mut run = pin!(token.run_until_cancelled(ready(1)));
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(run.as_mut().poll(&mut cx), Poll::Ready(Some(1)));
    let message = caught(|| run.poll(&mut cx).is_ready()).unwrap_err();
    assert_eq!(message, "`run_until_cancelled` was polled after it was ready");
}

#[test]
fn running_a_future_costs_four_words_at_most() {
    let token = CancellationToken::new();
    let run = token.run_until_cancelled(sleep(MS));
    assert!(size_of_val(&run) <= size_of_val(&sleep(MS)) + 32);
}

// Guards.

#[test]
fn a_guard_cancels_when_it_is_dropped() {
    let token = CancellationToken::new();
    let child = token.child_token();
    let guard: DropGuard = child.clone().drop_guard();
    assert!(!child.is_cancelled());
    drop(guard);
    assert!(child.is_cancelled() && !token.is_cancelled());
    let message = caught(|| {
        let _guard: DropGuardRef<'_> = token.drop_guard_ref();
        panic_silently("on the way out")
    });
    assert_eq!(message, Err::<(), _>("on the way out".to_string()));
    assert!(token.is_cancelled());
}

#[test]
fn a_guard_that_is_disarmed_does_nothing() {
    let token = CancellationToken::new();
    let back = token.clone().drop_guard().disarm();
    let same: &CancellationToken = token.drop_guard_ref().disarm();
    assert!(!back.is_cancelled() && !same.is_cancelled());
    back.cancel();
    assert!(same.is_cancelled());
}

#[test]
fn a_guard_in_a_task_tells_that_it_is_gone() {
    paused(async {
        let gone = CancellationToken::new();
        let guard = gone.clone().drop_guard();
        let task = spawn(async move {
            let _guard = guard;
            pending::<()>().await
        });
        assert!(timeout(MS, gone.cancelled()).await.is_err());
        task.abort();
        assert!(timeout(MS, gone.cancelled()).await.is_ok());
    });
}

// The worst that wakers can do: no lock is held while they do it.

/// A waker that uses its token and a child of it, cancels it, and panics.
fn comes_back(token: &CancellationToken, call: Call) -> Waker {
    let token = token.clone();
    acts_on(call, move || {
        let child = token.child_token();
        let mut wait = child.clone().cancelled_owned();
        let _done = poll_once(&mut wait);
        drop((child, wait));
        token.cancel();
        assert!(token.is_cancelled());
    })
}

#[test]
fn a_waker_may_come_back_while_it_is_woken_and_panic() {
    quietly(|| {
        let wakes = Wakes::default();
        let token = CancellationToken::new();
        let mut waits = [(); 5].map(|()| token.cancelled());
        for (number, wait) in waits.iter_mut().enumerate() {
            let waker = match number % 2 {
                0 => wakes.waker(number),
                _ => comes_back(&token, Call::Wake),
            };
            assert!(poll_with(wait, &waker).is_pending());
        }
        token.cancel();
        assert_eq!(wakes.take(), [0, 2, 4]);
    });
}

#[test]
fn a_waker_may_come_back_while_it_is_cloned() {
    quietly(|| {
        let token = CancellationToken::new();
        let mut wait = token.cancelled();
        let waker = comes_back(&token, Call::Clone);
        caught(|| poll_with(&mut wait, &waker).is_ready()).unwrap_err();
        assert!(poll_once(&mut wait).is_ready());
    });
}

#[test]
fn a_waker_may_come_back_while_it_is_dropped() {
    quietly(|| {
        let wakes = Wakes::default();
        let token = CancellationToken::new();
        let mut wait = token.cancelled();
        let mut other = token.cancelled();
        assert!(poll_with(&mut other, &wakes.waker(1)).is_pending());
        let waker = comes_back(&token, Call::Drop);
        assert!(poll_with(&mut wait, &waker).is_pending());
        // It is replaced by another. Its panic ends there.
        assert!(poll_once(&mut wait).is_pending());
        assert!(token.is_cancelled());
        assert_eq!(wakes.take(), [1]);
        assert!(poll_once(&mut wait).is_ready());
        std::mem::forget(waker);
    });
}

#[test]
fn a_waker_may_drop_the_token_and_the_other_waiters() {
    let token = CancellationToken::new();
    let waits: Rc<RefCell<Vec<_>>> = Rc::default();
    let reached = waits.clone();
    let mut first = token.clone().cancelled_owned();
    let drops_all = hostile_waker(move |call| {
        if call == Call::Wake {
            reached.borrow_mut().clear();
        }
    });
    assert!(poll_with(&mut first, &drops_all).is_pending());
    let (counter, waker) = CountingWaker::new();
    for _ in 0..3 {
        let mut wait = token.child_token().cancelled_owned();
        assert!(poll_with(&mut wait, &waker).is_pending());
        waits.borrow_mut().push(wait);
    }
    token.cancel();
    assert!(waits.borrow().is_empty());
    // Their wakers had been gathered: a wake too many does no harm.
    assert_eq!(counter.wakes(), 3);
}

// Depth.

const DEEP: usize = 100_000;

fn chain() -> Vec<CancellationToken> {
    let mut chain = vec![CancellationToken::new()];
    for depth in 0..DEEP {
        chain.push(chain[depth].child_token());
    }
    chain
}

#[test]
fn a_deep_chain_is_cancelled_from_the_top() {
    on_a_small_stack(|| {
        let (counter, waker) = CountingWaker::new();
        let chain = chain();
        let mut waits: Vec<_> = chain.iter().map(CancellationToken::cancelled).collect();
        for wait in &mut waits {
            assert!(poll_with(wait, &waker).is_pending());
        }
        chain[0].cancel();
        assert_eq!(counter.wakes(), DEEP + 1);
        assert!(chain.iter().all(CancellationToken::is_cancelled));
    });
}

#[test]
fn a_deep_chain_is_dropped_in_any_order() {
    on_a_small_stack(|| {
        chain().into_iter().for_each(drop);
        chain().into_iter().rev().for_each(drop);
        let mut chain = chain();
        let top = chain[0].clone();
        let bottom = chain[DEEP].clone();
        // A step that has no factor in common with the length comes by everywhere.
        let mut at = 0;
        while !chain.is_empty() {
            at = (at + 7919) % chain.len();
            chain.swap_remove(at);
        }
        assert!(!bottom.is_cancelled());
        top.cancel();
        assert!(bottom.is_cancelled());
    });
}

#[test]
fn a_deep_chain_is_cancelled_from_the_middle_and_the_bottom() {
    on_a_small_stack(|| {
        let chain = chain();
        chain[DEEP].cancel();
        assert!(!chain[DEEP - 1].is_cancelled());
        chain[DEEP / 2].cancel();
        assert!(chain[DEEP - 1].is_cancelled() && !chain[DEEP / 2 - 1].is_cancelled());
    });
}

// Threads.

#[test]
fn tokens_guards_and_waits_are_thread_safe() {
    fn is_thread_safe<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}
    fn is_send<T: Send>(_: &T) {}
    is_thread_safe::<CancellationToken>();
    is_thread_safe::<DropGuard>();
    is_thread_safe::<DropGuardRef<'_>>();
    is_thread_safe::<WaitForCancellationFuture<'_>>();
    is_thread_safe::<WaitForCancellationFutureOwned>();
    let token = CancellationToken::new();
    is_send(&token.run_until_cancelled(async {}));
    is_send(&token.clone().run_until_cancelled_owned(async {}));
}

#[test]
fn another_thread_may_cancel() {
    for _ in 0..50 {
        let token = CancellationToken::new();
        let guard = token.clone().drop_guard();
        let thread = thread::spawn(move || drop(guard));
        block_on(async {
            let tasks: Vec<_> =
                (0..10).map(|_| spawn(token.child_token().cancelled_owned())).collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        thread.join().unwrap();
    }
}

#[test]
fn no_wake_is_lost_between_threads() {
    const THREADS: usize = 4;
    for _ in 0..200 {
        let root = CancellationToken::new();
        let start = Arc::new(Barrier::new(THREADS + 1));
        let woken = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (token, start, woken) = (root.child_token(), start.clone(), woken.clone());
                thread::spawn(move || {
                    start.wait();
                    let child = token.child_token();
                    drop(token);
                    block_on(child.cancelled());
                    woken.fetch_add(1, Ordering::SeqCst);
                })
            })
            .collect();
        start.wait();
        root.cancel();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(woken.load(Ordering::SeqCst), THREADS);
    }
}

#[test]
fn threads_may_grow_and_prune_one_tree() {
    let root = CancellationToken::new();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let token = root.child_token();
            thread::spawn(move || {
                let mut held = vec![token.clone()];
                for n in 0..5_000 {
                    let parent = &held[n * 31 % held.len()];
                    let child = parent.child_token();
                    let mut wait = child.clone().cancelled_owned();
                    assert!(poll_once(&mut wait).is_pending());
                    held.push(child);
                    if n % 3 == 0 {
                        held.swap_remove(n * 17 % held.len());
                    }
                    if held.len() > 50 + thread {
                        held.truncate(1);
                    }
                }
                token
            })
        })
        .collect();
    let tokens: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(!tokens.iter().any(CancellationToken::is_cancelled));
    root.cancel();
    assert!(tokens.iter().all(CancellationToken::is_cancelled));
}

// Random trees.

#[derive(Clone, Copy, Debug)]
enum Step {
    New,
    Child(usize),
    Clone(usize),
    Drop(usize),
    Cancel(usize),
    /// A wait for a token, polled once.
    Wait(usize),
    /// Polls a wait again, with another waker.
    Poll(usize),
    DropWait(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..100_usize;
    prop_oneof![
        1 => Just(Step::New),
        5 => any().prop_map(Step::Child),
        2 => any().prop_map(Step::Clone),
        4 => any().prop_map(Step::Drop),
        2 => any().prop_map(Step::Cancel),
        4 => any().prop_map(Step::Wait),
        2 => any().prop_map(Step::Poll),
        1 => any().prop_map(Step::DropWait),
    ]
}

/// A tree that forgets nothing.
#[derive(Default)]
struct Model {
    nodes: Vec<ModelNode>,
}

struct ModelNode {
    parent: Option<usize>,
    cancelled: bool,
}

impl Model {
    fn insert(&mut self, parent: Option<usize>) -> usize {
        let cancelled = parent.is_some_and(|parent| self.nodes[parent].cancelled);
        self.nodes.push(ModelNode { parent, cancelled });
        self.nodes.len() - 1
    }

    fn cancel(&mut self, node: usize) {
        self.nodes[node].cancelled = true;
        // A parent comes before its children.
        for at in node..self.nodes.len() {
            if self.nodes[at].parent.is_some_and(|parent| self.nodes[parent].cancelled) {
                self.nodes[at].cancelled = true;
            }
        }
    }
}

/// A wait, the node that it waits for, and the waker that it left, unless it was woken.
struct ModelWait {
    wait: WaitForCancellationFutureOwned,
    node: usize,
    waker: Option<usize>,
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn a_tree_does_what_the_model_does(steps in prop::collection::vec(step(), 0..60)) {
        let mut model = Model::default();
        let wakes = Wakes::default();
        // Each token with its node.
        let mut tokens: Vec<(CancellationToken, usize)> = Vec::new();
        let mut waits: Vec<ModelWait> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            let mut expected_wakes = Vec::new();
            match step {
                Step::New => tokens.push((CancellationToken::new(), model.insert(None))),
                Step::Child(n) | Step::Clone(n) | Step::Drop(n) | Step::Cancel(n) | Step::Wait(n)
                    if !tokens.is_empty() =>
                {
                    let at = n % tokens.len();
                    let (token, node) = &tokens[at];
                    match step {
                        Step::Child(_) => {
                            let child = model.insert(Some(*node));
                            tokens.push((token.child_token(), child));
                        }
                        Step::Clone(_) => tokens.push((token.clone(), *node)),
                        Step::Drop(_) => {
                            tokens.swap_remove(at);
                        }
                        Step::Cancel(_) => {
                            token.cancel();
                            model.cancel(*node);
                            // `waits` is in the order of arrival.
                            for wait in waits.iter_mut().filter(|w| model.nodes[w.node].cancelled) {
                                expected_wakes.extend(wait.waker.take());
                            }
                        }
                        _ => {
                            let mut wait = token.clone().cancelled_owned();
                            let ready = poll_with(&mut wait, &wakes.waker(number)).is_ready();
                            prop_assert_eq!(ready, model.nodes[*node].cancelled);
                            let waker = (!ready).then_some(number);
                            waits.push(ModelWait { wait, node: *node, waker });
                        }
                    }
                }
                Step::Poll(n) | Step::DropWait(n) if !waits.is_empty() => {
                    let at = n % waits.len();
                    if let Step::DropWait(_) = step {
                        waits.remove(at);
                    } else {
                        let wait = &mut waits[at];
                        let ready = poll_with(&mut wait.wait, &wakes.waker(number)).is_ready();
                        prop_assert_eq!(ready, model.nodes[wait.node].cancelled);
                        wait.waker = (!ready).then_some(number);
                    }
                }
                _ => {}
            }
            prop_assert_eq!(wakes.take(), expected_wakes);
            for (token, node) in &tokens {
                prop_assert_eq!(token.is_cancelled(), model.nodes[*node].cancelled);
            }
        }
        drop((tokens, waits));
        // No waker is left anywhere.
        prop_assert_eq!(wakes.alive(), 0);
    }
}
