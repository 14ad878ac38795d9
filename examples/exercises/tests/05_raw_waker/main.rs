//! Exercise 05: the check.
//!
//! A count too few would end in the use of freed memory, and then anything may happen. So the
//! counter has a reserve of counts that belong to nobody, and is never freed; and no waker is
//! dropped but where a case drops it.

handspun_exercises::answer!("HANDSPUN_ANSWER_05");

use answer::counting_waker;
use handspun_exercises::{Case, Check, Hand, Mistake, Wrong, with_commas};
use std::mem::{ManuallyDrop, forget};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::task::Waker;
use std::thread;
use std::time::Duration;

const ELSEWHERE: Mistake = Mistake {
    name: "elsewhere",
    says: "the data word is not what `Arc::into_raw` gives, but the address of something else; \
           if that is a variable of a function, it is gone when the function returns",
};
const DANGLES: Mistake = Mistake {
    name: "dangles",
    says: "the word is taken from the Arc, and then the Arc is dropped, with the count that the \
           waker needs",
};
const LEAK_IN_DROP: Mistake = Mistake {
    name: "leak_in_drop",
    says: "the count of a waker that is dropped stays behind, so the counter is never freed",
};
const LEAK_IN_WAKE: Mistake = Mistake {
    name: "leak_in_wake",
    says: "`wake` uses its waker up: nobody will drop it after that, so `wake` itself must give \
           the count back",
};
const DOUBLE_FREE_IN_WAKE_BY_REF: Mistake = Mistake {
    name: "double_free_in_wake_by_ref",
    says: "`wake_by_ref` gives back a count that its waker still has, and will give back again",
};
const DOUBLE_FREE_IN_CLONE: Mistake = Mistake {
    name: "double_free_in_clone",
    says: "there is one waker more, and no count more: two wakers will give the same one back",
};
const TWO_TABLES: Mistake = Mistake {
    name: "two_tables",
    says: "`will_wake` compares two words with two, and the second is the address of the table; \
           a `static` has one, a table that is made in a function may have many",
};
const TWO_STEPS: Mistake = Mistake {
    name: "two_steps",
    says: "it loads the number, and then stores one more; a wake of another thread that comes \
           between the two is lost, so it must be one step",
};

fn main() -> ExitCode {
    Check::new("05_raw_waker")
        .case("a new waker has the count of the Arc that it is made of", made)
        .case("a waker that is dropped gives its count back", dropped)
        .case("after wake_by_ref the counter has one more, and the waker its count", woken_by_ref)
        .case("after wake the counter has one more, and the count is given back", woken)
        .case("a clone has a count of its own, and will_wake the same", cloned)
        .case("a waker may be cloned, called and dropped on another thread", on_a_thread)
        .case("of wakes on two threads at once, each adds one", at_once)
        .case("each waker has one count, in whichever order they are used", in_any_order)
        .run()
}

/// So many counts belong to nobody.
const RESERVE: usize = 1_000;

/// A counter, its wakers, and how often they were called.
struct Counted<'a> {
    case: &'a Case,
    hand: Hand,
    counter: ManuallyDrop<Arc<AtomicU32>>,
    wakers: Vec<ManuallyDrop<Waker>>,
    wakes: u32,
}

/// What a step is called, and what it most likely is if it leaves too few counts, or too many.
struct Step {
    name: &'static str,
    too_few: Option<Mistake>,
    too_many: Option<Mistake>,
}

const MAKE: Step = Step {
    name: "counting_waker",
    too_few: Some(DANGLES),
    too_many: None,
};
const CLONE: Step = Step {
    name: "clone",
    too_few: Some(DOUBLE_FREE_IN_CLONE),
    too_many: None,
};
const WAKE: Step = Step {
    name: "wake",
    too_few: None,
    too_many: Some(LEAK_IN_WAKE),
};
const WAKE_BY_REF: Step = Step {
    name: "wake_by_ref",
    too_few: Some(DOUBLE_FREE_IN_WAKE_BY_REF),
    too_many: None,
};
const DROP: Step = Step {
    name: "drop",
    too_few: None,
    too_many: Some(LEAK_IN_DROP),
};

const ON_A_THREAD: Step = Step {
    name: "on a thread",
    too_few: None,
    too_many: None,
};

