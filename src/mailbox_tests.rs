//! The bell against the races that it is there for, letters in their order, and the registry.
//!
//! Each sleep has a limit, so that a lost wake fails a test instead of hanging it.

use super::*;
use crate::time::Instant;
use std::collections::HashMap;
use std::hint;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicU32;
use std::thread::{self, JoinHandle};

/// A sleep that lasts so long has missed its wake.
const WATCHDOG: Duration = Duration::from_secs(5);

/// A mailbox of this thread's that is in no registry.
fn mailbox() -> Mailbox {
    Mailbox {
        letters: Mutex::new(Some(Vec::new())),
        bell: AtomicU8::new(SILENT),
        thread: thread::current(),
        bell_of_reactor: Mutex::new(None),
    }
}

/// The `index`-th letter of a thread.
fn letter(thread: u16, index: u32) -> Letter {
    let number = NonZeroU64::MIN;
    Letter::Wake(Name::new(thread, Key { index, number }))
}

/// Which letter of which thread that is.
fn parts(letter: Letter) -> (u16, u32) {
    match letter {
        Letter::Wake(name) => (name.executor(), name.index()),
        Letter::Release(_) | Letter::Leave(_) => panic!("nobody sent this"),
    }
}

impl Mailbox {
    /// What an executor does when nothing is runnable: sleeps and reads, until there is a letter.
    #[track_caller]
    fn wait(&self) -> Vec<Letter> {
        let start = Instant::now();
        loop {
            if self.has_rung() {
                let letters = self.empty();
                if !letters.is_empty() {
                    return letters;
                }
            }
            self.park(Some(WATCHDOG));
            assert!(start.elapsed() < WATCHDOG, "slept although there was a letter");
        }
    }

    fn bell(&self) -> u8 {
        self.bell.load(Ordering::SeqCst)
    }
}

/// Runs `f` on a thread of its own. (Not a scoped one: the end of a scope unparks the thread that
/// waits for it, which is what a lost wake failed to do.)
fn spawn_with<R: Send + 'static>(
    mailbox: &Arc<Mailbox>,
    f: impl FnOnce(&Mailbox) -> R + Send + 'static,
) -> JoinHandle<R> {
    let mailbox = mailbox.clone();
    thread::spawn(move || f(&mailbox))
}

/// Waits without sleeping, to be quick. `false` if the watchdog has come first.
fn spin_until(condition: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < WATCHDOG {
        for _ in 0..1_000 {
            if condition() {
                return true;
            }
        }
        thread::yield_now();
    }
    false
}

#[test]
fn letters_come_out_in_the_order_in_which_they_came() {
    let mailbox = mailbox();
    let number = NonZeroU64::MIN;
    let letters = [
        letter(2, 1),
        Letter::Release(Key { index: 1, number }),
        letter(1, 2),
    ];
    for letter in letters {
        mailbox.deliver(letter);
    }
    assert_eq!(mailbox.empty(), letters);
    assert_eq!(mailbox.empty(), []);
}

#[test]
fn a_letter_that_is_repeated_while_unread_is_kept_once() {
    let mailbox = mailbox();
    let [a, b] = [letter(1, 1), letter(1, 2)];
    for letter in [a, a, a, b, b, a] {
        mailbox.deliver(letter);
    }
    assert_eq!(mailbox.empty(), [a, b, a]);
    mailbox.deliver(a);
    assert!(mailbox.has_rung());
    assert_eq!(mailbox.empty(), [a]);
}

#[test]
fn an_unread_box_grows_with_the_tasks_and_not_with_the_wakes() {
    let mailbox = mailbox();
    for _ in 0..10_000 {
        (0..3).for_each(|task| mailbox.deliver(letter(0, task)));
    }
    let unread = mailbox.empty();
    assert!(unread.len() < 20, "{} letters for three tasks", unread.len());
    assert_eq!(unread[..3], [letter(0, 0), letter(0, 1), letter(0, 2)]);
}

