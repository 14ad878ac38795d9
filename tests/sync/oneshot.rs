//! `oneshot`: one value, or the news that none will come; who is woken by what, and what becomes of
//! a value that nobody takes.

use crate::auto_traits::{Neither, SendOnly, about, about_value, assert_thread_safety};
use crate::cancel::cancel_at_every_await;
use crate::hostile::{Call, Dropping, acts_on, hostile_waker, quietly};
use crate::lent::{Lent, home};
use crate::programs::random_programs;
use crate::support::{
    CountingWaker, History, Wakes, caught, now, panic_silently, paused, poll_once, poll_with,
};
use crate::sync::oneshot::error::{RecvError, TryRecvError};
use crate::sync::oneshot::{Receiver, Sender, channel};
use crate::watchdog::watched;
use handspun::time::{Duration, Instant, sleep, timeout};
use handspun::{block_on, spawn};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::marker::PhantomPinned;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

const MS: Duration = Duration::from_millis(1);

fn poll_closed<T>(tx: &mut Sender<T>, waker: &Waker) -> Poll<()> {
    tx.poll_closed(&mut Context::from_waker(waker))
}

// A value, or none.

#[test]
fn a_value_goes_from_one_task_to_another() {
    let history = History::new();
    paused(async {
        let start = Instant::now();
        let (tx, rx) = channel();
        let received = history.clone();
        let receiver = spawn(async move {
            received.push("waits");
            let value = rx.await;
            received.push(format_args!("{value:?} after {:?}", start.elapsed()));
        });
        sleep(MS * 5).await;
        history.push("sends");
        tx.send('a').unwrap();
        history.push("has sent");
        receiver.await.unwrap();
    });
    history.expect(["waits", "sends", "has sent", "Ok('a') after 5ms"]);
}

#[test]
fn a_value_that_was_sent_first_is_there_at_once() {
    let (tx, rx) = channel();
    tx.send(1).unwrap();
    assert_eq!(now(rx), Ok(1));
}

#[test]
fn a_receiver_is_woken_once_by_the_value() {
    let (counter, waker) = CountingWaker::new();
    let (tx, mut rx) = channel();
    assert!(poll_with(&mut rx, &waker).is_pending());
    assert!(poll_with(&mut rx, &waker).is_pending());
    assert_eq!(counter.wakes(), 0);
    tx.send(1).unwrap();
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll_with(&mut rx, &waker), Poll::Ready(Ok(1)));
    assert_eq!(counter.wakes(), 1);
}

#[test]
fn the_waker_of_the_last_poll_is_the_one_that_is_woken() {
    let wakers: Vec<_> = (0..3).map(|_| CountingWaker::new()).collect();
    let wakes = || wakers.iter().map(|(counter, _)| counter.wakes()).collect::<Vec<_>>();
    let (mut tx, mut rx) = channel::<()>();
    for (_, waker) in &wakers {
        assert!(poll_with(&mut rx, waker).is_pending());
        assert!(poll_closed(&mut tx, waker).is_pending());
    }
    // A sender that leaves need not be told anything itself.
    drop(tx);
    assert_eq!(wakes(), [0, 0, 1]);
    assert!(now(rx).is_err());
    for (counter, _) in &wakers {
        assert_eq!(Arc::strong_count(counter), 2, "a waker was kept");
    }
}

#[test]
fn a_sender_that_is_dropped_leaves_an_error() {
    let (counter, waker) = CountingWaker::new();
    let (tx, mut rx) = channel::<u8>();
    assert!(poll_with(&mut rx, &waker).is_pending());
    drop(tx);
    assert_eq!(counter.wakes(), 1);
    let error: RecvError = now(rx).unwrap_err();
    assert!(error.to_string().contains("closed"));
    assert_eq!(error.clone(), error);
    let _: &dyn std::error::Error = &error;
}

#[test]
fn a_value_that_nobody_will_receive_comes_back() {
    let (tx, rx) = channel();
    drop(rx);
    assert_eq!(tx.send(1), Err(1));
    let (tx, mut rx) = channel();
    rx.close();
    assert_eq!(tx.send(2), Err(2));
    assert!(now(rx).is_err());
}

