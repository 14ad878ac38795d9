//! Where user code runs: never under the lock, and a panic in it costs nobody else anything.
//!
//! The wakers here write down what happens to them, and whether the lock was free then. When it
//! was, they come back to the same cell.

#[path = "../../tests/support/hostile.rs"]
mod hostile;

use super::*;
use crate::panics::catch;
use hostile::{Call, hostile_waker, panic_quietly};
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;

/// A cell, and what happens around it.
#[derive(Clone, Default)]
struct World {
    cell: Rc<Guarded<State>>,
    history: Rc<RefCell<Vec<String>>>,
}

#[derive(Default)]
struct State {
    /// Where a future leaves its waker.
    place: Option<Waker>,
    /// How often a waker came back.
    visits: usize,
}

impl Default for Guarded<State> {
    fn default() -> Guarded<State> {
        Guarded::new(State::default())
    }
}

impl World {
    fn push(&self, line: impl Into<String>) {
        self.history.borrow_mut().push(line.into());
    }

    #[track_caller]
    fn expect<const N: usize>(&self, expected: [&str; N]) {
        assert_eq!(self.history.take(), expected);
    }

    /// Writes down each thing that happens to it, comes back to the cell, and panics then if it is
    /// to.
    fn waker(&self, name: &'static str, panics: Option<Call>) -> Waker {
        let world = self.clone();
        hostile_waker(move |call| {
            if world.cell.0.try_lock().is_ok() {
                world.push(format!("{name}: {call:?}"));
                world.cell.with(|state, _| state.visits += 1);
            } else {
                world.push(format!("{name}: {call:?} under the lock"));
            }
            if panics == Some(call) {
                panic_quietly();
            }
        })
    }

    /// A poll with this waker, in which the future has to wait.
    fn wait(&self, waker: &Waker) {
        self.cell.poll(&mut Context::from_waker(waker), |state, wakers| {
            self.push("lock");
            wakers.keep(&mut state.place);
        });
    }
}

#[test]
fn wakers_are_woken_after_the_lock_in_the_order_in_which_they_were_gathered() {
    let world = World::default();
    let gathered = ["a", "b", "c"].map(|name| world.waker(name, None));
    let result = world.cell.with(|_, wakers| {
        gathered.into_iter().for_each(|waker| wakers.add(waker));
        world.push("lock");
        "result"
    });
    assert_eq!(result, "result");
    world.expect(["lock", "a: Wake", "b: Wake", "c: Wake"]);
    assert_eq!(world.cell.look(|state| state.visits), 3);
}

#[test]
fn a_waker_that_panics_costs_nobody_else_its_wake() {
    for broken in ["a", "b", "c"] {
        let world = World::default();
        let gathered =
            ["a", "b", "c"].map(|name| world.waker(name, (name == broken).then_some(Call::Wake)));
        let result = world.cell.with(|_, wakers| {
            gathered.into_iter().for_each(|waker| wakers.add(waker));
            "result"
        });
        assert_eq!(result, "result");
        world.expect(["a: Wake", "b: Wake", "c: Wake"]);
    }
}

#[test]
fn a_waker_that_wakes_others_through_the_same_cell_wakes_them_at_once() {
    let world = World::default();
    let [inner, last] = ["inner", "last"].map(|name| world.waker(name, None));
    let outer = hostile_waker({
        let (world, inner) = (world.clone(), RefCell::new(Some(inner)));
        move |call| {
            world.push(format!("outer: {call:?}"));
            world.cell.with(|_, wakers| inner.take().into_iter().for_each(|w| wakers.add(w)));
            world.push("outer: done");
        }
    });
    world.cell.with(|_, wakers| [outer, last].into_iter().for_each(|waker| wakers.add(waker)));
    world.expect(["outer: Wake", "inner: Wake", "outer: done", "last: Wake"]);
}

#[test]
fn a_poll_that_need_not_wait_clones_its_waker_before_the_lock_and_drops_it_after_it() {
    let world = World::default();
    let (own, other) = (world.waker("own", None), world.waker("other", None));
    world.cell.poll(&mut Context::from_waker(&own), |_, wakers| {
        world.push("lock");
        wakers.add(other);
    });
    world.expect(["own: Clone", "lock", "other: Wake", "own: Drop"]);
}

#[test]
fn the_waker_of_the_latest_poll_is_kept_and_the_other_dropped_after_the_lock() {
    let world = World::default();
    let (first, second) = (world.waker("first", None), world.waker("second", None));
    world.wait(&first);
    world.expect(["first: Clone", "lock"]);
    world.wait(&first);
    world.expect(["first: Clone", "lock", "first: Drop"]);
    world.wait(&second);
    world.expect(["second: Clone", "lock", "first: Drop"]);
    assert!(world.cell.look(|state| state.place.as_ref().is_some_and(|w| w.will_wake(&second))));
}

#[test]
fn a_waker_that_is_discarded_is_dropped_after_the_lock() {
    let world = World::default();
    world.wait(&world.waker("own", None));
    world.expect(["own: Clone", "lock", "own: Drop"]);
    let other = world.waker("other", None);
    world.cell.with(|state, wakers| {
        wakers.discard(state.place.take());
        wakers.add(other);
        world.push("lock");
    });
    world.expect(["lock", "other: Wake", "own: Drop"]);
    world.cell.with(|state, wakers| wakers.discard(state.place.take()));
    world.expect([]);
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_keeps_nobody_from_the_result() {
    let world = World::default();
    // The test must not drop them itself.
    let broken =
        ["own", "other"].map(|name| ManuallyDrop::new(world.waker(name, Some(Call::Drop))));
    let [own, other] = broken.each_ref().map(|waker| &**waker);
    let result = world.cell.poll(&mut Context::from_waker(own), |_, _| "not kept");
    assert_eq!(result, "not kept");
    world.expect(["own: Clone", "own: Drop"]);
    world.wait(own);
    world.wait(other);
    world.expect(["own: Clone", "lock", "other: Clone", "lock", "own: Drop"]);
    let result = world.cell.with(|state, wakers| {
        wakers.discard(state.place.take());
        "discarded"
    });
    assert_eq!(result, "discarded");
    world.expect(["other: Drop"]);
}

#[test]
fn a_waker_that_panics_when_it_is_cloned_leaves_the_state_as_it_was() {
    let world = World::default();
    let broken = world.waker("broken", Some(Call::Clone));
    assert!(catch(|| world.wait(&broken)).is_err());
    drop(broken);
    world.expect(["broken: Clone", "broken: Drop"]);
    world.wait(&world.waker("whole", None));
    world.expect(["whole: Clone", "lock", "whole: Drop"]);
}
