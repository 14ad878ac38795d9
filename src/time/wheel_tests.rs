//! The wheel against a list of deadlines, under random arming, disarming and advancing, with a
//! weight on the ticks where slots and levels end.

use super::*;
use proptest::prelude::*;

/// A tick, as seen from the present.
#[derive(Clone, Copy, Debug)]
enum Tick {
    Ahead(u64),
    Behind(u64),
    /// Where the present slot of this level ends: the last tick of it, and the two that follow.
    SlotEnd {
        level: u32,
        and: u64,
    },
    /// The same as that of an entry on the wheel.
    Armed(usize),
    /// So much before the last tick of all.
    BeforeTheEnd(u64),
}

/// Small numbers as often as big ones.
fn any_magnitude() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..u64::BITS).prop_map(|(number, shift)| number >> shift)
}

fn near_tick() -> impl Strategy<Value = Tick> {
    let level = 0..LEVELS as u32;
    prop_oneof![
        4 => (0..200u64).prop_map(Tick::Ahead),
        4 => any_magnitude().prop_map(Tick::Ahead),
        1 => any_magnitude().prop_map(Tick::Behind),
        4 => (level, 0..3u64).prop_map(|(level, and)| Tick::SlotEnd { level, and }),
        3 => (0..50usize).prop_map(Tick::Armed),
    ]
}

fn any_tick() -> impl Strategy<Value = Tick> {
    prop_oneof![
        12 => near_tick(),
        1 => (0..3u64).prop_map(Tick::BeforeTheEnd),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Arm(Tick),
    /// With any key that was ever given out, counted from the latest: some are stale.
    Disarm(usize),
    Advance(Tick),
    AdvanceToNext,
}

fn op_without_disarm() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => any_tick().prop_map(Op::Arm),
        // Seldom to the end of time, where little is left to be tested.
        3 => near_tick().prop_map(Op::Advance),
        2 => Just(Op::AdvanceToNext),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        11 => op_without_disarm(),
        3 => (0..30usize).prop_map(Op::Disarm),
    ]
}

/// A wheel, and what must be on it.
struct Model {
    wheel: Wheel<usize>,
    elapsed: u64,
    /// In the order of arming; each entry's value is its place in `keys`.
    armed: Vec<(u64, usize)>,
    /// All that were ever given out.
    keys: Vec<Key>,
    disarmed: bool,
}

impl Model {
    fn new() -> Model {
        Model {
            wheel: wheel(),
            elapsed: 0,
            armed: Vec::new(),
            keys: Vec::new(),
            disarmed: false,
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Arm(tick) => {
                let deadline = self.resolve(tick);
                let value = self.keys.len();
                self.keys.push(self.wheel.arm(deadline, value));
                self.armed.push((deadline.max(self.elapsed.saturating_add(1)), value));
            }
            Op::Disarm(nth_latest) => {
                let Some(value) = self.keys.len().checked_sub(nth_latest + 1) else {
                    return;
                };
                let key = self.keys[value];
                let position = self.armed.iter().position(|&(_, armed)| armed == value);
                let expected = position.map(|position| self.armed.remove(position).1);
                assert_eq!(self.wheel.get_mut(key).copied(), expected);
                assert_eq!(self.wheel.disarm(key), expected);
                assert_eq!(self.wheel.disarm(key), None);
                self.disarmed = true;
            }
            Op::Advance(tick) => self.advance(self.resolve(tick)),
            Op::AdvanceToNext => {
                if let Some(next) = self.wheel.next_deadline() {
                    self.advance(next);
                }
            }
        }
    }

    fn resolve(&self, tick: Tick) -> u64 {
        match tick {
            Tick::Ahead(ticks) => self.elapsed.saturating_add(ticks),
            Tick::Behind(ticks) => self.elapsed.saturating_sub(ticks),
            Tick::SlotEnd { level, and } => {
                let slot_end = self.elapsed | ((1 << (BITS_PER_LEVEL * level)) - 1);
                slot_end.saturating_add(and)
            }
            Tick::Armed(nth) => {
                let nth = nth.checked_rem(self.armed.len());
                nth.map_or(self.elapsed, |nth| self.armed[nth].0)
            }
            Tick::BeforeTheEnd(ticks) => u64::MAX - ticks,
        }
    }

    /// Compares what fires, with its deadlines, in order.
    fn advance(&mut self, now: u64) {
        // The wheel's present does not go back, and everything before it has fired.
        let mut due: Vec<_> =
            self.armed.extract_if(.., |&mut (deadline, _)| deadline <= now).collect();
        due.sort_by_key(|&(deadline, _)| deadline);
        self.elapsed = self.elapsed.max(now);
        assert_eq!(advance(&mut self.wheel, now), due);
    }

