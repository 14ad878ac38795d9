//! [`CancellationToken`]: ask many tasks at once to stop.
//!
//! A token does not stop anything by itself. It is a flag that can only go up, and a place to wait
//! for that; the tasks that are to stop look at it, or race their work against it. Unlike an abort
//! this lets a task end where it chooses, and clean up.
//!
//! Tokens form a tree: cancelling one cancels all below it, and nothing above or beside it. The
//! *family*, all tokens that descend from one `new`, lies in one slab behind one mutex. A token is
//! the family, and the key of its node there:
//!
//! ```text
//!   CancellationToken ──┐       ┌─ Family ──────────────────────────┐
//!   its clone ──────────┼─────► │ 0: root     tokens 2  waiters [a] │
//!   a child ────────────┤       │ ├─ 1        tokens 1  waiters []  │
//!   another child ──────┘       │ └─ 2        tokens 1  waiters [b] │
//!                               └───────────────────────────────────┘
//! ```
//!
//! To cancel a node is to take it out of the slab, together with all below it. A token whose node
//! is not found *is cancelled*: nothing else takes a node away from under a token, since a node
//! counts its tokens. And a key that is stale stays so (`slab.rs`), so a cancelled token can never
//! be un-cancelled; there is not even a flag that could be put back.
//!
//! A node that no token names any more cannot be cancelled by itself. It is still of use while it
//! joins two children or more to what is above them; with one child, that takes its place, and with
//! none it goes. So there are at most twice as many nodes as tokens, however many came and went,
//! and each step costs the same at any depth. Nothing recurses, also when a family is dropped:
//! it is two vectors.
//!
//! Why not the obvious way? A node that owns its children, or is owned by them, through `Arc`s,
//! locks itself: then two locks must be held to take one out, in an order that is safe although the
//! tree changes meanwhile, and dropping a chain recurses. The price of one lock: all tokens of a
//! family pass through it, some nanoseconds each.

use super::guarded::{Guarded, Wakers};
use crate::list::{List, Nodes};
use crate::panics::contain_each;
use crate::pin::project;
use crate::slab::Key;
use crate::waits::{Awaited, Mark};
use std::fmt;
use std::future::Future;
use std::mem;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Asks tasks to stop, on this thread or on others.
///
/// [Cloning](Clone::clone) it gives the same token once more; a
/// [`child_token`](CancellationToken::child_token) is cancelled with its parent, but not the other
/// way round. There is no way back: what is cancelled stays so.
///
/// A task that receives, and stops when its token is cancelled, leaves in the channel what it has
/// not received. If that is to be done first, let it [close](super::mpsc::Receiver::close) the
/// channel then, and go on until there is nothing left.
///
/// The names are those of the crate `tokio-util`.
///
/// ```
/// use handspun::sync::CancellationToken;
///
/// handspun::block_on(async {
///     let token = CancellationToken::new();
///     let workers: Vec<_> = (0..3)
///         .map(|_| {
///             let stop = token.child_token();
///             handspun::spawn(async move {
///                 stop.cancelled().await;
///                 "cleaned up"
///             })
///         })
///         .collect();
///     token.cancel();
///     for worker in workers {
///         assert_eq!(worker.await.unwrap(), "cleaned up");
///     }
/// });
/// ```
pub struct CancellationToken {
    family: Arc<Guarded<Family>>,
    node: Key,
}

impl CancellationToken {
    /// A token that is not cancelled, and has no parent.
    #[track_caller]
    pub fn new() -> CancellationToken {
        let mut family = Family {
            nodes: Nodes::numbered_from(NonZeroU64::MIN),
            wakers: Nodes::numbered_from(NonZeroU64::MIN),
            awaited: Awaited::new("the cancellation of the token"),
        };
        let node = family.insert();
        CancellationToken {
            family: Arc::new(Guarded::new(family)),
            node,
        }
    }

