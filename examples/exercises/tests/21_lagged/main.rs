//! Exercise 21: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_21");

use answer::RecvError::{Closed, Lagged};
use answer::{Receiver, RecvError, Sender, channel};
use handspun::task::yield_now;
use handspun::time::{Duration, sleep};
use handspun::trace;
use handspun_exercises::{
    Call, Case, Check, Mistake, Wrong, interrupted, panic_of_others, spawn, stop_panic_of_others,
};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

const WAITS_FIRST: Mistake = Mistake {
    name: "waits_first",
    says: "a value is there, and `recv` waits; it has to look first, also in its first poll",
};
const SENDS_IN_SILENCE: Mistake = Mistake {
    name: "sends_in_silence",
    says: "a receiver waits, and is not woken when a value comes",
};
const SPINS: Mistake = Mistake {
    name: "spins",
    says: "who waits asks again and again; leave a waker, and be woken",
};
const WAITS_INSIDE: Mistake = Mistake {
    name: "waits_inside",
    says: "a poll waits for others, who run on this thread only when it has returned",
};
const ONE_WAKER: Mistake = Mistake {
    name: "one_waker",
    says: "there is room for one waker, and who waits last takes it from the others",
};
const FIRST_TAKES_IT: Mistake = Mistake {
    name: "first_takes_it",
    says: "the first who receives a value takes it out of the row; the others want it too",
};
const HEARS_OLD_NEWS: Mistake = Mistake {
    name: "hears_old_news",
    says: "who subscribes begins with what was sent before; it stands behind all of that",
};
const SENDS_TO_NOBODY: Mistake = Mistake {
    name: "sends_to_nobody",
    says: "the receivers are gone, and still this is sent; a receiver that is dropped must be \
           counted off",
};
const SAME_SEAT: Mistake = Mistake {
    name: "same_seat",
    says: "who subscribes gets the seat of a receiver that is still there; to count those who \
           are there gives no new number when one of them has gone",
};
const MISSES_IN_SILENCE: Mistake = Mistake {
    name: "misses_in_silence",
    says: "values were missed, and the receiver goes on as if there had been none",
};
const NEWEST_LOST: Mistake = Mistake {
    name: "newest_lost",
    says: "the row is full, and the new value is dropped; it is the oldest that gives way",
};
const NO_BOUND: Mistake = Mistake {
    name: "no_bound",
    says: "nothing falls out of the row; it grows as long as somebody does not look",
};
const ONE_TOO_MANY: Mistake = Mistake {
    name: "one_too_many",
    says: "the row keeps one value more than its capacity",
};
const LAGS_FOR_EVER: Mistake = Mistake {
    name: "lags_for_ever",
    says: "the receiver is told what it missed, and stays where it was, so it is told again",
};
const JUMPS_TO_THE_END: Mistake = Mistake {
    name: "jumps_to_the_end",
    says: "who has lagged goes on behind the last value; but what is left was not missed",
};
const COUNTS_ALL: Mistake = Mistake {
    name: "counts_all",
    says: "the count is of all that ever fell out; some of these it has received, or was told of",
};
const CLOSED_TOO_EARLY: Mistake = Mistake {
    name: "closed_too_early",
    says: "the end comes before what is left in the row, or what was missed",
};
const CLOSES_IN_SILENCE: Mistake = Mistake {
    name: "closes_in_silence",
    says: "a receiver waits, and is not woken when the last sender is dropped",
};
const CLONES_NOT_COUNTED: Mistake = Mistake {
    name: "clones_not_counted",
    says: "one of the senders is dropped, but there is another",
};
const WAKER_PER_POLL: Mistake = Mistake {
    name: "waker_per_poll",
    says: "each poll leaves one more waker; only the last one counts, and takes the place of the \
           one before",
};
const LEAVES_WAKERS: Mistake = Mistake {
    name: "leaves_wakers",
    says: "a receiver is dropped, and what it left for its wake is still there",
};
const FIRST_WAKER: Mistake = Mistake {
    name: "first_waker",
    says: "the waker of the first poll is kept, and another task has polled since",
};
const GAP: Mistake = Mistake {
    name: "gap",
    says: "the channel is let go between looking and leaving the waker; a value that comes there \
           finds nobody to wake",
};
const BORROWED: Mistake = Mistake {
    name: "borrowed",
    says: "a waker is woken or dropped while the channel is borrowed; whose code that is, you do \
           not know",
};
const CLONED_INSIDE: Mistake = Mistake {
    name: "cloned_inside",
    says: "a value is cloned or dropped while the channel is borrowed, and that is code of others",
};
const WAKER_CLONED_INSIDE: Mistake = Mistake {
    name: "waker_cloned_inside",
    says: "a waker is cloned while the channel is borrowed, and that is code of others, too",
};
const CLONED_IN_THE_GAP: Mistake = Mistake {
    name: "cloned_in_the_gap",
    says: "the channel is let go after the look, for the waker to be cloned; a value that comes \
           there finds nobody to wake; clone it before you look",
};
const DROPS_FIRST: Mistake = Mistake {
    name: "drops_first",
    says: "the value that falls out is dropped before those are woken who wait; it has panicked, \
           and nobody is woken",
};