#[test]
fn a_value_need_be_nothing_but_a_value() {
    struct Plain(#[allow(dead_code)] Rc<Cell<u8>>);
    let (tx, rx) = channel();
    assert!(tx.send(Plain(Rc::default())).is_ok());
    assert!(now(rx).is_ok());
    let (tx, rx) = channel::<Box<dyn Fn() -> u8>>();
    assert!(tx.send(Box::new(|| 7)).is_ok());
    assert_eq!(now(rx).unwrap()(), 7);
}

#[test]
fn a_wait_may_be_given_up_and_taken_up_again() {
    paused(async {
        let (tx, mut rx) = channel();
        spawn(async move {
            sleep(MS * 5).await;
            tx.send('a').unwrap();
        });
        for _ in 0..4 {
            timeout(MS, &mut rx).await.unwrap_err();
        }
        assert_eq!(rx.await, Ok('a'));
    });
}

#[test]
fn a_receiver_that_is_polled_after_it_was_ready_panics() {
    let (tx, mut rx) = channel();
    tx.send(1).unwrap();
    assert_eq!(now(&mut rx), Ok(1));
    caught(|| now(&mut rx)).unwrap_err();
    // Also if another way led to the end.
    let (tx, mut rx) = channel::<u8>();
    drop(tx);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    caught(|| now(&mut rx)).unwrap_err();
}

#[test]
fn a_stall_report_tells_who_waits_and_not_who_has_waited() {
    let report = caught(|| {
        paused(async {
            let (tx, mut rx) = channel();
            timeout(MS, &mut rx).await.unwrap_err();
            tx.send('a').unwrap();
            rx.try_recv().unwrap();
            let (mut tx, rx) = channel::<u8>();
            timeout(MS, tx.closed()).await.unwrap_err();
            // A wait that was begun by a poll is over when a poll has told the end.
            let (mut ended, end) = channel::<u8>();
            assert!(poll_fn(|cx| Poll::Ready(ended.poll_closed(cx))).await.is_pending());
            drop(end);
            poll_fn(|cx| ended.poll_closed(cx)).await;
            rx.await
        })
    });
    let report = report.unwrap_err();
    assert!(report.contains("waits for the value of the oneshot channel"), "{report}");
    assert_eq!(report.matches("    waits for").count(), 1, "{report}");
}

// Without waiting.

#[test]
fn trying_takes_the_value_or_says_why_not() {
    let (tx, mut rx) = channel();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    tx.send(1).unwrap();
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));

    let (tx, mut rx) = channel::<u8>();
    drop(tx);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));

    let (tx, mut rx) = channel();
    rx.close();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(tx.send(1), Err(1));

    let errors: [&dyn std::error::Error; 2] = [&TryRecvError::Empty, &TryRecvError::Closed];
    assert_ne!(errors[0].to_string(), errors[1].to_string());
    assert_eq!(format!("{:?}", TryRecvError::Empty.clone()), "Empty");
}

