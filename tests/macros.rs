//! `join!`, `try_join!` and `select!`: who is polled when, what is dropped when, and every form
//! that the grammar has.

mod support;

use handspun::executor::Executor;
use handspun::task::yield_now;
use handspun::time::{Duration, Instant, sleep, timeout};
use handspun::{join, select, try_join};
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use support::{History, OnDrop, WakerSlot, caught, paused, poll_once};

const SECOND: Duration = Duration::from_secs(1);

/// Sleeps, then writes its name and the time, and returns the name.
async fn after(history: &History, seconds: u64, name: &'static str) -> &'static str {
    let start = Instant::now();
    sleep(SECOND * seconds as u32).await;
    history.push(format_args!("{name} after {}s", start.elapsed().as_secs()));
    name
}

/// Polls a probe to its end, and then returns a value.
async fn give<T>(history: &History, name: &str, pending: usize, value: T) -> T {
    history.probe(name, pending).await;
    value
}

/// Polls a future to its end without any executor. Everyone wakes itself.
fn spin<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..1000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("not ready after 1000 polls");
}

// join!

#[test]
fn each_poll_polls_every_branch_that_is_not_done_once_and_rotates_the_first() {
    let history = History::new();
    let turn = |nth: usize| history.push(format_args!("poll {nth}"));
    let mut joined =
        pin!(async { join!(history.probe("a", 4), history.probe("b", 1), history.probe("c", 4)) });
    for nth in 1..=5 {
        turn(nth);
        let done = poll_once(joined.as_mut()).is_ready();
        assert_eq!(done, nth == 5);
    }
    #[rustfmt::skip]
    history.expect([
        "poll 1", "a: poll", "b: poll", "c: poll",
        "poll 2", "b: poll", "b: drop", "c: poll", "a: poll",
        "poll 3", "c: poll", "a: poll",
        "poll 4", "a: poll", "c: poll",
        "poll 5", "c: poll", "c: drop", "a: poll", "a: drop",
    ]);
}

#[test]
fn a_biased_join_polls_from_the_first_branch_every_time() {
    let history = History::new();
    let both = spin(async {
        let (a, b) = (give(&history, "a", 2, 1), give(&history, "b", 1, 2));
        join!(biased; a, b, give(&history, "c", 2, 3))
    });
    assert_eq!(both, (1, 2, 3));
    #[rustfmt::skip]
    history.expect([
        "a: poll", "b: poll", "c: poll",
        "a: poll", "b: poll", "b: drop", "c: poll",
        "a: poll", "a: drop", "c: poll", "c: drop",
    ]);
}

#[test]
fn joined_sleeps_take_as_long_as_the_longest() {
    let history = History::new();
    let start_to_end = paused(async {
        let start = Instant::now();
        let names =
            join!(after(&history, 3, "a"), after(&history, 1, "b"), after(&history, 2, "c"));
        assert_eq!(names, ("a", "b", "c"));
        start.elapsed()
    });
    assert_eq!(start_to_end, SECOND * 3);
    history.expect(["b after 1s", "c after 2s", "a after 3s"]);
}

#[test]
fn a_join_that_is_dropped_drops_futures_and_outputs_in_their_order() {
    let history = History::new();
    {
        let mut joined = pin!(async {
            join!(
                history.probe("a", 9),
                give(&history, "b", 0, history.on_drop("the output of b: drop")),
                history.probe("c", 9),
            )
        });
        assert!(poll_once(joined.as_mut()).is_pending());
        history.expect(["a: poll", "b: poll", "b: drop", "c: poll"]);
    }
    history.expect(["a: drop", "the output of b: drop", "c: drop"]);
}

