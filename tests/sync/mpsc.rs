//! `mpsc`: what goes in comes out, in order and once; who waits for room, for a value or for the
//! end, and is woken when; what a permit holds, and what becomes of it.
//!
//! What both kinds of channel do alike is in `mpsc/both.rs`, which is here twice; this file is
//! about room.

use crate::auto_traits::{Neither, SendOnly, about, about_value, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::hostile::{Call, Dropping, acts_on, hostile_waker, quietly};
use crate::programs::random_programs;
use crate::support::{
    CountingWaker, History, Wakes, caught, now, panic_silently, paused, poll_once, poll_with,
};
use crate::sync::mpsc::error::{SendError, SendTimeoutError, TryRecvError, TrySendError};
use crate::sync::mpsc::{OwnedPermit, Permit, PermitIterator, Receiver, Sender, channel};
use crate::watchdog::watched;
use handspun::time::{Duration, Instant, sleep, timeout};
use handspun::{block_on, spawn};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll};
use std::thread;

#[allow(clippy::duplicate_mod, reason = "the same tests, of another type")]
#[path = "mpsc"]
mod bounded {
    use crate::sync::mpsc::error::{SendError, TrySendError};
    pub use crate::sync::mpsc::{Receiver as Rx, Sender as Tx, WeakSender as Weak};

    #[path = "both.rs"]
    mod both;

    pub fn make<T>() -> (Tx<T>, Rx<T>) {
        super::channel(100_000)
    }

    /// What `send` is in an unbounded channel.
    pub fn send<T>(tx: &Tx<T>, value: T) -> Result<(), SendError<T>> {
        tx.try_send(value).map_err(|error| match error {
            TrySendError::Full(_) => panic!("there is room for all that these tests send"),
            TrySendError::Closed(value) => SendError(value),
        })
    }
}

#[allow(clippy::duplicate_mod, reason = "the same tests, of another type")]
#[path = "mpsc"]
mod unbounded {
    use crate::sync::mpsc::error::SendError;
    pub use crate::sync::mpsc::unbounded_channel as make;
    pub use crate::sync::mpsc::{
        UnboundedReceiver as Rx, UnboundedSender as Tx, WeakUnboundedSender as Weak,
    };

    #[path = "both.rs"]
    mod both;

    pub fn send<T>(tx: &Tx<T>, value: T) -> Result<(), SendError<T>> {
        tx.send(value)
    }
}

const MS: Duration = Duration::from_millis(1);

// Room.

#[test]
fn there_is_room_for_one_value_at_least() {
    let message = caught(|| channel::<u8>(0)).unwrap_err();
    assert!(message.contains("mpsc"), "{message}");
    caught(|| channel::<u8>(usize::MAX)).unwrap_err();
    let (tx, _rx) = channel::<u8>(usize::MAX >> 3);
    assert_eq!(tx.capacity(), usize::MAX >> 3);
}

#[test]
fn a_full_channel_makes_its_sender_wait() {
    let history = History::new();
    paused(async {
        let start = Instant::now();
        let (tx, mut rx) = channel(2);
        let sent = history.clone();
        spawn(async move {
            for n in 0..5 {
                tx.send(n).await.unwrap();
                sent.push(format_args!("sent {n} after {:?}", start.elapsed()));
            }
        });
        sleep(MS).await;
        while let Some(n) = rx.recv().await {
            history.push(format_args!("received {n} after {:?}", start.elapsed()));
            sleep(MS).await;
        }
    });
    history.expect([
        "sent 0 after 0ns",
        "sent 1 after 0ns",
        "received 0 after 1ms",
        "sent 2 after 1ms",
        "received 1 after 2ms",
        "sent 3 after 2ms",
        "received 2 after 3ms",
        "sent 4 after 3ms",
        "received 3 after 4ms",
        "received 4 after 5ms",
    ]);
}

#[test]
fn senders_get_room_in_the_order_in_which_they_came() {
    let wakes = Wakes::default();
    let (tx, mut rx) = channel(1);
    tx.try_send(9).unwrap();
    let mut waits = [0, 1, 2, 3].map(|n| Box::pin(tx.send(n)));
    for (number, wait) in waits.iter_mut().enumerate() {
        assert!(poll_with(wait, &wakes.waker(number)).is_pending());
    }
    let [mut first, second, mut third, mut fourth] = waits;
    // A wait that is polled again keeps its place; one that is dropped has none.
    assert!(poll_with(&mut first, &wakes.waker(10)).is_pending());
    drop(second);
    assert_eq!(wakes.take(), []);

    assert_eq!(rx.try_recv(), Ok(9));
    assert_eq!(wakes.take(), [10]);
    // It is the first one's turn, whoever asks.
    assert!(poll_with(&mut third, &wakes.waker(2)).is_pending());
    assert_eq!(tx.try_send(8), Err(TrySendError::Full(8)));
    assert!(tx.try_reserve().is_err() && tx.try_reserve_many(1).is_err());
    assert_eq!(tx.capacity(), 0);
    assert_eq!(now(first), Ok(()));
    assert_eq!(wakes.take(), []);

    assert_eq!(rx.try_recv(), Ok(0));
    assert_eq!(wakes.take(), [2]);
    // Who does not take his turn passes it on.
    drop(third);
    assert_eq!(wakes.take(), [3]);
    assert_eq!(poll_once(&mut fourth), Poll::Ready(Ok(())));
    assert_eq!(rx.try_recv(), Ok(3));
    assert_eq!((tx.capacity(), wakes.take()), (1, vec![]));
}

#[test]
fn trying_sends_a_value_or_gives_it_back() {
    let (tx, rx) = channel(1);
    assert_eq!(tx.try_send('a'), Ok(()));
    let full = tx.try_send('b').unwrap_err();
    drop(rx);
    let closed = tx.try_send('c').unwrap_err();
    assert_eq!([full, closed], [TrySendError::Full('b'), TrySendError::Closed('c')]);
    assert!(closed.to_string().contains("closed") && !full.to_string().contains("closed"));
    let debug = [full, closed].map(|error| format!("{error:?}").replace('"', ""));
    assert_eq!(debug, ["Full(..)", "Closed(..)"]);
    assert_eq!([full, closed].map(TrySendError::into_inner), ['b', 'c']);
    assert_eq!(TrySendError::from(SendError('d')), TrySendError::Closed('d'));
    let _: &dyn std::error::Error = &full;
}

#[test]
fn a_value_in_a_send_that_never_ran_is_dropped_with_it() {
    let history = History::new();
    let (tx, rx) = channel(1);
    let send = tx.send(history.on_drop("value"));
    history.push("not yet");
    drop(send);
    history.expect(["not yet", "value"]);
    assert_eq!((rx.len(), tx.capacity()), (0, 1));
}

