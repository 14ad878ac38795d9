//! [`OnceCell`]: a value that is made once, by an async function, when it is first needed.
//!
//! The value lies in std's [`OnceLock`], which does the part that is hard in safe Rust: it lends
//! `&T` out of a cell that was empty when it was lent itself. What it cannot do is wait for a
//! future. So beside it lies one permit, for the one who is *making* the value:
//!
//! ```text
//!   a: no value, takes the permit ─► polls its future ─► puts the value in ─► closes the line
//!   b: no value, waits for the permit ──────────────────────────────────────► there is a value
//! ```
//!
//! A future may fail, panic, or be dropped half-way. Each time the block is left in which the
//! permit is a local variable, and its destructor hands it to the next in line, who begins anew
//! with a future of its own. The line is closed only when the value is there: to be refused the
//! permit means that there is no need for it.
//!
//! Once there is a value no lock is taken: to look is one atomic load.
//!
//! Why not the obvious way, an async mutex around an `Option`? It could lend the value only as long
//! as it is locked. Here a reference is good for as long as the cell is.
//!
//! Next: `sync/oneshot.rs`.

use super::guarded::Guarded;
use super::permits::{Permits, TryAcquireError, acquire};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::mem;
use std::sync::OnceLock;

/// A cell that is written to once, and by an async function if need be.
///
/// ```
/// use handspun::sync::OnceCell;
/// use handspun::time::{Duration, sleep};
///
/// static CONFIG: OnceCell<String> = OnceCell::const_new();
///
/// async fn config() -> &'static str {
///     CONFIG
///         .get_or_init(|| async {
///             sleep(Duration::from_millis(1)).await;
///             "loaded once".to_string()
///         })
///         .await
/// }
///
/// handspun::block_on(async {
///     let (a, b) = handspun::join!(config(), config());
///     assert!(std::ptr::eq(a, b));
/// });
/// ```
pub struct OnceCell<T> {
    value: Value<T>,
    /// One permit, for who makes the value. Closed when that has been done.
    making: Guarded<Permits>,
}

impl<T> OnceCell<T> {
    /// An empty cell.
    #[track_caller]
    pub const fn new() -> OnceCell<T> {
        OnceCell::with(Value::Later(OnceLock::new()))
    }

    /// The same as [`new`](OnceCell::new), which is `const` too.
    #[track_caller]
    pub const fn const_new() -> OnceCell<T> {
        OnceCell::new()
    }

    /// A cell with this value, or an empty one for `None`.
    #[track_caller]
    pub fn new_with(value: Option<T>) -> OnceCell<T> {
        match value {
            Some(value) => OnceCell::const_new_with(value),
            None => OnceCell::new(),
        }
    }

    /// A cell with this value.
    #[track_caller]
    pub const fn const_new_with(value: T) -> OnceCell<T> {
        OnceCell::with(Value::Given(value))
    }

    #[track_caller]
    const fn with(value: Value<T>) -> OnceCell<T> {
        OnceCell {
            value,
            making: Guarded::new(Permits::new(1, "the value of the once cell")),
        }
    }

    /// Whether there is a value.
    pub fn initialized(&self) -> bool {
        self.get().is_some()
    }

    /// The value, if there is one.
    pub fn get(&self) -> Option<&T> {
        match &self.value {
            Value::Given(value) => Some(value),
            Value::Later(value) => value.get(),
        }
    }