#[test]
fn a_join_of_nothing_or_of_one_is_a_tuple_too() {
    spin(async {
        let () = join!();
        let () = join!(biased;);
        let (one,) = join!(ready(1));
        let (same,) = join!(biased; ready(one),);
        assert_eq!(same, 1);
        assert_eq!(try_join!().unwrap_or_else(|never: Infallible| match never {}), ());
        assert_eq!(try_join!(biased;), Ok::<(), String>(()));
        assert_eq!(try_join!(ready(Ok::<u8, String>(1))), Ok((1,)));
        assert_eq!(try_join!(biased; ready(Err::<u8, u8>(1)),), Err(1));
    });
}

#[test]
fn branches_may_borrow_and_need_not_be_futures_yet() {
    struct Later(u32);
    impl IntoFuture for Later {
        type Output = u32;
        type IntoFuture = std::future::Ready<u32>;
        fn into_future(self) -> Self::IntoFuture {
            ready(self.0)
        }
    }
    async fn push(to: &mut Vec<u32>, value: u32) -> usize {
        yield_now().await;
        to.push(value);
        to.len()
    }
    paused(async {
        let (mut left, mut right, mut fourth) = (vec![], vec![0], ready(4));
        let lengths = join!(push(&mut left, 1), push(&mut right, 2), Later(3), &mut fourth);
        assert_eq!(lengths, (1, 2, 3, 4));
        assert_eq!((left, right), (vec![1], vec![0, 2]));
    });
}

#[test]
fn a_join_has_as_many_branches_as_one_writes() {
    let order = RefCell::new(Vec::new());
    let n = async |n: u32| {
        order.borrow_mut().push(n);
        yield_now().await;
        n
    };
    #[rustfmt::skip]
    paused(async {
        let all = join!(biased;
            n(0), n(1), n(2), n(3), n(4), n(5), n(6), n(7), n(8), n(9), n(10), n(11), n(12), n(13),
            n(14), n(15), n(16), n(17), n(18), n(19), n(20), n(21), n(22), n(23), n(24), n(25),
            n(26), n(27), n(28), n(29), n(30), n(31), n(32), n(33),
        );
        assert_eq!((all.0, all.15, all.33), (0, 15, 33));
    });
    assert_eq!(*order.borrow(), (0..34).collect::<Vec<_>>());
}

// try_join!

#[test]
fn an_error_drops_every_future_and_output_before_it_is_given() {
    let history = History::new();
    let result: Result<((), OnDrop, (), ()), &str> = spin(async {
        let result = try_join!(
            async {
                history.probe("a", 9).await;
                Ok(())
            },
            async { Ok(give(&history, "b", 0, history.on_drop("the output of b: drop")).await) },
            async { give(&history, "c", 0, Err("c failed")).await },
            async {
                history.probe("d", 9).await;
                Ok(())
            },
        );
        history.push("the error");
        result
    });
    assert_eq!(result.err(), Some("c failed"));
    #[rustfmt::skip]
    history.expect([
        "a: poll", "b: poll", "b: drop", "c: poll", "c: drop", // and d is not polled
        "a: drop", "the output of b: drop", "the error",
    ]);
}

#[test]
fn the_error_that_is_met_first_in_a_poll_wins() {
    let failing = |error: &'static str| async move {
        yield_now().await;
        Err::<(), _>(error)
    };
    paused(async {
        // The second poll begins with the second branch.
        assert_eq!(try_join!(failing("first"), failing("second")), Err("second"));
        assert_eq!(try_join!(biased; failing("first"), failing("second")), Err("first"));
    });
}

#[test]
fn a_try_join_without_errors_waits_for_all() {
    let history = History::new();
    let both = paused(async {
        try_join!(async { Ok::<_, String>(after(&history, 2, "a").await) }, async {
            Ok(after(&history, 1, "b").await.len())
        },)
    });
    assert_eq!(both, Ok(("a", 1)));
    history.expect(["b after 1s", "a after 2s"]);
}

// Sizes.

