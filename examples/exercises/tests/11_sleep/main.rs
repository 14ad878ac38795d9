//! Exercise 11: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_11");

use answer::{Sleep, Timers};
use handspun::task::{JoinHandle, yield_now};
use handspun::time::{self, Duration};
use handspun::trace::{self, Outcome};
use handspun_exercises::{Case, Check, Mistake, Wrong, spawn};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

const NEVER_WOKEN: Mistake = Mistake {
    name: "never_woken",
    says: "its waker was not kept, or not called; only a call of `wake` brings another poll",
};
const FIRED_STAYS: Mistake = Mistake {
    name: "fired_stays",
    says: "a timer that has fired is still the next one; so there is no end of firing",
};
const FIRES_LATE: Mistake = Mistake {
    name: "fires_late",
    says: "for `fire`, a timer whose deadline is this very moment is not due yet; so it stays the \
           next one, for ever",
};
const LATEST_FIRST: Mistake = Mistake {
    name: "latest_first",
    says: "the next deadline is not the earliest; `BinaryHeap` gives the greatest first",
};
const FIRES_ALL: Mistake = Mistake {
    name: "fires_all",
    says: "`fire` wakes also those whose deadline has not come",
};
const BEGINS_WHEN_POLLED: Mistake = Mistake {
    name: "begins_when_polled",
    says: "the duration counts from the first poll; it must count from the call of `sleep`",
};
const ARMED_AT_THE_CALL: Mistake = Mistake {
    name: "armed_at_the_call",
    says: "a sleep is armed when it is called; there is nobody to be woken before its first poll",
};
const ARMED_WHEN_OVER: Mistake = Mistake {
    name: "armed_when_over",
    says: "a sleep whose deadline has come before its first poll is armed all the same; only the \
           clock knows that it is over",
};
const ONE_PER_DEADLINE: Mistake = Mistake {
    name: "one_per_deadline",
    says: "the deadline alone is the key, and who comes second takes the place of the first",
};
const LAST_IN_FIRST_OUT: Mistake = Mistake {
    name: "last_in_first_out",
    says: "among equal deadlines, who came last is woken first",
};
const READY_WHEN_WOKEN: Mistake = Mistake {
    name: "ready_when_woken",
    says: "it takes the second poll for the end; only the clock can tell that",
};
const ENTRY_PER_POLL: Mistake = Mistake {
    name: "entry_per_poll",
    says: "each poll arms a timer more; a sleep has one, and must find it again",
};
const STALE_WAKER: Mistake = Mistake {
    name: "stale_waker",
    says: "the waker of the first poll is kept; the one of the last poll is to be called",
};
const LEFT_BEHIND: Mistake = Mistake {
    name: "left_behind",
    says: "a sleep that is dropped leaves its timer behind",
};
const TAKES_ALL_ALONG: Mistake = Mistake {
    name: "takes_all_along",
    says: "a sleep that is dropped takes away the timers of others that have its deadline",
};
const TAKES_SUCCESSOR_ALONG: Mistake = Mistake {
    name: "takes_successor_along",
    says: "the timer of a sleep that has ended is gone, and another one has come to its place; \
           when that sleep is dropped, it takes the other one away",
};
const ONE_PER_FIRE: Mistake = Mistake {
    name: "one_per_fire",
    says: "`fire` wakes those of one deadline; others may be over by then, too",
};
const ONLY_THIS_MOMENT: Mistake = Mistake {
    name: "only_this_moment",
    says: "`fire` wakes those whose deadline is this very moment; an executor that was busy comes \
           later than that",
};
const BORROWED: Mistake = Mistake {
    name: "borrowed",
    says: "a waker is called while the timers are borrowed; whose code that is, you do not know",
};

