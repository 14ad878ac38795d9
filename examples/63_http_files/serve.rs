//! Connections: who may come, how long each step may take, and how it all ends.
//!
//! ```text
//!   accept ──► a permit, a task ──► read ──► parse ──► answer ──► send ──┐
//!                                    ▲               (a thread) (chunks) │
//!                                    └──────────── keep-alive ───────────┘
//! ```
//!
//! One task for each connection, which reads a request, answers it, and only then looks at the
//! next; so requests that come one behind the other are answered in order. What touches the disk
//! runs on another thread, a chunk at a time, and a large file blocks nobody.
//!
//! Nothing waits for ever, and nothing grows without an end: for each wait there is a limit of
//! time, for what is kept one of space, and for connections a semaphore.
//!
//! Left out: justice. One client may take all permits, for as long as the limits of time allow.

use crate::files;
use crate::request::{self, Refusal, Request};
use crate::response::{Body, Response};
use handspun::net::{TcpListener, TcpStream};
use handspun::select;
use handspun::sync::{CancellationToken, Semaphore};
use handspun::task::spawn_blocking;
use handspun::time::{Duration, sleep, timeout};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Take};
use std::path::PathBuf;
use std::sync::Arc;

/// How much a client may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at a time; others wait for one to end.
    pub connections: u32,
    /// Until a request begins.
    pub idle: Duration,
    /// From then on until it has come.
    pub request: Duration,
    /// Until the client has taken a chunk of the answer.
    pub write: Duration,
    /// When the server ends: until the requests under way are answered.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 256,
            idle: Duration::from_secs(15),
            request: Duration::from_secs(10),
            write: Duration::from_secs(30),
            farewell: Duration::from_secs(10),
        }
    }
}

/// How much is read from a file, and written to a client, at a time.
const CHUNK: u64 = 64 * 1024;
/// After an answer that is the last one: how long the client may take to hang up.
const LINGER: Duration = Duration::from_secs(5);
/// After an accept that failed: most likely there are too many files open.
const BREATHER: Duration = Duration::from_millis(50);

/// What the connections share.
struct Site {
    /// Canonical.
    root: PathBuf,
    limits: Limits,
    stop: CancellationToken,
}

/// Serves the files under `root`, which is canonical, until it is told to stop; then answers what
/// has been asked. Returns whether there was time for that.
pub async fn serve(
    listener: TcpListener,
    root: PathBuf,
    limits: Limits,
    stop: CancellationToken,
) -> bool {
    let site = Arc::new(Site { root, limits, stop });
    let permits = Arc::new(Semaphore::new(site.limits.connections as usize));
    site.stop.run_until_cancelled(accept(&listener, &permits, &site)).await;
    // Whoever comes from now on is turned away.
    drop(listener);
    // Whoever has all permits is alone.
    let alone = permits.acquire_many(site.limits.connections);
    timeout(site.limits.farewell, alone).await.is_ok()
}

async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>, site: &Arc<Site>) {
    loop {
        let permit = permits.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _peer)) => {
                let connection = Connection {
                    stream,
                    received: Vec::new(),
                    site: site.clone(),
                };
                handspun::spawn(async move {
                    let _permit = permit;
                    // An error here is that the client is gone, or too slow.
                    let _ = connection.run().await;
                });
            }
            Err(_most_likely_too_many_files) => sleep(BREATHER).await,
        }
    }
}

struct Connection {
    stream: TcpStream,
    /// What has come and is not answered yet.
    received: Vec<u8>,
    site: Arc<Site>,
}

impl Connection {
    async fn run(mut self) -> io::Result<()> {
        // An answer is sent in large pieces: there is nothing to gather.
        self.stream.set_nodelay(true)?;
        loop {
            let (response, head_only, keep_alive) = match self.next_request().await {
                Ok(None) => return Ok(()),
                Ok(Some(request)) => {
                    let (head_only, keep_alive) = (request.head_only, request.keep_alive);
                    (self.answer(request).await, head_only, keep_alive)
                }
                Err(Refusal(status)) => {
                    (Response::plain(status), request::is_head(&self.received), false)
                }
            };
            let keep_alive = keep_alive && !self.site.stop.is_cancelled();
            self.send(response, head_only, keep_alive).await?;
            if !keep_alive {
                return self.hang_up().await;
            }
        }
    }

    // Requests come.

    /// `None`: there is none, and nobody waits for an answer.
    async fn next_request(&mut self) -> Result<Option<Request>, Refusal> {
        let site = self.site.clone();
        if self.received.is_empty() {
            let has_begun = select! {
                // In this order: what is there when the server ends is answered.
                biased;
                read = timeout(site.limits.idle, self.read()) => read.unwrap_or(false),
                () = site.stop.cancelled() => false,
            };
            if !has_begun {
                return Ok(None);
            }
        }
        let request = timeout(site.limits.request, self.read_request()).await;
        request.unwrap_or(Err(Refusal(408))).map(Some)
    }

    /// Reads until a request has come with its body, which is thrown away.
    async fn read_request(&mut self) -> Result<Request, Refusal> {
        loop {
            let request = request::parse(&self.received)?;
            if let Some(request) = request.filter(|own| own.length <= self.received.len()) {
                self.received.drain(..request.length);
                return Ok(request);
            }
            if !self.read().await {
                return Err(Refusal(400));
            }
        }
    }

    /// `false`: nothing more will come.
    async fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = self.stream.read(&mut buffer).await.unwrap_or(0);
        self.received.extend_from_slice(&buffer[..read]);
        read > 0
    }

    // Answers go.

    async fn answer(&self, request: Request) -> Response {
        let site = self.site.clone();
        let answer = spawn_blocking(move || files::answer(&site.root, &request));
        answer.await.unwrap_or_else(|_panic| Response::plain(500))
    }

    async fn send(
        &mut self,
        response: Response,
        head_only: bool,
        keep_alive: bool,
    ) -> io::Result<()> {
        let mut chunk = response.head(keep_alive).into_bytes();
        match response.body {
            _ if head_only => self.write(&chunk).await,
            Body::Text(text) => {
                chunk.extend(text.into_bytes());
                self.write(&chunk).await
            }
            Body::File(mut file) => loop {
                (file, chunk) = spawn_blocking(move || read_chunk(file, chunk)).await??;
                self.write(&chunk).await?;
                chunk.clear();
                if file.limit() == 0 {
                    return Ok(());
                }
            },
        }
    }

    async fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        timeout(self.site.limits.write, self.stream.write_all(chunk)).await?
    }

    /// Closes the connection when the client has. If it were closed while there is something to
    /// read, the system would reset it, and the client might lose an answer that is on its way.
    async fn hang_up(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let gone = async {
            while self.read().await {
                self.received.clear();
            }
        };
        Ok(timeout(LINGER, gone).await?)
    }
}

/// Appends the next chunk. Blocks.
fn read_chunk(mut file: Take<File>, mut chunk: Vec<u8>) -> io::Result<(Take<File>, Vec<u8>)> {
    let read = file.by_ref().take(CHUNK).read_to_end(&mut chunk)?;
    // It has become shorter since its length was sent: all that is left is to close.
    match read == 0 && file.limit() > 0 {
        true => Err(ErrorKind::UnexpectedEof.into()),
        false => Ok((file, chunk)),
    }
}
