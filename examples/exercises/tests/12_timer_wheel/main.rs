//! Exercise 12: the check.
//!
//! The answer is no future, so there is no run to draw. Instead a case plays *schedules*, lists of
//! calls, and the one that fails is shown (`schedule.rs`, beside this).

handspun_exercises::answer!("HANDSPUN_ANSWER_12");

mod schedule;

use answer::Wheel;
use handspun_exercises::{Case, Check, Mistake, Wrong, with_commas};
use schedule::Step::{self, Advance, Arm, Disarm};
use schedule::{Difference, Random, Schedule, fails, lock, play, random, shortest};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LOST_IN_THE_PAST: Mistake = Mistake {
    name: "lost_in_the_past",
    says: "what is due when it is armed goes to a slot whose turn is over, and waits a round",
};
const ONLY_THE_LAST_TICK: Mistake = Mistake {
    name: "only_the_last_tick",
    says: "`advance` looks at the slot of `now`, and not at those that it passes on the way",
};
const NO_CASCADE: Mistake = Mistake {
    name: "no_cascade",
    says: "what is in a slot of level 1 fires when the slot begins; it must be sorted finer first",
};
const NEVER_CASCADES: Mistake = Mistake {
    name: "never_cascades",
    says: "what is on level 1 does not come down to level 0, in time or at all",
};
const CASCADE_LATE: Mistake = Mistake {
    name: "cascade_late",
    says: "where a slot begins it fires, and then cascades: too late for what is due at that tick",
};
const WRAPS_AROUND: Mistake = Mistake {
    name: "wraps_around",
    says: "what is due after this round goes to a slot of this one, and comes a round too early",
};
const STAYS_FAR: Mistake = Mistake {
    name: "stays_far",
    says: "what is far away is not put anew, or too late, when a round of 4,096 ticks begins",
};
const OVERTAKES: Mistake = Mistake {
    name: "overtakes",
    says: "who was armed later went to level 0 directly, and is in the slot when the others come \
           down to it",
};
const SWAP_REMOVE: Mistake = Mistake {
    name: "swap_remove",
    says: "to take one out has changed the order of the others",
};
const TAKES_ANOTHER: Mistake = Mistake {
    name: "takes_another",
    says: "the key names a place; it must name an entry, for others come to that place",
};
const REMEMBERS_PLACE: Mistake = Mistake {
    name: "remembers_place",
    says: "the key knows in which slot the entry was put; meanwhile it has cascaded",
};
const MOVES_ALL: Mistake = Mistake {
    name: "moves_all",
    says: "entries are put anew too often: a slot of level 1 has its turn once in 64 ticks, and \
           `far` once in a round of 4,096",
};

fn main() -> ExitCode {
    Check::new("12_timer_wheel")
        .case("an entry fires at its tick, and not before", one)
        .case("what is due already fires on the next tick", due_already)
        .case("one step past many ticks fires them all, in order", many_ticks)
        .case("an entry on level 1 fires at its tick", level_1)
        .case("an entry beyond level 1 fires at its tick", far)
        .case("equal deadlines fire in the order of arming, whatever way they came", equal)
        .case("what is disarmed does not fire, and nothing else changes", disarmed)
        .case("from arming to firing an entry is put into a slot three times at most", moves)
        .case("10,000 random schedules fire what a sorted list would", random_schedules)
        .run()
}

/// What a difference most likely is: something came too early, too late or not at all, or all came,
/// and in another order.
#[derive(Clone, Copy)]
struct Mistakes {
    early: Option<Mistake>,
    late: Option<Mistake>,
    order: Option<Mistake>,
}

const UNKNOWN: Mistakes = Mistakes {
    early: None,
    late: None,
    order: None,
};

/// A schedule that is shown if the case ends, however it does.
fn shown(case: &Case, title: String) -> Arc<Mutex<Schedule>> {
    let schedule = Arc::new(Mutex::new(Schedule::with_title(title)));
    let shown = schedule.clone();
    case.show(move || lock(&shown).to_string());
    schedule
}

/// Each of these calls returns what it must.
fn holds(case: &Case, title: &str, steps: &[Step], mistakes: Mistakes) {
    let schedule = shown(case, title.to_string());
    let Some(difference) = play(&schedule, steps) else {
        return;
    };
    let mistake = match difference {
        Difference::Early => mistakes.early,
        Difference::Late => mistakes.late,
        Difference::Order => mistakes.order,
    };
    let (expected, got) = lock(&schedule).expected_and_got();
    case.is_wrong(Wrong::new(expected, got).looks_like(mistake));
}

const SCHEDULE: &str = "The wheel stands at tick 0.";

fn one(case: &Case) {
    let steps = [
        Arm(3),
        Advance(2),
        Advance(3),
        Advance(4),
        Arm(7),
        Advance(1),
        Advance(6),
        Advance(7),
    ];
    holds(case, SCHEDULE, &steps, UNKNOWN);
}

