//! What the examples share: their one argument, and how they print the time.
#![allow(dead_code, reason = "each example uses a part")]

use handspun::time::Instant;
use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::panic::{self, UnwindSafe};
use std::process::exit;

/// The argument of an example in which time passes: `--real` waits for real.
pub fn wants_real_clock() -> bool {
    let unknown = env::args_os().skip(1).find(|argument| argument != "--real");
    refuse(unknown, "`--real`, or nothing");
    env::args_os().len() > 1
}

/// For an example in which no time passes.
pub fn no_arguments() {
    refuse(env::args_os().nth(1), "none");
}

fn refuse(argument: Option<OsString>, known: &str) {
    if let Some(argument) = argument {
        eprintln!("unknown argument {argument:?} (this example takes {known})");
        exit(2);
    }
}

/// Prints a line behind the time that has passed since `start`.
pub fn say(start: Instant, line: impl Display) {
    println!("{:7.3} s  {line}", start.elapsed().as_secs_f64());
}

/// The report of a stall, for a `program` that ends in one. Without this it would go to stderr.
pub fn stall_report(program: impl FnOnce() + UnwindSafe) -> String {
    panic::set_hook(Box::new(|_| {}));
    let end = panic::catch_unwind(program);
    let _ours = panic::take_hook();
    let panic = end.expect_err("the program stalls");
    *panic.downcast().expect("the panic of a stall is a string")
}