#[test]
fn the_bell_rings_from_the_first_letter_until_the_box_is_emptied() {
    let mailbox = mailbox();
    assert!(!mailbox.has_rung());
    mailbox.deliver(letter(1, 1));
    assert!(mailbox.has_rung());
    mailbox.deliver(letter(1, 2));
    assert!(mailbox.has_rung());
    mailbox.empty();
    assert!(!mailbox.has_rung());
}

#[test]
fn an_executor_with_an_unread_letter_does_not_fall_asleep() {
    let mailbox = mailbox();
    mailbox.deliver(letter(1, 1));
    let start = Instant::now();
    mailbox.park(Some(WATCHDOG));
    mailbox.park(Some(WATCHDOG));
    assert!(start.elapsed() < WATCHDOG);
    assert!(mailbox.has_rung());
    assert_eq!(mailbox.empty(), [letter(1, 1)]);
}

#[test]
fn a_letter_wakes_the_executor_that_sleeps() {
    let mailbox = Arc::new(mailbox());
    let writer = spawn_with(&mailbox, |mailbox| {
        spin_until(|| mailbox.bell() == ASLEEP);
        mailbox.deliver(letter(1, 1));
    });
    assert_eq!(mailbox.wait(), [letter(1, 1)]);
    writer.join().unwrap();
}

#[test]
fn a_letter_that_comes_while_the_box_is_emptied_rings_again() {
    let mailbox = Arc::new(mailbox());
    mailbox.deliver(letter(1, 1));
    let mut letters = mailbox.letters.lock().unwrap();
    let executor = spawn_with(&mailbox, Mailbox::empty);
    // The executor stands before the lock. Were the bell not silent by now, it would be silenced
    // later, together with the ring of the second letter.
    assert!(spin_until(|| mailbox.bell() == SILENT));
    letters.as_mut().unwrap().push(letter(1, 2));
    mailbox.bell.swap(RUNG, Ordering::AcqRel);
    drop(letters);
    assert_eq!(executor.join().unwrap(), [letter(1, 1), letter(1, 2)]);
    assert!(mailbox.has_rung());
}

#[test]
fn after_a_sleep_that_nobody_ended_the_bell_is_silent() {
    let mailbox = mailbox();
    mailbox.park(Some(Duration::ZERO));
    assert_eq!(mailbox.bell(), SILENT);
    // A parking token of somebody else's ends a sleep too, for no reason.
    let start = Instant::now();
    thread::current().unpark();
    mailbox.park(Some(WATCHDOG));
    assert!(start.elapsed() < WATCHDOG);
    assert_eq!(mailbox.bell(), SILENT);
    mailbox.deliver(letter(1, 1));
    assert!(mailbox.has_rung());
}

#[test]
fn after_a_sleep_that_panicked_the_executor_sleeps_again() {
    let mailbox = mailbox();
    let sleep = || -> () { resume_unwind(Box::new("the system refuses")) };
    let panicked = catch_unwind(AssertUnwindSafe(|| mailbox.sleep_unless_rung(sleep)));
    assert!(panicked.is_err());
    assert_eq!(mailbox.sleep_unless_rung(|| "slept"), Some("slept"));
    assert_eq!(mailbox.bell(), SILENT);
}

#[test]
fn a_wake_does_not_depend_on_the_parking_token() {
    let mailbox = mailbox();
    mailbox.deliver(letter(1, 1));
    // Code of the user's that parks this thread eats the token, if there is one.
    thread::park_timeout(Duration::ZERO);
    assert_eq!(mailbox.wait(), [letter(1, 1)]);
}

#[test]
fn threads_that_write_all_at_once_lose_nothing() {
    const LETTERS: u32 = 20_000;
    let mailbox = Arc::new(mailbox());
    let writers = [0, 1, 2, 3].map(|thread| {
        spawn_with(&mailbox, move |mailbox| {
            for index in 0..LETTERS {
                mailbox.deliver(letter(thread, index));
                if index % 64 == 0 {
                    // Lets the executor catch up and sleep.
                    thread::yield_now();
                }
            }
        })
    });
    let mut next = [0; 4];
    while next != [LETTERS; 4] {
        for (thread, index) in mailbox.wait().into_iter().map(parts) {
            let next = &mut next[usize::from(thread)];
            assert_eq!(index, *next, "a letter of thread {thread} is lost, or out of order");
            *next += 1;
        }
    }
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(mailbox.empty(), []);
}

