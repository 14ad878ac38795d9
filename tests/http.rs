//! The file server of `examples/63_http_files/main.rs`, as its clients see it, and as those do who
//! mean it ill.
//!
//! The parser is a function, and is asked directly. The rest is the program itself, as a child
//! process, on a socket; clients are std's, and curl if there is one. After each attack the next
//! client is served, and when a server is ended it has complained of nothing: no task of it has
//! panicked.
//!
//! Cargo builds the examples before it runs any test. If only this file is asked for, it does not:
//! then `cargo build --examples` comes first.
#![cfg(unix)]

#[path = "../examples/63_http_files/range.rs"]
mod range;
#[path = "../examples/63_http_files/request.rs"]
mod request;
#[path = "support/watchdog.rs"]
mod watchdog;

use proptest::prelude::*;
use range::{Selected, select};
use request::{MAX_HEAD, Refusal, Request, is_head, parse};
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use watchdog::watched;

// Requests, from bytes.

fn parsed(text: &str) -> Request {
    parse(text.as_bytes()).expect("it is allowed").expect("it is whole")
}

fn refused(text: &str) -> u16 {
    match parse(text.as_bytes()) {
        Err(Refusal(status)) => status,
        Ok(request) => panic!("{text:?} is taken for {request:?}"),
    }
}

/// A request with these lines behind the first.
fn with_headers(lines: &str) -> String {
    format!("GET /a HTTP/1.1\r\n{lines}\r\n\r\n")
}

#[test]
fn a_request_says_what_is_wanted() {
    let text = "GET /a%20b/c.txt?d=/../e HTTP/1.1\r\nhOsT: [::1]:80\r\nRange:bytes=0-1 \t\r\n\
                Content-Length: 3\r\nX: y\r\n\r\nabcGET /next";
    assert_eq!(
        parsed(text),
        Request {
            head_only: false,
            raw_path: "/a%20b/c.txt".to_string(),
            path: "/a b/c.txt".to_string(),
            range: Some("bytes=0-1".to_string()),
            keep_alive: true,
            length: text.len() - "GET /next".len(),
        }
    );
    assert!(parsed("HEAD / HTTP/1.0\r\n\r\n").head_only);
    // Empty lines before it, from old clients; the host in front, from clients of a proxy.
    assert_eq!(parsed("\r\n\r\nGET /a HTTP/1.0\r\n\r\n").length, 23);
    assert_eq!(parsed("GET http://here:80/a/b?c HTTP/1.0\r\n\r\n").path, "/a/b");
    assert_eq!(parsed("GET http://here HTTP/1.0\r\n\r\n").raw_path, "/");
    assert_eq!(parsed("GET /\u{fc} HTTP/1.0\r\n\r\n").path, "/\u{fc}");
    assert_eq!(parsed("GET /%C3%bC%2e HTTP/1.0\r\n\r\n").path, "/\u{fc}.");
}

