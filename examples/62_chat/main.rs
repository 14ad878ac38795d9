//! A chat server: rooms, names, slow clients, clients that sleep, hostile clients, and an end.
//!
//! How do the pieces come together in a program that is to stay up? There are two tasks for each
//! client (`reader.rs`, `writer.rs`), rooms that nobody can hold up (`rooms.rs`, `ear.rs`), lines
//! of which none is believed (`lines.rs`), and a shutdown that lets everybody finish, within a
//! second (`server.rs`). How much memory a client can make it use is bounded by constants.
//!
//! Predict before you run: Bob stops reading while Ann and Cy talk on. Who has to wait, and what
//! does Bob hear when he reads again?
//!
//! Next: `63_http_files`. Run: `cargo run --example 62_chat`. To chat:
//!
//! ```text
//! cargo run --example 62_chat -- serve 127.0.0.1:7000 [--idle-ms 60000]
//! nc 127.0.0.1 7000             (in other windows)
//! ```
//!
//! It serves until stdin is at its end (Ctrl-D), or says `quit`. (Ctrl-C ends it without a goodbye:
//! std knows no signals.)
//!
//! Left out: passwords, encryption, and more processors than one.

mod demonstration;
mod ear;
mod guest;
mod lines;
mod reader;
mod rooms;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod writer;

use handspun::net::TcpListener;
use handspun::sync::CancellationToken;
use handspun::time::Duration;
use server::Server;
use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::thread;

fn main() -> io::Result<()> {
    let arguments = support::arguments();
    if arguments.is_empty() {
        return demonstration::run();
    }
    let (address, idle) = match parse(arguments) {
        Ok(options) => options,
        Err(complaint) => support::complain(&format!("{complaint} ({USAGE})")),
    };
    let listener = TcpListener::from_std(support::listen(&address))?;
    let closes = CancellationToken::new();
    thread::spawn({
        let closes = closes.clone();
        move || {
            wait_for_quit();
            closes.cancel();
        }
    });
    handspun::block_on(Server::new(idle, closes).run(listener));
    say("closed");
    Ok(())
}

/// Blocks: on a thread of its own.
fn wait_for_quit() {
    for line in io::stdin().lock().split(b'\n') {
        match line.as_deref() {
            Ok(line) if line.trim_ascii() == b"quit" => break,
            Ok(_) => say("(say `quit`)"),
            Err(_) => break,
        }
    }
}

/// Not `println!`, which panics when nobody reads any more what it prints.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

const USAGE: &str = "this example takes `serve ADDRESS [--idle-ms N]`, `--trace`, or nothing";

fn parse(arguments: Vec<OsString>) -> Result<(String, Duration), String> {
    let mut idle = Duration::from_secs(60);
    let mut arguments = arguments.into_iter();
    match arguments.next() {
        Some(command) if command == "serve" => {}
        other => return Err(format!("unknown argument {:?}", other.unwrap_or_default())),
    }
    let address = arguments.next().ok_or("serve where?")?;
    while let Some(option) = arguments.next() {
        if option != "--idle-ms" {
            return Err(format!("unknown argument {option:?}"));
        }
        let number = arguments.next().unwrap_or_default();
        let millis = number.to_str().and_then(|number| number.parse().ok()).filter(|n| *n > 0);
        let millis = millis.ok_or(format!("--idle-ms needs a number, not {number:?}"))?;
        idle = Duration::from_millis(millis);
    }
    Ok((address.to_string_lossy().into_owned(), idle))
}
