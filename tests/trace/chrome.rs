//! The Chrome trace: well-formed JSON, by the rules of the format, for real, random and odd runs.

use handspun::executor::Executor;
use handspun::sync::{Mutex, Notify};
use handspun::task::{AbortHandle, Builder, JoinHandle, yield_now};
use handspun::time::{Duration, sleep, timeout};
use handspun::trace::{Awaited, Cause, Effect, Event, Outcome, Record, Trace, mark, value};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

const MS: Duration = Duration::from_millis(1);

/// A paused clock, and the whole run.
fn run(root: impl Future<Output = ()>) -> Trace {
    let executor = Executor::builder().start_paused(true).record(100_000).build();
    executor.block_on(root);
    executor.into_trace()
}

/// The picture of a trace, which keeps the rules of the format.
#[track_caller]
pub fn picture(trace: &Trace) -> Picture {
    Picture::read(&trace.to_chrome_json())
}

#[test]
fn a_run_becomes_tracks_slices_arrows_instants_and_curves() {
    let trace = run(async {
        let notify = Rc::new(Notify::new());
        let other = notify.clone();
        let worker = Builder::new().name("worker").spawn(async move {
            sleep(3 * MS).await;
            mark("half way");
            other.notify_one();
        });
        value("tasks", 1);
        notify.notified().await;
        worker.await.unwrap();
    });
    // The executor's track has the number after the last task's.
    let expected = "
        i 0 spawned
        B 0 poll
        i 1 spawned
        C 2 tasks
        b 0 root waits for a notification of the `Notify`
        E 0 poll
        B 1 poll
        b 1 worker (1) waits for a timer
        E 1 poll
        i 2 the clock is set to 3ms
        e 1 worker (1) waits for a timer
        B 2 timer 1 wakes worker (1)
        s 2 wake
        E 2 timer 1 wakes worker (1)
        B 1 poll
        f 1 wake
        i 1 half way
        s 1 wake
        E 1 poll
        B 0 poll
        f 0 wake
        e 0 root waits for a notification of the `Notify`
        E 0 poll
    ";
    let picture = picture(&trace);
    let lines = picture.lines();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(lines, expected, "{}", trace.to_chrome_json());
    let tracks: Vec<(u64, &str)> =
        picture.tracks.iter().map(|(tid, name)| (*tid, name.as_str())).collect();
    assert_eq!(tracks, [(0, "root"), (1, "worker"), (2, "executor")]);
}

#[cfg(unix)]
#[test]
fn a_wake_by_a_socket_is_a_slice_of_the_executor_from_which_an_arrow_leads_to_the_poll() {
    let picture = picture(&run(crate::sockets::wait_for_one()));
    let expected = "
        i 0 spawned
        B 0 poll
        b 0 root waits for a datagram of the UDP socket
        E 0 poll
        B 1 a socket wakes root
        s 1 wake
        E 1 a socket wakes root
        B 0 poll
        f 0 wake
        e 0 root waits for a datagram of the UDP socket
        E 0 poll
    ";
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(picture.lines(), expected);
}

#[test]
fn a_paused_clock_is_spread_and_the_true_times_are_told() {
    let trace = run(async {
        yield_now().await;
        sleep(3 * MS).await;
        yield_now().await;
    });
    let picture = picture(&trace);
    for pair in picture.events.windows(2) {
        assert!(pair[1].nanos >= pair[0].nanos + 1_000, "{} {}", pair[0].name, pair[1].name);
    }
    // Time goes on with the clock when that is ahead.
    let set = picture.named("the clock is set to 3ms");
    assert_eq!((set.nanos, set.arg("at")), (3_000_000, "3ms"));
    let polls: Vec<&str> =
        picture.events.iter().filter(|e| e.phase == 'B').map(|e| e.arg("at")).collect();
    assert_eq!(polls, ["0ns", "0ns", "3ms", "3ms", "3ms"]);
    let about = picture.about("time");
    assert!(about.contains("paused") && about.contains("widths are not"), "{about}");
}

