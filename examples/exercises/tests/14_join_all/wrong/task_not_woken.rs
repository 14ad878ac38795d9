// Exercise 14, wrong: a child is queued, and the task is not woken.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

pub type Child<T> = Pin<Box<dyn Future<Output = T>>>;

/// Many futures, to be ready when all are. Outputs are in the order of the futures.
pub fn join_all<T>(children: Vec<Child<T>>) -> JoinAll<T> {
    let queue = Arc::new(Mutex::new(Queue {
        // Nobody has woken them yet: to begin, each is polled once.
        numbers: (0..children.len()).collect(),
        is_in: vec![true; children.len()],
        task: None,
    }));
    let place = |(number, future)| Place {
        future: Some(future),
        output: None,
        waker: Waker::from(Arc::new(ChildWaker {
            number,
            queue: queue.clone(),
        })),
    };
    JoinAll {
        pending: children.len(),
        places: children.into_iter().enumerate().map(place).collect(),
        queue,
    }
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
    /// Their numbers, each of them once.
    numbers: VecDeque<usize>,
    /// For each child whether its number is among them.
    is_in: Vec<bool>,
    /// Who has polled the whole last. The first wake takes it: one is enough.
    task: Option<Waker>,
}

/// What is in the waker of a child.
struct ChildWaker {
    number: usize,
    queue: Arc<Mutex<Queue>>,
}

impl Wake for ChildWaker {
    fn wake(self: Arc<Self>) {
        let mut queue = self.queue.lock().unwrap();
        if queue.is_in[self.number] {
            return;
        }
        queue.is_in[self.number] = true;
        queue.numbers.push_back(self.number);
    }
}

impl<T> Future for JoinAll<T> {
    type Output = Vec<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Vec<T>> {
        // Who comes in from now on is for the next poll.
        let count = self.begin_turn(cx.waker());
        for _ in 0..count {
            self.poll_next();
        }
        if self.pending > 0 {
            return Poll::Pending;
        }
        let outputs = self.places.iter_mut().map(|place| place.output.take());
        Poll::Ready(outputs.map(|output| output.expect("all are done")).collect())
    }
}

impl<T> JoinAll<T> {
    /// Leaves the task's waker, and says how many children are in the queue.
    fn begin_turn(&self, task: &Waker) -> usize {
        // To clone a waker and to drop the last one is to call foreign code: not under the lock.
        let task = Some(task.clone());
        let (_last, count) = {
            let mut queue = self.queue.lock().unwrap();
            (mem::replace(&mut queue.task, task), queue.numbers.len())
        };
        count
    }

    /// Polls the first of the queue.
    fn poll_next(&mut self) {
        let Some(number) = self.pop() else {
            return;
        };
        let place = &mut self.places[number];
        let Some(future) = &mut place.future else {
            return; // Woken in its last poll, or after it.
        };
        let poll = future.as_mut().poll(&mut Context::from_waker(&place.waker));
        if let Poll::Ready(output) = poll {
            place.future = None;
            place.output = Some(output);
            self.pending -= 1;
        }
    }

    /// The lock is free when this returns, for the poll that follows may call wakers.
    fn pop(&self) -> Option<usize> {
        let mut queue = self.queue.lock().unwrap();
        let number = queue.numbers.pop_front()?;
        // Before the poll: a wake that comes during the poll is one that must count.
        queue.is_in[number] = false;
        Some(number)
    }
}
