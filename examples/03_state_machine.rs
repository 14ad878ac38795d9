//! What the compiler makes of an `async fn`: an enum, with a variant for each place to stand.
//!
//! v1 is the body of `by_compiler` in a `poll` that runs it from the top, each time. It keeps
//! nothing from one poll to the next, so it never gets past its first await. What it would have to
//! keep is where it stands, the future that it waits for, and the locals that it still needs.
//!
//! v2 keeps them. `by_compiler` is the `async fn`, `ByHand` the enum that one would write in its
//! place. The two do the same in every poll; the trace shows both, side by side.
//!
//! (The hand-written one is `Unpin`, since it holds no references into itself. The compiler's may.)
//!
//! Predict before you run: which variant has to keep `left`, and which does not have it yet?
//!
//! Run: `cargo run --example 03_state_machine`. Next: `04_self_reference`.

mod support;

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

async fn by_compiler() -> i32 {
    trace("begins");
    let left = later(40).await;
    trace(format!("has {left}"));
    let right = later(2).await;
    trace(format!("has {right}"));
    left + right
}

/// v1: forgets all that it had, at each `Pending`.
struct Forgetful;

impl Future for Forgetful {
    type Output = i32;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<i32> {
        trace("begins");
        let left = ready!(pin!(later(40)).poll(cx));
        trace(format!("has {left}"));
        let right = ready!(pin!(later(2)).poll(cx));
        trace(format!("has {right}"));
        Poll::Ready(left + right)
    }
}

/// v2: has a variant for each place at which it can stand.
enum ByHand {
    Unpolled,
    AtFirstAwait { awaited: Later },
    AtSecondAwait { left: i32, awaited: Later },
    Returned,
}

impl Future for ByHand {
    type Output = i32;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<i32> {
        // Until something is pending (then `ready!` returns), or the end is reached.
        loop {
            match &mut *self {
                ByHand::Unpolled => {
                    trace("begins");
                    let awaited = later(40);
                    *self = ByHand::AtFirstAwait { awaited };
                }
                ByHand::AtFirstAwait { awaited } => {
                    let left = ready!(Pin::new(awaited).poll(cx));
                    trace(format!("has {left}"));
                    let awaited = later(2);
                    *self = ByHand::AtSecondAwait { left, awaited };
                }
                ByHand::AtSecondAwait { left, awaited } => {
                    let right = ready!(Pin::new(awaited).poll(cx));
                    trace(format!("has {right}"));
                    let sum = *left + right;
                    *self = ByHand::Returned;
                    return Poll::Ready(sum);
                }
                ByHand::Returned => panic!("polled after it was ready"),
            }
        }
    }
}

/// A number that is not there on the first poll, and is on the second.
struct Later {
    number: i32,
    polled: bool,
}

fn later(number: i32) -> Later {
    let polled = false;
    Later { number, polled }
}

impl Future for Later {
    type Output = i32;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<i32> {
        if self.polled {
            return Poll::Ready(self.number);
        }
        self.polled = true;
        Poll::Pending
    }
}

thread_local! {
    static TRACE: RefCell<Vec<String>> = RefCell::default();
}

fn trace(line: impl Into<String>) {
    TRACE.with_borrow_mut(|lines| lines.push(line.into()));
}

/// Polls to the end, or this often. Returns the trace, in which every poll has left what it
/// returned.
fn traced(future: impl Future<Output = i32>, polls: usize) -> Vec<String> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        let poll = future.as_mut().poll(&mut cx);
        trace(format!("  {poll:?}"));
        if poll.is_ready() {
            break;
        }
    }
    TRACE.take()
}

fn main() {
    let asked_for = support::stages_without_executor(2);
    if asked_for(1) {
        println!("v1 begins anew in each poll");
        println!("{}", traced(Forgetful, 3).join("\n"));
        println!("… and so on, for ever");
    }
    if asked_for(2) {
        println!("v2 goes on where it stood");
        println!("{:<16}enum", "async fn");
        let (left, right) = (traced(by_compiler(), 10), traced(ByHand::Unpolled, 10));
        for line in 0..left.len().max(right.len()) {
            let [left, right] = [&left, &right].map(|column| column.get(line).map_or("", |l| l));
            println!("{left:<16}{right}");
        }
    }
}
