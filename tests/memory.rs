//! Memory stays flat: channels that are in use for long hold no more than those that are new, and
//! leave nothing behind.
//!
//! The allocator counts for the whole process, so all of this is one test.

#[path = "bench/alloc.rs"]
mod alloc;

use handspun::sync::{mpsc, oneshot};
use handspun::{block_on, spawn};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

/// How often each thousand is repeated.
const THOUSANDS: usize = 200;

/// A byte lost in every two hundred rounds would be seen. Less than that is the test harness, which
/// has a thread of its own.
const NOTHING: i64 = 1_000;

/// Checks that memory does not grow while `thousand` is repeated. The first time does not count: it
/// finds out how large buffers must be.
#[track_caller]
fn stays_flat(what: &str, mut thousand: impl FnMut()) {
    thousand();
    alloc::start();
    for _ in 0..THOUSANDS {
        thousand();
    }
    let bytes = alloc::stop();
    assert!(bytes <= NOTHING, "{what}: {bytes} bytes more after {THOUSANDS} thousands");
}

/// Checks that `burst`, which is told for how many values, leaves no room for all of them.
#[track_caller]
fn lets_go_of(what: &str, mut burst: impl FnMut(u64)) {
    burst(1_000);
    alloc::start();
    burst(100_000);
    let bytes = alloc::stop();
    assert!(bytes <= 100_000, "{what}: {bytes} bytes more");
}

/// Begins to wait, and gives up.
fn gives_up(wait: impl Future) {
    assert!(pin!(wait).poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn memory_stays_flat_over_many_messages() {
    stays_flat("a new bounded channel for each thousand", || {
        let (tx, mut rx) = mpsc::channel(10);
        block_on(async {
            spawn(async move {
                for n in 0..1_000_u64 {
                    tx.send(n).await.unwrap();
                }
            });
            while rx.recv().await.is_some() {}
        });
    });

    let (tx, mut rx) = mpsc::channel(10);
    stays_flat("one bounded channel", || {
        block_on(async {
            let tx = tx.clone();
            spawn(async move {
                for n in 0..1_000_u64 {
                    tx.send(n).await.unwrap();
                }
            });
            for _ in 0..1_000 {
                rx.recv().await.unwrap();
            }
        });
    });
    stays_flat("permits", || {
        for n in 0..100 {
            for permit in tx.try_reserve_many(10).unwrap().take(5) {
                permit.send(n);
            }
            drop(tx.clone().try_reserve_owned().unwrap());
            while rx.try_recv().is_ok() {}
        }
    });
    stays_flat("receivers that give up", || (0..1_000).for_each(|_| gives_up(rx.recv())));
    stays_flat("senders that give up", || {
        let _all = tx.try_reserve_many(10).unwrap();
        for n in 0..500 {
            gives_up(tx.send(n));
            gives_up(tx.reserve_many(2));
        }
    });
    stays_flat("senders that wait for the end, and give up", || {
        (0..1_000).for_each(|_| gives_up(tx.closed()));
    });
    stays_flat("senders that come and go", || {
        for _ in 0..1_000 {
            drop(tx.clone().downgrade().upgrade());
        }
    });

    let (tx, mut rx) = mpsc::unbounded_channel();
    stays_flat("one unbounded channel", || {
        for n in 0..1_000_u64 {
            tx.send(n).unwrap();
        }
        assert_eq!(block_on(rx.recv_many(&mut Vec::new(), 1_000)), 1_000);
    });
    lets_go_of("what is received one by one after a burst", |n| {
        (0..n).for_each(|n| tx.send(n).unwrap());
        while rx.try_recv().is_ok() {}
        // Each of its two buffers has been in use since.
        for n in 0..2 {
            tx.send(n).unwrap();
            assert_eq!(rx.try_recv(), Ok(n));
        }
    });
    lets_go_of("what is received together after a burst", |n| {
        (0..n).for_each(|n| tx.send(n).unwrap());
        assert_eq!(block_on(rx.recv_many(&mut Vec::new(), n as usize)), n as usize);
    });
    stays_flat("unbounded channels that are dropped full", || {
        let (tx, _rx) = mpsc::unbounded_channel();
        (0..1_000_u64).for_each(|n| tx.send(Box::new(n)).unwrap());
    });

    stays_flat("a oneshot channel for each value", || {
        block_on(async {
            for n in 0..1_000_u64 {
                let (tx, rx) = oneshot::channel();
                spawn(async move { tx.send(Box::new(n)) });
                assert_eq!(*rx.await.unwrap(), n);
            }
        });
    });
    stays_flat("oneshot channels that lose an end", || {
        for n in 0..250_u64 {
            drop(oneshot::channel::<u64>());
            let (tx, rx) = oneshot::channel();
            gives_up(rx);
            tx.send(Box::new(n)).unwrap_err();
            let (tx, rx) = oneshot::channel();
            tx.send(Box::new(n)).unwrap();
            drop(rx);
            let (mut tx, rx) = oneshot::channel::<u64>();
            gives_up(tx.closed());
            drop(tx);
            block_on(rx).unwrap_err();
        }
    });
}
