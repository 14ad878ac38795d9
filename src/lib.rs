//! A single-threaded async executor, spun by hand on `std` alone, and made to be read.
//!
//! ```
//! use handspun::time::{Duration, sleep};
//!
//! let answer = handspun::block_on(async {
//!     let slow = handspun::spawn(async {
//!         sleep(Duration::from_millis(2)).await;
//!         40
//!     });
//!     let quick = handspun::spawn(async { 2 });
//!     slow.await.unwrap() + quick.await.unwrap()
//! });
//! assert_eq!(answer, 42);
//! ```
#![warn(clippy::undocumented_unsafe_blocks)]

pub mod executor;
mod list;
mod mailbox;
mod name;
mod panics;
mod pin;
mod slab;
pub mod task;
pub mod time;
mod waker;

pub use executor::block_on;
pub use task::spawn;
