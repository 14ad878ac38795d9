//! Recorded runs, and what is made of them.

mod chrome;
mod events;
mod hostile;
mod html;
mod lint;
mod lint_page;
mod recording;
#[cfg(unix)]
mod sockets;
mod svg;
mod text;
mod words;

#[path = "../book/changed.rs"]
#[allow(dead_code, reason = "the book has changes, too")]
mod changed;
#[path = "../support/examples.rs"]
mod programs;
#[path = "../support/mod.rs"]
mod support;

#[path = "../support/watchdog.rs"]
mod watchdog;
