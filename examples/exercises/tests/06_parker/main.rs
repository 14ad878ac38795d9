//! Exercise 06: the check.
//!
//! Whether a sleep ends too early is asked of a thread that ends it later on: [`LATER`] is what a
//! right answer has to wait for, and nothing is measured by it.

handspun_exercises::answer!("HANDSPUN_ANSWER_06");

use answer::{Parker, block_on};
use handspun_exercises::{Case, Check, Hand, Mistake, Wrong};
use std::cell::Cell;
use std::fs;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::task::Poll::{Pending, Ready};
use std::thread;
use std::time::Duration;

const LOWERS_FIRST: Mistake = Mistake {
    name: "lowers_first",
    says: "the `unpark` that came first is lost: `park` lowers the flag before it has looked, or \
           `unpark` did not raise it",
};
const FLAG_STAYS_UP: Mistake = Mistake {
    name: "flag_stays_up",
    says: "`park` returns and leaves the flag up: the next one will not sleep",
};
const FLAG_NOT_SEEN: Mistake = Mistake {
    name: "flag_not_seen",
    says: "the thread sleeps, and does not see the flag: `unpark` must raise it first, and then \
           unpark the thread",
};
const TOGGLES: Mistake = Mistake {
    name: "toggles",
    says: "`unpark` turns the flag over, and two of them leave it where it was; it must raise it",
};
const COUNTS: Mistake = Mistake {
    name: "counts",
    says: "each `unpark` is counted, and ends a park of its own; a flag that is up can only stay \
           up, as two wakes before a poll are one",
};
const SPINS: Mistake = Mistake {
    name: "spins",
    says: "`park` looks at the flag again and again; a thread that waits like that keeps a core \
           busy",
};
const LOOKS_OFTEN: Mistake = Mistake {
    name: "looks_often",
    says: "`park` sleeps for a moment, looks, and sleeps again; whoever waits an hour like that \
           wakes up millions of times, and an `unpark` that was lost is never noticed",
};
const BARE_PARK: Mistake = Mistake {
    name: "bare_park",
    says: "the sleep trusts the token of the thread, and anybody on the thread may take that",
};
const ONE_LOOK: Mistake = Mistake {
    name: "one_look",
    says: "after the sleep nobody looks whether the flag is up; a token says only that somebody \
           has left one",
};
const POLLS_UNASKED: Mistake = Mistake {
    name: "polls_unasked",
    says: "`block_on` polls, and nobody has called the waker; it must sleep until somebody does",
};
const RESTLESS_BLOCK_ON: Mistake = Mistake {
    name: "restless_block_on",
    says: "between two polls `block_on` does not sleep in a `park`, but looks again and again \
           whether it was woken",
};
const ANOTHER_PARKER: Mistake = Mistake {
    name: "another_parker",
    says: "`block_on` sleeps in one parker, and the waker unparks another, or none",
};
const PARKER_PER_THREAD: Mistake = Mistake {
    name: "parker_per_thread",
    says: "the inner call has the same parker, and lowers the flag that was raised for the outer",
};

fn main() -> ExitCode {
    Check::new("06_parker")
        .case("an unpark that comes first ends the park", unpark_first)
        .case("a park sleeps until another thread calls unpark, and so does the next", one_each)
        .case("a token that somebody takes is not an unpark that is lost", token_taken)
        .case("a token that somebody leaves does not end a park", token_left)
        .case("two calls of unpark before a park are as one", twice)
        .case("two threads throw a ball a thousand times, and play with their tokens", ball)
        .case("between two polls block_on sleeps, until a thread calls the waker", woken_by_thread)
        .case("a future may park while it is polled", parks_in_poll)
        .case("a future may call block_on while it is polled", blocks_in_poll)
        .case("a wake of the outer future while the inner one sleeps counts", woken_while_inner)
        .run()
}

/// When a sleep is ended that nobody ends before.
const LATER: Duration = Duration::from_millis(80);

/// More than a sleep costs, of that time, and less than no sleep costs also on a busy machine.
const BUSY: Duration = Duration::from_millis(8);

/// More often than a right answer goes to sleep for one park, even if strangers leave it tokens.
const RESTLESS: u64 = 5;

/// For what takes no time if it is right.
fn hangs(case: &Case, mistake: Mistake) {
    case.may_take(Duration::from_secs(1));
    case.if_it_hangs(mistake);
}

// The parker.

fn unpark_first(case: &Case) {
    hangs(case, LOWERS_FIRST);
    let hand = case.by_hand();
    let parker = Parker::new();
    unpark(&hand, &parker);
    park(&hand, &parker);
}

fn one_each(case: &Case) {
    hangs(case, FLAG_NOT_SEEN);
    let hand = case.by_hand();
    let parker = Arc::new(Parker::new());
    expect_sleep(case, &hand, &parker, None);
    expect_sleep(case, &hand, &parker, FLAG_STAYS_UP);
}

