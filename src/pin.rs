//! Pin projections: the one `unsafe` line that combinators need, written once.
//!
//! A combinator is a struct with a future inside, and is polled as `Pin<&mut Combinator>`: it must
//! not be moved. To poll the future inside it needs `Pin<&mut Inner>`, a *projection* from the
//! whole to a field. That is sound as long as four things hold, and the macro below sees to three:
//!
//! 1. the field is never moved out of the pinned whole: the projection gives out a `Pin`;
//! 2. nothing else makes a plain `&mut` to it while the whole is pinned: there is no other way to
//!    it than the projection, but for functions that take the whole by value, or by a plain `&mut`,
//!    which nobody can have of a thing that is pinned and not `Unpin`;
//! 3. the whole is `Unpin` only if the field is: that is what the compiler decides by itself, and
//!    the macro has no way to write anything else;
//! 4. the whole's destructor does not move the field: so a struct that is projected must not
//!    implement `Drop`. This one is up to the author; none in this crate does.
//!
//! Why not the obvious way? `Pin<Box<F>>` needs no projection and no `unsafe`, and an allocation
//! for every timeout. An `async` block projects for you, and stores each captured future twice.

/// Gives a struct the method `project`, from a pinned whole to its parts: `pin` fields stay pinned,
/// the others become plain references.
macro_rules! project {
    ($whole:ident<$f:ident> => $parts:ident { pin $pinned:ident, $($plain:ident: $type:ty),* }) => {
        struct $parts<'pin, $f> {
            $pinned: ::std::pin::Pin<&'pin mut $f>,
            $($plain: &'pin mut $type,)*
        }

        impl<$f> $whole<$f> {
            #[allow(unsafe_code)]
            #[inline]
            fn project(self: ::std::pin::Pin<&mut Self>) -> $parts<'_, $f> {
                // SAFETY: the four points at the top of this file.
                let whole = unsafe { self.get_unchecked_mut() };
                $parts {
                    // SAFETY: the same.
                    $pinned: unsafe { ::std::pin::Pin::new_unchecked(&mut whole.$pinned) },
                    $($plain: &mut whole.$plain,)*
                }
            }
        }
    };
}

pub(crate) use project;
