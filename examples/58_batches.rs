//! Ten fetches, three at a time: in batches, or with three permits.
//!
//! v1 sends all ten at once, which is quick, and more than the server likes. v2 makes batches of
//! three, so there are four of them. But a batch is over when its slowest is over, and until then
//! the places of the others stay empty. v3 has three permits: whenever a fetch is done the next one
//! begins, so there are three under way as long as there is work for three.
//!
//! Predict before you run: every third fetch takes 300 ms, the others 100 ms. How long does each
//! version take?
//!
//! Run: `cargo run --example 58_batches`, one version of it with `-- v1`, and with `-- --real` to
//! wait. Next: `60_count_files`.

mod support;

use handspun::executor::Executor;
use handspun::future::join_all;
use handspun::sync::Semaphore;
use handspun::time::{Duration, Instant, sleep};
use std::cell::Cell;
use support::say;

/// Counts how many are being fetched from it at a time.
#[derive(Default)]
struct Server {
    now: Cell<u32>,
    peak: Cell<u32>,
}

impl Server {
    async fn fetch(&self, page: u64) {
        self.now.set(self.now.get() + 1);
        self.peak.set(self.peak.get().max(self.now.get()));
        let slow = page.is_multiple_of(3);
        sleep(Duration::from_millis(if slow { 300 } else { 100 })).await;
        self.now.set(self.now.get() - 1);
    }
}

async fn v1(server: &Server, pages: &[u64]) {
    join_all(pages.iter().map(|&page| server.fetch(page))).await;
}

async fn v2(server: &Server, pages: &[u64]) {
    for batch in pages.chunks(3) {
        join_all(batch.iter().map(|&page| server.fetch(page))).await;
    }
}

async fn v3(server: &Server, pages: &[u64]) {
    let semaphore = Semaphore::new(3);
    let fetch = async |&page| {
        let _permit = semaphore.acquire().await.expect("nobody closes it");
        server.fetch(page).await;
    };
    join_all(pages.iter().map(fetch)).await;
}

async fn measure(version: &str, fetch_all: impl AsyncFn(&Server, &[u64])) {
    let pages: Vec<u64> = (1..=10).collect();
    let server = Server::default();
    let start = Instant::now();
    fetch_all(&server, &pages).await;
    say(start, format_args!("{version:<20}at most {:2} at a time", server.peak.get()));
}

fn main() {
    let (asked_for, real) = support::stages_and_clock(3);
    let executor = Executor::builder().start_paused(!real).panic_on_stall(!real).build();
    executor.block_on(async {
        if asked_for(1) {
            measure("v1, all at once", v1).await;
        }
        if asked_for(2) {
            measure("v2, four batches", v2).await;
        }
        if asked_for(3) {
            measure("v3, three permits", v3).await;
        }
    });
}
