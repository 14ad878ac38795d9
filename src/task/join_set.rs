//! [`JoinSet`]: many tasks, awaited in the order in which they are finished.
//!
//! Who awaits a thousand handles one after the other waits for the slowest first, if that is how
//! they lie. Who polls all of them for each wake pays a thousand polls for one result. So each
//! member of a set *notifies* it: its future is wrapped in a struct whose last field is a
//! `Notice`, and when the wrapper is dropped the notice puts the member's key into the set's
//! queue of the finished, and wakes whoever waits.
//!
//! ```text
//!   JoinSet ── members: slab of JoinHandles       the executor's tasks
//!      │         0: handle ─────────────────────► Member { future, notice 0 } ──┐
//!      │         1: handle ─────────────────────► Member { future, notice 1 } ──┤
//!      ▼         2: handle ─────────────────────► (finished: future dropped)    │ weak
//!   State { finished: [2], waiter } ◄───────────────────────────────────────────┘
//! ```
//!
//! A future is dropped exactly once, however its task ends: it returned, it panicked, it was
//! aborted, its executor is gone. That is why the notice is a destructor, and why no end can be
//! missed. Finding the next result is then one look at a queue: a member costs the same in a set
//! of ten as in one of a hundred thousand.
//!
//! The set holds handles, and the members hold the set's state weakly: a set that is dropped frees
//! it at once, and notices that come later find nothing.

use super::{AbortHandle, Id, JoinError, JoinHandle, blocking};
use crate::panics::contain;
use crate::pin::project;
use crate::slab::{Key, Slab};
use crate::waits::{Awaited, Mark};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::num::NonZeroU64;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker, ready};

/// A set of tasks whose results come in the order in which they are finished.
///
/// Dropping the set [aborts](JoinHandle::abort) all its members. To let them go on alone, use
/// [`detach_all`](JoinSet::detach_all) first; to wait until they are gone,
/// [`shutdown`](JoinSet::shutdown).
///
/// A member that is finished stays in the set, with its result, until that is taken.
///
/// ```
/// use handspun::task::JoinSet;
/// use handspun::time::{Duration, sleep};
///
/// handspun::executor::Executor::builder().start_paused(true).build().block_on(async {
///     let mut set = JoinSet::new();
///     for seconds in [3, 1, 2] {
///         set.spawn(async move {
///             sleep(Duration::from_secs(seconds)).await;
///             seconds
///         });
///     }
///     let mut finished = Vec::new();
///     while let Some(result) = set.join_next().await {
///         finished.push(result.unwrap());
///     }
///     assert_eq!(finished, [1, 2, 3]);
/// });
/// ```
pub struct JoinSet<T> {
    /// `None` only while the member is being spawned.
    members: Slab<Option<JoinHandle<T>>>,
    state: Rc<State>,
    /// For who asks what a task waits for.
    awaited: Awaited,
    mark: Mark,
}

impl<T> JoinSet<T> {
    /// A set without members.
    #[track_caller]
    pub fn new() -> JoinSet<T> {
        JoinSet {
            members: Slab::numbered_from(NonZeroU64::MIN),
            state: Rc::default(),
            awaited: Awaited::new("the next task of the join set"),
            mark: Mark::default(),
        }
    }

