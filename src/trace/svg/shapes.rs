//! The signs of the figure: what they look like, and what the legend calls them.
//!
//! A shape is a string of SVG. How wide a text is, nobody can say who does not know the font: it is
//! guessed here, on the wide side.
//!
//! Next: `trace/svg/strip.rs`, which says where they stand.

use crate::trace::layout::printable;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

/// All lengths are in pixels of a page on which the figure has its full width.
pub(super) const WIDTH: i32 = 700;
pub(super) const MARGIN: i32 = 14;

/// Half the height of a box, and of the bar of a task that is in the run queue.
pub(super) const BOX: i32 = 11;
pub(super) const BAR: i32 = 4;

/// The width of a character, or a bit more: of a name, of a digit, and on average of other text.
const NAME: i32 = 9;
const DIGIT: i32 = 9;
const LETTER: i32 = 8;

/// Words for who points at something have at most so many letters.
pub(super) const TITLE: usize = 200;

/// What the legend explains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    Pending,
    Ready,
    Panicked,
    Polled,
    Dropped,
    Queued,
    Waiting,
    Spawn,
    Wake,
    WakeOfItself,
    WakeInVain,
    Abort,
    Forget,
    Socket,
    Outside,
    Fired,
    Disarmed,
    Armed,
}

impl Sign {
    pub(super) fn words(self) -> &'static str {
        match self {
            Sign::Pending => "polled: pending",
            Sign::Ready => "polled: ready",
            Sign::Panicked => "polled: panicked",
            Sign::Polled => "still being polled",
            Sign::Dropped => "dropped unfinished",
            Sign::Queued => "in the run queue",
            Sign::Waiting => "waits",
            Sign::Spawn => "spawns",
            Sign::Wake => "wakes",
            Sign::WakeOfItself => "wakes itself",
            Sign::WakeInVain => "wakes in vain",
            Sign::Abort => "aborts",
            Sign::Forget => "last waker dropped",
            Sign::Socket => "a socket is ready",
            Sign::Outside => "outside all tasks",
            Sign::Fired => "timer: fires",
            Sign::Disarmed => "timer: disarmed",
            Sign::Armed => "timer: still armed",
        }
    }

    /// The sign in the legend: 26 pixels from `x` on, at the height `y`.
    pub(super) fn sample(self, x: i32, y: i32) -> String {
        let (all, middle) = (x..x + 26, x + 13);
        match self {
            Sign::Pending | Sign::Ready | Sign::Panicked | Sign::Polled | Sign::Dropped => {
                poll_box(self, all, y)
            }
            Sign::Queued => bar(all, y),
            Sign::Waiting => line("wait", all, y),
            Sign::Spawn | Sign::Wake | Sign::WakeInVain | Sign::Abort => {
                arrow(self, middle, y - 10, y + 10)
            }
            Sign::WakeOfItself => loop_arrow(self, middle, y + BOX - 3),
            Sign::Forget => line("wait", all, y) + &cut(middle, y),
            Sign::Socket => socket(middle, y),
            Sign::Outside => ring(middle, y),
            Sign::Fired | Sign::Disarmed => timer(x + 3..x + 20, y, true, Some(self)),
            Sign::Armed => timer(x + 3..x + 26, y, true, None),
        }
    }

    /// The class of an arrow.
    fn class(self) -> &'static str {
        match self {
            Sign::Spawn => "spawn",
            Sign::Abort => "abort",
            Sign::WakeInVain => "vain",
            _ => "wake",
        }
    }
}

// The shapes. Classes are written without the `hs-` with which they all begin.

pub(super) fn poll_box(sign: Sign, x: Range<i32>, y: i32) -> String {
    let (left, top, width, height) = (x.start, y - BOX, x.end - x.start, 2 * BOX);
    let middle = left + width / 2;
    let rounded = |class, inset: i32| {
        let (left, top) = (left + inset, top + inset);
        rectangle(class, left, top, width - 2 * inset, height - 2 * inset, 3)
    };
    match sign {
        Sign::Ready => rounded("poll", 0) + &path("sign", &format!("M{} {y}l4 5l8-10", middle - 6)),
        Sign::Panicked => {
            rounded("panic", 0) + &path("sign", &format!("M{} {}l8 8m0-8l-8 8", middle - 4, y - 4))
        }
        // Its right border is torn off.
        Sign::Polled => path("poll", &format!("M{left} {top}h{width}l-6 6l6 5l-6 5l6 6h-{width}z")),
        // An outline is drawn on both sides of the border.
        Sign::Dropped => rounded("dropped", 1),
        _ => rounded("poll", 0),
    }
}

pub(super) fn bar(x: Range<i32>, y: i32) -> String {
    rectangle("queued", x.start, y - BAR, x.end - x.start, 2 * BAR, 0)
}

pub(super) fn line(class: &str, x: Range<i32>, y: i32) -> String {
    path(class, &format!("M{} {y}H{}", x.start, x.end))
}

/// An arrow, up or down.
pub(super) fn arrow(sign: Sign, x: i32, from: i32, to: i32) -> String {
    let back = if to < from { 8 } else { -8 };
    path(sign.class(), &format!("M{x} {from}V{}", to + back)) + &tip(sign, x, to, back)
}

/// The tip of an arrow, so many pixels long. An abort has a cross.
fn tip(sign: Sign, x: i32, y: i32, back: i32) -> String {
    let class = sign.class();
    match sign {
        Sign::Abort => path(class, &format!("M{} {}l8 {}m-8 0l8 {back}", x - 4, y + back, -back)),
        _ => path(&format!("{class}-tip"), &format!("M{x} {y}l-4 {back}h8z")),
    }
}

