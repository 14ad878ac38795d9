//! What was found, and how it is told: one [`Lint`] for each kind and place, however often.
//!
//! Next: `trace/lint/view.rs`, what a check is shown.

use crate::name::Id;
use crate::trace::event::Place;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// So many lints of a kind, and one that counts the rest.
const MOST: usize = 20;

/// A mistake that a run shows. Printed, it is a sentence or two, and where to read more.
///
/// ```
/// use handspun::executor::Executor;
/// use handspun::time::{Duration, sleep};
/// use handspun::trace::LintKind;
///
/// let executor = Executor::builder().start_paused(true).record(1_000).build();
/// executor.block_on(async {
///     handspun::spawn(sleep(Duration::from_secs(1))); // and nobody waits for it
///     handspun::task::yield_now().await;
/// });
/// let lints = executor.into_trace().lints();
/// assert_eq!(lints.len(), 1);
/// assert_eq!(lints[0].kind, LintKind::DroppedUnfinished);
/// assert!(lints[0].to_string().contains("it was waiting for a timer"));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Lint {
    /// Which mistake.
    pub kind: LintKind,
    /// Whose. If it was found several times with the same cause, that of the worst, or else of the
    /// first. `None` in the lint that counts what was found at further places.
    pub task: Option<Id>,
    /// Where the cause is: where the task was spawned, or for `unpolled-timer` the timer was made,
    /// for `lock-across-wait` the lock. `None` in the lint that counts what was found at further
    /// places.
    pub place: Option<Place>,
    /// When it happened, or began: the executor's time.
    pub at: Duration,
    /// How often it was found with this cause.
    pub count: usize,
    sentence: String,
}

/// What lints there are. `docs/lints.md` explains each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum LintKind {
    /// A task waits to be woken, and nobody has its waker.
    LostWake,
    /// A task wakes itself again and again, and does nothing else.
    SelfWakeSpin,
    /// A poll took 10 ms or more.
    BlockedExecutor,
    /// The same, from a task's first poll to its end, with others in the run queue.
    NeverYielded,
    /// A task has a future of more than 16 KiB.
    LargeFuture,
    /// A task was left to be dropped at the end of the executor.
    DroppedUnfinished,
    /// A timer that nobody polls.
    UnpolledTimer,
    /// A task had a lock while it waited, and another waited 100 ms or more for the lock.
    LockAcrossWait,
}

impl Lint {
    /// What it says, without where to read more.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} See {}", self.sentence, self.kind.page())
    }
}

impl LintKind {
    /// Every kind.
    pub const ALL: &'static [LintKind] = &[
        LintKind::LostWake,
        LintKind::SelfWakeSpin,
        LintKind::BlockedExecutor,
        LintKind::NeverYielded,
        LintKind::LargeFuture,
        LintKind::DroppedUnfinished,
        LintKind::UnpolledTimer,
        LintKind::LockAcrossWait,
    ];

    /// Its name, as in `"lost-wake"`.
    pub fn name(self) -> &'static str {
        match self {
            LintKind::LostWake => "lost-wake",
            LintKind::SelfWakeSpin => "self-wake-spin",
            LintKind::BlockedExecutor => "blocked-executor",
            LintKind::NeverYielded => "never-yielded",
            LintKind::LargeFuture => "large-future",
            LintKind::DroppedUnfinished => "dropped-unfinished",
            LintKind::UnpolledTimer => "unpolled-timer",
            LintKind::LockAcrossWait => "lock-across-wait",
        }
    }

    /// Where it is explained, as in `"docs/lints.md#lost-wake"`.
    pub fn page(self) -> String {
        format!("docs/lints.md#{}", self.name())
    }
}

impl fmt::Display for LintKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// All that was found of one kind, in the order in which it was found.
#[derive(Default)]
pub(super) struct Found {
    /// One for each place.
    finds: Vec<Find>,
    by_place: BTreeMap<Place, usize>,
    /// Of the first [`MOST`].
    sentences: Vec<String>,
}

/// Something that was found.
#[derive(Clone, Copy)]
pub(super) struct Find {
    pub(super) task: Id,
    pub(super) place: Place,
    pub(super) at: Duration,
    /// Of what was found at one place, the heaviest is told, or the first of the heaviest.
    pub(super) weight: u128,
    pub(super) count: usize,
}

impl Find {
    pub(super) fn new(task: Id, place: Place, at: Duration) -> Find {
        Find {
            task,
            place,
            at,
            weight: 0,
            count: 1,
        }
    }

    pub(super) fn weighing(self, weight: u128) -> Find {
        Find { weight, ..self }
    }
}

impl Found {
    /// `sentence` is only asked for if it is to be told.
    pub(super) fn add(&mut self, find: Find, sentence: impl FnOnce() -> String) {
        let next = self.finds.len();
        let index = *self.by_place.entry(find.place).or_insert(next);
        if index == next {
            self.finds.push(find);
            if index < MOST {
                self.sentences.push(sentence());
            }
            return;
        }
        let known = &mut self.finds[index];
        let count = known.count + find.count;
        if find.weight > known.weight {
            *known = find;
            if let Some(told) = self.sentences.get_mut(index) {
                *told = sentence();
            }
        }
        known.count = count;
    }

    pub(super) fn into_lints(self, kind: LintKind) -> impl Iterator<Item = Lint> {
        let beyond = self.finds.get(MOST).map(|first| Lint {
            kind,
            task: None,
            place: None,
            at: first.at,
            count: self.finds[MOST..].iter().map(|find| find.count).sum(),
            sentence: match self.finds.len() - MOST {
                1 => "The same was found at one more place of the program.".to_string(),
                more => format!("The same was found at {more} more places of the program."),
            },
        });
        let told = self.finds.into_iter().zip(self.sentences);
        let told = told.map(move |(find, sentence)| Lint {
            kind,
            task: Some(find.task),
            place: Some(find.place),
            at: find.at,
            count: find.count,
            sentence: sentence + &again(kind, find.task, find.count - 1),
        });
        told.chain(beyond)
    }
}

/// The sentence that tells how often else it was found with the same cause.
fn again(kind: LintKind, task: Id, more: usize) -> String {
    if more == 0 {
        return String::new();
    }
    let times = match more {
        1 => "once more".to_string(),
        _ => format!("{more} more times"),
    };
    let some = |what: &str| match more {
        1 => format!("one more {what}"),
        _ => format!("{more} more {what}s"),
    };
    match kind {
        LintKind::SelfWakeSpin | LintKind::BlockedExecutor if task.is_root() => {
            format!(" It happened {times}.")
        }
        LintKind::SelfWakeSpin | LintKind::BlockedExecutor => {
            format!(" It happened {times} in tasks spawned there.")
        }
        LintKind::LockAcrossWait => format!(" It happened {times} with locks made there."),
        LintKind::UnpolledTimer => format!(" The same is true of {} made there.", some("timer")),
        _ => format!(" The same is true of {} spawned there.", some("task")),
    }
}
