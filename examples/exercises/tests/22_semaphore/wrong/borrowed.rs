// Exercise 22, wrong: wakers are called while the line is borrowed.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Permits that tasks acquire. Who comes first is served first. While somebody waits, none is free.
pub struct Semaphore {
    free: Cell<usize>,
    line: RefCell<VecDeque<Rc<Wait>>>,
}

/// A place in the line, which the one who waits can see, too.
struct Wait {
    /// So many more it needs. None: it has all, is out of the line, and may not know it yet.
    lacks: Cell<usize>,
    waker: Cell<Option<Waker>>,
}

/// Permits. They go back when this is dropped.
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

/// There are too few permits, or others wait for them.
#[derive(Debug)]
pub struct NoPermits;

impl Semaphore {
    /// A semaphore with so many permits.
    pub fn new(permits: usize) -> Semaphore {
        Semaphore {
            free: Cell::new(permits),
            line: RefCell::default(),
        }
    }

    /// Waits for `n` permits, in line. It cannot fail: nobody closes this semaphore.
    ///
    /// # Cancel safety
    /// A call that is dropped gives up its place, and passes on what it had been given.
    pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, Infallible> {
        let mut request = Request {
            semaphore: self,
            permits: n as usize,
            wait: None,
        };
        poll_fn(|cx| request.poll(cx)).await;
        // Seen: from here on they are the permit's, and not the request's to give back.
        request.wait = None;
        Ok(SemaphorePermit {
            semaphore: self,
            permits: n as usize,
        })
    }

    /// Takes `n` permits if they can be had at once.
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, NoPermits> {
        let permits = n as usize;
        let left = self.free.get().checked_sub(permits).ok_or(NoPermits)?;
        self.free.set(left);
        Ok(SemaphorePermit {
            semaphore: self,
            permits,
        })
    }

    /// How many permits can be had at once.
    pub fn available_permits(&self) -> usize {
        self.free.get()
    }

    /// Gives `n` permits to those who wait, to the first until it has all; what is left is free.
    fn give(&self, mut n: usize) {
        let mut called = Vec::new();
        let mut line = self.line.borrow_mut();
        while n > 0
            && let Some(first) = line.front()
        {
            let given = n.min(first.lacks.get());
            first.lacks.set(first.lacks.get() - given);
            n -= given;
            if first.lacks.get() == 0 {
                called.extend(first.waker.take());
                line.pop_front();
            }
        }
        self.free.set(self.free.get() + n);
        called.into_iter().for_each(Waker::wake);
    }
}

/// A call of `acquire_many` that has not seen its permits.
struct Request<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
    /// None: it has not been pending.
    wait: Option<Rc<Wait>>,
}

impl Request<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Before the look: to clone is somebody else's code, too, and may give permits back.
        let own = cx.waker().clone();
        let wait = self.wait.get_or_insert_with(|| self.semaphore.begin_wait(self.permits));
        if wait.lacks.get() == 0 {
            return Poll::Ready(());
        }
        wait.waker.set(Some(own));
        Poll::Pending
    }
}

impl Semaphore {
    /// Takes what there is, and waits at the end of the line for the rest.
    fn begin_wait(&self, n: usize) -> Rc<Wait> {
        let taken = n.min(self.free.get());
        self.free.set(self.free.get() - taken);
        let wait = Rc::new(Wait {
            lacks: Cell::new(n - taken),
            waker: Cell::default(),
        });
        if taken < n {
            self.line.borrow_mut().push_back(wait.clone());
        }
        wait
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait.take() {
            // Whether it waits or has been called: what it has got is what it does not lack.
            self.semaphore.line.borrow_mut().retain(|other| !Rc::ptr_eq(other, &wait));
            self.semaphore.give(self.permits - wait.lacks.get());
        }
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        self.semaphore.give(self.permits);
    }
}
