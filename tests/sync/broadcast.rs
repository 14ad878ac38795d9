//! `broadcast`: who receives what, how many values are missed, how long a value is kept, when a
//! channel is closed; values that panic or come back.

use crate::auto_traits::{Neither, SendOnly, about, about_value, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::hostile::{Call, Dropping, acts_on, hostile_waker, panic_quietly};
use crate::lent::{Home, Lent, home};
use crate::programs::random_programs;
use crate::support::{CountingWaker, History, Wakes, caught, panics, paused, poll_once, poll_with};
use crate::sync::broadcast::{
    self, Receiver, Sender, WeakSender,
    error::{RecvError, SendError, TryRecvError},
};
use crate::watchdog::watched;
use handspun::task::yield_now;
use handspun::{block_on, spawn};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Barrier};
use std::task::{Poll, Waker};
use std::thread;

async fn recv<T: Clone>(mut lent: Lent<Receiver<T>>) -> Result<T, RecvError> {
    lent.recv().await
}

/// All that can be received without waiting: values, how many were missed, and why no more comes.
fn drain(receiver: &mut Receiver<u32>) -> Vec<Result<u32, TryRecvError>> {
    let mut results = Vec::new();
    loop {
        results.push(receiver.try_recv());
        if let Some(Err(TryRecvError::Empty | TryRecvError::Closed)) = results.last() {
            return results;
        }
    }
}

// Who receives what.

#[test]
fn every_receiver_receives_every_value() {
    let history = History::new();
    paused(async {
        let (sender, receiver) = broadcast::channel(4);
        let tasks = [("a", receiver), ("b", sender.subscribe())].map(|(name, mut receiver)| {
            let history = history.clone();
            spawn(async move {
                loop {
                    match receiver.recv().await {
                        Ok(value) => history.push(format_args!("{name}: {value}")),
                        Err(error) => return history.push(format_args!("{name}: {error}")),
                    }
                }
            })
        });
        for values in [&[1][..], &[2, 3]] {
            yield_now().await;
            history.push("send");
            values.iter().for_each(|value| assert_eq!(sender.send(*value).unwrap(), 2));
        }
        drop(sender);
        for task in tasks {
            task.await.unwrap();
        }
    });
    history.expect([
        "send",
        "a: 1",
        "b: 1",
        "send",
        "a: 2",
        "a: 3",
        "a: the channel is closed",
        "b: 2",
        "b: 3",
        "b: the channel is closed",
    ]);
}

#[test]
fn a_receiver_receives_what_is_sent_after_it_was_made() {
    let (sender, mut first) = broadcast::channel(4);
    sender.send(1).unwrap();
    let mut second = sender.subscribe();
    sender.send(2).unwrap();
    let mut third = first.resubscribe();
    assert_eq!(sender.send(3).unwrap(), 3);
    let empty = Err(TryRecvError::Empty);
    assert_eq!(drain(&mut first), [Ok(1), Ok(2), Ok(3), empty.clone()]);
    assert_eq!(drain(&mut second), [Ok(2), Ok(3), empty.clone()]);
    assert_eq!(drain(&mut third), [Ok(3), empty]);
}

#[test]
fn sending_to_nobody_gives_the_value_back() {
    let (sender, receiver) = broadcast::channel(4);
    drop(receiver);
    let error = sender.send(7).unwrap_err();
    assert_eq!(error.to_string(), "the channel has no receiver");
    assert!(format!("{error:?}").starts_with("SendError"));
    let SendError(value) = error;
    assert_eq!(value, 7);
    let mut late = sender.subscribe();
    assert_eq!(drain(&mut late), [Err(TryRecvError::Empty)]);
}

#[test]
fn all_who_wait_are_woken_once_in_the_order_in_which_they_came() {
    let wakes = Wakes::default();
    let (sender, _receiver) = broadcast::channel(4);
    let mut waits: Vec<_> =
        (0..100).map(|_| Box::pin(recv(Lent::from(&home(sender.subscribe()))))).collect();
    for (number, wait) in waits.iter_mut().enumerate() {
        assert!(poll_with(wait, &wakes.waker(999)).is_pending());
        // A waker that is replaced keeps the place, and is not woken.
        assert!(poll_with(wait, &wakes.waker(number)).is_pending());
    }
    assert!(poll_with(&mut waits[3], &wakes.waker(3)).is_pending());
    drop(waits.remove(50));
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    assert_eq!(wakes.take(), (0..100).filter(|number| *number != 50).collect::<Vec<_>>());
    for mut wait in waits {
        assert_eq!(poll_once(&mut wait), Poll::Ready(Ok(1)));
    }
    assert_eq!(wakes.alive(), 0);
}

#[test]
fn a_wait_that_is_dropped_takes_its_waker_back() {
    let (counter, waker) = CountingWaker::new();
    let (sender, mut receiver) = broadcast::channel(4);
    let mut receiving = Box::pin(receiver.recv());
    let mut closing = Box::pin(sender.closed());
    for _ in 0..2 {
        assert!(poll_with(&mut receiving, &waker).is_pending());
        assert!(poll_with(&mut closing, &waker).is_pending());
    }
    assert_eq!(Arc::strong_count(&counter), 4);
    drop((receiving, closing));
    assert_eq!(Arc::strong_count(&counter), 2);
    sender.send(1).unwrap();
    drop(receiver);
    assert_eq!(counter.wakes(), 0);
}

// Lagging.

#[test]
fn a_receiver_that_lags_is_told_how_many_values_it_has_missed() {
    let (sender, mut receiver) = broadcast::channel(2);
    (1..=5).for_each(|value| assert!(sender.send(value).is_ok()));
    assert_eq!(poll_once(receiver.recv()), Poll::Ready(Err(RecvError::Lagged(3))));
    assert_eq!(drain(&mut receiver), [Ok(4), Ok(5), Err(TryRecvError::Empty)]);
    (6..=8).for_each(|value| assert!(sender.send(value).is_ok()));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Lagged(1)));
    // What it was told to go on with is overwritten before it does.
    (9..=12).for_each(|value| assert!(sender.send(value).is_ok()));
    assert_eq!(
        drain(&mut receiver),
        [
            Err(TryRecvError::Lagged(4)),
            Ok(11),
            Ok(12),
            Err(TryRecvError::Empty)
        ]
    );
}

