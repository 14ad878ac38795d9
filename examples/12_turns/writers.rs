//! Three tasks that write letters on a page, and a fourth that the second of them spawns. Each
//! yields between two letters. Next: `v1.rs`.

use crate::{Page, spawn};
use handspun::task::{JoinHandle, yield_now};

pub fn spawn_writers(page: &Page) -> [JoinHandle<()>; 3] {
    let b = {
        let page = page.clone();
        async move {
            write(page.clone(), " b", 2).await;
            spawn("d", write(page, " d", 3)).await.unwrap();
        }
    };
    [
        spawn("a", write(page.clone(), " a", 4)),
        spawn("b", b),
        spawn("c", write(page.clone(), " c", 3)),
    ]
}

async fn write(page: Page, letter: &str, times: usize) {
    for time in 1..=times {
        page.borrow_mut().push_str(letter);
        if time < times {
            yield_now().await;
        }
    }
}