    /// Compares all that can be asked.
    fn check(&self) {
        assert_eq!(self.wheel.len(), self.armed.len());
        assert!(self.wheel.is_due(self.elapsed));
        assert!(self.elapsed == u64::MAX || !self.wheel.is_due(self.elapsed + 1));
        let next = self.wheel.next_deadline();
        let earliest = self.armed.iter().map(|&(deadline, _)| deadline).min();
        if !self.disarmed {
            assert_eq!(next, earliest);
        }
        assert_eq!(next.is_some(), earliest.is_some());
        assert!(next <= earliest, "who waits for {next:?} is late for {earliest:?}");
        let lies_ahead = next.is_none_or(|next| next > self.elapsed || next == u64::MAX);
        assert!(lies_ahead, "who waits for {next:?} at {} never waits", self.elapsed);
    }

    /// Advances from next deadline to next deadline, as an executor does, until the wheel is empty.
    fn drain(&mut self) {
        // Each step takes at least one entry a level down, or off the wheel.
        let most_steps = LEVELS * self.armed.len();
        for _ in 0..most_steps {
            self.apply(Op::AdvanceToNext);
            self.check();
        }
        assert_eq!(self.wheel.len(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_wheel_fires_what_a_sorted_list_would(ops in prop::collection::vec(op(), 0..80)) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op);
            model.check();
        }
        model.drain();
    }

    #[test]
    fn the_next_deadline_is_exact_if_nothing_is_disarmed(
        ops in prop::collection::vec(op_without_disarm(), 0..80),
    ) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op);
            model.check();
        }
        model.drain();
    }

    #[test]
    fn a_slot_lies_ahead_of_the_present_and_not_behind_its_deadlines(
        elapsed in any_magnitude(),
        deadline in any_magnitude(),
    ) {
        prop_assume!(elapsed < deadline);
        let level = level_of(elapsed, deadline);
        let slot = slot_of(deadline, level);
        prop_assert!(slot > slot_of(elapsed, level));
        let start = first_tick(elapsed, level, slot);
        prop_assert!(elapsed < start && start <= deadline);
        prop_assert!(deadline - start < 1 << (BITS_PER_LEVEL * level as u32));
    }
}

fn wheel<T>() -> Wheel<T> {
    Wheel::numbered_from(NonZeroU64::MIN)
}

/// What fires, with its deadlines.
fn advance<T>(wheel: &mut Wheel<T>, now: u64) -> Vec<(u64, T)> {
    let fired = wheel.advance(now).into_iter();
    fired.map(|fired| (fired.deadline, fired.value)).collect()
}

/// The number with these digits to the base 64.
fn digits<const N: usize>(digits: [u64; N]) -> u64 {
    digits.into_iter().fold(0, |number, digit| number * 64 + digit)
}

#[test]
fn the_highest_digit_that_differs_is_the_level() {
    let elapsed = digits([0, 12, 40, 63]);
    let deadline = digits([0, 13, 5, 20]);
    assert_eq!(level_of(elapsed, deadline), 2);
    assert_eq!(slot_of(deadline, 2), 13);
    assert_eq!(first_tick(elapsed, 2, 13), digits([0, 13, 0, 0]));
    assert_eq!(level_of(0, u64::MAX), LEVELS - 1);
}

#[test]
fn an_entry_fires_on_its_tick_and_not_before() {
    let mut wheel = wheel();
    wheel.arm(3, "three");
    wheel.arm(1, "one");
    assert_eq!(wheel.next_deadline(), Some(1));
    assert_eq!(advance(&mut wheel, 0), []);
    assert_eq!(advance(&mut wheel, 1), [(1, "one")]);
    assert_eq!(advance(&mut wheel, 2), []);
    assert_eq!(wheel.next_deadline(), Some(3));
    assert_eq!(advance(&mut wheel, 3), [(3, "three")]);
    assert_eq!(wheel.next_deadline(), None);
    assert_eq!(advance(&mut wheel, 4), []);
}

#[test]
fn a_long_step_fires_in_the_order_of_deadlines() {
    let mut wheel = wheel();
    let deadlines = [1 << 40, 5_000, 70, 65, 4_097, 1, 1 << 20, 66];
    for deadline in deadlines {
        wheel.arm(deadline, ());
    }
    let fired: Vec<_> = wheel.advance(1 << 50).iter().map(|fired| fired.deadline).collect();
    assert_eq!(fired, [1, 65, 66, 70, 4_097, 5_000, 1 << 20, 1 << 40]);
}

#[test]
fn equal_deadlines_fire_in_the_order_of_arming_even_if_one_has_cascaded() {
    let deadline = digits([1, 2, 3]);
    let mut wheel = wheel();
    wheel.arm(deadline, "first, from level 2");
    assert_eq!(advance(&mut wheel, digits([1, 0, 0])), []);
    wheel.arm(deadline, "second, from level 1");
    assert_eq!(advance(&mut wheel, digits([1, 2, 0])), []);
    wheel.arm(deadline, "third, from level 0");
    assert_eq!(
        advance(&mut wheel, deadline),
        [
            (deadline, "first, from level 2"),
            (deadline, "second, from level 1"),
            (deadline, "third, from level 0"),
        ]
    );
}