#[test]
fn trying_does_not_end_a_wait() {
    let (counter, waker) = CountingWaker::new();
    let (tx, mut rx) = channel();
    assert!(poll_with(&mut rx, &waker).is_pending());
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    tx.send(1).unwrap();
    assert_eq!(counter.wakes(), 1);
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn a_receiver_tells_whether_a_value_is_there_and_whether_it_has_ended() {
    let asked = |rx: &Receiver<u8>| (rx.is_empty(), rx.is_terminated());

    let (tx, mut rx) = channel();
    assert_eq!(asked(&rx), (true, false));
    tx.send(1).unwrap();
    assert_eq!(asked(&rx), (false, false));
    assert_eq!(now(&mut rx), Ok(1));
    assert_eq!(asked(&rx), (true, true));
    rx.close();
    assert_eq!(asked(&rx), (true, true));

    // What will never come has not come: the receiver ends when it learns that.
    let (tx, mut rx) = channel();
    drop(tx);
    assert_eq!(asked(&rx), (true, false));
    assert!(now(&mut rx).is_err());
    assert_eq!(asked(&rx), (true, true));

    let (tx, mut rx) = channel();
    rx.close();
    assert_eq!(asked(&rx), (true, false));
    assert_eq!(tx.send(1), Err(1));
    assert_eq!(asked(&rx), (true, false));
    rx.try_recv().unwrap_err();
    assert_eq!(asked(&rx), (true, true));

    let (tx, mut rx) = channel();
    tx.send(1).unwrap();
    rx.close();
    assert_eq!(asked(&rx), (false, false));
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(asked(&rx), (true, true));
}

// Closing.

#[test]
fn closing_keeps_a_value_that_was_sent_before() {
    let (tx, mut rx) = channel();
    tx.send(1).unwrap();
    rx.close();
    rx.close();
    assert_eq!(now(rx), Ok(1));
}

#[test]
fn a_receiver_that_is_closed_waits_no_longer() {
    let (mut tx, mut rx) = channel::<u8>();
    assert!(poll_once(&mut rx).is_pending());
    rx.close();
    assert!(now(&mut rx).is_err());
    assert!(rx.is_terminated());
    assert!(poll_closed(&mut tx, Waker::noop()).is_ready());
}

#[test]
fn a_sender_learns_that_the_receiver_is_closed() {
    for close in [Receiver::close as fn(&mut Receiver<u8>), |rx| {
        *rx = channel().1
    }] {
        let (counter, waker) = CountingWaker::new();
        let (mut tx, mut rx) = channel();
        assert!(!tx.is_closed());
        assert!(poll_closed(&mut tx, &waker).is_pending());
        close(&mut rx);
        assert_eq!(counter.wakes(), 1);
        assert!(tx.is_closed());
        // It stays so.
        assert!(poll_closed(&mut tx, &waker).is_ready());
        assert!(poll_closed(&mut tx, &waker).is_ready());
        block_on(tx.closed());
        assert_eq!(tx.send(1), Err(1));
        assert_eq!(counter.wakes(), 1);
    }
}

#[test]
fn a_sender_may_give_up_its_work_when_nobody_wants_it() {
    let history = History::new();
    paused(async {
        let (mut tx, rx) = channel();
        let worker = history.clone();
        let task = spawn(async move {
            let work = async {
                let _end = worker.on_drop("work dropped");
                sleep(MS * 100).await;
                1
            };
            handspun::select! {
                biased;
                () = tx.closed() => worker.push("nobody wants it"),
                answer = work => tx.send(answer).unwrap(),
            }
        });
        assert!(timeout(MS * 10, rx).await.is_err());
        history.push("gave up");
        task.await.unwrap();
    });
    history.expect(["gave up", "work dropped", "nobody wants it"]);
}

#[test]
fn a_sender_that_has_waited_may_still_send() {
    let (counter, waker) = CountingWaker::new();
    let (mut tx, mut rx) = channel();
    assert!(poll_with(&mut Box::pin(tx.closed()), &waker).is_pending());
    tx.send(1).unwrap();
    // The waker that the wait has left is gone with the sender.
    assert_eq!(Arc::strong_count(&counter), 2);
    rx.close();
    assert_eq!(counter.wakes(), 0);
    assert_eq!(now(rx), Ok(1));
}

#[test]
fn the_wait_for_the_closing_may_be_made_anew_for_each_poll() {
    paused(async {
        let (mut tx, rx) = channel::<u8>();
        let wait = spawn(async move { poll_fn(|cx| pin!(tx.closed()).poll(cx)).await });
        sleep(MS).await;
        drop(rx);
        wait.await.unwrap();
    });
}

// What becomes of a value.

#[test]
fn a_value_is_dropped_where_its_way_ends() {
    let history = History::new();
    let (tx, rx) = channel();
    assert!(tx.send(history.on_drop("value")).is_ok());
    history.push("sent, and the sender is gone");
    drop(rx);
    history.expect(["sent, and the sender is gone", "value"]);

    let (tx, rx) = channel();
    drop(rx);
    let back = tx.send(history.on_drop("value"));
    history.push("came back");
    drop(back);
    history.expect(["came back", "value"]);

    let (tx, mut rx) = channel();
    assert!(tx.send(history.on_drop("value")).is_ok());
    let value = rx.try_recv();
    drop(rx);
    history.push("received");
    drop(value);
    history.expect(["received", "value"]);

    let (tx, mut rx) = channel();
    assert!(tx.send(history.on_drop("value")).is_ok());
    rx.close();
    history.push("closed");
    drop(rx);
    history.expect(["closed", "value"]);
}

#[test]
fn the_ends_can_be_shown() {
    let (tx, rx) = channel::<u8>();
    assert!(format!("{tx:?}").starts_with("Sender"));
    assert!(format!("{rx:?}").starts_with("Receiver"));
}

// Threads that block.

#[test]
fn a_thread_may_block_for_the_value() {
    watched(|| {
        let (tx, rx) = channel();
        let (ask, asked) = channel::<u8>();
        let thread = thread::spawn(move || (rx.blocking_recv(), asked.blocking_recv()));
        block_on(async {
            sleep(MS).await;
            tx.send('a').unwrap();
            sleep(MS).await;
            drop(ask);
        });
        let (value, none) = thread.join().unwrap();
        assert_eq!(value, Ok('a'));
        assert!(none.is_err());
    });
}

#[test]
fn a_task_may_not_block_for_the_value() {
    let (tx, rx) = channel();
    tx.send('a').unwrap();
    let message = block_on(async { caught(|| rx.blocking_recv()).unwrap_err() });
    assert!(message.contains("`blocking_recv`") && message.contains("await`"), "{message}");
}

// Cancelled at every await.

#[test]
fn a_cancelled_wait_leaves_no_value_behind() {
    let polls = cancel_at_every_await(async || {
        let (tx, rx) = channel();
        let value = Rc::new(());
        let sent = value.clone();
        let task = spawn(async move {
            sleep(MS).await;
            tx.send(sent)
        });
        (rx, async move |output: Option<Result<Rc<()>, RecvError>>| {
            let received = output.is_some_and(|output| output.is_ok());
            let sent = task.await.unwrap().is_ok();
            // In place of the second poll, the value was already on its way.
            assert!(sent || !received);
            assert_eq!(Rc::strong_count(&value), 1);
        })
    });
    assert_eq!(polls, 2);
}

#[test]
fn a_cancelled_wait_by_reference_can_be_begun_again() {
    let polls = cancel_at_every_await(async || {
        let (tx, rx) = channel();
        spawn(async move {
            sleep(MS).await;
            tx.send('a').unwrap();
        });
        let home = home(rx);
        let mut lent = Lent::from(&home);
        let wait = async move {
            let rx: &mut Receiver<_> = &mut lent;
            rx.await
        };
        (wait, async move |output: Option<_>| {
            let rx = home.take().expect("the wait is gone");
            let value = match output {
                Some(value) => value,
                None => rx.await,
            };
            assert_eq!(value, Ok('a'));
        })
    });
    assert_eq!(polls, 2);
}

#[test]
fn a_cancelled_wait_for_the_end_leaves_nothing() {
    let polls = cancel_at_every_await(async || {
        let (tx, mut rx) = channel();
        let receiver = spawn(async move {
            sleep(MS).await;
            rx.close();
            rx.await
        });
        let home = home(tx);
        let mut lent = Lent::from(&home);
        let wait = async move { lent.closed().await };
        (wait, async move |output: Option<()>| {
            let tx = home.take().expect("the wait is gone");
            assert!(output.is_none() || tx.is_closed());
            // Only before the receiver closed was there somebody to take it.
            let closed = tx.is_closed();
            assert_eq!(tx.send('a').is_err(), closed);
            assert_eq!(receiver.await.unwrap().is_err(), closed);
        })
    });
    assert_eq!(polls, 2);
}

// Random programs, against a model.

#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    DropSender,
    PollClosed,
    Poll,
    TryRecv,
    Close,
    DropReceiver,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Send),
        1 => Just(Step::DropSender),
        3 => Just(Step::PollClosed),
        4 => Just(Step::Poll),
        2 => Just(Step::TryRecv),
        1 => Just(Step::Close),
        1 => Just(Step::DropReceiver),
    ]
}