#[test]
fn a_running_clock_is_told_as_it_was() {
    let executor = Executor::builder().record(1_000).build();
    executor.block_on(async {
        sleep(2 * MS).await;
        yield_now().await;
    });
    let trace = executor.into_trace();
    let picture = picture(&trace);
    let records = trace.records().iter();
    let begun = records.filter(|record| matches!(record.event, Event::PollBegun { .. }));
    let slices = picture.events.iter().filter(|event| event.phase == 'B' && event.name == "poll");
    for (record, slice) in begun.zip(slices) {
        // But for what is put apart.
        assert!(slice.nanos - record.at.as_nanos() < 20, "{record:?}");
    }
    assert!(picture.events.last().unwrap().nanos - trace.end().as_nanos() < 20);
    assert!(picture.events.iter().all(|event| !event.args.contains_key("at")));
    assert!(picture.about("time").contains("times are real"));
}

#[test]
fn an_arrow_leads_from_each_wake_to_the_poll_that_it_is_for() {
    let trace = run(async {
        let wakers: Rc<RefCell<Vec<Waker>>> = Rc::default();
        let left = wakers.clone();
        let task = handspun::spawn(poll_fn(move |cx| {
            left.borrow_mut().push(cx.waker().clone());
            if left.borrow().len() < 3 { Poll::Pending } else { Poll::Ready(()) }
        }));
        sleep(MS).await;
        // One of these leads to a poll, the second is one with it.
        for waker in wakers.borrow().iter().chain(wakers.borrow().iter()) {
            waker.wake_by_ref();
        }
        sleep(MS).await;
        wakers.borrow()[0].wake_by_ref();
        task.await.unwrap();
        // Too late.
        wakers.borrow()[0].wake_by_ref();
        // By itself, for itself.
        yield_now().await;
    });
    let picture = picture(&trace);
    let arrows: Vec<(u64, u64)> = picture.arrows.iter().map(|a| (a.from, a.to)).collect();
    // A timer wakes the root, the root the task, and so on; the task's end wakes the root.
    assert_eq!(arrows, [(2, 0), (0, 1), (2, 0), (0, 1), (1, 0), (0, 0)]);
    let effects: Vec<&str> =
        picture.all("wakes task 1").iter().map(|event| event.arg("effect")).collect();
    assert_eq!(effects, ["none: it is to be polled anyway", "none: it is over"]);
}

#[test]
fn what_is_open_when_the_trace_ends_is_closed() {
    let trace = Rc::new(RefCell::new(None));
    let taken = trace.clone();
    run(async move {
        let mutex = Rc::new(Mutex::new(0));
        let held = mutex.lock().await;
        let other = mutex.clone();
        handspun::spawn(async move { drop(other.lock().await) });
        handspun::spawn(sleep(MS));
        yield_now().await;
        *taken.borrow_mut() = handspun::trace::current();
        drop(held);
    });
    let picture = picture(&trace.take().unwrap());
    let before = "the trace ends before";
    let root = picture.events.iter().rfind(|event| event.name == "poll").unwrap();
    assert_eq!((root.tid, root.arg("outcome")), (0, before));
    for name in ["task 1 waits for the mutex", "task 2 waits for a timer"] {
        let ended = picture.all(name)[1];
        assert_eq!((ended.phase, ended.arg("end")), ('e', before));
    }
}

