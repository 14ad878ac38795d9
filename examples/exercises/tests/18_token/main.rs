//! Exercise 18: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_18");

use answer::Token;
use handspun::sync::oneshot;
use handspun::task::yield_now;
use handspun::time::{Duration, Instant, sleep};
use handspun::trace;
use handspun_exercises::{Call, Case, Check, Mistake, Wrong, hostile_waker, spawn};
use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

const WAKES_NOBODY: Mistake = Mistake {
    name: "wakes_nobody",
    says: "`cancel` raises a flag, and who waits for that is not told",
};
const BUSY: Mistake = Mistake {
    name: "busy",
    says: "a wait asks to be polled again and again; it has to leave its waker for who cancels",
};
const ONE_WAKER: Mistake = Mistake {
    name: "one_waker",
    says: "there is room for one waker, and who waits last takes it from the others",
};
const CHILD_IS_CLONE: Mistake = Mistake {
    name: "child_is_clone",
    says: "the child is its parent once more; cancelled, it takes the parent with it",
};
const DROP_CANCELS: Mistake = Mistake {
    name: "drop_cancels",
    says: "a parent that is gone counts as cancelled; but only `cancel` cancels",
};
const LATE_CHILD: Mistake = Mistake {
    name: "late_child",
    says: "a cancel is passed on to the children that there are, and this one came later",
};
const CHILD_NOT_WOKEN: Mistake = Mistake {
    name: "child_not_woken",
    says: "who waits for a child has left its waker with the child, where a cancel of the parent \
           does not come by",
};
const GONE_BETWEEN: Mistake = Mistake {
    name: "gone_between",
    says: "a parent keeps its children by Weak, and nobody holds the one between any more; with \
           it went the link to those below",
};
const SAME_NUMBER: Mistake = Mistake {
    name: "same_number",
    says: "each node numbers its own waits; above it two have one number, and one waker is lost",
};
const LEAVES_WAKERS: Mistake = Mistake {
    name: "leaves_wakers",
    says: "a wait that is dropped does not take its waker back",
};
const WAKER_PER_POLL: Mistake = Mistake {
    name: "waker_per_poll",
    says: "each poll leaves one more waker; only the last one counts, and takes the place of the \
           one before",
};
const FIRST_WAKER: Mistake = Mistake {
    name: "first_waker",
    says: "it keeps the waker of its first poll; each poll brings the one that counts from then on",
};
const WAKES_WHILE_BORROWED: Mistake = Mistake {
    name: "wakes_while_borrowed",
    says: "a waker is called while the `RefCell` is borrowed, and comes back to it",
};
const DROPS_WHILE_BORROWED: Mistake = Mistake {
    name: "drops_while_borrowed",
    says: "a waker is dropped while the `RefCell` is borrowed, at the `;` that ends the borrow; \
           give it a name, so that it lives a line longer",
};
const CLONES_WHILE_BORROWED: Mistake = Mistake {
    name: "clones_while_borrowed",
    says: "a waker is cloned while the `RefCell` is borrowed, and comes back to it; in \
           `x.borrow_mut().insert(y.clone())` the borrow comes first",
};
const LOOKS_TOO_EARLY: Mistake = Mistake {
    name: "looks_too_early",
    says: "it looks at the token, and then it leaves its waker; who cancels in between, as a \
           waker may do that is cloned or dropped, wakes nobody",
};
const WAKES_ONE_BY_ONE: Mistake = Mistake {
    name: "wakes_one_by_one",
    says: "some are woken when others are not cancelled yet; first cancel all, then wake",
};
const LOOKS_WHEN_POLLED: Mistake = Mistake {
    name: "looks_when_polled",
    says: "it looks at the token when its future is woken, and does not wait for the token too",
};
const OUTPUT_LOST: Mistake = Mistake {
    name: "output_lost",
    says: "the token is asked before the future; and an output that was there is dropped",
};
const BEGINS_ANYWAY: Mistake = Mistake {
    name: "begins_anyway",
    says: "the future is polled before anybody has looked at the token",
};

