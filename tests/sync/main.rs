//! Channels and locks: one file for each, and in each the same parts in the same order. What it
//! does, as whole histories; threads that block for it; every future cancelled at every await;
//! random programs against a model of a page; wakers and values that do their worst, which no lock
//! is held for; other threads; and which of its types may go there.
//!
//! A promise that several of them make is a test of the same name in each. What shows only when
//! they meet is in `together`.

#[path = "../support/auto_traits.rs"]
mod auto_traits;
#[path = "../support/cancel.rs"]
mod cancel;
#[path = "../support/hostile.rs"]
mod hostile;
#[path = "../support/lent.rs"]
mod lent;
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
