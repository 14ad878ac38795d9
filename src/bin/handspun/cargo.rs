//! Cargo, which does the work: it builds what was just edited.

use crate::Error;
use crate::checkout;
use std::env;
use std::io;
use std::process::Command;

/// `cargo NAME`, for the checkout. It is called in the folder in which we are, so that all that
/// cargo is told by its surroundings (where to build, with what) holds for it as it did for us.
pub fn command(name: &str) -> Command {
    // Cargo says where it is to the programs that it runs.
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(name).arg("--manifest-path").arg(checkout::root().join("Cargo.toml"));
    command
}

/// Why cargo was not started.
pub fn missing(command: &Command, error: &io::Error) -> Error {
    let cargo = command.get_program().display();
    Error::Missing(format!("cannot start {cargo}: {error}. Is cargo in your PATH?"))
}
