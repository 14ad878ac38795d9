// Exercise 19, wrong: each step gives way, so no budget is needed.

use std::future::Future;

pub async fn with_budget<F: Future>(_size: u32, future: F) -> F::Output {
    future.await
}

pub async fn step() {
    handspun::task::yield_now().await;
}
