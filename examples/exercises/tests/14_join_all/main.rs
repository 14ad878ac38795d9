//! Exercise 14: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_14");

use answer::{Child, join_all};
use handspun::task::yield_now;
use handspun::time::{Duration, sleep};
use handspun::trace::mark;
use handspun_exercises::{Call, Case, Check, Mistake, Wrong, hostile_waker, spawn};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

const EMPTY_WAITS: Mistake = Mistake {
    name: "empty_waits",
    says: "whether all are done is asked only when one gets done; of no children none ever does",
};
const WAITS_TO_BEGIN: Mistake = Mistake {
    name: "waits_to_begin",
    says: "who was never polled has given its waker to nobody; to begin, each must be polled once",
};
const TASK_NOT_WOKEN: Mistake = Mistake {
    name: "task_not_woken",
    says: "a child was woken, and the task that polls the whole was not",
};
const ASKS_AGAIN: Mistake = Mistake {
    name: "asks_again",
    says: "the whole wakes its own task as long as it is pending; only a child's wake should do so",
};
const WAITS_IN_POLL: Mistake = Mistake {
    name: "waits_in_poll",
    says: "`poll` goes round until all are done; what they wait for comes when it has returned",
};
const ORDER_OF_ENDS: Mistake = Mistake {
    name: "order_of_ends",
    says: "outputs are in the order in which the children got done; each has a place of its own",
};
const ONE_BY_ONE: Mistake = Mistake {
    name: "one_by_one",
    says: "a child begins when the one before it is done; all have to begin in the first poll",
};
const QUADRATIC: Mistake = Mistake {
    name: "quadratic",
    says: "a wake for one polls all that are not done; each needs a waker that says which one",
};
const POLL_PER_WAKE: Mistake = Mistake {
    name: "poll_per_wake",
    says: "each wake is a place in the queue; who is in it needs no second one",
};
const NO_TURNS: Mistake = Mistake {
    name: "no_turns",
    says: "it goes on until the queue is empty; a child that yields keeps it there, and no other \
           task has a turn",
};
const LOST_WAKE: Mistake = Mistake {
    name: "lost_wake",
    says: "a wake that comes while its child is polled is lost: to the queue, or to the task",
};
const LOCK_HELD: Mistake = Mistake {
    name: "lock_held",
    says: "the queue is locked while a child is polled, and a wake in that poll waits for it",
};
const LOCKED_TWICE: Mistake = Mistake {
    name: "locked_twice",
    says: "who holds the lock asks for it again; a guard that is made in the head of a \
           `while let` lives to the end of its body",
};
const POLLED_AFTER_READY: Mistake = Mistake {
    name: "polled_after_ready",
    says: "a child that is done is polled again, for a wake that came late",
};
const FIRST_WAKER: Mistake = Mistake {
    name: "first_waker",
    says: "the waker of the first poll of the whole is kept; each poll may be another task's",
};
const WAKES_UNDER_LOCK: Mistake = Mistake {
    name: "wakes_under_lock",
    says: "the queue is locked while the task is woken; its waker is somebody else's code, and \
           this one wakes a child, which waits for the lock",
};
const CLONES_UNDER_LOCK: Mistake = Mistake {
    name: "clones_under_lock",
    says: "the queue is locked while the task's waker is cloned, which is somebody else's code; \
           this one wakes a child, which waits for the lock",
};
const DROPS_UNDER_LOCK: Mistake = Mistake {
    name: "drops_under_lock",
    says: "the queue is locked while the last waker of the task is dropped: an assignment drops \
           what was there; this one wakes a child, which waits for the lock",
};
const COUNTS_FIRST: Mistake = Mistake {
    name: "counts_first",
    says: "who comes into the queue when it has been counted, and before the task's waker is left \
           there, has no turn in this poll, and wakes the task of the last one",
};

fn main() -> ExitCode {
    Check::new("14_join_all")
        .case("of no children the whole is ready at once", nobody)
        .case("of children that are ready at once the whole is ready in its first poll", at_once)
        .case("the outputs are in the order of the children, not of their ends", in_order)
        .case("a wake for one child polls that one, and no other", only_woken)
        .case("a child that is woken three times is polled once", three_wakes)
        .case("a child that wakes itself is polled in the next poll of the whole", wakes_itself)
        .case("a wake of a child that is done does nothing", after_ready)
        .case("the whole goes on in another task, and wakes that one", moves)
        .case("the task's waker may wake a child, whatever is done with it", comes_back)
        .case("a thousand that are woken one by one are polled two thousand times", thousand)
        .run()
}

/// Which children were polled in each poll of the whole.
#[derive(Clone, Default)]
struct Turns(Rc<RefCell<Vec<Vec<usize>>>>);

