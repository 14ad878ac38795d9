//! Which types are `Send` and which are `Sync`, as a table:
//!
//! ```text
//!   assert_thread_safety! {                               // Send, Sync
//!       about::<MutexGuard<'_, u8>>()                    => (true, true),
//!       about::<MutexGuard<'_, SendOnly>>()              => (true, false),
//!       about_future(Mutex::<Neither>::lock)             => (false, false),
//!       about_value(channel::<SendOnly>(1).0.reserve())  => (true, true),
//!   }
//! ```
//!
//! A bound can only tell that a type has a trait; the other half of the promise, that a guard of a
//! value which stays on its thread stays there too, needs a question that can be answered with no.
//! What answers it is the order in which methods are found: `(&about).is_send()` is one of `About`
//! itself where the bound holds, and otherwise one of a trait that every `&About` has.
#![allow(dead_code, reason = "each test file uses a part")]

use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::MutexGuard;

/// A value that may go to another thread, and not be used by two at once.
pub type SendOnly = Cell<u8>;

/// A value that two threads may use at once, and that must not go to another one.
pub type SyncOnly = MutexGuard<'static, u8>;

/// A value that stays on its thread.
pub type Neither = Rc<u8>;

/// Is asked about `T`.
pub struct About<T>(PhantomData<T>);

pub fn about<T>() -> About<T> {
    About(PhantomData)
}

/// About what `function` returns: a future has a type, but no name.
pub fn about_future<A, T>(_function: fn(A) -> T) -> About<T> {
    About(PhantomData)
}

/// About the type of `value`.
pub fn about_value<T>(_value: T) -> About<T> {
    About(PhantomData)
}

impl<T: Send> About<T> {
    pub fn is_send(&self) -> bool {
        true
    }
}

impl<T: Sync> About<T> {
    pub fn is_sync(&self) -> bool {
        true
    }
}

/// The answers where a bound does not hold.
pub trait Otherwise {
    fn is_send(&self) -> bool {
        false
    }

    fn is_sync(&self) -> bool {
        false
    }
}

impl<T> Otherwise for &About<T> {}

/// For each line: what is asked about, and whether it is `Send` and whether it is `Sync`.
macro_rules! assert_thread_safety {
    ($($about:expr => $expected:expr,)*) => {{
        #[allow(unused_imports, reason = "of no use if everything has both")]
        use $crate::auto_traits::Otherwise;
        $(
            // What is borrowed in a question lives as long as the `match`.
            match $about {
                about => {
                    let answer = ((&about).is_send(), (&about).is_sync());
                    assert_eq!(answer, $expected, "{}", stringify!($about));
                }
            }
        )*
    }};
}
pub(crate) use assert_thread_safety;
