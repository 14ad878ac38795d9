// Exercise 18: a token asks those who have it to stop, and those who have its children. The task is
// in README.md.

use handspun::future::{Either, race};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
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
    // Who is above it, or below? Who waits?
}

/// Ready when a token is cancelled. Made by [`Token::cancelled`].
pub struct Cancelled<'a> {
    token: &'a Token,
    // By what does it find its waker again?
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
        todo!("`child_token`: a token below this one")
    }

    /// Cancels this token and all below it, and wakes those who wait for that.
    pub fn cancel(&self) {
        todo!("`cancel`: raise the flag, and wake who waits")
    }

    /// Whether this token, or one above it, has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        todo!("`is_cancelled`: is the flag up?")
    }

    /// Waits until this token is cancelled.
    pub fn cancelled(&self) -> Cancelled<'_> {
        Cancelled { token: self }
    }

    /// Runs `future` until it is ready, `Some`, or this token is cancelled, `None`. It is not begun
    /// if the token is cancelled already. If both happen at once, the future wins.
    pub async fn run_until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        todo!("`run_until_cancelled`: a race")
    }
}

impl Future for Cancelled<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        todo!("`poll` of Cancelled: ready, or leave the waker")
    }
}

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        // What has it left behind, where it waited?
    }
}
