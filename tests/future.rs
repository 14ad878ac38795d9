//! The combinators: what is polled and dropped when, who is woken, what it costs.
//!
//! Whole histories of each first; then `join_all`, which has wakers of its own; then each of them
//! cancelled at every await; and at the end random trees of combinators, compared with a model that
//! is a few lines of arithmetic.

#[path = "support/cancel.rs"]
mod cancel;
#[path = "support/hostile.rs"]
mod hostile;
mod support;

use cancel::cancel_at_every_await;
use handspun::future::{Either, Join, join, join_all, join3, race, try_join, try_join_all};
use handspun::spawn;
use handspun::sync::CancellationToken;
use handspun::task::{JoinSet, yield_now};
use handspun::time::{Duration, Instant, sleep, timeout};
use hostile::{Call, Dropping, hostile_waker, on_a_small_stack};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::future::{Future, IntoFuture, Ready, pending, poll_fn, ready};
use std::marker::PhantomPinned;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use support::{
    CountingWaker, History, WakerSlot, caught, panic_silently, paused, poll_once, poll_with,
};

const MS: Duration = Duration::from_millis(1);

/// A probe with an output.
async fn giving<T>(probe: support::Probe, output: T) -> T {
    probe.await;
    output
}

// Two and three.

#[test]
fn join_polls_in_order_and_drops_each_future_when_it_is_done() {
    let history = History::new();
    let both = paused(async {
        let a = giving(history.probe("a", 1), 1);
        let b = giving(history.probe("b", 2), 2);
        let both = join(a, b).await;
        history.push("ready");
        both
    });
    assert_eq!(both, (1, 2));
    history.expect([
        "a: poll", "b: poll", "a: poll", "a: drop", "b: poll", "b: poll", "b: drop", "ready",
    ]);
}

#[test]
fn join3_polls_in_order_and_drops_each_future_when_it_is_done() {
    let history = History::new();
    let all = paused(async {
        let a = giving(history.probe("a", 1), 1);
        let b = giving(history.probe("b", 0), 2);
        let c = giving(history.probe("c", 2), 3);
        let all = join3(a, b, c).await;
        history.push("ready");
        all
    });
    assert_eq!(all, (1, 2, 3));
    history.expect([
        "a: poll", "b: poll", "b: drop", "c: poll", "a: poll", "a: drop", "c: poll", "c: poll",
        "c: drop", "ready",
    ]);
}

#[test]
fn nothing_in_a_combinator_runs_before_its_first_poll() {
    let history = History::new();
    let probe = |name: &str| history.probe(name, 0);
    drop(join(probe("a"), probe("b")));
    drop(join3(probe("a"), probe("b"), probe("c")));
    drop(race(probe("a"), probe("b")));
    drop(join_all([probe("a"), probe("b")]));
    assert!(history.take().iter().all(|line| line.ends_with("drop")));
}

#[test]
fn try_join_gives_both_or_drops_the_other_at_the_first_error() {
    let history = History::new();
    let try_both = |a: Result<i32, &'static str>, b: Result<i32, &'static str>| {
        paused(async {
            let a = giving(history.probe("a", 0), a);
            let b = giving(history.probe("b", 1), b);
            let mut both = pin!(try_join(a, b));
            let result = both.as_mut().await;
            history.push("ready");
            result
        })
    };
    assert_eq!(try_both(Ok(1), Ok(2)), Ok((1, 2)));
    history.expect([
        "a: poll", "a: drop", "b: poll", "b: poll", "b: drop", "ready",
    ]);
    // The first has failed: the second is not even polled.
    assert_eq!(try_both(Err("a"), Err("b")), Err("a"));
    history.expect(["a: poll", "a: drop", "b: drop", "ready"]);
    assert_eq!(try_both(Ok(1), Err("b")), Err("b"));
    history.expect([
        "a: poll", "a: drop", "b: poll", "b: poll", "b: drop", "ready",
    ]);
}

#[test]
fn try_join_drops_the_output_of_the_one_that_was_fine() {
    let history = History::new();
    paused(async {
        let fine = async { Ok(history.on_drop("output of a: drop")) };
        let fails = giving(history.probe("b", 1), Err::<(), _>("b"));
        assert_eq!(try_join(fine, fails).await.err(), Some("b"));
        history.push("ready");
    });
    history.expect([
        "b: poll",
        "b: poll",
        "b: drop",
        "output of a: drop",
        "ready",
    ]);
}

#[test]
fn race_drops_the_winner_then_the_loser_and_then_is_ready() {
    let history = History::new();
    let run = |a, b| {
        paused(async {
            let winner =
                race(giving(history.probe("a", a), 'a'), giving(history.probe("b", b), 'b'));
            let mut winner = pin!(winner);
            let winner = winner.as_mut().await;
            history.push("ready");
            winner
        })
    };
    assert_eq!(run(1, 0), Either::Right('b'));
    history.expect(["a: poll", "b: poll", "b: drop", "a: drop", "ready"]);
    assert_eq!(run(1, 1), Either::Left('a'));
    history.expect([
        "a: poll", "b: poll", "a: poll", "a: drop", "b: drop", "ready",
    ]);
    // A winner in the first poll: the other is never polled.
    assert_eq!(run(0, 0), Either::Left('a'));
    history.expect(["a: poll", "a: drop", "b: drop", "ready"]);
}

