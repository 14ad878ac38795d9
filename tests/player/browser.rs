//! A real browser, headless, with real keys and a real mouse.
//!
//! A player that is only called by its functions has not been tested: whether a key arrives, a
//! button can be hit and a text be read is known by the browser alone. So the tests drive Chromium
//! by its DevTools protocol, with which it is usually driven too, only by larger libraries.
//!
//! ```text
//!   test ── Page ──► {"id":7,"method":"Input.dispatchKeyEvent",…}\0 ──► stdin ──► 3 ┐
//!                                                                                   Chromium
//!        ◄── a thread reads ◄── {"id":7,"result":{}}\0 ◄── stdout ◄──────────────── 4 ┘
//! ```
//!
//! The protocol is JSON: commands with a number, answers with the same number, and events between
//! them. With `--remote-debugging-pipe` Chromium speaks it over two pipes, its descriptors 3 and 4,
//! and a zero ends each message. (The other way is a WebSocket: a handshake, frames, masks.) A
//! shell makes our end of a child's stdin and stdout those two.
//!
//! *Nothing Is Left Behind*: when the pipe is closed, Chromium ends. It is closed when the test
//! process ends, in whichever way, also by a signal. Then the shell, which has waited for that,
//! removes the folder that the browser lived in.
//!
//! *Nothing Hangs*: each command has a time limit. A browser that exceeds it is given up, and the
//! next test starts another.
//!
//! There is one browser, and the tests take turns: each has a window of its own, as of another user
//! (what one page stores, none other sees), and times that are measured are not each other's.
//!
//! Which Chromium: `HANDSPUN_CHROMIUM` in the environment, or the first that is found on the
//! `PATH`. Where there is none, the tests say so and pass, unless `HANDSPUN_NEEDS_BROWSER` is set.
//! It needs a `sh`, so on Windows there is none.

use crate::json::{Json, quote};
use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// Many times what the slowest command needs on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// No sandbox: it cannot be had in every container, and the only page is our own. The rest keeps
/// the browser from things that it does besides.
const FLAGS: [&str; 12] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-dev-shm-usage",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
];

/// Gives a program the pipes, waits for its end, and cleans up. Ctrl-C ends the others, not it.
/// What the program has said is shown if it fails.
const SHELL: &str = r#"
    trap "" INT HUP
    folder=$1 log=$2; shift 2
    (trap - INT HUP; exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>"$log") || cat "$log" >&2
    rm -rf "$folder"
"#;

/// Two: one page is drawn while the other is asked. A test has one page at a time.
static BROWSERS: [Mutex<Option<Browser>>; 2] = [const { Mutex::new(None) }; 2];

struct Browser {
    commands: ChildStdin,
    messages: Receiver<Json>,
    last_command: u64,
    /// Its own, and the pages'.
    folder: PathBuf,
}

/// A window, with one page in it.
///
/// When it is dropped, it is closed; and a page that has complained meanwhile fails its test.
pub struct Page {
    browser: MutexGuard<'static, Option<Browser>>,
    /// The profile that only this page has.
    context: String,
    /// By which the browser knows that a message is for, or of, this page.
    session: String,
    file: PathBuf,
    /// What the browser told of it, besides answers.
    events: Vec<Json>,
}

/// A window of this size, in CSS pixels, is what a page gets first.
const SIZE: (u32, u32) = (1280, 800);

// Starting it.

/// The program that is to be started.
fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os("HANDSPUN_CHROMIUM") {
        return Some(named.into());
    }
    let path = env::var_os("PATH").filter(|_| cfg!(unix))?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let candidates = NAMES.iter().flat_map(|name| folders.iter().map(move |dir| dir.join(name)));
    { candidates }.find(|candidate| candidate.is_file())
}

