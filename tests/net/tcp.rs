//! TCP: listeners, streams and their halves. What each method does; ends, resets and refusals; what
//! is left when a future is dropped in the middle; and which types may go to another thread.

use crate::auto_traits::{about, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::support::{
    CountingWaker, assert_nobody_waits, bytes, fill, kind, listener, nobodys_address, pair,
    pair_with_std, poll_here, poll_with, reporting, reset, run,
};
use handspun::net::tcp::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
use handspun::net::{TcpListener, TcpStream};
use handspun::sync::Mutex;
use handspun::task::yield_now;
use handspun::time::{Duration, sleep};
use handspun::{join, select, spawn};
use std::cell::RefCell;
use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::pin;
use std::rc::Rc;
use std::{error, net, thread};

const MS: Duration = Duration::from_millis(1);

// Listeners.

#[test]
fn a_listener_accepts_a_stream_and_tells_whose_it_is() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (accepted, connected) = join!(listener.accept(), TcpStream::connect(address));
        let ((server, peer), client) = (accepted.unwrap(), connected.unwrap());
        assert_eq!(client.peer_addr().unwrap(), address);
        assert_eq!(client.local_addr().unwrap(), peer);
        assert_eq!(server.peer_addr().unwrap(), peer);
        assert_eq!(server.local_addr().unwrap(), address);
    });
}

#[test]
fn connections_that_were_made_before_the_accept_are_accepted_in_their_order() {
    run(async {
        let (listener, address) = listener();
        let clients: Vec<_> = (0..5).map(|_| net::TcpStream::connect(address).unwrap()).collect();
        for client in &clients {
            let (_, peer) = listener.accept().await.unwrap();
            assert_eq!(peer, client.local_addr().unwrap());
        }
    });
}

#[test]
fn an_address_that_is_in_use_is_an_error_and_the_next_one_will_do() {
    run(async {
        let (_taken, address) = listener();
        assert_eq!(kind(TcpListener::bind(address).await), ErrorKind::AddrInUse);
        let free = "127.0.0.1:0".parse().unwrap();
        let listener = TcpListener::bind([address, free]).await.unwrap();
        assert_ne!(listener.local_addr().unwrap(), address);
    });
}

#[test]
fn an_address_may_be_used_again_right_after_its_last_listener_is_gone() {
    run(async {
        let (listener, address) = listener();
        let mut client = net::TcpStream::connect(address).unwrap();
        let (server, _) = listener.accept().await.unwrap();
        // This side closes first, and is the one that remembers the connection for minutes.
        drop((listener, server));
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        drop(client);
        TcpListener::bind(address).await.unwrap();
    });
}

#[test]
fn several_tasks_that_wait_in_accept_are_all_served() {
    run(async {
        let (listener, address) = listener();
        let listener = Rc::new(listener);
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let listener = listener.clone();
                spawn(async move { listener.accept().await.unwrap().1 })
            })
            .collect();
        yield_now().await;
        let clients: Vec<_> = (0..10).map(|_| net::TcpStream::connect(address).unwrap()).collect();
        let mut peers = Vec::new();
        for task in tasks {
            peers.push(task.await.unwrap());
        }
        let mut expected: Vec<_> =
            clients.iter().map(|client| client.local_addr().unwrap()).collect();
        peers.sort_unstable();
        expected.sort_unstable();
        assert_eq!(peers, expected);
    });
}

#[test]
fn a_connection_goes_to_another_waiter_when_one_who_was_woken_for_it_is_gone() {
    run(async {
        let (listener, address) = listener();
        for gone in 0..2 {
            let mut waiters: Vec<_> = (0..2).map(|_| Box::pin(listener.accept())).collect();
            let (woken, waker) = CountingWaker::new();
            for waiter in &mut waiters {
                assert!(poll_with(waiter, &waker).is_pending());
            }
            let client = net::TcpStream::connect(address).unwrap();
            // Both are woken by the look that sees the connection.
            while woken.wakes() < 2 {
                yield_now().await;
            }
            drop(waiters.remove(gone));
            let (_, peer) = waiters.remove(0).await.unwrap();
            assert_eq!(peer, client.local_addr().unwrap());
        }
    });
}

// Connecting.

