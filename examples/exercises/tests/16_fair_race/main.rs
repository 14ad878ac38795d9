//! Exercise 16: the check.

handspun_exercises::answer!("HANDSPUN_ANSWER_16");

use answer::{Racer, Rotor, timeout};
use handspun::sync::mpsc::unbounded_channel;
use handspun::task::yield_now;
use handspun::time::{self, Duration, Instant, sleep};
use handspun::trace;
use handspun_exercises::{Case, Check, Mistake, Wrong, spawn};
use std::cell::Cell;
use std::fmt::Display;
use std::future::{pending, poll_fn, ready};
use std::process::ExitCode;
use std::rc::Rc;
use std::task::Poll;

const STOPS_AT_PENDING: Mistake = Mistake {
    name: "stops_at_pending",
    says: "one is pending, and those behind it are not polled; `ready!` does that, for one",
};
const WAKES_ITSELF: Mistake = Mistake {
    name: "wakes_itself",
    says: "it asks for the next poll by itself; each of the racers has its waker, and will call it",
};
const ALWAYS_FIRST: Mistake = Mistake {
    name: "always_first",
    says: "each race begins with the same one, and that one wins whenever it is ready",
};
const ONE_FURTHER: Mistake = Mistake {
    name: "one_further",
    says: "the start moves on by one; so when it is the turn of one that is not ready, the one \
           behind it wins, and once more in the next race, when the turn is its own",
};
const MOVES_WHILE_IT_WAITS: Mistake = Mistake {
    name: "moves_while_it_waits",
    says: "the rotor moves on with each poll in which none is ready; it should only with a win",
};
const FORGETS_WHILE_IT_WAITS: Mistake = Mistake {
    name: "forgets_while_it_waits",
    says: "its first poll begins where the rotor says, and a later one with the first of all",
};
const OUT_OF_RANGE: Mistake = Mistake {
    name: "out_of_range",
    says: "the rotor remembers a number that this race does not have; it has fewer racers than \
           the last one",
};
const POLLS_THE_REST: Mistake = Mistake {
    name: "polls_the_rest",
    says: "there is a winner, and others are polled; what they give is lost",
};
const LOSERS_LIVE: Mistake = Mistake {
    name: "losers_live",
    says: "the race keeps the losers until it is dropped itself",
};
const SLEEP_FIRST: Mistake = Mistake {
    name: "sleep_first",
    says: "the sleep is polled before the future",
};
const SHARED_ROTOR: Mistake = Mistake {
    name: "shared_rotor",
    says: "its rotor has seen other races, and gives the sleep its turn to be the first",
};
const LOOKS_AT_THE_CLOCK: Mistake = Mistake {
    name: "looks_at_the_clock",
    says: "the output is there, and is refused since it is late; what is ready is never refused",
};
const REFUSES_ZERO: Mistake = Mistake {
    name: "refuses_zero",
    says: "with a duration of zero it does not even ask the future, which is ready",
};

fn main() -> ExitCode {
    Check::new("16_fair_race")
        .case("who is ready wins, wherever it stands", who_is_ready)
        .case("when none is ready, it waits for the first that will be", waits)
        .case("three that are always ready win in turn", in_turn)
        .case("if one of three is never ready, the others win in turn", two_in_turn)
        .case("three that get ready together, later, win in turn", later)
        .case("a race may have fewer racers than the last one", fewer)
        .case("what a loser has not given is not lost", not_lost)
        .case("the losers are dropped before the race is ready", losers)
        .case("a timeout gives the output, or None when the time is up", in_time)
        .case("what is ready when the time is up is in time, each of three times", at_the_deadline)
        .case("what is ready is in time, also when it is asked late", asked_late)
        .case("a timeout of zero asks the future once", zero)
        .run()
}

/// Ready at once, if it is to be ready at all.
fn racer(is_ready: bool) -> Racer<'static, ()> {
    if is_ready { Box::pin(ready(())) } else { Box::pin(pending()) }
}

async fn after(millis: u64) {
    sleep(Duration::from_millis(millis)).await;
}

/// The last record so far, in a run that goes on.
fn now() -> usize {
    trace::current().map_or(0, |trace| trace.records().len().saturating_sub(1))
}

