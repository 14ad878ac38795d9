//! Exercise 09: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_09");

use answer::{Executor, Handle};
use handspun::task::yield_now;
use handspun_exercises::{Case, Check, Hand, Mistake, Wrong};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Poll, Waker};

const RUNS_IN_HANDLE: Mistake = Mistake {
    name: "runs_in_handle",
    says: "the future is polled by who polls the handle; so it begins when somebody awaits it",
};
const NOBODY_TOLD: Mistake = Mistake {
    name: "nobody_told",
    says: "the output is there, and the waker of who waits for it was not kept, or not called",
};
const ASKS_AGAIN: Mistake = Mistake {
    name: "asks_again",
    says: "who awaits the handle wakes itself, to ask again and again; one poll at the end will do",
};
const WAITS_IN_POLL: Mistake = Mistake {
    name: "waits_in_poll",
    says: "`poll` of the handle waits for the task, which has its turn when `poll` has returned",
};
const WAITS_FOR_THE_PAST: Mistake = Mistake {
    name: "waits_for_the_past",
    says: "`poll` leaves a waker, and has not looked whether the task is over already",
};
const ONLY_IF_AWAITED: Mistake = Mistake {
    name: "only_if_awaited",
    says: "an output for which nobody waits yet is dropped; somebody may ask for it later",
};
const DROPPED_WITH_HANDLE: Mistake = Mistake {
    name: "dropped_with_handle",
    says: "the task ends with its handle; it must go on, and nobody asks for its output",
};
const FIRST_WAKER: Mistake = Mistake {
    name: "first_waker",
    says: "the waker of the handle's first poll is kept; the one of its last poll must be called",
};
const WAKES_ALL: Mistake = Mistake {
    name: "wakes_all",
    says: "somebody is woken who has polled the handle before; only the waker of its last poll is \
           to be called, and no other",
};
const OUTPUT_KEPT: Mistake = Mistake {
    name: "output_kept",
    says: "the output is kept although its handle is gone, and nobody can ask for it any more",
};

fn main() -> ExitCode {
    Check::new("09_handle")
        .case("a task runs, also if nobody awaits its handle", runs)
        .case("a task whose handle is dropped goes on", detached)
        .case("who awaits a handle before the task is over is polled again when it is", before)
        .case("who awaits a handle after the task is over has the output at once", after)
        .case("who has polled the handle last is woken", moved)
        .case("who has polled the handle before, and gave it away, is not woken", given_away)
        .case("an output for which nobody can ask any more is dropped", nobody_asks)
        .run()
}

/// What a task gives. There is no second one like it.
struct Parcel {
    number: u32,
    drops: Rc<Cell<usize>>,
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.drops.set(self.drops.get() + 1);
    }
}

/// What somebody has got, and may pass on.
type Place<T> = Rc<RefCell<Option<T>>>;

const NUMBER: u32 = 7;

/// A task that awaits this, and then gives a parcel.
fn work<P>(hand: &Hand, pause: P, drops: &Rc<Cell<usize>>) -> impl Future<Output = Parcel> + use<P>
where
    P: Future<Output = ()> + 'static,
{
    let drops = drops.clone();
    hand.watch("work", async move {
        pause.await;
        let number = NUMBER;
        Parcel { number, drops }
    })
}

async fn yields(times: usize) {
    for _ in 0..times {
        yield_now().await;
    }
}