#[test]
fn a_dropped_combinator_drops_its_futures_in_order_and_outputs_with_them() {
    let (history, slot) = (&History::new(), &WakerSlot::new());
    let parked = |name: &str| history.parked(name, slot);
    let output = || async { history.on_drop("output: drop") };
    let waker = Waker::noop();
    macro_rules! dropped {
        ($combinator:expr, $($line:literal),+) => {{
            let mut combinator = Box::pin($combinator);
            assert!(poll_with(&mut combinator, waker).is_pending());
            history.take();
            drop(combinator);
            history.expect([$($line),+]);
        }};
    }
    dropped!(join(parked("a"), parked("b")), "a: drop", "b: drop");
    dropped!(join(output(), parked("b")), "output: drop", "b: drop");
    dropped!(join3(parked("a"), output(), parked("c")), "a: drop", "output: drop", "c: drop");
    dropped!(race(parked("a"), parked("b")), "a: drop", "b: drop");
    dropped!(join_all(["a", "b", "c"].map(parked)), "a: drop", "b: drop", "c: drop");
    dropped!(
        join_all(["a", "b", "c"].map(|name| async move {
            if name != "b" {
                parked(name).await;
            }
            history.on_drop("output: drop")
        })),
        "a: drop",
        "output: drop",
        "c: drop"
    );
}

#[test]
fn whatever_can_become_a_future_can_be_combined() {
    struct Seven;
    impl IntoFuture for Seven {
        type Output = Result<u8, ()>;
        type IntoFuture = Ready<Result<u8, ()>>;
        fn into_future(self) -> Self::IntoFuture {
            ready(Ok(7))
        }
    }
    paused(async {
        assert_eq!(join(Seven, Seven).await, (Ok(7), Ok(7)));
        assert_eq!(join3(Seven, Seven, Seven).await, (Ok(7), Ok(7), Ok(7)));
        assert_eq!(try_join(Seven, Seven).await, Ok((7, 7)));
        assert_eq!(race(Seven, Seven).await.into_inner(), Ok(7));
        assert_eq!(join_all([Seven, Seven]).await, [Ok(7), Ok(7)]);
        assert_eq!(try_join_all([Seven, Seven]).await, Ok(vec![7, 7]));
    });
}

#[test]
fn a_combinator_polled_after_it_was_ready_panics_and_polls_nobody() {
    let history = History::new();
    fn poll_twice<F: Future>(history: &History, future: F) -> String {
        let mut future = pin!(future);
        let waker = Waker::noop();
        assert!(poll_with(&mut future, waker).is_ready());
        history.take();
        let message = caught(|| poll_with(&mut future, waker).is_ready()).unwrap_err();
        history.expect([]);
        message
    }
    let ok = || giving(history.probe("ok", 0), Ok::<(), ()>(()));
    let err = || giving(history.probe("err", 0), Err::<(), ()>(()));
    let messages = [
        poll_twice(&history, join(ok(), ok())),
        poll_twice(&history, join3(ok(), ok(), ok())),
        poll_twice(&history, try_join(ok(), ok())),
        poll_twice(&history, try_join(ok(), err())),
        poll_twice(&history, try_join(err(), ok())),
        poll_twice(&history, race(ok(), pending::<()>())),
        poll_twice(&history, race(pending::<()>(), ok())),
        poll_twice(&history, join_all([ok()])),
        poll_twice(&history, try_join_all([ok()])),
        poll_twice(&history, try_join_all([err()])),
    ];
    assert!(messages.iter().all(|message| message.ends_with("was polled after it was ready")));
}

#[test]
fn a_combinator_adds_at_most_32_bytes_to_its_futures() {
    async fn future<const N: usize>() -> Result<u8, u8> {
        let bytes = [0; N];
        yield_now().await;
        Ok(bytes[0])
    }
    macro_rules! adds {
        ($combinator:ident($($future:expr),+)) => {
            size_of_val(&$combinator($($future),+)) - (0 $(+ size_of_val(&$future))+)
        };
    }
    let added = [
        adds!(join(future::<1>(), future::<1>())),
        adds!(join(future::<1000>(), future::<8>())),
        adds!(join3(future::<1>(), future::<100>(), future::<1000>())),
        adds!(try_join(future::<1>(), future::<1000>())),
        adds!(race(future::<1>(), future::<1000>())),
        adds!(join(sleep(MS), sleep(MS))),
        adds!(join3(sleep(MS), sleep(MS), sleep(MS))),
        adds!(race(sleep(MS), sleep(MS))),
    ];
    assert!(added.iter().all(|&bytes| bytes <= 32), "{added:?}");
    assert_eq!(size_of_val(&join_all([future::<1000>()])), 32);
    assert_eq!(size_of_val(&try_join_all([future::<1000>()])), 32);
}

#[test]
fn a_panic_in_a_branch_comes_out_and_the_rest_can_go_on() {
    let history = History::new();
    let mut broken = false;
    let panics_once = poll_fn(|_| {
        if !std::mem::replace(&mut broken, true) {
            panic_silently("broken");
        }
        Poll::Ready(())
    });
    let mut both: Pin<Box<Join<_, _>>> = Box::pin(join(history.probe("a", 0), panics_once));
    let waker = Waker::noop();
    assert_eq!(caught(|| poll_with(&mut both, waker)), Err("broken".to_string()));
    assert_eq!(poll_with(&mut both, waker), Poll::Ready(((), ())));
    history.expect(["a: poll", "a: drop"]);
}

#[test]
fn the_state_of_a_combinator_can_be_printed() {
    let waker = Waker::noop();
    let mut both = pin!(join(ready(1), pending::<u8>()));
    let _ = poll_with(&mut both, waker);
    assert!(format!("{both:?}").starts_with("Join { a: Done, b: Pending("));
    let mut all = join_all([1, 2].map(|n| timeout(n * MS, async {})));
    assert_eq!(format!("{all:?}"), "JoinAll { children: Some(2 of 2 pending) }");
    let _ = poll_with(&mut all, waker);
    assert_eq!(format!("{all:?}"), "JoinAll { children: None }");
}

// Many: who is polled.

/// A future that is ready when its gate is open.
#[derive(Clone, Default)]
struct Gate(Rc<RefCell<(bool, usize, Option<Waker>)>>);

