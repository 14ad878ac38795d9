//! Polling by hand: what an executor does, without an executor.
//!
//! A poll runs the future from where it stands to the next place where it cannot go on. Then it
//! returns `Pending`, and stands there. Look at what is printed between two polls: nothing. A
//! future has no thread of its own, it moves only while somebody is inside of `poll`.
//!
//! `Waker::noop()` is a waker that wakes nobody. It will do here, since we poll whether we were
//! woken or not.
//!
//! Predict before you run: `add` has two awaits. How many polls does it take?
//!
//! Run: `cargo run --example 02_poll_once`. Next: `03_state_machine`.

mod support;

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// A number that is not there on the first poll, and is on the second.
struct Later {
    number: i32,
    polled: bool,
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

fn later(number: i32) -> Later {
    Later {
        number,
        polled: false,
    }
}

async fn add() -> i32 {
    println!("    add: from the beginning");
    let left = later(40).await;
    println!("    add: has {left}");
    let right = later(2).await;
    println!("    add: has {right}");
    left + right
}

fn main() {
    support::no_executor();
    let mut future = pin!(add());
    let mut cx = Context::from_waker(Waker::noop());

    println!("made");
    for number in 1.. {
        println!("poll {number}");
        let poll = future.as_mut().poll(&mut cx);
        println!("  {poll:?}");
        if poll.is_ready() {
            break;
        }
    }
}
