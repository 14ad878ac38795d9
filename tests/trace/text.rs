//! The text timeline: what real programs look like, and what holds of every drawing.
//!
//! The drawings are in `tests/trace/snapshots/`. After a change that was meant,
//! `HANDSPUN_BLESS=1 cargo test --test trace text` writes what is drawn now: read the difference.

use handspun::executor::Executor;
use handspun::sync::{Mutex, Notify, mpsc, oneshot};
use handspun::task::{self, AbortHandle, Builder};
use handspun::time::{Duration, advance, interval, sleep, timeout};
use handspun::trace::{
    self, Cause, Effect, Event, Outcome, Phase, Record, State, TaskState, Trace,
};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::pending;
use std::panic::{Location, resume_unwind};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::{env, fs};

const MS: Duration = Duration::from_millis(1);

// The programs that are drawn. Their drawings tell lines of them: so they are at the top.

fn record(program: impl Future<Output = ()>) -> Trace {
    let executor = Executor::builder().start_paused(true).record(100_000).build();
    executor.block_on(program);
    executor.into_trace()
}

async fn tour() {
    let db = Builder::new().name("db").spawn(async {
        trace::mark("connecting");
        sleep(300 * MS).await;
        trace::mark("connected");
    });
    let cache = Builder::new().name("cache").spawn(async {
        trace::mark("warming up");
        sleep(200 * MS).await;
        trace::mark("warm");
    });
    let server = Builder::new().name("server").spawn(async {
        db.await.unwrap();
        cache.await.unwrap();
        trace::mark("open");
        sleep(700 * MS).await;
        trace::mark("closed");
    });
    server.await.unwrap();
}

async fn ping_pong() {
    let (to_pong, mut at_pong) = mpsc::channel::<u32>(1);
    let (to_ping, mut at_ping) = mpsc::channel::<u32>(1);
    let ping = Builder::new().name("ping").spawn(async move {
        for ball in 0..5 {
            to_pong.send(ball).await.unwrap();
            at_ping.recv().await.unwrap();
            sleep(10 * MS).await;
        }
    });
    let pong = Builder::new().name("pong").spawn(async move {
        while let Some(ball) = at_pong.recv().await {
            to_ping.send(ball).await.unwrap();
        }
    });
    ping.await.unwrap();
    pong.await.unwrap();
}

/// Each way in which a task can end.
async fn ends() {
    Builder::new().name("ticker").spawn(async {
        let mut ticks = interval(100 * MS);
        loop {
            ticks.tick().await;
        }
    });
    Builder::new().name("notifier").spawn(async {
        let (sender, receiver) = oneshot::channel::<()>();
        Builder::new().name("listener").spawn(receiver);
        pending::<()>().await;
        drop(sender);
    });
    let job = Builder::new().name("job").spawn(pending::<()>());
    let faulty = Builder::new().name("faulty").spawn(async {
        sleep(150 * MS).await;
        resume_unwind(Box::new("on purpose"));
    });
    let polite = Builder::new().name("polite").spawn(async {
        for _ in 0..3 {
            task::yield_now().await;
        }
    });
    polite.await.unwrap();
    assert!(faulty.await.unwrap_err().is_panic());
    job.abort();
    assert!(timeout(100 * MS, job).await.unwrap().unwrap_err().is_cancelled());
    sleep(200 * MS).await;
}

async fn workers(count: u32) {
    let worker = async |number| {
        sleep((number % 7 + 1) * MS).await;
        task::yield_now().await;
    };
    let workers: Vec<_> = (0..count).map(|number| task::spawn(worker(number))).collect();
    for worker in workers {
        worker.await.unwrap();
    }
}

