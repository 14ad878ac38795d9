//! `watch`: what is seen and what is new, who is woken, when a channel is closed; closures and
//! values that panic or come back.

use crate::auto_traits::{Neither, SendOnly, about, about_value, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::hostile::{Call, Dropping, acts_on, hostile_waker, panic_quietly};
use crate::lent::{Home, Lent, home};
use crate::programs::random_programs;
use crate::support::{
    CountingWaker, History, Wakes, caught, panic_silently, panics, paused, poll_once, poll_with,
};
use crate::sync::watch::{
    self, Receiver, Ref, Sender,
    error::{RecvError, SendError},
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

async fn changed(mut lent: Lent<Receiver<u32>>) -> bool {
    lent.changed().await.is_ok()
}

async fn wait_for(mut lent: Lent<Receiver<u32>>, f: impl FnMut(&u32) -> bool) -> Option<u32> {
    lent.wait_for(f).await.ok().map(|value| *value)
}

// What is seen.

#[test]
fn the_first_value_is_seen() {
    let (sender, mut receiver) = watch::channel("first");
    assert_eq!((*receiver.borrow(), *sender.borrow()), ("first", "first"));
    assert!(!receiver.has_changed().unwrap());
    assert!(!receiver.borrow().has_changed() && !receiver.borrow_and_update().has_changed());
    assert!(poll_once(receiver.changed()).is_pending());
}

#[test]
fn a_value_is_new_until_it_is_seen() {
    let (sender, mut receiver) = watch::channel(0);
    sender.send(1).unwrap();
    // Looking is not seeing, and a sender has always seen it.
    for _ in 0..2 {
        assert!(receiver.has_changed().unwrap());
        assert!(receiver.borrow().has_changed() && !sender.borrow().has_changed());
    }
    let value = receiver.borrow_and_update();
    assert_eq!((*value, value.has_changed()), (1, true));
    drop(value);
    assert!(!receiver.has_changed().unwrap());
    assert!(poll_once(receiver.changed()).is_pending());
    // The same value sent again is new.
    sender.send(1).unwrap();
    assert!(receiver.has_changed().unwrap());
    assert_eq!(poll_once(receiver.changed()).map(Result::unwrap), Poll::Ready(()));
    assert!(!receiver.has_changed().unwrap());
}

#[test]
fn a_receiver_sees_the_last_value_and_may_miss_others() {
    let history = History::new();
    paused(async {
        let (sender, mut receiver) = watch::channel(0);
        let seen = history.clone();
        let task = spawn(async move {
            while receiver.changed().await.is_ok() {
                seen.push(format_args!("seen: {}", *receiver.borrow_and_update()));
            }
            seen.push("closed");
        });
        for values in [&[1][..], &[2, 3], &[4, 5, 6]] {
            yield_now().await;
            for value in values {
                history.push(format_args!("sent: {value}"));
                sender.send(*value).unwrap();
            }
        }
        drop(sender);
        history.push("dropped");
        task.await.unwrap();
    });
    history.expect([
        "sent: 1", "seen: 1", "sent: 2", "sent: 3", "seen: 3", "sent: 4", "sent: 5", "sent: 6",
        "dropped", "seen: 6", "closed",
    ]);
}

#[test]
fn a_clone_has_seen_what_the_original_has() {
    let (sender, mut receiver) = watch::channel(0);
    sender.send(1).unwrap();
    let mut clone = receiver.clone();
    assert!(clone.has_changed().unwrap());
    clone.mark_unchanged();
    assert!(!clone.has_changed().unwrap() && receiver.has_changed().unwrap());
    receiver.mark_unchanged();
    assert!(!receiver.clone().has_changed().unwrap());
}

#[test]
fn a_subscriber_has_seen_what_there_is() {
    let (sender, receiver) = watch::channel(0);
    sender.send(1).unwrap();
    let mut subscriber = sender.subscribe();
    assert_eq!(*subscriber.borrow(), 1);
    assert!(!subscriber.has_changed().unwrap() && receiver.has_changed().unwrap());
    assert!(poll_once(subscriber.changed()).is_pending());
    sender.send(2).unwrap();
    assert!(subscriber.has_changed().unwrap());
}

#[test]
fn a_receiver_can_say_that_it_has_seen_nothing_or_everything() {
    let (sender, mut receiver) = watch::channel(0);
    receiver.mark_changed();
    assert!(receiver.has_changed().unwrap() && receiver.borrow().has_changed());
    assert!(poll_once(receiver.changed()).is_ready());
    assert!(poll_once(receiver.changed()).is_pending());
    sender.send(1).unwrap();
    receiver.mark_changed();
    receiver.mark_unchanged();
    assert!(!receiver.has_changed().unwrap());
    // Also when nobody can send any more.
    drop(sender);
    receiver.mark_changed();
    assert_eq!(poll_once(receiver.changed()).map(|result| result.is_ok()), Poll::Ready(true));
    assert_eq!(poll_once(receiver.changed()).map(|result| result.is_ok()), Poll::Ready(false));
}

#[test]
fn many_may_look_at_once() {
    let (sender, mut receiver) = watch::channel(7);
    let other = receiver.clone();
    let refs = [
        sender.borrow(),
        other.borrow(),
        receiver.borrow_and_update(),
    ];
    assert_eq!(refs.each_ref().map(|value| **value), [7; 3]);
    assert_eq!(*sender.borrow(), 7);
}

// How to send.

#[test]
fn sending_to_nobody_gives_the_value_back() {
    let (sender, receiver) = watch::channel(0);
    drop(receiver);
    let error = sender.send(1).unwrap_err();
    assert_eq!(error, SendError(1));
    assert_eq!(error.to_string(), "the channel has no receivers");
    assert!(format!("{error:?}").starts_with("SendError"));
    assert_eq!(*sender.borrow(), 0);
    // It was not only the value that was not sent.
    assert!(!sender.subscribe().has_changed().unwrap());
}

#[test]
fn a_value_can_be_changed_though_nobody_receives() {
    let sender = Sender::new(0);
    assert_eq!(sender.send_replace(1), 0);
    sender.send_modify(|value| *value += 1);
    assert!(sender.send_if_modified(|value| {
        *value += 1;
        true
    }));
    assert_eq!(*sender.borrow(), 3);
    assert_eq!(*sender.subscribe().borrow(), 3);
}

#[test]
fn every_way_to_send_wakes_who_waits_but_that_of_a_value_unmodified() {
    let (sender, mut receiver) = watch::channel(0);
    let mut ready = |send: &dyn Fn()| {
        let (counter, waker) = CountingWaker::new();
        let mut changed = Box::pin(receiver.changed());
        assert!(poll_with(&mut changed, &waker).is_pending());
        send();
        (counter.wakes(), poll_with(&mut changed, &waker).is_ready())
    };
    assert_eq!(ready(&|| sender.send(1).unwrap()), (1, true));
    assert_eq!(ready(&|| assert_eq!(sender.send_replace(2), 1)), (1, true));
    assert_eq!(ready(&|| sender.send_modify(|value| *value += 1)), (1, true));
    let modify = |sent: bool| {
        let sender = &sender;
        move || {
            let modify = |value: &mut u32| {
                *value += 1;
                sent
            };
            assert_eq!(sender.send_if_modified(modify), sent);
        }
    };
    assert_eq!(ready(&modify(true)), (1, true));
    assert_eq!(ready(&modify(false)), (0, false));
    assert_eq!(*receiver.borrow(), 5, "it was modified nevertheless");
}

#[test]
fn all_who_wait_are_woken_once() {
    let wakes = Wakes::default();
    let (sender, receiver) = watch::channel(0);
    let mut waits: Vec<_> =
        (0..50).map(|_| Box::pin(changed(Lent::from(&home(receiver.clone()))))).collect();
    for (number, wait) in waits.iter_mut().enumerate() {
        assert!(poll_with(wait, &wakes.waker(99)).is_pending());
        // A waker that is replaced is not woken.
        assert!(poll_with(wait, &wakes.waker(number)).is_pending());
    }
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    assert_eq!(wakes.take_sorted(), (0..50).collect::<Vec<_>>());
    for mut wait in waits {
        assert_eq!(poll_once(&mut wait), Poll::Ready(true));
    }
    assert_eq!(wakes.alive(), 0);
}

#[test]
fn a_wait_that_is_dropped_takes_its_waker_back() {
    let (counter, waker) = CountingWaker::new();
    let (sender, mut receiver) = watch::channel(0);
    let mut waits: [Pin<Box<dyn Future<Output = ()>>>; 3] = [
        Box::pin(async { receiver.changed().await.unwrap() }),
        Box::pin(async { drop(sender.subscribe().wait_for(|value| *value == 1).await) }),
        Box::pin(sender.closed()),
    ];
    for wait in &mut waits {
        assert!(poll_with(wait, &waker).is_pending());
        assert!(poll_with(wait, &waker).is_pending());
    }
    assert_eq!(Arc::strong_count(&counter), 5);
    drop(waits);
    assert_eq!(Arc::strong_count(&counter), 2);
    sender.send(1).unwrap();
    drop(receiver);
    assert_eq!(counter.wakes(), 0);
}

// Waiting for a value.

#[test]
fn a_value_that_is_there_need_not_be_waited_for() {
    paused(async {
        let (sender, mut receiver) = watch::channel(0);
        // Seen or not.
        let value = receiver.wait_for(|value| *value == 0).await.unwrap();
        assert_eq!((*value, value.has_changed()), (0, false));
        drop(value);
        sender.send(1).unwrap();
        let value = receiver.wait_for(|value| *value == 1).await.unwrap();
        assert_eq!((*value, value.has_changed()), (1, true));
        drop(value);
        assert!(!receiver.has_changed().unwrap());
    });
}

#[test]
fn a_value_is_looked_at_once_until_it_is_the_right_one() {
    let history = History::new();
    paused(async {
        let (sender, mut receiver) = watch::channel(0);
        let looked = history.clone();
        let task = spawn(async move {
            let right = |value: &i32| {
                looked.push(format_args!("looks at {value}"));
                *value >= 3
            };
            let found = *receiver.wait_for(right).await.unwrap();
            looked.push(format_args!("found {found}"));
            assert!(!receiver.has_changed().unwrap());
        });
        for values in [&[][..], &[1, 2], &[], &[5, 4]] {
            yield_now().await;
            values.iter().for_each(|value| sender.send(*value).unwrap());
        }
        task.await.unwrap();
    });
    history.expect(["looks at 0", "looks at 2", "looks at 4", "found 4"]);
}

#[test]
fn waiting_for_a_value_ends_when_none_can_come() {
    let history = History::new();
    paused(async {
        let (sender, mut receiver) = watch::channel(0);
        let looked = history.clone();
        let task = spawn(async move {
            for right in [2, 1, 3] {
                let look = |value: &i32| {
                    looked.push(format_args!("looks at {value} for {right}"));
                    *value == right
                };
                let result = receiver.wait_for(look).await;
                looked.push(match result.as_deref() {
                    Ok(found) => format!("found {found}"),
                    Err(error) => error.to_string(),
                });
            }
        });
        yield_now().await;
        sender.send(1).unwrap();
        drop(sender);
        task.await.unwrap();
    });
    history.expect([
        "looks at 0 for 2",
        "looks at 1 for 2",
        "the channel is closed: all senders are gone",
        "looks at 1 for 1",
        "found 1",
        "looks at 1 for 3",
        "the channel is closed: all senders are gone",
    ]);
}

// When a channel is closed.

#[test]
fn the_last_value_can_be_seen_when_nobody_sends_any_more() {
    let (sender, mut receiver) = watch::channel(0);
    let clone = sender.clone();
    sender.send(1).unwrap();
    drop(sender);
    assert!(!receiver.is_closed() && receiver.has_changed().unwrap());
    drop(clone);
    assert!(receiver.is_closed());
    // Whether there is something new is an error at once, waiting for it only later.
    let closed = "the channel is closed: all senders are gone";
    assert_eq!(receiver.has_changed().unwrap_err().to_string(), closed);
    assert!(receiver.borrow().has_changed());
    assert!(matches!(poll_once(receiver.changed()), Poll::Ready(Ok(()))));
    let error: RecvError = block_on(receiver.changed()).unwrap_err();
    assert_eq!(error.clone().to_string(), closed);
    assert_eq!((*receiver.borrow(), receiver.borrow().has_changed()), (1, false));
    assert_eq!(*receiver.borrow_and_update(), 1);
}

#[test]
fn who_waits_is_woken_when_the_last_sender_goes() {
    let wakes = Wakes::default();
    let (sender, mut receiver) = watch::channel(0);
    let mut other = receiver.clone();
    let clone = sender.clone();
    let mut changed = Box::pin(receiver.changed());
    let mut wait_for = Box::pin(other.wait_for(|_| false));
    assert!(poll_with(&mut changed, &wakes.waker(0)).is_pending());
    assert!(poll_with(&mut wait_for, &wakes.waker(1)).is_pending());
    drop(sender);
    assert_eq!(wakes.take_sorted(), []);
    drop(clone);
    assert_eq!(wakes.take_sorted(), [0, 1]);
    assert!(matches!(poll_once(&mut changed), Poll::Ready(Err(_))));
    assert!(matches!(poll_once(&mut wait_for), Poll::Ready(Err(_))));
}

#[test]
fn senders_learn_that_the_last_receiver_is_gone() {
    let wakes = Wakes::default();
    let (sender, receiver) = watch::channel(0);
    let (clone, other) = (sender.clone(), receiver.clone());
    let mut waits = [Box::pin(sender.closed()), Box::pin(clone.closed())];
    for (number, wait) in waits.iter_mut().enumerate() {
        assert!(poll_with(wait, &wakes.waker(number)).is_pending());
    }
    drop(receiver);
    sender.send(1).unwrap();
    assert!(wakes.take_sorted().is_empty() && !sender.is_closed());
    drop(other);
    assert_eq!(wakes.take_sorted(), [0, 1]);
    assert!(sender.is_closed() && clone.is_closed());
    assert!(waits.iter_mut().all(|wait| poll_once(wait).is_ready()));
    assert!(poll_once(sender.closed()).is_ready());
}

#[test]
fn subscribing_opens_a_channel_again() {
    let sender = Sender::new(0);
    assert!(sender.is_closed() && poll_once(sender.closed()).is_ready());
    let receiver = sender.subscribe();
    assert!(!sender.is_closed() && poll_once(sender.closed()).is_pending());
    sender.send(1).unwrap();
    assert!(receiver.has_changed().unwrap());
    drop(receiver);
    assert!(sender.is_closed());
}

#[test]
fn both_ends_are_counted() {
    let sender: Sender<u32> = Sender::default();
    let counts = || (sender.sender_count(), sender.receiver_count());
    assert_eq!((counts(), *sender.borrow()), ((1, 0), 0));
    let clone = sender.clone();
    let receiver = clone.subscribe();
    assert_eq!(counts(), (2, 1));
    let other = receiver.clone();
    assert_eq!(counts(), (2, 2));
    drop((clone, receiver));
    assert_eq!(counts(), (1, 1));
    drop(other);
    assert_eq!(counts(), (1, 0));
}

#[test]
fn ends_know_their_channel() {
    let (sender, receiver) = watch::channel(0);
    let (other_sender, other_receiver) = watch::channel(0);
    assert!(sender.same_channel(&sender.clone()) && receiver.same_channel(&sender.subscribe()));
    assert!(!sender.same_channel(&other_sender) && !receiver.same_channel(&other_receiver));
}

#[test]
fn the_ends_can_be_shown() {
    let (sender, receiver) = watch::channel(5);
    assert!(format!("{sender:?}").starts_with("Sender"));
    assert!(format!("{receiver:?}").starts_with("Receiver"));
    assert!(format!("{:?}", receiver.borrow()).contains('5'));
}

#[test]
fn a_value_lives_until_the_next_one_or_the_last_end_is_gone() {
    let history = History::new();
    let (sender, receiver) = watch::channel(history.on_drop("first"));
    sender.send(history.on_drop("second")).unwrap_or_else(|_| panic!("a receiver"));
    history.expect(["first"]);
    drop(sender);
    let clone = receiver.clone();
    drop(receiver);
    history.expect([]);
    drop(clone);
    history.expect(["second"]);
    let (sender, receiver) = watch::channel(history.on_drop("third"));
    drop(receiver);
    drop(sender.send(history.on_drop("not sent")));
    history.expect(["not sent"]);
    drop(sender);
    history.expect(["third"]);
}

// Closures that panic.

#[test]
fn a_closure_that_panics_sends_nothing_and_leaves_what_it_wrote() {
    let (counter, waker) = CountingWaker::new();
    let (sender, mut receiver) = watch::channel(0);
    let mut waits = Box::pin(receiver.changed());
    assert!(poll_with(&mut waits, &waker).is_pending());
    for (number, modify) in [(1, true), (2, false)] {
        let panicked = caught(|| {
            let write = |value: &mut u32| {
                *value = number;
                panic_silently("while it writes")
            };
            if modify {
                sender.send_modify(write);
            } else {
                sender.send_if_modified(|value| {
                    write(value);
                    true
                });
            }
        });
        assert_eq!(panicked, Err("while it writes".to_string()));
        assert_eq!(*sender.borrow(), number);
    }
    assert!(counter.wakes() == 0 && poll_with(&mut waits, &waker).is_pending());
    sender.send(3).unwrap();
    assert!(counter.wakes() == 1 && poll_with(&mut waits, &waker).is_ready());
    drop(waits);
    assert_eq!(*receiver.borrow(), 3);
}

#[test]
fn a_condition_that_panics_leaves_nothing_locked() {
    let (sender, mut receiver) = watch::channel(0);
    let right = |value: &u32| if *value == 1 { panic_silently("while it looks") } else { false };
    let mut wait = Box::pin(receiver.wait_for(right));
    assert!(poll_once(&mut wait).is_pending());
    sender.send(1).unwrap();
    let panicked = caught(|| poll_once(&mut wait).is_pending());
    assert_eq!(panicked, Err("while it looks".to_string()));
    sender.send(2).unwrap();
    drop(wait);
    assert_eq!(*block_on(receiver.wait_for(|value| *value == 2)).unwrap(), 2);
    sender.send_modify(|value| *value = 3);
    assert_eq!(*receiver.borrow_and_update(), 3);
}

// Cancelled at every await.

#[test]
fn a_cancelled_wait_for_a_change_has_seen_nothing() {
    let polls = cancel_at_every_await(async || {
        let (sender, receiver) = watch::channel(0);
        let home = home(receiver);
        spawn(async move {
            sender.send(1).unwrap();
            yield_now().await;
            assert_eq!((sender.sender_count(), sender.receiver_count()), (1, 1));
            sender.closed().await;
        });
        (changed(Lent::from(&home)), async move |output: Option<bool>| {
            let mut receiver = home.take().expect("it has come home");
            if output.is_none() {
                receiver.changed().await.unwrap();
            }
            assert_eq!(*receiver.borrow_and_update(), 1);
            assert!(poll_once(receiver.changed()).is_pending());
        })
    });
    assert_eq!(polls, 2);
}

#[test]
fn a_cancelled_wait_for_a_value_can_be_begun_again() {
    let polls = cancel_at_every_await(async || {
        let (sender, receiver) = watch::channel(0);
        let home = home(receiver);
        spawn(async move {
            for value in 1..=3 {
                sender.send(value).unwrap();
                yield_now().await;
            }
            sender.closed().await;
        });
        let right = |value: &u32| *value == 3;
        (wait_for(Lent::from(&home), right), async move |output: Option<Option<u32>>| {
            let mut receiver = home.take().expect("it has come home");
            if output.is_none() {
                receiver.wait_for(right).await.unwrap();
            }
            assert_eq!(*receiver.borrow(), 3);
            assert!(!receiver.has_changed().unwrap());
        })
    });
    assert_eq!(polls, 4);
}

#[test]
fn a_cancelled_wait_for_the_end_leaves_nothing() {
    let polls = cancel_at_every_await(async || {
        let (sender, receiver) = watch::channel(0);
        let sender = Rc::new(sender);
        spawn(async move { drop(receiver) });
        let waiting = sender.clone();
        let closed = async move { waiting.closed().await };
        (closed, async move |_| {
            sender.closed().await;
            assert_eq!((sender.sender_count(), sender.receiver_count()), (1, 0));
            assert_eq!(Rc::strong_count(&sender), 1);
        })
    });
    assert_eq!(polls, 2);
}

// Random programs, against a model.

#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    Modify,
    ModifyIf(bool),
    Replace,
    CloneSender,
    DropSender(usize),
    Subscribe,
    CloneReceiver(usize),
    DropReceiver(usize),
    Update(usize),
    MarkChanged(usize),
    MarkUnchanged(usize),
    Changed(usize),
    /// Waits for a value that leaves this when divided by 3.
    WaitFor(usize, u32),
    Closed(usize),
    Poll(usize),
    Cancel(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..100_usize;
    prop_oneof![
        4 => Just(Step::Send),
        1 => Just(Step::Modify),
        2 => prop::bool::ANY.prop_map(Step::ModifyIf),
        1 => Just(Step::Replace),
        1 => Just(Step::CloneSender),
        2 => any().prop_map(Step::DropSender),
        2 => Just(Step::Subscribe),
        2 => any().prop_map(Step::CloneReceiver),
        4 => any().prop_map(Step::DropReceiver),
        2 => any().prop_map(Step::Update),
        1 => any().prop_map(Step::MarkChanged),
        1 => any().prop_map(Step::MarkUnchanged),
        4 => any().prop_map(Step::Changed),
        4 => (any(), 0..3_u32).prop_map(|(n, rest)| Step::WaitFor(n, rest)),
        3 => any().prop_map(Step::Closed),
        10 => any().prop_map(Step::Poll),
        3 => any().prop_map(Step::Cancel),
    ]
}

/// A receiver, and the number of the value that it has seen: none if it was told so.
#[derive(Clone)]
struct ModelReceiver {
    home: Home<Receiver<u32>>,
    seen: Rc<Cell<Option<usize>>>,
}

enum Kind {
    Changed(ModelReceiver),
    WaitFor(ModelReceiver, u32),
    Closed,
}

#[derive(PartialEq, Debug)]
enum Outcome {
    Changed(bool),
    Found(Option<u32>),
    Closed,
}

struct Wait {
    future: Pin<Box<dyn Future<Output = Outcome>>>,
    kind: Kind,
    /// The waker that it left, unless it was woken.
    waker: Option<usize>,
    polled: bool,
    /// How often it has looked at a value: in fact, and according to the model.
    looks: Rc<Cell<usize>>,
    model_looks: usize,
}

struct World {
    senders: Vec<Rc<Sender<u32>>>,
    receivers: Vec<ModelReceiver>,
    waits: Vec<Wait>,
    value: u32,
    /// How many values there have been.
    number: usize,
    /// The wakers to be woken in this step.
    woken: Vec<usize>,
}

impl World {
    fn new() -> World {
        let (sender, receiver) = watch::channel(0);
        let receiver = ModelReceiver {
            home: home(receiver),
            seen: Rc::new(Cell::new(Some(0))),
        };
        World {
            senders: vec![Rc::new(sender)],
            receivers: vec![receiver],
            waits: Vec::new(),
            value: 0,
            number: 0,
            woken: Vec::new(),
        }
    }

    fn wake(&mut self, closed: bool) {
        for wait in &mut self.waits {
            if matches!(wait.kind, Kind::Closed) == closed {
                self.woken.extend(wait.waker.take());
            }
        }
    }

    fn send(&mut self, step: Step) {
        let (sender, before) = (&self.senders[0], self.value);
        let next = before + 1;
        let notified = match step {
            Step::Send => {
                let sent = sender.send(next);
                assert_eq!(sent.is_ok(), !self.receivers.is_empty());
                if sent.is_err() {
                    return;
                }
                true
            }
            Step::Replace => {
                assert_eq!(sender.send_replace(next), before);
                true
            }
            Step::ModifyIf(modified) => {
                let modify = |value: &mut u32| {
                    *value += 1;
                    modified
                };
                assert_eq!(sender.send_if_modified(modify), modified);
                modified
            }
            _ => {
                sender.send_modify(|value| *value += 1);
                true
            }
        };
        self.value = next;
        if notified {
            self.number += 1;
            self.wake(false);
        }
    }

    fn begin(&mut self, kind: Kind, sender: Option<Rc<Sender<u32>>>) {
        let looks = Rc::new(Cell::new(0));
        let future: Pin<Box<dyn Future<Output = Outcome>>> = match &kind {
            Kind::Changed(receiver) => {
                let lent = Lent::from(&receiver.home);
                Box::pin(async move { Outcome::Changed(changed(lent).await) })
            }
            Kind::WaitFor(receiver, rest) => {
                let (lent, rest, looks) = (Lent::from(&receiver.home), *rest, looks.clone());
                let right = move |value: &u32| {
                    looks.set(looks.get() + 1);
                    value % 3 == rest
                };
                Box::pin(async move { Outcome::Found(wait_for(lent, right).await) })
            }
            Kind::Closed => Box::pin(async move {
                sender.expect("a sender").closed().await;
                Outcome::Closed
            }),
        };
        let (waker, polled, model_looks) = (None, false, 0);
        self.waits.push(Wait {
            future,
            kind,
            waker,
            polled,
            looks,
            model_looks,
        });
    }

    /// What a wait should say when it is polled.
    fn poll(&mut self, at: usize, waker: usize) -> Poll<Outcome> {
        let wait = &mut self.waits[at];
        let is_first = !std::mem::replace(&mut wait.polled, true);
        let closed = self.senders.is_empty();
        let outcome = match &wait.kind {
            Kind::Changed(receiver) => {
                let is_new = receiver.seen.replace(Some(self.number)) != Some(self.number);
                (is_new || closed).then_some(Outcome::Changed(is_new))
            }
            Kind::WaitFor(receiver, rest) => {
                let is_new = receiver.seen.replace(Some(self.number)) != Some(self.number);
                let looks = is_first || is_new;
                wait.model_looks += usize::from(looks);
                let found = looks && self.value % 3 == *rest;
                (found || closed).then_some(Outcome::Found(found.then_some(self.value)))
            }
            Kind::Closed => self.receivers.is_empty().then_some(Outcome::Closed),
        };
        wait.waker = outcome.is_none().then_some(waker);
        outcome.map_or(Poll::Pending, Poll::Ready)
    }

    fn step(&mut self, step: Step, time: usize, wakes: &Wakes) {
        match step {
            Step::Send | Step::Modify | Step::ModifyIf(_) | Step::Replace
                if !self.senders.is_empty() =>
            {
                self.send(step);
            }
            Step::CloneSender | Step::Subscribe | Step::DropSender(_) | Step::Closed(_)
                if !self.senders.is_empty() =>
            {
                match step {
                    Step::CloneSender => {
                        self.senders.push(Rc::new(Sender::clone(&self.senders[0])));
                    }
                    Step::Subscribe => self.receivers.push(ModelReceiver {
                        home: home(self.senders[0].subscribe()),
                        seen: Rc::new(Cell::new(Some(self.number))),
                    }),
                    Step::DropSender(n) => {
                        let at = n % self.senders.len();
                        // Unless somebody waits with it.
                        if Rc::strong_count(&self.senders[at]) == 1 {
                            self.senders.remove(at);
                            if self.senders.is_empty() {
                                self.wake(false);
                            }
                        }
                    }
                    Step::Closed(n) => {
                        let sender = self.senders[n % self.senders.len()].clone();
                        self.begin(Kind::Closed, Some(sender));
                    }
                    _ => unreachable!(),
                }
            }
            Step::CloneReceiver(n)
            | Step::DropReceiver(n)
            | Step::Update(n)
            | Step::MarkChanged(n)
            | Step::MarkUnchanged(n)
            | Step::Changed(n)
            | Step::WaitFor(n, _)
                if !self.receivers.is_empty() =>
            {
                let at = n % self.receivers.len();
                let model = self.receivers[at].clone();
                // Unless a future has it.
                if let Some(receiver) = model.home.take() {
                    self.with_receiver(step, at, model, receiver);
                }
            }
            Step::Poll(n) if !self.waits.is_empty() => {
                let at = n % self.waits.len();
                let expected = self.poll(at, time);
                let wait = &mut self.waits[at];
                assert_eq!(poll_with(&mut wait.future, &wakes.waker(time)), expected);
                assert_eq!(wait.looks.get(), wait.model_looks);
                if expected.is_ready() {
                    self.waits.remove(at);
                }
            }
            Step::Cancel(n) if !self.waits.is_empty() => {
                let at = n % self.waits.len();
                self.waits.remove(at);
            }
            _ => {}
        }
    }

    fn with_receiver(
        &mut self,
        step: Step,
        at: usize,
        model: ModelReceiver,
        mut receiver: Receiver<u32>,
    ) {
        let newest = Some(self.number);
        match step {
            Step::CloneReceiver(_) => self.receivers.push(ModelReceiver {
                home: home(receiver.clone()),
                seen: Rc::new(Cell::new(model.seen.get())),
            }),
            Step::DropReceiver(_) => {
                drop(receiver);
                self.receivers.remove(at);
                if self.receivers.is_empty() {
                    self.wake(true);
                }
                return;
            }
            Step::Update(_) => {
                let look = receiver.borrow_and_update();
                assert_eq!(*look, self.value);
                assert_eq!(look.has_changed(), model.seen.replace(newest) != newest);
            }
            Step::MarkChanged(_) => {
                receiver.mark_changed();
                model.seen.set(None);
            }
            Step::MarkUnchanged(_) => {
                receiver.mark_unchanged();
                model.seen.set(newest);
            }
            Step::Changed(_) => {
                model.home.set(Some(receiver));
                return self.begin(Kind::Changed(model), None);
            }
            Step::WaitFor(_, rest) => {
                model.home.set(Some(receiver));
                return self.begin(Kind::WaitFor(model, rest), None);
            }
            _ => unreachable!(),
        }
        model.home.set(Some(receiver));
    }

    fn check(&self) {
        for sender in &self.senders {
            assert_eq!(*sender.borrow(), self.value);
            assert_eq!(sender.sender_count(), self.senders.len());
            assert_eq!(sender.receiver_count(), self.receivers.len());
            assert_eq!(sender.is_closed(), self.receivers.is_empty());
        }
        for model in &self.receivers {
            let Some(receiver) = model.home.take() else {
                continue;
            };
            let is_new = model.seen.get() != Some(self.number);
            let closed = self.senders.is_empty();
            assert_eq!(receiver.has_changed().ok(), (!closed).then_some(is_new));
            assert_eq!(receiver.is_closed(), closed);
            assert_eq!(*receiver.borrow(), self.value);
            assert_eq!(receiver.borrow().has_changed(), is_new);
            model.home.set(Some(receiver));
        }
    }
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 0..80)) {
        let wakes = Wakes::default();
        let mut world = World::new();
        for (time, step) in steps.into_iter().enumerate() {
            world.step(step, time, &wakes);
            let mut expected = std::mem::take(&mut world.woken);
            expected.sort_unstable();
            prop_assert_eq!(wakes.take_sorted(), expected);
            world.check();
        }
        drop(world);
        // No waker is left anywhere.
        prop_assert_eq!(wakes.alive(), 0);
    }
}