impl Gate {
    /// Opens it and wakes whoever waits.
    fn open(&self) {
        self.0.borrow_mut().0 = true;
        self.waker().wake();
    }

    fn waker(&self) -> Waker {
        self.0.borrow().2.clone().expect("polled before")
    }

    fn polls(&self) -> usize {
        self.0.borrow().1
    }
}

impl Future for Gate {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (open, polls, waker) = &mut *self.0.borrow_mut();
        *polls += 1;
        *waker = Some(cx.waker().clone());
        if *open { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn gates(count: usize) -> Vec<Gate> {
    (0..count).map(|_| Gate::default()).collect()
}

#[test]
fn join_all_polls_only_who_was_woken_in_the_order_of_the_wakes() {
    let history = History::new();
    let slots: [WakerSlot; 4] = Default::default();
    let mut all = join_all((0..4).map(|n| history.parked(&n.to_string(), &slots[n])));
    let mut all = Pin::new(&mut all);
    let (counter, waker) = CountingWaker::new();
    let mut poll = || assert!(poll_with(&mut all, &waker).is_pending());

    poll();
    history.expect(["0: poll", "1: poll", "2: poll", "3: poll"]);
    poll();
    history.expect([]);
    slots[3].wake();
    slots[1].wake();
    slots[3].wake();
    // The first wake has woken the task; it will find the others.
    assert_eq!(counter.wakes(), 1);
    poll();
    history.expect(["3: poll", "1: poll"]);
    slots[1].wake();
    assert_eq!(counter.wakes(), 2);
    poll();
    history.expect(["1: poll"]);
}

#[test]
fn join_all_gives_outputs_in_the_order_of_the_futures() {
    paused(async {
        let start = Instant::now();
        let all = join_all((0..5_u32).map(async |n| {
            sleep((10 - n) * MS).await;
            n
        }));
        assert_eq!(all.await, [0, 1, 2, 3, 4]);
        assert_eq!(start.elapsed(), 10 * MS);
        assert_eq!(try_join_all([ready(Ok::<_, ()>(1)), ready(Ok(2))]).await, Ok(vec![1, 2]));
    });
}

#[test]
fn join_all_of_nobody_is_ready_at_once() {
    assert_eq!(paused(join_all(Vec::<Ready<u8>>::new())), []);
    assert_eq!(paused(try_join_all(Vec::<Ready<Result<u8, ()>>>::new())), Ok(vec![]));
}

#[test]
fn a_child_that_wakes_itself_lets_the_neighbours_of_the_task_go_first() {
    let history = History::new();
    paused(async {
        let neighbour = spawn(history.probe("neighbour", 2));
        let probe = |(name, pending)| history.probe(name, pending);
        join_all([("a", 2), ("b", 0), ("c", 1)].map(probe)).await;
        neighbour.await.unwrap();
    });
    history.expect([
        "a: poll",
        "b: poll",
        "b: drop",
        "c: poll",
        "neighbour: poll",
        "a: poll",
        "c: poll",
        "c: drop",
        "neighbour: poll",
        "a: poll",
        "a: drop",
        "neighbour: poll",
        "neighbour: drop",
    ]);
}

#[test]
fn a_child_that_is_woken_before_its_turn_is_polled_once() {
    let gates = gates(2);
    // The first wakes the second, which is in the queue and has not been polled in this turn.
    let first = gates[0].clone();
    let second = gates[1].clone();
    let mut started = false;
    let wakes_second = poll_fn(move |cx| {
        if std::mem::replace(&mut started, true) {
            second.waker().wake();
        }
        Pin::new(&mut first.clone()).poll(cx)
    });
    let children: [Pin<Box<dyn Future<Output = ()>>>; 2] =
        [Box::pin(wakes_second), Box::pin(gates[1].clone())];
    let mut all = join_all(children);
    let (counter, waker) = CountingWaker::new();
    assert!(poll_with(&mut all, &waker).is_pending());
    gates[0].waker().wake();
    gates[1].waker().wake();
    assert!(poll_with(&mut all, &waker).is_pending());
    assert_eq!((gates[0].polls(), gates[1].polls()), (2, 2));
    assert_eq!(counter.wakes(), 1);
    // Nobody is in the queue any more.
    assert!(poll_with(&mut all, &waker).is_pending());
    assert_eq!((gates[0].polls(), gates[1].polls()), (2, 2));
}

#[test]
fn the_polls_of_join_all_are_linear_in_the_wakes() {
    const CHILDREN: usize = 1_000;
    let gates = gates(CHILDREN);
    let polls = Rc::new(Cell::new(0));
    paused(async {
        let mut all = join_all(gates.clone());
        let counted = poll_fn({
            let polls = polls.clone();
            move |cx| {
                polls.set(polls.get() + 1);
                Pin::new(&mut all).poll(cx)
            }
        });
        let all = spawn(counted);
        yield_now().await;
        // 617 has no divisor in common with 1,000: everyone is woken, in a scrambled order.
        for n in 0..CHILDREN {
            gates[n * 617 % CHILDREN].open();
            yield_now().await;
        }
        all.await.unwrap();
    });
    assert!(gates.iter().all(|gate| gate.polls() == 2));
    assert_eq!(polls.get(), CHILDREN + 1);
}

#[test]
fn join_all_takes_a_hundred_thousand() {
    const CHILDREN: usize = 100_000;
    on_a_small_stack(|| {
        let gates = gates(CHILDREN);
        paused(async {
            let all = spawn(join_all(gates.clone()));
            yield_now().await;
            for gate in gates.iter().rev() {
                gate.open();
            }
            assert_eq!(all.await.unwrap().len(), CHILDREN);
        });
        assert!(gates.iter().all(|gate| gate.polls() == 2));
    });
}

/// Not `Unpin`; checks that it is not moved once it was polled.
struct Homebody {
    home: Cell<usize>,
    pending: Cell<usize>,
    _pinned: PhantomPinned,
}

impl Homebody {
    fn new(pending: usize) -> Homebody {
        Homebody {
            home: Cell::new(0),
            pending: Cell::new(pending),
            _pinned: PhantomPinned,
        }
    }

    fn check(&self) {
        let here = std::ptr::from_ref(self).addr();
        let home = self.home.replace(here);
        assert!(home == 0 || home == here, "moved");
    }
}

impl Future for Homebody {
    type Output = Result<(), ()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        self.check();
        if self.pending.get() == 0 {
            return Poll::Ready(Ok(()));
        }
        self.pending.set(self.pending.get() - 1);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Homebody {
    fn drop(&mut self) {
        if self.home.get() != 0 {
            self.check();
        }
    }
}

#[test]
fn a_future_is_not_moved_once_it_was_polled() {
    let body = Homebody::new;
    paused(async {
        let _ = join(body(1), body(2)).await;
        let _ = join3(body(1), body(2), body(0)).await;
        let _ = try_join(body(1), body(2)).await;
        let _ = race(body(1), body(2)).await;
    });
    // `JoinAll` may be moved, its futures stay.
    let mut all = join_all([2, 1, 3].map(body));
    for _ in 0..3 {
        assert!(poll_once(&mut all).is_pending());
        all = *Box::new(all);
    }
    assert!(poll_once(&mut all).is_ready());
    let mut all = try_join_all([2, 1].map(body));
    assert!(poll_once(&mut all).is_pending());
    drop(Box::new(all));
}

#[test]
fn try_join_all_stops_at_the_first_error_and_drops_the_rest_before_it_is_ready() {
    let history = History::new();
    let (counter, waker) = CountingWaker::new();
    let child = |(name, pending, output): (&str, usize, Result<i32, i32>)| {
        giving(history.probe(name, pending), output)
    };
    let mut all = try_join_all(
        [
            ("a", 9, Ok(1)),
            ("b", 0, Ok(2)),
            ("c", 1, Err(3)),
            ("d", 1, Err(4)),
        ]
        .map(child),
    );
    assert!(poll_with(&mut all, &waker).is_pending());
    history.expect(["a: poll", "b: poll", "b: drop", "c: poll", "d: poll"]);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll_with(&mut all, &waker), Poll::Ready(Err(3)));
    history.expect(["a: poll", "c: poll", "c: drop", "a: drop", "d: drop"]);
    // For `a`, which woke itself.
    assert_eq!(counter.wakes(), 2);
    let mut all = try_join_all([ready(Err::<(), _>(5)), ready(Ok(()))]);
    assert_eq!(poll_with(&mut all, &waker), Poll::Ready(Err(5)));
    assert_eq!(counter.wakes(), 2, "for the error");
}

// Many: wakers.

#[test]
fn a_child_has_one_waker_from_its_first_poll_to_its_last() {
    let wakers = RefCell::new(Vec::<Waker>::new());
    let child = poll_fn(|cx| {
        wakers.borrow_mut().push(cx.waker().clone());
        cx.waker().wake_by_ref();
        if wakers.borrow().len() < 3 { Poll::Pending } else { Poll::Ready(()) }
    });
    paused(join_all([child]));
    let wakers = wakers.into_inner();
    assert!(wakers.windows(2).all(|pair| pair[0].will_wake(&pair[1])));
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let gates = gates(1);
    let mut all = join_all(gates.clone());
    let (first, first_waker) = CountingWaker::new();
    let (second, second_waker) = CountingWaker::new();
    assert!(poll_with(&mut all, &first_waker).is_pending());
    assert!(poll_with(&mut all, &second_waker).is_pending());
    gates[0].waker().wake();
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
}

#[test]
fn wakers_of_who_is_done_or_dropped_wake_nobody_and_keep_no_task() {
    let gates = gates(2);
    let (counter, waker) = CountingWaker::new();
    let mut all = join_all(gates.clone());
    assert!(poll_with(&mut all, &waker).is_pending());
    gates[0].open();
    assert!(poll_with(&mut all, &waker).is_pending());
    assert_eq!(counter.wakes(), 1);
    gates[0].waker().wake();
    assert_eq!(counter.wakes(), 1, "a child that is done");
    // Ours, `waker`, and the one in `all`.
    assert_eq!(Arc::strong_count(&counter), 3);
    drop(all);
    gates[1].waker().wake();
    assert_eq!(counter.wakes(), 1, "dropped children");
    assert_eq!(Arc::strong_count(&counter), 2);

    let mut all = join_all([gates[0].clone()]);
    assert!(poll_with(&mut all, &waker).is_ready());
    gates[0].waker().wake();
    assert_eq!(counter.wakes(), 1, "all are done");
    assert_eq!(Arc::strong_count(&counter), 2);
}

#[test]
fn a_child_that_wakes_itself_in_its_last_poll_is_not_polled_again() {
    let history = History::new();
    let slot = WakerSlot::new();
    let woken_in_last_poll = async {
        let _woken = Dropping(|| slot.wake());
        poll_fn(|cx| {
            slot.put(cx.waker());
            history.push("poll");
            Poll::Ready(())
        })
        .await;
    };
    let children: [Pin<Box<dyn Future<Output = ()>>>; 2] = [
        Box::pin(woken_in_last_poll),
        Box::pin(history.probe("b", 1)),
    ];
    paused(join_all(children));
    history.expect(["poll", "b: poll", "b: poll", "b: drop"]);
}

#[test]
fn children_are_woken_from_four_threads_and_no_wake_is_lost() {
    const THREADS: usize = 4;
    const CHILDREN: usize = 64;
    const ROUNDS: usize = 50;
    /// Ready after so many grants from whatever thread.
    #[derive(Default)]
    struct Granted {
        grants: AtomicUsize,
        waker: Mutex<Option<Waker>>,
    }
    let children: Vec<Arc<Granted>> = (0..CHILDREN).map(|_| Arc::default()).collect();
    let polls = AtomicUsize::new(0);
    let futures = children.iter().map(|child| {
        poll_fn(|cx| {
            polls.fetch_add(1, Ordering::Relaxed);
            *child.waker.lock().unwrap() = Some(cx.waker().clone());
            match child.grants.load(Ordering::SeqCst) {
                grants if grants < THREADS * ROUNDS => Poll::Pending,
                grants => Poll::Ready(grants),
            }
        })
    });
    let started = AtomicBool::new(false);
    let all = thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while !started.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                for _ in 0..ROUNDS {
                    for child in &children {
                        child.grants.fetch_add(1, Ordering::SeqCst);
                        let waker = child.waker.lock().unwrap().clone();
                        waker.expect("polled before the threads began").wake();
                    }
                }
            });
        }
        let mut all = join_all(futures);
        handspun::block_on(poll_fn(|cx| {
            let polled = Pin::new(&mut all).poll(cx);
            started.store(true, Ordering::SeqCst);
            polled
        }))
    });
    assert_eq!(all, [THREADS * ROUNDS; CHILDREN]);
    assert!(polls.into_inner() <= CHILDREN + CHILDREN * THREADS * ROUNDS);
}