#[test]
fn an_abort_and_a_drop_are_instants_of_the_task() {
    let trace = run(async {
        let aborted = handspun::spawn(pending::<()>());
        handspun::spawn(pending::<()>());
        yield_now().await;
        aborted.abort();
        aborted.await.unwrap_err();
    });
    let picture = picture(&trace);
    let instants = |tid| {
        let events = picture.events.iter().filter(move |e| e.tid == tid && e.phase == 'i');
        events.map(|e| e.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(instants(1), ["spawned", "abort asked"]);
    assert_eq!(instants(2), ["spawned", "dropped unfinished"]);
    let ends = picture.events.iter().filter(|e| e.tid == 1 && e.phase == 'E');
    let outcomes: Vec<&str> = ends.map(|e| e.arg("outcome")).collect();
    assert_eq!(outcomes, ["pending", "aborted"]);
}

#[test]
fn hostile_names_arrive_as_they_are() {
    let names = [
        "",
        "\"",
        "\\",
        "a\nb\r\tc\0\u{7f}\u{1b}[31m",
        "</script><!--",
        "]]>&amp;'",
        "🧵👩‍👩‍👧‍👦",
        "אבג\u{202e}txt\u{2066}",
        "\u{2028}\u{2029}\u{feff}\u{fffe}",
        "root",
        "task 1",
        &"long".repeat(2_500),
    ];
    let trace = run(async {
        for name in names {
            let task = Builder::new().name(name).spawn(sleep(MS));
            mark(name);
            value(name, i64::MIN);
            task.await.unwrap();
        }
    });
    let picture = picture(&trace);
    let tracks: Vec<&str> = picture.tracks.values().map(String::as_str).collect();
    assert_eq!(tracks[1..=names.len()], names);
    let named = |phase| {
        let events = picture.events.iter().filter(move |event| event.phase == phase);
        events.map(|event| event.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(named('C'), names);
    let marks = picture.events.iter().filter(|e| e.phase == 'i' && e.args.contains_key("by"));
    let marks: Vec<&str> = marks.filter(|e| e.name != "spawned").map(|e| e.name.as_str()).collect();
    assert_eq!(marks, names);
    // The whole name only where it is the name.
    let longest = picture.events.iter().filter(|e| !matches!(e.phase, 'i' | 'C'));
    assert!(longest.map(|e| e.name.chars().count()).max().unwrap() < 200);
}

#[test]
fn dropped_events_are_counted_and_what_they_left_is_drawn() {
    let executor = Executor::builder().start_paused(true).record(8).build();
    executor.block_on(async {
        let notify = Rc::new(Notify::new());
        let waits = notify.clone();
        Builder::new().name("old").spawn(async move { waits.notified().await });
        for _ in 0..20 {
            sleep(MS).await;
        }
        notify.notify_one();
        yield_now().await;
    });
    let trace = executor.into_trace();
    assert!(trace.dropped() > 50);
    let picture = picture(&trace);
    let dropped = trace.dropped().to_string();
    picture.named(&format!("{dropped} earlier events were dropped"));
    assert_eq!(picture.other["dropped events"], Json::Number(dropped));
    assert_eq!(picture.tracks[&1], "old");
    let wait = picture.all("old (1) waits for a notification of the `Notify`");
    assert_eq!(wait.iter().map(|event| event.phase).collect::<String>(), "be");
}

#[test]
fn a_poll_whose_beginning_was_dropped_is_drawn_from_the_beginning() {
    let executor = Executor::builder().start_paused(true).record(8).build();
    executor.block_on(async {
        for _ in 0..20 {
            mark("of the root");
        }
    });
    let trace = executor.into_trace();
    assert!(!trace.records().iter().any(|r| matches!(r.event, Event::PollBegun { .. })));
    let picture = picture(&trace);
    assert_eq!(picture.named("poll").tid, 0);
    assert!(picture.all("of the root").iter().all(|event| event.tid == 0));
}

#[test]
fn an_odd_trace_is_still_well_formed() {
    let ids = Rc::new(RefCell::new(Vec::new()));
    let pushed = ids.clone();
    run(async move {
        for _ in 0..3 {
            pushed.borrow_mut().push(handspun::spawn(async {}).id());
        }
    });
    let (one, two) = (ids.borrow()[0], ids.borrow()[1]);
    let begun = |task| Event::PollBegun { task };
    let ended = |task| Event::PollEnded {
        task,
        outcome: Outcome::Pending,
        wakers: 0,
        blocked: Some(MS),
    };
    let woken = |by| Event::Woken {
        task: one,
        by,
        effect: Effect::Queued,
    };
    let says = || Event::Mark {
        by: Cause::Task(one),
        text: "one".into(),
    };
    let armed = |wakes| Event::TimerArmed {
        timer: 1,
        deadline: MS,
        wakes,
    };
    let waits = Event::WaitBegun {
        wait: 1,
        task: two,
        awaited: Awaited::Task(one),
    };
    let odd = |events: Vec<Event>| {
        // Times that go back, too.
        let records = events.into_iter().enumerate().map(|(nth, event)| Record {
            at: MS * (nth as u32 % 5),
            event,
        });
        picture(&Trace::from_records(records.collect()))
    };
    // Ends without a beginning, and two beginnings.
    odd(vec![
        ended(one),
        Event::Unparked,
        Event::Parked { until: None },
        Event::Parked { until: Some(MS) },
        Event::WaitEnded { wait: 3 },
        Event::TimerFired { timer: 3 },
        Event::TimerDropped { timer: 3 },
        armed(None),
        armed(None),
    ]);
    // Tasks of which nothing else is known.
    assert_eq!(odd(vec![waits]).events[0].tid, 2);
    assert_eq!(odd(vec![armed(Some(two))]).events[0].tid, 2);
    let polls = odd(vec![
        begun(two),
        begun(one),
        ended(two),
        says(),
        begun(one),
        begun(one),
    ]);
    assert_eq!(polls.named("one").tid, 1);
    // Wakes by one who is not polled; one that nothing comes of, since the task is dropped.
    let wakes = odd(vec![
        woken(Cause::Task(two)),
        woken(Cause::Outside),
        begun(one),
        begun(one),
    ]);
    assert_eq!(wakes.arrows.len(), 1);
    let wakes = odd(vec![woken(Cause::Task(two)), begun(one), begun(two)]);
    assert_eq!(wakes.arrows[0].from, 3);
    assert_eq!(
        odd(vec![
            woken(Cause::Outside),
            Event::Dropped {
                task: one,
                aborted: false
            }
        ])
        .arrows
        .len(),
        0
    );
    let dropped = odd(vec![
        woken(Cause::Outside),
        Event::Dropped {
            task: one,
            aborted: false,
        },
        begun(one),
    ]);
    assert_eq!(dropped.arrows.len(), 0);
    assert_eq!(odd(vec![]).tracks.len(), 1);
}

#[test]
fn the_same_trace_gives_the_same_bytes() {
    let program = [
        Step::Spawn(vec![Step::Sleep(1), Step::Lock]),
        Step::Lock,
        Step::Join(1),
    ];
    let trace = || play(&program, true, 1_000).to_chrome_json();
    assert_eq!(trace(), trace());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_runs_keep_the_rules(
        program in programs(),
        paused: bool,
        room in prop_oneof![1..30_usize, Just(100_000)],
    ) {
        let trace = play(&program, paused, room);
        let picture = picture(&trace);
        // The rules might be kept by a picture of nothing.
        let begun = |event: &Event| matches!(event, Event::PollBegun { .. });
        let begun = trace.records().iter().filter(|record| begun(&record.event)).count();
        let slices = picture.events.iter().filter(|e| e.phase == 'B' && e.name == "poll").count();
        prop_assert!(slices == begun || slices == begun + usize::from(trace.dropped() > 0));
        prop_assert_eq!(picture.arrows.len(), wakes_that_lead_to_a_poll(&trace));
    }
}

fn wakes_that_lead_to_a_poll(trace: &Trace) -> usize {
    let mut woken = BTreeSet::new();
    let mut count = 0;
    for record in trace.records() {
        match &record.event {
            Event::Woken {
                task,
                effect: Effect::Queued | Effect::Noted,
                ..
            } => {
                woken.insert(*task);
            }
            Event::PollBegun { task } => count += usize::from(woken.remove(task)),
            Event::PollEnded {
                outcome: Outcome::Pending,
                ..
            } => {}
            Event::PollEnded { task, .. } | Event::Dropped { task, .. } => drop(woken.remove(task)),
            _ => {}
        }
    }
    count
}

// Random programs.

/// What a task does, one step after the other. Tasks are called by their numbers; a step that
/// speaks of one that is not there does nothing.
#[derive(Clone, Debug)]
pub enum Step {
    Yield,
    Sleep(u64),
    Spawn(Vec<Step>),
    Wake(usize),
    Abort(usize),
    Join(usize),
    /// Holds the one mutex for as long as a sleep.
    Lock,
    Timeout(usize),
    /// Waits for a socket that is ready.
    Socket,
    Mark,
    Value(i64),
}

pub fn programs() -> impl Strategy<Value = Vec<Step>> {
    fn script(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<Step>> {
        prop::collection::vec(step, 0..8)
    }
    let task = || 0..6_usize;
    let step = prop_oneof![
        3 => Just(Step::Yield),
        2 => (0..4_u64).prop_map(Step::Sleep),
        3 => task().prop_map(Step::Wake),
        2 => task().prop_map(Step::Abort),
        2 => task().prop_map(Step::Join),
        2 => Just(Step::Lock),
        1 => task().prop_map(Step::Timeout),
        1 => Just(Step::Socket),
        1 => Just(Step::Mark),
        1 => any::<i64>().prop_map(Step::Value),
    ];
    script(step.prop_recursive(3, 24, 6, |step| script(step).prop_map(Step::Spawn)))
}

#[derive(Clone, Default)]
struct World {
    wakers: Rc<RefCell<BTreeMap<usize, Waker>>>,
    aborts: Rc<RefCell<Vec<AbortHandle>>>,
    handles: Rc<RefCell<BTreeMap<usize, JoinHandle<()>>>>,
    mutex: Rc<Mutex<()>>,
}

/// The trace of a program. On a clock that runs, time is counted in microseconds.
pub fn play(program: &[Step], paused: bool, room: usize) -> Trace {
    let executor = Executor::builder().start_paused(paused).record(room).build();
    let unit = if paused { MS } else { Duration::from_micros(1) };
    executor.block_on(async {
        // A task that waits for one that waits for it would wait for ever.
        let root = steps(0, program.to_vec(), World::default(), unit);
        let _ = timeout(unit * 100, root).await;
    });
    executor.into_trace()
}

async fn steps(task: usize, program: Vec<Step>, world: World, unit: Duration) {
    poll_fn(|cx| Poll::Ready(world.wakers.borrow_mut().insert(task, cx.waker().clone()))).await;
    for step in program {
        match step {
            Step::Yield => yield_now().await,
            Step::Sleep(units) => sleep(unit * units as u32).await,
            Step::Spawn(program) => {
                let child = world.aborts.borrow().len() + 1;
                let future: std::pin::Pin<Box<dyn Future<Output = ()>>> =
                    Box::pin(steps(child, program, world.clone(), unit));
                let handle = handspun::spawn(future);
                world.aborts.borrow_mut().push(handle.abort_handle());
                world.handles.borrow_mut().insert(child, handle);
            }
            Step::Wake(other) => {
                let waker = world.wakers.borrow().get(&other).cloned();
                waker.into_iter().for_each(Waker::wake);
            }
            Step::Abort(other) => {
                world.aborts.borrow().get(other).into_iter().for_each(AbortHandle::abort);
            }
            Step::Join(other) => {
                let handle = world.handles.borrow_mut().remove(&other);
                if let Some(handle) = handle {
                    let _ = handle.await;
                }
            }
            Step::Lock => {
                let _guard = world.mutex.lock().await;
                sleep(unit * 40).await;
            }
            Step::Timeout(units) => {
                let _ = timeout(unit * units as u32, pending::<()>()).await;
            }
            Step::Socket => {
                #[cfg(unix)]
                crate::sockets::wait_for_one().await;
            }
            Step::Mark => mark("a \"mark\""),
            Step::Value(number) => value("value", number),
        }
    }
}

// The picture, and the rules of the format.

pub struct Picture {
    events: Vec<Entry>,
    /// Their names.
    tracks: BTreeMap<u64, String>,
    arrows: Vec<Arrow>,
    other: BTreeMap<String, Json>,
}

struct Entry {
    phase: char,
    nanos: u128,
    tid: u64,
    name: String,
    args: BTreeMap<String, Json>,
}

/// From track to track.
struct Arrow {
    from: u64,
    to: u64,
}

impl Picture {
    /// Reads a trace, and panics if it breaks a rule.
    #[track_caller]
    fn read(text: &str) -> Picture {
        let mut top = Json::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}")).object();
        assert_eq!(top.remove("displayTimeUnit"), Some(Json::Text("ns".to_string())));
        let other = top.remove("otherData").unwrap().object();
        let events = top.remove("traceEvents").unwrap().list();
        assert!(top.is_empty(), "{:?}", top.keys());
        let mut rules = Rules::default();
        for event in events {
            rules.take(event.object());
        }
        rules.end();
        Picture {
            events: rules.events,
            tracks: rules.tracks,
            arrows: rules.arrows.into_iter().map(|(arrow, _)| arrow).collect(),
            other,
        }
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.events.iter();
        lines.map(|event| format!("{} {} {}", event.phase, event.tid, event.name)).collect()
    }

    fn all(&self, name: &str) -> Vec<&Entry> {
        self.events.iter().filter(|event| event.name == name).collect()
    }

    #[track_caller]
    fn named(&self, name: &str) -> &Entry {
        self.all(name).first().expect("an event of this name")
    }

    fn about(&self, key: &str) -> &str {
        self.other[key].text()
    }
}

impl Entry {
    fn arg(&self, key: &str) -> &str {
        self.args[key].text()
    }
}

#[derive(Default)]
struct Rules {
    events: Vec<Entry>,
    tracks: BTreeMap<u64, String>,
    sort_indexes: BTreeSet<String>,
    processes: usize,
    /// By track, the slices that are open.
    slices: BTreeMap<u64, Vec<usize>>,
    /// Arrows, and whether they have arrived; by their ids, which one.
    arrows: Vec<(Arrow, bool)>,
    arrow_ids: BTreeMap<String, usize>,
    /// By category and id: the beginning, and whether it has ended.
    beside: BTreeMap<(String, String), (usize, bool)>,
}

impl Rules {
    #[track_caller]
    fn take(&mut self, mut event: BTreeMap<String, Json>) {
        let phase = event.remove("ph").unwrap().into_text();
        let tid = event.remove("tid").unwrap().natural();
        let name = event.remove("name").unwrap().into_text();
        let args = event.remove("args").unwrap().object();
        // One process, which has the executor's number.
        let pid = event.remove("pid").unwrap().natural();
        if phase == "M" {
            assert!(event.is_empty() && self.events.is_empty());
            self.take_metadata(pid, tid, &name, &args);
            return;
        }
        assert_eq!(self.tracks[&pid], "executor");
        assert!(self.tracks.contains_key(&tid), "track {tid} has no name");
        let time = event.remove("ts").unwrap().number();
        let (micros, nanos) = time.split_once('.').unwrap();
        assert_eq!(nanos.len(), 3);
        let nanos = 1_000 * micros.parse::<u128>().unwrap() + nanos.parse::<u128>().unwrap();
        if let Some(last) = self.events.last() {
            assert!(nanos > last.nanos, "time stands still at {name}");
        }
        let category = event.remove("cat").unwrap().into_text();
        let id = event.remove("id").map(Json::into_text);
        let index = self.events.len();
        let open = self.slices.entry(tid).or_default();
        match (phase.as_str(), id) {
            ("B", None) => open.push(index),
            ("E", None) => {
                let begun = &self.events[open.pop().expect("a slice to end")];
                assert_eq!(begun.name, name);
                // The viewer puts them together.
                assert!(args.keys().all(|key| !begun.args.contains_key(key)));
            }
            ("i", None) => assert_eq!(event.remove("s"), Some(Json::Text("t".to_string()))),
            ("C", None) => {
                assert!(!args.is_empty());
                assert!(args.values().all(|value| matches!(value, Json::Number(_))));
            }
            ("s", Some(id)) => {
                assert!(!open.is_empty(), "an arrow begins in no slice");
                let new = self.arrow_ids.insert(id, self.arrows.len());
                assert_eq!(new, None, "an arrow begins twice");
                self.arrows.push((Arrow { from: tid, to: tid }, false));
            }
            ("f", Some(id)) => {
                assert_eq!(event.remove("bp"), Some(Json::Text("e".to_string())));
                assert_eq!(self.events[*open.last().expect("it ends in a slice")].name, "poll");
                let (arrow, arrived) = &mut self.arrows[self.arrow_ids[&id]];
                assert!(!*arrived, "an arrow ends twice");
                *arrived = true;
                arrow.to = tid;
            }
            ("b", Some(id)) => {
                let new = self.beside.insert((category, id), (index, false));
                assert_eq!(new, None, "an id is used twice");
            }
            ("e", Some(id)) => {
                let (begun, ended) = self.beside.get_mut(&(category, id)).expect("it has begun");
                assert!(!*ended, "it ends twice");
                *ended = true;
                let begun = &self.events[*begun];
                assert_eq!((&begun.name, begun.tid), (&name, tid));
                assert!(args.keys().all(|key| !begun.args.contains_key(key)));
            }
            (phase, id) => panic!("{phase:?} with {id:?}"),
        }
        assert!(event.is_empty(), "{:?}", event.keys());
        self.events.push(Entry {
            phase: phase.chars().next().unwrap(),
            nanos,
            tid,
            name,
            args,
        });
    }

    #[track_caller]
    fn take_metadata(&mut self, pid: u64, tid: u64, key: &str, args: &BTreeMap<String, Json>) {
        assert_eq!(args.len(), 1);
        match key {
            "process_name" => {
                assert_eq!((args["name"].text(), tid), ("handspun", pid));
                self.processes += 1;
            }
            "thread_name" => {
                let new = self.tracks.insert(tid, args["name"].text().to_string());
                assert_eq!(new, None, "a track has two names");
            }
            "thread_sort_index" => {
                let index = args["sort_index"].clone().number();
                assert!(self.sort_indexes.insert(index));
            }
            _ => panic!("{key}"),
        }
    }

    #[track_caller]
    fn end(&self) {
        assert_eq!(self.processes, 1);
        assert_eq!(self.tracks.len(), self.sort_indexes.len());
        assert!(self.slices.values().all(Vec::is_empty), "a slice is open");
        assert!(self.arrows.iter().all(|(_, arrived)| *arrived), "an arrow leads nowhere");
        assert!(self.beside.values().all(|(_, ended)| *ended), "a wait is open");
    }
}

// JSON, as RFC 8259 has it, and stricter: an object has each key once.

#[derive(Clone, PartialEq, Debug)]
enum Json {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Json {
    fn parse(text: &str) -> Result<Json, String> {
        let mut reader = Reader { rest: text };
        let value = reader.value()?;
        reader.skip_space();
        match reader.rest.is_empty() {
            true => Ok(value),
            false => Err(format!("and then? {}", reader.near())),
        }
    }

    #[track_caller]
    fn object(self) -> BTreeMap<String, Json> {
        match self {
            Json::Object(object) => object,
            other => panic!("{other:?} is no object"),
        }
    }

    #[track_caller]
    fn list(self) -> Vec<Json> {
        match self {
            Json::List(list) => list,
            other => panic!("{other:?} is no list"),
        }
    }

    #[track_caller]
    fn text(&self) -> &str {
        match self {
            Json::Text(text) => text,
            other => panic!("{other:?} is no text"),
        }
    }

    #[track_caller]
    fn into_text(self) -> String {
        self.text().to_string()
    }

    #[track_caller]
    fn number(self) -> String {
        match self {
            Json::Number(number) => number,
            other => panic!("{other:?} is no number"),
        }
    }

    #[track_caller]
    fn natural(self) -> u64 {
        self.number().parse().unwrap()
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn near(&self) -> String {
        self.rest.chars().take(40).collect()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        match self.eat(token) {
            true => Ok(()),
            false => Err(format!("no {token:?} before {}", self.near())),
        }
    }

    fn next(&mut self) -> Result<char, String> {
        let next = self.rest.chars().next().ok_or("the end, too early")?;
        self.rest = &self.rest[next.len_utf8()..];
        Ok(next)
    }

    fn value(&mut self) -> Result<Json, String> {
        self.skip_space();
        match self.rest.chars().next() {
            Some('{') => self.object(),
            Some('[') => self.list(),
            Some('"') => self.text().map(Json::Text),
            Some('-' | '0'..='9') => self.number(),
            _ if self.eat("null") => Ok(Json::Null),
            _ if self.eat("true") => Ok(Json::Bool(true)),
            _ if self.eat("false") => Ok(Json::Bool(false)),
            _ => Err(format!("no value: {}", self.near())),
        }
    }

    fn object(&mut self) -> Result<Json, String> {
        let mut object = BTreeMap::new();
        self.expect("{")?;
        self.skip_space();
        if self.eat("}") {
            return Ok(Json::Object(object));
        }
        loop {
            self.skip_space();
            let key = self.text()?;
            self.skip_space();
            self.expect(":")?;
            let value = self.value()?;
            if object.insert(key.clone(), value).is_some() {
                return Err(format!("{key:?} is there twice"));
            }
            self.skip_space();
            if self.eat("}") {
                return Ok(Json::Object(object));
            }
            self.expect(",")?;
        }
    }

    fn list(&mut self) -> Result<Json, String> {
        let mut list = Vec::new();
        self.expect("[")?;
        self.skip_space();
        if self.eat("]") {
            return Ok(Json::List(list));
        }
        loop {
            list.push(self.value()?);
            self.skip_space();
            if self.eat("]") {
                return Ok(Json::List(list));
            }
            self.expect(",")?;
        }
    }

    fn number(&mut self) -> Result<Json, String> {
        let before = self.rest;
        self.eat("-");
        if !self.eat("0") {
            self.digits()?;
        }
        if self.eat(".") {
            self.digits()?;
        }
        if self.eat("e") || self.eat("E") {
            let _ = self.eat("+") || self.eat("-");
            self.digits()?;
        }
        Ok(Json::Number(before[..before.len() - self.rest.len()].to_string()))
    }

    fn digits(&mut self) -> Result<(), String> {
        let rest = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() == self.rest.len() {
            return Err(format!("no digit: {}", self.near()));
        }
        self.rest = rest;
        Ok(())
    }

    fn text(&mut self) -> Result<String, String> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                char if char < ' ' => return Err(format!("{char:?} is not escaped")),
                char => text.push(char),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.next()? {
            char @ ('"' | '\\' | '/') => char,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let mut units = vec![self.unit()?];
                if matches!(units[0], 0xd800..0xdc00) {
                    self.expect("\\u")?;
                    units.push(self.unit()?);
                }
                let decoded = char::decode_utf16(units).next().unwrap();
                decoded.map_err(|_| "half of a pair".to_string())?
            }
            other => return Err(format!("\\{other} means nothing")),
        })
    }

    fn unit(&mut self) -> Result<u16, String> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.next()?.to_digit(16).ok_or("no hexadecimal digit")?;
            unit = unit * 16 + digit as u16;
        }
        Ok(unit)
    }
}

#[test]
fn the_reader_refuses_what_is_no_json() {
    let good = r#" {"a" : [1, -0.5e+3, "\ud83e\uddf5\u00e9\n", {}, [], null, true]} "#;
    let value = Json::parse(good).unwrap();
    assert_eq!(value.clone().object()["a"].clone().list()[2].text(), "🧵é\n");
    for bad in [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "[,1]",
        "[1 2]",
        "[01]",
        "[+1]",
        "[.5]",
        "[5.]",
        "[1e]",
        "[NaN]",
        "[nul]",
        "\"\n\"",
        "\"\u{1}\"",
        "\"\\x41\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "{\"a\":1,\"a\":2}",
        "{a:1}",
        "{\"a\"}",
        "'a'",
        "[1] 2",
        "\u{feff}[1]",
    ] {
        assert!(Json::parse(bad).is_err(), "{bad:?} was read");
    }
}
