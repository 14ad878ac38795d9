//! Exercise 13: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_13");

use answer::Ticker;
use handspun::time::MissedTickBehavior::{self, Burst, Delay, Skip};
use handspun::time::{self, Duration, Instant, sleep, timeout};
use handspun::trace::{Event, mark};
use handspun_exercises::{Case, Check, Mistake, Wrong, spawn};
use std::process::ExitCode;

const WAITS_FIRST: Mistake = Mistake {
    name: "waits_first",
    says: "the first tick comes after a period; it should come at once",
};
const DRIFTS: Mistake = Mistake {
    name: "drifts",
    says: "it waits for a period after each tick, so all that is done between ticks comes on top",
};
const STANDS_STILL: Mistake = Mistake {
    name: "stands_still",
    says: "all ticks come at once: the next one is not planned, or it is not waited for",
};
const GIVES_NOW: Mistake = Mistake {
    name: "gives_now",
    says: "`tick` gives the time at which it came, and not the one for which it was planned",
};
const ALWAYS_DELAYS: Mistake = Mistake {
    name: "always_delays",
    says: "each tick is planned a period after the last one came; so nothing is made up for",
};
const ALWAYS_BURSTS: Mistake = Mistake {
    name: "always_bursts",
    says: "all that was missed is made up for, as by `Burst`",
};
const SKIP_MOVES_THE_PLAN: Mistake = Mistake {
    name: "skip_moves_the_plan",
    says: "it goes on a period after the late tick, as `Delay` does, and leaves the plan for good",
};
const SKIP_TICKS_TWICE: Mistake = Mistake {
    name: "skip_ticks_twice",
    says: "the next tick is a point of the plan that has come already; it must be the first that \
           lies ahead",
};
const LATE_TICK_SKIPPED: Mistake = Mistake {
    name: "late_tick_skipped",
    says: "the late tick is left out too; it comes at once, and `Skip` leaves out only those \
           behind it",
};
const LOST_TICK: Mistake = Mistake {
    name: "lost_tick",
    says: "the next tick is planned before this one has come; dropped while it waits, it is lost",
};
const NO_GRACE: Mistake = Mistake {
    name: "no_grace",
    says: "a tick that is up to 5 ms late counts as late; it is on time, and the plan stays",
};
const JUDGED_TOO_EARLY: Mistake = Mistake {
    name: "judged_too_early",
    says: "whether it is late is asked before the wait; other tasks may be busy while it waits",
};
const WHOLE_MILLISECONDS: Mistake = Mistake {
    name: "whole_milliseconds",
    says: "it counts in milliseconds, and this period is not a whole number of them",
};

fn main() -> ExitCode {
    Check::new("13_ticker")
        .case("a ticker ticks at once, and then every second", no_work)
        .case("work of 0.4 s between the ticks does not move them", short_work)
        .case("after a stall until 6.4 s Burst makes up for five ticks", burst)
        .case("after a stall until 6.4 s Delay goes on a period later", delay)
        .case("after a stall until 6.4 s Skip goes on with the plan", skip)
        .case("after a stall until 6 s sharp Skip does not tick twice", skip_sharp)
        .case("a tick that is 5 ms late is on time, and one that is 6 ms late is not", grace)
        .case("a tick that was not waited for to the end is still to come", cancelled)
        .case("a tick that is late because another task was busy is late, too", meanwhile)
        .case("a period need not be a whole number of milliseconds", broken)
        .case("whatever is done between the ticks, they come as those of an interval", interval)
        .run()
}

/// A tick: the time at which it came, and for which it was planned, in milliseconds from the
/// beginning.
#[derive(Clone, Copy, PartialEq)]
struct Tick {
    came: u64,
    planned: u64,
}

/// How a mark of a tick begins.
const TICK: &str = "tick at";

const SECOND: Duration = Duration::from_secs(1);

fn since(start: Instant, end: Instant) -> u64 {
    end.duration_since(start).as_millis().try_into().expect("a case takes less than a year")
}

/// A program: after its ticks it works so many milliseconds, one number for each. `next` gives the
/// next tick, and the ticks that it saw are returned.
async fn work_and_tick(work: &[u64], mut next: impl AsyncFnMut() -> Instant) -> Vec<Tick> {
    let start = Instant::now();
    let mut ticks = Vec::new();
    for &millis in work {
        let planned = since(start, next().await);
        let came = since(start, Instant::now());
        let then = if millis > 0 {
            format!(", then work of {}", seconds(millis))
        } else {
            "".into()
        };
        mark(&format!("{TICK} {}{then}", seconds(came)));
        ticks.push(Tick { came, planned });
        if millis > 0 {
            time::advance(Duration::from_millis(millis)).await;
        }
    }
    ticks
}

