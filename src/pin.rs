//! Pin projections: the `unsafe` lines that combinators need, written once.
//!
//! A combinator is a struct with a future inside, and is polled as `Pin<&mut Combinator>`: it must
//! not be moved. To poll the future inside it needs `Pin<&mut Inner>`, a *projection* from the
//! whole to a field. That is sound as long as four things hold:
//!
//! 1. The field is never moved out of the pinned whole. The projection gives out a `Pin`.
//! 2. Nothing else makes a plain `&mut` to it while the whole is pinned. There is no other way to
//!    it than the projection, but for functions that take the whole by value, or by a plain `&mut`,
//!    which nobody can have of a thing that is pinned and not `Unpin`.
//! 3. The whole is `Unpin` only if the field is. That is what the compiler decides by itself, as
//!    long as nobody writes `impl Unpin` for a struct that is projected; nobody in this crate does.
//! 4. The whole's destructor does not move the field. There is none: [`project!`](project) does not
//!    compile for a struct that implements `Drop` ([`MustNotDrop`]).
//!
//! [`MaybeDone`] is the same for an enum, which holds a future and then, in its place, what the
//! future returned; [`element`] is the same for a slice.
//!
//! Why not the obvious way? `Pin<Box<F>>` needs no projection and no `unsafe`, and an allocation
//! for every timeout. An `async` block projects for you, and stores each captured future twice.
#![allow(unsafe_code)]

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Gives a struct the method `project`, from a pinned whole to its parts: `pin` fields stay pinned,
/// those after the semicolon become plain references.
macro_rules! project {
    ($whole:ident<$($f:ident $(: $bound:ident)?),+> => $parts:ident {
        $(pin $pinned:ident: $pinned_type:ty),+
        $(; $($plain:ident: $type:ty),+)?
    }) => {
        struct $parts<'pin, $($f $(: $bound)?),+> {
            $($pinned: ::std::pin::Pin<&'pin mut $pinned_type>,)+
            $($($plain: &'pin mut $type,)+)?
        }

        impl<$($f $(: $bound)?),+> $whole<$($f),+> {
            #[allow(unsafe_code)]
            #[inline]
            fn project(self: ::std::pin::Pin<&mut Self>) -> $parts<'_, $($f),+> {
                // SAFETY: the four points at the top of `pin.rs`.
                let whole = unsafe { self.get_unchecked_mut() };
                $parts {
                    // SAFETY: the same.
                    $($pinned: unsafe { ::std::pin::Pin::new_unchecked(&mut whole.$pinned) },)+
                    $($($plain: &mut whole.$plain,)+)?
                }
            }
        }

        impl<$($f $(: $bound)?),+> $crate::pin::MustNotDrop for $whole<$($f),+> {}
    };
}

pub(crate) use project;

/// Implemented by whatever implements `Drop`, and by [`project!`](project) once more for the struct
/// that it is used on. If that implements `Drop` too there are two, which does not compile.
#[allow(dead_code, reason = "that it is implemented is all its use")]
pub(crate) trait MustNotDrop {}

#[allow(
    drop_bounds,
    reason = "it asks for a destructor written by hand, which is meant"
)]
impl<T: Drop> MustNotDrop for T {}

/// An element of a pinned slice, pinned.
///
/// # Panics
/// If there is none with this index.
#[inline]
pub(crate) fn element<T>(slice: Pin<&mut [T]>, index: usize) -> Pin<&mut T> {
    // SAFETY: the four points again, with the element for the field. A slice is `Unpin` only if its
    // elements are, has no destructor but theirs, and nobody but its owner can reach them; he has a
    // `Pin`, and so gets them only through here.
    unsafe { slice.map_unchecked_mut(|slice| &mut slice[index]) }
}

/// A future; when it is ready, its output; when that has been taken, nothing.
///
/// The future is dropped as soon as it is ready, not when its siblings are.
#[doc(hidden)]
pub enum MaybeDone<F: Future> {
    /// Not ready yet.
    Pending(F),
    /// Ready, with this.
    Done(F::Output),
    /// The output has been taken.
    Taken,
}

// `Unpin` if the future is, whatever its output: an output is never pinned.
impl<F: Future + Unpin> Unpin for MaybeDone<F> {}

impl<F: Future> MaybeDone<F> {
    /// Polls the future, unless it is done. Whether it is done now.
    #[inline]
    pub fn poll_done(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        // SAFETY: the future is not moved: it is polled through a `Pin`, and dropped where it lies
        // by `set`. The output is not pinned by anyone, so `take` may move it.
        let Self::Pending(future) = (unsafe { self.as_mut().get_unchecked_mut() }) else {
            return true;
        };
        // SAFETY: as above.
        let Poll::Ready(output) = unsafe { Pin::new_unchecked(future) }.poll(cx) else {
            return false;
        };
        self.set(Self::Done(output));
        true
    }

    /// The output of a future that is done. Once.
    ///
    /// # Panics
    /// If the future is not done, or the output has been taken.
    #[inline]
    pub fn output(self: Pin<&mut Self>) -> F::Output {
        // SAFETY: what is moved out is no future: that would be a `Pending`, which stays.
        let this = unsafe { self.get_unchecked_mut() };
        match this {
            Self::Done(_) => {}
            _ => panic!("a combinator was polled after it was ready"),
        }
        match std::mem::replace(this, Self::Taken) {
            Self::Done(output) => output,
            _ => unreachable!("it was done a moment ago"),
        }
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> MaybeDone<F> {
    /// Whether the future is done, with an error.
    #[inline]
    pub fn failed(&self) -> bool {
        matches!(self, Self::Done(Err(_)))
    }

    /// The error, if the future is done with one. Once.
    #[inline]
    pub fn error(self: Pin<&mut Self>) -> Option<E> {
        if self.failed() { self.output().err() } else { None }
    }
}

// Without the output, so that it need not be `Debug`.
impl<F: Future + fmt::Debug> fmt::Debug for MaybeDone<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending(future) => f.debug_tuple("Pending").field(future).finish(),
            Self::Done(_) => f.write_str("Done"),
            Self::Taken => f.write_str("Taken"),
        }
    }
}
