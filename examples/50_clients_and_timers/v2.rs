//! v2 has a client that says nothing, and hears when it has been quiet for too long. Meanwhile an
//! interval ticks: the one sleep is ended by whichever comes first. Next: `v3.rs`.

use handspun::net::TcpStream;
use handspun::time::{Duration, interval};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;

pub async fn a_quiet_one(server: SocketAddr) -> io::Result<()> {
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
