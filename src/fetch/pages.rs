//! Index pages: from the cache, from folders, from the network.

use std::path::Path;
use std::sync::Arc;

use pep508_rs::PackageName;
use reqwest::header::{CONTENT_TYPE, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use url::Url;

use super::body::{AnswerBody, unpacked};
use super::cache::{Cache, RecordKind, State};
use super::client::{Answer, Ask, Client};
use super::digest::sha256;
use super::error::FetchError;
use super::freshness::{Freshness, Refresh};
use super::indexes::Index;
use super::page_record::{Kept, PageRecord};
use super::seen::{Seen, SeenFile, SeenPage};
use super::tasks::blocking;
use crate::metadata::{Digests, File, FileKind, Page};

/// What is preferred: JSON, then HTML of a known version, then any HTML (PEP 691).
pub(super) const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
     application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// No page is larger than this, in bytes, after what compressed it on the way was undone. The
/// largest pages of the public index have some 12 MB.
pub(super) const PAGE_LIMIT: u64 = 64 << 20;

/// Where pages come from.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Asks indexes.
    pub client: Client,
    /// Keeps their answers.
    pub cache: Cache,
    /// Which fresh answers are asked for again.
    pub refresh: Refresh,
    /// What came of it.
    pub(super) seen: Arc<Seen>,
}