    /// A token that is cancelled with this one, or by itself.
    ///
    /// The child of a cancelled token is cancelled from the beginning.
    pub fn child_token(&self) -> CancellationToken {
        let node = self.family.look(|family| family.insert_child(self.node));
        CancellationToken {
            family: self.family.clone(),
            // One cancelled token is like another.
            node: node.unwrap_or(self.node),
        }
    }

    /// Cancels this token, its clones and all that descend from them, and wakes those who wait for
    /// that, in the order in which they began to wait.
    ///
    /// All tokens are cancelled in one step, before the first is woken. Cancelling again does
    /// nothing. A waker that panics does not keep the others from being woken; its panic ends here.
    pub fn cancel(&self) {
        self.family.with(|family, wakers| family.cancel(self.node, wakers));
    }

    /// Whether this token, or one that it descends from, has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        !self.family.look(|family| family.has(self.node))
    }

    /// Waits until this token is cancelled.
    ///
    /// # Cancel safety
    /// Cancel safe. Dropping the future takes its waker back.
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        WaitForCancellationFuture(Wait::new(self))
    }

    /// Waits until this token is cancelled. The future owns the token: it can be spawned.
    ///
    /// # Cancel safety
    /// Cancel safe. Dropping the future takes its waker back.
    pub fn cancelled_owned(self) -> WaitForCancellationFutureOwned {
        WaitForCancellationFutureOwned(Wait::new(self))
    }

    /// Runs `future` until it is ready, `Some`, or this token is cancelled, `None`. In both cases
    /// the future is dropped before this is ready.
    ///
    /// If the token is cancelled from the beginning, the future is never polled. After that the
    /// future is polled first: if both happen at once, it wins.
    ///
    /// ```
    /// use handspun::sync::CancellationToken;
    ///
    /// handspun::block_on(async {
    ///     let token = CancellationToken::new();
    ///     assert_eq!(token.run_until_cancelled(async { 7 }).await, Some(7));
    ///     token.cancel();
    ///     assert_eq!(token.run_until_cancelled(async { 7 }).await, None);
    /// });
    /// ```
    ///
    /// # Panics
    /// If polled after it was ready.
    ///
    /// # Cancel safety
    /// As safe as `future`: dropping this drops it.
    pub fn run_until_cancelled<F: Future>(
        &self,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> {
        RunUntilCancelled::new(self, future)
    }

    /// The same as [`run_until_cancelled`](CancellationToken::run_until_cancelled), but owns the
    /// token: it can be spawned.
    ///
    /// # Panics
    /// If polled after it was ready.
    ///
    /// # Cancel safety
    /// As safe as `future`: dropping this drops it.
    pub fn run_until_cancelled_owned<F: Future>(
        self,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> {
        RunUntilCancelled::new(self, future)
    }

    /// Puts the token into a guard that cancels it when it is dropped.
    pub fn drop_guard(self) -> DropGuard {
        DropGuard { token: Some(self) }
    }

    /// A guard that cancels this token when it is dropped.
    pub fn drop_guard_ref(&self) -> DropGuardRef<'_> {
        DropGuardRef { token: Some(self) }
    }
}

/// The same token once more.
impl Clone for CancellationToken {
    fn clone(&self) -> CancellationToken {
        self.family.look(|family| family.retain(self.node));
        CancellationToken {
            family: self.family.clone(),
            node: self.node,
        }
    }
}

/// Does not cancel it: [`drop_guard`](CancellationToken::drop_guard) does.
impl Drop for CancellationToken {
    fn drop(&mut self) {
        let left_behind = self.family.look(|family| family.release(self.node));
        contain_each(left_behind, drop);
    }
}

