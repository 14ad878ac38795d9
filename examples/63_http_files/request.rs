//! The head of a request: from bytes to what is wanted, or to the status that refuses it.
//!
//! ```text
//!   GET /a%20b.txt?x=1 HTTP/1.1␍␊      method, target, version
//!   Host: localhost:8080␍␊             headers: name, colon, value
//!   Range: bytes=0-99␍␊
//!   ␍␊                                 the empty line: the head ends
//! ```
//!
//! [`parse`] is a function of the bytes that have come so far, and begins anew each time: a head is
//! short, and what has no state cannot be in a wrong one. It judges line by line, so that the
//! answer does not depend on how the bytes were cut on their way.
//!
//! It is strict, for safety. A proxy in front that reads the same bytes in another way (where does
//! this head end? how long is the body?) can be made to see one request where there are two, and to
//! let the second pass. So what the grammar does not allow is refused and not guessed: lines that
//! do not end in ␍␊, spaces before a colon, lengths that are said twice.
//!
//! Left out: bodies, but for their length; they mean nothing for GET and HEAD.

/// How long a head may be.
pub const MAX_HEAD: usize = 8 * 1024;
/// How long a body may be, which is read only to be thrown away.
const MAX_BODY: u64 = 64 * 1024;
const MAX_HEADERS: usize = 100;

/// What is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// HEAD: the answer is that to GET, without its body.
    pub head_only: bool,
    /// As it came, but without the query.
    pub raw_path: String,
    /// With its percent signs decoded.
    pub path: String,
    pub range: Option<String>,
    /// Whether there may be another request after this one.
    pub keep_alive: bool,
    /// How long head and body are together.
    pub length: usize,
}

/// The status with which a request is refused. Where it ends is not known, so it is the last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal(pub u16);

const BAD: Refusal = Refusal(400);

/// The request at the beginning of these bytes. `None`: its head has not ended yet.
pub fn parse(received: &[u8]) -> Result<Option<Request>, Refusal> {
    let head = &received[..received.len().min(MAX_HEAD)];
    let unended = |status| match head.len() < MAX_HEAD {
        true => Ok(None),
        false => Err(Refusal(status)),
    };
    let mut rest = head;
    // Before the request, old clients may send an empty line.
    let first = loop {
        match next_line(&mut rest)? {
            None => return unended(414),
            Some(b"") => {}
            Some(line) => break line,
        }
    };
    let start = StartLine::parse(std::str::from_utf8(first).map_err(|_| BAD)?)?;
    let mut headers = Headers::default();
    loop {
        match next_line(&mut rest)? {
            None => return unended(431),
            Some(b"") => break,
            Some(line) => headers.add(&String::from_utf8_lossy(line))?,
        }
    }
    finish(start, headers, head.len() - rest.len()).map(Some)
}

/// Whether the bytes begin with a HEAD request, be it one that is refused.
pub fn is_head(received: &[u8]) -> bool {
    received.trim_ascii_start().starts_with(b"HEAD ")
}

/// Takes a line off, and its ␍␊ with it. `None`: its end has not come yet.
fn next_line<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Refusal> {
    let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
        return Ok(None);
    };
    let line = rest[..end].strip_suffix(b"\r").ok_or(BAD)?;
    *rest = &rest[end + 1..];
    let is_text = line.iter().all(|&byte| byte == b'\t' || !byte.is_ascii_control());
    if is_text { Ok(Some(line)) } else { Err(BAD) }
}

// The first line.

struct StartLine {
    head_only: bool,
    raw_path: String,
    path: String,
    is_1_1: bool,
}

impl StartLine {
    fn parse(line: &str) -> Result<StartLine, Refusal> {
        let [method, target, version] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(BAD);
        };
        let is_1_1 = is_1_1(version)?;
        let head_only = is_head_only(method)?;
        let raw_path = path_of(target)?.to_string();
        let path = decode(&raw_path)?;
        Ok(StartLine {
            head_only,
            raw_path,
            path,
            is_1_1,
        })
    }
}

fn is_1_1(version: &str) -> Result<bool, Refusal> {
    match version.as_bytes() {
        b"HTTP/1.1" => Ok(true),
        b"HTTP/1.0" => Ok(false),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => Err(Refusal(505)),
        _ => Err(BAD),
    }
}

