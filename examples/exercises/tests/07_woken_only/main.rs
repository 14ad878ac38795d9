//! Exercise 07: the check.
//!
//! The parker is one of the check, and does not sleep: when the answer parks, the next thing
//! happens that these tasks wait for. So nothing takes any time, and a sleep that nobody would end
//! is seen at once. In one case there is a thread, which is made to be slow where it hurts.

handspun_exercises::answer!("HANDSPUN_ANSWER_07");

use answer::{Parker, Task, run};
use handspun_exercises::{Case, Check, Hand, Mistake, Wrong};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll::{self, Pending, Ready};
use std::task::Waker;
use std::thread::{self, ThreadId};
use std::time::Duration;

const SLEEPS_AT_THE_END: Mistake = Mistake {
    name: "sleeps_at_the_end",
    says: "it sleeps when the queue is empty, also when all tasks are over, and nobody is left who \
           could be woken",
};
const LOCK_HELD: Mistake = Mistake {
    name: "lock_held",
    says: "the lock of the queue is held during a poll, or a sleep, and a wake waits for it",
};
const NUMBERS_SHIFT: Mistake = Mistake {
    name: "numbers_shift",
    says: "who is over is removed from the list, and whoever stood behind has another number then",
};
const ROUNDS: Mistake = Mistake {
    name: "rounds",
    says: "it goes round and round, and polls who waits and was not woken",
};
const ENDS_EARLY: Mistake = Mistake {
    name: "ends_early",
    says: "the queue is empty, and it returns; but there is a task that is not over",
};
const SPINS: Mistake = Mistake {
    name: "spins",
    says: "it looks into the empty queue again and again, and does not park",
};
const FORGETS_TO_UNPARK: Mistake = Mistake {
    name: "forgets_to_unpark",
    says: "a wake puts the task into the queue, and the thread, which sleeps, does not look there",
};
const ONE_PER_UNPARK: Mistake = Mistake {
    name: "one_per_unpark",
    says: "it sleeps after each poll; but many wakes may be one unpark, so it must go on until the \
           queue is empty",
};
const POLLS_ALL: Mistake = Mistake {
    name: "polls_all",
    says: "all tasks have the same waker, which cannot tell who was woken: so all are polled",
};
const TRUSTS_THE_PARK: Mistake = Mistake {
    name: "trusts_the_park",
    says: "after a park it takes from the queue, and does not ask whether there is anything in it",
};
const POLLED_AFTER_READY: Mistake = Mistake {
    name: "polled_after_ready",
    says: "a number in the queue may be that of a task that is over by now",
};
const UNPARKS_FIRST: Mistake = Mistake {
    name: "unparks_first",
    says: "`wake` unparks before it has pushed: the executor looks, finds nothing and sleeps on",
};
const WAKE_TOO_LATE: Mistake = Mistake {
    name: "wake_too_late",
    says: "a wake panics when `run` has returned, and its queue is gone; whoever has kept a waker \
           may call it then, too",
};
const PARKS_FIRST: Mistake = Mistake {
    name: "parks_first",
    says: "whether all are over is asked after a poll only; without a task there is none",
};

fn main() -> ExitCode {
    Check::new("07_woken_only")
        .case("each task is polled, and when all are over run returns", all_over)
        .case("who wakes itself is polled again, after the others", take_turns)
        .case("when nobody is runnable, run parks, until somebody is woken", sleeps)
        .case("all who were woken during a sleep are polled after it", two_in_one_sleep)
        .case("a park that returns for nothing is followed by another", for_nothing)
        .case("of one who is busy and a hundred who wait, the busy one is polled", hundred)
        .case("who is woken in its last poll is not polled again", last_poll)
        .case("a wake from a thread is not lost, however slow the thread is", slow_thread)
        .case("a wake that comes when run has returned does nothing", woken_afterwards)
        .case("without a task run returns at once", no_task)
        .run()
}

// The parker, and what happens outside.

type Happening = Box<dyn FnOnce()>;

/// What the tasks wait for: one thing happens in each sleep.
struct Outside {
    case: Case,
    hand: Hand,
    coming: VecDeque<Happening>,
    /// What it most likely is if the answer sleeps when nothing is coming.
    if_for_ever: fn(&Hand) -> Option<Mistake>,
}

thread_local! {
    static OUTSIDE: RefCell<Option<Outside>> = const { RefCell::new(None) };
}

impl Outside {
    fn next(&mut self) -> Happening {
        self.coming.pop_front().unwrap_or_else(|| {
            let wrong = Wrong::new("an end", "a sleep that nobody will end");
            let wrong = wrong.at(self.hand.now(), "it sleeps for ever");
            self.case.is_wrong(wrong.looks_like((self.if_for_ever)(&self.hand)))
        })
    }
}

