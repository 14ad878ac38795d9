//! From the path of a request to a file. All of this blocks, and runs on a thread of its own.
//!
//! A path comes from a stranger and must not lead out of the directory that is served. Two walls:
//!
//! 1. Each name in it must be one: not empty, without backslash or NUL, and with no dot in front.
//!    That is the end of `..`, and of `.git` with it. The names were decoded before, so it does not
//!    matter how they were spelled.
//! 2. The system says where the path really leads, all links followed, and that must be inside.
//!
//! What is not inside is not there: 404, the same as for a name that does not exist.
//!
//! Left out: the race with somebody who changes links between the look and the opening. Who may
//! write in the directory could as well put the file there.

use crate::range::{Selected, select};
use crate::request::Request;
use crate::response::{Body, Response};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// `root` is canonical.
pub fn answer(root: &Path, request: &Request) -> Response {
    find(root, request).unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Response::plain(404),
        ErrorKind::PermissionDenied => Response::plain(403),
        _ => Response::plain(500),
    })
}

fn find(root: &Path, request: &Request) -> io::Result<Response> {
    let names = names(&request.path).ok_or(ErrorKind::NotFound)?;
    let path = inside(root, &root.join(names))?;
    match (path.is_dir(), request.path.ends_with('/')) {
        (true, true) => match inside(root, &path.join("index.html")) {
            Ok(index) => file(&index, request),
            Err(error) if error.kind() == ErrorKind::NotFound => listing(&path, &request.path),
            Err(error) => Err(error),
        },
        // The links in it are relative, and would lead elsewhere.
        (true, false) => {
            let location = format!("{}/", request.raw_path);
            Ok(Response::plain(301).with("Location", location))
        }
        (false, true) => Err(ErrorKind::NotFound.into()),
        (false, false) => file(&path, request),
    }
}

/// The names of a path, without the slashes around them, if they are names.
fn names(path: &str) -> Option<&str> {
    let is_name =
        |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['\\', '\0']);
    match path.strip_prefix('/')? {
        "" => Some(""),
        inner => {
            let inner = inner.strip_suffix('/').unwrap_or(inner);
            inner.split('/').all(is_name).then_some(inner)
        }
    }
}

/// Where a path really leads, if that is inside.
fn inside(root: &Path, path: &Path) -> io::Result<PathBuf> {
    let real = path.canonicalize().map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => error,
        // It leads nowhere. (One of the ways, links in a circle, has no kind in stable Rust yet.)
        _ => ErrorKind::NotFound.into(),
    })?;
    if real.starts_with(root) { Ok(real) } else { Err(ErrorKind::NotFound.into()) }
}

fn file(path: &Path, request: &Request) -> io::Result<Response> {
    // Asked before, because to open a pipe is to wait for whoever writes into it.
    if !fs::metadata(path)?.is_file() {
        return Err(ErrorKind::NotFound.into());
    }
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let (status, part) = match request.range.as_ref().map(|range| select(range, length)) {
        None | Some(Selected::Whole) => (200, 0..length),
        Some(Selected::Part(part)) => (206, part),
        Some(Selected::Outside) => {
            return Ok(Response::plain(416).with("Content-Range", format!("bytes */{length}")));
        }
    };
    file.seek(SeekFrom::Start(part.start))?;
    let body = Body::File(file.take(part.end - part.start));
    let response = Response::new(status, media_type(path), body).with("Accept-Ranges", "bytes");
    Ok(match status {
        206 => {
            let last = part.end - 1;
            response.with("Content-Range", format!("bytes {}-{last}/{length}", part.start))
        }
        _ => response,
    })
}

/// What a client shall take it for.
fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|suffix| suffix.to_str()).unwrap_or_default() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "txt" | "md" | "rs" | "toml" => "text/plain; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

/// A page with a link for each name in a directory that can be asked for.
fn listing(directory: &Path, path: &str) -> io::Result<Response> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if let Ok(mut name) = entry.file_name().into_string()
            && self::names(&format!("/{name}")).is_some()
        {
            name.push_str(if entry.path().is_dir() { "/" } else { "" });
            names.push(name);
        }
    }
    names.sort_unstable();
    let links = names
        .iter()
        .map(|name| format!("<li><a href=\"./{}\">{}</a>\n", in_link(name), in_html(name)));
    let (title, links) = (in_html(path), links.collect::<String>());
    let page = format!("<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n<ul>\n{links}");
    Ok(Response::new(200, "text/html; charset=utf-8", Body::Text(page)))
}

fn in_link(name: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(encoded).collect()
}

fn in_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