#[test]
fn a_join_adds_a_word_for_each_branch_and_one_more_a_select_only_one() {
    async fn k() -> u64 {
        let kilobyte = [1; 128];
        yield_now().await;
        kilobyte[0]
    }
    let (one, word) = (size_of_val(&k()), size_of::<usize>());
    // The word at the end of each sum is the state of the `async` block around it.
    let join_1 = size_of_val(&async { join!(k()) });
    let join_2 = size_of_val(&async { join!(k(), k()) });
    let join_8 = size_of_val(&async { join!(k(), k(), k(), k(), k(), k(), k(), k()) });
    let biased_2 = size_of_val(&async { join!(biased; k(), k()) });
    assert!(join_1 <= one + word + word + word);
    assert!(join_2 <= 2 * (one + word) + word + word);
    assert!(join_8 <= 8 * (one + word) + word + word);
    assert!(biased_2 <= 2 * (one + word) + word);
    let select_1 = size_of_val(&async {
        select! { _ = k() => {} }
    });
    let select_4 = size_of_val(&async {
        select! { _ = k() => {} _ = k() => {} _ = k() => {} _ = k() => {} }
    });
    let with_handlers = size_of_val(&async {
        select! { _ = k() => { k().await; } _ = k() => { k().await; } }
    });
    assert!(select_1 <= one + word + word);
    assert!(select_4 <= 4 * one + word + word);
    assert!(with_handlers <= 2 * one + word + word);
}

// select!

#[test]
fn the_losers_are_dropped_before_the_handler_runs() {
    let history = History::new();
    let slot = WakerSlot::new();
    spin(async {
        let value = select! {
            biased;
            _ = history.parked("a", &slot) => "a",
            value = give(&history, "b", 1, "b") => {
                history.push("handler");
                yield_now().await;
                history.push("handler goes on");
                value
            }
            _ = history.parked("c", &slot) => "c",
        };
        history.push(value);
    });
    #[rustfmt::skip]
    history.expect([
        "a: poll", "b: poll", "c: poll",
        "a: poll", "b: poll", "b: drop", // and c is not polled
        "a: drop", "c: drop", "handler", "handler goes on", "b",
    ]);
}

#[test]
fn a_handler_may_use_what_a_loser_had_borrowed() {
    struct Mailbox(Vec<u32>, bool);
    impl Mailbox {
        async fn recv(&mut self) -> Option<u32> {
            poll_fn(|_| self.0.pop().map_or(Poll::Pending, |letter| Poll::Ready(Some(letter))))
                .await
        }
        fn close(&mut self) {
            self.1 = true;
        }
    }
    let (mut a, mut b) = (Mailbox(vec![7], false), Mailbox(vec![], false));
    let got = paused(async {
        select! {
            Some(letter) = a.recv() => {
                a.close();
                b.close();
                letter
            }
            Some(letter) = b.recv() => { a.0.push(letter); 0 }
            () = sleep(SECOND) => unreachable!(),
        }
    });
    assert_eq!((got, a.1, b.1), (7, true, true));
}

#[test]
fn conditions_come_first_then_all_futures_and_a_disabled_one_is_not_polled() {
    let history = History::new();
    let yes = |line: &str| {
        history.push(line);
        true
    };
    let no = |line: &str| {
        history.push(line);
        false
    };
    let made = |name: &str, pending| {
        history.push(format_args!("{name}: made"));
        history.probe(name, pending)
    };
    spin(async {
        select! {
            biased;
            _ = made("a", 0), if no("if a") => unreachable!(),
            _ = made("b", 1), if yes("if b") => history.push("handler of b"),
            _ = made("c", 9) => unreachable!(),
        }
    });
    #[rustfmt::skip]
    history.expect([
        "if a", "if b", "a: made", "b: made", "c: made",
        "b: poll", "c: poll", "b: poll", "a: drop", "b: drop", "c: drop", "handler of b",
    ]);
}

