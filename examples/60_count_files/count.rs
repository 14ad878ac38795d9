//! Counts one file: on another thread, since reading blocks.

use handspun::task::spawn_blocking;
use handspun::time::{Duration, timeout};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::ops::AddAssign;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub lines: u64,
    pub words: u64,
    pub bytes: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.lines += other.lines;
        self.words += other.words;
        self.bytes += other.bytes;
    }
}

/// Counts a file on another thread, for `limit` at most.
pub async fn count(path: &Path, limit: Duration) -> io::Result<Counts> {
    // A thread cannot be stopped from outside. But it can be asked to stop.
    let given_up = Arc::new(AtomicBool::new(false));
    let counting = spawn_blocking({
        let (path, given_up) = (path.to_path_buf(), given_up.clone());
        move || count_bytes(File::open(path)?, &given_up)
    });
    match timeout(limit, counting).await {
        Ok(joined) => joined.map_err(io::Error::other)?,
        Err(_elapsed) => {
            given_up.store(true, Ordering::Relaxed);
            let message = format!("not counted within {} ms", limit.as_millis());
            Err(io::Error::new(ErrorKind::TimedOut, message))
        }
    }
}

/// Blocks. Counts bytes, not characters: the file need not be text.
fn count_bytes(mut file: File, given_up: &AtomicBool) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let mut block = vec![0; 64 * 1024];
    let mut in_word = false;
    while !given_up.load(Ordering::Relaxed) {
        let length = match file.read(&mut block) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        counts.bytes += length as u64;
        for byte in &block[..length] {
            let space = matches!(byte, b' ' | b'\t'..=b'\r');
            counts.lines += u64::from(*byte == b'\n');
            counts.words += u64::from(!space && !in_word);
            in_word = !space;
        }
    }
    Ok(counts)
}
