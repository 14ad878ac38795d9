//! What the examples share: their arguments, where a server listens, and how they print the time.
//!
//! Every example can draw its own run: `--trace html`, `--trace text`, `--trace svg run.svg`. It
//! does so by the way that is open to any program, the environment variable `HANDSPUN_TRACE`: with
//! `--trace` it starts itself anew, with that set.
#![allow(dead_code, reason = "each example uses a part")]

use handspun::time::Instant;
use handspun::trace::Format;
use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::io;
use std::net::TcpListener;
use std::panic::{self, UnwindSafe};
use std::process::{Command, exit};

/// The argument of an example in which time passes: `--real` waits for real.
pub fn wants_real_clock() -> bool {
    let arguments = arguments();
    let unknown = arguments.iter().find(|argument| *argument != "--real");
    refuse(unknown, "`--real`, `--trace`, or nothing");
    !arguments.is_empty()
}

/// For an example in which no time passes.
pub fn no_arguments() {
    refuse(arguments().first(), "`--trace`, or nothing");
}

/// For an example that shows an idea in stages, `v1` to `v3`, say, and in which no time passes:
/// whether a stage was asked for. Without an argument, all are.
pub fn stages(count: usize) -> impl Fn(usize) -> bool + Copy {
    let (stages, rest) = split_off_stage(arguments(), count);
    refuse(rest.first(), "one stage, as in `v1`, `--trace`, or nothing");
    stages
}

/// For an example in stages in which time passes: the stages, and whether `--real` was asked for.
pub fn stages_and_clock(count: usize) -> (impl Fn(usize) -> bool + Copy, bool) {
    let (stages, rest) = split_off_stage(arguments(), count);
    let unknown = rest.iter().find(|argument| *argument != "--real");
    refuse(unknown, "one stage, as in `v1`, `--real`, `--trace`, or nothing");
    (stages, !rest.is_empty())
}

/// For an example in stages that does not use the executor of the library.
pub fn stages_without_executor(count: usize) -> impl Fn(usize) -> bool + Copy {
    let (stages, rest) = split_off_stage(env::args_os().skip(1).collect(), count);
    refuse_trace_and_break(rest.first());
    refuse(rest.first(), "one stage, as in `v1`, or nothing");
    stages
}

fn split_off_stage(
    mut arguments: Vec<OsString>,
    count: usize,
) -> (impl Fn(usize) -> bool + Copy, Vec<OsString>) {
    let number =
        |argument: &OsString| stage(argument).filter(|number| (1..=count).contains(number));
    let at = arguments.iter().position(|argument| number(argument).is_some());
    let wanted = at.and_then(|at| number(&arguments.remove(at)));
    (move |stage| wanted.is_none_or(|wanted| wanted == stage), arguments)
}

/// `v2` is stage 2.
fn stage(argument: &OsString) -> Option<usize> {
    argument.to_str()?.strip_prefix('v')?.parse().ok()
}

/// For an example that shows how an executor is made, and does not use that of the library.
pub fn no_executor() {
    let argument = env::args_os().nth(1);
    refuse_trace_and_break(argument.as_ref());
    refuse(argument.as_ref(), "none");
}

fn refuse_trace_and_break(argument: Option<&OsString>) {
    if env::var_os("HANDSPUN_BREAK").is_some_and(|rule| !rule.is_empty()) {
        complain("there is no rule to break: this example does not run on handspun's executor");
    }
    if argument.is_some_and(|argument| argument == TRACE) {
        complain("there is nothing to draw: this example does not run on handspun's executor");
    }
}

/// For an example with a server: where to serve for real, or nothing, to demonstrate itself.
pub fn address_to_serve() -> Option<String> {
    address(arguments(), "`serve ADDRESS`, `--trace`, or nothing")
}

