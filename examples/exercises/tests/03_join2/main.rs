//! Exercise 03: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_03");

use answer::{Boxed, Join2, boxed, join2};
use handspun::task::yield_now;
use handspun_exercises::{Case, Check, Mistake, Wrong, spawn};
use std::cell::{Cell, RefCell};
use std::future::{Future, Ready, pending, poll_fn};
use std::marker::{PhantomData, PhantomPinned};
use std::pin::Pin;
use std::process::ExitCode;
use std::ptr;
use std::rc::Rc;
use std::task::{Context, Poll};

const ONE_BY_ONE: Mistake = Mistake {
    name: "one_by_one",
    says: "it does not poll the second child while the first is pending",
};
const POLLED_AFTER_READY: Mistake = Mistake {
    name: "polled_after_ready",
    says: "it polls a child once more that was ready; its output must be kept until the other \
           is there",
};
const KEEPS_CHILD: Mistake = Mistake {
    name: "keeps_child",
    says: "a child that is ready is not dropped before the other is ready, too; whatever it \
           holds is held for longer",
};
const LOSES_OUTPUT: Mistake = Mistake {
    name: "loses_output",
    says: "both children were ready, but the output of the first was gone when the second came",
};
const READY_LATE: Mistake = Mistake {
    name: "ready_late",
    says: "it looks whether both are ready, and then polls them; so it needs a poll more, for \
           which no child has asked",
};
const WAKES_ITSELF: Mistake = Mistake {
    name: "wakes_itself",
    says: "it calls the waker because it is Pending; its children have that waker, and call it \
           when there is news",
};
const WAITS_INSIDE: Mistake = Mistake {
    name: "waits_inside",
    says: "it polls a child that is pending again in the same poll, and so nobody else has a turn",
};
const MOVES_CHILD: Mistake = Mistake {
    name: "moves_child",
    says: "a child that has been polled is moved: taken out of its place, or never put into one",
};
const DROPS_ELSEWHERE: Mistake = Mistake {
    name: "drops_elsewhere",
    says: "a child that is ready is moved out, and dropped there; `set(None)` drops it where it \
           lies",
};
const ALLOCATES: Mistake = Mistake {
    name: "allocates",
    says: "the child lies in a box of its own, as in step 1; now it is to be a field",
};
const UNPIN_FOR_ALL: Mistake = Mistake {
    name: "unpin_for_all",
    says: "with `impl Unpin` for it, safe code may move it with its children in it; that makes \
           the projection unsound",
};

const NEVER_UNPIN: Mistake = Mistake {
    name: "never_unpin",
    says: "it may not be moved even if its children may; without a `PhantomPinned`, or an `impl` \
           of `Unpin`, the compiler says of it what it says of the children",
};

fn main() -> ExitCode {
    Check::new("03_join2")
        .case("step 1: if both children are ready, it is ready in the same poll", |case| {
            joins(case, boxed, 1, 1);
        })
        .case("step 1: a poll polls both children, if both are pending", |case| {
            joins(case, boxed, 3, 3);
        })
        .case("step 1: who is ready is not polled again", |case| one_after_the_other(case, boxed))
        .case("step 1: who is ready is dropped at once", |case| drops_at_once(case, boxed))
        .case("step 2: it does the same as step 1, and no child is moved", |case| {
            joins(case, join2, 1, 1);
            joins(case, join2, 3, 3);
            one_after_the_other(case, join2);
            drops_at_once(case, join2);
        })
        .case("step 2: no child is moved when it is dropped in the middle", dropped)
        .case("step 2: the children lie in the join itself", in_place)
        .case("while both children wait, nobody wakes it", |case| {
            waits(case, boxed(pending::<()>(), pending::<()>()));
            waits(case, join2(pending::<()>(), pending::<()>()));
        })
        .case("a Boxed may be moved; a Join2 only if its children may", may_be_moved)
        .run()
}

// The children.

