//! What all checks of the exercises share: they run an answer, and show the run if it is wrong.
//!
//! An exercise is a folder of `examples/exercises/tests/`, and a check is a list of cases, the
//! simplest first. A case runs the answer on an executor that is recorded, on a paused clock, and
//! says what must hold. The first case that does not hold is told, and all that is told comes from
//! the trace of its own run:
//!
//! ```text
//!   main.rs ──► check.rs: one case after the other, each on a thread, under a watchdog
//!                 │          │
//!                 │          ├─ run.rs: on handspun's executor   ──► Trace ─┐
//!                 │          └─ hand.rs: on an executor that the            │
//!                 │                      answer is, told by the check ──────┤
//!                 ▼                                                         ▼
//!               report.rs: expected and got; the timeline, and where it went wrong; a lint;
//!                          how to get a hint; the panic
//! ```
//!
//! A check never hangs: who waits for ever stalls, and is told so; who is polled for ever is
//! stopped after [`MOST_POLLS`]; who does not come back from a poll is stopped by the watchdog.
//! Wakers and destructors that do something at a bad moment are in `others.rs`.
//!
//! # An exercise
//!
//! | file | what it is |
//! |---|---|
//! | `README.md` | the task, what must hold, what to predict, three hints, and afterwards |
//! | `starter.rs` | compiles; what is missing panics, and says what it is |
//! | `main.rs` | the check: [`answer!`], and cases |
//! | `solution.rs` | a right answer, written to be read |
//! | `wrong/….diff` | known mistakes, by their names: what of the solution is changed by them |
//! | `answer.rs` | the learner's: a copy of the starter, which git ignores |
//!
//! A check is tested like any other program, by `examples/exercises/tests/meta.rs`: the starter is
//! *not written yet*, the solution passes, and each wrong answer is found wrong by its name. For
//! that the same check is built with other files in place of `answer.rs`: see [`answer!`].
//!
//! To write one:
//!
//! 1. Copy a folder: `01_countdown` if the answer runs on handspun, `08_queued_once` if it is an
//!    executor. Name it in `Cargo.toml`, count it in `meta.rs`, and put its name and number into
//!    `main.rs`.
//! 2. Write the solution, then the cases, the simplest first: what somebody has to get right before
//!    the next one can mean anything. A sentence says what must hold, and of what.
//! 3. Write down mistakes that people make, each as a diff (`meta.rs` says how it is read; the line
//!    numbers of one that a tool has made are left out). If one passes, a case is missing. If it is
//!    called by another's name, the order of the cases is wrong, or a question to the trace is too
//!    coarse.
//! 4. Read what each of them is told, and ask whether it would have helped:
//!    `HANDSPUN_EXERCISE=08 cargo test -qp handspun-exercises --features others --test meta --
//!    --nocapture`.
//! 5. The starter last: the solution without what is to be learned. Its signatures are those that
//!    the check uses.
//!
//! ```
//! use handspun_exercises::{Check, Mistake};
//!
//! const TOO_EAGER: Mistake = Mistake {
//!     name: "too_eager",
//!     says: "it is ready before it was pending",
//! };
//!
//! // 42 has no folder: this is what `main` of a check looks like.
//! let check = Check::new("42_yields").case("yield_now is pending once", |case| {
//!     case.block_on(handspun::task::yield_now());
//!     case.expect_polls("root", 2, &[TOO_EAGER]);
//! });
//! # drop(check);
//! // check.run() is the exit code of the program.
//! ```

mod check;
mod hand;
mod others;
mod report;
mod run;

pub use check::{Case, Check, Mistake, Wrong};
pub use hand::Hand;
pub use others::{
    Call, hostile_everywhere, hostile_waker, interrupted, panic_of_others, replaced,
    stop_panic_of_others,
};
pub use report::with_commas;
pub use run::{MOST_POLLS, PollOf, spawn};

/// `mod answer`, which is what the check is of. Features say which file that is:
///
/// - With `answers` it is the learner's `answer.rs`. So the companion builds a check.
/// - With `others` it is the file that the variable `HANDSPUN_ANSWER_NN` names. So the checks are
///   tested. (Such a file is included, so it cannot begin with `//!`: it begins with `//`.)
/// - With neither it is the starter, which is always there: all targets of a fresh clone compile.
///   An editor that asks rust-analyzer reads `answer.rs` nevertheless.
#[macro_export]
macro_rules! answer {
    ($variable:literal) => {
        #[cfg(not(feature = "others"))]
        #[cfg_attr(not(any(feature = "answers", rust_analyzer)), path = "starter.rs")]
        #[allow(
            dead_code,
            unused_imports,
            unused_mut,
            unused_variables,
            reason = "not written yet"
        )]
        mod answer;
        #[cfg(feature = "others")]
        mod answer {
            include!(env!($variable));
        }
    };
}
