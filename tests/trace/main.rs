//! Recorded runs, and what is made of them.

mod chrome;
mod events;
mod hostile;
mod html;
mod lint;
mod recording;
#[cfg(unix)]
mod sockets;
mod svg;
mod text;
mod words;

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/watchdog.rs"]
mod watchdog;
