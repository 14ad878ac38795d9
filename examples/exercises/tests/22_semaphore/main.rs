//! Exercise 22: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_22");

use answer::{Semaphore, SemaphorePermit};
use handspun::task::{JoinHandle, yield_now};
use handspun::time::{Duration, sleep};
use handspun::trace;
use handspun_exercises::{
    Call, Case, Check, Mistake, Wrong, interrupted, panic_of_others, replaced, spawn,
    stop_panic_of_others,
};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::Display;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

const COUNTS_AS_ONE: Mistake = Mistake {
    name: "counts_as_one",
    says: "whoever acquires takes one permit, however many it wants",
};
const NEVER_GIVES_BACK: Mistake = Mistake {
    name: "never_gives_back",
    says: "permits that are dropped are gone",
};
const GIVES_IN_SILENCE: Mistake = Mistake {
    name: "gives_in_silence",
    says: "permits come back, and who waits for them is not woken",
};
const SPINS: Mistake = Mistake {
    name: "spins",
    says: "who waits asks again and again; leave a waker, and be woken",
};
const WAITS_INSIDE: Mistake = Mistake {
    name: "waits_inside",
    says: "a poll waits for others, who run on this thread only when it has returned",
};
const WAKES_ONE: Mistake = Mistake {
    name: "wakes_one",
    says: "enough for two came back at once, and only the first in line is served",
};
const MAKES_PERMITS: Mistake = Mistake {
    name: "makes_permits",
    says: "more is given back than was taken; who waits has only what it was given so far, and \
           who has seen its permits has nothing to pass on",
};
const BIG_ONE_STARVES: Mistake = Mistake {
    name: "big_one_starves",
    says: "who wants few goes past who wants many; if small ones keep coming, the big one never \
           has its turn",
};
const GOES_PAST: Mistake = Mistake {
    name: "goes_past",
    says: "what comes back goes to the first for whom it is enough; but who stands before waits \
           for this, too",
};
const LAST_COME_FIRST: Mistake = Mistake {
    name: "last_come_first",
    says: "who came last is served first; if others keep coming, who came first never is",
};
const OVERTAKES: Mistake = Mistake {
    name: "overtakes",
    says: "permits are free while somebody waits for them, and who comes just now takes them",
};
const WAKES_ALL: Mistake = Mistake {
    name: "wakes_all",
    says: "permits come back, and all are woken to see whether it is enough; mostly it is not",
};
const FIRST_WAKER: Mistake = Mistake {
    name: "first_waker",
    says: "the waker of the first poll is kept, and another task has polled since",
};
const LOSES_ITS_PLACE: Mistake = Mistake {
    name: "loses_its_place",
    says: "who is polled once more joins the end of the line; a poll must change the waker only",
};
const STAYS_IN_LINE: Mistake = Mistake {
    name: "stays_in_line",
    says: "a wait that is dropped is still in the line, and is given what it will never use",
};
const PART_IS_LOST: Mistake = Mistake {
    name: "part_is_lost",
    says: "a wait that is dropped had a part of what it wanted, and took that along",
};
const LEAVES_IN_SILENCE: Mistake = Mistake {
    name: "leaves_in_silence",
    says: "a wait is dropped; now there is enough for the next in line, who is not told",
};
const TURN_IS_LOST: Mistake = Mistake {
    name: "turn_is_lost",
    says: "it was given all, and is dropped before it has seen that; its permits belong to the \
           next in line",
};
const BORROWED: Mistake = Mistake {
    name: "borrowed",
    says: "a waker is called or dropped while the line is borrowed; whose code that is, you do not \
           know",
};
const CLONED_INSIDE: Mistake = Mistake {
    name: "cloned_inside",
    says: "a waker is cloned while the line is borrowed; that is code of others, too",
};
const GAP: Mistake = Mistake {
    name: "gap",
    says: "a wait looks whether it has all, and only then clones its waker, or drops the old one; \
           permits that come back there find no waker to wake; clone it before you look",
};
const DROPS_FIRST: Mistake = Mistake {
    name: "drops_first",
    says: "a wait that is dropped drops its waker before it passes on what it had; the waker has \
           panicked, and nothing is passed on",
};