impl Default for CancellationToken {
    #[track_caller]
    fn default() -> CancellationToken {
        CancellationToken::new()
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}

/// Ready when a token is cancelled. Made by [`CancellationToken::cancelled`].
///
/// It may be polled again after that: it stays ready.
///
/// ```
/// use handspun::sync::CancellationToken;
///
/// handspun::block_on(async {
///     let token = CancellationToken::new();
///     let cancelled = token.cancelled();
///     token.cancel();
///     cancelled.await;
/// });
/// ```
///
/// # Cancel safety
/// Cancel safe. Dropping it takes its waker back.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct WaitForCancellationFuture<'a>(Wait<&'a CancellationToken>);

impl Future for WaitForCancellationFuture<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll(cx)
    }
}

impl fmt::Debug for WaitForCancellationFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitForCancellationFuture").finish_non_exhaustive()
    }
}

/// Ready when a token is cancelled. Made by [`CancellationToken::cancelled_owned`].
///
/// It may be polled again after that: it stays ready.
///
/// ```
/// use handspun::sync::CancellationToken;
///
/// handspun::block_on(async {
///     let token = CancellationToken::new();
///     let waiting = handspun::spawn(token.clone().cancelled_owned());
///     token.cancel();
///     waiting.await.unwrap();
/// });
/// ```
///
/// # Cancel safety
/// Cancel safe. Dropping it takes its waker back.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct WaitForCancellationFutureOwned(Wait<CancellationToken>);

impl Future for WaitForCancellationFutureOwned {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll(cx)
    }
}

impl fmt::Debug for WaitForCancellationFutureOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitForCancellationFutureOwned").finish_non_exhaustive()
    }
}

/// Cancels a token when it is dropped. Made by [`CancellationToken::drop_guard`].
///
/// ```
/// use handspun::sync::CancellationToken;
///
/// let token = CancellationToken::new();
/// {
///     let _guard = token.clone().drop_guard();
///     // … leave by `return`, `?` or a panic …
/// }
/// assert!(token.is_cancelled());
/// ```
#[derive(Debug)]
#[must_use = "a guard that is dropped at once cancels the token at once"]
pub struct DropGuard {
    /// `None` after it was disarmed.
    token: Option<CancellationToken>,
}

impl DropGuard {
    /// Gives the token back, not cancelled.
    pub fn disarm(mut self) -> CancellationToken {
        self.token.take().expect("a guard is disarmed once")
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            token.cancel();
        }
    }
}

/// Cancels a token when it is dropped. Made by [`CancellationToken::drop_guard_ref`].
///
/// ```
/// use handspun::sync::CancellationToken;
///
/// let token = CancellationToken::new();
/// token.drop_guard_ref().disarm();
/// assert!(!token.is_cancelled());
/// drop(token.drop_guard_ref());
/// assert!(token.is_cancelled());
/// ```
#[derive(Debug)]
#[must_use = "a guard that is dropped at once cancels the token at once"]
pub struct DropGuardRef<'a> {
    /// `None` after it was disarmed.
    token: Option<&'a CancellationToken>,
}

impl<'a> DropGuardRef<'a> {
    /// Gives the token back, not cancelled.
    pub fn disarm(mut self) -> &'a CancellationToken {
        self.token.take().expect("a guard is disarmed once")
    }
}

impl Drop for DropGuardRef<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.token {
            token.cancel();
        }
    }
}

/// A token, borrowed or owned.
trait Held: Unpin {
    fn token(&self) -> &CancellationToken;
}

impl Held for CancellationToken {
    fn token(&self) -> &CancellationToken {
        self
    }
}

impl Held for &CancellationToken {
    fn token(&self) -> &CancellationToken {
        self
    }
}

/// A wait for a token, borrowed or owned.
struct Wait<T: Held> {
    token: T,
    /// Where the waker lies, from the first poll that was pending on.
    waker: Option<Key>,
    mark: Mark,
}