#[test]
fn an_output_that_does_not_match_is_dropped_and_the_others_go_on() {
    let history = History::new();
    let value = spin(async {
        select! {
            biased;
            None = give(&history, "a", 1, Some(history.on_drop("the output of a: drop"))) => 1,
            Ok(value @ 5..) = give(&history, "b", 2, Ok::<_, ()>(4)) => value,
            Err(value) = give(&history, "c", 3, Err::<(), _>(3)) => value,
        }
    });
    assert_eq!(value, 3);
    #[rustfmt::skip]
    history.expect([
        "a: poll", "b: poll", "c: poll",
        "a: poll", "a: drop", "the output of a: drop", "b: poll", "c: poll",
        "b: poll", "b: drop", "c: poll",
        "c: poll", "c: drop",
    ]);
}

#[test]
fn without_a_branch_that_is_left_it_is_else() {
    spin(async {
        let value = select! {
            Some(value) = ready(None) => value,
            value = ready(2), if false => value,
            else => 3,
        };
        assert_eq!(value, 3);
        assert_eq!(select! { else => 4 }, 4);
        assert_eq!(select! { biased; else => { 5 } }, 5);
        let result: Result<u32, &str> = async {
            select! {
                Some(value) = ready(None::<u32>) => Ok(value),
                else => Err("all are gone")?,
            }
        }
        .await;
        assert_eq!(result, Err("all are gone"));
    });
}

#[test]
fn without_a_branch_that_is_left_and_without_else_it_panics() {
    let message = caught(|| {
        spin(async {
            select! { Some(()) = ready(None) => {} }
        })
    })
    .unwrap_err();
    assert_eq!(message, "all branches of this `select!` are disabled, and it has no `else` branch");
}

#[test]
fn an_output_that_never_comes_keeps_the_others_from_else() {
    let value = paused(async {
        let inner = async {
            select! {
                Some(()) = ready(None) => 1,
                () = pending() => 2,
                else => 3,
            }
        };
        timeout(SECOND, inner).await.is_err()
    });
    assert!(value);
}

#[test]
fn a_handler_may_leave_the_function_and_the_loop_around_it() {
    async fn leaves(way: u32) -> Result<&'static str, &'static str> {
        let mut turns = 0;
        let broken_with = 'outer: loop {
            turns += 1;
            loop {
                select! {
                    biased;
                    1 = ready(way) => return Ok("returned"),
                    2 = ready(way) => Err("with ?")?,
                    3 = ready(way) => break 'outer "broken",
                    4 = ready(way), if turns > 2 => { break 'outer "continued" }
                    _ = ready(()) => {
                        yield_now().await;
                        continue 'outer;
                    }
                }
            }
        };
        Ok(broken_with)
    }
    paused(async {
        assert_eq!(leaves(1).await, Ok("returned"));
        assert_eq!(leaves(2).await, Err("with ?"));
        assert_eq!(leaves(3).await, Ok("broken"));
        assert_eq!(leaves(4).await, Ok("continued"));
    });
}

