//! What a bounded channel that is never full and an unbounded one have in common. The module that
//! includes this file says which of the two it is about.

use super::{Rx, Tx, Weak, make, send};
use crate::auto_traits::{Neither, SendOnly, about, about_value, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::hostile::{Call, Dropping, hostile_waker, quietly};
use crate::lent::{Lent, home};
use crate::mpsc::MS;
use crate::programs::random_programs;
use crate::support::{
    CountingWaker, History, Wakes, caught, now, panic_silently, paused, poll_once, poll_with,
};
use crate::sync::mpsc::error::{SendError, TryRecvError};
use crate::watchdog::watched;
use handspun::time::{Instant, sleep, timeout};
use handspun::{block_on, spawn};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::marker::PhantomPinned;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;

fn poll_recv<T>(rx: &mut Rx<T>, waker: &Waker) -> Poll<Option<T>> {
    rx.poll_recv(&mut Context::from_waker(waker))
}

/// Everything that can be received without waiting, and whether the channel has ended then.
fn drain<T>(rx: &mut Rx<T>) -> (Vec<T>, bool) {
    let mut values = Vec::new();
    loop {
        match rx.try_recv() {
            Ok(value) => values.push(value),
            Err(why) => return (values, why == TryRecvError::Disconnected),
        }
    }
}

// Sending and receiving.

#[test]
fn values_come_out_in_the_order_in_which_they_went_in() {
    let (tx, mut rx) = make();
    let other = tx.clone();
    for n in 0..500 {
        send(if n % 3 == 0 { &tx } else { &other }, n).unwrap();
    }
    drop((tx, other));
    for n in 0..500 {
        assert_eq!(now(rx.recv()), Some(n));
    }
    assert_eq!(now(rx.recv()), None);
}

#[test]
fn a_receiver_waits_for_each_value() {
    let history = History::new();
    paused(async {
        let start = Instant::now();
        let (tx, mut rx) = make();
        let received = history.clone();
        let receiver = spawn(async move {
            while let Some(value) = rx.recv().await {
                received.push(format_args!("{value} after {:?}", start.elapsed()));
            }
            received.push(format_args!("the end after {:?}", start.elapsed()));
        });
        for value in ['a', 'b'] {
            sleep(MS).await;
            send(&tx, value).unwrap();
        }
        send(&tx, 'c').unwrap();
        sleep(MS).await;
        drop(tx);
        receiver.await.unwrap();
    });
    history.expect([
        "a after 1ms",
        "b after 2ms",
        "c after 2ms",
        "the end after 3ms",
    ]);
}

#[test]
fn a_receiver_is_woken_once_through_its_last_waker() {
    let wakers: Vec<_> = (0..3).map(|_| CountingWaker::new()).collect();
    let wakes = || wakers.iter().map(|(counter, _)| counter.wakes()).collect::<Vec<_>>();
    let (tx, mut rx) = make();
    for (_, waker) in &wakers {
        assert!(poll_recv(&mut rx, waker).is_pending());
    }
    send(&tx, 'a').unwrap();
    send(&tx, 'b').unwrap();
    assert_eq!(wakes(), [0, 0, 1]);
    assert_eq!(poll_recv(&mut rx, &wakers[0].1), Poll::Ready(Some('a')));
    assert_eq!(poll_recv(&mut rx, &wakers[0].1), Poll::Ready(Some('b')));
    // It did not wait, so nobody is woken by the next one.
    send(&tx, 'c').unwrap();
    assert_eq!(wakes(), [0, 0, 1]);
    drop((tx, rx));
    for (counter, _) in &wakers {
        assert_eq!(Arc::strong_count(counter), 2, "a waker was kept");
    }
}

#[test]
fn values_that_are_there_make_no_receiver_wait() {
    let (tx, mut rx) = make();
    for n in 0..1_000 {
        send(&tx, n).unwrap();
    }
    // All of them in one poll.
    now(async move {
        for n in 0..1_000 {
            assert_eq!(rx.recv().await, Some(n));
        }
    });
}

#[test]
fn trying_takes_a_value_or_says_why_not() {
    let (tx, mut rx) = make();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    send(&tx, 'a').unwrap();
    assert_eq!(rx.try_recv(), Ok('a'));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    send(&tx, 'b').unwrap();
    drop(tx);
    assert_eq!(rx.try_recv(), Ok('b'));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));

    let errors: [&dyn std::error::Error; 2] = [&TryRecvError::Empty, &TryRecvError::Disconnected];
    assert_ne!(errors[0].to_string(), errors[1].to_string());
}

#[test]
fn trying_does_not_end_a_wait() {
    let (counter, waker) = CountingWaker::new();
    let (tx, mut rx) = make();
    assert!(poll_recv(&mut rx, &waker).is_pending());
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    send(&tx, 'a').unwrap();
    assert_eq!(counter.wakes(), 1);
}

#[test]
fn receiving_many_takes_what_is_there_up_to_the_limit() {
    let (tx, mut rx) = make();
    let mut buffer = vec!['-'];
    // For none it need not wait.
    assert_eq!(now(rx.recv_many(&mut buffer, 0)), 0);
    for value in "abcde".chars() {
        send(&tx, value).unwrap();
    }
    assert_eq!(now(rx.recv_many(&mut buffer, 0)), 0);
    assert_eq!(now(rx.recv_many(&mut buffer, 3)), 3);
    assert_eq!(now(rx.recv_many(&mut buffer, 3)), 2);
    assert_eq!(String::from_iter(&buffer), "-abcde");
    assert!(poll_once(rx.recv_many(&mut buffer, 3)).is_pending());

    send(&tx, 'f').unwrap();
    drop(tx);
    assert_eq!(now(rx.recv_many(&mut buffer, usize::MAX)), 1);
    assert_eq!(now(rx.recv_many(&mut buffer, usize::MAX)), 0);
    assert_eq!(String::from_iter(&buffer), "-abcdef");
}

