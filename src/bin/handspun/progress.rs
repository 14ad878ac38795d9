//! Which exercises are solved: not stored, but derived.
//!
//! An exercise is solved if its answer, as it is now, has passed its check, as it is now. What is
//! remembered is only which pair that was, as a hash, so that it need not be checked again to be
//! shown as solved. Whoever edits the answer has an open exercise; whoever undoes the edit has a
//! solved one. The rest is for convenience: which exercise was open last, which hint was shown
//! last, and whether the solution was looked at before.
//!
//! It is a file in the target folder: lines of an exercise, a word, and a value. Without it nothing
//! is lost that a `check all` does not bring back.

use crate::Error;
use crate::checkout;
use crate::complain;
use crate::exercise::Exercise;
use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Once;

/// How far somebody is with an exercise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// There is no answer, or it is the starter.
    Open,
    Begun,
    Solved,
    /// And the solution had been shown before.
    SolvedWithHelp,
}

impl State {
    pub fn is_solved(self) -> bool {
        matches!(self, State::Solved | State::SolvedWithHelp)
    }
}

/// What is remembered, by the name of the exercise and a word.
#[derive(Default)]
pub struct Progress {
    remembered: BTreeMap<(String, String), String>,
}

const SOLVED: &str = "solved";
const CHECKED: &str = "checked";
const HINT: &str = "hint";
const GAVE_UP: &str = "gave-up";
const OPENED: &str = "opened";

impl Progress {
    /// As it is now. Another companion may run in another terminal, so nobody keeps this for long.
    pub fn load() -> Progress {
        let text = fs::read_to_string(file()).unwrap_or_default();
        let mut remembered = BTreeMap::new();
        for line in text.lines() {
            if let [name, word, value] = line.split(' ').collect::<Vec<_>>()[..] {
                remembered.insert((name.to_string(), word.to_string()), value.to_string());
            }
        }
        Progress { remembered }
    }

    pub fn state(&self, exercise: &Exercise) -> State {
        let passed = self.get(exercise, SOLVED).is_some_and(|pair| *pair == pair_of(exercise));
        match (passed, self.gave_up(exercise)) {
            (true, false) => State::Solved,
            (true, true) => State::SolvedWithHelp,
            (false, _) if exercise.is_begun() => State::Begun,
            (false, _) => State::Open,
        }
    }

    /// How many of these are solved.
    pub fn solved(&self, exercises: &[Exercise]) -> usize {
        exercises.iter().filter(|exercise| self.state(exercise).is_solved()).count()
    }

    /// The first that is not solved, from `place` on, and then from the beginning.
    pub fn unsolved<'a>(&self, exercises: &'a [Exercise], place: usize) -> Option<&'a Exercise> {
        let (before, after) = exercises.split_at(place.min(exercises.len()));
        after.iter().chain(before).find(|exercise| !self.state(exercise).is_solved())
    }

    /// What to go on with: the exercise that was opened last, or the next that is not solved.
    pub fn current<'a>(&self, exercises: &'a [Exercise]) -> Option<&'a Exercise> {
        let opened = |exercise: &Exercise| self.get(exercise, OPENED).is_some();
        self.unsolved(exercises, exercises.iter().position(opened).unwrap_or(0))
    }

    /// The exercise that was opened last.
    pub fn opened<'a>(&self, exercises: &'a [Exercise]) -> Option<&'a Exercise> {
        exercises.iter().find(|exercise| self.get(exercise, OPENED).is_some())
    }

    /// The number of the hint that was shown last; 0 if none was.
    pub fn hint(&self, exercise: &Exercise) -> usize {
        self.get(exercise, HINT).and_then(|hint| hint.parse().ok()).unwrap_or(0)
    }

    pub fn gave_up(&self, exercise: &Exercise) -> bool {
        self.get(exercise, GAVE_UP).is_some()
    }

    /// Whether the answer was another one when it was checked last, as far as anybody knows.
    pub fn is_changed(&self, exercise: &Exercise) -> bool {
        self.get(exercise, CHECKED).is_none_or(|pair| *pair != pair_of(exercise))
    }

    pub fn set_checked(exercise: &Exercise) {
        let pair = pair_of(exercise);
        Progress::change(|progress| progress.set(exercise, CHECKED, pair));
    }

    /// `pair` is what passed: the answer may be another one by now.
    pub fn set_solved(exercise: &Exercise, pair: String) {
        Progress::change(|progress| progress.set(exercise, SOLVED, pair));
    }

    pub fn set_hint(exercise: &Exercise, hint: usize) {
        Progress::change(|progress| progress.set(exercise, HINT, hint.to_string()));
    }

    pub fn set_gave_up(exercise: &Exercise) {
        Progress::change(|progress| progress.set(exercise, GAVE_UP, "yes".to_string()));
    }

    pub fn set_opened(exercise: &Exercise) {
        Progress::change(|progress| {
            progress.remembered.retain(|(_, word), _| word != OPENED);
            progress.set(exercise, OPENED, "yes".to_string());
        });
    }

    fn get(&self, exercise: &Exercise, word: &str) -> Option<&String> {
        self.remembered.get(&(exercise.name.clone(), word.to_string()))
    }

    fn set(&mut self, exercise: &Exercise, word: &str, value: String) {
        self.remembered.insert((exercise.name.clone(), word.to_string()), value);
    }

    /// Loads it, changes it, and stores it. If it cannot be stored this is said once: all else
    /// works without.
    fn change(change: impl FnOnce(&mut Progress)) {
        static SAID: Once = Once::new();
        let mut progress = Progress::load();
        change(&mut progress);
        if let Err(Error::Missing(why)) = progress.store() {
            SAID.call_once(|| complain(&format!("{why} (so your progress is not remembered)")));
        }
    }

    fn store(&self) -> Result<(), Error> {
        let line = |((name, word), value): (&(String, String), &String)| {
            format!("{name} {word} {value}\n")
        };
        let text: String = self.remembered.iter().map(line).collect();
        let file = file();
        // If there can be no folder, there can be no file either, and that is said.
        let _ = file.parent().map(fs::create_dir_all);
        checkout::write(&file, &text)
    }
}

fn file() -> PathBuf {
    folder().join("progress.txt")
}

/// The folder for what we write.
pub fn folder() -> PathBuf {
    checkout::target().join("handspun")
}

/// The hash of an answer and its check.
pub fn pair_of(exercise: &Exercise) -> String {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    exercise.written().hash(&mut hasher);
    fs::read(exercise.file("main.rs")).ok().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Where the run of an exercise is drawn. There is nothing there.
pub fn drawing_of(exercise: &Exercise) -> Result<PathBuf, Error> {
    let file = folder().join(format!("{}.html", exercise.name));
    // Whatever is wrong with the folder is said when the file is written.
    let _ = fs::create_dir_all(folder());
    match fs::remove_file(&file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::Missing(format!("cannot write {}: {error}", file.display())))
        }
        _ => Ok(checkout::shown(&file).into()),
    }
}