#[test]
fn a_wait_for_much_room_holds_up_those_who_come_later() {
    let wakes = Wakes::default();
    let (tx, mut rx) = channel(3);
    tx.try_send(9).unwrap();
    let mut many = Box::pin(tx.reserve_many(3));
    assert!(poll_with(&mut many, &wakes.waker(0)).is_pending());
    // It has what there is already.
    assert_eq!(tx.capacity(), 0);
    let mut one = Box::pin(tx.send(8));
    assert!(poll_with(&mut one, &wakes.waker(1)).is_pending());
    assert_eq!(rx.try_recv(), Ok(9));
    assert_eq!(wakes.take(), [0]);
    assert_eq!(now(many).unwrap().len(), 3);
    assert_eq!(wakes.take(), [1]);
    assert_eq!(now(one), Ok(()));
    assert_eq!(tx.capacity(), 2);
}

#[test]
fn a_wait_for_much_room_that_is_given_up_gives_back_what_it_had() {
    let wakes = Wakes::default();
    let (tx, _rx) = channel(3);
    let held = tx.try_reserve().unwrap();
    let mut many = Box::pin(tx.reserve_many(3));
    assert!(poll_with(&mut many, &wakes.waker(0)).is_pending());
    let mut waits = [1, 2, 3].map(|n| Box::pin(tx.send(n)));
    for (n, wait) in (1..).zip(&mut waits) {
        assert!(poll_with(wait, &wakes.waker(n)).is_pending());
    }
    drop(many);
    assert_eq!(wakes.take(), [1, 2]);
    drop(held);
    assert_eq!(wakes.take(), [3]);
}

#[test]
fn room_for_several_wakes_them_in_their_order() {
    let wakes = Wakes::default();
    let (tx, mut rx) = channel(3);
    for n in 0..3 {
        tx.try_send(n).unwrap();
    }
    let mut waits = [3, 4, 5, 6].map(|n| Box::pin(tx.send(n)));
    for (n, wait) in (3..).zip(&mut waits) {
        assert!(poll_with(wait, &wakes.waker(n)).is_pending());
    }
    let mut values = Vec::new();
    assert_eq!(now(rx.recv_many(&mut values, 10)), 3);
    assert_eq!(wakes.take(), [3, 4, 5]);
    // They send in the order in which they are polled.
    let [third, fourth, fifth, _] = waits;
    for wait in [fifth, third, fourth] {
        now(wait).unwrap();
    }
    assert_eq!(now(rx.recv_many(&mut values, 10)), 3);
    assert_eq!(values, [0, 1, 2, 5, 3, 4]);
    assert_eq!(wakes.take(), [6]);
}

#[test]
fn a_channel_tells_how_much_room_it_has() {
    let (tx, mut rx) = channel(4);
    let tell = |tx: &Sender<u8>, rx: &Receiver<u8>| {
        assert_eq!((tx.capacity(), tx.max_capacity()), (rx.capacity(), 4));
        assert_eq!(rx.max_capacity(), 4);
        (tx.capacity(), rx.len())
    };
    assert_eq!(tell(&tx, &rx), (4, 0));
    tx.try_send(0).unwrap();
    assert_eq!(tell(&tx, &rx), (3, 1));
    let permit = tx.try_reserve().unwrap();
    assert_eq!(tell(&tx, &rx), (2, 1));
    let mut permits = tx.try_reserve_many(2).unwrap();
    assert_eq!(tell(&tx, &rx), (0, 1));
    permit.send(1);
    assert_eq!(tell(&tx, &rx), (0, 2));
    drop(permits.next());
    assert_eq!(tell(&tx, &rx), (1, 2));
    drop(permits);
    assert_eq!(tell(&tx, &rx), (2, 2));
    rx.close();
    assert_eq!(tell(&tx, &rx), (2, 2));
    assert_eq!(rx.try_recv(), Ok(0));
    assert_eq!(tell(&tx, &rx), (3, 1));
    drop(rx);
    assert_eq!((tx.capacity(), tx.max_capacity()), (4, 4));
}

// Not for ever.

#[test]
fn a_sender_waits_no_longer_than_it_wants_to() {
    let history = History::new();
    paused(async {
        let start = Instant::now();
        let (tx, mut rx) = channel(1);
        tx.send_timeout('a', Duration::ZERO).await.unwrap();
        for (value, limit) in [('b', MS * 3), ('c', MS * 9), ('d', MS * 20), ('e', MS * 20)] {
            let (tx, history) = (tx.clone(), history.clone());
            spawn(async move {
                let sent = tx.send_timeout(value, limit).await;
                history.push(format_args!("{value}: {sent:?} after {:?}", start.elapsed()));
            });
        }
        drop(tx);
        sleep(MS * 5).await;
        // The first in line has left it.
        assert_eq!(rx.recv().await, Some('a'));
        sleep(MS * 5).await;
        rx.close();
        assert_eq!(rx.recv().await, Some('c'));
        assert_eq!(rx.recv().await, None);
        sleep(MS).await;
    });
    history.expect([
        "b: Err(Timeout(..)) after 3ms",
        "c: Ok(()) after 5ms",
        "d: Err(Closed(..)) after 10ms",
        "e: Err(Closed(..)) after 10ms",
    ]);
}

#[test]
fn a_value_that_was_not_sent_in_time_comes_back() {
    paused(async {
        let (tx, rx) = channel(1);
        tx.try_send('a').unwrap();
        let late = tx.send_timeout('b', MS).await.unwrap_err();
        drop(rx);
        let closed = tx.send_timeout('c', MS).await.unwrap_err();
        assert_eq!(late, SendTimeoutError::Timeout('b'));
        assert_eq!(closed, SendTimeoutError::Closed('c'));
        assert!(closed.to_string().contains("closed") && !late.to_string().contains("closed"));
        assert_eq!([late, closed].map(SendTimeoutError::into_inner), ['b', 'c']);
        let _: &dyn std::error::Error = &late;
    });
}

#[test]
fn a_stall_report_tells_who_waits_and_not_who_has_waited() {
    let report = caught(|| {
        paused(async {
            let (tx, mut rx) = channel(1);
            timeout(MS, rx.recv()).await.unwrap_err();
            timeout(MS, tx.closed()).await.unwrap_err();
            tx.send('a').await.unwrap();
            timeout(MS, tx.send('b')).await.unwrap_err();
            tx.send_timeout('b', MS).await.unwrap_err();
            tx.send('b').await
        })
    });
    let report = report.unwrap_err();
    assert!(report.contains("waits for room in the mpsc channel"), "{report}");
    assert_eq!(report.matches("    waits for").count(), 1, "{report}");
}