#[test]
fn receiving_many_waits_for_the_first_and_not_for_more() {
    let history = History::new();
    paused(async {
        let start = Instant::now();
        let (tx, mut rx) = make();
        let sender = spawn(async move {
            for n in 0..4 {
                sleep(MS).await;
                send(&tx, 2 * n).unwrap();
                send(&tx, 2 * n + 1).unwrap();
            }
        });
        let mut buffer = Vec::new();
        while rx.recv_many(&mut buffer, 10).await > 0 {
            history.push(format_args!("{buffer:?} after {:?}", start.elapsed()));
            buffer.clear();
            if start.elapsed() == MS * 2 {
                sleep(MS * 5 / 2).await;
            }
        }
        sender.await.unwrap();
    });
    history.expect([
        "[0, 1] after 1ms",
        "[2, 3] after 2ms",
        "[4, 5, 6, 7] after 4.5ms",
    ]);
}

#[test]
fn receiving_many_by_hand_wakes_like_receiving_one() {
    let (counter, waker) = CountingWaker::new();
    let cx = &mut Context::from_waker(&waker);
    let (tx, mut rx) = make();
    let mut buffer = Vec::new();
    assert_eq!(rx.poll_recv_many(cx, &mut buffer, 0), Poll::Ready(0));
    assert_eq!(rx.poll_recv_many(cx, &mut buffer, 2), Poll::Pending);
    for value in ['a', 'b', 'c'] {
        send(&tx, value).unwrap();
    }
    assert_eq!(counter.wakes(), 1);
    assert_eq!(rx.poll_recv_many(cx, &mut buffer, 2), Poll::Ready(2));
    drop(tx);
    assert_eq!(rx.poll_recv_many(cx, &mut buffer, 2), Poll::Ready(1));
    assert_eq!(rx.poll_recv_many(cx, &mut buffer, 2), Poll::Ready(0));
    assert_eq!(buffer, ['a', 'b', 'c']);
    assert_eq!(counter.wakes(), 1);
}

#[test]
fn a_wait_may_be_given_up_and_taken_up_again() {
    paused(async {
        let (tx, mut rx) = make();
        spawn(async move {
            sleep(MS * 5).await;
            send(&tx, 'a').unwrap();
        });
        for _ in 0..4 {
            timeout(MS, rx.recv()).await.unwrap_err();
        }
        assert_eq!(rx.recv().await, Some('a'));
        assert_eq!(rx.recv().await, None);
    });
}

#[test]
fn a_wait_for_the_closing_that_is_dropped_takes_its_waker_back() {
    let (counter, waker) = CountingWaker::new();
    let (tx, rx) = make::<char>();
    assert!(poll_with(&mut Box::pin(tx.closed()), &waker).is_pending());
    assert_eq!(Arc::strong_count(&counter), 2);
    drop(rx);
    assert_eq!(counter.wakes(), 0);
}

#[test]
fn a_receiver_that_goes_takes_its_waker_back() {
    let (counter, waker) = CountingWaker::new();
    let (tx, mut rx) = make::<char>();
    assert!(poll_recv(&mut rx, &waker).is_pending());
    assert_eq!(Arc::strong_count(&counter), 3);
    drop(rx);
    assert_eq!(Arc::strong_count(&counter), 2);
    drop(tx);
    assert_eq!(counter.wakes(), 0);
}

#[test]
fn a_wait_for_a_value_may_be_made_anew_for_each_poll() {
    paused(async {
        let (tx, mut rx) = make();
        let wait = spawn(async move { poll_fn(|cx| pin!(rx.recv()).poll(cx)).await });
        sleep(MS).await;
        send(&tx, 'a').unwrap();
        assert_eq!(wait.await.unwrap(), Some('a'));

        let (tx, mut rx) = make();
        let wait = spawn(async move {
            let mut buffer = Vec::new();
            poll_fn(|cx| pin!(rx.recv_many(&mut buffer, 2)).poll(cx)).await
        });
        sleep(MS).await;
        send(&tx, 'a').unwrap();
        assert_eq!(wait.await.unwrap(), 1);
    });
}

#[test]
fn a_value_need_be_nothing_but_a_value() {
    struct Plain(Rc<Cell<u8>>);
    let (tx, mut rx) = make();
    assert!(send(&tx, Plain(Rc::default())).is_ok());
    drop(tx.clone());
    now(rx.recv()).unwrap().0.set(1);
    drop(rx);
    assert!(send(&tx, Plain(Rc::default())).is_err());
}

// The end.

#[test]
fn the_last_sender_that_leaves_ends_the_channel() {
    let (counter, waker) = CountingWaker::new();
    let (tx, mut rx) = make();
    let other = tx.clone();
    send(&tx, 'a').unwrap();
    drop(tx);
    assert!(!rx.is_closed());
    assert_eq!(now(rx.recv()), Some('a'));
    assert!(poll_recv(&mut rx, &waker).is_pending());
    drop(other);
    assert_eq!(counter.wakes(), 1);
    assert!(rx.is_closed());
    assert_eq!(now(rx.recv()), None);
    assert_eq!(now(rx.recv()), None);
}

