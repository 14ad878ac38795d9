//! Exercise 20: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_20");

use answer::{Receiver, Sender, channel};
use handspun::task::{JoinHandle, yield_now};
use handspun::time::{Duration, sleep};
use handspun::trace;
use handspun_exercises::{
    Call, Case, Check, Mistake, Wrong, interrupted, panic_of_others, replaced, spawn,
    stop_panic_of_others,
};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

const SENDS_IN_SILENCE: Mistake = Mistake {
    name: "sends_in_silence",
    says: "the receiver waits, and is not woken when a value comes",
};
const NO_BOUND: Mistake = Mistake {
    name: "no_bound",
    says: "`send` does not wait for room",
};
const ONE_TOO_MANY: Mistake = Mistake {
    name: "one_too_many",
    says: "there is room for one value more than there should be",
};
const ROOM_IN_SILENCE: Mistake = Mistake {
    name: "room_in_silence",
    says: "a sender waits for room, and is not woken when `recv` makes some",
};
const SPINS: Mistake = Mistake {
    name: "spins",
    says: "who waits asks again and again; leave a waker, and be woken",
};
const NONE_TOO_EARLY: Mistake = Mistake {
    name: "none_too_early",
    says: "the end comes before the values that are left in the queue",
};
const ENDS_IN_SILENCE: Mistake = Mistake {
    name: "ends_in_silence",
    says: "the receiver waits, and is not woken when the last sender is dropped",
};
const CLONES_NOT_COUNTED: Mistake = Mistake {
    name: "clones_not_counted",
    says: "one of the senders is dropped, but there is another",
};
const SENDS_TO_NOBODY: Mistake = Mistake {
    name: "sends_to_nobody",
    says: "the receiver is gone, and nobody will ever have this value",
};
const CLOSED_IN_SILENCE: Mistake = Mistake {
    name: "closed_in_silence",
    says: "a sender waits for room, and is not told that the receiver is gone",
};
const LAST_COME_FIRST: Mistake = Mistake {
    name: "last_come_first",
    says: "who came last has room first; if others keep coming, who came first never has",
};
const WAKES_ALL: Mistake = Mistake {
    name: "wakes_all",
    says: "room for one wakes all who wait; for all but one the poll is in vain",
};
const WAKES_TOO_FEW: Mistake = Mistake {
    name: "wakes_too_few",
    says: "there is room for two who wait, and only the first of them is woken",
};
const OVERTAKES: Mistake = Mistake {
    name: "overtakes",
    says: "room for who was woken is taken by who comes just now; the other stands in line again",
};
const FIRST_WAKER: Mistake = Mistake {
    name: "first_waker",
    says: "room is told to the waker of the first poll, and another task has polled since; a \
           second poll has to find its place again, and to put its waker there",
};
const STAYS_IN_LINE: Mistake = Mistake {
    name: "stays_in_line",
    says: "a `send` that is dropped is still in the line, and has room that it will never use",
};
const ROOM_IS_LOST: Mistake = Mistake {
    name: "room_is_lost",
    says: "it was woken for its room, and is dropped before it is polled; then nobody wakes the \
           next in line",
};
const SENT_UNSEEN: Mistake = Mistake {
    name: "sent_unseen",
    says: "the value of a `send` that waits is put into the queue, and its `send` may be dropped \
           before it sees that; who has room sends in its own poll",
};
const HANDED_OVER: Mistake = Mistake {
    name: "handed_over",
    says: "the value was given to a `recv` that waited, which was dropped before it was polled",
};
const FIRST_RECEIVER: Mistake = Mistake {
    name: "first_receiver",
    says: "the waker of an old `recv` is kept, and the one that waits now is not woken",
};
const BORROWED: Mistake = Mistake {
    name: "borrowed",
    says: "a waker is called while the channel is borrowed; whose code that is, you do not know",
};
const DROPPED_INSIDE: Mistake = Mistake {
    name: "dropped_inside",
    says: "a waker is dropped while the channel is borrowed, when another takes its place or when \
           its `send` leaves the line; that is code of others, too",
};
const CLONED_INSIDE: Mistake = Mistake {
    name: "cloned_inside",
    says: "a waker is cloned while the channel is borrowed; that is code of others, too",
};
const VALUE_IN_THE_GAP: Mistake = Mistake {
    name: "value_in_the_gap",
    says: "`recv` finds nothing, and lets the channel go before it has left its waker; a value \
           that comes there, while a waker is cloned or dropped, wakes nobody",
};
const ROOM_IN_THE_GAP: Mistake = Mistake {
    name: "room_in_the_gap",
    says: "`send` finds no room, and lets the channel go before it stands in the line; room that \
           is made there, while a waker is cloned or dropped, is told to nobody",
};
const ROOM_TAKEN_TWICE: Mistake = Mistake {
    name: "room_taken_twice",
    says: "`send` finds room, drops a waker, and only then uses that room; it may be taken now, \
           for who drops a waker calls code of others, which may send",
};
const VALUES_INSIDE: Mistake = Mistake {
    name: "values_inside",
    says: "values are dropped while the channel is borrowed, and one of them has a sender",
};
const DROPS_FIRST: Mistake = Mistake {
    name: "drops_first",
    says: "the values are dropped before those are woken who wait; one of them has panicked, and \
           nobody is woken",
};

