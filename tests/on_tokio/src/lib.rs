//! A crate called `handspun` that is tokio, so that the examples can be run on it unchanged.
//!
//! Names and semantics are the same, so most of this file says `pub use`. What is not: how an
//! executor is made; that a spawned future need not be `Send`, for which tokio has a `LocalSet`;
//! named tasks; and a few futures that tokio leaves to other crates.

pub use tokio::task::spawn_local as spawn;
pub use tokio::{join, pin, select, try_join};
pub use tokio::{net, time};

/// `Executor::new().block_on(future)`, as handspun has it.
pub fn block_on<F: Future>(future: F) -> F::Output {
    executor::Executor::new().block_on(future)
}

pub mod executor {
    use tokio::runtime;
    use tokio::task::{JoinHandle, LocalSet};

    pub struct Executor {
        // Fields are dropped in this order, and tasks need their runtime.
        tasks: LocalSet,
        runtime: runtime::Runtime,
    }

    #[derive(Clone, Default)]
    pub struct Builder {
        start_paused: bool,
    }

    impl Executor {
        pub fn new() -> Executor {
            Builder::default().build()
        }

        pub fn builder() -> Builder {
            Builder::default()
        }

        pub fn block_on<F: Future>(&self, future: F) -> F::Output {
            self.tasks.block_on(&self.runtime, future)
        }

        pub fn spawn<F: Future + 'static>(&self, future: F) -> JoinHandle<F::Output> {
            let _inside = self.runtime.enter();
            self.tasks.spawn_local(future)
        }
    }

    impl Default for Executor {
        fn default() -> Executor {
            Executor::new()
        }
    }

    impl Builder {
        pub fn start_paused(mut self, start_paused: bool) -> Builder {
            self.start_paused = start_paused;
            self
        }

        /// tokio hangs.
        pub fn panic_on_stall(self, _: bool) -> Builder {
            self
        }

        /// tokio has one where it is compiled with `tokio_unstable`.
        pub fn seed(self, _: u64) -> Builder {
            self
        }

        pub fn build(self) -> Executor {
            let mut builder = runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().start_paused(self.start_paused).build();
            Executor {
                tasks: LocalSet::new(),
                runtime: runtime.expect("a runtime"),
            }
        }
    }
}

pub mod task {
    use std::ops::{Deref, DerefMut};
    pub use tokio::task::{
        AbortHandle, Id, JoinError, JoinHandle, id, spawn_blocking, spawn_local as spawn, try_id,
        yield_now,
    };

    /// Names of tasks need `tokio_unstable`.
    #[derive(Default)]
    pub struct Builder;

    impl Builder {
        pub fn new() -> Builder {
            Builder
        }

        pub fn name(self, _: impl Into<String>) -> Builder {
            self
        }

        pub fn spawn<F: Future + 'static>(self, future: F) -> JoinHandle<F::Output> {
            spawn(future)
        }

        pub fn spawn_blocking<F, T>(self, closure: F) -> JoinHandle<T>
        where
            F: FnOnce() -> T + Send + 'static,
            T: Send + 'static,
        {
            spawn_blocking(closure)
        }
    }

    /// tokio's, whose `spawn` is `spawn_local`.
    pub struct JoinSet<T>(tokio::task::JoinSet<T>);

    impl<T: 'static> JoinSet<T> {
        pub fn new() -> JoinSet<T> {
            JoinSet(tokio::task::JoinSet::new())
        }

        pub fn spawn<F: Future<Output = T> + 'static>(&mut self, future: F) -> AbortHandle {
            self.0.spawn_local(future)
        }

        pub async fn join_all(self) -> Vec<T> {
            self.0.join_all().await
        }

        pub fn build_task(&mut self) -> SetBuilder<'_, T> {
            SetBuilder(self)
        }
    }

    pub struct SetBuilder<'a, T>(&'a mut JoinSet<T>);

    impl<T: 'static> SetBuilder<'_, T> {
        pub fn name(self, _: impl Into<String>) -> Self {
            self
        }

        pub fn spawn<F: Future<Output = T> + 'static>(self, future: F) -> AbortHandle {
            self.0.spawn(future)
        }
    }

    impl<T: 'static> Default for JoinSet<T> {
        fn default() -> JoinSet<T> {
            JoinSet::new()
        }
    }

    impl<T> Deref for JoinSet<T> {
        type Target = tokio::task::JoinSet<T>;

        fn deref(&self) -> &Self::Target {
            &self.0
        }
    }

    impl<T> DerefMut for JoinSet<T> {
        fn deref_mut(&mut self) -> &mut Self::Target {
            &mut self.0
        }
    }
}

pub mod sync {
    pub use tokio::sync::*;
    pub use tokio_util::sync::{CancellationToken, DropGuard};
}

pub mod future {
    pub use futures_util::future::{
        Either, JoinAll, TryJoinAll, join, join_all, join3, try_join, try_join_all,
    };
}

/// Nothing is recorded or drawn.
pub mod trace {
    pub fn mark(_: &str) {}

    pub fn value(_: &str, _: impl TryInto<i64>) {}

    pub struct Format;

    impl std::str::FromStr for Format {
        type Err = &'static str;

        fn from_str(_: &str) -> Result<Format, &'static str> {
            Err("tokio draws nothing")
        }
    }
}
