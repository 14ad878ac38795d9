//! v3 to v5: what is put aside needs a lock, and so does a neighbour. v3 puts it aside with the
//! lock, v4 while it waits for the lock. v5 is v4, and does not lend.

use crate::MOMENT;
use crate::request::impatient;
use crate::support::say;
use handspun::sync::Mutex;
use handspun::task::Builder;
use handspun::time::{Instant, sleep};
use std::pin::pin;
use std::rc::Rc;

/// Takes 200 ms, and needs the lock for that.
async fn save(start: Instant, name: &'static str, lock: Rc<Mutex<()>>) -> u32 {
    let _guard = lock.lock().await;
    say(start, format_args!("{name}: has the lock"));
    sleep(2 * MOMENT).await;
    say(start, format_args!("{name}: saved"));
    42
}

fn spawn_neighbour(start: Instant, lock: &Rc<Mutex<()>>) {
    Builder::new().name("neighbour").spawn(save(start, "neighbour", lock.clone()));
}

pub async fn v3(start: Instant) {
    let lock = Rc::new(Mutex::new(()));
    spawn_neighbour(start, &lock); // whose first turn comes when we wait: too late for the lock
    impatient(start, pin!(save(start, "our save", lock))).await;
    sleep(3 * MOMENT).await;
}

pub async fn v4(start: Instant) {
    let lock = Rc::new(Mutex::new(()));
    spawn_neighbour(start, &lock);
    sleep(MOMENT).await;
    let mut our_save = pin!(save(start, "our save", lock.clone()));
    handspun::select! {
        _ = &mut our_save => {}
        () = sleep(MOMENT / 2) => write_note(start, &lock).await,
    }
}

pub async fn v5(start: Instant) {
    let lock = Rc::new(Mutex::new(()));
    spawn_neighbour(start, &lock);
    sleep(MOMENT).await;
    handspun::select! {
        _ = save(start, "our save", lock.clone()) => {}
        () = sleep(MOMENT / 2) => write_note(start, &lock).await,
    }
}

async fn write_note(start: Instant, lock: &Mutex<()>) {
    say(start, "we: that takes too long, we write a note instead");
    let _guard = lock.lock().await;
    say(start, "we: noted");
}