#[test]
fn every_form_of_a_branch() {
    struct Point {
        x: String,
        y: u32,
    }
    enum Shape {
        Dot(String),
        Box { side: u32 },
    }
    let text = || String::from("text");
    let taken = RefCell::new(Vec::new());
    let take = |value: usize| taken.borrow_mut().push(value);
    let any = || !taken.borrow().is_empty();
    spin(async {
        // Blocks with and without a comma, expressions, the last one with and without.
        select! { _ = ready(1) => {} _ = ready(2) => {}, }
        select! { _ = ready(1) => take(1), _ = ready(2) => take(1), }
        select! { x = ready(1) => { take(x) } x = ready(1) => take(x) }
        select! { biased; x = ready(1), if any() => take(x), else => {} }
        select! { biased; x = ready(1), if !any() => take(x) , else => take(1), }
        // Patterns.
        select! { mut s = ready(text()) => { s.push('!'); take(s.len()) } }
        select! { ref s = ready(text()) => take(s.len()) }
        select! { Some(mut s) = ready(Some(text())) => { s.clear(); take(s.len()) } }
        select! { Some(ref mut s) = ready(Some(text())) => { s.clear(); take(s.len()) } }
        select! { Shape::Dot(mut s) = ready(Shape::Dot(text())) => { s.push('!'); take(s.len()) } }
        select! { Shape::Box { side } = ready(Shape::Box { side: 2 }) => take(side as usize) }
        select! { Point { x, y } = ready(Point { x: text(), y: 1 }) => take(x.len() + y as usize) }
        select! { (a, (_, b)) = ready((text(), (1, text()))) => take(a.len() + b.len()) }
        select! { [a, .., b] = ready([1, 9, 2]) => take(a + b) }
        select! { &x = ready(&3) => take(x) }
        select! { whole @ Some(_) = ready(Some(text())) => take(whole.map_or(0, |s| s.len())) }
        select! { Ok(x) | Err(x) = ready(Err::<usize, usize>(3)) => take(x) }
        select! { 0..=9 = ready(7) => take(7) }
        select! { Some("quit") = ready(Some("quit")) => take(4) }
        select! { -1 = async { -1 } => take(1) }
        // Futures: a block, a method, a macro, a lent temporary, a moved one.
        let owned = text();
        select! { x = async move { owned.len() } => take(x) }
        select! { x = &mut Box::pin(async { 1 }) => take(x) }
        select! { () = std::future::ready(()) => take(1) }
        select! { (x,) = async { join!(ready(1)) } => take(x) }
    });
    let values = taken.into_inner();
    assert_eq!(
        values,
        [
            1, 1, 1, 1, 5, 4, 0, 0, 5, 2, 5, 8, 3, 3, 4, 3, 7, 4, 1, 4, 1, 1, 1
        ]
    );
}

#[test]
fn names_of_the_caller_and_of_the_macro_do_not_meet() {
    #[allow(dead_code)]
    #[derive(Clone, Copy)]
    enum Mine {
        Some,
        None,
        Left,
        Right,
        Ok,
    }
    #[allow(unused_imports)]
    use Mine::{Left, None, Ok, Right, Some};
    let (future, output, branches, winner, enabled, matches) = (1, 2, 3, 4, 5, 6);
    spin(async {
        assert_eq!(join!(async { future }, async { output }), (1, 2));
        let sum = select! {
            x = async { future + output }, if enabled == 5 => x + branches + winner + matches,
        };
        assert_eq!(sum, 16);
    });
}

#[test]
fn a_select_of_32_branches_needs_no_recursion_limit() {
    async fn choose(which: u32) -> u32 {
        let f = async |n: u32| if n == which { n } else { pending().await };
        #[rustfmt::skip]
        let value = select! {
            n = f(0) => n,   n = f(1) => n,   n = f(2) => n,   n = f(3) => n,
            n = f(4) => n,   n = f(5) => n,   n = f(6) => n,   n = f(7) => n,
            n = f(8) => n,   n = f(9) => n,   n = f(10) => n,  n = f(11) => n,
            n = f(12) => n,  n = f(13) => n,  n = f(14) => n,  n = f(15) => n,
            n = f(16) => n,  n = f(17) => n,  n = f(18) => n,  n = f(19) => n,
            n = f(20) => n,  n = f(21) => n,  n = f(22) => n,  n = f(23) => n,
            n = f(24) => n,  n = f(25) => n,  n = f(26) => n,  n = f(27) => n,
            n = f(28) => n,  n = f(29) => n,  n = f(30) => n,
            31 = f(31) => select! {
                _ = ready(()) => join!(async { select! { n = f(31) => n } }).0,
            },
        };
        value
    }
    for which in 0..32 {
        assert_eq!(spin(choose(which)), which);
    }
}

