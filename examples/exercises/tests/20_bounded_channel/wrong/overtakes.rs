// Exercise 20, wrong: who is woken is out of the line, and has no room before it is polled.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A channel with room for `capacity` values, one at least.
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(RefCell::new(Channel {
        queue: VecDeque::new(),
        capacity,
        senders: 1,
        is_closed: false,
        receiver: None,
        line: VecDeque::new(),
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
    is_closed: bool,
    receiver: Option<Waker>,
    line: VecDeque<Waker>,
}

impl<T> Sender<T> {
    pub async fn send(&self, value: T) -> Result<(), T> {
        poll_fn(|cx| {
            let mut channel = self.channel.borrow_mut();
            if channel.is_closed || channel.queue.len() < channel.capacity {
                return Poll::Ready(());
            }
            channel.line.push_back(cx.waker().clone());
            Poll::Pending
        })
        .await;
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
                let next = channel.line.pop_front();
                drop(channel);
                next.into_iter().for_each(Waker::wake);
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
        let mut channel = self.channel.borrow_mut();
        channel.is_closed = true;
        let line = std::mem::take(&mut channel.line);
        drop(channel);
        line.into_iter().for_each(Waker::wake);
    }
}
