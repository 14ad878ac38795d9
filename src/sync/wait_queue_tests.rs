//! The wait queue, and the seat, against models of a few lines: random futures come, renew their
//! wakers, are called from both ends, look, and leave. Compared after each step: who was woken and
//! in which order, what was told, which wakers are kept, and what a listener hears of waits.

use super::*;
use crate::panics::lock;
use crate::sync::guarded::Guarded;
use crate::waits::{self, Note, Wait};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake};

const FUTURES: usize = 5;
const WAKERS: usize = 3;

/// A waker writes its number here when it is woken.
type Wakes = Arc<Mutex<Vec<usize>>>;

struct Writing {
    number: usize,
    wakes: Wakes,
}

impl Wake for Writing {
    fn wake(self: Arc<Self>) {
        lock(&self.wakes).push(self.number);
    }
}

/// As many wakers, and who was woken.
struct Bells {
    bells: [Arc<Writing>; WAKERS],
    wakes: Wakes,
}

impl Bells {
    fn new() -> Bells {
        let wakes = Wakes::default();
        let bell = |number| {
            Arc::new(Writing {
                number,
                wakes: wakes.clone(),
            })
        };
        Bells {
            bells: std::array::from_fn(bell),
            wakes: wakes.clone(),
        }
    }

    /// Who was woken since the last time.
    fn wakes(&self) -> Vec<usize> {
        mem::take(&mut lock(&self.wakes))
    }

    /// How many clones of each waker are kept somewhere.
    fn kept(&self) -> [usize; WAKERS] {
        self.bells.each_ref().map(|bell| Arc::strong_count(bell) - 1)
    }

    /// Changes what is in a cell. No waker may be woken or dropped before the lock is free.
    fn with<S, R>(&self, cell: &Guarded<S>, f: impl FnOnce(&mut S, &mut Wakers) -> R) -> R {
        cell.with(|state, wakers| self.untouched(|| f(state, wakers)))
    }

    /// The same in a poll with this waker.
    fn poll<S, R>(
        &self,
        waker: usize,
        cell: &Guarded<S>,
        f: impl FnOnce(&mut S, &mut Wakers) -> R,
    ) -> R {
        let waker = Waker::from(self.bells[waker].clone());
        let mut cx = Context::from_waker(&waker);
        cell.poll(&mut cx, |state, wakers| self.untouched(|| f(state, wakers)))
    }

    fn untouched<R>(&self, f: impl FnOnce() -> R) -> R {
        let before = (self.kept(), lock(&self.wakes).len());
        let result = f();
        assert_eq!((self.kept(), lock(&self.wakes).len()), before, "under the lock");
        result
    }
}

thread_local! {
    /// Waits that go on, and how many have begun and ended since the last look.
    static HEARD: RefCell<(BTreeSet<Wait>, usize, usize)> = RefCell::default();
}

fn with_a_listener(f: impl FnOnce()) {
    HEARD.take();
    waits::tell(Some(|note| {
        HEARD.with_borrow_mut(|(going_on, begun, ended)| match note {
            Note::Waits(wait, _) => *begun += usize::from(going_on.insert(wait)),
            Note::Over(wait) => *ended += usize::from(going_on.remove(&wait)),
        });
    }));
    f();
    waits::tell(None);
}

/// How many waits have begun and ended on this thread, since the last time.
fn heard() -> (usize, usize) {
    HEARD.with_borrow_mut(|(_, begun, ended)| (mem::take(begun), mem::take(ended)))
}

// The queue.

