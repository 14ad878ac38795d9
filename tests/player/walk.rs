//! What the player says of every run, at every step: asked once, for all tests that want to know.
//!
//! A step takes the browser some milliseconds, since all is drawn anew, and a window half a second
//! to open. So there is one window for all runs, and one walk through each, in the page itself,
//! which brings along what is said and shown at each step.

use crate::browser::Page;
use crate::json::{Json, quote};
use crate::programs;
use handspun::trace::Trace;
use std::sync::OnceLock;

/// A run, and what the player says of it.
pub struct Walk {
    pub name: &'static str,
    pub trace: Trace,
    /// At each index.
    pub steps: Vec<Step>,
    /// The stops by "poll" and "turn", from the beginning to the end and back again.
    pub stops: Vec<(&'static str, &'static str, Vec<usize>)>,
    /// States that were asked for out of order, with their indexes.
    pub jumps: Vec<(usize, Json)>,
    /// From the last event with a cause: where the keys to the cause and back lead, and the button.
    pub to_cause: [usize; 3],
    /// The list of what looks wrong.
    pub lints: Vec<String>,
    /// What the player's own list of errors has.
    pub errors: Vec<Json>,
}

/// What is said and shown at one index.
pub struct Step {
    pub state: Json,
    /// The sentence, and what can be read of it.
    pub said: String,
    pub shown: String,
    /// The index of the cause.
    pub cause: Option<usize>,
    /// The names in the run queue, how many timers are listed, and the text of the list of tasks.
    pub queue: Vec<String>,
    pub timers: usize,
    pub tasks: String,
}

/// All runs. `None` where there is no browser.
pub fn all() -> Option<&'static [Walk]> {
    static ALL: OnceLock<Option<Vec<Walk>>> = OnceLock::new();
    ALL.get_or_init(walk_all).as_deref()
}

fn walk_all() -> Option<Vec<Walk>> {
    let mut page = Page::blank()?;
    let walks = programs::all().into_iter().map(|(name, trace)| walk(&mut page, name, trace));
    Some(walks.collect())
}

fn walk(page: &mut Page, name: &'static str, trace: Trace) -> Walk {
    page.load(&trace.to_html());
    let lints = page.eval("[...document.querySelectorAll('#lint-list li')].map(x => x.innerText)");
    let steps = page.eval(
        "Array.from({ length: player.count + 1 }, (_, i) => {
            player.goTo(i);
            return {
                state: player.state(), said: player.sentence(), shown: sentence.innerText,
                cause: player.causeOf(i),
                queue: [...queue.querySelectorAll('ol .name')].map(x => x.innerText),
                timers: timers.querySelectorAll('ul > li').length,
                tasks: tasks.innerText,
            };
        })",
    );
    let steps: Vec<Step> = steps.list().iter().map(step).collect();
    let to_cause = to_cause(page, &steps);
    // What is shown has been seen. From here on only the cursor moves.
    page.eval("player.render = () => {}");
    let last = trace.records().len();
    let mut stops = Vec::new();
    for unit in ["poll", "turn"] {
        for (button, from) in [("step", 0), ("back", last)] {
            stops.push((unit, button, all_stops(page, button, unit, from)));
        }
    }
    let jumps = shuffled(last + 1);
    let told =
        page.eval(&format!("{jumps:?}.map(i => {{ player.goTo(i); return player.state() }})"));
    Walk {
        name,
        steps,
        stops,
        jumps: jumps.into_iter().zip(told.list().iter().cloned()).collect(),
        to_cause,
        lints: texts(&lints),
        errors: page.eval("player.errors").list().to_vec(),
        trace,
    }
}

fn step(told: &Json) -> Step {
    let cause = told.get("cause");
    Step {
        state: told.get("state").clone(),
        said: told.get("said").text().to_string(),
        shown: told.get("shown").text().to_string(),
        cause: (!cause.is_null()).then(|| cause.count() as usize),
        queue: texts(told.get("queue")),
        timers: told.get("timers").count() as usize,
        tasks: told.get("tasks").text().to_string(),
    }
}

fn texts(list: &Json) -> Vec<String> {
    list.list().iter().map(|text| text.text().to_string()).collect()
}

fn to_cause(page: &mut Page, steps: &[Step]) -> [usize; 3] {
    let Some(index) = steps.iter().rposition(|step| step.cause.is_some()) else {
        return [0; 3];
    };
    let index_now = |page: &mut Page| page.eval("player.index").count() as usize;
    page.eval(&format!("player.goTo({index})"));
    page.press("c");
    let cause = index_now(page);
    page.press("b");
    let back = index_now(page);
    page.click("#cause");
    [cause, back, index_now(page)]
}

/// Presses a button until that leads nowhere.
fn all_stops(page: &mut Page, button: &str, unit: &str, from: usize) -> Vec<usize> {
    let button = quote(&format!("{button}-{unit}"));
    let told = page.eval(&format!(
        "(() => {{
            player.goTo({from});
            const stops = [];
            for (let last = {from};;) {{
                document.getElementById({button}).click();
                if (player.index === last) return stops;
                stops.push(last = player.index);
            }}
        }})()"
    ));
    told.list().iter().map(|stop| stop.count() as usize).collect()
}

/// Every index once, in an order without order, but the same each time.
pub fn shuffled(count: usize) -> Vec<usize> {
    let mut state = 1u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut order: Vec<usize> = (0..count).collect();
    for nth in (1..order.len()).rev() {
        order.swap(nth, random(nth + 1));
    }
    order
}
