//! Exercise 01: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_01");

use answer::Countdown;
use handspun_exercises::{Case, Check, Mistake, spawn};
use std::future::{Future, poll_fn};
use std::process::ExitCode;
use std::task::Poll;

const FORGOT_WAKE: Mistake = Mistake {
    name: "forgot_wake",
    says: "it answers Pending, and has not called its waker in that poll; the executor has no \
           other reason to come back",
};
const READY_EARLY: Mistake = Mistake {
    name: "ready_early",
    says: "it has answered Pending fewer than n times",
};
const READY_LATE: Mistake = Mistake {
    name: "ready_late",
    says: "it has answered Pending more than n times",
};
const NEVER_COUNTS: Mistake = Mistake {
    name: "never_counts",
    says: "the field is never counted down; a variable of `poll` will not do, it is gone when that \
           returns",
};
const WAITS_INSIDE: Mistake = Mistake {
    name: "waits_inside",
    says: "`poll` waits for the next poll, which can only come when it has returned",
};
const FIRST_WAKER: Mistake = Mistake {
    name: "first_waker",
    says: "it keeps the waker of its first poll; each poll brings the one that counts from then on",
};

fn main() -> ExitCode {
    Check::new("01_countdown")
        .case("Countdown(0) is ready in its first poll", |case| count_down(case, 0))
        .case("Countdown(1) is pending once, and ready in its second poll", |case| {
            count_down(case, 1)
        })
        .case("Countdown(5) is pending five times, and ready in its sixth poll", |case| {
            count_down(case, 5)
        })
        .case("two that count down side by side take turns", take_turns)
        .case("it goes on in another task, and wakes that one", moves)
        .run()
}

fn count_down(case: &Case, n: u32) {
    case.if_it_stalls(FORGOT_WAKE);
    case.if_it_never_ends(NEVER_COUNTS);
    case.if_it_hangs(WAITS_INSIDE);
    case.block_on(Countdown(n));
    case.expect_polls("root", n as usize + 1, &[READY_EARLY, READY_LATE]);
}

fn take_turns(case: &Case) {
    case.if_it_stalls(FORGOT_WAKE);
    case.block_on(async {
        let a = spawn("a", Countdown(2));
        let b = spawn("b", Countdown(2));
        a.await.unwrap();
        b.await.unwrap();
    });
    let turns = ["root", "a", "b", "a", "b", "a", "b", "root"];
    case.expect_order(&turns, None);
}

fn moves(case: &Case) {
    case.if_it_stalls(FIRST_WAKER);
    case.block_on(async {
        let mut countdown = Box::pin(Countdown(3));
        // One poll here, with the waker of the root.
        poll_fn(|cx| {
            let _pending = countdown.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        spawn("other", countdown).await.unwrap();
    });
    case.expect_polls("other", 3, &[READY_EARLY, READY_LATE]);
}