#[test]
fn a_select_may_have_sixty_branches() {
    let f = async |n: u32| if n == 59 { n } else { pending().await };
    #[rustfmt::skip]
    let value = spin(async {
        select! {
            n = f(0) => n,   n = f(1) => n,   n = f(2) => n,   n = f(3) => n,   n = f(4) => n,
            n = f(5) => n,   n = f(6) => n,   n = f(7) => n,   n = f(8) => n,   n = f(9) => n,
            n = f(10) => n,  n = f(11) => n,  n = f(12) => n,  n = f(13) => n,  n = f(14) => n,
            n = f(15) => n,  n = f(16) => n,  n = f(17) => n,  n = f(18) => n,  n = f(19) => n,
            n = f(20) => n,  n = f(21) => n,  n = f(22) => n,  n = f(23) => n,  n = f(24) => n,
            n = f(25) => n,  n = f(26) => n,  n = f(27) => n,  n = f(28) => n,  n = f(29) => n,
            n = f(30) => n,  n = f(31) => n,  n = f(32) => n,  n = f(33) => n,  n = f(34) => n,
            n = f(35) => n,  n = f(36) => n,  n = f(37) => n,  n = f(38) => n,  n = f(39) => n,
            n = f(40) => n,  n = f(41) => n,  n = f(42) => n,  n = f(43) => n,  n = f(44) => n,
            n = f(45) => n,  n = f(46) => n,  n = f(47) => n,  n = f(48) => n,  n = f(49) => n,
            n = f(50) => n,  n = f(51) => n,  n = f(52) => n,  n = f(53) => n,  n = f(54) => n,
            n = f(55) => n,  n = f(56) => n,  n = f(57) => n,  n = f(58) => n,  n = f(59) => n,
        }
    });
    assert_eq!(value, 59);
}

// Futures that outlive the select.

#[test]
fn a_lent_sleep_goes_on_from_turn_to_turn() {
    let history = History::new();
    paused(async {
        let mut deadline = sleep(SECOND * 3 + SECOND / 2);
        let mut turn = 0;
        loop {
            select! {
                () = &mut deadline => break,
                () = sleep(SECOND) => turn += 1,
            }
            history.push(format_args!("turn {turn}"));
        }
        history.push("deadline");
    });
    history.expect(["turn 1", "turn 2", "turn 3", "deadline"]);
}

#[test]
fn a_sleep_made_anew_each_turn_never_ends() {
    paused(async {
        let start = Instant::now();
        for _ in 0..100 {
            select! {
                () = sleep(SECOND * 3) => unreachable!("it begins again before it is over"),
                () = sleep(SECOND) => {}
            }
        }
        assert_eq!(start.elapsed(), SECOND * 100);
    });
}

#[test]
fn a_pinned_future_keeps_its_place_when_it_loses() {
    let history = History::new();
    paused(async {
        let mut steps = pin!(async {
            for step in 1..=3 {
                sleep(SECOND * 2).await;
                history.push(format_args!("step {step}"));
            }
            "done"
        });
        let mut lost = 0;
        let done = loop {
            select! {
                biased;
                done = &mut steps => break done,
                () = sleep(SECOND) => lost += 1,
            }
        };
        history.push(format_args!("{done}, lost {lost} times"));
    });
    history.expect(["step 1", "step 2", "step 3", "done, lost 5 times"]);
}

#[test]
fn a_branch_that_is_over_stays_out_by_its_condition() {
    let history = History::new();
    paused(async {
        let (mut a, mut b) = (pin!(after(&history, 1, "a")), pin!(after(&history, 2, "b")));
        let (mut a_done, mut b_done) = (false, false);
        loop {
            select! {
                _ = &mut a, if !a_done => a_done = true,
                _ = &mut b, if !b_done => b_done = true,
                else => break,
            }
        }
    });
    history.expect(["a after 1s", "b after 2s"]);
}

#[test]
fn select_in_join_in_select() {
    let history = History::new();
    paused(async {
        let winner = select! {
            (x, y) = async {
                join!(
                    async {
                        select! {
                            x = after(&history, 1, "a") => x,
                            x = after(&history, 9, "b") => x,
                        }
                    },
                    after(&history, 2, "c"),
                )
            } => format!("{x} and {y}"),
            name = after(&history, 3, "d") => name.to_string(),
        };
        history.push(winner);
    });
    history.expect(["a after 1s", "c after 2s", "a and c"]);
}

