//! What the tool is called with.

use handspun::time::Duration;
use std::ffi::OsString;
use std::path::PathBuf;

pub const HELP: &str = "\
Counts lines, words and bytes.

usage: 60_count_files [--timeout-ms N] [PATH]... [--trace FORMAT [FILE]]

Without a PATH it counts all files under ./src. Each file gets N milliseconds
(default: 5000).
";

pub struct Options {
    pub limit: Duration,
    pub paths: Vec<PathBuf>,
}

/// `None`: help was asked for.
pub fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Option<Options>, String> {
    let mut limit = Duration::from_millis(5000);
    let mut paths = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--help" | "-h") => return Ok(None),
            Some("--timeout-ms") => {
                let number = arguments.next().ok_or("--timeout-ms needs a number")?;
                let millis = number.to_str().and_then(|number| number.parse().ok());
                let no_number = || format!("--timeout-ms needs a number, not {number:?}");
                limit = Duration::from_millis(millis.ok_or_else(no_number)?);
            }
            Some("--") => paths.extend(arguments.by_ref().map(PathBuf::from)),
            Some(option) if option.starts_with("--") => {
                return Err(format!("unknown option {option:?}"));
            }
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    Ok(Some(Options { limit, paths }))
}
