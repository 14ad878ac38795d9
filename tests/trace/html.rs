//! The player's page, as a text: that it is whole, and that the run is in it as it was. What it
//! does in a browser is for `tests/player.rs`.

#[path = "../player/json.rs"]
#[allow(dead_code, reason = "the rest is for the tests that use a browser")]
mod json;

use handspun::executor::Executor;
use handspun::sync::{mpsc, oneshot};
use handspun::task::{Builder, yield_now};
use handspun::time::{Duration, sleep, timeout};
use handspun::trace::{Cause, Event, Record, Trace, mark, value};
use json::Json;
use std::panic::Location;

const MS: Duration = Duration::from_millis(1);

/// A paused clock, and the whole run.
fn run(root: impl Future<Output = ()>) -> Trace {
    let executor = Executor::builder().start_paused(true).record(100_000).build();
    executor.block_on(root);
    executor.into_trace()
}

async fn tour() {
    let db = Builder::new().name("db").spawn(sleep(300 * MS));
    let cache = Builder::new().name("cache").spawn(sleep(200 * MS));
    let server = Builder::new().name("server").spawn(async {
        db.await.unwrap();
        cache.await.unwrap();
        sleep(700 * MS).await;
    });
    server.await.unwrap();
}

/// A task of this name, which also says it, and has it as a value.
async fn say(name: String) {
    let task = Builder::new().name(name.clone()).spawn(async move {
        mark(&name);
        value(&name, 1);
        yield_now().await;
    });
    task.await.unwrap();
}

const HOSTILE: [&str; 12] = [
    "",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "\"quoted\" 'and' \\ escaped",
    "lines\nand\r\ntabs\t\u{2028}\u{2029}",
    "\0\u{1}\u{1b}[31m\u{7f}",
    "{{trace}}{{script}}",
    "&amp;&lt;",
    "\u{202e}from right to left",
    "🦀",
    "${alert(1)}",
];

/// The run that is in the page.
#[track_caller]
fn embedded(page: &str) -> Json {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"trace\">").unwrap();
    let (json, _) = rest.split_once("</script>").unwrap();
    Json::read(json.trim())
}

/// The events in it, without the times.
fn events(json: &Json) -> Vec<&[Json]> {
    let items = json.get("events").list().iter();
    items.filter(|item| matches!(item, Json::List(_))).map(Json::list).collect()
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn it_is_one_whole_page_and_refers_to_nothing_outside() {
    for trace in [Trace::default(), run(tour())] {
        let page = trace.to_html();
        assert!(page.starts_with("<!doctype html>\n"));
        assert!(page.ends_with("</html>\n"));
        let elements = [
            "<html",
            "<style>",
            "</style>",
            "<script",
            "</script>",
            "</body>",
        ];
        assert_eq!(elements.map(|element| count(&page, element)), [1, 1, 1, 2, 2, 1]);
        for outside in [
            "src=", "href=", "@import", "url(", "import(", "fetch(", "XMLHttp", "://",
        ] {
            let namespace = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!namespace.contains(outside), "{outside}");
        }
        assert!(!page.contains("{{"), "a hole is left");
    }
}

#[test]
fn the_script_comes_without_its_comments() {
    let page = Trace::default().to_html();
    assert!(!page.contains(" // ") && !page.lines().any(|line| line.starts_with("//")));
    assert!(page.contains("\nclass State {\n"));
}

#[test]
fn it_is_small() {
    let tour = run(tour()).to_html().len();
    assert!(tour < 100_000, "{tour} bytes");
    let trace = run(async {
        for _ in 0..1_000 {
            timeout(MS, sleep(2 * MS)).await.unwrap_err();
        }
    });
    let events = trace.records().len();
    let each = (trace.to_html().len() - Trace::default().to_html().len()) / events;
    assert!(each < 30, "{each} bytes for each of {events} events");
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let page = || run(tour()).to_html();
    assert!(page() == page());
}

#[test]
fn no_name_can_leave_its_string() {
    let before = count(&Trace::default().to_html(), "<");
    let long = "</script>".repeat(2_000);
    for name in HOSTILE.into_iter().chain([&*long]) {
        let page = run(say(name.to_string())).to_html();
        assert_eq!(count(&page, "<"), before, "{name:?} brings a tag");
        let json = embedded(&page);
        let strings = json.get("strings").list();
        let found = strings.iter().filter(|string| string.text() == name).count();
        assert_eq!(found, 1, "{name:?} is written once, and as it was");
    }
}

