//! Who runs when: the executor goes in turns.
//!
//! One turn polls every task that was runnable when it began, once, in the order in which they
//! became runnable. Who is woken or spawned during a turn waits for the next. (Promise 4 of
//! `src/lib.rs`.)
//!
//! Here every task yields after each letter: it wakes itself, and goes to the end of the queue. The
//! root was first in the queue, so it begins each turn, and prints what the turn before it wrote.
//!
//! Predict before you run: `b` writes twice, and spawns `d` before its end. Where in turn 3 is `d`?
//!
//! Run: `cargo run --example 12_turns`. Next: `13_join_handle`.

mod support;

use handspun::task::yield_now;
use std::cell::RefCell;
use std::rc::Rc;

type Page = Rc<RefCell<String>>;

async fn write(page: Page, letter: &str, times: usize) {
    for time in 1..=times {
        page.borrow_mut().push_str(letter);
        if time < times {
            yield_now().await;
        }
    }
}

fn main() {
    support::no_arguments();
    handspun::block_on(async {
        let page = Page::default();
        handspun::spawn(write(page.clone(), " a", 4));
        handspun::spawn({
            let page = page.clone();
            async move {
                write(page.clone(), " b", 2).await;
                handspun::spawn(write(page, " d", 3));
            }
        });
        handspun::spawn(write(page.clone(), " c", 3));

        for turn in 1.. {
            yield_now().await; // the others have their turn
            let written = page.take();
            if written.is_empty() {
                break;
            }
            println!("turn {turn}:{written}");
        }
    });
}
