// Exercise 14, wrong: a wake for one polls all that are not done.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub type Child<T> = Pin<Box<dyn Future<Output = T>>>;

pub fn join_all<T>(children: Vec<Child<T>>) -> JoinAll<T> {
    let place = |future| Place {
        future: Some(future),
        output: None,
    };
    JoinAll {
        places: children.into_iter().map(place).collect(),
    }
}

pub struct JoinAll<T> {
    places: Vec<Place<T>>,
}

impl<T> Unpin for JoinAll<T> {}

struct Place<T> {
    /// `None`: it is done.
    future: Option<Child<T>>,
    output: Option<T>,
}

impl<T> Future for JoinAll<T> {
    type Output = Vec<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Vec<T>> {
        let mut pending = 0;
        for place in &mut self.places {
            let Some(future) = &mut place.future else {
                continue;
            };
            match future.as_mut().poll(cx) {
                Poll::Pending => pending += 1,
                Poll::Ready(output) => {
                    place.output = Some(output);
                    place.future = None;
                }
            }
        }
        if pending > 0 {
            return Poll::Pending;
        }
        let outputs = self.places.iter_mut().map(|place| place.output.take());
        Poll::Ready(outputs.map(|output| output.expect("all are done")).collect())
    }
}
