//! Exercise 17: the check.
//!
//! A text is read again and again. In each run the call that waits is dropped at another of its
//! awaits, and called anew, until a run has come to its end before that.

handspun_exercises::answer!("HANDSPUN_ANSWER_17");

use answer::LineReader;
use handspun::sync::mpsc::{Receiver, channel};
use handspun::time::{Duration, sleep};
use handspun::trace;
use handspun_exercises::{Case, Check, Mistake, Wrong, spawn};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::process::ExitCode;
use std::task::Poll;

const PIECE_IS_A_LINE: Mistake = Mistake {
    name: "piece_is_a_line",
    says: "it returns what has come, and the line is not over",
};
const ENDS_WITH: Mistake = Mistake {
    name: "ends_with",
    says: "it looks for a newline at the end of a piece, and this one has one in the middle",
};
const REST_DROPPED: Mistake = Mistake {
    name: "rest_dropped",
    says: "what comes in a piece behind its first newline belongs to the next line",
};
const LAST_LINE_LOST: Mistake = Mistake {
    name: "last_line_lost",
    says: "when no more pieces come, what has come is a line, too; `recv().await?` forgets it",
};
const EMPTY_AT_THE_END: Mistake = Mistake {
    name: "empty_at_the_end",
    says: "a text that is over has no more lines, not even empty ones",
};
const EMPTY_LINES_LOST: Mistake = Mistake {
    name: "empty_lines_lost",
    says: "a line with nothing but its newline is a line, too",
};
const WAITS_FOR_MORE: Mistake = Mistake {
    name: "waits_for_more",
    says: "the line has come, and it waits for another piece; look first, and wait for what lacks",
};
const WITHOUT_NEWLINE: Mistake = Mistake {
    name: "without_newline",
    says: "the newline belongs to the line, and is cut off",
};
const SPINS: Mistake = Mistake {
    name: "spins",
    says: "it asks again and again for a piece; `recv` waits for one, and its `None` is the end",
};
const TAKEN_OUT: Mistake = Mistake {
    name: "taken_out",
    says: "what the last call has left over is taken out of the reader, into a variable of the \
           future; it must stay there until the line is whole",
};
const IN_THE_FUTURE: Mistake = Mistake {
    name: "in_the_future",
    says: "what this call has received is in a variable of the future, and is dropped with it",
};
const FIRST_STAYS: Mistake = Mistake {
    name: "first_stays",
    says: "the first line of a pair is kept, and is not taken away when the pair is returned",
};
const LAST_PAIR_LOST: Mistake = Mistake {
    name: "last_pair_lost",
    says: "it counts newlines, and the last line of a text may have none",
};
const SINGLE_LOST: Mistake = Mistake {
    name: "single_lost",
    says: "a line that has no second one is taken, and nobody gets it",
};
const PAIR_IN_THE_FUTURE: Mistake = Mistake {
    name: "pair_in_the_future",
    says: "two calls that are cancel safe, and in between the first line is in a variable of the \
           future: together they are not",
};
const KEPT_ASIDE: Mistake = Mistake {
    name: "kept_aside",
    says: "the first line of a pair is kept where `read_line` does not look for it",
};

fn main() -> ExitCode {
    Check::new("17_whole_lines")
        .case("pieces that are lines are read as lines", |case| {
            read_whole(case, &["tea\n", "milk\n"], None, None);
        })
        .case("a line may come in three pieces", |case| {
            read_whole(case, &["tea", " for", " two\n", "milk\n"], PIECE_IS_A_LINE, None);
        })
        .case("several lines may come in one piece", several_in_one)
        .case("the last line may have no newline, and after it comes `None`", end_of_text)
        .case("a dropped `read_line` keeps what the last call has left over", |case| {
            let pieces = ["tea\nsu", "gar\nmi", "lk\n"];
            drop_everywhere(case, &pieces, [line, line], TAKEN_OUT);
        })
        .case("a dropped `read_line` keeps what it has received itself", |case| {
            let pieces = ["tea", " for", " two\nmi", "lk", "\nsugar"];
            drop_everywhere(case, &pieces, [line, line], IN_THE_FUTURE);
        })
        .case("`read_pair` gives two lines", pairs)
        .case("a dropped `read_pair` keeps both its lines", |case| {
            drop_everywhere(case, &PAIRS, [pair, pair], PAIR_IN_THE_FUTURE);
        })
        .case("after a dropped `read_pair` also `read_line` misses nothing", |case| {
            drop_everywhere(case, &PAIRS, [pair, line], KEPT_ASIDE);
        })
        .case("a line that has no second one is still there for `read_line`", single)
        .run()
}

