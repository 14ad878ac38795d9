//! [`join!`](crate::join), [`try_join!`](crate::try_join) and [`select!`](crate::select): any
//! number of futures at the same time, in one task.
//!
//! What they do is ordinary code, in `macros/branches.rs`. What they are is grammar: this file
//! reads the branches and writes a value of them. A function cannot, for its number of arguments is
//! fixed, and it has no patterns and no handlers.
//!
//! A `select!` of two branches becomes this, its *normal form*:
//!
//! ```text
//!   let enabled_1: bool = true && guard_1;                  every guard, then
//!   let enabled_2: bool = true;
//!   let winner = {
//!       let future_1 = expression_1;                        every future, in order
//!       let future_2 = expression_2;
//!       let branches = NoBranches::new();
//!       let branches = or(branches, enabled_1, future_1, |output| does it match pattern_1?);
//!       let branches = or(branches, enabled_2, future_2, |output| does it match pattern_2?);
//!       select(Shuffled, branches).await
//!   };                                                      here all futures are dropped
//!   match winner {
//!       Some(Either::Left(Either::Right(pattern_1))) => handler_1,
//!       Some(Either::Right(pattern_2)) => handler_2,
//!       None => the handler of `else`,
//!   }
//! ```
//!
//! The handlers stand outside of everything: not in a closure, so that they can `return`, `break`,
//! `?` and `.await`; and behind the end of the futures, so that they can use what those had
//! borrowed. That is why a pattern is written twice. It decides while the futures live, and by
//! reference, since an output that does not match must not be taken apart; and it binds when they
//! are gone.
//!
//! A macro like this is read as a loop. Each round takes one branch off the front of the rest, adds
//! it to what is done, and calls the macro again with less. A call looks like this:
//!
//! ```text
//!   select_branches!( order {branches that are done} the rest... )
//! ```
//!
//! A branch that is done is `{ way; future enabled [test] [pattern] expression, guard, handler }`:
//!
//! - *way* is `Left Left Right`, the way to its output in the nest of `Either`s. A new branch
//!   begins with `Right`, and each one that follows it puts a `Left` in front.
//! - *future* and *enabled* are names of variables. They are written the same in each round and are
//!   different variables, because a macro's names belong to the call that wrote them. So there are
//!   as many as are needed, and none of them can meet a name of the caller's.
//! - *test* is the pattern that decides, *pattern* the one that binds.
//!
//! A `join!` is made in the same manner, and is simpler. Its rounds wrap two things around what
//! they have, the expression `and(and(none, future), future)` and the pattern `(((), output),
//! output)`.
//!
//! Why not the obvious way? A procedural macro would be a crate of its own, with a parser in it.
//! Boxing the futures into a list would be an allocation for each, would make all outputs one type,
//! and would ask the futures to own what they use.

mod branches;

