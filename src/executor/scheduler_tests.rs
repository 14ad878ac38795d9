//! The replay against what it replays: after every step of random programs, the state that
//! [`State`] makes of the events alone is the scheduler's own.
//!
//! A program is some scripts, played by tasks: they yield, sleep, spawn, wake, abort, lock, send
//! and panic. Its destructors and wakers do things too, and so does code outside of the executor
//! and inside another one. Whenever any of them has a say, before and after, there is an *audit*:
//! the run queue in its order, what each task does and how often it was polled, who waits, the
//! timers on the wheel and whom they will wake must be what the events say, and each event must be
//! one that could come next.
//!
//! Each program is played with recorders of different sizes. A ring that keeps one event must tell
//! of the same state, at each step, as one that keeps all.

use super::*;
use crate::executor::{Executor, holders};
use crate::panics::catch;
use crate::sync::{Mutex, mpsc};
use crate::task::{self, AbortHandle, JoinHandle, yield_now};
use crate::time::{Sleep, advance, interval, sleep, sleep_until, timeout};
use crate::trace::{self, Awaited, Event, Phase, Record, State, TaskState, TimerState, WaitState};
use crate::waker::waker;
use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending, poll_fn};
use std::panic::{resume_unwind, set_hook, take_hook};
use std::pin::{Pin, pin};
use std::rc::Weak;
use std::sync::Once;
use std::task::Wake;

// Programs.

/// What a task does, one step after the other. After the last it is over.
///
/// Tasks are called by their numbers, times are counted in a unit that is less than a tick. A step
/// that speaks of what is not there does nothing.
#[derive(Clone, Debug)]
enum Step {
    Do(Deed),
    /// When the task's future is dropped.
    AtDrop(Deed),
    PanicAtDrop,
    /// In the destructor of a task of another executor, which is made and dropped in this one.
    Elsewhere {
        recorded: bool,
        deed: Deed,
    },
    Yield,
    /// Leaves its waker with the others, and waits for a poll.
    Park,
    LeaveWaker,
    Panic,
    Sleep(u64),
    Reset {
        moment: Moment,
        first: u64,
        second: i64,
    },
    /// A sleep that is never polled. It is dropped with the task.
    Keep(u64),
    Ticks {
        period: u64,
        count: usize,
    },
    Advance(u64),
    /// Polls a sleep that lies with the others, once, and puts it back.
    PollStored(usize),
    AwaitStored(usize),
    Join(usize),
    /// Polls a handle once, and puts it back: the task waits on, whatever else it does.
    PollHandle(usize),
    /// Has the mutex for this long.
    Lock(u64),
    Send,
    Recv,
    Timeout(u64, Box<Step>),
    /// Is polled once, and dropped.
    Glance(Box<Step>),
    /// Is polled with a waker that, the first time it is called, does something too.
    Through(Option<Deed>, Box<Step>),
}

/// When a sleep is reset.
#[derive(Clone, Copy, Debug)]
enum Moment {
    BeforeItsPoll,
    Armed,
    Fired,
}

/// What can be done at once, anywhere: in a task, a waker, a destructor, outside.
#[derive(Clone, Debug)]
enum Deed {
    Wake(usize, How),
    ForgetWaker(usize),
    Abort(usize),
    Detach(usize),
    Spawn(Script, bool),
    /// Makes a sleep that anybody may poll, in the place of another.
    Store(usize, u64),
    ResetStored(usize, i64),
    DropStored(usize),
    Say,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Once,
    Twice,
    ByValue,
}

type Script = Vec<Step>;

#[derive(Clone, Debug)]
struct Program {
    /// What is done before the first `block_on`.
    before: Vec<Deed>,
    /// A future for each `block_on`, and what is done after it.
    roots: Vec<(Script, Vec<Deed>)>,
}

const STORED: usize = 2;

fn time() -> impl Strategy<Value = u64> {
    0..8_u64
}

fn who() -> impl Strategy<Value = usize> {
    0..6_usize
}

fn deed(spawn: impl Strategy<Value = Script>) -> impl Strategy<Value = Deed> {
    let how = prop_oneof![
        3 => Just(How::Once),
        1 => Just(How::Twice),
        1 => Just(How::ByValue),
    ];
    prop_oneof![
        12 => (who(), how).prop_map(|(task, how)| Deed::Wake(task, how)),
        5 => who().prop_map(Deed::ForgetWaker),
        3 => who().prop_map(Deed::Abort),
        1 => who().prop_map(Deed::Detach),
        5 => (spawn, any::<bool>()).prop_map(|(script, named)| Deed::Spawn(script, named)),
        3 => (0..STORED, time()).prop_map(|(place, time)| Deed::Store(place, time)),
        2 => (0..STORED, -3..8_i64).prop_map(|(place, time)| Deed::ResetStored(place, time)),
        2 => (0..STORED).prop_map(Deed::DropStored),
        1 => Just(Deed::Say),
    ]
}

