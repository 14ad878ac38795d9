// Exercise 22, wrong: permits that come back wake all who wait.

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
    /// So many it wants.
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
        let is_for_others = !self.line.borrow().is_empty();
        let left = self.free.get().checked_sub(permits).filter(|_| !is_for_others);
        let left = left.ok_or(NoPermits)?;
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

    /// Gives `n` permits back.
    fn give(&self, n: usize) {
        self.free.set(self.free.get() + n);
        self.call();
    }

    /// Wakes all in the line.
    fn call(&self) {
        let wakers: Vec<Waker> =
            self.line.borrow().iter().filter_map(|wait| wait.waker.take()).collect();
        wakers.into_iter().for_each(Waker::wake);
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
        let semaphore = self.semaphore;
        let wait = self.wait.get_or_insert_with(|| semaphore.begin_wait(self.permits));
        let is_first = semaphore.line.borrow().front().is_some_and(|it| Rc::ptr_eq(it, wait));
        if is_first && let Some(left) = semaphore.free.get().checked_sub(self.permits) {
            semaphore.line.borrow_mut().pop_front();
            semaphore.free.set(left);
            semaphore.call();
            return Poll::Ready(());
        }
        wait.waker.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl Semaphore {
    /// A place at the end of the line.
    fn begin_wait(&self, n: usize) -> Rc<Wait> {
        let wait = Rc::new(Wait {
            lacks: Cell::new(n),
            waker: Cell::default(),
        });
        self.line.borrow_mut().push_back(wait.clone());
        wait
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait.take() {
            self.semaphore.line.borrow_mut().retain(|other| !Rc::ptr_eq(other, &wait));
            self.semaphore.call();
        }
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        self.semaphore.give(self.permits);
    }
}