// Many: hostile wakers, panics.

#[test]
fn no_lock_is_held_while_a_waker_of_the_task_is_cloned_called_or_dropped() {
    for spot in [Call::Clone, Call::Wake, Call::Drop] {
        let gates = gates(2);
        let acts = Rc::new(Cell::new(0));
        let waker = hostile_waker({
            let (gates, acts) = (gates.clone(), acts.clone());
            move |call| {
                if call == spot {
                    acts.set(acts.get() + 1);
                    // Goes through the queue: it would find the lock taken, and hang.
                    let polled = gates.iter().filter(|gate| gate.polls() > 0);
                    polled.for_each(|gate| gate.waker().wake());
                }
            }
        });
        let mut all = join_all(gates.clone());
        assert!(poll_with(&mut all, &waker).is_pending());
        // Clones the waker, and drops the clone that it had.
        assert!(poll_with(&mut all, &waker).is_pending());
        gates[0].waker().wake();
        assert!(poll_with(&mut all, &waker).is_pending());
        drop(all);
        assert!(acts.get() >= 2 || spot == Call::Wake, "{spot:?}");
        assert!(acts.get() >= 1, "{spot:?}");
    }
}

#[test]
fn a_waker_that_panics_loses_no_child() {
    for bad in [Call::Clone, Call::Wake, Call::Drop] {
        let gates = gates(2);
        let armed = Rc::new(Cell::new(false));
        let waker = hostile_waker({
            let armed = armed.clone();
            move |call| {
                if armed.get() && call == bad {
                    armed.set(false);
                    panic_silently("a bad waker");
                }
            }
        });
        let mut all = join_all(gates.clone());
        assert!(poll_with(&mut all, &waker).is_pending());
        armed.set(true);
        if bad != Call::Drop {
            let woken = caught(|| gates[0].open());
            assert_eq!(woken.is_err(), bad == Call::Wake);
        }
        if bad != Call::Wake {
            // Clones the waker, or drops the clone that it had: a turn that ends as it begins.
            let polled = caught(|| poll_with(&mut all, &waker));
            assert_eq!(polled, Err("a bad waker".to_string()));
        }
        gates.iter().for_each(Gate::open);
        assert!(poll_once(&mut all).is_ready());
        assert!(gates.iter().all(|gate| gate.polls() == 2));
    }
}

