//! `join!`, `try_join!`, `select!`: many futures at the same time, in one task.
//!
//! What they do is ordinary code, in `macros/branches.rs`. What is left is grammar: this file reads
//! the branches and writes a value of them. A function cannot, for it has a fixed number of
//! arguments, and neither patterns nor handlers.
//!
//! A `select!` of two branches becomes this, its *normal form*:
//!
//! ```text
//!   let enabled = Enabled::none().and(true && guard_1).and(true);
//!   let winner = {
//!       let future_1 = expression_1;
//!       let future_2 = expression_2;
//!       let branches = NoBranches::yet();
//!       let branches = or(branches, future_1, |output| does it match pattern_1?);
//!       let branches = or(branches, future_2, |output| does it match pattern_2?);
//!       select(Shuffled, enabled, branches).await
//!   };                                          // here all futures are dropped
//!   match winner {
//!       Some(Left(Right(pattern_1))) => handler_1,
//!       Some(Right(pattern_2)) => handler_2,
//!       None => the handler of `else`,
//!   }
//! ```
//!
//! The handlers stand outside of everything: not in a closure, so that they can `return`, `break`,
//! `?` and `.await`; and behind the end of the futures, so that they can use what those had
//! borrowed. That is why a pattern is written twice: it decides while the futures live, and it
//! binds when they are gone. To decide it must not take the output apart, which may be the wrong
//! one. So it stands before a guard that is never true: a pattern with a guard only looks, until
//! that says yes.
//!
//! A macro like this is read as a loop. Each round takes one branch off the front of the rest, adds
//! it to what is done, and calls the macro again with less. A call looks like this:
//!
//! ```text
//!   select_branches!( order {branches that are done} the rest... )
//! ```
//!
//! A branch that is done is `{ (arm) [test] future = expression, guard => handler }`:
//!
//! - *arm* is the pattern of its arm in the `match`. A new branch begins with `Right(pattern)`, and
//!   each one that follows wraps a `Left(..)` around those that are there.
//! - *test* is the pattern that decides.
//! - *future* is the name of a variable. It is written the same in each round and is a different
//!   variable each time, because a macro's names belong to the call that wrote them. So there are
//!   as many as are needed, and none of them can meet a name of the caller's.
//!
//! A `join!` is read in the same manner. Its rounds wrap two things around what they have: the
//! expression `and(and(NoBranches, future), future)`, and the pattern `(((), output), output)`, in
//! which each `output` is another variable.
//!
//! Why not the obvious way? A procedural macro would be a crate of its own, with a parser in it.
//! Boxing the futures into a list would be an allocation for each, would make all outputs one type,
//! and would ask the futures to own what they use.
//!
//! Next: `macros/branches.rs`.

mod branches;

pub use crate::future::Either::{Left, Right};
pub use branches::*;

/// Pins futures where they are, as a statement.
///
/// `pin!(a, b);` makes `a` and `b` names of the pinned futures; `pin! { let a = ..; }` makes them
/// and pins them. A pinned future can be lent: to [`select!`](crate::select) in a loop, by `&mut
/// a`. It is [`std::pin::pin!`], in the form that tokio has it.
///
/// ```
/// handspun::block_on(async {
///     let answer = async { 42 };
///     handspun::pin!(answer);
///     handspun::select! {
///         number = &mut answer => assert_eq!(number, 42),
///     }
/// });
/// ```
#[macro_export]
macro_rules! pin {
    ($($future:ident),* $(,)?) => {
        $(
            #[allow(unused_mut)]
            let mut $future = ::std::pin::pin!($future);
        )*
    };
    ($(let $future:ident = $value:expr;)*) => {
        $(
            #[allow(unused_mut)]
            let mut $future = ::std::pin::pin!($value);
        )*
    };
}