// Permits.

#[test]
fn a_permit_is_room_for_a_value() {
    let wakes = Wakes::default();
    let (tx, mut rx) = channel(2);
    let first: Permit<'_, char> = now(tx.reserve()).unwrap();
    let second = tx.try_reserve().unwrap();
    assert_eq!(tx.try_send('-'), Err(TrySendError::Full('-')));
    assert_eq!(tx.try_reserve().unwrap_err(), TrySendError::Full(()));
    assert!(rx.poll_recv(&mut Context::from_waker(&wakes.waker(0))).is_pending());
    first.send('a');
    assert_eq!(wakes.take(), [0]);

    let mut wait = Box::pin(tx.reserve());
    assert!(poll_with(&mut wait, &wakes.waker(1)).is_pending());
    // Dropped, it is room for the next one.
    drop(second);
    assert_eq!(wakes.take(), [1]);
    now(wait).unwrap().send('b');
    assert_eq!([rx.try_recv(), rx.try_recv()], [Ok('a'), Ok('b')]);
    assert_eq!(tx.capacity(), 2);
}

#[test]
fn permits_may_be_reserved_together_and_used_one_by_one() {
    let wakes = Wakes::default();
    let (tx, mut rx) = channel(4);
    let mut permits: PermitIterator<'_, u8> = now(tx.reserve_many(4)).unwrap();
    assert_eq!((permits.len(), permits.size_hint()), (4, (4, Some(4))));
    permits.next().unwrap().send(0);
    let kept = permits.next().unwrap();
    assert_eq!((permits.len(), permits.size_hint()), (2, (2, Some(2))));
    let mut waits = [1, 2].map(|n| Box::pin(tx.send(n)));
    for (number, wait) in waits.iter_mut().enumerate() {
        assert!(poll_with(wait, &wakes.waker(number)).is_pending());
    }
    // What is not used is given back.
    drop(permits);
    assert_eq!(wakes.take(), [0, 1]);
    waits.into_iter().for_each(|wait| now(wait).unwrap());
    kept.send(3);
    assert_eq!([(); 4].map(|()| rx.try_recv().unwrap()), [0, 1, 2, 3]);

    let mut permits = tx.try_reserve_many(2).unwrap();
    for (n, permit) in permits.by_ref().enumerate() {
        permit.send(n as u8);
    }
    // It stays at its end.
    assert!(permits.next().is_none() && permits.next().is_none());
    assert_eq!(permits.len(), 0);
    fn is_fused(_: impl std::iter::FusedIterator) {}
    is_fused(permits);
    assert_eq!((rx.len(), tx.capacity()), (2, 2));
}

#[test]
fn more_permits_than_there_will_ever_be_are_refused() {
    let (tx, mut rx) = channel::<u8>(2);
    assert_eq!(now(tx.reserve_many(3)).unwrap_err(), SendError(()));
    assert_eq!(now(tx.reserve_many(usize::MAX)).unwrap_err(), SendError(()));
    assert_eq!(tx.try_reserve_many(3).unwrap_err(), TrySendError::Full(()));
    assert_eq!(tx.try_reserve_many(usize::MAX).unwrap_err(), TrySendError::Full(()));
    // None can always be had, until it is closed.
    let all = tx.try_reserve_many(2).unwrap();
    assert_eq!(tx.try_reserve_many(1).unwrap_err(), TrySendError::Full(()));
    assert_eq!(now(tx.reserve_many(0)).unwrap().count(), 0);
    assert_eq!(tx.try_reserve_many(0).unwrap().count(), 0);
    drop(all);
    assert_eq!(tx.capacity(), 2);
    rx.close();
    assert_eq!(now(tx.reserve_many(0)).unwrap_err(), SendError(()));
    assert_eq!(tx.try_reserve_many(0).unwrap_err(), TrySendError::Closed(()));
}

#[test]
fn an_owned_permit_is_a_sender_that_has_room() {
    let (tx, mut rx) = channel(2);
    let permit: OwnedPermit<char> = now(tx.clone().reserve_owned()).unwrap();
    let other = tx.clone().try_reserve_owned().unwrap();
    assert!(permit.same_channel(&other) && permit.same_channel_as_sender(&tx));
    let (stranger, _stranger_rx) = channel(1);
    assert!(!permit.same_channel_as_sender(&stranger));
    assert!(!permit.same_channel(&stranger.try_reserve_owned().unwrap()));
    drop(tx);
    assert_eq!((rx.sender_strong_count(), rx.capacity()), (2, 0));

    let tx = permit.send('a');
    assert_eq!((tx.strong_count(), tx.capacity()), (2, 0));
    let released = other.release();
    assert!(released.same_channel(&tx));
    assert_eq!((tx.strong_count(), tx.capacity()), (2, 1));

    // Dropped, it gives back the room, and is one sender less.
    let permit = released.try_reserve_owned().unwrap();
    drop(tx);
    assert_eq!((rx.sender_strong_count(), rx.capacity()), (1, 0));
    drop(permit);
    assert_eq!((rx.sender_strong_count(), rx.capacity()), (0, 1));
    assert_eq!([now(rx.recv()), now(rx.recv())], [Some('a'), None]);
}

#[test]
fn an_owned_permit_that_cannot_be_had_gives_the_sender_back() {
    let (tx, rx) = channel(1);
    tx.try_send('a').unwrap();
    let tx = match tx.try_reserve_owned().unwrap_err() {
        TrySendError::Full(tx) => tx,
        TrySendError::Closed(_) => panic!("it is not closed"),
    };
    assert_eq!(tx.strong_count(), 1);
    drop(rx);
    let tx = match tx.try_reserve_owned().unwrap_err() {
        TrySendError::Closed(tx) => tx,
        TrySendError::Full(_) => panic!("it is not full"),
    };
    // The async form keeps it.
    let weak = tx.downgrade();
    assert_eq!(now(tx.reserve_owned()).unwrap_err(), SendError(()));
    assert_eq!(weak.strong_count(), 0);
}

#[test]
fn permits_can_be_shown() {
    struct NoDebug;
    let (tx, _rx) = channel::<NoDebug>(9);
    assert!(format!("{:?}", tx.try_reserve().unwrap()).starts_with("Permit"));
    assert!(format!("{:?}", tx.try_reserve_many(3).unwrap()).starts_with("PermitIterator"));
    assert!(format!("{:?}", tx.try_reserve_owned().unwrap()).starts_with("OwnedPermit"));
}

