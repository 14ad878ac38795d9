//! Exercise 23: the check.
//!
//! The clock runs, since the executor cannot know of somebody else's threads: a paused one would
//! jump. Threads wait for one another by channels. Only where nothing is to happen is it waited for
//! in vain: [`FOR_NOTHING`]. What should take no time is tried more than once, and the fastest
//! counts: on a busy machine any of them may be slow.

handspun_exercises::answer!("HANDSPUN_ANSWER_23");

use answer::{Answer, Pool};
use handspun::executor::Executor;
use handspun::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use handspun::task::yield_now;
use handspun::time::{sleep, timeout};
use handspun_exercises::{Call, Case, Check, Mistake, PollOf, Wrong, hostile_everywhere, spawn};
use std::any::Any;
use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::hint;
use std::panic;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

const RUNS_HERE: Mistake = Mistake {
    name: "runs_here",
    says: "the closure is called on the thread of the executor, where all tasks wait for it",
};
const CALLS_UNDER_LOCK: Mistake = Mistake {
    name: "calls_under_lock",
    says: "the executor waits until the closure is over: for its result, or for a lock that is \
           held while it is called, its job's or the line's; the guard in \
           `if let .. = x.lock()` lives as long as the block",
};
const WAKES_NOBODY: Mistake = Mistake {
    name: "wakes_nobody",
    says: "the result is there, and the task that waits for it was not woken",
};
const TWO_STEPS: Mistake = Mistake {
    name: "two_steps",
    says: "question and waker are left and asked in two steps, or the result and whom to wake; \
           what comes between them wakes nobody",
};
const WAITS_A_WHILE: Mistake = Mistake {
    name: "waits_a_while",
    says: "it waits for a thread, and gives up after a while; until then no task can run",
};
const SPINS: Mistake = Mistake {
    name: "spins",
    says: "the answer wakes itself to ask again; the thread has to wake it, when it is done",
};
const FIRST_WAKER: Mistake = Mistake {
    name: "first_waker",
    says: "the waker of the first poll is kept, and another task has polled since",
};
const WAKES_TOO_EARLY: Mistake = Mistake {
    name: "wakes_too_early",
    says: "it wakes, and then it leaves the result; who is quick finds nothing, and is not woken \
           again",
};
const WAKES_UNDER_LOCK: Mistake = Mistake {
    name: "wakes_under_lock",
    says: "the lock of the job is held while the waker is called; who is woken waits for it",
};
const PANIC_UNANSWERED: Mistake = Mistake {
    name: "panic_unanswered",
    says: "the closure panics, and takes the thread with it, before anybody was told",
};
const IDLE_NOT_TOLD: Mistake = Mistake {
    name: "idle_not_told",
    says: "a thread is idle, and nobody tells it that a closure stands in the line",
};
const DROP_WAITS: Mistake = Mistake {
    name: "drop_waits",
    says: "an answer is dropped, and waits until its closure is over; that one goes on alone",
};
const THREAD_LOST: Mistake = Mistake {
    name: "thread_lost",
    says: "after a panic its thread has ended, and is still counted as one of the pool",
};
const NOT_PARALLEL: Mistake = Mistake {
    name: "not_parallel",
    says: "closures wait for one another, that could each have had a thread",
};
const IDLE_COUNTED_TWICE: Mistake = Mistake {
    name: "idle_counted_twice",
    says: "a thread was idle, and two closures have relied on it; it is counted as idle until \
           it runs",
};
const NO_LIMIT: Mistake = Mistake {
    name: "no_limit",
    says: "a new thread is started, however many there are",
};
const THREAD_PER_JOB: Mistake = Mistake {
    name: "thread_per_job",
    says: "a thread runs one closure and ends, and the next one needs a new thread",
};
const LAST_COME_FIRST: Mistake = Mistake {
    name: "last_come_first",
    says: "who came last has a thread first; the line is a stack",
};
const LINE_FORGOTTEN: Mistake = Mistake {
    name: "line_forgotten",
    says: "a thread that is done sleeps, without a look at the line: whoever stands there was \
           announced before",
};
const RUNS_ANYWAY: Mistake = Mistake {
    name: "runs_anyway",
    says: "the answer was dropped before the closure had begun, and nobody takes it away",
};
const CLOSURE_KEPT: Mistake = Mistake {
    name: "closure_kept",
    says: "the closure will not run, but lies in the line, with all that it holds, until a thread \
           comes by",
};
const DESTRUCTOR_UNCAUGHT: Mistake = Mistake {
    name: "destructor_uncaught",
    says: "a result that nobody wants is dropped by the thread that has made it, not in a \
           `catch_unwind`; its destructor panics, and with it the thread is lost",
};

