// Exercise 14: `join_all` that polls only the children that were woken. The task is in README.md.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

pub type Child<T> = Pin<Box<dyn Future<Output = T>>>;

/// Many futures, to be ready when all are. Outputs are in the order of the futures.
pub fn join_all<T>(children: Vec<Child<T>>) -> JoinAll<T> {
    todo!("`join_all`: a place for each child, and a queue")
}

pub struct JoinAll<T> {
    places: Vec<Place<T>>,
    /// How many children are not done.
    pending: usize,
    queue: Arc<Mutex<Queue>>,
}

/// The futures lie in boxes of their own, and stay there: so this may be moved.
impl<T> Unpin for JoinAll<T> {}

struct Place<T> {
    /// `None`: it is done.
    future: Option<Child<T>>,
    output: Option<T>,
    waker: Waker,
}

/// The children that have been woken, and the task to be woken for them.
struct Queue {
    numbers: VecDeque<usize>,
    /// Who has polled the whole last.
    task: Option<Waker>,
    // What else must be known of a child, to queue it only once?
}

/// What is in the waker of a child.
struct ChildWaker {
    number: usize,
    queue: Arc<Mutex<Queue>>,
}

impl Wake for ChildWaker {
    fn wake(self: Arc<Self>) {
        todo!("`wake`: queue the child, and wake the task")
    }
}

impl<T> Future for JoinAll<T> {
    type Output = Vec<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Vec<T>> {
        todo!("`poll`: poll who is in the queue, and be ready when all are done")
    }
}