/// Waits for all futures, at the same time, and gives their outputs as a tuple.
///
/// ```text
/// join!( [biased;] future, future, ... )
/// ```
///
/// The futures are part of the one that awaits the `join!`: they run in its task, one at a time,
/// and may borrow from it. A branch that blocks holds up the others. To have futures run as tasks
/// of their own, [`spawn`](crate::spawn()) them and join their handles.
///
/// Each future is dropped as soon as it is done. There may be none, and up to about 120 of them
/// (more if the crate raises its `recursion_limit`).
///
/// ```
/// use handspun::time::{Duration, Instant, sleep};
///
/// # handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
/// async fn shout(word: &str, seconds: u64) -> String {
///     sleep(Duration::from_secs(seconds)).await;
///     word.to_uppercase()
/// }
///
/// let start = Instant::now();
/// let words = String::from("hello world");
/// let (hello, world) = handspun::join!(shout(&words[..5], 1), shout(&words[6..], 2));
/// assert_eq!((hello.as_str(), world.as_str()), ("HELLO", "WORLD"));
/// assert_eq!(start.elapsed(), Duration::from_secs(2)); // not 3
/// # });
/// ```
///
/// # Fairness
/// When the task is polled, each future that is not done is polled once. Which one is first
/// rotates: the first branch in the first poll, the second in the next, and so on. With `biased;`
/// it is always the first branch, and the others follow in order.
///
/// # Cancel safety
/// As safe as the futures: dropping this drops them, and the outputs of those that are done.
///
/// # Size
/// The sum of the futures, and a word for each, which says whether it is done; and a word for the
/// rotation. A future that is smaller than its output takes the output's room.
///
/// # Mistakes
/// A comma is missing:
///
/// ```compile_fail
/// handspun::block_on(async { handspun::join!(async { 1 } async { 2 }) });
/// ```
#[macro_export]
macro_rules! join {
    (biased; $($future:expr),* $(,)?) => {
        $crate::join_unfailing!($crate::macros::Biased; $($future,)*)
    };
    ($($future:expr),* $(,)?) => {
        $crate::join_unfailing!($crate::macros::Rotating::from_first(); $($future,)*)
    };
    ($($other:tt)*) => {
        ::std::compile_error!(
            "`join!` takes futures, with a comma after each: `join!(future, future)`, or \
             `join!(biased; future, future)`"
        )
    };
}

/// Waits for all futures, at the same time, or for the first error.
///
/// ```text
/// try_join!( [biased;] future, future, ... )
/// ```
///
/// As [`join!`](crate::join), but each output is a `Result`, and all have the same error type. When
/// all are `Ok`, it is `Ok` of a tuple. At the first `Err` all futures are dropped, and then the
/// error is given; those that come after it in the same poll are not polled any more.
///
/// ```
/// use handspun::time::{Duration, sleep};
///
/// async fn parse(text: &str) -> Result<i32, std::num::ParseIntError> {
///     text.parse()
/// }
///
/// handspun::block_on(async {
///     assert_eq!(handspun::try_join!(parse("1"), parse("2")), Ok((1, 2)));
///
///     let an_hour = async {
///         sleep(Duration::from_secs(3600)).await;
///         Ok(())
///     };
///     assert!(handspun::try_join!(an_hour, parse("x")).is_err()); // at once
/// });
/// ```
///
/// # Fairness, cancel safety, size
/// Those of [`join!`](crate::join). And at an error this has dropped futures that were not done.
#[macro_export]
macro_rules! try_join {
    (biased; $($future:expr),* $(,)?) => {
        $crate::join_branches!(
            $crate::macros::Biased, and_try, $crate::macros::NoBranches::yet(), (), [];
            $($future,)*
        )
    };
    ($($future:expr),* $(,)?) => {
        $crate::join_branches!(
            $crate::macros::Rotating::from_first(), and_try,
            $crate::macros::NoBranches::yet(), (), [];
            $($future,)*
        )
    };
    ($($other:tt)*) => {
        ::std::compile_error!(
            "`try_join!` takes futures, with a comma after each: `try_join!(future, future)`, or \
             `try_join!(biased; future, future)`"
        )
    };
}

// A join that cannot fail: its `Result` has no `Err`.
#[doc(hidden)]
#[macro_export]
macro_rules! join_unfailing {
    ($order:expr; $($future:expr,)*) => {{
        let ::std::result::Result::Ok(outputs) = $crate::join_branches!(
            $order, and, <$crate::macros::NoBranches>::yet(), (), [];
            $($future,)*
        );
        outputs
    }};
}

// join_branches!(order, how to add a branch, chain so far, pattern so far, [names in it]; the rest)
#[doc(hidden)]
#[macro_export]
macro_rules! join_branches {
    (
        $order:expr, $and:ident, $chain:expr, $outputs:tt, [$($output:ident)*];
        $first:expr, $($rest:expr,)*
    ) => {
        $crate::join_branches!(
            $order, $and, $crate::macros::$and($chain, $first),
            ($outputs, output), [$($output)* output];
            $($rest,)*
        )
    };
    ($order:expr, $and:ident, $chain:expr, $outputs:tt, [$($output:ident)*];) => {{
        let branches = $chain;
        $crate::macros::join($order, branches).await.map(|$outputs| ($($output,)*))
    }};
}

