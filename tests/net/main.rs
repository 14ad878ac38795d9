//! Sockets: what each of them does, and what all of them ask of the executor.
//!
//! `tcp`, `udp` and `lookup` say what the methods do, as whole histories, and what is left when a
//! future is dropped in the middle. `reactor` says how sockets, timers, threads and tasks that are
//! always busy share one thread: who is woken by what, how soon (counted in polls), and that
//! nothing happens when nothing happens. `load` brings crowds, `limits` what a system refuses.
//!
//! All of it goes over 127.0.0.1. Where a test needs to know that something has arrived, it waits
//! for that; none sleeps and hopes.
#![cfg(unix)]

#[path = "../support/auto_traits.rs"]
mod auto_traits;
#[path = "../support/cancel.rs"]
mod cancel;
#[path = "../support/hostile.rs"]
mod hostile;
#[path = "../support/signal.rs"]
mod signal;
mod support;
#[path = "../support/watchdog.rs"]
mod watchdog;

mod limits;
mod load;
mod lookup;
mod reactor;
mod tcp;
mod udp;
