//! v2: a flag, and the token of v1 to end the sleep. A token that somebody has taken does no harm,
//! nor does one too many. Next: `v3.rs`.

use crate::block_on::{ForEver, Parker};
use crate::v1::Token;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub struct Flag {
    is_up: AtomicBool,
    token: Token,
}

impl Flag {
    pub fn beside(token: Token) -> Flag {
        let is_up = AtomicBool::new(false);
        Flag { is_up, token }
    }
}

impl Parker for Flag {
    fn unpark(&self) {
        // No `store`: of two wakes the poll would see only what was written before the second.
        self.is_up.swap(true, Ordering::Release);
        self.token.unpark();
    }

    fn park(&self, patience: Duration) -> Result<(), ForEver> {
        while !self.is_up.swap(false, Ordering::Acquire) {
            self.token.park(patience)?;
        }
        Ok(())
    }
}