#[test]
fn a_receiver_lags_also_behind_a_channel_that_is_closed() {
    let (sender, mut receiver) = broadcast::channel(2);
    (1..=3).for_each(|value| assert!(sender.send(value).is_ok()));
    drop(sender);
    assert_eq!(
        drain(&mut receiver),
        [
            Err(TryRecvError::Lagged(1)),
            Ok(2),
            Ok(3),
            Err(TryRecvError::Closed)
        ]
    );
    assert_eq!(poll_once(receiver.recv()), Poll::Ready(Err(RecvError::Closed)));
}

#[test]
fn capacity_is_rounded_up_to_a_power_of_two() {
    for capacity in 1..=17 {
        let (sender, mut receiver) = broadcast::channel(capacity);
        let rounded = capacity.next_power_of_two();
        (0..rounded).for_each(|_| assert!(sender.send(0).is_ok()));
        assert_eq!((sender.len(), receiver.try_recv()), (rounded, Ok(0)));
        (0..2).for_each(|_| assert!(sender.send(0).is_ok()));
        assert_eq!((sender.len(), receiver.try_recv()), (rounded, Err(TryRecvError::Lagged(1))));
    }
}

#[test]
fn a_capacity_must_be_possible() {
    for capacity in [0, usize::MAX] {
        for make in [
            |n| drop(broadcast::channel::<u32>(n)),
            |n| drop(Sender::<u32>::new(n)),
        ] {
            let message = caught(|| make(capacity)).unwrap_err();
            assert!(message.starts_with("a broadcast channel"), "{message}");
        }
    }
}

#[test]
fn errors_say_what_is_the_matter() {
    let (closed, missed) = ("the channel is closed", "the receiver has missed 3 values");
    assert_eq!(RecvError::Closed.to_string(), closed);
    assert_eq!(RecvError::Lagged(3).clone().to_string(), missed);
    assert_eq!(TryRecvError::Empty.to_string(), "the channel has no value at the moment");
    assert_eq!(TryRecvError::Closed.clone().to_string(), closed);
    assert_eq!(TryRecvError::Lagged(3).to_string(), missed);
}

// How long a value is kept.

/// A value that is counted while it, or a clone of it, is alive.
struct Counted(u32, Rc<Cell<usize>>);

impl Counted {
    fn new(number: u32, alive: &Rc<Cell<usize>>) -> Counted {
        alive.set(alive.get() + 1);
        Counted(number, alive.clone())
    }
}

impl Clone for Counted {
    fn clone(&self) -> Counted {
        Counted::new(self.0, &self.1)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.set(self.1.get() - 1);
    }
}

#[test]
fn a_value_is_kept_until_all_have_received_it() {
    let alive = Rc::default();
    let (sender, mut first) = broadcast::channel(4);
    let mut second = sender.subscribe();
    (0..3).for_each(|number| assert!(sender.send(Counted::new(number, &alive)).is_ok()));
    let lengths = |sender: &Sender<_>, alive: &Rc<Cell<usize>>| {
        assert_eq!(sender.is_empty(), alive.get() == 0);
        (sender.len(), alive.get())
    };
    (0..3).for_each(|_| assert!(first.try_recv().is_ok()));
    assert_eq!((first.len(), second.len()), (0, 3));
    assert_eq!(lengths(&sender, &alive), (3, 3));
    assert!(second.try_recv().is_ok());
    assert_eq!(lengths(&sender, &alive), (2, 2));
    // A receiver that goes has received everything; a new one waits for nothing that was sent.
    drop(second);
    let third = sender.subscribe();
    assert_eq!(lengths(&sender, &alive), (0, 0));
    assert!(first.is_empty() && third.is_empty());
}

#[test]
fn a_value_that_is_overwritten_or_left_behind_is_dropped() {
    let alive = Rc::default();
    let (sender, receiver) = broadcast::channel(2);
    for number in 0..5 {
        assert!(sender.send(Counted::new(number, &alive)).is_ok());
        assert_eq!(alive.get(), (number as usize + 1).min(2));
    }
    // A receiver counts what it has missed, a sender what there is.
    assert_eq!((receiver.len(), receiver.is_empty(), sender.len()), (5, false, 2));
    drop(sender);
    assert_eq!(alive.get(), 2);
    drop(receiver);
    assert_eq!(alive.get(), 0);
}

#[test]
fn the_last_to_receive_a_value_gets_the_value_itself() {
    let clones = Rc::new(Cell::new(0));
    for receivers in 1..=3 {
        let (sender, receiver) = broadcast::channel(4);
        let others = (1..receivers).map(|_| sender.subscribe()).collect::<Vec<_>>();
        let counted = clones.clone();
        let counts = move || counted.set(counted.get() + 1);
        assert!(sender.send(value(7, counts, || ())).is_ok());
        for mut receiver in others.into_iter().chain([receiver]) {
            assert_eq!(number(receiver.try_recv()), Ok(7));
        }
        assert_eq!(clones.take(), receivers - 1);
    }
}

// When a channel is closed.

#[test]
fn what_was_sent_is_received_before_the_end() {
    let (sender, mut receiver) = broadcast::channel(4);
    let clone = sender.clone();
    sender.send(1).unwrap();
    drop(sender);
    assert!(!receiver.is_closed());
    clone.send(2).unwrap();
    drop(clone);
    assert!(receiver.is_closed());
    assert_eq!(drain(&mut receiver), [Ok(1), Ok(2), Err(TryRecvError::Closed)]);
    let mut late = receiver.resubscribe();
    assert_eq!(drain(&mut late), [Err(TryRecvError::Closed)]);
    assert_eq!(poll_once(late.recv()), Poll::Ready(Err(RecvError::Closed)));
}

#[test]
fn who_waits_is_woken_when_the_last_sender_goes() {
    let wakes = Wakes::default();
    let (sender, mut receiver) = broadcast::channel::<u32>(4);
    let (clone, weak) = (sender.clone(), sender.downgrade());
    let mut wait = Box::pin(receiver.recv());
    assert!(poll_with(&mut wait, &wakes.waker(0)).is_pending());
    drop(sender);
    assert_eq!(wakes.take(), []);
    drop(clone);
    assert_eq!(wakes.take(), [0]);
    assert_eq!(poll_once(&mut wait), Poll::Ready(Err(RecvError::Closed)));
    assert!(weak.upgrade().is_none());
}

