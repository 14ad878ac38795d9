//! The notes that a thread takes of the values it has locked.

use super::*;
use crate::panics::catch;
use std::panic::resume_unwind;
use std::thread;

/// How many values this thread has locked, by its notes.
fn notes() -> usize {
    NOTES.with_borrow(Vec::len)
}

fn is_noted<T>(sender: &Sender<T>) -> bool {
    Note::taken_at(ptr::from_ref(&*sender.channel).addr()).is_some()
}

#[test]
fn a_note_is_crossed_out_with_its_ref_in_any_order() {
    let (a, b) = (Sender::new(1), Sender::new(2));
    let refs = (a.borrow(), b.borrow(), a.borrow());
    assert_eq!((notes(), is_noted(&a), is_noted(&b)), (3, true, true));
    drop(refs.0);
    assert_eq!((notes(), is_noted(&a), is_noted(&b)), (2, true, true));
    drop(refs.1);
    assert_eq!((notes(), is_noted(&a), is_noted(&b)), (1, true, false));
    drop(refs.2);
    assert_eq!((notes(), is_noted(&a), is_noted(&b)), (0, false, false));
}

#[test]
fn a_note_is_crossed_out_when_a_closure_is_done_or_panics() {
    let sender = Sender::new(1);
    sender.send_modify(|_| assert_eq!(notes(), 1));
    assert_eq!(notes(), 0);
    assert!(!sender.send_if_modified(|_| false));
    assert_eq!(notes(), 0);
    assert!(catch(|| sender.send_modify(|_| resume_unwind(Box::new("expected")))).is_err());
    assert_eq!(notes(), 0);
}

#[test]
fn a_thread_does_not_see_the_notes_of_others() {
    let sender = Sender::new(1);
    let held = sender.borrow();
    thread::scope(|scope| {
        let other = scope.spawn(|| (notes(), is_noted(&sender), *sender.borrow()));
        assert_eq!(other.join().unwrap(), (0, false, 1));
    });
    drop(held);
}
