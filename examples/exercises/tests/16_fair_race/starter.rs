// Exercise 16: a race that is fair without lots, and a timeout that is such a race. The task is in
// README.md.

use handspun::time::{Duration, sleep};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that takes part in a race.
pub type Racer<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Sees to it that races, one after the other, are fair.
#[derive(Default)]
pub struct Rotor {
    /// Who is polled first. Who sets it, when, and to what?
    first: Cell<usize>,
}

/// Some futures, until the first of them is ready. Made by [`Rotor::race`].
pub struct Race<'a, T> {
    rotor: &'a Rotor,
    racers: Vec<Racer<'a, T>>,
}

impl Rotor {
    /// A rotor whose first race begins with the first.
    pub fn new() -> Rotor {
        Rotor::default()
    }

    /// Waits until one of these is ready, drops all, and gives its number and its output.
    pub fn race<'a, T>(&'a self, racers: Vec<Racer<'a, T>>) -> Race<'a, T> {
        Race {
            rotor: self,
            racers,
        }
    }
}

impl<T> Future for Race<'_, T> {
    type Output = (usize, T);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<(usize, T)> {
        todo!("`poll` of Race: poll the racers until one is ready")
    }
}

/// Gives `future` this much time; after that, `None`. What is ready is never refused.
pub async fn timeout<T>(duration: Duration, future: impl Future<Output = T>) -> Option<T> {
    todo!("`timeout`: a race of two")
}
