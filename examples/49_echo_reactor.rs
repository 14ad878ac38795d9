//! The same echo server on a reactor: it is polled when there is something to do, and not before.
//!
//! `handspun::net` tries, too, and is pending when the socket says `WouldBlock`. But it leaves its
//! waker with the executor, under the number of the socket. When nothing is runnable the executor
//! hands all such numbers to the system, in one call, `poll(2)`, and sleeps in there until one of
//! them is ready, and wakes whose it is. Open `src/net/reactor.rs` beside this.
//!
//! Server and client are tasks of one executor here, so that everything has its order.
//!
//! Predict before you run: the client thinks for 50 ms before each of its three messages, and then
//! goes. How often is the server's task polled?
//!
//! Run: `cargo run --example 49_echo_reactor`, and with `-- --trace text` to see who woke whom.
//! With `-- serve 127.0.0.1:7000` it serves until Ctrl-C, or Ctrl-D. Next: `50_clients_and_timers`.

mod support;

use handspun::executor::Executor;
use handspun::net::{TcpListener, TcpStream};
use handspun::task;
use handspun::time::{Duration, sleep};
use handspun::trace::{Cause, Event};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::rc::Rc;

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

/// Counts how often a future is polled.
async fn counted<F: Future>(polls: Rc<Cell<u64>>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        polls.set(polls.get() + 1);
        future.as_mut().poll(cx)
    })
    .await
}

async fn client(mut stream: TcpStream, polls_of_server: &Cell<u64>) -> io::Result<()> {
    for message in ["one", "two", "three"] {
        sleep(Duration::from_millis(50)).await;
        println!("client: {message:?}; by now the server was polled {}×", polls_of_server.get());
        stream.write_all(message.as_bytes()).await?;
        let mut reply = vec![0; message.len()];
        stream.read_exact(&mut reply).await?;
        println!("client: came back as {:?}", String::from_utf8_lossy(&reply));
    }
    Ok(())
}

fn demonstrate() -> io::Result<()> {
    let executor = Executor::builder().record(1_000).build();
    let polls = Rc::new(Cell::new(0));
    let server = executor.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let connecting = TcpStream::connect(listener.local_addr()?);
        let (accepted, connected) = handspun::join!(listener.accept(), connecting);
        let server = task::Builder::new().name("server");
        let server = server.spawn(counted(polls.clone(), echo(accepted?.0)));
        let id = server.id();
        client(connected?, &polls).await?;
        server.await.expect("the server does not panic")?;
        io::Result::Ok(id)
    })?;
    println!("3 messages: {} polls", polls.get());

    let by_socket = |event: &Event| match *event {
        Event::Woken { task, by, .. } if task == server => Some(by == Cause::Socket),
        _ => None,
    };
    let trace = executor.trace();
    let wakes: Vec<bool> = trace.records().iter().filter_map(|r| by_socket(&r.event)).collect();
    let sockets = wakes.iter().filter(|by_socket| **by_socket).count();
    println!("{} wakes, {sockets} of them by a socket", wakes.len());
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
        return demonstrate();
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