fn due_already(case: &Case) {
    let mistakes = Mistakes {
        late: Some(LOST_IN_THE_PAST),
        ..UNKNOWN
    };
    holds(case, SCHEDULE, &[Arm(0), Advance(1)], mistakes);
    let steps = [
        Advance(10),
        Arm(5),
        Arm(10),
        Arm(11),
        Advance(10),
        Advance(11),
    ];
    holds(case, SCHEDULE, &steps, mistakes);
}

fn many_ticks(case: &Case) {
    let mistakes = Mistakes {
        late: Some(ONLY_THE_LAST_TICK),
        ..UNKNOWN
    };
    let steps = [Arm(5), Arm(2), Arm(60), Arm(5), Arm(3), Advance(61)];
    holds(case, SCHEDULE, &steps, mistakes);
}

/// Armed when the present is there, fires at its tick.
fn fires_at(case: &Case, present: u64, deadline: u64, mistakes: Mistakes) {
    let steps = [
        Advance(present),
        Arm(deadline),
        Advance(deadline - 1),
        Advance(deadline),
    ];
    let steps = if present == 0 { &steps[1..] } else { &steps };
    holds(case, SCHEDULE, steps, mistakes);
}

fn level_1(case: &Case) {
    let mut mistakes = Mistakes {
        early: Some(NO_CASCADE),
        late: Some(NEVER_CASCADES),
        ..UNKNOWN
    };
    fires_at(case, 0, 100, mistakes);
    mistakes.late = Some(CASCADE_LATE);
    for present in [0, 1, 62, 63, 64] {
        for deadline in [63, 64, 65, 127, 128, 129] {
            if present < deadline {
                fires_at(case, present, deadline, mistakes);
            }
        }
    }
}

fn far(case: &Case) {
    let mistakes = Mistakes {
        early: Some(WRAPS_AROUND),
        late: Some(STAYS_FAR),
        ..UNKNOWN
    };
    for deadline in [4_095, 4_096, 4_097, 4_100, 5_000, 8_191, 8_192, 9_000] {
        for present in [0, 63, 64, 4_032, 4_090] {
            fires_at(case, present, deadline, mistakes);
        }
    }
}

fn equal(case: &Case) {
    let mistakes = Mistakes {
        order: Some(OVERTAKES),
        ..UNKNOWN
    };
    holds(case, SCHEDULE, &[Arm(70), Advance(10), Arm(70), Advance(70)], mistakes);
    let steps = [
        Arm(4_200),
        Advance(200),
        Arm(4_200),
        Advance(4_150),
        Arm(4_200),
        Advance(4_200),
    ];
    holds(case, SCHEDULE, &steps, mistakes);
}

fn disarmed(case: &Case) {
    let mut mistakes = Mistakes {
        early: Some(TAKES_ANOTHER),
        late: None,
        order: Some(SWAP_REMOVE),
    };
    let arm_three = [Arm(10); 3];
    for disarm in [&[Disarm(0)][..], &[Disarm(0), Disarm(1)]] {
        let steps = [&arm_three, disarm, &[Advance(10)]].concat();
        holds(case, SCHEDULE, &steps, mistakes);
    }
    // A key that has had its turn takes nothing, and least of all what came after it.
    let disarmed = [Arm(5), Disarm(0), Arm(5), Disarm(0), Advance(5)];
    let fired = [Arm(5), Advance(5), Arm(5), Disarm(0), Advance(6)];
    for steps in [&disarmed[..], &fired] {
        holds(case, SCHEDULE, steps, mistakes);
    }
    mistakes.late = Some(REMEMBERS_PLACE);
    let cascaded = [Arm(100), Advance(64), Disarm(0), Advance(100)];
    holds(case, SCHEDULE, &cascaded, mistakes);
}

fn moves(case: &Case) {
    const ENTRIES: usize = 1_000;
    let mut wheel = Wheel::new();
    let mut random = Random(0);
    // In the next round, and not in its first slot: there are three places on the way.
    for nth in 0..ENTRIES {
        wheel.arm(4_160 + random.below(4_000), nth);
    }
    for now in 1..=8_160 {
        wheel.advance(now);
    }
    let most = 3 * ENTRIES;
    if wheel.moves() > most {
        let [most, entries, moves] = [most, ENTRIES, wheel.moves()].map(with_commas);
        let expected = format!("at most {most} moves of {entries} entries");
        case.is_wrong(Wrong::new(expected, moves).looks_like(MOVES_ALL));
    }
}

fn random_schedules(case: &Case) {
    // As a rule it takes half a second; but not of a slow wheel on a busy machine.
    case.may_take(Duration::from_secs(20));
    for seed in 0..10_000 {
        let schedule = shown(case, format!("A random schedule, of seed {seed}."));
        let steps = random(seed);
        if fails(&schedule, &steps) {
            let steps = shortest(&schedule, steps);
            let title =
                format!("A random schedule, of seed {seed}, made as short as it can be and fail.");
            holds(case, &title, &steps, UNKNOWN);
            case.is_wrong(Wrong::new("the same answers to the same calls", "others"));
        }
    }
}