fn main() -> ExitCode {
    Check::new("20_bounded_channel")
        .case("what is sent is received, in order", in_order)
        .case("there are never more values than there is room for", bound)
        .case("when all senders are gone, and all is received, `recv` is `None`", end)
        .case("when the receiver is gone, `send` gives the value back", closed)
        .case("who waits for room has it in the order of the line, and nobody overtakes", line)
        .case("a `send` that is dropped leaves the line", dropped_in_line)
        .case(
            "a `send` that is dropped when it was woken leaves its room to the next",
            dropped_woken,
        )
        .case("a `recv` that is dropped loses nothing, and the next one is woken", dropped_recv)
        .case("a waker may come back to the channel", comes_back)
        .case("a waker that is dropped or cloned may come back to it, too", last_words)
        .case("what a waker does in the middle of a `recv` is not slept through", amid_recv)
        .case("what a waker does in the middle of a `send` is not overlooked", amid_send)
        .case("a value that is dropped may come back, or panic", values)
        .run()
}

/// 100 ms, so that the steps of a run stand side by side.
async fn a_while() {
    sleep(Duration::from_millis(100)).await;
}

/// A task that sends a value, once.
fn spawn_send(
    name: &str,
    sender: &Sender<&'static str>,
    value: &'static str,
) -> JoinHandle<Result<(), &'static str>> {
    let sender = sender.clone();
    spawn(name, async move { sender.send(value).await })
}

/// One poll of `future`, with the waker of who awaits this.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

// What was received.

/// Values, or the end, and with which records of the trace they came.
type Log = Vec<(Option<&'static str>, usize)>;

/// The last record so far.
fn now() -> usize {
    trace::current().map_or(0, |trace| trace.records().len() - 1)
}

async fn recv_into(log: &mut Log, receiver: &mut Receiver<&'static str>) {
    let value = receiver.recv().await;
    log.push((value, now()));
}

fn expect_values(
    case: &Case,
    log: &Log,
    expected: &[Option<&'static str>],
    mistake: impl Into<Option<Mistake>>,
) {
    let got: Vec<_> = log.iter().map(|(value, _)| *value).collect();
    if got == expected {
        return;
    }
    let wrong = Wrong::new(in_words(expected), in_words(&got)).looks_like(mistake);
    let first = got.iter().zip(expected).position(|(got, expected)| got != expected);
    let first = first.unwrap_or(got.len().min(expected.len()).saturating_sub(1));
    case.is_wrong(match log.get(first) {
        Some((value, record)) => wrong.at(*record, format!("receives {}", in_words(&[*value]))),
        None => wrong,
    });
}

/// `"a" "b" None`
fn in_words(values: &[Option<&str>]) -> String {
    let word = |value: &Option<&str>| value.map_or("None".to_string(), |it| format!("{it:?}"));
    values.iter().map(word).collect::<Vec<_>>().join(" ")
}

// The cases.

fn in_order(case: &Case) {
    case.if_it_stalls(SENDS_IN_SILENCE);
    case.if_it_never_ends(SPINS);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(2);
        // It keeps the sender: what comes when that is gone is another case.
        let _task = spawn("sender", async move {
            a_while().await;
            let _sent = sender.send("a").await;
            let _sent = sender.send("b").await;
            a_while().await;
            let _sent = sender.send("c").await;
            sender
        });
        let mut log = Log::new();
        for _ in 0..3 {
            recv_into(&mut log, &mut receiver).await;
        }
        log
    });
    expect_values(case, &log, &[Some("a"), Some("b"), Some("c")], None);
}

