// Exercise 18, wrong: it holds its parent by `Weak`, and who has none any more is cancelled.

use handspun::future::{Either, race};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::iter::successors;
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
    is_cancelled: Cell<bool>,
    /// Nobody knows who is below it: who wants to know whether it is cancelled looks up.
    parent: Option<Weak<Node>>,
    /// Of all that wait for this token or one below it, by the numbers of their waits.
    wakers: RefCell<BTreeMap<u64, Waker>>,
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
        let node = Node {
            parent: Some(Rc::downgrade(&self.node)),
            ..Node::default()
        };
        Token {
            node: Rc::new(node),
        }
    }

    /// Cancels this token and all below it, and wakes those who wait for that.
    pub fn cancel(&self) {
        // One flag, however many are below: all are cancelled before the first is woken.
        self.node.is_cancelled.set(true);
        // Taken out before the first is called: it is somebody else's code, and may come back.
        let wakers = self.node.wakers.take();
        wakers.into_values().for_each(Waker::wake);
    }

    /// Whether this token, or one above it, has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.line().any(|token| {
            let is_gone = |parent: &Weak<Node>| parent.upgrade().is_none();
            token.node.is_cancelled.get() || token.node.parent.as_ref().is_some_and(is_gone)
        })
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

    /// This token, its parent, and so on.
    fn line(&self) -> impl Iterator<Item = Token> {
        successors(Some(self.clone()), |token| {
            token.node.parent.as_ref().and_then(Weak::upgrade).map(|node| Token { node })
        })
    }
}

thread_local! {
    /// The number of the next wait.
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

impl Future for Cancelled<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        for token in self.token.line() {
            let waker = cx.waker().clone();
            // That of the last poll is dropped behind this line, when nothing is borrowed.
            let _last = token.node.wakers.borrow_mut().insert(self.number, waker);
        }
        // Not before: a waker that was dropped just now may have cancelled it.
        match self.token.is_cancelled() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        for token in self.token.line() {
            let _waker = token.node.wakers.borrow_mut().remove(&self.number);
        }
    }
}