fn wait() -> impl Strategy<Value = Step> {
    let moment = prop_oneof![
        Just(Moment::BeforeItsPoll),
        Just(Moment::Armed),
        Just(Moment::Fired),
    ];
    prop_oneof![
        8 => Just(Step::Park),
        3 => time().prop_map(Step::Sleep),
        2 => (moment, time(), -3..8_i64)
            .prop_map(|(moment, first, second)| Step::Reset { moment, first, second }),
        1 => (1..4_u64, 1..4_usize).prop_map(|(period, count)| Step::Ticks { period, count }),
        5 => (0..STORED).prop_map(Step::PollStored),
        2 => (0..STORED).prop_map(Step::AwaitStored),
        2 => who().prop_map(Step::Join),
        2 => who().prop_map(Step::PollHandle),
        3 => time().prop_map(Step::Lock),
        2 => Just(Step::Send),
        2 => Just(Step::Recv),
    ]
}

fn script_of(deed: BoxedStrategy<Deed>) -> impl Strategy<Value = Script> {
    let wrapped = prop_oneof![
        2 => (time(), wait()).prop_map(|(limit, step)| Step::Timeout(limit, Box::new(step))),
        1 => wait().prop_map(|step| Step::Glance(Box::new(step))),
        2 => (prop::option::of(deed.clone()), wait())
            .prop_map(|(deed, step)| Step::Through(deed, Box::new(step))),
    ];
    let step = prop_oneof![
        10 => deed.clone().prop_map(Step::Do),
        4 => deed.clone().prop_map(Step::AtDrop),
        1 => (any::<bool>(), deed).prop_map(|(recorded, deed)| Step::Elsewhere { recorded, deed }),
        3 => Just(Step::Yield),
        5 => Just(Step::LeaveWaker),
        1 => Just(Step::Panic),
        1 => Just(Step::PanicAtDrop),
        1 => time().prop_map(Step::Keep),
        1 => time().prop_map(Step::Advance),
        10 => wait(),
        6 => wrapped,
    ];
    prop::collection::vec(step, 0..8)
}

fn scripts() -> BoxedStrategy<Script> {
    let leaf = deed(Just(Vec::new())).boxed();
    let child = script_of(leaf).boxed();
    let parent = script_of(deed(child).boxed()).boxed();
    script_of(deed(parent).boxed()).boxed()
}

/// Some spawn tasks first, and one that wakes everybody now and then, so that not everything stands
/// still soon. Some wait for a while in the end, so that others have their time.
fn roots() -> impl Strategy<Value = Script> {
    let spawn = |script, named| Step::Do(Deed::Spawn(script, named));
    let rouse = |task| [Step::Sleep(2), Step::Do(Deed::Wake(task, How::Once))];
    let rouser: Script = (0..12).flat_map(|nth| rouse(nth % 4)).collect();
    let rouser = prop_oneof![Just(vec![spawn(rouser, true)]), Just(Vec::new())];
    let spawn = (scripts(), any::<bool>()).prop_map(move |(script, named)| spawn(script, named));
    let last = prop_oneof![Just(vec![Step::Sleep(20)]), Just(Vec::new())];
    (rouser, prop::collection::vec(spawn, 0..4), scripts(), last)
        .prop_map(|(rouser, first, middle, last)| [rouser, first, middle, last].concat())
}

fn programs() -> impl Strategy<Value = Program> {
    let outside = || prop::collection::vec(deed(scripts()), 0..4);
    let roots = prop::collection::vec((roots(), outside()), 1..4);
    (outside(), roots).prop_map(|(before, roots)| Program { before, roots })
}

// The stage.