#[test]
fn senders_learn_that_the_last_receiver_is_gone() {
    let wakes = Wakes::default();
    let (sender, receiver) = broadcast::channel::<u32>(4);
    let (clone, other) = (sender.clone(), receiver.resubscribe());
    let mut waits = [Box::pin(sender.closed()), Box::pin(clone.closed())];
    for (number, wait) in waits.iter_mut().enumerate() {
        assert!(poll_with(wait, &wakes.waker(number)).is_pending());
    }
    drop(receiver);
    assert_eq!(wakes.take(), []);
    drop(other);
    assert_eq!(wakes.take(), [0, 1]);
    assert!(waits.iter_mut().all(|wait| poll_once(wait).is_ready()));
    assert!(poll_once(sender.closed()).is_ready());
}

#[test]
fn subscribing_opens_a_channel_again() {
    let sender = Sender::new(4);
    assert!(poll_once(sender.closed()).is_ready() && sender.send(0).is_err());
    for round in 0..2 {
        let mut receiver = sender.subscribe();
        assert!(poll_once(sender.closed()).is_pending());
        assert_eq!(drain(&mut receiver), [Err(TryRecvError::Empty)]);
        sender.send(round).unwrap();
        assert_eq!(drain(&mut receiver), [Ok(round), Err(TryRecvError::Empty)]);
        drop(receiver);
        assert!(poll_once(sender.closed()).is_ready());
    }
}

#[test]
fn a_weak_sender_keeps_no_channel_open() {
    let (sender, mut receiver) = broadcast::channel(4);
    let weak: WeakSender<u32> = sender.downgrade();
    let upgraded = weak.upgrade().expect("a sender is there");
    drop(sender);
    upgraded.send(1).unwrap();
    drop(upgraded);
    assert!(weak.upgrade().is_none() && weak.clone().upgrade().is_none());
    assert_eq!(drain(&mut receiver), [Ok(1), Err(TryRecvError::Closed)]);
}

#[test]
fn both_ends_are_counted() {
    let (sender, receiver) = broadcast::channel::<u32>(4);
    let counts = |sender: &Sender<u32>, weak: &WeakSender<u32>, receiver: &Receiver<u32>| {
        let counts = (sender.strong_count(), sender.weak_count());
        assert_eq!((weak.strong_count(), weak.weak_count()), counts);
        assert_eq!((receiver.sender_strong_count(), receiver.sender_weak_count()), counts);
        (counts.0, counts.1, sender.receiver_count())
    };
    assert_eq!(sender.weak_count(), 0);
    let weak = sender.downgrade();
    assert_eq!(counts(&sender, &weak, &receiver), (1, 1, 1));
    let more = (sender.clone(), weak.clone(), weak.upgrade(), receiver.resubscribe());
    assert_eq!(counts(&sender, &weak, &receiver), (3, 2, 2));
    drop(more);
    assert_eq!(counts(&sender, &weak, &receiver), (1, 1, 1));
    drop((sender, receiver));
    assert_eq!((weak.strong_count(), weak.weak_count()), (0, 1));
}

#[test]
fn ends_know_their_channel() {
    let (sender, receiver) = broadcast::channel::<u32>(4);
    let (other_sender, other_receiver) = broadcast::channel::<u32>(4);
    assert!(sender.same_channel(&sender.clone()) && receiver.same_channel(&sender.subscribe()));
    assert!(!sender.same_channel(&other_sender) && !receiver.same_channel(&other_receiver));
}

#[test]
fn the_ends_can_be_shown() {
    // Also when the values cannot.
    let (sender, receiver) = broadcast::channel::<fn()>(4);
    assert!(format!("{sender:?}").contains("Sender"));
    assert!(format!("{:?}", sender.downgrade()).contains("WeakSender"));
    assert!(format!("{receiver:?}").contains("Receiver"));
}

// Threads that block.

#[test]
fn a_thread_may_block_for_a_value() {
    watched(|| {
        let (sender, mut receiver) = broadcast::channel(4);
        let thread = thread::spawn(move || [(); 5].map(|()| receiver.blocking_recv()));
        (1..=3).for_each(|value| assert!(sender.send(value).is_ok()));
        drop(sender);
        let closed = Err(RecvError::Closed);
        assert_eq!(thread.join().unwrap(), [Ok(1), Ok(2), Ok(3), closed.clone(), closed]);
    });
    let (sender, mut receiver) = broadcast::channel(2);
    (1..=3).for_each(|value| assert!(sender.send(value).is_ok()));
    assert_eq!(receiver.blocking_recv(), Err(RecvError::Lagged(1)));
    assert_eq!(receiver.blocking_recv(), Ok(2));
}

#[test]
fn a_task_may_not_block_for_a_value() {
    let (sender, mut receiver) = broadcast::channel(2);
    sender.send(1).unwrap();
    // The message is not empty, and the value is still there.
    assert_ne!(block_on(async { caught(|| receiver.blocking_recv()) }).unwrap_err(), "");
    assert_eq!(receiver.blocking_recv(), Ok(1));
}

// Cancelled at every await.

#[test]
fn a_cancelled_wait_has_received_nothing() {
    let polls = cancel_at_every_await(async || {
        let (sender, receiver) = broadcast::channel(4);
        let mut other = sender.subscribe();
        let home = home(receiver);
        spawn(async move {
            sender.send(1).unwrap();
            yield_now().await;
            sender.send(2).unwrap();
            sender.closed().await;
            assert_eq!((sender.len(), sender.receiver_count()), (0, 0));
        });
        (recv(Lent::from(&home)), async move |output: Option<Result<u32, _>>| {
            let mut receiver = home.take().expect("it has come home");
            let first = match output {
                Some(output) => output.unwrap(),
                None => receiver.recv().await.unwrap(),
            };
            assert_eq!((first, receiver.recv().await), (1, Ok(2)));
            assert_eq!((other.recv().await, other.recv().await), (Ok(1), Ok(2)));
            drop((receiver, other));
            yield_now().await;
        })
    });
    assert_eq!(polls, 2);
}