/// For an example in stages, with a server: the stages to show, or where to serve for real.
pub fn stages_and_address(count: usize) -> (impl Fn(usize) -> bool + Copy, Option<String>) {
    let arguments = arguments();
    // Who serves shows no stage.
    let serves = arguments.iter().any(|argument| argument == SERVE);
    let (stages, rest) = split_off_stage(arguments, if serves { 0 } else { count });
    let known = "`serve ADDRESS`, one stage, as in `v1`, `--trace`, or nothing";
    (stages, address(rest, known))
}

fn address(arguments: Vec<OsString>, known: &str) -> Option<String> {
    let mut arguments = arguments.into_iter();
    let command = arguments.next()?;
    refuse(Some(&command).filter(|command| *command != SERVE), known);
    let Some(address) = arguments.next() else {
        complain("serve where? For one: `serve 127.0.0.1:7000`");
    };
    refuse(arguments.next().as_ref(), known);
    Some(address.to_string_lossy().into_owned())
}

const SERVE: &str = "serve";

/// Listens at an address that somebody typed, and says where that is. If it cannot be, the example
/// ends here.
pub fn listen(address: &str) -> TcpListener {
    let listener = TcpListener::bind(address);
    match listener.and_then(|listener| Ok((listener.local_addr()?, listener))) {
        Ok((address, listener)) => {
            println!("listening at {address} until Ctrl-D");
            listener
        }
        Err(error) => complain(&format!("cannot listen at {address:?}: {error}")),
    }
}

/// Is ready when stdin is at its end: that is Ctrl-D, in a terminal.
pub async fn end_of_input() {
    let end = handspun::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
    let _ = end.await;
}

/// The arguments, but for `--trace FORMAT [FILE]`: with that, the example starts itself anew to be
/// drawn, and ends here.
pub fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let options = arguments.iter().take_while(|argument| *argument != "--");
    let is_trace = |option: &OsString| option.to_string_lossy().split('=').next() == Some(TRACE);
    let Some(at) = options.into_iter().position(is_trace) else {
        return arguments;
    };
    let mut drawing = arguments.split_off(at).into_iter().peekable();
    let option = drawing.next().unwrap_or_default().to_string_lossy().into_owned();
    let format = match option.split_once('=') {
        Some((_, format)) => format.to_string(),
        None => drawing.next().unwrap_or_default().to_string_lossy().into_owned(),
    };
    if let Err(error) = format.parse::<Format>() {
        complain(&format!("{error} (say `--trace html`, or `--trace svg run.svg`)"));
    }
    let is_file = |argument: &OsString| {
        !argument.to_string_lossy().starts_with("--") && stage(argument).is_none()
    };
    let file = match drawing.next_if(is_file) {
        Some(file) => file.to_string_lossy().into_owned(),
        // The text belongs to what the example prints: it comes after it, on stdout.
        None if format == "text" => "-".to_string(),
        None => String::new(),
    };
    arguments.extend(drawing);
    let program = env::current_exe().expect("this program has a path");
    let mut drawn = Command::new(program);
    match drawn.args(arguments).env("HANDSPUN_TRACE", format!("{format}:{file}")).status() {
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(error) => complain(&format!("cannot start this example anew: {error}")),
    }
}

const TRACE: &str = "--trace";

fn refuse(argument: Option<&OsString>, known: &str) {
    if let Some(argument) = argument {
        complain(&format!("unknown argument {argument:?} (this example takes {known})"));
    }
}

/// One line, and exit code 2.
pub fn complain(message: &str) -> ! {
    eprintln!("{message}");
    exit(2)
}

/// Prints a line behind the time that has passed since `start`.
pub fn say(start: Instant, line: impl Display) {
    println!("{:7.3} s  {line}", start.elapsed().as_secs_f64());
}

/// The report of a stall, for a `program` that ends in one. Without this it would go to stderr.
/// (With a rule of the executor broken it may not stall.)
pub fn stall_report(program: impl FnOnce() + UnwindSafe) -> String {
    panic::set_hook(Box::new(|_| {}));
    let end = panic::catch_unwind(program);
    let _ours = panic::take_hook();
    match end {
        Ok(()) => "  and it has not stalled".to_string(),
        Err(panic) => *panic.downcast().expect("the panic of a stall is a string"),
    }
}
