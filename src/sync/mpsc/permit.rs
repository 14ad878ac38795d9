//! Room in a channel that was reserved, and will be filled or given back: see `mpsc/mod.rs`.

use super::Channel;
use super::bounded::Sender;
use std::fmt;
use std::iter::FusedIterator;
use std::mem;
use std::sync::Arc;

/// Room for one value. Made by [`Sender::reserve`]; dropping it gives the room back.
///
/// ```
/// # use handspun::sync::mpsc;
/// let (sender, mut receiver) = mpsc::channel(1);
/// sender.try_reserve().unwrap().send("a");
/// assert_eq!(receiver.try_recv(), Ok("a"));
/// drop(sender.try_reserve().unwrap());
/// assert_eq!(sender.capacity(), 1);
/// ```
#[must_use = "a permit that is dropped at once gives its room back at once"]
pub struct Permit<'a, T> {
    channel: &'a Channel<T>,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(channel: &'a Channel<T>) -> Permit<'a, T> {
        Permit { channel }
    }

    /// Sends a value, at once. If the receiver was dropped in the meantime, so is the value.
    pub fn send(self, value: T) {
        self.send_or_return(value);
    }

    /// Sends a value, or returns it if the receiver was dropped.
    pub(crate) fn send_or_return(self, value: T) -> Option<T> {
        let unsent = self.channel.fill(value);
        mem::forget(self);
        unsent
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.channel.give_back(1);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// Room for so many values, one [`Permit`] after the other. Made by [`Sender::reserve_many`];
/// dropping it gives back the rest.
///
/// ```
/// # use handspun::sync::mpsc;
/// let (sender, receiver) = mpsc::channel(3);
/// let permits = sender.try_reserve_many(3).unwrap();
/// for (permit, value) in permits.zip(["a", "b"]) {
///     permit.send(value);
/// }
/// assert_eq!((receiver.len(), sender.capacity()), (2, 1));
/// ```
#[must_use = "permits that are dropped at once give their room back at once"]
pub struct PermitIterator<'a, T> {
    channel: &'a Channel<T>,
    left: usize,
}

impl<'a, T> PermitIterator<'a, T> {
    pub(super) fn new(channel: &'a Channel<T>, left: usize) -> PermitIterator<'a, T> {
        PermitIterator { channel, left }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.left = self.left.checked_sub(1)?;
        Some(Permit::new(self.channel))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> Drop for PermitIterator<'_, T> {
    fn drop(&mut self) {
        if self.left > 0 {
            self.channel.give_back(self.left);
        }
    }
}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitIterator").field("left", &self.left).finish_non_exhaustive()
    }
}

/// Room for one value, together with the sender. Made by [`Sender::reserve_owned`]; dropping it
/// gives the room back and drops the sender.
///
/// ```
/// # use handspun::sync::mpsc;
/// handspun::block_on(async {
///     let (sender, mut receiver) = mpsc::channel(1);
///     let permit = sender.reserve_owned().await.unwrap();
///     let sender = permit.send("a");
///     assert_eq!(receiver.recv().await, Some("a"));
///     assert_eq!(sender.capacity(), 1);
/// });
/// ```
#[must_use = "a permit that is dropped at once gives its room back at once"]
pub struct OwnedPermit<T> {
    /// `None` only while it is being used up.
    sender: Option<Sender<T>>,
}

impl<T> OwnedPermit<T> {
    pub(super) fn new(sender: Sender<T>) -> OwnedPermit<T> {
        OwnedPermit {
            sender: Some(sender),
        }
    }

    /// Sends a value, at once, and gives the sender back. If the receiver was dropped in the
    /// meantime, so is the value.
    pub fn send(mut self, value: T) -> Sender<T> {
        let sender = self.sender.take().expect("a permit is used once");
        drop(sender.channel.fill(value));
        sender
    }

    /// Gives the room back, and the sender.
    pub fn release(mut self) -> Sender<T> {
        let sender = self.sender.take().expect("a permit is used once");
        sender.channel.give_back(1);
        sender
    }

    /// Whether both are for the same receiver.
    pub fn same_channel(&self, other: &OwnedPermit<T>) -> bool {
        other.sender.as_ref().is_some_and(|other| self.same_channel_as_sender(other))
    }

    /// Whether this and `sender` are for the same receiver.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        let own = self.sender.as_ref();
        own.is_some_and(|own| Arc::ptr_eq(&own.channel, &sender.channel))
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(sender) = &self.sender {
            sender.channel.give_back(1);
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").finish_non_exhaustive()
    }
}