// Closing.

#[test]
fn closing_sends_away_those_who_wait_for_room() {
    for close in [Receiver::close as fn(&mut Receiver<u8>), |rx| {
        *rx = channel(1).1
    }] {
        let wakes = Wakes::default();
        let (tx, mut rx) = channel(2);
        tx.try_send(9).unwrap();
        let mut many = Box::pin(tx.reserve_many(2));
        let mut send = Box::pin(tx.send(1));
        let mut owned = Box::pin(tx.clone().reserve_owned());
        assert!(poll_with(&mut many, &wakes.waker(0)).is_pending());
        assert!(poll_with(&mut send, &wakes.waker(1)).is_pending());
        assert!(poll_with(&mut owned, &wakes.waker(2)).is_pending());
        close(&mut rx);
        assert_eq!(wakes.take(), [0, 1, 2]);
        assert_eq!(now(many).unwrap_err(), SendError(()));
        assert_eq!(now(send).unwrap_err(), SendError(1));
        assert_eq!(now(owned).unwrap_err(), SendError(()));
        assert_eq!(tx.strong_count(), 1);
        assert_eq!(tx.try_reserve().unwrap_err(), TrySendError::Closed(()));
        assert_eq!(now(tx.reserve()).unwrap_err(), SendError(()));
        let _ = rx.try_recv();
        assert_eq!(tx.capacity(), 2);
    }
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), SendError<char>>> + 'a>>;

/// A sender of `'b'` that has been called, since there is room now, and has not come yet.
fn called_and_not_come<'a>(tx: &'a Sender<char>, rx: &mut Receiver<char>) -> Sending<'a> {
    let wakes = Wakes::default();
    tx.try_send('a').unwrap();
    let mut send = Box::pin(tx.send('b'));
    assert!(poll_with(&mut send, &wakes.waker(0)).is_pending());
    assert_eq!(rx.try_recv(), Ok('a'));
    assert_eq!(wakes.take(), [0]);
    send
}

#[test]
fn a_sender_that_comes_after_the_receiver_closed_has_its_value_back() {
    // Although it had been called before. Nobody waits for it any more then.
    let (tx, mut rx) = channel(1);
    let send = called_and_not_come(&tx, &mut rx);
    rx.close();
    let (counter, waker) = CountingWaker::new();
    assert!(rx.poll_recv(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(now(send), Err(SendError('b')));
    assert_eq!(counter.wakes(), 1);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));

    // Or it does not come at all.
    let (tx, mut rx) = channel(1);
    let send = called_and_not_come(&tx, &mut rx);
    rx.close();
    let (counter, waker) = CountingWaker::new();
    assert!(rx.poll_recv(&mut Context::from_waker(&waker)).is_pending());
    drop(send);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn a_sender_that_was_called_before_the_receiver_went_has_its_value_back() {
    let (tx, mut rx) = channel(1);
    let send = called_and_not_come(&tx, &mut rx);
    drop(rx);
    assert_eq!(now(send), Err(SendError('b')));
    assert_eq!(tx.capacity(), 1);
}

#[test]
fn a_closed_receiver_waits_for_those_who_have_a_permit() {
    let (tx, mut rx) = channel(4);
    let one = tx.try_reserve().unwrap();
    let owned = tx.clone().try_reserve_owned().unwrap();
    let mut many = tx.try_reserve_many(2).unwrap();
    rx.close();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));

    let wait = |rx: &mut Receiver<char>| {
        let (counter, waker) = CountingWaker::new();
        assert!(rx.poll_recv(&mut Context::from_waker(&waker)).is_pending());
        counter
    };
    let counter = wait(&mut rx);
    one.send('a');
    assert_eq!((counter.wakes(), rx.try_recv()), (1, Ok('a')));
    wait(&mut rx);
    drop(owned);
    let counter = wait(&mut rx);
    many.next().unwrap().send('b');
    assert_eq!((counter.wakes(), rx.try_recv()), (1, Ok('b')));
    // The last one is given back unused.
    let counter = wait(&mut rx);
    drop(many);
    assert_eq!((counter.wakes(), rx.try_recv()), (1, Err(TryRecvError::Disconnected)));
    assert_eq!(now(rx.recv()), None);
}

#[test]
fn a_closed_receiver_waits_for_no_one_else() {
    let (counter, waker) = CountingWaker::new();
    let (tx, mut rx) = channel(2);
    tx.try_send('a').unwrap();
    // It has room for one of its two values.
    let mut wait = Box::pin(tx.reserve_many(2));
    assert!(poll_once(&mut wait).is_pending());
    rx.close();
    assert_eq!(now(rx.recv()), Some('a'));
    let polled = rx.poll_recv(&mut Context::from_waker(&waker));
    now(wait).unwrap_err();
    // At the latest when the one who waits has learned that it is closed.
    assert!(polled == Poll::Ready(None) || counter.wakes() == 1);
    assert_eq!(now(rx.recv()), None);
}

#[test]
fn a_value_sent_by_permit_when_nobody_is_there_is_dropped_at_once() {
    let history = History::new();
    let (tx, rx) = channel(3);
    let one = tx.try_reserve().unwrap();
    let owned = tx.clone().try_reserve_owned().unwrap();
    let mut many = tx.try_reserve_many(1).unwrap();
    drop(rx);
    one.send(history.on_drop("one"));
    history.expect(["one"]);
    let sender = owned.send(history.on_drop("owned"));
    history.expect(["owned"]);
    many.next().unwrap().send(history.on_drop("of many"));
    history.expect(["of many"]);
    drop(sender);
    assert_eq!((tx.strong_count(), tx.capacity()), (1, 3));
}

// Threads that block.

#[test]
fn a_thread_may_block_for_room() {
    watched(|| {
        let (tx, mut rx) = channel(1);
        let thread = thread::spawn(move || [0, 1, 2, 3, 4].map(|n| tx.blocking_send(n)));
        block_on(async {
            for n in 0..3 {
                assert_eq!(rx.recv().await, Some(n));
            }
            // The next one finds room, and the last one waits.
            while rx.is_empty() {
                sleep(MS).await;
            }
            drop(rx);
        });
        assert_eq!(thread.join().unwrap(), [Ok(()), Ok(()), Ok(()), Ok(()), Err(SendError(4))]);
    });
}

#[test]
fn a_task_may_not_block_for_room() {
    let (tx, rx) = channel(1);
    let message = block_on(async { caught(|| tx.blocking_send('a')).unwrap_err() });
    assert!(message.contains("`blocking_send`") && message.contains("`send(value).await`"));
    assert_eq!((rx.len(), tx.capacity()), (0, 1));
    assert_eq!(tx.blocking_send('a'), Ok(()));
}

