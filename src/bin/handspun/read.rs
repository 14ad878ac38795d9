//! `read`: the book, and the source, in a terminal.

use crate::Error;
use crate::book::{Book, Page};
use crate::markdown::{self, Setting};
use crate::page;
use crate::pager;
use std::ffi::OsString;
use std::process::ExitCode;

pub fn run(arguments: &[OsString]) -> Result<ExitCode, Error> {
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().map(|word| word.as_ref()).collect();
    let text = match words[..] {
        [] => page::book(&Book::open()?)?,
        [word] if word.eq_ignore_ascii_case("source") => page::source()?,
        ["--answers", wanted] | [wanted, "--answers"] => read(wanted, true)?,
        [wanted] if !wanted.starts_with('-') => read(wanted, false)?,
        _ => {
            let message = "`read` takes the name of a page, and `--answers`, or nothing";
            return Err(Error::Usage(message.to_string()));
        }
    };
    pager::show(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn read(wanted: &str, answers: bool) -> Result<String, Error> {
    let book = Book::open()?;
    let page = book.find(wanted)?;
    let mut text = page.text()?;
    let ends_with_next = text.trim_end().rsplit("\n\n").next().unwrap_or("").starts_with("Next: ");
    if let Some(next) = book.after(page).filter(|_| !ends_with_next) {
        text += &format!("\n\nNext: `{}` ({})\n", command(next), next.title);
    }
    let setting = Setting {
        width: pager::width(),
        styled: pager::in_colour(),
        answers,
        how_to_see_answers: &format!("{} --answers", command(page)),
        follow: &|target| book.follow(page, target),
    };
    Ok(markdown::render(&text, &setting))
}

/// What shows a page.
fn command(page: &Page) -> String {
    format!("cargo run -- read {}", page.key())
}