impl Browser {
    fn start(program: &Path) -> Browser {
        let folder = env::temp_dir().join(format!("handspun-player-{}", unique()));
        fs::create_dir_all(&folder).expect("a folder in the temporary one");
        let mut shell = Command::new("sh")
            .args(["-c", SHELL, "sh"])
            .arg(&folder)
            .arg(folder.join("log"))
            .arg(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let commands = shell.stdin.take().expect("it is piped");
        let answers = BufReader::new(shell.stdout.take().expect("it is piped"));
        let (sender, messages) = channel();
        thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let message = String::from_utf8_lossy(&message);
                if sender.send(Json::read(&message)).is_err() {
                    break;
                }
            }
            let _ = shell.wait();
        });
        Browser {
            commands,
            messages,
            last_command: 0,
            folder,
        }
    }

    /// Sends a command, and gives its number.
    fn send(&mut self, session: &str, method: &str, parameters: &str) -> io::Result<u64> {
        self.last_command += 1;
        let id = self.last_command;
        let session = match session {
            "" => String::new(),
            session => format!(r#","sessionId":"{session}""#),
        };
        let command =
            format!(r#"{{"id":{id},"method":"{method}","params":{parameters}{session}}}"#);
        self.commands.write_all(command.as_bytes())?;
        self.commands.write_all(b"\0")?;
        self.commands.flush()?;
        Ok(id)
    }
}

/// One that no page has; if there is none, the first one when it is free again.
fn free_browser() -> MutexGuard<'static, Option<Browser>> {
    let free = BROWSERS.iter().find_map(|browser| match browser.try_lock() {
        Ok(browser) => Some(browser),
        Err(TryLockError::Poisoned(browser)) => Some(browser.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    });
    free.unwrap_or_else(|| BROWSERS[0].lock().unwrap_or_else(PoisonError::into_inner))
}

/// A number that no other process or browser here has.
fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", process::id(), LAST.fetch_add(1, Ordering::Relaxed))
}

// A page.

impl Page {
    /// Writes the page into a file, and opens it, as one would by a double click.
    ///
    /// `None` where there is no browser, which has been said then: the test cannot be made here.
    pub fn open(html: &str) -> Option<Page> {
        let mut page = Page::blank()?;
        page.load(html);
        Some(page)
    }

