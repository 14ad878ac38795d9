//! Exercise 15: the check.
//!
//! The jobs write down when they begin, end, or are dropped before that, and with which record of
//! the trace. All else is read from there.

handspun_exercises::answer!("HANDSPUN_ANSWER_15");

use answer::at_most;
use handspun::time::{Duration, Instant, sleep, timeout};
use handspun::trace;
use handspun_exercises::{Case, Check, Mistake, Wrong};
use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::rc::Rc;

const ONE_BY_ONE: Mistake = Mistake {
    name: "one_by_one",
    says: "each job is awaited before the next one is spawned",
};
const ORDER_OF_JOBS: Mistake = Mistake {
    name: "order_of_jobs",
    says: "handles are awaited in the order in which they were made, and not as they end",
};
const ALL_AT_ONCE: Mistake = Mistake {
    name: "all_at_once",
    says: "all jobs are spawned before one is awaited; `k` must be looked at before each spawn",
};
const ONE_TOO_MANY: Mistake = Mistake {
    name: "one_too_many",
    says: "one more is spawned when `k` run already",
};
const IN_BATCHES: Mistake = Mistake {
    name: "in_batches",
    says: "a place that is free stays empty until others are done too",
};
const TAKES_ALL: Mistake = Mistake {
    name: "takes_all",
    says: "all jobs are taken from the iterator, though there is no room for them yet",
};
const DETACHES: Mistake = Mistake {
    name: "detaches",
    says: "a handle that is dropped lets its task go on; the tasks must belong to a JoinSet",
};
const WAITS_FOR_ALL: Mistake = Mistake {
    name: "waits_for_all",
    says: "it has an error in its hands, and waits for jobs whose outputs nobody will see",
};
const GONE_A_TURN_LATER: Mistake = Mistake {
    name: "gone_a_turn_later",
    says: "a drop of the set, or `abort_all`, aborts its members and does not wait for them; each \
           is dropped in its next turn",
};
const ABORTED_IS_NO_PANIC: Mistake = Mistake {
    name: "aborted_is_no_panic",
    says: "a member that was aborted gives a `JoinError` too, and has not panicked",
};
const SKIPS_PANICS: Mistake = Mistake {
    name: "skips_panics",
    says: "a `JoinError` is passed over, and with it the panic of a job",
};
const OTHER_WORDS: Mistake = Mistake {
    name: "other_words",
    says: "it panics with words of its own, and what the job has said is lost",
};
const BUSY: Mistake = Mistake {
    name: "busy",
    says: "it asks again and again who is over, and does not wait to be told",
};

fn main() -> ExitCode {
    Check::new("15_at_most")
        .case("without jobs there are no outputs, and of one job there is one", few)
        .case("with room for all, three jobs take as long as the longest", room_for_all)
        .case("the outputs are in the order in which the jobs end", order)
        .case("of six jobs never more than two run at once", never_more)
        .case("when a job ends, the next one begins", next_begins)
        .case("a job is taken from the iterator when there is room for it", taken)
        .case("when it is dropped, its jobs are dropped too", dropped)
        .case("at the first error the others are gone, and then it gives the error", error)
        .case("the panic of a job goes on in who awaits", panics)
        .run()
}

/// How a job ends.
#[derive(Clone, Copy)]
enum End {
    Output,
    Error,
    Panic,
}

/// Its name, how many milliseconds it takes, and how it ends.
type Job = (char, u64, End);

type Outputs = Result<Vec<char>, char>;

/// What the jobs of a run have written down.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<Entry>>>);

#[derive(Clone, Copy)]
struct Entry {
    job: char,
    what: What,
    at: Duration,
    /// The record of the trace at that point.
    record: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Taken,
    Begins,
    Ends,
    /// Before it has ended.
    Dropped,
}

impl Log {
    fn write(&self, job: char, what: What) {
        let trace = trace::current().unwrap_or_default();
        self.0.borrow_mut().push(Entry {
            job,
            what,
            at: trace.end(),
            record: trace.records().len().saturating_sub(1),
        });
    }

    fn entries(&self) -> Vec<Entry> {
        self.0.borrow().clone()
    }

    fn of(&self, what: What) -> Vec<Entry> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.what == what);
        entries
    }

    /// When this job has ended.
    fn end_of(&self, job: char) -> Entry {
        let end = self.of(What::Ends).into_iter().find(|entry| entry.job == job);
        end.unwrap_or_else(|| panic!("the check asks when {job} has ended, which it has not"))
    }

    /// The first entry after which more than `most` have come and not gone.
    fn first_above(&self, most: usize, comes: What, goes: What) -> Option<Entry> {
        let mut count = 0;
        self.entries().into_iter().find(|entry| {
            count += usize::from(entry.what == comes);
            count -= usize::from(entry.what == goes);
            count > most
        })
    }
}

