//! Numbers that look random, from a seed: where a [`select!`](crate::select) begins.
//!
//! Each executor has a generator, so that a run can be repeated from its seed. While it runs it
//! lends the generator to the thread, and gets it back afterwards. So whoever needs a number asks
//! the thread, and need not know whether an executor is running, or which one. Outside of any, what
//! lies there is the thread's own.
//!
//! The generator is SplitMix64: a counter with a large odd step, whose bits are mixed. It is good
//! enough to be fair, is one word, and takes any seed; neighbouring seeds have nothing in common.
//! It is no use for secrets.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};

thread_local! {
    /// The running executor's generator, else the thread's own.
    static CURRENT: Cell<Random> = const { Cell::new(Random { state: None }) };
}

/// A number below `bound`, from the current generator. All are equally likely.
#[inline]
pub(crate) fn below(bound: u32) -> u32 {
    CURRENT.with(|current| {
        let mut random = current.get();
        let number = random.next();
        current.set(random);
        // The upper half, as a fraction of 2^32, of the bound.
        (((number >> 32) * u64::from(bound)) >> 32) as u32
    })
}

/// A generator. Its default has a seed that nobody chose.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Random {
    /// `None` until the first number is asked for: most executors never ask.
    state: Option<u64>,
}

impl Random {
    pub(crate) fn seeded(seed: u64) -> Random {
        Random { state: Some(seed) }
    }

    /// Puts this generator in the place of the current one, and that one here. Once to lend it to
    /// the thread, and once more to have it back.
    #[inline]
    pub(crate) fn swap_with_current(&mut self) {
        *self = CURRENT.replace(*self);
    }

    #[inline]
    fn next(&mut self) -> u64 {
        let state = self.state.unwrap_or_else(any_seed).wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.state = Some(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// The standard library keys its hash maps at random. Hashing nothing gives a number made of the
/// key.
#[cold]
fn any_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
