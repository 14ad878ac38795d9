//! v3 leaves the reader as it is in v1, and gives it a task of its own. What the `select!` drops is
//! the `recv` of a channel, and that loses nothing.

use crate::pieces::pieces;
use crate::support::say;
use crate::v1::read_line;
use handspun::sync::mpsc;
use handspun::task::Builder;
use handspun::time::{Instant, Interval};

pub async fn run(start: Instant, mut ticks: Interval) {
    let mut pieces = pieces();
    let (sender, mut lines) = mpsc::channel(1);
    Builder::new().name("reader").spawn(async move {
        while let Some(line) = read_line(&mut pieces).await {
            sender.send(line).await.expect("somebody reads");
        }
    });
    loop {
        handspun::select! {
            line = lines.recv() => match line {
                Some(line) => say(start, format_args!("line {line:?}")),
                None => return,
            },
            _ = ticks.tick() => say(start, "tick"),
        }
    }
}