#[test]
fn closing_refuses_what_comes_and_keeps_what_is_there() {
    let (tx, mut rx) = make();
    send(&tx, 'a').unwrap();
    send(&tx, 'b').unwrap();
    rx.close();
    rx.close();
    assert!(tx.is_closed() && rx.is_closed());
    assert_eq!(send(&tx, 'c'), Err(SendError('c')));
    assert_eq!((rx.len(), rx.is_empty()), (2, false));
    assert_eq!(now(rx.recv()), Some('a'));
    assert_eq!(rx.try_recv(), Ok('b'));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(now(rx.recv()), None);
    drop(rx);
    assert_eq!(send(&tx, 'd'), Err(SendError('d')));
}

#[test]
fn a_receiver_that_goes_drops_what_it_has() {
    let history = History::new();
    let (tx, mut rx) = make();
    (0..3).for_each(|n| assert!(send(&tx, history.on_drop(n)).is_ok()));
    drop(rx.try_recv());
    history.expect(["0"]);
    (3..5).for_each(|n| assert!(send(&tx, history.on_drop(n)).is_ok()));
    assert!(!tx.is_closed());
    drop(rx);
    history.expect(["1", "2", "3", "4"]);
    assert!(tx.is_closed());
    let back = send(&tx, history.on_drop(5));
    history.push("came back");
    drop(back);
    history.expect(["came back", "5"]);
}

#[test]
fn values_outlive_their_sender_and_no_longer_than_their_receiver() {
    let history = History::new();
    let (tx, rx) = make();
    assert!(send(&tx, history.on_drop("value")).is_ok());
    drop(tx);
    history.push("no sender");
    drop(rx);
    history.expect(["no sender", "value"]);
}

#[test]
fn an_error_gives_the_value_back() {
    let (tx, rx) = make();
    drop(rx);
    let error = send(&tx, 'a').unwrap_err();
    assert!(error.to_string().contains("closed"));
    assert_eq!(format!("{error:?}"), "SendError { .. }");
    let _: &dyn std::error::Error = &error;
    let copy = error;
    assert_eq!(copy.0, error.0);
}

#[test]
fn senders_learn_that_the_receiver_is_closed() {
    for close in [Rx::close as fn(&mut Rx<u8>), |rx| *rx = make().1] {
        let wakes = Wakes::default();
        let (tx, mut rx) = make();
        let other = tx.clone();
        let mut waits = [&tx, &other, &tx].map(|tx| Box::pin(tx.closed()));
        for (number, wait) in waits.iter_mut().enumerate() {
            assert!(poll_with(wait, &wakes.waker(number)).is_pending());
        }
        let [first, mut second, third] = waits;
        // A wait that is polled again keeps its place; one that is dropped has none.
        assert!(poll_with(&mut second, &wakes.waker(9)).is_pending());
        drop(first);
        assert!(!tx.is_closed());
        close(&mut rx);
        assert_eq!(wakes.take(), [9, 2]);
        close(&mut rx);
        assert_eq!(wakes.take(), []);
        now(second);
        now(third);
        now(tx.closed());
        assert!(tx.is_closed() && other.is_closed());
    }
}

#[test]
fn a_sender_does_not_wait_for_the_end_that_it_brings_about() {
    // What ends with the last sender is not closed: nobody is left to be told.
    let (tx, rx) = make::<u8>();
    let wait = Box::pin(async move { tx.closed().await });
    assert!(!rx.is_closed());
    drop(wait);
    assert!(rx.is_closed());
}

// Questions.

#[test]
fn a_receiver_tells_how_much_it_has() {
    let (tx, mut rx) = make();
    let asked = |rx: &Rx<u8>| (rx.len(), rx.is_empty(), rx.is_closed());
    assert_eq!(asked(&rx), (0, true, false));
    for n in 0..100 {
        send(&tx, n).unwrap();
        assert_eq!(asked(&rx), (usize::from(n) + 1, false, false));
    }
    drop(tx);
    assert_eq!(asked(&rx), (100, false, true));
    for n in (0..100).rev() {
        rx.try_recv().unwrap();
        assert_eq!(asked(&rx), (n, n == 0, true));
    }
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(asked(&rx), (0, true, true));
}

#[test]
fn ends_know_their_channel() {
    let (tx, rx) = make::<u8>();
    let other = make::<u8>().0;
    assert!(tx.same_channel(&tx.clone()));
    assert!(tx.same_channel(&tx.downgrade().upgrade().unwrap()));
    assert!(!tx.same_channel(&other));
    drop(rx);
    assert!(tx.same_channel(&tx.clone()));
}

#[test]
fn the_ends_can_be_shown() {
    struct NoDebug;
    let (tx, rx) = make::<NoDebug>();
    let names = [
        format!("{tx:?}"),
        format!("{rx:?}"),
        format!("{:?}", tx.downgrade()),
    ];
    let types = [
        std::any::type_name::<Tx<NoDebug>>(),
        std::any::type_name::<Rx<NoDebug>>(),
        std::any::type_name::<Weak<NoDebug>>(),
    ];
    for (debug, full) in names.iter().zip(types) {
        let path = full.split('<').next().unwrap();
        assert!(debug.starts_with(path.rsplit("::").next().unwrap()), "{debug}");
    }
}