/// What the tasks of a program share, and who watches them.
struct Stage {
    executor: Weak<Executor>,
    scheduler: Shared,
    number: u16,
    spawned: Cell<u64>,
    handles: RefCell<BTreeMap<u64, JoinHandle<()>>>,
    abort_handles: RefCell<BTreeMap<u64, AbortHandle>>,
    wakers: RefCell<BTreeMap<u64, Waker>>,
    stored: [Cell<Option<Sleep>>; STORED],
    mutex: Mutex<()>,
    sender: mpsc::Sender<u64>,
    receiver: Cell<Option<mpsc::Receiver<u64>>>,
    /// From when the root is given to `block_on` until its future has been dropped.
    root_is_alive: Cell<bool>,
    /// How often each task was polled.
    polls: RefCell<BTreeMap<Id, u32>>,
    /// Who waits for what.
    waits: RefCell<Vec<(Id, Awaiting)>>,
    /// Tasks of which a waker was dropped where the executor could not see it.
    unseen: RefCell<BTreeSet<Id>>,
    auditor: RefCell<Auditor>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Awaiting {
    Thing(&'static str),
    Task(Id),
}

thread_local! {
    static STAGE: RefCell<Option<Rc<Stage>>> = const { RefCell::new(None) };
}

/// The stage of the program that is being played.
fn stage() -> Option<Rc<Stage>> {
    STAGE.with_borrow(Option::clone)
}

fn audit() {
    // What is done while another executor runs is told when this one does again.
    let runs = |stage: &Rc<Stage>| try_current(|scheduler| scheduler.executor() == stage.number);
    if let Some(stage) = stage().filter(|stage| runs(stage) != Some(false)) {
        stage.audit();
    }
}

fn units(count: u64) -> Duration {
    Duration::from_nanos(400 * count)
}

impl Stage {
    fn id(&self, task: u64) -> Id {
        Id::new(self.number, task)
    }

    fn is_current(&self) -> bool {
        try_current(|scheduler| scheduler.executor()) == Some(self.number)
    }

    /// The present on the executor's clock, also where it does not run.
    fn now(&self) -> Instant {
        self.scheduler.borrow().timers.clock.now()
    }

    fn in_a_while(&self, count: i64) -> Instant {
        let distance = units(count.unsigned_abs());
        match count < 0 {
            true => self.now().checked_sub(distance).expect("an instant"),
            false => self.now() + distance,
        }
    }

    fn act(self: &Rc<Stage>, deed: &Deed) {
        match deed {
            Deed::Wake(task, How::ByValue) => {
                let waker = self.take_waker(*task);
                waker.into_iter().for_each(Waker::wake);
            }
            Deed::Wake(task, how) => {
                let waker = self.wakers.borrow().get(&(*task as u64)).cloned();
                if let Some(waker) = waker {
                    waker.wake_by_ref();
                    if matches!(how, How::Twice) {
                        audit();
                        waker.wake_by_ref();
                    }
                }
            }
            Deed::ForgetWaker(task) => drop(self.take_waker(*task)),
            Deed::Abort(task) => {
                let handle = self.abort_handles.borrow().get(&(*task as u64)).cloned();
                handle.into_iter().for_each(|handle| handle.abort());
            }
            Deed::Detach(task) => {
                let handle = self.handles.borrow_mut().remove(&(*task as u64));
                // Where no executor runs, or another one, nobody is told that the wait is over.
                if let Some(handle) = &handle
                    && self.is_current()
                {
                    self.waits_no_more(Awaiting::Task(handle.id()));
                }
                drop(handle);
            }
            Deed::Spawn(script, named) => self.spawn(script.clone(), *named),
            Deed::Store(place, time) => {
                drop(self.stored[*place].replace(Some(sleep_until(self.in_a_while(*time as i64)))));
            }
            Deed::ResetStored(place, time) => {
                if let Some(mut sleep) = self.stored[*place].take() {
                    Pin::new(&mut sleep).reset(self.in_a_while(*time));
                    self.stored[*place].set(Some(sleep));
                }
            }
            Deed::DropStored(place) => drop(self.stored[*place].take()),
            Deed::Say => {
                trace::mark("said");
                trace::value("said", 1);
            }
        }
        audit();
    }

    fn waits_no_more(&self, awaited: Awaiting) {
        self.waits.borrow_mut().retain(|(_, other)| *other != awaited);
    }

    /// The waker that a task has left, to be dropped.
    fn take_waker(&self, task: usize) -> Option<Waker> {
        if !self.is_current() {
            self.unseen.borrow_mut().insert(self.id(task as u64));
        }
        self.wakers.borrow_mut().remove(&(task as u64))
    }

    fn block_on(self: &Rc<Stage>, executor: &Executor, script: Script) {
        let root = Player::new(0, script, self);
        self.polls.borrow_mut().remove(&self.id(0));
        self.waits.borrow_mut().retain(|(who, _)| *who != self.id(0));
        self.root_is_alive.set(true);
        drop(catch(|| executor.block_on(root)));
        audit();
    }

    fn spawn(self: &Rc<Stage>, script: Script, named: bool) {
        let number = self.spawned.get() + 1;
        let player = Player::new(number, script, self);
        let handle = match self.executor.upgrade() {
            _ if self.is_current() => {
                let builder = task::Builder::new();
                let builder = if named { builder.name(format!("task {number}")) } else { builder };
                builder.spawn(player)
            }
            Some(executor) if try_current(|_| ()).is_none() => executor.spawn(player),
            // In another executor: it is that one's. Or none is left.
            _ => return drop(try_current(|_| ()).map(|()| task::spawn(async {}))),
        };
        self.spawned.set(number);
        assert_eq!(handle.id(), self.id(number));
        self.abort_handles.borrow_mut().insert(number, handle.abort_handle());
        self.handles.borrow_mut().insert(number, handle);
    }
}

/// A script in the course of being played.
struct Player {
    number: u64,
    stage: Rc<Stage>,
    play: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

impl Player {
    fn new(number: u64, script: Script, stage: &Rc<Stage>) -> Player {
        let actor = Actor {
            number,
            stage: stage.clone(),
        };
        Player {
            number,
            stage: stage.clone(),
            play: Some(Box::pin(actor.play(script))),
        }
    }
}

impl Future for Player {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let id = self.stage.id(self.number);
        *self.stage.polls.borrow_mut().entry(id).or_default() += 1;
        self.stage.unseen.borrow_mut().remove(&id);
        audit();
        let poll = self.play.as_mut().expect("it is not dropped").as_mut().poll(cx);
        audit();
        poll
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let is_root = self.number == 0;
        // After a stall, nobody polls it: like any task, it is over before its future is dropped.
        let has_stalled = is_root && POLLING.with(|polling| polling.name.get()).is_none();
        if has_stalled {
            self.stage.root_is_alive.set(false);
        }
        let stage = self.stage.clone();
        let _at_the_end = AtDrop(|| stage.root_is_alive.set(stage.root_is_alive.get() && !is_root));
        audit();
        self.play = None;
        audit();
    }
}

/// Calls a closure when it is dropped.
struct AtDrop<F: Fn()>(F);

impl<F: Fn()> Drop for AtDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Who plays.
#[derive(Clone)]
struct Actor {
    number: u64,
    stage: Rc<Stage>,
}

impl Actor {
    async fn play(self, script: Script) {
        let mut kept = Vec::new();
        let mut last_deeds = Vec::new();
        for step in script {
            match step {
                Step::Keep(time) => kept.push(sleep(units(time))),
                Step::AtDrop(deed) => last_deeds.push(self.guard(deed)),
                step => self.clone().step(step).await,
            }
            audit();
        }
    }

    fn guard(&self, deed: Deed) -> AtDrop<impl Fn() + use<>> {
        let stage = self.stage.clone();
        AtDrop(move || {
            audit();
            stage.act(&deed);
        })
    }

    fn step(self, step: Step) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(self.take_step(step))
    }

    async fn take_step(self, step: Step) {
        let stage = &self.stage;
        match step {
            Step::Do(deed) => stage.act(&deed),
            Step::Keep(_) | Step::AtDrop(_) => unreachable!("it lasts longer than a step"),
            Step::PanicAtDrop => {
                let _panics = AtDrop(|| {
                    if !std::thread::panicking() {
                        resume_unwind(Box::new("expected"));
                    }
                });
                self.park().await;
            }
            Step::Elsewhere { recorded, deed } => {
                let builder = Executor::builder();
                let other = if recorded { builder.record(2) } else { builder }.build();
                let guard = self.guard(deed);
                other.spawn(async move {
                    let _guard = guard;
                    pending::<()>().await;
                });
                drop(other);
            }
            Step::Yield => yield_now().await,
            Step::Park => self.park().await,
            Step::LeaveWaker => {
                let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
                self.leave(waker);
            }
            Step::Panic => resume_unwind(Box::new("expected")),
            Step::Sleep(time) => sleep(units(time)).await,
            Step::Reset {
                moment,
                first,
                second,
            } => {
                let mut sleep = sleep(units(first));
                match moment {
                    Moment::BeforeItsPoll => {}
                    Moment::Armed => drop(glance(&mut sleep).await),
                    Moment::Fired => (&mut sleep).await,
                }
                Pin::new(&mut sleep).reset(stage.in_a_while(second));
                audit();
                sleep.await;
            }
            Step::Ticks { period, count } => {
                let mut interval = interval(units(period));
                for _ in 0..count {
                    interval.tick().await;
                    audit();
                }
            }
            Step::Advance(time) => advance(units(time)).await,
            Step::PollStored(place) => {
                if let Some(mut sleep) = stage.stored[place].take() {
                    let _ = glance(&mut sleep).await;
                    stage.stored[place].set(Some(sleep));
                }
            }
            Step::AwaitStored(place) => {
                if let Some(sleep) = stage.stored[place].take() {
                    sleep.await;
                }
            }
            Step::Join(task) => {
                if let Some(handle) = self.poll_handle(task as u64).await {
                    drop(self.awaiting(Awaiting::Task(handle.id()), handle).await);
                }
            }
            Step::PollHandle(task) => {
                if let Some(handle) = self.poll_handle(task as u64).await {
                    let wait = (stage.id(self.number), Awaiting::Task(handle.id()));
                    stage.waits.borrow_mut().push(wait);
                    stage.handles.borrow_mut().insert(task as u64, handle);
                }
            }
            Step::Lock(time) => {
                let _guard = self.awaiting(Awaiting::Thing("the mutex"), stage.mutex.lock()).await;
                audit();
                sleep(units(time)).await;
            }
            Step::Send => {
                let awaited = Awaiting::Thing("room in the mpsc channel");
                let _ = self.awaiting(awaited, stage.sender.send(self.number)).await;
            }
            Step::Recv => {
                if let Some(receiver) = stage.receiver.take() {
                    let mut receiver = Borrowed(&stage.receiver, Some(receiver));
                    let receiver = receiver.1.as_mut().expect("it was just put there");
                    let awaited = Awaiting::Thing("a value of the mpsc channel");
                    self.awaiting(awaited, receiver.recv()).await;
                }
            }
            Step::Timeout(limit, step) => {
                let inner = self.clone().step(*step);
                let _ = timeout(units(limit), inner).await;
            }
            Step::Glance(step) => drop(glance(self.clone().step(*step)).await),
            Step::Through(deed, step) => {
                let mut inner = self.clone().step(*step);
                let mut deed = deed;
                let polled = poll_fn(|cx| {
                    let nosy = Nosy {
                        waker: cx.waker().clone(),
                        deed: std::sync::Mutex::new(deed.take()),
                    };
                    let nosy = Waker::from(Arc::new(nosy));
                    inner.as_mut().poll(&mut Context::from_waker(&nosy))
                });
                polled.await;
            }
        }
    }

    /// Polls a handle once: now this is the task that waits for it. Gives it if it was pending.
    async fn poll_handle(&self, task: u64) -> Option<JoinHandle<()>> {
        let mut handle = self.stage.handles.borrow_mut().remove(&task)?;
        let poll = glance(&mut handle).await;
        self.stage.waits_no_more(Awaiting::Task(handle.id()));
        poll.is_pending().then_some(handle)
    }

    /// Pending once.
    async fn park(&self) {
        let mut was_polled = false;
        let polled_twice = poll_fn(|cx| {
            if std::mem::replace(&mut was_polled, true) {
                return Poll::Ready(());
            }
            self.leave(cx.waker().clone());
            Poll::Pending
        });
        polled_twice.await;
    }

    fn leave(&self, waker: Waker) {
        let before = self.stage.wakers.borrow_mut().insert(self.number, waker);
        drop(before);
    }

    /// Awaits a future that waits for this, if it is pending.
    async fn awaiting<F: Future>(&self, awaited: Awaiting, future: F) -> F::Output {
        let wait = (self.stage.id(self.number), awaited);
        self.stage.waits.borrow_mut().push(wait);
        let _over = AtDrop(|| {
            let mut waits = self.stage.waits.borrow_mut();
            let place = waits.iter().position(|other| *other == wait);
            waits.remove(place.expect("it waits"));
        });
        future.await
    }
}

/// Polls a future once.
async fn glance<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// Goes back to its place when it is not needed any more.
struct Borrowed<'a, T>(&'a Cell<Option<T>>, Option<T>);

