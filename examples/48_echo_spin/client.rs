//! The client that v2 serves: a thread that knows nothing of futures. Its socket blocks.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

pub fn run(server: SocketAddr) -> io::Result<()> {
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
