//! Exercise 19: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_19");

use answer::{step, with_budget};
use handspun::future::join;
use handspun::task::yield_now;
use handspun::time::{Duration, sleep};
use handspun_exercises::{Case, Check, Mistake, Wrong, spawn};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::Poll;

const NONE_LEFT_OUTSIDE: Mistake = Mistake {
    name: "none_left_outside",
    says: "to have no budget is not the same as to have nothing left of one",
};
const YIELDS_EACH_TIME: Mistake = Mistake {
    name: "yields_each_time",
    says: "each step is pending first, though nobody limits it: that is `yield_now`",
};
const LOOKS_TOO_LATE: Mistake = Mistake {
    name: "looks_too_late",
    says: "it takes one first and then looks what is left, so the last one is never given",
};
const NEVER_GIVES_WAY: Mistake = Mistake {
    name: "never_gives_way",
    says: "`step` is ready though nothing is left",
};
const FREE_AFTER_THE_YIELD: Mistake = Mistake {
    name: "free_after_the_yield",
    says: "a step that was pending is ready in the next poll, and takes nothing of its budget",
};
const FORGOT_WAKE: Mistake = Mistake {
    name: "forgot_wake",
    says: "`step` is pending, and has called no waker; there is nothing else that could",
};
const FILLED_ONCE: Mistake = Mistake {
    name: "filled_once",
    says: "the counter is filled when `with_budget` begins, and in no later poll",
};
const FILLS_IN_STEP: Mistake = Mistake {
    name: "fills_in_step",
    says: "who finds the counter empty fills it, and another loop of the same poll finds it full",
};
const FILLS_WHEN_EMPTY: Mistake = Mistake {
    name: "fills_when_empty",
    says: "a poll begins with what the last one has left, though the others had their turns",
};
const LEFT_BEHIND: Mistake = Mistake {
    name: "left_behind",
    says: "after the poll the counter stays as it is, and who is polled next has a budget too",
};
const FORGETS_THE_OUTER: Mistake = Mistake {
    name: "forgets_the_outer",
    says: "after the inner poll there is no budget, where there was one before",
};
const LEFT_BY_A_PANIC: Mistake = Mistake {
    name: "left_by_a_panic",
    says: "a panic ends the poll, and the lines below it that put the counter back are not run",
};

fn main() -> ExitCode {
    Check::new("19_task_budget")
        .case("without a budget a step is ready at once", outside)
        .case("four steps of a budget of four are one poll", within)
        .case("a fifth step waits for the next poll", beyond)
        .case("all loops of a task have one budget, and its peer has its turns", two_loops)
        .case("a poll after a wait begins with a full budget", waits)
        .case("the budget of a task is not that of the next one", neighbours)
        .case("after an inner budget the outer one goes on", nested)
        .case("the budget ends also with a poll that panics", panics)
        .run()
}

/// How many steps each poll of a task has made.
type Log = Rc<RefCell<Vec<usize>>>;

/// A task that is polled so often is not polled again: one that goes on for ever is over then.
const MOST_POLLS: usize = 400;

/// Nor is one that has made more steps in a poll: what is wrong is plain then, and the run short.
const MOST_STEPS: usize = 100;

