//! Index pages: from the cache, from folders, from the network.

use std::path::Path;
use std::sync::Arc;

use pep508_rs::PackageName;
use reqwest::header::{
    CONTENT_TYPE, ETAG, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::body::AnswerBody;
use super::cache::{Cache, RecordKind};
use super::client::{Answer, Ask, Client};
use super::digest::sha256;
use super::error::FetchError;
use super::freshness::{Freshness, Refresh};
use super::indexes::Index;
use super::tasks::blocking;
use crate::metadata::{File, FileKind, Page};

/// What is preferred: JSON, then HTML of a known version, then any HTML (PEP 691).
pub(super) const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
     application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// No page is larger than this, in bytes.
pub(super) const PAGE_LIMIT: u64 = 256 << 20;

/// Where pages come from.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Asks indexes.
    pub client: Client,
    /// Keeps their answers.
    pub cache: Cache,
    /// Which fresh answers are asked for again.
    pub refresh: Refresh,
}

/// What the cache keeps about an answer, beside the page that was read from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageRecord {
    /// The page's address, without credentials.
    url: String,
    freshness: Freshness,
    etag: Option<String>,
    last_modified: Option<String>,
    /// The sha256 of the body; `None` where the index has no such page.
    body: Option<[u8; 32]>,
}

/// A record and the encoded page after it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    record: PageRecord,
    page: Vec<u8>,
}

impl Pages {
    /// The distribution's page on one index; `None` where the index has none.
    ///
    /// # Errors
    ///
    /// [`FetchError`], also for an answer that is no index page.
    pub async fn page(
        &self,
        index: &Index,
        name: &PackageName,
    ) -> Result<Option<Arc<Page>>, FetchError> {
        if let Some(folder) = index.folder() {
            let (index, name) = (index.clone(), name.clone());
            return blocking(move || read_folder_page(&folder, &index, &name)).await;
        }
        let url = index.page_url(name);
        let index_digest = sha256(index.url.as_str().as_bytes());
        let key = format!("{}/{name}", index_digest.get(..16).unwrap_or_default());
        let kept = self.kept(&key, &url).await;
        if let Some(kept) = &kept
            && (self.client.offline()
                || kept.record.freshness.is_fresh() && !self.refresh.covers(name))
            && let Some(page) = decode(kept.clone()).await
        {
            self.client.progress().cache_hit();
            return Ok(page);
        }
        self.fetch(index, name, &url, key, kept).await
    }

    async fn kept(&self, key: &str, url: &Url) -> Option<Kept> {
        let (cache, key) = (self.cache.clone(), key.to_owned());
        let bytes = blocking(move || cache.read(RecordKind::Page, &key)).await?;
        let (record, page): (PageRecord, _) = postcard::take_from_bytes(&bytes).ok()?;
        (record.url == url.as_str()).then(|| Kept {
            record,
            page: page.to_vec(),
        })
    }

