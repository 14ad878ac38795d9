//! How a wake is lost: the order of *check*, *store* and *park*.
//!
//! A future waits for an answer from a thread. It *checks* whether the answer is there, and
//! *stores* its waker for the thread to find; when it is pending, its executor *looks* at its flag
//! and *parks*. The thread answers once, in one step: it writes the answer, and wakes the waker
//! that it finds.
//!
//! That step may fall anywhere between the others. So each line of the output plays all of these
//! cases, one after the other: between two steps it says what becomes of an answer that comes just
//! there. In one line the executor just sleeps, instead of parking: an unpark that comes before a
//! park leaves a token, and the park returns at once; one that comes before a plain sleep is gone.
//!
//! Predict before you run: of `check, store, park` and `store, check, park`, which one is right?
//!
//! Run: `cargo run --example 08_lost_wakeup`. Next: `09_parker`.

mod support;

use Step::{Check, Look, Park, Sleep, Store};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Is the answer there? Then the future is ready.
    Check,
    /// Leaves the waker for the thread to find.
    Store,
    /// Has the waker been called? Then poll again.
    Look,
    /// `thread::park`: sleeps, unless there is a token. An unpark that comes first leaves one.
    Park,
    /// Just sleeps. A wake that comes first leaves nothing behind.
    Sleep,
}

#[derive(Default)]
struct World {
    answered: bool,
    waker_stored: bool,
    /// Set by the waker: the executor's flag, and the thread's parking token.
    flag: bool,
    token: bool,
    asleep: bool,
}

impl World {
    /// One step of the future, or its executor. `true`: it has seen the answer, or will now.
    fn step(&mut self, step: Step) -> bool {
        match step {
            Check => return self.answered,
            Look => return self.flag,
            Park if self.token => return true,
            Park | Sleep => self.asleep = true,
            Store => self.waker_stored = true,
        }
        false
    }

    /// The one step of the thread.
    fn answer(&mut self) {
        self.answered = true;
        if self.waker_stored {
            self.flag = true;
            self.token = true;
            self.asleep = false;
        }
    }
}

/// Whether the answer is lost if it comes just before step `at` (or after the last).
fn is_lost(steps: &[Step], at: usize) -> bool {
    let mut world = World::default();
    for (index, step) in steps.iter().enumerate() {
        if index == at {
            world.answer();
        }
        if world.step(*step) {
            return false;
        }
    }
    if at == steps.len() {
        world.answer();
    }
    world.asleep
}

fn main() {
    support::no_executor();
    let orders: [(&str, &[Step]); 6] = [
        ("wrong: no waker", &[Check, Park]),
        ("wrong: too late", &[Check, Store, Park]),
        ("right", &[Store, Check, Park]),
        ("right", &[Check, Store, Check, Park]),
        ("wrong: no token", &[Store, Check, Look, Sleep]),
        ("right", &[Store, Check, Look, Park]),
    ];
    println!("steps, and between them: what becomes of an answer that comes there");
    for (verdict, steps) in orders {
        let outcome = |at| if is_lost(steps, at) { "LOST" } else { "seen" };
        let mut line = format!("  {}", outcome(0));
        for (index, step) in steps.iter().enumerate() {
            let step = format!("{step:?}").to_lowercase();
            line += &format!("  {step:<5}  {}", outcome(index + 1));
        }
        println!("{line:<62}{verdict}");
    }
}