fn main() -> ExitCode {
    Check::new("22_semaphore")
        .case("free permits are had at once, and are free again when they are dropped", free)
        .case("who waits is woken when there is enough, and all are for whom there is", woken)
        .case("who comes first is served first, however much it wants", line)
        .case("who waits is polled when it has all that it wants, and not before", in_vain)
        .case("a wait that is polled again keeps its place, and takes the new waker", again)
        .case("a wait that is dropped leaves the line, and passes on what it had", dropped)
        .case("who was given all, and is dropped before it sees that, passes it on", unseen)
        .case("a waker may come back to the semaphore", comes_back)
        .case("permits that come back in the middle of a poll are not slept through", amid_poll)
        .case("a wait passes on what it had, also if its waker panics", fragile)
        .case("no permit is lost or made, whatever is dropped, and when", random)
        .run()
}

/// 100 ms, so that the steps of a run stand side by side.
async fn a_while() {
    sleep(Duration::from_millis(100)).await;
}

/// One poll of `future`, with the waker of who awaits this.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

async fn acquire(semaphore: &Semaphore, n: u32) -> SemaphorePermit<'_> {
    let Ok(permit) = semaphore.acquire_many(n).await;
    permit
}

/// Who has begun, in order, and with which records of the trace.
type Log = Rc<RefCell<Vec<(&'static str, usize)>>>;

/// The last record so far.
fn now() -> usize {
    trace::current().map_or(0, |trace| trace.records().len() - 1)
}

/// A task that acquires, and keeps it for 100 ms.
fn spawn_job(log: &Log, semaphore: &Rc<Semaphore>, name: &'static str, n: u32) -> JoinHandle<()> {
    let (log, semaphore) = (log.clone(), semaphore.clone());
    spawn(name, async move {
        let _permit = acquire(&semaphore, n).await;
        log.borrow_mut().push((name, now()));
        a_while().await;
    })
}

/// What is claimed in a run, to be looked at in its end: what, what it is, what it ought to be, and
/// with which record.
#[derive(Default)]
struct Claims(RefCell<Vec<Claim>>);

struct Claim {
    expected: String,
    got: String,
    at: usize,
    mistake: Option<Mistake>,
}

impl Claims {
    /// `of_fewer` is what it is if there are fewer than that, `of_more` if there are more.
    fn free(&self, semaphore: &Semaphore, expected: usize, of_fewer: Mistake, of_more: Mistake) {
        let got = semaphore.available_permits();
        let mistake = if got < expected { of_fewer } else { of_more };
        self.equal(format!("{expected} free"), format!("{got} free"), mistake);
    }

    fn equal(
        &self,
        expected: impl Display,
        got: impl Display,
        mistake: impl Into<Option<Mistake>>,
    ) {
        self.0.borrow_mut().push(Claim {
            expected: expected.to_string(),
            got: got.to_string(),
            at: now(),
            mistake: mistake.into(),
        });
    }

    fn expect(self, case: &Case) {
        if let Some(claim) = self.0.into_inner().into_iter().find(|it| it.got != it.expected) {
            let wrong = Wrong::new(&claim.expected, &claim.got).looks_like(claim.mistake);
            case.is_wrong(wrong.at(claim.at, format!("{} now", claim.got)));
        }
    }
}

fn had(permit: &Option<SemaphorePermit<'_>>) -> &'static str {
    if permit.is_some() { "permits at once" } else { "no permits at once" }
}

// The cases.

fn free(case: &Case) {
    let claims = Claims::default();
    case.block_on(async {
        let semaphore = Semaphore::new(3);
        let two = acquire(&semaphore, 2).await;
        let none_taken = semaphore.available_permits() == 3;
        let of_more = if none_taken { MAKES_PERMITS } else { COUNTS_AS_ONE };
        claims.free(&semaphore, 1, NEVER_GIVES_BACK, of_more);
        let too_many = had(&semaphore.try_acquire_many(2).ok());
        claims.equal("no permits at once", too_many, COUNTS_AS_ONE);
        yield_now().await;
        let one = semaphore.try_acquire_many(1).ok();
        claims.equal("permits at once", had(&one), None);
        claims.equal("0 free", format!("{} free", semaphore.available_permits()), COUNTS_AS_ONE);
        drop(one);
        claims.free(&semaphore, 1, NEVER_GIVES_BACK, MAKES_PERMITS);
        drop(two);
        claims.free(&semaphore, 3, NEVER_GIVES_BACK, MAKES_PERMITS);
    });
    claims.expect(case);
}

fn woken(case: &Case) {
    case.if_it_hangs(WAITS_INSIDE);
    case.may_take(Duration::from_secs(2));
    case.if_it_never_ends(SPINS);
    case.if_it_stalls(GIVES_IN_SILENCE);
    let claims = Claims::default();
    case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(1));
        let held = acquire(&semaphore, 1).await;
        let job = spawn_job(&Log::default(), &semaphore, "job", 1);
        a_while().await;
        drop(held);
        job.await.unwrap();
        claims.free(&semaphore, 1, NEVER_GIVES_BACK, MAKES_PERMITS);
    });
    claims.expect(case);

    case.if_it_stalls(WAKES_ONE);
    let log = Log::default();
    case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(2));
        let held = acquire(&semaphore, 2).await;
        let jobs = ["first", "second"].map(|name| spawn_job(&log, &semaphore, name, 1));
        a_while().await;
        drop(held);
        a_while().await;
        for job in jobs {
            job.await.unwrap();
        }
    });
    // They run side by side: the second is not there only when the first is over.
    let begun = log.borrow();
    let trace = case.trace();
    let times: Vec<_> = begun.iter().map(|(_, record)| trace.records()[*record].at).collect();
    if times[0] != times[1] {
        let wrong = Wrong::new("both at once", "one after the other").looks_like(WAKES_ONE);
        case.is_wrong(wrong.at(begun[1].1, "this was free before"));
    }
}