/// These are equal, and if not, it shows in the last poll of the run.
fn expect<T: PartialEq + Display>(
    case: &Case,
    got: T,
    expected: T,
    mistake: impl Into<Option<Mistake>>,
) {
    if got != expected {
        let last = case.polls().last().map_or(0, |poll| poll.began);
        let wrong = Wrong::new(expected, got).looks_like(mistake);
        case.is_wrong(wrong.at(last, "this is the result"));
    }
}

fn who_is_ready(case: &Case) {
    for expected in 0..3 {
        if expected > 0 {
            case.if_it_stalls(STOPS_AT_PENDING);
        }
        let winner = case.block_on(async {
            let racers = (0..3).map(|number| racer(number == expected)).collect();
            Rotor::new().race(racers).await.0
        });
        let name = |number| format!("the winner {number}");
        expect(case, name(winner), name(expected), None);
    }
}

fn waits(case: &Case) {
    case.if_it_never_ends(WAKES_ITSELF);
    let (winner, time) = case.block_on(async {
        let start = Instant::now();
        let racers: Vec<Racer<()>> = [300, 100, 200].map(|ms| Box::pin(after(ms)) as _).into();
        let (winner, ()) = Rotor::new().race(racers).await;
        (winner, start.elapsed())
    });
    let told = |winner, seconds| format!("the winner {winner} at {seconds} s");
    let mistake = (winner == 0).then_some(STOPS_AT_PENDING);
    expect(case, told(winner, time.as_secs_f64()), told(1, 0.1), mistake);
    case.expect_polls("root", 2, &[]);
}

/// Races of these, one after the other. Each has polls of its own, in the drawing too. The
/// mistakes, by the winners that they make.
fn expect_winners(
    case: &Case,
    racers: impl Fn() -> Vec<Racer<'static, ()>>,
    expected: &[usize],
    mistakes: &[(&[usize], Mistake)],
) {
    let races = case.block_on(async {
        let rotor = Rotor::new();
        let mut races = Vec::new();
        for _ in expected {
            let (winner, ()) = rotor.race(racers()).await;
            races.push((winner, now()));
            yield_now().await;
        }
        races
    });
    let told = |winners: &[usize]| {
        let winners: Vec<String> = winners.iter().map(usize::to_string).collect();
        format!("the winners {}", winners.join(" "))
    };
    let winners: Vec<usize> = races.iter().map(|&(winner, _)| winner).collect();
    let Some(race) = (0..expected.len()).find(|&race| winners[race] != expected[race]) else {
        return;
    };
    let mistake = mistakes.iter().find(|(mistaken, _)| winners == *mistaken);
    let mistake = mistake.map(|(_, mistake)| *mistake);
    let wrong = Wrong::new(told(expected), told(&winners)).looks_like(mistake);
    let what = format!("it was the turn of {}, and {} wins", expected[race], winners[race]);
    case.is_wrong(wrong.at(races[race].1, what));
}

fn in_turn(case: &Case) {
    let turns = [0, 1, 2, 0, 1, 2, 0, 1, 2];
    let racers = || [true; 3].map(racer).into();
    expect_winners(case, racers, &turns, &[(&[0; 9], ALWAYS_FIRST)]);
}

fn two_in_turn(case: &Case) {
    let turns = [0, 2, 0, 2, 0, 2, 0, 2, 0];
    let further = [0, 2, 2, 0, 2, 2, 0, 2, 2];
    let racers = || [true, false, true].map(racer).into();
    expect_winners(case, racers, &turns, &[(&further, ONE_FURTHER)]);
}

fn later(case: &Case) {
    let racers = || (0..3).map(|_| Box::pin(after(100)) as _).collect();
    let mistakes: [(&[usize], _); 2] = [
        (&[1, 0, 2, 1, 0, 2], MOVES_WHILE_IT_WAITS),
        (&[0; 6], FORGETS_WHILE_IT_WAITS),
    ];
    expect_winners(case, racers, &[0, 1, 2, 0, 1, 2], &mistakes);
}

