//! The reactor against a list of who waits, under random entering, leaving and looking, with
//! sockets that fill, empty, hang up and are opened again under the same numbers. And what it does
//! with names that are not its own, with its time to look, and with the room of a crowd that left.

use super::*;
use crate::mailbox::Registration;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::task::Wake;

/// The executor that the reactors are told to belong to. Nobody has so high a number.
const EXECUTOR: u16 = 16_000;

/// Who was woken, in order, and how many wakers there are.
#[derive(Clone, Default)]
struct Woken(Arc<Mutex<Vec<usize>>>);

struct Numbered(usize, Woken);

impl Woken {
    fn waker(&self, number: usize) -> Waker {
        Arc::new(Numbered(number, self.clone())).into()
    }

    /// Wakes them, and says who they were.
    fn wake(&self, wakers: impl IntoIterator<Item = Waker>) -> Vec<usize> {
        wakers.into_iter().for_each(Waker::wake);
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// How many wakers are left.
    fn alive(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

impl Wake for Numbered {
    fn wake(self: Arc<Self>) {
        self.1.0.lock().unwrap().push(self.0);
    }
}

fn reactor_of(executor: u16) -> Reactor {
    let mut reactor = Reactor::new(executor, NonZeroU64::MIN);
    reactor.open().unwrap();
    reactor
}

fn reactor() -> Reactor {
    reactor_of(EXECUTOR)
}

fn pair() -> (UnixStream, UnixStream) {
    let (here, there) = UnixStream::pair().unwrap();
    here.set_nonblocking(true).unwrap();
    there.set_nonblocking(true).unwrap();
    (here, there)
}

fn fd(socket: &UnixStream) -> usize {
    socket.as_raw_fd() as usize
}

impl Reactor {
    /// A new entry.
    fn enter(&mut self, fd: usize, direction: Direction, waker: Waker) -> EntryName {
        let mut entry = None;
        let (poll, unneeded) = self.poll(fd, direction, &mut entry, waker);
        assert!(poll.is_pending() && unneeded.is_none());
        entry.expect("who is pending has an entry")
    }

    fn look_now(&mut self) -> Vec<Waker> {
        self.look(Some(Duration::ZERO))
    }

    /// What the executor's loop does: the polls that lie ahead come after the look.
    fn look_if_due(&mut self, polls_ahead: usize) -> Vec<Waker> {
        let is_due = self.is_due(polls_ahead);
        let ready = if is_due { self.look_now() } else { Vec::new() };
        self.count_polls(polls_ahead + ready.len());
        ready
    }

    fn table(&self) -> &Table {
        self.table.as_ref().unwrap()
    }
}

// Random programs.

#[derive(Clone, Copy, Debug)]
enum Op {
    Enter {
        socket: usize,
        direction: Direction,
    },
    /// By any name that was ever given out, counted from the latest: some are stale.
    PollAgain(usize),
    Leave(usize),
    Release(usize),
    /// The peer writes a byte.
    Send(usize),
    /// All that the peer has written is read.
    Read(usize),
    /// Writes until there is no more room.
    Fill(usize),
    /// The peer reads it all.
    Drain(usize),
    /// The peer is closed.
    HangUp(usize),
    /// Both ends are closed, whoever waits, and others opened: under the same numbers, most often.
    Reopen(usize),
    Look,
    Sleep,
    /// Sleeps without a limit: the bell has been rung.
    SleepAfterRing,
    /// The executor ends, and is followed by another with the same number.
    End,
}

const SOCKETS: usize = 4;

fn op() -> impl Strategy<Value = Op> {
    let direction = prop_oneof![Just(Direction::Read), Just(Direction::Write)];
    let enter = (0..SOCKETS, direction);
    prop_oneof![
        10 => enter.prop_map(|(socket, direction)| Op::Enter { socket, direction }),
        3 => (0..12usize).prop_map(Op::PollAgain),
        3 => (0..12usize).prop_map(Op::Leave),
        1 => (0..12usize).prop_map(Op::Release),
        3 => (0..SOCKETS).prop_map(Op::Send),
        2 => (0..SOCKETS).prop_map(Op::Read),
        4 => (0..SOCKETS).prop_map(Op::Fill),
        1 => (0..SOCKETS).prop_map(Op::Drain),
        1 => (0..SOCKETS).prop_map(Op::HangUp),
        1 => (0..SOCKETS).prop_map(Op::Reopen),
        3 => Just(Op::Look),
        2 => Just(Op::Sleep),
        1 => Just(Op::SleepAfterRing),
        1 => Just(Op::End),
    ]
}

/// A socket, its peer, and what poll(2) must say of it.
struct Wire {
    here: UnixStream,
    /// `None`: it was closed.
    there: Option<UnixStream>,
    unread: usize,
    is_full: bool,
}

impl Wire {
    fn new() -> Wire {
        let (here, there) = pair();
        Wire {
            here,
            there: Some(there),
            unread: 0,
            is_full: false,
        }
    }

    fn is_ready(&self, direction: Direction) -> bool {
        let is_so = match direction {
            Direction::Read => self.unread > 0,
            Direction::Write => !self.is_full,
        };
        is_so || self.there.is_none()
    }
}

/// Who waits, and by what waker.
#[derive(Debug)]
struct Waiting {
    fd: usize,
    direction: Direction,
    /// The place of its name in `names`.
    name: usize,
    waker: usize,
}

/// A reactor, and who must be on its list.
struct Model {
    reactor: Reactor,
    bell: Waker,
    wires: Vec<Wire>,
    /// In the order of entering.
    waiting: Vec<Waiting>,
    /// All that were ever given out.
    names: Vec<EntryName>,
    wakers: usize,
    woken: Woken,
}

impl Model {
    fn new() -> Model {
        let mut reactor = Reactor::new(EXECUTOR, NonZeroU64::MIN);
        let bell = reactor.open().unwrap();
        Model {
            reactor,
            bell,
            wires: (0..SOCKETS).map(|_| Wire::new()).collect(),
            waiting: Vec::new(),
            names: Vec::new(),
            wakers: 0,
            woken: Woken::default(),
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Enter { socket, direction } => self.enter(socket, direction),
            Op::PollAgain(nth_latest) => self.poll_again(nth_latest),
            Op::Leave(nth_latest) => self.take_out(nth_latest, |reactor, name| {
                reactor.leave(name).ok().expect("an entry of its own")
            }),
            Op::Release(nth_latest) => {
                self.take_out(nth_latest, |reactor, name| reactor.release(name.key));
            }
            Op::Send(socket) => {
                let wire = &mut self.wires[socket];
                // Few, so that the buffer of the peer is as good as empty.
                if let Some(there) = wire.there.as_mut().filter(|_| wire.unread < 4) {
                    there.write_all(&[0]).unwrap();
                    wire.unread += 1;
                }
            }
            Op::Read(socket) => {
                let wire = &mut self.wires[socket];
                let _ = wire.here.read(&mut [0; 64]);
                wire.unread = 0;
            }
            Op::Fill(socket) => {
                let wire = &mut self.wires[socket];
                while wire.there.is_some() && !wire.is_full {
                    match wire.here.write(&[0; 65_536]) {
                        Ok(_some) => {}
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::WouldBlock);
                            wire.is_full = true;
                        }
                    }
                }
            }
            Op::Drain(socket) => {
                let wire = &mut self.wires[socket];
                if let Some(there) = &mut wire.there {
                    while there.read(&mut [0; 65_536]).is_ok() {}
                    wire.is_full = false;
                }
            }
            Op::HangUp(socket) => self.wires[socket].there = None,
            Op::Reopen(socket) => {
                // First the old ones are closed, so that their numbers are free.
                drop(self.wires.remove(socket));
                self.wires.insert(socket, Wire::new());
            }
            Op::Look => self.look(Reactor::look_now),
            Op::Sleep => self.look(|reactor| reactor.look(Some(Duration::ZERO))),
            Op::SleepAfterRing => {
                self.bell.wake_by_ref();
                self.look(|reactor| reactor.look(None));
                // It was silenced: the next look that finds anything finds a socket.
                let bell = self.reactor.table().bell.fd();
                let mut asked = [PollFd::asking(bell, true, false)];
                assert_eq!(sys::poll(&mut asked, Some(Duration::ZERO)).unwrap(), 0);
            }
            Op::End => self.end(),
        }
        self.audit();
    }

    fn new_waker(&mut self) -> (usize, Waker) {
        self.wakers += 1;
        (self.wakers, self.woken.waker(self.wakers))
    }

    fn enter(&mut self, socket: usize, direction: Direction) {
        let (number, waker) = self.new_waker();
        let fd = fd(&self.wires[socket].here);
        let name = self.names.len();
        self.names.push(self.reactor.enter(fd, direction, waker));
        self.waiting.push(Waiting {
            fd,
            direction,
            name,
            waker: number,
        });
    }

    /// The place in `names` of one of the latest.
    fn named(&self, nth_latest: usize) -> Option<usize> {
        self.names.len().checked_sub(nth_latest + 1)
    }

    fn poll_again(&mut self, nth_latest: usize) {
        let Some(name) = self.named(nth_latest) else {
            return;
        };
        let (number, waker) = self.new_waker();
        let mut entry = Some(self.names[name]);
        // Of an entry that there is, the fd and the direction are known.
        let (poll, unneeded) = self.reactor.poll(0, Direction::Read, &mut entry, waker);
        let unneeded = self.woken.wake(unneeded);
        match self.waiting.iter_mut().find(|waiting| waiting.name == name) {
            Some(waiting) => {
                assert!(poll.is_pending() && entry.is_some());
                assert_eq!(unneeded, [std::mem::replace(&mut waiting.waker, number)]);
            }
            None => {
                assert!(poll.is_ready() && entry.is_none());
                assert_eq!(unneeded, [number]);
            }
        }
    }

    fn take_out(
        &mut self,
        nth_latest: usize,
        take_out: impl Fn(&mut Reactor, EntryName) -> Option<Waker>,
    ) {
        let Some(name) = self.named(nth_latest) else {
            return;
        };
        let position = self.waiting.iter().position(|waiting| waiting.name == name);
        let expected = position.map(|position| self.waiting.remove(position).waker);
        let taken = take_out(&mut self.reactor, self.names[name]);
        assert_eq!(self.woken.wake(taken), Vec::from_iter(expected));
        assert!(take_out(&mut self.reactor, self.names[name]).is_none());
    }

    /// Whether who waits for this must be woken. `None`: the socket was closed, and the number may
    /// be that of a file of another test's by now.
    fn is_ready(&self, waiting: &Waiting) -> Option<bool> {
        let wire = self.wires.iter().find(|wire| fd(&wire.here) == waiting.fd)?;
        Some(wire.is_ready(waiting.direction))
    }

    fn look(&mut self, look: impl FnOnce(&mut Reactor) -> Vec<Waker>) {
        let woken = look(&mut self.reactor);
        let woken = self.woken.wake(woken);
        let is_woken = |waiting: &Waiting| woken.contains(&waiting.waker);
        for waiting in &self.waiting {
            let expected = self.is_ready(waiting);
            assert!(expected.is_none_or(|ready| ready == is_woken(waiting)), "{waiting:?}");
        }
        let all = std::mem::take(&mut self.waiting).into_iter();
        let (gone, waiting): (Vec<_>, Vec<_>) = all.partition(is_woken);
        self.waiting = waiting;
        assert_order(&woken, &gone);
    }

    fn end(&mut self) {
        let left = self.reactor.end();
        assert_order(&self.woken.wake(left), &std::mem::take(&mut self.waiting));
        assert!(!self.reactor.is_open());
        self.reactor = Reactor::new(EXECUTOR, self.reactor.next_number());
        self.bell = self.reactor.open().unwrap();
    }

    /// What must be so at every moment.
    fn audit(&self) {
        let table = self.reactor.table();
        assert_eq!(table.entries.len(), self.waiting.len());
        assert_eq!(self.reactor.any(), !self.waiting.is_empty());
        assert_eq!(self.woken.alive(), self.waiting.len());
        // A row for each file descriptor that is waited for, and for no other.
        let fds: BTreeSet<usize> = self.waiting.iter().map(|waiting| waiting.fd).collect();
        assert_eq!(table.rows.iter().map(|row| row.fd).collect::<BTreeSet<_>>(), fds);
        assert_eq!((table.rows.len(), table.asked.len()), (fds.len(), fds.len()));
        for (fd, row) in table.row_of.iter().enumerate().filter(|(_, row)| **row != NO_ROW) {
            assert_eq!(table.rows[*row as usize].fd, fd);
        }
        assert_eq!(table.row_of.iter().filter(|row| **row != NO_ROW).count(), fds.len());
    }
}

/// All have been woken and nobody else has, and of a socket those who read first, and those who
/// came first. (Which socket comes first is open.)
fn assert_order(woken: &[usize], gone: &[Waiting]) {
    let place = |waker: &usize| gone.iter().position(|gone| gone.waker == *waker);
    let places: Vec<usize> = woken.iter().map(|waker| place(waker).expect("it waited")).collect();
    assert_eq!(places.len(), gone.len());
    let key = |place: &usize| (gone[*place].fd, gone[*place].direction == Direction::Write);
    let mut by_sockets = places.clone();
    by_sockets.sort_by_key(|place| gone[*place].fd);
    let mut in_order = places;
    in_order.sort();
    in_order.sort_by_key(key);
    assert_eq!(by_sockets, in_order);
}

proptest! {
    #[test]
    fn a_look_wakes_exactly_those_whose_socket_is_ready(
        ops in proptest::collection::vec(op(), 1..80),
    ) {
        let mut model = Model::new();
        ops.into_iter().for_each(|op| model.apply(op));
        model.end();
        assert_eq!(model.woken.alive(), 0);
    }
}

// When to look.

#[test]
fn while_tasks_are_polled_a_look_is_made_after_so_many_polls() {
    let (mut reactor, woken) = (reactor(), Woken::default());
    let (here, there) = pair();
    // How many polls go by from one look to the next, in turns of this length.
    let mut polls_between_looks = |turn: usize| {
        // A look of which nobody is woken, before such a turn.
        let unready = reactor.enter(fd(&there), Direction::Read, woken.waker(0));
        assert!(reactor.look_now().is_empty());
        reactor.count_polls(turn);
        drop(reactor.leave(unready));
        reactor.enter(fd(&here), Direction::Write, woken.waker(1));
        let mut polls = 0;
        loop {
            // In a long turn, the executor calls this every 64 polls.
            polls += turn.clamp(1, 64);
            assert!(polls < 10_000);
            let ready = reactor.look_if_due(turn);
            if woken.wake(ready) == [1] {
                return polls;
            }
        }
    };
    assert_eq!(polls_between_looks(1), 64);
    assert_eq!(polls_between_looks(2), 64);
    assert_eq!(polls_between_looks(7), 63);
    assert_eq!(polls_between_looks(40), 40);
    assert_eq!(polls_between_looks(64), 64);
    assert_eq!(polls_between_looks(10_000), 64);
    // A turn without polls counts as one: letters may make one after the other.
    assert_eq!(polls_between_looks(0), 64);
}

#[test]
fn those_who_are_woken_by_a_look_count_among_the_polls_until_the_next() {
    let (mut reactor, woken) = (reactor(), Woken::default());
    let (here, _there) = pair();
    for number in 0..63 {
        reactor.enter(fd(&here), Direction::Write, woken.waker(number));
    }
    while reactor.table().polls_left > 0 {
        assert!(!reactor.is_due(1));
        reactor.count_polls(1);
    }
    // A turn of one; but 63 more join it.
    let ready = reactor.look_if_due(1);
    assert_eq!(woken.wake(ready).len(), 63);
    reactor.enter(fd(&here), Direction::Write, woken.waker(64));
    let ready = reactor.look_if_due(1);
    assert_eq!(woken.wake(ready), [64], "64 polls have gone by");
}

#[test]
fn the_more_there_is_to_look_at_the_more_polls_are_between_two_looks() {
    let (here, _there) = pair();
    for (crowd, expected) in [
        (1, 64),
        (64, 64),
        (65, 65),
        (300, 300),
        (512, 512),
        (600, 512),
    ] {
        let (mut reactor, woken) = (reactor(), Woken::default());
        // Numbers of no file: the look finds that something is wrong with each.
        for number in 0..crowd {
            reactor.enter(1_000_000 + number, Direction::Read, woken.waker(0));
        }
        let ready = reactor.look_now();
        assert_eq!(woken.wake(ready).len(), crowd);
        reactor.enter(fd(&here), Direction::Read, woken.waker(0));
        let mut polls = 0;
        while !reactor.is_due(1) {
            reactor.count_polls(1);
            polls += 1;
        }
        assert_eq!(polls, expected);
        // Until the look is made it stays due.
        reactor.count_polls(64);
        assert!(reactor.is_due(1));
    }
}

#[test]
fn where_nobody_waits_there_is_nothing_to_look_at() {
    let mut unopened = Reactor::new(EXECUTOR, NonZeroU64::MIN);
    assert!(!unopened.is_open() && !unopened.any());
    assert!(!unopened.is_due(1_000));
    assert!(unopened.end().is_empty());
    let mut open = reactor();
    assert!(open.is_open() && !open.any());
    for _ in 0..1_000 {
        open.count_polls(64);
        assert!(!open.is_due(64));
    }
    assert!(open.look_now().is_empty());
}

// What is asked.

#[test]
fn errors_and_hang_ups_are_news_for_both_directions() {
    // A file descriptor that nobody has is the one error that is easy to come by.
    let mut asked = [PollFd::asking(i32::MAX as usize, true, false)];
    assert_eq!(sys::poll(&mut asked, None).unwrap(), 1);
    assert!(asked[0].has_news() && asked[0].may_read() && asked[0].may_write());
    let (here, there) = pair();
    drop(there);
    let mut asked = [PollFd::asking(fd(&here), false, true)];
    assert_eq!(sys::poll(&mut asked, None).unwrap(), 1);
    assert!(asked[0].has_news() && asked[0].may_read() && asked[0].may_write());
}

#[test]
fn after_a_crowd_has_gone_it_is_not_asked_for() {
    let (mut reactor, woken) = (reactor(), Woken::default());
    let crowd: Vec<_> = (0..50).map(|_| pair()).collect();
    let names: Vec<_> = crowd
        .iter()
        .map(|(here, _)| reactor.enter(fd(here), Direction::Read, woken.waker(0)))
        .collect();
    assert_eq!(reactor.table().asked.len(), 50);
    for name in &names[1..] {
        drop(reactor.leave(*name));
    }
    assert_eq!(reactor.table().asked.len(), 1);
    drop(reactor.leave(names[0]));
    assert_eq!(reactor.table().asked.len(), 0);
    assert!(reactor.look_now().is_empty());
}

#[test]
fn a_bell_that_was_rung_a_thousand_times_ends_sleeps_and_is_silent_then() {
    let mut reactor = Reactor::new(EXECUTOR, NonZeroU64::MIN);
    let bell = reactor.open().unwrap();
    for _ in 0..1_000 {
        bell.wake_by_ref();
    }
    let is_rung = |reactor: &mut Reactor| {
        let mut asked = [PollFd::asking(reactor.table().bell.fd(), true, false)];
        sys::poll(&mut asked, Some(Duration::ZERO)).unwrap() == 1
    };
    let mut sleeps = 0;
    while is_rung(&mut reactor) {
        assert!(reactor.look(None).is_empty());
        sleeps += 1;
    }
    assert!((1..=1_000).contains(&sleeps));
    // Nobody listens any more, and ringing is no mistake.
    drop(reactor);
    bell.wake();
}

// Names of others.

#[test]
fn the_waker_is_kept_if_it_is_the_same() {
    let (mut reactor, woken) = (reactor(), Woken::default());
    let (here, _there) = pair();
    let waker = woken.waker(1);
    let mut entry = Some(reactor.enter(fd(&here), Direction::Read, waker.clone()));
    let (poll, unneeded) = reactor.poll(fd(&here), Direction::Read, &mut entry, waker.clone());
    assert!(poll.is_pending() && unneeded.unwrap().will_wake(&waker));
    drop(waker);
    assert_eq!(woken.alive(), 1);
}

#[test]
fn a_name_of_another_executor_is_left_alone_by_leave() {
    let (mut one, mut other) = (reactor(), reactor_of(EXECUTOR + 1));
    let woken = Woken::default();
    let (here, _there) = pair();
    let in_one = one.enter(fd(&here), Direction::Read, woken.waker(1));
    // The same key, so that only the executor tells them apart.
    let in_other = other.enter(fd(&here), Direction::Read, woken.waker(2));
    assert_eq!(in_one.key, in_other.key);
    assert!(matches!(one.leave(in_other), Err(Elsewhere)));
    assert!(matches!(other.leave(in_one), Err(Elsewhere)));
    assert!(one.any() && other.any());
    assert_eq!(woken.wake(one.leave(in_one).ok().flatten()), [1]);
    assert_eq!(woken.wake(other.leave(in_other).ok().flatten()), [2]);
}

#[test]
fn a_future_that_comes_from_another_executor_is_entered_here_and_taken_off_there_by_letter() {
    let registration = Registration::acquire();
    let (mut there, mut here) = (reactor_of(registration.executor), reactor());
    let woken = Woken::default();
    let (socket, _peer) = pair();
    let before = there.enter(fd(&socket), Direction::Read, woken.waker(1));
    let mut entry = Some(before);
    let (poll, unneeded) = here.poll(fd(&socket), Direction::Read, &mut entry, woken.waker(2));
    assert!(poll.is_pending() && unneeded.is_none());
    assert_eq!(entry.unwrap().executor, EXECUTOR);
    assert_eq!(registration.mailbox.empty(), [Letter::Leave(before.key)]);
    assert_eq!(woken.wake(there.release(before.key)), [1]);
    assert!(!there.any() && here.any());
    registration.release();
}

#[test]
fn names_of_an_executor_that_has_ended_are_stale_in_the_next_with_its_number() {
    let (mut ended, woken) = (reactor(), Woken::default());
    let (here, _there) = pair();
    let mut entry = Some(ended.enter(fd(&here), Direction::Read, woken.waker(1)));
    let left = ended.end();
    assert_eq!(woken.wake(left), [1]);
    let mut next = Reactor::new(EXECUTOR, ended.next_number());
    next.open().unwrap();
    let of_next = next.enter(fd(&here), Direction::Read, woken.waker(2));
    // It is in the same slot, and yet not found.
    assert_eq!(of_next.key.index, entry.unwrap().key.index);
    assert!(next.leave(entry.unwrap()).is_ok_and(|waker| waker.is_none()));
    let (poll, _unneeded) = next.poll(fd(&here), Direction::Read, &mut entry, woken.waker(3));
    assert!(poll.is_ready() && entry.is_none() && next.any());
}