/// Two pairs of lines.
const PAIRS: [&str; 5] = ["te", "a\n", "milk\nsu", "gar\nle", "mon\n"];

/// A call that reads a line, or two.
type Call = for<'a> fn(&'a mut LineReader) -> Reading<'a>;
type Reading<'a> = Pin<Box<dyn Future<Output = Option<Vec<String>>> + 'a>>;

fn line(reader: &mut LineReader) -> Reading<'_> {
    Box::pin(async { Some(vec![reader.read_line().await?]) })
}

fn pair(reader: &mut LineReader) -> Reading<'_> {
    Box::pin(async {
        let (first, second) = reader.read_pair().await?;
        Some(vec![first, second])
    })
}

/// A piece every 100 ms.
fn written(pieces: &[&'static str]) -> Receiver<&'static str> {
    let pieces = pieces.to_vec();
    let (sender, receiver) = channel(pieces.len().max(1));
    spawn("writer", async move {
        for piece in pieces {
            sleep(Duration::from_millis(100)).await;
            trace::mark(&format!("sends {piece:?}"));
            // Who has stopped to read before the end is told so by what is missing.
            let _ = sender.send(piece).await;
        }
    });
    receiver
}

fn lines(pieces: &[&str]) -> Vec<String> {
    pieces.concat().split_inclusive('\n').map(str::to_string).collect()
}

// When it is dropped.

/// Which waits are dropped. They count from 1.
#[derive(Clone, Copy, PartialEq)]
enum Drops {
    None,
    /// When this poll has returned `Pending`.
    After(usize),
    /// When it was woken after this one, in place of the next poll: what it waited for is there.
    InPlaceOfNext(usize),
    /// Each time it was woken.
    Always,
}

/// A run.
struct Run {
    drops: Drops,
    /// What is called until the first drop, and what afterwards.
    calls: [Call; 2],
    /// More lines than these are not read.
    most: usize,
    waits: usize,
    /// What was read, and with which record of the trace.
    lines: Vec<(String, usize)>,
    /// With which records a call was dropped.
    dropped: Vec<usize>,
    /// With which record it was over.
    end: usize,
}

impl Run {
    fn new(drops: Drops, calls: [Call; 2], most: usize) -> Run {
        Run {
            drops,
            calls,
            most,
            waits: 0,
            lines: Vec::new(),
            dropped: Vec::new(),
            end: 0,
        }
    }

    /// Reads to the end, and looks then whether it stays there.
    async fn read(mut self, mut reader: LineReader) -> Run {
        for _ in 0..2 {
            while self.lines.len() < self.most
                && let Some(lines) = self.read_next(&mut reader).await
            {
                self.lines.extend(lines.into_iter().map(|line| (line, now())));
            }
        }
        self.end = now();
        self
    }

    /// What the call has returned that was not dropped.
    async fn read_next(&mut self, reader: &mut LineReader) -> Option<Vec<String>> {
        loop {
            let call = self.calls[usize::from(!self.dropped.is_empty())];
            let mut future = call(reader);
            let mut has_waited = false;
            let read = poll_fn(|cx| {
                let is_next = has_waited && self.drops == Drops::InPlaceOfNext(self.waits);
                if is_next || has_waited && self.drops == Drops::Always {
                    return Poll::Ready(None);
                }
                if let Poll::Ready(read) = future.as_mut().poll(cx) {
                    return Poll::Ready(Some(read));
                }
                has_waited = true;
                self.waits += 1;
                if self.drops == Drops::After(self.waits) {
                    return Poll::Ready(None);
                }
                Poll::Pending
            });
            if let Some(read) = read.await {
                return read;
            }
            self.dropped.push(now());
        }
    }
}

/// The last record so far.
fn now() -> usize {
    trace::current().map_or(0, |trace| trace.records().len() - 1)
}

fn run(case: &Case, pieces: &[&'static str], drops: Drops, calls: [Call; 2]) -> Run {
    let run = Run::new(drops, calls, lines(pieces).len() + 2);
    case.block_on(async { run.read(LineReader::new(written(pieces))).await })
}

// What must come of it.

impl Run {
    fn expect(&self, case: &Case, expected: &[String], mistake: impl Into<Option<Mistake>>) {
        let got: Vec<String> = self.lines.iter().map(|(line, _)| line.clone()).collect();
        if got == expected {
            return;
        }
        let longest = got.len().max(expected.len());
        let first = (0..longest).find(|&nth| got.get(nth) != expected.get(nth)).unwrap_or_default();
        let read = self.lines.get(first).map_or(self.end, |(_, record)| *record);
        let drop = self.dropped.iter().rev().find(|drop| **drop <= read);
        let wrong = Wrong::new(quoted(expected), quoted(&got)).looks_like(mistake);
        case.is_wrong(match (drop, got.get(first), expected.get(first)) {
            (Some(drop), ..) => wrong.at(*drop, "the call is dropped here"),
            (None, Some(got), _) => wrong.at(read, format!("returns {got:?}")),
            (None, None, Some(_)) => wrong.at(read, "returns None"),
            (None, None, None) => wrong,
        });
    }
}

/// `"tea\n" "milk\n"`
fn quoted(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("{line:?}")).collect();
    if lines.is_empty() { "nothing".to_string() } else { lines.join(" ") }
}

/// Nothing is dropped. `less`: what it is if something is missing; `other`: if not.
fn read_whole(
    case: &Case,
    pieces: &[&'static str],
    other: impl Into<Option<Mistake>>,
    less: impl Into<Option<Mistake>>,
) {
    case.if_it_never_ends(SPINS);
    case.if_it_hangs(SPINS);
    let run = run(case, pieces, Drops::None, [line, line]);
    let length: usize = run.lines.iter().map(|(line, _)| line.len()).sum();
    let mistake = if run.lines.iter().any(|(line, _)| line.is_empty()) {
        Some(EMPTY_AT_THE_END)
    } else if length > 0 && !run.lines.iter().any(|(line, _)| line.contains('\n')) {
        Some(WITHOUT_NEWLINE)
    } else if length < pieces.concat().len() {
        less.into()
    } else {
        other.into()
    };
    run.expect(case, &lines(pieces), mistake);
}

fn several_in_one(case: &Case) {
    read_whole(case, &["tea\nmilk\nsu", "gar\n"], ENDS_WITH, REST_DROPPED);
    read_whole(case, &["\ntea\n\nmilk\n", "\n"], None, EMPTY_LINES_LOST);
    let waits = case.block_on(async {
        let mut reader = LineReader::new(written(&["tea\nmilk\n", "sugar\n"]));
        let _tea = reader.read_line().await;
        let mut milk = line(&mut reader);
        poll_fn(|cx| Poll::Ready(milk.as_mut().poll(cx).is_pending())).await
    });
    if waits {
        let wrong = Wrong::new("the second line of a piece, at once", "a wait");
        let last = case.polls_of("root").last().map_or(0, |poll| poll.began);
        case.is_wrong(wrong.at(last, "it waits, and the line is there").looks_like(WAITS_FOR_MORE));
    }
}

fn end_of_text(case: &Case) {
    read_whole(case, &["tea\nmi", "lk"], None, LAST_LINE_LOST);
    read_whole(case, &["tea", "", " for two\n"], PIECE_IS_A_LINE, None);
    read_whole(case, &[], None, None);
}

fn pairs(case: &Case) {
    let whole = run(case, &PAIRS, Drops::None, [pair, pair]);
    let is_more = whole.lines.len() > lines(&PAIRS).len();
    whole.expect(case, &lines(&PAIRS), is_more.then_some(FIRST_STAYS));
    let pieces = ["tea\nmi", "lk"];
    let last = run(case, &pieces, Drops::None, [pair, pair]);
    last.expect(case, &lines(&pieces), LAST_PAIR_LOST);
}

fn single(case: &Case) {
    // A line too many, and nobody calls `read_line` for it yet.
    let pieces = ["tea\nmilk\n", "sugar"];
    let expected = lines(&pieces);
    let whole = run(case, &pieces, Drops::None, [pair, pair]);
    whole.expect(case, &expected[..2], None);
    let single = case.block_on(async {
        let mut reader = LineReader::new(written(&pieces));
        while reader.read_pair().await.is_some() {}
        let mut single = Run::new(Drops::None, [line, line], 2);
        single = single.read(reader).await;
        single
    });
    single.expect(case, &expected[2..], SINGLE_LOST);
}

fn drop_everywhere(case: &Case, pieces: &[&'static str], calls: [Call; 2], mistake: Mistake) {
    /// One that waits more often than this is not dropped at all its awaits.
    const MOST_WAITS: usize = 50;
    let one_by_one = (1..MOST_WAITS).flat_map(|n| [Drops::After(n), Drops::InPlaceOfNext(n)]);
    for drops in one_by_one {
        let run = run(case, pieces, drops, calls);
        run.expect(case, &lines(pieces), mistake);
        if run.dropped.is_empty() {
            break;
        }
    }
    run(case, pieces, Drops::Always, calls).expect(case, &lines(pieces), mistake);
}