#[test]
fn after_the_panic_of_a_child_the_others_go_on() {
    let history = History::new();
    let (counter, waker) = CountingWaker::new();
    let mut panics = true;
    let panics_once = poll_fn(|_| {
        history.push("b: poll");
        if std::mem::replace(&mut panics, false) {
            panic_silently("broken");
        }
        Poll::Ready(())
    });
    let children: [Pin<Box<dyn Future<Output = ()> + '_>>; 3] = [
        Box::pin(history.probe("a", 0)),
        Box::pin(panics_once),
        Box::pin(history.probe("c", 0)),
    ];
    let mut all = join_all(children);
    let polled = caught(|| poll_with(&mut all, &waker));
    assert_eq!(polled, Err("broken".to_string()));
    history.expect(["a: poll", "a: drop", "b: poll"]);
    // For those who were woken and not polled.
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll_with(&mut all, &waker), Poll::Ready(vec![(); 3]));
    history.expect(["c: poll", "c: drop", "b: poll"]);
}

#[test]
fn a_child_whose_destructor_panics_is_done_all_the_same() {
    struct BadEnd;
    impl Future for BadEnd {
        type Output = u8;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u8> {
            Poll::Ready(7)
        }
    }
    impl Drop for BadEnd {
        fn drop(&mut self) {
            panic_silently("in a destructor");
        }
    }
    let mut all = join_all([BadEnd]);
    let polled = caught(|| poll_once(&mut all));
    assert_eq!(polled, Err("in a destructor".to_string()));
    assert_eq!(poll_once(&mut all), Poll::Ready(vec![7]));
}

#[test]
fn children_may_wake_each_other_from_their_destructors() {
    let gates = gates(3);
    let children = gates.iter().map(|gate| {
        let all = gates.clone();
        let wake_all = Dropping(move || all.iter().for_each(|gate| gate.waker().wake()));
        async move {
            gate.clone().await;
            drop(wake_all);
        }
    });
    let (counter, waker) = CountingWaker::new();
    let mut all = join_all(children);
    assert!(poll_with(&mut all, &waker).is_pending());
    drop(all);
    assert_eq!(counter.wakes(), 0);
}

// Cancelled at every await.

