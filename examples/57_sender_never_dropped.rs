//! The loop that never ends, because somebody still has a sender.
//!
//! `recv` gives `None` when *all* senders are dropped, also the one that was only there to be
//! cloned. In v1 that is `sender`, in the root, which waits for the loop to end before it lets go
//! of it. v2 drops it in time. v3 has a reason to keep it (more writers may come later), so it
//! needs another way to say that it is over: a token tells the reader, who closes the channel. From
//! then on nobody can send, and what was sent before can still be received.
//!
//! Predict before you run: who waits for whom in v1? And in v3, is Barbara's letter read, which is
//! sent just before the token is cancelled?
//!
//! Run: `cargo run --example 57_sender_never_dropped`, and one version with `-- v1`. Next:
//! `58_batches`.

mod support;

use handspun::executor::Executor;
use handspun::sync::{CancellationToken, mpsc};
use support::stall_report;

async fn write(letters: &mpsc::Sender<&'static str>) {
    for writer in ["Ada", "Grace"] {
        let letters = letters.clone();
        let task = handspun::spawn(async move { letters.send(writer).await });
        task.await.unwrap().expect("somebody reads them");
    }
}

async fn read(letters: &mut mpsc::Receiver<&str>) {
    while let Some(writer) = letters.recv().await {
        println!("  a letter from {writer}");
    }
}

async fn v1() {
    let (sender, mut receiver) = mpsc::channel(8);
    let reader = handspun::spawn(async move { read(&mut receiver).await });
    write(&sender).await;
    reader.await.unwrap();
    println!("  the end"); // and here `sender` is dropped
}

async fn v2() {
    let (sender, mut receiver) = mpsc::channel(8);
    let reader = handspun::spawn(async move { read(&mut receiver).await });
    write(&sender).await;
    drop(sender);
    reader.await.unwrap();
    println!("  the end");
}

async fn v3() {
    let (sender, mut receiver) = mpsc::channel(8);
    let token = CancellationToken::new();
    let over = token.clone();
    let reader = handspun::spawn(async move {
        handspun::select! {
            biased;
            _ = over.cancelled() => println!("  no more letters"),
            _ = read(&mut receiver) => {}
        }
        receiver.close();
        read(&mut receiver).await; // those that were sent before
    });
    write(&sender).await;
    sender.send("Barbara").await.expect("it is open");
    token.cancel();
    reader.await.unwrap();
    println!("  the end, and who writes now is told: {}", sender.send("Edsger").await.unwrap_err());
}

fn main() {
    let asked_for = support::stages(3);
    let executor = || Executor::builder().start_paused(true).panic_on_stall(true).build();

    if asked_for(1) {
        println!("v1: a sender is left");
        println!("{}", stall_report(|| executor().block_on(v1())));
    }
    if asked_for(2) {
        println!("v2: it is dropped");
        executor().block_on(v2());
    }
    if asked_for(3) {
        println!("v3: it is kept, and the channel closed");
        executor().block_on(v3());
    }
}