// Cancelled at every await.

/// Cancels a wait for room, at every await; if it comes to its end, it has sent the values `sends`.
/// Whatever it does not use must be free again, and pass to the next.
fn cancelled_at_every_await<F>(sends: &str, wait: impl Fn(Sender<char>) -> F) -> usize
where
    F: Future<Output: 'static>,
{
    cancel_at_every_await(async || {
        let (tx, mut rx) = channel(2);
        tx.try_send('a').unwrap();
        tx.try_send('b').unwrap();
        let receiver = spawn(async move {
            let mut received = Vec::new();
            loop {
                sleep(MS).await;
                match rx.recv().await {
                    Some(value) => received.push(value),
                    None => return String::from_iter(received),
                }
            }
        });
        (wait(tx.clone()), async move |output: Option<F::Output>| {
            let sent = output.map_or("", |_| sends);
            // Room for all there ever was.
            let permits = tx.reserve_many(2).await.unwrap();
            assert_eq!((permits.len(), tx.capacity(), tx.strong_count()), (2, 0, 1));
            for (value, permit) in "yz".chars().zip(permits) {
                permit.send(value);
            }
            drop(tx);
            assert_eq!(receiver.await.unwrap(), format!("ab{sent}yz"));
        })
    })
}

#[test]
fn a_cancelled_send_leaves_its_room_to_others() {
    let polls = cancelled_at_every_await("c", |tx| async move { tx.send('c').await.unwrap() });
    let with_a_limit = cancelled_at_every_await("c", |tx| async move {
        tx.send_timeout('c', MS * 100).await.unwrap();
    });
    assert_eq!([polls, with_a_limit], [2, 2]);
}

#[test]
fn a_cancelled_reservation_leaves_its_room_to_others() {
    let one = cancelled_at_every_await("", |tx| async move {
        // A permit that is not used.
        drop(tx.reserve().await.unwrap());
    });
    let many = cancelled_at_every_await("c", |tx| async move {
        let mut permits = tx.reserve_many(2).await.unwrap();
        permits.next().unwrap().send('c');
    });
    let owned = cancelled_at_every_await("", |tx| tx.reserve_owned());
    assert_eq!([one, many, owned], [2, 2, 2]);
}

#[test]
fn a_cancelled_send_gives_way_to_the_next() {
    let polls = cancel_at_every_await(async || {
        let (tx, mut rx) = channel(1);
        tx.try_send('a').unwrap();
        let (first, next) = (tx.clone(), tx);
        let send = async move { first.send('b').await.unwrap() };
        let task = spawn(async move {
            // Behind the one that is cancelled.
            handspun::task::yield_now().await;
            next.send('c').await.unwrap();
        });
        spawn(async move {
            sleep(MS).await;
            rx.recv().await.unwrap();
            // Nobody reads on: the room is for one of the two.
            std::future::pending::<()>().await;
        });
        (send, async move |output: Option<()>| {
            if output.is_none() {
                task.await.unwrap();
            } else {
                sleep(MS * 9).await;
                assert!(!task.is_finished());
            }
        })
    });
    assert_eq!(polls, 2);
}

// Random programs, against a model.

#[derive(Clone, Copy, Debug)]
enum Step {
    TrySend,
    TryReserve,
    /// Takes so many permits, if they can be had, and uses one.
    TryReserveMany(usize),
    /// Waits, polled once: for room for a value, for a permit of its own, for so many permits, of
    /// which one is used.
    Send,
    Reserve,
    ReserveMany(usize),
    /// Polls such a wait again, with another waker.
    Poll(usize),
    DropWait(usize),
    UsePermit(usize),
    ReleasePermit(usize),
    DropPermit(usize),
    Recv,
    RecvMany(usize),
    TryRecv,
    Close,
    DropSender,
    DropReceiver,
}

/// The capacity.
const ROOM: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..100_usize;
    prop_oneof![
        6 => Just(Step::TrySend),
        3 => Just(Step::TryReserve),
        2 => (0..=ROOM).prop_map(Step::TryReserveMany),
        8 => Just(Step::Send),
        4 => Just(Step::Reserve),
        4 => (0..=ROOM).prop_map(Step::ReserveMany),
        8 => any().prop_map(Step::Poll),
        4 => any().prop_map(Step::DropWait),
        3 => any().prop_map(Step::UsePermit),
        1 => any().prop_map(Step::ReleasePermit),
        2 => any().prop_map(Step::DropPermit),
        9 => Just(Step::Recv),
        3 => (0..=ROOM).prop_map(Step::RecvMany),
        4 => Just(Step::TryRecv),
        1 => Just(Step::Close),
        1 => Just(Step::DropSender),
        1 => Just(Step::DropReceiver),
    ]
}

/// A value, and a count of those that are alive.
type Value = (usize, Rc<()>);

/// A wait, by the number of the step that began it.
struct Wait {
    number: usize,
    wants: usize,
    holds_a_value: bool,
    future: Pin<Box<dyn Future<Output = Got>>>,
}

/// What a wait has come to.
enum Got {
    Sent(Result<(), usize>),
    Permit(Option<OwnedPermit<Value>>),
    Many(bool),
}

/// The channel as its promises describe it.
#[derive(Default)]
struct Model {
    /// Nothing is free while somebody waits.
    free: usize,
    /// In the order in which they came.
    requests: Vec<Request>,
    /// How many there are, those of waits and permits included.
    senders: usize,
    queue: VecDeque<usize>,
    closed: bool,
    receiver_is_gone: bool,
    /// The number of the waker that the receiver left.
    receiver: Option<usize>,
    /// The wakers of senders that have been woken in this step.
    woken: Vec<usize>,
}

struct Request {
    wait: usize,
    wants: usize,
    has: usize,
    waker: usize,
    stage: Stage,
}

#[derive(PartialEq)]
enum Stage {
    Waiting,
    Called,
    Refused,
}

impl Model {
    fn take(&mut self, n: usize) -> Result<(), TrySendError<()>> {
        if self.closed {
            return Err(TrySendError::Closed(()));
        }
        self.free = self.free.checked_sub(n).ok_or(TrySendError::Full(()))?;
        Ok(())
    }

    fn give(&mut self, mut n: usize) {
        for request in self.requests.iter_mut().filter(|request| request.stage == Stage::Waiting) {
            let given = n.min(request.wants - request.has);
            request.has += given;
            n -= given;
            if request.has < request.wants {
                break;
            }
            request.stage = Stage::Called;
            self.woken.push(request.waker);
        }
        self.free += n;
    }