// Weak senders.

#[test]
fn a_weak_sender_keeps_no_channel_open() {
    let (counter, waker) = CountingWaker::new();
    let (tx, mut rx) = make::<u8>();
    let weak = tx.downgrade();
    assert!(poll_recv(&mut rx, &waker).is_pending());
    drop(tx);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(now(rx.recv()), None);
    assert!(weak.upgrade().is_none());
    assert!(weak.clone().upgrade().is_none());
}

#[test]
fn a_weak_sender_becomes_a_sender_while_there_is_one() {
    let (tx, mut rx) = make();
    let weak = tx.downgrade();
    let again = weak.upgrade().expect("a sender is left");
    drop(tx);
    send(&again, 'a').unwrap();
    send(&weak.upgrade().unwrap(), 'b').unwrap();
    assert!(!rx.is_closed());
    drop(again);
    assert!(weak.upgrade().is_none());
    assert_eq!(drain(&mut rx), (vec!['a', 'b'], true));
    // Not even the receiver's end makes it a sender.
    drop(rx);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_weak_sender_may_be_upgraded_after_the_receiver_has_gone() {
    let (tx, rx) = make();
    let weak = tx.downgrade();
    drop(rx);
    let again = weak.upgrade().expect("a sender is left");
    assert!(again.is_closed());
    assert_eq!(send(&again, 'a'), Err(SendError('a')));
}

#[test]
fn senders_are_counted() {
    let (tx, rx) = make::<u8>();
    let counts = |tx: &Tx<u8>, weak: &Weak<u8>| {
        let counts = [tx.strong_count(), tx.weak_count()];
        assert_eq!(counts, [weak.strong_count(), weak.weak_count()]);
        assert_eq!(counts, [rx.sender_strong_count(), rx.sender_weak_count()]);
        counts
    };
    assert_eq!([rx.sender_strong_count(), rx.sender_weak_count()], [1, 0]);
    let weak = tx.downgrade();
    assert_eq!(counts(&tx, &weak), [1, 1]);
    let other = tx.clone();
    assert_eq!(counts(&tx, &weak), [2, 1]);
    let weaker = weak.clone();
    assert_eq!(counts(&tx, &weaker), [2, 2]);
    let upgraded = weak.upgrade().unwrap();
    assert_eq!(counts(&upgraded, &weak), [3, 2]);
    drop(weak);
    assert_eq!(counts(&tx, &weaker), [3, 1]);
    drop((tx, other));
    assert_eq!(counts(&upgraded, &weaker), [1, 1]);
    drop(upgraded);
    assert_eq!([weaker.strong_count(), weaker.weak_count()], [0, 1]);
    assert!(weaker.upgrade().is_none());
    assert_eq!([rx.sender_strong_count(), rx.sender_weak_count()], [0, 1]);
    drop(weaker);
    assert_eq!([rx.sender_strong_count(), rx.sender_weak_count()], [0, 0]);
}

// Threads that block.

#[test]
fn a_thread_may_block_for_a_value() {
    watched(|| {
        let (tx, mut rx) = make();
        let thread = thread::spawn(move || {
            let mut buffer = Vec::new();
            let first = rx.blocking_recv();
            assert_eq!(rx.blocking_recv_many(&mut buffer, 0), 0);
            while rx.blocking_recv_many(&mut buffer, 2) > 0 {}
            (first, buffer, rx.blocking_recv())
        });
        block_on(async {
            for value in ['a', 'b', 'c'] {
                sleep(MS).await;
                send(&tx, value).unwrap();
            }
            send(&tx, 'd').unwrap();
            drop(tx);
        });
        assert_eq!(thread.join().unwrap(), (Some('a'), vec!['b', 'c', 'd'], None));
    });
}

#[test]
fn a_task_may_not_block_for_a_value() {
    let (tx, mut rx) = make();
    send(&tx, 'a').unwrap();
    block_on(async {
        let message = caught(|| rx.blocking_recv()).unwrap_err();
        assert!(message.contains("`blocking_recv`") && message.contains("`recv().await`"));
        let message = caught(|| rx.blocking_recv_many(&mut Vec::new(), 1)).unwrap_err();
        assert!(message.contains("`blocking_recv_many`"));
    });
    assert_eq!(rx.blocking_recv(), Some('a'));
}

// Cancelled at every await.

#[test]
fn a_cancelled_wait_has_received_nothing() {
    let polls = cancel_at_every_await(async || {
        let (tx, rx) = make();
        spawn(async move {
            for value in ['a', 'b', 'c'] {
                sleep(MS).await;
                send(&tx, value).unwrap();
            }
        });
        let home = home((rx, Vec::new()));
        let mut lent = Lent::from(&home);
        let two = async move {
            let (rx, received) = &mut *lent;
            for _ in 0..2 {
                received.push(rx.recv().await.unwrap());
            }
        };
        (two, async move |_| {
            let (mut rx, mut received) = home.take().expect("the wait is gone");
            while let Some(value) = rx.recv().await {
                received.push(value);
            }
            assert_eq!(received, ['a', 'b', 'c']);
        })
    });
    assert_eq!(polls, 3);
}

#[test]
fn a_cancelled_wait_for_many_has_received_nothing() {
    let polls = cancel_at_every_await(async || {
        let (tx, rx) = make();
        spawn(async move {
            for n in 0..3 {
                sleep(MS).await;
                send(&tx, 2 * n).unwrap();
                send(&tx, 2 * n + 1).unwrap();
            }
        });
        let home = home((rx, Vec::new()));
        let mut lent = Lent::from(&home);
        let some = async move {
            let (rx, buffer) = &mut *lent;
            [rx.recv_many(buffer, 3).await, rx.recv_many(buffer, 1).await]
        };
        (some, async move |counts: Option<[usize; 2]>| {
            assert!(counts.is_none_or(|counts| counts == [2, 1]));
            let (mut rx, mut buffer) = home.take().expect("the wait is gone");
            while rx.recv_many(&mut buffer, 10).await > 0 {}
            assert_eq!(buffer, [0, 1, 2, 3, 4, 5]);
        })
    });
    assert_eq!(polls, 3);
}

#[test]
fn a_cancelled_wait_for_the_end_leaves_nothing() {
    let polls = cancel_at_every_await(async || {
        let (tx, mut rx) = make::<u8>();
        let waits = tx.clone();
        let weak = tx.downgrade();
        let receiver = spawn(async move {
            sleep(MS).await;
            rx.close();
            rx.recv().await
        });
        let wait = async move { waits.closed().await };
        (wait, async move |output: Option<()>| {
            assert!(output.is_none() || tx.is_closed());
            // Its sender went with it; another may wait in its place.
            assert_eq!(tx.strong_count(), 1);
            tx.closed().await;
            assert_eq!(receiver.await.unwrap(), None);
            drop(tx);
            assert!(weak.upgrade().is_none());
        })
    });
    assert_eq!(polls, 2);
}

// Random programs, against a model.

#[derive(Clone, Copy, Debug)]
enum Step {
    Clone(usize),
    Drop(usize),
    Downgrade(usize),
    Upgrade(usize),
    DropWeak(usize),
    Send(usize),
    Recv,
    RecvMany(usize),
    TryRecv,
    /// Waits for the end, polled once.
    Wait(usize),
    /// Polls such a wait again, with another waker.
    Poll(usize),
    DropWait(usize),
    Close,
    DropReceiver,
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..100_usize;
    prop_oneof![
        2 => any().prop_map(Step::Clone),
        3 => any().prop_map(Step::Drop),
        2 => any().prop_map(Step::Downgrade),
        2 => any().prop_map(Step::Upgrade),
        1 => any().prop_map(Step::DropWeak),
        8 => any().prop_map(Step::Send),
        5 => Just(Step::Recv),
        2 => (0..4_usize).prop_map(Step::RecvMany),
        2 => Just(Step::TryRecv),
        2 => any().prop_map(Step::Wait),
        2 => any().prop_map(Step::Poll),
        1 => any().prop_map(Step::DropWait),
        1 => Just(Step::Close),
        1 => Just(Step::DropReceiver),
    ]
}

/// The channel as its promises describe it.
#[derive(Default)]
struct Model {
    queue: VecDeque<usize>,
    /// How many there are, those of the waits included.
    senders: usize,
    weak: usize,
    closed: bool,
    /// The number of the waker that the receiver left.
    receiver: Option<usize>,
}

impl Model {
    /// Up to so many values, none at the end, or `None` if the receiver has to wait.
    fn receive(&mut self, limit: usize) -> Option<Vec<usize>> {
        let values = Vec::from_iter(self.queue.drain(..limit.min(self.queue.len())));
        let ready = limit == 0 || !values.is_empty() || self.closed || self.senders == 0;
        ready.then_some(values)
    }
}

/// A value, and a count of those that are alive.
type Value = (usize, Rc<()>);

/// A wait for the end, and the number of the waker that it left, unless it was woken.
struct Wait {
    future: Pin<Box<dyn Future<Output = ()>>>,
    waker: Option<usize>,
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 0..60)) {
        let mut model = Model { senders: 1, ..Model::default() };
        let (receiver_wakes, wakes) = (Wakes::default(), Wakes::default());
        let alive = Rc::new(());
        let (tx, rx) = make::<Value>();
        let (mut senders, mut rx) = (vec![tx], Some(rx));
        let (mut weak, mut waits) = (Vec::<Weak<Value>>::new(), Vec::<Wait>::new());
        for (number, step) in steps.into_iter().enumerate() {
            let mut expected_wakes = Vec::new();
            let [waker, receiver_waker] =
                [&wakes, &receiver_wakes].map(|wakes| wakes.waker(number));
            match (step, &mut rx) {
                (Step::Clone(n), _) if !senders.is_empty() => {
                    senders.push(senders[n % senders.len()].clone());
                    model.senders += 1;
                }
                (Step::Drop(n), _) if !senders.is_empty() => {
                    senders.remove(n % senders.len());
                    model.senders -= 1;
                }
                (Step::Downgrade(n), _) if !senders.is_empty() => {
                    weak.push(senders[n % senders.len()].downgrade());
                    model.weak += 1;
                }
                (Step::Upgrade(n), _) if !weak.is_empty() => {
                    let sender = weak[n % weak.len()].upgrade();
                    prop_assert_eq!(sender.is_some(), model.senders > 0);
                    model.senders += usize::from(sender.is_some());
                    senders.extend(sender);
                }
                (Step::DropWeak(n), _) if !weak.is_empty() => {
                    weak.remove(n % weak.len());
                    model.weak -= 1;
                }
                (Step::Send(n), _) if !senders.is_empty() => {
                    let sent = send(&senders[n % senders.len()], (number, alive.clone()));
                    prop_assert_eq!(sent.is_err(), model.closed);
                    if !model.closed {
                        model.queue.push_back(number);
                    }
                }
                (Step::Wait(n), _) if !senders.is_empty() => {
                    let tx = senders[n % senders.len()].clone();
                    let mut future = Box::pin(async move { tx.closed().await });
                    let ready = poll_with(&mut future, &waker).is_ready();
                    prop_assert_eq!(ready, model.closed);
                    if !ready {
                        waits.push(Wait { future, waker: Some(number) });
                        model.senders += 1;
                    }
                }
                (Step::Poll(n), _) if !waits.is_empty() => {
                    let at = n % waits.len();
                    let ready = poll_with(&mut waits[at].future, &waker).is_ready();
                    prop_assert_eq!(ready, model.closed);
                    waits[at].waker = Some(number);
                    if ready {
                        waits.remove(at);
                        model.senders -= 1;
                    }
                }
                (Step::DropWait(n), _) if !waits.is_empty() => {
                    waits.remove(n % waits.len());
                    model.senders -= 1;
                }
                (Step::Recv, Some(rx)) => {
                    let polled = poll_recv(rx, &receiver_waker);
                    let expected = model.receive(1);
                    prop_assert_eq!(polled.is_pending(), expected.is_none());
                    if let Poll::Ready(value) = polled {
                        prop_assert_eq!(value.map(|value| value.0), expected.unwrap().pop());
                    } else {
                        model.receiver = Some(number);
                    }
                }
                (Step::RecvMany(limit), Some(rx)) => {
                    let mut values = Vec::new();
                    let cx = &mut Context::from_waker(&receiver_waker);
                    let polled = rx.poll_recv_many(cx, &mut values, limit);
                    let expected = model.receive(limit);
                    prop_assert_eq!(polled.is_pending(), expected.is_none());
                    if let Poll::Ready(count) = polled {
                        prop_assert_eq!(count, values.len());
                        let values = Vec::from_iter(values.into_iter().map(|value| value.0));
                        prop_assert_eq!(values, expected.unwrap());
                    } else {
                        model.receiver = Some(number);
                    }
                }
                (Step::TryRecv, Some(rx)) => {
                    let expected = match model.receive(1).map(|mut values| values.pop()) {
                        None => Err(TryRecvError::Empty),
                        Some(None) => Err(TryRecvError::Disconnected),
                        Some(Some(value)) => Ok(value),
                    };
                    prop_assert_eq!(rx.try_recv().map(|value| value.0), expected);
                }
                (Step::Close | Step::DropReceiver, end @ Some(_)) => {
                    match step {
                        Step::Close => end.as_mut().unwrap().close(),
                        _ => {
                            *end = None;
                            model.queue.clear();
                        }
                    }
                    model.closed = true;
                    // In the order in which they came.
                    expected_wakes.extend(waits.iter_mut().filter_map(|wait| wait.waker.take()));
                }
                _ => {}
            }
            prop_assert_eq!(wakes.take(), expected_wakes);
            let ready = !model.queue.is_empty() || model.senders == 0;
            let expected = if ready { model.receiver.take() } else { None };
            // Once it is closed, by itself, a receiver does not wait any more.
            let woken = receiver_wakes.take();
            prop_assert!(model.closed || woken == Vec::from_iter(expected), "{:?}", woken);

            for tx in &senders {
                prop_assert_eq!(tx.is_closed(), model.closed);
                prop_assert_eq!([tx.strong_count(), tx.weak_count()], [model.senders, model.weak]);
            }
            for weak in &weak {
                let counts = [weak.strong_count(), weak.weak_count()];
                prop_assert_eq!(counts, [model.senders, model.weak]);
            }
            if let Some(rx) = &rx {
                prop_assert_eq!(rx.len(), model.queue.len());
                prop_assert_eq!(rx.is_empty(), model.queue.is_empty());
                prop_assert_eq!(rx.is_closed(), model.closed || model.senders == 0);
                let counts = [rx.sender_strong_count(), rx.sender_weak_count()];
                prop_assert_eq!(counts, [model.senders, model.weak]);
            }
            prop_assert_eq!(Rc::strong_count(&alive), 1 + model.queue.len());
        }
        drop((senders, weak, waits, rx));
        prop_assert_eq!(Rc::strong_count(&alive), 1);
        // No waker is left anywhere.
        prop_assert_eq!([receiver_wakes.alive(), wakes.alive()], [0, 0]);
    }
}