fn main() -> ExitCode {
    Check::new("21_lagged")
        .case("what is sent is received, in order", in_order)
        .case("each receiver gets each value that is sent while it is there", to_each)
        .case("who is too slow is told how many it has missed, and goes on", lagged)
        .case("when all senders are gone there is what is left, and then `Closed`", end)
        .case("a wait has one waker, that of its last poll", one_waker)
        .case("a value that comes in the middle of a `recv` is not slept through", in_between)
        .case("wakers and values may come back to the channel", come_back)
        .case("a value that falls out and panics costs nobody a wake", falls_out)
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

fn send(sender: &Sender<&'static str>, values: &[&'static str]) {
    for value in values {
        let _receivers = sender.send(value);
    }
}

// What was received.

type Received = Result<&'static str, RecvError>;

/// What was received, and with which records of the trace it came.
type Log = Vec<(Received, usize)>;

/// The last record so far.
fn now() -> usize {
    trace::current().map_or(0, |trace| trace.records().len() - 1)
}

async fn recv_into(log: &mut Log, receiver: &mut Receiver<&'static str>) {
    let received = receiver.recv().await;
    trace::mark(&in_words(&[received]));
    log.push((received, now()));
}

/// What comes at once, up to `most`, and up to the end.
async fn all_of(receiver: &mut Receiver<&'static str>, most: usize) -> Log {
    let mut log = Log::new();
    while log.len() < most {
        let Poll::Ready(received) = poll_once(pin!(receiver.recv())).await else {
            break;
        };
        trace::mark(&in_words(&[received]));
        log.push((received, now()));
        if received == Err(Closed) {
            break;
        }
    }
    log
}

fn expect_values(
    case: &Case,
    log: &Log,
    expected: &[Received],
    mistake: impl Into<Option<Mistake>>,
) {
    let got = received(log);
    if got == expected {
        return;
    }
    let wrong = Wrong::new(in_words(expected), in_words(&got)).looks_like(mistake);
    let first = got.iter().zip(expected).position(|(got, expected)| got != expected);
    let first = first.unwrap_or(got.len().min(expected.len()).saturating_sub(1));
    let last = case.polls().last().map_or(0, |poll| poll.began);
    case.is_wrong(match (log.get(first), expected.get(first)) {
        (Some((_, record)), Some(expected)) if got[first] != *expected => {
            wrong.at(*record, format!("it ought to be {}", in_words(&[*expected])))
        }
        (Some((_, record)), _) if got.len() > expected.len() => {
            wrong.at(*record, "one too many comes behind this")
        }
        (Some((_, record)), _) => wrong.at(*record, "nothing comes behind this"),
        (None, _) => wrong.at(last, "nothing was received"),
    });
}

fn received(log: &Log) -> Vec<Received> {
    log.iter().map(|(received, _)| *received).collect()
}

/// `"a" "b" Lagged(2) Closed`
fn in_words(received: &[Received]) -> String {
    let words: Vec<String> = received
        .iter()
        .map(|received| match received {
            Ok(value) => format!("{value:?}"),
            Err(error) => format!("{error:?}"),
        })
        .collect();
    if words.is_empty() { "nothing".to_string() } else { words.join(" ") }
}

// The cases.

fn in_order(case: &Case) {
    case.if_it_hangs(WAITS_INSIDE);
    case.may_take(Duration::from_secs(2));
    case.if_it_never_ends(SPINS);
    // What has come before it waits.
    case.if_it_stalls(WAITS_FIRST);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(8);
        send(&sender, &["a", "b"]);
        let mut log = Log::new();
        for _ in 0..2 {
            recv_into(&mut log, &mut receiver).await;
        }
        log
    });
    expect_values(case, &log, &[Ok("a"), Ok("b")], None);

    // What comes while it waits.
    case.if_it_stalls(SENDS_IN_SILENCE);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(8);
        let task = spawn("sender", async move {
            a_while().await;
            send(&sender, &["a", "b"]);
            a_while().await;
            send(&sender, &["c"]);
            sender
        });
        let mut log = Log::new();
        for _ in 0..3 {
            recv_into(&mut log, &mut receiver).await;
        }
        // Until here there is a sender: what comes then is another case.
        let _sender = task.await.unwrap();
        log
    });
    expect_values(case, &log, &[Ok("a"), Ok("b"), Ok("c")], None);
}