fn line(case: &Case) {
    begin_in_order(case, 1, BIG_ONE_STARVES);
    begin_in_order(case, 2, GOES_PAST);

    // Permits that the first in line is to have are not for who comes later.
    let claims = Claims::default();
    case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(2));
        let one = acquire(&semaphore, 1).await;
        let log = Log::default();
        let big = spawn_job(&log, &semaphore, "BIG", 2);
        a_while().await;
        let overtakes = had(&semaphore.try_acquire_many(1).ok());
        claims.equal("no permits at once", overtakes, OVERTAKES);
        drop(one);
        // It is woken, and not polled yet.
        let overtakes = had(&semaphore.try_acquire_many(1).ok());
        claims.equal("no permits at once", overtakes, OVERTAKES);
        big.await.unwrap();
    });
    claims.expect(case);
}

/// Of two permits so many are held, and come back one at a time.
fn begin_in_order(case: &Case, held: usize, mistake: Mistake) {
    let log = Log::default();
    case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(2));
        let mut permits = Vec::new();
        for _ in 0..held {
            permits.push(acquire(&semaphore, 1).await);
        }
        let jobs = [("BIG", 2), ("small 1", 1), ("small 2", 1)];
        let jobs = jobs.map(|(name, n)| spawn_job(&log, &semaphore, name, n));
        for permit in permits {
            a_while().await;
            drop(permit);
        }
        for job in jobs {
            job.await.unwrap();
        }
    });
    let expected = ["BIG", "small 1", "small 2"];
    let begun: Vec<&str> = log.borrow().iter().map(|(name, _)| *name).collect();
    if let Some(nth) = begun.iter().zip(expected).position(|(name, expected)| *name != expected) {
        let of_last = begun[nth] == "small 2";
        let mistake = if of_last { LAST_COME_FIRST } else { mistake };
        let wrong = Wrong::new(expected.join(", "), begun.join(", ")).looks_like(mistake);
        let record = log.borrow()[nth].1;
        case.is_wrong(wrong.at(record, format!("it was the turn of {}", expected[nth])));
    }
}

fn in_vain(case: &Case) {
    let log = Log::default();
    case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(3));
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(acquire(&semaphore, 1).await);
        }
        let jobs = [("BIG", 3), ("small", 1)];
        let jobs = jobs.map(|(name, n)| spawn_job(&log, &semaphore, name, n));
        for permit in held {
            a_while().await;
            drop(permit);
        }
        for job in jobs {
            job.await.unwrap();
        }
    });
    for (name, record) in log.borrow().iter() {
        // The first, that in which it begins, and that of its sleep, which comes later.
        let polls = case.polls_of(name);
        let until = polls.iter().filter(|poll| poll.began <= *record);
        if until.clone().count() > 2 {
            let expected = format!("2 polls of {name} until it has all");
            let wrong = Wrong::new(expected, until.clone().count()).looks_like(WAKES_ALL);
            case.is_wrong(wrong.at(polls[1].began, "polled in vain"));
        }
    }
}