#[test]
fn a_cancelled_wait_does_not_hide_how_many_values_were_missed() {
    let polls = cancel_at_every_await(async || {
        let (sender, receiver) = broadcast::channel(2);
        let home = home(receiver);
        spawn(async move { (1..=5).for_each(|value| assert!(sender.send(value).is_ok())) });
        (recv(Lent::from(&home)), async move |output: Option<Result<u32, _>>| {
            let mut receiver = home.take().expect("it has come home");
            let first = match output {
                Some(output) => output,
                None => receiver.recv().await,
            };
            assert_eq!(first, Err(RecvError::Lagged(3)));
            assert_eq!((receiver.recv().await, receiver.recv().await), (Ok(4), Ok(5)));
            assert_eq!(receiver.recv().await, Err(RecvError::Closed));
        })
    });
    assert_eq!(polls, 2);
}

#[test]
fn a_cancelled_wait_for_the_end_leaves_nothing() {
    let polls = cancel_at_every_await(async || {
        let (sender, receiver) = broadcast::channel::<u32>(4);
        let sender = Rc::new(sender);
        spawn(async move { drop(receiver) });
        let waiting = sender.clone();
        let closed = async move { waiting.closed().await };
        (closed, async move |_| {
            sender.closed().await;
            assert_eq!((sender.strong_count(), sender.receiver_count()), (1, 0));
            assert_eq!(Rc::strong_count(&sender), 1);
        })
    });
    assert_eq!(polls, 2);
}

// Random programs, against a model.

#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    CloneSender(usize),
    DropSender(usize),
    Downgrade(usize),
    CloneWeak(usize),
    DropWeak(usize),
    Upgrade(usize),
    Subscribe(usize),
    Resubscribe(usize),
    DropReceiver(usize),
    TryRecv(usize),
    Recv(usize),
    Closed(usize),
    Poll(usize),
    Cancel(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..100_usize;
    prop_oneof![
        12 => Just(Step::Send),
        1 => any().prop_map(Step::CloneSender),
        2 => any().prop_map(Step::DropSender),
        1 => any().prop_map(Step::Downgrade),
        1 => any().prop_map(Step::CloneWeak),
        2 => any().prop_map(Step::DropWeak),
        1 => any().prop_map(Step::Upgrade),
        3 => any().prop_map(Step::Subscribe),
        2 => any().prop_map(Step::Resubscribe),
        4 => any().prop_map(Step::DropReceiver),
        8 => any().prop_map(Step::TryRecv),
        6 => any().prop_map(Step::Recv),
        2 => any().prop_map(Step::Closed),
        10 => any().prop_map(Step::Poll),
        3 => any().prop_map(Step::Cancel),
    ]
}

/// A receiver, and the number of the value that it receives next.
#[derive(Clone)]
struct ModelReceiver {
    home: Home<Receiver<Counted>>,
    next: Rc<Cell<usize>>,
}

#[derive(PartialEq, Debug)]
enum Outcome {
    Received(Result<u32, RecvError>),
    Closed,
}

struct Wait {
    future: Pin<Box<dyn Future<Output = Outcome>>>,
    /// None for a wait for the end.
    receiver: Option<ModelReceiver>,
    /// The waker that it left, unless it was woken.
    waker: Option<usize>,
    /// Since when it waits.
    since: usize,
}

struct World {
    senders: Vec<Rc<Sender<Counted>>>,
    weak: Vec<WeakSender<Counted>>,
    receivers: Vec<ModelReceiver>,
    waits: Vec<Wait>,
    capacity: usize,
    /// How many values were sent. Each value is the number of those before it.
    sent: usize,
    /// How many values there are.
    alive: Rc<Cell<usize>>,
    /// The wakers to be woken in this step, in order.
    woken: Vec<usize>,
}

impl World {
    fn new(capacity: usize) -> World {
        let (sender, receiver) = broadcast::channel(capacity);
        let mut world = World {
            senders: vec![Rc::new(sender)],
            weak: Vec::new(),
            receivers: Vec::new(),
            waits: Vec::new(),
            capacity: capacity.next_power_of_two(),
            sent: 0,
            alive: Rc::default(),
            woken: Vec::new(),
        };
        world.adopt(receiver);
        world
    }

    fn adopt(&mut self, receiver: Receiver<Counted>) {
        self.receivers.push(ModelReceiver {
            home: home(receiver),
            next: Rc::new(Cell::new(self.sent)),
        });
    }

    fn wake(&mut self, receivers: bool) {
        let mut woken: Vec<_> =
            self.waits.iter_mut().filter(|wait| wait.receiver.is_some() == receivers).collect();
        woken.sort_by_key(|wait| wait.since);
        self.woken.extend(woken.into_iter().filter_map(|wait| wait.waker.take()));
    }

    /// What a receiver should receive.
    fn receive(&self, next: &Cell<usize>) -> Result<u32, TryRecvError> {
        let behind = self.sent - next.get();
        if behind > self.capacity {
            next.set(self.sent - self.capacity);
            return Err(TryRecvError::Lagged((behind - self.capacity) as u64));
        }
        match behind {
            0 if self.senders.is_empty() => Err(TryRecvError::Closed),
            0 => Err(TryRecvError::Empty),
            _ => Ok(next.replace(next.get() + 1) as u32),
        }
    }

    /// What a wait should say when it is polled.
    fn poll(&mut self, at: usize, time: usize) -> Poll<Outcome> {
        let outcome = match &self.waits[at].receiver {
            Some(receiver) => match self.receive(&receiver.next) {
                Ok(value) => Some(Outcome::Received(Ok(value))),
                Err(TryRecvError::Lagged(n)) => Some(Outcome::Received(Err(RecvError::Lagged(n)))),
                Err(TryRecvError::Closed) => Some(Outcome::Received(Err(RecvError::Closed))),
                Err(TryRecvError::Empty) => None,
            },
            None => self.receivers.is_empty().then_some(Outcome::Closed),
        };
        let wait = &mut self.waits[at];
        if outcome.is_none() && wait.waker.replace(time).is_none() {
            wait.since = time;
        }
        outcome.map_or(Poll::Pending, Poll::Ready)
    }

    fn begin(
        &mut self,
        future: impl Future<Output = Outcome> + 'static,
        receiver: Option<ModelReceiver>,
    ) {
        let (waker, since) = (None, 0);
        self.waits.push(Wait {
            future: Box::pin(future),
            receiver,
            waker,
            since,
        });
    }

