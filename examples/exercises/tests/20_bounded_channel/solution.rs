// Exercise 20: a channel with room for so many values, for one thread.

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
    line: VecDeque<Waiter>,
    /// So many have been given out.
    tickets: u64,
}

struct Waiter {
    ticket: u64,
    /// None: it has been woken, and not been polled since.
    waker: Option<Waker>,
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
        };
        let Some(_own) = poll_fn(|cx| place.poll_room(cx)).await else {
            return Err(value);
        };
        let (_left, receiver) = {
            let mut channel = self.channel.borrow_mut();
            // Out of the line and into the queue: there is as much room as before for the others.
            let left = channel.leave(place.ticket.take());
            channel.queue.push_back(value);
            (left, channel.receiver.take())
        };
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
        let wakers: Vec<Waker> = channel.line.iter_mut().filter_map(|w| w.waker.take()).collect();
        // Dropped last, behind the wakes: a value's destructor is code of others, and may panic.
        let _values = mem::take(&mut channel.queue);
        drop(channel);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<T> Channel<T> {
    fn room(&self) -> usize {
        self.capacity - self.queue.len()
    }

    /// Room was made, or somebody has left the line. Returns the wakers of those for whom there is
    /// room now, and who do not know it yet, for the caller to wake when nothing is borrowed.
    fn call(&mut self) -> Vec<Waker> {
        let room = self.room();
        self.line.iter_mut().take(room).filter_map(|waiter| waiter.waker.take()).collect()
    }

    /// Where in the line this ticket is. Tickets are given out in order.
    fn place(&self, ticket: Option<u64>) -> Option<usize> {
        self.line.binary_search_by_key(&ticket?, |waiter| waiter.ticket).ok()
    }

    /// Returns who has left, for the caller to drop when nothing is borrowed.
    fn leave(&mut self, ticket: Option<u64>) -> Option<Waiter> {
        self.line.remove(self.place(ticket)?)
    }
}

/// A place in the line, which is left when this is dropped.
struct Place<'a, T> {
    channel: &'a RefCell<Channel<T>>,
    /// None: it has not been pending yet, or has sent its value.
    ticket: Option<u64>,
}

impl<T> Place<'_, T> {
    /// Ready when there is room, with a waker to drop when that is taken: who drops it sooner calls
    /// somebody else's code, which may send. Ready with `None` when there never will be room.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Option<Waker>> {
        let waker = cx.waker().clone();
        let mut channel = self.channel.borrow_mut();
        if channel.is_closed {
            return Poll::Ready(None);
        }
        // Who comes anew is behind all of them, also behind who was woken and has not sent yet.
        let place = channel.place(self.ticket).unwrap_or(channel.line.len());
        if place < channel.room() {
            return Poll::Ready(Some(waker));
        }
        if let Some(waiter) = channel.line.get_mut(place) {
            let _old = waiter.waker.replace(waker);
            drop(channel);
            return Poll::Pending;
        }
        let ticket = channel.tickets;
        channel.tickets += 1;
        let waker = Some(waker);
        channel.line.push_back(Waiter { ticket, waker });
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        let mut channel = self.channel.borrow_mut();
        let _left = channel.leave(self.ticket.take());
        let called = channel.call();
        drop(channel);
        called.into_iter().for_each(Waker::wake);
    }
}