thread_local! {
    /// All steps so far.
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

async fn steps(count: usize) {
    for _ in 0..count {
        step().await;
        STEPS.set(STEPS.get() + 1);
    }
}

/// Runs `body`, and writes down what its polls do.
async fn logged(log: Log, body: impl Future<Output = ()>) {
    let mut body = pin!(body);
    poll_fn(|cx| {
        let before = STEPS.get();
        let poll = body.as_mut().poll(cx);
        let mut log = log.borrow_mut();
        let steps = STEPS.get() - before;
        log.push(steps);
        if log.len() == MOST_POLLS || steps > MOST_STEPS {
            Poll::Ready(())
        } else {
            poll
        }
    })
    .await;
}

/// Runs `body` as a task of this name, and says how many steps each of its polls has made.
async fn task(name: &str, body: impl Future<Output = ()> + 'static) -> Vec<usize> {
    let log = Log::default();
    spawn(name, logged(log.clone(), body)).await.unwrap();
    log.take()
}

/// A run of one such task.
fn run(case: &Case, name: &'static str, body: impl Future<Output = ()> + 'static) -> Vec<usize> {
    case.block_on(task(name, body))
}

fn expect_steps(
    case: &Case,
    name: &str,
    got: &[usize],
    expected: &[usize],
    mistake: impl Into<Option<Mistake>>,
) {
    if got == expected {
        return;
    }
    let mut wrong = Wrong::new(in_polls(expected), in_polls(got)).looks_like(mistake);
    let longest = got.len().max(expected.len());
    let first = (0..longest).find(|&nth| got.get(nth) != expected.get(nth)).unwrap_or_default();
    let polls = case.polls_of(name);
    if let Some(poll) = polls.get(first).or(polls.last()) {
        let what = match (got.get(first), expected.get(first)) {
            (Some(got), Some(expected)) => format!("steps in this poll: {got}, not {expected}"),
            (Some(_), None) => "one poll too many".to_string(),
            (None, _) => "it ought not to be over".to_string(),
        };
        wrong = wrong.at(poll.began, what);
    }
    case.is_wrong(wrong);
}

/// "4, 4 and 1 steps in 3 polls"
fn in_polls(steps: &[usize]) -> String {
    const MOST: usize = 5;
    let mut numbers: Vec<String> = steps.iter().take(MOST).map(usize::to_string).collect();
    let last = if steps.len() > MOST { None } else { numbers.pop() };
    let numbers = match last {
        Some(last) if numbers.is_empty() => last,
        Some(last) => format!("{} and {last}", numbers.join(", ")),
        None => format!("{} …", numbers.join(", ")),
    };
    let steps_in = if numbers == "1" { "step in" } else { "steps in" };
    match steps.len() {
        1 => format!("{numbers} {steps_in} one poll"),
        MOST_POLLS => format!("{numbers} {steps_in} {MOST_POLLS} polls, and no end"),
        polls => format!("{numbers} {steps_in} {polls} polls"),
    }
}

fn outside(case: &Case) {
    case.if_it_stalls(NONE_LEFT_OUTSIDE);
    case.if_it_panics(NONE_LEFT_OUTSIDE);
    let free = run(case, "free", steps(1_000));
    let mistake = match free[..] {
        [_, 1, ..] => YIELDS_EACH_TIME,
        _ => NONE_LEFT_OUTSIDE,
    };
    expect_steps(case, "free", &free, &[1_000], mistake);
}

fn within(case: &Case) {
    let hog = run(case, "hog", with_budget(4, steps(4)));
    let mistake = (hog[0] < 4).then_some(LOOKS_TOO_LATE);
    expect_steps(case, "hog", &hog, &[4], mistake);
}

fn beyond(case: &Case) {
    case.if_it_stalls(FORGOT_WAKE);
    let hog = run(case, "hog", with_budget(4, steps(9)));
    let mistake = match hog[..] {
        [9] => Some(NEVER_GIVES_WAY),
        [4, 5] => Some(FREE_AFTER_THE_YIELD),
        [4, 0, ..] => Some(FILLED_ONCE),
        _ => None,
    };
    expect_steps(case, "hog", &hog, &[4, 4, 1], mistake);
}

fn two_loops(case: &Case) {
    const SIZE: usize = 64;
    const EACH: usize = 10_000;
    let hog = case.block_on(async {
        let is_done = Rc::new(Cell::new(false));
        let flag = is_done.clone();
        spawn("peer", async move {
            while !flag.get() {
                yield_now().await;
            }
        });
        let loops = async {
            join(steps(EACH), steps(EACH)).await;
        };
        let hog = task("hog", with_budget(SIZE as u32, loops)).await;
        is_done.set(true);
        hog
    });
    if let Some(nth) = hog.iter().position(|&steps| steps > SIZE) {
        let wrong = Wrong::new(format!("at most {SIZE} steps in a poll"), hog[nth]);
        let at = case.polls_of("hog")[nth].began;
        let what = format!("steps in this poll: {}, of {SIZE}", hog[nth]);
        case.is_wrong(wrong.at(at, what).looks_like(FILLS_IN_STEP));
    }
    case.expect_polls("hog", (2 * EACH).div_ceil(SIZE), &[]);
}

fn waits(case: &Case) {
    let body = async {
        steps(3).await;
        sleep(Duration::from_millis(1)).await;
        steps(3).await;
        sleep(Duration::from_millis(1)).await;
        steps(5).await;
    };
    let hog = run(case, "hog", with_budget(4, body));
    expect_steps(case, "hog", &hog, &[3, 3, 4, 1], FILLS_WHEN_EMPTY);
}

fn neighbours(case: &Case) {
    let (between, after) = case.block_on(async {
        let hog = spawn("hog", with_budget(4, steps(9)));
        // It has its first turn behind the first of the hog.
        let between = task("between", steps(100)).await;
        hog.await.unwrap();
        (between, task("after", steps(100)).await)
    });
    expect_steps(case, "between", &between, &[100], LEFT_BEHIND);
    expect_steps(case, "after", &after, &[100], LEFT_BEHIND);
}

fn nested(case: &Case) {
    let body = async {
        steps(1).await;
        with_budget(2, steps(3)).await;
        steps(6).await;
    };
    let hog = run(case, "hog", with_budget(4, body));
    // In the second poll: the last of the inner budget, and four of the outer one.
    let mistake = (hog.get(1) > Some(&5)).then_some(FORGETS_THE_OUTER);
    expect_steps(case, "hog", &hog, &[3, 5, 2], mistake);
}

fn panics(case: &Case) {
    let after = case.block_on(async {
        let body = async {
            steps(2).await;
            panic!("a panic that the check has made, in a task with a budget");
        };
        let ended = spawn("hog", with_budget(4, body)).await;
        assert!(ended.is_err(), "the panic of the check has gone astray");
        task("after", steps(100)).await
    });
    expect_steps(case, "after", &after, &[100], LEFT_BY_A_PANIC);
}
