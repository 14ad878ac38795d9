//! What `spawn_blocking` promises: closures that run elsewhere, and a handle like that of any task.
//!
//! Threads take as long as they like, so nothing here sleeps and hopes. A closure tells the test
//! that it has begun, and waits to be let go, over the standard library's channels. Where the order
//! is open, the test says what must hold either way.

mod support;

use handspun::executor::Executor;
use handspun::task::{Builder, JoinHandle, spawn_blocking, yield_now};
use handspun::time::{Duration, Instant, sleep, timeout};
use handspun::trace::Event;
use handspun::{block_on, spawn};
use std::future::pending;
use std::panic::{panic_any, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use support::{History, caught, panic_silently, paused};

/// As many closures as run at a time; see `spawn_blocking`.
const THREADS: usize = 512;

/// A closure that has begun and waits to be let go.
struct Held<T> {
    handle: JoinHandle<T>,
    let_go: Sender<()>,
}

/// Spawns a closure, and returns when it has begun. It goes on with `then` after it was let go.
///
/// This blocks the executor's thread, which a thread of the pool does not need.
fn begin_and_hold<T: Send + 'static>(then: impl FnOnce() -> T + Send + 'static) -> Held<T> {
    let (begun, has_begun) = channel();
    let (let_go, is_let_go) = channel();
    let handle = spawn_blocking(move || {
        begun.send(()).unwrap();
        wait_for(&is_let_go);
        then()
    });
    wait_for(&has_begun);
    Held { handle, let_go }
}

fn wait_for(receiver: &Receiver<()>) {
    receiver.recv().expect("the other end does its part");
}

impl<T> Held<T> {
    fn let_go(&self) {
        self.let_go.send(()).unwrap();
    }
}

/// As many closures as there can be threads, which all wait until the door is dropped. What is
/// spawned after them does not begin before that.
fn fill_the_pool() -> (Sender<()>, Vec<JoinHandle<()>>) {
    let (door, closed) = channel();
    let closed = Arc::new(Mutex::new(closed));
    let closures = (0..THREADS).map(|_| {
        let closed = closed.clone();
        spawn_blocking(move || assert!(closed.lock().unwrap().recv().is_err()))
    });
    (door, closures.collect())
}

async fn join_all(handles: Vec<JoinHandle<()>>) {
    for handle in handles {
        handle.await.unwrap();
    }
}

/// Counts its drops.
#[derive(Clone, Default)]
struct DropCount(Arc<AtomicUsize>);

struct CountedDrop(DropCount);

impl DropCount {
    fn value(&self) -> CountedDrop {
        CountedDrop(self.clone())
    }

    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Until another thread has come to it.
    fn wait_for(&self, count: usize) {
        while self.get() < count {
            thread::yield_now();
        }
        assert_eq!(self.get(), count);
    }
}

impl Drop for CountedDrop {
    fn drop(&mut self) {
        self.0.add();
    }
}

/// Counts its drops, and panics in each.
struct PanicsWhenDropped(DropCount);

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        self.0.add();
        panic_silently("a destructor that panics");
    }
}

// The result.

#[test]
fn a_closure_gives_its_value_and_runs_on_another_thread() {
    block_on(async {
        let (value, thread) = spawn_blocking(|| (7, thread::current().id())).await.unwrap();
        assert_eq!(value, 7);
        assert_ne!(thread, thread::current().id());
    });
}

#[test]
fn a_panic_of_the_closure_comes_out_of_its_handle() {
    block_on(async {
        let error = spawn_blocking(|| panic!("with a message")).await.unwrap_err();
        assert!(error.is_panic() && !error.is_cancelled());
        assert_eq!(error.to_string(), "task 1 panicked with message \"with a message\"");
        let error = spawn_blocking(|| panic_any(7_u32)).await.unwrap_err();
        assert_eq!(*error.into_panic().downcast::<u32>().unwrap(), 7);
        assert_eq!(spawn_blocking(|| "the next one").await.unwrap(), "the next one");
    });
}

#[test]
fn handles_may_be_awaited_in_any_order() {
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        block_on(async {
            let mut closures = [0, 1, 2].map(|n| begin_and_hold(move || n));
            // The one that is awaited last ends first.
            for place in order.into_iter().rev() {
                assert!(!closures[place].handle.is_finished());
                closures[place].let_go();
            }
            for place in order {
                assert_eq!((&mut closures[place].handle).await.unwrap(), place);
            }
        });
    }
}