impl<T: Held> Wait<T> {
    fn new(token: T) -> Wait<T> {
        Wait {
            token,
            waker: None,
            mark: Mark::default(),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let token = self.token.token();
        let waker = &mut self.waker;
        let poll = token.family.poll(cx, |family, wakers| {
            let poll = family.wait(token.node, waker, wakers);
            if poll.is_pending() {
                self.mark.waits(&family.awaited);
            }
            poll
        });
        if poll.is_ready() {
            self.mark.ends();
        }
        poll
    }
}

impl<T: Held> Drop for Wait<T> {
    fn drop(&mut self) {
        let token = self.token.token();
        self.mark.ends();
        if let Some(waker) = self.waker {
            token.family.with(|family, wakers| family.forget(token.node, waker, wakers));
        }
    }
}

/// A future, until a token is cancelled.
#[must_use = "futures do nothing unless you `.await` or poll them"]
struct RunUntilCancelled<T: Held, F> {
    /// `None` after this was ready.
    future: Option<F>,
    cancelled: Wait<T>,
}

project!(RunUntilCancelled<T: Held, F> => RunParts { pin future: Option<F>; cancelled: Wait<T> });

impl<T: Held, F> RunUntilCancelled<T, F> {
    fn new(token: T, future: F) -> RunUntilCancelled<T, F> {
        RunUntilCancelled {
            future: Some(future),
            cancelled: Wait::new(token),
        }
    }
}

impl<T: Held, F: Future> Future for RunUntilCancelled<T, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let RunParts {
            mut future,
            cancelled,
        } = self.project();
        let Some(running) = future.as_mut().as_pin_mut() else {
            panic!("`run_until_cancelled` was polled after it was ready");
        };
        let is_first_poll = cancelled.waker.is_none();
        let output = if is_first_poll && cancelled.token.token().is_cancelled() {
            None
        } else if let Poll::Ready(output) = running.poll(cx) {
            Some(output)
        } else if cancelled.poll(cx).is_ready() {
            None
        } else {
            return Poll::Pending;
        };
        future.set(None);
        Poll::Ready(output)
    }
}

/// All tokens that descend from one `new`. Its functions run under the lock: they neither call nor
/// drop a waker.
struct Family {
    nodes: Nodes<Node>,
    /// Of all that wait for a token of this family, numbered in the order in which they came.
    wakers: Nodes<Option<Waker>>,
    awaited: Awaited,
}

/// What a token and its clones share. It lies in the list of its parent's children.
struct Node {
    parent: Option<Key>,
    children: List,
    child_count: usize,
    waiters: List,
    /// How many tokens name this node.
    tokens: usize,
}

/// Wakers that were taken out, each with the number by which they are sorted.
type Numbered = Vec<(NonZeroU64, Option<Waker>)>;

impl Family {
    /// A node with one token and without a parent.
    fn insert(&mut self) -> Key {
        self.nodes.insert(Node {
            parent: None,
            children: List::EMPTY,
            child_count: 0,
            waiters: List::EMPTY,
            tokens: 1,
        })
    }

    /// A node with one token, below another; `None` if that one is cancelled.
    fn insert_child(&mut self, parent: Key) -> Option<Key> {
        if !self.has(parent) {
            return None;
        }
        let child = self.insert();
        self.link(child, Some(parent));
        Some(child)
    }

    /// `false`: it has been cancelled.
    fn has(&self, node: Key) -> bool {
        self.nodes.get(node).is_some()
    }