/// Counts how many of what it was given to are alive.
#[derive(Clone, Default)]
struct Census(Rc<()>);

impl Census {
    /// Yields, sleeps, yields; alive until it is dropped.
    fn child(&self, n: u32) -> impl Future<Output = Result<Census, u32>> + use<> {
        let alive = self.clone();
        async move {
            yield_now().await;
            sleep(n * MS).await;
            yield_now().await;
            if n == 9 { Err(n) } else { Ok(alive) }
        }
    }

    fn alive(&self) -> usize {
        Rc::strong_count(&self.0) - 1
    }
}

/// Cancels what `make` makes of a census at every await: each time, nobody of it must be left.
#[track_caller]
fn cancel_all<F: Future>(polls: usize, make: impl Fn(Census) -> F) {
    let finished_in = cancel_at_every_await(async || {
        let census = Census::default();
        let future = make(census.clone());
        (future, async move |output: Option<F::Output>| {
            drop(output);
            assert_eq!(census.alive(), 0, "futures or outputs are left");
            // And no timer is: there is nothing to wait for but this.
            let start = Instant::now();
            sleep(MS).await;
            assert_eq!(start.elapsed(), MS);
        })
    });
    assert_eq!(finished_in, polls);
}

#[test]
fn every_combinator_can_be_cancelled_at_every_await() {
    cancel_all(6, |c| async move { join(c.child(1), c.child(2)).await });
    cancel_all(8, |c| async move { join3(c.child(1), c.child(2), c.child(3)).await });
    cancel_all(4, |c| async move { try_join(c.child(1), c.child(1)).await });
    cancel_all(6, |c| async move { try_join(c.child(1), c.child(9)).await });
    cancel_all(4, |c| async move { race(c.child(1), c.child(2)).await });
    cancel_all(8, |c| async move { join_all((1..4).map(|n| c.child(n))).await });
    cancel_all(20, |c| async move { try_join_all((1..20).map(|n| c.child(n))).await });
    cancel_all(5, |c| async move { timeout(2 * MS, join(c.child(1), c.child(3))).await });
}

#[test]
fn every_macro_can_be_cancelled_at_every_await() {
    cancel_all(6, |c| async move { handspun::join!(c.child(1), c.child(2)) });
    cancel_all(4, |c| async move { handspun::try_join!(c.child(1), c.child(1)) });
    cancel_all(4, |c| async move {
        handspun::select! {
            biased;
            _ = c.child(1) => {}
            _ = c.child(2) => {}
        }
    });
    // In a loop, one lent and one fresh each time.
    cancel_all(7, |c| async move {
        let mut lent = pin!(c.child(2));
        loop {
            handspun::select! {
                biased;
                _ = &mut lent => break,
                _ = c.child(1) => {}
            }
        }
    });
}

/// Cancelled at any await, `join_next` has taken nobody out of the set, and `shutdown` has at least
/// aborted all.
#[test]
fn waiting_for_a_join_set_can_be_cancelled_at_every_await() {
    let set_of = |census: &Census| {
        let census = census.clone();
        let children = (1..4).map(move |n| census.child(n));
        Rc::new(RefCell::new(children.collect::<JoinSet<_>>()))
    };
    // Who waits owns the set; but the test looks at it afterwards.
    async fn with<R>(set: &Rc<RefCell<JoinSet<R>>>, f: impl AsyncFnOnce(&mut JoinSet<R>))
    where
        R: 'static,
    {
        let mut taken = Lent {
            set: set.take(),
            home: set.clone(),
        };
        f(&mut taken.set).await;
    }
    struct Lent<R: 'static> {
        set: JoinSet<R>,
        home: Rc<RefCell<JoinSet<R>>>,
    }
    impl<R> Drop for Lent<R> {
        fn drop(&mut self) {
            self.home.replace(std::mem::take(&mut self.set));
        }
    }
    let joined_in = cancel_at_every_await(async || {
        let census = Census::default();
        let set = set_of(&census);
        let waited = set.clone();
        let joined = Rc::new(Cell::new(0));
        let count = joined.clone();
        let wait = async move {
            with(&waited, async |set: &mut JoinSet<_>| {
                while set.join_next().await.is_some() {
                    count.set(count.get() + 1);
                }
            })
            .await
        };
        (wait, async move |_: Option<()>| {
            let mut set = set.take();
            assert_eq!(joined.get() + set.len(), 3, "a member is lost");
            while set.join_next().await.is_some() {}
            assert_eq!(census.alive(), 0);
        })
    });
    assert!(joined_in > 3);
    cancel_at_every_await(async || {
        let census = Census::default();
        let set = set_of(&census);
        yield_now().await;
        let waited = set.clone();
        let stop = async move {
            with(&waited, async |set: &mut JoinSet<_>| set.shutdown().await).await;
        };
        (stop, async move |_: Option<()>| {
            set.take().shutdown().await;
            assert_eq!(census.alive(), 0);
        })
    });
}

/// Cancelled at any await, a wait leaves no waker with the token, and no future alive.
#[test]
fn waiting_for_a_token_can_be_cancelled_at_every_await() {
    let token_in = |millis: u64| {
        let token = CancellationToken::new();
        let child = token.child_token();
        spawn(async move {
            sleep(millis as u32 * MS).await;
            token.cancel();
        });
        child
    };
    cancel_all(2, |_| async move {
        let token = token_in(0);
        token.cancelled().await
    });
    cancel_all(2, |_| async move { token_in(0).cancelled_owned().await });
    cancel_all(4, |c| async move { token_in(2).run_until_cancelled(c.child(1)).await });
    cancel_all(4, |c| async move { token_in(9).run_until_cancelled_owned(c.child(1)).await });
}

