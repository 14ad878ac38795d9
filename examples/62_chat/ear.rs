//! What a member of a room hears: what the others say, and how much he has missed.

use handspun::sync::broadcast::{self, error::RecvError, error::TryRecvError};
use std::future::pending;
use std::rc::Rc;

/// A line that was said in a room.
#[derive(Clone)]
pub struct Post {
    pub by: Rc<str>,
    pub line: Rc<str>,
}

pub struct Ear {
    own_name: Rc<str>,
    posts: broadcast::Receiver<Post>,
}

impl Ear {
    pub fn new(own_name: Rc<str>, posts: broadcast::Receiver<Post>) -> Ear {
        Ear { own_name, posts }
    }

    /// The next line, or how many were missed. Cancel safe.
    pub async fn next(&mut self) -> Rc<str> {
        loop {
            match self.posts.recv().await {
                Ok(post) if post.by == self.own_name => {}
                Ok(post) => return post.line,
                Err(RecvError::Lagged(missed)) => return told(missed),
                // He has left it, and is about to be given the ear for another room.
                Err(RecvError::Closed) => pending().await,
            }
        }
    }

    /// What there is now.
    pub fn try_next(&mut self) -> Option<Rc<str>> {
        loop {
            match self.posts.try_recv() {
                Ok(post) if post.by == self.own_name => {}
                Ok(post) => return Some(post.line),
                Err(TryRecvError::Lagged(missed)) => return Some(told(missed)),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
            }
        }
    }
}

fn told(missed: u64) -> Rc<str> {
    format!("* you were too slow, and missed {missed}\n").into()
}
