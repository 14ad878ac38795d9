//! How many wakers of each task there are.
//!
//! A task that waits, and of which nobody has a waker, waits for ever: the most common mistake of
//! a future that was written by hand, and the hardest to see, because nothing happens. A waker of
//! this crate owns nothing, so nobody counts them. But an executor that is watched gives out wakers
//! whose clone and drop count here: `waker.rs` has a second table of functions for them.
//!
//! Wakers are cloned and dropped on any thread, so the counts are in one table for the process,
//! behind a mutex. Only watched executors pay for that.

use crate::name::Name;
use crate::panics::lock;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Names of which there is a waker, and how many. The waker with which a task is being polled does
/// not count.
static COUNTS: Mutex<BTreeMap<Name, usize>> = Mutex::new(BTreeMap::new());

/// There is one more.
pub(crate) fn add(name: Name) {
    *lock(&COUNTS).entry(name).or_default() += 1;
}

/// There is one less. Whether it was the last.
pub(crate) fn remove(name: Name) -> bool {
    let mut counts = lock(&COUNTS);
    let Some(count) = counts.get_mut(&name) else {
        return false;
    };
    *count -= 1;
    let last = *count == 0;
    if last {
        counts.remove(&name);
    }
    last
}

/// How many there are.
pub(crate) fn count(name: Name) -> usize {
    lock(&COUNTS).get(&name).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::MAX_EXECUTORS;
    use crate::slab::Key;
    use std::num::NonZeroU64;

    #[test]
    fn a_name_of_which_there_is_no_waker_is_forgotten() {
        let number = NonZeroU64::MIN;
        // No other test has so many executors.
        let name = Name::new(MAX_EXECUTORS as u16 - 1, Key { index: 0, number });
        add(name);
        add(name);
        assert_eq!(count(name), 2);
        assert!(!remove(name));
        assert!(remove(name));
        assert!(!lock(&COUNTS).contains_key(&name));
        assert!(!remove(name));
    }
}
