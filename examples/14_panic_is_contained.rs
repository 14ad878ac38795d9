//! A panic stays in its task.
//!
//! The task that panics is over, its future is dropped (look at the order: the guard first, then
//! the error), and the panic comes out of its handle as a `JoinError`. The others never hear of it.
//! Only a panic of the root comes out of `block_on`, after every other task has been dropped.
//!
//! The panics' own messages go to stderr as ever; they are not part of the output shown here.
//!
//! In v1 somebody awaits the task that panics, in v2 nobody does, and in v3 it is the root that
//! panics.
//!
//! Predict before you run: what becomes of `bystander` in each?
//!
//! Run: `cargo run --example 14_panic_is_contained 2> /dev/null`, and with `-- v2` only the second.
//! Next: `15_abort`.

mod support;

use handspun::task::yield_now;
use std::panic::catch_unwind;

/// Says when it is dropped.
struct Guard(&'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        println!("  {}: dropped", self.0);
    }
}

async fn count_to_three() {
    for number in 1..=3 {
        println!("  bystander: {number}");
        yield_now().await;
    }
}

async fn divide(by: u32) -> u32 {
    let _guard = Guard("guard of divide");
    yield_now().await;
    100 / by
}

fn a_task_panics() {
    handspun::block_on(async {
        let bystander = handspun::spawn(count_to_three());
        let error = handspun::spawn(divide(0)).await.unwrap_err();
        println!("  root: {error}");
        bystander.await.unwrap();

        let payload = error.into_panic();
        println!("  root: and the panic itself says {:?}", payload.downcast_ref::<&str>().unwrap());
    });
}

fn nobody_awaits_it() {
    handspun::block_on(async {
        drop(handspun::spawn(divide(0)));
        handspun::spawn(count_to_three()).await.unwrap();
        println!("  root: ready");
    });
}

fn the_root_panics() {
    let end = catch_unwind(|| {
        handspun::block_on(async {
            handspun::spawn(async {
                let _guard = Guard("bystander");
                std::future::pending::<()>().await;
            });
            yield_now().await;
            panic!("the root gives up");
        })
    });
    let payload = end.unwrap_err();
    println!("  main: block_on panicked with {:?}", payload.downcast_ref::<&str>().unwrap());
}

fn main() {
    let asked_for = support::stages(3);
    if asked_for(1) {
        println!("v1 a task panics");
        a_task_panics();
    }
    if asked_for(2) {
        println!("v2 a task panics, and nobody awaits it");
        nobody_awaits_it();
    }
    if asked_for(3) {
        println!("v3 the root panics");
        the_root_panics();
    }
}