/// An arrow from the top of a box to itself.
pub(super) fn loop_arrow(sign: Sign, x: i32, y: i32) -> String {
    let top = y - BOX;
    let shaft = format!("M{} {top}v-2a6 6 0 0 1 12 0", x - 6);
    path(sign.class(), &shaft) + &tip(sign, x + 6, top + 2, -6)
}

pub(super) fn ring(x: i32, y: i32) -> String {
    format!("<circle class=\"hs-wake\" cx=\"{x}\" cy=\"{y}\" r=\"4\"/>")
}

/// A plug, from which a wake hangs.
pub(super) fn socket(x: i32, y: i32) -> String {
    rectangle("wake", x - 5, y - 4, 10, 8, 0)
        + &path("wake", &format!("M{} {}v-4m4 4v-4", x - 2, y - 4))
}

/// Across the line of a task that waits and cannot be woken.
pub(super) fn cut(x: i32, y: i32) -> String {
    path("lost", &format!("M{} {}v14m4-14v14", x - 2, y - 7))
}

/// A timer: a dot where it was armed and a sign where that ended, if they are in sight.
pub(super) fn timer(x: Range<i32>, y: i32, begins: bool, end: Option<Sign>) -> String {
    let Range { start, end: right } = x;
    let mut shape = line("timer", x, y);
    if begins {
        shape += &format!("<circle class=\"hs-timer-tip\" cx=\"{start}\" cy=\"{y}\" r=\"3\"/>");
    }
    match end {
        Some(Sign::Fired) => {
            shape + &path("timer-tip", &format!("M{right} {}l6 6l-6 6l-6-6z", y - 6))
        }
        Some(_) => shape + &path("timer", &format!("M{right} {}v12", y - 6)),
        None => shape,
    }
}

/// The number of what the program said, or of several things.
pub(super) fn badge(x: i32, y: i32, (first, last): (usize, usize)) -> String {
    let number = if first == last { first.to_string() } else { format!("{first}–{last}") };
    let width = 8 + LETTER * number.chars().count() as i32;
    let text = format!(
        "<text class=\"hs-number\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{number}</text>",
        x - 8 + width / 2,
        y + 4
    );
    rectangle("badge", x - 8, y - 8, width, 16, 8) + &text
}

pub(super) fn path(class: &str, data: &str) -> String {
    format!("<path class=\"hs-{class}\" d=\"{data}\"/>")
}

pub(super) fn rectangle(
    class: &str,
    x: i32,
    y: i32,
    width: i32,
    height: i32,
    round: i32,
) -> String {
    let round = if round == 0 { String::new() } else { format!(" rx=\"{round}\"") };
    format!(
        "<rect class=\"hs-{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"\
         {round}/>"
    )
}

/// What has been drawn so far, and which of the signs it has.
#[derive(Default)]
pub(super) struct Ink {
    pub(super) page: String,
    pub(super) signs: BTreeSet<Sign>,
}

impl Ink {
    pub(super) fn add(&mut self, shape: &str) {
        self.page += shape;
        self.page.push('\n');
    }

    /// A shape, with words for who points at it.
    pub(super) fn add_titled(&mut self, title: &str, shape: &str) {
        self.add(&format!("<g><title>{}</title>{shape}</g>", escaped(title)));
    }

    /// A shape of which the legend has to say what it is.
    pub(super) fn add_sign(&mut self, sign: Sign, title: &str, shape: &str) {
        self.signs.insert(sign);
        self.add_titled(title, shape);
    }

    pub(super) fn add_text(&mut self, x: i32, y: i32, text: &str) {
        self.add(&format!("<text x=\"{x}\" y=\"{y}\">{}</text>", escaped(text)));
    }
}

// Words.

/// A time in the unit that suits it, with at most three decimals: `1.5 s`.
pub(super) fn time(time: Duration) -> String {
    let nanos = time.as_nanos();
    let (unit, name) = match nanos {
        0 | 1_000_000_000.. => (1_000_000_000, "s"),
        1_000_000.. => (1_000_000, "ms"),
        1_000.. => (1_000, "µs"),
        _ => (1, "ns"),
    };
    let thousandths = nanos * 1_000 / unit;
    let decimals = format!(".{:03}", thousandths % 1_000);
    let decimals = decimals.trim_end_matches('0').trim_end_matches('.');
    format!("{}{decimals} {name}", thousandths / 1_000)
}

/// A number, and of what: `1 task`, `2 tasks`.
pub(super) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `text` for between two tags. What XML does not allow even there is replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in printable(text).chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            char => escaped.push(char),
        }
    }
    escaped
}

/// How wide a name is. (Letters of the Far East, and emoji, are as wide as two.)
pub(super) fn name_width(name: &str) -> i32 {
    name.chars().map(|char| if char < '\u{1100}' { NAME } else { 2 * NAME }).sum()
}

/// How wide any other text is.
pub(super) fn text_width(text: &str) -> i32 {
    text.chars().count() as i32 * LETTER
}

/// How wide a time is: mostly digits, which are wider than letters.
pub(super) fn time_width(time: &str) -> i32 {
    let width = |char| match char {
        '.' | ' ' => 5,
        'm' => 14,
        _ => DIGIT,
    };
    time.chars().map(width).sum()
}

/// How many letters fit.
pub(super) fn letters(width: i32) -> usize {
    (width / LETTER).max(0) as usize
}
