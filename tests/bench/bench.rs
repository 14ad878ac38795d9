//! What things cost: `cargo bench`.
//!
//! ```text
//! cargo bench                  every row: a minute
//! cargo bench -- timer         the rows whose name contains the word (or one of the words)
//! cargo bench -- --quick       a tenth of the operations, fewer rounds: five seconds
//! ```
//!
//! A row is measured in rounds, and each round gives one figure: time per operation. The table
//! shows their median, and their minimum, which is what the operation costs when nothing else is
//! going on in the machine. If the two are far apart, something else was.
//!
//! `rows.rs`, `sync.rs` and `net.rs` have the measured code, `alloc.rs` counts bytes.

mod alloc;
#[cfg(unix)]
mod net;
mod rows;
mod sync;

use std::io::{Write, stdout};
use std::process::exit;

/// One line of the table.
struct Row {
    name: &'static str,
    /// How many operations are in a round.
    operations: u64,
    /// Measures one round of so many operations: the figure for one of them.
    round: fn(u64) -> f64,
    /// What one operation is, and what the figure is if it is not nanoseconds.
    what: &'static str,
}

const fn row(
    name: &'static str,
    operations: u64,
    round: fn(u64) -> f64,
    what: &'static str,
) -> Row {
    Row {
        name,
        operations,
        round,
        what,
    }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("spawn_join", 100_000, rows::spawn_join, "spawn and join: first all are spawned"),
    row("spawn_one", 1_000_000, rows::spawn_one, "spawn and join, one after the other"),
    row("spawn_detached", 100_000, rows::spawn_detached, "spawn, and drop the handle"),
    row("yield_1", 5_000_000, rows::yield_1, "yield_now in a task"),
    row("yield_root", 5_000_000, rows::yield_root, "yield_now in the future given to block_on"),
    row("yield_1000", 5_000_000, rows::yield_1000, "yield_now in each of 1,000 tasks"),
    row("yield_idle", 3_000_000, rows::yield_idle, "yield_now beside 100,000 tasks that wait"),
    row("yield_recorded", 500_000, rows::yield_recorded, "yield_now, recorded: three events"),

    row("timer_drop", 2_000_000, rows::timer_drop, "arm and disarm a timer; no other is armed"),
    row("timer_churn_1k", 1_000_000, |n| rows::timer_churn(1_000, n), "replace one of 1,000 armed"),
    row("timer_churn_10k", 1_000_000, |n| rows::timer_churn(10_000, n), "replace one of 10,000"),
    row("timer_churn_100k", 1_000_000, |n| rows::timer_churn(100_000, n), "replace one of 100,000"),
    row("timer_churn_1m", 500_000, |n| rows::timer_churn(1_000_000, n), "replace one of a million"),
    row("timer_timeout", 2_000_000, rows::timer_timeout, "a timeout around a yield_now"),
    row("timer_many_20k", 20_000, rows::timer_many, "work for a sleep of 0..50 ms, time paused"),
    row("timer_many_100k", 100_000, rows::timer_many, "the same among 100,000"),
    row("timer_late_20k", 20_000, rows::timer_late, "how late such a sleep is, in real time"),
    row("timer_late_100k", 100_000, rows::timer_late, "the same among 100,000 (a full core)"),
    row("timer_busy", 50, rows::timer_busy, "how late a sleep of 1 ms is, four tasks yield"),

    row("join_all_100", 500_000, |n| rows::join_all(100, n), "wake one of 100 under a join_all"),
    row("join_all_1k", 500_000, |n| rows::join_all(1_000, n), "one of 1,000"),
    row("join_all_10k", 500_000, |n| rows::join_all(10_000, n), "one of 10,000"),
    row("select_ready", 3_000_000, rows::select_ready, "a select! of two that are ready"),
    row("join_set_1k", 300_000, |n| rows::join_set(1_000, n), "a member of a set of 1,000"),
    row("join_set_100k", 300_000, |n| rows::join_set(100_000, n), "a member of one of 100,000"),

    row("pingpong_unb", 500_000, sync::pingpong_unb, "there and back by two unbounded channels"),
    row("pingpong_b1", 500_000, sync::pingpong_b1, "by two channels with room for one"),
    row("mpsc_free", 1_000_000, sync::mpsc_free, "send and receive in one task, room for 64"),
    row("mpsc_unb", 2_000_000, sync::mpsc_unb, "a message to another task, 256 at a time"),
    row("mpsc_b64", 1_000_000, sync::mpsc_b64, "a message to another task, room for 64"),
    row("mpsc_reserve", 1_000_000, sync::mpsc_reserve, "the same, by a permit"),
    row("mpsc_many", 1_000_000, sync::mpsc_many, "the same, by one of 100 senders"),
    row("select_loop", 1_000_000, sync::select_loop, "a message by a select! over two channels"),
    row("oneshot_free", 1_000_000, sync::oneshot_free, "make a oneshot, send and receive"),
    row("oneshot", 500_000, sync::oneshot, "the same, and another task sends"),
    row("watch_free", 1_000_000, sync::watch_free, "send a value and see it, in one task"),
    row("watch_1", 500_000, |n| sync::watch(1, n), "send it, and another task sees it"),
    row("watch_100", 1_000_000, |n| sync::watch(100, n), "one of 100 tasks sees it"),
    row("broadcast_free", 1_000_000, sync::broadcast_free, "send and receive in one task"),
    row("broadcast_1", 500_000, |n| sync::broadcast(1, n), "send it, and another task receives"),
    row("broadcast_10", 1_000_000, |n| sync::broadcast(10, n), "one of 10 tasks receives it"),
    row("broadcast_100", 1_000_000, |n| sync::broadcast(100, n), "one of 100 tasks receives it"),

    row("sem_free", 2_000_000, sync::sem_free, "acquire and release a permit"),
    row("sem", 500_000, |n| sync::sem(100, n), "the same over a turn, 100 tasks want ten permits"),
    row("sem_10k", 500_000, |n| sync::sem(10_000, n), "10,000 tasks want ten permits"),
    row("mutex_free", 2_000_000, sync::mutex_free, "lock and unlock"),
    row("mutex", 500_000, sync::mutex, "the same over a turn, 100 tasks want it"),
    row("rwlock_read_free", 2_000_000, sync::rwlock_read_free, "lock for reading, and unlock"),
    row("rwlock_write_free", 2_000_000, sync::rwlock_write_free, "lock for writing, and unlock"),
    row("rwlock", 500_000, sync::rwlock, "either over a turn, 100 tasks, one in ten writes"),
    row("notify_free", 2_000_000, sync::notify_free, "notify_one, and take its permit"),
    row("notify", 500_000, sync::notify, "there and back by two of them"),
    row("notify_waiters", 1_000_000, sync::notify_waiters, "wake one of 100 tasks, all at once"),
    row("barrier_10", 1_000_000, |n| sync::barrier(10, n), "one of ten tasks comes and waits"),
    row("once_cell_get", 5_000_000, sync::once_cell_get, "get_or_init where there is a value"),
    row("once_cell_init", 2_000_000, sync::once_cell_init, "make a cell and get_or_init"),
    row("once_cell_wait", 500_000, sync::once_cell_wait, "spawn and join one of 100 that wait"),
    row("token_free", 1_000_000, sync::token_free, "wait for cancellation, and give up"),
    row("token_cancel", 500_000, sync::token_cancel, "spawn, cancel and join one of 100"),

    #[cfg(unix)]
    row("echo_1", 100_000, |n| net::echo(1, 0, n), "there and back by TCP, of one client"),
    #[cfg(unix)]
    row("echo_100", 100_000, |n| net::echo(100, 0, n), "of one of 100 clients at once"),
    #[cfg(unix)]
    row("echo_1k", 100_000, |n| net::echo(1_000, 0, n), "of one of 1,000 clients at once"),
    #[cfg(unix)]
    row("echo_idle_1k", 10_000, |n| net::echo(1, 1_000, n), "of one, beside 1,000 who do nothing"),

    row("cross_wake", 20_000, rows::cross_wake, "a thread wakes a task and gets its answer"),
    row("cross_chan", 20_000, sync::cross_chan, "the same by an unbounded channel"),
    row("blockon_ready", 3_000_000, rows::blockon_ready, "block_on a ready future"),
    row("blockon_fresh", 500_000, rows::blockon_fresh, "the same, with an executor of its own"),

    row("mem_task", 100_000, rows::mem_task, "bytes for a task that waits (not ns)"),
    row("mem_sleep", 100_000, rows::mem_sleep, "bytes for a task that sleeps (not ns)"),
    row("mem_waiter", 100_000, sync::mem_waiter, "bytes for a task that waits in line (not ns)"),
    row("mem_unb", 10_000_000, sync::mem_unb, "bytes that ten million messages leave (not ns)"),
    row("mem_b64", 10_000_000, sync::mem_b64, "the same, room for 64"),
];