fn main() -> ExitCode {
    Check::new("23_thread_pool")
        .case("a closure runs on another thread, and its result comes back", comes_back)
        .case("its waker is called when the result is there, and the lock free", woken_last)
        .case("while a closure runs, its task is not polled, and others are", others_run)
        .case("who submits, polls or drops does not wait for a thread", at_once)
        .case("an answer that goes to another task wakes that one", moves)
        .case("no wake is lost, whenever the result comes", at_any_time)
        .case("a panic comes back as an error, and the pool is as good as before", panics)
        .case("as many closures run at a time as there may be threads", parallel)
        .case("and no more: the others wait, and the first comes first", limited)
        .case("an answer that is dropped prevents a closure that has not begun", prevented)
        .case("a result that nobody wants, and whose destructor panics, ends no thread", unwanted)
        .run()
}

/// How long nothing happens, until it is believed that nothing will.
const FOR_NOTHING: Duration = Duration::from_millis(100);

/// How long is waited for what comes at once if it comes.
const FOR_AN_ANSWER: Duration = Duration::from_secs(2);

/// What an answer is ready with.
type Outcome<R> = Result<R, Box<dyn Any + Send>>;

fn run<F: Future>(case: &Case, root: F) -> F::Output {
    case.may_take(FOR_AN_ANSWER + FOR_AN_ANSWER);
    case.if_it_hangs(CALLS_UNDER_LOCK);
    case.block_on_with(Executor::builder(), root)
}

/// Awaits an answer in a task of its own, which nobody polls for another reason. None: it has not
/// come.
async fn outcome_of<R: 'static>(name: &str, answer: Answer<R>) -> Option<Outcome<R>> {
    let task = spawn(name, answer);
    Some(timeout(FOR_AN_ANSWER, task).await.ok()?.expect("a panic of the closure is an error"))
}

/// It has come, and is this. `name` is that of the task which waited for it.
fn expect<R: PartialEq>(
    case: &Case,
    name: &str,
    got: Option<Outcome<R>>,
    expected: R,
    if_none: Mistake,
) {
    let got = match got {
        Some(Ok(value)) if value == expected => return,
        Some(Ok(_)) => "another one",
        Some(Err(_)) => "an error",
        None => return is_not_there(case, name, if_none),
    };
    let wrong = Wrong::new("the closure's result", got);
    case.is_wrong(wrong.at(last_poll(case, name), "this is the result"));
}

fn is_not_there(case: &Case, name: &str, mistake: Mistake) {
    let got = format!("none in {} s", FOR_AN_ANSWER.as_secs());
    let wrong = Wrong::new(format!("an answer for {name}"), got).looks_like(mistake);
    case.is_wrong(wrong.at(last_poll(case, name), "waits for its answer"));
}

fn last_poll(case: &Case, name: &str) -> usize {
    let polls = case.polls_of(name);
    polls.last().or(case.polls().last()).map_or(0, |poll: &PollOf| poll.began)
}

/// A closure that goes on when it is told to, or when nobody can tell it any more.
fn gate() -> (Sender<()>, impl FnOnce() + Send + 'static) {
    let (open, opened) = channel();
    (open, move || {
        let _ = opened.recv();
    })
}

