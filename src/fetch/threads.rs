//! The threads that requests run on, started with the first request.
//!
//! A run that finds everything in the cache starts none.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use super::error::FetchError;

/// The threads of one run; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Threads(Arc<OnceLock<Result<Running, FetchError>>>);

#[derive(Debug)]
struct Running {
    handle: Handle,
    /// Taken when the run ends.
    runtime: Mutex<Option<Runtime>>,
}

impl Threads {
    /// The runtime, started where it is not yet.
    ///
    /// # Errors
    ///
    /// [`FetchError::Setup`] where the machine gives no threads.
    pub fn handle(&self) -> Result<&Handle, FetchError> {
        let running = self.0.get_or_init(|| {
            let runtime = start()?;
            Ok(Running {
                handle: runtime.handle().clone(),
                runtime: Mutex::new(Some(runtime)),
            })
        });
        running
            .as_ref()
            .map(|running| &running.handle)
            .map_err(Clone::clone)
    }

    /// Whether something needed them so far.
    #[cfg(test)]
    pub(super) fn are_started(&self) -> bool {
        self.0.get().is_some()
    }

    /// Ends them. What was fetched on a guess and not needed is not waited for; what is being
    /// read or written only where somebody says how long.
    pub(super) fn end(&self, at_most: Option<Duration>) {
        if let Some(Ok(running)) = self.0.get()
            && let Some(runtime) = running
                .runtime
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
        {
            match at_most {
                Some(time) => runtime.shutdown_timeout(time),
                None => runtime.shutdown_background(),
            }
        }
    }
}

fn start() -> Result<Runtime, FetchError> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    Builder::new_multi_thread()
        .worker_threads(threads.min(4))
        // Pages are read here; more threads than processors would only take turns.
        .max_blocking_threads(threads.max(2))
        .thread_name("mlresolve-fetch")
        .enable_all()
        .build()
        .map_err(|error| FetchError::Setup(format!("no threads to fetch with: {error}")))
}