#[test]
fn every_event_is_in_it_in_order() {
    let trace = run(async {
        let (sender, mut receiver) = mpsc::channel(1);
        let (_never, silent) = oneshot::channel::<()>();
        let task = Builder::new().name("silent").spawn(silent);
        for number in 0..3 {
            handspun::spawn({
                let sender = sender.clone();
                async move { sender.send(number).await.unwrap() }
            });
        }
        drop(sender);
        while receiver.recv().await.is_some() {
            sleep(MS).await;
        }
        task.abort();
        task.await.unwrap_err();
        mark("done");
    });
    let json = embedded(&trace.to_html());
    let events = events(&json);
    assert_eq!(events.len(), trace.records().len());
    for (event, record) in events.iter().zip(trace.records()) {
        let word = event[0].text();
        let expected = match &record.event {
            Event::Spawned { .. } => "spawn",
            Event::PollBegun { .. } => "poll",
            Event::PollEnded { .. } => "end",
            Event::Woken { .. } => "wake",
            Event::AbortAsked { .. } => "abort",
            Event::TimerMade { .. } => "timer",
            Event::TimerArmed { .. } => "arm",
            Event::TimerFired { .. } => "fire",
            Event::TimerDropped { .. } => "gone",
            Event::WaitBegun { awaited, .. } => match awaited {
                handspun::trace::Awaited::Task(_) => "join",
                _ => "wait",
            },
            Event::WaitEnded { .. } => "over",
            Event::ClockSet => "clock",
            Event::Mark { .. } => "mark",
            other => panic!("{other:?} was not expected"),
        };
        assert_eq!(word, expected);
    }
}

#[test]
fn a_time_is_written_when_it_changes() {
    let trace = run(tour());
    let json = embedded(&trace.to_html());
    let times = json.get("events").list().iter().filter(|item| matches!(item, Json::Number(_)));
    let times: Vec<u64> = times.map(Json::count).collect();
    assert_eq!(times, [0, 200_000_000, 300_000_000, 1_000_000_000]);
}

#[test]
fn times_and_values_of_any_size_are_written() {
    let place = Location::caller();
    let record = |at, event| Record { at, event };
    let far = Duration::MAX;
    let trace = Trace::from_records(vec![
        record(
            Duration::from_nanos(1),
            Event::TimerMade {
                timer: 1,
                deadline: far,
                place,
                by: Cause::Outside,
            },
        ),
        record(
            far,
            Event::Value {
                name: "most".into(),
                value: i64::MAX,
            },
        ),
        record(
            far,
            Event::Value {
                name: "least".into(),
                value: -(1 << 53) + 1,
            },
        ),
    ]);
    let json = embedded(&trace.to_html());
    let events = events(&json);
    assert_eq!(events[0][2].number(), far.as_nanos() as f64);
    // JavaScript would make 9223372036854775808 of it.
    assert_eq!(events[1][2].text(), "9223372036854775807");
    assert_eq!(events[2][2].number(), -9_007_199_254_740_991.0);
}

#[test]
fn it_says_what_kind_of_recording_it_is() {
    let executor = Executor::builder().start_paused(true).record(10).build();
    executor.block_on(tour());
    let trace = executor.into_trace();
    let json = embedded(&trace.to_html());
    assert!(json.get("paused").bool());
    assert_eq!(json.get("dropped").count(), trace.dropped());
    assert!(trace.dropped() > 0);
    assert_eq!(events(&json)[0][0].text(), "known");

    let executor = Executor::builder().record(10).build();
    executor.block_on(yield_now());
    let json = embedded(&executor.into_trace().to_html());
    assert!(!json.get("paused").bool());
    assert_eq!(json.get("dropped").count(), 0);
}

/// The events of this kind.
fn of_kind<'a>(json: &'a Json, kind: &str) -> Vec<&'a [Json]> {
    events(json).into_iter().filter(|event| event[0].text() == kind).collect()
}

#[cfg(unix)]
#[test]
fn a_wake_by_a_socket_is_told_as_one() {
    let json = embedded(&run(crate::sockets::wait_for_one()).to_html());
    let [wake] = of_kind(&json, "wake")[..] else {
        panic!("one wake is told");
    };
    assert_eq!((wake[1].count(), wake[2].text(), wake[3].text()), (0, "socket", "queued"));
}

#[test]
fn of_a_task_that_is_older_than_the_recording_its_wakers_are_told() {
    let executor = Executor::builder().start_paused(true).record(1).build();
    let lost = executor.spawn(std::future::pending::<()>());
    let sleeper = executor.spawn(sleep(MS));
    executor.block_on(yield_now());
    let json = embedded(&executor.trace().to_html());
    let wakers = |task: u64| {
        let known = of_kind(&json, "known");
        known.iter().find(|known| known[1].count() == task).unwrap()[9].count()
    };
    assert_eq!((wakers(1), wakers(2)), (0, 1));
    drop((lost, sleeper));
}

#[test]
fn it_lists_what_looks_wrong() {
    let trace = run(async {
        handspun::spawn(sleep(MS));
        yield_now().await;
    });
    let lint = &trace.lints()[0];
    let json = embedded(&trace.to_html());
    let strings = json.get("strings").list();
    let [kind, sentence, task, at] = json.get("lints").list()[0].list() else {
        panic!("four things are told of it");
    };
    assert_eq!(strings[kind.count() as usize].text(), lint.kind.name());
    assert_eq!(strings[sentence.count() as usize].text(), lint.sentence());
    assert_eq!(task.count(), 1);
    assert_eq!(at.number(), lint.at.as_nanos() as f64);
}