    /// A window with nothing in it yet.
    pub fn blank() -> Option<Page> {
        let mut browser = free_browser();
        if browser.is_none() {
            let Some(program) = find() else {
                assert!(
                    env::var_os("HANDSPUN_NEEDS_BROWSER").is_none(),
                    "there is no Chromium, and HANDSPUN_NEEDS_BROWSER is set"
                );
                let test = thread::current().name().unwrap_or("a test").to_string();
                // Not `eprintln!`: what a test prints is kept, and thrown away if it passes.
                let _ = writeln!(
                    io::stderr(),
                    "{test}: skipped, for it needs Chromium: `apt install chromium`, or name one \
                     in HANDSPUN_CHROMIUM"
                );
                return None;
            };
            *browser = Some(Browser::start(&program));
        }
        let folder = browser.as_ref().map(|browser| browser.folder.clone()).unwrap_or_default();
        let mut page = Page {
            browser,
            context: String::new(),
            session: String::new(),
            file: folder.join(format!("{}.html", unique())),
            events: Vec::new(),
        };
        page.context = page.id_from("Target.createBrowserContext", "{}", "browserContextId");
        let (width, height) = SIZE;
        let window = format!(
            r#"{{"url":"about:blank","browserContextId":"{}","width":{width},"height":{height}}}"#,
            page.context
        );
        let target = page.id_from("Target.createTarget", &window, "targetId");
        let target = format!(r#"{{"targetId":"{target}","flatten":true}}"#);
        page.session = page.id_from("Target.attachToTarget", &target, "sessionId");
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.command(&format!("{domain}.enable"), "{}");
        }
        // Each page is to believe that it is the one that is looked at.
        page.command("Emulation.setFocusEmulationEnabled", r#"{"enabled":true}"#);
        page.resize(width, height);
        Some(page)
    }

    /// Opens a page, and waits until it is loaded and drawn.
    pub fn load(&mut self, html: &str) {
        fs::write(&self.file, html).expect("a file in the temporary folder");
        let url = format!("file://{}", self.file.display());
        let is_loaded = Json::Text("Page.loadEventFired".to_string());
        self.events.retain(|event| *event.get("method") != is_loaded);
        self.command("Page.navigate", &format!(r#"{{"url":{}}}"#, quote(&url)));
        self.wait_for_event("Page.loadEventFired");
        self.settle();
    }

    /// What has been asked for, from the network or the disk: the page itself, and what else?
    pub fn requests(&self) -> Vec<String> {
        let requests = self.events_of("Network.requestWillBeSent");
        requests.map(|request| request.get("request.url").text().to_string()).collect()
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.file.display())
    }

    /// What the page had to say: exceptions, warnings, messages.
    pub fn complaints(&self) -> Vec<String> {
        let exceptions = self
            .events_of("Runtime.exceptionThrown")
            .map(|event| format!("{:?}", event.get("exceptionDetails")));
        let calls = self
            .events_of("Runtime.consoleAPICalled")
            .map(|event| format!("{:?}", event.get("args")));
        let log = self.events_of("Log.entryAdded").map(|event| format!("{:?}", event.get("entry")));
        exceptions.chain(calls).chain(log).collect()
    }

    fn events_of(&self, method: &str) -> impl Iterator<Item = &Json> {
        let events = self.events.iter().filter(move |event| event.get("method").text() == method);
        events.map(|event| event.get("params"))
    }

    // Looking.

    /// The value of an expression, in the page. Of a promise: its value.
    ///
    /// # Panics
    /// If it throws.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Json {
        let parameters = format!(
            r#"{{"expression":{},"returnByValue":true,"awaitPromise":true}}"#,
            quote(expression)
        );
        let answer = self.command("Runtime.evaluate", &parameters);
        let thrown = answer.get("exceptionDetails");
        assert!(thrown.is_null(), "{expression}\nthrows {:?}", thrown.get("exception.description"));
        answer.get("result.value").clone()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn wait_until(&mut self, expression: &str) {
        let limit = Instant::now() + LONGEST;
        while self.eval(&format!("!!({expression})")) != Json::Bool(true) {
            assert!(Instant::now() < limit, "still not true: {expression}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until all that has been changed is drawn.
    pub fn settle(&mut self) {
        self.eval("new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)))");
    }

    /// Writes a picture of the window into a file.
    pub fn screenshot(&mut self, file: &Path) {
        self.settle();
        let answer = self.command("Page.captureScreenshot", r#"{"format":"png"}"#);
        let picture = from_base64(answer.get("data").text());
        fs::write(file, picture).expect("the picture can be written");
    }

    // Doing.

    /// Presses a key and lets go of it: a character, or a name as JavaScript has it, `"ArrowLeft"`.
    /// With `"Shift+"` before it, with that.
    pub fn press(&mut self, key: &str) {
        let key = Key::of(key);
        for kind in [key.down(), "keyUp"] {
            self.command("Input.dispatchKeyEvent", &key.event(kind));
        }
    }

    /// Types a text, key by key.
    pub fn type_text(&mut self, text: &str) {
        for char in text.chars() {
            self.press(&char.to_string());
        }
    }

    /// Clicks into the middle of an element, scrolled to if need be.
    ///
    /// # Panics
    /// If nobody who looks for the element with a mouse could hit it.
    #[track_caller]
    pub fn click(&mut self, selector: &str) {
        let (x, y) = self.point_in(selector, 0.5);
        self.mouse("mouseMoved", "none", x, y);
        self.mouse("mousePressed", "left", x, y);
        self.mouse("mouseReleased", "left", x, y);
    }

    /// Takes hold of an element at one part of its width, and lets go of it at another.
    #[track_caller]
    pub fn drag(&mut self, selector: &str, from: f64, to: f64) {
        let (x, y) = self.point_in(selector, from);
        self.mouse("mouseMoved", "none", x, y);
        self.mouse("mousePressed", "left", x, y);
        let (x, y) = self.point_in(selector, to);
        self.mouse("mouseMoved", "left", x, y);
        self.mouse("mouseReleased", "left", x, y);
    }

    /// Turns the mouse wheel towards oneself, with ctrl held: that is also what two fingers that
    /// come closer on a touchpad are told as.
    #[track_caller]
    pub fn turn_wheel(&mut self, selector: &str, pixels: f64) {
        let (x, y) = self.point_in(selector, 0.5);
        self.command(
            "Input.dispatchMouseEvent",
            &format!(
                r#"{{"type":"mouseWheel","x":{x},"y":{y},"deltaX":0,"deltaY":{pixels},
                "modifiers":2}}"#
            ),
        );
    }

    #[track_caller]
    fn point_in(&mut self, selector: &str, part: f64) -> (f64, f64) {
        let point = self.eval(&format!(
            "(() => {{
                const element = document.querySelector({});
                if (!element) return 'is not there';
                element.scrollIntoView({{ block: 'nearest', inline: 'nearest' }});
                const box = element.getBoundingClientRect();
                const [x, y] = [box.left + box.width * {part}, box.top + box.height / 2];
                const inside = Math.min(Math.max(x, box.left + 1), box.right - 1);
                const hit = document.elementFromPoint(inside, y);
                if (!hit || !element.contains(hit) && !hit.contains(element)) {{
                    return `is behind ${{hit && hit.outerHTML.slice(0, 200)}}`;
                }}
                return [inside, y];
            }})()",
            quote(selector)
        ));
        match &point {
            Json::List(point) => (point[0].number(), point[1].number()),
            why => panic!("{selector} {}", why.text()),
        }
    }

    fn mouse(&mut self, kind: &str, button: &str, x: f64, y: f64) {
        let held = u8::from(button == "left" && kind != "mouseReleased");
        self.command(
            "Input.dispatchMouseEvent",
            &format!(
                r#"{{"type":"{kind}","x":{x},"y":{y},"button":"{button}","buttons":{held},
                "clickCount":1}}"#
            ),
        );
    }

    /// Another size of the window, in CSS pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        self.command(
            "Emulation.setDeviceMetricsOverride",
            &format!(
                r#"{{"width":{width},"height":{height},"deviceScaleFactor":1,"mobile":false}}"#
            ),
        );
    }

    /// What the user has asked the system for: `("prefers-color-scheme", "dark")`.
    pub fn prefer(&mut self, feature: &str, value: &str) {
        self.command(
            "Emulation.setEmulatedMedia",
            &format!(r#"{{"features":[{{"name":"{feature}","value":"{value}"}}]}}"#),
        );
    }

    // Commands.

    fn id_from(&mut self, method: &str, parameters: &str, name: &str) -> String {
        self.command(method, parameters).get(name).text().to_string()
    }

    /// Sends a command, and waits for its answer.
    ///
    /// # Panics
    /// If it is an error, or does not come.
    #[track_caller]
    fn command(&mut self, method: &str, parameters: &str) -> Json {
        let session = self.session.clone();
        let browser = self.browser.as_mut().expect("the browser has been given up");
        let Ok(id) = browser.send(&session, method, parameters) else {
            self.give_up(method);
        };
        let answer = self.wait_for(method, |message| *message.get("id") == Json::Number(id as f64));
        let error = answer.get("error");
        assert!(error.is_null(), "{method}: {error:?}");
        answer.get("result").clone()
    }

    /// Waits for an event that has not come yet.
    #[track_caller]
    fn wait_for_event(&mut self, method: &str) {
        let is_it = |message: &Json| *message.get("method") == Json::Text(method.to_string());
        if !self.events.iter().any(is_it) {
            let event = self.wait_for(method, is_it);
            self.events.push(event);
        }
    }

    /// Takes in messages, up to the one that is waited for.
    #[track_caller]
    fn wait_for(&mut self, method: &str, is_it: impl Fn(&Json) -> bool) -> Json {
        let limit = Instant::now() + LONGEST;
        loop {
            let browser = self.browser.as_ref().expect("the browser has been given up");
            let left = limit.saturating_duration_since(Instant::now());
            match browser.messages.recv_timeout(left) {
                Ok(message) if is_it(&message) => return message,
                // Others are of a page that was closed, or answers that nobody waits for any more.
                Ok(message) => {
                    let ours = *message.get("sessionId") == Json::Text(self.session.clone());
                    if ours && !message.get("method").is_null() {
                        self.events.push(message);
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    self.give_up(method);
                }
            }
        }
    }

    /// The browser does not answer. The next test starts another.
    #[track_caller]
    fn give_up(&mut self, method: &str) -> ! {
        self.browser.take();
        panic!("the browser does not answer to {method}");
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let Some(browser) = self.browser.as_mut() else {
            return;
        };
        // Not waited for, and if it fails, nothing is lost: there may be a panic already.
        let context = format!(r#"{{"browserContextId":"{}"}}"#, self.context);
        let _ = browser.send("", "Target.disposeBrowserContext", &context);
        let _ = fs::remove_file(&self.file);
        if !thread::panicking() {
            assert_eq!(self.complaints(), [""; 0], "the page has complained");
        }
    }
}

// Keys.

/// A key of an American keyboard.
struct Key {
    /// What JavaScript is told: `event.key`, `event.code`.
    key: String,
    code: String,
    number: u32,
    /// What it types, if anything.
    text: String,
    shift: bool,
}

impl Key {
    fn of(name: &str) -> Key {
        let (shift, name) = match name.strip_prefix("Shift+") {
            Some(name) => (true, name),
            None => (matches!(name, "+" | "?"), name),
        };
        let (code, number, text) = match name {
            "Tab" => ("Tab", 9, ""),
            "Enter" => ("Enter", 13, "\r"),
            "Escape" => ("Escape", 27, ""),
            "Backspace" => ("Backspace", 8, ""),
            " " => ("Space", 32, " "),
            "PageUp" => ("PageUp", 33, ""),
            "PageDown" => ("PageDown", 34, ""),
            "End" => ("End", 35, ""),
            "Home" => ("Home", 36, ""),
            "ArrowLeft" => ("ArrowLeft", 37, ""),
            "ArrowUp" => ("ArrowUp", 38, ""),
            "ArrowRight" => ("ArrowRight", 39, ""),
            "ArrowDown" => ("ArrowDown", 40, ""),
            "+" => ("Equal", 187, "+"),
            "-" => ("Minus", 189, "-"),
            "." => ("Period", 190, "."),
            "/" => ("Slash", 191, "/"),
            "?" => ("Slash", 191, "?"),
            letter => {
                let char = letter.chars().next().expect("a key");
                assert!(
                    char.is_alphanumeric() && char.len_utf8() == letter.len(),
                    "no key {letter}"
                );
                let upper = char.to_ascii_uppercase();
                let of = if char.is_ascii_digit() { "Digit" } else { "Key" };
                return Key {
                    key: letter.to_string(),
                    code: format!("{of}{upper}"),
                    number: u32::from(upper),
                    text: letter.to_string(),
                    shift,
                };
            }
        };
        Key {
            key: name.to_string(),
            code: code.to_string(),
            number,
            text: text.to_string(),
            shift,
        }
    }

    fn down(&self) -> &'static str {
        if self.text.is_empty() { "rawKeyDown" } else { "keyDown" }
    }

    fn event(&self, kind: &str) -> String {
        let text = match kind {
            "keyDown" => format!(r#","text":{}"#, quote(&self.text)),
            _ => String::new(),
        };
        let modifiers = if self.shift { 8 } else { 0 };
        let (key, code, number) = (quote(&self.key), quote(&self.code), self.number);
        format!(
            r#"{{"type":"{kind}","key":{key},"code":{code},"windowsVirtualKeyCode":{number},
            "modifiers":{modifiers}{text}}}"#
        )
    }
}

