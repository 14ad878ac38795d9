//! Exercise 10: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_10");

use answer::{Executor, Handle, JoinError};
use handspun::task::yield_now;
use handspun_exercises::{Case, Check, Hand, Mistake, Wrong};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;

const NOT_CAUGHT: Mistake = Mistake {
    name: "not_caught",
    says: "the panic goes through `run`, and all other tasks stand still for it",
};
const PAYLOAD_IN_WORDS: Mistake = Mistake {
    name: "payload_in_words",
    says: "what the task panicked with was made into something else; it need not be a text",
};
const JOINER_NOT_TOLD: Mistake = Mistake {
    name: "joiner_not_told",
    says: "the task is over, and who awaits its handle was not woken; each end needs that",
};
const PANIC_PASSED_ON: Mistake = Mistake {
    name: "panic_passed_on",
    says: "the handle panics in who awaits it; it is to give an error, which one can look at",
};
const POLLED_ONCE_MORE: Mistake = Mistake {
    name: "polled_once_more",
    says: "whether the task was aborted is asked after the poll; it is to be asked before",
};
const ASKED_ONCE: Mistake = Mistake {
    name: "asked_once",
    says: "whether the task was aborted is asked when it begins, and never again",
};
const ONLY_TOLD: Mistake = Mistake {
    name: "only_told",
    says: "the handle says that the task was cancelled; the task knows nothing of it, and goes on",
};
const ABORT_WINS: Mistake = Mistake {
    name: "abort_wins",
    says: "the flag is asked once more when the task is over, and how it ended is thrown away",
};
const FLAG_WITHOUT_WAKE: Mistake = Mistake {
    name: "flag_without_wake",
    says: "`abort` leaves a flag; but a task that waits for ever has no turn to look at it",
};
const DROPS_AT_ONCE: Mistake = Mistake {
    name: "drops_at_once",
    says: "`abort` drops the future itself, in the middle of whatever its caller does",
};
const FUTURE_KEPT: Mistake = Mistake {
    name: "future_kept",
    says: "the future lives as long as the handle; what it holds is not free when it is over",
};
const TOLD_TOO_EARLY: Mistake = Mistake {
    name: "told_too_early",
    says: "the result of an abort is there before the future has been dropped",
};
const RESULT_FIRST: Mistake = Mistake {
    name: "result_first",
    says: "the result is left while the future is still there; what is dropped with the future may \
           look at the handle",
};
const ABORTS_THE_PAST: Mistake = Mistake {
    name: "aborts_the_past",
    says: "the task was over, and `abort` has made its result into something else",
};

fn main() -> ExitCode {
    Check::new("10_abort")
        .case("a task that returns gives Ok, awaited before its end and after it", returns)
        .case("the siblings of a task that panics go on", siblings)
        .case("who awaits a task that panics gets what it panicked with", payload)
        .case("a task that is aborted before its first poll is never polled", before)
        .case("a task that waits for ever is aborted, and who awaits it is told", waits)
        .case("a task that aborts itself runs on until it waits, and no further", itself)
        .case("a task that is over stays as it ended", after)
        .case("when a handle is ready, the future has been dropped", destructors)
        .case("a task that aborts itself and returns in the same poll gives Ok", |case| {
            last_poll(case, || NUMBER, "Ok(7)");
        })
        .case("a task that aborts itself and panics in the same poll gives the panic", |case| {
            last_poll(case, || resume_unwind(Box::new(Fault(NUMBER))), "Err(Panic)");
        })
        .case("a handle is not ready while the future is being dropped", looks_back)
        .run()
}

/// What a task panics with here. It is no text.
struct Fault(u32);

const NUMBER: u32 = 7;

/// What a handle has given.
type Got = Rc<RefCell<Option<Result<u32, JoinError>>>>;

/// A handle that one task awaits, and others have, too.
type Shared = Rc<RefCell<Handle<u32>>>;

async fn yields(times: usize) -> u32 {
    for _ in 0..times {
        yield_now().await;
    }
    NUMBER
}

/// Yields, and panics. (Not by `panic!`: nobody shall hear of this one but the answer.)
async fn panics(times: usize) -> u32 {
    yields(times).await;
    resume_unwind(Box::new(Fault(NUMBER)))
}

/// What a task waits for that nobody does. Somebody has its waker, and does not call it.
#[derive(Clone, Default)]
struct Bell(Rc<RefCell<Option<Waker>>>);

