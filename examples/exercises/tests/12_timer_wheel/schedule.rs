//! Schedules: lists of calls to a wheel. A sorted list says what each of them has to return.
//!
//! [`play`] makes the calls, and [`Schedule`] shows how far it came. [`random`] makes a schedule of
//! a seed, and [`shortest`] leaves out of one that fails whatever is not needed to fail.

use super::answer::{Key, Wheel};
use Step::{Advance, Arm, Disarm};
use std::fmt::{self, Display, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A call.
#[derive(Clone, Copy)]
pub enum Step {
    /// With this deadline.
    Arm(u64),
    /// Of what this step has armed: steps are counted from 0.
    Disarm(usize),
    Advance(u64),
}

/// The entries that a call returns. Each has the number of the step that armed it for its value,
/// and is shown as a letter.
#[derive(Clone, PartialEq)]
pub struct Returned(Vec<usize>);

/// A schedule that is played.
#[derive(Default)]
pub struct Schedule {
    title: String,
    steps: Vec<Step>,
    /// What the calls so far must return; after that of the last one nothing is known yet.
    expected: Vec<Returned>,
    /// What the last of them has returned, if it has.
    got: Option<Returned>,
}

/// How a call was wrong.
pub enum Difference {
    Early,
    Late,
    Order,
}

/// What must be on the wheel.
#[derive(Default)]
struct SortedList {
    now: u64,
    /// Deadlines, and who has them: in order, so that equal deadlines are in that of arming.
    armed: Vec<(u64, usize)>,
}

impl SortedList {
    fn call(&mut self, nth: usize, step: Step) -> Returned {
        Returned(match step {
            Arm(deadline) => {
                self.armed.push((deadline.max(self.now + 1), nth));
                self.armed.sort_unstable();
                Vec::new()
            }
            Disarm(armed) => self.armed.extract_if(.., |entry| entry.1 == armed).map(by).collect(),
            Advance(now) => {
                self.now = self.now.max(now);
                let due = self.armed.partition_point(|&(deadline, _)| deadline <= self.now);
                self.armed.drain(..due).map(by).collect()
            }
        })
    }
}

fn by((_, nth): (u64, usize)) -> usize {
    nth
}

/// The wheel of the answer, and the keys that it has given.
struct Answer {
    wheel: Wheel<usize>,
    keys: Vec<Option<Key>>,
}

impl Answer {
    fn call(&mut self, nth: usize, step: Step) -> Returned {
        self.keys.push(None);
        Returned(match step {
            Arm(deadline) => {
                self.keys[nth] = Some(self.wheel.arm(deadline, nth));
                Vec::new()
            }
            Disarm(armed) => {
                let key = self.keys[armed].expect("a step that arms");
                self.wheel.disarm(key).into_iter().collect()
            }
            Advance(now) => self.wheel.advance(now),
        })
    }
}

/// Makes these calls on a new wheel, up to the first that returns something else than it must.
pub fn play(schedule: &Arc<Mutex<Schedule>>, steps: &[Step]) -> Option<Difference> {
    let mut list = SortedList::default();
    let mut answer = Answer {
        wheel: Wheel::new(),
        keys: Vec::new(),
    };
    lock(schedule).begin(steps);
    for (nth, &step) in steps.iter().enumerate() {
        let expected = list.call(nth, step);
        lock(schedule).expected.push(expected.clone());
        let got = answer.call(nth, step);
        if got != expected {
            let difference = Difference::between(&expected, &got);
            lock(schedule).got = Some(got);
            return Some(difference);
        }
    }
    None
}

pub fn lock(schedule: &Mutex<Schedule>) -> MutexGuard<'_, Schedule> {
    schedule.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Difference {
    fn between(Returned(expected): &Returned, Returned(got): &Returned) -> Difference {
        if got.iter().any(|entry| !expected.contains(entry)) {
            Difference::Early
        } else if expected.iter().any(|entry| !got.contains(entry)) {
            Difference::Late
        } else {
            Difference::Order
        }
    }
}

// What is shown.

impl Schedule {
    pub fn with_title(title: String) -> Schedule {
        Schedule {
            title,
            ..Schedule::default()
        }
    }

    fn begin(&mut self, steps: &[Step]) {
        self.steps = steps.to_vec();
        self.expected.clear();
        self.got = None;
    }

    /// What the last call had to return, "a, b from `advance(70)`"; and what it has returned.
    pub fn expected_and_got(&self) -> (String, String) {
        let nth = self.expected.len() - 1;
        let expected = format!("{} from `{}`", self.list(&self.expected[nth]), self.call(nth));
        (expected, self.got.as_ref().map_or(String::new(), |got| self.list(got)))
    }

    fn call(&self, nth: usize) -> String {
        match self.steps[nth] {
            Arm(deadline) => format!("arm({deadline})"),
            Disarm(armed) => format!("disarm({})", self.name(armed)),
            Advance(now) => format!("advance({now})"),
        }
    }

    /// A letter for each step that arms.
    fn name(&self, nth: usize) -> String {
        let before = self.steps[..nth].iter().filter(|step| matches!(step, Arm(_))).count();
        let letter = char::from(b'a' + (before % 26) as u8);
        if before < 26 {
            letter.to_string()
        } else {
            format!("{letter}{}", before / 26)
        }
    }

    fn list(&self, returned: &Returned) -> String {
        let names: Vec<String> = returned.0.iter().map(|&nth| self.name(nth)).collect();
        if names.is_empty() { "nothing".to_string() } else { names.join(", ") }
    }
}

impl Display for Schedule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, " {}", self.title)?;
        write!(f, "\n call            must return")?;
        for (nth, expected) in self.expected.iter().enumerate() {
            let must = match self.steps[nth] {
                Arm(_) => format!("the key of {}", self.name(nth)),
                _ => self.list(expected),
            };
            write!(f, "\n {:<14}  {must}", self.call(nth))?;
        }
        match &self.got {
            Some(got) => write!(f, "   HERE: {}", self.list(got)),
            None => write!(f, "   HERE: it went no further"),
        }
    }
}

