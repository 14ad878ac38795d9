//! An echo server without a reactor: who polls a task again when its socket has something to read?
//!
//! A socket of std's can be told not to block. What would have to wait fails at once then, with
//! `WouldBlock`, and a future makes `Poll::Pending` of that. v1 leaves it there: it has given its
//! waker to nobody, so it is never polled again, and stands still. v2 wakes itself: it is polled
//! again in the next turn, tries again, and again. It works, other tasks have their turns, and the
//! thread never sleeps: it spins.
//!
//! Predict before you run: the client of v2 thinks for 50 ms before each of its three messages. How
//! often is the server polled? (The number is another one each time, so it is printed roundly.)
//!
//! Run: `cargo run --example 48_echo_spin`, and with `-- v2` only the second. Begin with `v1.rs`.
//! With `-- serve 127.0.0.1:7000` v2 serves until Ctrl-C, or Ctrl-D: say something to it by
//! `nc 127.0.0.1 7000`, and look at the processor meanwhile. Next: `49_echo_reactor`.

mod client;
#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;

use handspun::executor::Executor;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::pin::pin;
use std::thread;

fn main() -> io::Result<()> {
    let (asked_for, address) = support::stages_and_address(2);
    if let Some(address) = address {
        return serve(support::listen(&address));
    }
    if asked_for(1) {
        println!("v1: is pending");
        stand_still()?;
    }
    if asked_for(2) {
        println!("v2: is pending, and wakes itself");
        spin()?;
    }
    Ok(())
}

fn stand_still() -> io::Result<()> {
    let listener = listen()?;
    let report = support::stall_report(move || {
        let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
        let server = async { v1::echo(v1::accept(&listener).await?).await };
        executor.block_on(server).expect("is never ready");
    });
    println!("{report}");
    Ok(())
}

fn spin() -> io::Result<()> {
    let listener = listen()?;
    let address = listener.local_addr()?;
    let client = thread::spawn(move || client::run(address));
    let mut server = pin!(async { v2::echo(v2::accept(&listener).await?).await });
    let mut polls = 0;
    handspun::block_on(poll_fn(|cx| {
        polls += 1;
        server.as_mut().poll(cx)
    }))?;
    client.join().expect("the client does not panic")?;
    match polls {
        0..1000 => println!("  3 messages: {polls} polls"),
        _ => println!("  3 messages: thousands of polls"),
    }
    Ok(())
}

fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Until stdin is at its end.
fn serve(listener: TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    handspun::block_on(async {
        handspun::select! {
            end = accept_all(listener) => end,
            () = support::end_of_input() => Ok(()),
        }
    })
}

async fn accept_all(listener: TcpListener) -> io::Result<()> {
    loop {
        let stream = v2::accept(&listener).await?;
        handspun::spawn(v2::echo(stream));
    }
}
