//! Many clients, and timers among them: one sleep is ended by a socket, a timer or a thread alike.
//!
//! An executor with nothing to poll makes one call to the system, and sleeps in it: until one of
//! all its sockets is ready, at most until its first timer is due, and another thread rings a bell
//! that is a socket too (`src/net/bell.rs`). So a timeout around a read is nothing special, and
//! `select!` can wait for a socket, a timer and a thread at once.
//!
//! Predict before you run: what does the server need, so as to have ten clients at once? And who
//! tells a client that says nothing that it has been too quiet, while the server awaits its bytes?
//!
//! Run: `cargo run --example 50_clients_and_timers`. With `-- serve 127.0.0.1:7000` it serves until
//! Ctrl-C, or Ctrl-D. Next: `51_shutdown`.

mod support;

use handspun::future::try_join_all;
use handspun::net::{TcpListener, TcpStream};
use handspun::sync::oneshot;
use handspun::time::{Duration, interval, sleep, timeout};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::thread;

const MINUTE: Duration = Duration::from_secs(60);
const TOO_QUIET: &[u8] = b"too quiet for too long: goodbye\n";

/// Sends back what comes, to the end, or until nothing has come for so long.
async fn echo(mut stream: TcpStream, idle: Duration) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match timeout(idle, stream.read(&mut buffer)).await {
            Ok(Ok(0)) => return Ok(()),
            Ok(read) => stream.write_all(&buffer[..read?]).await?,
            Err(_elapsed) => return stream.write_all(TOO_QUIET).await,
        }
    }
}

async fn serve(listener: TcpListener, idle: Duration) {
    loop {
        let Ok((stream, _peer)) = listener.accept().await else {
            // Of one connection; or there are too many, and it is the same at once again.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        handspun::spawn(echo(stream, idle));
    }
}

/// Runs a server beside clients of it, until these have ended.
async fn beside_server(
    idle: Duration,
    clients: impl AsyncFnOnce(SocketAddr) -> io::Result<()>,
) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    handspun::select! {
        () = serve(listener, idle) => Ok(()),
        end = clients(address) => end,
    }
}

/// All ten are connected before the first says something, and the last to say something is the
/// first to listen.
async fn ten_at_once(server: SocketAddr) -> io::Result<()> {
    let connecting = (0..10).map(|_| TcpStream::connect(server));
    let mut clients = try_join_all(connecting).await?;
    for (number, client) in clients.iter_mut().enumerate() {
        client.write_all(&[number as u8]).await?;
    }
    for (number, client) in clients.iter_mut().enumerate().rev() {
        let mut reply = [0];
        client.read_exact(&mut reply).await?;
        assert_eq!(reply, [number as u8]);
    }
    println!("10 clients at once: each got its own words back");
    Ok(())
}

async fn a_quiet_one(server: SocketAddr) -> io::Result<()> {
    let mut quiet = TcpStream::connect(server).await?;
    let mut goodbye = pin!(async {
        let mut heard = Vec::new();
        quiet.read_to_end(&mut heard).await.map(|_bytes| heard)
    });
    let mut interval = interval(Duration::from_millis(20));
    let mut ticks = 0;
    let heard = loop {
        handspun::select! {
            biased;
            _ = interval.tick() => ticks += 1,
            heard = &mut goodbye => break heard?,
        }
    };
    print!("a client that says nothing hears: {}", String::from_utf8_lossy(&heard));
    println!("meanwhile an interval ticked on: {}", ticks > 1);
    Ok(())
}

/// One task waits for three things. Each makes the next one happen.
async fn three_reasons_to_wake(server: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(server).await?;
    let (mut read, mut write) = stream.split();
    let (sender, mut answer) = oneshot::channel();
    let (mut sender, mut buffer) = (Some(sender), [0; 16]);
    let mut timer = pin!(sleep(Duration::from_millis(20)));
    println!("who ends the sleep?");
    loop {
        handspun::select! {
            () = &mut timer, if !timer.is_elapsed() => {
                println!("  a timer");
                write.write_all(b"and now a socket").await?;
            }
            bytes = read.read(&mut buffer) => {
                bytes?;
                println!("  a socket");
                let sender = sender.take();
                thread::spawn(|| sender.map(|sender| sender.send("a thread")));
            }
            word = &mut answer => {
                println!("  {}", word.expect("the thread sends it"));
                return Ok(());
            }
        }
    }
}

async fn demonstrate() -> io::Result<()> {
    beside_server(MINUTE, ten_at_once).await?;
    beside_server(Duration::from_millis(200), a_quiet_one).await?;
    beside_server(MINUTE, three_reasons_to_wake).await
}

fn main() -> io::Result<()> {
    let Some(address) = support::address_to_serve() else {
        return handspun::block_on(demonstrate());
    };
    let listener = TcpListener::from_std(support::listen(&address))?;
    handspun::block_on(async {
        handspun::select! {
            () = serve(listener, MINUTE) => {}
            () = support::end_of_input() => {}
        }
    });
    Ok(())
}