fn main() {
    let (mut quick, mut measuring) = (false, false);
    let mut words = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--quick" => quick = true,
            // Said by `cargo bench` itself. `cargo test --benches` does not say it: then each row
            // runs once, just to see that it does.
            "--bench" => measuring = true,
            option if option.starts_with('-') => refuse(&format!(
                "no option `{option}`; there is `--quick`, and words to choose rows"
            )),
            _ => words.push(argument),
        }
    }
    let chosen = |row: &Row| words.is_empty() || words.iter().any(|word| row.name.contains(word));
    let rows: Vec<&Row> = ROWS.iter().filter(|row| chosen(row)).collect();
    if rows.is_empty() {
        refuse(&format!("no row's name contains `{}`", words.join("` or `")));
    }
    let (rounds, share) = match (measuring, quick) {
        (true, false) => (7, 1),
        (true, true) => (3, 10),
        (false, _) => (1, 1_000),
    };
    println!("Nanoseconds for one operation, of {rounds} rounds.");
    if quick {
        println!(
            "Quick: a tenth of the operations; of the tasks too where each is one (timer_many)."
        );
    }
    println!();
    println!("{:<18}{:>9}{:>9}   one operation", "name", "median", "min");
    for row in rows {
        print!("{:<18}", row.name);
        stdout().flush().expect("somebody reads the table");
        let (median, min) = measure(row.round, (row.operations / share).max(1), rounds);
        match median.is_nan() {
            false => println!("{:>9}{:>9}   {}", figure(median), figure(min), row.what),
            true => println!("{:>9}{:>9}   needs more open files: ulimit -n 4096", "-", "-"),
        }
    }
}

fn refuse(why: &str) -> ! {
    eprintln!("bench: {why}");
    exit(2);
}

/// The median and the minimum of so many rounds.
fn measure(round: fn(u64) -> f64, operations: u64, rounds: usize) -> (f64, f64) {
    let mut figures: Vec<f64> = (0..rounds).map(|_| round(operations)).collect();
    figures.sort_by(f64::total_cmp);
    (figures[rounds / 2], figures[0])
}

/// Three digits that matter, or all before the point.
fn figure(value: f64) -> String {
    let digits = if value < 100.0 { 1 } else { 0 };
    format!("{value:.digits$}")
}
