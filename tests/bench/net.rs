//! The rows of sockets.
//!
//! Clients and servers are tasks of one executor, so that no other thread is in the figure. Each
//! client sends 64 bytes and waits until it has them back. Most of the time is the system's: two
//! sends and two receives, and a share in a call of `poll(2)`.

use super::rows::{in_task, ns_each};
use handspun::net::{TcpListener, TcpStream};
use handspun::spawn;
use std::io;
use std::time::Instant;

/// Round trips of so many clients at a time, beside others that only stay connected.
///
/// Not a number if the process may not open as many files as that takes: two for a connection.
pub fn echo(busy: u64, idle: u64, n: u64) -> f64 {
    in_task(async move {
        match connect_all(busy + idle).await {
            Ok(clients) => measure(clients, busy, n).await,
            Err(_) => f64::NAN,
        }
    })
}

async fn measure(mut clients: Vec<TcpStream>, busy: u64, n: u64) -> f64 {
    let each = n.div_ceil(busy);
    let idle = clients.split_off(busy as usize);
    let start = Instant::now();
    let client = |mut stream| spawn(async move { round_trips(&mut stream, each).await });
    for task in clients.into_iter().map(client).collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    let figure = ns_each(start, each * busy);
    drop(idle);
    figure
}

/// So many connections to an echo server, each of which has been used once.
async fn connect_all(connections: u64) -> io::Result<Vec<TcpStream>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut clients = Vec::new();
    for _ in 0..connections {
        let mut client = TcpStream::connect(address).await?;
        let (server, _) = listener.accept().await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        spawn(serve(server));
        round_trips(&mut client, 1).await?;
        clients.push(client);
    }
    Ok(clients)
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            read => stream.write_all(&buffer[..read]).await?,
        }
    }
}

async fn round_trips(stream: &mut TcpStream, n: u64) -> io::Result<()> {
    for trip in 0..n {
        let sent = [trip as u8; 64];
        let mut received = [0; 64];
        stream.write_all(&sent).await?;
        stream.read_exact(&mut received).await?;
        assert_eq!(received, sent);
    }
    Ok(())
}
