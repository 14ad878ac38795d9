//! Lints: mistakes that a recorded run shows, each with a name and a section of `docs/lints.md`.
//!
//! The compiler sees what is written, a lint what has happened. Each is found by a
//! [`Check`]: it is shown the records one by one, together with the state before each, and keeps
//! what it finds. No check looks back, so all of them together take one walk through the trace.
//!
//! ```text
//!   records ──► replay ──► checks ───► what was found, ──► sentences
//!               (view.rs)  ends.rs     by place
//!                          spins.rs    (found.rs)
//!                          polls.rs
//!                          timers.rs
//!                          locks.rs
//! ```
//!
//! Two rules keep the list worth reading:
//!
//! - *One lint for each cause.* A cause is a line of the program: where tasks are spawned, where
//!   timers or locks are made. A thousand tasks of one loop are one lint, with a count.
//! - *Rather miss than cry wolf.* What is right in some reading of the events is not told, or the
//!   lint says what that reading is. For each lint `tests/trace/lint.rs` has the wrong program, and
//!   beside it the right one that looks most like it.
//!
//! Left out: what no event tells, like the flag that a busy loop looks at, or who has a lock that
//! nobody lets go of.
//!
//! Next: `trace/output.rs`.

mod ends;
mod found;
mod locks;
mod polls;
mod spins;
mod timers;
mod view;

pub use found::{Lint, LintKind};

use super::event::Trace;
use ends::Ends;
use found::Found;
use locks::Locks;
use polls::{LongPolls, Sizes};
use spins::Spins;
use timers::Timers;
use view::{Check, View};

impl Trace {
    /// The mistakes that this run shows: at most 20 of a kind, and one that counts the rest.
    pub fn lints(&self) -> Vec<Lint> {
        let mut checks: [Box<dyn Check>; 6] = [
            Box::<Ends>::default(),
            Box::<Spins>::default(),
            Box::<LongPolls>::default(),
            Box::<Sizes>::default(),
            Box::<Timers>::default(),
            Box::<Locks>::default(),
        ];
        let mut view = View::of(self);
        for record in &self.records {
            checks.iter_mut().for_each(|check| check.see(&view, record));
            view.take(record);
        }
        let found = checks.iter_mut().flat_map(|check| check.end(&view));
        let mut found: Vec<(LintKind, Found)> = found.collect();
        found.sort_by_key(|(kind, _)| *kind);
        found.into_iter().flat_map(|(kind, found)| found.into_lints(kind)).collect()
    }
}
