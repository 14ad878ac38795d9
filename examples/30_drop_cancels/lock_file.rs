//! The guard: it is made when the work begins, and its destructor runs however the work ends.

use crate::support::say;
use handspun::time::Instant;

/// A file that is there as long as the work goes on.
pub struct LockFile(Instant, &'static str);

impl LockFile {
    pub fn new(start: Instant, of: &'static str) -> LockFile {
        say(start, format_args!("{of}: lock file made"));
        LockFile(start, of)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        say(self.0, format_args!("{}: lock file removed", self.1));
    }
}