/// Whether a record's file is another than the one that was known.
pub(super) struct IsNewFile(pub(super) bool);

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
            // Nothing says whether the folder will be the same.
            self.seen.unsettle();
            let (index, name) = (index.clone(), name.clone());
            return blocking(move || read_folder_page(&folder, &index, &name)).await;
        }
        let url = index.page_url(name);
        let key = page_key(index, name);
        // On the threads where pages are read this would wait for them, and the request with it.
        let kept = self.kept(&key, &url, name);
        if let Some(kept) = &kept
            && self.is_usable(kept.about.freshness, name.as_ref())
        {
            // Another run has just kept it, or several pages are asked for at once.
            self.client.progress().cache_hit();
            self.saw(name, key, &kept.about, Some(kept.state));
            return Ok(kept.page.clone());
        }
        self.fetch(index, name, &url, key, kept).await
    }

    /// What the cache has of the distribution's page on one index, where that is the answer as
    /// it is.
    pub(super) fn at_hand(&self, index: &Index, name: &PackageName) -> Option<Kept> {
        if index.folder().is_some() {
            return None;
        }
        let key = page_key(index, name);
        let kept = self.kept(&key, &index.page_url(name), name)?;
        let is_usable = self.is_usable(kept.about.freshness, name.as_ref());
        is_usable.then(|| {
            self.client.progress().cache_hit();
            self.saw(name, key, &kept.about, Some(kept.state));
            kept
        })
    }

    /// Whether a page is, as far as this run may know, what it was when it was seen; and if so,
    /// whether its record's file is one that was not known.
    ///
    /// A record is never written in place: as long as its file is the one that was seen, it is
    /// what was read then, and asking for that takes a fifth of the time that reading it takes.
    pub(super) fn still_holds(&self, seen: &mut SeenPage<'_>) -> Option<IsNewFile> {
        if let Some(file) = &seen.file
            && self.cache.state(RecordKind::Page, &seen.key) == Some(file.state)
        {
            let is_usable = self.is_usable(file.freshness, &seen.name);
            return is_usable.then_some(IsNewFile(false));
        }
        let (about, state) = self.cache.read_about(RecordKind::Page, &seen.key)?;
        let about = PageRecord::read(&about)?;
        let freshness = about.freshness;
        let holds = about.url == seen.url
            && about.body == seen.body
            && self.is_usable(freshness, &seen.name);
        seen.file = state.map(|state| SeenFile { state, freshness });
        holds.then_some(IsNewFile(state.is_some()))
    }

    fn saw(&self, name: &PackageName, key: String, about: &PageRecord, file: Option<State>) {
        let freshness = about.freshness;
        self.seen.saw(SeenPage {
            name: name.to_string().into(),
            key: key.into(),
            url: about.url.clone().into(),
            body: about.body,
            file: file
                .and_then(State::of_file)
                .map(|state| SeenFile { state, freshness }),
        });
    }

    /// What the cache has.
    fn kept(&self, key: &str, url: &Url, name: &PackageName) -> Option<Kept> {
        let kept = Kept::of(name, self.cache.read_bundled(RecordKind::Page, key)?)?;
        (kept.about.url == url.as_str()).then_some(kept)
    }

    /// Whether what the cache has is the answer as it is.
    fn is_usable(&self, freshness: Freshness, name: &str) -> bool {
        self.client.offline() || freshness.is_fresh() && !self.refresh.covers(name)
    }

    async fn fetch(
        &self,
        index: &Index,
        name: &PackageName,
        url: &Url,
        key: String,
        kept: Option<Kept>,
    ) -> Result<Option<Arc<Page>>, FetchError> {
        let plain = Ask::new(url.clone(), PAGE_LIMIT).accept(ACCEPT);
        let mut ask = plain.clone().packed();
        if let Some(Kept { about, .. }) = &kept {
            if let Some(etag) = &about.etag {
                ask = ask.header(IF_NONE_MATCH, etag);
            } else if let Some(date) = &about.last_modified {
                ask = ask.header(IF_MODIFIED_SINCE, date);
            }
        }
        let answer = match self.client.get(&ask).await {
            Ok(answer) => answer,
            Err(error) if matches!(error.status(), Some(404 | 410)) => {
                let about = PageRecord::missing(url);
                self.saw(name, key.clone(), &about, None);
                self.keep(key, about, None);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let keepable = Freshness::of(&answer.headers).is_some();
        let about = PageRecord::of(url, &answer);
        let read = match kept {
            Some(old) if answer.status == 304 => same_again(url, about, old)?,
            old => match self.read(index, name, answer, about, old).await {
                // It came damaged: the client asks again, as for what breaks off.
                Err(FetchError::Transport { .. }) => None,
                read => Some(read?),
            },
        };
        let (about, page) = if let Some(read) = read {
            read
        } else {
            let answer = self.client.get(&plain).await?;
            let about = PageRecord::of(url, &answer);
            self.read(index, name, answer, about, None).await?
        };
        self.saw(name, key.clone(), &about, None);
        if keepable {
            self.keep(key, about, Some(Arc::clone(&page)));
        }
        Ok(Some(page))
    }

    /// Reads the page of an answer, or finds that it is the one that was kept.
    async fn read(
        &self,
        index: &Index,
        name: &PackageName,
        answer: Answer,
        about: PageRecord,
        kept: Option<Kept>,
    ) -> Result<(PageRecord, Arc<Page>), FetchError> {
        let content_type = answer.header(&CONTENT_TYPE).unwrap_or_default().to_owned();
        let (page_url, body) = (answer.url, answer.body);
        let progress = Arc::clone(self.client.progress());
        let (index, name) = (index.url.to_string(), name.clone());
        blocking(move || {
            let digest = match &body {
                AnswerBody::Whole(came) | AnswerBody::Packed(came) => {
                    PageRecord::digest(&page_url, &content_type, came)
                }
                AnswerBody::Unread(_) => {
                    return Err(nonsense(&page_url, "it has no body".to_owned()));
                }
            };
            let same = kept.filter(|kept| kept.about.body == Some(digest));
            let page = if let Some(page) = same.and_then(|kept| kept.page) {
                page
            } else {
                let body = match body {
                    AnswerBody::Packed(packed) => unpacked(&packed, PAGE_LIMIT, &page_url)?,
                    AnswerBody::Whole(body) => body,
                    AnswerBody::Unread(_) => Vec::new(),
                };
                progress.parsed_page();
                Page::parse(&name, &index, &page_url, &content_type, &body)
                    .map_err(|error| error.to_string())
                    .and_then(|page| check_is_index_page(page, &body))
                    .map(Arc::new)
                    .map_err(|detail| nonsense(&page_url, detail))?
            };
            let body = Some(digest);
            Ok((PageRecord { body, ..about }, page))
        })
        .await
    }

    fn keep(&self, key: String, about: PageRecord, page: Option<Arc<Page>>) {
        self.cache
            .write_parts_later(RecordKind::Page, key, move || about.encode(page.as_deref()));
    }
}

fn page_key(index: &Index, name: &PackageName) -> String {
    let digest = sha256(index.url.as_str().as_bytes());
    format!("{}/{name}", digest.get(..16).unwrap_or_default())
}

/// The index says that nothing has changed; `None` where it says so at another address than it had
/// the page at: links are relative to it, and lead elsewhere now.
fn same_again(
    url: &Url,
    about: PageRecord,
    kept: Kept,
) -> Result<Option<(PageRecord, Arc<Page>)>, FetchError> {
    let old = kept.about;
    if about.found_at != old.found_at {
        return Ok(None);
    }
    let about = PageRecord {
        body: old.body,
        etag: about.etag.or(old.etag),
        last_modified: about.last_modified.or(old.last_modified),
        ..about
    };
    let page = kept.page.ok_or_else(|| {
        nonsense(
            url,
            "it says that nothing changed where nothing was kept".to_owned(),
        )
    })?;
    Ok(Some((about, page)))
}

/// Whether a file is fetched over the network.
pub(super) fn is_remote(file: &File) -> bool {
    file.url.starts_with("https://") || file.url.starts_with("http://")
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
    let page = if let Ok(body) = std::fs::read(&path) {
        let url = index.page_url(name);
        Page::parse(name, index.url.as_str(), &url, "text/html", &body).map_err(|error| {
            FetchError::Io {
                path,
                detail: error.to_string(),
            }
        })?
    } else {
        let files = files_of_folder(&folder, name)?;
        Page::new(name.clone(), index.url.to_string(), &files, 0)
    };
    Ok(Some(Arc::new(page)))
}

/// The files of a distribution that lie in a folder, by name.
pub(super) fn files_of_folder(folder: &Path, name: &PackageName) -> Result<Vec<File>, FetchError> {
    let entries = std::fs::read_dir(folder).map_err(|error| FetchError::io(folder, &error))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    let file = |path: &std::path::PathBuf| {
        let size = path.metadata().ok().map(|about| about.len());
        file_of_folder(path, name, size)
    };
    Ok(paths.iter().filter_map(file).collect())
}

/// A file of a distribution that lies in a folder; `None` where its name is not one.
pub(super) fn file_of_folder(path: &Path, name: &PackageName, size: Option<u64>) -> Option<File> {
    let filename = path.file_name()?.to_str()?;
    let kind = FileKind::parse(filename, name).ok()?;
    let url = Url::from_file_path(path).ok()?;
    Some(File {
        filename: filename.to_owned(),
        url: url.into(),
        hashes: Digests::new(),
        size,
        upload_time: None,
        requires_python: None,
        yanked: None,
        sidecar: None,
        version: kind.version().clone(),
        kind,
    })
}