/// Waits until the check calls the waker that it has left there.
async fn rung(bell: Place<Waker>) {
    let mut is_first = true;
    poll_fn(|cx| {
        *bell.borrow_mut() = Some(cx.waker().clone());
        if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await
}

/// Spawns a task that awaits this handle, and puts what it gets into the place.
fn spawn_joiner(hand: &Hand, executor: &mut Executor, handle: Handle<Parcel>) -> Place<Parcel> {
    let got = Place::default();
    let put = got.clone();
    executor.spawn(hand.watch("main", async move {
        let parcel = handle.await;
        *put.borrow_mut() = Some(parcel);
    }));
    got
}

/// It is there, with the number that all of them have.
fn expect_got(case: &Case, hand: &Hand, who: &str, got: &Place<Parcel>, mistake: Mistake) {
    match &*got.borrow() {
        Some(parcel) => case.expect_equal("the output", parcel.number, NUMBER, None),
        None => {
            let expected = format!("{who} ready, with the output");
            let wrong = Wrong::new(expected, format!("{who} pending, and nobody wakes it"));
            let what = format!("{who} waits for ever");
            case.is_wrong(wrong.at(hand.now(), what).looks_like(mistake));
        }
    }
}

/// Nobody can ask for the output any more.
fn expect_dropped(case: &Case, hand: &Hand, drops: usize) {
    if drops == 0 {
        let wrong = Wrong::new("the output dropped", "it kept").looks_like(OUTPUT_KEPT);
        case.is_wrong(wrong.at(hand.now(), "nobody can ask for the output"));
    }
}

fn runs(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let handle = executor.spawn(work(&hand, yields(2), &Rc::default()));
    hand.expect_polls(case, "work", 0, &[]);
    executor.run();
    hand.expect_polls(case, "work", 3, &[RUNS_IN_HANDLE]);
    drop(handle);
}

fn detached(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let (bell, drops) = (Place::default(), Rc::default());
    let handle = executor.spawn(work(&hand, rung(bell.clone()), &drops));
    executor.run();
    hand.mark("the handle is dropped");
    drop(handle);
    let waker = bell.take().expect("it has been polled");
    waker.wake();
    executor.run();
    hand.expect_polls(case, "work", 2, &[DROPPED_WITH_HANDLE]);
    expect_dropped(case, &hand, drops.get());
}

fn before(case: &Case) {
    case.if_it_hangs(WAITS_IN_POLL);
    case.if_it_never_ends(ASKS_AGAIN);
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let handle = executor.spawn(work(&hand, yields(3), &Rc::default()));
    let got = spawn_joiner(&hand, &mut executor, handle);
    executor.run();
    expect_got(case, &hand, "main", &got, NOBODY_TOLD);
    hand.expect_polls(case, "main", 2, &[NOBODY_TOLD, ASKS_AGAIN]);
}

fn after(case: &Case) {
    case.if_it_hangs(WAITS_IN_POLL);
    case.if_it_never_ends(ASKS_AGAIN);
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let drops = Rc::default();
    let handle = executor.spawn(work(&hand, yields(1), &drops));
    executor.run();
    let got = spawn_joiner(&hand, &mut executor, handle);
    executor.run();
    let is_gone = got.borrow().is_none() && drops.get() > 0;
    let mistake = if is_gone { ONLY_IF_AWAITED } else { WAITS_FOR_THE_PAST };
    expect_got(case, &hand, "main", &got, mistake);
    hand.expect_polls(case, "main", 1, &[]);
}

/// One poll of the handle, by whoever calls it. Then it is given away.
async fn poll_once(mut handle: Handle<Parcel>, to: Place<Handle<Parcel>>) {
    poll_fn(|cx| {
        let poll = Pin::new(&mut handle).poll(cx);
        assert!(poll.is_pending(), "the handle is ready before the task is over");
        Poll::Ready(())
    })
    .await;
    *to.borrow_mut() = Some(handle);
}

/// Spawns a task that takes the handle from there and awaits it.
fn spawn_heir(
    hand: &Hand,
    executor: &mut Executor,
    handle: &Place<Handle<Parcel>>,
) -> Place<Parcel> {
    let got = Place::default();
    let (put, from) = (got.clone(), handle.clone());
    executor.spawn(hand.watch("heir", async move {
        let handle = from.take().expect("the first one has put it there");
        let parcel = handle.await;
        *put.borrow_mut() = Some(parcel);
    }));
    got
}

fn moved(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let handle = executor.spawn(work(&hand, yields(3), &Rc::default()));
    let passed_on = Place::default();
    executor.spawn(hand.watch("first", poll_once(handle, passed_on.clone())));
    let got = spawn_heir(&hand, &mut executor, &passed_on);
    executor.run();
    expect_got(case, &hand, "heir", &got, FIRST_WAKER);
    hand.expect_polls(case, "heir", 2, &[]);
}

fn given_away(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let handle = executor.spawn(work(&hand, yields(3), &Rc::default()));
    let passed_on = Place::default();
    let (to, bell) = (passed_on.clone(), Place::default());
    let something_else = rung(bell.clone());
    executor.spawn(hand.watch("first", async move {
        poll_once(handle, to).await;
        something_else.await;
    }));
    let got = spawn_heir(&hand, &mut executor, &passed_on);
    executor.run();
    expect_got(case, &hand, "heir", &got, FIRST_WAKER);
    hand.expect_polls(case, "first", 1, &[FIRST_WAKER, WAKES_ALL]);
    drop(bell);
}

fn nobody_asks(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let drops = Rc::default();
    let handle = executor.spawn(work(&hand, yields(1), &drops));
    executor.run();
    hand.mark("the handle is dropped");
    drop(handle);
    expect_dropped(case, &hand, drops.get());
}