// The worst that wakers and values can do.

#[test]
fn a_waker_may_come_back_while_it_is_woken() {
    let history = History::new();
    let (tx, rx) = make();
    let rx = Rc::new(RefCell::new(rx));
    let (inside, weak, seen) = (rx.clone(), tx.downgrade(), history.clone());
    let waker = hostile_waker(move |call| {
        if call == Call::Wake {
            let rx = &mut *inside.borrow_mut();
            let tx = weak.upgrade().unwrap();
            send(&tx, 'b').unwrap();
            assert!(poll_once(tx.closed()).is_pending());
            seen.push(format_args!("{:?}, {} left", rx.try_recv(), rx.len()));
            rx.close();
            seen.push(format_args!("{:?}", send(&tx, 'c')));
        }
    });
    assert!(poll_recv(&mut rx.borrow_mut(), &waker).is_pending());
    send(&tx, 'a').unwrap();
    history.expect(["Ok('a'), 1 left", "Err(SendError { .. })"]);
    assert_eq!(drain(&mut rx.borrow_mut()), (vec!['b'], true));
}

#[test]
fn a_waker_may_drop_the_receiver_while_a_value_is_being_sent() {
    let history = History::new();
    let (tx, rx) = make();
    let rx = Rc::new(RefCell::new(Some(rx)));
    let inside = rx.clone();
    let waker = hostile_waker(move |call| {
        if call == Call::Wake {
            drop(inside.take());
        }
    });
    assert!(poll_recv(rx.borrow_mut().as_mut().unwrap(), &waker).is_pending());
    assert!(send(&tx, history.on_drop("value")).is_ok());
    history.expect(["value"]);
    assert!(tx.is_closed());
}