fn main() -> ExitCode {
    Check::new("18_token")
        .case("who waits for a token is woken when it is cancelled", woken)
        .case("all are woken who wait for a token or for a clone of it", all_woken)
        .case("a parent cancels all below it, a child nobody above or beside it", tree)
        .case("who waits below is woken, also if nobody has the tokens between", below)
        .case("a wait leaves one waker, and when it is dropped, none", wakers)
        .case("a wait that goes on in another task wakes that one", moves)
        .case("who is woken finds all cancelled, and may come back to the token", comes_back)
        .case("a waker that is dropped may come back to the token, too", dropped)
        .case("a waker that is cloned may do so, too", cloned)
        .case("a cancel that comes in the middle of a poll is not lost", in_a_poll)
        .case("`run_until_cancelled` gives the output, or drops the future in time", run_until)
        .case("what is ready at once is not lost; what is too late is not begun", at_once)
        .run()
}

const TENTH: Duration = Duration::from_millis(100);

/// The last record so far, in a run that goes on.
fn now() -> usize {
    trace::current().map_or(0, |trace| trace.records().len().saturating_sub(1))
}

async fn wait_for(token: Token) {
    token.cancelled().await;
}

/// What a token says at a point of a run, and what it should.
struct Claim {
    whose: &'static str,
    expected: bool,
    got: bool,
    at: usize,
    mistake: Option<Mistake>,
}

/// What is claimed during a run, to be looked at in its end.
#[derive(Default)]
struct Claims(RefCell<Vec<Claim>>);

impl Claims {
    fn push(
        &self,
        whose: &'static str,
        token: &Token,
        expected: bool,
        mistake: impl Into<Option<Mistake>>,
    ) {
        self.0.borrow_mut().push(Claim {
            whose,
            expected,
            got: token.is_cancelled(),
            at: now(),
            mistake: mistake.into(),
        });
    }

    fn expect(self, case: &Case) {
        let told = |is_cancelled| if is_cancelled { "cancelled" } else { "not cancelled" };
        let claims = self.0.into_inner();
        if let Some(claim) = claims.into_iter().find(|claim| claim.got != claim.expected) {
            let Claim { whose, got, .. } = claim;
            let expected = format!("that {whose} is {}", told(claim.expected));
            let got_so = if got { "that it is" } else { "that it is not" };
            let wrong = Wrong::new(expected, got_so).looks_like(claim.mistake);
            case.is_wrong(wrong.at(claim.at, format!("{whose} is {}", told(got))));
        }
    }
}

/// These are equal, and if not, it shows in the last poll of the run.
fn expect<T: PartialEq + Display>(
    case: &Case,
    got: T,
    expected: T,
    mistake: impl Into<Option<Mistake>>,
) {
    if got != expected {
        let last = case.polls().last().map_or(0, |poll| poll.began);
        let wrong = Wrong::new(expected, got).looks_like(mistake);
        case.is_wrong(wrong.at(last, "this is the result"));
    }
}

fn woken(case: &Case) {
    case.if_it_stalls(WAKES_NOBODY);
    case.if_it_never_ends(BUSY);
    let claims = Claims::default();
    case.block_on(async {
        let token = Token::new();
        claims.push("the token", &token, false, None);
        let waits = spawn("waits", wait_for(token.clone()));
        sleep(TENTH).await;
        claims.push("the token", &token, false, None);
        token.cancel();
        claims.push("the token", &token, true, None);
        waits.await.unwrap();
        // And who comes late is not told to wait.
        token.cancelled().await;
    });
    claims.expect(case);
    case.expect_polls("waits", 2, &[]);
}

fn all_woken(case: &Case) {
    case.if_it_stalls(ONE_WAKER);
    case.block_on(async {
        let token = Token::new();
        let waits = ["a", "b", "c"].map(|name| spawn(name, wait_for(token.clone())));
        sleep(TENTH).await;
        token.clone().cancel();
        for wait in waits {
            wait.await.unwrap();
        }
    });
}