fn again(case: &Case) {
    case.if_it_stalls(FIRST_WAKER);
    case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(1));
        let held = acquire(&semaphore, 1).await;
        let own = semaphore.clone();
        let mut wait = Box::pin(async move { drop(acquire(&own, 1).await) });
        let _waits = poll_once(wait.as_mut()).await;
        let other = spawn("other", wait);
        yield_now().await;
        drop(held);
        other.await.unwrap();
    });

    let claims = Claims::default();
    case.block_on(async {
        let semaphore = Semaphore::new(1);
        let held = acquire(&semaphore, 1).await;
        let (mut first, mut second) =
            (Box::pin(acquire(&semaphore, 1)), Box::pin(acquire(&semaphore, 1)));
        let _waits = poll_once(first.as_mut()).await.is_pending();
        let _waits = poll_once(second.as_mut()).await.is_pending();
        let _waits = poll_once(first.as_mut()).await.is_pending();
        yield_now().await;
        drop(held);
        let whose = [
            poll_once(second.as_mut()).await,
            poll_once(first.as_mut()).await,
        ]
        .map(|permit| permit.is_ready());
        let words = match whose {
            [false, true] => "a permit for the first",
            [true, false] => "a permit for the second",
            [false, false] => "no permit",
            [true, true] => "two permits",
        };
        claims.equal("a permit for the first", words, LOSES_ITS_PLACE);
    });
    claims.expect(case);
}

fn dropped(case: &Case) {
    // Nobody is behind it.
    let claims = Claims::default();
    case.block_on(async {
        let semaphore = Semaphore::new(2);
        let held = acquire(&semaphore, 1).await;
        {
            let mut big = pin!(acquire(&semaphore, 2));
            let _waits = poll_once(big.as_mut()).await.is_pending();
            trace::mark("BIG is dropped");
        }
        yield_now().await;
        drop(held);
        let free = semaphore.available_permits();
        let mistake = match free {
            0 => STAYS_IN_LINE,
            1 => PART_IS_LOST,
            _ => MAKES_PERMITS,
        };
        claims.equal("2 free", format!("{free} free"), mistake);
        let both = had(&semaphore.try_acquire_many(2).ok());
        claims.equal("permits at once", both, STAYS_IN_LINE);
    });
    claims.expect(case);

    // Somebody is, and now there is enough for it.
    case.if_it_stalls(LEAVES_IN_SILENCE);
    let log = Log::default();
    let at = case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(2));
        let held = acquire(&semaphore, 1).await;
        let big = spawn_job(&log, &semaphore, "BIG", 2);
        let small = spawn_job(&log, &semaphore, "small", 1);
        a_while().await;
        trace::mark("BIG is aborted");
        big.abort();
        let at = now();
        small.await.unwrap();
        drop(held);
        at
    });
    let begun = log.borrow();
    if begun.is_empty() {
        case.is_wrong(Wrong::new("small to begin", "nothing").looks_like(LEAVES_IN_SILENCE));
    }
    let trace = case.trace();
    if trace.records()[begun[0].1].at != trace.records()[at].at {
        let wrong = Wrong::new("small to begin at once", "later").looks_like(LEAVES_IN_SILENCE);
        case.is_wrong(wrong.at(begun[0].1, "small begins"));
    }
}

fn unseen(case: &Case) {
    case.if_it_stalls(TURN_IS_LOST);
    let claims = Claims::default();
    case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(2));
        let held = acquire(&semaphore, 2).await;
        let log = Log::default();
        let jobs = [("first", 2), ("second", 1)];
        let [first, second] = jobs.map(|(name, n)| spawn_job(&log, &semaphore, name, n));
        a_while().await;
        drop(held);
        // It is woken, for it has all, and will be dropped in its next turn.
        trace::mark("first is aborted");
        first.abort();
        second.await.unwrap();
        claims.free(&semaphore, 2, TURN_IS_LOST, MAKES_PERMITS);
    });
    claims.expect(case);
}

thread_local! {
    /// Whom a [`ComesBack`] asks.
    static SEMAPHORE: RefCell<Option<Rc<Semaphore>>> = const { RefCell::new(None) };
}

