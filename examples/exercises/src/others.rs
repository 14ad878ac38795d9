//! Code of others, at a bad moment: for answers that call some.
//!
//! To clone a waker is a call, to wake or to drop it is one, and so is the end of a value. What is
//! called may come back to the answer, in the middle of what that does, or panic.
//!
//! A waker made of `Arc<impl Wake>` is told of its wakes, and of its end; of its clones nobody is.
//! So the wakers here are those with which handspun itself is tested.

#[path = "../../../tests/support/hostile.rs"]
mod hostile;

pub use hostile::{Call, hostile_everywhere, hostile_waker};

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::thread;

/// Awaits `future`, which is polled with a waker that calls `act` in the first such `call`, of it
/// or of one of its clones. To wake it wakes who awaits this.
pub async fn interrupted<F: Future>(call: Call, act: impl Fn() + 'static, future: F) -> F::Output {
    let own = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let has_acted = Cell::new(false);
    let waker = hostile_waker(move |seen| {
        if seen == Call::Wake {
            own.wake_by_ref();
        }
        // After a panic it does nothing: the first one is what is to be told. And it keeps `act`:
        // what that owns is not dropped in the middle of the answer.
        if seen == call && !thread::panicking() && !has_acted.replace(true) {
            act();
        }
    });
    let mut future = pin!(future);
    poll_fn(|_| future.as_mut().poll(&mut Context::from_waker(&waker))).await
}

/// Polls `future` with a waker that calls `act` when it is dropped, and then awaits it. So the
/// waker of the second poll takes the place of that one, and `act` is called meanwhile.
pub async fn replaced<F: Future>(act: impl Fn() + 'static, future: F) -> F::Output {
    let is_armed = Rc::new(Cell::new(false));
    let acts = is_armed.clone();
    let waker = hostile_waker(move |call| {
        if call == Call::Drop && !thread::panicking() && acts.take() {
            act();
        }
    });
    let mut future = pin!(future);
    let _waits = future.as_mut().poll(&mut Context::from_waker(&waker));
    is_armed.set(true);
    let output = future.await;
    is_armed.set(false);
    output
}

struct OfOthers;

/// Panics, as code of others may. It is not told.
pub fn panic_of_others() -> ! {
    resume_unwind(Box::new(OfOthers))
}

/// Calls `f`, and stops a [`panic_of_others`] that comes out of it. Any other panic goes on.
pub fn stop_panic_of_others(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f))
        && !payload.is::<OfOthers>()
    {
        resume_unwind(payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_interrupts_does_so_once_and_wakes_as_any_other() {
        for (call, expected) in [
            (Call::Clone, "act clone clone"),
            (Call::Drop, "clone act clone"),
        ] {
            let said = Rc::new(Cell::new(String::new()));
            let say = |word: &str| said.set(format!("{} {word}", said.take()).trim().to_string());
            let acted = said.clone();
            let act = move || acted.set(format!("{} act", acted.take()).trim().to_string());
            let mut polls = 0;
            handspun::block_on(interrupted(
                call,
                act,
                poll_fn(|cx| {
                    let clone = cx.waker().clone();
                    say("clone");
                    polls += 1;
                    if polls == 2 {
                        return Poll::Ready(());
                    }
                    clone.wake();
                    drop(cx.waker().clone());
                    Poll::Pending
                }),
            ));
            assert_eq!(said.take(), expected);
        }
    }

    #[test]
    fn a_waker_that_is_replaced_acts_then_and_only_if_it_was_kept() {
        for is_kept in [true, false] {
            let has_acted = Rc::new(Cell::new(false));
            let acted = has_acted.clone();
            let (mut kept, mut polls) = (None, 0);
            let twice = poll_fn(|cx| {
                polls += 1;
                if polls == 2 {
                    assert!(!has_acted.get());
                    kept = None;
                    return Poll::Ready(());
                }
                kept = is_kept.then(|| cx.waker().clone());
                Poll::Pending
            });
            handspun::block_on(replaced(move || acted.set(true), twice));
            assert_eq!(has_acted.get(), is_kept);
        }
    }

    #[test]
    fn only_a_panic_of_others_is_stopped() {
        stop_panic_of_others(|| panic_of_others());
        let own = || stop_panic_of_others(|| resume_unwind(Box::new("own")));
        assert!(catch_unwind(own).is_err());
    }
}
