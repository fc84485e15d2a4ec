//! What the cache keeps of the answer to the question for a page.

use std::sync::Arc;

use pep508_rs::PackageName;
use reqwest::header::{ETAG, HeaderName, LAST_MODIFIED};
use serde::{Deserialize, Serialize};
use url::Url;

use super::cache::{PartedRecord, Parts, State};
use super::client::Answer;
use super::freshness::Freshness;
use crate::metadata::{Files, Page};

/// What is kept about an answer, beside the page that was read from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageRecord {
    /// The page's address, without credentials.
    pub(super) url: String,
    pub(super) freshness: Freshness,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    /// The sha256 of the body as it came, compressed or not: a page that came in the same bytes is
    /// the same, and one that was compressed otherwise is merely read again. `None` where the index
    /// has no such page.
    pub(super) body: Option<[u8; 32]>,
}

/// A record of the cache: what is said of the page, and the page, where the index has it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) about: PageRecord,
    pub(super) page: Option<Arc<Page>>,
    /// What tells its file from others.
    pub(super) state: State,
}

impl PageRecord {
    /// That of an answer that just came.
    pub(super) fn of(url: &Url, answer: &Answer) -> Self {
        let header = |name: &HeaderName| answer.header(name).map(str::to_owned);
        Self {
            url: url.as_str().to_owned(),
            freshness: Freshness::of(&answer.headers).unwrap_or_else(Freshness::unsaid),
            etag: header(&ETAG),
            last_modified: header(&LAST_MODIFIED),
            body: None,
        }
    }

    /// That of the answer that there is no such page.
    pub(super) fn missing(url: &Url) -> Self {
        Self {
            url: url.as_str().to_owned(),
            freshness: Freshness::unsaid(),
            etag: None,
            last_modified: None,
            body: None,
        }
    }

    /// What a record of the cache says of its page.
    pub(super) fn read(about: &[u8]) -> Option<Self> {
        postcard::take_from_bytes(about)
            .ok()
            .map(|(about, _)| about)
    }

    /// The record, with the page where there is one.
    pub(super) fn encode(&self, page: Option<&Page>) -> Option<Parts> {
        let (index, skipped) = page.map_or(("", 0), |page| (page.index.as_str(), page.skipped));
        Some(Parts {
            about: postcard::to_stdvec(&(self, index, skipped)).ok()?,
            head: page.map_or_else(Vec::new, |page| page.files.head().to_vec()),
            details: match page {
                Some(page) => page.files.details().ok()?,
                None => Vec::new(),
            },
        })
    }
}

impl Kept {
    /// Takes a record of the cache apart.
    pub(super) fn of(name: &PackageName, record: PartedRecord) -> Option<Self> {
        let (about, index, skipped): (PageRecord, String, u32) =
            postcard::from_bytes(&record.about).ok()?;
        let state = record.state;
        if about.body.is_none() {
            return Some(Self {
                about,
                page: None,
                state,
            });
        }
        let page = Page {
            files: Files::read(name, record.head, record.details)?,
            name: name.clone(),
            index,
            skipped,
        };
        Some(Self {
            about,
            page: Some(Arc::new(page)),
            state,
        })
    }
}
