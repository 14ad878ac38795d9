//! UDP: what each method does, who gets which datagram, errors of the other end, and what is left
//! when a future is dropped in the middle.

use crate::auto_traits::{about, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::support::{
    CountingWaker, assert_nobody_waits, kind, poll_here, poll_with, reporting, run, udp,
};
use handspun::net::UdpSocket;
use handspun::task::yield_now;
use handspun::time::{Duration, sleep};
use handspun::{join, select, spawn};
use std::future::Future;
use std::io::ErrorKind;
use std::net;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::pin;
use std::rc::Rc;

const MS: Duration = Duration::from_millis(1);

/// Two sockets that have chosen each other.
async fn connected() -> (UdpSocket, UdpSocket) {
    let ((here, here_is), (there, there_is)) = (udp(), udp());
    here.connect(there_is).await.unwrap();
    there.connect(here_is).await.unwrap();
    (here, there)
}

#[test]
fn a_datagram_arrives_whole_and_tells_from_whom() {
    run(async {
        let here = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let there = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (here_is, there_is) = (here.local_addr().unwrap(), there.local_addr().unwrap());
        assert_eq!(here.send_to(b"first", there_is).await.unwrap(), 5);
        assert_eq!(here.send_to(b"second", there_is).await.unwrap(), 6);
        let mut buffer = [0; 100];
        assert_eq!(there.recv_from(&mut buffer).await.unwrap(), (5, here_is));
        assert_eq!(&buffer[..5], b"first");
        assert_eq!(there.recv(&mut buffer).await.unwrap(), 6);
        assert_eq!(&buffer[..6], b"second");
    });
}

#[test]
fn whoever_waits_is_woken_by_a_datagram() {
    run(async {
        let ((here, here_is), (there, there_is)) = (udp(), udp());
        let mut buffer = [0; 10];
        let (received, sent) = join!(there.recv_from(&mut buffer), here.send_to(b"x", there_is));
        assert_eq!((received.unwrap(), sent.unwrap()), ((1, here_is), 1));
    });
}

#[test]
fn what_there_is_no_room_for_is_lost() {
    run(async {
        let (here, there) = connected().await;
        here.send(b"abcdef").await.unwrap();
        here.send(b"ghi").await.unwrap();
        let mut buffer = [0; 4];
        assert_eq!(there.recv(&mut buffer).await.unwrap(), 4);
        assert_eq!(&buffer, b"abcd");
        assert_eq!(there.recv(&mut buffer).await.unwrap(), 3);
        assert_eq!(&buffer, b"ghid");
    });
}

#[test]
fn an_empty_datagram_is_one_too() {
    run(async {
        let (here, there) = connected().await;
        assert_eq!(here.send(b"").await.unwrap(), 0);
        assert_eq!(here.send(b"x").await.unwrap(), 1);
        assert_eq!(there.recv(&mut [0; 10]).await.unwrap(), 0);
        // Nor does a buffer need room to receive one.
        assert_eq!(there.recv(&mut []).await.unwrap(), 0);
        assert_eq!(kind(there.try_recv(&mut [0])), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_peer_that_was_chosen_is_the_only_one() {
    run(async {
        let (here, there) = connected().await;
        let (stranger, _) = udp();
        stranger.send_to(b"not for you", there.local_addr().unwrap()).await.unwrap();
        here.send(b"for you").await.unwrap();
        let mut buffer = [0; 20];
        assert_eq!(there.recv_from(&mut buffer).await.unwrap(), (7, here.local_addr().unwrap()));
        assert_eq!(there.peer_addr().unwrap(), here.local_addr().unwrap());
        assert_eq!(kind(there.try_recv(&mut buffer)), ErrorKind::WouldBlock);
    });
}

#[test]
fn without_a_peer_there_is_nobody_to_send_to() {
    run(async {
        let (here, _) = udp();
        assert!(here.send(b"x").await.is_err());
        assert!(here.try_send(b"x").is_err());
        assert_eq!(kind(here.peer_addr()), ErrorKind::NotConnected);
    });
}

#[test]
fn a_datagram_that_found_nobody_is_an_error_of_the_next_call() {
    run(async {
        let ((here, _), (gone, address)) = (udp(), udp());
        drop(gone);
        here.connect(address).await.unwrap();
        let mut buffer = [0; 10];
        let mut recv = pin!(here.recv(&mut buffer));
        assert!(poll_here(recv.as_mut()).await.is_pending());
        here.send(b"is anybody there?").await.unwrap();
        assert_eq!(kind(recv.await), ErrorKind::ConnectionRefused);
        // Told once.
        assert_eq!(kind(here.try_recv(&mut [0])), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_datagram_that_is_too_long_is_an_error() {
    run(async {
        let (here, there) = connected().await;
        assert!(here.send(&[0; 70_000]).await.is_err());
        assert!(here.send_to(&[0; 70_000], there.local_addr().unwrap()).await.is_err());
        here.send(b"x").await.unwrap();
        assert_eq!(there.recv(&mut [0; 10]).await.unwrap(), 1);
    });
}

#[test]
fn a_peek_leaves_the_datagram() {
    run(async {
        let (here, there) = connected().await;
        let from = here.local_addr().unwrap();
        let mut buffer = [0; 2];
        let (peeked, _) = join!(there.peek_from(&mut buffer), here.send(b"abc"));
        assert_eq!((peeked.unwrap(), &buffer), ((2, from), b"ab"));
        for _ in 0..100 {
            assert_eq!(there.peek_from(&mut [0; 10]).await.unwrap(), (3, from));
        }
        assert_eq!(there.recv(&mut [0; 10]).await.unwrap(), 3);
        assert_eq!(kind(there.try_recv(&mut [0])), ErrorKind::WouldBlock);
    });
}

#[test]
fn what_is_tried_does_not_wait() {
    run(async {
        let (here, there) = connected().await;
        let (here_is, there_is) = (here.local_addr().unwrap(), there.local_addr().unwrap());
        let mut buffer = [0; 10];
        assert_eq!(kind(there.try_recv(&mut buffer)), ErrorKind::WouldBlock);
        assert_eq!(kind(there.try_recv_from(&mut buffer)), ErrorKind::WouldBlock);
        here.writable().await.unwrap();
        assert_eq!(here.try_send(b"ab").unwrap(), 2);
        assert_eq!(udp().0.try_send_to(b"not from the peer", there_is).unwrap(), 17);
        assert_eq!(here.try_send_to(b"cde", there_is).unwrap(), 3);
        there.readable().await.unwrap();
        assert_eq!(there.try_recv(&mut buffer).unwrap(), 2);
        there.readable().await.unwrap();
        assert_eq!(there.try_recv_from(&mut buffer).unwrap(), (3, here_is));
        assert_eq!(&buffer[..3], b"cde");
    });
}

#[test]
fn readable_waits_until_there_is_a_datagram() {
    run(async {
        let (here, there) = connected().await;
        assert_eq!(kind(there.try_recv(&mut [0])), ErrorKind::WouldBlock);
        let mut readable = pin!(there.readable());
        assert!(poll_here(readable.as_mut()).await.is_pending());
        here.send(b"x").await.unwrap();
        readable.await.unwrap();
        there.readable().await.unwrap();
        assert_eq!(there.try_recv(&mut [0]).unwrap(), 1);
        assert_eq!(kind(there.try_recv(&mut [0])), ErrorKind::WouldBlock);
        let mut readable = pin!(there.readable());
        assert!(poll_here(readable.as_mut()).await.is_pending());
    });
}

#[test]
fn several_tasks_that_wait_for_a_datagram_are_all_served() {
    run(async {
        let ((here, _), (there, there_is)) = (udp(), udp());
        let there = Rc::new(there);
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let there = there.clone();
                spawn(async move {
                    let mut buffer = [0; 1];
                    there.recv(&mut buffer).await.unwrap();
                    buffer[0]
                })
            })
            .collect();
        yield_now().await;
        for number in 0..10 {
            here.send_to(&[number], there_is).await.unwrap();
        }
        let mut got = Vec::new();
        for task in tasks {
            got.push(task.await.unwrap());
        }
        got.sort_unstable();
        assert_eq!(got, Vec::from_iter(0..10));
    });
}

#[test]
fn a_datagram_goes_to_another_waiter_when_one_who_was_woken_for_it_is_gone() {
    run(async {
        let ((here, here_is), (there, there_is)) = (udp(), udp());
        for gone in 0..2 {
            let mut buffers = [[0], [0]];
            let mut waiters: Vec<_> =
                buffers.iter_mut().map(|buffer| Box::pin(there.recv_from(buffer))).collect();
            let (woken, waker) = CountingWaker::new();
            for waiter in &mut waiters {
                assert!(poll_with(waiter, &waker).is_pending());
            }
            here.send_to(b"x", there_is).await.unwrap();
            while woken.wakes() < 2 {
                yield_now().await;
            }
            drop(waiters.remove(gone));
            assert_eq!(waiters.remove(0).await.unwrap(), (1, here_is));
        }
    });
}

#[test]
fn several_tasks_send_by_one_socket() {
    run(async {
        let ((here, here_is), (there, there_is)) = (udp(), udp());
        let here = Rc::new(here);
        for number in 0..20 {
            let here = here.clone();
            spawn(async move { here.send_to(&[number], there_is).await });
        }
        let mut got = Vec::new();
        for _ in 0..20 {
            let mut buffer = [0; 10];
            assert_eq!(there.recv_from(&mut buffer).await.unwrap(), (1, here_is));
            got.push(buffer[0]);
        }
        assert_eq!(got, Vec::from_iter(0..20));
    });
}

#[test]
fn a_socket_sends_while_it_waits_to_receive() {
    run(async {
        let (here, there) = connected().await;
        let here = Rc::new(here);
        let receives = here.clone();
        let task = spawn(async move { receives.recv(&mut [0; 10]).await });
        yield_now().await;
        here.send(b"abc").await.unwrap();
        let mut buffer = [0; 10];
        let length = there.recv(&mut buffer).await.unwrap();
        there.send(&buffer[..length]).await.unwrap();
        assert_eq!(task.await.unwrap().unwrap(), 3);
    });
}

#[test]
fn an_address_that_is_in_use_is_an_error_and_the_next_one_will_do() {
    run(async {
        let (_taken, address) = udp();
        assert_eq!(kind(UdpSocket::bind(address).await), ErrorKind::AddrInUse);
        let free = "127.0.0.1:0".parse().unwrap();
        let socket = UdpSocket::bind([address, free]).await.unwrap();
        assert_ne!(socket.local_addr().unwrap(), address);
    });
}

#[test]
fn whether_it_may_send_to_everybody_is_a_setting() {
    let (socket, _) = udp();
    let socket = socket.into_std().unwrap();
    assert!(!socket.broadcast().unwrap());
    for on in [true, false] {
        let own = UdpSocket::from_std(socket.try_clone().unwrap()).unwrap();
        own.set_broadcast(on).unwrap();
        assert_eq!(socket.broadcast().unwrap(), on);
    }
}

// Of std's, and as std's.

#[test]
fn what_is_made_of_a_socket_of_stds_does_not_block() {
    let (socket, address) = udp();
    assert_eq!(socket.as_raw_fd(), socket.as_fd().as_raw_fd());
    let debug = format!("{socket:?}");
    let socket = socket.into_std().unwrap();
    assert_eq!(debug, format!("{socket:?}"));
    assert_eq!(kind(socket.recv(&mut [0])), ErrorKind::WouldBlock);
    let socket = UdpSocket::from_std(socket).unwrap();
    run(async {
        let sender = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.send_to(b"x", address).unwrap();
        let from = sender.local_addr().unwrap();
        assert_eq!(socket.recv_from(&mut [0]).await.unwrap(), (1, from));
    });
}

// Dropped in the middle.

#[test]
fn a_recv_that_is_dropped_has_received_nothing() {
    cancel_at_every_await(async || {
        let ((here, here_is), (there, there_is)) = (udp(), udp());
        let there = Rc::new(there);
        let receives = there.clone();
        spawn(async move {
            sleep(MS).await;
            here.send_to(b"abc", there_is).await.unwrap();
        });
        let recv = async move { receives.recv_from(&mut [0; 10]).await.unwrap() };
        (recv, async move |output: Option<_>| {
            let received = match output {
                Some(received) => received,
                None => there.recv_from(&mut [0; 10]).await.unwrap(),
            };
            assert_eq!(received, (3, here_is));
        })
    });
}

#[test]
fn no_datagram_is_lost_by_receives_that_are_given_up() {
    run(async {
        let ((here, _), (there, there_is)) = (udp(), udp());
        spawn(async move {
            for number in 0..50 {
                here.send_to(&[number], there_is).await.unwrap();
                for _ in 0..number % 5 * 20 {
                    yield_now().await;
                }
            }
        });
        let (mut got, mut given_up) = (Vec::new(), 0);
        let mut buffer = [0; 10];
        while got.len() < 50 {
            select! {
                received = there.recv(&mut buffer) => {
                    assert_eq!(received.unwrap(), 1);
                    got.push(buffer[0]);
                }
                () = yield_now() => given_up += 1,
            }
        }
        assert!(given_up > 0);
        assert_eq!(got, Vec::from_iter(0..50));
    });
}

#[test]
fn whoever_is_dropped_while_he_waits_does_not_wait_any_more() {
    #[track_caller]
    fn leaves<F: Future>(future: F) {
        let executor = reporting();
        executor.block_on(async {
            let mut future = pin!(future);
            assert!(poll_here(future.as_mut()).await.is_pending());
        });
        assert_nobody_waits(&executor);
    }
    let (socket, _) = udp();
    leaves(socket.recv(&mut [0]));
    leaves(socket.recv_from(&mut [0]));
    leaves(socket.peek_from(&mut [0]));
    assert_eq!(kind(socket.try_recv(&mut [0])), ErrorKind::WouldBlock);
    leaves(socket.readable());
}

// Threads.

#[test]
fn a_socket_can_go_to_another_thread_and_is_used_by_one_at_a_time() {
    assert_thread_safety! {
        about::<UdpSocket>() => (true, false),
    }
}
