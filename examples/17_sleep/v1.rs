//! v1: each sleep starts a thread, which sleeps in its place and calls its waker. Nobody tells the
//! thread if the sleep is dropped. Next: `v2.rs`.

use crate::sleepers;
use handspun::time::Duration;
use std::cell::Cell;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

thread_local! {
    static THREADS: Cell<usize> = const { Cell::new(0) };
}

async fn sleep(duration: Duration) {
    let mut thread_is_up: Option<Arc<AtomicBool>> = None;
    poll_fn(|cx| {
        if let Some(up) = &thread_is_up {
            return if up.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending };
        }
        let (up, waker) = (Arc::new(AtomicBool::new(false)), cx.waker().clone());
        thread_is_up = Some(up.clone());
        THREADS.set(THREADS.get() + 1);
        std::thread::spawn(move || {
            std::thread::sleep(duration);
            up.store(true, Ordering::Release);
            waker.wake();
        });
        Poll::Pending
    })
    .await
}

pub fn run() {
    handspun::block_on(async {
        for sleeper in sleepers::start(sleep, |_| {}) {
            sleeper.await.unwrap();
        }
    });
    println!("  threads started: {}", THREADS.get());
}