fn token_taken(case: &Case) {
    hangs(case, BARE_PARK);
    let hand = case.by_hand();
    let parker = Parker::new();
    unpark(&hand, &parker);
    hand.mark("thread::park_timeout(ZERO), which takes the token");
    thread::park_timeout(Duration::ZERO);
    park(&hand, &parker);
}

fn token_left(case: &Case) {
    hangs(case, FLAG_NOT_SEEN);
    let hand = case.by_hand();
    let parker = Arc::new(Parker::new());
    hand.mark("thread::current().unpark(), which leaves a token");
    thread::current().unpark();
    expect_sleep(case, &hand, &parker, ONE_LOOK);
}

fn twice(case: &Case) {
    hangs(case, TOGGLES);
    let hand = case.by_hand();
    let parker = Arc::new(Parker::new());
    unpark(&hand, &parker);
    unpark(&hand, &parker);
    park(&hand, &parker);
    expect_sleep(case, &hand, &parker, COUNTS);
}

fn unpark(hand: &Hand, parker: &Parker) {
    hand.mark("parker.unpark()");
    parker.unpark();
}

fn park(hand: &Hand, parker: &Parker) {
    hand.mark("parker.park()");
    parker.park();
}

/// Parks, until another thread ends it, and not before.
fn expect_sleep(
    case: &Case,
    hand: &Hand,
    parker: &Arc<Parker>,
    if_early: impl Into<Option<Mistake>>,
) {
    let (sleeping, over) = channel::<()>();
    let is_ended = Arc::new(AtomicBool::new(false));
    let (their_parker, ends) = (parker.clone(), is_ended.clone());
    let other = thread::spawn(move || {
        if over.recv_timeout(LATER) == Err(RecvTimeoutError::Timeout) {
            ends.store(true, Ordering::SeqCst);
            their_parker.unpark();
        }
    });
    hand.mark("parker.park(), and another thread calls parker.unpark() later");
    let rest = Rest::begin();
    parker.park();
    let rest = rest.end();
    let is_early = !is_ended.load(Ordering::SeqCst);
    drop(sleeping);
    other.join().expect("`unpark` does not panic");
    if is_early {
        let wrong = Wrong::new("a sleep until parker.unpark()", "a park that returns before that");
        case.is_wrong(wrong.at(hand.now(), "it returns at once").looks_like(if_early));
    }
    rest.expect(case, hand, [SPINS, LOOKS_OFTEN]);
}

/// What this thread has used up, how often it has gone to sleep, and how often it has made room for
/// others and did not sleep, where the system tells it.
struct Rest(Option<(Duration, [u64; 2])>);

impl Rest {
    fn begin() -> Rest {
        let switches = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"].map(switches);
        let [Some(slept), Some(made_room)] = switches else {
            return Rest(None);
        };
        Rest(processor_time().map(|used| (used, [slept, made_room])))
    }

    /// Since it began.
    fn end(self) -> Rest {
        let both = Rest::begin().0.zip(self.0);
        Rest(both.map(|(now, then)| {
            let switches = [0, 1].map(|kind| now.1[kind].saturating_sub(then.1[kind]));
            (now.0.saturating_sub(then.0), switches)
        }))
    }

    /// It was one sleep. `mistakes`: what it most likely is if it was none, or if it was many.
    fn expect(self, case: &Case, hand: &Hand, mistakes: [Mistake; 2]) {
        let Some((used, [slept, made_room])) = self.0 else {
            return;
        };
        // Beside others, who lets them run again and again uses up next to nothing.
        if slept == 0 && made_room > RESTLESS {
            let wrong = Wrong::new("one sleep, until it is woken", "none");
            case.is_wrong(wrong.at(hand.now(), "this is no sleep").looks_like(mistakes[0]));
        }
        if used > BUSY {
            let got = format!("{} ms of it in {} ms", used.as_millis(), LATER.as_millis());
            let wrong = Wrong::new("a sleep, without processor time", got);
            case.is_wrong(wrong.at(hand.now(), "this is no sleep").looks_like(mistakes[0]));
        }
        if slept > RESTLESS {
            let got = format!("{slept} in {} ms", LATER.as_millis());
            let wrong = Wrong::new("one sleep, until it is woken", got);
            case.is_wrong(wrong.at(hand.now(), "it wakes up by itself").looks_like(mistakes[1]));
        }
    }
}

/// How often this thread has made room for another in this way, where the system tells it.
fn switches(kind: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/thread-self/status").ok()?;
    let count = status.lines().find_map(|line| line.strip_prefix(kind))?;
    count.trim().parse().ok()
}