// The worst that wakers can do.

/// Does everything that can be done to a channel.
fn do_all(sender: &Sender<u32>) {
    let other = sender.clone();
    let mut receiver = other.subscribe();
    assert!(poll_once(receiver.changed()).is_pending() && poll_once(other.closed()).is_pending());
    other.send_modify(|value| *value += 1);
    assert!(receiver.has_changed().unwrap() && !receiver.is_closed());
    assert_eq!(*receiver.borrow_and_update(), *sender.borrow());
    drop((other, receiver));
    sender.send_replace(77);
}

/// A waker that does all of it, and then panics.
fn comes_back(sender: &Rc<Sender<u32>>, call: Call) -> Waker {
    let sender = sender.clone();
    acts_on(call, move || do_all(&sender))
}

#[test]
fn a_waker_may_come_back_while_it_is_woken_and_panic() {
    let wakes = Wakes::default();
    let (sender, receiver) = watch::channel(0);
    let sender = Rc::new(sender);
    let waits: Vec<_> = (0..40)
        .map(|number| {
            let hostile = number % 2 == 1;
            let waker = if hostile { comes_back(&sender, Call::Wake) } else { wakes.waker(number) };
            let mut wait = Box::pin(changed(Lent::from(&home(receiver.clone()))));
            assert!(poll_with(&mut wait, &waker).is_pending());
            wait
        })
        .collect();
    // The panics end where the wakers are called.
    sender.send(1).unwrap();
    assert_eq!(wakes.take_sorted(), (0..40).step_by(2).collect::<Vec<_>>());
    for mut wait in waits {
        assert_eq!(poll_once(&mut wait), Poll::Ready(true));
    }
    assert_eq!(*receiver.borrow(), 77);
    assert_eq!((sender.sender_count(), sender.receiver_count()), (1, 1));
}

