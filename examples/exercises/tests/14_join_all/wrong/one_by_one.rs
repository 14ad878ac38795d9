// Exercise 14, wrong: each child is awaited when the one before it is done.

use std::future::Future;
use std::pin::Pin;

pub type Child<T> = Pin<Box<dyn Future<Output = T>>>;

pub async fn join_all<T>(children: Vec<Child<T>>) -> Vec<T> {
    let mut outputs = Vec::new();
    for child in children {
        outputs.push(child.await);
    }
    outputs
}