/// The channel as its promises describe it.
#[derive(Default)]
struct Model {
    sender_is_gone: bool,
    closed: bool,
    terminated: bool,
    full: bool,
    /// The number of the waker that the receiver, or the sender, left.
    receiver: Option<usize>,
    sender: Option<usize>,
}

impl Model {
    /// What a receiver that asks now learns; `None` if it has to wait.
    fn receive(&mut self) -> Option<Result<(), ()>> {
        if !self.full && !self.sender_is_gone && !self.closed {
            return None;
        }
        self.terminated = true;
        self.receiver = None;
        Some(if std::mem::take(&mut self.full) { Ok(()) } else { Err(()) })
    }

    /// Who is woken.
    fn sender_leaves(&mut self) -> Option<usize> {
        self.sender_is_gone = true;
        self.sender = None;
        self.receiver.take()
    }

    fn close(&mut self) -> Option<usize> {
        self.closed = true;
        self.receiver = None;
        self.sender.take()
    }
}

proptest! {
    #![proptest_config(random_programs())]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 0..20)) {
        let mut model = Model::default();
        let wakes = Wakes::default();
        let value = Rc::new(());
        let (tx, rx) = channel::<Rc<()>>();
        let (mut tx, mut rx) = (Some(tx), Some(rx));
        for (number, step) in steps.into_iter().enumerate() {
            let waker = wakes.waker(number);
            let mut woken = None;
            match (step, &mut tx, &mut rx) {
                (Step::Send, tx @ Some(_), _) => {
                    let sent = tx.take().unwrap().send(value.clone()).is_ok();
                    prop_assert_eq!(sent, !model.closed);
                    model.full = sent;
                    woken = model.sender_leaves();
                }
                (Step::DropSender, tx @ Some(_), _) => {
                    *tx = None;
                    woken = model.sender_leaves();
                }
                (Step::PollClosed, Some(tx), _) => {
                    prop_assert_eq!(poll_closed(tx, &waker).is_ready(), model.closed);
                    model.sender = (!model.closed).then_some(number);
                }
                (Step::Poll, _, Some(rx)) if model.terminated => {
                    prop_assert!(caught(|| poll_with(rx, &waker).is_ready()).is_err());
                }
                (Step::Poll, _, Some(rx)) => {
                    let polled = match poll_with(rx, &waker) {
                        Poll::Ready(received) => Some(received.map(drop).map_err(drop)),
                        Poll::Pending => None,
                    };
                    let expected = model.receive();
                    prop_assert_eq!(polled, expected);
                    model.receiver = expected.is_none().then_some(number);
                }
                (Step::TryRecv, _, Some(rx)) => {
                    let received = rx.try_recv().map(drop);
                    let expected = match model.terminated {
                        true => Err(TryRecvError::Closed),
                        false => match model.receive() {
                            None => Err(TryRecvError::Empty),
                            Some(received) => received.map_err(|()| TryRecvError::Closed),
                        },
                    };
                    prop_assert_eq!(received, expected);
                }
                (Step::Close, _, Some(rx)) => {
                    rx.close();
                    // A receiver that has ended has nothing left to close.
                    if !model.terminated {
                        woken = model.close();
                    }
                }
                (Step::DropReceiver, _, rx @ Some(_)) => {
                    *rx = None;
                    if !model.terminated {
                        woken = model.close();
                    }
                    model.full = false;
                }
                _ => {}
            }
            drop(waker);
            prop_assert_eq!(wakes.take(), Vec::from_iter(woken));
            if let Some(tx) = &tx {
                prop_assert_eq!(tx.is_closed(), model.closed);
            }
            if let Some(rx) = &rx {
                prop_assert_eq!(rx.is_empty(), !model.full);
                prop_assert_eq!(rx.is_terminated(), model.terminated);
            }
            prop_assert_eq!(Rc::strong_count(&value), 1 + usize::from(model.full));
        }
        drop((tx, rx));
        prop_assert_eq!(Rc::strong_count(&value), 1);
        // No waker is left anywhere.
        prop_assert_eq!(wakes.alive(), 0);
    }
}

