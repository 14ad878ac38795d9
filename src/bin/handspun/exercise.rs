//! What there is of the exercises: folders of `examples/exercises/tests`, and what is in them.
//!
//! A folder with a starter is an exercise. All that is told of it is read from its README when it
//! is told:
//!
//! ```text
//!   # 01 Countdown                        the title
//!   ★ · 10 minutes · chapter 1, ..        how hard, how long, and what to read before
//!   ..                                    the task: up to the first heading
//!   ## What must hold
//!   ## Hint 1                             and so on
//!   ## Afterwards                         what to think of when it is solved
//! ```
//!
//! The learner's own file is answer.rs: a copy of the starter, which git ignores. When the first
//! exercise is opened all of them get theirs, so that no editor complains of a missing module.

use crate::Error;
use crate::checkout;
use crate::spelling;
use handspun::time::Duration;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What stands in a starter for what is missing. (In two parts, because whoever searches the source
/// for what is not done shall not find this.)
const NOT_WRITTEN: &str = concat!("todo", "!");

const FOLDER: &str = "examples/exercises/tests";

/// All exercises, in order.
pub fn all() -> Result<Vec<Exercise>, Error> {
    let folder = checkout::root().join(FOLDER);
    let entries = fs::read_dir(&folder).map_err(|error| checkout::unreadable(&folder, &error))?;
    let folders = entries.flatten().map(|entry| entry.path());
    let mut all: Vec<Exercise> = folders.filter_map(Exercise::in_folder).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// The exercise that somebody means by a number, a name, a part of a name, or a path.
pub fn find(wanted: &str) -> Result<Exercise, Error> {
    let mut all = all()?;
    let names: Vec<String> = all.iter().map(|exercise| exercise.name.clone()).collect();
    let in_path = |name: &&String| Path::new(wanted).iter().any(|part| part == name.as_str());
    let name = match names.iter().find(in_path) {
        Some(name) => name.clone(),
        None => spelling::find("exercise", "exercises", wanted, &names)?,
    };
    let place = names.iter().position(|other| *other == name).expect("it was found there");
    Ok(all.swap_remove(place))
}

/// The number of the exercise whose README this is.
pub fn in_path(path: &str) -> Option<String> {
    let name = path.strip_prefix(FOLDER)?.strip_prefix('/')?.strip_suffix("/README.md")?;
    Some(name.split('_').next()?.to_string())
}

/// The exercise that `word` comes closest to, if it comes close to any.
pub fn guess(word: &str) -> Option<String> {
    let names: Vec<String> = all().ok()?.into_iter().map(|exercise| exercise.name).collect();
    spelling::guess(word, &names)
}

#[derive(Clone)]
pub struct Exercise {
    /// `08_queued_once`
    pub name: String,
    folder: PathBuf,
}

impl Exercise {
    fn in_folder(folder: PathBuf) -> Option<Exercise> {
        let name = folder.file_name()?.to_str()?.to_string();
        let is_one = folder.join("starter.rs").is_file();
        is_one.then_some(Exercise { name, folder })
    }

    /// `08`
    pub fn number(&self) -> &str {
        self.name.split('_').next().unwrap_or_default()
    }

    /// `08 queued_once`, as its check calls it.
    pub fn title(&self) -> String {
        self.name.replacen('_', " ", 1)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn answer(&self) -> PathBuf {
        self.file("answer.rs")
    }

    /// The path from the root of the checkout, with slashes.
    pub fn path(&self, name: &str) -> String {
        format!("{FOLDER}/{}/{name}", self.name)
    }

    pub fn readme(&self) -> Result<Readme, Error> {
        Ok(Readme::of(&checkout::text_of(&self.file("README.md"))?, self))
    }

    /// What the learner has written; `None` if there is no answer.
    pub fn written(&self) -> Option<Vec<u8>> {
        fs::read(self.answer()).ok()
    }

    /// Whether there is an answer that is not the starter as it was.
    pub fn is_begun(&self) -> bool {
        let starter = fs::read(self.file("starter.rs")).ok();
        self.written().is_some_and(|written| Some(written) != starter)
    }

    /// Where there is something to write, as an editor opens it: the path, and the first line that
    /// is not written yet.
    pub fn place(&self) -> String {
        let text = self.written().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().position(|line| line.contains(NOT_WRITTEN)).unwrap_or(0) + 1;
        format!("{}:{line}", checkout::shown(&self.answer()))
    }

    /// Sees to it that it has an answer to be written in, and all others too.
    pub fn open(&self) -> Result<(), Error> {
        self.copy_starter()?;
        // If one of these cannot be written it will be said when it is opened.
        for other in all()? {
            let _ = other.copy_starter();
        }
        Ok(())
    }

    fn copy_starter(&self) -> Result<(), Error> {
        if self.answer().exists() {
            return Ok(());
        }
        checkout::write(&self.answer(), &checkout::text_of(&self.file("starter.rs"))?)
    }

    /// Back to the starter. What was there is kept in the file whose path is returned; `None` if
    /// there was nothing to keep.
    pub fn reset(&self) -> Result<Option<PathBuf>, Error> {
        let old = self.file("answer.rs.old");
        let is_begun = self.is_begun();
        if is_begun {
            fs::rename(self.answer(), &old).map_err(|error| {
                Error::Missing(format!("cannot write {}: {error}", old.display()))
            })?;
        }
        self.copy_starter()?;
        Ok(is_begun.then_some(old))
    }

    /// Whether the answer was written just now.
    pub fn is_fresh(&self) -> bool {
        let written = fs::metadata(self.answer()).and_then(|metadata| metadata.modified());
        let age = written.ok().and_then(|written| written.elapsed().ok());
        age.is_some_and(|age| age < Duration::from_secs(2))
    }

    /// Cargo builds what is newer than what it has built. An answer that somebody has put back from
    /// elsewhere may be old, and still be another one: it is made new.
    pub fn touch(&self) {
        // If this cannot be done, it was not put there by somebody who cannot write either.
        let file = File::options().append(true).open(self.answer());
        let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
    }
}

/// What a README says.
pub struct Readme {
    /// `08 Queued Once`
    pub title: String,
    /// `★★★`
    pub stars: String,
    /// `60 minutes`
    pub time: String,
    /// The key of the page of the book, for `read`.
    pub chapter: Option<String>,
    pub task: String,
    sections: Vec<(String, String)>,
}

impl Readme {
    fn of(text: &str, exercise: &Exercise) -> Readme {
        let mut readme = Readme {
            title: exercise.name.replace('_', " "),
            stars: String::new(),
            time: String::new(),
            chapter: None,
            task: String::new(),
            sections: Vec::new(),
        };
        let mut in_code = false;
        for line in text.lines() {
            in_code ^= line.trim_start().starts_with("```");
            if let (false, Some(title)) = (in_code, line.strip_prefix("# ")) {
                readme.title = title.trim().to_string();
            } else if let (false, Some(title)) = (in_code, line.strip_prefix("## ")) {
                readme.sections.push((title.trim().to_string(), String::new()));
            } else if let Some((_, section)) = readme.sections.last_mut() {
                *section += &format!("{line}\n");
            } else if line.starts_with('★') && readme.stars.is_empty() {
                readme.read_facts(line);
            } else {
                readme.task += &format!("{line}\n");
            }
        }
        readme
    }

    fn read_facts(&mut self, line: &str) {
        let mut facts = line.split('·').map(str::trim);
        let mut next = || facts.next().unwrap_or_default().to_string();
        (self.stars, self.time) = (next(), next());
        let chapter = next();
        let chapter = chapter.strip_prefix("chapter ").unwrap_or_default();
        let digits = chapter.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        self.chapter = Some(digits.to_string()).filter(|digits| !digits.is_empty());
    }

    pub fn section(&self, title: &str) -> Option<&str> {
        let found = self.sections.iter().find(|(other, _)| other == title)?;
        Some(&found.1)
    }

    /// The hints, in their order.
    pub fn hints(&self) -> Vec<&str> {
        (1..).map_while(|level| self.section(&format!("Hint {level}"))).collect()
    }

    /// All that may be read before it is solved: the task, and the sections up to the first hint.
    pub fn before_the_hints(&self) -> String {
        let sections = self.sections.iter().take_while(|(title, _)| !title.starts_with("Hint"));
        let text = |(title, text): &(String, String)| format!("\n## {title}\n{text}");
        self.task.clone() + &sections.map(text).collect::<String>()
    }
}
