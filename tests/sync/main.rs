//! Channels and locks: one file for each, and in each the same parts. What it does, as whole
//! histories; every future cancelled at every await; random programs against a model of a page;
//! wakers and destructors that do their worst; other threads.

#[path = "../support/auto_traits.rs"]
mod auto_traits;
#[path = "../support/cancel.rs"]
mod cancel;
#[path = "../support/hostile.rs"]
mod hostile;
#[path = "../support/programs.rs"]
mod programs;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/watchdog.rs"]
mod watchdog;

mod barrier;
mod broadcast;
mod mpsc;
mod mutex;
mod notify;
mod once_cell;
mod oneshot;
mod rwlock;
mod semaphore;
mod together;
mod watch;

use handspun::sync;