/// What children are called in a drawing.
const NAMES: [&str; 3] = ["a", "b", "c"];

impl Turns {
    /// A child whose polls are counted. It gives its number.
    fn child(&self, number: usize, body: impl Future<Output = ()> + 'static) -> Child<usize> {
        let turns = self.0.clone();
        let mut body = Some(Box::pin(body));
        Box::pin(poll_fn(move |cx| {
            if let Some(turn) = turns.borrow_mut().last_mut() {
                turn.push(number);
            }
            let Some(running) = &mut body else {
                return Poll::Pending; // It is told by the case that this has happened.
            };
            if running.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            body = None;
            Poll::Ready(number)
        }))
    }

    /// The whole. In the drawing each of its polls says whom it has polled.
    async fn follow(self, all: impl Future<Output = Vec<usize>>) -> Vec<usize> {
        let mut all = pin!(all);
        poll_fn(|cx| {
            self.0.borrow_mut().push(Vec::new());
            let poll = all.as_mut().poll(cx);
            self.mark_turn();
            poll
        })
        .await
    }

    fn mark_turn(&self) {
        let turns = self.0.borrow();
        let turn = turns.last().expect("it has just begun");
        let is_named = turn.iter().all(|&number| number < NAMES.len());
        if is_named && (turns.len() == 1 || !turn.is_empty()) {
            mark(&format!("polls {}", in_words(turn)));
        }
    }

    /// In the polls of the whole by this task these were polled, in each in any order. (Whether it
    /// was also polled for nobody is another question.) The mistakes: of more polls than these, and
    /// of fewer.
    fn expect(
        &self,
        case: &Case,
        task: &str,
        expected: &[&[usize]],
        [more, fewer]: [Option<Mistake>; 2],
    ) {
        let turns = self.0.borrow();
        let polls = (0..).zip(turns.iter()).filter(|(_, turn)| !turn.is_empty());
        let (places, got): (Vec<usize>, Vec<&[usize]>) =
            polls.map(|(nth, turn)| (nth, turn.as_slice())).unzip();
        let sorted = |turn: &&[usize]| {
            let mut turn = turn.to_vec();
            turn.sort_unstable();
            turn
        };
        let longest = got.len().max(expected.len());
        let is_wrong = |&nth: &usize| got.get(nth).map(sorted) != expected.get(nth).map(sorted);
        let Some(first) = (0..longest).find(is_wrong) else {
            return;
        };
        let list = |turns: &[&[usize]]| match turns {
            [] => in_words(&[]),
            _ => turns.iter().map(|turn| in_words(turn)).collect::<Vec<_>>().join(", "),
        };
        let wrong = Wrong::new(format!("the polls {}", list(expected)), list(&got));
        let [of_got, of_expected] = [&got[..], expected].map(|turns| turns.get(first).copied());
        let (of_got, of_expected) = (of_got.unwrap_or_default(), of_expected.unwrap_or_default());
        let too_many = without(of_got, of_expected);
        let (what, mistake) = match too_many[..] {
            [] => (format!("missing: {}", in_words(&without(of_expected, of_got))), fewer),
            _ => (format!("too many: {}", in_words(&too_many)), more),
        };
        let polls = case.polls_of(task);
        let place = places.get(first).or(places.last()).map_or(0, |&nth| nth);
        let place = polls.get(place);
        let at = place.map_or(0, |poll| poll.began);
        case.is_wrong(wrong.at(at, what).looks_like(mistake));
    }
}

/// What is left of these when those are taken away.
fn without(these: &[usize], those: &[usize]) -> Vec<usize> {
    let mut left = these.to_vec();
    for number in those {
        if let Some(at) = left.iter().position(|other| other == number) {
            left.remove(at);
        }
    }
    left
}

/// "abc"
fn in_words(turn: &[usize]) -> String {
    match turn {
        [] => "nobody".to_string(),
        _ => turn.iter().map(|&number| NAMES.get(number).unwrap_or(&"?")).copied().collect(),
    }
}

fn expect_outputs(case: &Case, got: &[usize], expected: &[usize], mistake: Option<Mistake>) {
    if got != expected {
        let wrong = Wrong::new(format!("the outputs {expected:?}"), format!("{got:?}"));
        let last = case.polls().pop().map_or(0, |poll| poll.began);
        case.is_wrong(wrong.at(last, "ready, with these").looks_like(mistake));
    }
}

async fn after(milliseconds: u64) {
    sleep(Duration::from_millis(milliseconds)).await;
}

async fn yields(times: usize) {
    for _ in 0..times {
        yield_now().await;
    }
}

/// Where a child leaves its waker.
type Bell = Rc<RefCell<Option<Waker>>>;

