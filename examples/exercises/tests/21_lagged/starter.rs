// Exercise 21: a channel in which every receiver gets every value, or is told how many it missed.
// The task is in README.md.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A channel that keeps the last `capacity` values, one at least.
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(RefCell::new(Channel {
        row: VecDeque::new(),
        capacity,
        senders: 1,
    }));
    let sender = Sender { channel: shared };
    let receiver = sender.subscribe();
    (sender, receiver)
}

/// Why there is no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecvError {
    /// So many values have been missed since the last one that was received.
    Lagged(u64),
    /// All senders are gone, and all that they have sent is received.
    Closed,
}

pub struct Sender<T> {
    channel: Rc<RefCell<Channel<T>>>,
}

pub struct Receiver<T> {
    channel: Rc<RefCell<Channel<T>>>,
    // Which value does it get next?
}

struct Channel<T> {
    /// The last values that were sent. Several are to get the same one.
    row: VecDeque<Rc<T>>,
    // How many have fallen out of it?
    capacity: usize,
    senders: usize,
    // Which receivers are there, and who of them waits?
}

impl<T> Sender<T> {
    /// Sends `value` to all receivers, and returns how many they are. It waits for none of them: if
    /// the row is full, the oldest value falls out. An error gives the value back: there is nobody.
    pub fn send(&self, value: T) -> Result<usize, T> {
        todo!("`send`: put the value into the row, and wake all who wait")
    }

    /// One receiver more, of what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        todo!("`subscribe`: a receiver that stands behind all that was sent")
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

impl<T: Clone> Receiver<T> {
    /// The next value.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        todo!("`recv`: a value, or what was missed, or the end; or wait")
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // There is one less to send to. What has it left behind?
    }
}
