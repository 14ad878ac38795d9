//! v1 puts a request aside that has begun; v2 puts the handle of its task aside. The one who is
//! impatient does the same in both. Next: `save.rs`.

use crate::MOMENT;
use crate::support::say;
use handspun::time::{Instant, sleep};
use std::future::Future;
use std::pin::{Pin, pin};

async fn request(start: Instant) -> u32 {
    say(start, "request: sent");
    sleep(2 * MOMENT).await;
    say(start, "request: has its answer");
    42
}

/// Awaits the request for 100 ms, then a coffee, then the request again.
pub async fn impatient(start: Instant, mut request: Pin<&mut impl Future<Output = u32>>) {
    handspun::select! {
        answer = &mut request => return say(start, format_args!("we: {answer}, at once")),
        () = sleep(MOMENT) => say(start, "we: coffee first"),
    }
    sleep(9 * MOMENT).await;
    say(start, "we: back");
    let answer = request.await;
    say(start, format_args!("we: {answer}"));
}

pub async fn v1(start: Instant) {
    impatient(start, pin!(request(start))).await;
}

pub async fn v2(start: Instant) {
    let task = handspun::spawn(request(start));
    impatient(start, pin!(async { task.await.unwrap() })).await;
}
