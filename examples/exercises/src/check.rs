//! A check, its cases, and the watchdog.
//!
//! Each case runs on a thread of its own, and whatever it does, it comes to an end: it returns, it
//! panics, or the watchdog ends the process. What it has done so far is in [`Seen`], which both
//! threads can reach.
//!
//! Next: `examples/exercises/src/run.rs`.

use crate::hand::{ByHand, Hand};
use crate::report::{Ending, Report};
use handspun::trace::Trace;
use std::any::Any;
use std::cell::RefCell;
use std::fmt::Display;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

/// How long a case may take by the real clock, if it asks for no more. Far more than any needs.
const LONGEST: Duration = Duration::from_secs(5);

/// How often the watchdog looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// What Rust says when a destructor panics while a panic unwinds.
const ABORTS: &str = "panic in a destructor during cleanup";

/// The check of an exercise.
pub struct Check {
    id: &'static str,
    cases: Vec<(&'static str, Body)>,
}

type Body = Box<dyn FnOnce(&Case) + Send>;

/// A known mistake.
#[derive(Clone, Copy, Debug)]
pub struct Mistake {
    /// Its name: also that of a file in `wrong`, which makes it.
    pub name: &'static str,
    /// What is wrong, after "This looks like ..:".
    pub says: &'static str,
}

/// What does not hold, and how it shows.
#[derive(Debug)]
pub struct Wrong {
    pub(crate) expected: String,
    pub(crate) got: String,
    /// The record with which it begins to be wrong, and what is wrong there.
    pub(crate) at: Option<(usize, String)>,
    pub(crate) mistake: Option<Mistake>,
}

/// A case that runs. A clone is the same one.
#[derive(Clone)]
pub struct Case {
    pub(crate) seen: Arc<Mutex<Seen>>,
}

/// What a case has done so far.
#[derive(Default)]
pub(crate) struct Seen {
    /// The last run on handspun's executor, or the one that goes on: as it was at the last poll.
    pub(crate) trace: Option<Trace>,
    /// The last run on an executor of the learner.
    pub(crate) by_hand: Option<ByHand>,
    /// All panics, on all threads, in their order: what they said, and where.
    pub(crate) panics: Panics,
    /// Somebody was polled more often than any right answer needs.
    pub(crate) never_ends: bool,
    pub(crate) if_it_stalls: Option<Mistake>,
    pub(crate) if_it_never_ends: Option<Mistake>,
    pub(crate) if_it_hangs: Option<Mistake>,
    pub(crate) if_it_panics: Option<Mistake>,
    pub(crate) limit: Option<Duration>,
    /// What the case says of itself.
    pub(crate) story: Option<Box<dyn Fn() -> String + Send>>,
}

/// What they said, and where. Not behind the lock of the rest: that may be held by who panics.
pub(crate) type Panics = Arc<Mutex<Vec<(String, String)>>>;

impl Check {
    /// The check of the exercise in the folder of this name: `"01_countdown"`.
    pub fn new(id: &'static str) -> Check {
        let cases = Vec::new();
        Check { id, cases }
    }

    /// One more case. `sentence` says what must hold, without a full stop.
    pub fn case(
        mut self,
        sentence: &'static str,
        body: impl FnOnce(&Case) + Send + 'static,
    ) -> Check {
        self.cases.push((sentence, Box::new(body)));
        self
    }

    /// Runs the cases in order, up to the first that does not hold, and prints how it went. With
    /// `--html FILE` the last run is drawn into that file, whether it went well or not.
    ///
    /// If it was built with the starter, to see that it compiles, it checks nothing, and says so:
    /// see [`answer!`](crate::answer!).
    pub fn run(self) -> ExitCode {
        if cfg!(not(any(feature = "answers", feature = "others"))) {
            println!("{0}: not checked: `cargo run -- check {0}` does that", self.id);
            return ExitCode::SUCCESS;
        }
        let page = html_asked_for();
        let Some(report) = self.into_report() else {
            return ExitCode::SUCCESS;
        };
        report.print();
        report.write_page(page.as_deref());
        match report.code() {
            // The thread of the case goes on, and would go on for ever.
            code if report.hangs() => std::process::exit(code.into()),
            code => code.into(),
        }
    }

