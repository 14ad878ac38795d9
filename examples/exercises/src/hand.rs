//! For answers that are executors: a trace that is written by hand.
//!
//! handspun's executor records itself; the executor of a learner does not. But all that matters
//! about it can be seen from outside: when the futures that the check gives to it are polled, and
//! when the check calls the wakers that they were given. A [`Hand`] writes that down, as the events
//! that handspun would have recorded, and so it is drawn like any other run.
//!
//! Most futures of a check are a closure that says Pending or Ready ([`Hand::task`]), and are woken
//! by the check. A future that waits for something of the answer, for a handle say, is one of its
//! own ([`Hand::watch`]): it gets a waker that writes down when it is called.
//!
//! It knows the rules, too: in the state in which a task would be in a right executor, a poll may
//! be one that *nobody has asked for*, and a wake may be *unanswered*.
//!
//! Next: `examples/exercises/src/report.rs`.

use crate::check::{Case, Mistake, Seen, Wrong, lock};
use crate::report::with_commas;
use crate::run::{MOST_POLLS, NeverEnds, counted, wrong_order};
use handspun::executor::Executor;
use handspun::task::Id;
use handspun::trace::{Cause, Effect, Event, Outcome, Phase, Place, Record, TaskState, Trace};
use std::cell::RefCell;
use std::future::Future;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

/// Who is told what happens in an executor that the answer is. A clone is the same one.
#[derive(Clone)]
pub struct Hand {
    seen: Arc<Mutex<Seen>>,
    /// It runs nothing: ids of tasks are made by spawning, and not otherwise.
    ids: Rc<Executor>,
    wakers: Rc<RefCell<Vec<Option<Waker>>>>,
}

/// What was written down.
#[derive(Default)]
pub(crate) struct ByHand {
    records: Vec<Record>,
    tasks: Vec<Task>,
    /// Who is polled, by their numbers. More than one: a poll inside of a poll.
    polling: Vec<usize>,
    polls: usize,
    unasked: Option<(usize, usize)>,
    after_ready: Option<(usize, usize)>,
}

struct Task {
    id: Id,
    name: &'static str,
    place: Place,
    /// `None`: it is over.
    phase: Option<Phase>,
    polls: usize,
    /// The record with which it was woken, or spawned, since when it has not been polled.
    woken: usize,
    /// Its wakers, if they tell. Otherwise the hand has one.
    told: Option<Weak<Told>>,
}

/// A closure as a future whose polls are written down.
struct Scripted<F> {
    hand: Hand,
    task: usize,
    body: F,
}

/// A future whose polls and wakes are written down, and that it was dropped.
struct Watched<F> {
    hand: Hand,
    task: usize,
    future: Pin<Box<F>>,
}

/// What is in a waker that writes down when it is called, and that nobody has it any more.
struct Told {
    seen: Arc<Mutex<Seen>>,
    task: usize,
    waker: Waker,
}

impl Hand {
    pub(crate) fn new(seen: Arc<Mutex<Seen>>) -> Hand {
        lock(&seen).by_hand = Some(ByHand::default());
        Hand {
            seen,
            ids: Rc::new(Executor::new()),
            wakers: Rc::default(),
        }
    }