    fn step(&mut self, step: Step, time: usize, wakes: &Wakes) {
        match step {
            Step::Send if !self.senders.is_empty() => {
                let value = Counted::new(self.sent as u32, &self.alive);
                let result = self.senders[0].send(value);
                let receivers = self.receivers.len();
                assert_eq!(result.map_err(|SendError(value)| value.0).unwrap_or(0), receivers);
                if receivers > 0 {
                    self.sent += 1;
                    self.wake(true);
                }
            }
            Step::CloneSender(n)
            | Step::DropSender(n)
            | Step::Downgrade(n)
            | Step::Subscribe(n)
            | Step::Closed(n)
                if !self.senders.is_empty() =>
            {
                let at = n % self.senders.len();
                let sender = &self.senders[at];
                match step {
                    Step::CloneSender(_) => self.senders.push(Rc::new(Sender::clone(sender))),
                    Step::Downgrade(_) => self.weak.push(sender.downgrade()),
                    Step::Subscribe(_) => {
                        let receiver = sender.subscribe();
                        self.adopt(receiver);
                    }
                    Step::Closed(_) => {
                        let sender = sender.clone();
                        let closed = async move {
                            sender.closed().await;
                            Outcome::Closed
                        };
                        self.begin(closed, None);
                    }
                    // Unless somebody waits with it.
                    _ if Rc::strong_count(sender) == 1 => {
                        self.senders.remove(at);
                        if self.senders.is_empty() {
                            self.wake(true);
                        }
                    }
                    _ => {}
                }
            }
            Step::CloneWeak(n) | Step::DropWeak(n) | Step::Upgrade(n) if !self.weak.is_empty() => {
                let at = n % self.weak.len();
                match step {
                    Step::CloneWeak(_) => self.weak.push(self.weak[at].clone()),
                    Step::DropWeak(_) => drop(self.weak.remove(at)),
                    _ => {
                        let upgraded = self.weak[at].upgrade();
                        assert_eq!(upgraded.is_some(), !self.senders.is_empty());
                        self.senders.extend(upgraded.map(Rc::new));
                    }
                }
            }
            Step::Resubscribe(n) | Step::DropReceiver(n) | Step::TryRecv(n) | Step::Recv(n)
                if !self.receivers.is_empty() =>
            {
                let at = n % self.receivers.len();
                let model = self.receivers[at].clone();
                // Unless a future has it.
                let Some(mut receiver) = model.home.take() else {
                    return;
                };
                match step {
                    Step::Resubscribe(_) => self.adopt(receiver.resubscribe()),
                    Step::DropReceiver(_) => {
                        drop(receiver);
                        self.receivers.remove(at);
                        if self.receivers.is_empty() {
                            self.wake(false);
                        }
                        return;
                    }
                    Step::TryRecv(_) => {
                        let received = receiver.try_recv().map(|value| value.0);
                        assert_eq!(received, self.receive(&model.next));
                    }
                    _ => {
                        model.home.set(Some(receiver));
                        let recv = recv(Lent::from(&model.home));
                        let recv = async { Outcome::Received(recv.await.map(|value| value.0)) };
                        return self.begin(recv, Some(model));
                    }
                }
                model.home.set(Some(receiver));
            }
            Step::Poll(n) if !self.waits.is_empty() => {
                let at = n % self.waits.len();
                let expected = self.poll(at, time);
                let outcome = poll_with(&mut self.waits[at].future, &wakes.waker(time));
                assert_eq!(outcome, expected);
                if outcome.is_ready() {
                    self.waits.remove(at);
                }
            }
            Step::Cancel(n) if !self.waits.is_empty() => {
                self.waits.remove(n % self.waits.len());
            }
            _ => {}
        }
    }

    fn check(&self) {
        let behind = |model: &ModelReceiver| self.sent - model.next.get();
        let kept = self.receivers.iter().map(behind).max().unwrap_or(0).min(self.capacity);
        assert_eq!(self.alive.get(), kept);
        let (strong, weak) = (self.senders.len(), self.weak.len());
        for sender in &self.senders {
            assert_eq!((sender.len(), sender.is_empty()), (kept, kept == 0));
            assert_eq!(sender.receiver_count(), self.receivers.len());
            assert_eq!((sender.strong_count(), sender.weak_count()), (strong, weak));
        }
        for sender in &self.weak {
            assert_eq!((sender.strong_count(), sender.weak_count()), (strong, weak));
        }
        for model in &self.receivers {
            let Some(receiver) = model.home.take() else {
                continue;
            };
            assert_eq!((receiver.len(), receiver.is_empty()), (behind(model), behind(model) == 0));
            assert_eq!(receiver.is_closed(), strong == 0);
            assert_eq!(
                (receiver.sender_strong_count(), receiver.sender_weak_count()),
                (strong, weak)
            );
            model.home.set(Some(receiver));
        }
    }
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn it_does_what_the_model_does(
        capacity in 1..6_usize,
        steps in prop::collection::vec(step(), 0..100),
    ) {
        let wakes = Wakes::default();
        let mut world = World::new(capacity);
        for (time, step) in steps.into_iter().enumerate() {
            world.step(step, time, &wakes);
            prop_assert_eq!(wakes.take(), std::mem::take(&mut world.woken));
            world.check();
        }
        let alive = world.alive.clone();
        drop(world);
        // No value is left anywhere, and no waker.
        prop_assert_eq!(alive.get(), 0);
        prop_assert_eq!(wakes.alive(), 0);
    }
}

// The worst that wakers can do.

/// Does everything that can be done to a channel. It needs room for one value.
fn do_all(sender: &Sender<u32>) {
    let (other, weak) = (sender.clone(), sender.downgrade());
    let mut receiver = weak.upgrade().expect("a sender is there").subscribe();
    assert!(poll_once(receiver.recv()).is_pending() && poll_once(other.closed()).is_pending());
    other.send(77).unwrap();
    assert!(!sender.is_empty() && sender.len() <= 64);
    assert_eq!(receiver.resubscribe().len(), 0);
    assert_eq!(receiver.try_recv(), Ok(77));
}

/// A waker that does all of it, and then panics.
fn comes_back(sender: &Rc<Sender<u32>>, call: Call) -> Waker {
    let sender = sender.clone();
    acts_on(call, move || do_all(&sender))
}