    /// The value, if there is one, to be changed.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        match &mut self.value {
            Value::Given(value) => Some(value),
            Value::Later(value) => value.get_mut(),
        }
    }

    /// Puts a value in.
    ///
    /// # Errors
    /// If there is one, or if one is being made. The error has the value that was not put in.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        if self.initialized() {
            return Err(SetError::AlreadyInitializedError(value));
        }
        match self.making.look(|permit| permit.try_take(1)) {
            Ok(()) => {
                Making { cell: self }.end(value);
                Ok(())
            }
            Err(TryAcquireError::NoPermits) => Err(SetError::InitializingError(value)),
            Err(TryAcquireError::Closed) => Err(SetError::AlreadyInitializedError(value)),
        }
    }

    /// The value; if there is none, what the future of `f` returns becomes the value.
    ///
    /// If another is making the value, this waits. If the other fails, panics or is dropped, the
    /// first who waits calls its own `f`.
    ///
    /// An `f` that waits for the same cell waits for ever.
    ///
    /// # Cancel safety
    /// Cancel safe for the cell: dropping the future gives up the place in line, or lets the next
    /// make the value. The future of `f` is dropped with it, and is as safe as it is.
    pub async fn get_or_init<F, Fut>(&self, f: F) -> &T
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        if let Some(value) = self.get() {
            return value;
        }
        match self.begin().await {
            Ok(making) => {
                let value = f().await;
                making.end(value)
            }
            Err(value) => value,
        }
    }

    /// The value; if there is none, what the future of `f` returns becomes the value, unless that
    /// is an error.
    ///
    /// If another is making the value, this waits. If the other fails, panics or is dropped, the
    /// first who waits calls its own `f`.
    ///
    /// An `f` that waits for the same cell waits for ever.
    ///
    /// # Errors
    /// That of this `f`. The cell stays empty then. (The errors of others are theirs.)
    ///
    /// # Cancel safety
    /// Cancel safe for the cell: dropping the future gives up the place in line, or lets the next
    /// make the value. The future of `f` is dropped with it, and is as safe as it is.
    pub async fn get_or_try_init<E, F, Fut>(&self, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        match self.begin().await {
            Ok(making) => {
                let value = f().await?;
                Ok(making.end(value))
            }
            Err(value) => Ok(value),
        }
    }

    /// The permission to make the value, or the value that another has made.
    async fn begin(&self) -> Result<Making<'_, T>, &T> {
        match acquire(&self.making, 1, |_, _| ()).await {
            Ok(()) => Ok(Making { cell: self }),
            Err(_) => Err(self.get().expect("the line is closed when the value is there")),
        }
    }

    /// Takes the cell apart: the value, if there is one.
    pub fn into_inner(self) -> Option<T> {
        match self.value {
            Value::Given(value) => Some(value),
            Value::Later(value) => value.into_inner(),
        }
    }

    /// Takes the value out, if there is one. What stays behind is a new empty cell.
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        // Not `mem::take`: a cell knows where it was made, and that would be in there.
        let empty = OnceCell::new();
        mem::replace(self, empty).into_inner()
    }
}

impl<T> Default for OnceCell<T> {
    #[track_caller]
    fn default() -> OnceCell<T> {
        OnceCell::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    #[track_caller]
    fn from(value: T) -> OnceCell<T> {
        OnceCell::const_new_with(value)
    }
}

/// Another cell, with a clone of the value if there is one now.
impl<T: Clone> Clone for OnceCell<T> {
    #[track_caller]
    fn clone(&self) -> OnceCell<T> {
        OnceCell::new_with(self.get().cloned())
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &OnceCell<T>) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCell").field("value", &self.get()).finish()
    }
}

/// Why a value was not put in. It has the value.
///
/// ```
/// use handspun::sync::{OnceCell, SetError};
///
/// let cell = OnceCell::new();
/// assert_eq!(cell.set(1), Ok(()));
/// assert_eq!(cell.set(2), Err(SetError::AlreadyInitializedError(2)));
/// assert_eq!(cell.get(), Some(&1));
/// ```
#[derive(PartialEq, Eq, Debug)]
pub enum SetError<T> {
    /// There is a value already.
    AlreadyInitializedError(T),
    /// A value is being made, and may be there soon.
    InitializingError(T),
}

impl<T> SetError<T> {
    /// Whether there was a value already.
    pub fn is_already_init_err(&self) -> bool {
        matches!(self, SetError::AlreadyInitializedError(_))
    }

    /// Whether a value was being made.
    pub fn is_initializing_err(&self) -> bool {
        matches!(self, SetError::InitializingError(_))
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SetError::AlreadyInitializedError(_) => "the once cell has a value already",
            SetError::InitializingError(_) => "the value of the once cell is being made",
        })
    }
}

impl<T: fmt::Debug> Error for SetError<T> {}

/// Where the value is. A `OnceLock` can be made with a value too, but not in a `const`.
enum Value<T> {
    /// The cell was made with it.
    Given(T),
    Later(OnceLock<T>),
}

/// The permission to make the value; one has it at a time, and nobody when there is a value.
struct Making<'a, T> {
    cell: &'a OnceCell<T>,
}

impl<'a, T> Making<'a, T> {
    /// The value has been made.
    fn end(self, value: T) -> &'a T {
        match &self.cell.value {
            // It is empty: who puts something in has the permit.
            Value::Later(place) => place.get_or_init(|| value),
            Value::Given(_) => unreachable!("there is nothing to make where a value was given"),
        }
    }
}

impl<T> Drop for Making<'_, T> {
    fn drop(&mut self) {
        let is_done = self.cell.initialized();
        self.cell.making.with(|permit, wakers| {
            if is_done {
                permit.close(wakers);
            } else {
                permit.give(1, wakers);
            }
        });
    }
}