fn to_each(case: &Case) {
    case.if_it_never_ends(SPINS);
    case.if_it_stalls(FIRST_TAKES_IT);
    let log = case.block_on(async {
        let (sender, mut first) = channel(8);
        let mut second = sender.subscribe();
        send(&sender, &["a", "b"]);
        let mut log = all_of(&mut first, 3).await;
        log.extend(all_of(&mut second, 3).await);
        log
    });
    expect_values(case, &log, &[Ok("a"), Ok("b"), Ok("a"), Ok("b")], FIRST_TAKES_IT);

    case.if_it_stalls(ONE_WAKER);
    case.block_on(async {
        let (sender, receiver) = channel(8);
        let receivers = [("first", receiver), ("second", sender.subscribe())];
        let tasks = receivers.map(|(name, mut receiver)| {
            spawn(name, async move { recv_into(&mut Log::new(), &mut receiver).await })
        });
        a_while().await;
        send(&sender, &["a"]);
        for task in tasks {
            task.await.unwrap();
        }
    });

    let log = case.block_on(async {
        let (sender, _receiver) = channel(8);
        send(&sender, &["a", "b", "c"]);
        let mut late = sender.subscribe();
        send(&sender, &["d"]);
        all_of(&mut late, 4).await
    });
    expect_values(case, &log, &[Ok("d")], HEARS_OLD_NEWS);

    // And how many they are.
    let counts = case.block_on(async {
        let (sender, receiver) = channel(8);
        let second = sender.subscribe();
        let both = sender.send("a");
        drop(receiver);
        let one = sender.send("b");
        let third = sender.subscribe();
        let two = sender.send("c");
        drop((second, third));
        let nobody = sender.send("d");
        drop(sender.subscribe());
        [both, one, two, nobody, sender.send("e")]
    });
    let expected = [Ok(2), Ok(1), Ok(2), Err("d"), Err("e")];
    if counts != expected {
        let is_third = counts[..2] == expected[..2] && counts[2] == Ok(1);
        let is_sent = counts[3..].iter().any(Result::is_ok);
        let mistake = if is_third { Some(SAME_SEAT) } else { is_sent.then_some(SENDS_TO_NOBODY) };
        let wrong = Wrong::new(format!("from `send` {expected:?}"), format!("{counts:?}"));
        let last = case.polls().last().map_or(0, |poll| poll.began);
        case.is_wrong(wrong.at(last, "what `send` returns here").looks_like(mistake));
    }
}

/// What it most likely is, if that was received where `Lagged(3) d e` ought to be.
fn lag_mistake(got: &[Received]) -> Option<Mistake> {
    match got {
        [Ok("a"), Ok("b"), Ok("c"), Ok("d"), ..] => Some(NO_BOUND),
        [Ok("a"), ..] => Some(NEWEST_LOST),
        [Ok(_), ..] => Some(MISSES_IN_SILENCE),
        [Err(Lagged(2)), Ok("c"), ..] => Some(ONE_TOO_MANY),
        [Err(Lagged(first)), Err(Lagged(second)), ..] if first == second => Some(LAGS_FOR_EVER),
        [Err(Lagged(_))] | [Err(Lagged(_)), Ok("e"), ..] => Some(JUMPS_TO_THE_END),
        _ => None,
    }
}

fn lagged(case: &Case) {
    case.if_it_never_ends(SPINS);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(2);
        send(&sender, &["a", "b", "c", "d", "e"]);
        all_of(&mut receiver, 5).await
    });
    let mistake = lag_mistake(&received(&log));
    expect_values(case, &log, &[Err(Lagged(3)), Ok("d"), Ok("e")], mistake);

    // It has received some, and was told of some: neither is missed once more.
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(2);
        send(&sender, &["a"]);
        let mut log = all_of(&mut receiver, 2).await;
        send(&sender, &["b", "c", "d"]);
        a_while().await;
        log.extend(all_of(&mut receiver, 1).await);
        // Told, but it has not gone on yet.
        send(&sender, &["e"]);
        log.extend(all_of(&mut receiver, 4).await);
        log
    });
    let expected = [Ok("a"), Err(Lagged(1)), Err(Lagged(1)), Ok("d"), Ok("e")];
    expect_values(case, &log, &expected, COUNTS_ALL);
}