#[test]
fn thousands_of_closures_all_complete() {
    block_on(async {
        let closures: Vec<_> = (0..5_000_u64).map(|n| spawn_blocking(move || n * n)).collect();
        for (n, closure) in closures.into_iter().enumerate().rev() {
            assert_eq!(closure.await.unwrap(), (n * n) as u64);
        }
    });
}

// At the same time.

#[test]
fn tasks_are_polled_while_a_closure_blocks() {
    block_on(async {
        let history = History::new();
        let closure = begin_and_hold(|| "closure");
        let task = spawn({
            let history = history.clone();
            async move {
                for round in 1..=3 {
                    history.push(round);
                    yield_now().await;
                }
                history.push("let go");
                closure.let_go();
                closure.handle.await.unwrap()
            }
        });
        history.push(task.await.unwrap());
        history.expect(["1", "2", "3", "let go", "closure"]);
    });
}

#[test]
fn closures_run_at_the_same_time() {
    block_on(async {
        // Some threads are idle from the round before, and half of what is needed is not there.
        for count in [2, 4, 8, 16, 32] {
            let all_are_here = Arc::new(Barrier::new(count));
            let closures = (0..count).map(|_| {
                let all_are_here = all_are_here.clone();
                spawn_blocking(move || {
                    all_are_here.wait();
                })
            });
            join_all(closures.collect()).await;
        }
    });
}

#[test]
fn a_closure_may_run_an_executor_of_its_own() {
    block_on(async {
        let outer = spawn_blocking(|| {
            block_on(async {
                let task = spawn(async { 1 });
                let inner =
                    spawn_blocking(|| block_on(async { spawn(async { 2 }).await.unwrap() }));
                task.await.unwrap() + inner.await.unwrap()
            })
        });
        assert_eq!(outer.await.unwrap(), 3);
    });
}

#[test]
fn the_closure_itself_is_outside_of_any_executor() {
    block_on(async {
        let error = spawn_blocking(|| drop(spawn(async {}))).await.unwrap_err();
        assert!(error.to_string().contains("spawn was called where no executor is running"));
    });
}

#[test]
fn the_513th_closure_waits_for_a_thread() {
    block_on(async {
        let (door, closures) = fill_the_pool();
        let (begun, has_begun) = channel();
        let waits = spawn_blocking(move || begun.send(()).unwrap());
        assert!(has_begun.recv_timeout(Duration::from_millis(20)).is_err());
        drop(door);
        waits.await.unwrap();
        wait_for(&has_begun);
        join_all(closures).await;
    });
}

// Abort.

#[test]
fn a_closure_that_was_aborted_before_it_began_never_runs() {
    block_on(async {
        let (door, closures) = fill_the_pool();
        let captured = DropCount::default();
        let captive = captured.value();
        let aborted: JoinHandle<()> = spawn_blocking(move || {
            let _captive = captive;
            unreachable!("it was aborted");
        });
        aborted.abort();
        assert_eq!(captured.get(), 0);
        let error = aborted.await.unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(captured.get(), 1);
        drop(door);
        join_all(closures).await;
        assert_eq!(captured.get(), 1);
    });
}

#[test]
fn an_abort_that_races_with_the_begin_either_prevents_the_closure_or_does_nothing() {
    block_on(async {
        for round in 0..300 {
            let (runs, captured) = (Arc::new(AtomicUsize::new(0)), DropCount::default());
            let (run, captive) = (runs.clone(), captured.value());
            let raced = spawn_blocking(move || {
                let _captive = captive;
                run.fetch_add(1, Ordering::SeqCst);
            });
            for _ in 0..round % 30 {
                std::hint::spin_loop();
            }
            raced.abort();
            match raced.await {
                Ok(()) => assert_eq!(runs.load(Ordering::SeqCst), 1),
                Err(error) => {
                    assert!(error.is_cancelled());
                    assert_eq!(Arc::strong_count(&runs), 1, "nobody is left who could run it");
                    assert_eq!(runs.load(Ordering::SeqCst), 0);
                }
            }
            assert_eq!(captured.get(), 1);
        }
    });
}

#[test]
fn a_closure_that_was_aborted_after_it_began_gives_its_value() {
    block_on(async {
        let mut closure = begin_and_hold(|| "value");
        closure.handle.abort();
        closure.handle.abort_handle().abort();
        for _ in 0..10 {
            yield_now().await;
        }
        closure.handle.abort();
        assert!(!closure.handle.is_finished());
        closure.let_go();
        assert_eq!((&mut closure.handle).await.unwrap(), "value");
        closure.handle.abort();
    });
}

