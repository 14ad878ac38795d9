//! A child of a `Join`: its future, and when that is done, its output.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Child<F: Future> {
    name: &'static str,
    future: Option<Pin<Box<F>>>,
    output: Option<F::Output>,
}

impl<F: Future> Child<F> {
    pub fn new(name: &'static str, future: F) -> Child<F> {
        Child {
            name,
            future: Some(Box::pin(future)),
            output: None,
        }
    }

    /// Polls the future, which may be done. If it becomes so, drops it and keeps its output.
    /// Whether it is done now.
    pub fn poll_done(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(future) = &mut self.future else {
            return true;
        };
        println!("  polls {}", self.name);
        let Poll::Ready(output) = future.as_mut().poll(cx) else {
            return false;
        };
        println!("  {} is done", self.name);
        self.output = Some(output);
        self.future = None;
        true
    }

    pub fn output(&mut self) -> F::Output {
        self.output.take().expect("it is done")
    }
}