    /// There is one more token.
    fn retain(&mut self, node: Key) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.tokens += 1;
        }
    }

    /// There is one token less. Without any, nobody waits any more: wakers that are still there
    /// were left behind by futures that have been forgotten, and are returned.
    fn release(&mut self, key: Key) -> Numbered {
        let mut left_behind = Vec::new();
        if let Some(node) = self.nodes.get_mut(key) {
            node.tokens -= 1;
            if node.tokens == 0 {
                self.take_wakers(key, &mut left_behind);
                self.prune(Some(key));
            }
        }
        left_behind
    }

    /// Ready if the node has been cancelled; until then the waker is kept, at `place`.
    fn wait(&mut self, node: Key, place: &mut Option<Key>, wakers: &mut Wakers) -> Poll<()> {
        let Some(node) = self.nodes.get_mut(node) else {
            *place = None;
            return Poll::Ready(());
        };
        let key = *place.get_or_insert_with(|| {
            let key = self.wakers.insert(None);
            node.waiters.push_back(&mut self.wakers, key);
            key
        });
        wakers.keep(self.wakers.get_mut(key).expect("a waker of a node that is there"));
        Poll::Pending
    }

    /// Takes a waker back. If the node has been cancelled, it is gone already.
    fn forget(&mut self, node: Key, waker: Key, wakers: &mut Wakers) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.waiters.unlink(&mut self.wakers, waker);
            wakers.discard(self.wakers.remove(waker).flatten());
        }
    }

    /// Takes out a node and all below it, and wakes who waits, in the order in which they came.
    fn cancel(&mut self, key: Key, wakers: &mut Wakers) {
        if !self.has(key) {
            return;
        }
        let mut woken = Vec::new();
        let parent = self.unlink(key);
        let mut cancelled = vec![key];
        while let Some(key) = cancelled.pop() {
            while let Some(child) = self.pop_child(key) {
                cancelled.push(child);
            }
            self.take_wakers(key, &mut woken);
            self.nodes.remove(key);
        }
        self.prune(parent);
        woken.sort_unstable_by_key(|&(number, _)| number);
        woken.into_iter().filter_map(|(_, waker)| waker).for_each(|waker| wakers.add(waker));
    }

    fn take_wakers(&mut self, key: Key, taken: &mut Numbered) {
        let node = self.nodes.get_mut(key).expect("a node that is there");
        while let Some(key) = node.waiters.pop_front(&mut self.wakers) {
            let waker = self.wakers.remove(key).expect("a list leads to wakers");
            taken.push((key.number, waker));
        }
    }

    /// Takes out a node that no token names and that joins no two children, and then its parent if
    /// that has become such a one. An only child takes the node's place.
    fn prune(&mut self, mut next: Option<Key>) {
        while let Some(key) = next
            && let Some(node) = self.nodes.get(key)
            && node.tokens == 0
            && node.child_count < 2
        {
            let only_child = self.pop_child(key);
            let parent = self.unlink(key);
            if let Some(child) = only_child {
                self.link(child, parent);
            }
            self.nodes.remove(key);
            next = parent;
        }
    }

    /// Puts a node, which is nobody's child, below another.
    fn link(&mut self, child: Key, parent: Option<Key>) {
        self.node(child).parent = parent;
        if let Some(parent) = parent {
            self.with_children(parent, |children, nodes| children.push_back(nodes, child));
            self.node(parent).child_count += 1;
        }
    }

    /// Takes a node from its parent, which is returned.
    fn unlink(&mut self, child: Key) -> Option<Key> {
        let parent = self.node(child).parent.take()?;
        self.with_children(parent, |children, nodes| children.unlink(nodes, child));
        self.node(parent).child_count -= 1;
        Some(parent)
    }

    /// Takes a child from its parent.
    fn pop_child(&mut self, parent: Key) -> Option<Key> {
        let child = self.with_children(parent, |children, nodes| children.pop_front(nodes))?;
        self.node(child).parent = None;
        self.node(parent).child_count -= 1;
        Some(child)
    }

    /// Changes the list of a node's children, which lies among the nodes that it links: it is taken
    /// out meanwhile.
    fn with_children<R>(
        &mut self,
        parent: Key,
        change: impl FnOnce(&mut List, &mut Nodes<Node>) -> R,
    ) -> R {
        let mut children = mem::replace(&mut self.node(parent).children, List::EMPTY);
        let result = change(&mut children, &mut self.nodes);
        self.node(parent).children = children;
        result
    }

    fn node(&mut self, key: Key) -> &mut Node {
        self.nodes.get_mut(key).expect("a node that is there")
    }
}

#[cfg(test)]
#[path = "cancellation_token_tests.rs"]
mod tests;
