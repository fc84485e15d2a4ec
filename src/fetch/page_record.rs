//! What the cache keeps of the answer to the question for a page.

use std::sync::Arc;

use reqwest::header::{ETAG, HeaderName, LAST_MODIFIED};
use serde::{Deserialize, Serialize};
use url::Url;

use super::cache::Record;
use super::client::Answer;
use super::freshness::Freshness;
use super::packed_page;
use crate::metadata::Page;

/// What is kept about an answer, beside the page that was read from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageRecord {
    /// The page's address, without credentials.
    pub(super) url: String,
    pub(super) freshness: Freshness,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    /// The sha256 of the body; `None` where the index has no such page.
    pub(super) body: Option<[u8; 32]>,
}

/// A record of the cache: what is said of the page, and the page.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) about: PageRecord,
    record: Record,
    /// How long the page is in bytes; it ends the record.
    page_length: usize,
}

/// A record that cannot be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unreadable;

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

    /// The record, with the page where there is one.
    pub(super) fn encode(&self, page: Option<&Page>) -> Option<Vec<u8>> {
        let bytes = postcard::to_stdvec(self).ok()?;
        match page {
            Some(page) => packed_page::pack(page, bytes),
            None => Some(bytes),
        }
    }
}

impl Kept {
    /// Takes a record of the cache apart.
    pub(super) fn of(record: Record) -> Option<Self> {
        let (about, page): (PageRecord, &[u8]) = postcard::take_from_bytes(&record).ok()?;
        let page_length = page.len();
        Some(Self {
            about,
            record,
            page_length,
        })
    }

    /// The answer: the page, or that the index has none.
    pub(super) fn answer(&self) -> Result<Option<Arc<Page>>, Unreadable> {
        if self.about.body.is_none() {
            return Ok(None);
        }
        let start = self.record.len().checked_sub(self.page_length);
        start
            .and_then(|start| packed_page::unpack(self.record.get(start..)?))
            .map(|page| Some(Arc::new(page)))
            .ok_or(Unreadable)
    }
}
