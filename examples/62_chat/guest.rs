//! A guest of the demonstration: a client that prints what it says and hears.

use handspun::net::TcpStream;
use std::io;
use std::net::SocketAddr;

pub struct Guest {
    name: &'static str,
    stream: TcpStream,
    /// What has come of the next lines.
    unread: Vec<u8>,
}

impl Guest {
    pub async fn come(server: SocketAddr, name: &'static str) -> io::Result<Guest> {
        let stream = TcpStream::connect(server).await?;
        let mut guest = Guest {
            name,
            stream,
            unread: Vec::new(),
        };
        guest.hears(1).await?;
        Ok(guest)
    }

    pub async fn enter(server: SocketAddr, name: &'static str) -> io::Result<Guest> {
        let mut guest = Guest::come(server, name).await?;
        guest.says(name).await?;
        guest.hears(2).await?;
        Ok(guest)
    }

    pub async fn says(&mut self, line: &str) -> io::Result<()> {
        println!("  {:3} > {}", self.name, line.escape_debug());
        self.write(line).await
    }

    pub async fn write(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\n").as_bytes()).await
    }

    pub async fn hears(&mut self, lines: usize) -> io::Result<()> {
        for _ in 0..lines {
            let line = self.line().await?;
            println!("  {:3}     < {line}", self.name);
        }
        Ok(())
    }

    pub async fn hears_the_end(mut self) -> io::Result<()> {
        while let Ok(line) = self.line().await {
            println!("  {:3}     < {line}", self.name);
        }
        Ok(())
    }

    pub async fn line(&mut self) -> io::Result<String> {
        let mut block = [0; 1024];
        loop {
            if let Some(end) = self.unread.iter().position(|&byte| byte == b'\n') {
                let line = self.unread.drain(..=end).collect::<Vec<u8>>();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            match self.stream.read(&mut block).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.unread.extend_from_slice(&block[..read]),
            }
        }
    }
}