/// Tells whether a job was dropped before its end.
struct Running {
    job: char,
    log: Log,
    has_ended: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        let what = if self.has_ended { What::Ends } else { What::Dropped };
        self.log.write(self.job, what);
    }
}

async fn run((job, millis, end): Job, log: Log) -> Result<char, char> {
    log.write(job, What::Begins);
    let mut running = Running {
        job,
        log,
        has_ended: false,
    };
    sleep(Duration::from_millis(millis)).await;
    running.has_ended = true;
    match end {
        End::Output => Ok(job),
        End::Error => Err(job),
        End::Panic => panic!("{LOST}"),
    }
}

/// With what a job panics.
const LOST: &str = "the job is lost";

fn jobs(
    log: &Log,
    jobs: &'static [Job],
) -> impl Iterator<Item = impl Future<Output = Result<char, char>> + 'static> {
    let log = log.clone();
    jobs.iter().map(move |&job| {
        log.write(job.0, What::Taken);
        run(job, log.clone())
    })
}

/// Runs these, and says how long it took.
fn all(case: &Case, k: usize, all: &'static [Job]) -> (Outputs, Log, Duration) {
    case.if_it_never_ends(BUSY);
    let log = Log::default();
    let (outputs, time) = case.block_on(async {
        let start = Instant::now();
        let outputs = at_most(k, jobs(&log, all)).await;
        (outputs, start.elapsed())
    });
    (outputs, log, time)
}

/// "0.3 s"
fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// The last poll of a run, for what is seen only in its end.
fn last_poll(case: &Case) -> usize {
    case.polls().last().map_or(0, |poll| poll.began)
}

fn told(outputs: &Outputs) -> String {
    match outputs {
        Ok(outputs) => format!("the outputs [{}]", outputs.iter().collect::<String>()),
        Err(error) => format!("the error {error}"),
    }
}

fn expect_outputs(case: &Case, got: &Outputs, expected: &str, mistake: Option<Mistake>) {
    let got = told(got);
    if got != expected {
        let wrong = Wrong::new(expected, got).looks_like(mistake);
        case.is_wrong(wrong.at(last_poll(case), "this is the result"));
    }
}

fn few(case: &Case) {
    let (outputs, ..) = all(case, 1, &[]);
    expect_outputs(case, &outputs, "the outputs []", None);
    let (outputs, ..) = all(case, 1, &[('a', 100, End::Output)]);
    expect_outputs(case, &outputs, "the outputs [a]", None);
}

const THREE: &[Job] = &[
    ('a', 300, End::Output),
    ('b', 100, End::Output),
    ('c', 200, End::Output),
];

fn room_for_all(case: &Case) {
    let (_, log, time) = all(case, 3, THREE);
    let late = log.of(What::Begins).into_iter().find(|job| job.at > Duration::ZERO);
    if let Some(late) = late {
        let wrong = Wrong::new("0.3 s", seconds(time));
        let mistake = (time.as_millis() == 600).then_some(ONE_BY_ONE);
        let what = format!("{} begins only here", late.job);
        case.is_wrong(wrong.at(late.record, what).looks_like(mistake));
    }
    if time.as_millis() != 300 {
        let wrong = Wrong::new("0.3 s", seconds(time));
        case.is_wrong(wrong.at(last_poll(case), "this is the end"));
    }
}

fn order(case: &Case) {
    let (outputs, ..) = all(case, 3, THREE);
    let is_theirs = outputs.as_ref().is_ok_and(|outputs| outputs == &['a', 'b', 'c']);
    expect_outputs(case, &outputs, "the outputs [bca]", is_theirs.then_some(ORDER_OF_JOBS));
}

const SIX: &[Job] = &[
    ('a', 100, End::Output),
    ('b', 200, End::Output),
    ('c', 300, End::Output),
    ('d', 100, End::Output),
    ('e', 200, End::Output),
    ('f', 300, End::Output),
];

fn never_more(case: &Case) {
    let (outputs, log, _) = all(case, 2, SIX);
    if let Some(third) = log.first_above(2, What::Begins, What::Ends) {
        let is_last = log.first_above(3, What::Begins, What::Ends).is_none();
        let mistake = if is_last { ONE_TOO_MANY } else { ALL_AT_ONCE };
        let wrong = Wrong::new("2 at once", 3).looks_like(mistake);
        case.is_wrong(wrong.at(third.record, format!("{} is the third", third.job)));
    }
    let sorted = outputs.map(|mut outputs| {
        outputs.sort_unstable();
        outputs
    });
    expect_outputs(case, &sorted, "the outputs [abcdef]", None);
}

