//! A program with three mistakes, one after the other, and runs of it that draw themselves.
//!
//! A shop. Pages ask a clerk for the price, by a channel. The clerk looks it up in a list, which
//! has a lock, since once a day the price is renewed: the supplier takes 400 ms to tell the new
//! one. v1 is slow, v2 hangs, v3 does neither and forgets something. v4 is right.
//!
//! Find the causes in the drawings, not in the source. Begin at what is late, look who woke it, and
//! ask the same of that one. Where nobody is woken any more, look who waits for whom.
//!
//! Predict before you run: the pages ask at 100, 200 and 300 ms. How long does each wait for its
//! price, in v1?
//!
//! Run: `cargo run --example 53_trace_tour`, with `-- v1` for one of them, and to step through that
//! run, forwards and backwards, `cargo run --example 53_trace_tour -- v1 --trace html`. Next:
//! `54_lints`.

mod support;

use handspun::executor::Executor;
use handspun::sync::{Mutex, mpsc, oneshot};
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep};
use handspun::trace::{self, Format};
use std::rc::Rc;

const MOMENT: Duration = Duration::from_millis(100);

/// The list has one price, in cents.
type List = Rc<Mutex<u32>>;

/// Where to send the price to.
type Question = oneshot::Sender<u32>;
type Clerk = mpsc::Sender<Question>;

async fn ask(clerk: &Clerk) -> u32 {
    let (question, answer) = oneshot::channel();
    clerk.send(question).await.expect("the clerk is there");
    trace::value("questions", clerk.max_capacity() - clerk.capacity());
    answer.await.expect("the clerk answers")
}

async fn ask_supplier() -> u32 {
    sleep(4 * MOMENT).await;
    120
}

async fn page(number: u32, clerk: Clerk) {
    sleep(number * MOMENT).await;
    let begun = Instant::now();
    let price = ask(&clerk).await;
    println!("page {number}: {price} cents, after {} ms", begun.elapsed().as_millis());
}

async fn answer(mut questions: mpsc::Receiver<Question>, list: List) {
    while let Some(question) = questions.recv().await {
        trace::value("questions", questions.len());
        let price = *list.lock().await;
        let _ = question.send(price);
    }
}

async fn renew_v1(list: List) {
    let mut price = list.lock().await;
    *price = ask_supplier().await;
    trace::mark("new price");
}

/// Does not need the supplier: takes a fifth more than before.
async fn renew_v2(list: List, clerk: Clerk) {
    let mut price = list.lock().await;
    *price = ask(&clerk).await * 6 / 5;
    trace::mark("new price");
}

async fn renew_v3(list: List) {
    let price = ask_supplier().await;
    *list.lock().await = price;
    trace::mark("new price");
}

async fn shop(version: usize) {
    let (clerk, questions) = mpsc::channel(8);
    let list = List::new(Mutex::new(100));
    let renew = Builder::new().name("renew");
    let renewal = match version {
        1 => renew.spawn(renew_v1(list.clone())),
        2 => renew.spawn(renew_v2(list.clone(), clerk.clone())),
        _ => renew.spawn(renew_v3(list.clone())),
    };
    let answers = Builder::new().name("clerk").spawn(answer(questions, list.clone()));
    for number in 1..=3 {
        let name = format!("page {number}");
        Builder::new().name(name).spawn(page(number, clerk.clone()));
    }
    drop(clerk); // the clerk is done when no page is left that could ask
    answers.await.unwrap();
    if version == 4 {
        renewal.await.unwrap();
    }
    println!("in the evening: {} cents", list.lock().await);
}

fn run(version: usize) {
    let executor =
        Executor::builder().start_paused(true).panic_on_stall(true).record(10_000).build();
    executor.block_on(shop(version));
    let trace = executor.into_trace();
    println!("\n{}", trace.draw(Format::Text)); // with what the lints say
}

fn main() {
    let asked_for = support::stages(4);
    let versions = [
        "v1: asks the supplier with the lock in its hand",
        "v2: asks the clerk with the lock in its hand",
        "v3: asks first, and locks then",
        "v4: the same, and the shop waits for it",
    ];
    for (version, what) in (1..).zip(versions).filter(|(version, _)| asked_for(*version)) {
        println!("{what}");
        match version {
            2 => println!("{}", support::stall_report(|| run(2))),
            _ => run(version),
        }
    }
}