#[test]
fn a_connection_is_kept_alive_as_the_version_and_the_client_will_have_it() {
    for (version, connection, keep_alive) in [
        ("HTTP/1.1", "", true),
        ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: Upgrade,  CLOSE\r\n", false),
        ("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
    ] {
        let text = format!("GET / {version}\r\nHost: here\r\n{connection}\r\n");
        assert_eq!(parsed(&text).keep_alive, keep_alive, "{text:?}");
    }
}

#[test]
fn a_range_with_a_condition_or_of_a_head_is_not_one() {
    let range = |method, more| {
        parsed(&format!("{method} / HTTP/1.0\r\nRange: bytes=1-2\r\n{more}\r\n")).range
    };
    assert_eq!(range("GET", ""), Some("bytes=1-2".to_string()));
    assert_eq!(range("GET", "If-Range: \"x\"\r\n"), None);
    assert_eq!(range("HEAD", ""), None);
    // Said twice it is a list, and a list is not served.
    let list = range("GET", "Range: bytes=4-5\r\n").unwrap();
    assert_eq!(select(&list, 10), Selected::Whole);
}

#[test]
fn what_is_wrong_in_the_first_line_has_its_status() {
    for (line, status) in [
        ("GET /", 400),
        ("GET / HTTP/1.1 ", 400),
        ("GET  / HTTP/1.1", 400),
        (" GET / HTTP/1.1", 400),
        ("GET\t/ HTTP/1.1", 400),
        ("GET /\t HTTP/1.1", 400),
        ("GET / http/1.1", 400),
        ("GET / HTTP/1.10", 400),
        ("GET / HTTP/1.", 400),
        ("GET  HTTP/1.1", 400),
        ("GET a HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("GET ?/a HTTP/1.1", 400),
        ("GET https://here/ HTTP/1.1", 400),
        ("GET /% HTTP/1.1", 400),
        ("GET /%4 HTTP/1.1", 400),
        ("GET /%+1 HTTP/1.1", 400),
        ("GET /%zz HTTP/1.1", 400),
        ("GET /%ff HTTP/1.1", 400),
        ("GET /\0 HTTP/1.1", 400),
        ("GET /\u{7f} HTTP/1.1", 400),
        ("G\u{e9}T / HTTP/1.1", 400),
        ("G@T / HTTP/1.1", 400),
        ("get / HTTP/1.1", 501),
        ("BREW / HTTP/1.1", 501),
        ("POST / HTTP/1.1", 405),
        ("OPTIONS * HTTP/1.1", 405),
        ("CONNECT here:80 HTTP/1.1", 405),
        ("GET / HTTP/0.9", 505),
        ("GET / HTTP/1.2", 505),
        ("PRI * HTTP/2.0", 505),
    ] {
        assert_eq!(refused(&format!("{line}\r\nHost: here\r\n\r\n")), status, "{line:?}");
    }
    assert_eq!(parse(b"GET /\xff HTTP/1.1\r\n"), Err(Refusal(400)));
}

#[test]
fn what_is_wrong_in_the_headers_has_its_status() {
    for (lines, status) in [
        ("X: no host", 400),
        ("Host: a\r\nHost: a", 400),
        ("Host: a b", 400),
        ("Host: a/b", 400),
        ("Host : a", 400),
        ("Host\t: a", 400),
        (" Host: a", 400),
        ("Host: a\r\n folded", 400),
        ("Host: a\r\n\tfolded: yes", 400),
        ("Host: a\r\n: nameless", 400),
        ("Host: a\r\nno colon", 400),
        ("Host: a\r\nX: bare\rCR", 400),
        ("Host: a\r\nX: CR\r", 400),
        ("Host: a\nX: bare LF", 400),
        ("Host: a\r\nX: \0", 400),
        ("Host: a\r\nX\u{e9}: y", 400),
        // Where does the body end? Who asks that twice may get two answers.
        ("Host: a\r\nContent-Length: 1\r\nContent-Length: 1", 400),
        ("Host: a\r\nContent-Length: 1\r\ncontent-length: 2", 400),
        ("Host: a\r\nContent-Length: 1, 1", 400),
        ("Host: a\r\nContent-Length: +1", 400),
        ("Host: a\r\nContent-Length: -1", 400),
        ("Host: a\r\nContent-Length: 0x1", 400),
        ("Host: a\r\nContent-Length:", 400),
        ("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1", 400),
        ("Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: identity", 400),
        ("Host: a\r\nTransfer-Encoding: chunked", 501),
        ("Host: a\r\nContent-Length: 65537", 413),
        ("Host: a\r\nContent-Length: 99999999999999999999999", 413),
        ("Host: a\r\nExpect: 100-continue", 417),
    ] {
        assert_eq!(refused(&with_headers(lines)), status, "{lines:?}");
    }
    assert_eq!(refused("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    // HTTP/1.0 does not know what one may expect.
    assert!(parse(b"GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").is_ok());
    assert_eq!(parsed(&with_headers("Host: a\r\nContent-Length: 65536")).length, 65536 + 51);
}

#[test]
fn a_head_may_be_so_long_and_no_longer() {
    let of_length = |length: usize| {
        let empty = with_headers("Host: a\r\nX: ");
        let x = "x".repeat(length - empty.len());
        with_headers(&format!("Host: a\r\nX: {x}"))
    };
    assert_eq!(parsed(&of_length(MAX_HEAD)).length, MAX_HEAD);
    assert_eq!(refused(&of_length(MAX_HEAD + 1)), 431);
    assert_eq!(refused(&with_headers(&"X: y\r\n".repeat(2_000))), 431);
    let host = "Host: a\r\n";
    assert!(
        parse(with_headers(&(host.to_string() + &["X: y"; 99].join("\r\n"))).as_bytes()).is_ok()
    );
    assert_eq!(refused(&with_headers(&(host.to_string() + &["X: y"; 100].join("\r\n")))), 431);
    assert_eq!(refused(&format!("GET /{}", "x".repeat(MAX_HEAD))), 414);
    assert_eq!(refused(&"\r\n".repeat(MAX_HEAD)), 414);
    // What comes too late to be read does not matter.
    assert_eq!(refused(&format!("GET /{}\0", "x".repeat(MAX_HEAD))), 414);
}

const WHOLE: &str = "\r\nGET /a%20b?c HTTP/1.1\r\nHost: here\r\nRange: bytes=0-1\r\n\
                     Connection: close\r\nContent-Length: 0\r\n\r\n";

/// What the parser says when the bytes come one by one.
fn parse_bit_by_bit(bytes: &[u8]) -> Result<Option<Request>, Refusal> {
    let answers = (0..=bytes.len()).map(|end| parse(&bytes[..end]));
    answers.into_iter().find(|answer| *answer != Ok(None)).unwrap_or(Ok(None))
}

#[test]
fn a_request_that_is_cut_off_anywhere_is_waited_for() {
    for end in 0..WHOLE.len() {
        assert_eq!(parse(&WHOLE.as_bytes()[..end]), Ok(None), "{end}");
    }
    assert!(matches!(parse(WHOLE.as_bytes()), Ok(Some(_))));
}

/// A request in which something is wrong, most often.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"\r",
        b"\n",
        b"\r\n",
        b" ",
        b"\t",
        b":",
        b"\0",
        b"%",
        b"%00",
        b"/../",
        b"\\",
        b"\xff",
        b"HTTP/1.0",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"HEAD /",
        b"Host: x\r\n",
        b"\r\n\r\n",
        b"99999999999999999999",
        b",",
    ];
    let change = (any::<prop::sample::Index>(), 0..20_usize, prop::sample::select(pieces));
    prop::collection::vec(change, 0..4).prop_map(|changes| {
        let mut bytes = WHOLE.as_bytes().to_vec();
        for (at, removed, piece) in changes {
            let start = at.index(bytes.len());
            let end = (start + removed).min(bytes.len());
            bytes.splice(start..end, piece.iter().copied());
        }
        bytes
    })
}

proptest! {
    #[test]
    fn the_answer_does_not_depend_on_how_the_bytes_were_cut(bytes in mutated()) {
        prop_assert_eq!(parse_bit_by_bit(&bytes), parse(&bytes));
    }

    #[test]
    fn no_bytes_are_too_strange(bytes: Vec<u8>) {
        prop_assert_eq!(parse_bit_by_bit(&bytes), parse(&bytes));
    }

    #[test]
    fn a_request_that_is_taken_ends_where_everybody_thinks(bytes in mutated()) {
        if let Ok(Some(request)) = parse(&bytes) {
            let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
            let text = text.trim_start_matches("\r\n");
            let (head, _) = text.split_once("\r\n\r\n").expect("an empty line");
            prop_assert_eq!(head.matches(['\r', '\n']).count(), head.matches("\r\n").count() * 2);
            prop_assert!(head.matches("\nContent-Length:").count() < 2);
            prop_assert!(!head.contains("\nTransfer-Encoding:"), "{}", head);
            prop_assert!(request.length >= head.chars().count() + 4);
            prop_assert_eq!(request.head_only, is_head(&bytes));
        }
    }

    #[test]
    fn every_name_can_be_written_in_percent_signs(name: String) {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let request = parsed(&format!("GET /{encoded} HTTP/1.0\r\n\r\n"));
        prop_assert_eq!(request.path, format!("/{name}"));
        prop_assert_eq!(request.raw_path, format!("/{encoded}"));
    }

    #[test]
    fn a_selected_part_is_what_was_asked_for(first: u64, last: u64, length: u64) {
        let selected = select(&format!("bytes={first}-{last}"), length);
        prop_assert_eq!(selected, match () {
            () if first > last => Selected::Whole,
            () if first >= length => Selected::Outside,
            () => Selected::Part(first..last.min(length - 1) + 1),
        });
    }

    #[test]
    fn no_range_is_too_strange(range in "(bytes)?=?[0-9 ,-]*", length: u64) {
        if let Selected::Part(part) = select(&range, length) {
            prop_assert!(part.start < part.end && part.end <= length);
        }
    }
}

#[test]
fn a_range_that_cannot_be_understood_is_not_said() {
    use Selected::{Outside, Part, Whole};
    for (range, selected) in [
        ("bytes=0-0", Part(0..1)),
        ("Bytes=2-", Part(2..10)),
        ("bytes=-3", Part(7..10)),
        ("bytes=-30", Part(0..10)),
        ("bytes=9-99999999999999999999999", Part(9..10)),
        ("bytes=10-", Outside),
        ("bytes=99999999999999999999999-", Outside),
        ("bytes=-0", Outside),
        ("bytes=3-2", Whole),
        ("bytes=-", Whole),
        ("bytes=", Whole),
        ("bytes", Whole),
        ("bytes=a-b", Whole),
        ("bytes=+1-2", Whole),
        ("bytes=0-1,3-4", Whole),
        ("lines=0-1", Whole),
        ("", Whole),
    ] {
        assert_eq!(select(range, 10), selected, "{range:?}");
    }
    assert_eq!(select("bytes=0-", 0), Outside);
    assert_eq!(select("bytes=-1", 0), Outside);
}

// Answers, from the program.

#[test]
fn a_file_is_sent_as_it_is_and_says_what_it_is() {
    watched(|| {
        let server = Server::start("files", &[]);
        for (path, media_type, body) in [
            ("/a.txt", "text/plain; charset=utf-8", "the letter a\n"),
            ("/a.txt?b=c/../d", "text/plain; charset=utf-8", "the letter a\n"),
            ("/%61%2Etxt", "text/plain; charset=utf-8", "the letter a\n"),
            ("/sp%20ace/%C3%BC.html", "text/html; charset=utf-8", "<p>\u{fc}"),
            ("/sp%20ace/\u{fc}.html", "text/html; charset=utf-8", "<p>\u{fc}"),
            ("/empty.bin", "application/octet-stream", ""),
            ("/with/", "text/html; charset=utf-8", "<h1>index"),
            ("/inner-link", "text/plain; charset=utf-8", "the letter a\n"),
        ] {
            let answer = server.get(path);
            assert_eq!(answer.status, "HTTP/1.1 200 OK", "{path}");
            assert_eq!(answer.header("Content-Type"), Some(media_type), "{path}");
            assert_eq!(answer.header("Content-Length"), Some(&*body.len().to_string()), "{path}");
            assert_eq!(answer.text(), body, "{path}");
        }
        server.end();
    });
}

#[test]
fn the_answer_to_head_is_that_to_get_without_its_body() {
    watched(|| {
        let server = Server::start("head", &[]);
        for target in ["/a.txt", "/with/", "/with", "/sp%20ace/", "/nothing", "/%"] {
            let get = server.ask(format!("GET {target} HTTP/1.0\r\n\r\n"));
            let head = server.ask(format!("HEAD {target} HTTP/1.0\r\n\r\n"));
            let (get_head, body) = get.split_once("\r\n\r\n").unwrap();
            assert!(!body.is_empty());
            assert_eq!(head, format!("{get_head}\r\n\r\n"), "{target}");
        }
        // On one connection, what follows a HEAD is the next answer.
        let both = "HEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /a.txt HTTP/1.0\r\n\r\n";
        assert_eq!(server.ask(both).matches("the letter a").count(), 1);
        server.end();
    });
}

#[test]
fn a_part_of_a_file() {
    watched(|| {
        let server = Server::start("ranges", &[]);
        let mut client = server.connect();
        for (range, status, content_range, body) in [
            ("bytes=0-2", "206 Partial Content", Some("bytes 0-2/13"), "the"),
            ("bytes=4-", "206 Partial Content", Some("bytes 4-12/13"), "letter a\n"),
            ("bytes=-2", "206 Partial Content", Some("bytes 11-12/13"), "a\n"),
            ("bytes=13-", "416 Range Not Satisfiable", Some("bytes */13"), ""),
            ("bytes=2-1", "200 OK", None, "the letter a\n"),
        ] {
            client.send(format!("GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: {range}\r\n\r\n"));
            let answer = client.answer();
            assert_eq!(answer.status, format!("HTTP/1.1 {status}"), "{range}");
            assert_eq!(answer.header("Content-Range"), content_range, "{range}");
            assert!(body.is_empty() || answer.text() == body, "{range}: {}", answer.text());
        }
        server.end();
    });
}

#[test]
fn a_directory_is_its_index_or_a_page_of_links() {
    watched(|| {
        let server = Server::start("directories", &[]);
        let moved = server.get("/sp%20ace?x");
        assert_eq!(moved.status, "HTTP/1.1 301 Moved Permanently");
        assert_eq!(moved.header("Location"), Some("/sp%20ace/"));
        let page = server.get("/").text();
        for link in [
            "<a href=\"./a.txt\">a.txt</a>",
            "<a href=\"./sp%20ace/\">sp ace/</a>",
            "<a href=\"./%3Cb%3E%22%26.txt\">&lt;b>\"&amp;.txt</a>",
        ] {
            assert!(page.contains(link), "{page}");
        }
        assert!(!page.contains("secret") && !page.contains(".git"), "{page}");
        // Its index is a link to itself, and so is none.
        assert_eq!(server.get("/sp%20ace/").status, OK);
        server.end();
    });
}

#[test]
fn nobody_gets_out_of_the_directory() {
    watched(|| {
        let server = Server::start("traversal", &[]);
        let outside = server.folder.outside();
        let absolute = format!("/{}", outside.display());
        for path in [
            "/../outside.txt",
            "/with/../../outside.txt",
            "/with/../a.txt",
            "/%2e%2e/outside.txt",
            "/%2E./outside.txt",
            "/..%2foutside.txt",
            "/with%2f..%2f..%2foutside.txt",
            "/%252e%252e/outside.txt",
            "/..\\outside.txt",
            "/..%5coutside.txt",
            "/back%5cslash.txt",
            "/back\\slash.txt",
            "/./a.txt",
            "//a.txt",
            "/with//index.html",
            "//",
            "/a.txt/",
            "/a.txt/b",
            "/a.txt%00.html",
            "/.git/config",
            "/out-link",
            "/out-folder/outside.txt",
            "/out-folder/",
            "/dead-link",
            "/circle",
            "/circle/",
            "/circle/a.txt",
            "/to-out/",
            "/pipe",
            &absolute,
            &format!("/{}", "x".repeat(4000)),
        ] {
            let answer = server.get(path);
            let listed = path == "/to-out/";
            assert_eq!(answer.status, if listed { "HTTP/1.1 200 OK" } else { NOT_FOUND }, "{path}");
            assert!(!answer.text().contains("secret"), "{path}");
        }
        server.end();
    });
}

#[test]
fn a_file_that_may_not_be_read_is_forbidden() {
    use std::os::unix::fs::PermissionsExt;
    watched(|| {
        let server = Server::start("forbidden", &[]);
        let path = server.folder.root().join("mode.txt");
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        if File::open(&path).is_ok() {
            eprintln!("skipped: nothing is forbidden to this user");
            return;
        }
        assert_eq!(server.get("/mode.txt").status, "HTTP/1.1 403 Forbidden");
        server.end();
    });
}

#[test]
fn requests_behind_one_another_are_answered_in_order() {
    watched(|| {
        let server = Server::start("pipelining", &[]);
        let mut all = String::new();
        for n in 0..200 {
            let path = if n % 3 == 0 { "/a.txt" } else { "/big.bin" };
            let range = format!("Range: bytes={}-{}", n % 10, n % 10);
            all += &format!("GET {path}?{n} HTTP/1.1\r\nHost: a\r\n{range}\r\n\r\n");
        }
        // A body in between is thrown away.
        all += "GET /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /";
        all += "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        all += "GET /after HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut client = server.connect();
        client.send(&all);
        for n in 0..200 {
            let answer = client.answer();
            assert_eq!(answer.header("Connection"), Some("keep-alive"));
            let length = if n % 3 == 0 { 13 } else { BIG };
            let range = format!("bytes {0}-{0}/{length}", n % 10);
            assert_eq!(answer.header("Content-Range"), Some(&*range));
        }
        assert_eq!(client.answer().status, NOT_FOUND);
        let last = client.answer();
        assert_eq!((last.header("Connection"), &*last.text()), (Some("close"), "the letter a\n"));
        assert_eq!(client.rest(), b"");
        drop(client);
        server.end();
    });
}

#[test]
fn a_refused_request_is_the_last_one_and_its_answer_arrives() {
    watched(|| {
        let server = Server::start("refused", &[]);
        for (bad, status) in [
            ("GARBAGE\r\n", "400 Bad Request"),
            ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request"),
            ("POST / HTTP/1.1\r\n", "405 Method Not Allowed"),
            ("BREW / HTTP/1.1\r\n", "501 Not Implemented"),
            ("GET / HTTP/3.0\r\n", "505 HTTP Version Not Supported"),
            ("GET / HTTP/1.0\r\nContent-Length: 70000\r\n\r\n", "413 Content Too Large"),
            ("GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", "417 Expectation Failed"),
        ] {
            // There is more behind it than the server has read when it refuses.
            let more = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000);
            let answer = server.ask(format!("{bad}{more}"));
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
            assert!(answer.contains("Connection: close\r\n"), "{answer}");
            assert_eq!(answer.contains("Allow: GET, HEAD\r\n"), status.starts_with("405"));
            assert!(answer.ends_with(&format!("\r\n\r\n{status}\n")), "{answer}");
        }
        for (long, status) in [
            (format!("GET /{}", "x".repeat(100_000)), "414 URI Too Long"),
            (with_headers(&"X: y\r\n".repeat(20_000)), "431 Request Header Fields Too Large"),
        ] {
            assert!(server.ask(&long).starts_with(&format!("HTTP/1.1 {status}\r\n")));
        }
        server.end();
    });
}

#[test]
fn a_client_that_sends_on_when_it_is_refused_is_listened_to() {
    watched(|| {
        let server = Server::start("upload", &[]);
        // More than fits into the buffers: if nobody read it, sending it would fail.
        let body = "x".repeat(BIG);
        let answer = server.ask(format!("PUT /a.txt HTTP/1.1\r\n\r\n{body}"));
        assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{answer}");
        assert_eq!(server.get("/a.txt").status, OK);
        server.end();
    });
}

#[test]
fn a_request_in_two_pieces_is_answered_like_one_in_one() {
    watched(|| {
        let server = Server::start("pieces", &[]);
        let text = "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\
                    Connection: close\r\n\r\nxy";
        let whole = server.ask(text);
        assert!(whole.ends_with("\r\n\r\nthe letter a\n"));
        for at in 1..text.len() {
            let mut client = server.connect();
            client.send(&text[..at]);
            // Another client is served in the meantime: it is likely that the first piece was read.
            assert_eq!(server.get("/empty.bin").status, OK);
            client.send(&text[at..]);
            assert_eq!(client.rest(), whole.as_bytes(), "cut at {at}");
        }
        server.end();
    });
}

#[test]
fn a_client_that_says_no_more_is_answered_all_the_same() {
    watched(|| {
        let server = Server::start("halves", &[]);
        let text = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n";
        for end in 0..=text.len() {
            let mut client = server.connect();
            client.send(&text[..end]);
            client.stream.shutdown(Shutdown::Write).unwrap();
            let answer = String::from_utf8(client.rest()).unwrap();
            match end {
                0 => assert_eq!(answer, ""),
                _ if end < text.len() => assert!(answer.starts_with("HTTP/1.1 400 "), "{end}"),
                _ => assert!(answer.ends_with("\r\n\r\nthe letter a\n")),
            }
        }
        let twice = text.repeat(2);
        let answer = server.ask_and_close(twice);
        assert_eq!(answer.matches("the letter a\n").count(), 2);
        server.end();
    });
}

#[test]
fn no_bytes_disturb_the_next_client() {
    watched(|| {
        let server = Server::start("bytes", &[]);
        let strange = prop_oneof![mutated(), any::<Vec<u8>>()];
        proptest!(ProptestConfig::with_cases(200), |(bytes in strange)| {
            let answer = server.ask_and_close(bytes);
            prop_assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 "), "{}", answer);
        });
        assert_eq!(server.get("/a.txt").status, OK);
        server.end();
    });
}

#[test]
fn a_client_that_goes_away_disturbs_nobody() {
    watched(|| {
        let server = Server::start("gone", &[]);
        for _ in 0..20 {
            server.connect().send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
            server.connect().send("GET /");
            let mut client = server.connect();
            client.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
            client.stream.read_exact(&mut [0; 1000]).unwrap();
        }
        assert_eq!(server.get("/a.txt").status, OK);
        server.end();
    });
}

// Slow ones, and many.

#[test]
fn a_request_that_does_not_end_is_given_up() {
    watched(|| {
        let server = Server::start("loris", &["--request-ms", "200"]);
        let mut slow: Vec<_> = (0..20).map(|_| server.connect()).collect();
        for (client, text) in slow.iter_mut().zip(["G", "GET / HTTP/1.1\r\n"].iter().cycle()) {
            client.send(text);
        }
        let mut unfinished = server.connect();
        unfinished.send("GET /a.txt HTTP/1.0\r\nContent-Length: 9\r\n\r\n12345");
        let mut head = server.connect();
        head.send("HEAD / HTTP/1.1\r\nHost: a\r\n");
        // It is not held up by them; and there is no such limit for a request that comes at once.
        assert_eq!(server.get("/a.txt").status, OK);
        // A line now and then does not help.
        let mut drops = server.connect();
        let mut answer = [0; 12];
        drops.stream.set_nonblocking(true).unwrap();
        while drops.stream.peek(&mut answer).is_err() {
            let _ = drops.stream.write(b"\r\n");
            std::thread::yield_now();
        }
        for mut client in slow.into_iter().chain([unfinished]) {
            let answer = String::from_utf8(client.rest()).unwrap();
            assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
            assert!(answer.contains("Connection: close\r\n"), "{answer}");
        }
        assert!(head.rest().ends_with(b"\r\n\r\n"));
        drop((head, drops));
        assert_eq!(server.get("/a.txt").status, OK);
        server.end();
    });
}

#[test]
fn a_connection_on_which_nothing_is_asked_is_closed_without_a_word() {
    watched(|| {
        let server = Server::start("idle", &["--idle-ms", "1000"]);
        let mut never = server.connect();
        let mut once = server.connect();
        once.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(once.answer().status, OK);
        assert_eq!(once.rest(), b"");
        assert_eq!(never.rest(), b"");
        server.end();
    });
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    watched(|| {
        let server = Server::start("reader", &[]);
        let mut slow: Vec<_> = (0..10).map(|_| server.connect()).collect();
        for client in &mut slow {
            client.send("GET /big.bin HTTP/1.0\r\n\r\n");
        }
        assert_eq!(server.get("/a.txt").status, OK);
        assert!(slow[9].rest().len() > BIG);
        drop(slow);
        server.end();
    });
}

#[test]
fn a_client_that_does_not_read_is_given_up() {
    watched(|| {
        let server = Server::start("given-up", &["--write-ms", "200", "--connections", "1"]);
        let mut slow = server.connect();
        slow.send("GET /big.bin HTTP/1.0\r\n\r\n");
        // It has the only permit; so this is served when it has been given up.
        assert_eq!(server.get("/a.txt").status, OK);
        assert!(slow.all_that_came() < BIG, "the rest was not sent");
        server.end();
    });
}

#[test]
fn more_clients_than_permits_are_served_one_after_the_other() {
    watched(|| {
        let server = Server::start("many", &["--connections", "4"]);
        let mut clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.send("GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        }
        for mut client in clients {
            assert!(client.rest().ends_with(b"\r\n\r\nthe letter a\n"));
        }
        server.end();
    });
}

#[test]
fn one_permit_is_one_connection() {
    watched(|| {
        let server = Server::start("permit", &["--connections", "1"]);
        let mut first = server.connect();
        first.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(first.answer().status, OK);
        let mut second = server.connect();
        second.send("GET /sp%20ace/ HTTP/1.1\r\nHost: a\r\n\r\n");
        // As long as the first one stays, it is the only one that is answered.
        for _ in 0..100 {
            first.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_eq!(first.answer().status, OK);
        }
        second.stream.set_nonblocking(true).unwrap();
        assert!(second.stream.peek(&mut [0]).is_err(), "it has no permit");
        second.stream.set_nonblocking(false).unwrap();
        drop(first);
        assert_eq!(second.answer().status, OK);
        server.end();
    });
}

#[test]
fn a_server_that_may_open_no_more_files_waits_until_it_may() {
    watched(|| {
        let server = Server::start_by("ulimit -n 24; exec \"$@\"", "descriptors", &[]);
        assert_eq!(server.get("/a.txt").status, OK);
        let mut crowd: Vec<_> = (0..60).map(|_| server.connect()).collect();
        // Those who got in take all descriptors. For a file there is none.
        crowd[0].send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        let status = crowd[0].answer().status;
        assert!(status == OK || status == "HTTP/1.1 500 Internal Server Error", "{status}");
        drop(crowd);
        assert_eq!(server.get("/a.txt").status, OK);
        server.end();
    });
}

#[test]
fn a_file_that_becomes_shorter_meanwhile_closes_the_connection() {
    watched(|| {
        let server = Server::start("shrinks", &[]);
        let mut client = server.connect();
        client.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
        let mut status = [0; 15];
        client.stream.read_exact(&mut status).unwrap();
        assert_eq!(status, OK.as_bytes());
        let file = File::options().write(true).open(server.folder.root().join("big.bin"));
        file.unwrap().set_len(1_000_000).unwrap();
        assert!(client.all_that_came() < BIG);
        assert_eq!(server.get("/big.bin").body.len(), 1_000_000);
        server.end();
    });
}

// The end.

#[test]
fn when_the_server_ends_what_has_been_asked_is_answered() {
    watched(|| {
        let mut server = Server::start("quit", &[]);
        let mut idle = server.connect();
        idle.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(idle.answer().status, OK);
        let mut halfway = server.connect();
        halfway.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n");
        let mut reading = server.connect();
        reading.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
        let head = reading.head();
        // All of them are known to the server, which takes them in order.
        assert_eq!(server.get("/a.txt").status, OK);

        writeln!(server.stdin.as_mut().unwrap(), "quit").unwrap();
        // This is how one knows that it has heard.
        assert_eq!(idle.rest(), b"");
        while TcpStream::connect(&server.address).is_ok() {}
        halfway.send("\r\n");
        let answer = halfway.answer();
        assert_eq!((answer.status.as_str(), answer.header("Connection")), (OK, Some("close")));
        assert_eq!(halfway.rest(), b"");
        assert!(head.iter().any(|line| line == &format!("Content-Length: {BIG}")), "{head:?}");
        assert_eq!(reading.rest().len(), BIG);
        // The server waits for them to hang up, too.
        drop((halfway, reading));
        server.end();
    });
}

// By the clients that everybody has.

fn curl(server: &Server, arguments: &[&str], paths: &[&str]) -> Option<Output> {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--path-as-is", "--noproxy", "*", "--max-time", "50"]).args(arguments);
    curl.args(paths.iter().map(|path| format!("http://{}{path}", server.address)));
    curl.output().inspect_err(|error| eprintln!("skipped: no curl: {error}")).ok()
}

#[test]
fn curl_gets_what_it_asks_for() {
    watched(|| {
        let server = Server::start("curl", &[]);
        let code = "%{http_code} %{num_connects} %{size_download}\n";
        for (arguments, paths, printed) in [
            (&[][..], &["/a.txt"][..], "the letter a\n".to_string()),
            (&["-w", code], &["/a.txt", "/a.txt"], {
                "the letter a\n200 1 13\nthe letter a\n200 0 13\n".to_string()
            }),
            (&["-0", "-w", code], &["/a.txt"], "the letter a\n200 1 13\n".to_string()),
            (&["-r", "4-9"], &["/a.txt"], "letter".to_string()),
            (&["-I", "-o", "/dev/null", "-w", code], &["/a.txt"], "200 1 0\n".to_string()),
            (&["-L", "-w", code], &["/with"], "<h1>index200 2 9\n".to_string()),
            (&["-w", code], &["/nothing"], "404 Not Found\n404 1 14\n".to_string()),
            (&["-w", code], &["/../outside.txt"], "404 Not Found\n404 1 14\n".to_string()),
            (&["-d", "x=y"], &["/a.txt"], "405 Method Not Allowed\n".to_string()),
            (&["-o", "/dev/null", "-w", code], &["/big.bin"], format!("200 1 {BIG}\n")),
            // A body with GET, longer than what is thrown away: refused, and asked for again.
            (&["-X", "GET", "-d", "@/dev/null"], &["/a.txt"], "the letter a\n".to_string()),
        ] {
            let Some(output) = curl(&server, arguments, paths) else {
                return;
            };
            // Redirected on the same connection, curl counts none for the second request.
            let printed = printed.replace("200 2 9", "200 1 9");
            assert_eq!(String::from_utf8_lossy(&output.stdout), printed, "{arguments:?}");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        }
        server.end();
    });
}

// Arguments.

#[test]
fn wrong_arguments_are_one_line_and_exit_code_2() {
    for (arguments, complaint) in [
        (&["--nonsense"][..], "unknown argument \"--nonsense\""),
        (&["serve", "--nonsense"], "unknown argument \"--nonsense\""),
        (&["serve", "127.0.0.1:0", ".", "three"], "unknown argument \"three\""),
        (&["serve", "127.0.0.1:0", "not/there"], "\"not/there\" is no directory"),
        (&["serve", "127.0.0.1:0", "Cargo.toml"], "\"Cargo.toml\" is no directory"),
        (&["serve", "--connections"], "--connections needs a number, not \"\""),
        (&["serve", "--connections", "0"], "--connections needs a number, not \"0\""),
        (&["serve", "--idle-ms", "soon"], "--idle-ms needs a number, not \"soon\""),
    ] {
        let output = program().args(arguments).stdin(Stdio::null()).output().unwrap();
        let complaint = format!("63_http_files: {complaint} (see --help)\n");
        assert_eq!(String::from_utf8_lossy(&output.stderr), complaint);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
    }
    let help = program().arg("--help").output().unwrap();
    assert!(help.stdout.starts_with(b"Serves the files") && help.status.success());
}

#[test]
fn an_address_that_is_taken_is_a_failure() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = program().args(["serve", &address]).stdin(Stdio::null()).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let beginning = format!("63_http_files: cannot listen at {address}: ");
    assert!(complaint.starts_with(&beginning) && complaint.lines().count() == 1, "{complaint}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_end_of_stdin_is_the_end() {
    let output = program().args(["serve", "127.0.0.1:0"]).stdin(Stdio::null()).output().unwrap();
    assert!(output.stdout.ends_with(b"all is answered\n") && output.status.success());
}

// The tests' vocabulary.

const OK: &str = "HTTP/1.1 200 OK";
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found";
/// More than fits into the buffers of a connection.
const BIG: usize = 40_000_000;

/// This test is `target/debug/deps/http-…`; an example is `target/debug/examples/…`.
fn program() -> Command {
    let test = env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("a folder above `deps`");
    let program = profile.join("examples/63_http_files");
    assert!(program.exists(), "{program:?} is not there: run `cargo build --examples` first");
    let mut command = Command::new(program);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// A server in a process of its own, which is killed when this is dropped.
struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    address: String,
    folder: Folder,
}

impl Server {
    fn start(name: &str, options: &[&str]) -> Server {
        Server::start_by("exec \"$@\"", name, options)
    }

    /// Started by a line of shell, which may say something first.
    fn start_by(shell: &str, name: &str, options: &[&str]) -> Server {
        let folder = Folder::new(name);
        let program = program();
        let mut command = Command::new("sh");
        command.args(["-c", shell, "sh"]).arg(program.get_program()).arg("serve");
        command.args(options).arg("127.0.0.1:0").arg(folder.root());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.split('/').find(|part| part.starts_with("127.")).expect("an address");
        Server {
            stdin: child.stdin.take(),
            address: address.to_string(),
            child,
            stdout,
            folder,
        }
    }

    fn connect(&self) -> Client {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream }
    }

    /// What a browser would do.
    fn get(&self, path: &str) -> Answer {
        let mut client = self.connect();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"));
        let answer = client.answer();
        assert_eq!(client.rest(), b"", "{path}: more than was announced");
        answer
    }

    /// All that comes until the server hangs up.
    fn ask(&self, requests: impl AsRef<[u8]>) -> String {
        let mut client = self.connect();
        client.send(requests);
        String::from_utf8_lossy(&client.rest()).into_owned()
    }

    fn ask_and_close(&self, requests: impl AsRef<[u8]>) -> String {
        let mut client = self.connect();
        client.send(requests);
        client.stream.shutdown(Shutdown::Write).unwrap();
        String::from_utf8_lossy(&client.rest()).into_owned()
    }

    /// Ends it, and makes sure that all was well.
    fn end(mut self) {
        drop(self.stdin.take());
        let mut last = String::new();
        self.stdout.read_to_string(&mut last).unwrap();
        let mut complaints = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
        assert_eq!(complaints, "");
        assert_eq!(last, "all is answered\n");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A test that fails shows what the server had to say.
        if let Some(stderr) = self.child.stderr.as_mut() {
            let mut complaints = String::new();
            let _ = stderr.read_to_string(&mut complaints);
            eprint!("{complaints}");
        }
    }
}

struct Client {
    stream: TcpStream,
}

impl Client {
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// The first line and the headers of the next answer.
    fn head(&mut self) -> Vec<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("a whole answer");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        head.trim_end().split("\r\n").map(str::to_string).collect()
    }

    fn answer(&mut self) -> Answer {
        let mut headers = self.head();
        let status = headers.remove(0);
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        let length = answer.header("Content-Length").expect("a length").parse().unwrap();
        answer.body.resize(length, 0);
        self.stream.read_exact(&mut answer.body).expect("as much as was announced");
        answer
    }

    /// What comes until the server hangs up, which must not look like an accident.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("an orderly end");
        rest
    }

    /// How much comes until the connection ends, in whatever way.
    fn all_that_came(&mut self) -> usize {
        let mut came = Vec::new();
        let _ = self.stream.read_to_end(&mut came);
        came.len()
    }
}