fn main() -> ExitCode {
    Check::new("11_sleep")
        .case("a sleep of 10 ms is ready after 10 ms, in its second poll", one)
        .case("sleeps of 30, 10 and 20 ms end after 10, 20 and 30 ms", earliest_first)
        .case("a sleep begins when it is called, not when it is polled", begins_at_the_call)
        .case("a sleep that is over, and not dropped yet, is not in the way", over_and_kept)
        .case("of equal deadlines, who came first ends first", equal_deadlines)
        .case("a wake that comes early does not end a sleep, nor arm it twice", woken_early)
        .case("a sleep that moves to another task wakes that one", moves)
        .case("a sleep that is dropped leaves nothing behind", dropped)
        .case("a sleep that is dropped takes no other timer along", dropped_among_equals)
        .case("a sleep that has ended and is dropped takes no other timer along", dropped_later)
        .case("a `fire` that comes late wakes all who are due by then", fires_once)
        .case("a waker that `fire` calls may drop another sleep", waker_drops)
        .run()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What the executor of the answer would do when nothing is runnable: it sleeps until the first
/// deadline, and fires. Until no timer is armed and all are over.
async fn rest(timers: &Timers, sleepers: impl IntoIterator<Item = JoinHandle<()>>) {
    loop {
        yield_now().await; // Everyone who is runnable has its turn.
        let Some(deadline) = timers.next_deadline() else {
            break;
        };
        time::sleep_until(deadline).await;
        timers.fire();
    }
    for sleeper in sleepers {
        sleeper.await.unwrap();
    }
}

async fn poll_once(sleep: &mut Pin<Box<Sleep>>) -> Poll<()> {
    poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx))).await
}