fn with_outside<R>(f: impl FnOnce(&mut Outside) -> R) -> R {
    OUTSIDE.with_borrow_mut(|outside| f(outside.as_mut().expect("it is the thread of a case")))
}

/// Calls the waker of this task. If that does not return, it waits for a lock.
fn wake(name: &str) {
    let (case, hand) = with_outside(|outside| (outside.case.clone(), outside.hand.clone()));
    case.if_it_hangs(LOCK_HELD);
    hand.wake(name);
    case.if_it_hangs(SPINS);
}

struct Sleep {
    /// The executor's.
    thread: ThreadId,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_up: bool,
    /// There is another thread, which may unpark.
    has_thread: bool,
    /// Since the last unpark the executor has polled, or has parked again.
    has_looked: bool,
}

/// So long a thread waits in `unpark`, at most.
const AT_MOST: Duration = Duration::from_millis(100);

impl Sleep {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is unparked. As long as there is a thread that may do that, waits for it.
    fn is_over(&self) -> bool {
        let may_be = |state: &mut State| state.has_thread && !state.is_up;
        let state = self.changed.wait_while(self.state(), may_be);
        mem::take(&mut state.unwrap_or_else(PoisonError::into_inner).is_up)
    }
}

impl Parker for Sleep {
    fn park(&self) {
        self.change(|state| state.has_looked = true);
        if self.is_over() {
            return;
        }
        with_outside(|outside| outside.hand.mark("parks"));
        loop {
            with_outside(Outside::next)();
            if self.is_over() {
                return;
            }
        }
    }

    /// On another thread it returns when the executor has looked: as if that thread had lost the
    /// processor just then. (Or after a while, if the executor has to wait for it.)
    fn unpark(&self) {
        self.change(|state| (state.is_up, state.has_looked) = (true, false));
        if thread::current().id() != self.thread {
            let looks = |state: &mut State| !state.has_looked;
            let _ = self.changed.wait_timeout_while(self.state(), AT_MOST, looks);
        }
    }
}

/// What is given to the answer.
struct Setting {
    case: Case,
    hand: Hand,
    sleep: Arc<Sleep>,
    tasks: Vec<Task>,
    coming: VecDeque<Happening>,
}

impl Setting {
    fn new(case: &Case) -> Setting {
        case.may_take(Duration::from_secs(1));
        let sleep = Sleep {
            thread: thread::current().id(),
            state: Mutex::default(),
            changed: Condvar::new(),
        };
        Setting {
            case: case.clone(),
            hand: case.by_hand(),
            sleep: Arc::new(sleep),
            tasks: Vec::new(),
            coming: VecDeque::new(),
        }
    }

    fn task(&mut self, name: &'static str, body: impl FnMut(usize) -> Poll<()> + Unpin + 'static) {
        self.tasks.push(Box::pin(self.hand.task(name, body)));
    }

    /// Pending so often, and it wakes itself; then ready.
    fn yields(&mut self, name: &'static str, times: usize) {
        self.task(name, move |poll| {
            if poll > times {
                return Ready(());
            }
            wake(name);
            Pending
        });
    }

    /// Ready in its second poll. Somebody else must wake it.
    fn waits(&mut self, name: &'static str) {
        self.case.if_it_hangs(SPINS);
        self.task(name, |poll| if poll == 1 { Pending } else { Ready(()) });
    }

    /// In the next sleep this will happen.
    fn then(&mut self, happens: impl FnOnce() + 'static) {
        self.coming.push_back(Box::new(happens));
    }

    /// Runs the answer.
    fn run(self, if_for_ever: fn(&Hand) -> Option<Mistake>) {
        let outside = Outside {
            case: self.case,
            hand: self.hand,
            coming: self.coming,
            if_for_ever,
        };
        OUTSIDE.set(Some(outside));
        run(self.tasks, self.sleep);
        OUTSIDE.take();
    }
}

// The cases.

fn all_over(case: &Case) {
    let mut setting = Setting::new(case);
    let hand = setting.hand.clone();
    for name in ["a", "b", "c"] {
        let (case, hand) = (case.clone(), hand.clone());
        setting.task(name, move |_| {
            case.if_it_panics(one_is_left_out(&hand));
            Ready(())
        });
    }
    setting.run(|hand| {
        let all_over = ["a", "b", "c"].iter().all(|name| hand.polls(name) > 0);
        if all_over { Some(SLEEPS_AT_THE_END) } else { one_is_left_out(hand) }
    });
    hand.expect_order(case, &["a", "b", "c"], None);
}

/// After the first, one of the other two was polled, and the other one was not.
fn one_is_left_out(hand: &Hand) -> Option<Mistake> {
    let [a, b, c] = ["a", "b", "c"].map(|name| hand.polls(name) > 0);
    (a && b != c).then_some(NUMBERS_SHIFT)
}

