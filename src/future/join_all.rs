//! [`join_all()`]: wait for many, and poll only those that were woken.
//!
//! Joining two polls both whenever one is woken. With a thousand that is a thousand polls for each
//! wake, half a million until all are done: the quadratic `join_all` that one writes first
//! (`examples/24_join_all.rs`). So each child gets a waker of its own, which puts the child's index
//! into a queue and then wakes the task. A poll of the whole polls who is in the queue, once each:
//! the polls are as many as the wakes.
//!
//! ```text
//!   child 7 is woken ──► queue [2, 7] ──► the task is woken ──► polls 2 and 7, not the other 998
//! ```
//!
//! This is a small executor inside a future. It has a run queue, in which *Queued Once* holds, and
//! turns: a child that is woken during a poll of the whole waits for the next, so that the task's
//! neighbours have theirs in between.
//!
//! Wakers may be called on any thread, so the queue is behind a mutex, one for all children: a wake
//! locks it for a few instructions, and so does a child's poll. *No Borrow Across User Code* holds
//! for the lock too. The wakers are `Arc`s, one for each child; packed names would be smaller, but
//! this file knows nothing of executors.
//!
//! Next: `future/race.rs`.

use crate::panics::{contain, lock};
use crate::pin::{MaybeDone, element, project};
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

/// Waits for all of them, at the same time. Outputs are in the order of the futures.
///
/// A child is polled once at first and then only after it was woken, so the cost is linear in the
/// number of wakes. To have each output as it comes, spawn into a
/// [`JoinSet`](crate::task::JoinSet).
///
/// ```
/// use handspun::future::join_all;
/// use handspun::time::{Duration, sleep};
///
/// let squares = handspun::block_on(join_all((0..4).map(async |n| {
///     sleep(Duration::from_millis(4 - n)).await;
///     n * n
/// })));
/// assert_eq!(squares, [0, 1, 4, 9]);
/// ```
///
/// # Cancel safety
/// As safe as the futures: dropping this drops them, and the outputs of those that are done, in
/// order.
pub fn join_all<I>(futures: I) -> JoinAll<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator,
    I::Item: IntoFuture,
{
    JoinAll {
        children: Some(Children::new(futures)),
    }
}

/// Many futures, to be ready when all are. Made by [`join_all`].
///
/// May be moved after it was polled; its futures stay where they are.
///
/// ```
/// use handspun::future::{JoinAll, join_all};
/// use std::future::{Ready, ready};
///
/// let all: JoinAll<Ready<u8>> = join_all([ready(1), ready(2)]);
/// assert_eq!(handspun::block_on(all), [1, 2]);
/// ```
///
/// # Panics
/// If polled after it was ready. If a future panics, so does the poll; whoever catches that and
/// polls again goes on with all that are not done, as with [`join()`](super::join()).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct JoinAll<F: Future> {
    /// `None` when all are done.
    children: Option<Children<F>>,
}

impl<F: Future> Future for JoinAll<F> {
    type Output = Vec<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let children = self.children.as_mut().expect("a `JoinAll` was polled after it was ready");
        children.poll_woken(cx, |_| false);
        if children.pending > 0 {
            return Poll::Pending;
        }
        let outputs = children.outputs().collect();
        self.children = None;
        Poll::Ready(outputs)
    }
}

/// Waits for all of them, at the same time, or for the first error.
///
/// On an error no future is polled any more, and all are dropped before this is ready.
///
/// ```
/// use handspun::future::try_join_all;
///
/// let all = handspun::block_on(try_join_all(["1", "2", "x"].map(async |s| s.parse::<u32>())));
/// assert!(all.is_err());
/// ```
///
/// # Cancel safety
/// As safe as the futures: dropping this drops them, and the outputs of those that are done, in
/// order. Mind that an error cancels them as well.
pub fn try_join_all<I, T, E>(futures: I) -> TryJoinAll<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator,
    I::Item: IntoFuture<Output = Result<T, E>>,
{
    TryJoinAll {
        children: Some(Children::new(futures)),
    }
}

/// Many futures, to be ready when all are `Ok`, or one is `Err`. Made by [`try_join_all`].
///
/// May be moved after it was polled; its futures stay where they are.
///
/// ```
/// use handspun::future::{TryJoinAll, try_join_all};
/// use std::future::{Ready, ready};
///
/// let all: TryJoinAll<Ready<Result<u8, ()>>> = try_join_all([ready(Ok(1)), ready(Ok(2))]);
/// assert_eq!(handspun::block_on(all), Ok(vec![1, 2]));
/// ```
///
/// # Panics
/// If polled after it was ready. If a future panics, so does the poll; whoever catches that and
/// polls again goes on with all that are not done, as with [`join()`](super::join()).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct TryJoinAll<F: Future> {
    /// `None` when all are done, or one has failed.
    children: Option<Children<F>>,
}

impl<T, E, F: Future<Output = Result<T, E>>> Future for TryJoinAll<F> {
    type Output = Result<Vec<T>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let children =
            self.children.as_mut().expect("a `TryJoinAll` was polled after it was ready");
        let failed = children.poll_woken(cx, MaybeDone::failed);
        if failed.is_none() && children.pending > 0 {
            return Poll::Pending;
        }
        let outputs = match failed {
            Some(index) => children.output(index).map(|_| unreachable!("it is an error")),
            None => children.outputs().collect(),
        };
        self.children = None;
        Poll::Ready(outputs)
    }
}

/// The futures, where they never move, and the queue of those to poll.
struct Children<F: Future> {
    all: Pin<Box<[Child<F>]>>,
    /// How many are not done.
    pending: usize,
    woken: Arc<Woken>,
}

struct Child<F: Future> {
    future: MaybeDone<F>,
    /// `None` when it is done.
    waker: Option<Waker>,
}

