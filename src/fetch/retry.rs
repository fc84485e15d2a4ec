//! When and after what time a request is tried again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

/// How often a failed request is tried again, and after what time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often, after the first attempt.
    pub retries: u32,
    /// The wait before the first retry; it doubles with each.
    pub base: Duration,
    /// The longest wait that is ours.
    pub cap: Duration,
    /// The longest wait that a server's `Retry-After` is granted; a longer one is not
    /// waited for at all.
    pub retry_after_cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 3,
            base: Duration::from_millis(300),
            cap: Duration::from_secs(8),
            retry_after_cap: Duration::from_mins(1),
        }
    }
}

impl RetryPolicy {
    /// As many retries as by default, without waiting; for tests.
    pub fn immediate() -> Self {
        Self {
            base: Duration::ZERO,
            cap: Duration::ZERO,
            ..Self::default()
        }
    }

    /// The wait before the next attempt; `None` where there shall be none.
    ///
    /// `attempts` were made. Without a `retry_after` the wait is drawn from the upper
    /// half of the exponential back-off, so that clients that failed together do not
    /// come back together.
    pub fn wait(&self, attempts: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if attempts > self.retries {
            return None;
        }
        if let Some(asked) = retry_after {
            return (asked <= self.retry_after_cap).then_some(asked);
        }
        let doublings = attempts.saturating_sub(1).min(16);
        let full = self.base.saturating_mul(1 << doublings).min(self.cap);
        let half = full / 2;
        Some(half + half.mul_f64(random_fraction()))
    }
}

/// Whether the status means that the same request may succeed later.
pub fn is_transient(status: u16) -> bool {
    // 520 to 527 are what content delivery networks say when the origin fails them.
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504 | 520..=527)
}

/// The wait that a `Retry-After` asks for (RFC 9110, 10.2.3): seconds, or a date.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    let now = jiff::Timestamp::try_from(now).ok()?;
    let wait = date.timestamp().duration_since(now);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

/// A number in `0.0..1.0`. `RandomState` is keyed at random for each thread and differs
/// with each use, which is all that jitter needs.
fn random_fraction() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    f64::from((bits >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> RetryPolicy {
        RetryPolicy {
            retries: 4,
            base: Duration::from_millis(100),
            cap: Duration::from_millis(500),
            retry_after_cap: Duration::from_secs(5),
        }
    }

    #[test]
    fn the_wait_doubles_up_to_the_cap_and_ends() {
        for (attempts, low, high) in [(1, 50, 100), (2, 100, 200), (3, 200, 400), (4, 250, 500)] {
            let wait = policy().wait(attempts, None).expect("a retry is left");
            let bounds = Duration::from_millis(low)..=Duration::from_millis(high);
            assert!(bounds.contains(&wait), "{attempts}: {wait:?}");
        }
        assert_eq!(policy().wait(5, None), None);
    }

    #[test]
    fn retry_after_is_honoured_within_bounds() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(policy().wait(1, seconds(5)), seconds(5));
        assert_eq!(policy().wait(1, seconds(6)), None);
        assert_eq!(policy().wait(5, seconds(1)), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_mins(2)));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(retry_after(date, now), Some(Duration::from_secs(7)));
        let later = now + Duration::from_mins(1);
        assert_eq!(retry_after(date, later), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