impl Counted<'_> {
    /// With one waker.
    fn new(case: &Case) -> Counted<'_> {
        let counter = Arc::new(AtomicU32::new(0));
        (0..RESERVE).for_each(|_| forget(counter.clone()));
        let mut counted = Counted {
            case,
            hand: case.by_hand(),
            counter: ManuallyDrop::new(counter),
            wakers: Vec::new(),
            wakes: 0,
        };
        counted.make();
        counted
    }

    fn make(&mut self) {
        let waker = ManuallyDrop::new(counting_waker(Arc::clone(&self.counter)));
        // Before anything else: what is done to another word is done to nobody knows what.
        if waker.data() != Arc::as_ptr(&self.counter).cast() {
            let wrong = Wrong::new("the address of the counter as data word", "another one");
            self.case.is_wrong(wrong.looks_like(ELSEWHERE));
        }
        self.wakers.push(waker);
        self.expect_counts(MAKE);
    }

    fn clone(&mut self, nth: usize) {
        let clone = ManuallyDrop::new(Waker::clone(&self.wakers[nth]));
        if clone.data() != self.wakers[nth].data() {
            let wrong = Wrong::new("the same data word in the clone", "another one");
            self.case.is_wrong(wrong.looks_like(ELSEWHERE));
        }
        let will_wake = clone.will_wake(&self.wakers[nth]);
        self.wakers.push(clone);
        self.expect_counts(CLONE);
        if !will_wake {
            let wrong = Wrong::new("a clone that will_wake the same", "one that says no");
            let here = "clone.will_wake(&waker) is false";
            self.case.is_wrong(wrong.at(self.hand.now(), here).looks_like(TWO_TABLES));
        }
    }

    fn wake(&mut self, nth: usize) {
        self.take(nth).wake();
        self.wakes += 1;
        self.expect_counts(WAKE);
    }

    fn wake_by_ref(&mut self, nth: usize) {
        self.wakers[nth].wake_by_ref();
        self.wakes += 1;
        self.expect_counts(WAKE_BY_REF);
    }

    fn drop(&mut self, nth: usize) {
        drop(self.take(nth));
        self.expect_counts(DROP);
    }

    fn take(&mut self, nth: usize) -> Waker {
        ManuallyDrop::into_inner(self.wakers.swap_remove(nth))
    }

    /// After this step each waker has a count, and each wake was counted.
    fn expect_counts(&mut self, step: Step) {
        let wakers = self.wakers.len();
        let counts = self.counts();
        let wakes = self.counter.load(Ordering::Relaxed);
        self.hand.mark(&format!(
            "{:<14}  wakers: {wakers:>3}   counts: {counts:>3}   wakes: {wakes:>4}",
            step.name
        ));
        if counts != wakers.cast_signed() {
            let (what, mistake) = match counts < wakers.cast_signed() {
                true => ("a count too few", step.too_few),
                false => ("a count too many", step.too_many),
            };
            let expected = match wakers {
                0 => "no count left".to_string(),
                1 => "one count for one waker".to_string(),
                _ => format!("{wakers} counts for {wakers} wakers"),
            };
            let wrong = Wrong::new(expected, counts).looks_like(mistake);
            self.case.is_wrong(wrong.at(self.hand.now(), what));
        }
        if wakes != self.wakes {
            let expected = format!("the counter at {}", self.wakes);
            let wrong = Wrong::new(expected, wakes);
            self.case.is_wrong(wrong.at(self.hand.now(), "the counter is wrong"));
        }
    }

    /// How many the wakers have. Less than none: some of the reserve were given back.
    fn counts(&self) -> isize {
        Arc::strong_count(&self.counter).cast_signed() - (RESERVE + 1).cast_signed()
    }
}

fn made(case: &Case) {
    Counted::new(case);
}

fn dropped(case: &Case) {
    let mut counted = Counted::new(case);
    counted.drop(0);
}

fn woken_by_ref(case: &Case) {
    let mut counted = Counted::new(case);
    (0..3).for_each(|_| counted.wake_by_ref(0));
    counted.drop(0);
}

fn woken(case: &Case) {
    let mut counted = Counted::new(case);
    counted.wake(0);
}

fn cloned(case: &Case) {
    let mut counted = Counted::new(case);
    counted.clone(0);
    counted.clone(1);
    counted.wake(1);
    counted.wake_by_ref(0);
    counted.drop(0);
    counted.wake(0);
}

fn on_a_thread(case: &Case) {
    let mut counted = Counted::new(case);
    counted.clone(0);
    let waker = counted.take(1);
    let on_thread = move || {
        let clone = ManuallyDrop::new(waker.clone());
        waker.wake();
        clone.wake_by_ref();
        drop(ManuallyDrop::into_inner(clone));
    };
    thread::spawn(on_thread).join().expect("nothing panics there");
    counted.wakes += 2;
    counted.expect_counts(ON_A_THREAD);
    counted.wake(0);
}

/// So many wakes of each thread, half of them by reference, and so many times. Each time is long
/// enough for the two to meet, also on a busy machine: where two steps are made of one, the first
/// shows it as a rule.
const WAKES: u32 = 1_000_000;
const TIMES: u32 = 6;

fn at_once(case: &Case) {
    // As a rule it takes half a second; but not on a slow machine.
    case.may_take(Duration::from_secs(20));
    let mut counted = Counted::new(case);
    counted.clone(0);
    let wakers = [counted.take(1), counted.take(0)];
    for time in 1..=TIMES {
        let both_are_there = Barrier::new(2);
        thread::scope(|scope| {
            for waker in &wakers {
                scope.spawn(|| {
                    both_are_there.wait();
                    for _ in 0..WAKES / 2 {
                        waker.wake_by_ref();
                        Waker::clone(waker).wake();
                    }
                });
            }
        });
        let (wakes, expected) = (counted.counter.load(Ordering::Relaxed), 2 * WAKES * time);
        let [each, in_all] = [WAKES, wakes].map(with_commas);
        counted.hand.mark(&format!("{each} wakes on each of two threads: {in_all} in all"));
        if wakes != expected {
            let wrong = Wrong::new(format!("the counter at {}", with_commas(expected)), in_all);
            let here = format!("{} wakes are lost", with_commas(expected.wrapping_sub(wakes)));
            case.is_wrong(wrong.at(counted.hand.now(), here).looks_like(TWO_STEPS));
        }
    }
    wakers.into_iter().for_each(drop);
}

/// Always the same order, and any.
fn in_any_order(case: &Case) {
    let mut counted = Counted::new(case);
    let mut seed: usize = 1;
    for _ in 0..1_000 {
        seed = seed.wrapping_mul(1_103_515_245).wrapping_add(12_345) % (1 << 31);
        let count = counted.wakers.len();
        let nth = (seed >> 20) % count;
        match (seed >> 16) % 4 {
            0 if count < 100 => counted.clone(nth),
            1 if count > 1 => counted.wake(nth),
            2 if count > 1 => counted.drop(nth),
            _ => counted.wake_by_ref(nth),
        }
    }
    while !counted.wakers.is_empty() {
        counted.drop(0);
    }
}