fn end(case: &Case) {
    case.if_it_never_ends(SPINS);
    case.if_it_stalls(CLOSES_IN_SILENCE);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(2);
        send(&sender, &["a", "b", "c"]);
        drop(sender);
        let mut log = Log::new();
        for _ in 0..5 {
            recv_into(&mut log, &mut receiver).await;
        }
        log
    });
    let expected = [Err(Lagged(1)), Ok("b"), Ok("c"), Err(Closed), Err(Closed)];
    expect_values(case, &log, &expected, CLOSED_TOO_EARLY);

    // The last sender is gone while two wait. One of them was gone before.
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(2);
        let mut second = sender.subscribe();
        drop(sender.clone());
        spawn("sender", async move {
            a_while().await;
            send(&sender, &["a"]);
            a_while().await;
        });
        let other = spawn("second", async move {
            let mut log = Log::new();
            for _ in 0..2 {
                recv_into(&mut log, &mut second).await;
            }
            log
        });
        let mut log = Log::new();
        for _ in 0..2 {
            recv_into(&mut log, &mut receiver).await;
        }
        log.extend(other.await.unwrap());
        log
    });
    let expected = [Ok("a"), Err(Closed), Ok("a"), Err(Closed)];
    expect_values(case, &log, &expected, CLONES_NOT_COUNTED);
}

/// A waker that does nothing; but it can be counted, how many there are.
struct Counted;

impl Wake for Counted {
    fn wake(self: Arc<Self>) {}
}

fn one_waker(case: &Case) {
    let counted = Arc::new(Counted);
    let waker = Waker::from(counted.clone());
    let cx = &mut Context::from_waker(&waker);
    let left = || Arc::strong_count(&counted) - 2;
    let (sender, mut receiver) = channel::<&str>(2);
    {
        let mut recv = pin!(receiver.recv());
        for _ in 0..1_000 {
            let _waits = recv.as_mut().poll(cx);
        }
    }
    if left() > 1 {
        let wrong = Wrong::new("one waker after 1000 polls of a `recv`", left());
        case.is_wrong(wrong.looks_like(WAKER_PER_POLL));
    }
    for _ in 0..1_000 {
        let _waits = pin!(receiver.recv()).poll(cx);
    }
    if left() > 1 {
        let wrong = Wrong::new("one waker at most after 1000 `recv` were dropped", left());
        case.is_wrong(wrong.looks_like(WAKER_PER_POLL));
    }
    drop(receiver);
    if left() > 0 {
        let wrong = Wrong::new("no waker when the receiver is gone", left());
        case.is_wrong(wrong.looks_like(LEAVES_WAKERS));
    }
    drop(sender);

    case.if_it_stalls(FIRST_WAKER);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(2);
        let mut recv = Box::pin(async move { receiver.recv().await });
        let _waits = poll_once(recv.as_mut()).await;
        let other = spawn("other", async move { (recv.await, now()) });
        yield_now().await;
        send(&sender, &["a"]);
        vec![other.await.unwrap()]
    });
    expect_values(case, &log, &[Ok("a")], None);
}

thread_local! {
    /// For code of others that runs inside of the channel.
    static SENDER: RefCell<Option<Sender<Parcel>>> = const { RefCell::new(None) };
    /// A wait, with its receiver.
    static WAITS: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>> = const { RefCell::new(None) };
    /// Whether [`SENDER`] was used.
    static HAS_RUN: Cell<bool> = const { Cell::new(false) };
}

/// Does something with [`SENDER`], if it is there. After a panic it does nothing: the first one is
/// what is to be told.
fn with_sender(f: impl FnOnce(&Sender<Parcel>)) {
    if thread::panicking() {
        return;
    }
    let _gone = SENDER.try_with(|sender| {
        if let Ok(sender) = sender.try_borrow()
            && let Some(sender) = sender.as_ref()
        {
            HAS_RUN.set(true);
            f(sender);
        }
    });
}

/// Nobody's business but the channel's: it is only asked.
fn ask(sender: &Sender<Parcel>) {
    drop(sender.clone());
    drop(sender.subscribe());
}

/// A value whose clone, and whose end, are code that uses the channel.
struct Parcel;

impl Clone for Parcel {
    fn clone(&self) -> Parcel {
        with_sender(ask);
        Parcel
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        with_sender(ask);
    }
}

/// A waker that sends when it is dropped.
struct LastWords;

impl Wake for LastWords {
    fn wake(self: Arc<Self>) {}
}

