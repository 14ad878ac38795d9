//! The five programs. The compiler has no warning for any of them. Read one, say what is wrong with
//! it, and run it.

use handspun::sync::Mutex;
use handspun::task::yield_now;
use handspun::time::{Duration, sleep};
use handspun::trace;
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

const SECOND: Duration = Duration::from_secs(1);

pub async fn v1() {
    let wakes = Rc::new(Cell::new(false));
    let later = wakes.clone();
    handspun::spawn(async move {
        sleep(SECOND).await;
        later.set(true);
    });
    poll_fn(move |_cx| if wakes.get() { Poll::Ready(()) } else { Poll::Pending }).await;
}

pub async fn v2() {
    let done = Rc::new(Cell::new(false));
    let later = done.clone();
    handspun::spawn(async move {
        for part in 0..1_000 {
            trace::value("done", part); // that is work, and no spin
            yield_now().await;
        }
        later.set(true);
    });
    while !done.get() {
        yield_now().await;
    }
}

pub async fn v3() {
    let _soon = sleep(SECOND);
}

pub async fn v4() {
    let large = [0_u8; 20_000];
    let task = handspun::spawn(async move {
        yield_now().await;
        large.len()
    });
    task.await.unwrap();
}

pub async fn v5() {
    let lock = Rc::new(Mutex::new(0));
    let ours = lock.clone();
    let slow = handspun::spawn(async move {
        let _guard = ours.lock().await;
        sleep(SECOND).await;
    });
    yield_now().await;
    *lock.lock().await += 1;
    slow.await.unwrap();
}
