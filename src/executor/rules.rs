//! Five rules of the executor that can be broken, to see what they are for.
//!
//! A rule is easiest to understand without it. With the feature `breakable` the executor reads the
//! environment variable `HANDSPUN_BREAK` and leaves one rule out; each example can be run so. (One
//! that needs the rule may never end.)
//!
//! ```text
//!   cargo run -- example 34 --break lifo
//! ```
//!
//! | to break | the rule | instead |
//! |---|---|---|
//! | `lifo` | who became runnable first is polled first (promise 4) | the last one is |
//! | `no-dedup` | *Queued Once*: many wakes, one poll | each wake is a place in the queue |
//! | `late-timers` | timers and threads are heard between turns | when nothing is runnable |
//! | `spurious` | only who was woken is polled | each turn polls all tasks |
//! | `shuffle` | a turn goes in the order of the wakes | in a random one (`shuffle:7`: its seed) |
//!
//! A program that is right does not care about the last two: a poll for nothing is legal, and no
//! order is promised between tasks that do not wait for each other. So they are tests for yours.
//!
//! Without the feature, which is how everybody else builds it, [`is_broken`] is the constant
//! `false`, and the compiler leaves the places out that ask.

#[cfg(feature = "breakable")]
pub(super) use breakable::{is_broken, shuffle};
#[cfg(not(feature = "breakable"))]
pub(super) use unbreakable::{is_broken, shuffle};

/// A rule that can be broken.
#[derive(Clone, Copy, PartialEq)]
#[cfg_attr(
    not(feature = "breakable"),
    allow(dead_code, reason = "no name of it is read")
)]
pub(super) enum Rule {
    FirstInFirstOut,
    QueuedOnce,
    LookBetweenTurns,
    OnlyWhoWasWoken,
    InOrderOfWakes,
}

#[cfg(not(feature = "breakable"))]
mod unbreakable {
    use super::Rule;

    #[inline(always)]
    pub const fn is_broken(_: Rule) -> bool {
        false
    }

    pub fn shuffle(_: &mut [u32]) {}
}

#[cfg(feature = "breakable")]
mod breakable {
    use super::Rule;
    use crate::random::{self, Random};
    use std::cell::Cell;
    use std::env;
    use std::sync::OnceLock;

    const KNOWN: &str = "lifo, no-dedup, late-timers, spurious and shuffle (or shuffle:7)";

    /// The rule that is broken in this process, and the seed.
    static BROKEN: OnceLock<Option<(Rule, u64)>> = OnceLock::new();

    pub fn is_broken(rule: Rule) -> bool {
        broken().is_some_and(|(broken, _)| broken == rule)
    }

    thread_local! {
        /// Not the executor's own generator: the branches of a `select!` stay as they are.
        static ORDER: Cell<Option<Random>> = const { Cell::new(None) };
    }

    /// Another order for those who are runnable.
    pub fn shuffle(tasks: &mut [u32]) {
        let seed = broken().map_or(0, |(_, seed)| seed);
        let mut order = ORDER.take().unwrap_or_else(|| Random::seeded(seed));
        order.swap_with_current();
        for last in (1..tasks.len()).rev() {
            tasks.swap(last, random::below(last as u32 + 1) as usize);
        }
        order.swap_with_current();
        ORDER.set(Some(order));
    }

    fn broken() -> Option<(Rule, u64)> {
        *BROKEN.get_or_init(|| {
            let text = env::var_os("HANDSPUN_BREAK").filter(|text| !text.is_empty())?;
            let text = text.to_string_lossy();
            let rule = parse(&text);
            assert!(rule.is_some(), "HANDSPUN_BREAK={text} breaks no rule: there are {KNOWN}");
            rule
        })
    }

    fn parse(text: &str) -> Option<(Rule, u64)> {
        let (name, seed) = match text.split_once(':') {
            Some((name, seed)) => (name, Some(seed.parse().ok()?)),
            None => (text, None),
        };
        let rule = match name {
            "lifo" => Rule::FirstInFirstOut,
            "no-dedup" => Rule::QueuedOnce,
            "late-timers" => Rule::LookBetweenTurns,
            "spurious" => Rule::OnlyWhoWasWoken,
            "shuffle" => return Some((Rule::InOrderOfWakes, seed.unwrap_or(1))),
            _ => return None,
        };
        seed.is_none().then_some((rule, 0))
    }
}