// The worst that wakers and values can do.

/// An end of a channel, for a waker to use.
type Shared<T> = Rc<RefCell<Option<T>>>;

fn shared<T>(end: T) -> Shared<T> {
    Rc::new(RefCell::new(Some(end)))
}

fn poll_shared<T>(rx: &Shared<Receiver<T>>, waker: &Waker) -> Poll<Result<T, RecvError>> {
    poll_with(rx.borrow_mut().as_mut().expect("a receiver"), waker)
}

#[test]
fn a_waker_may_receive_while_the_value_is_being_sent() {
    let (tx, rx) = channel();
    let rx = shared(rx);
    let (inside, history) = (rx.clone(), History::new());
    let received = history.clone();
    let waker = hostile_waker(move |call| {
        if call == Call::Wake {
            let mut rx = inside.borrow_mut();
            received.push(format_args!("{:?}", rx.as_mut().unwrap().try_recv()));
        }
    });
    assert!(poll_shared(&rx, &waker).is_pending());
    tx.send('a').unwrap();
    history.expect(["Ok('a')"]);
}

#[test]
fn a_waker_may_drop_the_receiver_while_the_value_is_being_sent() {
    let history = History::new();
    let (tx, rx) = channel();
    let rx = shared(rx);
    let inside = rx.clone();
    let waker = hostile_waker(move |call| {
        if call == Call::Wake {
            drop(inside.take());
        }
    });
    assert!(poll_shared(&rx, &waker).is_pending());
    assert!(tx.send(history.on_drop("value")).is_ok());
    history.expect(["value"]);
}