fn take_turns(case: &Case) {
    let mut setting = Setting::new(case);
    let hand = setting.hand.clone();
    for name in ["a", "b"] {
        setting.yields(name, 2);
    }
    setting.run(|hand| (hand.polls("b") > 1).then_some(ONE_PER_UNPARK));
    hand.expect_order(case, &["a", "b", "a", "b", "a", "b"], None);
}

fn sleeps(case: &Case) {
    let mut setting = Setting::new(case);
    let hand = setting.hand.clone();
    setting.waits("a");
    setting.then(|| wake("a"));
    setting.run(|_| Some(FORGETS_TO_UNPARK));
    hand.expect_no_unasked_poll(case, ROUNDS);
    hand.expect_polls(case, "a", 2, &[ENDS_EARLY]);
}

fn two_in_one_sleep(case: &Case) {
    let mut setting = Setting::new(case);
    let hand = setting.hand.clone();
    for name in ["a", "b", "c"] {
        setting.waits(name);
    }
    setting.then(|| {
        wake("c");
        wake("a");
    });
    setting.then(|| wake("b"));
    setting.run(|_| Some(ONE_PER_UNPARK));
    hand.expect_no_unasked_poll(case, POLLS_ALL);
    hand.expect_order(case, &["a", "b", "c", "c", "a", "b"], None);
}

fn for_nothing(case: &Case) {
    case.if_it_panics(TRUSTS_THE_PARK);
    let mut setting = Setting::new(case);
    let hand = setting.hand.clone();
    let sleep = setting.sleep.clone();
    setting.waits("a");
    setting.then(move || sleep.unpark());
    setting.then(|| wake("a"));
    setting.run(|_| None);
    hand.expect_no_unasked_poll(case, ROUNDS);
    hand.expect_polls(case, "a", 2, &[ENDS_EARLY]);
}

/// Of the hundred only one is drawn.
fn hundred(case: &Case) {
    let mut setting = Setting::new(case);
    let hand = setting.hand.clone();
    let (polls, wakers) = (Rc::<Cell<u32>>::default(), Rc::<RefCell<Vec<Waker>>>::default());
    setting.waits("idle");
    setting.yields("busy", 10);
    for _ in 0..99 {
        setting.tasks.push(Box::pin(not_drawn(polls.clone(), wakers.clone())));
    }
    setting.then(move || {
        wake("idle");
        wakers.take().into_iter().for_each(Waker::wake);
    });
    setting.run(|_| None);
    hand.expect_no_unasked_poll(case, POLLS_ALL);
    hand.expect_polls(case, "busy", 11, &[]);
    hand.expect_polls(case, "idle", 2, &[]);
    case.expect_equal("polls of the hundred", 2 + polls.get(), 200, None);
}

async fn not_drawn(polls: Rc<Cell<u32>>, wakers: Rc<RefCell<Vec<Waker>>>) {
    let mut was_polled = false;
    poll_fn(|cx| {
        polls.set(polls.get() + 1);
        if mem::replace(&mut was_polled, true) {
            return Ready(());
        }
        wakers.borrow_mut().push(cx.waker().clone());
        Pending
    })
    .await
}

fn last_poll(case: &Case) {
    case.if_it_panics(POLLED_AFTER_READY);
    let mut setting = Setting::new(case);
    let hand = setting.hand.clone();
    setting.task("a", |_| {
        wake("a");
        Ready(())
    });
    setting.waits("b");
    setting.then(|| wake("b"));
    setting.run(|_| None);
    hand.expect_no_poll_after_ready(case, POLLED_AFTER_READY);
    hand.expect_polls(case, "b", 2, &[ENDS_EARLY]);
}

fn slow_thread(case: &Case) {
    let mut setting = Setting::new(case);
    let hand = setting.hand.clone();
    let (seen_by_task, sleep) = (setting.sleep.clone(), setting.sleep.clone());
    setting.task("a", move |poll| {
        seen_by_task.change(|state| state.has_looked = true);
        if poll == 1 { Pending } else { Ready(()) }
    });
    let outside = hand.clone();
    setting.then(move || {
        let waker = outside.waker("a");
        outside.woken("a");
        sleep.change(|state| state.has_thread = true);
        thread::spawn(move || {
            waker.wake();
            sleep.change(|state| state.has_thread = false);
        });
    });
    setting.run(|_| Some(UNPARKS_FIRST));
    hand.expect_polls(case, "a", 2, &[]);
}

fn woken_afterwards(case: &Case) {
    let mut setting = Setting::new(case);
    let hand = setting.hand.clone();
    setting.yields("a", 1);
    setting.run(|_| None);
    case.if_it_panics(WAKE_TOO_LATE);
    hand.wake("a");
    hand.expect_polls(case, "a", 2, &[]);
}

fn no_task(case: &Case) {
    Setting::new(case).run(|_| Some(PARKS_FIRST));
}
