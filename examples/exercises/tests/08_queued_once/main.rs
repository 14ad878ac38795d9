//! Exercise 08: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_08");

use answer::Executor;
use handspun_exercises::{Case, Check, Hand, Mistake, Wrong, with_commas};
use std::process::ExitCode;
use std::task::Poll::{self, Pending, Ready};
use std::thread;

const FORGETS_WAKES: Mistake = Mistake {
    name: "forgets_wakes",
    says: "a wake that comes when nobody is polled does not put the task into the queue: \
           perhaps its flag is still up",
};
const POLL_PER_WAKE: Mistake = Mistake {
    name: "poll_per_wake",
    says: "each wake is a place in the queue; who is in it needs no second one",
};
const QUEUE_GROWS: Mistake = Mistake {
    name: "queue_grows",
    says: "the flag is looked at when a task is popped; then it has been pushed too often already",
};
const FLAG_DOWN_LATE: Mistake = Mistake {
    name: "flag_down_late",
    says: "the flag comes down after the poll; a wake during the poll finds it up, and is lost",
};
const ONE_TURN: Mistake = Mistake {
    name: "one_turn",
    says: "`run` polls as many as were in the queue when it began; who was woken meanwhile is \
           still in it when it returns",
};
const POLLED_AFTER_READY: Mistake = Mistake {
    name: "polled_after_ready",
    says: "who is over stays in its slot, and a wake that is left polls it once more",
};
const WAKES_A_STRANGER: Mistake = Mistake {
    name: "wakes_a_stranger",
    says: "a waker knows a slot, and not which task it was made for: the slot has a new tenant",
};
const STOPS_AT_THE_PAST: Mistake = Mistake {
    name: "stops_at_the_past",
    says: "an entry of a task that is over ends `run`, and whoever stands behind it waits",
};
const LOCK_HELD: Mistake = Mistake {
    name: "lock_held",
    says: "the lock of the queue is held during the poll, and a wake in the poll waits for it",
};
const LAST_IN_FIRST_OUT: Mistake = Mistake {
    name: "last_in_first_out",
    says: "who is woken goes to the front; then who yields yields to nobody",
};

fn main() -> ExitCode {
    Check::new("08_queued_once")
        .case("a task is polled once, and once more after a wake", woken)
        .case("after three wakes the task is polled once", three_wakes)
        .case("a task that wakes itself in its poll is polled exactly once more", wakes_itself)
        .case("who yields goes to the end of the queue", take_turns)
        .case("after a million wakes of one task the queue has length one", million)
        .case("a wake of a task that is over does nothing", after_ready)
        .case("a wake of a task that is over does not poll who has its slot now", stranger)
        .case("a wake in the last poll does not poll who has the slot now", last_poll)
        .case("who stands behind a task that is over has its turn", behind_the_past)
        .case("a wake from another thread counts", other_thread)
        .run()
}

/// A task that is pending for ever, whoever wakes it.
fn spawn_idle(hand: &Hand, executor: &mut Executor, name: &'static str) {
    executor.spawn(hand.task(name, |_| Pending));
}

/// Runs until the queue is empty.
fn run(case: &Case, hand: &Hand, executor: &mut Executor) {
    executor.run();
    let left = executor.queued();
    if left > 0 {
        let wrong =
            Wrong::new("an empty queue when `run` returns", format!("one of length {left}"));
        case.is_wrong(wrong.at(hand.now(), "run returns").looks_like(ONE_TURN));
    }
}

fn woken(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    spawn_idle(&hand, &mut executor, "a");
    run(case, &hand, &mut executor);
    hand.expect_polls(case, "a", 1, &[]);
    hand.wake("a");
    run(case, &hand, &mut executor);
    hand.expect_polls(case, "a", 2, &[FORGETS_WAKES]);
}

fn three_wakes(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    spawn_idle(&hand, &mut executor, "a");
    run(case, &hand, &mut executor);
    for _ in 0..3 {
        hand.wake("a");
    }
    run(case, &hand, &mut executor);
    hand.expect_polls(case, "a", 2, &[FORGETS_WAKES, POLL_PER_WAKE]);
}

