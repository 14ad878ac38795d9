//! An answer: a status, headers, and a body, which is a text or a piece of a file.
//!
//! It is made where it may block (`files.rs`), and sent where it may not (`serve.rs`). Each answer
//! says how long its body is, so that the client knows where the next one begins.

use std::fmt::{Display, Write};
use std::fs::File;
use std::io::Take;

pub struct Response {
    status: u16,
    headers: String,
    pub body: Body,
}

pub enum Body {
    Text(String),
    /// From where the file stands, so many bytes.
    File(Take<File>),
}

impl Response {
    pub fn new(status: u16, media_type: &str, body: Body) -> Response {
        let response = Response {
            status,
            headers: String::new(),
            body,
        };
        response.with("Content-Type", media_type)
    }

    /// A status that speaks for itself.
    pub fn plain(status: u16) -> Response {
        let text = format!("{status} {}\n", reason(status));
        let response = Response::new(status, "text/plain; charset=utf-8", Body::Text(text));
        match status {
            405 => response.with("Allow", "GET, HEAD"),
            _ => response,
        }
    }

    /// With a header more. The value must be one line.
    pub fn with(mut self, name: &str, value: impl Display) -> Response {
        let _ = write!(self.headers, "{name}: {value}\r\n");
        self
    }

    /// All of it, but for the body.
    pub fn head(&self, keep_alive: bool) -> String {
        let length = match &self.body {
            Body::Text(text) => text.len() as u64,
            Body::File(file) => file.limit(),
        };
        let (status, reason, headers) = (self.status, reason(self.status), &self.headers);
        let connection = if keep_alive { "keep-alive" } else { "close" };
        format!(
            "HTTP/1.1 {status} {reason}\r\n{headers}Content-Length: {length}\r\n\
             Connection: {connection}\r\n\r\n"
        )
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "Internal Server Error",
    }
}
