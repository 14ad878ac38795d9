//! `cargo run` in this folder: the companion, as in the folder above.
//!
//! Cargo runs a program of the package in whose folder it is called, and in this one somebody may
//! be who does the exercises.

use std::env;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["run", "--quiet", "--package", "handspun", "--"])
        .args(env::args_os().skip(1));
    match command.status() {
        // There is no code when a signal ended it.
        Ok(status) => u8::try_from(status.code().unwrap_or(1)).unwrap_or(1).into(),
        Err(error) => {
            eprintln!("cannot start cargo: {error}");
            ExitCode::FAILURE
        }
    }
}