pub use branches::*;

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
/// Each future is dropped as soon as it is done. There may be any number of them, none included.
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
/// The sum of the futures, plus one word for the rotation. A branch adds nothing if its type has a
/// spare value to say "done", as an `async` block has, and its output is not larger than the
/// future; otherwise a word.
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
        $crate::join_all_of!($crate::macros::Biased; $($future,)*)
    };
    ($($future:expr),* $(,)?) => {
        $crate::join_all_of!($crate::macros::Rotating::new(); $($future,)*)
    };
    ($($other:tt)*) => {
        ::std::compile_error!("`join!` takes futures, with a comma after each: \
            `join!(future, future)`, or `join!(biased; future, future)`")
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
            $crate::macros::Biased, and_try, {}, $crate::macros::NoBranches::new(), (); $($future,)*
        )
    };
    ($($future:expr),* $(,)?) => {
        $crate::join_branches!(
            $crate::macros::Rotating::new(), and_try, {}, $crate::macros::NoBranches::new(), ();
            $($future,)*
        )
    };
    ($($other:tt)*) => {
        ::std::compile_error!("`try_join!` takes futures, with a comma after each: \
            `try_join!(future, future)`, or `try_join!(biased; future, future)`")
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! join_all_of {
    ($order:expr; $($future:expr,)*) => {{
        let ::std::result::Result::Ok(outputs) = $crate::join_branches!(
            $order, and, {}, <$crate::macros::NoBranches>::new(), (); $($future,)*
        );
        outputs
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! join_branches {
    // One more branch.
    (
        $order:expr, $and:ident, { $($branches:tt)* }, $chain:expr, $outputs:tt;
        $first:expr, $($rest:expr,)*
    ) => {
        $crate::join_branches!(
            $order,
            $and,
            { $($branches)* { future output $first } },
            $crate::macros::$and($chain, future),
            ($outputs, output);
            $($rest,)*
        )
    };
    // None is left.
    (
        $order:expr, $and:ident,
        { $({ $future:ident $output:ident $expression:expr })* }, $chain:expr, $outputs:tt;
    ) => {{
        $(let $future = $expression;)*
        $crate::macros::join($order, $chain).await.map(|$outputs| ($($output,)*))
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
///    branches whose condition is `false`. Such a branch is *disabled*: its future is dropped and
///    never polled.
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
/// The sum of the futures, plus a word for each whose type has no spare value to say "disabled"; an
/// `async` block has. The handlers use the same space again.
///
/// # What it cannot read
/// The pattern is tried by reference before it binds. So `mut`, `ref` and `&` may stand at its
/// front (`mut x`), or in a variant that has one field (`Some(mut x)`, `Some(ref mut x)`), but not
/// further in. In the handler they can: instead of `(mut a, b) = future => ..`, write
///
/// ```
/// # handspun::block_on(async {
/// # let future = async { (String::new(), 1) };
/// handspun::select! {
///     (a, b) = future => {
///         let mut a = a;
///         a.push_str("...");
///         assert_eq!((a.as_str(), b), ("...", 1));
///     }
/// }
/// # });
/// ```
///
/// For the same reason a text as the whole pattern does not compile (`"quit" = ..`); within another
/// one it does (`Some("quit") = ..`). The edition decides over the rest: in 2021 `ref` and `&` may
/// stand anywhere, and `mut` where the value is `Copy`.
///
/// A macro that hands a handler on as `$handler:expr` writes braces around it: `=> { $handler }`.
///
/// Each branch costs two steps of the compiler's recursion limit, which allows some sixty.
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
    ($($branches:tt)+) => {
        $crate::select_branches!(Shuffled {} $($branches)+)
    };
    () => {
        ::std::compile_error!("`select!` needs a branch: `pattern = future => handler`")
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! select_branches {
    // The end.
    ($order:ident { $($done:tt)+ }) => {
        $crate::select_expansion!($order { $($done)+ } else $crate::macros::all_disabled())
    };
    ($order:ident $done:tt else => $else:expr $(,)?) => {
        $crate::select_expansion!($order $done else $else)
    };
    ($order:ident $done:tt else $($rest:tt)*) => {
        ::std::compile_error!("the `else` of a `select!` stands after all branches: \
            `else => handler`")
    };
    // The pattern of the next branch.
    (
        $order:ident { $({ $($way:ident)+ ; $($done:tt)* })* }
        $($variant:ident)::+ ($mode:ident $($name:ident)+) = $($rest:tt)*
    ) => {
        $crate::select_branch!(
            $order
            { $({ Left $($way)+ ; $($done)* })* }
            { [$($variant)::+ (_)] [$($variant)::+ ($mode $($name)+)] }
            $($rest)*
        )
    };
    (
        $order:ident { $({ $($way:ident)+ ; $($done:tt)* })* }
        $pattern:pat = $($rest:tt)*
    ) => {
        $crate::select_branch!(
            $order
            { $({ Left $($way)+ ; $($done)* })* }
            { [$pattern] [$pattern] }
            $($rest)*
        )
    };
    ($order:ident $done:tt $($other:tt)*) => {
        ::std::compile_error!(::std::concat!(
            "a branch of `select!` begins with `pattern =`, and ends with a comma unless its \
             handler is a block; this is no beginning of one: `",
            ::std::stringify!($($other)*),
            "`",
        ))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! select_branch {
    (
        $order:ident { $($done:tt)* } { $($pattern:tt)* }
        $future:expr $(, if $guard:expr)? => $handler:block, $($rest:tt)*
    ) => {
        $crate::select_branches!(
            $order
            { $($done)* { Right; future enabled $($pattern)* $future, true $(&& $guard)?, $handler } }
            $($rest)*
        )
    };
    (
        $order:ident { $($done:tt)* } { $($pattern:tt)* }
        $future:expr $(, if $guard:expr)? => $handler:block $($rest:tt)*
    ) => {
        $crate::select_branches!(
            $order
            { $($done)* { Right; future enabled $($pattern)* $future, true $(&& $guard)?, $handler } }
            $($rest)*
        )
    };
    (
        $order:ident { $($done:tt)* } { $($pattern:tt)* }
        $future:expr $(, if $guard:expr)? => $handler:expr $(, $($rest:tt)*)?
    ) => {
        $crate::select_branches!(
            $order
            { $($done)* { Right; future enabled $($pattern)* $future, true $(&& $guard)?, $handler } }
            $($($rest)*)?
        )
    };
    ($order:ident $done:tt $pattern:tt $($other:tt)*) => {
        ::std::compile_error!(::std::concat!(
            "a branch of `select!` is `pattern = future => handler` or `pattern = future, if \
             condition => handler`, with a comma after a handler that is not a block; here \
             something else follows `pattern =`: `",
            ::std::stringify!($($other)*),
            "`",
        ))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! select_expansion {
    (
        $order:ident
        { $({
            $($way:ident)+ ; $future:ident $enabled:ident [$test:pat] [$pattern:pat]
            $expression:expr, $guard:expr, $handler:expr
        })* }
        else $else:expr
    ) => {{
        $(let $enabled: bool = $guard;)*
        #[allow(unused_mut)]
        let mut winner = {
            $(let $future = $expression;)*
            let branches = <$crate::macros::NoBranches>::new();
            $(
                let branches = $crate::macros::or(branches, $enabled, $future, |output| {
                    #[allow(unused, clippy::all)]
                    let matches = match output {
                        $test => true,
                        _ => false,
                    };
                    matches
                });
            )*
            $crate::macros::select($crate::macros::$order, branches).await
        };
        match winner {
            $(
                ::std::option::Option::Some(
                    $crate::select_way!($($way)+ ; $pattern)
                ) => $handler,
            )*
            ::std::option::Option::None => $else,
            #[allow(unreachable_patterns)]
            _ => ::std::unreachable!("the output has matched"),
        }
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! select_way {
    ($side:ident $($way:ident)* ; $pattern:pat) => {
        $crate::future::Either::$side($crate::select_way!($($way)* ; $pattern))
    };
    (; $pattern:pat) => { $pattern };
}