#[test]
fn a_waker_may_come_back_while_it_is_woken_and_panic() {
    let wakes = Wakes::default();
    let (sender, receiver) = broadcast::channel(64);
    let sender = Rc::new(sender);
    let waits: Vec<_> = (0..100)
        .map(|number| {
            let hostile = number % 5 == 3;
            let waker = if hostile { comes_back(&sender, Call::Wake) } else { wakes.waker(number) };
            let mut wait = Box::pin(recv(Lent::from(&home(sender.subscribe()))));
            assert!(poll_with(&mut wait, &waker).is_pending());
            wait
        })
        .collect();
    // The panics end where the wakers are called.
    assert_eq!(sender.send(1).unwrap(), 101);
    assert_eq!(wakes.take(), (0..100).filter(|number| number % 5 != 3).collect::<Vec<_>>());
    for mut wait in waits {
        assert_eq!(poll_once(&mut wait), Poll::Ready(Ok(1)));
    }
    assert_eq!(receiver.len(), 21);
    assert_eq!((sender.strong_count(), sender.receiver_count()), (1, 1));
}

#[test]
fn a_waker_may_come_back_while_it_is_cloned() {
    for polled_before in [false, true] {
        let (sender, mut receiver) = broadcast::channel(4);
        let sender = Rc::new(sender);
        let mut wait = Box::pin(receiver.recv());
        if polled_before {
            assert!(poll_once(&mut wait).is_pending());
        }
        let waker = comes_back(&sender, Call::Clone);
        assert!(panics(|| poll_with(&mut wait, &waker).is_pending()));
        drop(wait);
        // The value came while the wait was on its way.
        assert_eq!(poll_once(receiver.recv()), Poll::Ready(Ok(77)));
    }
}

#[test]
fn a_waker_may_come_back_while_it_is_dropped() {
    type Boxed = Pin<Box<dyn Future<Output = Result<u32, RecvError>>>>;
    let enders: [fn(&Sender<u32>, Boxed); 3] = [
        |_, mut wait| assert!(poll_once(&mut wait).is_pending()),
        |_, wait| drop(wait),
        |sender, mut wait| {
            sender.send(1).unwrap();
            assert!(poll_once(&mut wait).is_ready());
        },
    ];
    for end in enders {
        let wakes = Wakes::default();
        let (sender, mut receiver) = broadcast::channel(8);
        let sender = Rc::new(sender);
        let mut wait: Boxed = Box::pin(recv(Lent::from(&home(sender.subscribe()))));
        let waker = comes_back(&sender, Call::Drop);
        assert!(poll_with(&mut wait, &waker).is_pending());
        let mut other = Box::pin(receiver.recv());
        assert!(poll_with(&mut other, &wakes.waker(0)).is_pending());
        end(&sender, wait);
        sender.send(5).unwrap();
        assert_eq!(wakes.take(), [0]);
        assert!(poll_once(&mut other).is_ready());
        std::mem::forget(waker);
    }
}

#[test]
fn a_waker_may_drop_the_ends_and_the_other_waiters() {
    let (sender, receiver) = broadcast::channel(4);
    let ends = Rc::new(RefCell::new(Some((sender.clone(), receiver))));
    let waits = Rc::new(RefCell::new(Vec::new()));
    let (reached_ends, reached_waits) = (ends.clone(), waits.clone());
    let drops_all = hostile_waker(move |call| {
        if call == Call::Wake {
            drop((reached_ends.take(), reached_waits.take()));
        }
    });
    let mut first = Box::pin(recv(Lent::from(&home(sender.subscribe()))));
    assert!(poll_with(&mut first, &drops_all).is_pending());
    for _ in 0..100 {
        let mut wait = Box::pin(recv(Lent::from(&home(sender.subscribe()))));
        assert!(poll_once(&mut wait).is_pending());
        waits.borrow_mut().push(wait);
    }
    sender.send(1).unwrap();
    assert!(ends.borrow().is_none() && waits.borrow().is_empty());
    assert_eq!((sender.strong_count(), sender.receiver_count(), sender.len()), (1, 1, 1));
    assert_eq!(poll_once(&mut first), Poll::Ready(Ok(1)));
    assert!(sender.is_empty());
}

// The worst that values can do.

/// A number, and what is done when it is cloned, and when it (but no clone of it) is dropped.
struct Value {
    number: u32,
    on_clone: Box<dyn Fn()>,
    _on_drop: Dropping<Box<dyn Fn()>>,
}

fn value(number: u32, on_clone: impl Fn() + 'static, on_drop: impl Fn() + 'static) -> Value {
    Value {
        number,
        on_clone: Box::new(on_clone),
        _on_drop: Dropping(Box::new(on_drop)),
    }
}

impl Clone for Value {
    fn clone(&self) -> Value {
        (self.on_clone)();
        plain(self.number)
    }
}

fn plain(number: u32) -> Value {
    value(number, || (), || ())
}

fn number(result: Result<Value, TryRecvError>) -> Result<u32, TryRecvError> {
    result.map(|value| value.number)
}

/// Does everything that can be done to a channel. It needs room for one value.
fn do_all_with_values(sender: &Sender<Value>) {
    let mut receiver = sender.clone().subscribe();
    assert!(poll_once(receiver.recv()).is_pending() && poll_once(sender.closed()).is_pending());
    assert!(sender.send(plain(77)).is_ok());
    assert!(!sender.is_empty() && sender.len() <= 64);
    assert_eq!(receiver.resubscribe().len(), 0);
    assert_eq!(number(receiver.try_recv()), Ok(77));
}

#[test]
fn a_value_may_come_back_while_it_is_cloned() {
    for waits in [false, true] {
        let (sender, mut receiver) = broadcast::channel(4);
        let mut other = sender.subscribe();
        let again = sender.clone();
        assert!(sender.send(value(1, move || do_all_with_values(&again), || ())).is_ok());
        let received = match waits {
            false => number(receiver.try_recv()),
            true => block_on(receiver.recv()).map(|value| value.number).map_err(|_| panic!()),
        };
        assert_eq!(received, Ok(1));
        assert_eq!(number(receiver.try_recv()), Ok(77));
        assert_eq!((number(other.try_recv()), number(other.try_recv())), (Ok(1), Ok(77)));
    }
}

