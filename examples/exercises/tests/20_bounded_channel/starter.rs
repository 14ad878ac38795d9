// Exercise 20: a channel with room for so many values. The task is in README.md.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A channel with room for `capacity` values, one at least.
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(RefCell::new(Channel {
        queue: VecDeque::new(),
        capacity,
        senders: 1,
        receiver: None,
    }));
    let sender = Sender {
        channel: shared.clone(),
    };
    (sender, Receiver { channel: shared })
}

pub struct Sender<T> {
    channel: Rc<RefCell<Channel<T>>>,
}

pub struct Receiver<T> {
    channel: Rc<RefCell<Channel<T>>>,
}

struct Channel<T> {
    queue: VecDeque<T>,
    capacity: usize,
    senders: usize,
    receiver: Option<Waker>,
    // Who waits for room, and in which order?
}

impl<T> Sender<T> {
    /// Waits for room, and puts `value` there. An error gives it back: the receiver is gone.
    pub async fn send(&self, value: T) -> Result<(), T> {
        todo!("`send`: wait for room, in line, and put the value there")
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        let channel = self.channel.clone();
        channel.borrow_mut().senders += 1;
        Sender { channel }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // What does it mean if it was the last one, and who wants to know?
    }
}

impl<T> Receiver<T> {
    /// The next value. `None`: there are none, and no senders that could bring more.
    pub async fn recv(&mut self) -> Option<T> {
        todo!("`recv`: wait for a value; and who wants to know that there is room?")
    }

    /// How many values there are now.
    pub fn len(&self) -> usize {
        self.channel.borrow().queue.len()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // Nobody will ever make room again. Who waits for some?
    }
}