#[test]
fn a_closure_that_was_aborted_after_it_began_still_gives_its_panic() {
    block_on(async {
        let closure = begin_and_hold::<()>(|| panic_any("a payload"));
        closure.handle.abort();
        yield_now().await;
        closure.let_go();
        let error = closure.handle.await.unwrap_err();
        assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "a payload");
    });
}

// Time.

#[test]
fn a_paused_clock_does_not_jump_while_a_closure_is_out() {
    for detached in [false, true] {
        paused(async {
            let start = Instant::now();
            let (woke, has_woken) = channel();
            let sleeper = spawn(async move {
                sleep(Duration::from_secs(1)).await;
                let _ = woke.send(());
                start.elapsed()
            });
            // On a clock that jumps, the sleeper would wake at once.
            let (ended, has_ended) = channel();
            let closure = spawn_blocking(move || {
                let woken = has_woken.recv_timeout(Duration::from_millis(5)).is_ok();
                ended.send(woken).unwrap();
            });
            if detached {
                drop(closure);
            } else {
                timeout(Duration::from_micros(1), closure).await.unwrap().unwrap();
                assert_eq!(start.elapsed(), Duration::ZERO);
            }
            assert_eq!(sleeper.await.unwrap(), Duration::from_secs(1));
            assert_eq!(has_ended.recv(), Ok(false));
        });
    }
}

#[test]
fn a_paused_clock_goes_on_when_the_closure_that_was_out_is_aborted() {
    let other = Executor::new();
    let (door, closures) = other.block_on(async { fill_the_pool() });
    paused(async {
        let start = Instant::now();
        let waits = spawn_blocking(|| ());
        waits.abort();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    });
    drop(door);
    other.block_on(join_all(closures));
}

#[test]
fn an_executor_does_not_stall_while_a_closure_is_out_and_does_when_it_has_ended() {
    let ended = AtomicUsize::new(0);
    let message = caught(|| {
        paused(async {
            // An executor that stalls would do so at once.
            let (_never_sends, receiver) = channel::<()>();
            let wait = move || receiver.recv_timeout(Duration::from_millis(5)).is_err();
            assert!(spawn_blocking(wait).await.unwrap());
            ended.fetch_add(1, Ordering::SeqCst);
            pending::<()>().await;
        })
    })
    .unwrap_err();
    assert!(message.starts_with("the executor has stalled"), "{message}");
    assert_eq!(ended.into_inner(), 1);
}

// The end of the executor.

#[test]
fn dropping_the_executor_does_not_wait_for_a_closure_that_has_begun() {
    let executor = Executor::new();
    let results = DropCount::default();
    let result = results.value();
    let Held { handle, let_go } = executor.block_on(async { begin_and_hold(|| result) });
    drop(executor);
    assert!(block_on(handle).map(|_| ()).unwrap_err().is_cancelled());
    assert_eq!(results.get(), 0);
    let_go.send(()).unwrap();
    results.wait_for(1);
}

#[test]
fn block_on_does_not_wait_for_a_closure_that_has_begun() {
    let (ended, has_ended) = channel();
    let closure = block_on(async { begin_and_hold(move || ended.send("ran to its end").unwrap()) });
    assert!(has_ended.try_recv().is_err());
    closure.let_go();
    assert_eq!(has_ended.recv(), Ok("ran to its end"));
}

#[test]
fn a_closure_that_had_not_begun_never_runs_after_its_executor_is_gone() {
    let other = Executor::new();
    let (door, closures) = other.block_on(async { fill_the_pool() });
    let captured = DropCount::default();
    let captive = captured.value();
    let mut handle = None;
    block_on(async {
        handle = Some(spawn_blocking::<_, ()>(move || {
            let _captive = captive;
            unreachable!("its executor is gone");
        }));
    });
    assert_eq!(captured.get(), 1);
    drop(door);
    other.block_on(join_all(closures));
    assert!(block_on(handle.unwrap()).unwrap_err().is_cancelled());
    assert_eq!(captured.get(), 1);
}

