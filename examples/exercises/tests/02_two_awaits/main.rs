//! Exercise 02: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_02");

use handspun::task::yield_now;
use handspun_exercises::{Case, Check, Mistake, Wrong};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::task::{Context, Poll};

const EAGER: Mistake = Mistake {
    name: "eager",
    says: "the call does what only the first poll may do: it has to keep the argument for that",
};
const BEGINS_ANEW: Mistake = Mistake {
    name: "begins_anew",
    says: "each poll runs the body from the top; it does not remember where it stood",
};
const CHILD_ANEW: Mistake = Mistake {
    name: "child_anew",
    says: "each poll makes a new `later`, which is pending; it must keep the one that it polls",
};
const PENDING_BETWEEN: Mistake = Mistake {
    name: "pending_between",
    says: "it answers Pending where the async fn goes on: only what it has polled, with its own \
           Context, can make it pending",
};
const WAITS_INSIDE: Mistake = Mistake {
    name: "waits_inside",
    says: "it goes on where something is pending, or asks it again at once; it must return \
           Pending, and go on there in the next poll",
};
const COUNTS_POLLS: Mistake = Mistake {
    name: "counts_polls",
    says: "it takes it for granted that a second poll is ready; each may be pending",
};
const GOES_ON_AT_ZERO: Mistake = Mistake {
    name: "goes_on_at_zero",
    says: "`return 0` is a way out from the first await; there it is over",
};
const LOOP_FORGETS: Mistake = Mistake {
    name: "loop_forgets",
    says: "the next round of the loop needs `left` and `nth`, and `sum` as it is by then: each is \
           a field, beside the future",
};
const POLLED_AFTER_READY: Mistake = Mistake {
    name: "polled_after_ready",
    says: "when it is over it must know that: one more place, where a poll is a panic",
};
const NOT_OVER_AT_ZERO: Mistake = Mistake {
    name: "not_over_at_zero",
    says: "`return 0` is an end like the other: from there, too, it goes to the place where a poll \
           is a panic",
};

/// What one poll traces is less.
const MOST_TRACED: usize = 100;

fn main() -> ExitCode {
    Check::new("02_two_awaits")
        .case("a call does nothing", does_nothing)
        .case("with 0 it does in each poll what the async fn does", |case| same(case, 0, 1))
        .case("with 10 it does in each poll what the async fn does", |case| same(case, 10, 1))
        .case("it stays where it stands if that is pending three times", |case| same(case, 10, 3))
        .case("it goes on to the end if nothing is pending", |case| same(case, 10, 0))
        .case("who polls it after it was ready gets a panic", |case| {
            after_ready(case, 10, POLLED_AFTER_READY)
        })
        .case("who polls it after it has returned 0 gets a panic, too", |case| {
            after_ready(case, 0, NOT_OVER_AT_ZERO)
        })
        .run()
}

// What the answer uses.

/// What is to be written by hand.
async fn total(first: u32) -> u32 {
    trace("begins");
    let left = later(first).await;
    trace(format!("has {left}"));
    if left == 0 {
        return 0;
    }
    let mut sum = left;
    for nth in 1..=3 {
        sum += later(left + nth).await;
        trace(format!("has {sum}"));
    }
    sum
}

thread_local! {
    /// What is done in this poll.
    static TRACE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// How often a `later` is pending.
    static PENDING: Cell<u32> = const { Cell::new(1) };
}

/// Writes down what is done.
pub fn trace(what: impl Into<String>) {
    let traced = TRACE.with_borrow_mut(|trace| {
        trace.push(what.into());
        trace.len()
    });
    assert!(traced < MOST_TRACED, "one poll has traced {traced} lines: it does not come to an end");
}

/// A future that is ready with n after a while.
pub struct Later {
    n: u32,
    pending: u32,
    over: bool,
}

/// Ready with n after a while.
pub fn later(n: u32) -> Later {
    trace(format!("makes later({n})"));
    Later {
        n,
        pending: PENDING.get(),
        over: false,
    }
}

impl Future for Later {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        if self.over {
            trace(format!("polls later({}), which was ready", self.n));
            // For the check to go on, and see it.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.pending > 0 {
            self.pending -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.over = true;
        Poll::Ready(self.n)
    }
}

// The cases.

/// What one does, and in which poll.
struct Step {
    what: What,
    poll: usize,
}

#[derive(PartialEq)]
enum What {
    Begins,
    Makes(String),
    PollsAgain(String),
    Says(String),
    Pending,
    Ready(u32),
}

impl What {
    fn traced(text: String) -> What {
        match text.as_str() {
            "begins" => What::Begins,
            _ if text.starts_with("makes") => What::Makes(text),
            _ if text.starts_with("polls") => What::PollsAgain(text),
            _ => What::Says(text),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Begins => write!(f, "\"begins\""),
            What::Makes(text) | What::PollsAgain(text) | What::Says(text) => {
                write!(f, "\"{text}\"")
            }
            What::Pending => write!(f, "Pending"),
            What::Ready(output) => write!(f, "Ready({output})"),
        }
    }
}