#[test]
fn a_waker_may_come_back_while_it_is_cloned() {
    for polled_before in [false, true] {
        let (sender, mut receiver) = watch::channel(0);
        let sender = Rc::new(sender);
        let mut wait = Box::pin(receiver.changed());
        if polled_before {
            assert!(poll_once(&mut wait).is_pending());
        }
        let waker = comes_back(&sender, Call::Clone);
        assert!(panics(|| poll_with(&mut wait, &waker).is_pending()));
        drop(wait);
        // The change came while the wait was on its way.
        assert!(poll_once(receiver.changed()).is_ready());
        assert_eq!(*receiver.borrow(), 77);
    }
}

#[test]
fn a_waker_may_come_back_while_it_is_dropped() {
    type Boxed = Pin<Box<dyn Future<Output = bool>>>;
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
        let (sender, mut receiver) = watch::channel(0);
        let sender = Rc::new(sender);
        let mut wait: Boxed = Box::pin(changed(Lent::from(&home(receiver.clone()))));
        let waker = comes_back(&sender, Call::Drop);
        assert!(poll_with(&mut wait, &waker).is_pending());
        let mut other = Box::pin(receiver.changed());
        assert!(poll_with(&mut other, &wakes.waker(0)).is_pending());
        end(&sender, wait);
        sender.send_replace(5);
        assert_eq!(wakes.take_sorted(), [0]);
        assert!(poll_once(&mut other).is_ready());
        std::mem::forget(waker);
    }
}