/// Does something from a waker that sees `call` while the receiver is polled. The receiver must not
/// miss it: it finds it, or it is woken.
fn in_the_middle_of_a_poll(call: Call, act: impl Fn(&Tx<char>) + 'static) -> Option<char> {
    let (tx, mut rx) = make();
    let tx = Rc::new(RefCell::new(Some(tx)));
    let (inside, wakes) = (tx.clone(), Rc::new(Cell::new(0)));
    let woken = wakes.clone();
    let hostile = hostile_waker(move |seen| {
        if seen == Call::Wake {
            woken.set(woken.get() + 1);
        }
        if seen == call
            && let Some(tx) = inside.take()
        {
            act(&tx);
        }
    });
    let (counter, waker) = CountingWaker::new();
    let mut polled = poll_recv(&mut rx, &hostile);
    if call == Call::Drop {
        // The other one takes its place.
        assert!(polled.is_pending() && tx.borrow().is_some());
        polled = poll_recv(&mut rx, &waker);
    }
    assert!(tx.borrow().is_none(), "the waker was not used as planned");
    std::mem::forget(hostile);
    match polled {
        Poll::Ready(value) => value,
        Poll::Pending => {
            assert_eq!(wakes.get() + counter.wakes(), 1);
            now(rx.recv())
        }
    }
}

