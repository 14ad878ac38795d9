//! The same echo server on a reactor: it is polled when there is something to do, and not before.
//!
//! `handspun::net` tries, too, and is pending when the socket says `WouldBlock`. But it leaves its
//! waker with the executor, under the number of the socket. When nothing is runnable the executor
//! hands all such numbers to the system, in one call, `poll(2)`, and sleeps in there until one of
//! them is ready, and wakes whose it is. Open `src/net/reactor.rs` beside this.
//!
//! Server and client are tasks of one executor here, so that everything has its order. It records
//! its run, and what is counted below is counted in that record (`src/trace/event.rs`).
//!
//! Predict before you run: the client thinks for 50 ms before each of its three messages, and then
//! goes. How often is the server's task polled?
//!
//! Run: `cargo run --example 49_echo_reactor`, and with `-- --trace text` to see who woke whom.
//! With `-- serve 127.0.0.1:7000` it serves until Ctrl-C, or Ctrl-D. Next: `50_clients_and_timers`.

mod support;

use handspun::executor::Executor;
use handspun::net::{TcpListener, TcpStream};
use handspun::task::{self, Id};
use handspun::time::{Duration, sleep};
use handspun::trace::{self, Cause, Event};
use std::io;
use std::net::Ipv4Addr;

/// Sends back what comes, to the end.
async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            read => stream.write_all(&buffer[..read]).await?,
        }
    }
}

/// How often something has happened in this run so far.
fn count(is_meant: impl Fn(&Event) -> bool) -> usize {
    let trace = trace::current().expect("the run is recorded");
    trace.records().iter().filter(|record| is_meant(&record.event)).count()
}

fn polls(wanted: Id) -> usize {
    count(|event| matches!(*event, Event::PollBegun { task } if task == wanted))
}

async fn client(mut stream: TcpStream, server: Id) -> io::Result<()> {
    for message in ["one", "two", "three"] {
        sleep(Duration::from_millis(50)).await;
        println!("client: {message:?}; by now the server was polled {}×", polls(server));
        stream.write_all(message.as_bytes()).await?;
        let mut reply = vec![0; message.len()];
        stream.read_exact(&mut reply).await?;
        println!("client: came back as {:?}", String::from_utf8_lossy(&reply));
    }
    Ok(())
}

async fn demonstrate() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let connecting = TcpStream::connect(listener.local_addr()?);
    let (accepted, connected) = handspun::join!(listener.accept(), connecting);
    let running = task::Builder::new().name("server").spawn(echo(accepted?.0));
    let server = running.id();
    client(connected?, server).await?;
    running.await.expect("the server does not panic")?;

    println!("3 messages: {} polls", polls(server));
    let wakes = count(|event| matches!(*event, Event::Woken { task, .. } if task == server));
    let by_socket = count(
        |event| matches!(*event, Event::Woken { task, by: Cause::Socket, .. } if task == server),
    );
    println!("{wakes} wakes, {by_socket} of them by a socket");
    Ok(())
}

async fn serve(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => drop(handspun::spawn(echo(stream))),
            // Of one connection; or there are too many, and it is the same at once again.
            Err(_error) => sleep(Duration::from_millis(100)).await,
        }
    }
}

fn main() -> io::Result<()> {
    let Some(address) = support::address_to_serve() else {
        return Executor::builder().record(1_000).build().block_on(demonstrate());
    };
    let listener = TcpListener::from_std(support::listen(&address))?;
    handspun::block_on(async {
        handspun::select! {
            () = serve(listener) => {}
            () = support::end_of_input() => {}
        }
    });
    Ok(())
}