#[test]
fn nobody_listens_there() {
    run(async {
        let refused = TcpStream::connect(nobodys_address()).await;
        assert_eq!(kind(refused), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn of_several_addresses_the_first_that_answers_is_connected_to() {
    run(async {
        let (_listener, address) = listener();
        let second = net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let stream = TcpStream::connect([nobodys_address(), address, second]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        let nobodys = [nobodys_address(), nobodys_address()];
        assert_eq!(kind(TcpStream::connect(nobodys).await), ErrorKind::ConnectionRefused);
    });
}

// Reading.

#[test]
fn a_read_takes_what_there_is_and_no_more_than_it_has_room_for() {
    run(async {
        let (mut here, mut there) = pair_with_std();
        there.write_all(b"abcdef").unwrap();
        let mut buffer = [b'-'; 4];
        assert_eq!(here.read(&mut buffer).await.unwrap(), 4);
        assert_eq!(&buffer, b"abcd");
        assert_eq!(here.read(&mut buffer).await.unwrap(), 2);
        assert_eq!(&buffer, b"efcd");
        there.write_all(b"g").unwrap();
        assert_eq!(here.read(&mut buffer).await.unwrap(), 1);
        assert_eq!(&buffer, b"gfcd");
    });
}

#[test]
fn at_the_end_a_read_returns_nothing_again_and_again() {
    run(async {
        let (mut here, mut there) = pair_with_std();
        there.write_all(b"last").unwrap();
        drop(there);
        let mut buffer = [0; 10];
        assert_eq!(here.read(&mut buffer).await.unwrap(), 4);
        for _ in 0..100 {
            assert_eq!(here.read(&mut buffer).await.unwrap(), 0);
        }
        assert_eq!(here.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    });
}

#[test]
fn empty_buffers_wait_for_nothing() {
    run(async {
        let (mut here, mut there) = pair_with_std();
        assert_eq!(here.read(&mut []).await.unwrap(), 0);
        assert_eq!(here.read_exact(&mut []).await.unwrap(), 0);
        assert_eq!(here.peek(&mut []).await.unwrap(), 0);
        assert_eq!(here.write(&[]).await.unwrap(), 0);
        here.write_all(&[]).await.unwrap();
        // Also when the last read has left nothing, and the last write no room.
        there.write_all(b"abc").unwrap();
        assert_eq!(here.read(&mut [0; 10]).await.unwrap(), 3);
        assert_eq!(here.read(&mut []).await.unwrap(), 0);
        let all = bytes(20_000_000);
        assert!(here.write(&all).await.unwrap() < all.len());
        assert_eq!(here.write(&[]).await.unwrap(), 0);
    });
}

#[test]
fn read_exact_gathers_what_comes_in_pieces() {
    run(async {
        let (mut here, mut there) = pair();
        let pieces = spawn(async move {
            for piece in [&b"a"[..], b"bc", b"def", b"gh"] {
                there.write_all(piece).await.unwrap();
                // Until the reader has had it.
                there.read_exact(&mut [0]).await.unwrap();
            }
            there
        });
        let mut buffer = [0; 6];
        let reads = spawn(async move {
            let (mut read, mut write) = here.split();
            let replies = async {
                for _ in 0..4 {
                    write.write_all(&[0]).await.unwrap();
                    yield_now().await;
                }
            };
            let (read_count, ()) = join!(read.read_exact(&mut buffer), replies);
            assert_eq!((read_count.unwrap(), &buffer), (6, b"abcdef"));
            here
        });
        let there = pieces.await.unwrap();
        let mut here = reads.await.unwrap();
        let mut rest = [0; 2];
        here.read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b"gh", "what was not asked for is left");
        drop(there);
    });
}

#[test]
fn read_exact_that_meets_the_end_is_an_error_and_leaves_what_it_had() {
    run(async {
        let (mut here, mut there) = pair_with_std();
        there.write_all(b"abc").unwrap();
        drop(there);
        let mut buffer = [b'-'; 5];
        assert_eq!(kind(here.read_exact(&mut buffer).await), ErrorKind::UnexpectedEof);
        assert_eq!(&buffer, b"abc--");
    });
}

#[test]
fn read_to_end_appends_and_counts_what_it_appended() {
    run(async {
        let (mut here, there) = pair();
        let sent = bytes(1_000_000);
        let all = sent.clone();
        spawn(async move {
            let mut there = there;
            there.write_all(&all).await.unwrap();
        });
        let mut bytes = b"before".to_vec();
        assert_eq!(here.read_to_end(&mut bytes).await.unwrap(), 1_000_000);
        assert_eq!(&bytes[..6], b"before");
        assert!(bytes[6..] == sent);
    });
}

#[test]
fn a_peek_leaves_what_it_sees() {
    run(async {
        let (mut here, mut there) = pair_with_std();
        let mut buffer = [0; 2];
        {
            let mut peek = pin!(here.peek(&mut buffer));
            assert!(poll_here(peek.as_mut()).await.is_pending(), "it waits like a read");
            there.write_all(b"abc").unwrap();
            assert_eq!(peek.await.unwrap(), 2);
        }
        assert_eq!(&buffer, b"ab");
        for _ in 0..100 {
            assert_eq!(here.peek(&mut [0; 10]).await.unwrap(), 3);
        }
        let mut buffer = [0; 10];
        assert_eq!(here.read(&mut buffer).await.unwrap(), 3);
        drop(there);
        assert_eq!(here.peek(&mut buffer).await.unwrap(), 0);
    });
}

#[test]
fn readable_waits_on_a_new_stream_too_and_after_it_was_given_up() {
    run(async {
        let (here, mut there) = pair_with_std();
        for _ in 0..3 {
            let mut readable = pin!(here.readable());
            assert!(poll_here(readable.as_mut()).await.is_pending());
        }
        let mut readable = pin!(here.readable());
        assert!(poll_here(readable.as_mut()).await.is_pending());
        there.write_all(b"x").unwrap();
        readable.await.unwrap();
        assert_eq!(here.try_read(&mut [0]).unwrap(), 1);
    });
}

#[test]
fn readable_is_ready_as_long_as_there_is_something_to_read() {
    run(async {
        let (here, mut there) = pair_with_std();
        assert_eq!(kind(here.try_read(&mut [0; 10])), ErrorKind::WouldBlock);
        there.write_all(b"abc").unwrap();
        here.readable().await.unwrap();
        here.readable().await.unwrap();
        let mut buffer = [0; 2];
        assert_eq!(here.try_read(&mut buffer).unwrap(), 2);
        here.readable().await.unwrap();
        assert_eq!(here.try_read(&mut buffer).unwrap(), 1);
        assert_eq!(kind(here.try_read(&mut buffer)), ErrorKind::WouldBlock);
        assert_eq!(&buffer, b"cb");
        let mut readable = pin!(here.readable());
        assert!(poll_here(readable.as_mut()).await.is_pending());
        // Its end is something to read.
        drop(there);
        readable.await.unwrap();
        assert_eq!(here.try_read(&mut buffer).unwrap(), 0);
    });
}

// Writing.

#[test]
fn what_is_larger_than_all_buffers_is_written_as_the_peer_reads() {
    run(async {
        let (mut here, mut there) = pair();
        let sent = bytes(20_000_000);
        let all = sent.clone();
        let writes = spawn(async move { here.write_all(&all).await });
        let mut got = Vec::new();
        // A slow one.
        let mut buffer = vec![0; 100_000];
        loop {
            match there.read(&mut buffer).await.unwrap() {
                0 => break,
                read => got.extend_from_slice(&buffer[..read]),
            }
            yield_now().await;
        }
        writes.await.unwrap().unwrap();
        assert!(got == sent);
    });
}

#[test]
fn a_write_takes_as_much_as_there_is_room_for() {
    run(async {
        let (mut here, mut there) = pair();
        let all = bytes(20_000_000);
        let written = here.write(&all).await.unwrap();
        assert!(0 < written && written < all.len());
        drop(here);
        let mut got = Vec::new();
        there.read_to_end(&mut got).await.unwrap();
        assert!(got == all[..written]);
    });
}

#[test]
fn writable_waits_for_room() {
    run(async {
        let (here, mut there) = pair();
        here.writable().await.unwrap();
        here.writable().await.unwrap();
        let written = fill(&here).await;
        assert_eq!(kind(here.try_write(b"x")), ErrorKind::WouldBlock);
        let mut writable = pin!(here.writable());
        assert!(poll_here(writable.as_mut()).await.is_pending());
        there.read_exact(&mut vec![0; written]).await.unwrap();
        writable.await.unwrap();
        assert_eq!(here.try_write(b"x").unwrap(), 1);
    });
}

#[test]
fn settings_of_a_stream() {
    run(async {
        let (here, _there) = pair();
        assert!(!here.nodelay().unwrap());
        here.set_nodelay(true).unwrap();
        assert!(here.nodelay().unwrap());
        assert!(here.take_error().unwrap().is_none());
    });
}

// Ends.

#[test]
fn each_side_can_be_shut_down_by_itself() {
    run(async {
        let (mut here, mut there) = pair();
        here.write_all(b"question").await.unwrap();
        here.shutdown().await.unwrap();
        let mut question = Vec::new();
        there.read_to_end(&mut question).await.unwrap();
        assert_eq!(question, b"question");
        // That side is over, the other one goes on.
        let refused = kind(here.write(b"x").await);
        assert_eq!(refused, ErrorKind::BrokenPipe);
        let answer = bytes(1_000_000);
        let all = answer.clone();
        let answers = spawn(async move {
            there.write_all(&all).await.unwrap();
            there.shutdown().await.unwrap();
            there
        });
        let mut got = Vec::new();
        here.read_to_end(&mut got).await.unwrap();
        assert!(got == answer);
        drop(answers.await.unwrap());
    });
}

#[test]
fn to_shut_down_what_the_peer_has_reset_is_no_error() {
    run(async {
        let (mut here, there) = pair_with_std();
        reset(there, &here);
        assert_eq!(kind(here.read(&mut [0]).await), ErrorKind::ConnectionReset);
        here.shutdown().await.unwrap();
        here.shutdown().await.unwrap();
        let (_read, mut write) = here.split();
        write.shutdown().await.unwrap();
    });
}

#[test]
fn an_end_that_comes_while_one_waits_is_seen() {
    run(async {
        let (mut here, mut there) = pair();
        let reads = spawn(async move { here.read(&mut [0; 10]).await });
        yield_now().await;
        there.shutdown().await.unwrap();
        assert_eq!(reads.await.unwrap().unwrap(), 0);
    });
}

#[test]
fn a_reset_in_the_middle_of_a_read() {
    run(async {
        let (here, there) = pair_with_std();
        let (mut read, write) = here.into_split();
        let reads = spawn(async move {
            let first = read.read(&mut [0]).await;
            (first, read.read(&mut [0]).await)
        });
        yield_now().await;
        reset(there, write.as_ref());
        let (first, second) = reads.await.unwrap();
        assert_eq!(kind(first), ErrorKind::ConnectionReset);
        // The error was told once; what is left is an end.
        assert_eq!(second.unwrap(), 0);
    });
}

#[test]
fn a_reset_in_the_middle_of_a_write() {
    run(async {
        let (mut here, there) = pair_with_std();
        let all = bytes(20_000_000);
        let mut write = pin!(here.write_all(&all));
        assert!(poll_here(write.as_mut()).await.is_pending());
        // It has not read what it got: to close it is to reset.
        there.peek(&mut [0]).unwrap();
        drop(there);
        let error = kind(write.await);
        assert!(matches!(error, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error:?}");
    });
}

#[test]
fn errors_and_hang_ups_wake_who_reads_and_who_writes() {
    run(async {
        let (here, there) = pair_with_std();
        let (mut read, mut write) = here.into_split();
        let reads = spawn(async move { read.read_exact(&mut [0; 10]).await });
        let writes = spawn(async move { write.write_all(&bytes(20_000_000)).await });
        yield_now().await;
        there.peek(&mut [0]).unwrap();
        drop(there);
        // One of them is told the reset; to the other one the connection is just gone.
        assert!(reads.await.unwrap().is_err());
        assert!(writes.await.unwrap().is_err());
    });
}

#[test]
fn who_waits_for_either_direction_only_is_told_of_a_reset_too() {
    run(async {
        let (here, there) = pair_with_std();
        fill(&here).await;
        assert_eq!(kind(here.try_read(&mut [0])), ErrorKind::WouldBlock);
        assert_eq!(kind(here.try_write(b"x")), ErrorKind::WouldBlock);
        let mut readable = pin!(here.readable());
        let mut writable = pin!(here.writable());
        assert!(poll_here(readable.as_mut()).await.is_pending());
        assert!(poll_here(writable.as_mut()).await.is_pending());
        there.peek(&mut [0]).unwrap();
        drop(there);
        let (readable, writable) = join!(readable, writable);
        assert!(readable.is_ok() && writable.is_ok());
        assert_eq!(here.take_error().unwrap().unwrap().kind(), ErrorKind::ConnectionReset);
        assert!(here.take_error().unwrap().is_none());
    });
}

// Halves.

#[test]
fn one_task_reads_and_writes_at_once_by_borrowed_halves() {
    run(async {
        let (mut here, there) = pair();
        echo(there);
        let sent = bytes(5_000_000);
        let mut got = vec![0; sent.len()];
        let (mut read, mut write) = here.split();
        // More than there is room for on the way: only who reads meanwhile can write it all.
        let (read, written) = join!(read.read_exact(&mut got), write.write_all(&sent));
        assert_eq!(read.unwrap(), sent.len());
        written.unwrap();
        assert!(got == sent);
        here.write_all(b"whole").await.unwrap();
    });
}

#[test]
fn two_tasks_read_and_write_at_once_by_owned_halves() {
    run(async {
        let (here, there) = pair();
        echo(there);
        let sent = bytes(5_000_000);
        let all = sent.clone();
        let (mut read, mut write) = here.into_split();
        let writes = spawn(async move { write.write_all(&all).await });
        let mut got = Vec::new();
        // It ends, since the half to write to is dropped when all is written.
        read.read_to_end(&mut got).await.unwrap();
        writes.await.unwrap().unwrap();
        assert!(got == sent);
    });
}

/// Sends everything back.
fn echo(stream: TcpStream) {
    spawn(async move {
        let (mut read, mut write) = stream.into_split();
        let mut buffer = vec![0; 50_000];
        while let Ok(read @ 1..) = read.read(&mut buffer).await {
            write.write_all(&buffer[..read]).await.unwrap();
        }
    });
}

/// Each method of a pair of halves, whose peer is a socket that blocks.
macro_rules! assert_halves_work {
    ($read:ident, $write:ident, $there:ident) => {
        // When both sides are shut down, the system knows of no peer any more.
        for (local, peer) in [
            ($read.local_addr(), $read.peer_addr()),
            ($write.local_addr(), $write.peer_addr()),
        ] {
            assert_eq!(local.unwrap(), $there.peer_addr().unwrap());
            assert_eq!(peer.unwrap(), $there.local_addr().unwrap());
        }

        let mut buffer = [0; 3];
        assert_eq!(kind($read.try_read(&mut buffer)), ErrorKind::WouldBlock);
        $there.write_all(b"abcdefghi").unwrap();
        $read.readable().await.unwrap();
        assert_eq!($read.peek(&mut buffer).await.unwrap(), 3);
        assert_eq!(&buffer, b"abc");
        assert_eq!($read.try_read(&mut buffer[..1]).unwrap(), 1);
        assert_eq!($read.read(&mut buffer[1..2]).await.unwrap(), 1);
        assert_eq!($read.read_exact(&mut buffer).await.unwrap(), 3);
        assert_eq!(&buffer, b"cde");
        $there.shutdown(Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        assert_eq!($read.read_to_end(&mut rest).await.unwrap(), 4);
        assert_eq!(rest, b"fghi");

        $write.writable().await.unwrap();
        assert_eq!($write.try_write(b"ab").unwrap(), 2);
        assert_eq!($write.write(b"cd").await.unwrap(), 2);
        $write.write_all(b"ef").await.unwrap();
        $write.shutdown().await.unwrap();
        assert_eq!(kind($write.write(b"g").await), ErrorKind::BrokenPipe);
        let mut written = Vec::new();
        $there.read_to_end(&mut written).unwrap();
        assert_eq!(written, b"abcdef");

        assert_eq!($read.as_ref().as_raw_fd(), $write.as_ref().as_raw_fd());
    };
}

#[test]
fn halves_have_the_methods_of_the_stream() {
    run(async {
        let (mut here, mut there) = pair_with_std();
        let (mut read, mut write) = here.split();
        assert_halves_work!(read, write, there);
        let (here, mut there) = pair_with_std();
        let (mut read, mut write) = here.into_split();
        assert_halves_work!(read, write, there);
    });
}

#[test]
fn the_owned_half_to_write_to_shuts_down_its_side_when_it_is_dropped() {
    run(async {
        let (here, mut there) = pair();
        let (mut read, write) = here.into_split();
        drop(write);
        assert_eq!(there.read(&mut [0]).await.unwrap(), 0);
        there.write_all(b"the other way").await.unwrap();
        let mut buffer = [0; 13];
        read.read_exact(&mut buffer).await.unwrap();
    });
}

#[test]
fn other_halves_that_are_dropped_say_nothing_to_the_peer() {
    run(async {
        let (mut here, mut there) = pair_with_std();
        {
            let _halves = here.split();
        }
        here.write_all(b"a").await.unwrap();
        let (read, mut write) = here.into_split();
        drop(read);
        write.write_all(b"b").await.unwrap();
        there.write_all(b"unread, and no error").unwrap();
        let mut buffer = [0; 2];
        there.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"ab");

        let (here, mut there) = pair_with_std();
        let (read, write) = here.into_split();
        write.forget();
        there.set_nonblocking(true).unwrap();
        assert_eq!(kind(there.read(&mut [0])), ErrorKind::WouldBlock);
        drop(read);
        there.set_nonblocking(false).unwrap();
        assert_eq!(there.read(&mut [0]).unwrap(), 0, "the last one closes it");
    });
}

#[test]
fn two_halves_make_a_whole_again() {
    run(async {
        let (here, mut there) = pair();
        let (read, write) = here.into_split();
        let (read, write) = read.reunite(write).unwrap().into_split();
        let mut here = write.reunite(read).unwrap();
        // It was not shut down.
        here.write_all(b"whole").await.unwrap();
        let mut buffer = [0; 5];
        there.read_exact(&mut buffer).await.unwrap();
        there.write_all(&buffer).await.unwrap();
        here.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"whole");
    });
}

#[test]
fn halves_of_different_streams_are_given_back() {
    run(async {
        let (here, mut there) = pair();
        let (other, mut others_peer) = pair();
        let (read, write) = here.into_split();
        let (others_read, others_write) = other.into_split();
        let error = read.reunite(others_write).unwrap_err();
        let as_error: &dyn error::Error = &error;
        assert_eq!(as_error.to_string(), "the two halves are not of the same stream");
        let ReuniteError(read, others_write) = error;
        let ReuniteError(others_read, write) = write.reunite(others_read).unwrap_err();
        // None was shut down.
        let mut here = read.reunite(write).unwrap();
        let mut other = others_read.reunite(others_write).unwrap();
        here.write_all(b"1").await.unwrap();
        other.write_all(b"2").await.unwrap();
        let mut buffer = [0; 2];
        there.read_exact(&mut buffer[..1]).await.unwrap();
        others_peer.read_exact(&mut buffer[1..]).await.unwrap();
        assert_eq!(&buffer, b"12");
    });
}

// Of std's, and as std's.

#[test]
fn what_is_made_of_a_socket_of_stds_does_not_block() {
    run(async {
        let (here, mut there) = pair_with_std();
        let mut here = here.into_std().unwrap();
        assert_eq!(kind(here.read(&mut [0])), ErrorKind::WouldBlock);
        here.write_all(b"x").unwrap();
        there.read_exact(&mut [0]).unwrap();

        let (listener, address) = listener();
        let listener = listener.into_std().unwrap();
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        let listener = TcpListener::from_std(listener).unwrap();
        let _client = net::TcpStream::connect(address).unwrap();
        listener.accept().await.unwrap();
    });
}

#[test]
fn they_have_the_file_descriptors_and_the_debug_output_of_stds() {
    let (stream, _there) = pair();
    assert_eq!(stream.as_raw_fd(), stream.as_fd().as_raw_fd());
    let debug = format!("{stream:?}");
    let fd = stream.as_raw_fd();
    let std = stream.into_std().unwrap();
    assert_eq!((fd, debug), (std.as_raw_fd(), format!("{std:?}")));
    let (listener, _) = listener();
    assert_eq!(listener.as_raw_fd(), listener.as_fd().as_raw_fd());
    let debug = format!("{listener:?}");
    let fd = listener.as_raw_fd();
    let std = listener.into_std().unwrap();
    assert_eq!((fd, debug), (std.as_raw_fd(), format!("{std:?}")));
}

// Dropped in the middle.

#[test]
fn a_read_that_is_dropped_has_read_nothing() {
    cancel_at_every_await(async || {
        let (here, mut there) = pair_with_std();
        let here = Rc::new(Mutex::new(here));
        let reads = here.clone();
        spawn(async move {
            sleep(MS).await;
            there.write_all(b"abc").unwrap();
            there.shutdown(Shutdown::Write).unwrap();
        });
        let read = async move {
            let mut buffer = [0; 2];
            let read = reads.lock().await.read(&mut buffer).await.unwrap();
            buffer[..read].to_vec()
        };
        (read, async move |output: Option<Vec<u8>>| {
            let mut got = output.unwrap_or_default();
            here.lock().await.read_to_end(&mut got).await.unwrap();
            assert_eq!(got, b"abc");
        })
    });
}

#[test]
fn a_read_to_end_that_is_dropped_leaves_what_it_has_read() {
    cancel_at_every_await(async || {
        let (here, mut there) = pair();
        let bytes = Rc::new(RefCell::new(Vec::new()));
        spawn(async move {
            for piece in [b"abc", b"def", b"ghi"] {
                sleep(MS).await;
                there.write_all(piece).await.unwrap();
            }
        });
        let (into, got) = (bytes.clone(), bytes);
        let here = Rc::new(Mutex::new(here));
        let reads = here.clone();
        let read = async move {
            let mut taken = Taken(into, Vec::new());
            reads.lock().await.read_to_end(&mut taken.1).await.unwrap();
        };
        (read, async move |_: Option<()>| {
            let mut got = got.take();
            here.lock().await.read_to_end(&mut got).await.unwrap();
            assert_eq!(got, b"abcdefghi");
        })
    });
}

/// Bytes that are kept when they are dropped.
struct Taken(Rc<RefCell<Vec<u8>>>, Vec<u8>);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.borrow_mut().append(&mut self.1);
    }
}

#[test]
fn a_write_that_is_dropped_has_written_nothing() {
    cancel_at_every_await(async || {
        let (here, mut there) = pair();
        let filled = fill(&here).await;
        let here = Rc::new(Mutex::new(here));
        let writes = here.clone();
        let drained = spawn(async move {
            sleep(MS).await;
            let mut got = Vec::new();
            there.read_to_end(&mut got).await.unwrap();
            got
        });
        let write = async move { writes.lock().await.write(b"abc").await.unwrap() };
        (write, async move |output: Option<usize>| {
            here.lock().await.write_all(b"def").await.unwrap();
            drop(here);
            let got = drained.await.unwrap();
            let written = output.unwrap_or(0);
            assert_eq!(&got[filled..], [&b"abc"[..written], b"def"].concat());
        })
    });
}

#[test]
fn an_accept_that_is_dropped_has_accepted_nothing() {
    cancel_at_every_await(async || {
        let (listener, address) = listener();
        let listener = Rc::new(listener);
        let accepts = listener.clone();
        let client = spawn(async move {
            sleep(MS).await;
            net::TcpStream::connect(address).unwrap()
        });
        let accept = async move { accepts.accept().await.unwrap() };
        (accept, async move |output: Option<_>| {
            let client = client.await.unwrap();
            let (_stream, peer) = match output {
                Some(accepted) => accepted,
                None => listener.accept().await.unwrap(),
            };
            assert_eq!(peer, client.local_addr().unwrap());
        })
    });
}

#[test]
fn a_connection_whose_connect_was_dropped_is_closed() {
    cancel_at_every_await(async || {
        let (listener, address) = listener();
        let connect = async move { TcpStream::connect(address).await.unwrap() };
        (connect, async move |output: Option<TcpStream>| {
            if let Some(mut client) = output {
                let (mut server, _) = listener.accept().await.unwrap();
                server.write_all(b"x").await.unwrap();
                client.read_exact(&mut [0]).await.unwrap();
            } else if let Some(Ok((mut server, _))) = accepted(&listener).await {
                assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
            }
        })
    });
}

/// A connection that comes within a second of a paused clock, which stands still while a connect is
/// out.
async fn accepted(listener: &TcpListener) -> Option<std::io::Result<(TcpStream, net::SocketAddr)>> {
    handspun::time::timeout(Duration::from_secs(1), listener.accept()).await.ok()
}

#[test]
fn no_byte_is_lost_or_read_twice_by_reads_that_are_given_up() {
    run(async {
        let (mut here, mut there) = pair();
        let sent = bytes(100_000);
        let all = sent.clone();
        spawn(async move {
            for (nth, piece) in all.chunks(77).enumerate() {
                there.write_all(piece).await.unwrap();
                for _ in 0..nth % 5 {
                    yield_now().await;
                }
            }
        });
        let (mut got, mut given_up) = (Vec::new(), 0);
        let mut buffer = [0; 50];
        loop {
            select! {
                read = here.read(&mut buffer) => match read.unwrap() {
                    0 => break,
                    read => got.extend_from_slice(&buffer[..read]),
                },
                () = yield_now() => given_up += 1,
            }
        }
        assert!(given_up > 0);
        assert!(got == sent);
    });
}

#[test]
fn a_read_that_is_given_up_before_each_look_gets_its_bytes_nevertheless() {
    run(async {
        let (mut client, mut server) = pair();
        let mut byte = [0; 2];
        client.write_all(b"1").await.unwrap();
        // It is shorter than there is room for: the next one goes to the reactor without a try.
        assert_eq!(server.read(&mut byte).await.unwrap(), 1);
        client.write_all(b"2").await.unwrap();
        let mut given_up = 0;
        loop {
            select! {
                biased;
                read = server.read(&mut byte) => break assert_eq!(read.unwrap(), 1),
                () = async {} => given_up += 1,
            }
            yield_now().await; // where nobody waits for the socket
            assert!(given_up < 100_000);
        }
        assert_eq!(byte[0], b'2');
    });
}

#[test]
fn no_byte_is_lost_or_written_twice_by_writes_that_are_given_up() {
    run(async {
        let (mut here, mut there) = pair();
        let sent = bytes(10_000_000);
        let all = sent.clone();
        let reads = spawn(async move {
            let mut got = Vec::new();
            let mut buffer = vec![0; 100_000];
            loop {
                match there.read(&mut buffer).await.unwrap() {
                    0 => return got,
                    read => got.extend_from_slice(&buffer[..read]),
                }
                yield_now().await;
            }
        });
        let (mut written, mut given_up) = (0, 0);
        while written < all.len() {
            select! {
                more = here.write(&all[written..]) => written += more.unwrap(),
                () = yield_now() => given_up += 1,
            }
        }
        drop(here);
        assert!(given_up > 0);
        assert!(reads.await.unwrap() == sent);
    });
}

#[test]
fn no_connection_is_lost_by_accepts_that_are_given_up() {
    const CLIENTS: usize = 50;
    run(async {
        let (listener, address) = listener();
        let clients = thread::spawn(move || {
            for _ in 0..CLIENTS {
                let mut client = net::TcpStream::connect(address).unwrap();
                client.read_exact(&mut [0]).unwrap();
            }
        });
        let (mut accepted, mut given_up) = (0, 0);
        while accepted < CLIENTS {
            select! {
                connection = listener.accept() => {
                    connection.unwrap().0.write_all(b"x").await.unwrap();
                    accepted += 1;
                }
                () = yield_now() => given_up += 1,
            }
        }
        assert!(given_up > 0);
        clients.join().unwrap();
    });
}

#[test]
fn whoever_is_dropped_while_he_waits_does_not_wait_any_more() {
    /// Polls it once, drops it, and looks whether anybody waits.
    #[track_caller]
    fn leaves<F: Future<Output: std::fmt::Debug>>(future: F) {
        let executor = reporting();
        executor.block_on(async {
            let mut future = pin!(future);
            assert!(poll_here(future.as_mut()).await.is_pending());
        });
        assert_nobody_waits(&executor);
    }
    let (mut here, _there) = pair();
    leaves(here.read(&mut [0]));
    leaves(here.read_exact(&mut [0]));
    leaves(here.read_to_end(&mut Vec::new()));
    leaves(here.peek(&mut [0]));
    assert_eq!(kind(here.try_read(&mut [0])), ErrorKind::WouldBlock);
    leaves(here.readable());
    handspun::block_on(fill(&here));
    assert_eq!(kind(here.try_write(b"x")), ErrorKind::WouldBlock);
    leaves(here.writable());
    leaves(here.write(b"x"));
    leaves(here.write_all(b"x"));
    let (listener, address) = listener();
    leaves(listener.accept());
    leaves(TcpStream::connect(address));
}

#[test]
fn an_aborted_task_does_not_wait_any_more() {
    let executor = reporting();
    let (mut here, there) = pair();
    executor.block_on(async {
        let reads = spawn(async move { here.read(&mut [0]).await });
        yield_now().await;
        reads.abort();
        assert!(reads.await.unwrap_err().is_cancelled());
    });
    assert_nobody_waits(&executor);
    drop(there);
}

// Threads.

#[test]
fn sockets_can_go_to_another_thread_and_halves_stay() {
    assert_thread_safety! {
        about::<TcpListener>() => (true, false),
        about::<TcpStream>() => (true, false),
        about::<ReadHalf<'_>>() => (false, false),
        about::<WriteHalf<'_>>() => (false, false),
        about::<OwnedReadHalf>() => (false, false),
        about::<OwnedWriteHalf>() => (false, false),
        about::<ReuniteError>() => (false, false),
    }
}