#[test]
fn a_waker_may_drop_the_ends() {
    let (sender, receiver) = watch::channel(0);
    let ends = Rc::new(RefCell::new(Some((sender.clone(), receiver))));
    let mut closed = Box::pin(async {
        sender.closed().await;
    });
    let reached = ends.clone();
    let drops_all = hostile_waker(move |call| {
        if call == Call::Wake {
            drop(reached.take());
        }
    });
    let mut receiver = sender.subscribe();
    let mut wait = Box::pin(receiver.changed());
    assert!(poll_with(&mut wait, &drops_all).is_pending());
    assert!(poll_once(&mut closed).is_pending());
    sender.send(1).unwrap();
    assert!(ends.borrow().is_none());
    assert!(poll_once(&mut wait).is_ready());
    drop(wait);
    drop(receiver);
    assert!(poll_once(&mut closed).is_ready());
    assert_eq!((sender.sender_count(), sender.receiver_count()), (1, 0));
}

// The worst that values and closures can do.

/// Everything but sending, and looking.
fn do_all_but_the_value(sender: &Sender<u32>, receiver: &Receiver<u32>) {
    let mut subscriber = sender.subscribe();
    let clone = (sender.clone(), receiver.clone());
    assert_eq!((sender.sender_count(), sender.receiver_count()), (2, 4));
    assert!(
        poll_once(subscriber.changed()).is_pending() && poll_once(sender.closed()).is_pending()
    );
    subscriber.mark_changed();
    assert!(subscriber.has_changed().unwrap());
    subscriber.mark_unchanged();
    assert!(!receiver.is_closed() && !sender.is_closed());
    assert!(receiver.same_channel(&clone.1) && sender.same_channel(&clone.0));
}

