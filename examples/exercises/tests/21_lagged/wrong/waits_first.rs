// Exercise 21, wrong: the first poll of a `recv` waits, whatever there is.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A channel that keeps the last `capacity` values, one at least.
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(RefCell::new(Channel {
        row: VecDeque::new(),
        first: 0,
        capacity,
        senders: 1,
        seats: BTreeMap::new(),
        next_seat: 0,
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
    /// The position of the value that it gets next.
    next: u64,
    seat: u64,
}

struct Channel<T> {
    /// The last values that were sent.
    row: VecDeque<Rc<T>>,
    /// The position of the first of them: so many have fallen out.
    first: u64,
    capacity: usize,
    senders: usize,
    /// A seat for each receiver, with a waker if it waits.
    seats: BTreeMap<u64, Option<Waker>>,
    next_seat: u64,
}

impl<T> Sender<T> {
    /// Sends `value` to all receivers, and returns how many they are. It waits for none of them: if
    /// the row is full, the oldest value falls out. An error gives the value back: there is nobody.
    pub fn send(&self, value: T) -> Result<usize, T> {
        let mut channel = self.channel.borrow_mut();
        if channel.seats.is_empty() {
            return Err(value);
        }
        // Dropped last, behind the wakes: its destructor is code of others, and may panic.
        let _fallen = if channel.row.len() == channel.capacity {
            channel.first += 1;
            channel.row.pop_front()
        } else {
            None
        };
        channel.row.push_back(Rc::new(value));
        let receivers = channel.seats.len();
        let wakers = channel.call_all();
        drop(channel);
        wakers.into_iter().for_each(Waker::wake);
        Ok(receivers)
    }

    /// One receiver more, of what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        let mut channel = self.channel.borrow_mut();
        let seat = channel.next_seat;
        channel.next_seat += 1;
        channel.seats.insert(seat, None);
        Receiver {
            channel: self.channel.clone(),
            next: channel.sent(),
            seat,
        }
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
        let wakers = if channel.senders == 0 { channel.call_all() } else { Vec::new() };
        drop(channel);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<T: Clone> Receiver<T> {
    /// The next value.
    ///
    /// # Cancel safety
    /// A call that is dropped has taken nothing. Its waker stays in the seat, for the next call.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        let value = {
            let mut is_first = true;
            poll_fn(|cx| self.poll_recv(cx, std::mem::take(&mut is_first))).await?
        };
        // Here, and not there: to clone is code of others, too.
        Ok(Rc::unwrap_or_clone(value))
    }

    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        is_first: bool,
    ) -> Poll<Result<Rc<T>, RecvError>> {
        let own = cx.waker().clone();
        let mut channel = self.channel.borrow_mut();
        if !is_first && let Some(result) = channel.look(&mut self.next) {
            return Poll::Ready(result);
        }
        // Not given back between looking and this: so nothing has come that was not seen.
        let old = channel.seats.insert(self.seat, Some(own));
        drop(channel);
        drop(old);
        Poll::Pending
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let _waker = self.channel.borrow_mut().seats.remove(&self.seat);
    }
}

impl<T> Channel<T> {
    /// How many values were sent: the position of the next one.
    fn sent(&self) -> u64 {
        self.first + self.row.len() as u64
    }

    /// What there is for who stands at `next`; it goes on from there. None: nothing yet.
    fn look(&self, next: &mut u64) -> Option<Result<Rc<T>, RecvError>> {
        if *next < self.first {
            let missed = self.first - *next;
            *next = self.first;
            return Some(Err(RecvError::Lagged(missed)));
        }
        if let Some(value) = self.row.get((*next - self.first) as usize) {
            *next += 1;
            return Some(Ok(value.clone()));
        }
        (self.senders == 0).then_some(Err(RecvError::Closed))
    }

    /// The wakers of all who wait, for the caller to wake when nothing is borrowed.
    fn call_all(&mut self) -> Vec<Waker> {
        self.seats.values_mut().filter_map(Option::take).collect()
    }
}