#[test]
fn the_harness_says_at_which_await_it_failed() {
    let run = |bad: usize| {
        caught(|| {
            cancel_at_every_await(async || {
                let polls = Rc::new(Cell::new(0));
                let counted = polls.clone();
                let future = async move {
                    for _ in 0..2 {
                        counted.set(counted.get() + 1);
                        yield_now().await;
                    }
                    counted.set(counted.get() + 1);
                };
                (future, async move |output: Option<()>| {
                    assert_eq!(output.is_some(), polls.get() == 3);
                    assert!(polls.get() != bad, "bad");
                })
            })
        })
    };
    assert_eq!(run(9), Ok(3));
    assert_eq!(run(0), Err("cancelled in place of poll 1: bad".to_string()));
    assert_eq!(run(1), Err("cancelled after poll 1: bad".to_string()));
    assert_eq!(run(2), Err("cancelled after poll 2: bad".to_string()));
    assert_eq!(run(3), Err("finished in poll 3: bad".to_string()));
}

#[test]
fn the_harness_finds_what_is_lost_only_between_the_wake_and_the_poll() {
    // A permit that is handed to the one who waits, and gone if he never comes for it.
    let failed = caught(|| {
        cancel_at_every_await(async || {
            let gate = Gate::default();
            let permits = Rc::new(Cell::new(0));
            let releaser = (gate.clone(), permits.clone());
            let waiter = gate.clone();
            spawn(async move {
                sleep(MS).await;
                let (gate, permits) = releaser;
                let waits = Rc::strong_count(&gate.0) > 2;
                if waits { gate.open() } else { permits.set(1) }
            });
            (waiter, async move |output: Option<()>| {
                sleep(2 * MS).await;
                assert!(output.is_some() || permits.get() == 1, "the permit is lost");
                drop(gate);
            })
        })
    });
    assert_eq!(failed, Err("cancelled in place of poll 2: the permit is lost".to_string()));
}

// Random trees.

#[derive(Clone, Debug)]
enum Tree {
    /// Sleeps so many milliseconds, yields so many times, and ends.
    Leaf(u64, u32, End),
    Join(Box<Tree>, Box<Tree>),
    TryJoin(Box<Tree>, Box<Tree>),
    Race(Box<Tree>, Box<Tree>),
    /// `select!`, biased: does what `Race` does.
    Select(Box<Tree>, Box<Tree>),
    Timeout(u64, Box<Tree>),
    JoinAll(Vec<Tree>),
    TryJoinAll(Vec<Tree>),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Succeeds,
    Fails,
    Panics,
}

/// What a tree gives. Text, so that all trees give the same.
type Given = Result<String, String>;

fn trees() -> impl Strategy<Value = Tree> {
    let end = prop_oneof![
        8 => Just(End::Succeeds),
        2 => Just(End::Fails),
        1 => Just(End::Panics),
    ];
    let leaf = (0..4_u64, 0..3_u32, end).prop_map(|(d, n, end)| Tree::Leaf(d, n, end));
    leaf.prop_recursive(4, 24, 5, |tree| {
        let one = tree.clone().prop_map(Box::new);
        let many = prop::collection::vec(tree, 0..5);
        prop_oneof![
            (one.clone(), one.clone()).prop_map(|(a, b)| Tree::Join(a, b)),
            (one.clone(), one.clone()).prop_map(|(a, b)| Tree::TryJoin(a, b)),
            (one.clone(), one.clone()).prop_map(|(a, b)| Tree::Race(a, b)),
            (one.clone(), one.clone()).prop_map(|(a, b)| Tree::Select(a, b)),
            (0..5_u64, one).prop_map(|(d, a)| Tree::Timeout(d, a)),
            many.clone().prop_map(Tree::JoinAll),
            many.prop_map(Tree::TryJoinAll),
        ]
    })
}

/// When something happens: at so many milliseconds, in the so-manieth poll of the task after the
/// clock arrived there.
type Moment = (u64, u32);

/// What the model says of a tree.
#[derive(Clone, PartialEq, Debug)]
enum Ending {
    Gives(Given),
    Panics(String),
}

/// The model: when a tree ends, and how. `leaf` counts the leaves.
fn model(tree: &Tree, leaf: &mut usize) -> (Moment, Ending) {
    let mut each = |trees: &[&Tree]| -> Vec<(Moment, Ending)> {
        trees.iter().map(|tree| model(tree, leaf)).collect()
    };
    match tree {
        Tree::Leaf(sleeps, yields, end) => {
            let name = leaf.to_string();
            *leaf += 1;
            let ending = match end {
                End::Succeeds => Ending::Gives(Ok(name)),
                End::Fails => Ending::Gives(Err(name)),
                End::Panics => Ending::Panics(name),
            };
            ((*sleeps, *yields), ending)
        }
        Tree::Join(a, b) => all(each(&[a, b]), is_panic),
        Tree::TryJoin(a, b) => all(each(&[a, b]), |ending| !is_ok(ending)),
        Tree::JoinAll(trees) => all(each(&trees.iter().collect::<Vec<_>>()), is_panic),
        Tree::TryJoinAll(trees) => {
            all(each(&trees.iter().collect::<Vec<_>>()), |ending| !is_ok(ending))
        }
        Tree::Race(a, b) | Tree::Select(a, b) => first(each(&[a, b])).expect("two"),
        Tree::Timeout(limit, a) => {
            let late = ((*limit, 0), Ending::Gives(Err("late".to_string())));
            first([each(&[a]).remove(0), late].into()).expect("two")
        }
    }
}

fn is_panic(ending: &Ending) -> bool {
    matches!(ending, Ending::Panics(_))
}

fn is_ok(ending: &Ending) -> bool {
    matches!(ending, Ending::Gives(Ok(_)))
}

/// The earliest; of equals the one that stands first.
fn first(endings: Vec<(Moment, Ending)>) -> Option<(Moment, Ending)> {
    endings.into_iter().min_by_key(|(moment, _)| *moment)
}