/// Sends from a waker that sees `call` while the receiver is polled. The receiver must not miss the
/// value: it finds it, or it is woken.
fn sent_in_the_middle_of_a_poll(call: Call) {
    let (tx, rx) = channel();
    let (tx, rx) = (shared(tx), shared(rx));
    let (inside, wakes) = (tx.clone(), Rc::new(Cell::new(0)));
    let woken = wakes.clone();
    let hostile = hostile_waker(move |seen| {
        if seen == Call::Wake {
            woken.set(woken.get() + 1);
        }
        if seen == call
            && let Some(tx) = inside.take()
        {
            tx.send('a').unwrap();
        }
    });
    let (counter, waker) = CountingWaker::new();
    let mut polled = poll_shared(&rx, &hostile);
    if call == Call::Drop {
        // The other one takes its place.
        assert!(polled.is_pending() && tx.borrow().is_some());
        polled = poll_shared(&rx, &waker);
    }
    assert!(tx.borrow().is_none(), "the waker was not used as planned");
    let value = match polled {
        Poll::Ready(value) => value,
        Poll::Pending => {
            assert_eq!(wakes.get() + counter.wakes(), 1);
            now(rx.take().unwrap())
        }
    };
    assert_eq!(value, Ok('a'));
    std::mem::forget(hostile);
}

#[test]
fn a_value_may_come_while_the_waker_is_cloned() {
    sent_in_the_middle_of_a_poll(Call::Clone);
}

#[test]
fn a_value_may_come_while_the_last_waker_is_dropped() {
    sent_in_the_middle_of_a_poll(Call::Drop);
}

