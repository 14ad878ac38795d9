//! The row of values against a list of all that was ever sent: what each receiver gets, who is
//! counted where, and which values are alive.

use super::*;
use proptest::prelude::*;
use std::pin::pin;
use std::sync::Weak;
use std::task::Waker;

#[derive(Clone, Copy, Debug)]
enum Op {
    Send,
    Subscribe,
    Receive(usize),
    DropReceiver(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => Just(Op::Send),
        2 => Just(Op::Subscribe),
        8 => (0..20usize).prop_map(Op::Receive),
        1 => (0..20usize).prop_map(Op::DropReceiver),
    ]
}

/// A value with its position, and what tells whether a clone of it is alive.
type Sent = (u64, Arc<()>);

struct Model {
    sender: Option<Sender<Sent>>,
    capacity: u64,
    /// With the position of the value that each must get next, if it has not lagged.
    receivers: Vec<(Receiver<Sent>, u64)>,
    alive: Vec<Weak<()>>,
    row: Arc<Guarded<Row<Sent>>>,
}

impl Model {
    fn new(capacity: usize) -> Model {
        let sender = Sender::new(capacity);
        Model {
            capacity: capacity.next_power_of_two() as u64,
            receivers: Vec::new(),
            alive: Vec::new(),
            row: sender.row.clone(),
            sender: Some(sender),
        }
    }

    fn sent(&self) -> u64 {
        self.alive.len() as u64
    }

    /// The position of the oldest value that nobody has missed yet.
    fn oldest(&self) -> u64 {
        self.sent().saturating_sub(self.capacity)
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Send => self.send(),
            Op::Subscribe => {
                let receiver = match (&self.sender, self.receivers.first()) {
                    (Some(sender), _) => sender.subscribe(),
                    (None, Some((receiver, _))) => receiver.resubscribe(),
                    (None, None) => return,
                };
                self.receivers.push((receiver, self.sent()));
            }
            Op::Receive(nth) => {
                if let Some(nth) = nth.checked_rem(self.receivers.len()) {
                    self.receive(nth);
                }
            }
            Op::DropReceiver(nth) => {
                if let Some(nth) = nth.checked_rem(self.receivers.len()) {
                    self.receivers.swap_remove(nth);
                }
            }
        }
    }

    fn send(&mut self) {
        let Some(sender) = &self.sender else { return };
        let token = Arc::new(());
        let sent = (self.sent(), token.clone());
        match sender.send(sent) {
            Ok(receivers) => {
                assert_eq!(receivers, self.receivers.len());
                self.alive.push(Arc::downgrade(&token));
            }
            Err(SendError((position, _))) => {
                assert_eq!((position, self.receivers.len()), (self.sent(), 0));
            }
        }
    }

    fn receive(&mut self, nth: usize) {
        let (sent, oldest) = (self.sent(), self.oldest());
        let (receiver, next) = &mut self.receivers[nth];
        let expected = if *next == sent {
            let is_open = self.sender.is_some();
            Err(if is_open { TryRecvError::Empty } else { TryRecvError::Closed })
        } else if *next < oldest {
            Err(TryRecvError::Lagged(oldest - mem::replace(next, oldest)))
        } else {
            *next += 1;
            Ok(*next - 1)
        };
        assert_eq!(receiver.try_recv().map(|(position, _)| position), expected);
    }

    /// Compares all that can be asked, and what is counted and kept.
    fn check(&self) {
        let (sent, oldest) = (self.sent(), self.oldest());
        // Where each receiver stands; a value is needed by those who stand at it or before it.
        let stands = self.receivers.iter().map(|(_, next)| (*next).max(oldest));
        let mut stands: Vec<_> = stands.collect();
        stands.sort();
        let first = stands.first().copied().unwrap_or(sent);
        for (position, value) in (0..).zip(&self.alive) {
            assert_eq!(value.strong_count(), usize::from(position >= first));
        }
        self.row.look(|row| {
            let at = |position| stands.iter().filter(|&&stand| stand == position).count();
            let standing: Vec<_> = row.kept.iter().map(|slot| slot.standing).collect();
            assert_eq!(standing, Vec::from_iter((first..sent).map(at)));
            assert_eq!(row.at_end, at(sent));
            assert_eq!(row.receivers, stands.len());
        });
        for (receiver, next) in &self.receivers {
            assert_eq!(receiver.len() as u64, sent - next);
            assert_eq!(receiver.is_closed(), self.sender.is_none());
        }
        if let Some(sender) = &self.sender {
            assert_eq!(sender.len() as u64, sent - first);
            assert_eq!(sender.receiver_count(), stands.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_row_keeps_each_value_until_nobody_needs_it(
        capacity in 1..6usize,
        before in prop::collection::vec(op(), 0..80),
        after in prop::collection::vec(op(), 0..20),
    ) {
        let mut model = Model::new(capacity);
        for op in before {
            model.apply(op);
            model.check();
        }
        model.sender = None;
        for op in after {
            model.apply(op);
            model.check();
        }
        while !model.receivers.is_empty() {
            model.apply(Op::DropReceiver(0));
            model.check();
        }
    }
}

#[test]
fn waits_that_come_and_go_leave_nothing() {
    let (sender, mut receiver) = channel::<()>(1);
    let mut cx = std::task::Context::from_waker(Waker::noop());
    for _ in 0..1_000 {
        let mut recv = pin!(receiver.recv());
        let mut closed = pin!(sender.closed());
        assert!(recv.as_mut().poll(&mut cx).is_pending());
        assert!(closed.as_mut().poll(&mut cx).is_pending());
    }
    let lines = sender.row.look(|row| (row.awaiting_value.is_empty(), row.awaiting_end.is_empty()));
    assert_eq!(lines, (true, true));
}
