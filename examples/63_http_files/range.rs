//! Which bytes of a file a `Range` header asks for.
//!
//! ```text
//!   bytes=0-99     the first hundred
//!   bytes=100-     all from there on
//!   bytes=-100     the last hundred
//! ```
//!
//! What cannot be understood counts as not said, and the whole file is sent. So does what asks for
//! several ranges at once: a server may ignore that too.

use std::ops::Range;

#[derive(PartialEq, Eq, Debug)]
pub enum Selected {
    Whole,
    /// Not empty, and inside the file.
    Part(Range<u64>),
    /// There is nothing there.
    Outside,
}

pub fn select(range: &str, length: u64) -> Selected {
    let Some((start, end)) = bounds(range, length) else {
        return Selected::Whole;
    };
    let end = end.min(length);
    if start < end { Selected::Part(start..end) } else { Selected::Outside }
}

/// From where, and to where; both may lie behind the end.
fn bounds(range: &str, length: u64) -> Option<(u64, u64)> {
    let (unit, bounds) = range.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    match bounds.split_once('-')? {
        ("", last) => Some((length.saturating_sub(number(last)?), length)),
        (first, "") => Some((number(first)?, length)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some((first, last.saturating_add(1)))
        }
    }
}

/// A number too large is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}
