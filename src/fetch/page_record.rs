//! What the cache keeps of the answer to the question for a page.

use std::sync::Arc;

use pep508_rs::PackageName;
use reqwest::header::{ETAG, HeaderName, LAST_MODIFIED};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::cache::{PartedRecord, Parts, State};
use super::client::Answer;
use super::freshness::Freshness;
use crate::metadata::{Files, Page};

/// How pages are read; one more with each change of what is read from the same bytes, or of how
/// it is packed. It stands first in a record: what was read otherwise counts as absent, and is
/// asked for without the validators that would keep it (`304`, an equal body) for ever.
const READING: u32 = 1;

/// What is kept about an answer, beside the page that was read from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageRecord {
    /// The page's address, without credentials.
    pub(super) url: String,
    /// Where it was found in the end, without query, where that is elsewhere: links are relative
    /// to it.
    pub(super) found_at: Option<String>,
    pub(super) freshness: Freshness,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    /// The sha256 of all that the page was read from: where it was found, its type, and the body as
    /// it came, compressed or not. What came in the same bytes from the same place is the same, and
    /// what was compressed otherwise is merely read again. `None` where the index has no such page.
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
            found_at: (place(url) != place(&answer.url)).then(|| place(&answer.url).into()),
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
            found_at: None,
            freshness: Freshness::unsaid(),
            etag: None,
            last_modified: None,
            body: None,
        }
    }

    /// What [`PageRecord::body`] is of an answer.
    pub(super) fn digest(page_url: &Url, content_type: &str, body: &[u8]) -> [u8; 32] {
        let mut digest = Sha256::new();
        for text in [place(page_url), content_type] {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
        }
        digest.update(body);
        digest.finalize().into()
    }

    /// What a record of the cache says of its page.
    pub(super) fn read(about: &[u8]) -> Option<Self> {
        let read = postcard::take_from_bytes(read_alike(about)?).ok();
        read.map(|(about, _)| about)
    }

    /// The record, with the page where there is one.
    pub(super) fn encode(&self, page: Option<&Page>) -> Option<Parts> {
        let (index, skipped) = page.map_or(("", 0), |page| (page.index.as_str(), page.skipped));
        Some(Parts {
            about: postcard::to_stdvec(&(READING, self, index, skipped)).ok()?,
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
            postcard::from_bytes(read_alike(&record.about)?).ok()?;
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

/// What links are relative to. A query is no part of it, and may be signed anew each time.
fn place(page_url: &Url) -> &str {
    let end = page_url.as_str().find(['?', '#']);
    let whole = page_url.as_str();
    end.and_then(|end| whole.get(..end)).unwrap_or(whole)
}

/// What stands after the number, where it is that of this program.
fn read_alike(about: &[u8]) -> Option<&[u8]> {
    let (reading, rest) = postcard::take_from_bytes::<u32>(about).ok()?;
    (reading == READING).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::cache::checksum;
    use super::*;

    const NAME: &str = "demo";

    fn parse(content_type: &str, body: &str) -> Page {
        let name = NAME.parse().expect("a name");
        let index = "https://index.example/simple/";
        let url = Url::parse("https://index.example/simple/demo/").expect("a URL");
        Page::parse(&name, index, &url, content_type, body.as_bytes()).expect("it is a page")
    }

    fn encode(page: &Page) -> Parts {
        let url = Url::parse("https://index.example/simple/demo/").expect("a URL");
        let about = PageRecord {
            body: Some([7; 32]),
            freshness: Freshness::unsaid(),
            ..PageRecord::missing(&url)
        };
        about.encode(Some(page)).expect("it can be kept")
    }

    #[test]
    fn what_was_read_otherwise_is_absent() {
        let page = parse("text/html", "<a href='demo-1.0.tar.gz'></a>");
        let mut parts = encode(&page);
        assert!(PageRecord::read(&parts.about).is_some());
        for other in [READING - 1, READING + 1, 43] {
            parts.about[0] = u8::try_from(other).expect("it is small");
            assert_eq!(PageRecord::read(&parts.about), None, "{other}");
        }
    }

    /// What a page with a bit of everything is packed to. Where this fails, pages are read or
    /// packed otherwise than before: raise `READING`, and set the checksums to what they are now.
    #[test]
    fn the_number_tells_how_pages_are_read() {
        let sha256 = "5f0b1bd4a8d4b1a7f3f2b7f3e6a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3";
        let html = format!(
            "<html><body><a href='../../files/demo-1.0.tar.gz#sha256={sha256}' \
             data-requires-python='&gt;=3.9, !=3.9.7' data-yanked='broken &amp; old'>x</a>\
             <a href='demo-1.0-cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64.whl' \
             data-core-metadata='sha256={sha256}'>y</a><a href='demo-1.0-py2.py3-none-any.whl' \
             data-yanked data-dist-info-metadata='true'></a><a href='other-1.zip'></a>\
             <a href='demo_2.0rc1+cu121.tar.gz'></a><a href='demo-2.0rc1+cu121.zip'></a></body>"
        );
        let json = format!(
            r#"{{"meta": {{"api-version": "1.1"}}, "name": "demo", "files": [
            {{"filename": "demo-1.0-1-py3-none-any.whl", "url": "demo-1.0-1-py3-none-any.whl",
              "hashes": {{"sha256": "{sha256}", "md5": "00112233445566778899aabbccddeeff"}},
              "requires-python": ">=3.8,<4", "size": 1234, "yanked": "why",
              "upload-time": "2023-05-06T07:08:09.123456Z",
              "core-metadata": {{"sha256": "{sha256}"}}}},
            {{"filename": "demo-1!0.9.post1.dev2.tar.gz", "hashes": {{}}, "yanked": false,
              "url": "https://files.example/demo-1!0.9.post1.dev2.tar.gz", "upload-time": null}},
            {{"filename": "demo-one.exe", "hashes": {{}}, "url": "demo-one.exe"}}]}}"#
        );
        let checksums = [
            ("text/html", html.as_str()),
            ("application/vnd.pypi.simple.v1+json", json.as_str()),
        ]
        .map(|(content_type, body)| {
            let page = parse(content_type, body);
            let parts = encode(&page);
            assert!(page.files.len() > 1 && page.skipped > 0, "{content_type}");
            [parts.head, parts.details].map(|part| checksum(&part))
        });
        assert_eq!(
            (READING, checksums),
            (
                1,
                [[881_119_326, 33_276_268], [2_199_951_958, 3_353_632_306]]
            )
        );
    }
}