    fn begin(&mut self, wait: usize, wants: usize) -> Poll<bool> {
        match self.take(wants) {
            Ok(()) => return Poll::Ready(true),
            Err(TrySendError::Closed(())) => return Poll::Ready(false),
            Err(TrySendError::Full(())) => {}
        }
        let has = std::mem::take(&mut self.free);
        let stage = Stage::Waiting;
        self.requests.push(Request {
            wait,
            wants,
            has,
            waker: wait,
            stage,
        });
        Poll::Pending
    }

    fn poll(&mut self, wait: usize, waker: usize) -> Poll<bool> {
        let at = self.requests.iter().position(|request| request.wait == wait).unwrap();
        let request = &mut self.requests[at];
        if request.stage == Stage::Waiting {
            request.waker = waker;
            return Poll::Pending;
        }
        let Request { stage, has, .. } = self.requests.remove(at);
        if self.closed {
            // Who has not seen its permits by then gets none.
            self.give(has);
        }
        Poll::Ready(stage == Stage::Called && !self.closed)
    }

    fn leave(&mut self, wait: usize) {
        let at = self.requests.iter().position(|request| request.wait == wait).unwrap();
        let has = self.requests.remove(at).has;
        self.give(has);
        self.senders -= 1;
    }

    fn send(&mut self, value: usize) {
        if self.receiver_is_gone {
            self.give(1);
        } else {
            self.queue.push_back(value);
        }
    }

    /// One of `n` permits is used, if there is one.
    fn send_one_of(&mut self, n: usize, value: usize) {
        if n > 0 {
            self.send(value);
            self.give(n - 1);
        }
    }

    /// What those have who were called before is not free before they look.
    fn close(&mut self) {
        self.closed = true;
        for request in self.requests.iter_mut().filter(|request| request.stage == Stage::Waiting) {
            request.stage = Stage::Refused;
            self.free += std::mem::take(&mut request.has);
            self.woken.push(request.waker);
        }
    }

    /// Whether everything has been received that ever will be.
    fn is_over(&self) -> bool {
        self.queue.is_empty() && (self.senders == 0 || self.closed && self.free == ROOM)
    }

    /// Up to so many values, none at the end, or `None` if the receiver has to wait.
    fn receive(&mut self, limit: usize) -> Option<Vec<usize>> {
        let values = Vec::from_iter(self.queue.drain(..limit.min(self.queue.len())));
        let ready = limit == 0 || !values.is_empty() || self.is_over();
        self.give(values.len());
        ready.then_some(values)
    }
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 0..80)) {
        let mut model = Model { free: ROOM, senders: 1, ..Model::default() };
        let (receiver_wakes, wakes) = (Wakes::default(), Wakes::default());
        let alive = Rc::new(());
        let (tx, rx) = channel::<Value>(ROOM);
        let (weak, mut tx, mut rx) = (tx.downgrade(), Some(tx), Some(rx));
        let (mut waits, mut permits) = (Vec::<Wait>::new(), Vec::<OwnedPermit<Value>>::new());
        for (number, step) in steps.into_iter().enumerate() {
            let value = || (number, alive.clone());
            let [waker, receiver_waker] =
                [&wakes, &receiver_wakes].map(|wakes| wakes.waker(number));
            // A wait that is to be polled, and what is to be expected of it.
            let mut poll = None;
            match (step, &mut tx, &mut rx) {
                (Step::TrySend, Some(tx), _) => {
                    let sent = tx.try_send(value()).map_err(|error| match error {
                        TrySendError::Full(_) => TrySendError::Full(()),
                        TrySendError::Closed(_) => TrySendError::Closed(()),
                    });
                    prop_assert_eq!(sent, model.take(1));
                    if sent.is_ok() {
                        model.send(number);
                    }
                }
                (Step::TryReserve, Some(tx), _) => {
                    let permit = tx.clone().try_reserve_owned().ok();
                    prop_assert_eq!(permit.is_some(), model.take(1).is_ok());
                    model.senders += usize::from(permit.is_some());
                    permits.extend(permit);
                }
                (Step::TryReserveMany(n), Some(tx), _) => {
                    let some = tx.try_reserve_many(n);
                    prop_assert_eq!(some.is_ok(), model.take(n).is_ok());
                    if let Ok(mut some) = some {
                        some.next().into_iter().for_each(|permit| permit.send(value()));
                        model.send_one_of(n, number);
                    }
                }
                (Step::Send | Step::Reserve | Step::ReserveMany(_), Some(tx), _) => {
                    let (tx, value) = (tx.clone(), value());
                    let (wants, future): (_, Pin<Box<dyn Future<Output = Got>>>) = match step {
                        Step::Reserve => {
                            (1, Box::pin(async { Got::Permit(tx.reserve_owned().await.ok()) }))
                        }
                        Step::ReserveMany(n) => (n, Box::pin(async move {
                            let Ok(mut some) = tx.reserve_many(n).await else {
                                return Got::Many(false);
                            };
                            some.next().into_iter().for_each(|permit| permit.send(value.clone()));
                            Got::Many(true)
                        })),
                        _ => (1, Box::pin(async move {
                            Got::Sent(tx.send(value).await.map_err(|error| error.0.0))
                        })),
                    };
                    let holds_a_value = !matches!(step, Step::Reserve);
                    waits.push(Wait { number, wants, holds_a_value, future });
                    model.senders += 1;
                    poll = Some((waits.len() - 1, model.begin(number, wants)));
                }
                (Step::Poll(n), ..) if !waits.is_empty() => {
                    let at = n % waits.len();
                    poll = Some((at, model.poll(waits[at].number, number)));
                }
                (Step::DropWait(n), ..) if !waits.is_empty() => {
                    model.leave(waits.remove(n % waits.len()).number);
                }
                (Step::UsePermit(n), ..) if !permits.is_empty() => {
                    drop(permits.remove(n % permits.len()).send(value()));
                    model.send(number);
                    model.senders -= 1;
                }
                (Step::ReleasePermit(n) | Step::DropPermit(n), ..) if !permits.is_empty() => {
                    let permit = permits.remove(n % permits.len());
                    match step {
                        Step::ReleasePermit(_) => drop(permit.release()),
                        _ => drop(permit),
                    }
                    model.give(1);
                    model.senders -= 1;
                }
                (Step::Recv, _, Some(rx)) => {
                    let polled = rx.poll_recv(&mut Context::from_waker(&receiver_waker));
                    let expected = model.receive(1);
                    prop_assert_eq!(polled.is_pending(), expected.is_none());
                    model.receiver = polled.is_pending().then_some(number);
                    if let Poll::Ready(value) = polled {
                        prop_assert_eq!(value.map(|value| value.0), expected.unwrap().pop());
                    }
                }
                (Step::RecvMany(limit), _, Some(rx)) if limit > 0 => {
                    let mut values = Vec::new();
                    let cx = &mut Context::from_waker(&receiver_waker);
                    let polled = rx.poll_recv_many(cx, &mut values, limit);
                    let expected = model.receive(limit);
                    prop_assert_eq!(polled.is_pending(), expected.is_none());
                    model.receiver = polled.is_pending().then_some(number);
                    let values = Vec::from_iter(values.into_iter().map(|value| value.0));
                    prop_assert_eq!(values, expected.unwrap_or_default());
                }
                (Step::TryRecv, _, Some(rx)) => {
                    let expected = match model.receive(1).map(|mut values| values.pop()) {
                        None => Err(TryRecvError::Empty),
                        Some(None) => Err(TryRecvError::Disconnected),
                        Some(Some(value)) => Ok(value),
                    };
                    prop_assert_eq!(rx.try_recv().map(|value| value.0), expected);
                }
                (Step::DropSender, tx @ Some(_), _) => {
                    *tx = None;
                    model.senders -= 1;
                }
                (Step::Close, _, Some(rx)) => {
                    rx.close();
                    model.close();
                    // It knows that itself.
                    if model.is_over() {
                        model.receiver = None;
                    }
                }
                (Step::DropReceiver, _, rx @ Some(_)) => {
                    *rx = None;
                    model.close();
                    model.receiver_is_gone = true;
                    model.receiver = None;
                    model.give(model.queue.len());
                    model.queue.clear();
                }
                _ => {}
            }
            if let Some((at, expected)) = poll {
                let polled = poll_with(&mut waits[at].future, &waker);
                prop_assert_eq!(polled.is_pending(), expected.is_pending());
                if let (Poll::Ready(got), Poll::Ready(granted)) = (polled, expected) {
                    let wait = waits.remove(at);
                    model.senders -= 1;
                    match got {
                        Got::Sent(sent) => {
                            let arrives = granted && !model.receiver_is_gone;
                            prop_assert_eq!(sent, if arrives { Ok(()) } else { Err(wait.number) });
                            if granted {
                                model.send(wait.number);
                            }
                        }
                        Got::Permit(permit) => {
                            prop_assert_eq!(permit.is_some(), granted);
                            model.senders += usize::from(granted);
                            permits.extend(permit);
                        }
                        Got::Many(reserved) => {
                            prop_assert_eq!(reserved, granted);
                            if granted {
                                model.send_one_of(wait.wants, wait.number);
                            }
                        }
                    }
                }
            }
            prop_assert_eq!(wakes.take(), std::mem::take(&mut model.woken));
            // One that has closed may be woken in vain.
            let woken = receiver_wakes.take();
            let ready = !model.queue.is_empty() || model.is_over();
            let expected = model.receiver.take_if(|_| ready);
            if expected.is_some() || !model.closed {
                prop_assert_eq!(woken, Vec::from_iter(expected));
            } else if !woken.is_empty() {
                model.receiver = None;
            }

            if let Some(tx) = &tx {
                prop_assert_eq!(tx.capacity(), model.free);
                prop_assert_eq!(tx.is_closed(), model.closed);
            }
            if let Some(rx) = &rx {
                prop_assert_eq!((rx.len(), rx.capacity()), (model.queue.len(), model.free));
                prop_assert_eq!(rx.is_closed(), model.closed || model.senders == 0);
            }
            prop_assert_eq!(weak.strong_count(), model.senders);
            let held = waits.iter().filter(|wait| wait.holds_a_value).count();
            prop_assert_eq!(Rc::strong_count(&alive), 1 + model.queue.len() + held);
        }
        drop((tx, waits, permits));
        prop_assert_eq!(weak.strong_count(), 0);
        if let Some(rx) = &rx {
            prop_assert_eq!(rx.capacity(), ROOM - rx.len());
        }
        drop((weak, rx));
        prop_assert_eq!(Rc::strong_count(&alive), 1);
        // No waker is left anywhere.
        prop_assert_eq!([receiver_wakes.alive(), wakes.alive()], [0, 0]);
    }
}