#[test]
fn a_value_may_come_while_the_waker_is_cloned_or_dropped() {
    for call in [Call::Clone, Call::Drop] {
        let value = in_the_middle_of_a_poll(call, |tx| send(tx, 'a').unwrap());
        assert_eq!(value, Some('a'));
    }
}

#[test]
fn the_last_sender_may_leave_while_the_waker_is_cloned_or_dropped() {
    for call in [Call::Clone, Call::Drop] {
        assert_eq!(in_the_middle_of_a_poll(call, |_| ()), None);
    }
}

#[test]
fn a_waker_may_panic() {
    for call in [Call::Clone, Call::Wake, Call::Drop] {
        quietly(|| {
            let armed = Rc::new(Cell::new(true));
            let arms = armed.clone();
            let waker = hostile_waker(move |seen| {
                if seen == call && arms.take() {
                    panic_silently("a waker");
                }
            });
            let (tx, mut rx) = make();
            let _ = caught(|| poll_recv(&mut rx, &waker).is_pending());
            // Who gets the panic is not said; the value is sent all the same.
            let _ = caught(|| send(&tx, 'a'));
            assert_eq!(rx.try_recv(), Ok('a'));
            if call == Call::Drop {
                let _ = caught(|| poll_recv(&mut rx, &waker).is_pending());
                let _ = caught(|| poll_recv(&mut rx, Waker::noop()).is_pending());
            }
            assert!(!armed.get());
            send(&tx, 'b').unwrap();
            assert_eq!(drain(&mut rx), (vec!['b'], false));
        });
    }
}

#[test]
fn a_waker_may_send_while_the_receiver_closes() {
    let history = History::new();
    let (tx, mut rx) = make();
    let (inside, seen) = (tx.clone(), history.clone());
    let hostile = hostile_waker(move |call| {
        if call == Call::Wake {
            seen.push(format_args!("{}, {:?}", inside.is_closed(), send(&inside, 'a')));
            now(inside.closed());
        }
    });
    let (counter, waker) = CountingWaker::new();
    let [mut first, mut second] = [&tx, &tx].map(|tx| Box::pin(tx.closed()));
    assert!(poll_with(&mut first, &hostile).is_pending());
    assert!(poll_with(&mut second, &waker).is_pending());
    rx.close();
    history.expect(["true, Err(SendError { .. })"]);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(now(rx.recv()), None);
}

#[test]
fn a_receiver_may_go_while_the_waker_of_its_sender_is_cloned() {
    let (tx, rx) = make::<u8>();
    let rx = RefCell::new(Some(rx));
    let wakes = Rc::new(Cell::new(0));
    let woken = wakes.clone();
    let waker = hostile_waker(move |call| match call {
        Call::Clone => drop(rx.take()),
        Call::Wake => woken.set(woken.get() + 1),
        Call::Drop => {}
    });
    let mut wait = Box::pin(tx.closed());
    let polled = poll_with(&mut wait, &waker);
    assert!(polled.is_ready() || wakes.get() == 1);
    assert!(polled.is_ready() || poll_once(wait).is_ready());
}

