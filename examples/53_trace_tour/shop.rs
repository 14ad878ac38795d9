//! The shop: pages that ask, the clerk that answers, the list, and three ways to renew its price.
//! (v4 renews as v3 does, and the shop waits for it.) What only the program can know it writes into
//! the trace itself: `trace::mark`, `trace::value`.

use handspun::sync::{Mutex, mpsc, oneshot};
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep};
use handspun::trace;
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

pub async fn one_day(version: usize) {
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