/// Waits until a thread says something. None: it does not.
async fn told<T>(by: &mut UnboundedReceiver<T>) -> Option<T> {
    timeout(FOR_AN_ANSWER, by.recv()).await.ok()?
}

// The cases.

fn comes_back(case: &Case) {
    let own = thread::current().id();
    let thread = run(case, async {
        let pool = Pool::new(2);
        let mut answer = Box::pin(pool.spawn_blocking(|| thread::current().id()));
        // Whether it wakes is asked later on: here it is polled again and again.
        let mut pause = FOR_NOTHING / 100;
        while pause < FOR_AN_ANSWER {
            let poll = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await;
            if let Poll::Ready(outcome) = poll {
                return Some(outcome);
            }
            sleep(pause).await;
            pause *= 2;
        }
        None
    });
    let root = last_poll(case, "root");
    let wrong = match thread {
        Some(Ok(thread)) if thread != own => return,
        Some(Ok(_)) => Wrong::new("another thread", "the executor's").looks_like(RUNS_HERE),
        Some(Err(_)) => Wrong::new("the closure's result", "an error"),
        None => Wrong::new("the closure's result", "none in 2 s"),
    };
    case.is_wrong(wrong.at(root, "this is the result"));
}

fn at_any_time(case: &Case) {
    case.may_take(3 * FOR_AN_ANSWER);
    while_cloned(case);
    just_then(case);
}

/// The result comes in the middle of a poll: while its waker is cloned. (Not later than that, if it
/// is cloned under the lock.)
fn while_cloned(case: &Case) {
    let hand = case.by_hand();
    let pool = Pool::new(1);
    let (begin, begun) = channel();
    let (open, closed) = gate();
    let mut answer = pin!(pool.spawn_blocking(move || {
        begin.send(()).unwrap();
        closed();
    }));
    // When that one begins, all has been done that was to be done for the first.
    let (begin, next_begun) = channel();
    let _next = pool.spawn_blocking(move || begin.send(()));
    let _begun = begun.recv_timeout(FOR_AN_ANSWER);
    let (wakes, woken) = channel();
    let once = Mutex::new(Some((open, next_begun)));
    let waker = hostile_everywhere(move |call| match call {
        Call::Clone => {
            let taken = once.lock().unwrap().take();
            if let Some((open, next_begun)) = taken {
                drop(open);
                let _begun = next_begun.recv_timeout(FOR_AN_ANSWER / 4);
            }
        }
        Call::Wake => {
            let _ = wakes.send(());
        }
        Call::Drop => {}
    });
    hand.mark("pool.spawn_blocking(closure), which begins, and goes on");
    hand.mark("the answer is polled, and while it clones the waker the closure ends");
    let poll = answer.as_mut().poll(&mut Context::from_waker(&waker));
    if poll.is_pending() && woken.recv_timeout(FOR_AN_ANSWER).is_err() {
        is_lost(case, hand.now());
    }
}

#[derive(Default)]
struct Flags {
    has_begun: AtomicBool,
    may_end: AtomicBool,
}

/// The result comes at the same time as a poll, over and over. Whether it falls into a gap is up to
/// the system: if that has a core for each of the two threads, it does so soon.
fn just_then(case: &Case) {
    let hand = case.by_hand();
    let pool = Pool::new(1);
    let (wakes, woken) = channel();
    let waker = hostile_everywhere(move |call| {
        if call == Call::Wake {
            let _ = wakes.send(());
        }
    });
    let end = Instant::now() + FOR_NOTHING;
    for nth in (0..64).cycle() {
        let flags = Arc::new(Flags::default());
        let theirs = flags.clone();
        let mut answer = pin!(pool.spawn_blocking(move || {
            theirs.has_begun.store(true, Ordering::SeqCst);
            while !theirs.may_end.load(Ordering::SeqCst) {
                hint::spin_loop();
            }
        }));
        while !flags.has_begun.load(Ordering::SeqCst) && Instant::now() < end {
            thread::yield_now();
        }
        flags.may_end.store(true, Ordering::SeqCst);
        (0..nth).for_each(|_| hint::spin_loop());
        // One that has come too late for the last poll, which was ready without it.
        let _late = woken.try_iter().count();
        let poll = answer.as_mut().poll(&mut Context::from_waker(&waker));
        if Instant::now() >= end {
            break; // Perhaps it never begins. That is asked later on.
        }
        if poll.is_pending() && woken.recv_timeout(FOR_AN_ANSWER).is_err() {
            hand.mark("a closure ends, and just then its answer is polled");
            is_lost(case, hand.now());
        }
    }
}