#[test]
fn a_select_that_is_dropped_drops_its_futures() {
    let history = History::new();
    let slot = WakerSlot::new();
    paused(async {
        let waiting = async {
            select! {
                biased;
                () = history.parked("a", &slot) => {}
                () = history.parked("b", &slot) => {}
            }
        };
        assert!(timeout(SECOND, waiting).await.is_err());
    });
    // The second polls are the timeout's last look.
    let lines = history.take();
    assert_eq!(lines[..2], ["a: poll", "b: poll"]);
    assert_eq!(lines[lines.len() - 2..], ["a: drop", "b: drop"]);
}

// Order.

/// In which order one poll of a `select!` of four polls them, and who wins, `rounds` times.
async fn orders(rounds: usize) -> Vec<String> {
    let mut orders = Vec::new();
    for _ in 0..rounds {
        let order = RefCell::new(String::new());
        let look = |name: char| {
            let order = &order;
            poll_fn(move |_| {
                order.borrow_mut().push(name);
                // The fourth that is asked is ready.
                if order.borrow().len() == 4 { Poll::Ready(name) } else { Poll::Pending }
            })
        };
        let winner = select! {
            x = look('a') => x, x = look('b') => x, x = look('c') => x, x = look('d') => x,
        };
        assert!(order.borrow().ends_with(winner));
        orders.push(order.into_inner());
    }
    orders
}

fn seeded(seed: u64) -> Executor {
    Executor::builder().start_paused(true).seed(seed).build()
}

#[test]
fn a_biased_select_polls_in_order_and_the_first_that_is_ready_wins() {
    let history = History::new();
    for _ in 0..20 {
        let winner = spin(async {
            select! {
                biased;
                () = history.probe("a", 1) => "a",
                () = history.probe("b", 0) => "b",
                () = history.probe("c", 0) => "c",
            }
        });
        assert_eq!(winner, "b");
        history.expect(["a: poll", "b: poll", "a: drop", "b: drop", "c: drop"]);
    }
}

#[test]
fn a_select_begins_anywhere_and_goes_round_in_order() {
    for seed in 0..10 {
        let orders = seeded(seed).block_on(orders(400));
        for begin in ["abcd", "bcda", "cdab", "dabc"] {
            let count = orders.iter().filter(|order| *order == begin).count();
            // 100 are expected, with a standard deviation of 8.7.
            assert!((60..=140).contains(&count), "{begin}: {count} of 400, seed {seed}");
        }
        let others = orders.iter().find(|order| !"abcdabcd".contains(order.as_str()));
        assert_eq!(others, None);
    }
}

#[test]
fn every_poll_begins_somewhere_else() {
    let firsts = seeded(1).block_on(async {
        let firsts = RefCell::new(String::new());
        let polled = Cell::new(false);
        let look = |name: char| {
            let (firsts, polled) = (&firsts, &polled);
            poll_fn(move |_| {
                if !polled.replace(true) {
                    firsts.borrow_mut().push(name);
                }
                Poll::<()>::Pending
            })
        };
        let mut selected = pin!(async {
            select! { () = look('a') => {} () = look('b') => {} }
        });
        for _ in 0..100 {
            polled.set(false);
            assert!(poll_once(selected.as_mut()).is_pending());
        }
        firsts.into_inner()
    });
    let count = firsts.matches('a').count();
    assert!((30..=70).contains(&count), "{count} of 100 begin with the first: {firsts}");
    assert!(firsts.contains("aa") && firsts.contains("bb"), "they alternate: {firsts}");
}

