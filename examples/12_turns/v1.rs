//! v1: the root waits until all writers are over, and prints the whole line. Next: `v2.rs`.

use crate::Page;
use crate::writers::spawn_writers;

pub async fn root(page: Page) {
    for writer in spawn_writers(&page) {
        writer.await.unwrap();
    }
    println!(" {}", page.take());
}