impl<T> Drop for Borrowed<'_, T> {
    fn drop(&mut self) {
        self.0.set(self.1.take());
    }
}

/// A waker that has a look whenever something happens to it.
struct Nosy {
    waker: Waker,
    deed: std::sync::Mutex<Option<Deed>>,
}

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        audit();
        self.waker.wake_by_ref();
        audit();
        let deed = crate::panics::lock(&self.deed).take();
        if let (Some(deed), Some(stage)) = (deed, stage()) {
            stage.act(&deed);
        }
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        audit();
    }
}

// The audit.

/// Compares, and keeps what it has seen.
struct Auditor {
    /// How many events are kept.
    capacity: usize,
    /// What the events add up to.
    state: State,
    /// How many of them `state` has taken.
    taken: u64,
    /// In which order the timers were armed that are on the wheel.
    armed: BTreeMap<u64, u64>,
    /// The timer that has fired last.
    fired: Option<u64>,
    /// After each step.
    seen: Vec<Seen>,
    failure: Option<String>,
}

/// The state at one moment.
#[derive(PartialEq, Debug)]
struct Seen {
    events: u64,
    now: Duration,
    queue: Vec<Id>,
    tasks: Vec<(Id, TaskState)>,
    timers: Vec<(u64, TimerState)>,
    waits: Vec<(u64, WaitState)>,
}