impl Bell {
    async fn rings(&self) -> u32 {
        poll_fn(|cx| {
            *self.0.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// Says when it is dropped, in the drawing, and to the check.
struct Guard {
    hand: Hand,
    name: &'static str,
    is_gone: Rc<Cell<bool>>,
}

impl Guard {
    fn new(hand: &Hand, name: &'static str) -> Guard {
        Guard {
            hand: hand.clone(),
            name,
            is_gone: Rc::default(),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // At the end of a case that does not hold everything is dropped.
        if !thread::panicking() {
            self.hand.mark(self.name);
        }
        self.is_gone.set(true);
    }
}

/// Spawns a task that awaits this handle.
fn spawn_main(hand: &Hand, executor: &mut Executor, handle: Handle<u32>) -> Got {
    spawn_joiner(hand, executor, &Rc::new(RefCell::new(handle)))
}

fn spawn_joiner(hand: &Hand, executor: &mut Executor, handle: &Shared) -> Got {
    let got = Got::default();
    let (put, handle) = (got.clone(), handle.clone());
    executor.spawn(hand.watch("main", async move {
        let result = poll_fn(|cx| Pin::new(&mut *handle.borrow_mut()).poll(cx)).await;
        *put.borrow_mut() = Some(result);
    }));
    got
}

/// Runs until nobody is runnable. No panic of a task comes out of that.
fn run(case: &Case, hand: &Hand, executor: &mut Executor) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(|| executor.run())) else {
        return;
    };
    if !payload.is::<Fault>() {
        resume_unwind(payload);
    }
    let wrong = Wrong::new("a `run` that goes on", "a panic out of it").looks_like(NOT_CAUGHT);
    case.is_wrong(wrong.at(hand.now(), "the panic comes out of `run`"));
}

const WAITS: &str = "nothing: main waits for ever";

fn in_words(got: &Got) -> String {
    match &*got.borrow() {
        Some(Ok(number)) => format!("Ok({number})"),
        Some(Err(error)) if error.is_cancelled() => "Err(Cancelled)".to_string(),
        Some(Err(error)) if error.is_panic() => "Err(Panic)".to_string(),
        Some(Err(_)) => "Err, but neither Cancelled nor Panic".to_string(),
        // If main is gone, it has left this place to the check alone.
        None if Rc::strong_count(got) == 1 => "nothing: main is gone".to_string(),
        None => WAITS.to_string(),
    }
}

/// The handle has given this. `mistakes`: what it most likely is if main still waits, and, if there
/// is a second one, if it has got something else.
fn expect_got(case: &Case, hand: &Hand, got: &Got, expected: &str, mistakes: &[Mistake]) {
    let got = in_words(got);
    if got != expected {
        let waits = got == WAITS;
        let here = if waits { "main waits for ever" } else { "main has not got it" };
        let mistake = mistakes.get(if waits { 0 } else { 1 }).copied();
        let wrong = Wrong::new(format!("{expected} from the handle"), got);
        case.is_wrong(wrong.at(hand.now(), here).looks_like(mistake));
    }
}

fn returns(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let early = executor.spawn(hand.watch("work", yields(2)));
    let got_early = spawn_main(&hand, &mut executor, early);
    let late = executor.spawn(hand.watch("other", yields(1)));
    run(case, &hand, &mut executor);
    expect_got(case, &hand, &got_early, "Ok(7)", &[JOINER_NOT_TOLD]);
    let got_late = spawn_main(&hand, &mut executor, late);
    run(case, &hand, &mut executor);
    expect_got(case, &hand, &got_late, "Ok(7)", &[]);
}

fn siblings(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    executor.spawn(hand.watch("a", yields(2)));
    executor.spawn(hand.watch("bad", panics(1)));
    executor.spawn(hand.watch("b", yields(2)));
    run(case, &hand, &mut executor);
    hand.expect_order(case, &["a", "bad", "b", "a", "bad", "b", "a", "b"], None);
}

fn payload(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let handle = executor.spawn(hand.watch("bad", panics(1)));
    let got = spawn_main(&hand, &mut executor, handle);
    run(case, &hand, &mut executor);
    expect_got(case, &hand, &got, "Err(Panic)", &[JOINER_NOT_TOLD, PANIC_PASSED_ON]);
    let payload = got.take().and_then(|result| result.err()).map(JoinError::into_panic);
    let fault = payload.and_then(|payload| payload.downcast::<Fault>().ok());
    if fault.map(|fault| fault.0) != Some(NUMBER) {
        let wrong = Wrong::new("the payload, a `Fault(7)`", "something else");
        let wrong = wrong.at(hand.now(), "main has another payload");
        case.is_wrong(wrong.looks_like(PAYLOAD_IN_WORDS));
    }
}

fn before(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let handle = executor.spawn(hand.watch("work", yields(2)));
    hand.mark("work is aborted");
    handle.abort();
    let got = spawn_main(&hand, &mut executor, handle);
    run(case, &hand, &mut executor);
    // More than one poll is another matter: then nobody has looked at all.
    let more: &[Mistake] = match hand.polls("work") {
        1 => &[POLLED_ONCE_MORE; 2],
        _ if in_words(&got) == "Err(Cancelled)" => &[ONLY_TOLD; 2],
        _ => &[],
    };
    hand.expect_polls(case, "work", 0, more);
    expect_got(case, &hand, &got, "Err(Cancelled)", &[JOINER_NOT_TOLD]);
}

fn waits(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let (bell, guard) = (Bell::default(), Guard::new(&hand, "what work held is dropped"));
    let is_gone = guard.is_gone.clone();
    let waits = async move {
        let _guard = guard;
        bell.rings().await
    };
    let handle = executor.spawn(hand.watch("work", waits));
    let handle = Rc::new(RefCell::new(handle));
    let got = spawn_joiner(&hand, &mut executor, &handle);
    let at_once = Rc::new(Cell::new(None));
    executor.spawn(hand.watch("stopper", {
        let (hand, is_gone, at_once) = (hand.clone(), is_gone.clone(), at_once.clone());
        async move {
            yield_now().await;
            hand.mark("stopper calls abort");
            handle.borrow().abort();
            at_once.set(is_gone.get().then(|| hand.now()));
        }
    }));
    run(case, &hand, &mut executor);
    if let Some(at) = at_once.get() {
        let wrong = Wrong::new("work dropped in its next turn", "work dropped inside of `abort`");
        case.is_wrong(wrong.at(at, "inside of the poll of stopper").looks_like(DROPS_AT_ONCE));
    }
    let more = if is_gone.get() { POLLED_ONCE_MORE } else { ASKED_ONCE };
    hand.expect_polls(case, "work", 1, &[more; 2]);
    if in_words(&got) == WAITS && !is_gone.get() {
        let wrong = Wrong::new("work dropped in its next turn", "work that waits as before");
        let wrong = wrong.at(hand.now(), "work waits, and nobody wakes it");
        case.is_wrong(wrong.looks_like(FLAG_WITHOUT_WAKE));
    }
    expect_got(case, &hand, &got, "Err(Cancelled)", &[JOINER_NOT_TOLD]);
}

fn itself(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let own = Rc::new(RefCell::new(None::<Shared>));
    let (bell, ran_on) = (Bell::default(), Rc::new(Cell::new(false)));
    let aborts_itself = {
        let (hand, own, ran_on) = (hand.clone(), own.clone(), ran_on.clone());
        async move {
            let handle = own.take().expect("the check has put it there");
            hand.mark("work aborts itself");
            handle.borrow().abort();
            hand.mark("and runs on");
            ran_on.set(true);
            bell.rings().await
        }
    };
    let handle = executor.spawn(hand.watch("work", aborts_itself));
    let handle = Rc::new(RefCell::new(handle));
    *own.borrow_mut() = Some(handle.clone());
    let got = spawn_joiner(&hand, &mut executor, &handle);
    run(case, &hand, &mut executor);
    if !ran_on.get() {
        let wrong = Wrong::new("work that runs on", "an `abort` that does not return");
        case.is_wrong(wrong.at(hand.now(), "it did not run on").looks_like(DROPS_AT_ONCE));
    }
    hand.expect_polls(case, "work", 1, &[POLLED_ONCE_MORE; 2]);
    let mistakes = [FLAG_WITHOUT_WAKE, DROPS_AT_ONCE];
    expect_got(case, &hand, &got, "Err(Cancelled)", &mistakes);
}

fn last_poll(case: &Case, ends: fn() -> u32, expected: &str) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let own = Rc::new(RefCell::new(None::<Shared>));
    let aborts_itself = {
        let (hand, own) = (hand.clone(), own.clone());
        async move {
            let handle = own.take().expect("the check has put it there");
            hand.mark("work aborts itself");
            handle.borrow().abort();
            ends()
        }
    };
    let handle = executor.spawn(hand.watch("work", aborts_itself));
    let handle = Rc::new(RefCell::new(handle));
    *own.borrow_mut() = Some(handle.clone());
    let got = spawn_joiner(&hand, &mut executor, &handle);
    run(case, &hand, &mut executor);
    hand.expect_polls(case, "work", 1, &[]);
    expect_got(case, &hand, &got, expected, &[JOINER_NOT_TOLD, ABORT_WINS]);
}

fn after(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let good = executor.spawn(hand.watch("work", yields(1)));
    let bad = executor.spawn(hand.watch("bad", panics(1)));
    run(case, &hand, &mut executor);
    hand.mark("both are aborted");
    good.abort();
    bad.abort();
    let got = spawn_main(&hand, &mut executor, good);
    run(case, &hand, &mut executor);
    expect_got(case, &hand, &got, "Ok(7)", &[ABORTS_THE_PAST; 2]);
    let got = spawn_main(&hand, &mut executor, bad);
    run(case, &hand, &mut executor);
    expect_got(case, &hand, &got, "Err(Panic)", &[ABORTS_THE_PAST; 2]);
}

fn destructors(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let guards = [
        Guard::new(&hand, "what returns held is dropped"),
        Guard::new(&hand, "what panics held is dropped"),
        Guard::new(&hand, "what aborted held is dropped"),
    ];
    let gone = guards.each_ref().map(|guard| guard.is_gone.clone());
    let [first, second, third] = guards;
    // Not async blocks: those drop what they hold when they are over, and are there all the same.
    let returns = poll_fn(move |_| {
        let _ours = &first;
        Poll::Ready(NUMBER)
    });
    let panics = poll_fn(move |_| {
        let _ours = &second;
        resume_unwind(Box::new(Fault(NUMBER)))
    });
    let bell = Bell::default();
    let aborted = async move {
        let _ours = third;
        bell.rings().await
    };
    let handles = [
        executor.spawn(hand.watch("returns", returns)),
        executor.spawn(hand.watch("panics", panics)),
        executor.spawn(hand.watch("aborted", aborted)),
    ];
    let kept = Rc::new(RefCell::new(Vec::new()));
    executor.spawn(hand.watch("main", {
        let (hand, kept) = (hand.clone(), kept.clone());
        async move {
            handles[2].abort();
            for ((mut handle, gone), name) in
                handles.into_iter().zip(gone).zip(["returns", "panics", "aborted"])
            {
                let _result = (&mut handle).await;
                if !gone.get() {
                    kept.borrow_mut().push((name, hand.now()));
                }
            }
        }
    }));
    run(case, &hand, &mut executor);
    if let Some((name, at)) = kept.borrow().first() {
        let mistake = if *name == "aborted" { TOLD_TOO_EARLY } else { FUTURE_KEPT };
        let wrong =
            Wrong::new(format!("the future of {name} dropped"), "a handle ready before that");
        let wrong = wrong.at(*at, format!("{name} is over, its future is there"));
        case.is_wrong(wrong.looks_like(mistake));
    }
}

/// Looks at the handle of its task when it is dropped.
struct LooksBack {
    hand: Hand,
    handle: Rc<RefCell<Option<Handle<u32>>>>,
    is_early: Rc<Cell<bool>>,
}

impl Drop for LooksBack {
    fn drop(&mut self) {
        if let Some(handle) = &mut *self.handle.borrow_mut() {
            self.hand.mark("what work held looks at the handle");
            let poll = Pin::new(handle).poll(&mut Context::from_waker(Waker::noop()));
            self.is_early.set(poll.is_ready());
        }
    }
}

fn looks_back(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let (handle, is_early) = (Rc::default(), Rc::default());
    let looks_back = LooksBack {
        hand: hand.clone(),
        handle: Rc::clone(&handle),
        is_early: Rc::clone(&is_early),
    };
    // Not an async block, as above.
    let work = poll_fn(move |_| {
        let _ours = &looks_back;
        Poll::Ready(NUMBER)
    });
    *handle.borrow_mut() = Some(executor.spawn(hand.watch("work", work)));
    run(case, &hand, &mut executor);
    if is_early.get() {
        let wrong = Wrong::new("a handle that is pending until then", "one that is ready");
        let wrong = wrong.at(hand.now(), "work is being dropped");
        case.is_wrong(wrong.looks_like(RESULT_FIRST));
    }
}