thread_local! {
    /// What is done in this poll.
    static TRACE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Looks where it is, each time. It may not be moved.
struct Child {
    name: &'static str,
    ready_in: usize,
    polls: Cell<usize>,
    /// The address at which it was polled first.
    home: Rc<Cell<usize>>,
    _pinned: PhantomPinned,
}

impl Child {
    /// Ready in this poll.
    fn new(name: &'static str, ready_in: usize) -> Child {
        Child {
            name,
            ready_in,
            polls: Cell::new(0),
            home: Rc::default(),
            _pinned: PhantomPinned,
        }
    }

    fn trace(&self, what: &str) {
        TRACE.with_borrow_mut(|trace| trace.push(format!("{} {what}", self.name)));
    }

    fn is_moved(&self) -> bool {
        let here = ptr::from_ref(self).addr();
        let home = self.home.get();
        home != 0 && home != here
    }
}

impl Future for Child {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.polls.set(self.polls.get() + 1);
        if self.is_moved() {
            self.trace(MOVED);
        }
        self.home.set(ptr::from_ref(&*self).addr());
        if self.polls.get() < self.ready_in {
            self.trace(PENDING);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.trace(if self.polls.get() == self.ready_in { READY } else { POLLED_AGAIN });
        Poll::Ready(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let was_ready = self.polls.get() >= self.ready_in;
        self.trace(match self.is_moved() {
            false => DROPPED,
            true if was_ready => DROPPED_ELSEWHERE,
            true => MOVED,
        });
    }
}

const PENDING: &str = "Pending";
const READY: &str = "Ready";
const DROPPED: &str = "dropped";
const DROPPED_ELSEWHERE: &str = "dropped elsewhere";
const MOVED: &str = "moved";
const POLLED_AGAIN: &str = "polled after Ready";

// The cases.

/// What was traced in a poll of the root, as a mark in the run.
struct Marked;

impl Drop for Marked {
    fn drop(&mut self) {
        let trace = TRACE.take();
        if !trace.is_empty() {
            handspun::trace::mark(&trace.join(", "));
        }
    }
}

/// What is done in each poll.
type Polls = Vec<Vec<String>>;

/// Polls a join to its end, or so often.
async fn polled<J>(mut join: Pin<&mut J>, most: usize) -> (Polls, Option<J::Output>)
where
    J: Future,
{
    let mut polls = Polls::new();
    let output = poll_fn(|cx| {
        let _marked = Marked;
        let answer = join.as_mut().poll(cx);
        polls.push(TRACE.with_borrow(Vec::clone));
        match answer {
            Poll::Ready(output) => return Poll::Ready(Some(output)),
            Poll::Pending if polls.len() == most => return Poll::Ready(None),
            // The last poll comes also if no child asks for it.
            Poll::Pending if polls.len() + 1 == most => cx.waker().wake_by_ref(),
            Poll::Pending => {}
        }
        Poll::Pending
    })
    .await;
    (polls, output)
}

/// What is to be done, if they are ready in these polls.
fn expected(a: usize, b: usize) -> Polls {
    let in_poll = |poll: usize| {
        let of_child = |(name, ready_in): (&str, usize)| match ready_in {
            _ if poll < ready_in => vec![format!("{name} {PENDING}")],
            _ if poll == ready_in => vec![format!("{name} {READY}"), format!("{name} {DROPPED}")],
            _ => Vec::new(),
        };
        [("a", a), ("b", b)].into_iter().flat_map(of_child).collect()
    };
    (1..=a.max(b)).map(in_poll).collect()
}

fn one_after_the_other<J>(case: &Case, join: fn(Child, Child) -> J)
where
    J: Future<Output = ((), ())>,
{
    joins(case, join, 1, 3);
    joins(case, join, 3, 1);
}

/// Who is ready first is dropped then. The last one may stay until the join is dropped.
fn drops_at_once<J>(case: &Case, join: fn(Child, Child) -> J)
where
    J: Future<Output = ((), ())>,
{
    for (a, b) in [(1, 3), (3, 1)] {
        let polls = joins(case, join, a, b);
        let before_the_last = &expected(a, b)[..2];
        compare(case, before_the_last, &polls);
    }
}

/// Ready in these polls: each of them is polled as it should be. When it is dropped is not asked.
fn joins<J>(case: &Case, join: fn(Child, Child) -> J, a: usize, b: usize) -> Polls
where
    J: Future<Output = ((), ())>,
{
    let expected = expected(a, b);
    let most = expected.len() + 1;
    let (polls, output) = case.block_on(async {
        let mut join = Box::pin(join(Child::new("a", a), Child::new("b", b)));
        polled(join.as_mut(), most).await
    });
    // What was done when all was dropped.
    TRACE.take();
    compare(case, &without_drops(&expected), &without_drops(&polls));
    // The outputs have types of their own: whoever has them, has the right ones.
    if polls.len() == most {
        let wrong = Wrong::new(format!("Ready in poll {}", expected.len()), "Pending");
        let wrong = wrong.at(record(case, expected.len()), "both are ready");
        case.is_wrong(wrong.looks_like(if output.is_none() { LOSES_OUTPUT } else { READY_LATE }));
    }
    polls
}

fn without_drops(polls: &[Vec<String>]) -> Polls {
    let mut polls = polls.to_vec();
    polls.iter_mut().for_each(|done| done.retain(|what| !what.ends_with(DROPPED)));
    polls
}

/// The last record of this poll.
fn record(case: &Case, poll: usize) -> usize {
    case.polls_of("root")[poll - 1].last()
}

/// In each poll the same is done, in whichever order.
fn compare(case: &Case, expected: &[Vec<String>], polls: &[Vec<String>]) {
    for (nth, (should, does)) in (1..).zip(expected.iter().zip(polls)) {
        let Some((what, mistake)) = difference(should, does) else {
            continue;
        };
        let quoted = |done: &[String]| match done {
            [] => "nothing".to_string(),
            _ => format!("\"{}\"", done.join(", ")),
        };
        let wrong = Wrong::new(format!("{} in poll {nth}", quoted(should)), quoted(does));
        case.is_wrong(wrong.at(record(case, nth), what).looks_like(mistake));
    }
}

/// What should not have been done, or else what should, and was not.
fn difference(should: &[String], does: &[String]) -> Option<(String, Option<Mistake>)> {
    let count = |done: &[String], what: &String| done.iter().filter(|other| *other == what).count();
    let name = |what: &str| what.split(' ').next().unwrap_or_default().to_string();
    if let Some(what) = does.iter().find(|what| count(does, what) > count(should, what)) {
        let known = [
            (POLLED_AGAIN, POLLED_AFTER_READY),
            (DROPPED_ELSEWHERE, DROPS_ELSEWHERE),
            (MOVED, MOVES_CHILD),
        ];
        if let Some((ending, mistake)) = known.iter().find(|(ending, _)| what.ends_with(ending)) {
            return Some((format!("{} is {ending}", name(what)), Some(*mistake)));
        }
        let again = (count(does, what) > 1).then_some(WAITS_INSIDE);
        return Some((format!("not expected: {what}"), again));
    }
    let missing = should.iter().find(|what| count(does, what) < count(should, what))?;
    Some(match missing.ends_with(DROPPED) {
        true => (format!("{} is not dropped", name(missing)), Some(KEEPS_CHILD)),
        false => {
            (format!("{} is not polled", name(missing)), (!does.is_empty()).then_some(ONE_BY_ONE))
        }
    })
}

/// Polled twice, and dropped in the next poll of the root.
fn dropped(case: &Case) {
    let (mut polls, at_last) = case.block_on(async {
        let mut join = Box::pin(join2(Child::new("a", 3), Child::new("b", 3)));
        let (polls, _) = polled(join.as_mut(), 2).await;
        yield_now().await;
        let _marked = Marked;
        drop(join);
        (polls, TRACE.with_borrow(Vec::clone))
    });
    polls.push(at_last);
    let mut expected = expected(3, 3);
    expected[2] = ["a", "b"].map(|name| format!("{name} {DROPPED}")).to_vec();
    compare(case, &expected, &polls);
}

fn in_place(case: &Case) {
    let (a, b) = (Child::new("a", 2), Child::new("b", 2));
    let homes = [("a", a.home.clone()), ("b", b.home.clone())];
    let inside = case.block_on(async {
        let mut join = Box::pin(join2(a, b));
        polled(join.as_mut(), 1).await;
        let begin = ptr::from_ref(&*join).addr();
        begin..begin + size_of_val(&*join)
    });
    for (name, home) in homes {
        if !inside.contains(&home.get()) {
            let wrong = Wrong::new(format!("child {name} inside of the join"), "one outside of it");
            let what = format!("{name} is polled, and not inside of the join");
            case.is_wrong(wrong.at(record(case, 1), what).looks_like(ALLOCATES));
        }
    }
}

/// Its children are never ready, and call no waker.
fn waits(case: &Case, join: impl Future + 'static) {
    case.block_on(async {
        let _waits = spawn("join", async { drop(join.await) });
        yield_now().await;
        yield_now().await;
    });
    case.expect_polls("join", 1, &[WAKES_ITSELF; 2]);
}

/// Whether a type is `Unpin`: the method of the type goes before that of the trait, if it is there.
struct Is<T>(PhantomData<T>);

impl<T: Unpin> Is<T> {
    fn unpin(&self) -> bool {
        true
    }
}

#[allow(dead_code, reason = "both types of the starter are Unpin")]
trait Otherwise {
    fn unpin(&self) -> bool {
        false
    }
}

impl<T> Otherwise for Is<T> {}

fn may_be_moved(case: &Case) {
    if !Is::<Boxed<Child, Child>>(PhantomData).unpin() {
        case.is_wrong(Wrong::new("a Boxed that is Unpin", "one that is not"));
    }
    if Is::<Join2<Child, Child>>(PhantomData).unpin() {
        let wrong = Wrong::new("a Join2 that is not Unpin, like its children", "one that is");
        case.is_wrong(wrong.looks_like(UNPIN_FOR_ALL));
    }
    if !Is::<Join2<Ready<()>, Ready<()>>>(PhantomData).unpin() {
        let wrong = Wrong::new("a Join2 that is Unpin, like its children", "one that is not");
        case.is_wrong(wrong.looks_like(NEVER_UNPIN));
    }
}
