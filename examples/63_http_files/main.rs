//! A file server for HTTP, on sockets of this crate: for a browser, for curl, for you to read.
//!
//! It shows what a server is made of besides its protocol. Strangers connect, and some are slow,
//! some are greedy, some are broken and some are evil; none of them may hold up the others, lead
//! the server out of its directory, or make it keep more than it can. And when it is to end, what
//! has been asked is answered before.
//!
//! ```text
//!   main.rs ──► serve.rs ──┬──► request.rs    bytes ──► what is wanted, or why not
//!               time       ├──► files.rs      what is wanted ──► an answer (range.rs)
//!               and limits └──► response.rs   an answer ──► bytes
//! ```
//!
//! Only `serve.rs` is asynchronous. The others are functions, without an `async` in them.
//!
//! Left out: TLS, caching, compression, sending anything but files.
//!
//! Predict before you run: which of the paths below are refused, and which are found?
//!
//! Run: `cargo run --example 63_http_files` for a short conversation of the server with itself, and
//! `cargo run --example 63_http_files -- serve 127.0.0.1:8080 docs` for your own.

mod files;
mod range;
mod request;
mod response;
mod serve;
#[path = "../support/mod.rs"]
mod support;

use handspun::net::{TcpListener, TcpStream};
use handspun::sync::CancellationToken;
use handspun::time::Duration;
use serve::{Limits, serve};
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, process, thread};

const HELP: &str = "\
Serves the files of a directory over HTTP/1.1.

usage: 63_http_files [--trace FORMAT [FILE]]
       63_http_files serve [OPTION N]... [ADDRESS [DIRECTORY]] [--trace ...]

Without `serve` it talks to itself, and ends. ADDRESS is 127.0.0.1:8080 unless
it is given, and DIRECTORY is `docs`. The line `quit` on stdin ends it, or the
end of stdin.

  --connections N   serve N at a time (256)
  --idle-ms N       wait N ms for a request to begin (15000),
  --request-ms N    for it to come to its end (10000),
  --write-ms N      and for a client to take 64 KiB (30000)
";

fn main() -> ExitCode {
    match parse(support::arguments().into_iter()) {
        Ok(Command::Help) => {
            let _ = io::stdout().write_all(HELP.as_bytes());
            ExitCode::SUCCESS
        }
        Ok(Command::Talk) => or_complain(talk(), ExitCode::FAILURE),
        Ok(Command::Serve(options)) => or_complain(start(options), ExitCode::FAILURE),
        Err(message) => or_complain(Err(message + " (see --help)"), ExitCode::from(2)),
    }
}

fn or_complain(result: Result<(), String>, otherwise: ExitCode) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Not `eprintln!`, which panics if stderr is closed.
            let _ = writeln!(io::stderr(), "63_http_files: {message}");
            otherwise
        }
    }
}

// `serve`

fn start(options: Options) -> Result<(), String> {
    let stop = CancellationToken::new();
    let stops = stop.clone();
    handspun::block_on(async {
        let (directory, address) = (options.directory.display(), &options.address);
        let listener = TcpListener::bind(address.as_str()).await;
        let listener = listener.map_err(|error| format!("cannot listen at {address}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        say(format_args!("serving {directory} at http://{address}/ until `quit`"));
        // Reading stdin blocks, for as long as the server lives.
        thread::spawn(move || {
            let mut lines = io::stdin().lines().map_while(Result::ok);
            lines.any(|line| line.trim() == "quit");
            stops.cancel();
        });
        match serve(listener, options.directory.clone(), options.limits, stop).await {
            true => say("all is answered"),
            false => say("some clients were too slow, and get no answer"),
        }
        Ok(())
    })
}

/// Not `println!`, which panics if stdout is closed.
fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

// A conversation.

const CONVERSATION: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n",
    "HEAD /hello.txt HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n",
    "GET /hello.txt?color=blue HTTP/1.1\r\nHost: here\r\n\r\n\
     GET /hello.txt HTTP/1.1\r\nHost: here\r\nRange: bytes=7-11\r\nConnection: close\r\n\r\n",
    "GET /drawings HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n",
    "GET /drawings/a%20dot.svg HTTP/1.0\r\n\r\n",
    "GET /drawings/../hello.txt HTTP/1.0\r\n\r\n",
    "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.0\r\n\r\n",
    "GET /hello.txt HTTP/1.1\r\n\r\n",
    "POST /hello.txt HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nbye",
    "GET /hello.txt HTTP/2.0\r\nHost: here\r\n\r\n",
];

fn talk() -> Result<(), String> {
    let folder = Folder::new().map_err(|error| format!("cannot write a few files: {error}"))?;
    let root = folder.0.canonicalize().map_err(|error| error.to_string())?;
    let talk = async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let server = handspun::spawn(serve(listener, root, Limits::default(), stop.clone()));
        for requests in CONVERSATION {
            say_heads(requests, "");
            say_heads(&ask(address, requests).await?, "    ");
        }
        stop.cancel();
        let is_all = server.await.map_err(io::Error::other)?;
        say(if is_all { "the server: all is answered" } else { "the server: gave up" });
        Ok(())
    };
    handspun::block_on(talk).map_err(|error: io::Error| format!("cannot talk to myself: {error}"))
}