fn bound(case: &Case) {
    case.if_it_stalls(ROOM_IN_SILENCE);
    case.if_it_never_ends(SPINS);
    let (log, lengths) = case.block_on(async {
        let (sender, mut receiver) = channel(2);
        let keep = sender.clone();
        spawn("oven", async move {
            for loaf in ["1", "2", "3", "4", "5"] {
                let _sent = sender.send(loaf).await;
            }
        });
        let mut log = Log::new();
        let mut lengths = Vec::new();
        for _ in 0..5 {
            recv_into(&mut log, &mut receiver).await;
            a_while().await;
            lengths.push((receiver.len(), now()));
        }
        drop(keep);
        (log, lengths)
    });
    if let Some((length, record)) = lengths.iter().find(|(length, _)| *length > 2) {
        let mistake = if *length > 3 { NO_BOUND } else { ONE_TOO_MANY };
        let wrong = Wrong::new("2 values at most", length).looks_like(mistake);
        case.is_wrong(wrong.at(*record, format!("{length} values are in the queue")));
    }
    expect_values(case, &log, &["1", "2", "3", "4", "5"].map(Some), None);
    for ((length, record), expected) in lengths.into_iter().zip([2, 2, 2, 1, 0]) {
        if length != expected {
            let wrong = Wrong::new(format!("a queue of {expected}"), format!("one of {length}"));
            case.is_wrong(wrong.at(record, "there is room, and a sender waits"));
        }
    }
}

fn end(case: &Case) {
    // The last sender is gone before the first value is received.
    case.if_it_stalls(ENDS_IN_SILENCE);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(2);
        spawn("sender", async move {
            let _sent = sender.send("a").await;
            let _sent = sender.send("b").await;
        });
        a_while().await;
        let mut log = Log::new();
        for _ in 0..4 {
            recv_into(&mut log, &mut receiver).await;
        }
        log
    });
    expect_values(case, &log, &[Some("a"), Some("b"), None, None], NONE_TOO_EARLY);

    // It is gone while the receiver waits. One of two was gone before.
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(2);
        drop(sender.clone());
        spawn("sender", async move {
            a_while().await;
            let _sent = sender.send("a").await;
            a_while().await;
            drop(sender);
        });
        let mut log = Log::new();
        for _ in 0..2 {
            recv_into(&mut log, &mut receiver).await;
        }
        log
    });
    expect_values(case, &log, &[Some("a"), None], CLONES_NOT_COUNTED);
}

fn closed(case: &Case) {
    case.if_it_stalls(CLOSED_IN_SILENCE);
    let (sent, record) = case.block_on(async {
        let (sender, receiver) = channel(1);
        drop(receiver);
        (spawn_send("sender", &sender, "a").await.unwrap(), now())
    });
    let expect_error = |(sent, record): (Result<(), &str>, usize), value| {
        if sent != Err(value) {
            let wrong = Wrong::new(format!("Err({value:?})"), format!("{sent:?}"));
            case.is_wrong(wrong.at(record, "it is sent to nobody").looks_like(SENDS_TO_NOBODY));
        }
    };
    expect_error((sent, record), "a");

    let waiting = case.block_on(async {
        let (sender, receiver) = channel(1);
        let _sent = sender.send("0").await;
        let tasks =
            [("first", "a"), ("second", "b")].map(|(name, value)| spawn_send(name, &sender, value));
        a_while().await;
        trace::mark("the receiver is dropped");
        drop(receiver);
        let mut sent = Vec::new();
        for task in tasks {
            sent.push((task.await.unwrap(), now()));
        }
        sent
    });
    for (sent, value) in waiting.into_iter().zip(["a", "b"]) {
        expect_error(sent, value);
    }
}