fn next_begins(case: &Case) {
    let jobs = &[
        ('a', 300, End::Output),
        ('b', 100, End::Output),
        ('c', 100, End::Output),
        ('d', 200, End::Output),
    ];
    let (_, log, _) = all(case, 2, jobs);
    let begins = log.of(What::Begins);
    for (job, millis) in [('a', 0), ('b', 0), ('c', 100), ('d', 200)] {
        let begin = begins.iter().find(|entry| entry.job == job);
        let Some(begin) = begin else {
            let wrong = Wrong::new(format!("that {job} begins"), "an end without it");
            case.is_wrong(wrong.at(last_poll(case), "this is the end"));
        };
        let expected = Duration::from_millis(millis);
        if begin.at != expected {
            let wrong = Wrong::new(
                format!("that {job} begins at {}", seconds(expected)),
                seconds(begin.at),
            );
            let late = (begin.at > expected).then_some(IN_BATCHES);
            let what = format!("{job} begins only here");
            case.is_wrong(wrong.at(begin.record, what).looks_like(late));
        }
    }
}

fn taken(case: &Case) {
    let (_, log, _) = all(case, 2, SIX);
    // One ahead is no harm: who has it in a `for` loop waits for room then.
    if let Some(early) = log.first_above(3, What::Taken, What::Ends) {
        let wrong = Wrong::new("2 jobs, and perhaps the next one", "4, and none has ended");
        let what = format!("{} is taken", early.job);
        case.is_wrong(wrong.at(early.record, what).looks_like(TAKES_ALL));
    }
}

fn dropped(case: &Case) {
    case.if_it_never_ends(BUSY);
    let log = Log::default();
    let limit = Duration::from_millis(150);
    let long = &[
        ('a', 100, End::Output),
        ('b', 1_000, End::Output),
        ('c', 1_000, End::Output),
    ];
    case.block_on(async {
        let _late = timeout(limit, at_most(2, jobs(&log, long))).await;
        sleep(Duration::from_secs(5)).await;
    });
    if let Some(late) = log.entries().into_iter().find(|entry| entry.at > limit) {
        let what = match late.what {
            What::Taken | What::Begins => "begins",
            What::Ends => "ends",
            What::Dropped => "is dropped",
        };
        let got = format!("that {} {what} at {}", late.job, seconds(late.at));
        let wrong = Wrong::new("that b and c are dropped at 0.15 s", got).looks_like(DETACHES);
        case.is_wrong(wrong.at(late.record, format!("{} {what}", late.job)));
    }
}

fn error(case: &Case) {
    case.if_it_never_ends(BUSY);
    case.if_it_panics(ABORTED_IS_NO_PANIC); // No job does.
    let all = &[
        ('a', 100, End::Output),
        ('b', 200, End::Error),
        ('c', 400, End::Output),
        ('d', 400, End::Output),
        ('e', 100, End::Output),
    ];
    let log = Log::default();
    let (outputs, time, dropped) = case.block_on(async {
        let start = Instant::now();
        let outputs = at_most(3, jobs(&log, all)).await;
        (outputs, start.elapsed(), log.of(What::Dropped))
    });
    if time.as_millis() != 200 {
        let wrong = Wrong::new("the error at 0.2 s", seconds(time)).looks_like(WAITS_FOR_ALL);
        case.is_wrong(wrong.at(log.end_of('b').record, "b ends with an error"));
    }
    expect_outputs(case, &outputs, "the error b", None);
    if let Some(begin) = log.of(What::Begins).into_iter().find(|entry| entry.job == 'e') {
        let wrong = Wrong::new("no new job after an error", "that e begins");
        case.is_wrong(wrong.at(begin.record, "e begins"));
    }
    let is_gone = |job: char| dropped.iter().any(|entry| entry.job == job);
    if let Some(left) = ['c', 'd'].into_iter().find(|&job| !is_gone(job)) {
        let wrong = Wrong::new("c and d dropped when it is ready", format!("{left} still there"));
        let wrong = wrong.looks_like(GONE_A_TURN_LATER);
        case.is_wrong(wrong.at(last_poll(case), format!("it is ready, and {left} is there")));
    }
}

fn panics(case: &Case) {
    let jobs = &[('a', 100, End::Panic), ('b', 300, End::Output)];
    match catch_unwind(AssertUnwindSafe(|| all(case, 2, jobs))) {
        Err(payload) => match words(&*payload) {
            said if said.contains(LOST) => {}
            // It is none.
            "" => resume_unwind(payload),
            said if said.starts_with("the executor has stalled") => resume_unwind(payload),
            said => {
                let wrong =
                    Wrong::new(format!("the panic of the job, {LOST:?}"), format!("{said:?}"));
                case.is_wrong(wrong.at(last_poll(case), "panics").looks_like(OTHER_WORDS));
            }
        },
        Ok((outputs, log, _)) => {
            let wrong = Wrong::new("a panic", told(&outputs)).looks_like(SKIPS_PANICS);
            case.is_wrong(wrong.at(log.end_of('a').record, "a panics"));
        }
    }
}

/// What a panic said: as the job did, or in the words of who unwraps its `JoinError`.
fn words(payload: &dyn Any) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    literal
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default()
}