/// These sleepers have ended, in this order, each after so many milliseconds. `mistakes`: what it
/// most likely is if the first that is not so is too early; too late; in time but in another's
/// place.
fn expect_ends(case: &Case, expected: &[(&'static str, u64)], mistakes: [Option<Mistake>; 3]) {
    let trace = case.trace();
    let mut ends = Vec::new();
    for &(name, _) in expected {
        let last = case.polls_of(name).into_iter().next_back();
        let ended = last.filter(|poll| poll.outcome == Some(Outcome::Ready));
        let ended = ended.and_then(|poll| Some((poll.ended?, poll.began)));
        let Some((ended, began)) = ended else {
            case.is_wrong(Wrong::new(format!("an end of {name}"), "none"));
        };
        ends.push((ended, began, name, trace.records()[began].at));
    }
    ends.sort_unstable();
    let told = |ends: &[(&str, Duration)]| {
        let ends = ends.iter().map(|(name, at)| format!("{name} at {:.3} s", at.as_secs_f64()));
        ends.collect::<Vec<_>>().join(", ")
    };
    let got: Vec<_> = ends.iter().map(|&(_, _, name, at)| (name, at)).collect();
    let expected: Vec<_> = expected.iter().map(|&(name, at)| (name, millis(at))).collect();
    let Some(first) = (0..got.len()).find(|&nth| got[nth] != expected[nth]) else {
        return;
    };
    let ((_, began, ..), (name, at)) = (ends[first], got[first]);
    let planned = expected.iter().find(|end| end.0 == name).map_or(at, |end| end.1);
    let (what, mistake) = if at < planned {
        ("too early".to_string(), mistakes[0])
    } else if at > planned {
        ("too late".to_string(), mistakes[1])
    } else {
        (format!("it was {}'s turn", expected[first].0), mistakes[2])
    };
    let wrong = Wrong::new(told(&expected), told(&got));
    case.is_wrong(wrong.at(began, what).looks_like(mistake));
}

/// So many timers were armed, as counted after the poll of that name and number, from 0 on.
/// `more`: what it most likely is if there are more.
fn expect_armed(
    case: &Case,
    armed: usize,
    expected: usize,
    (name, nth): (&str, usize),
    more: impl Into<Option<Mistake>>,
) {
    if armed == expected {
        return;
    }
    let what = if armed > expected { "one timer too many" } else { "one timer too few" };
    let more = more.into().filter(|_| armed > expected);
    let timers = |count| format!("{count} timer{} armed", if count == 1 { "" } else { "s" });
    let wrong = Wrong::new(timers(expected), armed).looks_like(more);
    let began = case.polls_of(name)[nth].began;
    case.is_wrong(wrong.at(began, what));
}

fn one(case: &Case) {
    case.if_it_stalls(NEVER_WOKEN);
    case.block_on(async {
        let timers = Timers::default();
        let mut sleep = Box::pin(timers.sleep(millis(10)));
        // A second poll is one for which `fire` has woken it.
        let (case, mut if_pending) = (case.clone(), Some(FIRES_LATE));
        let a = spawn(
            "a",
            poll_fn(move |cx| {
                let poll = sleep.as_mut().poll(cx);
                let mistake = if poll.is_ready() { Some(FIRED_STAYS) } else { if_pending.take() };
                case.if_it_never_ends(mistake);
                poll
            }),
        );
        rest(&timers, [a]).await;
    });
    expect_ends(case, &[("a", 10)], [None; 3]);
    case.expect_polls("a", 2, &[]);
}

fn earliest_first(case: &Case) {
    case.if_it_stalls(FIRES_ALL);
    case.if_it_never_ends(FIRED_STAYS);
    case.block_on(async {
        let timers = Timers::default();
        let sleepers = [30, 10, 20].map(|n| spawn(&format!("{n} ms"), timers.sleep(millis(n))));
        rest(&timers, sleepers).await;
    });
    let ends = [("10 ms", 10), ("20 ms", 20), ("30 ms", 30)];
    expect_ends(case, &ends, [Some(FIRES_ALL), Some(LATEST_FIRST), None]);
    for (name, _) in ends {
        let mut polls = case.polls_of(name).into_iter().skip(1);
        if let Some(early) = polls.find(|poll| poll.outcome == Some(Outcome::Pending)) {
            let got = format!("one of {name}");
            let wrong = Wrong::new("no second poll before the deadline", got);
            let wrong = wrong.at(early.began, "the deadline has not come");
            case.is_wrong(wrong.looks_like(FIRES_ALL));
        }
    }
}

fn begins_at_the_call(case: &Case) {
    let (armed_before, armed) = case.block_on(async {
        let timers = Timers::default();
        let (a, b) = (timers.sleep(millis(10)), timers.sleep(millis(3)));
        let armed_before = timers.armed();
        time::sleep(millis(4)).await;
        let (a, b) = (spawn("a", a), spawn("b", b));
        yield_now().await;
        let armed = timers.armed();
        rest(&timers, [a, b]).await;
        (armed_before, armed)
    });
    expect_armed(case, armed_before, 0, ("root", 0), ARMED_AT_THE_CALL);
    expect_ends(case, &[("b", 4), ("a", 10)], [None, Some(BEGINS_WHEN_POLLED), None]);
    expect_armed(case, armed, 1, ("b", 0), ARMED_WHEN_OVER);
}

fn over_and_kept(case: &Case) {
    case.if_it_stalls(FIRED_STAYS);
    case.if_it_never_ends(FIRED_STAYS);
    case.block_on(async {
        let timers = Timers::default();
        let (mut first, then) = (Box::pin(timers.sleep(millis(10))), timers.sleep(millis(20)));
        let a = spawn("a", async move {
            first.as_mut().await;
            then.await;
            drop(first);
        });
        rest(&timers, [a]).await;
    });
    expect_ends(case, &[("a", 20)], [None; 3]);
}

fn equal_deadlines(case: &Case) {
    case.if_it_stalls(ONE_PER_DEADLINE);
    case.block_on(async {
        let timers = Timers::default();
        let mut sleepers: Vec<_> =
            ["a", "b", "c"].map(|name| spawn(name, timers.sleep(millis(10)))).into();
        time::sleep(millis(4)).await;
        sleepers.push(spawn("d", timers.sleep(millis(6))));
        rest(&timers, sleepers).await;
    });
    let ends = ["a", "b", "c", "d"].map(|name| (name, 10));
    expect_ends(case, &ends, [None, None, Some(LAST_IN_FIRST_OUT)]);
}

fn woken_early(case: &Case) {
    let armed = case.block_on(async {
        let timers = Timers::default();
        let mut sleep = Box::pin(timers.sleep(millis(10)));
        let (give, waker) = std::sync::mpsc::channel();
        let a = spawn(
            "a",
            poll_fn(move |cx| {
                let _ = give.send(cx.waker().clone());
                sleep.as_mut().poll(cx)
            }),
        );
        time::sleep(millis(4)).await;
        waker.recv().expect("a was polled").wake();
        yield_now().await;
        let armed = timers.armed();
        rest(&timers, [a]).await;
        armed
    });
    expect_ends(case, &[("a", 10)], [Some(READY_WHEN_WOKEN), None, None]);
    expect_armed(case, armed, 1, ("a", 1), ENTRY_PER_POLL);
    case.expect_polls("a", 3, &[]);
}

fn moves(case: &Case) {
    case.if_it_stalls(STALE_WAKER);
    let armed = case.block_on(async {
        let timers = Timers::default();
        let mut sleep = Box::pin(timers.sleep(millis(10)));
        let _pending = poll_once(&mut sleep).await;
        let other = spawn("other", sleep);
        yield_now().await;
        let armed = timers.armed();
        rest(&timers, [other]).await;
        armed
    });
    expect_armed(case, armed, 1, ("other", 0), ENTRY_PER_POLL);
    expect_ends(case, &[("other", 10)], [None; 3]);
    case.expect_polls("other", 2, &[]);
}

fn dropped(case: &Case) {
    let armed = case.block_on(async {
        let timers = Timers::default();
        let mut hour = Box::pin(timers.sleep(Duration::from_secs(3600)));
        let _pending = poll_once(&mut hour).await;
        drop(hour);
        drop(timers.sleep(millis(5))); // Never polled.
        let a = spawn("a", timers.sleep(millis(10)));
        rest(&timers, [a]).await;
        timers.armed()
    });
    let end = case.trace().end();
    if end != millis(10) {
        let wrong = Wrong::new("a run of 0.010 s", format!("one of {:.3} s", end.as_secs_f64()));
        let last = case.polls_of("root").last().expect("root is polled").began;
        let what = "it has slept for somebody who is gone";
        case.is_wrong(wrong.at(last, what).looks_like(LEFT_BEHIND));
    }
    expect_armed(case, armed, 0, ("root", 0), LEFT_BEHIND);
}

fn dropped_among_equals(case: &Case) {
    case.if_it_stalls(TAKES_ALL_ALONG);
    case.block_on(async {
        let timers = Timers::default();
        let mut first = Box::pin(timers.sleep(millis(10)));
        let _pending = poll_once(&mut first).await;
        let a = spawn("a", timers.sleep(millis(10)));
        yield_now().await;
        drop(first);
        rest(&timers, [a]).await;
    });
    expect_ends(case, &[("a", 10)], [None; 3]);
}

/// It goes when its timer has fired, and another one may have come to the same place.
fn dropped_later(case: &Case) {
    case.if_it_stalls(TAKES_SUCCESSOR_ALONG);
    case.block_on(async {
        let timers = Timers::default();
        let mut first = Box::pin(timers.sleep(millis(10)));
        let _pending = poll_once(&mut first).await;
        rest(&timers, []).await;
        let a = spawn("a", timers.sleep(millis(10)));
        yield_now().await;
        drop(first);
        rest(&timers, [a]).await;
    });
    expect_ends(case, &[("a", 20)], [None; 3]);
}

/// One call, when two of three deadlines are over.
fn fires_once(case: &Case) {
    let armed = case.block_on(async {
        let timers = Timers::default();
        let _sleepers = [10, 20, 30].map(|n| spawn(&format!("{n} ms"), timers.sleep(millis(n))));
        time::sleep(millis(25)).await;
        timers.fire();
        yield_now().await;
        timers.armed()
    });
    let more = if armed == 2 { ONE_PER_FIRE } else { ONLY_THIS_MOMENT };
    expect_armed(case, armed, 1, ("root", 1), more);
    expect_ends(case, &[("10 ms", 25), ("20 ms", 25)], [None; 3]);
}

thread_local! {
    static OTHER: RefCell<Option<Pin<Box<Sleep>>>> = const { RefCell::new(None) };
}

/// A waker that drops a sleep when it is called.
struct DropsOther;

impl Wake for DropsOther {
    fn wake(self: Arc<Self>) {
        trace::mark("the waker drops the other sleep");
        drop(OTHER.take());
    }
}

fn waker_drops(case: &Case) {
    case.if_it_panics(BORROWED);
    let armed = case.block_on(async {
        let timers = Timers::default();
        let waker = Waker::from(Arc::new(DropsOther));
        let mut first = Box::pin(timers.sleep(millis(10)));
        let _pending = first.as_mut().poll(&mut Context::from_waker(&waker));
        let mut other = Box::pin(timers.sleep(millis(20)));
        let _pending = poll_once(&mut other).await;
        OTHER.set(Some(other));
        rest(&timers, []).await;
        timers.armed()
    });
    expect_armed(case, armed, 0, ("root", 0), LEFT_BEHIND);
}
