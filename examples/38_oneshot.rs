//! `oneshot`: a slot for one reply, and what becomes of a reply that nobody takes.
//!
//! The cashier is an *actor*: a task that owns the safe, so that nobody needs a lock. Whoever wants
//! something of it sends a request, and in the request a oneshot for the reply. Such a pair can end
//! badly in two ways. The sender is dropped without a reply: the receiver is told so. The receiver
//! is dropped: `send` hands the value back, as an error, for nobody else will ever take it. v1
//! ignores that error, and with it 40 in cash. v2 puts them back.
//!
//! Predict before you run: there are 100 in the safe, and Grace leaves before she is served. In v1,
//! how much is left in the end, and what does Barbara get?
//!
//! Run: `cargo run --example 38_oneshot`, one version of it with `-- v1`, and with `-- --real` to
//! wait. Next: `39_mpsc_backpressure`.

mod support;

use handspun::executor::Executor;
use handspun::sync::{mpsc, oneshot};
use handspun::time::{Duration, Instant, sleep, timeout};
use support::say;

/// The receiving half of `cash` is with the client.
struct Withdrawal {
    amount: u32,
    cash: oneshot::Sender<u32>,
}

async fn cashier(start: Instant, mut requests: mpsc::Receiver<Withdrawal>, puts_back: bool) {
    let mut safe = 100;
    while let Some(Withdrawal { amount, cash }) = requests.recv().await {
        if amount > safe {
            continue; // `cash` is dropped
        }
        safe -= amount;
        sleep(Duration::from_millis(100)).await; // it is counted twice
        if let Err(amount) = cash.send(amount)
            && puts_back
        {
            say(start, format_args!("cashier: puts {amount} back"));
            safe += amount;
        }
    }
    say(start, format_args!("cashier: {safe} are left"));
}

async fn client(start: Instant, name: &str, amount: u32, cashier: mpsc::Sender<Withdrawal>) {
    let (cash, hand) = oneshot::channel();
    let asked = cashier.send(Withdrawal { amount, cash }).await;
    asked.expect("the cashier is there as long as there are clients");
    match timeout(Duration::from_millis(150), hand).await {
        Ok(Ok(amount)) => say(start, format_args!("{name}: gets {amount}")),
        Ok(Err(error)) => say(start, format_args!("{name}: gets nothing: {error}")),
        Err(_elapsed) => say(start, format_args!("{name}: leaves")),
    }
}

async fn morning(puts_back: bool) {
    let start = Instant::now();
    let (requests, counter) = mpsc::channel(3);
    let cashier = handspun::spawn(cashier(start, counter, puts_back));
    let visit = |name, amount| handspun::spawn(client(start, name, amount, requests.clone()));
    visit("Ada", 30);
    visit("Grace", 40);
    sleep(Duration::from_millis(200)).await;
    visit("Barbara", 50);
    drop(requests); // when the last client has gone, no sender is left: the cashier goes home
    cashier.await.unwrap();
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(2);
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        if asked_for(1) {
            println!("v1 does not look whether the cash is taken");
            morning(false).await;
        }
        if asked_for(2) {
            println!("v2 does");
            morning(true).await;
        }
    });
}