    /// What is told of it: how the first case went that does not hold, or else the last.
    fn into_report(self) -> Option<Report> {
        let count = self.cases.len();
        let mut last = None;
        for (nth, (sentence, body)) in (1..).zip(self.cases) {
            let seen = Arc::new(Mutex::new(Seen::default()));
            let end = watch(body, &seen);
            let seen = lock(&seen);
            let trace = seen.run();
            let by_hand = seen.by_hand.is_some();
            let report = Report {
                id: self.id,
                case: (nth, count),
                sentence,
                ending: match end {
                    Ok(end) => Ending::of(end, &seen, trace.as_ref()),
                    Err(Late(limit)) => Ending::hangs(&seen, trace.as_ref(), limit),
                },
                trace,
                by_hand,
                story: seen.story.as_ref().map(|story| story()),
            };
            let holds = report.code() == 0;
            last = Some(report);
            if !holds {
                break;
            }
        }
        last
    }
}

fn html_asked_for() -> Option<String> {
    let mut arguments = env::args().skip_while(|argument| argument != "--html");
    arguments.nth(1)
}

/// Runs a case on a thread, to its end or to that of its time.
fn watch(body: Body, seen: &Arc<Mutex<Seen>>) -> Result<End, Late> {
    listen_to_panics(seen);
    let case = Case { seen: seen.clone() };
    let (running, over) = channel::<()>();
    let thread = thread::spawn(move || {
        // It is over when this is dropped.
        let _running = running;
        panic::catch_unwind(AssertUnwindSafe(|| body(&case)))
    });
    let begin = Instant::now();
    while over.recv_timeout(BETWEEN_LOOKS) == Err(RecvTimeoutError::Timeout) {
        let seen = lock(seen);
        if seen.panics().iter().any(|(message, _)| message == ABORTS) {
            return Ok(Err(Box::new(ABORTS)));
        }
        // Asked each time: the case says it when it has begun.
        let limit = seen.limit.unwrap_or(LONGEST);
        if begin.elapsed() > limit {
            return Err(Late(limit));
        }
    }
    Ok(thread.join().unwrap_or_else(Err))
}

/// Nothing is printed when something panics: it is kept, and told in its place.
fn listen_to_panics(seen: &Mutex<Seen>) {
    let panics = lock(seen).panics.clone();
    panic::set_hook(Box::new(move |panic| {
        let message = words(panic.payload()).unwrap_or("(it has no words)").to_string();
        let place = panic.location().map_or("somewhere".to_string(), ToString::to_string);
        let aborts = message == ABORTS;
        panics.lock().unwrap_or_else(PoisonError::into_inner).push((message, place));
        // When this returns, the process is aborted, and nothing would be told.
        if aborts {
            loop {
                thread::park();
            }
        }
    }));
}

fn words(payload: &dyn Any) -> Option<&str> {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

pub(crate) fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    pub(crate) fn panics(&self) -> Vec<(String, String)> {
        self.panics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The run to be shown.
    fn run(&self) -> Option<Trace> {
        match &self.by_hand {
            Some(by_hand) => Some(by_hand.trace()),
            None => self.trace.clone(),
        }
    }
}

impl Case {
    /// What it most likely is, if the executor stalls: nothing is runnable, and the root is not
    /// over.
    pub fn if_it_stalls(&self, mistake: Mistake) {
        lock(&self.seen).if_it_stalls = Some(mistake);
    }

    /// What it most likely is, if it is polled again and again for ever.
    pub fn if_it_never_ends(&self, mistake: impl Into<Option<Mistake>>) {
        lock(&self.seen).if_it_never_ends = mistake.into();
    }

    /// What it most likely is, if a call does not return, and the watchdog has to end it.
    pub fn if_it_hangs(&self, mistake: Mistake) {
        lock(&self.seen).if_it_hangs = Some(mistake);
    }

    /// What it most likely is, if the answer panics.
    pub fn if_it_panics(&self, mistake: impl Into<Option<Mistake>>) {
        lock(&self.seen).if_it_panics = mistake.into();
    }

    /// How long this case may take by the real clock, if it is not five seconds.
    pub fn may_take(&self, limit: Duration) {
        lock(&self.seen).limit = Some(limit);
    }

    /// For an answer that is no future, so that there is no run to draw: what is shown instead, in
    /// lines. It is asked for when the case is over, also by a panic or by the watchdog; so it is
    /// not to wait for a lock that is held while the answer is called.
    pub fn show(&self, story: impl Fn() -> String + Send + 'static) {
        lock(&self.seen).story = Some(Box::new(story));
    }

    /// For an answer that is an executor itself: who is told what happens in it.
    pub fn by_hand(&self) -> Hand {
        Hand::new(self.seen.clone())
    }

    /// Ends the case: this is what does not hold.
    pub fn is_wrong(&self, wrong: Wrong) -> ! {
        panic::resume_unwind(Box::new(wrong))
    }

    /// These two are equal. `what` is what is compared, as in "expected the sum 3, got 4".
    pub fn expect_equal<T: PartialEq + Display>(
        &self,
        what: &str,
        got: T,
        expected: T,
        mistake: impl Into<Option<Mistake>>,
    ) {
        if got != expected {
            self.is_wrong(Wrong::new(format!("{what} {expected}"), got).looks_like(mistake));
        }
    }
}

impl Wrong {
    /// What was expected, and what it was instead: "4 polls", "3 polls".
    pub fn new(expected: impl Display, got: impl Display) -> Wrong {
        Wrong {
            expected: expected.to_string(),
            got: got.to_string(),
            at: None,
            mistake: None,
        }
    }

    /// With which record of the trace it begins to be wrong, and what is wrong there, in few words.
    pub fn at(mut self, record: usize, what: impl Display) -> Wrong {
        self.at = Some((record, what.to_string()));
        self
    }

    /// The mistake that this most likely is.
    pub fn looks_like(mut self, mistake: impl Into<Option<Mistake>>) -> Wrong {
        self.mistake = mistake.into();
        self
    }
}

/// It has not come to an end in this time.
struct Late(Duration);

/// How the thread of a case ended.
pub(crate) type End = Result<(), Box<dyn Any + Send>>;

thread_local! {
    /// What the case on this thread has seen, for those who run inside of its executor.
    pub(crate) static SEEN: RefCell<Option<Arc<Mutex<Seen>>>> = const { RefCell::new(None) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Ink;
    use crate::spawn;
    use handspun::task::yield_now;
    use handspun::time::sleep;
    use std::cell::Cell;
    use std::future::{pending, poll_fn};
    use std::rc::Rc;
    use std::task::Poll;

    const KNOWN: Mistake = Mistake {
        name: "known",
        says: "it is known",
    };

    /// There is one panic hook for all threads, so one check at a time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    fn told(body: impl FnOnce(&Case) + Send + 'static) -> String {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let check = Check::new("42_test").case("the first holds", |_| {}).case("it holds", body);
        let text = check.case("the third holds", |_| {}).into_report().unwrap().text(Ink(false));
        let _ours = panic::take_hook();
        text
    }

    #[track_caller]
    fn assert_told(text: &str, parts: &[&str]) {
        let mut rest = text;
        for part in parts {
            let at =
                rest.find(part).unwrap_or_else(|| panic!("no {part:?}, in order, in:\n{text}"));
            rest = &rest[at + part.len()..];
        }
    }

    #[test]
    fn cases_that_hold_are_counted() {
        assert_eq!(told(|_| {}), "42 test: solved (3 cases)\n");
    }

    #[test]
    fn all_is_told_in_its_order_and_the_panic_last() {
        let text = told(|case| {
            case.if_it_stalls(KNOWN);
            case.block_on(async {
                sleep(Duration::from_secs(2)).await;
                spawn("a", pending::<()>()).await.unwrap();
            });
        });
        let parts = [
            "42 test: not solved\n\nIt holds: expected an end, got a stall: a is Pending",
            "(Case 2 of 3.)",
            "This looks like `known`: it is known.",
            "\n 2 tasks, 3 polls, 1 wake, 2.000 s on a paused clock\n",
            "\n seconds  0.000  2.000\n root     █",
            "└HERE: Pending, and nobody has its waker\n",
            "A lint: Task 1 (\"a\")",
            "a hint: cargo run -- hint 42\n",
            "The panic, at ",
            "the executor has stalled",
        ];
        assert_told(&text, &parts);
        assert!(!text.contains("What they did last"), "{text}");
    }

    #[test]
    fn what_is_not_written_is_told_so_also_from_inside_a_task() {
        let text = told(|case| {
            case.block_on(async {
                // As a starter does.
                let task = spawn("a", async { panic!("not yet implemented: the rest") });
                task.await.unwrap();
            });
        });
        assert_told(&text, &["42 test: not written yet: the rest\n", "src/check.rs:"]);
    }

    #[test]
    fn what_is_not_written_and_has_no_name_is_the_rest() {
        let text = told(|_| panic!("not yet implemented"));
        assert_told(&text, &["42 test: not written yet: the rest\n"]);
    }

    #[test]
    fn a_panic_in_a_task_is_marked_where_it_happened() {
        let text = told(|case| {
            case.if_it_panics(KNOWN);
            case.block_on(async {
                let work = async {
                    handspun::trace::mark("before");
                    panic!("oh")
                };
                spawn("a", work).await.unwrap();
            });
        });
        let parts = [
            "got a panic: oh.",
            "`known`",
            " a        +✗\n marks     └before\n           └HERE: panics",
            "\noh\n",
        ];
        assert_told(&text, &parts);
    }

    #[test]
    fn a_stall_is_marked_where_the_last_waker_was_dropped() {
        let text = told(|case| {
            case.block_on(async {
                let place = Rc::new(Cell::new(None));
                let kept = place.clone();
                let waits = poll_fn(move |cx| {
                    kept.set(Some(cx.waker().clone()));
                    Poll::<()>::Pending
                });
                let task = spawn("a", waits);
                yield_now().await;
                drop(place.take());
                task.await.unwrap();
            });
        });
        let parts = [
            "a is Pending, and nobody has its waker",
            " root     █·█○\n a        +█╌○\n marks      └HERE: Pending",
        ];
        assert_told(&text, &parts);
    }

    #[test]
    fn a_panic_in_a_destructor_does_not_hide_the_one_before() {
        const CHILD: &str = "HANDSPUN_CHECK_THAT_ABORTS";
        struct Panics;
        impl Drop for Panics {
            fn drop(&mut self) {
                panic!("oh");
            }
        }
        // The hook does not return, and no other can be set then: so in a process of its own.
        if env::var_os(CHILD).is_some() {
            let check = Check::new("42_test").case("it holds", |case| {
                case.block_on(async {
                    let _two = [Panics, Panics];
                });
            });
            std::process::exit(check.into_report().map_or(0, |report| {
                report.print();
                report.code().into()
            }));
        }
        let mut child = std::process::Command::new(env::current_exe().unwrap());
        child.args(["--nocapture", "a_panic_in_a_destructor"]).env(CHILD, "1");
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert_told(&text, &["got a panic: oh.", "└HERE: panics", "\noh\n"]);
    }

    #[test]
    fn a_case_without_a_run_is_shown_by_what_it_says_of_itself() {
        let text = told(|case| {
            case.show(|| "one\ntwo   HERE: not three".to_string());
            case.expect_equal("the sum", 2, 3, KNOWN);
        });
        let parts = [
            "got 2. (Case 2 of 3.)\nThis looks like `known`: it is known.\n",
            "\none\ntwo   HERE: not three\n\na hint: ",
        ];
        assert_told(&text, &parts);
    }

    #[test]
    fn a_task_that_is_polled_for_ever_is_stopped() {
        let text = told(|case| {
            case.if_it_never_ends(KNOWN);
            case.block_on(async {
                let forever = async {
                    loop {
                        yield_now().await;
                    }
                };
                spawn("a", forever).await.unwrap();
            });
        });
        let parts = [
            "20,000 polls without one",
            "`known`",
            "polls before these are left out",
            "HERE: and so on\n",
            "a wakes itself",
        ];
        assert_told(&text, &parts);
        assert!(!text.contains("panicked"), "{text}");
    }

    #[test]
    fn who_does_not_come_back_from_a_poll_is_ended_by_the_watchdog() {
        let text = told(|case| {
            case.if_it_hangs(KNOWN);
            case.may_take(Duration::from_millis(100));
            case.block_on(async {
                yield_now().await;
                loop {
                    thread::park();
                }
            })
        });
        let parts = [
            "got none in 0.1 s",
            "`known`",
            " root     ██\n marks     └HERE: it does not come",
        ];
        assert_told(&text, &parts);
    }

    #[test]
    fn of_a_long_run_what_is_near_the_mark_is_drawn() {
        let text = told(|case| {
            case.block_on(async {
                for _ in 0..3_000 {
                    yield_now().await;
                }
            });
            case.expect_polls("root", 1_000, &[]);
        });
        let parts = [
            "expected 1000 polls, got 3001",
            "(970 polls before these are left out.)",
            "(1,991 polls after these are left out.)",
            "HERE: one poll too many",
        ];
        assert_told(&text, &parts);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn a_run_by_hand_without_tasks_is_told_as_a_list_of_steps() {
        let text = told(|case| {
            let hand = case.by_hand();
            for step in 1..=30 {
                hand.mark(&format!("step {step}"));
            }
            case.is_wrong(Wrong::new("a", "b").at(hand.now(), "it is b"));
        });
        let parts = [
            "\n\n (11 steps before these are left out.)\n step 12\n",
            "\n step 30\n HERE: it is b\n\na hint: ",
        ];
        assert_told(&text, &parts);
        assert!(!text.contains("seconds"), "{text}");
    }

    #[test]
    fn the_first_difference_of_two_orders_is_marked() {
        let orders: [(&'static [&str], &str); 3] = [
            (&["root", "a", "root"], "└HERE: it was root's turn"),
            (&["root", "a", "a"], "└HERE: one poll too many"),
            (&["root", "a", "a", "root", "b"], "└HERE: after this it was b's turn"),
        ];
        for (expected, here) in orders {
            let text = told(move |case| {
                case.block_on(async {
                    spawn("a", yield_now()).await.unwrap();
                });
                case.expect_order(expected, KNOWN);
            });
            let differs = format!("expected the order {}, got root a a root.", expected.join(" "));
            assert_told(&text.replace('\n', " "), &[&differs, "`known`", here]);
        }
        let text = told(|case| {
            let hand = case.by_hand();
            hand.mark("a step");
            hand.expect_order(case, &["a"], None);
        });
        assert_told(
            &text,
            &[
                "expected the order a, got ",
                "a step\n HERE: nobody is polled\n",
            ],
        );
    }
}
