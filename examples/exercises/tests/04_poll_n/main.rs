//! Exercise 04: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_04");

use answer::poll_n;
use handspun_exercises::{Case, Check, Hand, Mistake, Wrong};
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::Poll::{Pending, Ready};
use std::time::Duration;

const NEVER_GIVES_UP: Mistake = Mistake {
    name: "never_gives_up",
    says: "it polls until the future is ready, and that may be never",
};
const ONE_TOO_MANY: Mistake = Mistake {
    name: "one_too_many",
    says: "n + 1 polls: the loop goes to `0..=n`, or polls before it asks whether n are over",
};
const POLLS_AT_ZERO: Mistake = Mistake {
    name: "polls_at_zero",
    says: "it begins with a poll, and 0 polls are allowed",
};
const GIVES_UP_EARLY: Mistake = Mistake {
    name: "gives_up_early",
    says: "it has given up before its nth poll",
};
const POLLED_AFTER_READY: Mistake = Mistake {
    name: "polled_after_ready",
    says: "it goes on to poll who has answered Ready, which nobody may do",
};
const NEVER_DROPPED: Mistake = Mistake {
    name: "never_dropped",
    says: "nobody owns the future any more, so nobody drops it",
};
const SLEEPS: Mistake = Mistake {
    name: "sleeps",
    says: "it waits for a wake between two polls; this future has an answer, and wakes nobody",
};

/// Far more than any of these takes; it comes up if an answer sleeps.
const LONGEST: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    Check::new("04_poll_n")
        .case("who is ready in its first poll is polled once", |case| gets_ready(case, 1, 1))
        .case("who is ready in its third poll is ready within three", |case| gets_ready(case, 3, 3))
        .case("who is ready in its third poll is not polled nine times", |case| {
            gets_ready(case, 3, 9)
        })
        .case("with n = 2 it gives up after the second poll", |case| gives_up(case, 2))
        .case("with n = 0 it gives up before the first poll", |case| gives_up(case, 0))
        .case("the future is dropped when `poll_n` returns", drops)
        .case("who is lent goes on where it stood, in the next `poll_n`", lends)
        .run()
}

/// Ready in this poll, and wakes nobody.
fn ready_in(hand: &Hand, poll: usize) -> impl Future<Output = ()> + 'static {
    hand.task("a", move |nth| if nth >= poll { Ready(()) } else { Pending })
}

fn gets_ready(case: &Case, poll: usize, n: u32) {
    if poll > 1 {
        case.if_it_hangs(SLEEPS);
    }
    case.if_it_never_ends(NEVER_GIVES_UP);
    case.may_take(LONGEST);
    let hand = case.by_hand();
    let got = poll_n(ready_in(&hand, poll), n);
    hand.expect_no_poll_after_ready(case, POLLED_AFTER_READY);
    hand.expect_polls(case, "a", poll, &[GIVES_UP_EARLY]);
    if got.is_none() {
        case.is_wrong(Wrong::new("Some", "None").at(hand.now(), "this poll was ready"));
    }
}

fn gives_up(case: &Case, n: u32) {
    case.if_it_hangs(SLEEPS);
    case.if_it_never_ends(NEVER_GIVES_UP);
    case.may_take(LONGEST);
    let hand = case.by_hand();
    let got = poll_n(hand.task("a", |_| Pending), n);
    let too_many = if n == 0 { POLLS_AT_ZERO } else { ONE_TOO_MANY };
    hand.expect_polls(case, "a", n as usize, &[GIVES_UP_EARLY, too_many]);
    if got.is_some() {
        case.is_wrong(Wrong::new("None", "Some").at(hand.now(), "this poll was not ready"));
    }
}

/// Says when it is dropped, and how often that was.
struct Drops {
    hand: Hand,
    count: Rc<Cell<usize>>,
}

impl Drop for Drops {
    fn drop(&mut self) {
        self.hand.mark("the future is dropped");
        self.count.set(self.count.get() + 1);
    }
}

/// The one is ready in its second poll, and the other is not ready in its first.
fn drops(case: &Case) {
    for n in [2, 1] {
        let hand = case.by_hand();
        let count = Rc::new(Cell::new(0));
        let drops = Drops {
            hand: hand.clone(),
            count: count.clone(),
        };
        let future = hand.task("a", move |nth| {
            let _held = &drops;
            if nth == 2 { Ready(()) } else { Pending }
        });
        let _answer = poll_n(future, n);
        hand.mark("poll_n returns");
        if count.get() != 1 {
            let wrong = Wrong::new("1 drop before that", count.get()).looks_like(NEVER_DROPPED);
            case.is_wrong(wrong.at(hand.now(), "the future is not dropped"));
        }
    }
}

fn lends(case: &Case) {
    let hand = case.by_hand();
    let mut future = pin!(ready_in(&hand, 3));
    for (expected, n) in [("None", 2), ("Some", 2)] {
        let got = poll_n(future.as_mut(), n);
        hand.mark(&format!("poll_n(.., {n}) returns"));
        case.expect_equal("the answer", some_or_none(&got), expected, None);
    }
    hand.expect_polls(case, "a", 3, &[]);
}

fn some_or_none(got: &Option<()>) -> &'static str {
    if got.is_some() { "Some" } else { "None" }
}