fn is_lost(case: &Case, at: usize) -> ! {
    let got = format!("neither in {} s", FOR_AN_ANSWER.as_secs());
    let wrong = Wrong::new("Ready, or a wake", got).looks_like(TWO_STEPS);
    case.is_wrong(wrong.at(at, "Pending, and nobody is woken"))
}

fn others_run(case: &Case) {
    case.if_it_never_ends(SPINS);
    let outcome = run(case, async {
        let (open, closed) = gate();
        let pool = Pool::new(2);
        let (begin, mut begun) = unbounded_channel();
        let answer = pool.spawn_blocking(move || {
            begin.send(()).unwrap();
            closed();
        });
        told(&mut begun).await;
        spawn("other", async move {
            for _ in 0..5 {
                yield_now().await;
            }
            drop(open);
        });
        outcome_of("asks", answer).await
    });
    expect(case, "asks", outcome, (), WAKES_NOBODY);
    case.expect_polls("asks", 2, &[RUNS_HERE, SPINS]);
}

/// What takes longer has waited for something: a call that does not takes microseconds.
const FOR_A_CALL: Duration = Duration::from_millis(5);

fn at_once(case: &Case) {
    const CALLS: [&str; 4] = ["spawn_blocking", "a first poll", "a second poll", "a drop"];
    const TRIES: usize = 10;
    case.may_take(FOR_AN_ANSWER + FOR_AN_ANSWER);
    let hand = case.by_hand();
    let mut fastest = [Duration::MAX; CALLS.len()];
    hand.mark(&format!("{TRIES} times: a closure begins, is not over, and its answer is dropped"));
    for _ in 0..TRIES {
        let pool = Pool::new(1);
        let (begin, begun) = channel();
        let (open, closed) = gate();
        let begin = move || {
            begin.send(()).unwrap();
            closed();
        };
        let mut watch = Stopwatch(&mut fastest, 0);
        case.if_it_hangs(CALLS_UNDER_LOCK);
        let mut answer = Box::pin(watch.time(|| pool.spawn_blocking(begin)));
        let _begun = begun.recv_timeout(FOR_AN_ANSWER);
        for _ in 0..2 {
            let cx = &mut Context::from_waker(Waker::noop());
            let _pending = watch.time(|| answer.as_mut().poll(cx));
        }
        case.if_it_hangs(DROP_WAITS);
        watch.time(|| drop(answer));
        drop(open);
    }
    for (what, took) in CALLS.into_iter().zip(fastest) {
        if took > FOR_A_CALL {
            let got = format!("{} ms, at the fastest of {TRIES}", took.as_millis());
            let wrong = Wrong::new(format!("{what} that returns at once"), got);
            let here = format!("{what} took its time");
            case.is_wrong(wrong.looks_like(WAITS_A_WHILE).at(hand.now(), here));
        }
    }
}

/// How long each of some calls has taken at least, and which comes next.
struct Stopwatch<'a>(&'a mut [Duration], usize);

impl Stopwatch<'_> {
    fn time<R>(&mut self, call: impl FnOnce() -> R) -> R {
        let begin = Instant::now();
        let result = call();
        self.0[self.1] = self.0[self.1].min(begin.elapsed());
        self.1 += 1;
        result
    }
}