async fn ask(address: SocketAddr, requests: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(requests.as_bytes()).await?;
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).await?;
    Ok(String::from_utf8_lossy(&answers).into_owned())
}

/// Says the first line of each request, or of each answer.
fn say_heads(text: &str, indent: &str) {
    for line in text.lines().filter(|line| line.contains("HTTP/")) {
        say(format_args!("{indent}{line}"));
    }
}

/// A few files to serve, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Folder> {
        let name = format!("handspun-63-http-files-{}", process::id());
        let folder = Folder(env::temp_dir().join(name));
        fs::create_dir_all(folder.0.join("drawings"))?;
        fs::write(folder.0.join("index.html"), "<!doctype html><title>Hello</title>\n")?;
        fs::write(folder.0.join("hello.txt"), "Hello, world.\n")?;
        fs::write(folder.0.join("drawings/a dot.svg"), "<svg><circle r=\"1\"/></svg>\n")?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

// Arguments.

enum Command {
    Help,
    Talk,
    Serve(Options),
}

struct Options {
    address: String,
    directory: PathBuf,
    limits: Limits,
}

fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Command, String> {
    match arguments.next() {
        None => Ok(Command::Talk),
        Some(word) if word == "--help" || word == "-h" => Ok(Command::Help),
        Some(word) if word == "serve" => options(arguments).map(Command::Serve),
        Some(word) => Err(format!("unknown argument {word:?}")),
    }
}

fn options(mut arguments: impl Iterator<Item = OsString>) -> Result<Options, String> {
    let mut limits = Limits::default();
    let mut places = Vec::new();
    while let Some(argument) = arguments.next() {
        let option = argument.to_string_lossy().into_owned();
        let mut number = || {
            let value = arguments.next().unwrap_or_default();
            let number = value.to_str().and_then(|value| value.parse::<u32>().ok());
            number.filter(|&n| n > 0).ok_or(format!("{option} needs a number, not {value:?}"))
        };
        match option.as_str() {
            "--connections" => limits.connections = number()?,
            "--idle-ms" => limits.idle = Duration::from_millis(number()?.into()),
            "--request-ms" => limits.request = Duration::from_millis(number()?.into()),
            "--write-ms" => limits.write = Duration::from_millis(number()?.into()),
            _ if option.starts_with("--") || places.len() == 2 => {
                return Err(format!("unknown argument {argument:?}"));
            }
            _ => places.push(argument),
        }
    }
    let mut places = places.into_iter();
    let address = places.next().unwrap_or("127.0.0.1:8080".into());
    let address = address.into_string().map_err(|other| format!("{other:?} is no address"))?;
    let directory = places.next().unwrap_or("docs".into());
    let root = Path::new(&directory).canonicalize().ok().filter(|root| root.is_dir());
    Ok(Options {
        address,
        directory: root.ok_or(format!("{directory:?} is no directory"))?,
        limits,
    })
}