#[derive(Clone, Copy, Debug)]
enum Op {
    /// Also a renewal, if that future waits already.
    Wait {
        who: usize,
        waker: usize,
        wants: u32,
    },
    Outcome {
        who: usize,
    },
    Leave {
        who: usize,
    },
    /// Changes what the first in line wants.
    First {
        wants: u32,
    },
    CallFirst {
        outcome: u32,
    },
    CallLast {
        outcome: u32,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let number = 0..100u32;
    let wait = (0..FUTURES, 0..WAKERS, number.clone());
    prop_oneof![
        6 => wait.prop_map(|(who, waker, wants)| Op::Wait { who, waker, wants }),
        3 => (0..FUTURES).prop_map(|who| Op::Outcome { who }),
        3 => (0..FUTURES).prop_map(|who| Op::Leave { who }),
        1 => number.clone().prop_map(|wants| Op::First { wants }),
        2 => number.clone().prop_map(|outcome| Op::CallFirst { outcome }),
        1 => number.prop_map(|outcome| Op::CallLast { outcome }),
    ]
}

/// One in line.
struct Standing {
    who: usize,
    waker: usize,
    wants: u32,
}

/// A queue, its futures, and what must be true of them.
struct Model {
    queue: Guarded<WaitQueue<u32, u32>>,
    tickets: [Ticket; FUTURES],
    bells: Bells,
    line: VecDeque<Standing>,
    /// What they were told who have not looked yet.
    called: BTreeMap<usize, u32>,
}

impl Model {
    fn new() -> Model {
        Model {
            queue: Guarded::new(WaitQueue::new("a number")),
            tickets: Default::default(),
            bells: Bells::new(),
            line: VecDeque::new(),
            called: BTreeMap::new(),
        }
    }

    /// Does the step to both, and compares what it returns, whom it wakes and what it writes.
    fn apply(&mut self, op: Op) {
        let mut woken = None;
        let mut written = (0, 0);
        match op {
            // A future looks before it waits.
            Op::Wait { who, .. } if self.called.contains_key(&who) => return,
            Op::Wait { who, waker, wants } => {
                match self.line.iter_mut().find(|standing| standing.who == who) {
                    Some(standing) => standing.waker = waker,
                    None => {
                        self.line.push_back(Standing { who, waker, wants });
                        written = (1, 0);
                    }
                }
                self.bells.poll(waker, &self.queue, |queue, wakers| {
                    queue.wait(&mut self.tickets[who], wants, wakers);
                });
            }
            Op::Outcome { who } => {
                let expected = self.called.remove(&who);
                let outcome = self.queue.look(|queue| queue.outcome(&mut self.tickets[who]));
                assert_eq!(outcome, expected);
                written.1 = usize::from(expected.is_some());
            }
            Op::Leave { who } => written.1 = self.leave(who),
            Op::First { wants } => {
                let expected =
                    self.line.front_mut().map(|first| mem::replace(&mut first.wants, wants));
                let first = self.queue.look(|queue| queue.first().map(|w| mem::replace(w, wants)));
                assert_eq!(first, expected);
            }
            Op::CallFirst { outcome } => {
                let wanted =
                    self.bells.with(&self.queue, |queue, wakers| queue.call_first(outcome, wakers));
                let first = self.line.pop_front();
                woken = self.expect_call(first, outcome, wanted);
            }
            Op::CallLast { outcome } => {
                let wanted =
                    self.bells.with(&self.queue, |queue, wakers| queue.call_last(outcome, wakers));
                let last = self.line.pop_back();
                woken = self.expect_call(last, outcome, wanted);
            }
        }
        assert_eq!(self.bells.wakes(), Vec::from_iter(woken));
        assert_eq!(heard(), written);
    }

    /// Returns how many waits are over, one or none.
    fn leave(&mut self, who: usize) -> usize {
        let left = self
            .bells
            .with(&self.queue, |queue, wakers| queue.leave(&mut self.tickets[who], wakers));
        let place = self.line.iter().position(|standing| standing.who == who);
        let standing = place.and_then(|place| self.line.remove(place));
        match (left, standing, self.called.remove(&who)) {
            (Left::Waiting(wants), Some(standing), None) => assert_eq!(wants, standing.wants),
            (Left::Called(outcome), None, Some(expected)) => assert_eq!(outcome, expected),
            (Left::Nowhere, None, None) => return 0,
            _ => panic!("future {who} was not where it should be"),
        }
        1
    }

    /// Returns the waker of the one who was called.
    fn expect_call(
        &mut self,
        called: Option<Standing>,
        outcome: u32,
        wanted: Option<u32>,
    ) -> Option<usize> {
        assert_eq!(wanted, called.as_ref().map(|standing| standing.wants));
        let called = called?;
        self.called.insert(called.who, outcome);
        Some(called.waker)
    }

