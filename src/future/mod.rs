//! Combinators: futures made of futures.
//!
//! | function | is ready when | with |
//! |---|---|---|
//! | [`join()`], [`join3`] | both (all three) are | a tuple |
//! | [`try_join()`] | both are `Ok`, or one is `Err` | a tuple, or the first error |
//! | [`join_all()`] | all of many are | a `Vec`, in the order of the futures |
//! | [`try_join_all`] | all of many are `Ok`, or one is `Err` | a `Vec`, or the first error |
//! | [`race()`] | one of two is | [`Either`] output |
//!
//! None of them spawns: the futures stay inside, are polled in the same task, and are dropped with
//! the combinator. That is why they may borrow. A future that is ready is dropped at once, and not
//! polled again.
//!
//! They know [`std::future`] and nothing of the executor: they would run on any.
//!
//! The macros [`join!`](crate::join), [`try_join!`](crate::try_join) and [`select!`](crate::select)
//! (`macros.rs`) do the same for dozens of futures, each of another type.

mod join;
mod join_all;
mod race;

pub use join::{Join, Join3, TryJoin, join, join3, try_join};
pub use join_all::{JoinAll, TryJoinAll, join_all, try_join_all};
pub use race::{Either, Race, race};