#[test]
fn a_value_may_drop_the_sender_and_a_receiver_while_it_is_cloned() {
    let (counter, waker) = CountingWaker::new();
    let (sender, mut first) = broadcast::channel(4);
    let (mut second, third, weak) = (sender.subscribe(), sender.subscribe(), sender.downgrade());
    let ends = Rc::new(RefCell::new(None));
    let reached = ends.clone();
    assert!(sender.send(value(1, move || drop(reached.take()), || ())).is_ok());
    assert!(sender.send(plain(2)).is_ok());
    let mut waiting = Box::pin(recv(Lent::from(&home(sender.subscribe()))));
    assert!(poll_with(&mut waiting, &waker).is_pending());
    ends.replace(Some((sender, third)));
    assert_eq!(number(first.try_recv()), Ok(1));
    assert!(weak.upgrade().is_none() && first.is_closed() && counter.wakes() == 1);
    assert!(matches!(poll_with(&mut waiting, &waker), Poll::Ready(Err(RecvError::Closed))));
    let closed = Err(TryRecvError::Closed);
    assert_eq!([(); 2].map(|()| number(first.try_recv())), [Ok(2), closed.clone()]);
    assert_eq!([(); 3].map(|()| number(second.try_recv())), [Ok(1), Ok(2), closed]);
}

#[test]
fn a_value_may_panic_while_it_is_cloned() {
    let (sender, mut receiver) = broadcast::channel(4);
    let mut other = sender.subscribe();
    let broken = Rc::new(Cell::new(true));
    let is_broken = broken.clone();
    let panics_once = move || {
        if is_broken.replace(false) {
            panic_quietly();
        }
    };
    assert!(sender.send(value(1, panics_once, || ())).is_ok());
    assert!(sender.send(plain(2)).is_ok());
    assert!(panics(|| receiver.try_recv()) && !broken.get());
    // Whether it may try again is left open. The others receive it, and nothing is locked.
    assert_eq!((number(other.try_recv()), number(other.try_recv())), (Ok(1), Ok(2)));
    assert!(matches!(number(receiver.try_recv()), Ok(1 | 2)));
    drop(receiver);
    assert!(sender.is_empty() && sender.send(plain(3)).is_ok());
    assert_eq!(number(other.try_recv()), Ok(3));
}

#[test]
fn a_value_may_panic_while_it_is_dropped_after_it_was_cloned() {
    let (sender, mut receiver) = broadcast::channel(4);
    let other = Rc::new(RefCell::new(Some(sender.subscribe())));
    let (reached, dropped) = (other.clone(), Rc::new(Cell::new(false)));
    let is_dropped = dropped.clone();
    let panics = move || {
        is_dropped.set(true);
        panic_quietly()
    };
    // The clone makes the one who clones the last.
    assert!(sender.send(value(1, move || drop(reached.take()), panics)).is_ok());
    assert_eq!(number(receiver.try_recv()), Ok(1));
    assert!(dropped.get() && other.borrow().is_none() && sender.is_empty());
}

#[test]
fn a_value_may_come_back_while_it_is_dropped() {
    // When it is overwritten, received by the last, left behind by a receiver.
    type Ender = fn(&Sender<Value>, Receiver<Value>);
    let enders: [Ender; 3] = [
        |sender, _receiver| assert!(sender.send(plain(2)).is_ok() && sender.send(plain(3)).is_ok()),
        |_, mut receiver| assert_eq!(number(receiver.try_recv()), Ok(1)),
        |_, receiver| drop(receiver),
    ];
    for end in enders {
        let (sender, receiver) = broadcast::channel(2);
        let (again, dropped) = (sender.clone(), Rc::new(Cell::new(0)));
        let counted = dropped.clone();
        let comes_back = move || {
            counted.set(counted.get() + 1);
            do_all_with_values(&again);
        };
        assert!(sender.send(value(1, || (), comes_back)).is_ok());
        end(&sender, receiver);
        assert_eq!(dropped.get(), 1);
        assert_eq!((sender.len(), sender.receiver_count()), (0, 0));
    }
}

#[test]
fn a_value_may_panic_while_it_is_overwritten() {
    let (counter, waker) = CountingWaker::new();
    let (sender, receiver) = broadcast::channel(1);
    let mut waiting = Box::pin(recv(Lent::from(&home(sender.subscribe()))));
    assert!(sender.send(value(1, || (), || panic_quietly())).is_ok());
    assert_eq!(number(received(&mut waiting, &waker)), Ok(1));
    drop(waiting);
    let mut waiting = Box::pin(recv(Lent::from(&home(sender.subscribe()))));
    assert!(poll_with(&mut waiting, &waker).is_pending());
    // That is no matter of the sender's. What it sent is there, and who waited for it knows.
    assert_eq!(sender.send(plain(2)).unwrap_or(0), 2);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(number(received(&mut waiting, &waker)), Ok(2));
    let mut receiver = receiver;
    assert_eq!(number(receiver.try_recv()), Err(TryRecvError::Lagged(1)));
    assert_eq!(number(receiver.try_recv()), Ok(2));
}

/// Polls a wait that must be ready.
fn received(
    wait: &mut Pin<Box<impl Future<Output = Result<Value, RecvError>>>>,
    waker: &Waker,
) -> Result<Value, TryRecvError> {
    match poll_with(wait, waker) {
        Poll::Ready(result) => result.map_err(|error| match error {
            RecvError::Closed => TryRecvError::Closed,
            RecvError::Lagged(missed) => TryRecvError::Lagged(missed),
        }),
        Poll::Pending => Err(TryRecvError::Empty),
    }
}

#[test]
fn values_may_panic_while_the_last_receiver_leaves_them() {
    let (counter, waker) = CountingWaker::new();
    let dropped = Rc::new(Cell::new(0));
    let (sender, receiver) = broadcast::channel(4);
    for number in 0..4 {
        let counted = dropped.clone();
        let on_drop = move || {
            counted.set(counted.get() + 1);
            if number % 2 == 1 {
                panic_quietly();
            }
        };
        assert!(sender.send(value(number, || (), on_drop)).is_ok());
    }
    let mut closed = Box::pin(sender.closed());
    assert!(poll_with(&mut closed, &waker).is_pending());
    drop(receiver);
    assert_eq!(dropped.get(), 4);
    assert!(counter.wakes() == 1 && poll_with(&mut closed, &waker).is_ready());
    let mut late = sender.subscribe();
    assert!(sender.send(plain(9)).is_ok());
    assert_eq!(number(late.try_recv()), Ok(9));
}