#[test]
fn the_ends_of_every_level_are_exact() {
    for level in 0..LEVELS as u32 {
        let boundary = 1 << (BITS_PER_LEVEL * level);
        for deadline in [
            boundary - 1,
            boundary,
            boundary + 1,
            boundary * 2 - 1,
            boundary * 2,
        ] {
            for present in [0, boundary / 2, boundary - 1, boundary] {
                if present >= deadline {
                    continue;
                }
                let mut wheel = wheel();
                assert_eq!(advance(&mut wheel, present), []);
                wheel.arm(deadline, ());
                assert_eq!(wheel.next_deadline(), Some(deadline));
                assert_eq!(advance(&mut wheel, deadline - 1), []);
                assert_eq!(wheel.next_deadline(), Some(deadline));
                assert_eq!(advance(&mut wheel, deadline), [(deadline, ())]);
            }
        }
    }
}

#[test]
fn the_last_tick_of_all_can_be_armed_and_is_not_early() {
    let mut wheel = wheel();
    wheel.arm(u64::MAX, "from the beginning");
    assert_eq!(wheel.next_deadline(), Some(u64::MAX));
    assert_eq!(advance(&mut wheel, u64::MAX - 1), []);
    wheel.arm(u64::MAX, "from the end");
    assert_eq!(wheel.next_deadline(), Some(u64::MAX));
    assert_eq!(
        advance(&mut wheel, u64::MAX),
        [(u64::MAX, "from the beginning"), (u64::MAX, "from the end")]
    );
    wheel.arm(0, "after the end");
    assert_eq!(advance(&mut wheel, u64::MAX), [(u64::MAX, "after the end")]);
}

#[test]
fn what_is_due_when_it_is_armed_fires_on_the_next_tick() {
    let mut wheel = wheel();
    assert_eq!(advance(&mut wheel, 100), []);
    wheel.arm(50, "behind");
    wheel.arm(100, "now");
    wheel.arm(101, "ahead");
    assert_eq!(wheel.next_deadline(), Some(101));
    assert_eq!(advance(&mut wheel, 100), []);
    assert_eq!(advance(&mut wheel, 101), [(101, "behind"), (101, "now"), (101, "ahead")]);
}

#[test]
fn a_wheel_does_not_turn_back() {
    let mut wheel = wheel();
    wheel.arm(200, "entry");
    assert_eq!(advance(&mut wheel, 150), []);
    assert_eq!(advance(&mut wheel, 10), []);
    assert!(wheel.is_due(150) && !wheel.is_due(151));
    assert_eq!(advance(&mut wheel, 200), [(200, "entry")]);
}

#[test]
fn a_disarmed_entry_hands_its_value_back_once_and_does_not_fire() {
    let mut wheel = wheel();
    let near = wheel.arm(10, "near");
    let far = wheel.arm(1 << 30, "far");
    *wheel.get_mut(far).unwrap() = "far, changed";
    assert_eq!(wheel.disarm(far), Some("far, changed"));
    assert_eq!(wheel.disarm(far), None);
    assert_eq!(wheel.get_mut(far), None);
    assert_eq!(advance(&mut wheel, u64::MAX), [(10, "near")]);
    assert_eq!(wheel.disarm(near), None);
}

#[test]
fn a_stale_key_does_not_disarm_the_entry_that_took_its_place() {
    let mut wheel = wheel();
    let old = wheel.arm(10, "old");
    wheel.disarm(old);
    let new = wheel.arm(20, "new");
    assert_eq!(new.index, old.index);
    assert_eq!(wheel.disarm(old), None);
    assert_eq!(wheel.get_mut(old), None);
    assert_eq!(advance(&mut wheel, 20), [(20, "new")]);
}

#[test]
fn a_disarmed_deadline_costs_one_look_for_nothing() {
    let mut wheel = wheel();
    let early = wheel.arm(digits([1, 0, 7]), "early");
    wheel.arm(digits([1, 5, 9]), "late");
    wheel.disarm(early);
    assert_eq!(wheel.next_deadline(), Some(digits([1, 0, 7])));
    assert_eq!(advance(&mut wheel, digits([1, 0, 7])), []);
    assert_eq!(wheel.next_deadline(), Some(digits([1, 5, 9])));
}

#[test]
fn numbers_go_on_where_an_earlier_wheel_stopped() {
    let mut earlier = wheel();
    let stale = earlier.arm(10, "earlier");
    let mut later = Wheel::numbered_from(earlier.next_number());
    later.arm(10, "later");
    assert_eq!(later.disarm(stale), None);
    assert_eq!(later.len(), 1);
}