/// A waker that uses the semaphore: it begins to wait, and gives up.
struct ComesBack;

impl Wake for ComesBack {
    fn wake(self: Arc<Self>) {
        SEMAPHORE.with_borrow(|semaphore| {
            if let Some(semaphore) = semaphore {
                let mut cx = Context::from_waker(Waker::noop());
                let _waits = pin!(acquire(semaphore, 1_000)).poll(&mut cx).is_pending();
            }
        });
    }
}

/// A waker that does the same when it is dropped.
struct LastWords;

impl Wake for LastWords {
    fn wake(self: Arc<Self>) {}
}

impl Drop for LastWords {
    fn drop(&mut self) {
        // After a panic it does nothing: the first one is what is to be told.
        if !thread::panicking() {
            Arc::new(ComesBack).wake();
        }
    }
}

fn comes_back(case: &Case) {
    case.if_it_panics(BORROWED);
    case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(1));
        let held = acquire(&semaphore, 1).await;
        let waker = Waker::from(Arc::new(ComesBack));
        let mut wait = pin!(acquire(&semaphore, 1));
        let _waits = wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
        SEMAPHORE.set(Some(semaphore.clone()));
        drop(held);
        SEMAPHORE.take();
    });
    // Who leaves the line wakes the next.
    case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(2));
        let _held = acquire(&semaphore, 1).await;
        let waker = Waker::from(Arc::new(ComesBack));
        let mut waits = [2, 1].map(|n| Box::pin(acquire(&semaphore, n)));
        for wait in &mut waits {
            let _waits = wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
        }
        SEMAPHORE.set(Some(semaphore.clone()));
        let [big, _small] = waits;
        drop(big);
        SEMAPHORE.take();
    });
    case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(1));
        let _held = acquire(&semaphore, 1).await;
        SEMAPHORE.set(Some(semaphore.clone()));
        for is_polled_again in [true, false] {
            let mut wait = Box::pin(acquire(&semaphore, 1));
            let waker = Waker::from(Arc::new(LastWords));
            let _waits = wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
            drop(waker);
            if is_polled_again {
                let _waits = poll_once(wait.as_mut()).await.is_pending();
            }
        }
        SEMAPHORE.take();
    });

    case.if_it_panics(CLONED_INSIDE);
    case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(1));
        let _held = acquire(&semaphore, 1).await;
        SEMAPHORE.set(Some(semaphore.clone()));
        let wait = pin!(acquire(&semaphore, 1));
        let comes_back = || Arc::new(ComesBack).wake();
        let _waits = interrupted(Call::Clone, comes_back, poll_once(wait)).await.is_pending();
        SEMAPHORE.take();
    });
}

/// On one thread nothing comes between two lines of a poll, but the code of others that it calls.
fn amid_poll(case: &Case) {
    case.if_it_stalls(GAP);
    for when in ["cloned", "dropped"] {
        case.block_on(async {
            // It is there for ever, so that a waker can own a permit of it.
            let semaphore: &Semaphore = Box::leak(Box::new(Semaphore::new(1)));
            let held = Cell::new(Some(acquire(semaphore, 1).await));
            let gives = move || {
                trace::mark(&format!("a waker is {when}, and gives a permit back"));
                drop(held.take());
            };
            let wait = acquire(semaphore, 1);
            let _permit = match when {
                "cloned" => interrupted(Call::Clone, gives, wait).await,
                _ => replaced(gives, wait).await,
            };
        });
    }
}

thread_local! {
    /// Whether the next [`Fragile`] that is dropped panics.
    static BREAKS: Cell<bool> = const { Cell::new(false) };
}

/// A waker that may panic when it is dropped.
struct Fragile;