struct Answer {
    status: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter().filter_map(|header| header.split_once(": "));
        headers.find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What is served, and beside it what must not be. Removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("handspun-http-{}-{count}-{name}", std::process::id());
        let folder = Folder(env::temp_dir().join(name));
        let root = folder.root();
        for directory in ["sp ace", "with", ".git", "to-out"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        fs::create_dir_all(folder.0.join("beside")).unwrap();
        for (file, content) in [
            ("a.txt", "the letter a\n"),
            ("empty.bin", ""),
            ("<b>\"&.txt", "b"),
            ("back\\slash.txt", "secret"),
            ("sp ace/\u{fc}.html", "<p>\u{fc}"),
            ("with/index.html", "<h1>index"),
            (".git/config", "secret"),
            ("../outside.txt", "secret"),
            ("../beside/outside.txt", "secret"),
        ] {
            fs::write(root.join(file), content).unwrap();
        }
        for (link, target) in [
            ("inner-link", "a.txt"),
            ("out-link", "../outside.txt"),
            ("out-folder", "../beside"),
            ("dead-link", "nothing"),
            ("circle", "circle"),
            ("sp ace/index.html", "index.html"),
            ("to-out/index.html", "../../outside.txt"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        File::create(root.join("big.bin")).unwrap().set_len(BIG as u64).unwrap();
        // Where there is no `mkfifo`, the name does not exist, which is the same answer.
        let _ = Command::new("mkfifo").arg(root.join("pipe")).status();
        folder
    }

    fn root(&self) -> PathBuf {
        self.0.join("root")
    }

    fn outside(&self) -> PathBuf {
        Path::new(&self.0).join("outside.txt")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
