// Exercise 16, wrong: an output that is late is refused.

use handspun::time::{Duration, Instant, sleep};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that takes part in a race.
pub type Racer<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Sees to it that races, one after the other, are fair.
#[derive(Default)]
pub struct Rotor {
    /// Who is polled first in the next poll of a race: behind the last of them, it is the first.
    first: Cell<usize>,
}

/// Some futures, until the first of them is ready. Made by [`Rotor::race`].
pub struct Race<'a, T> {
    rotor: &'a Rotor,
    /// Empty when the race is over.
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
        let count = self.racers.len();
        assert!(count > 0, "a race of nobody, or one that is over");
        let first = self.rotor.first.get();
        for turn in first..first + count {
            let number = turn % count;
            if let Poll::Ready(output) = self.racers[number].as_mut().poll(cx) {
                // Behind the winner, and not one further than the last time: else who stands behind
                // one that is never ready would have its turns too.
                self.rotor.first.set(number + 1);
                self.racers.clear();
                return Poll::Ready((number, output));
            }
        }
        Poll::Pending
    }
}

/// Gives `future` this much time; after that, `None`. What is ready is never refused.
pub async fn timeout<T>(duration: Duration, future: impl Future<Output = T>) -> Option<T> {
    let start = Instant::now();
    let in_time = async {
        let output = future.await;
        (start.elapsed() <= duration).then_some(output)
    };
    let too_late = async {
        sleep(duration).await;
        None
    };
    // A rotor of its own, so that the sleep is never first.
    let rotor = Rotor::new();
    let (_, output) = rotor.race(vec![Box::pin(in_time), Box::pin(too_late)]).await;
    output
}
