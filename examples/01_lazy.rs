//! Nothing happens until it is polled.
//!
//! Calling an `async fn` runs none of its body. It gives a value, the *future*: here 24 bytes,
//! which hold the argument and a note of how far it has come (not at all). Somebody has to poll it.
//! `.await` does, and `block_on`, and an executor to which it was spawned; nothing else does.
//!
//! Predict before you run: how often is "hello" printed, and for whom?
//!
//! Run: `cargo run --example 01_lazy`. Next: `02_poll_once`.

mod support;

async fn greet(name: &str) {
    println!("     hello, {name}!");
}

fn main() {
    support::no_arguments();

    println!("1. call it");
    let future = greet("Ada");
    println!("     … and get a value of {} bytes", size_of_val(&future));

    println!("2. drop it");
    drop(future);

    println!("3. call it, and await what it gave");
    handspun::block_on(async {
        greet("Grace").await;
    });

    println!("4. spawn it, and wait for nothing");
    handspun::block_on(async {
        handspun::spawn(greet("Edsger"));
        println!("     … the root is ready: nobody polls the rest");
    });

    println!("5. spawn it, and await the handle");
    handspun::block_on(async {
        let handle = handspun::spawn(greet("Barbara"));
        println!("     … spawned, not polled yet");
        handle.await.unwrap();
    });
}