/// The bytes of a picture, which JSON can only hold as letters, six bits in each.
fn from_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for letter in text.bytes().filter(|&letter| letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

// The harness itself. What it could not see, no test would.

#[test]
fn what_a_page_says_does_and_asks_for_is_seen() {
    let Some(mut page) = Page::open(
        "<script>
            console.log('a word');
            setTimeout(() => { throw new Error('thrown') });
            var keys = [], image = new Image();
            image.onerror = () => image.missing = true;
            image.src = 'missing.png';
            onkeydown = event => keys.push(event.key + (event.isTrusted ? '' : ' (made up)'));
        </script><button onclick='keys.push(\"click \" + event.isTrusted)'>hit me</button>",
    ) else {
        return;
    };
    page.wait_until("image.missing");
    let said = page.complaints().join("\n");
    assert!(said.contains("a word"), "{said}");
    assert!(said.contains("thrown"), "{said}");
    assert!(said.contains("ERR_FILE_NOT_FOUND"), "{said}");
    let requests = page.requests();
    assert_eq!(requests.len(), 2, "{requests:?}");
    assert_eq!(requests[0], page.url());
    assert!(requests[1].ends_with("/missing.png"), "{requests:?}");
    page.click("button");
    for key in ["ArrowLeft", "PageDown", "?", "x", " "] {
        page.press(key);
    }
    // Space presses the button, which has the focus.
    let keys = page.eval("keys.join(', ')");
    assert_eq!(keys.text(), "click true, ArrowLeft, PageDown, ?, x,  , click true");
    page.events.clear();
}

#[test]
fn what_a_test_does_to_a_page_is_undone_for_the_next() {
    for _ in 0..2 {
        let Some(mut page) = Page::open("<input>") else {
            return;
        };
        assert!(page.eval("localStorage.getItem('left')").is_null());
        let is_dark = "matchMedia('(prefers-color-scheme: dark)').matches";
        assert!(!page.eval(is_dark).bool());
        assert_eq!(page.eval("innerWidth").number(), f64::from(SIZE.0));
        page.eval("localStorage.setItem('left', 'behind')");
        page.prefer("prefers-color-scheme", "dark");
        page.resize(400, 800);
        assert!(page.eval(is_dark).bool());
        assert_eq!(page.eval("innerWidth").number(), 400.0);
        page.click("input");
        page.type_text("héllo");
        assert_eq!(page.eval("document.querySelector('input').value").text(), "héllo");
    }
}
