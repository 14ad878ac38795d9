//! Figures of recorded runs.
//!
//! What they look like is in `snapshots/*.svg`: open them in a browser, on a light page and on a
//! dark one. After a change that was meant, `HANDSPUN_BLESS=1 cargo test --test trace svg` writes
//! what is drawn now; look at each.
//!
//! What must hold of every figure is asked of those, of random programs, and of traces that make no
//! sense: it is XML, it needs nothing and nobody else, and it stays on its paper.

#[path = "../support/programs.rs"]
mod programs;

use handspun::executor::Executor;
use handspun::sync::{Mutex, Notify, mpsc, oneshot};
use handspun::task::{AbortHandle, Builder, JoinHandle, yield_now};
use handspun::time::{Duration, advance, sleep, timeout};
use handspun::trace::{self, Cause, Event, Trace};
use programs::random_programs;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending, poll_fn};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::task::Poll;
use std::{env, fs};

const MS: Duration = Duration::from_millis(1);

// The programs. (The figures tell where they are: a line that comes in here changes them.)

fn recorded(program: impl Future<Output = ()>) -> Trace {
    let executor = Executor::builder().start_paused(true).record(100_000).build();
    executor.block_on(program);
    executor.into_trace()
}

fn named<F: Future<Output: 'static> + 'static>(name: &str, future: F) -> JoinHandle<F::Output> {
    Builder::new().name(name).spawn(future)
}

/// `examples/00_tour.rs`.
async fn tour() {
    let db = named("db", sleep(300 * MS));
    let cache = named("cache", sleep(200 * MS));
    let server = named("server", async {
        db.await.unwrap();
        cache.await.unwrap();
        trace::mark("server: open");
        sleep(700 * MS).await;
    });
    server.await.unwrap();
}

async fn ping_pong() {
    let (ping, mut pinged) = mpsc::channel(1);
    let (pong, mut ponged) = mpsc::channel(1);
    named("pong", async move {
        while let Some(number) = pinged.recv().await {
            pong.send(number).await.unwrap();
        }
    });
    let ping = named("ping", async move {
        for number in 0..4 {
            ping.send(number).await.unwrap();
            ponged.recv().await.unwrap();
        }
    });
    ping.await.unwrap();
}

/// Every way in which a task can end, and every kind of wake.
async fn endings() {
    let notify = Rc::new(Notify::new());
    named("forever", pending::<()>());
    let aborted = named("aborted", sleep(10 * MS));
    let panics = named("panics", async { resume_unwind(Box::new("so be it")) });
    let yields = named("yields", yield_now());
    let waits = named("woken twice", {
        let notify = notify.clone();
        async move {
            let (first, second) = (notify.notified(), notify.notified());
            handspun::join!(first, second);
        }
    });
    panics.await.unwrap_err();
    aborted.abort();
    yields.await.unwrap();
    notify.notify_waiters();
    waits.await.unwrap();
    aborted.await.unwrap_err();
}

async fn timeouts() {
    let (sender, receiver) = oneshot::channel();
    let in_time = named("in time", async {
        timeout(500 * MS, receiver).await.unwrap().unwrap();
    });
    let too_late = named("too late", async {
        timeout(50 * MS, sleep(80 * MS)).await.unwrap_err();
    });
    sleep(20 * MS).await;
    sender.send(()).unwrap();
    in_time.await.unwrap();
    too_late.await.unwrap();
}