// The worst that wakers can do.

#[test]
fn a_value_that_comes_too_late_by_a_permit_panics_to_nobody() {
    quietly(|| {
        let value = || Dropping(|| panic_silently("a value"));
        let (tx, rx) = channel(2);
        let permit = tx.try_reserve().unwrap();
        let owned = tx.clone().try_reserve_owned().unwrap();
        drop(rx);
        permit.send(value());
        assert!(owned.send(value()).same_channel(&tx));
        assert_eq!((tx.capacity(), tx.strong_count()), (2, 1));
    });
}

#[test]
fn a_waker_may_come_back_while_it_is_woken() {
    let history = History::new();
    let (tx, rx) = channel(1);
    tx.try_send('a').unwrap();
    let rx = Rc::new(RefCell::new(rx));
    let (inside, seen) = (tx.clone(), history.clone());
    let waker = hostile_waker(move |call| {
        if call == Call::Wake {
            let refused = inside.try_send('-').unwrap_err();
            seen.push(format_args!("{}, {refused:?}", inside.capacity()));
            seen.push(format_args!("{:?}", poll_once(inside.send('-'))));
        }
    });
    let mut send = Box::pin(tx.send('b'));
    assert!(poll_with(&mut send, &waker).is_pending());
    assert_eq!(rx.borrow_mut().try_recv(), Ok('a'));
    history.expect(["0, Full(..)", "Pending"]);
    assert_eq!(now(send), Ok(()));
    assert_eq!(rx.borrow_mut().try_recv(), Ok('b'));
}

#[test]
fn a_waker_may_drop_the_other_waiters() {
    type Wait = Pin<Box<dyn Future<Output = Result<(), SendError<u8>>>>>;
    let (counter, waker) = CountingWaker::new();
    let (tx, mut rx) = channel(2);
    let waits: Rc<RefCell<Vec<Wait>>> = Rc::default();
    let inside = waits.clone();
    let hostile = hostile_waker(move |call| {
        if call == Call::Wake {
            drop(inside.take());
        }
    });
    let permits = tx.try_reserve_many(2).unwrap();
    for n in 0..3 {
        let tx = tx.clone();
        let mut wait: Wait = Box::pin(async move { tx.send(n).await });
        assert!(poll_with(&mut wait, if n == 0 { &hostile } else { &waker }).is_pending());
        waits.borrow_mut().push(wait);
    }
    drop(permits);
    assert!(waits.borrow().is_empty());
    // They had been given room, and gave it back.
    assert_eq!((tx.capacity(), tx.strong_count()), (2, 1));
    assert!(counter.wakes() <= 2);
    tx.try_send(9).unwrap();
    assert_eq!(rx.try_recv(), Ok(9));
}

