//! The trial: three futures, each woken during its first poll. What they do besides is what some of
//! the parkers do not bear.

use crate::block_on::{ForEver, Parker, block_on};
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

/// After so long a sleep is given up that nobody can end.
const PATIENCE: Duration = Duration::from_millis(50);
/// For a sleep that somebody ends.
const NO_LIMIT: Duration = Duration::MAX;

/// `parker` gives each call of `block_on` its parker.
pub fn measure(version: &str, parker: impl Fn() -> Arc<dyn Parker>) {
    let nothing = block_on(parker(), NO_LIMIT, woken_while_it(|| {}));
    let parks = block_on(parker(), PATIENCE, woken_while_it(take_the_token));
    let inner = || block_on(parker(), NO_LIMIT, woken_while_it(|| {}));
    let blocks = block_on(parker(), PATIENCE, woken_while_it(|| drop(inner())));
    print!("{version:<38}");
    for end in [nothing, parks, blocks] {
        match end {
            Ok(polls) => print!("{:>15}", format!("{polls} polls")),
            Err(ForEver) => print!("{:>15}", "for ever"),
        }
    }
    println!();
}

/// Woken during its first poll, in which it also does what is asked for. Ready in the second, with
/// the number of polls.
fn woken_while_it<D: FnMut()>(mut does: D) -> impl Future<Output = u32> {
    let mut polls = 0;
    poll_fn(move |cx| {
        polls += 1;
        if polls == 2 {
            return Poll::Ready(polls);
        }
        cx.waker().wake_by_ref();
        does();
        Poll::Pending
    })
}

/// Takes the parking token if there is one, as a `park` in a lock or a channel may.
fn take_the_token() {
    thread::park_timeout(Duration::ZERO);
}
