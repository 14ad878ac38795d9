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
//! Run: `cargo run --example 48_echo_spin`. With `-- serve 127.0.0.1:7000` it serves until Ctrl-C,
//! or Ctrl-D: say something to it by `nc 127.0.0.1 7000`, and look at the processor meanwhile.
//! Next: `49_echo_reactor`.

mod support;

use handspun::executor::Executor;
use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::task::Poll;
use std::thread;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq)]
enum Version {
    /// Is pending.
    V1,
    /// Is pending, and wakes itself.
    V2,
}

thread_local! {
    static POLLS: Cell<u64> = const { Cell::new(0) };
}

impl Version {
    /// Tries each time it is polled, until the socket does not say `WouldBlock`.
    async fn wait<T>(self, mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        poll_fn(|cx| {
            POLLS.set(POLLS.get() + 1);
            match operation() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if self == Version::V2 {
                        cx.waker().wake_by_ref();
                    }
                    Poll::Pending
                }
                done => Poll::Ready(done),
            }
        })
        .await
    }

    async fn accept(self, listener: &TcpListener) -> io::Result<TcpStream> {
        let (stream, _peer) = self.wait(|| listener.accept()).await?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    /// Sends back what comes, to the end.
    async fn echo(self, mut stream: TcpStream) -> io::Result<()> {
        let mut buffer = [0; 1024];
        loop {
            let read = self.wait(|| stream.read(&mut buffer)).await?;
            if read == 0 {
                return Ok(());
            }
            let mut rest = &buffer[..read];
            while !rest.is_empty() {
                let written = self.wait(|| stream.write(rest)).await?;
                rest = &rest[written..];
            }
        }
    }
}

fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A thread that knows nothing of futures: its socket blocks.
fn client(server: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(server)?;
    for message in ["one", "two", "three"] {
        thread::sleep(Duration::from_millis(50));
        stream.write_all(message.as_bytes())?;
        let mut reply = vec![0; message.len()];
        stream.read_exact(&mut reply)?;
        println!("  client: {message:?} came back as {:?}", String::from_utf8_lossy(&reply));
    }
    Ok(())
}

fn demonstrate() -> io::Result<()> {
    println!("v1: is pending");
    let listener = listen()?;
    let report = support::stall_report(move || {
        let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
        executor.block_on(async { Version::V1.accept(&listener).await }).expect("is never ready");
    });
    println!("{report}");

    println!("v2: is pending, and wakes itself");
    let listener = listen()?;
    let address = listener.local_addr()?;
    let client = thread::spawn(move || client(address));
    POLLS.set(0);
    handspun::block_on(async {
        let stream = Version::V2.accept(&listener).await?;
        Version::V2.echo(stream).await
    })?;
    client.join().expect("the client does not panic")?;
    match POLLS.get() {
        polls @ 0..1000 => println!("  3 messages: {polls} polls"),
        _ => println!("  3 messages: thousands of polls"),
    }
    Ok(())
}

async fn serve(listener: TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    loop {
        let stream = Version::V2.accept(&listener).await?;
        handspun::spawn(Version::V2.echo(stream));
    }
}

fn main() -> io::Result<()> {
    let Some(address) = support::address_to_serve() else {
        return demonstrate();
    };
    let listener = support::listen(&address);
    handspun::block_on(async {
        handspun::select! {
            end = serve(listener) => end,
            () = support::end_of_input() => Ok(()),
        }
    })
}
