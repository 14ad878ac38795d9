//! Who is in which room, and what is said there.
//!
//! A room is a `broadcast` channel: saying something never waits, and who is more than
//! [`REMEMBERED`] posts behind misses the oldest, and is told how many. That is what keeps one slow
//! client from holding up a room, or filling the memory.
//!
//! Nothing is awaited in here, so no borrow lasts over an `.await`, and no other task can see
//! anything half done.

use crate::ear::{Ear, Post};
use handspun::sync::CancellationToken;
use handspun::sync::broadcast;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// How many posts a room keeps for those who have not heard them yet. A client's socket may have to
/// wait for the next look at all of them, while another client pastes a page.
pub const REMEMBERED: usize = 128;

/// How many names are told to who asks.
const MOST_NAMES: usize = 50;
/// In characters.
const LONGEST_NAME: usize = 16;

#[derive(Default)]
pub struct Chat {
    /// Who is here, and in which room.
    members: RefCell<BTreeMap<Rc<str>, Rc<str>>>,
    /// Those with somebody in them.
    rooms: RefCell<HashMap<Rc<str>, broadcast::Sender<Post>>>,
    /// All are leaving: nobody needs to be told who does.
    closes: CancellationToken,
}

/// Somebody in a room. Dropped, wherever that happens, he has left.
pub struct Member {
    chat: Rc<Chat>,
    name: Rc<str>,
}

impl Chat {
    pub fn new(closes: CancellationToken) -> Chat {
        Chat {
            closes,
            ..Chat::default()
        }
    }

    /// Lets somebody in, unless there is something wrong with the name.
    pub fn enter(self: &Rc<Chat>, name: &str, room: &str) -> Result<(Member, Ear), &'static str> {
        check(name)?;
        if self.members.borrow().contains_key(name) {
            return Err("that name is taken");
        }
        let name: Rc<str> = name.into();
        let ear = self.go(name.clone(), room);
        let chat = self.clone();
        Ok((Member { chat, name }, ear))
    }

    /// How many posts a room keeps at the moment.
    pub fn backlog(&self, room: &str) -> usize {
        self.rooms.borrow().get(room).map_or(0, broadcast::Sender::len)
    }

    fn go(&self, name: Rc<str>, room: &str) -> Ear {
        let room: Rc<str> = room.into();
        let mut rooms = self.rooms.borrow_mut();
        let sender =
            rooms.entry(room.clone()).or_insert_with(|| broadcast::Sender::new(REMEMBERED));
        let posts = sender.subscribe();
        self.members.borrow_mut().insert(name.clone(), room);
        drop(rooms);
        self.post(&name, format!("* {name} is here\n"));
        Ear::new(name, posts)
    }

    fn leave(&self, name: &Rc<str>) {
        if !self.closes.is_cancelled() {
            self.post(name, format!("* {name} has left\n"));
        }
        let Some(room) = self.members.borrow_mut().remove(name) else {
            return;
        };
        if !self.members.borrow().values().any(|other| *other == room) {
            self.rooms.borrow_mut().remove(&room);
        }
    }

    fn post(&self, by: &Rc<str>, line: String) {
        let (members, rooms) = (self.members.borrow(), self.rooms.borrow());
        let room = members.get(by).and_then(|room| rooms.get(room));
        let post = Post {
            by: by.clone(),
            line: line.into(),
        };
        // It is an error to be alone, but none of ours.
        let _ = room.map(|room| room.send(post));
    }
}

impl Member {
    pub fn say(&self, text: &str) {
        self.chat.post(&self.name, format!("{}: {text}\n", self.name));
    }

    /// Goes to another room, or stays if there is something wrong with its name.
    pub fn join(&self, room: &str) -> Result<Ear, &'static str> {
        check(room)?;
        self.chat.leave(&self.name);
        Ok(self.chat.go(self.name.clone(), room))
    }

    /// The room, and who is in it, as far as they fit into a line.
    pub fn who(&self) -> String {
        let members = self.chat.members.borrow();
        let room = &members[&self.name];
        let here = members.iter().filter(|(_, other)| *other == room);
        let mut names: Vec<&str> = here.map(|(name, _)| &**name).collect();
        let left_out = names.len().saturating_sub(MOST_NAMES);
        names.truncate(MOST_NAMES);
        let names = names.join(", ");
        match left_out {
            0 => format!("in {room}: {names}"),
            more => format!("in {room}: {names} and {more} more"),
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.chat.leave(&self.name);
    }
}

/// Names are for people and for rooms.
fn check(name: &str) -> Result<(), &'static str> {
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
    match fits && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_') {
        true => Ok(()),
        false => Err("a name has 1 to 16 letters and digits"),
    }
}
