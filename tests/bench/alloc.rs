//! An allocator that counts, for the rows that tell how much memory a task takes.
//!
//! Counting is switched on for the length of a measurement. Switched off it costs each allocation
//! the load of a flag, which the other rows do not notice.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

#[global_allocator]
static ALLOCATOR: Counting = Counting {
    on: AtomicBool::new(false),
    bytes: AtomicI64::new(0),
};

/// Begins to count.
pub fn start() {
    ALLOCATOR.bytes.store(0, Relaxed);
    ALLOCATOR.on.store(true, Relaxed);
}

/// Ends it: how many bytes were asked for since, less those that were given back.
pub fn stop() -> i64 {
    ALLOCATOR.on.store(false, Relaxed);
    ALLOCATOR.bytes.load(Relaxed)
}

/// The system's allocator, and how many bytes are out.
struct Counting {
    on: AtomicBool,
    bytes: AtomicI64,
}

impl Counting {
    fn note(&self, asked: usize, given_back: usize) {
        if self.on.load(Relaxed) {
            self.bytes.fetch_add(asked as i64 - given_back as i64, Relaxed);
        }
    }
}

// SAFETY: every call goes on to the system's allocator as it came, and so does the answer. The
// caller keeps that allocator's contract by keeping this one's, and `note` does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.note(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.note(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.note(new_size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(old, layout, new_size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        self.note(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}
