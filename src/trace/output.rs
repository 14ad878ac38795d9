//! Where a drawing goes, and when: into a file, when the executor ends.
//!
//! A program asks for it with one line, [`Builder::trace_to`], or somebody asks from outside, with
//! the environment variable `HANDSPUN_TRACE`. It is read once, when the first executor is made.
//! Whatever is wrong with it, or with the file, is one line on stderr: a program that is looked at
//! runs on as it did.
//!
//! This is the only file here that knows of files, terminals and the environment.
//!
//! [`Builder::trace_to`]: crate::executor::Builder::trace_to

use super::event::Trace;
use super::layout::wrapped;
use std::env;
use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many events are kept of a run that is to be drawn, if nobody says otherwise.
pub(crate) const CAPACITY: usize = 100_000;

/// How many columns a text has that is not for a terminal.
const WIDTH: usize = 100;

/// How many executors of one process are drawn because the environment says so: a program may call
/// `block_on` a million times.
const MAX_DRAWN: usize = 100;

/// The environment variable.
const VARIABLE: &str = "HANDSPUN_TRACE";

/// A kind of drawing.
///
/// ```
/// use handspun::trace::Format;
///
/// assert_eq!("html".parse(), Ok(Format::Html));
/// assert!("png".parse::<Format>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Format {
    /// A timeline for the terminal, and what the [lints](Trace::lints) find.
    Text,
    /// A figure for a page.
    Svg,
    /// A page that plays the run, forwards and backwards. It needs nothing but a browser.
    Html,
    /// A file for `ui.perfetto.dev` or `chrome://tracing`.
    Chrome,
}

impl Format {
    const ALL: [Format; 4] = [Format::Text, Format::Svg, Format::Html, Format::Chrome];

    fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Svg => "svg",
            Format::Html => "html",
            Format::Chrome => "chrome",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Format::Text => "txt",
            Format::Svg => "svg",
            Format::Html => "html",
            Format::Chrome => "json",
        }
    }

    /// What to do with the file, for somebody who sees it for the first time.
    fn advice(self) -> &'static str {
        match self {
            Format::Text => "",
            Format::Svg | Format::Html => " (open it in a browser)",
            Format::Chrome => " (open it at ui.perfetto.dev)",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Format, UnknownFormat> {
        let format = Format::ALL.into_iter().find(|format| format.name() == name);
        format.ok_or_else(|| UnknownFormat(name.to_string()))
    }
}

/// The name of a [`Format`] that there is not.
///
/// ```
/// let error = "png".parse::<handspun::trace::Format>().unwrap_err();
/// assert_eq!(error.to_string(), "no drawing is called \"png\": text, svg, html and chrome are");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownFormat(String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no drawing is called {:?}: text, svg, html and chrome are", self.0)
    }
}

impl Error for UnknownFormat {}

impl Trace {
    /// The run, drawn. Text is 100 columns wide, without colour, and ends with what the
    /// [lints](Trace::lints) find.
    pub fn draw(&self, format: Format) -> String {
        match format {
            Format::Text => self.text_and_lints(WIDTH, false),
            Format::Svg => self.to_svg(),
            Format::Html => self.to_html(),
            Format::Chrome => self.to_chrome_json(),
        }
    }

    /// Draws the run into a file, in place of what was there.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, format: Format, file: impl AsRef<Path>) -> io::Result<()> {
        fs::write(file, self.draw(format))
    }

    fn text_and_lints(&self, width: usize, color: bool) -> String {
        let mut text = self.text().width(width).color(color).to_string();
        for lint in self.lints() {
            text.push_str(&format!("\n{}\n", wrapped(&lint.to_string(), width)));
        }
        text
    }
}

/// A drawing that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    format: Format,
    to: To,
}

#[derive(Clone, Debug)]
enum To {
    File(PathBuf),
    Stdout,
    Stderr,
}

impl Output {
    pub(crate) fn to_file(format: Format, file: PathBuf) -> Output {
        Output {
            format,
            to: To::File(file),
        }
    }

