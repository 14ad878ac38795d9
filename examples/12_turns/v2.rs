//! v2 has the writers of v1, and a root that yields as they do. It was runnable before them, so it
//! begins each turn, and finds on the page what the turn before has written. Next: `v3.rs`.

use crate::Page;
use crate::writers::spawn_writers;
use handspun::task::yield_now;

pub async fn root(page: Page) {
    spawn_writers(&page);
    print_turns(page).await;
}

pub async fn print_turns(page: Page) {
    for turn in 1.. {
        yield_now().await; // the others have their turn
        let written = page.take();
        if written.is_empty() {
            break;
        }
        println!("  turn {turn}:{written}");
    }
}
