//! Random programs on handspun, and on a model of it that is written from the promises alone.
//!
//! A program is a few scripts: yield, sleep, spawn, wake, abort, await, panic and the like. Played
//! by tasks of a real executor and by the [`Model`], it must leave the same history: every poll,
//! every drop, every result, in the same order. The model has no futures, wakers or slots, only a
//! queue of task numbers; who wants to know what handspun does can read it as the specification.

mod support;

use handspun::executor::Executor;
use handspun::task::{AbortHandle, JoinHandle, yield_now};
use handspun::time::{Duration, sleep};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use support::{History, OnDrop, caught, panic_silently};

/// What a task does, one step after the other. After the last it is finished.
///
/// Tasks are called by their numbers, which count from 1 in the order of spawning; 0 is the root.
/// A step that speaks of a task or of a handle that is not there does nothing.
#[derive(Clone, Debug)]
enum Step {
    Yield,
    /// Waits until it is polled again, for whatever reason.
    Park,
    Sleep(u64),
    Spawn(Script),
    Wake(usize),
    Abort(usize),
    /// Drops the handle.
    Detach(usize),
    /// Takes the handle and awaits it.
    Join(usize),
    Panic,
}

type Script = Vec<Step>;

fn scripts() -> impl Strategy<Value = Script> {
    fn script(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Script> {
        prop::collection::vec(step, 0..7)
    }
    let task = || 0..8_usize;
    let step = prop_oneof![
        4 => Just(Step::Yield),
        3 => Just(Step::Park),
        2 => (0..4_u64).prop_map(Step::Sleep),
        4 => task().prop_map(Step::Wake),
        2 => task().prop_map(Step::Abort),
        1 => task().prop_map(Step::Detach),
        3 => task().prop_map(Step::Join),
        1 => Just(Step::Panic),
    ];
    script(step.prop_recursive(3, 24, 6, |step| script(step).prop_map(Step::Spawn)))
}

proptest! {
    #[test]
    fn handspun_does_what_the_model_does(roots in prop::collection::vec(scripts(), 1..4)) {
        prop_assert_eq!(on_handspun(&roots), on_the_model(&roots));
    }
}

// The model.

/// All that an executor knows.
#[derive(Default)]
struct Model {
    history: Vec<String>,
    tasks: Vec<Task>,
    /// The tasks that are runnable, in the order in which they became so.
    queue: VecDeque<usize>,
    /// The task that is being polled, and whether it has been woken meanwhile.
    polling: Option<(usize, bool)>,
    now: u64,
    /// Deadlines and sleepers, in the order in which they were armed.
    timers: Vec<(u64, usize)>,
}

struct Task {
    steps: VecDeque<Step>,
    waits: Wait,
    aborted: bool,
    ending: Option<Ending>,
    handle: Handle,
}

/// What a task waits for in the middle of a step.
#[derive(Clone, Copy, PartialEq)]
enum Wait {
    ForNothing,
    ForAPoll,
    Until(u64),
    For(usize),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Ending {
    Finished,
    Panicked,
    Cancelled,
}

#[derive(PartialEq)]
enum Handle {
    /// Whoever comes first may await it or drop it.
    Free,
    Awaited,
    Dropped,
}

impl Model {
    fn block_on(&mut self, script: &Script) {
        self.tasks[0] = Task::new(script);
        self.tasks[0].handle = Handle::Dropped;
        self.wake(0);
        while self.tasks[0].ending.is_none() {
            self.fire_timers();
            if self.queue.is_empty() {
                match self.timers.iter().min() {
                    Some(&(deadline, _)) => self.now = deadline,
                    None => return self.fail("stalled"),
                }
            }
            // A turn: those that are runnable now.
            for _ in 0..self.queue.len() {
                let task = self.queue.pop_front().unwrap();
                self.poll(task);
                match self.tasks[0].ending {
                    None => {}
                    Some(Ending::Panicked) => return self.fail("panicked"),
                    Some(_) => return self.log(0, "block_on is over"),
                }
            }
        }
    }

    /// A panic comes out of `block_on`, after every task has been dropped, the root first.
    fn fail(&mut self, why: &str) {
        self.end(0, Ending::Panicked);
        self.drop_tasks();
        self.log(0, why);
    }

    fn drop_tasks(&mut self) {
        for task in 1..self.tasks.len() {
            self.end(task, Ending::Cancelled);
        }
        self.queue.clear();
    }

    /// Runnable once, however often it is woken; at the end of its poll, if it is being polled.
    fn wake(&mut self, task: usize) {
        if let Some((polling, woken)) = &mut self.polling
            && *polling == task
        {
            *woken = true;
        } else if !self.is_over(task) && !self.queue.contains(&task) {
            self.queue.push_back(task);
        }
    }

    /// In the order of deadlines, and of arming where deadlines are equal.
    fn fire_timers(&mut self) {
        self.timers.sort_by_key(|&(deadline, _)| deadline);
        while self.timers.first().is_some_and(|&(deadline, _)| deadline <= self.now) {
            let (_, sleeper) = self.timers.remove(0);
            self.wake(sleeper);
        }
    }

    fn poll(&mut self, task: usize) {
        if self.tasks[task].aborted {
            return self.end(task, Ending::Cancelled);
        }
        self.log(task, "poll");
        self.polling = Some((task, false));
        let ending = self.run(task);
        let (_, woken) = self.polling.take().unwrap();
        match ending {
            Some(ending) => self.end(task, ending),
            None if woken => self.queue.push_back(task),
            None => {}
        }
    }

    /// Runs a task's steps until it waits (`None`) or ends.
    fn run(&mut self, task: usize) -> Option<Ending> {
        loop {
            match self.tasks[task].waits {
                Wait::ForNothing | Wait::ForAPoll => {}
                Wait::Until(deadline) if deadline <= self.now => {}
                Wait::For(other) if self.is_over(other) => {
                    let ending = self.tasks[other].ending.unwrap();
                    self.log(task, format!("has joined {other}: {ending:?}"));
                    self.drop_handle(other);
                }
                Wait::Until(_) | Wait::For(_) => return None,
            }
            self.tasks[task].waits = Wait::ForNothing;
            let Some(step) = self.tasks[task].steps.pop_front() else {
                return Some(Ending::Finished);
            };
            match step {
                Step::Yield => {
                    self.wake(task);
                    self.tasks[task].waits = Wait::ForAPoll;
                    return None;
                }
                Step::Park => {
                    self.tasks[task].waits = Wait::ForAPoll;
                    return None;
                }
                Step::Sleep(duration) => {
                    let deadline = self.now + duration;
                    if duration > 0 {
                        self.timers.push((deadline, task));
                    }
                    self.tasks[task].waits = Wait::Until(deadline);
                }
                Step::Spawn(script) => {
                    self.tasks.push(Task::new(&script));
                    self.queue.push_back(self.tasks.len() - 1);
                }
                Step::Wake(other) => self.wake(other),
                Step::Abort(other) if other > 0 && !self.is_over(other) => {
                    self.tasks[other].aborted = true;
                    self.wake(other);
                }
                Step::Detach(other) if self.has_free_handle(other) => self.drop_handle(other),
                Step::Join(other) if self.has_free_handle(other) => {
                    self.tasks[other].handle = Handle::Awaited;
                    self.tasks[task].waits = Wait::For(other);
                }
                Step::Abort(_) | Step::Detach(_) | Step::Join(_) => {}
                Step::Panic => return Some(Ending::Panicked),
            }
        }
    }

    /// The future is dropped, with what it holds; then who awaits the task is woken.
    fn end(&mut self, task: usize, ending: Ending) {
        if self.is_over(task) {
            return;
        }
        self.log(task, "drop");
        self.timers.retain(|&(_, sleeper)| sleeper != task);
        if let Wait::For(other) = self.tasks[task].waits {
            self.drop_handle(other);
        }
        self.tasks[task].ending = Some(ending);
        if self.tasks[task].handle == Handle::Dropped {
            self.drop_value(task);
        }
        let waiting = |other: &usize| self.tasks[*other].waits == Wait::For(task);
        if let Some(joiner) = (0..self.tasks.len()).find(waiting) {
            self.wake(joiner);
        }
    }

    fn drop_handle(&mut self, task: usize) {
        self.tasks[task].handle = Handle::Dropped;
        self.drop_value(task);
    }

    fn drop_value(&mut self, task: usize) {
        if self.tasks[task].ending == Some(Ending::Finished) {
            self.log(task, "value dropped");
        }
    }

    fn is_over(&self, task: usize) -> bool {
        self.tasks.get(task).is_none_or(|task| task.ending.is_some())
    }

    fn has_free_handle(&self, task: usize) -> bool {
        self.tasks.get(task).is_some_and(|task| task.handle == Handle::Free)
    }

    fn log(&mut self, task: usize, line: impl std::fmt::Display) {
        self.history.push(format!("{task}: {line}"));
    }
}

impl Task {
    fn new(script: &Script) -> Task {
        Task {
            steps: script.iter().cloned().collect(),
            waits: Wait::ForNothing,
            aborted: false,
            ending: None,
            handle: Handle::Free,
        }
    }
}

/// Runs the scripts as roots, one after the other, of one executor, and then drops it.
fn on_the_model(roots: &[Script]) -> Vec<String> {
    let mut model = Model::default();
    model.tasks.push(Task::new(&Vec::new()));
    for root in roots {
        model.block_on(root);
    }
    model.drop_tasks();
    model.log(0, "the executor is gone");
    for task in 0..model.tasks.len() {
        if model.has_free_handle(task) {
            model.drop_handle(task);
        }
    }
    model.history
}

// The same on handspun.

/// What the tasks of a program share.
#[derive(Clone, Default)]
struct World {
    history: History,
    /// The waker that each task left in its last poll.
    wakers: Rc<RefCell<BTreeMap<usize, Waker>>>,
    abort_handles: Rc<RefCell<BTreeMap<usize, AbortHandle>>>,
    handles: Rc<RefCell<BTreeMap<usize, JoinHandle<OnDrop>>>>,
}

/// A script in the course of being played. Ready with the task's value.
struct Player {
    task: usize,
    world: World,
    play: Pin<Box<dyn Future<Output = ()>>>,
}

impl Player {
    fn new(task: usize, script: Script, world: &World) -> Player {
        Player {
            task,
            world: world.clone(),
            play: Box::pin(play(task, script, world.clone())),
        }
    }
}

impl Future for Player {
    type Output = OnDrop;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<OnDrop> {
        let task = self.task;
        self.world.history.push(format_args!("{task}: poll"));
        self.world.wakers.borrow_mut().insert(task, cx.waker().clone());
        self.play
            .as_mut()
            .poll(cx)
            .map(|()| self.world.history.on_drop(format_args!("{task}: value dropped")))
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.world.history.push(format_args!("{}: drop", self.task));
    }
}

async fn play(task: usize, script: Script, world: World) {
    for step in script {
        match step {
            Step::Yield => yield_now().await,
            Step::Park => park().await,
            Step::Sleep(seconds) => sleep(Duration::from_secs(seconds)).await,
            Step::Spawn(script) => {
                let child = world.abort_handles.borrow().len() + 1;
                let handle = handspun::spawn(Player::new(child, script, &world));
                assert_eq!(handle.id().to_string(), child.to_string());
                world.abort_handles.borrow_mut().insert(child, handle.abort_handle());
                world.handles.borrow_mut().insert(child, handle);
            }
            Step::Wake(other) => {
                let waker = world.wakers.borrow().get(&other).cloned();
                waker.into_iter().for_each(Waker::wake);
            }
            Step::Abort(other) => {
                let handle = world.abort_handles.borrow().get(&other).cloned();
                handle.into_iter().for_each(|handle| handle.abort());
            }
            Step::Detach(other) => {
                let handle = world.handles.borrow_mut().remove(&other);
                drop(handle);
            }
            Step::Join(other) => {
                let handle = world.handles.borrow_mut().remove(&other);
                if let Some(handle) = handle {
                    let value = handle.await;
                    let ending = match &value {
                        Ok(_) => Ending::Finished,
                        Err(error) if error.is_panic() => Ending::Panicked,
                        Err(_) => Ending::Cancelled,
                    };
                    world.history.push(format_args!("{task}: has joined {other}: {ending:?}"));
                }
            }
            Step::Panic => panic_silently("panicked"),
        }
    }
}

/// Pending once; does nothing to be woken.
async fn park() {
    let mut is_first = true;
    poll_fn(|_| if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }).await
}

/// Runs the scripts as roots, one after the other, of one executor, and then drops it.
fn on_handspun(roots: &[Script]) -> Vec<String> {
    let executor = Executor::builder().start_paused(true).panic_on_stall(true).build();
    let world = World::default();
    for root in roots {
        let root = Player::new(0, root.clone(), &world);
        let end = match caught(|| executor.block_on(root)) {
            Ok(_value) => "block_on is over",
            Err(message) if message.starts_with("the executor has stalled") => "stalled",
            Err(_) => "panicked",
        };
        world.history.push(format_args!("0: {end}"));
    }
    drop(executor);
    world.history.push("0: the executor is gone");
    drop(world.handles.take());
    world.history.take()
}