/// What was traced in this poll, as a mark in the run.
struct Marked;

impl Drop for Marked {
    fn drop(&mut self) {
        let trace = TRACE.take();
        if !trace.is_empty() {
            handspun::trace::mark(&trace.join(", "));
        }
    }
}

/// All that a future does, from its first poll to the end, or to that of `most` polls.
async fn steps(future: impl Future<Output = u32>, most: usize) -> Vec<Step> {
    let mut future = pin!(future);
    let mut steps = Vec::new();
    let mut poll = 0;
    poll_fn(|cx| {
        let _marked = Marked;
        poll += 1;
        let answer = future.as_mut().poll(cx);
        let traced = TRACE.with_borrow(Vec::clone);
        let all = traced.into_iter().map(What::traced).chain([match answer {
            Poll::Pending => What::Pending,
            Poll::Ready(output) => What::Ready(output),
        }]);
        steps.extend(all.map(|what| Step { what, poll }));
        if answer.is_ready() || poll == most { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    steps
}

/// The last record of this poll of the answer.
fn record(case: &Case, poll: usize) -> usize {
    case.polls_of("root")[poll - 1].last()
}

fn does_nothing(case: &Case) {
    let traced = case.block_on(async {
        let _marked = Marked;
        let _never_polled = answer::total(10);
        TRACE.with_borrow(Vec::clone)
    });
    if let Some(first) = traced.into_iter().next() {
        let wrong = Wrong::new("nothing before the first poll", What::traced(first));
        case.is_wrong(wrong.at(record(case, 1), "nobody has polled it").looks_like(EAGER));
    }
}

/// The two do the same in each poll, where every `later` is pending so often.
fn same(case: &Case, first: u32, pending: u32) {
    PENDING.set(pending);
    let expected = case.block_on(steps(total(first), usize::MAX));
    case.if_it_stalls(PENDING_BETWEEN);
    if pending > 1 {
        case.if_it_panics(COUNTS_POLLS);
    }
    let most = expected.last().map_or(1, |last| last.poll + 1);
    let got = case.block_on(steps(answer::total(first), most));
    // Each of them ends with Ready, or goes on for longer: so there is a first difference in both.
    let first = expected.iter().zip(&got).position(|(should, does)| should.what != does.what);
    if let Some(nth) = first {
        let (should, does) = (&expected[nth], &got[nth]);
        let wrong = Wrong::new(format!("{} in poll {}", should.what, should.poll), &does.what);
        let here = format!("not {}, but {}", should.what, does.what);
        let wrong = wrong.at(record(case, does.poll), here);
        case.is_wrong(wrong.looks_like(mistake(&should.what, &does.what, &got[..nth])));
    }
}

fn mistake(should: &What, does: &What, before: &[Step]) -> Option<Mistake> {
    // Whether it waits for a `later` that was not ready yet.
    let waits = before.iter().rev().find_map(|step| match step.what {
        What::Makes(_) => Some(true),
        What::Says(_) => Some(false),
        _ => None,
    });
    match (should, does) {
        (_, What::Begins) if !before.is_empty() => Some(BEGINS_ANEW),
        (_, What::Makes(_)) if waits == Some(true) => Some(CHILD_ANEW),
        (What::Ready(0), What::Makes(_) | What::Says(_)) => Some(GOES_ON_AT_ZERO),
        (What::Says(_) | What::Makes(_) | What::Ready(_), What::Pending) => Some(PENDING_BETWEEN),
        (What::Pending, What::Says(_)) => Some(WAITS_INSIDE),
        (What::Says(_), What::Says(_)) | (What::Makes(_), What::Makes(_)) if in_loop(before) => {
            Some(LOOP_FORGETS)
        }
        _ => None,
    }
}

/// Whether the loop has gone round.
fn in_loop(before: &[Step]) -> bool {
    before.iter().filter(|step| matches!(step.what, What::Says(_))).count() > 1
}

fn after_ready(case: &Case, first: u32, mistake: Mistake) {
    PENDING.set(1);
    let answer = case.block_on(async {
        let mut future = Box::pin(answer::total(first));
        steps(future.as_mut(), usize::MAX).await;
        yield_now().await;
        poll_fn(|cx| {
            let poll = || future.as_mut().poll(cx);
            Poll::Ready(catch_unwind(AssertUnwindSafe(poll)).ok())
        })
        .await
    });
    if let Some(answer) = answer {
        let got = if answer.is_ready() { "Ready, once more" } else { "Pending" };
        let last = case.polls_of("root").len();
        let wrong = Wrong::new("a panic", got).looks_like(mistake);
        case.is_wrong(wrong.at(record(case, last), "it was over"));
    }
}