fn is_head_only(method: &str) -> Result<bool, Refusal> {
    match method {
        "GET" => Ok(false),
        "HEAD" => Ok(true),
        "POST" | "PUT" | "DELETE" | "PATCH" | "OPTIONS" | "TRACE" | "CONNECT" => Err(Refusal(405)),
        _ if is_token(method) => Err(Refusal(501)),
        _ => Err(BAD),
    }
}

/// Without the host, which clients of a proxy name in front, and without the query.
fn path_of(target: &str) -> Result<&str, Refusal> {
    let target = target.split(['?', '#']).next().unwrap_or_default();
    let path = match target.split_at_checked("http://".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http://") => {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        _ => target,
    };
    if path.starts_with('/') && !path.contains('\t') { Ok(path) } else { Err(BAD) }
}

fn decode(path: &str) -> Result<String, Refusal> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    let mut bytes = path.bytes();
    let mut decoded = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => match (digit(bytes.next()), digit(bytes.next())) {
                (Some(high), Some(low)) => (high * 16 + low) as u8,
                _ => return Err(BAD),
            },
            byte => byte,
        });
    }
    String::from_utf8(decoded).map_err(|_| BAD)
}

// The other lines.

/// Those headers that matter here.
#[derive(Default)]
struct Headers {
    count: usize,
    has_host: bool,
    content_length: Option<u64>,
    has_transfer_encoding: bool,
    expects: bool,
    close: bool,
    keep_alive: bool,
    range: Option<String>,
    has_if_range: bool,
}

impl Headers {
    fn add(&mut self, line: &str) -> Result<(), Refusal> {
        self.count += 1;
        if self.count > MAX_HEADERS {
            return Err(Refusal(431));
        }
        // A name is a token. So there is no space before the colon, and none at the beginning of
        // the line, by which old clients said that the line before goes on.
        let (name, value) = line.split_once(':').filter(|(name, _)| is_token(name)).ok_or(BAD)?;
        let value = value.trim_matches([' ', '\t']);
        match name.to_ascii_lowercase().as_str() {
            "host" if self.has_host || !is_host(value) => return Err(BAD),
            "host" => self.has_host = true,
            "content-length" if self.content_length.is_some() => return Err(BAD),
            "content-length" => self.content_length = Some(length(value)?),
            "transfer-encoding" => self.has_transfer_encoding = true,
            "expect" => self.expects = true,
            "connection" => {
                let says = |word| value.split(',').any(|own| own.trim().eq_ignore_ascii_case(word));
                self.close |= says("close");
                self.keep_alive |= says("keep-alive");
            }
            // Said twice, it is a list.
            "range" => {
                self.range = Some(match self.range.take() {
                    Some(before) => format!("{before},{value}"),
                    None => value.to_string(),
                });
            }
            "if-range" => self.has_if_range = true,
            _ => {}
        }
        Ok(())
    }
}

fn is_token(name: &str) -> bool {
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(in_token)
}

fn is_host(value: &str) -> bool {
    let in_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=:[]".contains(&byte);
    value.bytes().all(in_host)
}

fn length(value: &str) -> Result<u64, Refusal> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BAD);
    }
    // What does not fit is too long.
    value.parse().map_err(|_| Refusal(413))
}

/// What can be judged only when all lines are known.
fn finish(start: StartLine, headers: Headers, head: usize) -> Result<Request, Refusal> {
    if start.is_1_1 && !headers.has_host {
        return Err(BAD);
    }
    if headers.has_transfer_encoding {
        let is_clear = start.is_1_1 && headers.content_length.is_none();
        return Err(if is_clear { Refusal(501) } else { BAD });
    }
    if start.is_1_1 && headers.expects {
        return Err(Refusal(417));
    }
    let body = headers.content_length.unwrap_or(0);
    if body > MAX_BODY {
        return Err(Refusal(413));
    }
    Ok(Request {
        head_only: start.head_only,
        raw_path: start.raw_path,
        path: start.path,
        // With a condition that can never be met, since no answer has a version: all is wanted.
        range: headers.range.filter(|_| !headers.has_if_range && !start.head_only),
        keep_alive: !headers.close && (start.is_1_1 || headers.keep_alive),
        length: head + body as usize,
    })
}