fn tree(case: &Case) {
    let claims = Claims::default();
    case.block_on(async {
        let orphan = Token::new().child_token();
        claims.push("a child whose parent was dropped", &orphan, false, DROP_CANCELS);
        let parent = Token::new();
        let (a, b) = (parent.child_token(), parent.child_token());
        let below_a = a.child_token();
        claims.push("a", &a, false, None);
        b.cancel();
        claims.push("b", &b, true, None);
        claims.push("the parent of b", &parent, false, CHILD_IS_CLONE);
        claims.push("a, beside b,", &a, false, None);
        yield_now().await;
        parent.cancel();
        claims.push("the parent", &parent, true, None);
        claims.push("a, below it,", &a, true, None);
        claims.push("the child of a", &below_a, true, None);
        yield_now().await;
        let late = parent.child_token();
        claims.push("a late child", &late, true, LATE_CHILD);
        claims.push("the child of a late child", &late.child_token(), true, LATE_CHILD);
    });
    claims.expect(case);
}

fn below(case: &Case) {
    case.if_it_stalls(CHILD_NOT_WOKEN);
    case.block_on(async {
        let parent = Token::new();
        let child = parent.child_token();
        let waits = spawn("child", wait_for(child));
        sleep(TENTH).await;
        parent.cancel();
        waits.await.unwrap();
    });
    case.if_it_stalls(GONE_BETWEEN);
    case.block_on(async {
        let parent = Token::new();
        let child = parent.child_token().child_token().child_token();
        let waits = spawn("below", wait_for(child));
        sleep(TENTH).await;
        parent.cancel();
        waits.await.unwrap();
    });
    case.if_it_stalls(SAME_NUMBER);
    case.block_on(async {
        let parent = Token::new();
        let tokens = [parent.child_token(), parent.child_token(), parent.clone()];
        let waits = tokens.map(|token| spawn("one of three", wait_for(token)));
        sleep(TENTH).await;
        parent.cancel();
        for wait in waits {
            wait.await.unwrap();
        }
    });
}

/// A waker that does nothing; but it can be counted, how many there are.
struct Counted;

impl Wake for Counted {
    fn wake(self: Arc<Self>) {}
}

fn wakers(case: &Case) {
    let counted = Arc::new(Counted);
    let waker = Waker::from(counted.clone());
    let cx = &mut Context::from_waker(&waker);
    let left = || Arc::strong_count(&counted) - 2;
    for token in [Token::new(), Token::new().child_token()] {
        let mut wait = Box::pin(token.cancelled());
        let _pending = wait.as_mut().poll(cx);
        let of_one_poll = left();
        for _ in 0..999 {
            let _pending = wait.as_mut().poll(cx);
        }
        // In a tree it may lie with each of those above.
        if left() != of_one_poll {
            let expected = format!("as many wakers after 1000 polls as after one: {of_one_poll}");
            case.is_wrong(Wrong::new(expected, left()).looks_like(WAKER_PER_POLL));
        }
        drop(wait);
        for _ in 0..999 {
            let _pending = Box::pin(token.cancelled()).as_mut().poll(cx);
        }
        if left() != 0 {
            let wrong = Wrong::new("no waker after 1000 waits that were dropped", left());
            case.is_wrong(wrong.looks_like(LEAVES_WAKERS));
        }
    }
}