#[test]
fn a_value_may_hold_an_end_of_its_channel() {
    #[derive(Clone)]
    #[allow(dead_code, reason = "what it holds is dropped, and nothing else")]
    struct Holds(Rc<Cell<Ends>>);
    type Ends = (Option<Sender<Holds>>, Option<Receiver<Holds>>);
    let holds = |sender, receiver| Holds(Rc::new(Cell::new((sender, receiver))));
    // The last receiver but for the one in the channel.
    let (sender, receiver) = broadcast::channel(2);
    let inside = sender.subscribe();
    assert!(sender.send(holds(None, Some(inside))).is_ok());
    drop(receiver);
    assert_eq!(sender.receiver_count(), 1);
    for _ in 0..2 {
        assert!(sender.send(holds(None, None)).is_ok());
    }
    // Its value was overwritten, so it is gone, and with it all that it had not received.
    assert_eq!((sender.receiver_count(), sender.len()), (0, 0));
    // The last sender.
    let (counter, waker) = CountingWaker::new();
    let (sender, mut first) = broadcast::channel(2);
    let (weak, mut second) = (sender.downgrade(), sender.subscribe());
    let inside = sender.clone();
    assert!(sender.send(holds(Some(inside), None)).is_ok());
    drop(sender);
    assert!(first.try_recv().is_ok() && !first.is_closed());
    let mut wait = Box::pin(first.recv());
    assert!(poll_with(&mut wait, &waker).is_pending());
    // The last clone takes it along.
    drop(second.try_recv());
    assert!(weak.upgrade().is_none() && second.is_closed());
    assert_eq!(counter.wakes(), 1);
    assert!(matches!(poll_with(&mut wait, &waker), Poll::Ready(Err(RecvError::Closed))));
}

// Threads.

#[test]
fn threads_clone_one_value_at_once() {
    /// A value that waits for another to be cloned.
    struct Meets(Arc<Barrier>);
    impl Clone for Meets {
        fn clone(&self) -> Meets {
            self.0.wait();
            Meets(self.0.clone())
        }
    }
    watched(|| {
        let barrier = Arc::new(Barrier::new(2));
        let (sender, receiver) = broadcast::channel(4);
        let receivers = [receiver.resubscribe(), receiver];
        assert!(sender.send(Meets(barrier.clone())).is_ok());
        // Whoever comes second is the last, but the value is not his alone yet.
        let threads = receivers
            .map(|mut receiver| thread::spawn(move || receiver.blocking_recv().map(|_| ())));
        assert!(threads.into_iter().all(|thread| thread.join().unwrap().is_ok()));
        assert!(sender.is_empty());
        assert_eq!(Arc::strong_count(&barrier), 1);
    });
}

const THREADS: usize = 3;
const EACH: usize = 1_000;

/// Threads that send their number and how far they are.
fn senders(sender: &Sender<(usize, usize)>) -> Vec<thread::JoinHandle<()>> {
    let threads = (0..THREADS).map(|thread| {
        let sender = sender.clone();
        thread::spawn(move || {
            for nth in 0..EACH {
                sender.send((thread, nth)).unwrap();
            }
        })
    });
    threads.collect()
}

#[test]
fn every_thread_receives_everything_and_each_senders_values_in_order() {
    watched(|| {
        let (sender, receiver) = broadcast::channel(THREADS * EACH);
        let receivers: Vec<_> = (0..THREADS)
            .map(|_| {
                let mut receiver = receiver.resubscribe();
                thread::spawn(move || {
                    block_on(async {
                        let mut received = [0; THREADS];
                        while let Ok((thread, nth)) = receiver.recv().await {
                            assert_eq!(nth, received[thread]);
                            received[thread] += 1;
                        }
                        received
                    })
                })
            })
            .collect();
        let senders = senders(&sender);
        let weak = sender.downgrade();
        drop(sender);
        senders.into_iter().for_each(|thread| thread.join().unwrap());
        for thread in receivers {
            assert_eq!(thread.join().unwrap(), [EACH; THREADS]);
        }
        assert!(weak.upgrade().is_none());
        assert_eq!(receiver.len(), THREADS * EACH);
    });
}

#[test]
fn what_a_thread_received_and_what_it_missed_is_all_that_was_sent() {
    watched(|| {
        let (sender, receiver) = broadcast::channel(4);
        let receivers: Vec<_> = (0..THREADS)
            .map(|number| {
                let mut receiver = receiver.resubscribe();
                thread::spawn(move || {
                    let mut next = [0; THREADS];
                    let mut count = 0;
                    loop {
                        let result = match number {
                            0 => receiver.blocking_recv(),
                            _ => block_on(receiver.recv()),
                        };
                        match result {
                            Ok((thread, nth)) => {
                                assert!(nth >= next[thread]);
                                next[thread] = nth + 1;
                                count += 1;
                            }
                            Err(RecvError::Lagged(missed)) => count += missed,
                            Err(RecvError::Closed) => return count,
                        }
                    }
                })
            })
            .collect();
        let senders = senders(&sender);
        senders.into_iter().for_each(|thread| thread.join().unwrap());
        drop(sender);
        for thread in receivers {
            assert_eq!(thread.join().unwrap(), (THREADS * EACH) as u64);
        }
    });
}

#[test]
fn the_last_receiver_goes_on_another_thread() {
    watched(|| {
        for _ in 0..200 {
            let (sender, receiver) = broadcast::channel::<u32>(4);
            let threads = [receiver.resubscribe(), receiver]
                .map(|receiver| thread::spawn(move || drop(receiver)));
            block_on(sender.closed());
            assert_eq!(sender.receiver_count(), 0);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
    });
}

// Thread safety.

#[test]
fn thread_safety_depends_on_the_value() {
    let (sender, mut receiver) = broadcast::channel::<u8>(1);
    assert_thread_safety! {
        about::<Sender<u8>>() => (true, true),
        about::<WeakSender<u8>>() => (true, true),
        about::<Receiver<u8>>() => (true, true),
        // Two threads may clone one value at once.
        about::<Sender<SendOnly>>() => (false, false),
        about::<WeakSender<SendOnly>>() => (false, false),
        about::<Receiver<SendOnly>>() => (false, false),
        about::<Sender<Neither>>() => (false, false),
        about::<WeakSender<Neither>>() => (false, false),
        about::<Receiver<Neither>>() => (false, false),
        about_value(sender.closed()) => (true, true),
        about_value(receiver.recv()) => (true, true),
    }
}