// Random schedules.

/// The schedule that this seed makes. The greater the seed, the longer.
pub fn random(seed: u64) -> Vec<Step> {
    let mut random = Random(seed);
    let mut now = 0;
    let mut armed = Vec::new();
    let length = 2 + seed as usize / 600;
    let steps = (0..length).map(|nth| match random.below(10) {
        0..5 => {
            armed.push(nth);
            Arm(random.tick(now))
        }
        5..7 if !armed.is_empty() => Disarm(armed[random.below(armed.len() as u64) as usize]),
        _ => {
            let is_near = random.below(8) > 0;
            let to = if is_near { random.near_tick(now) } else { random.tick(now) };
            now = now.max(to);
            Advance(to)
        }
    });
    steps.collect()
}

/// Numbers that look like any, and are the same in each run: splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end
    }

    /// A tick as seen from `now`, with a weight on those where slots and rounds begin.
    fn tick(&mut self, now: u64) -> u64 {
        match self.below(10) {
            0..6 => self.near_tick(now),
            6..8 => (now / 4_096 + 1) * 4_096 + self.below(3) - 1,
            _ => now + self.below(9_000),
        }
    }

    /// One that is soon reached, also by a wheel that goes through all ticks.
    fn near_tick(&mut self, now: u64) -> u64 {
        match self.below(10) {
            0..3 => now + self.below(8),
            3..6 => now + self.below(130),
            6..9 => (now / 64 + 1) * 64 + self.below(3) - 1,
            _ => now.saturating_sub(self.below(100)),
        }
    }
}

/// What is left of a schedule that fails, if everything is left out that it does not need to fail,
/// and numbers are as low as can be.
pub fn shortest(schedule: &Arc<Mutex<Schedule>>, mut steps: Vec<Step>) -> Vec<Step> {
    let next = |steps: &[Step]| shorter(steps).into_iter().find(|steps| fails(schedule, steps));
    while let Some(shorter) = next(&steps) {
        steps = shorter;
    }
    steps
}

/// A panic is a failure, too.
pub fn fails(schedule: &Arc<Mutex<Schedule>>, steps: &[Step]) -> bool {
    let played = catch_unwind(AssertUnwindSafe(|| play(schedule, steps)));
    played.map_or(true, |difference| difference.is_some())
}

/// Schedules with one step less, or with one number that is lower.
fn shorter(steps: &[Step]) -> Vec<Vec<Step>> {
    let mut all: Vec<_> = (0..steps.len()).map(|nth| without(steps, nth)).collect();
    for (nth, &step) in steps.iter().enumerate() {
        let (Arm(tick) | Advance(tick)) = step else {
            continue;
        };
        for less in [tick, 4_096, 512, 64, 8, 1] {
            let Some(lower) = tick.checked_sub(less).filter(|&lower| lower < tick) else {
                continue;
            };
            let mut steps = steps.to_vec();
            steps[nth] = if matches!(step, Arm(_)) { Arm(lower) } else { Advance(lower) };
            all.push(steps);
        }
    }
    all
}

/// The steps but this one, and what it arms is not disarmed.
fn without(steps: &[Step], left_out: usize) -> Vec<Step> {
    let others = steps.iter().enumerate().filter(|(nth, _)| *nth != left_out);
    let steps = others.filter_map(|(_, &step)| match step {
        Disarm(armed) if armed == left_out => None,
        Disarm(armed) if armed > left_out => Some(Disarm(armed - 1)),
        step => Some(step),
    });
    steps.collect()
}