    /// How many members there are: tasks that run, and results that have not been taken.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no members: nothing runs, and every result has been taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Spawns a member, as [`task::spawn`](super::spawn()) does. What it returns can abort it.
    ///
    /// # Panics
    /// If no executor runs on this thread.
    #[track_caller]
    pub fn spawn<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        let (vacancy, notice) = self.vacancy();
        vacancy.fill(super::spawn(Member::new(future, notice)))
    }

    /// The same as [`spawn`](JoinSet::spawn): every task is local here. For programs that move
    /// between this crate and tokio.
    ///
    /// # Panics
    /// If no executor runs on this thread.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        self.spawn(future)
    }

    /// Spawns a member that runs a closure which blocks, as
    /// [`task::spawn_blocking`](super::spawn_blocking) does.
    ///
    /// ```
    /// handspun::block_on(async {
    ///     let mut set = handspun::task::JoinSet::new();
    ///     for file in ["Cargo.toml", "README.md"] {
    ///         set.spawn_blocking(move || std::fs::metadata(file).unwrap().len());
    ///     }
    ///     assert!(set.join_all().await.iter().all(|&length| length > 0));
    /// });
    /// ```
    ///
    /// # Panics
    /// If no executor runs on this thread, or if the operating system refuses the first thread.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (vacancy, notice) = self.vacancy();
        let wrap = |answer| Member::new(answer, notice);
        vacancy.fill(blocking::spawn_wrapped(f, wrap, None, Location::caller()))
    }

    /// The settings of a member that is to be spawned: a name.
    pub fn build_task(&mut self) -> Builder<'_, T> {
        Builder {
            builder: super::Builder::new(),
            set: self,
        }
    }

    /// A slot for a new member, and what will say that it is finished.
    fn vacancy(&mut self) -> (Vacancy<'_, T>, Notice) {
        let key = self.members.insert(None);
        let notice = Notice {
            key,
            state: Rc::downgrade(&self.state),
        };
        let members = &mut self.members;
        (Vacancy { members, key }, notice)
    }

    /// Waits for the next member to be finished, and gives its result. `None`: the set is empty.
    ///
    /// # Cancel safety
    /// Cancel safe: if this is dropped before it is ready, no member has left the set.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// The same as [`join_next`](JoinSet::join_next), with the task's id. An error has it in
    /// [`JoinError::id`].
    ///
    /// # Cancel safety
    /// Cancel safe: if this is dropped before it is ready, no member has left the set.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// The result of a member that is finished, if there is one now.
    ///
    /// `None` also if the set is [empty](JoinSet::is_empty).
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_next().map(|(_, result)| result)
    }

    /// The same as [`try_join_next`](JoinSet::try_join_next), with the task's id.
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.try_next().map(|(id, result)| result.map(|value| (id, value)))
    }

    /// Polls for the result of a member that is finished.
    ///
    /// `Ready(None)`: the set is empty. `Pending`: `cx` will be woken when a member is finished; of
    /// several wakers, the one of the latest call.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_next(cx).map(|next| next.map(|(_, result)| result))
    }

    /// The same as [`poll_join_next`](JoinSet::poll_join_next), with the task's id.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        let next = self.poll_next(cx);
        next.map(|next| next.map(|(id, result)| result.map(|value| (id, value))))
    }

    /// Waits for all members. Their results are in the order in which they were finished.
    ///
    /// ```
    /// let squares = handspun::block_on(async {
    ///     let set: handspun::task::JoinSet<_> = (0..4).map(async |n| n * n).collect();
    ///     set.join_all().await
    /// });
    /// assert_eq!(squares, [0, 1, 4, 9]);
    /// ```
    ///
    /// # Panics
    /// With the panic of the first member that panicked, or if a member was aborted. The others are
    /// aborted then. To look at each result, use [`join_next`](JoinSet::join_next).
    ///
    /// # Cancel safety
    /// Not cancel safe: dropping this aborts all members and loses the results so far.
    pub async fn join_all(mut self) -> Vec<T> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some(result) = self.join_next().await {
            match result.map_err(JoinError::try_into_panic) {
                Ok(output) => outputs.push(output),
                Err(Ok(payload)) => resume_unwind(payload),
                Err(Err(error)) => panic!("{error}"),
            }
        }
        outputs
    }

    /// [Aborts](JoinHandle::abort) all members, in the order in which they were spawned.
    ///
    /// They stay in the set: [`join_next`](JoinSet::join_next) gives an error for each that has
    /// been stopped, and the result of each that was finished already.
    pub fn abort_all(&mut self) {
        let mut members: Vec<_> = self.members.iter().collect();
        members.sort_unstable_by_key(|(key, _)| key.number);
        members.iter().filter_map(|(_, member)| member.as_ref()).for_each(JoinHandle::abort);
    }

    /// Aborts all members and waits until they are gone. Results and panics are dropped.
    ///
    /// A [blocking closure](JoinSet::spawn_blocking) that has begun runs to its end first.
    ///
    /// # Cancel safety
    /// Cancel safe: if this is dropped before it is ready, the members are aborted all the same,
    /// and those that are left can be waited for again.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while let Some(result) = self.join_next().await {
            contain(|| drop(result));
        }
    }

    /// Takes all members out of the set. They go on running; their results are dropped.
    pub fn detach_all(&mut self) {
        // Another state too: the members that leave keep a link to the old one, which ends here.
        self.state = Rc::default();
        self.members = Slab::numbered_from(NonZeroU64::MIN);
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Id, Result<T, JoinError>)>> {
        let poll = self.poll_members(cx);
        match poll.is_pending() {
            true => self.mark.waits(&self.awaited),
            false => self.mark.ends(),
        }
        poll
    }

    fn poll_members(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Id, Result<T, JoinError>)>> {
        loop {
            if let Some((key, handle)) = self.first_finished() {
                // Pending only for a waker that comes here while the notice calls it, a moment
                // before the task is over. It will be woken again.
                let id = handle.id();
                let result = ready!(Pin::new(handle).poll(cx));
                self.remove(key);
                return Poll::Ready(Some((id, result)));
            }
            if self.is_empty() {
                return Poll::Ready(None);
            }
            self.state.wait(cx.waker());
            // A waker's clone and drop are somebody else's code. They may have ended a member.
            if self.state.first().is_none() {
                return Poll::Pending;
            }
        }
    }

    fn try_next(&mut self) -> Option<(Id, Result<T, JoinError>)> {
        let (_, handle) = self.first_finished()?;
        if !handle.is_finished() {
            return None;
        }
        match self.poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(next) => next,
            Poll::Pending => unreachable!("a task that is over has a result"),
        }
    }

    /// The first member of the queue of the finished.
    fn first_finished(&mut self) -> Option<(Key, &mut JoinHandle<T>)> {
        // The key of a member that could not be spawned is not found.
        while let Some(key) = self.state.first()
            && self.members.get(key).is_none()
        {
            self.state.pop();
        }
        let key = self.state.first()?;
        let member = self.members.get_mut(key)?.as_mut();
        Some((key, member.expect("a member that is finished was spawned")))
    }

    fn remove(&mut self, key: Key) {
        self.state.pop();
        self.members.remove(key);
    }
}