/// What it most likely is, by the ticks with which that begins.
type Mistakes<'a> = &'a [(&'a [u64], Mistake)];

/// With a period of a second, and this work, the ticks come at these milliseconds.
fn expect_ticks(
    case: &Case,
    behavior: MissedTickBehavior,
    work: &[u64],
    expected: &[u64],
    mistakes: Mistakes,
) -> Vec<Tick> {
    let ticks = case.block_on(async {
        let mut ticker = Ticker::new(SECOND, behavior);
        work_and_tick(work, async || ticker.tick().await).await
    });
    let came: Vec<u64> = ticks.iter().map(|tick| tick.came).collect();
    compare(case, behavior, &came, expected, mistakes);
    ticks
}

/// That they came at the right time says nothing yet about what they gave.
fn expect_planned(case: &Case, ticks: &[Tick], expected: &[u64]) {
    let planned: Vec<u64> = ticks.iter().map(|tick| tick.planned).collect();
    let Some(nth) = (0..planned.len()).find(|&nth| planned[nth] != expected[nth]) else {
        return;
    };
    let wrong = Wrong::new(
        format!("ticks that were planned for {}", list(expected)),
        format!("{} from `tick`", list(&planned)),
    );
    let mistake = (planned[nth] == ticks[nth].came).then_some(GIVES_NOW);
    let what = format!("planned for {}", seconds(expected[nth]));
    case.is_wrong(wrong.at(record_of(case, nth), what).looks_like(mistake));
}

fn compare(
    case: &Case,
    behavior: MissedTickBehavior,
    came: &[u64],
    expected: &[u64],
    mistakes: Mistakes,
) {
    let Some(nth) = (0..came.len()).find(|&nth| came[nth] != expected[nth]) else {
        return;
    };
    let wrong = Wrong::new(format!("ticks of {behavior:?} at {}", list(expected)), list(came));
    let mistake = mistakes.iter().find(|(mistaken, _)| came.starts_with(mistaken));
    let mistake = mistake.map(|(_, mistake)| *mistake);
    let what = format!("expected at {}", seconds(expected[nth]));
    case.is_wrong(wrong.at(record_of(case, nth), what).looks_like(mistake));
}

/// The record with which the program saw its nth tick, counted from 0.
fn record_of(case: &Case, nth: usize) -> usize {
    let trace = case.trace();
    let mut records = trace.records().iter().enumerate().filter(
        |(_, record)| matches!(&record.event, Event::Mark { text, .. } if text.starts_with(TICK)),
    );
    records.nth(nth).map_or(0, |(record, _)| record)
}

/// "0, 1, 6.4 and 7 s"
fn list(millis: &[u64]) -> String {
    let numbers: Vec<String> = millis.iter().map(|&millis| number(millis)).collect();
    match numbers.split_last() {
        Some((last, [_, ..])) => {
            format!("{} and {last} s", numbers[..numbers.len() - 1].join(", "))
        }
        _ => format!("{} s", numbers.concat()),
    }
}

fn seconds(millis: u64) -> String {
    format!("{} s", number(millis))
}

fn number(millis: u64) -> String {
    (millis as f64 / 1_000.0).to_string()
}

fn no_work(case: &Case) {
    let mistakes: Mistakes = &[(&[0, 0], STANDS_STILL), (&[1_000], WAITS_FIRST)];
    expect_ticks(case, Burst, &[0; 4], &[0, 1_000, 2_000, 3_000], mistakes);
}

fn short_work(case: &Case) {
    let mistakes: Mistakes = &[(&[0, 1_400], DRIFTS)];
    for behavior in [Burst, Delay, Skip] {
        expect_ticks(case, behavior, &[400; 4], &[0, 1_000, 2_000, 3_000], mistakes);
    }
}

/// From the tick at 1 on it works until 6.4.
const STALL: [u64; 9] = [0, 5_400, 0, 0, 0, 0, 0, 0, 0];

fn burst(case: &Case) {
    let expected = [0, 1_000, 6_400, 6_400, 6_400, 6_400, 6_400, 7_000, 8_000];
    let mistakes: Mistakes = &[(&[0, 1_000, 6_400, 7_400], ALWAYS_DELAYS)];
    let ticks = expect_ticks(case, Burst, &STALL, &expected, mistakes);
    let planned = [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000];
    expect_planned(case, &ticks, &planned);
}

fn delay(case: &Case) {
    let expected = [0, 1_000, 6_400, 7_400, 8_400];
    let mistakes: Mistakes = &[(&[0, 1_000, 6_400, 6_400], ALWAYS_BURSTS)];
    expect_ticks(case, Delay, &STALL[..5], &expected, mistakes);
}

fn skip(case: &Case) {
    let expected = [0, 1_000, 6_400, 7_000, 8_000];
    // Made up for: all of it, or only the last.
    let mistakes: Mistakes = &[
        (&[0, 1_000, 6_400, 6_400, 6_400], ALWAYS_BURSTS),
        (&[0, 1_000, 6_400, 6_400], SKIP_TICKS_TWICE),
        (&[0, 1_000, 6_400, 7_400], SKIP_MOVES_THE_PLAN),
        (&[0, 1_000, 7_000], LATE_TICK_SKIPPED),
    ];
    let ticks = expect_ticks(case, Skip, &STALL[..5], &expected, mistakes);
    expect_planned(case, &ticks, &[0, 1_000, 2_000, 7_000, 8_000]);
}

fn skip_sharp(case: &Case) {
    let mistakes: Mistakes = &[(&[0, 1_000, 6_000, 6_000], SKIP_TICKS_TWICE)];
    let work = [0, 5_000, 0, 0, 0];
    expect_ticks(case, Skip, &work, &[0, 1_000, 6_000, 7_000, 8_000], mistakes);
}

fn grace(case: &Case) {
    for behavior in [Burst, Delay, Skip] {
        let expected = [0, 1_005, 2_000, 3_000];
        let mistakes: Mistakes = &[(&[0, 1_005, 2_005], NO_GRACE)];
        expect_ticks(case, behavior, &[1_005, 0, 0, 0], &expected, mistakes);
    }
    expect_ticks(case, Delay, &[1_006, 0, 0, 0], &[0, 1_006, 2_006, 3_006], &[]);
}

fn cancelled(case: &Case) {
    let ticks = case.block_on(async {
        let mut ticker = Ticker::new(SECOND, Burst);
        let impatient = async || match timeout(Duration::from_millis(300), ticker.tick()).await {
            Ok(planned) => planned,
            Err(_) => {
                mark("gives it up");
                ticker.tick().await
            }
        };
        work_and_tick(&[0; 4], impatient).await
    });
    let came: Vec<u64> = ticks.iter().map(|tick| tick.came).collect();
    compare(case, Burst, &came, &[0, 1_000, 2_000, 3_000], &[(&[0, 2_000], LOST_TICK)]);
}

fn meanwhile(case: &Case) {
    let all = [
        (Delay, [0, 1_000, 6_400, 7_400]),
        (Skip, [0, 1_000, 6_400, 7_000]),
    ];
    for (behavior, expected) in all {
        let ticks = case.block_on(async {
            spawn("another", async {
                sleep(Duration::from_millis(1_500)).await;
                mark("another works until 6.4 s");
                time::advance(Duration::from_millis(4_900)).await;
            });
            let mut ticker = Ticker::new(SECOND, behavior);
            work_and_tick(&[0; 4], async || ticker.tick().await).await
        });
        let came: Vec<u64> = ticks.iter().map(|tick| tick.came).collect();
        let mistakes: Mistakes = &[(&[0, 1_000, 6_400, 6_400], JUDGED_TOO_EARLY)];
        compare(case, behavior, &came, &expected, mistakes);
    }
}

fn broken(case: &Case) {
    let ticks = case.block_on(async {
        let mut ticker = Ticker::new(Duration::from_micros(333_300), Skip);
        work_and_tick(&[0, 5_400, 0, 0], async || ticker.tick().await).await
    });
    let came: Vec<u64> = ticks.iter().map(|tick| tick.came).collect();
    let mistakes: Mistakes = &[(&[0, 333, 5_733], WHOLE_MILLISECONDS)];
    compare(case, Skip, &came, &[0, 333, 5_733, 5_999], mistakes);
}

/// What a program may do between two ticks, in milliseconds.
const WORK: [u64; 12] = [
    0, 0, 0, 300, 995, 1_000, 1_005, 1_006, 2_000, 2_500, 3_300, 5_400,
];

/// Numbers that look like any, and are the same in each run: a linear congruence of 64 bits.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % end
    }
}

fn interval(case: &Case) {
    for seed in 0..100 {
        let mut random = Random(seed);
        // The first ones are short, and easier to read if they fail.
        let length = 3 + seed as usize / 15;
        let work: Vec<u64> = (0..length).map(|_| WORK[random.below(WORK.len())]).collect();
        for behavior in [Burst, Delay, Skip] {
            let model = case.block_on(async {
                let mut interval = time::interval(SECOND);
                interval.set_missed_tick_behavior(behavior);
                work_and_tick(&work, async || interval.tick().await).await
            });
            let came: Vec<u64> = model.iter().map(|tick| tick.came).collect();
            let planned: Vec<u64> = model.iter().map(|tick| tick.planned).collect();
            let ticks = expect_ticks(case, behavior, &work, &came, &[]);
            expect_planned(case, &ticks, &planned);
        }
    }
}