    /// A future, to be spawned at once on the executor of the answer. Each poll calls `body` with
    /// its number, from 1 on, and gives its answer.
    #[track_caller]
    pub fn task(
        &self,
        name: &'static str,
        body: impl FnMut(usize) -> Poll<()> + Unpin + 'static,
    ) -> impl Future<Output = ()> + 'static {
        Scripted {
            hand: self.clone(),
            task: self.spawn(name),
            body,
        }
    }

    /// A future of any kind, to be spawned at once on the executor of the answer. Whoever wakes it
    /// is written down; [`wake`](Hand::wake) is not for it.
    #[track_caller]
    pub fn watch<F: Future>(
        &self,
        name: &'static str,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        let task = self.spawn(name);
        self.write(|log| log.tasks[task].told = Some(Weak::new()));
        Watched {
            hand: self.clone(),
            task,
            future: Box::pin(future),
        }
    }

    #[track_caller]
    fn spawn(&self, name: &'static str) -> usize {
        let id = self.ids.spawn(async {}).id();
        self.wakers.borrow_mut().push(None);
        let place = Location::caller();
        self.write(|log| log.spawn(id, name, place))
    }

    /// Calls the waker that the last poll of this task was given.
    pub fn wake(&self, name: &str) {
        self.wake_many(name, 1);
    }

    /// The same so many times, and writes it down once.
    pub fn wake_many(&self, name: &str, times: usize) {
        let task = self.number(name);
        let waker = self.wakers.borrow()[task].clone();
        let waker = waker.unwrap_or_else(|| panic!("the check wakes {name}, which was not polled"));
        self.write(|log| log.wake(task, times));
        (0..times).for_each(|_| waker.wake_by_ref());
    }

    /// The waker that the last poll of this task was given, for another thread. That it is called
    /// is not written down: [`woken`](Hand::woken) does.
    pub fn waker(&self, name: &str) -> Waker {
        let waker = self.wakers.borrow()[self.number(name)].clone();
        waker.unwrap_or_else(|| panic!("the check takes the waker of {name}, which was not polled"))
    }

    /// Another thread has called the waker of this task.
    pub fn woken(&self, name: &str) {
        let task = self.number(name);
        self.write(|log| log.wake_by(task, 1, Cause::Thread));
    }

    /// How often this task has been polled.
    pub fn polls(&self, name: &str) -> usize {
        let task = self.number(name);
        self.write(|log| log.tasks[task].polls)
    }

    /// The task was polled so often. `mistakes`: what it most likely is if it was polled less
    /// often, and, if there is a second one, more often.
    pub fn expect_polls(&self, case: &Case, name: &str, expected: usize, mistakes: &[Mistake]) {
        let task = self.number(name);
        let (polls, woken, began) = self.write(|log| {
            let id = log.tasks[task].id;
            let of_task = |record: &Record| record.event == Event::PollBegun { task: id };
            let records = log.records.iter().enumerate();
            let mut polls = records.filter(|(_, record)| of_task(record)).map(|(nth, _)| nth);
            (log.tasks[task].polls, log.tasks[task].woken, polls.nth(expected))
        });
        if polls == expected {
            return;
        }
        let wrong = Wrong::new(format!("{} of {name}", counted(expected, "poll")), polls);
        case.is_wrong(match began {
            Some(began) => {
                wrong.at(began, "one poll too many").looks_like(mistakes.get(1).copied())
            }
            None => {
                let what = format!("{name} is not polled after this");
                wrong.at(woken, what).looks_like(mistakes.first().copied())
            }
        });
    }

    /// All polls so far were of these tasks, in this order.
    pub fn expect_order(
        &self,
        case: &Case,
        expected: &[&str],
        mistake: impl Into<Option<Mistake>>,
    ) {
        let (order, began) = self.write(|log| log.order());
        let Some(wrong) = wrong_order(&order, &began, expected) else {
            return;
        };
        let wrong = wrong.looks_like(mistake);
        case.is_wrong(match began[..] {
            [] => wrong.at(self.now(), "nobody is polled"),
            _ => wrong,
        });
    }

    /// No poll was one that nobody had asked for: each was the first of a task, or followed a wake.
    pub fn expect_no_unasked_poll(&self, case: &Case, mistake: impl Into<Option<Mistake>>) {
        if let Some((task, at)) = self.write(|log| log.unasked) {
            let name = self.write(|log| log.tasks[task].name);
            let got = format!("a poll of {name}, which was not woken");
            let wrong = Wrong::new("polls of who was woken", got);
            case.is_wrong(wrong.at(at, "nobody asked for this poll").looks_like(mistake));
        }
    }

    /// No task was polled after it was ready.
    pub fn expect_no_poll_after_ready(&self, case: &Case, mistake: impl Into<Option<Mistake>>) {
        if let Some((task, at)) = self.write(|log| log.after_ready) {
            let name = self.write(|log| log.tasks[task].name);
            let wrong = Wrong::new("no poll after Ready", format!("one of {name}"));
            case.is_wrong(wrong.at(at, format!("{name} was over")).looks_like(mistake));
        }
    }

    /// Writes into the drawing, at this point of the run. If no task is spawned, there is no
    /// drawing, but a list of what was written.
    pub fn mark(&self, text: &str) {
        self.write(|log| log.mark(text));
    }

    /// The last thing that was written down, for [`Wrong::at`].
    pub fn now(&self) -> usize {
        self.write(|log| log.records.len().saturating_sub(1))
    }

    /// A poll, written down. `body` is given its number.
    fn poll<T>(&self, task: usize, body: impl FnOnce(usize) -> Poll<T>) -> Poll<T> {
        let (nth, is_over, polls) = self.write(|log| log.begin_poll(task));
        if polls > MOST_POLLS {
            lock(&self.seen).never_ends = true;
            resume_unwind(Box::new(NeverEnds));
        }
        let mut end = EndOfPoll {
            hand: self,
            task,
            outcome: Outcome::Panicked,
        };
        // Not a panic: it is told by who expects that it does not happen.
        let answer = if is_over { Poll::Pending } else { body(nth) };
        end.outcome = if answer.is_ready() { Outcome::Ready } else { Outcome::Pending };
        answer
    }

    /// The waker for a poll of who is watched. As long as the last one is there, and would wake the
    /// same, it is that one: so the answer may ask `will_wake`.
    fn teller(&self, task: usize, waker: &Waker) -> Waker {
        let told = self.write(|log| log.tasks[task].told.as_ref().and_then(Weak::upgrade));
        let told = told.filter(|told| told.waker.will_wake(waker)).unwrap_or_else(|| {
            let told = Arc::new(Told {
                seen: self.seen.clone(),
                task,
                waker: waker.clone(),
            });
            self.write(|log| log.tasks[task].told = Some(Arc::downgrade(&told)));
            told
        });
        Waker::from(told)
    }

    fn number(&self, name: &str) -> usize {
        let number = self.write(|log| log.tasks.iter().rposition(|task| task.name == name));
        number.unwrap_or_else(|| panic!("the check asks for {name}, which it has not spawned"))
    }

    fn write<R>(&self, f: impl FnOnce(&mut ByHand) -> R) -> R {
        f(lock(&self.seen).by_hand.get_or_insert_default())
    }
}