#[test]
fn a_waker_may_panic_while_it_is_woken() {
    quietly(|| {
        let waker = acts_on(Call::Wake, || ());
        let (tx, mut rx) = channel();
        assert!(poll_with(&mut rx, &waker).is_pending());
        // Who gets the panic is not said; the value is sent all the same.
        let _ = caught(|| tx.send('a'));
        assert_eq!(now(rx), Ok('a'));

        let (mut tx, mut rx) = channel();
        assert!(poll_closed(&mut tx, &waker).is_pending());
        let _ = caught(|| rx.close());
        assert_eq!(tx.send('a'), Err('a'));
        assert!(now(rx).is_err());
    });
}

#[test]
fn a_waker_may_panic_while_it_is_cloned_or_dropped() {
    for call in [Call::Clone, Call::Drop] {
        quietly(|| {
            let armed = Rc::new(Cell::new(true));
            let arms = armed.clone();
            let waker = hostile_waker(move |seen| {
                if seen == call && arms.take() {
                    panic_silently("a waker");
                }
            });
            let (mut tx, mut rx) = channel();
            let _ = caught(|| poll_with(&mut rx, &waker).is_pending());
            let _ = caught(|| poll_once(&mut rx).is_pending());
            assert!(!armed.replace(true));
            let _ = caught(|| poll_closed(&mut tx, &waker).is_pending());
            let _ = caught(|| poll_closed(&mut tx, Waker::noop()).is_pending());
            assert!(!armed.get());
            tx.send('a').unwrap();
            assert_eq!(now(rx), Ok('a'));
        });
    }
}

#[test]
fn a_waker_may_send_while_the_receiver_closes() {
    let history = History::new();
    let (tx, mut rx) = channel();
    let tx = shared(tx);
    let (inside, sent) = (tx.clone(), history.clone());
    let waker = hostile_waker(move |call| {
        if call == Call::Wake {
            let tx = inside.take().unwrap();
            sent.push(format_args!("{}, {:?}", tx.is_closed(), tx.send('a')));
        }
    });
    assert!(poll_closed(tx.borrow_mut().as_mut().unwrap(), &waker).is_pending());
    rx.close();
    history.expect(["true, Err('a')"]);
    assert!(now(rx).is_err());
}

#[test]
fn a_receiver_may_go_while_the_waker_of_its_sender_is_cloned() {
    let (mut tx, rx) = channel::<u8>();
    let rx = shared(rx);
    let inside = rx.clone();
    let waker = hostile_waker(move |call| {
        if call == Call::Clone {
            drop(inside.take());
        }
    });
    let _ = poll_closed(&mut tx, &waker);
    assert!(poll_closed(&mut tx, Waker::noop()).is_ready());
}

#[test]
fn a_waker_may_ask_and_send_while_it_is_dropped_with_its_receiver() {
    let history = History::new();
    let (tx, mut rx) = channel();
    let tx = shared(tx);
    let (inside, asked) = (tx.clone(), history.clone());
    let waker = hostile_waker(move |call| {
        if call == Call::Drop
            && let Some(tx) = inside.take()
        {
            asked.push(format_args!("{}, {:?}", tx.is_closed(), tx.send('a')));
        }
    });
    assert!(poll_with(&mut rx, &waker).is_pending());
    drop(rx);
    history.expect(["true, Err('a')"]);
    std::mem::forget(waker);
}

#[test]
fn a_value_may_panic_while_it_is_dropped() {
    quietly(|| {
        let drops = Rc::new(Cell::new(0));
        let dropped = drops.clone();
        let (tx, rx) = channel();
        let value = Dropping(move || {
            dropped.set(dropped.get() + 1);
            panic_silently("a value");
        });
        assert!(tx.send(value).is_ok());
        // Nobody has asked for it: the panic ends there.
        assert_eq!(caught(|| drop(rx)), Ok(()));
        assert_eq!(drops.get(), 1);
    });
}

