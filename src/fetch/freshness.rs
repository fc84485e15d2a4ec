//! How long what an index said may be taken for what it says.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use pep508_rs::PackageName;
use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};
use serde::{Deserialize, Serialize};

use super::client::header;

/// How long an answer is fresh where its index does not say.
const UNSAID: Duration = Duration::from_mins(10);

/// Which fresh answers are asked for again all the same (`--refresh`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Refresh {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// Those about these distributions.
    Names(BTreeSet<PackageName>),
}

impl Refresh {
    /// Whether answers about the distribution are asked for again.
    pub fn covers(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Names(names) => names.iter().any(|covered| covered.as_ref() == name),
        }
    }
}

/// When an answer came and how long it is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// When it came, in seconds since 1970.
    came: u64,
    /// How long it is fresh, in seconds.
    lasts: u64,
}

impl Freshness {
    /// That of an answer that comes now with these headers; `None` where it may not be kept
    /// (RFC 9111, for a private cache).
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lasts = UNSAID.as_secs();
        let directives = header(headers, &CACHE_CONTROL).unwrap_or_default();
        for directive in directives.split(',') {
            let directive = directive.trim().to_ascii_lowercase();
            if directive == "no-store" {
                return None;
            }
            if directive == "no-cache" {
                lasts = 0;
                break;
            }
            if let Some(seconds) = directive.strip_prefix("max-age=") {
                let age: u64 = header(headers, &AGE)
                    .and_then(|age| age.parse().ok())
                    .unwrap_or(0);
                // A malformed age is that of a stale answer.
                let seconds: u64 = seconds.trim_matches('"').parse().unwrap_or(0);
                lasts = seconds.saturating_sub(age);
            }
        }
        Some(Self { came: now(), lasts })
    }

    /// That of an answer about which nothing is said.
    pub fn unsaid() -> Self {
        Self {
            came: now(),
            lasts: UNSAID.as_secs(),
        }
    }

    /// Whether it is still fresh. What comes from the future is not: a clock was wrong.
    pub fn is_fresh(self) -> bool {
        now()
            .checked_sub(self.came)
            .is_some_and(|age| age < self.lasts)
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasts(headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                let name = name.parse().expect("a header's name");
                (name, value.parse().expect("a header's value"))
            })
            .collect();
        Freshness::of(&headers).map(|freshness| freshness.lasts)
    }

    #[test]
    fn what_the_index_says_counts() {
        assert_eq!(lasts(&[]), Some(600));
        assert_eq!(lasts(&[("cache-control", "max-age=60, public")]), Some(60));
        assert_eq!(
            lasts(&[("cache-control", "max-age=60"), ("age", "50")]),
            Some(10)
        );
        assert_eq!(
            lasts(&[("cache-control", "max-age=60"), ("age", "90")]),
            Some(0)
        );
        assert_eq!(lasts(&[("cache-control", "max-age=60, no-cache")]), Some(0));
        assert_eq!(lasts(&[("cache-control", "max-age=soon")]), Some(0));
        assert_eq!(lasts(&[("cache-control", "private, no-store")]), None);
    }

    #[test]
    fn an_answer_from_the_future_is_stale() {
        let fresh = Freshness::unsaid();
        assert!(fresh.is_fresh());
        assert!(
            !Freshness {
                came: fresh.came + 1000,
                ..fresh
            }
            .is_fresh()
        );
        assert!(
            !Freshness {
                came: fresh.came - 600,
                ..fresh
            }
            .is_fresh()
        );
        assert!(!Freshness { lasts: 0, ..fresh }.is_fresh());
    }
}