fn line(case: &Case) {
    case.if_it_stalls(ROOM_IN_SILENCE);
    case.if_it_never_ends(SPINS);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(1);
        let _sent = sender.send("0").await;
        for (name, value) in [("first", "a"), ("second", "b"), ("third", "c")] {
            spawn_send(name, &sender, value);
        }
        let mut log = Log::new();
        for _ in 0..4 {
            a_while().await;
            recv_into(&mut log, &mut receiver).await;
        }
        log
    });
    let is_last_first = log[1].0 == Some("c");
    let mistake = is_last_first.then_some(LAST_COME_FIRST);
    expect_values(case, &log, &["0", "a", "b", "c"].map(Some), mistake);
    for name in ["first", "second", "third"] {
        let polls = case.polls_of(name);
        if let Some(third) = polls.get(2) {
            let wrong = Wrong::new(format!("2 polls of {name}"), polls.len()).looks_like(WAKES_ALL);
            case.is_wrong(wrong.at(third.began, "a poll in vain came before this"));
        }
    }

    // Room for two comes before the first is polled.
    let (length, room) = case.block_on(async {
        let (sender, mut receiver) = channel(2);
        for value in ["0", "1"] {
            let _sent = sender.send(value).await;
        }
        for (name, value) in [("first", "a"), ("second", "b")] {
            spawn_send(name, &sender, value);
        }
        a_while().await;
        for _ in 0..2 {
            let _received = receiver.recv().await;
        }
        let room = now();
        a_while().await;
        (receiver.len(), room)
    });
    if length != 2 {
        let wrong = Wrong::new("a queue of 2", format!("one of {length}"));
        let wrong = wrong.at(room, "second is not woken for its room");
        case.is_wrong(wrong.looks_like(WAKES_TOO_FEW));
    }

    // Who comes when there is room, but not for it.
    case.if_it_stalls(FIRST_WAKER);
    let (log, overtook) = case.block_on(async {
        let (sender, mut receiver) = channel(1);
        let _sent = sender.send("0").await;
        for (name, value) in [("first", "a"), ("second", "b")] {
            spawn_send(name, &sender, value);
        }
        a_while().await;
        let mut log = Log::new();
        recv_into(&mut log, &mut receiver).await;
        // `first` is woken, and not polled yet.
        let mut late = Box::pin(async move { sender.send("late").await });
        let overtook = poll_once(late.as_mut()).await.is_ready().then(now);
        spawn("late", async move {
            if overtook.is_none() {
                let _sent = late.await;
            }
        });
        for _ in 0..3 {
            a_while().await;
            recv_into(&mut log, &mut receiver).await;
        }
        (log, overtook)
    });
    if let Some(record) = overtook {
        let wrong = Wrong::new("late behind first and second", "late before them");
        let wrong = wrong.looks_like(OVERTAKES);
        case.is_wrong(wrong.at(record, "late sends, and first was woken for that room"));
    }
    expect_values(case, &log, &["0", "a", "b", "late"].map(Some), None);
}

fn dropped_in_line(case: &Case) {
    case.if_it_stalls(STAYS_IN_LINE);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(1);
        let _sent = sender.send("0").await;
        let first = spawn_send("first", &sender, "a");
        spawn_send("second", &sender, "b");
        a_while().await;
        trace::mark("first is aborted");
        first.abort();
        a_while().await;
        let mut log = Log::new();
        for _ in 0..2 {
            recv_into(&mut log, &mut receiver).await;
        }
        log
    });
    expect_values(case, &log, &["0", "b"].map(Some), STAYS_IN_LINE);
}

fn dropped_woken(case: &Case) {
    case.if_it_stalls(ROOM_IS_LOST);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(1);
        let _sent = sender.send("0").await;
        let first = spawn_send("first", &sender, "a");
        spawn_send("second", &sender, "b");
        a_while().await;
        let mut log = Log::new();
        recv_into(&mut log, &mut receiver).await;
        // It is woken, for there is room, and will be dropped in its next turn.
        trace::mark("first is aborted");
        first.abort();
        recv_into(&mut log, &mut receiver).await;
        log
    });
    let is_sent = log.iter().any(|(value, _)| *value == Some("a"));
    let mistake = if is_sent { SENT_UNSEEN } else { ROOM_IS_LOST };
    expect_values(case, &log, &["0", "b"].map(Some), mistake);
}