/// A recorder of this size keeps all events of a program.
const ALL: usize = 100_000;

impl Stage {
    fn audit(&self) {
        let scheduler = self.scheduler.borrow();
        let mut auditor = self.auditor.borrow_mut();
        if auditor.failure.is_some() {
            return;
        }
        let result = auditor.replay(&scheduler);
        let result = result.and_then(|()| self.compare(&scheduler, &auditor.state));
        if let Err(failure) = result {
            let recorder = scheduler.recorder.as_ref().expect("it is recorded");
            let last = recorder.ring().1.iter().rev().take(20).rev();
            let last: Vec<String> =
                last.map(|record| format!("{:?} {:?}", record.at, record.event)).collect();
            auditor.failure = Some(format!("{failure}\nafter\n{}", last.join("\n")));
            return;
        }
        let seen = auditor.look();
        auditor.seen.push(seen);
    }

    fn compare(&self, scheduler: &Scheduler, state: &State) -> Result<(), String> {
        let recorder = scheduler.recorder.as_ref().expect("it is recorded");
        let root = scheduler.root_id();
        let is_there = |task: &Id| *task != root || self.root_is_alive.get();
        same("the time", state.now(), recorder.time(scheduler.timers.clock.now()))?;

        // A root that is over may be woken. It then stands in the queue until that is cleared.
        let queue = real_queue(scheduler)?.into_iter().filter(is_there);
        same("the run queue", state.queue().collect(), queue.collect::<Vec<Id>>())?;

        let tasks = scheduler.tasks.iter().map(|(key, slot)| (scheduler.id(key), key, slot));
        let mut tasks: Vec<_> = tasks.filter(|(task, ..)| is_there(task)).collect();
        tasks.sort_unstable_by_key(|(task, ..)| *task);
        let ids = tasks.iter().map(|(task, ..)| *task);
        same("the tasks", state.tasks().map(|(task, _)| task).collect(), ids.collect::<Vec<Id>>())?;
        for (task, key, slot) in tasks {
            let told = state.task(task).expect("they are the same tasks");
            let name = scheduler.name(key);
            same(&format!("{task:?}"), told.phase, phase(slot, name))?;
            let waits = state.waits().filter(|(_, wait)| wait.task == task);
            self.compare_task(task, told, waits.map(|(_, wait)| wait.awaited).collect())?;
            let has_waker = holders::count(name) > 0;
            if told.phase == Phase::Idle && !self.unseen.borrow().contains(&task) {
                same(&format!("whether {task:?} has wakers"), told.wakers > 0, has_waker)?;
            }
        }

        let polled = POLLING.with(|polling| polling.name.get());
        let polled = polled.filter(|name| name.executor() == self.number);
        let polled = polled.map(|name| scheduler.id_of(name)).filter(is_there);
        let cause = match recorder.cause {
            Cause::Task(task) => Some(task),
            _ => None,
        };
        same("who does what is done", cause, polled)?;

        let waits = state.waits().map(|(number, wait)| (number, wait.task));
        same("the waits", waits.collect(), recorder.going_waits())?;
        self.compare_timers(scheduler, state, polled.is_some())
    }

