//! Recorded runs, and what is made of them.

mod chrome;
mod events;
mod hostile;
mod html;
mod lint;
mod recording;
mod svg;
mod text;

#[path = "../support/mod.rs"]
mod support;