impl Drop for LastWords {
    fn drop(&mut self) {
        with_sender(|sender| {
            trace::mark("a value is sent, in a poll");
            let _receivers = sender.send(Parcel);
        });
    }
}

/// A waker that uses the channel when it is woken, and drops a receiver.
struct ComesBack;

impl Wake for ComesBack {
    fn wake(self: Arc<Self>) {
        with_sender(ask);
        drop(WAITS.take());
    }
}

/// On one thread nothing comes between two lines of a `recv`, but the code of others that it calls.
/// To drop a waker is to call some, and so is to clone one.
fn in_between(case: &Case) {
    case.if_it_stalls(GAP);
    case.if_it_panics(BORROWED);
    case.block_on(async {
        let (sender, mut receiver) = channel(2);
        let mut recv = pin!(receiver.recv());
        {
            let waker = Waker::from(Arc::new(LastWords));
            let _waits = recv.as_mut().poll(&mut Context::from_waker(&waker));
        }
        SENDER.set(Some(sender.clone()));
        HAS_RUN.set(false);
        // After the next poll of this.
        let _helper = spawn("helper", async move {
            SENDER.take();
            if !HAS_RUN.get() {
                let _receivers = sender.send(Parcel);
            }
            sender
        });
        // The waker of this task takes the place of the other one, which is dropped for good.
        let _parcel = recv.await;
    });

    case.if_it_stalls(CLONED_IN_THE_GAP);
    case.if_it_panics(WAKER_CLONED_INSIDE);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(2);
        let own = sender.clone();
        let sends = move || {
            trace::mark("a waker is cloned, and sends \"a\"");
            send(&own, &["a"]);
        };
        let mut log = Log::new();
        interrupted(Call::Clone, sends, recv_into(&mut log, &mut receiver)).await;
        drop(sender);
        log
    });
    expect_values(case, &log, &[Ok("a")], None);
}

fn come_back(case: &Case) {
    case.if_it_panics(CLONED_INSIDE);
    case.block_on(async {
        let (sender, mut first) = channel(1);
        let mut second = sender.subscribe();
        SENDER.set(Some(sender.clone()));
        // The second value has the first one fall out, after it was cloned for one of the two.
        let _receivers = sender.send(Parcel);
        let _cloned = poll_once(pin!(first.recv())).await;
        let _receivers = sender.send(Parcel);
        let _lagged = poll_once(pin!(second.recv())).await;
        let _cloned = poll_once(pin!(second.recv())).await;
        SENDER.take();
    });

    case.if_it_panics(BORROWED);
    case.block_on(async {
        let (sender, mut receiver) = channel(1);
        let mut recv = pin!(receiver.recv());
        let waker = Waker::from(Arc::new(ComesBack));
        let _waits = recv.as_mut().poll(&mut Context::from_waker(&waker));
        SENDER.set(Some(sender.clone()));
        let _receivers = sender.send(Parcel);
        let mut leaves = sender.subscribe();
        {
            let waker = Waker::from(Arc::new(LastWords));
            let recv = pin!(leaves.recv());
            let _waits = recv.poll(&mut Context::from_waker(&waker));
        }
        drop(leaves);
        SENDER.take();
    });
    case.block_on(async {
        let (sender, mut receiver) = channel::<Parcel>(1);
        let mut recv = Box::pin(async move { drop(receiver.recv().await) });
        let waker = Waker::from(Arc::new(ComesBack));
        let _waits = recv.as_mut().poll(&mut Context::from_waker(&waker));
        WAITS.set(Some(recv));
        drop(sender);
        WAITS.take();
    });
}

thread_local! {
    /// Whether the next [`Fragile`] that is dropped panics.
    static BREAKS: Cell<bool> = const { Cell::new(false) };
}

/// A value that may panic when it is dropped.
#[derive(Clone)]
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        if BREAKS.take() {
            panic_of_others();
        }
    }
}

fn falls_out(case: &Case) {
    case.if_it_stalls(DROPS_FIRST);
    case.block_on(async {
        let (sender, mut receiver) = channel(1);
        // For this one the first value is kept.
        let _slow = sender.subscribe();
        let waits = spawn("waits", async move {
            for _ in 0..2 {
                let _fragile = receiver.recv().await;
            }
        });
        let _receivers = sender.send(Fragile);
        a_while().await;
        trace::mark("the first value falls out, and panics");
        BREAKS.set(true);
        stop_panic_of_others(|| drop(sender.send(Fragile)));
        BREAKS.set(false);
        waits.await.unwrap();
    });
}