    fn compare_task(&self, task: Id, told: &TaskState, waits: Vec<Awaited>) -> Result<(), String> {
        let polls = self.polls.borrow().get(&task).copied().unwrap_or(0);
        match told.phase {
            // It may have been aborted: then it is polled, and its future is not.
            Phase::Polling | Phase::PollingAndWoken if told.polls == polls + 1 => {}
            _ => same(&format!("the polls of {task:?}"), told.polls, polls)?,
        }
        if let Some(name) = &told.name {
            same("the name", &**name, &*format!("task {task}"))?;
        }
        if matches!(told.phase, Phase::Idle | Phase::Queued) {
            let waits = waits.into_iter().map(|awaited| match awaited {
                Awaited::Thing { what, .. } => Awaiting::Thing(what),
                Awaited::Task(task) => Awaiting::Task(task),
            });
            let mut waits: Vec<Awaiting> = waits.collect();
            waits.sort_unstable();
            let expected = self.waits.borrow();
            let expected = expected.iter().filter(|(who, _)| *who == task);
            let mut expected: Vec<Awaiting> = expected.map(|(_, awaited)| *awaited).collect();
            expected.sort_unstable();
            same(&format!("the waits of {task:?}"), waits, expected)?;
        }
        Ok(())
    }

    fn compare_timers(
        &self,
        scheduler: &Scheduler,
        state: &State,
        is_polling: bool,
    ) -> Result<(), String> {
        let recorder = scheduler.recorder.as_ref().expect("it is recorded");
        let wheel = scheduler.timers.wheel();
        let mut real = Vec::new();
        for (deadline, entry, waker) in wheel.into_iter().flat_map(|wheel| wheel.entries()) {
            let (number, _) = recorder.timer(entry).ok_or("a timer has no number")?;
            real.push((number.get(), deadline));
            self.compare_waker(scheduler, state, number.get(), waker)?;
        }
        real.sort_unstable();
        let armed = state.timers().filter(|(_, timer)| timer.armed.is_some());
        let armed = armed.map(|(number, timer)| (number, ticks(timer.deadline)));
        // Timers that are due leave the wheel together, and then they fire one by one. A waker of
        // one of them can see that the others have not yet.
        let is_due = |deadline| wheel.is_some_and(|wheel| wheel.is_due(deadline));
        let (due, ahead): (Vec<_>, Vec<_>) = armed.partition(|(_, deadline)| is_due(*deadline));
        same("the timers on the wheel", ahead, real)?;
        let may_be_firing = !is_polling && !matches!(recorder.cause, Cause::Drop(_));
        match due.is_empty() || may_be_firing {
            true => Ok(()),
            false => Err(format!("timers {due:?} are due and have not fired")),
        }
    }

    /// If a timer's waker is that of a task, it is the one that was told.
    fn compare_waker(
        &self,
        scheduler: &Scheduler,
        state: &State,
        number: u64,
        real: &Waker,
    ) -> Result<(), String> {
        let is_of = |key: Key| real.will_wake(&waker(scheduler.name(key), true));
        let task = scheduler.tasks.iter().map(|(key, _)| key).find(|key| is_of(*key));
        let told = state.timers().find(|(timer, _)| *timer == number);
        let told = told.and_then(|(_, timer)| timer.wakes);
        match task.map(|key| scheduler.id(key)) {
            Some(task) => same(&format!("whom timer {number} wakes"), told, Some(task)),
            None => Ok(()),
        }
    }
}

impl Auditor {
    fn new(capacity: usize) -> Auditor {
        Auditor {
            capacity,
            state: State::default(),
            taken: 0,
            armed: BTreeMap::new(),
            fired: None,
            seen: Vec::new(),
            failure: None,
        }
    }

    fn replay(&mut self, scheduler: &Scheduler) -> Result<(), String> {
        if self.capacity < ALL {
            let trace = scheduler.trace().expect("it is recorded");
            self.state = State::default();
            trace.records().iter().for_each(|record| self.state.take(record));
            let (dropped, kept) = scheduler.recorder.as_ref().expect("it is recorded").ring();
            self.taken = dropped + kept.len() as u64;
            same("how many were dropped", trace.dropped(), dropped)?;
            return same("whether the ring is small", kept.len() <= self.capacity, true);
        }
        // The same, without beginning anew each time.
        let (_, records) = scheduler.recorder.as_ref().expect("it is recorded").ring();
        for record in records.iter().skip(self.taken as usize) {
            if !self.may_come(record) {
                return Err(format!("{:?} cannot come here:\n{:#?}", record.event, self.state));
            }
            self.take(record);
        }
        Ok(())
    }

