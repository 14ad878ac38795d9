//! [`Barrier`]: nobody goes on until all have come.
//!
//! It is a wait queue and a number: how many have arrived. Whoever arrives adds one and waits in
//! line; the last to arrive sets the number back, calls the whole line, and goes on. With that the
//! barrier is as it was when it was made, and the next round may begin.
//!
//! It may begin before this one has ended: a task that was called, and polled at once, can be back
//! and wait for the second time while others have not seen that the first is over. The obvious way,
//! to wait until "the number is zero again", would miss that, since it has become one. Here those
//! others have been *called*: it is written down that their round is over, whatever has happened
//! since.
//!
//! A wait that is dropped leaves the line, but that its task has arrived is not taken back: a round
//! in which one gave up is over one early. It could be taken back, by counting down whoever leaves
//! the line. But tokio counts so, and a program that works there would hang here.
//!
//! Next: `sync/once_cell.rs`.

use super::guarded::Guarded;
use super::wait_queue::{Ticket, WaitQueue};
use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

/// Holds tasks up until there are `n` of them, and then lets them all go.
///
/// It can be used again, for any number of rounds.
///
/// ```
/// use handspun::sync::Barrier;
///
/// handspun::block_on(async {
///     let barrier = Barrier::new(2);
///     let (a, b) = handspun::join!(barrier.wait(), barrier.wait());
///     assert!(a.is_leader() != b.is_leader());
/// });
/// ```
pub struct Barrier {
    n: usize,
    round: Guarded<Round>,
}

struct Round {
    /// Fewer than `n`.
    arrived: usize,
    line: WaitQueue<(), ()>,
}

impl Barrier {
    /// A barrier for `n` tasks. One for none is one for one: it holds nobody up.
    #[track_caller]
    pub const fn new(n: usize) -> Barrier {
        Barrier {
            n: if n == 0 { 1 } else { n },
            round: Guarded::new(Round {
                arrived: 0,
                line: WaitQueue::new("the last to arrive at the barrier"),
            }),
        }
    }

    /// Arrives, and waits until `n` tasks have. They are woken in the order in which they came.
    ///
    /// The last to arrive need not wait, and is the leader of the round.
    ///
    /// # Cancel safety
    /// Not cancel safe: from its first poll on it has arrived, also if it is dropped before the
    /// others come. Who waits again then has arrived twice, and `n - 1` tasks go on without the
    /// last.
    pub async fn wait(&self) -> BarrierWaitResult {
        let mut wait = Wait {
            barrier: self,
            ticket: Ticket::default(),
        };
        poll_fn(|cx| wait.poll(cx)).await
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrived = self.round.look(|round| round.arrived);
        f.debug_struct("Barrier").field("n", &self.n).field("arrived", &arrived).finish()
    }
}

struct Wait<'a> {
    barrier: &'a Barrier,
    ticket: Ticket,
}

impl Wait<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BarrierWaitResult> {
        self.barrier.round.poll(cx, |round, wakers| {
            if self.ticket.is_blank() {
                round.arrived += 1;
                if round.arrived == self.barrier.n {
                    round.arrived = 0;
                    round.line.call_all((), wakers);
                    return Poll::Ready(BarrierWaitResult { is_leader: true });
                }
            } else if let Some(()) = round.line.outcome(&mut self.ticket) {
                return Poll::Ready(BarrierWaitResult { is_leader: false });
            }
            round.line.wait(&mut self.ticket, (), wakers);
            Poll::Pending
        })
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if !self.ticket.is_blank() {
            // It was told nothing that others would have to know.
            self.barrier.round.with(|round, wakers| round.line.leave(&mut self.ticket, wakers));
        }
    }
}

/// What a [`Barrier`] tells a task that it lets go.
///
/// ```
/// handspun::block_on(async {
///     let barrier = handspun::sync::Barrier::new(1);
///     assert!(barrier.wait().await.is_leader());
/// });
/// ```
#[derive(Clone, Debug)]
pub struct BarrierWaitResult {
    is_leader: bool,
}

impl BarrierWaitResult {
    /// Whether this task is the leader: in each round one is, the last to arrive.
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}