/// Aborts the members. They are dropped in the executor's next turn, not here.
impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.mark.ends();
        self.abort_all();
        // Also while a panic unwinds: a second one would abort the process.
        contain(|| drop(self.state.waiter.take()));
    }
}

impl<T> Default for JoinSet<T> {
    #[track_caller]
    fn default() -> JoinSet<T> {
        JoinSet::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

/// Spawns each future, as [`JoinSet::spawn`] does.
impl<T: 'static, F: Future<Output = T> + 'static> FromIterator<F> for JoinSet<T> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> JoinSet<T> {
        let mut set = JoinSet::new();
        set.extend(futures);
        set
    }
}

/// Spawns each future, as [`JoinSet::spawn`] does.
impl<T: 'static, F: Future<Output = T> + 'static> Extend<F> for JoinSet<T> {
    #[track_caller]
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        for future in futures {
            self.spawn(future);
        }
    }
}

/// Settings of a member that is to be spawned. Made by [`JoinSet::build_task`].
///
/// ```
/// handspun::block_on(async {
///     let mut set = handspun::task::JoinSet::new();
///     set.build_task().name("greeter").spawn(async { "hello" });
///     assert_eq!(set.join_all().await, ["hello"]);
/// });
/// ```
#[derive(Debug)]
#[must_use = "a builder spawns a member when `spawn` is called"]
pub struct Builder<'a, T> {
    builder: super::Builder,
    set: &'a mut JoinSet<T>,
}

impl<T> Builder<'_, T> {
    /// A name for people: reports call the task by it. It need not be unique.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.builder = self.builder.name(name);
        self
    }

    /// Spawns the member, as [`JoinSet::spawn`] does.
    ///
    /// # Panics
    /// If no executor runs on this thread.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        let (vacancy, notice) = self.set.vacancy();
        vacancy.fill(self.builder.spawn(Member::new(future, notice)))
    }
}

/// What a set shares with its members.
#[derive(Default)]
struct State {
    /// The keys of the members that are finished, in that order.
    finished: RefCell<VecDeque<Key>>,
    /// Who waits for the next one.
    waiter: Cell<Option<Waker>>,
}

impl State {
    fn first(&self) -> Option<Key> {
        self.finished.borrow().front().copied()
    }

    fn pop(&self) {
        self.finished.borrow_mut().pop_front();
    }

    fn wait(&self, waker: &Waker) {
        let waiter = self.waiter.take().filter(|waiter| waiter.will_wake(waker));
        self.waiter.set(Some(waiter.unwrap_or_else(|| waker.clone())));
    }
}

/// The future of a task that belongs to a set.
struct Member<F> {
    future: F,
    /// The last field: it is dropped after the future is gone.
    _notice: Notice,
}

project!(Member<F> => MemberParts { pin future: F });

impl<F> Member<F> {
    fn new(future: F, notice: Notice) -> Member<F> {
        Member {
            future,
            _notice: notice,
        }
    }
}

impl<F: Future> Future for Member<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

/// Tells the set, when it is dropped, that the member is finished.
struct Notice {
    key: Key,
    state: Weak<State>,
}

impl Drop for Notice {
    fn drop(&mut self) {
        let Some(state) = self.state.upgrade() else {
            return;
        };
        state.finished.borrow_mut().push_back(self.key);
        if let Some(waiter) = state.waiter.take() {
            contain(|| waiter.wake());
        }
    }
}

/// A slot whose handle is still to come: a member's key must be known before it is spawned. If
/// there is nothing to come, because `spawn` has panicked, the slot is given back.
struct Vacancy<'a, T> {
    members: &'a mut Slab<Option<JoinHandle<T>>>,
    key: Key,
}

impl<T> Vacancy<'_, T> {
    fn fill(self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        let slot = self.members.get_mut(self.key);
        *slot.expect("a slot keeps its key") = Some(handle);
        abort
    }
}

impl<T> Drop for Vacancy<'_, T> {
    fn drop(&mut self) {
        if let Some(None) = self.members.get(self.key) {
            self.members.remove(self.key);
        }
    }
}