    fn look(&self) -> Seen {
        let state = &self.state;
        Seen {
            events: self.taken,
            now: state.now(),
            queue: state.queue().collect(),
            tasks: state.tasks().map(|(task, state)| (task, state.clone())).collect(),
            timers: state.timers().map(|(timer, state)| (timer, state.clone())).collect(),
            waits: state.waits().map(|(wait, state)| (wait, state.clone())).collect(),
        }
    }

    /// Whether an event may be the next.
    fn may_come(&self, record: &Record) -> bool {
        let (state, at) = (&self.state, record.at);
        let phase_of = |task: Id| state.task(task).map(|task| task.phase);
        let is_polling = |phase| matches!(phase, Phase::Polling | Phase::PollingAndWoken);
        let polled = state.tasks().find(|(_, task)| is_polling(task.phase)).map(|(task, _)| task);
        let timer = |number: u64| state.timers().find(|(timer, _)| *timer == number);
        let timer = |number| timer(number).map(|(_, timer)| timer);
        let is_known = |number| timer(number).is_some();
        let is_armed = |number| timer(number).is_some_and(|timer| timer.armed.is_some());
        let is_past = |number| timer(number).is_some_and(|timer| timer.deadline <= at);
        let waits = |number| state.waits().any(|(wait, _)| wait == number);
        let may_do = |by: Cause| match by {
            Cause::Task(task) => polled == Some(task),
            Cause::Drop(task) => polled.is_none() && phase_of(task).is_none(),
            Cause::Timer(timer) => polled.is_none() && self.fired == Some(timer),
            Cause::Thread | Cause::Socket | Cause::Outside => polled.is_none(),
        };
        let right = match &record.event {
            Event::Spawned { task, by, .. } => phase_of(*task).is_none() && may_do(*by),
            Event::PollBegun { task } => polled.is_none() && state.queue().next() == Some(*task),
            Event::PollEnded { task, .. } => polled == Some(*task),
            Event::Woken { task, by, effect } => {
                let changes = match phase_of(*task) {
                    None => Effect::Stale,
                    Some(Phase::Idle) => Effect::Queued,
                    Some(Phase::Polling) => Effect::Noted,
                    Some(Phase::Queued | Phase::PollingAndWoken) => Effect::Coalesced,
                };
                *effect == changes && may_do(*by)
            }
            Event::Forgotten { task, by } => phase_of(*task) == Some(Phase::Idle) && may_do(*by),
            Event::AbortAsked { by, .. } | Event::Mark { by, .. } => may_do(*by),
            Event::Dropped { task, .. } => polled.is_none() && phase_of(*task).is_some(),
            Event::TimerMade { timer, by, .. } => !is_known(*timer) && may_do(*by),
            // If it is on the wheel already, another task polls it.
            Event::TimerArmed {
                timer: number,
                deadline,
                wakes,
            } => match timer(*number).filter(|timer| timer.armed.is_some()) {
                Some(timer) => timer.wakes != *wakes,
                None => at < *deadline,
            },
            Event::TimerFired { timer } => is_past(*timer) && self.is_next(*timer),
            Event::TimerDue { timer } => is_past(*timer) && !is_armed(*timer),
            Event::TimerReset { timer, .. } | Event::TimerDropped { timer } => is_known(*timer),
            Event::WaitBegun { wait, task, .. } => !waits(*wait) && polled == Some(*task),
            Event::WaitEnded { wait } => waits(*wait),
            Event::ClockSet | Event::Value { .. } => true,
            // The clock is paused, and no event was dropped.
            Event::Parked { .. } | Event::Unparked | Event::Known { .. } => false,
        };
        let is_set = matches!(record.event, Event::ClockSet) && state.now() < at;
        right && (state.now() == at || is_set)
    }

    fn take(&mut self, record: &Record) {
        match record.event {
            Event::TimerArmed { timer, .. } => {
                self.armed.entry(timer).or_insert(self.taken);
            }
            Event::TimerFired { timer } => {
                self.armed.remove(&timer);
                self.fired = Some(timer);
            }
            Event::TimerReset { timer, .. } => drop(self.armed.remove(&timer)),
            _ => {}
        }
        self.state.take(record);
        self.taken += 1;
    }

    /// Whether a timer is the one on the wheel that is to fire next.
    fn is_next(&self, number: u64) -> bool {
        let armed = self.state.timers().filter(|(_, timer)| timer.armed.is_some());
        let next = armed.min_by_key(|(number, timer)| (ticks(timer.deadline), self.armed[number]));
        next.is_some_and(|(next, _)| next == number)
    }
}