impl<F: FnMut(usize) -> Poll<()> + Unpin> Future for Scripted<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.hand.wakers.borrow_mut()[this.task] = Some(cx.waker().clone());
        this.hand.poll(this.task, &mut this.body)
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        this.hand.poll(this.task, |_| {
            let waker = this.hand.teller(this.task, cx.waker());
            this.future.as_mut().poll(&mut Context::from_waker(&waker))
        })
    }
}

impl<F> Drop for Watched<F> {
    fn drop(&mut self) {
        // When the case has come to its end by what does not hold, the rest is of no interest.
        if !thread::panicking() {
            self.hand.write(|log| log.drop_task(self.task));
        }
    }
}

impl Wake for Told {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        lock(&self.seen).by_hand.get_or_insert_default().wake(self.task, 1);
        self.waker.wake_by_ref();
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if !thread::panicking() {
            lock(&self.seen).by_hand.get_or_insert_default().forget(self.task);
        }
    }
}

/// A poll that comes to an end, in whichever way.
struct EndOfPoll<'a> {
    hand: &'a Hand,
    task: usize,
    outcome: Outcome,
}

impl Drop for EndOfPoll<'_> {
    fn drop(&mut self) {
        self.hand.write(|log| log.end_poll(self.task, self.outcome));
    }
}

impl ByHand {
    /// The run so far, and then a rest: there it can be seen who waits in the end.
    pub(crate) fn trace(&self) -> Trace {
        let mut records = self.records.clone();
        if self.polling.is_empty() && !records.is_empty() {
            let at = Duration::ZERO;
            let event = Event::Parked { until: None };
            records.push(Record { at, event });
        }
        Trace::from_records(records)
    }

    fn record(&mut self, event: Event) -> usize {
        let at = Duration::ZERO;
        self.records.push(Record { at, event });
        self.records.len() - 1
    }

    fn cause(&self) -> Cause {
        self.polling.last().map_or(Cause::Outside, |&task| Cause::Task(self.tasks[task].id))
    }

    fn spawn(&mut self, id: Id, name: &'static str, place: Place) -> usize {
        let woken = self.record(Event::Spawned {
            task: id,
            name: Some(name.into()),
            place,
            size: 0,
            by: self.cause(),
        });
        self.tasks.push(Task {
            id,
            name,
            place,
            phase: Some(Phase::Queued),
            polls: 0,
            woken,
            told: None,
        });
        self.tasks.len() - 1
    }

