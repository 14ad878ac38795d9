//! A thread of one's own that asks a task, and waits for the answer.
//!
//! The librarian is a task, and its catalogue an `Rc`: no other thread can look into it, so it
//! needs no lock. But a channel may have its two ends on two threads. The reader, a thread, sends a
//! question, with a oneshot in it for the answer. A thread of one's own may block, so there is no
//! need to await: `blocking_send`, `blocking_recv`. The librarian awaits the questions, and when
//! there is none the executor sleeps; sending one wakes it.
//!
//! No `panic_on_stall` here: an executor does not know of threads that hold the other end of a
//! channel, and would take the wait for a hang.
//!
//! Predict before you run: who speaks, in which order? And why does `block_on` return?
//!
//! Run: `cargo run --example 47_thread_sends`. Next: `48_echo_spin`.

mod support;

use handspun::sync::{mpsc, oneshot};
use std::collections::HashMap;
use std::rc::Rc;
use std::thread;

struct Question {
    title: &'static str,
    shelf: oneshot::Sender<Option<u32>>,
}

type Catalogue = Rc<HashMap<&'static str, u32>>;

async fn librarian(catalogue: Catalogue, mut questions: mpsc::Receiver<Question>) {
    while let Some(Question { title, shelf }) = questions.recv().await {
        println!("  librarian: looks up {title}");
        shelf.send(catalogue.get(title).copied()).expect("the reader waits for it");
    }
    println!("  librarian: nobody is left who could ask");
}

/// Runs on a thread that knows nothing of futures.
fn reader(questions: mpsc::Sender<Question>) {
    for title in ["Emma", "Ulysses", "Dune"] {
        println!("reader: where is {title}?");
        let (shelf, answer) = oneshot::channel();
        questions.blocking_send(Question { title, shelf }).expect("the librarian is there");
        match answer.blocking_recv().expect("the librarian answers") {
            Some(shelf) => println!("reader: on shelf {shelf}, then"),
            None => println!("reader: not here, then"),
        }
    }
    println!("reader: goodbye");
}

fn main() {
    support::no_arguments();
    let catalogue = Rc::new(HashMap::from([("Emma", 3), ("Dune", 7)]));
    let (sender, receiver) = mpsc::channel(1);
    let thread = thread::spawn(|| reader(sender));
    handspun::block_on(async {
        handspun::spawn(librarian(catalogue, receiver)).await.unwrap();
    });
    thread.join().unwrap();
}