/// The tasks in the run queue.
///
/// While tasks are dropped the queue is left as it is, and cleared in the end. Until then there may
/// be slots in it that are empty, or have been filled again.
fn real_queue(scheduler: &Scheduler) -> Result<Vec<Id>, String> {
    let recorder = scheduler.recorder.as_ref().expect("it is recorded");
    let is_clean = !matches!(recorder.cause, Cause::Drop(_));
    let mut queue = Vec::new();
    for (place, &index) in scheduler.runnable.iter().enumerate() {
        let is_last = !scheduler.runnable.range(place + 1..).any(|other| *other == index);
        match scheduler.tasks.at(index) {
            Some((number, slot)) if is_clean || is_last && !slot.idle => {
                queue.push(scheduler.id(Key { index, number }));
            }
            None if is_clean => return Err(format!("slot {index} is queued, and empty")),
            _ => {}
        }
    }
    Ok(queue)
}

/// What a task does, as the scheduler knows it.
fn phase(slot: &TaskSlot, name: Name) -> Phase {
    let is_polled = POLLING.with(|polling| polling.name.get()) == Some(name);
    match is_polled {
        true if POLLING.with(|polling| polling.woken.get()) => Phase::PollingAndWoken,
        true => Phase::Polling,
        false if slot.idle => Phase::Idle,
        false => Phase::Queued,
    }
}

/// A deadline as the wheel counts.
fn ticks(deadline: Duration) -> u64 {
    deadline.as_nanos().div_ceil(1_000) as u64
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, told: T, real: T) -> Result<(), String> {
    match told == real {
        true => Ok(()),
        false => Err(format!("{what}: the events say {told:?}, the scheduler {real:?}")),
    }
}

// The runs.

/// Panics print nothing meanwhile: those that a program makes, and the reports of its stalls.
fn quietly<R>(f: impl FnOnce() -> R) -> R {
    thread_local!(static QUIET: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |info| {
            if !QUIET.get() {
                loud(info);
            }
        }));
    });
    QUIET.set(true);
    let result = catch(f);
    QUIET.set(false);
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

/// What an earlier executor of this thread has left behind: the wakers of its root and of a task,
/// and a sleep.
fn heirlooms() -> (Waker, Waker, Sleep) {
    let executor = Executor::builder().start_paused(true).record(1).build();
    let waker = || poll_fn(|cx| Poll::Ready(cx.waker().clone()));
    executor.block_on(async move {
        let of_a_task = task::spawn(waker()).await.expect("a waker");
        (waker().await, of_a_task, sleep(units(3)))
    })
}

/// Plays a program. Returns what was seen after each step.
fn play(program: &Program, capacity: usize) -> Result<Vec<Seen>, String> {
    let (a_root, a_task, a_sleep) = heirlooms();
    let builder = Executor::builder().start_paused(true).panic_on_stall(true);
    let executor = Rc::new(builder.record(capacity).build());
    let (sender, receiver) = mpsc::channel(1);
    let stage = Rc::new(Stage {
        executor: Rc::downgrade(&executor),
        scheduler: executor.scheduler.clone(),
        number: executor.scheduler.borrow().executor,
        spawned: Cell::new(0),
        handles: RefCell::default(),
        abort_handles: RefCell::default(),
        wakers: RefCell::new(BTreeMap::from([(4, a_root), (5, a_task)])),
        stored: [Cell::new(None), Cell::new(Some(a_sleep))],
        mutex: Mutex::new(()),
        sender,
        receiver: Cell::new(Some(receiver)),
        root_is_alive: Cell::new(false),
        polls: RefCell::default(),
        waits: RefCell::default(),
        unseen: RefCell::default(),
        auditor: RefCell::new(Auditor::new(capacity)),
    });
    STAGE.set(Some(stage.clone()));
    program.before.iter().for_each(|deed| stage.act(deed));
    for (script, after) in &program.roots {
        stage.block_on(&executor, script.clone());
        after.iter().for_each(|deed| stage.act(deed));
    }
    let executor = Rc::into_inner(executor).expect("nobody else has it");
    let trace = executor.into_trace();
    audit();
    STAGE.set(None);
    let mut auditor = stage.auditor.borrow_mut();
    let state = &auditor.state;
    if state.queue().len() + state.tasks().len() > 0 {
        let failure = format!("this is left: {:?}", auditor.state);
        auditor.failure.get_or_insert(failure);
    }
    if auditor.taken != trace.dropped() + trace.records().len() as u64 && capacity == ALL {
        auditor.failure.get_or_insert("the trace is not what was recorded".to_string());
    }
    match auditor.failure.take() {
        Some(failure) => Err(format!("of {capacity} events: {failure}")),
        None => Ok(std::mem::take(&mut auditor.seen)),
    }
}

fn check(program: &Program) -> Result<(), String> {
    quietly(|| {
        let seen = play(program, ALL)?;
        for capacity in [1, 7, 50] {
            let in_a_ring = play(program, capacity)?;
            same("how many steps there are", in_a_ring.len(), seen.len())?;
            for (in_a_ring, seen) in in_a_ring.into_iter().zip(&seen) {
                same(&format!("in a ring of {capacity}"), &in_a_ring, seen)?;
            }
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_algorithm: RngAlgorithm::XorShift,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_events_alone_tell_the_state_of_the_scheduler(program in programs()) {
        check(&program).map_err(TestCaseError::fail)?;
    }
}
