//! The book: which pages it has, in which order, and which of them somebody means.
//!
//! Order and titles are those of the file `SUMMARY.md` in `docs`, which has mdBook's format: a list
//! of links, and headings above the parts of it. A page that is not in it is not in the book.
//! Chapters are the pages whose file begins with a number; all others are called by their name.
//! The question that a page answers is read from the page.

use crate::Error;
use crate::checkout;
use crate::markdown;
use crate::spelling;

const SUMMARY: &str = "docs/SUMMARY.md";

pub struct Book {
    pub pages: Vec<Page>,
}

pub struct Page {
    /// The file in `docs`, without `.md`: `04-wakers`.
    pub name: String,
    /// Without the number.
    pub title: String,
    /// The heading in the summary below which it stands; empty for the first pages.
    pub part: String,
}

impl Page {
    /// The number of a chapter: `04-wakers` is number 4.
    pub fn number(&self) -> Option<u32> {
        self.name.split_once('-')?.0.parse().ok()
    }

    /// What to call it by: a chapter's number, or the name.
    pub fn key(&self) -> String {
        self.number().map_or_else(|| self.name.clone(), |number| number.to_string())
    }

    /// The file, from the root of the checkout.
    pub fn path(&self) -> String {
        format!("docs/{}.md", self.name)
    }

    /// The name without folder and number: `wakers`.
    fn word(&self) -> &str {
        let file = self.name.rsplit('/').next().unwrap_or(&self.name);
        match self.number() {
            Some(_) => file.split_once('-').map_or(file, |(_, word)| word),
            None => file,
        }
    }

    pub fn text(&self) -> Result<String, Error> {
        checkout::text(&self.path())
    }

    /// What it answers, if it says so.
    pub fn question(&self) -> Result<String, Error> {
        Ok(markdown::question(&self.text()?).unwrap_or_default())
    }
}

impl Book {
    pub fn open() -> Result<Book, Error> {
        let mut pages = Vec::new();
        let mut part = String::new();
        // The first heading is that of the summary.
        for line in checkout::text(SUMMARY)?.lines().map(str::trim).skip(1) {
            if let Some(title) = line.strip_prefix("# ") {
                part = title.to_string();
            }
            pages.extend(linked(line).map(|(title, name)| page(title, name, &part)));
        }
        Ok(Book { pages })
    }

    /// The page that somebody means by a number, a name, a part of a name, or a path.
    pub fn find(&self, wanted: &str) -> Result<&Page, Error> {
        let word = bare(wanted);
        match &self.matching(&word)[..] {
            [page] => Ok(page),
            [] => Err(Error::Usage(match self.nearest(&word) {
                Some(name) => format!("no page `{word}`: did you mean `{name}`?"),
                None => format!("no page `{word}`: `cargo run -- read` shows those that there are"),
            })),
            several => {
                let names: Vec<&str> = several.iter().map(|page| page.name.as_str()).collect();
                let names = names.join(", ");
                Err(Error::Usage(format!("`{word}` may be {names}: which one?")))
            }
        }
    }

    /// What to read after a chapter.
    pub fn after(&self, page: &Page) -> Option<&Page> {
        page.number()?;
        let place = self.pages.iter().position(|other| other.name == page.name)?;
        self.pages.get(place + 1)
    }

    /// Where the link `target` in `page` leads, in words for a terminal: `read 5` if it is another
    /// page, else a path from the root of the checkout, or an address.
    pub fn follow(&self, page: &Page, target: &str) -> Option<String> {
        let own = format!("read {}", page.key());
        self.follow_from(&page.path(), target).filter(|words| *words != own)
    }

    /// The same for a link in any file, whose path is from the root.
    pub fn follow_from(&self, file: &str, target: &str) -> Option<String> {
        if target.contains("://") || target.starts_with("mailto:") {
            return Some(target.to_string());
        }
        let path = target.split('#').next().filter(|path| !path.is_empty())?;
        let path = resolved(file, path);
        let page = self.pages.iter().find(|page| page.path() == path);
        Some(page.map_or(path, |page| format!("read {}", page.key())))
    }

    /// All pages that may be meant: those that match in the strictest way in which any does.
    fn matching(&self, word: &str) -> Vec<&Page> {
        let find = |is_meant: &dyn Fn(&Page) -> bool| -> Vec<&Page> {
            self.pages.iter().filter(|page| is_meant(page)).collect()
        };
        if let Ok(number) = word.parse() {
            return find(&|page| page.number() == Some(number));
        }
        let by_name = find(&|page| page.name == word);
        let by_word = find(&|page| page.word() == word);
        let by_part = find(&|page| {
            let begins = |part: &str| !word.is_empty() && part.starts_with(word);
            let parts = page.name.match_indices(['-', '/']);
            begins(&page.name) || parts.into_iter().any(|(at, _)| begins(&page.name[at + 1..]))
        });
        [by_name, by_word, by_part]
            .into_iter()
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }

    /// The page with a part that is spelled almost like `word`.
    fn nearest(&self, word: &str) -> Option<&str> {
        let spellings = |page: &'_ Page| {
            let parts = page.word().split('-').map(str::to_string);
            [page.name.clone(), page.word().to_string()].into_iter().chain(parts).collect()
        };
        let spelled: Vec<(&Page, Vec<String>)> =
            self.pages.iter().map(|page| (page, spellings(page))).collect();
        let all = spelled.iter().flat_map(|(_, spellings)| spellings).map(String::as_str);
        let nearest = spelling::nearest(word, all.chain(["source"]))?;
        let meant = spelled.iter().find(|(_, own)| own.iter().any(|own| own == nearest));
        Some(meant.map_or("source", |(page, _)| &page.name))
    }
}

fn page(title: &str, name: &str, part: &str) -> Page {
    let numbered = title.split_once(". ").filter(|(number, _)| number.parse::<u32>().is_ok());
    let title = numbered.map_or(title, |(_, title)| title);
    Page {
        name: name.to_string(),
        title: title.to_string(),
        part: part.to_string(),
    }
}

/// Title and name of the page that a line of the summary links to.
fn linked(line: &str) -> Option<(&str, &str)> {
    let (before, name) = line.strip_suffix(".md)")?.rsplit_once("](")?;
    let title = before.split_once('[')?.1;
    Some((title, name.trim_start_matches("./")))
}

/// The name in what a shell completes: `docs/04-wakers.md`.
fn bare(wanted: &str) -> String {
    let path = wanted.split('#').next().unwrap_or(wanted).replace('\\', "/");
    let in_docs = path.rsplit_once("docs/").map_or(path.as_str(), |(_, name)| name);
    in_docs.trim_start_matches("./").trim_end_matches(".md").to_lowercase()
}

/// The path of what `file` calls `target`, from the root.
fn resolved(file: &str, target: &str) -> String {
    let mut folders: Vec<&str> = file.split('/').collect();
    folders.pop();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(folders.pop()),
            step => folders.push(step),
        }
    }
    folders.join("/")
}
