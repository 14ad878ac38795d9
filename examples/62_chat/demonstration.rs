//! What the example shows of itself: guests who come over real sockets, in the same executor.
//!
//! Each waits for what it has to hear before the next one speaks, so that the order is always the
//! same.

use crate::guest::Guest;
use crate::rooms::{Chat, REMEMBERED};
use crate::server::Server;
use handspun::net::TcpListener;
use handspun::sync::CancellationToken;
use handspun::task::JoinHandle;
use handspun::time::Duration;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

const MINUTE: Duration = Duration::from_secs(60);

pub fn run() -> io::Result<()> {
    handspun::block_on(async {
        let closes = CancellationToken::new();
        let (address, chat, server) = open(MINUTE, closes.clone()).await?;

        println!("Two, and a third whose name is taken");
        let mut ann = Guest::enter(address, "ann").await?;
        let mut bob = Guest::enter(address, "bob").await?;
        ann.hears(1).await?;
        let mut cy = Guest::come(address, "cy").await?;
        for name in ["ann", "", "\x1b[2J", "cy"] {
            cy.says(name).await?;
            cy.hears(1).await?;
        }
        cy.hears(1).await?;
        ann.hears(1).await?;
        bob.hears(1).await?;

        println!("Rooms");
        bob.says("/join garden").await?;
        bob.hears(1).await?;
        ann.hears(1).await?;
        cy.hears(1).await?;
        ann.says("Where is Bob?").await?;
        cy.hears(1).await?;
        bob.says("/join lobby").await?;
        bob.hears(1).await?;
        ann.hears(1).await?;
        cy.hears(1).await?;

        println!("Bob does not read");
        bob_lags(&chat, [&mut ann, &mut bob, &mut cy]).await?;

        println!("Dan does not speak");
        let (address, _, _asleep) = open(Duration::from_millis(100), closes.clone()).await?;
        Guest::come(address, "dan").await?.hears_the_end().await?;

        println!("The end");
        bob.says("/quit").await?;
        bob.hears_the_end().await?;
        ann.hears(1).await?;
        cy.hears(1).await?;
        closes.cancel();
        ann.hears_the_end().await?;
        cy.hears_the_end().await?;
        server.await.expect("the server does not panic");
        Ok(())
    })
}

/// Starts a server.
async fn open(
    idle: Duration,
    closes: CancellationToken,
) -> io::Result<(SocketAddr, Rc<Chat>, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let (address, server) = (listener.local_addr()?, Server::new(idle, closes));
    let chat = server.chat.clone();
    Ok((address, chat, handspun::spawn(server.run(listener))))
}

/// Ann talks until the sockets between the server and Bob are full, and the room forgets what he
/// has not heard. Cy hears every word.
async fn bob_lags(chat: &Chat, [ann, bob, cy]: [&mut Guest; 3]) -> io::Result<()> {
    let mut said = 0;
    let padding = "la ".repeat(300);
    // How many posts ago the room began to be full, and to forget.
    let mut full_for = 0;
    while full_for < REMEMBERED {
        said += 1;
        ann.write(&format!("{said} {padding}")).await?;
        let heard = cy.line().await?;
        assert!(heard.starts_with(&format!("ann: {said} ")), "Cy missed nothing");
        full_for = if chat.backlog("lobby") == REMEMBERED { full_for + 1 } else { 0 };
    }
    ann.write("Bob?").await?;
    cy.line().await?;
    println!("  cy heard all that ann said");
    let (mut heard, mut missed) = (0, 0);
    loop {
        let line = bob.line().await?;
        if let Some(number) = line.strip_prefix("* you were too slow, and missed ") {
            missed += number.parse::<u64>().map_err(io::Error::other)?;
        } else if line == "ann: Bob?" {
            break;
        } else {
            heard += 1;
        }
    }
    println!("  bob missed some, and was told so: {}", missed > 0);
    println!("  what he heard and what he missed is what ann said: {}", heard + missed == said);
    Ok(())
}