fn moves(case: &Case) {
    case.if_it_stalls(FIRST_WAKER);
    case.block_on(async {
        let token = Token::new();
        let mut wait = Box::pin(wait_for(token.clone()));
        // One poll here, with the waker of the root.
        poll_fn(|cx| {
            let _pending = wait.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        let other = spawn("other", wait);
        sleep(TENTH).await;
        token.cancel();
        other.await.unwrap();
    });
}

type Wait = Pin<Box<dyn Future<Output = ()>>>;

/// A tree of tokens, waits for them, and what their wakers have seen.
struct Tree {
    parent: Token,
    children: [Token; 2],
    waits: RefCell<Vec<Wait>>,
    cancelled: RefCell<Vec<usize>>,
}

/// What the waker of a wait does with the tree.
type Deed = fn(&Tree);

thread_local! {
    static TREE: RefCell<Option<Rc<Tree>>> = const { RefCell::new(None) };
}

/// A waker that comes back to the tokens: on this thread, and at once. That of a task would not.
struct ComesBack(Deed);

impl Wake for ComesBack {
    fn wake(self: Arc<Self>) {
        // A clone: here nothing of the tree is dropped, if this panics.
        if let Some(tree) = TREE.with_borrow(Clone::clone) {
            (self.0)(&tree);
        }
    }
}

impl Tree {
    /// Cancels a tree when somebody waits for each of its tokens, with a waker that does this.
    fn cancelled(deed: Deed) -> Rc<Tree> {
        let parent = Token::new();
        let tree = Rc::new(Tree {
            children: [parent.child_token(), parent.child_token()],
            parent,
            waits: RefCell::default(),
            cancelled: RefCell::default(),
        });
        let waker = Waker::from(Arc::new(ComesBack(deed)));
        for token in tree.tokens() {
            let mut wait = Box::pin(wait_for(token.clone()));
            let _pending = wait.as_mut().poll(&mut Context::from_waker(&waker));
            tree.waits.borrow_mut().push(wait);
        }
        TREE.set(Some(tree.clone()));
        tree.parent.cancel();
        TREE.set(None);
        tree
    }

    fn tokens(&self) -> impl Iterator<Item = &Token> {
        [&self.parent].into_iter().chain(&self.children)
    }

    fn count(&self) {
        let cancelled = self.tokens().filter(|token| token.is_cancelled()).count();
        self.cancelled.borrow_mut().push(cancelled);
    }

    /// What a waker may do: each time it is called there is one wait less.
    fn come_back(&self) {
        let wait = self.waits.borrow_mut().pop();
        if wait.is_some() {
            drop(wait);
            self.parent.cancel();
            let cx = &mut Context::from_waker(Waker::noop());
            for token in self.tokens() {
                let _ready = Box::pin(token.cancelled()).as_mut().poll(cx);
            }
        }
    }
}

fn comes_back(case: &Case) {
    case.if_it_panics(WAKES_WHILE_BORROWED);
    let cancelled = Tree::cancelled(Tree::count).cancelled.take();
    if let Some(fewer) = cancelled.iter().find(|&&cancelled| cancelled != 3) {
        let wrong = Wrong::new("3 tokens cancelled when one is woken", fewer);
        case.is_wrong(wrong.looks_like(WAKES_ONE_BY_ONE));
    }
    case.expect_equal("wakes:", cancelled.len(), 3, None);
    Tree::cancelled(Tree::come_back);
}

thread_local! {
    static LAST_WAIT: RefCell<Option<Wait>> = const { RefCell::new(None) };
}

/// A waker that drops a wait when it is dropped.
struct LastWords;

impl Wake for LastWords {
    fn wake(self: Arc<Self>) {}
}

impl Drop for LastWords {
    fn drop(&mut self) {
        // After a panic it does nothing: the first one is what is to be told.
        if !thread::panicking() {
            drop(LAST_WAIT.take());
        }
    }
}

fn dropped(case: &Case) {
    case.if_it_panics(DROPS_WHILE_BORROWED);
    let token = Token::new();
    let waits = || {
        let mut last: Wait = Box::pin(wait_for(token.clone()));
        let _pending = last.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let mut wait = Box::pin(token.cancelled());
        let waker = Waker::from(Arc::new(LastWords));
        let _pending = wait.as_mut().poll(&mut Context::from_waker(&waker));
        LAST_WAIT.set(Some(last));
        wait
    };
    // The first waker is dropped in another poll, the second with its wait.
    let mut wait = waits();
    let _pending = wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    drop(waits());
}

fn cloned(case: &Case) {
    case.if_it_panics(CLONES_WHILE_BORROWED);
    let token = Rc::new(Token::new().child_token());
    let waker = hostile_waker({
        // Weak, for a hostile waker has this as long as there is the thread.
        let token = Rc::downgrade(&token);
        move |call| {
            if let (Call::Clone, Some(token)) = (call, token.upgrade()) {
                let cx = &mut Context::from_waker(Waker::noop());
                let _pending = pin!(token.cancelled()).poll(cx);
            }
        }
    });
    let _pending = pin!(token.cancelled()).poll(&mut Context::from_waker(&waker));
}

/// A waker that cancels a token when this is done with it, the first time since it was armed.
struct Cancels {
    waker: Waker,
    is_armed: Rc<Cell<bool>>,
    is_woken: Rc<Cell<bool>>,
}

impl Cancels {
    fn new(on: Call, token: &Rc<Token>) -> Cancels {
        let (is_armed, is_woken) = (Rc::<Cell<bool>>::default(), Rc::<Cell<bool>>::default());
        let waker = hostile_waker({
            let token = Rc::downgrade(token);
            let (is_armed, is_woken) = (is_armed.clone(), is_woken.clone());
            move |call| {
                is_woken.set(is_woken.get() || call == Call::Wake);
                if let (true, Some(token)) = (call == on, token.upgrade())
                    && is_armed.replace(false)
                {
                    token.cancel();
                }
            }
        });
        Cancels {
            waker,
            is_armed,
            is_woken,
        }
    }
}

fn in_a_poll(case: &Case) {
    for call in [Call::Clone, Call::Drop] {
        let hand = case.by_hand();
        let parent = Rc::new(Token::new());
        let child = parent.child_token();
        let mut wait = pin!(child.cancelled());
        let (first, second) = (Cancels::new(call, &parent), Cancels::new(call, &parent));
        hand.mark("a wait for a child is polled by a first task");
        let _pending = wait.as_mut().poll(&mut Context::from_waker(&first.waker));
        if call == Call::Clone {
            hand.mark("then by a second, whose waker is cloned: it cancels the parent");
            second.is_armed.set(true);
        } else {
            hand.mark("then by a second; the waker of the first is dropped: it cancels the parent");
            first.is_armed.set(true);
        }
        let poll = wait.as_mut().poll(&mut Context::from_waker(&second.waker));
        if parent.is_cancelled() && poll.is_pending() && !second.is_woken.get() {
            let wrong = Wrong::new("Ready, or a wake of the second task", "neither");
            let here = "it is cancelled, and the wait waits for ever";
            case.is_wrong(wrong.looks_like(LOOKS_TOO_EARLY).at(hand.now(), here));
        }
    }
}

/// Says when it is dropped.
struct Guard<'a>(&'a Cell<bool>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

fn run_until(case: &Case) {
    let told =
        |output: Option<u32>, time: Duration| format!("{output:?} at {} s", time.as_secs_f64());
    let is_dropped = Cell::new(false);
    for (millis, expected) in [(50, Some(7)), (1_000, None)] {
        let (output, time, is_gone) = case.block_on(async {
            let start = Instant::now();
            let token = Token::new();
            let cancels = spawn("cancels", {
                let token = token.clone();
                async move {
                    sleep(TENTH).await;
                    token.cancel();
                }
            });
            is_dropped.set(false);
            let guard = Guard(&is_dropped);
            let run = token.run_until_cancelled(async {
                let _guard = guard;
                sleep(Duration::from_millis(millis)).await;
                7
            });
            let mut run = Box::pin(run);
            let output = run.as_mut().await;
            let (time, is_dropped) = (start.elapsed(), is_dropped.get());
            cancels.await.unwrap();
            (output, time, is_dropped)
        });
        let in_time = Duration::from_millis(millis).min(TENTH);
        let mistake = (time > TENTH).then_some(LOOKS_WHEN_POLLED);
        expect(case, told(output, time), told(expected, in_time), mistake);
        let there = |is_gone| if is_gone { "the future dropped" } else { "it still there" };
        expect(case, there(is_gone), there(true), None);
    }
}

fn at_once(case: &Case) {
    let told = |output: Option<u32>| format!("{output:?}");
    let output = case.block_on(async {
        let token = Token::new();
        let (send, receive) = oneshot::channel();
        let both = spawn("both", {
            let token = token.clone();
            async move {
                sleep(TENTH).await;
                send.send(7).unwrap();
                token.cancel();
            }
        });
        let output = token.run_until_cancelled(receive).await;
        both.await.unwrap();
        output.and_then(Result::ok)
    });
    expect(case, told(output), told(Some(7)), OUTPUT_LOST);

    let polls = Cell::new(0);
    let output = case.block_on(async {
        let token = Token::new();
        token.cancel();
        let future = poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::Ready(7)
        });
        token.run_until_cancelled(future).await
    });
    let begun = |polls| if polls == 0 { "a future not begun" } else { "one that was polled" };
    expect(case, begun(polls.get()), begun(0), BEGINS_ANYWAY);
    expect(case, told(output), told(None), None);
}
