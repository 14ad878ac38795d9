// Exercise 20, wrong: `recv` sends for who waits, which may be dropped before it sees that.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A channel with room for `capacity` values, one at least.
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(RefCell::new(Channel {
        queue: VecDeque::new(),
        capacity,
        senders: 1,
        is_closed: false,
        receiver: None,
        line: VecDeque::new(),
        tickets: 0,
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
    /// The receiver is gone.
    is_closed: bool,
    receiver: Option<Waker>,
    /// Who waits for room. If there is room for three, it is for the first three of these, and for
    /// nobody else.
    line: VecDeque<Waiter<T>>,
    /// So many have been given out.
    tickets: u64,
}

struct Waiter<T> {
    ticket: u64,
    value: T,
    waker: Waker,
}

impl<T> Sender<T> {
    /// Waits for room, and puts `value` there. An error gives it back: the receiver is gone.
    ///
    /// # Cancel safety
    /// A call that is dropped has not sent its value. It leaves the line, and if there was room for
    /// it already, that goes to the next.
    pub async fn send(&self, value: T) -> Result<(), T> {
        let mut place = Place {
            channel: &self.channel,
            ticket: None,
            value: Some(value),
        };
        poll_fn(|cx| place.poll_send(cx)).await
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
    /// The next value. `None`: there are none, and no senders that could bring more.
    ///
    /// # Cancel safety
    /// A call that is dropped has taken nothing.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| {
            let own = cx.waker().clone();
            let mut channel = self.channel.borrow_mut();
            if let Some(value) = channel.queue.pop_front() {
                let called = channel.call();
                drop(channel);
                called.into_iter().for_each(Waker::wake);
                return Poll::Ready(Some(value));
            }
            if channel.senders == 0 {
                return Poll::Ready(None);
            }
            let _old = channel.receiver.replace(own);
            drop(channel);
            Poll::Pending
        })
        .await
    }

    /// How many values there are now.
    pub fn len(&self) -> usize {
        self.channel.borrow().queue.len()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut channel = self.channel.borrow_mut();
        channel.is_closed = true;
        let wakers: Vec<Waker> = channel.line.iter().map(|w| w.waker.clone()).collect();
        let _values = mem::take(&mut channel.queue);
        drop(channel);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<T> Channel<T> {
    fn room(&self) -> usize {
        self.capacity - self.queue.len()
    }

    /// Room was made: it is for the values of those who wait. Returns their wakers, for the caller
    /// to wake when nothing is borrowed.
    fn call(&mut self) -> Vec<Waker> {
        let mut called = Vec::new();
        while self.room() > 0
            && let Some(waiter) = self.line.pop_front()
        {
            self.queue.push_back(waiter.value);
            called.push(waiter.waker);
        }
        called
    }

    /// Where in the line this ticket is. Tickets are given out in order.
    fn place(&self, ticket: Option<u64>) -> Option<usize> {
        self.line.binary_search_by_key(&ticket?, |waiter| waiter.ticket).ok()
    }

    /// Returns who has left, for the caller to drop when nothing is borrowed.
    fn leave(&mut self, ticket: Option<u64>) -> Option<Waiter<T>> {
        self.line.remove(self.place(ticket)?)
    }
}

/// A place in the line, which is left when this is dropped.
struct Place<'a, T> {
    channel: &'a RefCell<Channel<T>>,
    ticket: Option<u64>,
    /// None: it is in the line, or sent.
    value: Option<T>,
}

impl<T> Place<'_, T> {
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), T>> {
        let waker = cx.waker().clone();
        let mut channel = self.channel.borrow_mut();
        if let Some(place) = channel.place(self.ticket) {
            if channel.is_closed {
                let left = channel.leave(self.ticket.take()).expect("it has its place");
                drop(channel);
                return Poll::Ready(Err(left.value));
            }
            let _old = mem::replace(&mut channel.line[place].waker, waker);
            drop(channel);
            return Poll::Pending;
        }
        let Some(value) = self.value.take() else {
            return Poll::Ready(Ok(()));
        };
        if channel.is_closed {
            return Poll::Ready(Err(value));
        }
        if channel.room() > 0 {
            channel.queue.push_back(value);
            let receiver = channel.receiver.take();
            drop(channel);
            receiver.into_iter().for_each(Waker::wake);
            return Poll::Ready(Ok(()));
        }
        let ticket = channel.tickets;
        channel.tickets += 1;
        channel.line.push_back(Waiter {
            ticket,
            value,
            waker,
        });
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        let _left = self.channel.borrow_mut().leave(self.ticket.take());
    }
}