/// What this thread has used up, where the system tells it.
fn processor_time() -> Option<Duration> {
    let line = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = line.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

/// How often the ball is thrown by each.
const THROWS: u32 = 1_000;

/// The thread of the case has the ball, and has it again when the number of throws is even.
fn ball(case: &Case) {
    case.may_take(Duration::from_secs(2));
    case.if_it_hangs(FLAG_NOT_SEEN);
    let hand = case.by_hand();
    let (give, get) = channel();
    let thrown = Arc::new(AtomicU32::new(0));
    let ours = Arc::new(Parker::new());
    let (their_count, their_goal) = (thrown.clone(), ours.clone());
    thread::spawn(move || {
        let theirs = Arc::new(Parker::new());
        give.send(theirs.clone()).expect("the case waits for it");
        for _ in 0..THROWS {
            theirs.park();
            their_count.fetch_add(1, Ordering::SeqCst);
            their_goal.unpark();
            play_with_the_token();
        }
    });
    let theirs = get.recv().expect("the other thread has a parker");
    for throw in 1..=THROWS {
        thrown.fetch_add(1, Ordering::SeqCst);
        hand.mark(&format!("throw {throw}: theirs.unpark(); ours.park()"));
        theirs.unpark();
        play_with_the_token();
        ours.park();
        let count = thrown.load(Ordering::SeqCst);
        if count != 2 * throw {
            let wrong = Wrong::new("the ball back after the park", "a park without the ball");
            case.is_wrong(wrong.at(hand.now(), "the park returns, and the ball is not there"));
        }
    }
}

/// As others do who sleep on this thread: it may take a token that was meant for the parker.
fn play_with_the_token() {
    thread::current().unpark();
    thread::park_timeout(Duration::ZERO);
}

// block_on.

fn woken_by_thread(case: &Case) {
    hangs(case, ANOTHER_PARKER);
    let hand = case.by_hand();
    let unasked: Rc<Cell<Option<usize>>> = Rc::default();
    let is_woken = Arc::new(AtomicBool::new(false));
    let (own, at) = (hand.clone(), unasked.clone());
    let rest = Rest::begin();
    block_on(hand.task("future", move |poll| {
        if poll == 1 {
            let (waker, is_woken) = (own.waker("future"), is_woken.clone());
            thread::spawn(move || {
                thread::sleep(LATER);
                is_woken.store(true, Ordering::SeqCst);
                waker.wake();
            });
            thread::current().unpark(); // A token is no wake.
            return Pending;
        }
        if !is_woken.load(Ordering::SeqCst) {
            at.set(Some(own.now()));
        }
        Ready(())
    }));
    if let Some(at) = unasked.get() {
        let wrong = Wrong::new("a sleep between two polls", "a poll that nobody asked for");
        case.is_wrong(wrong.at(at, "nobody asked for this poll").looks_like(POLLS_UNASKED));
    }
    hand.expect_polls(case, "future", 2, &[]);
    rest.end().expect(case, &hand, [RESTLESS_BLOCK_ON; 2]);
}

/// Wakes itself in its first poll and does something there; is over in the second.
fn woken_while_it(
    hand: &Hand,
    name: &'static str,
    does: impl Fn() + Unpin + 'static,
) -> impl Future<Output = ()> {
    let own = hand.clone();
    hand.task(name, move |poll| {
        if poll > 1 {
            return Ready(());
        }
        own.wake(name);
        does();
        Pending
    })
}

fn parks_in_poll(case: &Case) {
    hangs(case, BARE_PARK);
    let hand = case.by_hand();
    block_on(woken_while_it(&hand, "future", || thread::park_timeout(Duration::ZERO)));
    hand.expect_polls(case, "future", 2, &[]);
}

fn blocks_in_poll(case: &Case) {
    hangs(case, PARKER_PER_THREAD);
    let hand = case.by_hand();
    let inside = hand.clone();
    block_on(woken_while_it(&hand, "outer", move || {
        block_on(woken_while_it(&inside, "inner", || {}));
    }));
    hand.expect_polls(case, "inner", 2, &[]);
    hand.expect_polls(case, "outer", 2, &[]);
}

fn woken_while_inner(case: &Case) {
    hangs(case, PARKER_PER_THREAD);
    let hand = case.by_hand();
    let inside = hand.clone();
    block_on(hand.task("outer", move |poll| {
        if poll == 1 {
            block_on(wakes_both(&inside));
            return Pending;
        }
        Ready(())
    }));
    hand.expect_polls(case, "outer", 2, &[]);
}

/// It waits for a thread, which wakes the outer future first.
fn wakes_both(hand: &Hand) -> impl Future<Output = ()> {
    let own = hand.clone();
    let is_woken = Arc::new(AtomicBool::new(false));
    hand.task("inner", move |poll| {
        if poll == 1 {
            let [outer, inner] = ["outer", "inner"].map(|name| own.waker(name));
            let is_woken = is_woken.clone();
            thread::spawn(move || {
                outer.wake();
                is_woken.store(true, Ordering::SeqCst);
                inner.wake();
            });
        }
        match is_woken.load(Ordering::SeqCst) && poll > 1 {
            true => Ready(()),
            false => Pending,
        }
    })
}