#[test]
fn a_closure_spawned_at_shutdown_that_had_not_begun_never_runs() {
    struct SpawnsWhenDropped(Option<CountedDrop>);

    impl Drop for SpawnsWhenDropped {
        fn drop(&mut self) {
            let captive = self.0.take();
            drop(spawn_blocking(move || {
                let _captive = captive;
                unreachable!("its executor is shutting down");
            }));
        }
    }

    let other = Executor::new();
    let (door, closures) = other.block_on(async { fill_the_pool() });
    let captured = DropCount::default();
    let spawner = SpawnsWhenDropped(Some(captured.value()));
    block_on(async {
        spawn(async move {
            let _spawner = spawner;
            pending::<()>().await;
        });
        yield_now().await;
    });
    assert_eq!(captured.get(), 1);
    drop(door);
    other.block_on(join_all(closures));
}

#[test]
fn where_no_executor_is_running_spawn_blocking_panics_and_drops_the_closure() {
    let captured = DropCount::default();
    let captive = captured.value();
    let message = caught(|| drop(spawn_blocking(move || drop(captive)))).unwrap_err();
    assert_eq!(
        message,
        "spawn_blocking was called where no executor is running: call it inside a future that \
         `handspun::block_on` runs"
    );
    assert_eq!(captured.get(), 1);
}

// Destructors.

#[test]
fn what_a_closure_has_captured_is_dropped_once_before_its_handle_is_ready() {
    block_on(async {
        let captured = DropCount::default();
        let captive = captured.value();
        spawn_blocking(move || drop(captive)).await.unwrap();
        assert_eq!(captured.get(), 1);
        let captive = captured.value();
        let panics = spawn_blocking(move || {
            let _captive = captive;
            panic!("with a captive");
        });
        panics.await.unwrap_err();
        assert_eq!(captured.get(), 2);
    });
}

#[test]
fn a_result_is_dropped_once_whoever_waits_for_it() {
    let results = DropCount::default();
    let begin_and_hold_result = || {
        let result = results.value();
        begin_and_hold(|| result)
    };
    block_on(async {
        let awaited = begin_and_hold_result();
        awaited.let_go();
        let value = awaited.handle.await.unwrap();
        assert_eq!(results.get(), 0);
        drop(value);
        assert_eq!(results.get(), 1);

        let detached = begin_and_hold_result();
        detached.handle.abort();
        drop(detached.handle);
        detached.let_go.send(()).unwrap();
        while results.get() < 2 {
            yield_now().await;
        }

        let detached_when_over = begin_and_hold_result();
        detached_when_over.let_go();
        while !detached_when_over.handle.is_finished() {
            yield_now().await;
        }
        assert_eq!(results.get(), 2);
        drop(detached_when_over);
        assert_eq!(results.get(), 3);
    });
    assert_eq!(results.get(), 3);
}

#[test]
fn destructors_that_panic_on_a_thread_of_the_pool_harm_nobody() {
    let drops = DropCount::default();
    // If each cost the pool a thread, none would be left.
    for _ in 0..THREADS {
        let results = [Ok(drops.clone()), Err(drops.clone())];
        let closures = block_on(async {
            results.map(|result| {
                begin_and_hold(move || match result {
                    Ok(value) => PanicsWhenDropped(value),
                    Err(payload) => resume_unwind(Box::new(PanicsWhenDropped(payload))),
                })
            })
        });
        for Held { handle, let_go } in closures {
            drop(handle);
            let_go.send(()).unwrap();
        }
    }
    drops.wait_for(2 * THREADS);
    block_on(async {
        for n in 0..20 {
            assert_eq!(spawn_blocking(move || n).await.unwrap(), n);
        }
    });
}

#[test]
fn a_captured_destructor_that_panics_harms_nobody_when_the_closure_is_aborted() {
    block_on(async {
        let drops = DropCount::default();
        let (door, closures) = fill_the_pool();
        let captive = PanicsWhenDropped(drops.clone());
        let aborted = spawn_blocking(move || drop(captive));
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        assert_eq!(drops.get(), 1);
        drop(door);
        join_all(closures).await;
    });
}

#[test]
fn a_task_that_waits_for_a_closure_can_have_a_name() {
    let executor = Executor::builder().record(100).build();
    executor.block_on(async {
        let named = Builder::new().name("reads the file").spawn_blocking(|| 7);
        assert_eq!(named.await.unwrap(), 7);
    });
    let trace = executor.into_trace();
    let names = trace.records().iter().filter_map(|record| match &record.event {
        Event::Spawned { name, .. } => name.as_deref(),
        _ => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), ["reads the file"]);
}
