//! v3 and v4: a flag behind a mutex, and a condition variable to end the sleep. The two differ in
//! how many of these there are: see `main.rs`. Next: `trial.rs`.

use crate::block_on::{ForEver, Parker};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

#[derive(Default)]
pub struct Locked {
    is_up: Mutex<bool>,
    raised: Condvar,
}

impl Parker for Locked {
    fn unpark(&self) {
        *self.is_up.lock().unwrap() = true;
        self.raised.notify_one();
    }

    fn park(&self, patience: Duration) -> Result<(), ForEver> {
        let is_up = self.is_up.lock().unwrap();
        // Gives the mutex back while it sleeps: nothing can fall between the look and the sleep.
        let waited = self.raised.wait_timeout_while(is_up, patience, |is_up| !*is_up);
        let (mut is_up, _) = waited.unwrap();
        match std::mem::replace(&mut *is_up, false) {
            true => Ok(()),
            false => Err(ForEver),
        }
    }
}