/// Waits for the first of several futures, drops the others, and runs that one's handler.
///
/// ```text
/// select! {
///     [biased;]
///     pattern = future [, if condition] => handler,
///     ...
///     [else => handler]
/// }
/// ```
///
/// A comma follows each handler, unless it is a block. The value of the whole is the handler's.
///
/// ```
/// use handspun::time::{Duration, sleep};
///
/// # handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
/// let said = handspun::select! {
///     _ = sleep(Duration::from_secs(1)) => "a second has passed",
///     word = async { sleep(Duration::from_millis(20)).await; "done" } => word,
/// };
/// assert_eq!(said, "done");
/// # });
/// ```
///
/// 1. All conditions are evaluated, in order, and then all future expressions, also those of
///    branches whose condition is `false`. Such a branch is *disabled*: its future is never polled.
/// 2. The futures are polled until one is ready with an output that matches its pattern. An output
///    that does not match is dropped, its branch is disabled, and the others go on.
/// 3. All futures are dropped.
/// 4. The handler runs. It stands in the surrounding function: it may `.await`, use `?`, `return`,
///    and `break` out of a loop, and it may use what the futures had borrowed.
///
/// When all branches are disabled, `else` runs.
///
/// ```
/// # handspun::block_on(async {
/// async fn pop(stack: &mut Vec<u32>) -> Option<u32> {
///     stack.pop()
/// }
///
/// let (mut left, mut right) = (vec![1, 2, 3], vec![]);
/// loop {
///     handspun::select! {
///         // Both futures borrow a stack mutably, and so does the handler.
///         Some(top) = pop(&mut left) => right.push(top),
///         Some(top) = pop(&mut right), if left.len() > 1 => left.push(top),
///         else => break,
///     }
/// }
/// assert!(left.is_empty());
/// # });
/// ```
///
/// # Futures that outlive the `select!`
/// What a branch names is moved into the `select!` and dropped with it. In a loop that makes a new
/// future each turn, the old one is gone, with all that it had done: a `sleep` made in the loop
/// begins anew each time, and never ends if another branch is quicker. Make it before the loop and
/// lend it out, by `&mut`:
///
/// ```
/// use handspun::time::{Duration, interval, sleep};
///
/// # handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
/// let mut ticks = interval(Duration::from_secs(1));
/// let mut deadline = sleep(Duration::from_millis(3500));
/// let mut count = 0;
/// loop {
///     handspun::select! {
///         _ = &mut deadline => break, // `sleep(..)` here would never be ready
///         _ = ticks.tick() => count += 1,
///     }
/// }
/// assert_eq!(count, 4);
/// # });
/// ```
///
/// A future that is not `Unpin`, such as one of an `async fn`, is pinned first, with
/// [`pin!`](std::pin::pin), and lent as `&mut future`. Once ready it must not be polled again: give
/// its branch a condition, or leave the loop.
///
/// # Fairness
/// In each poll, the branch that is polled first is random, and the others follow in order and go
/// round. So when several are always ready, each wins sometimes. The numbers come from the running
/// executor, and [`seed`](crate::executor::Builder::seed) makes them the same in each run; outside
/// of any they come from the thread, so a `select!` runs under other executors too.
///
/// With `biased;` the branches are polled in the order in which they stand. That is cheaper and
/// repeatable, and it is for you to see that a branch which is always ready does not starve those
/// below it.
///
/// # Panics
/// If all branches are disabled and there is no `else`.
///
/// # Cancel safety
/// This drops futures that are not done; that is its purpose. So ask of each branch what is lost
/// when it is dropped at an `.await`. A future that only waits (`sleep`, `tick`, a `JoinHandle` by
/// `&mut`) loses nothing. One that does several things loses those that it has done and not yet
/// told of. If the operation must be finished, make the future before the loop and lend it, or
/// spawn it.
///
/// # Size
/// The sum of the futures, a word, and a byte for each of them. The handlers use the same room
/// again.
///
/// # What it cannot read
/// A macro that hands a handler on as `$handler:expr` writes braces around it: `=> { $handler }`.
///
/// There may be sixty branches: each is two steps of the compiler's recursion, whose limit is 128
/// unless the crate sets another.
///
/// A procedural macro could rewrite the pattern instead, and point at the very word that is wrong;
/// this one shows where it stopped reading:
///
/// ```compile_fail
/// handspun::block_on(async {
///     handspun::select! {
///         x = async { 1 } => x    // no comma
///         y = async { 2 } => y,
///     }
/// });
/// ```
///
/// ```compile_fail
/// handspun::block_on(async {
///     handspun::select! {
///         x = async { 1 }, true => x, // no `if`
///     }
/// });
/// ```
///
/// ```compile_fail
/// handspun::block_on(async {
///     handspun::select! {
///         else => 1, // not at the end
///         x = async { 2 } => x,
///     }
/// });
/// ```
///
/// And the mistake that is made most often: a future that is lent must be pinned, with
/// [`pin!`](crate::pin!).
///
/// ```compile_fail
/// handspun::block_on(async {
///     let mut operation = async { 1 };
///     handspun::select! {
///         x = &mut operation => x,
///     }
/// });
/// ```
///
/// ```compile_fail
/// handspun::block_on(async {
///     handspun::select! {
///         async { 1 } => 1, // no pattern
///     }
/// });
/// ```
#[macro_export]
macro_rules! select {
    (biased; $($branches:tt)+) => {
        $crate::select_branches!(Biased {} $($branches)+)
    };
    ($(biased;)?) => {
        ::std::compile_error!("`select!` needs a branch: `pattern = future => handler`")
    };
    ($($branches:tt)+) => {
        $crate::select_branches!(Shuffled {} $($branches)+)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! select_branches {
    // The end.
    ($order:ident { $($done:tt)+ }) => {
        $crate::select_normal_form!($order { $($done)+ } else $crate::macros::all_disabled())
    };
    ($order:ident $done:tt else => $else:expr $(,)?) => {
        $crate::select_normal_form!($order $done else $else)
    };
    ($order:ident $done:tt else $($rest:tt)*) => {
        ::std::compile_error!(
            "a `select!` has one `else`, which stands after all branches: `else => handler`"
        )
    };
    ($order:ident $done:tt biased; $($rest:tt)*) => {
        ::std::compile_error!("`biased;` stands first in a `select!`, before all branches")
    };
    // The next branch's pattern; the rest of it, `select_branch` reads.
    (
        $order:ident { $({ ($($arm:tt)*) $($done:tt)* })* }
        $pattern:pat = $($rest:tt)*
    ) => {
        $crate::select_branch!(
            $order
            { $({ ($crate::macros::Left($($arm)*)) $($done)* })* }
            { ($crate::macros::Right($pattern)) [$pattern] }
            $($rest)*
        )
    };
    ($order:ident $done:tt $($other:tt)*) => {
        ::std::compile_error!(::std::concat!(
            "a branch of `select!` begins with `pattern =`; this does not: `",
            ::std::stringify!($($other)*),
            "`",
        ))
    };
}

// Each rule ends with the same call; they differ in how a handler may end.
#[doc(hidden)]
#[macro_export]
macro_rules! select_branch {
    (
        $order:ident { $($done:tt)* } { $($pattern:tt)* }
        $future:expr $(, if $guard:expr)? => $handler:block, $($rest:tt)*
    ) => {
        $crate::select_branches!(
            $order
            { $($done)* { $($pattern)* future = $future, true $(&& $guard)? => $handler } }
            $($rest)*
        )
    };
    (
        $order:ident { $($done:tt)* } { $($pattern:tt)* }
        $future:expr $(, if $guard:expr)? => $handler:block $($rest:tt)*
    ) => {
        $crate::select_branches!(
            $order
            { $($done)* { $($pattern)* future = $future, true $(&& $guard)? => $handler } }
            $($rest)*
        )
    };
    (
        $order:ident { $($done:tt)* } { $($pattern:tt)* }
        $future:expr $(, if $guard:expr)? => $handler:expr $(, $($rest:tt)*)?
    ) => {
        $crate::select_branches!(
            $order
            { $($done)* { $($pattern)* future = $future, true $(&& $guard)? => $handler } }
            $($($rest)*)?
        )
    };
    ($order:ident $done:tt $pattern:tt $($other:tt)*) => {
        ::std::compile_error!(::std::concat!(
            "a branch of `select!` is `pattern = future => handler` or `pattern = future, if \
             condition => handler`, with a comma after a handler that is not a block; after \
             `pattern =` this cannot be read so: `",
            ::std::stringify!($($other)*),
            "`",
        ))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! select_normal_form {
    (
        $order:ident
        { $({
            ($($arm:tt)*) [$test:pat] $future:ident = $expression:expr, $guard:expr => $handler:expr
        })* }
        else $else:expr
    ) => {{
        let enabled = $crate::macros::Enabled::none()$(.and($guard))*;
        #[allow(unused_mut)]
        let mut winner = {
            $(let $future = $expression;)*
            let branches = <$crate::macros::NoBranches>::yet();
            $(
                let branches = $crate::macros::or(branches, $future, |output| {
                    #[allow(unused_mut)]
                    let mut output = output;
                    let mut matches = false;
                    // The guard says no, so that nothing is moved. That it was asked is the answer.
                    #[allow(unused, clippy::all)]
                    match output {
                        $test if { matches = true; false } => ::std::unreachable!(),
                        _ => {}
                    }
                    matches.then_some(output)
                });
            )*
            $crate::macros::select($crate::macros::$order, enabled, branches).await
        };
        match winner {
            $(::std::option::Option::Some($($arm)*) => $handler,)*
            ::std::option::Option::None => $else,
            #[allow(unreachable_patterns)]
            _ => $crate::macros::has_matched(),
        }
    }};
}