    /// Compares all that can be asked, and what is kept.
    fn check(&self) {
        self.queue.look(|queue| {
            assert_eq!(queue.is_empty(), self.line.is_empty());
            assert_eq!(queue.first().copied(), self.line.front().map(|first| first.wants));
            assert_eq!(queue.waiters.len(), self.line.len() + self.called.len());
        });
        let mut kept = [0; WAKERS];
        for standing in &self.line {
            kept[standing.waker] += 1;
        }
        assert_eq!(self.bells.kept(), kept);
        for (who, ticket) in self.tickets.iter().enumerate() {
            let in_line = self.line.iter().any(|standing| standing.who == who);
            assert_eq!(ticket.is_blank(), !in_line && !self.called.contains_key(&who));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_wait_queue_is_a_line_and_notes_to_those_who_were_called(
        ops in prop::collection::vec(op(), 0..60),
    ) {
        with_a_listener(|| {
            let mut model = Model::new();
            for op in ops {
                model.apply(op);
                model.check();
            }
            for who in 0..FUTURES {
                model.apply(Op::Leave { who });
                model.check();
            }
            model.queue.look(|queue| assert_eq!(queue.waiters.len(), 0));
        });
    }
}

#[test]
fn all_are_called_in_the_order_in_which_they_came() {
    let bells = Bells::new();
    let queue = Guarded::new(WaitQueue::new("news"));
    let mut tickets: [Ticket; 4] = Default::default();
    let mut wait = |who: usize, waker| {
        bells.poll(waker, &queue, |queue, wakers| queue.wait(&mut tickets[who], (), wakers));
    };
    wait(0, 2);
    wait(1, 0);
    wait(2, 1);
    // A waker that is renewed rings in the old place.
    wait(0, 1);
    bells.with(&queue, |queue, wakers| queue.call_all((), wakers));
    assert_eq!(bells.wakes(), [1, 0, 1]);
    assert_eq!(bells.kept(), [0; WAKERS]);
    let told = |who: usize| queue.look(|queue| queue.outcome(&mut tickets[who]));
    // The first one looks again, the last has never waited.
    assert_eq!([0, 1, 2, 0, 3].map(told), [Some(()), Some(()), Some(()), None, None]);
    bells.with(&queue, |queue, wakers| queue.call_all((), wakers));
    assert_eq!(bells.wakes(), []);
}

// The seat.

#[derive(Clone, Copy, Debug)]
enum SeatOp {
    Wait { waker: usize },
    Leave,
    End,
    Call,
}

fn seat_op() -> impl Strategy<Value = SeatOp> {
    prop_oneof![
        2 => (0..WAKERS).prop_map(|waker| SeatOp::Wait { waker }),
        1 => Just(SeatOp::Leave),
        1 => Just(SeatOp::End),
        1 => Just(SeatOp::Call),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_seat_holds_one_waker_until_it_is_called_or_left(
        ops in prop::collection::vec(seat_op(), 0..40),
    ) {
        with_a_listener(|| {
            let bells = Bells::new();
            let seat = Guarded::new(Seat::new("a value"));
            let mut sitting = Sitting::default();
            // What must be true of it.
            let mut is_sitting = false;
            let mut kept: Option<usize> = None;
            for op in ops.into_iter().chain([SeatOp::Leave]) {
                let mut woken = None;
                let mut written = (0, 0);
                match op {
                    SeatOp::Wait { waker } => {
                        written.0 = usize::from(!mem::replace(&mut is_sitting, true));
                        kept = Some(waker);
                        bells.poll(waker, &seat, |seat, wakers| seat.wait(&mut sitting, wakers));
                    }
                    SeatOp::Leave => {
                        written.1 = usize::from(mem::take(&mut is_sitting));
                        kept = None;
                        bells.with(&seat, |seat, wakers| seat.leave(&mut sitting, wakers));
                    }
                    SeatOp::End => {
                        written.1 = usize::from(mem::take(&mut is_sitting));
                        sitting.end();
                    }
                    SeatOp::Call => {
                        woken = kept.take();
                        bells.with(&seat, Seat::call);
                    }
                }
                assert_eq!(bells.wakes(), Vec::from_iter(woken));
                assert_eq!(heard(), written);
                let kept = std::array::from_fn(|waker| usize::from(kept == Some(waker)));
                assert_eq!(bells.kept(), kept);
            }
        });
    }
}