async fn mutex() {
    let mutex = Rc::new(Mutex::new(0));
    let workers: Vec<_> = (1..=4)
        .map(|number| {
            let mutex = mutex.clone();
            Builder::new().name("worker").spawn(async move {
                for _ in 0..3 {
                    let mut turns = mutex.lock().await;
                    sleep(number * MS).await;
                    *turns += 1;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
}

async fn stream() {
    let (sender, mut receiver) = mpsc::channel(2);
    let producer = Builder::new().name("producer").spawn(async move {
        for number in 0..2_000 {
            sender.send(number).await.unwrap();
            if number % 7 == 0 {
                sleep(MS).await;
            }
        }
    });
    while let Some(number) = receiver.recv().await {
        if number % 3 == 0 {
            task::yield_now().await;
        }
    }
    producer.await.unwrap();
}

async fn marks() {
    trace::mark("a long mark that says a lot, more than fits, and so it is cut in the end, here");
    for number in 1..=20 {
        trace::mark(&format!("mark {number}"));
        trace::mark("");
        task::yield_now().await;
        if number % 7 == 0 {
            sleep(MS).await;
        }
    }
    sleep(MS).await;
    for _ in 0..20 {
        task::yield_now().await;
    }
    trace::mark("at the right");
    sleep(MS).await;
}

async fn set_clock() {
    let sleeper = Builder::new().name("sleeper").spawn(sleep(2_000 * MS));
    advance(1_000 * MS).await;
    advance(1_000 * MS).await;
    sleeper.await.unwrap();
    advance(Duration::from_micros(1_500)).await;
}

async fn names() {
    let long = "x".repeat(10_000);
    #[rustfmt::skip]
    let names = [
        "", " ", "a\nb\r\tc", "\u{1b}[31mred", "\u{202e}evil", "</script>", "]]>&\"'", "wide 漢字",
        "👩‍👩‍👧 family", &long, "same", "same", "root", "task 3", "a name that is cut",
        "a name that is cut, too",
    ];
    for name in names {
        Builder::new().name(name).spawn(sleep(MS));
    }
    trace::mark("\u{1b}[31m\nred");
    sleep(2 * MS).await;
}

fn two_runs() -> Trace {
    let executor = Executor::builder().start_paused(true).record(1_000).build();
    executor.block_on(async {
        Builder::new().name("stays").spawn(async {
            loop {
                sleep(3 * MS).await;
            }
        });
        sleep(MS).await;
    });
    executor.block_on(async {
        sleep(3 * MS).await;
        task::yield_now().await;
    });
    executor.block_on(async {});
    executor.into_trace()
}

/// What the recorder keeps of a run that is longer than it has room for.
fn last_of(capacity: usize, program: impl Future<Output = ()>) -> Trace {
    let executor = Executor::builder().start_paused(true).record(capacity).build();
    executor.block_on(program);
    executor.into_trace()
}

// What they look like.

/// Compares with the file.
#[track_caller]
fn assert_looks_like(name: &str, drawing: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trace/snapshots");
    let file = folder.join(name).with_extension("txt");
    if env::var_os("HANDSPUN_BLESS").is_some() {
        fs::create_dir_all(folder).unwrap();
        fs::write(file, drawing).unwrap();
        return;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(drawing == expected, "{name} looks like\n{drawing}instead of\n{expected}");
}

#[test]
fn three_tasks_on_one_thread() {
    let trace = record(tour());
    assert_looks_like("text_tour", &trace.text().to_string());
    assert_looks_like("text_tour_in_color", &trace.text().color(true).to_string());
}

#[test]
fn wakes_between_two_tasks_at_three_widths() {
    let trace = record(ping_pong());
    for width in [40, 80, 200] {
        let drawing = trace.text().width(width).to_string();
        assert_looks_like(&format!("text_ping_pong_{width}"), &drawing);
    }
}

#[test]
fn each_way_to_end() {
    assert_looks_like("text_ends", &record(ends()).text().to_string());
}

#[test]
fn thirty_tasks() {
    assert_looks_like("text_30_tasks", &record(workers(30)).text().to_string());
}

#[test]
fn a_thousand_tasks() {
    assert_looks_like("text_1000_tasks", &record(workers(1_000)).text().to_string());
}

#[test]
fn tasks_that_share_a_name_and_a_mutex() {
    assert_looks_like("text_mutex", &record(mutex()).text().to_string());
}

#[test]
fn a_run_that_is_too_long() {
    assert_looks_like("text_stream", &record(stream()).text().width(120).to_string());
}

#[test]
fn more_marks_than_fit() {
    assert_looks_like("text_marks", &record(marks()).text().width(60).to_string());
}

#[test]
fn a_clock_that_is_set_forward_in_a_poll() {
    assert_looks_like("text_set_clock", &record(set_clock()).text().to_string());
}

#[test]
fn names_that_would_move_the_cursor() {
    assert_looks_like("text_names", &record(names()).text().to_string());
}

#[test]
fn an_executor_that_is_used_twice() {
    assert_looks_like("text_two_runs", &two_runs().text().to_string());
}

#[test]
fn a_run_of_which_the_beginning_was_dropped() {
    assert_looks_like("text_dropped", &last_of(70, mutex()).text().to_string());
}

// What holds of all of them.

/// The programs above.
fn traces() -> Vec<Trace> {
    vec![
        record(tour()),
        record(ping_pong()),
        record(ends()),
        record(workers(30)),
        record(workers(1_000)),
        record(mutex()),
        record(stream()),
        record(marks()),
        record(set_clock()),
        record(names()),
        two_runs(),
        last_of(70, mutex()),
        last_of(1, ends()),
        Trace::default(),
    ]
}

fn assert_fits(trace: &Trace, width: usize) {
    let drawing = trace.text().width(width).to_string();
    for line in drawing.lines() {
        assert!(line.chars().count() <= width.max(40), "{width}: {line:?} is too long");
        assert!(!line.ends_with(' '), "{line:?} ends with a space");
        assert!(!line.contains(char::is_control), "{line:?} has a control character");
    }
    assert!(drawing.ends_with('\n'));
}

#[test]
fn no_line_is_longer_than_the_width() {
    for trace in traces() {
        let is_small = trace.records().len() < 1_000;
        let widths = if is_small { 40..=130 } else { 40..=42 };
        widths.chain([0, 200, 1_000]).for_each(|width| assert_fits(&trace, width));
    }
}

#[test]
fn no_drawing_is_longer_than_someone_would_read() {
    for trace in traces() {
        let lines = trace.text().to_string().lines().count();
        assert!(lines < 250, "{lines} lines");
    }
}

#[test]
fn color_changes_nothing_but_the_color() {
    for trace in traces() {
        let mut plain = String::new();
        let colored = trace.text().color(true).to_string();
        for part in colored.split("\u{1b}[") {
            // The sequences that are used end with an m.
            plain += if plain.is_empty() { part } else { part.split_once('m').unwrap().1 };
        }
        assert_eq!(plain, trace.text().to_string());
        for line in colored.lines().filter(|line| line.contains('\u{1b}')) {
            let (_, last) = line.rsplit_once('\u{1b}').unwrap();
            assert!(last.starts_with("[0m"), "{line:?} leaves its color behind");
        }
    }
}

#[test]
fn an_empty_trace_says_so() {
    let nothing = Trace::default().text().to_string();
    assert_eq!(nothing, " The trace is empty: nothing was polled.\n");
}

#[test]
fn what_was_dropped_is_told() {
    let trace = last_of(70, mutex());
    let drawing = trace.text().to_string();
    assert!(drawing.contains(&format!(" {} earlier events were dropped", trace.dropped())));
    assert!(!record(mutex()).text().to_string().contains("dropped"));
}

#[test]
fn each_of_a_thousand_tasks_is_drawn_or_counted() {
    let trace = record(workers(1_000));
    let drawing = trace.text().to_string();
    let band = drawing.split("\n\n").nth(1).unwrap();
    let rows = band.lines().filter(|line| line.starts_with(" task") || line.starts_with(" root"));
    let hidden = band.lines().filter_map(|line| line.strip_prefix(" … and ")).map(|line| {
        let (number, _) = line.split_once(' ').unwrap();
        number.parse::<usize>().unwrap()
    });
    assert_eq!(rows.count() + hidden.sum::<usize>(), 1_001);
}

#[test]
fn of_a_long_run_each_poll_is_drawn_or_counted() {
    let trace = record(stream());
    let polls = |event: &&Record| matches!(event.event, Event::PollBegun { .. });
    let polls = trace.records().iter().filter(polls).count();
    let drawing = trace.text().to_string();
    let left_out = drawing.lines().find_map(|line| line.strip_prefix(" … ")).unwrap();
    let left_out: usize = left_out.split_once(' ').unwrap().0.parse().unwrap();
    assert_eq!(drawn_polls(&drawing).len() + left_out, polls);
    assert!(left_out > 0);
}

// What the characters say is what the replay says.

/// The columns of a drawing in which somebody is polled: for each row its character.
fn drawn_polls(drawing: &str) -> Vec<BTreeMap<String, char>> {
    let mut polls = Vec::new();
    for band in drawing.split("\n\n") {
        let mut lines = band.lines().skip_while(|line| line.is_empty());
        let Some(times) = lines.next().filter(|line| line.starts_with(" seconds")) else {
            continue;
        };
        let left = times.find(|char: char| char.is_ascii_digit()).unwrap();
        let rows: Vec<(String, Vec<char>)> = lines
            .filter(|line| !line.starts_with(" …") && !line.starts_with(" marks"))
            .filter(|line| !line[..left].trim().is_empty())
            .map(|line| (line[..left].trim().into(), line[left..].chars().collect()))
            .collect();
        let width = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        for x in 0..width {
            let cell = |(name, cells): &(String, Vec<char>)| {
                let char = cells.get(x).copied().filter(|char| *char != ' ')?;
                Some((name.clone(), char))
            };
            let column: BTreeMap<String, char> = rows.iter().filter_map(cell).collect();
            if column.values().any(|char| "█◆✗○".contains(*char)) {
                polls.push(column);
            }
        }
    }
    polls
}

/// The same from the events: what each task does in each poll.
fn replayed_polls(trace: &Trace) -> Vec<BTreeMap<String, char>> {
    let name = |task: task::Id| match task.to_string().as_str() {
        "0" => "root".to_string(),
        number => format!("task {number}"),
    };
    let mut state = State::default();
    let mut arrows = BTreeMap::new();
    let mut polls = Vec::new();
    for record in trace.records() {
        match &record.event {
            Event::PollBegun { .. } => arrows.clear(),
            Event::Spawned { task, .. } => drop(arrows.insert(*task, '+')),
            Event::Woken {
                task,
                by: Cause::Task(by),
                effect: Effect::Queued,
            } => drop(arrows.insert(*task, if by < task { '▼' } else { '▲' })),
            Event::PollEnded { task, outcome, .. } => {
                let column = state.tasks().map(|(other, state)| {
                    let char = match state.phase {
                        Phase::Queued => *arrows.get(&other).unwrap_or(&'·'),
                        Phase::Idle if state.is_lost() => '╌',
                        Phase::Idle => '─',
                        _ => match outcome {
                            Outcome::Pending => '█',
                            Outcome::Ready => '◆',
                            Outcome::Panicked => '✗',
                            Outcome::Aborted => '○',
                        },
                    };
                    assert_eq!(char == '█' || "◆✗○".contains(char), other == *task);
                    (name(other), char)
                });
                polls.push(column.collect());
            }
            _ => {}
        }
        state.take(record);
    }
    polls
}

/// What a task of a random program does, one step after the other.
#[derive(Clone, Debug)]
enum Step {
    Yield,
    Sleep(u32),
    /// Waits for the number of a bell, but not forever.
    Wait(usize),
    /// Rings it.
    Ring(usize),
    Abort(usize),
    Panic,
}

fn scripts() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = prop_oneof![
        4 => Just(Step::Yield),
        3 => (0..4_u32).prop_map(Step::Sleep),
        4 => (0..3_usize).prop_map(Step::Wait),
        4 => (0..3_usize).prop_map(Step::Ring),
        1 => (0..8_usize).prop_map(Step::Abort),
        1 => Just(Step::Panic),
    ];
    prop::collection::vec(prop::collection::vec(step, 0..6), 0..9)
}

/// Plays a task for each of the scripts, and waits for all of them.
async fn play(scripts: Vec<Vec<Step>>) {
    let bells: Rc<[Notify; 3]> = Rc::default();
    let aborts: Rc<RefCell<Vec<AbortHandle>>> = Rc::default();
    let mut tasks = Vec::new();
    for script in scripts {
        let (bells, handles) = (bells.clone(), aborts.clone());
        let task = task::spawn(async move {
            for step in script {
                match step {
                    Step::Yield => task::yield_now().await,
                    Step::Sleep(ms) => sleep(ms * MS).await,
                    Step::Wait(bell) => drop(timeout(5 * MS, bells[bell].notified()).await),
                    Step::Ring(bell) => bells[bell].notify_one(),
                    Step::Abort(task) => {
                        let handle = handles.borrow().get(task).cloned();
                        handle.into_iter().for_each(|handle| handle.abort());
                    }
                    Step::Panic => resume_unwind(Box::new("on purpose")),
                }
            }
        });
        aborts.borrow_mut().push(task.abort_handle());
        tasks.push(task);
    }
    for task in tasks {
        let _ = task.await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn each_character_says_what_the_replay_says(scripts in scripts(), width in 40..200_usize) {
        let trace = record(play(scripts));
        assert_fits(&trace, width);
        let drawing = trace.text().width(width).to_string();
        prop_assert_eq!(drawn_polls(&drawing), replayed_polls(&trace), "{}", drawing);
        // Each wake by a timer has its T.
        let is_fired = |record: &&Record| match record.event {
            Event::Woken { by: Cause::Timer(_), effect, .. } => effect == Effect::Queued,
            _ => false,
        };
        let fired = trace.records().iter().filter(is_fired).count();
        let is_row = |line: &&str| line.starts_with(" root ") || line.starts_with(" task ");
        let rows = drawing.lines().filter(is_row);
        prop_assert_eq!(rows.map(|row| row.matches('T').count()).sum::<usize>(), fired);
    }

    #[test]
    fn a_trace_of_ones_own_making_is_drawn_whatever_it_says(
        events in prop::collection::vec(any_event(), 0..60),
        width in 40..120_usize,
    ) {
        let ids = ids();
        let records = events.into_iter().enumerate();
        let records = records.map(|(nth, (kind, which, other))| {
            let at = (nth / 3) as u32 * MS;
            let event = event(kind, ids[which], ids[other]);
            Record { at, event }
        });
        assert_fits(&Trace::from_records(records.collect()), width);
    }
}

/// Which event, of which task, and which other task has to do with it.
fn any_event() -> impl Strategy<Value = (usize, usize, usize)> {
    (0..22_usize, 0..4_usize, 0..4_usize)
}

/// A few ids: there is no other way to get some than to spawn tasks.
fn ids() -> Vec<task::Id> {
    handspun::block_on(async { (0..4).map(|_| task::spawn(async {}).id()).collect() })
}

fn event(kind: usize, task: task::Id, other: task::Id) -> Event {
    let (timer, wait) = (1, 1);
    let deadline = 5 * MS;
    let place = Location::caller();
    let by = Cause::Task(other);
    match kind {
        0 | 1 => Event::Spawned {
            task,
            name: None,
            place,
            size: 0,
            by,
        },
        2 => Event::Known {
            task,
            state: Box::new(TaskState {
                name: Some("known".into()),
                place,
                size: 0,
                by,
                phase: [
                    Phase::Queued,
                    Phase::Polling,
                    Phase::PollingAndWoken,
                    Phase::Idle,
                ][usize::from(task == other) + 2 * usize::from(task < other)],
                since: deadline,
                polls: 3,
                wakers: 1,
            }),
        },
        3 | 4 => Event::PollBegun { task },
        5 => Event::PollEnded {
            task,
            outcome: Outcome::Pending,
            wakers: 0,
            blocked: None,
        },
        6 => Event::PollEnded {
            task,
            outcome: Outcome::Panicked,
            wakers: 0,
            blocked: None,
        },
        7 => Event::Woken {
            task,
            by,
            effect: Effect::Queued,
        },
        8 => Event::Woken {
            task,
            by: Cause::Timer(timer),
            effect: Effect::Noted,
        },
        9 => Event::Forgotten {
            task,
            by: Cause::Drop(other),
        },
        10 => Event::AbortAsked {
            task,
            by: Cause::Outside,
        },
        11 => Event::Dropped {
            task,
            aborted: false,
        },
        12 => Event::TimerMade {
            timer,
            deadline,
            place,
            by,
        },
        13 => Event::TimerArmed {
            timer,
            deadline,
            wakes: Some(task),
        },
        14 => Event::TimerFired { timer },
        15 => Event::TimerReset { timer, deadline },
        16 => Event::WaitBegun {
            wait,
            task,
            awaited: trace::Awaited::Task(other),
        },
        17 => Event::WaitEnded { wait },
        18 => Event::Parked { until: None },
        19 => Event::Woken {
            task,
            by: Cause::Socket,
            effect: Effect::Queued,
        },
        20 => Event::WaitBegun {
            wait,
            task,
            awaited: trace::Awaited::Thing {
                what: "a connection to the TCP listener",
                place,
                line: 1,
            },
        },
        _ => Event::Mark {
            by,
            text: Arc::from("said"),
        },
    }
}
