//! v1 has ten clients at once. All of them are connected before the first says something, and the
//! last to say something is the first to listen. Next: `v2.rs`.

use handspun::future::try_join_all;
use handspun::net::TcpStream;
use std::io;
use std::net::SocketAddr;

pub async fn ten_at_once(server: SocketAddr) -> io::Result<()> {
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
