//! Files that are listed by folders and pages beside the indexes (`--find-links`).

mod folder;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use pep508_rs::PackageName;
use reqwest::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use url::Url;

use self::folder::Folder;
use super::body::AnswerBody;
use super::cache::{Cache, RecordKind, hashed_key};
use super::client::Ask;
use super::error::FetchError;
use super::freshness::{Freshness, Refresh};
use super::indexes::{FindLinks, Index};
use super::pages::{ACCEPT, PAGE_LIMIT, Pages, is_remote};
use super::tasks::blocking;
use crate::metadata::{File, Page};
use crate::request::names::normal;

/// One place with links; it is listed or fetched once in a run.
#[derive(Debug)]
pub struct LinkPlace(Place);

#[derive(Debug)]
enum Place {
    Folder(Arc<Folder>),
    Page(Box<LinkPage>),
}

#[derive(Debug)]
struct LinkPage {
    index: Index,
    /// What the cache had, where that was the answer as it was; it may have megabytes, so it is
    /// not looked for twice.
    kept: OnceLock<Option<Arc<Listing>>>,
    listing: OnceCell<Result<Arc<Listing>, FetchError>>,
}

impl LinkPage {
    fn new(index: Index) -> Self {
        Self {
            index,
            kept: OnceLock::new(),
            listing: OnceCell::new(),
        }
    }

    /// The listing, where nobody has to be asked for it.
    fn at_hand(&self, pages: &Pages) -> Option<Result<Arc<Listing>, FetchError>> {
        let kept = || Listing::at_hand(pages, &self.index.url);
        match self.listing.get() {
            Some(known) => Some(known.clone()),
            None => self.kept.get_or_init(kept).clone().map(Ok),
        }
    }
}

/// A place with links that was looked at, and what was there of the distributions that the
/// solver was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeenPlace {
    /// A folder: its files' names, sizes and times.
    Folder([u8; 32]),
    /// A page: the sha256 of its body, and where it came from in the end.
    Page([u8; 32]),
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
        Self(match place {
            FindLinks::Folder(folder) => Place::Folder(Arc::new(Folder::new(folder))),
            FindLinks::Page(page) => Place::Page(Box::new(LinkPage::new(page))),
        })
    }

    /// The place's address, without credentials.
    pub fn address(&self) -> String {
        match &self.0 {
            Place::Folder(folder) => Url::from_file_path(folder.path())
                .map_or_else(|()| folder.path().display().to_string(), String::from),
            Place::Page(page) => page.index.url.to_string(),
        }
    }

    /// Whether a file of this place is told apart from what it may be later although the place
    /// gives no hash of it.
    pub fn vouches_for(&self, file: &File) -> bool {
        matches!(&self.0, Place::Folder(folder) if folder.holds(&file.url))
    }

    /// The files of a distribution at this place, in its order.
    ///
    /// # Errors
    ///
    /// [`FetchError`]; a page or folder that is not there is one, since it was named.
    pub async fn files(&self, pages: &Pages, name: &PackageName) -> Result<Vec<File>, FetchError> {
        match &self.0 {
            Place::Folder(folder) => {
                let (folder, name) = (Arc::clone(folder), name.clone());
                blocking(move || folder.files(&name)).await
            }
            Place::Page(page) => {
                let url = &page.index.url;
                let listing = page.listing.get_or_init(|| Listing::get(pages, url));
                let listing = listing.await.clone()?;
                let (index, name) = (url.to_string(), name.clone());
                blocking(move || listing.files(&index, &name)).await
            }
        }
    }

    /// The same, where nobody has to be asked for it.
    pub fn at_hand(
        &self,
        pages: &Pages,
        name: &PackageName,
    ) -> Option<Result<Vec<File>, FetchError>> {
        match &self.0 {
            Place::Folder(folder) => Some(folder.files(name)),
            Place::Page(page) => {
                let url = page.index.url.as_str();
                let listing = page.at_hand(pages)?;
                Some(listing.and_then(|listing| listing.files(url, name)))
            }
        }
    }

    /// What is there of these distributions; `None` where it cannot be told whether it stays.
    pub fn seen<'n>(
        &self,
        pages: &Pages,
        names: impl Iterator<Item = &'n PackageName>,
    ) -> Option<SeenPlace> {
        match &self.0 {
            Place::Folder(folder) => {
                let mut said = Sha256::new();
                for name in names {
                    said.update(folder.state(name)?);
                }
                Some(SeenPlace::Folder(said.finalize().into()))
            }
            Place::Page(page) => {
                let listing = page.at_hand(pages)?.ok()?;
                Some(SeenPlace::Page(listing.digest()))
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
        let kept = blocking(move || Self::kept(&cache, &read_key)).await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_usable(pages)) {
            pages.client.progress().cache_hit();
            return Ok(Arc::new(kept.clone().folded()));
        }
        let plain = Ask::new(url.clone(), PAGE_LIMIT).accept(ACCEPT);
        let mut ask = plain.clone();
        if let Some(etag) = kept.as_ref().and_then(|kept| kept.etag.as_ref()) {
            ask = ask.header(IF_NONE_MATCH, etag);
        }
        let mut answer = pages.client.get(&ask).await?;
        if answer.status == 304 && kept.as_ref().is_some_and(|kept| kept.url != answer.url) {
            // It was found elsewhere before, where its links lead elsewhere.
            answer = pages.client.get(&plain).await?;
        }
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

    /// What the cache has of a page, where that is the answer as it is; what a file of this
    /// machine says.
    fn at_hand(pages: &Pages, url: &Url) -> Option<Arc<Self>> {
        if url.scheme() == "file" {
            return Self::read(&url.to_file_path().ok()?).ok().map(Arc::new);
        }
        let kept = Self::kept(&pages.cache, &hashed_key(url.as_str(), "links"))?;
        kept.is_usable(pages).then(|| {
            pages.client.progress().cache_hit();
            Arc::new(kept.folded())
        })
    }

    fn kept(cache: &Cache, key: &str) -> Option<Self> {
        let bytes = cache.read(RecordKind::Links, key)?;
        postcard::from_bytes(&bytes).ok()
    }

    fn is_usable(&self, pages: &Pages) -> bool {
        pages.client.offline() || self.freshness.is_fresh() && pages.refresh != Refresh::All
    }

    /// Tells the page apart from what it may be later.
    fn digest(&self) -> [u8; 32] {
        let mut said = Sha256::new();
        for part in [self.url.as_str(), &self.content_type] {
            said.update(part.len().to_le_bytes());
            said.update(part);
        }
        said.update(&self.body);
        said.finalize().into()
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
        let folded = normal(&String::from_utf8_lossy(&self.body));
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