    /// What `HANDSPUN_TRACE` says: `html:run.html`, `html`, `text:-`.
    fn parse(value: &str) -> Result<Output, UnknownFormat> {
        let (format, file) = match value.split_once(':') {
            Some((format, file)) => (format.parse()?, file),
            None => (value.parse()?, ""),
        };
        let to = match (file, format) {
            ("-", _) => To::Stdout,
            ("", Format::Text) => To::Stderr,
            ("", format) => To::File(program().with_extension(format.extension())),
            (file, _) => To::File(file.into()),
        };
        Ok(Output { format, to })
    }

    /// The `nth` of several drawings that would go into the same file: `run.html`, `run-2.html`.
    fn numbered(mut self, nth: usize) -> Output {
        if let To::File(file) = &mut self.to
            && nth > 1
        {
            let mut name = file.file_stem().unwrap_or_default().to_os_string();
            name.push(format!("-{nth}"));
            if let Some(extension) = file.extension() {
                name.push(".");
                name.push(extension);
            }
            file.set_file_name(name);
        }
        self
    }

    /// Makes the drawing. On stderr it says where, or why not.
    pub(crate) fn write(&self, trace: &Trace) {
        match &self.to {
            To::File(file) => match trace.write(self.format, file) {
                Ok(()) => {
                    say(&format!("the run is drawn in {}{}", file.display(), self.format.advice()))
                }
                Err(error) => say(&format!("cannot draw the run in {}: {error}", file.display())),
            },
            To::Stdout => self.print(trace, &mut io::stdout(), io::stdout().is_terminal()),
            To::Stderr => self.print(trace, &mut io::stderr(), io::stderr().is_terminal()),
        }
    }

    fn print(&self, trace: &Trace, to: &mut dyn Write, is_terminal: bool) {
        let drawing = match self.format {
            Format::Text => trace.text_and_lints(width(is_terminal), is_terminal && wants_color()),
            format => trace.draw(format),
        };
        if let Err(error) = to.write_all(drawing.as_bytes()).and_then(|()| to.flush())
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            say(&format!("cannot draw the run: {error}"));
        }
    }
}

/// What the environment asks for, for an executor that is being made.
pub(crate) fn asked_for() -> Option<Output> {
    static ASKED_FOR: OnceLock<Option<Output>> = OnceLock::new();
    static DRAWN: AtomicUsize = AtomicUsize::new(0);
    let output = ASKED_FOR.get_or_init(read_environment).as_ref()?;
    let nth = DRAWN.fetch_add(1, Ordering::Relaxed) + 1;
    if nth == MAX_DRAWN + 1 {
        say(&format!("the runs of {MAX_DRAWN} executors are drawn, those of others are not"));
    }
    (nth <= MAX_DRAWN).then(|| output.clone().numbered(nth))
}

fn read_environment() -> Option<Output> {
    let value = env::var_os(VARIABLE).filter(|value| !value.is_empty())?;
    // What is not UTF-8 can only be the name of a file, which is then misspelled in the message.
    match Output::parse(&value.to_string_lossy()) {
        Ok(output) => Some(output),
        Err(error) => {
            say(&format!("{VARIABLE} is ignored: {error}. Say {VARIABLE}=html:run.html"));
            None
        }
    }
}

/// The name of this program: that of its drawings, if nobody gave them one.
fn program() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    program.file_name().map_or_else(|| PathBuf::from("handspun"), PathBuf::from)
}

/// One line on stderr. If that is closed, there is nobody to tell.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "handspun: {line}");
}

fn wants_color() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How many columns a text may have: what `COLUMNS` says, else what the terminal has.
fn width(is_terminal: bool) -> usize {
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = columns.filter(|&columns| columns > 0);
    match is_terminal {
        true => columns.or_else(ask_terminal).unwrap_or(80),
        false => columns.unwrap_or(WIDTH),
    }
}

/// Without a line of C only the system's own tools can ask a terminal.
fn ask_terminal() -> Option<usize> {
    let terminal = File::open("/dev/tty").ok()?;
    let stty = Command::new("stty").arg("size").stdin(terminal).stderr(Stdio::null()).output();
    String::from_utf8(stty.ok()?.stdout).ok()?.split_whitespace().nth(1)?.parse().ok()
}
