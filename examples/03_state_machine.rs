//! What the compiler makes of an `async fn`: an enum, with a variant for each place to stand.
//!
//! `by_compiler` is an `async fn`, `ByHand` the enum that one would write without them. A variant
//! keeps what is needed from there on, and nothing else: the future that is awaited, and the locals
//! that are used after it. The two do the same in every poll; the trace shows both, side by side.
//!
//! (The hand-written one is `Unpin`, since it holds no references into itself. The compiler's may.)
//!
//! Predict before you run: which variant has to keep `left`, and which does not have it yet?
//!
//! Run: `cargo run --example 03_state_machine`. Next: `05_block_on`.

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

/// Polls to the end. Returns the trace, in which every poll has left what it returned.
fn traced(future: impl Future<Output = i32>) -> Vec<String> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        let poll = future.as_mut().poll(&mut cx);
        trace(format!("  {poll:?}"));
        if poll.is_ready() {
            return TRACE.take();
        }
    }
}

fn main() {
    support::no_executor();
    let (left, right) = (traced(by_compiler()), traced(ByHand::Unpolled));

    println!("{:<16}enum", "async fn");
    for (left, right) in left.iter().zip(right) {
        println!("{left:<16}{right}");
    }
}