/// Pending, and it has woken itself, `times` times over; then ready.
fn yields(hand: &Hand, name: &'static str, times: usize) -> impl FnMut(usize) -> Poll<()> + use<> {
    let hand = hand.clone();
    move |poll| {
        if poll > times {
            return Ready(());
        }
        hand.wake(name);
        Pending
    }
}

fn wakes_itself(case: &Case) {
    case.if_it_hangs(LOCK_HELD);
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let own = hand.clone();
    executor.spawn(hand.task("a", move |poll| {
        if poll == 1 {
            own.wake("a");
            own.wake("a");
        }
        Pending
    }));
    run(case, &hand, &mut executor);
    hand.expect_polls(case, "a", 2, &[FLAG_DOWN_LATE, POLL_PER_WAKE]);
}

fn take_turns(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    for name in ["a", "b", "c"] {
        let body = yields(&hand, name, 2);
        executor.spawn(hand.task(name, body));
    }
    run(case, &hand, &mut executor);
    // Whoever goes to the front has all polls, in another order.
    let has_all = ["a", "b", "c"].iter().all(|name| hand.polls(name) == 3);
    let turns = ["a", "b", "c", "a", "b", "c", "a", "b", "c"];
    hand.expect_order(case, &turns, has_all.then_some(LAST_IN_FIRST_OUT));
}

fn million(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    spawn_idle(&hand, &mut executor, "a");
    run(case, &hand, &mut executor);
    hand.wake_many("a", 1_000_000);
    if executor.queued() != 1 {
        let length = with_commas(executor.queued());
        let wrong = Wrong::new("length 1", length).looks_like(QUEUE_GROWS);
        case.is_wrong(wrong.at(hand.now(), "the queue is too long"));
    }
    run(case, &hand, &mut executor);
    hand.expect_polls(case, "a", 2, &[FORGETS_WAKES, POLL_PER_WAKE]);
}

fn after_ready(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let body = yields(&hand, "a", 1);
    executor.spawn(hand.task("a", body));
    run(case, &hand, &mut executor);
    hand.wake("a");
    run(case, &hand, &mut executor);
    hand.expect_no_poll_after_ready(case, POLLED_AFTER_READY);
}

fn stranger(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    executor.spawn(hand.task("old", |_| Ready(())));
    run(case, &hand, &mut executor);
    spawn_idle(&hand, &mut executor, "new");
    run(case, &hand, &mut executor);
    hand.wake("old");
    run(case, &hand, &mut executor);
    hand.expect_no_unasked_poll(case, WAKES_A_STRANGER);
}

fn last_poll(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let own = hand.clone();
    executor.spawn(hand.task("old", move |_| {
        own.wake("old");
        Ready(())
    }));
    run(case, &hand, &mut executor);
    hand.expect_no_poll_after_ready(case, POLLED_AFTER_READY);
    spawn_idle(&hand, &mut executor, "new");
    run(case, &hand, &mut executor);
    hand.wake("old");
    run(case, &hand, &mut executor);
    hand.expect_no_unasked_poll(case, WAKES_A_STRANGER);
}

fn behind_the_past(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    let own = hand.clone();
    executor.spawn(hand.task("old", move |_| {
        own.wake("old");
        Ready(())
    }));
    let body = yields(&hand, "other", 1);
    executor.spawn(hand.task("other", body));
    executor.run();
    hand.expect_polls(case, "other", 2, &[STOPS_AT_THE_PAST]);
}

fn other_thread(case: &Case) {
    let hand = case.by_hand();
    let mut executor = Executor::default();
    spawn_idle(&hand, &mut executor, "a");
    run(case, &hand, &mut executor);
    let waker = hand.waker("a");
    hand.woken("a");
    thread::spawn(move || waker.wake()).join().expect("`wake` does not panic");
    run(case, &hand, &mut executor);
    hand.expect_polls(case, "a", 2, &[FORGETS_WAKES, POLL_PER_WAKE]);
}
