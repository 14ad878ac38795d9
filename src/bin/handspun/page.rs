//! What the companion says itself: plain text, at most 80 columns wide.

use crate::Error;
use crate::book::{Book, Page};
use crate::checkout::{self, WALKS};

const COLUMNS: usize = 80;

/// Where the second column of a table begins.
const SECOND: usize = 29;

pub const WELCOME: &str = "\
handspun is a single-threaded async executor, spun by hand on std alone and made
to be read. It is what stands behind an `.await`: here you can watch it work.

Three tasks on one thread (examples/00_tour.rs), run for you just now:

";

pub const AFTER_THE_TOUR: &str = "
Notice: db and cache waited side by side, so the server was open at 0.300, not
at 0.500. And you did not wait a second: this clock is paused, and whenever all
tasks wait it jumps to the next deadline. `cargo run -- tour --real` waits.

See it run, forwards and backwards, in a browser: it is one file.

  cargo run -- example 0 --trace html     (or svg, or text, or chrome)
";

pub const AFTER_THE_REAL_TOUR: &str = "
The same on the real clock: a timer fires on time or a little late, never early.
";

const EXAMPLES: &str = "\
The examples. Read one, predict what it prints, run it.

";

const AFTER_THE_LIST: &str = "
Run one by number or by name: `cargo run -- example 17`. Its source is
examples/17_sleep/, and what it prints is in tests/examples/17_sleep.txt. With
`--trace html` behind it, it also draws its run: as a page that plays it. The
exercises have a list of their own: `cargo run -- exercises`.
";

const BOOK: &str = "\
The book. Each chapter answers one question, and begins with a program to run.
";

const AFTER_THE_BOOK: &str = "
`cargo run -- read 4` shows chapter 4 here; a page without a number goes by its
name, and all of them are files in docs/. `cargo run -- read source` gives the
source, in the order in which it is best read.
";

const SOURCE: &str = "\
The source, in the order in which it is best read. The head of each file says
what it is and leads to the next. The core is enough to know what an executor
does; the rest can wait.
";

pub const HELP: &str = "\
The companion of handspun, an async executor that is made to be read.

usage: cargo run [-- COMMAND]

  (no command)      what this is, the tour, and where to go from there; or, if
                    you have begun with the exercises, the one to go on with
  tour [--real]     three tasks, and a second: a virtual one, or a real one
  list              all examples
  example WHICH ..  runs an example, by its number, its name or a part of its
                    name, with the arguments that follow; with `--trace html`
                    (or svg, text, chrome; and a file), it draws its run;
                    with `--break RULE` the executor leaves one of its rules
                    out: lifo, no-dedup, late-timers, spurious or shuffle
  read [PAGE]       the book: what is in it, or a page, by its number, its name
                    or a part of its name; `--answers` behind it shows what its
                    questions are answered with
  read source       the source, in the order in which it is best read
  exercises         all exercises: how hard, how long, and which are solved
  ex [WHICH]        an exercise: its task, and then its check each time that you
                    save your answer; with `--once`, or where no terminal is,
                    one check (there, `--watch` makes it watch)
  check [WHICH|all] checks an answer, or all that are begun
  hint [WHICH [N]]  a hint, and then the next one, of three
  solution [WHICH]  a solution, when yours is right; or with `--give-up`
  reset [WHICH]     back to the beginning; `--yes` does not ask
  trace WHICH       draws the run of an exercise (or an example) as a page that
                    plays it, for a browser
  welcome           what a newcomer sees, when you are none any more
  help              this page; also --help, -h
  --version         the version; also -V
";

pub const VERSION: &str = concat!("handspun ", env!("CARGO_PKG_VERSION"), "\n");

/// Where a newcomer goes after the tour.
pub const NEXT: &str = "
Next, one of these:

  cargo run -- read 0       the book: ten minutes about what you have just seen
  cargo run -- read         its chapters, each with the question that it answers
  cargo run -- ex 1         the exercises: you write, and a check shows the run
  cargo run -- list         the examples, with a sentence on each
  cargo run -- read source  the source, in the order in which it is best read
  cargo run -- help         all commands
";

pub fn list() -> Result<String, Error> {
    Ok(format!("{EXAMPLES}{}{AFTER_THE_LIST}", table(&examples()?)))
}

/// The pages of the book: what to type, the title, and the question.
pub fn book(book: &Book) -> Result<String, Error> {
    let mut page = BOOK.to_string();
    let mut part = None;
    for own in &book.pages {
        if part != Some(&own.part) {
            part = Some(&own.part);
            page += &match own.part.as_str() {
                "" => "\n".to_string(),
                part => format!("\n{part}:\n\n"),
            };
        }
        page += &entry(own)?;
    }
    Ok(page + AFTER_THE_BOOK)
}

fn entry(page: &Page) -> Result<String, Error> {
    let question = page.question()?;
    let (first, text) = match page.number() {
        Some(number) => (format!("  {number:>2}  {} ", page.title), question),
        None if question.is_empty() => (format!("  {} ", page.name), page.title.clone()),
        None => (format!("  {} ", page.name), format!("{}: {question}", page.title)),
    };
    Ok(wrapped(&format!("{first:SECOND$}"), SECOND, &text))
}

pub fn source() -> Result<String, Error> {
    let mut page = SOURCE.to_string();
    for walk in WALKS {
        let mut rows = Vec::new();
        for file in walk.files {
            rows.push((format!("src/{file}"), checkout::summary_of_source(file)?));
        }
        page += &format!("\n{}:\n\n{}", walk.title, table(&rows));
    }
    page += "\nThe files that are not here are best met where they are used.\n";
    Ok(page)
}

fn examples() -> Result<Vec<(String, String)>, Error> {
    let names = checkout::examples()?;
    names
        .into_iter()
        .map(|name| checkout::summary_of_example(&name).map(|summary| (name, summary)))
        .collect()
}

/// Two columns: names, and what they are.
fn table(rows: &[(String, String)]) -> String {
    let line = |(name, text): &(String, String)| {
        let first = format!("  {name} ");
        wrapped(&format!("{first:SECOND$}"), SECOND, text)
    };
    rows.iter().map(line).collect()
}

/// `first`, then the words of `text`, in lines that are indented from the second on.
fn wrapped(first: &str, indent: usize, text: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_string();
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() > COLUMNS {
            lines += line.trim_end();
            lines.push('\n');
            line = " ".repeat(indent);
        }
        line += word;
        line.push(' ');
    }
    lines += line.trim_end();
    lines.push('\n');
    lines
}