    fn wake(&mut self, task: usize, times: usize) {
        let by = self.cause();
        self.wake_by(task, times, by);
    }

    fn wake_by(&mut self, number: usize, times: usize, by: Cause) {
        let task = &mut self.tasks[number];
        let (effect, phase) = match task.phase {
            None => (Effect::Stale, None),
            Some(Phase::Idle) => (Effect::Queued, Some(Phase::Queued)),
            Some(Phase::Polling) => (Effect::Noted, Some(Phase::PollingAndWoken)),
            Some(phase) => (Effect::Coalesced, Some(phase)),
        };
        task.phase = phase;
        let (id, name) = (task.id, task.name);
        let at = self.record(Event::Woken {
            task: id,
            by,
            effect,
        });
        if matches!(effect, Effect::Queued | Effect::Noted) {
            self.tasks[number].woken = at;
        }
        if effect == Effect::Stale {
            self.mark(&format!("{name}, which is over, is woken"));
        } else if times > 1 {
            self.mark(&format!("{name} is woken {} times", with_commas(times)));
        }
    }

    fn begin_poll(&mut self, number: usize) -> (usize, bool, usize) {
        self.polls += 1;
        let task = &mut self.tasks[number];
        let (before, id) = (task.phase, task.id);
        task.polls += 1;
        let nth = task.polls;
        if before.is_some() {
            task.phase = Some(Phase::Polling);
        }
        if before.is_none() {
            self.revive(number);
        }
        let at = self.record(Event::PollBegun { task: id });
        if before == Some(Phase::Idle) {
            self.unasked.get_or_insert((number, at));
        }
        if before.is_none() {
            self.after_ready.get_or_insert((number, at));
        }
        self.polling.push(number);
        (nth, before.is_none(), self.polls)
    }

    /// Who is over is not in the drawing any more, but its poll must be.
    fn revive(&mut self, number: usize) {
        let task = &self.tasks[number];
        let state = TaskState {
            name: Some(task.name.into()),
            place: task.place,
            size: 0,
            by: Cause::Outside,
            phase: Phase::Idle,
            since: Duration::ZERO,
            polls: 0,
            wakers: 1,
        };
        let (task, state) = (task.id, Box::new(state));
        self.record(Event::Known { task, state });
    }

    fn end_poll(&mut self, number: usize, outcome: Outcome) {
        self.polling.pop();
        let task = &mut self.tasks[number];
        let id = task.id;
        task.phase = match (outcome, task.phase) {
            (Outcome::Pending, Some(Phase::PollingAndWoken)) => Some(Phase::Queued),
            (Outcome::Pending, Some(_)) => Some(Phase::Idle),
            _ => None,
        };
        let wakers = task.told.as_ref().map_or(1, Weak::strong_count);
        self.record(Event::PollEnded {
            task: id,
            outcome,
            wakers,
            blocked: None,
        });
    }

    /// The future of this task is dropped.
    fn drop_task(&mut self, number: usize) {
        let task = &mut self.tasks[number];
        let id = task.id;
        if task.phase.take().is_some() {
            self.record(Event::Dropped {
                task: id,
                aborted: false,
            });
        }
    }

    /// Nobody has a waker of this task any more.
    fn forget(&mut self, number: usize) {
        let task = &self.tasks[number];
        let wakers = task.told.as_ref().map_or(1, Weak::strong_count);
        if task.phase == Some(Phase::Idle) && wakers == 0 {
            let (task, by) = (task.id, self.cause());
            self.record(Event::Forgotten { task, by });
        }
    }

    fn mark(&mut self, text: &str) {
        let by = self.cause();
        let text = text.into();
        self.record(Event::Mark { by, text });
    }

    /// The names of who was polled, and the records with which they were.
    fn order(&self) -> (Vec<&'static str>, Vec<usize>) {
        let name = |id| self.tasks.iter().find(|task| task.id == id).map_or("?", |task| task.name);
        let polls = self.records.iter().enumerate().filter_map(|(nth, record)| {
            let Event::PollBegun { task } = record.event else {
                return None;
            };
            Some((name(task), nth))
        });
        polls.unzip()
    }
}