project!(Child<F: Future> => ChildParts { pin future: MaybeDone<F>; waker: Option<Waker> });

impl<F: Future> Children<F> {
    fn new(futures: impl IntoIterator<Item: IntoFuture<IntoFuture = F>>) -> Self {
        let woken = Arc::new(Woken::default());
        let child = |(index, future): (usize, F)| Child {
            future: MaybeDone::Pending(future),
            waker: Some(woken.waker(index)),
        };
        let futures = futures.into_iter().map(IntoFuture::into_future);
        let all: Box<[Child<F>]> = futures.enumerate().map(child).collect();
        woken.queue_all(all.len());
        Children {
            pending: all.len(),
            all: Box::into_pin(all),
            woken,
        }
    }

    /// Takes a turn: polls those that are in the queue now, once each. Ends before its time if
    /// `is_last` says so of a child that is done, and returns this child's index.
    fn poll_woken(
        &mut self,
        cx: &mut Context<'_>,
        is_last: impl Fn(&MaybeDone<F>) -> bool,
    ) -> Option<usize> {
        let mut turn = self.woken.begin_turn(cx.waker());
        while let Some(index) = turn.next() {
            let ChildParts { mut future, waker } = element(self.all.as_mut(), index).project();
            if let Some(own) = waker {
                if !future.as_mut().poll_done(&mut Context::from_waker(own)) {
                    continue;
                }
                *waker = None;
                self.pending -= 1;
                if is_last(&future) {
                    turn.end();
                    return Some(index);
                }
            }
            // Done now, or already: then it has woken itself in its last poll.
            self.woken.retire(index);
        }
        None
    }

    /// The output of one that is done. Once.
    fn output(&mut self, index: usize) -> F::Output {
        element(self.all.as_mut(), index).project().future.output()
    }

    /// The outputs of all, if they are done, in order. Once.
    fn outputs(&mut self) -> impl Iterator<Item = F::Output> {
        (0..self.all.len()).map(|index| self.output(index))
    }
}

impl<F: Future> Drop for Children<F> {
    fn drop(&mut self) {
        // Wakers of the children may be anywhere, and stay. They shall not wake the task any more.
        let task = self.woken.lock().task.take();
        // Also while a panic unwinds: a second one would abort the process.
        contain(|| drop(task));
    }
}

/// Which children have been woken, and the task to wake for them.
#[derive(Default)]
struct Woken(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    /// The children to be polled, in the order in which they were woken. *Queued Once*: so there
    /// are never more than there were at first, and this never grows.
    queue: VecDeque<usize>,
    /// For each child whether it is in the queue, or done and must not come in any more.
    queued: Box<[bool]>,
    /// The waker of the task. Taken by the first wake after a poll: the next ones need not wake the
    /// task again, and a waker that is taken can be called without the lock.
    task: Option<Waker>,
}

impl Woken {
    /// There are so many children, and all are to be polled.
    fn queue_all(&self, children: usize) {
        let mut queue = self.lock();
        queue.queue = (0..children).collect();
        queue.queued = vec![true; children].into();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        lock(&self.0)
    }

    /// A waker for a child.
    fn waker(self: &Arc<Self>, index: usize) -> Waker {
        let woken = self.clone();
        Waker::from(Arc::new(ChildWaker { index, woken }))
    }

    /// Puts a child into the queue and wakes the task, unless it is there already.
    fn wake(&self, index: usize) {
        let mut queue = self.lock();
        if std::mem::replace(&mut queue.queued[index], true) {
            return;
        }
        queue.queue.push_back(index);
        let task = queue.task.take();
        drop(queue);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Begins a poll of the whole, by this task.
    fn begin_turn(&self, task: &Waker) -> Turn<'_> {
        let task = task.clone();
        let mut queue = self.lock();
        let before = queue.task.replace(task);
        // Not later: what comes in during the turn is for the next one.
        let left = queue.queue.len();
        drop(queue);
        drop(before);
        Turn {
            woken: self,
            left,
            polled: None,
        }
    }

    /// A child is done. Its waker wakes nobody any more.
    fn retire(&self, index: usize) {
        self.lock().queued[index] = true;
    }
}

/// A poll of the whole.
struct Turn<'a> {
    woken: &'a Woken,
    /// How many are still to be polled.
    left: usize,
    /// The child that is polled now.
    polled: Option<usize>,
}

impl Turn<'_> {
    /// Takes the next child out of the queue. From here on, so also during its poll, it can be
    /// queued again.
    fn next(&mut self) -> Option<usize> {
        self.polled = None;
        self.left = self.left.checked_sub(1)?;
        let mut queue = self.woken.lock();
        self.polled = queue.queue.pop_front();
        if let Some(index) = self.polled {
            queue.queued[index] = false;
        }
        self.polled
    }

    /// Nobody is to be polled any more, in this turn or another.
    fn end(mut self) {
        self.polled = None;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // The child that is polled now has panicked. It counts as woken, and with it the task: if
        // someone catches the panic, the turn's other children must not be forgotten.
        if let Some(index) = self.polled {
            contain(|| self.woken.wake(index));
        }
    }
}

/// What is in the waker of a child.
struct ChildWaker {
    index: usize,
    woken: Arc<Woken>,
}

impl Wake for ChildWaker {
    fn wake(self: Arc<Self>) {
        self.woken.wake(self.index);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.wake(self.index);
    }
}

impl<F: Future> fmt::Debug for Children<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} pending", self.pending, self.all.len())
    }
}

impl<F: Future> fmt::Debug for JoinAll<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinAll").field("children", &self.children).finish()
    }
}

impl<F: Future> fmt::Debug for TryJoinAll<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryJoinAll").field("children", &self.children).finish()
    }
}