#[test]
fn a_value_may_hold_the_ends_of_other_channels() {
    // Each value holds the receiver of the one before: a chain, dropped from its head.
    struct Link(#[allow(dead_code)] Option<Receiver<Link>>);
    let (mut first, mut rx) = channel();
    for _ in 0..1_000 {
        let (next, next_rx) = channel();
        assert!(next.send(Link(Some(rx))).is_ok());
        rx = next_rx;
    }
    assert!(poll_closed(&mut first, Waker::noop()).is_pending());
    drop(rx);
    assert!(first.is_closed());
}

// Threads.

#[test]
fn two_threads_pass_a_number_to_and_fro() {
    const ROUNDS: u32 = 5_000;
    watched(|| {
        // What is sent: the number, and where to send the next one.
        struct Ball(u32, Option<Sender<Ball>>);
        fn play(mut rx: Receiver<Ball>) -> u32 {
            block_on(async move {
                loop {
                    let Ball(number, back) = rx.await.unwrap();
                    let Some(back) = back else { return number };
                    let (tx, next) = channel();
                    let again = (number < ROUNDS).then_some(tx);
                    assert!(back.send(Ball(number + 1, again)).is_ok());
                    if number >= ROUNDS {
                        return number;
                    }
                    rx = next;
                }
            })
        }
        let ((serve, first), (tx, second)) = (channel(), channel());
        assert!(serve.send(Ball(0, Some(tx))).is_ok());
        let threads = [first, second].map(|rx| thread::spawn(move || play(rx)));
        let mut last = threads.map(|thread| thread.join().unwrap());
        last.sort();
        assert_eq!(last, [ROUNDS, ROUNDS + 1]);
    });
}

#[test]
fn a_value_sent_while_the_receiver_closes_has_one_owner() {
    const ROUNDS: usize = 20_000;
    watched(|| {
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..ROUNDS).map(|_| channel::<Box<usize>>()).unzip();
        let start = Arc::new(std::sync::Barrier::new(2));
        let begin = start.clone();
        let thread = thread::spawn(move || {
            begin.wait();
            let send =
                |(n, tx): (usize, Sender<Box<usize>>)| tx.send(Box::new(n)).err().map(|n| *n);
            senders.into_iter().enumerate().filter_map(send).collect::<Vec<_>>()
        });
        start.wait();
        let receive = |mut rx: Receiver<Box<usize>>| {
            rx.close();
            rx.try_recv().ok().map(|n| *n)
        };
        let mut all: Vec<usize> = receivers.into_iter().filter_map(receive).collect();
        all.extend(thread.join().unwrap());
        all.sort();
        assert_eq!(all, Vec::from_iter(0..ROUNDS));
    });
}

#[test]
fn no_wake_is_lost_between_threads() {
    const ROUNDS: usize = 5_000;
    watched(|| {
        // Of three receivers one gets a value, one an error, and one drops unseen.
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| channel()).unzip();
        let thread = thread::spawn(move || {
            let mut gone = 0;
            for (n, mut tx) in senders.into_iter().enumerate() {
                match n % 3 {
                    0 => assert!(tx.send(n).is_ok()),
                    1 => drop(tx),
                    _ => {
                        block_on(tx.closed());
                        gone += 1;
                    }
                }
            }
            gone
        });
        block_on(async {
            for (n, mut rx) in receivers.into_iter().enumerate() {
                match n % 3 {
                    0 => assert_eq!(rx.await, Ok(n)),
                    1 => assert!(rx.await.is_err()),
                    _ => assert!(poll_once(&mut rx).is_pending()),
                }
            }
        });
        assert_eq!(thread.join().unwrap(), ROUNDS / 3);
    });
}

// Thread safety.

#[test]
fn thread_safety_depends_on_the_value() {
    assert_thread_safety! {
        about::<Sender<SendOnly>>() => (true, true),
        about::<Receiver<SendOnly>>() => (true, true),
        about::<Sender<Neither>>() => (false, false),
        about::<Receiver<Neither>>() => (false, false),
        about::<RecvError>() => (true, true),
        about::<TryRecvError>() => (true, true),
        about_value(channel::<SendOnly>().0.closed()) => (true, true),
    }
    fn is_unpin<T: Unpin>() {}
    is_unpin::<Sender<PhantomPinned>>();
    is_unpin::<Receiver<PhantomPinned>>();
}
