//! v4 has the future of v1, which keeps no waker, in a task that is woken for something else, every
//! 250 ms. Next: `v5.rs`.

use crate::oracle::{ask, see};
use crate::v1::Answer;
use handspun::task::Builder;
use handspun::time::{Duration, Instant, sleep};

/// The future shares its task.
pub async fn program() {
    let start = Instant::now();
    let answer = Answer { shared: ask() };
    let ticks = async {
        for _ in 0..4 {
            sleep(Duration::from_millis(250)).await;
        }
    };
    let both = async move { handspun::join!(see(answer, start), ticks) };
    Builder::new().name("asker").spawn(both).await.unwrap();
}
