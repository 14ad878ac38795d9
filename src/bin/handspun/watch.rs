//! `ex`: waits for keys, for changes of the answer, and for checks, all at once and on one thread.
//!
//! ```text
//!   a thread that reads stdin ──► lines ──┐
//!   an interval ──► is the file another? ─┼──► select! ──► one of them, at a time
//!   cargo, then the check ──► verdict ────┘
//! ```
//!
//! What can be learnt from it:
//!
//! - The loop goes on when a branch has won, so the losers are dropped, again and again. A `recv`
//!   and a `tick` lose nothing by that. The check would, so it is not made in the `select!` but
//!   lives outside, and is lent: see [`verdict_of`].
//! - To begin anew is to drop what runs. When the answer is saved during a check, the future of
//!   that check is replaced, and with it goes the program that it waited for.
//! - Nobody waits for the thread that reads stdin: a read cannot be stopped. It has a channel, and
//!   when the program ends, it ends.
//!
//! A file is looked at five times a second, for when it was written and for what is in it. That
//! works on every file system, also on those that tell nobody of a change, and it costs nothing
//! that could be measured.
//!
//! There is no raw mode in the standard library, so a key is a line.

use crate::Error;
use crate::check::{self, Verdict};
use crate::exercise::{self, Exercise};
use crate::learn;
use crate::lesson;
use crate::print;
use crate::progress::{self, Progress};
use handspun::sync::mpsc;
use handspun::task::spawn_blocking;
use handspun::time::{Duration, MissedTickBehavior, interval};
use handspun::{select, spawn};
use std::fs;
use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::SystemTime;

const LOOK: Duration = Duration::from_millis(200);

/// Watches an exercise, and whichever comes next, until somebody has had enough.
pub fn watch(exercise: Exercise) -> Result<ExitCode, Error> {
    handspun::block_on(async {
        let (sender, mut keys) = mpsc::channel(1);
        spawn(read_keys(sender));
        let mut is_typing = true;
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);

        let mut watch = Watch::new(exercise)?;
        loop {
            select! {
                line = keys.recv(), if is_typing => match line {
                    Some(line) if line == "q" => break,
                    Some(line) => watch.obey(&line)?,
                    // Stdin is closed. Who saves is checked nevertheless.
                    None => is_typing = false,
                },
                _ = ticks.tick() => watch.look()?,
                verdict = verdict_of(&mut watch.check) => watch.tell(verdict?)?,
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Sends each line of stdin, until there are no more.
async fn read_keys(keys: mpsc::Sender<String>) {
    loop {
        let line = spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|length| (length > 0).then_some(line))
        });
        let Ok(Ok(Some(line))) = line.await else {
            return;
        };
        if keys.send(line.trim().to_lowercase()).await.is_err() {
            return;
        }
    }
}

type Check = Pin<Box<dyn Future<Output = Result<Verdict, Error>>>>;

/// The verdict of a check that goes on. If there is none, this is pending for ever: in a `select!`
/// the others win. Dropping it loses nothing, for the check is only lent.
async fn verdict_of(check: &mut Option<Check>) -> Result<Verdict, Error> {
    let Some(running) = check else {
        return pending().await;
    };
    let verdict = running.await;
    *check = None; // It must not be polled again.
    verdict
}

struct Watch {
    exercise: Exercise,
    /// The answer as it was when the last check began.
    seen: Seen,
    /// How many looks in a row have found no answer.
    misses: usize,
    check: Option<Check>,
    /// Whether it has been solved since it was opened: then there is no more to be said of it.
    is_solved: bool,
    /// Where the check that goes on draws its run, if it does.
    html: Option<PathBuf>,
}

#[derive(PartialEq)]
struct Seen {
    written: Option<SystemTime>,
    text: Option<Vec<u8>>,
}

impl Seen {
    fn now(exercise: &Exercise) -> Seen {
        let metadata = fs::metadata(exercise.answer());
        Seen {
            written: metadata.and_then(|metadata| metadata.modified()).ok(),
            text: exercise.written(),
        }
    }
}

impl Watch {
    fn new(exercise: Exercise) -> Result<Watch, Error> {
        let mut watch = Watch {
            seen: Seen::now(&exercise),
            exercise,
            misses: 0,
            check: None,
            is_solved: false,
            html: None,
        };
        watch.open()?;
        Ok(watch)
    }

    fn open(&mut self) -> Result<(), Error> {
        self.exercise.open()?;
        Progress::set_opened(&self.exercise);
        self.is_solved = false;
        print(&lesson::task(&self.exercise, &Progress::load())?)?;
        self.begin(None)
    }

    /// Begins a check, and drops the one that goes on.
    fn begin(&mut self, html: Option<PathBuf>) -> Result<(), Error> {
        print(lesson::CHECKING)?;
        check::prepare(&self.exercise)?;
        self.seen = Seen::now(&self.exercise);
        self.html.clone_from(&html);
        self.check = Some(Box::pin(check::check(self.exercise.clone(), html)));
        Ok(())
    }

    /// Checks the answer if it was saved.
    fn look(&mut self) -> Result<(), Error> {
        let now = Seen::now(&self.exercise);
        if now.text.is_none() {
            // Some editors save by putting another file in its place, and for a moment there is
            // none.
            self.misses += 1;
            if self.misses == 5 {
                print(lesson::GONE)?;
            }
            return Ok(());
        }
        self.misses = 0;
        if now == self.seen { Ok(()) } else { self.begin(None) }
    }

    fn tell(&mut self, verdict: Verdict) -> Result<(), Error> {
        let html = self.html.take();
        if html.is_some_and(|html| verdict != Verdict::DoesNotCompile && !html.exists()) {
            print(lesson::NOTHING_TO_DRAW)?;
        }
        // If it was saved meanwhile, the next check tells.
        let is_current = Seen::now(&self.exercise) == self.seen;
        if verdict == Verdict::Solved && is_current && !self.is_solved {
            self.is_solved = true;
            print(&lesson::solved(&self.exercise, &Progress::load())?)?;
            match self.next()? {
                Some(next) => print(&lesson::next(&next)?)?,
                None => print(&lesson::ending()?)?,
            }
        }
        print("\n")?;
        print(lesson::KEYS)?;
        Ok(())
    }

    /// Does what a key asks for.
    fn obey(&mut self, key: &str) -> Result<(), Error> {
        match key {
            "" => {}
            "h" => print(&learn::next_hint(&self.exercise, None, true)?)?,
            "r" => print(&lesson::whole_task(&self.exercise)?)?,
            "c" => self.begin(None)?,
            "t" => {
                let html = progress::drawing_of(&self.exercise)?;
                self.begin(Some(html))?;
            }
            "l" => print(&format!("\n{}", lesson::list()?))?,
            "n" => match self.next()? {
                Some(next) => {
                    self.exercise = next;
                    self.open()?;
                }
                None => print(&lesson::ending()?)?,
            },
            _ => print(lesson::ALL_KEYS)?,
        }
        Ok(())
    }

    /// The next that is not solved: this one again, if it is the only one.
    fn next(&self) -> Result<Option<Exercise>, Error> {
        let all = exercise::all()?;
        let own = all.iter().position(|other| other.name == self.exercise.name);
        let next = Progress::load().unsolved(&all, own.map_or(0, |own| own + 1)).cloned();
        Ok(next)
    }
}
