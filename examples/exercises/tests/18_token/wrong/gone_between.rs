// Exercise 18, wrong: nobody holds the token between.

use handspun::future::{Either, race};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

/// Asks whoever has it to stop. A clone is the same token once more.
#[derive(Clone)]
pub struct Token {
    node: Rc<Node>,
}

/// What a token and its clones share.
#[derive(Default)]
struct Node {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    is_cancelled: bool,
    children: Vec<Weak<Node>>,
    wakers: BTreeMap<u64, Waker>,
}

/// Ready when a token is cancelled. Made by [`Token::cancelled`].
pub struct Cancelled<'a> {
    token: &'a Token,
    /// By which its wakers are found again. No other wait has it.
    number: u64,
}

impl Token {
    /// A token that is not cancelled, and has no parent.
    pub fn new() -> Token {
        Token {
            node: Rc::default(),
        }
    }

    /// A token that is cancelled with this one, or by itself.
    pub fn child_token(&self) -> Token {
        let node = Rc::<Node>::default();
        node.state.borrow_mut().is_cancelled = self.is_cancelled();
        self.node.state.borrow_mut().children.push(Rc::downgrade(&node));
        Token { node }
    }

    /// Cancels this token and all below it, and wakes those who wait for that.
    pub fn cancel(&self) {
        let mut wakers = Vec::new();
        let mut nodes = vec![self.node.clone()];
        while let Some(node) = nodes.pop() {
            let state = &mut *node.state.borrow_mut();
            state.is_cancelled = true;
            nodes.extend(state.children.drain(..).filter_map(|child| child.upgrade()));
            wakers.extend(mem::take(&mut state.wakers).into_values());
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether this token, or one above it, has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.node.state.borrow().is_cancelled
    }

    /// Waits until this token is cancelled.
    pub fn cancelled(&self) -> Cancelled<'_> {
        Cancelled {
            token: self,
            number: NEXT.replace(NEXT.get() + 1),
        }
    }

    /// Runs `future` until it is ready, `Some`, or this token is cancelled, `None`. It is not begun
    /// if the token is cancelled already. If both happen at once, the future wins.
    pub async fn run_until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        if self.is_cancelled() {
            return None;
        }
        match race(future, self.cancelled()).await {
            Either::Left(output) => Some(output),
            Either::Right(()) => None,
        }
    }
}

thread_local! {
    /// The number of the next wait.
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

impl Future for Cancelled<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.token.is_cancelled() {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let _last = self.token.node.state.borrow_mut().wakers.insert(self.number, waker);
        Poll::Pending
    }
}

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        let _waker = self.token.node.state.borrow_mut().wakers.remove(&self.number);
    }
}