fn moves(case: &Case) {
    let outcome = run(case, async {
        let (open, closed) = gate();
        let pool = Pool::new(2);
        let mut answer = Box::pin(pool.spawn_blocking(closed));
        // One poll here, with the waker of the root.
        poll_fn(|cx| {
            let _pending = answer.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        let other = spawn("other", answer);
        yield_now().await;
        drop(open);
        timeout(FOR_AN_ANSWER, other).await.ok().map(Result::unwrap)
    });
    expect(case, "other", outcome, (), FIRST_WAKER);
}

/// A waker that does not return before its answer was polled, if that can be.
struct Waits {
    called: Sender<()>,
    polled: Mutex<Receiver<()>>,
    /// Whether it was polled in time.
    ended: Sender<bool>,
}

impl Wake for Waits {
    fn wake(self: Arc<Self>) {
        let _ = self.called.send(());
        let polled = self.polled.lock().unwrap().recv_timeout(FOR_AN_ANSWER / 2);
        let _ = self.ended.send(polled.is_ok());
    }
}

fn woken_last(case: &Case) {
    case.may_take(FOR_AN_ANSWER + FOR_AN_ANSWER);
    case.if_it_hangs(CALLS_UNDER_LOCK);
    let hand = case.by_hand();
    let (called, is_called) = channel();
    let (polls, polled) = channel();
    let (ended, has_ended) = channel();
    let waker = Waker::from(Arc::new(Waits {
        called,
        polled: Mutex::new(polled),
        ended,
    }));
    let cx = &mut Context::from_waker(&waker);
    let (open, closed) = gate();
    let pool = Pool::new(2);
    let (begin, begun) = channel();
    let mut answer = pin!(pool.spawn_blocking(move || {
        begin.send(()).unwrap();
        closed();
    }));
    hand.mark("pool.spawn_blocking(closure), which begins, and goes on");
    let _begun = begun.recv_timeout(FOR_AN_ANSWER);
    hand.mark("the answer is polled");
    let _pending = answer.as_mut().poll(cx);
    if is_called.try_recv().is_ok() {
        let wrong = Wrong::new("no wake before the closure is over", "one");
        case.is_wrong(wrong.looks_like(SPINS).at(hand.now(), "it wakes itself"));
    }
    hand.mark("the closure ends");
    drop(open);
    if is_called.recv_timeout(FOR_AN_ANSWER).is_err() {
        let wrong = Wrong::new("a wake when the closure is over", "none");
        case.is_wrong(wrong.looks_like(WAKES_NOBODY).at(hand.now(), "no wake"));
    }
    hand.mark("its thread calls the waker, and meanwhile the answer is polled");
    // The thread is inside of the waker now.
    let poll = answer.as_mut().poll(cx);
    let _ = polls.send(());
    if has_ended.recv_timeout(FOR_AN_ANSWER) != Ok(true) {
        let got = "a poll that has to wait until the waker returns";
        let wrong = Wrong::new("a poll", got).looks_like(WAKES_UNDER_LOCK);
        case.is_wrong(wrong.at(hand.now(), "the poll has to wait"));
    }
    if poll.is_pending() {
        let wrong = Wrong::new("the result in the poll after the wake", "pending");
        case.is_wrong(wrong.looks_like(WAKES_TOO_EARLY).at(hand.now(), "still pending"));
    }
}

fn panics(case: &Case) {
    let idle = run(case, async {
        let pool = Pool::new(1);
        let _first = outcome_of("first", pool.spawn_blocking(|| 7)).await;
        // Its thread is idle by then, if there is one.
        sleep(FOR_NOTHING).await;
        outcome_of("next", pool.spawn_blocking(|| 7)).await
    });
    expect(case, "next", idle, 7, IDLE_NOT_TOLD);
    let (first, second) = run(case, async {
        let pool = Pool::new(1);
        // Nobody's panic, so that no hook tells of it.
        let panics = || -> u32 { panic::resume_unwind(Box::new("the flour is wet")) };
        let first = outcome_of("panics", pool.spawn_blocking(panics)).await;
        if first.is_none() {
            return (first, None);
        }
        sleep(FOR_NOTHING).await;
        (first, outcome_of("next", pool.spawn_blocking(|| 7)).await)
    });
    let says = match &first {
        None => return is_not_there(case, "panics", PANIC_UNANSWERED),
        Some(Ok(_)) => None,
        Some(Err(payload)) => payload.downcast_ref::<&str>(),
    };
    if says != Some(&"the flour is wet") {
        let wrong = Wrong::new("the panic's payload", "something else");
        case.is_wrong(wrong.at(last_poll(case, "panics"), "this is the result"));
    }
    expect(case, "next", second, 7, THREAD_LOST);
}

/// So many threads.
const MANY: usize = 8;

/// So often what goes wrong only by chance is tried.
const ROUNDS: usize = 16;

/// So many closures, that end when all of them have begun. Returns how many do not.
async fn meet(pool: &Pool, many: usize) -> usize {
    let barrier = Arc::new(Barrier::new(many));
    let (over, mut is_over) = unbounded_channel();
    // One after the other without a pause: none of them is awaited before the last is there.
    let answers: Vec<_> = (0..many)
        .map(|_| {
            let (barrier, over) = (barrier.clone(), over.clone());
            pool.spawn_blocking(move || {
                barrier.wait();
                over.send(()).unwrap();
            })
        })
        .collect();
    let mut missing = many;
    while missing > 0 && told(&mut is_over).await.is_some() {
        missing -= 1;
    }
    drop(answers);
    missing
}

fn parallel(case: &Case) {
    if run(case, async { meet(&Pool::new(MANY), MANY).await }) > 0 {
        let expected = format!("{MANY} closures that meet, on {MANY} threads");
        let wrong = Wrong::new(expected, "some that never begin").looks_like(NOT_PARALLEL);
        case.is_wrong(wrong.at(last_poll(case, "root"), "still waits for them"));
    }
    let missing = run(case, async {
        // Whether a thread that was told runs before the next closure comes is up to the system: so
        // more than once.
        for _ in 0..ROUNDS {
            let pool = Pool::new(3);
            meet(&pool, 2).await;
            // Its threads are idle soon.
            sleep(FOR_NOTHING / 5).await;
            let missing = meet(&pool, 3).await;
            if missing > 0 {
                return missing;
            }
        }
        0
    });
    if missing > 0 {
        let expected = "3 closures that meet, on 3 threads";
        let got = "some that never begin, when 2 of the threads were idle before";
        let wrong = Wrong::new(expected, got).looks_like(IDLE_COUNTED_TWICE);
        case.is_wrong(wrong.at(last_poll(case, "root"), "still waits for them"));
    }
}

fn limited(case: &Case) {
    let (at_once, order) = run(case, async {
        let pool = Pool::new(2);
        let (begin, mut begun) = unbounded_channel();
        let (mut open, closed): (Vec<_>, Vec<_>) = (0..5)
            .map(|_| {
                let (open, closed) = gate();
                (Some(open), closed)
            })
            .unzip();
        let mut answers = Vec::new();
        for (number, closed) in closed.into_iter().enumerate() {
            let begin = begin.clone();
            answers.push(pool.spawn_blocking(move || {
                begin.send(number).unwrap();
                closed();
            }));
        }
        let mut order = Vec::new();
        for _ in 0..2 {
            order.extend(told(&mut begun).await);
        }
        sleep(FOR_NOTHING).await;
        while let Ok(number) = begun.try_recv() {
            order.push(number);
        }
        let at_once = order.len();
        // One that has begun ends, and lets another in: one at a time.
        for nth in 0..5 {
            let Some(&number) = order.get(nth) else { break };
            drop(open[number].take());
            if order.len() < 5 {
                let Some(next) = told(&mut begun).await else {
                    break;
                };
                order.push(next);
            }
        }
        (at_once, order)
    });
    let root = last_poll(case, "root");
    if at_once > 2 {
        let wrong = Wrong::new("2 closures at a time", at_once).looks_like(NO_LIMIT);
        case.is_wrong(wrong.at(root, "more than two had begun"));
    }
    // The first two begin at the same time.
    let rest: Vec<_> = order.iter().skip(2).map(|number| (number + 1).to_string()).collect();
    if rest != ["3", "4", "5"] {
        let got = if rest.is_empty() { "none".to_string() } else { rest.join(" ") };
        let mistake = if rest.len() == 3 { LAST_COME_FIRST } else { LINE_FORGOTTEN };
        let wrong = Wrong::new("3 4 5 to begin after 1 and 2", got).looks_like(mistake);
        case.is_wrong(wrong.at(root, "this is the order"));
    }
    let threads: HashSet<ThreadId> = run(case, async {
        let pool = Pool::new(2);
        let mut threads = HashSet::new();
        for _ in 0..20 {
            let outcome = outcome_of("asks", pool.spawn_blocking(|| thread::current().id())).await;
            threads.extend(outcome.and_then(Result::ok));
        }
        threads
    });
    if threads.len() > 2 {
        let wrong = Wrong::new("2 threads, for 20 closures", threads.len());
        let last = last_poll(case, "root");
        case.is_wrong(wrong.looks_like(THREAD_PER_JOB).at(last, "so many by now"));
    }
}

fn prevented(case: &Case) {
    let held = Arc::new(());
    let (begin, begun) = channel();
    let (still_held, last) = run(case, async {
        let pool = Pool::new(1);
        let (open, closed) = gate();
        let (has_begun, mut is_begun) = unbounded_channel();
        // Of this nobody wants the result, but it has begun.
        let first = pool.spawn_blocking(move || {
            has_begun.send(()).unwrap();
            closed();
        });
        told(&mut is_begun).await;
        case.if_it_hangs(DROP_WAITS);
        drop(first);
        let holds = held.clone();
        let second = pool.spawn_blocking(move || {
            begin.send(()).unwrap();
            drop(holds);
        });
        drop(second);
        let still_held = Arc::strong_count(&held) > 1;
        drop(open);
        (still_held, outcome_of("last", pool.spawn_blocking(|| 7)).await)
    });
    expect(case, "last", last, 7, NOT_PARALLEL);
    let root = last_poll(case, "root");
    if begun.try_recv().is_ok() {
        let wrong = Wrong::new("a closure that never runs", "one that did");
        case.is_wrong(wrong.looks_like(RUNS_ANYWAY).at(root, "by now it has run"));
    }
    if still_held {
        let wrong = Wrong::new("that the closure is dropped with the answer", "not yet");
        case.is_wrong(wrong.looks_like(CLOSURE_KEPT).at(root, "it was dropped by now"));
    }
}

/// A result that panics when it is dropped, unless something panics already.
struct PanicsAtLast;

impl Drop for PanicsAtLast {
    fn drop(&mut self) {
        if !thread::panicking() {
            // Nobody's panic, so that no hook tells of it.
            panic::resume_unwind(Box::new("the bread is burnt"));
        }
    }
}

fn unwanted(case: &Case) {
    let next = run(case, async {
        let pool = Pool::new(1);
        let (open, closed) = gate();
        let (begin, mut begun) = unbounded_channel();
        let unwanted = pool.spawn_blocking(move || {
            begin.send(()).unwrap();
            closed();
            PanicsAtLast
        });
        told(&mut begun).await;
        drop(unwanted);
        // It is in the line already: who counts the thread out must care for it, too.
        let next = pool.spawn_blocking(|| 7);
        drop(open);
        outcome_of("next", next).await
    });
    expect(case, "next", next, 7, DESTRUCTOR_UNCAUGHT);
}