/// Makes room while a sender is polled, from a waker that sees `call`: it gets the room, or is
/// woken.
fn room_in_the_middle_of_a_poll(call: Call) {
    let (tx, rx) = channel(1);
    tx.try_send('a').unwrap();
    let (rx, armed, wakes) = (RefCell::new(rx), Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
    let (arms, woken) = (armed.clone(), wakes.clone());
    let hostile = hostile_waker(move |seen| {
        if seen == Call::Wake {
            woken.set(woken.get() + 1);
        }
        if seen == call && arms.take() {
            assert_eq!(rx.borrow_mut().try_recv(), Ok('a'));
        }
    });
    let (counter, waker) = CountingWaker::new();
    let mut send = Box::pin(tx.send('b'));
    armed.set(call == Call::Clone);
    let mut polled = poll_with(&mut send, &hostile);
    if call == Call::Drop {
        // The other one takes its place.
        assert!(polled.is_pending());
        armed.set(true);
        polled = poll_with(&mut send, &waker);
    }
    assert!(!armed.get(), "the waker was not used as planned");
    if polled.is_pending() {
        assert_eq!(wakes.get() + counter.wakes(), 1);
        polled = poll_with(&mut send, &waker);
    }
    assert_eq!(polled, Poll::Ready(Ok(())));
    std::mem::forget(hostile);
}

#[test]
fn room_may_come_while_the_waker_of_a_sender_is_cloned_or_dropped() {
    room_in_the_middle_of_a_poll(Call::Clone);
    room_in_the_middle_of_a_poll(Call::Drop);
}

#[test]
fn a_waker_may_close_the_channel_while_its_sender_is_polled() {
    let (tx, rx) = channel(1);
    tx.try_send('a').unwrap();
    let rx = RefCell::new(Some(rx));
    let waker = hostile_waker(move |call| {
        if call == Call::Clone {
            drop(rx.take());
        }
    });
    let mut send = Box::pin(tx.send('b'));
    let mut polled = poll_with(&mut send, &waker);
    if polled.is_pending() {
        polled = poll_once(&mut send);
    }
    assert_eq!(polled, Poll::Ready(Err(SendError('b'))));
    assert_eq!(tx.capacity(), 1);
}

#[test]
fn a_waker_that_panics_costs_nobody_a_wake() {
    quietly(|| {
        let (counter, waker) = CountingWaker::new();
        let hostile = acts_on(Call::Wake, || ());
        let (tx, rx) = channel(2);
        let permits = tx.try_reserve_many(2).unwrap();
        let mut waits = [0, 1, 2, 3].map(|n| Box::pin(tx.send(n)));
        for (wait, waker) in waits.iter_mut().zip([&hostile, &waker, &hostile, &waker]) {
            assert!(poll_with(wait, waker).is_pending());
        }
        let _ = caught(|| drop(permits));
        assert_eq!(counter.wakes(), 1);
        let _ = caught(|| drop(rx));
        assert_eq!(counter.wakes(), 2);
        drop(waits);
        assert_eq!(tx.capacity(), 2);
    });
}

// Threads.

#[test]
fn every_value_passes_through_little_room() {
    const THREADS: usize = 4;
    const VALUES: usize = 2_000;
    watched(|| {
        let (tx, mut rx) = channel(3);
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let tx = tx.clone();
                thread::spawn(move || {
                    let values = (0..VALUES).map(|n| (thread, n));
                    match thread {
                        // Half of them block, without an executor.
                        0 | 1 => values.for_each(|value| tx.blocking_send(value).unwrap()),
                        2 => block_on(async {
                            for value in values {
                                tx.send(value).await.unwrap();
                            }
                        }),
                        _ => block_on(async {
                            let values = Vec::from_iter(values);
                            for pair in values.chunks(2) {
                                let permits = tx.reserve_many(2).await.unwrap();
                                permits.zip(pair).for_each(|(permit, &pair)| permit.send(pair));
                            }
                        }),
                    }
                })
            })
            .collect();
        let room = tx.downgrade();
        drop(tx);
        let mut next = [0; THREADS];
        block_on(async {
            while let Some((thread, n)) = rx.recv().await {
                assert_eq!(n, next[thread]);
                next[thread] += 1;
                assert!(rx.len() <= 3);
            }
        });
        assert_eq!(next, [VALUES; THREADS]);
        assert_eq!((rx.capacity(), room.strong_count()), (3, 0));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_value_that_waits_while_the_receiver_closes_has_one_owner() {
    const THREADS: usize = 3;
    watched(|| {
        for round in 0..30 {
            let (tx, mut rx) = channel(2);
            let start = Arc::new(Barrier::new(THREADS + 1));
            let senders: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (tx, start) = (tx.clone(), start.clone());
                    thread::spawn(move || {
                        start.wait();
                        let mut sent = 0;
                        while tx.blocking_send(Box::new(1)).is_ok() {
                            sent += 1;
                        }
                        sent
                    })
                })
                .collect();
            start.wait();
            let mut received = 0;
            while received < round {
                received += *rx.blocking_recv().unwrap();
            }
            rx.close();
            while let Some(one) = rx.blocking_recv() {
                received += *one;
            }
            let sent: i32 = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
            assert_eq!((received, tx.capacity()), (sent, 2));
        }
    });
}

// Thread safety.

#[test]
fn thread_safety_depends_on_the_value() {
    let tx = channel::<SendOnly>(1).0;
    let stays = channel::<Neither>(1).0;
    assert_thread_safety! {
        about::<Permit<'_, SendOnly>>() => (true, true),
        about::<PermitIterator<'_, SendOnly>>() => (true, true),
        about::<OwnedPermit<SendOnly>>() => (true, true),
        about::<Permit<'_, Neither>>() => (false, false),
        about::<PermitIterator<'_, Neither>>() => (false, false),
        about::<OwnedPermit<Neither>>() => (false, false),
        about_value(channel(1).0.send(1)) => (true, true),
        about_value(tx.send(Cell::new(1))) => (true, false),
        about_value(tx.reserve()) => (true, true),
        about_value(tx.reserve_many(1)) => (true, true),
        about_value(tx.reserve_owned()) => (true, true),
        about_value(stays.send(Rc::new(1))) => (false, false),
        about_value(stays.reserve()) => (false, false),
    }
}
