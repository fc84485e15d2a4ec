//! Work that would hold up the runtime, on threads of its own.

use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a mutex guards, also where a panic elsewhere left it poisoned: only for what is whole at
/// any moment.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does work that blocks or computes for long.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is shutting down, and nobody waits for this any more.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Counts work that nobody waits for, so that its end can be waited for after all.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    begun: Mutex<usize>,
    changed: Condvar,
}

/// One piece of work; its end is noted when this is dropped, even by a panic.
#[derive(Debug)]
pub(super) struct Working(Pending);

impl Pending {
    /// Notes that a piece of work begins.
    pub(super) fn begin(&self) -> Working {
        self.change(|count| *count += 1);
        Working(self.clone())
    }

    /// Waits until all work is done, but not longer than `limit`.
    pub(super) fn wait(&self, limit: Duration) {
        let count = lock(&self.0.begun);
        // A poisoned lock ends the wait as well as the end of the work does.
        drop(
            self.0
                .changed
                .wait_timeout_while(count, limit, |count| *count > 0),
        );
    }

    fn change(&self, change: impl FnOnce(&mut usize)) {
        change(&mut lock(&self.0.begun));
        self.0.changed.notify_all();
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.change(|count| *count = count.saturating_sub(1));
    }
}