#[test]
fn the_rest_of_a_channel_is_free_while_its_value_is_not() {
    let (sender, mut receiver) = watch::channel(0);
    let other = receiver.clone();
    let reference = other.borrow();
    do_all_but_the_value(&sender, &other);
    drop(reference);
    sender.send_modify(|_| do_all_but_the_value(&sender, &other));
    let free = |_: &u32| {
        do_all_but_the_value(&sender, &other);
        true
    };
    assert_eq!(*block_on(receiver.wait_for(free)).unwrap(), 0);
}

/// Every way to send, to a channel of a number.
const SENDS: [fn(&Sender<u32>); 4] = [
    |sender| sender.send(9).unwrap(),
    |sender| sender.send_modify(|value| *value = 9),
    |sender| assert!(sender.send_replace(9) < 9),
    |sender| {
        let modify = |value: &mut u32| {
            *value = 9;
            true
        };
        assert!(sender.send_if_modified(modify));
    },
];

#[test]
fn sending_while_this_thread_looks_panics_and_does_not_hang() {
    for send in SENDS {
        let (sender, mut receiver) = watch::channel(0);
        let mut other = receiver.clone();
        let (_, of_another_channel) = watch::channel(0);
        let _does_not_matter = of_another_channel.borrow();
        let refused = || {
            let message = caught(|| send(&sender)).unwrap_err();
            assert!(message.contains("Ref"), "{message}");
        };
        let first = sender.borrow();
        refused();
        let second = other.borrow_and_update();
        refused();
        drop(first);
        refused();
        assert_eq!(*second, 0);
        drop(second);
        let found = poll_once(receiver.wait_for(|value| *value == 0));
        refused();
        drop(found);
        send(&sender);
        assert_eq!(*receiver.borrow_and_update(), 9);
    }
}