/// Waits for the second poll.
async fn rung(bell: Bell) {
    let mut is_first = true;
    poll_fn(|cx| {
        *bell.borrow_mut() = Some(cx.waker().clone());
        if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await
}

fn ring(bell: &Bell, times: usize) {
    let waker = bell.borrow().clone().expect("a child has been polled, and left it");
    (0..times).for_each(|_| waker.wake_by_ref());
}

fn nobody(case: &Case) {
    case.if_it_stalls(EMPTY_WAITS);
    let outputs = case.block_on(join_all(Vec::<Child<usize>>::new()));
    expect_outputs(case, &outputs, &[], None);
}

fn at_once(case: &Case) {
    case.if_it_stalls(WAITS_TO_BEGIN);
    case.if_it_hangs(LOCKED_TWICE); // No child wakes anybody here, so it is not `LOCK_HELD`.
    let turns = Turns::default();
    let children = (0..3).map(|number| turns.child(number, async {})).collect();
    let outputs = case.block_on(turns.clone().follow(join_all(children)));
    turns.expect(case, "root", &[&[0, 1, 2]], [None, None]);
    expect_outputs(case, &outputs, &[0, 1, 2], Some(ORDER_OF_ENDS));
    case.expect_polls("root", 1, &[]);
}

/// Three that end in the order b, c, a.
fn three(case: &Case) -> (Turns, Vec<usize>) {
    case.if_it_stalls(TASK_NOT_WOKEN);
    case.if_it_never_ends(ASKS_AGAIN);
    case.if_it_hangs(WAITS_IN_POLL);
    let turns = Turns::default();
    let children = [
        turns.child(0, after(30)),
        turns.child(1, after(10)),
        turns.child(2, after(20)),
    ];
    let outputs = case.block_on(turns.clone().follow(join_all(children.into())));
    (turns, outputs)
}

fn in_order(case: &Case) {
    let (_, outputs) = three(case);
    expect_outputs(case, &outputs, &[0, 1, 2], Some(ORDER_OF_ENDS));
}

fn only_woken(case: &Case) {
    let (turns, _) = three(case);
    let expected: [&[usize]; 4] = [&[0, 1, 2], &[1], &[2], &[0]];
    turns.expect(case, "root", &expected, [Some(QUADRATIC), Some(ONE_BY_ONE)]);
    case.expect_polls("root", 4, &[TASK_NOT_WOKEN, ASKS_AGAIN]);
}

fn three_wakes(case: &Case) {
    case.if_it_stalls(TASK_NOT_WOKEN);
    let turns = Turns::default();
    let (first, second) = (Bell::default(), Bell::default());
    let children = vec![
        turns.child(0, {
            let first = first.clone();
            async move {
                rung(first.clone()).await;
                rung(first).await;
            }
        }),
        turns.child(1, rung(second.clone())),
    ];
    let all = turns.clone().follow(join_all(children));
    case.block_on(async {
        let ringer = spawn("ringer", async move {
            mark("ringer wakes a three times, and b");
            ring(&first, 3);
            ring(&second, 1);
            after(10).await;
            ring(&first, 1);
        });
        all.await;
        ringer.await.unwrap();
    });
    let expected: [&[usize]; 3] = [&[0, 1], &[0, 1], &[0]];
    turns.expect(case, "root", &expected, [Some(POLL_PER_WAKE), None]);
}

fn wakes_itself(case: &Case) {
    case.if_it_stalls(LOST_WAKE);
    case.if_it_hangs(LOCK_HELD);
    let turns = Turns::default();
    let children = vec![turns.child(0, yields(2)), turns.child(1, yields(1))];
    let all = turns.clone().follow(join_all(children));
    case.block_on(async {
        let neighbour = spawn("neighbour", yields(2));
        all.await;
        neighbour.await.unwrap();
    });
    let expected: [&[usize]; 3] = [&[0, 1], &[0, 1], &[0]];
    turns.expect(case, "root", &expected, [Some(NO_TURNS), Some(LOST_WAKE)]);
}

fn after_ready(case: &Case) {
    case.if_it_panics(POLLED_AFTER_READY);
    case.if_it_stalls(POLLED_AFTER_READY);
    case.if_it_never_ends(POLLED_AFTER_READY);
    let turns = Turns::default();
    let bell = Bell::default();
    let wakes_itself = {
        let bell = bell.clone();
        async move {
            poll_fn(|cx| {
                *bell.borrow_mut() = Some(cx.waker().clone());
                cx.waker().wake_by_ref();
                Poll::Ready(())
            })
            .await;
        }
    };
    let children = vec![turns.child(0, wakes_itself), turns.child(1, after(20))];
    let all = turns.clone().follow(join_all(children));
    case.block_on(async {
        let ringer = spawn("ringer", async move {
            after(10).await;
            mark("ringer wakes a, which is done");
            ring(&bell, 1);
        });
        all.await;
        ringer.await.unwrap();
    });
    let expected: [&[usize]; 2] = [&[0, 1], &[1]];
    turns.expect(case, "root", &expected, [Some(POLLED_AFTER_READY), None]);
}

fn moves(case: &Case) {
    case.if_it_stalls(FIRST_WAKER);
    let turns = Turns::default();
    let children = vec![turns.child(0, after(20)), turns.child(1, after(10))];
    let outputs = case.block_on(async {
        let mut all = Box::pin(turns.clone().follow(join_all(children)));
        // One poll here, with the waker of the root.
        poll_fn(|cx| {
            let _pending = all.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        spawn("other", all).await.unwrap()
    });
    expect_outputs(case, &outputs, &[0, 1], None);
}

/// A waker of a task which, once it is armed, wakes a child when this is done with it, from inside.
struct ComesBack {
    waker: Waker,
    is_armed: Rc<Cell<bool>>,
    wakes: Rc<Cell<usize>>,
}

impl ComesBack {
    fn new(on: Call, child: &Bell) -> ComesBack {
        let (is_armed, wakes) = (Rc::<Cell<bool>>::default(), Rc::<Cell<usize>>::default());
        let waker = hostile_waker({
            let (child, is_armed, wakes) = (child.clone(), is_armed.clone(), wakes.clone());
            move |call| {
                wakes.set(wakes.get() + usize::from(call == Call::Wake));
                if call == on && is_armed.replace(false) {
                    ring(&child, 1);
                }
            }
        });
        ComesBack {
            waker,
            is_armed,
            wakes,
        }
    }
}

fn comes_back(case: &Case) {
    let of_call = [
        (Call::Wake, WAKES_UNDER_LOCK),
        (Call::Clone, CLONES_UNDER_LOCK),
        (Call::Drop, DROPS_UNDER_LOCK),
    ];
    for (call, mistake) in of_call {
        // Who locks a mutex twice on one thread waits for ever, or panics: it is not said which.
        case.if_it_hangs(mistake);
        case.if_it_panics(mistake);
        let hand = case.by_hand();
        let turns = Turns::default();
        let (a, b) = (Bell::default(), Bell::default());
        let children = vec![
            turns.child(0, rung(a.clone())),
            turns.child(1, rung(b.clone())),
        ];
        let mut all = pin!(turns.clone().follow(join_all(children)));
        let mut poll = |by: &Waker| all.as_mut().poll(&mut Context::from_waker(by)).is_ready();

        let (first, second) = (ComesBack::new(call, &b), ComesBack::new(call, &b));
        hand.mark("a first task polls the whole, and so a and b");
        poll(&first.waker);
        match call {
            Call::Wake => {
                hand.mark("a is woken, and so the task; its waker wakes b, before it returns");
                first.is_armed.set(true);
                ring(&a, 1);
            }
            Call::Clone => {
                hand.mark("a second task polls; its waker is cloned, and that wakes b");
                second.is_armed.set(true);
            }
            Call::Drop => {
                hand.mark("a second task polls; the waker of the first is dropped: that wakes b");
                first.is_armed.set(true);
            }
        }
        poll(&second.waker);
        // Who keeps the last waker for a while has not dropped it yet, and nobody was woken.
        let b_is_woken = !first.is_armed.get() && !second.is_armed.get();
        let polled = turns.0.borrow().iter().flatten().filter(|&&number| number == 1).count();
        if b_is_woken && polled < 2 && second.wakes.get() == 0 {
            let wrong = Wrong::new("a poll of b, or a wake of the second task", "neither");
            let mistake = if call == Call::Wake { LOST_WAKE } else { COUNTS_FIRST };
            case.is_wrong(wrong.looks_like(mistake).at(hand.now(), "b waits for ever"));
        }
    }
}

fn thousand(case: &Case) {
    const CHILDREN: usize = 1_000;
    case.if_it_stalls(TASK_NOT_WOKEN);
    let turns = Turns::default();
    let child = |number: usize| turns.child(number, after(1 + number as u64));
    let children = (0..CHILDREN).map(child).collect();
    case.block_on(turns.clone().follow(join_all(children)));
    let polls: usize = turns.0.borrow().iter().map(Vec::len).sum();
    if polls > 2 * CHILDREN {
        let wrong = Wrong::new("at most 2000 polls of children", polls);
        let second = case.polls_of("root").get(1).map_or(0, |poll| poll.began);
        case.is_wrong(wrong.at(second, "one child, and no other").looks_like(QUADRATIC));
    }
}