fn dropped_recv(case: &Case) {
    case.if_it_stalls(HANDED_OVER);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(1);
        {
            let mut recv = pin!(receiver.recv());
            let _waits = poll_once(recv.as_mut()).await;
            let _sent = sender.send("a").await;
            // It has not been polled since.
            trace::mark("a recv is dropped");
        }
        let mut log = Log::new();
        recv_into(&mut log, &mut receiver).await;
        log
    });
    expect_values(case, &log, &[Some("a")], HANDED_OVER);

    case.if_it_stalls(FIRST_RECEIVER);
    let log = case.block_on(async {
        let (sender, mut receiver) = channel(1);
        let _waits = poll_once(pin!(receiver.recv())).await;
        let other = spawn("other", async move {
            let mut log = Log::new();
            recv_into(&mut log, &mut receiver).await;
            log
        });
        yield_now().await;
        let _sent = sender.send("a").await;
        other.await.unwrap()
    });
    expect_values(case, &log, &[Some("a")], None);
}

thread_local! {
    /// What is cloned, and dropped, by a [`ComesBack`] and by [`LastWords`].
    static SENDER: RefCell<Option<Sender<&'static str>>> = const { RefCell::new(None) };
    /// What a [`ComesBack`] asks.
    static RECEIVER: RefCell<Option<Receiver<&'static str>>> = const { RefCell::new(None) };
}

/// A waker that uses the channel.
struct ComesBack;

impl Wake for ComesBack {
    fn wake(self: Arc<Self>) {
        SENDER.with_borrow(|sender| drop(sender.clone()));
        RECEIVER.with_borrow(|receiver| receiver.as_ref().map(Receiver::len));
    }
}

fn comes_back(case: &Case) {
    case.if_it_panics(BORROWED);
    case.block_on(async {
        let (sender, mut receiver) = channel(1);
        SENDER.set(Some(sender.clone()));
        let waker = Waker::from(Arc::new(ComesBack));
        let mut cx = Context::from_waker(&waker);
        {
            let mut recv = pin!(receiver.recv());
            let _waits = recv.as_mut().poll(&mut cx);
            // The first fills the channel, and wakes the receiver.
            let _sent = sender.send("0").await;
        }
        {
            let mut send = pin!(sender.send("a"));
            let _waits = send.as_mut().poll(&mut cx);
            let _received = receiver.recv().await;
        }
        // Who leaves the line wakes the next.
        let _sent = sender.send("0").await;
        let mut sends = ["a", "b"].map(|value| Box::pin(sender.send(value)));
        for send in &mut sends {
            let _waits = send.as_mut().poll(&mut cx);
        }
        let _received = receiver.recv().await;
        let [first, mut second] = sends;
        drop(first);
        // And each end, when it is dropped, wakes who waits for it.
        let _sent = second.as_mut().poll(&mut cx);
        let mut third = Box::pin(sender.send("c"));
        let _waits = third.as_mut().poll(&mut cx);
        drop(receiver);
        SENDER.take();

        let (sender, mut receiver) = channel(1);
        let _waits = pin!(receiver.recv()).poll(&mut cx);
        RECEIVER.set(Some(receiver));
        drop(sender);
        RECEIVER.take();
    });
}

/// A waker that uses the channel when it is dropped.
struct LastWords;

impl Wake for LastWords {
    fn wake(self: Arc<Self>) {}
}

impl Drop for LastWords {
    fn drop(&mut self) {
        // After a panic it does nothing: the first one is what is to be told.
        if !thread::panicking() {
            SENDER.with_borrow(|sender| drop(sender.clone()));
        }
    }
}

/// Polls with a [`LastWords`], which the future has alone.
fn poll_with_last_words<F: Future>(future: Pin<&mut F>) {
    let waker = Waker::from(Arc::new(LastWords));
    let _waits = future.poll(&mut Context::from_waker(&waker));
}

fn last_words(case: &Case) {
    case.if_it_panics(DROPPED_INSIDE);
    case.block_on(async {
        let (sender, mut receiver) = channel(1);
        SENDER.set(Some(sender.clone()));
        {
            let mut recv = pin!(receiver.recv());
            poll_with_last_words(recv.as_mut());
            let _waits = poll_once(recv).await;
        }
        let _sent = sender.send("0").await;
        {
            let mut send = pin!(sender.send("a"));
            poll_with_last_words(send.as_mut());
            let _waits = poll_once(send).await;
        }
        let mut leaves = Box::pin(sender.send("b"));
        poll_with_last_words(leaves.as_mut());
        drop(leaves);
        SENDER.take();
    });

    case.if_it_panics(CLONED_INSIDE);
    case.block_on(async {
        let (sender, mut receiver) = channel(1);
        let ask = || {
            let sender = sender.clone();
            move || drop(sender.clone())
        };
        let _waits = interrupted(Call::Clone, ask(), poll_once(pin!(receiver.recv()))).await;
        let _sent = sender.send("0").await;
        let _waits = interrupted(Call::Clone, ask(), poll_once(pin!(sender.send("a")))).await;
    });
}