#[test]
fn sending_while_this_thread_looks_for_a_value_panics_and_does_not_hang() {
    for send in SENDS {
        let (sender, mut receiver) = watch::channel(0);
        let sends = |_: &u32| {
            send(&sender);
            true
        };
        let message = caught(|| poll_once(receiver.wait_for(sends)).is_ready()).unwrap_err();
        assert!(message.contains("Ref"), "{message}");
        send(&sender);
        assert_eq!(*receiver.borrow_and_update(), 9);
    }
}

#[test]
fn using_the_value_while_this_thread_changes_it_panics_and_does_not_hang() {
    for send in SENDS {
        let (sender, mut receiver) = watch::channel(0);
        let refused = |f: &mut dyn FnMut()| {
            let message = caught(f).unwrap_err();
            assert!(message.contains("closure"), "{message}");
        };
        sender.send_modify(|value| {
            refused(&mut || send(&sender));
            refused(&mut || drop(sender.borrow()));
            refused(&mut || drop(receiver.borrow()));
            refused(&mut || drop(receiver.borrow_and_update()));
            refused(&mut || drop(poll_once(receiver.wait_for(|_| true))));
            *value = 5;
        });
        assert_eq!(*block_on(receiver.wait_for(|_| true)).unwrap(), 5);
        send(&sender);
        assert_eq!(*receiver.borrow(), 9);
    }
}

