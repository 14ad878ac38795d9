// Exercise 20, wrong: a value more is always possible.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A channel with room for `capacity` values, one at least.
pub fn channel<T>(_capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(RefCell::new(Channel {
        queue: VecDeque::new(),
        senders: 1,
        is_closed: false,
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
    senders: usize,
    is_closed: bool,
    receiver: Option<Waker>,
}

impl<T> Sender<T> {
    pub async fn send(&self, value: T) -> Result<(), T> {
        let mut channel = self.channel.borrow_mut();
        if channel.is_closed {
            return Err(value);
        }
        channel.queue.push_back(value);
        let receiver = channel.receiver.take();
        drop(channel);
        receiver.into_iter().for_each(Waker::wake);
        Ok(())
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
        let mut channel = self.channel.borrow_mut();
        channel.senders -= 1;
        let receiver = if channel.senders == 0 { channel.receiver.take() } else { None };
        drop(channel);
        receiver.into_iter().for_each(Waker::wake);
    }
}

impl<T> Receiver<T> {
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| {
            let mut channel = self.channel.borrow_mut();
            if let Some(value) = channel.queue.pop_front() {
                return Poll::Ready(Some(value));
            }
            if channel.senders == 0 {
                return Poll::Ready(None);
            }
            channel.receiver = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    pub fn len(&self) -> usize {
        self.channel.borrow().queue.len()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.channel.borrow_mut().is_closed = true;
    }
}
