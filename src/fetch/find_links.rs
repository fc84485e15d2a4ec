//! Files that are listed by folders and pages beside the indexes (`--find-links`).

use std::path::Path;
use std::sync::Arc;

use pep508_rs::PackageName;
use reqwest::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use url::Url;

use super::body::AnswerBody;
use super::cache::{RecordKind, hashed_key};
use super::client::Ask;
use super::error::FetchError;
use super::freshness::{Freshness, Refresh};
use super::indexes::FindLinks;
use super::pages::{ACCEPT, PAGE_LIMIT, Pages, files_of_folder, is_remote};
use super::tasks::blocking;
use crate::metadata::{File, Page};

/// One place with links; a page is fetched once in a run.
#[derive(Debug)]
pub struct LinkPlace {
    place: FindLinks,
    listing: OnceCell<Result<Arc<Listing>, FetchError>>,
}

/// A page with links to files of many distributions.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Listing {
    /// Where it came from in the end; links are relative to it.
    url: Url,
    content_type: String,
    body: Vec<u8>,
    etag: Option<String>,
    freshness: Freshness,
    /// The body in lower case with `-` for each run of `-`, `_` and `.`, to see whether a
    /// name occurs.
    #[serde(skip)]
    folded: String,
}

impl LinkPlace {
    /// A place of which nothing is known yet.
    pub fn new(place: FindLinks) -> Self {
        Self {
            place,
            listing: OnceCell::new(),
        }
    }

    /// The place's address, without credentials.
    pub fn address(&self) -> String {
        match &self.place {
            FindLinks::Folder(folder) => Url::from_file_path(folder)
                .map_or_else(|()| folder.display().to_string(), String::from),
            FindLinks::Page(page) => page.url.to_string(),
        }
    }

    /// The files of a distribution at this place, in its order.
    ///
    /// # Errors
    ///
    /// [`FetchError`]; a page or folder that is not there is one, since it was named.
    pub async fn files(&self, pages: &Pages, name: &PackageName) -> Result<Vec<File>, FetchError> {
        match &self.place {
            FindLinks::Folder(folder) => {
                let (folder, name) = (folder.clone(), name.clone());
                blocking(move || files_of_folder(&folder, &name)).await
            }
            FindLinks::Page(page) => {
                let listing = self
                    .listing
                    .get_or_init(|| Listing::get(pages, &page.url))
                    .await
                    .clone()?;
                let (index, name) = (page.url.to_string(), name.clone());
                blocking(move || listing.files(&index, &name)).await
            }
        }
    }
}

impl Listing {
    async fn get(pages: &Pages, url: &Url) -> Result<Arc<Self>, FetchError> {
        if url.scheme() == "file" {
            let path = url
                .to_file_path()
                .map_err(|()| FetchError::Setup(format!("`{url}` is not the path of a file")))?;
            return blocking(move || Self::read(&path)).await.map(Arc::new);
        }
        let key = hashed_key(url.as_str(), "links");
        let (cache, read_key) = (pages.cache.clone(), key.clone());
        let kept = blocking(move || {
            let bytes = cache.read(RecordKind::Links, &read_key)?;
            postcard::from_bytes::<Self>(&bytes).ok()
        })
        .await;
        let usable = |kept: &Self| {
            pages.client.offline() || kept.freshness.is_fresh() && pages.refresh != Refresh::All
        };
        if let Some(kept) = kept.as_ref().filter(|kept| usable(kept)) {
            pages.client.progress().cache_hit();
            return Ok(Arc::new(kept.clone().folded()));
        }
        let mut ask = Ask::new(url.clone(), PAGE_LIMIT).accept(ACCEPT);
        if let Some(etag) = kept.as_ref().and_then(|kept| kept.etag.as_ref()) {
            ask = ask.header(IF_NONE_MATCH, etag);
        }
        let answer = pages.client.get(&ask).await?;
        let freshness = Freshness::of(&answer.headers);
        let header = |name| answer.header(name).map(str::to_owned);
        let (etag, content_type) = (header(&ETAG), header(&CONTENT_TYPE).unwrap_or_default());
        let listing = match (answer.status, answer.body, kept) {
            (304, _, Some(kept)) => Self {
                freshness: freshness.unwrap_or(kept.freshness),
                ..kept
            },
            (_, AnswerBody::Whole(body), _) => Self {
                url: answer.url,
                content_type,
                body,
                etag,
                freshness: freshness.unwrap_or_else(Freshness::unsaid),
                folded: String::new(),
            },
            (_, AnswerBody::Unread(_) | AnswerBody::Packed(_), _) => {
                return Err(FetchError::Nonsense {
                    url: url.into(),
                    detail: "it has no body".to_owned(),
                });
            }
        };
        let listing = Arc::new(listing.folded());
        if freshness.is_some() {
            let listing = Arc::clone(&listing);
            pages.cache.write_later(RecordKind::Links, key, move || {
                postcard::to_stdvec(&*listing).ok()
            });
        }
        Ok(listing)
    }

    fn read(path: &Path) -> Result<Self, FetchError> {
        let body = std::fs::read(path).map_err(|error| FetchError::io(path, &error))?;
        let url = Url::from_file_path(path)
            .map_err(|()| FetchError::Setup(format!("`{}` is not absolute", path.display())))?;
        let listing = Self {
            url,
            content_type: "text/html".to_owned(),
            body,
            etag: None,
            freshness: Freshness::unsaid(),
            folded: String::new(),
        };
        Ok(listing.folded())
    }

    fn folded(self) -> Self {
        let mut folded = String::with_capacity(self.body.len());
        for character in String::from_utf8_lossy(&self.body).chars() {
            match character {
                '-' | '_' | '.' if folded.ends_with('-') => {}
                '-' | '_' | '.' => folded.push('-'),
                other => folded.push(other.to_ascii_lowercase()),
            }
        }
        Self { folded, ..self }
    }

    /// Reading a page of megabytes for each name would be slow; most names do not occur.
    fn files(&self, index: &str, name: &PackageName) -> Result<Vec<File>, FetchError> {
        if !self.folded.contains(&format!("{name}-")) {
            return Ok(Vec::new());
        }
        Page::parse_find_links(name, index, &self.url, &self.content_type, &self.body)
            .map_err(|error| error.to_string())
            .and_then(|page| page.files.all().map_err(|error| error.to_string()))
            .map(|files| {
                let local = self.url.scheme() == "file";
                let files = files.into_iter();
                files.filter(|file| local || is_remote(file)).collect()
            })
            .map_err(|detail| FetchError::Nonsense {
                url: (&self.url).into(),
                detail,
            })
    }
}