impl Wake for Fragile {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Fragile {
    fn drop(&mut self) {
        if BREAKS.take() {
            panic_of_others();
        }
    }
}

fn fragile(case: &Case) {
    let log = Log::default();
    let at = case.block_on(async {
        let semaphore = Rc::new(Semaphore::new(2));
        let _held = acquire(&semaphore, 1).await;
        let mut big = Box::pin(acquire(&semaphore, 2));
        {
            let waker = Waker::from(Arc::new(Fragile));
            let _waits = big.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
        }
        spawn_job(&log, &semaphore, "small", 1);
        a_while().await;
        trace::mark("BIG is dropped, and its waker panics");
        BREAKS.set(true);
        stop_panic_of_others(|| drop(big));
        BREAKS.set(false);
        let at = now();
        a_while().await;
        at
    });
    if log.borrow().is_empty() {
        let wrong = Wrong::new("small to begin", "nothing").looks_like(DROPS_FIRST);
        case.is_wrong(wrong.at(at, "there is enough for small"));
    }
}

// Random programs.

/// The same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// What a semaphore is, in the fewest words: who waits may go on if there is enough for all up to
/// it.
struct Model {
    free: usize,
    line: VecDeque<(usize, usize)>,
}

impl Model {
    fn may_go_on(&self, id: usize) -> bool {
        let mut free = self.free;
        for (other, n) in &self.line {
            if *n > free {
                return false;
            }
            free -= n;
            if *other == id {
                return true;
            }
        }
        false
    }

    fn leave(&mut self, id: usize) -> usize {
        let place = self.line.iter().position(|(other, _)| *other == id).expect("it waits");
        self.line.remove(place).expect("it is there").1
    }
}

type Waiting<'a> = (usize, usize, Pin<Box<dyn Future<Output = SemaphorePermit<'a>> + 'a>>);

fn random(case: &Case) {
    let story = Arc::new(Mutex::new(Vec::new()));
    let told = story.clone();
    case.show(move || told.lock().unwrap_or_else(PoisonError::into_inner).join("\n"));
    for seed in 1..=300 {
        let steps: &Mutex<Vec<String>> = &story;
        steps.lock().unwrap().clear();
        run_program(case, &mut Random(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed)), steps);
    }
}

/// At most so many steps, so that one can follow them.
const STEPS: usize = 20;
const PERMITS: usize = 3;

fn run_program(case: &Case, random: &mut Random, story: &Mutex<Vec<String>>) {
    let say = |step: String| story.lock().unwrap().push(step);
    let is_wrong = |expected: &str, got: &str| -> ! {
        if let Some(last) = story.lock().unwrap().last_mut() {
            *last += &format!("   HERE: {got}");
        }
        case.is_wrong(Wrong::new(expected, got))
    };
    let cx = &mut Context::from_waker(Waker::noop());
    let semaphore = Semaphore::new(PERMITS);
    let mut model = Model {
        free: PERMITS,
        line: VecDeque::new(),
    };
    say(format!("{PERMITS} permits"));
    let mut waiting: Vec<Waiting<'_>> = Vec::new();
    let mut held: Vec<(usize, usize, SemaphorePermit<'_>)> = Vec::new();
    for id in 1..=STEPS {
        // Who is polled in this step.
        let polled = match random.below(4) {
            0 if !held.is_empty() => {
                let (id, n, permit) = held.remove(random.below(held.len()));
                say(format!("{id} gives {n} back"));
                drop(permit);
                model.free += n;
                None
            }
            1 if !waiting.is_empty() => {
                let (id, _, wait) = waiting.remove(random.below(waiting.len()));
                say(format!("{id} is dropped"));
                drop(wait);
                model.leave(id);
                None
            }
            2 if !waiting.is_empty() => {
                let place = random.below(waiting.len());
                say(format!("{} is polled", waiting[place].0));
                Some(place)
            }
            _ => {
                let n = 1 + random.below(PERMITS);
                say(format!("{id} wants {n}"));
                waiting.push((id, n, Box::pin(acquire(&semaphore, n as u32))));
                model.line.push_back((id, n));
                Some(waiting.len() - 1)
            }
        };
        if let Some(place) = polled {
            let (id, n, wait) = &mut waiting[place];
            let (id, n) = (*id, *n);
            match (wait.as_mut().poll(cx), model.may_go_on(id)) {
                (Poll::Pending, false) => {}
                (Poll::Pending, true) => is_wrong("it to have its permits", "it waits"),
                (Poll::Ready(_), false) => is_wrong("it to wait", "it has permits"),
                (Poll::Ready(permit), true) => {
                    model.free -= model.leave(id);
                    held.push((id, n, permit));
                    drop(waiting.remove(place));
                }
            }
        }
    }
    say("all of them are dropped".to_string());
    waiting.clear();
    held.clear();
    let free = semaphore.available_permits();
    if free != PERMITS {
        is_wrong(&format!("{PERMITS} free"), &format!("{free} free"));
    }
}