#[test]
fn sending_while_another_task_looks_panics_in_the_task_that_sends() {
    let history = History::new();
    paused(async {
        let (sender, receiver) = watch::channel(1);
        let looked = history.clone();
        let looks = spawn(async move {
            let look = receiver.borrow();
            yield_now().await;
            looked.push(format_args!("looked at {}", *look));
        });
        let (again, refused) = (sender.clone(), history.clone());
        let sends = spawn(async move {
            let message = caught(|| again.send(2)).unwrap_err();
            assert!(message.contains("Ref"), "{message}");
            refused.push("refused");
        });
        sends.await.unwrap();
        looks.await.unwrap();
        sender.send_replace(3);
        assert_eq!(*sender.borrow(), 3);
    });
    history.expect(["refused", "looked at 1"]);
}

#[test]
fn looks_at_two_channels_are_not_mistaken_for_each_other() {
    watched(|| {
        let [(a, from_a), (b, from_b)] = [(); 2].map(|()| watch::channel(0));
        let refused = |sender: &Sender<u32>| caught(|| sender.send(1)).is_err();
        let (look_a, look_b) = (from_a.borrow(), from_b.borrow());
        drop(look_b);
        assert!(refused(&a) && b.send(1).is_ok());
        let look_b = from_b.borrow();
        drop(look_a);
        assert!(a.send(1).is_ok() && refused(&b));
        drop(look_b);
        assert!(b.send(2).is_ok());
    });
}

#[test]
fn a_look_that_was_forgotten_is_there_for_ever() {
    let (sender, receiver) = watch::channel(0);
    std::mem::forget(receiver.borrow());
    assert!(caught(|| sender.send(1)).unwrap_err().contains("Ref"));
    assert_eq!((*receiver.borrow(), *sender.borrow()), (0, 0));
}

type Value = Dropping<Box<dyn Fn()>>;

fn value(on_drop: impl Fn() + 'static) -> Value {
    Dropping(Box::new(on_drop))
}

#[test]
fn a_value_may_come_back_while_it_is_dropped() {
    let history = History::new();
    let (sender, receiver) = watch::channel(value(|| ()));
    let sender = Rc::new(sender);
    let (again, written) = (sender.clone(), history.clone());
    let comes_back = value(move || {
        written.push("dropped");
        let (other, written) = (again.subscribe(), written.clone());
        drop(again.borrow());
        let third = value(move || written.push("third"));
        assert!(again.send(third).is_ok() && other.has_changed().unwrap());
    });
    assert!(sender.send(comes_back).is_ok());
    assert!(sender.send(value(|| ())).is_ok());
    history.expect(["dropped"]);
    // What was sent from the destructor came later.
    assert!(sender.send(value(|| ())).is_ok());
    history.expect(["third"]);
    assert_eq!((sender.sender_count(), sender.receiver_count()), (1, 1));
    drop(receiver);
}

