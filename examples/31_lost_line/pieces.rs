//! Where the lines come from: three of them, in six pieces, from a task that writes.

use handspun::sync::mpsc::{self, Receiver};
use handspun::task::Builder;
use handspun::time::{Duration, sleep};

const PIECES: [&str; 6] = ["tea ", "for two\n", "no ", "sugar\n", "more ", "milk\n"];

/// Writes a piece every 100 ms.
pub fn pieces() -> Receiver<&'static str> {
    let (writer, reader) = mpsc::channel(1);
    Builder::new().name("writer").spawn(async move {
        for piece in PIECES {
            sleep(Duration::from_millis(100)).await;
            writer.send(piece).await.expect("somebody reads");
        }
    });
    reader
}
