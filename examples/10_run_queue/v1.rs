//! v1 polls every task, round after round, until all are over. Nobody needs to be woken, so its
//! waker does nothing. Next: `v2.rs`.

use crate::Task;
use std::task::{Context, Waker};

pub fn run(mut tasks: Vec<Task>) {
    let mut cx = Context::from_waker(Waker::noop());
    while !tasks.is_empty() {
        tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
    }
}
