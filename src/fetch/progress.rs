//! Counters that the fetching side keeps and the terminal reads; nothing is printed here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What has been done so far. All counters only grow, but for those of [`Counts::waiting`].
#[derive(Debug, Default)]
pub struct Progress {
    requests: AtomicU64,
    retries: AtomicU64,
    bytes: AtomicU64,
    started: AtomicU64,
    finished: AtomicU64,
    resolved: AtomicU64,
    cache_hits: AtomicU64,
    parsed_pages: AtomicU64,
    waiting_for: Mutex<Option<String>>,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// HTTP requests that were sent, redirects and retries included.
    pub requests: u64,
    /// Requests that were sent again after a failure.
    pub retries: u64,
    /// Bytes of answers' bodies, after decompression.
    pub bytes: u64,
    /// Pages and metadata that are at hand.
    pub fetched: u64,
    /// Pages and metadata that were begun and are not yet at hand.
    pub waiting: u64,
    /// Pages and metadata that the solver has received.
    pub resolved: u64,
    /// Pages and metadata that the cache answered without a request.
    pub cache_hits: u64,
    /// Pages whose body had to be parsed.
    pub parsed_pages: u64,
}

impl Progress {
    /// The counters as they are now.
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // What is finished is read first, so that it never exceeds what was started.
        let finished = read(&self.finished);
        Counts {
            requests: read(&self.requests),
            retries: read(&self.retries),
            bytes: read(&self.bytes),
            fetched: finished,
            waiting: read(&self.started).saturating_sub(finished),
            resolved: read(&self.resolved),
            cache_hits: read(&self.cache_hits),
            parsed_pages: read(&self.parsed_pages),
        }
    }

    /// What the solver is waiting for, in a word or two.
    pub fn waiting_for(&self) -> Option<String> {
        self.waiting_for
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes what the solver is waiting for.
    pub fn set_waiting_for(&self, what: Option<String>) {
        *self
            .waiting_for
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = what;
    }

    /// A request goes out.
    pub fn sent_request(&self) {
        add(&self.requests, 1);
    }

    /// A request that failed is about to go out again.
    pub fn retried(&self) {
        add(&self.retries, 1);
    }

    /// So many bytes of a body came.
    pub fn received(&self, bytes: u64) {
        add(&self.bytes, bytes);
    }

    /// A page or metadata was begun.
    pub fn started(&self) {
        add(&self.started, 1);
    }

    /// A page or metadata that was begun is at hand, or failed.
    pub fn finished(&self) {
        add(&self.finished, 1);
    }

    /// The solver received a page or metadata.
    pub fn resolved(&self) {
        add(&self.resolved, 1);
    }

    /// The cache answered without a request.
    pub fn cache_hit(&self) {
        add(&self.cache_hits, 1);
    }

    /// A page's body was parsed.
    pub fn parsed_page(&self) {
        add(&self.parsed_pages, 1);
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