#[test]
fn the_same_seed_gives_the_same_history_and_another_seed_another() {
    let run = |seed| seeded(seed).block_on(orders(64));
    assert_eq!(run(7), run(7));
    let histories: Vec<_> = (0..20).map(run).collect();
    for (at, history) in histories.iter().enumerate() {
        assert!(!histories[..at].contains(history), "seed {at} repeats another's history");
    }
    // Without a seed, each executor has its own.
    let unseeded = || Executor::new().block_on(orders(64));
    assert_ne!(unseeded(), unseeded());
}

#[test]
fn the_generator_goes_on_in_the_next_block_on_and_minds_no_one_else() {
    let at_once = seeded(3).block_on(orders(30));
    let executor = seeded(3);
    let mut in_parts = executor.block_on(orders(10));
    spin(orders(5)); // the thread's own
    handspun::block_on(orders(5)); // another executor's
    assert!(caught(|| executor.block_on(async { panic!("the root's") })).is_err());
    in_parts.extend(executor.block_on(orders(20)));
    assert_eq!(in_parts, at_once);
}

#[test]
fn a_destructor_that_selects_uses_its_executors_generator() {
    struct SelectsOnDrop(History);
    impl Drop for SelectsOnDrop {
        fn drop(&mut self) {
            spin(orders(32)).iter().for_each(|order| self.0.push(order));
        }
    }
    let run = |within: bool| {
        let history = History::new();
        let executor = seeded(5);
        let at_end = SelectsOnDrop(history.clone());
        executor.spawn(async move {
            let _at_end = at_end;
            pending::<()>().await;
        });
        executor.block_on(yield_now());
        if within {
            handspun::block_on(async { drop(executor) });
        } else {
            drop(executor);
        }
        history.take()
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn it_runs_where_no_executor_is() {
    let ready_now = |name: &'static str| ready(name);
    let mut winners = Vec::new();
    for _ in 0..200 {
        winners.push(spin(async {
            select! { x = ready_now("a") => x, x = ready_now("b") => x, () = pending() => "" }
        }));
    }
    let count = |name: &str| winners.iter().filter(|winner| **winner == name).count();
    // b wins from b only, a from a and from the third.
    assert_eq!(count("a") + count("b"), 200);
    assert!((100..=170).contains(&count("a")), "{} of 200", count("a"));
    assert_eq!(spin(async { join!(yield_once(), yield_once()) }), ((), ()));
}

/// `task::yield_now` by hand, for where no executor is.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut yielded, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

#[test]
fn patterns_of_every_kind_decide_and_bind() {
    handspun::block_on(async {
        let text = || String::from("a");
        let pair = || ready((text(), 1));
        let result = || ready(Ok::<_, ()>((text(), 1)));
        select! { (mut a, b) = pair() => { a.push('b'); assert_eq!((&*a, b), ("ab", 1)) } }
        select! {
            Ok((mut a, _)) = result() => { a.push('b'); assert_eq!(a, "ab") }
            else => panic!("it matches"),
        }
        select! { "quit" = ready("quit") => {}, else => panic!("it matches") }
        select! { "quit" = ready("go on") => panic!("it does not match"), else => {} }
        select! { Some(&x) = ready(Some(&7)) => assert_eq!(x, 7), else => panic!("it matches") }
        select! { Some(1..=3 | 7) = ready(Some(7)) => {}, else => panic!("it matches") }
        select! { Some(1..=3) = ready(Some(7)) => panic!("it does not match"), else => {} }
    });
}

#[test]
fn a_pinned_name_can_be_lent_again_and_again() {
    paused(async {
        let slow = sleep(Duration::from_secs(3));
        handspun::pin!(slow);
        handspun::pin! { let never = pending::<()>(); }
        let mut seconds = 0;
        loop {
            select! {
                () = &mut slow => break,
                () = &mut never => panic!("it is never ready"),
                () = sleep(Duration::from_secs(1)) => seconds += 1,
            }
        }
        // The third second and the sleep of three are over together, and either may be first.
        assert!((2..=3).contains(&seconds));
    });
}