#[test]
fn a_value_may_panic_while_it_is_dropped() {
    let (counter, waker) = CountingWaker::new();
    let (sender, mut receiver) = watch::channel(value(|| panic_quietly()));
    let mut wait = Box::pin(receiver.changed());
    assert!(poll_with(&mut wait, &waker).is_pending());
    let sent = Rc::new(Cell::new(false));
    let reached = sent.clone();
    assert!(sender.send(value(move || reached.set(true))).is_ok());
    // The next one has been sent all the same.
    assert!(counter.wakes() == 1 && poll_with(&mut wait, &waker).is_ready());
    assert!(sender.send(value(|| ())).is_ok() && sent.get());
}

/// A value that holds a receiver of its own channel.
struct Holds(Option<Receiver<Holds>>);

#[test]
fn a_value_may_hold_the_last_receiver() {
    for in_a_closure in [false, true] {
        let (counter, waker) = CountingWaker::new();
        let (sender, receiver) = watch::channel(Holds(None));
        sender.send_replace(Holds(Some(receiver)));
        let mut closed = Box::pin(sender.closed());
        assert!(poll_with(&mut closed, &waker).is_pending());
        if in_a_closure {
            sender.send_modify(|value| value.0 = None);
        } else {
            assert!(sender.send(Holds(None)).is_ok());
        }
        assert!(counter.wakes() == 1 && poll_with(&mut closed, &waker).is_ready());
        assert!(sender.is_closed() && sender.borrow().0.is_none());
    }
}

// Threads.

#[test]
fn a_thread_sees_values_in_order_and_the_last() {
    const LAST: u32 = 5_000;
    watched(|| {
        let (sender, receiver) = watch::channel(0);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let mut receiver = receiver.clone();
                thread::spawn(move || {
                    block_on(async {
                        let mut last = 0;
                        while receiver.changed().await.is_ok() {
                            let seen = *receiver.borrow_and_update();
                            assert!(seen >= last, "{seen} after {last}");
                            last = seen;
                        }
                        last
                    })
                })
            })
            .collect();
        for value in 1..=LAST {
            sender.send(value).unwrap();
        }
        drop(sender);
        for thread in threads {
            assert_eq!(thread.join().unwrap(), LAST);
        }
    });
}

#[test]
fn threads_modify_one_value() {
    const THREADS: u32 = 4;
    const EACH: u32 = 2_000;
    watched(|| {
        let (sender, mut receiver) = watch::channel(0);
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let sender = sender.clone();
                thread::spawn(move || {
                    for _ in 0..EACH {
                        sender.send_modify(|value| *value += 1);
                    }
                })
            })
            .collect();
        let all = block_on(receiver.wait_for(|value| *value == THREADS * EACH));
        assert_eq!(*all.unwrap(), THREADS * EACH);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn threads_look_at_once() {
    watched(|| {
        let (_sender, receiver) = watch::channel(Barrier::new(3));
        let threads = [(); 2].map(|()| {
            let receiver = receiver.clone();
            thread::spawn(move || receiver.borrow().wait().is_leader())
        });
        let leads = receiver.borrow().wait().is_leader();
        let others = threads.map(|thread| thread.join().unwrap());
        assert_eq!(others.into_iter().chain([leads]).filter(|leads| *leads).count(), 1);
    });
}

#[test]
fn a_sender_waits_for_a_look_of_another_thread() {
    watched(|| {
        for _ in 0..100 {
            let (sender, receiver) = watch::channel(0);
            let look = receiver.borrow();
            let thread = thread::spawn(move || {
                // One of its own, of another channel, is in nobody's way.
                let (_, of_another) = watch::channel(0);
                let _look = of_another.borrow();
                sender.send(1)
            });
            thread::yield_now();
            assert_eq!(*look, 0);
            drop(look);
            assert!(thread.join().unwrap().is_ok());
            assert_eq!(*receiver.borrow(), 1);
        }
    });
}

#[test]
fn a_thread_may_look_twice_or_is_told_that_it_cannot() {
    watched(|| {
        let (sender, receiver) = watch::channel(0);
        let look = receiver.borrow();
        let thread = thread::spawn(move || sender.send(1));
        for _ in 0..200 {
            // As soon as the other thread waits, it comes first.
            match caught(|| *receiver.borrow()) {
                Ok(value) => assert_eq!(value, 0),
                Err(message) => assert!(message.contains("Ref"), "{message}"),
            }
            thread::yield_now();
        }
        drop(look);
        assert!(thread.join().unwrap().is_ok());
        assert_eq!(*receiver.borrow(), 1);
    });
}

#[test]
fn the_last_receiver_goes_on_another_thread() {
    watched(|| {
        for _ in 0..200 {
            let (sender, receiver) = watch::channel(0);
            let threads =
                [receiver.clone(), receiver].map(|receiver| thread::spawn(move || drop(receiver)));
            block_on(sender.closed());
            assert!(sender.is_closed());
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
    });
}

// Thread safety.

#[test]
fn thread_safety_depends_on_the_value() {
    let (sender, mut receiver) = watch::channel(0);
    assert_thread_safety! {
        about::<Sender<u8>>() => (true, true),
        about::<Sender<SendOnly>>() => (false, false),
        about::<Sender<Neither>>() => (false, false),
        about::<Receiver<u8>>() => (true, true),
        about::<Receiver<SendOnly>>() => (false, false),
        about::<Receiver<Neither>>() => (false, false),
        // Who looks keeps others from sending: that ends on the thread on which it began.
        about::<Ref<'_, u8>>() => (false, true),
        about::<Ref<'_, SendOnly>>() => (false, false),
        about_value(sender.closed()) => (true, true),
        about_value(receiver.changed()) => (true, true),
    }
}
