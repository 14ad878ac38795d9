//! An echo server for many clients, each of them served by a task of its own. Who is silent for too
//! long hears a goodbye.

use handspun::net::{TcpListener, TcpStream};
use handspun::time::{Duration, sleep, timeout};
use std::io;

const TOO_QUIET: &[u8] = b"too quiet for too long: goodbye\n";

pub async fn serve(listener: TcpListener, idle: Duration) {
    loop {
        let Ok((stream, _peer)) = listener.accept().await else {
            // Of one connection; or there are too many, and it is the same at once again.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        handspun::spawn(echo(stream, idle));
    }
}

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