/// Sends, if there is room. `when`: while its waker is cloned, or dropped.
fn try_send(sender: &Sender<&'static str>, value: &'static str, when: &str) {
    trace::mark(&format!("a waker is {when}, and sends {value:?}"));
    let _sent = pin!(sender.send(value)).poll(&mut Context::from_waker(Waker::noop()));
}

/// Receives, if there is a value.
fn try_recv(receiver: &RefCell<Receiver<&'static str>>, when: &str) {
    trace::mark(&format!("a waker is {when}, and receives"));
    let mut receiver = receiver.borrow_mut();
    let _received = pin!(receiver.recv()).poll(&mut Context::from_waker(Waker::noop()));
}

/// On one thread nothing comes between two lines of the answer, but the code of others that it
/// calls.
fn amid_recv(case: &Case) {
    case.if_it_stalls(VALUE_IN_THE_GAP);
    for when in ["cloned", "dropped"] {
        let log = case.block_on(async {
            let (sender, mut receiver) = channel(2);
            let own = sender.clone();
            let sends = move || try_send(&own, "a", when);
            let mut log = Log::new();
            let recv = recv_into(&mut log, &mut receiver);
            match when {
                "cloned" => interrupted(Call::Clone, sends, recv).await,
                _ => replaced(sends, recv).await,
            }
            drop(sender);
            log
        });
        expect_values(case, &log, &[Some("a")], None);
    }
}

fn amid_send(case: &Case) {
    case.if_it_stalls(ROOM_IN_THE_GAP);
    for when in ["cloned", "dropped"] {
        case.block_on(async {
            let (sender, receiver) = channel(1);
            let _sent = sender.send("0").await;
            let receiver = Rc::new(RefCell::new(receiver));
            let other = receiver.clone();
            let receives = move || try_recv(&other, when);
            let send = sender.send("a");
            let _sent = match when {
                "cloned" => interrupted(Call::Clone, receives, send).await,
                _ => replaced(receives, send).await,
            };
        });
    }

    case.if_it_panics(ROOM_TAKEN_TWICE);
    let (length, record) = case.block_on(async {
        let (sender, receiver) = channel(1);
        let own = sender.clone();
        let send = pin!(sender.send("a"));
        let sends = move || try_send(&own, "b", "dropped");
        let _sent = interrupted(Call::Drop, sends, poll_once(send)).await;
        (receiver.len(), now())
    });
    if length > 1 {
        let wrong = Wrong::new("1 value at most", length).looks_like(ROOM_TAKEN_TWICE);
        case.is_wrong(wrong.at(record, format!("{length} values are in the queue")));
    }
}

/// A value with a sender in it, for an answer.
struct Letter(#[allow(dead_code, reason = "it is only dropped")] Sender<Letter>);

thread_local! {
    /// Whether the next [`Fragile`] that is dropped panics.
    static BREAKS: Cell<bool> = const { Cell::new(false) };
}

/// A value that may panic when it is dropped.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        if BREAKS.take() {
            panic_of_others();
        }
    }
}

fn values(case: &Case) {
    case.if_it_panics(VALUES_INSIDE);
    case.block_on(async {
        let (sender, receiver) = channel(1);
        let _sent = sender.send(Letter(sender.clone())).await;
        drop(receiver);
    });

    case.if_it_panics(None);
    case.if_it_stalls(DROPS_FIRST);
    case.block_on(async {
        let (sender, receiver) = channel(1);
        let _sent = sender.send(Fragile).await;
        let waits = spawn("waits", async move { sender.send(Fragile).await.is_err() });
        a_while().await;
        trace::mark("the receiver is dropped, and its value panics");
        BREAKS.set(true);
        stop_panic_of_others(|| drop(receiver));
        BREAKS.set(false);
        let _closed = waits.await;
    });
}