    async fn fetch(
        &self,
        index: &Index,
        name: &PackageName,
        url: &Url,
        key: String,
        kept: Option<Kept>,
    ) -> Result<Option<Arc<Page>>, FetchError> {
        let mut ask = Ask::new(url.clone(), PAGE_LIMIT).accept(ACCEPT);
        if let Some(Kept { record, .. }) = &kept {
            if let Some(etag) = &record.etag {
                ask = ask.header(IF_NONE_MATCH, etag);
            } else if let Some(date) = &record.last_modified {
                ask = ask.header(IF_MODIFIED_SINCE, date);
            }
        }
        let answer = match self.client.get(&ask).await {
            Ok(answer) => answer,
            Err(error) if matches!(error.status(), Some(404 | 410)) => {
                self.keep(key, Kept::missing(url));
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let record = PageRecord::of(url, &answer);
        if answer.status == 304
            && let Some(old) = kept
        {
            let same = PageRecord {
                body: old.record.body,
                etag: record.etag.or(old.record.etag),
                last_modified: record.last_modified.or(old.record.last_modified),
                ..record
            };
            return self.same_again(key, same, old.page, url, &answer).await;
        }
        let content_type = answer.header(&CONTENT_TYPE).unwrap_or_default().to_owned();
        let (page_url, keepable) = (answer.url.clone(), Freshness::of(&answer.headers).is_some());
        let AnswerBody::Whole(body) = answer.body else {
            return Err(nonsense(url, "it has no body".to_owned()));
        };
        let parsed = self.client.progress().clone();
        let (index, name) = (index.url.to_string(), name.clone());
        let (record, page) = blocking(move || {
            let digest: [u8; 32] = Sha256::digest(&body).into();
            let old = kept
                .filter(|kept| kept.record.body == Some(digest))
                .and_then(|kept| postcard::from_bytes::<Page>(&kept.page).ok());
            let page = if let Some(page) = old {
                page
            } else {
                parsed.parsed_page();
                Page::parse(&name, &index, &page_url, &content_type, &body)
                    .map_err(|error| error.to_string())
                    .and_then(|page| check_is_index_page(page, &body))?
            };
            Ok((
                PageRecord {
                    body: Some(digest),
                    ..record
                },
                Arc::new(page),
            ))
        })
        .await
        .map_err(|detail: String| nonsense(url, detail))?;
        if keepable {
            let page = Arc::clone(&page);
            self.cache.write_later(RecordKind::Page, key, move || {
                let page = postcard::to_stdvec(&*page).ok()?;
                Kept { record, page }.encode()
            });
        }
        Ok(Some(page))
    }

    /// The index says that nothing has changed.
    async fn same_again(
        &self,
        key: String,
        record: PageRecord,
        page: Vec<u8>,
        url: &Url,
        answer: &Answer,
    ) -> Result<Option<Arc<Page>>, FetchError> {
        let kept = Kept { record, page };
        let page = decode(kept.clone()).await.ok_or_else(|| {
            nonsense(
                url,
                "it says that nothing changed where nothing was kept".to_owned(),
            )
        })?;
        if Freshness::of(&answer.headers).is_some() {
            self.keep(key, kept);
        }
        Ok(page)
    }

    fn keep(&self, key: String, kept: Kept) {
        self.cache
            .write_later(RecordKind::Page, key, move || kept.encode());
    }
}

impl PageRecord {
    fn of(url: &Url, answer: &Answer) -> Self {
        let header = |name: &HeaderName| answer.header(name).map(str::to_owned);
        Self {
            url: url.as_str().to_owned(),
            freshness: Freshness::of(&answer.headers).unwrap_or_else(Freshness::unsaid),
            etag: header(&ETAG),
            last_modified: header(&LAST_MODIFIED),
            body: None,
        }
    }
}

impl Kept {
    fn missing(url: &Url) -> Self {
        Self {
            record: PageRecord {
                url: url.as_str().to_owned(),
                freshness: Freshness::unsaid(),
                etag: None,
                last_modified: None,
                body: None,
            },
            page: Vec::new(),
        }
    }

    fn encode(&self) -> Option<Vec<u8>> {
        let mut bytes = postcard::to_stdvec(&self.record).ok()?;
        bytes.extend(&self.page);
        Some(bytes)
    }
}

/// The page of a record: `Some(None)` says that the index has none, `None` that the record
/// cannot be read.
async fn decode(kept: Kept) -> Option<Option<Arc<Page>>> {
    if kept.record.body.is_none() {
        return Some(None);
    }
    let page = blocking(move || postcard::from_bytes::<Page>(&kept.page).ok()).await?;
    Some(Some(Arc::new(page)))
}

/// Some servers answer every address with a page of theirs, such as one to log in. A page
/// without any file may be right, but not if it has a form or is no HTML at all.
fn check_is_index_page(page: Page, body: &[u8]) -> Result<Page, String> {
    if !page.files.is_empty() {
        return Ok(page);
    }
    let start = body.get(..body.len().min(100_000)).unwrap_or_default();
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    let looks_like = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    if looks_like(&["<form", "<script"]) {
        return Err("it lists no file and holds a form or a script".to_owned());
    }
    if looks_like(&["<html", "<!doctype html", "<body", "<a ", "<title"])
        || text.trim_start().starts_with('{')
    {
        return Ok(page);
    }
    Err("it is no index page (PEP 503, PEP 691)".to_owned())
}

fn nonsense(url: &Url, detail: String) -> FetchError {
    FetchError::Nonsense {
        url: url.into(),
        detail,
    }
}

/// The page of a distribution in a folder that is laid out as an index: its `index.html`,
/// else the files that lie there.
fn read_folder_page(
    folder: &Path,
    index: &Index,
    name: &PackageName,
) -> Result<Option<Arc<Page>>, FetchError> {
    let folder = folder.join(name.to_string());
    if !folder.is_dir() {
        return Ok(None);
    }
    let path = folder.join("index.html");
    let page = match std::fs::read(&path) {
        Ok(body) => Page::parse(
            name,
            index.url.as_str(),
            &index.page_url(name),
            "text/html",
            &body,
        )
        .map_err(|error| FetchError::Io {
            path,
            detail: error.to_string(),
        })?,
        Err(_) => Page {
            files: files_of_folder(&folder, name)?,
            name: name.clone(),
            index: index.url.to_string(),
            skipped: 0,
        },
    };
    Ok(Some(Arc::new(page)))
}

/// The files of a distribution that lie in a folder, by name.
pub(super) fn files_of_folder(folder: &Path, name: &PackageName) -> Result<Vec<File>, FetchError> {
    let entries = std::fs::read_dir(folder).map_err(|error| FetchError::io(folder, &error))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    let file = |path: &Path| {
        let filename = path.file_name()?.to_str()?;
        let kind = FileKind::parse(filename, name).ok()?;
        let url = Url::from_file_path(path).ok()?;
        Some(File {
            filename: filename.to_owned(),
            url: url.into(),
            hashes: std::collections::BTreeMap::new(),
            size: path.metadata().ok().map(|metadata| metadata.len()),
            upload_time: None,
            requires_python: None,
            yanked: None,
            sidecar: None,
            version: kind.version().clone(),
            kind,
        })
    };
    Ok(paths.iter().filter_map(|path| file(path)).collect())
}
