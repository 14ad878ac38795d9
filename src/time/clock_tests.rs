//! The clock: what is rounded which way, what does not overflow, and where it stands after any
//! sequence of pausing, setting forward and resuming.

use super::*;
use proptest::prelude::*;

const TICK: Duration = Duration::from_nanos(NANOS_PER_TICK as u64);

/// A clock that stands on its origin.
fn paused() -> (Clock, Instant) {
    let clock = Clock::paused();
    let origin = clock.now();
    (clock, origin)
}

/// Some years at most, in nanoseconds; whole ticks and their neighbours as often as the others.
fn nanos() -> impl Strategy<Value = u64> {
    let any = (any::<u64>(), 6..u64::BITS).prop_map(|(nanos, shift)| nanos >> shift);
    let near_a_tick = (any.clone(), 0..3u64)
        .prop_map(|(nanos, and)| (nanos / 1_000 * 1_000).saturating_sub(1) + and);
    prop_oneof![any, near_a_tick]
}

/// As short and as long as they come.
fn any_duration() -> impl Strategy<Value = Duration> {
    (any::<u64>(), 0..u64::BITS, 0..1_000_000_000u32)
        .prop_map(|(seconds, shift, nanos)| Duration::new(seconds >> shift, nanos))
}

proptest! {
    #[test]
    fn a_deadline_is_rounded_up_and_the_present_down(nanos in nanos()) {
        let (mut clock, origin) = paused();
        let instant = origin + Duration::from_nanos(nanos);
        clock.set_forward(instant);
        prop_assert_eq!(clock.deadline_ticks(instant), nanos.div_ceil(1_000));
        prop_assert_eq!(clock.now_ticks(), nanos / 1_000);
    }

    #[test]
    fn no_deadline_is_reached_early_nor_a_tick_late(deadline in nanos(), present in nanos()) {
        let (mut clock, origin) = paused();
        let deadline = origin + Duration::from_nanos(deadline);
        let present = origin + Duration::from_nanos(present);
        clock.set_forward(present);
        let deadline_ticks = clock.deadline_ticks(deadline);
        let reached = deadline_ticks <= clock.now_ticks();
        prop_assert!(!reached || present >= deadline);
        prop_assert!(reached || present < deadline + TICK);
        // An executor that sleeps, or sets its clock forward, to a deadline's tick has reached it.
        let instant = clock.instant_of(deadline_ticks);
        prop_assert!(deadline <= instant && instant < deadline + TICK);
        clock.set_forward(instant);
        prop_assert!(clock.now_ticks() >= deadline_ticks);
    }

    #[test]
    fn any_duration_can_be_added(duration in any_duration(), more in any_duration()) {
        let (mut clock, origin) = paused();
        let deadline = origin.far_add(duration);
        match origin.checked_add(duration) {
            Some(exact) => prop_assert_eq!(deadline, exact),
            None => prop_assert!(deadline > origin),
        }
        prop_assert!(deadline.far_add(more) >= deadline);
        let ticks = clock.deadline_ticks(deadline);
        let exact = deadline.duration_since(origin).as_nanos().div_ceil(1_000);
        prop_assert_eq!(ticks, u64::try_from(exact).unwrap_or(NEVER));
        prop_assert!(clock.instant_of(ticks) > origin || ticks == 0);
    }
}

#[test]
fn the_longest_durations_are_never_over() {
    let (mut clock, origin) = paused();
    let far = origin.far_add(Duration::MAX);
    assert!(far.duration_since(origin) > Duration::from_micros(NEVER));
    assert_eq!(clock.deadline_ticks(far), NEVER);
    clock.set_forward(far);
    assert_eq!(clock.now(), far);
    assert!(clock.now_ticks() < NEVER);
    assert!(far.far_add(Duration::MAX) >= far);
    assert!(clock.instant_of(NEVER) > origin);
}