#[test]
fn a_value_may_come_back_while_it_is_dropped() {
    struct Nosy(u8, Tx<Nosy>, History);
    impl Drop for Nosy {
        fn drop(&mut self) {
            let Nosy(n, tx, history) = self;
            history.push(format_args!("{n} of {}, {}", tx.strong_count(), tx.is_closed()));
            if *n < 10 {
                let more = Nosy(*n + 10, tx.clone(), history.clone());
                assert!(send(tx, more).is_err());
            }
        }
    }
    let history = History::new();
    let (tx, mut rx) = make();
    for n in [10, 0, 1] {
        assert!(send(&tx, Nosy(n, tx.clone(), history.clone())).is_ok());
    }
    drop(rx.try_recv());
    history.expect(["10 of 4, false"]);
    let weak = tx.downgrade();
    drop(tx);
    drop(rx);
    history.expect([
        "0 of 2, true",
        "10 of 3, true",
        "1 of 1, true",
        "11 of 2, true",
    ]);
    assert_eq!(weak.strong_count(), 0);
}

#[test]
fn a_value_may_panic_while_it_is_dropped() {
    quietly(|| {
        let history = History::new();
        let (tx, mut rx) = make();
        let value = |n| {
            let history = history.clone();
            Dropping(move || {
                history.push(n);
                if [1, 2, 4].contains(&n) {
                    panic_silently("a value");
                }
            })
        };
        (0..3).for_each(|n| assert!(send(&tx, value(n)).is_ok()));
        drop(rx.try_recv());
        (3..5).for_each(|n| assert!(send(&tx, value(n)).is_ok()));
        // Nobody has asked for them: their panics end there, each by itself.
        assert_eq!(caught(|| drop(rx)), Ok(()));
        history.expect(["0", "1", "2", "3", "4"]);
        assert!(tx.is_closed());
    });
}

// Threads.

#[test]
fn every_value_arrives_from_every_thread_and_in_its_order() {
    const THREADS: usize = 4;
    const VALUES: usize = 5_000;
    watched(|| {
        let (tx, mut rx) = make();
        let start = Arc::new(Barrier::new(THREADS));
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (tx, start) = (tx.clone(), start.clone());
                thread::spawn(move || {
                    start.wait();
                    for n in 0..VALUES {
                        send(&tx, (thread, n)).unwrap();
                    }
                })
            })
            .collect();
        drop(tx);
        let mut next = [0; THREADS];
        block_on(async {
            let mut received = Vec::new();
            loop {
                // One at a time, or all that are there.
                let count = match next[0] % 2 {
                    0 => rx.recv().await.map(|value| received.push(value)).is_some().into(),
                    _ => rx.recv_many(&mut received, usize::MAX).await,
                };
                if count == 0 {
                    break;
                }
                assert_eq!(count, received.len());
                for (thread, n) in received.drain(..) {
                    assert_eq!(n, next[thread]);
                    next[thread] += 1;
                }
            }
        });
        assert_eq!(next, [VALUES; THREADS]);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_value_sent_while_the_receiver_closes_has_one_owner() {
    const THREADS: usize = 3;
    watched(|| {
        for round in 0..50 {
            let (tx, mut rx) = make();
            let senders: Vec<_> = (0..THREADS)
                .map(|_| {
                    let tx = tx.clone();
                    thread::spawn(move || {
                        let mut sent = 0;
                        while send(&tx, Box::new(1)).is_ok() {
                            sent += 1;
                            thread::yield_now();
                        }
                        sent
                    })
                })
                .collect();
            let received = block_on(async {
                let mut received = 0;
                while received < round {
                    received += *rx.recv().await.unwrap();
                }
                rx.close();
                while let Some(one) = rx.recv().await {
                    received += *one;
                }
                received
            });
            let sent: i32 = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
            assert_eq!(received, sent);
        }
    });
}

#[test]
fn weak_senders_may_be_upgraded_while_the_last_sender_leaves() {
    watched(|| {
        for _ in 0..200 {
            let (tx, mut rx) = make();
            let weak = tx.downgrade();
            let start = Arc::new(Barrier::new(2));
            let begin = start.clone();
            let thread = thread::spawn(move || {
                begin.wait();
                weak.upgrade().is_some_and(|tx| send(&tx, 'a').is_ok())
            });
            start.wait();
            drop(tx);
            // It ends either way: nobody can become a sender after the last one has gone.
            let received = block_on(async {
                let first = rx.recv().await;
                assert!(first.is_none() || rx.recv().await.is_none());
                first.is_some()
            });
            assert_eq!(received, thread.join().unwrap());
        }
    });
}

// Thread safety.

#[test]
fn thread_safety_depends_on_the_value() {
    let (tx, mut rx) = make::<SendOnly>();
    let (stays, mut stays_too) = make::<Neither>();
    assert_thread_safety! {
        about::<Tx<SendOnly>>() => (true, true),
        about::<Rx<SendOnly>>() => (true, true),
        about::<Weak<SendOnly>>() => (true, true),
        about::<Tx<Neither>>() => (false, false),
        about::<Rx<Neither>>() => (false, false),
        about::<Weak<Neither>>() => (false, false),
        about_value(tx.closed()) => (true, true),
        about_value(rx.recv()) => (true, true),
        about_value(rx.recv_many(&mut Vec::new(), 1)) => (true, false),
        about_value(stays.closed()) => (false, false),
        about_value(stays_too.recv()) => (false, false),
    }
    fn is_safe<T: Unpin + UnwindSafe + RefUnwindSafe>() {}
    is_safe::<Tx<PhantomPinned>>();
    is_safe::<Rx<PhantomPinned>>();
    is_safe::<Weak<PhantomPinned>>();
}
