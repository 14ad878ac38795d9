//! v3 has one task that waits for three things: a timer, a socket and a thread. Each makes the next
//! one happen.

use handspun::net::TcpStream;
use handspun::sync::oneshot;
use handspun::time::{Duration, sleep};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::thread;

pub async fn three_reasons_to_wake(server: SocketAddr) -> io::Result<()> {
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