/// Too long for one strip, and it says something.
async fn workers() {
    let mutex = Rc::new(Mutex::new(0));
    let mut workers = Vec::new();
    for name in ["ann", "bob", "cid", "dee"] {
        let mutex = mutex.clone();
        workers.push(named(name, async move {
            for _ in 0..2 {
                let mut count = mutex.lock().await;
                sleep(15 * MS).await;
                *count += 1;
                trace::mark(&format!("{name} has counted to {count}"));
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    trace::mark("all have counted");
}

// What the figures look like.

#[test]
fn the_tour() {
    compare("tour", &recorded(tour()));
}

#[test]
fn a_ping_pong_over_two_channels() {
    compare("ping_pong", &recorded(ping_pong()));
}

#[test]
fn tasks_that_end_in_every_way() {
    compare("endings", &recorded(endings()));
}

#[test]
fn timers_that_are_disarmed() {
    compare("timeouts", &recorded(timeouts()));
}

#[test]
fn a_run_that_needs_several_strips_and_says_something() {
    compare("workers", &recorded(workers()));
}

// What they say.

#[test]
fn the_same_run_gives_the_same_bytes() {
    let trace = recorded(workers());
    assert_eq!(trace.to_svg(), trace.to_svg());
    assert_eq!(trace.to_svg(), recorded(workers()).to_svg());
}

#[test]
fn what_is_shown_is_described_in_a_sentence() {
    let figure = drawn(&recorded(tour()));
    assert_eq!(figure.title(), "A recorded run: root, db, cache, server");
    assert_eq!(
        figure.description(),
        "What one thread did from 0 s to 1 s: 4 tasks (root, db, cache, server), and 9 polls, in \
         this order: root, db, cache, server, cache, db, server, server, root."
    );
}

#[test]
fn each_wake_says_who_wakes_whom() {
    let figure = drawn(&recorded(tour()));
    let wakes: Vec<&str> = figure.titles().filter(|title| title.contains(" wakes ")).collect();
    #[rustfmt::skip]
    assert_eq!(wakes, [
        "timer 2 wakes cache, at 200 ms",
        "timer 1 wakes db, at 300 ms",
        "db wakes server, at 300 ms",
        "timer 3 wakes server, at 1 s",
        "server wakes root, at 1 s",
    ]);
}

#[test]
fn the_legend_explains_what_occurs_and_nothing_else() {
    let legend = |trace: &Trace| {
        let figure = drawn(trace);
        let texts =
            figure.named("text").filter(|tag| [46, 216, 386, 556].contains(&tag.number("x")));
        texts.map(|tag| tag.text.as_str()).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(legend(&recorded(async {})), "polled: ready", "a root that is ready at once");
    assert_eq!(
        legend(&recorded(ping_pong())),
        "polled: pending, polled: ready, in the run queue, waits, spawns, wakes"
    );
}

/// A run with one wake, by this.
fn woken_by(cause: Cause) -> Drawn {
    let mut records = recorded(yield_now()).records().to_vec();
    let woken = records.iter_mut().find_map(|record| match &mut record.event {
        Event::Woken { by, .. } => Some(by),
        _ => None,
    });
    *woken.unwrap() = cause;
    drawn(&Trace::from_records(records))
}

#[test]
fn what_sockets_do_comes_from_outside_and_has_a_sign_of_its_own() {
    let figure = woken_by(Cause::Socket);
    assert!(figure.shows("outside"));
    assert!(figure.shows("a socket is ready") && !figure.shows("outside all tasks"));
    assert!(figure.titles().any(|title| title.starts_with("a socket wakes root")));
    assert_eq!(figure.titles().filter(|title| *title == "a socket").count(), 1);
}

#[test]
fn what_other_threads_do_comes_from_outside() {
    let figure = woken_by(Cause::Thread);
    assert!(figure.shows("outside"));
    assert!(figure.shows("outside all tasks"));
    assert!(figure.titles().any(|title| title.starts_with("another thread wakes root")));
}

#[test]
fn a_task_that_cannot_be_woken_is_cut_off() {
    let figure = drawn(&recorded(async {
        let (sender, receiver) = oneshot::channel::<()>();
        let keeper = Rc::new(RefCell::new(None));
        named("lost", {
            let keeper = keeper.clone();
            poll_fn(move |context| {
                *keeper.borrow_mut() = Some(context.waker().clone());
                Poll::<()>::Pending
            })
        });
        yield_now().await;
        keeper.take();
        drop((sender, receiver));
    }));
    let lost = "root drops the last waker of lost: nobody can wake it now, at 0 s";
    assert!(figure.titles().any(|title| title == lost));
    assert!(figure.shows("last waker dropped"));
}

#[test]
fn the_time_stands_where_a_paused_clock_was_set_forward_by_hand() {
    let trace = recorded(async {
        advance(Duration::from_secs(10)).await;
        yield_now().await;
        sleep(Duration::from_secs(2)).await;
    });
    let ticks =
        |figure: &Drawn| figure.named("path").filter(|tag| tag.class() == "hs-tick").count();
    let figure = drawn(&trace);
    assert!(["0 s", "10 s", "12 s"].iter().all(|time| figure.shows(time)));
    assert_eq!(ticks(&figure), 2);
    // A running clock goes on in each column: only what comes after a rest is news.
    let figure = drawn(&Trace::from_records(trace.records().to_vec()));
    assert_eq!(ticks(&figure), 1);
}

#[test]
fn a_recording_may_end_in_the_middle_of_a_poll() {
    let executor = Executor::builder().start_paused(true).record(100).build();
    let trace = executor.block_on(async { trace::current().unwrap() });
    let figure = drawn(&trace);
    assert!(figure.shows("still being polled"));
    assert!(figure.titles().any(|title| title.contains("there the recording ends")));
}

#[test]
fn where_nothing_happened_that_is_said() {
    let figure = drawn(&Trace::from_records(Vec::new()));
    assert!(figure.shows("Nothing happened."));
}

#[test]
fn events_that_were_dropped_are_told() {
    let executor = Executor::builder().start_paused(true).record(30).build();
    executor.block_on(tour());
    let trace = executor.into_trace();
    assert!(trace.dropped() > 1);
    let figure = drawn(&trace);
    let dropped = format!("{} earlier events were dropped.", trace.dropped());
    assert!(figure.shows(&dropped));
    assert!(figure.description().ends_with(&dropped));
}

#[test]
fn a_long_run_is_cut_and_says_so() {
    let figure = drawn(&recorded(async {
        for number in 0..300 {
            trace::mark(&number.to_string());
            yield_now().await;
        }
    }));
    let polls = figure.titles().filter(|title| title.starts_with("root is polled")).count();
    assert_eq!(polls, 100);
    assert!(
        figure
            .shows("Not shown, for want of room: 201 later steps, 80 marks. The player shows all.")
    );
}

#[test]
fn of_many_tasks_the_oldest_are_shown() {
    let figure = drawn(&recorded(async {
        for _ in 0..50 {
            handspun::spawn(sleep(MS));
        }
        sleep(2 * MS).await;
    }));
    assert!(figure.shows("task 11"));
    let spawns = figure.shapes("hs-spawn", "root spawns ");
    let lines: BTreeSet<i32> =
        spawns.iter().map(|(_, spawn)| walk(&spawn.attributes["d"])[0].0).collect();
    assert_eq!((spawns.len(), lines.len()), (11, 1), "they share a line");
    assert!(!figure.shows("task 12"));
    let hidden = "6 later steps, 39 tasks, 6 timers";
    let remark = format!("Not shown, for want of room: {hidden}. The player shows all.");
    assert!(figure.description().contains(&remark), "{}", figure.description());
    let (line, next) = remark.split_at(remark.find("all.").unwrap());
    assert!(figure.shows(line.trim()) && figure.shows(next), "in two lines");
}

#[test]
fn a_timer_that_is_disarmed_in_the_poll_that_armed_it_is_not_drawn() {
    let figure = drawn(&recorded(async {
        let mut sleep = Box::pin(sleep(MS));
        poll_fn(|context| Poll::Ready(sleep.as_mut().poll(context).is_ready())).await;
    }));
    assert!(!figure.shows("timers"));
}

#[test]
fn a_hundred_thousand_events_are_a_small_figure() {
    let trace = recorded(async {
        let tasks: Vec<_> = (0..1_000)
            .map(|_| {
                handspun::spawn(async {
                    for _ in 0..20 {
                        sleep(MS).await;
                        yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert!(trace.records().len() >= 100_000);
    let figure = trace.to_svg();
    assert!(figure.len() < 300_000, "it has {} bytes", figure.len());
    parsed(&figure);
}

// What holds of every figure.

#[test]
fn names_and_words_that_mean_harm_are_only_words() {
    let long = "x".repeat(10_000);
    for words in [
        "",
        " ",
        "<b>&amp;\"'</b>",
        "</text></svg><script>alert(1)</script>",
        "]]>",
        "<!--",
        "a\nb\tc\r\0\u{1}\u{7f}\u{85}",
        "\u{fffe}\u{ffff}\u{202e}reversed\u{2066}",
        "مرحبا",
        "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀",
        &long,
    ] {
        let trace = recorded(async {
            let task = named(words, async { trace::mark("in a task") });
            named(words, sleep(MS));
            trace::mark(words);
            task.await.unwrap();
        });
        drawn(&trace);
    }
    let trace = recorded(async { drop(named("<b>&amp;", async {}).await) });
    assert!(drawn(&trace).shows("<b>&amp;"));
}

#[derive(Clone, Debug)]
enum Step {
    Yield,
    Sleep(u8),
    Timeout(u8, u8),
    Lock(u8),
    Notify,
    Wait,
    Mark,
    Spawn,
    Abort(u8),
    Panic,
}

fn program() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = prop_oneof![
        Just(Step::Yield),
        (0..4_u8).prop_map(Step::Sleep),
        (0..4_u8, 0..4_u8).prop_map(|(limit, time)| Step::Timeout(limit, time)),
        (0..3_u8).prop_map(Step::Lock),
        Just(Step::Notify),
        Just(Step::Wait),
        Just(Step::Mark),
        Just(Step::Spawn),
        any::<u8>().prop_map(Step::Abort),
        Just(Step::Panic),
    ];
    prop::collection::vec(prop::collection::vec(step, 0..6), 0..10)
}

fn play(program: Vec<Vec<Step>>) -> Trace {
    let mutex = Rc::new(Mutex::new(()));
    let notify = Rc::new(Notify::new());
    let aborts = Rc::new(RefCell::new(Vec::new()));
    recorded(async move {
        for steps in program {
            let (mutex, notify, known) = (mutex.clone(), notify.clone(), aborts.clone());
            let task = handspun::spawn(async move {
                for step in steps {
                    match step {
                        Step::Yield => yield_now().await,
                        Step::Sleep(time) => sleep(u32::from(time) * MS).await,
                        Step::Timeout(limit, time) => {
                            let time = sleep(u32::from(time) * MS);
                            let _ = timeout(u32::from(limit) * MS, time).await;
                        }
                        Step::Lock(time) => {
                            let _guard = mutex.lock().await;
                            sleep(u32::from(time) * MS).await;
                        }
                        Step::Notify => notify.notify_waiters(),
                        Step::Wait => notify.notified().await,
                        Step::Mark => trace::mark("here"),
                        Step::Spawn => drop(handspun::spawn(sleep(MS))),
                        Step::Abort(which) => {
                            let known: Vec<AbortHandle> = known.borrow().clone();
                            known[usize::from(which) % known.len()].abort();
                        }
                        Step::Panic => resume_unwind(Box::new("so be it")),
                    }
                }
            });
            aborts.borrow_mut().push(task.abort_handle());
        }
        sleep(10 * MS).await;
    })
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn in_every_program_an_arrow_leads_from_a_poll_of_the_waker_to_the_lane_of_the_woken(
        program in program(),
    ) {
        let figure = drawn(&play(program));
        // The sources of other arrows may be hidden.
        if !figure.description().contains("Not shown") {
            figure.check_arrows();
        }
    }

    /// Not one that a run could have left: some records are lost, and some come too late.
    #[test]
    fn every_list_of_records_has_a_figure(
        program in program(),
        lost in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        late in prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 0..5),
    ) {
        let mut records = play(program).records().to_vec();
        for index in lost {
            if !records.is_empty() {
                records.remove(index.index(records.len()));
            }
        }
        for (one, other) in late {
            if !records.is_empty() {
                let (one, other) = (one.index(records.len()), other.index(records.len()));
                let event = records[one].event.clone();
                records[one].event = std::mem::replace(&mut records[other].event, event);
            }
        }
        drawn(&Trace::from_records(records));
    }
}

#[test]
fn every_colour_for_the_light_has_one_for_the_dark() {
    let figure = recorded(async {}).to_svg();
    let (_, style) = figure.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    let (light, dark) = style.split_once("@media (prefers-color-scheme:dark){").unwrap();
    let coloured = |rules: &str| -> BTreeSet<String> {
        let mut coloured = BTreeSet::new();
        for rule in rules.lines().filter(|rule| rule.contains("{")) {
            let (selector, declarations) = rule.split_once('{').unwrap();
            for declaration in declarations.trim_end_matches('}').split(';') {
                let (property, value) = declaration.split_once(':').unwrap();
                if value.starts_with('#') {
                    coloured.insert(format!("{selector} {property}"));
                }
            }
        }
        coloured
    };
    assert!(coloured(light).len() > 20);
    assert_eq!(coloured(light), coloured(dark));
}

// Reading a figure.

/// A figure that has been read.
pub struct Drawn(Vec<Tag>);

#[derive(Default)]
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
    /// The title of the group that it is in.
    title: String,
}

impl Drawn {
    fn titles(&self) -> impl Iterator<Item = &str> {
        self.named("title").map(|tag| tag.text.as_str())
    }

    fn title(&self) -> &str {
        self.titles().next().unwrap()
    }

    fn description(&self) -> &str {
        &self.named("desc").next().unwrap().text
    }

    fn shows(&self, text: &str) -> bool {
        self.named("text").any(|tag| tag.text == text)
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Tag> {
        self.0.iter().filter(move |tag| tag.name == name)
    }

    /// The shapes of that class whose title has these words, and what comes before the words.
    fn shapes(&self, class: &str, words: &str) -> Vec<(&str, &Tag)> {
        let tags = self.0.iter().filter(|tag| tag.class() == class);
        tags.filter_map(|tag| Some((tag.title.split_once(words)?.0, tag))).collect()
    }

    /// Each arrow by which a task wakes or spawns another begins at one of its boxes, and ends in
    /// the lane of the other.
    fn check_arrows(&self) {
        let boxes = [
            ("hs-poll", " is polled"),
            ("hs-panic", " is polled"),
            ("hs-dropped", " was aborted"),
            ("hs-dropped", " is dropped"),
        ];
        let boxes: Vec<_> =
            boxes.iter().flat_map(|(class, words)| self.shapes(class, words)).collect();
        let is_at_box = |task: &str, (x, y): (i32, i32)| {
            boxes.iter().filter(|(polled, _)| *polled == task).any(|(_, polled)| {
                let [(left, top), (right, bottom)] = corners(polled)[..] else {
                    return false;
                };
                // An outline is drawn within its box.
                (left - 1..=right + 1).contains(&x) && (top - 1..=bottom + 1).contains(&y)
            })
        };
        let is_in_lane = |task: &str, y: i32| {
            let mut names =
                self.0.iter().filter(|tag| tag.class() == "hs-name" && tag.text == task);
            names.any(|name| (name.number("y") - 20..name.number("y") + 10).contains(&y))
        };
        let kinds = [
            ("hs-spawn", " spawns "),
            ("hs-wake", " wakes "),
            ("hs-vain", " wakes "),
            ("hs-abort", " aborts "),
        ];
        for (class, words) in kinds {
            for (by, arrow) in self.shapes(class, words) {
                let (_, to) = arrow.title.split_once(words).unwrap();
                let to = to.split(',').next().unwrap();
                let by = by.trim_start_matches("the destructor of ");
                let way = walk(&arrow.attributes["d"]);
                let is_tip = way.len() > 2;
                if by.starts_with("timer") || is_tip {
                    continue;
                }
                assert!(is_at_box(by, way[0]), "{} at {way:?}", arrow.title);
                let back = (way[1].1 - way[0].1).signum() * 8;
                assert!(is_in_lane(to, way[1].1 + back), "{} at {way:?}", arrow.title);
            }
        }
    }
}

impl Tag {
    fn class(&self) -> &str {
        self.attributes.get("class").map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> i32 {
        let number = self.attributes[name].parse();
        number.unwrap_or_else(|_| panic!("{name} in {:?} is no whole number", self.attributes))
    }
}

/// Draws, reads what is drawn, and checks what holds of every figure.
#[track_caller]
fn drawn(trace: &Trace) -> Drawn {
    let figure = trace.to_svg();
    let drawn = parsed(&figure);
    for word in [
        "<script",
        "href",
        "url(",
        "@import",
        "@font-face",
        " id=",
        "<!",
        "<?",
    ] {
        assert!(!figure.contains(word), "{word} is in the figure:\n{figure}");
    }
    assert_eq!(figure.matches("http").count(), 1, "only the namespace has an address");
    let root = &drawn.0[0].attributes;
    assert_eq!(root["role"], "img");
    assert_eq!([&drawn.0[1].name, &drawn.0[2].name], ["title", "desc"]);

    let size: Vec<i32> = root["viewBox"].split(' ').map(|number| number.parse().unwrap()).collect();
    let [0, 0, width, height] = size[..] else {
        panic!("viewBox: {size:?}")
    };
    for tag in &drawn.0[1..] {
        assert!(tag.class().is_empty() || tag.class().starts_with("hs-"), "{}", tag.class());
        for (x, y) in corners(tag) {
            let is_inside = (0..=width).contains(&x) && (0..=height).contains(&y);
            assert!(is_inside, "{x},{y} of {} is off the paper:\n{figure}", tag.name);
        }
    }
    check_texts(&drawn);
    drawn
}

/// No text of a line touches the next, or sticks out. (How wide a text is depends on the font; this
/// is a wide one.)
#[track_caller]
fn check_texts(drawn: &Drawn) {
    let mut lines: BTreeMap<i32, Vec<(i32, i32, &str)>> = BTreeMap::new();
    for tag in drawn.named("text").filter(|tag| tag.class().is_empty()) {
        let is_time = tag.text.starts_with(|char: char| char.is_ascii_digit());
        let width = |char| match char {
            '.' | ' ' if is_time => 5,
            'm' if is_time => 14,
            _ if is_time => 9,
            _ => 8,
        };
        let width: i32 = tag.text.chars().map(width).sum();
        let x = tag.number("x");
        let from = if tag.attributes.contains_key("text-anchor") { x - width } else { x };
        lines.entry(tag.number("y")).or_default().push((from, from + width, &tag.text));
    }
    for texts in lines.values_mut() {
        texts.sort();
        for pair in texts.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "these touch: {pair:?}");
        }
        assert!(texts.last().unwrap().1 <= 695, "this sticks out: {texts:?}");
    }
}

/// Points that a shape touches.
fn corners(tag: &Tag) -> Vec<(i32, i32)> {
    match tag.name.as_str() {
        "rect" => {
            let (x, y, width, height) =
                (tag.number("x"), tag.number("y"), tag.number("width"), tag.number("height"));
            assert!(width > 0 && height > 0, "{:?}", tag.attributes);
            vec![(x, y), (x + width, y + height)]
        }
        "circle" => {
            let (x, y, r) = (tag.number("cx"), tag.number("cy"), tag.number("r"));
            vec![(x - r, y - r), (x + r, y + r)]
        }
        "text" => vec![(tag.number("x"), tag.number("y"))],
        "path" => walk(&tag.attributes["d"]),
        "g" | "title" | "desc" | "style" => Vec::new(),
        name => panic!("what is a {name}?"),
    }
}

/// The points to which a path goes: whole numbers, and the commands that the figure uses.
fn walk(path: &str) -> Vec<(i32, i32)> {
    let (mut x, mut y, mut points) = (0, 0, Vec::new());
    let mut commands = path.split_inclusive(|char: char| char.is_ascii_alphabetic()).peekable();
    let mut command = commands.next().expect("a path has a command").to_string();
    while command != "z" {
        let rest = commands.next().unwrap_or("");
        let (numbers, next) = match rest.char_indices().next_back() {
            Some((at, char)) if char.is_ascii_alphabetic() => rest.split_at(at),
            _ => (rest, "z"),
        };
        let numbers = numbers.replace('-', " -");
        let numbers: Vec<i32> = numbers
            .split_whitespace()
            .map(|number| number.parse().unwrap_or_else(|_| panic!("{number} in {path}")))
            .collect();
        match (command.as_str(), &numbers[..]) {
            ("M", [to_x, to_y]) => (x, y) = (*to_x, *to_y),
            ("m" | "l", [by_x, by_y]) | ("a", [_, _, _, _, _, by_x, by_y]) => {
                (x, y) = (x + by_x, y + by_y);
            }
            ("H", [to]) => x = *to,
            ("V", [to]) => y = *to,
            ("h", [by]) => x += by,
            ("v", [by]) => y += by,
            _ => panic!("{command} {numbers:?} in {path}"),
        }
        points.push((x, y));
        command = next.to_string();
    }
    points
}

#[track_caller]
fn parsed(xml: &str) -> Drawn {
    parse(xml).unwrap_or_else(|complaint| panic!("{complaint}:\n{xml}"))
}

/// Reads XML, as much of it as a figure may use: tags, attributes in double quotes, text, and the
/// three entities that text needs.
pub fn parse(xml: &str) -> Result<Drawn, String> {
    let is_allowed =
        |char| matches!(char, '\t' | '\n' | ' '..='\u{7e}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    if let Some(char) = xml.chars().find(|char| !is_allowed(*char)) {
        return Err(format!("{char:?} has no place in XML"));
    }
    let mut tags: Vec<Tag> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = xml.trim_end();
    while !rest.is_empty() {
        let (text, after) = rest.split_once('<').unwrap_or((rest, ""));
        match open.last() {
            Some(&tag) => tags[tag].text += &unescape(text)?,
            None if text.is_empty() => {}
            None => return Err("there is text outside of all tags".into()),
        }
        let (tag, after) = after.split_once('>').ok_or("a tag has no end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let opened = open.pop().map(|tag| tags[tag].name.as_str());
            if opened != Some(name) {
                return Err(format!("</{name}> closes {opened:?}"));
            }
            if let (Some(&group), "title") = (open.last(), name) {
                tags[group].title = tags[tags.len() - 1].text.clone();
            }
        } else {
            if open.is_empty() && !tags.is_empty() {
                return Err("there are two roots".into());
            }
            let mut new = parse_tag(tag.trim_end_matches('/'))?;
            new.title = open.last().map(|&group| tags[group].title.clone()).unwrap_or_default();
            if !tag.ends_with('/') {
                open.push(tags.len());
            }
            tags.push(new);
        }
    }
    match open.last() {
        None => Ok(Drawn(tags)),
        Some(&tag) => Err(format!("<{}> is not closed", tags[tag].name)),
    }
}

fn parse_tag(tag: &str) -> Result<Tag, String> {
    let is_name = |name: &str| {
        name.starts_with(|char: char| char.is_ascii_alphabetic())
            && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '-')
    };
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut attributes = BTreeMap::new();
    while !rest.is_empty() {
        let (key, after) = rest.split_once("=\"").ok_or(format!("no attribute: {rest}"))?;
        let (value, after) = after.split_once('"').ok_or(format!("{key} is not closed"))?;
        if !is_name(key) || value.contains('<') {
            return Err(format!("no attribute: {key}={value}"));
        }
        if attributes.insert(key.to_string(), unescape(value)?).is_some() {
            return Err(format!("{key} comes twice"));
        }
        rest = match after.strip_prefix(' ') {
            Some(after) => after,
            None if after.is_empty() => after,
            None => return Err(format!("no space before {after}")),
        };
    }
    if !is_name(name) {
        return Err(format!("no name: {name}"));
    }
    Ok(Tag {
        name: name.into(),
        attributes,
        ..Tag::default()
    })
}

fn unescape(text: &str) -> Result<String, String> {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or("").to_string();
    for part in parts {
        let entities = [("lt;", '<'), ("gt;", '>'), ("amp;", '&')];
        let entity = entities.iter().find(|(entity, _)| part.starts_with(entity));
        let (entity, char) = entity.ok_or(format!("&{part} is no entity"))?;
        plain.push(*char);
        plain += &part[entity.len()..];
    }
    if text.contains("]]>") || text.contains('>') {
        return Err(format!("a raw > in {text}"));
    }
    Ok(plain)
}

#[test]
fn the_reader_of_these_tests_is_strict() {
    for bad in [
        "<a>",
        "<a></b>",
        "<a></a><b></b>",
        "<a b=c></a>",
        "<a b=\"1\" b=\"2\"/>",
        "<a>&nbsp;</a>",
        "<a>&</a>",
        "<a>\u{1}</a>",
        "<a>\u{ffff}</a>",
        "<a>]]></a>",
        "<!-- a --><a/>",
        "text",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
    let good = parsed("<a b=\"1\"><title>1 &lt; 2 &amp;&amp; 2 &gt; 1</title><c/></a>\n");
    assert_eq!(good.title(), "1 < 2 && 2 > 1");
    assert_eq!(good.0[0].attributes["b"], "1");
}

// Snapshots.

#[track_caller]
fn compare(name: &str, trace: &Trace) {
    drawn(trace);
    let file = format!("{}/tests/trace/snapshots/{name}.svg", env!("CARGO_MANIFEST_DIR"));
    let drawn = trace.to_svg();
    if env::var_os("HANDSPUN_BLESS").is_some() {
        fs::write(&file, &drawn).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(drawn == expected, "{file} differs. Was it meant? See the top of {}.", file!());
}