/// The first that ends the whole, if there is one; or all, when the last is done.
fn all(endings: Vec<(Moment, Ending)>, ends: fn(&Ending) -> bool) -> (Moment, Ending) {
    if let Some(end) = first(endings.iter().filter(|(_, ending)| ends(ending)).cloned().collect()) {
        return end;
    }
    let last = endings.iter().map(|(moment, _)| *moment).max().unwrap_or_default();
    let given = endings.into_iter().map(|(_, ending)| match ending {
        Ending::Gives(given) => given,
        Ending::Panics(_) => unreachable!("a panic ends the whole"),
    });
    (last, Ending::Gives(Ok(list(given))))
}

fn list(given: impl IntoIterator<Item = Given>) -> String {
    format!("{:?}", given.into_iter().collect::<Vec<_>>())
}

/// What happened to the leaves.
#[derive(Clone, Default)]
struct Leaves(Rc<RefCell<Vec<LeafState>>>);

#[derive(Clone, Copy, PartialEq, Debug)]
enum LeafState {
    Alive,
    /// Was ready, or has panicked.
    Over,
    Dropped,
}

impl Leaves {
    fn plant(&self, future: impl Future<Output = Given> + 'static) -> Leaf {
        self.0.borrow_mut().push(LeafState::Alive);
        Leaf {
            number: self.0.borrow().len() - 1,
            leaves: self.clone(),
            future: Box::pin(future),
        }
    }

    fn assert_dropped(&self) {
        assert!(self.0.borrow().iter().all(|&state| state == LeafState::Dropped), "{:?}", self.0);
    }
}

struct Leaf {
    number: usize,
    leaves: Leaves,
    future: Pin<Box<dyn Future<Output = Given>>>,
}

impl Leaf {
    fn become_(&self, state: LeafState) -> LeafState {
        std::mem::replace(&mut self.leaves.0.borrow_mut()[self.number], state)
    }
}

impl Future for Leaf {
    type Output = Given;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Given> {
        // Whoever is over has been dropped before another is polled, and is not polled again.
        assert!(self.leaves.0.borrow().iter().all(|&state| state != LeafState::Over));
        let before = self.become_(LeafState::Over);
        assert_eq!(before, LeafState::Alive);
        let polled = self.future.as_mut().poll(cx);
        if polled.is_pending() {
            self.become_(LeafState::Alive);
        }
        polled
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        assert_ne!(self.become_(LeafState::Dropped), LeafState::Dropped);
    }
}

/// The tree as a future.
fn grow(tree: &Tree, leaves: &Leaves) -> Pin<Box<dyn Future<Output = Given>>> {
    let grow = |tree| grow(tree, leaves);
    match tree {
        &Tree::Leaf(sleeps, yields, end) => {
            let name = leaves.0.borrow().len().to_string();
            Box::pin(leaves.plant(async move {
                sleep(MS * sleeps as u32).await;
                for _ in 0..yields {
                    yield_now().await;
                }
                match end {
                    End::Succeeds => Ok(name),
                    End::Fails => Err(name),
                    End::Panics => resume_unwind(Box::new(name)),
                }
            }))
        }
        Tree::Join(a, b) => {
            let both = join(grow(a), grow(b));
            Box::pin(async { Ok(list(<[Given; 2]>::from(both.await))) })
        }
        Tree::TryJoin(a, b) => {
            let both = try_join(grow(a), grow(b));
            Box::pin(async { both.await.map(|(a, b)| list([Ok(a), Ok(b)])) })
        }
        Tree::Race(a, b) => {
            let first = race(grow(a), grow(b));
            Box::pin(async { first.await.into_inner() })
        }
        Tree::Select(a, b) => {
            let (a, b) = (grow(a), grow(b));
            Box::pin(async {
                handspun::select! {
                    biased;
                    given = a => given,
                    given = b => given,
                }
            })
        }
        Tree::Timeout(limit, a) => {
            let limited = timeout(MS * *limit as u32, grow(a));
            Box::pin(async { limited.await.unwrap_or(Err("late".to_string())) })
        }
        Tree::JoinAll(trees) => {
            let all = join_all(trees.iter().map(grow).collect::<Vec<_>>());
            Box::pin(async { Ok(list(all.await)) })
        }
        Tree::TryJoinAll(trees) => {
            let all = try_join_all(trees.iter().map(grow).collect::<Vec<_>>());
            Box::pin(async { all.await.map(|given| list(given.into_iter().map(Ok))) })
        }
    }
}

proptest! {
    #[test]
    fn a_tree_of_combinators_does_what_the_model_says(tree in trees()) {
        let leaves = Leaves::default();
        // Of the last poll.
        let moment = Cell::new((0, 0));
        let result = caught(|| paused(async {
            let start = Instant::now();
            let mut polls = 0;
            let mut tree = grow(&tree, &leaves);
            let given = poll_fn(|cx| {
                let now = start.elapsed().as_millis() as u64;
                polls = if polls > 0 && moment.get().0 == now { polls + 1 } else { 1 };
                moment.set((now, polls - 1));
                tree.as_mut().poll(cx)
            }).await;
            drop(tree);
            leaves.assert_dropped();
            given
        }));
        let ending = match result {
            Ok(given) => Ending::Gives(given),
            Err(leaf) => Ending::Panics(leaf),
        };
        prop_assert_eq!((moment.get(), ending), model(&tree, &mut 0));
        leaves.assert_dropped();
    }

    #[test]
    fn a_tree_of_combinators_can_be_cancelled_at_every_await(tree in trees()) {
        if !is_panic(&model(&tree, &mut 0).1) {
            cancel_at_every_await(async || {
                let leaves = Leaves::default();
                let grown = grow(&tree, &leaves);
                (grown, async move |_: Option<Given>| leaves.assert_dropped())
            });
        }
    }
}