/// With whom the second begins is not asked: its only racer wins in any case.
fn fewer(case: &Case) {
    case.if_it_panics(OUT_OF_RANGE);
    let winners = case.block_on(async {
        let rotor = Rotor::new();
        let (of_three, ()) = rotor.race([false, true, false].map(racer).into()).await;
        let (of_one, ()) = rotor.race(vec![Box::pin(after(100))]).await;
        format!("the winners {of_three} {of_one}")
    });
    expect(case, winners, "the winners 1 0".to_string(), None);
}

fn not_lost(case: &Case) {
    let left = case.block_on(async {
        let rotor = Rotor::new();
        let (send_tea, mut tea) = unbounded_channel();
        let (send_coffee, mut coffee) = unbounded_channel();
        send_tea.send("tea").unwrap();
        send_coffee.send("coffee").unwrap();
        rotor.race(vec![Box::pin(tea.recv()), Box::pin(coffee.recv())]).await;
        [tea.try_recv().ok(), coffee.try_recv().ok()]
    });
    let told =
        |left: Option<&str>| format!("{} in the channel of the loser", left.unwrap_or("nothing"));
    let left = left.into_iter().find(Option::is_some).flatten();
    expect(case, told(left), told(Some("coffee")), POLLS_THE_REST);
}

/// Counts those that are there.
struct Guard(Rc<Cell<usize>>);

impl Guard {
    fn new(count: &Rc<Cell<usize>>) -> Guard {
        count.set(count.get() + 1);
        Guard(count.clone())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

fn losers(case: &Case) {
    let left = case.block_on(async {
        let count = Rc::default();
        let rotor = Rotor::new();
        let guarded = |millis| {
            let guard = Guard::new(&count);
            Box::pin(async move {
                let _guard = guard;
                after(millis).await;
            }) as Racer<()>
        };
        let mut race = rotor.race([300, 100, 200].map(guarded).into());
        (&mut race).await;
        count.get()
    });
    expect(case, format!("{left} racers left"), "0 racers left".to_string(), LOSERS_LIVE);
}

fn told(output: Option<u32>) -> String {
    format!("{output:?}")
}

fn in_time(case: &Case) {
    let tenth = Duration::from_millis(100);
    let output = case.block_on(timeout(tenth, async {
        after(50).await;
        7
    }));
    expect(case, told(output), told(Some(7)), None);
    let (output, time) = case.block_on(async {
        let start = Instant::now();
        let output = timeout(tenth, async {
            after(200).await;
            7
        });
        (output.await, start.elapsed())
    });
    expect(case, told(output), told(None), None);
    expect(case, format!("{time:?}"), format!("{tenth:?}"), None);
}

fn at_the_deadline(case: &Case) {
    let outputs = case.block_on(async {
        let mut outputs = Vec::new();
        for _ in 0..3 {
            let limited = timeout(Duration::from_millis(100), async {
                after(100).await;
                7
            });
            outputs.push((limited.await, now()));
        }
        outputs
    });
    // The first of three is right if the sleep gets its turn only later.
    if let Some(wrong) = outputs.iter().position(|&(output, _)| output != Some(7)) {
        let mistake = if wrong == 0 { SLEEP_FIRST } else { SHARED_ROTOR };
        let what = format!("timeout {} is late", wrong + 1);
        let (output, now) = outputs[wrong];
        let wrong = Wrong::new(told(Some(7)), told(output)).looks_like(mistake);
        case.is_wrong(wrong.at(now, what));
    }
}

fn asked_late(case: &Case) {
    let output = case.block_on(async {
        spawn("busy", async {
            trace::mark("busy for 0.15 s");
            time::advance(Duration::from_millis(150)).await;
        });
        let future = async {
            after(50).await;
            7
        };
        timeout(Duration::from_millis(100), future).await
    });
    expect(case, told(output), told(Some(7)), LOOKS_AT_THE_CLOCK);
}

fn zero(case: &Case) {
    let output = case.block_on(timeout(Duration::ZERO, ready(7)));
    expect(case, told(output), told(Some(7)), REFUSES_ZERO);
    let polls = Cell::new(0);
    let output = case.block_on(timeout(
        Duration::ZERO,
        poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::Pending
        }),
    ));
    expect(case, told(output), told(None), None);
    let count = |polls| format!("{polls} polls of the future");
    expect(case, count(polls.get()), count(1), None);
}