#[test]
fn a_deadline_in_the_past_is_tick_zero() {
    let (mut clock, origin) = paused();
    let before = origin.checked_sub(Duration::from_nanos(1)).unwrap();
    assert_eq!(clock.deadline_ticks(before), 0);
    assert_eq!(clock.deadline_ticks(origin), 0);
}

#[test]
fn a_real_clock_counts_from_the_moment_it_was_first_asked() {
    let mut clock = Clock::real();
    assert_eq!(clock.now_ticks(), 0);

    let hour = Duration::from_secs(3600);
    let mut clock = Clock::real();
    let before = Instant::real_now();
    let ticks = clock.deadline_ticks(before + hour);
    let passed = Instant::real_now().duration_since(before);
    assert!(ticks <= 3_600_000_000, "the deadline itself was taken for the origin");
    assert!(Duration::from_micros(ticks) + passed >= hour);
}

#[test]
fn a_real_clock_shows_the_real_time() {
    let before = Instant::real_now();
    let now = Clock::real().now();
    assert!(before <= now && now <= Instant::real_now());
}

#[test]
fn a_paused_clock_stands_until_it_is_set_forward() {
    let (mut clock, origin) = paused();
    let later = origin + Duration::from_secs(3600);
    assert_eq!(clock.now(), origin);
    clock.set_forward(later);
    assert_eq!(clock.now(), later);
    clock.set_forward(origin);
    assert_eq!(clock.now(), later, "it does not go back");
    clock.pause();
    assert_eq!(clock.now(), later, "pausing it again changes nothing");
    assert_eq!(clock.now_ticks(), 3_600_000_000);
}

#[test]
fn a_resumed_clock_runs_on_from_where_it_stood_as_fast_as_the_real_one() {
    let (mut clock, origin) = paused();
    let later = origin + Duration::from_secs(3600);
    clock.set_forward(later);
    clock.resume();
    // Each reading of the clock lies between two of the real one.
    let (before, start, after) = (Instant::real_now(), clock.now(), Instant::real_now());
    assert!(start >= later);
    while Instant::real_now() < after + TICK {}
    let at_least = Instant::real_now() - after;
    let passed = clock.now() - start;
    let at_most = Instant::real_now() - before;
    assert!(at_least <= passed && passed <= at_most);
}

#[test]
fn a_running_clock_cannot_be_set_forward() {
    let mut clock = Clock::real();
    let later = Instant::real_now() + Duration::from_secs(3600);
    clock.set_forward(later);
    assert!(clock.now() < later);
    clock.pause();
    clock.resume();
    clock.set_forward(later);
    assert!(clock.now() < later);
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Pause,
    Resume,
    SetForward(Duration),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        Just(Op::Pause),
        Just(Op::Resume),
        nanos().prop_map(|nanos| Op::SetForward(Duration::from_nanos(nanos))),
    ]
}

proptest! {
    #[test]
    fn a_clock_shows_what_it_was_set_forward_and_what_passed_while_it_ran(
        ops in prop::collection::vec(op(), 0..20),
        start_paused in any::<bool>(),
    ) {
        let start = Instant::real_now();
        let mut clock = if start_paused { Clock::paused() } else { Clock::real() };
        let mut is_paused = start_paused;
        let mut forward = Duration::ZERO;
        for op in ops {
            let before = clock.now();
            match op {
                Op::Pause => {
                    clock.pause();
                    is_paused = true;
                }
                Op::Resume => {
                    clock.resume();
                    is_paused = false;
                }
                Op::SetForward(duration) => {
                    clock.set_forward(before + duration);
                    if is_paused {
                        forward += duration;
                        prop_assert_eq!(clock.now(), before + duration);
                    }
                }
            }
            prop_assert_eq!(clock.is_paused(), is_paused);
            let now = clock.now();
            prop_assert!(now >= before, "it went back");
            prop_assert!(!is_paused || clock.now() == now, "it does not stand");
            // What passed while it ran is not less than nothing, and not more than what passed.
            prop_assert!(now >= start + forward);
            prop_assert!(now <= Instant::real_now() + forward);
        }
    }
}
