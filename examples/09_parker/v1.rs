//! v1: the parking token of the thread, and nothing else. There is one, and whoever parks on this
//! thread takes it. Next: `v2.rs`.

use crate::block_on::{ForEver, Parker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

pub struct Token(pub Thread);

impl Parker for Token {
    fn unpark(&self) {
        self.0.unpark();
    }

    fn park(&self, patience: Duration) -> Result<(), ForEver> {
        let start = Instant::now();
        thread::park_timeout(patience);
        if start.elapsed() < patience { Ok(()) } else { Err(ForEver) }
    }
}