#[test]
fn a_letter_at_the_moment_of_falling_asleep_is_not_lost() {
    const ROUNDS: u32 = 50_000;
    let mailbox = Arc::new(mailbox());
    let read = Arc::new(AtomicU32::new(0));
    let writer = spawn_with(&mailbox, {
        let read = read.clone();
        move |mailbox| {
            for round in 0..ROUNDS {
                if !spin_until(|| read.load(Ordering::SeqCst) == round) {
                    return;
                }
                // Each time at another moment of the executor's looking and falling asleep.
                for moment in 0..round % 16 {
                    hint::black_box(moment);
                }
                mailbox.deliver(letter(1, round));
            }
        }
    });
    for round in 0..ROUNDS {
        assert_eq!(mailbox.wait(), [letter(1, round)]);
        read.store(round + 1, Ordering::SeqCst);
    }
    writer.join().unwrap();
}

#[test]
fn an_executor_gets_letters_by_its_number_while_its_thread_lives() {
    let (executor, mailbox) = thread::spawn(|| {
        let registration = Registration::acquire();
        deliver(registration.executor, letter(1, 1));
        assert_eq!(registration.mailbox.empty(), [letter(1, 1)]);
        let kept = (registration.executor, registration.mailbox.clone());
        registration.release();
        kept
    })
    .join()
    .unwrap();
    deliver(executor, letter(1, 2));
    assert_eq!(mailbox.empty(), []);
    assert_eq!(Arc::strong_count(&mailbox), 1, "the registry has let go of it");
}

#[test]
fn letters_for_a_number_that_nobody_has_are_ignored() {
    deliver(u16::MAX, letter(1, 1));
    deliver(MAX_EXECUTORS as u16 - 1, letter(1, 1));
}

#[test]
fn executors_that_are_alive_have_different_numbers_and_mailboxes() {
    let registrations = [(); 3].map(|()| Registration::acquire());
    let [a, b, c] = &registrations;
    assert!(a.executor != b.executor && b.executor != c.executor && c.executor != a.executor);
    deliver(b.executor, letter(7, 7));
    let got = registrations
        .each_ref()
        .map(|registration| registration.mailbox.empty().contains(&letter(7, 7)));
    assert_eq!(got, [false, true, false]);
    registrations.into_iter().for_each(Registration::release);
}

#[test]
fn the_next_executor_of_a_thread_takes_over_and_goes_on_counting() {
    let mut earlier = Registration::acquire();
    let (executor, mailbox) = (earlier.executor, earlier.mailbox.clone());
    let stop = earlier.next_number.saturating_add(100);
    earlier.next_number = stop;
    earlier.mailbox.deliver(letter(8, 8));
    earlier.release();

    let later = Registration::acquire();
    assert_eq!(later.executor, executor);
    assert!(Arc::ptr_eq(&later.mailbox, &mailbox));
    assert_eq!(later.next_number, stop);
    assert!(!later.mailbox.empty().contains(&letter(8, 8)), "a letter for the earlier one");
    assert!(!later.mailbox.has_rung());
    later.release();
}

#[test]
fn who_takes_over_the_number_of_a_thread_that_ended_goes_on_counting() {
    let begin_and_stop = || {
        let mut registration = Registration::acquire();
        let (executor, begin) = (registration.executor, registration.next_number);
        registration.next_number = begin.saturating_add(100);
        let stop = registration.next_number;
        registration.release();
        (executor, begin, stop)
    };
    let mut stops = HashMap::new();
    // One after the other. Most of them get the number of the one before.
    for _ in 0..20 {
        let (executor, begin, stop) = thread::spawn(begin_and_stop).join().unwrap();
        if let Some(earlier) = stops.insert(executor, stop) {
            assert!(begin >= earlier, "{begin} was given out before: it went up to {earlier}");
        }
    }
}
