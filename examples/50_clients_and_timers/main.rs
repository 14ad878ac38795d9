//! Many clients, and timers among them: one sleep is ended by a socket, a timer or a thread alike.
//!
//! An executor with nothing to poll makes one call to the system, and sleeps in it: until one of
//! all its sockets is ready, at most until its first timer is due, and another thread rings a bell
//! that is a socket too (`src/net/bell.rs`). So a timeout around a read is nothing special, and
//! `select!` can wait for a socket, a timer and a thread at once.
//!
//! One server (`server.rs`), and three programs that talk to it: v1 has ten clients at once, v2 has
//! one that says nothing, and in v3 one task waits for a timer, a socket and a thread.
//!
//! Predict before you run: what does the server need, so as to have ten clients at once? And who
//! tells a client that says nothing that it has been too quiet, while the server awaits its bytes?
//!
//! Run: `cargo run --example 50_clients_and_timers`, and with `-- v2` only the second. With
//! `-- serve 127.0.0.1:7000` it serves until Ctrl-C, or Ctrl-D. Begin with `server.rs`. Next:
//! `51_shutdown`.

mod server;
#[path = "../support/mod.rs"]
mod support;
mod v1;
mod v2;
mod v3;

use handspun::net::TcpListener;
use handspun::time::Duration;
use server::serve;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

/// A client may be silent for so long.
const MINUTE: Duration = Duration::from_secs(60);

fn main() -> io::Result<()> {
    let (asked_for, address) = support::stages_and_address(3);
    if let Some(address) = address {
        return serve_until_end_of_input(&address);
    }
    handspun::block_on(async {
        if asked_for(1) {
            beside_server(MINUTE, v1::ten_at_once).await?;
        }
        if asked_for(2) {
            beside_server(Duration::from_millis(200), v2::a_quiet_one).await?;
        }
        if asked_for(3) {
            beside_server(MINUTE, v3::three_reasons_to_wake).await?;
        }
        Ok(())
    })
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

fn serve_until_end_of_input(address: &str) -> io::Result<()> {
    let listener = TcpListener::from_std(support::listen(address))?;
    handspun::block_on(async {
        handspun::select! {
            () = serve(listener, MINUTE) => {}
            () = support::end_of_input() => {}
        }
    });
    Ok(())
}
